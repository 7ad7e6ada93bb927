"""ADC and rCBV: what is made of which series, where it lies, under which name, and within which masks."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.perfusion.rcbv import Perfusion
from glioma_idh.imaging.resampling import rigid_matrix
from glioma_idh.imaging.volumes import Volume, read_volume, write_volume
from glioma_idh.preparation import maps
from glioma_idh.preparation.maps import PERFUSION_MAPS, make_adc_image, make_rcbv_image, series_to_use
from glioma_idh.preparation.settings import Settings
from tests.preparation.placed import AFFINE, SHAPE, choice_of, patient_of, place, stages_of

MOVED = rigid_matrix((0, 0, 0), (4, 0, 0), (0, 0, 0))
"""The head lies two voxels to the right."""


def to_the_right(array: np.ndarray) -> np.ndarray:
    """Voxels two places further right."""
    return np.pad(array, [(2, 0), *[(0, 0)] * (array.ndim - 1)])[:-2]


def tissue(seed=3) -> np.ndarray:
    return np.random.default_rng(seed).triangular(0.6e-3, 0.7e-3, 1.4e-3, SHAPE)


def block() -> np.ndarray:
    """A mask that is not symmetric."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[1:6, 2:7, 1:5] = 1
    return mask


def with_dwi(folder, b_values=(0, 500, 1000)):
    """A patient whose head has moved to the right in the DWI, whose ADC is `tissue`; and a mask of the brain."""
    series = 900 * np.exp(-to_the_right(tissue())[..., None] * np.array(b_values))
    write_volume(folder / "dwi.nii", series.astype(np.float32), AFFINE)
    choice = choice_of("dwi", [folder / "dwi.nii"], b_values=tuple(map(float, b_values)))
    write_volume(folder / "brain.nii", block(), AFFINE)
    return place(folder, {"t1gd": (AFFINE, np.eye(4)), "dwi": (AFFINE, MOVED)}, {"dwi": choice}), folder / "brain.nii"


def test_adc_lies_where_the_t1gd_does_in_mm2_per_s_and_in_the_brain_alone(tmp_path):
    alignment, brain = with_dwi(tmp_path)
    stages = stages_of(tmp_path)
    made = read_volume(make_adc_image(patient_of(alignment, Settings(), stages, brain)))
    assert np.array_equal(made.affine, AFFINE)
    assert made.array == pytest.approx(np.where(block(), tissue(), 0), rel=1e-4)
    found = stages.record.stages["adc"].found
    assert found["num_not_fitted"] == 0 and found["shells"] == {"0.0": 1, "500.0": 1, "1000.0": 1}
    assert found["method"] == "mono-exponential ADC of the trace-weighted images, b = 0 (1), 500 (1), 1000 (1) s/mm2"


def test_adc_is_made_again_for_other_b_values(tmp_path):
    """Half as large b-values mean twice as large an ADC."""
    alignment, brain = with_dwi(tmp_path)
    make_adc_image(patient_of(alignment, Settings(), stages_of(tmp_path), brain))
    mended = choice_of("dwi", [tmp_path / "dwi.nii"], b_values=(0.0, 250.0, 500.0))
    alignment = replace(alignment, choices=alignment.choices | {"dwi": mended})
    made = read_volume(make_adc_image(patient_of(alignment, Settings(), stages_of(tmp_path), brain)))
    assert made.array == pytest.approx(np.where(block(), 2 * tissue(), 0), rel=1e-4)


def test_directions_of_the_series_make_the_tensor(tmp_path):
    directions = np.vstack([np.zeros(3), [[1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1], [0, 1, 1], [0, 1, -1]]])
    alignment, brain = with_dwi(tmp_path, (0, *[1000] * 6))
    choice = alignment.choices["dwi"]
    acquired = (replace(choice.acquisitions[0], b_vectors=directions),)
    alignment.choices["dwi"] = replace(choice, acquisitions=acquired)
    stages = stages_of(tmp_path)
    made = read_volume(make_adc_image(patient_of(alignment, Settings(), stages, brain))).array
    assert made == pytest.approx(np.where(block(), tissue(), 0), rel=1e-4)
    method = stages.record.stages["adc"].found["method"]
    assert method.startswith("mean diffusivity of the tensor, 6 directions")


def test_voxels_outside_of_the_brain_are_not_counted_as_not_fitted(tmp_path):
    alignment, brain = with_dwi(tmp_path)
    series = read_volume(tmp_path / "dwi.nii", num_axes=4)
    series.array[~to_the_right(block() > 0)] = 0
    series.array[4, 3, 2] = 0  # in the brain
    write_volume(tmp_path / "dwi.nii", series.array, AFFINE)
    stages = stages_of(tmp_path)
    make_adc_image(patient_of(alignment, Settings(), stages, brain))
    assert stages.record.stages["adc"].found["num_not_fitted"] == 1


@pytest.mark.parametrize(("unit", "power"), [(1e6, -6), (1e3, -3), (1, 0)])
def test_the_scanners_adc_is_scaled_by_the_brain_where_it_lies_there(tmp_path, unit, power):
    array = to_the_right(np.where(block(), tissue(), 80 * tissue())) * unit  # around it the unit would be another
    write_volume(tmp_path / "adc.nii", array.astype(np.float32), AFFINE)
    write_volume(tmp_path / "brain.nii", block(), AFFINE)
    placed = {"t1gd": (AFFINE, np.eye(4)), "adc": (AFFINE, MOVED)}
    alignment = place(tmp_path, placed, {"adc": choice_of("adc", [tmp_path / "adc.nii"])})
    stages = stages_of(tmp_path)
    made = read_volume(make_adc_image(patient_of(alignment, Settings(), stages, tmp_path / "brain.nii")))
    assert made.array == pytest.approx(np.where(block(), tissue(), 0), rel=1e-4)
    found = stages.record.stages["adc"].found
    assert found["method"].startswith(
        f"ADC map of the scanner, taken in units of 1e{power} mm2/s; peak of brain tissue"
    )
    assert stages.record.remarks == []


def with_adc_map(folder, values, words=(), codes=()):
    """A patient with a scanner's map and a mask of the brain."""
    write_volume(folder / "adc.nii", np.asarray(values, np.float32), AFFINE)
    write_volume(folder / "brain.nii", block(), AFFINE)
    choice = choice_of("adc", [folder / "adc.nii"])
    choice = replace(choice, words=tuple(words), codes=frozenset(codes))
    placed = {"t1gd": (AFFINE, np.eye(4)), "adc": (AFFINE, np.eye(4))}
    return place(folder, placed, {"adc": choice}), folder / "brain.nii"


@pytest.mark.parametrize(("words", "codes"), [({"adc", "trace"}, ()), ((), {"DERIVED", "TRACE"})])
def test_a_trace_is_divided_by_three_where_name_or_image_type_say_so(tmp_path, words, codes):
    """And refused once it is no longer called so."""
    trace = 3e6 * tissue()
    alignment, brain = with_adc_map(tmp_path, trace, words, codes)
    stages = stages_of(tmp_path)
    made = read_volume(make_adc_image(patient_of(alignment, Settings(), stages, brain))).array
    assert made == pytest.approx(np.where(block(), tissue(), 0), rel=1e-4)
    assert "a trace, divided by 3" in stages.record.stages["adc"].found["method"]
    stages.save()
    alignment, brain = with_adc_map(tmp_path, trace)
    with pytest.raises(InputError, match="adc.nii: expected an ADC map .* three times"):
        make_adc_image(patient_of(alignment, Settings(), stages_of(tmp_path), brain))


def test_trace_weighted_images_are_no_trace():
    for words, codes, expected in (
        ({"trace"}, (), True),
        ({"trace", "tracew"}, (), False),
        ({"adc"}, (), False),
        ({"trace"}, {"TRACEW"}, False),
    ):
        choice = choice_of("adc", ["adc.nii"])
        choice = replace(choice, words=tuple(words), codes=frozenset(codes))
        assert maps.is_called_trace(choice) == expected


@pytest.mark.parametrize(("factor", "num_remarks"), [(1, 0), (1.6, 1)])
def test_an_adc_made_of_b_values_whose_brain_peaks_elsewhere_is_remarked_on(tmp_path, factor, num_remarks):
    """On b-values too small by a factor."""
    alignment, brain = with_dwi(tmp_path)
    wrong = choice_of("dwi", [tmp_path / "dwi.nii"], b_values=(0.0, 500 / factor, 1000 / factor))
    alignment.choices["dwi"] = wrong
    for _ in range(2):  # made, and as before
        stages = stages_of(tmp_path)
        make_adc_image(patient_of(alignment, Settings(), stages, brain))
        assert len(stages.record.remarks) == num_remarks
    peak = stages.record.stages["adc"].found["tissue_peak_mm2_s"]
    assert peak == pytest.approx(factor * 0.8e-3, rel=0.1)
    assert all("from the DWI series peaks at 1.2" in remark for remark in stages.record.remarks)


@pytest.fixture
def fitted(monkeypatch):
    """A function that says which ADC the fit answers."""

    def answer(adc):
        made = SimpleNamespace(adc=adc.astype(np.float32), method="", shells={}, num_not_fitted=0)
        monkeypatch.setattr(maps, "make_adc", lambda *_: made)

    return answer


@pytest.mark.parametrize("median", [0.0, 0.19e-3, 3.6e-3, 1.0])
def test_an_adc_that_no_tissue_has_is_refused(tmp_path, fitted, median):
    alignment, brain = with_dwi(tmp_path)
    inside = to_the_right(block()) > 0
    for possible in (0.21e-3, 3.4e-3):
        fitted(np.where(inside, possible, median))
        assert make_adc_image(patient_of(alignment, Settings(), stages_of(tmp_path / f"{possible}"), brain))
    fitted(np.where(inside, median, 1e-3))
    with pytest.raises(
        InputError, match="dwi.nii: expected a median ADC of 0.0002 to 0.0035 mm2/s in the brain; found a median of"
    ):
        make_adc_image(patient_of(alignment, Settings(), stages_of(tmp_path), brain))


def test_without_a_brain_tissue_is_what_is_bright(tmp_path, fitted):
    alignment, _ = with_dwi(tmp_path)
    series = np.ones((*SHAPE, 3), np.float32)
    series[:2, ..., 1] = 90
    write_volume(tmp_path / "dwi.nii", series, AFFINE)
    fitted(np.where(np.indices(SHAPE)[0] < 2, tissue(), 5e-3))
    stages = stages_of(tmp_path)
    make_adc_image(patient_of(alignment, Settings(), stages))
    assert stages.record.remarks == [] and stages.record.stages["adc"].found["tissue_peak_mm2_s"] < 1.2e-3


@pytest.mark.parametrize(
    ("b_values", "settings", "unused"),
    [
        ((0, 1000), Settings(), {"adc"}),
        ((1000, 1000), Settings(), {"dwi"}),
        ((990, 1010), Settings(), {"dwi"}),
        ((980, 1001), Settings(), {"adc"}),
        ((), Settings(), {"dwi"}),
        ((0, 1000), Settings(skip=("adc",)), {"adc", "dwi"}),
        ((0, 1000), Settings(skip=("rcbv",)), {"adc", "dsc"}),
    ],
)
def test_adc_is_made_of_the_dwi_where_that_has_two_b_values(b_values, settings, unused):
    choices = {"adc": choice_of("adc", ["adc.nii"]), "dsc": choice_of("dsc", ["dsc.nii"]), "t1": None}
    choices["dwi"] = choice_of("dwi", ["dwi.nii"], b_values=b_values)
    assert choices.keys() - series_to_use(choices, settings).keys() == unused
    alone = {"dwi": choices["dwi"]}
    assert series_to_use(alone, Settings()) == alone


def test_a_value_beside_one_that_is_not_known_is_not_mixed_with_it(tmp_path):
    """On a grid half a voxel off, the mean of a value and of nothing is the value."""
    half = rigid_matrix((0, 0, 0), (1, 0, 0), (0, 0, 0))
    alignment = place(tmp_path, {"t1gd": (AFFINE, np.eye(4)), "dwi": (AFFINE, half)})
    array = np.zeros(SHAPE, np.float32)
    array[4, 5:8, 3:6], array[5, 5:8, 3:6] = 3, 5
    maps._write_map(
        Volume(array, AFFINE), tmp_path / "map.nii", "dwi", patient_of(alignment, Settings(), stages_of(tmp_path))
    )
    assert read_volume(tmp_path / "map.nii").array[2:7, 6, 4].tolist() == pytest.approx([0, 3, 4, 5, 0])


def dsc_patient(folder, num_echoes=1):
    """A patient with a DSC series in which the head has moved; masks of brain and lesion on the T1Gd's grid."""
    rng = np.random.default_rng(5)
    files = [folder / f"dsc_e{n}.nii" for n in range(1, num_echoes + 1)]
    for n, file in enumerate(files):
        write_volume(file, rng.uniform(1 + n, 2 + n, (*SHAPE, 20)).astype(np.float32), AFFINE)
    choice = choice_of("dsc", files, repetition_time_s=1.5)
    echoes = (0.01, 0.03)[-num_echoes:]
    acquired = zip(choice.acquisitions, echoes, strict=True)
    acquired = tuple(replace(acquisition, echo_time_s=echo) for acquisition, echo in acquired)
    choice = replace(choice, acquisitions=acquired)
    write_volume(folder / "brain.nii", np.ones(SHAPE, np.uint8), AFFINE)
    write_volume(folder / "lesion.nii", block(), AFFINE)
    alignment = place(folder, {"t1gd": (AFFINE, np.eye(4)), "dsc": (AFFINE, MOVED)}, {"dsc": choice})
    return alignment, {"brain": folder / "brain.nii", "lesion": folder / "lesion.nii"}


MADE = ("rcbv", *PERFUSION_MAPS)
"""The maps, and in the tests the numbers that they are filled with: 1 to 6."""


@pytest.fixture
def make_rcbv(monkeypatch):
    """In place of the computation: a recorder of its arguments, which gives each map a number of its own."""
    calls = []

    def record(*arguments):
        calls.append(arguments)
        filled = {name: np.full(SHAPE, float(number), np.float32) for number, name in enumerate(MADE, start=1)}
        curve = {"reference": np.array([0.12345, 1.0])}
        return Perfusion(
            **filled,
            baseline=(0, 9),
            first_pass=(10, 15),
            time_s=np.array([0, 1.5]),
            curves=curve,
            method="as recorded",
            dark_volumes=(3,),
            without_fit=0.04 if arguments[-1] == "first-pass" else 0.05,
        )

    monkeypatch.setattr(maps, "make_rcbv", record)
    return calls


def white_given(folder, **settings) -> Settings:
    """Settings with a mask of normal white matter, one layer of voxels."""
    white = np.zeros(SHAPE, np.uint8)
    white[6] = 1
    write_volume(folder / "white.nii", white, AFFINE)
    return Settings(white_mask=folder / "white.nii", **settings)


def test_rcbv_is_made_of_the_series_where_it_was_acquired(tmp_path, make_rcbv):
    alignment, masks = dsc_patient(tmp_path)
    settings = white_given(tmp_path, cbv="whole-curve")
    path = make_rcbv_image(patient_of(alignment, settings, stages_of(tmp_path), **masks))
    ((series, (echo_times_s, repetition_s), brain, white, lesion, integral),) = make_rcbv
    assert np.array_equal(series[0], read_volume(tmp_path / "dsc_e1.nii", num_axes=4).array) and len(series) == 1
    assert (echo_times_s, repetition_s, integral) == ([0.03], 1.5, "whole-curve")
    assert np.array_equal(brain, to_the_right(np.ones(SHAPE)) > 0)
    assert np.array_equal(lesion, to_the_right(block()) > 0)
    assert np.flatnonzero(white.any(axis=(1, 2))).tolist() == [8]  # two voxels to the right of where it was drawn
    assert path == tmp_path / "out" / "rcbv.nii.gz"


def test_each_map_goes_into_the_file_of_its_name(tmp_path, make_rcbv):
    alignment, masks = dsc_patient(tmp_path)
    stages = stages_of(tmp_path)
    make_rcbv_image(patient_of(alignment, white_given(tmp_path), stages, **masks))
    files = {"rcbv": tmp_path / "out" / "rcbv.nii.gz"}
    files |= {name: tmp_path / "out" / "perfusion" / f"{name}.nii.gz" for name in PERFUSION_MAPS}
    for number, name in enumerate(MADE, start=1):
        values = read_volume(files[name]).array
        assert values[:8] == pytest.approx(number)  # the last two columns lie outside of the series
    found = stages.record.stages["rcbv"].found
    assert found["windows"] == {"baseline": [0, 9], "first pass": [10, 15]} and found["time_s"] == [0, 1.5]
    assert found["curves"] == {"reference": [0.1234, 1.0]} or found["curves"] == {"reference": [0.1235, 1.0]}
    assert found["white_matter_ml"] == 1.2  # 96 voxels of 12 mm3
    assert found["dark_volumes"] == [4]  # counted from 1, as viewers do
    assert stages.record.remarks == ["Dark or empty volumes of the DSC series were interpolated: 4."]


def test_many_voxels_without_a_fit_are_remarked_on(tmp_path, make_rcbv):
    alignment, masks = dsc_patient(tmp_path)
    for cbv, remarked in (("first-pass", False), ("gamma-variate", True)):
        stages = stages_of(tmp_path)
        make_rcbv_image(patient_of(alignment, white_given(tmp_path, cbv=cbv), stages, **masks))
        remark = "No gamma-variate curve could be fitted in 5% of the brain: try --cbv first-pass."
        assert (remark in stages.record.remarks) == remarked
    assert stages.record.stages["rcbv"].found["without_fit"] == 0.05


def test_rcbv_without_leakage_correction_is_the_uncorrected_map_and_says_so(tmp_path, make_rcbv):
    alignment, masks = dsc_patient(tmp_path)
    stages = stages_of(tmp_path)
    path = make_rcbv_image(patient_of(alignment, white_given(tmp_path, leakage_correction=False), stages, **masks))
    assert read_volume(path).array[:8] == pytest.approx(1 + MADE.index("rcbv_uncorrected"))
    method = "as recorded; rcbv is the map without leakage correction"
    assert stages.record.stages["rcbv"].found["method"] == method


def test_both_echoes_come_in_their_order_with_their_times(tmp_path, make_rcbv):
    alignment, masks = dsc_patient(tmp_path, num_echoes=2)
    make_rcbv_image(patient_of(alignment, white_given(tmp_path), stages_of(tmp_path), **masks))
    ((series, (echo_times_s, _), *_),) = make_rcbv
    assert [int(echo.min()) for echo in series] == [1, 2] and echo_times_s == [0.01, 0.03]


def test_times_of_the_flags_come_before_those_of_the_files(tmp_path, make_rcbv):
    alignment, masks = dsc_patient(tmp_path)
    settings = white_given(tmp_path, echo_times_s=(0.045,), repetition_time_s=2.0)
    make_rcbv_image(patient_of(alignment, settings, stages_of(tmp_path), **masks))
    assert make_rcbv[0][1] == ([0.045], 2.0)
    with pytest.raises(InputError, match="expected one echo time per echo; found 2 echo times for 1"):
        make_rcbv_image(
            patient_of(alignment, replace(settings, echo_times_s=(0.01, 0.03)), stages_of(tmp_path), **masks)
        )


def test_a_second_echo_on_another_grid_is_refused(tmp_path, make_rcbv):
    alignment, masks = dsc_patient(tmp_path, num_echoes=2)
    moved = AFFINE + np.array([[0, 0, 0, 3.0], [0] * 4, [0] * 4, [0] * 4])
    write_volume(tmp_path / "dsc_e2.nii", np.ones((*SHAPE, 20), np.float32), moved)
    with pytest.raises(InputError, match="dsc_e2.nii: expected the same grid; found a grid displaced by up to 3.0 mm"):
        make_rcbv_image(patient_of(alignment, white_given(tmp_path), stages_of(tmp_path), **masks))


@pytest.mark.parametrize("change", ["brain", "lesion", "white", "times", "cbv", "leakage", "series"])
def test_rcbv_is_made_again_of_whatever_changes(tmp_path, make_rcbv, change):
    alignment, masks = dsc_patient(tmp_path)
    settings = white_given(tmp_path)
    for _ in range(2):
        make_rcbv_image(patient_of(alignment, settings, stages_of(tmp_path), **masks))
    assert len(make_rcbv) == 1
    if change in ("brain", "lesion"):
        write_volume(masks[change], block()[::-1], AFFINE)
    elif change == "white":
        write_volume(tmp_path / "white.nii", block(), AFFINE)
    elif change == "series":
        write_volume(tmp_path / "dsc_e1.nii", np.ones((*SHAPE, 20), np.float32), AFFINE)
    else:
        changes = {"times": {"echo_times_s": (0.04,)}, "cbv": {"cbv": "gamma-variate"}}
        settings = replace(settings, **changes.get(change, {"leakage_correction": False}))
    make_rcbv_image(patient_of(alignment, settings, stages_of(tmp_path), **masks))
    assert len(make_rcbv) == 2


class Fit:
    """A template in the T1Gd's head: white matter left of x = 7 mm, and masks mirrored there."""

    def map(self, name, grid):
        assert name == "white"
        self.grid = grid
        x = grid.affine[0, 3] + grid.affine[0, 0] * np.arange(SHAPE[0])
        return np.broadcast_to((x < 7).astype(np.float32)[:, None, None], SHAPE)

    def mirror(self, mask):
        self.mirrored = mask
        return mask.array[::-1]


def test_normal_white_matter_is_sought_where_the_head_lies_in_the_series(tmp_path, monkeypatch):
    """The template is fitted to the T1Gd; in the series the head lies 4 mm to the right, so that x < 7 is x < 11."""
    alignment, _ = dsc_patient(tmp_path)
    fit, calls = Fit(), []
    monkeypatch.setattr(maps, "normal_white_matter", lambda *arguments: calls.append(arguments))
    lesion = to_the_right(block()) > 0
    patient = patient_of(replace(alignment, fit_template=lambda: fit), Settings(), stages_of(tmp_path))
    maps._white_matter(Volume(np.zeros(SHAPE), AFFINE), lesion, patient)
    ((white, affine, same, mirrored),) = calls
    assert np.flatnonzero(white[:, 0, 0]).tolist() == [0, 1, 2, 3, 4, 5]
    assert np.array_equal(affine, AFFINE) and same is lesion
    assert np.array_equal(mirrored, lesion[::-1]) and fit.mirrored.affine[0, 3] == -4
    maps._white_matter(Volume(np.zeros(SHAPE), AFFINE), None, patient)
    assert calls[1][2:] == (None, None)
