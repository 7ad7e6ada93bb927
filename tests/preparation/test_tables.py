"""The cohort table grows by patient, and keeps what a person wrote into it."""

import pandas as pd

from glioma_idh.cohorts.table import read_table
from glioma_idh.preparation.tables import update_tables

PROBLEM = {"file": "t2.nii.gz", "expected": "a", "found": "b", "advice": "c"}


def files(out, subject, *columns):
    return {column: out / subject / f"{column}.nii.gz" for column in columns}


def test_rows_are_cohort_rows(tmp_path):
    update_tables(tmp_path, "p2", files(tmp_path, "p2", "t1", "t2"), [])
    update_tables(tmp_path, "001", files(tmp_path, "001", "t1gd", "lesion_mask"), [PROBLEM])
    table = read_table(tmp_path / "cohort.csv").set_index("subject")
    assert list(table.index) == ["001", "p2"]
    assert table.loc["001", "t1gd"] == str(tmp_path / "001" / "t1gd.nii.gz")
    assert table.loc["001", "t2"] == "" and table.loc["001", "patient"] == "001"
    exclusions = pd.read_csv(tmp_path / "exclusions.csv", dtype=str)
    assert exclusions.to_dict("records") == [{"subject": "001"} | PROBLEM]


def test_what_a_person_wrote_stays(tmp_path):
    update_tables(tmp_path, "p1", files(tmp_path, "p1", "t1"), [PROBLEM])
    table = pd.read_csv(tmp_path / "cohort.csv", dtype=str, keep_default_na=False)
    table.assign(idh="1", grade="4", remark="mine").to_csv(tmp_path / "cohort.csv", index=False)
    update_tables(tmp_path, "p1", files(tmp_path, "p1", "t1", "adc"), [])
    row = pd.read_csv(tmp_path / "cohort.csv", dtype=str, keep_default_na=False).iloc[0]
    assert (row["idh"], row["grade"], row["remark"], row["adc"]) == ("1", "4", "mine", "p1/adc.nii.gz")
    assert pd.read_csv(tmp_path / "exclusions.csv").empty


def test_a_patient_of_whom_nothing_could_be_made_leaves_the_table(tmp_path):
    update_tables(tmp_path, "p1", files(tmp_path, "p1", "t1"), [])
    update_tables(tmp_path, "p1", {}, [PROBLEM])
    assert pd.read_csv(tmp_path / "cohort.csv").empty
