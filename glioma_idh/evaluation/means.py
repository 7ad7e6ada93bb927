"""Means over patients, and how far they may lie off by the luck of who the patients were."""

import numpy as np

from glioma_idh.evaluation.intervals import DRAWS, Estimate, batches, no_estimate


def bootstrap_mean(
    truth: np.ndarray, values: np.ndarray, *, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> Estimate:
    """A mean over patients with the percentiles of a bootstrap over the patients of each class.

    Args:
        truth: 1 mutant, 0 wild-type, one a patient, shape (n,).
        values: whose mean it is, such as losses, shape (n,).
        level: share of the draws inside.
        draws: how many.
        seed: of the draws.

    Returns:
        The estimate; without interval where a class has one patient alone. A class without anybody is no matter.
    """
    truth, values, random = np.asarray(truth), np.asarray(values, dtype=np.float64), np.random.default_rng(seed)
    classes = [np.sort(values[truth == label]) for label in (1, 0) if (truth == label).any()]  # in any order
    value = float(values.mean())
    if min(map(len, classes)) < 2:
        return no_estimate("a class has but one patient", value)
    sums = [sum(_drawn_sums(one, at_once, random) for one in classes) for at_once in batches(draws)]
    low, high = np.quantile(np.concatenate(sums) / len(values), [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, float(low), float(high))


def bootstrap_ratio(
    numerators: np.ndarray, denominators: np.ndarray, *, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> Estimate:
    """A sum over patients by another one, such as a mean over their scans, with a bootstrap's percentiles.

    Args:
        numerators: one a patient, shape (n,).
        denominators: such as how many scans they are of, at least 0, shape (n,).
        level: share of the draws inside.
        draws: of the patients, each with all that is theirs.
        seed: of the draws.

    Returns:
        The estimate; without interval of one patient, without number where the denominators add up to 0.
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
    low, high = np.quantile(sums[:, 0] / sums[:, 1], [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, float(low), float(high))


def _drawn_sums(values: np.ndarray, draws: int, random) -> np.ndarray:
    """Sums of as many values as there are, drawn with replacement, shape (draws,) or (draws, columns)."""
    drawn = random.integers(len(values), size=(draws, len(values))) + len(values) * np.arange(draws)[:, None]
    times = np.bincount(drawn.ravel(), minlength=draws * len(values)).reshape(draws, -1)
    return times.astype(np.float64) @ values
