"""The one command makes the same recipe again, through the papers' own doors."""

import importlib
import shlex
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from glioma_idh import runs
from glioma_idh.cohorts.table import parse_sequence
from glioma_idh.gbm2d.recipe import Recipe as SliceRecipe
from glioma_idh.papers import find_paper
from glioma_idh.reporting.text.rerun import command_line, environment_table
from glioma_idh.sgp3d import recipe as sgp3d
from tests.reporting.text.small_run import SGPNET, SLICE_CNN, with_settings

VOLUME = sgp3d.Recipe()
RECIPES = {
    "2D, the paper's": SliceRecipe(sequence=("rcbv",)),
    "2D, all else": SliceRecipe(("flair",), "upenn-gbm", True, "kfold", 3, 7, 8, 11, (-90.0, 45.5), 3e-5, 4),
    "3D, the laptop's": sgp3d.LAPTOP,
    "3D, the paper's": VOLUME,
    "3D, the paper's on the phantom": replace(VOLUME, cohort="phantom"),
    "3D, a table": replace(
        VOLUME, cohort="/data/my cohort.csv", splits="holdout", seed=3, split_seed=0, all_visits=True
    ),
    "3D, all else": replace(
        sgp3d.LAPTOP,
        shape=(16, 32, 48),
        targets="random-masks",
        num_splits=2,
        detach_k=True,
        dropout=0.0,
        shift_fraction=0.05,
        standardise_features=True,
        dtype="bfloat16",
        phantom_subjects=800,
        phantom_spacing_mm=3.0,
    ),
    "3D, IDH alone": replace(VOLUME, targets="idh"),
    "3D U-Net": sgp3d.default_recipe("tcga", "unet3d"),
    "DenseNet": sgp3d.default_recipe("phantom", "densenet3d"),
    "residual CNN": replace(sgp3d.default_recipe("egd", "resnet2d"), epochs=5),
}


def parsed(line: str, monkeypatch):
    """What a door makes of a command: recipe and job."""
    words, found = shlex.split(line, comments=True), []
    assert words[:2] == ["python", "-m"]
    door = importlib.import_module(words[2])
    monkeypatch.setattr(sys, "argv", ["train", *words[3:]])
    monkeypatch.setattr("glioma_idh.training.pipeline.train", lambda recipe, job, _: found.append((recipe, job)))
    door.main()
    return found[0]


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_the_command_comes_back_as_the_recipe(recipe, monkeypatch):
    paper = "gbm2d" if isinstance(recipe, SliceRecipe) else "sgp3d"
    settings = runs.as_read({"paper": paper, **asdict(recipe), "images": "/data/my scans"})
    again, job = parsed(command_line(settings), monkeypatch)
    if paper == "gbm2d":
        again = replace(again, sequence=tuple(parse_sequence(name) for name in again.sequence))
    assert again == recipe and job.images == Path("/data/my scans") and job.labels is None


def test_only_what_differs_has_a_flag():
    line = "python -m glioma_idh.sgp3d.train --cohort brats2020-tcga --shape 32 48 64 --num-splits 2 --epochs 60 "
    line += "--learning-rate 0.001 --dtype bfloat16 --seed 7 --images somewhere/scans"
    assert command_line(SGPNET["recipe"]) == line
    assert command_line(SLICE_CNN["recipe"]) == "python -m glioma_idh.gbm2d.train --sequence T1Gd --num-splits 3"
    assert command_line({}) == ""


def test_settings_that_an_older_run_lacks_are_the_defaults(monkeypatch):
    older = with_settings(SGPNET, dropout=None, network=None, standardise_features=None, detach_k=None)
    assert command_line(older["recipe"]) == command_line(SGPNET["recipe"])


def test_a_label_sheet_is_known_by_its_hash(monkeypatch):
    line = command_line(with_settings(SGPNET, labels_sha256="feed")["recipe"])
    assert line.endswith("--labels LABELS  # LABELS: path of the label sheet (SHA-256 feed)")
    assert parsed(line, monkeypatch)[1].labels == Path("LABELS")


@pytest.mark.parametrize("name", ["gbm2d", "sgp3d"])
def test_a_setting_without_a_flag_is_not_in_the_command(name):
    paper = find_paper({"paper": name})
    flags = set(paper.default_flags({"cohort": "phantom"}))
    assert {"cohort", "epochs", "split_seed", "with_skull"} <= flags
    assert not flags & {"filters", "units", "size", "test_fraction", "min_test_mutants", "move_probability"}


def test_the_environment_says_what_is_not_recorded():
    table = environment_table(SGPNET | {"device": "one GPU"}).set_index("what")["value"]
    assert table["version of keras"] == "3.15.1" and table["hash of all settings"] == "0123abcd"
    assert table["random seed"] == "7" and table["precision"] == "bfloat16" and table["device"] == "one GPU"
    assert table["training time"] == table["peak memory"] == "not recorded"
    table = environment_table(with_settings(SLICE_CNN, cohort_sha256="beef")).set_index("what")["value"]
    assert table["SHA-256 of the cohort table"] == "beef" and "seed 193" in table["synthetic cohort (phantom)"]
    assert set(environment_table({})["value"]) == {"not recorded"}


def test_hashes_and_seeds_stand_under_their_own_names():
    content = with_settings(SLICE_CNN, cohort_sha256="beef", labels_sha256="feed", seed=47)
    table = environment_table(content | {"duration": "3 min", "memory": "2 GB"}).set_index("what")["value"]
    assert table["SHA-256 of the cohort table"] == "beef" and table["SHA-256 of the label sheet"] == "feed"
    assert table["random seed"] == "47" and table["hash of all settings"] == "4567cdef" and "precision" not in table
    assert "random seed of the splits" not in table
    assert (table["training time"], table["peak memory"], table["device"]) == ("3 min", "2 GB", "not recorded")
    table = environment_table(with_settings(SLICE_CNN, seed=47, split_seed=0)).set_index("what")["value"]
    assert (table["random seed"], table["random seed of the splits"]) == ("47", "0")
    assert table["synthetic cohort (phantom)"].startswith("num subjects 5, num mutant 2, seed 193, spacing mm 2.0")
