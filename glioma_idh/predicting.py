"""What the `predict` commands of both papers do alike: what a patient is called, a look at what is given, and a table
that loses nobody."""

import re
import sys
from io import StringIO
from pathlib import Path

import pandas as pd
from joblib import delayed

from glioma_idh import runs
from glioma_idh.cohorts.checks.copies import NAMES, OF_NAMES, report_copies, stem_of
from glioma_idh.cohorts.checks.images import check_subject
from glioma_idh.cohorts.scans import print_remarks
from glioma_idh.cohorts.table import COLUMNS, SEQUENCES, exclusions_table
from glioma_idh.departures import find_departures
from glioma_idh.errors import InputError
from glioma_idh.files import SCORE_FORMAT, write_table
from glioma_idh.imaging.dicom.headers import is_dicom_folder
from glioma_idh.imaging.series_names import roles_named, words_of
from glioma_idh.imaging.series_vocabulary import UNKNOWN
from glioma_idh.parallel import run_parallel
from glioma_idh.reporting.text.prediction_text import prediction_text

SAID = {"large lesion", "outside brain", "probabilities", "not brain alone"}
"""Problems of images that the preparation has spoken of."""
SHOWN = 3


def check_files(**given: Path | None) -> None:
    """What is given as an image must be a file, and no two options the same one.

    Args:
        **given: by the option's name; None where it is not given.

    Raises:
        InputError: there is none, or it is a folder, or the file of another option.
    """
    of_file = {}
    for name, path in given.items():
        option = f"--{name.replace('_', '-')}"
        if path is None:
            continue
        if path.is_file():
            other = of_file.setdefault(path.resolve(), option)
            if other != option:
                expected, advice = f"two files for {other} and {option}", f"Check {other} and {option}."
                raise InputError(expected, "the same file for both", advice, file=path)
            continue
        found, advice = "a folder", "Name the file in it."
        if not path.is_dir():
            found, advice = "no file", f"Check {option}."
        elif is_dicom_folder(path):
            found = "a folder of DICOM files"
            advice = f"Prepare the patient first: python -m glioma_idh.prepare {path} --out DIR."
        raise InputError(f"a NIfTI file for {option}", found, advice, file=path)


def subject_of(scan: Path, given: str | None) -> str:
    """What a patient is called: as given, else by the scan's file, whose folder it is where a name is but a sequence.

    Raises:
        InputError: the given name cannot be that of a file.
    """
    if given is not None:
        if not given.strip() or re.search(r'[/\\:*?"<>|]', given):
            raise InputError("a --subject that can name a file", repr(given), "Use letters, digits, - and _.")
        return given.strip()
    stem = stem_of(scan)
    parts = [words_of(part) for part in re.findall("[^\\W_]+", stem) if part.lower() not in ("2d", "3d")]
    says_who = any(not words or UNKNOWN in words for words in parts)
    if roles_named(words_of(stem), described=False) is not None and not says_who:
        return scan.absolute().parent.name or stem
    return stem


def one_patient(subject: str, images: dict[str, Path | None]) -> pd.DataFrame:
    """The cohort table of one patient, whose images are given by column; None where there is none."""
    paths = {column: str(path or "") for column, path in images.items()}
    return pd.DataFrame([dict.fromkeys(COLUMNS, "") | {"subject": subject, "patient": subject} | paths])


def output_folder(wanted) -> Path:
    """Where the predictions of a command go: `--out`, by default `predict` in the run's folder."""
    return wanted.out or wanted.run_dir / runs.PREDICT


def record_predictions(predictions, subjects, columns, measured, judged, errors, mask_remarks, wanted) -> pd.DataFrame:
    """Add what looks wrong to predictions, write them beside earlier ones, and say what must be said of the images.

    Args:
        predictions: one row a subject.
        subjects: cohort table of the same.
        columns: of it, those that are read.
        measured: a row a subject, as `departures.find_departures` takes it.
        judged: the paper's measures that are judged alone, and the group of those that are judged together.
        errors: one a subject set aside.
        mask_remarks: one a subject whose mask was read.
        wanted: a `Prediction` of either paper.

    Returns:
        The predictions, with the column `remarks`.
    """
    unlike = find_departures(measured, wanted.run_dir / runs.MEASURES, *judged)
    looks = look_at(subjects, columns, unlike, jobs=1 if wanted.cohort is None else -1)
    predictions = predictions.assign(remarks=[" ".join(looks.get(name, [])) for name in predictions["subject"]])
    write_predictions(predictions, output_folder(wanted) / runs.PREDICTIONS)
    write_table(exclusions_table(errors), output_folder(wanted) / runs.EXCLUSIONS)
    print_remarks(mask_remarks)
    print_looks(looks, len(predictions))
    return predictions


def look_at(subjects: pd.DataFrame, columns: list[str], unlike: dict[str, list[str]], jobs: int = 1) -> dict:
    """Look at what is given as `cohorts check` does.

    Args:
        subjects: cohort table.
        columns: those that are read.
        unlike: by subject what is unlike that which the run learnt from.
        jobs: processes; -1 is one a processor.

    Returns:
        By subject what looks wrong, in sentences; nobody of whom there is nothing to say.
    """
    rows = [row.where(row.index.isin(columns) | ~row.index.isin(list(SEQUENCES)), "") for _, row in subjects.iterrows()]
    found = {}
    looks = list(run_parallel((delayed(check_subject)(row) for row in rows), jobs))
    report_copies([scan for scans, _ in looks for scan in scans])
    for row, (scans, _) in zip(rows, looks, strict=True):
        problems = [(scan.image, *problem) for scan in scans for problem in scan.problems]
        of_images = [
            sentence if words == OF_NAMES else f"{NAMES[image]}: {sentence}"
            for image, words, sentence in problems
            if words not in SAID
        ]
        if sentences := [*of_images, *unlike.get(row["subject"], [])]:
            found[row["subject"]] = sentences
    return found


def print_looks(found: dict[str, list[str]], num_subjects: int) -> None:
    """Say on standard error what looks wrong, of the first few of so many subjects."""
    for subject in list(found)[:SHOWN]:
        for sentence in found[subject]:
            print(f"{subject}: {sentence}", file=sys.stderr)
    if len(found) > SHOWN:
        text = f"{len(found)} of {num_subjects} subjects have such remarks: column remarks of {runs.PREDICTIONS}"
        print(text, file=sys.stderr)
    if found:
        print("Look at scan, mask and picture before you believe such a score.", file=sys.stderr)


def write_predictions(table: pd.DataFrame, path: Path) -> None:
    """Write predictions, beside those of other subjects that are in the file already; say whom they replace.

    Args:
        table: one row a subject, with the column `subject`.
        path: of the CSV file.
    """
    as_text = {"dtype": str, "keep_default_na": False}
    table = pd.read_csv(StringIO(table.to_csv(index=False, float_format=SCORE_FORMAT)), **as_text)
    former = pd.read_csv(path, **as_text) if path.is_file() else table.iloc[:0]
    former = former.rename(columns={"score_mean": "score"})  # as earlier versions call it
    again = former["subject"].isin(table["subject"])
    changed = set(former["subject"][again]) - set(former.merge(table)["subject"])
    if changed:
        text = f"{path}: replaces earlier predictions of {', '.join(sorted(changed)[:3])}"
        print(f"{text}{' ...' if len(changed) > 3 else ''}; --subject tells patients apart.", file=sys.stderr)
    write_table(pd.concat([former[~again], table], ignore_index=True).fillna(""), path)


def print_predictions(predictions: pd.DataFrame, wanted) -> None:
    """Print the table on standard output, for programs, and what it means on standard error."""
    text = prediction_text(predictions, wanted.run_dir, output_folder(wanted))
    print(predictions.to_csv(index=False, float_format="%.4g"), end="", flush=True)
    print(text, file=sys.stderr)
