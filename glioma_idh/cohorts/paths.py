"""Paths of scans in a cohort table, as they are written on any system."""

import os
import re
from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.cells import without_quotes
from glioma_idh.cohorts.sheets import cell_error

WINDOWS_ABSOLUTE = re.compile(r"[A-Za-z]:[\\/]|\\\\")
"""How a path of Windows begins that starts at a drive (C:\\) or a server (\\\\)."""


def absolute_paths(sheet: pd.DataFrame, column: str, folder: Path) -> list[str]:
    """The paths of a column made absolute, without quotation marks around them.

    A relative one may have the backslashes of Windows on any system.

    Args:
        sheet: as `read_sheet` gives it.
        column: of paths, empty where there is no scan.
        folder: where relative paths start.

    Raises:
        InputError: a path begins at a drive or server of Windows, and this is another system; it names row and column.
    """
    cells = sheet[column].map(without_quotes)
    foreign = cells.index[cells.str.match(WINDOWS_ABSOLUTE)] if os.name != "nt" else []
    if len(foreign):
        expected = "a path of this system (it is one of Windows)"
        example = r"such as sub1\t1gd.nii.gz"
        advice = f"Write paths from the folder of all scans on, {example}, and name that folder here with --images."
        raise cell_error(sheet, foreign[0], column, expected, advice)
    return [str(_local(folder, cell)) if cell else "" for cell in cells]


def _local(folder: Path, cell: str) -> Path:
    """A path as this system writes it; a file that has backslashes in its name comes first."""
    path = folder / cell
    return path if "\\" not in cell or os.name == "nt" or path.exists() else folder / cell.replace("\\", "/")
