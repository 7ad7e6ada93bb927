"""Every number about tables whose numbers are known, and of poor tables the words in its place."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from glioma_idh.evaluation.comparisons import Comparison
from glioma_idh.evaluation.performance import OF_SCORES, beats_baselines, count_patients, evaluate, prevalences

# 40 patients in four folds, ten of each; five mutants a fold. Scores are wrong about one mutant and one wild-type.
TRUTH = np.tile([1, 0], 20)
FOLD = np.repeat([0, 1, 2, 3], 10)
NAMES = [f"p{number:02}" for number in range(40)]
SCORE = np.where(TRUTH == 1, 0.8, 0.3) + np.arange(40) % 10 / 1000
SCORE[[0, 11]] = 0.1, 0.95
TABLE = pd.DataFrame(
    {"subject": NAMES, "patient": NAMES, "cohort": "c", "repeat": 0, "split": FOLD, "truth": TRUTH, "score": SCORE}
)
GRADE = np.where(np.arange(40) % 4 < 2, "LGG", "HGG")  # of each truth, half
COHORT = pd.DataFrame({"subject": NAMES, "patient": NAMES, "idh": TRUTH, "grade": GRADE})
COHORT = pd.concat([COHORT, COHORT.head(2).assign(subject=["x", "y"], patient=["x", "y"])], ignore_index=True)
COHORT.loc[41, "idh"] = np.nan
SPLITS = pd.concat(
    [
        pd.DataFrame({"subject": NAMES, "repeat": 0, "split": fold, "part": np.where(fold == FOLD, "test", "train")})
        for fold in range(4)
    ]
)


@pytest.fixture(scope="module")
def numbers_of_all():
    """Every number of the whole table."""
    return evaluate(TABLE, COHORT, SPLITS)


def reasons(numbers) -> list[str]:
    """All reasons that stand anywhere in the numbers."""
    if isinstance(numbers, dict):
        own = [numbers["reason"]] if numbers.get("reason") else []
        return own + [reason for entry in numbers.values() for reason in reasons(entry)]
    return [reason for entry in numbers for reason in reasons(entry)] if isinstance(numbers, list) else []


def unexplained(numbers) -> list:
    """Entries that hold a NaN and no reason beside it."""
    if isinstance(numbers, dict):
        bad = [name for name, entry in numbers.items() if isinstance(entry, float) and np.isnan(entry)]
        return [numbers] * bool(bad and not numbers.get("reason")) + [
            e for n in numbers.values() for e in unexplained(n)
        ]
    return [e for n in numbers for e in unexplained(n)] if isinstance(numbers, list) else []


def test_numbers_by_hand(numbers_of_all):
    numbers = numbers_of_all
    assert numbers["patients"] == {
        "num_tested": 40,
        "num_mutant": 20,
        "num_wild_type": 20,
        "num_never_tested": 1,  # x; of y nobody knows the truth
        "num_splits": 4,
        "tests_each": [1, 1],
        "folds_made": False,
    }
    lost = 20 + 19  # of 400 pairs: those of p00, and those of the other mutants with p11
    assert (
        numbers["auc"]["pooled"]["value"]
        == numbers["auc"]["pooled_bootstrap"]["value"]
        == pytest.approx(1 - lost / 400)
    )
    # Within folds p00 loses to all five of fold 0, and p11 wins over all five of fold 1: 10 of 4 x 25 pairs.
    assert numbers["auc"]["within_splits"]["value"] == 0.9 and numbers["auc"]["num_pairs"] == 100
    assert numbers["auc"]["mean_over_splits"]["value"] == pytest.approx(0.9) and numbers["auc"]["reversed"] is False
    assert numbers["brier"]["value"] == pytest.approx(np.square(SCORE - TRUTH).mean())
    assert numbers["log_loss"]["value"] == pytest.approx(-np.log(np.where(TRUTH == 1, SCORE, 1 - SCORE)).mean())
    for choice in ("0.5", "youden"):
        assert numbers["rates"][choice]["confusion"] == {"tp": 19, "tn": 19, "fp": 1, "fn": 1}
        assert numbers["rates"][choice]["sensitivity"]["value"] == 0.95
    thresholds = pd.DataFrame(numbers["thresholds"])
    assert thresholds["choice"].tolist() == ["youden"] * 4 + ["sensitivity 0.9"] * 4
    # Of the 15 other mutants 14 are 90 %; in folds 1 to 3 the missed one is among them, and 95 % would be all 15.
    assert thresholds["threshold"].tolist() == [0.8] * 8
    assert numbers["calibration"]["before"]["brier"] == pytest.approx(numbers["brier"]["value"])
    assert sum(row["n"] for row in numbers["reliability"]["platt"]) == 40
    assert numbers["decision"][49] == pytest.approx(
        {"threshold": 0.5, "network": (19 - 1) / 40, "treat_all": 0, "treat_none": 0}
    )
    assert [row["n"] for row in numbers["strata"] if row["variable"] == "grade"] == [20, 20]
    assert abs(numbers["baselines"]["grade"]["auc"]["value"] - 0.5) < 0.2
    assert numbers["baselines"]["grade"]["stage"] == "after surgery"
    assert numbers["beats_baselines"]["verdict"] == "beats all" and numbers["segmentation"] == {}
    assert numbers["prevalence"] == {"tests": 0.5, "patients": 0.5, "cohort": pytest.approx(21 / 41)}
    assert numbers["expected"]["num_patients"] == 40 and numbers["expected"]["prevalence"] == 0.5


@pytest.mark.integration
def test_who_is_missed_and_who_is_called_wrongly_are_told_apart():
    # Three mutants of fold 0 are missed, one wild-type of fold 1 is called: at one half.
    score = SCORE.copy()
    score[[0, 2, 4]] = 0.1
    numbers = evaluate(TABLE.assign(score=score), COHORT, SPLITS)
    assert numbers["rates"]["0.5"]["confusion"] == {"tp": 17, "tn": 19, "fp": 1, "fn": 3}
    assert numbers["average_precision"]["value"] == pytest.approx(average_precision_score(TRUTH, score))
    # 14 of the 15 other mutants: for fold 0 at 0.8, for the rest, whose others hold the missed ones, at 0.1.
    assert numbers["rates"]["sensitivity 0.9"]["confusion"] == {"tp": 2 + 15, "tn": 5 + 0, "fp": 15, "fn": 3}
    wanted = [row["threshold"] for row in numbers["thresholds"] if row["choice"] == "sensitivity 0.9"]
    assert wanted == [0.8, 0.1, 0.1, 0.1]
    youden = [row["threshold"] for row in numbers["thresholds"] if row["choice"] == "youden"]
    assert youden == [0.8] * 4


def test_the_width_that_was_to_be_expected_is_of_an_auc_of_0_8(numbers_of_all):
    # Hanley and McNeil by hand: Q1 = 2/3, Q2 = 1.28/1.8; 20 mutants and 20 wild-types.
    variance = (0.16 + 19 * (2 / 3 - 0.64) + 19 * (1.28 / 1.8 - 0.64)) / 400
    expected = numbers_of_all["expected"]
    assert expected["auc"] == 0.8 and expected["half_width"] == pytest.approx(1.959964 * np.sqrt(variance))


def test_baselines_learn_from_the_splits_that_are_given():
    no_training = SPLITS[(SPLITS["split"] != 0) | (SPLITS["part"] == "test")]
    numbers = evaluate(TABLE, COHORT, no_training)["baselines"]["grade"]
    reason = "cannot be computed, because the training set of repeat 0, split 0 is empty"
    assert numbers["auc"]["reason"] == numbers["difference"]["reason"] == reason


@pytest.mark.integration
def test_the_network_stands_first_in_every_difference(numbers_of_all):
    numbers = numbers_of_all["baselines"]
    assert numbers["majority"]["difference"]["difference"] == pytest.approx(0.4)
    below = evaluate(TABLE.assign(score=1 - SCORE), COHORT, SPLITS)
    assert below["auc"]["within_splits"]["value"] == pytest.approx(0.1) and below["auc"]["reversed"] is True
    assert below["baselines"]["majority"]["difference"]["difference"] == pytest.approx(-0.4)
    assert below["beats_baselines"]["worse"] == ["grade"] == below["beats_baselines"]["not_beaten"]


@pytest.mark.integration
def test_numbers_are_json_without_a_nan_that_has_no_reason():
    numbers = evaluate(TABLE.assign(dice=0.5), COHORT, SPLITS)
    assert not unexplained(numbers)
    again = json.loads(json.dumps(numbers))
    assert again["auc"]["pooled"] == numbers["auc"]["pooled"] and again["segmentation"]["dice"]["value"] == 0.5
    assert all(reason.startswith("cannot be computed, because ") for reason in reasons(again["strata"]))


@pytest.mark.integration
def test_a_table_of_another_program_with_three_columns_gets_folds_in_any_order():
    bare = TABLE[["subject", "truth", "score"]]
    numbers = evaluate(bare)
    assert numbers["patients"]["folds_made"] and numbers["patients"]["num_splits"] == 5
    assert numbers["rates"]["youden"]["confusion"] == {"tp": 19, "tn": 19, "fp": 1, "fn": 1}
    assert numbers["strata"] == {"reason": "cannot be computed, because there is no cohort table"}
    assert numbers["baselines"]["majority"]["auc"]["value"] == 0.5
    verdict = numbers["beats_baselines"]
    assert verdict["verdict"] == "cannot be computed" and "no baseline could be compared" in verdict["reason"]
    assert "grade, grade + age, grade + lesion volume, grade + age + lesion volume: cannot" in verdict["reason"]
    assert not unexplained(numbers)
    again = evaluate(bare.sample(frac=1, random_state=0))
    assert all(
        json.dumps(again[name]) == json.dumps(numbers[name])
        for name in ("rates", "thresholds", "auc", "average_precision")
    )


@pytest.mark.integration
def test_its_own_columns_are_the_cohort_table():
    table = TABLE[["subject", "truth", "score", "split"]].assign(grade=GRADE, site="a")
    numbers = evaluate(table)
    given = evaluate(TABLE, COHORT.head(40).assign(site="a"), SPLITS)
    assert json.dumps(numbers["strata"]) == json.dumps(given["strata"])
    assert abs(numbers["baselines"]["grade"]["auc"]["value"] - 0.5) < 0.2
    assert numbers["beats_baselines"]["verdict"] == "beats all"


def test_test_sets_of_another_prevalence_say_so_and_give_the_cohort_s():
    # Two hold-outs of 5 mutants and 5 wild-types each, of a cohort in which 10 of 50 are mutant.
    rows = [(repeat, 20 * repeat + place, int(place < 5)) for repeat in (0, 1) for place in range(10)]
    table = pd.DataFrame(rows, columns=["repeat", "number", "truth"]).assign(split=0)
    table["patient"] = table["subject"] = [f"q{number}" for number in table["number"]]
    table["score"] = np.tile([0.9, 0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1, 0.9, 0.9], 2)
    never = [f"r{number}" for number in range(30)]
    cohort = pd.concat([table.assign(idh=table["truth"]), pd.DataFrame({"subject": never, "patient": never, "idh": 0})])
    numbers = evaluate(table, cohort)
    assert numbers["prevalence"] == {"tests": 0.5, "patients": 0.5, "cohort": 0.2}
    # Sensitivity 0.8, specificity 0.6.
    at = numbers["rates"]["0.5"]["at_cohort_prevalence"]
    assert (at["ppv"], at["npv"], at["reason"]) == pytest.approx((0.16 / (0.16 + 0.32), 0.48 / (0.48 + 0.04), ""))
    assert numbers["rates"]["0.5"]["ppv"]["value"] == pytest.approx(8 / 12)
    half = numbers["decision_at_cohort_prevalence"][49]
    assert half["network"] == pytest.approx(0.16 - 0.32) and half["treat_all"] == pytest.approx(0.2 - 0.8)


def test_the_tests_of_repeats_count_each():
    repeats = pd.concat([TABLE, TABLE[TABLE["truth"] == 1].assign(repeat=1)])
    assert prevalences(repeats, COHORT.head(40)) == {"tests": 40 / 60, "patients": 0.5, "cohort": 0.5}


def test_segmentation_alone():
    table = TABLE.assign(score=np.nan, dice=0.8, hd95_mm=[np.nan, *range(1, 40)])
    numbers = evaluate(table, COHORT, SPLITS)
    assert numbers["segmentation"]["dice"]["value"] == pytest.approx(0.8)
    assert numbers["segmentation"]["hd95_mm"]["value"] == 20 and numbers["segmentation"]["num_without_hd95"] == 1
    assert numbers["patients"]["num_mutant"] == 20 and numbers["beats_baselines"]["verdict"] == "cannot be computed"
    assert all("contains no scores" in numbers[name]["reason"] for name in OF_SCORES)
    assert evaluate(table.drop(columns=["score", "cohort", "split"]))["patients"]["num_splits"] == 1


@pytest.mark.parametrize("truths", [0, 1, (np.arange(40) == 7).astype(int)], ids=["none", "all", "one"])
@pytest.mark.parametrize("bare", [False, True], ids=["folds", "bare"])
def test_one_class_or_one_mutant_gives_reasons_and_no_silent_nan(truths, bare):
    table = TABLE.assign(truth=truths)
    numbers = (
        evaluate(table[["subject", "truth", "score"]]) if bare else evaluate(table, COHORT.head(40).assign(idh=truths))
    )
    json.dumps(numbers)
    assert not unexplained(numbers) and not np.isnan(numbers["brier"]["value"])
    assert numbers["auc"]["within_splits"]["reason"] and numbers["average_precision"]["reason"]
    assert numbers["beats_baselines"]["verdict"] == "cannot be computed"
    assert numbers["rates"]["youden"]["confusion"]["reason"].startswith("cannot be computed, because only")
    one_class = np.ptp(np.broadcast_to(truths, 40)) == 0
    assert bool(one_class) == ("reason" in numbers["expected"])
    assert one_class or numbers["expected"]["prevalence"] == 1 / 40


def test_everybody_tested_by_every_network():
    outside = pd.concat([TABLE.assign(split=split, score=SCORE + shift) for split, shift in ((0, -0.05), (1, 0.05))])
    numbers = evaluate(outside, COHORT)
    assert numbers["patients"]["tests_each"] == [2, 2] and numbers["patients"]["num_splits"] == 2
    assert numbers["auc"]["within_splits"]["value"] == pytest.approx(1 - 39 / 400)  # one test set, of the mean score
    assert numbers["auc"]["num_pairs"] == 400
    assert "are outside the test set" in numbers["rates"]["youden"]["accuracy"]["reason"]
    assert "is empty" in numbers["baselines"]["grade"]["difference"]["reason"] and not unexplained(numbers)


def test_patients_who_are_tested_twice_or_never():
    holdouts = TABLE.assign(repeat=TABLE["split"], split=0)
    twice = pd.concat([holdouts, holdouts.head(3).assign(repeat=3)])
    counts = count_patients(twice, COHORT)
    assert counts["tests_each"] == [1, 2] and counts["num_splits"] == 4 and counts["num_never_tested"] == 1
    assert count_patients(twice)["num_never_tested"] == 0
    later = COHORT.assign(subject=COHORT["subject"] + "-2")  # of nobody the scan that was tested
    assert count_patients(twice, pd.concat([COHORT, later]))["num_never_tested"] == 1


def test_two_scans_in_one_test_are_one_patient_and_one_test():
    scans = pd.concat([TABLE, TABLE.head(3).assign(subject=["second 0", "second 1", "second 2"])])
    counts = count_patients(scans)
    assert counts["tests_each"] == [1, 1]
    assert (counts["num_tested"], counts["num_mutant"], counts["num_wild_type"]) == (40, 20, 20)


def baseline(difference, p, reason=""):
    return {"difference": Comparison(difference, np.nan, np.nan, p, reason)}


def test_verdict():
    better, luck, worse = baseline(0.2, 0.01), baseline(0.2, 0.06), baseline(-0.2, 0.01)
    none = baseline(np.nan, np.nan, "cannot be computed, because the cohort has no age_years")
    assert beats_baselines({"majority": better, "grade": better}) == {
        "verdict": "beats all",
        "not_beaten": [],
        "worse": [],
        "reason": "",
    }
    some = beats_baselines({"majority": better, "grade": luck, "age": worse})
    assert (some["not_beaten"], some["worse"]) == (["grade", "age"], ["age"])
    some = beats_baselines({"majority": better, "grade": better, "age": none, "grade + age": none})
    assert some["verdict"] == "beats all"
    assert some["reason"] == "age, grade + age: cannot be computed, because the cohort has no age_years"
    assert beats_baselines({"majority": better, "age": none})["verdict"] == "cannot be computed"
    assert beats_baselines({"majority": luck, "age": none})["verdict"] == "cannot be computed"
    assert beats_baselines({"grade": baseline(0.2, 0.05)})["not_beaten"] == ["grade"]
    assert beats_baselines({"grade": baseline(-0.2, 0.05)})["worse"] == []
    same = baseline(0.0, np.nan, "cannot be computed, because its variance is 0")
    assert beats_baselines({"majority": better, "grade": same})["not_beaten"] == ["grade"]


@pytest.mark.parametrize(
    "cohort, splits, message",
    [
        (COHORT[1:], None, "in the cohort table; found no row for p00 .1 such"),
        (COHORT.assign(idh=1), None, "same truth in predictions and cohort table; found 0 and idh 1.* for p01"),
        (COHORT.assign(idh=np.nan), None, "same truth in predictions and cohort table; found 1 and idh nan for p00"),
        (COHORT.assign(patient="p"), None, "same patient in predictions and cohort table; found p00 and patient p"),
        (pd.concat([COHORT, COHORT]), None, "one row per subject in the cohort table; found two rows for p00"),
        (None, SPLITS[SPLITS["subject"] != "p03"], "found p03 of repeat 0, split 0 only in the predictions .1 such"),
        (None, SPLITS.assign(repeat=1), "found p00 of repeat 0, split 0 only in the predictions .80 such"),
        (None, SPLITS.drop(columns="part"), "the column part in the splits"),
    ],
    ids=["missing", "truth", "unlabelled", "patient", "twice", "not tested", "other splits", "no part"],
)
def test_tables_that_do_not_match(cohort, splits, message):
    with pytest.raises(ValueError, match=message):
        evaluate(TABLE, cohort, splits)


@pytest.mark.parametrize(
    "table, message",
    [
        (TABLE.assign(score=2.0), "score from 0 to 1; found 2.0 for p00"),
        (TABLE.assign(score=[np.nan, *SCORE[1:]]), "score from 0 to 1; found nan for p00 .1 such"),
        (TABLE.assign(truth=["mutant", *TRUTH[1:]]), "numbers as truth; found 'mutant' for p00"),
        (TABLE.assign(split="a"), "numbers as split; found 'a' for p00"),
        (TABLE.assign(split=0.5), "a whole number as split; found 0.5 for p00"),
        (pd.concat([TABLE, TABLE]), "once in the tests of a split; found p00 twice in repeat 0, split 0"),
        (TABLE.assign(patient="p"), r"one label \(column truth\) per patient; found 0 and 1 for p"),
        (TABLE.assign(score=np.nan), "numbers in the column score or dice; found subject, patient"),
        (TABLE.drop(columns="truth"), "the column truth in the predictions"),
        (TABLE[:0], "rows in the predictions; found none"),
    ],
)
def test_a_table_that_cannot_be_used(table, message):
    with pytest.raises(ValueError, match=message):
        evaluate(table)


def many(num_patients):
    """A predictions table and a cohort table with everything in them."""
    random, names = np.random.default_rng(0), [f"p{number:05}" for number in range(num_patients)]
    truth = (random.random(num_patients) < 0.4).astype(int)
    score = 1 / (1 + np.exp(0.5 - truth - random.normal(size=num_patients)))
    own = {"subject": names, "patient": names}
    table = pd.DataFrame(own | {"repeat": 0, "split": np.arange(num_patients) % 5, "truth": truth, "score": score})
    volume = random.lognormal(3, 1, num_patients)
    table = table.assign(dice=score, hd95_mm=10 * score, lesion_ml=volume, predicted_ml=1.1 * volume)
    table = table.assign(num_lesions=2, num_lesions_found=1, num_false_lesions=0)
    grade = np.where(random.random(num_patients) < 0.3 + 0.4 * truth, "LGG", "HGG")
    sites = {"sex": random.choice(["F", "M"], num_patients), "site": random.choice(list("abcd"), num_patients)}
    age = 60 - 10 * truth + random.uniform(-20, 20, num_patients)
    return table, pd.DataFrame(own | {"idh": truth, "grade": grade, "age_years": age, "lesion_ml": volume} | sites)


@pytest.mark.slow
def test_of_ten_thousand_patients_the_two_intervals_are_one():
    numbers = evaluate(*many(10000))
    assert numbers["auc"]["pooled_bootstrap"] == pytest.approx(numbers["auc"]["within_splits"], abs=0.001)
