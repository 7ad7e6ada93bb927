"""Axes that a header does not tell are found of whole heads, and nothing is said of right ones and of crops."""

import itertools

import numpy as np
import pytest

from glioma_idh.imaging.axes import find_wrong_axes
from glioma_idh.imaging.volumes import read_volume
from tests.imaging.heads import SPACING_MM, head

WRONG = list(itertools.permutations(range(3)))[1:]


@pytest.mark.parametrize("order", WRONG)
def test_every_other_order_of_axes_is_found(order):
    said = find_wrong_axes(head().transpose(order), SPACING_MM)
    assert "Are the axes in its header right?" in said
    if order == (0, 2, 1):
        assert said.startswith("It is 174 mm high and 132 mm from back to front, unlike any head.")
    else:
        way = {1: "back to front", 2: "bottom to top"}[order.index(0)]
        assert said.startswith(f"The image is more symmetric from {way} (correlation with its mirror image ")


def test_of_right_axes_flipped_ones_z_scores_and_integers_nothing_is_said():
    image = head()
    assert find_wrong_axes(image, SPACING_MM) == ""
    assert find_wrong_axes(np.flip(image), SPACING_MM) == ""
    brain = image != 0
    assert find_wrong_axes(np.where(brain, (image - 300) / 80, 0), SPACING_MM) == ""
    assert find_wrong_axes((image - 300) / 80, SPACING_MM) == ""  # a background that is not 0
    assert find_wrong_axes(np.asfortranarray(image.astype(np.int16)), SPACING_MM) == ""
    assert find_wrong_axes(np.roll(image, 3, axis=0), SPACING_MM) == ""


def test_of_crops_of_small_boxes_and_of_nothing_nothing_is_said():
    turned = head().transpose(1, 0, 2)
    assert find_wrong_axes(turned, SPACING_MM) != ""
    assert find_wrong_axes(turned[20:50, 20:50], SPACING_MM) == ""  # cut along two axes
    assert find_wrong_axes(turned[:, :, 10:], SPACING_MM) != ""  # cut at the neck
    assert find_wrong_axes(turned, (1.0, 1.0, 1.0)) == ""
    assert find_wrong_axes(np.zeros((60, 60, 60)), SPACING_MM) == ""
    speck = np.zeros((60, 60, 60))
    speck[30, 30, 30:33] = 1, 2, 3
    assert find_wrong_axes(speck, SPACING_MM) == ""


def test_a_header_that_has_lost_the_size_of_the_voxels_hides_nothing():
    fine = np.kron(head()[::2].transpose(2, 1, 0), np.ones((1, 2, 4)))  # 54 x 144 x 120 voxels
    assert "left to right" in find_wrong_axes(fine, (1.0, 1.0, 1.0))


@pytest.mark.integration
def test_real_brains_are_found_in_each_order_but_their_own(real_data):
    files = sorted(real_data.glob("brats20_full/*/*/*_t1ce.nii*"))
    assert len(files) == 6
    for file in files:
        image = read_volume(file)
        assert find_wrong_axes(image.array, image.spacing_mm) == ""
        assert all(find_wrong_axes(image.array.transpose(order), image.spacing_mm) for order in WRONG)
