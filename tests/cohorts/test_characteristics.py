"""Table 1, with numbers worked out by hand."""

import pandas as pd
import pytest

from glioma_idh.cohorts.characteristics import characteristics_table
from glioma_idh.cohorts.table import read_table
from glioma_idh.errors import InputError

ROWS = """subject,patient,idh,age_years,sex,grade,site
a,A,1,30,F,2,
a2,A,1,99,F,2,
b,B,1,40,M,3,
c,C,0,60,,4,
d,D,0,,M,4,
e,E,,50,F,,
"""


def test_a_grade_that_an_older_run_let_in_is_shown_as_it_is():
    table = pd.DataFrame({"subject": ["a", "b"], "patient": ["a", "b"], "idh": ["1", "0"], "grade": ["II-III", "IV"]})
    made = characteristics_table(table.assign(age_years="", sex="", site=""))
    assert [value for _, value in made.tableone.index if value] == ["4", "II-III"]


def test_numbers_by_hand(tmp_path):
    (tmp_path / "a.csv").write_text(ROWS)
    made = characteristics_table(read_table(tmp_path / "a.csv")).tableone["Grouped by IDH"]
    assert list(made.columns) == ["Missing", "Overall", "IDH-mutant", "IDH-wild-type", "IDH unknown"]
    assert made.loc[("n", "")].tolist() == ["", 5, 2, 2, 1]
    assert made.loc[("Age, years, mean (SD)", "")].tolist()[:3] == [1, "45.0 (12.9)", "35.0 (7.1)"]
    assert made.loc[("Sex, n (%)", "F")].tolist()[:3] == [1, "2 (50.0)", "1 (50.0)"]
    assert made.loc[("Grade, n (%)", "4")].tolist()[3] == "2 (100.0)"
    assert "Site, n (%)" not in made.index.get_level_values(0)


def test_histology_1p19q_mgmt_and_class_are_shown_where_they_are_known(tmp_path):
    header = "subject,patient,idh,codeletion_1p19q,mgmt,who2021,histology\n"
    rows = "a,A,1,codel,positive,Oligodendroglioma,\nb,B,1,intact,,Astrocytoma,\nc,C,0,intact,negative,,\n"
    (tmp_path / "a.csv").write_text(header + rows)
    made = characteristics_table(read_table(tmp_path / "a.csv")).tableone["Grouped by IDH"]
    assert made.loc[("1p/19q, n (%)", "codeleted")].tolist() == [0, "1 (33.3)", "1 (50.0)", "0 (0.0)"]
    assert made.loc[("MGMT promoter, n (%)", "methylated")].tolist() == [1, "1 (50.0)", "1 (100.0)", "0 (0.0)"]
    assert made.loc[("WHO 2021 class, n (%)", "Astrocytoma")].tolist() == [1, "1 (50.0)", "1 (50.0)", "not known"]
    assert not made.index.get_level_values(0).str.startswith(("Histology", "Grade")).any()
    (tmp_path / "a.csv").write_text((header + rows).replace("codel,", "partly,"))
    with pytest.raises(InputError, match="1p/19q as codeleted or intact, or empty; found 'partly' in row 2"):
        characteristics_table(read_table(tmp_path / "a.csv"))


def test_a_known_status_of_any_visit_is_the_patient_s(tmp_path):
    (tmp_path / "a.csv").write_text("subject,patient,idh,age_years\na,A,,30\na2,A,1,31\nb,B,0,50\nb2,B,,51\n")
    made = characteristics_table(read_table(tmp_path / "a.csv")).tableone["Grouped by IDH"]
    assert list(made.columns) == ["Missing", "Overall", "IDH-mutant", "IDH-wild-type"]
    assert made.loc[("n", "")].tolist() == ["", 2, 1, 1]
    assert [cell.split(" ")[0] for cell in made.loc[("Age, years, mean (SD)", "")].tolist()[1:]] == [
        "40.0",
        "30.0",
        "50.0",
    ]


def test_small_sites_are_counted_together_and_none_is_missing(tmp_path):
    sites = ["A"] * 4 + ["B"] * 3 + ["C", "D", ""]
    rows = "".join(f"s{n},{n % 2},{site}\n" for n, site in enumerate(sites))
    (tmp_path / "a.csv").write_text("subject,idh,site\n" + rows)
    made = characteristics_table(read_table(tmp_path / "a.csv"), max_sites=2).tableone["Grouped by IDH"]
    counts = {site: made.loc[("Site, n (%)", site), "Overall"] for site in ("A", "B", "other")}
    assert counts == {"A": "4 (44.4)", "B": "3 (33.3)", "other": "2 (22.2)"}
    assert made.xs("Site, n (%)")["Missing"].iloc[0] == 1


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [("30", "thirty", "found 'thirty' in row 2, column age_years"), ("a,A,1", "a,A,perhaps", "row 2, column idh")],
)
def test_cells_that_cannot_be_read(tmp_path, old, new, match):
    (tmp_path / "a.csv").write_text(ROWS.replace(old, new))
    with pytest.raises(InputError, match=match):
        characteristics_table(read_table(tmp_path / "a.csv"))


def test_nothing_to_tell(tmp_path):
    (tmp_path / "a.csv").write_text("subject,idh\na,1\nb,0\n")
    with pytest.raises(InputError, match="expected age, sex, grade or site of at least one patient; found none"):
        characteristics_table(read_table(tmp_path / "a.csv"))
