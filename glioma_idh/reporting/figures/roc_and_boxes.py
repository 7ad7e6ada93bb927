"""Figures of scores, from tables. Every function returns a `matplotlib.figure.Figure` and leaves no global state."""

from itertools import zip_longest
from string import ascii_lowercase

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from sklearn.metrics import roc_auc_score, roc_curve

from glioma_idh.papers import SLICE_CNN
from glioma_idh.reporting.figures.canvas import (
    BLUE,
    GREEN,
    GREY,
    PURPLE,
    SMALL,
    VERMILLION,
    display_name,
    dress,
    legend_below,
    named_splits,
    new_figure,
)
from glioma_idh.reporting.names import ALWAYS, PANELS, trivial_answer

LONGEST_NAMES = 30  # letters of all networks that stand side by side below a panel; more are slanted
SPLIT_COLOURS = ("#E69F00", "#56B4E9", GREEN, PURPLE, VERMILLION)
FALSE_POSITIVE_RATES, MOST_NAMED_SPLITS = np.linspace(0, 1, 1001), 8

_PAPER = {"marker": "D", "color": GREEN, "markersize": 3.5, "elinewidth": 1, "capsize": 2}
MARKS = {
    "one split": {"marker": "o", "linestyle": "none", "color": "black", "markersize": 3, "alpha": 0.8},
    **{f"{answer}, mean": {"marker": ">", "color": VERMILLION, "markersize": 5} for answer in ALWAYS},
    "paper, mean ± sd": _PAPER,
    "paper, mean": _PAPER,
}


def roc_curves(predictions_by_sequence, *, best_possible=None, published=None, synthetic=False) -> Figure:
    """ROC curves of every split and their mean, a panel a sequence (Pasquini et al. 2021, Fig. 3).

    Args:
        predictions_by_sequence: predictions table of each sequence; columns `repeat, split, truth, score`. Subjects
            without a truth are left out.
        best_possible: per sequence, the AUC that no network can beat on these subjects (phantom cohort).
        published: per sequence, (mean, sd) of the paper's AUC; sd is None where it prints none.
        synthetic: whether the subjects are phantoms; the figure then says so.

    Returns:
        The figure. A panel's mean curve is the mean of the splits' sensitivities at each false positive rate; the AUC
        beside it is the mean of the splits' AUCs, with their sample sd (n - 1).
    """
    count = len(predictions_by_sequence)
    columns = {1: 1, 2: 2, 4: 2}.get(count, 3)
    rows, width = -(-count // columns), {1: 3.5, 2: 5.4, 3: 7.2}[columns]
    num_splits = [len(named_splits(table)) for table in predictions_by_sequence.values()]
    legend_lines = max(4, *(number for number in num_splits if number <= MOST_NAMED_SPLITS), 0)
    row_height = width / columns + 0.32 + 0.15 * legend_lines
    figure = new_figure(width, rows * row_height + 0.2 * synthetic, synthetic)
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for axes in panels[count:]:
        axes.set_axis_off()
    for number, (sequence, predictions) in enumerate(predictions_by_sequence.items()):
        axes = panels[number]
        dress(axes, f"{ascii_lowercase[number]}) {display_name(sequence)}", "1 - specificity", "Sensitivity")
        _draw_rocs(axes, predictions, (best_possible or {}).get(sequence), (published or {}).get(sequence))
    return figure


def score_boxes(scores, *, panels=SLICE_CNN.boxes, published=None, synthetic=False) -> Figure:
    """Scores over the splits, a panel a score and a box a sequence (Pasquini et al. 2021, Fig. 4).

    Args:
        scores: a row a split; column `sequence`, those of the panels, and `always_wild_type` with `accuracy`.
        panels: names of scores, at most four; those that the table lacks get no panel.
        published: per sequence, a mapping from score names to the paper's (mean, sd); sd is None where it prints none.
        synthetic: whether the subjects are phantoms; the figure then says so.

    Returns:
        The figure. Boxes are quartiles, whiskers the full range, points the splits themselves.
    """
    panels = [score for score in panels if score in scores]
    sequences = list(dict.fromkeys(scores["sequence"]))
    published = {sequence: row for sequence, row in (published or {}).items() if sequence in sequences}
    one_row = len(panels) < 4 or (len(sequences) == 1 and "ccel" not in panels)  # one scale for all panels
    rows, columns = (1, len(panels)) if one_row else (2, 2)
    names = [display_name(sequence) for sequence in sequences]
    slant = 0.4 if len("".join(names)) > LONGEST_NAMES else 0  # inches that long names take below a panel
    figure = new_figure({1: 3.5, 2: 5.4}.get(len(panels), 7.2), (2.8 + slant) * rows, synthetic)
    marks = {"one split"}
    for letter, axes, score in zip("abcd", figure.subplots(rows, columns, squeeze=False).flat, panels, strict=False):
        dress(axes, f"{letter}) {PANELS[score]}", "", "Categorical cross-entropy" if score == "ccel" else "")
        for place, sequence in enumerate(sequences):
            of_sequence = scores[scores["sequence"] == sequence]
            marks |= _draw_score(axes, place, of_sequence, score, published.get(sequence, {}).get(score))
        slanted = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if slant else {}
        axes.set_xticks(range(len(names)), names, **slanted)
        axes.set_xlim(-0.6, len(sequences) - 0.4)
        axes.set_ylim(*((0, None) if score == "ccel" else (-0.04, 1.04)))
    _mark_legend(figure, [name for name in MARKS if name in marks], columns=2 if len(panels) == 1 else 3)
    return figure


def _draw_score(axes, place: int, of_sequence, score: str, published) -> set[str]:
    """One score of one sequence, beside what the paper and the trivial answer reach; the names of the marks drawn."""
    marks = {"one split"}
    _draw_box(axes, place, of_sequence[score].dropna().to_numpy(float))
    if score == "accuracy":
        wild_type = of_sequence["always_wild_type"].mean()
        mark = f"{trivial_answer(wild_type)}, mean"
        marks.add(mark)
        axes.plot(place - 0.38, max(wild_type, 1 - wild_type), **MARKS[mark])
    if published is not None:
        mean, sd = published
        marks.add("paper, mean" if sd is None else "paper, mean ± sd")
        axes.errorbar(place + 0.38, mean, sd, **_PAPER)
    return marks


def _draw_rocs(axes, predictions, best_possible, published) -> None:
    """One sequence's ROC curves, their mean, and the legend below."""
    axes.plot([0, 1], [0, 1], linestyle=":", color=GREY, linewidth=0.9)
    axes.set(aspect="equal", anchor="N", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=np.arange(0, 1.1, 0.25))
    axes.set_yticks(np.arange(0, 1.1, 0.25))
    handles, areas, curves = _draw_split_rocs(axes, named_splits(predictions.dropna(subset="truth")))
    if areas:
        summary = _draw_mean_roc(axes, curves, areas)
    else:
        summary = [_words(" ")]
        axes.text(0.4, 0.78, "No ROC: every test set\nholds one class only", fontsize=SMALL, ha="center")
    if published:
        summary.append(_words(f"Paper: {_mean_sd(*published)}"))
    if best_possible is not None:
        summary.append(_words(f"Best possible: {best_possible:.2f}"))
    both = zip(*zip_longest(handles, summary, fillvalue=_words(" ")), strict=True)
    legend_below(axes, [handle for column in both for handle in column], columns=2)
    axes.get_legend().set_title("AUC", prop={"size": SMALL})


def _draw_split_rocs(axes, splits) -> tuple[list, list[float], list[np.ndarray]]:
    """Each split's curve; handles for the legend, the AUCs, and the curves on `FALSE_POSITIVE_RATES`."""
    handles, areas, curves, many = [], [], [], len(splits) > MOST_NAMED_SPLITS
    for number, (name, rows) in enumerate(splits):
        if rows["truth"].nunique() < 2:
            handles.append(_words(f"{name}: one class"))
            continue
        rates = roc_curve(rows["truth"], rows["score"], drop_intermediate=False)[:2]
        areas.append(roc_auc_score(rows["truth"], rows["score"]))
        curves.append(np.interp(FALSE_POSITIVE_RATES, *rates))
        style = {
            "color": "#9A9A9A" if many else SPLIT_COLOURS[number % 5],
            "linestyle": "-" if many or number < 5 else "--",
        }
        handles += axes.plot(*rates, linewidth=0.9, label=f"{name}: {areas[-1]:.2f}", **style)
    if many and areas:
        handles = axes.get_lines()[-1:]
        number = f"{len(areas)} of {len(splits)}" if len(areas) < len(splits) else f"{len(areas)}"
        handles[0].set_label(f"{number} splits:\n{min(areas):.2f} to {max(areas):.2f}")
    return handles[:MOST_NAMED_SPLITS], areas, curves


def _draw_mean_roc(axes, curves, areas) -> list:
    """The mean curve and its band; handles for the legend."""
    grid = FALSE_POSITIVE_RATES
    mean, several = np.mean(curves, axis=0), len(areas) > 1
    label = f"Mean: {_mean_sd(np.mean(areas), np.std(areas, ddof=1) if several else None)}"
    handles = axes.plot([0, *grid], [0, *mean], color=BLUE, linewidth=2.2, label=label)
    if several:
        sd = np.std(curves, axis=0, ddof=1)
        low, high = np.clip([mean - sd, mean + sd], 0, 1)
        handles.append(axes.fill_between(grid, low, high, color=BLUE, alpha=0.15, linewidth=0, label="± 1 sd"))
    return handles


def _mean_sd(mean: float, sd: float | None) -> str:
    return f"{mean:.2f}" if sd is None or np.isnan(sd) else f"{mean:.2f} ± {sd:.2f}"


def _words(text: str) -> Line2D:
    """A legend entry without a line."""
    return Line2D([], [], linestyle="none", label=text)


def _draw_box(axes, place: int, values: np.ndarray) -> None:
    """One box and, side by side so that each is seen, the splits it is made of."""
    if len(values) > 1:
        style = {
            "boxprops": {"facecolor": "#DCE9F3", "edgecolor": BLUE},
            "medianprops": {"color": BLUE, "linewidth": 1.8},
        }
        style |= {"whiskerprops": {"color": BLUE}, "capprops": {"color": BLUE}, "patch_artist": True}
        axes.boxplot(
            values, positions=[place], widths=0.5, whis=(0, 100), showfliers=False, manage_ticks=False, **style
        )
    spread = np.linspace(-0.15, 0.15, len(values)) if len(values) > 1 else np.zeros(len(values))
    axes.plot(place + spread, values, **MARKS["one split"])


def _mark_legend(figure, names, columns: int) -> None:
    """Names of the marks above the panels."""
    drawn = ("marker", "color", "markersize")
    styles = [{key: value for key, value in MARKS[name].items() if key in drawn} for name in names]
    handles = [Line2D([], [], linestyle="none", label=name, **style) for name, style in zip(names, styles, strict=True)]
    figure.legend(handles=handles, loc="outside upper center", ncols=columns, fontsize=SMALL, frameon=False)
