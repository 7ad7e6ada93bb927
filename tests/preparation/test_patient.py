"""What is remembered of a patient's series, what the tables may say of them, and what is refused before any work."""

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from glioma_idh import prepare
from glioma_idh.errors import InputError
from glioma_idh.files import write_json
from glioma_idh.imaging.volumes import write_volume
from glioma_idh.preparation import command, patient
from glioma_idh.preparation.patient import shareable_error
from glioma_idh.preparation.series import find_series
from glioma_idh.preparation.settings import Settings
from glioma_idh.preparation.stages import Stages
from glioma_idh.reporting.figures import patient_checks
from glioma_idh.sgp3d.recipe import Recipe
from tests.imaging.dicom_series import noise, write_series

FAST = Settings(skip=("head-motion", "registration", "brain", "bias"))
SHAPE = (16, 18, 4)
SPIN_ECHO = {"MRAcquisitionType": "2D", "ScanningSequence": "SE", "RepetitionTime": 5000, "EchoTime": 95}
ECHO_PLANAR = SPIN_ECHO | {"ScanningSequence": "EP"}


def series_below(folder: Path) -> tuple[list[str], list]:
    """The numbers of the series, DICOM converted into a patient's folder among the results; and what is wrong."""
    stages = Stages(folder.parent / "out")
    series, remarks = find_series(folder, stages.folder / "native", partial(patient._convert_once, stages))
    return [found.number for found in series], remarks


def test_a_series_that_cannot_be_used_is_remembered_and_the_others_go_on(tmp_path):
    write_series(tmp_path / "in", noise(SHAPE, 1), 1, SPIN_ECHO)
    write_series(tmp_path / "in", noise(SHAPE, 2), 2, SPIN_ECHO | {"RepetitionTime": 65000})
    for _ in range(2):
        numbers, (error,) = series_below(tmp_path / "in")
        assert numbers == ["1"] and str(error).startswith("series 2: expected RepetitionTime between 0.001 and 60 s")


def test_nothing_stays_of_series_that_are_gone(tmp_path):
    each = [{"DiffusionBValue": float(b)} for b in (0, 500, 1000)]
    files = write_series(tmp_path / "in", noise((*SHAPE, 3), 5), 5, ECHO_PLANAR, each)
    native = tmp_path / "out" / "native"
    assert series_below(tmp_path / "in") == (["5"], []) and (native / "series_005.bval").exists()
    for file in files:
        file.unlink()
    write_series(tmp_path / "in", noise(SHAPE, 6), 5, SPIN_ECHO)
    assert series_below(tmp_path / "in") == (["5"], [])
    assert sorted(file.name for file in native.iterdir()) == ["series_005.json", "series_005.nii"]


def test_dicom_is_not_converted_again_for_a_nifti_file_beside_it(tmp_path, monkeypatch):
    write_series(tmp_path / "in", noise(SHAPE, 1), 1, SPIN_ECHO)
    convert, calls = patient.convert_dicom, []
    monkeypatch.setattr(patient, "convert_dicom", lambda *call: calls.append(call) or convert(*call))
    for edge in (3, 4):
        write_volume(tmp_path / "in" / "lesion_mask.nii.gz", np.ones((edge, 4, 5), np.uint8), np.eye(4))
        assert series_below(tmp_path / "in") == (["1", "lesion_mask"], [])
    assert len(calls) == 1
    write_series(tmp_path / "in", noise(SHAPE, 2), 2, SPIN_ECHO)
    assert series_below(tmp_path / "in")[0] == ["1", "2", "lesion_mask"] and len(calls) == 2


@pytest.mark.parametrize("place", ["{source}", "{source}/a/b", "{folder}/native", "/third/Mueller/Hans M"])
def test_no_folder_comes_into_a_record(place, tmp_path, monkeypatch):
    (tmp_path / "archive" / "Mueller").mkdir(parents=True)
    (tmp_path / "case-1").symlink_to(tmp_path / "archive" / "Mueller")
    monkeypatch.chdir(tmp_path)
    source, folder = tmp_path / "case-1", Path("results/case-1")
    for form in (Path, Path.resolve):
        file = Path(place.format(source=form(source), folder=form(folder)), "t2.nii")
        error = InputError("a file", f"no {file}", f"Look at {file.parent}/t1.nii.", file=file)
        told = {"file": "t2.nii", "expected": "a file", "found": "no t2.nii", "advice": "Look at t1.nii."}
        assert shareable_error(error, source, folder) == told
    error = InputError("a", f"no {source}/Hans M/t2.nii", "c", file="Hans M/t2")  # as of a NIfTI file that is broken
    told = {"file": "t2", "expected": "a", "found": "no t2.nii", "advice": "c"}
    assert shareable_error(error, source, folder) == told
    assert shareable_error(InputError("a", "b", "c", file=source), source, folder)["file"] == ""
    assert shareable_error(InputError("a", "b", "c", file="series 5"), source, folder)["file"] == "series 5"


@pytest.mark.parametrize("source", ["Mueller_Hans", "../cohort/Mueller_Hans"])
def test_a_folders_name_comes_into_no_table_where_the_patient_has_an_id(source, tmp_path, monkeypatch):
    monkeypatch.setattr(patient_checks, "draw_checks", lambda *_, **__: None)
    folder, rng = tmp_path / "cohort" / "Mueller_Hans", np.random.default_rng(0)
    for name in ("t1", "t1gd", "t2", "flair"):
        write_volume(folder / f"{name}.nii.gz", rng.uniform(50, 100, SHAPE).astype(np.float32), np.eye(4))
    write_volume(folder / "dwi.nii.gz", rng.uniform(50, 100, (*SHAPE, 3)).astype(np.float32), np.eye(4))
    write_volume(folder / "drawn.nii.gz", np.ones((3, 4, 5), np.uint8), np.eye(4))
    monkeypatch.chdir(tmp_path / "cohort")
    job = prepare.Job(Path(source), out=Path("../out"), subject="case-1", quiet=True)
    settings = Settings(skip=FAST.skip, lesion_mask=Path(source, "drawn.nii.gz"), series=("dwi=dwi",))
    (outcome,) = prepare.run(job, settings)
    assert sorted(Path(error.file).name for error in outcome.errors) == ["drawn.nii.gz", "dwi.nii.gz"]
    for file in ("out/exclusions.csv", "out/cohort.csv", "out/case-1/prepare.json"):
        text = (tmp_path / file).read_text()
        assert "case-1" in text or file.endswith("json")
        assert "Mueller" not in text and str(tmp_path) not in text


def refused(tmp_path, monkeypatch, settings: Settings = FAST, **job) -> InputError:
    """The error of a command that stops before the first patient."""
    monkeypatch.setattr(command, "prepare_one", lambda *_: pytest.fail("a patient was prepared"))
    (tmp_path / "p1").mkdir()
    with pytest.raises(InputError) as raised:
        prepare.run(prepare.Job(tmp_path / "p1", out=tmp_path / "out", quiet=True, **job), settings)
    return raised.value


def test_a_table_that_cannot_be_read_stops_before_the_first_patient(tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "cohort.csv").write_bytes("subject,site\np1,Köln\n".encode("cp1252"))
    assert refused(tmp_path, monkeypatch).file.endswith("cohort.csv")


def test_a_role_is_given_once(tmp_path, monkeypatch):
    error = refused(tmp_path, monkeypatch, Settings(series=("t2=flair", "t1=5", "t2=t2")))
    assert error.expected == "each role once in --series" and error.found.startswith("t2 ")


def test_a_lesion_run_has_learnt_to_find_lesions(tmp_path, monkeypatch):
    def write_run(**settings) -> Path:
        write_json(
            {"format": 2, "recipe": {"paper": "sgp3d"} | asdict(Recipe(**settings))}, tmp_path / "run" / "recipe.json"
        )
        (tmp_path / "run" / "metrics.json").write_text(json.dumps({"synthetic": True}))
        (tmp_path / "run" / "cohort.csv").write_text("subject,patient,cohort,idh\np1,p1,phantom,1\n")
        return tmp_path / "run"

    run = write_run(network="densenet3d", targets="idh")
    error = refused(tmp_path, monkeypatch, lesion_run=run)
    assert error.file == str(run) and error.found == "a run of densenet3d with --targets idh"
    prepare._check_lesion_run(write_run(targets="segmentation"))
