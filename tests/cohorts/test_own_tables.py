"""Tables of one's own: label sheets and cohort tables are read alike, and nothing in them is lost without a word."""

import datetime

import openpyxl
import pytest

from glioma_idh import cohorts
from glioma_idh.cohorts.cells import parse_idh
from glioma_idh.cohorts.generic import own_labels
from glioma_idh.cohorts.table import check_labels, read_table
from glioma_idh.errors import InputError

BOTH = pytest.mark.parametrize("read", [read_table, own_labels])


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def touch(folder, *paths):
    for path in paths:
        write(folder / path, "")


@BOTH
def test_columns_and_cells_as_people_write_them(tmp_path, read):
    header = "Case ID;IDH Status;Age;Gender;WHO grade;1p/19q;MGMT status;Center;Patient\n"
    rows = "001;Mutant;44,5;weiblich;IV;non-codel;methylated;A;P1\n002;WT;>89;Homme;WHO II;codeleted;negative;NA;\n"
    table = read(write(tmp_path / "a.csv", header + rows))
    columns = ["subject", "idh", "age_years", "sex", "grade", "codeletion_1p19q", "mgmt", "site"]
    assert table[columns].to_numpy().tolist() == [
        ["001", "1", "44.5", "F", "4", "intact", "methylated", "A"],
        ["002", "0", "89", "M", "2", "codeleted", "unmethylated", ""],
    ]
    assert table["patient"].tolist() == ["P1", "002" if read is read_table else ""]


def test_paths_by_the_words_of_their_columns(tmp_path):
    text = "Subject,IDH,T1Gd,T2 FLAIR,Mask,brain mask\na,1,a/x.nii.gz,a/f.nii,a/m.nii,NA\nb,0,n/a,,b/m.nii,\n"
    table = read_table(write(tmp_path / "a.csv", text))
    found = table[["t1gd", "flair", "lesion_mask", "brain_mask"]].to_numpy().tolist()
    assert found[0] == [*(str(tmp_path / f"a/{name}") for name in ("x.nii.gz", "f.nii", "m.nii")), ""]
    assert found[1] == ["", "", str(tmp_path / "b/m.nii"), ""]


def test_a_measured_value_is_no_path(tmp_path, capsys):
    """A column `ADC` or `rCBV` of a clinic's sheet holds numbers."""
    table = read_table(write(tmp_path / "a.csv", "subject,idh,ADC,rCBV,T1\na,1,0.8,3.2,a.nii\n"))
    assert table.loc[0, ["adc", "rcbv"]].tolist() == ["", ""] and table.loc[0, "t1"]
    assert "ignored columns: ADC" in capsys.readouterr().err


@BOTH
def test_what_is_not_read_is_said_once_with_what_may_be_meant(tmp_path, capsys, read):
    header = "subject,idh,Date of birth,Age at MRI (months),Patient ID,empty,,treated_before\n"
    path = write(tmp_path / "a.csv", header + "a,1,1970-01-02,540,P,,x,1\n")
    table = read(path)
    assert (table["age_years"] == "").all()
    read(path)
    told = "Age at MRI (months) (age_years, in years?); Patient ID (subject or patient?); Date of birth; column 7, "
    expected = f"{path}: ignored columns: {told}without a name. Rename a column that should be read.\n"
    assert capsys.readouterr().err == expected


def test_paths_on_a_label_sheet_are_said_to_be_of_no_use(tmp_path, capsys):
    own_labels(write(tmp_path / "a.csv", "subject,idh,T1Gd,adc_divisor,flair\na,1,a.nii,3,\n"))
    told = "T1Gd (read only from a table given to --cohort); adc_divisor (read only from a table given to --cohort)."
    assert told in capsys.readouterr().err


@BOTH
def test_two_columns_of_one_meaning_are_an_error_that_names_both(tmp_path, read):
    path = write(tmp_path / "a.csv", "subject,idh,age_years,Age\na,1,40,41\n")
    with pytest.raises(InputError, match="expected each column once; found age_years and Age, which both mean age"):
        read(path)
    path = write(tmp_path / "b.csv", "subject,idh,age_years,Age\na,1,,41\n")  # an empty column as `prepare` writes it
    assert read(path)["age_years"].tolist() == ["41"]


@BOTH
@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("Sex", "1", r"sex as F or M \(numbers are ambiguous\), or empty"),
        ("Sex", "H", r"sex as F or M \(in a sheet with H, M may mean a woman"),
        ("Sex", "divers", "sex as F or M, or empty"),
        ("Age", "540", "an age in years, up to 120"),
        ("Age", "44 y", "an age in years"),
        ("Grade", "II-III", "a grade from 1 to 4 or I to IV"),
        ("Grade", "5", "a grade from 1 to 4"),
        ("Grade", "2,3", "a grade from 1 to 4"),
        ("1p/19q", "perhaps", "1p/19q as codeleted or intact"),
        ("MGMT status", "12 %", "MGMT as methylated or unmethylated"),
        ("Patient", "NA", "a patient id, or empty"),
        ("Patient", "1E5", "a patient id"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named_when_the_table_is_read(tmp_path, read, column, cell, expected):
    """Row 4 is the third of the file's subjects, as a spreadsheet counts."""
    path = write(tmp_path / "a.csv", f'subject,idh,{column}\na,1,\nb,0,\nc,1,"{cell}"\n')
    with pytest.raises(InputError, match=rf"a.csv: expected {expected}.*; found '{cell}' in row 4, column {column}\."):
        read(path)


@pytest.mark.parametrize("cell", ["0", "-3", "x", "1e999", "1.234,5"])
def test_a_divisor_that_nothing_can_be_divided_by(tmp_path, cell):
    path = write(tmp_path / "a.csv", f'subject,idh,ADC divisor\na,1,3\nb,1,"{cell}"\n')
    with pytest.raises(InputError, match=f"found '{cell}' in row 3, column ADC divisor"):
        read_table(path)


@BOTH
def test_the_other_cells_that_cannot_be_read_are_counted(tmp_path, read):
    path = write(tmp_path / "a.csv", "subject,idh,sex\na,1,x\nb,0,F\nc,1,y\nd,0,x\n")
    with pytest.raises(InputError, match="found 'x' in row 2, column sex, and in 2 more cells of the column"):
        read(path)


def test_rows_are_counted_with_the_empty_ones(tmp_path):
    with pytest.raises(InputError, match="found 'x' in row 4, column sex"):
        read_table(write(tmp_path / "a.csv", "sep=;\n\nsubject;idh;sex\n\na;1;x\n"))


def test_a_status_that_cannot_be_read_sets_its_subject_aside_and_names_the_cell(tmp_path):
    table, (error,) = check_labels(read_table(write(tmp_path / "a.csv", "ID,IDH status\na,1\n,\nb,IDH1 R132H\nc,?!\n")))
    assert table[["subject", "idh"]].to_numpy().tolist() == [["a", 1], ["b", 1]]
    assert (error.subject, error.found) == ("c", "'?!'") and "(row 5, column IDH status)" in error.advice


@BOTH
@pytest.mark.parametrize(
    "date",
    ["2026-03-02 00:00:00", "2026-03-02", "02.03.2026", "2.3.26", "3/2/2026", "Mar-02", "02-Mar", "02. Mrz", "12:30"],
)
@pytest.mark.parametrize("column", ["subject", "patient"])
def test_a_date_that_a_spreadsheet_has_made_of_an_id(tmp_path, read, date, column):
    row = {"subject": "P-2", "patient": "B"} | {column: date}
    text = f"subject,patient,idh\nP-1,A,1\n{row['subject']},{row['patient']},0\n"
    with pytest.raises(InputError, match=f"found '{date}' in row 3, column {column}. .* to a date: format"):
        read(write(tmp_path / "a.csv", text))


@BOTH
@pytest.mark.parametrize(
    ("ids", "is_read"),
    [
        (("2026-03-02", "2026-03-03"), True),  # somebody may name patients so
        (("Mar-02", "Apr-03"), True),
        (("P-1", "MAR-02", "01-02-03", "3.2", "2026-13-02"), True),
        (("02-Mar", "03-Mar"), False),  # nobody does
        (("2026-03-02 00:00:00", "2026-03-03 00:00:00"), False),
    ],
)
def test_where_all_ids_are_dates_somebody_may_have_written_them(tmp_path, read, ids, is_read):
    path = write(tmp_path / "a.csv", "subject,idh\n" + "".join(f"{each},1\n" for each in ids))
    if is_read:
        assert sorted(read(path)["subject"]) == sorted(ids)
    else:
        with pytest.raises(InputError, match="to a date"):
            read(path)


def test_a_cell_of_a_workbook_that_is_a_date(tmp_path):
    book = openpyxl.Workbook()
    for row in (["subject", "idh"], ["P-1", 1], [datetime.date(2026, 3, 2), 0]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(InputError, match="found '2026-03-02 00:00:00' in row 3, column subject"):
        read_table(tmp_path / "a.xlsx")


@BOTH
def test_1_and_2_do_not_say_which_is_which(tmp_path, read):
    with pytest.raises(InputError, match="found '2' in row 3, column idh, and in 1 more cells.* mutant and wildtype"):
        read(write(tmp_path / "a.csv", "subject,idh\na,1\nb,2\nc,2.0\n"))
    table, (error,) = check_labels(read_table(write(tmp_path / "a.csv", "subject,idh\na,1\nb,2\nc,0\n")))
    assert table["subject"].tolist() == ["a", "c"] and error.found == "'2'"


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("2", "1 and 2 are ambiguous"),
        *((cell, "may refer to R132H only") for cell in ("positive", "NEG", "+", "(+)", "IDH1 positive")),
        *((cell, "yes and no are ambiguous") for cell in ("Yes", "True")),
    ],
)
def test_a_word_for_a_status_that_tells_none_says_why(cell, why):
    with pytest.raises(ValueError, match=f"{why}.*: write mutant or wildtype"):
        parse_idh(cell)


@BOTH
@pytest.mark.parametrize("rows", ["001,1\n1,0\n", "7,1\n07,0\n"])
def test_ids_that_differ_in_zeros_alone(tmp_path, read, rows):
    one, other = (row.split(",")[0] for row in rows.split())
    match = f"in more than leading zeros .row 2 has '{one}'.; found '{other}' in row 3, column subject"
    with pytest.raises(InputError, match=match):
        read(write(tmp_path / "a.csv", "subject,idh\n" + rows))
    with pytest.raises(InputError, match="in row 3, column Patient"):
        read(write(tmp_path / "a.csv", f"subject,idh,Patient\na,1,{one}\nb,0,{other}\n"))


@pytest.mark.parametrize(
    "path", ["{:03}/t1.nii", "scans/{:03}/a/t1.nii", "{:03}_t1.nii.gz", "x\\{:03}\\t1.nii", "{:03}.nii"]
)
def test_ids_that_have_lost_the_zeros_of_their_folders(tmp_path, path):
    rows = [f"{n},1,{path.format(n)}\n" for n in (11, 2, 100)]
    with pytest.raises(
        InputError, match="id that the paths of its images contain, 011; found '11' in row 2, column ID. A spread"
    ):
        read_table(write(tmp_path / "a.csv", "ID,idh,t1\n" + "".join(rows) + "5,0,\n"))


@pytest.mark.parametrize(
    "rows",
    [
        "001,1,001/t1.nii\n002,1,002/t1.nii\n",
        "1,1,1/01/t1.nii\n2,1,2/01/t1.nii\n",  # the second is a session
        "1,1,site/01/t1.nii\n2,1,site/01b/t1.nii\n",
        "7,1,x/07/t1.nii\n8,1,x/07/t1.nii\n",
        "1,1,P001/t1.nii\n",
    ],
)
def test_numbers_in_paths_that_are_no_ids(tmp_path, rows):
    assert len(read_table(write(tmp_path / "a.csv", "subject,idh,t1\n" + rows)))


@pytest.mark.parametrize(("there", "label"), [("007", "7"), ("7", "007")])
def test_zeros_lost_between_a_label_sheet_and_the_scans(tmp_path, there, label):
    touch(tmp_path, f"images/{there}/t2.nii", "images/a/t2.nii")
    labels = write(tmp_path / "b.csv", f"subject,idh\na,1\n{label},0\n")
    table = write(tmp_path / "a.csv", f"subject,idh\na,1\n{there},0\n")
    for name, images in (("folders", tmp_path / "images"), (str(table), None)):
        with pytest.raises(
            InputError,
            match=f"the id that its images have, {there}; found '{label}' in row 3, column subject. A spread",
        ):
            cohorts.read(name, images, labels)


def test_labels_for_a_cohort_table_bring_all_they_know(tmp_path, capsys):
    """The patient above all: two visits of one person must not be divided by a split."""
    table = write(tmp_path / "a.csv", "subject,patient,idh,sex,age_years,t2\nx1,x1,,F,,x1.nii\nx2,,,,50,x2.nii\n")
    labels = write(tmp_path / "b.csv", "subject,patient,idh,Gender,Age\nx1,X,1,M,40\nx2,X,1,,\n")
    read, _ = cohorts.read(str(table), labels=labels)
    columns = ["subject", "patient", "idh", "sex", "age_years"]
    assert read[columns].to_numpy().tolist() == [["x1", "X", "1", "M", "40"], ["x2", "X", "1", "", "50"]]
    told = (
        "sex of 1 subjects differs from the cohort table; the value of this sheet is used (first: x1, M instead of F)."
    )
    assert capsys.readouterr().err == f"{labels}: {told}\n"


def test_a_sheet_of_one_s_own_for_a_public_cohort_is_not_taken_for_the_collection_s(tmp_path, capsys):
    touch(tmp_path, "SUBJECTS/EGD-0001/T2.nii.gz")
    write(tmp_path / "own.csv", "Subject,IDH,Age,MGMT status,1p19q\negd-0001,1,50,methylated,1\n")
    row = cohorts.read("egd", tmp_path, tmp_path / "own.csv")[0].iloc[0]
    assert row[["subject", "idh", "mgmt", "codeletion_1p19q"]].tolist() == ["EGD-0001", "1", "methylated", "codeleted"]
    write(tmp_path / "egd.csv", "Subject,IDH,1p19q,Grade\nEGD-0001,1,1,4\n")
    row = cohorts.read("egd", tmp_path, tmp_path / "egd.csv")[0].iloc[0]
    assert row[["idh", "site", "idh_evidence", "grade"]].tolist() == ["1", "EMC", "IDH 1", "4"]
    assert capsys.readouterr().err == ""


def test_the_sheet_of_ucsf_as_downloaded_is_no_sheet_of_one_s_own(tmp_path):
    touch(tmp_path, "UCSF-PDGM-0004_nifti/UCSF-PDGM-0004_T2.nii.gz")
    header, row = (
        "ID,Sex,Age at MRI,WHO CNS Grade,IDH,1p/19q,EOR",
        "UCSF-PDGM-004,F,70,2,wildtype,relative co-deletion,GTR",
    )
    write(tmp_path / "ucsf.csv", f"{header}\n{row}\n")
    read = cohorts.read("ucsf-pdgm", tmp_path, tmp_path / "ucsf.csv")[0].iloc[0]
    assert read[["site", "idh_evidence", "codeletion_1p19q"]].tolist() == ["UCSF", "IDH wildtype", ""]


def test_names_as_they_stand_come_before_similar_ones(tmp_path):
    """Of two pages the one with the very names is read, as it was before similar ones were understood."""
    book = openpyxl.Workbook()
    for title, header in (("Old", ["ID", "IDH"]), ("New", ["subject", "idh"])):
        page = book.create_sheet(title)
        page.append(header)
        page.append([title, 1])
    book.save(tmp_path / "a.xlsx")
    assert read_table(tmp_path / "a.xlsx")["subject"].tolist() == ["New"]


def test_a_header_that_says_nothing_we_know(tmp_path):
    with pytest.raises(InputError, match="expected the columns idh; found columns ID, IDH1, Mutation. Rename a column"):
        read_table(write(tmp_path / "a.csv", "ID,IDH1,Mutation\na,1,1\n"))
    with pytest.raises(
        InputError, match="expected the columns subject and idh; found columns x, y. Name the column of"
    ):
        own_labels(write(tmp_path / "a.csv", "x,y\na,1\n"))


def test_a_sheet_that_turns_the_status_round_is_told(tmp_path, capsys):
    table, labels = tmp_path / "turned.csv", tmp_path / "turning.csv"
    table.write_text("subject,idh\na,mutant\nb,0\nc,\nd,wt\ne,what\nf,1\n")
    labels.write_text("subject,idh\na,0\nb,WT\nc,1\nd,1\ne,1\nf,\n")
    read, _ = cohorts.read(str(table), labels=labels)
    assert read["idh"].tolist() == ["0", "0", "1", "1", "1", ""]
    told = f"{labels}: idh of 2 subjects differs from the cohort table; the value of this sheet is used (a, d)."
    assert capsys.readouterr().err.splitlines() == [told]
