"""The ways in which one file can be read as a table, and the one that is meant."""

from pathlib import Path
from typing import NamedTuple

from glioma_idh.errors import InputError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
KINDS = "a sheet in CSV (UTF-8), TSV or XLSX"


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
    return "; ".join(
        f"page {reading.page!r} with the columns {names}"
        if reading.page
        else f"with {SEPARATORS.get(reading.separator, reading.separator)} the columns {names}"
        for reading, names in zip(readings, columns, strict=True)
    )


def choose_reading(readings: list[Reading], required, path: Path, advice: str, meaning=str) -> Reading:
    """The one page or separator of a file that gives the required columns.

    Args:
        readings: all of the file.
        required: columns.
        path: of the file.
        advice: what to do where none gives them.
        meaning: from the name of a column to that of a required one.

    Raises:
        InputError: none does, or several do.
    """
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
