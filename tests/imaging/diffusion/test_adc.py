"""Known diffusivities come back: exact ones exactly, noisy ones within what noise allows, DIPY's within 2 %."""

import nibabel
import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.diffusion.adc import (
    HIGHEST_ADC,
    estimate_noise,
    fit_adc,
    fit_mean_diffusivity,
    make_adc,
)

ADC = np.linspace(0.4e-3, 3e-3, 24).reshape(2, 3, 4)
B_VALUES = np.array([0, 500, 1000.0])
SIX = np.array([[1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1], [0, 1, 1], [0, 1, -1]]) / np.sqrt(2)
"""Directions that fix a tensor."""


def decay(adc, b_values):
    """Series of signals 100 exp(-b ADC)."""
    return 100 * np.exp(-np.asarray(adc)[..., None] * b_values)


def sphere(number, seed=0):
    """Unit vectors in random directions."""
    vectors = np.random.default_rng(seed).normal(size=(number, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def tensor_series(b_values, vectors, tensor):
    """One voxel of signals 200 exp(-b g'Dg); the tensor in um2/ms."""
    exponent = np.einsum("nx,xy,ny->n", vectors, tensor, vectors) * b_values / 1000
    return (200 * np.exp(-exponent)).reshape(1, 1, 1, -1)


def rician(signal, sd, seed=0):
    """The signal's magnitude under noise."""
    rng = np.random.default_rng(seed)
    return np.hypot(signal + rng.normal(0, sd, signal.shape), rng.normal(0, sd, signal.shape))


@pytest.mark.parametrize("b_values", [B_VALUES, [0, 1000], [50, 400, 800, 0, 805], [200.0, 900]])
def test_a_decay_without_noise_comes_back(b_values):
    adc = fit_adc(decay(ADC, np.array(b_values)), b_values, noise_sd=0)
    assert adc == pytest.approx(ADC, rel=2e-3 if 805 in b_values else 1e-6)
    assert adc.dtype == np.float32


def test_voxels_fitted_in_several_parts_come_back_in_their_places(monkeypatch):
    monkeypatch.setattr("glioma_idh.imaging.diffusion.adc.CHUNK", 7)
    assert fit_adc(decay(ADC, B_VALUES), B_VALUES, noise_sd=0) == pytest.approx(ADC, rel=1e-6)


def test_three_directions_make_the_trace_whatever_the_anisotropy():
    shares = np.array([1, 2.2, 0.5, 0.3, 2.2, 0.5, 0.3])  # of the mean in each volume; the three sum to 3
    b_values = [0, 500, 500, 500, 1000, 1000, 1000]
    series = 100 * np.exp(-ADC[..., None] * shares * b_values)
    assert fit_adc(series, b_values, noise_sd=0) == pytest.approx(ADC, rel=1e-6)


def test_mean_diffusivity_of_a_known_tensor():
    turn = np.linalg.qr(sphere(3))[0]
    tensor = turn @ np.diag([1.8, 0.3, 0.6]) @ turn.T
    vectors, b_values = np.vstack([np.zeros((2, 3)), sphere(12)]), np.array([0, 0] + [1000] * 12)
    series = tensor_series(b_values, vectors, tensor)
    assert fit_mean_diffusivity(series, b_values, 3 * vectors, noise_sd=0) == pytest.approx(0.9e-3, rel=1e-5)
    trace = tensor_series(np.full(2, 1000), np.eye(3)[:2], 0.9 * np.eye(3))
    mixed = (
        np.concatenate([series, trace], axis=3),
        np.append(b_values, [1000, 1000]),
        np.vstack([vectors, 0 * vectors[:2]]),
    )
    assert fit_mean_diffusivity(*mixed, noise_sd=0) == pytest.approx(0.9e-3, rel=1e-5)


def test_what_cannot_be_fitted_is_0_and_counted_and_what_can_is_physical():
    series = decay(np.full((6, 1, 1), 1e-3), B_VALUES)
    series[0] = [[[7, 1, 1]]]  # one volume above the floor of 4, and not by much
    series[1] = [[[100, 60, 1]]]  # two
    series[2] = [[[100, np.nan, 100 * np.exp(-1)]]]
    series[3] = [[[50, 80, 100]]]  # rises
    series[4] = [[[1000, 10, 5]]]  # faster than water
    result = make_adc(series, B_VALUES, brain=np.arange(6).reshape(6, 1, 1) < 5, noise_sd=2)
    expected = [0, -np.log(0.6) / 500, 1e-3, 0, HIGHEST_ADC, 0]
    assert result.adc.ravel() == pytest.approx(expected, rel=1e-5)
    assert (result.num_not_fitted, result.noise_sd) == (2, 2)


def test_noise_leaves_no_bias():
    adc = np.full((40, 40, 20), 1.5e-3)
    series = rician(decay(adc, B_VALUES), sd=5)  # at b = 1000 the signal is 4.5 times the noise
    found = fit_adc(series, B_VALUES, noise_sd=5)
    assert found.mean() == pytest.approx(1.5e-3, rel=0.01)
    vectors = np.vstack([np.zeros(3), sphere(20)])
    b_values = np.append(0, np.full(20, 1000))
    clean = np.tile(tensor_series(b_values, vectors, np.diag([1.7, 0.4, 0.3])), (20, 20, 10, 1))
    found = fit_mean_diffusivity(rician(clean, sd=10), b_values, vectors, noise_sd=10)
    assert found.mean() == pytest.approx(0.8e-3, rel=0.01)


@pytest.mark.parametrize("snr", [15, 30])
@pytest.mark.parametrize("number", [1, 6])
def test_free_water_that_sinks_into_the_noise_keeps_its_adc(number, snr):
    """Bright as fluid is at b = 0: 2.5 times white matter, of which `snr` is told; one direction, or the tensor."""
    b_values, vectors = np.append(0, np.full(number, 1000)), np.vstack([np.zeros(3), SIX])[: number + 1]
    series = rician(2.5 * decay(np.full((20, 20, 10), 3e-3), b_values), sd=100 / snr)
    result = make_adc(series, b_values, vectors if number == 6 else None, noise_sd=100 / snr)
    assert result.adc.mean() == pytest.approx(3e-3, rel=0.03)
    assert result.num_not_fitted == np.count_nonzero(result.adc == 0) == 0


def test_noise_counts_as_little_as_it_can():
    """The sd of the ADC is that of the best weights, signal^2 times the number averaged: sd^2 (X' W X)^-1."""
    b_values = np.array([0, 500, 1500, *[3000] * 6])
    found = fit_adc(rician(decay(np.full((40, 40, 20), 0.8e-3), b_values), sd=1), b_values, noise_sd=0)
    shells = np.array([0, 500, 1500, 3000])
    weights = np.array([1, 1, 1, 6]) * (100 * np.exp(-shells * 0.8e-3)) ** 2
    design = np.stack([np.ones(4), -shells], axis=1)
    least = np.sqrt(np.linalg.inv(design.T * weights @ design)[1, 1])
    assert found.std() == pytest.approx(least, rel=0.02)


def ball(sd):
    """Tissue in the middle of air, and its decay under noise."""
    inside = sum(x**2 for x in np.ogrid[-20:20, -20:20, -8:8]) < 15**2
    return inside, rician(decay(np.full(inside.shape, 1e-3), B_VALUES) * inside[..., None], sd)


@pytest.mark.parametrize("sd", [2.0, 6.0])
def test_noise_is_estimated_from_the_air(sd):
    inside, series = ball(sd)
    assert estimate_noise(series, B_VALUES) == pytest.approx(sd, rel=0.05)
    result = make_adc(series, B_VALUES)
    assert (result.adc[~inside] > 0).mean() < 0.06 and (result.adc[inside] > 0).all()


def test_masked_or_filled_images_give_no_estimate():
    inside, series = ball(2.0)
    assert estimate_noise(series * inside[..., None], B_VALUES) == 0
    assert estimate_noise(series[15:25, 15:25], B_VALUES) == 0


def test_the_best_means_are_chosen_and_named():
    b_values, vectors = np.append([0.0, 2], np.full(30, 1000.0)), np.vstack([np.zeros((2, 3)), sphere(30)])
    series = tensor_series(b_values, vectors, np.diag([1.8, 0.3, 0.6]))
    tensor = make_adc(series, b_values, vectors)
    assert tensor.method == "mean diffusivity of the tensor, 30 directions, b = 1 (2), 1000 (30) s/mm2"
    assert tensor.adc == pytest.approx(0.9e-3, rel=1e-3) and tensor.shells == {1: 2, 1000: 30}
    three = np.eye(3)[np.arange(32) % 3]
    for balanced in (None, 0 * vectors, three):
        assert make_adc(series, b_values, balanced).method.startswith(
            "mono-exponential ADC of the trace-weighted images"
        )
    two = make_adc(series, b_values, np.where(np.arange(32)[:, None] % 3, [1.0, 0, 0], [0, 1.0, 0]))
    assert two.method.startswith("mono-exponential ADC along 2 directions at b = 1000, not the trace")


def test_directions_that_do_not_make_the_trace():
    tensor, along_x, given_twice = np.diag([1.7, 0.4, 0.3]), np.eye(3)[:1], np.eye(3)[[0, 0, 1, 2]]
    for directions, adc, said in (
        (along_x, 1.7e-3, "along 1 direction at b = 1000, not the trace"),
        (given_twice, 0.8e-3, "trace-weighted"),
    ):
        b_values, vectors = np.append(0, np.full(len(directions), 1000)), np.vstack([np.zeros(3), directions])
        found = make_adc(tensor_series(b_values, vectors, tensor), b_values, vectors, noise_sd=0)
        assert found.adc == pytest.approx(adc, rel=1e-5) and said in found.method


def test_directions_at_b_0_make_no_tensor():
    vectors = np.array([[0, 0, 1], [1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1], [0, 1, 1.0]])
    vectors, b_values = vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.append(0, np.full(5, 1000))
    found = make_adc(tensor_series(b_values, vectors, 0.8 * np.eye(3)), b_values, vectors, noise_sd=0)
    assert "along 5 directions" in found.method and found.adc == pytest.approx(0.8e-3, rel=1e-5)


def test_directions_at_b_0_do_not_divide_its_mean():
    """Three volumes at b = 0, two with a direction that scanners leave there: each counts a third."""
    vectors = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    levels = np.array([100, 100, 400, 100, 100, 100]) * np.exp(-1e-3 * np.array([0, 0, 0, 1000, 1000, 1000]))
    found = fit_adc(levels.reshape(1, 1, 1, -1), [0, 0, 0, 1000, 1000, 1000], noise_sd=0, b_vectors=vectors)
    assert found == pytest.approx(1e-3 + np.log(4) / 3 / 1000, rel=1e-5)


@pytest.mark.parametrize("number", [3, 6])
def test_what_lies_outside_of_the_mask_or_under_the_noise_is_not_fitted(number):
    """Of one direction as of the tensor; the third voxel's signals at b = 1000 are under the noise floor of 20."""
    vectors = np.vstack([np.zeros(3), np.eye(3) if number == 3 else SIX])
    b_values = np.append(0, np.full(number, 1000))
    series = np.tile(tensor_series(b_values, vectors, 0.8 * np.eye(3)), (3, 1, 1, 1))
    series[2] *= 0.11  # 22 and 9.9
    made = make_adc(series, b_values, vectors, brain=np.array([1, 0, 1]).reshape(3, 1, 1), noise_sd=10)
    assert made.adc.ravel() == pytest.approx([0.8e-3, 0, 0], rel=1e-5) and made.num_not_fitted == 1
    assert make_adc(series, b_values, vectors, noise_sd=1).adc == pytest.approx(0.8e-3, rel=1e-5)


def test_one_b_value_is_not_enough():
    with pytest.raises(InputError, match=r"found b = 998 s/mm2 only. Give the whole series"):
        make_adc(np.ones((2, 2, 2, 3)), [990, 1000, 1003])


def test_as_dipy_on_a_real_series(real_data):
    """Tissue: DIPY's MD 0.3 to 1.5e-3 mm2/s and FA below 0.8; where FA is higher the signal along fibres is noise."""
    dti = pytest.importorskip("dipy.reconst.dti")
    gradients = pytest.importorskip("dipy.core.gradients")
    stem = real_data / "diffusion" / "small_64D"
    series = nibabel.load(f"{stem}.nii").get_fdata()
    b_values, vectors = np.loadtxt(f"{stem}.bval"), np.loadtxt(f"{stem}.bvec")
    table = gradients.gradient_table(b_values, bvecs=np.nan_to_num(vectors))
    reference = dti.TensorModel(table, fit_method="WLS").fit(series)
    tissue = (reference.md > 0.3e-3) & (reference.md < 1.5e-3) & (reference.fa < 0.8)
    for vectors_given in (vectors, None):
        result = make_adc(series, b_values, vectors_given)
        error = np.abs(result.adc - reference.md)[tissue] / reference.md[tissue]
        assert tissue.sum() > 500 and np.median(error) < 0.004 and np.percentile(error, 95) < 0.02
        assert result.noise_sd == 0  # the image is full of tissue
