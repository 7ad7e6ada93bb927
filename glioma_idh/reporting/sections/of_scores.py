"""The sections of a report that say what the scores are worth, in the order in which a reviewer asks."""

import pandas as pd

from glioma_idh.evaluation.calibration import CLIP, HARD
from glioma_idh.reporting.figures.canvas import named_splits
from glioma_idh.reporting.figures.forest_plots import (
    baselines_forest,
    baselines_forest_alt,
    strata_forest,
    strata_forest_alt,
)
from glioma_idh.reporting.figures.performance import (
    confusion_matrices,
    confusion_matrices_alt,
    decision_curve_figure,
    decision_curve_figure_alt,
    precision_recall_curve,
    precision_recall_curve_alt,
)
from glioma_idh.reporting.figures.reliability import reliability_diagram, reliability_diagram_alt
from glioma_idh.reporting.figures.roc_bands import roc_with_bands
from glioma_idh.reporting.html import Paragraph, Picture, Section, Sheet
from glioma_idh.reporting.names import ABBREVIATIONS, HEADINGS
from glioma_idh.reporting.sections.shared_figures import boxes_of
from glioma_idh.reporting.tables.cells import comparison_cell, estimate_cell, known, proportion_cell
from glioma_idh.reporting.tables.results import WITHIN_NOTE
from glioma_idh.runs.run import Run

CHOICES = {
    "0.5": "mutant from 0.5 on",
    "youden": "threshold of other patients (Youden)",
    "sensitivity 0.9": "threshold of other patients (sensitivity 0.9 wanted)",
}
SCALINGS = {"before": "as the network gives them", "temperature": "temperature scaling", "platt": "Platt scaling"}
NET_BENEFIT_AT = (0.1, 0.2, 0.3, 0.5)  # thresholds of the table
NET_BENEFIT_OF = {"network": "network", "treat all as mutant": "treat_all", "treat none": "treat_none"}
BOXES_ALT = "Box plots of the scores over the splits; see the table."
RATES = ("sensitivity", "specificity", "accuracy", "ppv", "npv")


def baselines_section(finished: Run) -> Section:
    """Beside age, sex, lesion volume and grade."""
    rows = [
        {
            "known": of["stage"],
            "baseline": name,
            "AUC within splits (95 %)": estimate_cell(of["auc"], 3),
            "network less it": comparison_cell(of["difference"], 3),
        }
        for name, of in finished.worth["baselines"].items()
    ]
    network = estimate_cell(finished.worth["auc"]["within_splits"], 3)
    rows.insert(0, {"known": "with the network", "baseline": finished.name, "AUC within splits (95 %)": network})
    text = (
        "Baselines without a network: logistic regressions fitted to the training patients of each split and applied "
        "to its test patients, in the order in which a clinic knows them. Age and sex are known before surgery; lesion "
        "volume needs an outline on the image, grade needs tissue. The AUC compares only patients tested in the same "
        "split, for the network and the baselines alike. Differences by DeLong's paired test on the same patients; "
        "intervals are of one comparison at a time, p is after Holm."
    )
    text += " Splits were made here." if finished.worth["patients"]["folds_made"] else ""
    figure = baselines_forest(finished.worth, synthetic=finished.synthetic)
    parts = [
        Paragraph(text),
        Picture("baselines", figure, "AUC beside baselines without a network.", baselines_forest_alt(finished.worth)),
        Sheet(
            "baselines",
            pd.DataFrame(rows).astype(object).fillna(""),
            "AUC within splits with 95 % confidence intervals, and paired differences.",
        ),
    ]
    return Section("Beside age, lesion volume and grade", parts)


def discrimination_section(finished: Run) -> Section:
    """Who is told apart: curves, calls, and each split."""
    numbers, synthetic = finished.worth, finished.synthetic
    alone = finished.predictions
    auc, precision = numbers["auc"], numbers["average_precision"]
    rows = [
        ("AUC within splits", estimate_cell(auc["within_splits"], 3)),
        ("AUC, mean over splits", _three(auc["mean_over_splits"]["value"])),
        ("AUC, pooled (DeLong)", estimate_cell(auc["pooled"], 3)),
        ("AUC, pooled (bootstrap over patients)", estimate_cell(auc["pooled_bootstrap"], 3)),
        ("Average precision", estimate_cell(precision, 3)),
        ("Brier score", estimate_cell(numbers["brier"], 3)),
        ("Log loss", estimate_cell(numbers["log_loss"], 3)),
    ]
    calls = [
        {"threshold": CHOICES[choice]} | {HEADINGS[rate]: proportion_cell(rates[rate]) for rate in RATES}
        for choice, rates in numbers["rates"].items()
    ]
    roc = roc_with_bands({finished.name: alone}, synthetic=synthetic)
    parts = [
        Sheet("scores", pd.DataFrame(rows, columns=["score", "value (95 %)"]), f"{WITHIN_NOTE} {_prevalence(numbers)}"),
        Picture(
            "roc", roc, "ROC curve, pooled over patients.", f"ROC curve: pooled AUC {estimate_cell(auc['pooled'])}."
        ),
        Picture(
            "precision_recall",
            precision_recall_curve(alone, average_precision=precision, synthetic=synthetic),
            "Precision and recall, pooled over patients.",
            precision_recall_curve_alt(alone, average_precision=precision),
        ),
        Sheet("rates", pd.DataFrame(calls), f"Who is called mutant. 95 % intervals of Wilson. {ABBREVIATIONS}"),
        Picture(
            "confusion",
            confusion_matrices(numbers["rates"], synthetic=synthetic),
            "Confusion matrices at the three thresholds.",
            confusion_matrices_alt(numbers["rates"]),
        ),
    ]
    return Section("Discrimination", [*parts, *_per_split(finished)])


def _prevalence(numbers: dict) -> str:
    """The prevalence among the patients tested and in the cohort, and the predictive values at the cohort's."""
    of, at = numbers["prevalence"], numbers["rates"]["0.5"]["at_cohort_prevalence"]
    text = (
        "Accuracy, predictive values, net benefit, Brier score, log loss and calibration in the large depend on the "
        f"prevalence. Of the patients tested, {100 * of['patients']:.1f} % are IDH-mutant"
    )
    if f"{of['tests']:.3f}" != f"{of['patients']:.3f}":
        text += f" ({100 * of['tests']:.1f} % in the test sets of the splits)"
    if f"{of['cohort']:.3f}" == f"{of['patients']:.3f}" == f"{of['tests']:.3f}":
        return f"{text}, as in the cohort."
    text += f", in the cohort {100 * of['cohort']:.1f} %. At the cohort's prevalence and a threshold of 0.5, PPV is "
    text += f"{_three(at['ppv'])} and NPV {_three(at['npv'])}."
    return f"{text} A missing value {at['reason']}." if at["reason"] else text


def _per_split(finished: Run) -> list:
    """The scores of each split, as the papers print them."""
    if finished.worth["patients"]["folds_made"]:
        folds = finished.worth["patients"]["num_splits"]
        made = f"{folds} were made, stratified, only to cross-fit thresholds, scalings and baselines."
        none = "none could be made, because a class has fewer than two patients."
        return [Paragraph(f"The table names no splits: {made if folds > 1 else none}")]
    scores = pd.DataFrame(finished.metrics["per_split"]).assign(sequence=finished.name)
    columns = [name for name in finished.printed.columns if name in scores]
    rows = [
        {"split": name, "tested": int(row["num_test"].iloc[0])}
        | {HEADINGS[column]: _three(row[column].iloc[0]) for column in columns}
        for name, row in named_splits(scores)
    ]
    return [
        Picture("boxes", boxes_of([finished]), "Scores over the splits.", BOXES_ALT),
        Sheet("splits_scores", pd.DataFrame(rows), f"Scores of each split, mutant from 0.5 on. {ABBREVIATIONS}"),
    ]


def _three(value: float) -> str:
    """A number of a split; "-" where its test part has none, as an AUC of one class."""
    return f"{value:.3f}" if known(value) else "-"


def calibration_section(finished: Run) -> Section:
    """Whether 0.7 means 7 of 10, and what acting on it is worth."""
    numbers, rows = finished.worth, []
    for name, scores in numbers["calibration"].items():
        row = {"scores": SCALINGS[name]}
        if "reason" in scores or numbers.get("hard_scores"):
            rows.append(row | {"slope (95 %)": scores.get("reason", HARD)})
            continue
        row |= {
            "slope (95 %)": estimate_cell(scores["slope"]),
            "intercept (95 %)": estimate_cell(scores["intercept"]),
            "in the large (95 %)": estimate_cell(scores["in_the_large"]),
        }
        rows.append(row | {key: f"{scores[key]:.3f}" for key in ("ece", "brier", "log_loss")})
    table = (
        pd.DataFrame(rows)
        .astype(object)
        .fillna("")
        .rename(columns={"ece": "ECE", "brier": "Brier", "log_loss": "log loss"})
    )
    text = (
        "A calibrated score of 0.7 is right 7 times in 10: slope 1, intercept 0; in the large: the intercept at slope "
        "1, above 0 where more are mutant than the scores say. Scalings are learnt on patients outside the test set of "
        "each split. The decision curve asks from which probability on acting on the score "
        "does more good than treating all patients, or none, as mutant."
    )
    if numbers.get("hard_scores"):
        text = f"Calibration is not available: {HARD}. The decision curve is that of one decision at every threshold."
    else:
        text += _clipped(numbers["calibration"]["before"], numbers["patients"]["num_tested"])
    figure = reliability_diagram(numbers["reliability"], numbers["calibration"], synthetic=finished.synthetic)
    decision = decision_curve_figure(numbers["decision"], synthetic=finished.synthetic)
    parts = [
        Paragraph(text),
        Picture(
            "reliability",
            figure,
            "Reliability, before and after scaling.",
            reliability_diagram_alt(numbers["reliability"], numbers["calibration"]),
        ),
        Sheet("calibration", table, "Calibration of all tested patients together."),
        Picture("decision", decision, "Decision curve.", decision_curve_figure_alt(numbers["decision"])),
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
        heading = f"{place}, {100 * of[place]:.1f} % IDH-mutant"
        rows += [
            {"prevalence": heading, "threshold": f"{threshold:g}"}
            | {name: f"{at[threshold][column]:.3f}" for name, column in NET_BENEFIT_OF.items()}
            for threshold in NET_BENEFIT_AT
        ]
    return pd.DataFrame(rows)


def _clipped(calibration: dict, num_patients: int) -> str:
    """How many scores the slope's clip has moved; "" where it moved none."""
    num_clipped = calibration.get("num_clipped", 0)
    if not num_clipped:
        return ""
    return (
        f" {num_clipped} of {num_patients} scores are nearer to 0 or 1 than {CLIP:g} and count as this far: the slope "
        "depends on that clip."
    )


def strata_section(finished: Run) -> Section:
    """Within grade, sex, age, site and size."""
    strata, overall = finished.worth["strata"], finished.worth["auc"]["within_splits"]
    if not isinstance(strata, list):
        return Section("Within groups of patients", [Paragraph(f"Strata {strata['reason']}.")])
    rows = [
        {
            "variable": row["variable"],
            "stratum": row["stratum"],
            "patients": row["n"],
            "mutant": row["events"],
            "pairs": row["pairs"],
            "AUC (95 %)": estimate_cell(row | {"value": row["auc"]}),
        }
        for row in strata
    ]
    text = (
        "A network may tell grades apart and not genotypes. Within one grade only the genotype is left. Pairs: of an "
        "IDH-mutant and an IDH-wild-type patient of the stratum tested in the same split; the AUC is the share of them "
        "in the right order. The intervals are of one stratum at a time, and say nothing of differences between strata."
    )
    parts = [
        Paragraph(text),
        Picture(
            "strata",
            strata_forest(strata, overall, synthetic=finished.synthetic),
            "AUC within groups of patients.",
            strata_forest_alt(strata, overall),
        ),
        Sheet("strata", pd.DataFrame(rows), "AUC within splits with 95 % confidence intervals, in groups of patients."),
    ]
    return Section("Within groups of patients", parts)
