"""Leakage correction after Boxerman, Schmainda and Weisskoff 2006, AJNR Am J Neuroradiol 27:859.

Where the blood-brain barrier is open, contrast medium in the tissue shortens T1 (the curve comes out too low) and T2*
(too high). The measured curve is taken for a multiple of the mean curve of tissue that does not leak, less what has
leaked, which grows with the running integral of that mean:

    dR2*(t) = K1 mean(t) - K2 integral of mean from the arrival to t

so that K2 is positive where T1 wins and negative where T2* does. Adding K2 times the running integral gives the curve
without leakage.

Its limits: contrast medium that flows back, a T1 effect so strong that it saturates, and a mean transit time other than
the reference's, which is taken for leakage (6 s instead of 4 s lowers the blood volume by a tenth).
"""

from typing import NamedTuple

import numpy as np
from scipy.integrate import cumulative_trapezoid

from glioma_idh.errors import InputError

LATE_POINTS = 10
MIN_REFERENCE_SHARE = 0.02
FIT_S = 60.0


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
