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
    """Where everything lies: the grid of the result, and the way from it to each series.

    Attributes:
        choices: series by role.
        anchor: role of the series that the others were registered to.
        matrices: by role, 4 x 4, from the anchor's millimetres to those of the series; none where that is not known.
        head: gives the anchor's image, its bias corrected where it has a skull; made when it is first asked for.
        fit_template: gives the anchor's `TemplateFit`, likewise.
        grid: of the result, without voxels; `reference` that of what everything is registered to, in its millimetres.
        frame: 4 x 4, from the grid's millimetres to the anchor's.
    """

    choices: dict
    anchor: str
    matrices: dict[str, np.ndarray]
    head: Callable
    fit_template: Callable
    grid: Volume
    reference: Volume
    frame: np.ndarray

    def has(self, role: str) -> bool:
        """Whether there is a series of a role, and where it lies is known."""
        return role in self.choices and role in self.matrices

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
    """Finds a lesion in the four structural images of a patient: `find` takes their files and the path of the mask.

    `identity` are the files that its answer depends on, `name` says how it finds, in words.
    """

    find: Callable[[dict[str, Path], Path], None]
    identity: tuple[Path, ...]
    name: str


@dataclass
class Patient:
    """One patient on the way through the steps, and what became of it at their end.

    Attributes:
        settings: what is made, and how.
        stages: what was made before, and is made now; their `record` is the patient's `prepare.json`.
        finder: finds the lesion where no mask is given.
        alignment: where everything lies; None before that is known, and where nothing could be made.
        images, masks: files of structural images and maps, of brain and lesion, by column of the cohort table.
        errors: what could not be used or made, one error each.
    """

    settings: Settings
    stages: Stages
    finder: LesionFinder | None = None
    alignment: Alignment | None = None
    images: dict[str, Path] = field(default_factory=dict)
    masks: dict[str, Path] = field(default_factory=dict)
    errors: list[InputError] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Where the results go."""
        return self.stages.folder

    @property
    def remarks(self) -> list[str]:
        """What looks odd, in sentences."""
        return self.stages.record.remarks

    @property
    def files(self) -> dict[str, Path]:
        """All that was made, by column of the cohort table."""
        return self.images | self.masks

    @property
    def brain(self) -> Path | None:
        """The brain mask on the grid of the result; None where no brain is wanted."""
        return self.masks.get("brain_mask")

    @property
    def lesion(self) -> Path | None:
        """The lesion mask on the grid of the result; None where there is none."""
        return self.masks.get("lesion_mask")
