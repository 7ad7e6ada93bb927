"""The gamma-variate curve through the first pass, whose integral knows no second one."""

import numpy as np

LOWEST_SHARE = 0.1
"""Points below this share of a voxel's peak are left out: their logarithm is mostly noise."""


def gamma_variate_integral(change: np.ndarray, window: tuple[int, int], step_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Integral of the gamma-variate curve that fits each voxel's first pass.

    c(t) = A t^a exp(-t / b) from the arrival on (Thompson et al. 1964, Circ Res 14:502), with the integral
    A b^(a + 1) Gamma(a + 1). Its logarithm ln A + a ln t - t / b is linear in the three unknowns; the squares are
    weighted with c(t)^2, because that is what the logarithm divides the variance of the noise by.

    Args:
        change: of relaxation, shape (voxel, t), 1/s.
        window: volumes (start, stop) of the first pass; time runs from `start`.
        step_s: from one volume to the next, s.

    Returns:
        The integrals, shape (voxel,), float32; and where there is one, bool: a curve that does not rise and fall has
        none.
    """
    from scipy.special import gammaln

    curves = change[:, window[0] + 1 : window[1]].astype(np.float64)
    time_s = step_s * np.arange(1, curves.shape[1] + 1)
    peak = curves.max(axis=1, keepdims=True)
    weights = np.where(curves > LOWEST_SHARE * peak, curves, 0) ** 2
    logs = np.log(np.where(weights > 0, curves, 1))
    terms = np.stack([np.ones_like(time_s), np.log(time_s), -time_s])
    products = (terms[:, None] * terms[None]).reshape(9, -1)
    normal = (weights @ products.T).reshape(-1, 3, 3)
    right = (weights * logs) @ terms.T
    fittable = (peak[:, 0] > 0) & ((weights > 0).sum(axis=1) >= 4)
    normal[~fittable], right[~fittable] = np.eye(3), 0
    log_height, power, rate = np.linalg.solve(normal, right[..., None])[..., 0].T
    fittable &= (power > 0) & (rate > 0)
    power, rate = np.where(fittable, power, 1), np.where(fittable, rate, 1)
    integral = np.exp(np.where(fittable, log_height, 0) - (power + 1) * np.log(rate) + gammaln(power + 1))
    fittable &= integral < 2 * step_s * np.maximum(curves, 0).sum(axis=1)
    return np.where(fittable, integral, 0).astype(np.float32), fittable
