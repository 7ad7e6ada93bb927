"""What the two clinical tables of TCGA say, on small tables; IDH status stays by the variant rule."""

import pandas as pd
import pytest

from glioma_idh.cohorts.tcga import tcga_manifest
from glioma_idh.cohorts.tcga_clinical import find_disagreements, read_clinical, read_facts, read_who2021
from glioma_idh.errors import InputError

ONE, TWO, THREE, FOUR = "TCGA-AA-0001", "TCGA-BB-0002", "TCGA-CC-A003", "TCGA-DD-A004"
CLINICAL = f"""bcr_patient_barcode,type,age_at_initial_pathologic_diagnosis,gender,histological_type,histological_grade
{ONE},GBM,61,MALE,Treated primary GBM,[Not Available]
{TWO},LGG,39,FEMALE,Oligoastrocytoma,[Discrepancy]
{THREE},LGG,[Not Available],FEMALE,Astrocytoma,G3
TCGA-ZZ-0009,BRCA,50,FEMALE,Infiltrating Ductal Carcinoma,[Not Available]
{FOUR},GBM,50,MALE,Untreated primary (de novo) GBM,G4
TCGA-EE-0005,LGG,44,MALE,Oligodendroglioma,G2
"""
WHO = f"""subject,idh,codeletion_1p19q,who2021
{FOUR},1,non-codel,"Glioblastoma, IDH-wildtype. Grade 4."
{ONE},1,unknown,"Astrocytoma, IDH-mutant. Grade 4."
TCGA-XX-0008,1,codel,"Oligodendroglioma, IDH-mutant, 1p/19q-codeleted. Grade 2."
"""


@pytest.fixture
def write(tmp_path):
    """A function that writes a table and returns its path."""

    def write_table(text: str, name: str = "a.csv"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write_table


def test_age_sex_grade_and_histology(write):
    """A glioblastoma is of grade 4 whatever stands there; other tumours' rows are passed over."""
    made = read_clinical(write(CLINICAL))
    assert made.index.name == "patient" and "TCGA-ZZ-0009" not in made.index
    assert made.reset_index().to_numpy().tolist() == [
        [ONE, "61", "M", "4", "glioblastoma", "1"],
        [TWO, "39", "F", "", "oligoastrocytoma", ""],
        [THREE, "", "F", "3", "astrocytoma", ""],
        [FOUR, "50", "M", "4", "glioblastoma", "0"],
        ["TCGA-EE-0005", "44", "M", "2", "oligodendroglioma", ""],
    ]
    assert list(made.columns) == ["age_years", "sex", "grade", "histology", "treated_before"]


def test_1p19q_and_the_class_in_the_table_s_words(write):
    made = read_who2021(write(WHO))
    assert list(made.columns) == ["codeletion_1p19q", "who2021"]
    assert made["codeletion_1p19q"].to_dict() == {FOUR: "intact", ONE: "", "TCGA-XX-0008": "codeleted"}
    assert made.loc[FOUR, "who2021"] == "Glioblastoma, IDH-wildtype. Grade 4."


def test_facts_stand_beside_their_patient_and_the_status_is_the_rule_s(write):
    """One of four is in both tables, and the class of two names another status than the rule."""
    status = pd.DataFrame({"idh": ["0", "1", "0", "1"], "idh_evidence": "why"}, pd.Index([ONE, TWO, THREE, FOUR]))
    facts, notes = read_facts(status.index, write(CLINICAL, "clinical.csv"), write(WHO, "who.csv"))
    made = tcga_manifest(status.rename_axis("patient"), facts)
    columns = ["patient", "idh", "age_years", "codeletion_1p19q", "mgmt", "treated_before"]
    assert made[columns].to_numpy().tolist() == [
        [ONE, "0", "61", "", "", "1"],
        [TWO, "1", "39", "", "", ""],
        [THREE, "0", "", "", "", ""],
        [FOUR, "1", "50", "intact", "", "0"],
    ]
    assert notes == [
        "clinical.csv: 1 patients are in no variant table and are left out: TCGA-EE-0005.",
        "who.csv: 1 patients are in no variant table and are left out: TCGA-XX-0008.",
        "who.csv: no row for 2 of the 4 patients in the variant tables.",
    ]
    found = find_disagreements(made)
    assert found.to_numpy().tolist() == [
        [ONE, ONE, "0", "why", "Astrocytoma, IDH-mutant. Grade 4."],
        [FOUR, FOUR, "1", "why", "Glioblastoma, IDH-wildtype. Grade 4."],
    ]
    assert find_disagreements(made.assign(idh="")).empty  # nothing to disagree with


def test_one_table_alone_or_none(write):
    facts, notes = read_facts([ONE], who2021=write(WHO))
    assert list(facts.columns) == ["codeletion_1p19q", "who2021"] and len(notes) == 1
    facts, notes = read_facts([ONE], write(CLINICAL))
    assert facts.loc[ONE, "age_years"] == "61" and "who2021" not in facts
    facts, notes = read_facts([ONE, TWO])
    assert facts.shape == (2, 0) and notes == []


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("gender", "sex", "a.csv: expected the columns gender; found columns bcr_patient_barcode, type"),
        (TWO, ONE, f"an id other than that of row 2; found '{ONE}' in row 3, column bcr_patient_barcode"),
        (TWO, "TCGA-2", "expected an id such as TCGA-06-0221; found 'TCGA-2' in row 3"),
        ("61", "old", "expected an age in years, up to 120, or empty; found 'old' in row 2"),
        ("G3", "III", "expected a grade from G1 to G4, or .Not Available.; found 'III' in row 4"),
        ("Astrocytoma", "Ependymoma", "found 'Ependymoma' in row 4, column histological_type"),
        ("FEMALE", "X", "expected sex as F or M, or empty; found 'X' in row 3, column gender"),
    ],
)
def test_a_clinical_table_that_cannot_be_used(write, old, new, match):
    with pytest.raises(InputError, match=match):
        read_facts([ONE], write(CLINICAL.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("who2021", "class", "a.csv: expected the columns who2021; found columns subject, idh"),
        (FOUR, ONE, f"an id other than that of row 2; found '{ONE}' in row 3, column subject"),
        ("non-codel", "partly", "expected 1p/19q as codeleted or intact, or empty; found 'partly' in row 2"),
        ("IDH-wildtype", "IDH", "expected a WHO 2021 class with IDH-mutant or IDH-wildtype, or empty"),
    ],
)
def test_a_relabelling_that_cannot_be_used(write, old, new, match):
    with pytest.raises(InputError, match=match):
        read_facts([ONE], who2021=write(WHO.replace(old, new)))


def test_tables_of_other_patients_are_refused(write):
    with pytest.raises(
        InputError, match="a.csv: expected patients of the variant tables; found only other patients, such as TCGA-A"
    ):
        read_facts(["TCGA-QQ-0001"], write(CLINICAL))
    others = CLINICAL.replace("GBM,", "LUAD,").replace("LGG,", "LUSC,")
    with pytest.raises(InputError, match="expected patients of type GBM or LGG; found types LUAD, LUSC, BRCA"):
        read_clinical(write(others))
