"""Movement of the head within a series of volumes: found, measured, and taken out.

Each volume is registered to one of them; matrices are 4 x 4, RAS+ mm, and take a point of that one to the volume's.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.registration import pyramid
from glioma_idh.imaging.registration.rigid import MIN_GAIN, climb, information, information_elsewhere
from glioma_idh.imaging.resampling import resample, to_itk
from glioma_idh.imaging.volumes import Volume

NUM_POINTS = 20_000  # places at which the metric looks: with four times as many, phantoms' errors are the same
JUMP_MM = 1.0  # from one volume to the next; beyond it, the match must be plainly better than elsewhere
HEAD_RADIUS_MM = 80.0


def estimate_head_motion(series: Volume, reference: int) -> np.ndarray:
    """Where the head lies in each volume of a series, beside one of them.

    Mattes mutual information, which a bolus or a b-value that changes the contrast does not mislead, is climbed from
    where the head was in the neighbour on the reference's side; before and behind the reference at the same time. Where
    the head seems to have jumped but matches no better than 10 mm or degrees away, as a volume of mere noise does, it
    is taken to lie as in that neighbour. From (i, j, k, t) to matrices (t, 4, 4); InputError of an empty reference.
    """
    pyramid.check_contrast(Volume(series.array[..., reference], series.affine, series.file))
    fixed = _prepared(series, reference)
    mask = pyramid.head_and_margin(fixed)

    def follow(numbers) -> list[np.ndarray]:
        matrices = [np.eye(4)]
        for n in numbers:
            level = pyramid.Level(fixed, _prepared(series, n), mask) if series.array[..., n].any() else None
            matrices.append(matrices[-1] if level is None else _next(level, matrices[-1]))
        return matrices[1:]

    with ThreadPoolExecutor(2) as pool:
        before, behind = pool.map(follow, (range(reference)[::-1], range(reference + 1, series.array.shape[3])))
    return np.array([*before[::-1], np.eye(4), *behind])


def _prepared(series: Volume, n: int):
    """A volume of a series as one of SimpleITK, at 2 mm where it is finer."""
    image = to_itk(Volume(series.array[..., n], series.affine))
    return pyramid.average(pyramid.clip_tails(image), pyramid.LEVELS_MM[-1])


def _next(level: pyramid.Level, neighbour: np.ndarray) -> np.ndarray:
    """Where the head lies in a volume, given where it lies in the one beside it."""
    try:
        matrix = climb(level, neighbour, NUM_POINTS)
    except InputError:
        return neighbour
    if displacement_mm((np.linalg.inv(neighbour) @ matrix)[None], pyramid.centre_of(level.mask)) < JUMP_MM:
        return matrix
    here, elsewhere = information(level, matrix, NUM_POINTS), information_elsewhere(level, matrix, NUM_POINTS)
    return matrix if here >= MIN_GAIN * elsewhere else neighbour


def displacement_mm(matrices: np.ndarray, centre_mm) -> np.ndarray:
    """How far matrices (t, 4, 4) move a ball of 80 mm, root mean square (t,), mm: Jenkinson 1999, FMRIB TR99MJ1."""
    beyond = matrices - np.eye(4)
    shift = beyond[:, :3, :3] @ np.asarray(centre_mm) + beyond[:, :3, 3]
    turn = np.square(beyond[:, :3, :3]).sum(axis=(1, 2))
    return np.sqrt(HEAD_RADIUS_MM**2 / 5 * turn + np.square(shift).sum(axis=1))


def hold_still(series: Volume, matrices: np.ndarray) -> Volume:
    """Resample the volumes of a series onto the reference of `estimate_head_motion`, float32; 0 outside a volume."""
    still = np.empty(series.array.shape, np.float32)
    seen = np.ones(series.array.shape[:3], bool)
    everywhere = Volume(np.ones(seen.shape, np.uint8), series.affine)
    for n, matrix in enumerate(matrices):
        still[..., n] = resample(Volume(series.array[..., n], series.affine), everywhere, matrix).array
        seen &= resample(everywhere, everywhere, matrix, order="nearest").array != 0
    still[~seen] = 0
    return Volume(still, series.affine, series.file)
