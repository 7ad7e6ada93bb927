"""Masks of lesion, brain or white matter: the meaning of their values, and checks of lesion masks."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.volumes import Box, Volume, bounding_box, read_volume, widest_axial_slice

LABELS = (0, 1, 2, 3, 4)  # BraTS up to 2020: 1 NCR/NET, 2 ED, 4 ET; later 3 ET; 2024: 4 resection cavity. Or 0 and 1
TOLERANCE = 1e-3  # largest difference from an integer, which the slope and intercept of a header may cause
THRESHOLD = 0.5
THRESHOLDED = "probabilities, thresholded at 0.5"
LARGE_ML = 400.0  # few gliomas reach this volume, including oedema
LARGEST_SHARE_OUTSIDE = 0.01  # of a lesion outside the brain; at most 0.0006 in 187 patients with manual masks
LARGEST_SHARE_OF_BRAIN = 0.5
IMPOSSIBLE_ML = 800.0  # more than half a brain
IMPOSSIBLE_SHARES = (0.9, 0.99)  # of the brain, for lesions above LARGE_ML and others; 121 crops of 140 ml: up to 0.96
IMPOSSIBLE_SHARE_OUTSIDE = 0.5
SHOWN = 5


@dataclass(frozen=True)
class Mask(Volume):
    """A volume of labels, uint8: 0 is outside, all other values are inside."""

    remark: str = ""  # how the values of the file were converted if they were not labels


def read_mask(path: str | Path, order: Literal["C", "K"] = "C") -> Mask:
    """Read a NIfTI file as labels; `order` and errors as for `read_volume` and `parse_labels`."""
    volume = read_volume(path, None, order=order)
    labels, remark = parse_labels(volume.array, volume.file)
    return Mask(labels, volume.affine, volume.file, volume.stored_as, volume.own_affine, remark)


def parse_labels(array: np.ndarray, file: str | Path = "") -> tuple[np.ndarray, str]:
    """Convert the values of a mask to labels.

    Values within TOLERANCE of an integer count as that integer. Accepted are LABELS; a single value besides 0, such as
    255; two values of which the lower is negative (it counts as 0); and probabilities from 0 to 1, where a voxel is
    inside from THRESHOLD on.

    Args:
        array: finite values.
        file: path for error messages.

    Returns:
        The labels, uint8, and a remark on their conversion ("" if they were labels).

    Raises:
        InputError: the values are of another kind (they are listed), or probabilities that are all below THRESHOLD.
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
        found = f"probabilities of at most {high:.3g}, below the threshold of {THRESHOLD:g}"
        raise InputError("a mask that marks voxels", found, "Save it with the labels 0 and 1.", file=file)
    if low >= 0 and high <= 1:
        return (values >= THRESHOLD).astype(np.uint8), THRESHOLDED
    advice = (
        "Check that this is a mask and was not interpolated. A single value besides 0, or probabilities, also work."
    )
    odd = np.setdiff1d(values, LABELS)
    found = ", ".join(f"{value:g}" for value in odd[:SHOWN])
    found += f" and {len(odd) - SHOWN} more up to {odd[-1]:g}" if len(odd) > SHOWN else ""
    raise InputError(f"a mask with the labels {', '.join(map(str, LABELS))}", found, advice, file=file)


def lesion_rectangle(mask: np.ndarray) -> tuple[int, Box]:
    """Find the axial slice with the largest lesion area, and the bounding box of the lesion on it (slice CNN).

    Args:
        mask: shape (i, j, k), RAS+; the lesion is not 0.

    Returns:
        The index k of the slice, and the box as (start, stop) per axis i and j.

    Raises:
        InputError: the lesion is empty, lies on one slice only, or is less than 2 voxels wide.
    """
    mask = mask != 0
    num_slices = int(mask.any(axis=(0, 1)).sum())
    if num_slices < 2:
        found = "an empty mask" if num_slices == 0 else "a mask on one axial slice only"
        raise InputError("a lesion on several axial slices", found, "Check that the mask contains the whole lesion.")
    k = widest_axial_slice(mask)
    box = bounding_box(mask[..., k])
    shape = tuple(stop - start for start, stop in box)
    if min(shape) < 2:
        raise InputError("a lesion at least 2 x 2 voxels wide", f"{shape} voxels", "Check the lesion mask.")
    return k, box


def mask_hash(array: np.ndarray) -> str:
    """Hash the voxels that a mask marks and their positions: 16 hexadecimal digits, "" for an empty mask."""
    marked = array != 0
    if not marked.any():
        return ""
    return hashlib.sha256(str(marked.shape).encode() + np.packbits(marked).tobytes()).hexdigest()[:16]


@dataclass(frozen=True)
class LesionFacts:
    """Volume of a lesion mask, and its position relative to the brain."""

    volume_ml: float  # volume of the lesion
    share_outside: float  # share of the lesion outside the brain, 0 to 1
    share_of_brain: float  # share of the brain that is lesion, 0 to 1

    @property
    def fills_brain(self) -> bool:
        """True if more than half of the brain is lesion, as in crops around a lesion."""
        return self.share_of_brain > LARGEST_SHARE_OF_BRAIN

    def why_no_lesion(self) -> str:
        """Return why the mask cannot be that of a lesion, in words; "" if it can be."""
        most = IMPOSSIBLE_SHARES[self.volume_ml <= LARGE_ML]
        if self.share_of_brain > most or self.volume_ml > IMPOSSIBLE_ML:
            return f"a mask of {100 * self.share_of_brain:.0f} % of the brain ({self.volume_ml:.0f} ml)"
        if self.share_outside > IMPOSSIBLE_SHARE_OUTSIDE:
            return f"a mask of which {100 * self.share_outside:.0f} % lie outside the brain"
        return ""

    def require_lesion(self, file: str | Path) -> None:
        """Raise InputError, which names the file, if the mask cannot be that of a lesion."""
        if found := self.why_no_lesion():
            advice = "Give a mask of the lesion only, drawn on this scan."
            raise InputError("a lesion mask", found, advice, file=file)

    def remarks(self) -> dict[str, str]:
        """Return remarks on an implausible lesion mask: a sentence by keyword."""
        found = {}
        if self.volume_ml > LARGE_ML:
            found["large lesion"] = f"The lesion has a volume of {self.volume_ml:.0f} ml: is this a lesion mask?"
        if self.share_outside > LARGEST_SHARE_OUTSIDE:
            outside = f"{100 * self.share_outside:.0f} % of the lesion ({self.share_outside * self.volume_ml:.2g} ml)"
            found["outside brain"] = f"{outside} lie outside the brain: does the mask belong to this scan?"
        return found


def measure_lesion(lesion: np.ndarray, brain: np.ndarray, voxel_ml: float) -> LesionFacts:
    """Measure a lesion (not 0; not empty) in a brain (bool); in an empty brain the two shares are 1 and 0."""
    lesion = lesion != 0
    volume, inside, whole = (int(np.count_nonzero(part)) for part in (lesion, lesion & brain, brain))
    return LesionFacts(volume * voxel_ml, (volume - inside) / volume, inside / max(whole, 1))
