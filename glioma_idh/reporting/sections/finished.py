"""What a report is made of: a finished run, or a predictions table alone, and every number about it."""

import io
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from glioma_idh import runs
from glioma_idh.cohorts.cells import parse_idh
from glioma_idh.cohorts.column_names import COLUMNS, PATHS, meaning_of
from glioma_idh.cohorts.readings import choose_reading
from glioma_idh.cohorts.sheets import as_sheet, parse_column, read_readings, say_once, with_decimal_points
from glioma_idh.errors import InputError
from glioma_idh.evaluation.checks import MEASURED, complete, numbered_names
from glioma_idh.evaluation.crossfitting import splits_of
from glioma_idh.evaluation.metrics import summarise
from glioma_idh.evaluation.worth import worth
from glioma_idh.reporting.figures.canvas import display_name
from glioma_idh.reporting.names import SGPNET, SLICE_CNN, TABLE_ALONE, Printed
from glioma_idh.reporting.text.cautions import rows_of_patients

TABLE_ADVICE = (
    "Needed are the columns subject, truth (1 IDH-mutant, 0 IDH-wild-type) and score (probability of mutation, 0 to 1)."
)
NUMBERS = ("truth", "score", "repeat", "split", "fold", "age_years", *MEASURED)
NEEDED = ("subject", "truth")
READ = ({*COLUMNS, *NUMBERS} | {"score"}) - {*PATHS, "idh", "adc_divisor"}
PRINTED = {"gbm2d": SLICE_CNN, "sgp3d": SGPNET}


@dataclass(frozen=True)
class Finished:
    """A finished run, or a predictions table alone.

    Attributes:
        name: of the network, the sequence or the file.
        recipe: content of `recipe.json`, with what the trainings took; empty for a table alone.
        cohort: cohort table of those used.
        exclusions: who was not used and why; without rows for a table alone.
        splits: `subject, repeat, split, part`.
        predictions: predictions table.
        metrics: content of `metrics.json`.
        worth: what `evaluation.worth.worth` gives; of a table alone also `numbered_names`.
        folder: of the run; None for a table alone.
        members: the runs of several seeds that this one stands for.
    """

    name: str
    recipe: dict
    cohort: pd.DataFrame
    exclusions: pd.DataFrame
    splits: pd.DataFrame
    predictions: pd.DataFrame
    metrics: dict
    worth: dict
    folder: Path | None = None
    members: tuple["Finished", ...] = ()

    @property
    def synthetic(self) -> bool:
        """Whether the subjects are phantoms."""
        return self.metrics["synthetic"]

    @property
    def printed(self) -> Printed:
        """What the run's paper prints."""
        return PRINTED.get(self.recipe.get("recipe", {}).get("paper"), TABLE_ALONE)

    @property
    def scored(self) -> bool:
        """Whether there are scores of the genotype, and not of a segmentation alone."""
        return "auc" in self.metrics["pooled"]


def read_finished(folder: Path) -> Finished:
    """A finished run out of its folder.

    Raises:
        InputError: the folder holds no finished run, or a table of it cannot be used.
    """
    recipe = _read_recipe(folder) | runs.read_costs(folder)
    if not (folder / "metrics.json").exists():
        advice = "Let the training end first: the same command goes on where it stopped."
        raise InputError("a finished run", "no metrics.json", advice, file=folder)
    kept = runs.read_json(folder / "metrics.json")
    tables = {name: _read_table(folder / f"{name}.csv") for name in ("cohort", "exclusions", "splits", "predictions")}
    numbers = _numbers(folder, tables["predictions"], tables["cohort"], tables["splits"])
    planted = None
    if (folder / "planted.csv").exists():
        planted = _read_table(folder / "planted.csv").set_index("subject")["score"]
    name, synthetic = kept.get("sequence", folder.name), bool((tables["cohort"]["cohort"] == "phantom").any())
    metrics = {"sequence": name, "synthetic": synthetic, **summarise(tables["predictions"], planted)}
    return Finished(display_name(name), recipe, **tables, metrics=metrics, worth=numbers, folder=folder)


def _read_recipe(folder: Path) -> dict:
    """The recipe of one of the two papers' runs.

    Raises:
        InputError: it is none, or of another version.
    """
    recipe = runs.read_recipe(folder)
    if recipe["recipe"].get("paper") not in PRINTED:
        advice, file = "Name a folder that a training command made.", folder / "recipe.json"
        raise InputError(f"a recipe of {' or '.join(PRINTED)}", "something else", advice, file=file)
    return recipe


def _read_table(file: Path) -> pd.DataFrame:
    """A table of a run.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return runs.read_table(file)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        found = f"what cannot be read as one ({type(error).__name__})"
        raise InputError("a CSV, UTF-8, separated by commas", found, TABLE_ADVICE, file=file) from error


def _read_foreign_table(file: Path) -> pd.DataFrame:
    """A predictions table of another program or a spreadsheet, as `runs.read_table` gives those of a run.

    Columns may have the names that cohort tables may have; `truth` those of `idh`. Says which were read by such a name,
    and which were not read.

    Raises:
        InputError: it cannot be read, two columns stand for the same, a number in it can be read in two ways, or a
            subject stands there twice.
    """
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
    table = runs.read_table(io.StringIO(sheet.to_csv(index=False)))
    _check_once(table.set_axis(sheet.index), file)
    return table


def _check_once(table: pd.DataFrame, file: Path) -> None:
    """A subject may stand in several rows only where a column tells its tests apart.

    Args:
        table: predictions table, indexed by its rows in the file.
        file: that it was read from.

    Raises:
        InputError: two rows are the same test of a subject; it names them.
    """
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
    """A sheet with the names of a predictions table; a name of its own goes before another that stands for it.

    Raises:
        InputError: two others stand for the same, or an IDH status cannot be read.
    """
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


def read_predictions(file: Path) -> Finished:
    """A predictions table that another program may have made: `subject, truth, score`, and more where there is more.

    Columns of the predictions table and of the cohort table are used as such: `patient, repeat, split, dice`; `grade,
    site, sex, age_years, lesion_ml`. Says where subjects without a patient look like rows of fewer patients.

    Raises:
        InputError: the file cannot be read, or the table cannot be used; it names the row's subject.
    """
    table = _read_foreign_table(file)
    numbers = _numbers(file, table)
    predictions, _ = complete(table)
    unnamed = predictions[table["patient"] == ""] if "patient" in table else predictions
    numbers["numbered_names"] = numbered_names(unnamed)
    if numbers["numbered_names"]:
        say_once(f"{file}: {rows_of_patients(numbers['numbered_names'])}")
    splits, cohort = splits_of(predictions), predictions.drop_duplicates("subject").rename(columns={"truth": "idh"})
    metrics = {"sequence": file.stem, "synthetic": bool((cohort["cohort"] == "phantom").any())}
    exclusions = pd.DataFrame(columns=["subject", "file", "expected", "found", "advice"])
    metrics |= summarise(predictions)
    return Finished(file.stem, {}, cohort, exclusions, splits, predictions, metrics, numbers)


def _numbers(file: Path, *tables: pd.DataFrame) -> dict:
    """Every number about a table.

    Raises:
        InputError: the table cannot be used.
    """
    try:
        return worth(*tables)
    except ValueError as error:
        expected, _, found = str(error).removeprefix("expected ").partition("; found ")
        advice = (
            TABLE_ADVICE if file.is_file() else "Its predictions.csv, cohort.csv and splits.csv must be of one run."
        )
        raise InputError(expected, found, advice, file=file) from error
