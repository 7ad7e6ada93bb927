"""Cohorts as they lie on disk: which file is which scan of whom, and what is left aside."""

import os
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from glioma_idh.cohorts.column_names import COLUMNS, PATHS
from glioma_idh.cohorts.manifests import canonical_patient
from glioma_idh.errors import InputError


class Ignored(NamedTuple):
    """A file or visit that is not in the cohort table, and why."""

    what: str
    reason: str


@dataclass(frozen=True)
class Layout:
    """How a public cohort names its files; ids, files and visits as regular expressions.

    `files` is what follows a subject's id up to the end of a path (with `/`, without `.nii` or `.nii.gz`), with the
    group `scan`, and `visit` where that is not part of the id.
    """

    subject: str  # its id, in any case of letters
    files: str
    scans: dict[str, tuple[str, ...]]  # for each column of the cohort table the spellings of `scan`, the best first
    example: str  # a path as it is downloaded, for messages
    visit: str = r"(?!)"  # the end of a subject's id that names the visit; the rest is the patient
    follow_up: str = r"(?!)"  # the end of the id of a follow-up visit
    rename: Callable[[str], str] = str  # from the id in the path to the subject's
    adc_divisor: str = ""  # what the voxels of its `adc` images are to be divided by; 3 where they are traces

    def patient(self, subject: str) -> str:
        """Whose visit a subject is, in the one name that the patient has across cohorts."""
        return canonical_patient(re.sub(f"(?:{self.visit})$", "", subject))

    def canonical(self, name: str) -> str:
        """A subject's id as the table has it, however a sheet spells it; other names stay as they are."""
        return self.rename(name) if re.fullmatch(self.subject, name, re.IGNORECASE) else name


class PublicCohort(NamedTuple):
    """How a public cohort's files are named, and who is who: from its label sheet, or from what is shipped."""

    layout: Layout
    labels: Callable[[Path | None, Path], pd.DataFrame]  # (label sheet or None, folder of images) -> manifest
    columns: tuple[str, ...] = ()  # by which its label sheet is known as downloaded; none where it has no sheet
    title: str = ""  # what it is called in a methods section
    every_column: frozenset[str] = frozenset()  # of that sheet, where one of a user's own may well have `columns`
    members: tuple[str, str] | None = None  # shipped manifest of its patients; what the others in the folder are
    command: Callable | None = None  # `python -m glioma_idh.cohorts NAME`, which makes its manifest from the sources


def find_scans(images, layout: Layout) -> tuple[dict[str, dict[str, Path]], list[Ignored]]:
    """By subject the path in each column, however deep it lies, and the files not taken; nobody is an InputError."""
    columns = {scan.lower(): (name, rank) for name, scans in layout.scans.items() for rank, scan in enumerate(scans)}
    pattern = re.compile(f"(?:^|.*/)(?P<subject>{layout.subject})(?:{layout.files})", re.IGNORECASE)
    found: dict = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    ignored: list[Ignored] = []
    for path in nifti_files(images):
        relative = path.relative_to(images).as_posix()
        match = pattern.fullmatch(without_ending(relative))
        column, rank = columns.get(match["scan"].lower(), ("", 0)) if match else ("", 0)
        if match is None or not column:
            reason = f"not used: {match['scan']}" if match else "not named as this cohort's files"
            ignored.append(Ignored(relative, reason))
            continue
        order = (rank, path.suffix == ".nii", len(path.parts), relative)
        visit = match["subject"].lower(), match.groupdict().get("visit", "")
        found[layout.rename(match["subject"])][visit][column].append((order, path))
    if not found:
        raise InputError(f"files such as {layout.example}", what_is_there(images), "Name their folder.", file=images)
    scans = {}
    for subject, visits in sorted(found.items()):
        scans[subject] = {column: min(files)[1] for column, files in visits[min(visits)].items()}
    for subject, visits in found.items():  # second copies, and files of another visit
        for visit, by_column in visits.items():
            taken = scans[subject] if visit == min(visits) else {}
            for column, files in by_column.items():
                reason = f"{taken[column].name} is taken" if taken else f"another visit of {subject}"
                others = [path for _, path in sorted(files) if path != taken.get(column)]
                ignored += [Ignored(path.relative_to(images).as_posix(), reason) for path in others]
    return scans, ignored


def join_scans(who, scans: dict, layout: Layout, cohort: str, all_visits) -> tuple[pd.DataFrame, list[Ignored]]:
    """The cohort table: who there is, as a manifest has it, and where their scans lie, as `find_scans` gives them.

    Returns the rows of `who`, then the subjects that only the folder has, without a label; and the visits left aside:
    follow-ups, which share their patient's id, without `all_visits`. No scan of any row is an InputError.
    """
    known = set(who["subject"])
    who = who.assign(patient=who["patient"].where(who["patient"] != "", who["subject"].map(layout.patient)))
    others = pd.DataFrame({"subject": [subject for subject in scans if subject not in known]}, dtype=object)
    others = others.assign(patient=others["subject"].map(layout.patient), idh_evidence="not in the label sheet")
    table = pd.concat([who, others], ignore_index=True).astype(object).fillna("").assign(cohort=cohort)
    for column in PATHS:
        paths = (scans.get(subject, {}).get(column, "") for subject in table["subject"])
        table[column] = [str(path.absolute()) if path else "" for path in paths]
    table["adc_divisor"] = [layout.adc_divisor if path else "" for path in table["adc"]]
    follow_up = table["subject"].str.contains(f"(?:{layout.follow_up})$")
    if "follow_up" in table:
        follow_up |= table.pop("follow_up") == "1"
    visits = [] if all_visits else table["subject"][follow_up & table["subject"].isin(scans)]
    ignored = [Ignored(subject, "a follow-up visit; --all-visits takes it") for subject in visits]
    if not all_visits:
        table = table[~follow_up]
    if not (table[list(PATHS)] != "").any(axis=None):
        found = f"none; the folder has {', '.join(list(scans)[:3])}"
        advice = "Take follow-up visits with --all-visits, or name another folder or cohort."
        raise InputError(f"scans of first visits of {cohort}", found, advice)
    extra = [column for column in table if column not in COLUMNS]
    return table[[*COLUMNS, *extra]].astype(str).reset_index(drop=True), ignored


def without_ending(path: str) -> str:
    """A path without `.nii` or `.nii.gz`, in any case."""
    return re.sub(r"\.nii(\.gz)?$", "", path, flags=re.IGNORECASE)


def nifti_files(images) -> list[Path]:
    """Every NIfTI file below a folder, in order."""
    return [path for path in _walk(images) if path.name.lower().endswith((".nii", ".nii.gz"))]


def find_files(images, name: str) -> list[Path]:
    """Every file of a name, in any case of letters, below a folder."""
    return [path for path in _walk(images) if path.name.lower() == name.lower()]


def _walk(images):
    """Every file below a folder, links followed once, in order; not the shadows that some systems leave."""
    seen = set()
    for folder, folders, files in os.walk(images, followlinks=True):
        real = os.path.realpath(folder)
        folders[:] = [] if real in seen else sorted(name for name in folders if name != "__MACOSX")
        if real not in seen:
            yield from (Path(folder, name) for name in sorted(files) if not name.startswith("."))
        seen.add(real)


def what_is_there(images) -> str:
    """The first few things in a folder."""
    if not Path(images).is_dir():
        return "a file" if Path(images).exists() else "no such folder"
    names = sorted(path.name for path in Path(images).iterdir())
    return f"only {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}" if names else "an empty folder"
