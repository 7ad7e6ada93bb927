"""Masks on their way from the series that they were drawn on to the result, and back."""

import contextlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.masks import Mask, read_mask
from glioma_idh.imaging.resampling import resample
from glioma_idh.imaging.volumes import Volume, check_same_grid, read_grid
from glioma_idh.preparation.context import Alignment
from glioma_idh.preparation.stages import read_record


def mask_on_grid(path, alignment: Alignment, likeliest: str) -> tuple[Mask, list[str]]:
    """A mask brought from the grid of the series that it was drawn on, of the reference or the result to the latter.

    Args:
        path: of the mask.
        alignment: where everything lies.
        likeliest: the role that it was drawn on where several series have its grid, between which the head may move.

    Returns:
        The mask, 0 and 1; and the roles of all series with its grid, that which was taken first.

    Raises:
        InputError: it lies on none of these grids, or is no mask.
    """
    mask = read_mask(path)
    roles = sorted(alignment.matrices, key=lambda role: role != likeliest)
    grids = {role: read_grid(alignment.choices[role].files[0]) for role in roles}
    grids |= {"reference": alignment.reference, "result": alignment.grid}
    fitting = []
    for name, grid in grids.items():
        with contextlib.suppress(InputError):
            check_same_grid(mask, grid)
            fitting.append(name)
    if not fitting:
        advice = "Draw it on one of them, or resample it there."
        if any(mask.array.shape == grid.array.shape for grid in grids.values()):
            advice += " If it fits one of the same shape voxel on voxel in a picture, copy that one's header instead."
        raise InputError(f"a mask on the grid of one of {', '.join(roles)}", "another grid", advice, file=path)
    way = alignment.to_series(fitting[0]) if fitting[0] in roles else np.eye(4)
    drawn_on = [name for name in fitting if name in roles] or fitting[:1]
    binary = replace(mask, array=(mask.array != 0).astype(np.uint8))
    brought = resample(binary, alignment.grid, way, order="nearest")
    return Mask(brought.array, brought.affine, brought.file, remark=mask.remark), drawn_on


def mask_on_series(mask: Volume, patient_dir: Path, role: str, series: Volume) -> Volume:
    """Take a mask, such as a predicted lesion, from the result's grid back to that of a series as it was acquired.

    Args:
        mask: on the grid of a prepared patient.
        patient_dir: the folder that `prepare` made of the patient.
        role: of the series: t1, t1gd, t2, flair, dwi, adc (the scanner's) or dsc.
        series: its image as acquired.

    Raises:
        InputError: the folder is none of `prepare`, or it is not known where the series lies.
    """
    ways = read_record(patient_dir).get("ways", {})
    if role not in ways:
        found = f"only {', '.join(ways)}" if ways else "no prepare.json that says where series lie"
        raise InputError(f"the place of {role}", found, "Name a series of a prepared patient.", file=patient_dir)
    return resample(mask, series, np.linalg.inv(ways[role]), order="nearest")


def on_series(mask: Path | None, role: str, series: Volume, alignment: Alignment) -> np.ndarray | None:
    """A mask of the result's grid, if there is one, on that of a series, bool, shape (i, j, k)."""
    if mask is None:
        return None
    grid = replace(series, array=series.array[..., 0]) if series.array.ndim == 4 else series
    way = np.linalg.inv(alignment.to_series(role))
    return resample(read_mask(mask), grid, way, order="nearest").array != 0


def within(image: np.ndarray, brain: Path | None) -> np.ndarray:
    """An image, 0 outside the brain, as float32."""
    image = image.astype(np.float32)
    return image if brain is None else image * (read_mask(brain).array != 0)
