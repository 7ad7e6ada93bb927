"""Table 1 of a run, with numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from glioma_idh.errors import InputError
from glioma_idh.reporting.tables.cohort import characteristics_sheet, parts_sheet

COHORT = pd.DataFrame(  # as `runs.read_table` reads it; a2 is a second visit of A
    {
        "subject": ["a", "a2", "b", "c", "d", "e"],
        "patient": ["A", "A", "B", "C", "D", "E"],
        "idh": [1, 1, 1, 0, 0, np.nan],
        "age_years": [30, 99, 40.5, 60, np.nan, 50],
        "sex": ["F", "F", "M", "", "M", "F"],
        "grade": ["2", "2", "3", "4", "4", ""],
        "site": "",
        "lesion_ml": [10.0, 500, 20, 30, 40, np.nan],
    }
)


def cells(sheet):
    """Cells by characteristic and value, in the order missing, all, mutant, wild-type, unknown."""
    sheet = sheet.assign(characteristic=sheet["characteristic"].replace("", np.nan).ffill())
    return sheet.set_index(["characteristic", "value"])


def test_numbers_by_hand():
    sheet = characteristics_sheet(COHORT)
    assert list(sheet.columns[2:]) == ["missing", "all", "IDH-mutant", "IDH-wild-type", "IDH unknown"]
    table = cells(sheet)
    assert table.loc[("Patients", "")].tolist() == ["", "5", "2", "2", "1"]
    assert table.loc[("Age, years, mean (SD)", "")].tolist()[:3] == ["1", "45.1 (12.8)", "35.2 (7.4)"]
    assert table.loc[("Sex, n (%)", "F")].tolist()[:3] == ["1", "2 (50.0)", "1 (50.0)"]
    assert table.loc[("Grade, n (%)", "4"), "IDH-wild-type"] == "2 (100.0)"
    volume = table.loc[("Lesion volume, ml, median [Q1,Q3]", "")]
    assert volume.tolist()[:4] == ["1", "25.0 [17.5,32.5]", "15.0 [12.5,17.5]", "35.0 [32.5,37.5]"]
    assert table.loc[("Site", "")].tolist() == ["5", "-", "-", "-", "-"]
    assert (sheet.dtypes == sheet["value"].dtype).all() and sheet.notna().all(axis=None)


def test_1p19q_and_mgmt_have_rows_where_somebody_has_them():
    table = cells(characteristics_sheet(COHORT.assign(mgmt=["methylated", "", "", "unmethylated", np.nan, ""])))
    assert table.loc[("MGMT promoter, n (%)", "methylated")].tolist()[:4] == ["3", "1 (50.0)", "1 (100.0)", "0 (0.0)"]
    assert table.loc[("MGMT promoter, n (%)", "methylated"), "IDH unknown"] == "not known"
    assert not table.index.get_level_values(0).str.startswith("1p/19q").any()


def test_where_nothing_is_known_the_patients_are_counted():
    bare = COHORT[["subject", "patient", "idh"]]
    table = cells(characteristics_sheet(bare))
    assert table.index.get_level_values(0).tolist() == [
        "Patients",
        "Age, years",
        "Sex",
        "Grade",
        "Site",
        "Lesion volume, ml",
    ]
    assert (table["missing"].iloc[1:] == "5").all()
    one = cells(characteristics_sheet(COHORT[COHORT["idh"] == 1]))
    assert one.loc[("Lesion volume, ml, median [Q1,Q3]", "")].tolist() == ["0", "15.0 [12.5,17.5]", "15.0 [12.5,17.5]"]


def test_beyond_eight_sites_the_smallest_are_together():
    sites = pd.DataFrame(
        {"subject": [f"s{n}" for n in range(20)], "idh": 1, "site": [f"{n // 2:02}" for n in range(20)]}
    )
    table = cells(characteristics_sheet(sites.assign(patient=sites["subject"], idh=[0, 1] * 10)))
    assert table.loc["Site, n (%)"].index.tolist() == [f"{n:02}" for n in range(8)] + ["other"]
    assert table.loc[("Site, n (%)", "other"), "all"] == "4 (20.0)"


def test_a_cell_that_cannot_be_read_is_named():
    with pytest.raises(InputError, match="found 'thirty' in row 0, column age_years"):
        characteristics_sheet(COHORT.assign(age_years=["thirty", *COHORT["age_years"][1:]]))


def splits(**tests):
    """A split a keyword: who is tested in split 1, 2 ...; the others train."""
    rows = [
        (subject, 1, number, "test" if subject in who else "train")
        for number, who in enumerate(tests.values(), start=1)
        for subject in COHORT["subject"]
    ]
    return pd.DataFrame(rows, columns=["subject", "repeat", "split", "part"])


def test_who_is_tested_in_each_split():
    sheet = parts_sheet(COHORT, splits(one=["a", "a2", "c"], two=["b", "d"])).set_index("set")
    assert sheet.index.tolist() == ["Split 1, test set", "Split 2, test set"]
    assert sheet["patients"].tolist() == ["2", "2"]
    assert sheet["IDH-mutant, n (%)"].tolist() == ["1 (50.0)", "1 (50.0)"]
    assert sheet["Age, years, mean (SD)"].tolist() == ["45.0 (21.2)", "40.5 (one patient)"]
    assert sheet["Grade 4, n (%)"].tolist() == ["1 (50.0)", "1 (50.0)"]
    assert sheet["Lesion volume, ml, median [Q1,Q3]"].tolist() == ["20.0 [15.0,25.0]", "30.0 [25.0,35.0]"]
    assert not any("wild-type" in column or "Site" in column for column in sheet)


def test_what_nobody_in_a_split_has_is_said():
    sheet = parts_sheet(COHORT.assign(lesion_ml=[1.0, 1, np.nan, 2, np.nan, 3]), splits(one=["a", "c"], two=["b", "d"]))
    assert sheet["Lesion volume, ml, median [Q1,Q3]"].tolist() == ["1.5 [1.2,1.8]", "not known"]


def test_of_a_single_split_both_parts():
    sheet = parts_sheet(COHORT, splits(one=["a", "a2", "c"])).set_index("set")
    assert sheet["patients"].to_dict() == {"Training set": "3", "Test set": "2"}
    assert sheet["IDH-mutant, n (%)"].tolist() == ["1 (33.3)", "1 (50.0)"]


def test_a_status_known_of_a_later_visit_alone_counts_and_the_first_visit_s_age():
    later = COHORT.assign(idh=[np.nan, *COHORT["idh"][1:]])
    table = cells(characteristics_sheet(later))
    assert table.loc[("Patients", "")].tolist() == ["", "5", "2", "2", "1"]
    assert table.loc[("Age, years, mean (SD)", "")].tolist()[:3] == ["1", "45.1 (12.8)", "35.2 (7.4)"]
