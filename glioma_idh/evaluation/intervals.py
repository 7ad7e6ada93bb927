"""How far a score may lie off by the luck of who the patients were."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

from glioma_idh.evaluation.auc import SPLIT, auc_within_splits, logit_interval
from glioma_idh.evaluation.checks import because, check_scores

DRAWS = 2000
DRAWS_AT_ONCE = 100  # of a bootstrap: with 10,000 patients, 8 MB a class


class Estimate(NamedTuple):
    """A number with its confidence interval.

    Attributes:
        value: the number; NaN where it has no answer.
        low: lower end of the interval.
        high: upper end.
        reason: why there is no interval, in words; "" where there is. `low` and `high` are NaN then.
    """

    value: float
    low: float
    high: float
    reason: str = ""


def no_estimate(reason: str, value: float = float("nan")) -> Estimate:
    """An estimate that says why it has no interval."""
    return Estimate(value, float("nan"), float("nan"), because(reason))


def auc_interval(truth: np.ndarray, score: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Confidence interval of the AUC of one test set: DeLong's variance, symmetric on the logit scale.

    It describes the sampling of patients, not the training: another seed may move the AUC further.

    Args:
        truth: 1 mutant, 0 wild-type, one a patient, shape (n,).
        score: probability of mutation, shape (n,).
        level: how often such an interval holds the AUC of the population.

    Returns:
        Its ends. NaN where the method has no answer: fewer than two patients of a class, or classes that do not
        overlap at all, whose variance is 0.
    """
    return split_auc_estimate(_one_split(truth, score), level)[1:3]


def auc_estimate(truth: np.ndarray, score: np.ndarray, level: float = 0.95) -> Estimate:
    """AUC of one test set with the interval of `auc_interval`, or the reason why one of them is not available.

    Args:
        truth: 1 mutant, 0 wild-type, one a patient, shape (n,).
        score: probability of mutation, shape (n,).
        level: of the interval.

    Raises:
        ValueError: bad scores or truths (`checks.check_scores`).
    """
    check_scores(truth, score)
    return split_auc_estimate(_one_split(truth, score), level)


def _one_split(truth: np.ndarray, score: np.ndarray) -> pd.DataFrame:
    """A predictions table of one test set."""
    columns = {"truth": np.asarray(truth), "score": np.asarray(score, dtype=np.float64)}
    return pd.DataFrame({"patient": range(len(truth)), "repeat": 0, "split": 0} | columns)


def split_auc_estimate(predictions: pd.DataFrame, level: float = 0.95) -> Estimate:
    """AUC within splits (`auc.auc_within_splits`) with its confidence interval, or the reason why there is none.

    Args:
        predictions: columns `patient, repeat, split, truth, score`.
        level: how often such an interval holds the AUC of the population.
    """
    auc = auc_within_splits(predictions)
    if np.isnan(auc.value):
        one_class = predictions.dropna(subset=["truth", "score"])["truth"].nunique() < 2
        return no_estimate("there is but one class" if one_class else "no split tests both classes")
    if np.isnan(auc.standard_error):
        return no_estimate("a class has but one patient", auc.value)
    low, high = logit_interval(auc.value, auc.standard_error, level)
    if np.isnan(low):
        alike = predictions.groupby(SPLIT)["score"].nunique().max() == 1
        cause = "all scores of a split are alike" if alike else "its variance is 0: the classes do not overlap"
        return no_estimate(cause, auc.value)
    return Estimate(auc.value, low, high)


def bootstrap_auc(
    truth: np.ndarray, score: np.ndarray, *, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> Estimate:
    """AUC with the percentiles of a bootstrap over the patients of each class, as `roc_band` draws them.

    Args:
        truth: 1 mutant, 0 wild-type, one a patient, shape (n,).
        score: probability of mutation, shape (n,).
        level: share of the draws inside.
        draws: how many.
        seed: of the draws.

    Returns:
        The estimate; without interval where a class has fewer than two patients or the classes do not overlap, so
        that every draw has the same AUC.

    Raises:
        ValueError: bad scores or truths (`checks.check_scores`).
    """
    without_interval = auc_estimate(truth, score, level)
    if without_interval.reason:
        return without_interval
    aucs = [
        (np.diff(false_positives) * (true_positives[:, 1:] + true_positives[:, :-1])).sum(axis=1)
        / (2 * true_positives[:, -1] * false_positives[:, -1])  # the area of trapezoids, so that a tie counts half
        for true_positives, false_positives in drawn_curves(truth, score, draws, seed)
    ]
    low, high = np.quantile(np.concatenate(aucs), [(1 - level) / 2, (1 + level) / 2])
    return Estimate(without_interval.value, float(low), float(high))


def drawn_curves(
    truth: np.ndarray, score: np.ndarray, draws: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """How many patients of a bootstrap are called mutant from each falling score on; the classes are drawn apart.

    Args:
        truth: 1 mutant, 0 wild-type, one a patient, shape (n,).
        score: probability of mutation, shape (n,).
        draws: of all patients, with replacement.
        seed: of the draws.

    Yields:
        True and false positives, shape (draws at once, different scores + 1) each; the first column is 0, nobody.
    """
    truth, score, random = np.asarray(truth), np.asarray(score, dtype=np.float64), np.random.default_rng(seed)
    mutant, wild_type = np.sort(score[truth == 1]), np.sort(score[truth == 0])  # the same draws in any order
    thresholds = np.unique(score)[::-1]
    for at_once in batches(draws):
        positives = (_drawn_positives(of_class, thresholds, at_once, random) for of_class in (mutant, wild_type))
        yield tuple(positives)


def batches(draws: int) -> list[int]:
    """How many of the draws to make at once."""
    return [min(DRAWS_AT_ONCE, draws - done) for done in range(0, draws, DRAWS_AT_ONCE)]


def expected_auc_half_width(num_patients, prevalence, auc=0.8, level: float = 0.95) -> np.ndarray:
    """How far the interval of an AUC will reach to each side, before anything is trained ("expect ± 0.13").

    By the standard error of Hanley and McNeil (Radiology 1982), which takes exponential curves of scores; the arguments
    broadcast.

    Args:
        num_patients: who will be tested.
        prevalence: share of mutants among them, above 0 and below 1.
        auc: that is hoped for, above 0 and below 1.
        level: how often such an interval holds the AUC.

    Raises:
        ValueError: a share or an AUC that is not between, or less than one patient of a class.
    """
    num_patients, prevalence, auc = (np.asarray(value, dtype=np.float64) for value in (num_patients, prevalence, auc))
    for value, noun in ((prevalence, "prevalence"), (auc, "AUC")):
        if not ((value > 0) & (value < 1)).all():
            raise ValueError(f"expected a {noun} above 0 and below 1; found {value}")
    mutants, wild_types = num_patients * prevalence, num_patients * (1 - prevalence)
    if not (np.minimum(mutants, wild_types) >= 1).all():
        raise ValueError(f"expected a patient of each class; found {num_patients} patients, prevalence {prevalence}")
    two_mutants, two_wild_types = auc / (2 - auc), 2 * auc**2 / (1 + auc)  # the chances that both pairs are won
    pairs = (mutants - 1) * (two_mutants - auc**2) + (wild_types - 1) * (two_wild_types - auc**2)
    return norm.ppf((1 + level) / 2) * np.sqrt((auc * (1 - auc) + pairs) / (mutants * wild_types))


def roc_band(
    truth: np.ndarray,
    score: np.ndarray,
    false_positive_rates: np.ndarray,
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Pointwise band of a ROC curve, the percentiles of a bootstrap over the patients of each class.

    Mutants and wild-types are drawn apart, each as many as there are, so that every draw has a curve. The band is of
    one point at a time: more often than 1 - level does a whole curve leave it somewhere.

    Args:
        truth: 1 mutant, 0 wild-type, one a patient, shape (n,).
        score: probability of mutation, shape (n,).
        false_positive_rates: 1 - specificity, where the band is wanted, shape (k,), from 0 to 1.
        level: share of the draws inside.
        draws: how many.
        seed: of the draws.

    Returns:
        Lowest and highest sensitivity, shape (k,) each; NaN with fewer than two patients of a class.
    """
    mutants, wild_types = np.sum(np.asarray(truth) == 1), np.sum(np.asarray(truth) == 0)
    rates, curves = np.asarray(false_positive_rates, dtype=np.float64), []
    if min(mutants, wild_types) < 2:
        return np.full(rates.shape, np.nan), np.full(rates.shape, np.nan)
    for true_positives, false_positives in drawn_curves(truth, score, draws, seed):
        # One draw after the other on one axis of patients, so that a single interpolation reads all curves.
        start = (wild_types + 1.0) * np.arange(len(false_positives))[:, None]
        at_rates = np.interp(start + rates * wild_types, (start + false_positives).ravel(), true_positives.ravel())
        curves.append(at_rates / mutants)
    low, high = np.quantile(np.concatenate(curves), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def _drawn_positives(scores: np.ndarray, thresholds: np.ndarray, draws: int, random) -> np.ndarray:
    """How many of the patients drawn, with replacement, are called mutant from each falling threshold on.

    Shape (draws, thresholds + 1); the first column is 0, nobody.
    """
    columns = 1 + np.searchsorted(-thresholds, -scores)
    cells = columns[random.integers(len(scores), size=(draws, len(scores)))]
    cells += (len(thresholds) + 1) * np.arange(draws)[:, None]
    counts = np.bincount(cells.ravel(), minlength=draws * (len(thresholds) + 1))
    return counts.reshape(draws, -1).cumsum(axis=1)
