"""Splits never share a patient, and hold what they promise."""

import pandas as pd
import pytest

from glioma_idh.cohorts import splits as drawing
from glioma_idh.cohorts.splits import holdout_splits, kfold_splits
from glioma_idh.errors import InputError


def cohort(wild_type, mutant, visits=1):
    """Patients with several subjects each."""
    patients = [f"w{i}" for i in range(wild_type)] + [f"m{i}" for i in range(mutant)]
    rows = [(f"{patient}_{visit}", patient, int(patient[0] == "m")) for patient in patients for visit in range(visits)]
    return pd.DataFrame(rows, columns=["subject", "patient", "idh"])


def parts(table, splits):
    """Patients and labels of train and test, a pair a split."""
    for _, split in splits.merge(table, on="subject").groupby(["repeat", "fold"]):
        yield split[split["part"] == "train"], split[split["part"] == "test"]


def test_the_paper_s_holdouts():
    table = cohort(83, 17)
    splits = holdout_splits(table, 5, 0.2, 5, seed=0)
    assert sorted(splits["repeat"].unique()) == [0, 1, 2, 3, 4] and set(splits["fold"]) == {0}
    for train, test in parts(table, splits):
        assert len(test) == 20 and len(train) == 80
        assert test["idh"].sum() >= 5
        assert not set(train["patient"]) & set(test["patient"])


def test_kfold_tests_every_patient_once_and_is_stratified():
    table = cohort(65, 56)
    splits = kfold_splits(table, 5, seed=1)
    tested = splits[splits["part"] == "test"]["subject"]
    assert sorted(tested) == sorted(table["subject"])
    for train, test in parts(table, splits):
        assert test["idh"].sum() in (11, 12) and len(train) + len(test) == 121


@pytest.mark.parametrize("make", [lambda t: holdout_splits(t, 4, 0.2, 3, 0), lambda t: kfold_splits(t, 3, 0)])
def test_visits_of_a_patient_stay_on_one_side(make):
    table = cohort(20, 10, visits=3)
    for train, test in parts(table, make(table)):
        assert not set(train["patient"]) & set(test["patient"])
        assert len(test) % 3 == 0


def test_the_seed_decides():
    table = cohort(83, 17)
    one = holdout_splits(table, 5, 0.2, 5, seed=0)
    assert one.equals(holdout_splits(table, 5, 0.2, 5, seed=0))
    assert not one.equals(holdout_splits(table, 5, 0.2, 5, seed=1))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (cohort(83, 5), "expected more than 5 mutant patients.*found 5 mutant among 88 patients. Use --splits kfold"),
        (cohort(20, 0), "expected mutant and wild-type patients; found only IDH 0 in 20 patients"),
        (cohort(0, 20), "found only IDH 1 in 20 patients"),
    ],
)
def test_holdouts_that_cannot_be_drawn(table, message):
    with pytest.raises(InputError, match=message):
        holdout_splits(table, 5, 0.2, 5, seed=0)


def test_a_threshold_that_hardly_any_draw_reaches_ends_with_a_count(monkeypatch):
    assert drawing.MAX_DRAWS == 20_000
    monkeypatch.setattr(drawing, "MAX_DRAWS", 200)  # so many take seconds
    with pytest.raises(InputError, match="found 0 in 200 draws from 6 mutant among 206 patients"):
        holdout_splits(cohort(200, 6), 5, test_fraction=0.03, min_test_mutants=5, seed=0)


def test_folds_that_cannot_be_made():
    with pytest.raises(InputError, match="at least 5 patients of each class.*found 4 in the smaller class, 5 folds"):
        kfold_splits(cohort(30, 4), 5, seed=0)
    with pytest.raises(InputError, match="at least 2 folds"):
        kfold_splits(cohort(30, 4), 1, seed=0)
