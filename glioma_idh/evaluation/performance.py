"""Compute all performance measures of one predictions table."""

from typing import Any, TypedDict

import numpy as np
import pandas as pd

from glioma_idh.evaluation import calibration, checks, intervals, thresholds
from glioma_idh.evaluation.auc import auc_within_splits
from glioma_idh.evaluation.baselines import STAGES, baseline_predictions, compare_with_baselines
from glioma_idh.evaluation.bootstrap import bootstrap_auc, bootstrap_average_precision, bootstrap_mean
from glioma_idh.evaluation.crossfitting import splits_of
from glioma_idh.evaluation.metrics import SPLIT, has_values, pool_patients, scores_by_split
from glioma_idh.evaluation.segmentation import summarise_segmentation
from glioma_idh.evaluation.strata import GROUPS, THIRDS, strata_scores

CHOICES = {"youden": None, "sensitivity 0.9": 0.9}  # target sensitivity of the cross-fitted thresholds, by name
HOPED_AUC = 0.8  # AUC for which the expected width of the confidence interval is computed
SURE = 0.05  # significance level
STRATA_COLUMNS = [*GROUPS.values(), *(column for column, _ in THIRDS.values())]
ESTIMATES = {  # measures of the labels and mean scores of all tested patients; add further measures here
    "average_precision": bootstrap_average_precision,
    "brier": lambda truth, score: bootstrap_mean(truth, calibration.squared_errors(truth, score)),
    "log_loss": lambda truth, score: bootstrap_mean(truth, calibration.log_losses(truth, score)),
}
OF_SCORES = [  # entries of `Performance` that need scores
    *("prevalence", "auc", *ESTIMATES, "rates", "thresholds", "calibration", "reliability", "decision"),
    *("decision_at_cohort_prevalence", "strata", "baselines", "expected"),
]


class Performance(TypedDict, total=False):
    """The result of `evaluate`, ready for `json.dumps`.

    Tables are lists of records. `Estimate`, `Proportion` and `Comparison` are dicts of their attributes. An entry that
    is not available is `{"reason": ...}`.
    """

    patients: dict  # result of `count_patients`, and `folds_made` (by `checks.complete`)
    prevalence: dict  # result of `prevalences`
    auc: dict  # estimates `within_splits, mean_over_splits, pooled` (DeLong), `pooled_bootstrap`; `num_pairs`; and
    # `reversed`: whether the whole interval is below 0.5
    hard_scores: bool  # whether all scores are 0 or 1
    average_precision: dict  # estimate, as the next two
    brier: dict
    log_loss: dict
    rates: dict  # by threshold, `0.5` or a name of CHOICES: proportions of `thresholds.RATES`, `confusion` (`tp, fp,
    # tn, fn`), and `at_cohort_prevalence` (`ppv, npv`)
    thresholds: list  # table of `crossfitted_thresholds`, with the column `choice`
    calibration: dict  # by `before, temperature, platt` (recalibration): result of `calibration_scores`
    reliability: dict  # by the same: table of `reliability_curve`
    decision: list  # table of `decision_curve`
    decision_at_cohort_prevalence: list  # the same, with the prevalence of the whole cohort
    strata: list  # table of `strata_scores`
    baselines: dict  # by name: `stage` (of `baselines.STAGES`), `auc` (estimate), `difference` (comparison: network
    # minus baseline, p values corrected after Holm)
    beats_baselines: dict  # result of the function `beats_baselines`
    expected: dict  # `num_patients, prevalence, auc`, and the expected `half_width` of the interval of such an AUC
    segmentation: dict  # result of `summarise_segmentation`


def evaluate(
    predictions: pd.DataFrame, cohort: pd.DataFrame | None = None, splits: pd.DataFrame | None = None
) -> Performance:
    """Compute all performance measures with 95 % confidence intervals, or the reason why one is unavailable.

    The AUC, also of the baselines and strata, compares only patients tested by the same network
    (`auc.auc_within_splits`). All other measures use one score per patient, the mean over the tests. The intervals
    describe the sampling of patients only, not the variation between trainings.

    Args:
        predictions: predictions table, or a table that `checks.complete` can convert to one.
        cohort: cohort table; by default its columns are taken from the predictions, as far as available.
        splits: splits table; by default that of `crossfitting.splits_of`.

    Raises:
        ValueError: a table is invalid, or the tables do not match. The message names the subject.
    """
    predictions, folds_made = checks.complete(predictions)
    checks.check_splits(predictions, "tests")
    if cohort is not None:
        checks.check_cohort(predictions, cohort)
    if splits is not None:
        checks.check_tests(predictions, splits)
    answers = {"patients": count_patients(predictions, cohort) | {"folds_made": folds_made}}
    answers["segmentation"] = summarise_segmentation(predictions)
    if not has_values(predictions, "score"):
        reason = checks.because("the table contains no scores (a network for segmentation only)")
        none = {"verdict": "cannot be computed", "not_beaten": [], "worse": [], "reason": reason}
        return _plain(answers | {name: {"reason": reason} for name in OF_SCORES} | {"beats_baselines": none})
    checks.check_predictions(predictions)
    given = cohort is not None or any(has_values(predictions, column) for column in STRATA_COLUMNS)
    if cohort is None:
        subjects = predictions.drop_duplicates("subject")
        columns = [column for column in STRATA_COLUMNS if column in predictions]
        cohort = subjects[["subject", "patient", *columns]].assign(idh=subjects["truth"])
    strata = strata_scores(predictions, cohort) if given else {"reason": checks.because("there is no cohort table")}
    baselines = _baselines(predictions, cohort, splits_of(predictions) if splits is None else splits)
    prevalence, pooled = prevalences(predictions, cohort), pool_patients(predictions)
    truth, score = pooled["truth"].to_numpy(), pooled["score"].to_numpy()
    expected: dict = {"reason": checks.because("there is only one class")}
    if truth.min() < truth.max():
        width = float(intervals.expected_auc_half_width(len(truth), truth.mean(), HOPED_AUC))
        expected = {"num_patients": len(truth), "prevalence": truth.mean(), "auc": HOPED_AUC, "half_width": width}
    chosen = [thresholds.crossfitted_thresholds(predictions, of).assign(choice=name) for name, of in CHOICES.items()]
    return _plain(
        answers
        | {"prevalence": prevalence, "auc": _aucs(predictions, truth, score)}
        | {"hard_scores": calibration.no_probabilities(predictions["score"])}
        | {name: estimate(truth, score) for name, estimate in ESTIMATES.items()}
        | {
            "decision": thresholds.decision_curve(truth, score),
            "decision_at_cohort_prevalence": thresholds.decision_curve(truth, score, prevalence=prevalence["cohort"]),
            "expected": expected,
            "rates": _rates(predictions, prevalence["cohort"]),
            "thresholds": pd.concat(chosen),
            "calibration": calibration.before_and_after(predictions, calibration.calibration_scores),
            "reliability": calibration.before_and_after(predictions, calibration.reliability_curve),
            "strata": strata,
            "baselines": baselines,
            "beats_baselines": beats_baselines(baselines),
        }
    )


def count_patients(predictions: pd.DataFrame, cohort: pd.DataFrame | None = None) -> dict:
    """Count the tested patients and their tests. Labels may be unknown.

    Returns:
        `num_tested, num_mutant, num_wild_type`; `num_never_tested`: labelled patients of the cohort that were not
        tested, 0 without a cohort table; `num_splits`; and `tests_each`: smallest and largest number of tests per
        patient.
    """
    truths = predictions.groupby("patient")["truth"].max()
    tests = predictions.drop_duplicates(["patient", *SPLIT]).groupby("patient").size()
    never = 0
    if cohort is not None:
        labelled = cohort[pd.to_numeric(cohort["idh"], errors="coerce").notna()] if "idh" in cohort else cohort
        never = len(set(labelled["patient"]) - set(predictions["patient"]))
    classes = {"num_mutant": int((truths == 1).sum()), "num_wild_type": int((truths == 0).sum())}
    counts = {"num_tested": len(truths)} | classes | {"num_never_tested": never}
    counts["num_splits"] = len(predictions.drop_duplicates(SPLIT))
    return counts | {"tests_each": [int(tests.min()), int(tests.max())]}


def prevalences(predictions: pd.DataFrame, cohort: pd.DataFrame) -> dict[str, float]:
    """Return the share of IDH-mutant among all `tests`, among tested `patients`, and among labelled cohort patients."""
    tests = predictions.drop_duplicates([*SPLIT, "patient"])
    labels = pd.to_numeric(cohort["idh"], errors="coerce").groupby(cohort["patient"]).max().dropna()
    patients = predictions.groupby("patient")["truth"].max()
    return {"tests": float(tests["truth"].mean()), "patients": float(patients.mean()), "cohort": float(labels.mean())}


def beats_baselines(baselines: dict[str, dict]) -> dict:
    """Decide whether a network is better than every baseline of `evaluate` except the majority class.

    Returns:
        verdict: "beats all" if every difference that is available is above 0 with p < 0.05 (after Holm); "does not
            beat"; or "cannot be computed" if no difference is available.
        not_beaten: names of the baselines that are not beaten.
        worse: those of them that are significantly better than the network.
        reason: the baselines without comparison and the reasons; "" if there are none.
    """
    differences = {name: baseline["difference"] for name, baseline in baselines.items() if name != "majority"}
    not_beaten = [name for name, (difference, _, _, p, _) in differences.items() if difference <= 0 or p >= SURE]
    worse = [name for name in not_beaten if differences[name].difference < 0 and differences[name].p < SURE]
    without = {name: why.reason for name, why in differences.items() if why.reason and name not in not_beaten}
    groups = pd.Series(list(without), list(without.values()), dtype=str).groupby(level=0, sort=False).agg(", ".join)
    reason = "; ".join(f"{names}: {why}" for why, names in groups.items())
    verdict = "does not beat" if not_beaten else "beats all"
    if set(differences) == set(without):
        verdict, reason = "cannot be computed", checks.because(f"no baseline could be compared ({reason})")
    return {"verdict": verdict, "not_beaten": not_beaten, "worse": worse, "reason": reason}


def _aucs(predictions: pd.DataFrame, truth: np.ndarray, score: np.ndarray) -> dict:
    """Compute the AUC within splits, and the AUCs that other publications report."""
    within, mean = intervals.split_auc_estimate(predictions), float(scores_by_split(predictions)["auc"].mean())
    return {
        "within_splits": within,
        "mean_over_splits": intervals.no_estimate("splits of one cohort are not independent", mean),
        "pooled": intervals.auc_estimate(truth, score),
        "pooled_bootstrap": bootstrap_auc(truth, score),
        "num_pairs": auc_within_splits(predictions).num_pairs,
        "reversed": bool(within.high < 0.5),
    }


def _rates(predictions: pd.DataFrame, cohort_prevalence: float) -> dict[str, dict]:
    """Compute the rates at a threshold of 0.5 and at the cross-fitted thresholds."""
    of_choices = {name: thresholds.crossfitted_rates(predictions, wanted) for name, wanted in CHOICES.items()}
    answers = {}
    for name, rates in ({"0.5": thresholds.rates_at(predictions)} | of_choices).items():
        mutant, wild_type, reason = rates["sensitivity"], rates["specificity"], rates["accuracy"].reason
        wrong = {"fp": wild_type.total - wild_type.count, "fn": mutant.total - mutant.count}
        confusion = {"reason": reason} if reason else {"tp": mutant.count, "tn": wild_type.count} | wrong
        at_cohort = thresholds.predictive_values(mutant, wild_type, cohort_prevalence)
        answers[name] = rates | {"confusion": confusion, "at_cohort_prevalence": at_cohort}
    return answers


def _baselines(predictions: pd.DataFrame, cohort: pd.DataFrame, splits: pd.DataFrame) -> dict[str, dict]:
    """Compute the AUC of each baseline, and the difference network minus baseline."""
    baselines = baseline_predictions(cohort, splits)
    differences = compare_with_baselines(predictions, baselines)
    answers = {}
    for name, (table, reason) in baselines.items():
        auc = intervals.Estimate(np.nan, np.nan, np.nan, reason) if reason else intervals.split_auc_estimate(table)
        answers[name] = {"stage": STAGES[name], "auc": auc, "difference": differences[name]}
    return answers


def _plain(value: Any) -> Any:
    """Convert to JSON types: NamedTuples to dicts, tables to lists of records, NumPy numbers to Python numbers."""
    if isinstance(value, pd.DataFrame):
        value = value.to_dict("records")
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return value.item() if isinstance(value, np.generic) else value
