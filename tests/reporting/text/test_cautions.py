"""What is said above the first number, and when nothing is."""

import pytest

from glioma_idh.evaluation.intervals import expected_auc_half_width
from glioma_idh.gbm2d.recipe import Recipe
from glioma_idh.reporting.text.cautions import cautions
from glioma_idh.runs import as_read
from glioma_idh.sgp3d.recipe import Recipe as SGPRecipe
from tests.reporting.text.small_run import LESIONS_ALONE, WORTH, run

MANY = WORTH | {
    "patients": WORTH["patients"] | {"num_tested": 100, "num_mutant": 17},
    "expected": {"num_patients": 100, "prevalence": 0.17, "auc": 0.8, "half_width": 0.13},
}


def settings(paper: str, **changed) -> dict:
    recipe = {"gbm2d": Recipe, "sgp3d": SGPRecipe}[paper](**changed)
    return {"recipe": as_read({"paper": paper, **vars(recipe)})}


@pytest.mark.parametrize("paper", ["gbm2d", "sgp3d"])
def test_nothing_is_said_of_the_papers_own_training_on_another_cohort_of_their_size(paper):
    assert cautions(run(settings(paper, cohort="mine.csv", seed=3), performance=MANY)) == []


def test_a_short_training_names_each_setting_beside_the_paper_s():
    said = cautions(run(settings("gbm2d", epochs=5, splits="kfold", num_splits=3), performance=MANY))
    assert said == [
        "The training differs from the published one: epochs 5 (published: 500); type of splits k-fold (published: "
        "random "
        "hold-out); number of splits 3 (published: 5)."
    ]
    (said,) = cautions(run(settings("sgp3d", epochs=5, shape=(64, 64, 64)), performance=MANY))
    assert said == (
        "The training differs from the published one: epochs 5 (default: 200; not published); input size in voxels "
        "64 x 64 x 64 (published: 144 x 144 x 144)."
    )
    assert cautions(run(settings("sgp3d", epochs=400), performance=MANY)) == []


def test_a_rival_is_held_to_what_it_shares_with_sgpnet():
    rival = {"network": "densenet3d", "targets": "idh"}
    assert cautions(run(settings("sgp3d", **rival, learning_rate=1.0, idh_learning_rate=1.0), performance=MANY)) == []
    assert "number of splits 2" in cautions(run(settings("sgp3d", **rival, num_splits=2), performance=MANY))[0]


def test_a_small_sample_says_who_and_how_wide():
    assert cautions(run(settings("gbm2d"), performance=WORTH)) == [
        "The sample is small: 5 patients tested, 2 of them IDH-mutant; if the true AUC is 0.8, its expected 95 % "
        "confidence interval is about ± 0.42."
    ]
    assert cautions(run({}, performance=WORTH)) == cautions(run(settings("gbm2d"), performance=WORTH))
    assert cautions(run({}, performance=MANY)) == []


@pytest.mark.parametrize(("num_patients", "mutants", "small"), [(100, 17, False), (121, 56, False), (40, 10, True)])
def test_the_cohorts_of_the_papers_are_not_small(num_patients, mutants, small):
    width = float(expected_auc_half_width(num_patients, mutants / num_patients))
    performance = MANY | {"expected": MANY["expected"] | {"half_width": width}}
    assert bool(cautions(run({}, performance=performance))) == small


def test_one_class_has_no_interval():
    reason = "cannot be computed, because there is but one class"
    (said,) = cautions(run({}, performance=WORTH | {"expected": {"reason": reason}}))
    assert said.endswith(f"the expected width of the confidence interval of the AUC {reason}.")


def test_masks_alone_have_no_auc_to_speak_of():
    assert cautions(run({}, performance=LESIONS_ALONE)) == ["The sample is small: 5 patients tested."]
    many = LESIONS_ALONE | {"patients": MANY["patients"]}
    assert cautions(run({}, performance=many)) == []
