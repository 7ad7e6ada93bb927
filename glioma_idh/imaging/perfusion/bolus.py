"""When the contrast medium comes: the baseline before it, its arrival, its first pass; from a mean curve."""

import numpy as np
from scipy.ndimage import median_filter

from glioma_idh.errors import InputError

MIN_BASELINE_POINTS = 5
MIN_DROP_IN_SD = 5.0
MIN_DROP = 0.02
SD_OF_MAD = 1.4826
SLOWEST_FALL = 0.005  # of the peak, 1/s


def find_baseline(signal: np.ndarray) -> tuple[int, int]:
    """Find the baseline, volumes (start, stop), in the brain's mean signal, shape (t,), of the longest echo time.

    The trough of the bolus is the first that is half as deep as the deepest of the curve after a running median of
    three: a second injection, or a head that moves, may come later and go deeper. Going back from there, the bolus
    arrives where the signal is last at its level, first that of the first half of the points before the trough, then
    that of all before this arrival. The last volume at the level is left out, because arteries come before the mean; so
    are leading volumes off the level, which are brighter until the magnetisation is steady. The stop, outside, is where
    the bolus arrives. InputError if there is none, or it comes before there is a baseline.
    """
    smooth = median_filter(signal, 3, mode="nearest")
    deepest = 2 + int(np.argmin(smooth[2:-1]))
    trough = 2 + _first_peak(np.median(signal[: max(2, deepest // 2)]) - smooth[2:-1], 1 / 2)
    sd = float(SD_OF_MAD * np.median(np.abs(np.diff(signal))) / np.sqrt(2))  # few steps belong to the bolus
    level = np.median(signal[: max(2, trough // 2)])
    arrival = _last_at_level(signal, trough, level - 0.1 * (level - smooth[trough]))
    level = np.median(signal[1 : max(2, arrival)])
    drop = level - smooth[trough]
    if not level > 0:
        advice = "Leave out empty volumes at the start, and check the brain mask."
        raise InputError("a signal in the brain before the bolus", f"{level:g} in the first volumes", advice)
    if drop < max(MIN_DROP_IN_SD * sd, MIN_DROP * level):
        found = f"a drop of {drop / level:.1%} of the baseline, whose noise is {sd / level:.1%}"
        advice = "Check that this is the dynamic T2*-weighted series, that contrast was given, and the brain mask."
        raise InputError("a bolus in the brain's mean signal", found, advice)
    stop = _last_at_level(signal, trough, level - max(2 * sd, 0.05 * drop))
    steady = np.flatnonzero(np.abs(signal[:stop] - level) <= max(4 * sd, 0.01 * level))
    start = int(steady[0]) if len(steady) else stop
    if stop - start < MIN_BASELINE_POINTS:
        found = f"{stop - start} (volumes {start} to {stop} of {len(signal)}; the bolus is at its height at {trough})"
        advice = "The bolus came too early, or volumes were cut off at the start; give the series as it was acquired."
        raise InputError(f"{MIN_BASELINE_POINTS} baseline volumes or more before the bolus", found, advice)
    return start, stop


def _first_peak(height: np.ndarray, share: float) -> int:
    """The highest point of the first stretch at least as high as a share of the highest point of all."""
    high = height >= min(share * height.max(), height.max())  # also where nothing lies above 0
    start = int(np.argmax(high))
    ends = np.flatnonzero(~high[start:])
    return start + int(np.argmax(height[start : start + ends[0]] if len(ends) else height[start:]))


def _last_at_level(signal: np.ndarray, trough: int, lowest: float) -> int:
    """The last volume before the trough whose signal is at least `lowest`: the one before the bolus arrives."""
    at_level = np.flatnonzero(signal[:trough] >= lowest)
    return int(at_level[-1]) if len(at_level) else 0


def find_first_pass(change: np.ndarray, arrival: int, step_s: float) -> tuple[int, int]:
    """The volumes of the first pass: from the arrival to where the contrast medium comes round again.

    Up to where the curve (running mean of three), once below half its peak, rises again or falls by less than 0.5 % of
    its peak a second, because with few volumes the trough before the second pass is only a bend. To the end of the
    curve where there is neither. The peak is the first that is a quarter as high as the highest (running median of
    three): what comes later and goes higher is not the first pass.

    From the mean change of relaxation (t,) of tissue that does not leak, and the volume at which the bolus arrives, to
    (start, stop), stop outside; InputError if the curve never falls to half its peak.
    """
    smooth = np.convolve(np.pad(change, 1, mode="edge"), np.full(3, 1 / 3), mode="valid")
    peak = arrival + _first_peak(median_filter(change, 3, mode="nearest")[arrival:-1], 1 / 4)
    fallen = smooth[peak:-1] < smooth[peak] / 2
    if not fallen.any():
        found = f"the peak at volume {peak} of {len(change)} and no fall to half of it"
        advice = "The series ends too early, or another image was taken for it."
        raise InputError("a first pass that comes and goes", found, advice)
    level = np.diff(smooth[peak:]) > -SLOWEST_FALL * smooth[peak] * step_s
    bends = np.flatnonzero(fallen & level)
    return arrival, peak + int(bends[0]) + 1 if len(bends) else len(change)
