"""The manifest of the SGPNet cohort is what the rule gives."""

import subprocess
import sys
from importlib.resources import files

import pandas as pd
import pytest

from glioma_idh.cohorts import read_cohort
from glioma_idh.cohorts.tcga import brats2020_tcga_manifest, idh_from_mc3
from glioma_idh.errors import InputError

MANIFEST = pd.read_csv(files("data_manifests") / "brats2020_tcga.csv", dtype=str, keep_default_na=False)


def test_121_patients_56_mutant():
    assert len(MANIFEST) == MANIFEST["patient"].nunique() == 121
    assert MANIFEST["idh"].value_counts().to_dict() == {"0": 65, "1": 56}
    assert MANIFEST["idh_evidence"].str.contains("IDH2 p.R172S").sum() == 1


def test_a_patient_with_silent_variants_only_is_wild_type(tmp_path):
    header = "Hugo_Symbol\tHGVSp_Short\tTumor_Sample_Barcode\n"
    loud, silent = tmp_path / "loud.tsv", tmp_path / "silent.tsv"
    loud.write_text(header + 'IDH1\tp.R132H\tTCGA-AA-0001-01A\nTP53\tp."R1\tTCGA-AA-0002-01A\n')
    silent.write_text("#comment\n" + header + "IDH1\tp.I99I\tTCGA-AA-0003-01A\nTTN\t.\tTCGA-AA-0001-01A\n")
    status = idh_from_mc3([loud], [silent])
    assert status["idh"].to_dict() == {"TCGA-AA-0001": 1, "TCGA-AA-0002": 0, "TCGA-AA-0003": 0}
    assert status.loc["TCGA-AA-0001", "idh_evidence"] == "IDH1 p.R132H (MC3: at least 2 callers)"


def test_the_manifest_can_be_made_again(real_data):
    variants = real_data / "tcga_mc3"
    status = idh_from_mc3(sorted(variants.glob("*_nonsilent.tsv.gz")), sorted(variants.glob("*_silent.tsv.gz")))
    mapping = real_data / "brats20_mini/MICCAI_BraTS2020_TrainingData/name_mapping.csv"
    again = brats2020_tcga_manifest(mapping, status).astype(str).reset_index(drop=True)
    pd.testing.assert_frame_equal(again, MANIFEST)


def test_it_is_found_from_any_folder(tmp_path):
    program = (
        "from importlib.resources import files\n"
        "print(len((files('data_manifests') / 'brats2020_tcga.csv').read_text().splitlines()))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "122"


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_brats_folders_are_joined_with_the_manifest(tmp_path):
    one, two = tmp_path / "train/BraTS20_Training_162", tmp_path / "train/BraTS20_Training_335"
    for suffix in ("t1", "t1ce", "t2", "flair", "seg"):
        touch(one / f"{one.name}_{suffix}.nii.gz")
    touch(two / f"{two.name}_t2.nii")
    touch(two / "W39_1998.09.19_Segm.nii")
    table = read_cohort("brats2020-tcga", tmp_path).set_index("subject")
    assert table.loc[one.name, "t1gd"] == str(one / "BraTS20_Training_162_t1ce.nii.gz")
    assert table.loc[two.name, "t2"] == str(two / "BraTS20_Training_335_t2.nii")
    assert table.loc[two.name, "lesion_mask"] == str(two / "W39_1998.09.19_Segm.nii")
    assert table.loc[two.name, "flair"] == "" and table.loc[one.name, "rcbv"] == ""
    assert len(table) == 121


def test_a_folder_without_subjects_says_what_is_there(tmp_path):
    touch(tmp_path / "UPENN-GBM-00001_11.nii.gz")
    with pytest.raises(InputError, match="expected folders BraTS20_Training_NNN; found UPENN-GBM-00001_11.nii.gz"):
        read_cohort("brats2020-tcga", tmp_path)
    with pytest.raises(InputError, match="found no such folder"):
        read_cohort("brats2020-tcga", tmp_path / "nowhere")


def test_every_real_subject_has_its_files(real_data):
    table = read_cohort("brats2020-tcga", real_data / "brats20_mini")
    assert (table[["t1", "t1gd", "t2", "flair", "lesion_mask"]] != "").all(axis=None) and len(table) == 121
