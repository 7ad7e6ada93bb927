"""Lesions on the scans they were drawn on: the reference's outline and the network's."""

from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from glioma_idh.cohorts.table import SEQUENCES
from glioma_idh.reporting.figures.canvas import (
    NORMAL,
    NOTE_LETTERS,
    SKY,
    SMALL,
    VERMILLION,
    display_name,
    legend_entry,
)
from glioma_idh.reporting.figures.cases import Case, grey_window
from glioma_idh.reporting.figures.sheet import (
    LINE,
    PLANES,
    SIDES,
    close_sheet,
    draw_outline,
    draw_picture,
    new_sheet,
    radiological,
    unbroken_lines,
)

# Name in print, colour and line width; the thin one is drawn on top.
OUTLINES = {
    "reference": ("Reference", VERMILLION, 1.4),
    "predicted": ("Network", SKY, 0.8),
}
THROUGH = {"reference": "the reference's centre", "predicted": "the centre of the lesion found"}
TITLE = "The reference's lesion and the one that the network found"
NOTE = "Patient's right on the left. Each image in a grey window of its own."
GAP, LABEL, WIDEST = 0.04, 0.2, 2.3  # inches


def lesion_overlay(case: Case, *, synthetic=False) -> Figure:
    """One subject's sequences in three planes through the lesion's centre, with both outlines (SGPNet, Fig. 3).

    A column an image, one scale for all of it, cut to what is not background. Each image's greys run from the 1st to
    the 99.5th percentile of its voxels outside the background.
    """
    sequences = [name for name in SEQUENCES if name in case.images]
    side = min(WIDEST, (7.1 - LABEL) / len(sequences) - GAP)
    scale, width = side / max(case.size_mm[:2]), LABEL + len(sequences) * (side + GAP)
    height = LINE + sum(case.size_mm[up] * scale + GAP for _, up in PLANES.values())
    found = [name for name, lesion in case.outlines.items() if lesion.any()]
    which = f"Slices through {THROUGH[found[0]]}." if found else "Middle slices: no lesion to go by."
    figure, axes = new_sheet(max(width, 4.0), height, case.title, f"{which} {NOTE}", synthetic)
    lefts, y = [LABEL + n * (side + GAP) for n in range(len(sequences))], LINE
    for plane, (_, up) in PLANES.items():
        row, words = case.size_mm[up] * scale, plane_name(case, plane)
        axes.text(LABEL / 2, y + row / 2, words, fontsize=SMALL, rotation=90, ha="center", va="center")
        for name, x in zip(sequences, lefts, strict=True):
            draw_view(axes, case, name, plane, (x, y, side, row), scale)
        y += row + GAP
    for name, x in zip(sequences, lefts, strict=True):
        axes.text(x + side / 2, 0, display_name(name), fontsize=NORMAL, fontweight="bold", ha="center", va="top")
    close_sheet(axes, width, height, outline_entries([case]))
    return figure


def best_median_worst(cases: dict[str, Case], *, synthetic=False) -> Figure:
    """Up to three subjects side by side, FLAIR, axial through the lesion's centre, with both outlines, on one scale.

    Args:
        cases: with FLAIR among their images; by what they are, such as `Best`.
        synthetic: see `figures`.
    """
    sizes = [case.size_mm for case in cases.values()]
    scale = WIDEST / max(max(size[:2]) for size in sizes)
    texts = [[name, *unbroken_lines(case.title, int(WIDEST * NOTE_LETTERS))] for name, case in cases.items()]
    top, row = LINE * max(map(len, texts)) + GAP, max(size[1] for size in sizes) * scale
    width = len(cases) * (WIDEST + GAP) - GAP
    note = f"FLAIR, axial slice through the lesion's centre. {NOTE}"
    figure, axes = new_sheet(max(width + 0.1, 4.0), top + row, TITLE, note, synthetic)
    for n, (case, (name, *lines)) in enumerate(zip(cases.values(), texts, strict=True)):
        x = n * (WIDEST + GAP)
        axes.text(x, 0, name, fontsize=NORMAL, fontweight="bold", va="top")
        axes.text(x, LINE, "\n".join(lines), fontsize=SMALL, va="top")
        draw_view(axes, case, "flair", "axial", (x, top, WIDEST, row), scale)
    close_sheet(axes, width, top + row, outline_entries(list(cases.values())))
    return figure


def plane_name(case: Case, plane: str) -> str:
    """A plane in print, with the slice that is shown: `Axial, k = 12`."""
    cut = 3 - sum(PLANES[plane])
    return f"{plane.capitalize()}, {'ijk'[cut]} = {case.centre[cut]}"


def draw_view(axes, case: Case, sequence: str, plane: str, ground, scale: float, outlines=OUTLINES) -> AxesImage:
    """Draw one image of a case in one plane, with its outlines.

    Args:
        axes: of a sheet.
        case: whose.
        sequence: which of its images.
        plane: of PLANES.
        ground: left, top, width and height of the black ground in whose middle it lies, inches.
        scale: inches per mm.
        outlines: name in print, colour and line width of each lesion.

    Returns:
        The image drawn; its extent is where another image of the same voxels would lie on it.
    """
    at, image = plane_through(case, plane), case.images[sequence]
    size = [case.size_mm[axis] * scale for axis in PLANES[plane]]
    drawn = draw_picture(axes, radiological(image[at]), ground, size, grey_window(image), SIDES[plane])
    for name, lesion in case.outlines.items():
        draw_outline(axes, radiological(lesion[at]), drawn.get_extent(), *outlines[name][1:])
    return drawn


def plane_through(case: Case, plane: str) -> tuple:
    """The index of what is shown of a volume in a plane: through the case's centre, cut to its box."""
    return tuple(slice(*side) if axis in PLANES[plane] else case.centre[axis] for axis, side in enumerate(case.box))


def outline_entries(cases: list[Case], outlines=OUTLINES) -> list:
    """The names of the outlines that cases have, for the legend."""
    entries = []
    for name, (words, colour, line) in outlines.items():
        lesions = [case.outlines[name] for case in cases if name in case.outlines]
        if lesions:
            nothing = "" if any(lesion.any() for lesion in lesions) else ": nothing found"
            entries.append(legend_entry(words + nothing, color=colour, linewidth=line, linestyle="-"))
    return entries
