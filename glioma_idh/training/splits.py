"""Splits: who is trained on and tested in each, and the splits trained side by side."""

import sys
from pathlib import Path

import pandas as pd
from joblib import delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from glioma_idh import cohorts
from glioma_idh.errors import InputError
from glioma_idh.parallel import run_parallel
from glioma_idh.training.cohort import require_labelled


def make_splits(recipe, table):
    """The splits table, as the recipe asks; without a label one only trains where no visit of the patient is tested."""
    require_labelled(table, [], len(table))  # those who were may have been set aside since
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


def train_splits(train_split, recipe, folder: Path, jobs: int, quiet: bool, label: str = "") -> None:
    """Every split of a run, by a function that returns at once what is done; `label` stands in front of every line."""
    calls = [(recipe, folder, index, quiet) for index in range(recipe.num_splits)]
    try:
        for done, index in enumerate(side_by_side(train_split, calls, jobs), start=1):
            if not quiet and not sys.stderr.isatty():
                print(f"{label}split {index + 1} is trained, {done} of {recipe.num_splits}", flush=True)
    finally:
        if not quiet and sys.stderr.isatty():
            print("\n" * recipe.num_splits, file=sys.stderr)  # below the bars


def side_by_side(train, calls: list[tuple], jobs: int):
    """Results of calls of a training, as they end, each in a process of its own if `jobs` are several."""
    try:
        yield from run_parallel((delayed(train)(*call) for call in calls), jobs, ordered=False)
    except TerminatedWorkerError as error:
        found = "one that the system ended, most often for lack of memory"
        advice = "Run the same command again with --jobs 1: what is done is kept."
        raise InputError("every training process to end by itself", found, advice) from error
