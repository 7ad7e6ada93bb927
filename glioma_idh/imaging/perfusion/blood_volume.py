"""Relative blood volume: the area under the dR2* curve of each voxel, relative to normal white matter.

No arterial input function is used. The area is that of trapezoids, or of a gamma-variate curve fitted to the first
pass, which excludes recirculation.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage
from scipy.special import gammaln

from glioma_idh.errors import InputError

INTEGRALS = {
    "first-pass": "trapezoids over the first pass",
    "whole-curve": "trapezoids from the arrival to the end",
    "gamma-variate": "gamma-variate curve fitted to the first pass",
}
LOWEST_SHARE = 0.1  # of a curve's peak; points below are excluded: mostly noise or the second pass
NUM_STEPS = 6  # of the fit; six more change the mean integral by 0.5 % at a peak of three times the noise
LARGEST_STEP = 1.0  # largest change of the logarithm of the curve per step
WHITE_SHARE = 0.9
LESION_MARGIN_MM = 5.0
CLEAR_SHARE = 0.05
MIN_ERODED_ML = 5.0


class BloodVolume(NamedTuple):
    """The area under the curve of each voxel."""

    values: np.ndarray  # shape (voxel,), no unit, float32
    without_fit: float = 0.0  # share of voxels without a gamma-variate fit; 0 for other integrals
    scale: float = 1.0  # factor applied to the trapezoids of these voxels; NaN if no voxel has a fit


def area(change: np.ndarray, window: tuple[int, int], step_s: float) -> np.ndarray:
    """Integrate curves (..., t) with trapezoids over a window of volumes (start, stop)."""
    return np.trapezoid(change[..., slice(*window)], dx=step_s, axis=-1)


def blood_volume(change: np.ndarray, first_pass: tuple[int, int], step_s: float, integral: str) -> BloodVolume:
    """Integrate dR2* curves; the area is proportional to the blood volume (Rosen et al. 1990, Magn Reson Med 14:249).

    Voxels without a gamma-variate fit use trapezoids instead. Those miss the tail of the curve (5 to 15 % of the area)
    and are scaled by the ratio of the two areas of the mean curve of the voxels with a fit.

    Args:
        change: dR2*, shape (voxel, t), 1/s.
        first_pass: volumes (start, stop).
        step_s: time between volumes.
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


def gamma_variate_integral(change: np.ndarray, window: tuple[int, int], step_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Fit a gamma-variate curve to the first pass of each voxel, and integrate it.

    The curve is c(t) = A t^a exp(-t / b) from the arrival on (Thompson et al. 1964, Circ Res 14:502), with the integral
    A b^(a + 1) Gamma(a + 1). Its logarithm ln A + a ln t - t / b is linear in the three unknowns; least squares with
    weights c(t)^2 (the logarithm divides the variance of the noise by c^2) give the initial values. Gauss-Newton steps
    then minimise the squared error of the curve itself. Without them, the weights and the selection of points would
    have the same noise as the data: at a peak of three times the noise the integral would be 50 % too large, and so
    would the blood volume of white matter, to which all others are normalised.

    Args:
        change: dR2*, shape (voxel, t), 1/s.
        window: volumes (start, stop) of the first pass.
        step_s: time between volumes.

    Returns:
        The integrals, shape (voxel,), float32, and a mask of the voxels with a fit; a curve must rise and fall.
    """
    curves = change[:, window[0] + 1 : window[1]].astype(np.float64)
    time_s = step_s * np.arange(1, curves.shape[1] + 1)
    peak = curves.max(axis=1, keepdims=True)
    used = curves > LOWEST_SHARE * peak
    fittable = (peak[:, 0] > 0) & (used.sum(axis=1) >= 4)
    relative = np.where(fittable[:, None], curves / np.where(peak > 0, peak, 1), 1)
    terms = np.stack([np.ones_like(time_s), np.log(time_s), -time_s])
    unknowns = _fit(relative, np.where(fittable[:, None], used, True), terms)
    fittable &= (unknowns[:, 1:] > 0).all(axis=1)
    log_height, power, rate = np.where(fittable[:, None], unknowns, 1).T
    integral = peak[:, 0] * np.exp(log_height - (power + 1) * np.log(rate) + gammaln(power + 1))
    fittable &= integral < 2 * step_s * np.maximum(curves, 0).sum(axis=1)
    return np.where(fittable, integral, 0).astype(np.float32), fittable


def _fit(curves: np.ndarray, used: np.ndarray, terms: np.ndarray) -> np.ndarray:
    """Fit ln A, a and 1 / b, (voxel, 3), to curves relative to their peaks; `used` are the points for the start."""
    unknowns = _solve(np.where(used, curves, 0) ** 2, np.log(np.where(used, curves, 1)), terms)
    for _ in range(NUM_STEPS):
        logs = np.clip(unknowns @ terms, -10, 10)
        fitted = np.exp(logs)
        used = fitted > LOWEST_SHARE * fitted.max(axis=1, keepdims=True)
        step = _solve(np.where(used, fitted, 0) ** 2, curves / fitted - 1, terms)
        largest = np.abs(np.where(used, step @ terms, 0)).max(axis=1, keepdims=True)
        unknowns += step * np.minimum(1, LARGEST_STEP / np.maximum(largest, 1e-9))
    return unknowns


def _solve(weights: np.ndarray, target: np.ndarray, terms: np.ndarray) -> np.ndarray:
    """Solve weighted least squares per voxel, shape (voxel, 3), with slight regularisation."""
    products = (terms[:, None] * terms[None]).reshape(9, -1)
    normal = (weights @ products.T).reshape(-1, 3, 3)
    normal += 1e-12 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(3)
    return np.linalg.solve(normal, ((weights * target) @ terms.T)[..., None])[..., 0]


def normal_white_matter(
    white_share: np.ndarray, affine: np.ndarray, lesion: np.ndarray | None = None, mirrored: np.ndarray | None = None
) -> np.ndarray:
    """Select normal-appearing white matter: in the other hemisphere, away from the lesion and its mirror image.

    The white matter of the template is eroded once if at least 5 ml remain; the lesion and its mirror image are removed
    with a margin of 5 mm. If the lesion is in one hemisphere (less than 5 % of it overlaps its mirror image), only the
    other hemisphere is used: the voxels closer to the centre of the mirror image than to that of the lesion.

    Args:
        white_share: share of white matter from the template, 0 to 1, shape (i, j, k).
        affine: of the grid, 4 x 4.
        lesion, mirrored: masks of the lesion and its mirror image, shape (i, j, k), if any.

    Returns:
        The mask, bool.

    Raises:
        InputError: no voxel remains.
    """
    white = white_share > WHITE_SHARE
    eroded = ndimage.binary_erosion(white)
    white = eroded if eroded.sum() * abs(np.linalg.det(affine[:3, :3])) / 1000 >= MIN_ERODED_ML else white
    for mask in (lesion, mirrored):
        if mask is not None and mask.any():
            spacing_mm = np.linalg.norm(affine[:3, :3], axis=0)
            white = white & (ndimage.distance_transform_edt(~mask.astype(bool), spacing_mm) > LESION_MARGIN_MM)
    if lesion is not None and mirrored is not None and lesion.any() and mirrored.any():
        lesion, mirrored = lesion.astype(bool), mirrored.astype(bool)
        if (lesion & mirrored).sum() <= CLEAR_SHARE * lesion.sum():
            here, there = (affine[:3, :3] @ np.argwhere(mask).mean(axis=0) for mask in (lesion, mirrored))
            across = (there - here) @ affine[:3, :3]
            axes = np.meshgrid(*[np.arange(n) for n in lesion.shape], indexing="ij", sparse=True)
            white = white & (sum(across[n] * axes[n] for n in range(3)) > (there - here) @ (here + there) / 2)
    if not white.any():
        advice = "Give a mask of normal white matter, or check the lesion mask and the fit of the template."
        raise InputError("normal white matter away from the lesion and its mirror image", "no voxel", advice)
    return white


def check_white_matter(white: np.ndarray, brain: np.ndarray, lesion: np.ndarray) -> None:
    """Raise InputError unless a mask of normal white matter has voxels in the brain and none in the lesion."""
    if not (white & brain).any():
        found = "an empty mask" if not white.any() else f"{white.sum()} voxels, all outside the brain"
        raise InputError("normal white matter in the brain", found, "Give another white matter mask.")
    if overlap := int((white & lesion).sum()):
        found = f"{overlap} of its {white.sum()} voxels inside the lesion"
        raise InputError("white matter outside the lesion", found, "Draw it in the other hemisphere.")


def scale_to_white_matter(values: np.ndarray, white: np.ndarray) -> np.ndarray:
    """Divide values (voxel,) by their median in normal white matter (voxel,); InputError if that is not positive."""
    unit = np.median(values[white]) if white.any() else 0.0  # vessels and partial volume would raise a mean
    if not unit > 0:
        found = f"a median area under the curve of {unit:.3g} in {white.sum()} voxels"
        advice = "There is no bolus: check the white matter mask and, with two echoes, their order."
        raise InputError("a positive blood volume of normal white matter", found, advice)
    return values / unit
