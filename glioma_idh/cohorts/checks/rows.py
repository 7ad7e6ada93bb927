"""One image on its own: its row in the table of checks, and what is wrong with it."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from glioma_idh.errors import InputError
from glioma_idh.imaging.heuristics import classify_head, classify_intensities, estimate_background, why_not_stripped
from glioma_idh.imaging.masks import lesion_rectangle, mask_hash, parse_labels
from glioma_idh.imaging.volumes import Volume, check_same_grid, read_volume, voxel_hash

SCAN_COLUMNS = {
    "subject": "id of the subject",
    "patient": "id of the person",
    "cohort": "name of the cohort",
    "idh": "as in the cohort table",
    "image": "column of the cohort table: a sequence or a mask",
    "path": "of the file",
    "shape": "voxels to the right, front and top",
    "spacing_mm": "edge lengths of a voxel to the right, front and top",
    "orientation": "where the axes run in the file, such as LPS; empty where its header does not say",
    "not_finite": "number of voxels that are NaN or infinite",
    "constant": "whether all voxels but the background are alike",
    "minimum": "of the voxels that are not background; ADC divided by adc_divisor",
    "maximum": "likewise",
    "mean": "likewise",
    "sd": "likewise",
    "intensities": "a guess: raw or z-scored",
    "head": "a guess: skull-stripped, with skull or cannot tell",
    "labels": "values in a mask",
    "lesion_ml": "volume of the lesion mask, all labels",
    "share_of_brain": "share of the brain that is lesion, 0 to 1; of the brain mask, else of what is not background",
    "enhancing_label": "a guess from all masks of the cohort: 4 by BraTS up to 2021, 3 from 2023 on",
    "enhancing_ml": "volume of that label; empty where the only label is 1, which may be the whole lesion",
    "grid": "same as that of the subject's first sequence, or how it differs",
    "voxel_hash": "identity of the voxels, of a mask which are not 0: rows that agree hold the same image",
    "refused": "the networks that do not take it, slice CNN or SGPNet; with a remark alone it is taken",
    "problem": "what is wrong, in sentences; empty where nothing was found",
}
SLICE_CNN, SGPNET = "slice CNN", "SGPNet"
FEW_VALUES = 10  # no scan has so few; a mask has
WORDS = {"a NIfTI file": "no file", "a 3D volume": "not 3D"}


@dataclass
class Scan:
    """One image of a subject."""

    row: dict  # what the table says of it, by SCAN_COLUMNS
    volume: Volume = None  # type: ignore[assignment]  # its voxels, 0 where they are not finite; None where the file cannot be used
    tissue: np.ndarray = None  # type: ignore[assignment]  # of a sequence, which voxels are not background; booleans
    label_ml: dict[int, float] = field(default_factory=dict)  # of a mask, the volume of each label
    problems: list[tuple[str, str]] = field(default_factory=list)  # a few words, and a sentence, for each

    @property
    def image(self) -> str:
        """The column of the cohort table that it stands in."""
        return self.row["image"]

    def report(self, words: str, sentence: str) -> None:
        self.problems.append((words, sentence))

    def refuse(self, words: str, sentence: str, by: tuple[str, ...] = (SLICE_CNN, SGPNET)) -> None:
        """Note something for which networks do not take the image."""
        self.report(words, sentence)
        self.refuse_by(*by)

    def refuse_by(self, *networks: str) -> None:
        """Note networks that do not take the image, without a word: another image's problem, or no concern of most."""
        refused = {*self.row["refused"].split(", "), *networks} - {""}
        self.row["refused"] = ", ".join(name for name in (SLICE_CNN, SGPNET) if name in refused)


def open_scan(row: pd.Series, image: str) -> Scan:
    """Read the image in a column of a row of the cohort table, and say what holds for scans and masks alike."""
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
        scan.report("no orientation", "The header does not say which way the axes run; left and right are a guess.")
    scan.volume = volume
    return scan


def describe_sequence(scan: Scan, adc_divisor: str = "", has_brain_mask: bool = False) -> None:
    """Add to a sequence's row its intensities, divided by `adc_divisor`, and what they look like; note its tissue.

    Without a brain mask the brain is what is not 0, and a skull, noise or a grey background is reported.
    """
    volume = scan.volume
    background = estimate_background(volume.array)
    scan.tissue = volume.array != background
    values = volume.array[scan.tissue]
    box_ml, tissue_ml = volume.array.size * volume.voxel_ml, values.size * volume.voxel_ml
    scan.row["constant"] = values.size == 0 or bool(values.min() == values.max())
    scan.row["head"] = classify_head(tissue_ml, box_ml)
    if scan.row["constant"]:
        others = f", and every other one {values[0]:g}" if values.size else ""
        where = "Every voxel is" if not others else "Voxels of the background are"
        scan.refuse("constant", f"{where} {background:g}{others}.")
    elif all(len(np.unique(some)) <= FEW_VALUES for some in (values[::101], values)):  # of few first, which is quick
        scan.report("few values", f"It holds {len(np.unique(values))} values beside the background: is it a mask?")
    if reason := why_not_stripped(volume):
        scan.refuse_by(SGPNET)  # which reads no brain mask
        if not has_brain_mask:
            scan.refuse("not brain alone", f"Not 0 is more than the brain: {reason}.")
    if values.size:
        scan.row["intensities"] = classify_intensities(values, box_ml)
        try:
            factor = 1 / float(adc_divisor or 1)
        except (ValueError, ZeroDivisionError):
            scan.refuse("adc_divisor", f"adc_divisor is {adc_divisor!r}, which nothing can be divided by.")
            factor = 1
        mean, sd = values.mean(dtype=np.float64), values.std(dtype=np.float64)
        numbers = {"minimum": values.min(), "maximum": values.max(), "mean": mean, "sd": sd}
        scan.row |= {name: float(number) * factor for name, number in numbers.items()}


def describe_mask(scan: Scan) -> None:
    """Add to a mask's row its labels and volume; its voxels become labels, or all 0 where they are none."""
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
        scan.report("probabilities", f"The mask holds {remark}.")
    if labels.size == 0:
        scan.refuse("empty mask", "The mask marks no voxel.")
    elif not remark:
        scan.label_ml = {int(label): float(ml) for label, ml in zip(labels, millilitres, strict=True)}
    if is_lesion and labels.size:
        try:
            lesion_rectangle(array)
        except InputError as error:
            scan.refuse("no slice", f"Expected {error.expected}, found {error.found}.", by=(SLICE_CNN,))


def grid_difference(volume: Volume, reference: Volume) -> str:
    """How the grid of a volume differs from another's; nothing where it is the same."""
    try:
        check_same_grid(volume, reference)
    except InputError as error:
        return error.found if error.expected == "the same grid" else f"{error.found}, not {error.expected}"
    return ""


def compare_grids(scan: Scan, reference: Scan) -> None:
    """Add to a row whether its grid is that of the subject's first sequence."""
    difference = grid_difference(scan.volume, reference.volume)
    scan.row["grid"] = difference or "same"
    if difference:
        scan.refuse("other grid", by=(SGPNET,), sentence=f"Not on the grid of {reference.image}: {difference}.")
