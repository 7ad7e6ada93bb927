"""Read age, sex, grade, histology, 1p/19q codeletion and WHO 2021 class of TCGA patients from two published tables.

The tables are the TCGA Clinical Data Resource (Liu et al., Cell 2018), complete or reduced to TCGA-GBM and TCGA-LGG,
and the WHO 2021 reclassification of Zakharova et al. 2022 (1p/19q and class). The IDH status is not taken from them but
from the variant calls (`tcga`); contradictions with the WHO class are listed.
"""

import textwrap
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.cells import is_unknown
from glioma_idh.cohorts.manifests import parse_columns
from glioma_idh.cohorts.sheets import parse_column, parse_ids, read_sheet
from glioma_idh.errors import InputError

CLINICAL_COLUMNS = (
    *("bcr_patient_barcode", "type", "age_at_initial_pathologic_diagnosis", "gender"),
    *("histological_type", "histological_grade"),
)
WHO_COLUMNS = ("subject", "codeletion_1p19q", "who2021")
HISTOLOGIES = {  # words of the table -> histology, and whether the tumour was treated before the operation
    "": ("", ""),
    "untreated primary (de novo) gbm": ("glioblastoma", "0"),
    "treated primary gbm": ("glioblastoma", "1"),
    "glioblastoma multiforme (gbm)": ("glioblastoma", ""),
    **{name: (name, "") for name in ("astrocytoma", "oligoastrocytoma", "oligodendroglioma")},
}
DISAGREEMENT_COLUMNS = ["subject", "patient", "idh", "idh_evidence", "who2021"]
_PATTERN, _EXAMPLE = r"TCGA-\w\w-\w{4}", "TCGA-06-0221"


def read_facts(
    patients: Iterable[str], clinical: str | Path | None = None, who2021: str | Path | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """Read the clinical data of patients.

    Args:
        patients: ids of the patients in the variant tables.
        clinical: file of the TCGA Clinical Data Resource, if available.
        who2021: file of the WHO 2021 reclassification, if available.

    Returns:
        Columns of the cohort table as text, indexed by patient, "" where not known; and sentences on patients that are
        in only one of the tables.

    Raises:
        InputError: a table contains none of the patients.
    """
    index = pd.Index(patients, name="patient")
    parts, notes = [pd.DataFrame(index=index)], []
    for file, read in ((clinical, read_clinical), (who2021, read_who2021)):
        if file is None:
            continue
        table, name = read(file), Path(file).name
        others, unknown = table.index.difference(index), index.difference(table.index)
        if len(unknown) == len(index):
            found = textwrap.shorten(", ".join(others), 60)
            expected, advice = "patients of the variant tables", "Check that all files are of the same cohort."
            raise InputError(expected, f"only other patients, such as {found}", advice, file)
        if len(others):
            who = textwrap.shorten(", ".join(others), 200)
            notes.append(f"{name}: {len(others)} patients are in no variant table and are left out: {who}.")
        if len(unknown):
            notes.append(f"{name}: no row for {len(unknown)} of the {len(index)} patients in the variant tables.")
        parts.append(table.reindex(index, fill_value=""))
    return pd.concat(parts, axis=1), notes


def read_clinical(path: str | Path) -> pd.DataFrame:
    """Read `age_years, sex, grade, histology, treated_before` of gliomas, indexed by patient; glioblastoma: grade 4."""
    whole = read_sheet(path, CLINICAL_COLUMNS)
    sheet = whole[whole["type"].isin(("GBM", "LGG"))]
    if sheet.empty:
        found = ", ".join(whole["type"].unique()[:5])
        raise InputError("patients of type GBM or LGG", f"types {found}", "Give the table as published.", path)
    patients = parse_ids(sheet, "bcr_patient_barcode", _PATTERN, _EXAMPLE)
    facts = parse_columns(sheet, age_years="age_at_initial_pathologic_diagnosis", sex="gender")
    grades, expected = ("G1", "G2", "G3", "G4"), "a grade from G1 to G4, or [Not Available]"
    grade = parse_column(sheet, "histological_grade", lambda cell: _known(cell, cell in grades, expected))
    facts["grade"] = grade.str.removeprefix("G").mask(sheet["type"] == "GBM", "4")
    expected = "a histological type of glioma as in the Clinical Data Resource"
    words = parse_column(sheet, "histological_type", lambda c: _known(c.lower(), c.lower() in HISTOLOGIES, expected))
    for at, name in enumerate(("histology", "treated_before")):
        facts[name] = words.map({word: told[at] for word, told in HISTOLOGIES.items()})
    return pd.DataFrame(facts).set_axis(pd.Index(patients, name="patient"))


def read_who2021(path: str | Path) -> pd.DataFrame:
    """Read `codeletion_1p19q` and `who2021` (the class as text), indexed by patient.

    Raises:
        InputError: a class contains no IDH status.
    """
    sheet = read_sheet(path, WHO_COLUMNS)
    patients = parse_ids(sheet, "subject", _PATTERN, _EXAMPLE)
    facts = parse_columns(sheet, codeletion_1p19q="codeletion_1p19q")
    expected = "a WHO 2021 class with IDH-mutant or IDH-wildtype, or empty"
    facts["who2021"] = parse_column(sheet, "who2021", lambda cell: _known(cell, _idh_of_class(cell), expected))
    return pd.DataFrame(facts).set_axis(pd.Index(patients, name="patient"))


def find_disagreements(manifest: pd.DataFrame) -> pd.DataFrame:
    """List the subjects whose WHO 2021 class contradicts their IDH status."""
    by_class = manifest["who2021"].map(_idh_of_class)
    other = (by_class != manifest["idh"]) & (by_class != "") & (manifest["idh"] != "")
    return manifest.loc[other, DISAGREEMENT_COLUMNS].reset_index(drop=True)


def _idh_of_class(name: str) -> str:
    """Return the IDH status that a WHO 2021 class contains: "1", "0" or ""."""
    return "1" if "IDH-mutant" in name else "0" if "IDH-wildtype" in name else ""


def _known(cell: str, is_right: bool | str, expected: str) -> str:
    """Return a cell, "" if it is unknown; ValueError if it is known but not `is_right`."""
    if is_unknown(cell):
        return ""
    if not is_right:
        raise ValueError(expected)
    return cell
