"""Whether all sequences lie where the reference lies: checkerboards, and the reference's outlines on each of them."""

import textwrap
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from scipy import ndimage

from glioma_idh.imaging.boxes import Box, bounding_box
from glioma_idh.imaging.volumes import Volume, check_same_grid
from glioma_idh.reporting.canvas import NORMAL, SMALL, VERMILLION, display_name
from glioma_idh.reporting.cases import find_tissue, lesion_centre
from glioma_idh.reporting.overlays import PLANES, SIDES, new_sheet
from glioma_idh.reporting.pictures import radiological

LINES = {
    "brain": ("Brain mask of the reference", "#56B4E9", 0.9),
    "edges": ("Edges of the reference", "#F0E442", 0.45),
    "lesion": ("Lesion", VERMILLION, 1.0),
}
RED, TINT = "#B00020", np.array([0.74, 0.9, 1.0])
NOTE = (
    "Patient's right on the left. First column: grey squares are the sequence, blue ones the reference; anatomy that "
    "runs on across their borders is registered. Other columns: the sequence under lines that were drawn from the "
    "reference alone."
)
STROKE = [withStroke(linewidth=2.5, foreground="black")]
WIDTH, LINE, GAP = 8.6, 0.15, 0.05  # inches
LETTERS = 115  # of red in a line
SQUARE_MM, MARGIN_MM, BAR_MM = 20.0, 8.0, 50.0
PIXEL_MM, EDGE_SD_MM, EDGE_SHARE = 0.5, 1.5, 0.3


def registration_check(
    reference: Volume, sequences: dict[str, Volume], brain, lesion, *, subject: str, problems=None, synthetic=False
) -> Figure:
    """Each sequence in a row: as a checkerboard with the reference, and in three planes under the reference's lines.

    Args:
        reference: what the sequences were registered to.
        sequences: by name, all on the reference's grid.
        brain: mask on that grid, shape (i, j, k), or None; the picture is cut to it.
        lesion: mask on that grid, or None; the planes run through its centre, otherwise through the middle.
        subject: its id.
        problems: what is wrong with a sequence's registration, in words, by name; printed in red.
        synthetic: whether the subject is a phantom; the figure then says so.

    Returns:
        The figure, in radiological display, all of it on one scale.

    Raises:
        InputError: a sequence lies on another grid.
    """
    for volume in sequences.values():
        check_same_grid(volume, reference)
    problems = {name: text for name, text in (problems or {}).items() if text}
    masks = {"brain": brain, "lesion": lesion}.items()
    view = _View(reference, {name: np.asarray(mask) != 0 for name, mask in masks if mask is not None and np.any(mask)})
    heads = [textwrap.wrap(problems.get(name, ""), LETTERS) or [""] for name in sequences]
    height = LINE + sum(view.row + len(lines) * LINE + GAP for lines in heads)
    counted = f", {len(problems)} of {len(sequences)} with a problem" if problems else ""
    figure, axes = new_sheet(WIDTH, height, f"{subject}: sequences on the reference's grid{counted}", NOTE, synthetic)
    y = LINE
    for (name, volume), lines in zip(sequences.items(), heads, strict=True):
        _draw_head(axes, view, name, lines, y)
        y += len(lines) * LINE
        _draw_pictures(axes, view, volume.array, y)
        y += view.row + GAP
    _name_columns(axes, view)
    _draw_scale(axes, view, (1 + len(heads[0])) * LINE + view.row)
    _name_lines(axes, view)
    axes.set(anchor="N", aspect="equal", xlim=(-0.02, WIDTH + 0.02), ylim=(height + 0.02, -0.02))
    axes.set_axis_off()
    return figure


@dataclass(frozen=True)
class _View:
    """What of the volumes is shown, and how large.

    Attributes:
        reference: what the sequences were registered to.
        masks: brain and lesion, booleans of its shape, those there are.
    """

    reference: Volume
    masks: dict[str, np.ndarray]

    @cached_property
    def box(self) -> Box:
        """What is shown of a volume: the brain, otherwise all that is not background, with a margin."""
        shown = self.masks.get("brain", find_tissue(self.reference.array))
        tight = bounding_box(shown) if shown.any() else tuple((0, n) for n in shown.shape)
        margins = np.ceil(MARGIN_MM / self.reference.spacing_mm).astype(int)
        sides = zip(tight, margins, shown.shape, strict=True)
        return tuple((max(0, start - more), min(size, stop + more)) for (start, stop), more, size in sides)

    @cached_property
    def centre(self) -> tuple[int, int, int]:
        """The voxel that the planes run through: the lesion's centre, otherwise the box's."""
        if "lesion" in self.masks:
            return lesion_centre(self.masks["lesion"], self.reference.spacing_mm)
        return tuple((start + stop) // 2 for start, stop in self.box)

    @property
    def size_mm(self) -> np.ndarray:
        """Edge lengths of the box."""
        return np.array([stop - start for start, stop in self.box]) * self.reference.spacing_mm

    @property
    def scale(self) -> float:
        """Inches per mm."""
        i, j, _ = self.size_mm
        return (WIDTH - 3 * GAP) / (3 * i + j)

    @property
    def row(self) -> float:
        """Height of a row of pictures, inches."""
        return max(self.size_mm[1:]) * self.scale

    def tiles(self) -> list[tuple[str, float, float]]:
        """Plane, left edge and width of each column, inches; the first one is the checkerboard's."""
        tiles, x = [], 0.0
        for plane in ("axial", *PLANES):
            width = self.size_mm[PLANES[plane][0]] * self.scale
            tiles.append((plane, x, width))
            x += width + GAP
        return tiles

    def fine(self, array: np.ndarray, plane: str) -> np.ndarray:
        """A plane of a volume as rows and columns of square pixels of PIXEL_MM, between voxels linear."""
        sides = enumerate(self.box)
        place = tuple(slice(*side) if axis in PLANES[plane] else self.centre[axis] for axis, side in sides)
        across, up = (self.reference.spacing_mm[axis] for axis in PLANES[plane])
        picture = np.asarray(radiological(array[place]), np.float32)
        return ndimage.zoom(picture, (up / PIXEL_MM, across / PIXEL_MM), order=1, mode="nearest", grid_mode=True)

    def greys(self, array: np.ndarray, plane: str) -> np.ndarray:
        """A plane of a volume in fine pixels, 0 black to 1 white: the 99th percentile of the brain, or the foreground.

        Black is 0, or the 1st percentile where that is negative.
        """
        inside = array[self.masks["brain"] if "brain" in self.masks else find_tissue(array)]
        low, high = np.percentile(inside[:: 1 + inside.size // 100_000], (1, 99)) if inside.size else (0, 1)
        low, high = min(low, 0), max(high, 1e-12)
        return np.clip((self.fine(array, plane) - low) / (high - low), 0, 1)

    @cached_property
    def edges(self) -> dict[str, np.ma.MaskedArray]:
        """By plane, what crosses 0 where the reference changes from dark to bright: its Laplacian, where it is steep.

        Source: Marr & Hildreth 1980, Proc R Soc Lond B 207:187.
        """
        edges, sd = {}, EDGE_SD_MM / PIXEL_MM
        for plane in PLANES:
            picture = self.greys(self.reference.array, plane)
            slope = ndimage.gaussian_gradient_magnitude(picture, sd)
            inside = self.fine(self.masks["brain"], plane) > 0.5 if "brain" in self.masks else slope > 0.01
            steep = slope > EDGE_SHARE * np.percentile(slope[inside], 95) if inside.any() else inside
            edges[plane] = np.ma.masked_array(ndimage.gaussian_laplace(picture, sd), ~(steep & inside))
        return edges


def _draw_head(axes, view: _View, name: str, problem: list[str], top: float) -> None:
    """A sequence's name, and its problem in lines of red above a red frame."""
    axes.text(0, top, display_name(name), fontsize=NORMAL, fontweight="bold", va="top")
    if any(problem):
        axes.text(0.5, top, "\n".join(problem), fontsize=SMALL, color=RED, fontweight="bold", va="top", linespacing=1.1)
        corner = 0, top + len(problem) * LINE
        axes.add_patch(Rectangle(corner, WIDTH, view.row, fill=False, edgecolor=RED, linewidth=2, zorder=3))


def _draw_pictures(axes, view: _View, array: np.ndarray, top: float) -> None:
    """Checkerboard and three planes of a sequence."""
    for n, (plane, left, width) in enumerate(view.tiles()):
        axes.add_patch(Rectangle((left, top), width, view.row, facecolor="black", zorder=-1))
        up = view.size_mm[PLANES[plane][1]] * view.scale
        upper = top + (view.row - up) / 2
        picture = view.greys(array, plane) if n else checkerboard(view, array)
        extent = (left, left + width, upper + up, upper)
        axes.imshow(picture, cmap="gray", vmin=0, vmax=1, extent=extent, interpolation="bilinear")
        if n:
            _draw_lines(axes, view, plane, extent)
        _name_sides(axes, plane, (left, width, top + view.row / 2))


def checkerboard(view: _View, array: np.ndarray) -> np.ndarray:
    """An axial picture with squares of the sequence, grey, and of the reference, blue; shape (row, column, 3)."""
    own, other = (view.greys(volume, "axial") for volume in (array, view.reference.array))
    row, column = (np.arange(n) * PIXEL_MM // SQUARE_MM for n in own.shape)
    squares = (row[:, None] + column) % 2 == 0
    return np.where(squares[..., None], own[..., None], other[..., None] * TINT)


def _draw_lines(axes, view: _View, plane: str, extent) -> None:
    """Outlines of brain and lesion, and edges, all from the reference."""
    _contour(axes, view.edges[plane], 0.0, extent, "edges")
    for name, mask in view.masks.items():
        _contour(axes, view.fine(mask, plane), 0.5, extent, name)


def _contour(axes, picture, level: float, extent, name: str) -> None:
    """Lines where a picture crosses a level."""
    _, colour, line = LINES[name]
    left, right, bottom, top = extent
    rows, columns = ((np.arange(n) + 0.5) / n for n in picture.shape)
    if np.ma.min(picture) < level < np.ma.max(picture):
        x, y = left + columns * (right - left), top + rows * (bottom - top)
        axes.contour(x, y, picture, [level], colors=colour, linewidths=line)


def _name_sides(axes, plane: str, place: tuple[float, float, float]) -> None:
    """R and L, or A and P, at the edges of a picture."""
    left, width, y = place
    for letter, edge, side in zip(SIDES[plane], (left + 0.03, left + width - 0.03), ("left", "right"), strict=True):
        axes.text(edge, y, letter, ha=side, va="center", color="white", fontsize=SMALL, path_effects=STROKE)


def _name_columns(axes, view: _View) -> None:
    """What the columns show, above the first row."""
    for n, (plane, left, width) in enumerate(view.tiles()):
        cut = 3 - sum(PLANES[plane])
        words = f"{plane.capitalize()}, {'ijk'[cut]} = {view.centre[cut]}" if n else "Checkerboard, axial"
        axes.text(left + width / 2, 0, words, fontsize=SMALL, ha="center", va="top")


def _draw_scale(axes, view: _View, bottom: float) -> None:
    """A bar of 5 cm at the bottom of the first picture."""
    axes.plot([0.1, 0.1 + BAR_MM * view.scale], [bottom - 0.1] * 2, color="white", linewidth=1.5, path_effects=STROKE)
    axes.text(0.1, bottom - 0.14, "5 cm", color="white", fontsize=SMALL, va="bottom", path_effects=STROKE)


def _name_lines(axes, view: _View) -> None:
    """The lines' names, below the rows."""
    drawn = [name for name in LINES if name in {*view.masks, "edges"}]
    handles = [Line2D([], [], color=LINES[n][1], linewidth=2 * LINES[n][2], label=LINES[n][0]) for n in drawn]
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "borderaxespad": 0.3, "frameon": False}
    axes.legend(handles=handles, ncols=3, fontsize=SMALL, **below)
