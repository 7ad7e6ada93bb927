"""The experiments' door: what is planned, reused, trained and compared."""

import html
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from glioma_idh.errors import InputError
from glioma_idh.files import write_json
from glioma_idh.progress import in_words
from glioma_idh.reporting import report
from glioma_idh.reporting.report import finish_run
from glioma_idh.runs import begin_run, read_json
from glioma_idh.sgp3d import Job, Recipe, fit, resources
from glioma_idh.sgp3d import plan as plan_module
from glioma_idh.sgp3d.experiments import Where, main, run_table
from glioma_idh.sgp3d.method import METHOD
from glioma_idh.sgp3d.plan import TABLES, epochs_done, make_plan, print_plan
from glioma_idh.sgp3d.recipe import TARGETS
from glioma_idh.sgp3d.train import train_run
from glioma_idh.training.pipeline import Training, list_trainings, resolve
from tests.conftest import written_reports
from tests.sgp3d.conftest import GRID, Rehearsal, Stop, write_four
from tests.sgp3d.tiny import tiny_network

RECIPE = Recipe(shape=(16, 16, 16), num_splits=2, epochs=1, filters=4, learning_rate=1e-3)
SCORES = {
    "both": [0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.1],
    "idh": [0.9, 0.8, 0.7, 0.1, 0.4, 0.3, 0.2, 0.6],
    "random-masks": [0.1, 0.8, 0.2, 0.6, 0.4, 0.9, 0.3, 0.7],
}
"""Of s00 to s07, the first four mutant. Of 16 pairs they win 16; then 12, as s03 and s07 changed places; then 3 + 2."""
POOLED = {"SGPNet": 1.0, "SGPNet, IDH only": 12 / 16, "SGPNet, random masks": 5 / 16}
FOLDS = [[1, 3, 5, 6], [0, 2, 4, 7]]
"""Who is tested in each. Of their 8 pairs mutants win 8; then 2 of 4 and 4; then 2 of 4 and none."""
AUC = {"SGPNet": 1.0, "SGPNet, IDH only": 6 / 8, "SGPNet, random masks": 2 / 8}


pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Table 2 of one seed, one of whose runs was there before under another name; trainings are rehearsed.

    Their networks are tiny, and say of each subject what SCORES do.
    """
    folder, rehearsal, reports = tmp_path_factory.mktemp("experiments"), Rehearsal(), []

    def score_subject(network, row, learns):
        number = int(row["subject"][1:])
        lesion = np.zeros(GRID, np.uint8) if "segmentation" in learns else None
        dice = {"dice": number / 10, "predicted_ml": 1.0} if "segmentation" in learns else {}
        return {"score": SCORES[rehearsal.trainings[-1].joint.targets][number], **dice}, lesion

    def finish(run):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(report, "publish", unwritten)
            reports.append(finish_run(run).folder)

    unwritten = report.publish
    recipe = replace(RECIPE, cohort=str(write_four(folder)))
    where = Where(table="table2", runs_dir=folder / "runs", seeds=(0,), jobs=1, quiet=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit.JointNetwork, "fit", lambda joint, *given, **more: rehearsal(joint, *given, **more))
        patch.setattr(fit, "build_network", lambda recipe, *_, **__: tiny_network((*recipe.shape, 4)))
        patch.setattr(fit, "score_subject", score_subject)
        patch.setattr(plan_module, "finish_run", finish)
        train_run(recipe, Job(run_dir=folder / "runs/by_hand", jobs=1, quiet=True))
        made = (folder / "runs/by_hand/split_1/model.keras").stat().st_mtime_ns
        with written_reports():
            out = run_table(recipe, where)
    assert made == (folder / "runs/by_hand/split_1/model.keras").stat().st_mtime_ns
    assert [given.joint.targets for given in rehearsal.trainings] == [
        *["both"] * 2, *["idh"] * 2, *["random-masks"] * 2
    ]  # fmt: skip
    assert sorted(reports) == sorted(path.parent for path in (folder / "runs").glob("sgp3d-*/metrics.json"))
    return recipe, where, out


def key_of(recipe) -> dict:
    """What makes two runs the same run."""
    (training,) = list_trainings(recipe, Job(run_dir="run"), METHOD)
    return training.key


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


def test_the_table_compares_the_runs_and_figure_4_is_drawn(finished, capsys, monkeypatch):
    recipe, where, out = finished
    assert {path.name for path in out.iterdir()} == {
        "figures", "metrics.json", "predictions.csv", "table2.csv", "table2.md", "table2.tex",
        "report.html", "report_files",
    }  # fmt: skip
    assert {path.name for path in (out / "figures").iterdir()} == {"roc.png", "roc.svg"}
    predictions = pd.read_csv(out / "predictions.csv")
    assert predictions.groupby("network")["subject"].nunique().tolist() == [8, 8, 8]
    before, drawn = (out / "table2.csv").read_bytes(), []
    monkeypatch.setattr("glioma_idh.reporting.report.save_figure", lambda *_: None)
    monkeypatch.setattr(
        "glioma_idh.reporting.report.roc_with_bands", lambda scored, **more: drawn.append((scored, more))
    )
    assert run_table(recipe, where) == out and (out / "table2.csv").read_bytes() == before
    ((scored, more),) = drawn
    assert scored.keys() == AUC.keys()
    assert more["published"] == {
        "SGPNet": 0.949,
        "Liang et al., 3D DenseNet": 0.857,
        "Chang et al., residual CNN": 0.940,
    }
    assert more["marks"] == {} and more["synthetic"] is False  # no grade, no mark
    printed = capsys.readouterr().out
    assert "3 runs, 3 of them finished" in printed
    assert "SGPNet versus SGPNet, random masks: AUC 1.000 versus 0.250" in printed
    assert "SGPNet versus SGPNet, IDH only: AUC 1.000 versus 0.750" in printed


def test_each_row_of_the_table_is_of_its_own_runs(finished):
    _, _, out = finished
    metrics = read_json(out / "metrics.json")
    folds = pd.read_csv(out / "predictions.csv").groupby("split")["subject"]
    assert [sorted(int(name[1:]) for name in of.unique()) for _, of in folds] == FOLDS
    assert {name: row["within_splits"]["auc"] for name, row in metrics["numbers"].items()} == pytest.approx(AUC)
    assert {name: row["pooled"]["auc"] for name, row in metrics["numbers"].items()} == pytest.approx(POOLED)
    assert metrics["numbers"]["SGPNet"]["pooled"]["dice"] == pytest.approx(0.35)
    assert "dice" not in metrics["numbers"]["SGPNet, IDH only"]["pooled"]
    differences = {name: pair["difference"] for name, pair in metrics["comparisons"]["auc"].items()}
    assert differences == pytest.approx({name: auc - 1 for name, auc in AUC.items() if name != "SGPNet"})
    predictions = pd.read_csv(out / "predictions.csv").sort_values("subject")
    names = {"SGPNet": "both", "SGPNet, IDH only": "idh", "SGPNet, random masks": "random-masks"}
    for name, rows in predictions.groupby("network"):
        assert rows["score"].tolist() == SCORES[names[name]] and rows["truth"].tolist() == [1] * 4 + [0] * 4
    table = pd.read_csv(out / "table2.csv", dtype=str, keep_default_na=False)
    for row, expected in (("pooled", POOLED), ("within", AUC)):
        cells = table[table.iloc[:, 1].str.contains(row)].set_index(table.columns[0])["AUC"]
        assert {name: cells[name].split()[0] for name in AUC} == {name: f"{auc:.3f}" for name, auc in expected.items()}


def test_table_and_report_of_one_folder_give_one_difference_one_p(finished):
    """Both are read as they lie there; p is Holm's over the two comparisons with the model in both."""
    _, _, out = finished
    table = pd.read_csv(out / "table2.csv", dtype=str, keep_default_na=False)
    rows = table[table["difference in AUC from SGPNet, p"] != ""].set_index("network")
    of_table = {f"{name} minus SGPNet": p for name, p in rows["difference in AUC from SGPNet, p"].items()}
    page = html.unescape((out / "report.html").read_text()).replace("\N{NO-BREAK SPACE}", " ")
    cells = re.findall(r"<tr><th[^>]*>([^<]* minus [^<]*)</th><td[^>]*>([^<]*)</td>", page)
    of_report = {pair: re.split(", p =? ?", area)[-1] for pair, area in cells}
    # SGPNet has all pairs in order. Fold 0 of the second: its mutants win 2 and 0 of 2, one pair from their mean; the
    # wild-types lose 1 each. Times sqrt(2), over 8 pairs: sqrt(2 x 2) / 8, so that z is 1. The third's: z is 3.
    one, three = (math.erfc(z / math.sqrt(2)) for z in (1, 3))
    expected = {"SGPNet, IDH only minus SGPNet": f"{one:.2f}", "SGPNet, random masks minus SGPNet": f"{2 * three:.3f}"}
    assert of_table == of_report == expected
    pairs = read_json(out / "report_files/metrics.json")["pairs"]["auc"]
    compared = read_json(out / "metrics.json")["comparisons"]["auc"]
    assert pairs == {f"{name} minus SGPNet": pair for name, pair in compared.items()}


def test_the_model_s_run_has_the_baselines_of_the_table(finished):
    _, where, _ = finished
    baselines = read_json(where.runs_dir / "by_hand/baselines.json")
    assert baselines.keys() == {"mask of the whole image", "FLAIR above a threshold"}
    assert 0.9 < baselines["FLAIR above a threshold"]["dice"] <= 1


def test_a_run_of_other_settings_is_another_run(finished):
    recipe, where, _ = finished
    plan = plan_of(recipe, where)
    for change in ({"seed": 1}, {"filters": 8}, {"learning_rate": 1e-4}, {"dropout": 0.1}, {"shape": (16, 16, 32)}):
        others = make_plan("table2", (change.get("seed", 0),), replace(recipe, **change), where, where.runs_dir)
        assert not any(run.finished for run in others) and all(run.missing() == [0, 1] for run in others)
        assert not {run.folder for run in others} & {run.folder for run in plan}


def test_epochs_done_are_those_of_whole_splits_and_of_what_is_saved(tmp_path):
    run = Training("SGPNet", replace(RECIPE, num_splits=3, epochs=10), tmp_path, {})
    assert (epochs_done(run), run.missing(), run.finished) == (0, [0, 1, 2], False)
    for split, name, rows in ((1, "predictions.csv", 1), (2, "history.csv", 4)):
        (tmp_path / f"split_{split}").mkdir()
        pd.DataFrame({"epoch": range(rows)}).to_csv(tmp_path / f"split_{split}" / name, index=False)
    assert (epochs_done(run), run.missing()) == (14, [1, 2])
    (tmp_path / "metrics.json").write_text("{}")
    assert (epochs_done(run), run.missing(), run.finished) == (30, [], True)


def test_seeds_have_their_own_folds_unless_a_split_seed_is_given(tmp_path):
    recipe, where = replace(RECIPE, cohort="phantom"), Where(table="detach-k", runs_dir=tmp_path)
    own, shared = (
        make_plan("detach-k", (0, 1), replace(recipe, split_seed=seed), where, tmp_path) for seed in (None, 0)
    )
    assert [(run.recipe.seed, run.recipe.split_seed) for run in own] == [(0, None), (1, None)] * 2
    assert [(run.recipe.seed, run.recipe.split_seed) for run in shared] == [(0, 0), (1, 0)] * 2
    same = [one.folder == other.folder for one, other in zip(own, shared, strict=True)]
    assert same == [True, False] * 2  # seed 0 on the splits of seed 0 is one run
    begin_run(tmp_path / "by_hand", key_of(replace(own[2].recipe, split_seed=0)), {})
    assert make_plan("detach-k", (0,), recipe, where, tmp_path)[1].folder.name == "by_hand"
    begin_run(tmp_path / "others", key_of(shared[3].recipe), {})
    plans = [make_plan("detach-k", (1,), replace(recipe, split_seed=seed), where, tmp_path) for seed in (0, None)]
    assert [plan[1].folder.name == "others" for plan in plans] == [True, False]


def test_the_detached_run_of_a_table_alone_is_detached(tmp_path):
    recipe = replace(RECIPE, cohort="phantom")
    where = Where(table="detach-k", runs_dir=tmp_path)
    plan = make_plan("detach-k", (3, 4), recipe, where, tmp_path)
    assert [(run.name, run.recipe.detach_k, run.recipe.seed) for run in plan] == [
        ("SGPNet, k held constant", True, 3),
        ("SGPNet, k held constant", True, 4),
        ("SGPNet", False, 3),
        ("SGPNet", False, 4),
    ]
    assert len({run.folder for run in plan}) == 4 and all(run.recipe.epochs == 1 for run in plan)
    table1 = make_plan("table1", (0,), recipe, replace(where, table="table1"), tmp_path)
    assert [run.name for run in table1] == [
        "Liang et al., 3D DenseNet",
        "Chang et al., residual CNN",
        "3D U-Net",
        "SGPNet, segmentation only",
        "SGPNet",
    ]


@pytest.mark.parametrize("table", ["table1", "table2", "detach-k"])
def test_the_paper_s_order_is_asked_of_table_2_alone(finished, tmp_path, monkeypatch, table):
    recipe, where, _ = finished
    monkeypatch.setattr("glioma_idh.reporting.report.save_figure", lambda *_: None)
    monkeypatch.setattr("glioma_idh.reporting.report.roc_with_bands", lambda *_, **__: None)
    plan_module.write_table_of(plan_of(recipe, where), replace(where, table=table, out=tmp_path))
    *_, last = read_json(tmp_path / "metrics.json")["order"]
    assert last.startswith("The order of the networks in the paper is") == (table == "table2")


@pytest.mark.parametrize("finished_one", ["a", "b"])
def test_of_two_runs_of_a_recipe_the_finished_one_is_used(tmp_path, finished_one):
    recipe = replace(RECIPE, cohort="phantom")
    where = Where(table="detach-k", runs_dir=tmp_path)
    resolved, *_ = resolve(replace(recipe, detach_k=True), where, METHOD)
    for name in ("a", "b"):
        begin_run(tmp_path / name, key_of(resolved), {})
    (tmp_path / finished_one / "metrics.json").write_text("{}")
    detached, model = plan_of(recipe, where)
    assert detached.folder == tmp_path / finished_one and detached.finished
    assert model.folder.name not in ("a", "b")


def test_a_dry_run_adds_up_all_networks_and_has_room_for_the_largest(tmp_path, monkeypatch, capsys):
    """15 trainings, two at once, each on two thirds of 30 subjects."""
    monkeypatch.setattr(resources, "measured_gflops", {"float32": 0.1}.get)
    where = Where(table="table1", runs_dir=tmp_path, jobs=2)
    plan = plan_of(replace(RECIPE, cohort="phantom", shape=(96, 96, 96), num_splits=3), where)
    print_plan(plan, where, SimpleNamespace(table=pd.DataFrame(index=range(30))))
    words = in_words(sum(3 * resources.needed_seconds(run.recipe, 20, 0.1) for run in plan) / 2)
    unet = next(run.recipe for run in plan if run.name == "3D U-Net")
    last = f"15 trainings, 2 in parallel: about {words}, {resources.needed_gb(unet, 2):.1f} GB of memory"
    assert capsys.readouterr().out.splitlines()[-1] == last


def test_memory_is_asked_for_of_every_network_before_any_is_trained(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("glioma_idh.training.device.find_gpus", lambda: [])
    monkeypatch.setattr(resources, "check_memory", lambda recipe, jobs: asked.append((recipe.network, jobs)))
    monkeypatch.setattr(plan_module, "begin_runs", lambda *_, **__: (_ for _ in ()).throw(Stop))
    where = Where(table="table1", runs_dir=tmp_path, jobs=2, quiet=True)
    with pytest.raises(Stop):
        plan_module.train_missing(
            plan_of(replace(RECIPE, cohort="phantom"), where), where, SimpleNamespace(checked_table=lambda _: None)
        )
    assert asked == [(name, 2) for name in ("densenet3d", "resnet2d", "unet3d", "sgpnet", "sgpnet")]


def test_the_grade_s_mark_is_the_mean_of_the_seeds_at_what_it_calls_wrongly_mutant(finished, tmp_path, monkeypatch):
    """Of every seed's run of the model; the horizontal axis is 1 - specificity."""
    recipe, where, _ = finished
    plan, second, asked, drawn = plan_of(recipe, where), [], [], []
    for run in plan:
        again = shutil.copytree(run.folder, tmp_path / run.folder.name)
        kept = read_json(again / "recipe.json")
        write_json(kept | {"recipe": kept["recipe"] | {"seed": 1}}, again / "recipe.json")
        second.append(run._replace(folder=again))

    def baselines(_, folder, quiet):
        asked.append(folder)
        grade = {"auc": 0.8, "sensitivity": 0.9, "specificity": 0.5 if folder == second[1].folder else 0.7}
        return {"grade alone": grade}

    monkeypatch.setattr(plan_module, "METHOD", replace(METHOD, baselines=baselines))
    monkeypatch.setattr("glioma_idh.reporting.report.save_figure", lambda *_: None)
    monkeypatch.setattr("glioma_idh.reporting.report.roc_with_bands", lambda _, **more: drawn.append(more["marks"]))
    plan_module.write_table_of([*plan, *second], replace(where, out=tmp_path / "out"))
    assert asked == [plan[1].folder, second[1].folder]
    assert drawn == [{"grade alone": (pytest.approx(0.4), pytest.approx(0.9))}]


def test_a_dry_run_trains_nothing_and_says_how_long_it_would_take(finished, capsys):
    recipe, where, _ = finished
    before = sorted(where.runs_dir.iterdir())
    assert run_table(recipe, replace(where, table="table1", dry_run=True)) is None
    printed = capsys.readouterr().out
    assert "table1: 5 runs, 1 of them finished" in printed and "SGPNet, seed 0: finished" in printed
    assert "3D U-Net, seed 0: 2 of 2 splits to train" in printed and "8 trainings, 1 in parallel: about" in printed
    assert sorted(where.runs_dir.iterdir()) == before


@pytest.mark.parametrize("seeds", [(), (1, 1)])
def test_seeds_that_cannot_be(finished, seeds):
    recipe, where, _ = finished
    with pytest.raises(InputError, match="expected different seeds in --seeds"):
        run_table(recipe, replace(where, seeds=seeds))


def test_what_the_table_decides_is_no_flag(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["experiments", "table2", "--targets", "idh"])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr()
    assert ended.value.code == 2 and "--targets" in printed.err + printed.out


@pytest.mark.slow
def test_killed_and_started_again_ends_with_the_same_table(make_four, tmp_path):
    cohort = make_four(num_subjects=4, num_mutant=2)
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
