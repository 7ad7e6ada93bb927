"""Forest plots of AUCs with their intervals: within groups of patients, and of the network and the baselines."""

import textwrap
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from glioma_idh.evaluation.strata import FEWEST
from glioma_idh.reporting.figures.canvas import BLUE, GREY, SMALL, dress, new_figure
from glioma_idh.reporting.names import baseline_name
from glioma_idh.reporting.tables.cells import comparison_cell, estimate_cell, known

LINE, GAP, LETTERS = 0.125, 0.05, 14  # inches: line of text, gap between rows; letters per inch
TOO_SMALL = "too small for an AUC"
NO_MARK = {"value": None, "low": None, "high": None, "reason": ""}
MOST_TOLD = 12  # groups that the alternative text lists one by one

# Text columns next to the panel: heading, distance in inches (negative: left of the panel), aligned edge.
AUC = ("AUC (95 % CI)", 0.1, "left")
STRATA_COLUMNS = [("", -1.45, "left"), ("Patients", -0.82, "right"), ("IDH-mutant", -0.1, "right"), AUC]
BASELINE_COLUMNS = [("", -0.1, "left"), AUC, ("Network minus baseline (95 % CI), p (Holm)", 1.35, "left")]


class Row(NamedTuple):
    words: list[str]  # one text per column; trailing ones may be left out
    estimate: dict = NO_MARK  # the mark and its bar
    num_bold: int = 0  # number of bold texts; the mark is then black


def strata_forest(strata: list[dict], overall: dict, *, synthetic: bool = False) -> Figure:
    """AUC within groups of patients (`evaluation.strata.strata_scores`) and of all patients (`overall`, dashed)."""
    counts = pd.DataFrame(strata).groupby("variable")[["n", "events"]].sum().max()  # every variable covers all patients
    rows = [_auc_row(["All patients", f"{counts['n']}", f"{counts['events']}"], overall, num_bold=4)]
    for variable, of_variable in groupby(strata, key=lambda stratum: stratum["variable"]):
        first, *others = of_variable
        if first["n"] == 0:  # no patient has a value
            rows.append(Row([_capital(variable), "", "", textwrap.fill(first["reason"], 30)], num_bold=1))
            continue
        rows.append(Row([_capital(variable)], num_bold=1))
        for stratum in (first, *others):
            name = textwrap.fill(stratum["stratum"], 34, initial_indent="   ", subsequent_indent="   ")
            words = [name, f"{stratum['n']}", f"{stratum['events']}"]
            is_small, auc = _too_small(stratum), stratum | {"value": stratum["auc"]}
            rows.append(Row([*words, TOO_SMALL]) if is_small else _auc_row(words, auc))
    notes = ["Dashed: all patients."] if known(overall["value"]) else []
    notes += [f"Too small: fewer than {FEWEST} patients of a class."] if any(map(_too_small, strata)) else []
    return _forest(rows, STRATA_COLUMNS, notes, synthetic)


def _too_small(stratum: dict) -> bool:
    return stratum["n"] > 0 and min(stratum["events"], stratum["n"] - stratum["events"]) < FEWEST


def _auc_row(words: list[str], estimate: dict, num_bold: int = 0) -> Row:
    """A row that ends with the AUC and its interval, or the reason why there is none."""
    return Row([*words, textwrap.fill(_auc_words(estimate), 30)], estimate, num_bold)


def _auc_words(estimate: dict) -> str:
    """An AUC with its interval; the reason for a missing interval is given at the foot of the figure."""
    if known(estimate["value"]) and not known(estimate["low"]):
        return f"{estimate['value']:.2f} (no interval)"
    return estimate_cell(estimate)


def strata_forest_alt(strata: list[dict], overall: dict) -> str:
    """Alternative text of `strata_forest`."""
    told = computed = [stratum for stratum in strata if known(stratum["auc"])]
    sentences = [f"Forest plot of the AUC within groups of patients. All patients: {_auc_words(overall)}."]
    if len(computed) > MOST_TOLD:
        told = [extreme(computed, key=lambda row: row["auc"]) for extreme in (min, max)]
        sentences.append(f"Lowest and highest of {len(computed)} groups:")
    names = [f"{row['variable']} {row['stratum']}: {_auc_words(row | {'value': row['auc']})}" for row in told]
    sentences += [f"{'; '.join(names)}."] if names else []
    few = sum(map(_too_small, strata))
    sentences += [f"Groups {TOO_SMALL}: {few}."] if few else []
    reasons = [f"{_capital(row['variable'])}: {row['reason']}." for row in strata if row["n"] == 0]
    return " ".join([*sentences, *reasons])


def baselines_forest(performance: dict, *, synthetic: bool = False) -> Figure:
    """AUC within splits of the network and of each baseline, when it becomes known, and the paired difference."""
    network = performance["auc"]["within_splits"]
    rows = [_auc_row(["Network"], network, num_bold=2)]
    for name, answer in performance["baselines"].items():
        auc, words = answer["auc"], [f"{textwrap.fill(_capital(baseline_name(name)), 28)}\n{answer['stage']}"]
        if known(auc["value"]):
            words += [_auc_words(auc), textwrap.fill(comparison_cell(answer["difference"]), 36)]
            rows.append(Row(words, auc))
        else:
            rows.append(Row([*words, textwrap.fill(auc["reason"], 56)]))
    notes = ["Dashed: the network. Differences: DeLong's paired test in the same patients; p after Holm correction."]
    return _forest(rows, BASELINE_COLUMNS, notes, synthetic)


def baselines_forest_alt(performance: dict) -> str:
    """Alternative text of `baselines_forest`."""
    sentences = [f"Forest plot of AUCs. Network: {_auc_words(performance['auc']['within_splits'])}."]
    for name, answer in performance["baselines"].items():
        less = (
            f"; network minus baseline {comparison_cell(answer['difference'])}" if known(answer["auc"]["value"]) else ""
        )
        sentences.append(f"{_capital(baseline_name(name))}: {_auc_words(answer['auc'])}{less}.")
    return " ".join(sentences)


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _forest(rows: list[Row], columns: list[tuple], notes: list[str], synthetic: bool) -> Figure:
    """Draw a forest plot; the dashed line marks the estimate of the first row."""
    heading, place, align = columns[0]
    longest = max(len(line) for row in rows for line in row.words[0].split("\n"))
    columns, network = [(heading, place - longest / LETTERS, align), *columns[1:]], rows[0].estimate["value"]
    rows = [Row([heading for heading, *_ in columns], num_bold=len(columns)), *rows]
    heights = [LINE * max(text.count("\n") + 1 for text in row.words) + GAP for row in rows]
    reasons = [row.estimate["reason"] for row in rows if known(row.estimate["value"]) and row.estimate["reason"]]
    notes = notes + [f"No interval: {reason}." for reason in dict.fromkeys(reasons)]
    figure = new_figure(7.2, sum(heights) + 0.5, synthetic, " ".join(notes), grow=True)
    axes = figure.subplots()
    dress(axes, "", "AUC", "")
    lowest = min([0.4, *filter(known, (row.estimate[end] for row in rows for end in ("value", "low")))])
    axes.set(xlim=(np.floor(10 * lowest - 0.1) / 10, 1.02), ylim=(sum(heights), 0), yticks=[])
    axes.spines["left"].set_visible(False)
    for value, dashes in ((0.5, ":"), (network, "--")):
        if known(value):
            axes.plot([value, value], [heights[0], sum(heights)], linestyle=dashes, color=GREY, linewidth=0.9, zorder=0)
    for row, y in zip(rows, np.cumsum(heights) - np.divide(heights, 2), strict=True):
        for n, (text, (_, place, align)) in enumerate(zip(row.words, columns, strict=False)):
            style: dict = {"fontsize": SMALL, "fontweight": "bold" if n < row.num_bold else "normal"}
            style |= {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "ha": align, "va": "center"}
            axes.annotate(text, (float(place > 0), y), (72 * place, 0), **style)
        value, low, high, _ = (row.estimate[key] for key in NO_MARK)
        colour, marker = ("black", "D") if row.num_bold else (BLUE, "o")
        if known(value):
            axes.plot(value, y, marker=marker, color=colour, markersize=4.5, linestyle="none")
        if known(value) and known(low):
            axes.plot([low, high], [y, y], color=colour, linewidth=1.3)
    return figure
