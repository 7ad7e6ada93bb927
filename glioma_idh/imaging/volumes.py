"""Volumes: voxels with their place in space; boxes in them. Only here and in `nifti` is known how scans lie on disk."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import nibabel
import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.files import written_whole
from glioma_idh.imaging.nifti import TIME_UNITS_S, UNREADABLE, affine_mm, check_edges, reading_error, spatial_unit

Box = tuple[tuple[int, int], ...]  # (start, stop) a side, stop outside


@dataclass(frozen=True)
class Volume:
    """Voxels on a grid in space, axes (i, j, k) pointing to the patient's right, front and top (RAS+)."""

    array: np.ndarray  # voxels, shape (i, j, k), or (i, j, k, t) of a series
    affine: np.ndarray  # 4 x 4, voxel index to millimetres, RAS+
    file: str = ""  # where it was read from, for messages
    stored_as: str = ""  # where the axes ran in the file, such as LPS (left, back, top); empty where it did not say
    own_affine: np.ndarray | None = None  # of the file itself, in millimetres; `return_to_grid` leads back to its axes

    @property
    def spacing_mm(self) -> np.ndarray:
        """Edge lengths of a voxel, shape (3,), mm."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel, ml."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000


def reorient(array: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Permute and flip axes to run closest to right, front, top, those of the affine too; an oblique grid stays so."""
    orientation = nibabel.orientations.io_orientation(affine)
    turned = nibabel.orientations.apply_orientation(array, orientation)
    return turned, affine @ nibabel.orientations.inv_ornt_aff(orientation, array.shape)


def return_to_grid(array: np.ndarray, own_affine: np.ndarray) -> np.ndarray:
    """Undo `reorient`: permute and flip axes (i, j, k), RAS+, to those of the grid that an affine describes."""
    own, ras = nibabel.orientations.io_orientation(own_affine), nibabel.orientations.axcodes2ornt("RAS")
    return nibabel.orientations.apply_orientation(array, nibabel.orientations.ornt_transform(ras, own))


def read_volume(path, dtype=np.float32, finite: bool = True, order: str = "C", num_axes: int = 3) -> Volume:
    """Read a NIfTI file as a RAS+ volume; a grid in metres or microns, by its header, comes back in millimetres.

    Args:
        path: a `.nii` or `.nii.gz` file with one 3D volume (trailing axes of length 1 are dropped).
        dtype: of the voxels; None leaves whole numbers as they are stored, unless the header scales them.
        finite: whether NaN and infinite voxels are an error; if not, they come back as they are.
        order: "C", or "K" for voxels in memory as they lie in the file, which spares a copy.
        num_axes: 3, or 4 for a series of volumes: over time, or over b-values.

    InputError if the file is missing, truncated, not NIfTI, of other axes, or has NaN or infinite voxels.
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
        advice = "Give one volume a file." if num_axes == 3 else "Give the whole series as one 4D file."
        raise InputError(f"a {num_axes}D volume", f"shape {array.shape}", advice, file=path)
    if finite and not np.isfinite(array).all():
        count = int((~np.isfinite(array)).sum())
        raise InputError("finite voxels", f"{count} NaN or infinite voxels", "Make the image again.", file=path)
    own_affine = affine_mm(image, path)
    array, affine = reorient(array, own_affine)
    array = np.asarray(array, dtype=dtype, order=order)
    says = not isinstance(image, nibabel.Nifti1Pair) or image.header["qform_code"] or image.header["sform_code"]
    stored_as = "".join(nibabel.aff2axcodes(image.affine)) if says else ""
    return Volume(array, affine, str(path), stored_as, own_affine)


def read_grid(path) -> Volume:
    """The grid of an image's first three axes, its voxels all 0; InputError if it is no NIfTI file with such axes."""
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
    """The identity of an image, however it is stored: 16 hexadecimal digits; none of zeros, which are like any other.

    Voxels alone count, as 32-bit floats, cropped to the box of those that are not 0: header, number type, order of the
    axes in the file and padding with zeros do not.
    """
    filled = volume.array != 0
    if not filled.any():
        return ""
    cropped = crop(volume.array, bounding_box(filled)).astype(np.float32) + np.float32(0)  # -0 becomes 0
    return hashlib.sha256(str(cropped.shape).encode() + cropped.tobytes()).hexdigest()[:16]


class HeaderTiming(NamedTuple):
    """What a NIfTI header alone tells of an image."""

    shape: tuple[int, ...]  # without trailing axes of length 1 beyond the third
    spacing_mm: tuple[float, float, float]  # edge lengths of a voxel, whatever the header's unit
    time_step_s: float | None  # between the volumes of a 4D file; None where it names no unit of time
    description: str  # its free text


def read_header_timing(path) -> HeaderTiming:
    """Read what a header tells without its voxels; InputError if it is no NIfTI's, or its unit fits no voxel."""
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


def write_volume(path, array: np.ndarray, affine: np.ndarray) -> None:
    """Write voxels (i, j, k) as NIfTI in millimetres, whole or not at all: a killed write leaves no half file."""
    image = nibabel.Nifti1Image(array, affine)
    image.header.set_xyzt_units("mm")
    with written_whole(path) as part:
        nibabel.save(image, part)


def check_same_grid(volume: Volume, reference: Volume, tolerance_voxels: float = 0.1) -> None:
    """Raise InputError unless a volume has the shape of another and lies, to so many voxels, in the same place."""
    if volume.array.shape != reference.array.shape:
        expected, found = f"shape {reference.array.shape}", f"shape {volume.array.shape}"
        advice = f"Resample one onto the grid of the other ({reference.file})."
        raise InputError(expected, found, advice, file=volume.file)
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in volume.array.shape], [1])).reshape(4, -1)
    off_mm = np.linalg.norm(((volume.affine - reference.affine) @ corners)[:3], axis=0).max()
    if off_mm > tolerance_voxels * reference.spacing_mm.min():
        advice = f"Draw a slice of one over the same slice of the other ({reference.file}), voxel on voxel, without"
        advice += " their headers. If they fit, a header is wrong: copy the right one, as resampling would misplace the"
        advice += " image. If they do not fit, resample one onto the grid of the other."
        raise InputError("the same grid", f"a grid up to {off_mm:.1f} mm off", advice, file=volume.file)


def bounding_box(mask: np.ndarray) -> Box:
    """The smallest box that holds every true voxel of a mask of any dimension; ValueError if it is empty."""
    if not mask.any():
        raise ValueError("An empty mask has no bounding box.")
    sides = []
    for axis in range(mask.ndim):
        others = tuple(a for a in range(mask.ndim) if a != axis)
        hits = np.flatnonzero(mask.any(axis=others))
        sides.append((int(hits[0]), int(hits[-1]) + 1))
    return tuple(sides)


def crop(array: np.ndarray, box: Box) -> np.ndarray:
    """The part of an array inside a box (a view)."""
    return array[tuple(slice(start, stop) for start, stop in box)]


def widest_axial_slice(mask: np.ndarray) -> int:
    """The index k of the axial slice with most voxels of a mask (i, j, k), RAS+; the lowest of several equal ones."""
    return int(np.count_nonzero(mask, axis=(0, 1)).argmax())
