"""Table 1 of a report: characteristics of the patients by IDH status and by training and test set (tableone)."""

import warnings

import pandas as pd

from glioma_idh.cohorts.characteristics import GROUPS, NAMES, NO_NUMBER, PARSERS, characteristics_table
from glioma_idh.cohorts.sheets import parse_column
from glioma_idh.reporting.figures.canvas import named_splits

VOLUME = "Lesion volume, ml"


def characteristics_sheet(cohort: pd.DataFrame, max_sites: int = 8) -> pd.DataFrame:
    """Age, sex, grade, site, lesion volume and further labels of the patients by IDH status, with missing counts.

    For a patient with several scans, the first scan counts, and any known IDH status. Columns that the cohort lacks are
    missing for all patients. Sites beyond the `max_sites` largest are counted together as "other". Columns:
    `characteristic` (empty below its first row), `value, missing, all`, and one per IDH status. InputError: a cell
    cannot be read.
    """
    cohort = _as_text(cohort)
    patients = _patients(cohort)
    counts = patients["IDH"].value_counts()
    status = [group for group in GROUPS.values() if group in counts]
    numbers = {group: str(counts[group]) for group in status}
    parts = [pd.DataFrame([{"characteristic": "Patients", "Overall": str(len(patients)), **numbers}])]
    if (cohort[list(NAMES)] != "").any(axis=None):
        parts.append(_flat(characteristics_table(cohort, max_sites).tableone))
    if patients[VOLUME].notna().any():
        parts.append(_flat(_table_one(patients, [VOLUME], "IDH", status)))
    shown = pd.concat(parts)["characteristic"]
    unknown = [name for name in (*NAMES.values(), VOLUME) if not shown.str.startswith(name).any()]
    nobody = dict.fromkeys(["Overall", *status], "-")
    parts.append(pd.DataFrame([{"characteristic": name, "Missing": str(len(patients)), **nobody} for name in unknown]))
    columns = ["characteristic", "value", "Missing", "Overall", *status]
    table = pd.concat(parts, ignore_index=True).reindex(columns=columns)
    table["characteristic"] = table["characteristic"].where(~table["characteristic"].duplicated(), "")
    return table.astype(object).fillna("").rename(columns={"Missing": "missing", "Overall": "all"})


def parts_sheet(cohort: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """The same characteristics for the test set of each split; for a single split, also for its training set.

    One row per set: `set, patients`, and one column per characteristic or value. InputError as above.
    """
    cohort = _as_text(cohort)
    tests = dict(named_splits(splits[splits["part"] == "test"]))
    parts = {f"{name}, test set": rows["subject"] for name, rows in tests.items()}
    if len(parts) == 1:
        train = splits.loc[splits["part"] == "train", "subject"]
        parts = {"Training set": train, "Test set": next(iter(parts.values()))}
    people = [_patients(cohort[cohort["subject"].isin(who)]).assign(part=name) for name, who in parts.items()]
    people = pd.concat(people, ignore_index=True)
    known = [name for name in ("IDH", "Age, years", "Sex", "Grade", VOLUME) if people[name].notna().any()]
    made = _table_one(people, known, "part", list(parts))
    made = made.drop(index=[("IDH, n (%)", group) for group in list(GROUPS.values())[1:]], errors="ignore")
    made = made.drop(columns="Missing", level=1).droplevel(0, axis="columns").drop(columns="Overall", errors="ignore").T
    headings = []  # `patients`, `Age, years, mean (SD)`, `Sex F, n (%)`
    for name, value in made.columns:
        first, _, unit = name.partition(", n (%)")
        of_value = f"{value}, n (%)" if first == "IDH" else f"{first} {value}, n (%){unit}"
        headings.append("patients" if name == "n" else of_value if value else name)
    made.columns = headings
    return made.rename_axis("set").reset_index().astype(str).replace(NO_NUMBER, regex=True)


def _as_text(cohort: pd.DataFrame) -> pd.DataFrame:
    """The cohort table with its characteristics as text, as `cohorts` reads them; empty if unknown."""
    text = cohort.reindex(columns=list(dict.fromkeys([*cohort, *PARSERS, "lesion_ml"])))
    for column in PARSERS:
        cells = ["" if pd.isna(cell) else str(cell).strip().removesuffix(".0") for cell in text[column]]
        text[column] = pd.Series(cells, text.index, dtype=str)
    read = {column: parse_column(text, column, parse) for column, parse in PARSERS.items()}
    return text.assign(**read)


def _patients(cohort: pd.DataFrame) -> pd.DataFrame:
    """One row per patient, with printed column names; None or NaN if unknown."""
    status = cohort[cohort["idh"] != ""].drop_duplicates("patient").set_index("patient")["idh"]
    first = cohort.drop_duplicates("patient")
    table = pd.DataFrame({name: first[column].replace("", None) for column, name in NAMES.items()})
    table["Age, years"] = pd.to_numeric(table["Age, years"])
    table[VOLUME] = pd.to_numeric(first["lesion_ml"])
    return table.assign(IDH=first["patient"].map(status).astype(object).fillna("").map(GROUPS))


def _table_one(patients: pd.DataFrame, names: list[str], by: str, groups: list[str]) -> pd.DataFrame:
    """Characteristics by group; median and quartiles of the volume, which is skewed."""
    from tableone import TableOne

    categories = [name for name in names if name not in ("Age, years", VOLUME)]
    skewed = [VOLUME] if VOLUME in names else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a group with one patient has no standard deviation
        settings = {"groupby": by, "nonnormal": skewed, "order": {by: groups}, "include_null": False}
        return TableOne(patients, names, categories, **settings).tableone


def _flat(made: pd.DataFrame) -> pd.DataFrame:
    """A table of tableone with simple columns, all text, and without the row with the number of patients."""
    flat = made.droplevel(0, axis="columns").drop(index="n", level=0).rename_axis(["characteristic", "value"])
    return flat.reset_index().astype(str).replace(NO_NUMBER, regex=True)
