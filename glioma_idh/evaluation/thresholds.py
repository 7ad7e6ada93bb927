"""Predicted classes, at one half and at a threshold chosen on other patients: rates, predictive values, net benefit."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import roc_curve
from statsmodels.stats.proportion import proportion_confint

from glioma_idh.evaluation.checks import because, check_predictions, check_scores
from glioma_idh.evaluation.crossfitting import add_by_split, first_reason, other_patients
from glioma_idh.evaluation.metrics import pool_patients

RATES = {  # of whom the share is taken, and why there may be nobody
    "sensitivity": "nobody is mutant",
    "specificity": "nobody is wild-type",
    "accuracy": "there is nobody",
    "ppv": "nobody is called mutant",
    "npv": "nobody is called wild-type",
}
THRESHOLDS = np.arange(1, 100) / 100


class Proportion(NamedTuple):
    """A share of patients with Wilson's interval (JASA 1927), which fits small numbers."""

    value: float
    low: float
    high: float
    count: int  # type: ignore[assignment]  # patients of whom it is so; hides tuple.count
    total: int  # patients of whom it could be
    reason: str = ""  # why value and interval are NaN


def proportion(count: int, total: int, nobody: str, level: float = 0.95) -> Proportion:
    """`count` of `total` patients with Wilson's interval; `nobody` is what it means that the total is 0."""
    if total == 0:
        return Proportion(np.nan, np.nan, np.nan, 0, 0, because(nobody))
    low, high = proportion_confint(count, total, alpha=1 - level, method="wilson")
    low, high = low if count else 0.0, high if count < total else 1.0  # not 5e-17
    return Proportion(count / total, float(low), float(high), int(count), int(total))


def rates(truth: np.ndarray, called: np.ndarray, level: float = 0.95) -> dict[str, Proportion]:
    """RATES, with Wilson's intervals, where `called` says whether each patient is predicted mutant, shape (n,)."""
    mutant, called = np.asarray(truth) == 1, np.asarray(called, dtype=bool)
    right = mutant == called
    of_whom = (mutant, ~mutant, np.ones_like(mutant), called, ~called)
    return {
        name: proportion(int(right[group].sum()), int(group.sum()), nobody, level)
        for (name, nobody), group in zip(RATES.items(), of_whom, strict=True)
    }


def predictive_values(sensitivity: Proportion, specificity: Proportion, prevalence: float) -> dict:
    """`ppv` and `npv` at another prevalence (share of IDH-mutant patients) than in the test set, and the `reason`."""
    hits, misses = sensitivity.value * prevalence, (1 - sensitivity.value) * prevalence
    alarms, rests = (1 - specificity.value) * (1 - prevalence), specificity.value * (1 - prevalence)
    one_class = "" if hits + alarms and rests + misses else because("all patients are predicted to be of one class")
    ppv = hits / (hits + alarms) if hits + alarms else np.nan
    npv = rests / (rests + misses) if rests + misses else np.nan
    return {"ppv": ppv, "npv": npv, "reason": sensitivity.reason or specificity.reason or one_class}


def rates_at(predictions: pd.DataFrame, threshold: float = 0.5, level: float = 0.95) -> dict[str, Proportion]:
    """The rates of all tested patients together, mutant from a threshold on that was not chosen on them."""
    check_predictions(predictions)
    pooled = pool_patients(predictions)
    return rates(pooled["truth"], pooled["score"] >= threshold, level)


def choose_threshold(truth: np.ndarray, score: np.ndarray, sensitivity: float | None = None) -> float:
    """The highest threshold among the scores of the wanted sensitivity, by default that of Youden (Cancer 1950)."""
    truth, score = check_scores(truth, score)
    if not 0 < truth.sum() < len(truth):
        raise ValueError(f"expected mutants and wild-types; found {int(truth.sum())} mutants of {len(truth)} patients")
    if sensitivity is None:
        false_positive_rate, true_positive_rate, thresholds = roc_curve(truth, score, drop_intermediate=False)
        best = np.argmax((true_positive_rate - false_positive_rate)[1:].round(12))  # the first one calls nobody
        return float(thresholds[1:][best])
    if not 0 < sensitivity <= 1:
        raise ValueError(f"expected a sensitivity above 0 and up to 1; found {sensitivity}")
    falling = np.sort(score[truth == 1])[::-1]
    return float(falling[int(np.ceil(np.round(sensitivity * len(falling), 9))) - 1])


def crossfitted_thresholds(predictions: pd.DataFrame, sensitivity: float | None = None) -> pd.DataFrame:
    """Of each split, the threshold chosen on `other_patients`: `repeat, split, threshold, num_patients, reason`."""
    check_predictions(predictions)
    rows = []
    for repeat, split, others, reason in other_patients(predictions):
        threshold = np.nan if reason else choose_threshold(others["truth"], others["score"], sensitivity)
        rows.append((repeat, split, threshold, len(others), because(reason) if reason else ""))
    return pd.DataFrame(rows, columns=["repeat", "split", "threshold", "num_patients", "reason"])


def crossfitted_rates(predictions, sensitivity: float | None = None, level: float = 0.95) -> dict[str, Proportion]:
    """The rates of all tested patients together, each at the threshold of `crossfitted_thresholds`.

    A patient of several tests is predicted mutant where the mean score reaches the mean of their thresholds. Where a
    split has no threshold, its reason stands in each rate.
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
    """Net benefit of treating as mutant from each probability on (Vickers and Elkin, Medical Decision Making 2006).

    The share of true positives among all patients, less that of false positives times the odds of the threshold. The
    prevalence, the share of IDH-mutant patients where the score is to be used, is that of these patients unless it is
    given. One row a threshold, above 0 and below 1: `threshold, network, treat_all, treat_none`, all per patient.
    """
    truth, score = check_scores(truth, score)
    thresholds = np.asarray(thresholds, dtype=np.float64)
    if not ((thresholds > 0) & (thresholds < 1)).all():
        raise ValueError(f"expected thresholds above 0 and below 1; found {thresholds.min()} to {thresholds.max()}")
    odds, prevalence = thresholds / (1 - thresholds), truth.mean() if prevalence is None else prevalence
    groups = (np.sort(score[truth == label]) for label in (1, 0))  # a class without a patient has weight 0
    true_positives, false_positives = (1 - np.searchsorted(group, thresholds) / max(len(group), 1) for group in groups)
    network = prevalence * true_positives - odds * (1 - prevalence) * false_positives
    treat_all = prevalence - odds * (1 - prevalence)
    return pd.DataFrame({"threshold": thresholds, "network": network, "treat_all": treat_all, "treat_none": 0.0})
