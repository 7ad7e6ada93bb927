"""The patient that all steps are handed: what is asked, where everything lies, and what is made so far."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.volumes import Volume
from glioma_idh.preparation.settings import Settings
from glioma_idh.preparation.stages import Stages


@dataclass(frozen=True)
class Alignment:
    """Where everything lies: the grid of the result, and the way from it to each series."""

    choices: dict  # series by role
    anchor: str  # role of the series that the others were registered to
    matrices: dict[str, np.ndarray]  # by role, 4 x 4, from the anchor's mm to those of the series, where known
    head: Callable  # gives the anchor's image, its bias corrected where it has a skull; made when first asked for
    fit_template: Callable  # gives the anchor's `TemplateFit`, likewise
    grid: Volume  # of the result; its voxels are empty
    reference: Volume  # grid of what everything is registered to, in the millimetres of `grid`
    frame: np.ndarray  # 4 x 4, from the grid's millimetres to the anchor's

    def has(self, role: str) -> bool:
        """Whether there is a series of a role, and where it lies is known."""
        return role in self.choices and role in self.matrices

    def file(self, role: str) -> Path | None:
        """The first file of a role, if there is one."""
        return self.choices[role].files[0] if role in self.choices else None

    def to_series(self, role: str) -> np.ndarray:
        """From the grid's millimetres to those of a series."""
        return self.matrices[role] @ self.frame

    @property
    def ways(self) -> dict[str, np.ndarray]:
        """From the grid's millimetres to those of each series whose place is known."""
        return {role: self.to_series(role) for role in self.matrices}

    def placement(self, role: str) -> dict:
        """What the place of a series on the grid of the result depends on."""
        return {"shape": self.grid.array.shape, "affine": self.grid.affine, "way": self.to_series(role)}


@dataclass(frozen=True)
class LesionFinder:
    """Finds a lesion in the four structural images of a patient."""

    find: Callable[[dict[str, Path], Path], None]  # takes their files by role and the path of the mask
    identity: tuple[Path, ...]  # files that its answer depends on
    name: str  # of it, in words


@dataclass
class Patient:
    """One patient on the way through the steps, and what became of it at their end."""

    settings: Settings  # what is made, and how
    stages: Stages  # what was made before, and now; their `record` is the patient's `prepare.json`
    finder: LesionFinder | None = None  # finds the lesion where no mask is given
    alignment: Alignment | None = None  # None before it is known, and where nothing could be made
    images: dict[str, Path] = field(default_factory=dict)  # by column of the cohort table
    masks: dict[str, Path] = field(default_factory=dict)  # likewise brain and lesion
    errors: list[InputError] = field(default_factory=list)  # what could not be used or made

    def attempt(self, step: Callable, *arguments):
        """What a step gives; None where it cannot, with the reason among the errors."""
        try:
            return step(*arguments)
        except InputError as error:
            self.errors.append(error)

    @property
    def folder(self) -> Path:
        return self.stages.folder

    @property
    def remarks(self) -> list[str]:
        return self.stages.record.remarks

    @property
    def files(self) -> dict[str, Path]:
        return self.images | self.masks

    @property
    def brain(self) -> Path | None:
        """The brain mask on the grid of the result; None where no brain is wanted."""
        return self.masks.get("brain_mask")

    @property
    def lesion(self) -> Path | None:
        """The lesion mask on the grid of the result; None where there is none."""
        return self.masks.get("lesion_mask")
