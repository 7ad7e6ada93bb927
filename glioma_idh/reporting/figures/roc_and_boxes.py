"""ROC curves of every split or with confidence bands, and box plots of the scores over the splits."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from string import ascii_lowercase

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score, roc_curve

from glioma_idh.evaluation.bootstrap import DRAWS, roc_band
from glioma_idh.evaluation.intervals import auc_interval
from glioma_idh.evaluation.metrics import pool_patients
from glioma_idh.reporting.figures import canvas
from glioma_idh.reporting.figures.canvas import BLUE, GREEN, SMALL, VERMILLION, display_name, legend_entry, named_splits
from glioma_idh.reporting.names import ALWAYS, PANELS, trivial_answer

LONGEST_NAMES = 30  # total length of the names below a panel; longer ones are slanted
SPLIT_COLOURS = (canvas.ORANGE, canvas.SKY, GREEN, canvas.PURPLE, VERMILLION)
FALSE_POSITIVE_RATES, MOST_NAMED_SPLITS = np.linspace(0, 1, 1001), 8
PAPER = {"marker": "D", "color": GREEN, "markersize": 3.5, "elinewidth": 1, "capsize": 2}
MARKS = {
    "single split": {"marker": "o", "linestyle": "none", "color": "black", "markersize": 3, "alpha": 0.8},
    **{f"accuracy of {answer}, mean": {"marker": ">", "color": VERMILLION, "markersize": 5} for answer in ALWAYS},
    "paper, mean ± SD": PAPER,
    "paper, mean": PAPER,
}
BOX = {"boxprops": {"facecolor": "#DCE9F3", "edgecolor": BLUE}, "medianprops": {"color": BLUE, "linewidth": 1.8}}
BOX |= {"whiskerprops": {"color": BLUE}, "capprops": {"color": BLUE}, "patch_artist": True}
BAND_RATES = np.linspace(0, 1, 501)
CURVE_STYLES: list[dict] = [  # distinguishable by their dashes in greyscale; short dashes fit into the legend
    {"color": canvas.BLUE, "linestyle": "-"},
    {"color": canvas.VERMILLION, "linestyle": (0, (3, 1))},
    {"color": canvas.GREEN, "linestyle": (0, (3, 0.8, 0.8, 0.8))},
    {"color": canvas.ORANGE, "linestyle": (0, (1, 0.6))},
    {"color": canvas.PURPLE, "linestyle": (0, (3, 0.8, 0.8, 0.8, 0.8, 0.8))},
]
MARKERS = "Ds^vP"


def roc_curves(
    predictions_by_sequence: Mapping[str, pd.DataFrame],
    *,
    best_possible: Mapping[str, float | None] | None = None,
    published: Mapping[str, tuple] | None = None,
    synthetic: bool = False,
) -> Figure:
    """ROC curves of every split and their mean, with one panel per sequence (Pasquini et al. 2021, Fig. 3).

    The mean curve is the mean sensitivity of the splits at each false positive rate; the AUC given with it is the mean
    of the AUCs of the splits, with their sample sd (n - 1). Columns are `repeat, split, truth, score`; subjects without
    a label are left out. `published` is the published AUC and `best_possible` the highest possible AUC on the synthetic
    cohort, both by sequence.
    """
    count = len(predictions_by_sequence)
    columns = {1: 1, 2: 2, 4: 2}.get(count, 3)
    rows, width = -(-count // columns), {1: 3.5, 2: 5.4, 3: 7.2}[columns]
    num_splits = [len(named_splits(table)) for table in predictions_by_sequence.values()]
    legend_lines = max(4, *(number for number in num_splits if number <= MOST_NAMED_SPLITS), 0)
    row_height = width / columns + 0.32 + 0.15 * legend_lines
    figure = canvas.new_figure(width, rows * row_height + 0.2 * synthetic, synthetic)
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for axes in panels[count:]:
        axes.set_axis_off()
    shown = zip(ascii_lowercase, panels, predictions_by_sequence.items(), strict=False)
    for letter, axes, (name, predictions) in shown:
        canvas.dress_roc(axes, f"{letter}) {display_name(name)}")
        _draw_rocs(axes, predictions, (best_possible or {}).get(name), (published or {}).get(name))
    return figure


def _draw_rocs(axes, predictions, best_possible, published) -> None:
    """Draw the ROC curves of one sequence, their mean, and the legend below."""
    splits = named_splits(predictions.dropna(subset="truth"))
    entries, areas, curves, many = [], [], [], len(splits) > MOST_NAMED_SPLITS
    for number, (name, rows) in enumerate(splits):
        if rows["truth"].nunique() < 2:
            entries.append(legend_entry(f"{name}: one class"))
            continue
        rates = roc_curve(rows["truth"], rows["score"], drop_intermediate=False)[:2]
        areas.append(roc_auc_score(rows["truth"], rows["score"]))
        curves.append(np.interp(FALSE_POSITIVE_RATES, *rates))
        colour, dashes = (SPLIT_COLOURS[number % 5], "-" if number < 5 else "--") if not many else ("#9A9A9A", "-")
        label = f"{name}: {areas[-1]:.2f}"
        entries += axes.plot(*rates, linewidth=0.9, label=label, color=colour, linestyle=dashes)
    if many and areas:
        entries = axes.get_lines()[-1:]
        counted = canvas.of_total(len(areas), len(splits))
        entries[0].set_label(f"{counted} splits:\n{min(areas):.2f} to {max(areas):.2f}")
    if areas:
        grid, mean, several = FALSE_POSITIVE_RATES, np.mean(curves, axis=0), len(areas) > 1
        label = f"Mean: {_mean_sd(np.mean(areas), np.std(areas, ddof=1) if several else None)}"
        summary = axes.plot([0, *grid], [0, *mean], color=BLUE, linewidth=2.2, label=label)
        if several:
            sd = np.std(curves, axis=0, ddof=1)
            low, high = np.clip([mean - sd, mean + sd], 0, 1)
            summary.append(axes.fill_between(grid, low, high, color=BLUE, alpha=0.15, linewidth=0, label="± 1 SD"))
    else:
        summary = [legend_entry(" ")]
        axes.text(0.4, 0.78, "No ROC curve: every test set\nhas one class only", fontsize=SMALL, ha="center")
    summary += [legend_entry(f"Paper: {_mean_sd(*published)}")] if published else []
    summary += [] if best_possible is None else [legend_entry(f"Best possible: {best_possible:.2f}")]
    rows = zip_longest(entries[:MOST_NAMED_SPLITS], summary, fillvalue=legend_entry(" "))
    canvas.legend_below(axes, [entry for column in zip(*rows, strict=True) for entry in column], columns=2)
    axes.get_legend().set_title("AUC", prop={"size": SMALL})


def _mean_sd(mean: float, sd: float | None) -> str:
    return f"{mean:.2f}" if sd is None or np.isnan(sd) else f"{mean:.2f} ± {sd:.2f}"


def roc_with_bands(
    predictions_by_name: Mapping[str, pd.DataFrame],
    *,
    marks: Mapping[str, tuple[float, float]] | None = None,
    published: Mapping[str, float] | None = None,
    synthetic: bool = False,
    seed: int = 0,
) -> Figure:
    """ROC curves of several networks in one panel, each with a pointwise 95 % band (as in Fig. 4 of the SGPNet paper).

    Each curve pools all tested patients; the band is from `evaluation.bootstrap.roc_band` (resampling within each
    class), and the interval of the AUC is DeLong's. Columns are `patient, truth, score`; rows without a label or score
    are left out, and a patient with several rows gets the mean score. `marks` are points (1 - specificity, sensitivity)
    by name, for baselines without a curve such as grade; `published` AUCs may lack names. ValueError: more than five
    networks or marks.
    """
    marks, published = marks or {}, published or {}
    if len(predictions_by_name) > len(CURVE_STYLES) or len(marks) > len(MARKERS):
        found = f"{len(predictions_by_name)} and {len(marks)}"
        raise ValueError(f"expected at most {len(CURVE_STYLES)} networks and {len(MARKERS)} marks; found {found}")
    pooled = {name: pool_patients(rows.dropna(subset=["truth", "score"])) for name, rows in predictions_by_name.items()}
    counts = dict.fromkeys(f"{patients['truth'].sum():.0f} of {len(patients)}" for patients in pooled.values())
    bands = f"Bands: pointwise 95 % confidence bands ({DRAWS} stratified bootstrap resamples of the patients)."
    note = f"IDH-mutant: {' and '.join(counts)} patients. In parentheses: 95 % confidence interval. {bands}"
    height = 4.65 + 0.155 * (len(pooled) + len(marks)) + 0.13 * synthetic
    figure = canvas.new_figure(4.3, height, synthetic, note)
    axes = figure.subplots()
    canvas.dress_roc(axes)
    entries = []
    for (name, patients), style in zip(pooled.items(), CURVE_STYLES, strict=False):
        entries.append(_draw_band(axes, name, patients, published.get(name), style, seed))
    marked: dict = {"markersize": 5.5, "color": "black", "markeredgecolor": "white", "linestyle": "none", "zorder": 3}
    for (name, (rate, sensitivity)), marker in zip(marks.items(), MARKERS, strict=False):
        label = f"{name}: sensitivity {sensitivity:.2f}, specificity {1 - rate:.2f}"
        entries += axes.plot(rate, sensitivity, marker=marker, label=label, **marked)
    canvas.legend_below(axes, entries, columns=1)
    return figure


def _draw_band(axes, name: str, patients: pd.DataFrame, published: float | None, style: dict, seed: int):
    """Draw the curve and band of one network; return its legend entry."""
    truth, score = patients["truth"], patients["score"]
    if truth.nunique() < 2:
        return canvas.legend_entry(f"{name}: one class only")
    low, high = roc_band(truth, score, BAND_RATES, seed=seed)
    axes.fill_between(BAND_RATES, low, high, color=style["color"], alpha=0.1, linewidth=0)
    axes.plot(BAND_RATES, np.transpose([low, high]), linewidth=0.5, alpha=0.8, **style)
    low, high = auc_interval(truth, score)
    label = f"{name}: pooled AUC {roc_auc_score(truth, score):.2f}"
    label += "" if np.isnan(low) else f" ({low:.2f} to {high:.2f})"
    label += "" if published is None else f", paper {published:.2f}"
    (line,) = axes.plot(*roc_curve(truth, score, drop_intermediate=False)[:2], linewidth=1.5, label=label, **style)
    return line


def score_boxes(
    scores: pd.DataFrame, *, panels: Sequence[str], published: Mapping[str, dict] | None = None, synthetic: bool = False
) -> Figure:
    """Box plots of the scores over the splits, a panel per score, a box per sequence (Pasquini et al. 2021, Fig. 4).

    Boxes show the quartiles, whiskers the full range, points the single splits. `scores` has one row per split, with
    the columns `sequence`, those of the panels (at most four; missing ones are left out), and `always_wild_type` with
    `accuracy`. `published` is by sequence and score.
    """
    panels = [score for score in panels if score in scores]
    by_sequence = dict(list(scores.groupby("sequence", sort=False)))
    one_row = len(panels) < 4 or (len(by_sequence) == 1 and "ccel" not in panels)  # one scale for all panels
    rows, columns = (1, len(panels)) if one_row else (2, 2)
    names = [display_name(sequence) for sequence in by_sequence]
    slant = 0.4 if len("".join(names)) > LONGEST_NAMES else 0  # inches for slanted names below a panel
    slanted = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if slant else {}
    figure = canvas.new_figure({1: 3.5, 2: 5.4}.get(len(panels), 7.2), (2.8 + slant) * rows, synthetic)
    drawn = set()
    for letter, axes, score in zip("abcd", figure.subplots(rows, columns, squeeze=False).flat, panels, strict=False):
        loss = score == "ccel"
        canvas.dress(axes, f"{letter}) {PANELS[score]}", "", "Categorical cross-entropy" if loss else "")
        for place, (sequence, of_sequence) in enumerate(by_sequence.items()):
            drawn |= _draw_score(axes, place, of_sequence, score, (published or {}).get(sequence, {}).get(score))
        axes.set_xticks(range(len(names)), names, **slanted)
        axes.set_xlim(-0.6, len(names) - 0.4)
        axes.set_ylim(*((0, None) if loss else (-0.04, 1.04)))
    look = ("marker", "color", "markersize")
    marks = [legend_entry(name, **{key: MARKS[name][key] for key in look}) for name in MARKS if name in drawn]
    outside: dict = {"loc": "outside upper center", "ncols": 2 if len(panels) == 1 else 3}
    figure.legend(handles=marks, fontsize=SMALL, frameon=False, **outside)
    return figure


def _draw_score(axes, place: int, of_sequence, score: str, published) -> set[str]:
    """Draw one score of one sequence, of the paper and of the constant prediction; return the names of the marks."""
    values, marks = of_sequence[score].dropna().to_numpy(float), {"one split"}
    spread = np.linspace(-0.15, 0.15, len(values)) if len(values) > 1 else np.zeros(len(values))
    if len(values) > 1:
        style = {"whis": (0, 100), "showfliers": False, "manage_ticks": False}
        axes.boxplot(values, positions=[place], widths=0.5, **style, **BOX)
    axes.plot(place + spread, values, **MARKS["single split"])  # side by side, so that each is visible
    if score == "accuracy":
        wild_type = of_sequence["always_wild_type"].mean()
        mark = f"accuracy of {trivial_answer(wild_type)}, mean"
        marks.add(mark)
        axes.plot(place - 0.38, max(wild_type, 1 - wild_type), **MARKS[mark])
    if published is not None:
        mean, sd = published
        marks.add("paper, mean" if sd is None else "paper, mean ± SD")
        axes.errorbar(place + 0.38, mean, sd, **PAPER)
    return marks
