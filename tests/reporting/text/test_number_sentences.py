"""Each number stands in the sentence under its own name: no two of them are alike."""

import pytest

from glioma_idh.reporting.tables.cells import slope_cell
from glioma_idh.reporting.text.facts import limits
from tests.reporting.text.small_run import (
    AFTER,
    BEFORE,
    COHORT,
    PHANTOMS,
    SGPNET,
    SLICE_CNN,
    difference,
    estimate,
    numbers_of,
    run,
    share,
    with_settings,
)


def scaled(first):
    """Slope, intercept and error of calibration, each unlike the others."""
    slope, intercept = estimate(first, first - 0.1, first + 0.2), estimate(first + 3, first + 2.9, first + 3.2)
    return {"slope": slope, "intercept": intercept, "ece": first / 100}


def stratum(variable, name, n, events, auc=None):
    ends = {"low": None, "high": None} if auc is None else {"low": auc - 0.1, "high": auc + 0.2}
    return {"variable": variable, "stratum": name, "n": n, "events": events, "auc": auc, "reason": "", **ends}


RATES = {"sensitivity": share(7, 10), "specificity": share(24, 30), "accuracy": share(31, 40), "ppv": share(7, 13)}
RATES |= {"npv": share(24, 27), "confusion": {"tp": 7, "fn": 3, "tn": 24, "fp": 6}}
OTHERS = {name: share(1, 99) for name in ("sensitivity", "specificity", "accuracy", "ppv", "npv")}
NUMBERS = {
    "patients": {"num_tested": 40, "num_mutant": 10, "num_wild_type": 30, "num_never_tested": 4},
    "auc": {
        "within_splits": estimate(0.81, 0.71, 0.92),
        "mean_over_splits": estimate(0.83, None, None),
        "pooled": estimate(0.82, 0.72, 0.93),
        "pooled_bootstrap": estimate(0.82, 0.74, 0.94),
    },
    "average_precision": estimate(0.63, 0.53, 0.74),
    "brier": estimate(0.14, 0.11, 0.18),
    "log_loss": estimate(0.44, 0.34, 0.55),
    "rates": {"0.5": RATES, "youden": OTHERS, "sensitivity 0.9": OTHERS},
    "calibration": {"before": scaled(1.4), "temperature": scaled(2.4), "platt": scaled(3.4)},
    "strata": [
        stratum("grade", "HGG", 12, 1),
        stratum("grade", "LGG", 28, 9, 0.61),
        stratum("site", "X", 17, 4, 0.51),
        stratum("site", "Y", 23, 6, 0.71),
    ],
    "baselines": {
        "grade": {"stage": AFTER, "auc": estimate(0.85, 0.75, 0.96)}
        | {"difference": difference(-0.04, -0.14, 0.06, 0.4)},
        "age": {"stage": BEFORE, "auc": estimate(0.45, 0.35, 0.56)}
        | {"difference": difference(0.36, 0.21, 0.48, 0.0004)},
    },
    "segmentation": {
        "dice": estimate(0.79, 0.69, 0.88),
        "hd95_mm": estimate(7.1, 6.2, 8.3),
        "volume_error_ml": estimate(-3.1, -4.2, -2.3),
        "lesions_found": estimate(0.92, 0.83, 0.97),
        "false_lesions": estimate(0.31, 0.21, 0.42),
    },
    "expected": {"num_patients": 40, "prevalence": 0.25, "auc": 0.8, "half_width": 0.17},
}


def test_every_sentence_has_its_own_numbers():
    said = numbers_of(NUMBERS)
    assert said.pop("measures").startswith("AUC; average precision; Brier score; log loss; sensitivity,")
    assert said.pop("verdict") == ""
    assert said.pop("uncertainty") == (
        "Methods of the 95 % confidence intervals: DeLong on the logit scale (AUC), Wilson (sensitivity and other "
        "proportions), Wald (calibration slope and intercept) and bootstrap (segmentation). Differences in AUC were "
        "tested with DeLong's paired test; p values are after Holm correction."
    )
    assert said == {
        "auc": "40 patients tested (10 IDH-mutant). Estimates with 95 % CIs: AUC within splits 0.81 (0.71 to 0.92), "
        "average precision 0.63 (0.53 to 0.74), Brier score 0.14 (0.11 to 0.18), log loss 0.44 (0.34 to 0.55).",
        "rates": "At a threshold of 0.5: sensitivity 0.70 (0.35 to 1.00), 7 of 10; specificity 0.80 (0.40 to "
        "1.00), 24 of 30; accuracy 0.78 (0.39 to 1.00), 31 of 40; PPV 0.54 (0.27 to 1.00), 7 of 13; NPV 0.89 (0.44 to "
        "1.00), 24 of 27.",
        "mistakes": "At a threshold of 0.5, 3 of 10 IDH-mutant patients were predicted to be wild-type, and 6 of 30 "
        "IDH-wild-type patients were predicted to be mutant.",
        "calibrated": "Calibration before recalibration: slope 1.40 (1.30 to 1.60), intercept 4.40 (4.30 to "
        "4.60), ECE 0.01. Calibration after temperature scaling: slope 2.40 (2.30 to 2.60), intercept 5.40 (5.30 to "
        "5.60), ECE 0.02. Calibration after Platt scaling: slope 3.40 (3.30 to 3.60), intercept 6.40 (6.30 to 6.60), "
        "ECE 0.03.",
        "groups": "AUC (95 % CI) within grade LGG (n = 28, 9 IDH-mutant) 0.61 (0.51 to 0.81); site X (n = 17, 4 "
        "IDH-mutant) 0.51 "
        "(0.41 to 0.71); site Y (n = 23, 6 IDH-mutant) 0.71 (0.61 to 0.91). Groups too small for an AUC: 1.",
        "sites": "AUC (95 % CI) within site X (n = 17, 4 IDH-mutant) 0.51 (0.41 to 0.71); site Y (n = 23, 6 "
        "IDH-mutant) 0.71 "
        "(0.61 to 0.91).",
        "beside_baselines": "Each difference in AUC is that of the network minus that of the baseline. Grade: AUC 0.85 "
        "(0.75 to 0.96), difference -0.04 (-0.14 to +0.06), p = 0.40. Age: AUC 0.45 (0.35 to 0.56), difference +0.36 "
        "(+0.21 to +0.48), p < 0.001.",
        "lesions": "Segmentation: Dice 0.79 (0.69 to 0.88), HD95 7.10 (6.20 to 8.30) mm, volume error (predicted minus "
        "reference) -3.10 (-4.20 to -2.30) ml, proportion of lesions found 0.92 (0.83 to 0.97), false lesions per "
        "subject 0.31 (0.21 to 0.42).",
        "expected": "With 40 patients (25 % IDH-mutant), the expected 95 % CI of an AUC of 0.8 is about ± 0.17.",
    }


def test_an_interval_of_calibration_that_is_too_wide_is_not_printed():
    wide = {"slope": estimate(2.63, -1285.62, 1290.87), "intercept": estimate(0.0, -9.9, 9.9), "ece": 0.0}
    reason = "cannot be estimated, because there are too few patients or their scores are too similar"
    assert numbers_of({"calibration": {"before": wide}})["calibrated"] == (
        f"Calibration before recalibration: slope 2.63 (interval {reason}), intercept 0.00 (-9.90 to 9.90), ECE 0.00."
    )
    assert slope_cell(estimate(1.0, -9.0, 11.0)) == "1.00 (-9.00 to 11.00)"
    assert slope_cell(estimate(1.0, -9.1, 11.1)) == f"1.00 (interval {reason})"


def test_limits_have_their_numbers_and_those_that_do_not_hold_are_silent():
    beaten = {"beats_baselines": {"verdict": "does not beat", "not_beaten": ["grade", "sex"], "worse": ["age"]}}
    assert limits(run(SGPNET, cohort=COHORT, performance=NUMBERS | beaten)) == [
        "The network has a lower AUC than age alone.",
        "With 40 patients (10 IDH-mutant), the 95 % CI of the AUC ranges from 0.71 to 0.92.",
        "The network is underconfident: calibration slope 1.40 (95 % CI 1.30 to 1.60); 1 is ideal.",
        "1 of 4 groups of patients is too small for a separate AUC.",
        "Sex of the patients is not available.",
        "4 patients were never tested.",
        "There was no external testing.",
        "Confidence intervals describe the sampling of patients only; training with another random seed may change "
        "the results by more.",
    ]
    known = COHORT.assign(sex="F")
    silent = NUMBERS["calibration"] | {"before": scaled(1.05)}  # 0.95 to 1.25
    people = NUMBERS["patients"] | {"num_never_tested": 1}
    found = limits(run(SGPNET, cohort=known, performance={"calibration": silent, "patients": people}))
    assert found[:-2] == ["1 patient was never tested."]
    unknown = limits(run(SGPNET, cohort=COHORT.assign(age_years="", site=""), performance={}))
    assert unknown[0] == "Age, sex and site of the patients are not available."


@pytest.mark.parametrize(
    "settings, needed",
    [
        (SLICE_CNN, True),
        (SGPNET, False),
        (with_settings(SGPNET, network="resnet2d"), True),
        (with_settings(SGPNET, network="densenet3d"), False),
    ],
)
def test_a_network_that_needs_an_outline_to_be_applied_says_so(settings, needed):
    assert (
        "The network can be applied only to patients with a lesion mask."
        in limits(run(settings, cohort=COHORT, performance={}))
    ) == needed


def test_phantoms_are_the_first_limit():
    assert (
        limits(run({}, cohort=PHANTOMS, performance=NUMBERS))[0]
        == "The cohort is synthetic: these results do not apply to patients."
    )
    assert not any("synthetic" in limit for limit in limits(run({}, cohort=COHORT, performance=NUMBERS)))
