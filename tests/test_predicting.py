"""Predictions of different patients stand beside each other, nothing is overwritten without a word, and what looks
wrong is said."""

from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest

from glioma_idh.cohorts.checks.copies import remarks_on_names
from glioma_idh.cohorts.table import COLUMNS
from glioma_idh.errors import InputError
from glioma_idh.training.predict import check_files, find_problems, print_problems, subject_of, write_predictions
from tests.imaging.dicom_series import noise, write_series
from tests.imaging.heads import SPACING_MM, head


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
    with pytest.raises(InputError, match="a --subject that is valid in file names"):
        subject_of(Path("x/t2.nii"), given)


def test_predictions_of_others_stay_and_what_is_replaced_is_said(tmp_path, capsys):
    path = tmp_path / "predictions.csv"
    write_predictions(pd.DataFrame({"subject": ["010"], "score": [0.25]}), path)
    write_predictions(pd.DataFrame({"subject": ["003"], "score": [0.5]}), path)
    assert path.read_text().splitlines() == ["subject,score", "010,0.25", "003,0.5"]
    assert capsys.readouterr().err == ""
    write_predictions(pd.DataFrame({"subject": ["010"], "score": [0.75]}), path)
    assert path.read_text().splitlines() == ["subject,score", "003,0.5", "010,0.75"]
    assert "earlier predictions were replaced for 010. Use --subject to name each patient" in capsys.readouterr().err
    write_predictions(pd.DataFrame({"subject": ["010"], "score": [0.75]}), path)
    assert capsys.readouterr().err == ""
    path.write_text(path.read_text().replace("subject,score", "subject,score_mean"))  # as earlier versions call it
    write_predictions(pd.DataFrame({"subject": ["x"], "score": [float("nan")], "dice": [0.5]}), path)
    assert path.read_text().startswith("subject,score,dice\n")
    assert path.read_text().splitlines()[-2:] == ["010,0.75,", "x,,0.5"]


def test_what_is_given_as_an_image_must_be_a_file(tmp_path):
    (tmp_path / "scan.nii").touch()
    check_files(scan=tmp_path / "scan.nii", brain_mask=None)
    (tmp_path / "again.nii").symlink_to(tmp_path / "scan.nii")
    with pytest.raises(InputError, match="again.nii: expected two files for --scan and --lesion-mask; found the same"):
        check_files(scan=tmp_path / "scan.nii", lesion_mask=tmp_path / "again.nii")
    with pytest.raises(InputError, match="nowhere.nii: .* for --lesion-mask; found no file. Check --l"):
        check_files(lesion_mask=tmp_path / "nowhere.nii")
    with pytest.raises(InputError, match="for --t1gd; found a folder. Name the NIfTI file in it"):
        check_files(t1gd=tmp_path)
    write_series(tmp_path / "dicom", noise((16, 18, 1), 1), 1, {})
    with pytest.raises(InputError, match="found a folder of DICOM files. Prepare .*glioma-idh prepare"):
        check_files(scan=tmp_path / "dicom")


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"t1gd": "010/x_flair.nii.gz"}, "x_flair.nii.gz is given as T1Gd, but its name suggests FLAIR."),
        ({"t1": "p/t1ce.nii"}, "t1ce.nii is given as T1, but its name suggests T1Gd."),
        ({"flair": "p/seg.nii.gz"}, "seg.nii.gz is given as FLAIR, but its name suggests the lesion mask."),
        ({"adc": "p/dwi_b1000.nii.gz"}, "dwi_b1000.nii.gz is given as ADC, but its name suggests DWI."),
        (
            {"t1gd": "p/010_t1ce.nii.gz", "lesion_mask": "p/003_seg.nii.gz"},
            "p/010_t1ce.nii.gz and p/003_seg.nii.gz seem to belong to different patients or visits.",
        ),
        (
            {"t1gd": "A_010/t1ce.nii.gz", "lesion_mask": "A_003/seg.nii.gz"},
            "A_010/t1ce.nii.gz and A_003/seg.nii.gz seem to belong to different patients or visits.",
        ),
        (
            {"t1gd": "x/BraTS20_Training_010_t1ce.nii.gz", "lesion_mask": "x/BraTS20_Training_003_seg.nii.gz"},
            "x/BraTS20_Training_010_t1ce.nii.gz and x/BraTS20_Training_003_seg.nii.gz seem to belong to different "
            "patients or visits.",
        ),
        (
            {"t1gd": "x/BraTS20_Training_209_t1ce.nii.gz", "lesion_mask": "y/BraTS20_Training_273_seg.nii"},
            "x/BraTS20_Training_209_t1ce.nii.gz and y/BraTS20_Training_273_seg.nii seem to belong to different "
            "patients or visits.",
        ),
        (
            {"t1gd": "p/t1ce_010.nii.gz", "lesion_mask": "p/seg_003.nii.gz"},
            "p/t1ce_010.nii.gz and p/seg_003.nii.gz seem to belong to different patients or visits.",
        ),
        (
            {"t1gd": "p/TCGA-02-0003_t1ce.nii.gz", "lesion_mask": "p/TCGA-02-0006_seg.nii.gz"},
            "p/TCGA-02-0003_t1ce.nii.gz and p/TCGA-02-0006_seg.nii.gz seem to belong to different patients or visits.",
        ),
        ({"t1gd": "x/BraTS20_Training_209_t1ce.nii.gz", "lesion_mask": "x/mask_255.nii.gz"}, None),
        ({"t1gd": "x/209_t1ce.nii.gz", "lesion_mask": "x/mask_255.nii.gz"}, None),
        ({"t1gd": "p/010_t1ce.nii.gz", "lesion_mask": "p/seg_010_v2.nii.gz"}, None),
        ({"t1gd": "p/sub-01_t1gd.nii.gz", "lesion_mask": "q/sub-01_run-02_seg.nii.gz"}, None),
        ({"t1gd": "010/t1ce.nii.gz", "lesion_mask": "masks/010_seg.nii.gz"}, None),
        ({"t1gd": "p/Meier.nii.gz", "lesion_mask": "p/tumour3.nii.gz"}, None),
        ({"t1gd": "p/mprage.nii.gz", "lesion_mask": "p/roi.nii.gz"}, None),
    ],
)
def test_what_the_names_of_files_say(files, sentence):
    found = remarks_on_names({column: Path(file) for column, file in files.items()})
    assert [said for _, said in found] == ([sentence] if sentence else [])
    assert all(column == list(files)[-1] for column, _ in found)


@pytest.fixture
def one(tmp_path):
    """A cohort table of one subject with T2, another sequence that is no image, and a mask."""
    image = np.random.default_rng(0).normal(100, 10, (12, 14, 6)).astype(np.float32)
    mask = np.zeros(image.shape, np.uint8)
    mask[3:8, 4:9, 1:4] = 1
    row = dict.fromkeys(COLUMNS, "") | {"subject": "a", "patient": "a"}
    for name, array in {"t2": image, "t1": image, "lesion_mask": mask}.items():
        row[name] = str(tmp_path / f"{name}.nii.gz")
        nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), row[name])
    return pd.DataFrame([row])


def test_images_are_looked_at_as_the_check_of_cohorts_does(one):
    assert find_problems(one, ["t2", "lesion_mask"], {}) == {}
    assert find_problems(one, ["t1", "t2", "lesion_mask"], {}) == {"a": ["T2: Has the same voxels as t1."]}
    mask = np.where(nibabel.load(one.at[0, "lesion_mask"]).get_fdata(), 0.7, 0.2)
    nibabel.save(nibabel.Nifti1Image(mask, np.eye(4)), one.at[0, "lesion_mask"])
    found = find_problems(one, ["t2", "lesion_mask"], {"a": ["Odd."], "b": ["Odd."]})
    assert found == {"a": ["Odd."]}  # that the mask holds probabilities, the preparation says
    two = pd.concat([one, one.assign(subject="b", patient="b")])
    images = ("T2", "T2"), ("the lesion mask", "the lesion mask")
    said = find_problems(two, ["t2", "lesion_mask"], {})["b"]
    for sentence, (image, other) in zip(said, images, strict=True):
        assert sentence.startswith(f"{image}: ") and f"has the same voxels as {other} of a (" in sentence


def test_scans_of_other_axes_are_told_beside_the_score(one, tmp_path):
    turned = nibabel.Nifti1Image(head().transpose(2, 1, 0), np.diag([*SPACING_MM, 1.0]))
    nibabel.save(turned, one.at[0, "t2"])
    one["lesion_mask"] = ""
    (said,) = find_problems(one, ["t2"], {})["a"]
    assert said.startswith("T2: The image is more symmetric from bottom to top (correlation with its mirror image ")


def test_what_looks_wrong_is_said_of_the_first_few(capsys):
    print_problems({}, 5)
    assert capsys.readouterr().err == ""
    print_problems({name: [f"{name} is odd."] for name in "abcd"}, 5)
    lines = capsys.readouterr().err.splitlines()
    assert lines[:3] == ["a: a is odd.", "b: b is odd.", "c: c is odd."]
    assert lines[3].startswith("4 of 5 subjects have remarks") and lines[4].startswith("Check scan, mask")
