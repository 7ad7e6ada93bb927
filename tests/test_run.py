"""The public `Run`: read from a folder, with its networks and its report; and the comparison of two runs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import glioma_idh as gi
from glioma_idh import runs
from glioma_idh.evaluation.comparisons import compare_auc
from glioma_idh.quiet_keras import keras, layers

SUBJECTS = [f"p{n}" for n in range(8)]
TRUTH = np.tile([0, 1], 4)


@pytest.fixture
def folder(tmp_path) -> Path:
    """The folder of a small run of two splits, all of which are trained."""
    return write_run(tmp_path / "run", np.linspace(0.1, 0.8, 8))


def write_run(folder: Path, score: np.ndarray) -> Path:
    """A run folder of two splits, with tables and no networks."""
    folder.mkdir(parents=True)
    runs.begin_run(folder, {"paper": "gbm2d", "sequence": ["t2"], "cohort": "mine.csv"}, {})
    cohort = pd.DataFrame({"subject": SUBJECTS, "patient": SUBJECTS, "cohort": "mine", "idh": TRUTH})
    split = np.repeat([1, 2], 4)
    splits = pd.concat(
        pd.DataFrame({"subject": SUBJECTS, "repeat": 1, "split": n, "part": np.where(split == n, "test", "train")})
        for n in (1, 2)
    )
    predictions = cohort.rename(columns={"idh": "truth"}).assign(repeat=1, split=split, score=score)
    exclusions = pd.DataFrame(columns=["subject", "file", "expected", "found", "advice"])
    tables = {runs.COHORT: cohort, runs.SPLITS: splits, runs.PREDICTIONS: predictions, runs.EXCLUSIONS: exclusions}
    for name, table in tables.items():
        table.to_csv(folder / name, index=False)
    return folder


def test_a_run_is_read_from_its_folder(folder):
    run = gi.Run(str(folder))
    assert run.folder == folder and run.name == "T2" and run.paper.name == "gbm2d"
    assert run.predictions["subject"].tolist() == SUBJECTS and len(run.splits) == 16 and run.exclusions.empty
    assert run.metrics["pooled"]["num_patients"] == 8
    assert run.performance["patients"]["num_tested"] == 8
    assert len(repr(run)) < 200


def test_a_folder_without_a_run_is_an_input_error(folder):
    with pytest.raises(gi.InputError, match=r"the folder of one run.*no such folder"):
        gi.Run(folder.parent / "nowhere")
    (folder / runs.PREDICTIONS).unlink()
    with pytest.raises(gi.InputError, match=r"all trained; found no predictions\.csv\. Finish the training"):
        gi.Run(folder)


def test_the_networks_of_a_run_are_one_per_split_in_their_order(folder):
    for index in (0, 1):
        network = keras.Sequential([keras.Input((1,)), layers.Dense(1, use_bias=False, kernel_initializer="ones")])
        network.set_weights([np.full((1, 1), index + 1.0)])
        runs.split_folder(folder, index).mkdir()
        network.save(runs.split_folder(folder, index) / runs.MODEL)
    outputs = [float(network.predict_on_batch(np.ones((1, 1)))[0, 0]) for network in gi.Run(folder).networks()]
    assert outputs == [1, 2]
    (runs.split_folder(folder, 1) / runs.MODEL).write_bytes(b"")
    with pytest.raises(gi.InputError, match=r"split_2.*expected a Keras network"):
        gi.Run(folder).networks()


def test_a_table_alone_has_a_report_and_no_networks(folder, monkeypatch):
    written = []
    report = "glioma_idh.reporting.report."
    monkeypatch.setattr(f"{report}write_table_report", lambda file, out: written.append((file, out)) or "page")
    monkeypatch.setattr(f"{report}write_report", lambda run, out: written.append((run, out)) or "page")
    table = folder / runs.PREDICTIONS
    alone = gi.read_predictions(str(table))
    with pytest.raises(gi.InputError, match="a run with trained networks; found the table predictions"):
        alone.networks()
    assert alone.report() == "page" and gi.Run(folder).report(str(folder / "mine.html")) == "page"
    assert written == [(table, None), (folder, folder / "mine.html")]


def test_two_runs_or_tables_are_compared_on_the_same_patients(folder):
    ours = gi.Run(folder)
    other = gi.Run(write_run(folder.parent / "other", np.roll(np.linspace(0.1, 0.8, 8), 3)))
    compared = gi.evaluation.compare(ours, other)
    assert compared == compare_auc(ours.predictions, other.predictions)
    assert compared.difference == -gi.evaluation.compare(other, ours).difference != 0
    assert gi.evaluation.compare(ours.predictions, other, level=0.8) == compare_auc(
        ours.predictions, other.predictions, level=0.8
    )
    with pytest.raises(ValueError, match="the same patients"):
        gi.evaluation.compare(ours, other.predictions.iloc[1:])


def test_a_table_without_patient_and_split_can_be_compared(folder):
    table = gi.Run(folder).predictions[["subject", "truth", "score"]]
    assert gi.evaluation.compare(table, table).difference == 0


def test_without_a_folder_the_current_one_is_not_read(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert not gi.Run(".").predictions.empty and gi.Run(None).predictions.empty
