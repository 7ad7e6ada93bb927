"""AUC within splits and its variance, worked out by hand and pair by pair."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from glioma_idh.evaluation.auc import auc_within_splits, logit_interval
from glioma_idh.evaluation.intervals import auc_estimate, split_auc_estimate

COLUMNS = ["patient", "repeat", "split", "truth", "score"]
# Fold 0: a 0.8 and b 0.3 against c 0.5 and d 0.1; fold 1, whose scores are 0.4 lower: e 0.35 and f 0.15 against g 0.2.
ROWS = [
    *(("a", 0, 0, 1, 0.8), ("b", 0, 0, 1, 0.3), ("c", 0, 0, 0, 0.5), ("d", 0, 0, 0, 0.1)),
    *(("e", 0, 1, 1, 0.35), ("f", 0, 1, 1, 0.15), ("g", 0, 1, 0, 0.2), ("h", 0, 1, 0, 0.05)),
]
TABLE = pd.DataFrame(ROWS, columns=COLUMNS)


def test_only_patients_of_one_split_are_compared():
    auc = auc_within_splits(TABLE)
    # Fold 0: a wins 2, b wins 1 of 2; fold 1 likewise. Pooled, e and f lose to c too, and b to nobody of fold 1.
    assert (auc.value, auc.num_pairs, auc.num_mutant, auc.num_wild_type) == (6 / 8, 8, 4, 4)
    pooled = auc_within_splits(TABLE.assign(split=0))
    assert pooled.num_pairs == 16 and pooled.value == (4 + 3 + 3 + 2) / 16
    assert auc_within_splits(TABLE.sample(frac=1, random_state=0)).value == 6 / 8


def test_variance_by_hand():
    # In each fold the mutants win 2 and 1 pairs, the wild-types lose 1 and 2: deviations of half a pair, times
    # sqrt(2 / 1), of all eight patients; 8 pairs.
    auc = auc_within_splits(TABLE)
    assert auc.deviations.abs().to_numpy() == pytest.approx(0.5 * np.sqrt(2) / 8)
    assert auc.standard_error == pytest.approx(np.sqrt(8 * 0.5 / 64))
    assert auc.deviations["a"] > 0 > auc.deviations["b"] and auc.deviations["d"] > 0 > auc.deviations["c"]


def test_a_patient_s_tests_add_up_before_they_are_squared():
    # The same patients again in a second repeat, beside one more: what a repeat adds is not new information.
    again = TABLE.assign(repeat=1)
    more = pd.DataFrame([("z", repeat, 0, 0, 0.02) for repeat in (0, 1)], columns=COLUMNS)
    once, twice = auc_within_splits(pd.concat([TABLE, more[:1]])), auc_within_splits(pd.concat([TABLE, again, more]))
    assert twice.value == once.value and twice.standard_error == pytest.approx(once.standard_error)
    # Another order in the second repeat, so that its test sets are their own: deviations of opposite sign cancel.
    other = again.assign(split=[0, 1, 0, 1, 0, 1, 0, 1], score=[0.3, 0.35, 0.1, 0.2, 0.8, 0.15, 0.5, 0.05])
    both = auc_within_splits(pd.concat([TABLE, other]))
    alone = [auc_within_splits(table) for table in (TABLE, other)]
    # Each patient is in 2 + 2 pairs and compared with one other patient of the class in each split, always another:
    # 2^2 + 2^2 of 4^2. In a split alone it is 2^2 of 2^2.
    scale = np.sqrt(16 / (16 + 8)) / np.sqrt(4 / (4 + 4))
    by_hand = scale * sum(of.deviations * of.num_pairs for of in alone) / 16
    assert both.deviations.sort_index().to_numpy() == pytest.approx(by_hand.sort_index().to_numpy())
    assert both.standard_error == pytest.approx(np.sqrt((by_hand**2).sum()))


def test_one_split_is_delong_s():
    random = np.random.default_rng(0)
    truth, score = np.repeat([1, 0], [9, 14]), random.random(23).round(1)
    higher = np.heaviside(score[truth == 1][:, None] - score[truth == 0], 0.5)
    variance = higher.mean(axis=1).var(ddof=1) / 9 + higher.mean(axis=0).var(ddof=1) / 14
    table = pd.DataFrame({"patient": range(23), "repeat": 0, "split": 0, "truth": truth, "score": score})
    auc = auc_within_splits(table)
    assert auc.value == pytest.approx(higher.mean()) and auc.standard_error == pytest.approx(np.sqrt(variance))
    assert split_auc_estimate(table) == auc_estimate(truth, score)


def test_splits_of_the_same_patients_are_one_test_set_of_the_mean_score():
    seeds = pd.concat(
        [TABLE.assign(score=TABLE["score"] + shift, repeat=repeat) for repeat, shift in ((0, 0.3), (5, -0.1))]
    )
    seeds.loc[(seeds["patient"] == "b") & (seeds["repeat"] == 5), "score"] = 0.9  # its mean, 0.75, is above c's 0.6
    auc = auc_within_splits(seeds)
    assert (auc.value, auc.num_pairs) == (7 / 8, 8)
    networks = pd.concat([TABLE.assign(split=network) for network in range(3)])  # an external cohort
    assert auc_within_splits(networks).num_pairs == 16


def test_two_scans_of_a_patient_in_a_split_are_one_test():
    scans = pd.concat([TABLE, TABLE[1:2].assign(score=0.9)])  # of b: the mean 0.6 is above c
    auc = auc_within_splits(scans)
    assert (auc.value, auc.num_pairs) == (7 / 8, 8)


def test_splits_of_one_class_have_no_pairs_and_a_lone_patient_still_varies():
    one_class = pd.concat([TABLE, pd.DataFrame([("x", 0, 2, 1, 0.9), ("y", 0, 2, 1, 0.1)], columns=COLUMNS)])
    assert auc_within_splits(one_class)[:2] == (6 / 8, 8) and "x" not in auc_within_splits(one_class).deviations
    lone = auc_within_splits(TABLE[TABLE["patient"] != "f"])
    # e wins 2 of 2; in fold 0 three of four are won: 5 of 6, and e stands (2 - 2 x 5/6) / 6 above.
    assert lone.value == 5 / 6 and lone.deviations["e"] == pytest.approx((2 - 2 * 5 / 6) / 6)


def test_rows_without_a_truth_or_a_score_are_left_out():
    unknown = pd.DataFrame([("u", 0, 0, np.nan, 0.2), ("v", 0, 0, 1, np.nan)], columns=COLUMNS)
    assert auc_within_splits(pd.concat([TABLE, unknown]))[:2] == (6 / 8, 8)


@pytest.mark.parametrize(
    ("table", "value", "reason"),
    [
        (TABLE[TABLE["truth"] == 1], np.nan, "there is only one class"),
        (TABLE.assign(split=TABLE["truth"]), np.nan, "no split tests both classes"),
        (TABLE[TABLE["patient"].isin(["a", "c", "d"])], 1, "a class has only one patient"),
        (TABLE.assign(score=TABLE["split"] / 2), 0.5, "all scores of a split are equal"),
        (TABLE.assign(score=TABLE["truth"]), 1, "its variance is 0: the classes do not overlap"),
    ],
)
def test_an_estimate_says_why_it_has_no_interval(table, value, reason):
    estimate = split_auc_estimate(table)
    assert estimate.value == pytest.approx(value, nan_ok=True) and np.isnan(estimate[1:3]).all()
    assert estimate.reason == f"cannot be computed, because {reason}"


def test_logit_interval_by_hand():
    # At 0.8 the logit is log 4; its standard error 0.04 / 0.16.
    ends = expit([np.log(4) - 1.959964 * 0.25, np.log(4) + 1.959964 * 0.25])
    assert logit_interval(0.8, 0.04) == pytest.approx(ends)
    for auc, error in ((1, 0.1), (0, 0.1), (0.7, 0), (np.nan, 0.1), (0.7, np.nan)):
        assert np.isnan(logit_interval(auc, error)).all()
