"""A perfusion series whose blood volume is known, and how much of it comes back."""

import numpy as np
import pytest
from scipy.integrate import cumulative_trapezoid

from glioma_idh.imaging.perfusion.acquisition import Times
from glioma_idh.imaging.perfusion.blood_volume import normal_white_matter
from glioma_idh.imaging.perfusion.bolus import find_first_pass
from glioma_idh.imaging.perfusion.rcbv import make_rcbv
from glioma_idh.phantom.anatomy import draw_anatomy, make_anatomy
from glioma_idh.phantom.fields import make_grid
from glioma_idh.phantom.lesions import PARTS, draw_lesion, make_lesion
from glioma_idh.phantom.perfusion_series import (
    BOLUS_AREA,
    VESSEL_RELAXIVITY,
    WHITE_BLOOD_VOLUME,
    DscProtocol,
    Leakage,
    arterial_concentration,
    leaked_concentration,
    make_dsc,
    sampled_concentrations,
    vascular_concentration,
)
from glioma_idh.phantom.recipe import PhantomRecipe, random_stream
from glioma_idh.phantom.signal import TISSUES, clean_signal, planted_tissue

RECIPE = PhantomRecipe(num_subjects=6, num_mutant=2, seed=0, spacing_mm=3.0)
GRID = make_grid(RECIPE.spacing_mm)
LATENTS = (0.0, 1.5, -1.0)
DUAL = (0.008, 0.030)
T1_WINS = DscProtocol(), Leakage()
T2_WINS = DscProtocol(flip_deg=30), Leakage(relaxivity_t2=60)
TWO_ECHOES = DscProtocol(echo_times_s=DUAL), Leakage(relaxivity_t2=50)
NO_NOISE = DscProtocol(white_snr=np.inf)


@pytest.fixture(scope="module")
def bodies():
    """Anatomy and lesion of three subjects."""
    anatomies = [make_anatomy(draw_anatomy(random_stream(RECIPE, n, "anatomy")), GRID) for n in range(3)]
    draws = [draw_lesion(random_stream(RECIPE, n, "lesion")) for n in range(3)]
    return [(anatomy, make_lesion(draw, anatomy)) for anatomy, draw in zip(anatomies, draws, strict=True)]


def clear_tissue(anatomy, lesion, name):
    """Mask of voxels of one healthy tissue, away from lesion and vessels."""
    return (getattr(anatomy, name) > 0.97) & (lesion.shares.sum(axis=0) < 0.01) & (anatomy.vessels < 0.01)


def test_arterial_curve_has_its_bolus_and_a_tail():
    fine_s = np.arange(-10, 200, 0.05)
    curve = arterial_concentration(fine_s)
    assert not curve[fine_s <= 0].any()
    assert 5 < curve.max() < 7  # mmol / l
    assert fine_s[curve.argmax()] == pytest.approx(4.5, abs=0.2)  # power x scale of the gamma-variate
    assert np.trapezoid(curve[fine_s < 14], dx=0.05) == pytest.approx(BOLUS_AREA, rel=0.05)
    assert 0.15 < curve[-1] < 0.3


def test_passing_through_tissue_keeps_the_area_and_takes_the_transit_time():
    fine_s = np.arange(0, 200, 0.05)
    arterial = np.exp(-((fine_s - 20) ** 2) / 18)
    tissue = vascular_concentration(fine_s, arterial, 4.0)
    assert tissue.sum() == pytest.approx(arterial.sum(), rel=1e-3)
    delay_s = np.average(fine_s, weights=tissue) - np.average(fine_s, weights=arterial)
    assert delay_s == pytest.approx(4.0, abs=0.05)


def test_what_leaks_fills_the_space_outside_at_the_rate_of_tofts():
    ktrans = np.array([0.0, 0.002, 0.01], np.float32)
    curves = np.array(list(leaked_concentration(np.full(60, 2.0), 1.5, ktrans, ve=0.25)))
    time_s = 1.5 * np.arange(1, 61)[:, None]
    assert np.allclose(curves, 0.25 * 2.0 * (1 - np.exp(-ktrans * time_s / 0.25)), atol=1e-5)


def test_truth_is_that_of_the_phantom(bodies):
    anatomy, lesion = bodies[0]
    truth = make_dsc(anatomy, lesion, 0.7, np.random.default_rng(0))[1]
    assert np.allclose(truth, clean_signal("rcbv", anatomy, lesion, 0.7) * anatomy.brain)
    pure = lesion.shares[PARTS.index("rim")] > 0.99
    assert truth[pure].mean() == pytest.approx(planted_tissue("rcbv", "rim", 0.7).rcbv, rel=0.01)
    assert truth[clear_tissue(anatomy, lesion, "white")].mean() == pytest.approx(1, abs=0.03)


def test_signal_follows_the_equations(bodies):
    """Steady state of a spoiled gradient echo before the bolus, the change of dR2* in white matter after it."""
    anatomy, lesion = bodies[0]
    (series,), truth = make_dsc(anatomy, lesion, 0.0, np.random.default_rng(0), NO_NOISE)
    levels = []
    for name in ("white", "grey"):
        tissue, decay = TISSUES[name], np.exp(-1.5 / TISSUES[name].t1_s)
        steady = (1 - decay) / (1 - np.cos(np.deg2rad(70)) * decay)
        levels.append(tissue.proton_density * steady * np.exp(-0.03 * (1 / tissue.t2_s + 8)))
    white, grey = (series[clear_tissue(anatomy, lesion, name)].mean(axis=0) for name in ("white", "grey"))
    assert grey[10] / white[10] == pytest.approx(levels[1] / levels[0], rel=0.01)
    assert white[10] == pytest.approx(500, rel=0.02)
    assert white[0] > 1.1 * white[10]  # not yet steady
    assert white[5] == pytest.approx(white[15], rel=1e-3)
    change = -np.log(white / white[10]) / 0.03
    blood = WHITE_BLOOD_VOLUME * truth[clear_tissue(anatomy, lesion, "white")].mean()
    assert np.allclose(
        change[16:], VESSEL_RELAXIVITY * blood * sampled_concentrations(NO_NOISE, 4.0)[0][16:], atol=0.05
    )


def test_noise_is_rician_and_as_strong_as_asked(bodies):
    anatomy, lesion = bodies[0]
    (series,), _ = make_dsc(anatomy, lesion, 0.0, np.random.default_rng(0), DscProtocol(white_snr=50, num_volumes=40))
    before = series[..., 4:15]
    assert before[clear_tissue(anatomy, lesion, "white")].std(axis=-1, ddof=1).mean() == pytest.approx(10, rel=0.05)
    assert before[:3].mean() == pytest.approx(10 * np.sqrt(np.pi / 2), rel=0.02)  # Rayleigh, outside the head


def test_of_two_echoes_the_longest_has_the_signal_and_both_the_noise(bodies):
    anatomy, lesion = bodies[0]
    protocol = DscProtocol(echo_times_s=DUAL, white_snr=50, num_volumes=12)
    echoes, _ = make_dsc(anatomy, lesion, 0.0, np.random.default_rng(0), protocol)
    white = clear_tissue(anatomy, lesion, "white")
    short, long = (echo[white][:, 8:].mean() for echo in echoes)
    assert long == pytest.approx(500, rel=0.03) and short > 1.3 * long
    for echo in echoes:
        assert echo[:3].mean() == pytest.approx(10 * np.sqrt(np.pi / 2), rel=0.02)  # Rayleigh, outside the head


def test_the_same_random_numbers_give_the_same_series(bodies):
    first, again = (make_dsc(*bodies[0], 0.0, np.random.default_rng(3))[0][0] for _ in range(2))
    assert (first == again).all()


def test_only_the_rim_leaks(bodies):
    anatomy, lesion = bodies[0]
    tight, leaky = (
        make_dsc(anatomy, lesion, 0.0, np.random.default_rng(0), NO_NOISE, leakage)[0][0]
        for leakage in (Leakage(ktrans_per_min=0.0), Leakage())
    )
    late = (leaky - tight)[..., -1]
    rim = lesion.shares[PARTS.index("rim")]
    assert not late[rim == 0].any()
    assert late[rim > 0.9].min() > 0  # T1 wins
    spread = late[rim > 0.9] / tight[rim > 0.9, -1]
    assert spread.std() / spread.mean() > 0.15


def errors(anatomy, lesion, z, seed, protocol, leakage, integral="first-pass"):
    """Relative error of the mean rCBV in the whole lesion and in its rim: corrected, then uncorrected."""
    series, truth = make_dsc(anatomy, lesion, z, np.random.default_rng(seed), protocol, leakage)
    white = normal_white_matter(anatomy.white, GRID.affine, lesion.mask, lesion.mask[::-1])
    times = Times(protocol.echo_times_s, protocol.repetition_time_s)
    found = make_rcbv(series, times, anatomy.brain, white, lesion.mask, integral)
    regions = lesion.mask, lesion.shares[PARTS.index("rim")] > 0.5
    maps = found.rcbv, found.rcbv_uncorrected
    return [[float(image[region].mean() / truth[region].mean() - 1) for region in regions] for image in maps]


@pytest.mark.integration
@pytest.mark.parametrize("index", range(3))
@pytest.mark.parametrize(
    ("acquired", "sign"), [(T1_WINS, -1), (T2_WINS, 1), (TWO_ECHOES, 1)], ids=["T1 wins", "T2* wins", "two echoes"]
)
def test_blood_volume_comes_back_despite_leakage(bodies, acquired, sign, index):
    """Within 10 % in the lesion and in its rim, and in the rim more than that without correction."""
    corrected, uncorrected = errors(*bodies[index], LATENTS[index], index, *acquired)
    assert np.abs(corrected).max() < 0.10, corrected
    assert sign * uncorrected[1] > 0.10, uncorrected
    assert (np.abs(uncorrected) > 1.5 * np.abs(corrected)).all(), (corrected, uncorrected)


def test_nothing_is_done_to_a_lesion_that_does_not_leak(bodies):
    corrected, uncorrected = errors(*bodies[0], 0.0, 0, DscProtocol(), Leakage(ktrans_per_min=0.0))
    assert np.abs(corrected).max() < 0.03
    assert np.abs(uncorrected).max() < 0.03


def test_gamma_variate_comes_as_close_on_the_whole(bodies):
    corrected, _ = errors(*bodies[0], 0.0, 0, *T1_WINS, integral="gamma-variate")
    assert np.abs(corrected).max() < 0.12, corrected


def test_a_longer_transit_time_is_taken_for_leakage(bodies):
    """A known limit of the method: 6 s in a lesion that does not leak, 4 s elsewhere.

    Expected from the two curves of contrast medium alone. Uncorrected, the first pass ends before all of the slower
    curve has come. Corrected, the least-squares fit of K1 and K2 over 60 s from the arrival takes the rest for leakage.
    """
    protocol, leakage = DscProtocol(), Leakage(ktrans_per_min=0.0, transit_s=6.0)
    corrected, uncorrected = errors(*bodies[0], 0.0, 0, protocol, leakage)
    (healthy, lesion, _), step_s = sampled_concentrations(protocol, 6.0), protocol.repetition_time_s
    start, stop = find_first_pass(healthy, round(protocol.arrival_s / step_s), step_s)
    running = cumulative_trapezoid(healthy[start:], dx=step_s, initial=0)
    fitted = slice(start, start + 40)
    design = np.stack([healthy[fitted], -running[:40]], axis=1)
    _, k2 = np.linalg.lstsq(design, lesion[fitted], rcond=None)[0]
    passed = slice(start, stop)
    late = np.trapezoid(k2 * running[: stop - start], dx=step_s)
    healthy, slower = (np.trapezoid(curve[passed], dx=step_s) for curve in (healthy, lesion))
    assert uncorrected[0] == pytest.approx(slower / healthy - 1, abs=0.02) and slower < 0.95 * healthy
    assert corrected[0] == pytest.approx((slower + late) / healthy - 1, abs=0.02) and late < 0
