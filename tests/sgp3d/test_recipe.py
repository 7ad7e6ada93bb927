"""The settings, against the paper's own words."""

from dataclasses import asdict, replace

import pytest

from glioma_idh.errors import InputError
from glioma_idh.sgp3d.paper import network_name
from glioma_idh.sgp3d.recipe import LAPTOP, PUBLISHED, Recipe, check_targets, default_recipe, differences, recipe_of_run
from glioma_idh.training.job import Job


def test_the_recipe_holds_the_paper_s_settings():
    recipe = Recipe()
    assert (recipe.shape, recipe.batch_size, recipe.num_splits) == ((144, 144, 144), 2, 5)
    assert (recipe.learning_rate, recipe.idh_learning_rate, recipe.move_probability) == (1e-4, 5e-5, 0.5)
    assert (recipe.cohort, recipe.splits, recipe.targets) == ("brats2020-tcga", "kfold", "both")
    assert not recipe.detach_k and differences(recipe) == []
    assert (recipe.epochs, recipe.dropout, recipe.shift_fraction, recipe.filters) == (200, 0.3, 0.1, 8)  # README's
    assert (recipe.smoothing_voxels, recipe.test_fraction, recipe.min_test_mutants) == (1, 0.2, 5)
    assert (recipe.network, recipe.dtype, recipe.standardise_features) == ("sgpnet", "float32", False)


def test_half_of_the_phantoms_are_mutant():
    assert replace(LAPTOP, phantom_subjects=13, phantom_spacing_mm=4.0).phantom == {
        "num_subjects": 13,
        "num_mutant": 6,
        "spacing_mm": 4.0,
    }


@pytest.mark.parametrize(
    ("network", "targets", "name"),
    [
        ("sgpnet", "both", "SGPNet"),
        ("sgpnet", "segmentation", "SGPNet, segmentation only"),
        ("sgpnet", "idh", "SGPNet, IDH only"),
        ("sgpnet", "random-masks", "SGPNet, random masks"),
        ("unet3d", "segmentation", "3D U-Net"),
        ("densenet3d", "idh", "Liang et al., 3D DenseNet"),
        ("resnet2d", "idh", "Chang et al., residual CNN"),
    ],
)
def test_networks_have_table_1_s_names(network, targets, name):
    assert network_name({"network": network, "targets": targets}) == name
    assert network_name({"network": network, "targets": targets, "detach_k": True}) == f"{name}, k held constant"


def test_random_masks_teach_the_genotype_alone():
    recipe = Recipe(targets="random-masks")
    assert recipe.learns == ("idh",) and recipe.outputs == ("idh", "segmentation") and not recipe.reads_slices
    assert Recipe(network="resnet2d", targets="idh").reads_slices


def test_the_laptop_s_recipe_says_how_it_differs():
    assert default_recipe("phantom") == LAPTOP and default_recipe("my.csv") == Recipe(cohort="my.csv")
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


def test_every_printed_number_stands_in_its_own_column():
    """Of Table 1 and 3.1; no interval is printed."""
    assert {name: {score: mean for score, (mean, _) in row.items()} for name, row in PUBLISHED.items()} == {
        "SGPNet": dict(
            accuracy=0.895, sensitivity=0.907, specificity=0.883, auc=0.949, ppv=0.894, npv=0.908, dice=0.935
        ),
        "SGPNet, segmentation only": dict(dice=0.937),
        "3D U-Net": dict(dice=0.920),
        "Liang et al., 3D DenseNet": dict(accuracy=0.846, sensitivity=0.785, specificity=0.880, auc=0.857),
        "Chang et al., residual CNN": dict(accuracy=0.857, auc=0.940),
    }
    assert {spread for row in PUBLISHED.values() for _, spread in row.values()} == {None}


def test_job_takes_paths_as_text():
    assert str(Job(images="a/b").images) == "a/b" and asdict(Job())["run_dir"] is None


@pytest.mark.parametrize(
    ("network", "targets", "outputs"),
    [
        ("sgpnet", "both", ("idh", "segmentation")),
        ("unet3d", "segmentation", ("segmentation",)),
        ("densenet3d", "idh", ("idh",)),
        ("resnet2d", "idh", ("idh",)),
    ],
)
def test_a_network_by_name_starts_with_what_it_can_learn(network, targets, outputs):
    recipe = default_recipe("my.csv", network)
    check_targets(recipe)
    assert (recipe.targets, recipe.outputs, recipe.learns) == (targets, outputs, outputs)


@pytest.mark.parametrize(
    ("network", "targets"), [("unet3d", "both"), ("densenet3d", "segmentation"), ("resnet2d", "random-masks")]
)
def test_what_a_network_has_no_output_for_is_an_error(network, targets):
    with pytest.raises(
        InputError, match=f"--network {network}; found --targets {targets}. {network} cannot be trained"
    ):
        check_targets(Recipe(network=network, targets=targets))


def test_a_run_that_is_older_than_a_setting_has_its_default():
    content = asdict(replace(LAPTOP, targets="idh")) | {"paper": "sgp3d", "shape": [32, 32, 32]}
    del content["dropout"]
    assert recipe_of_run(content) == replace(LAPTOP, targets="idh")
