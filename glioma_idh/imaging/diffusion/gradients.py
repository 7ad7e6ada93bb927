"""The gradient table of a diffusion-weighted series: b-values, shells, directions, and the tensor design matrix."""

import numpy as np
from numpy.typing import ArrayLike

from glioma_idh.errors import InputError

SHELL_WIDTH = 40.0  # s/mm2; scanners write 987 to 1003 for 1000, and 5 for 0
UNWEIGHTED = 50.0  # s/mm2; up to this b-value a volume needs no direction
ONE_DIRECTION = np.cos(np.deg2rad(15))  # directions within 15 degrees are repetitions
HIGHEST = 30000.0  # s/mm2, beyond any scanner for humans


def check_b_values(b_values: ArrayLike, series: np.ndarray) -> np.ndarray:
    """Return the b-values, shape (n,), s/mm2; InputError unless there is one per volume, not below 0, in this unit."""
    b_values = np.asarray(b_values, float).ravel()
    number = f"{len(b_values)} b-values for a series of shape {np.shape(series)}"
    if np.ndim(series) != 4 or len(b_values) != np.shape(series)[3]:
        raise InputError("one b-value per volume", number, "Use the .bval file of this series.")
    if not np.isfinite(b_values).all() or (b_values < 0).any():
        found = ", ".join(f"{b:g}" for b in b_values if not b >= 0 or np.isinf(b))
        raise InputError("b-values of 0 or more", found, "Correct the .bval file, or convert the DICOM files again.")
    highest = b_values.max()
    if not UNWEIGHTED < highest < HIGHEST:
        unit = " (s/m2?)" if highest >= HIGHEST else " (ms/um2?)" if highest > 0 else ""
        advice = "Give the b-values of the whole series in s/mm2; clinical series have up to about 1000."
        raise InputError("b-values in s/mm2, the highest above 50", f"at most {highest:g}{unit}", advice)
    return b_values


def check_b_vectors(b_vectors: ArrayLike, b_values: np.ndarray) -> np.ndarray:
    """Return unit b-vectors, shape (n, 3); zeros stay 0, NaN becomes 0 or, above b = UNWEIGHTED, is an InputError."""
    vectors = np.array(b_vectors, float)
    if vectors.shape != (len(b_values), 3):
        expected, advice = f"b-vectors of shape ({len(b_values)}, 3)", "Use the .bvec file of this series, transposed."
        raise InputError(expected, f"shape {vectors.shape}", advice)
    broken = ~np.isfinite(vectors).all(axis=1)
    vectors[broken & (b_values <= UNWEIGHTED)] = 0
    if (broken & (b_values > UNWEIGHTED)).any():
        found = f"NaN for volume {int(np.flatnonzero(broken & (b_values > UNWEIGHTED))[0])}, counted from 0"
        raise InputError("a direction for every volume above b = 50", found, "Correct the .bvec file.")
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 1e-6)


def to_scanner(b_vectors: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Convert b-vectors (n, 3) in FSL's convention, along the axes of a file, to RAS+ directions.

    FSL inverts the first axis if the axes of the file are right-handed (the determinant of its affine is positive).
    """
    return b_vectors @ _axes_of(affine).T


def to_file(directions: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Convert RAS+ directions (n, 3) to b-vectors for a file with this affine: the inverse of `to_scanner`."""
    return np.linalg.solve(_axes_of(affine), directions.T).T


def change_axes(b_vectors: np.ndarray, affine: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Convert b-vectors (n, 3) from the axes of one file to those of another; unchanged if the axes agree."""
    if np.allclose(affine[:3, :3], other[:3, :3], atol=1e-3):
        return b_vectors
    return to_file(to_scanner(b_vectors, affine), other)


def _axes_of(affine: np.ndarray) -> np.ndarray:
    """Return the unit vectors of a file's axes in FSL's convention, as columns."""
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return axes * ([-1, 1, 1] if np.linalg.det(axes) > 0 else [1, 1, 1])


def rotate_with_head(directions: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """Rotate gradient directions for volumes that were corrected for head motion.

    The gradients are fixed to the scanner; the correction that rotates a volume must rotate its direction, too (Leemans
    & Jones 2009, Magn Reson Med 61:1336).

    Args:
        directions: from `to_scanner`, shape (n, 3).
        matrices: from `head_motion.estimate_head_motion`, shape (n, 4, 4).
    """
    return np.einsum("nyx,ny->nx", matrices[:, :3, :3], directions)


def group_shells(b_values: ArrayLike, tolerance: float = SHELL_WIDTH) -> dict[float, np.ndarray]:
    """Group volumes into shells: indices of the volumes by mean b-value, s/mm2, in increasing order."""
    b_values = np.asarray(b_values, float)
    shells, order = [], np.argsort(b_values, kind="stable")
    for n in order:
        if not shells or b_values[n] > b_values[shells[-1][0]] + tolerance:
            shells.append([])
        shells[-1].append(n)
    return {float(b_values[members].mean()): np.sort(members) for members in shells}


def num_independent(directions: np.ndarray) -> int:
    """Return how many of the six tensor elements the directions of weighted volumes determine.

    Zero vectors are not counted, and repeated directions (within 15 degrees) are counted once. Otherwise three
    directions, repeated with head rotations of 5 degrees, would determine a tensor, but with ten times the noise.
    """
    apart = []
    for direction in directions[directions.any(axis=1)]:
        if not any(abs(direction @ other) > ONE_DIRECTION for other in apart):
            apart.append(direction)
    return int(np.linalg.matrix_rank(_products(np.reshape(apart, (-1, 3))), tol=0.05))


def share_of_each(directions: np.ndarray) -> np.ndarray:
    """Return the weight of each volume in the mean of its shell, (n,), sum 1: equal for every direction."""
    shares = 1 / num_repeats(directions)
    return shares / shares.sum()


def num_repeats(directions: np.ndarray) -> np.ndarray:
    """Count for each volume those with its direction (within 15 degrees, or opposite), including itself; (n,)."""
    without = ~directions.any(axis=1)
    return ((np.abs(directions @ directions.T) > ONE_DIRECTION) | (without[:, None] & without)).sum(axis=1)


def imbalance(directions: np.ndarray) -> float:
    """Return how much the mean over the directions of a shell may differ from the trace, as a share.

    The mean of ln S is ln S0 - b sum(M D), where M is the mean of g g' over the directions; for the trace M = I / 3.
    The result is the largest absolute eigenvalue of M - I / 3: the error for the least favourable fibres. It is 0 for
    evenly distributed directions and 2/3 for a single one.
    """
    xx, yy, zz, xy2, xz2, yz2 = share_of_each(directions) @ _products(directions)
    mean = np.array([[xx, xy2 / 2, xz2 / 2], [xy2 / 2, yy, yz2 / 2], [xz2 / 2, yz2 / 2, zz]])
    return float(np.linalg.norm(mean - np.eye(3) / 3, 2))


def tensor_design(b_values: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Return the design matrix (n, 7) from ln S0 and the tensor (xx, yy, zz, xy, xz, yz; um2/ms) to log signals.

    Args:
        b_values: shape (n,), s/mm2.
        directions: unit vectors, shape (n, 3); 0 for a volume that is trace-weighted or at b = 0.

    Raises:
        InputError: fewer than six different directions, or only one b-value.
    """
    shells = group_shells(b_values)
    number = num_independent(directions[b_values > UNWEIGHTED])
    if number < 6 or len(shells) < 2:
        found = f"{number} directions, b = {', '.join(f'{b:.0f}' for b in shells)} s/mm2"
        advice = "Give the whole series with its b-vectors, or fit the ADC of the trace-weighted images."
        raise InputError("at least six different directions, and a volume at b = 0", found, advice)
    return np.column_stack([np.ones(len(b_values)), -b_values[:, None] / 1000 * _products(directions)])


def _products(directions: np.ndarray) -> np.ndarray:
    """Return xx, yy, zz, 2xy, 2xz, 2yz of each direction; 1/3 for xx, yy and zz of a volume without direction."""
    x, y, z = directions.T
    products = np.stack([x * x, y * y, z * z, 2 * x * y, 2 * x * z, 2 * y * z], axis=1)
    products[~directions.any(axis=1), :3] = 1 / 3
    return products
