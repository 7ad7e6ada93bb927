"""Table 1 of a manuscript: age, sex, grade and site by IDH status, with the number of missing values (tableone)."""

import warnings

import pandas as pd

from glioma_idh.cohorts.sheets import parse_idh
from glioma_idh.errors import InputError

GROUPS = {"1": "IDH-mutant", "0": "IDH-wild-type", "": "IDH unknown"}
NAMES = {"age_years": "Age, years", "sex": "Sex", "grade": "Grade", "site": "Site"}


def characteristics(table: pd.DataFrame, max_sites: int = 8):
    """Who the patients are, by IDH status; of several visits of a patient the first counts.

    Args:
        table: cohort table.
        max_sites: smaller sites beyond so many are counted together as "other".

    Returns:
        A `tableone.TableOne`; rows that nobody has a value for are left out.

    Raises:
        InputError: a label or age cannot be read.
    """
    from tableone import TableOne

    patients = table.drop_duplicates("patient")
    shown = pd.DataFrame({name: patients[column].replace("", None) for column, name in NAMES.items()})
    shown["IDH"] = [_group(subject, cell) for subject, cell in zip(patients["subject"], patients["idh"], strict=True)]
    try:
        shown["Age, years"] = pd.to_numeric(shown["Age, years"])
    except ValueError as error:
        raise InputError("ages in years", str(error), "Correct the cell, or leave it empty.") from error
    largest = shown["Site"].value_counts().index[:max_sites]
    shown["Site"] = shown["Site"].where(shown["Site"].isin(largest) | shown["Site"].isna(), "other")
    known = [name for name in NAMES.values() if shown[name].notna().any()]
    if not known:
        advice = "Fill in age_years, sex, grade or site."
        raise InputError("age, sex, grade or site of somebody", "none", advice, table.attrs.get("file", ""))
    groups = [group for group in GROUPS.values() if (shown["IDH"] == group).any()]
    categories = [name for name in known if name != "Age, years"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a group of one has no standard deviation
        return TableOne(shown, known, categories, groupby="IDH", order={"IDH": groups}, include_null=False)


def _group(subject: str, cell: str) -> str:
    try:
        return GROUPS[parse_idh(cell)]
    except ValueError as error:
        raise InputError(str(error), repr(cell), "Correct the cell, or leave it empty.", subject=subject) from error
