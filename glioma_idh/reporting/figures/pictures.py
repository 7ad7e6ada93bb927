"""Pictures of scans: what the network sees. Every function returns a `matplotlib.figure.Figure` of its own."""

import os
import textwrap

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from glioma_idh.reporting.figures.canvas import BLUE, GREY, NORMAL, SMALL, VERMILLION, display_name, new_figure

OUTSIDE_COLOUR = "#A9CCE3"
GROUPS = {1: ("mutant", VERMILLION), 0: ("wild-type", BLUE), -1: ("unknown", GREY)}
TILE, GAP, LINE_HEIGHT, INCH_PER_VOXEL = 64, 10, 15, 0.008


def slice_sheet(slices, subjects, truth, *, sequence, synthetic=False, scores=None, max_slices=120) -> Figure:
    """The network's inputs on one sheet, mutant first, in one grey window, so that a person sees what it sees.

    Args:
        slices: normalised slices, shape (n, 64, 64), axes (i, j) to the patient's right and front; SD above the
            brain's median; exactly 0 outside the lesion mask.
        subjects: their ids, n of them.
        truth: 1 mutant, 0 wild-type, NaN unknown; shape (n,).
        sequence: which sequence.
        synthetic: whether the subjects are phantoms; the figure then says so.
        scores: probabilities of mutation to print below the labels, shape (n,).
        max_slices: of more subjects than this, an evenly spread subset is shown, and the sheet says of how many.

    Returns:
        The figure, in radiological display: the patient's right on the left, front at the top.
    """
    slices, labels = np.asarray(slices), pd.Series(truth, dtype=float).fillna(-1).astype(int).to_numpy()
    shown = evenly(np.argsort(-labels, kind="stable"), max_slices)
    columns = 6 if len(shown) <= 24 else 12
    places, headings, height = _sheet_places(labels, shown, columns, num_lines=2 if scores is None else 3)
    prefix = common_prefix(subjects)
    note = "Patient's right on the left, front at the top. Blue: outside the lesion mask, 0 to the network."
    width = columns * (TILE + GAP) * INCH_PER_VOXEL + 0.1
    note += f' Ids follow "{prefix}".' if prefix else ""
    figure = new_figure(width, height * INCH_PER_VOXEL + (1.4 if columns == 6 else 1.2), synthetic, note)
    subset = f"{len(shown)} of {len(labels)}" if len(shown) < len(labels) else f"{len(labels)}"
    title = f"{display_name(sequence)}: {TILE} x {TILE} slices as the network reads them, {subset} subjects"
    figure.suptitle(textwrap.fill(title, int(width * 13)), fontsize=NORMAL, fontweight="bold")
    axes, window = figure.add_subplot(), _grey_window(slices)
    for n, (x, y) in places.items():
        group, colour = GROUPS[labels[n]]
        lines = [
            short_id(str(subjects[n])[len(prefix) :]),
            group,
            *([] if scores is None else [f"p = {scores[n]:.2f}"]),
        ]
        image = show(axes, np.ma.masked_equal(slices[n], 0), window, extent=(x, x + TILE, y + TILE, y))
        axes.text(x + TILE / 2, y + TILE + 3, "\n".join(lines), color=colour, fontsize=SMALL, ha="center", va="top")
    for text, y in headings:
        axes.text(0, y, text, fontsize=NORMAL, va="top", fontweight="bold")
    axes.set(anchor="N", xlim=(-GAP / 2, columns * (TILE + GAP) - GAP / 2), ylim=(height, 0))
    axes.set_axis_off()
    _grey_bar(figure, image, axes)
    return figure


def slice_read(slice_image, slice_mask, box, network_input, *, subject, sequence, scores, synthetic=False) -> Figure:
    """What was read of one patient: the axial slice with the lesion and its rectangle, and the network's input.

    Args:
        slice_image: the whole slice, shape (i, j), axes to the patient's right and front.
        slice_mask: lesion mask on it, shape (i, j), 0 or 1.
        box: the mask's rectangle, ((i0, i1), (j0, j1)), stop outside.
        network_input: what was cut from it, normalised, shape (64, 64).
        subject: its id.
        sequence: which sequence.
        scores: probability of mutation from each split's network, shape (n,).
        synthetic: whether the networks learned from, or read, phantoms; the figure then says so.

    Returns:
        The figure, in radiological display; pixels are drawn square.
    """
    figure = new_figure(7.2, 4.1, synthetic, "Patient's right on the left, front at the top.")
    title = f"{subject}, {display_name(sequence)}\n{_spread(scores)}"
    figure.suptitle(title, fontsize=NORMAL, fontweight="bold")
    whole, cut = figure.subplots(1, 2)
    image = np.asarray(slice_image, float)
    show(whole, image, np.nanpercentile(image, (1, 99.5)))
    whole.contour(radiological(slice_mask), levels=[0.5], colors=VERMILLION, linewidths=1.2)
    (i0, i1), (j0, j1) = box
    corner = image.shape[0] - i1 - 0.5, image.shape[1] - j1 - 0.5
    whole.add_patch(Rectangle(corner, i1 - i0, j1 - j0, fill=False, edgecolor="#F0E442", linewidth=1.2))
    outline = [withStroke(linewidth=2, foreground="black")]
    for x, side in ((0.03, "R"), (0.97, "L")):
        whole.text(x, 0.5, side, transform=whole.transAxes, color="white", ha="center", path_effects=outline)
    whole.set_title("Slice read: lesion (orange outline) and its rectangle (yellow)", fontsize=SMALL)
    read = show(cut, np.ma.masked_equal(network_input, 0), _grey_window(np.asarray(network_input)))
    cut.set_title("What the network saw, stretched to 64 x 64 (blue: outside the mask)", fontsize=SMALL)
    for axes in (whole, cut):
        axes.set_axis_off()
    _grey_bar(figure, read, cut)
    return figure


def evenly(items: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the items, spread evenly, first and last included."""
    return items[np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)]


def _sheet_places(labels: np.ndarray, shown: np.ndarray, columns: int, num_lines: int):
    """Where each slice and each group's heading goes, in voxels from the upper left; and the sheet's height."""
    places, headings, y = {}, [], 0.0
    for label, (group, _) in GROUPS.items():
        members = [n for n in shown if labels[n] == label]
        if not members:
            continue
        total = int((labels == label).sum())
        number = f"{len(members)} of {total}" if len(members) < total else f"{total}"
        headings.append((f"IDH-{group} ({number})", y))
        y += 1.5 * LINE_HEIGHT
        for place, n in enumerate(members):
            row, column = divmod(place, columns)
            places[n] = column * (TILE + GAP), y + row * (TILE + num_lines * LINE_HEIGHT + GAP)
        y = places[members[-1]][1] + TILE + num_lines * LINE_HEIGHT + 1.5 * GAP
    return places, headings, y


def common_prefix(subjects) -> str:
    """What all ids begin with, up to the last `_` or `-`: `BraTS20_Training_`."""
    prefix = os.path.commonprefix([str(subject) for subject in subjects])  # noqa: RUF071  letter by letter is what is wanted
    return prefix[: max(prefix.rfind("_"), prefix.rfind("-")) + 1]


def short_id(subject: str, most: int = 8) -> str:
    """The id's end, eight letters at most, which is the width of a slice; or so many."""
    return subject if len(subject) <= most else f"…{subject[1 - most :]}"


def _spread(scores) -> str:
    """Mean and spread of the probabilities from several networks, in words."""
    scores = np.asarray(scores, float).ravel()
    mean = f"Probability of IDH mutation {scores.mean():.2f}"
    if len(scores) == 1:
        return mean
    return f"{mean} (sd {scores.std(ddof=1):.2f}, {scores.min():.2f} to {scores.max():.2f}, {len(scores)} networks)"


def radiological(image):
    """From axes (i, j) to picture rows and columns: front at the top, the patient's right on the left."""
    return np.ma.asanyarray(image)[::-1, ::-1].T


def show(axes, image, window, extent=None, interpolation="nearest"):
    """Draw one (i, j) image in grey; masked voxels get the colour of what lies outside the lesion."""
    greys = matplotlib.colormaps["gray"].with_extremes(bad=OUTSIDE_COLOUR)
    low, high = window
    picture = radiological(image)
    return axes.imshow(picture, cmap=greys, vmin=low, vmax=high, extent=extent, interpolation=interpolation)


def _grey_window(slices: np.ndarray) -> tuple[float, float]:
    """From the 1st to the 99th percentile of the voxels inside the mask."""
    inside = slices[(slices != 0) & np.isfinite(slices)]
    return tuple(np.percentile(inside, (1, 99))) if inside.size else (0.0, 1.0)


def _grey_bar(figure, image, axes) -> None:
    bar = figure.colorbar(image, ax=axes, location="bottom", shrink=0.5, aspect=35, pad=0.02, extend="both")
    bar.set_label("SD above brain median", fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
