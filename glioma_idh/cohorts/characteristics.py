"""Patient characteristics by IDH status, the "Table 1" of a manuscript."""

import warnings

import pandas as pd
import tableone

from glioma_idh.cohorts import own_tables
from glioma_idh.cohorts.sheets import parse_column
from glioma_idh.cohorts.table import rows_in_file
from glioma_idh.errors import InputError

GROUPS = {"1": "IDH-mutant", "0": "IDH-wild-type", "": "IDH unknown"}
NAMES = {"age_years": "Age, years", "sex": "Sex", "grade": "Grade", "site": "Site"}
FURTHER = {"histology": "Histology", "codeletion_1p19q": "1p/19q", "mgmt": "MGMT promoter", "who2021": "WHO 2021 class"}
PARSERS = own_tables.PARSERS | {"site": str, "histology": str, "who2021": str}
# Replaced cells of tableone: a group without known values, and the standard deviation of one patient.
NO_NUMBER = {r"^nan [(\[].*|^0 \(nan\)$": "not known", r"\(nan\)": "(one patient)"}


def characteristics_table(table: pd.DataFrame, max_sites: int = 8) -> tableone.TableOne:
    """Tabulate age, sex, grade, site and further variables by IDH status, with counts of missing values.

    Each patient counts once: the first visit, with the IDH status of any visit.

    Args:
        table: cohort table, with or without the columns of FURTHER.
        max_sites: number of sites shown; smaller ones are summed up as "other".

    Returns:
        A `tableone.TableOne`, without variables that are missing for all patients.

    Raises:
        InputError: all variables are missing for all patients.
    """
    from tableone import TableOne

    names = NAMES | {column: name for column, name in FURTHER.items() if column in table}
    read = table.set_axis(rows_in_file(table, table.index))  # row numbers for error messages
    for column in ("idh", *names):  # older run folders may contain other grades, which are kept
        read[column] = parse_column(read, column, PARSERS[column], keep_unreadable=column == "grade")
    status = read[read["idh"] != ""].drop_duplicates("patient").set_index("patient")["idh"]
    patients = read.drop_duplicates("patient")
    shown = pd.DataFrame({name: patients[column].replace("", None) for column, name in names.items()})
    shown["IDH"] = patients["patient"].map(status).astype(object).fillna("").map(GROUPS)
    shown["Age, years"] = pd.to_numeric(shown["Age, years"])
    largest = shown["Site"].value_counts().index[:max_sites]
    shown["Site"] = shown["Site"].where(shown["Site"].isin(largest) | shown["Site"].isna(), "other")
    if not (known := [name for name in names.values() if shown[name].notna().any()]):
        advice = "Fill in age_years, sex, grade or site."
        raise InputError("age, sex, grade or site of at least one patient", "none", advice, table.attrs.get("file", ""))
    order = {"IDH": [group for group in GROUPS.values() if (shown["IDH"] == group).any()]}
    categories = [name for name in known if name != "Age, years"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a group of one patient has no standard deviation
        made = TableOne(shown, known, categories, groupby="IDH", order=order, include_null=False)
    made.tableone = made.tableone.replace(NO_NUMBER, regex=True)
    return made
