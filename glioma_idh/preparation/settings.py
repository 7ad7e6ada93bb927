"""What is made of a patient's series, and how: with the door's `Job` it is the command line of `prepare`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from glioma_idh.errors import InputError

STRUCTURAL = ("t1", "t1gd", "t2", "flair")
ROLES = (*STRUCTURAL, "adc", "dwi", "dsc", "lesion_mask", "brain_mask")

Skipped = Literal["movement", "registration", "brain", "bias", "adc", "lesion", "rcbv"]
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
    """Leave out: movement (in DWI, DSC) registration (trust headers) brain (no mask) bias (N4) adc lesion rcbv."""
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

    def check(self) -> None:
        """Refuse what no patient can be prepared with.

        Raises:
            InputError: it names the flag.
        """
        self.wanted_series()
        for name in ("lesion_mask", "brain_mask", "white_mask"):
            path = getattr(self, name)
            if path is not None and not path.is_file():
                raise InputError(f"an image for --{name.replace('_', '-')}", "no file", "Check the path.", file=path)
        if self.reference not in (*STRUCTURAL, "atlas") and not Path(self.reference).is_file():
            advice = f"Name one of {', '.join(STRUCTURAL)}, atlas, or an image."
            raise InputError("--reference that is there", "no such file", advice, file=self.reference)
        if self.brain_command is not None:
            from glioma_idh.imaging.brain import extractor_words

            extractor_words(self.brain_command)
        if self.spacing_mm is not None and not 0.3 <= self.spacing_mm <= 10:
            raise InputError("--spacing-mm from 0.3 to 10", f"{self.spacing_mm:g}", "Give the voxels' edge in mm.")

    @property
    def anchor(self) -> str:
        """The role of the series that the others are registered to; it is itself brought to an atlas or a file."""
        return self.reference if self.reference in STRUCTURAL else "t1gd"

    def wanted_series(self) -> dict[str, str]:
        """`series` by role.

        Raises:
            InputError: an entry is not ROLE=SERIES, or names no role.
        """
        pairs = [entry.partition("=") for entry in self.series]
        for entry, (role, sign, which) in zip(self.series, pairs, strict=True):
            if role not in ROLES or not sign or not which:
                raise InputError(f"ROLE=SERIES with ROLE out of {' '.join(ROLES)}", repr(entry), "Such as t2=12.")
        roles = [role for role, _, _ in pairs]
        if len(set(roles)) < len(roles):
            found = f"{max(roles, key=roles.count)} more than once"
            raise InputError("each role once in --series", found, "Parts of a dwi or dsc go together as dsc=12+13.")
        return {role: which for role, _, which in pairs}
