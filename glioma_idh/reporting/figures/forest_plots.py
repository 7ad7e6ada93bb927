"""Forest plots: an AUC with its interval a row, within groups of patients and beside baselines without a network."""

import textwrap
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from glioma_idh.evaluation.strata import FEWEST
from glioma_idh.reporting.figures.canvas import BLUE, GREY, SMALL, dress, noted_figure
from glioma_idh.reporting.tables.cells import comparison_cell, estimate_cell, known

LINE, GAP = 0.125, 0.05  # inches, of a line of text and between rows
LETTERS = 14  # an inch
TOO_SMALL = "too small for an AUC"
NO_MARK = {"value": None, "low": None, "high": None, "reason": ""}
MOST_TOLD = 12  # strata that the alternative text names one by one


class Column(NamedTuple):
    """A column of text beside the panel.

    Attributes:
        heading: above it.
        place: inches from the panel: left of its left edge below 0, right of its right edge above.
        align: which edge of the text that is.
    """

    heading: str
    place: float
    align: str = "left"


class Row(NamedTuple):
    """A line of a forest plot.

    Attributes:
        words: a text a column; columns at the end may be left out.
        estimate: `value, low, high, reason` of the mark and its bar.
        num_bold: how many of the texts, from the left, are bold; a mark in a row with such is black.
    """

    words: list[str]
    estimate: dict = NO_MARK
    num_bold: int = 0


STRATA_COLUMNS = [  # the names at their right edge
    Column("", -1.25),
    Column("Patients", -0.62, "right"),
    Column("Mutants", -0.1, "right"),
    Column("AUC (95 % interval)", 0.1),
]
BASELINE_COLUMNS = [  # the names at their right edge
    Column("", -0.1),
    Column("AUC (95 % interval)", 0.1),
    Column("Network less it (95 %), p after Holm", 1.35),
]


def strata_forest(strata: list[dict], overall: dict, *, synthetic: bool = False) -> Figure:
    """AUC within groups of patients.

    Args:
        strata: rows of `evaluation.strata.strata_scores`.
        overall: `value, low, high, reason` of the AUC of all patients.
        synthetic: whether the subjects are phantoms; the figure then says so.

    Returns:
        The figure. The dashed line is the AUC of all patients, the dotted one that of chance.
    """
    counts = pd.DataFrame(strata).groupby("variable")[["n", "events"]].sum().max()  # each variable counts all patients
    rows = [_auc_row(["All patients", f"{counts['n']}", f"{counts['events']}"], overall, num_bold=4)]
    for variable, of_variable in groupby(strata, key=lambda stratum: stratum["variable"]):
        rows += _variable_rows(variable, list(of_variable))
    notes = ["Dashed: all patients."] if known(overall["value"]) else []
    if any(TOO_SMALL in row.words for row in rows):
        notes.append(f"Too small: fewer than {FEWEST} mutants or wild-types.")
    return _forest(rows, STRATA_COLUMNS, notes, synthetic)


def _variable_rows(variable: str, strata: list[dict]) -> list[Row]:
    """A heading, and the rows of its strata; one row with the reason where nobody has a value."""
    if strata[0]["n"] == 0:
        return [Row([_capital(variable), "", "", textwrap.fill(strata[0]["reason"], 30)], num_bold=1)]
    return [Row([_capital(variable)], num_bold=1), *map(_stratum_row, strata)]


def _stratum_row(stratum: dict) -> Row:
    """The row of a stratum."""
    name = textwrap.fill(stratum["stratum"], 34, initial_indent="   ", subsequent_indent="   ")
    words = [name, f"{stratum['n']}", f"{stratum['events']}"]
    return Row([*words, TOO_SMALL]) if _too_small(stratum) else _auc_row(words, stratum | {"value": stratum["auc"]})


def _too_small(stratum: dict) -> bool:
    """Whether a stratum holds patients, but too few."""
    return stratum["n"] > 0 and min(stratum["events"], stratum["n"] - stratum["events"]) < FEWEST


def _auc_row(words: list[str], estimate: dict, num_bold: int = 0) -> Row:
    """A row that ends with the AUC and its interval, or why there is none."""
    return Row([*words, textwrap.fill(_auc_words(estimate), 30)], estimate, num_bold)


def _auc_words(estimate: dict) -> str:
    """An AUC with its interval; why there is no interval stands at the figure's foot."""
    if known(estimate["value"]) and not known(estimate["low"]):
        return f"{estimate['value']:.2f} (no interval)"
    return estimate_cell(estimate)


def strata_forest_alt(strata: list[dict], overall: dict) -> str:
    """The numbers of `strata_forest` in words."""
    computed = [stratum for stratum in strata if known(stratum["auc"])]
    few = sum(map(_too_small, strata))
    sentences = [f"Forest plot of the AUC within groups of patients. All patients: {_auc_words(overall)}."]
    told = computed
    if len(computed) > MOST_TOLD:
        told = [min(computed, key=lambda row: row["auc"]), max(computed, key=lambda row: row["auc"])]
        sentences.append(f"Of {len(computed)} groups the lowest and the highest:")
    names = [f"{row['variable']} {row['stratum']}: {_auc_words(row | {'value': row['auc']})}" for row in told]
    sentences += [f"{'; '.join(names)}."] if names else []
    sentences += [f"Groups {TOO_SMALL}: {few}."] if few else []
    reasons = [f"{_capital(row['variable'])}: {row['reason']}." for row in strata if row["n"] == 0]
    return " ".join([*sentences, *reasons])


def baselines_forest(worth: dict, *, synthetic: bool = False) -> Figure:
    """AUC within splits of the network and of each baseline, when a clinic knows it, and the paired difference.

    Args:
        worth: of `evaluation.worth.worth`, `auc` and `baselines`.
        synthetic: whether the subjects are phantoms; the figure then says so.

    Returns:
        The figure. The dashed line is the network's AUC, the dotted one that of chance.
    """
    network = worth["auc"]["within_splits"]
    rows = [_auc_row(["Network"], network, num_bold=2)]
    rows += [_baseline_row(name, **answer) for name, answer in worth["baselines"].items()]
    notes = ["Dashed: the network. Differences: DeLong's paired test on the same patients, p after Holm."]
    return _forest(rows, BASELINE_COLUMNS, notes, synthetic)


def _baseline_row(name: str, stage: str, auc: dict, difference: dict) -> Row:
    """The row of a baseline."""
    words = [f"{textwrap.fill(_capital(name), 28)}\n{stage}"]
    if not known(auc["value"]):
        return Row([*words, textwrap.fill(auc["reason"], 56)])
    words.append(_auc_words(auc))
    return Row([*words, textwrap.fill(comparison_cell(difference), 36)], auc)


def baselines_forest_alt(worth: dict) -> str:
    """The numbers of `baselines_forest` in words."""
    sentences = [f"Forest plot of AUCs. Network: {_auc_words(worth['auc']['within_splits'])}."]
    for name, answer in worth["baselines"].items():
        less = f"; network less it {comparison_cell(answer['difference'])}" if known(answer["auc"]["value"]) else ""
        sentences.append(f"{_capital(name)}: {_auc_words(answer['auc'])}{less}.")
    return " ".join(sentences)


def _capital(name: str) -> str:
    """A name at the start of a row or a sentence."""
    return name[:1].upper() + name[1:]


def _forest(rows: list[Row], columns: list[Column], notes: list[str], synthetic: bool) -> Figure:
    """The figure of a forest plot; the first row is the one that the dashed line goes through."""
    longest = max(len(line) for row in rows for line in row.words[0].split("\n"))
    columns = [columns[0]._replace(place=columns[0].place - longest / LETTERS), *columns[1:]]
    rows = [Row([column.heading for column in columns], num_bold=len(columns)), *rows]
    heights = [LINE * max(text.count("\n") + 1 for text in row.words) + GAP for row in rows]
    reasons = [row.estimate["reason"] for row in rows if known(row.estimate["value"]) and row.estimate["reason"]]
    notes = notes + [f"No interval: {reason}." for reason in dict.fromkeys(reasons)]
    figure = noted_figure(7.2, sum(heights) + 0.5, synthetic, " ".join(notes))
    axes = figure.subplots()
    dress(axes, "", "AUC", "")
    ends = [row.estimate[end] for row in rows for end in ("value", "low")]
    lowest = min([0.4, *filter(known, ends)])
    axes.set(xlim=(np.floor(10 * lowest - 0.1) / 10, 1.02), ylim=(sum(heights), 0), yticks=[])
    axes.spines["left"].set_visible(False)
    for value, dashes in ((0.5, ":"), (rows[1].estimate["value"], "--")):
        if known(value):
            axes.plot([value, value], [heights[0], sum(heights)], linestyle=dashes, color=GREY, linewidth=0.9, zorder=0)
    for row, middle in zip(rows, np.cumsum(heights) - np.divide(heights, 2), strict=True):
        _draw_row(axes, row, columns, middle)
    return figure


def _draw_row(axes, row: Row, columns: list[Column], y: float) -> None:
    """The texts of a row, its mark and its bar."""
    for number, (text, column) in enumerate(zip(row.words, columns, strict=False)):
        axes.annotate(
            text,
            (float(column.place > 0), y),
            (72 * column.place, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha=column.align,
            va="center",
            fontsize=SMALL,
            fontweight="bold" if number < row.num_bold else "normal",
        )
    if known(row.estimate["value"]):
        colour, marker = ("black", "D") if row.num_bold else (BLUE, "o")
        axes.plot(row.estimate["value"], y, marker=marker, color=colour, markersize=4.5, linestyle="none")
        if known(row.estimate["low"]):
            axes.plot([row.estimate["low"], row.estimate["high"]], [y, y], color=colour, linewidth=1.3)
