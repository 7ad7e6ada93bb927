"""Split a cohort by patient into training and test sets. All visits of a patient are in the same set."""

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
    """Split a cohort into training and test sets. All visits of a patient are in the same set.

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


def holdout_splits(
    table: pd.DataFrame, num_splits: int, test_fraction: float, min_test_mutants: int, seed: int
) -> pd.DataFrame:
    """Draw random hold-out splits; a split with too few mutants in the test set is drawn again.

    All subjects of a patient are in the same set. A patient may be in several test sets or in none.

    Args:
        table: `subject, patient, idh` (0 or 1), one row per subject.
        num_splits: number of splits.
        test_fraction: share of the patients in the test set.
        min_test_mutants: smallest number of IDH-mutant patients in the test set.
        seed: random seed.

    Returns:
        One row per subject and split: `subject, repeat, split, part` (train or test). Splits are numbered from 1; the
        number of a split is also its repeat.

    Raises:
        InputError: the cohort has too few patients for such splits.
    """
    patients = _patients(table)
    mutants = int((patients["idh"] == 1).sum())
    advice = TOO_FEW if patients["idh"].value_counts().min() < 2 else "Use --splits kfold."
    if mutants <= min_test_mutants:
        expected = f"more than {min_test_mutants} mutants, because each test set needs {min_test_mutants}"
        raise InputError(expected, f"{mutants} mutants among {len(patients)} patients", advice)
    draws = GroupShuffleSplit(MAX_DRAWS, test_size=test_fraction, random_state=seed)
    labels = patients["idh"].to_numpy()
    kept: list[pd.DataFrame] = []
    for train, test in draws.split(patients, groups=patients.index):
        if labels[test].sum() >= min_test_mutants and _both_classes(labels[train]) and _both_classes(labels[test]):
            kept.append(_rows(table, patients.index[test], repeat=len(kept) + 1, split=len(kept) + 1))
        if len(kept) == num_splits:
            return pd.concat(kept, ignore_index=True)
    expected = f"{num_splits} splits with {min_test_mutants} mutants in the test set and both classes in both sets"
    found = f"{len(kept)} in {MAX_DRAWS} draws, from {mutants} mutants among {len(patients)} patients"
    raise InputError(expected, found, advice)


def kfold_splits(table: pd.DataFrame, num_splits: int, seed: int) -> pd.DataFrame:
    """Split the patients into folds, stratified by IDH status; every patient is tested once.

    Args:
        table: as for `holdout_splits`.
        num_splits: number of folds.
        seed: random seed.

    Returns:
        The splits as from `holdout_splits`, all with repeat 1.

    Raises:
        InputError: a class has fewer patients than there are folds.
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
    """Return one row per patient, ordered by patient; `idh` is 1 if any subject of the patient is mutant."""
    patients = table.groupby("patient")[["idh"]].max()
    if not _both_classes(patients["idh"].to_numpy()):
        found = f"only IDH {patients['idh'].iloc[0]} in {len(patients)} patients"
        raise InputError("mutant and wild-type patients", found, f"Training needs both classes. {TOO_FEW}")
    return patients


def _both_classes(labels: np.ndarray) -> bool:
    return labels.min() == 0 and labels.max() == 1


def _rows(table: pd.DataFrame, test_patients: pd.Index, repeat: int, split: int) -> pd.DataFrame:
    """Return the part of each subject in one split."""
    part = np.where(table["patient"].isin(test_patients), "test", "train")
    return pd.DataFrame({"subject": table["subject"], "repeat": repeat, "split": split, "part": part})
