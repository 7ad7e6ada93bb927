"""A volume comes back from SimpleITK as it went, and both agree where a voxel lies."""

import numpy as np
import pytest

from glioma_idh.imaging.resampling import from_itk, matrix_of, to_itk, to_itk_transform
from glioma_idh.imaging.volumes import Volume

sitk = pytest.importorskip("SimpleITK")

TILT = np.deg2rad(20)
OBLIQUE = np.array(
    [
        [0.9, 0, 0, -80.0],
        [0, 1.1 * np.cos(TILT), -5.5 * np.sin(TILT), -70],
        [0, 1.1 * np.sin(TILT), 5.5 * np.cos(TILT), 12],
        [0, 0, 0, 1],
    ]
)


def test_volume_comes_back():
    volume = Volume(np.random.default_rng(0).normal(size=(7, 5, 3)).astype(np.float32), OBLIQUE)
    back = from_itk(to_itk(volume))
    assert np.array_equal(back.array, volume.array)
    assert back.affine == pytest.approx(OBLIQUE, abs=1e-9)


def test_both_place_a_voxel_alike():
    volume = Volume(np.zeros((7, 5, 3), np.float32), OBLIQUE)
    x, y, z, _ = OBLIQUE @ [6, 1, 2, 1]
    assert to_itk(volume).TransformIndexToPhysicalPoint((6, 1, 2)) == pytest.approx((-x, -y, z))


def test_a_sheared_grid_stays_sheared():
    sheared = OBLIQUE @ np.array([[1, 0.2, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    back = from_itk(to_itk(Volume(np.zeros((7, 5, 3), np.float32), sheared)))
    assert back.affine == pytest.approx(sheared, abs=1e-9)


def test_matrix_comes_back_and_moves_points_alike():
    matrix = np.eye(4)
    matrix[:3] = [[0, -1, 0, 5], [1, 0, 0, -3], [0, 0, 1, 2]]  # a quarter turn and a shift
    transform = to_itk_transform(matrix)
    assert matrix_of(transform) == pytest.approx(matrix)
    x, y, z, _ = matrix @ [10, 20, 30, 1]
    assert transform.TransformPoint((-10.0, -20.0, 30.0)) == pytest.approx((-x, -y, z))


def test_centre_of_a_transform_counts():
    turn = sitk.Euler3DTransform((10.0, 0.0, 0.0), 0, 0, np.pi)
    assert matrix_of(turn) @ [-10, 0, 0, 1] == pytest.approx([-10, 0, 0, 1])
