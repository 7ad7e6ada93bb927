"""External testing: another cohort, none of whose patients the networks have seen."""

import json
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest

from glioma_idh.errors import InputError
from glioma_idh.gbm2d import Job, Recipe
from glioma_idh.gbm2d.train import train
from tests.conftest import write_cohort

RECIPE = Recipe(sequence=("T2",), splits="kfold", num_splits=2, epochs=15, learning_rate=1e-3)


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    """Two cohorts of other patients, and a run on the first that was tested on the second."""
    folder = tmp_path_factory.mktemp("external")
    here = write_cohort(folder / "here")
    there = write_cohort(folder / "there", num_subjects=9, num_mutant=3, prefix="r", seed=1).rename(
        folder / "there/other.csv"
    )
    table = pd.read_csv(there, dtype=str, keep_default_na=False)
    table.loc[table["subject"] == "r08", "idh"] = ""
    table.to_csv(there, index=False)
    recipe = replace(RECIPE, cohort=str(here))
    train(recipe, Job(run_dir=folder / "run", jobs=1, quiet=True, external=str(there)))
    return recipe, there, folder / "run"


def test_every_network_is_tested_on_every_labelled_subject(cohorts):
    _, _, run = cohorts
    external = run / "external/there-other"
    predictions = pd.read_csv(external / "predictions.csv")
    assert predictions.groupby("fold")["subject"].nunique().tolist() == [8, 8]
    assert list(predictions) == list(pd.read_csv(run / "predictions.csv"))
    assert pd.read_csv(external / "exclusions.csv")["subject"].tolist() == ["r08"]
    metrics = json.loads((external / "metrics.json").read_text())
    assert metrics["pooled"]["num_patients"] == 8 and metrics["pooled"]["auc"] == 1  # dark and bright lesions
    assert (external / "figures/roc.png").exists()


def test_the_scores_are_those_of_the_saved_networks(cohorts):
    from glioma_idh.cohorts.table import read_table
    from glioma_idh.gbm2d.preprocessing import prepare_subject

    _, there, run = cohorts
    row = read_table(there).iloc[0]
    pixels, _ = prepare_subject(row, "t2")
    network = keras.models.load_model(run / "split_1/model.keras")
    predictions = pd.read_csv(run / "external/there-other/predictions.csv").set_index(["subject", "fold"])["score"]
    assert predictions["r00", 1] == pytest.approx(float(np.array(network(pixels[None]))[0, 1]), abs=1e-6)


def test_a_finished_run_can_be_tested_on_another_cohort_later(cohorts, tmp_path):
    recipe, _, run = cohorts
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*.keras")}
    third = write_cohort(tmp_path, num_subjects=4, num_mutant=2, prefix="q", seed=2).rename(tmp_path / "third.csv")
    train(recipe, Job(run_dir=run, jobs=1, quiet=True, external=str(third)))
    assert (run / f"external/{tmp_path.name}-third/metrics.json").exists()
    assert before == {path: path.stat().st_mtime_ns for path in run.rglob("*.keras")}


def test_a_patient_in_both_stops_it_before_it_starts(cohorts, edit_table, tmp_path):
    recipe, _, _ = cohorts
    there = write_cohort(tmp_path, num_subjects=4, num_mutant=2, prefix="q", seed=2)
    edit_table(there, "q01", "patient", "s05")
    match = r"expected no patient of the training cohort in the external one; found 1 in both \(s05 is q01\)"
    with pytest.raises(InputError, match=match):
        train(recipe, Job(run_dir=tmp_path / "run", quiet=True, external=str(there)))
    assert not (tmp_path / "run").exists()


def test_the_same_image_in_both_is_refused_too(cohorts, tmp_path):
    recipe, _, run = cohorts
    copy = write_cohort(tmp_path, num_subjects=4, num_mutant=2, prefix="copy")  # the same noise under other names
    with pytest.raises(InputError, match=r"found [24] in both \(s0. is copy0."):
        train(recipe, Job(run_dir=run, jobs=1, quiet=True, external=str(copy)))


@pytest.mark.parametrize(
    ("job", "match"),
    [
        ({"external_images": "somewhere"}, "expected --external with --external-images; found no --external"),
        ({"external": "nowhere.csv"}, "nowhere.csv: expected a sheet in CSV"),
        ({"external": "upenn-gbm"}, "expected --images DIR; found no folder of scans. Name the folder of upenn-gbm"),
    ],
)
def test_external_cohorts_that_cannot_be_read(cohorts, tmp_path, job, match):
    with pytest.raises(InputError, match=match):
        train(cohorts[0], Job(run_dir=tmp_path / "run", quiet=True, **job))
