"""A whole cohort on one sheet: every subject's sequences side by side, as they lie on disk."""

import textwrap
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from glioma_idh.cohorts.checks.tiles import SIDE, Thumbnail, Tile
from glioma_idh.cohorts.table import SEQUENCES
from glioma_idh.reporting.figures.canvas import GREY, NORMAL, SMALL, VERMILLION, display_name, new_figure
from glioma_idh.reporting.figures.pictures import GROUPS, common_prefix, evenly, radiological, short_id, show

RED, PAPER = "#B00020", "#EBEBEB"
LEAST_WIDTH, MOST_WIDTH, IMAGES_ACROSS, LARGEST_SIDE, MOST_TILES = 5.0, 11.0, 24, 0.9, 600
LINE, LETTER, GAP, BETWEEN = 0.13, 0.06, 0.14, 0.02
ROW_GAP, LONGEST_ID = 0.09, 12


@dataclass(frozen=True)
class Layout:
    """Where things lie on a sheet, inches from its upper left corner.

    Attributes:
        sequences: those shown, in the order of the package.
        across: subjects side by side.
        side: of an image.
        num_lines: of text above a subject's images.
    """

    sequences: tuple[str, ...]
    across: int
    side: float
    num_lines: int

    @property
    def tile_width(self) -> float:
        """Of all images of a subject."""
        return len(self.sequences) * (self.side + BETWEEN) - BETWEEN

    @property
    def width(self) -> float:
        """Of all subjects side by side."""
        return self.across * (self.tile_width + GAP) - GAP

    def corner(self, place: int) -> tuple[float, float]:
        """The upper left corner of a subject's text, one line below the names of the sequences."""
        row, column = divmod(place, self.across)
        return column * (self.tile_width + GAP), LINE + row * (self.num_lines * LINE + self.side + ROW_GAP)


def contact_sheet(tiles: list[Tile], *, cohort: str = "", synthetic: bool = False, max_subjects: int = 150) -> Figure:
    """All subjects of a cohort with their sequences side by side, so that a person sees what the cohort holds.

    Args:
        tiles: one a subject, one or more, as `check_scans` gives them.
        cohort: its name, for the title.
        synthetic: whether the subjects are phantoms; the figure then says so.
        max_subjects: of more subjects than this, those with a problem and an evenly spread subset of the others are
            shown, and the sheet says of how many.

    Returns:
        The figure, in radiological display: the patient's right on the left, front at the top. Each image has a grey
        window of its own.
    """
    shown = choose_tiles(tiles, max_subjects)
    prefix = common_prefix([tile.subject for tile in tiles]) if len(tiles) > 1 else ""
    no_masks = not any(tile.has_mask for tile in tiles)
    labels = [f"{short_id(tile.subject[len(prefix) :], LONGEST_ID)} {GROUPS[tile.idh][0]}" for tile in shown]
    remarks = ["" if no_masks and not tile.problems else _remark(tile) for tile in shown]
    layout = lay_out(tiles, labels, remarks)
    height = layout.corner(len(shown) - 1)[1] + layout.num_lines * LINE + layout.side
    figure = _new_sheet(layout, height, _title(cohort, tiles, shown), _note(shown, layout, prefix, no_masks), synthetic)
    axes = figure.add_subplot()
    for place, (tile, label, remark) in enumerate(zip(shown, labels, remarks, strict=True)):
        _draw_tile(axes, tile, label, remark, layout, layout.corner(place))
    _name_columns(axes, layout)
    axes.set(anchor="N", aspect="equal", xlim=(-0.03, layout.width + 0.03), ylim=(height + 0.03, 0))
    axes.set_axis_off()
    return figure


def choose_tiles(tiles: list[Tile], most: int) -> list[Tile]:
    """The subjects to be shown, in their order: all with a problem, and as many others as there is room for."""
    problems = evenly(np.flatnonzero([bool(tile.problems) for tile in tiles]), MOST_TILES)
    others = evenly(np.flatnonzero([not tile.problems for tile in tiles]), max(most - len(problems), 0))
    return [tiles[n] for n in sorted([*problems, *others])]


def lay_out(tiles: list[Tile], labels: list[str], remarks: list[str]) -> Layout:
    """As many subjects side by side as keep images and letters legible.

    Args:
        tiles: of the cohort; a sequence that nobody has gets no column.
        labels: what stands above each subject shown.
        remarks: what is to be said of each, in the same line where it fits, otherwise in a second one.
    """
    sequences = tuple(name for name in SEQUENCES if any(name in tile.thumbnails for tile in tiles)) or SEQUENCES
    label_width = max(len(label) for label in labels) * LETTER
    room, num = MOST_WIDTH + GAP, len(sequences)
    across = int(max(1, min(len(labels), IMAGES_ACROSS // num, room // (label_width + GAP))))
    largest = max(LARGEST_SIDE, label_width / num)
    side = min(largest, (room / across - GAP + BETWEEN) / num - BETWEEN)
    layout = Layout(sequences, across, side, 1)
    longest = max(len(f"{label}  {remark}") for label, remark in zip(labels, remarks, strict=True))
    return Layout(sequences, across, side, 1 if longest * LETTER <= layout.tile_width else 2)


def _remark(tile: Tile) -> str:
    """A subject's first problem and the number of the others."""
    if not tile.problems:
        return "" if tile.has_mask else "no mask"
    more = f" +{len(tile.problems) - 1}" if len(tile.problems) > 1 else ""
    return f"{tile.problems[0]}{more}"


def _title(cohort: str, tiles: list[Tile], shown: list[Tile]) -> str:
    number = f"{len(shown)} of {len(tiles)}" if len(shown) < len(tiles) else f"{len(tiles)}"
    wrong, drawn = (sum(bool(tile.problems) for tile in some) for some in (tiles, shown))
    problems = f"{drawn} of the {wrong} with a problem" if drawn < wrong else f"{wrong or 'none'} with a problem"
    return f"{cohort}: {number} subject{'s' if len(tiles) > 1 else ''}, {problems}".removeprefix(": ")


def _note(shown: list[Tile], layout: Layout, prefix: str, no_masks: bool) -> str:
    """What the signs on this sheet mean; those that are not on it are not explained."""
    images = [tile.thumbnails.get(name, "none") for tile in shown for name in layout.sequences]
    which = "Axial slice where the lesion (orange) is widest; without a mask the middle slice."
    parts = [
        "Patient's right on the left, front at the top.",
        "No lesion masks: the middle axial slice." if no_masks else which,
        "Each image in a grey window of its own.",
        _unbroken("–: no such image.") if "none" in images else "",
        _unbroken("×: cannot be shown.") if None in images else "",
        "Red: a problem, see the table of checks." if any(tile.problems for tile in shown) else "",
        _unbroken(f'Ids follow "{prefix}".') if prefix else "",
    ]
    return " ".join(part for part in parts if part)


def _unbroken(text: str) -> str:
    """The text with spaces and hyphens at which no line ends."""
    return text.replace(" ", "\N{NO-BREAK SPACE}").replace("-", "\N{NON-BREAKING HYPHEN}")


def _new_sheet(layout: Layout, height: float, title: str, note: str, synthetic: bool) -> Figure:
    """An empty figure with title and note, and room for so many inches of images between them."""
    width = max(layout.width + 0.2, LEAST_WIDTH)
    title = textwrap.fill(title, int(width * 13))
    lines = title.count("\n") + 1 + len(textwrap.wrap(note, int(width * 17))) + synthetic
    figure = new_figure(width, height + lines * LINE + 0.25, synthetic, note)
    figure.suptitle(title, fontsize=NORMAL, fontweight="bold")
    figure.suppressComposite = True  # hundreds of images melted into one make an SVG ten times slower
    return figure


def _name_columns(axes, layout: Layout) -> None:
    """The sequences' names above the first row of subjects."""
    for place in range(layout.across):
        left = layout.corner(place)[0] + layout.side / 2
        for n, name in enumerate(layout.sequences):
            x = left + n * (layout.side + BETWEEN)
            axes.text(x, 0, display_name(name), fontsize=SMALL, color=GREY, ha="center", va="top")


def _draw_tile(axes, tile: Tile, label: str, remark: str, layout: Layout, corner: tuple[float, float]) -> None:
    """A subject's line of text, images and, round one with a problem, frame."""
    x, y = corner
    top, width, second = y + layout.num_lines * LINE, layout.tile_width, layout.num_lines > 1
    colour, weight = (RED, "bold") if tile.problems else (GREY, "normal")
    remark = textwrap.shorten(remark, int(width / LETTER), placeholder="…")
    at, side = ((x, top - LINE), "left") if second else ((x + width, y), "right")
    axes.text(*at, remark, fontsize=SMALL, color=colour, weight=weight, ha=side, va="top")
    axes.text(x, y if remark else top - LINE, label, fontsize=SMALL, color=GROUPS[tile.idh][1], va="top")
    for n, name in enumerate(layout.sequences):
        left = x + n * (layout.side + BETWEEN)
        if tile.thumbnails.get(name):
            _draw_thumbnail(axes, tile.thumbnails[name], left, top, layout.side)
            continue
        sign, colour = ("×", RED) if name in tile.thumbnails else ("–", GREY)
        axes.add_patch(Rectangle((left, top), layout.side, layout.side, facecolor=PAPER, zorder=-1))
        middle = left + layout.side / 2, top + layout.side / 2
        axes.text(*middle, sign, fontsize=NORMAL, color=colour, ha="center", va="center")
    if tile.problems:
        axes.add_patch(Rectangle((x, top), width, layout.side, fill=False, edgecolor=RED, linewidth=1.5, zorder=3))


def _draw_thumbnail(axes, thumbnail: Thumbnail, left: float, top: float, side: float) -> None:
    """An image in the middle of a black square, with the outline of the lesion."""
    axes.add_patch(Rectangle((left, top), side, side, facecolor="black", zorder=-1))
    pixel, (width, height) = side / SIDE, thumbnail.grey.shape
    left, top = left + (side - width * pixel) / 2, top + (side - height * pixel) / 2
    extent = left, left + width * pixel, top + height * pixel, top
    show(axes, thumbnail.grey, (0, 255), extent, interpolation="bilinear")
    if thumbnail.lesion is None or not thumbnail.lesion.any():
        return
    lesion = np.pad(radiological(thumbnail.lesion), 1)
    rows, columns = (np.arange(n) - 0.5 for n in lesion.shape)
    level = min(float(lesion.max()), 1.0) / 2
    axes.contour(left + columns * pixel, top + rows * pixel, lesion, [level], colors=VERMILLION, linewidths=0.7)
