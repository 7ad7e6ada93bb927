"""Position and parts of a phantom lesion: necrosis, enhancing rim, oedema. All are independent of the IDH status.

Each part consists of the voxels with the smallest distance from the centre, up to its volume. Random fields are added
to the distance for an irregular shape.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from glioma_idh.phantom.anatomy import Anatomy, draw_anatomy, make_anatomy
from glioma_idh.phantom.fields import Grid, Lattice, draw_lattice, make_grid, smooth_field
from glioma_idh.phantom.recipe import PhantomRecipe, random_stream

PARTS = ("necrosis", "rim", "oedema")
VOLUME_MEDIAN_ML, VOLUME_LOG_SD, VOLUME_RANGE_ML = 50.0, 0.6, (12.0, 120.0)
CORE_SHARE, NECROTIC_SHARE = (0.44, 0.56), (0.3, 0.4)
SITE_DEPTH_MM = 14.0


@dataclass(frozen=True)
class LesionDraw:
    """The random numbers of one lesion."""

    volume_ml: float  # volume of the whole lesion with oedema
    core_share: float  # rim and necrosis as a share of the whole lesion
    necrotic_share: float  # necrosis as a share of rim and necrosis
    site: float  # 0 to 1, position in the list of possible centre voxels
    shape: np.ndarray  # axes and rotation of an ellipsoid, as a matrix that maps it to a ball, 3 x 3
    outline: Lattice  # random fields for the borders of the parts
    fingers: Lattice
    core: Lattice
    hole: Lattice


@dataclass(frozen=True)
class Lesion:
    """A lesion on a subject's grid."""

    mask: np.ndarray  # whole lesion with oedema, shape (i, j, k), bool
    shares: np.ndarray  # share of each of PARTS per voxel, shape (3, i, j, k), float32, blurred at the borders


def draw_lesion(rng: np.random.Generator) -> LesionDraw:
    """Draw the random numbers of one lesion: volume (log-normal), composition, site and shape."""
    volume_ml = -1.0
    while not VOLUME_RANGE_ML[0] <= volume_ml <= VOLUME_RANGE_ML[1]:
        volume_ml = float(np.exp(rng.normal(np.log(VOLUME_MEDIAN_ML), VOLUME_LOG_SD)))
    stretch = np.exp(rng.normal(0, 0.15, 3))
    return LesionDraw(
        volume_ml=volume_ml,
        core_share=rng.uniform(*CORE_SHARE),
        necrotic_share=rng.uniform(*NECROTIC_SHARE),
        site=rng.uniform(),
        shape=np.diag(stretch / np.prod(stretch) ** (1 / 3)) @ Rotation.random(random_state=rng).as_matrix(),
        outline=draw_lattice(rng, 13.0),
        fingers=draw_lattice(rng, 6.0),
        core=draw_lattice(rng, 10.0),
        hole=draw_lattice(rng, 6.0),
    )


def cerebrum(anatomy: Anatomy) -> np.ndarray:
    """Return the brain without cerebellum and brain stem, by atlas position. Shape (i, j, k), bool."""
    x, y, z = anatomy.atlas_mm
    cerebellum = (z < -14 - 0.35 * (y + 40)) & (y < -32)
    stem = (np.abs(x) < 20) & (z < -8) & (y < -8)
    return anatomy.brain & ~cerebellum & ~stem


def lesion_site(draw: LesionDraw, anatomy: Anatomy) -> np.ndarray:
    """Return the centre voxel of the lesion: in white matter of the cerebrum, away from its surface and the midline."""
    steps = max(1, round(SITE_DEPTH_MM / anatomy.grid.spacing_mm))
    deep = ndimage.distance_transform_cdt(cerebrum(anatomy), metric="taxicab") > steps
    free = deep & (anatomy.white > 0.6) & (np.abs(anatomy.atlas_mm[0]) > 14) & (anatomy.atlas_mm[2] > -12)
    places = np.argwhere(free)
    return places[int(draw.site * len(places))]


def smallest(values: np.ndarray, allowed: np.ndarray, num_voxels: int) -> np.ndarray:
    """Return the mask of the `num_voxels` allowed voxels with the smallest values."""
    last = min(max(num_voxels, 1), int(np.count_nonzero(allowed))) - 1
    return allowed & (values <= np.partition(values[allowed], last)[last])


def largest_piece(mask: np.ndarray) -> np.ndarray:
    """Return the largest connected part of a mask, with holes filled."""
    labels, _ = ndimage.label(mask)
    return ndimage.binary_fill_holes(labels == np.bincount(labels.ravel())[1:].argmax() + 1)


def ball_distance(draw: LesionDraw, grid: Grid, site: np.ndarray) -> np.ndarray:
    """Return the distance from the centre, 1 on the ellipsoid of the lesion's volume. Shape (i, j, k), float32."""
    radius_mm = (3 * 1000 * draw.volume_ml / (4 * np.pi)) ** (1 / 3)
    offsets = np.ogrid[tuple(slice(-s, n - s) for n, s in zip(grid.shape, site, strict=True))]
    matrix = draw.shape * grid.spacing_mm / radius_mm
    squares = sum(sum(matrix[n, m] * offsets[m] for m in range(3)) ** 2 for n in range(3))
    return np.sqrt(squares).astype(np.float32)


def lesion_parts(draw: LesionDraw, anatomy: Anatomy) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the nested masks of whole lesion, core and necrosis, (i, j, k). Oedema spreads mainly in white matter."""
    grid, site = anatomy.grid, lesion_site(draw, anatomy)
    distance = ball_distance(draw, grid, site)
    across = np.sign(anatomy.atlas_mm[0]) != np.sign(anatomy.atlas_mm[0][tuple(site)])
    barrier = (0.6 + 0.5 * across) * (1 - anatomy.white) + 0.8 * anatomy.fluid
    ragged = 0.14 * smooth_field(draw.outline, grid) + 0.12 * smooth_field(draw.fingers, grid)
    allowed = cerebrum(anatomy) & (anatomy.fluid < 0.6)
    whole = largest_piece(smallest(distance + barrier + ragged, allowed, round(draw.volume_ml / grid.voxel_ml)))
    inner = distance + 0.3 * barrier + 0.12 * smooth_field(draw.core, grid)
    core = largest_piece(smallest(inner, whole, round(draw.core_share * whole.sum()))) & whole
    hole = inner + 0.12 * smooth_field(draw.hole, grid)
    return whole, core, smallest(hole, core, round(draw.necrotic_share * core.sum()))


def make_lesion(draw: LesionDraw, anatomy: Anatomy, border_mm: float = 1.0) -> Lesion:
    """Make a lesion in a subject's brain; its borders are blurred with a standard deviation of `border_mm`."""
    whole, core, necrosis = lesion_parts(draw, anatomy)
    shares = np.stack([necrosis, core & ~necrosis, whole & ~core]).astype(np.float32)
    blurred = [ndimage.gaussian_filter(part, border_mm / anatomy.grid.spacing_mm) for part in shares]
    return Lesion(whole, np.stack(blurred) * anatomy.brain)


def make_body(recipe: PhantomRecipe, index: int) -> tuple[Anatomy, Lesion]:
    """Make the brain and lesion of one phantom subject, by its index from 0."""
    anatomy = make_anatomy(draw_anatomy(random_stream(recipe, index, "anatomy")), make_grid(recipe.spacing_mm))
    return anatomy, make_lesion(draw_lesion(random_stream(recipe, index, "lesion")), anatomy)
