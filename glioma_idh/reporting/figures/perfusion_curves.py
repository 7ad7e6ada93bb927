"""Mean curves of a perfusion series: what the bolus does in the tumour and in normal white matter."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from glioma_idh.reporting.figures.canvas import BLUE, GREEN, GREY, NORMAL, PURPLE, SMALL, VERMILLION, dress, new_figure

COLOURS = (VERMILLION, BLUE, GREEN, PURPLE, "#E69F00", "black")
STYLES = ("-", "--", ":", "-.")
SHADES = ("#E3E3E3", "#F7E3C8", "#D8EBF7", "#DDF0E4")
PANELS_ACROSS, PANEL_WIDTH, PANEL_HEIGHT, LEGEND_WIDTH = 3, 2.8, 2.4, 1.6  # inches


def perfusion_curves(
    time_s: np.ndarray,
    panels: dict[str, dict[str, np.ndarray]],
    *,
    windows: dict[str, tuple[float, float]],
    y_name: str,
    subject: str,
    synthetic: bool = False,
) -> Figure:
    """Curves over time, a panel a tissue, with the stretches that were used of them shaded.

    Args:
        time_s: of the points, shape (t,).
        panels: curves of shape (t,) by label, such as `Corrected`, by panel title, such as `Tumour`. A label has the
            same colour in every panel.
        windows: first and last second of each stretch, such as the baseline and the first pass, by name.
        y_name: what the curves are, with its unit; all panels have one scale.
        subject: its id.
        synthetic: whether the subject is a phantom; the figure then says so.
    """
    labels = list(dict.fromkeys(label for curves in panels.values() for label in curves))
    looks = {label: (COLOURS[n % len(COLOURS)], STYLES[n % len(STYLES)]) for n, label in enumerate(labels)}
    shades = dict(zip(windows, SHADES, strict=False))
    columns = min(len(panels), PANELS_ACROSS)
    rows = -(-len(panels) // columns)
    figure = new_figure(columns * PANEL_WIDTH + LEGEND_WIDTH, rows * PANEL_HEIGHT + 0.5, synthetic)
    figure.suptitle(f"{subject}: mean perfusion curves", fontsize=NORMAL, fontweight="bold")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for n, (axes, (title, curves)) in enumerate(zip(grid.flat, panels.items(), strict=False)):
        letter = f"{'abcdefghijkl'[n]}) " if len(panels) > 1 else ""
        lowest = n + columns >= len(panels)
        dress(axes, f"{letter}{title}", "Time (s)" if lowest else "", y_name if n % columns == 0 else "")
        axes.tick_params(labelbottom=lowest)
        _draw_panel(axes, np.asarray(time_s, float), curves, looks)
        for name, shade in shades.items():
            axes.axvspan(*windows[name], color=shade, linewidth=0, zorder=0, label=name)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    lines = [Line2D([], [], color=c, linestyle=s, linewidth=1.5, label=label) for label, (c, s) in looks.items()]
    patches = [Patch(color=shade, label=name) for name, shade in shades.items()]
    figure.legend(handles=[*lines, *patches], loc="outside right center", fontsize=SMALL, frameon=False)
    return figure


def _draw_panel(axes, time_s: np.ndarray, curves: dict[str, np.ndarray], looks: dict) -> None:
    """One tissue's curves, and the line of 0 where they cross it."""
    for label, curve in curves.items():
        colour, style = looks[label]
        axes.plot(time_s, curve, color=colour, linestyle=style, linewidth=1.4, label=label)
    values = np.concatenate(list(curves.values()))
    if np.nanmin(values) < 0 < np.nanmax(values):
        axes.axhline(0, color=GREY, linewidth=0.6, zorder=1, label="_zero")
    axes.set_xlim(time_s[0], time_s[-1])
