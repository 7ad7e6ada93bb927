"""Runs that are compared: the seeds of one network as one run, whether two runs are paired, and the tests of pairs.

`reference` is the name of the run that all others are compared with; None for every pair.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from glioma_idh import runs as files
from glioma_idh.errors import InputError
from glioma_idh.evaluation.comparisons import Calls, Comparison, compare_all, compare_auc, compare_calls, compare_dice
from glioma_idh.evaluation.metrics import has_values
from glioma_idh.runs.run import Run

TESTS = {"auc": compare_auc, "calls": compare_calls, "dice": compare_dice}  # of DeLong, McNemar and Wilcoxon
TESTED = ["subject", "repeat", "split"]


def paired_tests(
    runs: list[Run], scores: Iterable[str], reference: str | None = None
) -> dict[str, dict[tuple[str, str], Comparison | Calls]]:
    """Pairs of runs by a paired test on the same patients, for each of `scores`, names of TESTS, that both have.

    They are by score and the two names, the first less the second, p after Holm over the pairs of the score.
    """
    tests = {}
    for score in scores:
        column = "dice" if score == "dice" else "score"
        tables = {run.name: run.predictions for run in runs if has_values(run.predictions, column)}
        tests[score] = compare_all(tables, TESTS[score], reference)
    return tests


def gather(runs: list[Run]) -> list[Run]:
    """Runs in their order, the seeds of one recipe as one; runs of one name and several recipes by their folders too.

    InputError: phantoms and patients stand side by side, or a run twice.
    """
    if len({run.synthetic for run in runs}) > 1:
        found = f"phantoms in {next(run.folder for run in runs if run.synthetic)}"
        raise InputError("runs of patients alone, or of phantoms alone", found, "Make a page of each kind.")
    by_recipe = defaultdict(list)
    for run in runs:
        by_recipe[run.name, files.recipe_hash(run.settings | {"seed": None, "split_seed": None})].append(run)
    together = []
    for (name, _), same in by_recipe.items():
        run, several = together_as_one(same), [of for of, _ in by_recipe].count(name) > 1
        together.append(replace(run, name=f"{name} ({run.folder.name})") if several else run)
    return together


def together_as_one(same: list[Run]) -> Run:
    """One run out of the seeds of one recipe: tested again and again, a patient's score the mean of all networks.

    InputError: two have the same seed.
    """
    first, seeds = same[0], [run.settings.get("seed") for run in same]
    if len(same) == 1:
        return first
    if len(set(seeds)) < len(seeds):
        found = ", ".join(run.folder.name for run in same)
        raise InputError("each run once", f"one recipe and seed in {found}", "Name one of them.")
    tables, splits, repeats = [], [], 0
    for run in same:
        tables.append(run.predictions.assign(repeat=run.predictions["repeat"] + repeats))
        splits.append(run.splits.assign(repeat=run.splits["repeat"] + repeats))
        repeats += run.splits["repeat"].nunique()
    predictions, splits = pd.concat(tables, ignore_index=True), pd.concat(splits, ignore_index=True)
    cohort = pd.concat([run.cohort for run in same]).drop_duplicates("subject")
    changed = {"cohort": cohort, "splits": splits, "predictions": predictions, "planted": None}
    return replace(first, **changed, members=tuple(same))


def reference_name(runs: list[Run], folder: Path | None) -> str | None:
    """The name of the run in this folder, alone or as one seed; InputError: it is none of these, or has no scores."""
    if folder is None:
        return None
    folders = {member.folder.resolve(): run for run in runs for member in (run.members or (run,))}
    run = folders.get(folder.resolve())
    if run is None or not run.scored:
        found = "another folder" if run is None else "a run without scores of the genotype"
        raise InputError("as --reference one of the runs", found, "Name one of the folders compared.", file=folder)
    return run.name


def check_same_splits(networks: dict[str, list[Run]]) -> None:
    """Networks must have been tested on the same splits of the same patients; each has a run a seed, in one order.

    InputError: a run lacks a split, or two differ in patients, labels, scans or splits; it names a subject.
    """
    first = next(iter(networks.values()))
    for of_seeds in networks.values():
        for run, model in zip(of_seeds, first, strict=True):
            _check_whole(run)
            _check_same_patients(run, first[0])
            other = _tests(model).merge(_tests(run), how="outer", indicator=True).query("_merge != 'both'")
            if len(other):
                row, advice = other.iloc[0], "Compare runs of one cohort, one --seed and one --num-splits."
                where = {"left_only": model, "right_only": run}[row["_merge"]].folder.name
                found = f"{row['subject']} in split {row['split']} of {where} alone"
                raise InputError(f"the tests of {model.folder.name}", found, advice, file=run.folder)


def _tests(run: Run) -> pd.DataFrame:
    """Who is tested where in a run."""
    return run.splits.loc[run.splits["part"] == "test", TESTED].sort_values(TESTED, ignore_index=True)


def _check_whole(run: Run) -> None:
    """Every test of a run must have its row of predictions."""
    wanted, predictions = _tests(run), run.predictions
    missing = wanted.merge(predictions[TESTED], how="left", indicator=True).query("_merge == 'left_only'")
    if len(missing):
        row = missing.iloc[0]
        found = f"none for {len(missing)} of {len(wanted)}, such as {row['subject']} in split {row['split']}"
        advice = "Delete its metrics.json and run the same command again: what is missing is made anew."
        raise InputError("a prediction for every test of a run", found, advice, file=run.folder)
    for column in ("score", "dice"):
        known = predictions[column].notna()
        if known.any() and not known.all():
            found = f"none for {predictions.loc[~known, 'subject'].iloc[0]}"
            raise InputError(f"a {column} of every subject tested", found, "Train that run again.", file=run.folder)


def _check_same_patients(run: Run, model: Run) -> None:
    """Two runs must have the same labelled subjects, with the same labels and scans; the cache may lie elsewhere."""
    cohorts = [one.cohort.dropna(subset="idh").set_index("subject") for one in (model, run)]
    expected, advice = model.folder.name, "Compare runs of one cohort."
    other = cohorts[0].index.symmetric_difference(cohorts[1].index)
    if len(other):
        where = model if other[0] in cohorts[0].index else run
        found = f"{len(other)} others, such as {other[0]} of {where.folder.name} alone"
        raise InputError(f"the subjects of {expected}", found, advice, file=run.folder)
    for column, noun in {"patient": "patients", "idh": "labels", "prepared": "scans"}.items():
        values = [cohort.loc[cohorts[0].index, column] for cohort in cohorts]
        if column == "prepared":
            values = [paths.map(lambda path: Path(path).name) for paths in values]
        unlike = values[0].index[values[0] != values[1]]
        if len(unlike):
            found = f"others for {len(unlike)}, such as {unlike[0]}"
            raise InputError(f"the {noun} of {expected}", found, advice, file=run.folder)
