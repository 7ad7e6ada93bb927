"""Nobody stands on both sides, or it is said; and the hash is that of the rows, whatever their order."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from glioma_idh.errors import InputError
from glioma_idh.reporting.tables.subjects import patients_check, scans_check, splits_hash, splits_sheet

COHORT = pd.DataFrame(
    {
        "subject": ["a", "a2", "b", "c", "d", "u"],
        "patient": ["A", "A", "B", "C", "D", "U"],
        "idh": [1, 1, 1, 0, 0, np.nan],
    }
)


def splits(*tests):
    rows = [
        (subject, 1, number, "test" if subject in who else "train")
        for number, who in enumerate(tests, start=1)
        for subject in COHORT["subject"]
    ]
    return pd.DataFrame(rows, columns=["subject", "repeat", "split", "part"])


APART = splits(["a", "a2", "c"], ["b", "d"])


def test_subjects_patients_and_mutants_of_each_part():
    sheet = splits_sheet(APART, COHORT)
    assert sheet["split"].tolist() == ["Split 1", "Split 2"]
    assert sheet.filter(like="training set").to_numpy().tolist() == [["3", "3", "1"], ["4", "3", "1"]]
    assert sheet.filter(like="test set").to_numpy().tolist() == [["3", "2", "1"], ["2", "2", "1"]]
    assert splits_sheet(splits(["a"]), COHORT)["split"].tolist() == ["Split 1"]


def test_the_hash_is_that_of_sorted_lines():
    two = pd.DataFrame({"subject": ["b", "a"], "repeat": 0, "split": 0, "part": ["test", "train"]})
    expected = hashlib.sha256(b"0,0,a,train\n0,0,b,test\n").hexdigest()[:12]
    assert splits_hash(two) == splits_hash(two[::-1][["part", "split", "repeat", "subject"]]) == expected
    assert splits_hash(two.assign(part=["train", "test"])) != expected


def test_a_patient_on_both_sides_is_named():
    sentence = patients_check(APART, COHORT)
    assert (
        sentence
        == "No patient is in both the training and the test set of a split (checked in 2 splits of 5 patients)."
    )
    leak = patients_check(splits(["a", "c"]), COHORT)
    assert (
        leak
        == "LEAK: 1 patient is in both the training and the test set of a split (A); checked in 1 split of 5 patients."
    )
    with pytest.raises(InputError, match="the subjects of the splits in the cohort table; found no a2"):
        splits_sheet(APART, COHORT[COHORT["subject"] != "a2"])


def test_one_file_under_two_names_is_named():
    paths = COHORT.assign(t1=[f"/x/{subject}.nii" for subject in COHORT["subject"]], adc=np.nan, lesion_mask="")
    assert scans_check(paths) == "No image is used twice (6 file paths compared, 6 subjects)."
    twice = scans_check(paths.assign(flair=["", "", "", "/x/b.nii", "", ""]))
    assert twice == "LEAK: an image is used for several subjects: b and c; see the cohort table."
    assert "cannot be computed, because the cohort table contains no file paths" in scans_check(COHORT)


def test_the_content_tells_where_the_paths_do_not():
    paths = COHORT.assign(t1=[f"/x/{subject}.nii" for subject in COHORT["subject"]])
    prepared = paths.assign(prepared=[f"/cache/{name}" for name in ("1", "2", "3", "4", "5", "6")])
    compared = "6 file paths and the content of the scans compared, 6 subjects"
    assert scans_check(prepared) == f"No image is used twice ({compared})."
    prepared.loc[5, "prepared"] = "/elsewhere/4"
    assert "c and u" in scans_check(prepared)


def test_hold_outs_of_several_repeats_are_each_a_split_of_their_own():
    turned = splits(["b", "d", "u"]).assign(repeat=2, split=2)
    repeats = pd.concat([splits(["a", "a2", "c"]), turned])
    assert patients_check(repeats, COHORT) == (
        "No patient is in both the training and the test set of a split (checked in 2 splits of 5 patients)."
    )
    sheet = splits_sheet(repeats, COHORT).set_index("split")
    assert sheet.index.tolist() == ["Split 1", "Split 2"]
    assert sheet["test set: subjects"].tolist() == ["3", "3"] and sheet["test set: patients"].tolist() == ["2", "3"]
    assert sheet["test set: IDH-mutant patients"].tolist() == ["1", "1"]
    assert sheet["training set: patients"].tolist() == ["3", "2"]
