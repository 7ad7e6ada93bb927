"""From diffusion-weighted series to the apparent diffusion coefficient (ADC), mm2/s.

The model is mono-exponential, S = S0 exp(-b D), fitted to the logarithm of the signal by weighted least squares. The
variance of the logarithm is (noise / signal)^2, hence the weights signal^2 (Salvador et al. 2005, Hum Brain Mapp
24:144). Those of the second pass come from the signal that the first one fitted: weights that share the noise of what
they weigh bias the result (Veraart et al. 2013, NeuroImage 81:335), for a tensor at b0 signal / noise = 20 by -3 %.

Noise of magnitude images is Rician. The logarithm of a true signal A has then the mean ln A + E1(A^2 / 2 sd^2) / 2
(Lapidoth & Moser 2003, IEEE Trans Inf Theory 49:2426): off by 0.02 where A is twice the noise's sd, by 0.001 where it
is three times that. So the logarithm needs no correction; what lies below the noise floor, twice the sd, takes no part.
"""

from dataclasses import dataclass

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.gradients import (
    check_b_values,
    check_b_vectors,
    group_shells,
    num_independent,
    tensor_design,
)

FLOOR_SDS = 2.0
"""The noise floor, in standard deviations of the noise."""

HIGHEST_ADC = 4e-3
"""mm2/s. Free water at body temperature has 3.0e-3 (Mills 1973, J Phys Chem 77:685); the rest is room for noise."""

CHUNK = 2**15
FULL_RANK = 1e-9


@dataclass(frozen=True)
class Diffusion:
    """An ADC map and how it came about.

    Attributes:
        adc: mm2/s, shape (i, j, k), float32; 0 outside the mask and where nothing could be fitted.
        method: in words.
        shells: number of volumes by b-value, s/mm2.
        noise_sd: standard deviation of the noise that set the floor; 0 where it is not known.
        num_not_fitted: voxels of the mask that came out 0: too little signal, or a signal that does not fall with b.
    """

    adc: np.ndarray
    method: str
    shells: dict[float, int]
    noise_sd: float
    num_not_fitted: int


def make_adc(series, b_values, b_vectors=None, brain=None, noise_sd: float | None = None) -> Diffusion:
    """The ADC of a diffusion-weighted series by the best means it allows.

    That is the mean diffusivity of the tensor where there are directions enough for one, otherwise the ADC of the
    trace-weighted images.

    Args:
        series: shape (i, j, k, n).
        b_values: s/mm2, shape (n,).
        b_vectors: shape (n, 3), or None where every volume is trace-weighted. Of other length than 1, they are
            normalised: unlike in MRtrix, their length says nothing about b. Volumes without one are trace-weighted.
        brain: mask, shape (i, j, k); the whole image without one.
        noise_sd: standard deviation of the noise in the real part; None has it estimated (`estimate_noise`).

    Raises:
        InputError: as of `fit_adc` and `tensor_design`, but for too few directions.
    """
    b_values = check_b_values(b_values, series)
    noise_sd = estimate_noise(series, b_values) if noise_sd is None else noise_sd
    mask = np.ones(series.shape[:3], bool) if brain is None else np.asarray(brain) != 0
    shells = {b: len(members) for b, members in group_shells(b_values).items()}
    directions = np.zeros((len(b_values), 3)) if b_vectors is None else check_b_vectors(b_vectors, b_values)
    if num_independent(directions) == 6:
        adc = fit_mean_diffusivity(series, b_values, directions, mask, noise_sd)
        method = f"mean diffusivity of the tensor, {int(directions.any(axis=1).sum())} directions"
    else:
        adc = fit_adc(series, b_values, mask, noise_sd)
        method = "mono-exponential ADC of the trace-weighted images"
    method += f", b = {', '.join(f'{b:.0f} ({number})' for b, number in shells.items())} s/mm2"
    return Diffusion(adc, method, shells, noise_sd, int(np.count_nonzero(mask & (adc == 0))))


def fit_adc(series, b_values, mask=None, noise_sd: float | None = None) -> np.ndarray:
    """Mono-exponential ADC over any two or more b-values, whatever their directions.

    Args:
        series: shape (i, j, k, n).
        b_values: s/mm2, shape (n,).
        mask: shape (i, j, k); the whole image without one.
        noise_sd: as of `make_adc`.

    Returns:
        mm2/s, shape (i, j, k), float32, from 0 to HIGHEST_ADC; 0 outside the mask and where fewer than two b-values
        rise above the noise floor.

    Raises:
        InputError: fewer than two b-values, or b-values as `check_b_values` will not have them.
    """
    b_values = check_b_values(b_values, series)
    noise_sd = estimate_noise(series, b_values) if noise_sd is None else noise_sd
    mask = np.ones(series.shape[:3], bool) if mask is None else np.asarray(mask) != 0
    shells = group_shells(b_values)
    if len(shells) < 2:
        advice = "ADC needs two: give the whole series, with its volumes at b = 0, or the scanner's own ADC map."
        raise InputError("two b-values or more", f"b = {', '.join(f'{b:.0f}' for b in shells)} s/mm2 only", advice)
    signal = trace_weighted(_above_floor(series[mask], noise_sd), shells.values())
    design = np.stack([np.ones(len(shells)), -np.array(list(shells)) / 1000], axis=1)
    return _to_map(_fit_logarithm(signal, design, [len(members) for members in shells.values()])[:, 1], mask)


def fit_mean_diffusivity(series, b_values, b_vectors, mask=None, noise_sd: float | None = None) -> np.ndarray:
    """Mean diffusivity, a third of the trace of the diffusion tensor (Basser et al. 1994, J Magn Reson B 103:247).

    Args:
        series: shape (i, j, k, n).
        b_values: s/mm2, shape (n,).
        b_vectors: as of `make_adc`.
        mask: shape (i, j, k); the whole image without one.
        noise_sd: as of `make_adc`.

    Returns:
        As of `fit_adc`; 0 where too few volumes rise above the noise floor to fix the tensor.

    Raises:
        InputError: too few directions, nothing at another b-value, or as of `check_b_values` and `check_b_vectors`.
    """
    b_values = check_b_values(b_values, series)
    noise_sd = estimate_noise(series, b_values) if noise_sd is None else noise_sd
    mask = np.ones(series.shape[:3], bool) if mask is None else np.asarray(mask) != 0
    design = tensor_design(b_values, check_b_vectors(b_vectors, b_values))
    slopes = _fit_logarithm(_above_floor(series[mask], noise_sd), design, np.ones(len(b_values)))
    return _to_map(slopes[:, 1:4].mean(axis=1), mask)


def trace_weighted(signal: np.ndarray, shells) -> np.ndarray:
    """The directions of each shell in one image: their geometric mean, 0 where one of them is 0.

    Over directions that favour none, the mean of ln S = ln S0 - b g'Dg is ln S0 - b trace(D) / 3, so the geometric
    mean decays with the mean diffusivity. The arithmetic one decays more slowly where diffusion has a direction.

    Args:
        signal: shape (voxel, n).
        shells: the indices of each one's volumes.

    Returns:
        Shape (voxel, shell).
    """
    with np.errstate(divide="ignore"):
        return np.stack([np.exp(np.log(signal[:, members]).mean(axis=1)) for members in shells], axis=1)


def estimate_noise(series, b_values) -> float:
    """The noise's standard deviation (of the real part), from the air in the corners of the image.

    Air is what shows no diffusion: corners whose median signal falls by a fifth or more from the lowest to the highest
    b-value hold tissue, and corners that are mostly 0 have been masked; 0 is returned of both, and then every signal
    above 0 counts. In air the noise is Rayleigh-distributed, with median 1.177 times its standard deviation. Of
    several receiver coils it is more, and the floor rises with it.

    Args:
        series: shape (i, j, k, n).
        b_values: s/mm2, shape (n,).
    """
    sides = [np.r_[: max(1, n // 10), n - max(1, n // 10) : n] for n in series.shape[:2]]
    lowest, highest = (series[..., n][np.ix_(*sides)] for n in (np.argmin(b_values), np.argmax(b_values)))
    air = (lowest > 0) & (highest > 0)
    if 2 * np.count_nonzero(air) < air.size or np.median(highest[air]) < 0.8 * np.median(lowest[air]):
        return 0.0
    return float(np.median(highest[air]) / np.sqrt(2 * np.log(2)))


def _above_floor(signal: np.ndarray, noise_sd: float) -> np.ndarray:
    """The signals, 0 where they do not rise above the noise floor or are no numbers."""
    signal = np.asarray(signal, np.float32)
    return np.where((signal > FLOOR_SDS * noise_sd) & np.isfinite(signal), signal, 0)


def _fit_logarithm(signal: np.ndarray, design: np.ndarray, num_averaged) -> np.ndarray:
    """Weighted least squares of the logarithm in two passes, voxel by voxel; signals of 0 take no part.

    Args:
        signal: shape (voxel, n).
        design: shape (n, p).
        num_averaged: volumes that each signal is the mean of, shape (n,).

    Returns:
        Coefficients, shape (voxel, p); NaN where the signals do not fix them.
    """
    parts = np.array_split(signal, max(1, -(-len(signal) // CHUNK)))
    return np.concatenate([_fit_chunk(part.astype(float), design, np.asarray(num_averaged, float)) for part in parts])


def _fit_chunk(signal: np.ndarray, design: np.ndarray, num_averaged: np.ndarray) -> np.ndarray:
    """As `_fit_logarithm`, of voxels few enough for the memory."""
    signal = signal / np.maximum(signal.max(axis=1, keepdims=True, initial=0), 1e-30)
    num_averaged = num_averaged * (signal > 0)
    logarithm = np.log(np.where(signal > 0, signal, 1))
    first = _solve(logarithm, num_averaged * signal**2, design)
    fitted = np.exp(np.clip(np.nan_to_num(first) @ design.T, -10, 10))
    return _solve(logarithm, num_averaged * fitted**2, design)


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


def _to_map(slopes: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """From um2/ms in the voxels of a mask to an image in mm2/s."""
    adc = np.zeros(mask.shape, np.float32)
    adc[mask] = np.clip(np.nan_to_num(slopes) / 1000, 0, HIGHEST_ADC)
    return adc


def scale_adc(adc: np.ndarray, brain: np.ndarray) -> tuple[np.ndarray, int]:
    """An ADC map from a scanner, whose unit differs, in mm2/s.

    The unit is the power of ten that brings the brain's median above 0.3e-3 and up to 3e-3 mm2/s: a decade, so there
    is one and no other.

    Args:
        adc: in any decimal unit of area by time, 1e-6 mm2/s as a rule, shape (i, j, k).
        brain: mask, shape (i, j, k).

    Returns:
        The map in mm2/s, float32, from 0 to HIGHEST_ADC; and the power of ten that it was multiplied with.

    Raises:
        InputError: the brain is empty or its median not positive, or the unit would be one that nobody uses.
    """
    inside = np.asarray(adc, float)[np.asarray(brain) != 0]
    median = np.median(inside) if inside.size else np.nan
    power = int(np.floor(np.log10(3e-3 / median) + 1e-9)) if median > 0 and np.isfinite(median) else None
    if power is None or not -9 <= power <= 6:
        advice = "Is this the ADC, and the mask in its place? The ADC can also be made from the b-values themselves."
        raise InputError("an ADC map with a positive median in the brain", f"a median of {median:g}", advice)
    return np.clip(np.nan_to_num(np.asarray(adc, float)) * 10.0**power, 0, HIGHEST_ADC).astype(np.float32), power
