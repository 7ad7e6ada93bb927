"""Planes through volumes of one grid, in fine pixels and one scale, with the outlines of masks on them."""

from functools import cached_property

import numpy as np
from scipy import ndimage

from glioma_idh.imaging.volumes import Volume
from glioma_idh.reporting.figures.canvas import SKY, VERMILLION, YELLOW
from glioma_idh.reporting.figures.cases import box_of, find_tissue, lesion_centre
from glioma_idh.reporting.figures.sheet import PLANES, SIDES, draw_outline, draw_picture, radiological, slice_through

LINES = {  # name in print, colour and line width
    "brain": ("Brain mask of the reference", SKY, 1.0),
    "edges": ("Edges of the reference", YELLOW, 0.45),
    "lesion": ("Lesion", VERMILLION, 1.0),
}
TEXT = 8  # points of letters: larger than on other pictures, as this one is shown on slides
WIDTH, GAP = 8.6, 0.05  # inches, of four pictures and between them
PIXEL_MM, EDGE_SD_MM, EDGE_SHARE = 0.5, 1.5, 0.3


class View:
    """What of a reference and the sequences on its grid is shown, and how large: all that is not background, or brain.

    The masks are `brain` and `lesion`, those there are.
    """

    def __init__(self, reference: Volume, masks: dict[str, np.ndarray], margin_mm: float = 8.0):
        self.reference, self.masks = reference, masks
        shown = masks.get("brain", find_tissue(reference.array))
        sides = zip(box_of(shown), np.ceil(margin_mm / reference.spacing_mm).astype(int), shown.shape, strict=True)
        self.box = tuple((max(0, start - more), min(size, stop + more)) for (start, stop), more, size in sides)
        self.size_mm = np.array([stop - start for start, stop in self.box]) * reference.spacing_mm
        i, j, _ = self.size_mm
        self.scale = (WIDTH - 3 * GAP) / (3 * i + j)  # inches per mm
        self.row = max(self.size_mm[1:]) * self.scale  # inches
        self.centre = tuple((start + stop) // 2 for start, stop in self.box)  # voxel that the planes run through
        if "lesion" in masks:
            self.centre = lesion_centre(masks["lesion"], reference.spacing_mm)

    def tiles(self) -> list[tuple[str, float, float]]:
        """Plane, left edge and width of each of four columns, inches: axial twice, coronal, sagittal."""
        tiles, x = [], 0.0
        for plane in ("axial", *PLANES):
            width = self.size_mm[PLANES[plane][0]] * self.scale
            tiles.append((plane, x, width))
            x += width + GAP
        return tiles

    def fine(self, array: np.ndarray, plane: str, at: int | None = None) -> np.ndarray:
        """A plane of a volume in square pixels of PIXEL_MM, between voxels linear; by default through the centre."""
        place = slice_through(plane, self.centre if at is None else (at, at, at), self.box)
        across, up = (self.reference.spacing_mm[axis] for axis in PLANES[plane])
        picture = np.asarray(radiological(array[place]), np.float32)
        return ndimage.zoom(picture, (up / PIXEL_MM, across / PIXEL_MM), order=1, mode="nearest", grid_mode=True)

    def greys(self, array: np.ndarray, plane: str, at: int | None = None) -> np.ndarray:
        """A plane in fine pixels, 0 black to 1 white: from 0 or a lower 1st percentile to the 99th of the brain."""
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

    def draw(self, axes, tile: tuple[str, float, float], top: float, picture: np.ndarray) -> tuple:
        """Draw greys from 0 to 1, or colours, in one of the tiles; returns where they lie."""
        plane, left, width = tile
        size = width, self.size_mm[PLANES[plane][1]] * self.scale
        ground = left, top, width, self.row
        return draw_picture(axes, picture, ground, size, (0, 1), SIDES[plane], TEXT).get_extent()

    def draw_masks(self, axes, plane: str, extent: tuple, at: int | None = None) -> None:
        """Draw the outlines of the masks on a picture of that slice."""
        for name, mask in self.masks.items():
            draw_outline(axes, self.fine(mask, plane, at), extent, *LINES[name][1:])
