"""Learning curves whose course is known."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from glioma_idh.reporting.figures.canvas import BLUE, VERMILLION
from glioma_idh.reporting.figures.learning_curves import learning_curves

LOGS = ("loss", "accuracy")


def history(num_splits=2, epochs=300, a=-1.8, b=0.02, c=2.4):
    """Every split has the same test loss a exp(-b x) + c."""
    x = np.arange(1, epochs + 1)
    columns = {"epoch": x, "loss": 0.7 * np.exp(-x / 40), "accuracy": 1 - 0.5 * np.exp(-x / 40)}
    columns |= {"test_loss": a * np.exp(-b * x) + c, "test_accuracy": 0.8 - 0.3 * np.exp(-x / 50)}
    return pd.concat([pd.DataFrame({"repeat": n, "split": 0, **columns}) for n in range(num_splits)])


def joint_history(**keywords):
    names = {"loss": "cross_entropy", "accuracy": "dice_loss", "test_loss": "test_cross_entropy"}
    return history(**keywords).rename(columns=names | {"test_accuracy": "test_dice_loss"})


def legend_of(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def words(figure):
    """Every text of a figure."""
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def curve(axes, label):
    return next(line for line in axes.get_lines() if line.get_label().startswith(label))


def test_fit_values_are_printed_and_the_test_curve_chose_nothing():
    figure = learning_curves(history(), title="rCBV", panels=LOGS)
    loss, accuracy = figure.axes
    assert "a = -1.8, b = 0.02 per epoch, c = 2.4" in "".join(legend_of(loss))
    assert "a = -0.3, b = 0.02 per epoch, c = 0.8" in "".join(legend_of(accuracy))
    assert "The test curves were not used to select an epoch or a setting." in words(figure)
    assert len(loss.get_lines()) == 2 * (2 + 1) + 1 and len(legend_of(loss)) == 3


def test_curves_without_a_fit_say_so():
    loss = learning_curves(history(epochs=3), title="rCBV", panels=LOGS).axes[0]
    assert "does not fit" in legend_of(loss)[-1] and "a =" not in "".join(legend_of(loss))


@pytest.mark.parametrize("a, scale", [(0.6, "linear"), (60.0, "log")])
def test_log_scale_only_where_the_test_loss_spans_a_decade(a, scale):
    assert learning_curves(history(a=a, c=0.5), title="T1", panels=LOGS).axes[0].get_yscale() == scale


def test_curves_of_two_tasks_have_their_own_panels_and_no_fit():
    figure = learning_curves(joint_history(), title="SGPNet", panels=("cross_entropy", "dice_loss"))
    entropy, dice = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["a) IDH", "b) Lesion"]
    assert entropy.get_ylabel() == "Loss (binary cross-entropy)" and dice.get_ylim() == (-0.04, 1.04)
    assert legend_of(dice) == [
        "Training, mean of 2 splits (thin lines: single splits)",
        "Test, mean of 2 splits (thin lines: single splits)",
    ]
    assert curve(dice, "Test").get_ydata()[-1] == pytest.approx(0.8 - 0.3 * np.exp(-6))


def test_curves_of_one_task_without_a_test_have_one_panel_and_one_curve():
    table = joint_history(num_splits=1).drop(columns="test_dice_loss")
    figure = learning_curves(table, title="SGPNet", panels=["dice_loss"])
    assert len(figure.axes) == 1 and legend_of(figure.axes[0]) == ["Training"] and "chose no epoch" not in words(figure)


def test_curves_are_each_split_s_own_and_their_mean_train_in_blue_and_test_in_vermillion():
    # the third split's losses lie 0.3 and 3 above the others', so that no mean is a median
    splits = [history(num_splits=1).assign(repeat=n) for n in range(3)]
    splits[2] = splits[2].assign(loss=splits[2]["loss"] + 0.3, test_loss=splits[2]["test_loss"] + 3)
    axes = learning_curves(pd.concat(splits), title="rCBV", panels=LOGS).axes[0]
    for name, column, colour, shift in (("Training", "loss", BLUE, 0.1), ("Test", "test_loss", VERMILLION, 1)):
        mean = curve(axes, f"{name}, mean")
        assert mean.get_xdata()[0] == 1 and mean.get_ydata() == pytest.approx(splits[0][column] + shift)
        thin = [line for line in axes.get_lines() if line.get_label() == "_split" and line.get_color() == colour]
        assert mean.get_color() == colour and len(thin) == 3
        for line, rows in zip(thin, splits, strict=True):
            assert np.array_equal(line.get_xydata(), rows[["epoch", column]])
    fitted = curve(axes, "Fit of a")
    assert "a = -1.8, b = 0.02 per epoch, c = 3.4" in fitted.get_label()
    assert fitted.get_ydata() == pytest.approx(curve(axes, "Test, mean").get_ydata(), abs=1e-4)


def test_each_panel_has_its_own_log_and_the_names_of_its_axes():
    loss, accuracy = learning_curves(history(num_splits=1), title="rCBV", panels=LOGS).axes
    assert [axes.get_title(loc="left") for axes in (loss, accuracy)] == ["a) Loss", "b) Accuracy"]
    assert [axes.get_ylabel() for axes in (loss, accuracy)] == ["Loss (categorical cross-entropy)", "Accuracy"]
    assert {axes.get_xlabel() for axes in (loss, accuracy)} == {"Epoch"}
    assert curve(accuracy, "Training").get_ydata()[0] == pytest.approx(1 - 0.5 * np.exp(-1 / 40))
    assert curve(loss, "Training").get_ydata()[0] == pytest.approx(0.7 * np.exp(-1 / 40))


def test_epochs_without_a_test_are_no_gaps_in_its_curve():
    table = history(num_splits=1, epochs=6)
    table.loc[table["epoch"] % 3 != 0, ["test_loss", "test_accuracy"]] = np.nan
    axes = learning_curves(table, title="T1", panels=LOGS).axes[0]
    assert list(curve(axes, "Test").get_xdata()) == [3, 6] and len(curve(axes, "Training").get_xdata()) == 6


def test_a_single_test_value_is_drawn_as_a_point():
    short = joint_history(epochs=6)
    short.loc[short["epoch"] != 5, ["test_cross_entropy", "test_dice_loss"]] = np.nan
    for axes in learning_curves(short, title="SGPNet", panels=("cross_entropy", "dice_loss")).axes:
        assert curve(axes, "Test").get_marker() == "o" and curve(axes, "Training").get_marker() == "None"
