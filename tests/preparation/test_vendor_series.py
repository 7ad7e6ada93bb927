"""Real headers of GE, Philips, UIH and Siemens XA, and those made of them by other names and times.

GE and Philips write b-values of 0 on series of every kind; each must be told for what it is.
"""

import random
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import generate_uid

from glioma_idh.errors import InputError
from glioma_idh.imaging.volumes import read_volume
from glioma_idh.preparation.series import choose_series, find_series

pytestmark = pytest.mark.integration

AGENT = {"ContrastBolusAgent": "Gd"}
T2 = {
    "EchoTime": 95,
    "RepetitionTime": 4000,
    "InversionTime": None,
    "ScanningSequence": "SE",
    "MRAcquisitionType": "2D",
}
FLAIR = T2 | {"EchoTime": 120, "RepetitionTime": 9000, "InversionTime": 2500, "ScanningSequence": ["SE", "IR"]}
REAL = {
    "ge_dti": "dwi",
    "ge_epi_over_time": "",
    "ge_t1_mprage": "t1",
    "philips_dwi": "dwi",
    "philips_fmri": "",
    "philips_t1_mprage": "t1",
    "siemens_xa_adc": "adc",
    "siemens_xa_b0": "dwi",
    "siemens_xa_trace": "dwi",
    "uih_dti_mosaic": "dwi",
}
"""Series as the scanners wrote them, and the role that is right."""
MADE = [
    ("ge_t1_mprage", AGENT | {"SeriesDescription": "3D Ax T1 MP-RAGE +C"}, "t1gd"),
    ("ge_t1_mprage", AGENT | {"SeriesDescription": "Gehirn"}, "t1gd"),
    ("ge_t1_mprage", {"SeriesDescription": "Ax T1 pre contrast"}, "t1"),
    ("ge_t1_mprage", T2 | {"SeriesDescription": "Ax T2 FRFSE"}, "t2"),
    ("ge_t1_mprage", FLAIR | {"SeriesDescription": "Ax T2 FLAIR"}, "flair"),
    ("ge_t1_mprage", FLAIR | {"SeriesDescription": ""}, "flair"),
    ("ge_epi_over_time", AGENT | {"SeriesDescription": "AX PERFUSION"}, "dsc"),
    ("ge_epi_over_time", AGENT | {"SeriesDescription": "ax epi"}, "dsc"),
    ("ge_epi_over_time", {"SeriesDescription": "resting state fMRI"}, ""),
    ("philips_t1_mprage", AGENT | {"SeriesDescription": "sT1W_3D_TFE_Gd"}, "t1gd"),
    ("philips_t1_mprage", T2 | {"SeriesDescription": "T2W_TSE"}, "t2"),
    ("philips_t1_mprage", FLAIR | {"SeriesDescription": "FLAIR_longTR"}, "flair"),
    ("philips_fmri", AGENT | {"SeriesDescription": "FE_EPI perfusion"}, "dsc"),
    ("philips_fmri", {"SeriesDescription": "BOLD rest"}, ""),
    ("siemens_xa_adc", {"SeriesDescription": "", "ProtocolName": "t1_mprage_sag"}, "adc"),
    ("siemens_xa_adc", {"SeriesDescription": "Exponential ADC"}, ""),
]
"""Of which series, with which tags; and the role that is right."""


def files_of(folder: Path) -> list[Dataset]:
    """The images of a series, in their order."""
    found = [dcmread(path) for path in folder.rglob("*") if path.is_file()]
    return sorted((file for file in found if "PixelData" in file), key=lambda file: int(file.InstanceNumber))


def over_time(files: list[Dataset], num_volumes: int = 21) -> list[Dataset]:
    """A series over time, gone on with itself until it has so many volumes."""
    per_volume = len({str(file.ImagePositionPatient) for file in files})
    there, longer = len(files) // per_volume, list(files)
    for turn in range(1, -(-num_volumes // there)):
        for file in files:
            later = dcmread(file.filename)
            later.SOPInstanceUID, later.InstanceNumber = generate_uid(), int(file.InstanceNumber) + turn * len(files)
            if "TemporalPositionIdentifier" in later:
                later.TemporalPositionIdentifier = int(file.TemporalPositionIdentifier) + turn * there
            longer.append(later)
    return longer


def write(folder: Path, files: list[Dataset], tags: dict) -> Path:
    """The files with other tags."""
    folder.mkdir(parents=True)
    for count, file in enumerate(files):
        for keyword, value in tags.items():
            setattr(file, keyword, value)
        file.save_as(folder / f"{count:04}.dcm")
    return folder


def read(folder: Path, out_dir: Path):
    """The roles of a folder's series, what is unclear, and what is not used."""
    series, remarks = find_series(folder, out_dir)
    choices, errors = choose_series(series, {})
    return choices, errors, remarks


@pytest.mark.parametrize(("name", "role"), REAL.items())
def test_series_as_scanners_wrote_them(name, role, real_data, tmp_path):
    choices, errors, _ = read(real_data / "dicom_vendors" / name, tmp_path)
    assert list(choices) == role.split() and errors == []


@pytest.mark.parametrize(("name", "tags", "role"), MADE)
def test_series_made_of_them(name, tags, role, real_data, tmp_path):
    files = files_of(real_data / "dicom_vendors" / name)
    files = over_time(files) if name in ("ge_epi_over_time", "philips_fmri") else files
    choices, errors, _ = read(write(tmp_path / "in", files, tags), tmp_path / "out")
    assert list(choices) == role.split() and errors == []


@pytest.mark.parametrize(
    ("name", "b_values"),
    [("uih_dti_mosaic", [1.25126] + [929.75] * 16), ("siemens_xa_trace", [2500]), ("siemens_xa_b0", [0])],
)
def test_b_values_wherever_a_maker_puts_them(name, b_values, real_data, tmp_path):
    choices, _, _ = read(real_data / "dicom_vendors" / name, tmp_path)
    assert choices["dwi"].b_values == pytest.approx(b_values)


def one_series_uid_a_file(file: Dataset) -> None:
    """As some anonymisers leave it."""
    file.SeriesInstanceUID = generate_uid()


def one_image_uid_for_all(file: Dataset) -> None:
    """As some anonymisers leave it."""
    file.SOPInstanceUID = file.file_meta.MediaStorageSOPInstanceUID = "1.2.3"


def no_instance_number(file: Dataset) -> None:
    """As some anonymisers leave it."""
    del file.InstanceNumber


def no_series_number(file: Dataset) -> None:
    """As some anonymisers leave it."""
    del file.SeriesNumber


def anonymised(real_data, folder: Path, names, *changes) -> Path:
    """Series of several scanners as one patient's, each file changed, in an order that says nothing."""
    folder.mkdir(parents=True)
    places = list(range(1000))
    random.Random(1).shuffle(places)
    for name in names:
        for file in files_of(real_data / "dicom_vendors" / name):
            file.PatientID, file.StudyDate = "1", "20200101"
            for change in changes:
                change(file)
            file.save_as(folder / f"{places.pop():04}.dcm")
    return folder


@pytest.mark.parametrize("change", [one_series_uid_a_file, one_image_uid_for_all, no_series_number])
def test_what_careless_anonymisers_leave_is_read_whole(change, real_data, tmp_path):
    names = ("ge_t1_mprage", "ge_dti")
    kept, _, _ = read(anonymised(real_data, tmp_path / "whole", names), tmp_path / "kept")
    choices, errors, remarks = read(anonymised(real_data, tmp_path / "in", names, change), tmp_path / "out")
    assert set(choices) == {"t1", "dwi"} and errors == []
    assert all("combined as series" in remark.reason for remark in remarks)
    assert len(remarks) == (2 if change is one_series_uid_a_file else 0)
    for role, axes in (("t1", 3), ("dwi", 4)):
        one, other = (read_volume(found[role].files[0], num_axes=axes) for found in (kept, choices))
        assert np.array_equal(one.array, other.array) and np.array_equal(one.affine, other.affine)
    assert choices["dwi"].b_values == kept["dwi"].b_values == (0, *[1000] * 6)


def test_without_instance_numbers_a_volume_is_whole_and_a_series_of_them_is_an_error(real_data, tmp_path):
    names = ("philips_t1_mprage", "ge_dti")
    kept, _, _ = read(anonymised(real_data, tmp_path / "whole", names), tmp_path / "kept")
    choices, _, (error,) = read(anonymised(real_data, tmp_path / "in", names, no_instance_number), tmp_path / "out")
    assert list(choices) == ["t1"] and "series 1: expected different instance numbers (0020,0013)" in str(error)
    one, other = (read_volume(found["t1"].files[0]) for found in (kept, choices))
    assert np.array_equal(one.array, other.array) and np.array_equal(one.affine, other.affine)


def test_series_that_are_lost_are_one_error(real_data, tmp_path):
    lost = anonymised(real_data, tmp_path / "in", ["ge_t1_mprage"], one_series_uid_a_file, no_series_number)
    for file in files_of(real_data / "dicom_vendors" / "philips_t1_mprage"):
        file.PatientID, file.StudyDate = "1", "20200101"
        file.save_as(lost / f"kept{file.InstanceNumber}.dcm")
    choices, _, (error,) = read(lost, tmp_path / "out")
    assert list(choices) == ["t1"]
    assert "found 40 images, each with a different series UID and without series number" in str(error)


def made(real_data, folder: Path, *series) -> Path:
    """Series of one patient, each of a scanner's name and of what is done with each file and its place."""
    folder.mkdir(parents=True)
    for number, (name, change) in enumerate(series):
        for place, file in enumerate(files_of(real_data / "dicom_vendors" / name)):
            file.PatientID, file.StudyDate = "1", "20200101"
            change(file, place)
            file.save_as(folder / f"{number}_{place:04}.dcm")
    return folder


def test_two_series_of_one_uid_are_told_by_their_numbers(real_data, tmp_path):
    def share(file, _):
        file.SeriesInstanceUID = file.SOPInstanceUID = "1.2.3"

    folder = made(real_data, tmp_path / "in", ("ge_t1_mprage", share), ("ge_dti", share))
    choices, errors, remarks = read(folder, tmp_path / "out")
    assert {role: choice.number for role, choice in choices.items()} == {"t1": "5", "dwi": "1"}
    assert errors == remarks == [] and read_volume(choices["t1"].files[0]).array.shape[2] == 40


def test_a_file_without_a_series_uid_is_of_the_series_of_its_number(real_data, tmp_path):
    folder = made(
        real_data, tmp_path / "in", ("ge_t1_mprage", lambda file, k: k or setattr(file, "SeriesInstanceUID", ""))
    )
    choices, _, remarks = read(folder, tmp_path / "out")
    assert len(remarks) == 1 and 40 in read_volume(choices["t1"].files[0]).array.shape


def test_whole_volumes_of_one_image_uid_are_no_copies_but_an_error(real_data, tmp_path):
    def share(file, _):
        file.SeriesInstanceUID = file.SOPInstanceUID = "1.2.3"
        file.SeriesNumber = 5

    folder = made(real_data, tmp_path / "in", ("siemens_xa_trace", share), ("siemens_xa_b0", share))
    with pytest.raises(
        InputError, match=r"a SOP instance UID \(0008,0018\) for each volume; found one UID for several"
    ):
        find_series(folder, tmp_path / "out")


def test_a_mosaic_of_uih_without_its_private_tags_is_an_error(real_data, tmp_path):
    folder = made(real_data, tmp_path / "in", ("uih_dti_mosaic", lambda file, _: file.remove_private_tags()))
    with pytest.raises(InputError, match=r"the private tags \(0065,1051\) of a UIH mosaic"):
        find_series(folder, tmp_path / "out")


def test_mosaics_without_numbers_have_lost_their_order(real_data, tmp_path):
    def same(file, _):
        file.InstanceNumber = file.AcquisitionNumber = 1

    with pytest.raises(InputError, match="different instance numbers"):
        find_series(made(real_data, tmp_path / "in", ("uih_dti_mosaic", same)), tmp_path / "out")


def test_instance_numbers_that_mix_volumes_are_an_error(real_data, tmp_path):
    def mix(file, place):
        file.InstanceNumber = {0: 3, 2: 1}.get(place, place + 1)

    with pytest.raises(InputError, match="the same order of b-values in every slice; found 2 orders"):
        find_series(made(real_data, tmp_path / "in", ("ge_dti", mix)), tmp_path / "out")


@pytest.mark.parametrize(("charset", "name"), [("ISO_IR 100", "T1 prä KM"), ("ISO_IR 192", "T1 prä KM")])
def test_letters_of_any_character_set_are_read(charset, name, real_data, tmp_path):
    tags = AGENT | {"SpecificCharacterSet": charset, "SeriesDescription": name, "ContrastBolusAgent": ""}
    folder = write(tmp_path / "in", files_of(real_data / "dicom_vendors" / "ge_t1_mprage"), tags)
    choices, errors, _ = read(folder, tmp_path / "out")
    assert list(choices) == ["t1"] and errors == []


@pytest.mark.parametrize("name", ["T1 +/- KM", "T1 post Mueller", "T1 mit und ohne KM"])
def test_a_header_without_an_agent_does_not_settle_what_words_leave_open(name, real_data, tmp_path):
    files = files_of(real_data / "dicom_vendors" / "ge_t1_mprage")
    choices, errors, _ = read(write(tmp_path / "in", files, {"SeriesDescription": name}), tmp_path / "out")
    assert choices == {} and errors and "could be T1 or T1Gd" in str(errors[0])


def without_private_tags(file: Dataset) -> None:
    """As most anonymisers leave it."""
    file.remove_private_tags()


def test_volumes_of_philips_without_private_tags_stay_together(real_data, tmp_path):
    """dcm2niix takes them apart by their trigger times, and all but the first would be lost."""
    kept, _ = find_series(anonymised(real_data, tmp_path / "whole", ["philips_fmri"]), tmp_path / "kept")
    folder = anonymised(real_data, tmp_path / "in", ["philips_fmri"], without_private_tags)
    (series,), remarks = find_series(folder, tmp_path / "out")
    one, other = (read_volume(found.files[0], num_axes=4) for found in (kept[0], series))
    assert remarks == [] and series.num_volumes == 3 and series.number == "201"
    assert np.array_equal(one.array, other.array) and np.array_equal(one.affine, other.affine)
