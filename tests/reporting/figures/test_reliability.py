"""Reliability diagrams of scores whose calibration is known."""

import numpy as np
import pytest

from glioma_idh.evaluation.calibration import calibration_scores, reliability_curve
from glioma_idh.reporting.figures.performance import reliability_diagram, reliability_diagram_alt
from tests.reporting.figures.test_performance import check_letters, legend_of, words

REASON = "cannot be computed, because outside the test set of repeat 0, split 0, there is but one class"
NONE = {"value": None, "low": None, "high": None, "reason": REASON}


def estimate(value, low, high):
    return {"value": value, "low": low, "high": high, "reason": ""}


def bin_row(n, events, low, high, mean_score, from_score):
    row = {"from_score": from_score, "to_score": from_score + 0.1, "n": n, "events": events}
    return row | {"mean_score": mean_score, "observed": events / n, "low": low, "high": high}


BEFORE = [bin_row(10, 2, 0.06, 0.51, 0.15, 0.1), bin_row(30, 27, 0.74, 0.97, 0.95, 0.9)]
SCALED = [bin_row(40, 29, 0.57, 0.84, 0.72, 0.7)]
CURVES = {"before": BEFORE, "temperature": SCALED, "platt": {"reason": REASON}}
SCORES = {
    "before": {"slope": estimate(0.49, 0.33, 0.66), "intercept": estimate(-0.06, -0.52, 0.4), "ece": 0.141},
    "temperature": {"slope": estimate(0.97, 0.64, 1.3), "intercept": NONE | {"value": 0.02, "reason": ""}, "ece": 0.1},
    "platt": {"reason": REASON},
}


def evaluated(truth, score):
    """Curves and scores as the evaluation gives them, before scaling alone."""
    scores = calibration_scores(truth, score)
    scores |= {name: scores[name]._asdict() for name in ("slope", "intercept", "in_the_large")}
    without = {name: {"reason": REASON} for name in ("temperature", "platt")}
    return {"before": reliability_curve(truth, score).to_dict("records")} | without, {"before": scores} | without


def test_points_bars_and_counts():
    upper, lower = reliability_diagram(CURVES, SCORES).axes
    curves = [(tuple(line.get_xdata()), tuple(line.get_ydata())) for line in upper.get_lines()]
    assert curves[:3] == [((0, 1), (0, 1)), ((0.72,), (29 / 40,)), ((0.15, 0.95), (0.2, 0.9))]
    bars = next(lines for lines in upper.collections if hasattr(lines, "get_segments"))
    ends = np.array([[0.15, 0.06], [0.15, 0.51], [0.95, 0.74], [0.95, 0.97]]).reshape(2, 2, 2)
    assert np.array(bars.get_segments()) == pytest.approx(ends)
    assert [bar.get_height() for bar in lower.patches] == [10, 30, 2, 27]
    assert [text.get_text() for text in lower.texts] == ["10", "30"]
    assert [bar.get_x() for bar in lower.patches] == [0.1, 0.9, 0.1, 0.9]
    assert [bar.get_width() for bar in lower.patches] == pytest.approx([0.1] * 4)
    assert [bool(bar.get_hatch()) for bar in lower.patches] == [False, False, True, True]  # hatched: IDH-mutant
    names = [upper.get_ylabel(), lower.get_xlabel(), lower.get_ylabel()]
    assert names == ["Observed proportion of IDH-mutant patients", "Predicted probability of IDH mutation", "Patients"]


def test_curves_look_as_their_names_in_the_legend():
    figure = reliability_diagram(CURVES, SCORES)
    upper, lower = figure.axes
    legend = lower.get_legend()
    looks = {
        text.get_text(): line.get_color() for text, line in zip(legend.get_texts(), legend.get_lines(), strict=True)
    }
    colours = [line.get_color() for line in upper.get_lines()[1:3]]
    assert colours == [looks["Temperature scaling"], looks["Before recalibration"]]
    bars = [lines for lines in upper.collections if hasattr(lines, "get_segments")]
    assert len(bars) == 1  # only the network's own scores have intervals


def test_legend_is_a_table_and_reasons_stand_below():
    figure = reliability_diagram(CURVES, SCORES, synthetic=True)
    columns = np.reshape(legend_of(figure.axes[1]), (4, 4)).T.tolist()
    assert columns == [
        [" ", "Slope", "Intercept", "ECE"],
        ["Before recalibration", "0.49 (0.33 to 0.66)", "-0.06 (-0.52 to 0.40)", "0.14"],
        ["Temperature scaling", "0.97 (0.64 to 1.30)", "0.02", "0.10"],
        ["Platt scaling", "-", "-", "-"],
    ]
    assert f"Platt scaling: {REASON}." in words(figure)
    check_letters(figure, synthetic=True)


def test_numbers_in_words():
    assert reliability_diagram_alt(CURVES, SCORES) == (
        "Reliability diagram of 40 patients: observed proportion of IDH-mutant patients by score. Before "
        "recalibration: slope 0.49 (0.33 to "
        "0.66), intercept -0.06 (-0.52 to 0.40), expected calibration error 0.14. Temperature scaling: slope 0.97 "
        f"(0.64 to 1.30), intercept 0.02, expected calibration error 0.10. Platt scaling: {REASON}."
    )


def test_an_interval_that_is_too_wide_is_not_printed():
    wide = {"slope": estimate(2.63, -1285.62, 1290.87), "intercept": estimate(0.1, -0.2, 0.4), "ece": 0.1}
    words = reliability_diagram_alt(CURVES, SCORES | {"temperature": wide})
    assert "Temperature scaling: slope 2.63, intercept 0.10 (-0.20 to 0.40), expected" in words
    assert "Temperature scaling: a missing interval cannot be estimated, because there are too few patients" in words


def test_a_slope_that_cannot_be_computed_is_said():
    curves, scores = evaluated([0, 0, 1], [0.1, 0.2, 0.9])
    figure, reason = reliability_diagram(curves, scores), "because the scores of the classes do not overlap."
    sentence = f"Before recalibration: slope and intercept cannot be computed, {reason}"
    assert sentence in words(figure) and sentence in reliability_diagram_alt(curves, scores)


@pytest.mark.parametrize("num_patients", [1, 2, 10000])
@pytest.mark.integration
def test_letters_of_few_and_many_patients(num_patients):
    score = np.linspace(0, 1, num_patients)
    check_letters(reliability_diagram(*evaluated(np.arange(num_patients) % 2, score)))
