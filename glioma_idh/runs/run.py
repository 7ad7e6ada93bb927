"""The object that holds the results of a run, or a predictions table without a run."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from glioma_idh.cohorts.table import SEQUENCE_NAMES
from glioma_idh.errors import InputError
from glioma_idh.evaluation.metrics import summarise
from glioma_idh.evaluation.performance import evaluate
from glioma_idh.papers import TABLE_ALONE, Paper, Printed, find_paper
from glioma_idh.record import reads
from glioma_idh.runs import folder as files
from glioma_idh.runs.networks import load_network, network_files

if TYPE_CHECKING:
    from glioma_idh.quiet_keras import keras

ADVICE = "Its predictions.csv, cohort.csv and splits.csv must be of one run."
UNFINISHED = "Finish the training first: run the same command again, what is done is kept."
TABLE_ADVICE = (
    "Needed are the columns subject, truth (1 IDH-mutant, 0 IDH-wild-type) and score (probability of mutation, 0 to 1)."
)


@dataclass(frozen=True)
class Run:
    """The results of a training, read from its run folder: `Run("runs/gbm2d-rcbv")`.

    `runs.foreign_tables.read_predictions` makes one from a predictions table without a run; it has no folder.
    Performance measures are computed when they are first used.

    Raises:
        InputError: the folder holds no run whose splits are all trained, or one of its tables cannot be used.
    """

    folder: Path | None
    """Run folder; None for a predictions table without a run."""
    name: str = ""
    """Of the network, the sequence or the file, as printed. If empty, all fields below are read from the folder."""
    recipe: dict = field(default_factory=dict, repr=False)
    """Content of `recipe.json`, with the cost of the training; empty for a predictions table without a run."""
    cohort: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    """Cohort table of the subjects used."""
    exclusions: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    """Subjects that were not used, and why; without rows for a predictions table without a run."""
    splits: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    """`subject, repeat, split, part`, where part is "train" or "test"."""
    predictions: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    """One row per subject and test set: `truth` (1 IDH-mutant, 0 wild-type), `score` (probability) and more."""
    planted: pd.Series | None = field(default=None, repr=False)
    """Best possible score by subject, known for the synthetic cohort only."""
    given: pd.DataFrame | None = field(default=None, repr=False)
    """Predictions table without a run, as it was read, with its file in `attrs`; None for a run."""
    remarks: dict = field(default_factory=dict, repr=False)
    """Remarks on a predictions table without a run, which are added to `performance`."""
    members: tuple["Run", ...] = field(default=(), repr=False)
    """The runs of several seeds that this run combines."""

    def __post_init__(self):
        if self.folder is not None and not self.name:
            for name, value in _read_folder(Path(self.folder)).items():
                object.__setattr__(self, name, value)

    @property
    def settings(self) -> dict:
        """All settings that change a result, by name; empty for a predictions table without a run."""
        return self.recipe.get("recipe", {})

    @property
    def paper(self) -> Paper | None:
        """The paper that the run reproduces; None for a predictions table without a run."""
        return find_paper(self.settings)

    @property
    def printed(self) -> Printed:
        """Which results the run's paper prints."""
        return self.paper.printed if self.paper else TABLE_ALONE

    @property
    def synthetic(self) -> bool:
        """Whether subjects are from the built-in synthetic cohort."""
        return is_synthetic(self.cohort)

    @property
    def scored(self) -> bool:
        """Whether the networks predict the genotype; False for segmentation alone."""
        return "auc" in self.metrics["pooled"]

    @cached_property
    def metrics(self) -> dict:
        """Scores of each split, their mean, and scores of all patients pooled: the first part of `metrics.json`."""
        called = self.paper.call(self.settings) if self.paper else self.name
        return {"sequence": called, "synthetic": self.synthetic, **summarise(self.predictions, self.planted)}

    @cached_property
    def performance(self) -> dict:
        """All performance measures with 95 % confidence intervals, as `glioma_idh.evaluation.evaluate` returns them.

        InputError: the tables do not belong together.
        """
        tables = (self.predictions, self.cohort, self.splits) if self.given is None else (self.given,)
        try:
            return evaluate(*tables) | self.remarks
        except ValueError as error:
            if self.given is None:
                raise unusable_tables(error, ADVICE, self.folder) from error
            raise unusable_tables(error, TABLE_ADVICE, self.given.attrs["file"]) from error

    def networks(self) -> list["keras.Model"]:
        """Load the trained network of each split, in the order of `splits.csv`, ready for inference (not compiled).

        InputError: a file cannot be loaded, or there is only a predictions table without a run.
        """
        if self.folder is None:
            advice = "Name the folder of a training: a predictions table has no networks."
            raise InputError("a run with trained networks", f"the table {self.name}", advice)
        return [load_network(file) for file in network_files(self.folder)]

    def report(self, out: str | Path | None = None) -> Path:
        """Write the report, one HTML page with its figures and tables in a folder beside it, and return its path.

        Args:
            out: the page; by default `report.html` in the run folder, or beside the predictions table.

        Raises:
            InputError: the run is not finished, or the page cannot be written there.
        """
        from glioma_idh.reporting.report import write_report, write_table_report  # above this package: loaded here only

        page = None if out is None else Path(out)
        if self.folder is not None:
            return write_report(self.folder, page)
        if self.given is None:
            raise InputError("a run folder, or a table read from a file", "neither", "Read it with read_predictions.")
        return write_table_report(self.given.attrs["file"], page)


def is_synthetic(cohort: pd.DataFrame) -> bool:
    """Whether subjects of a cohort table are from the built-in synthetic cohort ('phantom')."""
    return bool((cohort["cohort"] == "phantom").any())


def require_finished(folder: Path) -> None:
    """Raise an InputError where a folder holds no finished run."""
    files.read_recipe(folder)
    if not (folder / files.METRICS).exists():
        raise InputError("a finished run", f"no {files.METRICS}", UNFINISHED, file=folder)


def unusable_tables(error: ValueError, advice: str, file: Path | None) -> InputError:
    """Turn a ValueError of `evaluation` ("expected ...; found ...") into an InputError that names the file."""
    expected, _, found = str(error).removeprefix("expected ").partition("; found ")
    return InputError(expected, found, advice, file=file or "")


def read_finished_run(folder: Path) -> Run:
    """Read a finished run; InputError if it has no `metrics.json`."""
    require_finished(folder)
    return Run(folder)


def _read_folder(folder: Path) -> dict:
    """Read the fields of a run whose splits are all trained from its folder."""
    reads(folder / files.RECIPE)
    recipe = files.read_recipe(folder) | files.read_costs(folder)
    if (paper := find_paper(recipe["recipe"])) is None:
        advice, file = "Name a folder that a training command made.", folder / files.RECIPE
        raise InputError("a recipe of gbm2d or sgp3d", "something else", advice, file=file)
    if not (folder / files.PREDICTIONS).exists():
        raise InputError("a run whose splits are all trained", f"no {files.PREDICTIONS}", UNFINISHED, file=folder)
    called = paper.call(recipe["recipe"])
    tables = {"cohort": files.COHORT, "exclusions": files.EXCLUSIONS, "splits": files.SPLITS}
    tables = {name: _read(folder / file) for name, file in (tables | {"predictions": files.PREDICTIONS}).items()}
    has_planted = (folder / files.PLANTED).exists()
    planted = _read(folder / files.PLANTED).set_index("subject")["score"] if has_planted else None
    fields = {"folder": folder, "name": SEQUENCE_NAMES.get(called, called), "recipe": recipe, "planted": planted}
    return fields | tables


def _read(file: Path) -> pd.DataFrame:
    """Read a table of a run; InputError if it cannot be read."""
    try:
        return files.read_table(file)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        found = f"what cannot be read as one ({type(error).__name__})"
        raise InputError("a CSV, UTF-8, separated by commas", found, TABLE_ADVICE, file=file) from error
