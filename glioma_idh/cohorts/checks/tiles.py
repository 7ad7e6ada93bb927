"""Make thumbnails of each subject for the contact sheet: the axial slice with the largest lesion area."""

from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from glioma_idh.imaging.volumes import Volume, bounding_box, crop, widest_axial_slice

SIDE = 64


@dataclass(frozen=True)
class Thumbnail:
    """A small image of an axial slice with square pixels, axes (i, j) to the patient's right and front."""

    grey: np.ndarray  # 0 (background and the darkest 1 %) to 255, uint8; the longer side has SIDE pixels
    lesion: np.ndarray | None = None  # lesion share per pixel, 0 to 1; None without a mask on this grid


@dataclass(frozen=True)
class Tile:
    """The part of a contact sheet that shows one subject."""

    subject: str
    idh: int  # 1 mutant, 0 wild-type, -1 unknown
    thumbnails: dict[str, Thumbnail | None] = field(default_factory=dict)  # by sequence; None if it cannot be shown
    has_mask: bool = False  # whether the lesion mask is usable; otherwise the middle slices are shown
    problems: tuple[str, ...] = ()  # short forms, such as "other grid"


@dataclass(frozen=True)
class Slice:
    """An axial slice of an image file."""

    pixels: np.ndarray  # intensities, shape (i, j)
    tissue: np.ndarray  # which of them are not background, booleans of the same shape
    lesion: np.ndarray | None  # booleans of the same shape
    spacing_mm: tuple[float, float]  # edge lengths of a pixel


def lesion_point(mask: Volume) -> np.ndarray:
    """Return the centre of the lesion on the axial slice with its largest area, mm, shape (3,)."""
    k = widest_axial_slice(mask.array)
    i, j = (index.mean() for index in np.nonzero(mask.array[..., k]))
    return (mask.affine @ [i, j, k, 1])[:3]


def cut_slice(volume: Volume, tissue: np.ndarray, point: np.ndarray | None, mask: Volume | None) -> Slice:
    """Return the axial slice through a point (mm, shape (3,)), or the middle slice of the tissue.

    `mask` is the lesion mask on the same grid, or None.
    """
    filled = np.flatnonzero(tissue.any(axis=(0, 1)))
    k = int(filled[0] + filled[-1]) // 2 if filled.size else volume.array.shape[2] // 2
    if point is not None:
        through = float((np.linalg.inv(volume.affine) @ [*point, 1])[2])
        k = round(through) if -0.5 <= through < volume.array.shape[2] - 0.5 else k
    lesion = mask.array[..., k] != 0 if mask is not None else None
    return Slice(volume.array[..., k].copy(), tissue[..., k].copy(), lesion, tuple(volume.spacing_mm[:2]))


def make_thumbnails(slices: dict[str, Slice]) -> dict[str, Thumbnail]:
    """Make the thumbnails of a subject. Slices of the same shape are cropped alike, so that they can be compared."""
    thumbnails = {}
    for name, piece in slices.items():
        alike = [other for other in slices.values() if other.tissue.shape == piece.tissue.shape]
        shown = np.any([each.tissue if each.lesion is None else each.tissue | each.lesion for each in alike], axis=0)
        box = bounding_box(shown) if shown.any() else tuple((0, n) for n in shown.shape)
        lesion = None if piece.lesion is None else shrink(crop(piece.lesion, box), piece.spacing_mm)
        grey = shrink(crop(stretch_greys(piece.pixels, piece.tissue), box), piece.spacing_mm)
        thumbnails[name] = Thumbnail((grey * 255).round().astype(np.uint8), lesion)
    return thumbnails


def stretch_greys(pixels: np.ndarray, tissue: np.ndarray) -> np.ndarray:
    """Scale a slice from the 1st to the 99.5th percentile of its tissue to grey values from 0 to 1; 0 elsewhere."""
    if not tissue.any():
        return np.zeros(pixels.shape, np.float32)
    low, high = np.percentile(pixels[tissue], (1, 99.5))
    greys = (np.where(tissue, pixels, low) - low) / (high - low if high > low else 1)
    return np.clip(greys, 0, 1).astype(np.float32)


def shrink(image: np.ndarray, spacing_mm: tuple[float, float], side: int = SIDE) -> np.ndarray:
    """Resample an image to square pixels, `side` of them along its longer side; smooth it before it is reduced."""
    size_mm = np.array(image.shape) * spacing_mm
    shape = np.maximum(1, np.round(size_mm * side / size_mm.max()))
    zoom = shape / image.shape
    smooth = ndimage.gaussian_filter(image.astype(np.float32), np.maximum(0, (1 / zoom - 1) / 2), mode="nearest")
    return ndimage.zoom(smooth, zoom, order=1, mode="nearest", grid_mode=True)
