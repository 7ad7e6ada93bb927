"""Which patients may set a threshold or a calibration for a test set, or train its baselines: those not in it."""

from collections.abc import Iterator

import pandas as pd

from glioma_idh.evaluation.metrics import SPLIT, pool_patients

FEWEST = 2  # patients of each class


def other_patients(predictions: pd.DataFrame) -> Iterator[tuple[int, int, pd.DataFrame, str]]:
    """Of each split, the predictions of patients outside its test set, on whom something may be learnt for it.

    Those of the repeat's other splits; where a repeat is one hold-out, of all hold-outs. Their networks may have been
    trained on patients of the test set; no truth of the test set is used beside that. Yields repeat, split, one row a
    patient (`patient, truth, score`, the mean score), and why they are too few; "" where they are not.
    """
    for repeat, split, _, others in _tests_and_others(predictions):
        patients = pool_patients(others)
        mutants = int(patients["truth"].sum())
        reason = ""
        if min(mutants, len(patients) - mutants) < FEWEST:
            left = f"{mutants} mutant and {len(patients) - mutants} wild-type patients are left"
            reason = f"only {left} outside the test set of repeat {repeat}, split {split}"
        yield int(repeat), int(split), patients, reason


def splits_of(predictions: pd.DataFrame) -> pd.DataFrame:
    """The splits that a predictions table tells of, as in `splits.csv`: whom a split does not test trains in it."""
    parts = []
    for repeat, split, test, others in _tests_and_others(predictions):
        for part, rows in (("train", others.drop_duplicates("subject")), ("test", test)):
            parts.append(rows[["subject"]].assign(repeat=repeat, split=split, part=part))
    return pd.concat(parts, ignore_index=True)


def _tests_and_others(predictions: pd.DataFrame) -> Iterator[tuple]:
    """Repeat, split, the rows tested in it, and rows of patients who are not."""
    for repeat, tests in predictions.groupby("repeat"):
        pool = tests if tests["split"].nunique() > 1 else predictions
        for split, test in tests.groupby("split"):
            yield repeat, split, test, pool[~pool["patient"].isin(test["patient"])]


def add_by_split(predictions: pd.DataFrame, by_split: pd.DataFrame) -> pd.DataFrame:
    """The predictions, in their order, with the other columns of `repeat, split, ...`, one row a split, beside them."""
    return predictions.merge(by_split, on=SPLIT, how="left", validate="many_to_one")


def first_reason(by_split: pd.DataFrame) -> str:
    """Why the first split without an answer has none; "" where all splits have one."""
    return next((reason for reason in by_split["reason"] if reason), "")
