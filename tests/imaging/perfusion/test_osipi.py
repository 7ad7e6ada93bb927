"""Reference curves of the Open Source Initiative for Perfusion Imaging."""

import numpy as np
import pandas as pd
import pytest

from glioma_idh.imaging.perfusion.acquisition import Times
from glioma_idh.imaging.perfusion.blood_volume import area
from glioma_idh.imaging.perfusion.rcbv import make_rcbv

RELAXIVITY, ECHO_TIME_S = 87.0, 0.03


@pytest.fixture(scope="module")
def concentrations(real_data):
    """Table of 14 tissues: known `cbv` and `cbf` (ml / 100 ml, / min), curves `tissue` and `artery`, step `tr`, s."""
    table = pd.read_csv(real_data / "perfusion" / "osipi_dsc_data.csv")
    for name, column in (("tissue", "C_tis"), ("artery", "C_aif")):
        table[name] = [np.array(text.split(), float) for text in table[column]]
    return table


def slope_and_correlation(found, truth):
    """Of a straight line through the points."""
    return np.polyfit(truth, found, 1)[0], np.corrcoef(truth, found)[0, 1]


def noiseless(table) -> np.ndarray:
    """Each tissue's curve by theory, shape (tissue, t): blood flow times the artery, convolved with the residue.

    The data's makers summed the residue exp(-t / MTT) over the steps and did not integrate it.
    """
    time_s = table["tr"][0] * np.arange(161)
    return np.stack(
        [
            row.cbf / 6000 * row.tr * np.convolve(row.artery, np.exp(-time_s * row.cbf / (60 * row.cbv)))[:161]
            for row in table.itertuples()
        ]
    )


def test_area_gives_the_known_blood_volume(concentrations):
    """CBV = 100 x area of tissue / area of artery, no factor for haematocrit or density."""
    table = concentrations
    found = [
        100 * area(row.tissue, (0, 161), row.tr) / area(row.artery, (0, 161), row.tr) for row in table.itertuples()
    ]
    transit_s = 60 * table["cbv"] / table["cbf"]
    step = table["tr"] / transit_s
    as_sampled = table["cbv"] * step / (1 - np.exp(-step))  # the residue was summed, not integrated, over each step
    slope, correlation = slope_and_correlation(found, table["cbv"])
    by_theory, _ = slope_and_correlation(as_sampled, table["cbv"])
    assert correlation > 0.98
    assert slope == pytest.approx(by_theory, abs=0.02)
    slope, correlation = slope_and_correlation(found, as_sampled)
    assert correlation > 0.995
    assert slope == pytest.approx(1, abs=0.05)
    assert np.allclose(found, as_sampled, rtol=0.08)


@pytest.fixture(scope="module")
def relative(concentrations):
    """A function that puts the same curves, as signals, through the whole of `make_rcbv`; and what theory expects.

    The tissues with 2 ml / 100 ml are the unit. Without leakage correction: nothing leaks here, and transit times of 3
    to 24 s would be taken for it.
    """
    signal = 1000 * np.exp(-ECHO_TIME_S * RELAXIVITY * np.stack(concentrations["tissue"]))
    white = (concentrations["cbv"] == 2).to_numpy()
    shape = (14, 1, 1)

    def run(integral):
        arguments = Times([ECHO_TIME_S], 1.243), np.ones(shape, bool), white.reshape(shape)
        made = make_rcbv([signal.reshape(*shape, -1)], *arguments, integral=integral)
        return made.rcbv_uncorrected.ravel(), made.first_pass

    def expected(window):
        areas = area(noiseless(concentrations), window, 1.243)
        return areas / np.median(areas[white])

    return run, expected


def test_the_first_pass_has_the_area_that_theory_says_of_its_window(relative):
    """One window for all cuts off tissues of up to 24 s transit time, to two thirds."""
    run, expected = relative
    found, window = run("first-pass")
    assert found == pytest.approx(expected(window), rel=0.08)
    slope, correlation = slope_and_correlation(found, expected(window))
    assert slope == pytest.approx(1, abs=0.02) and correlation > 0.998


def test_the_whole_curve_sees_all_of_it_within_the_noise_of_the_baseline(relative, concentrations):
    """An error of the baseline's level adds up over the whole curve: its sd is that of the noise / sqrt(16 volumes)."""
    run, expected = relative
    found, (start, _) = run("whole-curve")
    noise = np.mean([curve[:start].std(ddof=1) for curve in concentrations["tissue"]])
    length_s = 1.243 * (161 - start)
    sd = noise * np.hypot(length_s / np.sqrt(start), np.sqrt(1.243 * length_s))  # of an area: of the level, and its own
    unit = np.median(area(noiseless(concentrations), (start, 161), 1.243)[concentrations["cbv"] == 2])
    error = (found - expected((start, 161))) / (sd / unit)
    assert np.abs(error).max() < 3
    assert slope_and_correlation(found, concentrations["cbv"])[1] > 0.95


def test_a_gamma_variate_finds_a_part_of_what_the_window_cuts_off(relative, concentrations):
    """Its integral lies between the area of the window and that of the whole curve."""
    run, expected = relative
    found, window = run("gamma-variate")
    cut, whole = expected(window), expected((window[0], 161))
    assert (found > 0.96 * np.minimum(cut, whole)).all() and (found < 1.04 * np.maximum(cut, whole)).all()
    slow = (60 * concentrations["cbv"] / concentrations["cbf"] > 10).to_numpy()  # s
    assert slow.sum() == 4 and (found[slow] > cut[slow] + 0.2 * (whole - cut)[slow]).all()
    correlations = [slope_and_correlation(values, concentrations["cbv"])[1] for values in (run("first-pass")[0], found)]
    assert correlations[0] + 0.05 < correlations[1]


TUMOUR, WHITE = 0, 1


@pytest.fixture(scope="module")
def echoes(real_data):
    """Signals of a tumour and of normal white matter, both echoes (2 and 30 ms), each of shape (2, t)."""
    from scipy.io import loadmat

    curves = loadmat(real_data / "perfusion" / "osipi_LCB_BNI_data.mat")
    return [np.stack([curves[f"{name}_SIt"][n] for name in ("tumor", "NAWM")]) for n in (0, 1)]


@pytest.fixture(scope="module")
def tumour_maps(echoes):
    """Maps of a tumour (voxel 0) and normal white matter (voxel 1): the second echo alone, and both."""
    lesion = np.array([True, False]).reshape(2, 1, 1)
    arguments = {"brain": np.ones((2, 1, 1)), "white": ~lesion, "lesion": lesion}
    images = [echo[:, None, None] for echo in echoes]
    return tuple(make_rcbv(images[-len(s) :], Times(s, 1.5), **arguments) for s in ([0.03], [0.002, 0.03]))


@pytest.mark.parametrize("number", [1, 2])
def test_leakage_is_that_of_the_formulas_written_out(echoes, tumour_maps, number):
    """dR2* = K1 mean - K2 integral of mean, over 60 s from the arrival; the areas are sums of trapezoids."""
    maps = tumour_maps[number - 1]
    (begin, end), (start, stop) = maps.baseline, maps.first_pass
    logs = [np.log(echo / echo[:, begin:end].mean(axis=1, keepdims=True)) for echo in echoes]
    tumour, white = -logs[1] / 0.03 if number == 1 else (logs[0] - logs[1]) / (0.03 - 0.002)
    integral = np.array([1.5 * np.sum((white[start + 1 : t + 1] + white[start:t]) / 2) for t in range(len(white))])
    fitted = slice(start, start + 40)
    (k1, k2), *_ = np.linalg.lstsq(np.stack([white, -integral], axis=1)[fitted], tumour[fitted], rcond=None)
    ratios = [
        np.trapezoid(curve[start:stop]) / np.trapezoid(white[start:stop]) for curve in (tumour, tumour + k2 * integral)
    ]
    found = [getattr(maps, name)[TUMOUR, 0, 0] for name in ("k1", "k2", "rcbv_uncorrected", "rcbv")]
    assert found == pytest.approx([k1, k2, *ratios], rel=1e-4)


def test_correction_brings_one_and_two_echoes_closer(tumour_maps):
    """T1 hides contrast medium from one echo, T2* adds some in two: the corrected values lie between."""
    one, two = tumour_maps
    assert one.k2[TUMOUR, 0, 0] > 0 > two.k2[TUMOUR, 0, 0]
    low, high = (maps.rcbv_uncorrected[TUMOUR, 0, 0] for maps in tumour_maps)
    assert low < one.rcbv[TUMOUR, 0, 0] < two.rcbv[TUMOUR, 0, 0] < high
    assert two.rcbv[TUMOUR, 0, 0] - one.rcbv[TUMOUR, 0, 0] < 0.45 * (high - low)
    late = {
        name: [np.abs(maps.curves[name][-60:]).mean() for maps in tumour_maps]
        for name in ("lesion", "lesion, corrected")
    }
    assert max(late["lesion, corrected"]) < 1 < 5 < min(late["lesion"])  # 1 / s


def test_the_baseline_lies_within_the_forty_volumes_given_or_little_after(tumour_maps):
    for maps in tumour_maps:
        assert maps.baseline[0] == 0
        assert 40 <= maps.baseline[1] <= 44
