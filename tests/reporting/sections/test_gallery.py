"""The most confident wrong predictions are chosen and shown as the network saw them; missing files stop nothing."""

import shutil

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

from glioma_idh import runs
from glioma_idh.files import write_json
from glioma_idh.reporting.figures.cases import is_slice, read_cases
from glioma_idh.reporting.figures.overlays import OUTLINES
from glioma_idh.reporting.sections.gallery import (
    choose_cases,
    confident_mistakes,
    mistakes_figure,
    mistakes_text,
    viewer_cases,
)
from glioma_idh.runs import FORMAT
from tests.conftest import AFFINE, SHAPE, save

NOTE = "Synthetic phantom cohort: no clinical result"
SUBJECTS = [f"s{n}" for n in range(8)]
TRUTH = [1, 1, 1, 1, 0, 0, 0, 0]
SCORES = [0.1, 0.3, 0.2, 0.9, 0.8, 0.5, 0.4, 0.05]  # s0, s1, s2 and s4, s5 are predicted wrongly
PREDICTIONS = pd.DataFrame({"subject": SUBJECTS, "repeat": 0, "split": 0, "truth": TRUTH, "score": SCORES})
COHORT = pd.DataFrame(
    {
        "subject": SUBJECTS,
        "idh": TRUTH,
        "grade": ["HGG", "4", "", "2", "2", "3", "4", "4"],
        "age_years": [61, np.nan, 47.5, 30, 52, 40, 70, 66],
        "lesion_ml": 12.0,
    }
)


def test_half_of_each_class_the_farthest_from_one_half_first():
    assert confident_mistakes(PREDICTIONS, 4) == ["s0", "s2", "s4", "s5"]
    assert confident_mistakes(PREDICTIONS, 2) == ["s0", "s4"]
    assert confident_mistakes(PREDICTIONS, 3) == ["s0", "s2", "s4"]
    assert confident_mistakes(PREDICTIONS) == ["s0", "s2", "s1", "s4", "s5"]


def test_fewer_of_one_class_leave_room_for_the_other():
    assert confident_mistakes(PREDICTIONS[PREDICTIONS["subject"] != "s5"], 4) == ["s0", "s2", "s1", "s4"]
    assert confident_mistakes(PREDICTIONS[PREDICTIONS["truth"] == 0], 4) == ["s4", "s5"]
    assert confident_mistakes(PREDICTIONS[PREDICTIONS["truth"] == 1], 2) == ["s0", "s2"]


def test_the_mean_of_several_tests_counts_and_what_is_not_known_does_not():
    again = PREDICTIONS.assign(repeat=1, score=[0.95, np.nan, 0.7, 0.9, 0.1, 0.5, 0.4, 0.05])
    several = pd.concat([PREDICTIONS, again])  # s0 0.525, s2 0.45, s4 0.45
    assert confident_mistakes(several) == ["s1", "s2", "s5"]
    assert confident_mistakes(PREDICTIONS.assign(truth=np.nan)) == []


def test_mistakes_in_words():
    text = mistakes_text(PREDICTIONS, 2)
    assert (
        text == "Most confident wrong predictions, 2 of 5: s0 (IDH-mutant, score 0.10); s4 (IDH-wild-type, score 0.80)."
    )
    assert mistakes_text(PREDICTIONS[3:4]).startswith("All tested subjects were predicted correctly")


def test_cases_to_look_through_and_why():
    dice = PREDICTIONS.assign(dice=[0.1, 0.5, 0.6, 0.7, 0.8, 0.95, 0.75, 0.9])
    assert choose_cases(dice) == {
        "s0": "Most confident wrong prediction, mutant predicted wild-type; worst Dice",
        "s4": "Most confident wrong prediction, wild-type predicted mutant",
        "s5": "Best Dice",
        "s3": "Median Dice; most confident correct mutant",
        "s7": "Most confident correct wild-type",
    }
    assert list(choose_cases(PREDICTIONS.assign(dice=np.nan))) == ["s0", "s4", "s3", "s7"]
    assert choose_cases(dice.assign(score=np.nan)) == {"s5": "Best Dice", "s3": "Median Dice", "s0": "Worst Dice"}


@pytest.fixture
def sliced(tmp_path):
    """A run of slices; each holds the number of its subject plus 1 in a rectangle, 0 round it."""
    slices = np.zeros((8, 64, 64, 1), np.float32)
    slices[:, 10:50, 5:60, 0] = 1 + np.arange(8)[:, None, None]
    np.savez(tmp_path / "slices.npz", slices=slices[::-1], subjects=np.array(SUBJECTS[::-1]))
    write_json({"format": FORMAT, "recipe": {"paper": "gbm2d", "sequence": ["t1gd"]}}, tmp_path / "recipe.json")
    return tmp_path


LESION, FOUND = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
LESION[5:13, 6:12, 2:5] = True
FOUND[6:13, 6:12, 2:5] = True


@pytest.fixture
def segmented(tmp_path):
    """A run of volumes, its cohort and predictions; every voxel of a brain holds 100 + i."""
    brain = np.zeros(SHAPE)
    brain[2:18, 1:19, 1:7] = 100 + np.arange(2, 18)[:, None, None]
    cohort = COHORT.assign(rcbv=np.nan, brain_mask="", patient=SUBJECTS)
    for column in ("t1", "t1gd", "t2", "flair"):
        cohort[column] = [save(tmp_path / "scans" / subject / f"{column}.nii.gz", brain) for subject in SUBJECTS]
    cohort["lesion_mask"] = [save(tmp_path / "scans" / subject / "mask.nii.gz", LESION) for subject in SUBJECTS]
    for subject in SUBJECTS:
        save(tmp_path / "masks" / f"{subject}.nii.gz", FOUND)
    return tmp_path, cohort, PREDICTIONS.assign(dice=0.9, lesion_ml=12.0, predicted_ml=10.0)


def words(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text().strip()]


def test_slices_are_shown_as_the_network_reads_them(sliced):
    figure, reason = mistakes_figure(sliced, COHORT, PREDICTIONS)
    shown = [image.get_array() for image in figure.axes[0].get_images()]
    assert reason == "" and [image.max() for image in shown] == [1, 3, 2, 5, 6]  # s0, s2, s1, s4, s5
    assert all(image.mask.sum() == 64 * 64 - 40 * 55 for image in shown)
    assert shown[0].mask[:4].all() and not shown[0].mask[4, 14]  # 64 - 60 rows and 64 - 50 columns from the corner
    text = words(figure)
    assert {"IDH-mutant, predicted wild-type: 3 of 3", "IDH-wild-type, predicted mutant: 2 of 2"} <= set(text)
    assert "Most confident wrong predictions: T1Gd" in text
    lines = [
        "score 0.10\nHGG, 61 years",
        "score 0.30\ngrade 4, age unknown",
        "score 0.20\ngrade unknown, 47.5 years",
    ]
    assert set(lines) <= set(text)


def test_a_slice_below_0_is_shown_in_a_window_of_its_own_voxels(sliced):
    slices = np.zeros((8, 64, 64, 1), np.float32)
    slices[:, 10:50, 5:60, 0] = np.linspace(-3, 1, 40)[:, None]  # as normalised: a lesion mostly darker than the brain
    np.savez(sliced / "slices.npz", slices=slices, subjects=np.array(SUBJECTS))
    figure, _ = mistakes_figure(sliced, COHORT, PREDICTIONS)
    window = tuple(np.percentile(np.repeat(np.linspace(-3, 1, 40), 5 * 55), (1, 99)))
    assert [image.get_clim() for image in figure.axes[0].get_images()] == [pytest.approx(window)] * 5
    cases, _ = read_cases(sliced, COHORT, PREDICTIONS, ["s0"])
    assert np.array_equal(cases["s0"].outlines["reference"][..., 0], slices[0, ..., 0] != 0)


def test_of_many_mistakes_the_heading_says_how_many_there_are(sliced):
    figure, _ = mistakes_figure(sliced, COHORT, PREDICTIONS, count=2)
    headings = [text for text in words(figure) if "predicted" in text]
    assert headings == ["IDH-mutant, predicted wild-type: 1 of 3", "IDH-wild-type, predicted mutant: 1 of 2"]


def test_volumes_are_shown_with_both_outlines(segmented):
    figure, reason = mistakes_figure(*segmented, count=2)
    axes = figure.axes[0]
    assert (
        reason == ""
        and len(axes.get_images()) == 4
        and "Most confident wrong predictions: FLAIR and T1Gd" in words(figure)
    )
    assert [image.get_array().shape for image in axes.get_images()] == [(18, 16)] * 4  # cut to the brain
    assert axes.get_images()[0].get_array()[0, 0] == 117  # the patient's right on the left
    colours = [to_hex(outline.get_edgecolor()[0]).upper() for outline in axes.collections]
    assert colours == [OUTLINES["reference"][1], OUTLINES["predicted"][1]] * 4
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["Reference", "Network"]


def test_each_mistake_stands_below_its_own_words(sliced):
    axes = mistakes_figure(sliced, COHORT, PREDICTIONS)[0].axes[0]
    places = {text.get_text(): text.get_position() for text in axes.texts}
    for image, subject in zip(axes.get_images(), ("s0", "s2", "s1", "s4", "s5"), strict=True):
        left, _, _, top = image.get_extent()
        assert image.get_array().max() == 1 + int(subject[1])
        assert places[subject][0] == pytest.approx(left) and 0 < top - places[subject][1] < 0.6
    assert {text.get_text(): to_hex(text.get_color()) for text in axes.texts if ", predicted" in text.get_text()} == {
        "IDH-mutant, predicted wild-type: 3 of 3": "#d55e00",
        "IDH-wild-type, predicted mutant: 2 of 2": "#0072b2",
    }


def test_the_mean_of_several_tests_is_said_beside_a_mistake(sliced):
    twice = pd.concat([PREDICTIONS, PREDICTIONS.assign(repeat=1, score=np.subtract(SCORES, 0.02))])
    assert "score 0.09, mean of 2 tests\nHGG, 61 years" in words(mistakes_figure(sliced, COHORT, twice)[0])


def test_each_subject_and_sequence_has_its_own_scans_masks_and_numbers(segmented):
    folder, cohort, predictions = segmented
    save(folder / "masks" / "s1.nii.gz", LESION * (np.indices(SHAPE)[0] == 5))
    save(folder / "scans" / "s1" / "mask.nii.gz", LESION * (np.indices(SHAPE)[0] == 6))
    for n, name in enumerate(("t1", "t1gd", "t2", "flair")):
        save(folder / "scans" / "s1" / f"{name}.nii.gz", np.full(SHAPE, 1.0 + n))
    numbers = predictions.assign(dice=[0.11, 0.22, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], lesion_ml=31.0 + np.arange(8))
    numbers = pd.concat([numbers, numbers.assign(dice=numbers["dice"] + 0.04)]).assign(predicted_ml=9.1)
    cases, _ = read_cases(folder, cohort, numbers, ["s0", "s1"])
    assert cases["s0"].predicted.sum() == FOUND.sum() and cases["s0"].reference.sum() == LESION.sum()
    one = cases["s1"]
    assert {name: image.max() for name, image in one.images.items()} == {"t1": 1, "t1gd": 2, "t2": 3, "flair": 4}
    assert np.unique(np.nonzero(one.predicted)[0]) == 5 and np.unique(np.nonzero(one.reference)[0]) == 6
    assert one.title == (
        "s1 (IDH-mutant): probability of IDH mutation 0.30 (SD 0.00, 2 networks), lesion 32 ml, predicted lesion 9.1 "
        "ml, Dice 0.24; outline from one of 2 tests, numbers are means"
    )


def test_of_several_tests_the_mask_of_one_split_is_shown_with_its_own_dice_and_the_split_named(segmented):
    """s1 is tested in the first, third and fourth of four hold-outs, s0 in the second alone; s2 is of an older run."""
    folder, cohort, predictions = segmented
    splits = pd.DataFrame({"subject": "s1", "repeat": [0, 1, 2, 3], "split": 0, "part": "test"})
    splits.to_csv(folder / "splits.csv", index=False)
    for index, subject in ((0, "s1"), (1, "s0"), (2, "s1"), (3, "s1")):
        found = LESION & (np.indices(SHAPE)[0] == 5 + index)
        save(runs.mask_file(folder, index, subject), found)
    rows = [("s1", 0, 0.1, 1.0), ("s0", 1, 0.5, 2.0), ("s1", 2, 0.6, 3.0), ("s1", 3, 0.8, 4.0), ("s2", 0, 0.7, 5.0)]
    tests = pd.DataFrame(rows, columns=["subject", "repeat", "dice", "predicted_ml"])
    tests = tests.merge(predictions.drop(columns=["repeat", "dice", "predicted_ml"]), on="subject")
    cases, gone = read_cases(folder, cohort, tests, ["s0", "s1", "s2"])
    assert gone == [] and np.unique(np.nonzero(cases["s1"].predicted)[0]) == 7  # 0.6 is nearest to the mean, 0.5
    assert cases["s1"].title.endswith(
        "predicted lesion 3.0 ml, Dice 0.60; lesion and Dice from split 3, one of 3 tests"
    )
    assert np.unique(np.nonzero(cases["s0"].predicted)[0]) == 6
    assert cases["s0"].title.endswith("predicted lesion 2.0 ml, Dice 0.50")
    assert np.array_equal(cases["s2"].predicted, FOUND) and cases["s2"].title.endswith("5.0 ml, Dice 0.70")


def corners(figure):
    """Columns and rows of the images, counted from the upper left."""
    places = [image.get_extent() for image in figure.axes[0].get_images()]
    return [sorted({round(place[side], 3) for place in places}) for side in (0, 3)]


def test_three_subjects_a_row_and_four_where_that_makes_one_row(segmented, sliced):
    folder, cohort, predictions = segmented
    wrong = predictions.assign(score=[0.1] * 4 + [0.9, 0.1, 0.1, 0.1])
    columns, rows = corners(mistakes_figure(folder, cohort, wrong)[0])
    assert len(columns) == 4 and len(rows) == 2
    (folder / "slices.npz").unlink()
    columns, rows = corners(mistakes_figure(folder, cohort, wrong)[0])
    assert len(columns) == 6 and len(rows) == 3  # two sequences a subject; mutants 3 + 1


def test_cases_to_look_through_are_read(segmented, sliced):
    folder, cohort, predictions = segmented
    flat, gone = viewer_cases(sliced, cohort, predictions.drop(columns="dice"), count=2)
    (_, case), _ = flat.items()
    assert (
        gone == [] and is_slice(case) and list(case.images) == ["t1gd"] and case.outlines["reference"].sum() == 40 * 55
    )
    assert case.title.endswith("lesion 12 ml; slice as the network receives it, resampled to 64 x 64 pixels")
    (folder / "slices.npz").unlink()
    cases, gone = viewer_cases(folder, cohort, predictions)
    first = next(iter(cases))
    assert gone == [] and first == "Most confident wrong prediction, mutant predicted wild-type; best Dice: s0"
    assert all(case.outlines["predicted"].sum() == FOUND.sum() for case in cases.values())
    assert case.spacing_mm == (1, 1, 1) and cases[first].spacing_mm == tuple(np.diag(AFFINE)[:3])


def test_an_image_that_is_gone_is_said_and_the_others_are_shown(segmented):
    folder, cohort, predictions = segmented
    (folder / "scans" / "s0" / "t2.nii.gz").unlink()
    (folder / "masks" / "s4.nii.gz").write_bytes(b"no image")
    save(folder / "masks" / "s5.nii.gz", np.ones((3, 3, 3)))
    cases, gone = read_cases(folder, cohort, predictions, ["s0", "s1", "s4", "s5", "s9"])
    assert list(cases) == ["s1"] and gone[0] == "s0 is not shown: expected a NIfTI file; found no file."
    assert gone[1].startswith("s4 is not shown: expected a readable NIfTI file")
    assert gone[2].startswith("s5 is not shown: expected images on the same grid; found shapes")
    assert gone[3] == "s9 is not shown: expected a row in the cohort table; found none."
    figure, reason = mistakes_figure(folder, cohort, predictions)
    assert len(figure.axes[0].get_images()) == 4 and reason == " ".join(gone[:3])


def test_without_masks_the_reference_alone_and_without_anything_a_reason(segmented):
    folder, cohort, predictions = segmented
    shutil.rmtree(folder / "masks")
    figure, reason = mistakes_figure(folder, cohort, predictions)
    assert reason == "" and [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["Reference"]
    figure, reason = mistakes_figure(folder, COHORT, PREDICTIONS)
    expected = "s0 is not shown: expected slices in the run folder, or scans in the cohort table; found neither."
    assert figure is None and reason == f"The most confident wrong predictions are not shown. {expected}"
    assert viewer_cases(folder, COHORT, PREDICTIONS)[0] == {}
    assert mistakes_figure(folder, COHORT, PREDICTIONS[3:4]) == (None, mistakes_text(PREDICTIONS[3:4]))


def test_broken_slices_are_a_reason(sliced):
    (sliced / "slices.npz").write_bytes(b"no slices")
    figure, reason = mistakes_figure(sliced, COHORT, PREDICTIONS)
    assert figure is None and "s0 is not shown: expected readable slices in the run folder" in reason
    np.savez(sliced / "slices.npz", slices=np.ones((1, 64, 64, 1)), subjects=np.array(["s7"]))
    assert (
        "expected one slice of the subject in the run folder; found none"
        in mistakes_figure(sliced, COHORT, PREDICTIONS)[1]
    )


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("kind", ["slices", "volumes"])
@pytest.mark.integration
def test_letters_are_seven_points_or_more_and_overlap_nothing(kind, count, segmented, request):
    folder, cohort, predictions = segmented
    if kind == "slices":
        request.getfixturevalue("sliced")
    figure, _ = mistakes_figure(folder, cohort, predictions, count=count, synthetic=True)
    assert any(NOTE in text for text in words(figure))
    figure.draw_without_rendering()
    shown = [text for text in figure.findobj(Text) if text.get_text().strip()]
    assert min(text.get_fontsize() for text in shown) >= 7
    boxes = [text.get_window_extent() for text in shown]
    assert [(one, two) for n, one in enumerate(boxes) for two in boxes[:n] if one.overlaps(two)] == []
    images = [image.get_window_extent() for image in figure.axes[0].get_images()]
    over = {text.get_text() for text, box in zip(shown, boxes, strict=True) if box.count_overlaps(images)}
    assert over <= {"R", "L"}
    extent, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(extent.x0, extent.y0) >= -0.01 and extent.x1 <= width + 0.01 and extent.y1 <= height + 0.01
