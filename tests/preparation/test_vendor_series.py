"""Real headers of GE, Philips, UIH and Siemens XA, and those made of them by other names and times.

GE and Philips write b-values of 0 on series of every kind; each must be told for what it is.
"""

import random
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import generate_uid

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
    assert choices["dwi"].series.b_values == pytest.approx(b_values)


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
    assert all("taken as series" in remark.reason for remark in remarks)
    assert len(remarks) == (2 if change is one_series_uid_a_file else 0)
    for role, axes in (("t1", 3), ("dwi", 4)):
        one, other = (read_volume(found[role].files[0], num_axes=axes) for found in (kept, choices))
        assert np.array_equal(one.array, other.array) and np.array_equal(one.affine, other.affine)
    assert choices["dwi"].series.b_values == kept["dwi"].series.b_values == (0, *[1000] * 6)


def test_without_instance_numbers_a_volume_is_whole_and_a_series_of_them_is_an_error(real_data, tmp_path):
    names = ("philips_t1_mprage", "ge_dti")
    kept, _, _ = read(anonymised(real_data, tmp_path / "whole", names), tmp_path / "kept")
    choices, _, (error,) = read(anonymised(real_data, tmp_path / "in", names, no_instance_number), tmp_path / "out")
    assert list(choices) == ["t1"] and "series 1: expected an instance number (0020,0013)" in str(error)
    one, other = (read_volume(found["t1"].files[0]) for found in (kept, choices))
    assert np.array_equal(one.array, other.array) and np.array_equal(one.affine, other.affine)


def test_series_that_are_lost_are_one_error(real_data, tmp_path):
    lost = anonymised(real_data, tmp_path / "in", ["ge_t1_mprage"], one_series_uid_a_file, no_series_number)
    for file in files_of(real_data / "dicom_vendors" / "philips_t1_mprage"):
        file.PatientID, file.StudyDate = "1", "20200101"
        file.save_as(lost / f"kept{file.InstanceNumber}.dcm")
    choices, _, (error,) = read(lost, tmp_path / "out")
    assert list(choices) == ["t1"]
    assert "found 40 images, each with a series UID of its own and no series number" in str(error)
