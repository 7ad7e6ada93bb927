"""Whose predictions may set a threshold or a calibration for a test set: those of patients who are not in it."""

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from glioma_idh.evaluation.metrics import SPLIT, pool_patients

FEWEST = 2  # patients of each class


class OtherPatients(NamedTuple):
    """Those who may teach something for a test set.

    Attributes:
        repeat: of the split.
        split: its number.
        patients: `patient, truth, score`, one row a patient who is not tested in the split, the mean score.
        reason: why they cannot, in words; "" where they can.
    """

    repeat: int
    split: int
    patients: pd.DataFrame
    reason: str


def other_patients(predictions: pd.DataFrame) -> Iterator[OtherPatients]:
    """Of each split, the predictions of patients outside its test set.

    With several splits a repeat, these are the predictions of the repeat's other splits; where a repeat is one
    hold-out, the mean scores, over all hold-outs, of the patients whom this one does not test. Their networks may have
    been trained on patients of the test set; no truth of the test set is used beside that.

    Args:
        predictions: predictions table that `checks.check_predictions` accepts.
    """
    for repeat, tests in predictions.groupby("repeat"):
        pool = tests if tests["split"].nunique() > 1 else predictions
        for split, test in tests.groupby("split"):
            patients = pool_patients(pool[~pool["patient"].isin(test["patient"])])
            mutants = int(patients["truth"].sum())
            reason = ""
            if min(mutants, len(patients) - mutants) < FEWEST:
                others = f"{mutants} mutant and {len(patients) - mutants} wild-type patients are left"
                reason = f"only {others} outside the test set of repeat {repeat}, split {split}"
            yield OtherPatients(int(repeat), int(split), patients, reason)


def add_by_split(predictions: pd.DataFrame, by_split: pd.DataFrame) -> pd.DataFrame:
    """The predictions with what was learnt for their split beside them, in the order of the predictions.

    Args:
        predictions: predictions table.
        by_split: `repeat, split` and any other columns, one row a split.
    """
    return predictions.merge(by_split, on=SPLIT, how="left", validate="many_to_one")
