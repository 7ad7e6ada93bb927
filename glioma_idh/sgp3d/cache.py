"""Prepared subjects on disk: made once, found again by what their files hold, read as they are needed."""

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

VERSION = 1  # raised whenever the same files give other arrays
LOOK = 5  # raised whenever subjects are looked at for more: those that are stored are looked at again


@dataclass(frozen=True)
class CachedSubject:
    """A prepared subject in its folder of the cache: `scans.npy`, `mask.npy` and `note.json`, which is written last."""

    folder: Path

    @property
    def is_there(self) -> bool:
        """Whether it was prepared to the end."""
        return (self.folder / "note.json").exists()

    @cached_property
    def note(self) -> dict:
        """By name `lesion_ml`, `turned`, `other_brain` and `hashes` of the `PreparedSubject`, and how it was made."""
        return json.loads((self.folder / "note.json").read_text())

    def scans(self) -> np.ndarray:
        """float32, shape (i, j, k, 4), memory-mapped."""
        return np.load(self.folder / "scans.npy", mmap_mode="r")

    def mask(self) -> np.ndarray:
        """The lesion, 0 or 1, uint8, shape (i, j, k), memory-mapped."""
        return np.load(self.folder / "mask.npy", mmap_mode="r")

    def placement(self) -> Placement:
        """Where it lay in the patient."""
        box = tuple(tuple(side) for side in self.note["box"])
        return Placement(box, tuple(self.note["grid_shape"]), np.array(self.note["own_affine"]))

    def remarks(self) -> MaskRemarks:
        """What must be said of the mask."""
        subject, sentences, thresholded, fills_brain = self.note["remarks"]
        return MaskRemarks(subject, tuple(sentences), tuple(thresholded), fills_brain)


def cache_folder() -> Path:
    """Where prepared subjects lie: in the user's cache folder, or the one that GLIOMA_IDH_CACHE names."""
    return Path(os.environ.get("GLIOMA_IDH_CACHE") or platformdirs.user_cache_dir("glioma_idh")).expanduser() / "sgp3d"


def content_hash(row: pd.Series, shape: tuple[int, int, int]) -> str:
    """What a prepared subject depends on: the bytes of its five files, the shape, and how it is made."""
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


def store_subject(row: pd.Series, shape: tuple[int, int, int], with_skull: bool = False) -> CachedSubject:
    """Find a prepared subject in the cache, or prepare it; a kill leaves nothing that would be taken for whole."""
    try:
        stored = CachedSubject(cache_folder() / content_hash(row, shape))
    except InputError as error:
        raise error.of_subject(row["subject"]) from error
    # looked at as now; one let in with its skull counts only where that is wanted
    if stored.is_there and stored.note.get("look") == LOOK and (with_skull or not stored.note["with_skull"]):
        return stored
    prepared = prepare_subject(row, shape, True, with_skull)
    for name, array in {"scans": prepared.scans, "mask": prepared.mask}.items():
        with written_whole(stored.folder / f"{name}.npy") as part, open(part, "wb") as file:
            np.save(file, np.asarray(array))
    placement = prepared.placement
    note = {"box": placement.box, "grid_shape": placement.grid_shape, "own_affine": placement.own_affine.tolist()}
    note |= {"lesion_ml": prepared.lesion_ml, "remarks": prepared.remarks, "with_skull": with_skull, "look": LOOK}
    note |= {"turned": prepared.turned, "other_brain": prepared.other_brain, "hashes": prepared.hashes}
    with written_whole(stored.folder / "note.json") as part:
        part.write_text(json.dumps(note, default=int))
    return CachedSubject(stored.folder)


def store_cohort(table: pd.DataFrame, shape, jobs=-1, quiet=False, with_skull=False) -> tuple[pd.DataFrame, list]:
    """Prepare every subject of a cohort, in parallel; those that are in the cache already are only found.

    Returns the rows that could be used, with `lesion_ml`, `prepared` (the folder of each in the cache) and the columns
    of `hash_columns` added; and one error a subject that could not.
    """
    check_room(len(table), shape)
    table, kept, errors = each_row(store_subject, table, shape, with_skull, jobs=jobs, what="preparing", quiet=quiet)
    lesion_ml, hashes = ([stored.note[name] for stored in kept] for name in ("lesion_ml", "hashes"))
    prepared = [str(stored.folder) for stored in kept]
    return table.assign(lesion_ml=lesion_ml, prepared=prepared, **hash_columns(hashes)), errors


def restore_cohort(former: pd.DataFrame, shape, run_dir: Path, quiet: bool, with_skull=False) -> pd.DataFrame:
    """A run's cohort table, its subjects prepared again: the cache may have been emptied. No file may have changed."""
    table, errors = store_cohort(former.drop(columns="prepared"), shape, quiet=quiet, with_skull=with_skull)
    if errors:
        raise errors[0]
    for subject, was, now in zip(table["subject"], former["prepared"], table["prepared"], strict=True):
        if Path(was).name != Path(now).name:
            advice = "Put the former files back, or begin a new run."
            raise InputError("the scans that the run began with", "others", advice, run_dir, subject)
    return table


def check_room(num_subjects: int, shape: tuple[int, int, int]) -> None:
    """The cache must have a tenth of the room needed were nobody prepared yet: else it is full soon."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    needed, free = num_subjects * int(np.prod(shape)) * 17, shutil.disk_usage(folder).free
    if free < needed / 10:
        expected, found = f"room for {needed / 1e9:.1f} GB of prepared scans", f"{free / 1e9:.1f} GB free"
        raise InputError(expected, found, "Free some space, or name another folder in GLIOMA_IDH_CACHE.", file=folder)


def print_mask_remarks(table: pd.DataFrame) -> None:
    """Say what must be said of the masks of stored subjects, and of the axes and brains of their scans."""
    stored = {row.subject: CachedSubject(Path(row.prepared)) for row in table.itertuples()}
    print_remarks([of.remarks()._replace(subject=subject) for subject, of in stored.items()])
    print_found({subject: of.note["turned"] for subject, of in stored.items()}, len(table), TURNED)
    print_found({subject: of.note["other_brain"] for subject, of in stored.items()}, len(table), OTHER_BRAINS)


def measure_cohort(table: pd.DataFrame) -> pd.DataFrame:
    """Measure stored subjects: a row each, `subject` and what `measure_subject` gives."""
    rows = []
    for subject, folder, lesion_ml in zip(table["subject"], table["prepared"], table["lesion_ml"], strict=True):
        stored = CachedSubject(Path(folder))
        rows.append({"subject": subject} | measure_subject(np.asarray(stored.scans()), stored.placement(), lesion_ml))
    return pd.DataFrame(rows)
