"""From the scanner to the six sequences: python -m glioma_idh.prepare PATIENT_DIR --out DIR

Takes a patient's folder of DICOM or NIfTI series, or with --many a folder of such folders. Everything is registered to
the T1Gd; the brain is found and bias corrected; ADC is made from DWI, leakage-corrected rCBV from DSC perfusion. Out
comes a folder a patient, with a picture to check it by (qc.png), and cohort.csv, which --cohort of train and predict
takes; the last lines say what the patients can be used for. Without PATIENT_DIR a synthetic patient shows how it goes.
What was made is not made again. For research only.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from glioma_idh.errors import InputError
from glioma_idh.preparation.settings import Job, Settings
from glioma_idh.preparation.stages import Stage
from glioma_idh.record import recorded

if TYPE_CHECKING:
    from glioma_idh.preparation.command import PreparedPatient


def prepare(job: Job, settings: Settings) -> "list[PreparedPatient]":
    """Check what is asked, then `prepare_patients`; an InputError names the flag that cannot be used."""
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
    (prepared,) = prepare(job, Settings(**options))
    if not prepared.files and prepared.errors:
        raise prepared.errors[-1].of_subject(prepared.subject)  # the one that stopped the preparation
    return prepared


def lesion_finder(run_dir: Path):
    """A function that finds the lesion with the networks of a finished run, and what its answer depends on."""
    from glioma_idh.preparation.context import LesionFinder
    from glioma_idh.runs import METRICS, RECIPE

    def find(images: dict[str, Path], path: Path) -> None:
        from glioma_idh.sgp3d.predict import Prediction
        from glioma_idh.sgp3d.prediction import predict_cohort

        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix="part-") as folder:
            predict_cohort(Prediction(run_dir, **images, out=Path(folder), quiet=True))
            (mask,) = Path(folder).glob("*_lesion.nii.gz")
            os.replace(mask, path)

    return LesionFinder(find, (run_dir / RECIPE, run_dir / METRICS), f"by the networks of {run_dir.name}")


def _check_lesion_run(run_dir: Path) -> None:
    """A run must be finished, and have learnt where lesions are."""
    from glioma_idh.sgp3d.paper import PAPER
    from glioma_idh.sgp3d.recipe import recipe_of_run
    from glioma_idh.training.predict import read_finished_run

    recipe = recipe_of_run(read_finished_run(run_dir, PAPER.name)[0])
    if "segmentation" not in recipe.learns:
        found = f"one of {recipe.network} with --targets {recipe.targets}"
        advice = "Name a run with --targets both or segmentation."
        raise InputError("a --lesion-run that learnt to find lesions", found, advice, file=run_dir)


def main() -> None:
    def command(job: Job, settings: Settings) -> tuple[Job, Settings]:
        return job, settings

    config = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)
    job, settings = tyro.cli(command, prog="python -m glioma_idh.prepare", description=__doc__, config=config)
    with recorded("glioma_idh.prepare", job, settings, folder=job.out, of_patients=True):
        from glioma_idh.preparation.command import usable_for, usable_for_many

        outcomes = prepare(job, settings)
        whole = [outcome for outcome in outcomes if not outcome.errors]
        print(f"{len(whole)} of {len(outcomes)} patients came out whole. Everything is in {job.out}")
        if job.many:
            lines = usable_for_many([outcome.files for outcome in outcomes], job.out)
        else:
            lines = [line for one in outcomes for line in usable_for(one.files, job.out / one.subject, settings)]
        print("".join(f"{line}\n" for line in lines), end="")
        if len(whole) < len(outcomes):
            sys.exit(1)


if __name__ == "__main__":
    main()
