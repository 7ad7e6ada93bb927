"""Lesions on the scans they were drawn on: the reference's outline and the network's."""

import re
import textwrap

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from glioma_idh.cohorts.table import SEQUENCES
from glioma_idh.reporting.figures.canvas import NORMAL, SMALL, VERMILLION, display_name, new_figure
from glioma_idh.reporting.figures.cases import Case, grey_window
from glioma_idh.reporting.figures.pictures import radiological, show

PLANES = {"axial": (0, 1), "coronal": (0, 2), "sagittal": (1, 2)}  # axes across and up; the third is cut
SIDES = {"axial": "RL", "coronal": "RL", "sagittal": "AP"}
# Name in print, colour and line width; the thin one is drawn on top.
OUTLINES = {
    "reference": ("Reference", VERMILLION, 1.4),
    "predicted": ("Network", "#56B4E9", 0.8),
}
TITLE = "The reference's lesion and the one that the network found"
NOTE = "Patient's right on the left. Each image in a grey window of its own."
LINE, GAP, LABEL, WIDEST = 0.135, 0.04, 0.2, 2.3  # inches


def lesion_overlay(case: Case, *, synthetic=False) -> Figure:
    """One subject's sequences in three planes through the lesion's centre, with both outlines (SGPNet, Fig. 3).

    Args:
        case: the subject; each of its images gets a column, its title stands above.
        synthetic: whether the subject is a phantom, or the networks learned from phantoms; the figure then says so.

    Returns:
        The figure, in radiological display (the patient's right on the left; sagittal: front on the left), one scale
        for all of it, cut to what is not background. Each image's greys run from the 1st to the 99.5th percentile of
        its voxels outside the background.
    """
    sequences = [name for name in SEQUENCES if name in case.images]
    side = min(WIDEST, (7.1 - LABEL) / len(sequences) - GAP)
    scale, width = side / max(case.size_mm[:2]), LABEL + len(sequences) * (side + GAP)
    height = LINE + sum(case.size_mm[up] * scale + GAP for _, up in PLANES.values())
    figure, axes = new_sheet(max(width, 4.0), height, case.title, _note(case), synthetic)
    y = LINE
    for plane, (_, up) in PLANES.items():
        row, words = case.size_mm[up] * scale, plane_name(case, plane)
        axes.text(LABEL / 2, y + row / 2, words, fontsize=SMALL, rotation=90, ha="center", va="center")
        for n, name in enumerate(sequences):
            corner = LABEL + n * (side + GAP), y
            draw_view(axes, case, name, plane, (corner, (side, row), scale))
        y += row + GAP
    for n, name in enumerate(sequences):
        x = LABEL + n * (side + GAP) + side / 2
        axes.text(x, 0, display_name(name), fontsize=NORMAL, fontweight="bold", ha="center", va="top")
    finish(axes, width, height, [case])
    return figure


def best_median_worst(cases: dict[str, Case], *, synthetic=False) -> Figure:
    """Up to three subjects side by side, FLAIR, axial through the lesion's centre, with both outlines.

    Args:
        cases: with FLAIR among their images; by what they are, such as `Best`.
        synthetic: whether they are phantoms; the figure then says so.

    Returns:
        The figure, in radiological display, one scale for all of it.
    """
    sizes = [case.size_mm for case in cases.values()]
    scale = WIDEST / max(max(size[:2]) for size in sizes)
    texts = [[name, *_wrap(case.title, int(WIDEST * 17))] for name, case in cases.items()]
    top, row = LINE * max(map(len, texts)) + GAP, max(size[1] for size in sizes) * scale
    width = len(cases) * (WIDEST + GAP) - GAP
    note = f"FLAIR, axial slice through the lesion's centre. {NOTE}"
    figure, axes = new_sheet(max(width + 0.1, 4.0), top + row, TITLE, note, synthetic)
    for n, (case, (name, *lines)) in enumerate(zip(cases.values(), texts, strict=True)):
        x = n * (WIDEST + GAP)
        axes.text(x, 0, name, fontsize=NORMAL, fontweight="bold", va="top")
        axes.text(x, LINE, "\n".join(lines), fontsize=SMALL, va="top")
        draw_view(axes, case, "flair", "axial", ((x, top), (WIDEST, row), scale))
    finish(axes, width, top + row, list(cases.values()))
    return figure


def plane_name(case: Case, plane: str) -> str:
    """A plane in print, with the slice that is shown: `Axial, k = 12`."""
    cut = 3 - sum(PLANES[plane])
    return f"{plane.capitalize()}, {'ijk'[cut]} = {case.centre[cut]}"


def _note(case: Case) -> str:
    """Where the slices lie."""
    found = [name for name, lesion in case.outlines.items() if lesion.any()]
    through = {"reference": "the reference's centre", "predicted": "the centre of the lesion found"}
    which = f"Slices through {through[found[0]]}." if found else "Middle slices: no lesion to go by."
    return f"{which} {NOTE}"


def draw_view(axes, case: Case, sequence: str, plane: str, place, outlines=OUTLINES) -> AxesImage:
    """One image in one plane, with its outlines.

    Args:
        axes: those of `new_sheet`.
        case: whose.
        sequence: which of its images.
        plane: which of PLANES.
        place: ((x, y), (width, height), inches per mm) of the black ground in whose middle it lies.
        outlines: name in print, colour and line width of each lesion.

    Returns:
        The image drawn; its extent is where another image of the same voxels would lie on it.
    """
    (x, y), (width, height), scale = place
    at, pixel = plane_through(case, plane), np.array(case.spacing_mm)[list(PLANES[plane])] * scale
    image = case.images[sequence]
    axes.add_patch(Rectangle((x, y), width, height, facecolor="black", zorder=-1))
    size = pixel * image[at].shape
    left, top = x + (width - size[0]) / 2, y + (height - size[1]) / 2
    extent = (left, left + size[0], top + size[1], top)
    drawn = show(axes, image[at], grey_window(image), extent, interpolation="bilinear")
    for name, lesion in case.outlines.items():
        _, colour, line = outlines[name]
        _draw_outline(axes, lesion[at], (left, top), pixel, {"colors": colour, "linewidths": line})
    stroke = [withStroke(linewidth=2, foreground="black")]
    for letter, edge, side in zip(SIDES[plane], (x + 0.03, x + width - 0.03), ("left", "right"), strict=True):
        style = {"color": "white", "fontsize": SMALL, "path_effects": stroke}
        axes.text(edge, y + height / 2, letter, ha=side, va="center", **style)
    return drawn


def plane_through(case: Case, plane: str) -> tuple:
    """The index of what is shown of a volume in a plane: through the case's centre, cut to its box."""
    return tuple(slice(*side) if axis in PLANES[plane] else case.centre[axis] for axis, side in enumerate(case.box))


def _draw_outline(axes, lesion: np.ndarray, corner, pixel, style: dict) -> None:
    """The edge of a lesion, half-way between voxels in and out of it."""
    if not lesion.any():
        return
    padded = np.pad(radiological(lesion).astype(float), 1)
    rows, columns = (np.arange(n) - 0.5 for n in padded.shape)
    axes.contour(corner[0] + columns * pixel[0], corner[1] + rows * pixel[1], padded, [0.5], **style)


def new_sheet(width: float, height: float, title: str, note: str, synthetic: bool):
    """An empty figure with title and note, and its only axes, in inches from its upper left corner."""
    title = "\n".join(_wrap(title, int(width * 13)))
    lines = title.count("\n") + 2 + len(textwrap.wrap(note, int(width * 17))) + synthetic
    figure = new_figure(width, height + lines * LINE + 0.25, synthetic, note)
    figure.suptitle(title, fontsize=NORMAL, fontweight="bold")
    figure.suppressComposite = True  # each image stays one of its own in an SVG
    return figure, figure.add_subplot()


def _wrap(text: str, width: int) -> list[str]:
    """Lines of so many letters, no number parted from its word or unit."""
    text = re.sub(r" (?=\d)|(?<=\d) (?=ml|networks)", "\N{NO-BREAK SPACE}", text)
    return textwrap.wrap(text, width, break_on_hyphens=False)


def finish(axes, width: float, height: float, cases: list[Case], outlines=OUTLINES) -> None:
    """Limits, and below the images the names of the outlines."""
    handles = []
    for name, (words, colour, line) in outlines.items():
        lesions = [case.outlines[name] for case in cases if name in case.outlines]
        if lesions:
            nothing = ": nothing found" if not any(lesion.any() for lesion in lesions) else ""
            handles.append(Line2D([], [], color=colour, linewidth=line, label=words + nothing))
    if handles:
        below = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "borderaxespad": 0.3, "frameon": False}
        axes.legend(handles=handles, ncols=2, fontsize=SMALL, **below)
    axes.set(anchor="N", aspect="equal", xlim=(-0.02, width + 0.02), ylim=(height + 0.02, -0.02))
    axes.set_axis_off()
