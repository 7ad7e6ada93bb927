"""Check one image: its row in the table of checks, and its problems."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from glioma_idh.errors import InputError
from glioma_idh.imaging.heuristics import classify_head, classify_intensities, estimate_background, why_not_stripped
from glioma_idh.imaging.masks import lesion_rectangle, mask_hash, parse_labels
from glioma_idh.imaging.volumes import Volume, check_same_grid, read_volume, voxel_hash

SCAN_COLUMNS = {
    "subject": "id of the subject",
    "patient": "id of the patient, the same for all visits",
    "cohort": "name of the cohort",
    "idh": "IDH status as in the cohort table",
    "image": "column of the cohort table: a sequence or a mask",
    "path": "path of the file",
    "shape": "number of voxels along the axes right, anterior and superior",
    "spacing_mm": "edge lengths of a voxel along the same axes, mm",
    "orientation": "direction of the axes in the file, such as LPS; empty if the header does not state it",
    "not_finite": "number of voxels that are NaN or infinite",
    "constant": "whether all voxels except the background have the same value",
    "minimum": "minimum of the voxels that are not background; ADC divided by adc_divisor",
    "maximum": "maximum of the same voxels",
    "mean": "mean of the same voxels",
    "sd": "standard deviation of the same voxels",
    "intensities": "estimated: raw or z-scored",
    "head": "estimated: skull-stripped, with skull or cannot tell",
    "labels": "values in a mask",
    "lesion_ml": "volume of the lesion mask with all its labels, ml",
    "share_of_brain": "lesion as a share of the brain, 0 to 1; the brain is the brain mask, else all non-background",
    "enhancing_label": "estimated from all masks of the cohort: 4 in BraTS up to 2021, 3 from 2023 on",
    "enhancing_ml": "volume of that label, ml; empty if the only label is 1, which may be the whole lesion",
    "grid": "same as the grid of the subject's first sequence, or the difference",
    "voxel_hash": "hash of the voxels (for a mask, of its non-zero voxels); the same image has the same hash",
    "refused": "networks that cannot use the image, slice CNN or SGPNet; an image with only a remark can be used",
    "problem": "problems of the image in sentences; empty if none were found",
}
SLICE_CNN, SGPNET = "slice CNN", "SGPNet"
FEW_VALUES = 10  # masks have at most this number of values, scans have more
WORDS = {"a NIfTI file": "no file", "a 3D volume": "not 3D"}  # short forms of `InputError.expected`


@dataclass
class Scan:
    """One image of a subject."""

    row: dict  # its row in the table of checks, by SCAN_COLUMNS
    volume: Volume = None  # type: ignore[assignment]  # its voxels, 0 where not finite; None if the file cannot be used
    tissue: np.ndarray = None  # type: ignore[assignment]  # of a sequence: which voxels are not background
    label_ml: dict[int, float] = field(default_factory=dict)  # of a mask: the volume of each label
    problems: list[tuple[str, str]] = field(default_factory=list)  # each as a short form and a sentence

    @property
    def image(self) -> str:
        """The column of the cohort table that contains the image."""
        return self.row["image"]

    def report(self, words: str, sentence: str) -> None:
        """Add a problem in a few words and in a sentence."""
        self.problems.append((words, sentence))

    def refuse(self, words: str, sentence: str, by: tuple[str, ...] = (SLICE_CNN, SGPNET)) -> None:
        """Add a problem because of which networks cannot use the image."""
        self.report(words, sentence)
        self.refuse_by(*by)

    def refuse_by(self, *networks: str) -> None:
        """Mark networks that cannot use the image, but add no problem, for example if another image causes it."""
        refused = {*self.row["refused"].split(", "), *networks} - {""}
        self.row["refused"] = ", ".join(name for name in (SLICE_CNN, SGPNET) if name in refused)


def open_scan(row: pd.Series, image: str) -> Scan:
    """Read an image of a row of the cohort table, and run the checks that scans and masks have in common."""
    identity = {name: row[name] for name in ("subject", "patient", "cohort", "idh")}
    scan = Scan(identity | {"image": image, "path": row[image], "refused": ""})
    try:
        volume = read_volume(row[image], finite=False)
    except InputError as error:
        found = error.found.replace(str(row[image]), "the file").rstrip(".")
        scan.refuse(WORDS.get(error.expected, "unreadable"), f"Expected {error.expected}, found {found}.")
        return scan
    wrong = ~np.isfinite(volume.array)
    scan.row["shape"] = " x ".join(str(n) for n in volume.array.shape)
    scan.row["spacing_mm"] = " x ".join(f"{edge:.2f}" for edge in volume.spacing_mm)
    scan.row["orientation"] = volume.stored_as
    scan.row["not_finite"] = int(np.count_nonzero(wrong))
    scan.row["voxel_hash"] = voxel_hash(volume)
    if wrong.any():
        scan.refuse("not finite", f"{scan.row['not_finite']} of {wrong.size} voxels are NaN or infinite.")
        volume = replace(volume, array=np.where(wrong, 0, volume.array))
    if not volume.stored_as:
        scan.report("no orientation", "The header states no axis directions; left and right are assumed.")
    scan.volume = volume
    return scan


def describe_sequence(scan: Scan, adc_divisor: str = "", has_brain_mask: bool = False) -> None:
    """Add the intensities of a sequence, divided by `adc_divisor`, to its row, and set its tissue.

    Without a brain mask, every voxel that is not 0 counts as brain; a skull, noise or a grey background is then
    reported as a problem.
    """
    volume = scan.volume
    background = estimate_background(volume.array)
    scan.tissue = volume.array != background
    values = volume.array[scan.tissue]
    box_ml, tissue_ml = volume.array.size * volume.voxel_ml, values.size * volume.voxel_ml
    scan.row["constant"] = values.size == 0 or bool(values.min() == values.max())
    scan.row["head"] = classify_head(tissue_ml, box_ml)
    if scan.row["constant"]:
        others = f", and all other voxels are {values[0]:g}" if values.size else ""
        where = "All voxels are" if not others else "The voxels of the background are"
        scan.refuse("constant", f"{where} {background:g}{others}.")
    elif all(len(np.unique(some)) <= FEW_VALUES for some in (values[::101], values)):  # a sample first, for speed
        scan.report("few values", f"It has only {len(np.unique(values))} values besides the background: is it a mask?")
    if reason := why_not_stripped(volume):
        scan.refuse_by(SGPNET)  # it uses no brain mask
        if not has_brain_mask:
            scan.refuse("not skull-stripped", f"It is not 0 outside the brain: {reason}.")
    if values.size:
        scan.row["intensities"] = classify_intensities(values, box_ml)
        try:
            factor = 1 / float(adc_divisor or 1)
        except (ValueError, ZeroDivisionError):
            scan.refuse("adc_divisor", f"adc_divisor is {adc_divisor!r}, which is not a number above 0.")
            factor = 1
        mean, sd = values.mean(dtype=np.float64), values.std(dtype=np.float64)
        numbers = {"minimum": values.min(), "maximum": values.max(), "mean": mean, "sd": sd}
        scan.row |= {name: float(number) * factor for name, number in numbers.items()}


def describe_mask(scan: Scan) -> None:
    """Add the labels and the volume of a mask to its row; its voxels become labels, or 0 if they cannot be read."""
    every, is_lesion = np.unique(scan.volume.array), scan.image == "lesion_mask"
    many = f"{len(every)} values from {every[0]:g} to {every[-1]:g}"
    scan.row["labels"] = " ".join(f"{label:g}" for label in every) if len(every) <= 10 else many
    try:
        array, remark = parse_labels(scan.volume.array)
    except InputError as error:
        scan.refuse("odd labels", f"Expected {error.expected}, found {error.found}.")
        scan.volume = replace(scan.volume, array=np.zeros(scan.volume.array.shape, np.uint8))
        return
    scan.volume = replace(scan.volume, array=array)
    scan.row["voxel_hash"] = mask_hash(array)
    labels, counts = np.unique(array[array != 0], return_counts=True)
    millilitres = counts * scan.volume.voxel_ml
    if is_lesion:
        scan.row["lesion_ml"] = float(millilitres.sum())
    if remark:
        scan.report("probabilities", f"The mask contains {remark}.")
    if labels.size == 0:
        scan.refuse("empty mask", "The mask is 0 everywhere.")
    elif not remark:
        scan.label_ml = {int(label): float(ml) for label, ml in zip(labels, millilitres, strict=True)}
    if is_lesion and labels.size:
        try:
            lesion_rectangle(array)
        except InputError as error:
            scan.refuse("no slice", f"Expected {error.expected}, found {error.found}.", by=(SLICE_CNN,))


def grid_difference(volume: Volume, reference: Volume) -> str:
    """Return how the grid of a volume differs from the reference; "" if it is the same."""
    try:
        check_same_grid(volume, reference)
    except InputError as error:
        return error.found if error.expected == "the same grid" else f"{error.found}, not {error.expected}"
    return ""


def compare_grids(scan: Scan, reference: Scan) -> None:
    """Add to a row whether its grid is the same as that of the subject's first sequence."""
    difference = grid_difference(scan.volume, reference.volume)
    scan.row["grid"] = difference or "same"
    if difference:
        scan.refuse("other grid", by=(SGPNET,), sentence=f"Not on the grid of {reference.image}: {difference}.")
