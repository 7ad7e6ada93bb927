"""Subjects of a run to look at, read from its folder and from where its scans lie; those that are gone are left out."""

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from glioma_idh import runs
from glioma_idh.cohorts.scans import read_mask, read_scan
from glioma_idh.cohorts.table import PATHS
from glioma_idh.errors import InputError
from glioma_idh.evaluation.metrics import has_values
from glioma_idh.papers import find_paper
from glioma_idh.reporting.figures.cases import SHOWN, Case, head_line, read_case

UNREADABLE = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile)


def read_cases(
    folder: Path, cohort: pd.DataFrame, predictions: pd.DataFrame, subjects: list[str]
) -> tuple[dict[str, Case], list[str]]:
    """What a network saw of some subjects, or what there is of them.

    Args:
        folder: of the run. Where it holds slices, they are the cases; else the scans that the cohort table names, with
            the masks that the folder holds.
        cohort: its cohort table.
        predictions: its predictions table.
        subjects: who.

    Returns:
        By subject, those that could be read: of scans a volume each, of slices volumes of one slice, whose reference is
        what is not 0; and a sentence on each of the others.
    """
    paths = [column for column in PATHS if column in cohort]
    rows = cohort.assign(**cohort[paths].astype(object).where(cohort[paths].notna(), ""))
    rows, cases, gone = rows.drop_duplicates("subject").set_index("subject", drop=False), {}, []
    read = _read_slice if (folder / "slices.npz").exists() else _read_volumes
    for subject in subjects:
        try:
            if subject not in rows.index:
                raise InputError("it in the cohort table", "no such row", "Take both tables of one run.")
            cases[subject] = read(folder, rows.loc[subject], predictions[predictions["subject"] == subject])
        except InputError as error:
            gone.append(f"{subject} is not shown: expected {error.expected}; found {error.found}.")
    return cases, gone


def is_slice(case: Case) -> bool:
    """Whether a case is a slice as a network reads it, and no volume."""
    return next(iter(case.images.values())).shape[2] == 1


def _read_slice(folder: Path, row: pd.Series, predictions: pd.DataFrame) -> Case:
    """A subject's slice out of `slices.npz`.

    Raises:
        InputError: it is not there, or the file cannot be read.
    """
    advice = "Make the run again."
    try:
        settings = runs.read_recipe(folder)["recipe"]
        sequence = find_paper(settings).call(settings)
        with np.load(folder / "slices.npz") as prepared:
            place = np.flatnonzero(prepared["subjects"] == row["subject"])
            slices = prepared["slices"][place, ..., 0]
    except UNREADABLE as error:
        raise InputError("readable slices in the run folder", type(error).__name__, advice) from error
    if len(slices) != 1:
        raise InputError("a slice of it in the run folder", f"{len(slices) or 'none'}", advice)
    image, (width, height) = slices[0][..., None], slices[0].shape
    title = f"{_title(row, predictions)}; the slice that the network reads, stretched to {width} x {height}"
    return Case({sequence: image}, image != 0, None, (1.0, 1.0, 1.0), title)


def _read_volumes(folder: Path, row: pd.Series, predictions: pd.DataFrame) -> Case:
    """A subject's scans and lesions.

    Raises:
        InputError: one is not where it was, or they are not on one grid.
    """
    if runs.has_masks(folder) and has_values(predictions, "dice"):
        case = read_case(folder, row, predictions)
    else:
        scans = {sequence: read_scan(row, sequence) for sequence in SHOWN if row.get(sequence)}
        if not scans:
            raise InputError("slices in the run folder, or scans in the cohort table", "neither", "Name its scans.")
        reference = read_mask(row).array != 0 if row.get("lesion_mask") else None
        spacing_mm = tuple(next(iter(scans.values())).spacing_mm)
        images = {sequence: scan.array for sequence, scan in scans.items()}
        case = Case(images, reference, None, spacing_mm, _title(row, predictions))
    shapes = {array.shape for array in (*case.images.values(), *case.outlines.values())}
    if len(shapes) > 1:
        raise InputError("images on one grid", f"shapes {sorted(shapes)}", "Resample them.")
    return case


def _title(row: pd.Series, predictions: pd.DataFrame) -> str:
    """What stands above a case."""
    return head_line(row["subject"], truth=row["idh"], scores=predictions["score"], lesion_ml=row.get("lesion_ml"))
