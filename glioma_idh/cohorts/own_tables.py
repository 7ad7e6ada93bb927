"""Tables of one's own, label sheets and cohort tables alike: which column is which, and what every cell means."""

import re
from pathlib import Path

import pandas as pd

from glioma_idh.cohorts import cells, sheets
from glioma_idh.cohorts.column_names import COLUMNS, PATHS, WRITTEN, could_be, meaning_of, suggested
from glioma_idh.cohorts.sheet_files import Reading, choose_reading, describe_readings
from glioma_idh.cohorts.sheets import cell_error, parse_column
from glioma_idh.errors import InputError

OWN_COLUMNS = ("subject", "idh")
PARSERS = {
    "patient": cells.parse_patient,
    "idh": cells.parse_idh,
    "grade": cells.parse_grade,
    "age_years": cells.parse_age,
    "sex": cells.parse_sex,
    "codeletion_1p19q": cells.parse_codeletion,
    "mgmt": cells.parse_mgmt,
    "adc_divisor": cells.parse_divisor,
    **dict.fromkeys(("cohort", "site", "histology", "who2021", *PATHS), cells.parse_text),
}
MOST_LISTED = 50
_PATH = re.compile(r".*(\.nii|\.nii\.gz|[/\\].*)", re.IGNORECASE)


def find_own(readings: list[Reading], path: Path) -> Reading | None:
    """The one page or separator that gives `subject` and `idh`, by those names, else by similar ones."""
    for meaning in (str, meaning_of):
        if any(set(OWN_COLUMNS) <= set(map(meaning, reading.header)) for reading in readings):
            return choose_reading(readings, OWN_COLUMNS, path, "", meaning)
    return None


def read_own_table(path, columns=COLUMNS, keep_unreadable=()) -> pd.DataFrame:
    """Read a label sheet or a cohort table as `read_sheet`, with the columns of the cohort table and cells as parsed.

    Columns, of which `columns` are of use here, may be named as people name them (`column_names`); others are listed on
    standard error. A cell of `keep_unreadable` that cannot be read stays. `attrs["headers"]` has the file's names.
    InputError: as `read_sheet`; no column is `subject` or `idh`, two stand for the same, or a cell cannot be read.
    """
    path = Path(path)
    readings = sheets.read_readings(path)
    if (reading := find_own(readings, path)) is None:
        raise no_own_columns(readings, path)
    sheet = _name_columns(sheets.as_sheet(reading, readings, OWN_COLUMNS, path), columns)
    if "adc_divisor" in sheet:
        sheet["adc_divisor"] = sheets.with_decimal_points(sheet, "adc_divisor")
    codes = sheet.get("idh", pd.Series(dtype=str)).str.replace(r"[.,]0+$", "", regex=True)
    if {"1", "2"} <= set(codes) and "0" not in set(codes):  # a 1 could stand for either status
        twos, advice = sheet.index[codes == "2"], "1 and 2 do not say which is which: write mutant and wildtype."
        raise cell_error(sheet, twos[0], "idh", "IDH as mutant and wildtype, or as 1 and 0", advice, len(twos) - 1)
    for column in [column for column in PARSERS if column in sheet]:
        sheet[column] = parse_column(sheet, column, PARSERS[column], column in keep_unreadable)
    for column in [column for column in ("subject", "patient") if column in sheet]:
        _check_ids(sheet, column)
    return sheet


def no_own_columns(readings: list[Reading], path: Path) -> InputError:
    """The error of a sheet in which no column can be `subject` or `idh`: what it has, and what may be meant."""
    best = max(readings, key=lambda each: len(set(OWN_COLUMNS) & set(map(meaning_of, each.header))))
    missing = [column for column in OWN_COLUMNS if column not in map(meaning_of, best.header)]
    meant = [f"{name} to {column}" for column in missing for name in best.header if column in could_be(name)]
    advice = "Name the columns of ids and of IDH status subject and idh; the first row that is not empty is the header."
    if meant:
        advice = f"Rename the column, if it is meant: {', or '.join(meant[:MOST_LISTED])}."
    return InputError(f"the columns {' and '.join(missing)}", describe_readings(readings), advice, path)


def _name_columns(sheet: pd.DataFrame, columns) -> pd.DataFrame:
    """The columns of a sheet that are of use, named and in the order of the cohort table; the others are listed."""
    found: dict = {}
    others: list = []
    for position, name in enumerate(sheet.columns):
        column, filled = meaning_of(name), sheet.iloc[:, position][lambda values: values != ""]
        of_paths = any(_PATH.fullmatch(cells.without_quotes(c)) for c in filled.head(100) if not cells.is_unknown(c))
        if column in PATHS and name != column and not of_paths:
            column = ""
        if column in columns:
            found.setdefault(column, []).append(position)
        elif not column and not WRITTEN.fullmatch(name) and len(filled):
            others.append(suggested(name, of_paths) if name else f"column {position + 1}, without a name")
        elif column and len(filled):
            others.append(f"{name} (read from a table given to --cohort alone)")
    chosen = {}
    for column, positions in found.items():
        filled = [position for position in positions if (sheet.iloc[:, position] != "").any()] or positions[:1]
        if len(filled) > 1:
            names = " and ".join(sheet.columns[position] for position in filled)
            stand = f"{names}, which stand for the same, {column}"
            raise InputError("each column once", stand, "Remove or rename one.", sheet.attrs["file"])
        chosen[column] = filled[0]
    if others:
        others = sorted(others, key=lambda text: not text.endswith(")"))
        more = f"; and {len(others) - MOST_LISTED} more" if len(others) > MOST_LISTED else ""
        text = f"{sheet.attrs['file']}: columns that are not read: {'; '.join(others[:MOST_LISTED])}{more}."
        sheets.say_once(f"{text} Rename a column that should be.")
    named = pd.DataFrame({column: sheet.iloc[:, chosen[column]] for column in COLUMNS if column in chosen})
    named.attrs = sheet.attrs | {"headers": {column: sheet.columns[position] for column, position in chosen.items()}}
    return named


def _check_ids(sheet: pd.DataFrame, column: str) -> None:
    """No ids may have become numbers or dates, or lost zeros; all may be dates, if somebody may have written them."""
    ids = sheet[column][sheet[column] != ""]
    dates = ids[ids.map(cells.looks_like_a_date).astype(bool)]
    if len(dates) == len(ids):
        dates = dates[dates.map(cells.is_a_date).astype(bool)]
    if len(dates):
        advice = "A spreadsheet has turned the id into a date: format the column as text and write the ids anew."
        advice += " An id that is meant to be one must be written in another way."
        raise cell_error(sheet, dates.index[0], column, "an id", advice, len(dates) - 1)
    first: dict = {}
    for row, cell in zip(sheet.index.tolist(), sheet[column].tolist(), strict=True):
        if cells.looks_like_a_number(cell):
            advice = "A spreadsheet has turned the id into a number: keep the column as text."
            raise cell_error(sheet, row, column, "an id", advice)
        if cell.isdecimal() and first.setdefault(int(cell), (row, cell))[1] != cell:
            there, other = first[int(cell)]
            expected = f"ids that differ in more than zeros: row {there} has {other!r}"
            advice = "A spreadsheet has taken the zeros of one of them away: keep the column as text."
            raise cell_error(sheet, row, column, expected, advice)
