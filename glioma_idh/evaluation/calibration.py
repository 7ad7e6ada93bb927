"""Measure calibration (are 7 of 10 patients with a score of 0.7 mutant?), and recalibrate scores."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import ArrayLike
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
HARD = "all scores are 0 or 1, so they are decisions, not probabilities"
CLIP = 1e-7  # scores are clipped at this distance from 0 and 1, as in the loss of `metrics`


class Line(NamedTuple):
    """Logistic regression of the label on the logit of the score."""

    slope: Estimate  # 1 if calibrated, below 1 if the scores are too extreme
    intercept: Estimate  # intercept of the same regression; 0 if calibrated
    in_the_large: Estimate  # intercept with slope 1: above 0 if mutations are more frequent than predicted


def calibration_line(truth: ArrayLike, score: ArrayLike, level: float = 0.95) -> Line:
    """Compute calibration slope and intercept with Wald intervals.

    Sources: Cox, Biometrika 1958; Van Calster et al., BMC Medicine 2019. Estimates are not available for one class,
    equal scores, or classes that do not overlap.
    """
    truth, score = check_scores(truth, score)
    logits = logits_of(score)
    if truth.min() == truth.max():
        return Line(*[no_estimate("there is only one class")] * 3)
    if no_probabilities(score):
        return Line(*[no_estimate(HARD)] * 3)
    # Solved by root finding, because statsmodels' regression with an offset diverges for scores near 0 or 1.
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


def no_probabilities(score: ArrayLike) -> bool:
    """Return whether all scores are 0 or 1, so that they are decisions, not probabilities."""
    return bool(np.isin(score, (0, 1)).all())


def logits_of(score: ArrayLike) -> np.ndarray:
    """Return the logits of scores clipped at 1e-7, shape (n,)."""
    return logit(np.clip(np.asarray(score, dtype=np.float64), CLIP, 1 - CLIP))


def why_no_slope(truth: np.ndarray, logits: np.ndarray) -> str:
    """Return why a logistic regression has no finite slope; "" if it has one."""
    mutant, wild_type = logits[truth == 1], logits[truth == 0]
    if logits.min() == logits.max():
        return "all scores are equal"
    if mutant.min() >= wild_type.max() or wild_type.min() >= mutant.max():
        return "the scores of the classes do not overlap"
    return ""


def reliability_curve(
    truth: ArrayLike, score: ArrayLike, num_bins: int = NUM_BINS, level: float = 0.95
) -> pd.DataFrame:
    """Compute the share of mutants among patients with similar scores, in score bins of equal width.

    A bin includes its lower limit, the last bin also its upper limit.

    Returns:
        One row per bin with patients: `from_score, to_score, n, events` (mutants), `mean_score, observed` (share of
        mutants), `low, high` (Wilson interval).
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


def calibration_scores(truth: ArrayLike, score: ArrayLike, num_bins: int = NUM_BINS) -> dict:
    """Compute all measures of calibration.

    Returns:
        num_clipped: number of scores within 1e-7 of 0 or 1; if there are any, the slope depends on the clipping.
        brier, log_loss: means over the patients.
        ece: expected calibration error, the mean of |share of mutants - mean score| over the bins of
            `reliability_curve`, weighted by patients (Guo et al., ICML 2017). With few patients it is above 0 even for
            calibrated scores.
        slope, intercept, in_the_large: estimates of `calibration_line`.
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


def squared_errors(truth: ArrayLike, score: ArrayLike) -> np.ndarray:
    """Return the squared error per patient, shape (n,); its mean is the Brier score (Monthly Weather Review 1950)."""
    return (np.asarray(score, dtype=np.float64) - np.asarray(truth, dtype=np.float64)) ** 2


def log_losses(truth: ArrayLike, score: ArrayLike) -> np.ndarray:
    """Return the log loss per patient, shape (n,), with scores clipped at 1e-7."""
    score = np.clip(np.asarray(score, dtype=np.float64), CLIP, 1 - CLIP)
    return -np.log(np.where(np.asarray(truth) == 1, score, 1 - score))


def fit_scaling(truth: ArrayLike, score: ArrayLike, method: str) -> tuple[float, float]:
    """Fit the slope and intercept that recalibrate the logits of scores.

    Args:
        truth: labels.
        score: scores.
        method: `temperature`: the logits are divided by a temperature (1 / slope), the intercept is 0 (Guo et al., ICML
            2017). `platt`: a linear function of the logits, fitted to labels slightly inside 0 and 1, so that the slope
            is finite (Platt, Advances in Large Margin Classifiers 1999).

    Raises:
        ValueError: the scores cannot be recalibrated; the message is the reason.
    """
    truth, score = check_scores(truth, score)
    if method not in METHODS:
        raise ValueError(f"expected a method of {', '.join(METHODS)}; found {method}")
    logits, mutants, wild_types = logits_of(score), truth.sum(), (1 - truth).sum()
    if min(mutants, wild_types) == 0:
        raise ValueError("there is only one class")
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
        raise ValueError("the scores of mutants are lower on the whole than those of wild-types")
    return float(slope), float(intercept)


def crossfitted_scaling(predictions: pd.DataFrame, method: str) -> pd.DataFrame:
    """Fit the recalibration of each split on its `other_patients`.

    Returns:
        One row per split: `repeat, split, slope, intercept, num_patients, reason`.
    """
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
    """Return the predictions with recalibrated scores.

    `scaling` is the result of `crossfitted_scaling`; every `reason` in it must be "".
    """
    by_row = add_by_split(predictions, scaling[["repeat", "split", "slope", "intercept"]])
    score = expit(by_row["slope"] * logits_of(by_row["score"]) + by_row["intercept"])
    return predictions.assign(score=score.to_numpy())


def before_and_after(predictions: pd.DataFrame, measure: Callable[[pd.Series, pd.Series], Any]) -> dict[str, Any]:
    """Apply a measure of labels and scores to all tested patients before and after recalibration.

    Returns:
        Results by `before` and each of METHODS; `{"reason": ...}` if a recalibration is not available.
    """
    check_predictions(predictions)

    def of_patients(table: pd.DataFrame) -> Any:
        pooled = pool_patients(table)
        return measure(pooled["truth"], pooled["score"])

    answers = {"before": of_patients(predictions)}
    for method in METHODS:
        scaling = crossfitted_scaling(predictions, method)
        reason = first_reason(scaling)
        answers[method] = {"reason": reason} if reason else of_patients(recalibrate(predictions, scaling))
    return answers
