"""Public cohorts in small trees with the official names: each trap of their layouts and sheets."""

import json
import re

import pandas as pd
import pytest

from glioma_idh import cohorts
from glioma_idh.cohorts import PUBLIC, find_planted_scores, public_cohort, title
from glioma_idh.cohorts.table import PATHS, check_labels
from glioma_idh.errors import InputError


def touch(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


def names(table, subject, *columns):
    """File names of a subject's images, relative to nothing."""
    row = table.set_index("subject").loc[subject]
    return [row[column].rsplit("/", 1)[-1] for column in columns]


FOUR = ("t1", "t1gd", "t2", "flair")


@pytest.mark.parametrize("name", PUBLIC)
def test_the_example_of_a_layout_is_found_by_it(tmp_path, name):
    touch(tmp_path, public_cohort(name).layout.example.replace("_001", "_162"))
    table, ignored = cohorts.read(name, tmp_path)
    assert (table["t1gd"] != "").sum() == 1 and ignored == []
    assert set(table["cohort"]) == {name}


@pytest.mark.parametrize("name", PUBLIC)
def test_the_registry_gives_each_cohort_a_title_and_its_command(name):
    assert title(name) == public_cohort(name).title != ""
    command = public_cohort(name).command
    shipped = {"brats2020-tcga": "brats2020_tcga", "upenn-gbm": "upenn_gbm", "ucsf-pdgm": "ucsf_pdgm"}
    assert (command.__name__ if command else None) == shipped.get(name)


def test_titles_of_what_is_no_public_cohort():
    assert [title(name) for name in ("phantom", "folders", "csv")] == [
        "the built-in synthetic phantom",
        "a local cohort",
        "a local cohort",
    ]
    assert title("mine.csv") == title("") == ""


def test_the_package_has_no_other_public_names():
    with pytest.raises(AttributeError, match="has no attribute 'read_cohorts'"):
        cohorts.read_cohorts  # noqa: B018


FILES = {  # what each collection calls its images, as downloaded
    "brats2020": (
        "BraTS20_Training_162/BraTS20_Training_162_{}.nii.gz",
        {"t1": "t1", "t1gd": "t1ce", "t2": "t2", "flair": "flair", "lesion_mask": "seg"},
    ),
    "brats2021": (
        "BraTS2021_00097/BraTS2021_00097_{}.nii.gz",
        {"t1": "t1", "t1gd": "t1ce", "t2": "t2", "flair": "flair", "lesion_mask": "seg"},
    ),
    "brats2023": (
        "BraTS-GLI-00005-000/BraTS-GLI-00005-000-{}.nii.gz",
        {"t1": "t1n", "t1gd": "t1c", "t2": "t2w", "flair": "t2f", "lesion_mask": "seg"},
    ),
    "upenn-gbm": (
        "UPENN-GBM-00001_11_{}.nii.gz",
        {"t1": "T1", "t1gd": "T1GD", "t2": "T2", "flair": "FLAIR", "rcbv": "DSC_ap-rCBV", "adc": "DTI_TR"}
        | {"lesion_mask": "segm"},
    ),
    "ucsf-pdgm": (
        "UCSF-PDGM-0004_nifti/UCSF-PDGM-0004_{}.nii.gz",
        {"t1": "T1", "t1gd": "T1c", "t2": "T2", "flair": "FLAIR", "adc": "ADC", "lesion_mask": "tumor_segmentation"}
        | {"brain_mask": "brain_segmentation"},
    ),
    "egd": (
        "SUBJECTS/EGD-0001/{}.nii.gz",
        {"t1": "T1", "t1gd": "T1GD", "t2": "T2", "flair": "FLAIR", "lesion_mask": "MASK"},
    ),
    "tcga": (
        "TCGA-06-0221/TCGA-06-0221_2005.01.01_{}.nii.gz",
        {"t1": "t1", "t1gd": "t1Gd", "t2": "t2", "flair": "flair", "lesion_mask": "GlistrBoost_ManuallyCorrected"},
    ),
}
FILES["brats2020-tcga"] = FILES["brats2020"]


@pytest.mark.parametrize("name", PUBLIC)
def test_each_file_stands_in_the_column_of_its_sequence(tmp_path, name):
    pattern, official = FILES[name]
    others = ("DSC_PSR", "DSC_PH", "DTI_FA", "DTI_AD", "automated_approx_segm", "GlistrBoost", "ASL", "SWI", "T1_bias")
    touch(tmp_path, *(pattern.format(word) for word in (*official.values(), *others)))
    table, _ = cohorts.read(name, tmp_path)
    row = table[(table[list(PATHS)] != "").any(axis=1)].iloc[0]
    expected = {column: str(tmp_path / pattern.format(word)) for column, word in official.items()}
    assert row[list(PATHS)].to_dict() == dict.fromkeys(PATHS, "") | expected
    assert row["adc_divisor"] == ("3" if name == "upenn-gbm" else "")  # its ADC is the trace of the tensor
    assert table.attrs["file"] == str(tmp_path)


@pytest.mark.parametrize(
    ("column", "words"), [("t2", ("T2", "T2_bias")), ("flair", ("FLAIR", "T2FLAIR", "FLAIR_bias"))]
)
def test_the_best_of_several_files_of_ucsf(tmp_path, column, words):
    for number, word in enumerate(words[::-1]):
        touch(tmp_path, *(f"UCSF-PDGM-{n:04}_nifti/UCSF-PDGM-{n:04}_{word}.nii.gz" for n in range(4, 5 + number)))
    table, _ = cohorts.read("ucsf-pdgm", tmp_path)
    assert names(table, "UCSF-PDGM-0004", column) == [f"UCSF-PDGM-0004_{words[0]}.nii.gz"]


def test_paths_are_absolute_where_the_folder_is_named_from_here(tmp_path, monkeypatch):
    touch(tmp_path, "down/SUBJECTS/EGD-0001/T2.nii.gz")
    monkeypatch.chdir(tmp_path)
    table, _ = cohorts.read("egd", "down")
    assert table["t2"].tolist() == [str(tmp_path / "down/SUBJECTS/EGD-0001/T2.nii.gz")]


def test_of_two_copies_the_packed_and_then_the_less_deep_is_taken(tmp_path):
    start = "BraTS20_Training_162"
    touch(tmp_path, f"a/b/{start}_t2.nii.gz", f"z/{start}_t2.nii.gz", f"{start}_t1.nii", f"a/b/c/{start}_t1.nii.gz")
    table, ignored = cohorts.read("brats2020-tcga", tmp_path)
    row = table.set_index("subject").loc[start]
    assert row["t2"] == str(tmp_path / f"z/{start}_t2.nii.gz") and row["t1"] == str(
        tmp_path / f"a/b/c/{start}_t1.nii.gz"
    )
    assert {(item.what, item.reason) for item in ignored} == {
        (f"a/b/{start}_t2.nii.gz", f"{start}_t2.nii.gz is used instead"),
        (f"{start}_t1.nii", f"{start}_t1.nii.gz is used instead"),
    }


def test_the_paper_s_cohort_says_whom_it_leaves_out(tmp_path):
    touch(tmp_path, *(f"a/BraTS20_Training_{n}_t2.nii.gz" for n in ("001", "162")), "a/BraTS20_Training_162_x.nii.gz")
    table, ignored = cohorts.read("brats2020-tcga", tmp_path)
    assert (table["t2"] != "").sum() == 1
    assert ignored == [
        ("a/BraTS20_Training_162_x.nii.gz", "not used: x"),
        ("BraTS20_Training_001", "not a TCGA patient"),
    ]


def test_second_visits_are_left_out_with_the_crosswalk_too(tmp_path):
    touch(tmp_path, *(f"BraTS2021_{n}/BraTS2021_{n}_t2.nii.gz" for n in ("00097", "00758")))
    sheet = crosswalk(tmp_path, ("UCSF-PDGM", 18, "315", "BraTS2021_00758"), ("UCSF-PDGM", 18, "4", "BraTS2021_00097"))
    table, ignored = cohorts.read("brats2021", tmp_path, sheet)
    assert table[["subject", "patient"]].to_numpy().tolist() == [["BraTS2021_00097", "UCSF-PDGM-0004"]]
    assert [item.what for item in ignored] == ["BraTS2021_00758"]


def test_patients_of_the_crosswalk_have_one_name_across_collections(tmp_path):
    touch(tmp_path, *(f"BraTS2021_9000{n}/BraTS2021_9000{n}_t2.nii.gz" for n in range(3)))
    sheet = crosswalk(
        tmp_path,
        ("ACRIN-FMISO", 3, "ACRIN-007", "BraTS2021_90000"),
        ("CPTAC", 2, "N/A", "BraTS2021_90001"),
        ("TCGA-LGG", 2, "TCGA-HT-A61A-01", "BraTS2021_90002"),
    )
    table, _ = cohorts.read("brats2021", tmp_path, sheet)
    assert table["patient"].tolist() == ["ACRIN-007", "BraTS2021_90001", "TCGA-HT-A61A"]
    assert table["idh"].tolist()[:2] == ["", ""] and table["idh"].tolist()[2] in ("0", "1")


def test_follow_ups_of_upenn_can_be_taken_and_share_their_patient(tmp_path):
    upenn_tree(tmp_path)
    every, ignored = cohorts.read("upenn-gbm", tmp_path, all_visits=True)
    there = every[every["t1"] != ""].set_index("subject")["patient"]
    assert there.to_dict() == {
        "UPENN-GBM-00001_11": "UPENN-GBM-00001",
        "UPENN-GBM-00042_11": "UPENN-GBM-00042",
        "UPENN-GBM-00042_21": "UPENN-GBM-00042",
    }
    assert not any("follow-up" in item.reason for item in ignored)


def test_other_labels_keep_nothing_of_the_former_ones(tmp_path):
    (tmp_path / "a.csv").write_text("subject,idh,idh_evidence,age_years\nx,0,old x,50\ny,1,old y,60\nz,1,old z,70\n")
    (tmp_path / "b.csv").write_text("subject,idh,idh_evidence\nz,0,new z\nx,1,new x\nw,1,new w\n")
    table, ignored = cohorts.read(str(tmp_path / "a.csv"), labels=tmp_path / "b.csv")
    assert table[["subject", "idh", "idh_evidence", "age_years"]].to_numpy().tolist() == [
        ["x", "1", "new x", "50"],
        ["y", "", "", "60"],
        ["z", "0", "new z", "70"],
    ]
    assert ignored == [("w", "a label without images")]


def test_relative_paths_of_a_cohort_csv_start_at_the_folder_of_images(tmp_path):
    (tmp_path / "a.csv").write_text("subject,idh,t2\nx,0,x/t2.nii\n")
    table, ignored = cohorts.read(str(tmp_path / "a.csv"), tmp_path / "images")
    assert table["t2"].tolist() == [str(tmp_path / "images/x/t2.nii")] and ignored == []


def test_the_phantom_is_made_as_asked_for(tmp_path, monkeypatch):
    asked = {}
    (tmp_path / "cohort.csv").write_text("subject,idh\nx,0\n")
    monkeypatch.setattr("glioma_idh.phantom.make_phantom", lambda **to: asked.update(to) or tmp_path / "cohort.csv")
    table, ignored = cohorts.read(
        "phantom", sequences=["t2", "adc"], phantom={"num_subjects": 7, "seed": 3}, quiet=True
    )
    assert asked == {"sequences": ("t2", "adc"), "num_subjects": 7, "seed": 3, "quiet": True}
    assert table["subject"].tolist() == ["x"] and ignored == []


def test_planted_scores_stand_in_the_order_of_the_table_and_for_the_phantom_alone(tmp_path):
    truth = {
        "subject": ["p1", "p2", "p3"],
        "z_t2": [1.0, 2.0, 3.0],
        "d_t2": [2.0] * 3,
        "z_t1": [5.0] * 3,
        "d_t1": [1.0] * 3,
    }
    pd.DataFrame(truth).to_csv(tmp_path / "truth.csv", index=False)
    rows = [{"subject": s, "cohort": "phantom", "t2": str(tmp_path / s / "t2.nii.gz")} for s in ("p3", "p1")]
    table = pd.DataFrame(rows)
    assert find_planted_scores(table, ["t2"]).to_dict() == {"p3": 6.0, "p1": 2.0}
    assert find_planted_scores(table, ["t2", "t1"]).to_dict() == {"p3": 11.0, "p1": 7.0}
    assert find_planted_scores(table.assign(cohort=["phantom", "mine"]), ["t2"]) is None
    (tmp_path / "truth.csv").unlink()
    assert find_planted_scores(table, ["t2"]) is None


@pytest.mark.parametrize("name", PUBLIC)
def test_a_folder_without_a_subject_says_what_was_looked_for_and_what_is_there(tmp_path, name):
    touch(tmp_path, "download.zip", "other/scan.nii.gz")
    with pytest.raises(InputError, match=r"expected files such as .*nii.gz; found only download.zip, other. Give"):
        cohorts.read(name, tmp_path)
    with pytest.raises(InputError, match="found no such folder"):
        cohorts.read(name, tmp_path / "nowhere")


def test_brats2020_all_of_it(tmp_path):
    for subject in ("001", "162", "355"):
        for scan in ("t1", "t1ce", "t2", "flair"):
            touch(tmp_path, f"train/BraTS20_Training_{subject}/BraTS20_Training_{subject}_{scan}.nii")
    touch(tmp_path, "train/BraTS20_Training_162/BraTS20_Training_162_seg.nii.gz")
    touch(tmp_path, "train/BraTS20_Training_355/W39_1998.09.19_Segm.nii")
    mapping = "Grade,TCGA_TCIA_subject_ID,BraTS_2020_subject_ID\nHGG,NA,BraTS20_Training_001\n"
    mapping += "HGG,TCGA-02-0006,BraTS20_Training_162\nHGG,NA,BraTS20_Training_355\n"
    (tmp_path / "train/name_mapping.csv").write_text(mapping)
    table, ignored = cohorts.read("brats2020", tmp_path)
    assert names(table, "BraTS20_Training_162", "t1gd", "lesion_mask") == [
        "BraTS20_Training_162_t1ce.nii",
        "BraTS20_Training_162_seg.nii.gz",
    ]
    assert names(table, "BraTS20_Training_355", "lesion_mask") == ["W39_1998.09.19_Segm.nii"]
    assert table["patient"].tolist() == ["BraTS20_Training_001", "TCGA-02-0006", "BraTS20_Training_355"]
    assert table["idh_evidence"].tolist()[0] == "not a TCGA patient" and ignored == []
    assert table["brats_grade"].tolist() == ["HGG"] * 3 and table["grade"].tolist() == [""] * 3


def test_brats2020_without_its_mapping_still_knows_tcga_patients(tmp_path):
    touch(tmp_path, "BraTS20_Training_001/BraTS20_Training_001_t2.nii.gz")
    table, _ = cohorts.read("brats2020", tmp_path)
    known = table.set_index("subject")
    assert known.loc["BraTS20_Training_001", "idh_evidence"] == "not in the label sheet"
    assert known.loc["BraTS20_Training_335", "idh"] in ("0", "1")


def test_the_paper_s_cohort_leaves_other_hospitals_out(tmp_path):
    touch(tmp_path, "a/BraTS20_Training_001_t2.nii.gz", "a/BraTS20_Training_162_t2.nii.gz")
    table, _ = cohorts.read("brats2020-tcga", tmp_path)
    assert len(table) == 167 and "BraTS20_Training_001" not in set(table["subject"])
    usable, errors = check_labels(table)
    assert len(usable) == 121 and usable["idh"].sum() == 56 and len(errors) == 46
    assert "in no variant table" in errors[0].advice


def crosswalk(folder, *rows):
    columns = [
        "Data Collection (as on TCIA+additional)",
        "Site ID",
        "PatientID on TCIA Radiology Portal",
        "BraTS2021 ID",
    ]
    path = folder / "BraTS2021_MappingToTCIA.xlsx"
    pd.DataFrame(rows, columns=columns).to_excel(path, index=False)
    return path


def test_brats2021_through_the_crosswalk(tmp_path):
    touch(tmp_path, *(f"BraTS2021_9000{n}/BraTS2021_9000{n}_t1ce.nii.gz" for n in range(5)))
    sheet = crosswalk(
        tmp_path,
        ("TCGA-GBM", 4, "TCGA-06-0221", "BraTS2021_90000"),
        ("UCSF-PDGM", 18, "315", "BraTS2021_90001"),
        ("UPENN-GBM", 1, "UPENN-GBM-00042_11", "BraTS2021_90002"),
        ("Collection 5", 7, "new-not-previously-in-TCIA", "BraTS2021_90003"),
        ("TCGA-GBM", 4, "TCGA-06-0222", ""),
    )
    table, _ = cohorts.read("brats2021", tmp_path, sheet)
    assert table["patient"].tolist() == [
        "TCGA-06-0221",
        "UCSF-PDGM-0433",  # exam 315 is a second visit of 433
        "UPENN-GBM-00042",
        "BraTS2021_90003",
        "BraTS2021_90004",
    ]
    assert table["idh"].tolist() == ["1", "0", "0", "", ""]
    assert table["idh_evidence"].tolist()[4] == "not in the label sheet"
    assert table.loc[1, ["grade", "age_years", "sex"]].tolist() == ["4", "65", "M"]


@pytest.mark.parametrize(("number", "patient"), [("315.0", "UCSF-PDGM-0433"), ("UCSF-PDGM-315", "UCSF-PDGM-0433")])
def test_numbers_of_ucsf_in_the_crosswalk(tmp_path, number, patient):
    touch(tmp_path, "BraTS2021_90000/BraTS2021_90000_t2.nii.gz")
    sheet = crosswalk(tmp_path, ("UCSF-PDGM", 18, number, "BraTS2021_90000"))
    assert cohorts.read("brats2021", tmp_path, sheet)[0]["patient"].tolist() == [patient]
    sheet = crosswalk(tmp_path, ("UPENN-GBM", 18, "42", "BraTS2021_90000"))
    with pytest.raises(InputError, match="expected an id of UPENN-GBM; found '42' in row 2, column PatientID on TCIA"):
        cohorts.read("brats2021", tmp_path, sheet)


def test_brats2021_second_visits_are_left_out(tmp_path):
    touch(tmp_path, *(f"x/BraTS2021_{number}_t2.nii.gz" for number in ("00626", "00758")))
    table, ignored = cohorts.read("brats2021", tmp_path)
    assert table[table["t2"] != ""]["subject"].tolist() == ["BraTS2021_00626"]
    assert ignored[0] == ("BraTS2021_00758", "a follow-up visit; use --all-visits to include it")
    every, _ = cohorts.read("brats2021", tmp_path, all_visits=True)
    assert every[every["t2"] != ""]["patient"].tolist() == ["UCSF-PDGM-0433"] * 2


def test_brats2021_without_the_crosswalk_knows_ucsf(tmp_path):
    touch(tmp_path, "BraTS2021_00097/BraTS2021_00097_flair.nii.gz")
    table, _ = cohorts.read("brats2021", tmp_path)
    row = table.set_index("subject").loc["BraTS2021_00097"]
    assert (row["patient"], row["idh"]) == ("UCSF-PDGM-0004", "0") and row["flair"]


def test_two_rows_of_one_brats2021_id_are_an_error(tmp_path):
    touch(tmp_path, "BraTS2021_00000/BraTS2021_00000_t2.nii.gz")
    sheet = crosswalk(
        tmp_path, ("a", 1, "TCGA-06-0221", "BraTS2021_00000"), ("b", 1, "TCGA-06-0222", "BraTS2021_00000")
    )
    with pytest.raises(InputError, match="other than that of row 2; found 'BraTS2021_00000' in row 3"):
        cohorts.read("brats2021", tmp_path, sheet)


def test_brats2023_visits_and_own_labels(tmp_path):
    for visit in ("00005-000", "00005-001", "00008-000", "00009-201"):
        touch(
            tmp_path, *(f"BraTS-GLI-{visit}/BraTS-GLI-{visit}-{s}.nii.gz" for s in ("t1n", "t1c", "t2w", "t2f", "seg"))
        )
    (tmp_path / "mine.csv").write_text("subject,idh\nBraTS-GLI-00008-000,mutant\n")
    table, ignored = cohorts.read("brats2023", tmp_path, tmp_path / "mine.csv")
    assert table["subject"].tolist() == ["BraTS-GLI-00008-000", "BraTS-GLI-00005-000"]
    assert table["idh"].tolist() == ["1", ""]
    assert [item.what for item in ignored] == ["BraTS-GLI-00005-001", "BraTS-GLI-00009-201"]
    every, _ = cohorts.read("brats2023", tmp_path, all_visits=True)
    assert len(every) == 4 and every["patient"].nunique() == 3
    assert names(every, "BraTS-GLI-00005-001", *FOUR) == [
        f"BraTS-GLI-00005-001-{scan}.nii.gz" for scan in ("t1n", "t1c", "t2w", "t2f")
    ]


def upenn_tree(folder):
    for subject in ("UPENN-GBM-00001_11", "UPENN-GBM-00042_11", "UPENN-GBM-00042_21"):
        for scan in ("T1", "T1GD", "T2", "FLAIR"):
            touch(folder, f"images_structural/{subject}/{subject}_{scan}.nii.gz")
        touch(folder, f"automated_segm/{subject}_automated_approx_segm.nii.gz")
        touch(folder, *(f"images_DTI/{subject}/{subject}_DTI_{scan}.nii.gz" for scan in ("AD", "FA", "RD", "TR")))
    touch(folder, "images_segm/UPENN-GBM-00001_11_segm.nii.gz")
    touch(
        folder, *(f"images_DSC/UPENN-GBM-00001_11/UPENN-GBM-00001_11_DSC_{s}.nii.gz" for s in ("ap-rCBV", "PH", "PSR"))
    )
    touch(folder, "images_structural/UPENN-GBM-00001_11/._UPENN-GBM-00001_11_T1.nii.gz")


def test_upenn_masks_visits_rcbv_and_trace(tmp_path):
    upenn_tree(tmp_path)
    table, ignored = cohorts.read("upenn-gbm", tmp_path)
    there = table[table["t1"] != ""]
    assert there["subject"].tolist() == ["UPENN-GBM-00001_11", "UPENN-GBM-00042_11"]
    assert names(there, "UPENN-GBM-00001_11", "rcbv", "adc", "lesion_mask") == [
        "UPENN-GBM-00001_11_DSC_ap-rCBV.nii.gz",
        "UPENN-GBM-00001_11_DTI_TR.nii.gz",
        "UPENN-GBM-00001_11_segm.nii.gz",
    ]
    assert names(there, "UPENN-GBM-00042_11", "lesion_mask") == ["UPENN-GBM-00042_11_automated_approx_segm.nii.gz"]
    assert set(there["adc_divisor"]) == {"3"} and set(table["adc_divisor"]) == {"3", ""}
    reasons = {item.what.rsplit("/")[-1]: item.reason for item in ignored}
    assert not any("._" in what or "__MACOSX" in what for what in reasons)  # shadows that systems leave
    assert reasons["UPENN-GBM-00042_21"] == "a follow-up visit; use --all-visits to include it"
    assert reasons["UPENN-GBM-00001_11_DSC_PH.nii.gz"] == "not used: DSC_PH"
    automatic = "UPENN-GBM-00001_11_automated_approx_segm.nii.gz"
    assert reasons[automatic] == "UPENN-GBM-00001_11_segm.nii.gz is used instead"
    assert len(table) == 611 and len(cohorts.read("upenn-gbm", tmp_path, all_visits=True)[0]) == 671


def test_upenn_sheet(tmp_path):
    upenn_tree(tmp_path)
    header = "ID,Gender,Age_at_scan_years,IDH1\n"
    sheet = tmp_path / "UPENN-GBM_clinical_info_v2.1.csv"
    sheet.write_text(header + "UPENN-GBM-00001_11,F,52.16,Mutated\nUPENN-GBM-00042_11,M,Not Available,NOS/NEC\n")
    table, _ = cohorts.read("upenn-gbm", tmp_path, sheet)
    assert table["idh"].tolist() == ["1", ""] and table["age_years"].tolist() == ["52.16", ""]
    assert table["idh_evidence"].tolist() == ["IDH1 Mutated", "IDH1 NOS/NEC"]
    sheet.write_text(header.replace("IDH1", "Status") + "UPENN-GBM-00001_11,F,52.16,Mutated\n")
    expected = "ID and Gender and Age_at_scan_years and IDH1 of the sheet as downloaded, or subject and idh"
    with pytest.raises(InputError, match=f"columns {expected}; found columns ID, Gender, Age_at_scan_years, Status"):
        cohorts.read("upenn-gbm", tmp_path, sheet)


def test_ucsf_ids_follow_ups_and_bias_corrected_images(tmp_path):
    touch(tmp_path, "UCSF-PDGM-0004_nifti/UCSF-PDGM-0004_nifti/UCSF-PDGM-0004_T1c.nii.gz")  # a doubled folder
    touch(tmp_path, "UCSF-PDGM-0004_nifti/UCSF-PDGM-0004_nifti/UCSF-PDGM-0004_T1c_bias.nii.gz")
    touch(tmp_path, "UCSF-PDGM-0005_nifti/UCSF-PDGM-0005_T1c_bias.nii.gz")
    touch(tmp_path, *(f"UCSF-PDGM-0004_nifti/UCSF-PDGM-0004_{s}.nii.gz" for s in ("ADC", "ASL", "SWI")))
    touch(tmp_path, "UCSF-PDGM-0004_nifti/UCSF-PDGM-0004_tumor_segmentation.nii.gz")
    touch(tmp_path, "UCSF-PDGM-0004_nifti/UCSF-PDGM-0004_brain_segmentation.nii.gz")
    touch(
        tmp_path,
        "UCSF-PDGM-0315_nifti/UCSF-PDGM-0315_T2.nii.gz",
        "UCSF-PDGM-0391_FU016d_nifti/UCSF-PDGM-0391_FU016d_T2.nii.gz",
    )
    table, ignored = cohorts.read("ucsf-pdgm", tmp_path)
    assert names(table, "UCSF-PDGM-0004", "t1gd", "adc", "rcbv") == [
        "UCSF-PDGM-0004_T1c.nii.gz",
        "UCSF-PDGM-0004_ADC.nii.gz",
        "",
    ]
    assert names(table, "UCSF-PDGM-0004", "brain_mask") == ["UCSF-PDGM-0004_brain_segmentation.nii.gz"]
    assert names(table, "UCSF-PDGM-0005", "t1gd") == ["UCSF-PDGM-0005_T1c_bias.nii.gz"]
    assert len(table) == table["patient"].nunique() == 495
    reasons = {item.what: item.reason for item in ignored}
    assert (
        reasons["UCSF-PDGM-0433_FU007d"]
        == reasons["UCSF-PDGM-0391_FU016d"]
        == "a follow-up visit; use --all-visits to include it"
    )
    every, _ = cohorts.read("ucsf-pdgm", tmp_path, all_visits=True)
    patients = every.set_index("subject")["patient"]
    assert len(every) == 501 and patients["UCSF-PDGM-0433_FU007d"] == "UCSF-PDGM-0433"
    assert names(every, "UCSF-PDGM-0433_FU007d", "t2") == ["UCSF-PDGM-0315_T2.nii.gz"]


def test_egd_from_the_json_beside_the_scans_and_from_the_sheet(tmp_path):
    for subject, idh in (("EGD-0001", 1), ("EGD-0002", -1)):
        touch(tmp_path, *(f"SUBJECTS/{subject}/{scan}.nii.gz" for scan in ("T1", "T1GD", "T2", "FLAIR", "MASK")))
        labels = {"Genetic_and_Histological_labels": {"IDH": idh, "1p19q": 0, "Grade": 4}}
        labels["Clinical_data"] = {"Age": 61.0, "Sex": "F"}
        (tmp_path / f"SUBJECTS/{subject}/metadata.json").write_text(json.dumps(labels))
    table, _ = cohorts.read("egd", tmp_path)
    assert table["idh"].tolist() == ["1", ""] and table["grade"].tolist() == ["4", "4"]
    assert table["age_years"].tolist() == ["61.0", "61.0"] and set(table["sex"]) == {"F"}
    assert names(table, "EGD-0002", "t1gd", "lesion_mask") == ["T1GD.nii.gz", "MASK.nii.gz"]
    sheet = tmp_path / "Genetic_and_Histological_labels.xlsx"
    pd.DataFrame({"Subject": ["EGD-0001", "EGD-0002"], "1p19q": [0, 0], "IDH": [0, 1]}).to_excel(sheet, index=False)
    assert cohorts.read("egd", tmp_path, sheet)[0]["idh"].tolist() == ["0", "1"]
    (tmp_path / "SUBJECTS/EGD-0002/metadata.json").write_text("{}")
    with pytest.raises(InputError, match=r"EGD-0002: .*metadata.json: expected metadata of the EGD with an IDH label"):
        cohorts.read("egd", tmp_path)


def test_the_json_of_egd_belongs_to_its_folder_however_it_is_spelled(tmp_path):
    for subject, idh, file in (("egd-0002", 0, "Metadata.JSON"), ("EGD-0001", 1, "metadata.json")):
        touch(tmp_path, f"SUBJECTS/{subject}/T2.nii.gz")
        labels = {
            "Genetic_and_Histological_labels": {"IDH": idh, "Grade": 2 + idh},
            "Clinical_data": {"Sex": "FM"[idh]},
        }
        (tmp_path / f"SUBJECTS/{subject}/{file}").write_text(json.dumps(labels))
    table, _ = cohorts.read("egd", tmp_path)
    assert table[["subject", "idh", "grade", "sex", "age_years"]].to_numpy().tolist() == [
        ["EGD-0001", "1", "3", "M", ""],
        ["EGD-0002", "0", "2", "F", ""],
    ]


def test_bakas_corrected_masks_before_automatic_ones(tmp_path):
    start = "TCGA-06-0221/TCGA-06-0221_2005.01.01"
    touch(tmp_path, *(f"{start}_{scan}.nii.gz" for scan in ("t1", "t1Gd", "t2", "flair", "GlistrBoost")))
    touch(tmp_path, f"{start}_GlistrBoost_ManuallyCorrected.nii.gz")
    table, ignored = cohorts.read("tcga", tmp_path)
    row = table.set_index("subject").loc["TCGA-06-0221"]
    assert row["lesion_mask"].endswith("GlistrBoost_ManuallyCorrected.nii.gz") and row["idh"] == "1"
    assert [item.reason for item in ignored] == [
        "TCGA-06-0221_2005.01.01_GlistrBoost_ManuallyCorrected.nii.gz is used instead"
    ]


def test_links_are_followed_once_and_a_second_copy_is_said(tmp_path):
    touch(tmp_path, "a/BraTS20_Training_162/BraTS20_Training_162_t2.nii", "b/BraTS20_Training_162_t2.nii.gz")
    (tmp_path / "a/loop").symlink_to(tmp_path, target_is_directory=True)
    table, ignored = cohorts.read("brats2020-tcga", tmp_path)
    assert names(table, "BraTS20_Training_162", "t2") == ["BraTS20_Training_162_t2.nii.gz"]
    assert [item.what for item in ignored] == ["a/BraTS20_Training_162/BraTS20_Training_162_t2.nii"]


def test_scans_behind_a_link_are_found(tmp_path):
    touch(tmp_path, "disk/BraTS20_Training_162/BraTS20_Training_162_t2.nii.gz", "images/readme.txt")
    (tmp_path / "images/link").symlink_to(tmp_path / "disk", target_is_directory=True)
    table, _ = cohorts.read("brats2020-tcga", tmp_path / "images")
    assert names(table, "BraTS20_Training_162", "t2") == ["BraTS20_Training_162_t2.nii.gz"]


def test_every_real_subject_has_its_files(real_data):
    table, ignored = cohorts.read("brats2020-tcga", real_data / "brats20_mini")
    there = table[table["t1"] != ""]
    assert (there[[*FOUR, "lesion_mask"]] != "").all(axis=None) and len(there) == 121 and ignored == []
    assert (there["idh"] == "1").sum() == 56
    everyone, _ = cohorts.read("brats2020", real_data / "brats20_mini")
    assert len(everyone) == 369 and (everyone["idh"] != "").sum() == 121


def test_the_example_of_the_contributing_guide(tmp_path):
    """A new cohort is what CONTRIBUTING.md says it is: its code block is run here."""
    from pathlib import Path

    import glioma_idh.cohorts.folders as folders
    from glioma_idh.cohorts import cells, manifests, sheets

    guide = Path(__file__).parents[2] / "CONTRIBUTING.md"
    (block,) = re.findall(r"```python\n(LAYOUT = .*?)```", guide.read_text(), re.DOTALL)
    new = {**vars(folders), **vars(manifests), **vars(cells), **vars(sheets)}
    exec(block, new)
    touch(tmp_path, *(f"x/NEW-0001_v{visit}_{scan}.nii.gz" for visit in (1, 2) for scan in ("T1c", "seg")))
    (tmp_path / "sheet.csv").write_text("ID,IDH\nNEW-0001_v1,mutant\nNEW-0001_v2,mutant\n")
    scans, _ = folders.find_scans(tmp_path, new["LAYOUT"])
    table, ignored = folders.join_scans(
        new["labels"](tmp_path / "sheet.csv", tmp_path), scans, new["LAYOUT"], "new", all_visits=False
    )
    assert table[["subject", "patient", "idh"]].to_numpy().tolist() == [["NEW-0001_v1", "NEW-0001", "1"]]
    assert [item.what for item in ignored] == ["NEW-0001_v2"]


OWN = {  # a subject as a folder spells it, as a sheet of one's own does, and whose it is
    "brats2020-tcga": ("a/brats20_training_335_t2.nii.gz", "BraTS20_Training_335", "TCGA-HT-A61A"),
    "brats2020": ("a/BraTS20_Training_335_t2.nii.gz", "brats20_training_335", "TCGA-HT-A61A"),
    "brats2021": ("a/BraTS2021_00097_t2.nii.gz", "BraTS2021_00097", "UCSF-PDGM-0004"),
    "upenn-gbm": ("a/upenn-gbm-00001_11_T2.nii.gz", "UPENN-GBM-00001_11", "UPENN-GBM-00001"),
    "ucsf-pdgm": ("a/UCSF-PDGM-004_T2.nii.gz", "UCSF-PDGM-004", "UCSF-PDGM-0004"),
    "egd": ("egd-0001/T2.nii.gz", "egd-0001", "EGD-0001"),
    "tcga": ("a/TCGA-06-0221_2005.01.01_t2.nii.gz", "tcga-06-0221", "TCGA-06-0221"),
}


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("label", ["0", "1"])
def test_labels_of_one_s_own_win_however_ids_are_spelled(tmp_path, name, label):
    path, subject, patient = OWN[name]
    touch(tmp_path, path, f"__MACOSX/{path}")
    (tmp_path / "own.csv").write_text(f"subject,idh,age_years\n{subject},{label},50\nnobody,1,\n")
    table, ignored = cohorts.read(name, tmp_path, tmp_path / "own.csv")
    row = table[table["t2"] != ""].iloc[0]
    assert (row["idh"], row["patient"], row["age_years"]) == (label, patient, "50")
    assert ignored == [("nobody", "a label without images")] and "nobody" not in set(table["subject"])
    (tmp_path / "own.csv").write_text("subject,idh\nnobody,1\n")
    with pytest.raises(
        InputError,
        match="expected the same subject ids in label sheet and images; found nobody in the label sheet",
    ):
        cohorts.read(name, tmp_path, tmp_path / "own.csv")


@pytest.mark.parametrize("name", PUBLIC)
def test_another_collection_s_sheet_is_not_passed_over(tmp_path, name):
    touch(tmp_path, public_cohort(name).layout.example.replace("_001", "_162"))
    (tmp_path / "other.csv").write_text("Who,What\nx,1\n")
    with pytest.raises(InputError, match=r"other.csv: expected the columns .*; found columns Who, What"):
        cohorts.read(name, tmp_path, tmp_path / "other.csv")


def test_sheets_as_downloaded_are_read(tmp_path):
    touch(tmp_path, "a/UCSF-PDGM-0004_T2.nii.gz", "b/BraTS20_Training_335_t2.nii.gz")
    sheet = tmp_path / "UCSF-PDGM-metadata_v9.csv"
    sheet.write_text("ID,Sex,Age at MRI,WHO CNS Grade,IDH\nUCSF-PDGM-004,F,70,2,mutated (NOS)\n")
    table, _ = cohorts.read("ucsf-pdgm", tmp_path, sheet)
    assert table.loc[0, ["idh", "idh_evidence", "sex", "grade"]].tolist() == ["1", "IDH mutated (NOS)", "F", "2"]
    mapping = tmp_path / "renamed.csv"
    mapping.write_text("Grade,TCGA_TCIA_subject_ID,BraTS_2020_subject_ID\nXXX,TCGA-06-0221,BraTS20_Training_335\n")
    assert table.attrs["file"] == str(sheet)
    for name in ("brats2020", "brats2020-tcga"):
        table, _ = cohorts.read(name, tmp_path, mapping)
        facts = ["patient", "idh", "brats_grade", "grade", "age_years", "sex", "histology"]
        assert table.loc[0, facts].tolist() == ["TCGA-06-0221", "1", "XXX", "4", "31", "M", "glioblastoma"]


def test_two_visits_of_a_subject_are_not_mixed(tmp_path):
    touch(tmp_path, "a/TCGA-06-0221_2005.01.01_t2.nii.gz", "a/TCGA-06-0221_2006.01.01_GlistrBoost.nii.gz")
    table, ignored = cohorts.read("tcga", tmp_path)
    row = table.set_index("subject").loc["TCGA-06-0221"]
    assert row["t2"] and not row["lesion_mask"]
    assert [item.reason for item in ignored] == ["another visit of TCGA-06-0221"]


def test_follow_ups_alone(tmp_path):
    touch(tmp_path, "a/BraTS-GLI-00005-100-t1c.nii.gz")
    with pytest.raises(
        InputError, match="expected images of first visits of brats2023; found none; the folder contains BraTS"
    ):
        cohorts.read("brats2023", tmp_path)


def test_a_folder_of_other_hospitals_is_no_tcga_cohort(tmp_path):
    touch(tmp_path, "a/BraTS20_Training_001_t2.nii.gz")
    with pytest.raises(InputError, match="expected images of first visits of brats2020-tcga; found none"):
        cohorts.read("brats2020-tcga", tmp_path)


def test_nobody_labelled_is_nobody_to_learn_from(tmp_path):
    touch(tmp_path, "a/BraTS-GLI-00005-000-t1c.nii.gz")
    usable, errors = check_labels(cohorts.read("brats2023", tmp_path)[0])
    assert usable.empty and len(errors) == 1


def test_a_cohort_csv_takes_other_labels(tmp_path):
    (tmp_path / "a.csv").write_text("subject,idh\nx,0\ny,1\n")
    (tmp_path / "b.csv").write_text("subject,idh\nx,mutant\n")
    table, _ = cohorts.read(str(tmp_path / "a.csv"), labels=tmp_path / "b.csv")
    assert table["idh"].tolist() == ["1", ""]
    with pytest.raises(InputError, match="nowhere.csv: expected a sheet"):
        cohorts.read(str(tmp_path / "a.csv"), labels=tmp_path / "nowhere.csv")
