"""Strata of a cohort whose groups are known."""

import numpy as np
import pandas as pd
import pytest

from glioma_idh.evaluation.intervals import auc_estimate
from glioma_idh.evaluation.strata import strata_scores

NAMES = [f"p{number:02}" for number in range(60)]
TRUTH = np.arange(60) % 2
COHORT = pd.DataFrame(
    {
        "subject": NAMES,
        "patient": NAMES,
        "grade": np.where(np.arange(60) < 30, "LGG", "HGG"),
        "sex": ["F"] * 28 + ["M"] * 28 + [""] * 4,
        "site": ["a"] * 50 + ["b"] * 10,
        "age_years": np.arange(60) + 20,
        "lesion_ml": "",
    }
)
PREDICTIONS = pd.DataFrame(
    {
        "subject": NAMES,
        "patient": NAMES,
        "repeat": 0,
        "split": 0,
        "truth": TRUTH,
        "score": np.random.default_rng(0).random(60),
    }
)


def rows_of(table, variable):
    return table[table["variable"] == variable].set_index("stratum")


def test_auc_and_interval_are_those_of_the_patients_inside():
    grade = rows_of(strata_scores(PREDICTIONS, COHORT), "grade")
    assert (
        list(grade.index) == ["HGG", "LGG"] and grade["n"].tolist() == [30, 30] and grade["events"].tolist() == [15, 15]
    )
    low = PREDICTIONS[:30]
    assert tuple(grade.loc["LGG", ["auc", "low", "high", "reason"]]) == auc_estimate(low["truth"], low["score"])
    assert grade.loc["LGG", "reason"] == ""


def test_the_unknown_are_counted_and_the_small_say_so():
    table = strata_scores(PREDICTIONS, COHORT)
    sex = rows_of(table, "sex")
    assert list(sex.index) == ["F", "M", "not known"] and sex["n"].tolist() == [28, 28, 4]
    why = "the group is too small: 2 mutant and 2 wild-type, but at least 5 of each are needed"
    reason = f"cannot be computed, because {why}"
    assert sex.loc["not known", "reason"] == reason and np.isnan(sex.loc["not known", "auc"])
    assert (rows_of(table, "site")["reason"] == "").all()  # b has just 5 and 5
    assert "too small" in rows_of(strata_scores(PREDICTIONS[:59], COHORT), "site").loc["b", "reason"]


def test_each_variable_is_of_its_own_column_and_counts_its_mutants():
    cohort = COHORT.assign(
        grade=np.where(np.arange(60) < 24, "2.0", "4"), lesion_ml=np.arange(60) / 2, age_years=np.arange(60)[::-1]
    )
    table = strata_scores(PREDICTIONS.assign(truth=(np.arange(60) % 3 == 0).astype(int)), cohort)
    assert rows_of(table, "grade")[["n", "events"]].to_dict("list") == {"n": [24, 36], "events": [8, 12]}
    assert list(rows_of(table, "grade").index) == ["2", "4"]
    assert rows_of(table, "sex")["n"].to_dict() == {"F": 28, "M": 28, "not known": 4}
    assert rows_of(table, "site")["n"].to_dict() == {"a": 50, "b": 10}
    assert list(rows_of(table, "age").index) == ["0 to 19 years", "20 to 39 years", "40 to 59 years"]
    assert list(rows_of(table, "lesion size").index) == ["0 to 9.5 ml", "10 to 19.5 ml", "20 to 29.5 ml"]
    small, youngest = rows_of(table, "lesion size").loc["0 to 9.5 ml"], rows_of(table, "age").iloc[0]
    first, last = PREDICTIONS[:20], PREDICTIONS[40:]
    of_first = auc_estimate(np.arange(20) % 3 == 0, first["score"])
    assert tuple(small[["auc", "low", "high"]]) == of_first[:3]
    assert youngest["auc"] == auc_estimate(np.arange(40, 60) % 3 == 0, last["score"]).value


def test_thirds_are_named_after_their_ends():
    age = rows_of(strata_scores(PREDICTIONS, COHORT), "age")
    assert list(age.index) == ["20 to 39 years", "40 to 59 years", "60 to 79 years"]
    assert age["n"].tolist() == [20, 20, 20]
    text = COHORT.assign(age_years=COHORT["age_years"].astype(str), lesion_ml=["1.5"] * 40 + ["7"] * 20)
    again = strata_scores(PREDICTIONS, text)
    assert rows_of(again, "age").equals(age)
    assert rows_of(again, "lesion size")["n"].to_dict() == {"1.5 to 1.5 ml": 40, "7 to 7 ml": 20}
    assert rows_of(strata_scores(PREDICTIONS, COHORT.assign(age_years=50)), "age")["n"].to_dict() == {
        "50 to 50 years": 60
    }


def test_what_the_cohort_lacks_is_one_row_that_says_so():
    table = strata_scores(PREDICTIONS, COHORT.drop(columns=["grade"]))
    for variable in ("grade", "lesion size"):
        (row,) = table[table["variable"] == variable].to_dict("records")
        assert row["n"] == row["events"] == 0 and np.isnan(row["auc"])
        assert row["reason"] == f"cannot be computed, because the cohort has no {variable}"


def test_classes_that_do_not_overlap_have_an_auc_without_interval():
    sex = rows_of(strata_scores(PREDICTIONS.assign(score=TRUTH), COHORT), "sex")
    assert sex.loc["F", "auc"] == 1 and np.isnan(sex.loc["F", "low"]) and "do not overlap" in sex.loc["F", "reason"]


def test_a_patient_of_two_scans_and_two_tests_counts_once():
    second = PREDICTIONS.assign(subject=PREDICTIONS["subject"] + "_2")
    visits = pd.concat([COHORT, COHORT.assign(subject=COHORT["subject"] + "_2", age_years=COHORT["age_years"] + 30)])
    twice = pd.concat([PREDICTIONS, second, PREDICTIONS.assign(repeat=1)])
    pd.testing.assert_frame_equal(strata_scores(twice, visits), strata_scores(PREDICTIONS, COHORT))


def test_a_stratum_of_few_wild_types_is_too_small_as_well():
    truth = np.where(np.arange(60) < 30, np.arange(60) >= 4, TRUTH)
    grade = rows_of(strata_scores(PREDICTIONS.assign(truth=truth), COHORT), "grade")
    assert "too small: 26 mutant and 4 wild-type" in grade.loc["LGG", "reason"] and grade.loc["HGG", "reason"] == ""


def test_a_scan_that_was_not_tested_says_nothing_about_its_patient():
    earlier = COHORT.assign(subject=COHORT["subject"] + "_0", grade="II", age_years=5)
    both = pd.concat([earlier, COHORT.sample(frac=1, random_state=0)])
    pd.testing.assert_frame_equal(strata_scores(PREDICTIONS, both), strata_scores(PREDICTIONS, COHORT))


def test_bad_tables_are_errors():
    with pytest.raises(ValueError, match="the tested patients in the cohort table; found no row for p03 .1 such"):
        strata_scores(PREDICTIONS, COHORT.drop(index=3))
    with pytest.raises(ValueError, match="years as a number, or empty; found 'old' for p00"):
        strata_scores(PREDICTIONS, COHORT.assign(age_years="old"))
    with pytest.raises(ValueError, match="score from 0 to 1"):
        strata_scores(PREDICTIONS.assign(score=np.nan), COHORT)
