"""Detect wrong axes in the header of a scan, and lesion masks that are flipped relative to their scan.

Axes are checked by symmetry: a head is nearly symmetric from left to right only. Masks are checked by contrast: on some
sequences, a lesion is brighter or darker than its surroundings.
"""

import numpy as np
from scipy import ndimage, stats

from glioma_idh.imaging.heuristics import WHOLE_HEAD_ML, classify_head, estimate_background
from glioma_idh.imaging.volumes import bounding_box, crop

MOST_VOXELS = 64  # read along an axis
FINE = 100  # an image with so many voxels along two axes is a whole head, even if its spacing is wrong
FEWEST_VOXELS = 8
CUBE = 24  # voxels per side of the cube to which a head is scaled, so that a wrong spacing does not matter
SHIFTS = 3  # largest offset of the symmetry plane from the middle of the cube, in half voxels
TISSUE = 0.1  # share of the 95th percentile above which a voxel belongs to the head
CUT = 0.15  # the head is cut at a face of the box if it covers more of it; cut along two axes, it is a crop
GAIN = 0.03  # difference in symmetry that is reported; in 206 correct scans of 66 patients it was at most 0.013
TALL, TALL_WITH_SKULL = 1.05, 1.5  # height / length above that of any brain, or head; brains 0.81, phantoms 0.93
DIRECTIONS = ("left to right", "back to front", "bottom to top")
ADVICE = (
    "Are the axes in its header right? Open it in a viewer. If the axial view does not show axial slices, correct the "
    "header of the scan and of its mask, or export both again."
)
SURROUNDINGS_MM = 6.0
LEAST_VOXELS = 20
STANDS_OUT = 0.8  # a lesion stands out if its AUC is above this or below 1 - this: most on FLAIR and T2, few on T1
FLIP_GAIN = 0.1  # gain in AUC that is reported; it occurred in none of 508 correct masks (127 patients, 4 sequences)
FLIPS = ("left to right", "back to front", "top to bottom")


def find_wrong_axes(array: np.ndarray, spacing_mm: np.ndarray) -> str:
    """Detect that the axes of a scan differ from those in its header, as after a lost or wrong header (heuristic).

    It does not detect flipped axes, or any error in a crop, or exchanged front and top axes in a scan with skull and
    cubic voxels.

    Args:
        array: a whole head or brain, shape (i, j, k), with axes to the right, front and top according to the header.
        spacing_mm: edge lengths of a voxel.

    Returns:
        The finding and what to do about it, in words; "" if nothing was found.
    """
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    if array.size * voxel_ml < WHOLE_HEAD_ML and sorted(array.shape)[1] < FINE:
        return ""
    background = estimate_background(array)
    steps = [-(-edge // MOST_VOXELS) for edge in array.shape]
    image = array[tuple(slice(None, None, step) for step in steps)] - background
    if not image.any():
        return ""
    high = np.percentile(np.abs(image[image != 0]), 95)
    head = np.abs(image) > TISSUE * high
    box = bounding_box(head)
    faces = [max(head.take(0, axis).mean(), head.take(-1, axis).mean()) for axis in range(3)]
    is_cut = sum(share > CUT for share in faces) > 1
    if is_cut or min(stop - start for start, stop in box) < FEWEST_VOXELS:
        return ""
    cropped = crop(np.clip(image, -high, high) * head, box)
    zoom = [CUBE / edge for edge in cropped.shape]
    smooth = ndimage.gaussian_filter(cropped.astype(np.float32), [0.5 * max(0, 1 / factor - 1) for factor in zoom])
    cube = ndimage.zoom(smooth, zoom, order=1, grid_mode=True, mode="nearest")
    symmetries = []  # correlation with the mirror image along each axis, about the plane that fits best
    for axis in range(3):
        parts = [cube.take(range(max(0, by), CUBE + min(0, by)), axis) for by in range(-SHIFTS, SHIFTS + 1)]
        symmetries.append(max(float(np.corrcoef(part.ravel(), np.flip(part, axis).ravel())[0, 1]) for part in parts))
    of_sides, *others = symmetries
    axis = 1 + int(np.argmax(others))
    if max(others) - of_sides > GAIN:
        along = (
            f"The image is more symmetric from {DIRECTIONS[axis]} (correlation with its mirror image {max(others):.2f})"
        )
        return f"{along} than from left to right ({of_sides:.2f}); in a head it is the reverse. {ADVICE}"
    sides = zip(box, steps, spacing_mm, strict=True)
    _, length, height = ((stop - start) * step * edge for (start, stop), step, edge in sides)
    stripped = (
        classify_head(np.count_nonzero(array != background) * voxel_ml, array.size * voxel_ml) == "skull-stripped"
    )
    if height > (TALL if stripped else TALL_WITH_SKULL) * length:
        return f"It is {height:.0f} mm high and {length:.0f} mm from back to front, unlike any head. {ADVICE}"
    return ""


def lesion_auc(image: np.ndarray, lesion: np.ndarray, brain: np.ndarray, spacing_mm: np.ndarray) -> float:
    """Compute how well brightness separates a lesion from the brain within 6 mm around it, as an AUC.

    Args:
        image: shape (i, j, k).
        lesion, brain: masks, bool, of the same shape.
        spacing_mm: edge lengths of a voxel.

    Returns:
        The probability that a voxel of the lesion is brighter than one around it; NaN if either has under 20 voxels.
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


def find_flip(
    image: np.ndarray, lesion: np.ndarray, brain: np.ndarray, spacing_mm: np.ndarray
) -> tuple[str, float, float] | None:
    """Find a flip of a lesion mask along one axis that makes it fit the scan much better (heuristic).

    A mask may be flipped after a lost header. Four of five flipped masks are detected on FLAIR and T2, hardly any on T1
    and T1Gd, where the outline of the whole tumour is not an edge.

    Args:
        image, lesion, brain, spacing_mm: as for `lesion_auc`, with axes to the right, front and top.

    Returns:
        The direction in words, and the AUC (`lesion_auc`) of the mask as given and after the flip; None without a flip.
    """
    given = lesion_auc(image, lesion, brain, spacing_mm)
    flips = []
    for axis, direction in enumerate(FLIPS):
        flipped = lesion_auc(image, np.flip(lesion, axis), brain, spacing_mm)
        off_given, off = abs(given - 0.5), abs(flipped - 0.5)
        if off > STANDS_OUT - 0.5 and off - off_given > FLIP_GAIN:
            flips.append((direction, given, flipped))
    return max(flips, key=lambda flip: abs(flip[2] - 0.5), default=None)
