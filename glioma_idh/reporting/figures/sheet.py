"""Sheets of scans: images and text on one pair of axes, in inches from its upper left corner.

Images are in radiological display: the patient's right on the left, anterior or superior at the top.
"""

import os
import re
import textwrap

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from glioma_idh.reporting.figures.canvas import SMALL, TITLE_LETTERS, new_figure

PLANES = {"axial": (0, 1), "coronal": (0, 2), "sagittal": (1, 2)}  # axes across and up; the third is cut
SIDES = {"axial": "RL", "coronal": "RL", "sagittal": "AP"}
LINE = 0.135  # inches, of text
GREYS = matplotlib.colormaps["gray"].with_extremes(bad="#A9CCE3")  # masked voxels lie outside the lesion
STROKE = [withStroke(linewidth=2.5, foreground="black")]


def slice_name(plane: str, centre, place: str = "") -> str:
    """The printed name of a slice through a voxel: `Axial, k = 12`; with `place` before the number."""
    cut = 3 - sum(PLANES[plane])
    return f"{plane.capitalize()}{place}, {'ijk'[cut]} = {centre[cut]}"


def slice_through(plane: str, centre, box) -> tuple:
    """The index of a slice of a volume through a voxel, cropped to a box."""
    return tuple(slice(*side) if axis in PLANES[plane] else centre[axis] for axis, side in enumerate(box))


def new_sheet(width: float, height: float, title: str, note: str, synthetic: bool):
    """An empty figure with title, note and space for a legend, and its axes; `height` is that of the images."""
    lines = unbroken_lines(title, int(width * TITLE_LETTERS))
    height += (len(lines) + 1) * LINE + 0.25
    figure = new_figure(width, height, synthetic, note, "\n".join(lines), grow=True)
    figure.suppressComposite = True  # keeps images separate in an SVG; merging hundreds is slow
    return figure, figure.add_subplot()


def close_sheet(axes, width: float, height: float, legend=(), columns: int = 2, fontsize: float = SMALL) -> None:
    """Crop a sheet to its images, and add a legend of the lines below them."""
    if legend:
        below = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "borderaxespad": 0.3, "frameon": False}
        axes.legend(handles=legend, ncols=columns, fontsize=fontsize, **below)
    axes.set(anchor="N", aspect="equal", xlim=(-0.02, width + 0.02), ylim=(height + 0.02, -0.02))
    axes.set_axis_off()


def draw_picture(axes, picture, ground, size, window, letters="", fontsize: float = SMALL) -> AxesImage:
    """Draw an image (greys or colours, from `radiological`) with letters at its left and right side.

    The image has the given size and is centred on a black ground (left, top, width, height); `window` holds the
    intensities shown as black and white.
    """
    left, top, width, height = ground
    axes.add_patch(Rectangle((left, top), width, height, facecolor="black", zorder=-1))
    x, y = left + (width - size[0]) / 2, top + (height - size[1]) / 2
    style: dict = {"extent": (x, x + size[0], y + size[1], y), "interpolation": "bilinear"}
    drawn = axes.imshow(picture, cmap=GREYS, vmin=window[0], vmax=window[1], **style)
    style = {"color": "white", "fontsize": fontsize, "path_effects": STROKE}
    for letter, edge, side in zip(letters, (left + 0.03, left + width - 0.03), ("left", "right"), strict=False):
        axes.text(edge, top + height / 2, letter, ha=side, va="center", **style)
    return drawn


def draw_outline(axes, mask, extent, colour: str, line: float, level: float = 0.5) -> None:
    """Draw the contour of a mask (from `radiological`) at a level, closed at the edges; nothing for an empty mask."""
    if np.max(mask) <= level:
        return
    left, right, bottom, top = extent
    x, y = (right - left) / mask.shape[1], (bottom - top) / mask.shape[0]
    around = {"extent": (left - x, right + x, bottom + y, top - y), "origin": "upper"}
    axes.contour(np.pad(np.asarray(mask, float), 1), [level], colors=colour, linewidths=line, **around)


def show(axes: Axes, image: np.ndarray, window: tuple[float, float], extent: tuple | None = None) -> AxesImage:
    """Draw an image (i, j) in grey; masked voxels (outside the lesion) are blue."""
    low, high = window
    return axes.imshow(radiological(image), cmap=GREYS, vmin=low, vmax=high, extent=extent, interpolation="nearest")


def radiological(image: np.ndarray) -> np.ma.MaskedArray:
    """Convert axes (i, j) to image rows and columns: anterior at the top, the patient's right on the left."""
    return np.ma.asanyarray(image)[::-1, ::-1].T


def inner_window(image: np.ndarray) -> tuple[float, float]:
    """The 1st and the 99th percentile of the non-zero voxels."""
    inside = image[(image != 0) & np.isfinite(image)]
    return tuple(np.percentile(inside, (1, 99))) if inside.size else (0.0, 1.0)


def place_groups(groups: dict, across: int, step, heading: float, gap: float):
    """Place the members of groups in rows below the heading of each group.

    Groups without members have no heading. `step` is the distance between the corners of neighbouring members, across
    and down; half of `gap` is added before the next heading. Returns the upper left corner of each member, the top of
    each heading, and the total height.
    """
    corners, tops, y = {}, {}, 0.0
    for name in filter(groups.get, groups):
        tops[name], members = y, groups[name]
        y += heading
        for n, member in enumerate(members):
            row, column = divmod(n, across)
            corners[member] = column * step[0], y + row * step[1]
        y = corners[members[-1]][1] + step[1] + gap / 2
    return corners, tops, y


def unbroken_lines(text: str, letters: int) -> list[str]:
    """Wrap text to lines of this length without separating a number from its word or unit."""
    text = re.sub(r" (?=\d)|(?<=\d) (?=ml|networks)", "\N{NO-BREAK SPACE}", text)
    return textwrap.wrap(text, letters, break_on_hyphens=False)


def common_prefix(subjects) -> str:
    """The common prefix of all ids, up to the last `_` or `-`: `BraTS20_Training_`."""
    prefix = os.path.commonprefix([str(subject) for subject in subjects])  # noqa: RUF071  compares character by character, as intended
    return prefix[: max(prefix.rfind("_"), prefix.rfind("-")) + 1]


def short_id(subject: str, most: int = 8) -> str:
    """The end of an id, with at most this many letters; eight fit above a slice."""
    return subject if len(subject) <= most else f"…{subject[1 - most :]}"


def evenly(items: np.ndarray, most: int) -> np.ndarray:
    """At most `most` of the items, evenly spread, including the first and the last."""
    return items[np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)]
