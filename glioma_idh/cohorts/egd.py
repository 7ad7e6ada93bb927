"""The Erasmus Glioma Database as downloaded (van der Voort et al., Data in Brief 2021): not skull-stripped."""

import json
from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.cells import parse_age, parse_grade, parse_idh, parse_sex
from glioma_idh.cohorts.folders import Layout, find_files
from glioma_idh.cohorts.manifests import make_manifest
from glioma_idh.cohorts.sheets import parse_column, parse_ids, read_sheet
from glioma_idh.errors import InputError

LAYOUT = Layout(
    subject=r"EGD-\d{4}",
    files=r"/(?:.*/)?(?P<scan>[^/]+)",
    scans={"t1": ("T1",), "t1gd": ("T1GD",), "t2": ("T2",), "flair": ("FLAIR",), "lesion_mask": ("MASK",)},
    example="SUBJECTS/EGD-0001/T1GD.nii.gz",
    rename=str.upper,
)
COLUMNS = ("Subject", "IDH")
EVERY_COLUMN = frozenset((*COLUMNS, "1p19q", "Grade", "Age", "Sex"))


def egd_manifest(sheet: pd.DataFrame) -> pd.DataFrame:
    """Who is who in EGD.

    Args:
        sheet: as `read_sheet` gives it, with the columns `Subject` and `IDH` (1, 0, -1 unknown), and where there are
            `Grade`, `Age`, `Sex`.

    Raises:
        InputError: a cell cannot be read; it names row and column.
    """
    subjects = parse_ids(sheet, "Subject", r"EGD-\d{4}", "EGD-0001")
    parsers = {"Grade": ("grade", parse_grade), "Age": ("age_years", parse_age), "Sex": ("sex", parse_sex)}
    extra = {name: parse_column(sheet, column, parse) for column, (name, parse) in parsers.items() if column in sheet}
    return make_manifest(
        subjects,
        subjects,
        "egd",
        site="EMC",
        idh=parse_column(sheet, "IDH", parse_idh),
        idh_evidence="IDH " + sheet["IDH"],
        **extra,
    )


def labels(sheet, images) -> pd.DataFrame:
    """`Genetic_and_Histological_labels.xlsx` if named, else the `metadata.json` beside each subject's scans."""
    if sheet is not None:
        return egd_manifest(read_sheet(sheet, COLUMNS))
    rows = [_from_json(path) for path in find_files(images, "metadata.json") if path.parent.name[:4].upper() == "EGD-"]
    if not rows:
        empty = pd.Series([], dtype=str)
        return make_manifest(empty, empty, "egd")
    table = pd.DataFrame(rows, index=range(2, len(rows) + 2))
    table.attrs["file"] = f"metadata.json below {images}"
    return egd_manifest(table)


def _from_json(path: Path) -> dict[str, str]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        labels, person = content["Genetic_and_Histological_labels"], content.get("Clinical_data", {})
        cells = {"IDH": labels["IDH"], "Grade": labels.get("Grade"), "Age": person.get("Age"), "Sex": person.get("Sex")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        found = f"{type(error).__name__}: {error}"
        raise InputError(
            "EGD's metadata with an IDH label", found, "Download it again.", path, path.parent.name
        ) from error
    return {
        "Subject": path.parent.name.upper(),
        **{name: "" if cell is None else str(cell) for name, cell in cells.items()},
    }
