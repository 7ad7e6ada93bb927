"""The experiments' door: what is planned, reused, trained and compared."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pandas as pd
import pytest

from glioma_idh.errors import InputError
from glioma_idh.sgp3d import Job, Recipe
from glioma_idh.sgp3d.experiments import Where, run_table
from glioma_idh.sgp3d.plan import TABLES, make_plan
from glioma_idh.sgp3d.recipe import TARGETS
from glioma_idh.sgp3d.train import train
from tests.sgp3d.conftest import write_four

RECIPE = Recipe(shape=(16, 16, 16), num_splits=2, epochs=1, filters=4, learning_rate=1e-3)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Table 2 of one seed, one of whose runs was there before under another name."""
    folder = tmp_path_factory.mktemp("experiments")
    recipe = replace(RECIPE, cohort=str(write_four(folder)))
    train(recipe, Job(run_dir=folder / "runs/by_hand", jobs=1, quiet=True))
    made = (folder / "runs/by_hand/split_0/model.keras").stat().st_mtime_ns
    where = Where(table="table2", runs_dir=folder / "runs", seeds=(0,), jobs=1, quiet=True)
    out = run_table(recipe, where)
    assert made == (folder / "runs/by_hand/split_0/model.keras").stat().st_mtime_ns
    return recipe, where, out


def plan_of(recipe, where, seeds=(0,)):
    return make_plan(where.table, seeds, recipe, where, where.runs_dir)


def test_every_table_holds_the_model_and_only_what_networks_can_learn():
    for rows in TABLES.values():
        assert {"network": "sgpnet", "targets": "both"} in rows
        assert all(row["targets"] in TARGETS[row["network"]] for row in rows)
    assert [len(rows) for rows in TABLES.values()] == [5, 3, 2]


def test_a_finished_run_of_the_same_recipe_is_used(finished):
    recipe, where, _ = finished
    plan = plan_of(recipe, where)
    assert [run.name for run in plan] == ["SGPNet, IDH only", "SGPNet", "SGPNet, random masks"]
    assert plan[1].folder.name == "by_hand" and all(run.finished for run in plan)
    assert not any(run.finished for run in plan_of(replace(recipe, epochs=2), where))
    assert [run.recipe.seed for run in plan_of(recipe, where, seeds=(0, 7))] == [0, 7] * 3


def test_the_table_compares_the_runs_and_figure_4_is_drawn(finished, capsys):
    recipe, where, out = finished
    assert {path.name for path in out.iterdir()} == {
        "figures", "metrics.json", "predictions.csv", "table2.csv", "table2.md", "table2.tex",
        "report.html", "report_files",
    }  # fmt: skip
    assert {path.name for path in (out / "figures").iterdir()} == {"roc.png", "roc.svg"}
    predictions = pd.read_csv(out / "predictions.csv")
    assert predictions.groupby("network")["subject"].nunique().tolist() == [8, 8, 8]
    before = (out / "table2.csv").read_bytes()
    assert run_table(recipe, where) == out and (out / "table2.csv").read_bytes() == before
    printed = capsys.readouterr().out
    assert "3 runs, 3 of them finished" in printed and "SGPNet against SGPNet, random masks: AUC" in printed


def test_a_dry_run_trains_nothing_and_says_how_long_it_would_take(finished, capsys):
    recipe, where, _ = finished
    before = sorted(where.runs_dir.iterdir())
    assert run_table(recipe, replace(where, table="table1", dry_run=True)) is None
    printed = capsys.readouterr().out
    assert "table1: 5 runs, 1 of them finished" in printed and "SGPNet, seed 0: finished" in printed
    assert "3D U-Net, seed 0: 2 of 2 splits to train" in printed and "8 trainings, 1 at once: about" in printed
    assert sorted(where.runs_dir.iterdir()) == before


@pytest.mark.parametrize("seeds", [(), (1, 1)])
def test_seeds_that_cannot_be(finished, seeds):
    recipe, where, _ = finished
    with pytest.raises(InputError, match="expected different seeds in --seeds"):
        run_table(recipe, replace(where, seeds=seeds))


def test_what_the_table_decides_is_no_flag():
    command = [sys.executable, "-m", "glioma_idh.sgp3d.experiments", "table2", "--targets", "idh"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and "--targets" in done.stderr + done.stdout


@pytest.mark.slow
def test_killed_and_started_again_ends_with_the_same_table(make_four, tmp_path):
    cohort = make_four()
    flags = ["--folds", "2", "--shape", "16", "16", "16", "--epochs", "14", "--seeds", "0", "--jobs", "2", "--quiet"]
    command = [
        sys.executable,
        "-m",
        "glioma_idh.sgp3d.experiments",
        "detach-k",
        "--cohort",
        str(cohort),
        *flags,
        "--runs-dir",
    ]
    subprocess.run([*command, str(tmp_path / "whole")], check=True, capture_output=True)
    killed = tmp_path / "killed"
    process = subprocess.Popen([*command, str(killed)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(list(killed.glob("*/split_*/predictions.csv"))) < 2:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = {path: path.stat().st_mtime_ns for path in killed.glob("*/split_*/predictions.csv")}
    subprocess.run([*command, str(killed)], check=True, capture_output=True)
    assert all(path.stat().st_mtime_ns == time_ns for path, time_ns in done.items())
    (one,), (two,) = (list((tmp_path / name).glob("detach-k-*/detach-k.csv")) for name in ("whole", "killed"))
    assert one.read_bytes() == two.read_bytes()
