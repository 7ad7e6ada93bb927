"""Intervals worked out by hand, and how often they hold the truth."""

import numpy as np
import pytest

from glioma_idh.evaluation.intervals import auc_interval

TRUTH = np.array([1, 1, 1, 0, 0, 0, 0, 0])
SCORE = np.array([0.9, 0.6, 0.2, 0.7, 0.4, 0.3, 0.1, 0.1])


def test_interval_by_hand():
    # Each mutant is above 5, 4, 2 of 5 wild-types, these below 1, 2, 2, 3, 3 of 3 mutants: variances 7/75 and 7/90.
    half = np.sqrt(7 / 75 / 3 + 7 / 90 / 5)
    assert auc_interval(TRUTH, SCORE, level=0.6826894921) == pytest.approx((11 / 15 - half, 11 / 15 + half))
    low, high = auc_interval(TRUTH, SCORE)
    assert low == pytest.approx(11 / 15 - 1.959964 * half) and high == 1


def test_a_tie_counts_half():
    low, high = auc_interval(np.array([1, 1, 0, 0]), np.array([0.5, 0.9, 0.5, 0.1]), level=0.1)
    assert (low + high) / 2 == pytest.approx(3.5 / 4)


def test_no_interval_without_an_answer():
    assert np.isnan(auc_interval(np.array([1, 0, 0]), np.array([0.5, 0.9, 0.1]))).all()
    assert np.isnan(auc_interval(np.zeros(4), np.arange(4.0))).all()
    assert np.isnan(auc_interval(TRUTH, TRUTH)).all()


def test_nineteen_of_twenty_intervals_hold_the_true_auc():
    random, truth = np.random.default_rng(0), np.repeat([1, 0], [56, 65])
    held = 0
    for _ in range(500):
        low, high = auc_interval(truth, random.normal(size=121) + truth)  # two normal curves one sd apart
        held += low <= 0.7602499 <= high
    assert held / 500 == pytest.approx(0.95, abs=0.03)
