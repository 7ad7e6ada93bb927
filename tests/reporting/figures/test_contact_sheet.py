"""What stands on a contact sheet, where, and that it can be read."""

import warnings

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from glioma_idh.cohorts.checks.tiles import Thumbnail, Tile
from glioma_idh.reporting.figures.canvas import BLUE, GREY, RED, VERMILLION, save_figure
from glioma_idh.reporting.figures.contact_sheet import contact_sheet

NOTE = "Synthetic phantom cohort: no clinical result"
FOUR = ("t1", "t1gd", "t2", "flair")


def thumbnail(shape=(64, 64), at=None):
    """Grey 100, with a lesion of 8 x 8 pixels from a corner on."""
    lesion = np.zeros(shape, np.float32)
    if at:
        lesion[at[0] : at[0] + 8, at[1] : at[1] + 8] = 1
    return Thumbnail(np.full(shape, 100, np.uint8), lesion if at else None)


def tile(n=1, idh=1, sequences=FOUR, problems=(), has_mask=True):
    thumbnails = {name: thumbnail(at=(40, 8)) for name in sequences}
    return Tile(f"UPENN-GBM-{n:05}_11", idh, thumbnails, has_mask, tuple(problems))


def texts(figure):
    return [text for text in figure.findobj(Text) if text.get_text().strip()]


def words(figure):
    text = " ".join(text.get_text() for text in texts(figure))
    return text.replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ").replace("\N{NON-BREAKING HYPHEN}", "-")


def frames(figure):
    """Rectangles drawn round subjects with a problem."""
    patches = figure.axes[0].patches
    return [patch for patch in patches if not patch.get_fill() and to_hex(patch.get_edgecolor()) == RED.lower()]


def test_every_sequence_of_every_subject_has_its_place():
    figure = contact_sheet([tile(1, 1), tile(2, 0), tile(3, -1)], cohort="upenn-gbm")
    axes = figure.axes[0]
    assert len(axes.get_images()) == 12
    lefts = [image.get_extent()[0] for image in axes.get_images()]
    assert lefts == sorted(lefts) and len({image.get_extent()[3] for image in axes.get_images()}) == 1
    labels = {text.get_text(): to_hex(text.get_color()) for text in axes.texts}
    assert {name: labels[name] for name in ("00001_11 mutant", "00002_11 wild-type", "00003_11 unknown")} == {
        "00001_11 mutant": VERMILLION.lower(),
        "00002_11 wild-type": BLUE.lower(),
        "00003_11 unknown": GREY.lower(),
    }
    assert [text.get_text() for text in axes.texts][-4:] == ["T1", "T1Gd", "T2", "FLAIR"]
    assert "upenn-gbm: 3 subjects, none with a problem" in words(figure)
    assert 'All ids begin with "UPENN-GBM-".' in words(figure) and not frames(figure)


def test_each_image_stands_under_its_own_subject_and_sequence():
    def one(n):
        greys = {name: np.full((64, 64), 20 * n + 3 * place, np.uint8) for place, name in enumerate(("t1", "flair"))}
        return Tile(f"S-{n}", n % 2, {name: Thumbnail(grey) for name, grey in greys.items()}, True)

    axes = contact_sheet([one(1), one(2)]).axes[0]
    shown = [(int(image.get_array().max()), image.get_extent()[0]) for image in axes.get_images()]
    assert [grey for grey, _ in shown] == [20, 23, 40, 43]
    lefts = [left for _, left in shown]
    labels = {text.get_text(): text.get_position()[0] for text in axes.texts}
    assert [labels["1 mutant"], labels["2 wild-type"]] == pytest.approx([lefts[0], lefts[2]])
    width = axes.get_images()[0].get_extent()[1] - lefts[0]
    names = [(text.get_text(), text.get_position()[0]) for text in axes.texts if text.get_text() in ("T1", "FLAIR")]
    assert [name for name, _ in names] == ["T1", "FLAIR"] * 2
    assert [x for _, x in names] == pytest.approx([left + width / 2 for left in lefts])


def test_the_others_are_thinned_evenly_and_a_subject_s_first_problem_is_told():
    wrong = ("constant", "other grid", "late")
    tiles = [tile(n, 1, ("t1", "t2"), wrong if n == 5 else ()) for n in range(11)]
    figure = contact_sheet(tiles, max_subjects=4)
    labels = [text.get_text()[:5] for text in figure.axes[0].texts if "_11 mutant" in text.get_text()]
    assert labels == ["00000", "00004", "00005", "00010"]  # of the ten others first, middle and last
    assert "constant +2" in words(figure)


def test_patients_right_front_is_the_pictures_upper_left():
    grey = np.zeros((64, 64), np.uint8)
    grey[60:, 60:] = 255
    image = contact_sheet([Tile("s", 1, {"t1": Thumbnail(grey)})]).axes[0].get_images()[0]
    drawn = image.get_array()
    assert (drawn[:4, :4] == 255).all() and np.count_nonzero(drawn) == 16
    left, right, bottom, top = image.get_extent()
    assert left < right and bottom > top and image.axes.yaxis_inverted() and not image.axes.xaxis_inverted()


def test_the_outline_runs_round_the_marked_pixels():
    axes = contact_sheet([Tile("s", 1, {"t1": thumbnail((64, 32), at=(40, 8))}, has_mask=True)]).axes[0]
    left, right, bottom, top = axes.get_images()[0].get_extent()
    pixel = (right - left) / 64
    assert (bottom - top) / 32 == pytest.approx(pixel)
    square = next(patch for patch in axes.patches if patch.get_fill())
    assert square.get_y() == pytest.approx(top - 16 * pixel) and square.get_x() == pytest.approx(left)
    outline = np.concatenate([path.vertices for path in axes.collections[0].get_paths()])
    low, high = outline.min(0), outline.max(0)
    assert low == pytest.approx([left + 16 * pixel, top + 16 * pixel])  # 64 - 48 and 32 - 16 pixels from the corner
    assert high == pytest.approx([left + 24 * pixel, top + 24 * pixel])


def test_a_lesion_less_than_a_pixel_is_outlined_and_an_empty_one_is_not():
    for share, number in ((0.1, 1), (0.0, 0)):
        lesion = np.zeros((64, 64), np.float32)
        lesion[5, 5] = share
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            figure = contact_sheet([Tile("s", 1, {"t1": Thumbnail(lesion.astype(np.uint8), lesion)}, has_mask=True)])
        assert len(figure.axes[0].collections) == number


def test_missing_and_broken_images_are_boxes_with_a_sign():
    broken = Tile("a_2", 0, {"t1": None, "t2": thumbnail()}, True, ("unreadable", "other grid"))
    figure = contact_sheet([Tile("a_1", 1, {"t1": thumbnail()}, True), broken])
    axes = figure.axes[0]
    signs = [(text.get_text(), to_hex(text.get_color())) for text in axes.texts if text.get_text() in ("–", "×")]
    assert signs == [("–", GREY.lower()), ("×", RED.lower())]
    assert len(axes.get_images()) == 2 and len(frames(figure)) == 1
    assert "unreadable +1" in words(figure) and "a: 1 with" not in words(figure)
    assert "image missing" in words(figure) and "1 with a problem" in words(figure)
    assert "image missing" not in words(contact_sheet([tile()]))


def test_subjects_without_a_mask_are_said():
    assert "no mask" in [text.get_text() for text in texts(contact_sheet([tile(1), tile(2, has_mask=False)]))]
    figure = contact_sheet([tile(1, has_mask=False), tile(2, has_mask=False)])
    assert "There are no lesion masks, so the middle axial slice is shown." in words(figure)
    assert "no mask" not in [text.get_text() for text in texts(figure)]


def test_a_large_cohort_is_thinned_but_not_of_its_problems():
    tiles = [tile(n, 1, ("t1",), problems=("constant",) if n in (3, 7) else ()) for n in range(100)]
    figure = contact_sheet(tiles, max_subjects=12)
    assert len(figure.axes[0].get_images()) == 12 and len(frames(figure)) == 2
    assert "12 of 100 subjects, 2 with a problem" in words(figure)
    assert "00003_11 mutant" in words(figure) and "00007_11 mutant" in words(figure)
    assert len(frames(contact_sheet(tiles, max_subjects=1))) == 2


def test_a_cohort_of_problems_is_cut_somewhere_and_says_so(monkeypatch):
    monkeypatch.setattr("glioma_idh.reporting.figures.contact_sheet.MOST_TILES", 20)
    figure = contact_sheet([tile(n, 1, ("t1",), ("constant",)) for n in range(30)], max_subjects=10)
    assert len(frames(figure)) == 20
    assert "20 of 30 subjects, 20 of the 30 with a problem" in words(figure)


def test_phantoms_are_called_phantoms():
    assert NOTE in words(contact_sheet([tile()], synthetic=True)) and NOTE not in words(contact_sheet([tile()]))


SHEETS = {
    "one": [Tile("TCGA-02-0033", 1, {"t1": thumbnail()}, False)],
    "many": [
        Tile(f"UPENN-GBM-{n:05}_11", n % 3 - 1, dict.fromkeys(FOUR, thumbnail()), True, problems)
        for n in range(60)
        for problems in [("outside brain", "constant") if n % 20 == 0 else ()]
    ],
    "all six": [tile(n, 0, ("t1", "t1gd", "t2", "flair", "rcbv", "adc"), has_mask=n > 1) for n in range(12)],
    "one sequence": [tile(n, 0, ("rcbv",), ("same as t1gd", "not finite")) for n in range(30)],
    "two": [tile(n, 0, ("t1", "t2"), has_mask=n != 2) for n in range(2)],
    "long ids": [Tile(f"{chr(97 + n)}-very-long-id-of-somebody-{n}", 0, {"t1": None}, True) for n in range(9)],
    "none": [Tile("s", -1)],
}


@pytest.mark.parametrize("tiles", SHEETS.values(), ids=SHEETS)
@pytest.mark.integration
def test_letters_are_seven_points_or_more_and_overlap_nothing(tiles):
    figure = contact_sheet(tiles, cohort="upenn-gbm", synthetic=True)
    figure.draw_without_rendering()
    shown = texts(figure)
    assert min(text.get_fontsize() for text in shown) >= 7
    boxes = [text.get_window_extent() for text in shown]
    crossing = [
        (one.get_text(), two.get_text())
        for n, one in enumerate(shown)
        for m, two in enumerate(shown[:n])
        if boxes[n].overlaps(boxes[m])
    ]
    assert crossing == []
    images = [image.get_window_extent() for image in figure.axes[0].get_images()]
    assert not [text for text, box in zip(shown, boxes, strict=True) if box.count_overlaps(images)]
    extent, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(extent.x0, extent.y0) >= -0.01 and extent.x1 <= width + 0.01 and extent.y1 <= height + 0.01
    squares = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle) and patch.get_fill()]
    assert min(square.get_window_extent().width for square in squares) >= 0.35 * figure.dpi


def test_saved_sheets_repeat_byte_by_byte(tmp_path):
    one, other = (save_figure(contact_sheet([tile(1, 1, ("t1",))]), tmp_path, name) for name in "ab")
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
