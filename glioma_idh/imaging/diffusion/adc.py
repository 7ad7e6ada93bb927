"""From diffusion-weighted series to the apparent diffusion coefficient (ADC), mm2/s.

The model is mono-exponential, S = S0 exp(-b D), fitted to the logarithm of the signal by weighted least squares.

The variance of the logarithm is (noise / signal)^2, hence the weights signal^2 (Salvador et al. 2005, Hum Brain Mapp
24:144). Those of the second pass come from the signal that the first one fitted: weights that share the noise of what
they weigh bias the result (Veraart et al. 2013, NeuroImage 81:335), for a tensor at b0 signal / noise = 20 by -3 %.

Noise of magnitude images is Rician. The logarithm of a true signal A has then the mean ln A + E1(A^2 / 2 sd^2) / 2
(Lapidoth & Moser 2003, IEEE Trans Inf Theory 49:2426): off by 0.02 where A is twice the noise's sd, by 0.001 where it
is three times that. So the logarithm needs no correction; what lies below the noise floor, twice the sd, takes no part.
Where too little is left because water is so free that its signal sinks into the noise, the floor does not count: the
ADC of free water then comes out right within 2 % at b0 signal / noise = 37, where 0 would mean the opposite of free.
"""

from dataclasses import dataclass

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.diffusion import gradients
from glioma_idh.imaging.diffusion.gradients import UNWEIGHTED, check_b_values, check_b_vectors, group_shells
from glioma_idh.imaging.diffusion.undirected import settle_undirected

BALANCED = 0.1  # the largest `imbalance` of directions whose mean is called the trace
HIGHEST_ADC = 4e-3
"""mm2/s. Free water at body temperature has 3.0e-3 (Mills 1973, J Phys Chem 77:685); the rest is room for noise."""
FLOOR_SDS = 2.0  # the noise floor, in standard deviations of the noise
CHUNK = 2**15
FULL_RANK = 1e-9


@dataclass(frozen=True)
class Diffusion:
    """An ADC map and how it came about; voxels without signal, or whose signal does not fall with b, are 0."""

    adc: np.ndarray  # mm2/s, shape (i, j, k), float32; 0 outside the mask too
    method: str  # in words
    shells: dict[float, int]  # number of volumes by b-value, s/mm2
    noise_sd: float  # standard deviation of the noise that set the floor; 0 where it is not known
    num_not_fitted: int


def make_adc(series, b_values, b_vectors=None, brain=None, noise_sd: float | None = None) -> Diffusion:
    """The mean diffusivity of the tensor where a diffusion-weighted series has directions enough for one, else the ADC.

    That of the trace-weighted images, or of the directions there are: `method` says so where they make no trace.

    Of a series (i, j, k, n), b-values (n,), s/mm2, and b-vectors (n, 3), None where every volume is trace-weighted;
    they are normalised: unlike in MRtrix, their length says nothing about b. A volume without one, in a series that has
    some, is taken as at b = 0 or as trace-weighted by its signal (`settle_undirected`), and `method` says so. The brain
    is a mask (i, j, k), None the whole image; the noise's standard deviation (real part) is estimated unless given.

    InputError as of `fit_adc`, `tensor_design`, but for too few directions, and `settle_undirected`.
    """
    b_values = check_b_values(b_values, series)
    mask = np.ones(series.shape[:3], bool) if brain is None else np.asarray(brain) != 0
    directions = np.zeros((len(b_values), 3)) if b_vectors is None else check_b_vectors(b_vectors, b_values)
    b_values, decided = settle_undirected(series, b_values, directions, None if brain is None else mask)
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
        no_trace = f"along {', '.join(along)}, no trace: it depends on how the fibres run"
        method = f"mono-exponential ADC {no_trace if along else 'of the trace-weighted images'}"
    method += f", b = {', '.join(f'{b:.0f} ({number})' for b, number in shells.items())} s/mm2"
    method += f"; {decided}" if decided else ""
    return Diffusion(adc, method, shells, noise_sd, int(np.count_nonzero(mask & (adc == 0))))


def fit_adc(series, b_values, mask=None, noise_sd: float | None = None, b_vectors=None) -> np.ndarray:
    """Mono-exponential ADC over any two or more b-values, whatever their directions.

    Arguments as of `make_adc`, but a volume without a b-vector is trace-weighted; repeats of a direction are averaged
    before the directions are. Over directions that favour none, the mean of ln S = ln S0 - b g'Dg is ln S0 - b trace(D)
    / 3, so their geometric mean decays with the mean diffusivity; the arithmetic one more slowly along fibres.

    Returns mm2/s, shape (i, j, k), float32, from 0 to HIGHEST_ADC; 0 outside the mask, where no b-value above the
    lowest rises above the noise floor and the lowest is below twice that, and where no other has a signal. InputError
    as of `check_b_values`, and for fewer than two b-values.
    """
    b_values = check_b_values(b_values, series)
    shells = group_shells(b_values)
    if len(shells) < 2:
        advice = "ADC needs two: give the whole series, with its volumes at b = 0, or the scanner's own ADC map."
        raise InputError("two b-values or more", f"b = {', '.join(f'{b:.0f}' for b in shells)} s/mm2 only", advice)
    directions = np.zeros((len(b_values), 3)) if b_vectors is None else check_b_vectors(b_vectors, b_values)
    directions[b_values <= UNWEIGHTED] = 0
    shares = [gradients.share_of_each(directions[members]) for members in shells.values()]
    design = np.stack([np.ones(len(shells)), -np.array(list(shells)) / 1000], axis=1)
    num_averaged = [1 / np.square(share).sum() for share in shares]

    def fit(signal):
        with np.errstate(divide="ignore"):
            means = [np.log(signal[:, members]) @ share for members, share in zip(shells.values(), shares, strict=True)]
        return fit_logarithm(np.exp(np.stack(means, axis=1)), design, num_averaged)[:, 1]

    return _to_map(series, b_values, mask, noise_sd, fit)


def fit_mean_diffusivity(series, b_values, b_vectors, mask=None, noise_sd: float | None = None) -> np.ndarray:
    """Mean diffusivity: a third of the trace of the diffusion tensor (Basser et al. 1994, J Magn Reson B 103:247).

    Arguments, map and errors as of `fit_adc` and `tensor_design`; 0 also where too few signals fix no tensor.
    """
    b_values = check_b_values(b_values, series)
    design = gradients.tensor_design(b_values, check_b_vectors(b_vectors, b_values))

    def fit(signal):
        return fit_logarithm(signal, design, np.ones(len(b_values)))[:, 1:4].mean(axis=1)

    return _to_map(series, b_values, mask, noise_sd, fit)


def _to_map(series, b_values: np.ndarray, mask, noise_sd: float | None, fit) -> np.ndarray:
    """A fit from signals (voxel, n) above the noise floor to slopes (voxel,), um2/ms, as an image in mm2/s.

    Where what rises above the floor is too little, all there is is fitted, if the lowest b-value is at twice the floor.
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

    From signals (voxel, n), means of so many volumes (n,), and a design (n, p) to coefficients (voxel, p) or NaN.
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
