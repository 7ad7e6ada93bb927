"""Level, seed and number of draws are handed on, from whoever takes them to whoever needs them."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from scipy.stats import norm

from glioma_idh.evaluation.baselines import Baseline, compare_with_baselines
from glioma_idh.evaluation.bootstrap import (
    batches,
    bootstrap_auc,
    bootstrap_average_precision,
    bootstrap_mean,
    bootstrap_ratio,
    drawn_curves,
    precision_recall_band,
    roc_band,
)
from glioma_idh.evaluation.calibration import (
    calibration_line,
    calibration_scores,
    reliability_curve,
)
from glioma_idh.evaluation.comparisons import compare_auc
from glioma_idh.evaluation.intervals import auc_estimate, expected_auc_half_width, split_auc_estimate
from glioma_idh.evaluation.segmentation import summarise_segmentation
from glioma_idh.evaluation.strata import strata_scores
from glioma_idh.evaluation.thresholds import crossfitted_rates

N = 60
RANDOM = np.random.default_rng(0)
TRUTH = np.arange(N) % 2
SCORE = norm.cdf(RANDOM.normal(size=N) + TRUTH - 0.5)
NAMES = [f"p{number:02}" for number in range(N)]
TABLE = pd.DataFrame(
    {"subject": NAMES, "patient": NAMES, "repeat": 0, "split": np.arange(N) // 2 % 3, "truth": TRUTH, "score": SCORE}
)
MASKS = TABLE.assign(dice=SCORE, hd95_mm=10 * SCORE, lesion_ml=30.0, predicted_ml=30 * SCORE)
MASKS = MASKS.assign(num_lesions=RANDOM.integers(3, 9, size=N), num_lesions_found=RANDOM.integers(4, size=N))
COHORT = TABLE[["subject", "patient"]].assign(grade="4", age_years=np.arange(N) + 20)
OTHER = TABLE.assign(score=norm.cdf(RANDOM.normal(size=N) + 0.3 * TRUTH))
NORMAL = norm.ppf(0.75) / norm.ppf(0.975)  # of a 50 % interval by a 95 % one


def width(estimate) -> float:
    """From an interval's lower end to its upper one."""
    low, high = (estimate["low"], estimate["high"]) if isinstance(estimate, dict) else (estimate.low, estimate.high)
    return high - low


@pytest.mark.parametrize(
    "interval",
    [
        lambda level: calibration_line(TRUTH, SCORE, level).slope,
        lambda level: calibration_line(TRUTH, SCORE, level).intercept,
        lambda level: calibration_line(TRUTH, SCORE, level).in_the_large,
        lambda level: compare_auc(TABLE, OTHER, level),
        lambda level: compare_with_baselines(TABLE, {"other": Baseline(OTHER)}, level)["other"],
    ],
    ids=["slope", "intercept", "in the large", "difference", "baseline"],
)
def test_an_interval_of_half_the_patients_is_narrower_as_the_normal_curve_says(interval):
    assert width(interval(0.5)) / width(interval(0.95)) == pytest.approx(NORMAL)


@pytest.mark.parametrize(
    "interval",
    [
        lambda level: auc_estimate(TRUTH, SCORE, level)._asdict(),
        lambda level: split_auc_estimate(TABLE, level)._asdict(),
        lambda level: strata_scores(TABLE, COHORT, level).query("stratum == '4'").iloc[0].to_dict(),
    ],
    ids=["auc", "within splits", "stratum"],
)
def test_an_interval_of_an_auc_narrows_so_on_the_logit_scale(interval):
    half, most = (np.diff(logit([interval(level)[end] for end in ("low", "high")])) for level in (0.5, 0.95))
    assert half / most == pytest.approx(NORMAL)


def test_the_expected_width_is_of_its_level():
    assert expected_auc_half_width(100, 0.4, level=0.5) == pytest.approx(expected_auc_half_width(100, 0.4) * NORMAL)


@pytest.mark.parametrize(
    "interval",
    [
        lambda level: bootstrap_auc(TRUTH, SCORE, level=level),
        lambda level: bootstrap_average_precision(TRUTH, SCORE, level=level),
        lambda level: bootstrap_mean(TRUTH, SCORE, level=level),
        lambda level: bootstrap_ratio(SCORE, np.ones(N), level=level),
        lambda level: summarise_segmentation(MASKS, level)["dice"],
        lambda level: summarise_segmentation(MASKS, level)["lesions_found"],
        lambda level: crossfitted_rates(TABLE, level=level)["accuracy"],
        lambda level: reliability_curve(TRUTH, SCORE, 1, level).iloc[0].to_dict(),
    ],
    ids=["auc", "average precision", "mean", "ratio", "dice", "lesions found", "rates", "reliability"],
)
def test_other_intervals_narrow_about_as_much(interval):
    assert width(interval(0.5)) / width(interval(0.95)) == pytest.approx(NORMAL, abs=0.06)


@pytest.mark.parametrize("band", [roc_band, precision_recall_band])
def test_bands_narrow_too(band):
    widths = [np.subtract(*band(TRUTH, SCORE, [0.5], level=level)[::-1]) for level in (0.5, 0.95)]
    assert widths[0] / widths[1] == pytest.approx([NORMAL], abs=0.16)


@pytest.mark.parametrize(
    "estimate",
    [
        lambda **draws: bootstrap_auc(TRUTH, SCORE, **draws),
        lambda **draws: bootstrap_average_precision(TRUTH, SCORE, **draws),
        lambda **draws: bootstrap_mean(TRUTH, SCORE, **draws),
        lambda **draws: bootstrap_ratio(SCORE, np.ones(N), **draws),
        lambda **draws: tuple(np.ravel(roc_band(TRUTH, SCORE, [0.21], **draws))),
        lambda **draws: tuple(np.ravel(precision_recall_band(TRUTH, SCORE, [0.5], **draws))),
    ],
    ids=["auc", "average precision", "mean", "ratio", "roc band", "precision band"],
)
def test_two_thousand_draws_of_the_seed_that_is_asked_for(estimate):
    assert estimate() == estimate(draws=2000, seed=0)
    assert estimate(draws=300, seed=0) not in (estimate(draws=300, seed=1), estimate())


def test_the_draws_of_a_segmentation_come_from_its_seed():
    summaries = [summarise_segmentation(MASKS, seed=seed) for seed in (0, 1)]
    assert summarise_segmentation(MASKS) == summaries[0]
    for name in ("dice", "hd95_mm", "volume_error_ml", "lesions_found"):
        assert summaries[0][name] != summaries[1][name] and summaries[0][name].value == summaries[1][name].value


def test_all_draws_are_made_and_each_has_as_many_patients_of_a_class_as_there_are():
    assert batches(250) == [100, 100, 50] and batches(100) == [100] and sum(batches(2000)) == 2000
    truth, score = np.repeat([1, 0], [2, 5]), np.array([0.9, 0.4, 0.8, 0.4, 0.3, 0.2, 0.1])
    curves = list(drawn_curves(truth, score, 150, seed=0))
    true_positives, false_positives = (np.concatenate(counts) for counts in zip(*curves, strict=True))
    assert true_positives.shape == false_positives.shape == (150, 1 + 6)  # six different scores, and nobody
    assert (true_positives[:, 0] == 0).all() and (false_positives[:, 0] == 0).all()
    assert (true_positives[:, -1] == 2).all() and (false_positives[:, -1] == 5).all()
    assert (np.diff(true_positives, axis=1)[:, [1, 3, 4, 5]] == 0).all()  # scores that no mutant has
    # Each of five wild-types is drawn about 150 times: the count of each score's is binomial, sd 11.
    assert np.diff(false_positives, axis=1).sum(axis=0)[1:] == pytest.approx([150] * 5, abs=45)


def test_the_number_of_bins_is_handed_on():
    for num_bins in (1, 3):
        curve, scores = reliability_curve(TRUTH, SCORE, num_bins), calibration_scores(TRUTH, SCORE, num_bins)
        assert len(curve) == num_bins
        assert scores["ece"] == pytest.approx(
            np.average((curve["observed"] - curve["mean_score"]).abs(), weights=curve["n"])
        )
    assert calibration_scores(TRUTH, SCORE)["ece"] == calibration_scores(TRUTH, SCORE, 10)["ece"] != scores["ece"]
