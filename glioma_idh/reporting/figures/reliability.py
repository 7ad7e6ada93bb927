"""Whether a score of 0.7 means 7 of 10 mutant, drawn."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from glioma_idh.reporting.figures import canvas
from glioma_idh.reporting.figures.canvas import BLUE, GREEN, SMALL, VERMILLION, dress, legend_entry
from glioma_idh.reporting.tables.cells import estimate_cell, known

# How scores that were scaled so, or not at all, are shown: the name in print, and the marks.
SCALINGS = {
    "before": ("As the network gives it", {"color": BLUE, "linestyle": "-", "marker": "o"}),
    "temperature": ("Temperature scaling", {"color": VERMILLION, "linestyle": (0, (3, 1)), "marker": "s"}),
    "platt": ("Platt scaling", {"color": GREEN, "linestyle": (0, (3, 0.8, 0.8, 0.8)), "marker": "^"}),
}


def reliability_diagram(curves: dict[str, list[dict]], scores: dict[str, dict], *, synthetic: bool = False) -> Figure:
    """Share of mutants by score, as the network gives its scores and scaled, and how many patients have which score.

    Bars are Wilson's 95 % intervals, of the network's own scores alone; the lower panel counts the patients of each bin
    of those, mutants at the bottom. On the dotted diagonal scores are what they say. By `before`, `temperature` and
    `platt` there are rows of `evaluation.calibration.reliability_curve` and `calibration_scores`, or the `reason`.
    """
    words = "The more patients a bin has, the larger its mark. Bars: 95 % intervals (Wilson). Hatched: IDH-mutant."
    note = " ".join([words, "Brackets: 95 % intervals (Wald).", *_reasons(scores)])
    figure = canvas.new_figure(5.2, 5.9, synthetic, note, grow=True)
    axes, bins = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    dress(axes, "", "", "Share of IDH-mutant patients")
    dress(bins, "", "Score", "Patients")
    axes.plot([0, 1], [0, 1], linestyle=":", color=canvas.GREY, linewidth=0.9)
    canvas.span_unit_square(axes)
    for name in reversed([name for name in SCALINGS if "reason" not in curves[name]]):
        curve, style = pd.DataFrame(curves[name]), SCALINGS[name][1]
        place, share, colour = curve["mean_score"], curve["n"] / curve["n"].sum(), style["color"]
        axes.plot(place, curve["observed"], color=colour, linestyle=style["linestyle"], linewidth=0.9, alpha=0.8)
        axes.scatter(place, curve["observed"], 8 + 130 * share, color=colour, marker=style["marker"], zorder=3)
    # The last curve is the network's own. A rounding error may put an end of an interval on the wrong side.
    ends = np.maximum([curve["observed"] - curve["low"], curve["high"] - curve["observed"]], 0)
    axes.errorbar(place, curve["observed"], ends, fmt="none", ecolor=colour, elinewidth=0.8, capsize=2)
    left, width = curve["from_score"], curve["to_score"] - curve["from_score"]
    style = {"align": "edge", "edgecolor": "black", "linewidth": 0.6}
    bins.bar(left, curve["n"], width, color="#DCE9F3", **style)
    bins.bar(left, curve["events"], width, color="#7FB8DA", hatch="////", **style)
    for middle, count in zip(left + width / 2, curve["n"], strict=True):
        bins.annotate(f"{count}", (middle, count), (0, 1.5), textcoords="offset points", fontsize=SMALL, ha="center")
    bins.set(ylim=(0, 1.3 * curve["n"].max()), yticks=[0, curve["n"].max()])
    # The legend is a table: of each scaling its mark and the numbers of its calibration, column by column.
    entries = [legend_entry(" "), *(legend_entry(name, markersize=4, **style) for name, style in SCALINGS.values())]
    for key, heading in {"slope": "Slope", "intercept": "Intercept", "ece": "ECE"}.items():
        entries += [legend_entry(heading), *(legend_entry(_cell(scores[name], key)) for name in SCALINGS)]
    canvas.legend_below(bins, entries, columns=4)
    return figure


def _cell(scores: dict, key: str) -> str:
    """A number of a scaling with its interval; "-" where there is none."""
    if "reason" in scores or (key != "ece" and not known(scores[key]["value"])):
        return "-"
    return f"{scores[key]:.2f}" if key == "ece" else estimate_cell(scores[key])


def _reasons(scores: dict[str, dict]) -> list[str]:
    """Sentences on what cannot be computed."""
    sentences = []
    for name, (words, _) in SCALINGS.items():
        if "reason" in scores[name]:
            sentences.append(f"{words}: {scores[name]['reason']}.")
        elif not known(scores[name]["slope"]["value"]):
            sentences.append(f"{words}: slope and intercept {scores[name]['slope']['reason']}.")
    return sentences


def reliability_diagram_alt(curves: dict[str, list[dict]], scores: dict[str, dict]) -> str:
    """The numbers of `reliability_diagram` in words."""
    num_patients = sum(row["n"] for row in curves["before"])
    sentences = [f"Reliability diagram of {num_patients} patients: share of mutants by score."]
    for name, (words, _) in SCALINGS.items():
        if "reason" not in scores[name]:
            slope, intercept, ece = (_cell(scores[name], key) for key in ("slope", "intercept", "ece"))
            sentences.append(f"{words}: slope {slope}, intercept {intercept}, expected calibration error {ece}.")
    return " ".join([*sentences, *_reasons(scores)])
