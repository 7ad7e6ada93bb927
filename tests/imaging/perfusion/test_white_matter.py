"""Normal white matter of blocks whose sides are known."""

import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.perfusion.blood_volume import (
    check_white_matter,
    normal_white_matter,
    scale_to_white_matter,
)

SHAPE = (40, 30, 20)
AFFINE = np.diag([2.0, 2.0, 4.0, 1.0])


def block(i, j=(5, 25), k=(4, 16)):
    """A mask of a block."""
    mask = np.zeros(SHAPE, bool)
    mask[slice(*i), slice(*j), slice(*k)] = True
    return mask


def test_without_a_lesion_all_of_it_eroded_once():
    white = normal_white_matter(block((4, 36)).astype(float), AFFINE)
    assert (white == block((5, 35), (6, 24), (5, 15))).all()


def test_a_voxel_is_white_matter_that_is_so_to_more_than_nine_tenths():
    share = np.where(block((4, 20)), 0.95, 0.85)
    assert (normal_white_matter(share, AFFINE) == block((5, 19), (6, 24), (5, 15))).all()


def test_little_white_matter_is_not_eroded():
    small = block((4, 8), (5, 9), (4, 8))  # 64 voxels of 16 mm3; 8 of them would remain
    assert (normal_white_matter(small.astype(float), AFFINE) == small).all()


def test_the_side_away_from_the_lesion_and_off_its_mirror_image():
    lesion = block((28, 32), (10, 14), (8, 12))
    white = normal_white_matter(block((4, 36)).astype(float), AFFINE, lesion, lesion[::-1])
    expected = block((5, 20), (6, 24), (5, 15))  # the plane between the two lies between voxels 19 and 20
    assert not white[20:].any()
    assert not (white & ~expected).any()
    mirrored = lesion[::-1]
    assert not (white & mirrored).any()
    rows = np.flatnonzero(white[:, 12, 10])  # along the row through the mirror image, voxels 8 to 11
    assert rows.tolist() == [5, *range(14, 20)]  # voxels within 5 mm, of 2 mm each, are left out


def test_a_lesion_across_the_midline_leaves_both_sides():
    lesion = block((16, 25), (10, 14), (8, 12))
    white = normal_white_matter(block((4, 36)).astype(float), AFFINE, lesion, lesion[::-1])
    assert white[:15].any()
    assert white[26:].any()


def test_a_lesion_that_crosses_the_midline_by_a_fifth_leaves_both_sides():
    lesion = block((19, 29), (10, 14), (8, 12))  # its mirror image is 11 to 21
    white = normal_white_matter(block((4, 36)).astype(float), AFFINE, lesion, lesion[::-1])
    assert white[:8].any() and white[32:].any()


def test_an_oblique_grid_has_the_same_far_side():
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
    oblique = np.eye(4)
    oblique[:3, :3], oblique[:3, 3] = turn @ AFFINE[:3, :3], (30, -20, 5)
    lesion = block((28, 32), (10, 14), (8, 12))
    share = block((4, 36)).astype(float)
    straight = normal_white_matter(share, AFFINE, lesion, lesion[::-1])
    assert (normal_white_matter(share, oblique, lesion, lesion[::-1]) == straight).all()


def test_nothing_left_is_an_error():
    with pytest.raises(InputError, match="expected normal white matter away from the lesion"):
        normal_white_matter(np.zeros(SHAPE), AFFINE)
    with pytest.raises(InputError, match="Give a mask of normal white matter"):
        normal_white_matter(block((20, 36)).astype(float), AFFINE, block((18, 38)), block((2, 22)))


def test_a_given_mask_must_lie_in_the_brain_and_off_the_lesion():
    brain, white = block((4, 36)), block((6, 10))
    check_white_matter(white, brain, block((28, 32)))
    with pytest.raises(InputError, match="found an empty mask"):
        check_white_matter(np.zeros(SHAPE, bool), brain, brain)
    with pytest.raises(InputError, match="all outside the brain"):
        check_white_matter(block((0, 2)), brain, block((28, 32)))
    with pytest.raises(InputError, match="found 480 of its 960 voxels inside the lesion"):
        check_white_matter(white, brain, block((8, 20)))


def test_the_unit_is_the_median_of_white_matter():
    values, white = np.array([2.0, 2.0, 10.0, 6.0]), np.array([True, True, True, False])
    assert scale_to_white_matter(values, white).tolist() == [1, 1, 5, 3]
    with pytest.raises(InputError, match="expected a positive blood volume"):
        scale_to_white_matter(-values, white)
    with pytest.raises(InputError, match="in 0 voxels"):
        scale_to_white_matter(values, np.zeros(4, bool))
