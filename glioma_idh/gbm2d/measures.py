"""What is measured of a scan and its lesion, to tell who is unlike the subjects that a run learnt from."""

import numpy as np

from glioma_idh.departures import Group, Measure, log_odds
from glioma_idh.imaging.axes import lesion_auc
from glioma_idh.imaging.volumes import bounding_box

DIRECTIONS = ("right", "front", "top")
OF_LESION = (10, 50, 90)
OF_BRAIN = (5, 25, 75, 95)
TOWARDS = "The lesion lies {{}} of the way through the brain to the {}"
ALONE = (
    Measure("lesion_ml", "The lesion has {} ml", np.log),
    Measure("brain_ml", "The brain has {} ml", np.log),
    *(Measure(f"towards_{side}", TOWARDS.format(side)) for side in DIRECTIONS),
    Measure("stands_out", "The lesion is brighter than what lies around it with an AUC of {}", log_odds),
)
INTENSITIES = Group(
    ("log_odds_stands_out", *(f"lesion_{p}" for p in OF_LESION), *(f"brain_{p}" for p in OF_BRAIN)),
    "Its intensities are unlike those of the {n} that the run learnt from: is it the same sequence, prepared alike?",
)


def measure_subject(normalised: np.ndarray, lesion: np.ndarray, brain: np.ndarray, spacing_mm) -> dict[str, float]:
    """Measure one subject: its scan, normalised over the brain, and lesion and brain, neither of them empty.

    By name volumes in ml; the lesion's centre as a share of the brain's box, 0 to 1; how far the lesion stands out;
    percentiles of its intensities and the brain's.
    """
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    found: dict = {"lesion_ml": np.count_nonzero(lesion) * voxel_ml, "brain_ml": np.count_nonzero(brain) * voxel_ml}
    for side, (start, stop), index in zip(DIRECTIONS, bounding_box(brain), np.nonzero(lesion), strict=True):
        found[f"towards_{side}"] = (index.mean() + 0.5 - start) / (stop - start)
    found["stands_out"] = lesion_auc(normalised, lesion, brain, spacing_mm)
    found["log_odds_stands_out"] = float(log_odds(found["stands_out"]))
    within = normalised[lesion & brain] if (lesion & brain).any() else normalised[lesion]
    found |= dict(zip((f"lesion_{p}" for p in OF_LESION), np.percentile(within, OF_LESION), strict=True))
    found |= dict(zip((f"brain_{p}" for p in OF_BRAIN), np.percentile(normalised[brain], OF_BRAIN), strict=True))
    return {name: float(value) for name, value in found.items()}
