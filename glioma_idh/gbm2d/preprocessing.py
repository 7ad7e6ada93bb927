"""From a scan and its lesion mask to the 64 x 64 slice that the network sees ("Image processing" of the paper)."""

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

ADVICE = f"Prepare the subject (glioma_idh.prepare), give a brain mask (--brain-mask or the column), {WITH_SKULL}"


class LesionSlice(NamedTuple):
    """The rectangle around a lesion on its widest axial slice."""

    pixels: np.ndarray  # intensities in the rectangle, 0 outside the lesion, shape (i, j)
    k: int  # index of the axial slice, on the RAS+ grid
    box: Box  # the rectangle on that slice, ((i_start, i_stop), (j_start, j_stop))


class PreparedSlice(NamedTuple):
    """What is made of a subject."""

    pixels: np.ndarray  # the network's input, float32, shape (size, size, 1)
    lesion_ml: float
    remarks: MaskRemarks
    measures: dict[str, float]  # by which it is compared with others
    turned: str  # what shows that the scan has other axes than its header says; empty where nothing does
    hashes: dict[str, str]  # by column of the cohort table the voxels of each image; empty where there is none


def normalise_intensity(image: np.ndarray, brain: np.ndarray) -> np.ndarray:
    """Subtract the median of the whole brain and divide by its standard deviation.

    Differs from the paper: it also divides by the mean of the tumour first, which cancels here.
    """
    voxels = image[brain].astype(np.float64)
    if voxels.size == 0 or voxels.std() == 0:
        found = f"the one value {voxels[0]:g}" if voxels.size else "no brain voxel"
        raise InputError("an image that varies within the brain", found, "Check the scan and the brain mask.")
    return ((image - np.median(voxels)) / voxels.std()).astype(np.float32)


def extract_lesion_slice(image: np.ndarray, mask: np.ndarray, affine: np.ndarray) -> LesionSlice:
    """Cut the bounding rectangle of the lesion out of the axial slice where it is widest; 0 outside the lesion.

    Axial is decided by the affine, 4 x 4, voxel index to millimetres, RAS+; never by the order of the array's axes. All
    that is not 0 in the mask, on the scan's grid, is lesion. InputError: it lies on one slice only, or is a line there.
    """
    image, _ = reorient(image, affine)
    mask, _ = reorient(mask != 0, affine)
    k, box = lesion_rectangle(mask)
    return LesionSlice(crop(np.where(mask[..., k], image[..., k], 0), box), k, box)


def resample_slice(pixels: np.ndarray, size: int = 64) -> np.ndarray:
    """Stretch a rectangle, shape (i, j), to a square of float32: bilinear, pixel centres at half-integers."""
    zoom = (size / pixels.shape[0], size / pixels.shape[1])
    return ndimage.zoom(pixels.astype(np.float32), zoom, order=1, mode="nearest", grid_mode=True)


def read_subject(
    row: pd.Series, sequence: str, with_skull: bool = False
) -> tuple[Volume, Mask, np.ndarray, Mask | None]:
    """Read a subject's scan, and lesion mask on the same grid; the brain as booleans, shape (i, j, k); the brain mask.

    Without a brain mask the brain is where the scan is not 0, which must be skull-stripped.
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
    """All steps for one subject: read, normalise over the brain, cut out, resample."""
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


def prepare_cohort(table: pd.DataFrame, sequence: str, size=64, jobs=-1, quiet=False, with_skull=False) -> tuple:
    """The slices of every subject of a cohort, read in parallel.

    Returns the rows that could be used, with `lesion_ml` and the columns of `hash_columns` added, in `attrs["remarks"]`
    what must be said of their masks, in `attrs["turned"]` by subject what shows that a scan has other axes than its
    header says, and in `attrs["measures"]` a dictionary a subject, its measures; their slices, float32, shape
    (n, size, size, 1), in the same order; and one error a subject that could not.
    """
    settings, shown = (sequence, size, with_skull), {"jobs": jobs, "what": "reading scans", "quiet": quiet}
    table, prepared, errors = each_row(prepare_subject, table, *settings, **shown)
    hashes = hash_columns([subject.hashes for subject in prepared])
    table = table.assign(lesion_ml=[subject.lesion_ml for subject in prepared], **hashes)
    table.attrs["remarks"] = [subject.remarks for subject in prepared]
    named = dict(zip(table["subject"], prepared, strict=True))
    table.attrs["turned"] = {name: subject.turned for name, subject in named.items()}
    table.attrs["measures"] = [{"subject": name} | subject.measures for name, subject in named.items()]
    slices = np.array([subject.pixels for subject in prepared], np.float32).reshape(-1, size, size, 1)  # of nobody too
    return table, slices, errors
