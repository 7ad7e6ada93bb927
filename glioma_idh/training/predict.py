"""What both papers' `predict` commands do alike: load a finished run's networks, say what a patient is called, look at
what is given, and write a table that loses nobody. `wanted` is a `Prediction` of either paper. Files, folders and names
that cannot be used are InputErrors."""

import logging
import re
from io import StringIO
from pathlib import Path

import pandas as pd
from joblib import delayed

from glioma_idh import cohorts, runs
from glioma_idh.cohorts.checks.copies import NAMES, OF_NAMES, report_copies, stem_of
from glioma_idh.cohorts.checks.images import check_subject
from glioma_idh.cohorts.scans import print_remarks
from glioma_idh.cohorts.table import COLUMNS, PATHS, SEQUENCES, check_subjects, exclusions_table, require_files
from glioma_idh.departures import find_departures
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

SAID = {"large lesion", "outside brain", "probabilities", "not skull-stripped"}  # what the preparation has spoken of
SHOWN = 3
logger = logging.getLogger(__name__)


def load_networks(run_dir: Path, input_shape: tuple[int, ...], outputs: tuple[str, ...] = ()) -> list:
    """The network of each split of a finished run, which must be for input of this shape and have the named outputs."""
    networks = []
    for file in network_files(run_dir):
        network = load_network(file)
        wanted, found = (tuple(input_shape), sorted(outputs)), (network.input_shape[1:], sorted(network.output_names))
        if wanted[0] != found[0] or (outputs and wanted[1] != found[1]):
            texts = [f"{shape} with {', '.join(names)}" if outputs else f"{shape}" for shape, names in (wanted, found)]
            advice = "It is another network's file."
            raise InputError(f"a network for {texts[0]}", f"one for {texts[1]}", advice, file=file)
        networks.append(network)
    return networks


def read_finished_run(run_dir: Path, paper: str) -> tuple[dict, bool]:
    """The recipe of a finished run of a paper, and whether its patients are phantoms."""
    settings = runs.read_recipe(run_dir)["recipe"]
    if settings.get("paper") != paper:
        found = f"a run of {settings.get('paper', 'something else')}"
        raise InputError(f"a run of glioma_idh.{paper}.train", found, "Use that pipeline's predict.", file=run_dir)
    require_finished(run_dir)
    reads(run_dir / runs.RECIPE)
    return settings, is_synthetic(runs.read_table(run_dir / runs.COHORT))


def read_subjects(wanted, sequences) -> pd.DataFrame:
    """The cohort table of whom to predict: those of `wanted.cohort` who have any image; labels are not needed."""
    settings = {"sequences": sequences, "all_visits": wanted.all_visits, "quiet": wanted.quiet}
    cohort, _ = cohorts.read(wanted.cohort, wanted.images, wanted.labels, **settings)
    table, errors = check_subjects(cohort)
    for error in errors:
        logger.warning(f"set aside: {error}")
    table = table[(table[list(PATHS)] != "").any(axis=1)]
    if table.empty:
        raise InputError("subjects with images", "none", "Check the paths in the cohort table.", file=wanted.cohort)
    require_files(table)
    return table


def warn_of_predictions(table: pd.DataFrame, wanted, recipe: dict, synthetic: bool) -> None:
    """Say what scores are not: of scans such as the run's, test results of its own patients, from phantoms clinical."""
    if wanted.with_skull and not recipe.get("with_skull"):
        text = "--with-skull: the run learnt from scans that are 0 around the brain; others give other scores."
        logger.warning(text)
    if known := table["patient"].isin(runs.read_table(wanted.run_dir / runs.COHORT)["patient"]).sum():
        text = f"{known} of {len(table)} subjects are patients of the run itself: these are not test results."
        logger.warning(f"{text} Those are in {wanted.run_dir / runs.PREDICTIONS}")
    if synthetic:
        text = "These networks learnt from the synthetic phantom: their scores mean nothing for a patient."
        logger.warning(text)


def check_files(**given: Path | None) -> None:
    """What is given as an image, by the option's name, must be a file, and no two options the same one."""
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
        found, advice = "a folder", "Name the file in it."
        if not path.is_dir():
            found, advice = "no file", f"Check {option}."
        elif is_dicom_folder(path):
            found = "a folder of DICOM files"
            advice = f"Prepare the patient first: python -m glioma_idh.prepare {path} --out DIR."
        raise InputError(f"a NIfTI file for {option}", found, advice, file=path)


def subject_of(scan: Path, given: str | None) -> str:
    """What a patient is called: as given, else by the scan's file, or by its folder where that names but a sequence."""
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
    """Add what looks wrong to predictions, as `remarks`, write them beside earlier ones, and say it of the images.

    `subjects` is their cohort table, of which `columns` are read; `measured` and `judged` are as
    `departures.find_departures` takes them; `mask_remarks` has one a subject whose mask was read.
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
    """Look at what is read of a cohort table as `cohorts check` does: by subject what looks wrong, if anything does.

    `unlike` are the sentences on what departs from the run, by subject; `jobs` of -1 is a process a processor.
    """
    rows = [row.where(row.index.isin(columns) | ~row.index.isin(list(SEQUENCES)), "") for _, row in subjects.iterrows()]
    found = {}
    looks = list(run_parallel((delayed(check_subject)(row) for row in rows), jobs))
    report_copies([scan for scans, _ in looks for scan in scans])
    for row, (scans, _) in zip(rows, looks, strict=True):
        sentences = []
        for image, words, sentence in [(scan.image, *problem) for scan in scans for problem in scan.problems]:
            if words not in SAID:
                sentences.append(sentence if words == OF_NAMES else f"{NAMES[image]}: {sentence}")
        if sentences := [*sentences, *unlike.get(row["subject"], [])]:
            found[row["subject"]] = sentences
    return found


def print_looks(found: dict[str, list[str]], num_subjects: int) -> None:
    """Say on standard error what looks wrong, of the first few of so many subjects."""
    for subject in list(found)[:SHOWN]:
        for sentence in found[subject]:
            logger.warning(f"{subject}: {sentence}")
    if len(found) > SHOWN:
        text = f"{len(found)} of {num_subjects} subjects have such remarks: column remarks of {runs.PREDICTIONS}"
        logger.warning(text)
    if found:
        logger.warning("Look at scan, mask and picture before you believe such a score.")


def write_predictions(table: pd.DataFrame, path: Path) -> None:
    """Write predictions into a CSV file, beside those of others that are there already; say whom they replace."""
    as_text = {"dtype": str, "keep_default_na": False}
    table = pd.read_csv(StringIO(table.to_csv(index=False, float_format=SCORE_FORMAT)), **as_text)
    former = pd.read_csv(path, **as_text) if path.is_file() else table.iloc[:0]
    former = former.rename(columns={"score_mean": "score"})  # as earlier versions call it
    again = former["subject"].isin(table["subject"])
    changed = set(former["subject"][again]) - set(former.merge(table)["subject"])
    if changed:
        text = f"{path}: replaces earlier predictions of {', '.join(sorted(changed)[:3])}"
        logger.warning(f"{text}{' ...' if len(changed) > 3 else ''}; --subject tells patients apart.")
    write_table(pd.concat([former[~again], table], ignore_index=True).fillna(""), path)


def print_predictions(predictions: pd.DataFrame, wanted) -> None:
    """Print the table on standard output, for programs, and what it means on standard error."""
    text = prediction_text(predictions, wanted.run_dir, output_folder(wanted))
    print(predictions.to_csv(index=False, float_format="%.4g"), end="", flush=True)
    logger.info(text)
