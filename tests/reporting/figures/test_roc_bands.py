"""ROC curves with bands whose content is known: the numbers in the legend, the lines, the points."""

import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from sklearn.metrics import auc

from glioma_idh.evaluation.bootstrap import roc_band
from glioma_idh.reporting.figures.roc_and_boxes import BAND_RATES, roc_with_bands

NOTE = "Synthetic phantom cohort: no clinical result"
TRUTH = np.repeat([1, 0], [9, 11])
MUTANTS = (0.7, 0.9, 0.4, 0.6, 0.6, 0.2, 0.5, 0.5, 0.8)
WILD_TYPES = (0.3, 0.2, 0.6, 0.6, 0.1, 0.7, 0.4, 0.5, 0.9, 0.2, 0.3)


def table(score, truth=TRUTH):
    """A predictions table of the columns that the curves read."""
    return pd.DataFrame({"patient": [f"p{number}" for number in range(len(truth))], "truth": truth, "score": score})


PERFECT, TIED = table(TRUTH), table(MUTANTS + WILD_TYPES)


def legend_of(figure):
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def words(figure):
    return "\n".join(text.get_text() for text in figure.findobj(Text)).replace("\n", " ")


def curve(figure, label):
    return next(line for line in figure.axes[0].get_lines() if line.get_label().startswith(label))


def test_legend_has_the_pooled_auc_and_its_interval():
    """DeLong's interval in R's pROC is 0.42667 to 0.91676; the same standard error on the logit scale by hand."""
    area, error = 66.5 / 99, (0.91676 - 0.42667) / 2 / 1.959964
    middle, half = math.log(area / (1 - area)), 1.959964 * error / (area * (1 - area))
    ends = [1 / (1 + math.exp(-end)) for end in (middle - half, middle + half)]
    assert [f"{end:.2f}" for end in ends] == ["0.40", "0.86"]
    figure = roc_with_bands({"SGPNet": PERFECT, "SGPNet, IDH only": TIED}, published={"SGPNet": 0.949})
    assert legend_of(figure) == [
        "SGPNet: pooled AUC 1.00, paper 0.95",
        "SGPNet, IDH only: pooled AUC 0.67 (0.40 to 0.86)",
    ]
    names = figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()
    assert names == ("1 - specificity", "Sensitivity")
    assert "IDH-mutant: 9 of 20 patients." in words(figure) and "2000 stratified bootstrap resamples" in words(figure)


def test_curves_are_those_of_the_pooled_patients():
    seeds = pd.concat([TIED.assign(score=TIED["score"] + shift) for shift in (-0.1, 0.1)])
    for figure in (roc_with_bands({"a": TIED}), roc_with_bands({"a": seeds})):
        rates, sensitivities = curve(figure, "a").get_data()
        assert (rates[0], sensitivities[0]) == (0, 0) and (rates[-1], sensitivities[-1]) == (1, 1)
        assert auc(rates, sensitivities) == pytest.approx(0.671717171717)
    assert (curve(roc_with_bands({"a": PERFECT}), "a").get_ydata()[1:] == 1).all()


def test_each_curve_has_its_own_patients_and_paper():
    figure = roc_with_bands({"a": TIED, "b": PERFECT}, published={"b": 0.949})
    assert legend_of(figure) == ["a: pooled AUC 0.67 (0.40 to 0.86)", "b: pooled AUC 1.00, paper 0.95"]
    # the highest score, 0.9, is that of one of 9 mutants and of one of 11 wild-types
    assert curve(figure, "a").get_xydata()[1] == pytest.approx([1 / 11, 1 / 9])
    assert curve(figure, "b").get_xydata()[1] == pytest.approx([0, 1])


def test_band_is_drawn_from_its_lower_to_its_upper_edge():
    figure = roc_with_bands({"a": TIED}, seed=3)
    low, high = roc_band(TIED["truth"], TIED["score"], BAND_RATES, seed=3)
    edges = [line.get_ydata() for line in figure.axes[0].get_lines() if len(line.get_xdata()) == len(BAND_RATES)]
    assert np.array_equal(edges, [low, high])
    corners = figure.axes[0].collections[0].get_paths()[0].vertices
    assert {tuple(point) for point in np.transpose([BAND_RATES, high])} <= {tuple(point) for point in corners}


def test_marks_stand_where_they_were_put():
    figure = roc_with_bands({"a": TIED}, marks={"Tumour grade alone": (0.25, 0.875), "Age": (0.5, 0.5)})
    point = curve(figure, "Tumour grade alone")
    assert (point.get_xdata(), point.get_ydata(), point.get_marker()) == ([0.25], [0.875], "D")
    assert legend_of(figure)[1] == "Tumour grade alone: sensitivity 0.88, specificity 0.75"
    assert curve(figure, "Age").get_marker() != "D"


def test_curves_differ_in_colour_and_dashes():
    lines = roc_with_bands({name: TIED for name in "abcde"}).axes[0].get_legend().get_lines()
    assert len({line.get_color() for line in lines}) == len({str(line._dash_pattern) for line in lines}) == 5


def test_a_table_of_one_class_is_named_and_not_drawn():
    figure = roc_with_bands({"a": table(TRUTH, np.zeros(20)), "b": TIED})
    assert legend_of(figure)[0] == "a: one class only" and len(figure.axes[0].collections) == 1
    assert "0 of 20 and 9 of 20 patients" in words(figure)


def test_patients_without_a_truth_or_a_score_are_left_out():
    unknown = pd.concat([TIED, table([0.5, np.nan], [np.nan, 1]).assign(patient=["x", "y"])])
    assert legend_of(roc_with_bands({"a": unknown})) == legend_of(roc_with_bands({"a": TIED}))


def test_more_curves_than_can_be_told_apart_are_an_error():
    with pytest.raises(ValueError, match=r"at most 5 networks and 5 marks; found 6 and 0"):
        roc_with_bands({name: TIED for name in "abcdef"})


@pytest.mark.parametrize(
    "num_curves, num_marks, synthetic",
    [(1, 0, False), (2, 1, True), (3, 1, False), (5, 5, True)],
)
@pytest.mark.integration
def test_letters_are_seven_points_or_more_inside_the_picture_and_apart(num_curves, num_marks, synthetic):
    tables = {f"SGPNet, random masks {number}": TIED for number in range(num_curves)}
    marks = {f"Tumour grade alone {number}": (0.25, 0.875) for number in range(num_marks)}
    figure = roc_with_bands(tables, marks=marks, synthetic=synthetic)
    figure.draw_without_rendering()
    assert (NOTE in words(figure)) == synthetic
    texts = [text for text in figure.findobj(Text) if text.get_text().strip()]
    assert min(text.get_fontsize() for text in texts) >= 7
    extent, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert extent.x0 >= -0.01 and extent.y0 >= -0.01
    assert extent.x1 <= width + 0.01 and extent.y1 <= height + 0.01
    note = next(text for text in texts if "stratified" in text.get_text()).get_window_extent().y1
    gap = (figure.axes[0].get_legend().get_window_extent().y0 - note) / figure.dpi
    assert 0 < gap < 0.35  # inches
