"""Cohorts as they lie on disk: which file is which scan of whom, and what is left aside."""

import os
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from glioma_idh.cohorts.table import COLUMNS, PATHS
from glioma_idh.errors import InputError

ENDINGS = (".nii", ".nii.gz")


class Ignored(NamedTuple):
    """A file or visit that is not in the cohort table, and why."""

    what: str
    reason: str


@dataclass(frozen=True)
class Layout:
    """How a public cohort names its files.

    Attributes:
        files: regular expression for the end of a path (with `/`, without `.nii` or `.nii.gz`), in any case of
            letters, with the groups `subject` and `scan`.
        scans: for each column of the cohort table the spellings of `scan`, the best first.
        example: a path as it is downloaded, for messages.
        visit: regular expression for the end of a subject id that names the visit; the rest is the patient.
        follow_up: regular expression for the end of the id of a follow-up visit.
        rename: from the id in the path to the subject's.
        adc_divisor: what the voxels of its `adc` images are to be divided by; 3 where they are traces.
    """

    files: str
    scans: dict[str, tuple[str, ...]]
    example: str
    visit: str = r"(?!)"
    follow_up: str = r"(?!)"
    rename: Callable[[str], str] = str
    adc_divisor: str = ""

    def patient(self, subject: str) -> str:
        """Whose visit a subject is."""
        return re.sub(f"(?:{self.visit})$", "", subject)


def find_scans(images, layout: Layout) -> tuple[dict[str, dict[str, Path]], list[Ignored]]:
    """Find each subject's files, however deep they lie, `.nii` or `.nii.gz`.

    Args:
        images: folder of the download, or a parent of it.
        layout: how its files are named.

    Returns:
        For each subject the path in each column; and the files that were not taken, with the reason.

    Raises:
        InputError: there is no subject; it says what was looked for and what is there.
    """
    columns = {
        scan.lower(): (column, rank) for column, scans in layout.scans.items() for rank, scan in enumerate(scans)
    }
    pattern = re.compile(f"(?:^|.*/)(?:{layout.files})", re.IGNORECASE)
    found, ignored = defaultdict(lambda: defaultdict(list)), []
    for path in nifti_files(images):
        relative = path.relative_to(images).as_posix()
        match = pattern.fullmatch(re.sub(r"\.nii(\.gz)?$", "", relative, flags=re.IGNORECASE))
        column, rank = columns.get(match["scan"].lower(), ("", 0)) if match else ("", 0)
        if not column:
            reason = f"not used: {match['scan']}" if match else "not named as this cohort's files"
            ignored.append(Ignored(relative, reason))
            continue
        order = (rank, path.suffix == ".nii", len(path.parts), relative)
        found[layout.rename(match["subject"])][column].append((order, path))
    if not found:
        raise InputError(f"files such as {layout.example}", what_is_there(images), "Name their folder.", file=images)
    scans = {}
    for subject in sorted(found):
        scans[subject] = {column: min(files)[1] for column, files in found[subject].items()}
        for column, files in found[subject].items():
            others = [path.relative_to(images).as_posix() for _, path in sorted(files)[1:]]
            ignored += [Ignored(other, f"{scans[subject][column].name} is taken") for other in others]
    return scans, ignored


def join_scans(
    who: pd.DataFrame, scans: dict[str, dict[str, Path]], layout: Layout, cohort: str, all_visits: bool
) -> tuple[pd.DataFrame, list[Ignored]]:
    """The cohort table: who there is, and where their scans lie.

    Args:
        who: identity columns, one row a subject, as a manifest has them; it may hold more columns.
        scans: for each subject the path in each column.
        layout: what its ids say of visits.
        cohort: name of the cohort.
        all_visits: keep follow-up visits too; they share their patient's id.

    Returns:
        The rows of `who`, an empty path where a file is not there, then the subjects that only the folder has,
        without a label; and the visits that were left aside.
    """
    known = set(who["subject"])
    others = [
        {"subject": s, "patient": layout.patient(s), "idh_evidence": "not in the label sheet"}
        for s in scans
        if s not in known
    ]
    table = pd.concat([who, pd.DataFrame(others)], ignore_index=True).fillna("").assign(cohort=cohort)
    ignored = []
    for column in PATHS:
        paths = (scans.get(subject, {}).get(column, "") for subject in table["subject"])
        table[column] = [str(path.resolve()) if path else "" for path in paths]
    table["adc_divisor"] = [layout.adc_divisor if path else "" for path in table["adc"]]
    follow_up = table["subject"].str.contains(f"(?:{layout.follow_up})$")
    if not all_visits:
        visits = table["subject"][follow_up & table["subject"].isin(scans)]
        ignored += [Ignored(subject, "a follow-up visit; --all-visits takes it") for subject in visits]
        table = table[~follow_up]
    extra = [column for column in table if column not in COLUMNS]
    return table[[*COLUMNS, *extra]].astype(str).reset_index(drop=True), ignored


def nifti_files(images):
    """Every NIfTI file below a folder, links followed once, in order; not the shadows that some systems leave."""
    seen = set()
    for folder, folders, files in os.walk(images, followlinks=True):
        real = os.path.realpath(folder)
        folders[:] = [] if real in seen else sorted(name for name in folders if name != "__MACOSX")
        if real not in seen:
            yield from (
                Path(folder, name)
                for name in sorted(files)
                if name.lower().endswith(ENDINGS) and not name.startswith(".")
            )
        seen.add(real)


def what_is_there(images) -> str:
    """The first few things in a folder."""
    if not Path(images).is_dir():
        return "no such folder"
    names = sorted(path.name for path in Path(images).iterdir())
    return f"only {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}" if names else "an empty folder"
