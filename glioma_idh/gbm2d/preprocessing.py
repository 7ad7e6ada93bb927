"""Make the 64 x 64 slice that the network reads from a scan and its lesion mask (paper: "Image processing")."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import ndimage

from glioma_idh.cohorts.checks.copies import hash_columns
from glioma_idh.cohorts.scans import WITH_SKULL, MaskRemarks, read_mask, read_scan, remarks_on
from glioma_idh.errors import InputError
from glioma_idh.gbm2d.measures import measure_subject
from glioma_idh.imaging.axes import find_wrong_axes
from glioma_idh.imaging.heuristics import require_stripped
from glioma_idh.imaging.masks import Mask, lesion_rectangle, mask_hash
from glioma_idh.imaging.volumes import Box, Volume, check_same_grid, crop, reorient, voxel_hash
from glioma_idh.parallel import each_row

ADVICE = f"Use glioma-idh prepare, give a brain mask (--brain-mask, or column brain_mask), {WITH_SKULL}"


class LesionSlice(NamedTuple):
    """The bounding rectangle of a lesion on the axial slice with its largest area."""

    pixels: np.ndarray  # intensities in the rectangle, 0 outside the lesion, shape (i, j)
    k: int  # index of the axial slice, on the RAS+ grid
    box: Box  # the rectangle on that slice, ((i_start, i_stop), (j_start, j_stop))


class PreparedSlice(NamedTuple):
    """A preprocessed subject."""

    pixels: np.ndarray  # the network's input, float32, shape (size, size, 1)
    lesion_ml: float
    remarks: MaskRemarks
    measures: dict[str, float]  # to compare it with other subjects
    turned: str  # evidence that the axes of the scan do not match its header; empty if there is none
    hashes: dict[str, str]  # hash of the voxels of each image, by column of the cohort table; empty if not given


def normalise_intensity(image: np.ndarray, brain: np.ndarray) -> np.ndarray:
    """Subtract the median of the brain and divide by its standard deviation. Returns float32.

    Differs from the paper: the paper first divides by the mean of the tumour, which has no effect on the result.
    """
    voxels = image[brain].astype(np.float64)
    if voxels.size == 0 or voxels.std() == 0:
        found = f"the value {voxels[0]:g} everywhere" if voxels.size else "no brain voxel"
        raise InputError("an image that varies within the brain", found, "Check the scan and the brain mask.")
    return ((image - np.median(voxels)) / voxels.std()).astype(np.float32)


def extract_lesion_slice(image: np.ndarray, mask: np.ndarray, affine: np.ndarray) -> LesionSlice:
    """Crop the axial slice with the largest lesion area to the lesion's bounding rectangle; 0 outside the lesion.

    The affine (4 x 4, voxel index to millimetres, RAS+) determines the axial direction, not the order of the array's
    axes. The mask is on the grid of the scan; all non-zero voxels are lesion. Raises InputError if the lesion is on one
    slice only, or only one voxel wide there.
    """
    image, _ = reorient(image, affine)
    mask, _ = reorient(mask != 0, affine)
    k, box = lesion_rectangle(mask)
    return LesionSlice(crop(np.where(mask[..., k], image[..., k], 0), box), k, box)


def resample_slice(pixels: np.ndarray, size: int = 64) -> np.ndarray:
    """Resample a rectangle, shape (i, j), to (size, size): bilinear, pixel centres at half-integers, float32."""
    zoom = (size / pixels.shape[0], size / pixels.shape[1])
    return ndimage.zoom(pixels.astype(np.float32), zoom, order=1, mode="nearest", grid_mode=True)


def read_subject(
    row: pd.Series, sequence: str, with_skull: bool = False
) -> tuple[Volume, Mask, np.ndarray, Mask | None]:
    """Read scan and masks of a subject: returns scan, lesion mask, brain (booleans, shape (i, j, k)), brain mask.

    All are on one grid. Without a brain mask, the brain is all non-zero voxels, and the scan must be skull-stripped.
    """
    image = read_scan(row, sequence)
    mask = read_mask(row)
    check_same_grid(mask, image)
    if not row["brain_mask"]:
        if not with_skull:
            require_stripped(image, ADVICE)
        return image, mask, image.array != 0, None
    brain = read_mask(row, "brain_mask")
    check_same_grid(brain, image)
    return image, mask, brain.array != 0, brain


def prepare_subject(row: pd.Series, sequence: str, size: int = 64, with_skull: bool = False) -> PreparedSlice:
    """Preprocess one subject: read, normalise over the brain, crop to the lesion, resample."""
    file = row[sequence]
    try:
        image, mask, brain, brain_mask = read_subject(row, sequence, with_skull)
        file = image.file
        normalised = normalise_intensity(image.array, brain)
        file = mask.file
        lesion = extract_lesion_slice(normalised, mask.array, image.affine)
        remarks = remarks_on(row["subject"], mask, brain, brain_mask)
    except InputError as error:
        error.file = error.file or str(file)
        raise error.of_subject(row["subject"]) from error
    lesion_ml = float(np.count_nonzero(mask.array)) * mask.voxel_ml
    measures = measure_subject(normalised, mask.array != 0, brain, image.spacing_mm)
    turned = find_wrong_axes(image.array, image.spacing_mm)
    hashes = {sequence: voxel_hash(image), "lesion_mask": mask_hash(mask.array)}
    hashes["brain_mask"] = "" if brain_mask is None else mask_hash(brain)
    return PreparedSlice(resample_slice(lesion.pixels, size)[..., None], lesion_ml, remarks, measures, turned, hashes)


def prepare_cohort(
    table: pd.DataFrame,
    sequence: str,
    size: int = 64,
    jobs: int = -1,
    quiet: bool = False,
    with_skull: bool = False,
) -> tuple[pd.DataFrame, np.ndarray, list[InputError]]:
    """Preprocess every subject of a cohort, in parallel.

    Returns:
        The rows that could be used, with the columns `lesion_ml` and those of `hash_columns`. Its `attrs` have
        `remarks` on masks, `turned` (`PreparedSlice.turned` by subject) and `measures` (one dictionary per subject).
        The slices, float32, shape (n, size, size, 1), in the same order.
        One error per subject that could not be used.
    """
    shown: dict = {"jobs": jobs, "what": "reading scans", "quiet": quiet}
    table, prepared, errors = each_row(prepare_subject, table, sequence, size, with_skull, **shown)
    hashes = hash_columns([subject.hashes for subject in prepared])
    table = table.assign(lesion_ml=[subject.lesion_ml for subject in prepared], **hashes)
    table.attrs["remarks"] = [subject.remarks for subject in prepared]
    named = dict(zip(table["subject"], prepared, strict=True))
    table.attrs["turned"] = {name: subject.turned for name, subject in named.items()}
    table.attrs["measures"] = [{"subject": name} | subject.measures for name, subject in named.items()]
    slices = np.array([subject.pixels for subject in prepared], np.float32).reshape(-1, size, size, 1)  # also for n = 0
    return table, slices, errors
