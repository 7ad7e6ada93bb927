"""How the head moves within a series of volumes."""

import numpy as np
from matplotlib.figure import Figure

from glioma_idh.reporting.figures.canvas import BLUE, GREY, NORMAL, SMALL, VERMILLION, dress, new_figure

PANEL_WIDTH, PANEL_HEIGHT = 3.6, 2.0  # inches
LEAST_TOP_MM = 1.0


def movement_check(
    displacements_mm: dict[str, np.ndarray], limit_mm: float, *, subject: str, synthetic: bool = False
) -> Figure:
    """How far the head is from where it lies in one volume, a panel a series.

    Args:
        displacements_mm: of the volumes, shape (t,), by the name of the series.
        limit_mm: a series that moves as far as this was held still.
        subject: its id.
        synthetic: whether the subject is a phantom; the figure then says so.
    """
    note = f"Root mean square over a ball of 80 mm. A series is held still where the head moves by {limit_mm:g} mm."
    figure = new_figure(len(displacements_mm) * PANEL_WIDTH, PANEL_HEIGHT + 0.6, synthetic, note)
    figure.suptitle(f"{subject}: movement within a series", fontsize=NORMAL, fontweight="bold")
    top_mm = 1.1 * max(LEAST_TOP_MM, *(max(moved) for moved in displacements_mm.values()))
    for n, (name, moved_mm) in enumerate(displacements_mm.items()):
        axes = figure.add_subplot(1, len(displacements_mm), n + 1)
        held = max(moved_mm) >= limit_mm
        dress(axes, f"{name}, {'held still' if held else 'as acquired'}", "Volume", "" if n else "Displacement (mm)")
        volumes = np.arange(1, len(moved_mm) + 1)
        axes.plot(volumes, moved_mm, color=VERMILLION if held else BLUE, marker=".", markersize=4, linewidth=1)
        axes.axhline(limit_mm, color=GREY, linewidth=0.8, linestyle="--")
        axes.annotate(f"{limit_mm:g} mm", (1, limit_mm), (0, 2), textcoords="offset points", fontsize=SMALL, color=GREY)
        axes.set_ylim(0, top_mm)
        axes.xaxis.get_major_locator().set_params(integer=True)
    return figure
