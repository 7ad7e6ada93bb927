"""Scores of predictions small enough to work out by hand."""

import keras
import numpy as np
import pandas as pd
import pytest

from glioma_idh.evaluation.metrics import (
    best_possible_auc,
    classification_scores,
    has_values,
    pool_patients,
    summarise,
)

TRUTH = np.array([1, 1, 1, 0, 0, 0, 0, 0])
SCORE = np.array([0.9, 0.6, 0.2, 0.7, 0.4, 0.3, 0.1, 0.1])


def test_scores_worked_out_by_hand():
    scores = classification_scores(TRUTH, SCORE)
    assert scores["sensitivity"] == pytest.approx(2 / 3)
    assert scores["specificity"] == pytest.approx(4 / 5)
    assert scores["accuracy"] == pytest.approx(6 / 8)
    assert scores["always_wild_type"] == pytest.approx(5 / 8)
    assert scores["auc"] == pytest.approx((5 + 4 + 2) / 15)  # wild-types below each mutant
    assert scores["ppv"] == pytest.approx(2 / 3) and scores["npv"] == pytest.approx(4 / 5)
    errors = (0.1, 0.4, 0.8, 0.7, 0.4, 0.3, 0.1, 0.1)
    assert scores["brier"] == pytest.approx(np.square(errors).mean())
    assert scores["average_precision"] == pytest.approx((1 + 2 / 3 + 3 / 6) / 3)  # mutants are 1st, 3rd and 6th


def test_a_score_of_exactly_one_half_is_called_mutant():
    scores = classification_scores(np.array([1, 0, 0]), np.array([0.5, 0.5, 0.4999]))
    assert (scores["sensitivity"], scores["specificity"], scores["ppv"]) == (1, 0.5, 0.5)
    assert scores["accuracy"] == pytest.approx(2 / 3) and scores["npv"] == 1


def test_predictive_values_need_somebody_who_is_called_so():
    scores = classification_scores(np.array([1, 0, 0]), np.array([0.4, 0.3, 0.2]))
    assert np.isnan(scores["ppv"]) and scores["npv"] == pytest.approx(2 / 3)


def test_loss_is_keras_categorical_cross_entropy_saturated_scores_included():
    score = np.append(SCORE, [1.0, 0.0]).astype(np.float32)
    truth = np.append(TRUTH, [0, 1])
    outputs = np.stack([1 - score, score], axis=1)
    expected = keras.losses.CategoricalCrossentropy()(np.eye(2, dtype=np.float32)[truth], outputs)
    assert classification_scores(truth, score)["ccel"] == pytest.approx(float(expected), rel=1e-2)


def test_one_class_has_no_auc_and_no_sensitivity():
    scores = classification_scores(np.zeros(3), np.array([0.1, 0.2, 0.6]))
    assert np.isnan(scores["auc"]) and np.isnan(scores["sensitivity"]) and np.isnan(scores["average_precision"])
    assert scores["specificity"] == pytest.approx(2 / 3)


def table(rows):
    return pd.DataFrame(rows, columns=["subject", "patient", "repeat", "split", "truth", "score"])


PREDICTIONS = table(
    [
        ("a", "a", 0, 0, 1, 0.8),
        ("b", "b", 0, 0, 0, 0.4),
        ("a", "a", 1, 0, 1, 0.2),
        ("c", "c", 1, 0, 0, 0.4),
    ]
)


def test_patients_are_pooled_over_the_splits_that_tested_them():
    pooled = pool_patients(PREDICTIONS).set_index("patient")
    assert pooled["score"].to_dict() == pytest.approx({"a": 0.5, "b": 0.4, "c": 0.4})
    visits = table([("a1", "a", 0, 0, 1, 0.2), ("a2", "a", 0, 0, 1, 0.6)])
    assert pool_patients(visits)["score"].tolist() == pytest.approx([0.4])


def test_summary_has_mean_and_sample_deviation_of_the_splits():
    summary = summarise(PREDICTIONS)
    assert [split["auc"] for split in summary["per_split"]] == [1, 0]
    assert summary["mean"]["auc"] == pytest.approx(0.5)
    assert summary["sd"]["auc"] == pytest.approx(np.sqrt(0.5))
    assert summary["pooled"]["auc"] == 1 and summary["pooled"]["num_patients"] == 3


def test_best_possible_is_the_latent_s_own_auc_on_the_same_test_sets():
    planted = pd.Series({"a": 2.0, "b": 3.0, "c": 1.0, "never tested": 9.0})
    per_split, within = best_possible_auc(PREDICTIONS, planted)
    assert per_split == [0, 1] and within == 0.5
    assert summarise(PREDICTIONS, planted)["mean"]["best_possible_auc"] == 0.5


SEGMENTED = PREDICTIONS.assign(dice=[0.9, 0.7, 0.5, 0.3], lesion_ml=40.0, predicted_ml=42.0)


def test_dice_is_the_mean_of_a_split_and_pooled_of_the_subjects():
    summary = summarise(SEGMENTED)
    assert [split["dice"] for split in summary["per_split"]] == pytest.approx([0.8, 0.4])
    assert summary["mean"]["dice"] == pytest.approx(0.6)
    assert summary["sd"]["dice"] == pytest.approx(0.4 / np.sqrt(2))
    assert summary["pooled"]["dice"] == pytest.approx((0.7 + 0.7 + 0.3) / 3)  # a: mean of 0.9 and 0.5
    assert summary["mean"]["auc"] == summarise(PREDICTIONS)["mean"]["auc"] == 0.5


def test_a_network_for_segmentation_alone_has_dice_alone():
    planted = pd.Series({"a": 2.0, "b": 3.0, "c": 1.0})
    summary = summarise(SEGMENTED.assign(score=np.nan), planted)
    assert set(summary["mean"]) == {"dice"} and set(summary["pooled"]) == {"num_patients", "dice"}
    assert set(summary["per_split"][0]) == {"repeat", "split", "num_test", "dice"}


def test_a_network_for_idh_alone_has_no_dice():
    assert repr(summarise(SEGMENTED.assign(dice=np.nan))) == repr(summarise(PREDICTIONS))
    assert "dice" not in summarise(PREDICTIONS)["pooled"]


THREE_FOLDS = table(
    [
        *(("a", "a", 0, 0, 1, 0.9), ("b", "b", 0, 0, 0, 0.1), ("c", "c", 0, 0, 0, 0.6)),
        *(("d", "d", 0, 1, 1, 0.9), ("e", "e", 0, 1, 0, 0.2)),
        *(("f", "f", 0, 2, 1, 0.3), ("g", "g", 0, 2, 0, 0.7)),
        *(("a", "a", 1, 0, 1, 0.2), ("h", "h", 1, 0, 0, 0.1), ("a", "a", 2, 0, 1, 0.1), ("h", "h", 2, 0, 0, 0.3)),
    ]
)


def test_a_mean_is_no_median_and_a_split_is_a_fold_of_a_repeat():
    summary = summarise(THREE_FOLDS.assign(dice=[0.9, 0.8, 0.1, 0.5, 0.5, 0.4, 0.4, 0.8, 0.7, 0.1, 0.7]))
    splits = [(split["repeat"], split["split"], split["num_test"]) for split in summary["per_split"]]
    assert splits == [(0, 0, 3), (0, 1, 2), (0, 2, 2), (1, 0, 2), (2, 0, 2)]
    areas = [1, 1, 0, 1, 0]
    assert [split["auc"] for split in summary["per_split"]] == areas
    assert summary["mean"]["auc"] == 0.6 and summary["sd"]["auc"] == pytest.approx(np.std(areas, ddof=1))
    assert summary["per_split"][0]["dice"] == pytest.approx(0.6)  # in the middle 0.8
    of_a = (0.9 + 0.8 + 0.1) / 3  # in the middle 0.8
    assert summary["pooled"]["dice"] == pytest.approx((of_a + 0.8 + 0.1 + 0.5 + 0.5 + 0.4 + 0.4 + 0.7) / 8)
    assert pool_patients(THREE_FOLDS).set_index("patient")["score"]["a"] == pytest.approx(0.4)  # in the middle 0.2


def test_the_best_possible_is_of_pairs_tested_together():
    planted = pd.Series({"a": 3.0, "b": 2.0, "c": 1.0, "d": 0.5, "e": 0.0, "f": 1.5, "g": 1.7, "h": 1.2})
    per_split, within = best_possible_auc(THREE_FOLDS, planted)
    assert per_split == [1, 1, 0, 1, 1]
    assert within == summarise(THREE_FOLDS, planted)["within_splits"]["best_possible_auc"] == 4 / 5
    # Pairs won: 2 of 2, 1 of 1, 0 of 1, and 1 of 1 of a and h, who are one test set of two repeats.


def test_a_column_with_some_values_has_values():
    some = SEGMENTED.assign(dice=[0.9, np.nan, np.nan, 0.3])
    assert has_values(some, "dice") and not has_values(some.assign(dice=np.nan), "dice")
    assert not has_values(some, "hd95_mm")
    assert summarise(some)["mean"]["dice"] == pytest.approx(0.6)
