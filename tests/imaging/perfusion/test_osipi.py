"""Reference curves of the Open Source Initiative for Perfusion Imaging."""

import numpy as np
import pandas as pd
import pytest

from glioma_idh.imaging.perfusion import make_rcbv
from glioma_idh.imaging.perfusion.blood_volume import area

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


def test_area_gives_the_known_blood_volume(concentrations):
    """CBV = 100 x area of tissue / area of artery, no factor for haematocrit or density."""
    table = concentrations
    found = [
        100 * area(row.tissue, (0, 161), row.tr) / area(row.artery, (0, 161), row.tr) for row in table.itertuples()
    ]
    slope, correlation = slope_and_correlation(found, table["cbv"])
    assert correlation > 0.98
    assert slope == pytest.approx(1.11, abs=0.02)
    transit_s = 60 * table["cbv"] / table["cbf"]
    step = table["tr"] / transit_s
    as_sampled = table["cbv"] * step / (1 - np.exp(-step))  # the residue was summed, not integrated, over each step
    slope, correlation = slope_and_correlation(found, as_sampled)
    assert correlation > 0.995
    assert slope == pytest.approx(1, abs=0.05)
    assert np.allclose(found, as_sampled, rtol=0.08)


@pytest.mark.parametrize(
    ("integral", "expected"),
    [("whole-curve", (0.82, 0.966)), ("gamma-variate", (0.93, 0.954)), ("first-pass", (0.93, 0.882))],
)
def test_relative_blood_volume_follows_the_known_one(concentrations, integral, expected):
    """The same curves as signals, through the whole of `make_rcbv`; the tissues with 2 ml / 100 ml are the unit.

    One window for all cuts off tissues of up to 24 s transit time, of which only the whole curve sees the end; over its
    180 s the noise of the baseline adds up in turn. Without leakage correction: nothing leaks here, and transit times
    of 3 to 24 s would be taken for it.
    """
    change = RELAXIVITY * np.stack(concentrations["tissue"])
    signal = (1000 * np.exp(-ECHO_TIME_S * change))[:, None, None]
    brain, white = np.ones((14, 1, 1), bool), (concentrations["cbv"] == 2).to_numpy()[:, None, None]
    found = make_rcbv([signal], [ECHO_TIME_S], 1.243, brain, white, integral=integral).rcbv_uncorrected.ravel()
    assert slope_and_correlation(found, concentrations["cbv"] / 2) == pytest.approx(expected, abs=0.01)


@pytest.fixture(scope="module")
def tumour_maps(real_data):
    """Maps of a tumour (voxel 0) and normal white matter (voxel 1): the second echo alone, and both."""
    from scipy.io import loadmat

    curves = loadmat(real_data / "perfusion" / "osipi_LCB_BNI_data.mat")
    echoes = [np.stack([curves[f"{name}_SIt"][n] for name in ("tumor", "NAWM")])[:, None, None] for n in (0, 1)]
    lesion = np.array([True, False]).reshape(2, 1, 1)
    arguments = {"repetition_time_s": 1.5, "brain": np.ones((2, 1, 1)), "white": ~lesion, "lesion": lesion}
    return make_rcbv(echoes[1:], [0.03], **arguments), make_rcbv(echoes, [0.002, 0.03], **arguments)


def test_correction_brings_one_and_two_echoes_closer(tumour_maps):
    """Uncorrected, tumour over white matter is -0.47 with one echo (T1) and 1.62 with two (T2*)."""
    one, two = tumour_maps
    assert one.k2[0, 0, 0] > 0 > two.k2[0, 0, 0]
    gap = [abs(float((getattr(one, name) - getattr(two, name))[0, 0, 0])) for name in ("rcbv_uncorrected", "rcbv")]
    assert gap == pytest.approx([2.09, 0.90], abs=0.02)
    late = {
        name: [np.abs(maps.curves[name][-60:]).mean() for maps in tumour_maps]
        for name in ("lesion", "lesion, corrected")
    }
    assert max(late["lesion, corrected"]) < 1 < 5 < min(late["lesion"])  # 1 / s


def test_the_baseline_lies_within_the_forty_volumes_given_or_little_after(tumour_maps):
    for maps in tumour_maps:
        assert maps.baseline[0] == 0
        assert 40 <= maps.baseline[1] <= 44
