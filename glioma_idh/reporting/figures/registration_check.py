"""Whether all sequences lie where the reference lies: checkerboards, and the reference's outlines on each of them."""

import textwrap
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from glioma_idh.imaging.registration.rigid import (
    MAX_ROTATION_DEG,
    MAX_SHIFT_MM,
    MIN_GAIN,
    MIN_OVERLAP,
    TRIAL_MM_AND_DEG,
)
from glioma_idh.imaging.volumes import Volume, check_same_grid
from glioma_idh.reporting.figures.brain_row import brain_view, draw_brain_row, row_height
from glioma_idh.reporting.figures.canvas import display_name
from glioma_idh.reporting.figures.overlays import PLANES, new_sheet
from glioma_idh.reporting.figures.registration_view import (
    GAP,
    HEAD_AT,
    LINE,
    LINES,
    NAME,
    PIXEL_MM,
    STROKE,
    TEXT,
    WIDTH,
    View,
    draw_contour,
    draw_picture,
)

RED, TINT = "#B00020", np.array([0.74, 0.9, 1.0])
MEASURES = {
    "rotation_deg": ("rotation", "{:.1f} deg", f"flagged above {MAX_ROTATION_DEG:g}"),
    "shift_mm": ("shift", "{:.1f} mm", f"above {MAX_SHIFT_MM:g}"),
    "overlap": ("overlap of heads", "{:.2f}", f"below {MIN_OVERLAP:g}"),
    "gain": ("match", "{:.2f}", f"below {MIN_GAIN:g}"),
}
"""By name in a registration: its name in print, how it is written, and the limit at which it is flagged."""
NOTE = (
    "Patient's right on the left. First column: grey squares are the sequence, blue ones the reference; anatomy that "
    "runs on across their borders is registered. Other columns: the sequence under lines that were drawn from the "
    "reference alone. Rotation and shift are those beyond the headers. Match: mutual information relative to the best "
    f"with the sequence displaced by {TRIAL_MM_AND_DEG:g} mm or {TRIAL_MM_AND_DEG:g} degrees. Last row: the reference "
    "as acquired under the outlines of the masks."
)
LETTERS = 105  # of red in a line
SQUARE_MM, BAR_MM = 20.0, 50.0


@dataclass(frozen=True)
class Registered:
    """A sequence on the grid of the reference.

    Attributes:
        volume: the sequence.
        measures: of its registration, the values of MEASURES that are known; none of them for the reference itself,
            None for a sequence that was not registered.
        problem: what is wrong with its registration, in words; printed in red.
    """

    volume: Volume
    measures: dict[str, float] | None = None
    problem: str = ""


def registration_check(
    reference: Volume,
    sequences: dict[str, Registered],
    masks: dict[str, np.ndarray],
    *,
    subject: str,
    head: Volume | None = None,
    synthetic: bool = False,
) -> Figure:
    """Each sequence in a row: as a checkerboard with the reference, and in three planes under the reference's lines.

    The last row shows the brain mask at the vertex, at the skull base and in the middle planes, with its volume.

    Args:
        reference: what the sequences were registered to.
        sequences: by name, all on the reference's grid.
        masks: `brain`, to which the picture is cut, and `lesion`, through whose centre the planes run, otherwise
            through the middle; those there are, on that grid, shape (i, j, k).
        subject: its id.
        head: the reference with its skull, on the same grid, for the last row; by default the reference.
        synthetic: whether the subject is a phantom; the figure then says so.

    Returns:
        The figure, in radiological display, the sequences all on one scale.

    Raises:
        InputError: a sequence or the head lies on another grid.
    """
    for volume in (*(sequence.volume for sequence in sequences.values()), *([] if head is None else [head])):
        check_same_grid(volume, reference)
    masks = {name: np.asarray(masks[name]) != 0 for name in ("brain", "lesion") if name in masks}
    masks = {name: mask for name, mask in masks.items() if mask.any()}
    view, wide = View(reference, masks), brain_view(reference if head is None else head, masks)
    heads = [_head_lines(sequence) for sequence in sequences.values()]
    num_problems = sum(bool(sequence.problem) for sequence in sequences.values())
    height = LINE + sum(view.row + len(lines) * LINE + GAP for lines in heads)
    height += row_height(wide) if "brain" in masks else 0
    counted = f", {num_problems} of {len(sequences)} with a problem" if num_problems else ""
    figure, axes = new_sheet(WIDTH, height, f"{subject}: sequences on the reference's grid{counted}", NOTE, synthetic)
    y = LINE
    for (name, sequence), lines in zip(sequences.items(), heads, strict=True):
        _draw_head(axes, view, name, lines, y)
        y += len(lines) * LINE
        _draw_pictures(axes, view, sequence.volume.array, y)
        y += view.row + GAP
    if "brain" in masks:
        draw_brain_row(axes, wide, y, RED, synthetic)
    _name_columns(axes, view)
    _draw_scale(axes, view, (1 + len(heads[0])) * LINE + view.row)
    _name_lines(axes, view)
    axes.set(anchor="N", aspect="equal", xlim=(-0.02, WIDTH + 0.02), ylim=(height + 0.02, -0.02))
    axes.set_axis_off()
    return figure


def describe_measures(measures: dict[str, float] | None) -> str:
    """The numbers of a `Registered` by which its registration is flagged, with their limits."""
    if measures is None:
        return ""
    known = {name: measures[name] for name in MEASURES if name in measures}
    words = [MEASURES[name] for name in known]
    parts = [f"{name} {form.format(v)} ({limit})" for (name, form, limit), v in zip(words, known.values(), strict=True)]
    return ", ".join(parts) if parts else "the reference"


def _head_lines(sequence: Registered) -> list[tuple[str, bool]]:
    """What stands beside a sequence's name, by lines; and of each whether it says what is wrong."""
    said = describe_measures(sequence.measures)
    lines = [(said, False)] if said else []
    lines += [(line, True) for line in textwrap.wrap(sequence.problem, LETTERS)]
    return lines or [("", False)]


def _draw_head(axes, view: View, name: str, lines: list[tuple[str, bool]], top: float) -> None:
    """A sequence's name, its measures, and its problem in lines of red above a red frame."""
    axes.text(0, top, display_name(name), fontsize=NAME, fontweight="bold", va="top")
    usual = "\n".join(text for text, is_wrong in lines if not is_wrong)
    wrong = "\n".join(text for text, is_wrong in lines if is_wrong)
    style = {"fontsize": TEXT, "va": "top", "linespacing": 1.1}
    axes.text(HEAD_AT, top, usual, **style)
    if wrong:
        axes.text(HEAD_AT, top + bool(usual) * LINE, wrong, color=RED, fontweight="bold", **style)
        corner = 0, top + len(lines) * LINE
        axes.add_patch(Rectangle(corner, WIDTH, view.row, fill=False, edgecolor=RED, linewidth=2, zorder=3))


def _draw_pictures(axes, view: View, array: np.ndarray, top: float) -> None:
    """Checkerboard and three planes of a sequence, under the reference's lines."""
    for n, tile in enumerate(view.tiles()):
        plane = tile[0]
        extent = draw_picture(axes, view, tile, top, view.greys(array, plane) if n else checkerboard(view, array))
        if n:
            draw_contour(axes, view.edges[plane], 0.0, extent, "edges")
            for name, mask in view.masks.items():
                draw_contour(axes, view.fine(mask, plane), 0.5, extent, name)


def checkerboard(view: View, array: np.ndarray) -> np.ndarray:
    """An axial picture with squares of the sequence, grey, and of the reference, blue; shape (row, column, 3)."""
    own, other = (view.greys(volume, "axial") for volume in (array, view.reference.array))
    row, column = (np.arange(n) * PIXEL_MM // SQUARE_MM for n in own.shape)
    squares = (row[:, None] + column) % 2 == 0
    return np.where(squares[..., None], own[..., None], other[..., None] * TINT)


def _name_columns(axes, view: View) -> None:
    """What the columns show, above the first row."""
    for n, (plane, left, width) in enumerate(view.tiles()):
        cut = 3 - sum(PLANES[plane])
        words = f"{plane.capitalize()}, {'ijk'[cut]} = {view.centre[cut]}" if n else "Checkerboard, axial"
        axes.text(left + width / 2, 0, words, fontsize=TEXT, ha="center", va="top")


def _draw_scale(axes, view: View, bottom: float) -> None:
    """A bar of 5 cm at the bottom of the first picture."""
    axes.plot([0.1, 0.1 + BAR_MM * view.scale], [bottom - 0.1] * 2, color="white", linewidth=1.5, path_effects=STROKE)
    axes.text(0.1, bottom - 0.14, "5 cm", color="white", fontsize=TEXT, va="bottom", path_effects=STROKE)


def _name_lines(axes, view: View) -> None:
    """The lines' names, below the rows."""
    drawn = [name for name in LINES if name in {*view.masks, "edges"}]
    handles = [Line2D([], [], color=LINES[n][1], linewidth=2 * LINES[n][2], label=LINES[n][0]) for n in drawn]
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "borderaxespad": 0.3, "frameon": False}
    axes.legend(handles=handles, ncols=3, fontsize=TEXT, **below)
