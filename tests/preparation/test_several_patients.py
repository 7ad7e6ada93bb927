"""A folder of several patients given as one is told, with the command to type; so is the reverse."""

import shlex

import numpy as np
import pytest

from glioma_idh import prepare
from glioma_idh.errors import InputError
from glioma_idh.imaging.volumes import write_volume
from glioma_idh.preparation import command
from glioma_idh.preparation.patients import check_one_patient, find_patients
from glioma_idh.preparation.settings import Settings
from tests.imaging.dicom_series import noise, write_series

SHAPE = (6, 7, 4)
SPIN_ECHO = {"MRAcquisitionType": "2D", "ScanningSequence": "SE", "RepetitionTime": 5000, "EchoTime": 95}


def write_images(folder, *names) -> None:
    for number, name in enumerate(names):
        write_volume(folder / f"{name}.nii.gz", noise(SHAPE, number).astype(np.float32), np.eye(4))


def error_of(source, **wanted) -> InputError:
    with pytest.raises(InputError) as raised:
        check_one_patient(source, source.parent / "my out", wanted, "t1gd")
    assert raised.value.expected == "a folder of one patient" and raised.value.file == str(source)
    return raised.value


def test_folders_that_each_hold_the_reference_are_counted_and_the_command_is_told(tmp_path):
    cohort = tmp_path / "my cohort"
    for name in ("p1", "p2", "p3", "p4"):
        write_images(cohort / name, "t1", "t1gd", "flair")
    error = error_of(cohort)
    assert error.found == "4 folders that each contain a T1Gd (p1, p2, p3 ...)"
    words = shlex.split(error.advice.split(": ")[1].partition(". If not")[0])
    assert words == f"glioma-idh|prepare|{cohort}|--many|--out|{tmp_path / 'my out'}".split("|")
    check_one_patient(cohort, tmp_path, {"t1gd": "p1/t1gd"}, "t1gd")
    check_one_patient(cohort / "p1", tmp_path, {}, "t1gd")


def test_the_command_itself_says_so_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "prepare_one", lambda *_: pytest.fail("a patient was prepared"))
    for name in ("p1", "p2"):
        write_images(tmp_path / "cohort" / name, "t1gd")
    job = prepare.Job(tmp_path / "cohort", out=tmp_path / "out", quiet=True)
    with pytest.raises(InputError, match="2 folders that each contain a T1Gd .*--many"):
        prepare.run(job, Settings())
    assert not (tmp_path / "out").exists()


def test_patients_without_the_reference_are_told_by_another_sequence(tmp_path):
    for name in ("p1", "p2"):
        write_images(tmp_path / "cohort" / name, "t2", "notes")
    assert error_of(tmp_path / "cohort").found == "2 folders that each contain a T2 (p1, p2)"


def test_one_patient_with_folders_of_series_or_a_second_scan_goes_on(tmp_path):
    for name, *images in (("anat", "t1", "t1gd"), ("again", "t2"), ("third", "t2", "flair")):
        write_images(tmp_path / "p1" / name, *images)
    check_one_patient(tmp_path / "p1", tmp_path, {}, "t1gd")
    write_images(tmp_path / "p2" / "T1", "scan")
    write_images(tmp_path / "p2", "t2", "t2_again")
    check_one_patient(tmp_path / "p2", tmp_path, {}, "t1gd")


@pytest.mark.parametrize(
    ("tag", "found"),
    [("PatientID", "DICOM files of 2 patients (PatientID)"), ("StudyDate", "DICOM files of 2 days (StudyDate)")],
)
def test_dicom_of_several_patients_or_days_is_told_by_its_headers(tag, found, tmp_path):
    for number, name in enumerate(("a", "b"), start=1):
        for series in (1, 2):
            tags = SPIN_ECHO | {tag: f"2019010{number}"}
            write_series(tmp_path / "cohort" / name / str(series), noise(SHAPE, series), series, tags)
    error = error_of(tmp_path / "cohort")
    assert error.found == found and f"{tmp_path / 'cohort'} --many --out" in error.advice
    check_one_patient(tmp_path / "cohort" / "a", tmp_path, {}, "t1gd")


def test_dicom_that_is_not_sorted_by_patient_must_be_first(tmp_path):
    for number in (1, 2):
        tags = SPIN_ECHO | {"PatientID": str(number)}
        write_series(tmp_path / "all" / "day" / str(number), noise(SHAPE, number), number, tags)
    assert "Sort them" in error_of(tmp_path / "all").advice


def test_files_of_another_modality_are_of_no_other_patient(tmp_path):
    write_series(tmp_path / "p1" / "mr", noise(SHAPE, 1), 1, SPIN_ECHO)
    write_series(tmp_path / "p1" / "ct", noise(SHAPE, 2), 2, SPIN_ECHO | {"Modality": "CT", "PatientID": "other"})
    check_one_patient(tmp_path / "p1", tmp_path, {}, "t1gd")


def test_folders_of_one_patients_series_are_not_many(tmp_path):
    for name in ("T1", "T1 post", "FLAIR"):
        write_images(tmp_path / "p1" / name, "scan")
    with pytest.raises(InputError, match="folders named after sequences .FLAIR, T1, T1 post.*Leave out --many"):
        find_patients(tmp_path / "p1", tmp_path / "out", many=True)
    write_images(tmp_path / "p1" / "T1_Meier", "scan")
    assert len(find_patients(tmp_path / "p1", tmp_path / "out", many=True)) == 4


def test_a_reference_that_several_folders_could_hold_names_many(tmp_path):
    """As of DICOM files whose anonymiser gave all patients one id and day."""
    for name in ("a", "b"):
        write_series(tmp_path / "cohort" / name, noise(SHAPE, 1), 1, SPIN_ECHO | {"SeriesDescription": "T2 tse"})
    job = prepare.Job(tmp_path / "cohort", out=tmp_path / "out", subject="case", quiet=True)
    (outcome,) = prepare.run(job, Settings())
    assert "--many" in outcome.errors[-1].advice
