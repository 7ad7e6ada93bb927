"""The sections of a report on the performance of the scores, in the order in which a reviewer asks."""

import pandas as pd

from glioma_idh.evaluation.calibration import CLIP, HARD
from glioma_idh.reporting.figures import forest_plots, performance
from glioma_idh.reporting.figures.canvas import named_splits
from glioma_idh.reporting.figures.roc_and_boxes import roc_with_bands
from glioma_idh.reporting.html import Paragraph, Picture, Section, Sheet
from glioma_idh.reporting.names import ABBREVIATIONS, HEADINGS
from glioma_idh.reporting.sections import say
from glioma_idh.reporting.sections.shared_figures import boxes_of
from glioma_idh.reporting.tables.cells import comparison_cell, estimate_cell, number_cell, proportion_cell
from glioma_idh.reporting.tables.results import WITHIN_NOTE
from glioma_idh.runs.run import Run

CHOICES = {
    "0.5": "mutant from 0.5 on",
    "youden": "threshold of other patients (Youden)",
    "sensitivity 0.9": "threshold of other patients (sensitivity 0.9 wanted)",
}
SCALINGS = {"before": "as the network gives them", "temperature": "temperature scaling", "platt": "Platt scaling"}
CALIBRATION = {"ece": "ECE", "brier": "Brier", "log_loss": "log loss"}
NET_BENEFIT_AT = (0.1, 0.2, 0.3, 0.5)  # thresholds of the table
NET_BENEFIT_OF = {"network": "network", "treat all as mutant": "treat_all", "treat none": "treat_none"}
RATES = ("sensitivity", "specificity", "accuracy", "ppv", "npv")


def baselines_section(finished: Run) -> Section:
    """Beside age, sex, lesion volume and grade."""
    numbers = finished.performance
    network = estimate_cell(numbers["auc"]["within_splits"], 3)
    rows = [{"known": "with the network", "baseline": finished.name, "AUC within splits (95 %)": network}]
    for name, of in numbers["baselines"].items():
        row = {"known": of["stage"], "baseline": name, "AUC within splits (95 %)": estimate_cell(of["auc"], 3)}
        rows.append(row | {"network less it": comparison_cell(of["difference"], 3)})
    figure = forest_plots.baselines_forest(numbers, synthetic=finished.synthetic)
    alt = forest_plots.baselines_forest_alt(numbers)
    picture = Picture("baselines", figure, "AUC beside baselines without a network.", alt)
    caption = "AUC within splits with 95 % confidence intervals, and paired differences."
    table = pd.DataFrame(rows).astype(object).fillna("")
    parts = [say("baselines", **numbers), picture, Sheet("baselines", table, caption)]
    return Section("Beside age, lesion volume and grade", parts)


def discrimination_section(finished: Run) -> Section:
    """Who is told apart: curves, calls, and each split."""
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
    prevalence = f"{WITHIN_NOTE} {say('prevalence', **numbers).text}"
    roc = roc_with_bands({finished.name: patients}, **marked)
    roc_alt = f"ROC curve: pooled AUC {estimate_cell(auc['pooled'])}."
    curve = performance.precision_recall_curve(patients, **of_average, **marked)
    curve_alt = performance.precision_recall_curve_alt(patients, **of_average)
    matrices = performance.confusion_matrices(numbers["rates"], **marked)
    matrices_alt = performance.confusion_matrices_alt(numbers["rates"])
    parts = [
        Sheet("scores", pd.DataFrame(rows, columns=["score", "value (95 %)"]), prevalence),
        Picture("roc", roc, "ROC curve, pooled over patients.", roc_alt),
        Picture("precision_recall", curve, "Precision and recall, pooled over patients.", curve_alt),
        Sheet(
            "rates",
            pd.DataFrame(calls),
            f"Predictions at each threshold. 95 % confidence intervals (Wilson). {ABBREVIATIONS}",
        ),
        Picture("confusion", matrices, "Confusion matrices at the three thresholds.", matrices_alt),
    ]
    return Section("Discrimination", [*parts, *_per_split(finished)])


def _per_split(finished: Run) -> list:
    """The scores of each split, as the papers print them."""
    if finished.performance["patients"]["folds_made"]:
        return [say("folds", **finished.performance)]
    scores = pd.DataFrame(finished.metrics["per_split"])
    columns = [name for name in finished.printed.columns if name in scores]
    rows = []
    for name, row in named_splits(scores):
        cells = {HEADINGS[column]: number_cell(row[column].iloc[0]) for column in columns}
        rows.append({"split": name, "tested": int(row["num_test"].iloc[0])} | cells)
    alt = "Box plots of the scores over the splits; see the table."
    caption = f"Scores of each split, mutant from 0.5 on. {ABBREVIATIONS}"
    boxes = Picture("boxes", boxes_of([finished]), "Scores over the splits.", alt)
    return [boxes, Sheet("splits_scores", pd.DataFrame(rows), caption)]


def calibration_section(finished: Run) -> Section:
    """Whether 0.7 means 7 of 10, and the net benefit of acting on it."""
    numbers, rows, marked = finished.performance, [], {"synthetic": finished.synthetic}
    for name, scores in numbers["calibration"].items():
        row = {"scores": SCALINGS[name]}
        if "reason" in scores or numbers.get("hard_scores"):
            rows.append(row | {"slope (95 %)": scores.get("reason", HARD)})
            continue
        row |= {"slope (95 %)": estimate_cell(scores["slope"]), "intercept (95 %)": estimate_cell(scores["intercept"])}
        row |= {"in the large (95 %)": estimate_cell(scores["in_the_large"])}
        rows.append(row | {name: f"{scores[key]:.3f}" for key, name in CALIBRATION.items()})
    curves, table = (numbers["reliability"], numbers["calibration"]), pd.DataFrame(rows).astype(object).fillna("")
    diagram, alt = performance.reliability_diagram(*curves, **marked), performance.reliability_diagram_alt(*curves)
    decision = performance.decision_curve_figure(numbers["decision"], **marked)
    decision_alt = performance.decision_curve_figure_alt(numbers["decision"])
    parts = [
        say("calibration", **numbers, hard=HARD, clip=f"{CLIP:g}"),
        Picture("reliability", diagram, "Reliability, before and after scaling.", alt),
        Sheet("calibration", table, "Calibration of all tested patients together."),
        Picture("decision", decision, "Decision curve.", decision_alt),
        Sheet("net_benefit", _net_benefit(numbers), "Net benefit, true positives per patient, by prevalence."),
    ]
    return Section("Calibration and usefulness", parts)


def _net_benefit(numbers: dict) -> pd.DataFrame:
    """Net benefit at some thresholds, at the prevalence of the patients tested, and at the cohort's if it differs."""
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
    """Within grade, sex, age, site and size."""
    strata, overall = finished.performance["strata"], finished.performance["auc"]["within_splits"]
    if not isinstance(strata, list):
        return Section("Within groups of patients", [Paragraph(f"Strata {strata['reason']}.")])
    rows = []
    for row in strata:
        group = {"variable": row["variable"], "stratum": row["stratum"], "patients": row["n"], "mutant": row["events"]}
        rows.append(group | {"pairs": row["pairs"], "AUC (95 %)": estimate_cell(row | {"value": row["auc"]})})
    figure = forest_plots.strata_forest(strata, overall, synthetic=finished.synthetic)
    alt = forest_plots.strata_forest_alt(strata, overall)
    picture = Picture("strata", figure, "AUC within groups of patients.", alt)
    caption = "AUC within splits with 95 % confidence intervals, in groups of patients."
    return Section("Within groups of patients", [say("strata"), picture, Sheet("strata", pd.DataFrame(rows), caption)])


SECTIONS = (baselines_section, discrimination_section, calibration_section, strata_section)
