"""Several series for one sequence: those that belong together, and those that are plainly the better ones."""

import itertools
import math
from dataclasses import replace

from glioma_idh.preparation.recognition import Series

FINER = 1.5
"""By what factor the voxels of the others must be larger for a series to be preferred."""


def merge(parts: list[Series], number: str) -> Series:
    """Several series as one, in the order of echo times and b-values."""
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
    """Candidates for DSC that are echoes of each other, and for DWI that have one b-value each, as one."""
    groups, merged = [], []
    for candidate in candidates:
        group = next((group for group in groups if _belong_together(role, candidate, group[0])), [])
        groups += [] if group else [group]
        group.append(candidate)
    for group in groups:
        keys = [part.acquisitions[0].echo_time_s if role == "dsc" else part.b_values for part in group]
        whole = role in ("dsc", "dwi") and len(set(keys)) == len(keys)
        merged += [merge(group, "+".join(part.number for part in group))] if whole else group
    return merged


def _belong_together(role: str, one: Series, other: Series) -> bool:
    """Whether two series are parts of one: on grids of the same size, and each of one echo or b-value."""
    if role == "dsc":
        echoes = [len(part.files) == 1 and part.acquisitions[0].echo_time_s for part in (one, other)]
        return all(echoes) and (one.shape, one.num_volumes) == (other.shape, other.num_volumes)
    return role == "dwi" and one.shape == other.shape and all(len(set(part.b_values)) == 1 for part in (one, other))


def may_be_echoes(role: str, candidates: list[Series]) -> bool:
    """Whether two candidates for DSC may be the echoes of one series: nothing says their echo times."""
    alike = len({(one.shape, one.num_volumes) for one in candidates}) == 1
    unsaid = all(len(one.files) == 1 and one.acquisitions[0].echo_time_s is None for one in candidates)
    return role == "dsc" and len(candidates) == 2 and alike and unsaid


def prefer(role: str, candidates: list[Series]) -> tuple[list[Series], str]:
    """Leave out candidates that are plainly the lesser ones.

    Acquired images come before derived ones; for T1Gd, 3D before 2D; and then voxels that are smaller by a factor of
    1.5 or more. Whatever this does not settle stays open.

    Returns:
        Who is left; and the reason, to follow the description of who it is.
    """
    reasons, size = [], lambda series: math.prod(series.spacing_mm)
    for why, better in (
        ("derived", lambda one, other: "DERIVED" in other.codes and "DERIVED" not in one.codes),
        ("2D", lambda one, other: role == "t1gd" and "3D" in one.codes and "2D" in other.codes),
        ("of larger voxels", lambda one, other: role not in ("dwi", "dsc") and size(other) >= FINER * size(one)),
    ):
        beaten = {b.number for a, b in itertools.permutations(candidates, 2) if better(a, b)}
        reasons += [f"rather than series {number}, {why}" for number in sorted(beaten)]
        candidates = [candidate for candidate in candidates if candidate.number not in beaten]
    return candidates, "".join(f"; {reason}" for reason in reasons)
