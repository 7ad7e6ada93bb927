"""Outlines of the reference and the predicted lesion on the scans."""

from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from glioma_idh.cohorts.table import SEQUENCES
from glioma_idh.reporting.figures import canvas, sheet
from glioma_idh.reporting.figures.canvas import NORMAL, SMALL, display_name, legend_entry
from glioma_idh.reporting.figures.cases import Case, grey_window
from glioma_idh.reporting.figures.sheet import LINE, PLANES, radiological, slice_name, slice_through

# Printed name, colour and line width; the thin one is drawn on top.
OUTLINES = {
    "reference": ("Reference", canvas.VERMILLION, 1.4),
    "predicted": ("Network", canvas.SKY, 0.8),
}
THROUGH = {"reference": "the centre of the reference lesion", "predicted": "the centre of the predicted lesion"}
TITLE = "Reference and predicted lesion"
NOTE = "The patient's right is on the left. Each image has its own grey window."
GAP, LABEL, WIDEST = 0.04, 0.2, 2.3  # inches


def lesion_overlay(case: Case, *, synthetic=False) -> Figure:
    """Sequences of one subject in three planes through the centre of the lesion, with both outlines (SGPNet, Fig. 3).

    One column per sequence, all on one scale and cropped to the tissue. The grey window of each image ranges from the
    1st to the 99.5th percentile of its tissue.
    """
    sequences = [name for name in SEQUENCES if name in case.images]
    side = min(WIDEST, (7.1 - LABEL) / len(sequences) - GAP)
    scale, width = side / max(case.size_mm[:2]), LABEL + len(sequences) * (side + GAP)
    height = LINE + sum(case.size_mm[up] * scale + GAP for _, up in PLANES.values())
    found = [name for name, lesion in case.outlines.items() if lesion.any()]
    which = f"Slices through {THROUGH[found[0]]}." if found else "Middle slices, because there is no lesion."
    figure, axes = sheet.new_sheet(max(width, 4.0), height, case.title, f"{which} {NOTE}", synthetic)
    lefts, y = [LABEL + n * (side + GAP) for n in range(len(sequences))], LINE
    for plane, (_, up) in PLANES.items():
        row, words = case.size_mm[up] * scale, slice_name(plane, case.centre)
        axes.text(LABEL / 2, y + row / 2, words, fontsize=SMALL, rotation=90, ha="center", va="center")
        for name, x in zip(sequences, lefts, strict=True):
            draw_view(axes, case, name, plane, (x, y, side, row), scale)
        y += row + GAP
    for name, x in zip(sequences, lefts, strict=True):
        axes.text(x + side / 2, 0, display_name(name), fontsize=NORMAL, fontweight="bold", ha="center", va="top")
    sheet.close_sheet(axes, width, height, outline_entries([case]))
    return figure


def best_median_worst(cases: dict[str, Case], *, synthetic=False) -> Figure:
    """Up to three subjects side by side, by name such as `Best`, with both outlines, on one scale.

    Shown is an axial FLAIR slice through the centre of the lesion.
    """
    sizes = [case.size_mm for case in cases.values()]
    scale = WIDEST / max(max(size[:2]) for size in sizes)
    letters = int(WIDEST * canvas.NOTE_LETTERS)
    texts = [[name, *sheet.unbroken_lines(case.title, letters)] for name, case in cases.items()]
    top, row = LINE * max(map(len, texts)) + GAP, max(size[1] for size in sizes) * scale
    width = len(cases) * (WIDEST + GAP) - GAP
    note = f"Axial FLAIR slices through the centre of the lesion. {NOTE}"
    figure, axes = sheet.new_sheet(max(width + 0.1, 4.0), top + row, TITLE, note, synthetic)
    for n, (case, (name, *lines)) in enumerate(zip(cases.values(), texts, strict=True)):
        x = n * (WIDEST + GAP)
        axes.text(x, 0, name, fontsize=NORMAL, fontweight="bold", va="top")
        axes.text(x, LINE, "\n".join(lines), fontsize=SMALL, va="top")
        draw_view(axes, case, "flair", "axial", (x, top, WIDEST, row), scale)
    sheet.close_sheet(axes, width, top + row, outline_entries(list(cases.values())))
    return figure


def draw_view(axes, case: Case, sequence: str, plane: str, ground, scale: float, outlines=OUTLINES) -> AxesImage:
    """Draw one image of a case in one of PLANES with its outlines; return the drawn image.

    `ground` is (left, top, width, height) of the black background in whose centre the image is placed; `scale` is in
    inches per mm. The extent of the returned image fits other images with the same voxels.
    """
    at, image = slice_through(plane, case.centre, case.box), case.images[sequence]
    size = [case.size_mm[axis] * scale for axis in PLANES[plane]]
    drawn = sheet.draw_picture(axes, radiological(image[at]), ground, size, grey_window(image), sheet.SIDES[plane])
    for name, lesion in case.outlines.items():
        sheet.draw_outline(axes, radiological(lesion[at]), drawn.get_extent(), *outlines[name][1:])
    return drawn


def outline_entries(cases: list[Case], outlines=OUTLINES) -> list:
    """Legend entries of the outlines that the cases have."""
    entries = []
    for name, (words, colour, line) in outlines.items():
        lesions = [case.outlines[name] for case in cases if name in case.outlines]
        if lesions:
            nothing = "" if any(lesion.any() for lesion in lesions) else ": no lesion found"
            entries.append(legend_entry(words + nothing, color=colour, linewidth=line, linestyle="-"))
    return entries
