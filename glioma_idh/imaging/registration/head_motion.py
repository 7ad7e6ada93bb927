"""Estimate, measure and correct head motion within a series of volumes.

Each volume is registered to a reference volume. Matrices are 4 x 4, in RAS+ mm, and map a point of the reference to the
same tissue in the volume.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import SimpleITK as sitk
from numpy.typing import ArrayLike

from glioma_idh.errors import InputError
from glioma_idh.imaging.registration import pyramid
from glioma_idh.imaging.registration.rigid import MIN_GAIN, displaced_information, mutual_information, optimise_level
from glioma_idh.imaging.resampling import resample, to_itk
from glioma_idh.imaging.volumes import Volume

NUM_POINTS = 20_000  # sampled by the metric; four times as many do not reduce the errors in phantoms
JUMP_MM = 1.0  # between volumes; a larger displacement must improve the metric clearly
HEAD_RADIUS_MM = 80.0


def estimate_head_motion(series: Volume, reference: int) -> np.ndarray:
    """Register each volume of a series to a reference volume.

    Mattes mutual information is used, because a bolus or the b-value changes the contrast. Each registration starts
    from the position in the neighbouring volume on the side of the reference. If the head seems to have jumped, but the
    metric is hardly better than at positions 10 mm or 10 degrees away (as in a volume of noise), the position of the
    neighbour is kept.

    Args:
        series: shape (i, j, k, t).
        reference: index of the reference volume.

    Returns:
        Matrices, shape (t, 4, 4).

    Raises:
        InputError: the reference volume is empty.
    """
    pyramid.check_contrast(Volume(series.array[..., reference], series.affine, series.file))
    fixed = _prepared(series, reference)
    mask = pyramid.head_and_margin(fixed)

    def follow(numbers: range) -> list[np.ndarray]:
        matrices = [np.eye(4)]
        for n in numbers:
            level = pyramid.Level(fixed, _prepared(series, n), mask) if series.array[..., n].any() else None
            matrices.append(matrices[-1] if level is None else _next(level, matrices[-1]))
        return matrices[1:]

    with ThreadPoolExecutor(2) as pool:
        before, behind = pool.map(follow, (range(reference)[::-1], range(reference + 1, series.array.shape[3])))
    return np.array([*before[::-1], np.eye(4), *behind])


def _prepared(series: Volume, n: int) -> sitk.Image:
    """Return a volume of a series as a SimpleITK image, reduced to voxels of 2 mm if finer."""
    image = to_itk(Volume(series.array[..., n], series.affine))
    return pyramid.average(pyramid.clip_tails(image), pyramid.LEVELS_MM[-1])


def _next(level: pyramid.Level, neighbour: np.ndarray) -> np.ndarray:
    """Return the matrix of a volume, given that of its neighbour."""
    try:
        matrix = optimise_level(level, neighbour, NUM_POINTS)
    except InputError:
        return neighbour
    if displacement_mm((np.linalg.inv(neighbour) @ matrix)[None], pyramid.centre_of(level.mask)) < JUMP_MM:
        return matrix
    here, elsewhere = mutual_information(level, matrix, NUM_POINTS), displaced_information(level, matrix, NUM_POINTS)
    return matrix if here >= MIN_GAIN * elsewhere else neighbour


def displacement_mm(matrices: np.ndarray, centre_mm: ArrayLike) -> np.ndarray:
    """Compute the root mean square displacement of a ball of 80 mm radius (Jenkinson 1999, FMRIB TR99MJ1).

    Args:
        matrices: shape (t, 4, 4).
        centre_mm: centre of the ball, RAS+ mm.

    Returns:
        Displacement per matrix, shape (t,), mm.
    """
    beyond = matrices - np.eye(4)
    shift = beyond[:, :3, :3] @ np.asarray(centre_mm) + beyond[:, :3, 3]
    turn = np.square(beyond[:, :3, :3]).sum(axis=(1, 2))
    return np.sqrt(HEAD_RADIUS_MM**2 / 5 * turn + np.square(shift).sum(axis=1))


def correct_head_motion(series: Volume, matrices: np.ndarray) -> Volume:
    """Resample the volumes of a series to the reference of `estimate_head_motion`, float32.

    Voxels outside any of the volumes are 0 in all of them.
    """
    still = np.empty(series.array.shape, np.float32)
    seen = np.ones(series.array.shape[:3], bool)
    everywhere = Volume(np.ones(seen.shape, np.uint8), series.affine)
    for n, matrix in enumerate(matrices):
        still[..., n] = resample(Volume(series.array[..., n], series.affine), everywhere, matrix).array
        seen &= resample(everywhere, everywhere, matrix, order="nearest").array != 0
    still[~seen] = 0
    return Volume(still, series.affine, series.file)
