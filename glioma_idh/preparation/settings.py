"""The command line of `prepare`: what is made of a patient's series and how, whom to prepare, and where to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from glioma_idh.errors import InputError
from glioma_idh.preparation.stages import Stage

STRUCTURAL = ("t1", "t1gd", "t2", "flair")
ROLES = (*STRUCTURAL, "adc", "dwi", "dsc", "lesion_mask", "brain_mask")

Skipped = Literal["head-motion", "registration", "brain", "bias", "adc", "lesion", "rcbv"]
File = Annotated[Path | None, tyro.conf.arg(metavar="FILE")]


@dataclass(frozen=True)
class Settings:
    """What is made, and how; a stage whose settings change is gone through again."""

    series: Annotated[tuple[str, ...], tyro.conf.arg(metavar="ROLE=SERIES [ROLE=SERIES ...]")] = ()
    """Which series is what: t2=12 (DICOM), t2=FILE, t2=none; also t1 t1gd flair adc dwi dsc lesion_mask brain_mask."""
    reference: Annotated[str, tyro.conf.arg(metavar="ROLE|atlas|FILE")] = "t1gd"
    """What all is registered to: t1gd (the paper's MPRAGE), t1, t2, flair, atlas (ICBM152), an image of the patient."""
    spacing_mm: float | None = None
    """Edge of the voxels, mm; by default the reference's own, or 1 mm where its slices are thicker than 1.5 mm."""
    skip: Annotated[tuple[Skipped, ...], tyro.conf.arg(metavar="STAGE [STAGE ...]")] = ()
    """Leave out: head-motion (in DWI, DSC) registration (trust headers) brain (no mask) bias (N4) adc lesion rcbv."""
    lesion_mask: File = None
    """The patient's lesion, on the grid of any series or of the result: labels above 0 or probabilities from 0.5 on."""
    lesion_on: Literal["t1", "t1gd", "t2", "flair"] = "t2"
    """The series that the lesion was drawn on where several have its grid; the paper's is drawn on T2."""
    brain_mask: File = None
    """The patient's brain, likewise; by default found."""
    brain_command: Annotated[str | None, tyro.conf.arg(metavar="COMMAND")] = None
    """Another brain extractor, such as "mri_synthstrip -i {input} -m {mask}"."""
    keep_skull: bool = False
    """Leave what is outside the brain in T1, T1Gd, T2 and FLAIR (SGPNet wants it gone)."""
    keep_flagged: bool = False
    """Keep series whose registration looks wrong; by default they are left out."""
    echo_times_s: Annotated[tuple[float, ...], tyro.conf.arg(metavar="S [S]")] = ()
    """Echo times of the DSC series, s, in place of what sidecar and header say; two where there are two echoes."""
    repetition_time_s: Annotated[float | None, tyro.conf.arg(metavar="S")] = None
    """Time from one DSC volume to the next, s, likewise."""
    cbv: Literal["first-pass", "whole-curve", "gamma-variate"] = "first-pass"
    """Blood volume is the area of the first pass, of the whole curve, or of a gamma-variate fitted to the first."""
    leakage_correction: bool = True
    """Correct rCBV for leaking contrast medium, as the paper's is; --no-leakage-correction for the uncorrected map."""
    white_mask: File = None
    """Normal white matter that rCBV is relative to, on the reference's grid; by default found, away from the lesion."""

    def __post_init__(self):
        for name in ("lesion_mask", "brain_mask", "white_mask"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, Path(getattr(self, name)).resolve())
        if self.reference not in (*STRUCTURAL, "atlas"):
            object.__setattr__(self, "reference", str(Path(self.reference).resolve()))

    @property
    def anchor(self) -> str:
        """The role of the series that the others are registered to; it is itself brought to an atlas or a file."""
        return self.reference if self.reference in STRUCTURAL else "t1gd"

    def wanted_series(self) -> dict[str, str]:
        """`series` by role; an InputError where an entry is not ROLE=SERIES, or names no role."""
        pairs = [entry.partition("=") for entry in self.series]
        for entry, (role, sign, which) in zip(self.series, pairs, strict=True):
            if role not in ROLES or not sign or not which:
                raise InputError(f"ROLE=SERIES with ROLE out of {' '.join(ROLES)}", repr(entry), "Such as t2=12.")
        roles = [role for role, _, _ in pairs]
        if len(set(roles)) < len(roles):
            found = f"{max(roles, key=roles.count)} more than once"
            raise InputError("each role once in --series", found, "Parts of a dwi or dsc go together as dsc=12+13.")
        return {role: which for role, _, which in pairs}


@dataclass(frozen=True)
class Job:
    """Whom to prepare, and where to."""

    source: Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="PATIENT_DIR")] = None
    """A patient's folder; with --many the folder that holds the patients' folders."""
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("prepared")
    """Where the results go: a folder a patient, cohort.csv, exclusions.csv."""
    many: bool = False
    """Every folder in PATIENT_DIR is a patient."""
    subject: Annotated[str | None, tyro.conf.arg(metavar="ID")] = None
    """The patient's id in the results; by default the folder's name."""
    jobs: Annotated[int, tyro.conf.arg(metavar="INT")] = 1
    """Patients at a time."""
    lesion_run: Annotated[Path | None, tyro.conf.arg(metavar="RUN_DIR")] = None
    """A finished run of glioma_idh.sgp3d.train that finds the lesion of patients without a mask."""
    redo_from: Annotated[Stage | None, tyro.conf.arg(metavar="STAGE")] = None
    """Go through it and all after it again: series head-motion registration brain image adc lesion rcbv picture."""
    quiet: bool = False
    """Show no progress: no lines about stages, no bar."""
    strict: bool = False
    """Stop at the first patient of whom something cannot be used."""

    def __post_init__(self):
        if self.source is not None:
            object.__setattr__(self, "source", Path(self.source).resolve())
