"""Thresholds and rates worked out by hand, and against statsmodels and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import precision_score, recall_score
from statsmodels.stats.proportion import proportion_confint

from glioma_idh.evaluation.thresholds import (
    RATES,
    choose_threshold,
    crossfitted_rates,
    crossfitted_thresholds,
    proportion,
    rates,
    rates_at,
)

TRUTH = np.array([1, 1, 1, 0, 0, 0, 0, 0])
SCORE = np.array([0.9, 0.6, 0.2, 0.7, 0.4, 0.3, 0.1, 0.1])


def table(truth, score, repeat=0, split=0):
    names = [f"p{number:04}" for number in range(len(truth))]
    columns = {"subject": names, "patient": names, "repeat": repeat, "split": split, "truth": truth, "score": score}
    return pd.DataFrame(columns)


def test_rates_by_hand():
    found = rates(TRUTH, SCORE >= 0.5)
    assert {name: rate[3:5] for name, rate in found.items()} == {
        "sensitivity": (2, 3),
        "specificity": (4, 5),
        "accuracy": (6, 8),
        "ppv": (2, 3),
        "npv": (4, 5),
    }
    # Wilson by hand: (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)
    z, p, n = 1.959963985, 0.8, 5
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    ends = [(middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)]
    assert found["specificity"][:3] == pytest.approx([0.8, *ends]) and found["specificity"].reason == ""


def test_rates_are_those_of_scikit_learn_and_statsmodels():
    random = np.random.default_rng(0)
    truth, score = random.integers(2, size=300), random.random(300)
    found = rates_at(table(truth, score), 0.3, level=0.9)
    assert found["ppv"].value == pytest.approx(precision_score(truth, score >= 0.3))
    assert found["npv"].value == pytest.approx(precision_score(1 - truth, score < 0.3))
    assert found["specificity"].value == pytest.approx(recall_score(1 - truth, score < 0.3))
    for rate in found.values():
        assert (rate.low, rate.high) == pytest.approx(proportion_confint(rate.count, rate.total, 0.1, "wilson"))


def test_whoever_reaches_a_threshold_is_called_mutant():
    found = rates_at(table([1, 0, 0], [0.5, 0.5, 0.4999]))  # at one half, the default
    assert {name: rate[3:5] for name, rate in found.items()} == {
        "sensitivity": (1, 1),
        "specificity": (1, 2),
        "accuracy": (2, 3),
        "ppv": (1, 2),
        "npv": (1, 1),
    }
    assert rates_at(table([1, 0], [0.3, 0.2]), 0.3)["sensitivity"].count == 1


def test_intervals_of_none_and_of_all_end_at_zero_and_one():
    assert proportion(0, 3, "").low == 0 and proportion(3, 3, "").high == 1


def test_a_share_of_nobody_says_so():
    found = rates(np.zeros(3), np.zeros(3))
    assert found["sensitivity"].reason == "cannot be computed, because no patient is mutant"
    assert found["ppv"].reason == "cannot be computed, because no patient is predicted mutant"
    assert np.isnan(found["ppv"][:3]).all() and found["specificity"].value == 1
    assert rates([1], [1])["npv"].reason.endswith("no patient is predicted wild-type")


def test_rates_are_of_patients_and_their_mean_scores():
    twice = pd.concat([table(TRUTH, SCORE), table(TRUTH, 1 - SCORE, repeat=1)])
    assert rates_at(twice, 0.4999)["sensitivity"][3:5] == (3, 3)
    assert rates_at(twice, 0.5001)["specificity"][3:5] == (5, 5)


@pytest.mark.parametrize(
    "sensitivity, threshold",
    [(None, 0.6), (0.1, 0.9), (1 / 3, 0.9), (0.34, 0.6), (2 / 3, 0.6), (0.9, 0.2), (1, 0.2)],
)
def test_threshold_by_hand(sensitivity, threshold):
    # Sensitivity less false positives from 0.9 down: 1/3, 2/15, 7/15 (at 0.6), 4/15, 1/15, 2/5 (at 0.2), 0.
    assert choose_threshold(TRUTH, SCORE, sensitivity) == threshold


def test_highest_of_equally_good_thresholds_and_never_one_that_calls_nobody():
    assert choose_threshold([1, 0, 1, 0], [0.9, 0.7, 0.5, 0.3]) == 0.9
    assert choose_threshold([0, 1], [0.9, 0.3]) == 0.3


def test_a_wanted_share_is_not_missed_by_rounding():
    assert 0.28 * 25 > 7  # in floating point; 7 of 25 are enough all the same
    score = np.arange(26, 0, -1) / 32
    assert choose_threshold([1] * 25 + [0], score, 0.28) == score[6]


def test_wrong_wishes_are_errors():
    with pytest.raises(ValueError, match="sensitivity above 0 and up to 1; found 1.1"):
        choose_threshold(TRUTH, SCORE, 1.1)
    with pytest.raises(ValueError, match="mutants and wild-types; found 0 mutants of 5"):
        choose_threshold(np.zeros(5), SCORE[:5])
    with pytest.raises(ValueError, match="score from 0 to 1"):
        rates_at(table(TRUTH, SCORE + 1))


def test_a_fold_gets_the_threshold_of_the_others():
    # Fold 1 has the scores above, fold 0 the same divided by two.
    truth, score = np.concatenate([TRUTH, TRUTH]), np.concatenate([SCORE / 2, SCORE])
    predictions = table(truth, score, split=np.repeat([0, 1], 8))
    thresholds = crossfitted_thresholds(predictions)
    assert thresholds["threshold"].tolist() == [0.6, 0.3] and thresholds["num_patients"].tolist() == [8, 8]
    found = crossfitted_rates(predictions)
    assert found["sensitivity"][3:5] == (0 + 2, 6)  # 0.45, 0.3, 0.1 against 0.6; 0.9, 0.6, 0.2 against 0.3
    assert found["specificity"][3:5] == (5 + 2, 10)  # none of 0.35 and below; 0.7, 0.4, 0.3 are called
    wanted = crossfitted_thresholds(predictions, sensitivity=1)
    assert wanted["threshold"].tolist() == [0.2, 0.1]
    found = crossfitted_rates(predictions, sensitivity=1)  # 0.45, 0.3 of 0.1 reach 0.2; 0.9, 0.6, 0.2 all reach 0.1
    assert found["sensitivity"][3:5] == (2 + 3, 6) and found["specificity"][3:5] == (3 + 0, 10)


def test_a_test_set_s_own_truth_moves_no_threshold_of_its_own():
    random = np.random.default_rng(0)
    predictions = table(random.integers(2, size=60), random.random(60), split=np.arange(60) % 5)
    inside = predictions["split"] == 3
    other = predictions.assign(truth=predictions["truth"].where(~inside, 1 - predictions["truth"]))
    thresholds = [crossfitted_thresholds(frame).set_index("split")["threshold"] for frame in (predictions, other)]
    assert thresholds[0][3] == thresholds[1][3] and (thresholds[0] != thresholds[1]).any()


def test_hold_outs_are_called_by_mean_score_and_mean_threshold():
    random = np.random.default_rng(1)
    truth = random.integers(2, size=40)
    hold_outs = []
    for repeat in range(6):
        drawn = random.permutation(40)[:20]
        hold_outs.append(table(truth, random.random(40), repeat).iloc[drawn])
    predictions = pd.concat(hold_outs)
    thresholds = crossfitted_thresholds(predictions).set_index("repeat")["threshold"]
    right = []
    for _, rows in predictions.groupby("patient"):
        called = rows["score"].mean() >= thresholds.loc[rows["repeat"]].mean()
        right.append(called == bool(rows["truth"].iloc[0]))
    assert crossfitted_rates(predictions)["accuracy"][3:5] == (sum(right), len(right))


def test_one_test_set_has_no_others():
    found = crossfitted_rates(table(TRUTH, SCORE))
    assert list(found) == list(RATES) and np.isnan(found["accuracy"].value)
    assert found["accuracy"].reason.startswith("cannot be computed, because only 0 mutant and 0 wild-type patients")
    one_mutant = table(TRUTH[2:], SCORE[2:], split=np.arange(6) % 2)
    assert "patients are outside the test set" in crossfitted_rates(one_mutant)["npv"].reason
