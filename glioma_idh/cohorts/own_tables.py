"""Tables of one's own, label sheets and cohort tables alike: which column is which, and what every cell means."""

import re
from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.cells import (
    is_a_date,
    is_unknown,
    looks_like_a_date,
    looks_like_a_number,
    parse_age,
    parse_codeletion,
    parse_divisor,
    parse_grade,
    parse_idh,
    parse_mgmt,
    parse_patient,
    parse_sex,
    parse_text,
    without_quotes,
)
from glioma_idh.cohorts.column_names import COLUMNS, PATHS, WRITTEN, could_be, meaning_of, suggested
from glioma_idh.cohorts.readings import Reading, choose_reading, describe_readings
from glioma_idh.cohorts.sheets import (
    as_sheet,
    cell_error,
    parse_column,
    read_readings,
    say_once,
    with_decimal_points,
)
from glioma_idh.errors import InputError

OWN_COLUMNS = ("subject", "idh")
PARSERS = {
    "patient": parse_patient,
    "idh": parse_idh,
    "grade": parse_grade,
    "age_years": parse_age,
    "sex": parse_sex,
    "codeletion_1p19q": parse_codeletion,
    "mgmt": parse_mgmt,
    "adc_divisor": parse_divisor,
    **dict.fromkeys(("cohort", "site", "histology", "who2021", *PATHS), parse_text),
}
MOST_LISTED = 50
_PATH = re.compile(r".*(\.nii|\.nii\.gz|[/\\].*)", re.IGNORECASE)


def find_own(readings: list[Reading], path: Path) -> Reading | None:
    """The page or separator that gives `subject` and `idh`, by those names or, where none has them, by similar ones.

    Returns:
        None where there is none.

    Raises:
        InputError: several do.
    """
    for meaning in (str, meaning_of):
        if any(set(OWN_COLUMNS) <= set(map(meaning, reading.header)) for reading in readings):
            return choose_reading(readings, OWN_COLUMNS, path, "", meaning)
    return None


def read_own_table(path, columns=COLUMNS, keep_unreadable=()) -> pd.DataFrame:
    """Read a label sheet or a cohort table: columns by the names of the cohort table, every cell as it stands for.

    Columns may be named as people name them (`column_names`). Those that are not understood are left out and listed
    once on standard error, each with the column that may be meant.

    Args:
        path: a sheet as `read_sheet` reads it.
        columns: of the cohort table that are of use here.
        keep_unreadable: columns of which a cell that cannot be read stays as it is.

    Returns:
        The columns that the sheet has, indexed by its rows as a spreadsheet counts them; `attrs` as `read_sheet` gives
        them, and in `headers` the name of each column in the file.

    Raises:
        InputError: as `read_sheet`; there is no column for `subject` or `idh`, two stand for the same, or a cell cannot
            be read: it names row and column.
    """
    path = Path(path)
    readings = read_readings(path)
    reading = find_own(readings, path)
    if reading is None:
        raise no_own_columns(readings, path)
    sheet = as_sheet(reading, readings, OWN_COLUMNS, path)
    return _read_cells(_name_columns(sheet, columns), keep_unreadable)


def no_own_columns(readings: list[Reading], path: Path) -> InputError:
    """The error of a sheet in which no column can be `subject` or `idh`: what it has, and what may be meant."""
    best = max(readings, key=lambda each: len(set(OWN_COLUMNS) & set(map(meaning_of, each.header))))
    there = set(map(meaning_of, best.header))
    missing = [column for column in OWN_COLUMNS if column not in there]
    meant = [f"{name} to {column}" for column in missing for name in best.header if column in could_be(name)]
    advice = "Name the columns of ids and of IDH status subject and idh; the first row that is not empty is the header."
    if meant:
        advice = f"Rename the column, if it is meant: {', or '.join(meant[:MOST_LISTED])}."
    return InputError(f"the columns {' and '.join(missing)}", describe_readings(readings), advice, path)


def _name_columns(sheet: pd.DataFrame, columns) -> pd.DataFrame:
    """The columns of a sheet that are of use, named and in the order of the cohort table; the others are listed.

    Raises:
        InputError: two columns, neither of them empty, stand for the same.
    """
    found, others = {}, []
    for position, name in enumerate(sheet.columns):
        cells, column = sheet.iloc[:, position], meaning_of(name)
        if column in PATHS and name != column and not holds_paths(cells):
            column = ""
        if column in columns:
            found.setdefault(column, []).append(position)
        elif not column and not WRITTEN.fullmatch(name) and (cells != "").any():
            others.append(suggested(name, holds_paths(cells)) if name else f"column {position + 1}, without a name")
        elif column and (cells != "").any():
            others.append(f"{name} (read from a table given to --cohort alone)")
    chosen = {column: _the_one(sheet, column, positions) for column, positions in found.items()}
    _list_others(sheet, others)
    named = pd.DataFrame({column: sheet.iloc[:, chosen[column]] for column in COLUMNS if column in chosen})
    headers = {column: sheet.columns[position] for column, position in chosen.items()}
    named.attrs = sheet.attrs | {"headers": headers}
    return named


def _the_one(sheet: pd.DataFrame, column: str, positions: list[int]) -> int:
    """Of the columns that stand for the same the one that is not empty.

    Raises:
        InputError: several are not.
    """
    filled = [position for position in positions if (sheet.iloc[:, position] != "").any()] or positions[:1]
    if len(filled) > 1:
        names = " and ".join(sheet.columns[position] for position in filled)
        found = f"{names}, which stand for the same, {column}"
        raise InputError("each column once", found, "Remove or rename one.", sheet.attrs["file"])
    return filled[0]


def _list_others(sheet: pd.DataFrame, others: list[str]) -> None:
    """Say once which columns are not read, those with a suggestion first."""
    if others:
        others = sorted(others, key=lambda text: not text.endswith(")"))
        more = f"; and {len(others) - MOST_LISTED} more" if len(others) > MOST_LISTED else ""
        text = f"{sheet.attrs['file']}: columns that are not read: {'; '.join(others[:MOST_LISTED])}{more}."
        say_once(f"{text} Rename a column that should be.")


def holds_paths(cells: pd.Series) -> bool:
    """Whether any of a column's first cells that say something names a file."""
    return any(_PATH.fullmatch(without_quotes(cell)) for cell in cells[cells != ""].head(100) if not is_unknown(cell))


def _read_cells(sheet: pd.DataFrame, keep_unreadable) -> pd.DataFrame:
    """Every cell as it stands for.

    Raises:
        InputError: one cannot be read; it names row and column.
    """
    if "adc_divisor" in sheet:
        sheet["adc_divisor"] = with_decimal_points(sheet, "adc_divisor")
    if "idh" in sheet:
        _check_codes(sheet)
    for column in [column for column in PARSERS if column in sheet]:
        sheet[column] = parse_column(sheet, column, PARSERS[column], column in keep_unreadable)
    for column in [column for column in ("subject", "patient") if column in sheet]:
        _check_ids(sheet, column)
    return sheet


def _check_codes(sheet: pd.DataFrame) -> None:
    """Beside 2, and without 0, a 1 could stand for either status.

    Raises:
        InputError: it could; it names row and column.
    """
    codes = sheet["idh"].str.replace(r"[.,]0+$", "", regex=True)
    if {"1", "2"} <= set(codes) and "0" not in set(codes):
        expected = "IDH as mutant and wildtype, or as 1 and 0"
        advice = "1 and 2 do not say which is which: write mutant and wildtype."
        twos = sheet.index[codes == "2"]
        raise cell_error(sheet, twos[0], "idh", expected, advice, len(twos) - 1)


def _check_ids(sheet: pd.DataFrame, column: str) -> None:
    """A spreadsheet must have made no numbers or dates of ids, nor taken the zeros of some.

    Raises:
        InputError: it has; it names row and column.
    """
    _check_dates(sheet, column)
    first = {}
    for row, cell in zip(sheet.index.tolist(), sheet[column].tolist(), strict=True):
        if looks_like_a_number(cell):
            advice = "A spreadsheet has turned the id into a number: keep the column as text."
            raise cell_error(sheet, row, column, "an id", advice)
        if cell.isdecimal() and first.setdefault(int(cell), (row, cell))[1] != cell:
            there, other = first[int(cell)]
            expected = f"ids that differ in more than zeros: row {there} has {other!r}"
            advice = "A spreadsheet has taken the zeros of one of them away: keep the column as text."
            raise cell_error(sheet, row, column, expected, advice)


def _check_dates(sheet: pd.DataFrame, column: str) -> None:
    """A spreadsheet must have made no dates of ids; ids may be dates where all are and somebody may have written them.

    Raises:
        InputError: it has; it names row and column.
    """
    ids = sheet[column][sheet[column] != ""]
    dates = ids[ids.map(looks_like_a_date).astype(bool)]
    if len(dates) == len(ids):
        dates = dates[dates.map(is_a_date).astype(bool)]
    if len(dates):
        advice = (
            "A spreadsheet has turned the id into a date: format the column as text and write the ids anew. An id that "
            "is meant to be one must be written in another way."
        )
        raise cell_error(sheet, dates.index[0], column, "an id", advice, len(dates) - 1)
