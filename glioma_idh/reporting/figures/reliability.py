"""Whether a score of 0.7 means 7 of 10 mutant, drawn."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from glioma_idh.reporting.figures.canvas import BLUE, GREEN, GREY, SMALL, VERMILLION, dress, legend_below, noted_figure
from glioma_idh.reporting.tables.cells import estimate_cell, known


class Scaling(NamedTuple):
    """How scores that were scaled so, or not at all, are shown: the name in print, and the marks."""

    words: str
    style: dict


SCALINGS = {
    "before": Scaling("As the network gives it", {"color": BLUE, "linestyle": "-", "marker": "o"}),
    "temperature": Scaling("Temperature scaling", {"color": VERMILLION, "linestyle": (0, (3, 1)), "marker": "s"}),
    "platt": Scaling("Platt scaling", {"color": GREEN, "linestyle": (0, (3, 0.8, 0.8, 0.8)), "marker": "^"}),
}


def reliability_diagram(curves: dict[str, list[dict]], scores: dict[str, dict], *, synthetic: bool = False) -> Figure:
    """Share of mutants by score, as the network gives its scores and scaled, and how many patients have which score.

    Args:
        curves: by `before`, `temperature` and `platt`, rows of `evaluation.calibration.reliability_curve`, or the
            `reason` why there are none.
        scores: by the same names, what `evaluation.calibration.calibration_scores` gives, or the `reason`.
        synthetic: whether the subjects are phantoms; the figure then says so.

    Returns:
        The figure. Bars are Wilson's 95 % intervals, of the network's own scores alone; the lower panel counts the
        patients of each bin of those. On the dotted diagonal scores are what they say.
    """
    words = "The more patients a bin has, the larger its mark. Bars: 95 % intervals (Wilson). Hatched: IDH-mutant."
    note = " ".join([words, "Brackets: 95 % intervals (Wald).", *_reasons(scores)])
    figure = noted_figure(5.2, 5.9, synthetic, note)
    axes, bins = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    dress(axes, "", "", "Share of IDH-mutant patients")
    dress(bins, "", "Score", "Patients")
    axes.plot([0, 1], [0, 1], linestyle=":", color=GREY, linewidth=0.9)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=np.arange(0, 1.1, 0.25), yticks=np.arange(0, 1.1, 0.25))
    for name in reversed(SCALINGS):
        if "reason" not in curves[name]:
            _draw_curve(axes, name, pd.DataFrame(curves[name]))
    _draw_bins(bins, pd.DataFrame(curves["before"]))
    _table_below(bins, scores)
    return figure


def _draw_curve(axes, name: str, curve: pd.DataFrame) -> None:
    """One curve, with intervals where nothing was scaled."""
    style = SCALINGS[name].style
    place, share = curve["mean_score"], curve["n"] / curve["n"].sum()
    axes.plot(place, curve["observed"], color=style["color"], linestyle=style["linestyle"], linewidth=0.9, alpha=0.8)
    axes.scatter(place, curve["observed"], 8 + 130 * share, color=style["color"], marker=style["marker"], zorder=3)
    if name == "before":
        ends = [curve["observed"] - curve["low"], curve["high"] - curve["observed"]]
        ends = np.maximum(ends, 0)  # a rounding error may put an end on the wrong side
        axes.errorbar(place, curve["observed"], ends, fmt="none", ecolor=style["color"], elinewidth=0.8, capsize=2)


def _draw_bins(axes, curve: pd.DataFrame) -> None:
    """How many patients are in each bin, mutants at the bottom of the bars."""
    left, width = curve["from_score"], curve["to_score"] - curve["from_score"]
    style = {"align": "edge", "edgecolor": "black", "linewidth": 0.6}
    axes.bar(left, curve["n"], width, color="#DCE9F3", **style)
    axes.bar(left, curve["events"], width, color="#7FB8DA", hatch="////", **style)
    for middle, count in zip(left + width / 2, curve["n"], strict=True):
        axes.annotate(f"{count}", (middle, count), (0, 1.5), textcoords="offset points", fontsize=SMALL, ha="center")
    axes.set(ylim=(0, 1.3 * curve["n"].max()), yticks=[0, curve["n"].max()])


def _table_below(axes, scores: dict[str, dict]) -> None:
    """The legend: of each scaling its mark and the numbers of its calibration, column by column."""
    marks = [Line2D([], [], markersize=4, label=scaling.words, **scaling.style) for scaling in SCALINGS.values()]
    columns = [[_words(" "), *marks]]
    for key, heading in {"slope": "Slope", "intercept": "Intercept", "ece": "ECE"}.items():
        columns.append([_words(heading), *(_words(_cell(scores[name], key)) for name in SCALINGS)])
    legend_below(axes, [handle for column in columns for handle in column], columns=4)


def _words(text: str) -> Line2D:
    """A legend entry without a line."""
    return Line2D([], [], linestyle="none", label=text)


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
