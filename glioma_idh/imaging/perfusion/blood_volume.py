"""Relative blood volume: the area under the curve of each voxel, without an artery."""

from dataclasses import dataclass

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.perfusion.gamma_variate import gamma_variate_integral

INTEGRALS = {
    "first-pass": "trapezoids over the first pass",
    "whole-curve": "trapezoids from the arrival to the end",
    "gamma-variate": "of the gamma-variate curve fitted to the first pass",
}


@dataclass(frozen=True)
class BloodVolume:
    """The area under each curve, all on one scale.

    Attributes:
        values: shape (voxel,), no unit, float32.
        without_fit: share of the voxels through whose first pass no gamma-variate curve goes; 0 for other integrals.
        scale: what their trapezoids were multiplied with; NaN where no voxel has a fit, and all are trapezoids.
    """

    values: np.ndarray
    without_fit: float = 0.0
    scale: float = 1.0


def check_integral(integral: str) -> None:
    """One of INTEGRALS.

    Raises:
        InputError: it is another.
    """
    if integral not in INTEGRALS:
        raise InputError(f"an integral out of {', '.join(INTEGRALS)}", f"'{integral}'", "Name one of these.")


def area(change: np.ndarray, window: tuple[int, int], step_s: float) -> np.ndarray:
    """Trapezoid integral of curves (..., t) over the volumes (start, stop) of a window."""
    return np.trapezoid(change[..., slice(*window)], dx=step_s, axis=-1)


def blood_volume(change: np.ndarray, first_pass: tuple[int, int], step_s: float, integral: str) -> BloodVolume:
    """Area under each curve, proportional to the blood volume (Rosen et al. 1990, Magn Reson Med 14:249).

    Where no gamma-variate curve fits, the trapezoids stand in for it. They miss its tail, and count 5 to 15 % too
    little beside it; so they are scaled by what the tail is of the mean curve of the voxels that have a fit.

    Args:
        change: of relaxation, shape (voxel, t), 1/s.
        first_pass: volumes (start, stop).
        step_s: from one volume to the next, s.
        integral: one of INTEGRALS.
    """
    if integral == "whole-curve":
        return BloodVolume(area(change, (first_pass[0], change.shape[1]), step_s))
    areas = area(change, first_pass, step_s)
    if integral == "first-pass":
        return BloodVolume(areas)
    fitted, fits = gamma_variate_integral(change, first_pass, step_s)
    if fits.all():
        return BloodVolume(fitted)
    if not fits.any():
        return BloodVolume(areas, 1.0, np.nan)
    mean = change[fits].mean(axis=0, keepdims=True, dtype=float)
    (whole,), (fits_mean,) = gamma_variate_integral(mean, first_pass, step_s)
    scale = whole / area(mean, first_pass, step_s)[0] if fits_mean else np.median(fitted[fits] / areas[fits])
    return BloodVolume(np.where(fits, fitted, np.float32(scale) * areas), float(1 - fits.mean()), float(scale))
