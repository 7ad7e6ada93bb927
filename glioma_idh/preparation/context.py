"""The patient as all steps receive it: settings, alignment of the series, and the files made so far."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.registration.template import TemplateFit
from glioma_idh.imaging.volumes import Volume
from glioma_idh.preparation.recognition import Series
from glioma_idh.preparation.settings import Settings
from glioma_idh.preparation.stages import Stages

T = TypeVar("T")


@dataclass(frozen=True)
class Alignment:
    """The grid of the results, and its transforms to all series."""

    choices: dict[str, Series]  # by role
    anchor: str  # role of the series that the others were registered to
    matrices: dict[str, np.ndarray]  # by role, 4 x 4, from the anchor's mm to those of the series, if known
    head: Callable[[], Volume]  # the anchor's image, bias-corrected if it has a skull; computed on first use
    fit_template: Callable[[], TemplateFit]  # the template fitted to the anchor; computed on first use
    grid: Volume  # of the results, with voxels of 0
    reference: Volume  # grid of the reference image, in the millimetres of `grid`
    frame: np.ndarray  # 4 x 4, from the grid's millimetres to the anchor's

    def has(self, role: str) -> bool:
        """Return whether there is a series with this role and a known position."""
        return role in self.choices and role in self.matrices

    def file(self, role: str) -> Path | None:
        """Return the first file of a role, if any."""
        return self.choices[role].files[0] if role in self.choices else None

    def to_series(self, role: str) -> np.ndarray:
        """Return the matrix from the grid's millimetres to those of a series."""
        return self.matrices[role] @ self.frame

    @property
    def transforms(self) -> dict[str, np.ndarray]:
        """Matrices from the grid's millimetres to those of each series, by role."""
        return {role: self.to_series(role) for role in self.matrices}

    def placement(self, role: str) -> dict:
        """Return the inputs of a stage that determine the position of a series on the grid."""
        return {"shape": self.grid.array.shape, "affine": self.grid.affine, "way": self.to_series(role)}


@dataclass(frozen=True)
class LesionFinder:
    """A method that segments the lesion in the four structural images of a patient."""

    find: Callable[[dict[str, Path], Path], None]  # takes the files by role and the path of the mask to write
    inputs: tuple[Path, ...]  # files that the result depends on
    name: str  # description


@dataclass
class Patient:
    """One patient during the preparation: settings, intermediate state and results."""

    settings: Settings  # what to make, and how
    stages: Stages  # completed stages; their `record` is written to `prepare.json`
    finder: LesionFinder | None = None  # used if there is no lesion mask
    alignment: Alignment | None = None  # None before the registration, and if nothing could be made
    images: dict[str, Path] = field(default_factory=dict)  # results by column of the cohort table
    masks: dict[str, Path] = field(default_factory=dict)  # brain_mask and lesion_mask
    errors: list[InputError] = field(default_factory=list)  # what could not be used or made

    def attempt(self, step: Callable[..., T], *arguments: Any) -> T | None:
        """Return the result of a step; if it raises an InputError, add that to `errors` and return None."""
        try:
            return step(*arguments)
        except InputError as error:
            self.errors.append(error)
            return None

    @property
    def folder(self) -> Path:
        """The folder of the patient's results."""
        return self.stages.folder

    @property
    def remarks(self) -> list[str]:
        """Findings to check, in sentences."""
        return self.stages.record.remarks

    @property
    def files(self) -> dict[str, Path]:
        """All results, by column of the cohort table."""
        return self.images | self.masks

    @property
    def brain(self) -> Path | None:
        """The brain mask on the grid of the results; None if brain extraction is skipped."""
        return self.masks.get("brain_mask")

    @property
    def lesion(self) -> Path | None:
        """The lesion mask on the grid of the results, if there is one."""
        return self.masks.get("lesion_mask")
