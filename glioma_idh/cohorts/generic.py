"""Any other cohort: a folder a subject, files told by the words in their names, and a label sheet of your own."""

import re
from collections import defaultdict
from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.column_names import IDENTITY, paths_named
from glioma_idh.cohorts.folders import Ignored, nifti_files, what_is_there
from glioma_idh.cohorts.manifests import make_manifest
from glioma_idh.cohorts.own_tables import read_own_table
from glioma_idh.cohorts.sheets import cell_error, parse_ids
from glioma_idh.errors import InputError

EXAMPLE = "SUBJECT/t1gd.nii.gz"
NO_LABELS = ("subject", "patient", "cohort")


def own_labels(path) -> pd.DataFrame:
    """A label sheet in the columns of the cohort table (`subject`, `idh`, ...), for any cohort.

    Returns:
        Its identity columns, `patient` empty where the sheet does not say.

    Raises:
        InputError: as `read_own_table`; or a subject stands there twice.
    """
    sheet = read_own_table(path, IDENTITY)
    subjects = parse_ids(sheet, "subject", ".+", "SUBJECT-001")
    columns = {name: sheet[name] for name in sheet if name not in NO_LABELS}
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
        advice = "Give each subject a folder, or name the files in a cohort table."
        raise InputError(f"files such as {EXAMPLE}", what_is_there(images), advice, file=images)
    return scans, ignored


def check_numbers(who: pd.DataFrame, subjects, labels) -> None:
    """Ids on a sheet must not be numbers that have lost the zeros which those of the scans have, or the other way.

    Args:
        who: as `own_labels` gives them.
        subjects: ids of the scans.
        labels: the sheet.

    Raises:
        InputError: one has; it names row and column.
    """
    known = set(subjects)
    by_number = {int(subject): subject for subject in known if subject.isdecimal()}
    for subject in who["subject"]:
        if subject not in known and subject.isdecimal() and int(subject) in by_number:
            sheet = read_own_table(labels, IDENTITY)
            row, other = sheet.index[sheet["subject"] == subject][0], by_number[int(subject)]
            advice = "A spreadsheet has taken the zeros away: keep the column as text."
            if len(subject) > len(other):
                advice = "A spreadsheet has taken the zeros of the scans' ids away: keep that column as text."
            raise cell_error(sheet, row, "subject", f"an id as that of its scans, {other}", advice)


def _columns(name: str, subject: str) -> list[str]:
    """The columns of the cohort table that a file's name could stand for."""
    stem = re.sub(r"\.nii(\.gz)?$", "", name, flags=re.IGNORECASE)
    stem = stem[len(subject) :] if stem.lower().startswith(subject.lower()) else stem
    return paths_named(stem)
