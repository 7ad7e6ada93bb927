"""Whether a lesion mask fits a scan: how far the lesion stands out, as it is given and flipped."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage, stats

from glioma_idh.imaging.boxes import bounding_box, crop

SURROUNDINGS_MM = 6.0
LEAST_VOXELS = 20
STANDS_OUT = 0.8  # AUC from which on, or 1 less it, a lesion stands out: most on FLAIR and T2, few on T1 and T1Gd
GAIN = 0.1  # so much more a flipped mask must stand out: none of 508 right masks (127 patients, 4 sequences) did
DIRECTIONS = ("left to right", "back to front", "top to bottom")


def stand_out(image: np.ndarray, lesion: np.ndarray, brain: np.ndarray, spacing_mm) -> float:
    """How far a lesion is brighter than what lies within 6 mm around it in the brain.

    Args:
        image: intensities, shape (i, j, k).
        lesion, brain: booleans of the same shape.
        spacing_mm: edge lengths of a voxel.

    Returns:
        The AUC: the probability that a voxel of the lesion is brighter than one around it; NaN where either has fewer
        than 20 voxels.
    """
    if not lesion.any():
        return float("nan")
    margin = np.ceil(SURROUNDINGS_MM / np.asarray(spacing_mm)).astype(int) + 1
    sides = zip(bounding_box(lesion), margin, strict=True)
    box = [(max(0, start - more), stop + more) for (start, stop), more in sides]
    image, lesion, brain = (crop(array, box) for array in (image, lesion, brain))
    distance = ndimage.distance_transform_edt(~lesion, sampling=spacing_mm)
    inside, around = image[lesion & brain], image[~lesion & brain & (distance <= SURROUNDINGS_MM)]
    if min(inside.size, around.size) < LEAST_VOXELS:
        return float("nan")
    return float(stats.mannwhitneyu(inside, around, method="asymptotic").statistic / (inside.size * around.size))


class Flip(NamedTuple):
    """A way to flip a mask with which its lesion stands out where it does not as given."""

    direction: str  # in words
    given: float  # AUC of the mask as given, as `stand_out` gives it
    flipped: float  # of the flipped one


def find_flip(image: np.ndarray, lesion: np.ndarray, brain: np.ndarray, spacing_mm) -> Flip | None:
    """The flip of a mask, along one axis of its grid, that makes it fit a scan much better, as after a lost header.

    On FLAIR and T2 four of five flipped masks are found; on T1 with and without contrast agent, where the outline of a
    whole tumour is no edge, nearly none. Arguments as of `stand_out`, the axes to the right, front and top.
    """
    given = stand_out(image, lesion, brain, spacing_mm)
    flips = []
    for axis, direction in enumerate(DIRECTIONS):
        flipped = stand_out(image, np.flip(lesion, axis), brain, spacing_mm)
        off_given, off = abs(given - 0.5), abs(flipped - 0.5)
        if off > STANDS_OUT - 0.5 and off - off_given > GAIN:
            flips.append(Flip(direction, given, flipped))
    return max(flips, key=lambda flip: abs(flip.flipped - 0.5), default=None)
