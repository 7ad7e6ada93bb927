"""One patient in two cohorts, or one image under two names: what must not stand in training and in test."""

import pandas as pd

from glioma_idh.cohorts.manifests import canonical_patient, known_patient
from glioma_idh.cohorts.table import SEQUENCES
from glioma_idh.errors import InputError
from glioma_idh.imaging.volumes import read_volume, voxel_hash

COLUMNS = ["subject_a", "subject_b", "patient", "why"]


def shared_patients(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """Subjects of two cohort tables that are the same person, also under other names.

    A row is known by its patient, and by its subject where that is an id of a public cohort.

    Args:
        a: cohort table.
        b: cohort table.

    Returns:
        `subject_a, subject_b, patient, why`, one row a pair.
    """
    pairs = _names(a).merge(_names(b), on="patient", suffixes=("_a", "_b"))
    return pairs.drop_duplicates(["subject_a", "subject_b"]).assign(why="same patient")[COLUMNS]


def _names(table: pd.DataFrame) -> pd.DataFrame:
    """Every name by which each subject's patient is known, one row a name."""
    by_patient, by_subject = table["patient"].map(canonical_patient), table["subject"].map(known_patient)
    names = pd.concat([table[["subject"]].assign(patient=names) for names in (by_patient, by_subject)])
    return names[names["patient"] != ""].drop_duplicates().sort_index()


def nameless(table: pd.DataFrame) -> int:
    """How many subjects are known by their BraTS id alone, so that no other cohort's patient can be told from them."""
    return int(table["patient"].str.match(r"BraTS2021_|BraTS-", case=False).sum())


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
        advice = (
            "Take them out of one table, or give different people other ids in the column patient; "
            "`python -m glioma_idh.cohorts overlap A.csv B.csv` lists them all."
        )
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
