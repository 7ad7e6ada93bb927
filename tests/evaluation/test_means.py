"""Intervals of means, where they are binomial, normal, or worked out by hand."""

import numpy as np
import pytest
from scipy.stats import binom, norm

from glioma_idh.evaluation.bootstrap import bootstrap_mean, bootstrap_ratio


def test_mean_of_one_class_that_is_right_or_wrong_is_binomial():
    values = (np.arange(100) < 30).astype(float)
    estimate = bootstrap_mean(np.zeros(100), values, draws=20000)
    assert estimate == pytest.approx((0.3, *binom(100, 0.3).ppf([0.025, 0.975]) / 100, ""), abs=0.011)


def test_classes_are_drawn_apart():
    # Within a class all are alike: whoever is drawn, the mean is the same.
    truth = np.repeat([1, 0], [10, 30])
    assert bootstrap_mean(truth, 1.0 - truth)[:3] == (0.75, 0.75, 0.75)
    assert bootstrap_mean(np.zeros(40), 1.0 - truth).low < 0.7


def test_mean_of_many_is_normal():
    random, truth = np.random.default_rng(0), np.repeat([1, 0], [2000, 3000])
    values = random.normal(size=5000) + 5 * truth
    half = norm.ppf(0.975) / np.sqrt(5000)
    estimate = bootstrap_mean(truth, values)
    assert estimate[:3] == pytest.approx((values.mean(), values.mean() - half, values.mean() + half), abs=0.002)


def test_mean_comes_back_with_its_seed_in_any_order_and_says_why_it_does_not():
    random = np.random.default_rng(0)
    truth, values, order = np.repeat([1, 0], [40, 60]), random.normal(size=100), random.permutation(100)
    assert bootstrap_mean(truth, values) == pytest.approx(bootstrap_mean(truth[order], values[order]))
    assert bootstrap_mean(truth, values) != bootstrap_mean(truth, values, seed=1)
    for truth in ([1, 0, 0], [0, 1, 1]):
        reason = "cannot be computed, because a class has only one patient"
        assert bootstrap_mean(truth, [0, 3, 3])[::3] == (2, reason)


def test_ratio_by_hand():
    # Two patients, of 1 in 1 and 0 in 3: a quarter of the draws is the first one twice, a quarter the second one.
    estimate = bootstrap_ratio([1, 0], [1, 3])
    assert estimate[:3] == (0.25, 0, 1)
    assert bootstrap_ratio([1, 0], [1, 3], level=0.4)[:3] == (0.25, 0.25, 0.25)


def test_ratio_of_shares_is_binomial():
    numbers = (np.arange(100) < 30).astype(float)
    estimate = bootstrap_ratio(numbers, np.ones(100), draws=20000)
    assert estimate[1:3] == pytest.approx(binom(100, 0.3).ppf([0.025, 0.975]) / 100, abs=0.011)


def test_ratio_of_nothing():
    assert bootstrap_ratio([0, 0], [0, 0]).reason == "cannot be computed, because the denominator is 0"
    assert bootstrap_ratio([1], [2])[::3] == (0.5, "cannot be computed, because there is only one patient")
    assert bootstrap_ratio([1, 0], [2, 0])[:3] == (0.5, 0.5, 0.5)  # draws of the second alone have no share


@pytest.mark.slow
def test_nineteen_of_twenty_intervals_hold_the_true_brier_score():
    # Scores uniform and calibrated: the mean of score (1 - score) is 1/6.
    random, held = np.random.default_rng(0), 0
    for seed in range(1000):
        score = random.random(121)
        truth = (random.random(121) < score).astype(int)
        _, low, high, _ = bootstrap_mean(truth, (score - truth) ** 2, draws=500, seed=seed)
        held += low <= 1 / 6 <= high
    assert held / 1000 == pytest.approx(0.95, abs=0.025)
