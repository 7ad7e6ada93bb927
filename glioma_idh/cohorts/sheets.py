"""Sheets in CSV, TSV or XLSX: every cell as text, and errors that name file, row and column."""

import csv
import logging
import re
import zipfile
from functools import cache
from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.cells import looks_like_a_date, looks_like_a_number
from glioma_idh.cohorts.sheet_files import KINDS, Reading, choose_reading, read_text, read_workbook
from glioma_idh.errors import InputError

WORKBOOKS = (".xlsx", ".xlsm")
ENDINGS = (".csv", ".tsv", ".txt", *WORKBOOKS)
logger = logging.getLogger(__name__)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")


def read_sheet(path, required=(), advice: str = "Name the sheet as downloaded, with its header.") -> pd.DataFrame:
    """Read a sheet (.csv, .tsv, .txt in UTF-8 or UTF-16, .xlsx), every cell as text without spaces around it.

    The separator of a text is the one that gives every row as many cells as the header: comma, semicolon or tab, or
    what its first line names (`sep=;`). Of a workbook, the page with the required columns is read; where none has them,
    the InputError gives `advice`.

    Returns the sheet without empty rows, indexed by its rows as a spreadsheet counts them (without a line `sep=`).
    `attrs` keeps the path in `file`, the page of a workbook of several in `page`, a text's separator in `separator`.
    """
    readings = read_readings(path := Path(path))
    return as_sheet(choose_reading(readings, required, path, advice), readings, required, path)


def as_sheet(reading: Reading, readings: list[Reading], required, path: Path) -> pd.DataFrame:
    """One reading of a file, chosen for the required columns, as `read_sheet` gives it; says which page if another.

    A column that stands there twice, no rows, or a formula without a value in a named column is an InputError.
    """
    twice = [name for at, name in enumerate(reading.header) if name and name in reading.header[:at]]
    if twice:
        raise InputError("each column once", f"{twice[0]} twice", "Remove or rename one.", path)
    for (row, position), problem in reading.unread.items():
        if row in reading.rows and reading.header[position]:
            where = f"row {row}, column {reading.header[position]} of page {reading.page!r}"
            advice = "Open the file in a spreadsheet program, look at the cell, and save it; or save it as CSV UTF-8."
            raise InputError("cells with values", f"{problem} in {where}", advice, path)
    if not reading.rows:
        raise InputError("a row a subject", "no rows", "Name the sheet as downloaded.", path)
    sheet = pd.DataFrame(reading.rows.values(), index=list(reading.rows), columns=reading.header, dtype=str)
    page = reading.page if len(readings) > 1 else ""
    sheet.attrs = {"file": str(path), "page": page, "separator": reading.separator}
    if page and reading is not readings[0]:
        say_once(f"{path}: read from page {page!r}, the only one with the columns {' and '.join(required)}.")
    return sheet


def read_readings(path: Path) -> list[Reading]:
    """Every way to read a file: the pages of a workbook that are not empty, or the separators that a text allows.

    A file that is missing, empty, of another kind or encoding, or with rows of other lengths, is an InputError.
    """
    if not path.exists():
        raise InputError(KINDS, "no such file", "Check the path.", path)
    if path.is_dir():
        inside = path / "cohort.csv"
        raise InputError(KINDS, "a folder", f"Name {inside if inside.is_file() else 'a file in it'}.", path)
    try:
        if not (readings := read_workbook(path) if path.suffix.lower() in WORKBOOKS else read_text(path)):
            raise ValueError("nothing in it")
    except InputError:
        raise
    except (OSError, ValueError, KeyError, csv.Error, zipfile.BadZipFile, SyntaxError) as error:  # the last is of XML
        found = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}".strip(": ")
        raise InputError(KINDS, found, "Download or export it again.", path) from error
    return readings


@cache
def say_once(text: str) -> None:
    """Say something of a sheet, which is read several times in a command, once."""
    logger.warning(text)


def cell_error(sheet: pd.DataFrame, row: int, column: str, expected: str, advice: str, others: int = 0) -> InputError:
    """The error of one cell of a `read_sheet`: it names file, row and column, and how many others are like it."""
    page = f" of page {sheet.attrs['page']!r}" if sheet.attrs.get("page") else ""
    header = sheet.attrs.get("headers", {}).get(column, column)
    more = f", and in {others} more cells of the column" if others else ""
    found = f"{sheet.at[row, column]!r} in row {row}, column {header}{page}{more}"
    return InputError(expected, found, advice, sheet.attrs.get("file", ""))


def parse_ids(sheet: pd.DataFrame, column: str, pattern: str, example: str) -> pd.Series:
    """The ids of a column; an InputError where one lacks the form of the cohort's ids, or stands there twice."""
    ids = sheet[column]
    strange = ids.index[~ids.str.fullmatch(pattern)]
    if len(strange):
        first, advice = ids[strange[0]], "Use the sheet as downloaded."
        kind = "number" if looks_like_a_number(first) or first.isdigit() else ""
        if kind := "date" if looks_like_a_date(first) else kind:
            advice = f"A spreadsheet has turned the id into a {kind}: use the sheet as downloaded."
        raise cell_error(sheet, strange[0], column, f"an id such as {example}", advice)
    twice = ids.index[ids.duplicated()]
    if len(twice):
        first = ids.index[ids == ids[twice[0]]][0]
        advice = "Remove one row."
        if "idh" in sheet and sheet.at[first, "idh"] != sheet.at[twice[0], "idh"]:
            statuses = " and ".join(sheet.at[row, "idh"] or "empty" for row in (first, twice[0]))
            advice = f"Their idh is {statuses}: find out which row is right, and remove the other."
        raise cell_error(sheet, twice[0], column, f"an id that row {first} does not have already", advice)
    return ids


def parse_column(sheet: pd.DataFrame, column: str, parse, keep_unreadable: bool = False) -> pd.Series:
    """Each cell of a column as `parse`, of `cells`, reads it; one that cannot be read stays or is an InputError."""
    meanings, errors = {}, {}
    cells = sheet[column].tolist()
    for cell in dict.fromkeys(cells):  # of many rows, a sheet has few ages, sexes or grades
        try:
            meanings[cell] = parse(cell)
        except ValueError as error:
            meanings[cell], errors[cell] = cell, error
    if errors and not keep_unreadable:
        wrong = sheet.index[sheet[column].isin(errors.keys())]
        error, advice = errors[sheet.at[wrong[0], column]], "Correct the cell, or leave it empty."
        raise cell_error(sheet, wrong[0], column, str(error), advice, len(wrong) - 1) from error
    return pd.Series([meanings[cell] for cell in cells], sheet.index, dtype=str)


def with_decimal_points(sheet: pd.DataFrame, column: str) -> pd.Series:
    """The cells of a column of numbers, those with a decimal comma with a point instead: `44,5` is 44.5.

    A comma that could divide thousands (`1,234`), is of no number, or stands beside points is an InputError.
    """
    cells = sheet[column]
    commas = cells[cells.str.contains(",", regex=False)]
    if commas.empty:
        return cells
    no_number = commas.index[~commas.str.fullmatch(_DECIMAL_COMMA)]
    advice = "Write numbers with a decimal point, and nothing between thousands."
    if len(no_number):
        raise cell_error(sheet, no_number[0], column, "a number such as 1234.5 or 1234,5", advice)
    points = cells.index[cells.str.contains(r"\d\.\d", regex=True)]
    if len(points):
        raise cell_error(sheet, points[0], column, f"a decimal comma, as in row {commas.index[0]}", advice)
    if sheet.attrs.get("separator") != ";" and commas.str.fullmatch(_THOUSANDS).all():
        raise cell_error(sheet, commas.index[0], column, "a number that can be read in one way", advice)
    return cells.str.replace(",", ".", regex=False)
