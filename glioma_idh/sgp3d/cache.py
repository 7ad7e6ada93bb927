"""A cache of preprocessed subjects on disk. Subjects are found by the content of their image files."""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import platformdirs

from glioma_idh.cohorts.checks.copies import hash_columns
from glioma_idh.cohorts.scans import OTHER_BRAINS, TURNED, MaskRemarks, print_found, print_remarks, require_path
from glioma_idh.errors import InputError
from glioma_idh.files import written_whole
from glioma_idh.parallel import each_row
from glioma_idh.sgp3d.measures import measure_subject
from glioma_idh.sgp3d.paper import SEQUENCES
from glioma_idh.sgp3d.preprocessing import Placement, prepare_subject

VERSION = 1  # increased when preprocessing changes its results
LOOK = 5  # increased when the checks of images change: cached subjects are then processed again


@dataclass(frozen=True)
class CachedSubject:
    """A preprocessed subject in its cache folder: `scans.npy`, `mask.npy` and `note.json`, which is written last."""

    folder: Path

    @property
    def is_complete(self) -> bool:
        """Whether all files are written."""
        return (self.folder / "note.json").exists()

    @cached_property
    def record(self) -> dict:
        """Content of `note.json`: fields of `PreparedSubject` (`lesion_ml`, `turned` ...) and how it was made."""
        return json.loads((self.folder / "note.json").read_text())

    def scans(self) -> np.ndarray:
        """Read the network input: float32, shape (i, j, k, 4), memory-mapped."""
        return np.load(self.folder / "scans.npy", mmap_mode="r")

    def mask(self) -> np.ndarray:
        """Read the lesion mask: 0 or 1, uint8, shape (i, j, k), memory-mapped."""
        return np.load(self.folder / "mask.npy", mmap_mode="r")

    def placement(self) -> Placement:
        """Return the position of the crop in the patient's own grid."""
        box = tuple(tuple(side) for side in self.record["box"])
        return Placement(box, tuple(self.record["grid_shape"]), np.array(self.record["own_affine"]))

    def remarks(self) -> MaskRemarks:
        """Return the remarks on the mask."""
        subject, sentences, thresholded, fills_brain = self.record["remarks"]
        return MaskRemarks(subject, tuple(sentences), tuple(thresholded), fills_brain)


def cache_folder() -> Path:
    """Return the cache folder: that of the user, or the environment variable GLIOMA_IDH_CACHE."""
    return Path(os.environ.get("GLIOMA_IDH_CACHE") or platformdirs.user_cache_dir("glioma_idh")).expanduser() / "sgp3d"


def content_hash(row: pd.Series, shape: tuple[int, int, int]) -> str:
    """Hash everything that a preprocessed subject depends on: its five files, the shape, and VERSION."""
    digest = hashlib.sha256(json.dumps([VERSION, list(shape)]).encode())
    for column in (*SEQUENCES, "lesion_mask"):
        require_path(row, column)
        try:
            with open(row[column], "rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            advice = "Check the path in the cohort table."
            raise InputError("a NIfTI file", error.strerror or str(error), advice, file=row[column]) from error
    return digest.hexdigest()[:20]


def cache_subject(row: pd.Series, shape: tuple[int, int, int], with_skull: bool = False) -> CachedSubject:
    """Find a subject in the cache, or preprocess it. An interrupted subject is processed again."""
    try:
        cached = CachedSubject(cache_folder() / content_hash(row, shape))
    except InputError as error:
        raise error.of_subject(row["subject"]) from error
    # valid if checked by this version; one cached with `with_skull` is valid only with `with_skull`
    if cached.is_complete and cached.record.get("look") == LOOK and (with_skull or not cached.record["with_skull"]):
        return cached
    prepared = prepare_subject(row, shape, True, with_skull)
    for name, array in {"scans": prepared.scans, "mask": prepared.mask}.items():
        with written_whole(cached.folder / f"{name}.npy") as part, open(part, "wb") as file:
            np.save(file, np.asarray(array))
    placement = prepared.placement
    record = {"box": placement.box, "grid_shape": placement.grid_shape, "own_affine": placement.own_affine.tolist()}
    record |= {"lesion_ml": prepared.lesion_ml, "remarks": prepared.remarks, "with_skull": with_skull, "look": LOOK}
    record |= {"turned": prepared.turned, "other_brain": prepared.other_brain, "hashes": prepared.hashes}
    with written_whole(cached.folder / "note.json") as part:
        part.write_text(json.dumps(record, default=int))
    return CachedSubject(cached.folder)


def cache_cohort(
    table: pd.DataFrame, shape: tuple[int, int, int], jobs: int = -1, quiet: bool = False, with_skull: bool = False
) -> tuple[pd.DataFrame, list[InputError]]:
    """Preprocess every subject of a cohort that is not in the cache yet, in parallel.

    Returns:
        The rows that could be used, with columns `lesion_ml`, `prepared` (cache folder) and those of `hash_columns`.
        One error per subject that could not be used.
    """
    check_room(len(table), shape)
    table, cached, errors = each_row(
        cache_subject, table, shape, with_skull, jobs=jobs, what="preprocessing", quiet=quiet
    )
    lesion_ml, hashes = ([subject.record[name] for subject in cached] for name in ("lesion_ml", "hashes"))
    folders = [str(subject.folder) for subject in cached]
    return table.assign(lesion_ml=lesion_ml, prepared=folders, **hash_columns(hashes)), errors


def restore_cohort(
    cohort: pd.DataFrame, shape: tuple[int, int, int], run_dir: Path, quiet: bool, with_skull: bool = False
) -> pd.DataFrame:
    """Preprocess the subjects of a run that are no longer in the cache; returns the updated cohort table.

    Raises InputError if an image file has changed since the run was started.
    """
    table, errors = cache_cohort(cohort.drop(columns="prepared"), shape, quiet=quiet, with_skull=with_skull)
    if errors:
        raise errors[0]
    for subject, was, now in zip(table["subject"], cohort["prepared"], table["prepared"], strict=True):
        if Path(was).name != Path(now).name:
            advice = "Restore the earlier files, or start a new run."
            raise InputError("the same images as when the run was started", "changed images", advice, run_dir, subject)
    return table


def check_room(num_subjects: int, shape: tuple[int, int, int]) -> None:
    """Raise an InputError if the disk of the cache has less than a tenth of the space that all subjects need."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    needed, free = num_subjects * int(np.prod(shape)) * 17, shutil.disk_usage(folder).free
    if free < needed / 10:
        expected, found = f"{needed / 1e9:.1f} GB of disk space for the cache", f"{free / 1e9:.1f} GB free"
        advice = "Free some space, or set the environment variable GLIOMA_IDH_CACHE to another folder."
        raise InputError(expected, found, advice, file=folder)


def print_mask_remarks(table: pd.DataFrame) -> None:
    """Print remarks on the masks of cached subjects, and on the axes and brains of their scans."""
    cached = {row.subject: CachedSubject(Path(row.prepared)) for row in table.itertuples()}
    print_remarks([subject.remarks()._replace(subject=name) for name, subject in cached.items()])
    print_found({name: subject.record["turned"] for name, subject in cached.items()}, len(table), TURNED)
    print_found({name: subject.record["other_brain"] for name, subject in cached.items()}, len(table), OTHER_BRAINS)


def measure_cohort(table: pd.DataFrame) -> pd.DataFrame:
    """Measure cached subjects: one row each, with `subject` and the measures of `measure_subject`."""
    rows = []
    for subject, folder, lesion_ml in zip(table["subject"], table["prepared"], table["lesion_ml"], strict=True):
        cached = CachedSubject(Path(folder))
        rows.append({"subject": subject} | measure_subject(np.asarray(cached.scans()), cached.placement(), lesion_ml))
    return pd.DataFrame(rows)
