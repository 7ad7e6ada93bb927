"""Net benefits worked out by hand, and patient by patient."""

import numpy as np
import pytest

from glioma_idh.evaluation.thresholds import decision_curve

TRUTH = np.array([1, 1, 1, 0, 0, 0, 0, 0])
SCORE = np.array([0.9, 0.6, 0.2, 0.7, 0.4, 0.3, 0.1, 0.1])


def test_net_benefit_by_hand():
    curve = decision_curve(TRUTH, SCORE, [0.2, 0.5, 0.75])
    # Called from 0.2 on: 3 of 3 mutants and 3 wild-types, at odds of 1/4; from 0.5: 2 and 1, at 1; from 0.75: 1 and 0.
    assert curve["network"].tolist() == pytest.approx([(3 - 3 / 4) / 8, (2 - 1) / 8, 1 / 8])
    assert curve["treat_all"].tolist() == pytest.approx([(3 - 5 / 4) / 8, (3 - 5) / 8, (3 - 15) / 8])
    assert (curve["treat_none"] == 0).all() and curve["threshold"].tolist() == [0.2, 0.5, 0.75]


def test_net_benefit_at_another_prevalence_by_hand():
    curve = decision_curve(TRUTH, SCORE, [0.2, 0.5], prevalence=0.1)
    # Sensitivity 1 and 2/3, share of false positives 3/5 and 1/5.
    assert curve["network"].tolist() == pytest.approx([0.1 - 0.9 * 3 / 5 / 4, 0.1 * 2 / 3 - 0.9 / 5])
    assert curve["treat_all"].tolist() == pytest.approx([0.1 - 0.9 / 4, 0.1 - 0.9])
    same = decision_curve(TRUTH, SCORE, prevalence=3 / 8)
    assert same.to_numpy() == pytest.approx(decision_curve(TRUTH, SCORE).to_numpy())


def test_it_is_that_counted_patient_by_patient():
    random = np.random.default_rng(0)
    truth, score = random.integers(2, size=200), random.integers(101, size=200) / 100
    curve = decision_curve(truth, score)
    assert len(curve) == 99
    for _, row in curve.iterrows():
        called, odds = score >= row["threshold"], row["threshold"] / (1 - row["threshold"])
        benefit = np.mean(called & (truth == 1)) - odds * np.mean(called & (truth == 0))
        assert row["network"] == pytest.approx(benefit, abs=1e-12)


def test_everybody_called_is_treat_all_and_nobody_is_none():
    assert decision_curve(TRUTH, np.ones(8))["network"].to_numpy() == pytest.approx(
        decision_curve(TRUTH, np.ones(8))["treat_all"].to_numpy()
    )
    assert (decision_curve(TRUTH, np.zeros(8))["network"] == 0).all()
    perfect = decision_curve(TRUTH, TRUTH)
    assert perfect["network"].to_numpy() == pytest.approx(3 / 8)


def test_calibrated_scores_are_never_worse_than_both():
    random = np.random.default_rng(1)
    score = random.random(200_000)
    curve = decision_curve(random.random(200_000) < score, score)
    assert (curve["network"] >= curve[["treat_all", "treat_none"]].max(axis=1) - 0.002).all()
    assert curve["network"][49] == pytest.approx(3 / 8 - 1 / 8, abs=0.005)  # the integrals of p and 1 - p above 1/2


@pytest.mark.parametrize("threshold", [0, 1, np.nan])
def test_a_threshold_must_be_a_probability_between(threshold):
    with pytest.raises(ValueError, match="thresholds above 0 and below 1"):
        decision_curve(TRUTH, SCORE, [0.5, threshold])


def test_bad_scores_are_errors():
    with pytest.raises(ValueError, match="score from 0 to 1; found nan"):
        decision_curve([1, 0], [np.nan, 0.5])
