"""Curves drawn by hand: where the bolus comes and goes."""

import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.perfusion.bolus import find_baseline, find_first_pass

FALL_AND_RISE = [80.0, 60, 50, 60, 75, 85, 90, 92, 91, 89, 91, 93]


def curve(num_baseline=20, level=100.0):
    """A flat baseline with a little noise, then a bolus, then a plateau."""
    noise = 0.2 * (-1.0) ** np.arange(num_baseline)
    return np.concatenate([level + noise, FALL_AND_RISE, np.full(20, 95.0)])


def test_baseline_ends_before_the_last_volume_at_its_level():
    assert find_baseline(curve(20)) == (0, 19)


@pytest.mark.parametrize("num_baseline", [6, 8, 40])
def test_short_and_long_baselines(num_baseline):
    assert find_baseline(curve(num_baseline)) == (0, num_baseline - 1)


def test_bright_volumes_before_the_steady_state_are_left_out():
    signal = curve(20)
    signal[:3] = [180, 130, 103]
    assert find_baseline(signal) == (3, 19)


def test_a_single_dark_volume_is_no_bolus():
    signal = curve(20)
    signal[7] = 20
    signal[45] = 10
    assert find_baseline(signal) == (0, 19)


SECOND_INJECTION = 97 + 1.3 * (np.array(FALL_AND_RISE) - 100)


@pytest.mark.parametrize(
    "later", [[45, 40, 45], SECOND_INJECTION, np.full(20, 35)], ids=["a dip", "a second injection", "a fall for good"]
)
def test_what_comes_later_and_goes_deeper_is_not_the_bolus(later):
    signal = np.concatenate([curve(20), later])
    assert find_baseline(signal) == (0, 19)
    change = -np.log(signal / 100)
    assert find_first_pass(change, 19, 1.5) == find_first_pass(change[:52], 19, 1.5) == (19, 28)


def test_a_last_volume_that_is_dark_is_not_the_bolus():
    signal = curve(20)
    signal[-1] = 20
    assert find_baseline(signal) == (0, 19)
    change = -np.log(signal / 100)
    assert find_first_pass(change, 19, 1.5) == (19, 28)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("num_empty", [3, 52])
def test_empty_volumes_at_the_start_are_named(num_empty):
    signal = curve(20)
    signal[:num_empty] = 0
    with pytest.raises(
        InputError, match="expected a positive signal in the brain before the bolus; found 0 in the first"
    ):
        find_baseline(signal)


def test_no_bolus_says_what_was_seen():
    flat = 100 + np.random.default_rng(0).normal(0, 0.7, 400)
    with pytest.raises(InputError, match=r"expected a bolus.*drop of 0\.9% of the baseline .noise 0\.6%"):
        find_baseline(flat)


@pytest.mark.parametrize(("drop", "noise", "is_one"), [(3, 0.2, True), (1.9, 0.1, False), (4, 1.2, False)])
def test_a_bolus_is_a_drop_of_2_percent_and_of_5_sd(drop, noise, is_one):
    """The sd is 1.05 times a noise that goes up and down by half its size: from the median step."""
    signal = 100 + drop / 50 * (curve(20) - 100)
    signal += noise / 2 * (-1.0) ** np.arange(len(signal))
    if is_one:
        assert find_baseline(signal)[1] in (18, 19)
    else:
        with pytest.raises(InputError, match="expected a bolus in the brain's mean signal"):
            find_baseline(signal)


def test_a_signal_that_only_rises_is_no_bolus():
    with pytest.raises(InputError, match="expected a bolus"):
        find_baseline(np.concatenate([np.full(20, 100.0), np.linspace(100, 180, 40)]))


def test_too_few_volumes_before_the_bolus():
    with pytest.raises(InputError, match="expected at least 5 baseline volumes.*found 4"):
        find_baseline(curve(5))


def test_first_pass_ends_at_the_trough_before_the_second():
    change = np.array([0, 0, 0, 2, 6, 10, 7, 4, 2, 1, 1.8, 2.4, 2, 1.5, 1.2, 1.1])
    assert find_first_pass(change, arrival=2, step_s=1.5) == (2, 10)  # running mean of three is lowest at volume 9


def test_first_pass_without_a_second_goes_to_the_end():
    change = np.array([0, 0, 0, 2, 6, 10, 7, 4, 2, 1, 0.5, 0.25])
    assert find_first_pass(change, arrival=2, step_s=1.5) == (2, 12)


def test_a_series_that_ends_within_the_bolus():
    with pytest.raises(InputError, match="expected a complete first pass of the bolus"):
        find_first_pass(np.array([0, 0, 0, 2, 6, 10, 9, 8, 7.0]), arrival=2, step_s=1.5)


def test_a_first_pass_that_only_bends_ends_at_the_bend():
    change = np.array([0, 0, 0, 2, 6, 10, 7, 4, 1.6, 1, 0.95, 0.9, 0.85, 0.8, 0.75])
    start, stop = find_first_pass(change, arrival=2, step_s=2.5)
    assert (start, stop) == (2, 11)  # from volume 10 on it falls by 0.05, less than 0.5 % of the peak a second
