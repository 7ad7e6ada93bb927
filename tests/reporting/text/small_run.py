"""A run of five patients in two folds, and numbers of it that fit, for tests of what reports say."""

import copy

import pandas as pd

from glioma_idh.reporting.text import facts
from glioma_idh.reporting.text.templates import TEXTS, render_topics
from glioma_idh.runs.run import Run

SGPNET = {
    "recipe": {
        "paper": "sgp3d",
        "cohort": "brats2020-tcga",
        "all_visits": False,
        "shape": [32, 48, 64],
        "targets": "both",
        "network": "sgpnet",
        "splits": "kfold",
        "num_splits": 2,
        "epochs": 60,
        "batch_size": 2,
        "learning_rate": 0.001,
        "idh_learning_rate": 0.00005,
        "detach_k": False,
        "dropout": 0.3,
        "shift_fraction": 0.1,
        "standardise_features": False,
        "dtype": "bfloat16",
        "seed": 7,
        "phantom_subjects": 24,
        "phantom_spacing_mm": 2.0,
        "filters": 8,
        "move_probability": 0.5,
        "smoothing_voxels": 1.0,
        "test_fraction": 0.2,
        "min_test_mutants": 5,
        "images": "somewhere/scans",
    },
    "hash": "0123abcd",
    "versions": {"python": "3.12.1", "glioma-idh": "0.1.0", "keras": "3.15.1"},
    "published": {"auc": [0.949, None]},
}
SLICE_CNN = {
    "recipe": {
        "paper": "gbm2d",
        "sequence": ["t1gd"],
        "cohort": "phantom",
        "all_visits": False,
        "splits": "holdout",
        "num_splits": 3,
        "epochs": 500,
        "batch_size": 16,
        "seed": 0,
        "rotation_deg": [0.0, 90.0],
        "learning_rate": 0.0001,
        "size": 64,
        "test_fraction": 0.2,
        "min_test_mutants": 5,
        "filters": [16, 32, 64, 64],
        "units": [64, 32],
        "images": "",
        "phantom": {"num_subjects": 5, "num_mutant": 2, "seed": 193, "spacing_mm": 2.0, "phantom_version": 1},
    },
    "hash": "4567cdef",
    "versions": {"python": "3.12.1", "glioma-idh": "0.1.0"},
    "published": {},
}
COHORT = pd.DataFrame(
    {
        "subject": ["a1", "b1", "c1", "d1", "e1"],
        "patient": ["a", "b", "c", "d", "e"],
        "cohort": "brats2020-tcga",
        "site": ["X", "X", "Y", "Y", "Y"],
        "idh": [1, 1, 0, 0, 0],
        "idh_evidence": ["R132H", "R132H", "none found", "none found", ""],
        "grade": ["LGG", "LGG", "HGG", "HGG", "LGG"],
        "age_years": [30.0, 50.0, 70.0, 60.0, float("nan")],
        "sex": "",
        "lesion_mask": "seg.nii.gz",
        "brain_mask": "",
    }
)
SPLITS = pd.DataFrame(
    {
        "subject": [*COHORT["subject"], *COHORT["subject"]],
        "repeat": 0,
        "split": [0] * 5 + [1] * 5,
        "part": ["test", "train", "test", "test", "train", "train", "test", "train", "train", "test"],
    }
)
EXCLUSIONS = pd.DataFrame(
    {
        "subject": ["f1", "g1", "h1"],
        "file": "",
        "expected": ["a lesion", "IDH status", "IDH status"],
        "found": ["an empty mask", "an empty label", "an empty label"],
        "advice": "",
    }
)


def estimate(value, low, high) -> dict:
    """An `Estimate` as `performance` gives it."""
    return {"value": value, "low": low, "high": high, "reason": ""}


def no_estimate(reason: str) -> dict:
    """One that is not to be had, as it comes out of a file."""
    return {"value": None, "low": None, "high": None, "reason": f"cannot be computed, because {reason}"}


def share(count: int, total: int) -> dict:
    """A `Proportion` with an interval of its own making."""
    return estimate(count / total, count / total / 2, 1.0) | {"count": count, "total": total}


def difference(value, low, high, p, reason="") -> dict:
    """A `Comparison`."""
    return {"difference": value, "low": low, "high": high, "p": p, "reason": reason}


NO_AGE = "cannot be computed, because the cohort has no age_years"
RATES = {"sensitivity": share(1, 2), "specificity": share(2, 3), "accuracy": share(3, 5), "ppv": share(1, 2)}
RATES |= {"npv": share(2, 3), "confusion": {"tp": 1, "fn": 1, "tn": 2, "fp": 1}}
RATES |= {"at_cohort_prevalence": {"ppv": 0.391, "npv": 0.757, "reason": ""}}
BEFORE, IMAGE, AFTER = "before surgery, without imaging", "from the image, without a network", "after surgery"
WORTH = {
    "patients": {
        "num_tested": 5,
        "num_mutant": 2,
        "num_wild_type": 3,
        "num_never_tested": 0,
        "num_splits": 2,
        "tests_each": [1, 1],
        "folds_made": False,
    },
    "prevalence": {"tests": 0.42, "patients": 0.4, "cohort": 0.3},
    "auc": {
        "within_splits": estimate(0.75, 0.5, 0.95),
        "mean_over_splits": estimate(0.72, None, None),
        "pooled": estimate(0.73, 0.47, 0.93),
        "pooled_bootstrap": estimate(0.73, 0.45, 1.0),
        "num_pairs": 4,
        "reversed": False,
    },
    "average_precision": estimate(0.7, 0.4, 1.0),
    "brier": estimate(0.2, 0.1, 0.3),
    "log_loss": estimate(0.6, 0.4, 0.8),
    "rates": {"0.5": RATES, "youden": RATES, "sensitivity 0.9": RATES},
    "thresholds": [],
    "calibration": {
        "before": {"slope": estimate(0.4, 0.2, 0.6), "intercept": estimate(0.1, -0.5, 0.7), "ece": 0.25},
        "temperature": {"reason": "cannot be computed, because there is but one class"},
        "platt": {"slope": estimate(1.0, 0.5, 1.5), "intercept": estimate(0.0, -0.5, 0.5), "ece": 0.1},
    },
    "reliability": {},
    "decision": [{"threshold": 0.5, "network": 0.1, "treat_all": 0.0, "treat_none": 0.0}],
    "decision_at_cohort_prevalence": [{"threshold": 0.5, "network": 0.07, "treat_all": -0.2, "treat_none": 0.0}],
    "strata": [
        {"variable": "grade", "stratum": "HGG", "n": 2, "events": 0, "pairs": 0, "auc": None, "low": None, "high": None}
        | {"reason": "cannot be computed, because the stratum is too small"},
        {"variable": "grade", "stratum": "LGG", "n": 3, "events": 2, "pairs": 1, "auc": 0.5, "low": 0.1, "high": 0.9}
        | {"reason": ""},
        {"variable": "site", "stratum": "X", "n": 5, "events": 2, "pairs": 3, "auc": 0.75, "low": 0.5, "high": 0.95}
        | {"reason": ""},
        {"variable": "sex", "stratum": "not known", "n": 0, "events": 0, "pairs": 0, "auc": None, "low": None}
        | {"high": None, "reason": "cannot be computed, because the cohort has no sex"},
    ],
    "baselines": {
        "majority": {"stage": BEFORE, "auc": estimate(0.5, 0.5, 0.5), "difference": difference(0.25, 0.0, 0.5, 0.0004)},
        "age": {"stage": BEFORE, "auc": no_estimate("the cohort has no age_years")}
        | {"difference": difference(*[None] * 4, NO_AGE)},
        "lesion volume": {"stage": IMAGE, "auc": estimate(0.6, 0.3, 0.8)}
        | {"difference": difference(0.15, -0.1, 0.4, 0.3)},
        "grade": {"stage": AFTER, "auc": estimate(0.8, 0.6, 1.0), "difference": difference(-0.05, -0.2, 0.1, 0.52)},
    },
    "beats_baselines": {"verdict": "does not beat", "not_beaten": ["lesion volume", "grade"], "reason": ""},
    "segmentation": {"dice": estimate(0.8, 0.7, 0.9), "volume_error_ml": estimate(-3.0, -5.0, -1.0), "num_subjects": 5},
    "expected": {"num_patients": 5, "prevalence": 0.4, "auc": 0.8, "half_width": 0.42},
}
NO_SCORE = "cannot be computed, because the table holds no score, as that of a network of segmentation alone"
OF_SCORES = (
    "prevalence",
    "auc",
    "average_precision",
    "brier",
    "log_loss",
    "rates",
    "calibration",
    "decision",
    "strata",
    "baselines",
)
LESIONS_ALONE = {name: {"reason": NO_SCORE} for name in (*OF_SCORES, "expected")}
LESIONS_ALONE |= {name: WORTH[name] for name in ("patients", "segmentation")}
LESIONS_ALONE |= {"beats_baselines": {"verdict": "cannot be computed", "not_beaten": [], "reason": NO_SCORE}}
PHANTOMS = COHORT.assign(cohort="phantom", idh_evidence="planted", brain_mask="brain.nii.gz")


def with_settings(content: dict, **settings) -> dict:
    """A recipe.json with other settings; None takes one out, as in an older run."""
    content = copy.deepcopy(content)
    content["recipe"] |= settings
    content["recipe"] = {name: value for name, value in content["recipe"].items() if value is not None}
    return content


def run(recipe: dict, cohort=COHORT, splits=SPLITS, performance=None, exclusions=None, name: str = "SGPNet") -> Run:
    """A run of these tables whose numbers are these."""
    made = Run(None, name, recipe, cohort, exclusions, splits, pd.DataFrame())
    vars(made)["performance"] = performance or {}  # in the place of those that it would compute
    return made


def method_of(recipe: dict) -> dict[str, str]:
    """What the settings of a run say of its method, by topic."""
    made = run(recipe)
    values = facts.setting_values(made) | facts.patient_values(made)
    return render_topics(made.paper.method, values, True) | render_topics(f"{TEXTS}/software.j2", values, True)


def statistics_of(performance: dict) -> dict[str, str]:
    """How the numbers were made, by topic."""
    return render_topics(f"{TEXTS}/statistics.j2", facts.number_values(performance))


def numbers_of(performance: dict) -> dict[str, str]:
    """The numbers in sentences, by topic."""
    return render_topics(f"{TEXTS}/numbers.j2", facts.number_values(performance))
