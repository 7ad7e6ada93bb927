"""Calibration by hand, against statsmodels, scikit-learn and SciPy, and of scores whose distortion is known."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, logit, xlogy
from sklearn.calibration import calibration_curve
from statsmodels.stats.proportion import proportion_confint

from glioma_idh.evaluation.calibration import (
    before_and_after,
    calibration_line,
    calibration_scores,
    crossfitted_scaling,
    fit_scaling,
    recalibrate,
    reliability_curve,
)


def distorted(n, slope=1.0, shift=0.0, seed=0):
    """Truths, and scores whose line has this slope and intercept."""
    random = np.random.default_rng(seed)
    logits = 2 * random.normal(size=n)
    truth = (random.random(n) < expit(logits)).astype(int)
    return truth, expit((logits - shift) / slope)


def table(truth, score, repeat=0, split=0):
    names = [f"p{number:05}" for number in range(len(truth))]
    columns = {"subject": names, "patient": names, "repeat": repeat, "split": split, "truth": truth, "score": score}
    return pd.DataFrame(columns)


def loss(truth, logits):
    return -(xlogy(truth, expit(logits)) + xlogy(1 - truth, expit(-logits))).sum()


def test_line_is_that_of_statsmodels():
    truth, score = distorted(300, 0.5, -1)
    fit = sm.Logit(truth, sm.add_constant(logit(score))).fit(disp=0)
    line = calibration_line(truth, score)
    assert (line.intercept.value, line.slope.value) == pytest.approx(fit.params, rel=1e-6)
    assert [line.intercept[1:3], line.slope[1:3]] == [pytest.approx(ends, rel=1e-5) for ends in fit.conf_int()]
    assert line.slope.reason == line.intercept.reason == line.in_the_large.reason == ""
    shift = sm.GLM(truth, np.ones(300), sm.families.Binomial(), offset=logit(score)).fit()
    assert line.in_the_large[:3] == pytest.approx([shift.params[0], *shift.conf_int()[0]], rel=1e-5)


def test_scores_of_0_and_1_leave_the_line_finite():
    truth, score = np.array([0, 1, 0, 1, 1, 1]), np.array([0.05, 0.05, 0.2, 0.24, 1.0, 0.95])
    shift = calibration_line(truth, score).in_the_large
    assert expit(logit(score.clip(1e-7, 1 - 1e-7)) + shift.value).sum() == pytest.approx(4)
    assert 0 < shift.value < 3
    everywhere = calibration_line([1, 0, 0, 0], [0.0, 0.0, 1.0, 0.999])
    assert np.isfinite(everywhere.in_the_large[:3]).all()


def test_decisions_have_no_calibration():
    decisions = calibration_scores([1, 1, 0, 0], [1, 0, 0, 1])
    reason = "cannot be computed, because all scores are 0 or 1, so they are decisions, not probabilities"
    assert {decisions[name].reason for name in ("slope", "intercept", "in_the_large")} == {reason}
    assert calibration_line([1, 1, 0, 0], [1, 0, 0.001, 1]).in_the_large.reason == ""


def test_scores_that_the_clip_moves_are_counted():
    score = [1e-8, 1e-7, 0.5, 1 - 1e-8, 1]
    assert calibration_scores([0, 0, 1, 1, 1], score)["num_clipped"] == 3


@pytest.mark.parametrize("slope, shift", [(1, 0), (0.5, 0), (1.5, 0.7), (1, -0.7)])
def test_line_finds_the_distortion(slope, shift):
    line = calibration_line(*distorted(50_000, slope, shift))
    assert (line.slope.value, line.intercept.value) == pytest.approx((slope, shift), abs=0.05)
    if slope == 1:
        assert line.in_the_large.value == pytest.approx(shift, abs=0.05)


@pytest.mark.parametrize(
    "truth, score, reason",
    [
        ([1, 1], [0.4, 0.6], "there is only one class"),
        ([1, 0, 0], [0.4, 0.4, 0.4], "all scores are equal"),
        ([1, 0, 0], [0.8, 0.4, 0.3], "do not overlap"),
        ([1, 1, 0, 0], [0.8, 0.5, 0.5, 0.3], "do not overlap"),
        ([0, 0, 1], [0.8, 0.4, 0.3], "do not overlap"),
    ],
)
def test_no_line_says_why(truth, score, reason):
    line = calibration_line(truth, score)
    assert line.slope.reason.startswith("cannot be computed, because ") and reason in line.slope.reason
    assert line.intercept.reason == line.slope.reason and np.isnan(line.slope[:3]).all()
    assert (line.in_the_large.reason == "") == (len(set(truth)) == 2)


def test_reliability_by_hand():
    truth, score = [0, 1, 0, 1, 1, 1], [0.05, 0.05, 0.2, 0.24, 1.0, 0.95]
    curve = reliability_curve(truth, score)
    assert curve["n"].tolist() == [2, 2, 2] and curve["events"].tolist() == [1, 1, 2]
    assert curve["from_score"].tolist() == pytest.approx([0, 0.2, 0.9])
    assert curve["to_score"].tolist() == pytest.approx([0.1, 0.3, 1])
    assert curve["mean_score"].tolist() == pytest.approx([0.05, 0.22, 0.975])
    assert curve.loc[2, ["low", "high"]].tolist() == pytest.approx(proportion_confint(2, 2, method="wilson"))
    scores = calibration_scores(truth, score)
    assert scores["ece"] == pytest.approx((0.45 + 0.28 + 0.025) / 3)
    assert scores["brier"] == pytest.approx((0.05**2 + 0.95**2 + 0.2**2 + 0.76**2 + 0 + 0.05**2) / 6)
    right = [0.95, 0.05, 0.8, 0.24, 1 - 1e-7, 0.95]
    assert scores["log_loss"] == pytest.approx(-np.log(right).mean())


def test_reliability_is_that_of_scikit_learn():
    truth, score = distorted(500)
    observed, mean_score = calibration_curve(truth, score, n_bins=7)
    curve = reliability_curve(truth, score, num_bins=7)
    assert curve["observed"].to_numpy() == pytest.approx(observed)
    assert curve["mean_score"].to_numpy() == pytest.approx(mean_score)


def test_scalings_are_the_best_there_are():
    truth, score = distorted(200, 0.5, 0.5)
    slope, none = fit_scaling(truth, score, "temperature")
    assert none == 0
    assert slope == pytest.approx(minimize_scalar(lambda slope: loss(truth, slope * logit(score))).x, abs=1e-5)
    inside = np.where(truth == 1, (truth.sum() + 1) / (truth.sum() + 2), 1 / ((1 - truth).sum() + 2))
    best = minimize(lambda line: loss(inside, line[0] * logit(score) + line[1]), [1, 0]).x
    assert fit_scaling(truth, score, "platt") == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize("method", ["temperature", "platt"])
@pytest.mark.parametrize(
    "truth, score, reason",
    [
        ([1, 1], [0.4, 0.6], "one class"),
        ([1, 0], [0.4, 0.4], "all scores are equal"),
        ([1, 1, 0, 0], [0.2, 0.4, 0.3, 0.9], "mutants are lower on the whole than"),
    ],
)
def test_nothing_to_learn_says_why(truth, score, reason, method):
    with pytest.raises(ValueError, match=reason):
        fit_scaling(truth, score, method)


def test_classes_apart_have_a_line_but_no_temperature():
    with pytest.raises(ValueError, match="do not overlap"):
        fit_scaling([1, 1, 0, 0], [0.9, 0.8, 0.3, 0.2], "temperature")
    assert np.isfinite(fit_scaling([1, 1, 0, 0], [0.9, 0.8, 0.3, 0.2], "platt")).all()
    with pytest.raises(ValueError, match="a method of temperature, platt; found isotonic"):
        fit_scaling([1, 0], [0.9, 0.8], "isotonic")


def test_scaling_mends_what_is_too_sure_and_learns_from_others_alone():
    truth, score = distorted(3000, 1 / 3)  # logits three times too large
    predictions = table(truth, score, split=np.arange(3000) % 5)
    scaling = crossfitted_scaling(predictions, "temperature")
    assert scaling["slope"].to_numpy() == pytest.approx(1 / 3, abs=0.03) and (scaling["num_patients"] == 2400).all()
    assert (scaling["intercept"] == 0).all() and (crossfitted_scaling(predictions, "platt")["intercept"] != 0).all()
    inside = predictions["split"] == 2
    other = predictions.assign(truth=predictions["truth"].where(~inside, 1 - predictions["truth"]))
    same = crossfitted_scaling(other, "temperature")["slope"] == scaling["slope"]
    assert same.tolist() == [False, False, True, False, False]
    numbers = before_and_after(predictions, calibration_scores)
    assert list(numbers) == ["before", "temperature", "platt"]
    for method in ("temperature", "platt"):
        assert numbers[method]["slope"].value == pytest.approx(1, abs=0.1)
        assert numbers[method]["ece"] < 0.03 < numbers["before"]["ece"]
        assert numbers[method]["brier"] < numbers["before"]["brier"]
        assert numbers[method]["log_loss"] < numbers["before"]["log_loss"]


def test_mended_scores_by_hand():
    predictions = table([1, 0, 1], [0.8, 0.2, 0.5], split=[0, 0, 1])
    scaling = pd.DataFrame({"repeat": 0, "split": [0, 1], "slope": [2.0, 1.0], "intercept": np.log(3)})
    mended = recalibrate(predictions, scaling)
    assert mended["score"].tolist() == pytest.approx([48 / 49, 3 / 19, 3 / 4])  # odds 4, 1/4 squared, and 1; times 3
    assert mended.drop(columns="score").equals(predictions.drop(columns="score"))


def test_one_test_set_has_scores_before_alone():
    numbers = before_and_after(table(*distorted(50)), calibration_scores)
    assert numbers["before"]["brier"] > 0
    reason = "cannot be computed, because only 0 mutant and 0 wild-type patients are outside the test set"
    assert numbers["platt"]["reason"].startswith(reason) and numbers["temperature"]["reason"].startswith(reason)


def test_a_split_without_a_scaling_says_which():
    truth, score = distorted(60)
    numbers = before_and_after(table(truth, 1 - score, split=np.arange(60) % 2), calibration_scores)
    assert (
        "outside the test set of repeat 0, split 0, the scores of mutants are lower on the whole"
        in numbers["platt"]["reason"]
    )
    with pytest.raises(ValueError, match="score from 0 to 1; found nan"):
        before_and_after(table(truth, np.nan), calibration_scores)


def test_curves_before_and_after_are_of_the_same_scores():
    truth, score = distorted(400, slope=0.5)
    predictions = table(truth, score, split=np.arange(400) % 4)
    curves, numbers = (
        before_and_after(predictions, reliability_curve),
        before_and_after(predictions, calibration_scores),
    )
    assert list(curves) == ["before", "temperature", "platt"]
    pd.testing.assert_frame_equal(curves["before"], reliability_curve(truth, score))
    for name, curve in curves.items():
        assert curve["n"].sum() == 400
        error = np.average((curve["observed"] - curve["mean_score"]).abs(), weights=curve["n"])
        assert numbers[name]["ece"] == pytest.approx(error)


def test_a_patient_of_two_tests_counts_once_with_the_mean_score():
    truth, score = distorted(40)
    fold = np.arange(40) % 2
    twice = pd.concat([table(truth, score, 0, fold), table(truth, 1 - score, 1, fold)])  # the mean is one half
    assert before_and_after(twice, calibration_scores)["before"]["brier"] == pytest.approx(0.25)
    (row,) = before_and_after(twice, reliability_curve)["before"].to_dict("records")
    assert row["n"] == 40 and row["mean_score"] == pytest.approx(0.5)
