"""Grids in space, and smooth random fields on them: cubic B-splines through lattices drawn once, in millimetres."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

EXTENT_MM = ((-86.0, 86.0), (-122.0, 88.0), (-72.0, 96.0))  # first and last voxel centre in ICBM152 space, a margin in
SPLINE_VARIANCE = 151 / 315  # mean of the sum of the squared cubic B-spline weights: of white noise read so


@dataclass(frozen=True)
class Grid:
    """Centres of cubic voxels in space."""

    shape: tuple[int, int, int]  # number along (i, j, k)
    spacing_mm: float  # edge length

    @property
    def affine(self) -> np.ndarray:
        """4 x 4, voxel index to millimetres, RAS+."""
        affine = np.diag([self.spacing_mm] * 3 + [1.0])
        affine[:3, 3] = [first for first, _ in EXTENT_MM]
        return affine

    @property
    def voxel_ml(self) -> float:
        return self.spacing_mm**3 / 1000

    def axes_mm(self) -> list[np.ndarray]:
        """Positions of the voxel centres along each axis, mm, shaped to broadcast against (i, j, k)."""
        indices = np.ogrid[tuple(slice(n) for n in self.shape)]
        return [first + self.spacing_mm * index for (first, _), index in zip(EXTENT_MM, indices, strict=True)]


def make_grid(spacing_mm: float) -> Grid:
    """The grid of cubic voxels that fills EXTENT_MM."""
    i, j, k = (int((last - first) / spacing_mm) + 1 for first, last in EXTENT_MM)
    return Grid((i, j, k), spacing_mm)


@dataclass(frozen=True)
class Lattice:
    """Random numbers on a coarse lattice over EXTENT_MM."""

    values: np.ndarray  # standard normal, shape (a, b, c)
    length_mm: float  # distance of the points; the field varies over about twice that


def draw_lattice(rng: np.random.Generator, length_mm: float) -> Lattice:
    shape = [int(np.ceil((last - first) / length_mm)) + 4 for first, last in EXTENT_MM]
    return Lattice(rng.standard_normal(shape, dtype=np.float32), length_mm)


def spline_weights(num_voxels: int, num_points: int, step: float):
    """Cubic B-spline weights of an axis' lattice points at its voxels, `step` lattice steps apart; sparse, by voxel."""
    place = step * np.arange(num_voxels)
    first, t = np.floor(place).astype(int), place % 1
    weights = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1) / 6
    columns = np.minimum(first[:, None] + np.arange(4), num_points - 1)
    rows = np.repeat(np.arange(num_voxels), 4)
    return sparse.csr_array((weights.ravel().astype(np.float32), (rows, columns.ravel())), (num_voxels, num_points))


def smooth_field(lattice: Lattice, grid: Grid) -> np.ndarray:
    """Read a lattice at every voxel: mean 0, variance 1, smooth. Shape (i, j, k), float32.

    Sparse products, not BLAS: the sums run in one order whatever the number of threads, so results repeat to the bit.
    """
    field = lattice.values
    for num_voxels in grid.shape:
        num_points, *others = field.shape
        weights = spline_weights(num_voxels, num_points, grid.spacing_mm / lattice.length_mm)
        field = weights @ field.reshape(num_points, -1)
        field = np.moveaxis(field.reshape(num_voxels, *others), 0, -1)  # the next axis comes to the front
    return np.ascontiguousarray(field) / np.float32(SPLINE_VARIANCE**1.5)
