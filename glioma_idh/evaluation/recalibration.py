"""What other patients' scores can mend of a network's: a temperature, or Platt's line, learnt on the other splits."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.special import expit

from glioma_idh.evaluation.calibration import (
    HARD,
    NUM_BINS,
    calibration_scores,
    logits_of,
    no_probabilities,
    reliability_curve,
    why_no_slope,
)
from glioma_idh.evaluation.checks import because, check_predictions, check_scores
from glioma_idh.evaluation.crossfitting import add_by_split, other_patients
from glioma_idh.evaluation.metrics import pool_patients

METHODS = ("temperature", "platt")


def fit_scaling(truth: np.ndarray, score: np.ndarray, method: str) -> tuple[float, float]:
    """Slope and intercept that mend the scores' logits.

    `temperature` divides logits by a temperature, 1 / slope, the intercept being 0 (Guo et al., ICML 2017). `platt` is
    a line through logits, fitted to truths a little inside 0 and 1, as Platt (Advances in Large Margin Classifiers
    1999) makes them, which keeps the slope finite.

    Args:
        truth: 1 mutant, 0 wild-type, one a patient, shape (n,).
        score: probability of mutation, shape (n,).
        method: one of METHODS.

    Raises:
        ValueError: bad scores or truths, another method, or scores from which there is nothing to learn: one class,
            all alike, mutants on the whole below wild-types, or, for a temperature, classes that do not overlap.
    """
    check_scores(truth, score)
    if method not in METHODS:
        raise ValueError(f"expected a method of {', '.join(METHODS)}; found {method}")
    truth, logits = np.asarray(truth, dtype=np.float64), logits_of(score)
    mutants, wild_types = truth.sum(), (1 - truth).sum()
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
    """Of each split, the scaling learnt on patients whom it does not test (`crossfitting.other_patients`).

    Args:
        predictions: predictions table.
        method: one of METHODS.

    Returns:
        `repeat, split, slope, intercept, num_patients` (of whom it is learnt), `reason`: why there is none; slope and
        intercept are NaN then.

    Raises:
        ValueError: the table cannot be used (`checks.check_predictions`), or another method.
    """
    check_predictions(predictions)
    rows = []
    for repeat, split, others, reason in other_patients(predictions):
        slope, intercept = float("nan"), float("nan")
        if not reason:
            try:
                slope, intercept = fit_scaling(others["truth"], others["score"], method)
            except ValueError as error:
                reason = f"outside the test set of repeat {repeat}, split {split}, {error}"
        rows.append((repeat, split, slope, intercept, len(others), because(reason) if reason else ""))
    return pd.DataFrame(rows, columns=["repeat", "split", "slope", "intercept", "num_patients", "reason"])


def recalibrate(predictions: pd.DataFrame, scaling: pd.DataFrame) -> pd.DataFrame:
    """The predictions with their scores mended.

    Args:
        predictions: predictions table.
        scaling: as `crossfitted_scaling` gives it, without a reason in it.
    """
    by_row = add_by_split(predictions, scaling[["repeat", "split", "slope", "intercept"]])
    score = expit(by_row["slope"] * logits_of(by_row["score"]) + by_row["intercept"])
    return predictions.assign(score=score.to_numpy())


def calibration_before_and_after(predictions: pd.DataFrame, num_bins: int = NUM_BINS) -> dict[str, dict]:
    """The numbers of calibration of all tested patients together, as the network gives its scores and mended.

    Args:
        predictions: predictions table; a patient's score is the mean over the rows.
        num_bins: of equal width, of the calibration error.

    Returns:
        By `before` and each of METHODS, what `calibration_scores` gives; `reason` alone where a split has no scaling.

    Raises:
        ValueError: the table cannot be used (`checks.check_predictions`).
    """
    return _before_and_after(predictions, calibration_scores, num_bins)


def reliability_before_and_after(predictions: pd.DataFrame, num_bins: int = NUM_BINS) -> dict[str, pd.DataFrame | dict]:
    """The reliability curves of all tested patients together, as the network gives its scores and mended.

    Args:
        predictions: predictions table; a patient's score is the mean over the rows.
        num_bins: of equal width.

    Returns:
        By `before` and each of METHODS, what `reliability_curve` gives; `reason` alone where a split has no scaling.

    Raises:
        ValueError: the table cannot be used (`checks.check_predictions`).
    """
    return _before_and_after(predictions, reliability_curve, num_bins)


def _before_and_after(predictions: pd.DataFrame, measure: Callable, num_bins: int) -> dict:
    """What a function of truths, scores and bins gives of the scores as they are, and mended; or the reason."""
    check_predictions(predictions)
    tables, answers = {"before": predictions}, {}
    for method in METHODS:
        scaling = crossfitted_scaling(predictions, method)
        reasons = scaling.loc[scaling["reason"] != "", "reason"]
        if len(reasons):
            answers[method] = {"reason": reasons.iloc[0]}
        else:
            tables[method] = recalibrate(predictions, scaling)
    for name, table in tables.items():
        pooled = pool_patients(table)
        answers[name] = measure(pooled["truth"], pooled["score"], num_bins)
    return {name: answers[name] for name in ("before", *METHODS)}
