"""Read the images of a row of the cohort table, and log remarks on them."""

import logging
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import DTypeLike

from glioma_idh.cohorts.column_names import MASK_NAMES, MASKS, SEQUENCE_NAMES
from glioma_idh.errors import InputError
from glioma_idh.imaging import masks
from glioma_idh.imaging.masks import THRESHOLDED, Mask, measure_lesion
from glioma_idh.imaging.volumes import Volume, read_volume

HOW_TO_GET_A_LESION_MASK = "Segment the lesion with its oedema, or use `prepare --lesion-run`"
TURNED = "seem to have an image with other axes than its header states"  # for `print_found`
OTHER_BRAINS = "have sequences that cover different brains"
WITH_SKULL = "or add --with-skull to use all voxels that are not 0."
logger = logging.getLogger(__name__)


def read_mask(row: pd.Series, column: str = "lesion_mask", order: Literal["C", "K"] = "C") -> Mask:
    """Read a mask of a subject as labels.

    Args:
        row: row of the cohort table.
        column: `lesion_mask` or `brain_mask`.
        order: memory order, as for `read_volume`.

    Raises:
        InputError: the path is empty, or the file cannot be read or is not a mask.
    """
    require_path(row, column)
    return masks.read_mask(row[column], order)


def read_scan(
    row: pd.Series, column: str, dtype: DTypeLike | None = np.float32, order: Literal["C", "K"] = "C"
) -> Volume:
    """Read a sequence of a subject, RAS+. ADC is divided by the row's `adc_divisor` (3 for the trace of the tensor).

    Args:
        row: row of the cohort table.
        column: internal name of the sequence.
        dtype: data type, as for `read_volume`.
        order: memory order, as for `read_volume`.

    Raises:
        InputError: the path is empty, or the file cannot be read or is not a 3D image.
    """
    require_path(row, column)
    volume = read_volume(row[column], dtype, order=order)
    divisor = row.get("adc_divisor", "")
    if column != "adc" or not divisor:
        return volume
    try:
        factor = 1 / float(divisor)
    except (ValueError, ZeroDivisionError) as error:
        raise InputError("a number as divisor of the ADC", repr(divisor), "Correct adc_divisor.") from error
    return replace(volume, array=volume.array * volume.array.dtype.type(factor))


def require_path(row: pd.Series, column: str) -> None:
    """Raise InputError if a row has no path in a column; for a lesion mask it says how to make one."""
    if row[column]:
        return
    advice = "Add its path to the table, or leave the subject out."
    if column == "lesion_mask":
        advice = f"{HOW_TO_GET_A_LESION_MASK}; then add its path to the table, or leave the subject out."
    expected = f"a {MASK_NAMES[column]}" if column in MASKS else f"a {SEQUENCE_NAMES[column]} image"
    raise InputError(f"{expected} in column {column}", "none", advice)


class MaskRemarks(NamedTuple):
    """Remarks on the masks of one subject."""

    subject: str
    sentences: tuple[str, ...] = ()  # possible errors
    thresholded: tuple[str, ...] = ()  # names of the masks that contain probabilities
    fills_brain: bool = False  # whether the lesion fills more than half of the brain


def remarks_on(subject: str, lesion: Mask, brain: np.ndarray, brain_mask: Mask | None = None) -> MaskRemarks:
    """Check a lesion mask against the brain and return remarks.

    Args:
        subject: id of the subject.
        lesion: lesion mask that is not empty.
        brain: voxels of the brain, booleans of the same shape.
        brain_mask: the brain mask, if the brain was read from one.

    Raises:
        InputError: the mask cannot be that of a lesion.
    """
    facts = measure_lesion(lesion.array, brain, lesion.voxel_ml)
    facts.require_lesion(lesion.file)
    pairs = zip(MASK_NAMES.values(), (lesion, brain_mask), strict=True)
    thresholded = tuple(name for name, mask in pairs if mask is not None and mask.remark)
    return MaskRemarks(str(subject), tuple(facts.remarks().values()), thresholded, facts.fills_brain)


def print_remarks(remarks: list[MaskRemarks], said: set[str] | None = None) -> None:
    """Log remarks on masks, frequent ones as a count. Subjects in `said` are skipped.

    The subjects are then added to `said`.
    """
    said = set() if said is None else said
    remarks = [of for of in remarks if of.subject not in said]
    said.update(of.subject for of in remarks)
    lines = [f"{of.subject}: {sentence}" for of in remarks for sentence in of.sentences]
    for name in MASK_NAMES.values():
        if subjects := [of.subject for of in remarks if name in of.thresholded]:
            shown = _first(subjects)
            lines.append(f"The {name} of {len(subjects)} of {len(remarks)} subjects contains {THRESHOLDED} ({shown}).")
    if full := sum(of.fills_brain for of in remarks):
        text = "the lesion fills more than half of the brain. Are the images cropped around the lesion?"
        lines.append(f"In {full} of {len(remarks)} subjects, {text}")
    for line in lines:
        logger.warning(line)


def print_found(found: dict[str, str], num_subjects: int, what: str) -> None:
    """Log of how many subjects `what` is true, with the sentence of the first.

    `found` has one sentence per subject; "" if `what` is not true of the subject.
    """
    if subjects := [subject for subject, sentence in found.items() if sentence]:
        text = f"{len(subjects)} of {num_subjects} subjects {what} ({_first(subjects)})"
        logger.warning(f"{text}. {subjects[0]}: {found[subjects[0]]}")


def _first(subjects: list[str]) -> str:
    return ", ".join(subjects[:3]) + (" ..." if len(subjects) > 3 else "")
