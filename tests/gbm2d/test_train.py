"""The door, from a cohort on disk to a finished run."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest

from glioma_idh.errors import InputError
from glioma_idh.gbm2d import Job, Recipe
from glioma_idh.gbm2d.train import train

RECIPE = Recipe(sequence=("T2",), splits="kfold", num_splits=2, epochs=3)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, request):
    """A finished run on the small cohort: its cohort CSV, recipe and folder."""
    folder = tmp_path_factory.mktemp("finished")
    from tests.conftest import write_cohort

    cohort = write_cohort(folder)
    recipe = replace(RECIPE, cohort=str(cohort))
    train(recipe, Job(run_dir=folder / "run", jobs=1, quiet=True))
    return cohort, recipe, folder / "run"


def test_the_run_folder_holds_what_it_promises(finished):
    _, _, run = finished
    there = {path.name for path in run.iterdir()}
    assert there >= {"recipe.json", "cohort.csv", "exclusions.csv", "splits.csv", "predictions.csv", "metrics.json"}
    names = {"model.keras", "history.csv", "predictions.csv", "cost.json"}
    assert {path.name for path in (run / "split_1").iterdir()} == names
    names = ("roc", "boxes", "learning_curves", "slices")
    assert {path.name for path in (run / "figures").iterdir()} == {
        f"{n}.{kind}" for n in names for kind in ("png", "svg")
    }
    assert pd.read_csv(run / "split_0/history.csv")["epoch"].tolist() == [1, 2, 3]


def test_predictions_are_those_of_the_saved_networks(finished):
    _, _, run = finished
    predictions = pd.read_csv(run / "predictions.csv", dtype={"subject": str})
    columns = ["subject", "patient", "cohort", "repeat", "fold", "truth", "score", "lesion_ml"]
    assert list(predictions) == columns and len(predictions) == 24
    prepared = np.load(run / "slices.npz")
    for fold, rows in predictions.groupby("fold"):
        network = keras.models.load_model(run / f"split_{fold}/model.keras")
        slices = prepared["slices"][np.isin(prepared["subjects"], rows["subject"])]
        assert network.predict_on_batch(slices)[:, 1] == pytest.approx(rows["score"].to_numpy(), abs=1e-6)


def test_the_numbers_are_those_of_the_predictions(finished):
    _, _, run = finished
    predictions, metrics = pd.read_csv(run / "predictions.csv"), json.loads((run / "metrics.json").read_text())
    called = predictions["score"] >= 0.5
    assert metrics["pooled"]["accuracy"] == pytest.approx((called == predictions["truth"]).mean())
    assert metrics["synthetic"] is False


def test_a_finished_run_prints_its_table_again_and_touches_nothing(finished, capsys):
    _, recipe, run = finished
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*.keras")}
    train(recipe, Job(run_dir=run, quiet=True))
    printed = capsys.readouterr().out
    assert "paper" in printed and "always wild-type" in printed and "Device" not in printed
    assert before == {path: path.stat().st_mtime_ns for path in run.rglob("*.keras")}


def test_another_recipe_in_the_folder_is_an_error(finished):
    _, recipe, run = finished
    with pytest.raises(InputError, match=r"expected epochs 4; found epochs 3. This folder holds another run"):
        train(replace(recipe, epochs=4), Job(run_dir=run))


def test_changed_labels_are_another_run(finished, edit_table):
    cohort, recipe, run = finished
    before = cohort.read_text()
    edit_table(cohort, "s00", "idh", 0)
    with pytest.raises(InputError, match="cohort_sha256"):
        train(recipe, Job(run_dir=run))
    cohort.write_text(before)


def test_a_network_learns_what_is_plain_to_see(make_cohort, tmp_path):
    recipe = replace(RECIPE, cohort=str(make_cohort()), epochs=15, learning_rate=1e-3)
    metrics = train(recipe, Job(run_dir=tmp_path / "run", jobs=1, quiet=True))
    assert metrics["t2"]["pooled"]["auc"] == 1


COMMAND = [sys.executable, "-m", "glioma_idh.gbm2d.train", "--sequence", "T2", "--splits", "kfold", "--num-splits", "2"]


@pytest.mark.slow
def test_killed_and_started_again_gives_the_same_bytes(make_cohort, tmp_path):
    """SIGKILL takes the command only: its two workers must end by themselves."""
    command = [*COMMAND, "--cohort", str(make_cohort()), "--epochs", "27", "--jobs", "2", "--quiet", "--run-dir"]
    subprocess.run([*command, str(tmp_path / "whole")], check=True, capture_output=True)
    killed = tmp_path / "killed"
    process = subprocess.Popen([*command, str(killed)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (killed / "split_1/checkpoint.weights.h5").exists():
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (killed / "split_1/predictions.csv").exists()
    subprocess.run([*command, str(killed)], check=True, capture_output=True)
    assert (killed / "predictions.csv").read_bytes() == (tmp_path / "whole/predictions.csv").read_bytes()
    assert (killed / "split_1/history.csv").read_bytes() == (tmp_path / "whole/split_1/history.csv").read_bytes()


@pytest.mark.slow
def test_workers_end_with_a_killed_command(make_cohort, tmp_path):
    command = [*COMMAND, "--cohort", str(make_cohort()), "--epochs", "4000", "--jobs", "2", "--quiet", "--run-dir"]
    process = subprocess.Popen([*command, str(tmp_path / "run")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    history = tmp_path / "run/split_0/history.csv"
    while not history.exists():
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.1)
    process.kill()
    process.wait()
    time.sleep(5)
    rows = len(history.read_text().splitlines())
    time.sleep(15)
    assert len(history.read_text().splitlines()) == rows


def test_a_single_run_is_not_overwritten_by_several(finished):
    _, recipe, run = finished
    with pytest.raises(InputError, match="expected a folder for several runs; found one run of its own"):
        train(replace(recipe, sequence=("T1", "T2")), Job(run_dir=run))


def test_images_with_a_cohort_that_names_its_own_scans_are_an_error():
    with pytest.raises(
        InputError, match="expected a cohort of real scans with --images and --labels; found --cohort phantom"
    ):
        train(Recipe(), Job(images="somewhere"))


def test_help_is_quick_and_loads_nothing_heavy():
    program = (
        "import sys; sys.argv = ['train', '--help']\n"
        "try:\n    from glioma_idh.gbm2d.train import main; main()\n"
        "except SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'pandas', 'nibabel', 'matplotlib', 'sklearn'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)\n"
    )
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert time.perf_counter() - start < 2  # 0.2 s on a quiet machine
    assert "--sequence" in done.stdout and "--run-dir" in done.stdout


def fails(arguments, match):
    done = subprocess.run([sys.executable, "-m", "glioma_idh.gbm2d.train", *arguments], capture_output=True, text=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert match in done.stderr


def test_the_command_line_ends_with_one_clear_line(tmp_path):
    fails(["--sequence", "DWI"], "expected one of T1, T1Gd, T2, FLAIR, rCBV, ADC, or all; found 'DWI'")


@pytest.mark.parametrize(
    ("recipe", "match"),
    [
        ({"epochs": 0}, "expected --epochs of at least 1; found 0"),
        ({"batch_size": 0}, "expected --batch-size of at least 1; found 0"),
        ({"seed": -1}, "expected --seed of at least 0; found -1"),
        ({"rotation_deg": (90, 0)}, "expected --rotation-deg LOWEST HIGHEST"),
        ({"sequence": ("rCBV",)}, "expected rCBV in cohort .*; found only T2"),
        ({"splits": "holdout", "num_splits": 5}, "expected more than 5 mutant patients.*; found 4 mutant"),
        ({"num_splits": 12}, "at least 12 patients of each class"),
        ({"cohort": "nowhere.csv"}, "nowhere.csv: expected a sheet in CSV"),
    ],
)
def test_settings_that_cannot_work(make_cohort, tmp_path, recipe, match):
    recipe = {"cohort": str(make_cohort(num_subjects=10, num_mutant=4)), **recipe}
    with pytest.raises(InputError, match=match):
        train(replace(RECIPE, **recipe), Job(run_dir=tmp_path / "run", jobs=1, quiet=True))


def test_brats_has_no_rcbv(real_data, tmp_path):
    recipe = Recipe(sequence=("rCBV",), cohort="brats2020-tcga")
    with pytest.raises(InputError, match="expected rCBV in cohort brats2020-tcga; found only T1, T1Gd, T2, FLAIR"):
        train(recipe, Job(images=real_data / "brats20_mini", run_dir=tmp_path / "run", quiet=True))


def test_one_class_is_an_error(make_cohort, tmp_path):
    recipe = replace(RECIPE, cohort=str(make_cohort(num_subjects=6, num_mutant=0)))
    with pytest.raises(InputError, match="expected mutant and wild-type patients; found only IDH 0 in 6 patients"):
        train(recipe, Job(run_dir=tmp_path / "run", jobs=1, quiet=True))


def test_bad_subjects_are_set_aside_or_stop_a_strict_run(make_cohort, edit_table, tmp_path):
    cohort = make_cohort()
    edit_table(cohort, "s03", "t2", "nowhere.nii.gz")
    edit_table(cohort, "s04", "idh", "perhaps")
    edit_table(cohort, "s05", "patient", "s06")
    recipe = replace(RECIPE, cohort=str(cohort), epochs=1)
    train(recipe, Job(run_dir=tmp_path / "run", jobs=1, quiet=True))
    exclusions = pd.read_csv(tmp_path / "run/exclusions.csv").set_index("subject")["found"].to_dict()
    assert exclusions == {"s03": "no file", "s04": "'perhaps'"}
    splits = pd.read_csv(tmp_path / "run/splits.csv").set_index("subject")
    assert (splits.loc["s05", "part"].to_numpy() == splits.loc["s06", "part"].to_numpy()).all()
    with pytest.raises(InputError, match="s04: .*cohort.csv: expected IDH as 0, 1, .*; found 'perhaps'"):
        train(recipe, Job(run_dir=tmp_path / "strict", jobs=1, quiet=True, strict=True))
