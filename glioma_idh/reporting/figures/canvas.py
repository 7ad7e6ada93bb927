"""Common parts of all figures: colours, fonts, the mark of synthetic data, and writing to disk.

Colours are those of Okabe and Ito, which are safe for colour-blind readers. Text is 7 points or larger at the original
size of the figure.
"""

import logging
import textwrap
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import ScaledTranslation

from glioma_idh.cohorts.table import SEQUENCE_NAMES
from glioma_idh.files import written_whole

SYNTHETIC_NOTE = "Synthetic phantom cohort: no clinical result"
BLUE, VERMILLION, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#6B6B6B"
ORANGE, SKY, YELLOW, RED = "#E69F00", "#56B4E9", "#F0E442", "#B00020"  # RED marks problems
GROUPS = {1: ("mutant", VERMILLION), 0: ("wild-type", BLUE), -1: ("unknown", GREY)}  # name and colour by IDH status
SMALL, NORMAL = 7, 8
TITLE_LETTERS, NOTE_LETTERS = 13, 17  # letters per inch


def display_name(sequence: str) -> str:
    """The printed name of a sequence: T1, T1Gd, T2, FLAIR, rCBV, ADC; other names are unchanged."""
    return SEQUENCE_NAMES.get(sequence, sequence)


def of_total(number: int, total: int) -> str:
    """`12 of 100`, or `100` if both numbers are equal."""
    return f"{number} of {total}" if number < total else f"{total}"


def new_figure(
    width: float, height: float, synthetic: bool, note: str = "", title: str = "", *, grow: bool = False
) -> Figure:
    """An empty figure with a title and, at its foot, the note and the mark of synthetic data; sizes in inches.

    With `grow`, its height is increased by the lines at its foot.
    """
    lines = textwrap.wrap(note, int(width * NOTE_LETTERS)) + [SYNTHETIC_NOTE] * synthetic
    height += 0.13 * len(lines) * grow
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    if lines:
        figure.supxlabel("\n".join(lines), fontsize=SMALL, color=GREY, style="italic")
    if title:
        figure.suptitle(title, fontsize=NORMAL, fontweight="bold")
    return figure


def save_figure(figure: Figure, folder: str | Path, name: str) -> tuple[Path, Path]:
    """Write `name.png` (200 dpi) and `name.svg` into a folder; the same figure always gives the same bytes.

    The first save fixes the layout; a second layout would shift panels by a fraction of a pixel.
    """
    _give_fonts(figure)
    paths = Path(folder, f"{name}.png"), Path(folder, f"{name}.svg")
    for path, metadata in zip(paths, ({"Software": None}, {"Date": None, "Creator": None}), strict=True):
        with written_whole(path) as part, matplotlib.rc_context({"svg.hashsalt": "glioma_idh"}):
            figure.savefig(part, format=path.suffix[1:], dpi=200, metadata=metadata)
            figure.set_layout_engine("none")
    return paths


def save_png(figure, path) -> None:
    """Write a figure as PNG only (200 dpi)."""
    _give_fonts(figure)
    with written_whole(path) as part:
        figure.savefig(part, format="png", dpi=200, metadata={"Software": None})


def _give_fonts(figure) -> None:
    """Use installed fonts for characters that matplotlib's own font lacks, for example in a Chinese patient id."""
    texts = figure.findobj(Text)
    families = fonts_for(frozenset("".join(text.get_text() for text in texts)))
    if families:
        logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # it reports every missing font weight
        for text in texts:
            text.set_fontfamily([*matplotlib.rcParams["font.family"], *families])


@cache
def fonts_for(letters: frozenset[str]) -> tuple[str, ...]:
    """Names of installed fonts that together cover as many as possible of the characters missing in the default font.

    The font files are searched instead of matplotlib's list, which lacks fonts installed after it was made.
    """
    usual = font_manager.findfont(font_manager.FontProperties())
    missing = {ord(letter) for letter in letters if letter.isprintable()} - _letters_in(usual)
    families = []
    for file in sorted(font_manager.findSystemFonts()) if missing else ():
        found = missing & _letters_in(file)
        if found:
            font_manager.fontManager.addfont(file)
            families.append(font_manager.fontManager.ttflist[-1].name)
            missing -= found
    return tuple(families)


@cache
def _letters_in(file: str) -> frozenset[int]:
    """Code points in a font file; none if it cannot be used or shows a box for every character."""
    try:
        font = FT2Font(file)
    except (OSError, RuntimeError):
        return frozenset()
    usable = font.scalable and "lastresort" not in font.family_name.lower().replace(" ", "")
    return frozenset(font.get_charmap() if usable else ())


def dress(axes, title: str, x_name: str, y_name: str) -> None:
    """Set title, axis names and ticks of a panel in the common style."""
    axes.set_title(title, loc="left", fontsize=NORMAL, fontweight="bold")
    axes.set_xlabel(x_name, fontsize=SMALL)
    axes.set_ylabel(y_name, fontsize=SMALL)
    axes.tick_params(which="both", labelsize=SMALL)
    axes.spines[["top", "right"]].set_visible(False)


def span_unit_square(axes, **settings) -> None:
    """Set both axes to the range 0 to 1, with ticks at every quarter."""
    ticks = np.arange(0, 1.1, 0.25)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=ticks, yticks=ticks, **settings)


def dress_roc(axes, title: str = "") -> None:
    """Prepare a square panel for ROC curves, with axis names and the chance line."""
    dress(axes, title, "1 - specificity", "Sensitivity")
    axes.plot([0, 1], [0, 1], linestyle=":", color=GREY, linewidth=0.9)
    span_unit_square(axes, aspect="equal", anchor="N")


def legend_entry(label: str, **style) -> Line2D:
    """A legend entry: text only, or with a marker or line in the given style."""
    return Line2D([], [], label=label, **{"linestyle": "none", **style})


def legend_below(axes, handles, columns: int) -> None:
    """Place the legend below the panel, where it covers no curve."""
    under = axes.transAxes + ScaledTranslation(0, -30 / 72, axes.figure.dpi_scale_trans)
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "bbox_transform": under, "borderaxespad": 0}
    style = {"fontsize": SMALL, "frameon": False, "handlelength": 1.4, "columnspacing": 1}
    axes.legend(handles=handles, ncols=columns, **place, **style)


def colour_bar(figure, mappable, axes, label: str, **settings):
    """Add a colour bar below an image and return it."""
    bar = figure.colorbar(mappable, ax=axes, location="bottom", shrink=0.5, aspect=35, extend="both", **settings)
    bar.set_label(label, fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    return bar


def named_splits(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows of each split, with its printed name.

    `Split 2`; `Split 2.3` for several repeats of several splits; `Network 2` if all networks were tested on the same
    subjects, for example on an external cohort. The numbers are those of the table.
    """
    groups = table.groupby(["repeat", "split"])
    if "subject" in table and len(groups) > 1 and groups["subject"].agg(frozenset).nunique() == 1:
        return [(f"Network {number}", rows) for number, (_, rows) in enumerate(groups, start=1)]
    if table["repeat"].nunique() == 1:
        return [(f"Split {split}", rows) for (_, split), rows in groups]
    if table.groupby("repeat")["split"].nunique().max() == 1:
        return [(f"Split {repeat}", rows) for (repeat, _), rows in groups]
    return [(f"Split {repeat}.{split}", rows) for (repeat, split), rows in groups]
