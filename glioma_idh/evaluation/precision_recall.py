"""How many of those called mutant are, by how many of the mutants are found, and how far that is luck."""

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.metrics import average_precision_score

from glioma_idh.evaluation.checks import check_scores
from glioma_idh.evaluation.intervals import DRAWS, Estimate, drawn_curves, no_estimate


def bootstrap_average_precision(
    truth: np.ndarray, score: np.ndarray, *, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> Estimate:
    """Average precision with the interval of a bootstrap over the patients of each class, as `bootstrap_auc` draws.

    It is scikit-learn's, steps and no lines between them. Whose scores know nothing has the share of mutants; every
    draw has as many of them. The interval is the normal one on the logit, by the standard deviation of the draws: those
    lie too high, as patients drawn twice share a step, so that their percentiles hold the truth too seldom.

    Args:
        truth: 1 mutant, 0 wild-type, one a patient, shape (n,).
        score: probability of mutation, shape (n,).
        level: how often such an interval holds the average precision of all patients there could be.
        draws: how many.
        seed: of the draws.

    Returns:
        The estimate; without interval where a class has fewer than two patients or the draws are all alike, without
        number where a class has nobody.

    Raises:
        ValueError: bad scores or truths (`checks.check_scores`).
    """
    check_scores(truth, score)
    mutants = int(np.sum(truth))
    fewest = min(mutants, len(truth) - mutants)
    if fewest == 0:
        return no_estimate("there is but one class")
    value = float(average_precision_score(truth, score))
    if fewest == 1:
        return no_estimate("a class has but one patient", value)
    drawn = []
    for true_positives, false_positives in drawn_curves(truth, score, draws, seed):
        precision = _precision(true_positives, false_positives)
        drawn.append((np.diff(true_positives) * precision[:, 1:]).sum(axis=1) / mutants)
    error = np.concatenate(drawn).std()
    if error < 1e-9:
        return no_estimate("every draw has the same, as those of classes that do not overlap", value)
    half = norm.ppf((1 + level) / 2) * error / (value * (1 - value))
    low, high = expit([logit(value) - half, logit(value) + half])
    return Estimate(value, float(low), float(high))


def precision_recall_band(
    truth: np.ndarray,
    score: np.ndarray,
    recalls: np.ndarray,
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Pointwise band of a precision-recall curve, the percentiles of a bootstrap over the patients of each class.

    The precision at a recall is that of the highest threshold that reaches it, so that its mean over all recalls is
    the average precision. As `intervals.roc_band`, the band is of one point at a time.

    Args:
        truth: 1 mutant, 0 wild-type, one a patient, shape (n,).
        score: probability of mutation, shape (n,).
        recalls: sensitivities where the band is wanted, shape (k,), from 0 to 1; 0 is that of the first mutant.
        level: share of the draws inside.
        draws: how many.
        seed: of the draws.

    Returns:
        Lowest and highest precision, shape (k,) each; NaN with fewer than two patients of a class.
    """
    mutants, wild_types = np.sum(np.asarray(truth) == 1), np.sum(np.asarray(truth) == 0)
    recalls, curves = np.asarray(recalls, dtype=np.float64), []
    if min(mutants, wild_types) < 2:
        return np.full(recalls.shape, np.nan), np.full(recalls.shape, np.nan)
    wanted = np.maximum(1, np.ceil(np.round(recalls * mutants, 9))).astype(int)
    for true_positives, false_positives in drawn_curves(truth, score, draws, seed):
        # One draw after the other on one axis of mutants, so that a single search reads all curves.
        start = (mutants + 1) * np.arange(len(true_positives))[:, None]
        reached = np.searchsorted((start + true_positives).ravel(), start + wanted)
        curves.append(_precision(true_positives, false_positives).ravel()[reached])
    low, high = np.quantile(np.concatenate(curves), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def _precision(true_positives: np.ndarray, false_positives: np.ndarray) -> np.ndarray:
    """Share of those called mutant who are; of nobody 1, which weighs nothing."""
    called = true_positives + false_positives
    return np.where(called > 0, true_positives, 1) / np.maximum(called, 1)
