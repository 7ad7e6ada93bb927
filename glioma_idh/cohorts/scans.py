"""From a row of the cohort table to its images."""

from dataclasses import replace

import numpy as np
import pandas as pd

from glioma_idh.errors import InputError
from glioma_idh.imaging.volumes import Volume, read_volume


def read_scan(row: pd.Series, column: str, dtype=np.float32, order: str = "C") -> Volume:
    """Read one image of a subject, in the unit that its column stands for.

    Args:
        row: of a cohort table.
        column: `t1` ... `adc`, `lesion_mask` or `brain_mask`.
        dtype: of the voxels, as `read_volume` takes it.
        order: of the voxels in memory, as `read_volume` takes it.

    Returns:
        The volume, RAS+; an `adc` image divided by the row's `adc_divisor` (3 where it is the trace of the tensor).

    Raises:
        InputError: there is no such file, or it cannot be used.
    """
    if not row[column]:
        raise InputError(f"a scan in column {column}", "none", "Add it, or leave the subject out.")
    volume = read_volume(row[column], dtype, order=order)
    divisor = row.get("adc_divisor", "")
    if column != "adc" or not divisor:
        return volume
    try:
        factor = 1 / float(divisor)
    except (ValueError, ZeroDivisionError) as error:
        raise InputError("a number to divide the ADC by", repr(divisor), "Correct adc_divisor.") from error
    return replace(volume, array=volume.array * volume.array.dtype.type(factor))
