"""Make the network input from four scans, and bring predicted masks back to the patient (paper: "Data Processing")."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glioma_idh.cohorts.scans import WITH_SKULL, MaskRemarks, read_mask, read_scan, remarks_on
from glioma_idh.cohorts.table import SEQUENCE_NAMES
from glioma_idh.errors import InputError
from glioma_idh.imaging.axes import find_wrong_axes
from glioma_idh.imaging.heuristics import find_other_brain, require_stripped, why_not_stripped
from glioma_idh.imaging.masks import Mask, mask_hash
from glioma_idh.imaging.volumes import Box, Volume, bounding_box, check_same_grid, crop, return_to_grid, voxel_hash
from glioma_idh.sgp3d.paper import SEQUENCES

NUM_SLICES = 16  # per subject, for networks that read slices
THREADS = 2  # per subject, for reading and resampling
ADVICE = f"Use glioma-idh prepare, set the scans to 0 outside the brain, {WITH_SKULL}"


@dataclass(frozen=True)
class Placement:
    """The position of the network input in the patient, to bring a mask back."""

    box: Box  # of the joint crop, on the RAS+ grid
    grid_shape: tuple[int, int, int]  # of the RAS+ grid, (i, j, k)
    own_affine: np.ndarray  # 4 x 4, of the patient's own grid, in any orientation of axes


@dataclass(frozen=True)
class PreparedSubject:
    """A preprocessed subject."""

    scans: np.ndarray  # float32, shape (i, j, k, 4): T1, T1Gd, T2, FLAIR, each of mean 0 and standard deviation 1
    mask: np.ndarray | None  # the lesion, 0 or 1, uint8, shape (i, j, k); None if not requested
    placement: Placement
    lesion_ml: float  # on the patient's grid; NaN without a mask
    remarks: MaskRemarks | None  # on the mask; None without a mask
    turned: str  # evidence that the axes of a scan do not match its header; empty if there is none
    other_brain: str  # the scan whose brain does not match the others; empty if all match
    hashes: dict[str, str]  # hash of the voxels of each image, by column of the cohort table; empty without a mask


def joint_foreground(volumes: list[Volume], apply: Callable = map) -> np.ndarray:
    """Find the voxels that are not 0 in at least one sequence; booleans. `apply` is `map`, or that of a thread pool."""
    foreground, *others = apply(lambda volume: volume.array != 0, volumes)
    for other in others:
        foreground |= other
    if not foreground.any():
        raise InputError("an image with non-zero voxels", "only 0", "Check the scans.", file=volumes[0].file)
    return foreground


def resample(array: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Resample to another shape by trilinear interpolation, voxel centres at half-integers.

    Equals `torch.nn.functional.interpolate(mode="trilinear", align_corners=False)`. The result is float32, with the
    memory layout of the input.

    The paper says that images are reshaped, but not by which interpolation; trilinear is our choice.
    """
    order = np.argsort([-abs(stride) for stride in array.strides], kind="stable")
    array = np.ascontiguousarray(array.transpose(order), dtype=np.float32)
    for axis in (2, 1, 0):
        wanted, last = shape[order[axis]], array.shape[axis] - 1
        place = np.clip(
            (np.arange(wanted) + 0.5) * (last + 1) / wanted - 0.5, 0, last
        )  # edge values are repeated outside
        before = place.astype(int)
        share = np.expand_dims(place - before, [other for other in range(3) if other != axis]).astype(np.float32)
        near, far = array.take(before, axis), array.take(np.minimum(before + 1, last), axis)
        far -= near
        far *= share
        near += far
        array = near
    return array.transpose(np.argsort(order))


def resample_labels(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Resample a mask of shape (i, j, k) to another shape by nearest neighbour."""
    for axis, wanted in enumerate(shape):  # axis by axis: a third of the time of one index for all three
        nearest = ((np.arange(wanted) + 0.5) * mask.shape[axis] / wanted).astype(int)
        mask = mask.take(nearest, axis)
    return mask


def standardise(image: np.ndarray) -> np.ndarray:
    """Subtract the mean of all voxels, background included, and divide by their standard deviation."""
    mean, sd = image.mean(dtype=np.float64), image.std(dtype=np.float64)
    if sd == 0:
        raise InputError("an image that varies", f"the value {mean:g} everywhere", "Check the scan.")
    return (image - np.float32(mean)) * np.float32(1 / sd)


def lesion_slices(scans: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return axial slices, evenly spaced from the lowest to the highest of the lesion; shape (NUM_SLICES, i, j, 4).

    Slices are repeated if the lesion has fewer. For an empty mask, the slices cover the whole image.
    """
    through = np.flatnonzero(mask.any(axis=(0, 1)))
    through = through if len(through) else np.arange(mask.shape[2])
    chosen = through[np.linspace(0, len(through) - 1, NUM_SLICES).round().astype(int)]
    return np.moveaxis(scans[:, :, chosen], 2, 0)


def map_on_own_grid(array: np.ndarray, placement: Placement) -> np.ndarray:
    """Resample a map of the network's shape to the patient's own grid; 0 outside the crop."""
    whole = np.zeros(placement.grid_shape, np.float32)
    crop(whole, placement.box)[...] = resample(array, tuple(stop - start for start, stop in placement.box))
    return np.ascontiguousarray(return_to_grid(whole, placement.own_affine))


def place_back(lesion: np.ndarray, placement: Placement) -> np.ndarray:
    """Resample a lesion probability to the patient's own grid and threshold it: 1 above 0.5, else 0; uint8."""
    return (map_on_own_grid(lesion, placement) > 0.5).astype(np.uint8)


def prepare_subject(
    row: pd.Series, shape: tuple[int, int, int], with_mask: bool = True, with_skull: bool = False
) -> PreparedSubject:
    """Preprocess one subject: read, crop all scans to a common box, resample, standardise, stack."""
    columns = (*SEQUENCES, "lesion_mask") if with_mask else SEQUENCES
    scans = np.empty((*shape, len(SEQUENCES)), np.float32)
    mask, lesion_ml, remarks, hashes = None, float("nan"), None, {}
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            volumes: list = []
            for volume in pool.map(lambda column: _read_image(row, column, with_skull), columns):
                volumes.append(volume)
                check_same_grid(volume, volumes[0])
            sequences = volumes[: len(SEQUENCES)]
            foreground = joint_foreground(sequences, pool.map)
            box = bounding_box(foreground)
            channels = pool.map(lambda volume: _channel(volume, box, shape), sequences)
            if with_mask:
                lesion = (volumes[-1].array != 0).view(np.uint8)  # all labels merged into one
                if not lesion.any():
                    advice = "Check that it is the right mask."
                    raise InputError("a lesion", "an empty mask", advice, file=volumes[-1].file)
                mask = resample_labels(crop(lesion, box), shape)
                remarks = remarks_on(row["subject"], volumes[-1], foreground)
                lesion_ml = np.count_nonzero(lesion) * volumes[0].voxel_ml
                hashes = dict(zip(SEQUENCES, pool.map(voxel_hash, sequences), strict=True))
                hashes["lesion_mask"] = mask_hash(lesion)
            checks = pool.map(lambda volume: find_wrong_axes(volume.array, volume.spacing_mm), sequences)
            turned = [f"{scan.file}: {text}" for scan, text in zip(sequences, checks, strict=True) if text]
            other_brain = _other_brain(sequences, with_skull)
            for number, channel in enumerate(channels):
                scans[..., number] = channel
    except InputError as error:
        raise error.of_subject(row["subject"]) from error
    placement = Placement(box, volumes[0].array.shape, volumes[0].own_affine)
    return PreparedSubject(scans, mask, placement, lesion_ml, remarks, "".join(turned[:1]), other_brain, hashes)


def _read_image(row: pd.Series, column: str, with_skull: bool) -> Volume | Mask:
    """Read the lesion mask or a sequence, which must be skull-stripped unless `with_skull`."""
    if column == "lesion_mask":
        return read_mask(row, column, "K")
    volume = read_scan(row, column, None, "K")
    if not with_skull:
        require_stripped(volume, ADVICE)
    return volume


def _channel(volume: Volume, box: Box, shape: tuple[int, int, int]) -> np.ndarray:
    """Crop, resample and standardise one sequence."""
    try:
        return standardise(resample(crop(volume.array, box), shape))
    except InputError as error:
        error.file = volume.file
        raise


def _other_brain(volumes: list[Volume], with_skull: bool) -> str:
    """Name the sequence whose brain does not match the others, with its file; scans with skull are not judged."""
    stripped = {
        SEQUENCE_NAMES[name]: volume
        for name, volume in zip(SEQUENCES, volumes, strict=True)
        if not (with_skull and why_not_stripped(volume))
    }
    found = find_other_brain({name: volume.array != 0 for name, volume in stripped.items()})
    return " ".join(f"{stripped[name].file}: {sentence}" for name, sentence in found.items())
