"""One file as a table, in the ways in which it can be read: a text with each separator, or the pages of a workbook."""

import csv
import io
import re
import zipfile
from pathlib import Path
from typing import NamedTuple

from glioma_idh.errors import InputError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
KINDS = "a sheet in CSV (UTF-8), TSV or XLSX"
_SEPARATOR_LINE = re.compile(r'"?sep=(?P<separator>\t|[^\w\s"])"?[,;\t]*(?:\r\n|\r|\n|$)', re.IGNORECASE)
_OLD_EXCEL = "an Excel file of the old kind, or one with a password"
NO_TEXTS = {
    b"PK": ("an Excel file", "Name it .xlsx."),
    b"\xd0\xcf\x11\xe0": (_OLD_EXCEL, "Save it as .xlsx without a password, or as CSV UTF-8."),
}
_FULL_CALCULATION = re.compile(rb"<(?:\w+:)?calcPr\b[^>]*\bfullCalcOnLoad=[\"'](?:1|true)[\"']")
_ODD = ("f", "e", "str")  # a formula, an error, and a text that a formula gave


class Reading(NamedTuple):
    """One way to read a file: a page of a workbook, or a text with one separator."""

    header: list[str]
    rows: dict[int, list[str]]  # cells without spaces around them, by row as a spreadsheet counts rows; no empty rows
    page: str = ""  # its name; empty of a text
    separator: str = ""  # of the cells of a text; empty of a page
    unread: dict[tuple[int, int], str] = {}  # noqa: RUF012  why a cell has no usable value, by row and position

    @property
    def is_regular(self) -> bool:
        """Whether every row has as many cells as the header."""
        return all(len(row) == len(self.header) for row in self.rows.values())


def describe_readings(readings: list[Reading]) -> str:
    """The columns of a sheet, or of each of its pages, for messages."""
    columns = [", ".join(name for name in reading.header if name) for reading in readings]
    if len(readings) == 1:
        return f"columns {columns[0]}"
    how = [f"page {r.page!r} with" if r.page else f"with {SEPARATORS.get(r.separator, r.separator)}" for r in readings]
    return "; ".join(f"{each} the columns {names}" for each, names in zip(how, columns, strict=True))


def choose_reading(readings: list[Reading], required, path: Path, advice: str, meaning=str) -> Reading:
    """The one page or separator that gives the required columns (the `meaning` of names), else an InputError."""
    fitting = [reading for reading in readings if set(required) <= set(map(meaning, reading.header))]
    if len(fitting) == 1:
        return fitting[0]
    wanted = f"the columns {' and '.join(required)}" if required else "a table"
    if fitting and fitting[0].page:
        advice = "Save that page alone, as CSV UTF-8."
        raise InputError(f"one page with {wanted}", describe_readings(fitting), advice, path)
    if fitting:
        advice = "Put a line sep=, or sep=; above the header."
        raise InputError(f"one separator that gives {wanted}", describe_readings(fitting), advice, path)
    if len(readings) > 1:
        wanted = f"a {'page' if readings[0].page else 'separator'} with {wanted}"
    else:
        wanted = f"the columns {' and '.join(column for column in required if column not in readings[0].header)}"
    raise InputError(wanted, describe_readings(readings), advice, path)


def read_text(path: Path) -> list[Reading]:
    """A text with each separator that gives every row as many cells as the header, and more than one."""
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
    best = max(readings, key=lambda reading: len(reading.header))  # of equals the first, which is the default
    if best.is_regular:
        return [best]
    number, row = next((number, row) for number, row in best.rows.items() if len(row) != len(best.header))
    advice = "Correct the row."
    if best.separator == "," and len(row) > len(best.header):
        advice = "Correct the row; where commas divide the cells, a number with a decimal comma needs quotes."
    expected = f"{len(best.header)} cells a row, as in the header"
    raise InputError(expected, f"{len(row)} in row {number}", advice, path)


def _decode(path: Path) -> str:
    """The text of a file in UTF-8, or in UTF-16 where it begins with a byte-order mark, as Excel's "Unicode text"."""
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
        raise InputError("text in UTF-8", "zero bytes, as of UTF-16 without a byte-order mark", advice, path)
    return text


def read_workbook(path: Path) -> list[Reading]:
    """The pages of a workbook that are not empty; a text, or a spreadsheet of another kind, is an InputError."""
    content = path.read_bytes()
    if content.strip() and (b"opendocument" in content[:200] or not content.startswith(b"PK")):
        _decode(path)
        raise InputError(KINDS, "text", "Name it .csv.", path)
    written = shown = _read_pages(path, with_values=False)
    if any("f" in kinds.values() for _, _, kinds in written):
        shown = _read_pages(path, with_values=True)
    with zipfile.ZipFile(path) as parts:  # some programs leave all formulas to the reader
        never_calculated = bool(_FULL_CALCULATION.search(parts.read("xl/workbook.xml")))
    readings = [_reading(kinds, *page, never_calculated) for (_, _, kinds), page in zip(written, shown, strict=True)]
    return [reading for reading in readings if reading.header]


def _read_pages(path: Path, with_values: bool) -> list[tuple[str, list[list[str]], dict[tuple[int, int], str]]]:
    """Of each page title, rows of text up to the last cell, openpyxl's type of odd cells; with formulas or values."""
    from openpyxl import load_workbook

    workbook, pages = load_workbook(path, read_only=True, data_only=with_values), []
    try:
        for page in workbook.worksheets:
            page.reset_dimensions()  # some programs write wrong ones, beyond which nothing would be read
            rows: list = []
            kinds: dict = {}
            for number, cells in enumerate(page.iter_rows(), start=1):  # cell by cell takes twice the time
                values = [cell.value for cell in cells]  # a whole number without a decimal point
                values = [int(of) if isinstance(of, float) and of.is_integer() else of for of in values]
                rows.append(["" if of is None else str(of).strip() for of in values])
                kinds |= {(number, at): cell.data_type for at, cell in enumerate(cells) if cell.data_type in _ODD}
            pages.append((page.title, rows, kinds))
    finally:
        workbook.close()
    return pages


def _reading(written_kinds: dict, title: str, cells: list[list[str]], kinds: dict, never_calculated: bool) -> Reading:
    """One page as wide as its last column with anything in it; cells of odd kinds may have no value."""
    unread, width = {}, max((len(row) for row in cells), default=0)
    rows = {number: row + [""] * (width - len(row)) for number, row in enumerate(cells, start=1)}
    for place in written_kinds.keys() | kinds.keys():
        number, position = place
        value, kind, problem = rows[number][position], kinds.get(place, ""), ""
        if written_kinds.get(place) == "f" and (never_calculated or (not value and kind != "str")):  # "str": a text
            problem = "a formula that was never calculated"
        elif kind == "e" and value != "#N/A":
            problem = f"a formula that failed ({value})"
        if problem:
            unread[place] = problem
            rows[number][position] = value or problem  # the row is not empty
    rows = {number: row for number, row in rows.items() if any(row)}
    width = max((position for row in rows.values() for position, cell in enumerate(row, start=1) if cell), default=0)
    rows = {number: row[:width] for number, row in rows.items()}
    header = rows.pop(min(rows)) if rows else []
    return Reading(header, rows, page=title, unread=dict(sorted(unread.items())))
