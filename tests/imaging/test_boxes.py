"""Boxes of masks drawn by hand."""

import numpy as np
import pytest

from glioma_idh.imaging.volumes import bounding_box, crop, widest_axial_slice


def test_box_holds_every_voxel_and_no_more():
    mask = np.zeros((9, 8, 7), bool)
    mask[2, 3, 4] = mask[5, 3, 6] = True
    assert bounding_box(mask) == ((2, 6), (3, 4), (4, 7))
    assert bounding_box(mask[2]) == ((3, 4), (4, 5))
    assert crop(mask, bounding_box(mask)).sum() == 2


def test_empty_mask_has_no_box():
    with pytest.raises(ValueError, match="empty"):
        bounding_box(np.zeros((3, 3), bool))


def test_widest_slice_has_most_voxels_and_is_the_lowest_of_equals():
    mask = np.zeros((5, 5, 5), bool)
    mask[1:3, 1:3, 1] = True
    mask[0:5, 2, 3] = mask[0:5, 2, 4] = True
    assert widest_axial_slice(mask) == 3


def test_widest_slice_counts_voxels_whatever_their_label():
    mask = np.zeros((5, 5, 5), np.uint8)
    mask[1:3, 1:3, 1] = 4
    mask[0:5, 2, 3] = 1
    assert widest_axial_slice(mask) == 3
