"""Whether the axes of a scan run as its header says, and whether a lesion mask fits it, as it is given or flipped.

A head is nearly its own mirror image from left to right alone; a lesion stands out on some sequences.
"""

import numpy as np
from scipy import ndimage, stats

from glioma_idh.imaging.heuristics import WHOLE_HEAD_ML, classify_head, estimate_background
from glioma_idh.imaging.volumes import bounding_box, crop

MOST_VOXELS = 64  # looked at along an axis
FINE = 100  # voxels along two axes: a whole head, also where the header makes it smaller than one
FEWEST_VOXELS = 8
CUBE = 24  # voxels a side to which a head is stretched, so that a wrong spacing does not matter
SHIFTS = 3  # voxels of the cube by which the plane of symmetry may lie off its middle, in halves of a voxel
TISSUE = 0.1  # share of the 95th percentile from which on a voxel belongs to the head
CUT = 0.15  # share of a face of the box from which on the head is cut there; cut along two axes, it is a crop
GAIN = 0.03  # by so much another axis must be more symmetric. Of 206 right scans of 66 patients it is by 0.013 at most
TALL, TALL_WITH_SKULL = 1.05, 1.5  # height over length of no brain, or head with neck; brains reach 0.81, phantoms 0.93
DIRECTIONS = ("left to right", "back to front", "bottom to top")
MEND = "if its axial view shows no axial slices, correct the header of the scan, and of its mask, or export both again."
ADVICE = f"Do its axes run as its header says? Open it in a viewer; {MEND}"
SURROUNDINGS_MM = 6.0
LEAST_VOXELS = 20
STANDS_OUT = 0.8  # AUC from which on, or 1 less it, a lesion stands out: most on FLAIR and T2, few on T1 and T1Gd
FLIP_GAIN = 0.1  # so much more a flipped mask must stand out: none of 508 right masks (127 patients, 4 sequences) did
FLIPS = ("left to right", "back to front", "top to bottom")


def find_turned(array: np.ndarray, spacing_mm) -> str:
    """What shows that the axes of a scan are others than its header says, as after a lost or foreign header.

    Looked at is the whole head or brain, (i, j, k), to the right, front and top by the header; of a crop nothing is
    said. Axes that are only flipped are not found, nor, with skull and equal edges, front and top that have changed
    places. What comes back is a sentence and what to do; empty where nothing shows.
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
        along = f"Mirrored from {DIRECTIONS[axis]} it correlates with itself at {max(others):.2f}, from left to"
        return f"{along} right at {of_sides:.2f} only, which is the other way round in heads. {ADVICE}"
    sides = zip(box, steps, spacing_mm, strict=True)
    _, length, height = ((stop - start) * step * edge for (start, stop), step, edge in sides)
    stripped = (
        classify_head(np.count_nonzero(array != background) * voxel_ml, array.size * voxel_ml) == "skull-stripped"
    )
    if height > (TALL if stripped else TALL_WITH_SKULL) * length:
        return f"It is {height:.0f} mm high and {length:.0f} mm from back to front, as no head is. {ADVICE}"
    return ""


def stand_out(image: np.ndarray, lesion: np.ndarray, brain: np.ndarray, spacing_mm) -> float:
    """How far a lesion is brighter than what lies within 6 mm around it in the brain, both bool, (i, j, k).

    The AUC: the probability that a voxel of the lesion is brighter than one around it; NaN of fewer than 20 voxels.
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


def find_flip(image: np.ndarray, lesion: np.ndarray, brain: np.ndarray, spacing_mm) -> tuple[str, float, float] | None:
    """The flip of a mask, along one axis of its grid, that makes it fit a scan much better, as after a lost header.

    On FLAIR and T2 four of five flipped masks are found; on T1 with and without contrast agent, where the outline of a
    whole tumour is no edge, nearly none. Arguments as of `stand_out`, the axes to the right, front and top. Returns the
    direction in words, the AUC (`stand_out`) of the mask as given and of the flipped one.
    """
    given = stand_out(image, lesion, brain, spacing_mm)
    flips = []
    for axis, direction in enumerate(FLIPS):
        flipped = stand_out(image, np.flip(lesion, axis), brain, spacing_mm)
        off_given, off = abs(given - 0.5), abs(flipped - 0.5)
        if off > STANDS_OUT - 0.5 and off - off_given > FLIP_GAIN:
            flips.append((direction, given, flipped))
    return max(flips, key=lambda flip: abs(flip[2] - 0.5), default=None)
