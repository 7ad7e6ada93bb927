"""From a row of the cohort table to its images; and what must be said of the masks among them."""

import logging
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from glioma_idh.cohorts.column_names import MASK_NAMES, MASKS
from glioma_idh.errors import InputError
from glioma_idh.imaging import masks
from glioma_idh.imaging.masks import THRESHOLDED, Mask, measure_lesion
from glioma_idh.imaging.volumes import Volume, read_volume

HOW_TO_GET_A_LESION_MASK = "Draw the lesion with its oedema, or let `prepare --lesion-run` find it"
TURNED = "seem to have a scan with other axes than its header says"  # for `print_found`
OTHER_BRAINS = "have scans that cover different brains"
WITH_SKULL = "or add --with-skull if all that is not 0 shall count."
logger = logging.getLogger(__name__)


def read_mask(row: pd.Series, column: str = "lesion_mask", order: str = "C") -> Mask:
    """Read a mask of a subject as labels; `order` as of `read_volume`. InputError: no file, unreadable, or no mask."""
    require_path(row, column)
    return masks.read_mask(row[column], order)


def read_scan(row: pd.Series, column: str, dtype=np.float32, order: str = "C") -> Volume:
    """Read one sequence of a subject, RAS+; `dtype` and `order` as `read_volume`, an InputError where it is no scan.

    An `adc` image is divided by the row's `adc_divisor` (3 where it is the trace of the tensor).
    """
    require_path(row, column)
    volume = read_volume(row[column], dtype, order=order)
    divisor = row.get("adc_divisor", "")
    if column != "adc" or not divisor:
        return volume
    try:
        factor = 1 / float(divisor)
    except (ValueError, ZeroDivisionError) as error:
        raise InputError("a number to divide the ADC by", repr(divisor), "Correct adc_divisor.") from error
    return replace(volume, array=volume.array * volume.array.dtype.type(factor))


def require_path(row: pd.Series, column: str) -> None:
    """A row must have a path in a column; of a lesion mask the InputError says how to get one."""
    if row[column]:
        return
    advice = "Add it, or leave the subject out."
    if column == "lesion_mask":
        advice = f"{HOW_TO_GET_A_LESION_MASK}; then add its path to the table, or leave the subject out."
    raise InputError(f"a {'mask' if column in MASKS else 'scan'} in column {column}", "none", advice)


class MaskRemarks(NamedTuple):
    """What must be said of the masks of one subject."""

    subject: str
    sentences: tuple[str, ...] = ()  # what looks wrong
    thresholded: tuple[str, ...] = ()  # the masks that are probabilities, in words
    fills_brain: bool = False  # whether the lesion fills more than half of it


def remarks_on(subject: str, lesion: Mask, brain: np.ndarray, brain_mask: Mask | None = None) -> MaskRemarks:
    """What must be said of a subject's lesion mask, which is not empty, in its brain, booleans of the same shape.

    `brain_mask` is what the brain was read from, if it was a mask. A mask that can be of no lesion is an InputError.
    """
    facts = measure_lesion(lesion.array, brain, lesion.voxel_ml)
    facts.require_lesion(lesion.file)
    pairs = zip(MASK_NAMES.values(), (lesion, brain_mask), strict=True)
    thresholded = tuple(name for name, mask in pairs if mask is not None and mask.remark)
    return MaskRemarks(str(subject), tuple(facts.remarks().values()), thresholded, facts.fills_brain)


def print_remarks(remarks: list[MaskRemarks], said: set[str] | None = None) -> None:
    """Say each odd mask, and in one line, with a count, what many have; not of those in `said`, who are added."""
    said = set() if said is None else said
    remarks = [of for of in remarks if of.subject not in said]
    said.update(of.subject for of in remarks)
    lines = [f"{of.subject}: {sentence}" for of in remarks for sentence in of.sentences]
    for name in MASK_NAMES.values():
        if subjects := [of.subject for of in remarks if name in of.thresholded]:
            shown = _first(subjects)
            lines.append(f"The {name} of {len(subjects)} of {len(remarks)} subjects holds {THRESHOLDED} ({shown}).")
    if full := sum(of.fills_brain for of in remarks):
        text = "the lesion fills more than half of the brain, as it does in crops around a lesion."
        lines.append(f"In {full} of {len(remarks)} subjects {text}")
    for line in lines:
        logger.warning(line)


def print_found(found: dict[str, str], num_subjects: int, what: str) -> None:
    """Say in one line of how many subjects `what` is true, and the sentence that shows it (by subject) of the first."""
    if subjects := [subject for subject, sentence in found.items() if sentence]:
        text = f"{len(subjects)} of {num_subjects} subjects {what} ({_first(subjects)})"
        logger.warning(f"{text}. {subjects[0]}: {found[subjects[0]]}")


def _first(subjects: list[str]) -> str:
    return ", ".join(subjects[:3]) + (" ..." if len(subjects) > 3 else "")
