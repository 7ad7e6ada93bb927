"""Prepare patients: from DICOM or NIfTI series to aligned T1, T1Gd, T2, FLAIR, ADC and rCBV.

Example: python -m glioma_idh.prepare PATIENT_DIR --out DIR

All series are registered to the T1Gd, the brain is extracted, and the bias field is corrected (N4). ADC is computed
from DWI, and leakage-corrected rCBV from DSC perfusion. The results are one folder per patient, with a picture for
checking (qc.png), and cohort.csv, a table for the --cohort option of train and predict. The last lines say what each
patient can be used for. Without PATIENT_DIR, a synthetic patient is made and prepared. When the same command is given
again, completed stages are not repeated. For research, not for diagnosis.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from glioma_idh.command_line import INPUT_OUTPUT, parse
from glioma_idh.errors import InputError
from glioma_idh.preparation.settings import Job, Settings
from glioma_idh.preparation.stages import Stage
from glioma_idh.record import recorded

if TYPE_CHECKING:
    from glioma_idh.preparation.command import PreparedPatient


def run(job: Job, settings: Settings) -> "list[PreparedPatient]":
    """Prepare the patients of a job (`prepare_patients`); an InputError names an option that cannot be used."""
    from glioma_idh.preparation.command import check_job, prepare_patients
    from glioma_idh.reporting.figures.patient_checks import draw_checks

    check_job(job, settings)
    if job.lesion_run is not None:
        _check_lesion_run(job.lesion_run)
    finder = None if job.lesion_run is None else lesion_finder(job.lesion_run)
    return prepare_patients(job, settings, finder, draw_checks)


def prepare_patient(
    source_dir: str | Path | None,
    out_dir: str | Path = "prepared",
    *,
    subject: str | None = None,
    lesion_run: str | Path | None = None,
    redo_from: Stage | None = None,
    strict: bool = False,
    quiet: bool = False,
    **options: Any,
) -> "PreparedPatient":
    """Bring the MR series of one patient to one grid: T1, T1Gd, T2, FLAIR, ADC, rCBV, and masks of brain and lesion.

    This is what `glioma-idh prepare SOURCE_DIR --out OUT_DIR` does. The results are written to a folder in `out_dir`
    that is named after the patient; `cohort.csv` and `exclusions.csv` in `out_dir` are brought up to date. Stages that
    were completed before with the same inputs are not computed again.

    Args:
        source_dir: folder of DICOM or NIfTI series; None for a synthetic patient.
        out_dir: folder of the results; it is created if needed.
        subject: id of the patient in the results; by default the name of `source_dir`.
        lesion_run: run folder of an SGPNet that segments the lesion if there is no lesion mask.
        redo_from: first stage to compute again, although its inputs are the same.
        strict: raise the first error instead of continuing without the series that it concerns.
        quiet: print no progress.
        **options: fields of `glioma_idh.preparation.settings.Settings`, such as `skip=("rcbv",)`, `reference="flair"`.

    Returns:
        The patient's `files` (paths by name of the sequence or mask), `errors`, `remarks` and `record` (prepare.json).

    Raises:
        InputError: an option cannot be used, or nothing could be made of the series.
    """
    job = Job(
        None if source_dir is None else Path(source_dir),
        Path(out_dir),
        subject=subject,
        lesion_run=None if lesion_run is None else Path(lesion_run),
        redo_from=redo_from,
        quiet=quiet,
        strict=strict,
    )
    (prepared,) = run(job, Settings(**options))
    if not prepared.files and prepared.errors:
        raise prepared.errors[-1].of_subject(prepared.subject)  # the one that stopped the preparation
    return prepared


def lesion_finder(run_dir: Path):
    """Return a function that segments the lesion with the networks of a finished run, and the files that it reads."""
    from glioma_idh.preparation.context import LesionFinder
    from glioma_idh.runs import METRICS, RECIPE

    def find(images: dict, path: Path) -> None:
        from glioma_idh.sgp3d.predict import Prediction
        from glioma_idh.sgp3d.prediction import predict_cohort

        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix="part-") as folder:
            predict_cohort(Prediction(run_dir, **images, out=Path(folder), quiet=True))
            (mask,) = Path(folder).glob("*_lesion.nii.gz")
            os.replace(mask, path)

    return LesionFinder(find, (run_dir / RECIPE, run_dir / METRICS), f"by the networks of {run_dir.name}")


def _check_lesion_run(run_dir: Path) -> None:
    """Raise an InputError unless a run is finished and its networks segment lesions."""
    from glioma_idh.sgp3d.paper import PAPER
    from glioma_idh.sgp3d.recipe import recipe_of_run
    from glioma_idh.training.predict import read_finished_run

    recipe = recipe_of_run(read_finished_run(run_dir, PAPER.name)[0])
    if "segmentation" not in recipe.learns:
        found = f"a run of {recipe.network} with --targets {recipe.targets}"
        advice = "Name a run with --targets both or segmentation."
        raise InputError("a --lesion-run whose networks segment lesions", found, advice, file=run_dir)


def options(
    job: Annotated[Job, INPUT_OUTPUT], settings: Annotated[Settings, tyro.conf.arg(name="Preparation")]
) -> tuple[Job, Settings]:
    """Return what the command line asks for."""
    return job, settings


OPTIONS = options


def main() -> None:
    """Run the command."""
    job, settings = parse(OPTIONS, "glioma_idh.prepare", __doc__)
    with recorded("glioma_idh.prepare", job, settings, folder=job.out, of_patients=True):
        from glioma_idh.preparation.command import usable_for, usable_for_many

        outcomes = run(job, settings)
        whole = [outcome for outcome in outcomes if not outcome.errors]
        print(f"{len(whole)} of {len(outcomes)} patients prepared without errors. The results are in {job.out}")
        if job.many:
            lines = usable_for_many([outcome.files for outcome in outcomes], job.out)
        else:
            lines = [line for one in outcomes for line in usable_for(one.files, job.out / one.subject, settings)]
        print("".join(f"{line}\n" for line in lines), end="")
        if len(whole) < len(outcomes):
            sys.exit(1)


if __name__ == "__main__":
    main()
