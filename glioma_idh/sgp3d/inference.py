"""Networks applied to prepared subjects, and what their masks are worth on the patients' own grids."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd

from glioma_idh import runs
from glioma_idh.cohorts.scans import read_mask
from glioma_idh.evaluation.segmentation import mask_scores
from glioma_idh.imaging.volumes import return_to_grid
from glioma_idh.sgp3d.cache import CachedSubject
from glioma_idh.sgp3d.paper import SEQUENCES
from glioma_idh.sgp3d.preprocessing import Placement, lesion_slices, place_back
from glioma_idh.sgp3d.recipe import Recipe

PREDICTION_COLUMNS = ["subject", "patient", "cohort", "repeat", "split", "truth", "score", "dice", "lesion_ml"]
PREDICTION_COLUMNS += ["predicted_ml", "hd95_mm", "num_lesions", "num_lesions_found", "num_false_lesions"]
NO_FLIP = ((),)
FLIPS = tuple(axes for count in range(4) for axes in itertools.combinations((0, 1, 2), count))


def input_shape(recipe: Recipe) -> tuple[int, ...]:
    """What the network takes of a subject: four volumes, or slices of them."""
    return (*recipe.shape[: 2 if recipe.reads_slices else 3], len(SEQUENCES))


def reads_slices(network) -> bool:
    """The recipe's `reads_slices`, of a network without its recipe."""
    return len(network.input_shape) == 4


def predict_scans(network, scans: np.ndarray, flips=NO_FLIP, mask=None) -> tuple[float, np.ndarray | None]:
    """The outputs of a network for one subject, averaged over flips of the input: for each pass the axes turned round.

    Returns the probability of a mutation, of slices their mean, NaN without that output; and each voxel's of lesion,
    float32, shape (i, j, k), None without that output. A network that reads slices needs the mask.
    """
    scores, lesions = [], []
    for axes in flips:
        seen = np.flip(scans, axes)
        batch = lesion_slices(seen, np.flip(mask, axes)) if reads_slices(network) else seen[None]
        outputs = network.predict_on_batch(batch)
        if "idh" in outputs:
            scores.append(np.mean(outputs["idh"], dtype=np.float64))
        if "segmentation" in outputs:
            lesions.append(np.flip(outputs["segmentation"][0, ..., 1], axes))
    score = float(np.mean(scores)) if scores else float("nan")
    return score, np.asarray(np.mean(lesions, axis=0, dtype=np.float32)) if lesions else None


def reference_lesion(row: pd.Series, placement: Placement) -> np.ndarray:
    """The lesion mask of a subject as booleans on its own grid."""
    return return_to_grid(read_mask(row, order="K").array != 0, placement.own_affine)


def score_masks(predicted: np.ndarray, reference: np.ndarray, placement: Placement) -> dict[str, float]:
    """What `evaluation.segmentation.mask_scores` gives on the patient's own grid, and `predicted_ml`.

    Differs from the paper: it does not say on which grid; ours is the patient's.
    """
    spacing_mm = np.linalg.norm(placement.own_affine[:3, :3], axis=0)
    predicted_ml = float(np.count_nonzero(predicted) * spacing_mm.prod() / 1000)
    return mask_scores(predicted, reference, spacing_mm) | {"predicted_ml": predicted_ml}


def score_subject(network, row: pd.Series, learns: tuple[str, ...]) -> tuple[dict, np.ndarray | None]:
    """A network on a stored subject that it was not trained on: of `score` and `score_masks` those that were learnt.

    And the lesion on the patient's own grid, or None.
    """
    stored = CachedSubject(Path(row["prepared"]))
    score, probability = predict_scans(network, stored.scans(), mask=stored.mask())
    numbers, lesion = {"score": score} if "idh" in learns else {}, None
    if "segmentation" in learns:
        placement = stored.placement()
        lesion = place_back(np.asarray(probability), placement)
        numbers |= score_masks(lesion, reference_lesion(row, placement), placement)
    return numbers, lesion


def predictions_table(table: pd.DataFrame, networks: list, run_dir: Path, learns: tuple[str, ...]) -> pd.DataFrame:
    """The predictions table of subjects that no network of a run was trained on: one row a subject and network."""
    splits = runs.list_splits(runs.read_table(run_dir / runs.SPLITS))
    rows = []
    for _, row in table.iterrows():
        identity = {name: row[name] for name in ("subject", "patient", "cohort", "lesion_ml")}
        for (repeat, split), network in zip(splits, networks, strict=True):
            numbers, _ = score_subject(network, row, learns)
            rows.append(identity | {"repeat": repeat, "split": split, "truth": row["idh"]} | numbers)
    return pd.DataFrame(rows).reindex(columns=PREDICTION_COLUMNS)
