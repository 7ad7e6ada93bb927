"""Curves that leak by a known amount, and get their blood volume back."""

import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.perfusion.blood_volume import area, blood_volume
from glioma_idh.imaging.perfusion.relaxation import fit_leakage, reference_voxels

STEP_S, ARRIVAL, POINTS = 1.5, 12, 60
TIME_S = STEP_S * (np.arange(POINTS) - ARRIVAL)
MEAN = np.where(TIME_S > 0, 1.2 * np.clip(TIME_S, 0, None) ** 3 * np.exp(-TIME_S / 2), 0).astype(np.float32)


def test_running_integral_of_a_ramp():
    ramp = np.array([7.0, 0, 1, 2, 3])
    assert fit_leakage(ramp[None], ramp, 1, 2.0).integral.tolist() == [0, 0, 1, 4, 9]


@pytest.mark.parametrize("k2", [0.03, -0.02, 0.0])
def test_leakage_of_either_sign_is_found_and_undone(k2):
    integral = fit_leakage(MEAN[None], MEAN, ARRIVAL, STEP_S).integral
    change = np.stack([MEAN, 2.5 * MEAN - k2 * integral]).astype(np.float32)
    leakage = fit_leakage(change, MEAN, ARRIVAL, STEP_S)
    assert leakage.k1.tolist() == pytest.approx([1, 2.5], abs=1e-3)
    assert leakage.k2.tolist() == pytest.approx([0, k2], abs=1e-5)
    first_pass = (ARRIVAL, ARRIVAL + 15)
    uncorrected = blood_volume(change, first_pass, STEP_S, "first-pass").values
    corrected = blood_volume(change + leakage.k2[:, None] * leakage.integral, first_pass, STEP_S, "first-pass").values
    assert corrected[1] / corrected[0] == pytest.approx(2.5, abs=2e-3)
    assert np.sign(2.5 - uncorrected[1] / uncorrected[0]).round() == np.sign(k2) or k2 == 0
    double_integral = area(integral, first_pass, STEP_S)
    assert corrected[1] == pytest.approx(uncorrected[1] + k2 * double_integral, rel=1e-3)


@pytest.mark.parametrize("step_s", [1.5, 2.0])
def test_leakage_is_fitted_over_60_s_from_the_arrival(step_s):
    """What comes before or later does not count, and the integral begins at the arrival."""
    mean = MEAN + np.where(np.arange(POINTS) < ARRIVAL, 5, 0).astype(np.float32)
    change = 2.5 * mean - 0.03 * fit_leakage(mean[None], mean, ARRIVAL, step_s).integral
    stop = ARRIVAL + round(60 / step_s)
    change[:ARRIVAL], change[stop:] = 99, -99
    leakage = fit_leakage(change[None], mean, ARRIVAL, step_s)
    assert (leakage.k1[0], leakage.k2[0]) == pytest.approx((2.5, 0.03), rel=1e-3)
    assert not leakage.integral[: ARRIVAL + 1].any() and leakage.integral[ARRIVAL + 1] > 0
    change[stop - 1] += 50
    assert abs(fit_leakage(change[None], mean, ARRIVAL, step_s).k2[0] - 0.03) > 0.005


def test_tissue_may_end_one_sd_above_its_baseline_and_no_more():
    signal = np.tile([99.0, 101, 99, 101, *[100] * 10], (5, 1))  # sd 1.155
    signal[:, -10:] += np.array([-3, 0, 1.1, 1.2, 3])[:, None]
    assert reference_voxels(signal, (0, 4)).tolist() == [True, True, True, False, False]


def test_the_whole_curve_counts_from_the_arrival():
    change = np.array([[5.0, 5, 0, 1, 2, 3]])
    assert blood_volume(change, (2, 4), 2.0, "whole-curve").values.tolist() == [9]
    assert blood_volume(change, (2, 4), 2.0, "first-pass").values.tolist() == [1]


def test_reference_leaves_out_what_enhances_and_the_lesion():
    rng = np.random.default_rng(0)
    signal = 100 + rng.normal(0, 1, (50, POINTS))
    signal[:, ARRIVAL:] -= 3  # contrast medium that still goes round
    signal[:10, ARRIVAL:] += 10
    lesion = np.zeros(50, bool)
    lesion[5:20] = True
    signal[20, -10:] += 10  # in the last volumes alone
    signal[21, ARRIVAL:] += 5  # by two sd
    found = reference_voxels(signal, (0, ARRIVAL), lesion)
    assert not found[:22].any()
    assert found[22:].all()


def test_a_brain_that_enhances_everywhere_has_no_reference():
    signal = 100 + np.random.default_rng(0).normal(0, 1, (50, POINTS))
    signal[:, ARRIVAL:] += 10
    with pytest.raises(InputError, match="expected brain without enhancement.*found 0 of 50"):
        reference_voxels(signal, (0, ARRIVAL))
