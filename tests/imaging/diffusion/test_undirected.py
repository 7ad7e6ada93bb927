"""Volumes without a direction beside directed ones: b = 0 or the trace by their signal, and what is neither."""

import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.acquisition import read_acquisition
from glioma_idh.imaging.diffusion.adc import make_adc
from glioma_idh.imaging.diffusion.undirected import classify_undirected
from glioma_idh.imaging.volumes import read_volume

SIX = np.array([[1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1], [0, 1, 1], [0, 1, -1]]) / np.sqrt(2)
SHAPE = (4, 4, 4)
ALL = np.ones(SHAPE, bool)


def tissue(b_values, directions, kurtosis=0.0):
    """Signals of fibres that run differently in each voxel, of mean diffusivity 0.8e-3; without a direction the trace.

    Args:
        b_values: s/mm2, shape (n,).
        directions: shape (n, 3).
        kurtosis: how far ln S bends with the square of b.
    """
    rng = np.random.default_rng(1)
    fibres = rng.normal(size=(*SHAPE, 3))
    fibres /= np.linalg.norm(fibres, axis=-1, keepdims=True)
    along = np.square(fibres @ np.transpose(directions))
    along[..., ~np.any(directions, axis=1)] = 1 / 3
    decay = np.asarray(b_values) * (0.4e-3 + 1.2e-3 * along)
    return 500 * rng.uniform(0.6, 1.4, (*SHAPE, 1)) * np.exp(-decay + kurtosis / 6 * decay**2)


def table(*shells):
    """b-values and directions of shells (b, directions), a row of zeros for a volume without."""
    b_values = np.concatenate([np.full(len(directions), float(b)) for b, directions in shells])
    return b_values, np.concatenate([directions for _, directions in shells])


NONE = np.zeros((1, 3))


def called(b_values, changes):
    """The b-values with some of them called otherwise."""
    wrong = b_values.copy()
    wrong[list(changes)] = list(changes.values())
    return wrong


@pytest.mark.parametrize("beside", [True, False])
def test_a_volume_at_b_0_that_is_called_1000_gives_the_adc_of_the_right_table(beside):
    """With a volume at b = 0 beside it that is called so, and without."""
    b_values, directions = table(*[(0, NONE)] * beside, (1000, SIX), (0, NONE), (0, NONE))
    series = tissue(b_values, directions)
    wrong = called(b_values, {-1: 1000, -2: 1000})
    found, right = (make_adc(series, given, directions, noise_sd=0) for given in (wrong, b_values))
    assert np.array_equal(found.adc, right.adc) and found.shells == right.shells
    assert found.adc == pytest.approx(0.8e-3, rel=1e-4)
    said = "2 volumes with b = 1000 and no direction were classified as b = 0 from their signal"
    assert found.method == f"{right.method}; {said}"
    assert wrong[-1] == 1000  # what was given is not changed


@pytest.mark.parametrize("beside", [True, False])
def test_an_appended_trace_is_one(beside):
    b_values, directions = table(*[(0, NONE)] * beside, (1000, SIX), (1000, NONE))
    settled, said = classify_undirected(tissue(b_values, directions), b_values, directions, ALL)
    assert np.array_equal(settled, b_values)
    assert said == "1 volume with b = 1000 and no direction was classified as trace-weighted from its signal"


def test_a_shell_may_hold_both_and_each_volume_is_told_by_itself():
    b_values, directions = table((0, NONE), (1000, SIX), (1000, NONE), (0, NONE), (2000, SIX), (0, NONE))
    wrong = called(b_values, {8: 1000, -1: 2000})
    settled, said = classify_undirected(tissue(b_values, directions), wrong, directions, ALL)
    assert np.array_equal(settled, b_values)
    assert said == (
        "2 volumes with b = 1000, 2000 and no direction were classified as b = 0 from their signal; "
        "1 volume with b = 1000 and no direction was classified as trace-weighted from its signal"
    )


@pytest.mark.parametrize("truth", [0, 500])
def test_a_shell_without_directions_is_held_against_the_decay_to_the_nearest(truth):
    b_values, directions = table((0, NONE), (truth, NONE), (1000, SIX), (3000, SIX))
    series = tissue(b_values, directions, kurtosis=0.4)
    settled, _ = classify_undirected(series, called(b_values, {1: 500}), directions, ALL)
    assert settled[1] == truth


def test_few_directions_in_a_noisy_series_are_enough():
    """At a signal to noise of 15 at b = 0, with 27 times as much air around the tissue."""
    b_values, directions = table((1000, np.eye(3)), *[(0, NONE)] * 2)
    clean = np.pad(tissue(b_values, directions), [(4, 4)] * 3 + [(0, 0)])
    rng = np.random.default_rng(0)
    series = np.hypot(clean + rng.normal(0, 33, clean.shape), rng.normal(0, 33, clean.shape))
    wrong = called(b_values, {-1: 1000, -2: 1000})
    settled, _ = classify_undirected(series, wrong, directions, None)
    assert np.array_equal(settled, b_values)


@pytest.mark.parametrize(
    ("factor", "share"), [(0.4, "50%"), (0.27, "34%"), (0.53, "66%"), (1.2, "150%"), (-0.4, "-50%")]
)
def test_a_signal_that_is_neither_is_refused(factor, share):
    """What of the 0.8 that the logarithm falls by is not there."""
    b_values, directions = table((0, NONE), (1000, SIX), (1000, NONE))
    series = tissue(b_values, directions)
    series[..., -1] *= np.exp(factor)
    with pytest.raises(InputError, match=rf"volume 7 \(counted .* with b = 1000 .* lies {share} of the way.* Correct"):
        make_adc(series, b_values, directions, noise_sd=0)


def test_without_a_volume_at_b_0_the_margins_are_those_of_tissue():
    b_values, directions = table((1000, SIX), (1000, NONE))
    for adc, unweighted in ((0.1e-3, False), (0.45e-3, True), (1.9e-3, True)):
        series = tissue(b_values, directions)
        series[..., -1] *= np.exp(1000 * adc)
        assert classify_undirected(series, b_values, directions, ALL)[0][-1] == (0 if unweighted else 1000)
    for adc in (-0.2e-3, 0.2e-3, 2.2e-3):
        series = tissue(b_values, directions)
        series[..., -1] *= np.exp(1000 * adc)
        with pytest.raises(InputError, match="of the way from the trace"):
            classify_undirected(series, b_values, directions, ALL)


def test_nothing_to_compare_with_is_refused():
    b_values, directions = table((1000, SIX), (500, NONE))
    with pytest.raises(InputError, match="b = 500 and no direction, whose signal cannot be compared with others"):
        classify_undirected(tissue(b_values, directions), b_values, directions, ALL)
    with pytest.raises(InputError, match="a signal in every diffusion-weighted volume; found none"):
        classify_undirected(np.zeros((*SHAPE, 7)), b_values, directions, ALL)


def test_the_brain_decides_where_one_is_given():
    b_values, directions = table((0, NONE), (1000, SIX), (0, NONE))
    inside = ALL & (np.arange(4) < 1)
    series = np.where(inside[..., None], tissue(b_values, directions), 900.0)
    made = make_adc(series, called(b_values, {-1: 1000}), directions, brain=inside, noise_sd=0)
    assert made.shells == {0: 2, 1000: 6} and made.adc[inside] == pytest.approx(0.8e-3, rel=1e-4)


def test_a_series_without_any_direction_and_volumes_up_to_b_50_are_left_as_they_are():
    b_values, directions = table((0, NONE), (50, NONE), (1000, SIX))
    series = tissue(b_values, directions)
    for vectors in (directions, 0 * directions):
        settled, said = classify_undirected(series, b_values, vectors, ALL)
        assert settled is b_values and said == ""
    assert "without" not in make_adc(series, b_values, None, noise_sd=0).method


def test_of_a_real_series_the_adc_is_that_of_the_right_table(real_data):
    """A series of 64 directions whose volumes at b = 0 are, but for the first, called b = 1000."""
    folder = real_data.parent / "cases" / "dwi_b0_called_1000"
    made = {}
    for name in ("dwi", "dwi_right"):
        acquired = read_acquisition(folder / f"{name}.nii")
        series = read_volume(folder / f"{name}.nii", num_axes=4).array
        made[name] = make_adc(series, acquired.b_values, acquired.b_vectors)
    assert np.array_equal(made["dwi"].adc, made["dwi_right"].adc)
    assert "3 volumes with b = 1000" in made["dwi"].method and "classified" not in made["dwi_right"].method
