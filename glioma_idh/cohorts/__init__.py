"""Who: tables of subjects with their scans and IDH status, and the splits made on patients."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from glioma_idh.cohorts import bakas, brats, egd, generic, ucsf, upenn
from glioma_idh.cohorts.cells import parse_idh
from glioma_idh.cohorts.folders import Ignored, Layout, find_scans, join_scans
from glioma_idh.cohorts.manifests import make_manifest, read_manifest
from glioma_idh.cohorts.own_tables import OWN_COLUMNS, find_own
from glioma_idh.cohorts.readings import describe_readings
from glioma_idh.cohorts.sheets import ENDINGS, read_readings, say_once
from glioma_idh.cohorts.table import read_table
from glioma_idh.errors import InputError


class PublicCohort(NamedTuple):
    """How a public cohort's files are named, and who is who: from its label sheet, or from what is shipped.

    Attributes:
        layout: of its files.
        labels: (label sheet or None, folder of images) -> manifest.
        columns: by which its label sheet is known as downloaded; none where it has no sheet.
        every_column: of that sheet, where a sheet of one's own may well have those of `columns`; otherwise none.
    """

    layout: Layout
    labels: Callable[[Path | None, Path], pd.DataFrame]
    columns: tuple[str, ...] = ()
    every_column: frozenset[str] = frozenset()


PUBLIC = {
    "brats2020-tcga": PublicCohort(brats.LAYOUT_2020, brats.labels_2020_tcga, brats.MAPPING_COLUMNS),
    "brats2020": PublicCohort(brats.LAYOUT_2020, brats.labels_2020, brats.MAPPING_COLUMNS),
    "brats2021": PublicCohort(brats.LAYOUT_2021, brats.labels_2021, brats.CROSSWALK_COLUMNS),
    "brats2023": PublicCohort(brats.LAYOUT_2023, brats.labels_2023),
    "upenn-gbm": PublicCohort(upenn.LAYOUT, upenn.labels, upenn.COLUMNS),
    "ucsf-pdgm": PublicCohort(ucsf.LAYOUT, ucsf.labels, ucsf.COLUMNS),
    "egd": PublicCohort(egd.LAYOUT, egd.labels, egd.COLUMNS, egd.EVERY_COLUMN),
    "tcga": PublicCohort(bakas.LAYOUT, bakas.labels),
}
OWN = ("folders", "csv")
"""A folder a subject, and its older name."""
NAMES = ("phantom", *PUBLIC, *OWN)
RELABELLED = ("patient", "site", "grade", "age_years", "sex", "histology", "codeletion_1p19q", "mgmt", "who2021")
"""What a label sheet may say of the subjects of a cohort table, beside the IDH status and its evidence."""


def read_cohort(
    name: str,
    images=None,
    labels=None,
    *,
    sequences=(),
    all_visits: bool = False,
    phantom: dict | None = None,
    quiet: bool = False,
) -> tuple[pd.DataFrame, list[Ignored]]:
    """The cohort table behind a name.

    Args:
        name: `phantom` (made on first use), a public cohort, `folders` (a folder a subject; `csv` is the same), or the
            path of a cohort table (CSV or XLSX).
        images: the folder of scans as downloaded; for a cohort table, where its relative paths start.
        labels: the label sheet as downloaded, or a table with `subject` and `idh`; by default what is shipped.
        sequences: inside names of the sequences wanted; the phantom makes no others.
        all_visits: keep follow-up visits too; otherwise the first visit of each patient only.
        phantom: settings of `make_phantom`, such as its size; by default its own.
        quiet: show no progress.

    Returns:
        The table, and the files and visits that are not in it, with the reason.

    Raises:
        InputError: the name is unknown, or a folder or sheet cannot be used.
    """
    if name == "phantom":
        from glioma_idh.phantom import make_phantom

        return read_table(make_phantom(sequences=tuple(sequences), **(phantom or {}), quiet=quiet)), []
    images, labels = (None if path is None else Path(path) for path in (images, labels))
    if Path(name).suffix.lower() in ENDINGS:
        table = read_table(name, images)
        return (table, []) if labels is None else _relabelled(table, labels)
    if Path(name).is_dir():
        inside = Path(name, "cohort.csv")
        advice = f"For a folder a subject of your own: --cohort folders --images {name}."
        advice = f"Name {inside}." if inside.is_file() else advice
        raise InputError("a cohort's name, or the path of a .csv or .xlsx", f"the folder {name}", advice)
    if name not in NAMES:
        known = ", ".join(NAMES)
        raise InputError(f"a cohort: {known}, or the path of a .csv or .xlsx", repr(name), "Check the spelling.")
    if images is None:
        raise InputError("--images DIR", "no folder of scans", f"Name the folder of {name} as downloaded.")
    table, ignored = _read_own(images, labels) if name in OWN else _read_public(name, images, labels, all_visits)
    table.attrs["file"] = str(labels or images)
    return table, ignored


def _read_public(name: str, images: Path, labels: Path | None, all_visits: bool):
    cohort = PUBLIC[name]
    scans, files_ignored = find_scans(images, cohort.layout)
    own = labels is not None and not _is_downloaded(labels, cohort)
    if own:
        who = generic.own_labels(labels)
        who = who.assign(subject=who["subject"].map(cohort.layout.canonical))
        files_ignored += _without_images(who, scans, labels)
        who = who[who["subject"].isin(scans)]
    else:
        who = cohort.labels(labels, images)
    if name == "brats2020-tcga":  # the folder holds patients of other hospitals too
        members = set(read_manifest("brats2020_tcga")["subject"]) | (set() if own else set(who["subject"]))
        files_ignored += [Ignored(subject, "not a TCGA patient") for subject in scans if subject not in members]
        scans = {subject: files for subject, files in scans.items() if subject in members}
        who = who[who["subject"].isin(members)]
    table, visits_ignored = join_scans(who, scans, cohort.layout, name, all_visits)
    return table, visits_ignored + files_ignored


def _read_own(images: Path, labels: Path | None):
    scans, ignored = generic.find_own_scans(images)
    who = make_manifest(pd.Series([], dtype=str), pd.Series([], dtype=str), "csv")
    if labels is not None:
        who = generic.own_labels(labels)
        generic.check_numbers(who, scans, labels)
        ignored += _without_images(who, scans, labels)
    layout = Layout(subject=".+", files="", scans={}, example=generic.EXAMPLE)
    table, _ = join_scans(who, scans, layout, images.name, all_visits=True)
    return table, ignored


def _is_downloaded(labels: Path, cohort: PublicCohort) -> bool:
    """Whether a label sheet is the collection's own, as downloaded, and not one of the user's.

    Raises:
        InputError: it can be neither.
    """
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
    advice = "Name the sheet as downloaded, or one of your own."
    raise InputError(expected, describe_readings(readings), advice, labels)


def _relabelled(table: pd.DataFrame, labels: Path):
    """A cohort table with the IDH status, and its evidence, of another sheet, and whatever else that sheet knows."""
    who = generic.own_labels(labels)
    generic.check_numbers(who, table["subject"], labels)
    ignored = _without_images(who, set(table["subject"]), labels)
    who = who.set_index("subject")
    _say_turned(table, who, labels)
    for column in ("idh", "idh_evidence"):
        table[column] = table["subject"].map(who[column]).astype(object).fillna("")
    for column in RELABELLED:
        told = table["subject"].map(who[column]).astype(object).fillna("")
        former = table[column].where(table[column] != table["subject"], "") if column == "patient" else table[column]
        other = (told != "") & (former != "") & (told != former)
        if other.any():
            first = table[other].iloc[0]
            text = f"{column} of {other.sum()} subjects is not as in the cohort table, and is taken from here"
            text = f"{labels}: {text} (first of {first['subject']}: {who.at[first['subject'], column]}"
            say_once(f"{text}, not {first[column]}).")
        table[column] = table[column].where(told == "", told)
    return table, ignored


def _say_turned(table: pd.DataFrame, who: pd.DataFrame, labels: Path) -> None:
    """Say whose IDH status in the cohort table is another than in the sheet that takes its place."""
    former = table["idh"].map(_status)
    told = table["subject"].map(who["idh"]).fillna("")
    turned = table["subject"][(former != "") & (told != "") & (former != told)].tolist()
    if turned:
        shown = f"{', '.join(turned[:3])}{' ...' if len(turned) > 3 else ''}"
        text = f"idh of {len(turned)} subjects is not as in the cohort table, and is taken from here ({shown})."
        say_once(f"{labels}: {text}")


def _status(cell: str) -> str:
    """`1`, `0`, or nothing where it is not known or cannot be read."""
    try:
        return parse_idh(cell)
    except ValueError:
        return ""


def _without_images(who: pd.DataFrame, scans, labels: Path) -> list[Ignored]:
    """The labels of a sheet of one's own that name nobody in the folder; at least one must."""
    missing = [subject for subject in who["subject"] if subject not in scans]
    if len(missing) == len(who):
        found = f"{', '.join(missing[:3])}, where the scans are of {', '.join(sorted(scans)[:3])}"
        raise InputError("labels of the subjects in the folder", found, "Write the ids as the folders do.", labels)
    return [Ignored(subject, "a label without images") for subject in missing]


def find_planted_scores(table: pd.DataFrame, sequences: list[str]) -> pd.Series | None:
    """The best possible score of each subject of the phantom, from the truth file beside its scans.

    Args:
        table: cohort table with a scan of each sequence in every row.
        sequences: inside names.

    Returns:
        Scores indexed by subject; None where a subject is no phantom.
    """
    truth = Path(table[sequences[0]].iloc[0]).parents[1] / "truth.csv"
    if (table["cohort"] != "phantom").any() or not truth.is_file():
        return None
    from glioma_idh.phantom import planted_scores

    return planted_scores(truth, sequences).loc[table["subject"]]
