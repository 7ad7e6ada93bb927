"""The command: what it hands on to the work, and what it tells of the outcome."""

import sys
from pathlib import Path

import pandas as pd
import pytest

from glioma_idh import prepare
from glioma_idh.errors import InputError
from glioma_idh.preparation import command as module
from glioma_idh.preparation.settings import Settings
from glioma_idh.reporting.figures import patient_checks


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """In place of the work on a patient, and of its picture: recorders. Two patients' folders are there."""
    calls, pictures = [], []

    def work(made, source):
        calls.append((source, made.folder, made.settings, made.finder, made.stages.redone[:1]))
        made.stages.finish = lambda: pictures.append("finished")
        made.remarks.append(f"a remark on {source.name}")
        made.alignment, made.images = "an alignment", {"t1": made.folder / "t1.nii.gz"}

    monkeypatch.setattr(module, "run_steps", work)
    monkeypatch.setattr(
        patient_checks, "draw_checks", lambda subject, made, synthetic: pictures.append((subject, synthetic))
    )
    for name in ("p1", "p2"):
        (tmp_path / "cohort" / name).mkdir(parents=True)
    return tmp_path, calls, pictures


def test_source_folder_settings_finder_and_stage_are_handed_on(recorded, monkeypatch):
    place, calls, pictures = recorded
    monkeypatch.setattr(prepare, "lesion_finder", lambda run: f"the finder of {run.name}")
    monkeypatch.setattr(prepare, "_check_lesion_run", lambda run: None)
    job = prepare.Job(place / "cohort" / "p1", place / "out", lesion_run=place / "run", redo_from="adc", quiet=True)
    settings = Settings(keep_skull=True)
    (outcome,) = prepare.run(job, settings)
    assert calls == [(place / "cohort" / "p1", place / "out" / "p1", settings, "the finder of run", ("adc",))]
    assert pictures == [("p1", False), "finished"]
    assert outcome.files == {"t1": place / "out" / "p1" / "t1.nii.gz"} and outcome.remarks == ["a remark on p1"]


def test_an_id_of_ones_own_names_folder_and_rows(recorded):
    place, calls, _ = recorded
    prepare.run(prepare.Job(place / "cohort" / "p1", place / "out", subject="case-7", quiet=True), Settings())
    assert calls[0][:2] == (place / "cohort" / "p1", place / "out" / "case-7")
    table = pd.read_csv(place / "out" / "cohort.csv", dtype=str, keep_default_na=False)
    assert table[["subject", "t1"]].to_numpy().tolist() == [["case-7", "case-7/t1.nii.gz"]]


def test_each_of_many_gets_its_own_folder_and_row(recorded):
    place, calls, _ = recorded
    prepare.run(prepare.Job(place / "cohort", place / "out", many=True, quiet=True), Settings())
    assert [(source.name, folder.name) for source, folder, *_ in calls] == [("p1", "p1"), ("p2", "p2")]
    table = pd.read_csv(place / "out" / "cohort.csv", dtype=str, keep_default_na=False)
    assert table["t1"].tolist() == ["p1/t1.nii.gz", "p2/t1.nii.gz"]


def test_the_synthetic_patient_is_called_so(recorded, monkeypatch):
    place, _, pictures = recorded
    monkeypatch.setattr("glioma_idh.preparation.command.find_patients", lambda *_: {"p1": place / "cohort" / "p1"})
    prepare.run(prepare.Job(out=place / "out", quiet=True), Settings())
    assert pictures[0] == ("p1", True)


def test_a_patient_that_fails_is_in_the_exclusions_alone(recorded, monkeypatch):
    place, *_ = recorded

    def fail(made, source):
        raise InputError("a head", "none", "Look.", source / "t1.nii")

    monkeypatch.setattr(module, "run_steps", fail)
    (outcome,) = prepare.run(prepare.Job(place / "cohort" / "p1", place / "out", quiet=True), Settings())
    assert outcome.files == {} and len(outcome.errors) == 1
    table = pd.read_csv(place / "out" / "exclusions.csv", dtype=str)
    assert table.to_dict("records") == [
        {"subject": "p1", "file": "t1.nii", "expected": "a head", "found": "none", "advice": "Look."}
    ]


@pytest.mark.parametrize(("num_wrong", "code"), [(0, None), (1, 1)])
def test_the_command_counts_patients_without_an_error_and_fails_if_there_is_one(
    monkeypatch, capsys, tmp_path, num_wrong, code
):
    error = InputError("a", "b", "c")
    outcomes = [
        module.PreparedPatient(f"p{n}", tmp_path, {"t1": Path("t1")}, [error] * (n < num_wrong), [], [])
        for n in range(3)
    ]
    jobs = []
    monkeypatch.setattr(prepare, "run", lambda job, settings: jobs.append((job, settings)) or outcomes)
    argv = [
        "prepare",
        str(tmp_path),
        "--out",
        "there",
        "--jobs",
        "3",
        "--many",
        "--keep-skull",
        "--skip",
        "bias",
        "adc",
    ]
    monkeypatch.setattr(sys, "argv", argv)
    if code is None:
        prepare.main()
    else:
        with pytest.raises(SystemExit) as raised:
            prepare.main()
        assert raised.value.code == code
    said, *_ = capsys.readouterr().out.splitlines()
    assert said == f"{3 - num_wrong} of 3 patients prepared without errors. The results are in there"
    ((job, settings),) = jobs
    assert (job.source, job.out, job.jobs, job.many) == (tmp_path, Path("there"), 3, True)
    assert (settings.keep_skull, settings.skip) == (True, ("bias", "adc"))


def test_what_stops_the_command_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["prepare", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match="Error: .*no such folder"):
        prepare.main()


def test_by_default_everything_is_made_as_the_paper_has_it():
    """T1Gd is the reference, the lesion is drawn on T2, rCBV is corrected, the first pass counts, the skull goes."""
    usual = Settings()
    assert (usual.reference, usual.anchor, usual.lesion_on, usual.cbv) == ("t1gd", "t1gd", "t2", "first-pass")
    assert usual.leakage_correction and not usual.keep_skull and not usual.keep_flagged and usual.skip == ()
    assert [Settings(reference=name).anchor for name in ("t2", "atlas", "other.nii")] == ["t2", "t1gd", "t1gd"]


def test_networks_find_the_lesion_in_each_image_under_its_own_name(tmp_path, monkeypatch):
    from glioma_idh.sgp3d import prediction as library

    def record(prediction):
        calls.append(prediction)
        (prediction.out / "case_lesion.nii.gz").write_bytes(b"mask")
        (prediction.out / "case.csv").write_text("else")

    calls = []
    monkeypatch.setattr(library, "predict_cohort", record)
    finder = prepare.lesion_finder(tmp_path / "my run")
    images = {role: tmp_path / f"{role}.nii.gz" for role in ("t1", "t1gd", "t2", "flair")}
    finder.find(images, tmp_path / "out" / "lesion_mask.nii.gz")
    (prediction,) = calls
    assert {role: getattr(prediction, role) for role in images} == images
    assert prediction.run_dir == tmp_path / "my run"
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["lesion_mask.nii.gz"]
    assert (tmp_path / "out" / "lesion_mask.nii.gz").read_bytes() == b"mask"
    assert {file.name for file in finder.inputs} == {"recipe.json", "metrics.json"}
    assert finder.name == "by the networks of my run"


def test_a_patient_can_be_prepared_from_python(recorded, monkeypatch):
    """Options and folders, as text too, are handed on; the result names the files and the record."""
    place, calls, _ = recorded
    monkeypatch.setattr(prepare, "lesion_finder", lambda run: f"the finder of {run.name}")
    monkeypatch.setattr(prepare, "_check_lesion_run", lambda run: None)
    source, out = str(place / "cohort" / "p1"), place / "out"
    more = {"lesion_run": str(place / "run"), "redo_from": "adc", "quiet": True, "keep_skull": True}
    prepared = prepare.prepare_patient(source, str(out), subject="case-7", **more)
    assert calls == [(Path(source), out / "case-7", Settings(keep_skull=True), "the finder of run", ("adc",))]
    assert prepared.subject == "case-7" and prepared.files == {"t1": out / "case-7" / "t1.nii.gz"}
    assert prepared.record == {} and prepared.remarks == ["a remark on p1"]
    (out / "case-7").mkdir(exist_ok=True)
    (out / "case-7" / "prepare.json").write_text('{"settings": {"keep_skull": true}}')
    assert prepared.record["settings"] == {"keep_skull": True}


def test_a_patient_of_whom_nothing_can_be_made_is_an_error_in_python(recorded, monkeypatch):
    """The last error is raised: the one that stopped the preparation."""
    place, *_ = recorded

    def fail(made, source):
        made.errors.append(InputError("a T2", "two", "Choose."))
        raise InputError("a head", "none", "Look.")

    monkeypatch.setattr(module, "run_steps", fail)
    with pytest.raises(InputError, match="p1: expected a head; found none"):
        prepare.prepare_patient(place / "cohort" / "p1", place / "out", quiet=True)
    with pytest.raises(TypeError, match="no_such_option"):
        prepare.prepare_patient(place / "cohort" / "p1", place / "out", no_such_option=1)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"echo_times_s": (30.0,)}, "expected --echo-times-s in seconds, between 0 and 1; found 30.*-times-s 0.03"),
        ({"echo_times_s": (0.03, 0)}, "expected --echo-times-s in seconds, between 0 and 1; found 0"),
        ({"repetition_time_s": 1500.0}, "expected --repetition-time-s in seconds.*; found 1500.*-time-s 1.5"),
        ({"repetition_time_s": 0.0}, "expected --repetition-time-s in seconds, between 0 and 20; found 0"),
    ],
)
def test_times_in_milliseconds_are_refused(tmp_path, settings, match):
    with pytest.raises(InputError, match=match):
        prepare.run(prepare.Job(tmp_path, tmp_path / "out"), Settings(**settings))


def test_times_in_seconds_are_taken():
    Settings(echo_times_s=(0.013, 0.031), repetition_time_s=1.5).check_times()
