"""Table 1 of a manuscript: age, sex, grade and site by IDH status, with the number of missing values (tableone)."""

import warnings

import pandas as pd

from glioma_idh.cohorts.sheets import parse_age, parse_column, parse_grade, parse_idh, parse_sex
from glioma_idh.errors import InputError

GROUPS = {"1": "IDH-mutant", "0": "IDH-wild-type", "": "IDH unknown"}
NAMES = {"age_years": "Age, years", "sex": "Sex", "grade": "Grade", "site": "Site"}


def characteristics(table: pd.DataFrame, max_sites: int = 8):
    """Who the patients are, by IDH status; of several visits of a patient the first counts, and any known status.

    Args:
        table: cohort table.
        max_sites: smaller sites beyond so many are counted together as "other".

    Returns:
        A `tableone.TableOne`; rows that nobody has a value for are left out.

    Raises:
        InputError: a cell cannot be read, or there is nothing to tell.
    """
    from tableone import TableOne

    parsers = {"age_years": parse_age, "sex": parse_sex, "grade": parse_grade, "idh": parse_idh}
    read = table.set_axis(pd.RangeIndex(2, len(table) + 2))  # lines of the file, for messages
    read = read.assign(**{column: parse_column(read, column, parse) for column, parse in parsers.items()})
    status = read[read["idh"] != ""].drop_duplicates("patient").set_index("patient")["idh"]
    patients = read.drop_duplicates("patient")
    shown = pd.DataFrame({name: patients[column].replace("", None) for column, name in NAMES.items()})
    shown["IDH"] = patients["patient"].map(status).astype(object).fillna("").map(GROUPS)
    shown["Age, years"] = pd.to_numeric(shown["Age, years"])
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
