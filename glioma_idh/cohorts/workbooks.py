"""Excel workbooks: their pages as text, and the cells whose formulas have no value."""

import re
import zipfile
from pathlib import Path

from glioma_idh.cohorts.readings import Reading

_FULL_CALCULATION = re.compile(rb"<(?:\w+:)?calcPr\b[^>]*\bfullCalcOnLoad=[\"'](?:1|true)[\"']")


def read_workbook(path: Path) -> list[Reading]:
    """The pages of a workbook that are not empty."""
    from openpyxl import load_workbook

    formulas = values = load_workbook(path)
    if any(cell.data_type == "f" for page in formulas.worksheets for row in page.iter_rows() for cell in row):
        values = load_workbook(path, data_only=True)
    never_calculated = _asks_for_calculation(path)
    pages = zip(formulas.worksheets, values.worksheets, strict=True)
    readings = [_read_page(written, shown, never_calculated) for written, shown in pages]
    return [reading for reading in readings if reading.header]


def _asks_for_calculation(path: Path) -> bool:
    """Whether the workbook was written by a program that does not calculate formulas and leaves that to the reader."""
    with zipfile.ZipFile(path) as parts:
        return bool(_FULL_CALCULATION.search(parts.read("xl/workbook.xml")))


def _read_page(written, shown, never_calculated: bool) -> Reading:
    """One page, as wide as its last column with anything in it.

    Args:
        written: the page with formulas in its cells.
        shown: the page with the values that the formulas had when it was saved.
        never_calculated: whether those are no values.
    """
    rows, unread = {}, {}
    pairs = zip(written.iter_rows(min_row=1, min_col=1), shown.iter_rows(min_row=1, min_col=1), strict=True)
    for number, (formulas, values) in enumerate(pairs, start=1):
        rows[number] = [_cell_text(cell.value) for cell in values]
        for position, (formula, value) in enumerate(zip(formulas, values, strict=True)):
            if problem := _problem(formula, value, never_calculated):
                unread[number, position] = problem
                rows[number][position] = rows[number][position] or problem  # the row is not empty
    rows = {number: row for number, row in rows.items() if any(row)}
    width = max((position for row in rows.values() for position, cell in enumerate(row, start=1) if cell), default=0)
    rows = {number: row[:width] for number, row in rows.items()}
    header = rows.pop(min(rows)) if rows else []
    return Reading(header, rows, page=shown.title, unread=unread)


def _problem(formula, value, never_calculated: bool) -> str:
    """Why a cell of a workbook has no usable value; empty where it has one.

    A formula whose result is an empty text has one: its type is "str".
    """
    if formula.data_type == "f" and (never_calculated or (value.value is None and value.data_type != "str")):
        return "a formula that was never calculated"
    if value.data_type == "e" and value.value != "#N/A":
        return f"a formula that failed ({value.value})"
    return ""


def _cell_text(value) -> str:
    """A cell as text without spaces around it; a whole number without a decimal point."""
    if value is None:
        return ""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
