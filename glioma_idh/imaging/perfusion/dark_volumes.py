"""Volumes of a perfusion series that came out dark or empty: named, and filled from their neighbours in time."""

import numpy as np

from glioma_idh.errors import InputError

AROUND = 5
DARK_SHARE = 0.5
"""Of the median of the volumes around it: a bolus takes the brain's mean signal from volume to volume by less."""
DARKEST_SHARE = 0.25
"""Of the median of all volumes: a bolus does not take the brain's mean signal so low."""
MAX_DARK = 3


def find_dark(signals: list[np.ndarray]) -> np.ndarray:
    """The volumes whose mean signal is below half the median of the five around them, or a quarter of that of all.

    Args:
        signals: one or two echoes, each (voxel, t).

    Returns:
        Indices of those that are dark in any echo, from 0, rising.

    Raises:
        InputError: there are more than MAX_DARK.
    """
    dark = np.flatnonzero(np.any([_is_dark(signal.mean(axis=0, dtype=float)) for signal in signals], axis=0))
    if len(dark) > MAX_DARK:
        raise _too_many(dark, f"at most {MAX_DARK} dark or empty volumes")
    return dark


def _is_dark(mean: np.ndarray) -> np.ndarray:
    """Which points of a mean curve (t,) are dark, bool; at its ends, beside the five first or last ones."""
    medians = np.median(np.lib.stride_tricks.sliding_window_view(mean, AROUND), axis=1)
    around = np.pad(medians, AROUND // 2, mode="edge")
    return (mean < DARK_SHARE * around) | (mean < DARKEST_SHARE * np.median(mean))


def fill_dark(signal: np.ndarray, dark: np.ndarray) -> np.ndarray:
    """The curves (voxel, t) with the dark volumes on straight lines between good ones; at the ends, as the nearest."""
    if not len(dark):
        return signal
    good = np.setdiff1d(np.arange(signal.shape[1]), dark)
    weights = np.stack([np.interp(dark, good, weight) for weight in np.eye(len(good), dtype=signal.dtype)])
    filled = signal.copy()
    filled[:, dark] = signal[:, good] @ weights.astype(signal.dtype)
    return filled


def check_bolus(dark: np.ndarray, first_pass: tuple[int, int]) -> None:
    """No two dark volumes in a row in the first pass (start, stop), where a straight line would cut the bolus off.

    Raises:
        InputError: there are.
    """
    inside = dark[(dark >= first_pass[0] - 1) & (dark < first_pass[1])]
    if (np.diff(inside) == 1).any():
        raise _too_many(inside, "no two dark or empty volumes in a row while the bolus passes")


def _too_many(dark: np.ndarray, expected: str) -> InputError:
    """The error that names them."""
    advice = "Export or convert the series again; look whether these volumes are empty at the scanner too."
    return InputError(expected, f"{len(dark)}: volumes {', '.join(map(str, dark))} (from 0)", advice)
