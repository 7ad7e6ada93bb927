"""UPENN-GBM from TCIA (Bakas et al., Scientific Data 2022), the public cohort with rCBV maps."""

from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.folders import Layout, PublicCohort
from glioma_idh.cohorts.manifests import File, make_manifest, parse_columns, shipped, write_manifest
from glioma_idh.cohorts.sheets import parse_column, parse_ids, read_sheet
from glioma_idh.errors import InputError

LAYOUT = Layout(
    subject=r"UPENN-GBM-\d{5}_\d\d",
    files=r"_(?P<scan>[\w-]+)",
    scans={
        **{"t1": ("T1",), "t1gd": ("T1GD",), "t2": ("T2",), "flair": ("FLAIR",)},
        "rcbv": ("DSC_ap-rCBV",),
        "adc": ("DTI_TR",),  # the trace of the diffusion tensor
        "lesion_mask": ("segm", "automated_approx_segm"),  # manually corrected, else automatic
    },
    example="images_structural/UPENN-GBM-00001_11/UPENN-GBM-00001_11_T1GD.nii.gz",
    visit=r"_\d\d",
    follow_up=r"_(?!11)\d\d",
    rename=str.upper,
    adc_divisor="3",
)
COLUMNS = ("ID", "Gender", "Age_at_scan_years", "IDH1")
AVAILABLE = {
    "has_dsc": "DSC imaging",
    "has_dti": "DTI imaging",
    "has_automatic_mask": "Automatic Tumor Segmentation",
    "has_corrected_mask": "Corrected Tumor Segmentation",
}
_EXAMPLE = "UPENN-GBM-00001_11"


def upenn_manifest(clinical: str | Path, availability: str | Path | None = None) -> pd.DataFrame:
    """Make the manifest of UPENN-GBM: one row per scan (`_11` before treatment, `_21` follow-up).

    All are glioblastomas, grade 4 by definition. The sheets do not contain 1p/19q.

    Args:
        clinical: `UPENN-GBM_clinical_info_v2.1.csv`; the column `MGMT` may be missing.
        availability: `UPENN-GBM_data_availability.csv` of the same scans; it adds the columns `has_...`, 1 or 0.
    """
    sheet = read_sheet(clinical, COLUMNS)
    subjects = parse_ids(sheet, "ID", LAYOUT.subject, _EXAMPLE)
    has = {}
    if availability is not None:
        table = read_sheet(availability, ["ID", *AVAILABLE.values()])
        ids = parse_ids(table, "ID", LAYOUT.subject, _EXAMPLE)
        if set(ids) != set(subjects):
            found = ", ".join(sorted(set(ids) ^ set(subjects))[:3])
            found = f"{found} in only one of them"
            advice = "Use the sheets of one release."
            raise InputError("the same scans in both sheets", found, advice, availability)
        has = {name: parse_column(table, column, _parse_available) for name, column in AVAILABLE.items()}
        has = {name: column.set_axis(ids).loc[subjects].set_axis(subjects.index) for name, column in has.items()}
    facts = parse_columns(sheet, idh="IDH1", age_years="Age_at_scan_years", sex="Gender", mgmt="MGMT")
    facts |= {"site": "UPENN", "idh_evidence": "IDH1 " + sheet["IDH1"], "grade": "4", "histology": "glioblastoma"}
    return make_manifest(subjects, subjects.map(LAYOUT.patient), "upenn-gbm", **facts, **has)


def _parse_available(cell: str) -> str:
    if cell.lower() not in ("available", "not available", "-", ""):
        raise ValueError("available or not available")
    return "1" if cell.lower() == "available" else "0"


def upenn_gbm(clinical: File, availability: File, out: File) -> None:
    """Make the manifest of UPENN-GBM from its two sheets.

    Args:
        clinical: UPENN-GBM_clinical_info_v2.1.csv.
        availability: UPENN-GBM_data_availability.csv.
        out: CSV file to write.
    """
    write_manifest(upenn_manifest(clinical, availability), out)


LABELS = shipped("upenn_gbm", upenn_manifest)  # made from version 2.1 of the clinical sheet
TITLE = "UPENN-GBM of The Cancer Imaging Archive"
COHORTS = {"upenn-gbm": PublicCohort(LAYOUT, LABELS, COLUMNS, TITLE, command=upenn_gbm)}
