"""Read a file as tables in all possible ways: a text file with each separator, or each page of a workbook."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

from glioma_idh.errors import InputError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
KINDS = "a sheet in CSV (UTF-8), TSV or XLSX"
_SEPARATOR_LINE = re.compile(r'"?sep=(?P<separator>\t|[^\w\s"])"?[,;\t]*(?:\r\n|\r|\n|$)', re.IGNORECASE)
_OLD_EXCEL = "an Excel file in the old format .xls, or one with a password"
NO_TEXTS = {
    b"PK": ("an Excel file", "Name it .xlsx."),
    b"\xd0\xcf\x11\xe0": (_OLD_EXCEL, "Save it as .xlsx without a password, or as CSV UTF-8."),
}
_FULL_CALCULATION = re.compile(rb"<(?:\w+:)?calcPr\b[^>]*\bfullCalcOnLoad=[\"'](?:1|true)[\"']")
_ODD = ("f", "e", "str")  # openpyxl's types for a formula, an error, and a text result of a formula


class Reading(NamedTuple):
    """One way to read a file: a page of a workbook, or a text file with one separator."""

    header: list[str]
    rows: dict[int, list[str]]  # cells without surrounding spaces, by row number as in a spreadsheet; no empty rows
    page: str = ""  # name of the page; "" for a text file
    separator: str = ""  # separator of the cells; "" for a page
    unread: dict[tuple[int, int], str] = {}  # noqa: RUF012  why a cell has no value, by row and position

    @property
    def is_regular(self) -> bool:
        """Whether every row has as many cells as the header."""
        return all(len(row) == len(self.header) for row in self.rows.values())


def describe_readings(readings: list[Reading]) -> str:
    """List the columns of a sheet, or of each of its pages, for error messages."""
    columns = [", ".join(name for name in reading.header if name) for reading in readings]
    if len(readings) == 1:
        return f"columns {columns[0]}"
    how = [f"page {r.page!r} with" if r.page else f"with {SEPARATORS.get(r.separator, r.separator)}" for r in readings]
    return "; ".join(f"{each} the columns {names}" for each, names in zip(how, columns, strict=True))


def choose_reading(
    readings: list[Reading], required: Collection[str], path: Path, advice: str, meaning: Callable[[str], str] = str
) -> Reading:
    """Return the only reading with the required columns.

    Args:
        readings: all readings of the file.
        required: names of the required columns.
        path: path of the file, for the error.
        advice: advice of the error if no reading has the columns.
        meaning: function from a column name in the file to the name that is compared.

    Raises:
        InputError: no reading or several readings have the columns.
    """
    fitting = [reading for reading in readings if set(required) <= set(map(meaning, reading.header))]
    if len(fitting) == 1:
        return fitting[0]
    wanted = f"the columns {' and '.join(required)}" if required else "a table"
    if fitting and fitting[0].page:
        advice = "Save only that page as CSV UTF-8."
        raise InputError(f"one page with {wanted}", describe_readings(fitting), advice, path)
    if fitting:
        advice = "Put a line sep=, or sep=; above the header."
        raise InputError(f"only one separator that results in {wanted}", describe_readings(fitting), advice, path)
    if len(readings) > 1:
        wanted = f"a {'page' if readings[0].page else 'separator'} with {wanted}"
    else:
        wanted = f"the columns {' and '.join(column for column in required if column not in readings[0].header)}"
    raise InputError(wanted, describe_readings(readings), advice, path)


def read_text(path: Path) -> list[Reading]:
    """Read a text file with each separator for which all rows have as many cells as the header, at least two.

    If there is none, the result is empty or has one column; InputError if rows have different lengths.
    """
    text, separators = _decode(path), tuple(SEPARATORS)
    if named := _SEPARATOR_LINE.match(text):
        text, separators = text[named.end() :], (named["separator"],)
    default = "\t" if path.suffix.lower() in (".tsv", ".txt") else ","
    readings, errors = [], []
    there = [each for each in separators if each in text] or separators
    for separator in sorted(there, key=lambda each: each != default):
        try:
            cells = enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), start=1)
            rows = {number: [cell.strip() for cell in row] for number, row in cells}
        except csv.Error as error:
            errors.append(error)
            continue
        rows = {number: row for number, row in rows.items() if any(row)}
        if rows:
            readings.append(Reading(rows.pop(min(rows)), rows, separator=separator))
    fitting = [reading for reading in readings if reading.is_regular and len(reading.header) > 1]
    if fitting:
        return fitting
    if errors and all(len(reading.header) == 1 for reading in readings):
        raise errors[0]
    if not readings:
        return []
    best = max(readings, key=lambda reading: len(reading.header))  # the default separator, if several are equal
    if best.is_regular:
        return [best]
    number, row = next((number, row) for number, row in best.rows.items() if len(row) != len(best.header))
    advice = "Correct the row."
    if best.separator == "," and len(row) > len(best.header):
        advice = "Correct the row. If commas separate the cells, put numbers with a decimal comma in quotes."
    expected = f"{len(best.header)} cells per row, as in the header"
    raise InputError(expected, f"{len(row)} in row {number}", advice, path)


def _decode(path: Path) -> str:
    """Decode a text file in UTF-8, or in UTF-16 with a byte-order mark (Excel's "Unicode text")."""
    content = path.read_bytes()
    for start, (found, advice) in NO_TEXTS.items():
        if content.startswith(start):
            is_open_document = b"opendocument" in content[:200]
            found = "an OpenDocument spreadsheet" if is_open_document else found
            raise InputError(KINDS, found, "Save it as .xlsx or as CSV UTF-8." if is_open_document else advice, path)
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    advice = "Save the sheet again as 'CSV UTF-8'."
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError("text in UTF-8", f"byte 0x{content[error.start]:02x}", advice, path) from error
    if "\0" in text:
        raise InputError("text in UTF-8", "zero bytes, as in UTF-16 without a byte-order mark", advice, path)
    return text


def read_workbook(path: Path) -> list[Reading]:
    """Read the pages of a workbook that are not empty; InputError for text and other spreadsheet formats."""
    content = path.read_bytes()
    if content.strip() and (b"opendocument" in content[:200] or not content.startswith(b"PK")):
        _decode(path)
        raise InputError(KINDS, "a text file named .xlsx", "Rename it to .csv.", path)
    written = shown = _read_pages(path, with_values=False)
    if any("f" in kinds.values() for _, _, kinds in written):
        shown = _read_pages(path, with_values=True)
    with zipfile.ZipFile(path) as parts:  # some programs store no values of formulas
        never_calculated = bool(_FULL_CALCULATION.search(parts.read("xl/workbook.xml")))
    readings = [_reading(kinds, *page, never_calculated) for (_, _, kinds), page in zip(written, shown, strict=True)]
    return [reading for reading in readings if reading.header]


def _read_pages(path: Path, with_values: bool) -> list[tuple[str, list[list[str]], dict[tuple[int, int], str]]]:
    """Return each page as its title, its rows as text, and the openpyxl type of cells with formulas or errors.

    `with_values` reads the results of formulas instead of the formulas.
    """
    from openpyxl import load_workbook

    workbook, pages = load_workbook(path, read_only=True, data_only=with_values), []
    try:
        for page in workbook.worksheets:
            page.reset_dimensions()  # some programs store wrong dimensions, outside of which cells would be skipped
            rows: list = []
            kinds: dict = {}
            for number, cells in enumerate(page.iter_rows(), start=1):  # row by row: twice as fast as cell by cell
                values = [cell.value for cell in cells]  # below, whole numbers lose their decimal point
                values = [int(of) if isinstance(of, float) and of.is_integer() else of for of in values]
                rows.append(["" if of is None else str(of).strip() for of in values])
                kinds |= {(number, at): cell.data_type for at, cell in enumerate(cells) if cell.data_type in _ODD}
            pages.append((page.title, rows, kinds))
    finally:
        workbook.close()
    return pages


def _reading(written_kinds: dict, title: str, cells: list[list[str]], kinds: dict, never_calculated: bool) -> Reading:
    """Return a page without its empty columns at the right, and the reasons for formulas without a value."""
    unread, width = {}, max((len(row) for row in cells), default=0)
    rows = {number: row + [""] * (width - len(row)) for number, row in enumerate(cells, start=1)}
    for place in written_kinds.keys() | kinds.keys():
        number, position = place
        value, kind, problem = rows[number][position], kinds.get(place, ""), ""
        if written_kinds.get(place) == "f" and (never_calculated or (not value and kind != "str")):  # "str": a text
            problem = "a formula without a calculated value"
        elif kind == "e" and value != "#N/A":
            problem = f"a formula with an error ({value})"
        if problem:
            unread[place] = problem
            rows[number][position] = value or problem  # the row is not empty
    rows = {number: row for number, row in rows.items() if any(row)}
    width = max((position for row in rows.values() for position, cell in enumerate(row, start=1) if cell), default=0)
    rows = {number: row[:width] for number, row in rows.items()}
    header = rows.pop(min(rows)) if rows else []
    return Reading(header, rows, page=title, unread=dict(sorted(unread.items())))
