"""Fit f(x) = a exp(-b x) + c to learning curves, as in the paper of the slice CNN."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import OptimizeWarning, curve_fit

MIN_POINTS = 5
LARGEST_RELATIVE_ERROR = 0.5


@dataclass(frozen=True)
class ExponentialFit:
    """The function f(x) = a exp(-b x) + c of the epoch. All parameters are NaN if they cannot be determined."""

    a: float  # difference from the final level at x = 0; negative for a rising curve
    b: float  # rate per epoch, never negative
    c: float  # final level

    def __call__(self, epochs: ArrayLike) -> np.ndarray:
        """Return the values at these epochs, same shape."""
        return self.a * np.exp(-self.b * np.asarray(epochs, float)) + self.c

    @property
    def fitted(self) -> bool:
        """Whether the parameters could be determined."""
        return bool(np.isfinite([self.a, self.b, self.c]).all())


NO_FIT = ExponentialFit(np.nan, np.nan, np.nan)


def fit_exponential(epochs: ArrayLike, values: ArrayLike) -> ExponentialFit:
    """Fit a exp(-b x) + c to a loss or accuracy curve by least squares. Values that are not finite are ignored.

    Args:
        epochs: shape (n,).
        values: shape (n,).

    Returns:
        The fit; a = b = 0 for a constant curve. All parameters are NaN for fewer than five points, for a curve that
        does not level off or levels off between two epochs (b at its bound), and if the standard error of a or b is
        above half its value.
    """
    all_x, all_y = np.asarray(epochs, float), np.asarray(values, float)
    if all_x.ndim != 1 or all_x.shape != all_y.shape:
        raise ValueError(f"expected one value per epoch; found epochs {all_x.shape} and values {all_y.shape}")
    known = np.isfinite(all_x) & np.isfinite(all_y)
    x, y = all_x[known], all_y[known]
    if len(np.unique(x)) < MIN_POINTS:
        return NO_FIT
    if np.ptp(y) <= 1e-9 * np.abs(y).max():
        return ExponentialFit(0.0, 0.0, float(y.mean()))
    # Both axes are scaled to the range 0 to 1, so that a, b and c have similar magnitudes.
    first, span, low, height = x.min(), np.ptp(x), y.min(), np.ptp(y)
    slowest, fastest = 0.1, 5 * span / np.diff(np.unique(x)).min()
    x, y = (x - first) / span, (y - low) / height
    starts = []
    for b in np.geomspace(1.1 * slowest, 0.9 * fastest, 60):  # for a given b, a and c are a linear fit
        design = np.column_stack([np.exp(-b * x), np.ones_like(x)])
        (a, c), *_ = np.linalg.lstsq(design, y, rcond=None)
        starts.append((np.square(design @ (a, c) - y).sum(), (a, b, c)))
    bounds = ([-np.inf, slowest, -np.inf], [np.inf, fastest, np.inf])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", OptimizeWarning)
            (a, b, c), covariance = curve_fit(
                lambda x, *abc: ExponentialFit(*abc)(x), x, y, p0=min(starts)[1], bounds=bounds
            )
    except (RuntimeError, OptimizeWarning):
        return NO_FIT
    error_a, error_b, _ = np.sqrt(np.diag(covariance))
    sure = error_a <= LARGEST_RELATIVE_ERROR * abs(a) and error_b <= LARGEST_RELATIVE_ERROR * b
    if b < 1.01 * slowest or b > 0.99 * fastest or not sure:
        return NO_FIT
    return ExponentialFit(float(height * a * np.exp(b * first / span)), float(b / span), float(height * c + low))
