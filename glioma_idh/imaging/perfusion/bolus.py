"""Find the baseline, the arrival and the first pass of the bolus in a mean curve."""

import numpy as np
from scipy.ndimage import median_filter

from glioma_idh.errors import InputError

MIN_BASELINE_POINTS = 5
MIN_DROP_IN_SD = 5.0
MIN_DROP = 0.02
SD_OF_MAD = 1.4826
SLOWEST_FALL = 0.005  # of the peak, 1/s


def find_baseline(signal: np.ndarray) -> tuple[int, int]:
    """Find the baseline in the mean signal of the brain.

    The trough of the bolus is the first minimum of the median-filtered signal (width 3) that is at least half as deep
    as the deepest; later minima may stem from a second injection or head motion. Before the trough, the bolus arrives
    after the last volume at the baseline level. The level is estimated twice: from the first half of the volumes before
    the trough, then from all volumes before the first estimate of the arrival. The last volume at the level is
    excluded, because arteries enhance before the mean; so are bright volumes at the start, before the steady state.

    Args:
        signal: mean signal of the brain at the longest echo time, shape (t,).

    Returns:
        Volumes (start, stop); the bolus arrives at `stop`.

    Raises:
        InputError: there is no bolus, or it arrives too early for a baseline.
    """
    smooth = median_filter(signal, 3, mode="nearest")
    deepest = 2 + int(np.argmin(smooth[2:-1]))
    trough = 2 + _first_peak(np.median(signal[: max(2, deepest // 2)]) - smooth[2:-1], 1 / 2)
    sd = float(SD_OF_MAD * np.median(np.abs(np.diff(signal))) / np.sqrt(2))  # only few differences belong to the bolus
    level = np.median(signal[: max(2, trough // 2)])
    arrival = _last_at_level(signal, trough, level - 0.1 * (level - smooth[trough]))
    level = np.median(signal[1 : max(2, arrival)])
    drop = level - smooth[trough]
    if not level > 0:
        advice = "Remove empty volumes at the start, and check the brain mask."
        raise InputError("a positive signal in the brain before the bolus", f"{level:g} in the first volumes", advice)
    if drop < max(MIN_DROP_IN_SD * sd, MIN_DROP * level):
        found = f"a drop of {drop / level:.1%} of the baseline (noise {sd / level:.1%})"
        advice = "Check that this is a dynamic T2*-weighted series with contrast agent, and the brain mask."
        raise InputError("a bolus in the brain's mean signal", found, advice)
    stop = _last_at_level(signal, trough, level - max(2 * sd, 0.05 * drop))
    steady = np.flatnonzero(np.abs(signal[:stop] - level) <= max(4 * sd, 0.01 * level))
    start = int(steady[0]) if len(steady) else stop
    if stop - start < MIN_BASELINE_POINTS:
        found = f"{stop - start} (volumes {start} to {stop} of {len(signal)}; peak of the bolus at volume {trough})"
        advice = "The bolus came too early, or volumes were removed at the start; give the complete series."
        raise InputError(f"at least {MIN_BASELINE_POINTS} baseline volumes before the bolus", found, advice)
    return start, stop


def _first_peak(height: np.ndarray, share: float) -> int:
    """Return the maximum of the first interval above a share of the overall maximum."""
    high = height >= min(share * height.max(), height.max())  # also if no value is above 0
    start = int(np.argmax(high))
    ends = np.flatnonzero(~high[start:])
    return start + int(np.argmax(height[start : start + ends[0]] if len(ends) else height[start:]))


def _last_at_level(signal: np.ndarray, trough: int, lowest: float) -> int:
    """Return the last volume before the trough with a signal of at least `lowest`."""
    at_level = np.flatnonzero(signal[:trough] >= lowest)
    return int(at_level[-1]) if len(at_level) else 0


def find_first_pass(change: np.ndarray, arrival: int, step_s: float) -> tuple[int, int]:
    """Find the first pass of the bolus: from the arrival to the recirculation.

    The peak is the first maximum (median filter of width 3) that reaches a quarter of the highest value. Below half the
    peak, the first pass ends as soon as the curve (running mean of 3) rises again, or falls by less than 0.5 % of the
    peak per second, because with few volumes there may be no minimum before the second pass. Otherwise it lasts to the
    end of the series.

    Args:
        change: mean dR2* of tissue without leakage, shape (t,).
        arrival: volume at which the bolus arrives.
        step_s: time between volumes.

    Returns:
        Volumes (start, stop).

    Raises:
        InputError: the curve never falls below half its peak.
    """
    smooth = np.convolve(np.pad(change, 1, mode="edge"), np.full(3, 1 / 3), mode="valid")
    peak = arrival + _first_peak(median_filter(change, 3, mode="nearest")[arrival:-1], 1 / 4)
    fallen = smooth[peak:-1] < smooth[peak] / 2
    if not fallen.any():
        found = f"a peak at volume {peak} of {len(change)} without a fall to half of it"
        advice = "The series ends too early, or it is not a perfusion series."
        raise InputError("a complete first pass of the bolus", found, advice)
    level = np.diff(smooth[peak:]) > -SLOWEST_FALL * smooth[peak] * step_s
    bends = np.flatnonzero(fallen & level)
    return arrival, peak + int(bends[0]) + 1 if len(bends) else len(change)
