"""Compute sensitivity, specificity, predictive values and net benefit, also at thresholds chosen on other patients."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import roc_curve
from statsmodels.stats.proportion import proportion_confint

from glioma_idh.evaluation.checks import because, check_predictions, check_scores
from glioma_idh.evaluation.crossfitting import add_by_split, first_reason, other_patients
from glioma_idh.evaluation.metrics import pool_patients

RATES = {  # name -> reason if its denominator is 0
    "sensitivity": "no patient is mutant",
    "specificity": "no patient is wild-type",
    "accuracy": "there are no patients",
    "ppv": "no patient is predicted mutant",
    "npv": "no patient is predicted wild-type",
}
THRESHOLDS = np.arange(1, 100) / 100


class Proportion(NamedTuple):
    """A share of patients with the Wilson interval (JASA 1927), which is suitable for small numbers."""

    value: float
    low: float
    high: float
    count: int  # type: ignore[assignment]  # numerator; hides tuple.count
    total: int  # denominator
    reason: str = ""  # why value and interval are NaN


def proportion(count: int, total: int, empty: str, level: float = 0.95) -> Proportion:
    """Return `count` of `total` patients with the Wilson interval; `empty` is the reason if the total is 0."""
    if total == 0:
        return Proportion(np.nan, np.nan, np.nan, 0, 0, because(empty))
    low, high = proportion_confint(count, total, alpha=1 - level, method="wilson")
    low, high = low if count else 0.0, high if count < total else 1.0  # exactly 0 and 1, without rounding error
    return Proportion(count / total, float(low), float(high), int(count), int(total))


def rates(truth: ArrayLike, predicted: ArrayLike, level: float = 0.95) -> dict[str, Proportion]:
    """Compute RATES with Wilson intervals. `predicted` is whether each patient is predicted mutant, shape (n,)."""
    mutant, predicted = np.asarray(truth) == 1, np.asarray(predicted, dtype=bool)
    right = mutant == predicted
    groups = (mutant, ~mutant, np.ones_like(mutant), predicted, ~predicted)
    return {
        name: proportion(int(right[group].sum()), int(group.sum()), empty, level)
        for (name, empty), group in zip(RATES.items(), groups, strict=True)
    }


def predictive_values(sensitivity: Proportion, specificity: Proportion, prevalence: float) -> dict[str, float | str]:
    """Compute `ppv` and `npv` at another prevalence (share of IDH-mutant patients), and the `reason` if one is NaN."""
    hits, misses = sensitivity.value * prevalence, (1 - sensitivity.value) * prevalence
    alarms, rests = (1 - specificity.value) * (1 - prevalence), specificity.value * (1 - prevalence)
    one_class = "" if hits + alarms and rests + misses else because("all patients are predicted to be in one class")
    ppv = hits / (hits + alarms) if hits + alarms else np.nan
    npv = rests / (rests + misses) if rests + misses else np.nan
    return {"ppv": ppv, "npv": npv, "reason": sensitivity.reason or specificity.reason or one_class}


def rates_at(predictions: pd.DataFrame, threshold: float = 0.5, level: float = 0.95) -> dict[str, Proportion]:
    """Compute the rates of all tested patients at a fixed threshold, which must not have been chosen on them."""
    check_predictions(predictions)
    pooled = pool_patients(predictions)
    return rates(pooled["truth"], pooled["score"] >= threshold, level)


def choose_threshold(truth: ArrayLike, score: ArrayLike, sensitivity: float | None = None) -> float:
    """Choose the highest score that reaches the sensitivity as threshold; by default, by Youden's index (Cancer 1950).

    Raises:
        ValueError: a class is missing, or the sensitivity is out of range.
    """
    truth, score = check_scores(truth, score)
    if not 0 < truth.sum() < len(truth):
        raise ValueError(f"expected mutants and wild-types; found {int(truth.sum())} mutants of {len(truth)} patients")
    if sensitivity is None:
        false_positive_rate, true_positive_rate, thresholds = roc_curve(truth, score, drop_intermediate=False)
        best = np.argmax((true_positive_rate - false_positive_rate)[1:].round(12))  # the first predicts no mutants
        return float(thresholds[1:][best])
    if not 0 < sensitivity <= 1:
        raise ValueError(f"expected a sensitivity above 0 and up to 1; found {sensitivity}")
    falling = np.sort(score[truth == 1])[::-1]
    return float(falling[int(np.ceil(np.round(sensitivity * len(falling), 9))) - 1])


def crossfitted_thresholds(predictions: pd.DataFrame, sensitivity: float | None = None) -> pd.DataFrame:
    """Choose the threshold of each split on its `other_patients`.

    Returns:
        One row per split: `repeat, split, threshold, num_patients, reason`.
    """
    check_predictions(predictions)
    rows = []
    for repeat, split, others, reason in other_patients(predictions):
        threshold = np.nan if reason else choose_threshold(others["truth"], others["score"], sensitivity)
        rows.append((repeat, split, threshold, len(others), because(reason) if reason else ""))
    return pd.DataFrame(rows, columns=["repeat", "split", "threshold", "num_patients", "reason"])


def crossfitted_rates(
    predictions: pd.DataFrame, sensitivity: float | None = None, level: float = 0.95
) -> dict[str, Proportion]:
    """Compute the rates of all tested patients, each at the threshold of `crossfitted_thresholds`.

    A patient with several tests is predicted mutant if the mean score reaches the mean of the thresholds. If a split
    has no threshold, the rates are not available.
    """
    thresholds = crossfitted_thresholds(predictions, sensitivity)
    reason = first_reason(thresholds)
    if reason:
        return {name: Proportion(np.nan, np.nan, np.nan, 0, 0, reason) for name in RATES}
    tested = add_by_split(predictions, thresholds)
    margin = (tested["score"] - tested["threshold"]).groupby(tested["patient"]).mean()
    truth = tested.groupby("patient")["truth"].max()
    return rates(truth, margin.round(12) >= 0, level)


def decision_curve(
    truth: ArrayLike, score: ArrayLike, thresholds: ArrayLike = THRESHOLDS, prevalence: float | None = None
) -> pd.DataFrame:
    """Compute the net benefit per patient at each threshold (Vickers and Elkin, Medical Decision Making 2006).

    Net benefit: true positives as a share of all patients, minus the share of false positives multiplied by the odds of
    the threshold.

    Args:
        truth: labels.
        score: scores.
        thresholds: probabilities above 0 and below 1.
        prevalence: share of IDH-mutant patients where the score is to be used; by default that of these patients.

    Returns:
        One row per threshold: `threshold, network, treat_all, treat_none`.
    """
    truth, score = check_scores(truth, score)
    thresholds = np.asarray(thresholds, dtype=np.float64)
    if not ((thresholds > 0) & (thresholds < 1)).all():
        raise ValueError(f"expected thresholds above 0 and below 1; found {thresholds.min()} to {thresholds.max()}")
    odds, prevalence = thresholds / (1 - thresholds), truth.mean() if prevalence is None else prevalence
    groups = (np.sort(score[truth == label]) for label in (1, 0))  # a class without patients has weight 0
    true_positives, false_positives = (1 - np.searchsorted(group, thresholds) / max(len(group), 1) for group in groups)
    network = prevalence * true_positives - odds * (1 - prevalence) * false_positives
    treat_all = prevalence - odds * (1 - prevalence)
    return pd.DataFrame({"threshold": thresholds, "network": network, "treat_all": treat_all, "treat_none": 0.0})
