"""Gamma-variate curves, whose integral is known."""

from math import gamma

import numpy as np
import pytest

from glioma_idh.imaging.perfusion.blood_volume import blood_volume
from glioma_idh.imaging.perfusion.gamma_variate import gamma_variate_integral

STEP_S, ARRIVAL, POINTS = 1.5, 10, 50
TIME_S = np.clip(STEP_S * (np.arange(POINTS) - ARRIVAL), 0, None)
SHAPES = [(3.0, 1.5), (2.0, 3.0), (4.0, 1.2)]


def curves():
    """Curves t^a exp(-t / b) that reach 12, and their integrals b^(a + 1) Gamma(a + 1), in scale."""
    plain = np.stack([TIME_S**a * np.exp(-TIME_S / b) for a, b in SHAPES])
    height = 12 / np.array([(a * b) ** a * np.exp(-a) for a, b in SHAPES])
    return plain * height[:, None], height * [b ** (a + 1) * gamma(a + 1) for a, b in SHAPES]


def test_integral_of_pure_curves():
    change, truth = curves()
    integral, fits = gamma_variate_integral(change.astype(np.float32), (ARRIVAL, ARRIVAL + 16), STEP_S)
    assert fits.all()
    assert integral == pytest.approx(truth, rel=1e-3)


def test_integral_amid_noise_is_right_on_average():
    change, truth = curves()
    noisy = change[:, None] + np.random.default_rng(0).normal(0, 0.5, (3, 2000, POINTS))
    integral, fits = gamma_variate_integral(noisy.reshape(6000, -1), (ARRIVAL, ARRIVAL + 16), STEP_S)
    assert fits.mean() > 0.99
    assert np.median(integral.reshape(3, -1), axis=1) == pytest.approx(truth, rel=0.03)


def test_a_second_pass_within_the_window_is_cut_off():
    change, truth = curves()
    second = 0.3 * np.where(TIME_S > 18, 3.0, 0)
    integral, _ = gamma_variate_integral(change[:1] + second, (ARRIVAL, ARRIVAL + 20), STEP_S)
    trapezoids = blood_volume(change[:1] + second, (ARRIVAL, ARRIVAL + 20), STEP_S, "first-pass")
    assert abs(integral[0] / truth[0] - 1) < 0.02 < trapezoids[0] / truth[0] - 1


def test_what_does_not_rise_and_fall_is_left_to_trapezoids():
    change = np.stack([np.zeros(POINTS), np.full(POINTS, -2.0), np.where(TIME_S > 0, TIME_S, 0), curves()[0][0]])
    _, fits = gamma_variate_integral(change, (ARRIVAL, ARRIVAL + 16), STEP_S)
    assert fits.tolist() == [False, False, False, True]
    areas = blood_volume(change, (ARRIVAL, ARRIVAL + 16), STEP_S, "gamma-variate")
    assert areas[:2].tolist() == pytest.approx([0, -2.0 * 15 * STEP_S])


def test_the_fit_is_least_squares_of_the_logarithm_weighted_by_the_square_of_the_curve():
    """Points under a tenth of the peak take no part, whatever they are."""
    rng = np.random.default_rng(0)
    curve = curves()[0][0] * rng.uniform(0.8, 1.2, POINTS)
    curve[ARRIVAL + 14 : ARRIVAL + 16] = 0.99, -3  # of a peak of about 12
    window = slice(ARRIVAL + 1, ARRIVAL + 16)
    time_s, values = TIME_S[window], curve[window]
    used = values > 0.1 * values.max()
    terms = np.stack([np.ones_like(time_s), np.log(time_s), -time_s], axis=1)[used] * values[used, None]
    (log_height, power, rate), *_ = np.linalg.lstsq(terms, values[used] * np.log(values[used]))
    expected = np.exp(log_height) * rate ** -(power + 1) * gamma(power + 1)
    found, fits = gamma_variate_integral(curve[None], (ARRIVAL, ARRIVAL + 16), STEP_S)
    assert fits.all() and found[0] == pytest.approx(expected, rel=1e-4)
    assert used.sum() < 13 and (values[used] < 0.5 * values.max()).any()


def test_a_curve_of_which_too_little_is_seen_has_no_fit():
    """Of t exp(-t / 20 s), 400 in all, 24 s show a third; and three points fix no curve."""
    slow = TIME_S * np.exp(-TIME_S / 20)
    short = np.where(np.isin(np.arange(POINTS), [ARRIVAL + 1, ARRIVAL + 2, ARRIVAL + 3]), curves()[0][0], -1)
    _, fits = gamma_variate_integral(np.stack([slow, short]), (ARRIVAL, ARRIVAL + 16), STEP_S)
    assert fits.tolist() == [False, False]
