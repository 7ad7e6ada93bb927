"""Checklists: every published item once, answered by what a run knows, else left to the authors."""

import pandas as pd
import pytest

from glioma_idh.reporting.text.facts import CHECKLISTS, answer, checklist_table, limits, read_items, run_facts
from glioma_idh.reporting.text.model_card import model_card
from tests.reporting.text.small_run import (
    COHORT,
    EXCLUSIONS,
    LESIONS_ALONE,
    PHANTOMS,
    SGPNET,
    SLICE_CNN,
    SPLITS,
    WORTH,
    estimate,
    run,
    with_settings,
)

TRIPOD_AI = (
    "1 2 3a 3b 3c 4 5a 5b 6a 6b 6c 7 8a 8b 8c 9a 9b 9c 10 11 12a 12b 12c 12d 12e 12f 12g 13 14 15 16 17 18a 18b 18c "
    "18d 18e 18f 19 20a 20b 20c 21 22 23a 23b 24 25 26 27a 27b 27c"
)
NUMBERS = {
    "claim_2024": [str(number) for number in range(1, 45)],
    "tripod_ai": TRIPOD_AI.split(),
    "metrics": [str(number) for number in range(1, 31)],
}
RUNS = {
    "sgp3d": (SGPNET, COHORT, SPLITS, WORTH, EXCLUSIONS),
    "gbm2d": (SLICE_CNN, PHANTOMS, SPLITS, WORTH, EXCLUSIONS.iloc[:0]),
    "lesions": (with_settings(SGPNET, targets="segmentation"), COHORT, SPLITS, LESIONS_ALONE),
    "table": ({}, COHORT, SPLITS.iloc[:0], WORTH),
    "nothing": ({}, COHORT, SPLITS.iloc[:0], {}),
}


def answers(name, kind):
    return checklist_table(name, run_facts(run(*RUNS[kind]))).set_index("item")["answer"]


@pytest.mark.parametrize("name", CHECKLISTS)
def test_every_published_item_is_there_once_in_its_order(name):
    items = read_items(name)
    assert items["item"].tolist() == NUMBERS[name] and len(items) == CHECKLISTS[name].num_items
    assert (items["what"].str.len() > 0).all() and items["what"].is_unique


@pytest.mark.parametrize("name", CHECKLISTS)
def test_every_topic_named_is_one_that_a_run_can_know(name):
    known = set(run_facts(run(*RUNS["sgp3d"]))) | set(run_facts(run(*RUNS["gbm2d"])))
    assert set(" ".join(read_items(name)["facts"]).split()) <= known


@pytest.mark.parametrize("kind", RUNS)
@pytest.mark.parametrize("name", CHECKLISTS)
def test_no_answer_holds_a_hole(name, kind):
    for text in answers(name, kind):
        assert text and not any(hole in text for hole in ("nan", "None", "{", "  ", ".."))


def test_an_answer_is_what_is_known_and_then_the_authors():
    facts = {"source": "Five patients.", "centres": ""}
    assert answer(["source", "centres"], "", facts) == "Five patients."
    assert answer(["source"], "dates", facts) == "Five patients. To be completed by the authors: dates."
    assert answer(["centres", "auc"], "dates", facts) == "To be completed by the authors: dates."
    assert answer([], "", facts) == "To be completed by the authors."


def test_without_facts_all_is_for_the_authors():
    for name in CHECKLISTS:
        assert checklist_table(name, {})["answer"].str.startswith("To be completed by the authors").all()


def test_what_a_run_answers():
    claim = answers("claim_2024", "sgp3d")
    assert claim["1"].startswith("Deep learning: a 3D convolutional neural network. To be completed by the authors")
    assert "5 patients (2 with" in claim["35"] and "3 subjects were excluded" in claim["35"]
    assert claim["20"].startswith(
        "The splits were made by patient: no patient was in both the training set and the test"
    )
    assert claim["36"].startswith(
        "Grade: HGG in 2 patients (0 IDH-mutant), LGG in 3 patients (2 IDH-mutant). Age: median 55 years (range 30 to "
        "70), known for 4 patients. Not available: sex."
    )
    assert claim["37"].startswith(
        "5 patients tested (2 IDH-mutant). Estimates with 95 % CIs: AUC within splits 0.75 (0.50 to 0.95), average prec"
    )
    assert (
        "Segmentation: Dice 0.80 (0.70 to 0.90), volume error (predicted minus reference) -3.00 (-5.00 to -1.00) ml."
        in claim["37"]
    )
    assert "within grade LGG (n = 3, 2 IDH-mutant) 0.50 (0.10 to 0.90). Groups too small for an AUC: 1." in claim["37"]
    assert (
        "Calibration after temperature scaling: cannot be computed, because there is but one class. Calibration after"
        in claim["38"]
    )
    assert claim["39"].startswith(
        "At a threshold of 0.5, 1 of 2 IDH-mutant patients were predicted to be wild-type, and 1 of 3 IDH-wild-type"
    )
    assert claim["44"] == "To be completed by the authors."
    metrics = answers("metrics", "gbm2d")
    assert metrics["25"] == (
        "Each difference in AUC is that of the network minus that of the baseline. Majority class (the same score for "
        "every patient of a test set): AUC 0.50 (0.50 to 0.50), difference +0.25 (+0.00 to +0.50), p < 0.001. Lesion "
        "volume: AUC 0.60 (0.30 to 0.80), difference +0.15 (-0.10 to +0.40), p = 0.30. Grade: AUC 0.80 (0.60 to 1.00), "
        "difference -0.05 (-0.20 to +0.10), p = 0.52. Not available: age."
    )
    assert metrics["23"] == "The network used a single sequence."
    assert metrics["26"].startswith("Repeated random hold-out test sets") and metrics["14"].startswith("Not applicable")
    assert answers("tripod_ai", "sgp3d")["23b"] == "To be completed by the authors."  # only one site was large enough
    assert "is about ± 0.42." in answers("tripod_ai", "sgp3d")["10"]


def test_a_patient_of_two_examinations_is_characterised_once_as_at_the_first():
    later = COHORT.iloc[:1].assign(subject="a2", grade="HGG", age_years=90.0)
    assert run_facts(run(SGPNET, pd.concat([COHORT, later]), SPLITS, WORTH))["characteristics"] == (
        "Grade: HGG in 2 patients (0 IDH-mutant), LGG in 3 patients (2 IDH-mutant). Age: median 55 years (range 30 to "
        "70), known for 4 patients. Not available: sex."
    )


def test_one_hold_out_is_not_called_repeated():
    recipe = with_settings(SLICE_CNN, num_splits=1)
    facts = run_facts(run(recipe, PHANTOMS, SPLITS, WORTH))
    assert facts["internal"] == "One random hold-out test set." and "several test sets" not in facts["ensemble"]
    assert "several test sets" in run_facts(run(SLICE_CNN, PHANTOMS, SPLITS, WORTH))["ensemble"]


def test_a_table_alone_claims_nothing_of_a_training():
    tripod = answers("tripod_ai", "table")
    for item in ("12c", "16", "22", "27b", "18f"):
        assert tripod[item].startswith("To be completed by the authors")
    assert tripod["23a"].startswith("5 patients tested")


def test_limits_say_the_gravest_first():
    found = limits(run(SGPNET, cohort=COHORT, performance=WORTH))
    assert found[:4] == [
        "The AUC of the network is not significantly higher than that of lesion volume and grade alone.",
        "With 5 patients (2 IDH-mutant), the 95 % CI of the AUC ranges from 0.50 to 0.95.",
        "The network is overconfident: calibration slope 0.40 (95 % CI 0.20 to 0.60); 1 is ideal.",
        "1 of 2 groups of patients is too small for a separate AUC.",
    ]
    assert found[4] == "Sex of the patients is not available."
    assert limits(run(SLICE_CNN, cohort=PHANTOMS, performance={}))[0].startswith("The cohort is synthetic")
    assert "The network can be applied only to patients with a lesion mask." in limits(
        run(SLICE_CNN, cohort=COHORT, performance=WORTH)
    )


@pytest.mark.parametrize(("content", "where"), [(SGPNET, "Scans were"), (SLICE_CNN, "Scans without a brain mask were")])
def test_scans_with_skull_are_a_limit_and_stand_in_methods_and_model_card(content, where):
    meant = with_settings(content, with_skull=True)
    said = f"{where} not checked for a skull, noise or a grey background"
    assert any(limit.startswith(said) for limit in limits(run(meant, cohort=COHORT, performance=WORTH)))
    assert said in model_card(run(meant, performance=WORTH, cohort=COHORT)) and said not in model_card(
        run(content, performance=WORTH, cohort=COHORT)
    )
    brain = run_facts(run(meant, COHORT, SPLITS, WORTH))["brain"]
    assert f"{where} not required to be skull-stripped." in brain
    assert "skull" not in run_facts(run(content, COHORT, SPLITS, WORTH))["brain"]


def test_what_is_no_limit_is_not_told():
    calibrated = {"before": WORTH["calibration"]["before"] | {"slope": estimate(0.9, 0.6, 1.2)}}
    good = {"verdict": "beats all", "not_beaten": [], "reason": ""}
    text = " ".join(
        limits(run(SGPNET, cohort=COHORT, performance=WORTH | {"calibration": calibrated, "beats_baselines": good}))
    )
    assert "confident" not in text and "higher" not in text and "baseline" not in text
    timid = {"before": WORTH["calibration"]["before"] | {"slope": estimate(1.9, 1.6, 2.2)}}
    assert "underconfident" in " ".join(limits(run(SGPNET, cohort=COHORT, performance=WORTH | {"calibration": timid})))


def test_what_was_trained_is_told_of_each_kind_of_network():
    def facts(content, **settings):
        return run_facts(run(with_settings(content, **settings), COHORT, SPLITS, WORTH))

    whole, slices, rival = facts(SGPNET), facts(SLICE_CNN), facts(SGPNET, network="resnet2d", targets="idh")
    assert "3D" in whole["kind"] and "2D" in slices["kind"] and "2D" in rival["kind"]
    assert "sgp3d.predict" in whole["applied"] and whole["applied"].endswith("FLAIR on the same grid, skull-stripped.")
    assert rival["applied"].endswith("skull-stripped, and a lesion mask.") and "gbm2d.predict" in slices["applied"]
    assert "occlude" in whole["explained"] and not slices.get("explained") and not rival["explained"]
    assert not facts(SGPNET, targets="segmentation")["explained"]
    assert whole["internal"].startswith("Cross-validation: each patient was tested once")
    assert "hash 0123abcd" in whole["settings"] and "glioma_idh 0.1.0" in whole["availability"]
    assert whole["centres"] == "The cohort table lists 2 sites."
    some = run_facts(run(SGPNET, COHORT.assign(site=["X", "X", "Y", "", None]), SPLITS, WORTH))
    assert some["centres"] == "The cohort table lists 2 sites."  # not known is none of them
    assert "single sequence" in slices["sequences"] and "four sequences" in whole["sequences"]
