"""Relative blood volume: the area under the curve of each voxel, without an artery."""

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.perfusion.gamma_variate import gamma_variate_integral

INTEGRALS = {
    "first-pass": "trapezoids over the first pass",
    "whole-curve": "trapezoids from the arrival to the end",
    "gamma-variate": "of the gamma-variate curve fitted to the first pass (trapezoids where none fits)",
}


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


def blood_volume(change: np.ndarray, first_pass: tuple[int, int], step_s: float, integral: str) -> np.ndarray:
    """Area under each curve, proportional to the blood volume (Rosen et al. 1990, Magn Reson Med 14:249).

    Args:
        change: of relaxation, shape (voxel, t), 1/s.
        first_pass: volumes (start, stop).
        step_s: from one volume to the next, s.
        integral: one of INTEGRALS.

    Returns:
        Shape (voxel,), no unit, float32.
    """
    if integral == "whole-curve":
        return area(change, (first_pass[0], change.shape[1]), step_s)
    areas = area(change, first_pass, step_s)
    if integral == "first-pass":
        return areas
    fitted, fits = gamma_variate_integral(change, first_pass, step_s)
    return np.where(fits, fitted, areas)
