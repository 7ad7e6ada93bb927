"""The ADC that was planted is the ADC that is found."""

import numpy as np
import pytest

from glioma_idh.imaging.diffusion.adc import fit_adc, make_adc
from glioma_idh.phantom.anatomy import draw_anatomy, make_anatomy
from glioma_idh.phantom.diffusion_series import B_VALUES, clean_dwi, make_dwi, three_directions, tissue_shares
from glioma_idh.phantom.fields import make_grid
from glioma_idh.phantom.lesions import draw_lesion, make_lesion
from glioma_idh.phantom.signal import TISSUES, clean_signal

GRID = make_grid(4.0)


@pytest.fixture(scope="module")
def body():
    """Anatomy and lesion of a subject."""
    rng = np.random.default_rng(5)
    anatomy = make_anatomy(draw_anatomy(rng), GRID)
    return anatomy, make_lesion(draw_lesion(rng), anatomy)


def pure(body, tissue):
    """Voxels that hold one tissue only."""
    return tissue_shares(*body)[tissue] > 0.999


def test_shares_are_those_of_the_phantom_s_own_adc_image(body):
    shares = tissue_shares(*body)
    assert np.allclose(np.sum(list(shares.values()), axis=0), body[0].brain, atol=1e-5)
    healthy = body[1].shares.sum(axis=0) == 0
    mixed = sum(TISSUES[name].adc_mm2_s * share for name, share in shares.items())
    assert np.allclose(mixed[healthy], clean_signal("adc", *body, 0.0)[healthy], rtol=0, atol=1e-8)


def test_without_noise_voxels_of_one_tissue_give_its_adc_and_the_truth(body):
    truth = make_dwi(*body, 0.5, np.random.default_rng(0))[1]
    for b_values, b_vectors in ((B_VALUES, None), three_directions(), three_directions([0, 700])):
        adc = fit_adc(clean_dwi(*body, 0.5, b_values, b_vectors), b_values, noise_sd=0)
        for tissue in ("white", "grey", "fluid"):
            alone = pure(body, tissue)
            assert alone.sum() > 10
            assert adc[alone] == pytest.approx(TISSUES[tissue].adc_mm2_s, rel=0.01)
            assert truth[alone] == pytest.approx(TISSUES[tissue].adc_mm2_s, rel=0.01)


def test_white_matter_conducts_along_its_fibres(body):
    b_values, b_vectors = three_directions([0, 1000])
    assert b_values.tolist() == [0, 1000, 1000, 1000] and b_vectors[1:].tolist() == np.eye(3).tolist()
    white = clean_dwi(*body, 0.5, b_values, b_vectors)[pure(body, "white")].mean(axis=0)
    assert np.log(white[0] / white[1:]) == pytest.approx(0.75 * np.array([21, 6, 6]) / 11, rel=0.01)


@pytest.mark.parametrize("z", [-2.5, 0.5, 3.5])
def test_the_lesion_s_adc_is_recovered_within_5_percent(body, z):
    """Mean over the lesion, under noise, with the noise estimated; half its voxels lie within 5 % too."""
    for b_values, b_vectors in ((B_VALUES, None), three_directions()):
        series, truth = make_dwi(*body, z, np.random.default_rng(1), b_values, b_vectors)
        found, lesion = make_adc(series, b_values, b_vectors, brain=body[0].brain), body[1].mask
        assert found.adc[lesion].mean() == pytest.approx(truth[lesion].mean(), rel=0.05)
        assert np.median(np.abs(found.adc[lesion] / truth[lesion] - 1)) < 0.05
        assert found.num_not_fitted == 0


def test_mean_diffusivity_of_many_directions_is_the_same_truth(body):
    vectors = np.random.default_rng(2).normal(size=(20, 3))
    vectors = np.vstack([np.zeros(3), vectors / np.linalg.norm(vectors, axis=1, keepdims=True)])
    found = make_adc(clean_dwi(*body, 0.5, [0] + [1000] * 20, vectors), [0] + [1000] * 20, vectors, noise_sd=0)
    assert found.method.startswith("mean diffusivity")
    assert found.adc[pure(body, "white")] == pytest.approx(0.75e-3, rel=0.01)


def test_signal_to_noise_is_what_was_asked_for_and_noise_repeats(body):
    series, _ = make_dwi(*body, 0.5, np.random.default_rng(3), white_snr=20)
    air = series[:3, :3, :, 0].astype(float)
    sd = np.sqrt(np.square(air).mean() / 2)  # of the real part: E[M^2] = 2 sd^2
    assert np.median(series[..., 0][pure(body, "white")]) / sd == pytest.approx(20, rel=0.05)
    assert series.dtype == np.int16
    assert np.array_equal(series, make_dwi(*body, 0.5, np.random.default_rng(3), white_snr=20)[0])


def test_without_noise_the_series_is_the_clean_one_times_a_gain_and_a_smooth_profile(body):
    series, _ = make_dwi(*body, 0.5, np.random.default_rng(3), white_snr=np.inf)
    gains = series[body[0].brain] / clean_dwi(*body, 0.5)[body[0].brain]
    white = TISSUES["white"].proton_density * np.exp(-0.08 / TISSUES["white"].t2_s)
    assert 0.7 * 0.95 < np.median(gains) * white / 500 < 1.4 * 1.05
    assert 0.005 < gains[:, 0].std() / gains[:, 0].mean() < 0.05
    assert np.median(gains, axis=0) == pytest.approx(np.median(gains), rel=0.01)


def test_tissue_with_the_longer_t2_shines_through_at_b_0(body):
    images = clean_dwi(*body, 0.5)
    levels = [images[pure(body, tissue)].mean(axis=0) for tissue in ("fluid", "grey", "white")]
    assert levels[0][0] > levels[1][0] > levels[2][0] and levels[0][2] < levels[2][2]
