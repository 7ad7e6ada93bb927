"""Splits of a cohort into training and test sets. All visits of one patient stay on the same side of a split."""

from typing import Literal

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold

from glioma_idh.cohorts.table import check_labels
from glioma_idh.errors import InputError

MAX_DRAWS = 20_000
TOO_FEW = "Add patients: at least 2 of each class are needed."


def split(
    table: pd.DataFrame,
    kind: Literal["kfold", "holdout"] = "kfold",
    num_splits: int = 5,
    seed: int = 0,
    test_fraction: float = 0.2,
    min_test_mutants: int = 5,
) -> pd.DataFrame:
    """Split a cohort into training and test sets: all visits of one patient stay on the same side.

    Args:
        table: cohort table with the columns `subject, patient, idh`, as `read` or `check_labels` returns it. Subjects
            whose IDH status is unknown or unusable are left out.
        kind: "kfold" for disjoint folds stratified by IDH (each patient is tested once), or "holdout" for random
            test sets (a patient may be tested several times, or never).
        num_splits: number of folds or of hold-outs.
        seed: random seed of the splits.
        test_fraction: share of the patients in each test set; hold-outs only.
        min_test_mutants: fewest IDH-mutant patients in each test set; hold-outs only.

    Returns:
        One row per subject and split: `subject, repeat, split, part`, where part is "train" or "test". Repeats and
        splits are counted from 1; folds belong to repeat 1, and each hold-out is a repeat of its own.

    Raises:
        InputError: there are too few patients of a class for such splits.
    """
    if not pd.api.types.is_numeric_dtype(table["idh"]):
        table, _ = check_labels(table)
    if kind == "kfold":
        return kfold_splits(table, num_splits, seed)
    return holdout_splits(table, num_splits, test_fraction, min_test_mutants, seed)


def holdout_splits(table, num_splits: int, test_fraction: float, min_test_mutants: int, seed: int) -> pd.DataFrame:
    """Random hold-outs of patients, each redrawn until the test part holds enough mutants.

    A patient may be tested in several or in none. `table` has `subject`, `patient`, `idh` (0 or 1). Returns the splits:
    `subject, repeat, split, part` (train or test), numbered from 1; each hold-out is a repeat of one split, whose
    number it bears. A cohort that cannot give them is an InputError.
    """
    patients = _patients(table)
    mutants = int((patients["idh"] == 1).sum())
    advice = TOO_FEW if patients["idh"].value_counts().min() < 2 else "Use --splits kfold, which takes what there is."
    if mutants <= min_test_mutants:
        expected = f"more than {min_test_mutants} mutant patients, {min_test_mutants} of them for each test part"
        raise InputError(expected, f"{mutants} mutant among {len(patients)} patients", advice)
    draws = GroupShuffleSplit(MAX_DRAWS, test_size=test_fraction, random_state=seed)
    labels = patients["idh"].to_numpy()
    kept: list[pd.DataFrame] = []
    for train, test in draws.split(patients, groups=patients.index):
        if labels[test].sum() >= min_test_mutants and _both_classes(labels[train]) and _both_classes(labels[test]):
            kept.append(_rows(table, patients.index[test], repeat=len(kept) + 1, split=len(kept) + 1))
        if len(kept) == num_splits:
            return pd.concat(kept, ignore_index=True)
    expected = f"{num_splits} test parts with {min_test_mutants} mutants and both classes in train and test"
    found = f"{len(kept)} in {MAX_DRAWS} draws from {mutants} mutant among {len(patients)} patients"
    raise InputError(expected, found, advice)


def kfold_splits(table: pd.DataFrame, num_splits: int, seed: int) -> pd.DataFrame:
    """Disjoint folds of patients, stratified by IDH: every patient is tested once.

    Tables as of `holdout_splits`; all are of repeat 1. A class with fewer patients than folds is an InputError.
    """
    patients = _patients(table)
    smallest = int(patients["idh"].value_counts().min())
    if smallest < num_splits or num_splits < 2:
        expected = f"at least {max(num_splits, 2)} patients of each class and at least 2 folds"
        advice = f"Use --num-splits {smallest} at most." if num_splits > 1 else "Use --num-splits 2 or more."
        if smallest < 2:
            advice = TOO_FEW
        raise InputError(expected, f"{smallest} in the smaller class, {num_splits} folds", advice)
    folds = StratifiedGroupKFold(num_splits, shuffle=True, random_state=seed)
    tests = [test for _, test in folds.split(patients, patients["idh"], groups=patients.index)]
    rows = [_rows(table, patients.index[test], repeat=1, split=split) for split, test in enumerate(tests, start=1)]
    return pd.concat(rows, ignore_index=True)


def _patients(table: pd.DataFrame) -> pd.DataFrame:
    """One row a patient, who is mutant when any of the patient's subjects is; ordered by patient."""
    patients = table.groupby("patient")[["idh"]].max()
    if not _both_classes(patients["idh"].to_numpy()):
        found = f"only IDH {patients['idh'].iloc[0]} in {len(patients)} patients"
        raise InputError("mutant and wild-type patients", found, f"A network cannot learn from one class. {TOO_FEW}")
    return patients


def _both_classes(labels: np.ndarray) -> bool:
    return labels.min() == 0 and labels.max() == 1


def _rows(table: pd.DataFrame, test_patients, repeat: int, split: int) -> pd.DataFrame:
    """The part that each subject plays in one split."""
    part = np.where(table["patient"].isin(test_patients), "test", "train")
    return pd.DataFrame({"subject": table["subject"], "repeat": repeat, "split": split, "part": part})
