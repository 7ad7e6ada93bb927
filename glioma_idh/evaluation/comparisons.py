"""Two networks on the same patients: by how much one is better, and the paired tests of the difference.

`ours` and `other` are predictions tables, whose splits may differ; rows without what is compared are left out. Other
patients in one than in the other, or another truth of one, are a ValueError.
"""

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from scipy.stats import norm, wilcoxon
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from glioma_idh.evaluation.auc import auc_within_splits
from glioma_idh.evaluation.bootstrap import bootstrap_ratio
from glioma_idh.evaluation.checks import because, complete
from glioma_idh.evaluation.intervals import why_no_pairs
from glioma_idh.evaluation.metrics import has_values, pool_patients

FEWEST_PAIRS = 6  # the signed-rank test's p cannot fall below 0.05 with fewer


class Comparison(NamedTuple):
    """How much better one network is than another on the same patients."""

    difference: float  # its score less the other's; NaN where it has no answer
    low: float  # ends of the confidence interval
    high: float
    p: float  # two-sided
    reason: str = ""  # why interval and p are NaN


class Calls(NamedTuple):
    """How many patients two networks predict correctly, mutant or wild-type."""

    both_right: int
    only_ours_right: int
    only_other_right: int
    both_wrong: int
    p: float  # two-sided, of the two in the middle
    reason: str = ""  # why p is NaN


def no_comparison(reason: str, difference: float = np.nan) -> Comparison:
    """A comparison that says why it has no interval and no p."""
    return Comparison(difference, np.nan, np.nan, np.nan, because(reason))


class HasPredictions(Protocol):
    """Anything with a predictions table, such as a `Run`."""

    @property
    def predictions(self) -> pd.DataFrame: ...


def compare(
    ours: pd.DataFrame | HasPredictions, other: pd.DataFrame | HasPredictions, level: float = 0.95
) -> Comparison:
    """Compare the AUCs of two networks on the same patients, with a confidence interval and a paired test.

    Args:
        ours, other: two runs or predictions tables. A table needs the columns `subject, truth, score`; see
            `checks.complete` for those that may be missing. The splits may differ.
        level: confidence level of the interval.

    Returns:
        AUC of `ours` minus AUC of `other`, both within splits, with interval and two-sided p value (`compare_auc`).
        Where they are not available, they are NaN and `reason` says why.

    Raises:
        ValueError: a table cannot be used, or the two differ in their patients or in a patient's label.
    """
    first, second = (each if isinstance(each, pd.DataFrame) else each.predictions for each in (ours, other))
    return compare_auc(complete(first)[0], complete(second)[0], level)


def compare_auc(ours: pd.DataFrame, other: pd.DataFrame, level: float = 0.95) -> Comparison:
    """AUC within splits of ours less that of the other, by a paired test.

    With one split this is the test of DeLong, DeLong and Clarke-Pearson (Biometrics 1988); with several, the components
    are those of `auc.auc_within_splits`. Two that order every pair alike differ by 0, with the interval [0, 0] and p 1.
    No interval without scores, two patients of each class, a split with both, or variance of the difference.
    """
    if not (has_values(ours, "score") and has_values(other, "score")):
        return no_comparison("one of the two tables holds no score")
    _pooled(ours, other)
    first, second = auc_within_splits(ours), auc_within_splits(other)
    difference = first.value - second.value
    if np.isnan(difference):
        return no_comparison(why_no_pairs(ours))
    if np.isnan(first.standard_error + second.standard_error):
        return no_comparison("a class has fewer than 2 patients", difference)
    error = np.sqrt((first.deviations.sub(second.deviations, fill_value=0) ** 2).sum())
    if error == 0:
        same = Comparison(0.0, 0.0, 0.0, 1.0)
        return same if difference == 0 else no_comparison("its variance is 0: the classes do not overlap", difference)
    half, p = norm.ppf((1 + level) / 2) * error, 2 * norm.sf(abs(difference) / error)
    low, high = np.clip([difference - half, difference + half], -1, 1)
    return Comparison(difference, float(low), float(high), float(p))


def compare_calls(ours: pd.DataFrame, other: pd.DataFrame, threshold: float = 0.5) -> Calls:
    """Whether one network predicts more patients correctly, by McNemar's exact test (Psychometrika 1947).

    A patient is predicted mutant where the mean score over the rows reaches the threshold, chosen on other patients.
    """
    if not (has_values(ours, "score") and has_values(other, "score")):
        return Calls(0, 0, 0, 0, np.nan, because("one of the two tables holds no score"))
    ours, other = _pooled(ours, other)
    right, other_right = ((table["score"] >= threshold) == (table["truth"] == 1) for table in (ours, other))
    counts = [int((first & second).sum()) for first in (right, ~right) for second in (other_right, ~other_right)]
    both, only_ours, only_other, neither = counts
    if only_ours + only_other == 0:
        return Calls(both, only_ours, only_other, neither, np.nan, because("both call the same patients right"))
    p = float(mcnemar([[both, only_ours], [only_other, neither]], exact=True).pvalue)
    return Calls(both, only_ours, only_other, neither, p)


def compare_dice(ours: pd.DataFrame, other: pd.DataFrame, level: float = 0.95, seed: int = 0) -> Comparison:
    """Dice of ours less that of the other, the mean over the subjects, each with its mean over the rows.

    The interval is that of a bootstrap over the patients; p is Wilcoxon's signed-rank test on the patients' mean
    differences, those of 0 left out. No interval without Dice or six patients who differ. Truths may be unknown.
    """
    if not (has_values(ours, "dice") and has_values(other, "dice")):
        return no_comparison("one of the two tables holds no Dice")
    by_subject = (table.dropna(subset="dice").groupby("subject") for table in (ours, other))
    columns = {"patient": ("patient", "first"), "truth": ("truth", "max"), "dice": ("dice", "mean")}
    first, second = (rows.agg(**columns) for rows in by_subject)
    ours, other = _paired(first, second, "subjects")
    differences = (ours["dice"] - other["dice"]).round(12)  # a mean of equal numbers may differ in its last bit
    by_patient, difference = differences.groupby(ours["patient"]), float(differences.mean())
    differing = by_patient.mean()[lambda means: means != 0]
    if len(differing) == 0:
        return no_comparison("no patient's Dice differs", difference)
    if len(differing) < FEWEST_PAIRS:
        return no_comparison(f"fewer than {FEWEST_PAIRS} patients differ in Dice", difference)
    interval = bootstrap_ratio(by_patient.sum(), by_patient.size(), level=level, seed=seed)
    return Comparison(difference, interval.low, interval.high, float(wilcoxon(differing).pvalue))


def holm(comparisons: dict[Any, Any]) -> dict[Any, Any]:
    """The same with p, not the intervals, after Holm (Scandinavian Journal of Statistics 1979) over all with a p."""
    tested = [name for name, comparison in comparisons.items() if not comparison.reason]
    if not tested:
        return comparisons
    corrected = multipletests([comparisons[name].p for name in tested], method="holm")[1]
    after = dict(zip(tested, corrected, strict=True))
    return comparisons | {name: comparisons[name]._replace(p=float(p)) for name, p in after.items()}


def compare_all(tables: dict, compare: Callable, reference: str | None = None) -> dict[tuple, Comparison | Calls]:
    """Each pair of tables, or each against the reference, by their names; p after Holm; a reason where not paired."""
    against = [(name, reference) for name in tables if name != reference and reference in tables]
    comparisons = {}
    for pair in itertools.combinations(tables, 2) if reference is None else against:
        try:
            comparisons[pair] = compare(*(tables[name] for name in pair))
        except ValueError as error:
            comparisons[pair] = no_comparison(f"the runs are not paired: {error}")
    return holm(comparisons)


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
