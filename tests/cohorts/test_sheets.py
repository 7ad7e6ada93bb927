"""Label sheets: cells stay text, the spellings of unknown are unknown, and what cannot be read names row and column."""

import pandas as pd
import pytest

from glioma_idh.cohorts.cells import (
    looks_like_a_number,
    parse_age,
    parse_codeletion,
    parse_grade,
    parse_idh,
    parse_mgmt,
    parse_sex,
)
from glioma_idh.cohorts.sheets import parse_column, parse_ids, read_sheet
from glioma_idh.errors import InputError


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "cell", ["wildtype", "Wildtype", "wild-type", "WT", "IDH-wildtype", "IDH1 wild type", "0", "0.0"]
)
def test_spellings_of_wild_type(cell):
    assert parse_idh(cell) == "0"


@pytest.mark.parametrize(
    "cell",
    ["1", "1.0", "Mutated", "mutant", "mutated (NOS)", "IDH-mutant", "IDH1 p.R132H", "IDH2 p.Arg172Trp", "IDH1 R132C"],
)
def test_spellings_of_mutant(cell):
    assert parse_idh(cell) == "1"


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "",
            "NA",
            "n/a",
            "NaN",
            "None",
            "unknown",
            "Not Available",
            "not applicable",
            "NOS/NEC",
            "NOS",
            "-1",
            "-",
            "?",
        ),
        *("-1.0", ".", "indeterminate", "missing", "NEC", "not determined", "not tested", "null", "unk", " Unknown "),
    ],
)
def test_spellings_of_unknown(cell):
    assert parse_idh(cell) == parse_age(cell) == parse_sex(cell) == ""


@pytest.mark.parametrize(
    "cell",
    [
        *("maybe", "2", "TP53 p.R273C", "IDH", "wildtype?", "IDH1 R132H negative", "IDH1 R132H WT", "IDH1 p.R132R"),
        *("R132H", "IDH1 R132 wildtype", "IDH1-R132H not detected", "IDH1 exon 4 wild type", "IDH1 p.Gly105Gly"),
    ],
)
def test_nothing_is_guessed(cell):
    with pytest.raises(ValueError, match="IDH as 0, 1"):
        parse_idh(cell)


def test_ages_and_sexes():
    assert [parse_age(cell) for cell in ("52.16", "66", ">89", "90+")] == ["52.16", "66", "89", "90"]
    assert [parse_sex(cell) for cell in ("F", "female", "M", "Male")] == ["F", "F", "M", "M"]
    assert [parse_sex(cell) for cell in ("f", "m", "W", "w", "Female", "male")] == ["F", "M", "F", "F", "F", "M"]
    with pytest.raises(ValueError, match="sex as F or M"):
        parse_sex("X")
    with pytest.raises(ValueError, match="an age in years"):
        parse_age("adult")


def test_codeletion_and_mgmt_in_the_spellings_of_the_public_sheets():
    codeleted = ["codel", "Co-deletion", "co-deletion", "codeleted", "1"]
    intact = ["intact", "non-codel", "not codeleted", "0"]
    unknown = ["", "unknown", "[Not Available]", "-1", "Indeterminate"]
    assert [parse_codeletion(cell) for cell in codeleted] == ["codeleted"] * 5
    assert [parse_codeletion(cell) for cell in intact] == ["intact"] * 4
    assert [parse_mgmt(cell) for cell in ("Methylated", "positive", "1")] == ["methylated"] * 3
    assert [parse_mgmt(cell) for cell in ("Unmethylated", "negative", "0")] == ["unmethylated"] * 3
    assert {parse(cell) for cell in unknown for parse in (parse_codeletion, parse_mgmt)} == {""}
    for cell in ("relative co-deletion", "1p only", "codeletion?"):
        with pytest.raises(ValueError, match="1p/19q as codeleted or intact, or empty"):
            parse_codeletion(cell)
    with pytest.raises(ValueError, match="MGMT as methylated or unmethylated, or empty"):
        parse_mgmt("hypermethylated")


def test_grades():
    assert [parse_grade(cell) for cell in ("4", "4.0", "2", "HGG", "NA", "unknown", "", "-1")] == [
        *("4", "4", "2", "HGG"),
        *("", "", "", ""),
    ]


@pytest.mark.parametrize(
    ("cell", "mangled"),
    [
        *(("12.0", True), ("12.00", True), ("1.2E+05", True), ("1e5", True), ("1E+5", True)),
        *(("0012", False), ("12.5", False), ("1e5a", False), ("S-1", False), ("E5", False)),
    ],
)
def test_numbers_that_a_spreadsheet_made_of_ids(cell, mangled):
    assert looks_like_a_number(cell) == mangled


def test_cells_are_text_and_rows_are_those_of_the_file(tmp_path):
    sheet = read_sheet(write(tmp_path / "a.csv", "\ufeffID,Age\n001, 7 \n002,NA\n"), required=["ID"])
    assert sheet["ID"].to_dict() == {2: "001", 3: "002"}
    assert sheet["Age"].tolist() == ["7", "NA"]


def test_rows_keep_their_numbers_where_some_are_empty(tmp_path):
    sheet = read_sheet(write(tmp_path / "a.csv", 'ID,IDH\n\n"x\ny",1\n,\nz,0\n'))
    assert sheet["IDH"].to_dict() == {3: "1", 5: "0"}  # as a spreadsheet counts them


def test_excel_and_tabs(tmp_path):
    pd.DataFrame({"Subject": ["EGD-0001"], "IDH": [-1]}).to_excel(tmp_path / "a.xlsx", index=False)
    assert read_sheet(tmp_path / "a.xlsx").loc[2].tolist() == ["EGD-0001", "-1"]
    assert read_sheet(write(tmp_path / "a.tsv", "ID\tIDH\nx\t1\n"))["IDH"].tolist() == ["1"]
    assert read_sheet(write(tmp_path / "a.txt", "ID\tIDH\nx\t1,2\n"))["IDH"].tolist() == ["1,2"]
    pd.DataFrame({"ID": ["007", "", "NA"], "IDH": ["", "", "None"]}).to_excel(tmp_path / "B.XLSX", index=False)
    sheet = read_sheet(tmp_path / "B.XLSX")
    assert sheet["ID"].to_dict() == {2: "007", 4: "NA"} and sheet["IDH"].tolist() == ["", "None"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks_make_no_difference(tmp_path, start, end):
    lines = ["ID,IDH,Site", '0012, 1 ,"a, b"', "13,,c"]
    sheet = read_sheet(write(tmp_path / "a.csv", start + end.join(lines) + end), required=["ID"])
    assert sheet.reset_index().to_numpy().tolist() == [[2, "0012", "1", "a, b"], [3, "13", "", "c"]]


def test_the_order_of_the_columns_makes_no_difference(tmp_path):
    """Labels are joined by column and row, whatever lies between them."""
    one = read_sheet(write(tmp_path / "a.csv", "ID,IDH,Sex\nx,wildtype,F\ny,mutant,M\n"))
    two = read_sheet(write(tmp_path / "b.csv", "Sex,IDH,ID\nM,mutant,y\nF,wildtype,x\n"))
    for sheet in (one, two):
        labels = dict(zip(sheet["ID"], parse_column(sheet, "IDH", parse_idh), strict=True))
        assert labels == {"x": "0", "y": "1"}


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("ID,Age\nx,1\n", r"a.csv: expected the columns IDH and Sex; found columns ID, Age"),
        ("ID,IDH,Sex\n", "expected one row per subject; found no rows"),
        ("", "expected a sheet in CSV"),
        ("ID,IDH,Sex\nx,1\n", "expected 3 cells per row, as in the header; found 2 in row 2"),
        ("ID,IDH,Sex\n\nx,1,F,\n", "expected 3 cells per row, as in the header; found 4 in row 3"),
        ('ID,IDH,Sex\nx,"1,F\ny,0,M\n', "expected a sheet in CSV|cells a row"),
        ("ID,IDH,Sex,IDH\nx,1,F,0\n", "expected each column once; found IDH twice"),
        (b"PK\x03\x04\xff\xfe", r"found an Excel file. Name it .xlsx"),
        ("ID,IDH,Sex\nMüller,1,F\n".encode("latin-1"), r"expected text in UTF-8; found byte 0xfc"),
        ("ID,IDH,Sex\nx,1,F\n".encode("utf-16-le"), r"expected text in UTF-8; found zero bytes, as in UTF-16"),
        (
            b"PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
            "found an OpenDocument spreadsheet. Save",
        ),
        (b"\xd0\xcf\x11\xe0", "found an Excel file in the old format .xls, or one with a password. Save it as .xlsx"),
    ],
)
def test_sheets_that_cannot_be_read(tmp_path, content, match):
    with pytest.raises(InputError, match=match):
        read_sheet(write(tmp_path / "a.csv", content), required=["IDH", "Sex"])


def test_no_such_sheet(tmp_path):
    with pytest.raises(InputError, match="nowhere.csv: expected a sheet in CSV .*; found no such file. Check the path"):
        read_sheet(tmp_path / "nowhere.csv")
    for name, content in (("a.xlsx", "ID,IDH\n"), ("b.xlsx", b"PK\x03\x04 cut off"), ("c.xls", b"\xd0\xcf\x11\xe0")):
        with pytest.raises(InputError, match="expected a sheet in CSV"):
            read_sheet(write(tmp_path / name, content))


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("ID,IDH\nx,1\n", "found a text file named .xlsx. Rename it to .csv."),
        ("ID,IDH\nx,1\n".encode("utf-16"), "found a text file named .xlsx. Rename it to .csv."),
        ("ID,IDH\nMüller,1\n".encode("latin-1"), "text in UTF-8; found byte 0xfc"),
        (b"\xd0\xcf\x11\xe0", "found an Excel file in the old format .xls, or one with a password. Save it as .xlsx"),
        (b"PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "found an OpenDocument spreadsheet"),
        (b"PK\x03\x04 cut off", "found BadZipFile: .* Download or export it again"),
        (b"", "found BadZipFile: .* Download or export it again"),
    ],
)
def test_what_is_no_workbook_under_the_name_of_one(tmp_path, content, match):
    with pytest.raises(InputError, match=match):
        read_sheet(write(tmp_path / "a.xlsx", content))


def test_a_folder_in_the_place_of_a_sheet(tmp_path):
    with pytest.raises(InputError, match="found a folder. Give a file in it."):
        read_sheet(tmp_path)
    write(tmp_path / "cohort.csv", "ID\nx\n")
    with pytest.raises(InputError) as caught:
        read_sheet(tmp_path)
    assert caught.value.found == "a folder" and caught.value.advice == f"Give {tmp_path / 'cohort.csv'}."


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        (
            "A-1\nA-2\n4\n",
            r"expected an id such as A-1; found '4' in row 4, column ID. A spreadsheet program has converted",
        ),
        ("A-1\n1E+05\n", r"found '1E\+05' in row 3, column ID. A spreadsheet program has converted"),
        ("A-1\nB-1\n", "found 'B-1' in row 3, column ID. Use the sheet as downloaded"),
        ("A-1\nA-2\nA-1\n", "expected an id other than that of row 2; found 'A-1' in row 4, column ID"),
    ],
)
def test_ids_of_another_form_or_twice(tmp_path, rows, match):
    sheet = read_sheet(write(tmp_path / "a.csv", "ID\n" + rows))
    with pytest.raises(InputError, match=match):
        parse_ids(sheet, "ID", r"A-\d", "A-1")


def test_a_label_that_cannot_be_read_names_row_and_column(tmp_path):
    sheet = read_sheet(write(tmp_path / "a.csv", "ID,IDH1\nx,Wildtype\ny,perhaps\n"))
    with pytest.raises(InputError, match=r"a.csv: expected IDH as 0, 1.*; found 'perhaps' in row 3, column IDH1"):
        parse_column(sheet, "IDH1", parse_idh)
