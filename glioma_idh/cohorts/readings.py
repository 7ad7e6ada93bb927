"""The ways in which one file can be read as a table, and the one that is meant."""

from pathlib import Path
from typing import NamedTuple

from glioma_idh.errors import InputError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
KINDS = "a sheet in CSV (UTF-8), TSV or XLSX"


class Reading(NamedTuple):
    """One way to read a file: a page of a workbook, or a text with one separator.

    Attributes:
        header: names of the columns.
        rows: cells without spaces around them, by row as a spreadsheet counts rows; empty rows are left out.
        page: name of the page; empty of a text.
        separator: of the cells of a text; empty of a page.
        unread: what stands in the cells that have no usable value, by row and position of the column.
    """

    header: list[str]
    rows: dict[int, list[str]]
    page: str = ""
    separator: str = ""
    unread: dict[tuple[int, int], str] = {}  # noqa: RUF012  never written to

    @property
    def described(self) -> str:
        """The reading and its columns, for messages."""
        columns = ", ".join(name for name in self.header if name)
        if self.page:
            return f"page {self.page!r} with the columns {columns}"
        return f"with {SEPARATORS.get(self.separator, self.separator)} the columns {columns}"

    @property
    def is_regular(self) -> bool:
        """Whether every row has as many cells as the header."""
        return all(len(row) == len(self.header) for row in self.rows.values())


def describe_readings(readings: list[Reading]) -> str:
    """The columns of a sheet, or of each of its pages, for messages."""
    if len(readings) == 1:
        return f"columns {', '.join(name for name in readings[0].header if name)}"
    return "; ".join(reading.described for reading in readings)


def choose_reading(readings: list[Reading], required, path: Path, advice: str, meaning=str) -> Reading:
    """The one page or separator that gives the required columns.

    Args:
        readings: of one file.
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
    if fitting:
        expected, what_to_do = (
            f"one page with {wanted}",
            "Save that page alone, as CSV UTF-8.",
        )
        if not fitting[0].page:
            expected, what_to_do = (
                f"one separator that gives {wanted}",
                "Put a line sep=, or sep=; above the header.",
            )
        raise InputError(expected, describe_readings(fitting), what_to_do, path)
    if len(readings) > 1:
        kind = "page" if readings[0].page else "separator"
        raise InputError(f"a {kind} with {wanted}", describe_readings(readings), advice, path)
    missing = [column for column in required if column not in readings[0].header]
    raise InputError(f"the columns {' and '.join(missing)}", describe_readings(readings), advice, path)


def check_formulas(reading: Reading, path: Path) -> None:
    """No cell of a column with a name may be a formula without a value.

    Raises:
        InputError: one is; it names row and column.
    """
    for (row, position), problem in reading.unread.items():
        if row in reading.rows and reading.header[position]:
            where = f"row {row}, column {reading.header[position]} of page {reading.page!r}"
            advice = "Open the file in a spreadsheet program, look at the cell, and save it; or save it as CSV UTF-8."
            raise InputError("cells with values", f"{problem} in {where}", advice, path)
