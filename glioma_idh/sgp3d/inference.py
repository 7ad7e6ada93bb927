"""Apply networks to preprocessed subjects, and score predicted masks on the patients' own grids."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from glioma_idh import runs
from glioma_idh.cohorts.scans import read_mask
from glioma_idh.evaluation.segmentation import mask_scores
from glioma_idh.imaging.volumes import return_to_grid
from glioma_idh.quiet_keras import keras
from glioma_idh.sgp3d.cache import CachedSubject
from glioma_idh.sgp3d.paper import SEQUENCES
from glioma_idh.sgp3d.preprocessing import Placement, lesion_slices, place_back
from glioma_idh.sgp3d.recipe import Recipe

PREDICTION_COLUMNS = ["subject", "patient", "cohort", "repeat", "split", "truth", "score", "dice", "lesion_ml"]
PREDICTION_COLUMNS += ["predicted_ml", "hd95_mm", "num_lesions", "num_lesions_found", "num_false_lesions"]
NO_FLIP = ((),)
FLIPS = tuple(axes for count in range(4) for axes in itertools.combinations((0, 1, 2), count))


def input_shape(recipe: Recipe) -> tuple[int, ...]:
    """Return the input shape of the network: (i, j, k, 4) for volumes, (i, j, 4) for slices."""
    return (*recipe.shape[: 2 if recipe.reads_slices else 3], len(SEQUENCES))


def reads_slices(network: keras.Model) -> bool:
    """Return whether a network reads slices, not volumes."""
    return len(network.input_shape) == 4


def predict_scans(
    network: keras.Model,
    scans: np.ndarray,
    flips: Sequence[tuple[int, ...]] = NO_FLIP,
    mask: np.ndarray | None = None,  # needed by networks that read slices
) -> tuple[float, np.ndarray | None]:
    """Predict one subject, averaged over flips of the input. `flips` has, for each pass, the axes to flip.

    Returns:
        The probability of an IDH mutation (mean over slices, if it reads slices), NaN if there is no such output.
        The probability of lesion per voxel, float32, shape (i, j, k), None if there is no such output.
    """
    scores, lesions = [], []
    for axes in flips:
        flipped = np.flip(scans, axes)
        batch = lesion_slices(flipped, np.flip(np.asarray(mask), axes)) if reads_slices(network) else flipped[None]
        outputs = network.predict_on_batch(batch)
        if "idh" in outputs:
            scores.append(np.mean(outputs["idh"], dtype=np.float64))
        if "segmentation" in outputs:
            lesions.append(np.flip(outputs["segmentation"][0, ..., 1], axes))
    score = float(np.mean(scores)) if scores else float("nan")
    return score, np.asarray(np.mean(lesions, axis=0, dtype=np.float32)) if lesions else None


def reference_lesion(row: pd.Series, placement: Placement) -> np.ndarray:
    """Read the reference lesion mask of a subject, as booleans on its own grid."""
    return return_to_grid(read_mask(row, order="K").array != 0, placement.own_affine)


def score_masks(predicted: np.ndarray, reference: np.ndarray, placement: Placement) -> dict[str, float]:
    """Score a predicted mask on the patient's own grid: `evaluation.segmentation.mask_scores` and `predicted_ml`.

    The paper does not say on which grid; the patient's grid is our choice.
    """
    spacing_mm = np.linalg.norm(placement.own_affine[:3, :3], axis=0)
    predicted_ml = float(np.count_nonzero(predicted) * spacing_mm.prod() / 1000)
    return mask_scores(predicted, reference, spacing_mm) | {"predicted_ml": predicted_ml}


def score_subject(
    network: keras.Model, row: pd.Series, learns: tuple[str, ...]
) -> tuple[dict[str, float], np.ndarray | None]:
    """Predict a cached subject that was not in the training set.

    Returns `score`, if the network was trained for IDH, and `score_masks`, if for segmentation; and the predicted
    lesion on the patient's own grid, or None.
    """
    cached = CachedSubject(Path(row["prepared"]))
    score, probability = predict_scans(network, cached.scans(), mask=cached.mask())
    numbers, lesion = {"score": score} if "idh" in learns else {}, None
    if "segmentation" in learns:
        placement = cached.placement()
        lesion = place_back(np.asarray(probability), placement)
        numbers |= score_masks(lesion, reference_lesion(row, placement), placement)
    return numbers, lesion


def predictions_table(table: pd.DataFrame, networks: list, run_dir: Path, learns: tuple[str, ...]) -> pd.DataFrame:
    """Make the predictions table of an external cohort: one row per subject and network (`split`)."""
    splits = runs.list_splits(runs.read_table(run_dir / runs.SPLITS))
    rows = []
    for _, row in table.iterrows():
        columns = {name: row[name] for name in ("subject", "patient", "cohort", "lesion_ml")}
        for (repeat, split), network in zip(splits, networks, strict=True):
            numbers, _ = score_subject(network, row, learns)
            rows.append(columns | {"repeat": repeat, "split": split, "truth": row["idh"]} | numbers)
    return pd.DataFrame(rows).reindex(columns=PREDICTION_COLUMNS)
