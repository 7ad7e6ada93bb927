"""The picture of how the head moves within a series."""

import pytest
from matplotlib.text import Text

from glioma_idh.reporting.figures.patient_checks import head_motion_check


@pytest.fixture
def figure():
    series = {"DWI": [0, 0.2, 0.1], "DSC": [0.1] * 10 + [2.5] * 50}
    return head_motion_check(series, 0.5, subject="p1", synthetic=True)


def test_what_is_drawn_is_what_was_found_on_one_scale(figure):
    dwi, dsc = figure.axes
    assert dwi.lines[0].get_ydata().tolist() == [0, 0.2, 0.1] and dwi.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert dsc.lines[0].get_ydata().max() == 2.5
    assert dwi.get_ylim() == dsc.get_ylim() == (0, 2.75)
    assert dwi.lines[1].get_ydata()[0] == dsc.lines[1].get_ydata()[0] == 0.5


def test_words_say_what_was_done(figure):
    words = [text.get_text() for text in figure.findobj(Text)]
    assert {"DWI, not corrected", "DSC, corrected", "p1: head motion within a series"} <= set(words)
    assert any("Synthetic phantom" in word for word in words)


def test_one_series_alone():
    (axes,) = head_motion_check({"DSC": [0.0, 0.1]}, 0.5, subject="p1").axes
    assert axes.get_ylabel() == "Displacement (mm)" and axes.get_ylim()[1] > 1


def test_a_series_that_moves_just_so_far_was_held_still_and_one_that_moves_less_was_not():
    at, below = head_motion_check({"DWI": [0.0, 0.5], "DSC": [0.0, 0.49]}, 0.5, subject="p1").axes
    assert at.get_title(loc="left") == "DWI, corrected" and below.get_title(loc="left") == "DSC, not corrected"
    assert at.lines[0].get_color() != below.lines[0].get_color()
    assert at.get_xlabel() == "Volume" and at.texts[0].get_text() == "0.5 mm"
