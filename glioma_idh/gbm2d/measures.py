"""Measures of a scan and its lesion, to find subjects that differ from the training cohort."""

import numpy as np

from glioma_idh.departures import Group, Measure, log_odds
from glioma_idh.imaging.axes import lesion_auc
from glioma_idh.imaging.volumes import bounding_box

DIRECTIONS = ("right", "front", "top")
OF_LESION = (10, 50, 90)
OF_BRAIN = (5, 25, 75, 95)
POSITION = "lesion position of {{}} on a scale from 0 to 1 across the brain towards the {}"
ALONE = (
    Measure("lesion_ml", "lesion volume of {} ml", np.log),
    Measure("brain_ml", "brain volume of {} ml", np.log),
    *(Measure(f"towards_{side}", POSITION.format(side)) for side in DIRECTIONS),
    Measure("stands_out", "lesion contrast (AUC of lesion against surrounding intensities) of {}", log_odds),
)
INTENSITIES = Group(
    ("log_odds_stands_out", *(f"lesion_{p}" for p in OF_LESION), *(f"brain_{p}" for p in OF_BRAIN)),
    "The intensities differ from those of the training cohort ({n} subjects): check that it is the same sequence, "
    "prepared in the same way.",
)


def measure_subject(
    normalised: np.ndarray, lesion: np.ndarray, brain: np.ndarray, spacing_mm: np.ndarray
) -> dict[str, float]:
    """Measure one subject. `normalised` is its scan, normalised over the brain; `lesion` and `brain` are not empty.

    Returns, by name, volumes in ml; the centre of the lesion as a fraction of the brain's bounding box, 0 to 1; the
    contrast of the lesion (AUC); percentiles of the intensities in lesion and brain.
    """
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    found: dict[str, float] = {
        "lesion_ml": np.count_nonzero(lesion) * voxel_ml,
        "brain_ml": np.count_nonzero(brain) * voxel_ml,
    }
    for side, (start, stop), index in zip(DIRECTIONS, bounding_box(brain), np.nonzero(lesion), strict=True):
        found[f"towards_{side}"] = (index.mean() + 0.5 - start) / (stop - start)
    found["stands_out"] = lesion_auc(normalised, lesion, brain, spacing_mm)
    found["log_odds_stands_out"] = float(log_odds(found["stands_out"]))
    within = normalised[lesion & brain] if (lesion & brain).any() else normalised[lesion]
    found |= dict(zip((f"lesion_{p}" for p in OF_LESION), np.percentile(within, OF_LESION), strict=True))
    found |= dict(zip((f"brain_{p}" for p in OF_BRAIN), np.percentile(normalised[brain], OF_BRAIN), strict=True))
    return {name: float(value) for name, value in found.items()}
