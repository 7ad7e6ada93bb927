"""The Erasmus Glioma Database (van der Voort et al., Data in Brief 2021). Its images are not skull-stripped."""

import json
from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.folders import Layout, PublicCohort, find_files
from glioma_idh.cohorts.manifests import make_manifest, parse_columns
from glioma_idh.cohorts.sheets import parse_ids, read_sheet
from glioma_idh.errors import InputError

LAYOUT = Layout(
    subject=r"EGD-\d{4}",
    files=r"/(?:.*/)?(?P<scan>[^/]+)",
    scans={"t1": ("T1",), "t1gd": ("T1GD",), "t2": ("T2",), "flair": ("FLAIR",), "lesion_mask": ("MASK",)},
    example="SUBJECTS/EGD-0001/T1GD.nii.gz",
    rename=str.upper,
)
COLUMNS = ("Subject", "IDH")  # required; Grade, Age and Sex are read if available


def labels(sheet: Path | None, images: Path) -> pd.DataFrame:
    """Read the labels from `Genetic_and_Histological_labels.xlsx`, else from `metadata.json` next to the images."""
    if sheet is not None:
        table = read_sheet(sheet, COLUMNS)
    else:
        files = find_files(images, "metadata.json")
        rows = [_from_json(path) for path in files if path.parent.name[:4].upper() == "EGD-"]
        table = pd.DataFrame(rows, range(2, len(rows) + 2), columns=[*COLUMNS, "Grade", "Age", "Sex"], dtype=str)
        table.attrs["file"] = f"metadata.json below {images}"
    subjects = parse_ids(table, "Subject", LAYOUT.subject, "EGD-0001")
    facts = parse_columns(table, grade="Grade", age_years="Age", sex="Sex", idh="IDH")
    return make_manifest(subjects, subjects, "egd", site="EMC", idh_evidence="IDH " + table["IDH"], **facts)


def _from_json(path: Path) -> dict[str, str]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        told, person = content["Genetic_and_Histological_labels"], content.get("Clinical_data", {})
        cells = {"IDH": told["IDH"], "Grade": told.get("Grade"), "Age": person.get("Age"), "Sex": person.get("Sex")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        expected, found = "metadata of the EGD with an IDH label", f"{type(error).__name__}: {error}"
        raise InputError(expected, found, "Download it again.", path, path.parent.name) from error
    known = {name: "" if cell is None else str(cell) for name, cell in cells.items()}
    return {"Subject": path.parent.name.upper(), **known}


EVERY_COLUMN = frozenset((*COLUMNS, "1p19q", "Grade", "Age", "Sex"))
COHORTS = {"egd": PublicCohort(LAYOUT, labels, COLUMNS, "the Erasmus Glioma Database", EVERY_COLUMN)}
