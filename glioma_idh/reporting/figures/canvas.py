"""What every picture shares: colours, letters, the line that marks phantoms, and how it is written to disk.

Colours are those of Okabe and Ito, which colour-blind readers can tell apart; letters are 7 points or larger at the
figure's own size.
"""

import textwrap
from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

from glioma_idh.cohorts.table import SEQUENCE_NAMES
from glioma_idh.files import written_whole
from glioma_idh.reporting.figures.fonts import give_fonts

SYNTHETIC_NOTE = "Synthetic phantom cohort: no clinical result"
BLUE, VERMILLION, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#6B6B6B"
SMALL, NORMAL = 7, 8


def display_name(sequence: str) -> str:
    """A sequence's name in print: T1, T1Gd, T2, FLAIR, rCBV, ADC; others as they are."""
    return SEQUENCE_NAMES.get(sequence, sequence)


def new_figure(width: float, height: float, synthetic: bool, note: str = "") -> Figure:
    """An empty figure, inches, with the note and, for phantoms, the line that says so at its foot."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    lines = [*textwrap.wrap(note, int(width * 17)), *([SYNTHETIC_NOTE] if synthetic else [])]
    if lines:
        figure.supxlabel("\n".join(lines), fontsize=SMALL, color=GREY, style="italic")
    return figure


def save_figure(figure, folder, name) -> tuple[Path, Path]:
    """Write `name.png` (200 dpi) and `name.svg`; the same figure always gives the same bytes.

    The layout is fixed by the first save: laid out anew, panels would shift by a fraction of a pixel.

    Args:
        figure: any figure of this file.
        folder: made if it is not there.
        name: file name without ending.

    Returns:
        The paths of the PNG and the SVG.
    """
    give_fonts(figure)
    paths = Path(folder, f"{name}.png"), Path(folder, f"{name}.svg")
    for path, metadata in zip(paths, ({"Software": None}, {"Date": None, "Creator": None}), strict=True):
        with written_whole(path) as part, matplotlib.rc_context({"svg.hashsalt": "glioma_idh"}):
            figure.savefig(part, format=path.suffix[1:], dpi=200, metadata=metadata)
            figure.set_layout_engine("none")
    return paths


def save_png(figure, path) -> None:
    """Write a figure as PNG alone (200 dpi), for one that is looked at and not printed."""
    give_fonts(figure)
    with written_whole(path) as part:
        figure.savefig(part, format="png", dpi=200, metadata={"Software": None})


def dress(axes, title: str, x_name: str, y_name: str) -> None:
    """Title, names and ticks of a panel, in the letters of all figures."""
    axes.set_title(title, loc="left", fontsize=NORMAL, fontweight="bold")
    axes.set_xlabel(x_name, fontsize=SMALL)
    axes.set_ylabel(y_name, fontsize=SMALL)
    axes.tick_params(which="both", labelsize=SMALL)
    axes.spines[["top", "right"]].set_visible(False)


def legend_below(axes, handles, columns: int) -> None:
    """A legend under the panel, where it covers no curve."""
    under = axes.transAxes + ScaledTranslation(0, -30 / 72, axes.figure.dpi_scale_trans)
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "bbox_transform": under, "borderaxespad": 0}
    style = {"fontsize": SMALL, "frameon": False, "handlelength": 1.4, "columnspacing": 1}
    axes.legend(handles=handles, ncols=columns, **place, **style)


def named_splits(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows of each split, with its name.

    `Split 2` of a run; `Split 2.3` of several repeats of several splits; `Network 2` where all were tested on the same
    subjects, as on an external cohort. The numbers are those of the table.
    """
    groups = table.groupby(["repeat", "split"])
    if "subject" in table and len(groups) > 1 and groups["subject"].agg(frozenset).nunique() == 1:
        return [(f"Network {number}", rows) for number, (_, rows) in enumerate(groups, start=1)]
    if table["repeat"].nunique() == 1:
        return [(f"Split {split}", rows) for (_, split), rows in groups]
    if table.groupby("repeat")["split"].nunique().max() == 1:
        return [(f"Split {repeat}", rows) for (repeat, _), rows in groups]
    return [(f"Split {repeat}.{split}", rows) for (repeat, split), rows in groups]
