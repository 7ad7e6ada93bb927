"""From signals to the change of the transverse relaxation rate, which follows the concentration of contrast medium.

Also peak height and percent signal recovery, the two other maps that UPENN-GBM carries of each perfusion series, after
Cha et al. 2007, AJNR Am J Neuroradiol 28:1078, and Lupo et al. 2005, AJNR Am J Neuroradiol 26:1446.

Throughout, signals are of shape (voxel, t), baseline and first pass volumes (start, stop).

Leakage correction after Boxerman, Schmainda and Weisskoff 2006, AJNR Am J Neuroradiol 27:859.

Where the blood-brain barrier is open, contrast medium in the tissue shortens T1 (the curve comes out too low) and T2*
(too high). The measured curve is taken for a multiple of the mean curve of tissue that does not leak, less what has
leaked, which grows with the running integral of that mean:

    dR2*(t) = K1 mean(t) - K2 integral of mean from the arrival to t

so that K2 is positive where T1 wins, negative where T2* does; K2 times the running integral, added, undoes leakage.

Its limits: contrast medium that flows back, a T1 effect so strong that it saturates, and a mean transit time other than
the reference's, which is taken for leakage (6 s instead of 4 s lowers the blood volume by a tenth).
"""

from typing import NamedTuple

import numpy as np
from scipy.integrate import cumulative_trapezoid

from glioma_idh.errors import InputError

NOISE_FLOOR = 5.0  # lowest baseline signal of a voxel, in standard deviations of the noise
MIN_CLEAR_SHARE = 0.5
RECOVERY_S = 10.0
LATE_POINTS = 10
MIN_REFERENCE_SHARE = 0.02
FIT_S = 60.0


def noise_of(signal: np.ndarray, baseline: tuple[int, int]) -> float:
    """Noise of a series: the median over the voxels of their standard deviation in the baseline."""
    return float(np.median(signal[:, slice(*baseline)].std(axis=1, ddof=1)))


def above_noise(signals: list[np.ndarray], baseline: tuple[int, int]) -> np.ndarray:
    """Voxels whose baseline stands out of the noise in every echo, (voxel,), bool; InputError unless half do."""
    levels = [signal[:, slice(*baseline)].mean(axis=1) for signal in signals]
    floors = [NOISE_FLOOR * noise_of(signal, baseline) for signal in signals]
    clear = np.all([(level > 0) & (level >= floor) for level, floor in zip(levels, floors, strict=True)], axis=0)
    share = clear.mean()
    if share < MIN_CLEAR_SHARE:
        found = f"{share:.0%} of its voxels at {NOISE_FLOOR:g} times the noise or more"
        advice = "Check the brain mask, and whether signals jump from volume to volume before the bolus."
        raise InputError("signals above the noise in half of the brain or more", found, advice)
    return clear


def relaxation_change(signals: list[np.ndarray], echo_times_s, baseline: tuple[int, int]) -> np.ndarray:
    """Change of the transverse relaxation rate from the baseline, shape (voxel, t), 1/s, float32.

    One echo: dR2* = -ln(S / S0) / TE, which takes a shorter T1 for less contrast medium (Rosen et al. 1990, Magn Reson
    Med 14:249). Two echoes, the shorter one first: dR2* = (ln(S1 / S1_0) - ln(S2 / S2_0)) / (TE2 - TE1), in which T1
    cancels (Vonken et al. 1999, Magn Reson Med 42:599).
    """
    ratios = []
    for signal in signals:  # held up at the noise, where logarithms mean nothing
        level = signal[:, slice(*baseline)].mean(axis=1, keepdims=True)
        lowest = np.maximum(noise_of(signal, baseline), np.float32(1e-3) * level)
        ratios.append(np.log(np.maximum(signal, lowest) / level, dtype=np.float32))
    if len(ratios) == 1:
        return ratios[0] / np.float32(-echo_times_s[0])
    return (ratios[0] - ratios[1]) / np.float32(echo_times_s[1] - echo_times_s[0])


def peak_height(change: np.ndarray, first_pass: tuple[int, int]) -> np.ndarray:
    """Greatest change of relaxation during the first pass, not corrected for leakage, shape (voxel,), 1/s."""
    return change[:, slice(*first_pass)].max(axis=1)


def percent_signal_recovery(signal: np.ndarray, baseline: tuple[int, int], first_pass: tuple[int, int], step_s: float):
    """How much of its drop the signal has made up for at the end of the first pass: 100 (S1 - Smin) / (S0 - Smin).

    S0 is the mean of the baseline, Smin the lowest signal of the first pass and S1 the mean of the 10 s that begin with
    its last volume, up to which the signal has recovered. Above 100 where the signal rises over its baseline;
    0 where the drop is less than three times the noise. The signal is that of the longest echo; (voxel,), float32.
    """
    before = signal[:, slice(*baseline)].mean(axis=1)
    lowest = signal[:, slice(*first_pass)].min(axis=1)
    last = first_pass[1] - 1
    after = signal[:, last : last + max(1, round(RECOVERY_S / step_s))].mean(axis=1)
    drop = before - lowest
    seen = drop > 3 * noise_of(signal, baseline)
    return np.where(seen, 100 * (after - lowest) / np.where(seen, drop, 1), 0)


class Leakage(NamedTuple):
    """What was fitted."""

    k1: np.ndarray  # share of the reference's curve, shape (voxel,), no unit
    k2: np.ndarray  # leakage, shape (voxel,), 1/s
    integral: np.ndarray  # running integral of the reference's curve, (t,); a corrected curve is dR2* + K2 integral


def reference_voxels(signal: np.ndarray, baseline: tuple[int, int], lesion: np.ndarray | None = None) -> np.ndarray:
    """Tissue (voxel,) that does not leak: its signal at the end, of the longest echo, is at most one sd above baseline.

    Differs from the paper: a lesion, where one is given, is left out whatever it does, because leakage that T2* wins
    shows as less signal, as contrast medium in healthy vessels does. InputError if next to no voxel is left.
    """
    before = signal[:, slice(*baseline)]
    late = signal[:, -LATE_POINTS:].mean(axis=1)
    steady = late <= before.mean(axis=1) + before.std(axis=1, ddof=1)
    if lesion is not None:
        steady &= ~lesion
    if not steady.sum() > MIN_REFERENCE_SHARE * len(steady):
        found = f"{steady.sum()} of {len(steady)} voxels"
        advice = "Check the lesion mask and the series: nearly all of the brain seems to enhance."
        raise InputError("brain that does not enhance, as reference of the leakage correction", found, advice)
    return steady


def fit_leakage(change: np.ndarray, mean: np.ndarray, arrival: int, step_s: float) -> Leakage:
    """K1 and K2 of every voxel's curve (voxel, t), 1/s, by linear least squares, over 60 s from the arrival.

    The window is our own choice, not the paper's. A shorter fit is better where leakage alone makes a voxel unlike the
    reference, but takes a bolus that merely stays longer in the tissue for leakage; a longer one counts contrast medium
    that has flowed back, which the model does not know. The mean is that of the reference, shape (t,).
    """
    integral = np.zeros_like(mean)
    integral[arrival:] = cumulative_trapezoid(mean[arrival:], initial=0) * step_s
    fitted = slice(arrival, arrival + round(FIT_S / step_s))
    design = np.stack([mean[fitted], -integral[fitted]], axis=1)
    k1, k2 = np.linalg.pinv(design).astype(np.float32) @ change[:, fitted].T
    return Leakage(k1, k2, integral)
