"""Fits of curves whose a, b and c are known."""

import numpy as np
import pytest

from glioma_idh.evaluation.learning_curves import ExponentialFit, fit_exponential

EPOCHS = np.arange(1, 501)


@pytest.mark.parametrize(
    "a, b, c",
    [(0.9, 0.02, 0.6), (-1.8, 0.008, 2.4), (-0.35, 0.05, 0.85), (40.0, 0.3, 1e-3), (1e-4, 0.01, 5e-4)],
    ids=["falling loss", "rising loss", "rising accuracy", "steep", "small"],
)
def test_clean_curve_gives_its_three_numbers(a, b, c):
    fit = fit_exponential(EPOCHS, a * np.exp(-b * EPOCHS) + c)
    assert (fit.a, fit.b, fit.c) == pytest.approx((a, b, c), rel=1e-3)
    assert fit.fitted


@pytest.mark.parametrize("a, b, c", [(0.9, 0.02, 0.6), (-1.8, 0.008, 2.4)])
def test_noisy_curve_gives_them_within_a_tenth(a, b, c):
    noise = np.random.default_rng(0).normal(0, 0.05, len(EPOCHS))
    fit = fit_exponential(EPOCHS, a * np.exp(-b * EPOCHS) + c + noise)
    assert (fit.a, fit.b, fit.c) == pytest.approx((a, b, c), rel=0.1)


def test_epochs_may_start_late_and_skip():
    epochs = np.arange(50, 400, 7)
    fit = fit_exponential(epochs, 2 * np.exp(-0.01 * epochs) + 1)
    assert (fit.a, fit.b, fit.c) == pytest.approx((2, 0.01, 1), rel=1e-3)


def test_points_that_are_not_finite_are_left_out():
    values = 2 * np.exp(-0.01 * EPOCHS) + 1
    values[[3, 77, 300]] = np.nan, np.inf, -np.inf
    assert fit_exponential(EPOCHS, values).b == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize("level", [0.75, 0.0, 1e6])
def test_constant_curve_is_its_level(level):
    assert fit_exponential(EPOCHS, np.full(500, level)) == ExponentialFit(0.0, 0.0, level)


@pytest.mark.parametrize(
    "values",
    [0.01 * EPOCHS, 3 - 0.005 * EPOCHS, np.exp(0.01 * EPOCHS), np.where(EPOCHS == 1, 5.0, 1.0), np.sin(EPOCHS / 8)],
    ids=["straight up", "straight down", "ever steeper", "one step", "waves"],
)
def test_a_curve_that_does_not_level_off_has_no_numbers(values):
    assert not fit_exponential(EPOCHS, values).fitted


def test_noise_alone_is_no_curve():
    noise = np.random.default_rng(1).normal(1, 0.1, (50, 200))
    assert not any(fit_exponential(np.arange(200), values).fitted for values in noise)


@pytest.mark.parametrize("num_points", [0, 1, 4])
def test_too_few_points_have_no_numbers(num_points):
    fit = fit_exponential(np.arange(num_points), np.arange(num_points) ** 2.0)
    assert np.isnan([fit.a, fit.b, fit.c]).all() and not fit.fitted


@pytest.mark.parametrize("num_points, fitted", [(4, False), (5, True)])
def test_five_points_of_a_clean_curve_are_enough(num_points, fitted):
    epochs = np.arange(num_points)
    assert fit_exponential(epochs, 2 * np.exp(-0.9 * epochs) + 1).fitted == fitted
    assert not fit_exponential(np.repeat(epochs[:4], 2), 2 * np.exp(-0.9 * np.repeat(epochs[:4], 2)) + 1).fitted


def test_lengths_must_agree():
    with pytest.raises(ValueError, match=r"\(3,\).*\(4,\)"):
        fit_exponential([1, 2, 3], [1, 2, 3, 4])


def test_the_fit_can_be_called():
    assert ExponentialFit(2.0, 0.5, 1.0)([0, 2]) == pytest.approx([3, 2 / np.e + 1])
