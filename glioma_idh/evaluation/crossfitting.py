"""Select the patients outside a test set, on whom its threshold, recalibration and baselines are fitted."""

from collections.abc import Iterator

import pandas as pd

from glioma_idh.evaluation.metrics import SPLIT, pool_patients

FEWEST = 2  # smallest number of patients of each class


def other_patients(predictions: pd.DataFrame) -> Iterator[tuple[int, int, pd.DataFrame, str]]:
    """Yield the predictions of the patients outside the test set of each split.

    These are the predictions of the other splits of the same repeat; if each repeat is one hold-out split, those of all
    repeats. Their networks may have been trained on patients of the test set; apart from that, no labels of the test
    set are used.

    Yields:
        Repeat, split, one row per patient (`patient, truth, score`, the mean score), and the reason if the patients are
        too few, else "".
    """
    for repeat, split, _, others in _tests_and_others(predictions):
        patients = pool_patients(others)
        mutants = int(patients["truth"].sum())
        reason = ""
        if min(mutants, len(patients) - mutants) < FEWEST:
            others_are = f"{mutants} mutant and {len(patients) - mutants} wild-type patients are"
            reason = f"only {others_are} outside the test set of repeat {repeat}, split {split}"
        yield int(repeat), int(split), patients, reason


def splits_of(predictions: pd.DataFrame) -> pd.DataFrame:
    """Reconstruct the splits of a predictions table, as in `splits.csv`: all patients not tested count as training."""
    parts = []
    for repeat, split, test, others in _tests_and_others(predictions):
        for part, rows in (("train", others.drop_duplicates("subject")), ("test", test)):
            parts.append(rows[["subject"]].assign(repeat=repeat, split=split, part=part))
    return pd.concat(parts, ignore_index=True)


def _tests_and_others(predictions: pd.DataFrame) -> Iterator[tuple]:
    """Yield repeat, split, the test rows of the split, and the rows of all other patients."""
    for repeat, tests in predictions.groupby("repeat"):
        pool = tests if tests["split"].nunique() > 1 else predictions
        for split, test in tests.groupby("split"):
            yield repeat, split, test, pool[~pool["patient"].isin(test["patient"])]


def add_by_split(predictions: pd.DataFrame, by_split: pd.DataFrame) -> pd.DataFrame:
    """Add the columns of a table with one row per split to the predictions, in the order of the predictions."""
    return predictions.merge(by_split, on=SPLIT, how="left", validate="many_to_one")


def first_reason(by_split: pd.DataFrame) -> str:
    """Return the reason of the first split without a result; "" if all splits have one."""
    return next((reason for reason in by_split["reason"] if reason), "")
