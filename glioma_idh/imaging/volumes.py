"""Volumes (voxels with an affine), reading and writing them as NIfTI, and bounding boxes."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import nibabel
import numpy as np
from numpy.typing import DTypeLike

from glioma_idh.errors import InputError
from glioma_idh.files import written_whole
from glioma_idh.imaging.nifti import TIME_UNITS_S, UNREADABLE, affine_mm, check_edges, reading_error, spatial_unit

Box = tuple[tuple[int, int], ...]  # (start, stop) per axis; index `stop` is not included


@dataclass(frozen=True)
class Volume:
    """Voxels and their affine; the axes (i, j, k) point to the patient's right, front and top (RAS+)."""

    array: np.ndarray  # voxels, shape (i, j, k), or (i, j, k, t) for a series
    affine: np.ndarray  # 4 x 4, from voxel indices to RAS+ millimetres
    file: str = ""  # path of the file, for error messages
    stored_as: str = ""  # orientation of the axes in the file, such as LPS (left, back, top); "" if not stated
    own_affine: np.ndarray | None = None  # affine of the file, in mm; `return_to_grid` restores its axes

    @property
    def spacing_mm(self) -> np.ndarray:
        """Edge lengths of a voxel, mm, shape (3,)."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel, ml."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000


def reorient(array: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Permute and flip the axes of array and affine to be closest to RAS+; an oblique grid stays oblique."""
    orientation = nibabel.orientations.io_orientation(affine)
    turned = nibabel.orientations.apply_orientation(array, orientation)
    return turned, affine @ nibabel.orientations.inv_ornt_aff(orientation, array.shape)


def return_to_grid(array: np.ndarray, own_affine: np.ndarray) -> np.ndarray:
    """Undo `reorient`: permute and flip RAS+ axes (i, j, k) to those of the affine of the file."""
    own, ras = nibabel.orientations.io_orientation(own_affine), nibabel.orientations.axcodes2ornt("RAS")
    return nibabel.orientations.apply_orientation(array, nibabel.orientations.ornt_transform(ras, own))


def read_volume(
    path: str | Path,
    dtype: DTypeLike | None = np.float32,
    finite: bool = True,
    order: Literal["C", "K"] = "C",
    num_axes: int = 3,
) -> Volume:
    """Read a NIfTI file as a RAS+ volume in millimetres.

    Args:
        path: a `.nii` or `.nii.gz` file with one 3D volume (trailing axes of length 1 are dropped).
        dtype: type of the voxels; None keeps stored integers unless the header scales them.
        finite: whether NaN and infinite voxels are an error; otherwise they are kept.
        order: memory layout: "C", or "K" for that of the file, which avoids a copy.
        num_axes: 3, or 4 for a series of volumes (over time or b-values).

    Raises:
        InputError: the file is missing, truncated, not NIfTI, has another number of axes, or NaN or infinite voxels.
    """
    if not Path(path).is_file():
        raise InputError("a NIfTI file", "no file", "Check the path in the cohort table.", file=path)
    try:
        image = nibabel.load(path)
        if image.get_data_dtype().kind not in "iuf":
            raise TypeError("voxels are colours or complex numbers")
        unscaled = (getattr(image.dataobj, "slope", None), getattr(image.dataobj, "inter", None)) == (1, 0)
        as_stored = dtype is None and unscaled and image.get_data_dtype().kind in "iu"
        array = np.asanyarray(image.dataobj) if as_stored else image.get_fdata(dtype=np.float32, caching="unchanged")
        np.linalg.inv(image.affine)
        if np.isnan(nibabel.orientations.io_orientation(image.affine)).any():
            raise nibabel.orientations.OrientationError("the axes do not span a volume")
    except UNREADABLE as error:
        raise reading_error(error, path) from error
    while array.ndim > num_axes and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim != num_axes or 0 in array.shape:
        advice = "Save one volume per file." if num_axes == 3 else "Save the whole series as one 4D file."
        raise InputError(f"a {num_axes}D volume", f"shape {array.shape}", advice, file=path)
    if finite and not np.isfinite(array).all():
        count = int((~np.isfinite(array)).sum())
        raise InputError(
            "finite voxels", f"{count} NaN or infinite voxels", "Export or compute the image again.", file=path
        )
    own_affine = affine_mm(image, path)
    array, affine = reorient(array, own_affine)
    array = np.asarray(array, dtype=dtype, order=order)
    says = not isinstance(image, nibabel.Nifti1Pair) or image.header["qform_code"] or image.header["sform_code"]
    stored_as = "".join(nibabel.aff2axcodes(image.affine)) if says else ""
    return Volume(array, affine, str(path), stored_as, own_affine)


def read_grid(path: str | Path) -> Volume:
    """Read shape and affine of the first three axes of a NIfTI file; the voxels are 0. InputError if unreadable."""
    try:
        image = nibabel.load(path)
        orientation = nibabel.orientations.io_orientation(image.affine)
        to_file = nibabel.orientations.inv_ornt_aff(orientation, image.shape[:3])
    except UNREADABLE as error:
        raise reading_error(error, path) from error
    zeros = np.broadcast_to(np.uint8(0), image.shape[:3])
    affine = affine_mm(image, path) @ to_file
    return Volume(nibabel.orientations.apply_orientation(zeros, orientation), affine, str(path))


def voxel_hash(volume: Volume) -> str:
    """Hash the content of an image, however it is stored: 16 hexadecimal digits, "" for an image of zeros.

    The voxels are hashed as 32-bit floats in the bounding box of those that are not 0. The header, the number type, the
    order of the axes in the file and padding with zeros do not matter.
    """
    filled = volume.array != 0
    if not filled.any():
        return ""
    cropped = crop(volume.array, bounding_box(filled)).astype(np.float32) + np.float32(0)  # -0 becomes 0
    return hashlib.sha256(str(cropped.shape).encode() + cropped.tobytes()).hexdigest()[:16]


class HeaderTiming(NamedTuple):
    """Shape, spacing and timing from a NIfTI header."""

    shape: tuple[int, ...]  # without trailing axes of length 1 beyond the third
    spacing_mm: tuple[float, float, float]  # edge lengths of a voxel, converted from the unit of the header
    time_step_s: float | None  # between the volumes of a 4D file; None if the header has no unit of time
    description: str  # the free text of the header


def read_header_timing(path: str | Path) -> HeaderTiming:
    """Read the header of a NIfTI file without the voxels; InputError if unreadable or the unit is implausible."""
    try:
        header = nibabel.load(path).header
        seconds = TIME_UNITS_S.get(int(header["xyzt_units"]) & 0b111000)
        shape, zooms = header.get_data_shape(), [float(zoom) for zoom in header.get_zooms()]
        description = bytes(header["descrip"]).rstrip(b"\0").decode("latin-1")
    except (*UNREADABLE, AttributeError, KeyError) as error:
        raise reading_error(error, path) from error
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    step_s = zooms[3] * seconds if len(shape) == 4 and seconds and zooms[3] > 0 else None
    unit, mm = spatial_unit(header)
    if mm != 1:
        zooms[:3] = [zoom * mm for zoom in zooms[:3]]
        check_edges(np.array(zooms[:3]), unit, path)
    return HeaderTiming(shape, tuple(zooms[:3]), step_s, description)


def write_volume(path: str | Path, array: np.ndarray, affine: np.ndarray) -> None:
    """Write voxels (i, j, k) as NIfTI in millimetres, atomically: an interrupted write leaves no partial file."""
    image = nibabel.Nifti1Image(array, affine)
    image.header.set_xyzt_units("mm")
    with written_whole(path) as part:
        nibabel.save(image, part)


def check_same_grid(volume: Volume, reference: Volume, tolerance_voxels: float = 0.1) -> None:
    """Raise InputError unless two volumes have the same shape, and positions within a tolerance in voxels."""
    if volume.array.shape != reference.array.shape:
        expected, found = f"shape {reference.array.shape}", f"shape {volume.array.shape}"
        advice = f"Resample one to the grid of the other ({reference.file})."
        raise InputError(expected, found, advice, file=volume.file)
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in volume.array.shape], [1])).reshape(4, -1)
    off_mm = np.linalg.norm(((volume.affine - reference.affine) @ corners)[:3], axis=0).max()
    if off_mm > tolerance_voxels * reference.spacing_mm.min():
        advice = f"Compare the voxel arrays of this file and {reference.file} without their headers, slice by slice. If"
        advice += " they match, one header is wrong: copy the correct one; resampling would misplace the image."
        advice += " If they do not match, resample one to the grid of the other."
        raise InputError("the same grid", f"a grid displaced by up to {off_mm:.1f} mm", advice, file=volume.file)


def bounding_box(mask: np.ndarray) -> Box:
    """Return the smallest box that contains all true voxels of a mask of any shape; ValueError if there are none."""
    if not mask.any():
        raise ValueError("An empty mask has no bounding box.")
    sides = []
    for axis in range(mask.ndim):
        others = tuple(a for a in range(mask.ndim) if a != axis)
        hits = np.flatnonzero(mask.any(axis=others))
        sides.append((int(hits[0]), int(hits[-1]) + 1))
    return tuple(sides)


def crop(array: np.ndarray, box: Box) -> np.ndarray:
    """Return the part of an array inside a box, as a view."""
    return array[tuple(slice(start, stop) for start, stop in box)]


def widest_axial_slice(mask: np.ndarray) -> int:
    """Return the index k of the axial slice with most voxels of a mask (i, j, k), RAS+; the lowest k in a tie."""
    return int(np.count_nonzero(mask, axis=(0, 1)).argmax())
