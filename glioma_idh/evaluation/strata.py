"""How well a network does within groups of patients: what it knows beyond grade, and where it fails."""

import numpy as np
import pandas as pd

from glioma_idh.evaluation.auc import auc_within_splits
from glioma_idh.evaluation.checks import check_columns, check_predictions
from glioma_idh.evaluation.intervals import Estimate, no_estimate, split_auc_estimate
from glioma_idh.evaluation.metrics import pool_patients

GROUPS = {"grade": "grade", "sex": "sex", "site": "site"}  # columns of the cohort table, by the stratum's name
THIRDS = {"age": ("age_years", "years"), "lesion size": ("lesion_ml", "ml")}
FEWEST = 5  # patients of each class; below, an AUC says next to nothing
UNKNOWN = "not known"


def strata_scores(predictions: pd.DataFrame, cohort: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """AUC within splits in each grade, sex and site, and each third of age and lesion size.

    Only pairs of patients of one stratum who were tested by the same network count. Thirds are of the patients tested,
    equal values staying together. A patient of several scans is in the stratum of the first one in the cohort table.

    Args:
        predictions: predictions table.
        cohort: cohort table: `subject, patient`, and any of `grade, sex, site, age_years, lesion_ml`; text or numbers.
        level: of the intervals, which are of one stratum at a time.

    Returns:
        One row a stratum: `variable, stratum, n, events` (mutants), `pairs, auc, low, high, reason`: why there is no
        AUC or no interval, which are NaN then. A variable that the cohort does not have is one row without patients.

    Raises:
        ValueError: the predictions cannot be used (`checks.check_predictions`), a patient is not in the cohort, or a
            cell of age or size is not a number.
    """
    check_predictions(predictions)
    check_columns(cohort, ["subject", "patient"], "cohort table")
    pooled = pool_patients(predictions).set_index("patient")
    tested = cohort[cohort["subject"].isin(predictions["subject"])].drop_duplicates("patient").set_index("patient")
    missing = pooled.index.difference(tested.index)
    if len(missing):
        raise ValueError(
            f"expected those tested in the cohort table; found no {missing[0]}, {len(missing)} such in all"
        )
    tested, rows = tested.loc[pooled.index], []
    for variable in (*GROUPS, *THIRDS):
        strata, order = _strata(tested, variable)
        if not order:
            empty = no_estimate(f"the cohort has no {variable}")
            rows.append(_row(variable, UNKNOWN, pooled.iloc[:0], empty, predictions.iloc[:0]))
        for stratum in [*order, UNKNOWN] if order else []:
            inside = pooled[strata == stratum]
            tests = predictions[predictions["patient"].isin(inside.index)]
            if stratum != UNKNOWN or len(inside):
                rows.append(_row(variable, stratum, inside, _estimate(inside, tests, level), tests))
    return pd.DataFrame(rows)


def _row(variable: str, stratum: str, inside: pd.DataFrame, estimate: Estimate, tests: pd.DataFrame) -> dict:
    """A row of the table."""
    counts = {"variable": variable, "stratum": stratum, "n": len(inside), "events": int(inside["truth"].sum())}
    pairs = {"pairs": auc_within_splits(tests).num_pairs}
    auc = {"auc": estimate.value, "low": estimate.low, "high": estimate.high}
    return counts | pairs | auc | {"reason": estimate.reason}


def _estimate(inside: pd.DataFrame, tests: pd.DataFrame, level: float) -> Estimate:
    """AUC of a stratum, or that it is too small."""
    mutants = int(inside["truth"].sum())
    if min(mutants, len(inside) - mutants) < FEWEST:
        found = f"{mutants} mutant and {len(inside) - mutants} wild-type"
        return no_estimate(f"the stratum is too small: {found}, fewer than {FEWEST} of a class")
    return split_auc_estimate(tests, level)


def _strata(tested: pd.DataFrame, variable: str) -> tuple[pd.Series, list[str]]:
    """The stratum of each patient, and all strata in order but that of the unknown; none where nothing is known."""
    column = GROUPS.get(variable) or THIRDS[variable][0]
    if column not in tested:
        return pd.Series(UNKNOWN, tested.index), []
    cells = ["" if pd.isna(cell) else str(cell).strip().removesuffix(".0") for cell in tested[column]]
    text = pd.Series(cells, tested.index, dtype=str)
    if variable in GROUPS:
        return text.where(text != "", UNKNOWN), sorted(set(text) - {""})
    return _thirds(text, THIRDS[variable][1])


def _thirds(text: pd.Series, unit: str) -> tuple[pd.Series, list[str]]:
    """Thirds of the numbers, named after the least and the greatest in each.

    Raises:
        ValueError: a cell is neither a number nor empty.
    """
    known = text[text != ""]
    numbers = pd.to_numeric(known, errors="coerce")
    wrong = ~np.isfinite(numbers)
    if wrong.any():
        patient = numbers.index[wrong][0]
        raise ValueError(f"expected {unit} as a number, or empty; found {known[patient]!r} for {patient}")
    strata, order = pd.Series(UNKNOWN, text.index), []
    if numbers.empty:
        return strata, order
    thirds = pd.qcut(numbers, 3, labels=False, duplicates="drop") if numbers.nunique() > 1 else numbers * 0
    for _, third in numbers.groupby(thirds):
        rounded = f"{third.min():.3g} to {third.max():.3g} {unit}"
        order.append(f"{third.min():g} to {third.max():g} {unit}" if rounded in order else rounded)
        strata[third.index] = order[-1]
    return strata, order
