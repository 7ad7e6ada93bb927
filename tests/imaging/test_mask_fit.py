"""A lesion stands out from what lies around it; a flipped mask is found where it does."""

import numpy as np
import pytest

from glioma_idh.imaging.axes import find_flip, lesion_auc

SHAPE, SPACING = (40, 44, 20), (1.0, 1.0, 3.0)
BRAIN = np.zeros(SHAPE, dtype=bool)
BRAIN[3:37, 3:41, 2:18] = True
LESION = np.zeros(SHAPE, dtype=bool)
LESION[6:14, 8:16, 4:9] = True


def scan(difference, seed=0):
    """Noise of standard deviation 1 in the brain, the lesion brighter by `difference`; outside 0."""
    image = np.random.default_rng(seed).normal(20, 1, SHAPE) + difference * LESION
    return np.where(BRAIN, image, 0).astype(np.float32)


@pytest.mark.parametrize(("difference", "auc"), [(0, 0.5), (1, 0.7602), (-1, 0.2398), (10, 1.0)])
def test_standing_out_is_the_auc_of_two_normal_distributions(difference, auc):
    assert lesion_auc(scan(difference), LESION, BRAIN, SPACING) == pytest.approx(auc, abs=0.03)


def test_only_what_lies_within_six_mm_and_in_the_brain_counts():
    image = scan(1)
    near = np.zeros(SHAPE, dtype=bool)
    near[0:20, 2:22, 2:11] = True  # 6 mm: 6 voxels in the plane, 2 slices
    changed = np.where(near, image, 500)
    assert lesion_auc(changed, LESION, BRAIN, SPACING) == lesion_auc(image, LESION, BRAIN, SPACING)
    assert lesion_auc(np.where(BRAIN, image, 500), LESION, BRAIN, SPACING) == lesion_auc(image, LESION, BRAIN, SPACING)


def test_of_too_few_voxels_nothing_is_said():
    small = np.zeros(SHAPE, dtype=bool)
    small[10:12, 10:13, 5:8] = True
    assert np.isnan(lesion_auc(scan(1), small, BRAIN, SPACING))
    assert np.isnan(lesion_auc(scan(1), np.zeros(SHAPE, dtype=bool), BRAIN, SPACING))
    assert find_flip(scan(1), small, BRAIN, SPACING) is None


@pytest.mark.parametrize("difference", [4, -4])
@pytest.mark.parametrize(("axis", "direction"), [(0, "left to right"), (1, "back to front"), (2, "top to bottom")])
def test_a_flipped_mask_is_found_and_how(axis, direction, difference):
    found, given, flipped = find_flip(scan(difference), np.flip(LESION, axis), BRAIN, SPACING)
    assert found == direction
    assert abs(flipped - 0.5) > 0.49 and abs(given - 0.5) < 0.2


def test_a_right_mask_and_one_that_shows_nothing_are_left_alone():
    assert find_flip(scan(4), LESION, BRAIN, SPACING) is None
    for axis in range(3):
        assert find_flip(scan(0.5), np.flip(LESION, axis), BRAIN, SPACING) is None  # too faint to tell
