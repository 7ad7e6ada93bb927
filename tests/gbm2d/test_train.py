"""The command, from a cohort on disk to a finished run and its page."""

import html
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import psutil
import pytest
from sklearn.metrics import accuracy_score, log_loss, recall_score, roc_auc_score

from glioma_idh.errors import InputError
from glioma_idh.gbm2d import Job, Recipe
from glioma_idh.gbm2d.method import METHOD
from glioma_idh.gbm2d.train import main, train_run, train_runs
from glioma_idh.runs import read_table
from glioma_idh.training.pipeline import resolve
from tests.conftest import write_cohort, written_reports

RECIPE = Recipe(sequence=("T2",), splits="kfold", num_splits=2, epochs=3)
FLIPPED = {"s18": 0, "s35": 1}  # with seed 6 both are tested in both splits, and never trained on


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run in the default mode, random hold-outs, to its page: its cohort CSV, recipe, folder and what it returned.

    Of 40 subjects the first 20 have dark lesions and are mutant; two have the other's label, so that no AUC is 1. Two
    cannot be used, and two are one patient.
    """
    folder = tmp_path_factory.mktemp("finished")
    cohort = write_cohort(folder, num_subjects=40, num_mutant=20)
    table = pd.read_csv(cohort, dtype=str).set_index("subject")
    for subject, idh in FLIPPED.items():
        table.loc[subject, "idh"] = str(idh)
    table.loc["s37", "t2"] = "nowhere.nii.gz"
    table.loc["s38", "idh"] = "perhaps"
    table.loc["s05", "patient"] = "s06"
    table.reset_index().to_csv(cohort, index=False)
    recipe = Recipe(sequence=("T2",), cohort=str(cohort), num_splits=2, epochs=18, learning_rate=1e-3, seed=6)
    with written_reports():
        returned = train_runs(recipe, Job(run_dir=folder / "run", jobs=1, quiet=True))
    return cohort, recipe, folder / "run", returned


@pytest.mark.integration
def test_the_run_folder_holds_what_it_promises(finished):
    _, _, run, _ = finished
    there = {path.name for path in run.iterdir()}
    assert there >= {"recipe.json", "cohort.csv", "exclusions.csv", "splits.csv", "predictions.csv", "metrics.json"}
    assert "report.html" in there
    measures, subjects = (read_table(run / name) for name in ("measures.csv", "cohort.csv"))
    assert measures["subject"].tolist() == subjects["subject"].tolist()
    assert measures["lesion_ml"].to_numpy() == pytest.approx(subjects["lesion_ml"].to_numpy())
    names = {"model.keras", "history.csv", "predictions.csv", "cost.json"}
    assert {path.name for path in (run / "split_2").iterdir()} == names
    names = ("roc", "boxes", "learning_curves", "slices")
    assert {path.name for path in (run / "figures").iterdir()} == {
        f"{n}.{kind}" for n in names for kind in ("png", "svg")
    }
    history = pd.read_csv(run / "split_1/history.csv")
    assert history["epoch"].tolist() == list(range(1, 19))
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]


@pytest.mark.integration
def test_the_default_mode_draws_hold_outs(finished):
    _, recipe, run, _ = finished
    splits = pd.read_csv(run / "splits.csv")
    assert recipe.splits == Recipe().splits == "holdout"
    tested = splits[splits["part"] == "test"]
    assert tested[["repeat", "split"]].drop_duplicates().to_numpy().tolist() == [[1, 1], [2, 2]]
    labels = pd.read_csv(run / "cohort.csv").set_index("subject")["idh"]
    assert (labels[tested["subject"]].groupby(tested["repeat"].to_numpy()).sum() >= 5).all()


@pytest.mark.integration
def test_predictions_are_those_of_the_saved_networks(finished):
    _, _, run, _ = finished
    predictions = pd.read_csv(run / "predictions.csv", dtype={"subject": str})
    splits = pd.read_csv(run / "splits.csv")
    columns = ["subject", "patient", "cohort", "repeat", "split", "truth", "score", "lesion_ml"]
    assert list(predictions) == columns and len(predictions) == (splits["part"] == "test").sum()
    prepared = np.load(run / "slices.npz")
    for repeat, rows in predictions.groupby("repeat"):
        network = keras.models.load_model(run / f"split_{repeat}/model.keras")
        slices = prepared["slices"][np.isin(prepared["subjects"], rows["subject"])]
        assert np.array(network(slices))[:, 1] == pytest.approx(rows["score"].to_numpy(), abs=1e-6)


@pytest.mark.integration
def test_a_network_learns_what_is_plain_to_see(finished):
    _, _, run, _ = finished
    predictions = pd.read_csv(run / "predictions.csv")
    dark = predictions["subject"] < "s20"
    assert 0 < dark.sum() < len(dark)
    for _, rows in predictions.groupby("repeat"):
        assert roc_auc_score(dark[rows.index], rows["score"]) == 1


@pytest.mark.integration
def test_a_saved_network_needs_neither_this_package_nor_unsafe_mode(finished, monkeypatch):
    """Its layers are Keras' own, not those it was trained with."""
    _, _, run, _ = finished
    for name in [name for name in sys.modules if name.split(".")[0] == "glioma_idh"]:
        monkeypatch.setitem(sys.modules, name, None)
    network = keras.models.load_model(run / "split_1/model.keras", safe_mode=True)
    assert {type(layer).__module__.split(".")[0] for layer in network.layers} == {"keras"}
    assert sum(type(layer) is keras.layers.BatchNormalization for layer in network.layers) == 4


@pytest.mark.integration
def test_the_numbers_are_those_of_the_predictions(finished):
    _, _, run, returned = finished
    predictions, metrics = pd.read_csv(run / "predictions.csv"), json.loads((run / "metrics.json").read_text())
    pooled = predictions.groupby("patient").agg({"truth": "max", "score": "mean"})
    called = pooled["score"] >= 0.5
    assert metrics["pooled"]["accuracy"] == pytest.approx((called == pooled["truth"]).mean())
    assert metrics["pooled"]["auc"] == pytest.approx(roc_auc_score(pooled["truth"], pooled["score"]))
    assert metrics["pooled"]["num_patients"] == len(pooled)
    assert metrics["synthetic"] is False
    assert returned["t2"].metrics["pooled"] == metrics["pooled"]


def words(page) -> str:
    """The text of a page as a reader sees it."""
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", page.read_text(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


@pytest.mark.integration
def test_the_page_prints_the_numbers_of_the_run(finished):
    """Each is computed anew from predictions.csv; mean and deviation stand beside the paper's."""
    _, _, run, _ = finished
    predictions, page = pd.read_csv(run / "predictions.csv"), words(run / "report.html")
    pooled = predictions.groupby("patient").agg({"truth": "max", "score": "mean"})
    truth, score = pooled["truth"], pooled["score"]
    auc = roc_auc_score(truth, score)
    scored = [(split["score"].to_numpy(), split["truth"].to_numpy()) for _, split in predictions.groupby("repeat")]
    won = [np.heaviside(np.subtract.outer(of[label == 1], of[label == 0]), 0.5).ravel() for of, label in scored]
    within = np.concatenate(won).mean()
    assert 0.5 < auc < 1 and 0.5 < within < 1 and f"{auc:.3f}" != f"{within:.3f}"
    assert f"in {len(pooled)} patients ({truth.sum()} IDH-mutant)" in page
    assert f"AUC within splits (only patients tested by the same network are compared): {within:.2f} (" in page
    assert f"AUC within splits {within:.3f} (" in page and f"AUC, pooled (DeLong) {auc:.3f} (" in page
    assert f"Brier score {np.mean((score - truth) ** 2):.3f} (" in page
    assert f"Log loss {log_loss(truth, score):.3f} (" in page
    assert f"{((score >= 0.5) & (truth == 1)).sum()} of {truth.sum()}" in page
    rows = []
    for number, (_, split) in enumerate(predictions.groupby("repeat"), start=1):
        truth, score = split["truth"], split["score"]
        called = score >= 0.5
        row = [accuracy_score(truth, called), log_loss(truth, score), recall_score(truth, called)]
        row += [recall_score(truth, called, pos_label=0), roc_auc_score(truth, score)]
        assert f"Split {number} {len(split)} " + " ".join(f"{value:.3f}" for value in row) in page
        rows.append(row)
    mean, sd = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1)
    assert f"Accuracy 0.67 ± 0.12 {mean[0]:.2f} ± {sd[0]:.2f}" in page
    assert f"Test loss (cross-entropy) 2.41 ± 0.77 {mean[1]:.2f} ± {sd[1]:.2f}" in page


@pytest.mark.integration
def test_the_page_s_own_numbers_are_those_of_the_run(finished):
    _, _, run, _ = finished
    metrics = json.loads((run / "metrics.json").read_text())
    assert json.loads((run / "report_files/metrics.json").read_text()) == metrics
    subjects = metrics["subjects"]
    tested = pd.read_csv(run / "predictions.csv")["patient"].nunique()
    assert metrics["performance"]["patients"]["num_tested"] == tested
    assert (subjects["found"], subjects["used"]) == (40, 38)
    assert (subjects["mutant"], subjects["wild_type"]) == (20, 18)


@pytest.mark.integration
def test_a_finished_run_prints_its_table_again_and_touches_nothing(finished, capsys):
    _, recipe, run, returned = finished
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}
    again = train_runs(recipe, Job(run_dir=run, quiet=True))
    printed = capsys.readouterr().out
    assert "paper" in printed and "always mutant" in printed and "Device" not in printed
    assert before == {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}
    assert again["t2"].metrics["pooled"] == returned["t2"].metrics["pooled"]


@pytest.mark.integration
def test_one_sequence_s_run_comes_back_alone(finished):
    _, recipe, run, returned = finished
    one = train_run(replace(recipe, sequence="T2"), Job(run_dir=run, quiet=True))
    assert (one.folder, one.name) == (run, "T2") and one.predictions.equals(returned["t2"].predictions)


@pytest.mark.parametrize("sequence", [("T2", "ADC"), "T2,ADC", "all"])
def test_a_run_of_several_sequences_is_not_one(sequence, tmp_path):
    with pytest.raises(InputError, match="expected a recipe of one sequence; found t.*Call train_runs for several"):
        train_run(Recipe(sequence=sequence), Job(run_dir=tmp_path / "run"))
    assert not list(tmp_path.iterdir())


@pytest.mark.integration
def test_another_recipe_in_the_folder_is_an_error(finished):
    _, recipe, run, _ = finished
    with pytest.raises(
        InputError,
        match=r"expected a run with epochs 4; found one with epochs 18. The folder holds a run with other settings",
    ):
        train_runs(replace(recipe, epochs=4), Job(run_dir=run))


@pytest.mark.integration
def test_changed_labels_are_another_run(finished, edit_table):
    cohort, recipe, run, _ = finished
    before = cohort.read_text()
    edit_table(cohort, "s05", "idh", 0)
    with pytest.raises(InputError, match=r"cohort.csv: 1 labels differ \(s05 mutant -> wild-type\)"):
        train_runs(recipe, Job(run_dir=run))
    cohort.write_text(before)


@pytest.mark.integration
def test_a_single_run_is_not_overwritten_by_several(finished):
    _, recipe, run, _ = finished
    with pytest.raises(InputError, match="expected a folder for several runs; found the folder of a single run"):
        train_runs(replace(recipe, sequence=("T1", "T2")), Job(run_dir=run))


@pytest.mark.integration
def test_bad_subjects_are_set_aside_or_stop_a_strict_run(finished, tmp_path):
    _, recipe, run, _ = finished
    exclusions = pd.read_csv(run / "exclusions.csv").set_index("subject")["found"].to_dict()
    assert exclusions == {"s37": "no file", "s38": "'perhaps'"}
    splits = pd.read_csv(run / "splits.csv").set_index("subject")
    assert (splits.loc["s05", "part"].to_numpy() == splits.loc["s06", "part"].to_numpy()).all()
    with pytest.raises(InputError, match="s38: .*cohort.csv: expected IDH as 0, 1, .*; found 'perhaps'"):
        train_runs(recipe, Job(run_dir=tmp_path / "strict", jobs=1, quiet=True, strict=True))


def test_nobody_labelled_is_said_with_the_reasons(make_cohort, tmp_path, capsys):
    cohort = make_cohort(num_subjects=3)
    cohort.write_text(re.sub(r",[01],", ",,", cohort.read_text()))
    with pytest.raises(InputError, match="expected labelled subjects to train on; found none left"):
        train_runs(Recipe(cohort=str(cohort), sequence=("T2",)), Job(run_dir=tmp_path / "run", jobs=1, quiet=True))
    assert "3 of 3 subjects are excluded:\n  s00: " in capsys.readouterr().out  # and no word of a list in no folder
    assert not (tmp_path / "run").exists()


COMMAND = [sys.executable, "-m", "glioma_idh.gbm2d.train", "--sequence", "T2", "--splits", "kfold", "--num-splits", "2"]


@pytest.mark.slow
def test_killed_and_started_again_gives_the_same_bytes(make_cohort, tmp_path, monkeypatch):
    """SIGKILL takes the command only: its two workers must end by themselves, long before their last epoch."""
    monkeypatch.delenv("LOKY_MAX_CPU_COUNT")
    command = [*COMMAND, "--cohort", str(make_cohort()), "--epochs", "40", "--jobs", "2", "--quiet", "--run-dir"]
    subprocess.run([*command, str(tmp_path / "whole")], check=True, capture_output=True)
    killed = tmp_path / "killed"
    process = subprocess.Popen([*command, str(killed)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (killed / "split_2/checkpoint.weights.h5").exists():
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    workers = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert len(workers) >= 2 and not alive
    assert not (killed / "split_2/predictions.csv").exists()
    subprocess.run([*command, str(killed)], check=True, capture_output=True)
    assert (killed / "predictions.csv").read_bytes() == (tmp_path / "whole/predictions.csv").read_bytes()
    assert (killed / "split_2/history.csv").read_bytes() == (tmp_path / "whole/split_2/history.csv").read_bytes()


@pytest.mark.parametrize(
    ("module", "options"), [("train", ("--sequence", "--run-dir")), ("predict", ("--scan", "--lesion-mask"))]
)
def test_help_loads_nothing_heavy(module, options):
    program = (
        f"import sys; sys.argv = ['{module}', '--help']\n"
        f"try:\n    from glioma_idh.gbm2d.{module} import main; main()\n"
        "except SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'pandas', 'nibabel', 'matplotlib', 'sklearn'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(option in done.stdout for option in options)


def run_command(monkeypatch, *arguments: str) -> str:
    """What the command ends with."""
    monkeypatch.setattr(sys, "argv", ["train", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_the_command_line_ends_with_one_clear_line(monkeypatch):
    message = run_command(monkeypatch, "--sequence", "DWI")
    assert message.startswith("Error: ") and "\n" not in message
    assert "expected one of T1, T1Gd, T2, FLAIR, rCBV, ADC, or all; found 'DWI'" in message


def test_the_command_line_reaches_recipe_and_job(monkeypatch, tmp_path):
    given = []
    monkeypatch.setattr("glioma_idh.training.pipeline.train", lambda recipe, job, _: given.extend([recipe, job]))
    options = "--sequence T2 ADC --cohort egd --splits kfold --num-splits 3 --epochs 9 --batch-size 4 --seed 8"
    options += " --rotation-deg -90 90 --learning-rate 0.01 --all-visits --images a --labels b --external csv"
    options += f" --external-images c --external-labels d --run-dir {tmp_path} --jobs 2 --quiet --strict --split-seed 3"
    monkeypatch.setattr(sys, "argv", ["train", *options.split()])
    main()
    recipe = Recipe(("T2", "ADC"), "egd", True, "kfold", 3, 9, 4, 8, (-90.0, 90.0), 0.01, 3)
    job = Job("a", "b", "csv", "c", "d", tmp_path, 2, True, True)
    assert given == [recipe, job]


def test_images_with_a_cohort_that_names_its_own_scans_are_an_error():
    with pytest.raises(
        InputError, match="expected the cohort that --images and --labels belong to; found --cohort phantom"
    ):
        train_runs(Recipe(), Job(images="somewhere"))


@pytest.mark.parametrize(
    ("recipe", "match"),
    [
        ({"epochs": 0}, "expected --epochs of at least 1; found 0"),
        ({"batch_size": 0}, "expected --batch-size of at least 1; found 0"),
        ({"seed": -1}, "expected --seed of at least 0; found -1"),
        ({"rotation_deg": (90, 0)}, "expected --rotation-deg LOWEST HIGHEST"),
        ({"sequence": ("rCBV",)}, "expected rCBV in cohort .*; found only T2"),
        ({"splits": "holdout", "num_splits": 5}, "expected more than 5 mutants.*; found 4 mutant"),
        ({"num_splits": 12}, "at least 12 patients of each class"),
        ({"cohort": "nowhere.csv"}, "nowhere.csv: expected a sheet in CSV"),
    ],
)
def test_settings_that_cannot_work(make_cohort, tmp_path, recipe, match):
    recipe = {"cohort": str(make_cohort(num_subjects=10, num_mutant=4)), **recipe}
    with pytest.raises(InputError, match=match):
        train_runs(replace(RECIPE, **recipe), Job(run_dir=tmp_path / "run", jobs=1, quiet=True))


def test_brats_has_no_rcbv(real_data, tmp_path):
    recipe = Recipe(sequence=("rCBV",), cohort="brats2020-tcga")
    with pytest.raises(InputError, match="expected rCBV in cohort brats2020-tcga; found only T1, T1Gd, T2, FLAIR"):
        train_runs(recipe, Job(images=real_data / "brats20_mini", run_dir=tmp_path / "run", quiet=True))


def test_what_a_synonym_of_a_sequence_stands_for_is_said(capsys):
    recipe, *_ = resolve(Recipe(sequence=("T1c", "flair,rCBV", "MPRAGE")), Job(), METHOD)
    assert recipe.sequence == ("t1gd", "flair", "rcbv")
    assert capsys.readouterr().out.splitlines() == [
        "--sequence T1c is read as T1Gd.",
        "--sequence MPRAGE is read as T1Gd.",
    ]


def test_one_class_is_an_error(make_cohort, tmp_path):
    recipe = replace(RECIPE, cohort=str(make_cohort(num_subjects=6, num_mutant=0)))
    with pytest.raises(InputError, match="expected mutant and wild-type patients; found only IDH 0 in 6 patients"):
        train_runs(recipe, Job(run_dir=tmp_path / "run", jobs=1, quiet=True))
