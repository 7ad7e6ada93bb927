"""Find the images of a cohort on disk: which file is which image of which subject."""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from glioma_idh.cohorts.column_names import COLUMNS, PATHS
from glioma_idh.cohorts.manifests import canonical_patient
from glioma_idh.errors import InputError


class Ignored(NamedTuple):
    """A file or visit that is not in the cohort table, with the reason."""

    what: str
    reason: str


@dataclass(frozen=True)
class Layout:
    """The file names of a public cohort, as regular expressions for ids, files and visits.

    `files` matches the path after the subject's id (with `/`, without `.nii` or `.nii.gz`). It has the group `scan`,
    and the group `visit` if the visit is not part of the id.
    """

    subject: str  # id of a subject; case does not matter
    files: str
    scans: dict[str, tuple[str, ...]]  # by column of the cohort table: values of the group `scan`, the preferred first
    example: str  # a path as downloaded, for error messages
    visit: str = r"(?!)"  # end of the subject's id that stands for the visit; the rest is the patient id
    follow_up: str = r"(?!)"  # end of the id of a follow-up visit
    rename: Callable[[str], str] = str  # converts the id in a path to the subject's id
    adc_divisor: str = ""  # divisor of the `adc` images: 3 if they are the trace of the tensor

    def patient(self, subject: str) -> str:
        """Return the patient id of a subject, the same in all cohorts."""
        return canonical_patient(re.sub(f"(?:{self.visit})$", "", subject))

    def canonical(self, name: str) -> str:
        """Return a subject's id in the spelling of the cohort table; other names are returned unchanged."""
        return self.rename(name) if re.fullmatch(self.subject, name, re.IGNORECASE) else name


class PublicCohort(NamedTuple):
    """A public cohort: its file names and its labels."""

    layout: Layout
    labels: Callable[[Path | None, Path], pd.DataFrame]  # (label sheet or None, folder of images) -> manifest
    columns: tuple[str, ...] = ()  # columns that identify its label sheet; () if it has none
    title: str = ""  # name in a methods section
    every_column: frozenset[str] = frozenset()  # all columns of that sheet, if a user's own sheet may have `columns`
    members: tuple[str, str] | None = None  # manifest of its patients, and the reason to ignore others in the folder
    command: Callable | None = None  # the command `cohorts NAME`, which makes its manifest from the original sheets


def find_scans(images: Path, layout: Layout) -> tuple[dict[str, dict[str, Path]], list[Ignored]]:
    """Find the images of a public cohort in a folder and its subfolders.

    Args:
        images: the folder.
        layout: file names of the cohort.

    Returns:
        The paths by subject and column of the cohort table, and the ignored files.

    Raises:
        InputError: no file matches.
    """
    columns = {scan.lower(): (name, rank) for name, scans in layout.scans.items() for rank, scan in enumerate(scans)}
    pattern = re.compile(f"(?:^|.*/)(?P<subject>{layout.subject})(?:{layout.files})", re.IGNORECASE)
    found: dict = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    ignored: list[Ignored] = []
    for path in nifti_files(images):
        relative = path.relative_to(images).as_posix()
        match = pattern.fullmatch(without_ending(relative))
        column, rank = columns.get(match["scan"].lower(), ("", 0)) if match else ("", 0)
        if match is None or not column:
            reason = f"not used: {match['scan']}" if match else "its name does not match this cohort"
            ignored.append(Ignored(relative, reason))
            continue
        order = (rank, path.suffix == ".nii", len(path.parts), relative)
        visit = match["subject"].lower(), match.groupdict().get("visit", "")
        found[layout.rename(match["subject"])][visit][column].append((order, path))
    if not found:
        advice = "Give the folder that contains them."
        raise InputError(f"files such as {layout.example}", what_is_there(images), advice, file=images)
    scans = {}
    for subject, visits in sorted(found.items()):
        scans[subject] = {column: min(files)[1] for column, files in visits[min(visits)].items()}
    for subject, visits in found.items():  # list duplicates and files of other visits
        for visit, by_column in visits.items():
            taken = scans[subject] if visit == min(visits) else {}
            for column, files in by_column.items():
                reason = f"{taken[column].name} is used instead" if taken else f"another visit of {subject}"
                others = [path for _, path in sorted(files) if path != taken.get(column)]
                ignored += [Ignored(path.relative_to(images).as_posix(), reason) for path in others]
    return scans, ignored


def join_scans(
    who: pd.DataFrame, scans: dict[str, dict[str, Path]], layout: Layout, cohort: str, all_visits: bool
) -> tuple[pd.DataFrame, list[Ignored]]:
    """Join a manifest and the paths of images to a cohort table.

    Args:
        who: manifest of the subjects.
        scans: paths as from `find_scans`.
        layout: file names of the cohort.
        cohort: name of the cohort.
        all_visits: also keep follow-up visits.

    Returns:
        The cohort table, and the ignored follow-up visits. Subjects that have images but no row in the manifest stand
        at the end of the table, without a label.

    Raises:
        InputError: no row has an image.
    """
    known = set(who["subject"])
    who = who.assign(patient=who["patient"].where(who["patient"] != "", who["subject"].map(layout.patient)))
    others = pd.DataFrame({"subject": [subject for subject in scans if subject not in known]}, dtype=object)
    others = others.assign(patient=others["subject"].map(layout.patient), idh_evidence="not in the label sheet")
    table = pd.concat([who, others], ignore_index=True).astype(object).fillna("").assign(cohort=cohort)
    for column in PATHS:
        paths = (scans.get(subject, {}).get(column) for subject in table["subject"])
        table[column] = [str(path.absolute()) if path else "" for path in paths]
    table["adc_divisor"] = [layout.adc_divisor if path else "" for path in table["adc"]]
    follow_up = table["subject"].str.contains(f"(?:{layout.follow_up})$")
    if "follow_up" in table:
        follow_up |= table.pop("follow_up") == "1"
    visits = [] if all_visits else table["subject"][follow_up & table["subject"].isin(scans)]
    ignored = [Ignored(subject, "a follow-up visit; use --all-visits to include it") for subject in visits]
    if not all_visits:
        table = table[~follow_up]
    if not (table[list(PATHS)] != "").any(axis=None):
        found = f"none; the folder contains {', '.join(list(scans)[:3])}"
        advice = "Include follow-up visits with --all-visits, or choose another folder or cohort."
        raise InputError(f"images of first visits of {cohort}", found, advice)
    extra = [column for column in table if column not in COLUMNS]
    return table[[*COLUMNS, *extra]].astype(str).reset_index(drop=True), ignored


def without_ending(path: str) -> str:
    """Remove `.nii` or `.nii.gz` from a path."""
    return re.sub(r"\.nii(\.gz)?$", "", path, flags=re.IGNORECASE)


def nifti_files(images: str | Path) -> list[Path]:
    """List all NIfTI files in a folder and its subfolders, sorted."""
    return [path for path in _walk(images) if path.name.lower().endswith((".nii", ".nii.gz"))]


def find_files(images: str | Path, name: str) -> list[Path]:
    """List all files with a name, in any case, in a folder and its subfolders."""
    return [path for path in _walk(images) if path.name.lower() == name.lower()]


def _walk(images: str | Path) -> Iterator[Path]:
    """Yield all files in a folder and its subfolders, sorted; each linked folder once, without hidden system files."""
    seen = set()
    for folder, folders, files in os.walk(images, followlinks=True):
        real = os.path.realpath(folder)
        folders[:] = [] if real in seen else sorted(name for name in folders if name != "__MACOSX")
        if real not in seen:
            yield from (Path(folder, name) for name in sorted(files) if not name.startswith("."))
        seen.add(real)


def what_is_there(images: str | Path) -> str:
    """List the first entries of a folder, for error messages."""
    if not Path(images).is_dir():
        return "a file" if Path(images).exists() else "no such folder"
    names = sorted(path.name for path in Path(images).iterdir())
    return f"only {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}" if names else "an empty folder"
