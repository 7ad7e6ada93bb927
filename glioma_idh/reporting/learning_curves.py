"""Learning curves of a training."""

import pandas as pd
from matplotlib.figure import Figure

from glioma_idh.evaluation.learning_curves import fit_exponential



def learning_curves(history, *, title, synthetic=False) -> Figure:
    """Loss and accuracy of train and test by epoch, with a exp(-b x) + c fitted to the mean test curve.

    Args:
        history: columns `repeat, fold, epoch` (from 1), `loss, accuracy, test_loss, test_accuracy`; the test's
            may be NaN in most epochs.
        title: what was trained.
        synthetic: whether the subjects are phantoms; the figure then says so.

    Returns:
        The figure; its loss axis is logarithmic when the mean test loss spans more than a decade.
    """
    note = "The test curve is drawn only: it chose no epoch and no setting."
    figure = new_figure(7.2, 3.7, synthetic, note)
    figure.suptitle(title, fontsize=NORMAL, fontweight="bold")
    for letter, axes, score in zip("ab", figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        name = {"loss": "Loss (categorical cross-entropy)", "accuracy": "Accuracy"}[score]
        _dress(axes, f"{letter}) {score.capitalize()}", "Epoch", name)
        axes.xaxis.get_major_locator().set_params(integer=True)
        _draw_history(axes, history, score, "Train", BLUE)
        test = _draw_history(axes, history, f"test_{score}", "Test", VERMILLION)
        _draw_fit(axes, test)
        if score == "accuracy":
            axes.set_ylim(-0.04, 1.04)
        elif test.min() > 0 and test.max() > 10 * test.min():
            axes.set_yscale("log")
        _legend_below(axes, [line for line in axes.get_lines() if line.get_label() != "_split"], columns=1)
    return figure


def _draw_history(axes, history, column: str, name: str, colour: str) -> pd.Series:
    """Thin lines of the splits and their thick mean; returns the mean by epoch."""
    splits = named_splits(history.dropna(subset=column))
    for _, rows in splits:
        axes.plot(rows["epoch"], rows[column], color=colour, linewidth=0.5, alpha=0.45, label="_split")
    mean = history.groupby("epoch")[column].mean().dropna()
    label = f"{name}, mean of {len(splits)} splits (thin: each)" if len(splits) > 1 else name
    axes.plot(mean.index, mean, color=colour, linewidth=1.5, label=label)
    return mean


def _draw_fit(axes, mean: pd.Series) -> None:
    """The exponential through the mean test curve, its three numbers in the legend."""
    fit = fit_exponential(mean.index, mean)
    if fit.fitted:
        label = f"Test fitted by a·exp(-b·x) + c:\na = {fit.a:.3g}, b = {fit.b:.3g} per epoch, c = {fit.c:.3g}"
        axes.plot(mean.index, fit(mean.index), color="black", linestyle="--", linewidth=1.2, label=label)
    else:
        axes.plot([], [], linestyle="none", label="a·exp(-b·x) + c does not describe the test curve:\nno numbers")


