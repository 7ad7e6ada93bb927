"""Grids, and smooth random fields read from lattices."""

import numpy as np
import pytest

from glioma_idh.phantom.fields import EXTENT_MM, Lattice, draw_lattice, make_grid, smooth_field, spline_weights


def test_a_grid_fills_the_extent():
    grid = make_grid(2.0)
    assert grid.shape == (87, 106, 85)
    assert np.allclose(grid.affine @ [0, 0, 0, 1], [-86, -122, -72, 1])
    assert np.allclose(grid.affine @ [86, 105, 84, 1], [86, 88, 96, 1])
    assert grid.voxel_ml == 0.008


def test_spline_weights_on_a_lattice_point_and_half_way():
    weights = spline_weights(2, 5, 0.5).toarray()
    assert np.allclose(weights[0], [1 / 6, 4 / 6, 1 / 6, 0, 0])
    assert np.allclose(weights[1], [1 / 48, 23 / 48, 23 / 48, 1 / 48, 0])


def test_a_constant_lattice_gives_a_constant_field():
    grid = make_grid(6.0)
    lattice = draw_lattice(np.random.default_rng(0), 20.0)
    field = smooth_field(Lattice(np.ones_like(lattice.values), 20.0), grid)
    assert np.allclose(field, (315 / 151) ** 1.5)


def test_a_field_has_unit_variance():
    fields = smooth_field(draw_lattice(np.random.default_rng(0), 5.0), make_grid(2.0))
    assert fields.std() == pytest.approx(1, abs=0.03)


def test_a_field_is_the_same_at_any_voxel_size():
    lattice = draw_lattice(np.random.default_rng(0), 15.0)
    coarse, fine = smooth_field(lattice, make_grid(6.0)), smooth_field(lattice, make_grid(2.0))
    assert fine[::3, ::3, ::3].shape == coarse.shape == tuple(int((b - a) / 6) + 1 for a, b in EXTENT_MM)
    assert np.allclose(fine[::3, ::3, ::3], coarse, atol=1e-5)
