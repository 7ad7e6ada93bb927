"""Learning curves."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from glioma_idh.evaluation.learning_curves import fit_exponential
from glioma_idh.evaluation.metrics import has_values
from glioma_idh.reporting.figures.canvas import BLUE, VERMILLION, dress, legend_below, named_splits, new_figure
from glioma_idh.reporting.names import CURVES


def learning_curves(history: pd.DataFrame, *, title: str, panels: Sequence[str], synthetic: bool = False) -> Figure:
    """Training and test curves by epoch, one panel per log; some with a exp(-b x) + c fitted to the mean test curve.

    An unbounded loss has a logarithmic axis if the mean test loss spans more than a decade. The panels are one or two
    keys of `names.CURVES`. Columns are `repeat, split, epoch` (from 1), and two for each log, such as
    `loss, test_loss`; test values may be NaN in most epochs, or missing.
    """
    tested = any(has_values(history, f"test_{log}") for log in panels)
    note = "The test curves were not used to select an epoch or a setting." if tested else ""
    figure = new_figure(7.2 if len(panels) > 1 else 3.7, 3.7, synthetic, note, title)
    # Thin lines: splits; thick line: their mean; for the training set and, if recorded, for the test set.
    for letter, axes, log in zip("ab", figure.subplots(1, len(panels), squeeze=False).flat, panels, strict=False):
        dress(axes, f"{letter}) {CURVES[log].title}" if len(panels) > 1 else "", "Epoch", CURVES[log].axis)
        curve, kinds = CURVES[log], [(log, "Training", BLUE), (f"test_{log}", "Test", VERMILLION)]
        axes.xaxis.get_major_locator().set_params(integer=True)
        for column, name, colour in kinds if has_values(history, f"test_{log}") else kinds[:1]:
            splits = named_splits(history.dropna(subset=column))
            for _, rows in splits:
                axes.plot(rows["epoch"], rows[column], color=colour, linewidth=0.5, alpha=0.45, label="_split")
            mean = history.groupby("epoch")[column].mean().dropna()
            label = f"{name}, mean of {len(splits)} splits (thin lines: single splits)" if len(splits) > 1 else name
            marker = "o" if len(mean) == 1 else None  # a line of one point would be invisible
            axes.plot(mean.index, mean, color=colour, linewidth=1.5, marker=marker, label=label)
            if name == "Test" and curve.fitted:
                fit = fit_exponential(mean.index, mean)
                if fit.fitted:
                    numbers = f"a = {fit.a:.3g}, b = {fit.b:.3g} per epoch, c = {fit.c:.3g}"
                    label = f"Fit of a·exp(-b·x) + c to the test curve:\n{numbers}"
                    axes.plot(mean.index, fit(mean.index), color="black", linestyle="--", linewidth=1.2, label=label)
                else:
                    label = "a·exp(-b·x) + c does not fit the test curve"
                    axes.plot([], [], linestyle="none", label=label)
        if curve.share:
            axes.set_ylim(-0.04, 1.04)
        elif mean.min() > 0 and mean.max() > 10 * mean.min():
            axes.set_yscale("log")
        legend_below(axes, [line for line in axes.get_lines() if line.get_label() != "_split"], columns=1)
    return figure
