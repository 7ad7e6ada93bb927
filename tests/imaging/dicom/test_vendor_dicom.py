"""Files as scanners of Siemens, Philips and Toshiba wrote them, which nibabel and pydicom install.

Their headers are the scanners'; where the pixels were blanked before the files were given away, known ones are put in.
nibabel's own reader of DICOM, which shares nothing with dcm2niix, says where they belong.
"""

import gzip
import io
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import JPEGLosslessSV1, generate_uid

from glioma_idh.errors import InputError
from glioma_idh.imaging.acquisition import read_acquisition
from glioma_idh.imaging.dicom.convert import convert_dicom
from glioma_idh.imaging.dicom.headers import LeftOut, contains_patient_identity
from glioma_idh.imaging.volumes import read_volume
from glioma_idh.preparation.series import choose_series, find_series
from tests.imaging.dicom_series import TO_LPS, noise

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # nibabel calls its reader experimental
    import nibabel.nicom
    from nibabel.nicom.dicomwrappers import wrapper_from_data

pytestmark = pytest.mark.integration

OF_NIBABEL = Path(nibabel.nicom.__file__).parent / "tests" / "data"
OF_PYDICOM = Path(get_testdata_file("MR_small.dcm", download=False)).parent
NUMBER_OF_PHILIPS = 0x2001, 0x1018
"""Its private number of slices."""
TEXTS = {"PN", "LO", "SH", "ST", "LT", "UT", "DA", "DT", "UI", "AE"}
"""Kinds of tags that hold names, dates and free text."""


def of_nibabel(name: str) -> Dataset:
    """A file of nibabel's."""
    content = (OF_NIBABEL / name).read_bytes()
    return dcmread(io.BytesIO(gzip.decompress(content) if name.endswith(".gz") else content))


def siemens_diffusion(seed=1) -> list[Dataset]:
    """Mosaics of a Siemens Trio without diffusion weighting and with: 48 slices of 128 x 128, tilted."""
    files = [of_nibabel(f"siemens_dwi_{b_value}.dcm.gz") for b_value in (0, 1000)]
    for number, file in enumerate(files):
        file.PixelData = noise((file.Rows, file.Columns), seed + number).astype("<u2").tobytes()
    return files


def philips_mprage(slices=range(20), edge=16) -> Dataset:
    """An enhanced MPRAGE of a Philips Achieva, sagittal and tilted: of its 176 slices of 256 x 256, 20 of 16 x 16.

    Beside each frame's place the file has a private one, which lies elsewhere.
    """
    file = of_nibabel("philips_mprage.dcm.gz")
    file.PerFrameFunctionalGroupsSequence = [file.PerFrameFunctionalGroupsSequence[k] for k in slices]
    file.NumberOfFrames = file[NUMBER_OF_PHILIPS].value = len(slices)
    file.Rows = file.Columns = edge
    file.PixelData = noise((len(slices), edge, edge), 3).astype("<u2").tobytes()
    return file


def stack(source, num_slices=4, spacing_mm=2.0, **tags) -> list[Dataset]:
    """The one slice of a file several times, side by side."""
    files = [dcmread(source) for _ in range(num_slices)]
    for k, file in enumerate(files):
        turn = np.array(file.ImageOrientationPatient, dtype=float)
        place_mm = np.array(file.ImagePositionPatient, dtype=float) + k * spacing_mm * np.cross(turn[:3], turn[3:])
        tags |= {"SOPInstanceUID": generate_uid(), "InstanceNumber": k + 1, "SliceThickness": spacing_mm}
        for keyword, value in (tags | {"ImagePositionPatient": [f"{x:.5f}" for x in place_mm]}).items():
            setattr(file, keyword, value)
    return files


def philips_files() -> list[Dataset]:
    """The MPRAGE alone."""
    return [philips_mprage()]


def toshiba_files(kind="", **tags) -> list[Dataset]:
    """Four slices of a Toshiba scanner, packed in some way."""
    return stack(OF_PYDICOM / f"MR_small{kind}.dcm", **tags)


def save(folder, files: list[Dataset]) -> Path:
    """Write files into a folder."""
    folder.mkdir()
    for number, file in enumerate(files):
        file.save_as(folder / f"{number:03}.dcm")
    return folder


def read(folder, out_dir, **wanted):
    """What the series of a folder are taken for, what is unclear, and what is not used."""
    series, remarks = find_series(folder, out_dir)
    return *choose_series(series, wanted), remarks


def in_place(file: Dataset, grid: np.ndarray, shape: tuple) -> np.ndarray:
    """The voxels of a file as nibabel reads them, on a grid with axes along its own.

    Args:
        file: a DICOM file.
        grid: 4 x 4, voxel index to millimetres, RAS+.
        shape: of the grid.
    """
    wrapper = wrapper_from_data(file)
    voxels, affine = wrapper.get_data(), TO_LPS @ wrapper.affine
    voxels = voxels[..., None] if voxels.ndim == 2 else voxels
    indices = np.linalg.solve(grid, affine) @ np.insert(np.indices(voxels.shape).reshape(3, -1), 3, 1, axis=0)
    assert np.abs(indices - indices.round()).max() < 0.01
    placed = np.zeros(shape)
    placed[tuple(indices[:3].round().astype(int))] = voxels.ravel()
    return placed


def test_mosaics_of_siemens_are_taken_apart_into_their_slices(tmp_path):
    files = siemens_diffusion()
    (converted,), remarks = convert_dicom(save(tmp_path / "in", files), tmp_path / "out")
    volume = read_volume(converted.file, num_axes=4)
    assert remarks == [] and volume.array.shape == (128, 128, 48, 2)
    for t, file in enumerate(files):
        assert np.array_equal(volume.array[..., t], in_place(file, volume.affine, (128, 128, 48)))


def test_mosaics_of_siemens_keep_b_values_and_directions_and_are_dwi(tmp_path):
    files = siemens_diffusion()
    choices, _, _ = read(save(tmp_path / "in", files), tmp_path / "out")
    (choice,) = choices.values()
    assert choice.reason == "2D echo-planar, 2 volumes, b 0, 1000 s/mm2, TE 0.093 s, described as dti: DWI"
    (found,) = choice.acquisitions
    assert found.b_values == (0, 1000) and not found.b_vectors[0].any()
    wrapper, affine = wrapper_from_data(files[1]), read_volume(choice.files[0], num_axes=4).own_affine
    assert np.linalg.det(affine) < 0  # else the first number of a direction would have the other sign (FSL)
    direction = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0) @ found.b_vectors[1]
    assert np.allclose(direction, TO_LPS[:3, :3] @ wrapper.rotation_matrix @ wrapper.b_vector, atol=1e-3)


@pytest.mark.parametrize("groups", [{0x29}, {0x19}])
def test_a_mosaic_of_which_some_private_tags_are_left_is_the_same(groups, tmp_path):
    kept, _ = convert_dicom(save(tmp_path / "whole", siemens_diffusion()), tmp_path / "kept")
    converted, remarks = convert_dicom(save(tmp_path / "in", without(siemens_diffusion(), groups)), tmp_path / "out")
    one, other = (read_volume(found[0].file, num_axes=4) for found in (kept, converted))
    assert remarks == [] and np.array_equal(one.array, other.array) and np.array_equal(one.affine, other.affine)


def test_a_mosaic_without_its_private_tags_is_an_error(tmp_path):
    converted, (error,) = convert_dicom(save(tmp_path / "in", without(siemens_diffusion(), {0x29, 0x19})), tmp_path)
    assert converted == [] and "private tags (0029,1010) or (0019,100a) of a Siemens mosaic" in str(error)


def without(files: list[Dataset], groups: set[int]) -> list[Dataset]:
    """Files without the private tags of some groups."""
    for file in files:
        for element in [element for element in file if element.tag.group in groups]:
            del file[element.tag]
    return files


def test_a_mosaic_that_is_missing_among_many(tmp_path):
    (file, _) = siemens_diffusion()
    file.Rows = file.Columns = 56
    file.PixelData = bytes(2 * 56 * 56)
    (tmp_path / "in").mkdir()
    for number in (*range(1, 12), *range(13, 25)):
        file.AcquisitionNumber, file.SOPInstanceUID = number, generate_uid()
        file.save_as(tmp_path / "in" / f"{number}.dcm")
    _, (error,) = convert_dicom(tmp_path / "in", tmp_path / "out")
    assert "series 12: expected a series with all its time points; found 1 of 24 missing" in str(error)


@pytest.mark.filterwarnings("ignore:Unable to find Philips")
def test_frames_of_philips_lie_where_the_public_tags_say(tmp_path):
    file = philips_mprage()
    (converted,), remarks = convert_dicom(save(tmp_path / "in", [file]), tmp_path / "out")
    volume = read_volume(converted.file)
    assert remarks == [] and volume.array.shape == (20, 16, 16)
    expected = in_place(file, volume.affine, volume.array.shape)
    scaled = file.PerFrameFunctionalGroupsSequence[0].PixelValueTransformationSequence[0]
    slope, intercept = float(scaled.RescaleSlope), float(scaled.RescaleIntercept)
    assert slope > 2 and np.allclose(volume.array, slope * expected + intercept, rtol=1e-6)  # as it is displayed


def test_mprage_of_philips_is_a_t1_with_or_without_contrast(tmp_path):
    folder = save(tmp_path / "in", [philips_mprage()])
    choices, errors, _ = read(folder, tmp_path / "out")
    which = "series 301 (3D gradient echo, TE 0.003513 s, described as mprage), which could be T1 or T1Gd"
    assert choices == {} and len(errors) == 2 and all(which in str(error) for error in errors)
    choices, errors, _ = read(folder, tmp_path / "out", t1gd="301", t1="none")
    assert list(choices) == ["t1gd"] and errors == []
    (found,) = choices["t1gd"].acquisitions
    assert np.allclose((found.echo_time_s, found.repetition_time_s, found.flip_deg), (0.003513, 0.0075693, 7))


def test_a_frame_of_philips_that_is_missing(tmp_path):
    file = philips_mprage([*range(10), *range(11, 20)])
    _, (error,) = convert_dicom(save(tmp_path / "in", [file]), tmp_path / "out")
    assert "series 301: expected evenly spaced slices; found slices 1 mm apart with a gap of 2 mm" in str(error)


def test_frames_of_no_place_get_none(tmp_path):
    file = philips_mprage()
    for frame in file.PerFrameFunctionalGroupsSequence:
        del frame.PlanePositionSequence
    _, (error,) = convert_dicom(save(tmp_path / "in", [file]), tmp_path / "out")
    assert "series 301: expected position and orientation of every slice; found slices without them" in str(error)


@pytest.mark.parametrize(
    "kind", ["", "_RLE", "_bigendian", "_expb", "_implicit", "_jp2klossless", "_jpeg_ls_lossless", "_padded"]
)
def test_a_slice_of_toshiba_is_the_same_however_it_is_packed(kind, tmp_path):
    files = toshiba_files(kind)
    (converted,), remarks = convert_dicom(save(tmp_path / "in", files), tmp_path / "out")
    volume = read_volume(converted.file)
    assert remarks == [] and volume.array.shape == (64, 64, 4)
    assert np.array_equal(volume.array, sum(in_place(file, volume.affine, (64, 64, 4)) for file in toshiba_files()))
    assert read_acquisition(converted.file).echo_time_s == 0.24


def test_lossless_jpeg_as_most_archives_have_it(tmp_path):
    files = toshiba_files()
    packing = "import sys, SimpleITK as s; w = s.ImageFileWriter(); w.UseCompressionOn(); w.SetCompressor('JPEG'); "
    packing += "w.SetFileName(sys.argv[2]); w.Execute(s.ReadImage(sys.argv[1]))"
    # in a process of its own: this writer leaves the locale changed
    subprocess.run([sys.executable, "-c", packing, OF_PYDICOM / "MR_small.dcm", tmp_path / "packed.dcm"], check=True)
    packed = dcmread(tmp_path / "packed.dcm")
    assert packed.file_meta.TransferSyntaxUID == JPEGLosslessSV1
    for file in files:
        file.file_meta.TransferSyntaxUID, file["PixelData"] = JPEGLosslessSV1, packed["PixelData"]
    (converted,), remarks = convert_dicom(save(tmp_path / "in", files), tmp_path / "out")
    volume = read_volume(converted.file)
    assert remarks == []
    assert np.array_equal(volume.array, sum(in_place(file, volume.affine, (64, 64, 4)) for file in toshiba_files()))


@pytest.mark.parametrize(("kind", "says"), [("_jp2klossless", "OpenJPEG"), ("_jpeg_ls_lossless", "CharLS failed")])
def test_a_slice_that_cannot_be_unpacked_is_an_error(kind, says, tmp_path):
    files = toshiba_files(kind)
    (packed,) = generate_frames(files[1].PixelData)
    files[1].PixelData = encapsulate([packed[:200] + bytes(len(packed) - 200)])
    _, (error,) = convert_dicom(save(tmp_path / "in", files), tmp_path / "out")
    assert str(error).startswith("series 1: expected a series that dcm2niix can convert; found dcm2niix:")
    assert says in str(error)


@pytest.mark.parametrize("kind", ["", "_implicit"])
def test_files_of_old_archives_without_a_preamble(kind, tmp_path):
    folder = save(tmp_path / "in", toshiba_files(kind))
    for file in folder.iterdir():
        content = file.read_bytes()
        file.write_bytes(content[content.index(b"\x08\0\x08\0") :])
    (converted,), remarks = convert_dicom(folder, tmp_path / "out")
    assert remarks == [] and read_volume(converted.file).array.shape == (64, 64, 4)
    assert contains_patient_identity("CompressedSamples", folder)


@pytest.mark.parametrize("files", [siemens_diffusion, philips_files, toshiba_files])
def test_no_name_date_or_text_of_a_scanner_comes_out(files, tmp_path):
    files = files()
    for file in files:
        file.PatientName, file.PatientBirthDate = "Eisenbarth^Kuno", "19610723"
    converted, _ = convert_dicom(save(tmp_path / "in", files), tmp_path / "out")
    tags = [tag for file in files for tag in file.iterall() if tag.VR in TEXTS]
    texts = {str(value).strip() for tag in tags for value in (tag.value if tag.VM > 1 else [tag.value])}
    texts = {text for text in texts if len(text) > 4} - {"SIEMENS", "Philips"}
    assert converted and len(texts) >= 20 and "Eisenbarth^Kuno" in texts
    for path in (tmp_path / "out").iterdir():
        content = path.name.encode() + path.read_bytes()
        assert [text for text in texts if text.encode() in content] == []


def test_pilots_and_projections_of_philips_are_left_out(tmp_path):
    shutil.copytree(OF_PYDICOM / "dicomdirtests" / "98892003", tmp_path / "in")
    converted, remarks = convert_dicom(tmp_path / "in", tmp_path / "out")
    assert converted == [] and len(remarks) == 7 and remarks[-1] == LeftOut("series 700", "a projection")
    assert {remark.reason for remark in remarks[:-1]} == {"a localizer"}


def test_ct_and_other_files_are_left_out(tmp_path):
    shutil.copytree(OF_PYDICOM / "dicomdirtests" / "98892001", tmp_path / "in")
    shutil.copy(OF_PYDICOM / "test-SR.dcm", tmp_path / "in")
    converted, remarks = convert_dicom(tmp_path / "in", tmp_path / "out")
    assert converted == [] and {str(remark) for remark in remarks} == {
        "1 DICOM files: not images (reports, presentation states), or corrupt",
        "series 4: not MR",
        "series 5: not MR",
    }


def test_coloured_maps_are_left_out(tmp_path):
    colours = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    bits = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PixelData": bytes(3 * 64 * 64)}
    files = toshiba_files(**colours, **bits)
    converted, remarks = convert_dicom(save(tmp_path / "in", files), tmp_path / "out")
    assert converted == [] and remarks == [LeftOut("series 1", "a colour picture")]


def test_the_real_part_of_siemens_is_left_out(tmp_path):
    files = stack(OF_NIBABEL / "decimal_rescale.dcm")
    converted, remarks = convert_dicom(save(tmp_path / "in", files), tmp_path / "out")
    assert converted == [] and remarks == [
        LeftOut("series 7", "contains images other than magnitude images, which are not used")
    ]


@pytest.mark.parametrize(
    ("file", "series"), [(OF_PYDICOM / "MR_truncated.dcm", 1), (OF_NIBABEL / "csa_slice_norm.dcm", 8)]
)
def test_an_image_that_is_cut_short_is_an_error_and_the_others_go_on(file, series, tmp_path):
    folder = save(tmp_path / "in", toshiba_files(SeriesNumber=20))
    shutil.copy(file, folder)
    (converted,), (error,) = convert_dicom(folder, tmp_path / "out")
    assert converted.number == "20" and isinstance(error, InputError)
    assert str(error).startswith(f"series {series}: expected complete MR images; found truncated or corrupt images (1)")
