"""Tables that cannot become numbers say whose row is wrong."""

import numpy as np
import pandas as pd
import pytest

from glioma_idh.evaluation.checks import MEASURED, because, check_predictions, check_scores, complete
from glioma_idh.evaluation.crossfitting import splits_of

PREDICTIONS = pd.DataFrame(
    {
        "subject": ["a", "b", "c", "c2"],
        "patient": ["a", "b", "c", "c"],
        "repeat": 0,
        "split": [0, 0, 1, 1],
        "truth": [1, 0, 1, 1],
        "score": [0.9, 0.0, 1.0, 0.4],
    }
)


def test_a_good_table_passes():
    check_predictions(PREDICTIONS)
    check_scores([True, False], np.float32([0, 1]))
    assert because("nobody came") == "cannot be computed, because nobody came"


@pytest.mark.parametrize(
    "wrong, message",
    [
        (PREDICTIONS.assign(score=[0.9, 1.2, 1.0, -0.1]), "score from 0 to 1; found 1.2 for b .2 such"),
        (PREDICTIONS.assign(score=[0.9, 0.1, np.nan, 0.1]), "score from 0 to 1; found nan for c .1 such"),
        (PREDICTIONS.assign(score=[0.9, 0.1, np.inf, 0.1]), "found inf for c"),
        (PREDICTIONS.assign(truth=[1, np.nan, 1, 1]), ".truth. of 0 or 1; found nan for b"),
        (PREDICTIONS.assign(truth=[2, 0, 1, 1]), ".truth. of 0 or 1; found 2.0 for a"),
        (PREDICTIONS.assign(truth=[1, 0, 0, 1]), r"one label \(column truth\) per patient; found 0 and 1 for c"),
        (PREDICTIONS.assign(subject=["a", "a", "c", "c2"]), "found a twice in repeat 0, split 0"),
        (PREDICTIONS.drop(columns="split"), "expected the column split in the predictions"),
        (PREDICTIONS.iloc[:0], "expected rows in the predictions; found none"),
    ],
)
def test_a_wrong_table_says_what_is_wrong(wrong, message):
    with pytest.raises(ValueError, match=message):
        check_predictions(wrong)


@pytest.mark.parametrize("truth, score", [([1, 0], [0.5]), ([], []), ([[1, 0]], [[0.5, 0.5]])])
def test_shapes_must_agree(truth, score):
    with pytest.raises(ValueError, match="one score per label"):
        check_scores(truth, score)


BARE = pd.DataFrame({"subject": [f"s{number:02}" for number in range(25)], "truth": [1, 0, 0, 0, 0] * 5, "score": 0.5})


def test_a_bare_table_gets_patients_and_five_folds_with_a_mutant_each():
    table, made_up = complete(BARE)
    assert made_up and (table["patient"] == table["subject"]).all() and (table["repeat"] == 1).all()
    assert (table["cohort"] == "").all() and table["truth"].equals(BARE["truth"])
    by_fold = table.groupby("split")["truth"]
    assert sorted(by_fold.groups) == [1, 2, 3, 4, 5]
    assert by_fold.size().tolist() == [5] * 5 and by_fold.sum().tolist() == [1] * 5
    check_predictions(table)
    shuffled, _ = complete(BARE.sample(frac=1, random_state=1))
    assert (shuffled.sort_index()["split"] == table["split"]).all()


def test_scans_of_a_patient_share_a_fold():
    visits = pd.concat([BARE, BARE.assign(subject=BARE["subject"] + "b")], ignore_index=True)
    table, _ = complete(visits.assign(patient=visits["subject"].str[:3]))
    assert (table.groupby("patient")["split"].nunique() == 1).all()
    assert table.groupby("split").size().tolist() == [10] * 5


def test_as_many_folds_as_the_rarer_class_has_patients():
    for mutants, folds in ((3, 3), (2, 2), (1, 1), (0, 1)):
        table, made_up = complete(BARE.assign(truth=[1] * mutants + [0] * (25 - mutants)))
        assert made_up and table["split"].nunique() == folds


def test_what_is_there_is_kept():
    table, made_up = complete(PREDICTIONS)
    assert not made_up and table[PREDICTIONS.columns].equals(PREDICTIONS)
    holdouts, made_up = complete(pd.concat([BARE.assign(repeat=1), BARE.assign(repeat=2)]))
    assert not made_up and (holdouts["split"] == holdouts["repeat"]).all() and holdouts["repeat"].nunique() == 2
    some = PREDICTIONS.assign(patient=["a", "", None, "c"])
    assert complete(some)[0]["patient"].tolist() == ["a", "b", "c", "c"]


def test_a_column_called_fold_is_that_of_the_splits():
    theirs = PREDICTIONS.rename(columns={"split": "fold"})
    table, made_up = complete(theirs)
    assert not made_up and table[PREDICTIONS.columns].equals(PREDICTIONS)
    with pytest.raises(ValueError, match="expected one of the columns split and fold; found both"):
        complete(PREDICTIONS.assign(fold=1))


def test_a_table_without_subjects_is_no_table():
    with pytest.raises(ValueError, match="expected a subject in every row; found none in row 3"):
        complete(BARE.assign(subject=["a", "b", *[None] * 23]))


def test_splits_of_folds_and_of_holdouts():
    splits = splits_of(PREDICTIONS)
    assert list(splits) == ["subject", "repeat", "split", "part"]
    parts = splits.groupby(["split", "part"])["subject"].agg(list).to_dict()
    of_first, of_second = ["a", "b"], ["c", "c2"]
    assert parts == {
        (0, "train"): of_second,
        (0, "test"): of_first,
        (1, "train"): of_first,
        (1, "test"): of_second,
    }
    holdouts = PREDICTIONS.assign(repeat=[0, 0, 1, 0], split=0)  # c2 is tested in the first, c, the same patient, later
    parts = splits_of(holdouts).groupby(["repeat", "part"])["subject"].agg(list).to_dict()
    assert parts == {(0, "test"): ["a", "b", "c2"], (1, "train"): of_first, (1, "test"): ["c"]}


def test_truths_of_true_and_false_become_numbers():
    table, _ = complete(BARE.assign(truth=BARE["truth"] == 1))
    assert table["truth"].tolist() == BARE["truth"].tolist() and table["truth"].dtype.kind == "i"


@pytest.mark.parametrize("column", MEASURED)
def test_a_measure_must_be_a_number(column):
    table = BARE.astype({"truth": int}).assign(dice=0.5)
    with pytest.raises(ValueError, match=f"numbers as {column}; found 'much' for s02"):
        complete(table.assign(**{column: [0.1, 0.2, "much", *[0.3] * 22]}))


@pytest.mark.parametrize("wrong", [-0.1, 1.1])
def test_a_dice_lies_between_zero_and_one(wrong):
    with pytest.raises(ValueError, match=f"Dice from 0 to 1; found {wrong} for s03"):
        complete(BARE.assign(dice=[0, 1, np.nan, wrong, *[0.5] * 21]))
    assert complete(BARE.assign(dice=[0, 1, np.nan, *[0.5] * 22]))[0]["dice"].isna().sum() == 1
