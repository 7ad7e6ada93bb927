"""Compute relative blood volume and related maps of a perfusion series."""

from dataclasses import dataclass

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.perfusion import acquisition, relaxation
from glioma_idh.imaging.perfusion.acquisition import Times
from glioma_idh.imaging.perfusion.blood_volume import (
    INTEGRALS,
    BloodVolume,
    blood_volume,
    check_white_matter,
    scale_to_white_matter,
)
from glioma_idh.imaging.perfusion.bolus import find_baseline, find_first_pass
from glioma_idh.imaging.perfusion.relaxation import FIT_S, fit_leakage, reference_voxels


@dataclass(frozen=True)
class Perfusion:
    """Maps of a perfusion series, shape (i, j, k), float32; 0 outside the brain and where the signal is noise.

    `curves` are mean dR2* curves, shape (t,), 1/s, named `reference`, `white` and, with a lesion mask, `lesion`; the
    leakage-corrected curves of the last two are named `white, corrected` and `lesion, corrected`.
    """

    rcbv: np.ndarray  # leakage-corrected relative blood volume, normal white matter = 1
    rcbv_uncorrected: np.ndarray  # without leakage correction
    k1: np.ndarray  # K1 of the leakage correction
    k2: np.ndarray  # K2, 1/s: positive if T1 shortening by leakage prevails, negative if T2* shortening does
    peak_height: np.ndarray  # highest dR2* of the first pass, 1/s
    percent_signal_recovery: np.ndarray  # percent
    baseline: tuple[int, int]  # volumes (start, stop)
    first_pass: tuple[int, int]  # volumes (start, stop)
    time_s: np.ndarray  # of the volumes, shape (t,)
    curves: dict[str, np.ndarray]
    method: str  # description of the method
    dark_volumes: tuple[int, ...] = ()  # dark or empty volumes that were interpolated, from 0
    without_fit: float = 0.0  # share of voxels of `rcbv` without a gamma-variate fit, if requested


def make_rcbv(
    series: list[np.ndarray],
    times: Times,
    brain: np.ndarray,
    white: np.ndarray,
    lesion: np.ndarray | None = None,
    integral: str = "first-pass",
) -> Perfusion:
    """Compute relative blood volume and related maps of a perfusion series.

    Args:
        series: one or two echoes, each of shape (i, j, k, t).
        times: echo times and repetition time.
        brain: mask, shape (i, j, k).
        white: mask of normal white matter, as from `normal_white_matter`.
        lesion: mask that is excluded from the reference of the leakage correction, if given.
        integral: one of INTEGRALS.

    Raises:
        InputError: times are missing or not in seconds; series are too short or do not match; too many dark volumes;
            no bolus or no baseline; too much noise; white matter is empty or overlaps the lesion.
    """
    if integral not in INTEGRALS:
        raise InputError(f"one of the integrals {', '.join(INTEGRALS)}", f"'{integral}'", "Choose one of these.")
    acquisition.check_times(len(series), times)
    echo_times_s, step_s = times
    brain, white = np.asarray(brain, bool), np.asarray(white, bool)
    lesion = np.zeros(brain.shape, bool) if lesion is None else np.asarray(lesion, bool)
    acquisition.check_series(series, {"brain": brain, "white matter": white, "lesion": lesion})
    check_white_matter(white, brain, lesion)
    signals = acquisition.brain_signals(series, brain)
    dark = acquisition.find_dark(signals)
    signals = [acquisition.fill_dark(signal, dark) for signal in signals]
    baseline = find_baseline(signals[-1].mean(axis=0, dtype=float))
    clear = relaxation.above_noise(signals, baseline)
    seen = _spread(clear, brain) > 0
    signals = [signal[clear] for signal in signals]
    change = relaxation.relaxation_change(signals, echo_times_s, baseline)
    regions = {"white": white[seen], "lesion": lesion[seen]}
    regions["reference"] = reference_voxels(signals[-1], baseline, regions["lesion"])
    mean = change[regions["reference"]].mean(axis=0, dtype=float).astype(np.float32)
    first_pass = find_first_pass(mean, baseline[1], step_s)
    acquisition.check_bolus(dark, first_pass)
    leakage = fit_leakage(change, mean, first_pass[0], step_s)
    corrected = change + leakage.k2[:, None] * leakage.integral
    volumes = [blood_volume(curves, first_pass, step_s, integral) for curves in (corrected, change)]
    rcbv, rcbv_uncorrected = (scale_to_white_matter(volume.values, regions["white"]) for volume in volumes)
    peak_height = relaxation.peak_height(change, first_pass)
    recovery = relaxation.percent_signal_recovery(signals[-1], baseline, first_pass, step_s)
    maps = rcbv, rcbv_uncorrected, leakage.k1, leakage.k2, peak_height, recovery
    curves = {name: change[inside].mean(axis=0, dtype=float) for name, inside in regions.items() if inside.any()}
    for name in [name for name in curves if name != "reference"]:
        curves[f"{name}, corrected"] = corrected[regions[name]].mean(axis=0, dtype=float)
    filled = f"; dark or empty volumes interpolated: {', '.join(map(str, dark))}" if len(dark) else ""
    return Perfusion(
        *(_spread(values, seen) for values in maps),
        baseline=baseline,
        first_pass=first_pass,
        time_s=step_s * np.arange(change.shape[1]),
        curves=curves,
        method=_in_words(times, baseline, first_pass, INTEGRALS[integral], volumes) + filled,
        dark_volumes=tuple(dark.tolist()),
        without_fit=volumes[0].without_fit,
    )


def _spread(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return a map (i, j, k), float32, with values (voxel,) in a mask and 0 elsewhere."""
    image = np.zeros(mask.shape, np.float32)
    image[mask] = values
    return image


def _in_words(
    times: Times, baseline: tuple[int, int], first_pass: tuple[int, int], area: str, volumes: list[BloodVolume]
) -> str:
    """Describe the method, for the patient's record."""
    echo_times_s, step_s = times
    times_ms = " and ".join(f"{1000 * echo_time_s:g}" for echo_time_s in echo_times_s)
    echoes = "one echo" if len(echo_times_s) == 1 else "two echoes (T1 effects cancel)"
    words = (
        f"dR2* from {echoes} at {times_ms} ms, one volume per {step_s:g} s; baseline: volumes {baseline[0]} to "
        f"{baseline[1] - 1}, first pass: {first_pass[0]} to {first_pass[1] - 1} (counted from 0); leakage correction "
        f"after Boxerman, Schmainda and Weisskoff 2006, fitted over {FIT_S:g} s from the arrival; area: {area}; "
        "normalised to the median of normal white matter"
    )
    if not any(volume.without_fit for volume in volumes):
        return words
    shares = [f"{100 * volume.without_fit:.1f} %" for volume in volumes]
    scales = ["1" if np.isnan(volume.scale) else f"{volume.scale:.2f}" for volume in volumes]
    words += f"; no gamma-variate fit in {shares[0]} of the voxels ({shares[1]} without leakage correction):"
    return f"{words} there trapezoids, multiplied by {scales[0]} ({scales[1]}), the ratio of the areas in other voxels"
