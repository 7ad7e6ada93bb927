"""Predictions tables of other programs and of spreadsheets, read as those of a run."""

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
    """Refuse two rows of a subject that no column tells apart; the table is indexed by its rows in the file."""
    test = ["subject", *(column for column in ("repeat", "split", "fold") if column in table)]
    named = table[table["subject"] != ""]
    twice = named[named.duplicated(test, keep=False)]
    if twice.empty:
        return
    rows = next(rows for _, rows in twice.groupby(test, sort=False, dropna=False))
    where = "".join(f", {column} {rows[column].iloc[0]}" for column in test[1:])
    found = f"rows {rows.index[0]} and {rows.index[1]} of one subject, {rows['subject'].iloc[0]}{where}"
    advice = "Average its scores, or add a column split." if not where else f"Remove one, or correct its {test[-1]}."
    if rows["truth"].nunique() > 1:
        advice = f"Their truths are {' and '.join(map(str, rows['truth'].unique()))}: find out which is right. {advice}"
    raise InputError("each subject once" + (" in a split" if where else ""), found, advice, file)


def _meaning(name: str) -> str:
    """The column of a predictions table that a name stands for; empty if none."""
    if name in READ:
        return name
    column = meaning_of(name)
    return "truth" if column == "idh" else column if column in READ else ""


def _named(sheet: pd.DataFrame) -> pd.DataFrame:
    """A sheet with the names of a predictions table; a name of its own goes before another that stands for it."""
    meant = {name: _meaning(name) for name in sheet if name not in READ}
    renamed = {name: column for name, column in meant.items() if column and column not in sheet}
    for column in set(renamed.values()):
        names = [name for name, stands_for in renamed.items() if stands_for == column]
        if len(names) > 1:
            found = f"{' and '.join(names)}, which stand for the same, {column}"
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
    """A predictions table that another program may have made: `subject, truth, score`, and more where there is more.

    Columns of the predictions table and of the cohort table are used as such: `patient, repeat, split, dice`; `grade,
    site, sex, age_years, lesion_ml`. They may have the names that cohort tables may have; `truth` those of `idh`. Says
    which were read by such a name, which were not read, and where subjects without a patient look like rows of fewer.

    InputError: the file cannot be read, two columns stand for the same, a number can be read in two ways, a subject
    stands there twice, or the table cannot be used; it names the row's subject.
    """
    file = Path(file)
    if not file.exists():
        raise InputError("a table", "no such file", "Look at the path.", file=file)
    if file.is_dir():
        advice = "Name its predictions.csv, or, of a run, its folder without --predictions."
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
    """That subjects may be several rows of one patient each, from what `evaluation.checks.numbered_names` gives."""
    return (
        f"The {names['num_subjects']} subjects are {names['num_names']} names with numbers behind "
        f"({names['example']} ...): if they are rows of {names['num_names']} patients, name a column patient or "
        "average them: intervals are else too narrow."
    )
