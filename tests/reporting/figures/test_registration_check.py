"""Squares and lines where they belong, so that a displaced sequence is seen, and true proportions."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from glioma_idh.errors import InputError
from glioma_idh.imaging.volumes import Volume
from glioma_idh.reporting.figures.canvas import RED
from glioma_idh.reporting.figures.registration_check import (
    LINES,
    TINT,
    WIDTH,
    Registered,
    brain_slices,
    describe_brain,
    is_normal,
    registration_check,
)

NOTE = "Synthetic phantom cohort: no clinical result"
SHAPE, SPACING = (60, 80, 12), (1.0, 1.0, 5.0)
AFFINE = np.diag([*SPACING, 1.0])


def volume(array):
    return Volume(np.asarray(array, np.float32), AFFINE)


def block(*sides):
    mask = np.zeros(SHAPE, bool)
    mask[tuple(slice(*side) for side in sides)] = True
    return mask


BRAIN, LESION = block((10, 50), (10, 70), (3, 10)), block((20, 30), (40, 60), (6, 9))
STEP = volume(BRAIN * (1 + block((30, 60), (0, 80), (0, 12))))  # twice as bright from i = 30 on


def registered(volumes, measures=None, problems=None):
    """Sequences with their measures and problems, by name."""
    measures, problems = measures or {}, problems or {}
    return {name: Registered(volume, measures.get(name), problems.get(name, "")) for name, volume in volumes.items()}


def check(sequences=None, brain=BRAIN, lesion=LESION, measures=None, problems=None, **keywords):
    sequences = {"t1gd": STEP, "t2": volume(np.roll(STEP.array, 5, axis=0))} if sequences is None else sequences
    keywords = {"subject": "patient-7"} | keywords
    masks = {name: mask for name, mask in (("brain", brain), ("lesion", lesion)) if mask is not None}
    return registration_check(STEP, registered(sequences, measures, problems), masks, **keywords)


def pictures(figure):
    """Image and extent in inches (left, right, bottom, top), four a row."""
    return [(np.asarray(image.get_array()), image.get_extent()) for image in figure.axes[0].get_images()]


def lines(figure, name):
    """The points of each drawing of one kind of line, in inches."""
    found = [c for c in figure.axes[0].collections if not isinstance(c, LineCollection | PathCollection)]
    drawn = [c for c in found if to_hex(c.get_edgecolor()[0]) == LINES[name][1].lower()]
    return [np.concatenate([path.vertices for path in c.get_paths() if len(path.vertices)]) for c in drawn]


def texts(figure):
    return [text for text in figure.findobj(Text) if text.get_text().strip()]


def words(figure):
    return " ".join(text.get_text() for text in texts(figure)).replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ")


def test_voxels_have_their_true_proportions_and_rows_fill_the_width():
    shown = pictures(check())
    assert len(shown) == 12  # two sequences and the brain
    sizes = [(right - left, bottom - top) for _, (left, right, bottom, top) in shown[:4]]
    mm = sizes[0][0] / 56  # the brain's 40 mm and 8 mm on either side
    assert sizes[0] == pytest.approx((56 * mm, 76 * mm)) and sizes[1] == pytest.approx(sizes[0])
    assert sizes[2] == pytest.approx((56 * mm, 55 * mm))  # 7 slices of 5 mm, 8 mm being 2 slices on either side
    assert sizes[3] == pytest.approx((76 * mm, 55 * mm))
    assert shown[3][1][1] == pytest.approx(WIDTH)


def test_right_is_on_the_left_front_at_the_top_or_left():
    ramps = [
        volume(np.broadcast_to(np.moveaxis(np.arange(n)[:, None, None], 0, axis), SHAPE))
        for axis, n in enumerate(SHAPE)
    ]
    figure = check(dict(zip(("t1", "t2", "flair"), ramps, strict=True)), lesion=None)
    right, front, top = (pictures(figure)[n : n + 4] for n in (0, 4, 8))
    assert all(right[n][0][5, 3] > right[n][0][5, -3] for n in (1, 2))
    assert front[1][0][3, 5] > front[1][0][-3, 5] and front[3][0][5, 3] > front[3][0][5, -3]
    assert all(top[n][0][3, 5] > top[n][0][-3, 5] for n in (2, 3))


def test_squares_of_2_cm_alternate_between_sequence_and_reference():
    ones = volume(np.ones(SHAPE))
    picture = pictures(registration_check(ones, registered({"t2": ones}), {}, subject="a"))[0][0]
    squares = [picture[row : row + 40, column : column + 40] for row, column in ((0, 0), (40, 40), (0, 40))]
    expected = [np.ones(3), np.ones(3), TINT]  # pixels of 0.5 mm
    for square, colour in zip(squares, expected, strict=True):
        assert square == pytest.approx(np.broadcast_to(colour, (40, 40, 3)))


def test_grey_squares_are_the_sequence_and_blue_ones_the_reference():
    bright, dark = np.ones(SHAPE), np.where(np.indices(SHAPE)[2] < 6, 2.0, 1.0)
    bright[0, 0, 0] = dark[0, 0, 0] = 0  # background
    picture = pictures(registration_check(volume(bright), registered({"t2": volume(dark)}), {}, subject="a"))[0][0]
    # the middle slice, k = 6, of the sequence is half as bright as its brightest voxels, the reference all white
    assert picture[:40, :40] == pytest.approx(np.full((40, 40, 3), 0.5))
    assert picture[:40, 40:80] == pytest.approx(np.broadcast_to(TINT, (40, 40, 3)))


def test_letters_stand_on_the_side_that_they_name_and_the_bar_is_of_5_cm():
    figure = check()
    axes = figure.axes[0]
    for n, (first, last) in ((0, "RL"), (1, "RL"), (2, "RL"), (3, "AP")):
        left, right, bottom, top = pictures(figure)[n][1]
        inside = {
            text.get_text(): text.get_position()[0]
            for text in axes.texts
            if left < text.get_position()[0] < right
            and text.get_text() in "RLAP"
            and top < text.get_position()[1] < bottom
        }
        assert inside[first] < (left + right) / 2 < inside[last]
    left, right, *_ = pictures(figure)[0][1]
    [bar] = axes.get_lines()
    assert np.ptp(bar.get_xdata()) == pytest.approx(50 * (right - left) / 56)


def test_the_legend_names_each_line_by_its_colour():
    legend = check().axes[0].get_legend()
    found = {
        text.get_text(): line.get_color() for text, line in zip(legend.get_texts(), legend.get_lines(), strict=True)
    }
    names = {"brain": "Brain mask of the reference", "edges": "Edges of the reference", "lesion": "Lesion"}
    assert found == {words: LINES[name][1] for name, words in names.items()}


def test_the_planes_run_through_the_lesion_or_else_the_middle():
    assert "Axial, k = 7 Coronal, j = 49 Sagittal, i = 24" in words(check())
    assert "Axial, k = 6 Coronal, j = 40 Sagittal, i = 30" in words(check(lesion=None))
    assert "Lesion" not in words(check(lesion=np.zeros(SHAPE)))


def test_outlines_run_round_the_masks_in_every_row():
    figure = check()
    brains, lesions = lines(figure, "brain"), lines(figure, "lesion")
    assert len(brains) == 6 + 4 and len(lesions) == 6 + 1  # in the last row the lesion is in the coronal slice alone
    left, right, _, top = pictures(figure)[5][1]  # axial, second row
    mm = (right - left) / 56
    for points, sides in ((brains[3], (8, 48, 8, 68)), (lesions[3], (28, 38, 18, 38))):  # from the box's upper left, mm
        found = [
            *(points[:, 0].min() - left, points[:, 0].max() - left),
            *(points[:, 1].min() - top, points[:, 1].max() - top),
        ]
        assert np.array(found) / mm == pytest.approx(sides, abs=0.3)


def test_a_sequence_5_mm_off_leaves_the_reference_s_edges():
    figure = check(lesion=None)
    for n, off_mm in ((1, 0), (5, 5)):
        picture, (left, right, _, _) = pictures(figure)[n]
        edges = lines(figure, "edges")[0 if n == 1 else 2][:, 0]
        inner = edges[(edges > left + 0.3 * (right - left)) & (edges < left + 0.7 * (right - left))]
        edge_mm = (np.median(inner) - left) / (right - left) * 56
        row = picture[len(picture) // 2]
        step_mm = (np.argmin(np.diff(row[20:-20])) + 20.5) * 0.5
        assert edge_mm == pytest.approx(28, abs=0.6)  # i = 30, seen from the patient's right
        assert step_mm == pytest.approx(28 - off_mm, abs=1)


def test_problems_stand_in_red_beside_their_row():
    figure = check(problems={"t2": "the shift of 41 mm is not plausible", "t1gd": ""})
    (problem,) = [text for text in texts(figure) if text.get_color() == RED and "normal" not in text.get_text()]
    (name,) = [text for text in texts(figure) if text.get_text() == "T2"]
    assert problem.get_text() == "the shift of 41 mm is not plausible"
    assert problem.get_position()[1] == name.get_position()[1]
    assert "patient-7: registration of the sequences (1 of 2 with a problem)" in words(figure)
    frames = [
        p for p in figure.axes[0].patches if isinstance(p, Rectangle) and to_hex(p.get_edgecolor()) == RED.lower()
    ]
    top = pictures(figure)[4][1][3]
    assert [frame.get_y() for frame in frames] == [pytest.approx(top)]
    assert "problem" not in words(check())


def test_a_sequence_on_another_grid_is_an_error():
    with pytest.raises(InputError, match="the same grid"):
        check({"t2": Volume(STEP.array, AFFINE + np.eye(4, k=3) * 9)})


LONG = "no overlap with the reference; " * 12


@pytest.mark.parametrize("problems", [{}, {"t1gd": LONG}, {"t2": LONG}], ids=["none", "first", "last"])
@pytest.mark.parametrize("lesion", [LESION, None], ids=["lesion", "no lesion"])
@pytest.mark.integration
def test_letters_are_seven_points_or_more_and_overlap_nothing(problems, lesion):
    figure = check(lesion=lesion, problems=problems, measures={"t2": MEASURES, "t1gd": {}}, synthetic=True)
    assert NOTE in words(figure) and NOTE not in words(check())
    figure.draw_without_rendering()
    shown = texts(figure)
    assert min(text.get_fontsize() for text in shown) >= 7
    boxes = [text.get_window_extent() for text in shown]
    assert [(one, two) for n, one in enumerate(boxes) for two in boxes[:n] if one.overlaps(two)] == []
    extent, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(extent.x0, extent.y0) >= -0.01 and extent.x1 <= width + 0.01 and extent.y1 <= height + 0.01


MEASURES = {"rotation_deg": 4.26, "shift_mm": 12.34, "overlap": 0.957, "metric": 0.6, "gain": 1.318, "problems": []}
"""As a registration leaves them in a patient's record."""


def test_each_sequence_has_the_numbers_by_which_it_is_flagged_with_their_limits():
    figure = check(measures={"t2": MEASURES, "t1gd": {}})
    said = {text.get_text(): text.get_position()[1] for text in texts(figure)}
    numbers = (
        "rotation 4.3 deg (flagged above 30), shift 12.3 mm (above 50), overlap of heads 0.96 (below 0.7), "
        "match 1.32 (below 1.12)"
    )
    assert said[numbers] == said["T2"] and said["reference"] == said["T1Gd"]
    assert "rotation" not in words(check()).replace("Rotation", "")


def test_a_problem_stands_below_the_numbers():
    figure = check(problems={"t2": "turned by 46 degrees"}, measures={"t2": MEASURES})
    said = {text.get_text(): text.get_position()[1] for text in texts(figure)}
    (numbers,) = (y for text, y in said.items() if text.startswith("rotation"))
    assert numbers < said["turned by 46 degrees"] < pictures(figure)[4][1][3]


def test_the_brain_is_shown_near_its_ends_and_in_its_middle():
    cap = np.zeros((20, 30, 40), bool)
    cap[5:15, 10:20, 10:30] = True
    cap[5:10, 10:15, 30] = cap[5:10, 10:15, 9] = True  # a quarter of the area
    cap[5:10, 10:14, 31] = cap[5:10, 10:14, 0:9] = True  # less: brain stem and tip
    assert brain_slices(cap) == (30, 9, 14, 9)


def test_the_last_row_shows_the_head_with_its_skull_under_the_outlines():
    ramp = volume(np.broadcast_to(np.arange(1.0, 13), SHAPE))  # the number of an axial slice, from 1
    figure = check({"t1gd": STEP}, head=ramp)
    last = pictures(figure)[4:]
    assert len(last) == 4
    vertex, base, coronal, sagittal = (picture for picture, _ in last)
    assert np.ptp(vertex) == np.ptp(base) == 0 and base.max() / vertex.max() == pytest.approx(4 / 10)  # k = 3 and 9
    assert np.ptp(coronal[0]) == 0 and coronal[0, 0] > coronal[-1, 0] and sagittal[0, 0] > sagittal[-1, 0]
    assert base.shape == (160, 120)  # 20 mm around the brain, which reaches the grid's edges; pixels of 0.5 mm
    named = ("Axial, near the vertex, k = 9", "Axial, at the skull base, k = 3")
    named += ("Coronal, middle, j = 40", "Sagittal, middle, i = 30")
    assert set(named) <= {text.get_text() for text in texts(figure)}
    brain = lines(figure, "brain")[3:]  # after those of the sequence
    left, right, _, top = last[0][1]
    mm = (right - left) / 60
    found = (brain[0][:, 0].min() - left, brain[0][:, 0].max() - left, brain[0][:, 1].min() - top)
    assert np.array(found) / mm == pytest.approx((10, 50, 10), abs=0.3)


def test_without_a_head_or_brain_the_row_shows_the_reference_or_nothing():
    assert len(pictures(check(brain=None))) == 8
    reference = check({"t1gd": STEP})
    assert pictures(reference)[4][0].max() > 0 and "Brain mask" in words(reference)


def test_the_volume_is_beside_its_normal_range():
    """Matsumae 1996: 1143 - 2 x 105 ml is a small brain, 1469 + 2 x 102 ml a large one with all fluid."""
    assert [is_normal(ml) for ml in (929, 930, 1302, 1670, 1671)] == [False, True, True, True, False]
    brain = np.zeros((10, 10, 10), bool)
    brain[1:9, 1:9, 1:9] = True
    (said,) = describe_brain({"brain": brain}, 1300 / 512)
    assert said.startswith("1300 ml, within the normal range of adults (930 to 1670 ml")
    (said,) = describe_brain({"brain": brain}, 1700 / 512)
    assert said.startswith("1700 ml, OUTSIDE the normal range of adults")


def test_a_brain_that_is_not_normal_is_said_in_red():
    """This one has 84 ml."""
    figure = check()
    red = [text.get_text() for text in texts(figure) if text.get_color() == RED]
    assert len(red) == 1 and red[0].startswith("84 ml, OUTSIDE")
    large = Volume(STEP.array, np.diag([2.5, 2.5, 12.0, 1.0]))
    figure = registration_check(large, registered({"t1gd": large}), {"brain": BRAIN, "lesion": LESION}, subject="a")
    assert "1260 ml, within the normal range" in words(figure) and "lesion 45.0 ml" in words(figure)
    assert [text for text in texts(figure) if text.get_color() == RED] == []


def test_a_phantom_s_brain_is_held_against_nothing():
    figure = check(synthetic=True)
    assert "84 ml, synthetic patient" in words(figure) and "normal range" not in words(figure)
    assert [text for text in texts(figure) if text.get_color() == RED] == []


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (np.s_[0, 5, 5], "left"),
        (np.s_[9, 5, 5], "right"),
        (np.s_[5, 0, 5], "back"),
        (np.s_[5, 9, 5], "front"),
        (np.s_[5, 5, 0], "bottom"),
        (np.s_[5, 5, 9], "top"),
    ],
)
def test_an_image_that_ends_within_the_brain_is_said(place, name):
    brain = np.zeros((10, 10, 10), bool)
    brain[1:9, 1:9, 1:9] = True
    brain[place] = True
    assert describe_brain({"brain": brain}, 1.0)[1] == f"the mask reaches the edge of the image: {name}"
