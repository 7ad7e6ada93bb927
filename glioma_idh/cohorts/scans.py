"""From a row of the cohort table to its images."""

from dataclasses import replace

import numpy as np
import pandas as pd

from glioma_idh.cohorts.column_names import MASKS
from glioma_idh.errors import InputError
from glioma_idh.imaging import masks
from glioma_idh.imaging.volumes import Volume, read_volume

HOW_TO_GET_A_LESION_MASK = "Draw the lesion with its oedema, or let `prepare --lesion-run` find it"
WITH_SKULL = "or add --with-skull if all that is not 0 shall count."


def read_mask(row: pd.Series, column: str = "lesion_mask", order: str = "C") -> masks.Mask:
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
