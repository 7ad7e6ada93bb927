"""Excel workbooks: their pages as text, and the cells whose formulas have no value."""

import re
import zipfile
from pathlib import Path
from typing import NamedTuple

from glioma_idh.cohorts.readings import Reading

_FULL_CALCULATION = re.compile(rb"<(?:\w+:)?calcPr\b[^>]*\bfullCalcOnLoad=[\"'](?:1|true)[\"']")
_ODD = ("f", "e", "str")  # a formula, an error, and a text that a formula gave


class Page(NamedTuple):
    """The cells of a page."""

    title: str
    rows: list[list[str]]  # as text; a row ends with its last cell
    kinds: dict[tuple[int, int], str]  # openpyxl's type of each cell of `_ODD` type, by row, from 1, and position


def read_workbook(path: Path) -> list[Reading]:
    """The pages of a workbook that are not empty."""
    written = shown = _read_pages(path, values=False)
    if any("f" in page.kinds.values() for page in written):
        shown = _read_pages(path, values=True)
    with zipfile.ZipFile(path) as parts:  # some programs leave all formulas to the reader
        never_calculated = bool(_FULL_CALCULATION.search(parts.read("xl/workbook.xml")))
    readings = [_reading(formulas, values, never_calculated) for formulas, values in zip(written, shown, strict=True)]
    return [reading for reading in readings if reading.header]


def _read_pages(path: Path, values: bool) -> list[Page]:
    """Every page, with formulas or the values that they had when saved; row by row, which takes half the time."""
    from openpyxl import load_workbook

    workbook, pages = load_workbook(path, read_only=True, data_only=values), []
    try:
        for page in workbook.worksheets:
            page.reset_dimensions()  # some programs write wrong ones, beyond which nothing would be read
            rows, kinds = [], {}
            for number, cells in enumerate(page.iter_rows(), start=1):
                rows.append([_cell_text(cell.value) for cell in cells])
                kinds |= {(number, at): cell.data_type for at, cell in enumerate(cells) if cell.data_type in _ODD}
            pages.append(Page(page.title, rows, kinds))
    finally:
        workbook.close()
    return pages


def _reading(written: Page, shown: Page, never_calculated: bool) -> Reading:
    """One page with formulas and with their values, as wide as its last column with anything in it."""
    unread, width = {}, max((len(row) for row in shown.rows), default=0)
    rows = {number: row + [""] * (width - len(row)) for number, row in enumerate(shown.rows, start=1)}
    for place in written.kinds.keys() | shown.kinds.keys():
        number, position = place
        kinds = written.kinds.get(place, ""), shown.kinds.get(place, "")
        if problem := _problem(*kinds, rows[number][position], never_calculated):
            unread[place] = problem
            rows[number][position] = rows[number][position] or problem  # the row is not empty
    rows = {number: row for number, row in rows.items() if any(row)}
    width = max((position for row in rows.values() for position, cell in enumerate(row, start=1) if cell), default=0)
    rows = {number: row[:width] for number, row in rows.items()}
    header = rows.pop(min(rows)) if rows else []
    return Reading(header, rows, page=shown.title, unread=dict(sorted(unread.items())))


def _problem(written: str, shown: str, value: str, never_calculated: bool) -> str:
    """Why a cell has no usable value, by its types with formulas and with values; an empty text ("str") is one."""
    if written == "f" and (never_calculated or (not value and shown != "str")):
        return "a formula that was never calculated"
    return f"a formula that failed ({value})" if shown == "e" and value != "#N/A" else ""


def _cell_text(value) -> str:
    """A cell as text without spaces around it; a whole number without a decimal point."""
    if value is None:
        return ""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
