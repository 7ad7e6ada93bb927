"""The cohort table grows by patient, and keeps what a person wrote into it."""

import pandas as pd
import pytest

from glioma_idh.cohorts.table import read_table
from glioma_idh.errors import InputError
from glioma_idh.preparation.command import read_tables, update_tables

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


def test_exclusions_of_others_stay_and_ones_own_are_replaced(tmp_path):
    for subject, found in (("p1", "x"), ("p2", "y"), ("p1", "z")):
        update_tables(tmp_path, subject, files(tmp_path, subject, "t1"), [PROBLEM | {"found": found}])
    rows = read(tmp_path / "exclusions.csv")
    assert rows[["subject", "found"]].to_numpy().tolist() == [["p1", "z"], ["p2", "y"]]
    assert read(tmp_path / "cohort.csv")["t1"].tolist() == ["p1/t1.nii.gz", "p2/t1.nii.gz"]


def test_what_a_person_wrote_stays(tmp_path):
    update_tables(tmp_path, "p1", files(tmp_path, "p1", "t1"), [PROBLEM])
    table = pd.read_csv(tmp_path / "cohort.csv", dtype=str, keep_default_na=False)
    table.assign(idh="1", grade="4", remark="mine").to_csv(tmp_path / "cohort.csv", index=False)
    update_tables(tmp_path, "p1", files(tmp_path, "p1", "t1", "adc"), [])
    row = pd.read_csv(tmp_path / "cohort.csv", dtype=str, keep_default_na=False).iloc[0]
    assert (row["idh"], row["grade"], row["remark"], row["adc"]) == ("1", "4", "mine", "p1/adc.nii.gz")
    assert pd.read_csv(tmp_path / "exclusions.csv").empty


def read(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def test_a_patient_of_whom_nothing_could_be_made_leaves_the_table(tmp_path):
    update_tables(tmp_path, "p1", files(tmp_path, "p1", "t1"), [])
    update_tables(tmp_path, "p1", {}, [PROBLEM])
    assert read(tmp_path / "cohort.csv").empty
    update_tables(tmp_path, "p1", files(tmp_path, "p1", "t1"), [])
    assert list(read(tmp_path / "cohort.csv")["t1"]) == ["p1/t1.nii.gz"] and read(tmp_path / "exclusions.csv").empty


@pytest.mark.parametrize(("column", "cell"), [("idh", "1"), ("patient", "person-9"), ("remark", "mine")])
def test_what_a_person_wrote_stays_where_nothing_could_be_made(column, cell, tmp_path):
    update_tables(tmp_path, "p1", files(tmp_path, "p1", "t1", "lesion_mask"), [])
    read(tmp_path / "cohort.csv").assign(**{column: cell}).to_csv(tmp_path / "cohort.csv", index=False)
    update_tables(tmp_path, "p1", {}, [PROBLEM])
    (row,) = read(tmp_path / "cohort.csv").to_dict("records")
    assert {name: text for name, text in row.items() if text} == {"subject": "p1", "patient": "p1"} | {column: cell}
    update_tables(tmp_path, "p1", files(tmp_path, "p1", "t1"), [])
    (row,) = read(tmp_path / "cohort.csv").to_dict("records")
    assert (row[column], row["t1"]) == (cell, "p1/t1.nii.gz")


def spreadsheet(out, codec="utf-8", old=",", new=","):
    """The cohort table with a label and an umlaut, as a spreadsheet saves it."""
    update_tables(out, "p1", files(out, "p1", "t1"), [])
    table = read(out / "cohort.csv").assign(idh="1", site="Köln")
    text = table.to_csv(index=False).replace(old, new)
    (out / "cohort.csv").write_bytes(text.encode(codec))


@pytest.mark.parametrize(
    ("saved", "said"),
    [
        ({"codec": "cp1252"}, "cohort.csv: expected text in UTF-8.*Save the sheet again"),
        ({"old": "subject", "new": "who"}, "cohort.csv: expected the columns subject"),
    ],
)
def test_a_table_that_cannot_be_read_is_left_as_it_is(saved, said, tmp_path):
    spreadsheet(tmp_path, **saved)
    before = (tmp_path / "cohort.csv").read_bytes()
    for call in (read_tables, lambda out: update_tables(out, "p2", files(out, "p2", "t1"), [])):
        with pytest.raises(InputError, match=said):
            call(tmp_path)
    assert (tmp_path / "cohort.csv").read_bytes() == before


def test_a_table_that_a_spreadsheet_saved_with_semicolons_is_read(tmp_path):
    spreadsheet(tmp_path, new=";")
    update_tables(tmp_path, "p2", files(tmp_path, "p2", "t1"), [])
    first, second = read(tmp_path / "cohort.csv").to_dict("records")
    assert (first["subject"], first["idh"], first["site"], second["subject"]) == ("p1", "1", "Köln", "p2")


def test_a_byte_order_mark_and_columns_without_a_name_do_no_harm(tmp_path):
    spreadsheet(tmp_path, codec="utf-8-sig", old="\n", new=",mine,\n")  # in the header and in the row
    text = (tmp_path / "cohort.csv").read_text("utf-8-sig").replace(",mine,", ",,", 1)
    (tmp_path / "cohort.csv").write_text(text, "utf-8-sig")
    update_tables(tmp_path, "p2", files(tmp_path, "p2", "t1"), [])
    first, second = read(tmp_path / "cohort.csv").to_dict("records")
    assert (first["subject"], first["idh"], first["site"], second["subject"]) == ("p1", "1", "Köln", "p2")
    assert "mine" in first.values()
