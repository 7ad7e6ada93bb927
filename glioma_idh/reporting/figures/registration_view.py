"""Planes through volumes of one grid, in fine pixels and one scale, with the outlines of masks on them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from scipy import ndimage

from glioma_idh.imaging.boxes import Box, bounding_box
from glioma_idh.imaging.volumes import Volume
from glioma_idh.reporting.figures.canvas import VERMILLION
from glioma_idh.reporting.figures.cases import find_tissue, lesion_centre
from glioma_idh.reporting.figures.overlays import PLANES, SIDES
from glioma_idh.reporting.figures.pictures import radiological

LINES = {
    "brain": ("Brain mask of the reference", "#56B4E9", 1.0),
    "edges": ("Edges of the reference", "#F0E442", 0.45),
    "lesion": ("Lesion", VERMILLION, 1.0),
}
STROKE = [withStroke(linewidth=2.5, foreground="black")]
TEXT, NAME = 8, 9
"""Points of letters: of this picture larger than of others, as it is shown on slides."""
WIDTH, LINE, GAP, HEAD_AT = 8.6, 0.17, 0.05, 0.6  # inches; what is said of a row begins at the last
MARGIN_MM = 8.0
PIXEL_MM, EDGE_SD_MM, EDGE_SHARE = 0.5, 1.5, 0.3


@dataclass(frozen=True)
class View:
    """What of the volumes is shown, and how large.

    Attributes:
        reference: what the sequences were registered to.
        masks: brain and lesion, booleans of its shape, those there are.
        margin_mm: shown around the brain.
    """

    reference: Volume
    masks: dict[str, np.ndarray]
    margin_mm: float = MARGIN_MM

    @cached_property
    def box(self) -> Box:
        """What is shown of a volume: the brain, otherwise all that is not background, with a margin."""
        shown = self.masks.get("brain", find_tissue(self.reference.array))
        tight = bounding_box(shown) if shown.any() else tuple((0, n) for n in shown.shape)
        margins = np.ceil(self.margin_mm / self.reference.spacing_mm).astype(int)
        sides = zip(tight, margins, shown.shape, strict=True)
        return tuple((max(0, start - more), min(size, stop + more)) for (start, stop), more, size in sides)

    @cached_property
    def centre(self) -> tuple[int, int, int]:
        """The voxel that the planes run through: the lesion's centre, otherwise the box's."""
        if "lesion" in self.masks:
            return lesion_centre(self.masks["lesion"], self.reference.spacing_mm)
        return tuple((start + stop) // 2 for start, stop in self.box)

    @property
    def size_mm(self) -> np.ndarray:
        """Edge lengths of the box."""
        return np.array([stop - start for start, stop in self.box]) * self.reference.spacing_mm

    @property
    def scale(self) -> float:
        """Inches per mm."""
        i, j, _ = self.size_mm
        return (WIDTH - 3 * GAP) / (3 * i + j)

    @property
    def row(self) -> float:
        """Height of a row of pictures, inches."""
        return max(self.size_mm[1:]) * self.scale

    def tiles(self) -> list[tuple[str, float, float]]:
        """Plane, left edge and width of each of four columns, inches: axial twice, coronal, sagittal."""
        tiles, x = [], 0.0
        for plane in ("axial", *PLANES):
            width = self.size_mm[PLANES[plane][0]] * self.scale
            tiles.append((plane, x, width))
            x += width + GAP
        return tiles

    def fine(self, array: np.ndarray, plane: str, at: int | None = None) -> np.ndarray:
        """A plane of a volume as rows and columns of square pixels of PIXEL_MM, between voxels linear.

        Args:
            array: voxels, shape (i, j, k).
            plane: of PLANES.
            at: the slice; by default the one through the centre.
        """
        cut = self.centre if at is None else (at, at, at)
        place = tuple(slice(*side) if axis in PLANES[plane] else cut[axis] for axis, side in enumerate(self.box))
        across, up = (self.reference.spacing_mm[axis] for axis in PLANES[plane])
        picture = np.asarray(radiological(array[place]), np.float32)
        return ndimage.zoom(picture, (up / PIXEL_MM, across / PIXEL_MM), order=1, mode="nearest", grid_mode=True)

    def greys(self, array: np.ndarray, plane: str, at: int | None = None) -> np.ndarray:
        """A plane of a volume in fine pixels, 0 black to 1 white: the 99th percentile of the brain, or the foreground.

        Black is 0, or the 1st percentile where that is negative.
        """
        inside = array[self.masks["brain"] if "brain" in self.masks else find_tissue(array)]
        low, high = np.percentile(inside[:: 1 + inside.size // 100_000], (1, 99)) if inside.size else (0, 1)
        low, high = min(low, 0), max(high, 1e-12)
        return np.clip((self.fine(array, plane, at) - low) / (high - low), 0, 1)

    @cached_property
    def edges(self) -> dict[str, np.ma.MaskedArray]:
        """By plane, what crosses 0 where the reference changes from dark to bright: its Laplacian, where it is steep.

        Source: Marr & Hildreth 1980, Proc R Soc Lond B 207:187.
        """
        edges, sd = {}, EDGE_SD_MM / PIXEL_MM
        for plane in PLANES:
            picture = self.greys(self.reference.array, plane)
            slope = ndimage.gaussian_gradient_magnitude(picture, sd)
            inside = self.fine(self.masks["brain"], plane) > 0.5 if "brain" in self.masks else slope > 0.01
            steep = slope > EDGE_SHARE * np.percentile(slope[inside], 95) if inside.any() else inside
            edges[plane] = np.ma.masked_array(ndimage.gaussian_laplace(picture, sd), ~(steep & inside))
        return edges


def draw_picture(axes, view: View, tile: tuple[str, float, float], top: float, picture: np.ndarray) -> tuple:
    """A picture in the middle of its tile, on black, with the letters of its sides.

    Args:
        axes: of the sheet, in inches.
        view: what is shown.
        tile: plane, left edge and width.
        top: of the tile.
        picture: greys from 0 to 1, or colours, in fine pixels.

    Returns:
        Where it lies: left, right, bottom, top.
    """
    plane, left, width = tile
    axes.add_patch(Rectangle((left, top), width, view.row, facecolor="black", zorder=-1))
    up = view.size_mm[PLANES[plane][1]] * view.scale
    upper = top + (view.row - up) / 2
    extent = (left, left + width, upper + up, upper)
    axes.imshow(picture, cmap="gray", vmin=0, vmax=1, extent=extent, interpolation="bilinear")
    for letter, edge, side in zip(SIDES[plane], (left + 0.03, left + width - 0.03), ("left", "right"), strict=True):
        style = {"ha": side, "va": "center", "color": "white", "fontsize": TEXT, "path_effects": STROKE}
        axes.text(edge, top + view.row / 2, letter, **style)
    return extent


def draw_contour(axes, picture, level: float, extent, name: str) -> None:
    """Lines where a picture crosses a level, in the colour of a name of LINES."""
    _, colour, line = LINES[name]
    left, right, bottom, top = extent
    rows, columns = ((np.arange(n) + 0.5) / n for n in picture.shape)
    if np.ma.min(picture) < level < np.ma.max(picture):
        x, y = left + columns * (right - left), top + rows * (bottom - top)
        axes.contour(x, y, picture, [level], colors=colour, linewidths=line)
