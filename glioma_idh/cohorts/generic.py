"""Any other cohort: a folder a subject, files told by the words in their names, and a label sheet of your own."""

import re
from collections import defaultdict
from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.cells import (
    MANGLED_ID,
    parse_age,
    parse_codeletion,
    parse_grade,
    parse_idh,
    parse_mgmt,
    parse_sex,
)
from glioma_idh.cohorts.folders import Ignored, nifti_files, what_is_there
from glioma_idh.cohorts.manifests import make_manifest
from glioma_idh.cohorts.sheets import cell_error, has_columns, parse_column, parse_ids, read_sheet
from glioma_idh.cohorts.table import PATHS
from glioma_idh.errors import InputError
from glioma_idh.imaging.series_names import roles_named, words_of

EXAMPLE = "SUBJECT/t1gd.nii.gz"
OWN_COLUMNS = ("subject", "idh")


def own_labels(path) -> pd.DataFrame | None:
    """A label sheet in the columns of the cohort table (`subject`, `idh`, ...), for any cohort.

    Returns:
        Its identity columns, `patient` empty where the sheet does not say; None where it has not both `subject` and
        `idh`.

    Raises:
        InputError: a subject stands there twice, or a label cannot be read; it names row and column.
    """
    if not has_columns(path, OWN_COLUMNS):
        return None
    sheet = read_sheet(path, OWN_COLUMNS)
    subjects = parse_ids(sheet, "subject", rf"(?!({MANGLED_ID})$).+", "SUBJECT-001")
    columns = {name: sheet[name] for name in ("site", "idh_evidence", "histology", "who2021") if name in sheet}
    parsers = {"idh": parse_idh, "age_years": parse_age, "sex": parse_sex, "grade": parse_grade}
    parsers |= {"codeletion_1p19q": parse_codeletion, "mgmt": parse_mgmt}
    columns |= {name: parse_column(sheet, name, parse) for name, parse in parsers.items() if name in sheet}
    patients = sheet.get("patient", pd.Series("", sheet.index))
    named = make_manifest(subjects, patients.where(patients != "", subjects), "", **columns)
    return named.assign(patient=named["subject"].map(patients.set_axis(subjects)))


def find_own_scans(images) -> tuple[dict[str, dict[str, Path]], list[Ignored]]:
    """Find each subject's files in a folder a subject; what a file is, the words in its name tell.

    Nothing is guessed: a file whose name has no such word, or words of two sequences, is left aside, and so are two
    files of a subject that could be the same sequence.

    Args:
        images: folder that holds a folder a subject.

    Returns:
        For each subject the path in each column; and the files that were not taken, with the reason.

    Raises:
        InputError: there is no subject; it says what was looked for and what is there.
    """
    found, ignored = defaultdict(lambda: defaultdict(dict)), []
    for path in nifti_files(images):
        relative = path.relative_to(images)
        stem = re.sub(r"\.nii(\.gz)?$", "", relative.as_posix(), flags=re.IGNORECASE)
        columns = _columns(relative.name, subject=relative.parts[0])
        if len(relative.parts) < 2 or len(columns) != 1:
            reason = f"could be {' or '.join(columns)}" if columns else "its name says no sequence"
            in_folder = len(relative.parts) > 1
            ignored.append(Ignored(relative.as_posix(), reason if in_folder else "lies in no subject's folder"))
        elif path.suffix == ".gz" or stem not in found[relative.parts[0]][columns[0]]:
            found[relative.parts[0]][columns[0]][stem] = path
    scans = {}
    for subject in sorted(found):
        scans[subject] = {column: next(iter(files.values())) for column, files in found[subject].items()}
        for column, files in found[subject].items():
            if len(files) > 1:
                del scans[subject][column]
                names = " or ".join(path.name for path in files.values())
                ignored.append(Ignored(subject, f"{column} could be {names}: leave one in the folder"))
    if not scans:
        advice = "Give each subject a folder, or name the files in a cohort CSV."
        raise InputError(f"files such as {EXAMPLE}", what_is_there(images), advice, file=images)
    return scans, ignored


def check_numbers(who: pd.DataFrame, scans: dict, labels) -> None:
    """Ids on a sheet must not be numbers that have lost the zeros which the folders have.

    Raises:
        InputError: one has; it names row and column.
    """
    folders = {subject.lstrip("0"): subject for subject in scans if subject.isdigit()}
    for subject in who["subject"]:
        if subject not in scans and subject in folders:
            sheet = read_sheet(labels, OWN_COLUMNS)
            row = sheet.index[sheet["subject"] == subject][0]
            advice = "A spreadsheet has taken the zeros away: keep the column as text."
            raise cell_error(sheet, row, "subject", f"an id such as its folder's, {folders[subject]}", advice)


def _columns(name: str, subject: str) -> list[str]:
    """The columns of the cohort table that a file's name could stand for."""
    stem = re.sub(r"\.nii(\.gz)?$", "", name, flags=re.IGNORECASE)
    stem = stem[len(subject) :] if stem.lower().startswith(subject.lower()) else stem
    roles = roles_named(words_of(stem), described=False) or ()
    return [column for column in PATHS if column in roles]
