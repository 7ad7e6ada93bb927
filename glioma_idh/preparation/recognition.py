"""What a series can be: from how it was acquired, and from the words in its name or description."""

from dataclasses import dataclass
from pathlib import Path

from glioma_idh.imaging.acquisition import Acquisition
from glioma_idh.imaging.dicom.slices import MANY_VOLUMES
from glioma_idh.imaging.diffusion.gradients import UNWEIGHTED
from glioma_idh.imaging.series_contrast import contrast_said
from glioma_idh.imaging.series_names import roles_named
from glioma_idh.imaging.series_vocabulary import LINKS, UNKNOWN
from glioma_idh.preparation.settings import STRUCTURAL

DIFFUSION_TYPES = {"DIFFUSION", "TRACEW", "TRACE"}
"""Codes of the image type that diffusion-weighted images alone have."""
LABELS = {"t1": "T1", "t1gd": "T1Gd", "t2": "T2", "flair": "FLAIR", "adc": "ADC", "dwi": "DWI", "dsc": "DSC"}


@dataclass(frozen=True)
class Series:
    """Images that belong together: one file, or one for each echo or b-value.

    Attributes:
        number: of the DICOM series; for a NIfTI file its name without ending.
        files: the images.
        acquisitions: how each file was acquired.
        num_volumes: in each file.
        spacing_mm: edge lengths of a voxel.
        words: of its name or description, in their order, as `words_of` gives them.
        described: the words are the scanner's, not a file's name.
        by_protocol: they are those of a protocol, which may hold several series.
        contrast: whether a contrast agent is in its header; None where that cannot be told.
        codes: of image type and scanning sequence, `EP` or `DERIVED` for example.
        path: of a NIfTI file, below the patient's folder.
        shape: of a volume.
    """

    number: str
    files: tuple[Path, ...]
    acquisitions: tuple[Acquisition, ...]
    num_volumes: int = 1
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    words: tuple[str, ...] = ()
    described: bool = False
    by_protocol: bool = False
    contrast: bool | None = None
    codes: frozenset[str] = frozenset()
    path: str = ""
    shape: tuple[int, ...] = ()

    @property
    def b_values(self) -> tuple[float, ...]:
        """Those of all files, s/mm2."""
        return tuple(b_value for acquisition in self.acquisitions for b_value in acquisition.b_values)


@dataclass(frozen=True)
class Reading:
    """What a series can be.

    Attributes:
        roles: several where that is open, none where nothing tells or where what tells contradicts itself.
        claims: the roles that tags or words name, when they contradict each other.
        against: why a claim does not hold.
    """

    roles: frozenset[str]
    claims: frozenset[str] = frozenset()
    against: str = ""


def recognise(series: Series) -> Reading:
    """What a series can be, by its tags and by its words; where both speak they must agree."""
    by_tags, by_words = roles_by_tags(series), roles_by_words(series)
    if series.by_protocol and by_tags and not by_tags & (by_words or by_tags):
        by_words = None
    if by_words is not None and not by_words:
        return Reading(frozenset())
    told = [roles for roles in (by_words, by_tags) if roles]
    if not told:
        return Reading(frozenset())
    excluded = ruled_out(series)
    roles = frozenset.intersection(*told) - set(excluded)
    if roles:
        return Reading(roles)
    against = [reason for role, reason in excluded.items() if role in told[0]]
    if not against and len(told) > 1:
        against = [f"acquired as {or_else(by_tags)} is ({describe(series)})"]
    return Reading(frozenset(), told[0], against[0])


def roles_by_tags(series: Series) -> frozenset[str] | None:
    """The roles that fit how a series was acquired; None where that does not tell."""
    if "ADC" in series.codes:
        return frozenset({"adc"})
    if is_diffusion(series):
        return frozenset({"dwi", "adc"} if "adc" in series.words else {"dwi"})
    echo_s = max((acquisition.echo_time_s or 0 for acquisition in series.acquisitions), default=0)
    repetition_s, inversion_s = series.acquisitions[0].repetition_time_s, series.acquisitions[0].inversion_time_s
    inverted = inversion_s is not None or "IR" in series.codes
    if series.num_volumes >= MANY_VOLUMES:
        bolus = series.codes & {"EP", "GR"} and 0.01 <= echo_s <= 0.12 and series.contrast is not False
        return frozenset({"dsc"}) if bolus else None
    if not echo_s or not repetition_s or series.num_volumes > 1 or "EP" in series.codes:
        return None
    if echo_s >= 0.07 and inverted:
        long = 1.5 <= inversion_s <= 3.0 if inversion_s else repetition_s >= 4
        return frozenset({"flair"}) if long else None
    if echo_s >= 0.07 and repetition_s >= 2:
        return frozenset({"t2"})
    said = contrast_said(series.words)
    t1_weighted = frozenset({"t1gd" if given else "t1" for given in said or (True, False)})
    if inversion_s is not None:
        return t1_weighted if echo_s <= 0.035 and 0.3 <= inversion_s <= 1.5 else None
    longest_s = 0.03 if "SE" in series.codes else 0.015
    return t1_weighted if echo_s <= longest_s and (repetition_s <= 1.2 or inverted) else None


def is_diffusion(series: Series) -> bool:
    """Whether b-values or the image type say that a series is diffusion-weighted.

    A b-value of 0 alone says nothing: GE and Philips write it on series of every kind.
    """
    return max(series.b_values, default=0) > UNWEIGHTED or bool(series.codes & DIFFUSION_TYPES)


def roles_by_words(series: Series) -> frozenset[str] | None:
    """The roles that the words name; nothing where they name another kind of image, None where they do not tell."""
    roles = roles_named(series.words, series.described)
    return roles if roles is None else roles - {"rcbv"}


def ruled_out(series: Series) -> dict[str, str]:
    """The roles that a series cannot have, each with the reason."""
    one = [*STRUCTURAL, "adc", "lesion_mask", "brain_mask"]
    excluded = {}
    if series.num_volumes > 1:
        excluded |= dict.fromkeys(one, f"it has {series.num_volumes} volumes")
    else:
        excluded["dsc"] = "it has one volume, not one over time"
        excluded |= {} if series.b_values else {"dwi": "it has one volume, and no b-value"}
    if series.described:
        excluded |= dict.fromkeys(("lesion_mask", "brain_mask"), "it was acquired")
    if "EP" in series.codes:
        excluded |= dict.fromkeys(STRUCTURAL, "it is echo-planar")
    echo_s = series.acquisitions[0].echo_time_s
    if echo_s and echo_s < 0.04:
        excluded |= dict.fromkeys(("t2", "flair"), f"its echo time of {echo_s:g} s is short")
    if echo_s and echo_s > 0.05:
        excluded |= dict.fromkeys(("t1", "t1gd"), f"its echo time of {echo_s:g} s is long")
    longest_s = max(acquisition.echo_time_s or 0 for acquisition in series.acquisitions)
    if 0 < longest_s < 0.008 and "dsc" not in series.words:
        excluded["dsc"] = f"its echo time of {longest_s:g} s shows no bolus in T2*"
    left_open = len(contrast_said(series.words)) == 2  # which a header that names no agent does not settle
    if series.contrast or (series.contrast is False and not left_open):
        role, reason = ("t1", "a contrast agent is") if series.contrast else ("t1gd", "no contrast agent is")
        excluded.setdefault(role, f"{reason} in its header")
    return excluded


def describe(series: Series) -> str:
    """How a series was acquired, as far as it is known, and what it is called."""
    first = series.acquisitions[0]
    kinds = {"EP": "echo-planar", "IR": "inversion recovery", "GR": "gradient echo", "SE": "spin echo"}
    kind = next((name for code, name in kinds.items() if code in series.codes), "")
    if first.inversion_time_s and not kind.startswith("echo"):
        kind = "inversion recovery"
    parts = [f"{'3D' if '3D' in series.codes else '2D' if '2D' in series.codes else ''} {kind}".strip()]
    parts += [f"{series.num_volumes} volumes"] if series.num_volumes > 1 else []
    shells = sorted({round(b_value, -1 if b_value < 100 else -2) for b_value in series.b_values})
    parts += [f"b {', '.join(f'{b_value:g}' for b_value in shells)} s/mm2"] if shells else []
    parts += [f"TI {first.inversion_time_s:g} s"] if first.inversion_time_s else []
    echoes_s = sorted({acquisition.echo_time_s for acquisition in series.acquisitions if acquisition.echo_time_s})
    parts += [f"TE {' and '.join(f'{echo_s:g}' for echo_s in echoes_s)} s"] if echoes_s else []
    parts += ["contrast given"] if series.contrast else []
    parts += ["derived"] if "DERIVED" in series.codes else []
    called = " ".join(dict.fromkeys(word for word in series.words if word not in LINKS | {UNKNOWN}))
    parts += [f"{'described as' if series.described else 'named'} {called}"] if called else []
    return ", ".join(part for part in parts if part) or "nothing known"


def or_else(roles) -> str:
    """Roles in words: `T1 or T1Gd`."""
    return " or ".join(LABELS.get(role, role.replace("_", " ")) for role in sorted(roles))
