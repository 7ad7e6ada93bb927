"""Intervals worked out by hand, and how often they hold the truth."""

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import binom, norm
from sklearn.metrics import roc_auc_score

from glioma_idh.evaluation.auc import pairs_won
from glioma_idh.evaluation.bootstrap import bootstrap_auc, roc_band
from glioma_idh.evaluation.intervals import auc_estimate, auc_interval, expected_auc_half_width

TRUTH = np.array([1, 1, 1, 0, 0, 0, 0, 0])
SCORE = np.array([0.9, 0.6, 0.2, 0.7, 0.4, 0.3, 0.1, 0.1])


def test_interval_by_hand():
    # Each mutant is above 5, 4, 2 of 5 wild-types, these below 1, 2, 2, 3, 3 of 3 mutants: variances 7/75 and 7/90.
    # On the logit scale an AUC of 11/15 is log(11/4), and its derivative 1 / (11/15 x 4/15).
    half = np.sqrt(7 / 75 / 3 + 7 / 90 / 5) * 15 / 11 * 15 / 4
    ends = expit([np.log(11 / 4) - half, np.log(11 / 4) + half])
    assert auc_interval(TRUTH, SCORE, level=0.6826894921) == pytest.approx(ends)
    assert auc_interval(TRUTH, SCORE)[0] == pytest.approx(expit(np.log(11 / 4) - 1.959964 * half))


def test_variance_is_that_of_proc():
    # pROC's own interval is symmetric around the AUC: half of it is 1.96 standard errors.
    # ci.auc(roc(rep(c(1, 0), c(9, 11)), score, levels = c(0, 1), direction = "<"))   # pROC 1.18.0
    mutants = [0.7, 0.9, 0.4, 0.6, 0.6, 0.2, 0.5, 0.5, 0.8]
    wild_types = [0.3, 0.2, 0.6, 0.6, 0.1, 0.7, 0.4, 0.5, 0.9, 0.2, 0.3]
    low, high = 0.426574235773, 0.916860107661
    auc, half = (low + high) / 2, (high - low) / 2
    half /= auc * (1 - auc)
    interval = auc_interval(np.repeat([1, 0], [9, 11]), mutants + wild_types)
    assert interval == pytest.approx(expit([logit(auc) - half, logit(auc) + half]), abs=1e-11)


def test_pairs_won_are_those_counted_one_by_one():
    random = np.random.default_rng(0)
    truth, score = random.integers(2, size=200), np.round(random.normal(size=200), 1)
    higher = np.heaviside(score[truth == 1][:, None] - score[truth == 0], 0.5)
    of_mutants, of_wild_types = pairs_won(truth, score)
    assert (of_mutants == higher.sum(axis=1)).all() and (of_wild_types == higher.sum(axis=0)).all()


def test_a_tie_counts_half():
    low, high = auc_interval(np.array([1, 1, 0, 0]), np.array([0.5, 0.9, 0.5, 0.1]), level=0.1)
    assert (logit(low) + logit(high)) / 2 == pytest.approx(logit(3.5 / 4))


def test_no_interval_without_an_answer():
    assert np.isnan(auc_interval(np.array([1, 0, 0]), np.array([0.5, 0.9, 0.1]))).all()
    assert np.isnan(auc_interval(np.zeros(4), np.arange(4.0))).all()
    assert np.isnan(auc_interval(TRUTH, TRUTH)).all()


@pytest.mark.integration
def test_nineteen_of_twenty_intervals_hold_the_true_auc():
    random, truth = np.random.default_rng(0), np.repeat([1, 0], [56, 65])
    held = 0
    for _ in range(500):
        low, high = auc_interval(truth, random.normal(size=121) + truth)  # two normal curves one sd apart
        held += low <= 0.7602499 <= high
    assert held / 500 == pytest.approx(0.95, abs=0.03)


def overlapping(random, mutants=56, wild_types=65):
    """Truths, and scores of two normal curves one sd apart, whose true AUC is 0.7602499."""
    truth = np.repeat([1, 0], [mutants, wild_types])
    return truth, norm.cdf(random.normal(size=len(truth)) + truth)


def test_estimate_is_auc_and_interval_or_says_why_not():
    assert auc_estimate(TRUTH, SCORE) == pytest.approx((11 / 15, *auc_interval(TRUTH, SCORE), ""))
    assert auc_estimate(TRUTH, TRUTH)[::3] == (
        1,
        "cannot be computed, because its variance is 0: the classes do not overlap",
    )
    assert auc_estimate(TRUTH, np.full(8, 0.5))[::3] == (
        0.5,
        "cannot be computed, because all scores of a split are equal",
    )
    assert auc_estimate([1, 0, 0], [0.5, 0.9, 0.1])[::3] == (
        0.5,
        "cannot be computed, because a class has only one patient",
    )
    assert auc_estimate([0, 0], [0.5, 0.9]).reason == "cannot be computed, because there is only one class"
    with pytest.raises(ValueError, match="score from 0 to 1"):
        auc_estimate(TRUTH, SCORE - 0.2)


def test_bootstrap_where_wild_types_are_alike_is_binomial():
    # 60 of 100 mutants lie above the one score of all wild-types: the AUC is their share among 100 drawn.
    score = np.concatenate([np.where(np.arange(100) < 60, 1, 0), np.full(50, 0.5)])
    estimate = bootstrap_auc(np.repeat([1, 0], [100, 50]), score, draws=20000)
    assert estimate[:3] == pytest.approx((0.6, *binom(100, 0.6).ppf([0.025, 0.975]) / 100), abs=0.011)


def test_bootstrap_is_that_of_draws_one_by_one():
    random = np.random.default_rng(0)
    truth, score = overlapping(random)
    score = score.round(1)  # with many ties
    aucs = []
    for _ in range(2000):
        drawn = np.concatenate(
            [random.choice(np.flatnonzero(truth == label), (truth == label).sum()) for label in (0, 1)]
        )
        aucs.append(pairs_won(truth[drawn], score[drawn])[0].mean() / 65)
    estimate = bootstrap_auc(truth, score)
    assert estimate[1:3] == pytest.approx(np.quantile(aucs, [0.025, 0.975]), abs=0.008)
    assert estimate.value == pytest.approx(roc_auc_score(truth, score))


def test_bootstrap_comes_back_with_its_seed_in_any_order_and_says_why_it_does_not():
    random = np.random.default_rng(0)
    truth, score = overlapping(random)
    order = random.permutation(121)
    assert bootstrap_auc(truth, score, draws=250) == bootstrap_auc(truth[order], score[order], draws=250)
    assert bootstrap_auc(truth, score, seed=1) != bootstrap_auc(truth, score)
    assert bootstrap_auc(truth, truth).reason == auc_estimate(truth, truth).reason != ""


def test_of_ten_thousand_patients_the_bootstrap_is_the_normal_curve():
    truth, score = overlapping(np.random.default_rng(0), 4000, 6000)
    assert bootstrap_auc(truth, score, draws=1000) == pytest.approx(auc_estimate(truth, score), abs=0.001)


def test_expected_width_is_that_of_hanley_and_mcneil():
    # By hand: A = 0.8, Q1 = 2/3, Q2 = 1.28/1.8; 10 and 20: (0.16 + 9 (Q1 - 0.64) + 19 (Q2 - 0.64)) / 200.
    variance = (0.16 + 9 * (2 / 3 - 0.64) + 19 * (1.28 / 1.8 - 0.64)) / 200
    assert expected_auc_half_width(30, 1 / 3) == pytest.approx(1.959964 * np.sqrt(variance))
    widths = expected_auc_half_width([100, 400, 100], 0.5, [0.5, 0.5, 0.9])
    assert widths[0] == pytest.approx(
        1.959964 * np.sqrt((0.25 + 2 * 49 / 12) / 2500)
    )  # of the rank sum: (m + w + 1) / 12mw
    assert widths[0] / widths[1] == pytest.approx(2, rel=0.01) and widths[2] < widths[0]


@pytest.mark.integration
def test_expected_width_is_what_comes():
    random = np.random.default_rng(0)
    halves = [np.diff(auc_interval(truth, score))[0] / 2 for truth, score in (overlapping(random) for _ in range(200))]
    assert np.mean(halves) == pytest.approx(expected_auc_half_width(121, 56 / 121, 0.7602499), rel=0.05)


def test_one_patient_of_a_class_is_enough_for_an_expectation():
    # Of one mutant, m - 1 = 0: A (1 - A) + 8 (Q2 - A^2) by 9, with A = 0.8 and Q2 = 1.28/1.8.
    assert expected_auc_half_width(10, 0.1) == pytest.approx(1.959964 * np.sqrt((0.16 + 8 * (1.28 / 1.8 - 0.64)) / 9))


@pytest.mark.parametrize(
    "wish, message",
    [((30, 0), "prevalence above 0"), ((30, 0.5, 1), "AUC above 0"), ((10, 0.05), "a patient of each class")],
)
def test_no_width_of_what_cannot_be(wish, message):
    with pytest.raises(ValueError, match=message):
        expected_auc_half_width(*wish)


def test_band_of_classes_that_do_not_overlap_is_at_one():
    low, high = roc_band(TRUTH, TRUTH, np.linspace(0, 1, 11))
    assert (low == 1).all() and (high == 1).all()
    low, high = roc_band(TRUTH, 1 - TRUTH, np.linspace(0, 1, 11))
    assert (low[:-1] == 0).all() and (high[:-1] == 0).all() and low[-1] == 1


def test_band_of_scores_all_alike_is_the_diagonal():
    rates = np.linspace(0, 1, 11)
    assert np.allclose(roc_band(TRUTH, np.zeros(8), rates), rates)


def test_band_where_wild_types_are_alike_is_binomial():
    # 60 of 100 mutants lie above the one score of all wild-types: the share among 100 drawn is binomial.
    score = np.concatenate([np.where(np.arange(100) < 60, 2, 0), np.ones(50)])
    low, high = roc_band(np.repeat([1, 0], [100, 50]), score, [0], draws=20000)
    assert (low[0], high[0]) == pytest.approx(binom(100, 0.6).ppf([0.025, 0.975]) / 100, abs=0.011)


def test_band_rises_holds_the_curve_and_comes_back_with_its_seed_in_any_order():
    random, truth, rates = np.random.default_rng(0), np.repeat([1, 0], [56, 65]), np.linspace(0, 1, 101)
    score = random.normal(size=121) + truth
    low, high = roc_band(truth, score, rates)
    thresholds = np.quantile(score[truth == 0], 1 - rates, method="higher")
    sensitivity = (score[truth == 1] >= thresholds[:, None]).mean(axis=1)
    inside = slice(2, -2)
    assert (low <= sensitivity + 1e-9)[inside].all() and (sensitivity <= high + 1e-9)[inside].all()
    assert (np.diff(low) >= 0).all() and (np.diff(high) >= 0).all() and low[-1] == high[-1] == 1
    order = random.permutation(121)
    assert np.array_equal(roc_band(truth, score, rates, seed=3), roc_band(truth, score, rates, seed=3))
    assert not np.array_equal(roc_band(truth, score, rates, seed=3), (low, high))
    assert np.array_equal(roc_band(truth[order], score[order], rates), (low, high))


def test_no_band_without_two_patients_of_a_class():
    assert np.isnan(roc_band(np.array([1, 0, 0]), np.array([0.5, 0.9, 0.1]), [0, 0.5, 1])).all()


@pytest.mark.slow
def test_nineteen_of_twenty_bands_hold_the_true_sensitivity():
    random, truth, rates = np.random.default_rng(0), np.repeat([1, 0], [56, 65]), np.array([0.1, 0.2, 0.5])
    true, held = norm.sf(norm.isf(rates) - 1), np.zeros(3)  # two normal curves one sd apart
    for seed in range(1000):
        low, high = roc_band(truth, random.normal(size=121) + truth, rates, draws=500, seed=seed)
        held += (low <= true) & (true <= high)
    assert held / 1000 == pytest.approx([0.95] * 3, abs=0.03)


@pytest.mark.slow
def test_nineteen_of_twenty_bootstrap_intervals_hold_the_true_auc():
    random, held = np.random.default_rng(0), 0
    for seed in range(1000):
        _, low, high, _ = bootstrap_auc(*overlapping(random), draws=500, seed=seed)
        held += low <= 0.7602499 <= high
    assert held / 1000 == pytest.approx(0.95, abs=0.02)
