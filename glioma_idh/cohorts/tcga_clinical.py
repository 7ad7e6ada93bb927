"""Age, sex, grade, histology, 1p/19q codeletion and WHO 2021 class of TCGA's patients, from two published tables.

They are the TCGA Clinical Data Resource (Liu et al., Cell 2018), as it is or cut down to TCGA-GBM and TCGA-LGG, and a
relabelling by the WHO classification of 2021 (Zakharova et al. 2022): 1p/19q and the class, in words.
IDH status comes from neither: it stays by the rule of `tcga`, and where the WHO class says otherwise, that is listed.
"""

import textwrap
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
HISTOLOGIES = {  # the table's words: histology, and whether the tumour was treated before the operation
    "": ("", ""),
    "untreated primary (de novo) gbm": ("glioblastoma", "0"),
    "treated primary gbm": ("glioblastoma", "1"),
    "glioblastoma multiforme (gbm)": ("glioblastoma", ""),
    **{name: (name, "") for name in ("astrocytoma", "oligoastrocytoma", "oligodendroglioma")},
}
DISAGREEMENT_COLUMNS = ["subject", "patient", "idh", "idh_evidence", "who2021"]
_PATTERN, _EXAMPLE = r"TCGA-\w\w-\w{4}", "TCGA-06-0221"


def read_facts(patients, clinical=None, who2021=None) -> tuple[pd.DataFrame, list[str]]:
    """What the two tables, each if named, tell of the patients of the variant tables, of whom each must know one.

    Returns columns of the cohort table as text, indexed by patient, empty where not known; and notes: sentences on who
    is in one table and not in the other.
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
            raise InputError("patients of the variant tables", f"none of them, but {found}", "Check the file.", file)
        if len(others):
            who = textwrap.shorten(", ".join(others), 200)
            notes.append(f"{name}: {len(others)} patients are in no variant table and left out: {who}.")
        if len(unknown):
            notes.append(f"{name}: no row for {len(unknown)} of the {len(index)} patients in the variant tables.")
        parts.append(table.reindex(index, fill_value=""))
    return pd.concat(parts, axis=1), notes


def read_clinical(path) -> pd.DataFrame:
    """`age_years, sex, grade, histology, treated_before` of gliomas, by patient; a glioblastoma is of grade 4."""
    whole = read_sheet(path, CLINICAL_COLUMNS)
    sheet = whole[whole["type"].isin(("GBM", "LGG"))]
    if sheet.empty:
        found = ", ".join(whole["type"].unique()[:5])
        raise InputError("patients of type GBM or LGG", f"types {found}", "Name the table as published.", path)
    patients = parse_ids(sheet, "bcr_patient_barcode", _PATTERN, _EXAMPLE)
    facts = parse_columns(sheet, age_years="age_at_initial_pathologic_diagnosis", sex="gender")
    grades, expected = ("G1", "G2", "G3", "G4"), "a grade from G1 to G4, or [Not Available]"
    grade = parse_column(sheet, "histological_grade", lambda cell: _known(cell, cell in grades, expected))
    facts["grade"] = grade.str.removeprefix("G").mask(sheet["type"] == "GBM", "4")
    expected = "the Clinical Data Resource's word for a glioma"
    words = parse_column(sheet, "histological_type", lambda c: _known(c.lower(), c.lower() in HISTOLOGIES, expected))
    for at, name in enumerate(("histology", "treated_before")):
        facts[name] = words.map({word: told[at] for word, told in HISTOLOGIES.items()})
    return pd.DataFrame(facts).set_axis(pd.Index(patients, name="patient"))


def read_who2021(path) -> pd.DataFrame:
    """`codeletion_1p19q, who2021`, the class in the table's words, indexed by patient; it must name an IDH status."""
    sheet = read_sheet(path, WHO_COLUMNS)
    patients = parse_ids(sheet, "subject", _PATTERN, _EXAMPLE)
    facts = parse_columns(sheet, codeletion_1p19q="codeletion_1p19q")
    expected = "a WHO 2021 class with IDH-mutant or IDH-wildtype, or empty"
    facts["who2021"] = parse_column(sheet, "who2021", lambda cell: _known(cell, _idh_of_class(cell), expected))
    return pd.DataFrame(facts).set_axis(pd.Index(patients, name="patient"))


def find_disagreements(manifest: pd.DataFrame) -> pd.DataFrame:
    """The subjects whose WHO 2021 class names another IDH status than the rule gives them."""
    by_class = manifest["who2021"].map(_idh_of_class)
    other = (by_class != manifest["idh"]) & (by_class != "") & (manifest["idh"] != "")
    return manifest.loc[other, DISAGREEMENT_COLUMNS].reset_index(drop=True)


def _idh_of_class(name: str) -> str:
    """The IDH status that a WHO 2021 class names: 1, 0, or empty."""
    return "1" if "IDH-mutant" in name else "0" if "IDH-wildtype" in name else ""


def _known(cell: str, is_right, expected: str) -> str:
    """A cell of the tables' own words; empty where it is not known, else it must be right."""
    if is_unknown(cell):
        return ""
    if not is_right:
        raise ValueError(expected)
    return cell
