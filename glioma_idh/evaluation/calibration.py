"""Whether a score of 0.7 means 7 of 10 mutant, and recalibration learnt on the other splits."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import norm

from glioma_idh.evaluation.checks import because, check_predictions, check_scores
from glioma_idh.evaluation.crossfitting import add_by_split, first_reason, other_patients
from glioma_idh.evaluation.intervals import Estimate, no_estimate
from glioma_idh.evaluation.metrics import pool_patients
from glioma_idh.evaluation.thresholds import proportion

METHODS = ("temperature", "platt")
NUM_BINS = 10
HARD = "all scores are 0 or 1, decisions and not probabilities"
CLIP = 1e-7  # scores nearer to 0 or 1 count as this far, as in the loss of `metrics`


class Line(NamedTuple):
    """Logistic regression of the truth on the scores' logits."""

    slope: Estimate  # 1 where scores spread as they should, below 1 where they are too sure
    intercept: Estimate  # of the same line; 0 where calibrated
    in_the_large: Estimate  # of slope 1: 0 where as many are mutant as the scores say, above 0 where there are more


def calibration_line(truth: np.ndarray, score: np.ndarray, level: float = 0.95) -> Line:
    """Slope and intercept of calibration (Cox, Biometrika 1958; Van Calster et al., BMC Medicine 2019), Wald intervals.

    An estimate says why it is not available: one class, scores all alike, classes that do not overlap.
    """
    truth, score = check_scores(truth, score)
    logits = logits_of(score)
    if truth.min() == truth.max():
        return Line(*[no_estimate("there is but one class")] * 3)
    if no_probabilities(score):
        return Line(*[no_estimate(HARD)] * 3)
    # By bisection: with scores near 0 or 1, statsmodels' iteration for a line with an offset runs away.
    farthest = np.abs(logits).max() + np.log(len(logits)) + 1
    shift = brentq(lambda shift: expit(logits + shift).sum() - truth.sum(), -farthest, farthest)
    scores = expit(logits + shift)
    half = norm.ppf((1 + level) / 2) / np.sqrt((scores * (1 - scores)).sum())
    in_the_large = Estimate(float(shift), float(shift - half), float(shift + half))
    reason = why_no_slope(truth, logits)
    if reason:
        return Line(no_estimate(reason), no_estimate(reason), in_the_large)
    columns = np.column_stack([np.ones_like(logits), logits])
    fit = sm.GLM(truth, columns, family=sm.families.Binomial()).fit()
    coefficients = np.column_stack([fit.params, fit.conf_int(alpha=1 - level)])
    intercept, slope = (Estimate(float(value), float(low), float(high)) for value, low, high in coefficients)
    return Line(slope, intercept, in_the_large)


def no_probabilities(score: np.ndarray) -> bool:
    """Whether all scores are 0 or 1, decisions and not probabilities."""
    return bool(np.isin(score, (0, 1)).all())


def logits_of(score: np.ndarray) -> np.ndarray:
    """Finite logits of scores, shape (n,), clipped at 1e-7."""
    return logit(np.clip(np.asarray(score, dtype=np.float64), CLIP, 1 - CLIP))


def why_no_slope(truth: np.ndarray, logits: np.ndarray) -> str:
    """Why a logistic regression has no finite slope; "" where it has one."""
    mutant, wild_type = logits[truth == 1], logits[truth == 0]
    if logits.min() == logits.max():
        return "all scores are alike"
    if mutant.min() >= wild_type.max() or wild_type.min() >= mutant.max():
        return "the scores of the classes do not overlap"
    return ""


def reliability_curve(truth, score, num_bins: int = NUM_BINS, level: float = 0.95) -> pd.DataFrame:
    """How many are mutant among those with about the same score, in bins of equal width from 0 to 1.

    A bin holds its lower end, the last one both. One row a bin that holds anybody: `from_score, to_score, n, events`
    (mutants), `mean_score, observed` (share of mutants), `low, high` (Wilson's interval).
    """
    truth, score = check_scores(truth, score)
    edges = np.linspace(0, 1, num_bins + 1)
    bins = np.minimum(np.searchsorted(edges, score, side="right") - 1, num_bins - 1)
    rows = []
    for number in np.unique(bins):
        inside = bins == number
        observed = proportion(int(truth[inside].sum()), int(inside.sum()), "the bin is empty", level)
        counts = {"n": observed.total, "events": observed.count, "mean_score": float(score[inside].mean())}
        ends = {"from_score": float(edges[number]), "to_score": float(edges[number + 1])}
        rows.append(ends | counts | {"observed": observed.value, "low": observed.low, "high": observed.high})
    return pd.DataFrame(rows)


def calibration_scores(truth: np.ndarray, score: np.ndarray, num_bins: int = NUM_BINS) -> dict:
    """All measures of calibration, by name.

    `num_clipped`, how many scores lie nearer to 0 or 1 than 1e-7, so that the slope depends on the clip; `brier`;
    `log_loss`; `ece`, the expected calibration error: |share of mutants - mean score| in each bin of
    `reliability_curve`, weighted by its patients (Guo et al., ICML 2017; with few patients it is above 0 however good
    the scores); and the estimates of `calibration_line`.
    """
    curve = reliability_curve(truth, score, num_bins)
    error = np.average((curve["observed"] - curve["mean_score"]).abs(), weights=curve["n"])
    truth, score = check_scores(truth, score)
    return {
        "num_clipped": int(((score < CLIP) | (score > 1 - CLIP)).sum()),
        "brier": float(squared_errors(truth, score).mean()),
        "log_loss": float(log_losses(truth, score).mean()),
        "ece": float(error),
        **calibration_line(truth, score)._asdict(),
    }


def squared_errors(truth: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Of each patient, shape (n,); their mean is the Brier score (Monthly Weather Review 1950)."""
    return (np.asarray(score, dtype=np.float64) - np.asarray(truth, dtype=np.float64)) ** 2


def log_losses(truth: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Of each patient, shape (n,), scores clipped at 1e-7."""
    score = np.clip(np.asarray(score, dtype=np.float64), CLIP, 1 - CLIP)
    return -np.log(np.where(np.asarray(truth) == 1, score, 1 - score))


def fit_scaling(truth: np.ndarray, score: np.ndarray, method: str) -> tuple[float, float]:
    """Slope and intercept that recalibrate the scores' logits, by one of METHODS.

    `temperature` divides logits by a temperature, 1 / slope, the intercept being 0 (Guo et al., ICML 2017). `platt` is
    a line through logits, fitted to truths a little inside 0 and 1 (Platt, Advances in Large Margin Classifiers 1999),
    which keeps the slope finite. A ValueError says why there is nothing to learn from the scores.
    """
    truth, score = check_scores(truth, score)
    if method not in METHODS:
        raise ValueError(f"expected a method of {', '.join(METHODS)}; found {method}")
    logits, mutants, wild_types = logits_of(score), truth.sum(), (1 - truth).sum()
    if min(mutants, wild_types) == 0:
        raise ValueError("there is but one class")
    if no_probabilities(score):
        raise ValueError(HARD)
    reason = why_no_slope(truth, logits)
    if reason and (method == "temperature" or logits.min() == logits.max()):
        raise ValueError(reason)
    columns = logits[:, None]
    if method == "platt":
        truth = np.where(truth == 1, (mutants + 1) / (mutants + 2), 1 / (wild_types + 2))
        columns = np.column_stack([logits, np.ones_like(logits)])
    slope, intercept = [*sm.GLM(truth, columns, family=sm.families.Binomial()).fit().params, 0.0][:2]
    if slope <= 0:
        raise ValueError("the scores of mutants are on the whole below those of wild-types")
    return float(slope), float(intercept)


def crossfitted_scaling(predictions: pd.DataFrame, method: str) -> pd.DataFrame:
    """Of each split the scaling learnt on `other_patients`: `repeat, split, slope, intercept, num_patients, reason`."""
    check_predictions(predictions)
    rows = []
    for repeat, split, others, reason in other_patients(predictions):
        slope, intercept = np.nan, np.nan
        if not reason:
            try:
                slope, intercept = fit_scaling(others["truth"], others["score"], method)
            except ValueError as error:
                reason = f"outside the test set of repeat {repeat}, split {split}, {error}"
        rows.append((repeat, split, slope, intercept, len(others), because(reason) if reason else ""))
    return pd.DataFrame(rows, columns=["repeat", "split", "slope", "intercept", "num_patients", "reason"])


def recalibrate(predictions: pd.DataFrame, scaling: pd.DataFrame) -> pd.DataFrame:
    """The predictions with scores recalibrated by a `crossfitted_scaling` without a reason in it."""
    by_row = add_by_split(predictions, scaling[["repeat", "split", "slope", "intercept"]])
    score = expit(by_row["slope"] * logits_of(by_row["score"]) + by_row["intercept"])
    return predictions.assign(score=score.to_numpy())


def before_and_after(predictions: pd.DataFrame, measure: Callable) -> dict:
    """A measure of truths and scores, of all tested patients, by `before` and each of METHODS, or the `reason`."""
    check_predictions(predictions)

    def of_patients(table):
        pooled = pool_patients(table)
        return measure(pooled["truth"], pooled["score"])

    answers = {"before": of_patients(predictions)}
    for method in METHODS:
        scaling = crossfitted_scaling(predictions, method)
        reason = first_reason(scaling)
        answers[method] = {"reason": reason} if reason else of_patients(recalibrate(predictions, scaling))
    return answers
