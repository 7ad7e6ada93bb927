"""Slices as the 2D network receives them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from glioma_idh.reporting.figures import canvas, sheet
from glioma_idh.reporting.figures.canvas import GROUPS, NORMAL, SMALL, display_name, of_total
from glioma_idh.reporting.figures.sheet import radiological

SIDE, GAP, LINE = 0.512, 0.08, 0.12  # inches
BAR: dict = {"label": "SD above the median of the brain", "pad": 0.02}


def slice_sheet(
    slices: np.ndarray,
    subjects: Sequence[str],
    truth: ArrayLike,
    *,
    sequence: str,
    synthetic: bool = False,
    scores: Sequence[float] | np.ndarray | None = None,
    max_slices: int = 120,
) -> Figure:
    """The inputs of the network on one sheet, mutants first, all in one grey window.

    Slices have shape (n, 64, 64), with axes (i, j) towards the patient's right and anterior, in SD above the median of
    the brain, and exactly 0 outside the lesion mask; `truth` is 1, 0 or NaN. If there are more than `max_slices`
    subjects, an evenly spread subset is shown, and the title gives both numbers.
    """
    slices, labels = np.asarray(slices), pd.Series(truth, dtype=float).fillna(-1).astype(int).to_numpy()
    shown, prefix = sheet.evenly(np.argsort(-labels, kind="stable"), max_slices), sheet.common_prefix(subjects)
    groups = {label: shown[labels[shown] == label].tolist() for label in GROUPS}
    columns, num_lines = 6 if len(shown) <= 24 else 12, 2 if scores is None else 3
    step = SIDE + GAP, SIDE + num_lines * LINE + GAP
    corners, headings, height = sheet.place_groups(groups, columns, step, 1.5 * LINE, GAP)
    width, subset = columns * step[0], of_total(len(shown), len(labels))
    title = f"{display_name(sequence)}: 64 x 64 slices as the network receives them, {subset} subjects"
    note = "The patient's right is on the left, anterior at the top. Blue: outside the lesion mask (set to 0)."
    note += f' All ids begin with "{prefix}".' if prefix else ""
    figure, axes = sheet.new_sheet(width + 0.1, height + 0.4, title, note, synthetic)  # below it the bar
    window = sheet.inner_window(slices)
    for n, (x, y) in corners.items():
        group, colour = GROUPS[labels[n]]
        lines = [sheet.short_id(str(subjects[n])[len(prefix) :]), group]
        lines += [] if scores is None else [f"score {scores[n]:.2f}"]
        image = sheet.show(axes, np.ma.masked_equal(slices[n], 0), window, extent=(x, x + SIDE, y + SIDE, y))
        place = x + SIDE / 2, y + SIDE + 0.024
        axes.text(*place, "\n".join(lines), color=colour, fontsize=SMALL, ha="center", va="top")
    for label, y in headings.items():
        number = of_total(len(groups[label]), int(np.count_nonzero(labels == label)))
        axes.text(0, y, f"IDH-{GROUPS[label][0]} ({number})", fontsize=NORMAL, va="top", fontweight="bold")
    sheet.close_sheet(axes, width - GAP, height)
    canvas.colour_bar(figure, image, axes, **BAR)
    return figure


def slice_read(slice_image, slice_mask, box, network_input, *, subject, sequence, scores, synthetic=False) -> Figure:
    """The axial slice of one patient with lesion and bounding rectangle, and the input of the network made from it.

    Slice and mask (0 or 1) have shape (i, j), with axes towards the patient's right and anterior. `box` is the bounding
    rectangle of the mask, ((i0, i1), (j0, j1)), without i1 and j1. The input is normalised, shape (64, 64). `scores`
    has one score per network.
    """
    scores = np.asarray(scores, float).ravel()
    title = f"{subject}, {display_name(sequence)}\nProbability of IDH mutation {scores.mean():.2f}"
    if len(scores) > 1:
        spread = f"SD {scores.std(ddof=1):.2f}, {scores.min():.2f} to {scores.max():.2f}"
        title += f" ({spread}, {len(scores)} networks)"
    figure = canvas.new_figure(7.2, 4.1, synthetic, "The patient's right is on the left, anterior at the top.", title)
    whole, cut = figure.subplots(1, 2)
    image = np.asarray(slice_image, float)
    sheet.show(whole, image, np.nanpercentile(image, (1, 99.5)))
    whole.contour(radiological(slice_mask), levels=[0.5], colors=canvas.VERMILLION, linewidths=1.2)
    (i0, i1), (j0, j1) = box
    corner = image.shape[0] - i1 - 0.5, image.shape[1] - j1 - 0.5
    whole.add_patch(Rectangle(corner, i1 - i0, j1 - j0, fill=False, edgecolor=canvas.YELLOW, linewidth=1.2))
    for x, side in ((0.03, "R"), (0.97, "L")):
        whole.text(x, 0.5, side, transform=whole.transAxes, color="white", ha="center", path_effects=sheet.STROKE)
    whole.set_title("Slice used: lesion (orange outline) and bounding rectangle (yellow)", fontsize=SMALL)
    read = sheet.show(cut, np.ma.masked_equal(network_input, 0), sheet.inner_window(np.asarray(network_input)))
    cut.set_title("Network input, resampled to 64 x 64 (blue: outside the mask)", fontsize=SMALL)
    for axes in (whole, cut):
        axes.set_axis_off()
    canvas.colour_bar(figure, read, cut, **BAR)
    return figure
