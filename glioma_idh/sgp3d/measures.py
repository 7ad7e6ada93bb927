"""What is measured of a subject's four sequences, to tell who is unlike the subjects that a run learnt from."""

from itertools import combinations

import numpy as np

from glioma_idh.departures import Group, Measure
from glioma_idh.sgp3d.paper import SEQUENCES
from glioma_idh.sgp3d.preprocessing import Placement

PAIRS = tuple(f"{first}_with_{second}" for first, second in combinations(SEQUENCES, 2))
ALONE = (
    Measure("box_ml", "The four scans hold something other than 0 within a box of {} ml", np.log),
    Measure("lesion_ml", "The lesion has {} ml", np.log),
)
AGREEMENT = Group(
    PAIRS,
    "T1, T1Gd, T2 and FLAIR go together in another way than in the {n} that the run learnt from: is each given under "
    "its own name, and prepared alike?",
)


def measure_subject(scans: np.ndarray, placement: Placement, lesion_ml: float) -> dict[str, float]:
    """By name volumes in ml, and each pair of sequences' Fisher z of their correlation, of one prepared subject.

    Over the voxels that are background in neither; NaN where a sequence is the same everywhere.
    """
    voxel_ml = abs(float(np.linalg.det(placement.own_affine[:3, :3]))) / 1000
    box_ml = float(np.prod([stop - start for start, stop in placement.box])) * voxel_ml
    voxels = scans.reshape(-1, len(SEQUENCES))
    voxels = voxels[(voxels != voxels.min(axis=0)).all(axis=1)]
    with np.errstate(invalid="ignore", divide="ignore"):
        matrix = np.corrcoef(voxels, rowvar=False) if len(voxels) > 1 else np.full((4, 4), np.nan)
    of_pairs = np.arctanh(np.clip(matrix[np.triu_indices(len(SEQUENCES), 1)], -0.99, 0.99))
    return {"box_ml": box_ml, "lesion_ml": float(lesion_ml)} | dict(zip(PAIRS, of_pairs.tolist(), strict=True))
