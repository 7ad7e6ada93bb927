"""Read a user's own cohort: one folder per subject, sequences recognised by file names, and a label sheet."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.cells import status_of
from glioma_idh.cohorts.column_names import IDENTITY, paths_named
from glioma_idh.cohorts.folders import Ignored, nifti_files, what_is_there, without_ending
from glioma_idh.cohorts.manifests import make_manifest
from glioma_idh.cohorts.own_tables import read_own_table
from glioma_idh.cohorts.sheets import cell_error, parse_ids, say_once
from glioma_idh.errors import InputError

EXAMPLE = "SUBJECT/t1gd.nii.gz"
RELABELLED = [column for column in IDENTITY if column not in ("subject", "cohort", "idh", "idh_evidence")]


def own_labels(path: str | Path) -> pd.DataFrame:
    """Read the identity columns of a label sheet; `patient` is "" where the sheet does not state it.

    Raises:
        InputError: a subject occurs twice, or the sheet cannot be read.
    """
    sheet = read_own_table(path, IDENTITY)
    subjects = parse_ids(sheet, "subject", ".+", "SUBJECT-001")
    columns = {name: sheet[name] for name in sheet if name not in ("subject", "patient", "cohort")}
    patients = sheet.get("patient", pd.Series("", sheet.index))
    named = make_manifest(subjects, patients.where(patients != "", subjects), "", **columns)
    return named.assign(patient=named["subject"].map(patients.set_axis(subjects)))


def find_own_scans(images: Path) -> tuple[dict[str, dict[str, Path]], list[Ignored]]:
    """Find the images below a folder with one folder per subject, by the words in the file names.

    Files whose names match no sequence or mask, or several, are ignored. Result and errors as for `find_scans`.
    """
    found: dict = defaultdict(lambda: defaultdict(dict))
    ignored: list[Ignored] = []
    for path in nifti_files(images):
        relative = path.relative_to(images)
        subject, stem = relative.parts[0], without_ending(relative.as_posix())
        columns = columns_named(relative.name, subject)
        if len(relative.parts) < 2:
            ignored.append(Ignored(relative.as_posix(), "is not in the folder of a subject"))
        elif len(columns) != 1:
            reason = f"could be {' or '.join(columns)}" if columns else "its name contains no sequence"
            ignored.append(Ignored(relative.as_posix(), reason))
        elif path.suffix == ".gz" or stem not in found[subject][columns[0]]:
            found[subject][columns[0]][stem] = path
    scans = {}
    for subject in sorted(found):
        scans[subject] = {column: next(iter(files.values())) for column, files in found[subject].items()}
        for column, files in found[subject].items():
            if len(files) > 1:
                del scans[subject][column]
                names = " or ".join(path.name for path in files.values())
                ignored.append(Ignored(subject, f"{column} could be {names}: keep only one in the folder"))
    if not scans:
        advice = "Put the images of each subject into a folder, or list the files in a cohort table."
        raise InputError(f"files such as {EXAMPLE}", what_is_there(images), advice, file=images)
    return scans, ignored


def columns_named(name: str, subject: str) -> list[str]:
    """List the columns of the cohort table that the name of a subject's file could mean."""
    stem = without_ending(name)
    return paths_named(stem[len(subject) :] if stem.lower().startswith(subject.lower()) else stem)


def check_numbers(who: pd.DataFrame, subjects: Iterable[str], labels: str | Path) -> None:
    """Raise InputError if numeric ids in the sheet `labels` and in `subjects` differ only in leading zeros."""
    known = set(subjects)
    by_number = {int(subject): subject for subject in known if subject.isdecimal()}
    for subject in who["subject"]:
        if subject not in known and subject.isdecimal() and int(subject) in by_number:
            sheet = read_own_table(labels, IDENTITY)
            row, other = sheet.index[sheet["subject"] == subject][0], by_number[int(subject)]
            advice = "A spreadsheet program has removed the leading zeros: format the column as text."
            if len(subject) > len(other):
                advice = "A spreadsheet program has removed the leading zeros of the image ids: format them as text."
            raise cell_error(sheet, row, "subject", f"the id that its images have, {other}", advice)


def without_images(who: pd.DataFrame, scans: Collection[str], labels: Path) -> list[Ignored]:
    """List the subjects of a label sheet that have no images; InputError if that is all of them."""
    missing = [subject for subject in who["subject"] if subject not in scans]
    if len(missing) == len(who):
        found = f"{', '.join(missing[:3])} in the label sheet, but {', '.join(sorted(scans)[:3])} among the images"
        expected, advice = "the same subject ids in label sheet and images", "Use the ids of the images in the sheet."
        raise InputError(expected, found, advice, labels)
    return [Ignored(subject, "a label without images") for subject in missing]


def relabel(table: pd.DataFrame, labels: Path) -> tuple[pd.DataFrame, list[Ignored]]:
    """Add the values of a label sheet to a cohort table. The sheet takes precedence; contradictions are logged."""
    who = own_labels(labels)
    check_numbers(who, table["subject"], labels)
    ignored = without_images(who, set(table["subject"]), labels)
    who = who.set_index("subject")
    former, told = table["idh"].map(status_of), table["subject"].map(who["idh"]).fillna("")
    turned = table["subject"][(former != "") & (told != "") & (former != told)].tolist()
    if turned:
        shown = f"{', '.join(turned[:3])}{' ...' if len(turned) > 3 else ''}"
        text = f"idh of {len(turned)} subjects differs from the cohort table; the value of this sheet is used"
        say_once(f"{labels}: {text} ({shown}).")
    for column in ("idh", "idh_evidence"):
        table[column] = table["subject"].map(who[column]).astype(object).fillna("")
    for column in RELABELLED:
        told = table["subject"].map(who[column]).astype(object).fillna("")
        former = table[column].where(table[column] != table["subject"], "") if column == "patient" else table[column]
        other = (told != "") & (former != "") & (told != former)
        if other.any():
            first = table[other].iloc[0]
            text = f"{column} of {other.sum()} subjects differs from the cohort table; the value of this sheet is used"
            text = f"{labels}: {text} (first: {first['subject']}, {who.at[first['subject'], column]}"
            say_once(f"{text} instead of {first[column]}).")
        table[column] = table[column].where(told == "", told)
    return table, ignored
