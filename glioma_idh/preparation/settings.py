"""The command line of `prepare`: what is computed from the series and how; which patients; where the results go."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from glioma_idh.command_line import SWITCH, option
from glioma_idh.errors import InputError
from glioma_idh.preparation.stages import Stage

STRUCTURAL = ("t1", "t1gd", "t2", "flair")
ROLES = (*STRUCTURAL, "adc", "dwi", "dsc", "lesion_mask", "brain_mask")

Skipped = Literal["head-motion", "registration", "brain", "bias", "adc", "lesion", "rcbv"]
File = Annotated[Path | None, option("FILE", "")]


@dataclass(frozen=True)
class Settings:
    """What is computed, and how. A stage whose settings have changed is repeated."""

    series: Annotated[tuple[str, ...], option("ROLE=SERIES [ROLE=SERIES ...]", "recognised automatically")] = ()
    """Assign series: t2=12 (DICOM), t2=FILE, t2=none. Also t1, t1gd, flair, adc, dwi, dsc, lesion_mask, brain_mask."""
    reference: Annotated[str, option("ROLE|atlas|FILE")] = "t1gd"
    """Image that all others are registered to: t1gd (as in the paper), t1, t2, flair, atlas (ICBM152) or a file."""
    spacing_mm: Annotated[float | None, option("MM", "as the reference; 1 mm if its slices exceed 1.5 mm")] = None
    """Edge length of the voxels of all results, in mm."""
    skip: Annotated[tuple[Skipped, ...], option("STAGE [STAGE ...]", "")] = ()
    """Skip head-motion, registration (headers are trusted), brain (no brain mask), bias, adc, lesion or rcbv."""
    lesion_mask: File = None
    """Lesion mask on the grid of any series or of the result: labels above 0, or probabilities of at least 0.5."""
    lesion_on: Literal["t1", "t1gd", "t2", "flair"] = "t2"
    """Series that the lesion was drawn on, if several share its grid. In the paper it was drawn on T2."""
    brain_mask: Annotated[Path | None, option("FILE", "found automatically")] = None
    """Brain mask on the grid of any series or of the result."""
    brain_command: Annotated[str | None, option("COMMAND", "the built-in method")] = None
    """Command of another brain extraction tool, such as "mri_synthstrip -i {input} -m {mask}"."""
    keep_skull: Annotated[bool, SWITCH] = False
    """Keep the skull in T1, T1Gd, T2 and FLAIR; without it, voxels outside the brain are 0, as SGPNet expects."""
    keep_flagged: Annotated[bool, SWITCH] = False
    """Keep series whose registration looks wrong; without this option, they are left out."""
    echo_times_s: Annotated[tuple[float, ...], option("S [S]", "from JSON sidecar or header")] = ()
    """Echo time of the DSC series in seconds, such as 0.03; two values for a dual-echo series."""
    repetition_time_s: Annotated[float | None, option("S", "from JSON sidecar or header")] = None
    """Time from one DSC volume to the next, in seconds, such as 1.5."""
    cbv: Literal["first-pass", "whole-curve", "gamma-variate"] = "first-pass"
    """Blood volume is the area under the first pass, the whole curve, or a gamma-variate fitted to the first pass."""
    leakage_correction: Annotated[bool, SWITCH] = True
    """Do not correct rCBV for contrast agent leakage; without this option it is corrected, as in the paper."""
    white_mask: Annotated[Path | None, option("FILE", "found automatically, away from the lesion")] = None
    """Mask of normal white matter on the grid of the reference; rCBV is divided by its mean there."""

    def __post_init__(self):
        for name in ("lesion_mask", "brain_mask", "white_mask"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, Path(getattr(self, name)).resolve())
        if self.reference not in (*STRUCTURAL, "atlas"):
            object.__setattr__(self, "reference", str(Path(self.reference).resolve()))

    @property
    def anchor(self) -> str:
        """The role of the series that the others are registered to; with an atlas or a file as reference, T1Gd."""
        return self.reference if self.reference in STRUCTURAL else "t1gd"

    def check_times(self) -> None:
        """Raise an InputError if a time is not in seconds: milliseconds are the usual mistake."""
        repetition_times_s = () if self.repetition_time_s is None else (self.repetition_time_s,)
        limits = (("--echo-times-s", self.echo_times_s, 1), ("--repetition-time-s", repetition_times_s, 20))
        for name, times_s, limit_s in limits:
            if wrong := [time_s for time_s in times_s if not 0 < time_s < limit_s]:
                advice = f"Divide milliseconds by 1000, as in {name} {wrong[0] / 1000:g}."
                raise InputError(f"{name} in seconds, between 0 and {limit_s}", f"{wrong[0]:g}", advice)

    def wanted_series(self) -> dict[str, str]:
        """Return `series` by role; InputError if an entry is not ROLE=SERIES or names no role."""
        pairs = [entry.partition("=") for entry in self.series]
        for entry, (role, sign, which) in zip(self.series, pairs, strict=True):
            if role not in ROLES or not sign or not which:
                raise InputError(
                    f"ROLE=SERIES with ROLE out of {' '.join(ROLES)}", repr(entry), "Give, for example, t2=12."
                )
        roles = [role for role, _, _ in pairs]
        if len(set(roles)) < len(roles):
            found = f"{max(roles, key=roles.count)} more than once"
            raise InputError(
                "each role once in --series", found, "Join the parts of a DWI or DSC series with +, as in dsc=12+13."
            )
        return {role: which for role, _, which in pairs}


@dataclass(frozen=True)
class Job:
    """Which patients to prepare, and where the results go."""

    source: Annotated[Path | None, tyro.conf.Positional, option("[PATIENT_DIR]", "a synthetic patient")] = None
    """Folder of one patient; with --many, the folder that holds the folders of all patients."""
    out: Annotated[Path, option("DIR")] = Path("prepared")
    """Folder for the results: one folder per patient, cohort.csv and exclusions.csv."""
    many: Annotated[bool, SWITCH] = False
    """Prepare every folder in PATIENT_DIR as one patient."""
    subject: Annotated[str | None, option("ID", "name of the folder")] = None
    """Id of the patient in the results."""
    jobs: Annotated[int, option("INT")] = 1
    """How many patients are prepared in parallel."""
    lesion_run: Annotated[Path | None, option("RUN_DIR", "")] = None
    """Finished run of train sgp3d. Its networks segment the lesion of patients without a lesion mask."""
    redo_from: Annotated[Stage | None, option("STAGE", "")] = None
    """Repeat from this stage on: series, head-motion, registration, brain, image, adc, lesion, rcbv, picture."""
    quiet: Annotated[bool, SWITCH] = False
    """Show no progress bars or progress lines."""
    strict: Annotated[bool, SWITCH] = False
    """Stop at the first error; without this option, the other patients are still prepared."""

    def __post_init__(self):
        if self.source is not None:
            object.__setattr__(self, "source", Path(self.source).resolve())
