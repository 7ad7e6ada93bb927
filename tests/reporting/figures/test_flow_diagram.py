"""The flow of subjects, whose numbers are known."""

from itertools import pairwise

import pytest
from matplotlib.patches import Rectangle

from glioma_idh.reporting.figures.flow_diagram import flow_diagram, flow_diagram_alt
from tests.reporting.figures.test_performance import check_letters, texts_of

COUNTS = {
    "found": 167,
    "excluded": {"no scan in column t1": 40, "IDH status unknown": 6},
    "used": 121,
    "mutant": 56,
    "wild_type": 60,
    "unlabelled": 5,
    "tested": 110,
    "never_tested": 6,
}


def lines_of(figure):
    return [text.get_text() for text in texts_of(figure)]


def test_boxes_hold_the_numbers_from_above():
    figure = flow_diagram(COUNTS, synthetic=True)
    assert lines_of(figure)[:-1] == [
        "Subjects found: 167",
        "Excluded: 46",
        "40: no scan in column t1",
        "6: IDH status unknown",
        "Used: 121",
        "IDH-mutant: 56",
        "IDH-wild-type: 60",
        "IDH status unknown: 5",
        "Never in a test set: 6",
        "Tested: 110",
    ]
    check_letters(figure, synthetic=True)


def test_words_lie_in_their_boxes_and_boxes_apart():
    figure = flow_diagram(
        COUNTS | {"excluded": {"NO SCAN IN COLUMN T1; FOUND " * 4: 40, "/scans/BraTS20_Training_" * 5: 6}}
    )
    check_letters(figure)
    boxes = [patch.get_window_extent() for patch in figure.axes[0].patches if type(patch) is Rectangle]
    for text in figure.axes[0].texts:
        extent = text.get_window_extent()
        holding = [box for box in boxes if box.y0 <= extent.y0 and extent.y1 <= box.y1]
        assert not text.get_text() or (len(holding) == 1 and holding[0].x0 < extent.x0 and extent.x1 < holding[0].x1)
    assert all(upper.y0 > lower.y1 for upper, lower in pairwise(boxes))


def test_many_reasons_are_counted_together_and_several_of_one_subject_said():
    excluded = {f"reason {number}": 20 - number for number in range(15)}
    lines = lines_of(flow_diagram(COUNTS | {"excluded": excluded}))
    assert lines[2:5] == ["20: reason 0", "19: reason 1", "18: reason 2"] and lines[13] == "9: reason 11"
    assert lines[14:16] == ["21: 3 other reasons", "A subject may have several reasons."]  # 8 + 7 + 6


def test_nobody_excluded():
    lines = lines_of(flow_diagram(COUNTS | {"found": 121, "excluded": {}}))
    assert lines[1:3] == ["Excluded: 0", "Used: 121"]


def test_more_used_than_found_is_an_error():
    with pytest.raises(ValueError, match="no more used than found; found 121 used and 120 found"):
        flow_diagram(COUNTS | {"found": 120})


def test_flow_in_words():
    assert flow_diagram_alt(COUNTS) == (
        "Flow of subjects. Found: 167. Excluded: 46 (40: no scan in column t1; 6: IDH status unknown). Used: 121 (56 "
        "IDH-mutant, 60 IDH-wild-type, 5 with unknown IDH status). Tested: 110. Never in a test set: 6."
    )
