"""Single subjects for figures: their images and lesions, the slice to show, and a title line."""

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

SHOWN = ("t1", "t1gd", "t2", "flair")  # input sequences of a 3D network
UNREADABLE = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Case:
    """Images and lesions of a subject, all on one grid, shape (i, j, k), RAS+."""

    images: dict[str, np.ndarray]  # by sequence
    reference: np.ndarray | None  # the annotated lesion
    predicted: np.ndarray | None  # the lesion segmented by the network
    spacing_mm: tuple[float, float, float] | np.ndarray
    title: str  # from `head_line`

    @cached_property
    def outlines(self) -> dict[str, np.ndarray]:
        """The available lesions, by name; an empty one means that no lesion was found."""
        lesions = {"reference": self.reference, "predicted": self.predicted}
        return {name: np.asarray(lesion, bool) for name, lesion in lesions.items() if lesion is not None}

    @cached_property
    def box(self) -> Box:
        """The smallest box that contains all tissue and the lesions."""
        return box_of(np.logical_or.reduce([*map(find_tissue, self.images.values()), *self.outlines.values()]))

    @cached_property
    def size_mm(self) -> np.ndarray:
        """Edge lengths of the box, shape (3,)."""
        return np.array([stop - start for start, stop in self.box]) * self.spacing_mm

    @cached_property
    def centre(self) -> tuple[int, int, int]:
        """The voxel to show: the centre of the reference lesion, else of the predicted lesion, else of the box."""
        for lesion in self.outlines.values():
            if lesion.any():
                return lesion_centre(lesion, self.spacing_mm)
        i, j, k = ((start + stop) // 2 for start, stop in self.box)
        return i, j, k


def choose_by_dice(predictions: pd.DataFrame) -> dict[str, str]:
    """The subjects with the best, the median (the lower of two) and the worst Dice, by those names.

    Each subject counts once, with its mean over the splits. Of two subjects there is no median; of one, only the best.
    """
    dice = predictions.groupby("subject")["dice"].mean().dropna().sort_values(ascending=False, kind="stable")
    places = {"Best": 0, "Median": len(dice) // 2, "Worst": len(dice) - 1}
    names = {0: [], 1: ["Best"], 2: ["Best", "Worst"]}.get(len(dice), places)
    return {name: dice.index[places[name]] for name in names}


def read_cases(
    folder: Path, cohort: pd.DataFrame, predictions: pd.DataFrame, subjects: list[str]
) -> tuple[dict[str, Case], list[str]]:
    """Read the images of some subjects of a run, given its cohort table and predictions.

    If the run folder holds slices, each case is a volume of one slice whose reference lesion is its non-zero part;
    otherwise a case has the scans named in the cohort table and the masks in the run folder. Returns the cases by
    subject, and one sentence for each subject that could not be read.
    """
    paths = [column for column in PATHS if column in cohort]
    rows = cohort.assign(**cohort[paths].astype(object).where(cohort[paths].notna(), ""))
    rows, cases, gone = rows.drop_duplicates("subject").set_index("subject", drop=False), {}, []
    read = _read_slice if (folder / runs.SLICES).exists() else read_case
    for subject in subjects:
        try:
            if subject not in rows.index:
                raise InputError("a row in the cohort table", "none", "Use both tables of the same run.")
            cases[subject] = read(folder, rows.loc[subject], predictions[predictions["subject"] == subject])
        except InputError as error:
            gone.append(f"{subject} is not shown: expected {error.expected}; found {error.found}.")
    return cases, gone


def is_slice(case: Case) -> bool:
    """Whether a case is a single slice (2D network) and not a volume."""
    return next(iter(case.images.values())).shape[2] == 1


def _read_slice(folder: Path, row: pd.Series, predictions: pd.DataFrame) -> Case:
    """Read a subject's slice from `slices.npz`."""
    advice = "Repeat the run."
    try:
        settings = runs.read_recipe(folder)["recipe"]
        sequence = find_paper(settings).call(settings)  # type: ignore[union-attr]  # a run folder is of a paper
        with np.load(folder / runs.SLICES) as prepared:
            place = np.flatnonzero(prepared["subjects"] == row["subject"])
            slices = prepared["slices"][place, ..., 0]
    except UNREADABLE as error:
        raise InputError("readable slices in the run folder", type(error).__name__, advice) from error
    if len(slices) != 1:
        raise InputError("one slice of the subject in the run folder", f"{len(slices) or 'none'}", advice)
    image, (width, height) = slices[0][..., None], slices[0].shape
    title = head_line(row["subject"], truth=row["idh"], scores=predictions["score"], lesion_ml=row.get("lesion_ml"))
    title += f"; slice as the network receives it, resampled to {width} x {height} pixels"
    return Case({sequence: image}, image != 0, None, (1.0, 1.0, 1.0), title)


def read_case(folder: Path, row: pd.Series, predictions: pd.DataFrame) -> Case:
    """Read a tested subject from its rows in both tables: the sequences, the reference lesion and a stored mask.

    If the subject was tested several times, the score is the mean; mask, volume and Dice are those of the split whose
    Dice is closest to the mean, and the title names that split. InputError: an image is missing, or the images are not
    on the same grid.
    """
    scans = {sequence: read_scan(row, sequence) for sequence in SHOWN if row.get(sequence)}
    if not scans:
        advice = "Add the paths of the scans to the cohort table."
        raise InputError("slices in the run folder, or scans in the cohort table", "neither", advice)
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
        raise InputError("images on the same grid", f"shapes {sorted(shapes)}", "Resample them.")
    return case


def _kept_mask(folder: Path, subject: str, predictions: pd.DataFrame) -> tuple[Path, pd.DataFrame, str]:
    """The mask of a subject to show, its rows of the predictions, and which split it is from ("" if there is only one).

    Older runs stored one mask for all tests of a subject; then the numbers are means.
    """
    masks = runs.find_masks(folder, subject)
    kept = predictions[[test in masks for test in zip(predictions["repeat"], predictions["split"], strict=True)]]
    if kept.empty:
        which = f"; outline from one of {len(predictions)} tests, numbers are means" if len(predictions) > 1 else ""
        return folder / "masks" / f"{subject}.nii.gz", predictions, which
    place = (kept["dice"] - predictions["dice"].mean()).abs().argmin()
    shown = kept.iloc[[place]]
    file = masks[shown["repeat"].item(), shown["split"].item()]
    number = file.parent.parent.name.removeprefix("split_")
    which = f"; lesion and Dice from split {number}, one of {len(predictions)} tests"
    return file, shown, which if len(predictions) > 1 else ""


def head_line(subject, *, truth=None, scores=(), lesion_ml=None, predicted_ml=None, dice=None) -> str:
    """Describe a subject in one line: IDH status, score, volumes and Dice; None and NaN are left out."""
    scores, parts = np.ravel(scores).astype(float), []
    if scores.size and np.isfinite(scores).all():
        spread = f" (SD {scores.std(ddof=1):.2f}, {scores.size} networks)" if scores.size > 1 else ""
        parts.append(f"probability of IDH mutation {scores.mean():.2f}{spread}")
    for name, volume in (("lesion", lesion_ml), ("predicted lesion", predicted_ml)):
        if volume is not None and volume == volume:
            parts.append(f"{name} {volume:.{0 if volume >= 10 else 1}f} ml")
    if dice is not None and dice == dice:
        parts.append(f"Dice {dice:.2f}")
    known = truth is not None and truth == truth
    name = f"{subject} (IDH-{GROUPS[int(truth)][0]})" if known else str(subject)
    return f"{name}: {', '.join(parts)}" if parts else name


def lesion_centre(lesion: np.ndarray, spacing_mm) -> tuple[int, int, int]:
    """The voxel of the largest part of a lesion (booleans, not empty) closest to its centre of gravity, in mm."""
    box = bounding_box(lesion)
    parts, _ = ndimage.label(crop(lesion, box))
    voxels = np.argwhere(parts == 1 + np.bincount(parts.ravel())[1:].argmax())
    off_mm = (voxels - voxels.mean(axis=0)) * spacing_mm
    nearest = voxels[np.square(off_mm).sum(axis=1).argmin()]
    i, j, k = (int(n + start) for n, (start, _) in zip(nearest, box, strict=True))
    return i, j, k


def box_of(shown: np.ndarray) -> Box:
    """The smallest box that contains all true voxels, or the whole grid if there are none."""
    return bounding_box(shown) if shown.any() else tuple((0, n) for n in shown.shape)


def find_tissue(image: np.ndarray) -> np.ndarray:
    """Voxels that differ from 0 and from the first corner (the background after standardisation)."""
    return (image != 0) & (image != image[0, 0, 0])


def grey_window(image: np.ndarray) -> tuple[float, float]:
    """Intensities shown as black and white: the 1st and the 99.5th percentile of the tissue."""
    tissue = image[find_tissue(image)]
    return tuple(np.percentile(tissue, (1, 99.5))) if tissue.size else (0, 1)
