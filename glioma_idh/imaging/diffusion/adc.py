"""Compute the apparent diffusion coefficient (ADC), mm2/s, from a diffusion-weighted series.

The model is mono-exponential, S = S0 exp(-b D), fitted to the logarithm of the signal by weighted least squares.

The variance of the logarithm is (noise / signal)^2, hence the weights signal^2 (Salvador et al. 2005, Hum Brain Mapp
24:144). The weights of the second pass are computed from the signal fitted in the first pass: weights with the same
noise as the data bias the result (Veraart et al. 2013, NeuroImage 81:335), for a tensor at a signal-to-noise ratio of
20 at b = 0 by -3 %.

The noise of magnitude images is Rician. The logarithm of a true signal A then has the mean ln A + E1(A^2 / 2 sd^2) / 2
(Lapidoth & Moser 2003, IEEE Trans Inf Theory 49:2426). The bias is 0.02 if A is twice the noise's sd, and 0.001 at
three times the sd. The logarithm is therefore not corrected; signals below the noise floor, twice the sd, are excluded.
If too few signals remain because free water has decayed to the noise level, the floor is ignored: the ADC of free water
is then accurate within 2 % at a signal-to-noise ratio of 37 at b = 0, whereas a value of 0 would mean no diffusion.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from glioma_idh.errors import InputError
from glioma_idh.imaging.diffusion import gradients
from glioma_idh.imaging.diffusion.gradients import UNWEIGHTED, check_b_values, check_b_vectors, group_shells
from glioma_idh.imaging.diffusion.undirected import classify_undirected

BALANCED = 0.1  # largest `imbalance` of directions whose mean is called the trace
HIGHEST_ADC = 4e-3
"""mm2/s. Free water at body temperature has 3.0e-3 (Mills 1973, J Phys Chem 77:685); the rest is a margin for noise."""
FLOOR_SDS = 2.0  # the noise floor, in standard deviations of the noise
CHUNK = 2**15
FULL_RANK = 1e-9


@dataclass(frozen=True)
class Diffusion:
    """An ADC map and how it was computed; it is 0 where there is no signal or the signal does not decrease with b."""

    adc: np.ndarray  # mm2/s, shape (i, j, k), float32; also 0 outside the mask
    method: str  # in words
    shells: dict[float, int]  # number of volumes by b-value, s/mm2
    noise_sd: float  # standard deviation of the noise; 0 if unknown, and then there is no noise floor
    num_not_fitted: int  # voxels of the mask with an ADC of 0


def make_adc(
    series: np.ndarray,
    b_values: ArrayLike,
    b_vectors: ArrayLike | None = None,
    brain: np.ndarray | None = None,
    noise_sd: float | None = None,
) -> Diffusion:
    """Compute the ADC of a diffusion-weighted series: the tensor's mean diffusivity if the directions suffice for it.

    Otherwise it is the ADC of the trace-weighted images, or along the available directions (`method` states this if
    their mean is not the trace).

    Args:
        series: shape (i, j, k, n).
        b_values: shape (n,), s/mm2.
        b_vectors: shape (n, 3), or None if every volume is trace-weighted. They are normalised; unlike in MRtrix,
            their length does not scale b. A volume without a b-vector in a series with b-vectors is classified by its
            signal as at b = 0 or trace-weighted (`classify_undirected`); `method` states this.
        brain: mask, shape (i, j, k); None for the whole image.
        noise_sd: standard deviation of the noise (real part); estimated if None.

    Raises:
        InputError: as for `fit_adc`, `tensor_design` (except for too few directions) and `classify_undirected`.
    """
    b_values = check_b_values(b_values, series)
    mask = np.ones(series.shape[:3], bool) if brain is None else np.asarray(brain) != 0
    directions = np.zeros((len(b_values), 3)) if b_vectors is None else check_b_vectors(b_vectors, b_values)
    b_values, decided = classify_undirected(series, b_values, directions, None if brain is None else mask)
    noise_sd = estimate_noise(series, b_values) if noise_sd is None else noise_sd
    shells = {b: len(members) for b, members in group_shells(b_values).items()}
    weighted = directions[b_values > UNWEIGHTED]
    if gradients.num_independent(weighted) == 6:
        adc = fit_mean_diffusivity(series, b_values, directions, mask, noise_sd)
        method = f"mean diffusivity of the tensor, {int(weighted.any(axis=1).sum())} directions"
    else:
        adc = fit_adc(series, b_values, mask, noise_sd, directions)
        along = []
        for b, members in group_shells(b_values).items():
            if b > UNWEIGHTED and gradients.imbalance(directions[members]) > BALANCED:
                number = round((1 / gradients.num_repeats(directions[members])).sum())
                along.append(f"{number} direction{'s' * (number > 1)} at b = {b:.0f}")
        no_trace = f"along {', '.join(along)}, not the trace: it depends on the direction of fibres"
        method = f"mono-exponential ADC {no_trace if along else 'of the trace-weighted images'}"
    method += f", b = {', '.join(f'{b:.0f} ({number})' for b, number in shells.items())} s/mm2"
    method += f"; {decided}" if decided else ""
    return Diffusion(adc, method, shells, noise_sd, int(np.count_nonzero(mask & (adc == 0))))


def fit_adc(
    series: np.ndarray,
    b_values: ArrayLike,
    mask: np.ndarray | None = None,
    noise_sd: float | None = None,
    b_vectors: ArrayLike | None = None,
) -> np.ndarray:
    """Fit the mono-exponential ADC to a series with two or more b-values and any gradient directions.

    Over evenly distributed directions, the mean of ln S = ln S0 - b g'Dg is ln S0 - b trace(D) / 3. The geometric mean
    of the signals therefore decays with the mean diffusivity; the arithmetic mean decays more slowly in fibres.
    Repetitions of a direction are averaged first.

    Args:
        series, b_values, mask, noise_sd, b_vectors: as for `make_adc`, except that a volume without a b-vector counts
            as trace-weighted.

    Returns:
        The ADC, mm2/s, shape (i, j, k), float32, from 0 to HIGHEST_ADC. It is 0 outside the mask and where the signals
        above the lowest b-value are 0, or below the noise floor while that of the lowest is below twice the floor.

    Raises:
        InputError: as for `check_b_values`, or there are fewer than two b-values.
    """
    b_values = check_b_values(b_values, series)
    shells = group_shells(b_values)
    if len(shells) < 2:
        advice = "Give the whole series, including the volumes at b = 0, or the ADC map of the scanner."
        raise InputError("two b-values or more", f"b = {', '.join(f'{b:.0f}' for b in shells)} s/mm2 only", advice)
    directions = np.zeros((len(b_values), 3)) if b_vectors is None else check_b_vectors(b_vectors, b_values)
    directions[b_values <= UNWEIGHTED] = 0
    shares = [gradients.share_of_each(directions[members]) for members in shells.values()]
    design = np.stack([np.ones(len(shells)), -np.array(list(shells)) / 1000], axis=1)
    num_averaged = [1 / np.square(share).sum() for share in shares]

    def fit(signal: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            means = [np.log(signal[:, members]) @ share for members, share in zip(shells.values(), shares, strict=True)]
        return fit_logarithm(np.exp(np.stack(means, axis=1)), design, num_averaged)[:, 1]

    return _to_map(series, b_values, mask, noise_sd, fit)


def fit_mean_diffusivity(
    series: np.ndarray,
    b_values: ArrayLike,
    b_vectors: ArrayLike,
    mask: np.ndarray | None = None,
    noise_sd: float | None = None,
) -> np.ndarray:
    """Fit the mean diffusivity: a third of the trace of the tensor (Basser et al. 1994, J Magn Reson B 103:247).

    Arguments, result and errors as for `fit_adc` and `tensor_design`; also 0 where too few signals remain for a tensor.
    """
    b_values = check_b_values(b_values, series)
    design = gradients.tensor_design(b_values, check_b_vectors(b_vectors, b_values))

    def fit(signal: np.ndarray) -> np.ndarray:
        return fit_logarithm(signal, design, np.ones(len(b_values)))[:, 1:4].mean(axis=1)

    return _to_map(series, b_values, mask, noise_sd, fit)


def _to_map(
    series: np.ndarray,
    b_values: np.ndarray,
    mask: np.ndarray | None,
    noise_sd: float | None,
    fit: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Apply `fit`, from signals (voxel, n) to slopes (voxel,) in um2/ms, and return an image in mm2/s.

    Signals below the noise floor are excluded. Where too few remain, all signals are fitted if the signal at the lowest
    b-value is above twice the floor.
    """
    noise_sd = estimate_noise(series, b_values) if noise_sd is None else noise_sd
    mask = np.ones(series.shape[:3], bool) if mask is None else np.asarray(mask) != 0
    signal = np.asarray(series[mask], np.float32)
    signal = np.where((signal > 0) & np.isfinite(signal), signal, 0)
    above = np.where(signal > FLOOR_SDS * noise_sd, signal, 0)
    slopes = fit(above)
    lowest = next(iter(group_shells(b_values).values()))
    sunk = np.isnan(slopes) & (above[:, lowest].mean(axis=1) > 2 * FLOOR_SDS * noise_sd)
    slopes[sunk] = fit(signal[sunk])
    adc = np.zeros(mask.shape, np.float32)
    adc[mask] = np.clip(np.nan_to_num(slopes) / 1000, 0, HIGHEST_ADC)
    return adc


def estimate_noise(series: np.ndarray, b_values: ArrayLike) -> float:
    """Estimate the standard deviation of the noise (real part) from the air in the corners of a series (i, j, k, n).

    In air the noise is Rayleigh-distributed; its median is 1.177 times the standard deviation. It is larger with
    several receiver coils, and the noise floor rises accordingly.

    Returns:
        The standard deviation; 0 (no noise floor) if the corners show tissue (the median signal falls by a fifth or
        more from the lowest to the highest b-value) or have been masked (mostly 0).
    """
    sides = [np.r_[: max(1, n // 10), n - max(1, n // 10) : n] for n in series.shape[:2]]
    lowest, highest = (series[..., n][np.ix_(*sides)] for n in (np.argmin(b_values), np.argmax(b_values)))
    air = (lowest > 0) & (highest > 0)
    if 2 * np.count_nonzero(air) < air.size or np.median(highest[air]) < 0.8 * np.median(lowest[air]):
        return 0.0
    return float(np.median(highest[air]) / np.sqrt(2 * np.log(2)))


def fit_logarithm(signal: np.ndarray, design: np.ndarray, num_averaged: ArrayLike) -> np.ndarray:
    """Fit the logarithm of the signal per voxel by weighted least squares in two passes, without signals of 0.

    Args:
        signal: shape (voxel, n).
        design: shape (n, p).
        num_averaged: how many volumes were averaged for each signal, shape (n,).

    Returns:
        Coefficients, shape (voxel, p); NaN where the fit is not determined.
    """
    solutions = []
    for chunk in np.array_split(signal, max(1, -(-len(signal) // CHUNK))):  # to limit the memory
        part = chunk.astype(float)
        part = part / np.maximum(part.max(axis=1, keepdims=True, initial=0), 1e-30)
        counts = np.asarray(num_averaged, float) * (part > 0)
        logarithm = np.log(np.where(part > 0, part, 1))
        first = _solve(logarithm, counts * part**2, design)
        fitted = np.exp(np.clip(np.nan_to_num(first) @ design.T, -10, 10))
        solutions.append(_solve(logarithm, counts * fitted**2, design))
    return np.concatenate(solutions)


def _solve(logarithm: np.ndarray, weights: np.ndarray, design: np.ndarray) -> np.ndarray:
    """Solve the normal equations of each voxel; NaN where the solution is not unique."""
    num = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(-1, num * num)
    normal = (weights @ products).reshape(-1, num, num)
    right = (weights * logarithm) @ design
    solvable = np.linalg.det(normal) > FULL_RANK * np.einsum("vpp->vp", normal).prod(axis=1)
    solution = np.full(right.shape, np.nan)
    solution[solvable] = np.linalg.solve(normal[solvable], right[solvable][..., None])[..., 0]
    return solution
