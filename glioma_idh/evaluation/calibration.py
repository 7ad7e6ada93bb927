"""Whether a score of 0.7 means 7 of 10 mutant."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import norm

from glioma_idh.evaluation.checks import check_scores
from glioma_idh.evaluation.intervals import Estimate, no_estimate
from glioma_idh.evaluation.thresholds import proportion

NUM_BINS = 10
HARD = "all scores are 0 or 1, decisions and not probabilities"
CLIP = 1e-7  # scores nearer to 0 or 1 count as this far, as in the loss of `metrics`


class Line(NamedTuple):
    """Logistic regression of the truth on the scores' logits.

    Attributes:
        slope: 1 where scores spread as they should, below 1 where they are too sure.
        intercept: of the same line; 0 where calibrated.
        in_the_large: intercept of the line whose slope is 1: 0 where as many are mutant as the scores say, above 0
            where there are more.
    """

    slope: Estimate
    intercept: Estimate
    in_the_large: Estimate


def calibration_line(truth: np.ndarray, score: np.ndarray, level: float = 0.95) -> Line:
    """Slope and intercept of calibration (Cox, Biometrika 1958; Van Calster et al., BMC Medicine 2019), Wald intervals.

    Args:
        truth: 1 mutant, 0 wild-type, one a patient, shape (n,).
        score: probability of mutation, shape (n,); clipped at 1e-7, so that 0 and 1 have a logit.
        level: how often such an interval holds the number of all patients there could be.

    Returns:
        The line; an estimate says why it is not to be had: one class, scores all alike, classes that do not overlap.

    Raises:
        ValueError: bad scores or truths (`checks.check_scores`).
    """
    check_scores(truth, score)
    truth, logits = np.asarray(truth, dtype=np.float64), logits_of(score)
    if truth.min() == truth.max():
        return Line(*[no_estimate("there is but one class")] * 3)
    if no_probabilities(score):
        return Line(*[no_estimate(HARD)] * 3)
    in_the_large = _in_the_large(truth, logits, level)
    reason = why_no_slope(truth, logits)
    if reason:
        return Line(no_estimate(reason), no_estimate(reason), in_the_large)
    intercept, slope = _coefficients(truth, np.column_stack([np.ones_like(logits), logits]), level)
    return Line(slope, intercept, in_the_large)


def no_probabilities(score: np.ndarray) -> bool:
    """Whether all scores are 0 or 1, decisions and not probabilities."""
    return bool(np.isin(score, (0, 1)).all())


def num_clipped(score: np.ndarray) -> int:
    """How many scores lie nearer to 0 or 1 than 1e-7. Their logits, and so the slope, depend on that clip."""
    score = np.asarray(score, dtype=np.float64)
    return int(((score < CLIP) | (score > 1 - CLIP)).sum())


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


def _coefficients(truth: np.ndarray, columns: np.ndarray, level: float) -> list[Estimate]:
    """Logistic regression: a coefficient a column, shape (n, columns), with Wald's intervals."""
    fit = sm.GLM(truth, columns, family=sm.families.Binomial()).fit()
    ends = fit.conf_int(alpha=1 - level)
    return [
        Estimate(float(value), float(low), float(high)) for value, (low, high) in zip(fit.params, ends, strict=True)
    ]


def _in_the_large(truth: np.ndarray, logits: np.ndarray, level: float) -> Estimate:
    """The shift of the logits with which the scores add up to the mutants there are.

    By bisection: with scores near 0 or 1, statsmodels' iteration for a line with an offset runs away.
    """
    farthest = np.abs(logits).max() + np.log(len(logits)) + 1
    shift = brentq(lambda shift: expit(logits + shift).sum() - truth.sum(), -farthest, farthest)
    scores = expit(logits + shift)
    half = norm.ppf((1 + level) / 2) / np.sqrt((scores * (1 - scores)).sum())
    return Estimate(float(shift), float(shift - half), float(shift + half))


def reliability_curve(
    truth: np.ndarray, score: np.ndarray, num_bins: int = NUM_BINS, level: float = 0.95
) -> pd.DataFrame:
    """How many are mutant among those with about the same score.

    Args:
        truth: 1 mutant, 0 wild-type, one a patient, shape (n,).
        score: probability of mutation, shape (n,).
        num_bins: of equal width from 0 to 1; a bin holds its lower end, the last one both.
        level: of Wilson's intervals.

    Returns:
        One row a bin that holds anybody: `from_score, to_score, n, events` (mutants), `mean_score, observed` (share
        of mutants), `low, high`.

    Raises:
        ValueError: bad scores or truths (`checks.check_scores`).
    """
    check_scores(truth, score)
    truth, score = np.asarray(truth, dtype=np.float64), np.asarray(score, dtype=np.float64)
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
    """Every number about calibration.

    Args:
        truth: 1 mutant, 0 wild-type, one a patient, shape (n,).
        score: probability of mutation, shape (n,).
        num_bins: of equal width, of the calibration error.

    Returns:
        `num_clipped`, how many scores lie nearer to 0 or 1 than 1e-7, so that the slope depends on the clip; `brier`,
        the mean squared error; `log_loss`, scores clipped at 1e-7; `ece`, the expected calibration error: |share of
        mutants - mean score| in each bin of `reliability_curve`, weighted by its patients (Guo et al., ICML 2017; with
        few patients it is above 0 however good the scores); and the estimates of `calibration_line`.

    Raises:
        ValueError: bad scores or truths (`checks.check_scores`).
    """
    curve = reliability_curve(truth, score, num_bins)
    error = np.average((curve["observed"] - curve["mean_score"]).abs(), weights=curve["n"])
    return {
        "num_clipped": num_clipped(score),
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
