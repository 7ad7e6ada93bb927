"""A file whose name does not fit its content is told apart from one that is broken."""

import gzip
import shutil

import nibabel
import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.masks import read_mask
from glioma_idh.imaging.nifti import reading_error
from glioma_idh.imaging.volumes import read_grid, read_header_timing, read_volume
from glioma_idh.preparation.series import find_series

READERS = (read_volume, read_grid, read_header_timing, read_mask)
GENERAL = "Copy or download it again"


@pytest.fixture(params=[nibabel.Nifti1Image, nibabel.Nifti2Image], ids=["NIfTI-1", "NIfTI-2"])
def images(request, tmp_path):
    """An image under a name for the other kind, not compressed and compressed."""
    image = request.param(np.arange(60, dtype=np.float32).reshape(3, 4, 5) % 2, np.eye(4))
    nibabel.save(image, tmp_path / "own.nii")
    nibabel.save(image, tmp_path / "own.nii.gz")
    shutil.copy(tmp_path / "own.nii", tmp_path / "plain.nii.gz")
    shutil.copy(tmp_path / "own.nii.gz", tmp_path / "packed.nii")
    return tmp_path


@pytest.mark.parametrize("read", READERS)
def test_a_name_for_the_other_kind_is_told_and_what_to_rename_it_to(read, images):
    for name in ("own.nii", "own.nii.gz"):
        read(images / name)
    with pytest.raises(InputError) as raised:
        read(images / "plain.nii.gz")
    assert raised.value.found == "a file that is not compressed with gzip although its name ends in .gz"
    assert raised.value.advice == "Rename it to plain.nii." and raised.value.file == str(images / "plain.nii.gz")
    with pytest.raises(InputError) as raised:
        read(images / "packed.nii")
    assert raised.value.found == "a file that is compressed with gzip although its name does not end in .gz"
    assert raised.value.advice == "Rename it to packed.nii.gz."


def test_the_advice_is_right(images):
    (images / "plain.nii.gz").rename(images / "plain.nii")
    (images / "packed.nii").rename(images / "packed.nii.gz")
    expected = read_volume(images / "own.nii").array
    assert all(np.array_equal(read_volume(images / name).array, expected) for name in ("plain.nii", "packed.nii.gz"))


def test_prepare_tells_it_too(images):
    _, remarks = find_series(images, images / "native", lambda *_: ([], []))
    assert {remark.advice for remark in remarks} == {"Rename it to plain.nii.", "Rename it to packed.nii.gz."}


def test_a_broken_file_is_not_to_be_renamed(images):
    (images / "half.nii.gz").write_bytes((images / "own.nii.gz").read_bytes()[:40])
    (images / "text.nii").write_bytes(gzip.compress(b"no image" * 100))
    (images / "text.nii.gz").write_bytes(b"no image" * 100)
    (images / "torn.nii").write_bytes(b"\x1f\x8bno gzip" * 100)
    (images / "empty.nii.gz").touch()
    for name in ("half.nii.gz", "text.nii", "text.nii.gz", "torn.nii", "empty.nii.gz"):
        with pytest.raises(InputError, match=GENERAL):
            read_volume(images / name)


@pytest.mark.parametrize(
    ("content", "kind", "advice"),
    [
        (b"PK\x03\x04" + bytes(400), "a ZIP archive", "Unpack it."),
        (b"\n<!DOCTYPE html><html>", "a web page", "Download it again"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer", "git lfs pull"),
        (b"NRRD0004\n", "an NRRD image", "Export it as NIfTI"),
        (bytes(range(128)) + b"DICM" + bytes(400), "a DICOM file", "glioma-idh prepare"),
    ],
)
def test_other_kinds_of_files_are_called_by_their_names(content, kind, advice, tmp_path):
    for name in ("a.nii", "a.nii.gz"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError) as raised:
            read_volume(tmp_path / name)
        assert raised.value.found == kind and advice in raised.value.advice


def test_what_cannot_be_opened_is_told_by_its_error(tmp_path):
    error = reading_error(FileNotFoundError("no such file"), tmp_path / "gone.nii.gz")
    assert error.found == "FileNotFoundError: no such file" and GENERAL in error.advice
