"""Axes that a header does not tell are found of whole heads, and nothing is said of right ones and of crops."""

import itertools

import numpy as np
import pytest

from glioma_idh.imaging.axes import find_turned
from glioma_idh.imaging.volumes import read_volume
from tests.imaging.heads import SPACING_MM, head

WRONG = list(itertools.permutations(range(3)))[1:]


@pytest.mark.parametrize("order", WRONG)
def test_every_other_order_of_axes_is_found(order):
    said = find_turned(head().transpose(order), SPACING_MM)
    assert "Do its axes run as its header says?" in said
    if order == (0, 2, 1):
        assert said.startswith("It is 174 mm high and 132 mm from back to front, as no head is.")
    else:
        way = {1: "back to front", 2: "bottom to top"}[order.index(0)]
        assert said.startswith(f"Mirrored from {way} it correlates with itself at ")


def test_of_right_axes_flipped_ones_z_scores_and_integers_nothing_is_said():
    image = head()
    assert find_turned(image, SPACING_MM) == ""
    assert find_turned(np.flip(image), SPACING_MM) == ""
    brain = image != 0
    assert find_turned(np.where(brain, (image - 300) / 80, 0), SPACING_MM) == ""
    assert find_turned((image - 300) / 80, SPACING_MM) == ""  # a background that is not 0
    assert find_turned(np.asfortranarray(image.astype(np.int16)), SPACING_MM) == ""
    assert find_turned(np.roll(image, 3, axis=0), SPACING_MM) == ""


def test_of_crops_of_small_boxes_and_of_nothing_nothing_is_said():
    turned = head().transpose(1, 0, 2)
    assert find_turned(turned, SPACING_MM) != ""
    assert find_turned(turned[20:50, 20:50], SPACING_MM) == ""  # cut along two axes
    assert find_turned(turned[:, :, 10:], SPACING_MM) != ""  # cut at the neck
    assert find_turned(turned, (1.0, 1.0, 1.0)) == ""
    assert find_turned(np.zeros((60, 60, 60)), SPACING_MM) == ""
    speck = np.zeros((60, 60, 60))
    speck[30, 30, 30:33] = 1, 2, 3
    assert find_turned(speck, SPACING_MM) == ""


def test_a_header_that_has_lost_the_size_of_the_voxels_hides_nothing():
    fine = np.kron(head()[::2].transpose(2, 1, 0), np.ones((1, 2, 4)))  # 54 x 144 x 120 voxels
    assert "left to right" in find_turned(fine, (1.0, 1.0, 1.0))


@pytest.mark.integration
def test_real_brains_are_found_in_each_order_but_their_own(real_data):
    files = sorted(real_data.glob("brats20_full/*/*/*_t1ce.nii*"))
    assert len(files) == 6
    for file in files:
        image = read_volume(file)
        assert find_turned(image.array, image.spacing_mm) == ""
        assert all(find_turned(image.array.transpose(order), image.spacing_mm) for order in WRONG)
