"""Two images at several voxel sizes, from coarse to fine, for multi-resolution registration."""

from typing import NamedTuple

import numpy as np
import SimpleITK as sitk

from glioma_idh.errors import InputError
from glioma_idh.imaging.resampling import TO_LPS, to_itk
from glioma_idh.imaging.volumes import Volume

LEVELS_MM = (8.0, 4.0, 2.0)  # voxel sizes
MARGIN_MM = 8.0  # margin around the head in which the metric is evaluated


class Level(NamedTuple):
    """Two images at one voxel size."""

    fixed: sitk.Image
    moving: sitk.Image
    mask: sitk.Image  # where in the fixed image the metric is evaluated


def check_contrast(volume: Volume) -> None:
    """Raise InputError unless an image is 3D, finite, and not nearly constant."""
    advice = "Give one volume that shows a head."
    if volume.array.ndim != 3:
        raise InputError("a 3D image", f"shape {volume.array.shape}", advice, volume.file)
    if not np.isfinite(volume.array).all():
        raise InputError("finite voxels", "NaN or infinite voxels", advice, volume.file)
    common = np.median(volume.array)
    others, total = np.count_nonzero(volume.array != common), volume.array.size
    if others < 0.001 * total:
        found = f"the value {common:g} in all but {others} of {total} voxels"
        raise InputError("an image that shows a head", found, advice, volume.file)


def make_pyramid(moving: Volume, reference: Volume, reference_mask: np.ndarray | None) -> list[Level]:
    """Return both images (3D) at each voxel size, from coarse to fine.

    The metric is evaluated within the mask, on the grid of the reference; by default in the head and a margin.
    """
    fine = [clip_tails(average(to_itk(volume), LEVELS_MM[-1])) for volume in (reference, moving)]
    if reference_mask is None:
        mask = head_and_margin(fine[0])
    else:
        given = np.asarray(reference_mask) > 0
        if given.shape != reference.array.shape or not given.any():
            found = f"shape {given.shape} with {given.sum()} voxels"
            advice = "Give a mask on the grid of the reference."
            raise InputError(f"a mask of shape {reference.array.shape}", found, advice, reference.file)
        mask = to_itk(Volume(given, reference.affine), np.uint8)
    levels = []
    for edge_mm in LEVELS_MM:
        fixed, movable = (average(image, edge_mm) for image in fine)
        levels.append(Level(fixed, movable, sitk.Resample(mask, fixed, sitk.Transform(), sitk.sitkNearestNeighbor)))
    return levels


def head_and_margin(image: sitk.Image) -> sitk.Image:
    """Return a mask of the head with a margin."""
    return sitk.BinaryDilate(find_head(image), [round(MARGIN_MM / edge) for edge in image.GetSpacing()])


def average(image: sitk.Image, edge_mm: float) -> sitk.Image:
    """Average voxels along axes that are finer than an edge length; thick slices are not changed."""
    edges = np.array(image.GetSpacing())
    steps = np.clip(edge_mm / edges + 0.01, 1, image.GetSize())
    return sitk.BinShrink(image, [int(step) for step in steps])


def clip_tails(image: sitk.Image) -> sitk.Image:
    """Clip the darkest and brightest 0.5 % of voxels, so that the bins of the histogram cover the brain."""
    array = sitk.GetArrayViewFromImage(image)
    low, high = np.percentile(array[array != 0], (0.5, 99.5))
    return sitk.Clamp(image, lowerBound=float(min(low, 0)), upperBound=float(high))


def find_head(image: sitk.Image) -> sitk.Image:
    """Return a mask of the head: Otsu's threshold of the square root, which compresses the range of tissues."""
    return sitk.OtsuThreshold(sitk.Sqrt(sitk.Abs(image)), 0, 1)


def centre_of(mask: sitk.Image) -> np.ndarray:
    """Return the centre of a mask, RAS+ mm."""
    places = np.argwhere(sitk.GetArrayViewFromImage(mask))[:, ::-1]
    return TO_LPS[:3, :3] @ mask.TransformContinuousIndexToPhysicalPoint(places.mean(axis=0).tolist())
