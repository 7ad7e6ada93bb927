"""The command's work: one patient after the other or several at a time, and the tables beside their folders."""

import os
import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import SimpleITK as sitk
from joblib import delayed

from glioma_idh.cohorts.sheets import read_sheet
from glioma_idh.cohorts.table import COLUMNS, EXCLUSION_COLUMNS, PATHS
from glioma_idh.errors import InputError
from glioma_idh.files import write_table
from glioma_idh.imaging.brain import extractor_words
from glioma_idh.imaging.dicom.identity import identity_in
from glioma_idh.parallel import run_parallel
from glioma_idh.preparation.context import LesionFinder
from glioma_idh.preparation.patient import prepare_patient, shareable_error
from glioma_idh.preparation.patients import check_one_patient, find_patients
from glioma_idh.preparation.settings import STRUCTURAL, Job, Settings
from glioma_idh.progress import progress, step


@dataclass(frozen=True)
class Outcome:
    """What became of a patient.

    Attributes:
        subject: its id.
        files: by column of the cohort table.
        errors: what could not be used or made.
        notes: the same as rows of a table, without the folders of the patient's files; none where the id tells who the
            patient is, which no table may hold.
        remarks: what looks odd.
    """

    subject: str
    files: dict[str, Path]
    errors: list[InputError]
    notes: list[dict]
    remarks: list[str]

    def __str__(self) -> str:
        """The patient in a line, and a line for each thing that went wrong."""
        made = " ".join(self.files) or "nothing could be made"
        return "\n  ".join([f"{self.subject}: {made}", *map(str, (*self.remarks, *self.errors))])


def check_job(job: Job, settings: Settings) -> None:
    """Refuse what no patient can be prepared with, and what does not go together.

    Raises:
        InputError: it names the flag.
    """
    settings.wanted_series()
    one = [name for name in ("lesion_mask", "brain_mask", "white_mask") if getattr(settings, name) is not None]
    for name in one:
        if not getattr(settings, name).is_file():
            expected = f"an image for --{name.replace('_', '-')}"
            raise InputError(expected, "no file", "Check the path.", file=getattr(settings, name))
    if settings.reference not in (*STRUCTURAL, "atlas") and not Path(settings.reference).is_file():
        advice = f"Name one of {', '.join(STRUCTURAL)}, atlas, or an image."
        raise InputError("--reference that is there", "no such file", advice, file=settings.reference)
    if settings.brain_command is not None:
        extractor_words(settings.brain_command)
    if settings.spacing_mm is not None and not 0.3 <= settings.spacing_mm <= 10:
        raise InputError("--spacing-mm from 0.3 to 10", f"{settings.spacing_mm:g}", "Give the voxels' edge in mm.")
    one += ["subject"] if job.subject is not None else []
    if job.many and one:
        found = f"--{one[0].replace('_', '-')} with --many"
        raise InputError("one patient", found, "Lay such masks in the patients' folders; ids are the folders' names.")
    if job.subject is not None and not re.fullmatch(r"[^/\\]*[^/\\.][^/\\]*", job.subject):
        raise InputError("a --subject that can be a folder's name", repr(job.subject), "Use letters, digits, - and _.")
    if job.out.exists() and not job.out.is_dir():
        raise InputError("a folder for --out", "a file", "Name another.", file=job.out)
    if job.jobs < 1:
        raise InputError("--jobs of at least 1", str(job.jobs), "Give another number.")


def prepare_patients(job: Job, settings: Settings, finder: LesionFinder | None, draw: Callable) -> list[Outcome]:
    """Prepare one patient or many, and bring the tables of the output folder up to date.

    Args:
        job, settings: that `check_job` has let through.
        finder: finds the lesion of patients without a mask.
        draw: draws what to check a patient by, from the id, the `Patient`, and `synthetic`.

    Returns:
        One outcome a patient; a patient without files could not be prepared at all.

    Raises:
        InputError: the tables in the output folder cannot be used, there is no patient or several where one is
            expected, or with `strict` the first error of any.
    """
    with step("making the synthetic patient", job.quiet or job.source is not None):
        patients, outcomes = find_patients(job.source, job.out, job.many), []
    if job.source is not None and not job.many:
        check_one_patient(job.source, job.out, settings.wanted_series(), settings.anchor)
    if job.subject is not None:
        patients = dict(zip([job.subject], patients.values(), strict=True))
    read_tables(job.out)  # what cannot be read is said now, not when the first patient is done
    calls = (delayed(prepare_one)(*patient, job, settings, finder, draw) for patient in patients.items())
    shown = {"what": "preparing", "unit": "patient", "quiet": job.quiet, "disable": job.quiet or len(patients) == 1}
    done = run_parallel(calls, min(job.jobs, len(patients)), ordered=False)
    bar = progress(done, total=len(patients), **shown)
    for outcome in bar:
        outcomes.append(outcome)
        if outcome.files or outcome.notes:
            update_tables(job.out, outcome.subject, outcome.files, outcome.notes)
        if outcome.errors or not job.quiet:  # what went wrong is no progress
            bar.write(str(outcome), file=sys.stderr)
        if job.strict and outcome.errors:
            raise outcome.errors[0].of_subject(outcome.subject)
    return outcomes


def prepare_one(
    subject: str, source: Path, job: Job, settings: Settings, finder: LesionFinder | None, draw: Callable
) -> Outcome:
    """Prepare one patient and draw what to check it by; what stops it is in the outcome."""
    if identity_in(subject, source):
        advice = "Rename the folder, which names all results" + (". " if job.many else ", or give --subject.")
        error = InputError("an id that does not tell who the patient is", "the name or birth date in it", advice)
        return Outcome(subject, {}, [error], [], [])

    def tell(line: str) -> None:
        if not job.quiet and not job.many:
            print(f"{subject}: {line}", file=sys.stderr, flush=True)

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(max(1, (os.cpu_count() or 1) // job.jobs))
    folder, files, errors, remarks = job.out / subject, {}, [], []
    try:
        patient = prepare_patient(source, folder, settings, finder, job.redo_from or "", tell)
        files, errors, remarks = patient.files, patient.errors, patient.remarks
        if patient.alignment is not None:
            draw(subject, patient, synthetic=job.source is None)
            patient.stages.finish()
    except InputError as error:
        errors = [*errors, error]
    except Exception as error:  # a surprise in one patient must not end the others
        traceback.print_exc()
        advice = "This is a fault of the program: please report the lines above."
        errors = [*errors, InputError("a patient that can be prepared", f"{type(error).__name__}: {error}", advice)]
    notes = [shareable_error(error, source, folder) for error in errors]
    return Outcome(subject, files, errors, notes, remarks)


def update_tables(out: Path, subject: str, files: dict[str, Path], problems: list[dict]) -> None:
    """Enter what became of a patient; other patients, and what was written by hand about this one, stay.

    Args:
        out: the folder of the patients' folders.
        subject: the patient.
        files: by column of the cohort table; none where nothing could be made: the patient then leaves the table, or
            stays without paths where somebody wrote something by hand.
        problems: rows of `exclusions.csv`, less the subject.

    Raises:
        InputError: a table is there that cannot be read.
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


def read_tables(out) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`cohort.csv`, which train and predict take, and `exclusions.csv` as text; empty where they are not there yet.

    They have the columns of such tables at least, all of them named.

    Raises:
        InputError: one cannot be read, as after a spreadsheet has saved it in another encoding.
    """
    tables = []
    for name, columns in (("cohort.csv", COLUMNS), ("exclusions.csv", EXCLUSION_COLUMNS)):
        path = Path(out, name)
        has_rows = path.exists() and len(path.read_bytes().splitlines()) > 1
        table = read_sheet(path, required=("subject",)) if has_rows else pd.DataFrame(dtype=str)
        table.columns = [name or f"column {place}" for place, name in enumerate(table.columns, start=1)]
        tables.append(table.reindex(columns=list(dict.fromkeys([*columns, *table.columns])), fill_value=""))
    return tables[0], tables[1]
