"""Read a user's own label sheet or cohort table: recognise its columns and parse its cells."""

import re
from collections.abc import Collection
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
    """Return the reading (page or separator) with the columns `subject` and `idh`, or synonyms; None if there is none.

    InputError if several readings have them.
    """
    for meaning in (str, meaning_of):
        if any(set(OWN_COLUMNS) <= set(map(meaning, reading.header)) for reading in readings):
            return choose_reading(readings, OWN_COLUMNS, path, "", meaning)
    return None


def read_own_table(
    path: str | Path, columns: Collection[str] = COLUMNS, keep_unreadable: Collection[str] = ()
) -> pd.DataFrame:
    """Read a label sheet or a cohort table, with the columns renamed and the cells parsed.

    Columns may have the synonyms of `column_names`. Other columns are logged.

    Args:
        path: the file (CSV, TSV or XLSX).
        columns: names of the columns to read.
        keep_unreadable: columns in which a cell that cannot be read is kept instead of raising an error.

    Returns:
        The table as from `read_sheet`; `attrs["headers"]` contains the column names in the file.

    Raises:
        InputError: the errors of `read_sheet`; no column means `subject` or `idh`; two columns have the same meaning;
            or a cell cannot be read.
    """
    path = Path(path)
    readings = sheets.read_readings(path)
    if (reading := find_own(readings, path)) is None:
        raise no_own_columns(readings, path)
    sheet = _name_columns(sheets.as_sheet(reading, readings, OWN_COLUMNS, path), columns)
    if "adc_divisor" in sheet:
        sheet["adc_divisor"] = sheets.with_decimal_points(sheet, "adc_divisor")
    codes = sheet.get("idh", pd.Series(dtype=str)).str.replace(r"[.,]0+$", "", regex=True)
    if {"1", "2"} <= set(codes) and "0" not in set(codes):  # 1 could mean either status
        twos, advice = sheet.index[codes == "2"], "1 and 2 are ambiguous: write mutant and wildtype."
        raise cell_error(sheet, twos[0], "idh", "IDH as mutant and wildtype, or as 1 and 0", advice, len(twos) - 1)
    for column in [column for column in PARSERS if column in sheet]:
        sheet[column] = parse_column(sheet, column, PARSERS[column], column in keep_unreadable)
    for column in [column for column in ("subject", "patient") if column in sheet]:
        _check_ids(sheet, column)
    return sheet


def no_own_columns(readings: list[Reading], path: Path) -> InputError:
    """Return the error for a sheet without `subject` or `idh`: its columns, and those that may be meant."""
    best = max(readings, key=lambda each: len(set(OWN_COLUMNS) & set(map(meaning_of, each.header))))
    missing = [column for column in OWN_COLUMNS if column not in map(meaning_of, best.header)]
    meant = [f"{name} to {column}" for column in missing for name in best.header if column in could_be(name)]
    advice = "Name the column of ids subject and that of IDH status idh; the first row that is not empty is the header."
    if meant:
        advice = f"Rename a column if this is what it means: {', or '.join(meant[:MOST_LISTED])}."
    return InputError(f"the columns {' and '.join(missing)}", describe_readings(readings), advice, path)


def _name_columns(sheet: pd.DataFrame, columns: Collection[str]) -> pd.DataFrame:
    """Return the columns to read, renamed and in the order of the cohort table; log the others."""
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
            others.append(f"{name} (read only from a table given to --cohort)")
    chosen = {}
    for column, positions in found.items():
        filled = [position for position in positions if (sheet.iloc[:, position] != "").any()] or positions[:1]
        if len(filled) > 1:
            names = " and ".join(sheet.columns[position] for position in filled)
            same = f"{names}, which both mean {column}"
            raise InputError("each column once", same, "Remove or rename one.", sheet.attrs["file"])
        chosen[column] = filled[0]
    if others:
        others = sorted(others, key=lambda text: not text.endswith(")"))
        more = f"; and {len(others) - MOST_LISTED} more" if len(others) > MOST_LISTED else ""
        text = f"{sheet.attrs['file']}: ignored columns: {'; '.join(others[:MOST_LISTED])}{more}."
        sheets.say_once(f"{text} Rename a column that should be read.")
    named = pd.DataFrame({column: sheet.iloc[:, chosen[column]] for column in COLUMNS if column in chosen})
    named.attrs = sheet.attrs | {"headers": {column: sheet.columns[position] for column, position in chosen.items()}}
    return named


def _check_ids(sheet: pd.DataFrame, column: str) -> None:
    """Raise InputError for ids that a spreadsheet program has converted to numbers or dates, or stripped of zeros.

    Ids in a date format that people also write are accepted if all ids are dates.
    """
    ids = sheet[column][sheet[column] != ""]
    dates = ids[ids.map(cells.looks_like_a_date).astype(bool)]
    if len(dates) == len(ids):
        dates = dates[dates.map(cells.is_a_date).astype(bool)]
    if len(dates):
        advice = "A spreadsheet program has converted the id to a date: format the column as text and enter the ids"
        advice += " again. If the id really is a date, write it in another format."
        raise cell_error(sheet, dates.index[0], column, "an id", advice, len(dates) - 1)
    first: dict = {}
    for row, cell in zip(sheet.index.tolist(), sheet[column].tolist(), strict=True):
        if cells.looks_like_a_number(cell):
            advice = "A spreadsheet program has converted the id to a number: format the column as text."
            raise cell_error(sheet, row, column, "an id", advice)
        if cell.isdecimal() and first.setdefault(int(cell), (row, cell))[1] != cell:
            there, other = first[int(cell)]
            expected = f"ids that differ in more than leading zeros (row {there} has {other!r})"
            advice = "A spreadsheet program has removed the leading zeros of one of them: format the column as text."
            raise cell_error(sheet, row, column, expected, advice)
