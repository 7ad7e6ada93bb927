"""Contact sheet of a cohort: the sequences of every subject side by side, as stored on disk."""

import textwrap
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from glioma_idh.cohorts.checks.tiles import SIDE, Tile
from glioma_idh.cohorts.table import SEQUENCES
from glioma_idh.reporting.figures import canvas, sheet
from glioma_idh.reporting.figures.canvas import GROUPS, NORMAL, SMALL, display_name, of_total
from glioma_idh.reporting.figures.sheet import LINE, radiological

LEAST_WIDTH, MOST_WIDTH, IMAGES_ACROSS, LARGEST_SIDE, MOST_TILES = 5.0, 11.0, 24, 0.9, 600
LETTER, GAP, BETWEEN, ROW_GAP, LONGEST_ID = 0.06, 0.14, 0.02, 0.09, 12
UNBROKEN = str.maketrans(" -", "\N{NO-BREAK SPACE}\N{NON-BREAKING HYPHEN}")  # no line break there


class Layout(NamedTuple):
    sequences: tuple[str, ...]
    across: int  # number of subjects side by side
    side: float  # width of an image, inches
    num_lines: int  # lines of text above an image
    tile_width: float  # width of a subject, inches


def contact_sheet(tiles: list[Tile], *, cohort: str = "", synthetic: bool = False, max_subjects: int = 150) -> Figure:
    """Draw all subjects of a cohort with their sequences side by side, for visual inspection.

    If there are more than `max_subjects`, all subjects with a problem and an evenly spread subset of the others are
    shown, and the title gives the numbers. `tiles` (at least one) are those of `cohorts.check`.
    """
    problems = sheet.evenly(np.flatnonzero([bool(tile.problems) for tile in tiles]), MOST_TILES)
    others = sheet.evenly(np.flatnonzero([not tile.problems for tile in tiles]), max(max_subjects - len(problems), 0))
    shown = [tiles[n] for n in sorted([*problems, *others])]
    prefix = sheet.common_prefix([tile.subject for tile in tiles]) if len(tiles) > 1 else ""
    no_masks = not any(tile.has_mask for tile in tiles)
    labels = [f"{sheet.short_id(tile.subject[len(prefix) :], LONGEST_ID)} {GROUPS[tile.idh][0]}" for tile in shown]
    remarks = ["" if tile.has_mask or no_masks else "no mask" for tile in shown]
    for n, tile in enumerate(shown):
        if tile.problems:
            remarks[n] = tile.problems[0] + (f" +{len(tile.problems) - 1}" if len(tile.problems) > 1 else "")
    layout = _lay_out(tiles, labels, remarks)
    step = layout.tile_width + GAP, layout.num_lines * LINE + layout.side + ROW_GAP
    corners, _, height = sheet.place_groups({"": range(len(shown))}, layout.across, step, LINE, 0)
    width, height = layout.across * step[0] - GAP, height - ROW_GAP
    wrong, drawn = (sum(bool(tile.problems) for tile in some) for some in (tiles, shown))
    counted = f"{drawn} of the {wrong}" if drawn < wrong else f"{wrong or 'none'}"
    number = f"{of_total(len(shown), len(tiles))} subject{'s' if len(tiles) > 1 else ''}"
    title = f"{cohort}: {number}, {counted} with a problem".removeprefix(": ")
    note = _note(shown, layout.sequences, prefix, no_masks)
    figure, axes = sheet.new_sheet(max(width + 0.2, LEAST_WIDTH), height - LINE, title, note, synthetic)
    for tile, label, remark, corner in zip(shown, labels, remarks, corners.values(), strict=True):
        _draw_tile(axes, tile, label, remark, layout, corner)
    for column in range(layout.across):
        for n, name in enumerate(layout.sequences):
            x = column * step[0] + layout.side / 2 + n * (layout.side + BETWEEN)
            axes.text(x, 0, display_name(name), fontsize=SMALL, color=canvas.GREY, ha="center", va="top")
    sheet.close_sheet(axes, width, height)
    return figure


def _lay_out(tiles: list[Tile], labels: list[str], remarks: list[str]) -> Layout:
    """Choose the number of subjects per row so that images and text stay legible; a second line if remarks need it."""
    sequences = tuple(name for name in SEQUENCES if any(name in tile.thumbnails for tile in tiles)) or SEQUENCES
    label_width = max(len(label) for label in labels) * LETTER
    room, num = MOST_WIDTH + GAP, len(sequences)
    across = int(max(1, min(len(labels), IMAGES_ACROSS // num, room // (label_width + GAP))))
    side = min(max(LARGEST_SIDE, label_width / num), (room / across - GAP + BETWEEN) / num - BETWEEN)
    tile_width = num * (side + BETWEEN) - BETWEEN
    longest = max(len(f"{label}  {remark}") for label, remark in zip(labels, remarks, strict=True))
    return Layout(sequences, across, side, 1 if longest * LETTER <= tile_width else 2, tile_width)


def _note(shown: list[Tile], sequences: tuple[str, ...], prefix: str, no_masks: bool) -> str:
    """Explain the signs that occur on this sheet."""
    images = [tile.thumbnails.get(name, "none") for tile in shown for name in sequences]
    which = "Axial slice with the largest lesion area (orange outline); without a mask, the middle slice."
    which = "There are no lesion masks, so the middle axial slice is shown." if no_masks else which
    signs = {
        "–: image missing.": "none" in images,
        "×: image cannot be shown.": None in images,
        "Red: problem, see the table of checks.": any(tile.problems for tile in shown),
        f'All ids begin with "{prefix}".': bool(prefix),
    }
    told = [sign.translate(UNBROKEN) for sign, is_there in signs.items() if is_there]
    right = "The patient's right is on the left, anterior at the top."
    always = right, which, "Each image has its own grey window."
    return " ".join([*always, *told])


def _draw_tile(axes, tile: Tile, label: str, remark: str, layout: Layout, corner: tuple[float, float]) -> None:
    """Draw the text and images of a subject, with a red frame if there is a problem."""
    x, y = corner
    top, width, side = y + layout.num_lines * LINE, layout.tile_width, layout.side
    colour, weight = (canvas.RED, "bold") if tile.problems else (canvas.GREY, "normal")
    remark = textwrap.shorten(remark, int(width / LETTER), placeholder="…")
    at, align = ((x, top - LINE), "left") if layout.num_lines > 1 else ((x + width, y), "right")
    axes.text(*at, remark, fontsize=SMALL, color=colour, weight=weight, ha=align, va="top")
    axes.text(x, y if remark else top - LINE, label, fontsize=SMALL, color=GROUPS[tile.idh][1], va="top")
    for n, name in enumerate(layout.sequences):
        left, thumbnail = x + n * (side + BETWEEN), tile.thumbnails.get(name)
        if thumbnail:
            size = np.multiply(thumbnail.grey.shape, side / SIDE)
            drawn = sheet.draw_picture(axes, radiological(thumbnail.grey), (left, top, side, side), size, (0, 255))
            if thumbnail.lesion is not None:
                lesion, level = radiological(thumbnail.lesion), min(float(thumbnail.lesion.max()), 1.0) / 2
                # a lower level keeps lesions smaller than a pixel visible
                sheet.draw_outline(axes, lesion, drawn.get_extent(), canvas.VERMILLION, 0.7, level)
            continue
        sign, colour = ("×", canvas.RED) if name in tile.thumbnails else ("–", canvas.GREY)
        axes.add_patch(Rectangle((left, top), side, side, facecolor="#EBEBEB", zorder=-1))
        axes.text(left + side / 2, top + side / 2, sign, fontsize=NORMAL, color=colour, ha="center", va="center")
    if tile.problems:
        axes.add_patch(Rectangle((x, top), width, side, fill=False, edgecolor=canvas.RED, linewidth=1.5, zorder=3))
