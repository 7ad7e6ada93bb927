"""The cohort table: ids stay text, and rows that cannot be used say why."""

import pytest

from glioma_idh.cohorts import read_cohort
from glioma_idh.cohorts.table import COLUMNS, check_labels, exclusions_table, parse_sequence, read_table
from glioma_idh.errors import InputError


@pytest.mark.parametrize(
    ("typed", "inside"),
    [("rCBV", "rcbv"), ("MPRAGE", "t1gd"), ("T1Gd", "t1gd"), ("t1ce", "t1gd"), ("flair", "flair"), ("Adc", "adc")],
)
def test_sequences_as_people_type_them(typed, inside):
    assert parse_sequence(typed) == inside


def test_unknown_sequence_names_the_known_ones():
    with pytest.raises(InputError, match=r"expected one of T1, T1Gd, T2, FLAIR, rCBV, ADC, or all; found 'DWI'"):
        parse_sequence("DWI")


def write(path, text):
    path.write_text(text)
    return path


def test_ids_keep_their_zeros_and_paths_start_at_the_table(tmp_path):
    table = read_table(write(tmp_path / "mine.csv", "subject,idh,t2\n0012,1,scans/a.nii\n0013,0,\n"))
    assert table["subject"].tolist() == table["patient"].tolist() == ["0012", "0013"]
    assert table["t2"].tolist() == [str(tmp_path / "scans/a.nii"), ""]
    assert table["cohort"].tolist() == ["mine", "mine"]
    assert list(table.columns) == list(COLUMNS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("subject,t2\na,b\n", "expected the columns idh; found columns subject, t2"),
        ("subject,idh\n", "expected a row a subject; found no rows"),
        ("", "expected a sheet in CSV"),
        ("subject,idh\n001,1\n2.0,0\n", r"found '2.0' in row 3, column subject. A spreadsheet has turned"),
    ],
)
def test_tables_that_are_none(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_table(write(tmp_path / "a.csv", text))


def test_a_spreadsheet_is_no_csv(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"PK\x03\x04\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        read_table(tmp_path / "a.csv")


def test_labels_that_cannot_be_used_are_set_aside_with_their_reason(tmp_path):
    text = (
        "subject,patient,idh\na,,1\nb,,0\nc,,NA\nd,,maybe\ne,,1\ne,,0\nf,,2\ng,,mutant\nh/i,,1\n..,,0\nj,p,1\nk,p,0\n"
    )
    table, errors = check_labels(read_table(write(tmp_path / "a.csv", text)))
    assert table["subject"].tolist() == ["a", "b", "g"] and table["idh"].tolist() == [1, 0, 1]
    exclusions = exclusions_table(errors).set_index("subject")
    assert exclusions["found"].to_dict() == {
        "e": "lines 6, 7 of the table",
        "h/i": "'h/i'",
        "..": "'..'",
        "c": "an empty label",
        "d": "'maybe'",
        "f": "'2'",
        "j": "both for patient p",
        "k": "both for patient p",
    }
    assert set(exclusions["file"]) == {str(tmp_path / "a.csv")}


def test_unknown_cohort_names_the_known_ones():
    with pytest.raises(InputError, match=r"a cohort: phantom, brats2020-tcga, .*, csv, or the path .*; found 'brats'"):
        read_cohort("brats")
    with pytest.raises(InputError, match="expected --images DIR"):
        read_cohort("brats2020-tcga")
