"""Checks of a perfusion series (shape, voxels, times), and interpolation of dark or empty volumes."""

from typing import NamedTuple

import numpy as np

from glioma_idh.errors import InputError

MIN_TIME_POINTS = 15
LONGEST_ECHO_TIME_S = 0.2
LONGEST_REPETITION_TIME_S = 10.0
AROUND = 5  # volumes in the running median
DARK_SHARE = 0.5  # of the running median; a bolus lowers the mean signal of the brain by less between volumes
DARKEST_SHARE = 0.25  # of the median of all volumes; a bolus does not lower the mean signal of the brain so much
MAX_DARK = 3


class Times(NamedTuple):
    """Echo and repetition times of a perfusion series."""

    echo_times_s: list[float]  # of each echo, the shorter first
    repetition_time_s: float  # from one volume to the next


def check_times(num_series: int, times: Times) -> None:
    """Raise InputError unless all times are given, in seconds, with one echo time per series."""
    echo_times_s, repetition_time_s = times
    if repetition_time_s is None or not np.isfinite(repetition_time_s) or repetition_time_s <= 0:
        advice = "Give the time from one volume to the next, from the sidecar or the scan protocol."
        raise InputError("a positive repetition time, s", str(repetition_time_s), advice)
    if repetition_time_s > LONGEST_REPETITION_TIME_S:
        found = f"a repetition time of {repetition_time_s:g}"
        raise InputError("a repetition time in seconds", found, "This looks like milliseconds: divide by 1000.")
    echo_times_s = [] if echo_times_s is None else list(echo_times_s)
    if len(echo_times_s) != num_series or num_series not in (1, 2):
        found = f"{num_series} series and echo times {echo_times_s}"
        advice = "Give one echo time per series, the shorter first, from the sidecar or the scan protocol."
        raise InputError("one or two series with one echo time each", found, advice)
    for echo_time_s in echo_times_s:
        if echo_time_s is None or not np.isfinite(echo_time_s) or echo_time_s <= 0:
            advice = "Take it from the sidecar or the scan protocol."
            raise InputError("a positive echo time, s", str(echo_time_s), advice)
        if echo_time_s > LONGEST_ECHO_TIME_S:
            found = f"{echo_time_s:g} at a repetition time of {repetition_time_s:g}"
            raise InputError("an echo time in seconds", found, "It looks like milliseconds: divide by 1000.")
        if echo_time_s >= repetition_time_s:
            found = f"an echo time of {echo_time_s:g} s and a repetition time of {repetition_time_s:g} s"
            meant = "Here, the repetition time is the time from one volume to the next, not from pulse to pulse."
            advice = f"One of them is wrong or has another unit. {meant}"
            raise InputError("an echo time shorter than the repetition time", found, advice)
    if num_series == 2 and not echo_times_s[0] < echo_times_s[1]:
        advice = "Give the echo with the shorter time first; the same series twice is not a dual echo."
        raise InputError("two echo times, the shorter one first", f"{echo_times_s} s", advice)


def check_series(series: list[np.ndarray], masks: dict[str, np.ndarray]) -> None:
    """Raise InputError unless series (i, j, k, t) have one shape and enough volumes, and masks (i, j, k) fit them."""
    shape = series[0].shape
    if len(shape) != 4 or shape[3] < MIN_TIME_POINTS:
        advice = "Give the whole dynamic series as one 4D image, not a single volume or a map."
        raise InputError(f"a series (i, j, k, t) of at least {MIN_TIME_POINTS} volumes", f"shape {shape}", advice)
    if any(echo.shape != shape for echo in series):
        found = f"shapes {' and '.join(str(echo.shape) for echo in series)}"
        raise InputError("two echoes of the same shape", found, "Give two echoes of the same acquisition.")
    for name, mask in masks.items():
        if mask.shape != shape[:3]:
            advice = "Resample the mask to the grid of the perfusion series."
            raise InputError(f"a {name} mask of shape {shape[:3]}", f"shape {mask.shape}", advice)
    if not masks["brain"].any():
        raise InputError("a brain mask", "an empty mask", "Check the brain mask.")


def brain_signals(series: list[np.ndarray], brain: np.ndarray) -> list[np.ndarray]:
    """Return the signals of the brain, one array (voxel, t) per echo, float32; InputError if any is not finite."""
    signals = [np.asarray(echo[brain], dtype=np.float32) for echo in series]
    count = sum(int((~np.isfinite(signal)).any(axis=1).sum()) for signal in signals)
    if count:
        advice = "Convert or reconstruct the series again."
        raise InputError("finite signals in the brain", f"{count} voxels with NaN or infinite signals", advice)
    return signals


def find_dark(signals: list[np.ndarray]) -> np.ndarray:
    """Find dark or empty volumes: mean signal below half the running median of five, or a quarter of that of all.

    Args:
        signals: one array (voxel, t) per echo.

    Returns:
        Indices of the volumes that are dark in any echo, from 0, sorted.

    Raises:
        InputError: there are more than MAX_DARK.
    """
    is_dark = np.zeros(signals[0].shape[1], bool)
    for mean in (signal.mean(axis=0, dtype=float) for signal in signals):
        medians = np.median(np.lib.stride_tricks.sliding_window_view(mean, AROUND), axis=1)
        around = np.pad(medians, AROUND // 2, mode="edge")  # at the ends, the median of the first or last five
        is_dark |= (mean < DARK_SHARE * around) | (mean < DARKEST_SHARE * np.median(mean))
    dark = np.flatnonzero(is_dark)
    if len(dark) > MAX_DARK:
        raise _too_many(dark, f"at most {MAX_DARK} dark or empty volumes")
    return dark


def fill_dark(signal: np.ndarray, dark: np.ndarray) -> np.ndarray:
    """Interpolate dark volumes of curves (voxel, t) linearly; at the ends, repeat the nearest good volume."""
    if not len(dark):
        return signal
    good = np.setdiff1d(np.arange(signal.shape[1]), dark)
    weights = np.stack([np.interp(dark, good, weight) for weight in np.eye(len(good), dtype=signal.dtype)])
    filled = signal.copy()
    filled[:, dark] = signal[:, good] @ weights.astype(signal.dtype)
    return filled


def check_bolus(dark: np.ndarray, first_pass: tuple[int, int]) -> None:
    """Raise InputError if two consecutive volumes of the first pass (start, stop) are dark, distorting the bolus."""
    inside = dark[(dark >= first_pass[0] - 1) & (dark < first_pass[1])]
    if (np.diff(inside) == 1).any():
        raise _too_many(inside, "no two consecutive dark or empty volumes during the first pass")


def _too_many(dark: np.ndarray, expected: str) -> InputError:
    advice = "Export or convert the series again; check whether these volumes are empty at the scanner, too."
    return InputError(expected, f"{len(dark)}: volumes {', '.join(map(str, dark))} (counted from 0)", advice)
