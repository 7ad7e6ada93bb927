"""Backgrounds, z-scores and stripped brains: what the guesses rest on, by hand."""

import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.heuristics import (
    classify_head,
    classify_intensities,
    estimate_background,
    find_other_brain,
    looks_stripped,
    require_stripped,
    why_not_stripped,
)
from glioma_idh.imaging.volumes import Volume, read_volume


def test_the_background_is_what_all_eight_corners_share():
    array = np.random.default_rng(0).normal(size=(4, 5, 6))
    for corner in np.ndindex(2, 2, 2):
        array[tuple(-part for part in corner)] = -3
    assert estimate_background(array) == -3
    array[0, -1, 0] = -2.9
    assert estimate_background(array) == 0


@pytest.mark.parametrize(
    ("values", "box_ml", "kind"),
    [
        ([-1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 1000, "z-scored"),
        ([-1, *[2] * 10], 1000, "raw"),
        ([-1, *[2] * 199], 999, "z-scored"),
        ([-1, *[2] * 250], 999, "raw"),
        ([-1, -1, 99], 5000, "z-scored"),
        ([-1, -1, 100], 5000, "raw"),
        ([-100, -1, 5], 5000, "raw"),
        ([], 5000, "raw"),
    ],
)
def test_z_scores_are_small_and_often_negative(values, box_ml, kind):
    assert classify_intensities(np.array(values, float), box_ml) == kind


@pytest.mark.parametrize(
    ("tissue_ml", "box_ml", "kind"),
    [
        (2800, 5000, "with skull"),
        (2799, 5000, "cannot tell"),
        (2500, 5000, "skull-stripped"),
        (800, 1000, "skull-stripped"),
        (799, 1000, "cannot tell"),
        (810, 1000, "cannot tell"),  # more than 80 % of the box
        (1400, 1740, "cannot tell"),
        (700, 900, "cannot tell"),
    ],
)
def test_a_brain_has_the_volume_of_a_brain_and_air_around_it(tissue_ml, box_ml, kind):
    assert classify_head(tissue_ml, box_ml) == kind


def block(section_cm2, height_mm, box=(60, 60, 60), value=100.0) -> Volume:
    """A block in voxels of 4 mm, on a background of 0."""
    array = np.zeros(box, np.float32)
    num_rows = round(section_cm2 * 100 / 16 / 30)
    array[5 : 5 + num_rows, 5:35, 5 : 5 + height_mm // 4] = value
    return Volume(array, np.diag([4.0, 4, 4, 1]))


def test_a_brain_has_no_section_larger_than_a_brains():
    assert looks_stripped(block(200, 80))  # 1600 ml
    assert not looks_stripped(block(226, 80))  # 1800 ml, a slab of a head
    assert not looks_stripped(block(200, 32))  # 640 ml
    shifted = block(200, 80)
    shifted.array[shifted.array == 0] = -1.5
    assert looks_stripped(shifted)


def test_of_a_box_too_small_for_a_brain_z_scores_tell():
    rng = np.random.default_rng(0)
    scores = Volume(rng.normal(0.5, 1, (20, 20, 20)), np.diag([4.0, 4, 4, 1]))  # 512 ml
    assert looks_stripped(scores)
    assert not looks_stripped(Volume(np.abs(scores.array), scores.affine))


def ball(radius_mm, spacing_mm=4.0, num=60, value=100.0) -> np.ndarray:
    """A ball with some texture in a box of 0."""
    away = np.linalg.norm((np.indices((num,) * 3) - (num - 1) / 2) * spacing_mm, axis=0)
    return np.where(away <= radius_mm, value + np.indices((num,) * 3).sum(axis=0) % 7, 0).astype(np.float32)


def reason(array, spacing_mm=4.0) -> str:
    return why_not_stripped(Volume(array, np.diag([spacing_mm] * 3 + [1])))


BRAIN = ball(70)  # 1437 ml, its largest section 154 cm2


def test_a_brain_on_0_is_stripped_whole_or_as_a_crop():
    assert reason(BRAIN) == "" and reason(BRAIN - 103 * (BRAIN != 0)) == ""  # z-scores have voxels of 0 within
    assert reason(BRAIN[14:46, 14:46, 14:46]) == "" and reason(BRAIN[20:40, 20:40, 20:40]) == ""
    assert reason(np.zeros((4, 4, 4))) == "" and reason(np.full((4, 4, 4), 5.0)) == ""


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.where(BRAIN, BRAIN, 37), "a background of 37 that is not 0"),
        (np.where(np.arange(60) < 10, 37, BRAIN), "a background of 37 that is not 0"),  # on one side
        (BRAIN - 3, "a background of -3 that is not 0"),
        (
            BRAIN + np.random.default_rng(0).uniform(1, 3, BRAIN.shape),
            "13824 ml of voxels that are not 0, 100% of the image",
        ),
        (ball(85), "2561 ml of voxels that are not 0, 19% of the image"),
        (ball(90)[:, :, 27:33], "skull, noise or interpolation"),  # a slab of a head: by its section alone
        (
            1 + np.random.default_rng(0).uniform(0, 9, (26, 26, 26)),
            "1125 ml of voxels that are not 0, 100% of the image",
        ),
    ],
)
def test_skull_noise_and_grey_are_told(array, words):
    assert words in reason(array)


def test_what_interpolation_leaves_around_a_brain_is_told_by_its_share():
    away = np.linalg.norm((np.indices((60,) * 3) - 29.5) * 4, axis=0)
    shell = (away > 70) & (away <= 76)
    ringing = np.where(shell, 0.3 * (-1) ** np.indices((60,) * 3).sum(axis=0), BRAIN)
    assert "faint values around the brain, as after interpolation (2" in reason(ringing)
    thin = np.where((away > 70) & (away <= 71), 0.3, BRAIN)
    assert reason(thin) == "" and reason(np.where(shell, 30, BRAIN)) == ""  # few, or not faint
    inner = np.where(away < 45, 0.3, BRAIN)  # faint but within
    assert reason(inner) == ""


def test_the_refusal_names_file_reason_and_advice():
    with pytest.raises(InputError, match=r"t1.nii: expected a skull-stripped scan, .*background of 37.*\. Do this\."):
        require_stripped(Volume(np.where(BRAIN, BRAIN, 37), np.eye(4), "t1.nii"), "Do this.")
    require_stripped(Volume(BRAIN, np.diag([4.0, 4, 4, 1])), "Do this.")


@pytest.mark.integration
@pytest.mark.parametrize(
    ("pattern", "stops"),
    [
        ("brats20_mini/*/*/*.nii.gz", False),
        ("brats20_full/*/*_209/*.nii.gz", False),
        ("tcga_lgg_whole/TCGA-CS*/*.nii.gz", True),
        ("native_TCGA-FG-6692/*.nii.gz", True),
    ],
)
def test_real_brains_pass_and_real_heads_stop(real_data, pattern, stops):
    files = [file for file in sorted(real_data.glob(pattern)) if "seg" not in file.name and "mask" not in file.name]
    assert files and {bool(why_not_stripped(read_volume(file))) for file in files} == {stops}


def slab(start, stop=100):
    """100 voxels, filled from one to another."""
    return (np.arange(100) >= start) & (np.arange(100) < stop)


def test_the_scan_of_another_brain_is_told_from_the_others():
    same = {"T1": slab(20), "T1Gd": slab(21), "FLAIR": slab(20)}  # of 80 and 79 voxels: Dice 0.994
    assert find_other_brain({}) == find_other_brain({"T1": slab(20)}) == find_other_brain(same) == {}
    for name in ("T1", "T1Gd", "FLAIR"):
        others = " and ".join(", ".join(other for other in same if other != name).rsplit(", ", 1))
        found = find_other_brain(same | {name: slab(0, 80)})  # 60 of 80 voxels in common, or 59 of 80 and 79
        assert list(found) == [name]
        told = f"Covers a different brain than {others} (Dice 0.7[45]): is it from another patient, or not registered?"
        assert found[name] in (told.replace("[45]", "4"), told.replace("[45]", "5"))
    two = find_other_brain({"T1": slab(0, 80), "T2": slab(0, 80), "T1Gd": slab(20), "FLAIR": slab(20)})
    assert list(two) == ["T1Gd", "FLAIR"] and "than T1 and T2 (Dice 0.75)" in two["FLAIR"]
    assert list(find_other_brain({"T1": slab(0), "T2": slab(5)})) == []  # Dice 0.974
    assert list(find_other_brain({"T1": slab(0), "T2": slab(9)})) == ["T2"]  # Dice 0.953


def test_real_scans_cover_one_brain_and_those_of_two_patients_do_not(real_data):
    """Cut to every other voxel each way."""
    images = "brats20_full/MICCAI_BraTS2020_TrainingData/BraTS20_Training_"
    files = {
        (n, name): real_data / f"{images}{n}/BraTS20_Training_{n}_{name}.nii.gz"
        for n in (209, 273)
        for name in ("t1", "flair")
    }
    covered = {key: read_volume(path, None).array[::2, ::2, ::2] != 0 for key, path in files.items()}
    for n in (209, 273):
        assert find_other_brain({"T1": covered[n, "t1"], "FLAIR": covered[n, "flair"]}) == {}
    found = find_other_brain({"T1": covered[209, "t1"], "FLAIR": covered[273, "flair"]})
    assert "a different brain than T1 (Dice 0.9" in found["FLAIR"]


def test_more_than_a_head_asks_for_the_spacing():
    thick = Volume(BRAIN, np.diag([4.0, 4, 20, 1]), "t1.nii")  # 7168 ml
    told = (
        "7168 ml of voxels that are not 0, 10% of the image, more than a head has with voxels of 4 x 4 x 20 mm: wrong"
    )
    assert why_not_stripped(thick).startswith(told)
    with pytest.raises(InputError, match=r"around the brain\. Do this\."):
        require_stripped(thick, "Do this.")
    assert "voxel size" not in reason(ball(85))
    noise = Volume(np.pad(np.ones((40, 40, 40)), ((0, 4), (0, 4), (0, 10))), np.diag([4.0, 4, 6, 1]))  # 66 % of the box
    assert "6144 ml" in why_not_stripped(noise) and "voxel size" not in why_not_stripped(noise)
