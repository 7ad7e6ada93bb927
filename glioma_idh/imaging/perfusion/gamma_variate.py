"""The gamma-variate curve through the first pass, whose integral knows no second one."""

import numpy as np
from scipy.special import gammaln

LOWEST_SHARE = 0.1
"""Points below this share of a curve's peak are left out: mostly noise in their logarithm, and then the second pass."""

NUM_STEPS = 6
"""Of the fit to the curve itself; six more change the mean integral by 0.5 % at a peak three times the noise."""

LARGEST_STEP = 1.0
"""By how much the logarithm of the curve may change in one of them."""


def gamma_variate_integral(change: np.ndarray, window: tuple[int, int], step_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Integral of the gamma-variate curve that fits each voxel's first pass.

    c(t) = A t^a exp(-t / b) from the arrival on (Thompson et al. 1964, Circ Res 14:502), with the integral
    A b^(a + 1) Gamma(a + 1). Its logarithm ln A + a ln t - t / b is linear in the three unknowns and gives the start:
    least squares weighted with c(t)^2, because that is what the logarithm divides the variance of the noise by. From
    there Gauss-Newton steps lead to the least squares of the curve itself. The start alone would be wrong amid noise:
    its weights and its choice of points share the noise of what they weigh, and the integral comes out 50 % too large
    at a peak three times the noise, which blood volume in units of white matter, where the peak is low, would inherit.

    Args:
        change: of relaxation, shape (voxel, t), 1/s.
        window: volumes (start, stop) of the first pass; time runs from `start`.
        step_s: from one volume to the next, s.

    Returns:
        The integrals, shape (voxel,), float32; and where there is one, bool: a curve that does not rise and fall has
        none.
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
    """ln A, a and 1 / b of each curve, shape (voxel, 3).

    Args:
        curves: relative to their peaks, shape (voxel, t).
        used: the points of the start, shape (voxel, t), bool.
        terms: of the logarithm, shape (3, t).
    """
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
    """Weighted least squares of each voxel's target, shape (voxel, 3); nearly 0 along what the points do not fix."""
    products = (terms[:, None] * terms[None]).reshape(9, -1)
    normal = (weights @ products.T).reshape(-1, 3, 3)
    normal += 1e-12 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(3)
    return np.linalg.solve(normal, ((weights * target) @ terms.T)[..., None])[..., 0]
