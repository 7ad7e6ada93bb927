"""Prepare one or several patients, write the tables of the cohort, and tell what the patients can be used for."""

import logging
import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import SimpleITK as sitk
from joblib import delayed

from glioma_idh.cohorts.sheets import read_sheet
from glioma_idh.cohorts.table import COLUMNS, EXCLUSION_COLUMNS, PATHS, SEQUENCE_NAMES, SEQUENCES
from glioma_idh.errors import InputError
from glioma_idh.files import write_table
from glioma_idh.imaging.brain import extractor_words
from glioma_idh.imaging.dicom.headers import contains_patient_identity
from glioma_idh.parallel import run_parallel
from glioma_idh.preparation.context import LesionFinder, Patient
from glioma_idh.preparation.patient import run_steps, shareable_error
from glioma_idh.preparation.patients import check_one_patient, find_patients
from glioma_idh.preparation.settings import STRUCTURAL, Job, Settings
from glioma_idh.preparation.stages import Stages, read_record
from glioma_idh.progress import progress, step

ALL_FOUR = "T1, T1Gd, T2 and FLAIR"
SLICES, VOLUMES = "Slice CNN (gbm2d)", "SGPNet (sgp3d)"
OR_FIND_IT = "or with --lesion-run RUN_DIR, so that a trained SGPNet segments it."
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PreparedPatient:
    """The result of preparing one patient."""

    subject: str  # the patient's id
    folder: Path  # that holds the results
    files: dict[str, Path]  # by column of the cohort table, such as t1gd, adc, brain_mask
    errors: list[InputError]  # what could not be used or made
    exclusions: list[dict[str, str]]  # the errors as rows of exclusions.csv, without folders; [] if the id is a name
    remarks: list[str]  # findings to check

    @property
    def record(self) -> dict:
        """The content of `prepare.json`: settings, choice of the series, stages, positions; empty if there is none."""
        return read_record(self.folder)

    def __str__(self) -> str:
        """The patient's results in a line, and a line per remark and error."""
        made = " ".join(self.files) or "no results"
        return "\n  ".join([f"{self.subject}: {made}", *map(str, (*self.remarks, *self.errors))])


def check_job(job: Job, settings: Settings) -> None:
    """Raise InputError, which names the option, for settings that cannot be used with any patient."""
    settings.wanted_series()
    settings.check_times()
    one = [name for name in ("lesion_mask", "brain_mask", "white_mask") if getattr(settings, name) is not None]
    for name in one:
        if not getattr(settings, name).is_file():
            expected = f"an image for --{name.replace('_', '-')}"
            raise InputError(expected, "no such file", "Check the path.", file=getattr(settings, name))
    if settings.reference not in (*STRUCTURAL, "atlas") and not Path(settings.reference).is_file():
        advice = f"Choose {', '.join(STRUCTURAL)}, atlas, or the path of an image."
        raise InputError("a reference for --reference", "no such file", advice, file=settings.reference)
    if settings.brain_command is not None:
        extractor_words(settings.brain_command)
    if settings.spacing_mm is not None and not 0.3 <= settings.spacing_mm <= 10:
        raise InputError("--spacing-mm from 0.3 to 10", f"{settings.spacing_mm:g}", "Give the edge of a voxel in mm.")
    one += ["subject"] if job.subject is not None else []
    if job.many and one:
        found = f"--{one[0].replace('_', '-')} with --many"
        advice = "Put masks into the patients' folders; the ids are the names of the folders."
        raise InputError("this option only without --many", found, advice)
    if job.subject is not None and not re.fullmatch(r"[^/\\]*[^/\\.][^/\\]*", job.subject):
        raise InputError("a --subject that can name a folder", repr(job.subject), "Use letters, digits, - and _.")
    if job.out.exists() and not job.out.is_dir():
        raise InputError("a folder for --out", "a file", "Choose another path.", file=job.out)
    if job.jobs < 1:
        raise InputError("--jobs of at least 1", str(job.jobs), "Give a positive number.")


def prepare_patients(
    job: Job, settings: Settings, finder: LesionFinder | None, draw: Callable
) -> list[PreparedPatient]:
    """Prepare one or several patients, and update the tables of the output folder.

    Args:
        job: patients, output folder and how to run.
        settings: what to make, and how.
        finder: segments the lesion of patients without a mask, if given.
        draw: draws the pictures for quality control, from the id, the `Patient`, and `synthetic`.

    Raises:
        InputError: there is no patient, or several instead of one; the tables in the output folder cannot be read; or,
            with `strict`, the first error of any patient.
    """
    with step("creating the synthetic patient", job.quiet or job.source is not None):
        patients, outcomes = find_patients(job.source, job.out, job.many), []
    if job.source is not None and not job.many:
        check_one_patient(job.source, job.out, settings.wanted_series(), settings.anchor)
    if job.subject is not None:
        patients = dict(zip([job.subject], patients.values(), strict=True))
    read_tables(job.out)  # an unreadable table is an error now, not after the first patient
    calls = (delayed(prepare_one)(*patient, job, settings, finder, draw) for patient in patients.items())
    shown = {"what": "preparing", "unit": "patient", "quiet": job.quiet, "disable": job.quiet or len(patients) == 1}
    done = run_parallel(calls, min(job.jobs, len(patients)), ordered=False)
    for outcome in progress(done, total=len(patients), **shown):
        outcomes.append(outcome)
        if outcome.files or outcome.exclusions:
            update_tables(job.out, outcome.subject, outcome.files, outcome.exclusions)
        if outcome.errors:
            logger.warning(str(outcome))
        elif not job.quiet:
            logger.info(str(outcome))
        if job.strict and outcome.errors:
            raise outcome.errors[0].of_subject(outcome.subject)
    return outcomes


def prepare_one(
    subject: str, source: Path, job: Job, settings: Settings, finder: LesionFinder | None, draw: Callable
) -> PreparedPatient:
    """Prepare one patient and draw its pictures; errors are returned in the result."""
    if contains_patient_identity(subject, source):
        advice = "Rename the folder, as all results are named after it" + (". " if job.many else ", or give --subject.")
        error = InputError("an id without patient identity", "the patient's name or birth date in the id", advice)
        return PreparedPatient(subject, job.out / subject, {}, [error], [], [])

    def tell(line: str) -> None:
        if not job.quiet and not job.many:
            logger.info(f"{subject}: {line}")

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(max(1, (os.cpu_count() or 1) // job.jobs))
    folder, files, errors, remarks = job.out / subject, {}, [], []
    try:
        patient = Patient(settings, Stages(folder, job.redo_from or "", tell), finder)
        run_steps(patient, source)
        files, errors, remarks = patient.files, patient.errors, patient.remarks
        if patient.alignment is not None:
            draw(subject, patient, synthetic=job.source is None)
            patient.stages.finish()
    except InputError as error:
        errors = [*errors, error]
    except Exception as error:  # an unexpected error must not stop the other patients
        logger.exception(f"{subject}: unexpected error")
        advice = "This is an error of the program: please report the lines above."
        expected, found = "a preparation without program errors", f"{type(error).__name__}: {error}"
        errors = [*errors, InputError(expected, found, advice)]
    exclusions = [shareable_error(error, source, folder) for error in errors]
    return PreparedPatient(subject, folder, files, errors, exclusions, remarks)


def update_tables(out: Path, subject: str, files: dict[str, Path], problems: list[dict]) -> None:
    """Update `cohort.csv` and `exclusions.csv` for one patient; other rows and columns filled in by hand are kept.

    A patient without files is removed from the cohort table, unless columns were filled in by hand.

    Args:
        out: folder of the tables.
        subject: the patient's id.
        files: results by column of the cohort table.
        problems: rows of `exclusions.csv` without the column `subject`.
    """
    cohort, exclusions = read_tables(out)
    former = cohort[cohort["subject"] == subject]
    row = {"subject": subject, "patient": subject} | (former.iloc[0].to_dict() if len(former) else {})
    row |= {column: files[column].relative_to(out).as_posix() if column in files else "" for column in PATHS}
    others, told = cohort[cohort["subject"] != subject], set(row.values()) - {"", subject}
    rows = pd.concat([others, pd.DataFrame([row] if told else [], columns=cohort.columns, dtype=str)]).fillna("")
    write_table(rows.sort_values("subject"), Path(out, "cohort.csv"))
    mine = pd.DataFrame([{"subject": subject} | problem for problem in problems], columns=exclusions.columns, dtype=str)
    rows = pd.concat([exclusions[exclusions["subject"] != subject], mine])
    write_table(rows.sort_values("subject", kind="stable"), Path(out, "exclusions.csv"))


def read_tables(out: str | Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read `cohort.csv` and `exclusions.csv` as text; empty tables if missing, InputError if unreadable."""
    tables = []
    for name, columns in (("cohort.csv", COLUMNS), ("exclusions.csv", EXCLUSION_COLUMNS)):
        path = Path(out, name)
        has_rows = path.exists() and len(path.read_bytes().splitlines()) > 1
        table = read_sheet(path, required=("subject",)) if has_rows else pd.DataFrame(dtype=str)
        table.columns = [name or f"column {place}" for place, name in enumerate(table.columns, start=1)]
        tables.append(table.reindex(columns=list(dict.fromkeys([*columns, *table.columns])), fill_value=""))
    return tables[0], tables[1]


def usable_for(files: dict[str, Path], folder: Path, settings: Settings) -> list[str]:
    """Return lines on what a patient with these files can be used for, what is missing, and how to add it."""
    made = [name for name in SEQUENCES if name in files]
    if not made:
        return []
    missing = [SEQUENCE_NAMES[name] for name in STRUCTURAL if name not in files]
    has_lesion, names = "lesion_mask" in files, ", ".join(SEQUENCE_NAMES[name] for name in made)
    if has_lesion:
        lines = [f"{SLICES}: can use {names}, with the lesion mask."]
    else:
        how = "Draw the lesion including oedema on any series and run the same command with --lesion-mask FILE"
        how += "." if missing else f", {OR_FIND_IT}"
        lines = [f"{SLICES}: needs a lesion mask, which is missing ({names} available). {how}"]
    if missing:
        lines.append(f"{VOLUMES}: not possible; it needs {ALL_FOUR}. Missing: {', '.join(missing)}.")
    else:
        training = (
            "prediction and training are possible"
            if has_lesion
            else "prediction is possible; training needs a lesion mask"
        )
        lines.append(f"{VOLUMES}: {training}.")
    if "brain_mask" not in files:
        lines.append(
            "There is no brain mask: if the scans show the skull, use --with-skull for prediction and training."
        )
    elif settings.keep_skull:
        lines.append("The skull was kept: SGPNet needs --with-skull.")
    return lines + ([f"Please check {folder / 'qc.png'}"] if (folder / "qc.png").exists() else [])


def usable_for_many(every: list[dict[str, Path]], out: Path) -> list[str]:
    """Return lines on how many patients, with these files each, can be used for what."""
    made = [files for files in every if files.keys() & set(SEQUENCES)]
    if not made:
        return []
    counts = Counter(name for files in made for name in SEQUENCES if name in files)
    with_lesion = [files for files in made if "lesion_mask" in files]
    with_all = [files for files in made if set(STRUCTURAL) <= files.keys()]
    both = sum("lesion_mask" in files for files in with_all)
    sequences = ", ".join(f"{SEQUENCE_NAMES[name]} {counts[name]}" for name in SEQUENCES if counts[name])
    lines = [f"{SLICES}: {len(with_lesion)} of {len(every)} patients have a lesion mask ({sequences} patients)."]
    if len(with_lesion) < len(made):
        how = "For the others, draw it on any series, save it as lesion_mask.nii.gz in the patient's folder and run"
        lines[0] += f" {how} the same command again, {OR_FIND_IT}"
    lines.append(
        f"{VOLUMES}: {len(with_all)} of {len(every)} patients have {ALL_FOUR}; {both} can be used for training."
    )
    return lines + ([f"Please check {out / '*' / 'qc.png'}"] if any(out.glob("*/qc.png")) else [])
