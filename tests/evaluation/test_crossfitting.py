"""Nobody sets a threshold for a test set that he is in."""

import numpy as np
import pandas as pd

from glioma_idh.evaluation.crossfitting import add_by_split, other_patients


def table(rows):
    return pd.DataFrame(rows, columns=["patient", "repeat", "split", "truth", "score"])


FOLDS = table(
    [(f"p{number}", repeat, number % 3, number % 2, number / 12) for repeat in (0, 1) for number in range(12)]
)


def test_folds_are_taught_by_the_other_folds_of_their_repeat():
    predictions = FOLDS.assign(score=FOLDS["score"] / (1 + FOLDS["repeat"]))
    sets = {(repeat, split): others for repeat, split, *others in other_patients(predictions)}
    assert list(sets) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    patients, reason = sets[1, 2]
    others = patients.set_index("patient")["score"]
    assert others.to_dict() == {f"p{number}": number / 12 / 2 for number in range(12) if number % 3 != 2}
    assert reason == ""


def test_hold_outs_are_taught_by_everybody_else_s_mean():
    rows = [("a", 0, 0, 1, 0.2), ("b", 0, 0, 0, 0.3), ("a", 1, 0, 1, 0.4), ("c", 1, 0, 0, 0.5), ("d", 2, 0, 0, 0.1)]
    rows += [("e", 2, 0, 1, 0.7), ("f", 2, 0, 1, 0.8), ("g", 2, 0, 0, 0.6), ("d", 3, 0, 0, 0.3), ("b", 3, 0, 0, 0.5)]
    (*_, first, no_reason), (*_, second, nor_here), *_ = other_patients(table(rows))
    assert first.set_index("patient")["score"].round(9).to_dict() == {
        "c": 0.5,
        "d": 0.2,
        "e": 0.7,
        "f": 0.8,
        "g": 0.6,
    }
    assert second.set_index("patient")["score"].round(9).to_dict()["b"] == 0.4
    assert no_reason == nor_here == ""


def test_too_few_others_say_so():
    one = FOLDS[FOLDS["repeat"] == 0].assign(split=0)
    ((*_, reason),) = other_patients(one)
    assert reason == "only 0 mutant and 0 wild-type patients are outside the test set of repeat 0, split 0"
    few = FOLDS[(FOLDS["repeat"] == 0) & ((FOLDS["truth"] == 0) | (FOLDS["split"] == 0))]
    assert [reason.partition(" and")[0] for *_, reason in other_patients(few)] == ["only 0 mutant", "", ""]


def test_two_patients_of_each_class_can_teach_and_one_cannot():
    rows = [("a", 0, 0, 1, 0.9), ("b", 0, 0, 1, 0.8), ("c", 0, 0, 0, 0.2), ("d", 0, 0, 0, 0.1)]
    fold = [("e", 0, 1, 1, 0.7), ("f", 0, 1, 0, 0.3)]
    (*_, of_first), (*_, of_second) = other_patients(table(rows + fold))
    assert of_first.startswith("only 1 mutant and 1 wild-type patients") and of_second == ""
    for missing, found in ((0, "only 1 mutant and 2 wild-type"), (3, "only 2 mutant and 1 wild-type")):
        *_, (*_, of_second) = other_patients(table([row for row in rows if row != rows[missing]] + fold))
        assert of_second.startswith(found)


def test_a_patient_s_other_scan_teaches_nothing_about_him():
    # The patient a is tested in fold 0 by one scan and in fold 1 by another: neither fold learns from him.
    both = FOLDS[FOLDS["repeat"] == 0].assign(split=lambda rows: rows["split"] % 2)
    both = pd.concat([both, table([("a", 0, 0, 1, 0.9), ("a", 0, 1, 1, 0.1)])])
    for *_, others, _ in other_patients(both):
        assert "a" not in set(others["patient"])


def test_the_order_of_the_predictions_stays():
    by_split = pd.DataFrame({"repeat": [0, 0, 0, 1, 1, 1], "split": [0, 1, 2, 0, 1, 2], "threshold": np.arange(6)})
    mixed = FOLDS.sample(frac=1, random_state=0)
    beside = add_by_split(mixed, by_split)
    assert list(beside["patient"]) == list(mixed["patient"])
    assert (beside["threshold"] == 3 * beside["repeat"] + beside["split"]).all()
