"""Volumes that came out dark: named, filled by hand-made straight lines, or refused."""

import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.perfusion.acquisition import check_bolus, fill_dark, find_dark

BOLUS = [100.0, 95, 70, 42, 45, 60, 80, 90]  # falls by 40 % from one volume to the next
CURVE = np.concatenate([[160, 120, 104], np.full(12, 100), BOLUS, np.full(17, 92)])


def darkened(**shares):
    """Two voxels, 3 : 1, whose volumes `v8` and so on are a share of what they were."""
    curve = CURVE.copy()
    for name, share in shares.items():
        curve[int(name[1:])] *= share
    return np.stack([1.5 * curve, 0.5 * curve])


@pytest.mark.parametrize(
    ("shares", "dark"),
    [
        ({}, []),
        ({"v8": 0.45}, [8]),
        ({"v8": 0.55}, []),
        ({"v0": 0.0, "v39": 0.4}, [0, 39]),
        ({"v38": 0.0, "v39": 0.0}, [38, 39]),
        ({"v0": 0.0, "v1": 0.0, "v2": 0.0}, [0, 1, 2]),
        ({"v17": 0.2}, [17]),
    ],
)
def test_dark_volumes_are_found_and_a_bolus_is_none(shares, dark):
    assert find_dark([darkened(**shares)]).tolist() == dark
    assert find_dark([darkened(), darkened(**shares)]).tolist() == dark  # in either echo


def test_more_than_three_are_refused_by_name():
    with pytest.raises(
        InputError, match=r"at most 3 dark or empty volumes; found 4: volumes 5, 30, 31, 39 \(counted from 0\)"
    ):
        find_dark([darkened(v5=0, v30=0, v31=0, v39=0)])


def test_they_are_filled_along_straight_lines_and_kept_level_at_the_ends():
    signal = np.array([[9.0, 4, 6, 9, 9, 12, 9], [0, 1, 2, 0, 0, 5, 0]], np.float32)
    filled = fill_dark(signal, np.array([0, 3, 4, 6]))
    assert filled.tolist() == [[4, 4, 6, 8, 10, 12, 12], [1, 1, 2, 3, 4, 5, 5]] and filled.dtype == np.float32
    assert signal[0, 0] == 9  # what was given stays as it was


def test_two_in_a_row_are_refused_in_the_bolus_alone():
    for dark in ([], [17], [17, 19], [5, 6], [30, 31]):
        check_bolus(np.array(dark, int), (15, 25))
    for dark in ([3, 17, 18], [14, 15], [23, 24]):
        with pytest.raises(InputError, match="no two consecutive dark or empty volumes during the first pass; found 2"):
            check_bolus(np.array(dark), (15, 25))
