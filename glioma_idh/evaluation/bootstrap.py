"""Confidence intervals and bands of curves by a bootstrap over the patients: percentiles of the draws, if not said."""

from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.metrics import average_precision_score

from glioma_idh.evaluation.auc import logit_interval
from glioma_idh.evaluation.checks import check_scores
from glioma_idh.evaluation.intervals import Estimate, auc_estimate, no_estimate

DRAWS = 2000
DRAWS_AT_ONCE = 100  # with 10,000 patients, 8 MB a class


def drawn_curves(truth, score, draws: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """True and false positives from each falling score on, (draws at once, scores + 1); classes are drawn apart."""
    truth, score, random = np.asarray(truth), np.asarray(score, dtype=np.float64), np.random.default_rng(seed)
    mutant, wild_type = np.sort(score[truth == 1]), np.sort(score[truth == 0])  # the same draws in any order
    thresholds = np.unique(score)[::-1]
    width = len(thresholds) + 1
    for at_once in batches(draws):
        positives = []
        for scores in (mutant, wild_type):
            columns = 1 + np.searchsorted(-thresholds, -scores)  # the first one stays 0, nobody
            cells = columns[random.integers(len(scores), size=(at_once, len(scores)))]
            cells += width * np.arange(at_once)[:, None]
            counts = np.bincount(cells.ravel(), minlength=at_once * width)
            positives.append(counts.reshape(at_once, -1).cumsum(axis=1))
        yield positives[0], positives[1]


def batches(draws: int) -> list[int]:
    """How many of the draws to make at once."""
    return [min(DRAWS_AT_ONCE, draws - done) for done in range(0, draws, DRAWS_AT_ONCE)]


def _percentiles(drawn: Sequence, level: float) -> np.ndarray:
    """Lower and upper end, the share `level` of the draws inside."""
    return np.quantile(np.concatenate(drawn), [(1 - level) / 2, (1 + level) / 2], axis=0)


def bootstrap_auc(truth, score, *, level: float = 0.95, draws: int = DRAWS, seed: int = 0) -> Estimate:
    """AUC with the percentiles of the draws; without interval where `intervals.auc_estimate` has none."""
    without_interval = auc_estimate(truth, score, level)
    if without_interval.reason:
        return without_interval
    aucs = [
        (np.diff(false_positives) * (true_positives[:, 1:] + true_positives[:, :-1])).sum(axis=1)
        / (2 * true_positives[:, -1] * false_positives[:, -1])  # the area of trapezoids, so that a tie counts half
        for true_positives, false_positives in drawn_curves(truth, score, draws, seed)
    ]
    low, high = _percentiles(aucs, level)
    return Estimate(without_interval.value, float(low), float(high))


def roc_band(truth, score, false_positive_rates, *, level: float = 0.95, draws: int = DRAWS, seed: int = 0) -> tuple:
    """Pointwise band of a ROC curve: lowest and highest sensitivity at these 1 - specificities, shape (k,) all.

    The band is of one point at a time: a whole curve leaves it more often. NaN with fewer than two patients of a class.
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
    return tuple(_percentiles(curves, level))


def bootstrap_average_precision(truth, score, *, level: float = 0.95, draws: int = DRAWS, seed: int = 0) -> Estimate:
    """Average precision, scikit-learn's, in steps and without lines between them, with a normal interval on the logit.

    The interval is by the standard deviation of the draws: they lie too high, as patients drawn twice share a step, so
    that their percentiles hold the true value too seldom. Without interval where a class has fewer than two patients or
    the draws are all alike, without number where a class has nobody.
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
    return Estimate(value, *logit_interval(value, error, level))


def precision_recall_band(truth, score, recalls, *, level: float = 0.95, draws: int = DRAWS, seed: int = 0) -> tuple:
    """Pointwise band of a precision-recall curve, as `roc_band`: lowest and highest precision, shape (k,) both.

    The precision at a recall (0 is that of the first mutant) is that of the highest threshold that reaches it, so that
    its mean over all recalls is the average precision.
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
    return tuple(_percentiles(curves, level))


def _precision(true_positives: np.ndarray, false_positives: np.ndarray) -> np.ndarray:
    """Share of those predicted mutant who are; of nobody 1, which weighs nothing."""
    called = true_positives + false_positives
    return np.where(called > 0, true_positives, 1) / np.maximum(called, 1)


def bootstrap_mean(truth, values, *, level: float = 0.95, draws: int = DRAWS, seed: int = 0) -> Estimate:
    """Mean of values such as losses, (n,), with percentiles; no interval where a class has one patient alone."""
    truth, values, random = np.asarray(truth), np.asarray(values, dtype=np.float64), np.random.default_rng(seed)
    classes = [np.sort(values[truth == label]) for label in (1, 0) if (truth == label).any()]  # in any order
    value = float(values.mean())
    if min(map(len, classes)) < 2:
        return no_estimate("a class has but one patient", value)
    sums = [sum(_drawn_sums(one, at_once, random) for one in classes) / len(values) for at_once in batches(draws)]
    low, high = _percentiles(sums, level)
    return Estimate(value, float(low), float(high))


def bootstrap_ratio(numerators, denominators, *, level: float = 0.95, draws: int = DRAWS, seed: int = 0) -> Estimate:
    """A sum over patients by another one, such as a mean over their scans, with the percentiles of the draws.

    Both have one number a patient, shape (n,); denominators, such as how many scans there are, are at least 0. Without
    interval of one patient, without number where the denominators add up to 0.
    """
    pairs = np.column_stack([numerators, denominators]).astype(np.float64)
    random, total = np.random.default_rng(seed), pairs[:, 1].sum()
    if total == 0:
        return no_estimate("there is nothing to take the share of")
    value = float(pairs[:, 0].sum() / total)
    if len(pairs) < 2:
        return no_estimate("there is but one patient", value)
    sums = np.concatenate([_drawn_sums(pairs, at_once, random) for at_once in batches(draws)])
    sums = sums[sums[:, 1] > 0]
    low, high = _percentiles([sums[:, 0] / sums[:, 1]], level)
    return Estimate(value, float(low), float(high))


def _drawn_sums(values: np.ndarray, draws: int, random) -> np.ndarray:
    """Sums of as many values as there are, drawn with replacement, shape (draws,) or (draws, columns)."""
    drawn = random.integers(len(values), size=(draws, len(values))) + len(values) * np.arange(draws)[:, None]
    times = np.bincount(drawn.ravel(), minlength=draws * len(values)).reshape(draws, -1)
    return times.astype(np.float64) @ values
