"""Comparison of runs: combine the seeds of one network, check that runs are paired, and test pairs of runs.

`reference` is the name of the run with which all others are compared; None compares every pair.
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
    """Test pairs of runs on the same patients, for each of `scores` (names of TESTS) that both runs have.

    The results are by score and pair of names; differences are first minus second; p is Holm-corrected over the pairs.
    """
    tests = {}
    for score in scores:
        column = "dice" if score == "dice" else "score"
        tables = {run.name: run.predictions for run in runs if has_values(run.predictions, column)}
        tests[score] = compare_all(tables, TESTS[score], reference)
    return tests


def gather(runs: list[Run]) -> list[Run]:
    """Combine the seeds of each recipe into one run and keep the order of the runs.

    If several recipes share a name, the name of the folder is added. InputError: runs on synthetic and on real patients
    are mixed, or a run is given twice.
    """
    if len({run.synthetic for run in runs}) > 1:
        found = f"both kinds; synthetic: {next(run.folder for run in runs if run.synthetic)}"
        advice = "Make a separate report for each kind."
        raise InputError("only runs on real patients, or only runs on the synthetic cohort", found, advice)
    by_recipe = defaultdict(list)
    for run in runs:
        by_recipe[run.name, files.recipe_hash(run.settings | {"seed": None, "split_seed": None})].append(run)
    together = []
    for (name, _), same in by_recipe.items():
        run, several = together_as_one(same), [of for of, _ in by_recipe].count(name) > 1
        together.append(replace(run, name=f"{name} ({run.folder.name})") if several else run)
    return together


def together_as_one(same: list[Run]) -> Run:
    """Combine the runs of one recipe with different seeds into one run; scores are averaged over all networks.

    InputError: two runs have the same seed.
    """
    first, seeds = same[0], [run.settings.get("seed") for run in same]
    if len(same) == 1:
        return first
    if len(set(seeds)) < len(seeds):
        found = ", ".join(run.folder.name for run in same)
        raise InputError("runs with different seeds", f"the same recipe and seed in {found}", "Give only one of them.")
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
    """The name of the run in this folder, or of the combined run that contains it.

    InputError: the folder is none of the compared runs, or the run has no scores of the genotype.
    """
    if folder is None:
        return None
    folders = {member.folder.resolve(): run for run in runs for member in (run.members or (run,))}
    run = folders.get(folder.resolve())
    if run is None or not run.scored:
        found = "another folder" if run is None else "a run without scores of the genotype"
        raise InputError("one of the compared runs as --reference", found, "Give one of their folders.", file=folder)
    return run.name


def check_same_splits(networks: dict[str, list[Run]]) -> None:
    """Check that all networks were tested on the same splits of the same patients.

    Each network has one run per seed, in the same order. InputError (names a subject): a run lacks a split, or two runs
    differ in patients, labels, scans or splits.
    """
    first = next(iter(networks.values()))
    for of_seeds in networks.values():
        for run, model in zip(of_seeds, first, strict=True):
            _check_whole(run)
            _check_same_patients(run, first[0])
            other = _tests(model).merge(_tests(run), how="outer", indicator=True).query("_merge != 'both'")
            if len(other):
                row, advice = other.iloc[0], "Compare runs with the same cohort, --seed and --num-splits."
                where = {"left_only": model, "right_only": run}[row["_merge"]].folder.name
                found = f"{row['subject']} tested in split {row['split']} of {where} only"
                raise InputError(f"the same test sets as in {model.folder.name}", found, advice, file=run.folder)


def _tests(run: Run) -> pd.DataFrame:
    """The test sets of a run: one row per subject and split."""
    return run.splits.loc[run.splits["part"] == "test", TESTED].sort_values(TESTED, ignore_index=True)


def _check_whole(run: Run) -> None:
    """Check that a run has a prediction for every subject of its test sets."""
    wanted, predictions = _tests(run), run.predictions
    missing = wanted.merge(predictions[TESTED], how="left", indicator=True).query("_merge == 'left_only'")
    if len(missing):
        row = missing.iloc[0]
        found = f"none for {len(missing)} of {len(wanted)}, for example {row['subject']} in split {row['split']}"
        advice = "Delete metrics.json of the run and repeat its command: missing predictions are then computed."
        raise InputError("a prediction for every tested subject", found, advice, file=run.folder)
    for column in ("score", "dice"):
        known = predictions[column].notna()
        if known.any() and not known.all():
            found = f"none for {predictions.loc[~known, 'subject'].iloc[0]}"
            raise InputError(f"a {column} for every tested subject", found, "Train this run again.", file=run.folder)


def _check_same_patients(run: Run, model: Run) -> None:
    """Check that two runs have the same labelled subjects, labels and scans; the path of the cache may differ."""
    cohorts = [one.cohort.dropna(subset="idh").set_index("subject") for one in (model, run)]
    expected, advice = model.folder.name, "Compare runs with the same cohort."
    other = cohorts[0].index.symmetric_difference(cohorts[1].index)
    if len(other):
        where = model if other[0] in cohorts[0].index else run
        found = f"{len(other)} different ones, for example {other[0]} only in {where.folder.name}"
        raise InputError(f"the same subjects as in {expected}", found, advice, file=run.folder)
    for column, noun in {"patient": "patients", "idh": "labels", "prepared": "scans"}.items():
        values = [cohort.loc[cohorts[0].index, column] for cohort in cohorts]
        if column == "prepared":
            values = [paths.map(lambda path: Path(path).name) for paths in values]
        unlike = values[0].index[values[0] != values[1]]
        if len(unlike):
            found = f"different ones for {len(unlike)}, for example {unlike[0]}"
            raise InputError(f"the same {noun} as in {expected}", found, advice, file=run.folder)
