"""The logarithm of diffusion-weighted signals, fitted by weighted least squares, above the noise.

The variance of the logarithm is (noise / signal)^2, hence the weights signal^2 (Salvador et al. 2005, Hum Brain Mapp
24:144). Those of the second pass come from the signal that the first one fitted: weights that share the noise of what
they weigh bias the result (Veraart et al. 2013, NeuroImage 81:335), for a tensor at b0 signal / noise = 20 by -3 %.

Noise of magnitude images is Rician. The logarithm of a true signal A has then the mean ln A + E1(A^2 / 2 sd^2) / 2
(Lapidoth & Moser 2003, IEEE Trans Inf Theory 49:2426): off by 0.02 where A is twice the noise's sd, by 0.001 where it
is three times that. So the logarithm needs no correction; what lies below the noise floor, twice the sd, takes no part.
Where too little is left because water is so free that its signal sinks into the noise, the floor does not count: the
ADC of free water then comes out right within 2 % at b0 signal / noise = 37, where 0 would mean the opposite of free.
"""

import numpy as np

FLOOR_SDS = 2.0  # the noise floor, in standard deviations of the noise
CHUNK = 2**15
FULL_RANK = 1e-9


def estimate_noise(series, b_values) -> float:
    """The noise's standard deviation (of the real part), from the air in the corners of a series, shape (i, j, k, n).

    Air is what shows no diffusion: corners whose median signal falls by a fifth or more from the lowest to the highest
    b-value hold tissue, and corners that are mostly 0 have been masked; 0 is returned of both, and then every signal
    above 0 counts. In air the noise is Rayleigh-distributed, with median 1.177 times its standard deviation. Of
    several receiver coils it is more, and the floor rises with it.
    """
    sides = [np.r_[: max(1, n // 10), n - max(1, n // 10) : n] for n in series.shape[:2]]
    lowest, highest = (series[..., n][np.ix_(*sides)] for n in (np.argmin(b_values), np.argmax(b_values)))
    air = (lowest > 0) & (highest > 0)
    if 2 * np.count_nonzero(air) < air.size or np.median(highest[air]) < 0.8 * np.median(lowest[air]):
        return 0.0
    return float(np.median(highest[air]) / np.sqrt(2 * np.log(2)))


def fit_logarithm(signal: np.ndarray, design: np.ndarray, num_averaged) -> np.ndarray:
    """Weighted least squares of the logarithm in two passes, voxel by voxel; signals of 0 take no part.

    From signals (voxel, n), each the mean of so many volumes (n,), and a design (n, p) to coefficients (voxel, p); NaN
    where the signals do not fix them.
    """
    solutions = []
    for chunk in np.array_split(signal, max(1, -(-len(signal) // CHUNK))):  # of voxels few enough for the memory
        part = chunk.astype(float)
        part = part / np.maximum(part.max(axis=1, keepdims=True, initial=0), 1e-30)
        counts = np.asarray(num_averaged, float) * (part > 0)
        logarithm = np.log(np.where(part > 0, part, 1))
        first = _solve(logarithm, counts * part**2, design)
        fitted = np.exp(np.clip(np.nan_to_num(first) @ design.T, -10, 10))
        solutions.append(_solve(logarithm, counts * fitted**2, design))
    return np.concatenate(solutions)


def _solve(logarithm: np.ndarray, weights: np.ndarray, design: np.ndarray) -> np.ndarray:
    """The normal equations of every voxel; NaN where they have no one solution."""
    num = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(-1, num * num)
    normal = (weights @ products).reshape(-1, num, num)
    right = (weights * logarithm) @ design
    solvable = np.linalg.det(normal) > FULL_RANK * np.einsum("vpp->vp", normal).prod(axis=1)
    solution = np.full(right.shape, np.nan)
    solution[solvable] = np.linalg.solve(normal[solvable], right[solvable][..., None])[..., 0]
    return solution
