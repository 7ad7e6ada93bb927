"""The healthy brain of a phantom subject: the ICBM152 tissue maps, randomly deformed.

The maps (Fonov et al. 2011, NeuroImage 54:313) are part of nilearn.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from nilearn import datasets
from scipy import ndimage
from scipy.spatial.transform import Rotation

from glioma_idh.phantom.fields import Grid, Lattice, draw_lattice, smooth_field

BEND_LENGTH_MM, BEND_SD_MM = 34.0, 2.2
ROTATION_SD_DEG, SHIFT_SD_MM, SCALE_SD = 3.0, 2.0, 0.04
VESSEL_LENGTH_MM, VESSEL_WIDTH = 11.0, 0.16


@dataclass(frozen=True)
class AnatomyDraw:
    """The random numbers of one subject's anatomy."""

    rotation_deg: np.ndarray  # affine map, shape (3,) each
    shift_mm: np.ndarray
    scale: np.ndarray
    bends: tuple[Lattice, Lattice, Lattice]  # deformation along x, y and z
    vessels: tuple[Lattice, Lattice]  # vessels lie where both fields are 0


@dataclass(frozen=True)
class Anatomy:
    """A healthy brain; arrays of shape (i, j, k)."""

    grid: Grid
    white: np.ndarray  # white matter as a share of each voxel; the three tissues add up to 1 in the brain, 0 outside
    grey: np.ndarray
    fluid: np.ndarray
    vessels: np.ndarray  # vessels as a share of each voxel, 0 to 1
    brain: np.ndarray  # brain mask, bool
    atlas_mm: np.ndarray  # position in the atlas of each voxel, shape (3, i, j, k), mm


@lru_cache(maxsize=1)
def load_atlas(resolution_mm: int) -> tuple[np.ndarray, np.ndarray]:
    """Load the ICBM152 atlas.

    Its grey matter map also covers the sulci. Voxels in which the T1 template is darker than grey matter therefore
    become fluid.

    Returns:
        White matter, grey matter, fluid and brain as shares of each voxel, shape (4, i, j, k), float32; and the affine.
    """
    template = datasets.load_mni152_template(resolution=resolution_mm)
    t1 = template.get_fdata(dtype=np.float32)
    grey = datasets.load_mni152_gm_template(resolution=resolution_mm).get_fdata(dtype=np.float32)
    white = datasets.load_mni152_wm_template(resolution=resolution_mm).get_fdata(dtype=np.float32)
    brain = datasets.load_mni152_brain_mask(resolution=resolution_mm).get_fdata() > 0
    brain = ndimage.binary_opening(brain, iterations=max(1, round(6 / resolution_mm)))  # removes the optic nerves
    white = np.clip(white, 0, 1)
    fluid = np.clip(1 - grey - white, 0, 1)
    grey_level, fluid_level = np.median(t1[brain & (grey > 0.9)]), np.percentile(t1[brain & (fluid > 0.9)], 25)
    darkness = (grey_level - 0.03 - t1) / (grey_level - fluid_level)
    fluid = np.clip(np.maximum(fluid, 1.5 * darkness), 0, 1 - white)
    tissues = np.stack([white, 1 - white - fluid, fluid, np.ones_like(white)]) * brain
    return tissues.astype(np.float32), template.affine


def draw_anatomy(rng: np.random.Generator) -> AnatomyDraw:
    """Draw the random numbers of one subject's anatomy."""
    return AnatomyDraw(
        rotation_deg=rng.normal(0, ROTATION_SD_DEG, 3),
        shift_mm=rng.normal(0, SHIFT_SD_MM, 3),
        scale=np.exp(rng.normal(0, SCALE_SD, 3)),
        bends=(draw_lattice(rng, BEND_LENGTH_MM), draw_lattice(rng, BEND_LENGTH_MM), draw_lattice(rng, BEND_LENGTH_MM)),
        vessels=(draw_lattice(rng, VESSEL_LENGTH_MM), draw_lattice(rng, VESSEL_LENGTH_MM)),
    )


def atlas_places(draw: AnatomyDraw, grid: Grid) -> np.ndarray:
    """Return the position in the atlas of each voxel, shape (3, i, j, k), mm."""
    matrix = Rotation.from_euler("xyz", draw.rotation_deg, degrees=True).as_matrix() * draw.scale
    axes = grid.axes_mm()
    places = np.empty((3, *grid.shape), np.float32)
    for n, bend in enumerate(draw.bends):
        straight = sum(matrix[n, m] * axes[m] for m in range(3)) + draw.shift_mm[n]
        places[n] = straight + BEND_SD_MM * smooth_field(bend, grid)
    return places


def make_anatomy(draw: AnatomyDraw, grid: Grid) -> Anatomy:
    """Deform the atlas to the brain of one subject."""
    tissues, affine = load_atlas(max(1, int(grid.spacing_mm)))
    places = atlas_places(draw, grid)
    voxels = (places - affine[:3, 3].reshape(3, 1, 1, 1)) / np.diag(affine)[:3].reshape(3, 1, 1, 1)
    voxels = voxels.astype(np.float32)
    white, grey, fluid, brain = (ndimage.map_coordinates(map_, voxels, order=1) for map_ in tissues)
    brain = brain > 0.5
    white, grey, fluid = sharpen(np.stack([white, grey, fluid]), brain)
    first, second = (smooth_field(lattice, grid) for lattice in draw.vessels)
    vessels = np.exp(-(first**2 + second**2) / (2 * VESSEL_WIDTH**2)) * np.clip(2 * fluid + 0.3 * grey, 0, 1)
    return Anatomy(grid, white, grey, fluid, vessels.astype(np.float32), brain, places)


def sharpen(tissues: np.ndarray, brain: np.ndarray, power: float = 1.6) -> np.ndarray:
    """Increase the larger tissue shares, to reduce the blur of an atlas averaged over 152 people.

    `tissues` has the shape (tissue, i, j, k).
    """
    tissues = (np.clip(tissues, 0, 1) + 1e-6) ** np.float32(power)
    return tissues * (brain / tissues.sum(axis=0))
