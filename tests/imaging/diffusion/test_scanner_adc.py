"""Scanners' ADC maps in any unit, traces among them, and maps whose brain has not the ADC of tissue."""

import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.acquisition import read_acquisition
from glioma_idh.imaging.diffusion.adc import HIGHEST_ADC, make_adc
from glioma_idh.imaging.diffusion.scanner_adc import histogram_peak, scale_adc
from glioma_idh.imaging.volumes import read_volume

BRAIN = np.ones((20, 20, 20), bool)


def brain_of(tissue=0.8e-3, oedema=0.1, fluid=0.15, seed=0):
    """An ADC map of 8000 voxels, mm2/s: tissue, and shares of oedema of twice its ADC and fluid of 3e-3."""
    rng, number = np.random.default_rng(seed), BRAIN.size
    values = rng.normal(tissue, 0.12 * tissue, number)
    ill, wet = int(oedema * number), int(fluid * number)
    values[:ill] = rng.normal(2 * tissue, 0.3 * tissue, ill)
    values[ill : ill + wet] = rng.normal(3.0e-3, 0.3e-3, wet)
    return values.reshape(BRAIN.shape)


@pytest.mark.parametrize(("unit", "power"), [(1, 0), (1e6, -6), (1e3, -3), (1e5, -5), (1e-6, 6)])
@pytest.mark.parametrize("tissue", [0.5e-3, 0.8e-3, 1e-3])
def test_maps_come_in_many_units(unit, power, tissue):
    adc = brain_of(tissue)
    made = scale_adc(adc * unit, BRAIN)
    assert made.power == power and not made.divided and made.adc.dtype == np.float32
    assert made.adc == pytest.approx(np.clip(adc, 0, HIGHEST_ADC), rel=1e-6)
    assert made.peak_mm2_s == pytest.approx(tissue, rel=0.05)


def test_what_was_decided_is_said_with_its_number():
    made = scale_adc(np.full((3, 3, 3), 790.0), np.ones((3, 3, 3)))
    assert made.method == "ADC map of the scanner, taken in units of 1e-6 mm2/s; peak of brain tissue 0.79e-3 mm2/s"
    trace = scale_adc(np.full((3, 3, 3), 2370.0), np.ones((3, 3, 3)), called_trace=True)
    assert trace.method == (
        "ADC map of the scanner, taken in units of 1e-6 mm2/s, a trace, divided by 3; "
        "peak of brain tissue 0.79e-3 mm2/s"
    )


def test_oedema_and_fluid_in_most_of_the_brain_do_not_move_the_peak():
    adc = brain_of(oedema=0.4, fluid=0.2)
    assert np.median(adc) > 1.3e-3
    assert scale_adc(1e6 * adc, BRAIN).peak_mm2_s == pytest.approx(0.8e-3, rel=0.05)


def test_a_trace_is_divided_where_it_is_called_so_and_refused_where_not():
    """The median of a trace in mm2/s lies in the decade of an ADC: 2.5e-3."""
    trace = 3 * brain_of(oedema=0.1)
    assert np.median(trace) < 3e-3
    made = scale_adc(1e6 * trace, BRAIN, called_trace=True)
    assert made.divided and made.adc == pytest.approx(np.clip(trace / 3, 0, HIGHEST_ADC), rel=1e-6)
    assert made.peak_mm2_s == pytest.approx(0.8e-3, rel=0.05)
    with pytest.raises(InputError, match=r"a peak at 2.4\de-3 .* three times that of tissue.*to its name.*adc_divisor"):
        scale_adc(1e6 * trace, BRAIN)


def test_the_adc_of_trace_weighted_images_is_called_trace_and_is_none():
    adc = brain_of()
    made = scale_adc(1e6 * adc, BRAIN, called_trace=True)
    assert not made.divided and made.adc == pytest.approx(np.clip(adc, 0, HIGHEST_ADC), rel=1e-6)


@pytest.mark.parametrize("called_trace", [False, True])
@pytest.mark.parametrize("factor", [1.55, 0.5, 4.2, 15])
def test_a_map_in_another_scale_is_refused(factor, called_trace):
    """1.55: Philips' values for the comparison of signals; 0.80e-3 became 1.24e-3."""
    with pytest.raises(
        InputError, match=r"histogram peaks at 0.45 to 1.05e-3 mm2/s in the brain; found a peak at .*dcm2niix -p n"
    ):
        scale_adc(1e6 * factor * brain_of(), BRAIN, called_trace)


def test_the_borders_of_tissue_and_of_the_decade():
    for value, fits in ((449, False), (452, True), (1048, True), (1052, False)):
        adc = np.full((3, 3, 3), float(value))
        if fits:
            assert scale_adc(adc, np.ones((3, 3, 3))).power == -6
        else:
            with pytest.raises(InputError, match="e-6 mm2/s"):
                scale_adc(adc, np.ones((3, 3, 3)))
    with pytest.raises(InputError, match="a peak at 3.45e-3 mm2/s .taken in units of 1e-6"):
        scale_adc(np.full((3, 3, 3), 3450.0), np.ones((3, 3, 3)))
    with pytest.raises(InputError, match="a peak at 0.36e-3 mm2/s .taken in units of 1e-5"):
        scale_adc(np.full((3, 3, 3), 36.0), np.ones((3, 3, 3)))


def test_the_brain_decides_and_what_is_no_diffusivity_is_clipped():
    adc = np.full((4, 1, 1), 800.0)
    adc[2:] = [[[-1]], [[90000]]]
    made = scale_adc(adc, np.array([1, 1, 0, 0]).reshape(4, 1, 1))
    assert made.power == -6 and made.adc.ravel() == pytest.approx([0.8e-3, 0.8e-3, 0, HIGHEST_ADC])


@pytest.mark.parametrize(("value", "brain"), [(0, 1), (-700, 1), (np.nan, 1), (800, 0), (1e12, 1)])
def test_a_map_without_a_unit_is_an_error(value, brain):
    with pytest.raises(InputError, match="ADC map with a positive median"):
        scale_adc(np.full((2, 2, 2), value), np.full((2, 2, 2), brain))


def test_the_peak_is_where_most_values_lie_and_zeros_are_none():
    values = np.concatenate([np.zeros(900), [np.nan, np.inf, -3], np.linspace(5, 50, 100), np.full(50, 20.0)])
    assert histogram_peak(values) == pytest.approx(20, rel=0.02)
    assert np.isnan(histogram_peak(np.zeros(3)))


def test_a_real_series_and_its_trace(real_data):
    """The tensor of a real series, as a scanner may store it."""
    stem = real_data / "diffusion" / "small_64D"
    acquired, series = read_acquisition(f"{stem}.nii"), read_volume(f"{stem}.nii", num_axes=4)
    adc = make_adc(series.array, acquired.b_values, acquired.b_vectors).adc
    made = scale_adc(np.round(1e6 * adc), np.ones(adc.shape))
    assert made.adc == pytest.approx(adc, abs=1e-6) and made.power == -6
    with pytest.raises(InputError, match="three times"):
        scale_adc(np.round(3e6 * adc), np.ones(adc.shape))
