"""Series are told by their tags and words; nothing of the patient comes out; what is unclear is left open."""

import json
from dataclasses import replace

import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.acquisition import Acquisition
from glioma_idh.imaging.dicom.headers import LeftOut
from glioma_idh.imaging.volumes import read_volume, write_volume
from glioma_idh.preparation.recognition import Series, prefer, put_together, recognise
from glioma_idh.preparation.series import choose_series, find_series
from tests.imaging.dicom_series import IDENTITY, noise, write_series

SHAPE = (16, 18, 4)
MPRAGE = {
    "EchoTime": 3,
    "RepetitionTime": 2200,
    "InversionTime": 900,
    "MRAcquisitionType": "3D",
    "ScanningSequence": ["GR", "IR"],
    "SeriesDescription": "t1_mprage_sag Müßigbrodt",
}
SPIN_ECHO = {"MRAcquisitionType": "2D", "ScanningSequence": "SE", "RepetitionTime": 5000, "EchoTime": 95}
ECHO_PLANAR = {"MRAcquisitionType": "2D", "ScanningSequence": "EP", "RepetitionTime": 5000, "EchoTime": 80}
GADOLINIUM = {"ContrastBolusAgent": "Gadovist Zwirner"}


def write_study(folder) -> None:
    """A whole study, with the patient's name wherever people write it."""
    place = folder / "Müßigbrodt, Jörg 1961-07-23"
    dsc = [
        {"EchoTime": echo, "EchoNumbers": count + 1, "AcquisitionNumber": t + 1}
        for count, echo in enumerate((10, 30))
        for t in range(20)
    ]
    dwi = [{"DiffusionBValue": float(b)} for b in (0, 500, 1000)]
    flair = SPIN_ECHO | {"InversionTime": 2500, "ScanningSequence": ["SE", "IR"], "SeriesDescription": "dark-fluid"}
    series = [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"], "SeriesDescription": "loc"}, SHAPE, None),
        (MPRAGE, SHAPE, None),
        (SPIN_ECHO | {"SeriesDescription": "T2 tse Frieda"}, SHAPE, None),
        (flair, SHAPE, None),
        (ECHO_PLANAR | {"SeriesDescription": "ep2d_diff_b1000 KH4711-0815"}, (*SHAPE, 3), dwi),
        (ECHO_PLANAR | {"ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", "ADC", "ND"]}, SHAPE, None),
        (ECHO_PLANAR | GADOLINIUM | {"RepetitionTime": 1500, "SeriesDescription": "perf"}, (*SHAPE[:2], 2, 40), dsc),
        (MPRAGE | GADOLINIUM, SHAPE, None),
    ]
    for number, (tags, shape, each) in enumerate(series, 1):
        write_series(place / f"Eisenbarth {number}", noise(shape, number), number, tags, each, name="Muessigbrodt_Jörg")
    (place / "Müßigbrodt.pdf").write_bytes(b"letter")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study, the series found in it, what was not used, and the choices."""
    folder = tmp_path_factory.mktemp("study")
    write_study(folder / "P01")
    series, remarks = find_series(folder / "P01", folder / "out")
    return folder, series, remarks, choose_series(series, {})


def test_a_whole_study_falls_into_place(study):
    _, _, remarks, (choices, errors) = study
    assert errors == []
    assert {role: choice.number for role, choice in choices.items()} == {
        "t1": "2",
        "t1gd": "8",
        "t2": "3",
        "flair": "4",
        "dwi": "5",
        "adc": "6",
        "dsc": "7",
    }
    assert remarks == [LeftOut("a .pdf file", "not DICOM"), LeftOut("series 1", "a localizer")]
    reasons = {role: choice.reason for role, choice in choices.items()}
    assert reasons["t1gd"] == (
        "3D inversion recovery, TI 0.9 s, TE 0.003 s, with contrast agent, described as t1 mprage sag: T1Gd"
    )
    assert reasons["flair"] == "2D inversion recovery, TI 2.5 s, TE 0.095 s, described as darkfluid: FLAIR"
    assert (
        reasons["dwi"] == "2D echo-planar, 3 volumes, b 0, 500, 1000 s/mm2, TE 0.08 s, described as ep diff b1000: DWI"
    )


def test_both_echoes_of_the_bolus_come_in_their_order(study):
    _, _, _, (choices, _) = study
    assert [file.name for file in choices["dsc"].files] == ["series_007_e1.nii", "series_007_e2.nii"]
    assert choices["dsc"].acquisitions == (Acquisition(0.01, 1.5), Acquisition(0.03, 1.5))
    second = read_volume(choices["dsc"].files[1], num_axes=4).array
    assert np.array_equal(second, noise((*SHAPE[:2], 2, 40), 7)[..., 20:])


def test_nothing_of_the_patient_comes_out(study):
    folder, series, remarks, (choices, errors) = study
    planted = {text for value in IDENTITY.values() for text in value.split("^")}
    planted |= {"Muessigbrodt", "Joerg", "Eisenbarth", "Zwirner", "Frieda", "Gadovist", "1961-07-23", "112233"}
    files = [file for file in (folder / "out").rglob("*") if file.is_file()]
    assert len(files) == 8 * 2 + 1  # images with sidecars, and b-values
    outputs = [file.name.encode() + b" " + file.read_bytes() for file in files]
    outputs += [repr((remarks, errors, choices, series)).replace(str(folder), "").encode()]
    for text in planted:
        for spelled in {text, text.lower(), text.upper()}:
            for code in ("utf-8", "latin-1", "utf-16-le"):
                assert not [output for output in outputs if spelled.encode(code, "replace") in output], text


def series_of(number, words="", times=(None, None, None), **known) -> Series:
    """A series of one file with echo, repetition and inversion time, s."""
    acquisition = Acquisition(*times, b_values=known.pop("b_values", ()))
    described = {"words": tuple(words.split()), "described": known.pop("described", True)}
    return Series(str(number), (f"{number}.nii",), (acquisition,), **described, **known)


T1_TIMES, T2_TIMES, FLAIR_TIMES = (0.003, 2.2, 0.9), (0.09, 5.0, None), (0.09, 9.0, 2.5)


@pytest.mark.parametrize(
    ("series", "roles"),
    [
        (series_of(1, "t2 flair", FLAIR_TIMES), "flair"),
        (series_of(1, "", FLAIR_TIMES), "flair"),
        (series_of(1, "t1 flair", (0.01, 2.5, 0.9), contrast=False), "t1"),
        (series_of(1, "", (0.11, 9.0, None), codes=frozenset({"SE", "IR"})), "flair"),
        (series_of(1, "", (0.1, 9.0, 0.9)), ""),
        (series_of(1, "", (0.1, 2.0, None), codes=frozenset({"SE", "IR"})), ""),
        (series_of(1, "", (0.09, 0.5, None)), ""),
        (series_of(1, "", (0.01, 2.2, 0.2)), ""),
        (series_of(1, "", (0.009, 1.5, None), codes=frozenset({"EP"}), num_volumes=60), ""),
        (series_of(1, "", (0.03, 1.5, None), codes=frozenset({"EP"}), num_volumes=19), ""),
        (series_of(1, "brain tumour mask", described=False), "lesion_mask"),
        (series_of(1, "", T2_TIMES), "t2"),
        (series_of(1, "t2", (0.4, 3.2, None)), "t2"),
        (series_of(1, "", (0.012, 0.6, None), codes=frozenset({"SE"}), contrast=False), "t1"),
        (series_of(1, "", (0.003, 0.008, None), codes=frozenset({"GR"}), contrast=True), "t1gd"),
        (series_of(1, "mprage", T1_TIMES), "t1 t1gd"),
        (series_of(1, "mprage", T1_TIMES, contrast=True), "t1gd"),
        (series_of(1, "t1 pre", T1_TIMES), "t1"),
        (series_of(1, "t1 contrast", T1_TIMES), "t1gd"),
        (series_of(1, "t1", (0.0024, 2.2, None), contrast=False), "t1"),
        (series_of(1, "mprage", described=False), "t1gd"),
        (series_of(1, "t1", described=False), "t1"),
        (series_of(1, "native fla", described=False), "flair"),
        (series_of(1, "t2 flair", described=False), "flair"),
        (series_of(1, "t2 darkfluid"), "flair"),
        (series_of(1, "t1 swi", (0.02, 0.03, None)), ""),
        (series_of(1, "stir", (0.06, 4.0, 0.2)), ""),
        (series_of(1, "", (0.02, 0.028, None), codes=frozenset({"GR"})), ""),
        (series_of(1, "", (0.01, 3.0, None)), ""),
        (series_of(1, "adc dwi"), "adc"),
        (series_of(1, "adc b1000", b_values=(1000.0,)), "adc"),
        (series_of(1, "trace", b_values=(1000.0,)), "dwi"),
        (series_of(1, "dti"), ""),
        (series_of(1, "", b_values=(0.0, 1000.0), num_volumes=2), "dwi"),
        (series_of(1, "", (0.03, 1.5, None), codes=frozenset({"EP"}), num_volumes=60), "dsc"),
        (series_of(1, "", (0.03, 1.5, None), codes=frozenset({"EP"}), num_volumes=60, contrast=False), ""),
        (series_of(1, "perf", (0.03, 1.5, None), codes=frozenset({"EP"}), num_volumes=60, contrast=False), "dsc"),
        (series_of(1, "bold", (0.03, 2.0, None), codes=frozenset({"EP"}), num_volumes=200), ""),
        (series_of(1, "asl perf", num_volumes=60), ""),
        (series_of(1, "perf t1", (0.002, 0.005, None), num_volumes=60), ""),
        (series_of(1, "dsc", (0.002, 1.5, None), num_volumes=60), "dsc"),
        (series_of(1, "dsc"), ""),
        (series_of(1, "seg", described=False), "lesion_mask"),
        (series_of(1, "brain mask t1", described=False), "brain_mask"),
        (series_of(1, "t1 mask"), "t1 t1gd"),
        (series_of(1, "", described=False), ""),
    ],
)
def test_what_a_series_can_be(series, roles):
    assert recognise(series).roles == set(roles.split())


@pytest.mark.parametrize(
    ("series", "said"),
    [
        (
            series_of(9, "t2", FLAIR_TIMES),
            "expected T2, as its name or header says; found .*TI 2.5 s.*; but it was acquired like FLAIR",
        ),
        (
            series_of(9, "t2", (0.01, 3.0, None)),
            "expected T2, as its name or header says; found .*its echo time of 0.01 s is short",
        ),
        (series_of(9, "t1", T2_TIMES), "but its echo time of 0.09 s is long"),
        (series_of(9, "t1 pre", T1_TIMES, contrast=True), "but its header names a contrast agent"),
        (series_of(9, "flair", T2_TIMES, num_volumes=2), "but it has 2 volumes"),
        (series_of(9, "t2", codes=frozenset({"EP"})), "but it is echo-planar"),
    ],
)
def test_words_against_tags_are_left_open(series, said):
    choices, (error,) = choose_series([series], {})
    assert choices == {} and str(error).startswith("series 9: ")
    with pytest.raises(InputError, match=said):
        raise error


def test_a_t1gd_without_contrast_agent_is_left_open():
    called = series_of(12, "t1 contrast", T1_TIMES, contrast=False)
    choices, (error,) = choose_series([called], {})
    assert choices == {}
    assert error.expected == "a contrast agent in the header of a series called T1Gd"
    assert error.advice == "State its role: --series t1=12, --series t1gd=12, or --series t1=none."
    choices, errors = choose_series([called], {"t1gd": "12"})
    assert errors == [] and choices["t1gd"].reason == "chosen by --series t1gd=12"


def test_a_contradiction_does_not_matter_where_another_series_is_clear():
    choices, errors = choose_series([series_of(3, "t2", T2_TIMES), series_of(9, "t2", FLAIR_TIMES)], {})
    assert choices["t2"].number == "3" and errors == []


def test_two_of_a_kind_are_left_to_the_user():
    twins = [series_of(number, "t2", T2_TIMES) for number in (5, 12)]
    choices, (error,) = choose_series(twins, {})
    assert choices == {}
    assert str(error) == (
        "expected exactly one series for T2; found series 5 (TE 0.09 s, described as t2); "
        "series 12 (TE 0.09 s, described as t2). Choose one: --series t2=5, --series t2=12, --series t2=none."
    )
    assert choose_series(twins, {"t2": "12"})[0]["t2"].number == "12"
    assert choose_series(twins, {"t2": "none"}) == ({}, [])


def test_a_t1_that_may_have_contrast_or_not_is_left_open():
    choices, errors = choose_series([series_of(5, "mprage", T1_TIMES)], {})
    assert choices == {} and "which could be T1 or T1Gd" in str(errors[0])
    both = [series_of(5, "mprage", T1_TIMES), series_of(8, "mprage", T1_TIMES, contrast=True)]
    choices, (error,) = choose_series(both, {})
    assert choices["t1gd"].number == "8" and "--series t1=5" in str(error)


@pytest.mark.parametrize(
    ("better", "worse", "why"),
    [
        ({}, {"codes": frozenset({"DERIVED"})}, "derived"),
        ({"codes": frozenset({"3D"})}, {"codes": frozenset({"2D"})}, "2D"),
        ({"spacing_mm": (1.0, 1.0, 1.0)}, {"spacing_mm": (1.0, 1.0, 1.5)}, "with larger voxels"),
    ],
)
def test_the_plainly_better_series_is_preferred(better, worse, why):
    pair = [series_of(5, "t1 contrast", T1_TIMES, **worse), series_of(8, "t1 contrast", T1_TIMES, **better)]
    choices, errors = choose_series(pair, {})
    assert errors == [] and choices["t1gd"].number == "8"
    assert choices["t1gd"].reason.endswith(f": T1Gd; preferred to series 5 ({why})")


def test_parts_belong_together_on_one_grid_alone():
    def parts(role, *differences):
        known = {"b_values": (0.0,)} if role == "dwi" else {"times": (0.01, 1.5, None)}
        one = series_of(1, shape=(4, 5, 6), num_volumes=30 if role == "dsc" else 1, **known)
        other = {"b_values": (1000.0,)} if role == "dwi" else {"times": (0.03, 1.5, None)}
        two = replace(series_of(2, **other), **{"shape": (4, 5, 6), "num_volumes": one.num_volumes} | dict(differences))
        return [found.number for found in put_together(role, [one, two])]

    for role in ("dwi", "dsc"):
        assert parts(role) == ["1+2"] and parts(role, ("shape", (4, 5, 7))) == ["1", "2"]
    assert parts("dsc", ("num_volumes", 29)) == ["1", "2"]
    assert parts("t2") == ["1", "2"]
    same = [series_of(n, b_values=(0.0,), shape=(4, 5, 6)) for n in (1, 2)]
    assert len(put_together("dwi", same)) == 2  # one b-value twice is no series


def test_only_a_t1gd_is_preferred_for_being_3d_and_no_series_over_time_for_its_voxels():
    flat = series_of(5, codes=frozenset({"2D"}), spacing_mm=(1.0, 1.0, 5.0))
    cubic = series_of(8, codes=frozenset({"3D"}), spacing_mm=(1.0, 1.0, 4.9))
    assert [found.number for found in prefer("t1gd", [flat, cubic])[0]] == ["8"]
    assert [found.number for found in prefer("t2", [flat, cubic])[0]] == ["5", "8"]
    fine = replace(cubic, spacing_mm=(1.0, 1.0, 1.0))
    assert [found.number for found in prefer("t2", [flat, fine])[0]] == ["8"]
    for role in ("dwi", "dsc"):
        assert len(prefer(role, [flat, fine])[0]) == 2


def test_voxels_that_are_little_smaller_decide_nothing():
    pair = [series_of(n, "t2", T2_TIMES, spacing_mm=(1.0, 1.0, edge)) for n, edge in ((5, 1.0), (8, 1.4))]
    choices, errors = choose_series(pair, {})
    assert choices == {} and len(errors) == 1


def write_image(path, num_volumes=1, sidecar=None, b_values=None, spacing=1.0):
    """A small NIfTI file, with sidecar and b-values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (3, 4, 5) if num_volumes == 1 else (3, 4, 5, num_volumes)
    write_volume(path, np.ones(shape, np.int16), np.diag([spacing, spacing, spacing, 1]))
    stem = path.name.split(".")[0]
    if sidecar is not None:
        path.with_name(f"{stem}.json").write_text(json.dumps(sidecar))
    if b_values:
        path.with_name(f"{stem}.bval").write_text(b_values)


def chosen_in(folder, wanted=None):
    """By role the numbers of the series that NIfTI files below a folder come to."""
    series, remarks = find_series(folder, folder / "work")
    choices, errors = choose_series(series, wanted or {})
    return {role: choice.number for role, choice in choices.items()}, remarks + errors


def test_nifti_files_are_told_by_their_names(tmp_path):
    for name in ("t1", "T1_Gd", "T2w", "FLAIR", "adc", "lesion_mask", "brain_mask", "notes"):
        write_image(tmp_path / "P1" / "anat" / f"P1_{name}.nii.gz")
    write_image(tmp_path / "P1" / "work" / "t2.nii")  # made by us
    assert chosen_in(tmp_path / "P1") == (
        {
            "t1": "P1_t1",
            "t1gd": "P1_T1_Gd",
            "t2": "P1_T2w",
            "flair": "P1_FLAIR",
            "adc": "P1_adc",
            "lesion_mask": "P1_lesion_mask",
            "brain_mask": "P1_brain_mask",
        },
        [],
    )


def test_the_subjects_own_name_says_nothing_of_a_sequence(tmp_path):
    write_image(tmp_path / "T1-study_4" / "T1-study_4_t2.nii.gz")
    assert chosen_in(tmp_path / "T1-study_4") == ({"t2": "T1-study_4_t2"}, [])


def test_a_sidecar_tells_what_a_name_does_not(tmp_path):
    flair = {"EchoTime": 0.1, "RepetitionTime": 9, "InversionTime": 2.5}
    gd = {"EchoTime": 0.003, "RepetitionTime": 2.2, "InversionTime": 0.9, "ContrastBolusIngredient": "GADOLINIUM"}
    write_image(tmp_path / "a.nii.gz", sidecar=flair)
    write_image(tmp_path / "b.nii.gz", sidecar=gd)
    write_image(tmp_path / "c.nii.gz", sidecar={"SeriesDescription": "Ax T2 FSE"})
    bolus = {"EchoTime": 0.03, "RepetitionTime": 1.5, "ScanningSequence": "EP\\GR", "ImageType": ["ORIGINAL"]}
    write_image(tmp_path / "d.nii.gz", 30, sidecar=bolus)
    assert chosen_in(tmp_path) == ({"flair": "a", "t1gd": "b", "t2": "c", "dsc": "d"}, [])


def test_b_values_of_0_beside_an_image_are_no_proof_of_diffusion(tmp_path):
    flair = {"EchoTime": 0.1, "RepetitionTime": 9, "InversionTime": 2.5}
    bolus = {"EchoTime": 0.03, "RepetitionTime": 1.5, "ScanningSequence": "EP\\GR", "ImageType": ["ORIGINAL"]}
    write_image(tmp_path / "t1.nii.gz", b_values="0")
    write_image(tmp_path / "a.nii.gz", sidecar=flair, b_values="50")
    write_image(tmp_path / "b.nii.gz", 30, sidecar=bolus, b_values=" ".join("0" * 30))
    assert chosen_in(tmp_path) == ({"t1": "t1", "flair": "a", "dsc": "b"}, [])
    series, _ = find_series(tmp_path, tmp_path / "work")
    assert [found.b_values for found in series] == [(), (), ()]


def test_b_values_of_0_count_where_words_or_the_image_type_say_diffusion(tmp_path):
    write_image(tmp_path / "dwi_b0.nii.gz", b_values="0")
    write_image(tmp_path / "x.nii.gz", b_values="0", sidecar={"ImageType": ["ORIGINAL", "PRIMARY", "DIFFUSION"]})
    series, _ = find_series(tmp_path, tmp_path / "work")
    assert [found.b_values for found in series] == [(0,), (0,)]


def test_a_trace_and_an_adc_that_dcm2niix_writes_beside_a_dwi_are_no_error(tmp_path):
    write_image(tmp_path / "dwi.nii.gz", 3, b_values="0 1000 1000")
    write_image(tmp_path / "dwi_ADC.nii.gz")
    write_image(tmp_path / "dwi_TRACEW.nii.gz")
    assert chosen_in(tmp_path) == ({"dwi": "dwi", "adc": "dwi_ADC"}, [])


@pytest.mark.parametrize(
    ("described", "protocol", "codes", "roles"),
    [
        (["?"], ["t1", "mprage"], "ORIGINAL\\PRIMARY\\ADC", "adc"),
        ([], ["t1", "mprage"], "DERIVED\\PRIMARY\\DIFFUSION", ""),
        (["ax"], ["t2", "tse"], "ORIGINAL", "t2"),
        (["ax", "t2"], ["t1"], "ORIGINAL", "t2"),
        (["post"], ["t1"], "ORIGINAL", "t1gd"),
        (["post"], ["t1", "pre"], "ORIGINAL", "t1 t1gd"),
        (["ax"], [], "ORIGINAL", ""),
    ],
)
def test_a_protocol_tells_less_than_description_and_image_type(described, protocol, codes, roles, tmp_path):
    words = {"Words": described, "ProtocolWords": protocol, "ImageType": codes}
    write_image(tmp_path / "0815.nii.gz", sidecar=words)
    (series,), _ = find_series(tmp_path, tmp_path / "work")
    assert recognise(series).roles == set(roles.split())


def test_files_of_one_b_value_each_make_a_dwi_series(tmp_path):
    for name in ("dwi_b1000", "dwi_b0", "dwi_b500"):
        write_image(tmp_path / f"{name}.nii.gz")
    series, _ = find_series(tmp_path, tmp_path / "work")
    choices, errors = choose_series(series, {})
    assert errors == [] and [file.name for file in choices["dwi"].files] == [
        "dwi_b0.nii.gz",
        "dwi_b500.nii.gz",
        "dwi_b1000.nii.gz",
    ]
    assert choices["dwi"].b_values == (0, 500, 1000)
    assert choices["dwi"].number == "dwi_b0+dwi_b1000+dwi_b500"


def test_one_b_value_alone_is_still_the_dwi(tmp_path):
    write_image(tmp_path / "dwi_b1000.nii.gz")
    assert chosen_in(tmp_path) == ({"dwi": "dwi_b1000"}, [])


def test_b_values_beside_a_file_make_it_dwi_whatever_its_name(tmp_path):
    write_image(tmp_path / "small_64D.nii", 3, b_values="0 500 1000")
    write_image(tmp_path / "adc.nii")
    assert chosen_in(tmp_path) == ({"adc": "adc", "dwi": "small_64D"}, [])


def test_two_files_of_a_bolus_are_its_echoes(tmp_path):
    for name, echo in (("dsc_b", 0.01), ("dsc_a", 0.03)):
        write_image(tmp_path / f"{name}.nii.gz", 25, sidecar={"EchoTime": echo, "RepetitionTime": 1.5})
    series, _ = find_series(tmp_path, tmp_path / "work")
    choices, errors = choose_series(series, {})
    assert errors == [] and [acquisition.echo_time_s for acquisition in choices["dsc"].acquisitions] == [0.01, 0.03]
    write_image(tmp_path / "dsc_c.nii.gz", 25, sidecar={"EchoTime": 0.03, "RepetitionTime": 1.5})
    choices, (error,) = chosen_in(tmp_path)
    assert choices == {} and "--series dsc=dsc_a" in str(error)
    assert chosen_in(tmp_path, {"dsc": "dsc_a+dsc_b"})[0] == {"dsc": "dsc_a+dsc_b"}


def test_two_files_of_a_bolus_without_times_may_be_its_echoes(tmp_path):
    for name in ("dsc_e1", "dsc_e2"):
        write_image(tmp_path / f"{name}.nii.gz", 25)
    choices, (error,) = chosen_in(tmp_path)
    assert choices == {} and "--series dsc=dsc_e1+dsc_e2 in their order" in error.advice
    assert chosen_in(tmp_path, {"dsc": "dsc_e1+dsc_e2"}) == ({"dsc": "dsc_e1+dsc_e2"}, [])
    write_image(tmp_path / "dsc_e2.nii.gz", 30)
    assert "+" not in chosen_in(tmp_path)[1][0].advice


@pytest.mark.parametrize(
    ("wanted", "chosen", "found"),
    [
        ({"t2": "flair", "flair": "flair"}, {}, ["--series t2=flair", "--series flair=flair"]),
        ({"t2": "t2+flair"}, {"flair": "flair"}, ["--series t2=t2+flair, which matches no series"]),
        ({"dwi": "dwi_b0+dwi_b0"}, {"t2": "t2", "flair": "flair"}, ["--series dwi=dwi_b0+dwi_b0"]),
    ],
)
def test_a_series_has_one_role_and_a_role_one_series(wanted, chosen, found, tmp_path):
    for name in ("t2", "flair", "dwi_b0"):
        write_image(tmp_path / f"{name}.nii.gz")
    choices, errors = chosen_in(tmp_path, {"dwi": "none"} | wanted)
    assert choices == chosen
    assert [error.found[: len(text)] for error, text in zip(errors, found, strict=True)] == found


def test_series_are_wanted_by_number_name_or_path(tmp_path):
    for folder in ("one", "two"):
        write_image(tmp_path / folder / "t2.nii.gz")
    write_image(tmp_path / "strange.nii")
    assert chosen_in(tmp_path, {"t2": "two/t2.nii.gz", "flair": "Strange"})[0] == {"t2": "two/t2", "flair": "strange"}
    choices, errors = chosen_in(tmp_path, {"t2": "t2", "flair": "13"})
    assert choices == {}
    assert [error.found for error in errors] == [
        "--series t2=t2, which matches several series",
        "--series flair=13, which matches no series",
    ]
    assert errors[0].expected == "one of the series strange, one/t2, two/t2"


def test_one_of_two_that_differ_in_compression_alone(tmp_path):
    write_image(tmp_path / "t2.nii")
    write_image(tmp_path / "t2.nii.gz")
    assert chosen_in(tmp_path) == ({"t2": "t2"}, [])


def test_a_file_that_cannot_be_used_does_not_stop_the_others(tmp_path):
    write_image(tmp_path / "t1.nii.gz", sidecar={"EchoTime": 30})
    write_image(tmp_path / "t2.nii.gz")
    (tmp_path / "flair.nii.gz").write_bytes(b"broken")
    choices, errors = chosen_in(tmp_path)
    assert choices == {"t2": "t2"}
    assert [error.file for error in errors] == ["flair", "t1"] and "looks like milliseconds" in str(errors[1])


def test_dicom_and_nifti_may_lie_together(tmp_path):
    write_series(tmp_path / "dicom", noise(SHAPE, 1), 3, SPIN_ECHO)
    write_image(tmp_path / "tumour_mask.nii.gz")
    write_image(tmp_path / "flair.nii.gz")
    assert chosen_in(tmp_path) == ({"t2": "3", "flair": "flair", "lesion_mask": "tumour_mask"}, [])
    assert chosen_in(tmp_path, {"t2": "003"})[0]["t2"] == "3"


def test_echoes_of_a_spin_echo_are_series_of_their_own(tmp_path):
    each = [{"EchoTime": echo, "EchoNumbers": count + 1} for count, echo in enumerate((12, 95))]
    write_series(tmp_path, noise((*SHAPE, 2), 1), 3, SPIN_ECHO, each)
    assert chosen_in(tmp_path) == ({"t2": "3_e2"}, [])


def test_no_series_at_all(tmp_path):
    with pytest.raises(InputError, match="expected MR series; found no DICOM or NIfTI files"):
        find_series(tmp_path, tmp_path / "work")
    files = write_series(tmp_path / "in", noise(SHAPE, 1), 3, SPIN_ECHO)
    files[1].unlink()
    with pytest.raises(InputError, match="found series 3: expected evenly spaced slices") as raised:
        find_series(tmp_path / "in", tmp_path / "work")
    assert ".." not in str(raised.value) and ".;" not in str(raised.value)


def test_real_scans_are_told_by_their_names(real_data, tmp_path):
    assert chosen_in_real(real_data / "native_TCGA-FG-6692", tmp_path) == {
        role: f"TCGA-FG-6692_native_{name}"
        for role, name in {"t1": "t1", "t1gd": "t1c", "t2": "t2", "flair": "fla"}.items()
    }
    brats = real_data / "brats20_full" / "MICCAI_BraTS2020_TrainingData" / "BraTS20_Training_295"
    names = {"t1": "t1", "t1gd": "t1ce", "t2": "t2", "flair": "flair", "lesion_mask": "seg"}
    assert chosen_in_real(brats, tmp_path) == {role: f"BraTS20_Training_295_{name}" for role, name in names.items()}
    assert chosen_in_real(real_data / "diffusion", tmp_path) == {"dwi": "small_64D"}


def chosen_in_real(folder, work_dir):
    """By role the numbers of the series; nothing may be wrong."""
    series, remarks = find_series(folder, work_dir)
    choices, errors = choose_series(series, {})
    assert remarks == errors == []
    return {role: choice.number for role, choice in choices.items()}
