"""What is measured of four sequences: how they go together, and how much there is of them."""

import numpy as np
import pytest

from glioma_idh.sgp3d.measures import PAIRS, measure_subject
from glioma_idh.sgp3d.preprocessing import Placement

PLACEMENT = Placement(((0, 10), (5, 25), (2, 6)), (30, 30, 30), np.diag([-1.0, 2.0, 3.0, 1.0]))


def test_correlations_are_those_of_the_voxels_that_are_background_in_none():
    draw = np.random.default_rng(0)
    scans = draw.normal(0, 1, (8, 8, 8, 4)).astype(np.float32)
    scans[..., 1] += scans[..., 0]
    scans[:3, ..., 2] = scans[..., 2].min() - 1
    found = measure_subject(scans, PLACEMENT, 12.5)
    tissue = scans[3:].reshape(-1, 4)
    tissue = tissue[(tissue > scans.reshape(-1, 4).min(axis=0)).all(axis=1)]
    for number, (i, j) in enumerate([(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]):
        wanted = np.arctanh(np.corrcoef(tissue[:, i], tissue[:, j])[0, 1])
        assert found[PAIRS[number]] == pytest.approx(wanted, abs=1e-6)
    assert PAIRS[0] == "t1_with_t1gd" and found["t1_with_t1gd"] > 0.6
    assert found["box_ml"] == pytest.approx(10 * 20 * 4 * 6 / 1000) and found["lesion_ml"] == 12.5


def test_a_sequence_that_is_the_same_everywhere_goes_with_none():
    found = measure_subject(np.zeros((4, 4, 4, 4), np.float32), PLACEMENT, float("nan"))
    assert all(np.isnan(found[pair]) for pair in PAIRS)
