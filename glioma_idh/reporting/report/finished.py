"""What a report is made of: a finished run, or a predictions table alone, and every number about it."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from glioma_idh import runs
from glioma_idh.errors import InputError
from glioma_idh.evaluation.checks import complete, splits_of
from glioma_idh.evaluation.metrics import summarise
from glioma_idh.evaluation.worth import worth
from glioma_idh.reporting.canvas import display_name
from glioma_idh.reporting.printed import SGPNET, SLICE_CNN, TABLE_ALONE, Printed

PRINTED = {"gbm2d": SLICE_CNN, "sgp3d": SGPNET}


@dataclass(frozen=True)
class Finished:
    """A finished run, or a predictions table alone.

    Attributes:
        name: of the network, the sequence or the file.
        recipe: content of `recipe.json`, with what the trainings took; empty for a table alone.
        cohort: cohort table of those used.
        exclusions: who was not used and why; without rows for a table alone.
        splits: `subject, repeat, fold, part`.
        predictions: predictions table.
        metrics: content of `metrics.json`.
        worth: what `evaluation.worth.worth` gives.
        folder: of the run; None for a table alone.
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
    recipe = runs.read_json(folder / "recipe.json") | runs.read_costs(folder)
    if not (folder / "metrics.json").exists():
        advice = "Let the training end first: the same command goes on where it stopped."
        raise InputError("a finished run", "no metrics.json", advice, file=folder)
    metrics = runs.read_json(folder / "metrics.json")
    names = ("cohort", "exclusions", "splits", "predictions")
    tables = {name: runs.read_table(folder / f"{name}.csv") for name in names}
    numbers = _numbers(folder / "predictions.csv", tables["predictions"], tables["cohort"], tables["splits"])
    return Finished(display_name(metrics["sequence"]), recipe, **tables, metrics=metrics, worth=numbers, folder=folder)


def read_predictions(file: Path) -> Finished:
    """A predictions table that another program may have made: `subject, truth, score`, and more where there is more.

    Columns of the predictions table and of the cohort table are used as such: `patient, repeat, fold, dice`; `grade,
    site, sex, age_years, lesion_ml`.

    Raises:
        InputError: the file cannot be read, or the table cannot be used; it names the row's subject.
    """
    try:
        table = runs.read_table(file)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        advice = "Name a CSV with the columns subject, truth and score."
        raise InputError("a predictions table", f"{type(error).__name__}", advice, file=file) from error
    numbers = _numbers(file, table)
    predictions, _ = complete(table)
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
        raise InputError(expected, found, "Mend the table.", file=file) from error
