"""The shipped manifests are what their commands make of the sources, and count what their README counts."""

import hashlib
import re
import subprocess
import sys

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from glioma_idh import cohorts
from glioma_idh.cohorts.bakas import tcga_idh
from glioma_idh.cohorts.brats import brats2020_manifest, brats2020_tcga, tcga_subjects
from glioma_idh.cohorts.manifests import (
    UCSF_SECOND_VISITS,
    make_manifest,
    manifests_folder,
    read_manifest,
    shipped_facts,
    with_facts,
)
from glioma_idh.cohorts.table import check_labels
from glioma_idh.cohorts.tcga_clinical import find_disagreements
from glioma_idh.cohorts.ucsf import ucsf_manifest, ucsf_pdgm
from glioma_idh.cohorts.upenn import upenn_gbm, upenn_manifest
from glioma_idh.errors import InputError

FOLDER = manifests_folder()
COUNTS = {  # subjects, patients, mutant, wild-type
    "tcga": (901, 901, 443, 458),
    "brats2020_tcga": (167, 167, 56, 65),
    "upenn_gbm": (671, 630, 19, 546),
    "ucsf_pdgm": (501, 495, 103, 398),
}

FACTS = {  # ages, F/M, grade 2/3/4, codeleted/intact, methylated/unmethylated, WHO classes: of how many subjects
    "tcga": (901, "372/529", "247/263/390", "140/499", "0/0", 643),
    "brats2020_tcga": (121, "59/62", "27/36/57", "13/84", "0/0", 97),
    "upenn_gbm": (671, "266/405", "0/0/671", "0/0", "121/170", 0),
    "ucsf_pdgm": (501, "202/299", "56/43/402", "9/395", "302/114", 501),
}
DISAGREEMENTS = {"TCGA-06-5416": "1", "TCGA-HT-A618": "0", "TCGA-HT-A61A": "0", "TCGA-P5-A72U": "1"}  # IDH by the rule


@pytest.mark.parametrize("name", COUNTS)
def test_counts(name):
    manifest = read_manifest(name)
    mutant, wild_type = (manifest["idh"] == "1").sum(), (manifest["idh"] == "0").sum()
    assert (len(manifest), manifest["patient"].nunique(), mutant, wild_type) == COUNTS[name]
    assert manifest["subject"].is_unique and (manifest["idh_evidence"] != "").all()
    row = f"| `{name}.csv` | {len(manifest)} | {manifest['patient'].nunique()} | {mutant} | {wild_type} |"
    assert row in (FOLDER / "README.md").read_text()


@pytest.mark.parametrize("name", FACTS)
def test_counts_of_what_else_is_known(name):
    manifest = read_manifest(name)

    def count(column, *values):
        counts = manifest[column].value_counts()
        assert set(counts.index) <= {*values, ""}
        return "/".join(str(counts.get(value, 0)) for value in values)

    cells = (
        (pd.to_numeric(manifest["age_years"]) > 0).sum(),
        count("sex", "F", "M"),
        count("grade", "2", "3", "4"),
        count("codeletion_1p19q", "codeleted", "intact"),
        count("mgmt", "methylated", "unmethylated"),
        (manifest["who2021"] != "").sum(),
    )
    assert cells == FACTS[name]
    assert f"| `{name}.csv` | {' | '.join(map(str, cells))} |" in (FOLDER / "README.md").read_text()


def test_five_of_tcga_were_treated_before_and_one_has_no_grade():
    tcga, brats = read_manifest("tcga").set_index("patient"), read_manifest("brats2020_tcga").set_index("patient")
    assert tcga["treated_before"].value_counts().to_dict() == {"": 538, "0": 358, "1": 5}
    assert tcga.index[tcga["grade"] == ""].tolist() == ["TCGA-DU-7019"]
    paper = brats[brats["idh"] != ""]
    assert paper.index[paper["treated_before"] == "1"].tolist() == ["TCGA-76-4932"]
    assert paper.index[paper["grade"] == ""].tolist() == ["TCGA-DU-7019"]
    assert paper["histology"].value_counts().to_dict() == {
        "glioblastoma": 57,
        "astrocytoma": 21,
        "oligodendroglioma": 25,
        "oligoastrocytoma": 18,
    }
    facts = ["age_years", "sex", "grade", "histology", "codeletion_1p19q", "who2021", "treated_before", "idh"]
    pd.testing.assert_frame_equal(paper[facts], tcga.loc[paper.index, facts])


def test_the_words_of_brats_are_glioblastoma_or_not():
    brats = read_manifest("brats2020_tcga")
    assert brats["brats_grade"].value_counts().to_dict() == {"HGG": 102, "LGG": 65}
    paper = brats[brats["idh"] != ""]
    assert ((paper["brats_grade"] == "HGG") == (paper["histology"] == "glioblastoma")).all()


def test_where_the_who_class_names_another_idh_status_the_rule_s_stays():
    found = find_disagreements(read_manifest("tcga"))
    assert dict(zip(found["patient"], found["idh"], strict=True)) == DISAGREEMENTS
    assert find_disagreements(read_manifest("brats2020_tcga"))["patient"].tolist() == ["TCGA-HT-A61A"]
    assert find_disagreements(read_manifest("ucsf_pdgm")).empty
    text = (FOLDER / "README.md").read_text()
    for row in found.itertuples():
        assert f"| {row.patient} | {row.idh} | {row.idh_evidence} | {row.who2021} |" in text


def age_alone(table):
    """How many have an IDH status, and the AUC of lower age for a mutation."""
    labelled = table[table["idh"].astype(str).isin(("0", "1"))]
    return len(labelled), roc_auc_score(labelled["idh"].astype(int), -labelled["age_years"].astype(float))


@pytest.mark.parametrize(
    ("name", "file", "num_rows", "auc_of_rows", "num_first", "auc_of_first"),
    [
        ("brats2020-tcga", "BraTS20_Training_335_t2.nii.gz", 121, 0.801, 121, 0.801),
        ("upenn-gbm", "UPENN-GBM-00042_11_T2.nii.gz", 565, 0.927, 515, 0.922),
        ("ucsf-pdgm", "UCSF-PDGM-0004_T2.nii.gz", 501, 0.904, 495, 0.905),
    ],
)
def test_age_alone(tmp_path, name, file, num_rows, auc_of_rows, num_first, auc_of_first):
    """Of the manifest's labelled rows, and of the first visits that a training reads; rank sums, no model."""
    (tmp_path / file).touch()
    first, errors = check_labels(cohorts.read(name, tmp_path)[0])
    assert all(error.found == "an empty label" for error in errors)
    number, auc = age_alone(read_manifest(name.replace("-", "_")))
    assert (number, round(auc, 3)) == (num_rows, auc_of_rows)
    number, auc = age_alone(first)
    assert (number, round(auc, 3)) == (num_first, auc_of_first)
    text = " ".join((FOLDER / "README.md").read_text().split())
    for number, auc in ((num_rows, auc_of_rows), (num_first, auc_of_first)):
        assert re.search(rf"{auc} on (the|its) {number} ", text)


def test_the_paper_s_cohort():
    """Wang et al. 2021 count 121 patients, 56 mutant; one of them through IDH2."""
    manifest = read_manifest("brats2020_tcga")
    assert manifest["idh_evidence"].str.contains("IDH2 p.R172S").sum() == 1
    unknown = manifest[manifest["idh"] == ""]
    assert len(unknown) == 46 and set(unknown["idh_evidence"]) == {"patient is in no variant table"}


def test_a_patient_has_one_status():
    for name in COUNTS:
        manifest = read_manifest(name)
        known = manifest[manifest["idh"] != ""]
        assert (known.groupby("patient")["idh"].nunique() == 1).all()


def make(name, real_data, out):
    clinical, variants = real_data / "clinical", sorted(map(str, (real_data / "tcga_mc3").glob("*.tsv.gz")))
    tables = clinical / "tcga_cdr.csv", clinical / "tcga_who2021.csv"
    mapping = real_data / "brats20_mini/MICCAI_BraTS2020_TrainingData/name_mapping.csv"
    if name == "tcga":
        tcga_idh(variants, out, *tables, quiet=True)
    elif name == "brats2020_tcga":
        brats2020_tcga(mapping, variants, out, *tables, quiet=True)
    elif name == "upenn_gbm":
        sheets = "UPENN-GBM_clinical_info_v2.1.csv", "UPENN-GBM_data_availability.csv"
        upenn_gbm(*(clinical / sheet for sheet in sheets), out)
    else:
        ucsf_pdgm(clinical / "UCSF-PDGM-metadata_v2.csv", out)


@pytest.mark.parametrize("name", COUNTS)
def test_each_can_be_made_again(real_data, tmp_path, name):
    make(name, real_data, tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_text() == (FOLDER / f"{name}.csv").read_text()


def test_the_sources_are_those_of_the_readme(real_data):
    rows = re.findall(r"\| `([^`]+)` \| `([0-9a-f]{64})` \|", (FOLDER / "README.md").read_text())
    assert len(rows) == 10
    for name, digest in rows:
        path = next(path for path in real_data.rglob(name) if "brats20_full" not in path.parts)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest, name


@pytest.mark.parametrize(("name", "number"), [("tcga", 4), ("brats2020_tcga", 1)])
def test_the_command_says_whose_who_class_names_another_idh_status(real_data, tmp_path, capsys, name, number):
    make(name, real_data, tmp_path / "o.csv")
    printed = capsys.readouterr().out
    found = pd.read_csv(tmp_path / "o_who2021_disagreements.csv", dtype=str)
    assert len(found) == number and set(found["patient"]) <= set(DISAGREEMENTS)
    who = ", ".join(found["patient"])
    assert f"WHO 2021 classes that contradict the IDH status: {number} ({who}); see {tmp_path}" in printed
    assert "tcga_who2021.csv: 13 patients are in no variant table and are left out: TCGA-02-0010, " in printed
    assert "tcga_who2021.csv: no row for 258 of the 901 patients in the variant tables." in printed


@pytest.mark.integration
def test_they_are_found_from_any_folder(tmp_path):
    program = "from glioma_idh.cohorts.manifests import read_manifest\nprint(len(read_manifest('brats2020_tcga')))"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "167"


def test_the_second_visits_of_ucsf_are_those_of_its_version_3():
    """As TCIA's version 3 renamed them; 0315 is 0433's second visit, of which BraTS 2021 has 00758."""
    assert UCSF_SECOND_VISITS == {
        "UCSF-PDGM-0138": "UCSF-PDGM-0429_FU003d",
        "UCSF-PDGM-0175": "UCSF-PDGM-0396_FU175d",
        "UCSF-PDGM-0181": "UCSF-PDGM-0409_FU001d",
        "UCSF-PDGM-0278": "UCSF-PDGM-0431_FU001d",
        "UCSF-PDGM-0289": "UCSF-PDGM-0391_FU016d",
        "UCSF-PDGM-0315": "UCSF-PDGM-0433_FU007d",
    }
    ucsf = read_manifest("ucsf_pdgm").set_index("subject")
    for visit in UCSF_SECOND_VISITS.values():
        first = visit.split("_")[0]
        both = ucsf.loc[[visit, first]]
        assert set(both["patient"]) == {first} and both["sex"].nunique() == both["idh"].nunique() == 1
        assert pd.to_numeric(both["age_years"]).diff().abs().max() <= 1


def test_facts_of_a_patient_are_those_of_the_first_visit_and_of_every_manifest():
    facts = shipped_facts()
    assert facts.index.is_unique and len(facts) == 901 + 630 + 495
    assert list(facts.columns) == [
        *("site", "idh", "idh_evidence", "grade", "age_years", "sex", "histology", "codeletion_1p19q", "mgmt"),
        *("who2021", "treated_before"),
    ]
    assert facts.notna().all(axis=None)
    first = read_manifest("upenn_gbm").assign(treated_before="").set_index("subject")
    first = first.loc["UPENN-GBM-00042_11", facts.columns]
    assert facts.loc["UPENN-GBM-00042"].equals(first.rename("UPENN-GBM-00042"))
    made = with_facts(pd.Series(["b", "a", "c"]), pd.Series(["UPENN-GBM-00042", "TCGA-06-0221", "x"]), "mine", facts)
    assert made["subject"].tolist() == ["a", "b", "c"] and set(made["cohort"]) == {"mine"}
    assert made.loc[0, facts.columns].tolist() == facts.loc["TCGA-06-0221"].tolist()
    assert made.loc[1, facts.columns].tolist() == first.tolist() and (made.loc[2, facts.columns] == "").all()


def test_a_manifest_s_columns_stay_with_their_subjects():
    """Series of another order than the ids are joined by their index."""
    ids = pd.Series(["s2", "s1"], index=[2, 3])
    made = make_manifest(
        ids, ids, "c", idh=pd.Series(["1", "0"], index=[2, 3])[::-1], has_x=pd.Series(["y", "n"], [3, 2])
    )
    assert made[["subject", "idh", "has_x", "site"]].to_numpy().tolist() == [["s1", "0", "y", ""], ["s2", "1", "n", ""]]


def test_availability_is_joined_by_id_whatever_the_order_of_the_sheet(tmp_path):
    (tmp_path / "a.csv").write_text(UPENN + "UPENN-GBM-00002_11,M,60,Mutated\n")
    header = AVAILABLE.splitlines()[0] + "\n"
    rows = "UPENN-GBM-00002_11,not available,available,-,Available\nUPENN-GBM-00001_11,available,,available,\n"
    (tmp_path / "b.csv").write_text(header + rows)
    made = upenn_manifest(tmp_path / "a.csv", tmp_path / "b.csv")
    columns = [
        "subject",
        "idh",
        "sex",
        "age_years",
        "grade",
        "has_dsc",
        "has_dti",
        "has_automatic_mask",
        "has_corrected_mask",
    ]
    assert made[columns].to_numpy().tolist() == [
        ["UPENN-GBM-00001_11", "0", "F", "50", "4", "1", "0", "1", "0"],
        ["UPENN-GBM-00002_11", "1", "M", "60", "4", "0", "1", "0", "1"],
    ]


def test_brats2020_has_word_former_ids_and_site_of_its_sheet(tmp_path):
    columns = "BraTS_2018_subject_ID,Grade,BraTS_2017_subject_ID,TCGA_TCIA_subject_ID,BraTS_2019_subject_ID"
    columns += ",BraTS_2020_subject_ID"
    rows = "B18,LGG,B17,TCGA-HT-A61A,B19,BraTS20_Training_002\nNA,HGG,NA,NA,C19,BraTS20_Training_001\n"
    rows += "NA,HGG,NA,TCGA-XX-0000,NA,BraTS20_Training_003\n"
    (tmp_path / "a.csv").write_text(f"{columns}\n{rows}")
    made = brats2020_manifest(tmp_path / "a.csv", read_manifest("tcga")).set_index("subject")
    aliases = ["brats2017_subject", "brats2018_subject", "brats2019_subject"]
    assert made[["patient", "brats_grade", "grade", "age_years", "site", *aliases]].to_numpy().tolist() == [
        ["BraTS20_Training_001", "HGG", "", "", "", "", "", "C19"],
        ["TCGA-HT-A61A", "LGG", "2", "20", "HT", "B17", "B18", "B19"],
        ["TCGA-XX-0000", "HGG", "", "", "XX", "", "", ""],
    ]
    reasons = made["idh_evidence"].tolist()
    assert reasons[0] == "not a TCGA patient" and reasons[2] == "patient is in no variant table"
    assert (
        made.loc["BraTS20_Training_002", "idh"] == read_manifest("tcga").set_index("patient").loc["TCGA-HT-A61A", "idh"]
    )
    only = tcga_subjects(made.reset_index())
    assert only["patient"].tolist() == ["TCGA-HT-A61A", "TCGA-XX-0000"] and set(only["cohort"]) == {"brats2020-tcga"}


UPENN = "ID,Gender,Age_at_scan_years,IDH1\nUPENN-GBM-00001_11,F,50,Wildtype\n"
AVAILABLE = "ID,DSC imaging,DTI imaging,Automatic Tumor Segmentation,Corrected Tumor Segmentation\n"
AVAILABLE += "UPENN-GBM-00001_11,available,,,\n"


@pytest.mark.parametrize(
    ("clinical", "availability", "match"),
    [
        (UPENN.replace("Gender", "Sex"), AVAILABLE, "a.csv: expected the columns Gender; found columns ID, Sex"),
        (UPENN + "UPENN-GBM-00001_21,F,51,Mutated\n", AVAILABLE, "same scans in both sheets"),
        (UPENN, AVAILABLE.replace("1_11,available", "1_11,perhaps"), "found 'perhaps' in row 2, column DSC imaging"),
        (UPENN.replace("Wildtype", "wild?"), AVAILABLE, "found 'wild[?]' in row 2, column IDH1"),
        (UPENN.replace("UPENN-GBM-00001_11", "1.0"), AVAILABLE, "found '1.0' in row 2, column ID. A spreadsheet"),
        (UPENN + "UPENN-GBM-00001_11,F,50,Mutated\n", AVAILABLE, "other than that of row 2; found 'UPENN-G"),
        (UPENN.replace(",F,", ",X,"), AVAILABLE, "expected sex as F or M, or empty; found 'X' in row 2, column Gender"),
        (UPENN, AVAILABLE + "UPENN-GBM-00002_11,available,,,\n", "expected the same scans in both sheets; found UPENN"),
        (UPENN, AVAILABLE.replace("DSC", "ASL"), "b.csv: expected the columns DSC imaging"),
    ],
)
def test_sheets_that_cannot_be_used(tmp_path, clinical, availability, match):
    (tmp_path / "a.csv").write_text(clinical)
    (tmp_path / "b.csv").write_text(availability)
    with pytest.raises(InputError, match=match):
        upenn_gbm(tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_one_patient_has_one_status_and_one_row_an_exam(tmp_path):
    (tmp_path / "a.csv").write_text(UPENN + "UPENN-GBM-00001_21,F,51,Mutated\n")
    with pytest.raises(
        InputError, match="UPENN-GBM-00001: expected one IDH status per patient; found both, for UPENN-G"
    ):
        upenn_manifest(tmp_path / "a.csv")
    header = "ID,Sex,Age at MRI,WHO CNS Grade,IDH\n"
    (tmp_path / "a.csv").write_text(header + "UCSF-PDGM-004,M,66,4,wildtype\nUCSF-PDGM-0004,M,66,4,IDH1 p.R132H\n")
    with pytest.raises(InputError, match="UCSF-PDGM-0004: expected one row per subject; found two rows"):
        ucsf_manifest(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text(header + "UCSF-PDGM-0433_FU007d,M,65,4,wildtype\nUCSF-PDGM-433,M,65,4,wildtype\n")
    assert ucsf_manifest(tmp_path / "a.csv")["patient"].tolist() == ["UCSF-PDGM-0433"] * 2


def test_mgmt_and_1p19q_are_read_where_their_sheet_has_them(tmp_path):
    header = "ID,Sex,Age at MRI,WHO CNS Grade,IDH,MGMT status,1p/19q,Final pathologic diagnosis (WHO 2021)\n"
    cells = ["positive,Co-deletion,A", "negative,intact,B", "indeterminate,relative co-deletion,C", ",,"]
    rows = [f"UCSF-PDGM-{number:03},F,50,2,wildtype,{cell}\n" for number, cell in enumerate(cells, 1)]
    (tmp_path / "a.csv").write_text(header + "".join(rows))
    made = ucsf_manifest(tmp_path / "a.csv")[["mgmt", "codeletion_1p19q", "who2021"]].to_numpy().tolist()
    assert made == [["methylated", "codeleted", "A"], ["unmethylated", "intact", "B"], ["", "", "C"], ["", "", ""]]
    (tmp_path / "a.csv").write_text(header + rows[0].replace("Co-deletion", "lost"))
    with pytest.raises(InputError, match="or empty; found 'lost' in row 2, column 1p/19q"):
        ucsf_manifest(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text(UPENN.replace("IDH1\n", "IDH1,MGMT\n").replace("Wildtype", "Wildtype,Unmethylated"))
    assert upenn_manifest(tmp_path / "a.csv")["mgmt"].tolist() == ["unmethylated"]
    (tmp_path / "a.csv").write_text((tmp_path / "a.csv").read_text().replace("Unmethylated", "perhaps"))
    with pytest.raises(InputError, match="or empty; found 'perhaps' in row 2, column MGMT"):
        upenn_manifest(tmp_path / "a.csv")


def test_a_brats_subject_of_two_patients_is_an_error(tmp_path):
    rows = "Grade,TCGA_TCIA_subject_ID,BraTS_2020_subject_ID\nHGG,TCGA-02-0006,BraTS20_Training_001\n"
    (tmp_path / "a.csv").write_text(rows + "HGG,TCGA-02-0009,BraTS20_Training_001\n")
    with pytest.raises(InputError, match="other than that of row 2; found 'BraTS20_Training_001' in row 3"):
        brats2020_manifest(tmp_path / "a.csv", read_manifest("tcga"))


def test_one_subject_has_what_its_sheet_says():
    upenn = read_manifest("upenn_gbm").set_index("subject").loc["UPENN-GBM-00001_11"]
    assert upenn.to_dict() == {
        "patient": "UPENN-GBM-00001",
        "cohort": "upenn-gbm",
        "site": "UPENN",
        "idh": "0",
        "idh_evidence": "IDH1 Wildtype",
        "grade": "4",
        "age_years": "52.16",
        "sex": "F",
        "histology": "glioblastoma",
        "codeletion_1p19q": "",
        "mgmt": "",
        "who2021": "",
        "has_dsc": "1",
        "has_dti": "1",
        "has_automatic_mask": "1",
        "has_corrected_mask": "1",
    }
    ucsf = read_manifest("ucsf_pdgm").set_index("subject")
    assert ucsf.loc["UCSF-PDGM-0433_FU007d", ["patient", "brats2021_subject"]].tolist() == [
        "UCSF-PDGM-0433",
        "BraTS2021_00758",
    ]
    assert pd.to_numeric(ucsf["age_years"]).between(17, 94).all()
    facts, cell = (
        ["idh", "grade", "codeletion_1p19q", "mgmt", "who2021"],
        "Oligodendroglioma, IDH-mutant, 1p/19q-codeleted",
    )
    assert ucsf.loc["UCSF-PDGM-0540", facts].tolist() == ["1", "2", "codeleted", "methylated", cell]
    assert ucsf.loc["UCSF-PDGM-0535", facts].tolist() == ["1", "3", "", "", cell]  # "relative co-deletion"
