"""Figure for checking the registration of all sequences and the brain mask of a patient.

Source of the normal volumes: Matsumae et al. 1996, J Neurosurg 84:982, 49 healthy adults aged 24 to 80 years. The brain
has 1302 (SD 112) ml in men and 1143 (SD 105) ml in women; with all intracranial fluid 1469 (SD 102) and 1289 (SD 111)
ml. Brain masks differ in how much fluid they include. The range therefore extends from a small brain without fluid
(mean of women - 2 SD) to a large brain with all fluid (mean of men + 2 SD).
"""

import textwrap
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from scipy import ndimage

from glioma_idh.imaging.registration import rigid
from glioma_idh.imaging.volumes import Volume, check_same_grid
from glioma_idh.reporting.figures import sheet
from glioma_idh.reporting.figures.canvas import RED, SKY, VERMILLION, YELLOW, display_name, legend_entry
from glioma_idh.reporting.figures.cases import box_of, find_tissue, lesion_centre
from glioma_idh.reporting.figures.sheet import PLANES, STROKE, radiological, slice_name, slice_through

MEASURES = {  # by name in a registration: printed name, format, and the limit beyond which it is flagged
    "rotation_deg": ("rotation", "{:.1f} deg", f"flagged above {rigid.MAX_ROTATION_DEG:g}"),
    "shift_mm": ("shift", "{:.1f} mm", f"above {rigid.MAX_SHIFT_MM:g}"),
    "overlap": ("overlap of heads", "{:.2f}", f"below {rigid.MIN_OVERLAP:g}"),
    "gain": ("match", "{:.2f}", f"below {rigid.MIN_GAIN:g}"),
}
NOTE = (
    "Patient's right on the left. First column: checkerboard of the sequence (grey) and the reference (blue); where "
    "the registration is correct, anatomy continues across the borders of squares. Other columns: the sequence with "
    "edges of the reference. Rotation and shift are relative to the headers. Match: mutual information divided by the "
    f"best value with the sequence displaced by {rigid.TRIAL_MM_AND_DEG:g} mm or {rigid.TRIAL_MM_AND_DEG:g} degrees. "
    "Last row: the reference as acquired with the outlines of the masks."
)
LINE, HEAD_AT, LETTERS = 0.17, 0.6, 105  # inches: line height, start of a row's text; letters per line
TINT, SQUARE_MM, BAR_MM = np.array([0.74, 0.9, 1.0]), 20.0, 50.0
NORMAL_ML = (930, 1670)  # 1143 - 2 x 105 = 933 and 1469 + 2 x 102 = 1673, rounded to 10
HEAD_MARGIN_MM = 20.0
LEAST_AREA = 0.25  # least axial area of the brain on a slice that is shown, as a share of the largest
EDGES = (("left", "right"), ("back", "front"), ("bottom", "top"))
PLACES = ("near the vertex", "at the skull base", "middle", "middle")
LINES = {  # printed name, colour and line width
    "brain": ("Brain mask of the reference", SKY, 1.0),
    "edges": ("Edges of the reference", YELLOW, 0.45),
    "lesion": ("Lesion", VERMILLION, 1.0),
}
TEXT = 8  # font size, points; larger than in other figures, for slides
WIDTH, GAP = 8.6, 0.05  # inches: width of four pictures, and the gap between them
PIXEL_MM, EDGE_SD_MM, EDGE_SHARE = 0.5, 1.5, 0.3


@dataclass(frozen=True)
class Registered:
    """A sequence on the grid of the reference."""

    volume: Volume
    measures: dict[str, float] | None = None  # available MEASURES; {} for the reference, None without registration
    problem: str = ""  # problem of the registration, printed in red


class View:
    """The part of the reference's grid that is shown, and its scale.

    The part contains the brain (without a brain mask: the tissue) and a margin; `masks` are `brain` and `lesion`.
    """

    def __init__(self, reference: Volume, masks: dict[str, np.ndarray], margin_mm: float = 8.0):
        self.reference, self.masks = reference, masks
        shown = masks.get("brain", find_tissue(reference.array))
        sides = zip(box_of(shown), np.ceil(margin_mm / reference.spacing_mm).astype(int), shown.shape, strict=True)
        self.box = tuple((max(0, start - more), min(size, stop + more)) for (start, stop), more, size in sides)
        self.size_mm = np.array([stop - start for start, stop in self.box]) * reference.spacing_mm
        i, j, _ = self.size_mm
        self.scale = (WIDTH - 3 * GAP) / (3 * i + j)  # inches per mm
        self.row = max(self.size_mm[1:]) * self.scale  # inches
        self.centre = tuple((start + stop) // 2 for start, stop in self.box)  # voxel where the planes intersect
        if "lesion" in masks:
            self.centre = lesion_centre(masks["lesion"], reference.spacing_mm)

    def tiles(self) -> list[tuple[str, float, float]]:
        """Return plane, left edge and width (inches) of the four columns: axial twice, coronal, sagittal."""
        tiles, x = [], 0.0
        for plane in ("axial", *PLANES):
            width = self.size_mm[PLANES[plane][0]] * self.scale
            tiles.append((plane, x, width))
            x += width + GAP
        return tiles

    def fine(self, array: np.ndarray, plane: str, at: int | None = None) -> np.ndarray:
        """Return a plane of a volume, linearly interpolated to pixels of PIXEL_MM; by default through the centre."""
        place = slice_through(plane, self.centre if at is None else (at, at, at), self.box)
        across, up = (self.reference.spacing_mm[axis] for axis in PLANES[plane])
        picture = np.asarray(radiological(array[place]), np.float32)
        return ndimage.zoom(picture, (up / PIXEL_MM, across / PIXEL_MM), order=1, mode="nearest", grid_mode=True)

    def greys(self, array: np.ndarray, plane: str, at: int | None = None) -> np.ndarray:
        """Return a plane scaled to 0 (black) to 1 (white): from 0 or the 1st percentile, if lower, to the 99th."""
        inside = array[self.masks["brain"] if "brain" in self.masks else find_tissue(array)]
        low, high = np.percentile(inside[:: 1 + inside.size // 100_000], (1, 99)) if inside.size else (0, 1)
        low, high = min(low, 0), max(high, 1e-12)
        return np.clip((self.fine(array, plane, at) - low) / (high - low), 0, 1)

    @cached_property
    def edges(self) -> dict[str, np.ma.MaskedArray]:
        """Edges by plane: steep zero crossings of the Laplacian (Marr & Hildreth 1980, Proc R Soc Lond B 207:187)."""
        edges, sd = {}, EDGE_SD_MM / PIXEL_MM
        for plane in PLANES:
            picture = self.greys(self.reference.array, plane)
            slope = ndimage.gaussian_gradient_magnitude(picture, sd)
            inside = self.fine(self.masks["brain"], plane) > 0.5 if "brain" in self.masks else slope > 0.01
            steep = slope > EDGE_SHARE * np.percentile(slope[inside], 95) if inside.any() else inside
            edges[plane] = np.ma.masked_array(ndimage.gaussian_laplace(picture, sd), ~(steep & inside))
        return edges

    def draw(self, axes: Axes, tile: tuple[str, float, float], top: float, picture: np.ndarray) -> tuple:
        """Draw a picture, grey values from 0 to 1 or colours, in a tile; return its extent."""
        plane, left, width = tile
        size = width, self.size_mm[PLANES[plane][1]] * self.scale
        ground = left, top, width, self.row
        return sheet.draw_picture(axes, picture, ground, size, (0, 1), sheet.SIDES[plane], TEXT).get_extent()

    def draw_masks(self, axes: Axes, plane: str, extent: tuple, at: int | None = None) -> None:
        """Draw the outlines of the masks on a picture of this slice."""
        for name, mask in self.masks.items():
            sheet.draw_outline(axes, self.fine(mask, plane, at), extent, *LINES[name][1:])


def registration_check(
    reference: Volume,
    sequences: dict[str, Registered],
    masks: dict[str, np.ndarray],
    *,
    subject: str,
    head: Volume | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw each sequence in a row: a checkerboard with the reference, and three planes with edges of the reference.

    The last row shows the brain mask near the vertex, at the skull base and in the middle planes, with its volume, on
    `head`: the reference with its skull, by default the reference. Pictures are cropped to the mask `brain`; the planes
    intersect in the centre of the mask `lesion`, if available. InputError if an image has another grid.
    """
    head = reference if head is None else head
    for volume in (*(sequence.volume for sequence in sequences.values()), head):
        check_same_grid(volume, reference)
    masks = {name: np.asarray(masks[name]) != 0 for name in ("brain", "lesion") if name in masks}
    masks = {name: mask for name, mask in masks.items() if mask.any()}
    view, wide = View(reference, masks), View(head, masks, HEAD_MARGIN_MM)
    heads = {name: _head_lines(sequence) for name, sequence in sequences.items()}
    brain = describe_brain(masks, reference.voxel_ml, synthetic) if "brain" in masks else []
    num_problems = sum(bool(sequence.problem) for sequence in sequences.values())
    counted = f" ({num_problems} of {len(sequences)} with a problem)" if num_problems else ""
    height = LINE + sum(view.row + len(lines) * LINE + GAP for lines in heads.values())
    height += (1 + len(brain)) * LINE + wide.row if brain else 0
    title = f"{subject}: registration of the sequences{counted}"
    figure, axes = sheet.new_sheet(WIDTH, height, title, NOTE, synthetic)
    y, names = LINE, {"fontsize": TEXT, "ha": "center", "va": "top"}
    for n, (plane, left, width) in enumerate(view.tiles()):
        axes.text(left + width / 2, 0, slice_name(plane, view.centre) if n else "Checkerboard, axial", **names)
    for name, sequence in sequences.items():
        y = _draw_head(axes, display_name(name), heads[name], y)
        if sequence.problem:
            axes.add_patch(Rectangle((0, y), WIDTH, view.row, fill=False, edgecolor=RED, linewidth=2, zorder=3))
        _draw_sequence(axes, view, sequence.volume.array, y)
        y += view.row + GAP
    if brain:
        is_wrong = not (synthetic or is_normal(np.count_nonzero(masks["brain"]) * reference.voxel_ml))
        y = _draw_head(axes, "Brain", [(line, is_wrong and not n) for n, line in enumerate(brain)], y)
        for tile, at, place in zip(wide.tiles(), brain_slices(masks["brain"]), PLACES, strict=True):
            plane, left, width = tile
            axes.text(left + width / 2, y, slice_name(plane, (at, at, at), f", {place}"), **names)
            extent = wide.draw(axes, tile, y + LINE, wide.greys(head.array, plane, at))
            wide.draw_masks(axes, plane, extent, at)
    bottom = (1 + len(next(iter(heads.values())))) * LINE + view.row
    axes.plot([0.1, 0.1 + BAR_MM * view.scale], [bottom - 0.1] * 2, color="white", linewidth=1.5, path_effects=STROKE)
    axes.text(0.1, bottom - 0.14, "5 cm", color="white", fontsize=TEXT, va="bottom", path_effects=STROKE)
    drawn = [LINES[name] for name in LINES if name in {*masks, "edges"}]
    legend = [legend_entry(words, color=colour, linewidth=2 * line, linestyle="-") for words, colour, line in drawn]
    sheet.close_sheet(axes, WIDTH, height, legend, 3, TEXT)
    return figure


def _head_lines(sequence: Registered) -> list[tuple[str, bool]]:
    """Return the lines of text beside a sequence's name, each with whether it describes a problem."""
    wrong = [(line, True) for line in textwrap.wrap(sequence.problem, LETTERS)]
    if sequence.measures is None:
        return wrong or [("", False)]
    known = {name: value for name, value in sequence.measures.items() if name in MEASURES}
    parts = [f"{MEASURES[n][0]} {MEASURES[n][1].format(known[n])} ({MEASURES[n][2]})" for n in MEASURES if n in known]
    return [(", ".join(parts) or "reference", False), *wrong]


def _draw_head(axes: Axes, name: str, lines: list[tuple[str, bool]], top: float) -> float:
    """Draw a row's name and its text, with problems in red; return the position below it."""
    axes.text(0, top, name, fontsize=TEXT + 1, fontweight="bold", va="top")
    for n, (line, is_wrong) in enumerate(lines):
        style: dict = {"color": RED, "fontweight": "bold"} if is_wrong else {}
        axes.text(HEAD_AT, top + n * LINE, line, fontsize=TEXT, va="top", **style)
    return top + len(lines) * LINE


def _draw_sequence(axes: Axes, view: View, array: np.ndarray, top: float) -> None:
    """Draw the checkerboard and three planes of a sequence, with the edges of the reference."""
    first, *others = view.tiles()
    view.draw(axes, first, top, checkerboard(view, array))
    _, colour, line = LINES["edges"]
    for tile in others:
        extent, edges = view.draw(axes, tile, top, view.greys(array, tile[0])), view.edges[tile[0]]
        if np.ma.min(edges) < 0 < np.ma.max(edges):
            axes.contour(edges, [0.0], extent=extent, origin="upper", colors=colour, linewidths=line)
        view.draw_masks(axes, tile[0], extent)


def checkerboard(view: View, array: np.ndarray) -> np.ndarray:
    """Return an axial checkerboard of the sequence (grey) and the reference (blue), shape (row, column, 3)."""
    own, other = (view.greys(volume, "axial") for volume in (array, view.reference.array))
    row, column = (np.arange(n) * PIXEL_MM // SQUARE_MM for n in own.shape)
    squares = (row[:, None] + column) % 2 == 0
    return np.where(squares[..., None], own[..., None], other[..., None] * TINT)


def is_normal(volume_ml: float) -> bool:
    """Return whether a brain volume is normal for adults."""
    return NORMAL_ML[0] <= volume_ml <= NORMAL_ML[1]


def describe_brain(masks: dict[str, np.ndarray], voxel_ml: float, synthetic: bool = False) -> list[str]:
    """Return a line on the volume of the brain relative to the normal range, and further findings in a second line."""
    brain, volume_ml = masks["brain"], np.count_nonzero(masks["brain"]) * voxel_ml
    where = "within" if is_normal(volume_ml) else "OUTSIDE"
    range_ml = "{} to {} ml".format(*NORMAL_ML)
    said = f"{where} the normal range of adults ({range_ml}, from brain without fluid to all intracranial volume)"
    sides = [(axis, n, name) for axis, names in enumerate(EDGES) for n, name in zip((0, -1), names, strict=True)]
    ends = [name for axis, n, name in sides if brain.take(n, axis).any()]
    more = [f"lesion {np.count_nonzero(masks['lesion']) * voxel_ml:.1f} ml"] if "lesion" in masks else []
    more += [f"the mask reaches the edge of the image: {', '.join(ends)}"] if ends else []
    said = "synthetic patient" if synthetic else said
    return [f"{volume_ml:.0f} ml, {said}", *(["; ".join(more)] if more else [])]


def brain_slices(brain: np.ndarray) -> tuple[int, int, int, int]:
    """Choose the slices of a brain mask to show: axial near the vertex and skull base, mid-coronal, mid-sagittal."""
    areas = brain.sum(axis=(0, 1))
    large = np.flatnonzero(areas >= LEAST_AREA * areas.max())
    i, j, _ = (round(float(places.mean())) for places in np.nonzero(brain))
    return int(large[-1]), int(large[0]), j, i
