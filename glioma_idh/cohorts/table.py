"""The cohort table: one row per subject, with identity, labels and the paths of the images."""

import os
import re
from collections.abc import Iterable
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
START_OF_PATHS = "Relative paths start in the folder of the table; choose another folder with {flag} DIR."
_NUMBERED = re.compile(r"(?:^|[/\\])(\d+)(?=[/\\_]|\.nii|$)", re.ASCII)  # a file or folder name that starts with digits
_OF_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")  # a path that starts with a drive (C:\) or a server (\\)


def parse_sequence(name: str) -> str:
    """Return the internal name of a sequence, such as `t1gd` for `T1Gd` or `MPRAGE`.

    Raises:
        InputError: the name is not known.
    """
    key = name.strip().lower().replace("-", "").replace("_", "")
    words = words_of(name)
    roles = roles_named(words, described=False) if UNKNOWN not in words else None
    if key not in SEQUENCES and roles is not None and len(roles) == 1:
        (key,) = roles
    if key not in SEQUENCES:
        known = ", ".join(SEQUENCE_NAMES.values())
        raise InputError(f"one of {known}, or all", repr(name), "Use a name of this list (MPRAGE is T1Gd).")
    return key


def read_table(path: str | Path, images: str | Path | None = None) -> pd.DataFrame:
    """Read a cohort table from a CSV or XLSX file.

    Ids are text, so that they keep leading zeros. Missing columns are filled: `patient` with the subject, `cohort` with
    the name of the file, all others with "". An `idh` that cannot be read is kept, and `check_labels` excludes its
    subject later.

    Args:
        path: the file.
        images: the folder in which relative paths start; by default the folder of the table.

    Returns:
        The table with all columns of COLUMNS as text and absolute paths. `attrs` contains `file`, `headers` (the
        column names in the file) and, if they are not consecutive, `rows` (used by `rows_in_file`).

    Raises:
        InputError: the errors of `read_own_table`, paths of another operating system, or ids without their leading
            zeros.
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
    """Raise InputError for numeric ids without the leading zeros that the paths of the subjects have."""
    lost = None
    numbers = sheet[sheet["subject"].str.fullmatch("[1-9][0-9]*")]
    paths = numbers[[column for column in PATHS if column in sheet]].agg("/".join, axis=1) if len(numbers) else []
    for row, subject, path in zip(numbers.index, numbers["subject"], paths, strict=True):
        names = [name for name in _NUMBERED.findall(path) if int(name) == int(subject)]
        if not names and path.strip("/"):
            return  # paths that do not contain the id as a number
        if names and subject not in names and lost is None:
            lost = row, names[0]
    if lost:
        advice = "A spreadsheet program has removed the leading zeros: format the column as text."
        raise cell_error(sheet, lost[0], "subject", f"the id that the paths of its images contain, {lost[1]}", advice)


def _absolute_paths(sheet: pd.DataFrame, column: str, folder: Path) -> list[str]:
    """Make the paths of a column absolute and remove quotation marks; relative Windows paths work on all systems."""
    cells = sheet[column].map(without_quotes)
    foreign = cells.index[cells.str.match(_OF_WINDOWS)] if os.name != "nt" else []
    if len(foreign):
        expected, example = "a path of this operating system, not of Windows", r"such as sub1\t1gd.nii.gz"
        advice = f"Write paths relative to the folder of all images, {example}, and give that folder with --images."
        raise cell_error(sheet, foreign[0], column, expected, advice)
    paths = []
    for cell in cells:
        path = folder / cell
        if "\\" in cell and os.name != "nt" and not path.exists():  # file names may contain backslashes
            path = folder / cell.replace("\\", "/")
        paths.append(str(path) if cell else "")
    return paths


def first_missing(table: pd.DataFrame) -> str:
    """Return the first path of a cohort of which no image exists; "" if an image exists or the table has no paths."""
    paths = [path for column in PATHS for path in table[column].tolist() if path]
    return "" if any(Path(path).exists() for path in paths) else next(iter(paths), "")


def require_files(table: pd.DataFrame, flag: str = "--images") -> None:
    """Raise InputError if no image of a cohort exists; `flag` is the option for the folder of relative paths."""
    if path := first_missing(table):
        found, advice = f"none of them; the first path is {path}", START_OF_PATHS.format(flag=flag)
        raise InputError("the images that the cohort table lists", found, advice, table.attrs.get("file", ""))


def rows_in_file(table: pd.DataFrame, labels: Iterable[int]) -> list[int]:
    """Return the row numbers in the file, as a spreadsheet counts them, for index labels of a `read_table`."""
    rows = table.attrs.get("rows")
    return [label + 2 if rows is None else rows[label] for label in labels]


def check_subjects(table: pd.DataFrame) -> tuple[pd.DataFrame, list[InputError]]:
    """Exclude subjects that occur twice or whose id cannot be a file name.

    Args:
        table: cohort table as text.

    Returns:
        The remaining rows, and one error per excluded subject.
    """
    errors, file = [], table.attrs.get("file", "")
    twice = table["subject"].duplicated(keep=False)
    for subject, rows in table[twice].groupby("subject"):
        lines = ", ".join(map(str, rows_in_file(table, rows.index)))
        advice = "Keep one row. If the rows are two visits, give the second its own subject id and the same patient."
        found = f"rows {lines} of the table"
        if rows["idh"].nunique() > 1:
            found += f", whose idh is {' and '.join(cell or 'empty' for cell in rows['idh'])}"
            advice = "Find out which idh is right and remove the other row. Two persons need two ids."
        errors.append(InputError("one row per subject", found, advice, file, subject))
    unsafe = ~twice & ~table["subject"].str.fullmatch(r"[^/\\]*[^/\\.][^/\\]*")
    advice = "Files are named after subjects: use letters, digits, - and _."
    for subject in table["subject"][unsafe]:
        errors.append(InputError("an id that can be used as a file name", repr(subject), advice, file, subject))
    return table[~twice & ~unsafe], errors


def check_labels(table: pd.DataFrame) -> tuple[pd.DataFrame, list[InputError]]:
    """Exclude subjects without a usable IDH status, and those that `check_subjects` excludes.

    Args:
        table: cohort table as text.

    Returns:
        The remaining rows with `idh` as 0 or 1, and one error per excluded subject.
    """
    file, header = table.attrs.get("file", ""), table.attrs.get("headers", {}).get("idh")
    table, errors = check_subjects(table)
    labels = pd.Series("", table.index, dtype=str)
    for index, subject, cell in zip(table.index, table["subject"], table["idh"], strict=True):
        try:
            labels[index] = parse_idh(cell)
        except ValueError as error:
            where = f" (row {rows_in_file(table, [index])[0]}, column {header})" if header else ""
            advice = f"Write mutant or wildtype, or leave the cell empty if it is not known{where}."
            errors.append(InputError(str(error), repr(cell), advice, file, subject))
            continue
        if not labels[index]:
            why = f" ({table.at[index, 'idh_evidence']})" if table.at[index, "idh_evidence"] else ""
            advice = f"It cannot be used for training; predict it with a finished run{why}."
            errors.append(InputError("IDH status", UNLABELLED, advice, file, subject))
    usable = table[labels != ""].assign(idh=labels[labels != ""])
    two_labels = usable.groupby("patient")["idh"].transform("nunique") > 1
    for patient, rows in usable[two_labels].groupby("patient", sort=False):
        where = "".join(f", row {row}" for row in rows_in_file(table, rows.index)) if "headers" in table.attrs else ""
        found, advice = f"both for patient {patient}{where}", "Correct the label or the column patient."
        errors += [InputError("one IDH status per patient", found, advice, file, s) for s in rows["subject"]]
    return usable[~two_labels].astype({"idh": int}).reset_index(drop=True), errors


def keep_unlabelled(
    cohort: pd.DataFrame, table: pd.DataFrame, errors: list[InputError]
) -> tuple[pd.DataFrame, list[InputError]]:
    """Re-include subjects excluded only for unknown IDH status (`idh` NaN); they can train segmentation.

    `table` and `errors` are the result of `check_labels(cohort)`. Returns both after the change.
    """
    unlabelled = [error.subject for error in errors if error.found == UNLABELLED]
    rows = cohort[cohort["subject"].isin(unlabelled)].assign(idh=float("nan"))
    table = pd.concat([table.astype({"idh": float}), rows.astype({"idh": float})], ignore_index=True)
    table.attrs = cohort.attrs
    return table, [error for error in errors if error.found != UNLABELLED]


def available_sequences(table: pd.DataFrame) -> list[str]:
    """List the sequences that at least one subject has."""
    return [name for name in SEQUENCES if (table[name] != "").any()]


def require_sequence(table: pd.DataFrame, sequence: str) -> None:
    """Raise InputError, which lists the available sequences, if no subject has the sequence."""
    available = available_sequences(table)
    if sequence not in available:
        found = f"only {', '.join(SEQUENCE_NAMES[known] for known in available)}" if available else "no sequences"
        advice = "Choose one of these." if available else "Check the paths in the cohort table."
        raise InputError(f"{SEQUENCE_NAMES[sequence]} in cohort {table['cohort'].iloc[0]}", found, advice)


def exclusions_table(errors: list[InputError]) -> pd.DataFrame:
    """Return the excluded subjects with the reasons, one row per error."""
    return pd.DataFrame([vars(error) for error in errors], columns=EXCLUSION_COLUMNS)
