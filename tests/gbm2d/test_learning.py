"""What the network finds, and does not find, in cohorts whose truth is known."""

from dataclasses import replace

import pytest

from glioma_idh.gbm2d import Job, Recipe
from glioma_idh.gbm2d.train import train_runs
from glioma_idh.phantom import make_phantom
from tests.conftest import written_reports

pytestmark = pytest.mark.slow


def test_rcbv_of_the_phantom_comes_near_the_best_possible(tmp_path):
    metrics = train_runs(Recipe(epochs=150, num_splits=3), Job(run_dir=tmp_path / "run", quiet=True))["rcbv"].metrics
    assert metrics["synthetic"]
    assert metrics["mean"]["auc"] >= metrics["mean"]["best_possible_auc"] - 0.10


def test_nothing_is_found_where_nothing_is(tmp_path):
    cohort = make_phantom(tmp_path / "phantom", ["adc"], num_subjects=400, num_mutant=200, spacing_mm=4.0, quiet=True)
    recipe = Recipe(sequence=("ADC",), cohort=str(cohort), splits="kfold", num_splits=2, epochs=40, learning_rate=1e-3)
    metrics = train_runs(recipe, Job(run_dir=tmp_path / "run", quiet=True))["adc"].metrics
    assert metrics["pooled"]["num_patients"] == 400 and metrics["synthetic"]
    # The AUC of chance on 200 + 200 has a standard deviation of sqrt(401 / (12 * 200 * 200)) = 0.029.
    assert 0.42 <= metrics["pooled"]["auc"] <= 0.58


def test_several_sequences_get_a_folder_each_and_one_comparison(tmp_path, capsys):
    recipe = Recipe(sequence=("rCBV", "T1Gd"), num_splits=2, epochs=1)
    job = Job(run_dir=tmp_path / "run", quiet=True)
    with written_reports():
        trained = train_runs(recipe, job)
    assert list(trained) == ["t1gd", "rcbv"]
    for sequence in trained:
        assert (tmp_path / "run" / sequence / "predictions.csv").exists()
    assert (tmp_path / "run/figures/roc.svg").exists()
    assert "Best possible AUC from these sequences together" in capsys.readouterr().out
    again = train_runs(replace(recipe, sequence=("rcbv", "mprage")), job)
    assert {name: run.metrics for name, run in again.items()} == {name: run.metrics for name, run in trained.items()}
