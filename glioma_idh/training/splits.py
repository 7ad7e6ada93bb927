"""The training and test set of each split, and training several splits in parallel."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from joblib import delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from glioma_idh import cohorts
from glioma_idh.errors import InputError
from glioma_idh.parallel import run_parallel
from glioma_idh.training.cohort import require_labelled


def make_splits(recipe: Any, table: pd.DataFrame) -> pd.DataFrame:
    """Make the splits table: `subject, repeat, split, part`, where part is "train" or "test".

    Subjects without IDH status are only trained on, and only in splits that do not test another visit of the patient.
    """
    require_labelled(table, [], len(table))  # labelled subjects may have been excluded in the meantime
    labelled = table[table["idh"].notna()].astype({"idh": int})
    seed = recipe.seed if recipe.split_seed is None else recipe.split_seed
    sizes = recipe.num_splits, seed, recipe.test_fraction, recipe.min_test_mutants
    splits = cohorts.split(labelled, recipe.splits, *sizes)
    unlabelled = table[table["idh"].isna()]
    patients, rows = table.set_index("subject")["patient"], [splits]
    for (repeat, number), split in splits.groupby(["repeat", "split"]):
        tested = patients[split["subject"][split["part"] == "test"]]
        free = unlabelled["subject"][~unlabelled["patient"].isin(tested)]
        rows.append(pd.DataFrame({"subject": free, "repeat": repeat, "split": number, "part": "train"}))
    return pd.concat(rows, ignore_index=True) if len(unlabelled) else splits


def train_splits(train_split: Callable, recipe: Any, folder: Path, jobs: int, quiet: bool, label: str = "") -> None:
    """Train every split of a run; `train_split` skips those that are done. `label` starts every printed line."""
    calls = [(recipe, folder, index, quiet) for index in range(recipe.num_splits)]
    try:
        for done, index in enumerate(run_calls(train_split, calls, jobs), start=1):
            if not quiet and not sys.stderr.isatty():
                print(f"{label}split {index + 1} trained ({done} of {recipe.num_splits})", flush=True)
    finally:
        if not quiet and sys.stderr.isatty():
            print("\n" * recipe.num_splits, file=sys.stderr)  # move the cursor below the bars


def run_calls(train: Callable, calls: list[tuple], jobs: int) -> Iterator:
    """Yield the results of `train(*call)` as they finish, in `jobs` processes."""
    try:
        yield from run_parallel((delayed(train)(*call) for call in calls), jobs, ordered=False)
    except TerminatedWorkerError as error:
        found = "one that the operating system ended, usually for lack of memory"
        advice = "Run the same command again with --jobs 1: finished splits are kept."
        raise InputError("every training process to finish", found, advice) from error
