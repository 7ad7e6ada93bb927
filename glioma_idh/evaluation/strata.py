"""Compute the performance within groups of patients, such as grades."""

import numpy as np
import pandas as pd

from glioma_idh.evaluation.auc import auc_within_splits
from glioma_idh.evaluation.checks import as_text, check_columns, check_predictions
from glioma_idh.evaluation.intervals import no_estimate, split_auc_estimate
from glioma_idh.evaluation.metrics import pool_patients

GROUPS = {"grade": "grade", "sex": "sex", "site": "site"}  # columns of the cohort table, by the stratum's name
THIRDS = {"age": ("age_years", "years"), "lesion size": ("lesion_ml", "ml")}
FEWEST = 5  # smallest number of patients of each class for an AUC
UNKNOWN = "not known"
COLUMNS = ["variable", "stratum", "n", "events", "pairs", "auc", "low", "high", "reason"]


def strata_scores(predictions: pd.DataFrame, cohort: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Compute the AUC within splits in each grade, sex and site, and in each third of age and lesion size.

    The thirds are those of the tested patients; equal values are in the same third. A patient with several images
    belongs to the stratum of the first row in the cohort table.

    Returns:
        One row per stratum: `variable, stratum, n, events` (mutants), `pairs, auc, low, high, reason`. A variable that
        the cohort does not have is one row without patients.
    """
    check_predictions(predictions)
    check_columns(cohort, ["subject", "patient"], "cohort table")
    pooled = pool_patients(predictions).set_index("patient")
    tested = cohort[cohort["subject"].isin(predictions["subject"])].drop_duplicates("patient").set_index("patient")
    missing = pooled.index.difference(tested.index)
    if len(missing):
        found = f"no row for {missing[0]} ({len(missing)} such patients in all)"
        raise ValueError(f"expected the tested patients in the cohort table; found {found}")
    tested, rows = tested.loc[pooled.index], []
    for variable in (*GROUPS, *THIRDS):
        strata, order = _strata(tested, variable)
        for stratum in [*order, UNKNOWN]:
            inside = pooled[strata == stratum] if order else pooled.iloc[:0]
            if stratum == UNKNOWN and order and inside.empty:
                continue
            tests = predictions[predictions["patient"].isin(inside.index)]
            mutants, num_pairs = int(inside["truth"].sum()), auc_within_splits(tests).num_pairs
            if not order:
                estimate = no_estimate(f"the cohort has no {variable}")
            elif min(mutants, len(inside) - mutants) < FEWEST:
                found = f"{mutants} mutant and {len(inside) - mutants} wild-type"
                estimate = no_estimate(f"the group is too small: {found}, but at least {FEWEST} of each are needed")
            else:
                estimate = split_auc_estimate(tests, level)
            rows.append((variable, stratum, len(inside), mutants, num_pairs, *estimate))
    return pd.DataFrame(rows, columns=COLUMNS)


def _strata(tested: pd.DataFrame, variable: str) -> tuple[pd.Series, list[str]]:
    """Return the stratum of each patient, and the ordered strata without UNKNOWN; [] if no value is known."""
    column, unit = THIRDS.get(variable) or (GROUPS[variable], "")
    if column not in tested:
        return pd.Series(UNKNOWN, tested.index), []
    text = as_text(tested[column])
    if not unit:
        return text.where(text != "", UNKNOWN), sorted(set(text) - {""})
    known = text[text != ""]
    numbers = pd.to_numeric(known, errors="coerce")
    wrong = ~np.isfinite(numbers)
    if wrong.any():
        patient = numbers.index[wrong][0]
        raise ValueError(f"expected {unit} as a number, or empty; found {known[patient]!r} for {patient}")
    strata = pd.Series(UNKNOWN, text.index)
    order: list[str] = []
    if numbers.empty:
        return strata, order
    thirds = pd.qcut(numbers, 3, labels=False, duplicates="drop") if numbers.nunique() > 1 else numbers * 0
    for _, third in numbers.groupby(thirds):  # the name is the range of values
        rounded = f"{third.min():.3g} to {third.max():.3g} {unit}"
        order.append(f"{third.min():g} to {third.max():g} {unit}" if rounded in order else rounded)
        strata[third.index] = order[-1]
    return strata, order
