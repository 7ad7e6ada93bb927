"""What the voxels suggest about an image where nothing says it. Guesses, and called so; nothing is changed by them."""

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
BRAIN_SECTION_CM2 = 215  # between the largest axial sections of brains (up to about 200) and of heads (from about 240)
HEAD_SECTION_CM2 = 240  # no brain has an axial section of this size; the phantom's, whose ventricles are full, have 228
FULL_BOX = 0.97  # of a box that could hold a head, the share that no brain fills: it leaves the corners
FAINT = 0.01  # of the 99th percentile: below it lies what interpolation leaves around a brain
RINGING = 0.15  # share of faint voxels from which on they trace an interpolation; 0.10 in a crop around a lesion
SAME_BRAIN_DICE = 0.96  # two scans of one brain reach 0.999 and more in BraTS, those of two patients 0.94 and less
LITTLE_ENHANCEMENT = 1.2
"""Below it a T1Gd looks as if no contrast had been given: so do 5 in 121 patients of BraTS 2020 x TCGA, whose lesions
enhance little, and in whose crops there are few vessels."""


def estimate_background(array: np.ndarray) -> float:
    """What all eight corners of an image share, otherwise 0; z-scores taken over a whole box shift it from 0."""
    corners = array[:: max(array.shape[0] - 1, 1), :: max(array.shape[1] - 1, 1), :: max(array.shape[2] - 1, 1)]
    return float(corners.flat[0]) if (corners == corners.flat[0]).all() else 0.0


def classify_intensities(tissue: np.ndarray, box_ml: float) -> str:
    """Whether the voxels of tissue, in an image of that volume, are `z-scored` or else `raw`: a guess.

    z-scores are below 100 and often negative. Of a whole brain a tenth or more is negative; of a small box around a
    lesion that is bright throughout it may be one voxel in a hundred.
    """
    if tissue.size == 0 or np.abs(tissue).max() >= LARGEST_Z_SCORE:
        return "raw"
    least = 0.1 if box_ml >= WHOLE_HEAD_ML else 0.005
    return "z-scored" if np.mean(tissue < 0) >= least else "raw"


def classify_head(tissue_ml: float, box_ml: float) -> str:
    """Whether a scan shows the brain alone or the head with its skull: a guess.

    Around a brain that was cut out, voxels are exactly background, and what is left (tissue) has the volume of a brain.
    A head is larger, and air around it carries noise. The answer is `skull-stripped`, `with skull`, or `cannot tell`
    where the image is smaller than a head or in between.
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
    tissue = volume.array != estimate_background(volume.array)
    tissue_ml, box_ml = np.count_nonzero(tissue) * volume.voxel_ml, tissue.size * volume.voxel_ml
    if box_ml < WHOLE_HEAD_ML:
        return classify_intensities(volume.array[tissue], box_ml) == "z-scored"
    largest_section_cm2 = np.count_nonzero(tissue, axis=(0, 1)).max() * np.prod(volume.spacing_mm[:2]) / 100
    return classify_head(tissue_ml, box_ml) == "skull-stripped" and bool(largest_section_cm2 <= BRAIN_SECTION_CM2)


def why_not_stripped(volume: Volume) -> str:
    """Why "not 0" is not the brain in an image: a guess, in words that follow "found"; empty where nothing says so.

    Unlike `looks_stripped`, the answer is that of a small box around a lesion too: it is refused only for what shows in
    it, a background other than 0. Air noise within a box that is smaller than a head's section is not told from brain.
    """
    array = volume.array
    filled = array != 0
    if (array == array.flat[0]).all():
        return ""  # it is refused for being constant
    places = [(axis, slices) for axis in range(3) if array.shape[axis] > 2 for slices in ((0, 1), (-2, -1))]
    borders = [array.take(slices, axis) for axis, slices in places]  # two outer slices of one value, or the corners
    padded = (float(border.flat[0]) for border in borders if border.flat[0] and (border == border.flat[0]).all())
    if background := next(padded, estimate_background(array)):
        return f"a background of {background:g} that is not 0"
    filled_ml, box_ml = np.count_nonzero(filled) * volume.voxel_ml, array.size * volume.voxel_ml
    section_cm2 = np.count_nonzero(filled, axis=(0, 1)).max() * np.prod(volume.spacing_mm[:2]) / 100
    is_full = box_ml >= WHOLE_HEAD_ML and filled_ml > FULL_BOX * box_ml
    if filled_ml > BRAIN_ML[1] or section_cm2 > HEAD_SECTION_CM2 or is_full:
        found = f"{filled_ml:.0f} ml that are not 0, {filled_ml / box_ml:.0%} of the box"
        cause = "skull, noise or interpolation around the brain"
        if filled_ml > LARGEST_HEAD_ML and filled_ml < box_ml / 2:  # air noise fills more of it
            edges = " x ".join(f"{edge:.3g}" for edge in volume.spacing_mm)
            return f"{found}, more than a head has in voxels of {edges} mm: a wrong spacing, or {cause}"
        return f"{found}: {cause}"
    size, num_filled = np.abs(array), np.count_nonzero(filled)
    faint = size < FAINT * np.percentile(size[filled], 99)
    if np.count_nonzero(faint & filled) <= RINGING * num_filled:
        return ""
    parts, _ = ndimage.label(faint)
    outer = [parts.take(place, axis).ravel() for axis in range(3) for place in (0, -1)]
    outside = np.isin(parts, np.setdiff1d(np.concatenate(outer), 0))  # what hangs together with the outside of the box
    ringing = np.count_nonzero(outside & filled) / num_filled
    return f"faint values around the brain, {ringing:.0%} of what is not 0: interpolation" if ringing > RINGING else ""


def require_stripped(volume: Volume, advice: str) -> None:
    """Raise InputError, with what to do, if `why_not_stripped` has a reason why what is not 0 is not the brain."""
    if reason := why_not_stripped(volume):
        raise InputError("a skull-stripped scan, 0 around the brain", reason, advice, file=volume.file)


def find_other_brain(covered: dict[str, np.ndarray]) -> dict[str, str]:
    """Which skull-stripped scans of a subject cover another brain than most of them do: a guess.

    From which voxels are not 0 (bool, of one shape) by the printed name of each scan to a sentence on each such scan;
    nothing where all agree. Of as many against as many, the first are right.
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
    text = "Covers another brain than {} (Dice {:.2f}): is it of another patient, or not registered?"
    return {name: text.format(named, dice[name, most]) for name in others}


def enhancement(t1gd: np.ndarray, t1: np.ndarray, brain: np.ndarray) -> float:
    """How bright the brightest of a T1Gd are for their T1, over how bright the brightest of the T1 are for their T1Gd.

    Each image is predicted from the other along a straight line; what counts is the 99.5th percentile of the remainder,
    in robust standard deviations. Vessels and leaking tumour raise it in the T1Gd alone: to 2 to 4 in patients; it is
    about 1 where no contrast medium was given, below 1 where the two, on one grid, were swapped.
    """
    enhanced, plain = t1gd[brain].astype(float), t1[brain].astype(float)
    return _brightest(enhanced, plain) / _brightest(plain, enhanced)


def _brightest(image: np.ndarray, other: np.ndarray) -> float:
    """How far the brightest voxels exceed what the other image predicts, in robust standard deviations."""
    remainder = image - np.polyval(np.polyfit(other, image, 1), other)
    remainder -= np.median(remainder)
    spread = 1.4826 * np.median(np.abs(remainder))
    return float(np.percentile(remainder, 99.5) / max(spread, np.finfo(float).tiny))
