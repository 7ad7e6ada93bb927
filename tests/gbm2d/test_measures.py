"""What is measured of a scan and its lesion."""

import numpy as np
import pytest

from glioma_idh.departures import log_odds
from glioma_idh.gbm2d.measures import ALONE, INTENSITIES, measure_subject


def test_every_measure_is_what_its_name_says():
    brain = np.zeros((24, 30, 16), dtype=bool)
    brain[2:22, 4:28, 3:13] = True
    lesion = np.zeros(brain.shape, dtype=bool)
    lesion[4:8, 10:18, 5:9] = True
    scan = np.where(brain, np.random.default_rng(0).normal(0, 1, brain.shape) + 3 * lesion, -50)
    found = measure_subject(scan, lesion, brain, (1.0, 1.0, 2.0))
    assert found["lesion_ml"] == pytest.approx(4 * 8 * 4 * 2 / 1000)
    assert found["brain_ml"] == pytest.approx(20 * 24 * 10 * 2 / 1000)
    assert [found[f"towards_{side}"] for side in ("right", "front", "top")] == pytest.approx([0.2, 10 / 24, 0.4])
    assert 0.95 < found["stands_out"] <= 1 and found["log_odds_stands_out"] == log_odds(found["stands_out"])
    for percent in (10, 50, 90):
        assert found[f"lesion_{percent}"] == pytest.approx(np.percentile(scan[lesion], percent))
    for percent in (5, 25, 75, 95):
        assert found[f"brain_{percent}"] == pytest.approx(np.percentile(scan[brain], percent))
    assert {measure.column for measure in ALONE} | set(INTENSITIES.columns) == set(found)


def test_a_lesion_outside_the_brain_is_measured_where_it_is():
    brain, lesion = np.zeros((2, 12, 12, 12), dtype=bool)
    brain[:6], lesion[8:11, 3:8, 3:8] = True, True
    found = measure_subject(np.where(lesion, 7.0, 1.0), lesion, brain, (1.0, 1.0, 1.0))
    assert found["towards_right"] == pytest.approx(9.5 / 6) and found["lesion_50"] == 7
    assert np.isnan(found["stands_out"])
