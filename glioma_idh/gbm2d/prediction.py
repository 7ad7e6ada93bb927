"""New subjects predicted with a finished run: what the command `predict` does."""

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
    """Predict subjects with every network of a run, prepared as the run was trained.

    Returns one row a subject: `subject`, `score_1` ... a column a split, `score`, `score_sd`, `lesion_ml`, and
    `remarks`, what looks wrong.
    """
    recipe, synthetic = common.read_finished_run(wanted.run_dir, "gbm2d")
    (sequence,) = recipe["sequence"]
    logger.info(f"The run reads {SEQUENCE_NAMES[sequence]}.")
    quiet, let_in = wanted.quiet or wanted.cohort is None, wanted.with_skull or recipe.get("with_skull", False)
    settings = {"jobs": 1 if wanted.cohort is None else -1, "quiet": quiet, "with_skull": let_in}
    table, slices, errors = prepare_cohort(_subjects(wanted, sequence), sequence, recipe["size"], **settings)
    if errors and (wanted.strict or table.empty):
        raise errors[0]
    for error in errors:
        logger.warning(f"set aside: {error}")
    scores = score_slices(slices, common.load_networks(wanted.run_dir, slices.shape[1:]))
    scores = pd.DataFrame(scores, columns=[f"score_{number}" for number in range(1, scores.shape[1] + 1)])
    predictions = table[["subject"]].join(scores)
    predictions["score"], predictions["score_sd"] = scores.mean(axis=1), scores.std(axis=1, ddof=1)
    predictions["lesion_ml"] = table["lesion_ml"]
    columns, measured = [sequence, "lesion_mask", "brain_mask"], pd.DataFrame(table.attrs["measures"])
    judged, mask_remarks = (ALONE, INTENSITIES), table.attrs["remarks"]
    predictions = common.record_predictions(predictions, table, columns, measured, judged, errors, mask_remarks, wanted)
    warn_of_brains(table, wanted.run_dir)
    common.warn_of_predictions(table, wanted, recipe, synthetic)
    with step("drawing the pictures", quiet):
        for position, row in table.iterrows():
            image, mask, _, _ = read_subject(row, sequence, with_skull=True)  # it was let in before
            lesion = extract_lesion_slice(image.array, mask.array, image.affine)
            shown = image.array[..., lesion.k], mask.array[..., lesion.k] != 0, lesion.box, slices[position, ..., 0]
            named = {"subject": row["subject"], "sequence": sequence, "scores": scores.loc[position].to_numpy(float)}
            picture = slice_read(*shown, **named, synthetic=synthetic or row["cohort"] == "phantom")
            save_figure(picture, common.output_folder(wanted), row["subject"])
    return predictions


def _subjects(wanted, sequence: str) -> pd.DataFrame:
    """The cohort table of whom to predict: one patient, or a named cohort with the sequence."""
    if (wanted.cohort is None) == (wanted.scan is None):
        found = "neither" if wanted.scan is None else "both"
        raise InputError("either --scan and --lesion-mask, or --cohort", found, "See --help.")
    if wanted.cohort is not None:
        return common.read_subjects(wanted, [sequence])
    if wanted.lesion_mask is None:
        raise InputError("--lesion-mask with --scan", "none", "The network reads the slice where the lesion is widest.")
    masks = {"lesion_mask": wanted.lesion_mask, "brain_mask": wanted.brain_mask}
    common.check_files(scan=wanted.scan, **masks)
    return common.one_patient(common.subject_of(wanted.scan, wanted.subject), {sequence: wanted.scan, **masks})


def warn_of_brains(table: pd.DataFrame, run_dir: Path) -> None:
    """Say where scans were prepared with another brain than the run's."""
    if (runs.read_table(run_dir / runs.COHORT)["brain_mask"] != "").all() and (table["brain_mask"] == "").any():
        text = "The run normalised within brain masks; without --brain-mask the brain is where the scan is not 0."
        logger.warning(text)
