"""Change of the transverse relaxation rate (dR2*), which is proportional to the concentration of contrast agent.

Also peak height and percent signal recovery, which UPENN-GBM provides for each perfusion series (Cha et al. 2007, AJNR
Am J Neuroradiol 28:1078; Lupo et al. 2005, AJNR Am J Neuroradiol 26:1446).

Throughout, signals have shape (voxel, t); baseline and first pass are volumes (start, stop).

Leakage correction after Boxerman, Schmainda and Weisskoff 2006, AJNR Am J Neuroradiol 27:859.

Where the blood-brain barrier is open, contrast agent in the tissue shortens T1 (the curve becomes too low) and T2* (too
high). The measured curve is modelled as a multiple of the mean curve of tissue without leakage, minus a leakage term
proportional to the running integral of that mean:

    dR2*(t) = K1 mean(t) - K2 integral of mean from the arrival to t

K2 is positive if the T1 effect prevails, negative if the T2* effect does. Adding K2 times the running integral corrects
the leakage.

Limitations: backflow of contrast agent and saturated T1 effects are not modelled, and a mean transit time that differs
from that of the reference appears as leakage (6 s instead of 4 s lowers the blood volume by a tenth).
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
    """Estimate the noise of a series: the median over voxels of the standard deviation in the baseline."""
    return float(np.median(signal[:, slice(*baseline)].std(axis=1, ddof=1)))


def above_noise(signals: list[np.ndarray], baseline: tuple[int, int]) -> np.ndarray:
    """Mark voxels, (voxel,), whose baseline is above the noise in every echo; InputError unless half of them are."""
    levels = [signal[:, slice(*baseline)].mean(axis=1) for signal in signals]
    floors = [NOISE_FLOOR * noise_of(signal, baseline) for signal in signals]
    clear = np.all([(level > 0) & (level >= floor) for level, floor in zip(levels, floors, strict=True)], axis=0)
    share = clear.mean()
    if share < MIN_CLEAR_SHARE:
        found = f"{share:.0%} of the voxels with at least {NOISE_FLOOR:g} times the noise"
        advice = "Check the brain mask, and whether signals vary strongly between volumes before the bolus."
        raise InputError("signals above the noise in at least half of the brain", found, advice)
    return clear


def relaxation_change(signals: list[np.ndarray], echo_times_s: list[float], baseline: tuple[int, int]) -> np.ndarray:
    """Compute the change of the transverse relaxation rate (dR2*) from the baseline, shape (voxel, t), 1/s, float32.

    One echo: dR2* = -ln(S / S0) / TE, in which T1 shortening appears as less contrast agent (Rosen et al. 1990, Magn
    Reson Med 14:249). Two echoes, the shorter first: dR2* = (ln(S1 / S1_0) - ln(S2 / S2_0)) / (TE2 - TE1), in which T1
    effects cancel (Vonken et al. 1999, Magn Reson Med 42:599).
    """
    ratios = []
    for signal in signals:  # limited from below at the noise level
        level = signal[:, slice(*baseline)].mean(axis=1, keepdims=True)
        lowest = np.maximum(noise_of(signal, baseline), np.float32(1e-3) * level)
        ratios.append(np.log(np.maximum(signal, lowest) / level, dtype=np.float32))
    if len(ratios) == 1:
        return ratios[0] / np.float32(-echo_times_s[0])
    return (ratios[0] - ratios[1]) / np.float32(echo_times_s[1] - echo_times_s[0])


def peak_height(change: np.ndarray, first_pass: tuple[int, int]) -> np.ndarray:
    """Return the highest dR2* of the first pass, without leakage correction, shape (voxel,), 1/s."""
    return change[:, slice(*first_pass)].max(axis=1)


def percent_signal_recovery(
    signal: np.ndarray, baseline: tuple[int, int], first_pass: tuple[int, int], step_s: float
) -> np.ndarray:
    """Compute the percent signal recovery at the end of the first pass: 100 (S1 - Smin) / (S0 - Smin).

    S0 is the mean of the baseline, Smin the lowest signal of the first pass, and S1 the mean of the 10 s that begin
    with its last volume. The result exceeds 100 if the signal rises above the baseline, and is 0 if the drop is less
    than three times the noise.

    Args:
        signal: of the longest echo, shape (voxel, t).
        baseline, first_pass: volumes (start, stop).
        step_s: time between volumes.

    Returns:
        Shape (voxel,), float32.
    """
    before = signal[:, slice(*baseline)].mean(axis=1)
    lowest = signal[:, slice(*first_pass)].min(axis=1)
    last = first_pass[1] - 1
    after = signal[:, last : last + max(1, round(RECOVERY_S / step_s))].mean(axis=1)
    drop = before - lowest
    seen = drop > 3 * noise_of(signal, baseline)
    return np.where(seen, 100 * (after - lowest) / np.where(seen, drop, 1), 0)


class Leakage(NamedTuple):
    """The fitted leakage model."""

    k1: np.ndarray  # factor of the reference curve, shape (voxel,), no unit
    k2: np.ndarray  # leakage, shape (voxel,), 1/s
    integral: np.ndarray  # running integral of the reference curve, (t,); the corrected curve is dR2* + K2 integral


def reference_voxels(signal: np.ndarray, baseline: tuple[int, int], lesion: np.ndarray | None = None) -> np.ndarray:
    """Select tissue without leakage, (voxel,): its late signal is at most one sd above the baseline.

    Differs from the paper: the lesion, if given, is always excluded, because leakage with a prevailing T2* effect
    lowers the signal, as contrast agent in healthy vessels does.

    Args:
        signal: of the longest echo, shape (voxel, t).
        baseline: volumes (start, stop).
        lesion: mask, shape (voxel,).

    Raises:
        InputError: hardly any voxel remains.
    """
    before = signal[:, slice(*baseline)]
    late = signal[:, -LATE_POINTS:].mean(axis=1)
    steady = late <= before.mean(axis=1) + before.std(axis=1, ddof=1)
    if lesion is not None:
        steady &= ~lesion
    if not steady.sum() > MIN_REFERENCE_SHARE * len(steady):
        found = f"{steady.sum()} of {len(steady)} voxels"
        advice = "Nearly all of the brain seems to enhance: check the lesion mask and the series."
        raise InputError("brain without enhancement, as reference of the leakage correction", found, advice)
    return steady


def fit_leakage(change: np.ndarray, mean: np.ndarray, arrival: int, step_s: float) -> Leakage:
    """Fit K1 and K2 to the curve of each voxel by linear least squares, over 60 s from the arrival.

    Differs from the paper: the window is our choice. With a shorter one, a longer transit time appears as leakage; a
    longer one includes backflow of contrast agent, which the model does not describe.

    Args:
        change: dR2*, shape (voxel, t), 1/s.
        mean: mean curve of the reference, shape (t,).
        arrival: volume at which the bolus arrives.
        step_s: time between volumes.
    """
    integral = np.zeros_like(mean)
    integral[arrival:] = cumulative_trapezoid(mean[arrival:], initial=0) * step_s
    fitted = slice(arrival, arrival + round(FIT_S / step_s))
    design = np.stack([mean[fitted], -integral[fitted]], axis=1)
    k1, k2 = np.linalg.pinv(design).astype(np.float32) @ change[:, fitted].T
    return Leakage(k1, k2, integral)
