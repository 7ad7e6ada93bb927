"""Label sheets as downloaded (CSV, TSV or XLSX): every cell as text, and what the many spellings in them mean."""

import csv
import re
import zipfile
from pathlib import Path

import pandas as pd

from glioma_idh.errors import InputError

UNKNOWN = frozenset(
    {
        "",
        "-",
        "-1",
        "-1.0",
        ".",
        "?",
        "[discrepancy]",
        "[not applicable]",
        "[not available]",
        "[not evaluated]",
        "[unknown]",
        "indeterminate",
        "missing",
        "n/a",
        "na",
        "nan",
        "nec",
        "none",
        "nos",
        "nos/nec",
        "not applicable",
        "not available",
        "not determined",
        "not tested",
        "null",
        "unk",
        "unknown",
    }
)
_WILD_TYPE = re.compile(r"0|0\.0|(idh[12]?)?(wildtype|wt)")
_MUTANT = re.compile(r"1|1\.0|(idh[12]?)?(mutant|mutated|mut)(\(nos\))?")
_CHANGE = re.compile(r"IDH[12][ :-]*(?:p\.)?(?P<was>[A-Z]|[A-Z][a-z]{2})(?P<place>\d+)(?P<now>[A-Z]|[A-Z][a-z]{2})")
_CODELETED = re.compile(r"1|1\.0|codel(eted|etion)?")
_INTACT = re.compile(r"0|0\.0|intact|no[nt]codel(eted)?")
_AGE = re.compile(r"[<>]?(\d{1,3}(\.\d+)?)\+?")
_NUMBER = re.compile(r"\d+\.0+|\d+(\.\d+)?[eE]\+?\d+")


def read_sheet(path, required=()) -> pd.DataFrame:
    """Read a sheet, every cell as text without spaces around it.

    Args:
        path: `.csv`, `.tsv`, `.txt` (UTF-8, with or without a byte-order mark) or `.xlsx` (its first sheet).
        required: columns that must be there.

    Returns:
        The sheet, indexed by line number in the file (the first row below the header is 2), empty rows left out; the
        path is kept in `attrs["file"]`.

    Raises:
        InputError: it is missing, of another encoding or kind, has a row of another length than its header or a column
            twice, or lacks a required column or any row.
    """
    path = Path(path)
    try:
        sheet = _read_cells(path)
    except UnicodeDecodeError as error:
        advice, found = "Save the sheet again as 'CSV UTF-8'.", f"byte 0x{error.object[error.start]:02x}"
        if error.object.startswith(b"PK"):
            advice, found = "Name it .xlsx.", "an Excel file"
        raise InputError("text in UTF-8", found, advice, path) from error
    except InputError:
        raise
    except (OSError, ValueError, KeyError, ImportError, csv.Error, zipfile.BadZipFile) as error:
        found = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}".strip(": ")
        raise InputError("a sheet in CSV (UTF-8), TSV or XLSX", found, "Download or export it again.", path) from error
    _check_columns(sheet, required, path)
    if sheet.empty:
        raise InputError("a row a subject", "no rows", "Name the sheet as downloaded.", path)
    sheet.attrs["file"] = str(path)
    return sheet


def _read_cells(path: Path) -> pd.DataFrame:
    """Every row that is not empty, indexed by its line, cells without spaces around them."""
    if path.suffix.lower() in (".xlsx", ".xls"):
        cells = pd.read_excel(path, dtype=str, keep_default_na=False, header=None)
        rows = dict(enumerate(cells.to_numpy(dtype=str).tolist(), start=1))
    else:
        separator = "\t" if path.suffix.lower() in (".tsv", ".txt") else ","
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=separator, strict=True)
            rows = dict((reader.line_num, row) for row in reader)
    rows = {line: [cell.strip() for cell in row] for line, row in rows.items() if any(cell.strip() for cell in row)}
    if not rows:
        raise ValueError("nothing in it")
    header = rows.pop(next(iter(rows)))
    for line, row in rows.items():
        if len(row) != len(header):
            found = f"{len(row)} in line {line}"
            raise InputError(f"{len(header)} cells a row, as in the header", found, "Correct the line.", path)
    return pd.DataFrame(rows.values(), index=list(rows), columns=header, dtype=str)


def _check_columns(sheet: pd.DataFrame, required, path: Path) -> None:
    """Each column once, and the required ones."""
    columns = ", ".join(column for column in sheet.columns if column)
    twice = sheet.columns[sheet.columns.duplicated() & (sheet.columns != "")]
    if len(twice):
        raise InputError("each column once", f"{twice[0]} twice", "Remove or rename one.", path)
    missing = [column for column in required if column not in sheet.columns]
    if missing:
        advice = "Name the sheet as downloaded, with its header."
        if len(sheet.columns) == 1 and ";" in sheet.columns[0]:
            advice = "Its cells are divided by semicolons: save it again with commas."
        raise InputError(f"the columns {' and '.join(missing)}", f"columns {columns}", advice, path)


def cell_error(sheet: pd.DataFrame, row: int, column: str, expected: str, advice: str) -> InputError:
    """The error of one cell: it names file, row and column."""
    found = f"{sheet.at[row, column]!r} in row {row}, column {column}"
    return InputError(expected, found, advice, sheet.attrs.get("file", ""))


def parse_ids(sheet: pd.DataFrame, column: str, pattern: str, example: str) -> pd.Series:
    """The ids of a column, each of which must have the form of the cohort's ids and stand there once.

    Raises:
        InputError: one has another form (a spreadsheet may have turned it into a number), or stands there twice.
    """
    ids = sheet[column]
    strange = ids.index[~ids.str.fullmatch(pattern)]
    if len(strange):
        advice = "Use the sheet as downloaded."
        if looks_like_a_number(ids[strange[0]]) or ids[strange[0]].isdigit():
            advice = "A spreadsheet has turned the id into a number: use the sheet as downloaded."
        raise cell_error(sheet, strange[0], column, f"an id such as {example}", advice)
    twice = ids.index[ids.duplicated()]
    if len(twice):
        first = ids.index[ids == ids[twice[0]]][0]
        raise cell_error(sheet, twice[0], column, f"an id that row {first} does not have already", "Remove one row.")
    return ids


def parse_column(sheet: pd.DataFrame, column: str, parse) -> pd.Series:
    """Each cell of a column as one of the functions below reads it.

    Raises:
        InputError: a cell cannot be read; it names row and column.
    """

    def parsed(row: int) -> str:
        try:
            return parse(sheet.at[row, column])
        except ValueError as error:
            raise cell_error(sheet, row, column, str(error), "Correct the cell, or leave it empty.") from error

    return pd.Series([parsed(row) for row in sheet.index], sheet.index, dtype=str)


def looks_like_a_number(cell: str) -> bool:
    """Whether an id was one before a spreadsheet made a number of it: `12.0`, `1.2E+05`."""
    return bool(_NUMBER.fullmatch(cell))


def is_unknown(cell: str) -> bool:
    """Whether a cell says in one of the usual spellings that something is not known."""
    return cell.strip().lower() in UNKNOWN


def parse_idh(cell: str) -> str:
    """`1` for mutant, `0` for wild-type, empty for unknown, from the spellings of the public sheets.

    Raises:
        ValueError: it is none of them; nothing is guessed.
    """
    word = re.sub(r"[\s_-]+", "", cell.lower())
    if is_unknown(cell):
        return ""
    if _WILD_TYPE.fullmatch(word):
        return "0"
    change = _CHANGE.fullmatch(cell.strip())
    if _MUTANT.fullmatch(word) or (change and change["was"] != change["now"]):
        return "1"
    raise ValueError("IDH as 0, 1, wildtype, mutant, a change such as IDH1 p.R132H, or empty")


def parse_sex(cell: str) -> str:
    """`F`, `M` or empty.

    Raises:
        ValueError: neither, nor unknown.
    """
    if is_unknown(cell):
        return ""
    if cell.lower() in ("f", "female", "w", "m", "male"):
        return "M" if cell.lower() in ("m", "male") else "F"
    raise ValueError("sex as F or M, or empty")


def parse_codeletion(cell: str) -> str:
    """1p/19q: `codeleted`, `intact`, or empty for unknown.

    Raises:
        ValueError: none of them.
    """
    word = re.sub(r"[\s_-]+", "", cell.lower())
    if is_unknown(cell):
        return ""
    if _CODELETED.fullmatch(word) or _INTACT.fullmatch(word):
        return "codeleted" if _CODELETED.fullmatch(word) else "intact"
    raise ValueError("1p/19q as codeleted or intact, or empty")


def parse_mgmt(cell: str) -> str:
    """MGMT promoter: `methylated`, `unmethylated`, or empty for unknown or indeterminate.

    Raises:
        ValueError: none of them.
    """
    if is_unknown(cell):
        return ""
    if cell.lower() in ("methylated", "positive", "1", "1.0", "unmethylated", "negative", "0", "0.0"):
        return "methylated" if cell.lower() in ("methylated", "positive", "1", "1.0") else "unmethylated"
    raise ValueError("MGMT as methylated or unmethylated, or empty")


def parse_grade(cell: str) -> str:
    """A grade as it stands, `4.0` as 4, unknown as empty."""
    return "" if is_unknown(cell) else cell.removesuffix(".0")


def parse_age(cell: str) -> str:
    """Years as text, as the sheet has them (`>89` and `90+` become 89 and 90), or empty.

    Raises:
        ValueError: neither a number nor unknown.
    """
    if is_unknown(cell):
        return ""
    match = _AGE.fullmatch(cell)
    if not match:
        raise ValueError("an age in years, or empty")
    return match[1]
