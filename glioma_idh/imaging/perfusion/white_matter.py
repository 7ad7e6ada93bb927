"""Normal white matter, the unit of relative blood volume."""

import numpy as np
from scipy import ndimage

from glioma_idh.errors import InputError

WHITE_SHARE = 0.9
LESION_MARGIN_MM = 5.0
CLEAR_SHARE = 0.05
MIN_ERODED_ML = 5.0


def normal_white_matter(
    white_share: np.ndarray, affine: np.ndarray, lesion: np.ndarray | None = None, mirrored: np.ndarray | None = None
) -> np.ndarray:
    """White matter that has nothing to do with the lesion: on the other side, away from its mirror image.

    Voxels that are white matter by the template, eroded once where 5 ml remain, minus lesion and mirrored lesion with a
    margin of 5 mm. Where the lesion keeps to one side (less than 5 % of it overlaps its mirror image) only the other
    side counts: the voxels closer to the mirror image's centre than to the lesion's, since the plane between the two
    is the midsagittal one.

    From shares of white matter, 0 to 1, and masks of the lesion and of its mirror image to a mask, all (i, j, k);
    InputError if nothing remains.
    """
    white = white_share > WHITE_SHARE
    eroded = ndimage.binary_erosion(white)
    white = eroded if eroded.sum() * abs(np.linalg.det(affine[:3, :3])) / 1000 >= MIN_ERODED_ML else white
    for mask in (lesion, mirrored):
        if mask is not None and mask.any():
            spacing_mm = np.linalg.norm(affine[:3, :3], axis=0)
            white = white & (ndimage.distance_transform_edt(~mask.astype(bool), spacing_mm) > LESION_MARGIN_MM)
    if lesion is not None and mirrored is not None and lesion.any() and mirrored.any():
        lesion, mirrored = lesion.astype(bool), mirrored.astype(bool)
        if (lesion & mirrored).sum() <= CLEAR_SHARE * lesion.sum():
            here, there = (affine[:3, :3] @ np.argwhere(mask).mean(axis=0) for mask in (lesion, mirrored))
            across = (there - here) @ affine[:3, :3]
            axes = np.meshgrid(*[np.arange(n) for n in lesion.shape], indexing="ij", sparse=True)
            white = white & (sum(across[n] * axes[n] for n in range(3)) > (there - here) @ (here + there) / 2)
    if not white.any():
        advice = "Give a mask of normal white matter, or check the template's fit and the lesion mask."
        raise InputError("normal white matter away from the lesion and its mirror image", "no voxel", advice)
    return white


def check_white_matter(white: np.ndarray, brain: np.ndarray, lesion: np.ndarray) -> None:
    """Raise InputError unless a mask of normal white matter has voxels in the brain and none in the lesion."""
    if not (white & brain).any():
        found = "an empty mask" if not white.any() else f"{white.sum()} voxels, all outside the brain"
        raise InputError("normal white matter in the brain", found, "Give another white matter mask.")
    if overlap := int((white & lesion).sum()):
        found = f"{overlap} of its {white.sum()} voxels inside the lesion"
        raise InputError("white matter outside the lesion", found, "Draw it in the other hemisphere.")


def in_units_of_white_matter(values: np.ndarray, white: np.ndarray) -> np.ndarray:
    """Divide values (voxel,) by their median in normal white matter (voxel,), bool; InputError if it is not positive.

    The median, because vessels and voxels shared with grey matter pull the mean up.
    """
    unit = np.median(values[white]) if white.any() else 0.0
    if not unit > 0:
        found = f"a median area under the curve of {unit:.3g} in {white.sum()} voxels"
        advice = "No bolus is seen there: check the mask of white matter, and of two echoes their order."
        raise InputError("a positive blood volume of the normal white matter", found, advice)
    return values / unit
