"""Between volumes (RAS+) and the images of SimpleITK, whose world points left, back and top (LPS+)."""

import numpy as np
import SimpleITK as sitk

from glioma_idh.imaging.volumes import Volume

TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])  # RAS+ millimetres to LPS+ millimetres, and back


def to_itk(volume: Volume, dtype=np.float32):
    """A 3D volume as an image of SimpleITK, in the same place.

    A sheared grid stays sheared: SimpleITK takes its axes as they are, though other programs of ITK may not.
    """
    image = sitk.GetImageFromArray(np.ascontiguousarray(volume.array.T, dtype=dtype))
    affine = TO_LPS @ volume.affine
    image.SetSpacing([float(edge) for edge in volume.spacing_mm])
    image.SetDirection((affine[:3, :3] / volume.spacing_mm).ravel())
    image.SetOrigin(affine[:3, 3])
    return image


def from_itk(image, file: str = "") -> Volume:
    """An image of SimpleITK as a volume; its axes stay as they run, which is RAS+ where it came from `to_itk`."""
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return Volume(np.ascontiguousarray(sitk.GetArrayFromImage(image).T), TO_LPS @ affine, file)


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
