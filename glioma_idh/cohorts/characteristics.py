"""Table 1 of a manuscript: age, sex, grade, site and what else is known, by IDH status, with missing counts."""

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
# Where tableone has no number: of a group of whom nothing is known, or the standard deviation of one patient.
NO_NUMBER = {r"^nan [(\[].*|^0 \(nan\)$": "not known", r"\(nan\)": "(one patient)"}


def characteristics_table(table: pd.DataFrame, max_sites: int = 8) -> tableone.TableOne:
    """Who the patients are, by IDH status; of several visits of a patient the first counts, and any known status.

    `table` is a cohort table, with or without the columns of FURTHER; sites beyond the `max_sites` largest are "other".
    Returns a `tableone.TableOne` without rows that nobody has a value for. Nothing to tell is an InputError.
    """
    from tableone import TableOne

    names = NAMES | {column: name for column, name in FURTHER.items() if column in table}
    read = table.set_axis(rows_in_file(table, table.index))  # for messages
    for column in ("idh", *names):  # a grade that older runs let in stays as it is
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
        raise InputError("age, sex, grade or site of somebody", "none", advice, table.attrs.get("file", ""))
    order = {"IDH": [group for group in GROUPS.values() if (shown["IDH"] == group).any()]}
    categories = [name for name in known if name != "Age, years"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a group of one has no standard deviation
        made = TableOne(shown, known, categories, groupby="IDH", order=order, include_null=False)
    made.tableone = made.tableone.replace(NO_NUMBER, regex=True)
    return made
