"""From a row of the cohort table to voxels in their unit."""

import numpy as np
import pandas as pd
import pytest

from glioma_idh.cohorts.scans import read_mask, read_scan
from glioma_idh.cohorts.table import COLUMNS
from glioma_idh.errors import InputError
from tests.conftest import AFFINE, save

VOXELS = np.arange(1, 25, dtype=float).reshape(2, 3, 4)


@pytest.fixture
def row(tmp_path):
    """A subject with an ADC, a T2 and a mask of the same voxels."""
    path = save(tmp_path / "a.nii.gz", VOXELS)
    return pd.Series(dict.fromkeys(COLUMNS, "") | {"adc": path, "t2": path, "lesion_mask": path})


@pytest.mark.parametrize(("divisor", "factor"), [("3", 3), ("", 1), ("1000", 1000), ("0.5", 0.5)])
def test_only_adc_is_divided(row, divisor, factor):
    row["adc_divisor"] = divisor
    adc = read_scan(row, "adc")
    assert adc.array == pytest.approx(VOXELS / factor, rel=1e-6) and np.array_equal(adc.affine, AFFINE)
    for column in ("t2", "lesion_mask"):
        assert np.array_equal(read_scan(row, column).array, VOXELS)


def test_a_table_without_the_column_of_divisors(row):
    assert np.array_equal(read_scan(row.drop("adc_divisor"), "adc").array, VOXELS)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_voxels_are_of_the_type_that_was_asked_for(row, dtype):
    assert read_scan(row, "t2", dtype).array.dtype == dtype
    row["adc_divisor"] = "3"
    assert read_scan(row, "t2").array.dtype == read_scan(row, "adc").array.dtype == np.float32


def test_voxels_lie_in_memory_as_asked_for(row):
    assert read_scan(row, "t2").array.flags.c_contiguous
    assert read_scan(row, "t2", order="K").array.flags.f_contiguous


@pytest.mark.parametrize("divisor", ["0", "three"])
def test_a_divisor_that_is_none(row, divisor):
    row["adc_divisor"] = divisor
    with pytest.raises(InputError, match=f"expected a number as divisor of the ADC; found '{divisor}'"):
        read_scan(row, "adc")


def test_a_scan_that_is_not_there(row):
    with pytest.raises(InputError, match="expected a FLAIR image in column flair; found none"):
        read_scan(row, "flair")


def test_a_mask_that_is_not_there_says_how_to_get_one(row):
    for column, advice in (
        ("lesion_mask", "Segment the lesion.*--lesion-run"),
        ("brain_mask", "Add its path to the table, or leave"),
    ):
        row[column] = ""
        with pytest.raises(
            InputError, match=f"expected a {column.replace('_', ' ')} in column {column}; found none. {advice}"
        ):
            read_mask(row, column)
