"""What the voxels suggest about an image where nothing says it. Guesses, and called so; nothing is changed by them."""

import numpy as np

from glioma_idh.imaging.volumes import Volume

WHOLE_HEAD_ML = 1000
BRAIN_ML = (800, 2500)
HEAD_ML = 2800
LARGEST_Z_SCORE = 100
BRAIN_SECTION_CM2 = 215
"""Between the largest axial sections of brains (up to about 200 cm2) and of heads (about 240 cm2 and more)."""


def guess_background(array: np.ndarray) -> float:
    """The value around the head or brain: what all eight corners share, otherwise 0.

    It is 0 in nearly all images; z-scores taken over a whole box shift it.

    Args:
        array: shape (i, j, k).
    """
    corners = array[:: max(array.shape[0] - 1, 1), :: max(array.shape[1] - 1, 1), :: max(array.shape[2] - 1, 1)]
    return float(corners.flat[0]) if (corners == corners.flat[0]).all() else 0.0


def guess_intensities(tissue: np.ndarray, box_ml: float) -> str:
    """Whether intensities are as the scanner gave them or z-scores: a guess.

    z-scores are below 100 and often negative. Of a whole brain a tenth or more is negative; of a small box around a
    lesion that is bright throughout it may be one voxel in a hundred.

    Args:
        tissue: the voxels that are not background.
        box_ml: volume of the whole image.

    Returns:
        `z-scored` or `raw`; raw is anything that does not look like z-scores.
    """
    if tissue.size == 0 or np.abs(tissue).max() >= LARGEST_Z_SCORE:
        return "raw"
    least = 0.1 if box_ml >= WHOLE_HEAD_ML else 0.005
    return "z-scored" if np.mean(tissue < 0) >= least else "raw"


def guess_head(tissue_ml: float, box_ml: float) -> str:
    """Whether a scan shows the brain alone or the head with its skull: a guess.

    Around a brain that was cut out, voxels are exactly background, and what is left has the volume of a brain. A head
    is larger, and air around it carries noise.

    Args:
        tissue_ml: volume of the voxels that are not exactly background.
        box_ml: volume of the whole image.

    Returns:
        `skull-stripped`, `with skull`, or `cannot tell` where the image is smaller than a head or in between.
    """
    if tissue_ml >= HEAD_ML:
        return "with skull"
    is_brain = BRAIN_ML[0] <= tissue_ml <= BRAIN_ML[1] and tissue_ml <= 0.8 * box_ml
    return "skull-stripped" if is_brain and box_ml >= WHOLE_HEAD_ML else "cannot tell"


def looks_stripped(volume: Volume) -> bool:
    """Whether an image shows the brain alone: a guess.

    It does where what is not exactly background has the volume of a brain and no axial section larger than a brain's,
    which tells a part of a head from a whole brain. Of a box too small for that, z-scores do: they are taken over the
    brain. Where nothing can be told, the answer is no.
    """
    tissue = volume.array != guess_background(volume.array)
    tissue_ml, box_ml = np.count_nonzero(tissue) * volume.voxel_ml, tissue.size * volume.voxel_ml
    if box_ml < WHOLE_HEAD_ML:
        return guess_intensities(volume.array[tissue], box_ml) == "z-scored"
    largest_section_cm2 = np.count_nonzero(tissue, axis=(0, 1)).max() * np.prod(volume.spacing_mm[:2]) / 100
    return guess_head(tissue_ml, box_ml) == "skull-stripped" and bool(largest_section_cm2 <= BRAIN_SECTION_CM2)
