"""One patient in two cohorts, or one image under two names: what must not stand in training and in test."""

import functools
import re

import pandas as pd

from glioma_idh.cohorts.manifests import read_manifest
from glioma_idh.cohorts.table import SEQUENCES
from glioma_idh.cohorts.ucsf import canonical_id
from glioma_idh.errors import InputError
from glioma_idh.imaging.volumes import read_volume, voxel_hash

COLUMNS = ["subject_a", "subject_b", "patient", "why"]


@functools.cache
def _aliases() -> dict[str, str]:
    """The patient behind each subject id of the shipped manifests, and behind each BraTS 2021 id in them."""
    ucsf = read_manifest("ucsf_pdgm")
    aliases = dict(zip(ucsf["brats2021_subject"], ucsf["patient"], strict=True))
    for manifest in (read_manifest("brats2020_tcga"), read_manifest("upenn_gbm"), ucsf):
        aliases |= dict(zip(manifest["subject"], manifest["patient"], strict=True))
    aliases.pop("", None)
    return aliases


def canonical_patient(name: str) -> str:
    """One name for a patient of the public cohorts, however a table or folder spells it.

    TCGA barcodes are cut to the patient, UPENN and UCSF ids lose their visit, UCSF's get four digits, and ids of
    BraTS 2020 and 2021 become those of TCGA and UCSF where the manifests know them. Other names stay as they are.
    """
    name = name.strip()
    if match := re.match(r"TCGA-\w\w-\w{4}", name, re.IGNORECASE):
        return match[0].upper()
    if match := re.match(r"UPENN-GBM-\d{5}", name, re.IGNORECASE):
        return match[0].upper()
    if match := re.match(r"UCSF-PDGM-\d+(_FU\d+d)?", name, re.IGNORECASE):
        return canonical_id(match[0].upper()).split("_")[0]
    return _aliases().get(name, name)


def shared_patients(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """Subjects of two cohort tables that are the same person, also under other names.

    Args:
        a: cohort table.
        b: cohort table.

    Returns:
        `subject_a, subject_b, patient, why`, one row a pair.
    """
    names = []
    for table in (a, b):
        known = table["subject"].map(canonical_patient)
        patient = table["patient"].map(canonical_patient)
        # A subject id that a manifest knows says more than a patient column that only repeats it.
        patient = patient.where(table["patient"] != table["subject"], known)
        names.append(pd.DataFrame({"subject": table["subject"], "key": patient}))
    pairs = names[0].merge(names[1], on="key", suffixes=("_a", "_b"))
    return pairs.rename(columns={"key": "patient"}).assign(why="same patient")[COLUMNS]


def shared_images(a: pd.DataFrame, b: pd.DataFrame, jobs: int = -1, quiet: bool = False) -> pd.DataFrame:
    """Subjects of two cohort tables that have an image with the same voxels, whatever its name, header or padding.

    Images that were resampled or normalised anew differ in their voxels and are not found.

    Args:
        a: cohort table with paths.
        b: cohort table with paths.
        jobs: processes; -1 is one a processor.
        quiet: no progress bar.

    Returns:
        `subject_a, subject_b, patient, why`, one row a pair of images; unreadable images are passed over.
    """
    hashes = [_hashes(table, name, jobs, quiet) for table, name in ((a, "first"), (b, "second"))]
    pairs = hashes[0].merge(hashes[1], on="hash", suffixes=("_a", "_b"))
    pairs["why"] = "same image: " + pairs["image_a"].where(
        pairs["image_a"] == pairs["image_b"], pairs["image_a"] + " and " + pairs["image_b"]
    )
    return pairs.rename(columns={"patient_a": "patient"})[COLUMNS]


def refuse_overlap(training: pd.DataFrame, testing: pd.DataFrame) -> None:
    """A patient to train on must not be tested on.

    Raises:
        InputError: one stands in both tables; it names the first few.
    """
    pairs = shared_patients(training, testing)
    if len(pairs):
        shown = [f"{row.subject_a} is {row.subject_b}" for row in pairs.head(3).itertuples()]
        found = f"{pairs['patient'].nunique()} in both ({'; '.join(shown)}{' ...' if len(pairs) > 3 else ''})"
        advice = "Take them out of one table; `python -m glioma_idh.cohorts overlap A.csv B.csv` lists them all."
        raise InputError("no patient of the training cohort in the external one", found, advice)


def _hashes(table: pd.DataFrame, name: str, jobs: int, quiet: bool) -> pd.DataFrame:
    """One row a readable image: subject, patient, image (its column) and the hash of its voxels."""
    from joblib import Parallel, delayed
    from tqdm import tqdm

    rows = [(row, column) for _, row in table.iterrows() for column in SEQUENCES if row[column]]
    results = Parallel(jobs, return_as="generator")(delayed(_hash)(row, column) for row, column in rows)
    bar = tqdm(results, desc=f"reading the {name} cohort", total=len(rows), unit="image", disable=quiet or None)
    found = pd.DataFrame([hashed for hashed in bar if hashed], columns=["subject", "patient", "image", "hash"])
    return found


def _hash(row: pd.Series, column: str) -> tuple[str, str, str, str] | None:
    try:
        return row["subject"], row["patient"], column, voxel_hash(read_volume(row[column]))
    except InputError:
        return None
