"""Who was found, left out, used and tested: the flow of subjects that STARD and CONSORT ask for."""

import textwrap

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from glioma_idh.reporting.figures.canvas import BLUE, GREY, SMALL, noted_figure

WIDTH, MAIN, SIDE = 6.6, 2.1, 4.0  # inches: the whole, a box on the way, a box beside it
LINE, PAD, GAP = 0.14, 0.09, 0.14  # inches: a line of text, inside a box, between boxes
LETTERS = 15  # an inch
MOST_REASONS = 12


def flow_diagram(counts: dict, *, synthetic: bool = False) -> Figure:
    """The way of the subjects from those found to those tested, and beside it who left it where.

    Args:
        counts: subjects: `found`; `excluded`, a dict by the reason in words; `used`, and of them `mutant`, `wild_type`
            and `unlabelled`; `tested` and `never_tested`.
        synthetic: whether the subjects are phantoms; the figure then says so.

    Returns:
        The figure. Of many reasons the commonest twelve are named.

    Raises:
        ValueError: more are used than were found.
    """
    boxes = _boxes(counts)
    heights = [LINE * len(lines) + 2 * PAD for _, lines in boxes]
    total = sum(heights) + GAP * (len(boxes) - 1)
    figure = noted_figure(WIDTH + 0.2, total + 0.2, synthetic, "")
    axes = figure.subplots()
    axes.set(aspect="equal", anchor="N", xlim=(-0.02, WIDTH + 0.02), ylim=(total + 0.02, -0.02))
    axes.set_axis_off()
    tops = [sum(heights[:number]) + GAP * number for number in range(len(boxes))]
    for (on_the_way, lines), top, height in zip(boxes, tops, heights, strict=True):
        _draw_box(axes, on_the_way, lines, top, height)
        if not on_the_way:
            _draw_arrow(axes, (MAIN / 2, top + height / 2), (WIDTH - SIDE, top + height / 2))
    for upper, lower in ((0, 2), (2, 4)):
        _draw_arrow(axes, (MAIN / 2, tops[upper] + heights[upper]), (MAIN / 2, tops[lower]))
    return figure


def _boxes(counts: dict) -> list[tuple[bool, list[str]]]:
    """The boxes from above, on the way and beside it by turns: which of them, and its lines.

    Raises:
        ValueError: more are used than were found.
    """
    kinds = {"mutant": "IDH-mutant", "wild_type": "IDH-wild-type", "unlabelled": "IDH status not known"}
    of_used = [f"{words}: {counts[key]}" for key, words in kinds.items()]
    return [
        (True, [f"Subjects found: {counts['found']}"]),
        (False, [f"Excluded: {_num_excluded(counts)}", *_wrapped(_reasons(counts))]),
        (True, [f"Used: {counts['used']}", *of_used]),
        (False, [f"Never in a test set: {counts['never_tested']}"]),
        (True, [f"Tested: {counts['tested']}"]),
    ]


def _num_excluded(counts: dict) -> int:
    """How many were found and not used.

    Raises:
        ValueError: more are used than were found.
    """
    if counts["used"] > counts["found"]:
        raise ValueError(f"expected no more used than found; found {counts['used']} used and {counts['found']} found")
    return counts["found"] - counts["used"]


def _reasons(counts: dict) -> list[str]:
    """Why subjects were left out, the commonest reason first."""
    falling = sorted(counts["excluded"].items(), key=lambda reason: -reason[1])
    reasons = [f"{number}: {words}" for words, number in falling[:MOST_REASONS]]
    others = [number for _, number in falling[MOST_REASONS:]]
    if others:
        reasons.append(f"{sum(others)}: for {len(others)} other reasons")
    if sum(counts["excluded"].values()) > _num_excluded(counts):
        reasons.append("A subject may have several reasons.")
    return reasons


def _wrapped(texts: list[str]) -> list[str]:
    """Lines that a box beside the way has room for."""
    letters = int((SIDE - 2 * PAD) * LETTERS)
    return [line for text in texts for line in textwrap.wrap(text, letters, subsequent_indent="      ")]


def _draw_box(axes, on_the_way: bool, lines: list[str], top: float, height: float) -> None:
    """A box with its lines, the first one bold."""
    left, width = (0, MAIN) if on_the_way else (WIDTH - SIDE, SIDE)
    face, edge = ("#DCE9F3", BLUE) if on_the_way else ("white", GREY)
    axes.add_patch(Rectangle((left, top), width, height, facecolor=face, edgecolor=edge, linewidth=1))
    for number, line in enumerate(lines):
        weight = "normal" if number else "bold"
        middle = top + PAD + LINE * (number + 0.5)
        axes.text(left + PAD, middle, line, fontsize=SMALL, fontweight=weight, va="center_baseline")


def _draw_arrow(axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """An arrow behind the boxes."""
    style = {"arrowstyle": "-|>", "color": "black", "linewidth": 1, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=style, zorder=0)


def flow_diagram_alt(counts: dict) -> str:
    """The numbers of `flow_diagram` in words."""
    reasons = "; ".join(_reasons(counts))
    return (
        f"Flow of subjects. Found: {counts['found']}. Excluded: {_num_excluded(counts)}"
        f"{f' ({reasons})' if reasons else ''}. Used: {counts['used']}, of them {counts['mutant']} IDH-mutant, "
        f"{counts['wild_type']} IDH-wild-type, {counts['unlabelled']} with a status not known. "
        f"Tested: {counts['tested']}. Never in a test set: {counts['never_tested']}."
    )
