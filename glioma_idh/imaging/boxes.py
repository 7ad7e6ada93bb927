"""Boxes: (start, stop) a side, stop outside; and the slice and rectangle of a lesion."""

import numpy as np

Box = tuple[tuple[int, int], ...]


def bounding_box(mask: np.ndarray) -> Box:
    """The smallest box that holds every true voxel of a mask of any dimension; ValueError if it is empty."""
    if not mask.any():
        raise ValueError("An empty mask has no bounding box.")
    sides = []
    for axis in range(mask.ndim):
        others = tuple(a for a in range(mask.ndim) if a != axis)
        hits = np.flatnonzero(mask.any(axis=others))
        sides.append((int(hits[0]), int(hits[-1]) + 1))
    return tuple(sides)


def crop(array: np.ndarray, box: Box) -> np.ndarray:
    """The part of an array inside a box (a view)."""
    return array[tuple(slice(start, stop) for start, stop in box)]


def widest_axial_slice(mask: np.ndarray) -> int:
    """The index k of the axial slice with most voxels of a mask (i, j, k), RAS+; the lowest of several equal ones."""
    return int(np.count_nonzero(mask, axis=(0, 1)).argmax())
