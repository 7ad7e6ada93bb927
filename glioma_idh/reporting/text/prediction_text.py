"""What a person must know of new predictions: what the score is, how good the run was, and where to look."""

from pathlib import Path

import pandas as pd

from glioma_idh import runs
from glioma_idh.reporting.tables.cells import estimate_cell, known
from glioma_idh.reporting.text.words import count, entry

RESEARCH = "For research only, not for diagnosis."


def prediction_text(predictions: pd.DataFrame, run_dir: Path, out: Path) -> str:
    """A few lines on predictions, for people; the table itself is for programs too.

    Args:
        predictions: what `predict` of either paper gives.
        run_dir: folder of the finished run.
        out: folder of the table, the pictures and the masks.

    Returns:
        The lines, without a line feed at the end.

    Raises:
        InputError: the run has no `metrics.json`.
    """
    metrics = runs.read_json(run_dir / runs.METRICS)
    worth = metrics.get("worth", {})
    lines = [_score(predictions), _performance(worth, run_dir, "score" in predictions), _lesion(predictions, worth)]
    return "\n".join([*(line for line in lines if line), _files(predictions, out), RESEARCH])


def _score(predictions: pd.DataFrame) -> str:
    """What the column `score` is; "" without one."""
    if "score" not in predictions:
        return ""
    networks = [name for name in predictions if name.removeprefix("score_").isdigit()]
    if len(networks) == 1:
        return "score: the probability of an IDH mutation, of one network."
    each = f"{networks[0]} to {networks[-1]}, one a split"
    return (
        f"score: the probability of an IDH mutation, the mean of {len(networks)} networks ({each}); score_sd: their "
        "standard deviation."
    )


def _performance(worth: dict, run_dir: Path, scored: bool) -> str:
    """AUC and calibration of the run, on patients that the networks had not seen."""
    if not scored:
        return ""
    people, auc = worth.get("patients"), entry(worth, "auc").get("within_splits")
    if not people or not auc:
        return f"How good these networks are is not known: python -m glioma_idh.report {run_dir} computes it."
    tested = f"{count(people['num_tested'], 'patient')} ({people['num_mutant']} IDH-mutant)"
    area = f"AUC {estimate_cell(auc)}, 95 % interval in brackets" if known(auc["value"]) else f"the AUC {auc['reason']}"
    return f"The run's own test, on {tested} unknown to the network that scored them: {area}. {_calibration(worth)}"


def _calibration(worth: dict) -> str:
    """Whether the scores can be read as probabilities."""
    calibration = entry(worth, "calibration")
    slope = entry(calibration, "before").get("slope")
    if not slope:
        return "Calibration is not known."
    if not known(slope["value"]):
        return f"The calibration slope {slope['reason']}."
    text = f"Calibration slope {estimate_cell(slope)}, ideally 1"
    if known(slope["low"]) and slope["high"] < 1:
        return f"{text}: scores are too close to 0 and 1."
    if known(slope["low"]) and slope["low"] > 1:
        return f"{text}: scores are too close to the middle."
    return f"{text}."


def _lesion(predictions: pd.DataFrame, worth: dict) -> str:
    """How good the run's lesion masks were; "" where it finds none."""
    dice = entry(worth, "segmentation").get("dice")
    if "predicted_ml" not in predictions or not dice:
        return ""
    return f"Its lesion masks, against the reference masks of those patients: mean Dice {estimate_cell(dice)}."


def _files(predictions: pd.DataFrame, out: Path) -> str:
    """Where table, pictures and masks are."""
    name = predictions["subject"].iloc[0] if len(predictions) == 1 else "SUBJECT"
    masks = f", lesion mask {name}_lesion.nii.gz" if "predicted_ml" in predictions else ""
    return f"In {out}: table predictions.csv, picture {name}.png{masks}. Look at the picture before using a score."
