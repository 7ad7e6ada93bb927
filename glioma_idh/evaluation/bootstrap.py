"""Compute confidence intervals and bands of curves by bootstrap over the patients (percentile method by default)."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import average_precision_score

from glioma_idh.evaluation.auc import logit_interval
from glioma_idh.evaluation.checks import check_scores
from glioma_idh.evaluation.intervals import Estimate, auc_estimate, no_estimate

DRAWS = 2000  # bootstrap samples
DRAWS_AT_ONCE = 100  # 8 MB per class with 10,000 patients


def drawn_curves(truth: ArrayLike, score: ArrayLike, draws: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield true and false positives of bootstrap samples at every threshold, from the highest score down.

    The two classes are sampled separately. The arrays have the shape (samples at once, scores + 1).
    """
    truth, score, random = np.asarray(truth), np.asarray(score, dtype=np.float64), np.random.default_rng(seed)
    mutant, wild_type = np.sort(score[truth == 1]), np.sort(score[truth == 0])  # same samples for any order of patients
    thresholds = np.unique(score)[::-1]
    width = len(thresholds) + 1
    for at_once in batches(draws):
        positives = []
        for scores in (mutant, wild_type):
            columns = 1 + np.searchsorted(-thresholds, -scores)  # the first column stays 0: no positives
            cells = columns[random.integers(len(scores), size=(at_once, len(scores)))]
            cells += width * np.arange(at_once)[:, None]
            counts = np.bincount(cells.ravel(), minlength=at_once * width)
            positives.append(counts.reshape(at_once, -1).cumsum(axis=1))
        yield positives[0], positives[1]


def batches(draws: int) -> list[int]:
    """Return the number of bootstrap samples in each batch."""
    return [min(DRAWS_AT_ONCE, draws - done) for done in range(0, draws, DRAWS_AT_ONCE)]


def _percentiles(drawn: Sequence, level: float) -> np.ndarray:
    """Return the lower and upper percentile that enclose the share `level` of the samples."""
    return np.quantile(np.concatenate(drawn), [(1 - level) / 2, (1 + level) / 2], axis=0)


def bootstrap_auc(
    truth: ArrayLike, score: ArrayLike, *, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> Estimate:
    """Compute the AUC with a bootstrap interval; there is none if `intervals.auc_estimate` has none."""
    without_interval = auc_estimate(truth, score, level)
    if without_interval.reason:
        return without_interval
    aucs = [
        (np.diff(false_positives) * (true_positives[:, 1:] + true_positives[:, :-1])).sum(axis=1)
        / (2 * true_positives[:, -1] * false_positives[:, -1])  # area of trapezoids, so that ties count half
        for true_positives, false_positives in drawn_curves(truth, score, draws, seed)
    ]
    low, high = _percentiles(aucs, level)
    return Estimate(without_interval.value, float(low), float(high))


def roc_band(
    truth: ArrayLike,
    score: ArrayLike,
    false_positive_rates: ArrayLike,
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple:
    """Compute a confidence band of a ROC curve, separately at each false positive rate.

    The band is pointwise: the probability that it contains the whole curve is below `level`.

    Returns:
        Lower and upper sensitivity at the false positive rates (1 - specificity), shape (k,); NaN if a class has fewer
        than two patients.
    """
    mutants, wild_types = np.sum(np.asarray(truth) == 1), np.sum(np.asarray(truth) == 0)
    rates, curves = np.asarray(false_positive_rates, dtype=np.float64), []
    if min(mutants, wild_types) < 2:
        return np.full(rates.shape, np.nan), np.full(rates.shape, np.nan)
    for true_positives, false_positives in drawn_curves(truth, score, draws, seed):
        # All samples are placed one after the other on one axis, so that a single interpolation is enough.
        start = (wild_types + 1.0) * np.arange(len(false_positives))[:, None]
        at_rates = np.interp(start + rates * wild_types, (start + false_positives).ravel(), true_positives.ravel())
        curves.append(at_rates / mutants)
    low, high = _percentiles(curves, level)
    return low, high


def bootstrap_average_precision(
    truth: ArrayLike, score: ArrayLike, *, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> Estimate:
    """Compute the average precision of scikit-learn with a normal interval on the logit scale.

    The interval uses the standard deviation of the bootstrap samples. Their percentiles would contain the true value
    too rarely, because patients that are drawn twice increase the average precision. No interval if a class has fewer
    than two patients or all samples are equal; no value if a class has no patients.
    """
    check_scores(truth, score)
    mutants = int(np.sum(truth))
    fewest = min(mutants, np.size(truth) - mutants)
    if fewest == 0:
        return no_estimate("there is only one class")
    value = float(average_precision_score(truth, score))
    if fewest == 1:
        return no_estimate("a class has only one patient", value)
    drawn = []
    for true_positives, false_positives in drawn_curves(truth, score, draws, seed):
        precision = _precision(true_positives, false_positives)
        drawn.append((np.diff(true_positives) * precision[:, 1:]).sum(axis=1) / mutants)
    error = np.concatenate(drawn).std()
    if error < 1e-9:
        return no_estimate("all bootstrap samples are equal, for example because the classes do not overlap", value)
    return Estimate(value, *logit_interval(value, error, level))


def precision_recall_band(
    truth: ArrayLike,
    score: ArrayLike,
    recalls: ArrayLike,
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple:
    """Compute a confidence band of a precision-recall curve, separately at each recall, as `roc_band`.

    The precision at a recall is that of the highest threshold that reaches it (at recall 0, that of the first mutant),
    so that its mean over all recalls is the average precision.

    Returns:
        Lower and upper precision at the recalls, shape (k,).
    """
    mutants, wild_types = np.sum(np.asarray(truth) == 1), np.sum(np.asarray(truth) == 0)
    recalls, curves = np.asarray(recalls, dtype=np.float64), []
    if min(mutants, wild_types) < 2:
        return np.full(recalls.shape, np.nan), np.full(recalls.shape, np.nan)
    wanted = np.maximum(1, np.ceil(np.round(recalls * mutants, 9))).astype(int)
    for true_positives, false_positives in drawn_curves(truth, score, draws, seed):
        # All samples are placed one after the other on one axis, so that a single search is enough.
        start = (mutants + 1) * np.arange(len(true_positives))[:, None]
        reached = np.searchsorted((start + true_positives).ravel(), start + wanted)
        curves.append(_precision(true_positives, false_positives).ravel()[reached])
    low, high = _percentiles(curves, level)
    return low, high


def _precision(true_positives: np.ndarray, false_positives: np.ndarray) -> np.ndarray:
    """Return the share of mutants among patients predicted mutant; 1 if there are none (their weight is 0)."""
    positives = true_positives + false_positives
    return np.where(positives > 0, true_positives, 1) / np.maximum(positives, 1)


def bootstrap_mean(
    truth: ArrayLike, values: ArrayLike, *, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> Estimate:
    """Compute the mean of values such as losses, shape (n,), with a bootstrap interval.

    There is no interval if a class has only one patient.
    """
    truth, values, random = np.asarray(truth), np.asarray(values, dtype=np.float64), np.random.default_rng(seed)
    classes = [np.sort(values[truth == label]) for label in (1, 0) if (truth == label).any()]  # sorted: as above
    value = float(values.mean())
    if min(map(len, classes)) < 2:
        return no_estimate("a class has only one patient", value)
    sums = [sum(_drawn_sums(one, at_once, random) for one in classes) / len(values) for at_once in batches(draws)]
    low, high = _percentiles(sums, level)
    return Estimate(value, float(low), float(high))


def bootstrap_ratio(
    numerators: ArrayLike, denominators: ArrayLike, *, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> Estimate:
    """Compute the ratio of two sums over patients with a bootstrap interval, such as a mean over images.

    There is no interval for a single patient, and no value if the denominators add up to 0.

    Args:
        numerators: one number per patient, shape (n,).
        denominators: one number of at least 0 per patient, such as the number of images.
        level: confidence level.
        draws: number of bootstrap samples.
        seed: random seed.
    """
    pairs = np.column_stack([numerators, denominators]).astype(np.float64)
    random, total = np.random.default_rng(seed), pairs[:, 1].sum()
    if total == 0:
        return no_estimate("the denominator is 0")
    value = float(pairs[:, 0].sum() / total)
    if len(pairs) < 2:
        return no_estimate("there is only one patient", value)
    sums = np.concatenate([_drawn_sums(pairs, at_once, random) for at_once in batches(draws)])
    sums = sums[sums[:, 1] > 0]
    low, high = _percentiles([sums[:, 0] / sums[:, 1]], level)
    return Estimate(value, float(low), float(high))


def _drawn_sums(values: np.ndarray, draws: int, random: np.random.Generator) -> np.ndarray:
    """Return the sums of samples of n values drawn with replacement, shape (draws,) or (draws, columns)."""
    drawn = random.integers(len(values), size=(draws, len(values))) + len(values) * np.arange(draws)[:, None]
    times = np.bincount(drawn.ravel(), minlength=draws * len(values)).reshape(draws, -1)
    return times.astype(np.float64) @ values
