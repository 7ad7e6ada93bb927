"""Voxels are read where the grid and the matrix say; transforms come back from disk and open elsewhere."""

import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.resampling import (
    from_itk,
    isotropic_grid,
    read_transform,
    resample,
    rigid_matrix,
    smooth_for,
    to_itk,
    write_transform,
)
from glioma_idh.imaging.volumes import Volume

sitk = pytest.importorskip("SimpleITK")

TILT = np.deg2rad(17)
THICK = np.array(
    [
        [0.9, 0, 0, -20.0],
        [0, 0.9 * np.cos(TILT), -5.5 * np.sin(TILT), -10],
        [0, 0.9 * np.sin(TILT), 5.5 * np.cos(TILT), 5],
        [0, 0, 0, 1],
    ]
)
SLOPE = np.array([2.0, -3.0, 5.0, 700.0])
"""A ramp: 2 x - 3 y + 5 z + 700 at a place in mm."""


def ramp(shape, affine) -> Volume:
    """The ramp on a grid."""
    places = np.moveaxis(np.indices(shape), 0, -1)
    return Volume(np.concatenate([places, np.ones((*shape, 1))], axis=-1) @ (SLOPE @ affine), affine)


def scaled(edges_mm, corner_mm=(0, 0, 0)) -> np.ndarray:
    affine = np.diag([*map(float, edges_mm), 1.0])
    affine[:3, 3] = corner_mm
    return affine


def test_quarter_turn_about_a_centre_by_hand():
    matrix = rigid_matrix((0, 0, 90), (1, 2, 3), (10, 20, 30))
    assert matrix @ [10, 20, 30, 1] == pytest.approx([11, 22, 33, 1])  # the centre is shifted alone
    assert matrix @ [11, 20, 30, 1] == pytest.approx([11, 23, 33, 1])  # right of it becomes in front of it
    x_then_y = rigid_matrix((90, 90, 0), (0, 0, 0), (0, 0, 0))
    assert x_then_y @ [0, 1, 0, 1] == pytest.approx([1, 0, 0, 1])  # front -> top -> right


def test_isotropic_grid_by_hand():
    grid = isotropic_grid(Volume(np.ones((4, 6, 3)), scaled((1, 2, 5), (10, 20, 30))), 2.0)
    assert grid.array.shape == (2, 6, 8)  # 4, 12 and 15 mm
    assert not grid.array.any()
    assert grid.affine == pytest.approx(scaled((2, 2, 2), (10.5, 20, 28)))  # half a millimetre beyond either end of k


def test_isotropic_grid_of_an_extent_that_is_no_whole_number_by_rounding_alone():
    assert 1.1 * 3 / 3.3 > 1  # of floats
    assert isotropic_grid(Volume(np.ones((3, 6, 9)), scaled((1.1, 1.1, 1.1))), 3.3).array.shape == (1, 2, 3)


def test_isotropic_grid_keeps_axes_and_covers_the_image():
    image = Volume(np.zeros((30, 30, 8)), THICK)
    grid = isotropic_grid(image, 1.0)
    assert grid.spacing_mm == pytest.approx([1, 1, 1])
    assert grid.affine[:3, :3] == pytest.approx(THICK[:3, :3] / [0.9, 0.9, 5.5])
    corners = np.linalg.inv(grid.affine) @ THICK @ np.array([[-0.5, -0.5, -0.5, 1], [29.5, 29.5, 7.5, 1]]).T
    assert (corners[:3, 0] <= -0.5 + 1e-6).all() and (corners[:3, 1] >= np.array(grid.array.shape) - 0.5 - 1e-6).all()


@pytest.mark.parametrize("order", ["linear", "cubic"])
@pytest.mark.parametrize("edges_mm", [(1, 1, 1), (3, 3, 3), (2, 2, 6)])
def test_ramp_stays_a_ramp_on_finer_and_coarser_grids(order, edges_mm):
    """Smoothing before reading a coarse grid leaves a ramp as it is, off the borders."""
    image = ramp((60, 60, 24), THICK)
    matrix = rigid_matrix((4, -3, 5), (2, 1, -1), (5, 10, 60))
    grid = ramp((5, 4, 3), scaled(edges_mm, (2, 5, 60)))
    expected = ramp((5, 4, 3), matrix @ grid.affine).array  # the image's value at each voxel's place in it
    assert resample(image, grid, matrix, order).array == pytest.approx(expected, abs=0.5 if order == "cubic" else 0.01)


def test_constant_stays_constant_up_to_the_border_and_outside_is_0():
    image = Volume(np.full((20, 20, 6), 7.0), THICK)
    fine = resample(image, isotropic_grid(image, 2.0))
    assert set(np.round(np.unique(fine.array), 4)) <= {0, 7}
    assert fine.array[2:-2, 2:-2, 2:-2] == pytest.approx(7, abs=1e-4)
    away = Volume(np.zeros((3, 3, 3)), scaled((1, 1, 1), (500, 0, 0)))
    assert not resample(image, away).array.any()


def test_nothing_between_coarse_voxels_is_passed_over():
    """Stripes one voxel wide, 0 and 100, read at every fourth voxel: their mean, not one of them."""
    stripes = np.zeros((64, 16, 8), np.float32)
    stripes[::2] = 100
    image = Volume(stripes, scaled((1, 1, 5)))
    coarse = resample(image, Volume(np.zeros((16, 4, 8)), scaled((4, 4, 5))))
    assert coarse.array[4:-4] == pytest.approx(50, abs=2)
    same = resample(image, image)
    assert np.array_equal(same.array, stripes)
    thin_slices = resample(image, Volume(np.zeros((64, 16, 40)), scaled((1, 1, 1))))
    assert thin_slices.array[:, :, ::5][..., :8] == pytest.approx(stripes)  # finer along k alone: nothing is smoothed


@pytest.mark.parametrize("edge_mm", [1.0, 2.0])
def test_smoothing_is_half_a_coarse_voxel_wide_less_half_a_fine_one_in_squares(edge_mm):
    """Every third voxel along i, every second along k: of standard deviations 3/2 and 2/2 voxels, less 1/2 each."""
    spot = np.zeros((31, 5, 21), np.float32)
    spot[15, 2, 10] = 1
    affine = scaled((edge_mm, 1, edge_mm))
    grid_affine = affine @ scaled((3, 1, 2))
    smooth = from_itk(smooth_for(to_itk(Volume(spot, affine)), affine, grid_affine, np.eye(4))).array
    for axis, variance in ((0, (9 - 1) / 4), (1, 0), (2, (4 - 1) / 4)):
        profile = smooth.sum(axis=tuple({0, 1, 2} - {axis}))
        offset = np.arange(len(profile)) - np.argmax(spot.sum(axis=tuple({0, 1, 2} - {axis})))
        assert profile.sum() == pytest.approx(1, abs=1e-3)
        assert profile @ offset**2 == pytest.approx(variance, abs=0.1)  # its kernel ends at 99 %


def test_cubic_keeps_a_wave_that_linear_flattens():
    """Read half-way between voxels, at the top of a wave of six voxels: linear gives cos(30 degrees) of it."""
    wave = np.cos(2 * np.pi * (np.arange(60) - 0.5) / 6)[:, None, None] * np.ones((60, 5, 5))
    image, grid = Volume(wave, np.eye(4)), Volume(np.zeros((30, 5, 5)), scaled((1, 1, 1), (0.5, 0, 0)))
    middle = np.s_[12:25:6, 2, 2]
    assert resample(image, grid, order="linear").array[middle] == pytest.approx(np.cos(np.pi / 6), abs=1e-3)
    assert resample(image, grid, order="cubic").array[middle] == pytest.approx(1, abs=0.02)


def test_smoothing_follows_the_turn_of_the_matrix():
    """The same stripes under a quarter turn, read coarsely along j: that runs along their i."""
    stripes = np.zeros((64, 64, 8), np.float32)
    stripes[::2] = 100
    turn = rigid_matrix((0, 0, 90), (0, 0, 0), (31.5, 31.5, 0))
    coarse = resample(Volume(stripes, np.eye(4)), Volume(np.zeros((16, 16, 8)), scaled((1, 4, 1), (24, 1, 0))), turn)
    assert coarse.array[:, 4:-4] == pytest.approx(50, abs=2)


def test_matrix_leads_from_the_grid_to_the_image():
    image = Volume(np.zeros((9, 9, 9), np.float32), np.eye(4))
    image.array[6, 4, 4] = 1
    read = resample(image, image, rigid_matrix((0, 0, 0), (2, 0, 0), (0, 0, 0)))
    assert np.argwhere(read.array).tolist() == [[4, 4, 4]]  # tissue 2 mm to the right in the image comes back


def test_masks_keep_their_labels_and_go_back_by_the_inverse():
    labels = np.zeros((40, 40, 30), np.uint8)
    labels[8:28, 10:30, 6:22], labels[14:22, 14:24, 10:18] = 2, 4
    mask = Volume(labels, scaled((1, 1, 1)))
    matrix = rigid_matrix((6, -8, 12), (3, -2, 1), (20, 20, 15))
    grid = Volume(np.zeros((120, 120, 110)), scaled((0.5, 0.5, 0.5), (-10, -10, -12)))
    there = resample(mask, grid, matrix, order="nearest")
    assert there.array.dtype == np.uint8 and set(np.unique(there.array)) == {0, 2, 4}
    assert np.count_nonzero(there.array) / 8 == pytest.approx(np.count_nonzero(labels), rel=0.01)
    back = resample(there, mask, np.linalg.inv(matrix), order="nearest")
    assert np.mean(back.array == labels) > 0.99
    assert resample(Volume(labels > 0, mask.affine), grid, matrix, "nearest").array.dtype == bool


def test_series_is_read_volume_by_volume():
    image = ramp((30, 30, 12), THICK)
    series = Volume(np.stack([image.array, 2 * image.array], axis=-1), THICK)
    grid = Volume(np.zeros((5, 4, 3, 9)), scaled((2, 2, 2), (0, 5, 30)))
    read = resample(series, grid)
    assert read.array.shape == (5, 4, 3, 2)
    assert np.array_equal(read.array[..., 0], resample(image, grid).array)
    assert read.array[..., 1] == pytest.approx(2 * read.array[..., 0], rel=1e-5)


def test_transform_comes_back_and_simpleitk_reads_it_alike(tmp_path):
    matrix = rigid_matrix((4, -3, 5), (10, 20, -30), (5, 10, 60))
    write_transform(tmp_path / "ünter a/t2 to t1gd.tfm", matrix)
    assert read_transform(tmp_path / "ünter a/t2 to t1gd.tfm") == pytest.approx(matrix, abs=1e-9)
    x, y, z, _ = matrix @ [10, 20, 30, 1]
    read = sitk.ReadTransform(str(tmp_path / "ünter a/t2 to t1gd.tfm"))
    assert read.TransformPoint((-10.0, -20.0, 30.0)) == pytest.approx((-x, -y, z))
    assert [path.name for path in (tmp_path / "ünter a").iterdir()] == ["t2 to t1gd.tfm"]


def test_rigid_transform_of_others_is_read(tmp_path):
    turn = sitk.Euler3DTransform((10.0, 0.0, 0.0), 0, 0, np.pi)
    sitk.WriteTransform(turn, str(tmp_path / "turn.tfm"))
    assert read_transform(tmp_path / "turn.tfm") @ [-10, 0, 0, 1] == pytest.approx([-10, 0, 0, 1])


def test_files_that_are_no_transform(tmp_path):
    with pytest.raises(InputError, match="none.tfm: expected an ITK transform file"):
        read_transform(tmp_path / "none.tfm")
    (tmp_path / "text.tfm").write_text("not a transform")
    with pytest.raises(InputError, match="text.tfm: expected an ITK transform file"):
        read_transform(tmp_path / "text.tfm")
    sitk.WriteTransform(sitk.BSplineTransform(3, 3), str(tmp_path / "bend.tfm"))
    with pytest.raises(InputError, match="expected a rigid or affine transform"):
        read_transform(tmp_path / "bend.tfm")
