"""Masks: what the voxels of a lesion, brain or white-matter mask mean, wherever one is read."""

import hashlib
from dataclasses import dataclass

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.volumes import Box, Volume, bounding_box, read_volume, widest_axial_slice

LABELS = (0, 1, 2, 3, 4)  # of BraTS: up to 2020 1 NCR/NET, 2 ED, 4 ET; later 3 ET; 2024 4 resection cavity; or 0 and 1
TOLERANCE = 1e-3  # how far a value may lie off the integer that it stands for: slope and intercept of a header round
THRESHOLD = 0.5
THRESHOLDED = "probabilities, thresholded at 0.5"
LARGE_ML = 400.0  # few gliomas reach this volume with their oedema
LARGEST_SHARE_OUTSIDE = 0.01  # of a lesion, beyond the brain; of 187 patients with drawn masks at most 0.0006
LARGEST_SHARE_OF_BRAIN = 0.5
IMPOSSIBLE_ML = 800.0  # half a brain and more: twice what few gliomas reach
IMPOSSIBLE_SHARES = (0.9, 0.99)  # of the brain: of a lesion above LARGE_ML, and of any; 121 crops of 140 ml reach 0.96
IMPOSSIBLE_SHARE_OUTSIDE = 0.5
SHOWN = 5


@dataclass(frozen=True)
class Mask(Volume):
    """A volume of labels, uint8: 0 is outside, everything else inside."""

    remark: str = ""  # how the values of the file were taken where they were no labels


def read_mask(path, order: str = "C") -> Mask:
    """Read a NIfTI file as labels; order as of `read_volume`, errors as of that and of `parse_labels`."""
    volume = read_volume(path, None, order=order)
    labels, remark = parse_labels(volume.array, volume.file)
    return Mask(labels, volume.affine, volume.file, volume.stored_as, volume.own_affine, remark)


def parse_labels(array: np.ndarray, file="") -> tuple[np.ndarray, str]:
    """The finite values of a mask as labels, uint8, and how they were taken where they were none.

    Values within TOLERANCE of an integer are that integer. LABELS are labels; so is any one value beside 0, such as
    255, and the higher of two values of which the lower is negative. Fractions from 0 to 1 are probabilities: inside is
    what reaches THRESHOLD. InputError, which names the values, if they are anything else, or all below THRESHOLD.
    """
    values = array
    if array.dtype.kind not in "iub":
        nearest = np.rint(array)
        values = np.where(np.abs(array - nearest) <= TOLERANCE, nearest, array)
    low, high = values.min(), values.max()
    if low < 0 < high and ((values == low) | (values == high)).all():
        values, low = np.where(values == low, 0, values), 0
    are_integers = values.dtype.kind in "iub" or (values == np.rint(values)).all()
    if low >= 0 and high <= max(LABELS) and are_integers:
        return values.astype(np.uint8), ""
    marked = values[values != 0]
    if low >= 0 and np.ptp(marked) <= TOLERANCE * high:
        label = int(high) if high <= 255 and float(high).is_integer() else 1
        return (values != 0).astype(np.uint8) * np.uint8(label), ""
    if low >= 0 and high < THRESHOLD:
        found = f"probabilities of at most {high:.3g}, which count from {THRESHOLD:g} on"
        raise InputError("a mask that marks voxels", found, "Give it as labels, 0 and 1.", file=file)
    if low >= 0 and high <= 1:
        return (values >= THRESHOLD).astype(np.uint8), THRESHOLDED
    advice = "Check that this is a mask, and not interpolated; one value beside 0, or probabilities, would do too."
    odd = np.setdiff1d(values, LABELS)
    found = ", ".join(f"{value:g}" for value in odd[:SHOWN])
    found += f" and {len(odd) - SHOWN} more up to {odd[-1]:g}" if len(odd) > SHOWN else ""
    raise InputError(f"labels out of {LABELS}", found, advice, file=file)


def lesion_rectangle(mask: np.ndarray) -> tuple[int, Box]:
    """The axial slice k where a lesion (not 0) is widest, and the rectangle around it there: for the slice CNN.

    InputError if the mask, (i, j, k), RAS+, is empty, lies on one slice only, or is a line there.
    """
    mask = mask != 0
    num_slices = int(mask.any(axis=(0, 1)).sum())
    if num_slices < 2:
        found = "an empty mask" if num_slices == 0 else "a mask that touches one axial slice only"
        raise InputError("a lesion on several axial slices", found, "Check that the mask is the lesion's, and whole.")
    k = widest_axial_slice(mask)
    box = bounding_box(mask[..., k])
    shape = tuple(stop - start for start, stop in box)
    if min(shape) < 2:
        raise InputError("a lesion at least 2 x 2 voxels wide", f"{shape} voxels", "Check the lesion mask.")
    return k, box


def mask_hash(array: np.ndarray) -> str:
    """Sixteen hexadecimal digits of the voxels of its grid that a mask marks, unlike `voxel_hash` by place; "" of 0."""
    marked = array != 0
    if not marked.any():
        return ""
    return hashlib.sha256(str(marked.shape).encode() + np.packbits(marked).tobytes()).hexdigest()[:16]


@dataclass(frozen=True)
class LesionFacts:
    """How a lesion mask lies in the brain."""

    volume_ml: float  # of the lesion
    share_outside: float  # of the lesion that lies outside the brain, 0 to 1
    share_of_brain: float  # of the brain that is lesion, 0 to 1

    @property
    def fills_brain(self) -> bool:
        """Whether more than half of the brain is lesion, as in crops around a lesion."""
        return self.share_of_brain > LARGEST_SHARE_OF_BRAIN

    def why_no_lesion(self) -> str:
        """What a mask is that can be of no lesion; empty where it can be."""
        most = IMPOSSIBLE_SHARES[self.volume_ml <= LARGE_ML]
        if self.share_of_brain > most or self.volume_ml > IMPOSSIBLE_ML:
            return f"{100 * self.share_of_brain:.0f} % of the brain, {self.volume_ml:.0f} ml, as a mask of all of it"
        if self.share_outside > IMPOSSIBLE_SHARE_OUTSIDE:
            return f"one that lies outside the brain with {100 * self.share_outside:.0f} %"
        return ""

    def require_lesion(self, file) -> None:
        """Raise InputError unless the mask, of a file, is one that a lesion can have."""
        if found := self.why_no_lesion():
            advice = "Give the mask of the lesion alone, drawn on this scan."
            raise InputError("a lesion mask", found, advice, file=file)

    def remarks(self) -> dict[str, str]:
        """What a lesion mask hardly can be: for each remark a few words, and a sentence."""
        found = {}
        if self.volume_ml > LARGE_ML:
            found["large lesion"] = f"The lesion has {self.volume_ml:.0f} ml: is the mask one of the lesion?"
        if self.share_outside > LARGEST_SHARE_OUTSIDE:
            outside = f"{100 * self.share_outside:.0f} % of the lesion ({self.share_outside * self.volume_ml:.2g} ml)"
            found["outside brain"] = f"{outside} lie outside the brain: do mask and scan belong together?"
        return found


def measure_lesion(lesion: np.ndarray, brain: np.ndarray, voxel_ml: float) -> LesionFacts:
    """Measure how a lesion (not 0, not empty) lies in the brain, bool; of an empty brain the shares are 1 and 0."""
    lesion = lesion != 0
    volume, inside, whole = (int(np.count_nonzero(part)) for part in (lesion, lesion & brain, brain))
    return LesionFacts(volume * voxel_ml, (volume - inside) / volume, inside / max(whole, 1))
