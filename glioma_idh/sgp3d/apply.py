"""Networks applied to prepared subjects, and what their masks are worth on the patients' own grids."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd

from glioma_idh import runs, training  # noqa: F401  first, as it loads TensorFlow quietly

import keras  # isort: skip

from glioma_idh.cohorts.scans import read_scan
from glioma_idh.imaging.volumes import return_to_grid
from glioma_idh.sgp3d.prepared import Stored
from glioma_idh.sgp3d.preprocessing import Placement, place_back

PREDICTION_COLUMNS = ["subject", "patient", "cohort", "repeat", "fold", "truth", "score", "dice", "lesion_ml"]
PREDICTION_COLUMNS += ["predicted_ml"]
OUTPUTS = ("idh", "segmentation")
NO_FLIP = ((),)
FLIPS = tuple(axes for count in range(4) for axes in itertools.combinations((0, 1, 2), count))


def predict_scans(network: keras.Model, scans: np.ndarray, flips=NO_FLIP) -> tuple[float, np.ndarray]:
    """What a network says of one subject, averaged over flips of the input.

    Args:
        network: with the outputs `segmentation` and `idh`.
        scans: shape (i, j, k, 4).
        flips: for each pass the axes that are turned round; FLIPS are all eight.

    Returns:
        The probability of a mutation, and each voxel's of lesion, float32, shape (i, j, k).
    """
    scores, lesions = [], []
    for axes in flips:
        outputs = network.predict_on_batch(np.flip(scans, axes)[None])
        scores.append(float(np.ravel(outputs["idh"])[0]))
        lesions.append(np.flip(outputs["segmentation"][0, ..., 1], axes))
    return float(np.mean(scores)), np.mean(lesions, axis=0, dtype=np.float32)


def own_lesion(probability: np.ndarray, placement: Placement) -> np.ndarray:
    """The predicted lesion on the patient's own grid, 0 or 1, uint8: where the probability is above one half."""
    return place_back(probability, placement)


def reference_lesion(row: pd.Series, placement: Placement) -> np.ndarray:
    """The lesion mask of a subject as booleans on its own grid."""
    return return_to_grid(read_scan(row, "lesion_mask", order="K").array != 0, placement.own_affine)


def dice_score(predicted: np.ndarray, reference: np.ndarray) -> float:
    """Dice of two masks; two empty ones agree, 1."""
    total = np.count_nonzero(predicted) + np.count_nonzero(reference)
    return 2 * np.count_nonzero(np.logical_and(predicted, reference)) / total if total else 1.0


def score_masks(predicted: np.ndarray, reference: np.ndarray, placement: Placement) -> dict[str, float]:
    """Dice on the patient's own grid, and the predicted volume.

    Differs from the paper: it does not say on which grid; ours is the patient's.
    """
    voxel_ml = float(abs(np.linalg.det(placement.own_affine[:3, :3]))) / 1000
    return {"dice": dice_score(predicted, reference), "predicted_ml": np.count_nonzero(predicted) * voxel_ml}


def predictions_table(table: pd.DataFrame, networks: list, run_dir: Path, targets: str) -> pd.DataFrame:
    """The predictions table of subjects that no network was trained on: one row a subject and network.

    Args:
        table: cohort table with `prepared`, the stored subjects' folders, and labels.
        networks: of the run, one a split.
        run_dir: of the run.
        targets: what they were trained for; the other number is empty.
    """
    splits = runs.list_splits(runs.read_table(run_dir / "splits.csv"))
    rows = []
    for _, row in table.iterrows():
        stored = Stored(Path(row["prepared"]))
        placement, scans = stored.placement(), stored.scans()
        reference = reference_lesion(row, placement)
        identity = {name: row[name] for name in ("subject", "patient", "cohort")}
        for (repeat, fold), network in zip(splits, networks, strict=True):
            score, probability = predict_scans(network, scans)
            numbers = score_masks(own_lesion(probability, placement), reference, placement)
            numbers |= {"repeat": repeat, "fold": fold, "truth": row["idh"], "score": score}
            rows.append(identity | numbers | {"lesion_ml": row["lesion_ml"]})
    return without_untrained(pd.DataFrame(rows), targets)[PREDICTION_COLUMNS]


def without_untrained(predictions: pd.DataFrame, targets: str) -> pd.DataFrame:
    """Leave out the numbers that a network was not trained for."""
    untrained = {"idh": "dice", "random-masks": "dice", "segmentation": "score"}.get(targets)
    return predictions.assign(**{untrained: np.nan}) if untrained else predictions
