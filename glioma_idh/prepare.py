"""From the scanner to the six sequences: python -m glioma_idh.prepare PATIENT_DIR --out DIR

Takes a patient's folder of DICOM or NIfTI series, or with --many a folder of such folders. Everything is registered to
the T1Gd; the brain is found and bias corrected; ADC is made from DWI, leakage-corrected rCBV from DSC perfusion. Out
comes a folder a patient, with a picture to check it by (qc.png), and cohort.csv, which --cohort of train and predict
takes; the last lines say what the patients can be used for. Without PATIENT_DIR a synthetic patient shows how it goes.
What was made is not made again. For research only.
"""

import os
import re
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from glioma_idh.errors import InputError, ending_plainly
from glioma_idh.preparation.settings import Settings
from glioma_idh.preparation.stages import Stage
from glioma_idh.progress import progress, step


@dataclass(frozen=True)
class Job:
    """Whom to prepare, and where to."""

    source: Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="PATIENT_DIR")] = None
    """A patient's folder; with --many the folder that holds the patients' folders."""
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("prepared")
    """Where the results go: a folder a patient, cohort.csv, exclusions.csv."""
    many: bool = False
    """Every folder in PATIENT_DIR is a patient."""
    subject: Annotated[str | None, tyro.conf.arg(metavar="ID")] = None
    """The patient's id in the results; by default the folder's name."""
    jobs: Annotated[int, tyro.conf.arg(metavar="INT")] = 1
    """Patients at a time."""
    lesion_run: Annotated[Path | None, tyro.conf.arg(metavar="RUN_DIR")] = None
    """A finished run of glioma_idh.sgp3d.train that finds the lesion of patients without a mask."""
    redo_from: Annotated[Stage | None, tyro.conf.arg(metavar="STAGE")] = None
    """Go through it and all after it again: series movement registration brain image adc lesion rcbv picture."""
    quiet: bool = False
    """Show no progress: no lines about stages, no bar."""
    strict: bool = False
    """Stop at the first patient of whom something cannot be used."""

    def __post_init__(self):
        for name in ("source", "out", "lesion_run"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, Path(getattr(self, name)))
        if self.source is not None:
            object.__setattr__(self, "source", self.source.resolve())


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


def prepare(job: Job, settings: Settings) -> list[Outcome]:
    """Prepare one patient or many, and bring the tables of the output folder up to date.

    Returns:
        One outcome a patient; a patient without files could not be prepared at all.

    Raises:
        InputError: the settings or the tables in the output folder cannot be used, there is no patient or several
            where one is expected, or with `strict` the first error of any.
    """
    from joblib import delayed

    from glioma_idh.parallel import run_parallel
    from glioma_idh.preparation.patients import find_patients
    from glioma_idh.preparation.several_patients import check_one_patient
    from glioma_idh.preparation.tables import read_tables, update_tables

    settings.check()
    _check_job(job, settings)
    with step("making the synthetic patient", job.quiet or job.source is not None):
        patients, outcomes = find_patients(job.source, job.out, job.many), []
    if job.source is not None and not job.many:
        check_one_patient(job.source, job.out, settings.wanted_series(), settings.anchor)
    if job.subject is not None:
        patients = dict(zip([job.subject], patients.values(), strict=True))
    read_tables(job.out)  # what cannot be read is said now, not when the first patient is done
    calls = (delayed(prepare_one)(subject, source, job, settings) for subject, source in patients.items())
    shown = {"what": "preparing", "unit": "patient", "quiet": job.quiet, "disable": job.quiet or len(patients) == 1}
    done = run_parallel(calls, min(job.jobs, len(patients)), ordered=False)
    bar = progress(done, total=len(patients), **shown)
    for outcome in bar:
        outcomes.append(outcome)
        if outcome.files or outcome.notes:
            update_tables(job.out, outcome.subject, outcome.files, outcome.notes)
        if outcome.errors or not job.quiet:  # what went wrong is no progress
            bar.write(describe(outcome), file=sys.stderr)
        if job.strict and outcome.errors:
            raise outcome.errors[0].of_subject(outcome.subject)
    return outcomes


def prepare_one(subject: str, source: Path, job: Job, settings: Settings) -> Outcome:
    """Prepare one patient and draw what to check it by; what stops it is in the outcome."""
    import SimpleITK as sitk

    from glioma_idh.imaging.dicom.identity import identity_in
    from glioma_idh.preparation.patient import prepare_patient, shareable_error
    from glioma_idh.reporting.figures.patient_checks import draw_checks

    if identity_in(subject, source):
        advice = "Rename the folder, which names all results" + (". " if job.many else ", or give --subject.")
        error = InputError("an id that does not tell who the patient is", "the name or birth date in it", advice)
        return Outcome(subject, {}, [error], [], [])
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(max(1, (os.cpu_count() or 1) // job.jobs))
    folder, finder = job.out / subject, None if job.lesion_run is None else lesion_finder(job.lesion_run)
    files, errors, remarks = {}, [], []
    try:
        patient = prepare_patient(source, folder, settings, finder, job.redo_from or "", _teller(subject, job))
        files, errors, remarks = patient.files, patient.errors, patient.remarks
        if patient.alignment is not None:
            draw_checks(subject, patient, synthetic=job.source is None)
            patient.stages.finish()
    except InputError as error:
        errors = [*errors, error]
    except Exception as error:  # a surprise in one patient must not end the others
        traceback.print_exc()
        advice = "This is a fault of the program: please report the lines above."
        errors = [*errors, InputError("a patient that can be prepared", f"{type(error).__name__}: {error}", advice)]
    notes = [shareable_error(error, source, folder) for error in errors]
    return Outcome(subject, files, errors, notes, remarks)


def lesion_finder(run_dir: Path):
    """A function that finds the lesion with the networks of a finished run, and what its answer depends on."""
    from glioma_idh.preparation.context import LesionFinder

    def find(images: dict[str, Path], path: Path) -> None:
        from glioma_idh.sgp3d.predict import Prediction
        from glioma_idh.sgp3d.prediction import predict_subjects

        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix="part-") as folder:
            predict_subjects(Prediction(run_dir, **images, out=Path(folder), quiet=True))
            (mask,) = Path(folder).glob("*_lesion.nii.gz")
            os.replace(mask, path)

    return LesionFinder(find, (run_dir / "recipe.json", run_dir / "metrics.json"), f"by the networks of {run_dir.name}")


def describe(outcome: Outcome) -> str:
    """A patient in a line, and a line for each thing that went wrong."""
    made = " ".join(outcome.files) or "nothing could be made"
    remarks = [f"  {text}" for text in (*outcome.remarks, *outcome.errors)]
    return "\n".join([f"{outcome.subject}: {made}", *remarks])


def _last_lines(outcomes: list[Outcome], job: Job, settings: Settings) -> list[str]:
    """What the patients can be used for, and where the pictures are."""
    from glioma_idh.preparation.usable_for import usable_for, usable_for_many

    if job.many:
        return usable_for_many([outcome.files for outcome in outcomes], job.out)
    return [line for outcome in outcomes for line in usable_for(outcome.files, job.out / outcome.subject, settings)]


def _check_job(job: Job, settings: Settings) -> None:
    """Refuse what does not go together.

    Raises:
        InputError: it names the flag.
    """
    one = [name for name in ("lesion_mask", "brain_mask", "white_mask") if getattr(settings, name) is not None]
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
    if job.lesion_run is not None:
        _check_lesion_run(job.lesion_run)


def _check_lesion_run(run_dir: Path) -> None:
    """A run must be finished, and have learnt where lesions are.

    Raises:
        InputError: it says what the run is.
    """
    from glioma_idh.sgp3d.recipe import recipe_of_run
    from glioma_idh.training.predict import read_finished_run

    recipe = recipe_of_run(read_finished_run(run_dir, "sgp3d")[0])
    if "segmentation" not in recipe.learns:
        found = f"one of {recipe.network} with --targets {recipe.targets}"
        advice = "Name a run with --targets both or segmentation."
        raise InputError("a --lesion-run that learnt to find lesions", found, advice, file=run_dir)


def _teller(subject: str, job: Job):
    """What says on stderr which stage is done."""
    if job.quiet or job.many:
        return lambda line: None
    return lambda line: print(f"{subject}: {line}", file=sys.stderr, flush=True)


def main() -> None:
    """The command line."""

    def command(job: Job, settings: Settings) -> tuple[Job, Settings]:
        return job, settings

    config = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)
    job, settings = tyro.cli(command, prog="python -m glioma_idh.prepare", description=__doc__, config=config)
    with ending_plainly():
        outcomes = prepare(job, settings)
        whole = [outcome for outcome in outcomes if not outcome.errors]
        print(f"{len(whole)} of {len(outcomes)} patients came out whole. Everything is in {job.out}")
        print("".join(f"{line}\n" for line in _last_lines(outcomes, job, settings)), end="")
        if len(whole) < len(outcomes):
            sys.exit(1)


if __name__ == "__main__":
    main()
