"""Names of columns as people write them; one that could mean two things is not taken, only asked for."""

import pytest

from glioma_idh.cohorts.column_names import COLUMNS, could_be, meaning_of, suggested

UNDERSTOOD = {
    "subject": ["Subject", "SUBJECT_ID", "subject id", "ID", "id", "case", "Case-ID"],
    "patient": ["Patient", "PATIENT"],
    "site": ["Site", "Center", "centre", "Hospital"],
    "idh": [
        "IDH",
        "idh_status",
        "IDH status",
        "IDH-Mutation",
        "IDHstatus",
        "IDH mutation?",
        "IDH1/2",
        "IDH 1/2 status",
    ],
    "idh_evidence": ["IDH evidence"],
    "grade": ["Grade", "WHO grade", "who_grade", "WHO CNS Grade", "Tumour grade"],
    "age_years": ["Age", "AGE", "age (years)", "Age [y]", "Age in years", "Age at MRI", "âge", "Alter"],
    "sex": ["Sex", "gender", "GENDER", "Geschlecht", "sexe"],
    "codeletion_1p19q": ["1p/19q", "1p19q", "1p/19q co-deletion", "Codeletion"],
    "mgmt": ["MGMT", "MGMT status", "mgmt_methylation", "MGMT promoter methylation"],
    "who2021": ["WHO 2021", "WHO2021 class"],
    "t1": ["T1", "T1w", "T1 native", "T1 ohne KM", "path_T1", "T1 file"],
    "t1gd": ["T1Gd", "T1CE", "t1ce", "T1c", "T1 post contrast", "T1+C", "T1-Gd", "MPRAGE"],
    "t2": ["T2", "T2w"],
    "flair": ["FLAIR", "T2 FLAIR", "flair_path"],
    "rcbv": ["rCBV", "rCBV map"],
    "adc": ["ADC", "ADC map"],
    "lesion_mask": ["mask", "Mask", "seg", "segmentation", "Tumor mask", "tumour_segmentation", "Lesion mask"],
    "brain_mask": ["Brain mask", "brainmask", "BRAIN_MASK"],
    "adc_divisor": ["ADC divisor"],
}


@pytest.mark.parametrize("column", COLUMNS)
def test_the_names_of_the_cohort_table_in_any_case(column):
    for name in (column, column.upper(), column.title(), column.replace("_", " "), column.replace("_", "-")):
        assert meaning_of(name) == column


@pytest.mark.parametrize(("column", "names"), UNDERSTOOD.items())
def test_obvious_names(column, names):
    assert {name: meaning_of(name) for name in names} == dict.fromkeys(names, column)


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        *(("Patient ID", ("subject", "patient")), ("participant_id", ("subject", "patient"))),
        *(("label", ("idh",)), ("IDH1", ("idh",)), ("IDH-2", ("idh",)), ("Mutation", ("idh",)), ("truth", ("idh",))),
        *(("Age at MRI (months)", ("age_years",)), ("age_days", ("age_years",)), ("Gendr", ("sex",))),
        *(("MGMT index", ("mgmt",)), ("MGMT %", ("mgmt",)), ("Diagnosis", ("histology", "who2021"))),
        *(("Date of birth", ()), ("IDH wildtype", ()), ("Tumour location", ()), ("tumor", ()), ("lesion volume", ())),
        *(("T2*", ()), ("adc_mean", ()), ("brain volume", ()), ("OS", ()), ("Sbject", ("subject",))),
    ],
)
def test_a_name_that_could_mean_something_else_is_not_taken(name, columns):
    assert meaning_of(name) == "" and could_be(name) == columns


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        *(("T1 post-op", ("t1", "t1gd")), ("label", ("idh", "lesion_mask")), ("tumor", ("lesion_mask",))),
        *(("T1+", ("t1", "t1gd")), ("dwi", ()), ("t1 of 2019 (first)", ("t1",))),
    ],
)
def test_of_a_column_of_paths_the_sequences_that_its_name_may_mean(name, columns):
    assert meaning_of(name) == "" and could_be(name, holds_paths=True) == columns


def test_what_is_said_of_a_name():
    assert suggested("Patient ID") == "Patient ID (subject or patient?)"
    assert suggested("age_days") == "age_days (age_years, in years?)"
    assert suggested("Date of birth") == "Date of birth"
