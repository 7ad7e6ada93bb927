"""Voxel grids, and smooth random fields on them: cubic B-splines through random lattices defined in millimetres."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

EXTENT_MM = ((-86.0, 86.0), (-122.0, 88.0), (-72.0, 96.0))  # first and last voxel centre in ICBM152 space, with margin
SPLINE_VARIANCE = 151 / 315  # variance of white noise interpolated with cubic B-splines: mean sum of squared weights


@dataclass(frozen=True)
class Grid:
    """A grid of cubic voxels."""

    shape: tuple[int, int, int]  # number of voxels along (i, j, k)
    spacing_mm: float  # edge length of a voxel

    @property
    def affine(self) -> np.ndarray:
        """Matrix from voxel index to millimetres, RAS+, 4 x 4."""
        affine = np.diag([self.spacing_mm] * 3 + [1.0])
        affine[:3, 3] = [first for first, _ in EXTENT_MM]
        return affine

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel, ml."""
        return self.spacing_mm**3 / 1000

    def axes_mm(self) -> list[np.ndarray]:
        """Return the positions of the voxel centres along each axis, mm, in shapes that broadcast to (i, j, k)."""
        indices = np.ogrid[tuple(slice(n) for n in self.shape)]
        return [first + self.spacing_mm * index for (first, _), index in zip(EXTENT_MM, indices, strict=True)]


def make_grid(spacing_mm: float) -> Grid:
    """Return the grid of cubic voxels that fills EXTENT_MM."""
    i, j, k = (int((last - first) / spacing_mm) + 1 for first, last in EXTENT_MM)
    return Grid((i, j, k), spacing_mm)


@dataclass(frozen=True)
class Lattice:
    """Random numbers on a coarse lattice over EXTENT_MM."""

    values: np.ndarray  # standard normal, shape (a, b, c)
    length_mm: float  # distance between the points; the field varies over about twice this distance


def draw_lattice(rng: np.random.Generator, length_mm: float) -> Lattice:
    """Draw a lattice with points at this distance."""
    shape = [int(np.ceil((last - first) / length_mm)) + 4 for first, last in EXTENT_MM]
    return Lattice(rng.standard_normal(shape, dtype=np.float32), length_mm)


def spline_weights(num_voxels: int, num_points: int, step: float) -> sparse.csr_array:
    """Return the cubic B-spline weights of the lattice points of one axis, sparse, shape (num_voxels, num_points).

    `step` is the distance of two voxels, in lattice steps.
    """
    place = step * np.arange(num_voxels)
    first, t = np.floor(place).astype(int), place % 1
    weights = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1) / 6
    columns = np.minimum(first[:, None] + np.arange(4), num_points - 1)
    rows = np.repeat(np.arange(num_voxels), 4)
    return sparse.csr_array((weights.ravel().astype(np.float32), (rows, columns.ravel())), (num_voxels, num_points))


def smooth_field(lattice: Lattice, grid: Grid) -> np.ndarray:
    """Interpolate a lattice at every voxel: a smooth field with mean 0 and variance 1, shape (i, j, k), float32.

    Sparse products are used instead of BLAS, because they add in the same order for any number of threads, so that the
    result is exactly reproducible.
    """
    field = lattice.values
    for num_voxels in grid.shape:
        num_points, *others = field.shape
        weights = spline_weights(num_voxels, num_points, grid.spacing_mm / lattice.length_mm)
        field = weights @ field.reshape(num_points, -1)
        field = np.moveaxis(field.reshape(num_voxels, *others), 0, -1)  # then the next axis is the first
    return np.ascontiguousarray(field) / np.float32(SPLINE_VARIANCE**1.5)
