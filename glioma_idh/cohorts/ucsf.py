"""UCSF-PDGM from TCIA (Calabrese et al., Radiology: Artificial Intelligence 2022)."""

import re
from pathlib import Path

import pandas as pd

from glioma_idh.cohorts import manifests
from glioma_idh.cohorts.folders import Layout, PublicCohort
from glioma_idh.cohorts.manifests import UCSF_SECOND_VISITS, File, parse_columns, shipped, write_manifest
from glioma_idh.cohorts.sheets import parse_ids, read_sheet

COLUMNS = ("ID", "Sex", "Age at MRI", "WHO CNS Grade", "IDH")


def canonical_id(name: str) -> str:
    """Return the id with four digits, as in the folder names from version 3 on: `UCSF-PDGM-0004`."""
    match = re.fullmatch(r"UCSF-PDGM-0*(\d+)(_FU\d+d)?", name, re.IGNORECASE)
    if match is None:
        return name
    identity = f"UCSF-PDGM-{int(match[1]):04}{(match[2] or '').upper().replace('D', 'd')}"
    return UCSF_SECOND_VISITS.get(identity, identity)


LAYOUT = Layout(
    subject=r"UCSF-PDGM-\d{3,4}(?:_FU\d+d)?",
    files=r"_(?P<scan>\w+)",
    scans={
        "t1": ("T1", "T1_bias"),
        "t1gd": ("T1c", "T1gad", "T1c_bias", "T1gad_bias"),
        "t2": ("T2", "T2_bias"),
        "flair": ("FLAIR", "T2FLAIR", "FLAIR_bias"),
        "adc": ("ADC",),  # there is no rCBV; its perfusion images are ASL
        "lesion_mask": ("tumor_segmentation",),
        "brain_mask": ("brain_segmentation",),
    },
    example="UCSF-PDGM-0004_nifti/UCSF-PDGM-0004_T1c.nii.gz",
    visit=r"_FU\d+d",
    follow_up=r"_FU\d+d",
    rename=canonical_id,
)


def ucsf_manifest(metadata: str | Path) -> pd.DataFrame:
    """Make the manifest of UCSF-PDGM: one row per exam. `brats2021_subject` is the exam's id in BraTS 2021.

    Args:
        metadata: `UCSF-PDGM-metadata_v2.csv` or later; 1p/19q, MGMT and the WHO 2021 diagnosis may be missing.
    """
    sheet = read_sheet(metadata, COLUMNS)
    parse_ids(sheet, "ID", r"UCSF-PDGM-\d{3,4}(_FU\d+d)?", "UCSF-PDGM-004")
    subjects = sheet["ID"].map(canonical_id)
    if "1p/19q" in sheet:  # "relative co-deletion" occurs in oligodendrogliomas and astrocytomas: counts as unknown
        sheet["1p/19q"] = sheet["1p/19q"].mask(sheet["1p/19q"].str.lower() == "relative co-deletion", "")
    told = {"mgmt": "MGMT status", "idh": "IDH", "age_years": "Age at MRI", "sex": "Sex"}
    return manifests.make_manifest(
        subjects,
        subjects.map(LAYOUT.patient),
        "ucsf-pdgm",
        site="UCSF",
        idh_evidence=sheet["IDH"].where(sheet["IDH"].str.match("IDH[12]"), "IDH " + sheet["IDH"]),
        grade=sheet["WHO CNS Grade"],
        **parse_columns(sheet, **told, codeletion_1p19q="1p/19q"),
        who2021=sheet.get("Final pathologic diagnosis (WHO 2021)", ""),
        brats2021_subject=sheet.get("BraTS21 ID", ""),
    )


def ucsf_pdgm(metadata: File, out: File) -> None:
    """Make the manifest of UCSF-PDGM from its sheet.

    Args:
        metadata: UCSF-PDGM-metadata_v2.csv, or a later version.
        out: CSV file to write.
    """
    write_manifest(ucsf_manifest(metadata), out)


LABELS = shipped("ucsf_pdgm", ucsf_manifest)  # made from version 2 of the sheet
TITLE = "UCSF-PDGM of The Cancer Imaging Archive"
COHORTS = {"ucsf-pdgm": PublicCohort(LAYOUT, LABELS, COLUMNS, TITLE, command=ucsf_pdgm)}
