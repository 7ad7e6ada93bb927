"""How far a score may lie off by the luck of who the patients were."""

import numpy as np
from scipy.stats import norm, rankdata

DRAWS = 2000


def auc_interval(truth: np.ndarray, score: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Confidence interval of an AUC by DeLong's variance (DeLong, DeLong and Clarke-Pearson, Biometrics 1988).

    It is about the patients drawn, not about the training: another seed may move the AUC further.

    Args:
        truth: 1 mutant, 0 wild-type, one a patient, shape (n,).
        score: probability of mutation, shape (n,).
        level: how often such an interval holds the AUC of all patients there could be.

    Returns:
        Its ends, cut at 0 and 1. NaN where the method has no answer: fewer than two patients of a class, or classes
        that do not overlap at all, whose variance comes out as 0.
    """
    of_mutants, of_wild_types = pairs_won(truth, score)
    if min(len(of_mutants), len(of_wild_types)) < 2:
        return float("nan"), float("nan")
    variance = delong_variance(of_mutants, of_wild_types)
    if variance == 0:
        return float("nan"), float("nan")
    auc, half = of_mutants.mean() / len(of_wild_types), norm.ppf((1 + level) / 2) * np.sqrt(variance)
    low, high = np.clip([auc - half, auc + half], 0, 1)
    return float(low), float(high)


def pairs_won(truth: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many pairs with the other class the score puts in the right order, patient by patient; a tie counts half.

    These are DeLong's structural components, each times the size of the other class: whole or half numbers, so that
    equal ones are equal to the last bit. By mid-ranks, never pair by pair (Sun and Xu, IEEE Signal Processing Letters
    2014).

    Args:
        truth: 1 mutant, 0 wild-type, one a patient, shape (n,).
        score: probability of mutation, shape (n,).

    Returns:
        Of each mutant, the wild-types below, shape (mutants,); of each wild-type, the mutants above,
        shape (wild-types,); both in the order of the patients.
    """
    truth, score = np.asarray(truth), np.asarray(score, dtype=np.float64)
    mutant, wild_type = score[truth == 1], score[truth == 0]
    ranks = rankdata(np.concatenate([mutant, wild_type]))
    below = ranks[: len(mutant)] - rankdata(mutant)
    not_above = ranks[len(mutant) :] - rankdata(wild_type)
    return below, len(mutant) - not_above


def delong_variance(of_mutants: np.ndarray, of_wild_types: np.ndarray) -> float:
    """DeLong's variance of an AUC from its `pairs_won`, or of a difference of AUCs from the differences of theirs.

    Args:
        of_mutants: shape (mutants,), at least two.
        of_wild_types: shape (wild-types,), at least two.
    """
    mutants, wild_types = len(of_mutants), len(of_wild_types)
    by_mutants = of_mutants.var(ddof=1) / (mutants * wild_types**2)
    by_wild_types = of_wild_types.var(ddof=1) / (wild_types * mutants**2)
    return float(by_mutants + by_wild_types)


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
    truth, score = np.asarray(truth), np.asarray(score, dtype=np.float64)
    random, rates = np.random.default_rng(seed), np.asarray(false_positive_rates, dtype=np.float64)
    mutant, wild_type = np.sort(score[truth == 1]), np.sort(score[truth == 0])  # one band in any order
    if min(len(mutant), len(wild_type)) < 2:
        return np.full(rates.shape, np.nan), np.full(rates.shape, np.nan)
    thresholds = np.unique(np.concatenate([mutant, wild_type]))[::-1]
    true_positives = _drawn_positives(mutant, thresholds, draws, random)
    false_positives = _drawn_positives(wild_type, thresholds, draws, random)
    # One draw after the other on one axis of patients, so that a single interpolation reads all curves.
    start = (len(wild_type) + 1.0) * np.arange(draws)[:, None]
    curves = np.interp(start + rates * len(wild_type), (start + false_positives).ravel(), true_positives.ravel())
    low, high = np.quantile(curves / len(mutant), [(1 - level) / 2, (1 + level) / 2], axis=0)
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
