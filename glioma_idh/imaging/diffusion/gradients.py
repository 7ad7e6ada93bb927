"""The gradient table of a diffusion-weighted series: b-values, shells, directions, and what they tell of a tensor."""

import numpy as np

from glioma_idh.errors import InputError

SHELL_WIDTH = 40.0  # the b-values of a shell lie within so many s/mm2: scanners write 987 to 1003 for 1000, and 5 for 0
UNWEIGHTED = 50.0  # up to this b-value, s/mm2, a volume needs no direction
ONE_DIRECTION = np.cos(np.deg2rad(15))  # of a larger product are repeats of one direction by a head that turns a little
HIGHEST = 30000.0  # no scanner for people goes beyond this b-value, s/mm2


def check_b_values(b_values, series) -> np.ndarray:
    """The b-values as numbers, (n,), s/mm2; InputError unless one a volume is there, 0 or more and in this unit."""
    b_values = np.asarray(b_values, float).ravel()
    number = f"{len(b_values)} for a series of shape {np.shape(series)}"
    if np.ndim(series) != 4 or len(b_values) != np.shape(series)[3]:
        raise InputError("a b-value for each volume", number, "Give the .bval file that belongs to this series.")
    if not np.isfinite(b_values).all() or (b_values < 0).any():
        found = ", ".join(f"{b:g}" for b in b_values if not b >= 0 or np.isinf(b))
        raise InputError("b-values of 0 or more", found, "Look into the .bval file, or convert the DICOM files again.")
    highest = b_values.max()
    if not UNWEIGHTED < highest < HIGHEST:
        unit = " (s/m2?)" if highest >= HIGHEST else " (ms/um2?)" if highest > 0 else ""
        advice = "Give them in s/mm2, and the whole series: clinical ones go to 1000 or so."
        raise InputError("b-values in s/mm2, the highest above 50", f"at most {highest:g}{unit}", advice)
    return b_values


def check_b_vectors(b_vectors, b_values: np.ndarray) -> np.ndarray:
    """The b-vectors at length 1, shape (n, 3); zeros and NaN become 0, but NaN above b = UNWEIGHTED an InputError."""
    vectors = np.array(b_vectors, float)
    if vectors.shape != (len(b_values), 3):
        expected, advice = f"b-vectors of shape ({len(b_values)}, 3)", "Give the .bvec file of this series, transposed."
        raise InputError(expected, f"shape {vectors.shape}", advice)
    broken = ~np.isfinite(vectors).all(axis=1)
    vectors[broken & (b_values <= UNWEIGHTED)] = 0
    if (broken & (b_values > UNWEIGHTED)).any():
        found = f"NaN for volume {int(np.flatnonzero(broken & (b_values > UNWEIGHTED))[0])}, counted from 0"
        raise InputError("a direction for every volume above b = 50", found, "Look into the .bvec file.")
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 1e-6)


def to_scanner(b_vectors: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """From b-vectors (n, 3) as FSL has them, along the axes of a file, of its own affine, to those of its mm (RAS+).

    FSL turns the first axis round where the axes of the file are right-handed (the determinant is positive).
    """
    return b_vectors @ _axes_of(affine).T


def to_file(directions: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """The inverse of `to_scanner`: b-vectors, shape (n, 3), for a file of that affine."""
    return np.linalg.solve(_axes_of(affine), directions.T).T


def change_axes(b_vectors: np.ndarray, affine: np.ndarray, other: np.ndarray) -> np.ndarray:
    """From b-vectors (n, 3) along the axes of one file to those of another; as they are where both are alike."""
    if np.allclose(affine[:3, :3], other[:3, :3], atol=1e-3):
        return b_vectors
    return to_file(to_scanner(b_vectors, affine), other)


def _axes_of(affine: np.ndarray) -> np.ndarray:
    """The unit vectors of FSL's axes of a file, in its columns."""
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return axes * ([-1, 1, 1] if np.linalg.det(axes) > 0 else [1, 1, 1])


def turn_with_head(directions: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """The directions (n, 3) of `to_scanner` as the tissue saw them, for volumes whose motion (n, 4, 4) was taken out.

    The gradients stay with the scanner while the head turns: what turns the tissue back turns them back too (Leemans &
    Jones 2009, Magn Reson Med 61:1336). The matrices are those of `head_motion.estimate_head_motion`.
    """
    return np.einsum("nyx,ny->nx", matrices[:, :3, :3], directions)


def group_shells(b_values, tolerance: float = SHELL_WIDTH) -> dict[float, np.ndarray]:
    """The indices of the volumes of each shell, as scanners mean it, by its mean b-value, s/mm2, which rises."""
    b_values = np.asarray(b_values, float)
    shells, order = [], np.argsort(b_values, kind="stable")
    for n in order:
        if not shells or b_values[n] > b_values[shells[-1][0]] + tolerance:
            shells.append([])
        shells[-1].append(n)
    return {float(b_values[members].mean()): np.sort(members) for members in shells}


def num_independent(directions: np.ndarray) -> int:
    """How many of the tensor's six numbers directions (of weighted volumes) can tell apart; zero vectors tell none.

    Repeats count once: three directions of a head that turns by 5 degrees would fix a tensor, with ten times the noise.
    """
    apart = []
    for direction in directions[directions.any(axis=1)]:
        if not any(abs(direction @ other) > ONE_DIRECTION for other in apart):
            apart.append(direction)
    return int(np.linalg.matrix_rank(_products(np.reshape(apart, (-1, 3))), tol=0.05))


def share_of_each(directions: np.ndarray) -> np.ndarray:
    """What each volume of a shell counts in its mean, of sum 1: every direction alike, however often repeated; (n,)."""
    shares = 1 / num_repeats(directions)
    return shares / shares.sum()


def num_repeats(directions: np.ndarray) -> np.ndarray:
    """How many of the volumes have the direction of each, within 15 degrees or opposite, itself among them; (n,)."""
    without = ~directions.any(axis=1)
    return ((np.abs(directions @ directions.T) > ONE_DIRECTION) | (without[:, None] & without)).sum(axis=1)


def imbalance(directions: np.ndarray) -> float:
    """How far the mean over the directions of a shell may be from the trace: 0 not at all, 2/3 for one direction alone.

    The mean of ln S is ln S0 - b sum(M D), with M the mean of g g' over the directions; the trace has M = I / 3. What
    comes back is the largest eigenvalue of M - I / 3, in size: the error along the worst fibres, as a share.
    """
    xx, yy, zz, xy2, xz2, yz2 = share_of_each(directions) @ _products(directions)
    mean = np.array([[xx, xy2 / 2, xz2 / 2], [xy2 / 2, yy, yz2 / 2], [xz2 / 2, yz2 / 2, zz]])
    return float(np.linalg.norm(mean - np.eye(3) / 3, 2))


def tensor_design(b_values: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """The matrix (n, 7) that takes ln S0 and the tensor (xx, yy, zz, xy, xz, yz; um2/ms) to the signals' logarithms.

    Directions are unit vectors, 0 for a volume that is trace-weighted or at b = 0. InputError if fewer than six are
    apart from each other, or there is one b-value only.
    """
    shells = group_shells(b_values)
    number = num_independent(directions[b_values > UNWEIGHTED])
    if number < 6 or len(shells) < 2:
        found = f"{number} of 6 needed, b = {', '.join(f'{b:.0f}' for b in shells)} s/mm2"
        advice = "Give the whole series with its b-vectors, or fit the ADC of the trace-weighted images."
        raise InputError("six directions or more that fix a tensor, and a volume at b = 0", found, advice)
    return np.column_stack([np.ones(len(b_values)), -b_values[:, None] / 1000 * _products(directions)])


def _products(directions: np.ndarray) -> np.ndarray:
    """xx, yy, zz, 2xy, 2xz, 2yz of each direction; a third of xx, yy and zz each where there is none."""
    x, y, z = directions.T
    products = np.stack([x * x, y * y, z * z, 2 * x * y, 2 * x * z, 2 * y * z], axis=1)
    products[~directions.any(axis=1), :3] = 1 / 3
    return products
