"""Two networks on the same patients: by how much one is better, and whether luck alone would do it."""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm, wilcoxon
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from glioma_idh.evaluation.auc import auc_within_splits
from glioma_idh.evaluation.checks import because
from glioma_idh.evaluation.means import bootstrap_ratio
from glioma_idh.evaluation.metrics import has_values, pool_patients

FEWEST_PAIRS = 6  # the signed-rank test's p cannot fall below 0.05 with fewer


class Comparison(NamedTuple):
    """How much better one network is than another on the same patients.

    Attributes:
        difference: its score less the other's.
        low: lower end of the difference's confidence interval.
        high: upper end.
        p: two-sided; how often luck alone makes a difference this large where there is none.
        reason: why there is no interval and no p, in words; "" where there are. `low`, `high` and `p` are NaN then,
            and so is `difference` where it has no answer either.
    """

    difference: float
    low: float
    high: float
    p: float
    reason: str = ""


class Calls(NamedTuple):
    """Who is called right by two networks on the same patients, mutant or wild-type.

    Attributes:
        both_right: patients.
        only_ours_right: patients.
        only_other_right: patients.
        both_wrong: patients.
        p: two-sided; how often luck alone parts those whom one network alone calls right as unevenly.
        reason: why there is no p, in words; "" where there is. `p` is NaN then.
    """

    both_right: int
    only_ours_right: int
    only_other_right: int
    both_wrong: int
    p: float
    reason: str = ""


def compare_auc(ours: pd.DataFrame, other: pd.DataFrame, level: float = 0.95) -> Comparison:
    """Difference of two AUCs within splits on the same patients, by a paired test.

    With one split this is the test of DeLong, DeLong and Clarke-Pearson (Biometrics 1988); with several, the components
    are those of `auc.auc_within_splits`. It is about the sampling of patients, not about the training.

    Args:
        ours: predictions table; columns `patient, repeat, split, truth, score`. Rows without a truth or a score are
            left out.
        other: that of the other network; its splits may differ.
        level: how often such an interval holds the difference in the population.

    Returns:
        The AUC of ours less that of the other. Two that order every pair alike differ by 0, with the interval [0, 0]
        and p 1. Without interval and p, but with the reason, where a table has no score, a class fewer than two
        patients, no split both classes, or the difference no variance.

    Raises:
        ValueError: the tables hold different patients, or different truths of one.
    """
    if not (has_values(ours, "score") and has_values(other, "score")):
        return _no_answer("one of the two tables holds no score")
    _pooled(ours, other)
    first, second = auc_within_splits(ours), auc_within_splits(other)
    difference = first.value - second.value
    if np.isnan(difference):
        one_class = ours.dropna(subset=["truth", "score"])["truth"].nunique() < 2
        return _no_answer("there is but one class" if one_class else "no split tests both classes")
    if np.isnan(first.standard_error + second.standard_error):
        return _no_answer("a class has fewer than 2 patients", difference)
    error = np.sqrt((first.deviations.sub(second.deviations, fill_value=0) ** 2).sum())
    if error == 0:
        same = Comparison(0.0, 0.0, 0.0, 1.0)
        return same if difference == 0 else _no_answer("its variance is 0: the classes do not overlap", difference)
    half, p = norm.ppf((1 + level) / 2) * error, 2 * norm.sf(abs(difference) / error)
    low, high = np.clip([difference - half, difference + half], -1, 1)
    return Comparison(difference, float(low), float(high), float(p))


def compare_calls(ours: pd.DataFrame, other: pd.DataFrame, threshold: float = 0.5) -> Calls:
    """Whether one network calls more patients right than the other, by McNemar's exact test (Psychometrika 1947).

    Args:
        ours: predictions table; columns `patient, truth, score`. Rows without a truth or a score are left out; a
            patient is called mutant where the mean score over the rows reaches the threshold.
        other: that of the other network.
        threshold: of both networks' scores; chosen on other patients.

    Returns:
        The counts and p; the reason instead of p where both call the same patients right, or a table has no score.

    Raises:
        ValueError: the tables hold different patients, or different truths of one.
    """
    if not (has_values(ours, "score") and has_values(other, "score")):
        return Calls(0, 0, 0, 0, float("nan"), because("one of the two tables holds no score"))
    ours, other = _pooled(ours, other)
    right, other_right = ((table["score"] >= threshold) == (table["truth"] == 1) for table in (ours, other))
    counts = [int((first & second).sum()) for first in (right, ~right) for second in (other_right, ~other_right)]
    both, only_ours, only_other, neither = counts
    if only_ours + only_other == 0:
        return Calls(*counts, float("nan"), because("both call the same patients right"))
    return Calls(*counts, float(mcnemar([[both, only_ours], [only_other, neither]], exact=True).pvalue))


def holm(comparisons: dict[str, Comparison]) -> dict[str, Comparison]:
    """Comparisons with p after Holm (Scandinavian Journal of Statistics 1979) over all that have one.

    Args:
        comparisons: by any name; `Comparison` or `Calls`.

    Returns:
        The same, in the same order; intervals stay those of one comparison at a time.
    """
    tested = [name for name, comparison in comparisons.items() if not comparison.reason]
    if not tested:
        return comparisons
    corrected = multipletests([comparisons[name].p for name in tested], method="holm")[1]
    after = dict(zip(tested, corrected, strict=True))
    return comparisons | {name: comparisons[name]._replace(p=float(p)) for name, p in after.items()}


def compare_all(
    tables: dict[str, pd.DataFrame], compare: Callable, reference: str | None = None
) -> dict[tuple[str, str], Comparison | Calls]:
    """Each pair of networks, or each network against one of them; p after Holm over all that have one.

    Args:
        tables: predictions tables, by the network's name.
        compare: `compare_auc`, `compare_calls` or `compare_dice`.
        reference: name of the one that all others are compared with; None for every pair.

    Returns:
        By the two names; a difference is the first's less the second's. Two that were not tested on the same patients
        have the reason instead.
    """
    against = [(name, reference) for name in tables if name != reference and reference in tables]
    pairs = itertools.combinations(tables, 2) if reference is None else against
    return holm({pair: _compare(compare, *(tables[name] for name in pair)) for pair in pairs})


def _compare(compare: Callable, ours: pd.DataFrame, other: pd.DataFrame) -> Comparison | Calls:
    """A paired test, or why there is none."""
    try:
        return compare(ours, other)
    except ValueError as error:
        return _no_answer(f"the runs are not paired: {error}")


def compare_dice(ours: pd.DataFrame, other: pd.DataFrame, level: float = 0.95, seed: int = 0) -> Comparison:
    """Dice of ours less that of the other, the mean over the subjects, each with its mean over the rows.

    The interval is that of the percentiles of a bootstrap over the patients, 2000 draws; p is Wilcoxon's signed-rank
    test on the patients' mean differences, those of 0 left out.

    Args:
        ours: predictions table; columns `subject, patient, truth, dice`. Rows without Dice are left out; a truth may
            be unknown.
        other: that of the other network.
        level: share of the draws inside the interval.
        seed: of the draws.

    Returns:
        The comparison; without interval and p, but with the reason, where a table has no Dice or fewer than six
        patients differ, of whom p cannot fall below 0.05.

    Raises:
        ValueError: the tables hold different subjects, or different truths of one.
    """
    if not (has_values(ours, "dice") and has_values(other, "dice")):
        return _no_answer("one of the two tables holds no Dice")
    ours, other = _paired(_dice_by_subject(ours), _dice_by_subject(other), "subjects")
    by_subject = (ours["dice"] - other["dice"]).round(12)  # a mean of equal numbers may differ in its last bit
    by_patient = by_subject.groupby(ours["patient"])
    means, difference = by_patient.mean(), float(by_subject.mean())
    differing = means[means != 0]
    if len(differing) == 0:
        return _no_answer("no patient's Dice differs", difference)
    if len(differing) < FEWEST_PAIRS:
        return _no_answer(f"fewer than {FEWEST_PAIRS} patients differ in Dice", difference)
    interval = bootstrap_ratio(by_patient.sum(), by_patient.size(), level=level, seed=seed)
    return Comparison(difference, interval.low, interval.high, float(wilcoxon(differing).pvalue))


def _dice_by_subject(predictions: pd.DataFrame) -> pd.DataFrame:
    """Columns `patient, truth, dice`, indexed by subject; Dice is the mean over the rows that have one."""
    by_subject = predictions.dropna(subset="dice").groupby("subject")
    return by_subject.agg(patient=("patient", "first"), truth=("truth", "max"), dice=("dice", "mean"))


def _pooled(ours: pd.DataFrame, other: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`truth, score` of the patients of both tables, in one order."""
    ours, other = (pool_patients(table.dropna(subset=["truth", "score"])) for table in (ours, other))
    return _paired(ours.set_index("patient"), other.set_index("patient"), "patients")


def _paired(ours: pd.DataFrame, other: pd.DataFrame, noun: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables in one order; they must have the same index and the same `truth`."""
    alone = ours.index.symmetric_difference(other.index)
    if len(alone):
        found = f"{len(ours)} and {len(other)}, {len(alone)} of them in one table only, such as {alone[0]}"
        raise ValueError(f"expected the same {noun} in both tables; found {found}")
    other = other.loc[ours.index]
    unlike = ours.index[~((ours["truth"] == other["truth"]) | (ours["truth"].isna() & other["truth"].isna()))]
    if len(unlike):
        found = f"{len(unlike)} of {len(ours)} {noun} with two, such as {unlike[0]}"
        raise ValueError(f"expected the same truth in both tables; found {found}")
    return ours, other


def _no_answer(reason: str, difference: float = float("nan")) -> Comparison:
    """A comparison that says why it has no interval and no p."""
    return Comparison(difference, float("nan"), float("nan"), float("nan"), because(reason))
