"""Baselines of cohorts in which what grade, age and volume know is known."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from statsmodels.stats.multitest import multipletests

from glioma_idh.evaluation.auc import auc_within_splits
from glioma_idh.evaluation.baselines import (
    AFTER,
    BASELINES,
    BEFORE,
    IMAGE,
    STAGES,
    baseline_predictions,
    compare_with_baselines,
)
from glioma_idh.evaluation.comparisons import compare_auc
from glioma_idh.evaluation.metrics import pooled_scores


def make_cohort(n=120, seed=0):
    """Mutants are younger by two standard deviations, mostly of low grade; the volume knows nothing."""
    random = np.random.default_rng(seed)
    idh = (np.arange(n) % 5 < 2).astype(int)
    names = [f"p{number:03}" for number in range(n)]
    grade = np.where(random.random(n) < np.where(idh == 1, 0.8, 0.1), "LGG", "HGG")
    age = 60 - 20 * idh + 10 * random.normal(size=n)
    sex = np.where(np.arange(n) % 2, "F", "M")
    columns = {"subject": names, "patient": names, "idh": idh, "sex": sex, "grade": grade}
    return pd.DataFrame(columns | {"age_years": age, "lesion_ml": random.lognormal(3, 1, n)})


def make_splits(cohort, folds=4):
    """Folds of neighbours, in whose every part both classes are."""
    fold_of = np.arange(len(cohort)) * folds // len(cohort)
    rows = [
        pd.DataFrame(
            {
                "subject": cohort["subject"],
                "repeat": 0,
                "split": fold,
                "part": np.where(fold_of == fold, "test", "train"),
            }
        )
        for fold in range(folds)
    ]
    return pd.concat(rows, ignore_index=True)


COHORT = make_cohort()
SPLITS = make_splits(COHORT)
AGE = ["subject", "patient", "idh", "age_years"]  # what the baseline of age alone reads


@pytest.fixture(scope="module")
def baselines():
    """Those of the cohort as it is."""
    return baseline_predictions(COHORT, SPLITS)


def test_every_baseline_tests_everybody_once(baselines):
    assert list(baselines) == list(BASELINES)
    for baseline in baselines.values():
        table = baseline.predictions
        assert list(table) == ["subject", "patient", "repeat", "split", "truth", "score"] and baseline.reason == ""
        assert sorted(table["subject"]) == sorted(COHORT["subject"])
        assert table["score"].between(0, 1).all()
        assert table.set_index("subject")["truth"].equals(COHORT.set_index("subject")["idh"].rename("truth"))
        tested = SPLITS[SPLITS["part"] == "test"].set_index("subject")["split"]
        assert (table.set_index("subject")["split"] == tested).all()


def test_they_know_what_was_planted(baselines):
    auc = {name: auc_within_splits(baseline.predictions).value for name, baseline in baselines.items()}
    assert (baselines["majority"].predictions["score"] == 0).all()
    assert auc["majority"] == 0.5
    assert pooled_scores(baselines["majority"].predictions)["accuracy"] == pytest.approx(0.6)
    assert auc["age"] == pytest.approx(0.92, abs=0.05)  # two sd apart: Phi(2 / sqrt(2))
    assert abs(auc["lesion volume"] - 0.5) < 0.15 and abs(auc["sex"] - 0.5) < 0.15
    assert auc["grade + age"] > max(auc["grade"], auc["age"])
    # Each fold of 30 tests 12 mutants and 18 wild-types; of a grade's pairs, ties count half.
    low, fold, won = COHORT["grade"] == "LGG", np.arange(120) // 30, 0
    for one in range(4):
        mutant, wild_type = (low[(fold == one) & (COHORT["idh"] == label)].mean() for label in (1, 0))
        won += (mutant * (1 - wild_type) + 0.5 * (mutant * wild_type + (1 - mutant) * (1 - wild_type))) / 4
    assert auc["grade"] == pytest.approx(won)


def test_age_is_imputed_and_standardised_by_the_training_part_alone():
    cohort = COHORT.copy()
    cohort.loc[[3, 50], "age_years"] = np.nan
    train = SPLITS.query("split == 0 and part == 'train'")["subject"]
    learnt = cohort["subject"].isin(train)
    age = cohort["age_years"].fillna(cohort.loc[learnt, "age_years"].median())
    age = (age - age[learnt].mean()) / age[learnt].std(ddof=0)
    model = LogisticRegression(solver="newton-cholesky").fit(age[learnt].to_frame(), cohort.loc[learnt, "idh"])
    expected = model.predict_proba(age[~learnt].to_frame())[:, 1]
    found = baseline_predictions(cohort[AGE], SPLITS)["age"].predictions.query("split == 0")["score"]
    assert found.to_numpy() == pytest.approx(expected, abs=1e-9)


def test_a_test_subject_s_own_label_and_age_teach_nothing(baselines):
    other = COHORT.assign(idh=COHORT["idh"].where(COHORT.index != 0, 1 - COHORT["idh"]))
    other.loc[1, "age_years"] = 99
    others = baseline_predictions(other[AGE], SPLITS)
    scores = [of["age"].predictions["score"] for of in (baselines, others)]
    same = scores[0] == scores[1]
    assert same[0] and not same[1] and same[2:30].all() and not same[30:].any()


def test_all_three_together_are_a_logistic_regression_on_all_three():
    cohort = COHORT.assign(lesion_ml=COHORT["lesion_ml"] * (1 + 2 * COHORT["idh"]))
    cohort.loc[4, "grade"] = ""
    learnt = cohort["subject"].isin(SPLITS.query("split == 2 and part == 'train'")["subject"])
    commonest = cohort.loc[learnt & (cohort["grade"] != ""), "grade"].mode()[0]
    grade = cohort["grade"].replace("", commonest)
    columns = {"high": grade == "HGG", "low": grade == "LGG"}
    for name in ("age_years", "lesion_ml"):
        columns[name] = (cohort[name] - cohort.loc[learnt, name].mean()) / cohort.loc[learnt, name].std(ddof=0)
    columns = pd.DataFrame(columns).astype(float)
    model = LogisticRegression(C=1.0, solver="newton-cholesky").fit(columns[learnt], cohort.loc[learnt, "idh"])
    found = baseline_predictions(cohort, SPLITS)["grade + age + lesion volume"].predictions.query("split == 2")["score"]
    assert found.to_numpy() == pytest.approx(model.predict_proba(columns[~learnt])[:, 1], abs=1e-5)


def test_the_majority_of_a_training_part_is_answered_without_a_doubt():
    mutants = COHORT.assign(idh=1 - COHORT["idh"])  # three of five
    assert (baseline_predictions(mutants[AGE[:3]], SPLITS)["majority"].predictions["score"] == 1).all()


def test_a_test_patient_s_label_does_not_enter_a_grade_s_score_either(baselines):
    labels = COHORT.assign(idh=COHORT["idh"].where(COHORT.index >= 30, 1 - COHORT["idh"]))  # all of fold 0
    other = baseline_predictions(labels, SPLITS, ["majority", "grade"])
    for name in other:
        ours, theirs = (of[name].predictions.query("split == 0")["score"] for of in (baselines, other))
        assert ours.to_numpy() == pytest.approx(theirs.to_numpy())


def test_a_network_that_is_the_grade_does_not_differ_from_it(baselines):
    score = np.where(COHORT["grade"] == "LGG", 0.9, 0.2)
    network = baselines["grade"].predictions.copy()
    network["score"] = network["subject"].map(dict(zip(COHORT["subject"], score, strict=True)))
    assert compare_with_baselines(network, baselines)["grade"][:4] == (0, 0, 0, 1)


def test_text_gives_what_numbers_do():
    cohort = COHORT.assign(grade=np.where(COHORT["grade"] == "LGG", 2.0, 4.0))
    cohort.loc[[5, 9], ["grade", "lesion_ml"]] = np.nan
    text = cohort.astype({"idh": str}).assign(grade=cohort["grade"].map({2.0: "2", 4.0: "4"}).fillna(""))
    for column in ("age_years", "lesion_ml"):
        text[column] = ["" if np.isnan(number) else repr(float(number)) for number in cohort[column]]
    ours, other = (baseline_predictions(table, SPLITS[SPLITS["split"] < 2]) for table in (cohort, text))
    for name, baseline in ours.items():
        pd.testing.assert_frame_equal(baseline.predictions, other[name].predictions)


@pytest.mark.filterwarnings("error")
def test_a_grade_nobody_was_trained_on_and_empty_cells_pass():
    cohort = COHORT.copy()
    cohort.loc[0, "grade"] = "5"
    cohort.loc[1, "grade"] = ""
    cohort = cohort.drop(columns=["age_years", "lesion_ml"])
    assert baseline_predictions(cohort, SPLITS)["grade"].predictions["score"].notna().all()


def test_unlabelled_subjects_are_left_out():
    some = COHORT.astype({"idh": float})
    some.loc[[0, 40], "idh"] = np.nan
    assert len(baseline_predictions(some[AGE], SPLITS)["age"].predictions) == 118


@pytest.mark.parametrize(
    "cohort, name, reason",
    [
        (COHORT.drop(columns="grade"), "grade", "the cohort has no grade"),
        (COHORT.assign(age_years=""), "grade + age", "the cohort has no age_years"),
        (COHORT.assign(lesion_ml=np.nan), "grade + age + lesion volume", "the cohort has no lesion_ml"),
        (COHORT.assign(grade="HGG"), "grade", "grade has only one value, HGG"),
        (
            COHORT.assign(grade=np.where(COHORT.index < 30, COHORT["grade"], "")),
            "grade",
            "the training set of repeat 0, split 0 has fewer than two values of grade",
        ),
        (
            COHORT.assign(idh=np.where(COHORT.index < 30, COHORT["idh"], 0)),
            "majority",
            "the training set of repeat 0, split 0 has fewer than two values of IDH status",
        ),
    ],
    ids=["no column", "empty text", "empty", "constant", "one in training", "one class"],
)
def test_what_cannot_be_learnt_says_why(cohort, name, reason):
    baseline = baseline_predictions(cohort, SPLITS)[name]
    assert baseline.reason == f"cannot be computed, because {reason}" and baseline.predictions.empty
    assert list(baseline.predictions) == ["subject", "patient", "repeat", "split", "truth", "score"]


@pytest.mark.parametrize(
    "cohort, splits, message",
    [
        (COHORT.drop(index=7), SPLITS, "subjects of the splits in the cohort table; found no row for p007 .1 such"),
        (COHORT.assign(age_years="old"), SPLITS, "age_years as a number of at least 0, or empty; found 'old' for p000"),
        (COHORT.assign(lesion_ml=-1), SPLITS, "lesion_ml as a number of at least 0, or empty; found '-1' for p000"),
        (COHORT.assign(idh=2), SPLITS, "idh as 0, 1 or empty; found '2' for p000"),
        (COHORT.assign(idh=""), SPLITS, "test subjects with an IDH status; found none"),
        (COHORT.assign(patient="p"), SPLITS, "patient p in both in repeat 0, split 0"),
        (pd.concat([COHORT, COHORT[:1]]), SPLITS, "one row per subject in the cohort table; found two rows for p000"),
        (COHORT, pd.concat([SPLITS, SPLITS[:1]]), "p000 twice in repeat 0, split 0"),
        (COHORT, SPLITS.drop(columns="part"), "expected the column part in the splits"),
    ],
)
def test_tables_that_do_not_match_are_errors(cohort, splits, message):
    with pytest.raises(ValueError, match=message):
        baseline_predictions(cohort, splits)


@pytest.mark.integration
def test_a_network_is_compared_with_each_and_p_is_holm_s():
    baselines = baseline_predictions(COHORT.drop(columns="lesion_ml"), SPLITS)
    network = baselines["age"].predictions.sample(frac=1, random_state=0)
    random = np.random.default_rng(0)
    network["score"] = (0.7 * network["truth"] + random.random(120)) / 1.7
    comparisons = compare_with_baselines(network, baselines)
    able = ["age", "sex", "age + sex", "grade", "grade + age"]
    assert comparisons["majority"] == compare_auc(network, baselines["majority"].predictions)  # outside Holm
    alone = [compare_auc(network, baselines[name].predictions) for name in able]
    assert [comparisons[name].p for name in able] == pytest.approx(
        multipletests([c.p for c in alone], method="holm")[1]
    )
    assert [comparisons[name][:3] for name in able] == [comparison[:3] for comparison in alone]
    assert comparisons["majority"].difference == pytest.approx(auc_within_splits(network).value - 0.5)
    assert comparisons["lesion volume"].reason == "cannot be computed, because the cohort has no lesion_ml"
    with pytest.raises(ValueError, match="the same patients"):
        compare_with_baselines(network[1:], baselines)
    with pytest.raises(ValueError, match="score from 0 to 1"):
        compare_with_baselines(network.assign(score=2), baselines)


def test_grade_and_volume_are_there_without_an_age():
    without_age = baseline_predictions(COHORT.drop(columns="age_years"), SPLITS)
    both, grade = (
        auc_within_splits(without_age[name].predictions).value for name in ("grade + lesion volume", "grade")
    )
    assert not without_age["grade + lesion volume"].reason and both == pytest.approx(grade, abs=0.06)
    assert without_age["age + sex"].reason == "cannot be computed, because the cohort has no age_years"


def test_baselines_stand_in_the_order_in_which_a_clinic_knows_them():
    assert list(dict.fromkeys(STAGES.values())) == [BEFORE, IMAGE, AFTER]
    assert {name for name, stage in STAGES.items() if stage == AFTER} == {name for name in BASELINES if "grade" in name}
    assert [name for name, stage in STAGES.items() if stage == BEFORE] == ["majority", "age", "sex", "age + sex"]


def test_majority_knows_nothing_even_where_folds_differ():
    # Each fold tests patients of mostly one class, so that its training part is mostly of the other one.
    order = COHORT[AGE[:3]].assign(idh=(np.arange(120) % 60 < 40).astype(int) ^ (np.arange(120) >= 60))
    majority = baseline_predictions(order, SPLITS)["majority"].predictions
    assert majority["score"].nunique() == 2 and auc_within_splits(majority).value == 0.5
