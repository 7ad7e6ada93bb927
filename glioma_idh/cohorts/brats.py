"""BraTS 2020, 2021 and 2023. BraTS has no IDH status; it is looked up with the TCGA, UCSF and UPENN ids."""

import re
from pathlib import Path

import pandas as pd

from glioma_idh.cohorts import manifests
from glioma_idh.cohorts.bakas import label_tcga, write_tcga
from glioma_idh.cohorts.cells import is_unknown
from glioma_idh.cohorts.folders import Layout, PublicCohort, find_files
from glioma_idh.cohorts.manifests import NOBODY, File, Genes, Mafs, Sheet, read_manifest, shipped, with_facts
from glioma_idh.cohorts.sheets import cell_error, parse_ids, read_sheet

_SCANS = {"t1": ("t1",), "t1gd": ("t1ce",), "t2": ("t2",), "flair": ("flair",), "lesion_mask": ("seg", "segm")}
LAYOUT_2020 = Layout(
    # The file name of the mask of case 355 is W39_1998.09.19_Segm.nii.
    subject=r"BraTS20_(?:Training|Validation|Testing)_\d{3}",
    files=r"(?:_|/W39_1998\.09\.19_)(?P<scan>[a-z0-9]+)",
    scans=_SCANS,
    rename=lambda name: "_".join(["BraTS20", name.split("_")[1].capitalize(), name.split("_")[2]]),
    example="BraTS20_Training_001/BraTS20_Training_001_t1ce.nii.gz",
)
LAYOUT_2021 = Layout(
    subject=r"BraTS2021_\d{5}",
    files=r"_(?P<scan>[a-z0-9]+)",
    scans=_SCANS,
    rename=lambda name: f"BraTS2021_{name[-5:]}",
    example="BraTS2021_00000/BraTS2021_00000_t1ce.nii.gz",
)
LAYOUT_2023 = Layout(  # 2023 and later; -000 is before treatment, higher numbers are follow-up visits
    subject=r"BraTS-(?:GLI|SSA)-\d{5}-\d{3}",
    files=r"-(?P<scan>[a-z0-9]+)",
    scans={"t1": ("t1n",), "t1gd": ("t1c",), "t2": ("t2w",), "flair": ("t2f",), "lesion_mask": ("seg",)},
    example="BraTS-GLI-00000-000/BraTS-GLI-00000-000-t1c.nii.gz",
    visit=r"-\d{3}",
    follow_up=r"-(?!000)\d{3}",
    rename=lambda name: f"BraTS{name[5:].upper()}",
)

MAPPING_COLUMNS = ("BraTS_2020_subject_ID", "TCGA_TCIA_subject_ID", "Grade")
CROSSWALK_COLUMNS = ("BraTS2021 ID", "Data Collection (as on TCIA+additional)", "PatientID on TCIA Radiology Portal")


def brats2020_manifest(name_mapping: str | Path, tcga: pd.DataFrame) -> pd.DataFrame:
    """Make the manifest of all BraTS 2020 subjects.

    Args:
        name_mapping: the file `name_mapping.csv` of the download.
        tcga: manifest from `tcga.tcga_manifest`, which provides the data of the TCGA patients.
    """
    mapping = read_sheet(name_mapping, MAPPING_COLUMNS)
    subjects = parse_ids(mapping, "BraTS_2020_subject_ID", r"BraTS20_Training_\d{3}", "BraTS20_Training_001")
    in_tcga = ~mapping[MAPPING_COLUMNS[1]].map(is_unknown)
    named = parse_ids(mapping[in_tcga], MAPPING_COLUMNS[1], r"TCGA-\w\w-\w{4}", "TCGA-02-0006")
    patients = subjects.where(~in_tcga, named)
    manifest = with_facts(subjects, patients, "brats2020", tcga.set_index("patient"))
    brats_grade = manifest["subject"].map(mapping["Grade"].set_axis(subjects))
    is_tcga = manifest["patient"].str.startswith("TCGA-")
    reason = is_tcga.map({True: "patient is in no variant table", False: "not a TCGA patient"})
    evidence = manifest["idh_evidence"].where(manifest["idh_evidence"] != "", reason)
    site = manifest["patient"].str.split("-").str[1].where(is_tcga, "")
    manifest = manifest.assign(idh_evidence=evidence, site=site, brats_grade=brats_grade)
    for year in (2017, 2018, 2019):
        former = mapping.get(f"BraTS_{year}_subject_ID", pd.Series("", mapping.index)).set_axis(subjects)
        manifest[f"brats{year}_subject"] = manifest["subject"].map(former.where(~former.map(is_unknown), ""))
    return manifest


def labels_2020(labels: Path | None, images: Path) -> pd.DataFrame:
    """Return the labels by `name_mapping.csv`, given or found with the images; without it those of TCGA patients."""
    labels = labels or next(iter(find_files(images, "name_mapping.csv")), None)
    if labels is None:
        return read_manifest("brats2020_tcga").assign(cohort="brats2020")
    return brats2020_manifest(labels, read_manifest("tcga"))


def tcga_subjects(manifest: pd.DataFrame) -> pd.DataFrame:
    """Select the TCGA patients of a BraTS 2020 manifest."""
    is_tcga = manifest["patient"].str.startswith("TCGA-")
    return manifest[is_tcga].assign(cohort="brats2020-tcga").reset_index(drop=True)


def labels_2021(labels: Path | None, images: Path) -> pd.DataFrame:
    """Return the labels by TCIA's `BraTS2021_MappingToTCIA.xlsx`; without it only those of 298 UCSF-PDGM exams."""
    every = read_manifest("ucsf_pdgm")
    if labels is None:
        ucsf = every[every["brats2021_subject"] != ""]
        subjects, patients = ucsf["brats2021_subject"], ucsf["patient"]
    else:
        sheet = read_sheet(labels, CROSSWALK_COLUMNS)
        sheet = sheet[sheet["BraTS2021 ID"] != ""]
        subjects = parse_ids(sheet, "BraTS2021 ID", LAYOUT_2021.subject, "BraTS2021_00000")
        patients = pd.Series([_tcia_patient(sheet, row) for row in subjects.index], subjects.index)
    manifest = with_facts(subjects, patients, "brats2021", manifests.shipped_facts())
    later = every["brats2021_subject"][every["subject"].str.contains("_FU")]  # second visits of UCSF patients
    return manifest.assign(follow_up=manifest["subject"].isin(later).map({True: "1", False: ""}))


def labels_2023(labels: Path | None, images: Path) -> pd.DataFrame:
    """Return an empty manifest, because BraTS 2023 has no IDH status; users add a sheet of labels with --labels."""
    if labels is not None:
        manifests.refuse_labels(labels)
    return manifests.make_manifest(NOBODY, NOBODY, "brats2023")


def _tcia_patient(sheet: pd.DataFrame, row: int) -> str:
    """Return the patient id of a row of TCIA's sheet; patients new to TCIA have only their BraTS id."""
    subject, collection, number = (sheet.at[row, column] for column in CROSSWALK_COLUMNS)
    if is_unknown(number) or number == "new-not-previously-in-TCIA":
        return manifests.canonical_patient(subject)
    if not collection.startswith(("UCSF-PDGM", "UPENN-GBM", "TCGA-")):
        return number
    digits = re.fullmatch(r"(\d+)(?:\.0)?", number)
    patient = manifests.known_patient(f"UCSF-PDGM-{digits[1]}" if digits and collection.startswith("UCSF") else number)
    if not patient:
        raise cell_error(sheet, row, CROSSWALK_COLUMNS[2], f"an id of {collection}", "Use the sheet as downloaded.")
    return patient


def brats2020_tcga(
    name_mapping: File,
    maf: Mafs,
    out: File,
    clinical: Sheet = None,
    who2021: Sheet = None,
    min_callers: int = 2,
    genes: Genes = ("IDH1", "IDH2"),
    hotspot_only: bool = False,
    quiet: bool = False,
) -> None:
    """Make the manifest of the TCGA patients in BraTS 2020, the cohort of Wang et al. 2021.

    Args:
        name_mapping: name_mapping.csv of the BraTS 2020 training data.
        maf: As for tcga-idh.
        out: CSV file to write.
        clinical: As for tcga-idh.
        who2021: As for tcga-idh.
        min_callers: How many of MuSE, MuTect2, SomaticSniper and VarScan2 must report a variant.
        genes: Genes to consider.
        hotspot_only: Consider only R132 of IDH1 and R140 and R172 of IDH2.
        quiet: Show no progress.
    """
    tcga = label_tcga(maf, out, clinical, who2021, min_callers, genes, hotspot_only, quiet)
    write_tcga(tcga_subjects(brats2020_manifest(name_mapping, tcga)), out)


COHORTS = {
    "brats2020-tcga": PublicCohort(
        LAYOUT_2020,
        shipped("brats2020_tcga", lambda sheet: tcga_subjects(brats2020_manifest(sheet, read_manifest("tcga")))),
        MAPPING_COLUMNS,
        title="the patients of The Cancer Genome Atlas (TCGA) in the BraTS 2020 training set",
        members=("brats2020_tcga", "not a TCGA patient"),
        command=brats2020_tcga,
    ),
    "brats2020": PublicCohort(LAYOUT_2020, labels_2020, MAPPING_COLUMNS, "the BraTS 2020 training set"),
    "brats2021": PublicCohort(LAYOUT_2021, labels_2021, CROSSWALK_COLUMNS, "the BraTS 2021 training set"),
    "brats2023": PublicCohort(LAYOUT_2023, labels_2023, title="the BraTS 2023 training set"),
}
