"""The cohort table: ids stay text, and rows that cannot be used say why."""

import os

import pytest

from glioma_idh import cohorts
from glioma_idh.cohorts.table import (
    COLUMNS,
    SEQUENCE_NAMES,
    SEQUENCES,
    available_sequences,
    check_labels,
    exclusions_table,
    keep_unlabelled,
    parse_sequence,
    read_table,
    require_sequence,
)
from glioma_idh.errors import InputError


@pytest.mark.parametrize(
    ("typed", "inside"),
    [
        *(("rCBV", "rcbv"), ("MPRAGE", "t1gd"), ("T1Gd", "t1gd"), ("t1ce", "t1gd"), ("flair", "flair")),
        *(("Adc", "adc"), ("T1", "t1"), ("T2", "t2"), ("t1-gd", "t1gd"), ("T1_c", "t1gd"), ("FLAIR", "flair")),
        *(("T1CE", "t1gd"), ("T1c", "t1gd"), ("t1gad", "t1gd"), ("T1 post", "t1gd"), ("T1+C", "t1gd"), ("CBV", "rcbv")),
        *(("T2-FLAIR", "flair"), ("T1w", "t1"), ("T1 pre", "t1"), (" t2 ", "t2")),
    ],
)
def test_sequences_as_people_type_them(typed, inside):
    assert parse_sequence(typed) == inside


def test_unknown_sequence_names_the_known_ones():
    for typed in ("DWI", "T1x", "T1 foo", "Dr. T2 Flairman", "mask", "T1Gd FLAIR", "T2 lesion", "T2star", "pre", ""):
        with pytest.raises(InputError, match=f"of T1, T1Gd, T2, FLAIR, rCBV, ADC, or all; found {typed!r}"):
            parse_sequence(typed)


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
        ("subject,idh\n", "expected one row per subject; found no rows"),
        ("", "expected a sheet in CSV"),
        ("subject,idh\n001,1\n2.0,0\n", r"found '2.0' in row 3, column subject. A spreadsheet program has converted"),
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
        "e": "rows 6, 7 of the table, whose idh is 1 and 0",
        "h/i": "'h/i'",
        "..": "'..'",
        "c": "an empty label",
        "d": "'maybe'",
        "f": "'2'",
        "j": "both for patient p, row 12, row 13",
        "k": "both for patient p, row 12, row 13",
    }
    assert set(exclusions["file"]) == {str(tmp_path / "a.csv")}
    assert exclusions.at["e", "advice"].startswith("Find out which idh is right")
    assert exclusions.at["d", "advice"].endswith("or leave the cell empty if it is not known (row 5, column idh).")
    assert exclusions.at["f", "expected"].endswith("(1 and 2 are ambiguous: write mutant or wildtype)")


def test_each_sequence_is_printed_by_its_own_name():
    assert [SEQUENCE_NAMES[name] for name in SEQUENCES] == ["T1", "T1Gd", "T2", "FLAIR", "rCBV", "ADC"]


def test_what_the_table_says_is_kept_and_paths_start_where_one_says(tmp_path, monkeypatch):
    text = "idh,subject,patient,cohort,site,grade,flair,adc,adc_divisor,lesion_mask\n"
    text += "1,s1,P,mine,A,4,f.nii,a.nii,3,/abs/m.nii\n,s2,P,,,,,,,\n"
    write(tmp_path / "tables.csv", text)
    monkeypatch.chdir("/")
    table = read_table(tmp_path / "tables.csv", images=tmp_path / "images")
    assert table["patient"].tolist() == ["P", "P"] and table["cohort"].tolist() == ["mine", "tables"]
    assert table.loc[0, ["site", "grade", "adc_divisor", "idh"]].tolist() == ["A", "4", "3", "1"]
    images = tmp_path / "images"
    assert table.loc[0, ["flair", "adc"]].tolist() == [str(images / "f.nii"), str(images / "a.nii")]
    assert table.loc[0, "lesion_mask"] == "/abs/m.nii" and table.attrs["file"] == str(tmp_path / "tables.csv")
    assert (table.loc[0, ["t1", "t1gd", "t2", "rcbv", "brain_mask"]] == "").all()
    assert read_table(tmp_path / "tables.csv").loc[0, "flair"] == str(tmp_path / "f.nii")


def test_whom_only_the_label_is_wanting_can_teach_where_lesions_are(tmp_path):
    text = "subject,patient,idh,idh_evidence\na,,1,\nb,,,why\nc,,maybe,\nd,,0,\nd,,1,\ne,p,1,\nf,p,0,\ng/h,,,\ni,,NA,\n"
    cohort = read_table(write(tmp_path / "a.csv", text))
    table, errors = check_labels(cohort)
    assert {error.subject: error.found for error in errors}["b"] == "an empty label"
    assert "(why)" in next(error for error in errors if error.subject == "b").advice
    kept, remaining = keep_unlabelled(cohort, table, errors)
    assert kept["subject"].tolist() == ["a", "b", "i"]
    assert kept["idh"].tolist() == pytest.approx([1, float("nan"), float("nan")], nan_ok=True)
    assert [error.subject for error in remaining] == ["d", "g/h", "c", "e", "f"]
    assert kept.attrs == cohort.attrs


def test_visits_of_one_status_are_no_contradiction(tmp_path):
    text = "subject,patient,idh\na,p,1\nb,p,mutant\nc,q,0\nd,p,\n"
    table, errors = check_labels(read_table(write(tmp_path / "a.csv", text)))
    assert table[["subject", "idh"]].to_numpy().tolist() == [["a", 1], ["b", 1], ["c", 0]]
    assert [error.subject for error in errors] == ["d"] and table.index.tolist() == [0, 1, 2]


def test_exclusions_say_what_was_expected_and_what_to_do():
    error = InputError("a mask", "none", "Draw one.", "a.csv", "s1")
    assert exclusions_table([error]).to_dict("records") == [
        {"subject": "s1", "file": "a.csv", "expected": "a mask", "found": "none", "advice": "Draw one."}
    ]
    assert list(exclusions_table([]).columns) == ["subject", "file", "expected", "found", "advice"]


def test_the_sequences_that_somebody_has(tmp_path):
    table = read_table(write(tmp_path / "mine.csv", "subject,idh,t1gd,t2,adc\na,1,x.nii,,\nb,0,y.nii,z.nii,\n"))
    assert available_sequences(table) == ["t1gd", "t2"]
    require_sequence(table, "t2")
    with pytest.raises(InputError, match="expected T1 in cohort mine; found only T1Gd, T2. Choose one of these"):
        require_sequence(table, "t1")
    with pytest.raises(InputError, match="expected ADC in cohort mine; found no sequences. Check the paths"):
        require_sequence(table.assign(t1gd="", t2=""), "adc")


def test_unknown_cohort_names_the_known_ones():
    with pytest.raises(InputError, match=r"a cohort: phantom, brats2020-tcga, .*, csv, or the path .*; found 'brats'"):
        cohorts.read("brats")
    with pytest.raises(InputError, match="expected --images DIR"):
        cohorts.read("brats2020-tcga")


def test_quotation_marks_around_a_path_are_taken_off(tmp_path):
    rows = f'subject;idh;T1CE;t2\ns1;1;"""{tmp_path}/a.nii.gz""";"""b c.nii"""\ns2;0;\'d.nii\';""""""\n'
    table = read_table(write(tmp_path / "cohort.csv", rows))
    assert table["t1gd"].tolist() == [str(tmp_path / "a.nii.gz"), str(tmp_path / "d.nii")]
    assert table["t2"].tolist() == [str(tmp_path / "b c.nii"), ""]


def test_a_run_s_folder_in_the_place_of_a_cohort_names_its_table(tmp_path):
    write(tmp_path / "cohort.csv", "subject,idh\na,1\n")
    with pytest.raises(InputError, match=f"Use --cohort {tmp_path / 'cohort.csv'}."):
        cohorts.read(str(tmp_path))


@pytest.mark.skipif(os.name == "nt", reason="paths of Windows are its own there")
def test_paths_of_windows_lead_to_the_same_files(tmp_path):
    rows = "subject,idh,t1,t1gd\ns1,1,s1\\T1\\t1.nii.gz,s1/t1gd.nii.gz\ns2,0,odd\\name.nii,\n"
    write(tmp_path / "odd\\name.nii", "a file with a backslash in its name")
    table = read_table(write(tmp_path / "cohort.csv", rows))
    assert table["t1"].tolist() == [str(tmp_path / "s1" / "T1" / "t1.nii.gz"), str(tmp_path / "odd\\name.nii")]
    assert table["t1gd"].tolist() == [str(tmp_path / "s1" / "t1gd.nii.gz"), ""]
    table = read_table(tmp_path / "cohort.csv", images=tmp_path / "scans")
    assert table.loc[0, "t1"] == str(tmp_path / "scans" / "s1" / "T1" / "t1.nii.gz")


@pytest.mark.skipif(os.name == "nt", reason="paths of Windows are its own there")
@pytest.mark.parametrize("path", ["C:\\data\\s2\\t1.nii.gz", "d:/data/s2/t1.nii.gz", "\\\\server\\share\\t1.nii.gz"])
def test_a_drive_of_windows_is_told_by_its_cell(path, tmp_path):
    file = write(tmp_path / "cohort.csv", f"subject,idh,t1,lesion_mask\ns1,1,a.nii,m.nii\ns2,0,a.nii,{path}\n")
    with pytest.raises(InputError) as raised:
        read_table(file)
    assert "of Windows" in raised.value.expected and "--images" in raised.value.advice
    assert raised.value.found == f"{path!r} in row 3, column lesion_mask" and raised.value.file == str(file)
