"""Backgrounds, z-scores and stripped brains: what the guesses rest on, by hand."""

import numpy as np
import pytest

from glioma_idh.imaging.guesses import guess_background, guess_head, guess_intensities, looks_stripped
from glioma_idh.imaging.volumes import Volume


def test_the_background_is_what_all_eight_corners_share():
    array = np.random.default_rng(0).normal(size=(4, 5, 6))
    for corner in np.ndindex(2, 2, 2):
        array[tuple(-part for part in corner)] = -3
    assert guess_background(array) == -3
    array[0, -1, 0] = -2.9
    assert guess_background(array) == 0


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
    assert guess_intensities(np.array(values, float), box_ml) == kind


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
    assert guess_head(tissue_ml, box_ml) == kind


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
