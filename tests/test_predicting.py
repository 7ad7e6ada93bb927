"""Predictions of different patients stand beside each other; nothing is overwritten without a word."""

from pathlib import Path

import pandas as pd
import pytest

from glioma_idh.errors import InputError
from glioma_idh.predicting import check_files, subject_of, write_predictions
from tests.imaging.dicom_series import noise, write_series


@pytest.mark.parametrize(
    ("scan", "subject"),
    [
        ("010/flair.nii.gz", "010"),
        ("P7/T1_post.nii", "P7"),
        ("P7/t1gd_brain.nii.gz", "P7"),
        ("P7/P7_flair.nii.gz", "P7_flair"),
        ("x/BraTS20_Training_158_flair.nii.gz", "BraTS20_Training_158_flair"),
        ("x/Meier.nii.gz", "Meier"),
        ("x/scan12.nii.gz", "scan12"),
    ],
)
def test_a_patient_is_called_by_the_file_or_its_folder(scan, subject):
    assert subject_of(Path(scan), None) == subject
    assert subject_of(Path(scan), " P 9 ") == "P 9"


@pytest.mark.parametrize("given", ["", " ", "a/b", "..\\x", "a:b"])
def test_a_name_that_no_file_can_have_is_refused(given):
    with pytest.raises(InputError, match="a --subject that can name a file"):
        subject_of(Path("x/t2.nii"), given)


def test_predictions_of_others_stay_and_what_is_replaced_is_said(tmp_path, capsys):
    path = tmp_path / "predictions.csv"
    write_predictions(pd.DataFrame({"subject": ["010"], "score": [0.25]}), path)
    write_predictions(pd.DataFrame({"subject": ["003"], "score": [0.5]}), path)
    assert path.read_text().splitlines() == ["subject,score", "010,0.25", "003,0.5"]
    assert capsys.readouterr().err == ""
    write_predictions(pd.DataFrame({"subject": ["010"], "score": [0.75]}), path)
    assert path.read_text().splitlines() == ["subject,score", "003,0.5", "010,0.75"]
    assert "replaces earlier predictions of 010; --subject tells patients apart" in capsys.readouterr().err
    write_predictions(pd.DataFrame({"subject": ["010"], "score": [0.75]}), path)
    assert capsys.readouterr().err == ""
    path.write_text(path.read_text().replace("subject,score", "subject,score_mean"))  # as earlier versions call it
    write_predictions(pd.DataFrame({"subject": ["x"], "score": [float("nan")], "dice": [0.5]}), path)
    assert path.read_text().startswith("subject,score,dice\n")
    assert path.read_text().splitlines()[-2:] == ["010,0.75,", "x,,0.5"]


def test_what_is_given_as_an_image_must_be_a_file(tmp_path):
    (tmp_path / "scan.nii").touch()
    check_files(scan=tmp_path / "scan.nii", brain_mask=None)
    with pytest.raises(InputError, match="nowhere.nii: .* for --lesion-mask; found no file. Check --l"):
        check_files(lesion_mask=tmp_path / "nowhere.nii")
    with pytest.raises(InputError, match="for --t1gd; found a folder. Name the file in it"):
        check_files(t1gd=tmp_path)
    write_series(tmp_path / "dicom", noise((16, 18, 1), 1), 1, {})
    with pytest.raises(InputError, match="found a folder of DICOM files. Prepare .*glioma_idh.prepare"):
        check_files(scan=tmp_path / "dicom")
