"""Read predictions tables of other programs and of spreadsheets like those of a run."""

import io
from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.cells import parse_idh
from glioma_idh.cohorts.column_names import COLUMNS, PATHS, meaning_of
from glioma_idh.cohorts.sheet_files import choose_reading
from glioma_idh.cohorts.sheets import as_sheet, parse_column, read_readings, say_once, with_decimal_points
from glioma_idh.cohorts.table import exclusions_table
from glioma_idh.errors import InputError
from glioma_idh.evaluation.checks import MEASURED, complete, numbered_names
from glioma_idh.evaluation.crossfitting import splits_of
from glioma_idh.runs import folder as files
from glioma_idh.runs.run import TABLE_ADVICE, Run, unusable_tables

NUMBERS = ("truth", "score", "repeat", "split", "fold", "age_years", *MEASURED)
NEEDED = ("subject", "truth")
READ = ({*COLUMNS, *NUMBERS} | {"score"}) - {*PATHS, "idh", "adc_divisor"}


def _check_once(table: pd.DataFrame, file: Path) -> None:
    """Raise an InputError if two rows of a subject are in the same split; the index holds row numbers of the file."""
    test = ["subject", *(column for column in ("repeat", "split", "fold") if column in table)]
    named = table[table["subject"] != ""]
    twice = named[named.duplicated(test, keep=False)]
    if twice.empty:
        return
    rows = next(rows for _, rows in twice.groupby(test, sort=False, dropna=False))
    where = "".join(f", {column} {rows[column].iloc[0]}" for column in test[1:])
    found = f"rows {rows.index[0]} and {rows.index[1]} for the same subject, {rows['subject'].iloc[0]}{where}"
    advice = "Average its scores, or add a column split." if not where else f"Remove one, or correct its {test[-1]}."
    if rows["truth"].nunique() > 1:
        labels = " and ".join(map(str, rows["truth"].unique()))
        advice = f"Their values of truth are {labels}: find out which is right. {advice}"
    raise InputError("each subject once" + (" per split" if where else ""), found, advice, file)


def _meaning(name: str) -> str:
    """Return the column of a predictions table that a name means; empty if none."""
    if name in READ:
        return name
    column = meaning_of(name)
    return "truth" if column == "idh" else column if column in READ else ""


def _named(sheet: pd.DataFrame) -> pd.DataFrame:
    """Rename the columns of a sheet to those of a predictions table; exact names take precedence over synonyms."""
    meant = {name: _meaning(name) for name in sheet if name not in READ}
    renamed = {name: column for name, column in meant.items() if column and column not in sheet}
    for column in set(renamed.values()):
        names = [name for name, stands_for in renamed.items() if stands_for == column]
        if len(names) > 1:
            found = f"{' and '.join(names)}, which all mean {column}"
            raise InputError("each column once", found, "Remove or rename one.", sheet.attrs["file"])
    unread = [name for name in meant if name not in renamed and name]
    said = [f"{name} is read as {column}" for name, column in renamed.items()]
    said += [f"not read: {', '.join(unread)}"] if unread else []
    if said:
        say_once(f"{sheet.attrs['file']}: {'; '.join(said)}.")
    attrs = sheet.attrs | {"headers": {column: name for name, column in renamed.items()}}
    sheet = sheet.rename(columns=renamed)
    sheet.attrs = attrs
    if "truth" in renamed.values():
        sheet["truth"] = parse_column(sheet, "truth", parse_idh)
    return sheet


def read_predictions(file: str | Path) -> Run:
    """Read a predictions table made by any program, as a `Run`. Columns `subject, truth, score` are required.

    Other columns of the predictions and cohort tables are used if present, such as `patient`, `split`, `dice`, `grade`
    and `age_years`. Columns may have the same synonyms as in cohort tables; `truth` those of `idh`. Prints which ones
    were renamed and which were ignored, and warns if several subjects seem to be parts of one patient.

    An InputError names the row or subject: the file cannot be read, two columns mean the same, a number is ambiguous, a
    subject occurs twice in a split, or a value is invalid.
    """
    file = Path(file)
    if not file.exists():
        raise InputError("a table", "no such file", "Check the path.", file=file)
    if file.is_dir():
        advice = "Name the file predictions.csv in it. For a run folder, leave --predictions out."
        raise InputError("a table", "a folder", advice, file=file)
    readings = read_readings(file)
    exact = any(set(NEEDED) <= set(reading.header) for reading in readings)
    reading = choose_reading(readings, NEEDED, file, TABLE_ADVICE, str if exact else _meaning)
    sheet = _named(as_sheet(reading, readings, NEEDED, file))
    for column in [column for column in NUMBERS if column in sheet]:
        sheet[column] = with_decimal_points(sheet, column)
    table = files.read_table(io.StringIO(sheet.to_csv(index=False)))
    _check_once(table.set_axis(sheet.index), file)
    table.attrs = {"file": file}
    try:
        predictions, _ = complete(table)
    except ValueError as error:
        raise unusable_tables(error, TABLE_ADVICE, file) from error
    names = numbered_names(predictions[table["patient"] == ""] if "patient" in table else predictions)
    if names:
        say_once(f"{file}: {rows_of_patients(names)}")
    cohort = predictions.drop_duplicates("subject").rename(columns={"truth": "idh"})
    tables = cohort, exclusions_table([]), splits_of(predictions), predictions
    return Run(None, file.stem, {}, *tables, given=table, remarks={"numbered_names": names})


def rows_of_patients(names: dict) -> str:
    """Warn that subjects may be parts of patients; `names` is the result of `evaluation.checks.numbered_names`."""
    return (
        f"The names of the {names['num_subjects']} subjects are {names['num_names']} names with different numbers "
        f"({names['example']} ...). If these are {names['num_names']} patients with several rows each, add a column "
        "patient or average the scores per patient: otherwise confidence intervals are too narrow."
    )
