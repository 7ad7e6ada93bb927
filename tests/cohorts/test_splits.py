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
    for _, split in splits.merge(table, on="subject").groupby(["repeat", "split"]):
        yield split[split["part"] == "train"], split[split["part"] == "test"]


def test_the_paper_s_holdouts():
    table = cohort(83, 17)
    splits = holdout_splits(table, 5, 0.2, 5, seed=0)
    assert sorted(splits["repeat"].unique()) == [1, 2, 3, 4, 5] and splits["split"].equals(splits["repeat"])
    for train, test in parts(table, splits):
        assert len(test) == 20 and len(train) == 80
        assert test["idh"].sum() >= 5
        assert not set(train["patient"]) & set(test["patient"])


def test_the_threshold_of_mutants_is_met_and_not_more_than_met():
    """Of 15 test patients among 100 with 17 mutants 2.55 are mutant on average, so that draws of exactly 5 are kept."""
    table = cohort(83, 17)
    mutants = [test["idh"].sum() for _, test in parts(table, holdout_splits(table, 30, 0.15, 5, seed=0))]
    assert min(mutants) == 5 and len(mutants) == 30


def test_holdouts_are_the_draws_that_meet_the_threshold_and_no_others():
    """With a threshold that every draw meets, other draws come out than with one that few meet."""
    table = cohort(60, 40)
    first = holdout_splits(table, 3, 0.2, 1, seed=4)
    assert first.equals(holdout_splits(table, 5, 0.2, 1, seed=4).query("repeat <= 3"))
    counts = [test["idh"].sum() for _, test in parts(table, holdout_splits(table, 40, 0.2, 1, seed=4))]
    strict = holdout_splits(table, 5, 0.2, 10, seed=4)
    assert [test["idh"].sum() for _, test in parts(table, strict)] == [n for n in counts if n >= 10][:5]


@pytest.mark.parametrize(("fraction", "tested"), [(0.1, 10), (0.25, 25), (0.5, 50)])
def test_the_test_fraction_is_of_the_patients(fraction, tested):
    table = cohort(60, 40, visits=2)
    for train, test in parts(table, holdout_splits(table, 3, fraction, 1, seed=0)):
        assert test["patient"].nunique() == tested and train["patient"].nunique() == 100 - tested
        assert len(test) == 2 * tested and len(train) + len(test) == 200


def test_both_classes_are_in_train_and_test(monkeypatch):
    monkeypatch.setattr(drawing, "MAX_DRAWS", 200)
    table = cohort(2, 8)
    for train, test in parts(table, holdout_splits(table, 20, 0.4, 1, seed=0)):
        assert set(train["idh"]) == set(test["idh"]) == {0, 1}
    with pytest.raises(InputError, match="both classes in both sets; found 0 in"):
        holdout_splits(cohort(1, 9), 1, 0.3, 3, seed=0)


def test_a_patient_is_mutant_when_any_of_the_visits_is():
    table = cohort(20, 5, visits=2)
    table.loc[table["subject"].str.endswith("_1"), "idh"] = 0
    tested = holdout_splits(table, 5, 0.2, 4, seed=0).merge(table, on="subject").query("part == 'test'")
    assert tested.query("idh == 1").groupby("repeat")["patient"].nunique().min() >= 4


def test_folds_are_disjoint_numbered_and_of_one_repeat():
    table = cohort(30, 10, visits=2)
    splits = kfold_splits(table, 5, seed=0)
    assert list(splits.columns) == ["subject", "repeat", "split", "part"]
    assert set(splits["repeat"]) == {1} and sorted(splits["split"].unique()) == [1, 2, 3, 4, 5]
    for train, test in parts(table, splits):
        assert sorted([*train["subject"], *test["subject"]]) == sorted(table["subject"])
        assert test.drop_duplicates("patient")["idh"].value_counts().to_dict() == {0: 6, 1: 2}


def test_rows_stand_in_the_order_of_the_table_and_do_not_change_the_split():
    table = cohort(30, 10)
    one, two = (kfold_splits(rows, 5, 0) for rows in (table, table[::-1]))
    assert one["subject"].tolist() == table["subject"].tolist() * 5
    merged = one.merge(two, on=["subject", "split"])
    assert (merged["part_x"] == merged["part_y"]).all()


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
    folds = kfold_splits(table, 5, seed=0)
    assert folds.equals(kfold_splits(table, 5, seed=0)) and not folds.equals(kfold_splits(table, 5, seed=1))
    assert not folds.query("part == 'test' and split == 1")["subject"].isin([f"w{i}_0" for i in range(17)]).all()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (cohort(83, 5), "expected more than 5 mutants.*found 5 mutants among 88 patients. Use --splits kfold"),
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
    with pytest.raises(InputError, match="found 0 in 200 draws, from 6 mutants among 206 patients"):
        holdout_splits(cohort(200, 6), 5, test_fraction=0.03, min_test_mutants=5, seed=0)


def test_as_many_patients_of_a_class_as_folds_are_enough():
    table = cohort(30, 5)
    assert [test["idh"].sum() for _, test in parts(table, kfold_splits(table, 5, seed=0))] == [1] * 5
    table = cohort(30, 6)
    assert holdout_splits(table, 1, 0.5, 5, seed=0)["part"].value_counts().to_dict() == {"test": 18, "train": 18}


def test_folds_that_cannot_be_made():
    with pytest.raises(InputError, match="at least 5 patients of each class.*found 4 in the smaller class, 5 folds"):
        kfold_splits(cohort(30, 4), 5, seed=0)
    with pytest.raises(InputError, match="at least 2 folds.*Use --num-splits 2 or more"):
        kfold_splits(cohort(30, 4), 1, seed=0)


def test_too_few_patients_for_any_split_must_be_added():
    with pytest.raises(InputError, match="found 4 in the smaller class, 5 folds. Use --num-splits 4 at most."):
        kfold_splits(cohort(30, 4), 5, seed=0)
    add = "Add patients: at least 2 of each class are needed."
    with pytest.raises(InputError, match=f"found 1 in the smaller class, 5 folds. {add}"):
        kfold_splits(cohort(30, 1), 5, seed=0)
    for mutants in (0, 1):
        with pytest.raises(InputError, match=add):
            holdout_splits(cohort(30, mutants), 5, test_fraction=0.2, min_test_mutants=1, seed=0)
        with pytest.raises(InputError, match=add):
            kfold_splits(cohort(30, mutants), 2, seed=0)
