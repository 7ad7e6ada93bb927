"""Figures whose content is known: the numbers printed, the lines and points drawn, which way up a slice is."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread
from matplotlib.text import Text

from glioma_idh.reporting.figures import canvas, pictures
from glioma_idh.reporting.figures import roc_and_boxes as figures
from glioma_idh.reporting.figures import sheet as sheets
from glioma_idh.reporting.figures.learning_curves import learning_curves
from tests.reporting.figures.test_learning_curves import LOGS, history, joint_history

NOTE = "Synthetic phantom cohort: no clinical result"
SCORES = ("sensitivity", "specificity", "accuracy", "ccel")


def predictions(scores_by_split, truth=(1, 1, 0, 0), kfold=False):
    """A predictions table of the columns that the curves read."""
    frames = [
        pd.DataFrame({"repeat": 1 if kfold else n, "split": n, "truth": truth, "score": scores})
        for n, scores in enumerate(scores_by_split, start=1)
    ]
    return pd.concat(frames, ignore_index=True)


PERFECT, WRONG, HALF = (0.9, 0.8, 0.2, 0.1), (0.1, 0.2, 0.8, 0.9), (0.9, 0.1, 0.5, 0.4)


def score_table(sequences=("t1", "rcbv"), num_splits=5):
    rows = [
        {"sequence": sequence, "repeat": n, "split": 0, "accuracy": 0.6 + 0.05 * n, "ccel": 1.0 + n, "auc": 0.7}
        | {"sensitivity": 0.2 * n, "specificity": 0.9, "always_wild_type": 0.75 if n else 0.70}
        for sequence in sequences
        for n in range(num_splits)
    ]
    return pd.DataFrame(rows)


def sheet(n=3, truth=(0, 1, 0), **keywords):
    slices = np.random.default_rng(0).normal(1, 1, (n, 64, 64)).astype(np.float32)
    return pictures.slice_sheet(slices, [f"phantom_{i:04}" for i in range(n)], truth, sequence="rcbv", **keywords)


def read(**keywords):
    image, mask = np.random.default_rng(0).normal(size=(40, 50)), np.zeros((40, 50))
    mask[30:36, 20:40] = 1
    box = (30, 36), (20, 40)
    keywords = {"subject": "p1", "sequence": "t1gd", "scores": [0.6, 0.8]} | keywords
    return pictures.slice_read(image, mask, box, np.ones((64, 64)), **keywords)


def legend_of(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def words(figure):
    """Every text of a figure."""
    return "\n".join(text.get_text() for text in figure.findobj(Text)).replace("\N{NO-BREAK SPACE}", " ")


def curve(axes, label):
    return next(line for line in axes.get_lines() if line.get_label().startswith(label))


def test_perfect_predictions_have_a_mean_of_one():
    axes = figures.roc_curves({"rcbv": predictions([PERFECT] * 5)}).axes[0]
    labels = legend_of(axes)
    assert [f"Split {n}: 1.00" for n in range(1, 6)] == labels[:5]
    assert "Mean: 1.00 ± 0.00" in labels
    assert axes.get_title(loc="left") == "a) rCBV" and axes.get_aspect() == 1
    x, y = curve(axes, "Mean").get_data()
    assert (x[0], y[0]) == (0, 0) and (y[1:] == 1).all()


def test_mean_curve_and_sd_by_hand():
    axes = figures.roc_curves({"t1": predictions([PERFECT, WRONG])}).axes[0]
    assert {"Split 1: 1.00", "Split 2: 0.00", "Mean: 0.50 ± 0.71"} <= set(legend_of(axes))
    x, y = curve(axes, "Mean").get_data()
    assert (y[(x > 0) & (x < 1)] == 0.5).all() and y[-1] == 1


def points(line):
    """(x, y) of a line."""
    return [(float(x), float(y)) for x, y in line.get_xydata()]


def test_each_split_s_sensitivity_is_drawn_over_1_less_its_specificity():
    axes = figures.roc_curves({"t1": predictions([PERFECT, HALF])}).axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("1 - specificity", "Sensitivity")
    # mutants 0.9 and 0.1, wild-types 0.5 and 0.4: one mutant, then both wild-types, then the other mutant
    assert points(curve(axes, "Split 2")) == [(0, 0), (0, 0.5), (0.5, 0.5), (1, 0.5), (1, 1)]


def test_of_three_splits_mean_and_band_by_hand():
    axes = figures.roc_curves({"t1": predictions([PERFECT, PERFECT, WRONG])}).axes[0]
    assert "Mean: 0.67 ± 0.58" in legend_of(axes)
    x, y = curve(axes, "Mean").get_data()
    assert y[(x > 0) & (x < 1)] == pytest.approx(2 / 3)
    corners = axes.collections[0].get_paths()[0].vertices
    inside = corners[np.isclose(corners[:, 0], 0.5)][:, 1]
    assert sorted({round(float(end), 6) for end in inside}) == [round(2 / 3 - 3**-0.5, 6), 1]  # one sd of a sample


def test_the_mean_curve_stands_over_the_rates_at_which_it_was_read():
    # scores that are all alike lie on the diagonal: its mean with a perfect curve is (1 + x) / 2
    axes = figures.roc_curves({"t1": predictions([PERFECT, (0.5,) * 4])}).axes[0]
    x, y = curve(axes, "Mean").get_data()
    assert y[1:] == pytest.approx((1 + x[1:]) / 2) and (x[0], x[-1]) == (0, 1) and len(x) > 100


def test_each_sequence_has_its_own_curves():
    one, two = figures.roc_curves({"t1": predictions([PERFECT]), "t2": predictions([WRONG])}).axes
    assert "Split 1: 1.00" in legend_of(one) and "Split 1: 0.00" in legend_of(two)


def test_every_split_is_one_line_beside_mean_and_chance():
    axes = figures.roc_curves({"t1": predictions([PERFECT, HALF, HALF], kfold=True)}).axes[0]
    assert len(axes.get_lines()) == 3 + 2
    assert {"Split 2: 0.50", "Split 3: 0.50"} <= set(legend_of(axes))


def test_networks_that_were_tested_on_the_same_subjects_are_no_splits():
    table = predictions([PERFECT, HALF], kfold=True)
    table["subject"] = [*"abcd", *"abcd"]
    assert {"Network 1: 1.00", "Network 2: 0.50"} <= set(legend_of(figures.roc_curves({"t1": table}).axes[0]))


def test_published_and_best_possible_where_there_are_any():
    tables = {"t1": predictions([HALF]), "t2": predictions([HALF])}
    one, two = figures.roc_curves(tables, best_possible={"t1": 0.713}, published={"t1": (0.71, 0.23)}).axes
    assert {"Paper: 0.71 ± 0.23", "Best possible: 0.71"} <= set(legend_of(one))
    assert not any(label.startswith(("Paper", "Best")) for label in legend_of(two))


def test_a_single_split_has_no_sd_and_no_band():
    axes = figures.roc_curves({"t1": predictions([PERFECT])}).axes[0]
    assert "Mean: 1.00" in legend_of(axes) and not axes.collections


def test_a_split_of_one_class_is_named_and_not_drawn():
    table = predictions([PERFECT, PERFECT])
    table.loc[table["repeat"] == 2, "truth"] = 0
    axes = figures.roc_curves({"t1": table}).axes[0]
    assert {"Split 2: one class", "Mean: 1.00"} <= set(legend_of(axes)) and len(axes.get_lines()) == 1 + 2
    none = figures.roc_curves({"t1": predictions([PERFECT], truth=(0, 0, 0, 0))})
    assert "No ROC" in words(none) and len(none.axes[0].get_lines()) == 1


def test_subjects_without_a_truth_are_left_out_of_the_curve():
    table = predictions([(*PERFECT, 0.5)], truth=(1, 1, 0, 0, np.nan))
    assert "Split 1: 1.00" in legend_of(figures.roc_curves({"t1": table}).axes[0])


@pytest.mark.parametrize("count", range(1, 7))
def test_a_panel_a_sequence(count):
    sequences = ["t1", "t2", "flair", "t1gd", "rcbv", "adc"][:count]
    figure = figures.roc_curves({sequence: predictions([HALF]) for sequence in sequences})
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")]
    names = ["a) T1", "b) T2", "c) FLAIR", "d) T1Gd", "e) rCBV", "f) ADC"]
    assert titles == names[:count]


def test_many_splits_are_one_legend_line():
    table = predictions([PERFECT] * 11 + [WRONG])
    labels = legend_of(figures.roc_curves({"t1": table}).axes[0])
    assert labels[0] == "12 splits:\n0.00 to 1.00" and len([label for label in labels if label.strip()]) == 3
    table.loc[table["repeat"] == 4, "truth"] = 0
    assert legend_of(figures.roc_curves({"t1": table}).axes[0])[0] == "11 of 12 splits:\n0.00 to 1.00"


def test_boxes_show_each_split():
    figure = figures.score_boxes(score_table(), panels=SCORES)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["a) Sensitivity", "b) Specificity", "c) Test accuracy", "d) Test loss"]
    sensitivity, _, accuracy, _ = figure.axes
    points = [line for line in sensitivity.get_lines() if line.get_marker() == "o"]
    assert [list(line.get_ydata()) for line in points] == [pytest.approx([0, 0.2, 0.4, 0.6, 0.8])] * 2
    assert len(sensitivity.patches) == 2
    assert [label.get_text() for label in accuracy.get_xticklabels()] == ["T1", "rCBV"]
    assert [line.get_ydata()[0] for line in accuracy.get_lines() if line.get_marker() == ">"] == pytest.approx(
        [0.74] * 2
    )


def test_boxes_show_the_papers_value_where_there_is_one():
    figure = figures.score_boxes(score_table(), panels=SCORES, published={"rcbv": {"accuracy": (0.83, 0.07)}})
    marks = [[line for line in axes.get_lines() if line.get_marker() == "D"] for axes in figure.axes]
    assert [len(lines) for lines in marks] == [0, 0, 1, 0]
    assert marks[2][0].get_ydata()[0] == 0.83 and 1 < marks[2][0].get_xdata()[0] < 1.5
    assert "paper" in words(figure) and "paper" not in words(figures.score_boxes(score_table(), panels=SCORES))


@pytest.mark.parametrize(("wild_type", "mark"), [(0.75, "always wild-type, mean"), (0.25, "always mutant, mean")])
def test_the_trivial_answer_is_that_of_the_majority(wild_type, mark):
    figure = figures.score_boxes(score_table().assign(always_wild_type=wild_type), panels=SCORES)
    accuracy = figure.axes[2]
    assert {line.get_ydata()[0] for line in accuracy.get_lines() if line.get_marker() == ">"} == {0.75}
    other = "always mutant" if "wild" in mark else "always wild-type"
    assert mark in words(figure) and other not in words(figure)


def test_every_panel_shows_its_own_score_of_every_sequence():
    names = ("sensitivity", "specificity", "accuracy", "ccel")
    table = pd.DataFrame({"sequence": ["t1", "t1", "adc", "adc"], "repeat": [0, 1, 0, 1], "split": 0})
    for n, name in enumerate(names):
        table[name] = np.array([0.1, 0.15, 0.2, 0.25]) + 0.2 * n
    figure = figures.score_boxes(table.assign(always_wild_type=[0.5, 0.7, 0.1, 0.2]), panels=SCORES)
    for n, axes in enumerate(figure.axes):
        drawn = [
            (list(line.get_xdata()), list(line.get_ydata())) for line in axes.get_lines() if line.get_marker() == "o"
        ]
        for place, (x, y) in enumerate(drawn):
            assert np.mean(x) == pytest.approx(place)
            assert y == pytest.approx([0.1 + 0.1 * place + 0.2 * n, 0.15 + 0.1 * place + 0.2 * n])
        assert len(drawn) == 2
    marks = [line for line in figure.axes[2].get_lines() if line.get_marker() == ">"]
    assert [line.get_ydata()[0] for line in marks] == pytest.approx([0.6, 0.85])


def test_whiskers_reach_over_all_splits_and_the_paper_s_bar_over_one_sd():
    table = score_table(("t1",)).assign(accuracy=[0.1, 0.8, 0.8, 0.8, 0.9])
    axes = figures.score_boxes(table, panels=SCORES, published={"t1": {"accuracy": (0.83, 0.07)}}).axes[2]
    ends = [end for line in axes.get_lines() if line.get_color() == canvas.BLUE for end in line.get_ydata()]
    assert (min(ends), max(ends)) == (0.1, 0.9)
    [bar] = [lines.get_segments()[0] for lines in axes.collections if hasattr(lines, "get_segments")]
    assert bar[:, 1] == pytest.approx([0.76, 0.90])


def test_splits_of_several_repeats_have_both_numbers():
    table = pd.DataFrame({"repeat": [1, 1, 2, 2], "split": [1, 2, 1, 2], "subject": list("abcd"), "score": range(4)})
    named = canvas.named_splits(table)
    assert [name for name, _ in named] == ["Split 1.1", "Split 1.2", "Split 2.1", "Split 2.2"]
    assert [rows["score"].tolist() for _, rows in named] == [[0], [1], [2], [3]]


def test_one_split_is_a_point_without_a_box_and_missing_scores_are_left_out():
    table = score_table(("adc",), num_splits=1).assign(sensitivity=np.nan)
    sensitivity, specificity, *_ = figures.score_boxes(table, panels=SCORES).axes
    assert not specificity.patches and specificity.get_lines()[0].get_ydata() == [0.9]
    assert len(sensitivity.get_lines()[0].get_ydata()) == 0


def test_boxes_of_one_network_stand_in_one_row_with_the_paper_s_averages():
    table, panels = score_table(("SGPNet",)).assign(dice=0.9), ("sensitivity", "specificity", "accuracy", "dice")
    figure = figures.score_boxes(table, panels=panels, published={"SGPNet": {"dice": (0.935, None)}})
    assert [axes.get_title(loc="left")[3:] for axes in figure.axes][-2:] == ["Test accuracy", "Dice coefficient"]
    assert len({round(axes.get_subplotspec().get_position(figure).y0, 6) for axes in figure.axes}) == 1
    (mark,) = [line for line in figure.axes[3].get_lines() if line.get_marker() == "D"]
    assert mark.get_ydata() == [0.935] and "paper, mean" in words(figure) and "± SD" not in words(figure)


def test_a_score_that_the_table_lacks_has_no_panel():
    table = score_table(("SGPNet",))[["sequence", "repeat", "split"]].assign(dice=0.9)
    figure = figures.score_boxes(table, panels=("sensitivity", "specificity", "accuracy", "dice"))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["a) Dice coefficient"] and "wild-type" not in words(
        figure
    )


def test_patients_right_front_is_the_pictures_upper_left():
    slices = np.full((1, 64, 64), 1.0, np.float32)
    slices[0, 60:, 60:] = 9
    slices[0, :4, 60:] = 0
    picture = pictures.slice_sheet(slices, ["p_1"], [1], sequence="t1").axes[0].get_images()[0]
    drawn = picture.get_array()
    assert (drawn[:4, :4] == 9).all() and (drawn == 9).sum() == 16
    assert drawn.mask[:4, -4:].all() and drawn.mask.sum() == 16
    left, right, bottom, top = picture.get_extent()
    axes = pictures.slice_sheet(slices, ["p_1"], [1], sequence="t1").axes[0]
    assert left < right and bottom > top and axes.yaxis_inverted() and not axes.xaxis_inverted()


def test_sheet_shows_mutants_first_and_labels_each_slice():
    figure = sheet(scores=[0.25, 0.5, 0.75])
    axes = figure.axes[0]
    texts = [text.get_text() for text in axes.texts]
    assert texts == [
        "0001\nmutant\nscore 0.50",
        "0000\nwild-type\nscore 0.25",
        "0002\nwild-type\nscore 0.75",
        "IDH-mutant (1)",
        "IDH-wild-type (2)",
    ]
    assert 'All ids begin with "phantom_"' in words(figure).replace("\n", " ")
    assert len({picture.get_clim() for picture in axes.get_images()}) == 1
    slices = np.random.default_rng(0).normal(1, 1, (3, 64, 64)).astype(np.float32)
    for text, image, n in zip(axes.texts, axes.get_images(), (1, 0, 2), strict=False):
        assert (image.get_array() == sheets.radiological(slices[n])).all()  # each above its own words
        left, right, bottom, _ = image.get_extent()
        assert left < text.get_position()[0] < right and 0 < text.get_position()[1] - bottom < 5
    assert figure.axes[1].get_xlabel() == "SD above the median of the brain"


def test_grey_window_ignores_what_lies_outside_the_mask():
    slices = np.zeros((2, 64, 64), np.float32)
    slices[:, :8, :8] = np.linspace(5, 6, 64).reshape(8, 8)
    low, high = pictures.slice_sheet(slices, ["1", "2"], [0, 1], sequence="t1").axes[0].get_images()[0].get_clim()
    assert 5 <= low < 5.02 and 5.98 < high <= 6


def test_a_large_cohort_is_thinned_evenly_and_says_so():
    figure = sheet(n=40, truth=np.arange(40) < 10, max_slices=20)
    assert len(figure.axes[0].get_images()) == 20
    text = words(figure).replace("\n", " ")
    assert "20 of 40 subjects" in text and "IDH-mutant (5 of 10)" in text and "IDH-wild-type (15 of 30)" in text


def test_unknown_labels_have_their_own_group():
    assert "IDH-unknown (1)" in words(sheet(truth=(0, 1, np.nan)))


def test_slice_read_places_mask_and_box_in_radiological_display():
    figure = read()
    whole, cut, _ = figure.axes
    rectangle = whole.patches[0]
    assert rectangle.get_xy() == (40 - 36 - 0.5, 50 - 40 - 0.5)
    assert (rectangle.get_width(), rectangle.get_height()) == (6, 20)
    outline = np.concatenate([path.vertices for path in whole.collections[0].get_paths()])
    assert np.abs(outline.min(0) - rectangle.get_xy()).max() <= 0.5
    assert whole.get_images()[0].get_array().shape == (50, 40) and cut.get_images()[0].get_array().shape == (64, 64)
    assert "p1, T1Gd\nProbability of IDH mutation 0.70 (SD 0.14, 0.60 to 0.80, 2 networks)" in words(figure)
    letters = {text.get_text(): text.get_position()[0] for text in whole.texts}  # share of the width
    assert letters["R"] < 0.1 and letters["L"] > 0.9


def test_slice_read_shows_the_patient_s_right_and_front_first_and_the_whole_window():
    image = np.arange(40)[:, None] + 100.0 * np.arange(50)
    figure = pictures.slice_read(
        image, image > 4900, ((30, 36), (20, 40)), np.ones((64, 64)), subject="a", sequence="t1", scores=[0.25]
    )
    shown = figure.axes[0].get_images()[0]
    assert shown.get_array()[0, 0] == image[-1, -1] and shown.get_array()[0, -1] == image[0, -1]
    assert shown.get_clim() == pytest.approx(tuple(np.percentile(image, (1, 99.5))))
    assert "Probability of IDH mutation 0.25" in words(figure) and "networks" not in words(figure)


@pytest.mark.parametrize(
    "draw",
    [
        lambda **keywords: figures.roc_curves({"t1": predictions([HALF])}, **keywords),
        lambda **keywords: figures.score_boxes(score_table(), panels=SCORES, **keywords),
        lambda **keywords: learning_curves(history(), title="T1", panels=LOGS, **keywords),
        sheet,
        read,
    ],
    ids=["roc", "boxes", "learning", "sheet", "read"],
)
def test_phantoms_are_called_phantoms_on_the_figure(draw):
    assert NOTE in words(draw(synthetic=True))
    assert NOTE not in words(draw(synthetic=False))


def test_saved_files_open_and_repeat_byte_by_byte(tmp_path):
    figure = figures.roc_curves({"t1": predictions([HALF, PERFECT])}, synthetic=True)
    png, svg = canvas.save_figure(figure, tmp_path / "new" / "figures", "roc")
    width, height = figure.get_size_inches()
    assert imread(png).shape[:2] == pytest.approx((200 * height, 200 * width), abs=1)
    assert svg.read_text().lstrip().startswith("<?xml") and "<dc:date>" not in svg.read_text()
    first = png.read_bytes(), svg.read_bytes()
    assert canvas.save_figure(figure, tmp_path / "new" / "figures", "roc") == (png, svg)
    assert (png.read_bytes(), svg.read_bytes()) == first
    again = figures.roc_curves({"t1": predictions([HALF, PERFECT])}, synthetic=True)
    other = canvas.save_figure(again, tmp_path, "other")
    assert tuple(path.read_bytes() for path in other) == first
    assert sorted(path.name for path in png.parent.iterdir()) == ["roc.png", "roc.svg"]


def test_a_failed_save_leaves_the_former_file_whole(tmp_path):
    png, _ = canvas.save_figure(sheet(), tmp_path, "slices")
    former, broken = png.read_bytes(), sheet()
    broken.savefig = lambda partial, **_: (partial.write_bytes(b"half"), 1 / 0)
    with pytest.raises(ZeroDivisionError):
        canvas.save_figure(broken, tmp_path, "slices")
    assert png.read_bytes() == former and len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.roc_curves(
            {s: predictions([HALF] * 5) for s in ("t1", "t2", "adc")}, published={"t1": (0.71, 0.23)}
        ),
        lambda: figures.score_boxes(score_table(), panels=SCORES),
        lambda: learning_curves(history(), title="rCBV", panels=LOGS, synthetic=True),
        lambda: learning_curves(joint_history(), title="SGPNet", panels=["dice_loss"], synthetic=True),
        lambda: figures.score_boxes(
            score_table(("SGPNet",)).assign(dice=0.9), panels=["accuracy", "dice"], synthetic=True
        ),
        lambda: sheet(n=30, truth=[1, 0] * 15, scores=np.linspace(0, 1, 30), synthetic=True),
        lambda: read(synthetic=True),
    ],
    ids=["roc", "boxes", "learning", "one curve", "two boxes", "sheet", "read"],
)
@pytest.mark.integration
def test_letters_are_seven_points_or_more_and_inside_the_picture(draw):
    figure = draw()
    figure.draw_without_rendering()
    texts = [text for text in figure.findobj(Text) if text.get_text().strip()]
    assert min(text.get_fontsize() for text in texts) >= 7
    extent = figure.get_tightbbox()
    assert extent.x0 >= -0.01 and extent.y0 >= -0.01
    width, height = figure.get_size_inches()
    assert extent.x1 <= width + 0.01 and extent.y1 <= height + 0.01
