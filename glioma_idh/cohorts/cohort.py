"""Read a cohort by its name or from a table."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from glioma_idh import phantom as built_in
from glioma_idh.cohorts import NAMES, OWN, generic, public_cohort
from glioma_idh.cohorts.folders import Ignored, Layout, PublicCohort, find_scans, join_scans
from glioma_idh.cohorts.manifests import NOBODY, make_manifest, read_manifest
from glioma_idh.cohorts.own_tables import OWN_COLUMNS, find_own
from glioma_idh.cohorts.sheet_files import describe_readings
from glioma_idh.cohorts.sheets import ENDINGS, read_readings
from glioma_idh.cohorts.table import read_table
from glioma_idh.errors import InputError


def read(
    name: str,
    images: str | Path | None = None,
    labels: str | Path | None = None,
    *,
    sequences: Sequence[str] = (),
    all_visits: bool = False,
    phantom: dict | None = None,
    quiet: bool = False,
) -> tuple[pd.DataFrame, list[Ignored]]:
    """Read a cohort as a cohort table: one row per subject, with IDH status and the paths of the images.

    Args:
        name: `phantom` (the built-in synthetic cohort, made on first use), the name of a public cohort, `folders` (one
            folder per subject; `csv` is the same), or the path of a cohort table (CSV or XLSX).
        images: the folder of images as downloaded; for a cohort table, the folder in which its relative paths start.
        labels: the label sheet as downloaded, or a table with `subject` and `idh`; by default the labels that the
            package contains (its manifests).
        sequences: internal names of the sequences needed; the phantom makes only these.
        all_visits: also keep follow-up visits; otherwise only the first visit of each patient.
        phantom: arguments of `make_phantom`, such as its size.
        quiet: show no progress.

    Returns:
        The cohort table, and the files and visits that are not in it, each with the reason.

    Raises:
        InputError: the cohort is not known, or its images or labels cannot be read.
    """
    if name == "phantom":
        return read_table(built_in.make_phantom(sequences=tuple(sequences), **(phantom or {}), quiet=quiet)), []
    images, labels = (None if path is None else Path(path) for path in (images, labels))
    if Path(name).suffix.lower() in ENDINGS:
        table = read_table(name, images)
        return (table, []) if labels is None else generic.relabel(table, labels)
    if Path(name).is_dir():
        inside = Path(name, "cohort.csv")
        advice = f"If it contains one folder per subject, use: --cohort folders --images {name}."
        advice = f"Use --cohort {inside}." if inside.is_file() else advice
        raise InputError("the name of a cohort, or the path of a .csv or .xlsx file", f"the folder {name}", advice)
    if name not in NAMES:
        known = ", ".join(NAMES)
        raise InputError(f"a cohort: {known}, or the path of a .csv or .xlsx file", repr(name), "Check the spelling.")
    if images is None:
        raise InputError("--images DIR", "no folder of images", f"Give the folder of {name} as downloaded.")
    table, ignored = _read_own(images, labels) if name in OWN else _read_public(name, images, labels, all_visits)
    table.attrs["file"] = str(labels or images)
    return table, ignored


def _read_public(name: str, images: Path, labels: Path | None, all_visits: bool):
    cohort = public_cohort(name)
    scans, files_ignored = find_scans(images, cohort.layout)
    own = labels is not None and not _is_downloaded(labels, cohort)
    if labels is not None and own:
        who = generic.own_labels(labels)
        who = who.assign(subject=who["subject"].map(cohort.layout.canonical))
        files_ignored += generic.without_images(who, scans, labels)
        who = who[who["subject"].isin(scans)]
    else:
        who = cohort.labels(labels, images)
    if cohort.members:
        manifest, others = cohort.members
        members = set(read_manifest(manifest)["subject"]) | (set() if own else set(who["subject"]))
        files_ignored += [Ignored(subject, others) for subject in scans if subject not in members]
        scans = {subject: files for subject, files in scans.items() if subject in members}
        who = who[who["subject"].isin(members)]
    table, visits_ignored = join_scans(who, scans, cohort.layout, name, all_visits)
    return table, visits_ignored + files_ignored


def _read_own(images: Path, labels: Path | None):
    scans, ignored = generic.find_own_scans(images)
    who = make_manifest(NOBODY, NOBODY, "csv")
    if labels is not None:
        who = generic.own_labels(labels)
        generic.check_numbers(who, scans, labels)
        ignored += generic.without_images(who, scans, labels)
    layout = Layout(subject=".+", files="", scans={}, example=generic.EXAMPLE)
    return join_scans(who, scans, layout, images.name, all_visits=True)[0], ignored


def _is_downloaded(labels: Path, cohort: PublicCohort) -> bool:
    """Return whether a label sheet is the collection's original (True) or a user's own (False); else InputError."""
    readings = read_readings(labels)
    headers = [set(reading.header) for reading in readings]
    if not cohort.columns or any(set(OWN_COLUMNS) <= header for header in headers):
        return False
    for header in headers:
        if set(cohort.columns) <= header and (not cohort.every_column or header <= cohort.every_column):
            return True
    if find_own(readings, labels):
        return False
    expected = f"the columns {' and '.join(cohort.columns)} of the sheet as downloaded, or {' and '.join(OWN_COLUMNS)}"
    advice = "Give the sheet as downloaded, or your own sheet with these two columns."
    raise InputError(expected, describe_readings(readings), advice, labels)


def find_planted_scores(table: pd.DataFrame, sequences: list[str]) -> pd.Series | None:
    """Return the best possible score of each phantom subject (see `phantom.recipe`); None for other cohorts."""
    truth = Path(table[sequences[0]].iloc[0]).parents[1] / "truth.csv"
    if (table["cohort"] != "phantom").any() or not truth.is_file():
        return None
    return built_in.planted_scores(truth, sequences).loc[table["subject"]]
