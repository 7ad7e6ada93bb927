"""Tables as text: divided by commas, semicolons or tabs, in UTF-8 or UTF-16."""

import csv
import io
import re
from pathlib import Path

from glioma_idh.cohorts.readings import KINDS, SEPARATORS, Reading
from glioma_idh.errors import InputError

_SEPARATOR_LINE = re.compile(r'"?sep=(?P<separator>\t|[^\w\s"])"?[,;\t]*(?:\r\n|\r|\n|$)', re.IGNORECASE)
_OLD_EXCEL = "an Excel file of the old kind, or one with a password"
NO_TEXTS = {
    b"PK": ("an Excel file", "Name it .xlsx."),
    b"\xd0\xcf\x11\xe0": (_OLD_EXCEL, "Save it as .xlsx without a password, or as CSV UTF-8."),
}


def refuse_text(path: Path) -> None:
    """A text, or a spreadsheet of another kind, is no workbook, whatever its name.

    Raises:
        InputError: the file is one of them; what else is no workbook is left to its reader.
    """
    content = path.read_bytes()
    if content.strip() and (b"opendocument" in content[:200] or not content.startswith(b"PK")):
        _decode(path)
        raise InputError(KINDS, "text", "Name it .csv.", path)


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
            readings += _divide(text, separator)
        except csv.Error as error:
            errors.append(error)
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


def _divide(text: str, separator: str) -> list[Reading]:
    """The text with one separator; nothing where all cells are empty."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows = {number: [cell.strip() for cell in row] for number, row in enumerate(reader, start=1)}
    rows = {number: row for number, row in rows.items() if any(row)}
    return [Reading(rows.pop(min(rows)), rows, separator=separator)] if rows else []


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
