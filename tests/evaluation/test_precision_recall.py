"""Precision by recall, where it is known, and how often the intervals hold it."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import logit
from scipy.stats import norm
from sklearn.metrics import average_precision_score

from glioma_idh.evaluation.bootstrap import bootstrap_average_precision, drawn_curves, precision_recall_band

TRUTH = np.array([1, 1, 1, 0, 0, 0, 0, 0])
SCORE = np.array([0.9, 0.6, 0.2, 0.7, 0.4, 0.3, 0.1, 0.1])


def overlapping(random, mutants=56, wild_types=65):
    """Truths, and scores of two normal curves one sd apart."""
    truth = np.repeat([1, 0], [mutants, wild_types])
    return truth, norm.cdf(random.normal(size=len(truth)) + truth)


def true_average_precision(prevalence):
    """Of two normal curves one sd apart: the mean precision over all recalls."""

    def precision(recall):
        false = norm.sf(norm.isf(recall) + 1) * (1 - prevalence)
        return recall * prevalence / (recall * prevalence + false)

    return quad(precision, 0, 1)[0]


def test_average_precision_by_hand():
    estimate = bootstrap_average_precision(TRUTH, SCORE)
    assert estimate.value == pytest.approx((1 + 2 / 3 + 3 / 6) / 3)  # mutants are 1st, 3rd and 6th
    assert 0 < estimate.low < estimate.value < estimate.high <= 1


def test_interval_is_that_of_draws_one_by_one():
    random = np.random.default_rng(0)
    truth, score = overlapping(random)
    score, areas = score.round(1), []  # with many ties
    for _ in range(600):
        drawn = [random.choice(np.flatnonzero(truth == label), (truth == label).sum()) for label in (0, 1)]
        areas.append(average_precision_score(truth[np.concatenate(drawn)], score[np.concatenate(drawn)]))
    estimate = bootstrap_average_precision(truth, score)
    half = 1.96 * np.std(areas) / (estimate.value * (1 - estimate.value))
    assert logit(estimate[:3]) == pytest.approx(logit(estimate.value) + half * np.array([0, -1, 1]), abs=0.06)


def test_seed_and_order():
    random = np.random.default_rng(0)
    truth, score = overlapping(random)
    order = random.permutation(121)
    assert bootstrap_average_precision(truth, score) == bootstrap_average_precision(truth[order], score[order])
    assert bootstrap_average_precision(truth, score) != bootstrap_average_precision(truth, score, seed=1)


def test_without_an_answer_it_says_why():
    assert (
        bootstrap_average_precision([1, 1], [0.2, 0.4]).reason == "cannot be computed, because there is only one class"
    )
    one = bootstrap_average_precision([1, 0, 0], [0.5, 0.9, 0.1])
    assert one[::3] == (0.5, "cannot be computed, because a class has only one patient")
    with pytest.raises(ValueError, match="score from 0 to 1"):
        bootstrap_average_precision(TRUTH, SCORE + 1)
    assert np.isnan(precision_recall_band([1, 0, 0], [0.5, 0.9, 0.1], [0, 1])).all()


@pytest.mark.parametrize("score, value", [(TRUTH, 1), (np.full(8, 0.5), 3 / 8)], ids=["perfect", "alike"])
def test_no_interval_where_every_draw_has_the_same(score, value):
    estimate = bootstrap_average_precision(TRUTH, score)
    assert estimate.value == pytest.approx(value) and "all bootstrap samples are equal" in estimate.reason


def test_band_of_classes_that_do_not_overlap_is_at_one():
    low, high = precision_recall_band(TRUTH, TRUTH, np.linspace(0, 1, 11))
    assert (low == 1).all() and (high == 1).all()


def test_band_of_scores_all_alike_is_the_share_of_mutants():
    low, high = precision_recall_band(TRUTH, np.full(8, 0.5), np.linspace(0, 1, 11))
    assert (low == 3 / 8).all() and (high == 3 / 8).all()


def test_band_where_mutants_are_alike():
    # 20 mutants of one score, 10 of 40 wild-types above: the wild-types drawn there are binomial, one quarter of 40.
    score = np.concatenate([np.full(20, 0.5), np.where(np.arange(40) < 10, 0.9, 0.1)])
    low, high = precision_recall_band(np.repeat([1, 0], [20, 40]), score, [0.01, 0.6, 1], draws=20000)
    assert low == pytest.approx(20 / (20 + np.array([16, 16, 16])), abs=0.01)  # 97.5 % of draws have up to 16
    assert high == pytest.approx(20 / (20 + np.array([5, 5, 5])), abs=0.01)


def test_mean_of_the_band_s_curve_is_the_average_precision_of_its_draw():
    truth, score = overlapping(np.random.default_rng(0), 50, 70)
    low, high = precision_recall_band(truth, score, (np.arange(50) + 0.5) / 50, draws=1)
    true_positives, false_positives = (counts[0] for counts in next(drawn_curves(truth, score, 1, 0)))
    drawn = np.concatenate(
        [np.repeat(-np.arange(len(steps)), steps) for steps in map(np.diff, (true_positives, false_positives))]
    )
    area = average_precision_score(np.repeat([1, 0], [50, 70]), drawn)
    assert (low == high).all() and low.mean() == pytest.approx(area)


@pytest.mark.slow
@pytest.mark.parametrize("mutants", [56, 17])
def test_nearly_nineteen_of_twenty_intervals_hold_the_true_average_precision(mutants):
    random, held, true = np.random.default_rng(0), 0, true_average_precision(mutants / (mutants + 65))
    for seed in range(1000):
        _, low, high, _ = bootstrap_average_precision(*overlapping(random, mutants), draws=500, seed=seed)
        held += low <= true <= high
    assert held / 1000 == pytest.approx(0.94, abs=0.02)  # percentiles: 0.91
