"""Shared parts of the two `predict` commands: load networks, read and check subjects, write predictions and warnings.

`wanted` is a `Prediction` of either paper. Files, folders and names that cannot be used raise an `InputError`.
"""

import logging
import re
from io import StringIO
from pathlib import Path

import pandas as pd
from joblib import delayed

from glioma_idh import cohorts, runs
from glioma_idh.cohorts.checks.copies import NAMES, OF_NAMES, report_copies, stem_of
from glioma_idh.cohorts.checks.images import check_subject
from glioma_idh.cohorts.scans import MaskRemarks, print_remarks
from glioma_idh.cohorts.table import COLUMNS, PATHS, SEQUENCES, check_subjects, exclusions_table, require_files
from glioma_idh.departures import Group, Measure, find_departures
from glioma_idh.errors import InputError
from glioma_idh.files import SCORE_FORMAT, write_table
from glioma_idh.imaging.dicom.headers import is_dicom_folder
from glioma_idh.imaging.series_names import roles_named, words_of
from glioma_idh.imaging.series_vocabulary import UNKNOWN
from glioma_idh.parallel import run_parallel
from glioma_idh.record import reads
from glioma_idh.reporting.text.cautions import prediction_text
from glioma_idh.runs.networks import load_network, network_files
from glioma_idh.runs.run import is_synthetic, require_finished

# problems that the preprocessing has already reported
REPORTED = {"large lesion", "outside brain", "probabilities", "not skull-stripped"}
SHOWN = 3  # subjects named in a message
logger = logging.getLogger(__name__)


def load_networks(run_dir: Path, input_shape: tuple[int, ...], outputs: tuple[str, ...] = ()) -> list:
    """Load the network of each split of a finished run; InputError if input shape or output names do not match."""
    networks = []
    for file in network_files(run_dir):
        network = load_network(file)
        wanted, found = (tuple(input_shape), sorted(outputs)), (network.input_shape[1:], sorted(network.output_names))
        if wanted[0] != found[0] or (outputs and wanted[1] != found[1]):
            texts = [f"{shape} with {', '.join(names)}" if outputs else f"{shape}" for shape, names in (wanted, found)]
            advice = "The file belongs to another run: restore the original, or train again."
            raise InputError(f"a network for input {texts[0]}", f"one for {texts[1]}", advice, file=file)
        networks.append(network)
    return networks


def read_finished_run(run_dir: Path, paper: str) -> tuple[dict, bool]:
    """Return the settings of a finished run of the given paper, and whether its subjects are synthetic."""
    settings = runs.read_recipe(run_dir)["recipe"]
    if settings.get("paper") != paper:
        found = f"a run of {settings.get('paper', 'something else')}"
        advice = "Use the predict command of that paper."
        raise InputError(f"a run of glioma_idh.{paper}.train", found, advice, file=run_dir)
    require_finished(run_dir)
    reads(run_dir / runs.RECIPE)
    return settings, is_synthetic(runs.read_table(run_dir / runs.COHORT))


def read_subjects(wanted, sequences) -> pd.DataFrame:
    """Read the cohort to predict: the subjects of `wanted.cohort` with at least one image. Labels are not needed."""
    settings = {"sequences": sequences, "all_visits": wanted.all_visits, "quiet": wanted.quiet}
    cohort, _ = cohorts.read(wanted.cohort, wanted.images, wanted.labels, **settings)
    table, errors = check_subjects(cohort)
    for error in errors:
        logger.warning(f"excluded: {error}")
    table = table[(table[list(PATHS)] != "").any(axis=1)]
    if table.empty:
        raise InputError("subjects with images", "none", "Check the paths in the cohort table.", file=wanted.cohort)
    require_files(table)
    return table


def warn_of_predictions(table: pd.DataFrame, wanted, recipe: dict, synthetic: bool) -> None:
    """Warn if subjects were in the training cohort, or if the networks were trained on other or synthetic data."""
    if wanted.with_skull and not recipe.get("with_skull"):
        text = "--with-skull: the run was trained on skull-stripped scans, so scores of scans with skull may differ."
        logger.warning(text)
    if known := table["patient"].isin(runs.read_table(wanted.run_dir / runs.COHORT)["patient"]).sum():
        text = f"{known} of {len(table)} subjects were in the training cohort: their scores are not test results."
        logger.warning(f"{text} The test results of the run are in {wanted.run_dir / runs.PREDICTIONS}")
    if synthetic:
        text = "These networks were trained on synthetic data (phantom): their scores mean nothing for a patient."
        logger.warning(text)


def check_files(**given: Path | None) -> None:
    """Check that each image option names an existing file, and that no two name the same file."""
    of_file = {}
    for name, path in given.items():
        option = f"--{name.replace('_', '-')}"
        if path is None:
            continue
        if path.is_file():
            if (other := of_file.setdefault(path.resolve(), option)) != option:
                expected, advice = f"two files for {other} and {option}", f"Check {other} and {option}."
                raise InputError(expected, "the same file for both", advice, file=path)
            continue
        found, advice = "a folder", "Name the NIfTI file in it."
        if not path.is_dir():
            found, advice = "no file", f"Check {option}."
        elif is_dicom_folder(path):
            found = "a folder of DICOM files"
            advice = f"Prepare the patient first: glioma-idh prepare {path} --out DIR."
        raise InputError(f"a NIfTI file for {option}", found, advice, file=path)


def subject_of(scan: Path, given: str | None) -> str:
    """Return the id of a patient: `given`, or the name of the scan's file.

    If the file name is only that of a sequence, the id is the name of its folder: `patient-7` for
    `patient-7/flair.nii.gz`.
    """
    if given is not None:
        if not given.strip() or re.search(r'[/\\:*?"<>|]', given):
            raise InputError("a --subject that is valid in file names", repr(given), "Use letters, digits, - and _.")
        return given.strip()
    stem = stem_of(scan)
    parts = [words_of(part) for part in re.findall("[^\\W_]+", stem) if part.lower() not in ("2d", "3d")]
    says_who = any(not words or UNKNOWN in words for words in parts)
    if roles_named(words_of(stem), described=False) is not None and not says_who:
        return scan.absolute().parent.name or stem
    return stem


def one_patient(subject: str, images: dict[str, Path | None]) -> pd.DataFrame:
    """Make the cohort table of one patient from the paths of its images, by column; None if an image is missing."""
    paths = {column: str(path or "") for column, path in images.items()}
    return pd.DataFrame([dict.fromkeys(COLUMNS, "") | {"subject": subject, "patient": subject} | paths])


def output_folder(wanted) -> Path:
    """Return the folder for predictions: `--out`, by default `predict` in the run folder."""
    return wanted.out or wanted.run_dir / runs.PREDICT


def record_predictions(
    predictions: pd.DataFrame,
    subjects: pd.DataFrame,
    columns: list[str],
    measured: pd.DataFrame,
    judged: tuple[tuple[Measure, ...], Group],
    errors: list[InputError],
    mask_remarks: list[MaskRemarks],
    wanted,
) -> pd.DataFrame:
    """Check the images, add the problems found as the column `remarks`, and write predictions and exclusions.

    Args:
        predictions: one row per subject.
        subjects: cohort table of these subjects.
        columns: the images of `subjects` that were used.
        measured, judged: the image measures and how they are compared with the run's (`departures.find_departures`).
        errors: one per excluded subject.
        mask_remarks: one per subject whose mask was read.
        wanted: the command line.

    Returns:
        The predictions with `remarks`.
    """
    unlike = find_departures(measured, wanted.run_dir / runs.MEASURES, *judged)
    remarks = find_problems(subjects, columns, unlike, jobs=1 if wanted.cohort is None else -1)
    predictions = predictions.assign(remarks=[" ".join(remarks.get(name, [])) for name in predictions["subject"]])
    write_predictions(predictions, output_folder(wanted) / runs.PREDICTIONS)
    write_table(exclusions_table(errors), output_folder(wanted) / runs.EXCLUSIONS)
    print_remarks(mask_remarks)
    print_problems(remarks, len(predictions))
    return predictions


def find_problems(subjects: pd.DataFrame, columns: list[str], unlike: dict[str, list[str]], jobs: int = 1) -> dict:
    """Check the images in `columns` as `cohorts check` does; returns the problems of each subject that has any.

    `unlike` has sentences to add, by subject, on differences from the run. `jobs` of -1 uses one process per processor.
    """
    rows = [row.where(row.index.isin(columns) | ~row.index.isin(list(SEQUENCES)), "") for _, row in subjects.iterrows()]
    found = {}
    checked = list(run_parallel((delayed(check_subject)(row) for row in rows), jobs))
    report_copies([scan for scans, _ in checked for scan in scans])
    for row, (scans, _) in zip(rows, checked, strict=True):
        sentences = []
        for image, words, sentence in [(scan.image, *problem) for scan in scans for problem in scan.problems]:
            if words not in REPORTED:
                sentences.append(sentence if words == OF_NAMES else f"{NAMES[image]}: {sentence}")
        if sentences := [*sentences, *unlike.get(row["subject"], [])]:
            found[row["subject"]] = sentences
    return found


def print_problems(found: dict[str, list[str]], num_subjects: int) -> None:
    """Print the problems of the first few subjects on standard error."""
    for subject in list(found)[:SHOWN]:
        for sentence in found[subject]:
            logger.warning(f"{subject}: {sentence}")
    if len(found) > SHOWN:
        text = f"{len(found)} of {num_subjects} subjects have remarks; all are in column remarks of {runs.PREDICTIONS}"
        logger.warning(text)
    if found:
        logger.warning("Check scan, mask and picture of these subjects before you use their scores.")


def write_predictions(table: pd.DataFrame, path: Path) -> None:
    """Write predictions into a CSV file and keep the rows of other subjects; report the subjects that are replaced."""
    as_text = {"dtype": str, "keep_default_na": False}
    table = pd.read_csv(StringIO(table.to_csv(index=False, float_format=SCORE_FORMAT)), **as_text)
    former = pd.read_csv(path, **as_text) if path.is_file() else table.iloc[:0]
    former = former.rename(columns={"score_mean": "score"})  # the name in earlier versions
    again = former["subject"].isin(table["subject"])
    changed = set(former["subject"][again]) - set(former.merge(table)["subject"])
    if changed:
        text = f"{path}: earlier predictions were replaced for {', '.join(sorted(changed)[:3])}"
        logger.warning(f"{text}{' ...' if len(changed) > 3 else ''}. Use --subject to name each patient.")
    write_table(pd.concat([former[~again], table], ignore_index=True).fillna(""), path)


def print_predictions(predictions: pd.DataFrame, wanted) -> None:
    """Print the table on standard output, for other programs, and an explanation on standard error."""
    text = prediction_text(predictions, wanted.run_dir, output_folder(wanted))
    print(predictions.to_csv(index=False, float_format="%.4g"), end="", flush=True)
    logger.info(text)
