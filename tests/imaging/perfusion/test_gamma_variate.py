"""Gamma-variate curves, whose integral is known."""

from math import gamma

import numpy as np
import pytest

from glioma_idh.imaging.perfusion.blood_volume import area, blood_volume, gamma_variate_integral

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
    trapezoids = blood_volume(change[:1] + second, (ARRIVAL, ARRIVAL + 20), STEP_S, "first-pass").values
    assert abs(integral[0] / truth[0] - 1) < 0.02 < trapezoids[0] / truth[0] - 1


WINDOW = (ARRIVAL, ARRIVAL + 16)
SHORT = (ARRIVAL, ARRIVAL + 8)


def test_what_does_not_rise_and_fall_is_left_to_trapezoids_on_the_scale_of_the_others():
    """Which is the ratio of both in the mean curve of those that fit; and the share is counted."""
    fitting = np.stack([curves()[0][0], curves()[0][1], 3 * curves()[0][1]])
    change = np.stack([np.zeros(POINTS), np.full(POINTS, -2.0), np.where(TIME_S > 0, TIME_S, 0), *fitting])
    integral, fits = gamma_variate_integral(change, SHORT, STEP_S)
    assert fits.tolist() == [False, False, False, True, True, True]
    made, mean = blood_volume(change, SHORT, STEP_S, "gamma-variate"), fitting.mean(axis=0, keepdims=True)
    scale = gamma_variate_integral(mean, SHORT, STEP_S)[0][0] / area(mean, SHORT, STEP_S)[0]
    assert 1.05 < scale < 1.5 and made.scale == pytest.approx(scale, rel=1e-6)
    assert made.values[:2] == pytest.approx([0, -2.0 * 7 * STEP_S * scale], rel=1e-6)
    assert np.array_equal(made.values[3:], integral[3:]) and made.without_fit == pytest.approx(0.5)


def test_where_nothing_is_fitted_or_everything_fits_nothing_is_scaled():
    change = curves()[0]
    made = blood_volume(change, WINDOW, STEP_S, "gamma-variate")
    assert (made.without_fit, made.scale) == (0, 1)
    for integral in ("first-pass", "whole-curve"):
        made = blood_volume(change, WINDOW, STEP_S, integral)
        assert (made.without_fit, made.scale) == (0, 1)
    assert made.values == pytest.approx(area(change, (ARRIVAL, POINTS), STEP_S))
    made = blood_volume(-change, WINDOW, STEP_S, "gamma-variate")
    assert made.without_fit == 1 and np.isnan(made.scale)
    assert made.values == pytest.approx(area(-change, WINDOW, STEP_S))


@pytest.mark.parametrize(("snr", "most_fallbacks", "most_error"), [(3, 0.03, 0.1), (5, 0.002, 0.02), (10, 0, 0.01)])
def test_noise_leaves_one_scale(snr, most_fallbacks, most_error):
    """The mean of the fits, and of the trapezoids beside them, at peaks of so many times the noise."""
    change, truth = curves()
    for curve, whole in zip(change, truth, strict=True):
        noisy = curve + np.random.default_rng(0).normal(0, 12 / snr, (8000, POINTS))
        _, fits = gamma_variate_integral(noisy, WINDOW, STEP_S)
        made = blood_volume(noisy, WINDOW, STEP_S, "gamma-variate")
        assert 1 - fits.mean() == pytest.approx(made.without_fit) and made.without_fit <= most_fallbacks
        assert made.values[fits].mean() / whole == pytest.approx(1, abs=most_error)
        if (~fits).sum() > 50:
            assert made.values[~fits].mean() / whole == pytest.approx(1, abs=0.1)


def test_the_fit_is_least_squares_of_the_curve_from_a_tenth_of_its_peak_on():
    from scipy.optimize import least_squares

    rng = np.random.default_rng(0)
    curve = curves()[0][0] * rng.uniform(0.9, 1.1, POINTS)
    curve[ARRIVAL + 14 : ARRIVAL + 16] = 0.99, -3  # of a peak of about 12: no part of it
    time_s, values = (array[ARRIVAL + 1 : ARRIVAL + 16] for array in (TIME_S, curve))

    def fitted(unknowns):
        log_height, power, rate = unknowns
        return np.exp(log_height + power * np.log(time_s) - rate * time_s)

    used = curves()[0][0][ARRIVAL + 1 : ARRIVAL + 16] > 0.1 * 12
    log_height, power, rate = least_squares(lambda x: (fitted(x) - values)[used], (1.5, 3, 1 / 1.5)).x
    expected = np.exp(log_height) * rate ** -(power + 1) * gamma(power + 1)
    found, fits = gamma_variate_integral(curve[None], WINDOW, STEP_S)
    assert fits.all() and found[0] == pytest.approx(expected, rel=1e-3)
    assert used.sum() < 13 and (values[used] < 0.5 * values.max()).any()


def test_curves_of_nothing_but_noise_are_no_error():
    noise = np.random.default_rng(0).normal(0, 1, (4000, POINTS)) * np.logspace(-6, 6, 4000)[:, None]
    integral, fits = gamma_variate_integral(noise, WINDOW, STEP_S)
    assert np.isfinite(integral).all() and 0 < fits.mean() < 1 and not integral[~fits].any()


def test_a_curve_of_which_too_little_is_seen_has_no_fit():
    """Of t exp(-t / 20 s), 400 in all, 24 s show a third; and three points fix no curve."""
    slow = TIME_S * np.exp(-TIME_S / 20)
    short = np.where(np.isin(np.arange(POINTS), [ARRIVAL + 1, ARRIVAL + 2, ARRIVAL + 3]), curves()[0][0], -1)
    _, fits = gamma_variate_integral(np.stack([slow, short]), (ARRIVAL, ARRIVAL + 16), STEP_S)
    assert fits.tolist() == [False, False]
