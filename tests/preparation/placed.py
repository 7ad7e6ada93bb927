"""Patients of noise whose series lie where they are said to lie: no registration is needed to know it."""

from dataclasses import replace

import numpy as np

from glioma_idh.imaging.acquisition import Acquisition
from glioma_idh.imaging.volumes import Volume, write_volume
from glioma_idh.preparation.context import Alignment, LesionFinder, Patient
from glioma_idh.preparation.recognition import Series
from glioma_idh.preparation.settings import Settings
from glioma_idh.preparation.stages import Stages

SHAPE, AFFINE = (10, 12, 8), np.diag([2.0, 2, 3, 1])


def shifted(mm) -> np.ndarray:
    """The affine of a grid of the same shape that lies elsewhere along x."""
    affine = AFFINE.copy()
    affine[0, 3] = mm
    return affine


def choice_of(role: str, files, **acquired) -> Series:
    """A series of these files, all acquired alike."""
    return Series(role, tuple(files), tuple(Acquisition(**acquired) for _ in files))


def write_noise(folder, role: str, affine=AFFINE, shape=SHAPE, seed=0):
    """A file of noise."""
    array = np.random.default_rng(seed).uniform(50, 100, shape).astype(np.float32)
    write_volume(folder / f"{role}.nii", array, affine)
    return folder / f"{role}.nii"


def place(folder, series: dict, choices: dict | None = None) -> Alignment:
    """Series of noise, registered to a T1Gd.

    Args:
        folder: where the files go.
        series: by role the affine of its grid, and the matrix from the T1Gd's millimetres to its own.
        choices: further series, which have files, by role.
    """
    choices = {
        role: choice_of(role, [write_noise(folder, role, affine, seed=number)])
        for number, (role, (affine, _)) in enumerate(series.items())
        if role not in (choices or {})
    } | (choices or {})
    grid = Volume(np.zeros(SHAPE, np.uint8), AFFINE)
    ways = {role: way for role, (_, way) in series.items()}
    return Alignment(choices, "t1gd", ways, None, None, grid, grid, np.eye(4))


def on_grid(alignment: Alignment, affine) -> Alignment:
    """The same, with another grid for the result."""
    grid = replace(alignment.grid, affine=affine)
    return replace(alignment, grid=grid, reference=grid)


def stages_of(folder) -> Stages:
    """Stages of a patient of whom nothing is made yet."""
    return Stages(folder / "out")


def patient_of(
    alignment: Alignment | None,
    settings: Settings,
    stages: Stages,
    brain=None,
    lesion=None,
    images=None,
    finder: LesionFinder | None = None,
) -> Patient:
    """A patient with what the steps so far have made."""
    masks = {f"{name}_mask": file for name, file in (("brain", brain), ("lesion", lesion)) if file is not None}
    return Patient(settings, stages, finder, alignment, images or {}, masks)
