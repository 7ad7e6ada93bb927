"""External testing: another cohort, none of whose patients the networks have seen."""

import json
import sys
from dataclasses import replace

import keras
import nibabel
import numpy as np
import pandas as pd
import pytest

from glioma_idh import runs
from glioma_idh.cohorts.table import read_table
from glioma_idh.errors import InputError
from glioma_idh.files import write_table
from glioma_idh.gbm2d import Job, Recipe
from glioma_idh.gbm2d.method import METHOD
from glioma_idh.gbm2d.preprocessing import prepare_subject
from glioma_idh.gbm2d.train import train_runs
from tests.conftest import save, write_cohort

RECIPE = Recipe(sequence=("T2",), splits="kfold", num_splits=2, size=16)
SLOPES = (0.01, 0.02)


def score_by_hand(pixels: np.ndarray, slope: float) -> float:
    """What the networks below give: the darker the slice, the more mutant, in this way."""
    return 1 / (1 + np.exp(slope * pixels.mean()))


def train_split(recipe, folder, index, quiet=True):
    """In the place of a training: a network that looks at the mean of a slice alone, each split's in its own way."""
    inputs = keras.Input((recipe.size, recipe.size, 1))
    layer = keras.layers.Dense(2, activation="softmax")
    network = keras.Model(inputs, layer(keras.layers.GlobalAveragePooling2D()(inputs)))
    layer.set_weights([np.array([[0, -SLOPES[index]]]), np.zeros(2)])
    target = runs.split_folder(folder, index)
    target.mkdir()
    network.save(target / "model.keras")
    splits, cohort = (runs.read_table(folder / f"{name}.csv") for name in ("splits", "cohort"))
    tested = splits[(splits["split"] == index + 1) & (splits["part"] == "test")].merge(cohort, on="subject")
    tested = tested.rename(columns={"idh": "truth"}).assign(score=0.5)
    columns = ["subject", "patient", "cohort", "repeat", "split", "truth", "score", "lesion_ml"]
    write_table(tested[columns], target / "predictions.csv")
    write_table(pd.DataFrame({"epoch": [1], "loss": [1.0]}), target / "history.csv")
    return index


def instead(monkeypatch, **steps) -> None:
    """Put other steps in the place of the method's own."""
    monkeypatch.setattr("glioma_idh.gbm2d.method.METHOD", replace(METHOD, **steps))


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
    table.loc[table["subject"] == "r05", "t2"] = "nowhere.nii.gz"
    table.to_csv(there, index=False)
    recipe = replace(RECIPE, cohort=str(here))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("glioma_idh.gbm2d.method.METHOD", replace(METHOD, train_split=train_split))
        patch.setattr("glioma_idh.reporting.report.save_figure", lambda *_: None)
        train_runs(recipe, Job(run_dir=folder / "run", jobs=1, quiet=True, external=str(there)))
    return recipe, there, folder / "run"


def test_every_network_is_tested_on_every_labelled_subject(cohorts):
    _, _, run = cohorts
    external = run / "external/there-other"
    predictions = pd.read_csv(external / "predictions.csv")
    assert predictions.groupby("split")["subject"].nunique().tolist() == [7, 7]
    assert list(predictions) == list(pd.read_csv(run / "predictions.csv"))
    exclusions = pd.read_csv(external / "exclusions.csv").set_index("subject")["found"].to_dict()
    assert exclusions == {"r08": "an empty label", "r05": "no file"}
    metrics = json.loads((external / "metrics.json").read_text())
    assert metrics["pooled"]["num_patients"] == 7 and metrics["pooled"]["auc"] == 1  # dark and bright lesions


def test_the_scores_are_those_of_the_saved_networks(cohorts):
    _, there, run = cohorts
    rows = read_table(there).set_index("subject", drop=False)
    predictions = pd.read_csv(run / "external/there-other/predictions.csv")
    assert predictions["score"].round(6).is_unique
    for row in predictions.itertuples():
        pixels, lesion_ml, *_ = prepare_subject(rows.loc[row.subject], "t2", 16)
        assert row.score == pytest.approx(score_by_hand(pixels, SLOPES[row.split - 1]), abs=1e-6)
        assert str(row.truth) == rows.loc[row.subject, "idh"]
        assert row.lesion_ml == pytest.approx(lesion_ml) and row.patient == row.subject and row.repeat == 1


@pytest.mark.integration  # it draws its figures
def test_a_finished_run_can_be_tested_on_another_cohort_later(cohorts, tmp_path):
    recipe, _, run = cohorts
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*.keras")}
    third = write_cohort(tmp_path, num_subjects=4, num_mutant=2, prefix="q", seed=2).rename(tmp_path / "third.csv")
    train_runs(recipe, Job(run_dir=run, jobs=1, quiet=True, external=str(third)))
    metrics = json.loads((run / f"external/{tmp_path.name}-third/metrics.json").read_text())
    assert (run / f"external/{tmp_path.name}-third/figures/roc.png").exists()
    assert metrics["pooled"]["num_patients"] == 4 and metrics["sequence"] == "t2" and metrics["synthetic"] is False
    assert before == {path: path.stat().st_mtime_ns for path in run.rglob("*.keras")}


def test_a_patient_in_both_stops_it_before_it_starts(cohorts, edit_table, tmp_path):
    recipe, _, _ = cohorts
    there = write_cohort(tmp_path, num_subjects=4, num_mutant=2, prefix="q", seed=2)
    edit_table(there, "q01", "patient", "s05")
    match = r"expected no patient of the training cohort in the external cohort; found 1 in both \(s05 is q01\)"
    with pytest.raises(InputError, match=match):
        train_runs(recipe, Job(run_dir=tmp_path / "run", quiet=True, external=str(there)))
    assert not (tmp_path / "run").exists()


def test_the_same_image_in_both_is_refused_too(cohorts, tmp_path):
    recipe, _, run = cohorts
    copy = write_cohort(tmp_path, num_subjects=4, num_mutant=2, prefix="copy")  # the same noise under other names
    with pytest.raises(InputError, match=r"found 4 in both \(T2 of s00 \(\S+\) is T2 of copy00 \(\S+\); T2 of s01"):
        train_runs(recipe, Job(run_dir=run, jobs=1, quiet=True, external=str(copy)))
    assert not (run / f"external/{tmp_path.name}-cohort").exists()


def test_it_is_refused_before_anything_is_trained(cohorts, tmp_path, monkeypatch):
    recipe, _, _ = cohorts
    copy = write_cohort(tmp_path, num_subjects=4, num_mutant=2, prefix="copy")
    instead(monkeypatch, train_split=lambda *_: pytest.fail("trained"))
    with pytest.raises(InputError, match=r"found 4 in both \(T2 of s00 \(\S+\) is T2 of copy00 \(\S+\); T2 of s01"):
        train_runs(recipe, Job(run_dir=tmp_path / "run", jobs=1, quiet=True, external=str(copy)))


def test_scans_of_other_axes_are_told_of_both_cohorts_before_the_training(cohorts, tmp_path, monkeypatch, capsys):
    recipe, there, _ = cohorts
    monkeypatch.setattr("glioma_idh.gbm2d.preprocessing.find_wrong_axes", lambda array, spacing_mm: "Mirrored.")
    instead(monkeypatch, train_split=lambda *_: sys.exit("would train"))
    with pytest.raises(SystemExit, match="would train"):
        train_runs(recipe, Job(run_dir=tmp_path / "run", jobs=1, quiet=True, external=str(there)))
    said = [line for line in capsys.readouterr().err.splitlines() if "with other axes than its header states" in line]
    assert [line.split(" subjects")[0] for line in said] == ["24 of 24", "7 of 7"]
    assert said[0].endswith("(s00, s01, s02 ...). s00: Mirrored.")


def test_one_image_in_both_is_enough_to_be_refused(cohorts, edit_table, tmp_path):
    recipe, _, run = cohorts
    there = write_cohort(tmp_path, num_subjects=4, num_mutant=2, prefix="q", seed=2)
    copied = read_table(recipe.cohort).set_index("subject").loc["s07"]
    for column in ("t2", "lesion_mask"):
        edit_table(there, "q02", column, copied[column])
    match = r"no image of the training cohort in the external cohort; found 1 in both \(T2 of s07 \(\S+\) is T2 of q02"
    with pytest.raises(InputError, match=match):
        train_runs(recipe, Job(run_dir=run, jobs=1, quiet=True, external=str(there)))


def test_a_mask_in_both_is_refused_and_of_copies_within_the_external_one_the_first_is_tested(
    cohorts, edit_table, tmp_path, monkeypatch
):
    recipe, _, run = cohorts
    there = write_cohort(tmp_path, num_subjects=4, num_mutant=2, prefix="q", seed=2)
    scans = read_table(there).set_index("subject")["t2"]
    edit_table(there, "q03", "t2", save(tmp_path / "again.nii.gz", nibabel.load(scans["q02"]).get_fdata()))
    tested = []
    instead(monkeypatch, predict=lambda *given: tested.append(given))
    monkeypatch.setattr("glioma_idh.training.pipeline.write_external", lambda *_: None)
    job = Job(run_dir=run, jobs=1, quiet=True, external=str(there))
    train_runs(recipe, job)
    ((_, _, (table, (slices,), (error,)), _),) = tested
    assert table["subject"].tolist() == ["q00", "q01", "q02"] and len(slices) == 3
    assert (error.subject, error.found) == ("q03", f"the same voxels as T2 of q02 ({scans['q02']})")
    edit_table(there, "q02", "lesion_mask", read_table(recipe.cohort)["lesion_mask"][7])
    with pytest.raises(InputError, match=r"1 in both \(the lesion mask of s07 \(\S+\) is the lesion mask of q02 "):
        train_runs(recipe, job)


def test_of_an_external_cohort_someone_must_be_left(cohorts, tmp_path):
    recipe, _, run = cohorts
    there = write_cohort(tmp_path, num_subjects=2, num_mutant=1, prefix="q", seed=2)
    for subject in ("q00", "q01"):
        save(tmp_path / f"scans/{subject}/mask.nii.gz", np.zeros((20, 20, 8)))
    with pytest.raises(InputError, match="expected labelled subjects in the external cohort; found none left"):
        train_runs(recipe, Job(run_dir=run, jobs=1, quiet=True, external=str(there)))


@pytest.mark.parametrize(
    ("job", "match"),
    [
        ({"external_images": "somewhere"}, "expected --external with --external-images; found no --external"),
        ({"external": "nowhere.csv"}, "nowhere.csv: expected a sheet in CSV"),
        ({"external": "upenn-gbm"}, "expected --images DIR; found no folder of images. Give the folder of upenn-gbm"),
    ],
)
def test_external_cohorts_that_cannot_be_read(cohorts, tmp_path, job, match):
    with pytest.raises(InputError, match=match):
        train_runs(cohorts[0], Job(run_dir=tmp_path / "run", quiet=True, **job))
