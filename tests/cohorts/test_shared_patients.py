"""One patient under two names, one image in two files."""

import nibabel
import numpy as np
import pytest

from glioma_idh.cohorts.manifests import canonical_patient
from glioma_idh.cohorts.shared_patients import nameless, overlap, refuse_overlap, shared_images
from glioma_idh.cohorts.table import read_table
from glioma_idh.errors import InputError


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("TCGA-06-0221-01A", "TCGA-06-0221"),
        ("tcga-06-0221", "TCGA-06-0221"),
        ("UPENN-GBM-00042_21", "UPENN-GBM-00042"),
        ("UCSF-PDGM-004", "UCSF-PDGM-0004"),
        ("UCSF-PDGM-0433_FU007d", "UCSF-PDGM-0433"),
        ("UCSF-PDGM-315", "UCSF-PDGM-0433"),
        ("BraTS2021_00097", "UCSF-PDGM-0004"),
        ("BraTS2021_00758", "UCSF-PDGM-0433"),
        ("BraTS20_Training_335", "TCGA-HT-A61A"),
        ("brats20_training_335", "TCGA-HT-A61A"),
        ("Brats18_TCIA13_654_1", "TCGA-HT-7690"),
        ("sub-UCSF-PDGM-0004", "UCSF-PDGM-0004"),
        ("BraTS2021_99999", "BraTS2021_99999"),
        ("my patient", "my patient"),
    ],
)
def test_one_name_for_one_patient(name, patient):
    assert canonical_patient(name) == patient


def table(folder, name, rows):
    (folder / f"{name}.csv").write_text(rows)
    return read_table(folder / f"{name}.csv")


def test_the_same_patient_under_other_names(tmp_path):
    a = table(
        tmp_path, "a", "subject,patient,idh\nBraTS2021_00097,,0\nBraTS20_Training_335,,\nx,TCGA-06-0221,1\ny,p9,0\n"
    )
    b = table(tmp_path, "b", "subject,patient,idh\nUCSF-PDGM-0004,,0\nTCGA-06-0221_2005,,1\nz,p9,0\ny,p8,1\n")
    pairs = overlap(a, b)
    assert list(zip(pairs["subject_a"], pairs["subject_b"], strict=True)) == [
        ("BraTS2021_00097", "UCSF-PDGM-0004"),
        ("x", "TCGA-06-0221_2005"),
        ("y", "z"),
    ]
    with pytest.raises(InputError, match=r"found 3 in both \(BraTS2021_00097 is UCSF-PDGM-0004; x is"):
        refuse_overlap(a, b)
    refuse_overlap(a[:0], b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("BraTS20_Training_335,", "TCGA-HT-A61A,"),
        ("BraTS20_Training_335,case7", "TCGA-HT-A61A,"),  # a patient column of one's own hides nobody
        ("BraTS2021_00097,case-12", "UCSF-PDGM-004,"),
        ("mine,TCGA-HT-A61A", "BraTS20_Training_335,P7"),
        ("BraTS2021_00758,", "UCSF-PDGM-0433,"),  # a second visit
        ("mine,tcga-06-0221", "yours,TCGA-06-0221-01A"),
        ("TCGA-06-0221,p9", "TCGA-06-0221,p9"),  # known by two names, and one pair
    ],
)
def test_the_guard_holds(tmp_path, a, b):
    tables = [table(tmp_path, name, f"subject,patient,idh\n{row},1\n") for name, row in (("a", a), ("b", b))]
    assert len(overlap(*tables)) == len(overlap(*tables[::-1])) == 1


def test_one_patient_in_both_is_enough_to_refuse_and_a_pair_stands_once(tmp_path):
    a = table(tmp_path, "a", "subject,patient,idh\nTCGA-06-0221,,1\nx,P1,0\nx2,P1,0\n")
    b = table(tmp_path, "b", "subject,patient,idh\nTCGA-06-0221,tcga-06-0221,1\n")
    pairs = overlap(a, b)
    assert pairs.to_numpy().tolist() == [["TCGA-06-0221", "TCGA-06-0221", "TCGA-06-0221", "same patient"]]
    with pytest.raises(InputError, match=r"found 1 in both \(TCGA-06-0221 is TCGA-06-0221\)"):
        refuse_overlap(a, b)
    c = table(tmp_path, "c", "subject,patient,idh\nx,P2,0\nP1,,0\ny,p1,0\n")
    assert overlap(a, c).to_numpy().tolist() == [
        ["x", "P1", "P1", "same patient"],
        ["x2", "P1", "P1", "same patient"],
    ]


def test_who_has_no_name_outside_brats(tmp_path):
    rows = "subject,patient,idh\nBraTS2021_99999,,\nBraTS2021_00097,UCSF-PDGM-0004,\nBraTS-GLI-00001-000,,\nx,,\n"
    assert nameless(table(tmp_path, "a", rows)) == 2


def test_the_same_image_in_another_file(tmp_path):
    rng = np.random.default_rng(0)
    scan, other = np.zeros((8, 9, 10)), rng.integers(1, 99, (8, 9, 10))
    scan[2:6, 2:7, 3:8] = rng.integers(1, 99, (4, 5, 5))
    padded = np.pad(scan, 2)[:, ::-1]
    flipped = np.diag([1.0, -1, 1, 1])
    for name, array, affine in (("one", scan, np.eye(4)), ("copy", padded, flipped), ("other", other, np.eye(4))):
        nibabel.save(nibabel.Nifti1Image(array.astype(np.int16), affine), tmp_path / f"{name}.nii.gz")
    a = table(tmp_path, "a", "subject,idh,t1,t2\ns1,0,one.nii.gz,\ns2,1,nowhere.nii.gz,\n")
    b = table(tmp_path, "b", "subject,idh,t1,adc,adc_divisor\nr1,0,other.nii.gz,copy.nii.gz,3\n")
    pairs, num_compared, errors = shared_images(a, b, jobs=1, quiet=True)
    assert num_compared == (1, 2) and [(error.subject, error.found) for error in errors] == [("s2", "no file")]
    assert errors[0].file.endswith("nowhere.nii.gz")
    assert pairs["patient"].tolist() == ["s1"] and list(pairs.columns) == ["subject_a", "subject_b", "patient", "why"]
    back, num_compared, _ = shared_images(b.assign(patient="R"), a, jobs=1, quiet=True)
    assert num_compared == (2, 1)
    assert back.to_numpy().tolist() == [["r1", "s1", "R", "same image: adc and t1"]]
    assert pairs[["subject_a", "subject_b", "why"]].to_numpy().tolist() == [["s1", "r1", "same image: t1 and adc"]]


def test_images_of_zeros_are_not_the_same_image_and_are_said(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 4, 4)), np.eye(4)), tmp_path / "zeros.nii.gz")
    (tmp_path / "text.nii.gz").write_bytes(b"no image")
    a = table(tmp_path, "a", "subject,idh,t1,t2\ns1,0,zeros.nii.gz,text.nii.gz\n")
    b = table(tmp_path, "b", "subject,idh,t1\nr1,0,zeros.nii.gz\n")
    pairs, num_compared, errors = shared_images(a, b, jobs=1, quiet=True)
    assert pairs.empty and num_compared == (0, 0)
    assert [(error.subject, error.expected) for error in errors] == [
        ("s1", "an image"),
        ("s1", "a readable NIfTI file"),
        ("r1", "an image"),
    ]
    assert all(error.file.endswith(".nii.gz") for error in errors)
