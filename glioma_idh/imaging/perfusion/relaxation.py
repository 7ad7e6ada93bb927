"""From signals to the change of the transverse relaxation rate, which follows the concentration of contrast medium."""

import numpy as np

from glioma_idh.errors import InputError

NOISE_FLOOR = 5.0
"""Lowest baseline signal of a voxel, in standard deviations of the noise."""

MIN_CLEAR_SHARE = 0.5


def noise_of(signal: np.ndarray, baseline: tuple[int, int]) -> float:
    """Noise of a series: the median over the voxels of their standard deviation in the baseline.

    Args:
        signal: shape (voxel, t).
        baseline: volumes (start, stop).
    """
    return float(np.median(signal[:, slice(*baseline)].std(axis=1, ddof=1)))


def above_noise(signals: list[np.ndarray], baseline: tuple[int, int]) -> np.ndarray:
    """Voxels whose baseline stands out of the noise in every echo, shape (voxel,), bool."""
    levels = [signal[:, slice(*baseline)].mean(axis=1) for signal in signals]
    floors = [NOISE_FLOOR * noise_of(signal, baseline) for signal in signals]
    return np.all([(level > 0) & (level >= floor) for level, floor in zip(levels, floors, strict=True)], axis=0)


def check_clear(clear: np.ndarray) -> None:
    """At least half of the brain's voxels (voxel,) stand out of the noise, or the maps would be next to empty.

    Raises:
        InputError: they do not.
    """
    share = clear.mean()
    if share < MIN_CLEAR_SHARE:
        found = f"{share:.0%} of its voxels at {NOISE_FLOOR:g} times the noise or more"
        advice = "Check the brain mask, and whether signals jump from volume to volume before the bolus."
        raise InputError("signals above the noise in half of the brain or more", found, advice)


def log_signal_ratio(signal: np.ndarray, baseline: tuple[int, int]) -> np.ndarray:
    """ln(S / S0), S0 the mean of the baseline; signals are held up at the noise, where their logarithm means nothing.

    Args:
        signal: shape (voxel, t), baselines above 0.
        baseline: volumes (start, stop).
    """
    level = signal[:, slice(*baseline)].mean(axis=1, keepdims=True)
    lowest = np.maximum(noise_of(signal, baseline), np.float32(1e-3) * level)
    return np.log(np.maximum(signal, lowest) / level, dtype=np.float32)


def relaxation_change(signals: list[np.ndarray], echo_times_s, baseline: tuple[int, int]) -> np.ndarray:
    """Change of the transverse relaxation rate from the baseline.

    One echo: dR2* = -ln(S / S0) / TE, which takes a shorter T1 for less contrast medium (Rosen et al. 1990, Magn Reson
    Med 14:249). Two echoes: dR2* = (ln(S1 / S1_0) - ln(S2 / S2_0)) / (TE2 - TE1), in which T1 cancels (Vonken et al.
    1999, Magn Reson Med 42:599).

    Args:
        signals: one or two echoes, each (voxel, t), baselines above 0.
        echo_times_s: of each, s, the shorter one first.
        baseline: volumes (start, stop).

    Returns:
        Shape (voxel, t), 1/s, float32.
    """
    ratios = [log_signal_ratio(signal, baseline) for signal in signals]
    if len(ratios) == 1:
        return ratios[0] / np.float32(-echo_times_s[0])
    return (ratios[0] - ratios[1]) / np.float32(echo_times_s[1] - echo_times_s[0])
