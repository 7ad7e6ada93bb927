"""DICOM series become images in the same place, without a word of whose they are; what cannot be used says why."""

import json
import subprocess

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid

from glioma_idh.errors import InputError
from glioma_idh.imaging.acquisition import Acquisition, read_acquisition
from glioma_idh.imaging.dicom.convert import convert_dicom
from glioma_idh.imaging.dicom.headers import (
    TAGS,
    Header,
    LeftOut,
    contains_patient_identity,
    is_dicom_folder,
    names_patient,
)
from glioma_idh.imaging.volumes import read_volume
from tests.imaging.dicom_series import AFFINE, noise, write_enhanced, write_series

pytestmark = pytest.mark.integration

SHAPE = (16, 18, 6)
T2 = {"EchoTime": 90, "RepetitionTime": 4000, "FlipAngle": 120, "ScanningSequence": "SE", "MRAcquisitionType": "2D"}


def errors_of(folder, out_dir) -> list[InputError]:
    """What ought to be mended in a folder from which nothing comes."""
    converted, remarks = convert_dicom(folder, out_dir)
    assert not converted
    return [remark for remark in remarks if isinstance(remark, InputError)]


def test_voxels_lie_where_the_headers_say(tmp_path):
    array = noise(SHAPE, 1)
    write_series(tmp_path / "in", array, 7, T2 | {"RescaleSlope": 2, "RescaleIntercept": 5})
    (converted,), remarks = convert_dicom(tmp_path / "in", tmp_path / "out")
    assert (converted.number, converted.file.name, remarks) == ("7", "series_007.nii", [])
    volume = read_volume(converted.file)
    assert np.array_equal(volume.array, 2 * array + 5)
    assert np.allclose(volume.affine, AFFINE)
    assert read_acquisition(converted.file) == Acquisition(0.09, 4.0, None, 120.0)


def test_an_oblique_sagittal_grid_keeps_every_voxel_in_place(tmp_path):
    angle = np.deg2rad(12)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.array([[0, 0, 4.0], [-1.5, 0, 0], [0, -1.5, 0]])  # rows run back, columns down
    affine[:3, 3] = -20, 30, 40
    array = noise(SHAPE, 2)
    write_series(tmp_path / "in", array, 1, T2, affine=affine)
    (converted,), _ = convert_dicom(tmp_path / "in", tmp_path / "out")
    volume = read_volume(converted.file)
    for index in ([0, 0, 0], [3, 5, 2], [15, 17, 5]):
        place = affine @ [*index, 1]
        found = np.linalg.solve(volume.affine, place)[:3]
        assert np.allclose(found, found.round(), atol=1e-3)
        assert volume.array[tuple(found.round().astype(int))] == array[tuple(index)]


def test_diffusion_keeps_the_order_of_its_b_values(tmp_path):
    array = noise((*SHAPE, 3), 3)
    each = [{"DiffusionBValue": float(b)} for b in (0, 500, 1000)]
    write_series(tmp_path / "in", array, 4, T2 | {"ScanningSequence": "EP", "EchoTime": 60}, each)
    (converted,), _ = convert_dicom(tmp_path / "in", tmp_path / "out")
    assert read_acquisition(converted.file).b_values == (0, 500, 1000)
    assert np.array_equal(read_volume(converted.file, num_axes=4).array, array)


def test_private_b_values_of_siemens_and_of_trace_images_of_ge(tmp_path):
    siemens = [{(0x19, 0x10, "LO"): "SIEMENS MR HEADER", (0x19, 0x100C, "IS"): b} for b in (0, 800)]
    ge = [{(0x43, 0x10, "LO"): "GEMS_PARM_01", (0x43, 0x1039, "IS"): [b, 8, 0, 0]} for b in (1_000_001_000, 0)]
    echo_planar = {"ScanningSequence": "EP", "EchoTime": 60, "RepetitionTime": 4000}
    write_series(tmp_path / "in", noise((*SHAPE, 2), 3), 1, echo_planar, siemens)
    array = noise((*SHAPE, 2), 4)
    write_series(tmp_path / "in", array, 2, echo_planar | {"Manufacturer": "GE MEDICAL SYSTEMS"}, ge)
    converted, _ = convert_dicom(tmp_path / "in", tmp_path / "out")
    assert [read_acquisition(image.file).b_values for image in converted] == [(0, 800), (1000, 0)]
    assert np.array_equal(read_volume(converted[1].file, num_axes=4).array, array)
    assert read_acquisition(converted[1].file).b_vectors is None


def test_directions_come_with_their_volumes(tmp_path):
    directions = [(0, 0, 0), (1, 0, 0), (0.36, 0.48, 0.8)]
    each = [
        {
            "DiffusionBValue": 1000.0 * any(g),
            "DiffusionGradientOrientation": list(map(float, g)),
            "PatientPosition": "HFS",
        }
        for g in directions
    ]
    write_series(tmp_path / "in", noise((*SHAPE, 3), 3), 4, T2 | {"ScanningSequence": "EP"}, each)
    (converted,), _ = convert_dicom(tmp_path / "in", tmp_path / "out")
    found = read_acquisition(converted.file)
    assert found.b_values == (0, 1000, 1000)
    assert np.allclose(np.abs(found.b_vectors), directions, atol=1e-4)


def test_one_b_value_of_a_whole_series(tmp_path):
    write_series(tmp_path / "in", noise(SHAPE, 3), 4, T2 | {"ScanningSequence": "EP", "DiffusionBValue": 500.0})
    (converted,), _ = convert_dicom(tmp_path / "in", tmp_path / "out")
    assert read_acquisition(converted.file).b_values == (500,)


def test_echoes_of_a_series_over_time(tmp_path):
    array = noise((16, 18, 3, 8), 5)
    each = [
        {"EchoTime": echo, "EchoNumbers": count + 1, "TemporalPositionIdentifier": t + 1, "AcquisitionNumber": t + 1}
        for count, echo in enumerate((10, 30))
        for t in range(4)
    ]
    write_series(tmp_path / "in", array, 12, {"RepetitionTime": 1500, "ScanningSequence": "EP"}, each)
    converted, remarks = convert_dicom(tmp_path / "in", tmp_path / "out")
    assert [image.number for image in converted] == ["12_e1", "12_e2"] and remarks == []
    for image, echo_s, times in zip(converted, (0.01, 0.03), (slice(0, 4), slice(4, 8)), strict=True):
        assert read_acquisition(image.file) == Acquisition(echo_time_s=echo_s, repetition_time_s=1.5)
        assert np.array_equal(read_volume(image.file, num_axes=4).array, array[..., times])


def test_the_sidecar_keeps_numbers_codes_and_known_words_alone(tmp_path):
    tags = {
        "SeriesDescription": "Müßigbrodt t2_flair 3D+C Frieda",
        "ContrastBolusAgent": "Gadovist 7 ml",
        "ProtocolName": "x",
    }
    write_series(
        tmp_path / "in", noise(SHAPE, 1), 3, T2 | tags | {"InversionTime": 2500, "SequenceVariant": ["SK", "X9"]}
    )
    (converted,), _ = convert_dicom(tmp_path / "in", tmp_path / "out")
    assert json.loads(converted.file.with_suffix(".json").read_text()) == {
        "EchoTime": 0.09,
        "RepetitionTime": 4,
        "InversionTime": 2.5,
        "FlipAngle": 120,
        "MagneticFieldStrength": 3,
        "SliceThickness": 5,
        "SeriesNumber": 3,
        "MRAcquisitionType": "2D",
        "ScanningSequence": "SE",
        "SequenceVariant": "SK",
        "ImageType": "ORIGINAL\\PRIMARY\\M\\ND\\MAGNITUDE",
        "Manufacturer": "Siemens",
        "ContrastBolus": True,
        "Words": ["?", "t2", "flair", "contrast", "?"],
        "ProtocolWords": [],
    }
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"series_003.nii", "series_003.json"}


@pytest.mark.parametrize(
    ("tags", "given"),
    [
        ({"ContrastBolusAgent": "Gadovist"}, True),
        ({"ContrastBolusAgent": ""}, False),
        ({}, False),
        ({"ContrastBolusAgent": "NONE"}, False),
        ({"ContrastBolusVolume": 7.5}, True),
        ({"ContrastBolusVolume": 0}, False),
        ({"ContrastBolusAgent": "NONE", "ContrastBolusIngredient": "GADOLINIUM"}, True),
    ],
)
def test_contrast_is_given_where_an_agent_or_its_volume_is_named(tags, given, tmp_path):
    write_series(tmp_path / "in", noise(SHAPE, 1), 3, T2 | tags)
    (converted,), _ = convert_dicom(tmp_path / "in", tmp_path / "out")
    assert json.loads(converted.file.with_suffix(".json").read_text())["ContrastBolus"] is given


def test_missing_slices_leave_a_gap(tmp_path):
    files = write_series(tmp_path / "in", noise(SHAPE, 1), 5, T2)
    files[2].unlink()
    (error,) = errors_of(tmp_path / "in", tmp_path / "out")
    assert str(error).startswith(
        "series 5: expected evenly spaced slices; found slices 5 mm apart with a gap of 10 mm: 1 missing."
    )


def test_slices_that_are_there_less_or_more_often_than_others(tmp_path):
    files = write_series(tmp_path / "in", noise((*SHAPE, 4), 1), 5, T2)
    files[8].unlink()
    (error,) = errors_of(tmp_path / "in", tmp_path / "out")
    assert "series 5: expected 4 images at every slice position" in str(error)
    assert "1 of 6 positions with fewer (missing) and 0 with more (duplicate)" in str(error)
    again = write_series(tmp_path / "twice", noise(SHAPE, 1), 6, T2)
    other = dcmread(again[3])
    other.SOPInstanceUID = generate_uid()
    other.save_as(tmp_path / "twice" / "other.dcm")
    (error,) = errors_of(tmp_path / "twice", tmp_path / "out")
    assert "0 of 6 positions with fewer (missing) and 1 with more (duplicate)" in str(error)


def test_a_time_point_that_is_missing(tmp_path):
    each = [{"AcquisitionNumber": t + 1} for t in range(25)]
    files = write_series(tmp_path / "in", noise((4, 4, 2, 25), 1), 5, {"EchoTime": 30, "RepetitionTime": 1500}, each)
    for file in files[20:22]:
        file.unlink()
    (error,) = errors_of(tmp_path / "in", tmp_path / "out")
    assert "series 5: expected a series with all its time points; found 1 of 25 missing" in str(error)


def test_copies_of_a_file_count_once(tmp_path):
    array = noise(SHAPE, 1)
    files = write_series(tmp_path / "in", array, 5, T2)
    for file in files[:2]:
        (tmp_path / "in" / f"copy{file.name}").write_bytes(file.read_bytes())
    (converted,), remarks = convert_dicom(tmp_path / "in", tmp_path / "out")
    assert np.array_equal(read_volume(converted.file).array, array)
    assert remarks == [LeftOut("series 5", "2 files are copies of other files")]


def test_mixed_orientations_in_one_series(tmp_path):
    uids = ("1.2.3.4", "1.2.3")
    turned = AFFINE[:, [1, 2, 0, 3]]
    write_series(tmp_path / "in", noise(SHAPE, 1), 5, T2, uids=uids)
    write_series(tmp_path / "in", noise(SHAPE, 1), 5, T2, uids=uids, affine=turned, name="other")
    (error,) = errors_of(tmp_path / "in", tmp_path / "out")
    assert "series 5: expected slices with the same orientation; found 2 orientations" in str(error)


def test_slices_without_a_place(tmp_path):
    write_series(tmp_path / "in", noise(SHAPE, 1), 5, T2 | {"ImagePositionPatient": None})
    files = write_series(tmp_path / "in", noise(SHAPE, 1), 6, T2)
    one = dcmread(files[2])
    del one.ImageOrientationPatient
    one.save_as(files[2])
    for number, error in zip((5, 6), errors_of(tmp_path / "in", tmp_path / "out"), strict=True):
        assert f"series {number}: expected position and orientation of every slice" in str(error)


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "a localizer"),
        ({"SeriesDescription": "3-plane Survey"}, "a localizer"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "a screenshot (secondary capture)"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "a screenshot"),
        ({"ImageType": ["DERIVED", "SECONDARY", "MIP"]}, "a projection"),
        ({"ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", "FA"]}, "a derived map"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]}, "a phase image"),
        ({"Modality": "CT"}, "not MR"),
        ({"AngioFlag": "Y"}, "an angiogram"),
    ],
)
def test_what_is_no_sequence_is_left_out_and_the_others_go_on(tags, reason, tmp_path):
    write_series(tmp_path / "in", noise(SHAPE, 1), 1, T2 | tags)
    write_series(tmp_path / "in", noise(SHAPE, 2), 2, T2)
    converted, remarks = convert_dicom(tmp_path / "in", tmp_path / "out")
    assert [image.number for image in converted] == ["2"]
    assert remarks == [LeftOut("series 1", reason)] and str(remarks[0]) == f"series 1: {reason}"


def test_one_slice_is_no_volume(tmp_path):
    write_series(tmp_path / "in", noise((16, 18, 1), 1), 1, T2)
    assert convert_dicom(tmp_path / "in", tmp_path / "out") == ([], [LeftOut("series 1", "a single slice")])


def test_files_that_are_not_dicom_and_broken_ones(tmp_path):
    files = write_series(tmp_path / "in", noise(SHAPE, 1), 1, T2)
    for name in ("report.pdf", "Müßigbrodt.pdf", "19610723.txt", "DICOMDIR", ".DS_Store"):
        (tmp_path / "in" / name).write_bytes(b"no image")
    (tmp_path / "in" / "broken.dcm").write_bytes(files[0].read_bytes()[:200])
    converted, remarks = convert_dicom(tmp_path / "in", tmp_path / "out")
    assert len(converted) == 1
    assert {str(remark) for remark in remarks} == {
        "1 DICOM files: not images (reports, presentation states), or corrupt",
        "report.pdf: not DICOM",
        "a .pdf file: not DICOM",
        "a .txt file: not DICOM",
    }


def test_a_file_cut_short_is_a_missing_slice(tmp_path):
    files = write_series(tmp_path / "in", noise(SHAPE, 1), 1, T2)
    write_series(tmp_path / "in", noise(SHAPE, 2), 2, T2)
    files[3].write_bytes(files[3].read_bytes()[:-100])
    converted, (unreadable, error) = convert_dicom(tmp_path / "in", tmp_path / "out")
    assert [image.number for image in converted] == ["2"]
    assert str(unreadable).startswith("series 1: expected complete MR images; found truncated or corrupt images (1)")
    assert "series 1" in str(error) and "1 missing" in str(error)


@pytest.mark.parametrize(("tags", "wrong"), [({"SeriesDescription": "survey"}, 0), ({}, 1)])
@pytest.mark.parametrize("whole", [1, 5])
def test_a_file_cut_short_does_not_matter_in_a_series_that_is_no_sequence(tags, wrong, whole, tmp_path):
    for file in write_series(tmp_path / "in", noise(SHAPE, 1), 1, T2 | tags)[whole:]:
        file.write_bytes(file.read_bytes()[:-100])
    write_series(tmp_path / "in", noise(SHAPE, 2), 2, T2)
    _, remarks = convert_dicom(tmp_path / "in", tmp_path / "out")
    errors = [remark for remark in remarks if isinstance(remark, InputError)]
    assert sum("truncated" in str(error) for error in errors) == wrong
    assert wrong or remarks == [LeftOut("series 1", "a localizer")]


def test_an_error_names_the_series_and_no_passing_file(tmp_path):
    write_series(tmp_path / "in", noise(SHAPE, 1), 1, T2 | {"RepetitionTime": 65000})
    write_series(tmp_path / "in", noise(SHAPE, 2), 2, T2)
    converted, (error,) = convert_dicom(tmp_path / "in", tmp_path / "out")
    assert [image.number for image in converted] == ["2"]
    assert error.file == "series 1" and error.found == "65 s"


def test_links_to_folders_are_followed_once(tmp_path):
    write_series(tmp_path / "store", noise(SHAPE, 1), 1, T2)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "dicom").symlink_to(tmp_path / "store")
    (tmp_path / "store" / "round").symlink_to(tmp_path / "in")
    converted, remarks = convert_dicom(tmp_path / "in", tmp_path / "out")
    assert [image.number for image in converted] == ["1"] and remarks == []


def test_one_file_of_many_frames(tmp_path):
    array = noise(SHAPE, 1)
    write_enhanced(tmp_path / "in" / "a.dcm", array, 2, {"SeriesDescription": "t1 Jörg"})
    write_enhanced(tmp_path / "in" / "b.dcm", array, 3, missing=[2])
    (converted,), (error,) = convert_dicom(tmp_path / "in", tmp_path / "out")
    volume = read_volume(converted.file)
    assert np.array_equal(volume.array, array) and np.allclose(volume.affine, AFFINE)
    assert read_acquisition(converted.file) == Acquisition(0.003, 2.2, None, 9.0)
    sidecar = json.loads(converted.file.with_suffix(".json").read_text())
    assert sidecar["Words"] == ["t1", "?"] and "ContrastBolus" not in sidecar  # in a sequence that is not read
    assert "series 3: expected evenly spaced slices; found slices 5 mm apart with a gap of 10 mm" in str(error)


def test_another_grid_than_the_headers_say_is_not_passed_on(tmp_path, monkeypatch):
    write_series(tmp_path / "in", noise(SHAPE, 1), 3, T2)
    monkeypatch.setattr("glioma_idh.imaging.dicom.convert.check_slices", lambda *_: {(6, 1.5)})
    (error,) = errors_of(tmp_path / "in", tmp_path / "out")
    assert "expected 6 slices 1.5 mm apart, as in the headers; found 6 slices 5 mm apart after dcm2niix" in str(error)


def test_what_dcm2niix_says_comes_without_names_and_paths(tmp_path, monkeypatch):
    write_series(
        tmp_path / "Meier", noise(SHAPE, 1), 1, T2 | {"SeriesDescription": "T2 Meier", "PatientName": "Meier^Eva"}
    )

    def fail(command, **_):
        said = f"Found 6 files\nError: no slices in {command[-1]}/000001.dcm of Meier^Eva T2 Meier\nConvert /Meier/b"
        return subprocess.CompletedProcess(command, 1, said, "")

    monkeypatch.setattr(subprocess, "run", fail)
    (error,) = errors_of(tmp_path / "Meier", tmp_path / "out")
    assert str(error).startswith(
        "series 1: expected a series that dcm2niix can convert; found dcm2niix: Error: no slices in of."
    )
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, "done", ""))
    (error,) = errors_of(tmp_path / "Meier", tmp_path / "out")
    assert "found dcm2niix: no output image" in str(error)


def test_what_dcm2niix_doubts_is_an_error(tmp_path, monkeypatch):
    write_series(tmp_path / "in", noise(SHAPE, 1), 1, T2)
    run = subprocess.run

    def doubt(*command, **options):
        ran = run(*command, **options)
        ran.stdout += "Warning: Interslice distance varies in this volume"
        return ran

    monkeypatch.setattr(subprocess, "run", doubt)
    (error,) = errors_of(tmp_path / "in", tmp_path / "out")
    assert "found dcm2niix: Warning: Interslice distance varies" in str(error)


def test_paths_with_spaces_and_other_letters(tmp_path):
    array = noise(SHAPE, 1)
    write_series(tmp_path / "Петров 日本 é" / "a b", array, 1, T2, name="снимок 日")
    (converted,), remarks = convert_dicom(tmp_path / "Петров 日本 é", tmp_path / "out ü")
    assert np.array_equal(read_volume(converted.file).array, array) and remarks == []


def test_two_series_of_one_number_and_none(tmp_path):
    write_series(tmp_path / "in", noise(SHAPE, 1), 3, T2)
    write_series(tmp_path / "in" / "more", noise(SHAPE, 2), 3, T2, name="other")
    write_series(tmp_path / "in" / "none", noise(SHAPE, 3), 4, T2 | {"SeriesNumber": None})
    converted, _ = convert_dicom(tmp_path / "in", tmp_path / "out")
    assert {image.number: image.file.name for image in converted} == {
        "0": "series_000.nii",
        "3": "series_003.nii",
        "3b": "series_003b.nii",
    }


@pytest.mark.parametrize(
    ("tag", "value", "what"), [("PatientID", "OTHER", "patient"), ("StudyDate", "20200101", "day")]
)
def test_two_patients_or_visits_in_one_folder(tag, value, what, tmp_path):
    write_series(tmp_path / "in", noise(SHAPE, 1), 3, T2)
    write_series(tmp_path / "in", noise(SHAPE, 1), 4, T2 | {tag: value})
    with pytest.raises(InputError, match=f"expected DICOM files of one {what}; found files of 2 {what}s"):
        convert_dicom(tmp_path / "in", tmp_path / "out")


def test_folders_of_dicom_are_known_with_and_without_a_preamble(tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    assert not is_dicom_folder(tmp_path / "in")
    (tmp_path / "in" / "notes.txt").write_text("DICM")
    assert not is_dicom_folder(tmp_path / "in")
    (file,) = write_series(tmp_path / "in" / "deep", noise((16, 18, 1), 1), 1, T2)
    assert is_dicom_folder(tmp_path / "in")
    whole = file.read_bytes()
    file.write_bytes(whole[whole.index(b"\x08\0\x05\0") :])
    assert file.read_bytes()[128:132] != b"DICM" and is_dicom_folder(tmp_path / "in")


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("Müßigbrodt", True),
        ("MUESSIGBRODT_J", True),
        ("mussigbrodt1", True),
        ("scan-Jörg-2", True),
        ("pat_joerg", True),
        ("1961-07-23", True),
        ("23.7.1961", True),
        ("P230761", True),
        ("19610723", True),
        ("P001", False),
        ("glioma_17", False),
        ("KH4711-0815", False),
        ("TCGA-06-0122", False),
        ("20190314", False),
    ],
)
def test_names_that_tell_who_the_patient_is(name, held, tmp_path):
    write_series(tmp_path, noise((16, 18, 1), 1), 1, T2)
    assert contains_patient_identity(name, tmp_path) is held


def header_of(name, character_set="ISO_IR 192", **tags):
    """A header with a patient's name, in the bytes of its character set."""
    codec = {"ISO_IR 192": "utf-8", "ISO_IR 144": "iso8859-5", "": "latin-1"}[character_set]
    tags |= {
        "PatientName": name.encode(codec).decode("utf-8", "surrogateescape"),
        "SpecificCharacterSet": character_set,
    }
    return Header("x.dcm", {TAGS[key]: value for key, value in tags.items()})


def test_names_in_any_letters_and_pseudonyms(tmp_path):
    assert names_patient("петров_1", header_of("Петров^Иван", "ISO_IR 144"))
    assert names_patient("p-山田", header_of("Yamada^Tarou=山田^太郎"))
    assert names_patient("Yamada", header_of("Yamada^Tarou=山田^太郎"))
    assert names_patient("li_2", header_of("Li^Na")) and not names_patient("glioma", header_of("Li^Na"))
    assert not names_patient("TCGA-06-0122", header_of("TCGA-06-0122", PatientID="TCGA-06-0122"))
    assert not names_patient("Meier", header_of("Meier", PatientID="MEIER"))
    assert not names_patient("sub-07", header_of("sub-07"))
    assert not names_patient("anonymous_3", header_of("Anonymous"))
    assert not names_patient("Meier", header_of("Meier^Eva", PatientIdentityRemoved="YES"))
    assert names_patient("Meier", header_of("Meier^Eva", PatientIdentityRemoved="NO"))


def test_no_dicom_at_all(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    assert convert_dicom(tmp_path, tmp_path / "out") == ([], [])
    assert not contains_patient_identity("Meier", tmp_path)
