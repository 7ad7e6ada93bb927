"""Tissue values are those of the literature, and signals follow their equations, with numbers worked out by hand."""

from dataclasses import replace
from math import cos, exp, log, radians, sin

import numpy as np
import pytest

from glioma_idh.phantom import diffusion_series, perfusion_series
from glioma_idh.phantom.lesions import PARTS
from glioma_idh.phantom.recipe import SEQUENCES, planted_shift
from glioma_idh.phantom.signal import (
    PLANTED_CENTRE,
    PLANTED_RANGE,
    PLANTED_WIDTH,
    RELAXIVITY,
    TISSUES,
    Tissue,
    enhanced,
    inversion_recovery,
    planted_tissue,
    spin_echo,
    spoiled_gradient_echo,
    tissue_signal,
)

ANY = Tissue(proton_density=0.8, t1_s=2.0, t2_s=0.1, adc_mm2_s=1e-3, rcbv=2.0, contrast_mmol_l=0.5)


def test_tissue_values_are_those_of_the_sources():
    """Of white and grey matter, fluid and blood, from the papers named in `signal`."""
    values = {
        name: (t.proton_density, t.t1_s, t.t2_s, t.adc_mm2_s, t.rcbv)
        for name, t in TISSUES.items()
        if name in ("white", "grey", "fluid")
    }
    assert values == {
        "white": (0.70, 0.832, 0.069, 0.75e-3, 1.0),
        "grey": (0.82, 1.331, 0.099, 0.83e-3, 2.1),
        "fluid": (1.00, 4.0, 2.0, 3.0e-3, 0.3),
    }
    assert (TISSUES["vessels"].t1_s, TISSUES["vessels"].t2_s) == (1.6, 0.06)
    assert set(TISSUES) == {"white", "grey", "fluid", "vessels", *PARTS} and RELAXIVITY == 4.0


def test_constants_of_the_series_are_those_of_the_sources():
    assert diffusion_series.B_VALUES == (0, 500, 1000)  # Pasquini et al. 2021
    along, across = diffusion_series.ALONG, diffusion_series.ACROSS
    assert along / across == pytest.approx(3.5) and (along + 2 * across) / 3 == pytest.approx(
        1
    )  # Pierpaoli et al. 1996
    assert perfusion_series.VESSEL_RELAXIVITY == 87.0  # Kjolby et al. 2006, 3 T
    assert perfusion_series.INHOMOGENEITY_RATE == 8.0  # Wansapura et al. 1999
    assert perfusion_series.WHITE_BLOOD_VOLUME == 0.022
    protocol = perfusion_series.DscProtocol()
    assert (protocol.echo_times_s, protocol.repetition_time_s, protocol.flip_deg) == ((0.03,), 1.5, 70.0)
    assert (protocol.num_volumes, protocol.arrival_s, protocol.white_snr) == (60, 24.0, 75.0)
    leakage = perfusion_series.Leakage()
    assert (leakage.ktrans_per_min, leakage.extravascular_volume, leakage.relaxivity_t2) == (0.1, 0.3, 20.0)
    assert (leakage.spread, leakage.transit_s, perfusion_series.BOLUS_AREA) == (0.4, 4.0, 40.0)


def test_signal_equations():
    assert spin_echo(ANY, 1.0, 0.05) == pytest.approx(0.8 * (1 - exp(-0.5)) * exp(-0.5))
    assert inversion_recovery(ANY, 4.0, 1.0, 0.1) == pytest.approx(0.8 * abs(1 - 2 * exp(-0.5) + exp(-2)) * exp(-1))
    assert inversion_recovery(ANY, 1e6, 2 * log(2), 0.1) == pytest.approx(0, abs=1e-12)  # nulled at T1 ln 2
    a, e1 = radians(30), exp(-0.01)
    assert spoiled_gradient_echo(ANY, 0.02, 30) == pytest.approx(0.8 * sin(a) * (1 - e1) / (1 - cos(a) * e1))
    assert enhanced(ANY).t1_s == pytest.approx(1 / (0.5 + 4 * 0.5)) and replace(enhanced(ANY), t1_s=2.0) == ANY


def test_each_sequence_has_its_own_equation_and_times():
    assert tissue_signal("t1", ANY) == spoiled_gradient_echo(ANY, 0.018, 25)
    assert tissue_signal("t1gd", ANY) == inversion_recovery(enhanced(ANY), 2.3, 1.0, 0.003)
    assert tissue_signal("t2", ANY) == spin_echo(ANY, 5.0, 0.095)
    assert tissue_signal("flair", ANY) == inversion_recovery(ANY, 9.0, 2.4, 0.11)
    assert tissue_signal("rcbv", ANY) == 2.0 and tissue_signal("adc", ANY) == 1e-3
    with pytest.raises(ValueError, match="dwi"):
        tissue_signal("dwi", ANY)


def test_flair_suppresses_fluid_and_blood_enhances():
    assert tissue_signal("flair", TISSUES["fluid"]) < 0.25 * tissue_signal("flair", TISSUES["white"])
    blood = TISSUES["vessels"]
    assert tissue_signal("t1gd", blood) > 1.5 * tissue_signal("t1gd", replace(blood, contrast_mmol_l=0))


def test_a_planted_tissue_moves_along_a_logistic_curve_between_its_two_ends():
    name, ends = PLANTED_RANGE["rcbv"]
    low, high = ends["rim"]
    assert (name, low, high, PLANTED_CENTRE, PLANTED_WIDTH) == ("rcbv", 6.2, 0.6, 0.4, 1.8)
    for z, share in ((0.4, 0.5), (2.2, 1 / (1 + exp(-1))), (-1.4, 1 / (1 + exp(1))), (99, 1), (-99, 0)):
        assert planted_tissue("rcbv", "rim", z).rcbv == pytest.approx(low + (high - low) * share)
    changed = planted_tissue("rcbv", "rim", 1.0)
    assert replace(changed, rcbv=TISSUES["rim"].rcbv) == TISSUES["rim"]  # the rest stays as it is


@pytest.mark.parametrize("part", PARTS)
def test_mutants_look_as_reported(part):
    """Less blood volume, less enhancement, longer T1, longer T2, and darker FLAIR: the T2-FLAIR mismatch."""
    assert all(planted_shift(name) > 0 for name in SEQUENCES if name != "adc") and planted_shift("adc") == 0
    for sequence, sign in {"t1": -1, "t1gd": -1, "t2": 1, "flair": -1, "rcbv": -1}.items():
        wild, mutant = (
            tissue_signal(sequence, planted_tissue(sequence, part, z)) for z in (0, planted_shift(sequence))
        )
        assert np.sign(mutant - wild) == sign, sequence
        assert abs(mutant / wild - 1) > 0.02, sequence
    assert [PLANTED_RANGE[name][0] for name in SEQUENCES] == [
        *("t1_s", "contrast_mmol_l", "t2_s", "t1_s", "rcbv", "adc_mm2_s")
    ]
