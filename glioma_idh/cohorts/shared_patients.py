"""Find patients and images that two cohorts share, so that no patient is in both training and test."""

import pandas as pd
from joblib import delayed

from glioma_idh.cohorts.column_names import SEQUENCES
from glioma_idh.cohorts.manifests import canonical_patient, known_patient
from glioma_idh.errors import InputError
from glioma_idh.imaging.volumes import read_volume, voxel_hash
from glioma_idh.parallel import run_parallel
from glioma_idh.progress import progress

COLUMNS = ["subject_a", "subject_b", "patient", "why"]


def compare(
    a: pd.DataFrame, b: pd.DataFrame, with_images: bool, jobs: int, quiet: bool
) -> tuple[pd.DataFrame, list[InputError], str]:
    """Find all shared patients and images of two cohort tables.

    Args:
        a: cohort table.
        b: another cohort table.
        with_images: also compare the images by their voxels.
        jobs: number of processes; -1 for one per processor core.
        quiet: show no progress.

    Returns:
        The pairs (as from `overlap` and `shared_images`), an error per image that could not be compared, and a
        summary.
    """
    pairs = overlap(a, b)
    errors: list[InputError] = []
    lines: list[str] = []
    if with_images:
        of_images, (first, second), errors = shared_images(a, b, jobs, quiet)
        pairs = pd.concat([pairs, of_images], ignore_index=True)
        lines = [f"Images compared: {first} of the first cohort, {second} of the second."]
    if errors:
        lines += [f"{len(errors)} images could not be compared:", *(f"  {error}" for error in errors)]
    as_far = ", among those that could be compared" if errors else ""
    lines.append(f"{pairs['patient'].nunique()} patients are in both cohorts{as_far}.")
    if unknown := nameless(a) + nameless(b):
        text = f"{unknown} subjects have only a BraTS id, so that it is not known whether they are in both cohorts."
        lines.append(text)
    return pairs, errors, "\n".join(lines)


def overlap(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """Find subjects of two cohort tables that are the same patient, also under different ids.

    Patients are compared by the column `patient`, and by `subject` if it is an id of a public cohort.

    Returns:
        One row per pair: `subject_a, subject_b, patient, why`.
    """
    pairs = _names(a).merge(_names(b), on="patient", suffixes=("_a", "_b"))
    return pairs.drop_duplicates(["subject_a", "subject_b"]).assign(why="same patient")[COLUMNS]


def _names(table: pd.DataFrame) -> pd.DataFrame:
    by_patient, by_subject = table["patient"].map(canonical_patient), table["subject"].map(known_patient)
    names = pd.concat([table[["subject"]].assign(patient=names) for names in (by_patient, by_subject)])
    return names[names["patient"] != ""].drop_duplicates().sort_index()


def nameless(table: pd.DataFrame) -> int:
    """Count subjects that have only a BraTS id, which cannot be compared with other cohorts."""
    return int(table["patient"].str.match(r"BraTS2021_|BraTS-", case=False).sum())


def shared_images(
    a: pd.DataFrame, b: pd.DataFrame, jobs: int = -1, quiet: bool = False
) -> tuple[pd.DataFrame, tuple[int, int], list[InputError]]:
    """Find images with the same voxels in two cohort tables, whatever their name, header or padding.

    Images that were resampled or normalised differently are not found.

    Args:
        a: cohort table.
        b: another cohort table.
        jobs: number of processes; -1 for one per processor core.
        quiet: show no progress.

    Returns:
        Pairs as from `overlap`; the number of images compared in each cohort; and an error per image that could not be
        compared, because it cannot be read or is 0 everywhere.
    """
    hashes_a, errors_a = _hashes(a, "first", jobs, quiet)
    hashes_b, errors_b = _hashes(b, "second", jobs, quiet)
    pairs = hashes_a.merge(hashes_b, on="hash", suffixes=("_a", "_b"))
    both = pairs["image_a"] + " and " + pairs["image_b"]
    pairs["why"] = "same image: " + pairs["image_a"].where(pairs["image_a"] == pairs["image_b"], both)
    pairs = pairs.rename(columns={"patient_a": "patient"})[COLUMNS]
    return pairs, (len(hashes_a), len(hashes_b)), errors_a + errors_b


def refuse_overlap(training: pd.DataFrame, testing: pd.DataFrame) -> None:
    """Raise InputError, which lists the first shared patients, if a training patient is in the test cohort."""
    pairs = overlap(training, testing)
    if len(pairs):
        shown = [f"{row.subject_a} is {row.subject_b}" for row in pairs.head(3).itertuples()]
        found = f"{pairs['patient'].nunique()} in both ({'; '.join(shown)}{' ...' if len(pairs) > 3 else ''})"
        advice = "Remove them from one table. If they are different persons, give them different ids in the column"
        advice += " patient. `python -m glioma_idh.cohorts overlap A.csv B.csv` lists all pairs."
        raise InputError("no patient of the training cohort in the external cohort", found, advice)


def _hashes(table: pd.DataFrame, name: str, jobs: int, quiet: bool) -> tuple[pd.DataFrame, list[InputError]]:
    """Hash all images of a cohort: `subject, patient, image, hash` per image, and the errors of the other images."""
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
    if not identity:  # an image of zeros
        return InputError("an image", "only zeros", "Check the file.", row[column], row["subject"])
    return row["subject"], row["patient"], column, identity
