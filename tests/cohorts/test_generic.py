"""Any other cohort: a folder a subject, and a label sheet of one's own."""

import pandas as pd
import pytest

from glioma_idh import cohorts
from glioma_idh.cohorts.generic import columns_named
from glioma_idh.errors import InputError


def touch(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


def test_words_in_the_names_tell_the_sequences(tmp_path):
    touch(tmp_path, *(f"p1/{name}.nii.gz" for name in ("T1", "p1_T1ce", "t2w", "3D_FLAIR", "rCBV", "ADC-map", "Mask")))
    touch(tmp_path, "p2/anat/p2_mprage.nii", "p2/tumor_seg.nii.gz", "p2/brain_mask.nii.gz", "p2/t2_flair.nii")
    touch(tmp_path, "p3/t2.nii", "p3/t2.nii.gz")
    touch(tmp_path, "p4/T1_pre.nii.gz", "p4/T1_again.nii.gz", "p4/dwi.nii.gz", "p4/T1_post-op.nii.gz")
    touch(tmp_path, "p4/t2.nii.gz", "loose.nii.gz")
    table, ignored = cohorts.read("csv", tmp_path)
    table = table.set_index("subject")
    columns = ["t1", "t1gd", "t2", "flair", "rcbv", "adc", "lesion_mask"]
    found = [path.rsplit("/", 1)[-1] for path in table.loc["p1", columns]]
    assert found == [f"{name}.nii.gz" for name in ("T1", "p1_T1ce", "t2w", "3D_FLAIR", "rCBV", "ADC-map", "Mask")]
    assert table.loc["p2", "t1gd"].endswith("p2/anat/p2_mprage.nii")
    assert table.loc["p2", "lesion_mask"].endswith("tumor_seg.nii.gz")
    assert table.loc["p2", "brain_mask"].endswith("brain_mask.nii.gz")
    assert table.loc["p3", "t2"].endswith("t2.nii.gz")
    assert table.loc["p4", "t1"] == "" and table.loc["p4", "t2"]
    reasons = {item.what: item.reason for item in ignored}
    assert table.loc["p2", "flair"].endswith("t2_flair.nii")
    assert reasons["p4/T1_post-op.nii.gz"] == "could be t1 or t1gd"
    assert reasons["p4"] == "t1 could be T1_again.nii.gz or T1_pre.nii.gz: keep only one in the folder"
    assert reasons["p4/dwi.nii.gz"] == "its name contains no sequence"
    assert reasons["loose.nii.gz"] == "is not in the folder of a subject"


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("t1-gd", ["t1gd"]),
        ("T1_POST_GAD", ["t1gd"]),
        ("T1+C", ["t1gd"]),
        ("T1w_gd", ["t1gd"]),
        ("t2_star", []),
        ("t2_space_dark-fluid", ["flair"]),
        ("t1_pre_contrast", ["t1"]),
        ("T1_ohne_KM", ["t1"]),
        ("mprage_ohne_km", ["t1"]),
        ("T1_preop", ["t1", "t1gd"]),
        ("brain_tumor_T2", ["t2", "lesion_mask"]),
        ("t1_brain", ["t1"]),
        ("flair_seg", ["lesion_mask"]),
        ("brain_mask", ["brain_mask"]),
        ("brain_tumor_mask", ["lesion_mask"]),
        ("lesion", ["lesion_mask"]),
        ("dsc_rcbv", ["rcbv"]),
        ("dwi_adc", ["adc"]),
        ("p1_t1", ["t1"]),
        ("t1n", ["t1"]),
        ("t1c", ["t1gd"]),
        ("t2f", ["flair"]),
        ("t2w", ["t2"]),
        ("t2_post", ["t2"]),
        ("swi_t2", []),
        ("dsc_cbv", ["rcbv"]),
        ("tumour", ["lesion_mask"]),
        ("roi", ["lesion_mask"]),
        ("brainmask", ["brain_mask"]),
    ],
)
def test_what_a_name_could_stand_for(name, columns):
    assert columns_named(f"{name}.nii.gz", "p1") == columns


def test_labels_of_one_s_own(tmp_path):
    touch(tmp_path, "images/a/t2.nii.gz", "images/b/t2.nii.gz", "images/c/t2.nii.gz")
    (tmp_path / "mine.csv").write_text("subject,patient,idh,age_years\na,P,mutant,50\nb,,WT,\n")
    table, _ = cohorts.read("csv", tmp_path / "images", tmp_path / "mine.csv")
    assert table["idh"].tolist() == ["1", "0", ""]
    assert table["patient"].tolist() == ["P", "b", "c"] and table["cohort"].tolist() == ["images"] * 3


def test_the_subject_s_own_name_says_no_sequence():
    assert columns_named("T2_study_007_flair.nii.gz", "T2_study_007") == ["flair"]


def test_every_column_of_one_s_own_labels_reaches_its_subject(tmp_path):
    touch(tmp_path, *(f"images/{subject}/t2.nii.gz" for subject in ("a", "b", "c")))
    header = "sex,subject,grade,site,patient,idh,idh_evidence,age_years\n"
    rows = "W,c,4.0,S1,P,mutant,IDH1 R132H,>89\nm,a,NA,S2,Q,wt,,50.5\n"
    (tmp_path / "mine.csv").write_text(header + rows)
    table, ignored = cohorts.read("csv", tmp_path / "images", tmp_path / "mine.csv")
    columns = ["subject", "patient", "site", "idh", "idh_evidence", "grade", "age_years", "sex"]
    assert table[columns].to_numpy().tolist() == [
        ["a", "Q", "S2", "0", "", "", "50.5", "M"],
        ["c", "P", "S1", "1", "IDH1 R132H", "4", "89", "F"],
        ["b", "b", "", "", "not in the label sheet", "", "", ""],
    ]
    assert [path.split("/")[-2] for path in table["t2"]] == ["a", "c", "b"] and ignored == []
    assert table.attrs["file"] == str(tmp_path / "mine.csv")


def test_two_statuses_of_a_patient_are_an_error(tmp_path):
    touch(tmp_path, "images/a/t2.nii.gz", "images/b/t2.nii.gz")
    (tmp_path / "mine.csv").write_text("subject,patient,idh\na,P,1\nb,P,0\n")
    with pytest.raises(InputError, match="P: expected one IDH status per patient; found both, for a and b"):
        cohorts.read("csv", tmp_path / "images", tmp_path / "mine.csv")


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        (
            "7,1\n",
            "expected the id that its images have, 0007; found '7' in row 2, column subject. A spreadsheet program has",
        ),
        ("7.0,1\n", "found '7.0' in row 2, column subject"),
        ("a,1\na,0\n", "expected an id other than that of row 2; found 'a' in row 3.*idh is 1 and 0: find out"),
        ("a,1\na,1\n", "expected an id other than that of row 2; found 'a' in row 3.* Remove one row."),
        ("A,1\n", "expected the same subject ids in label sheet and images; found A in the label sheet, but 0007"),
        ("a,perhaps\n", r"expected IDH as 0, 1.*; found 'perhaps' in row 2, column idh"),
    ],
)
def test_labels_that_cannot_be_used(tmp_path, rows, match):
    touch(tmp_path, "images/0007/t2.nii.gz", "images/a/t2.nii.gz")
    (tmp_path / "mine.csv").write_text("subject,idh\n" + rows)
    with pytest.raises(InputError, match=match):
        cohorts.read("csv", tmp_path / "images", tmp_path / "mine.csv")


def test_a_sheet_without_our_columns(tmp_path):
    touch(tmp_path, "images/a/t2.nii.gz")
    (tmp_path / "mine.csv").write_text("Patient ID,IDH\na,1\n")
    advice = "Rename a column if this is what it means: Patient ID to subject."
    with pytest.raises(InputError, match=f"expected the columns subject; found columns Patient ID, IDH. {advice}"):
        cohorts.read("csv", tmp_path / "images", tmp_path / "mine.csv")
    (tmp_path / "mine.csv").write_text("Cohort of 2019,\nwho,what\na,1\n")
    with pytest.raises(InputError, match="subject and idh; found columns Cohort of 2019. Name .* is the header"):
        cohorts.read("csv", tmp_path / "images", tmp_path / "mine.csv")


def test_no_subject_in_the_folder(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="expected files such as SUBJECT/t1gd.nii.gz; found only empty"):
        cohorts.read("csv", tmp_path)


def test_folders_is_what_csv_was_called_and_a_folder_is_no_name(tmp_path):
    touch(tmp_path, "a/t2.nii.gz")
    tables = [cohorts.read(name, tmp_path)[0] for name in ("folders", "csv")]
    pd.testing.assert_frame_equal(*tables)
    with pytest.raises(InputError, match=f"found the folder {tmp_path}.*--cohort folders --images {tmp_path}"):
        cohorts.read(str(tmp_path))
