"""Figures of the performance of scores, whose numbers were worked out by hand."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from glioma_idh.evaluation.bootstrap import precision_recall_band
from glioma_idh.evaluation.thresholds import decision_curve
from glioma_idh.reporting.figures import performance as draw

NOTE = "Synthetic phantom cohort: no clinical result"
TRUTH, SCORE = (1, 0, 1, 0), (0.9, 0.8, 0.7, 0.1)  # average precision 1/2 · 1 + 1/2 · 2/3
NO_THRESHOLD = "cannot be computed, because only 1 mutant and 5 wild-type patients are left outside the test set"
RATES = {
    "0.5": {"confusion": {"tp": 43, "fp": 13, "tn": 52, "fn": 13}},
    "youden": {"confusion": {"tp": 0, "fp": 1, "tn": 2, "fn": 0}},
    "sensitivity 0.9": {"confusion": {"reason": NO_THRESHOLD}},
}


def table(score=SCORE, truth=TRUTH):
    """A predictions table of the columns that the curve reads."""
    return pd.DataFrame({"patient": [f"p{number}" for number in range(len(truth))], "truth": truth, "score": score})


def texts_of(figure):
    """Every text that shows."""
    return [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]


def words(figure):
    """All texts of a figure in one."""
    return "\n".join(text.get_text() for text in texts_of(figure)).replace("\n", " ")


def legend_of(axes):
    """The words of a legend."""
    return [text.get_text() for text in axes.get_legend().get_texts()]


def check_letters(figure, synthetic=False):
    """Letters of seven points or more, inside the picture, none on another; phantoms are marked."""
    figure.draw_without_rendering()
    texts = texts_of(figure)
    assert (NOTE in words(figure)) == synthetic
    assert min(text.get_fontsize() for text in texts) >= 7
    extent, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert extent.x0 >= -0.01 and extent.y0 >= -0.01
    assert extent.x1 <= width + 0.01 and extent.y1 <= height + 0.01
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    for (one, box), (other, other_box) in combinations(boxes, 2):
        across = min(box.x1, other_box.x1) - max(box.x0, other_box.x0)
        up = min(box.y1, other_box.y1) - max(box.y0, other_box.y0)
        assert min(across, up) <= 1.5, f"{one!r} lies on {other!r}"  # pixels


def test_precision_is_drawn_as_the_staircase_whose_area_is_the_average_precision():
    axes = draw.precision_recall_curve(table()).axes[0]
    curve, chance = axes.get_lines()
    recalls, precisions = curve.get_data()
    assert recalls == pytest.approx([0, 0.5, 1]) and precisions == pytest.approx([1, 1, 2 / 3])
    assert np.sum(np.diff(recalls) * precisions[1:]) == pytest.approx(5 / 6) and curve.get_drawstyle() == "steps-pre"
    assert list(chance.get_ydata()) == [0.5, 0.5]
    assert legend_of(axes)[0].startswith("Network: average precision 0.83 (")
    assert legend_of(axes)[1] == "All predicted mutant: precision 0.50"
    assert axes.get_xlabel().startswith("Recall") and axes.get_ylabel().startswith("Precision")


def test_mutants_and_their_share_are_counted_not_wild_types():
    figure = draw.precision_recall_curve(table(truth=(1, 0, 0, 0)))
    _, chance = figure.axes[0].get_lines()
    assert list(chance.get_ydata()) == [0.25, 0.25] and "1 of 4 patients IDH-mutant." in words(figure)
    assert legend_of(figure.axes[0])[1] == "All predicted mutant: precision 0.25"


def test_band_of_precision_is_drawn_from_its_lower_to_its_upper_edge():
    truth, score = np.tile(TRUTH, 5), np.random.default_rng(0).random(20)
    corners = draw.precision_recall_curve(table(score, truth)).axes[0].collections[0].get_paths()[0].vertices
    corners = {tuple(point) for point in corners}
    for edge in precision_recall_band(truth, score, draw.RECALLS):
        assert {tuple(point) for point in np.transpose([draw.RECALLS, edge])} <= corners


def test_average_precision_of_the_report_is_the_one_that_stands_there():
    area = {"value": 0.8333, "low": 0.5, "high": 1.0, "reason": ""}
    axes = draw.precision_recall_curve(table(), average_precision=area).axes[0]
    assert legend_of(axes)[0] == "Network: average precision 0.83 (0.50 to 1.00)"
    assert draw.precision_recall_curve_alt(table(), average_precision=area) == (
        "Precision-recall curve. Average precision 0.83 (0.50 to 1.00); predicting all patients as mutant has a "
        "precision of "
        "0.50. 2 of 4 patients IDH-mutant."
    )


def test_patients_of_several_tests_and_without_a_truth_or_a_score():
    twice = pd.concat([table(np.add(SCORE, 0.1)), table(np.subtract(SCORE, 0.1))])
    unknown = table((0.5, np.nan), (np.nan, 1)).assign(patient=["x", "y"])
    once, more = (draw.precision_recall_curve_alt(rows) for rows in (table(), pd.concat([twice, unknown])))
    assert once == more


@pytest.mark.parametrize("truth", [0, 1])
def test_one_class_has_no_precision_recall_curve(truth):
    figure = draw.precision_recall_curve(table(truth=[truth] * 4), synthetic=True)
    assert draw.ONE_CLASS in words(figure) and not figure.axes[0].get_lines()
    assert draw.ONE_CLASS in draw.precision_recall_curve_alt(table(truth=[truth] * 4))
    check_letters(figure, synthetic=True)


def test_one_mutant_has_a_curve_without_band_and_the_reason():
    figure = draw.precision_recall_curve(table(truth=(0, 1, 0, 0)))
    reason = "Network: average precision 0.50 (interval cannot be computed, because a class has only one patient)"
    assert reason in words(figure) and "Band" not in words(figure)
    check_letters(figure)


def test_net_benefit_by_hand():
    curve = decision_curve(TRUTH, SCORE, [0.5, 0.75]).to_dict("records")
    axes = draw.decision_curve_figure(curve).axes[0]
    network, treat_all, treat_none = (list(line.get_ydata()) for line in axes.get_lines())
    assert network == pytest.approx([2 / 4 - 1 / 4, 1 / 4 - 3 / 4]) and treat_all == pytest.approx([0, 0.5 - 3 * 0.5])
    assert treat_none == [0, 0]
    assert {tuple(line.get_xdata()) for line in axes.get_lines()} == {(0.5, 0.75)}
    assert legend_of(axes)[1:] == ["All patients treated as IDH-mutant", "No patient treated as IDH-mutant"]
    assert axes.get_xlabel().startswith("Threshold") and axes.get_ylabel() == "Net benefit"
    assert legend_of(axes)[0] == "Network" and len({str(line._dash_pattern) for line in axes.get_lines()}) == 3
    assert axes.get_ylim() == pytest.approx((-0.35 * 0.25, 1.06 * 0.25))
    assert "Network 0.25, All patients treated as IDH-mutant 0.00," in draw.decision_curve_figure_alt(curve)


@pytest.mark.parametrize(
    "network, where",
    [
        ([0.3, 0.3, 0.1, 0.3, 0.3, 0.3], "the highest net benefit: from 0.40 to 0.60."),
        ([0.2] * 5 + [0.2 + 1e-12], "At no threshold does the network have the highest net benefit."),
    ],
)
def test_longest_stretch_of_thresholds_at_which_the_network_is_best(network, where):
    thresholds = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    curve = [
        {"threshold": threshold, "network": benefit, "treat_all": 0.2, "treat_none": 0.0}
        for threshold, benefit in zip(thresholds, network, strict=True)
    ]
    figure = draw.decision_curve_figure(curve, synthetic=True)
    assert where in words(figure) and where in draw.decision_curve_figure_alt(curve)
    check_letters(figure, synthetic=True)


def test_a_network_that_does_more_good_than_treating_all_and_less_than_treating_none_is_not_best():
    row = {"threshold": 0.6, "network": -0.1, "treat_all": -0.5, "treat_none": 0.0}
    assert "At no threshold does the network have the highest net benefit." in draw.decision_curve_figure_alt([row])
    assert "the highest net benefit: from 0.60 to 0.60." in draw.decision_curve_figure_alt([row | {"network": 0.1}])


@pytest.mark.parametrize("truth, score", [((0, 0), (0.1, 0.9)), ((1, 1), (0.1, 0.9)), ((1,), (1.0,))])
def test_decision_curve_of_one_class(truth, score):
    figure = draw.decision_curve_figure(decision_curve(truth, score).to_dict("records"))
    low, high = figure.axes[0].get_ylim()
    assert low < 0 < high <= 1.1
    check_letters(figure)


def test_confusion_counts_and_shares_of_the_row():
    figure = draw.confusion_matrices(RATES, synthetic=True)
    first, second, third = figure.axes
    cells = {text.get_text(): text.get_position() for text in first.texts}
    assert [text.get_text() for text in first.texts] == ["43", "77 %", "13", "23 %", "13", "20 %", "52", "80 %"]
    assert cells["43"][0] == 0 and cells["52"][0] == 1 and cells["43"][1] < 0.5 < cells["52"][1]
    places = [text.get_position()[0] for text in first.texts if text.get_text() in ("13", "23 %", "20 %")]
    assert places == [1, 1, 0, 0]  # 13 mutants called wild-type; 13 wild-types, 20 %, called mutant
    for ticks in (first.get_xticklabels(), first.get_yticklabels()):
        assert [tick.get_text() for tick in ticks] == ["IDH-mutant", "wild-type"]
    assert (first.get_xlabel(), first.get_ylabel()) == ("Prediction of the network", "Reference standard")
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["a) Threshold 0.5", "b) Youden threshold", "c) Target sensitivity 0.9"]
    shares = np.asarray(first.images[0].get_array())
    assert shares == pytest.approx(np.array([[43 / 56, 13 / 56], [13 / 65, 52 / 65]]))
    assert [text.get_text() for text in second.texts] == [
        "0",
        "no patient",
        "0",
        "no patient",
        "1",
        "33 %",
        "2",
        "67 %",
    ]
    assert third.texts[0].get_text().replace("\n", " ") == NO_THRESHOLD and not third.images
    check_letters(figure, synthetic=True)


def test_confusion_in_words():
    assert draw.confusion_matrices_alt(RATES) == (
        "Confusion matrices. Threshold 0.5: 43 of 56 IDH-mutant and 52 of 65 IDH-wild-type patients predicted "
        "correctly. Youden threshold: 0 of 0 IDH-mutant and 2 of 3 IDH-wild-type patients predicted correctly. "
        f"Target sensitivity 0.9: {NO_THRESHOLD}."
    )


def test_one_confusion_matrix_of_many_patients():
    check_letters(draw.confusion_matrices({"0.5": {"confusion": {"tp": 10000, "fp": 123456, "tn": 654321, "fn": 1}}}))


@pytest.mark.parametrize("num_patients", [4, 400])
@pytest.mark.integration
def test_letters_of_the_curve(num_patients):
    truth = np.resize(TRUTH, num_patients)
    check_letters(draw.precision_recall_curve(table(np.random.default_rng(0).random(num_patients), truth)))
