"""Resampling of images, rigid matrices, and transform files.

A matrix is 4 x 4, in RAS+ mm, and maps a point of the output grid to a point of the input image. SimpleITK uses LPS+
coordinates (to the left, back and top).
"""

from pathlib import Path
from typing import Literal

import numpy as np
import SimpleITK as sitk
from numpy.typing import ArrayLike, DTypeLike
from scipy.spatial.transform import Rotation

from glioma_idh.errors import InputError
from glioma_idh.files import written_whole
from glioma_idh.imaging.volumes import Volume

TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])  # from RAS+ to LPS+ millimetres, and back


def to_itk(volume: Volume, dtype: DTypeLike = np.float32) -> sitk.Image:
    """Convert a 3D volume to a SimpleITK image in the same position; a sheared grid stays sheared."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(volume.array.T, dtype=dtype))
    affine = TO_LPS @ volume.affine
    image.SetSpacing([float(edge) for edge in volume.spacing_mm])
    image.SetDirection((affine[:3, :3] / volume.spacing_mm).ravel())
    image.SetOrigin(affine[:3, 3])
    return image


def from_itk(image: sitk.Image) -> Volume:
    """Convert a SimpleITK image to a volume; the axes are not reordered (RAS+ if the image comes from `to_itk`)."""
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return Volume(np.ascontiguousarray(sitk.GetArrayFromImage(image).T), TO_LPS @ affine)


def to_itk_transform(matrix: np.ndarray) -> sitk.AffineTransform:
    """Convert a matrix (4 x 4, RAS+ mm) to an affine transform of SimpleITK."""
    lps = TO_LPS @ matrix @ TO_LPS
    return sitk.AffineTransform(lps[:3, :3].ravel(), lps[:3, 3])


def matrix_of(transform: sitk.Transform) -> np.ndarray:
    """Return the matrix (4 x 4, RAS+ mm) of a rigid or affine transform of SimpleITK with any centre."""
    corners = np.vstack([np.zeros(3), np.eye(3)])
    moved = np.array([transform.TransformPoint(tuple(corner)) for corner in corners])
    lps = np.eye(4)
    lps[:3, :3] = (moved[1:] - moved[0]).T
    lps[:3, 3] = moved[0]
    return TO_LPS @ lps @ TO_LPS


def rigid_matrix(rotation_deg: ArrayLike, shift_mm: ArrayLike, centre_mm: ArrayLike) -> np.ndarray:
    """Return the matrix of rotations about the fixed axes x, y, z (in this order) through a centre, then a shift."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", rotation_deg, degrees=True).as_matrix()
    matrix[:3, 3] = centre_mm + np.asarray(shift_mm) - matrix[:3, :3] @ centre_mm
    return matrix


def isotropic_grid(reference: Volume, spacing_mm: float) -> Volume:
    """Return an empty grid of cubic voxels with the axes and centre of an image, covering at least its extent."""
    edges, counts = reference.spacing_mm, np.array(reference.array.shape[:3])
    shape = np.ceil(edges * counts / spacing_mm - 1e-6).astype(int)
    affine = reference.affine.copy()
    affine[:3, :3] *= spacing_mm / edges
    centre = reference.affine @ [*(counts - 1) / 2, 1]
    affine[:3, 3] = centre[:3] - affine[:3, :3] @ (shape - 1) / 2
    return Volume(np.zeros(shape, np.uint8), affine, reference.file)


def resample(
    volume: Volume,
    grid: Volume,
    matrix: np.ndarray | None = None,
    order: Literal["linear", "nearest", "cubic"] = "linear",
) -> Volume:
    """Resample an image to a grid.

    Where the grid is coarser than the image along an axis, the image is first smoothed along that axis against
    aliasing, except for `nearest`. The variance of the Gaussian is that of half a voxel of the grid minus that of half
    a voxel of the image.

    Args:
        volume: the image, shape (i, j, k) or (i, j, k, t).
        grid: a volume whose shape and affine are used.
        matrix: from points of the grid to points of the image, 4 x 4, mm; by default the identity.
        order: `linear`, `nearest` (for masks and labels) or `cubic` (B-spline, which may overshoot).

    Returns:
        The volume on the grid, 0 outside the image; float32, or the type of the image for `nearest`.
    """
    interpolator = {"linear": sitk.sitkLinear, "nearest": sitk.sitkNearestNeighbor, "cubic": sitk.sitkBSpline3}[order]
    matrix = np.eye(4) if matrix is None else matrix
    target = to_itk(Volume(np.zeros(grid.array.shape[:3]), grid.affine), np.uint8)
    series = volume.array if volume.array.ndim == 4 else volume.array[..., None]
    dtype = volume.array.dtype if order == "nearest" else np.float32
    voxels = np.empty((*grid.array.shape[:3], series.shape[3]), dtype)
    for n in range(series.shape[3]):
        image = to_itk(Volume(series[..., n], volume.affine))
        if order != "nearest":
            image = smooth_for(image, volume.affine, grid.affine, matrix)
        read = sitk.Resample(image, target, to_itk_transform(matrix), interpolator, 0.0)
        voxels[..., n] = from_itk(read).array
    return Volume(voxels if volume.array.ndim == 4 else voxels[..., 0], grid.affine, volume.file)


def smooth_for(image: sitk.Image, affine: np.ndarray, grid_affine: np.ndarray, matrix: np.ndarray) -> sitk.Image:
    """Smooth an image along the axes on which the grid is coarser than the image."""
    steps = np.abs(np.linalg.inv(affine) @ matrix @ grid_affine)[:3, :3]  # in voxels of the image
    along = (steps / np.linalg.norm(grid_affine[:3, :3], axis=0)).argmax(axis=1)  # the grid's axis nearest to each
    variance = np.maximum(steps[range(3), along] ** 2 - 1, 0) / 4
    return sitk.DiscreteGaussian(image, variance.tolist(), maximumKernelWidth=64, useImageSpacing=False)


def write_transform(path: str | Path, matrix: np.ndarray) -> None:
    """Write a matrix as an ITK transform file (`.tfm`, in LPS+), which 3D Slicer and ANTs can read."""
    with written_whole(path) as part:
        sitk.WriteTransform(to_itk_transform(matrix), str(part))


def read_transform(path: str | Path) -> np.ndarray:
    """Read the matrix of a rigid or affine ITK transform file; InputError if it is unreadable or not linear."""
    try:
        transform = sitk.ReadTransform(str(path))
    except RuntimeError as error:
        advice = "Give a .tfm file written by this package, 3D Slicer or ANTs."
        raise InputError("an ITK transform file", str(error).splitlines()[-1], advice, path) from error
    if not transform.IsLinear():
        raise InputError("a rigid or affine transform", transform.GetName(), "Save the linear part only.", path)
    return matrix_of(transform)
