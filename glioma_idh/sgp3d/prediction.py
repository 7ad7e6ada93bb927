"""Predict new subjects with a finished run; the command `predict`."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from glioma_idh import runs
from glioma_idh.cohorts.scans import read_scan
from glioma_idh.errors import InputError
from glioma_idh.imaging.volumes import reorient, write_volume
from glioma_idh.progress import progress
from glioma_idh.reporting.figures.canvas import save_figure
from glioma_idh.reporting.figures.cases import Case, head_line
from glioma_idh.reporting.figures.overlays import lesion_overlay
from glioma_idh.sgp3d import inference
from glioma_idh.sgp3d.measures import AGREEMENT, ALONE, measure_subject
from glioma_idh.sgp3d.paper import SEQUENCES
from glioma_idh.sgp3d.predict import Prediction
from glioma_idh.sgp3d.preprocessing import PreparedSubject, place_back, prepare_subject
from glioma_idh.sgp3d.recipe import Recipe, recipe_of_run
from glioma_idh.training import predict as common

logger = logging.getLogger(__name__)


def predict_cohort(wanted: Prediction) -> pd.DataFrame:
    """Predict subjects with every network of a run; write predictions, remarks, masks and a picture per subject.

    Scans are preprocessed as for training.

    Returns:
        One row per subject: `subject` and `remarks`, possible problems of the images. If the run was trained for IDH:
        `score_1`, `score_2`, ..., the score of each split's network, and `score` and `score_sd`, their mean and
        standard deviation. If it was trained for segmentation: `predicted_ml`, and, with a reference mask, `dice`,
        `hd95_mm` and numbers of lesions.
    """
    content, synthetic = common.read_finished_run(wanted.run_dir, "sgp3d")
    recipe, subjects = recipe_of_run(content), _subjects(wanted)
    networks = common.load_networks(wanted.run_dir, inference.input_shape(recipe), recipe.outputs)
    with_skull, quiet = wanted.with_skull or recipe.with_skull, wanted.quiet or wanted.cohort is None
    rows, errors, mask_remarks, measured = [], [], [], []
    for _, row in progress(subjects.iterrows(), total=len(subjects), what="predicting", quiet=quiet):
        try:
            if inference.reads_slices(networks[0]) and not row["lesion_mask"]:
                advice = f"Give --lesion-mask, because {recipe.network} reads slices through the lesion."
                raise InputError("a lesion mask", "no mask", advice, subject=row["subject"])
            prepared = prepare_subject(row, recipe.shape, bool(row["lesion_mask"]), with_skull)
            mask_remarks += [prepared.remarks] if prepared.remarks else []
            rows.append(_predict_one(row, prepared, recipe, networks, wanted, synthetic))
            measures = measure_subject(prepared.scans, prepared.placement, prepared.lesion_ml)
            measured.append({"subject": row["subject"]} | measures)
        except InputError as error:
            if wanted.strict or len(subjects) == 1:
                raise
            errors.append(error)
            logger.warning(f"excluded: {error}")
    if not rows:
        raise errors[0]
    predictions, measured = pd.DataFrame(rows), pd.DataFrame(measured)
    used, columns = subjects[subjects["subject"].isin(measured["subject"])], [*SEQUENCES, "lesion_mask"]
    judged = ALONE, AGREEMENT
    predictions = common.record_predictions(predictions, used, columns, measured, judged, errors, mask_remarks, wanted)
    common.warn_of_predictions(subjects, wanted, content, synthetic)
    if "predicted_ml" in predictions:
        warn_of_large_lesions(predictions, wanted.run_dir)
    return predictions


def _subjects(wanted: Prediction) -> pd.DataFrame:
    """Return the cohort table to predict: one patient, or a named cohort."""
    images = {name: getattr(wanted, name) for name in (*SEQUENCES, "lesion_mask")}
    given = [name for name in SEQUENCES if images[name] is not None]
    if (wanted.cohort is None) == (not given):
        found = "both" if given else "neither"
        raise InputError("either --t1, --t1gd, --t2 and --flair, or --cohort", found, "See --help.")
    if wanted.cohort is not None:
        return common.read_subjects(wanted, SEQUENCES)
    if len(given) < len(SEQUENCES):
        missing = " ".join(f"--{name}" for name in SEQUENCES if name not in given)
        raise InputError("all four sequences", f"no {missing}", "The network needs all four.")
    common.check_files(**images)
    subject = common.subject_of(wanted.flair, wanted.subject)  # type: ignore[arg-type]  # there are all four
    return common.one_patient(subject, images)


def _predict_one(
    row: pd.Series, prepared: PreparedSubject, recipe: Recipe, networks: list, wanted: Prediction, synthetic: bool
) -> dict:
    """Predict one subject, and write its mask and a picture with the outlines of reference and predicted lesion."""
    out, synthetic = common.output_folder(wanted), synthetic or row["cohort"] == "phantom"
    flips, placement = inference.FLIPS if wanted.flips else inference.NO_FLIP, prepared.placement
    outputs = [inference.predict_scans(network, prepared.scans, flips, prepared.mask) for network in networks]
    scores, lesions = zip(*outputs, strict=True)
    numbers, lesion = {"subject": row["subject"]}, None
    if "idh" in recipe.learns:
        numbers |= {f"score_{n}": score for n, score in enumerate(scores, start=1)}
        spread = float(np.std(scores, ddof=1)) if len(scores) > 1 else float("nan")
        numbers |= {"score": float(np.mean(scores)), "score_sd": spread}
    reference = inference.reference_lesion(row, placement) if row["lesion_mask"] else None
    if "segmentation" in recipe.learns:
        lesion = place_back(np.mean(lesions, axis=0), placement)
        write_volume(out / f"{row['subject']}_lesion.nii.gz", lesion, placement.own_affine)
        marks = inference.score_masks(lesion, lesion if reference is None else reference, placement)
        numbers |= marks if reference is not None else {"predicted_ml": marks["predicted_ml"]}
    volumes = {name: read_scan(row, name, order="K") for name in SEQUENCES}
    outlines = (None if mask is None else reorient(mask, placement.own_affine)[0] for mask in (reference, lesion))
    drawn, predicted = outlines
    scores = [score for name, score in numbers.items() if name.removeprefix("score_").isdigit()]
    known: dict = {name: numbers.get(name) for name in ("predicted_ml", "dice")}
    images = {name: volume.array for name, volume in volumes.items()}
    spacing_mm = volumes["flair"].spacing_mm
    case = Case(images, drawn, predicted, spacing_mm, head_line(row["subject"], scores=scores, **known))
    save_figure(lesion_overlay(case, synthetic=synthetic), out, row["subject"])
    return numbers


def warn_of_large_lesions(predictions: pd.DataFrame, run_dir: Path) -> None:
    """Warn of predicted lesions far larger than any in the training cohort.

    Networks trained on cropped scans can take the rest of a whole brain for lesion.
    """
    largest_ml = runs.read_table(run_dir / runs.COHORT)["lesion_ml"].max()
    beyond = predictions.loc[predictions["predicted_ml"] > 2 * largest_ml, "subject"]
    if len(beyond):
        found = f"{len(beyond)} of {len(predictions)} predicted lesions (for example {beyond.iloc[0]})"
        text = f"{found} are more than twice as large as any in the training cohort (at most {largest_ml:.0f} ml)."
        logger.warning(f"{text} Check that the scans are cropped like those of the run.")
