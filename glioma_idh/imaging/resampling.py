"""Grids, rigid matrices, and what they do to an image: resampling, and transforms on disk.

A matrix is 4 x 4, RAS+ mm, and takes a point of the grid that is filled to the place in the image that is read. The
images of SimpleITK have a world that points left, back and top (LPS+).
"""

import numpy as np
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

from glioma_idh.errors import InputError
from glioma_idh.files import written_whole
from glioma_idh.imaging.volumes import Volume

TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])  # RAS+ millimetres to LPS+ millimetres, and back


def to_itk(volume: Volume, dtype=np.float32):
    """A 3D volume as an image of SimpleITK, in the same place; a sheared grid stays sheared."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(volume.array.T, dtype=dtype))
    affine = TO_LPS @ volume.affine
    image.SetSpacing([float(edge) for edge in volume.spacing_mm])
    image.SetDirection((affine[:3, :3] / volume.spacing_mm).ravel())
    image.SetOrigin(affine[:3, 3])
    return image


def from_itk(image) -> Volume:
    """An image of SimpleITK as a volume; its axes stay as they run, which is RAS+ where it came from `to_itk`."""
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return Volume(np.ascontiguousarray(sitk.GetArrayFromImage(image).T), TO_LPS @ affine)


def to_itk_transform(matrix: np.ndarray):
    """A 4 x 4 matrix of RAS+ millimetres as an affine transform of SimpleITK."""
    lps = TO_LPS @ matrix @ TO_LPS
    return sitk.AffineTransform(lps[:3, :3].ravel(), lps[:3, 3])


def matrix_of(transform) -> np.ndarray:
    """The 4 x 4 matrix, RAS+ millimetres, of a rigid or affine transform of SimpleITK, whatever its centre."""
    corners = np.vstack([np.zeros(3), np.eye(3)])
    moved = np.array([transform.TransformPoint(tuple(corner)) for corner in corners])
    lps = np.eye(4)
    lps[:3, :3] = (moved[1:] - moved[0]).T
    lps[:3, 3] = moved[0]
    return TO_LPS @ lps @ TO_LPS


def rigid_matrix(rotation_deg, shift_mm, centre_mm) -> np.ndarray:
    """The matrix of a turn about the fixed axes x, y and z, in this order, through a centre, followed by a shift."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", rotation_deg, degrees=True).as_matrix()
    matrix[:3, 3] = centre_mm + np.asarray(shift_mm) - matrix[:3, :3] @ centre_mm
    return matrix


def isotropic_grid(reference: Volume, spacing_mm: float) -> Volume:
    """Cubic voxels of 0 with the axes and the centre of an image, that cover at least its extent."""
    edges, counts = reference.spacing_mm, np.array(reference.array.shape[:3])
    shape = np.ceil(edges * counts / spacing_mm - 1e-6).astype(int)
    affine = reference.affine.copy()
    affine[:3, :3] *= spacing_mm / edges
    centre = reference.affine @ [*(counts - 1) / 2, 1]
    affine[:3, 3] = centre[:3] - affine[:3, :3] @ (shape - 1) / 2
    return Volume(np.zeros(shape, np.uint8), affine, reference.file)


def resample(volume: Volume, grid: Volume, matrix: np.ndarray | None = None, order: str = "linear") -> Volume:
    """Read an image at the voxels of a grid.

    Where the grid is coarser along an axis of the image, the image is first smoothed along that axis (a Gaussian whose
    standard deviation is half a voxel of the grid, less half a voxel of its own in squares), so that nothing between
    the voxels of the grid is passed over; not so for `nearest`.

    The image is of shape (i, j, k), or (i, j, k, t), read volume by volume; of the grid shape and affine count. Without
    a matrix the headers hold. The order is `linear`, `nearest` (masks and labels) or `cubic` (B-spline, which may
    overshoot). Returns the grid's voxels, 0 outside the image; float32, or the image's own type for `nearest`.
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


def smooth_for(image, affine: np.ndarray, grid_affine: np.ndarray, matrix: np.ndarray):
    """Smooth an image of SimpleITK along the axes that a grid reads in steps of more than a voxel."""
    steps = np.abs(np.linalg.inv(affine) @ matrix @ grid_affine)[:3, :3]  # in voxels of the image
    along = (steps / np.linalg.norm(grid_affine[:3, :3], axis=0)).argmax(axis=1)  # the grid's axis nearest to each
    variance = np.maximum(steps[range(3), along] ** 2 - 1, 0) / 4
    return sitk.DiscreteGaussian(image, variance.tolist(), maximumKernelWidth=64, useImageSpacing=False)


def write_transform(path, matrix: np.ndarray) -> None:
    """Write a matrix as a transform of ITK (`.tfm`, LPS+ inside), which 3D Slicer and ANTs open."""
    with written_whole(path) as part:
        sitk.WriteTransform(to_itk_transform(matrix), str(part))


def read_transform(path) -> np.ndarray:
    """The matrix of a rigid or affine transform of ITK; InputError if a file is missing, none, or bends space."""
    try:
        transform = sitk.ReadTransform(str(path))
    except RuntimeError as error:
        advice = "Give a .tfm file as this package, 3D Slicer or ANTs write it."
        raise InputError("a transform of ITK", str(error).splitlines()[-1], advice, path) from error
    if not transform.IsLinear():
        raise InputError("a rigid or affine transform", transform.GetName(), "Leave out what bends space.", path)
    return matrix_of(transform)
