"""Recognise the role of a series from its acquisition parameters and name; prefer the better of several."""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from glioma_idh.imaging.acquisition import Acquisition
from glioma_idh.imaging.dicom.slices import MANY_VOLUMES
from glioma_idh.imaging.diffusion.gradients import UNWEIGHTED
from glioma_idh.imaging.series_contrast import contrast_said
from glioma_idh.imaging.series_names import roles_named
from glioma_idh.imaging.series_vocabulary import LINKS, UNKNOWN
from glioma_idh.preparation.settings import STRUCTURAL

DIFFUSION_TYPES = {"DIFFUSION", "TRACEW", "TRACE"}  # values of the image type that only diffusion images have
FINER = 1.5  # a series is preferred to one whose voxels are larger by this factor
LABELS = {"t1": "T1", "t1gd": "T1Gd", "t2": "T2", "flair": "FLAIR", "adc": "ADC", "dwi": "DWI", "dsc": "DSC"}


@dataclass(frozen=True)
class Series:
    """An imaging series: one file, or one file per echo or b-value."""

    number: str  # DICOM series number; for a NIfTI file its name without ending
    files: tuple[Path, ...]
    acquisitions: tuple[Acquisition, ...]  # one per file
    num_volumes: int = 1  # per file
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)  # edge lengths of a voxel
    words: tuple[str, ...] = ()  # of its name or description, from `words_of`
    described: bool = False  # the words are from the scanner, not from a file name
    by_protocol: bool = False  # they include those of the protocol, which may cover several series
    contrast: bool | None = None  # whether its header names a contrast agent; None if unknown
    codes: frozenset[str] = frozenset()  # values of image type and scanning sequence, such as `EP` or `DERIVED`
    path: str = ""  # of a NIfTI file, relative to the patient's folder
    shape: tuple[int, ...] = ()  # of one volume
    reason: str = ""  # why it was chosen for its role

    @property
    def b_values(self) -> tuple[float, ...]:
        """The b-values of all files, s/mm2."""
        return tuple(b_value for acquisition in self.acquisitions for b_value in acquisition.b_values)


@dataclass(frozen=True)
class Reading:
    """The possible roles of a series."""

    roles: frozenset[str]  # several if ambiguous; none if unknown or contradictory
    claims: frozenset[str] = frozenset()  # roles that tags or words name although they contradict each other
    against: str = ""  # what contradicts the claims


def recognise(series: Series) -> Reading:
    """Determine the possible roles of a series from its tags and its words, which must not contradict each other."""
    by_tags, by_words = roles_by_tags(series), roles_by_words(series)
    if series.by_protocol and by_tags and not by_tags & (by_words or by_tags):
        by_words = None
    told = [roles for roles in (by_words, by_tags) if roles]
    if by_words == frozenset() or not told:
        return Reading(frozenset())
    excluded = ruled_out(series)
    roles = frozenset.intersection(*told) - set(excluded)
    if roles:
        return Reading(roles)
    against = [reason for role, reason in excluded.items() if role in told[0]]
    if not against and len(told) > 1:
        against = [f"it was acquired like {or_else(by_tags)} ({describe(series)})"]
    return Reading(frozenset(), told[0], against[0])


def roles_by_tags(series: Series) -> frozenset[str] | None:
    """Return the roles that fit the acquisition parameters; None if these are not specific."""
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
    """Return whether b-values or image type indicate diffusion; a b-value of 0 alone does not (GE, Philips)."""
    return max(series.b_values, default=0) > UNWEIGHTED or bool(series.codes & DIFFUSION_TYPES)


def roles_by_words(series: Series) -> frozenset[str] | None:
    """Return the roles that the words name; empty for another kind of image, None if they do not tell."""
    roles = roles_named(series.words, series.described)
    return roles if roles is None else roles - {"rcbv"}


def ruled_out(series: Series) -> dict[str, str]:
    """Return the roles that a series cannot have, with the reasons."""
    several, echo_s = series.num_volumes > 1, series.acquisitions[0].echo_time_s or 0
    longest_s = max(acquisition.echo_time_s or 0 for acquisition in series.acquisitions)
    no_bolus = 0 < longest_s < 0.008 and "dsc" not in series.words
    masks, excluded = ("lesion_mask", "brain_mask"), {}
    for is_so, roles, reason in (
        (several, (*STRUCTURAL, "adc", *masks), f"it has {series.num_volumes} volumes"),
        (not several, ("dsc",), "it has only one volume"),
        (not several and not series.b_values, ("dwi",), "it has only one volume and no b-value"),
        (series.described, masks, "it was acquired"),
        ("EP" in series.codes, STRUCTURAL, "it is echo-planar"),
        (0 < echo_s < 0.04, ("t2", "flair"), f"its echo time of {echo_s:g} s is short"),
        (echo_s > 0.05, ("t1", "t1gd"), f"its echo time of {echo_s:g} s is long"),
        (no_bolus, ("dsc",), f"its echo time of {longest_s:g} s is too short for T2* perfusion"),
    ):
        excluded |= dict.fromkeys(roles, reason) if is_so else {}
    left_open = len(contrast_said(series.words)) == 2  # a header without contrast agent does not decide this
    if series.contrast or (series.contrast is False and not left_open):
        role, reason = ("t1", "names a contrast agent") if series.contrast else ("t1gd", "names no contrast agent")
        excluded.setdefault(role, f"its header {reason}")
    return excluded


def describe(series: Series) -> str:
    """Describe the acquisition and the name of a series, as far as known."""
    first = series.acquisitions[0]
    kinds = {"EP": "echo-planar", "IR": "inversion recovery", "GR": "gradient echo", "SE": "spin echo"}
    kind = next((name for code, name in kinds.items() if code in series.codes), "")
    if first.inversion_time_s and not kind.startswith("echo"):
        kind = "inversion recovery"
    shells = sorted({round(b_value, -1 if b_value < 100 else -2) for b_value in series.b_values})
    echoes_s = sorted({acquisition.echo_time_s for acquisition in series.acquisitions if acquisition.echo_time_s})
    called = " ".join(dict.fromkeys(word for word in series.words if word not in LINKS | {UNKNOWN}))
    parts = (
        f"{'3D' if '3D' in series.codes else '2D' if '2D' in series.codes else ''} {kind}".strip(),
        series.num_volumes > 1 and f"{series.num_volumes} volumes",
        shells and f"b {', '.join(f'{b_value:g}' for b_value in shells)} s/mm2",
        first.inversion_time_s and f"TI {first.inversion_time_s:g} s",
        echoes_s and f"TE {' and '.join(f'{echo_s:g}' for echo_s in echoes_s)} s",
        series.contrast and "with contrast agent",
        "DERIVED" in series.codes and "derived",
        called and f"{'described as' if series.described else 'named'} {called}",
    )
    return ", ".join(part for part in parts if part) or "no details known"


def or_else(roles: Iterable[str]) -> str:
    """Return roles in words, such as `T1 or T1Gd`."""
    return " or ".join(LABELS.get(role, role.replace("_", " ")) for role in sorted(roles))


def merge(parts: list[Series], number: str) -> Series:
    """Combine several series to one, ordered by echo times and b-values."""
    if len(parts) == 1:
        return replace(parts[0], number=number)
    parts = sorted(parts, key=lambda part: (part.acquisitions[0].echo_time_s or 0, part.b_values))
    return replace(
        parts[0],
        number=number,
        files=tuple(file for part in parts for file in part.files),
        acquisitions=tuple(acquisition for part in parts for acquisition in part.acquisitions),
        words=tuple(dict.fromkeys(word for part in parts for word in part.words)),
    )


def put_together(role: str, candidates: list[Series]) -> list[Series]:
    """Combine candidates for DSC that are echoes of one series, and candidates for DWI with one b-value each."""
    groups, merged = defaultdict(list), []
    for one in candidates:
        key = id(one)  # separate, unless it is one echo or b-value with the same shape
        if role == "dsc" and len(one.files) == 1 and one.acquisitions[0].echo_time_s:
            key = (one.shape, one.num_volumes)
        elif role == "dwi" and len(set(one.b_values)) == 1:
            key = one.shape
        groups[key].append(one)
    for group in groups.values():
        keys = [part.acquisitions[0].echo_time_s if role == "dsc" else part.b_values for part in group]
        whole = role in ("dsc", "dwi") and len(set(keys)) == len(keys)
        merged += [merge(group, "+".join(part.number for part in group))] if whole else group
    return merged


def prefer(role: str, candidates: list[Series]) -> tuple[list[Series], str]:
    """Drop candidates that are clearly worse: derived, 2D T1Gd, 1.5 times larger voxels; also return the reasons."""
    reasons, size = [], lambda series: math.prod(series.spacing_mm)
    for why, better in (
        ("derived", lambda one, other: "DERIVED" in other.codes and "DERIVED" not in one.codes),
        ("2D", lambda one, other: role == "t1gd" and "3D" in one.codes and "2D" in other.codes),
        ("with larger voxels", lambda one, other: role not in ("dwi", "dsc") and size(other) >= FINER * size(one)),
    ):
        beaten = {b.number for a, b in itertools.permutations(candidates, 2) if better(a, b)}
        reasons += [f"preferred to series {number} ({why})" for number in sorted(beaten)]
        candidates = [candidate for candidate in candidates if candidate.number not in beaten]
    return candidates, "".join(f"; {reason}" for reason in reasons)
