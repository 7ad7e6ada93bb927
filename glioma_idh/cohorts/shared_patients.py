"""One patient in two cohorts, or one image under two names: what must not stand in training and in test."""

import pandas as pd
from joblib import delayed

from glioma_idh.cohorts.column_names import SEQUENCES
from glioma_idh.cohorts.manifests import canonical_patient, known_patient
from glioma_idh.errors import InputError
from glioma_idh.imaging.volumes import read_volume, voxel_hash
from glioma_idh.parallel import run_parallel
from glioma_idh.progress import progress

COLUMNS = ["subject_a", "subject_b", "patient", "why"]


def compare(a, b, with_images: bool, jobs: int, quiet: bool) -> tuple[pd.DataFrame, list[InputError], str]:
    """All pairs of two cohort tables, the errors of images that could not be compared, and what to say of both."""
    pairs = overlap(a, b)
    errors: list[InputError] = []
    lines: list[str] = []
    if with_images:
        of_images, (first, second), errors = shared_images(a, b, jobs, quiet)
        pairs = pd.concat([pairs, of_images], ignore_index=True)
        lines = [f"Images compared: {first} of the first cohort, {second} of the second."]
    if errors:
        lines += [f"{len(errors)} images could not be compared:", *(f"  {error}" for error in errors)]
    as_far = ", as far as could be compared" if errors else ""
    lines.append(f"{pairs['patient'].nunique()} patients in both{as_far}.")
    if unknown := nameless(a) + nameless(b):
        text = f"{unknown} subjects are known by their BraTS id alone: whether they are in both, too, cannot be told."
        lines.append(text)
    return pairs, errors, "\n".join(lines)


def overlap(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """Subjects of two cohort tables that are the same person, also under other names, one row a pair, with COLUMNS.

    A row is known by its patient, and by its subject where that is an id of a public cohort.
    """
    pairs = _names(a).merge(_names(b), on="patient", suffixes=("_a", "_b"))
    return pairs.drop_duplicates(["subject_a", "subject_b"]).assign(why="same patient")[COLUMNS]


def _names(table: pd.DataFrame) -> pd.DataFrame:
    by_patient, by_subject = table["patient"].map(canonical_patient), table["subject"].map(known_patient)
    names = pd.concat([table[["subject"]].assign(patient=names) for names in (by_patient, by_subject)])
    return names[names["patient"] != ""].drop_duplicates().sort_index()


def nameless(table: pd.DataFrame) -> int:
    """How many subjects are known by their BraTS id alone, so that no other cohort's patient can be told from them."""
    return int(table["patient"].str.match(r"BraTS2021_|BraTS-", case=False).sum())


def shared_images(
    a: pd.DataFrame, b: pd.DataFrame, jobs: int = -1, quiet: bool = False
) -> tuple[pd.DataFrame, tuple[int, int], list[InputError]]:
    """Subjects of two cohort tables that have an image with the same voxels, whatever its name, header or padding.

    Images that were resampled or normalised anew are not found. Returns pairs as `overlap`, how many images of
    each cohort were compared, and an error for each that could not be: it cannot be read, or is 0 everywhere.
    """
    hashes_a, errors_a = _hashes(a, "first", jobs, quiet)
    hashes_b, errors_b = _hashes(b, "second", jobs, quiet)
    pairs = hashes_a.merge(hashes_b, on="hash", suffixes=("_a", "_b"))
    both = pairs["image_a"] + " and " + pairs["image_b"]
    pairs["why"] = "same image: " + pairs["image_a"].where(pairs["image_a"] == pairs["image_b"], both)
    pairs = pairs.rename(columns={"patient_a": "patient"})[COLUMNS]
    return pairs, (len(hashes_a), len(hashes_b)), errors_a + errors_b


def refuse_overlap(training: pd.DataFrame, testing: pd.DataFrame) -> None:
    """A patient to train on must not be tested on: an InputError names the first few that stand in both tables."""
    pairs = overlap(training, testing)
    if len(pairs):
        shown = [f"{row.subject_a} is {row.subject_b}" for row in pairs.head(3).itertuples()]
        found = f"{pairs['patient'].nunique()} in both ({'; '.join(shown)}{' ...' if len(pairs) > 3 else ''})"
        advice = "Take them out of one table, or give different people other ids in the column patient;"
        advice += " `python -m glioma_idh.cohorts overlap A.csv B.csv` lists them all."
        raise InputError("no patient of the training cohort in the external one", found, advice)


def _hashes(table: pd.DataFrame, name: str, jobs: int, quiet: bool) -> tuple[pd.DataFrame, list[InputError]]:
    """Subject, patient, image (its column) and the hash of its voxels, one row an image; an error for each other."""
    rows = [(row, column) for _, row in table.iterrows() for column in SEQUENCES if row[column]]
    results = run_parallel((delayed(_hash)(row, column) for row, column in rows), jobs)
    outcomes = list(progress(results, total=len(rows), what=f"reading the {name} cohort", unit="image", quiet=quiet))
    errors = [outcome for outcome in outcomes if isinstance(outcome, InputError)]
    found = [outcome for outcome in outcomes if not isinstance(outcome, InputError)]
    return pd.DataFrame(found, columns=["subject", "patient", "image", "hash"]), errors


def _hash(row: pd.Series, column: str) -> tuple[str, str, str, str] | InputError:
    try:
        identity = voxel_hash(read_volume(row[column]))
    except InputError as error:
        return error.of_subject(row["subject"])
    if not identity:  # of an image of zeros, which is like any other
        return InputError("an image", "nothing but 0", "Check the scan.", row[column], row["subject"])
    return row["subject"], row["patient"], column, identity
