"""Figures on the performance of scores: precision-recall curve, confusion matrices, decision curve, calibration."""

import textwrap
from itertools import groupby
from string import ascii_lowercase

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve as all_precisions

from glioma_idh.evaluation.bootstrap import DRAWS, bootstrap_average_precision, precision_recall_band
from glioma_idh.evaluation.metrics import pool_patients
from glioma_idh.reporting.figures import canvas
from glioma_idh.reporting.figures.canvas import BLUE, GREY, NORMAL, SMALL, VERMILLION, dress, legend_below, new_figure
from glioma_idh.reporting.tables.cells import TOO_WIDE, estimate_cell, known, without_wide_interval

RECALLS = np.linspace(0, 1, 501)
ONE_CLASS = "No curve: all tested patients are of one class."
STRATEGIES: dict = {  # printed name and style
    "network": ("Network", {"color": BLUE, "linestyle": "-", "linewidth": 1.7}),
    "treat_all": ("All patients treated as IDH-mutant", {"color": VERMILLION, "linestyle": (0, (4, 1.5))}),
    "treat_none": ("No patient treated as IDH-mutant", {"color": "black", "linestyle": (0, (1, 1))}),
}
POINTS = {"0.5": "Threshold 0.5", "youden": "Youden threshold", "sensitivity 0.9": "Target sensitivity 0.9"}
SHADES = LinearSegmentedColormap.from_list("shares", ["white", "#7FB8DA"])  # all light enough for black text
# Printed name and style of the scores before and after each recalibration.
SCALINGS: dict = {
    "before": ("Before recalibration", {"color": BLUE, "linestyle": "-", "marker": "o"}),
    "temperature": ("Temperature scaling", {"color": VERMILLION, "linestyle": (0, (3, 1)), "marker": "s"}),
    "platt": ("Platt scaling", {"color": canvas.GREEN, "linestyle": (0, (3, 0.8, 0.8, 0.8)), "marker": "^"}),
}


def precision_recall_curve(
    predictions: pd.DataFrame, *, average_precision: dict | None = None, synthetic: bool = False
) -> Figure:
    """Precision-recall curve of all tested patients together, with a pointwise 95 % band.

    The curve is a step function whose area is the average precision. The dotted line is the precision if all patients
    are predicted mutant, which is the prevalence. Rows without a label or a score are left out, and a patient with
    several rows gets the mean score. `average_precision` (`value, low, high, reason`) is computed if not given.
    """
    truth, score = _pooled(predictions)
    bands = f"Band and parentheses: 95 % confidence ({DRAWS} stratified bootstrap resamples of the patients)."
    bands = bands if min(truth.sum(), (1 - truth).sum()) > 1 else ""
    figure = new_figure(4.3, 4.75, synthetic, f"{_who(truth)} {bands}", grow=True)
    axes = figure.subplots()
    dress(axes, "", "Recall (sensitivity)", "Precision (positive predictive value)")
    canvas.span_unit_square(axes, aspect="equal", anchor="N")
    if len(np.unique(truth)) < 2:
        axes.text(0.5, 0.5, textwrap.fill(ONE_CLASS, 40), fontsize=SMALL, ha="center", va="center")
        return figure
    low, high = precision_recall_band(truth, score, RECALLS)
    axes.fill_between(RECALLS, low, high, color=BLUE, alpha=0.15, linewidth=0)
    precisions, recalls, _ = all_precisions(truth, score)
    recalls, highest = np.unique(recalls[::-1], return_index=True)  # highest threshold of equal recalls
    precisions = precisions[::-1][highest]
    precisions[0] = precisions[1]  # at recall 0 no patient is predicted mutant
    area = estimate_cell(average_precision or bootstrap_average_precision(truth, score)._asdict())
    label = textwrap.fill(f"Network: average precision {area}", 60)
    axes.step(recalls, precisions, where="pre", color=BLUE, linewidth=1.5, label=label)
    chance = f"All predicted mutant: precision {truth.mean():.2f}"
    axes.axhline(truth.mean(), linestyle=(0, (1, 1)), color=GREY, linewidth=1.2, label=chance)
    legend_below(axes, axes.get_lines(), columns=1)
    return figure


def _pooled(predictions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Label and mean score of each patient, shape (n,) each."""
    patients = pool_patients(predictions.dropna(subset=["truth", "score"]))
    return patients["truth"].to_numpy(), patients["score"].to_numpy()


def _who(truth: np.ndarray) -> str:
    return f"{truth.sum():.0f} of {len(truth)} patients IDH-mutant."


def precision_recall_curve_alt(predictions: pd.DataFrame, *, average_precision: dict | None = None) -> str:
    """Alternative text of `precision_recall_curve`."""
    truth, score = _pooled(predictions)
    if len(np.unique(truth)) < 2:
        return f"Precision-recall plot. {ONE_CLASS} {_who(truth)}"
    area = estimate_cell(average_precision or bootstrap_average_precision(truth, score)._asdict())
    chance = f"predicting all patients as mutant has a precision of {truth.mean():.2f}"
    return f"Precision-recall curve. Average precision {area}; {chance}. {_who(truth)}"


def decision_curve_figure(curve: list[dict], *, synthetic: bool = False) -> Figure:
    """Net benefit of using the scores, by threshold probability.

    Values far below 0 are outside the figure. The rows are those of `evaluation.thresholds.decision_curve`.
    """
    table = pd.DataFrame(curve)
    what = "proportion of true positives minus the proportion of false positives times the odds of the threshold"
    figure = new_figure(4.8, 3.9, synthetic, f"Net benefit: {what}. {_where_best(curve)}", grow=True)
    axes = figure.subplots()
    dress(axes, "", "Threshold probability for treating as IDH-mutant", "Net benefit")
    for name, (words, style) in STRATEGIES.items():
        axes.plot(table["threshold"], table[name], label=words, **style)
    top = table[list(STRATEGIES)].max().max() or 0.05
    axes.set(xlim=(0, 1), ylim=(-0.35 * top, 1.06 * top))
    legend_below(axes, axes.get_lines(), columns=1)
    return figure


def _where_best(curve: list[dict]) -> str:
    """The longest range of thresholds at which the network has a higher net benefit than both default strategies."""
    best_of = groupby(curve, lambda row: row["network"] > max(row["treat_all"], row["treat_none"]) + 1e-9)
    stretches = [list(rows) for best, rows in best_of if best]
    if not stretches:
        return "At no threshold does the network have the highest net benefit."
    longest = max(stretches, key=len)
    where = f"from {longest[0]['threshold']:.2f} to {longest[-1]['threshold']:.2f}"
    return f"Longest range of thresholds at which the network has the highest net benefit: {where}."


def decision_curve_figure_alt(curve: list[dict]) -> str:
    """Alternative text of `decision_curve_figure`."""
    middle = min(curve, key=lambda row: abs(row["threshold"] - 0.5))
    values = ", ".join(f"{words} {middle[name]:.2f}" for name, (words, _) in STRATEGIES.items())
    return f"Decision curve. {_where_best(curve)} Net benefit at threshold {middle['threshold']:.2f}: {values}."


def confusion_matrices(rates: dict[str, dict], *, synthetic: bool = False) -> Figure:
    """Patients by reference standard and prediction, with percentages of each row; one panel per threshold.

    `rates` are those of `evaluate`, with `confusion`: numbers of patients `tp, fp, tn, fn`, or the `reason`.
    """
    note = "Percentages are of the row. Thresholds other than 0.5 were set on the other folds (cross-fitted)."
    figure = new_figure(1.1 + 2.05 * len(rates), 2.45, synthetic, note, grow=True)
    panels = figure.subplots(1, len(rates), squeeze=False, sharey=True).flat
    for letter, axes, (name, of_point) in zip(ascii_lowercase, panels, rates.items(), strict=False):
        dress(axes, f"{letter}) {POINTS.get(name, name)}", "Prediction of the network", "")
        axes.set(aspect="equal", xlim=(-0.5, 1.5), ylim=(1.5, -0.5))
        axes.set_xticks([0, 1], ["IDH-mutant", "wild-type"])
        axes.set_yticks([0, 1], ["IDH-mutant", "wild-type"], rotation=90, va="center")
        axes.tick_params(length=0)
        matrix = _matrix(of_point["confusion"])
        if matrix is None:
            words = textwrap.fill(of_point["confusion"]["reason"], 30)
            axes.text(0.5, 0.5, words, fontsize=SMALL, ha="center", va="center")
            continue
        shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares, cmap=SHADES, vmin=0, vmax=1)
        for (row, column), count in np.ndenumerate(matrix):
            percent = f"{100 * shares[row, column]:.0f} %" if matrix[row].any() else "no patient"
            axes.text(column, row - 0.03, f"{count}", fontsize=NORMAL + 3, fontweight="bold", va="bottom", ha="center")
            axes.text(column, row + 0.08, percent, fontsize=NORMAL, va="top", ha="center")
    panels[0].set_ylabel("Reference standard", fontsize=SMALL)
    return figure


def _matrix(counts: dict) -> np.ndarray | None:
    """Numbers of patients, shape (2, 2): reference standard in rows, prediction in columns; None if not available."""
    return None if "reason" in counts else np.array([[counts["tp"], counts["fn"]], [counts["fp"], counts["tn"]]])


def confusion_matrices_alt(rates: dict[str, dict]) -> str:
    """Alternative text of `confusion_matrices`."""
    sentences = ["Confusion matrices."]
    for name, of_point in rates.items():
        matrix = _matrix(of_point["confusion"])
        if matrix is None:
            sentences.append(f"{POINTS.get(name, name)}: {of_point['confusion']['reason']}.")
            continue
        mutant, wild_type = matrix
        right = (
            f"{mutant[0]} of {mutant.sum()} IDH-mutant and {wild_type[1]} of {wild_type.sum()} IDH-wild-type patients"
        )
        sentences.append(f"{POINTS.get(name, name)}: {right} predicted correctly.")
    return " ".join(sentences)


def reliability_diagram(curves: dict[str, list[dict]], scores: dict[str, dict], *, synthetic: bool = False) -> Figure:
    """Observed proportion of mutants by score, before and after recalibration, and the number of patients per bin.

    Bars are Wilson 95 % intervals before recalibration. The lower panel counts the patients in each bin before
    recalibration, mutants at the bottom. The dotted diagonal is perfect calibration. `curves` and `scores` hold, by
    `before`, `temperature` and `platt`, the results of `evaluation.calibration.reliability_curve` and
    `calibration_scores`, or the `reason`.
    """
    words = "Larger marks: more patients in the bin. Bars: 95 % intervals (Wilson). Hatched: IDH-mutant."
    note = " ".join([words, "In parentheses: 95 % intervals (Wald).", *_reasons(scores)])
    figure = new_figure(5.2, 5.9, synthetic, note, grow=True)
    axes, bins = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    dress(axes, "", "", "Observed proportion of IDH-mutant patients")
    dress(bins, "", "Predicted probability of IDH mutation", "Patients")
    axes.plot([0, 1], [0, 1], linestyle=":", color=GREY, linewidth=0.9)
    canvas.span_unit_square(axes)
    for name in reversed([name for name in SCALINGS if "reason" not in curves[name]]):
        curve, style = pd.DataFrame(curves[name]), SCALINGS[name][1]
        place, share, colour = curve["mean_score"], curve["n"] / curve["n"].sum(), style["color"]
        axes.plot(place, curve["observed"], color=colour, linestyle=style["linestyle"], linewidth=0.9, alpha=0.8)
        axes.scatter(place, curve["observed"], 8 + 130 * share, color=colour, marker=style["marker"], zorder=3)
    # The last curve is the one before recalibration. Rounding may put an end of an interval on the wrong side.
    ends = np.maximum([curve["observed"] - curve["low"], curve["high"] - curve["observed"]], 0)
    axes.errorbar(place, curve["observed"], ends, fmt="none", ecolor=colour, elinewidth=0.8, capsize=2)
    left, width = curve["from_score"], curve["to_score"] - curve["from_score"]
    style = {"align": "edge", "edgecolor": "black", "linewidth": 0.6}
    bins.bar(left, curve["n"], width, color="#DCE9F3", **style)
    bins.bar(left, curve["events"], width, color="#7FB8DA", hatch="////", **style)
    for middle, count in zip(left + width / 2, curve["n"], strict=True):
        bins.annotate(f"{count}", (middle, count), (0, 1.5), textcoords="offset points", fontsize=SMALL, ha="center")
    bins.set(ylim=(0, 1.3 * curve["n"].max()), yticks=[0, curve["n"].max()])
    # The legend is a table with the mark and the calibration measures of each recalibration, column by column.
    entries = [
        canvas.legend_entry(" "),
        *(canvas.legend_entry(name, markersize=4, **style) for name, style in SCALINGS.values()),
    ]
    for key, heading in {"slope": "Slope", "intercept": "Intercept", "ece": "ECE"}.items():
        entries += [canvas.legend_entry(heading), *(canvas.legend_entry(_cell(scores[name], key)) for name in SCALINGS)]
    legend_below(bins, entries, columns=4)
    return figure


def _cell(scores: dict, key: str) -> str:
    """A calibration measure with its interval; "-" if not available."""
    if "reason" in scores or (key != "ece" and not known(scores[key]["value"])):
        return "-"
    return f"{scores[key]:.2f}" if key == "ece" else estimate_cell(without_wide_interval(scores[key]) | {"reason": ""})


def _reasons(scores: dict[str, dict]) -> list[str]:
    """Sentences on calibration measures that are not available."""
    sentences = []
    for name, (words, _) in SCALINGS.items():
        if "reason" in scores[name]:
            sentences.append(f"{words}: {scores[name]['reason']}.")
        elif not known(scores[name]["slope"]["value"]):
            sentences.append(f"{words}: slope and intercept {scores[name]['slope']['reason']}.")
        elif any(without_wide_interval(scores[name][key])["reason"] == TOO_WIDE for key in ("slope", "intercept")):
            sentences.append(f"{words}: a missing interval {TOO_WIDE}.")
    return sentences


def reliability_diagram_alt(curves: dict[str, list[dict]], scores: dict[str, dict]) -> str:
    """Alternative text of `reliability_diagram`."""
    num_patients = sum(row["n"] for row in curves["before"])
    sentences = [
        f"Reliability diagram of {num_patients} patients: observed proportion of IDH-mutant patients by score."
    ]
    for name, (words, _) in SCALINGS.items():
        if "reason" not in scores[name]:
            slope, intercept, ece = (_cell(scores[name], key) for key in ("slope", "intercept", "ece"))
            sentences.append(f"{words}: slope {slope}, intercept {intercept}, expected calibration error {ece}.")
    return " ".join([*sentences, *_reasons(scores)])
