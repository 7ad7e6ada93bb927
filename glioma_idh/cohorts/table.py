"""The cohort table: one row a subject, who they are and where their scans lie. The first waist of the package."""

import os
import re
from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.cells import parse_idh, without_quotes
from glioma_idh.cohorts.column_names import COLUMNS, PATHS, SEQUENCE_NAMES, SEQUENCES
from glioma_idh.cohorts.own_tables import read_own_table
from glioma_idh.cohorts.sheets import cell_error
from glioma_idh.errors import InputError
from glioma_idh.imaging.series_names import roles_named, words_of
from glioma_idh.imaging.series_vocabulary import UNKNOWN

EXCLUSION_COLUMNS = ["subject", "file", "expected", "found", "advice"]
UNLABELLED = "an empty label"
START_OF_PATHS = "Relative paths start in the folder of the table; {flag} DIR names another."
_NUMBERED = re.compile(r"(?:^|[/\\])(\d+)(?=[/\\_]|\.nii|$)", re.ASCII)  # a folder or file of a number, or beginning so
_OF_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")  # a path that starts at a drive (C:\) or a server (\\)


def parse_sequence(name: str) -> str:
    """The inside name of a sequence as people type it (`MPRAGE` is `t1gd`); an InputError where a word is not known."""
    key = name.strip().lower().replace("-", "").replace("_", "")
    words = words_of(name)
    roles = roles_named(words, described=False) if UNKNOWN not in words else None
    if key not in SEQUENCES and roles is not None and len(roles) == 1:
        (key,) = roles
    if key not in SEQUENCES:
        known = ", ".join(SEQUENCE_NAMES.values())
        raise InputError(f"one of {known}, or all", repr(name), "Name the sequence as in this list (MPRAGE is T1Gd).")
    return key


def read_table(path, images=None) -> pd.DataFrame:
    """Read a cohort table: ids as text (they keep their zeros), cells as `cells` reads them, paths made absolute.

    Columns that are not there are empty, `patient` is the subject and `cohort` the file's name unless given. An `idh`
    that cannot be read stays, for `check_labels` to set its subject aside. Relative paths start at `images`, by default
    the table's own folder. `attrs` keeps `file`, `headers` (names in the file) and, for `rows_in_file`, `rows`.
    Paths of another system and ids that have lost their zeros are InputErrors, and what `read_own_table` refuses.
    """
    path = Path(path)
    sheet = read_own_table(path, keep_unreadable=("idh",))
    _check_zeros(sheet)
    table = sheet.reindex(columns=list(COLUMNS), fill_value="").reset_index(drop=True)
    table["patient"] = table["patient"].where(table["patient"] != "", table["subject"])
    table["cohort"] = table["cohort"].where(table["cohort"] != "", path.stem)
    folder = path.resolve().parent if images is None else Path(images).resolve()
    for column in PATHS:
        table[column] = _absolute_paths(sheet, column, folder) if column in sheet else ""
    table.attrs = {"file": str(path), "headers": sheet.attrs["headers"]}
    if (rows := sheet.index.tolist()) != list(range(2, len(rows) + 2)):
        table.attrs["rows"] = rows
    return table


def _check_zeros(sheet: pd.DataFrame) -> None:
    """Ids must not be numbers that have lost the zeros which the folders or files of all such subjects have."""
    lost = None
    numbers = sheet[sheet["subject"].str.fullmatch("[1-9][0-9]*")]
    paths = numbers[[column for column in PATHS if column in sheet]].agg("/".join, axis=1) if len(numbers) else []
    for row, subject, path in zip(numbers.index, numbers["subject"], paths, strict=True):
        names = [name for name in _NUMBERED.findall(path) if int(name) == int(subject)]
        if not names and path.strip("/"):
            return  # these are named in another way
        if names and subject not in names and lost is None:
            lost = row, names[0]
    if lost:
        advice = "A spreadsheet has taken the zeros away: keep the column as text."
        raise cell_error(sheet, lost[0], "subject", f"an id as in the paths of its scans, {lost[1]}", advice)


def _absolute_paths(sheet: pd.DataFrame, column: str, folder: Path) -> list[str]:
    """The paths of a column, without quotation marks; a relative one may have backslashes of Windows on any system."""
    cells = sheet[column].map(without_quotes)
    foreign = cells.index[cells.str.match(_OF_WINDOWS)] if os.name != "nt" else []
    if len(foreign):
        expected, example = "a path of this system (it is one of Windows)", r"such as sub1\t1gd.nii.gz"
        advice = f"Write paths from the folder of all scans on, {example}, and name that folder here with --images."
        raise cell_error(sheet, foreign[0], column, expected, advice)
    paths = []
    for cell in cells:
        path = folder / cell
        if "\\" in cell and os.name != "nt" and not path.exists():  # a file may have backslashes in its name
            path = folder / cell.replace("\\", "/")
        paths.append(str(path) if cell else "")
    return paths


def first_missing(table: pd.DataFrame) -> str:
    """Of a cohort of which no image is there, the path of the first; empty where one is, or none is named."""
    paths = [path for column in PATHS for path in table[column].tolist() if path]
    return "" if any(Path(path).exists() for path in paths) else next(iter(paths), "")


def require_files(table: pd.DataFrame, flag: str = "--images") -> None:
    """An InputError where no image of a cohort is there; `flag` is what says where relative paths start."""
    if path := first_missing(table):
        found, advice = f"none; the first looked for is {path}", START_OF_PATHS.format(flag=flag)
        raise InputError("the images that the cohort table names", found, advice, table.attrs.get("file", ""))


def rows_in_file(table: pd.DataFrame, labels) -> list[int]:
    """The rows of the file, as a spreadsheet counts them, that lines of a `read_table` came from, by index."""
    rows = table.attrs.get("rows")
    return [label + 2 if rows is None else rows[label] for label in labels]


def check_subjects(table: pd.DataFrame) -> tuple[pd.DataFrame, list[InputError]]:
    """Set aside the rows of a table of text that name nobody, or somebody twice: one error a subject set aside."""
    errors, file = [], table.attrs.get("file", "")
    twice = table["subject"].duplicated(keep=False)
    for subject, rows in table[twice].groupby("subject"):
        lines = ", ".join(map(str, rows_in_file(table, rows.index)))
        advice = "Keep one row and give the other scan a subject id of its own, with the same patient."
        found = f"rows {lines} of the table"
        if rows["idh"].nunique() > 1:
            found += f", whose idh is {' and '.join(cell or 'empty' for cell in rows['idh'])}"
            advice = "Find out which idh is right and remove the other row, or give two people two ids."
        errors.append(InputError("one row a subject", found, advice, file, subject))
    unsafe = ~twice & ~table["subject"].str.fullmatch(r"[^/\\]*[^/\\.][^/\\]*")
    advice = "Files are named after subjects: use letters, digits, - and _."
    for subject in table["subject"][unsafe]:
        errors.append(InputError("an id that can be a file's name", repr(subject), advice, file, subject))
    return table[~twice & ~unsafe], errors


def check_labels(table: pd.DataFrame) -> tuple[pd.DataFrame, list[InputError]]:
    """As `check_subjects`, with unusable labels: the rows to learn or test from, `idh` 0 or 1, and the errors."""
    file, header = table.attrs.get("file", ""), table.attrs.get("headers", {}).get("idh")
    table, errors = check_subjects(table)
    labels = pd.Series("", table.index, dtype=str)
    for index, subject, cell in zip(table.index, table["subject"], table["idh"], strict=True):
        try:
            labels[index] = parse_idh(cell)
        except ValueError as error:
            where = f" (row {rows_in_file(table, [index])[0]}, column {header})" if header else ""
            advice = f"Write mutant or wildtype, or nothing where it is not known{where}."
            errors.append(InputError(str(error), repr(cell), advice, file, subject))
            continue
        if not labels[index]:
            why = f" ({table.at[index, 'idh_evidence']})" if table.at[index, "idh_evidence"] else ""
            advice = f"Predict it with a finished run{why}."
            errors.append(InputError("IDH status", UNLABELLED, advice, file, subject))
    usable = table[labels != ""].assign(idh=labels[labels != ""])
    two_labels = usable.groupby("patient")["idh"].transform("nunique") > 1
    for patient, rows in usable[two_labels].groupby("patient", sort=False):
        where = "".join(f", row {row}" for row in rows_in_file(table, rows.index)) if "headers" in table.attrs else ""
        found, advice = f"both for patient {patient}{where}", "Correct the label, or the patient column."
        errors += [InputError("one IDH status a patient", found, advice, file, s) for s in rows["subject"]]
    return usable[~two_labels].astype({"idh": int}).reset_index(drop=True), errors


def keep_unlabelled(cohort, table, errors: list[InputError]) -> tuple[pd.DataFrame, list[InputError]]:
    """Re-include subjects of unknown IDH status, who can train segmentation, `idh` NaN; and the errors that remain."""
    unlabelled = [error.subject for error in errors if error.found == UNLABELLED]
    rows = cohort[cohort["subject"].isin(unlabelled)].assign(idh=float("nan"))
    table = pd.concat([table.astype({"idh": float}), rows.astype({"idh": float})], ignore_index=True)
    table.attrs = cohort.attrs
    return table, [error for error in errors if error.found != UNLABELLED]


def available_sequences(table: pd.DataFrame) -> list[str]:
    """The sequences that at least one subject has."""
    return [name for name in SEQUENCES if (table[name] != "").any()]


def require_sequence(table: pd.DataFrame, sequence: str) -> None:
    """At least one subject must have the sequence; else an InputError names those there are."""
    available = available_sequences(table)
    if sequence not in available:
        found = f"only {', '.join(SEQUENCE_NAMES[known] for known in available)}" if available else "no scans at all"
        advice = "Choose one of those." if available else "Check the paths in the cohort table."
        raise InputError(f"{SEQUENCE_NAMES[sequence]} in cohort {table['cohort'].iloc[0]}", found, advice)


def exclusions_table(errors: list[InputError]) -> pd.DataFrame:
    """Who was set aside and why, one row an error."""
    return pd.DataFrame([vars(error) for error in errors], columns=EXCLUSION_COLUMNS)
