"""The methods section says what a run's recipe and tables say, and no more."""

from dataclasses import asdict

import jinja2.meta
import pandas as pd
import pytest

from glioma_idh import runs
from glioma_idh.gbm2d.recipe import Recipe as SliceRecipe
from glioma_idh.papers import find_paper
from glioma_idh.reporting.text import facts
from glioma_idh.reporting.text.facts import SECTIONS, methods_text, run_facts
from glioma_idh.reporting.text.templates import ENVIRONMENT, TEXTS, render_topics
from glioma_idh.sgp3d.recipe import TARGETS
from glioma_idh.sgp3d.recipe import Recipe as VolumeRecipe
from tests.reporting.text import small_run
from tests.reporting.text.small_run import (
    COHORT,
    EXCLUSIONS,
    PHANTOMS,
    SGPNET,
    SLICE_CNN,
    SPLITS,
    WORTH,
    method_of,
    run,
    statistics_of,
    with_settings,
)

RECIPES = {"gbm2d": SliceRecipe(), "sgp3d": VolumeRecipe()}


def test_a_whole_section_of_the_3d_method():
    text = methods_text(run(SGPNET, COHORT, SPLITS, WORTH, EXCLUSIONS))
    assert [paragraph.split(". ")[0] for paragraph in text.split("\n\n")] == list(SECTIONS)
    for said in (
        "the patients of The Cancer Genome Atlas (TCGA) in the BraTS 2020 training set: 5 patients (2 with an "
        "IDH-mutant and 3 with an IDH-wild-type glioma)",
        'for IDH-mutant, "R132H" (2); for IDH-wild-type, "none found" (2) and "not recorded" (1)',
        "3 subjects were excluded: expected IDH status, found an empty label (2); expected a lesion, found an empty "
        "mask (1).",
        "resampled to 32 x 48 x 64 voxels",
        "trained for 60 epochs with a batch size of 2 subjects.",
        "from 0.001 for the backbone and the segmentation block and from 0.00005 for the IDH block.",
        "shifted with probability 0.5 by up to 10 % of the length of each axis",
        "divided at random into 2 folds, stratified by IDH status (random seed 7)",
        "no patient was in both the training set and the test set of one split",
        "Each training set had 2 to 3 patients (1 IDH-mutant) and each test set had 2 to 3 patients (1 IDH-mutant).",
        "input size in voxels 32 x 48 x 64 (published: 144 x 144 x 144); number of splits 2 (published: 5); learning "
        "rate "
        "0.001 (published: 0.0001). Settings not",
        "before and after recalibration by temperature scaling and Platt scaling",
        "(AUC) within splits: only patients tested by the same network were compared",
        "95 % confidence interval (CI) was computed on the logit scale",
        "the majority class of the training set and logistic regressions on: lesion volume; grade.",
        "p values were corrected for 2 comparisons by the method of Holm",
        "Python 3.12.1, glioma_idh 0.1.0 and Keras 3.15.1",
    ):
        assert said in text
    assert "ynthetic" not in text and "Dropout was not used" not in text and "on age" not in text and "age;" not in text


def test_a_whole_section_of_the_2d_method_on_phantoms():
    text = methods_text(run(SLICE_CNN, PHANTOMS, SPLITS, WORTH))
    for said in (
        "Patients. Synthetic phantom cohort: no clinical result. The cohort was the built-in synthetic phantom: 5 "
        "synthetic patients",
        "the genotype from which each synthetic patient had been generated",
        "one sequence, T1Gd (contrast-enhanced T1-weighted).",
        "The brain was defined by the brain masks supplied with the cohort.",
        "4 blocks, each with a 3 x 3 convolution (16, 32, 64 and 64 filters)",
        "random angle, drawn uniformly from the range 0 to 90 degrees",
        "In each of 3 independent splits, 20 % of the patients were drawn at random as the test set (random seed 0). "
        "Each draw was repeated until the test set contained at least 5 IDH-mutant patients",
        "number of splits 3 (published: 5)",
    ):
        assert said in text
    assert "excluded" not in text  # the run does not say whether any subject was


@pytest.mark.parametrize("content", [SGPNET, SLICE_CNN], ids=["sgp3d", "gbm2d"])
def test_what_an_older_run_does_not_say_is_left_out(content):
    whole = method_of(content)
    for name in set(content["recipe"]) - {"paper"}:
        older = method_of(with_settings(content, **{name: None}))
        assert "None" not in str(older) and "{" not in str(list(older.values()))
        for topic, text in older.items():
            if topic in ("differences", "ensemble", "load"):  # one sentence of many settings, or code
                continue
            assert {part.rstrip(".") for part in text.split(". ")} - {""} <= set(whole[topic].rstrip(".").split(". "))


def test_without_recipe_or_numbers_the_tables_still_speak():
    text = methods_text(run({}, COHORT, SPLITS.iloc[:0], {}))
    assert text.startswith("Patients. The cohort comprised 5 patients (2 with") and text.count("\n\n") == 0
    assert statistics_of({}) == dict.fromkeys(statistics_of(WORTH), "")


def test_every_topic_of_the_text_is_known():
    known = run_facts(run(SGPNET, COHORT, SPLITS, WORTH, EXCLUSIONS)) | run_facts(run(SLICE_CNN, COHORT, SPLITS, WORTH))
    assert {topic for topics in SECTIONS.values() for topic in topics} <= set(known)


@pytest.mark.parametrize("paper", ["gbm2d", "sgp3d"])
def test_the_recipes_defaults_are_what_the_papers_print(paper):
    defaults = runs.as_read(asdict(RECIPES[paper]))
    assert find_paper({"paper": paper}).recipe == RECIPES[paper]
    text = method_of({"recipe": {"paper": paper, **defaults}})["differences"]
    assert text.startswith("All settings stated in the original publication were used unchanged. Settings not stated")
    del defaults["learning_rate"]  # as of an older run: it cannot be said
    assert method_of({"recipe": {"paper": paper, **defaults}})["differences"].startswith("Settings not stated")


@pytest.mark.parametrize("network", TARGETS)
def test_every_network_and_target_of_the_3d_paper_has_its_words(network):
    for targets in TARGETS[network]:
        said = method_of(with_settings(SGPNET, network=network, targets=targets))
        assert all(said[topic] for topic in ("network", "output", "loss", "optimiser"))
        assert ("IDH mutation" in said["output"]) == (targets != "segmentation")
        assert ("random binary masks" in said["loss"]) == (targets == "random-masks")
        assert ("A voxel was classified as lesion" in said["output"]) == (targets in ("both", "segmentation"))
        name = {"sgpnet": "SGPNet", "unet3d": "U-Net", "densenet3d": "DenseNet", "resnet2d": "residual network"}[
            network
        ]
        assert name in said["network"].split(" after ")[0]
        assert ("Dice" in said["loss"]) == (targets != "idh") and ("k L2" in said["loss"]) == (
            targets in ("both", "random-masks")
        )
        assert ("IDH block" in said["optimiser"]) == bool(said["regularisation"]) == (network == "sgpnet")


def test_switches_of_the_3d_recipe():
    settings = {"detach_k": True, "dropout": 0.0, "shift_fraction": 0.0, "standardise_features": True}
    said = method_of(with_settings(SGPNET, **settings))
    assert said["loss"].endswith("The weight k was treated as a constant in the gradient.")
    assert said["regularisation"].startswith("Dropout was not used. The pooled features were standardised")
    assert "shifted" not in said["augmentation"]


def test_a_patient_on_both_sides_is_told():
    visits = pd.concat([COHORT, COHORT.iloc[:1].assign(subject="a2")])
    more = pd.DataFrame({"subject": ["a2"], "repeat": 0, "split": 0, "part": "train"})
    text = methods_text(run(SGPNET, visits, pd.concat([SPLITS, more]), WORTH))
    assert "In 1 case, a patient was in both the training set and the test set of one split." in text
    assert "6 examinations of 5 patients" in text and "no patient was" not in text


def test_unlabelled_subjects_and_patients_never_tested_are_counted():
    cohort = COHORT.assign(idh=[1, 1, 0, 0, float("nan")])
    splits = SPLITS.assign(part=SPLITS["part"].where(SPLITS["subject"] != "e1", "train"))  # in both splits
    people = WORTH["patients"] | {"tests_each": [1, 2], "num_never_tested": 3}
    said = run_facts(run(SGPNET, cohort, splits, WORTH | {"patients": people}))
    assert "2 with an IDH-mutant and 2 with an IDH-wild-type glioma, 1 with unknown IDH status" in said["source"]
    assert said["unlabelled"].startswith("1 subject without a known IDH status was used")
    assert said["scoring"] == (
        "The score of a patient was the mean over the 1 to 2 test sets that included the patient. 3 patients were in "
        "no "
        "test set and had no score."
    )


def test_no_folder_of_the_users_is_told():
    recipe = with_settings(SGPNET, cohort="/home/somebody/cohorts/mine.csv", images="/home/somebody/scans")
    text = methods_text(run(recipe, COHORT, SPLITS, WORTH))
    assert "the table mine.csv: 5 patients" in text and "somebody" not in text
    assert "cohort mine.csv (published: brats2020-tcga)" in text


def test_a_network_of_segmentation_alone_has_no_words_of_scores():
    said = run_facts(run(with_settings(SGPNET, targets="segmentation"), COHORT, SPLITS, small_run.LESIONS_ALONE))
    silent = ("scoring", "discrimination", "thresholds", "calibration", "decision", "strata", "baselines")
    assert not any(said[topic] for topic in silent)
    assert said["segmentation"].startswith(
        "Segmentation was evaluated by the Dice coefficient on the patient's own grid and the volume"
    )


def test_each_setting_of_the_2d_method_stands_in_its_own_sentence():
    odd = {"size": 71, "filters": [3, 5, 7], "units": [11, 13], "learning_rate": 0.017, "batch_size": 19, "epochs": 23}
    odd |= {"rotation_deg": [-29.0, 31.0], "test_fraction": 0.37, "num_splits": 41, "min_test_mutants": 43, "seed": 47}
    said = method_of(with_settings(SLICE_CNN, sequence=["flair"], **odd))
    assert said["images"].startswith("The input of the network was one sequence, FLAIR (")
    assert "resampled to 71 x 71 pixels" in said["part"]
    assert "3 blocks, each with a 3 x 3 convolution (3, 5 and 7 filters)" in said["network"]
    assert "fully connected layers of 11 and 13 units" in said["network"]
    assert said["optimiser"] == (
        "The network was trained for 23 epochs with the Adam optimiser (learning rate 0.017, batch size 19)."
    )
    assert "drawn uniformly from the range -29 to 31 degrees" in said["augmentation"]
    assert said["splits"] == (
        "In each of 41 independent splits, 37 % of the patients were drawn at random as the test set (random seed 47). "
        "Each draw was repeated until the test set contained at least 43 IDH-mutant patients; the draws were not "
        "stratified."
    )
    assert said["seeds"].endswith("the order of the subjects and the augmentation was 47.")
    own = method_of(with_settings(SLICE_CNN, sequence=["flair"], **odd, split_seed=0))
    assert "(random seed 0). Each" in own["splits"]
    assert own["seeds"].endswith(
        "was 47 for the initial weights, the order of the subjects and the augmentation, and 0 for the splits."
    )
    assert said["differences"] == (
        "The following settings differed from those published: number of splits 41 (published: 5); proportion of "
        "test patients 37 % "
        "(published: 20 %); minimum number of mutants in a test set 43 (published: 5); epochs 23 (published: 500); "
        "learning rate "
        "0.017 (published: 0.0001); rotation in degrees -29 to 31 (published: 0 to 90); input size in pixels 71 "
        "(published: 64). "
        "Settings not stated in the original publication are those of the software."
    )


def test_each_setting_of_the_3d_method_stands_in_its_own_sentence():
    odd = {"shape": [11, 13, 17], "filters": 19, "num_splits": 23, "epochs": 29, "batch_size": 31, "seed": 37}
    odd |= {"learning_rate": 0.041, "idh_learning_rate": 0.043, "dropout": 0.47, "shift_fraction": 0.53}
    odd |= {"move_probability": 0.59, "smoothing_voxels": 0.61, "cohort": "egd"}
    said = method_of(with_settings(SGPNET, **odd))
    assert "resampled to 11 x 13 x 17 voxels" in said["part"] and "with 19 channels" in said["network"]
    assert "(smoothing term 0.61 voxel). The weight k was differentiated too." in said["loss"]
    assert said["optimiser"] == (
        "The network was trained for 29 epochs with a batch size of 31 subjects. The Adam optimiser was used; its "
        "learning rate decreased to 0 along a cosine, from 0.041 for the backbone and the segmentation block and from "
        "0.043 for the IDH block."
    )
    assert said["augmentation"] == (
        "Each training subject was flipped with probability 0.59 (then along each axis with probability 0.5) and "
        "shifted "
        "with probability 0.59 by up to 53 % of the length of each axis; no other augmentation was used."
    )
    assert said["regularisation"].startswith("During training, dropout with a rate of 0.47 was applied to the channels")
    assert said["splits"].startswith(
        "Patients were divided at random into 23 folds, stratified by IDH status (random seed 37)"
    )
    assert said["differences"].startswith(
        "The following settings differed from those published: cohort egd (published: brats2020-tcga); input size in "
        "voxels 11 x 13 x "
        "17 (published: 144 x 144 x 144); number of splits 23 (published: 5); batch size 31 (published: 2); learning "
        "rate 0.041 (published: 0.0001); learning rate of the IDH block 0.043 (published: 0.00005); probability of "
        "flip "
        "and shift 0.59 (published: 0.5); filters 19 (published: 8). Settings"
    )


def test_other_networks_fall_from_one_rate_and_are_no_deviations():
    said = method_of(with_settings(SGPNET, network="densenet3d", targets="idh", learning_rate=0.041))
    assert said["optimiser"].endswith("its learning rate decreased from 0.041 to 0 along a cosine.")
    assert said["differences"] == "" and said["precision"].startswith("Training used mixed precision (bfloat16")
    assert method_of(with_settings(SGPNET, dtype="float32"))["precision"] == (
        "Training used 32-bit floating-point numbers (float32)."
    )


@pytest.mark.parametrize(
    "cohort, said",
    [
        ("phantom", "the built-in synthetic phantom"),
        ("brats2020", "the BraTS 2020 training set"),
        ("brats2021", "the BraTS 2021 training set"),
        ("brats2023", "the BraTS 2023 training set"),
        ("upenn-gbm", "UPENN-GBM of The Cancer Imaging Archive"),
        ("ucsf-pdgm", "UCSF-PDGM of The Cancer Imaging Archive"),
        ("egd", "the Erasmus Glioma Database"),
        ("tcga", "TCGA-GBM and TCGA-LGG of The Cancer Imaging Archive"),
    ],
)
def test_a_cohort_is_called_by_its_own_name(cohort, said):
    text = run_facts(run(with_settings(SGPNET, cohort=cohort), COHORT, SPLITS, {}))["source"]
    assert text.startswith(f"The cohort was {said}: 5 patients")


def test_sizes_are_those_of_each_part_in_patients():
    visits = pd.concat([COHORT, COHORT.iloc[:1].assign(subject="a2")])
    parts = {"a1": "train", "a2": "train", "b1": "train", "c1": "train", "d1": "test", "e1": "test"}
    splits = pd.DataFrame({"subject": list(parts), "repeat": 0, "split": 0, "part": list(parts.values())})
    said = run_facts(run(SGPNET, visits, splits, {}))["sizes"]
    assert said == "Each training set had 3 patients (2 IDH-mutant) and each test set had 2 patients (0 IDH-mutant)."


def test_brain_masks_of_some_are_counted():
    some = COHORT.assign(brain_mask=["x.nii", "", "y.nii", "", ""])
    said = run_facts(run(SLICE_CNN, some, SPLITS, {}))["brain"]
    assert said == (
        "The brain was defined by the brain mask supplied with the cohort in 2 subjects and as the non-zero voxels "
        "of the "
        "scan in all others."
    )
    assert (
        run_facts(run(SLICE_CNN, COHORT, SPLITS, {}))["brain"]
        == "The brain was defined as the non-zero voxels of the scan."
    )


def test_thresholds_and_strata_are_told_as_they_were_made():
    said = statistics_of(WORTH)
    assert said["discrimination"].endswith(
        " The 95 % CIs of the average precision, Brier score and log loss were obtained by bootstrap (2000 resamples "
        "of "
        "the patients, stratified by IDH status)."
    )
    assert said["thresholds"].split(". ")[1] == (
        "A patient was predicted IDH-mutant if the score was at or above a threshold: 0.5, the threshold that "
        "maximises "
        "the sum of sensitivity and specificity (Youden index) and the highest threshold with a sensitivity of at "
        "least 0.9"
    )
    assert "cross-fitted" not in statistics_of({"rates": {"0.5": {}}})["thresholds"]
    assert "error (ECE; 10 bins of equal width)" in said["calibration"]
    assert said["strata"] == (
        "The AUC was also computed within each grade, for groups with at least 5 patients of each class."
    )
    assert (
        "the majority class of the training set and logistic regressions on: lesion volume; grade" in said["baselines"]
    )


def test_scores_of_one_and_of_several_tests():
    def said(fewest, most):
        people = WORTH["patients"] | {"tests_each": [fewest, most]}
        return run_facts(run(SGPNET, COHORT, SPLITS, WORTH | {"patients": people}))["scoring"]

    assert said(1, 1) == "Each tested patient had one score."
    assert said(3, 3) == "The score of a patient was the mean over the 3 test sets that included the patient."


def test_who_is_tested_in_one_repeat_may_be_trained_on_in_another():
    turned = SPLITS.assign(repeat=1, part=SPLITS["part"].map({"train": "test", "test": "train"}))
    said = run_facts(run(SLICE_CNN, COHORT, pd.concat([SPLITS, turned]), {}))
    assert (
        said["disjoint"]
        == "The splits were made by patient: no patient was in both the training set and the test set of one split."
    )
    assert said["sizes"].startswith("Each training set had 2 to 3 patients (1 IDH-mutant)")


def test_a_template_names_nothing_that_it_is_not_given():
    """A name with a typing error would leave its topic out, as a setting that an older run lacks."""
    numbers, kinds = facts.number_values(WORTH), [run(SGPNET, exclusions=EXCLUSIONS), run(SLICE_CNN)]
    patients = facts.patient_values(kinds[0])
    given = {"patients.j2": patients, "statistics.j2": numbers, "numbers.j2": numbers}
    given = {f"{TEXTS}/{name}": values for name, values in given.items()}
    given[f"{TEXTS}/limits.j2"] = numbers | dict.fromkeys(("facts", "synthetic", "num_small_groups", "unknown"))
    given[f"{TEXTS}/software.j2"] = facts.setting_values(kinds[0])
    given |= {kind.paper.method: facts.setting_values(kind) | facts.patient_values(kind) for kind in kinds}
    for template, values in given.items():
        source, _, _ = ENVIRONMENT.loader.get_source(ENVIRONMENT, template)
        assert jinja2.meta.find_undeclared_variables(ENVIRONMENT.parse(source)) <= set(values), template


def test_a_number_that_a_text_lacks_is_an_error_and_a_setting_is_left_out():
    values = facts.number_values(WORTH)
    values["scaled"] = {"before recalibration": {"slope": WORTH["brier"], "intercept": WORTH["brier"]}}
    with pytest.raises(jinja2.UndefinedError, match="ece"):
        render_topics(f"{TEXTS}/numbers.j2", values)
    assert method_of(with_settings(SLICE_CNN, epochs=None))["optimiser"] == ""
