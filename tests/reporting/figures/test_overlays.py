"""Outlines where the lesions are, the slices through their centre, the right way up, and that it can be read."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

from glioma_idh.reporting.figures.canvas import VERMILLION
from glioma_idh.reporting.figures.cases import Case, choose_by_dice, grey_window, head_line, lesion_centre
from glioma_idh.reporting.figures.overlays import OUTLINES, best_median_worst, lesion_overlay

NOTE = "Synthetic phantom cohort: no clinical result"
SHAPE, SPACING = (20, 30, 16), (1.0, 1.0, 2.0)
TITLE = "BraTS20_Training_295 (IDH-wild-type): probability of IDH mutation 0.83 (sd 0.05, 5 networks), lesion 42 ml"


def images(sequences=("flair", "t1", "t1gd", "t2")):
    """Every voxel holds 1 + i + 100 j + 10000 k, so that each says where it is."""
    i, j, k = np.indices(SHAPE)
    return {name: (1 + i + 100 * j + 10000 * k).astype(np.float32) for name in sequences}


def block(*sides):
    mask = np.zeros(SHAPE, bool)
    mask[tuple(slice(*side) for side in sides)] = True
    return mask


REFERENCE, PREDICTED = block((12, 17), (20, 27), (5, 8)), block((13, 16), (20, 27), (5, 8))


def overlay(reference=REFERENCE, predicted=PREDICTED, sequences=("flair", "t1", "t1gd", "t2"), **keywords):
    case = Case(images(sequences), reference, predicted, SPACING, keywords.pop("title", TITLE))
    return lesion_overlay(case, **keywords)


def texts(figure):
    return [text for text in figure.findobj(Text) if text.get_text().strip()]


def words(figure):
    return " ".join(text.get_text() for text in texts(figure)).replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ")


def outlines(axes, name):
    """Corners (left, top, right, bottom) of the outlines in a colour."""
    drawn = [c for c in axes.collections if to_hex(c.get_edgecolor()[0]) == OUTLINES[name][1].lower()]
    points = [np.concatenate([path.vertices for path in c.get_paths()]) for c in drawn]
    return [(*p.min(axis=0), *p.max(axis=0)) for p in points]


def test_rows_are_planes_through_the_centre_and_columns_sequences():
    axes = overlay().axes[0]
    labels = [text.get_text() for text in axes.texts]
    assert [label for label in labels if "=" in label] == ["Axial, k = 6", "Coronal, j = 23", "Sagittal, i = 14"]
    assert labels[-4:] == ["T1", "T1Gd", "T2", "FLAIR"] and len(axes.get_images()) == 12
    axial, coronal, sagittal = (axes.get_images()[n].get_array() for n in (0, 4, 8))
    assert (axial.shape, coronal.shape, sagittal.shape) == ((30, 20), (16, 20), (16, 30))
    # upper left: the patient's right, front; right, top; front, top
    assert axial[0, 0] == 1 + 19 + 2900 + 60000 and axial[-1, -1] == 1 + 60000
    assert coronal[0, 0] == 1 + 19 + 2300 + 150000 and coronal[-1, 0] == 1 + 19 + 2300
    assert sagittal[0, 0] == 1 + 14 + 2900 + 150000 and sagittal[0, -1] == 1 + 14 + 150000


def test_outlines_run_round_the_marked_voxels_in_true_size():
    axes = overlay().axes[0]
    left, right, bottom, top = axes.get_images()[0].get_extent()
    mm = (right - left) / 20
    assert (bottom - top) / 30 == pytest.approx(mm)
    expected = left + 3 * mm, top + 3 * mm, left + 8 * mm, top + 10 * mm  # 20 - 17 and 30 - 27 voxels from the corner
    assert outlines(axes, "reference")[0] == pytest.approx(expected)
    assert outlines(axes, "predicted")[0] == pytest.approx((left + 4 * mm, top + 3 * mm, left + 7 * mm, top + 10 * mm))
    left, right, bottom, top = axes.get_images()[8].get_extent()
    assert (right - left) / 30 == pytest.approx(mm) and (bottom - top) / 16 == pytest.approx(2 * mm)
    expected = left + 3 * mm, top + 16 * mm, left + 10 * mm, top + 22 * mm
    assert outlines(axes, "reference")[8] == pytest.approx(expected)


def test_letters_stand_on_the_side_that_they_name():
    axes = overlay().axes[0]
    for n, (first, last) in ((0, "RL"), (4, "RL"), (8, "AP")):  # axial, coronal, sagittal
        ground = axes.patches[n]
        left, right = ground.get_x(), ground.get_x() + ground.get_width()
        low, high = ground.get_y(), ground.get_y() + ground.get_height()
        inside = {
            text.get_text(): text.get_position()[0]
            for text in axes.texts
            if left < text.get_position()[0] < right and low < text.get_position()[1] < high
        }
        assert inside[first] < (left + right) / 2 < inside[last]


def test_each_column_shows_the_sequence_that_it_is_named_after():
    scans = {name: scan + 10**6 * n for n, (name, scan) in enumerate(images().items())}
    axes = lesion_overlay(Case(scans, REFERENCE, None, SPACING, TITLE)).axes[0]
    names = {
        text.get_text(): text.get_position()[0]
        for text in axes.texts
        if text.get_text() in ("T1", "T1Gd", "T2", "FLAIR")
    }
    for n, name in enumerate(("t1", "t1gd", "t2", "flair")):
        left, right, *_ = axes.get_images()[n].get_extent()
        assert axes.get_images()[n].get_array()[0, 0] == scans[name][-1, -1, 6]
        assert left < names[{"t1": "T1", "t1gd": "T1Gd", "t2": "T2", "flair": "FLAIR"}[name]] < right


def test_the_legend_names_each_outline_by_its_colour():
    for figure in (overlay(), best_median_worst(cases("Best"))):
        legend = figure.axes[0].get_legend()
        found = {
            text.get_text(): line.get_color() for text, line in zip(legend.get_texts(), legend.get_lines(), strict=True)
        }
        assert found == {"Reference": VERMILLION, "Network": "#56B4E9"}


def test_without_a_reference_the_network_s_lesion_is_gone_by_and_without_either_the_middle():
    figure = overlay(reference=None, predicted=block((2, 5), (3, 6), (10, 11)))
    assert "k = 10" in words(figure) and "the centre of the predicted lesion" in words(figure)
    assert "Reference" not in words(figure) and outlines(figure.axes[0], "reference") == []
    neither = overlay(reference=None, predicted=None)
    assert "k = 8" in words(neither) and "Middle slices" in words(neither) and neither.axes[0].get_legend() is None
    missed = overlay(predicted=np.zeros(SHAPE, bool))
    assert "k = 6" in words(missed) and "Network: no lesion found" in words(missed)


def test_background_is_cut_away_and_out_of_the_grey_window():
    scans = {"t1": np.zeros(SHAPE), "t2": np.full(SHAPE, -0.5)}  # as it is, and standardised
    for scan in scans.values():
        scan[5:15, 5:25, 2:12] = np.linspace(10, 20, 2000).reshape(10, 20, 10)
    axes = lesion_overlay(Case(scans, None, None, SPACING, "a")).axes[0]
    assert axes.get_images()[0].get_array().shape == (20, 10)
    assert [image.get_clim() for image in axes.get_images()] == [pytest.approx((10.1, 19.95))] * 6


def test_voxels_below_0_are_no_background():
    scan = np.zeros(SHAPE)
    scan[5:15, 5:25, 2:12] = np.linspace(-20, -10, 2000).reshape(10, 20, 10)
    case = Case({"t1": scan}, None, None, SPACING, "a")
    assert case.box == ((5, 15), (5, 25), (2, 12)) and grey_window(scan) == pytest.approx((-19.9, -10.05))


def test_the_centre_is_a_voxel_of_the_largest_part():
    horseshoe = block((2, 9), (2, 9), (3, 4)) & ~block((4, 9), (4, 7), (3, 4))
    assert lesion_centre(horseshoe, SPACING) == (3, 5, 3)  # its centre of gravity, (4.6, 5, 3), lies in the gap
    two = block((2, 5), (2, 5), (2, 5)) | block((10, 11), (10, 11), (10, 11))
    assert lesion_centre(two, SPACING) == (3, 3, 3)


def test_the_centre_is_the_nearest_voxel_in_mm():
    # a horseshoe whose centre of gravity is (4, 5, 3.67): (4, 5, 3) is 3.3 mm away, (2, 5, 4) only 2.6 mm
    upright = block((2, 7), (5, 6), (3, 6)) & ~block((3, 6), (5, 6), (4, 6))
    assert lesion_centre(upright, (1.0, 1.0, 5.0)) == (2, 5, 4)
    assert lesion_centre(upright, (1.0, 1.0, 1.0)) == (4, 5, 3)


def test_the_head_line_says_what_is_known():
    scores = [0.78, 0.83, 0.88]
    line = head_line("BraTS20_Training_295", scores=scores, lesion_ml=41.7, dice=0.907)
    assert (
        line == "BraTS20_Training_295: probability of IDH mutation 0.83 (SD 0.05, 3 networks), lesion 42 ml, Dice 0.91"
    )
    line = head_line("a", truth=1, scores=[0.5], predicted_ml=4.25)
    assert line == "a (IDH-mutant): probability of IDH mutation 0.50, predicted lesion 4.2 ml"
    assert head_line("a", truth=np.nan, scores=[np.nan], dice=np.nan) == "a"
    both = head_line("a", truth=0, lesion_ml=12.4, predicted_ml=9.96)
    assert both == "a (IDH-wild-type): lesion 12 ml, predicted lesion 10.0 ml"


def test_best_median_and_worst_by_mean_dice():
    table = pd.DataFrame({"subject": list("abcdea"), "dice": [0.1, 0.7, np.nan, 0.6, 0.9, 0.3]})
    assert choose_by_dice(table) == {"Best": "e", "Median": "d", "Worst": "a"}
    assert choose_by_dice(table[1:2]) == {"Best": "b"}
    assert choose_by_dice(table[:2]) == {"Best": "b", "Worst": "a"}
    assert choose_by_dice(table[2:3]) == {}


def cases(*names):
    return {name: Case(images(["flair"]), REFERENCE, PREDICTED, SPACING, TITLE) for name in names}


def test_three_subjects_stand_side_by_side_on_one_scale():
    many = cases("Best", "Median", "Worst")
    many["Worst"] = Case({"flair": np.ones((10, 10, 4))}, None, None, (1, 1, 1), "small")
    axes = best_median_worst(many).axes[0]
    shown = axes.get_images()
    assert [image.get_array().shape for image in shown] == [(30, 20), (30, 20), (10, 10)]
    widths = [image.get_extent()[1] - image.get_extent()[0] for image in shown]
    assert widths[0] == pytest.approx(2 * widths[2]) and widths[0] == pytest.approx(widths[1])
    assert len(outlines(axes, "reference")) == len(outlines(axes, "predicted")) == 2
    names = {text.get_text(): text.get_position()[0] for text in axes.texts}
    lefts = [image.get_extent()[0] for image in shown]
    grounds = [patch.get_x() for patch in axes.patches]
    assert [names["Best"], names["Median"], names["Worst"]] == pytest.approx(grounds)
    assert names["small"] == pytest.approx(grounds[2]) and lefts == sorted(lefts)


SHEETS = {
    "four": lambda **keywords: overlay(**keywords),
    "one": lambda **keywords: overlay(sequences=["flair"], **keywords),
    "two, no lesion found": lambda **keywords: overlay(None, np.zeros(SHAPE, bool), ["t1", "flair"], **keywords),
    "three subjects": lambda **keywords: best_median_worst(cases("Best", "Median", "Worst"), **keywords),
    "one subject": lambda **keywords: best_median_worst(cases("Best"), **keywords),
}


@pytest.mark.parametrize("draw", SHEETS.values(), ids=SHEETS)
@pytest.mark.integration
def test_letters_are_seven_points_or_more_and_overlap_nothing(draw):
    figure = draw(synthetic=True)
    assert NOTE in words(figure) and NOTE not in words(draw())
    figure.draw_without_rendering()
    shown = texts(figure)
    assert min(text.get_fontsize() for text in shown) >= 7
    boxes = [text.get_window_extent() for text in shown]
    crossing = [(one, two) for n, one in enumerate(boxes) for two in boxes[:n] if one.overlaps(two)]
    assert crossing == []
    grounds = [patch.get_window_extent() for patch in figure.axes[0].patches]
    over = [text.get_text() for text, box in zip(shown, boxes, strict=True) if box.count_overlaps(grounds)]
    assert {"R", "L"} <= set(over) <= set("RLAP")
    extent, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(extent.x0, extent.y0) >= -0.01 and extent.x1 <= width + 0.01 and extent.y1 <= height + 0.01
