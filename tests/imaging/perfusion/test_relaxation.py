"""Signals made with a known change of relaxation."""

import numpy as np
import pytest

from glioma_idh.imaging.perfusion.relaxation import (
    above_noise,
    noise_of,
    peak_height,
    percent_signal_recovery,
    relaxation_change,
)

CHANGE = np.array([[0, 0, 0, 0, 0, 5.0, 20, 8, 2, 1]])
T1_FACTOR = np.array([[1, 1, 1, 1, 1, 1.05, 1.2, 1.4, 1.5, 1.6]])
BASELINE = (0, 5)


def echo(echo_time_s, level=300.0, factor=1.0):
    """A signal S0 factor exp(-TE dR2*)."""
    return (level * factor * np.exp(-echo_time_s * CHANGE)).astype(np.float32)


def test_one_echo_gives_the_change_back():
    assert np.allclose(relaxation_change([echo(0.03)], [0.03], BASELINE), CHANGE, atol=1e-4)


def test_two_echoes_cancel_t1_and_one_does_not():
    echoes = [echo(0.008, 500, T1_FACTOR), echo(0.03, 300, T1_FACTOR)]
    assert np.allclose(relaxation_change(echoes, [0.008, 0.03], BASELINE), CHANGE, atol=1e-4)
    alone = relaxation_change(echoes[1:], [0.03], BASELINE)
    assert np.allclose(alone, CHANGE - np.log(T1_FACTOR) / 0.03, atol=1e-4)


def test_a_signal_that_vanishes_gives_a_finite_change():
    signal = echo(0.03)
    signal[0, 6] = 0
    change = relaxation_change([signal], [0.03], BASELINE)
    assert change[0, 6] == pytest.approx(np.log(1000) / 0.03, rel=1e-5)


def test_noise_and_what_stands_out_of_it():
    wobble = np.tile([1, -1, 1, -1, 0], (5, 1)).astype(np.float32)  # sd 1
    levels = np.array([100, 100, 100, 4.9, 5.1], np.float32)
    assert noise_of(levels[:, None] + wobble, (0, 5)) == pytest.approx(1)
    assert above_noise([levels[:, None] + wobble], (0, 5)).tolist() == [True, True, True, False, True]


def test_noise_is_that_of_most_voxels_and_each_echo_must_stand_out_of_its_own():
    wobble = np.tile([1, -1, 1, -1, 0], (5, 1)).astype(np.float32)
    uneven = wobble * np.array([1, 1, 1, 9, 9])[:, None]
    assert noise_of(100 + uneven, (0, 5)) == pytest.approx(1)  # the mean is 4.2
    first, second = (np.array(levels, np.float32)[:, None] + wobble for levels in ([100, 3, 100, 6, 100], [100] * 5))
    assert above_noise([first, second], (0, 5)).tolist() == [True, False, True, True, True]
    assert above_noise([second, first], (0, 5)).tolist() == [True, False, True, True, True]


def test_a_signal_under_the_noise_counts_as_the_noise():
    signal = np.tile(np.array([101, 99, 101, 99, 100, 100, 100], np.float32), (3, 1))
    signal[0, 5:] = 0.4, -3  # the noise is 1.0
    change = relaxation_change([signal], [0.03], BASELINE)
    assert change[0, 5:] == pytest.approx(np.log(100) / 0.03, rel=1e-3)


def test_peak_height_and_recovery_by_hand():
    wobble = [1, -1, 1, -1]  # sd 1.15
    signal = np.array([[100, 100, 100, 100, 60, 20, 50, 80, 82, 83, 84, 85, 86, 90], [50.0] * 5 + [47] + [49] * 8])
    signal[:, :4] += wobble
    recovery = percent_signal_recovery(signal, baseline=(0, 4), first_pass=(4, 9), step_s=2.0)
    assert recovery.tolist() == pytest.approx([80, 0])  # (84 - 20) / (100 - 20), 84 the mean of 82 to 86; noise
    assert peak_height(CHANGE, (5, 9)).tolist() == [20]
