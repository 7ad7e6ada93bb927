"""Read sheets in CSV, TSV or XLSX with every cell as text; errors name the file, row and column."""

import csv
import logging
import re
import zipfile
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.cells import looks_like_a_date, looks_like_a_number
from glioma_idh.cohorts.sheet_files import KINDS, Reading, choose_reading, read_text, read_workbook
from glioma_idh.errors import InputError

WORKBOOKS = (".xlsx", ".xlsm")
ENDINGS = (".csv", ".tsv", ".txt", *WORKBOOKS)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
logger = logging.getLogger(__name__)


def read_sheet(
    path: str | Path,
    required: Collection[str] = (),
    advice: str = "Give the sheet as downloaded, with its header.",
) -> pd.DataFrame:
    """Read a sheet with every cell as text, without surrounding spaces.

    The separator of a text file is the one with which every row has as many cells as the header: comma, semicolon or
    tab, or the one in a first line such as `sep=;`. In a workbook, the page with the required columns is read.

    Args:
        path: the file: .csv, .tsv or .txt in UTF-8 or UTF-16, or .xlsx.
        required: names of columns that the sheet must have.
        advice: advice of the error if a required column is missing.

    Returns:
        The sheet without empty rows, indexed by row number as in a spreadsheet (a line `sep=` does not count).
        `attrs` contains the path (`file`), the name of the page if there are several (`page`), and the separator of a
        text file (`separator`).

    Raises:
        InputError: the file cannot be read, a required column is missing, or a column occurs twice.
    """
    readings = read_readings(path := Path(path))
    return as_sheet(choose_reading(readings, required, path, advice), readings, required, path)


def as_sheet(reading: Reading, readings: list[Reading], required: Collection[str], path: Path) -> pd.DataFrame:
    """Convert a reading of a file to the result of `read_sheet`; print the name of the page if it is not the first.

    Raises:
        InputError: a column occurs twice, there are no rows, or a column with a name has a formula without a value.
    """
    twice = [name for at, name in enumerate(reading.header) if name and name in reading.header[:at]]
    if twice:
        raise InputError("each column once", f"{twice[0]} twice", "Remove or rename one.", path)
    for (row, position), problem in reading.unread.items():
        if row in reading.rows and reading.header[position]:
            where = f"row {row}, column {reading.header[position]} of page {reading.page!r}"
            advice = (
                "Open the file in a spreadsheet program, check the cell and save the file, or save it as CSV UTF-8."
            )
            raise InputError("cells with values", f"{problem} in {where}", advice, path)
    if not reading.rows:
        raise InputError("one row per subject", "no rows", "Give the sheet as downloaded.", path)
    sheet = pd.DataFrame(reading.rows.values(), index=list(reading.rows), columns=reading.header, dtype=str)
    page = reading.page if len(readings) > 1 else ""
    sheet.attrs = {"file": str(path), "page": page, "separator": reading.separator}
    if page and reading is not readings[0]:
        say_once(f"{path}: page {page!r} is read, the only one with the columns {' and '.join(required)}.")
    return sheet


def read_readings(path: Path) -> list[Reading]:
    """Return all ways to read a file: the pages of a workbook that are not empty, or the separators that fit a text.

    Raises:
        InputError: the file is missing, empty, of another format or encoding, or has rows of different lengths.
    """
    if not path.exists():
        raise InputError(KINDS, "no such file", "Check the path.", path)
    if path.is_dir():
        inside = path / "cohort.csv"
        raise InputError(KINDS, "a folder", f"Give {inside if inside.is_file() else 'a file in it'}.", path)
    try:
        if not (readings := read_workbook(path) if path.suffix.lower() in WORKBOOKS else read_text(path)):
            raise ValueError("the file is empty")
    except InputError:
        raise
    except (OSError, ValueError, KeyError, csv.Error, zipfile.BadZipFile, SyntaxError) as error:  # SyntaxError: bad XML
        found = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}".strip(": ")
        raise InputError(KINDS, found, "Download or export it again.", path) from error
    return readings


@cache
def say_once(text: str) -> None:
    """Log a message about a sheet once, even if the sheet is read several times."""
    logger.warning(text)


def cell_error(sheet: pd.DataFrame, row: int, column: str, expected: str, advice: str, others: int = 0) -> InputError:
    """Return the error for a cell of a `read_sheet` table: it names file, row, column and the number of similar cells.

    Args:
        sheet: the table.
        row: row number, an index label of the table.
        column: name of the column in the table.
        expected: what the cell should contain.
        advice: what to do.
        others: number of further cells of the column with the same error.
    """
    page = f" of page {sheet.attrs['page']!r}" if sheet.attrs.get("page") else ""
    header = sheet.attrs.get("headers", {}).get(column, column)
    more = f", and in {others} more cells of the column" if others else ""
    found = f"{sheet.at[row, column]!r} in row {row}, column {header}{page}{more}"
    return InputError(expected, found, advice, sheet.attrs.get("file", ""))


def parse_ids(sheet: pd.DataFrame, column: str, pattern: str, example: str) -> pd.Series:
    """Return the ids of a column after checking them.

    Args:
        sheet: a table from `read_sheet`.
        column: the column of ids.
        pattern: regular expression that every id matches.
        example: an id for the error message.

    Raises:
        InputError: an id does not match the pattern or occurs twice.
    """
    ids = sheet[column]
    strange = ids.index[~ids.str.fullmatch(pattern)]
    if len(strange):
        first, advice = ids[strange[0]], "Use the sheet as downloaded."
        kind = "number" if looks_like_a_number(first) or first.isdigit() else ""
        if kind := "date" if looks_like_a_date(first) else kind:
            advice = f"A spreadsheet program has converted the id to a {kind}: use the sheet as downloaded."
        raise cell_error(sheet, strange[0], column, f"an id such as {example}", advice)
    twice = ids.index[ids.duplicated()]
    if len(twice):
        first = ids.index[ids == ids[twice[0]]][0]
        advice = "Remove one row."
        if "idh" in sheet and sheet.at[first, "idh"] != sheet.at[twice[0], "idh"]:
            statuses = " and ".join(sheet.at[row, "idh"] or "empty" for row in (first, twice[0]))
            advice = f"Their idh is {statuses}: find out which row is right, and remove the other."
        raise cell_error(sheet, twice[0], column, f"an id other than that of row {first}", advice)
    return ids


def parse_column(
    sheet: pd.DataFrame, column: str, parse: Callable[[str], str], keep_unreadable: bool = False
) -> pd.Series:
    """Parse the cells of a column with a function of `cells`.

    A cell that cannot be read raises InputError, or is kept with `keep_unreadable`.
    """
    meanings, errors = {}, {}
    cells = sheet[column].tolist()
    for cell in dict.fromkeys(cells):  # each distinct cell once
        try:
            meanings[cell] = parse(cell)
        except ValueError as error:
            meanings[cell], errors[cell] = cell, error
    if errors and not keep_unreadable:
        wrong = sheet.index[sheet[column].isin(errors.keys())]
        first, advice = errors[sheet.at[wrong[0], column]], "Correct the cell, or leave it empty."
        raise cell_error(sheet, wrong[0], column, str(first), advice, len(wrong) - 1) from first
    return pd.Series([meanings[cell] for cell in cells], sheet.index, dtype=str)


def with_decimal_points(sheet: pd.DataFrame, column: str) -> pd.Series:
    """Replace decimal commas by points in a column of numbers: `44,5` becomes `44.5`.

    Raises:
        InputError: a comma may separate thousands (`1,234`), a cell with a comma is not a number, or other cells have
            decimal points.
    """
    cells = sheet[column]
    commas = cells[cells.str.contains(",", regex=False)]
    if commas.empty:
        return cells
    no_number = commas.index[~commas.str.fullmatch(_DECIMAL_COMMA)]
    advice = "Write numbers with a decimal point and without a thousands separator."
    if len(no_number):
        raise cell_error(sheet, no_number[0], column, "a number such as 1234.5 or 1234,5", advice)
    points = cells.index[cells.str.contains(r"\d\.\d", regex=True)]
    if len(points):
        raise cell_error(sheet, points[0], column, f"a decimal comma, as in row {commas.index[0]}", advice)
    if sheet.attrs.get("separator") != ";" and commas.str.fullmatch(_THOUSANDS).all():
        raise cell_error(sheet, commas.index[0], column, "a number that is not ambiguous", advice)
    return cells.str.replace(",", ".", regex=False)
