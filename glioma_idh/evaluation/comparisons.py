"""Compare two networks on the same patients, with paired tests.

`ours` and `other` are predictions tables. Their splits may differ, but they must have the same patients with the same
labels; otherwise a ValueError is raised. Rows without the compared value are ignored.
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

FEWEST_PAIRS = 6  # with fewer pairs, the p value of the signed-rank test cannot be below 0.05


class Comparison(NamedTuple):
    """The difference in performance of two networks on the same patients."""

    difference: float  # first minus second network; NaN if not available
    low: float  # limits of the confidence interval
    high: float
    p: float  # two-sided
    reason: str = ""  # why interval and p are NaN


class Calls(NamedTuple):
    """The numbers of patients that two networks classify correctly."""

    both_right: int
    only_ours_right: int
    only_other_right: int
    both_wrong: int
    p: float  # two-sided, of the difference between the two numbers in the middle
    reason: str = ""  # why p is NaN


def no_comparison(reason: str, difference: float = np.nan) -> Comparison:
    """Return a comparison without interval and p value, with the reason."""
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
    """Compare the AUC within splits of two networks by a paired test (ours minus other).

    With one split this is the test of DeLong, DeLong and Clarke-Pearson (Biometrics 1988); with several splits, the
    components are those of `auc.auc_within_splits`. Two networks that order all pairs alike differ by 0, with the
    interval [0, 0] and p = 1. There is no interval without scores, with fewer than two patients of a class, if no test
    set has both classes, or if the variance of the difference is 0.
    """
    if not (has_values(ours, "score") and has_values(other, "score")):
        return no_comparison("one of the two tables contains no scores")
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
    """Compare the number of correctly classified patients by McNemar's exact test (Psychometrika 1947).

    A patient is predicted mutant if the mean score reaches the threshold, which must be chosen on other patients.
    """
    if not (has_values(ours, "score") and has_values(other, "score")):
        return Calls(0, 0, 0, 0, np.nan, because("one of the two tables contains no scores"))
    ours, other = _pooled(ours, other)
    right, other_right = ((table["score"] >= threshold) == (table["truth"] == 1) for table in (ours, other))
    counts = [int((first & second).sum()) for first in (right, ~right) for second in (other_right, ~other_right)]
    both, only_ours, only_other, neither = counts
    if only_ours + only_other == 0:
        reason = because("both networks classify the same patients correctly")
        return Calls(both, only_ours, only_other, neither, np.nan, reason)
    p = float(mcnemar([[both, only_ours], [only_other, neither]], exact=True).pvalue)
    return Calls(both, only_ours, only_other, neither, p)


def compare_dice(ours: pd.DataFrame, other: pd.DataFrame, level: float = 0.95, seed: int = 0) -> Comparison:
    """Compare the mean Dice over the subjects (ours minus other).

    The interval is from a bootstrap over the patients; the p value is from Wilcoxon's signed-rank test of the mean
    differences per patient, without those of 0. There is no interval without Dice or if the Dice differs in fewer than
    six patients. Labels may be unknown.
    """
    if not (has_values(ours, "dice") and has_values(other, "dice")):
        return no_comparison("one of the two tables contains no Dice values")
    by_subject = (table.dropna(subset="dice").groupby("subject") for table in (ours, other))
    columns = {"patient": ("patient", "first"), "truth": ("truth", "max"), "dice": ("dice", "mean")}
    first, second = (rows.agg(**columns) for rows in by_subject)
    ours, other = _paired(first, second, "subjects")
    differences = (ours["dice"] - other["dice"]).round(12)  # means of equal numbers may differ in the last bit
    by_patient, difference = differences.groupby(ours["patient"]), float(differences.mean())
    differing = by_patient.mean()[lambda means: means != 0]
    if len(differing) == 0:
        return no_comparison("the Dice is equal in all patients", difference)
    if len(differing) < FEWEST_PAIRS:
        return no_comparison(f"the Dice differs in fewer than {FEWEST_PAIRS} patients", difference)
    interval = bootstrap_ratio(by_patient.sum(), by_patient.size(), level=level, seed=seed)
    return Comparison(difference, interval.low, interval.high, float(wilcoxon(differing).pvalue))


def holm(comparisons: dict[Any, Any]) -> dict[Any, Any]:
    """Correct the p values, not the intervals, after Holm (Scandinavian Journal of Statistics 1979)."""
    tested = [name for name, comparison in comparisons.items() if not comparison.reason]
    if not tested:
        return comparisons
    corrected = multipletests([comparisons[name].p for name in tested], method="holm")[1]
    after = dict(zip(tested, corrected, strict=True))
    return comparisons | {name: comparisons[name]._replace(p=float(p)) for name, p in after.items()}


def compare_all(
    tables: dict[str, pd.DataFrame], compare: Callable[..., Any], reference: str | None = None
) -> dict[tuple[str, str], Comparison | Calls]:
    """Compare all pairs of predictions tables, or each table with a reference.

    Args:
        tables: predictions tables by name.
        compare: `compare_auc`, `compare_calls` or `compare_dice`.
        reference: name of the reference; by default all pairs are compared.

    Returns:
        The comparisons by pair of names, with p values corrected after Holm; pairs with different patients have a
        reason instead.
    """
    against = [(name, reference) for name in tables if name != reference and reference in tables]
    comparisons = {}
    for pair in itertools.combinations(tables, 2) if reference is None else against:
        try:
            comparisons[pair] = compare(*(tables[name] for name in pair))
        except ValueError as error:
            comparisons[pair] = no_comparison(f"the runs are not paired: {error}")
    return holm(comparisons)


def _pooled(ours: pd.DataFrame, other: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return `truth, score` per patient of both tables, in the same order."""
    ours, other = (pool_patients(table.dropna(subset=["truth", "score"])) for table in (ours, other))
    return _paired(ours.set_index("patient"), other.set_index("patient"), "patients")


def _paired(ours: pd.DataFrame, other: pd.DataFrame, noun: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both tables in the same order, after checking that they have the same index and the same `truth`."""
    alone = ours.index.symmetric_difference(other.index)
    if len(alone):
        found = f"{len(ours)} and {len(other)}, {len(alone)} of them in only one table, such as {alone[0]}"
        raise ValueError(f"expected the same {noun} in both tables; found {found}")
    other = other.loc[ours.index]
    unlike = ours.index[~((ours["truth"] == other["truth"]) | (ours["truth"].isna() & other["truth"].isna()))]
    if len(unlike):
        found = f"different labels of {len(unlike)} of {len(ours)} {noun}, such as {unlike[0]}"
        raise ValueError(f"expected the same labels (column truth) in both tables; found {found}")
    return ours, other
