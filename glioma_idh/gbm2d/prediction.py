"""Predict new subjects with a finished run; the command `predict`."""

import logging
from pathlib import Path

import pandas as pd

from glioma_idh import runs
from glioma_idh.cohorts.table import SEQUENCE_NAMES
from glioma_idh.errors import InputError
from glioma_idh.gbm2d.inference import score_slices
from glioma_idh.gbm2d.measures import ALONE, INTENSITIES
from glioma_idh.gbm2d.predict import Prediction
from glioma_idh.gbm2d.preprocessing import extract_lesion_slice, prepare_cohort, read_subject
from glioma_idh.progress import step
from glioma_idh.reporting.figures.canvas import save_figure
from glioma_idh.reporting.figures.pictures import slice_read
from glioma_idh.training import predict as common

logger = logging.getLogger(__name__)


def predict_cohort(wanted: Prediction) -> pd.DataFrame:
    """Predict subjects with every network of a run; write predictions, remarks and a picture per subject.

    Scans are preprocessed as for training.

    Returns:
        One row per subject: `subject`; `score_1`, `score_2`, ..., the score of each split's network; `score` and
        `score_sd`, their mean and standard deviation; `lesion_ml`; and `remarks`, possible problems of the images.
    """
    recipe, synthetic = common.read_finished_run(wanted.run_dir, "gbm2d")
    (sequence,) = recipe["sequence"]
    logger.info(f"The networks of this run read {SEQUENCE_NAMES[sequence]}.")
    quiet, with_skull = wanted.quiet or wanted.cohort is None, wanted.with_skull or recipe.get("with_skull", False)
    settings: dict = {"jobs": 1 if wanted.cohort is None else -1, "quiet": quiet, "with_skull": with_skull}
    table, slices, errors = prepare_cohort(_subjects(wanted, sequence), sequence, recipe["size"], **settings)
    if errors and (wanted.strict or table.empty):
        raise errors[0]
    for error in errors:
        logger.warning(f"excluded: {error}")
    scores = score_slices(slices, common.load_networks(wanted.run_dir, slices.shape[1:]))
    scores = pd.DataFrame(scores, columns=[f"score_{number}" for number in range(1, scores.shape[1] + 1)])
    predictions = table[["subject"]].join(scores)
    predictions["score"], predictions["score_sd"] = scores.mean(axis=1), scores.std(axis=1, ddof=1)
    predictions["lesion_ml"] = table["lesion_ml"]
    columns, measured = [sequence, "lesion_mask", "brain_mask"], pd.DataFrame(table.attrs["measures"])
    judged, mask_remarks = (ALONE, INTENSITIES), table.attrs["remarks"]
    predictions = common.record_predictions(predictions, table, columns, measured, judged, errors, mask_remarks, wanted)
    warn_of_brain_masks(table, wanted.run_dir)
    common.warn_of_predictions(table, wanted, recipe, synthetic)
    with step("drawing the pictures", quiet):
        for position, row in table.iterrows():
            image, mask, _, _ = read_subject(row, sequence, with_skull=True)  # already checked above
            lesion = extract_lesion_slice(image.array, mask.array, image.affine)
            shown = image.array[..., lesion.k], mask.array[..., lesion.k] != 0, lesion.box, slices[position, ..., 0]
            named = {"subject": row["subject"], "sequence": sequence, "scores": scores.loc[position].to_numpy(float)}
            picture = slice_read(*shown, **named, synthetic=synthetic or row["cohort"] == "phantom")
            save_figure(picture, common.output_folder(wanted), row["subject"])
    return predictions


def _subjects(wanted: Prediction, sequence: str) -> pd.DataFrame:
    """Return the cohort table to predict: one patient, or a named cohort with the sequence."""
    if (wanted.cohort is None) == (wanted.scan is None):
        found = "neither" if wanted.scan is None else "both"
        raise InputError("either --scan and --lesion-mask, or --cohort", found, "See --help.")
    if wanted.cohort is not None:
        return common.read_subjects(wanted, [sequence])
    if wanted.lesion_mask is None:
        advice = "The mask is needed to find the slice with the largest lesion area."
        raise InputError("--lesion-mask with --scan", "no --lesion-mask", advice)
    masks = {"lesion_mask": wanted.lesion_mask, "brain_mask": wanted.brain_mask}
    common.check_files(scan=wanted.scan, **masks)
    subject = common.subject_of(wanted.scan, wanted.subject)  # type: ignore[arg-type]  # there is a scan
    return common.one_patient(subject, {sequence: wanted.scan, **masks})


def warn_of_brain_masks(table: pd.DataFrame, run_dir: Path) -> None:
    """Warn if the run was trained with brain masks and new subjects have none."""
    if (runs.read_table(run_dir / runs.COHORT)["brain_mask"] != "").all() and (table["brain_mask"] == "").any():
        text = "The run was trained with brain masks. Without --brain-mask, all non-zero voxels count as brain."
        logger.warning(text)
