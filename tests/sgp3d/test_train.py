"""The door, from a cohort on disk to a finished run and its page."""

import contextlib
import html
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import keras
import nibabel
import numpy as np
import pandas as pd
import pytest

from glioma_idh import cohorts
from glioma_idh.errors import InputError
from glioma_idh.runs import has_masks, read_table
from glioma_idh.sgp3d import Job, Recipe
from glioma_idh.sgp3d.fit import checkpoint_epochs
from glioma_idh.sgp3d.method import METHOD
from glioma_idh.sgp3d.train import train_run
from glioma_idh.training.pipeline import list_trainings, prepare_external
from tests.conftest import written_reports
from tests.sgp3d.conftest import GRID, Stop, untraced, write_four
from tests.sgp3d.tiny import tiny_network

RECIPE = Recipe(shape=(16, 16, 16), num_splits=2, epochs=2, filters=4, learning_rate=1e-3)


pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run on the small cohort, one of whose subjects has no label; tested on another cohort."""
    folder = tmp_path_factory.mktemp("finished")
    cohort, other = write_four(folder), write_four(folder / "other", 4, 2, prefix="r", seed=1)
    table = pd.read_csv(cohort, dtype=str)
    table.loc[table["subject"] == "s07", "idh"] = ""
    table.to_csv(cohort, index=False)
    recipe = replace(RECIPE, cohort=str(cohort))
    with (
        open(folder / "printed.txt", "w") as printed,
        contextlib.redirect_stdout(printed),
        written_reports(),
        untraced(),
    ):
        train_run(recipe, Job(run_dir=folder / "run", jobs=1, quiet=True, external=str(other)))
    return recipe, folder / "run"


def test_the_page_prints_the_numbers_of_the_run(finished):
    """Each from the predictions anew."""
    _, run = finished
    page = html.unescape((run / "report.html").read_text())
    predictions, metrics = pd.read_csv(run / "predictions.csv"), json.loads((run / "metrics.json").read_text())
    dice = predictions["dice"].mean()
    assert metrics["performance"]["segmentation"]["dice"]["value"] == pytest.approx(dice)
    assert f"Mean Dice of the lesion segmentation {dice:.2f} (" in page and "SGPNet" in page
    mutant, wild = (predictions[predictions["truth"] == idh] for idh in (1, 0))
    wins = np.heaviside(np.subtract.outer(mutant["score"].to_numpy(), wild["score"].to_numpy()), 0.5)
    same_fold = np.equal.outer(mutant["split"].to_numpy(), wild["split"].to_numpy())
    within, pooled = wins[same_fold].mean(), wins.mean()
    auc = metrics["performance"]["auc"]
    assert metrics["within_splits"]["auc"] == pytest.approx(within) == auc["within_splits"]["value"]
    assert metrics["pooled"]["auc"] == pytest.approx(pooled) == auc["pooled"]["value"]
    assert auc["num_pairs"] == same_fold.sum() < same_fold.size
    assert f"patients tested by the same network are compared): {within:.2f}" in page
    assert "in 7 patients (4 IDH-mutant)" in page
    sheet = pd.read_csv(next((run / "report_files").rglob("splits_scores.csv")))
    assert sheet["test subjects"].tolist() == predictions.groupby("split").size().tolist()
    of_splits = [f"{value:.3f}" for value in predictions.groupby("split")["dice"].mean()]
    assert [f"{value:.3f}" for value in sheet["DSC"]] == of_splits and all(value in page for value in of_splits)


def test_a_split_s_rows_are_of_its_own_network_and_subjects(finished):
    """Scored again here, from the scans in the cache."""
    _, run = finished
    predictions, splits = pd.read_csv(run / "predictions.csv"), pd.read_csv(run / "splits.csv")
    tested = splits[splits["part"] == "test"].set_index("subject")["split"]
    assert tested.to_dict() == predictions.set_index("subject")["split"].to_dict()
    folders = pd.read_csv(run / "cohort.csv").set_index("subject")["prepared"]
    labels = pd.read_csv(run.parent / "cohort.csv").set_index("subject")["idh"]
    for split, rows in predictions.groupby("split"):
        network = keras.models.load_model(run / f"split_{split}/model.keras")
        scans = np.stack([np.load(f"{folders[subject]}/scans.npy") for subject in rows["subject"]])
        assert rows["score"].to_numpy() == pytest.approx(np.array(network(scans)["idh"])[:, 0], abs=1e-5)
        assert rows["truth"].tolist() == labels[rows["subject"]].tolist()


def test_the_run_folder_holds_what_it_promises(finished):
    _, run = finished
    there = {path.name for path in run.iterdir()}
    assert there >= {"recipe.json", "cohort.csv", "exclusions.csv", "splits.csv", "predictions.csv", "metrics.json"}
    measures, cohort = (read_table(run / name) for name in ("measures.csv", "cohort.csv"))
    assert measures[["subject", "lesion_ml"]].equals(cohort[["subject", "lesion_ml"]])
    names = {"model.keras", "history.csv", "predictions.csv", "cost.json", "masks"}
    assert {path.name for path in (run / "split_2").iterdir()} == names
    assert {path.suffix for path in (run / "figures").iterdir()} == {".png", ".svg"}


def test_predictions_and_masks_lie_on_the_patient_s_own_grid(finished):
    _, run = finished
    predictions = pd.read_csv(run / "predictions.csv").set_index("subject")
    columns = ["patient", "cohort", "repeat", "split", "truth", "score", "dice", "lesion_ml", "predicted_ml"]
    columns += ["hd95_mm", "num_lesions", "num_lesions_found", "num_false_lesions"]
    assert list(predictions) == columns and len(predictions) == 7
    for subject, row in predictions.iterrows():
        mask = nibabel.load(run / f"split_{row['split']:.0f}/masks/{subject}.nii.gz")
        reference = nibabel.load(run.parent / f"scans/{subject}/mask.nii.gz")
        assert mask.shape == GRID and np.allclose(mask.affine, reference.affine)
        found, truth = np.asarray(mask.dataobj) != 0, np.asarray(reference.dataobj) != 0
        assert row["dice"] == pytest.approx(2 * (found & truth).sum() / (found.sum() + truth.sum()), abs=1e-6)
        assert row["predicted_ml"] == pytest.approx(found.sum() * 12 / 1000)
        assert row["num_lesions"] == 1 and row["num_lesions_found"] == (row["dice"] > 0)


def test_who_has_no_label_teaches_and_is_not_tested(finished):
    _, run = finished
    splits = pd.read_csv(run / "splits.csv")
    assert splits[splits["subject"] == "s07"]["part"].tolist() == ["train", "train"]
    assert pd.read_csv(run / "exclusions.csv").empty


def test_the_external_cohort_is_tested_by_every_network(finished):
    _, run = finished
    (folder,) = (run / "external").iterdir()
    predictions = pd.read_csv(folder / "predictions.csv")
    assert predictions.groupby("split")["subject"].nunique().tolist() == [4, 4] and predictions["dice"].notna().all()
    labels = pd.read_csv(run.parent / "other/cohort.csv").set_index("subject")["idh"]
    assert predictions["truth"].tolist() == labels[predictions["subject"]].tolist()
    folders = pd.read_csv(folder / "cohort.csv").set_index("subject")["prepared"]
    row = predictions[(predictions["subject"] == "r02") & (predictions["split"] == 2)].iloc[0]
    network = keras.models.load_model(run / "split_2/model.keras")
    own = np.array(network(np.load(f"{folders['r02']}/scans.npy")[None])["idh"])[0, 0]
    assert row["score"] == pytest.approx(own, abs=1e-5)
    assert predictions["score"].nunique() == 8  # each of its own subject and network


def test_no_external_scan_is_one_of_the_run_s_own(finished, tmp_path):
    """Under another name and on another path."""
    recipe, run = finished
    table = pd.read_csv(run.parent / "cohort.csv", dtype=str).head(2)
    table["subject"], table["patient"] = ["x1", "x2"], ["x1", "x2"]
    table.to_csv(tmp_path / "others.csv", index=False)
    with pytest.raises(InputError, match="no image of the training cohort in the external cohort; found 2 in both"):
        train_run(recipe, Job(run_dir=run, quiet=True, external=str(tmp_path / "others.csv")))


def test_an_external_scan_of_the_run_s_own_is_refused_before_anything_is_trained(finished, tmp_path, monkeypatch):
    """Also where its file was written anew, with other bytes."""
    recipe, run = finished
    table = pd.read_csv(run.parent / "cohort.csv", dtype=str).head(1).assign(subject="x1", patient="x1")
    image = nibabel.load(table.at[0, "t1"])
    nibabel.save(nibabel.Nifti1Image(image.get_fdata(dtype=np.float64), image.affine), tmp_path / "t1.nii")
    table.assign(t1=str(tmp_path / "t1.nii")).to_csv(tmp_path / "others.csv", index=False)
    fails = replace(METHOD, train_split=lambda *_, **__: pytest.fail("trained"))
    monkeypatch.setattr("glioma_idh.sgp3d.method.METHOD", fails)
    with pytest.raises(InputError, match=r"in the external cohort; found 1 in both \(T1 of s00 \(\S+\) is T1 of x1 "):
        train_run(recipe, Job(run_dir=tmp_path / "run", jobs=1, quiet=True, external=str(tmp_path / "others.csv")))


def test_a_finished_run_prints_its_table_again_and_touches_nothing(finished, capsys):
    recipe, run = finished
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*.keras")}
    train_run(recipe, Job(run_dir=run, quiet=True))
    assert "Device" not in capsys.readouterr().out
    assert before == {path: path.stat().st_mtime_ns for path in run.rglob("*.keras")}


@pytest.mark.parametrize(
    ("targets", "learnt", "empty"),
    [
        ("segmentation", "dice", "score"),
        ("idh", "score", "dice"),
        ("random-masks", "score", "dice"),
    ],
)
@pytest.mark.integration
def test_what_was_not_learnt_has_no_number(make_four, tmp_path, monkeypatch, rehearse, targets, learnt, empty):
    """The training is rehearsed: a network that learnt nothing has numbers of what it was to learn, and those alone."""
    rehearsal = rehearse()
    monkeypatch.setattr("glioma_idh.sgp3d.fit.build_network", lambda recipe, *_, **__: tiny_network((*recipe.shape, 4)))
    recipe = replace(RECIPE, cohort=str(make_four()), targets=targets)
    with written_reports():
        metrics = train_run(recipe, Job(run_dir=tmp_path / "run", jobs=1, quiet=True)).metrics
    predictions = pd.read_csv(tmp_path / "run/predictions.csv")
    assert predictions[empty].isna().all() and predictions[learnt].between(0, 1).all() and len(predictions) == 8
    printed = {"score": "auc", "dice": "dice"}
    assert printed[learnt] in metrics["pooled"] and printed[empty] not in metrics["pooled"]
    assert has_masks(tmp_path / "run") == (learnt == "dice")
    assert not predictions[["predicted_ml", "hd95_mm"]].notna().any().any() or learnt == "dice"
    assert [given.joint.targets for given in rehearsal.trainings] == [targets] * 2
    figures = {path.stem for path in (tmp_path / "run/figures").iterdir()}
    assert (tmp_path / "run/metrics.json").exists() and {"learning_curves", "boxes"} <= figures
    assert ("roc" in figures) == (learnt == "score") and ("lesions" in figures) == (learnt == "dice")


@pytest.mark.slow
def test_it_learns_what_is_plain_to_see(make_four, tmp_path):
    """Lesions lie off centre and differ between subjects: a mask that is not moved with its image is none to learn.

    Features are standardised, or whether 12 subjects teach the genotype in so few epochs is left to chance.
    """
    recipe = replace(RECIPE, cohort=str(make_four(num_subjects=12, num_mutant=6)), epochs=35, learning_rate=3e-3)
    recipe = replace(recipe, shape=(32, 32, 16))  # with 16 a side the bottom level is one voxel, normalised away
    recipe = replace(recipe, move_probability=0.9, shift_fraction=0.3, standardise_features=True)
    metrics = train_run(replace(recipe, idh_learning_rate=3e-3), Job(run_dir=tmp_path / "run", quiet=True)).metrics
    assert metrics["pooled"]["dice"] > 0.75 and metrics["within_splits"]["auc"] > 0.9


COMMAND = [sys.executable, "-m", "glioma_idh.sgp3d.train", "--shape", "16", "16", "16", "--num-splits", "2"]


@pytest.mark.parametrize(
    ("shape", "steps", "epochs"),
    [((32, 32, 32), 8, 10), ((32, 32, 32), 90, 5), ((48, 48, 48), 999, 1), ((64, 64, 64), 8, 1)],
)
def test_a_kill_costs_ten_epochs_at_most_and_never_many_steps(shape, steps, epochs):
    assert checkpoint_epochs(shape, steps) == epochs


@pytest.mark.slow
def test_killed_and_started_again_gives_the_same_bytes(make_four, tmp_path):
    """SIGKILL takes the command only: its two workers must end by themselves."""
    cohort = make_four(num_subjects=4, num_mutant=2)
    command = [*COMMAND, "--cohort", str(cohort), "--epochs", "14", "--jobs", "2", "--quiet", "--run-dir"]
    subprocess.run([*command, str(tmp_path / "whole")], check=True, capture_output=True)
    killed = tmp_path / "killed"
    process = subprocess.Popen([*command, str(killed)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (killed / "split_2/checkpoint.weights.h5").exists():
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    subprocess.run([*command, str(killed)], check=True, capture_output=True)
    for name in ("predictions.csv", "split_2/history.csv"):
        assert (killed / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_the_cache_may_go_but_scans_may_not_change(finished, tmp_path, monkeypatch):
    recipe, run = finished
    (external,) = (run / "external").iterdir()
    monkeypatch.setattr("glioma_idh.reporting.report.save_figure", lambda *_: None)
    monkeypatch.setattr("glioma_idh.sgp3d.method.load_networks", lambda *_: [])
    monkeypatch.setattr(
        "glioma_idh.sgp3d.method.predictions_table", lambda *_: pd.read_csv(external / "predictions.csv")
    )
    shutil.copytree(run, tmp_path / "run")
    job = Job(run_dir=tmp_path / "run", jobs=1, quiet=True, external=str(run.parent / "other/cohort.csv"))
    (tmp_path / "run/metrics.json").unlink()
    monkeypatch.setenv("GLIOMA_IDH_CACHE", str(tmp_path / "another"))
    train_run(recipe, job)
    (tmp_path / "run/metrics.json").unlink()
    t1, t2 = (run.parent / f"scans/s00/{name}.nii.gz" for name in ("t1", "t2"))
    before = t1.read_bytes()
    try:
        t1.write_bytes(t2.read_bytes())
        with pytest.raises(
            InputError, match="s00: .*expected the same images as when the run was started; found changed images"
        ):
            train_run(recipe, job)
    finally:
        t1.write_bytes(before)


def test_help_is_quick_and_loads_nothing_heavy():
    program = (
        "import sys; sys.argv = ['train', '--cohort', 'egd', '--help']\n"
        "try:\n    from glioma_idh.sgp3d.train import main; main()\n"
        "except SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'pandas', 'nibabel', 'matplotlib', 'sklearn'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "144 144 144" in done.stdout  # the paper's defaults, once a cohort is named


@pytest.mark.parametrize(
    ("recipe", "match"),
    [
        ({"shape": (32, 32, 30)}, r"expected three sizes divisible by 16 for --shape; found \(32, 32, 30\)"),
        ({"epochs": 0}, "expected --epochs of at least 1"),
        ({"num_splits": 5}, "at least 5 patients of each class"),
        ({"shape": (1600, 1600, 1600)}, r"expected about \d+.\d GB of memory; found .* GB free. Use a smaller --shape"),
    ],
)
def test_settings_that_cannot_work(make_four, tmp_path, recipe, match):
    recipe = replace(RECIPE, cohort=str(make_four(num_subjects=6, num_mutant=3)), **recipe)
    with pytest.raises(InputError, match=match):
        train_run(recipe, Job(run_dir=tmp_path / "run", jobs=1, quiet=True))
    assert not (tmp_path / "run/recipe.json").exists()


def test_a_missing_sequence_names_those_there_are(make_four, edit_table, tmp_path):
    cohort = make_four()
    for number in range(8):
        edit_table(cohort, f"s{number:02}", "flair", "")
    with pytest.raises(InputError, match="expected FLAIR in cohort cohort; found only T1, T1Gd, T2"):
        train_run(replace(RECIPE, cohort=str(cohort)), Job(run_dir=tmp_path / "run", quiet=True))


def test_bad_subjects_are_set_aside_or_stop_a_strict_run(make_four, edit_table, tmp_path, rehearse):
    rehearse(stops=True)
    cohort = make_four()
    edit_table(cohort, "s03", "t2", "nowhere.nii.gz")
    edit_table(cohort, "s04", "idh", "perhaps")
    recipe = replace(RECIPE, cohort=str(cohort), epochs=1)
    with pytest.raises(Stop):
        train_run(recipe, Job(run_dir=tmp_path / "run", jobs=1, quiet=True))
    exclusions = pd.read_csv(tmp_path / "run/exclusions.csv").set_index("subject")["found"].to_dict()
    assert exclusions == {"s03": "No such file or directory", "s04": "'perhaps'"}
    with pytest.raises(InputError, match="s04: .*cohort.csv: expected IDH as 0, 1, .*; found 'perhaps'"):
        train_run(recipe, Job(run_dir=tmp_path / "strict", jobs=1, quiet=True, strict=True))


@pytest.mark.parametrize("targets", ["both", "segmentation", "idh", "random-masks"])
def test_nobody_labelled_is_said_before_any_scan_is_read(make_four, edit_table, tmp_path, monkeypatch, targets):
    cohort = make_four(num_subjects=2)
    for subject in ("s00", "s01"):
        edit_table(cohort, subject, "idh", "")
    monkeypatch.setattr("glioma_idh.sgp3d.cache.cache_subject", pytest.fail)
    with pytest.raises(InputError, match="expected labelled subjects to train on; found none left"):
        recipe = replace(RECIPE, cohort=str(cohort), targets=targets)
        train_run(recipe, Job(run_dir=tmp_path / "run", jobs=1, quiet=True))


def test_the_recipe_says_how_it_differs_from_the_paper(finished):
    _, run = finished
    printed = (run.parent / "printed.txt").read_text()
    assert "shape: 16 16 16 (the paper's: 144 144 144)" in printed and "Estimate: about" in printed
    assert json.loads((run / "recipe.json").read_text())["recipe"]["paper"] == "sgp3d"


def test_everybody_set_aside_of_the_external_cohort_is_listed_with_its_results(
    make_four, edit_table, tmp_path, monkeypatch
):
    """Who has no label as well as whose scans cannot be used."""
    cohort = make_four(num_subjects=4, num_mutant=2)
    edit_table(cohort, "s01", "idh", "")
    edit_table(cohort, "s02", "t2", "nowhere.nii.gz")
    monkeypatch.setattr("glioma_idh.training.pipeline.refuse_copies", lambda *_: None)
    monkeypatch.setattr("glioma_idh.sgp3d.method.load_networks", lambda *_: [])
    monkeypatch.setattr("glioma_idh.sgp3d.method.predictions_table", lambda table, *_: table[["subject"]])
    job = Job(run_dir=tmp_path / "run", quiet=True, external="egd")
    (training,) = list_trainings(RECIPE, job, METHOD)
    (prepared,) = prepare_external([training], cohorts.read(str(cohort))[0], job, METHOD)
    predictions = METHOD.predict(RECIPE, training.folder, prepared, True)
    assert prepared.table["subject"].tolist() == predictions["subject"].tolist() == ["s00", "s03"]
    assert [error.subject for error in prepared.errors] == ["s01", "s02"]
