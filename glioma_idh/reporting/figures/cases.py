"""Single subjects to show: what a run saw of them, the middle of it, and what is said of them in a line."""

import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage

from glioma_idh import runs
from glioma_idh.cohorts.scans import read_mask, read_scan
from glioma_idh.cohorts.table import PATHS
from glioma_idh.errors import InputError
from glioma_idh.evaluation.metrics import has_values
from glioma_idh.imaging.masks import read_mask as read_mask_file
from glioma_idh.imaging.volumes import Box, bounding_box, crop
from glioma_idh.papers import find_paper
from glioma_idh.reporting.figures.canvas import GROUPS

SHOWN = ("t1", "t1gd", "t2", "flair")  # sequences that a network of volumes reads
UNREADABLE = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Case:
    """What there is to show of a subject, all on one grid, shape (i, j, k), RAS+."""

    images: dict[str, np.ndarray]  # by sequence
    reference: np.ndarray | None  # the lesion as annotated
    predicted: np.ndarray | None  # and as the network found it
    spacing_mm: tuple[float, float, float] | np.ndarray
    title: str  # what stands above, as `head_line` makes it

    @cached_property
    def outlines(self) -> dict[str, np.ndarray]:
        """The lesions there are, by name; an empty one is one that was looked for and not found."""
        lesions = {"reference": self.reference, "predicted": self.predicted}
        return {name: np.asarray(lesion, bool) for name, lesion in lesions.items() if lesion is not None}

    @cached_property
    def box(self) -> Box:
        """The smallest box that holds all that is not background, and the lesions."""
        return box_of(np.logical_or.reduce([*map(find_tissue, self.images.values()), *self.outlines.values()]))

    @cached_property
    def size_mm(self) -> np.ndarray:
        """Edge lengths of the box, shape (3,)."""
        return np.array([stop - start for start, stop in self.box]) * self.spacing_mm

    @cached_property
    def centre(self) -> tuple[int, int, int]:
        """The voxel to look at: the reference's centre, or else that of the lesion found, or else of the box."""
        for lesion in self.outlines.values():
            if lesion.any():
                return lesion_centre(lesion, self.spacing_mm)
        i, j, k = ((start + stop) // 2 for start, stop in self.box)
        return i, j, k


def choose_by_dice(predictions: pd.DataFrame) -> dict[str, str]:
    """The subjects with the best, the median (the lower of two) and the worst Dice, by those names.

    Each subject counts once, with the mean over the splits that tested it; of two subjects the worst is left out as
    the median, of one only the best is there.
    """
    dice = predictions.groupby("subject")["dice"].mean().dropna().sort_values(ascending=False, kind="stable")
    places = {"Best": 0, "Median": len(dice) // 2, "Worst": len(dice) - 1}
    names = {0: [], 1: ["Best"], 2: ["Best", "Worst"]}.get(len(dice), places)
    return {name: dice.index[places[name]] for name in names}


def read_cases(
    folder: Path, cohort: pd.DataFrame, predictions: pd.DataFrame, subjects: list[str]
) -> tuple[dict[str, Case], list[str]]:
    """What the networks of a run, with its two tables, saw of some subjects, or what there is of them.

    Where the folder holds slices, they are the cases, volumes of one slice, whose reference is what is not 0; else the
    scans that the cohort table names, with the masks that the folder holds. Returned are, by subject, those that could
    be read; and a sentence on each of the others.
    """
    paths = [column for column in PATHS if column in cohort]
    rows = cohort.assign(**cohort[paths].astype(object).where(cohort[paths].notna(), ""))
    rows, cases, gone = rows.drop_duplicates("subject").set_index("subject", drop=False), {}, []
    read = _read_slice if (folder / runs.SLICES).exists() else read_case
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
    """A subject's slice out of `slices.npz`."""
    advice = "Make the run again."
    try:
        settings = runs.read_recipe(folder)["recipe"]
        sequence = find_paper(settings).call(settings)  # type: ignore[union-attr]  # a run folder is of a paper
        with np.load(folder / runs.SLICES) as prepared:
            place = np.flatnonzero(prepared["subjects"] == row["subject"])
            slices = prepared["slices"][place, ..., 0]
    except UNREADABLE as error:
        raise InputError("readable slices in the run folder", type(error).__name__, advice) from error
    if len(slices) != 1:
        raise InputError("a slice of it in the run folder", f"{len(slices) or 'none'}", advice)
    image, (width, height) = slices[0][..., None], slices[0].shape
    title = head_line(row["subject"], truth=row["idh"], scores=predictions["score"], lesion_ml=row.get("lesion_ml"))
    title += f"; the slice that the network reads, stretched to {width} x {height}"
    return Case({sequence: image}, image != 0, None, (1.0, 1.0, 1.0), title)


def read_case(folder: Path, row: pd.Series, predictions: pd.DataFrame) -> Case:
    """A tested subject of a run, of its rows in both tables: the sequences, the reference and a mask that was kept.

    Of several tests the score is the mean; mask, volume and Dice are those of the split whose Dice is nearest to the
    mean, and the title names it. InputError: an image is not where it was, or they are not on one grid.
    """
    scans = {sequence: read_scan(row, sequence) for sequence in SHOWN if row.get(sequence)}
    if not scans:
        raise InputError("slices in the run folder, or scans in the cohort table", "neither", "Name its scans.")
    reference = read_mask(row).array != 0 if row.get("lesion_mask") else None
    predicted, numbers, which = None, {"lesion_ml": row.get("lesion_ml")}, ""
    if runs.has_masks(folder) and has_values(predictions, "dice"):
        file, shown, which = _kept_mask(folder, row["subject"], predictions)
        predicted = read_mask_file(file).array != 0
        numbers = shown[["dice", "lesion_ml", "predicted_ml"]].mean()
    title = head_line(row["subject"], truth=row["idh"], scores=predictions["score"], **numbers) + which
    spacing_mm = scans.get("flair", next(iter(scans.values()))).spacing_mm
    images = {sequence: scan.array for sequence, scan in scans.items()}
    case = Case(images, reference, predicted, tuple(spacing_mm), title)
    shapes = {array.shape for array in (*case.images.values(), *case.outlines.values())}
    if len(shapes) > 1:
        raise InputError("images on one grid", f"shapes {sorted(shapes)}", "Resample them.")
    return case


def _kept_mask(folder: Path, subject: str, predictions: pd.DataFrame) -> tuple[Path, pd.DataFrame, str]:
    """A subject's mask to show, the rows of its predictions that belong to it, and in words whose it is, "" of one.

    An older run kept one mask of all tests of a subject: there the numbers are means.
    """
    masks = runs.find_masks(folder, subject)
    kept = predictions[[test in masks for test in zip(predictions["repeat"], predictions["split"], strict=True)]]
    if kept.empty:
        which = f"; outline of one of {len(predictions)} tests, numbers are means" if len(predictions) > 1 else ""
        return folder / "masks" / f"{subject}.nii.gz", predictions, which
    place = (kept["dice"] - predictions["dice"].mean()).abs().argmin()
    shown = kept.iloc[[place]]
    file = masks[shown["repeat"].item(), shown["split"].item()]
    number = file.parent.parent.name.removeprefix("split_")
    which = f"; lesion and Dice of split {number}, one of {len(predictions)} that tested it"
    return file, shown, which if len(predictions) > 1 else ""


def head_line(subject, *, truth=None, scores=(), lesion_ml=None, predicted_ml=None, dice=None) -> str:
    """A subject in one line, with each network's score and the reference's volume; what is None or NaN is left out."""
    scores, parts = np.ravel(scores).astype(float), []
    if scores.size and np.isfinite(scores).all():
        spread = f" (sd {scores.std(ddof=1):.2f}, {scores.size} networks)" if scores.size > 1 else ""
        parts.append(f"probability of IDH mutation {scores.mean():.2f}{spread}")
    for name, volume in (("lesion", lesion_ml), ("network's lesion", predicted_ml)):
        if volume is not None and volume == volume:
            parts.append(f"{name} {volume:.{0 if volume >= 10 else 1}f} ml")
    if dice is not None and dice == dice:
        parts.append(f"Dice {dice:.2f}")
    known = truth is not None and truth == truth
    name = f"{subject} (IDH-{GROUPS[int(truth)][0]})" if known else str(subject)
    return f"{name}: {', '.join(parts)}" if parts else name


def lesion_centre(lesion: np.ndarray, spacing_mm) -> tuple[int, int, int]:
    """The voxel of a lesion's largest part, booleans not all false, that is nearest to its centre of gravity in mm."""
    box = bounding_box(lesion)
    parts, _ = ndimage.label(crop(lesion, box))
    voxels = np.argwhere(parts == 1 + np.bincount(parts.ravel())[1:].argmax())
    off_mm = (voxels - voxels.mean(axis=0)) * spacing_mm
    nearest = voxels[np.square(off_mm).sum(axis=1).argmin()]
    i, j, k = (int(n + start) for n, (start, _) in zip(nearest, box, strict=True))
    return i, j, k


def box_of(shown: np.ndarray) -> Box:
    """The smallest box that holds all that is true, or everything where nothing is."""
    return bounding_box(shown) if shown.any() else tuple((0, n) for n in shown.shape)


def find_tissue(image: np.ndarray) -> np.ndarray:
    """Voxels that are neither 0 nor as the first corner, which a standardisation makes of 0."""
    return (image != 0) & (image != image[0, 0, 0])


def grey_window(image: np.ndarray) -> tuple[float, float]:
    """What is shown black and what white: the 1st and the 99.5th percentile outside background."""
    tissue = image[find_tissue(image)]
    return tuple(np.percentile(tissue, (1, 99.5))) if tissue.size else (0, 1)
