"""UCSF-PDGM as downloaded from TCIA (Calabrese et al., Radiology: Artificial Intelligence 2022)."""

import re

import pandas as pd

from glioma_idh.cohorts.folders import Layout
from glioma_idh.cohorts.manifests import make_manifest, read_manifest
from glioma_idh.cohorts.sheets import parse_age, parse_column, parse_idh, parse_ids, parse_sex, read_sheet

COLUMNS = ("ID", "Sex", "Age at MRI", "WHO CNS Grade", "IDH")
# Six exams of versions 1 and 2 are second visits of other patients; version 3 renamed them so.
RENAMED = {
    "UCSF-PDGM-0138": "UCSF-PDGM-0429_FU003d",
    "UCSF-PDGM-0175": "UCSF-PDGM-0396_FU175d",
    "UCSF-PDGM-0181": "UCSF-PDGM-0409_FU001d",
    "UCSF-PDGM-0278": "UCSF-PDGM-0431_FU001d",
    "UCSF-PDGM-0289": "UCSF-PDGM-0391_FU016d",
    "UCSF-PDGM-0315": "UCSF-PDGM-0433_FU007d",
}


def canonical_id(name: str) -> str:
    """The id with four digits, as the folders have it from version 3 on: `UCSF-PDGM-004` is `UCSF-PDGM-0004`."""
    match = re.fullmatch(r"UCSF-PDGM-0*(\d+)(_FU\d+d)?", name, re.IGNORECASE)
    identity = f"UCSF-PDGM-{int(match[1]):04}{(match[2] or '').replace('fu', 'FU').replace('D', 'd')}"
    return RENAMED.get(identity, identity)


LAYOUT = Layout(
    files=r"(?P<subject>UCSF-PDGM-\d{3,4}(?:_FU\d+d)?)_(?P<scan>\w+)",
    scans={
        "t1": ("T1", "T1_bias"),
        "t1gd": ("T1c", "T1gad", "T1c_bias", "T1gad_bias"),
        "t2": ("T2", "T2_bias"),
        "flair": ("FLAIR", "T2FLAIR", "FLAIR_bias"),
        "adc": ("ADC",),  # no rcbv: its ASL is perfusion of another kind
        "lesion_mask": ("tumor_segmentation",),
        "brain_mask": ("brain_segmentation",),
    },
    example="UCSF-PDGM-0004_nifti/UCSF-PDGM-0004_T1c.nii.gz",
    visit=r"_FU\d+d",
    follow_up=r"_FU\d+d",
    rename=canonical_id,
)


def ucsf_manifest(metadata) -> pd.DataFrame:
    """Who is who in UCSF-PDGM.

    Args:
        metadata: `UCSF-PDGM-metadata_v2.csv`, or a later version.

    Returns:
        One row an exam, ids with four digits; `brats2021_subject` is the same exam's id in BraTS 2021.

    Raises:
        InputError: a column is missing or a cell cannot be read; it names row and column.
    """
    sheet = read_sheet(metadata, COLUMNS)
    parse_ids(sheet, "ID", r"UCSF-PDGM-\d{3,4}(_FU\d+d)?", "UCSF-PDGM-004")
    subjects = sheet["ID"].map(canonical_id)
    named = sheet["IDH"].str.match("IDH[12]")
    return make_manifest(
        subjects,
        subjects.map(LAYOUT.patient),
        "ucsf-pdgm",
        site="UCSF",
        idh=parse_column(sheet, "IDH", parse_idh),
        idh_evidence=sheet["IDH"].where(named, "IDH " + sheet["IDH"]),
        grade=sheet["WHO CNS Grade"],
        age_years=parse_column(sheet, "Age at MRI", parse_age),
        sex=parse_column(sheet, "Sex", parse_sex),
        brats2021_subject=sheet.get("BraTS21 ID", ""),
    )


def labels(sheet, images) -> pd.DataFrame:
    """The metadata sheet, or the shipped manifest, which was made from its version 2."""
    return read_manifest("ucsf_pdgm") if sheet is None else ucsf_manifest(sheet)
