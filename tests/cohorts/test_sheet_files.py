"""Tables as spreadsheets of other countries save them: separators, decimal commas, pages, formulas."""

import re
import zipfile

import openpyxl
import pytest

from glioma_idh.cohorts.cells import (
    looks_like_a_number,
    parse_age,
    parse_codeletion,
    parse_grade,
    parse_idh,
    parse_mgmt,
)
from glioma_idh.cohorts.generic import own_labels
from glioma_idh.cohorts.own_tables import find_own
from glioma_idh.cohorts.sheet_files import describe_readings
from glioma_idh.cohorts.sheets import cell_error, read_readings, read_sheet, with_decimal_points
from glioma_idh.cohorts.table import check_labels, read_table
from glioma_idh.errors import InputError

NEEDED = ("subject", "idh")
SAME = [["a", "1", "44,5"], ["b", "0", "51"]]


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def write_workbook(path, **pages):
    """A workbook of pages, each a list of rows, saved by a program that does not calculate formulas."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in pages.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(row)
    book.save(path)
    return path


def give_values(path, values, calculated=True):
    """The workbook as a program saves it that calculates: (type, value) by cell; a value of None is not written."""
    with zipfile.ZipFile(path) as parts:
        contents = {name: parts.read(name).decode() for name in parts.namelist()}
    sheet = contents["xl/worksheets/sheet1.xml"]
    for cell, (kind, value) in values.items():
        pattern = rf'<c r="{cell}"><f>(.*?)</f><v ?/>'
        sheet, count = re.subn(pattern, rf'<c r="{cell}" t="{kind}"><f>\1</f><v>{value}</v>', sheet)
        assert count == 1
    contents["xl/worksheets/sheet1.xml"] = sheet
    if calculated:
        contents["xl/workbook.xml"] = contents["xl/workbook.xml"].replace(' fullCalcOnLoad="1"', "")
    with zipfile.ZipFile(path, "w") as parts:
        for name, content in contents.items():
            parts.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "text",
    [
        'subject,idh,age\na,1,"44,5"\nb,0,51\n',
        "subject;idh;age\na;1;44,5\nb;0;51\n",
        "subject\tidh\tage\na\t1\t44,5\nb\t0\t51\n",
        'sep=,\r\nsubject,idh,age\r\na,1,"44,5"\r\nb,0,51\r\n',
        '"sep=;"\rsubject;idh;age\ra;1;44,5\rb;0;51\r',
        "SEP=\t\nsubject\tidh\tage\na\t1\t44,5\nb\t0\t51\n",
        "sep=|\nsubject|idh|age\na|1|44,5\nb|0|51\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt"])
def test_a_text_is_read_by_its_own_separator(tmp_path, text, encoding, name):
    sheet = read_sheet(write(tmp_path / name, text.encode(encoding)), NEEDED)
    assert sheet.reset_index().to_numpy().tolist() == [[2, *SAME[0]], [3, *SAME[1]]]


def test_the_line_that_names_the_separator_counts_more_than_what_would_fit(tmp_path):
    text = "subject;idh,x\na;1,2\n"
    match = "only one separator that results in a table; found with commas .* with semicolons"
    with pytest.raises(InputError, match=match):
        read_sheet(write(tmp_path / "a.csv", text))
    assert read_sheet(write(tmp_path / "a.csv", "sep=;\n" + text)).columns.tolist() == ["subject", "idh,x"]
    assert read_sheet(write(tmp_path / "a.csv", "sep=,\n" + text)).columns.tolist() == ["subject;idh", "x"]
    with pytest.raises(InputError, match="expected the columns subject and idh; found columns subject,idh"):
        read_sheet(write(tmp_path / "a.csv", "sep=;\nsubject,idh\na,1\n"), NEEDED)


def test_of_two_separators_the_one_that_gives_the_needed_columns(tmp_path):
    path = write(tmp_path / "a.csv", "subject;idh;age, years\na;1;44,5\n")
    assert read_sheet(path, NEEDED).loc[2].tolist() == ["a", "1", "44,5"]
    with pytest.raises(InputError, match="expected a separator with the columns sex; found with commas the columns"):
        read_sheet(path, ["sex"])


def test_an_unquoted_decimal_comma_among_commas_is_no_further_cell(tmp_path):
    with pytest.raises(InputError, match="expected 3 cells per row.*; found 4 in row 2.*decimal comma in quotes"):
        read_sheet(write(tmp_path / "a.csv", "subject,idh,age\na,1,44,5\nb,0,51,0\n"), NEEDED)
    with pytest.raises(InputError, match="expected 3 cells per row.*; found 2 in row 3. Correct the row."):
        read_sheet(write(tmp_path / "a.csv", "subject;idh;age\na;1;44,5\nb;0\n"), NEEDED)


def test_rows_of_a_cohort_table_are_those_of_the_file(tmp_path):
    path = write(tmp_path / "a.csv", "sep=;\n\nsubject;idh\n\na;1\n;\na;0\nb;1\n")
    _, errors = check_labels(read_table(path))
    assert [error.found for error in errors] == ["rows 4, 6 of the table, whose idh is 1 and 0"]


@pytest.mark.parametrize(
    ("cells", "points"),
    [
        (["44,5", "51", ""], ["44.5", "51", ""]),
        (["0,123", "0,5"], ["0.123", "0.5"]),
        (["44.5", "1.234", "1e-3"], ["44.5", "1.234", "1e-3"]),
        (["1,5e-3", "NA"], ["1.5e-3", "NA"]),
        (["52,164", "52,16"], ["52.164", "52.16"]),
    ],
)
def test_decimal_commas(tmp_path, cells, points):
    text = "".join(f'{row},"{cell}"\n' for row, cell in enumerate(cells))
    sheet = read_sheet(write(tmp_path / "a.csv", "n,x\n" + text))
    assert with_decimal_points(sheet, "x").tolist() == points


@pytest.mark.parametrize(
    ("cells", "match"),
    [
        (["1.234,5"], r"expected a number such as 1234.5 or 1234,5; found '1.234,5' in row 2, column x"),
        (["4", "1,234,567"], "found '1,234,567' in row 3, column x"),
        (["1,234", "56,789"], "expected a number that is not ambiguous; found '1,234' in row 2"),
        (["44,5", "1.234"], "expected a decimal comma, as in row 2; found '1.234' in row 3"),
        (["forty, or so"], "found 'forty, or so' in row 2"),
    ],
)
def test_commas_that_may_be_something_else(tmp_path, cells, match):
    text = "".join(f'{row},"{cell}"\n' for row, cell in enumerate(cells))
    sheet = read_sheet(write(tmp_path / "a.csv", "n,x\n" + text))
    with pytest.raises(InputError, match=match):
        with_decimal_points(sheet, "x")


def test_between_semicolons_a_comma_is_decimal(tmp_path):
    sheet = read_sheet(write(tmp_path / "a.csv", "n;x\n0;1,234\n1;56,789\n"))
    assert with_decimal_points(sheet, "x").tolist() == ["1.234", "56.789"]


def test_labels_with_decimal_commas():
    assert [parse_idh(cell) for cell in ("1,0", "0,0", "-1,0", "#N/A")] == ["1", "0", "", ""]
    assert [parse_age(cell) for cell in ("44,5", ">89,0", "-1,0")] == ["44.5", "89.0", ""]
    assert [parse_grade(cell) for cell in ("4,0", "4.0", "2,00")] == ["4", "4", "2"]
    assert [parse_codeletion(cell) for cell in ("1,0", "0,0")] == ["codeleted", "intact"]
    assert [parse_mgmt(cell) for cell in ("1,0", "0,0")] == ["methylated", "unmethylated"]
    assert looks_like_a_number("12,0") and looks_like_a_number("1,2E+05") and not looks_like_a_number("12,5")
    for age in ("1.234,5", "44,5,1", "444,5 y"):
        with pytest.raises(ValueError, match="an age in years"):
            parse_age(age)


def test_a_cohort_table_of_another_country(tmp_path):
    path = write(tmp_path / "a.csv", "subject;idh;age_years;grade;adc_divisor;site\na;1;44,5;4,0;3,0;x,y\n")
    row = read_table(path).iloc[0]
    assert row[["age_years", "grade", "adc_divisor", "site"]].tolist() == ["44.5", "4", "3.0", "x,y"]
    assert own_labels(path).iloc[0][["age_years", "grade"]].tolist() == ["44.5", "4"]


def test_labels_on_another_page(tmp_path, capsys):
    data = [["subject", "idh"], [None, None], ["a", 1], ["b", "perhaps"]]
    path = write_workbook(tmp_path / "a.xlsx", Readme=[["IDH status"]], Empty=[], Data=data)
    sheet = read_sheet(path, NEEDED)
    assert sheet["idh"].to_dict() == {3: "1", 4: "perhaps"}
    assert "found 'perhaps' in row 4, column idh of page 'Data'" in str(cell_error(sheet, 4, "idh", "0 or 1", ""))
    read_sheet(path, NEEDED)
    said = capsys.readouterr()
    assert said.err.count("a.xlsx: page 'Data' is read, the only one with the columns subject and idh.") == 1
    assert said.out == ""
    described = "page 'Readme' with the columns IDH status; page 'Data' with the columns subject, idh"
    assert describe_readings(read_readings(path)) == described


def test_the_first_page_needs_no_word(tmp_path, capsys):
    path = write_workbook(tmp_path / "a.xlsx", Data=[["subject", "idh"], ["a", 1]], Notes=[["x"], ["y"]])
    assert read_sheet(path, NEEDED)["idh"].tolist() == ["1"] and capsys.readouterr().err == ""


def test_pages_that_cannot_be_told_apart_and_pages_without_labels(tmp_path):
    data = [["subject", "idh"], ["a", 1]]
    path = write_workbook(tmp_path / "a.xlsx", First=data, Other=[["x"]], Second=[["subject", "idh"], ["a", 0]])
    with pytest.raises(InputError, match="one page with the columns subject and idh; found page 'First' .* 'Second'"):
        read_sheet(path, NEEDED)
    with pytest.raises(InputError, match="a page with the columns ID; found page 'First' .* 'Other' .* 'Second'"):
        read_sheet(path, ["ID"])
    assert find_own(read_readings(path)[1:2], path) is None


def test_a_workbook_that_names_a_wrong_size_is_read_whole(tmp_path):
    rows = [["subject", "idh", "sex"], ["a", 1, None], [None], ["b", 0, "F"]]
    path = write_workbook(tmp_path / "a.xlsx", Data=rows)
    with zipfile.ZipFile(path) as parts:
        contents = {name: parts.read(name).decode() for name in parts.namelist()}
    sheet, size = "xl/worksheets/sheet1.xml", '<dimension ref="A1:C4" />'
    assert size in contents[sheet]
    contents[sheet] = contents[sheet].replace(size, '<dimension ref="A1" />')
    with zipfile.ZipFile(path, "w") as parts:
        for name, content in contents.items():
            parts.writestr(name, content)
    assert read_sheet(path, NEEDED).T.to_dict("list") == {2: ["a", "1", ""], 4: ["b", "0", "F"]}


@pytest.mark.parametrize("column", ["subject", "idh", "age_years"])
def test_formulas_without_values_are_no_empty_cells(tmp_path, column):
    row = {"subject": "b", "idh": 0, "age_years": 50} | {column: "=A2"}
    path = write_workbook(tmp_path / "a.xlsx", Data=[list(row), ["a", 1, 40], list(row.values())])
    for calculated in (False, True):
        match = f"without a calculated value in row 3, column {column} of page 'Data'. Open the"
        with pytest.raises(InputError, match=match):
            read_table(give_values(path, {}, calculated))


def test_formulas_with_values(tmp_path):
    rows = [["subject", "idh", "age_years"], ["a", "=1", "=1/0"], ["b", '=""', None]]
    path = write_workbook(tmp_path / "a.xlsx", Data=rows)
    values = {"B2": ("n", 1), "C2": ("e", "#N/A"), "B3": ("str", "")}
    sheet = read_sheet(give_values(path, values), NEEDED)
    assert sheet.to_numpy().tolist() == [["a", "1", "#N/A"], ["b", "", ""]] and parse_age("#N/A") == ""


def test_values_that_a_writer_made_up_for_its_formulas_are_no_values(tmp_path):
    """Some programs write 0 beside each formula, and ask the next program to calculate: 0 would be wild-type."""
    path = write_workbook(tmp_path / "a.xlsx", Data=[["subject", "idh"], ["a", '=IF("x"="x",1,0)']])
    with pytest.raises(InputError, match="without a calculated value in row 2, column idh"):
        read_sheet(give_values(path, {"B2": ("n", 0)}, calculated=False), NEEDED)


def test_formulas_that_failed_and_formulas_that_nobody_needs(tmp_path):
    rows = [["subject", "idh", "patient", None], ["a", 1, "=X9", "=X9"]]
    path = write_workbook(tmp_path / "a.xlsx", Data=rows, Sums=[["total"], ["=SUM(Data!B2:B9)"]])
    with pytest.raises(InputError, match=r"a formula with an error \(#REF!\) in row 2, column patient"):
        read_sheet(give_values(path, {"C2": ("e", "#REF!"), "D2": ("e", "#REF!")}), NEEDED)
    rows[1][2] = "p"
    path = write_workbook(tmp_path / "b.xlsx", Data=rows, Sums=[["total"], ["=SUM(Data!B2:B9)"]])
    assert read_sheet(give_values(path, {}), NEEDED)["patient"].tolist() == ["p"]


def test_cells_of_a_workbook_as_text(tmp_path):
    rows = [["subject", "idh", "age"], [7, 1.0, 44.5], ["007", True, None], [" x ", "0", "NA"]]
    sheet = read_sheet(write_workbook(tmp_path / "A.XLSX", Data=rows), NEEDED)
    assert sheet.to_numpy().tolist() == [["7", "1", "44.5"], ["007", "True", ""], ["x", "0", "NA"]]
