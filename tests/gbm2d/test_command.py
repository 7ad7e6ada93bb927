"""What the command makes of its arguments before anything is trained."""

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from glioma_idh import runs
from glioma_idh.cohorts.table import COLUMNS
from glioma_idh.errors import InputError
from glioma_idh.gbm2d import Job, Recipe, method
from glioma_idh.gbm2d.method import METHOD
from glioma_idh.gbm2d.recipe import PUBLISHED
from glioma_idh.gbm2d.train import main
from glioma_idh.training import pipeline
from glioma_idh.training.pipeline import list_trainings, resolve
from tests.test_record import read_record

ALL = ("t1", "t1gd", "t2", "flair", "rcbv", "adc")


def train(recipe, job):
    """The folders of the runs that the command trains, or rehearses where `steps` are recorded."""
    return pipeline.train(recipe, job, method.METHOD)


def resolved(*names, job=None, **recipe):
    return resolve(Recipe(sequence=names, **recipe), job or Job(), METHOD)


def test_sequences_are_known_in_any_spelling_once_and_in_one_order():
    assert resolved("ADC", "mprage", "T1Gd", "t2")[0].sequence == ("t1gd", "t2", "adc")
    assert resolved("All")[0].sequence == ALL
    assert resolved("t2", "all")[0].sequence == ALL


def test_sequences_may_be_parted_by_commas():
    assert resolved("T1CE,flair")[0].sequence == ("t1gd", "flair")
    assert resolved("t2, ADC", "T1,")[0].sequence == ("t1", "t2", "adc")
    assert resolved("T1,all")[0].sequence == ALL
    for nothing in (",", ""):
        with pytest.raises(InputError, match="expected one of T1, T1Gd, T2, FLAIR, rCBV, ADC, or all; found ''"):
            resolved(nothing)


def test_nothing_is_made_before_every_sequence_can_be_trained(make_cohort, tmp_path):
    cohort = make_cohort(num_subjects=24, num_mutant=8)
    recipe = Recipe(sequence=("T2", "ADC"), cohort=str(cohort))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match="ADC"):
        train(recipe, Job(run_dir=tmp_path / "runs/run", quiet=True))
    assert sorted(tmp_path.rglob("*")) == before


def test_all_sequences_of_a_real_cohort_are_those_that_it_has(make_cohort):
    recipe, *_ = resolved("all", cohort=str(make_cohort(num_subjects=2, num_mutant=1)))
    assert recipe.sequence == ("t2",)


def test_a_run_without_a_folder_is_named_after_its_sequences(tmp_path):
    assert resolved("T2", "ADC")[1].run_dir.name.startswith("gbm2d-t2-adc-phantom-")
    assert resolved("all")[1].run_dir.name.startswith("gbm2d-all-phantom-")
    assert resolved("T2", job=Job(run_dir=tmp_path))[1].run_dir == tmp_path
    assert resolved("T2", seed=1)[1].run_dir != resolved("T2")[1].run_dir


def test_a_range_of_one_angle_is_a_range():
    assert resolved("T2", rotation_deg=(30, 30))[0].rotation_deg == (30, 30)


def test_several_sequences_get_a_folder_each_and_one_its_own(tmp_path):
    job = Job(run_dir=tmp_path)
    folders = [
        {training.name: training.folder for training in list_trainings(Recipe(sequence=names), job, METHOD)}
        for names in ("t2", ("t2", "adc"))
    ]
    assert folders == [{"t2": tmp_path}, {"t2": tmp_path / "t2", "adc": tmp_path / "adc"}]


@pytest.fixture
def steps(monkeypatch):
    """The steps of a run, recorded in the place of being taken."""
    kept = SimpleNamespace(prepared=[], trained=[], results=[], compared=[])

    def prepare(table, recipe, quiet):
        kept.prepared.append((*recipe.sequence, len(table)))
        table = table.assign(lesion_ml=1.0, **{recipe.sequence[0]: "a/b/c.nii"})
        table.attrs = {"measures": [{"subject": subject} for subject in table["subject"]]}
        return table, [np.zeros(len(table))], []

    def train_splits(train_split, recipe, folder, jobs, quiet, label):
        assert recipe.sequence == (label.removesuffix(": ").lower(),)
        kept.trained.append((train_split.__name__, recipe.epochs, folder.name, jobs, quiet))

    monkeypatch.setattr("glioma_idh.gbm2d.method.METHOD", replace(METHOD, prepare=prepare))
    monkeypatch.setattr("glioma_idh.training.pipeline.make_splits", lambda _, table: table[["subject"]])
    monkeypatch.setattr("glioma_idh.training.pipeline.train_splits", train_splits)
    monkeypatch.setattr("glioma_idh.training.pipeline.require_sequence", lambda *_: None)
    monkeypatch.setattr("glioma_idh.training.pipeline.finish_run", kept.results.append)
    monkeypatch.setattr("glioma_idh.training.pipeline.compare_runs", lambda *given: kept.compared.append(given))
    monkeypatch.setattr("glioma_idh.training.device.default_jobs", lambda gpus, num_splits: num_splits + 10)
    return kept


def test_each_sequence_is_prepared_trained_and_written_in_its_own_folder(steps, make_cohort, tmp_path, capsys):
    recipe = Recipe(sequence=("T2", "ADC"), cohort=str(make_cohort(num_subjects=3, num_mutant=1)), epochs=4)
    run = tmp_path / "run"
    assert train(recipe, Job(run_dir=run, quiet=True)) == {name: run / name for name in ("t2", "adc")}
    assert steps.prepared == [("t2", 3), ("adc", 3)]
    assert steps.trained == [("train_split", 4, "t2", 15, True), ("train_split", 4, "adc", 15, True)]
    assert steps.results == [run / name for name in ("t2", "adc")]
    assert steps.compared == [(run, {"t2": run / "t2", "adc": run / "adc"}, {"t2": None, "adc": None}, None)]
    assert "synthetic" not in capsys.readouterr().out
    for name in ("t2", "adc"):
        kept = runs.read_json(run / name / "recipe.json")
        assert kept["recipe"]["sequence"] == [name] and kept["published"] == runs.as_read(PUBLISHED[name])


def test_a_run_goes_on_with_what_was_prepared_and_trains_no_finished_sequence(steps, make_cohort, tmp_path):
    recipe = Recipe(sequence=("T2", "ADC"), cohort=str(make_cohort(num_subjects=3, num_mutant=1)), epochs=4)
    job = Job(run_dir=tmp_path / "run", quiet=True, jobs=2)
    train(recipe, job)
    (tmp_path / "run/t2/metrics.json").write_text("{}")
    steps.prepared.clear(), steps.trained.clear()
    train(recipe, job)
    assert steps.prepared == [] and steps.trained == [("train_split", 4, "adc", 2, True)]
    (tmp_path / "run/adc/metrics.json").write_text("{}")
    steps.trained.clear()
    train(recipe, job)
    assert steps.trained == [] and [set(new) for _, _, new, _ in steps.compared] == [{"t2", "adc"}, {"adc"}, set()]
    with pytest.raises(InputError, match="expected a run with epochs 5; found one with epochs 4"):
        train(replace(recipe, epochs=5), job)


def test_the_command_leaves_its_record_in_every_run(steps, make_cohort, tmp_path, monkeypatch):
    cohort, run = make_cohort(num_subjects=3, num_mutant=1), tmp_path / "run"
    words = ["--sequence", "T2", "ADC", "--cohort", str(cohort), "--run-dir", str(run), "--quiet"]
    monkeypatch.setattr(sys, "argv", ["train", *words])
    main()
    for folder, names in (run, {"t2/recipe.json", "adc/splits.csv"}), (run / "t2", {"recipe.json", "cohort.csv"}):
        record = read_record(folder)
        assert record.arguments == words and record.command == "glioma_idh.gbm2d.train" and record.exit_status == 0
        assert list(record.inputs) == [str(cohort)] and record.seeds == {"seed": 0} and names <= record.outputs.keys()
    cohort.write_text(cohort.read_text().replace("s00", "s99"))
    before = (run / "run.json").read_bytes()
    with pytest.raises(SystemExit, match="expected the label sheet that the run was started with"):
        main()
    assert (run / "run.json").read_bytes() == before


def test_a_synthetic_cohort_is_said_to_be_one(steps, monkeypatch, tmp_path, capsys):
    row = dict.fromkeys(COLUMNS, "") | {
        "subject": "a",
        "patient": "a",
        "cohort": "phantom",
        "idh": "1",
        "rcbv": "a/b/c",
    }
    monkeypatch.setattr("glioma_idh.cohorts.read", lambda *_, **__: (pd.DataFrame([row]), []))
    monkeypatch.setattr("glioma_idh.training.cohort.require_files", lambda *_: None)
    train(Recipe(), Job(run_dir=tmp_path / "run", quiet=True))
    printed = capsys.readouterr().out
    assert "Cohort: phantom (the built-in synthetic cohort: results have no clinical meaning)" in printed
    assert f"Everything is in {tmp_path / 'run'}" in printed


def test_the_package_gives_its_pieces_by_name():
    import glioma_idh.gbm2d as package

    for name in package.__all__:
        assert getattr(getattr(package, name), "__name__", name) == name
    assert dir(package) == package.__all__
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        package.nothing  # noqa: B018
    assert Job("a").images == Path("a") and Job().quiet is Job().strict is False and Job().jobs is None
