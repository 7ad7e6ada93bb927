"""The one object that reads a run: finished, begun, or a predictions table alone."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.table import SEQUENCE_NAMES
from glioma_idh.errors import InputError
from glioma_idh.evaluation.metrics import summarise
from glioma_idh.evaluation.performance import evaluate
from glioma_idh.papers import TABLE_ALONE, Paper, Printed, find_paper
from glioma_idh.record import reads
from glioma_idh.runs import folder as files

ADVICE = "Its predictions.csv, cohort.csv and splits.csv must be of one run."
TABLE_ADVICE = (
    "Needed are the columns subject, truth (1 IDH-mutant, 0 IDH-wild-type) and score (probability of mutation, 0 to 1)."
)


@dataclass(frozen=True)
class Run:
    """A run out of its folder, or a predictions table alone; its numbers are computed when they are first asked for."""

    name: str  # of the network, the sequence or the file, in print
    recipe: dict  # content of `recipe.json`, with what the trainings took; empty for a table alone
    cohort: pd.DataFrame  # cohort table of those used
    exclusions: pd.DataFrame  # who was not used and why; without rows for a table alone
    splits: pd.DataFrame  # `subject, repeat, split, part`
    predictions: pd.DataFrame  # predictions table
    planted: pd.Series | None = None  # of phantoms the best possible score by subject
    folder: Path | None = None  # of the run; None for a table alone
    given: pd.DataFrame | None = None  # a table alone as its maker wrote it, its file in `attrs`; None of a run
    remarks: dict = field(default_factory=dict)  # on a table alone, to stand beside the numbers of `performance`
    members: tuple["Run", ...] = ()  # the runs of several seeds that this one stands for

    @property
    def settings(self) -> dict:
        """Every setting that changes a result, by name; empty for a table alone."""
        return self.recipe.get("recipe", {})

    @property
    def paper(self) -> Paper | None:
        """The paper that it reproduces; None for a table alone."""
        return find_paper(self.settings)

    @property
    def printed(self) -> Printed:
        """What the run's paper prints of its results."""
        return self.paper.printed if self.paper else TABLE_ALONE

    @property
    def synthetic(self) -> bool:
        return is_synthetic(self.cohort)

    @property
    def scored(self) -> bool:
        """Whether there are scores of the genotype, and not of a segmentation alone."""
        return "auc" in self.metrics["pooled"]

    @cached_property
    def metrics(self) -> dict:
        """Scores of each split, their mean and those pooled: the first part of `metrics.json`."""
        called = self.paper.call(self.settings) if self.paper else self.name
        return {"sequence": called, "synthetic": self.synthetic, **summarise(self.predictions, self.planted)}

    @cached_property
    def performance(self) -> dict:
        """What `evaluate` gives, and the remarks; an InputError where tables do not go together."""
        alone = self.given is not None
        tables = (self.given,) if alone else (self.predictions, self.cohort, self.splits)
        try:
            return evaluate(*tables) | self.remarks
        except ValueError as error:
            advice, file = (TABLE_ADVICE, self.given.attrs["file"]) if alone else (ADVICE, self.folder)
            raise unusable_tables(error, advice, file) from error


def is_synthetic(cohort: pd.DataFrame) -> bool:
    """Whether subjects of a cohort table are phantoms."""
    return bool((cohort["cohort"] == "phantom").any())


def require_finished(folder: Path) -> None:
    """Raise an InputError where a folder holds no finished run."""
    files.read_recipe(folder)
    if not (folder / files.METRICS).exists():
        advice = "Finish the training first: run the same command again, what is done is kept."
        raise InputError("a finished run", "no metrics.json", advice, file=folder)


def unusable_tables(error: ValueError, advice: str, file: Path) -> InputError:
    """What `evaluation` says of a table, `expected ...; found ...`, as an error of the file."""
    expected, _, found = str(error).removeprefix("expected ").partition("; found ")
    return InputError(expected, found, advice, file=file)


def read_run(folder: Path) -> Run:
    """A run whose splits are all trained, out of its folder; an InputError where there is none, or a bad table."""
    reads(folder / files.RECIPE)
    recipe = files.read_recipe(folder) | files.read_costs(folder)
    if (paper := find_paper(recipe["recipe"])) is None:
        advice, file = "Name a folder that a training command made.", folder / files.RECIPE
        raise InputError("a recipe of gbm2d or sgp3d", "something else", advice, file=file)
    called = paper.call(recipe["recipe"])
    tables = [_read(folder / name) for name in (files.COHORT, files.EXCLUSIONS, files.SPLITS, files.PREDICTIONS)]
    has_planted = (folder / files.PLANTED).exists()
    planted = _read(folder / files.PLANTED).set_index("subject")["score"] if has_planted else None
    return Run(SEQUENCE_NAMES.get(called, called), recipe, *tables, planted, folder)


def read_finished_run(folder: Path) -> Run:
    """As `read_run`, of a finished run."""
    require_finished(folder)
    return read_run(folder)


def _read(file: Path) -> pd.DataFrame:
    """A table of a run, or an InputError where it cannot be read."""
    try:
        return files.read_table(file)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        found = f"what cannot be read as one ({type(error).__name__})"
        raise InputError("a CSV, UTF-8, separated by commas", found, TABLE_ADVICE, file=file) from error
