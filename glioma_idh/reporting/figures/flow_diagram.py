"""Flow diagram of the subjects found, excluded, used and tested, as required by STARD and CONSORT."""

import textwrap

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from glioma_idh.reporting.figures.canvas import BLUE, GREY, SMALL, new_figure
from glioma_idh.reporting.figures.sheet import close_sheet

WIDTH, MAIN, SIDE = 6.6, 2.1, 4.0  # inches: figure, main box, side box
LINE, PAD, GAP = 0.14, 0.09, 0.14  # inches: a line of text, inside a box, between boxes
LETTERS = int((SIDE - 2 * PAD) * 15)  # letters per line of a side box
MOST_REASONS = 12


def flow_diagram(counts: dict, *, synthetic: bool = False) -> Figure:
    """Draw the subjects found, used and tested, with exclusions at the side.

    The counts are those of `tables.subjects.flow_counts`. At most the twelve most frequent reasons are listed.
    ValueError: more subjects are used than were found.
    """
    kinds = {"mutant": "IDH-mutant", "wild_type": "IDH-wild-type", "unlabelled": "IDH status unknown"}
    num_excluded, reasons = _excluded(counts)
    reasons = [line for text in reasons for line in textwrap.wrap(text, LETTERS, subsequent_indent="      ")]
    boxes = [  # main boxes and side boxes alternate
        [f"Subjects found: {counts['found']}"],
        [f"Excluded: {num_excluded}", *reasons],
        [f"Used: {counts['used']}", *(f"{words}: {counts[key]}" for key, words in kinds.items())],
        [f"Never in a test set: {counts['never_tested']}"],
        [f"Tested: {counts['tested']}"],
    ]
    heights = [LINE * len(lines) + 2 * PAD for lines in boxes]
    total = sum(heights) + GAP * (len(boxes) - 1)
    figure = new_figure(WIDTH + 0.2, total + 0.2, synthetic, grow=True)
    axes = figure.subplots()
    arrow = {"arrowstyle": "-|>", "color": "black", "linewidth": 1, "shrinkA": 0, "shrinkB": 0}
    top, above = 0.0, None
    for number, (lines, height) in enumerate(zip(boxes, heights, strict=True)):
        if number % 2:
            left, width, face, edge = WIDTH - SIDE, SIDE, "white", GREY
            middle = top + height / 2
            axes.annotate("", (left, middle), (MAIN / 2, middle), arrowprops=arrow, zorder=0)
        else:
            left, width, face, edge = 0, MAIN, "#DCE9F3", BLUE
            if above is not None:
                axes.annotate("", (MAIN / 2, top), (MAIN / 2, above), arrowprops=arrow, zorder=0)
            above = top + height
        axes.add_patch(Rectangle((left, top), width, height, facecolor=face, edgecolor=edge, linewidth=1))
        for n, line in enumerate(lines):
            style: dict = {"fontsize": SMALL, "fontweight": "normal" if n else "bold", "va": "center_baseline"}
            axes.text(left + PAD, top + PAD + LINE * (n + 0.5), line, **style)
        top += height + GAP
    close_sheet(axes, WIDTH, total)
    return figure


def _excluded(counts: dict) -> tuple[int, list[str]]:
    """The number of excluded subjects, and the reasons, most frequent first."""
    if counts["used"] > counts["found"]:
        raise ValueError(f"expected no more used than found; found {counts['used']} used and {counts['found']} found")
    number = counts["found"] - counts["used"]
    falling = sorted(counts["excluded"].items(), key=lambda reason: -reason[1])
    reasons = [f"{number}: {words}" for words, number in falling[:MOST_REASONS]]
    others = [number for _, number in falling[MOST_REASONS:]]
    reasons += [f"{sum(others)}: {len(others)} other reasons"] if others else []
    reasons += ["A subject may have several reasons."] if sum(counts["excluded"].values()) > number else []
    return number, reasons


def flow_diagram_alt(counts: dict) -> str:
    """Alternative text of `flow_diagram`."""
    number, reasons = _excluded(counts)
    why = f" ({'; '.join(reasons)})" if reasons else ""
    known = f"{counts['mutant']} IDH-mutant, {counts['wild_type']} IDH-wild-type"
    used = f"Used: {counts['used']} ({known}, {counts['unlabelled']} with unknown IDH status)."
    tested = f"Tested: {counts['tested']}. Never in a test set: {counts['never_tested']}."
    return f"Flow of subjects. Found: {counts['found']}. Excluded: {number}{why}. {used} {tested}"
