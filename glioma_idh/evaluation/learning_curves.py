"""Learning curves in three numbers: f(x) = a exp(-b x) + c, as the slice CNN's paper fits its test curves."""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.optimize import OptimizeWarning, curve_fit

MIN_POINTS = 5
LARGEST_RELATIVE_ERROR = 0.5


@dataclass(frozen=True)
class ExponentialFit:
    """f(x) = a exp(-b x) + c; call it with epochs. All three are NaN when the curve does not determine them."""

    a: float  # how far the curve lies from its final level at x = 0; negative when it rises
    b: float  # rate, per epoch, never negative
    c: float  # final level

    def __call__(self, epochs) -> np.ndarray:
        """The curve's values at these epochs, same shape."""
        return self.a * np.exp(-self.b * np.asarray(epochs, float)) + self.c

    @property
    def fitted(self) -> bool:
        """Whether there are numbers to print."""
        return bool(np.isfinite([self.a, self.b, self.c]).all())


NO_FIT = ExponentialFit(np.nan, np.nan, np.nan)


def fit_exponential(epochs, values) -> ExponentialFit:
    """Fit a exp(-b x) + c to a loss or accuracy that falls or rises, and levels off; shape (n,) both.

    Points that are not finite are left out. By least squares; a = b = 0 for a constant curve. NaN in all three where
    there is no honest answer: fewer than five points, a curve that does not level off or does so between two epochs (b
    on its bound), or a or b with a standard error above half its value.
    """
    epochs, values = np.asarray(epochs, float), np.asarray(values, float)
    if epochs.ndim != 1 or epochs.shape != values.shape:
        raise ValueError(f"expected one value an epoch; found epochs {epochs.shape} and values {values.shape}")
    known = np.isfinite(epochs) & np.isfinite(values)
    epochs, values = epochs[known], values[known]
    if len(np.unique(epochs)) < MIN_POINTS:
        return NO_FIT
    if np.ptp(values) <= 1e-9 * np.abs(values).max():
        return ExponentialFit(0.0, 0.0, float(values.mean()))
    # Both axes are shifted and scaled to 0 to 1, so that a, b and c are all of order one.
    first, span, low, height = epochs.min(), np.ptp(epochs), values.min(), np.ptp(values)
    x, y = (epochs - first) / span, (values - low) / height
    slowest, fastest = 0.1, 5 * span / np.diff(np.unique(epochs)).min()
    starts = []
    for b in np.geomspace(1.1 * slowest, 0.9 * fastest, 60):  # once b is given, a and c are a straight-line fit
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
