"""Measures of the four sequences of a subject, to find subjects that differ from the training cohort."""

from itertools import combinations

import numpy as np

from glioma_idh.departures import Group, Measure
from glioma_idh.sgp3d.paper import SEQUENCES
from glioma_idh.sgp3d.preprocessing import Placement

PAIRS = tuple(f"{first}_with_{second}" for first, second in combinations(SEQUENCES, 2))
ALONE = (
    Measure("box_ml", "volume of the box around all non-zero voxels of {} ml", np.log),
    Measure("lesion_ml", "lesion volume of {} ml", np.log),
)
AGREEMENT = Group(
    PAIRS,
    "The correlations between T1, T1Gd, T2 and FLAIR differ from those of the training cohort ({n} subjects): check "
    "that each scan is given under its own name and prepared in the same way.",
)


def measure_subject(scans: np.ndarray, placement: Placement, lesion_ml: float) -> dict[str, float]:
    """Measure one preprocessed subject: volumes in ml, and Fisher's z of the correlation of each pair of sequences.

    Correlations are over voxels that are background in no sequence; NaN if a sequence is constant.
    """
    voxel_ml = abs(float(np.linalg.det(placement.own_affine[:3, :3]))) / 1000
    box_ml = float(np.prod([stop - start for start, stop in placement.box])) * voxel_ml
    voxels = scans.reshape(-1, len(SEQUENCES))
    voxels = voxels[(voxels != voxels.min(axis=0)).all(axis=1)]
    with np.errstate(invalid="ignore", divide="ignore"):
        matrix = np.corrcoef(voxels, rowvar=False) if len(voxels) > 1 else np.full((4, 4), np.nan)
    of_pairs = np.arctanh(np.clip(matrix[np.triu_indices(len(SEQUENCES), 1)], -0.99, 0.99))
    return {"box_ml": box_ml, "lesion_ml": float(lesion_ml)} | dict(zip(PAIRS, of_pairs.tolist(), strict=True))
