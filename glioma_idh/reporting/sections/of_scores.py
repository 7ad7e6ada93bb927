"""Sections on the performance of the scores: baselines, discrimination, calibration, groups of patients."""

import pandas as pd

from glioma_idh.evaluation.calibration import CLIP, HARD
from glioma_idh.reporting.figures import forest_plots, performance
from glioma_idh.reporting.figures.canvas import named_splits
from glioma_idh.reporting.figures.roc_and_boxes import roc_with_bands
from glioma_idh.reporting.html import Paragraph, Picture, Section, Sheet
from glioma_idh.reporting.names import AUC_NOTE, HEADINGS, abbreviations, baseline_name
from glioma_idh.reporting.sections import accuracy_note, box_legend, legend, say
from glioma_idh.reporting.sections.shared_figures import boxes_of
from glioma_idh.reporting.tables.cells import (
    comparison_cell,
    estimate_cell,
    known,
    number_cell,
    proportion_cell,
    slope_cell,
)
from glioma_idh.reporting.tables.results import WITHIN_NOTE
from glioma_idh.runs.run import Run

CHOICES = {
    "0.5": "0.5",
    "youden": "set on the other folds (Youden index)",
    "sensitivity 0.9": "set on the other folds, aiming at 90 % sensitivity",
}
SCALINGS = {"before": "none", "temperature": "temperature scaling", "platt": "Platt scaling"}
CALIBRATION = {"ece": "ECE", "brier": "Brier", "log_loss": "log loss"}
GROUPS = "Performance within groups of patients"
NET_BENEFIT_AT = (0.1, 0.2, 0.3, 0.5)  # thresholds of the table
NET_BENEFIT_OF = {"network": "network", "treat all as mutant": "treat_all", "treat none": "treat_none"}
RATES = ("sensitivity", "specificity", "accuracy", "ppv", "npv")
DIFFERENCE = "difference in AUC, network minus baseline (95 % CI)"


def baselines_section(finished: Run) -> Section:
    """Comparison with age, sex, lesion volume and grade."""
    numbers = finished.performance
    network = estimate_cell(numbers["auc"]["within_splits"], 3)
    rows = [{"available": "with the network", "predictor": finished.name, "AUC within splits (95 % CI)": network}]
    for name, of in numbers["baselines"].items():
        row = {
            "available": of["stage"],
            "predictor": baseline_name(name),
            "AUC within splits (95 % CI)": estimate_cell(of["auc"], 3),
        }
        difference = comparison_cell(of["difference"], 3) if known(of["auc"]["value"]) else "-"
        rows.append(row | {DIFFERENCE: difference})
    figure = forest_plots.baselines_forest(numbers, synthetic=finished.synthetic)
    alt = forest_plots.baselines_forest_alt(numbers)
    picture = Picture("baselines", figure, legend("baselines", **numbers), alt)
    caption = "The network and the baselines in the same patients. p values after Holm correction. " + AUC_NOTE
    table = pd.DataFrame(rows).astype(object).fillna("")
    parts = [say("baselines", **numbers), picture, Sheet("baselines", table, caption)]
    return Section("Comparison with age, lesion volume and grade", parts)


def discrimination_section(finished: Run) -> Section:
    """Discrimination: AUC, curves, predictions at thresholds, and the scores of each split."""
    numbers, marked, patients = finished.performance, {"synthetic": finished.synthetic}, finished.predictions
    auc, of_average = numbers["auc"], {"average_precision": numbers["average_precision"]}
    rows = [
        ("AUC within splits", estimate_cell(auc["within_splits"], 3)),
        ("AUC, mean over splits", number_cell(auc["mean_over_splits"]["value"])),
        ("AUC, pooled (DeLong)", estimate_cell(auc["pooled"], 3)),
        ("AUC, pooled (bootstrap over patients)", estimate_cell(auc["pooled_bootstrap"], 3)),
        ("Average precision", estimate_cell(numbers["average_precision"], 3)),
        ("Brier score", estimate_cell(numbers["brier"], 3)),
        ("Log loss", estimate_cell(numbers["log_loss"], 3)),
    ]
    calls = [
        {"threshold": CHOICES[choice]} | {HEADINGS[rate]: proportion_cell(rates[rate]) for rate in RATES}
        for choice, rates in numbers["rates"].items()
    ]
    table = pd.DataFrame(calls)
    caption = legend("scores", **numbers)
    prevalence = f"{caption} {WITHIN_NOTE} {say('prevalence', **numbers).text}"
    roc = roc_with_bands({finished.name: patients}, **marked)
    roc_alt = f"ROC curve. Pooled AUC {estimate_cell(auc['pooled'])}."
    curve = performance.precision_recall_curve(patients, **of_average, **marked)
    curve_alt = performance.precision_recall_curve_alt(patients, **of_average)
    matrices = performance.confusion_matrices(numbers["rates"], **marked)
    matrices_alt = performance.confusion_matrices_alt(numbers["rates"])
    parts = [
        Sheet("scores", pd.DataFrame(rows, columns=["measure", "value (95 % CI)"]), prevalence),
        Picture("roc", roc, legend("roc", **numbers), roc_alt),
        Picture("precision_recall", curve, legend("precision_recall", **numbers), curve_alt),
        Sheet(
            "rates",
            table,
            "Predictions at each threshold. Patients with a score at or above it are predicted IDH-mutant. In "
            f"parentheses: 95 % confidence intervals (Wilson). {abbreviations(table)}",
        ),
        *accuracy_note(table),
        Picture("confusion", matrices, legend("confusion", **numbers), matrices_alt),
    ]
    return Section("Discrimination", [*parts, *_per_split(finished)])


def _per_split(finished: Run) -> list:
    """The scores of each split, as reported by the papers."""
    if finished.performance["patients"]["folds_made"]:
        return [say("folds", **finished.performance)]
    scores = pd.DataFrame(finished.metrics["per_split"])
    columns = [name for name in finished.printed.columns if name in scores]
    rows = []
    for name, row in named_splits(scores):
        cells = {HEADINGS[column]: number_cell(row[column].iloc[0]) for column in columns}
        rows.append({"split": name, "test subjects": int(row["num_test"].iloc[0])} | cells)
    alt = "Box plots of the scores over the splits; the numbers are in the next table."
    table = pd.DataFrame(rows)
    caption = f"Scores of each split at a threshold of 0.5. {abbreviations(table)}"
    boxes = Picture("boxes", boxes_of([finished]), box_legend([finished], finished.printed), alt)
    return [boxes, Sheet("splits_scores", table, caption)]


def calibration_section(finished: Run) -> Section:
    """Calibration before and after recalibration, and the net benefit of using the scores."""
    numbers, rows, marked = finished.performance, [], {"synthetic": finished.synthetic}
    for name, scores in numbers["calibration"].items():
        row = {"recalibration": SCALINGS[name]}
        if "reason" in scores or numbers.get("hard_scores"):
            rows.append(row | {"slope (95 % CI)": scores.get("reason", HARD)})
            continue
        row["slope (95 % CI)"] = slope_cell(scores["slope"])
        row["intercept (95 % CI)"] = slope_cell(scores["intercept"])
        row["calibration-in-the-large (95 % CI)"] = slope_cell(scores["in_the_large"])
        rows.append(row | {name: f"{scores[key]:.3f}" for key, name in CALIBRATION.items()})
    curves, table = (numbers["reliability"], numbers["calibration"]), pd.DataFrame(rows).astype(object).fillna("")
    diagram, alt = performance.reliability_diagram(*curves, **marked), performance.reliability_diagram_alt(*curves)
    decision = performance.decision_curve_figure(numbers["decision"], **marked)
    decision_alt = performance.decision_curve_figure_alt(numbers["decision"])
    parts = [
        say("calibration", **numbers, hard=HARD, clip=f"{CLIP:g}"),
        Picture("reliability", diagram, legend("reliability", **numbers), alt),
        Sheet("calibration", table, legend("calibration_table", **numbers)),
        Picture("decision", decision, legend("decision", **numbers), decision_alt),
        Sheet("net_benefit", _net_benefit(numbers), legend("net_benefit_table", **numbers)),
    ]
    return Section("Calibration and net benefit", parts)


def _net_benefit(numbers: dict) -> pd.DataFrame:
    """Net benefit at some thresholds, at the prevalence of the tested patients and, if different, of the cohort."""
    of, curves = numbers["prevalence"], {"patients": numbers["decision"]}
    if f"{of['patients']:.3f}" != f"{of['cohort']:.3f}":
        curves |= {"cohort": numbers["decision_at_cohort_prevalence"]}
    rows = []
    for place, curve in curves.items():
        at = {round(row["threshold"], 2): row for row in curve}
        for threshold in NET_BENEFIT_AT:
            row = {"prevalence": f"{place}, {100 * of[place]:.1f} % IDH-mutant", "threshold": f"{threshold:g}"}
            rows.append(row | {name: f"{at[threshold][key]:.3f}" for name, key in NET_BENEFIT_OF.items()})
    return pd.DataFrame(rows)


def strata_section(finished: Run) -> Section:
    """AUC within grade, sex, age, site and lesion size."""
    numbers = finished.performance
    strata, overall = numbers["strata"], numbers["auc"]["within_splits"]
    if not isinstance(strata, list):
        return Section(GROUPS, [Paragraph(f"The AUC within groups of patients {strata['reason']}.")])
    rows = []
    for row in strata:
        group = {
            "variable": row["variable"],
            "group": row["stratum"],
            "patients": row["n"],
            "IDH-mutant": row["events"],
        }
        rows.append(group | {"pairs": row["pairs"], "AUC (95 % CI)": estimate_cell(row | {"value": row["auc"]})})
    figure = forest_plots.strata_forest(strata, overall, synthetic=finished.synthetic)
    alt = forest_plots.strata_forest_alt(strata, overall)
    picture = Picture("strata", figure, legend("strata", **numbers), alt)
    caption = "AUC within splits for each group of patients. Pairs: IDH-mutant and IDH-wild-type patients. " + AUC_NOTE
    return Section(GROUPS, [say("strata"), picture, Sheet("strata", pd.DataFrame(rows), caption)])


SECTIONS = (baselines_section, discrimination_section, calibration_section, strata_section)
