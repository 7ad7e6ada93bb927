"""Relative blood volume of a perfusion series, and what comes with it."""

from dataclasses import dataclass

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.perfusion import acquisition, relaxation
from glioma_idh.imaging.perfusion.acquisition import Times
from glioma_idh.imaging.perfusion.blood_volume import INTEGRALS, blood_volume, check_white_matter, scale_to_white_matter
from glioma_idh.imaging.perfusion.bolus import find_baseline, find_first_pass
from glioma_idh.imaging.perfusion.relaxation import FIT_S, fit_leakage, reference_voxels


@dataclass(frozen=True)
class Perfusion:
    """Maps of a perfusion series, shape (i, j, k), float32, 0 outside the brain and where the signal is noise.

    The mean curves of dR2*, each (t,), 1/s, are of `reference` and `white`, and of `lesion` where one is given; the
    last two also with `, corrected` behind the name.
    """

    rcbv: np.ndarray  # relative blood volume with leakage correction, normal white matter = 1
    rcbv_uncorrected: np.ndarray  # the same without it
    k1: np.ndarray  # of the leakage correction
    k2: np.ndarray  # likewise, 1/s: positive where leakage shortens T1, negative where T2*
    peak_height: np.ndarray  # greatest dR2* of the first pass, 1/s
    percent_signal_recovery: np.ndarray  # percent
    baseline: tuple[int, int]  # volumes (start, stop)
    first_pass: tuple[int, int]  # likewise
    time_s: np.ndarray  # of the volumes, shape (t,)
    curves: dict[str, np.ndarray]
    method: str  # how it was done, in words
    dark_volumes: tuple[int, ...] = ()  # those that were dark or empty and were filled from their neighbours, from 0
    without_fit: float = 0.0  # share of the voxels of `rcbv` that no gamma-variate curve fits, where one is wanted


def make_rcbv(
    series: list[np.ndarray], times: Times, brain: np.ndarray, white: np.ndarray, lesion=None, integral="first-pass"
) -> Perfusion:
    """Relative blood volume of a perfusion series, and what comes with it.

    Of one or two echoes, each (i, j, k, t), and masks (i, j, k): of white matter as from `normal_white_matter`; the
    lesion, if given, is kept out of the reference of the leakage correction. The integral is one of INTEGRALS.

    InputError for times that are missing or not in seconds, series that are too short or do not fit together, dark
    volumes that cannot be filled, no bolus, no baseline, more noise than signal, white matter empty or in the lesion.
    """
    if integral not in INTEGRALS:
        raise InputError(f"an integral out of {', '.join(INTEGRALS)}", f"'{integral}'", "Name one of these.")
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
    filled = f"; dark or empty volumes filled from their neighbours: {', '.join(map(str, dark))}" if len(dark) else ""
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
    """Values (voxel,) of the voxels of a mask as a map (i, j, k), float32, 0 elsewhere."""
    image = np.zeros(mask.shape, np.float32)
    image[mask] = values
    return image


def _in_words(times: Times, baseline, first_pass, area: str, volumes: list) -> str:
    """How the maps were made, for the record of a patient; where no curve fits, of the corrected and the other map."""
    echo_times_s, step_s = times
    times_ms = " and ".join(f"{1000 * echo_time_s:g}" for echo_time_s in echo_times_s)
    echoes = "one echo" if len(echo_times_s) == 1 else "two echoes (T1 effects cancel)"
    words = (
        f"dR2* from {echoes} at {times_ms} ms, a volume every {step_s:g} s; baseline volumes {baseline[0]} to "
        f"{baseline[1] - 1}, first pass {first_pass[0]} to {first_pass[1] - 1} (from 0); leakage corrected after "
        f"Boxerman, Schmainda and Weisskoff 2006, fitted over {FIT_S:g} s from the arrival; area: {area}; median of "
        "normal white matter = 1"
    )
    if not any(volume.without_fit for volume in volumes):
        return words
    shares = [f"{100 * volume.without_fit:.1f} %" for volume in volumes]
    scales = ["1" if np.isnan(volume.scale) else f"{volume.scale:.2f}" for volume in volumes]
    words += f"; no gamma-variate curve fits in {shares[0]} of the voxels ({shares[1]} without leakage correction):"
    return (
        f"{words} there trapezoids times {scales[0]} ({scales[1]}), the ratio of both in the mean curve of the others"
    )
