"""Heuristics: properties of an image that are not stated anywhere, estimated from its voxels.

They lead to remarks and errors, never to a change of the image.
"""

from itertools import combinations_with_replacement

import numpy as np
from scipy import ndimage

from glioma_idh.errors import InputError
from glioma_idh.imaging.volumes import Volume

WHOLE_HEAD_ML = 1000
BRAIN_ML = (800, 2500)
HEAD_ML = 2800
LARGEST_HEAD_ML = 5000
LARGEST_Z_SCORE = 100
BRAIN_SECTION_CM2 = 215  # largest axial section: brains have up to about 200, heads at least about 240
HEAD_SECTION_CM2 = 240  # larger than the axial section of any brain; those of the phantom have up to 228
FULL_BOX = 0.97  # share of a box as large as a head that a brain never fills, since it leaves the corners empty
FAINT = 0.01  # share of the 99th percentile below which lie the values that interpolation leaves around a brain
RINGING = 0.15  # share of faint voxels that indicates interpolation; it is 0.10 in a crop around a lesion
SAME_BRAIN_DICE = 0.96  # in BraTS, scans of one patient have at least 0.999, those of two patients at most 0.94
LITTLE_ENHANCEMENT = 1.2
"""Below this `enhancement` a T1Gd may lack contrast agent. It is lower in 5 of 121 patients of BraTS 2020 and TCGA,
whose lesions enhance little and whose crops contain few vessels."""


def estimate_background(array: np.ndarray) -> float:
    """Estimate the background value: that of all eight corners if they agree (heuristic), otherwise 0."""
    corners = array[:: max(array.shape[0] - 1, 1), :: max(array.shape[1] - 1, 1), :: max(array.shape[2] - 1, 1)]
    return float(corners.flat[0]) if (corners == corners.flat[0]).all() else 0.0


def classify_intensities(tissue: np.ndarray, box_ml: float) -> str:
    """Classify the intensities of tissue as `z-scored` or `raw` (heuristic).

    z-scores are below 100 and often negative: a tenth or more of a whole brain, but perhaps only one voxel in a hundred
    in a small box around a bright lesion.

    Args:
        tissue: intensities of the voxels that are not background.
        box_ml: volume of the whole image.
    """
    if tissue.size == 0 or np.abs(tissue).max() >= LARGEST_Z_SCORE:
        return "raw"
    least = 0.1 if box_ml >= WHOLE_HEAD_ML else 0.005
    return "z-scored" if np.mean(tissue < 0) >= least else "raw"


def classify_head(tissue_ml: float, box_ml: float) -> str:
    """Classify a scan as `skull-stripped`, `with skull` or `cannot tell` (heuristic).

    In a skull-stripped scan, voxels outside the brain equal the background exactly, and the rest has the volume of a
    brain. A head is larger, and the air around it is noisy.

    Args:
        tissue_ml: volume of the voxels that are not background.
        box_ml: volume of the whole image; below that of a head nothing can be told.
    """
    if tissue_ml >= HEAD_ML:
        return "with skull"
    is_brain = BRAIN_ML[0] <= tissue_ml <= BRAIN_ML[1] and tissue_ml <= 0.8 * box_ml
    return "skull-stripped" if is_brain and box_ml >= WHOLE_HEAD_ML else "cannot tell"


def looks_stripped(volume: Volume) -> bool:
    """Return whether an image is skull-stripped (heuristic); False if that cannot be told.

    An image is skull-stripped if the voxels that are not background have the volume of a brain, and no axial section is
    larger than that of a brain; the section distinguishes a brain from a part of a head. An image smaller than a head
    counts as skull-stripped if it holds z-scores, which are computed over the brain.
    """
    tissue = volume.array != estimate_background(volume.array)
    tissue_ml, box_ml = np.count_nonzero(tissue) * volume.voxel_ml, tissue.size * volume.voxel_ml
    if box_ml < WHOLE_HEAD_ML:
        return classify_intensities(volume.array[tissue], box_ml) == "z-scored"
    largest_section_cm2 = np.count_nonzero(tissue, axis=(0, 1)).max() * np.prod(volume.spacing_mm[:2]) / 100
    return classify_head(tissue_ml, box_ml) == "skull-stripped" and bool(largest_section_cm2 <= BRAIN_SECTION_CM2)


def why_not_stripped(volume: Volume) -> str:
    """Return why the voxels that are not 0 are not the brain, in words; "" if there is no sign of that (heuristic).

    Unlike `looks_stripped`, this also accepts a small box around a lesion: such a box is rejected only for a background
    other than 0. Noisy air in a box smaller than a section of the head is not detected.
    """
    array = volume.array
    filled = array != 0
    if (array == array.flat[0]).all():
        return ""  # a constant image has an error of its own
    places = [(axis, slices) for axis in range(3) if array.shape[axis] > 2 for slices in ((0, 1), (-2, -1))]
    borders = [array.take(slices, axis) for axis, slices in places]  # two outer slices of one value
    padded = (float(border.flat[0]) for border in borders if border.flat[0] and (border == border.flat[0]).all())
    if background := next(padded, estimate_background(array)):
        return f"a background of {background:g} that is not 0"
    filled_ml, box_ml = np.count_nonzero(filled) * volume.voxel_ml, array.size * volume.voxel_ml
    section_cm2 = np.count_nonzero(filled, axis=(0, 1)).max() * np.prod(volume.spacing_mm[:2]) / 100
    is_full = box_ml >= WHOLE_HEAD_ML and filled_ml > FULL_BOX * box_ml
    if filled_ml > BRAIN_ML[1] or section_cm2 > HEAD_SECTION_CM2 or is_full:
        found = f"{filled_ml:.0f} ml of voxels that are not 0, {filled_ml / box_ml:.0%} of the image"
        cause = "skull, noise or interpolation around the brain"
        if filled_ml > LARGEST_HEAD_ML and filled_ml < box_ml / 2:  # noisy air fills more of the image
            edges = " x ".join(f"{edge:.3g}" for edge in volume.spacing_mm)
            return f"{found}, more than a head has with voxels of {edges} mm: wrong voxel size, or {cause}"
        return f"{found}: {cause}"
    size, num_filled = np.abs(array), np.count_nonzero(filled)
    faint = size < FAINT * np.percentile(size[filled], 99)
    if np.count_nonzero(faint & filled) <= RINGING * num_filled:
        return ""
    parts, _ = ndimage.label(faint)
    outer = [parts.take(place, axis).ravel() for axis in range(3) for place in (0, -1)]
    outside = np.isin(parts, np.setdiff1d(np.concatenate(outer), 0))  # connected to the outside of the image
    ringing = np.count_nonzero(outside & filled) / num_filled
    found = f"faint values around the brain, as after interpolation ({ringing:.0%} of the voxels that are not 0)"
    return found if ringing > RINGING else ""


def require_stripped(volume: Volume, advice: str) -> None:
    """Raise InputError with this advice if `why_not_stripped` finds a reason against a skull-stripped scan."""
    if reason := why_not_stripped(volume):
        raise InputError("a skull-stripped scan, 0 around the brain", reason, advice, file=volume.file)


def find_other_brain(covered: dict[str, np.ndarray]) -> dict[str, str]:
    """Find the skull-stripped scans of a subject that cover a different brain than most of the others (heuristic).

    Args:
        covered: by printed name of the scan, the voxels that are not 0 (bool, all of one shape).

    Returns:
        By name, a sentence on each scan that differs; empty if all agree. In a tie the first scans count as correct.
    """
    sizes, dice = {name: np.count_nonzero(mask) for name, mask in covered.items()}, {}
    for one, other in combinations_with_replacement(covered, 2):
        both = np.count_nonzero(covered[one] & covered[other])
        dice[one, other] = dice[other, one] = 1.0 if one == other else 2 * both / max(sizes[one] + sizes[other], 1)
    alike = {one: [other for other in covered if dice[one, other] >= SAME_BRAIN_DICE] for one in covered}
    most = max(alike, key=lambda name: len(alike[name]), default="")
    others = [name for name in covered if name not in alike[most]]
    *former, last = alike.get(most, [""])
    named = f"{', '.join(former)} and {last}" if former else last
    text = "Covers a different brain than {} (Dice {:.2f}): is it from another patient, or not registered?"
    return {name: text.format(named, dice[name, most]) for name in others}


def enhancement(t1gd: np.ndarray, t1: np.ndarray, brain: np.ndarray) -> float:
    """Estimate the contrast enhancement of a T1Gd relative to the T1 on the same grid.

    Each image is predicted from the other by linear regression; its measure is the 99.5th percentile of the residuals,
    in robust standard deviations. The result is the measure of the T1Gd divided by that of the T1. Vessels and
    enhancing tumour raise it to 2 to 4 in patients; it is about 1 without contrast agent, below 1 if the two images
    were exchanged.
    """
    enhanced, plain = t1gd[brain].astype(float), t1[brain].astype(float)
    return _brightest(enhanced, plain) / _brightest(plain, enhanced)


def _brightest(image: np.ndarray, other: np.ndarray) -> float:
    """Return the 99.5th percentile of the residuals of a regression on the other image, in robust SDs."""
    remainder = image - np.polyval(np.polyfit(other, image, 1), other)
    remainder -= np.median(remainder)
    spread = 1.4826 * np.median(np.abs(remainder))
    return float(np.percentile(remainder, 99.5) / max(spread, np.finfo(float).tiny))
