"""The settings, against the paper's own words."""

from dataclasses import asdict

import pytest

from glioma_idh.job import Job
from glioma_idh.sgp3d.recipe import LAPTOP, PUBLISHED, Recipe, default_recipe, differences


def test_the_recipe_holds_the_paper_s_settings():
    recipe = Recipe()
    assert (recipe.shape, recipe.batch_size, recipe.num_splits) == ((144, 144, 144), 2, 5)
    assert (recipe.learning_rate, recipe.idh_learning_rate, recipe.move_probability) == (1e-4, 5e-5, 0.5)
    assert (recipe.cohort, recipe.splits, recipe.targets) == ("brats2020-tcga", "kfold", "both")
    assert not recipe.detach_k and differences(recipe) == []


def test_the_laptop_s_recipe_says_how_it_differs():
    assert default_recipe("phantom") is LAPTOP and default_recipe("my.csv") == Recipe(cohort="my.csv")
    assert differences(LAPTOP) == [
        "cohort: phantom (the paper's: brats2020-tcga)",
        "shape: 32 32 32 (the paper's: 144 144 144)",
        "num splits: 3 (the paper's: 5)",
        "epochs: 40 (the paper's: 200)",
        "learning rate: 0.001 (the paper's: 0.0001)",
        "idh learning rate: 0.0005 (the paper's: 5e-05)",
    ]


def test_published_numbers_and_what_they_imply():
    both = {score: mean for score, (mean, _) in PUBLISHED["SGPNet"].items()}
    mutant, wild_type = 56 * both["sensitivity"], 65 * both["specificity"]
    assert (mutant + wild_type) / 121 == pytest.approx(both["accuracy"], abs=1e-3)
    assert mutant / (mutant + 65 - wild_type) == pytest.approx(0.870, abs=1e-3) != both["ppv"]
    assert wild_type / (wild_type + 56 - mutant) == pytest.approx(0.917, abs=1e-3) != both["npv"]
    errors = (1 - both["accuracy"]) / (1 - PUBLISHED["Chang et al., residual CNN"]["accuracy"][0])
    assert 1 - errors == pytest.approx(0.266, abs=1e-3)  # "26.6 % fewer classification errors"


def test_job_takes_paths_as_text():
    assert str(Job(images="a/b").images) == "a/b" and asdict(Job())["run_dir"] is None
