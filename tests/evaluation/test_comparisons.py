"""Comparisons worked out by hand, by R's pROC and pair by pair, and how often luck alone makes a difference."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from glioma_idh.evaluation import comparisons
from glioma_idh.evaluation.comparisons import Comparison, compare_all, compare_auc, compare_calls, compare_dice, holm
from glioma_idh.evaluation.intervals import Estimate

# truth <- rep(c(1, 0), c(9, 11)); ours <- c(.9, .8, ...); other <- c(.7, .9, ...)
# a <- roc(truth, ours, levels = c(0, 1), direction = "<"); b <- roc(truth, other, levels = c(0, 1), direction = "<")
# roc.test(a, b, paired = TRUE, method = "delong")   # pROC 1.18.0
TRUTH = np.repeat([1, 0], [9, 11])
OURS = (0.9, 0.8, 0.8, 0.7, 0.6, 0.6, 0.5, 0.3, 0.9, 0.1, 0.2, 0.2, 0.3, 0.4, 0.5, 0.5, 0.6, 0.7, 0.1, 0.8)
OTHER = (0.7, 0.9, 0.4, 0.6, 0.6, 0.2, 0.5, 0.5, 0.8, 0.3, 0.2, 0.6, 0.6, 0.1, 0.7, 0.4, 0.5, 0.9, 0.2, 0.3)
PROC_AUCS, PROC_INTERVAL, PROC_P = (0.818181818182, 0.671717171717), (-0.107628326436, 0.400557619365), 0.258575119588


def table(truth, score=np.nan, dice=np.nan, **columns):
    """A predictions table of one row a patient, each with one subject."""
    names = [f"p{number:04}" for number in range(len(truth))]
    columns = (
        {"subject": names, "patient": names, "repeat": 0, "split": 0, "truth": truth, "score": score}
        | {"dice": dice}
        | columns
    )
    return pd.DataFrame(columns)


def test_difference_interval_and_p_are_those_of_proc():
    comparison = compare_auc(table(TRUTH, OURS), table(TRUTH, OTHER))
    assert comparison.difference == pytest.approx(PROC_AUCS[0] - PROC_AUCS[1], abs=1e-11)
    assert (comparison.low, comparison.high) == pytest.approx(PROC_INTERVAL, abs=1e-11)
    assert comparison.p == pytest.approx(PROC_P, abs=1e-11) and comparison.reason == ""
    back = compare_auc(table(TRUTH, OTHER), table(TRUTH, OURS))
    assert (back.difference, back.low, back.high) == pytest.approx(
        (-comparison.difference, *-np.array(PROC_INTERVAL)[::-1])
    )
    assert back.p == pytest.approx(PROC_P)


def test_an_interval_of_a_difference_ends_at_one():
    ours, other = table([1, 1, 1, 0, 0, 0], [9, 8, 4, 5, 2, 1]), table([1, 1, 1, 0, 0, 0], [1, 2, 6, 5, 8, 9])
    assert compare_auc(ours, other).high == 1 and compare_auc(other, ours).low == -1


def test_difference_of_auc_by_hand():
    # Wild-types below each mutant: 2, 1 and, of the other, 1, 1; mutants above each wild-type: 1, 2 and 0, 2.
    comparison = compare_auc(table([1, 1, 0, 0], [9, 3, 5, 1]), table([1, 1, 0, 0], [3, 2, 5, 1]), level=0.6826894921)
    half = np.sqrt(0.5 / 4 / 2 + 0.5 / 4 / 2)  # differences 1, 0 and 1, 0, of 2 pairs each
    assert comparison[:3] == pytest.approx((0.25, 0.25 - half, 0.25 + half))
    assert comparison.p == pytest.approx(0.4795001222)  # z = 1 / sqrt(2)


def test_mid_ranks_give_what_the_pairs_do():
    random = np.random.default_rng(0)
    truth = random.integers(2, size=300)
    scores = [np.round(random.normal(size=300) + shift * truth, 1) for shift in (1.0, 0.5)]  # with many ties
    higher = [np.heaviside(score[truth == 1][:, None] - score[truth == 0], 0.5) for score in scores]
    difference = higher[0] - higher[1]
    variance = sum(difference.mean(axis).var(ddof=1) / difference.shape[1 - axis] for axis in (0, 1))
    comparison = compare_auc(*(table(truth, score) for score in scores))
    assert comparison.difference == pytest.approx(difference.mean(), rel=1e-12)
    assert comparison.high - comparison.low == pytest.approx(2 * 1.959963985 * np.sqrt(variance), rel=1e-9)


def test_a_patient_of_several_rows_counts_once_with_the_mean_score():
    seeds = pd.concat([table(TRUTH, np.add(OURS, shift)) for shift in (-0.3, 0.3)])
    order = np.random.default_rng(0).permutation(20)
    assert compare_auc(seeds, table(TRUTH, OTHER).iloc[order]).p == pytest.approx(PROC_P)


def test_rows_without_a_truth_are_left_out():
    unknown = table([*TRUTH, np.nan], [*OURS, 0.4])
    assert compare_auc(unknown, table(TRUTH, OTHER)).p == pytest.approx(PROC_P)


@pytest.mark.parametrize(
    "ours, other, difference, reason",
    [
        (table([1, 0, 0], [3, 2, 1]), table([1, 0, 0], [1, 2, 3]), 1, "a class has fewer than 2 patients"),
        (table([1, 1, 0], [3, 2, 1]), table([1, 1, 0], [1, 2, 3]), 1, "a class has fewer than 2 patients"),
        (table([0, 0], [3, 2]), table([0, 0], [1, 2]), np.nan, "there is only one class"),
        (
            table([1, 1, 0, 0], [4, 3, 2, 1], split=[0, 0, 1, 1]),
            table([1, 1, 0, 0], [1, 2, 3, 4]),
            np.nan,
            "no split tests",
        ),
        (table(TRUTH, TRUTH), table(TRUTH, 0.5), 0.5, "its variance is 0"),
        (table(TRUTH, OURS), table(TRUTH), np.nan, "contains no scores"),
        (table(TRUTH, OURS), table(TRUTH).drop(columns="score"), np.nan, "contains no scores"),
    ],
    ids=["one mutant", "one wild-type", "no mutant", "split by class", "perfect and none", "empty", "no column"],
)
def test_an_auc_without_an_answer_says_why(ours, other, difference, reason):
    comparison = compare_auc(ours, other)
    assert comparison.reason.startswith("cannot be computed, because ") and reason in comparison.reason
    assert comparison.difference == pytest.approx(difference, nan_ok=True) and np.isnan(comparison[1:4]).all()


def test_two_that_order_every_pair_alike_do_not_differ():
    assert compare_auc(table(TRUTH, OURS), table(TRUTH, np.exp(OURS))) == Comparison(0, 0, 0, 1)
    folds = np.arange(20) % 3  # and where each split has its own scale
    ours, scaled = table(TRUTH, OURS, split=folds), table(TRUTH, np.divide(OURS, 2) + folds, split=folds)
    assert compare_auc(ours, scaled) == Comparison(0, 0, 0, 1)


@pytest.mark.integration
def test_pairs_of_networks_or_each_against_a_reference():
    random = np.random.default_rng(0)
    tables = {name: table(TRUTH, OURS + random.normal(size=20)) for name in "abc"} | {"d": table(TRUTH[1:], OURS[1:])}
    pairs = compare_all(tables, compare_auc)
    assert list(pairs) == [("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")]
    against = compare_all(tables, compare_auc, reference="b")
    assert list(against) == [("a", "b"), ("c", "b"), ("d", "b")]
    alone = {pair: compare_auc(*(tables[name] for name in pair)) for pair in [("a", "b"), ("c", "b")]}
    assert {pair: against[pair].p for pair in alone} == {pair: of.p for pair, of in holm(alone).items()}
    assert (
        against["a", "b"].difference == alone["a", "b"].difference == -compare_auc(tables["b"], tables["a"]).difference
    )
    assert against["d", "b"].reason.startswith("cannot be computed, because the runs are not paired: ")
    assert "not paired" in pairs["a", "d"].reason and not compare_all(tables, compare_auc, reference="z")


CALLS_TRUTH = np.repeat([1, 0], [10, 10])
CALLS_OURS = np.repeat([0.9, 0.1, 0.2], [9, 1, 10])  # one mutant missed
CALLS_OTHER = np.repeat([0.9, 0.3, 0.8, 0.2], [5, 5, 2, 8])  # five missed, that one too, and two false


def test_calls_by_hand():
    # Six patients are called right by ours alone, none by the other alone: of 2^6 ways, two are as uneven.
    calls = compare_calls(table(CALLS_TRUTH, CALLS_OURS), table(CALLS_TRUTH, CALLS_OTHER))
    assert calls[:4] == (13, 6, 0, 1) and calls.p == pytest.approx(2 / 64) and calls.reason == ""
    back = compare_calls(table(CALLS_TRUTH, CALLS_OTHER), table(CALLS_TRUTH, CALLS_OURS))
    assert back == (13, 0, 6, 1, calls.p, "")
    # At 0.15 the other misses nobody and is wrong about all wild-types, as ours is: the missed mutant alone parts them.
    assert compare_calls(table(CALLS_TRUTH, CALLS_OURS), table(CALLS_TRUTH, CALLS_OTHER), 0.15)[:5] == (9, 0, 1, 10, 1)


def test_a_score_that_reaches_the_threshold_is_a_call():
    ours, other = table([1, 0, 0], [0.5, 0.4999, 0.5]), table([1, 0, 0], [0.4999, 0.5, 0.5])
    assert compare_calls(ours, other)[:4] == (0, 2, 0, 1)
    assert compare_calls(ours, other, 0.4999)[:4] == (1, 0, 0, 2)


def test_calls_are_of_patients_and_their_mean_scores():
    seeds = [table([1, 0], scores) for scores in ([0.4, 0.4], [0.4, 0.4], [0.9, 0.4])]  # mean 0.57, in the middle 0.4
    assert compare_calls(pd.concat(seeds), table([1, 0], [0.1, 0.1]))[:4] == (1, 1, 0, 0)


def test_calls_without_an_answer_and_of_other_patients():
    ours = table(CALLS_TRUTH, CALLS_OURS)
    assert compare_calls(ours, ours)[:4] == (19, 0, 0, 1)
    assert (
        compare_calls(ours, ours).reason
        == "cannot be computed, because both networks classify the same patients correctly"
    )
    assert "contains no scores" in compare_calls(ours, table(CALLS_TRUTH)).reason
    with pytest.raises(ValueError, match="the same patients in both tables; found 20 and 19, 1 of them .* p0000"):
        compare_calls(ours, ours[1:])
    with pytest.raises(ValueError, match="the same labels"):
        compare_calls(ours, ours.assign(truth=1 - ours["truth"]))


def test_holm_by_hand():
    # 0.01 x 3; 0.02 x 2; 0.03 x 1, but not below the one before.
    three = {name: Comparison(1.0, 0.0, 2.0, p) for name, p in (("a", 0.03), ("b", 0.01), ("c", 0.02))}
    none = Comparison(np.nan, np.nan, np.nan, np.nan, "cannot be computed, because")
    corrected = holm(three | {"d": none})
    assert list(corrected) == ["a", "b", "c", "d"] and corrected["d"] is none
    assert [corrected[name].p for name in "abc"] == pytest.approx([0.04, 0.03, 0.04])
    assert [corrected[name][:3] for name in "abc"] == [(1.0, 0.0, 2.0)] * 3
    assert holm({"d": none}) == {"d": none} and holm({}) == {}


DICE = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])


def test_dice_by_hand():
    # Six differences of one sign: of 2^6 patterns of signs, two are as far off.
    comparison = compare_dice(table(np.ones(6), dice=DICE), table(np.ones(6), dice=DICE - np.arange(1, 7) / 100))
    assert comparison.difference == pytest.approx(0.035) and comparison.p == pytest.approx(2 / 64)
    assert 0.01 < comparison.low < 0.035 < comparison.high < 0.06 and comparison.reason == ""


def test_interval_of_dice_is_that_of_the_draws():
    # The number of better patients among 100 drawn is binomial: with half of them better, 40 to 60 of 100.
    better = np.arange(100) < 50
    comparison = compare_dice(table(better, dice=0.5 + 0.1 * better), table(better, dice=0.5))
    assert (comparison.difference, comparison.low, comparison.high) == pytest.approx((0.05, 0.04, 0.06), abs=0.0011)
    assert compare_dice(table(better, dice=0.5 + 0.1 * better), table(better, dice=0.5)) == comparison
    assert compare_dice(table(better, dice=0.5 + 0.1 * better), table(better, dice=0.5), level=0.5).low > 0.045


def test_scans_of_a_patient_are_drawn_together():
    random = np.random.default_rng(0)
    ours, other = (table(np.ones(20), dice=random.random(20)) for _ in range(2))
    twice = [pd.concat([frame, frame.assign(subject=frame["subject"] + "_2")]) for frame in (ours, other)]
    assert compare_dice(*twice) == pytest.approx(compare_dice(ours, other)) and compare_dice(ours, other).reason == ""


def test_dice_of_several_rows_is_their_mean():
    ours, other = table(np.ones(6), dice=DICE), table(np.ones(6), dice=DICE - 0.1)
    seeds = pd.concat([ours.assign(dice=DICE + 0.1), ours.assign(dice=DICE - 0.1)])
    assert compare_dice(seeds, other).difference == pytest.approx(0.1)
    three = pd.concat([seeds, ours.assign(dice=DICE + 0.09)])
    assert compare_dice(three, other).difference == pytest.approx(0.13)  # in the middle 0.19
    assert "the Dice is equal in all patients" in compare_dice(seeds, ours).reason


def test_p_of_dice_is_that_of_ranks_and_not_of_signs_or_sizes():
    # Differences 1 to 5 and -6: of the 64 patterns of signs, 14 have ranks that add up to 6 or less.
    steps = np.array([1, 2, 3, 4, 5, -6]) / 100
    comparison = compare_dice(table(np.ones(6), dice=DICE), table(np.ones(6), dice=DICE - steps))
    assert comparison.p == pytest.approx(2 * 14 / 64) and comparison.difference == pytest.approx(0.015)


def test_a_patient_of_many_scans_weighs_as_many():
    # Patient 0 has nine scans, 0.09 better each; five patients of one scan are 0.01 worse.
    names = ["p0"] * 9 + [f"p{number}" for number in range(1, 6)]
    ours = table(np.ones(14), dice=0.5 + np.repeat([0.09, -0.01], [9, 5])).assign(patient=names)
    comparison = compare_dice(ours, ours.assign(dice=0.5))
    assert comparison.difference == pytest.approx((9 * 0.09 - 5 * 0.01) / 14)
    # Drawn k times of 6, patient 0 brings 9 k scans: (0.81 k - 0.01 (6 - k)) / (9 k + 6 - k); in 33 % of draws k is 0,
    # in 0.9 % more than 3, so that the ends are those of k = 0 and k = 3.
    assert (comparison.low, comparison.high) == pytest.approx((-0.01, (3 * 0.81 - 0.03) / 30))
    assert comparison.p > 0.4  # of patients, ranks 6 against 15; of scans, 90 against 15 and p 0.02


def test_the_draws_of_dice_come_from_the_seed():
    random = np.random.default_rng(0)
    ours, other = (table(np.ones(20), dice=random.random(20)) for _ in range(2))
    assert compare_dice(ours, other) == compare_dice(ours, other, seed=0) != compare_dice(ours, other, seed=1)


@pytest.mark.parametrize(
    "other, difference, reason",
    [
        (table(np.ones(6), dice=DICE), 0, "the Dice is equal in all patients"),
        (table(np.ones(6), dice=[*DICE[:5] - 0.1, DICE[5]]), 0.5 / 6, "the Dice differs in fewer than 6 patients"),
        (table(np.ones(6)), np.nan, "contains no Dice"),
    ],
    ids=["same", "five", "empty"],
)
def test_dice_without_an_answer_says_why(other, difference, reason):
    comparison = compare_dice(table(np.ones(6), dice=DICE), other)
    assert comparison.reason.startswith("cannot be computed, because ") and reason in comparison.reason
    assert comparison.difference == pytest.approx(difference, nan_ok=True) and np.isnan(comparison[1:4]).all()


@pytest.mark.parametrize("compare, noun", [(compare_auc, "patients"), (compare_dice, "subjects")])
def test_tables_must_be_of_the_same_patients(compare, noun):
    ours = table([1, 1, 0, 0], [4, 3, 2, 1], DICE[:4])
    with pytest.raises(ValueError, match=rf"same {noun}.*4 and 3, 1 of them in only one table, such as p0002"):
        compare(ours, ours.drop(index=2))
    with pytest.raises(ValueError, match=rf"same labels.*different labels of 2 of 4 {noun}, such as p0001"):
        compare(ours, ours.assign(truth=[1, 0, 1, 0]))


def test_a_dice_needs_no_truth():
    ours, other = (table(np.full(6, np.nan), dice=DICE - shift) for shift in (0, 0.1))
    assert compare_dice(ours, other).p == pytest.approx(2 / 64)


@pytest.mark.slow
def test_luck_alone_gives_every_p_equally_often(monkeypatch):
    monkeypatch.setattr(
        comparisons, "bootstrap_ratio", lambda *_, **__: Estimate(0, 0, 0)
    )  # the interval is not asked for
    random, truth, luck = np.random.default_rng(0), np.repeat([1, 0], [56, 65]), []
    for _ in range(1000):
        shared = truth + random.normal(size=121)
        tables = [table(truth, shared + random.normal(size=121), random.normal(size=121)) for _ in range(2)]
        luck.append((compare_auc(*tables).p, compare_dice(*tables).p))
    of_auc, of_dice = np.transpose(luck)
    assert kstest(of_auc, "uniform").pvalue > 0.01 and kstest(of_dice, "uniform").pvalue > 0.01
    assert np.mean(of_auc < 0.05) == pytest.approx(0.05, abs=0.02)
