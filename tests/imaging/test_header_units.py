"""A NIfTI file in metres or microns is the same image as one in millimetres."""

import nibabel
import numpy as np
import pytest

from glioma_idh.cohorts.table import COLUMNS
from glioma_idh.errors import InputError
from glioma_idh.gbm2d.preprocessing import prepare_subject
from glioma_idh.imaging.volumes import (
    check_same_grid,
    read_grid,
    read_header_timing,
    read_volume,
    return_to_grid,
    voxel_hash,
    write_volume,
)

IN_MM = {"unknown": 1.0, "mm": 1.0, "meter": 1e3, "micron": 1e-3}
AFFINE = np.array([[-2.0, 0, 0, 30], [0, -1.5, 0, 40], [0, 0, 3.0, -50], [0, 0, 0, 1]])  # LPS, edges of 9 cubic mm
ARRAY = np.random.default_rng(0).normal(100, 9, (14, 16, 8)).astype(np.float32)


def save(path, unit, array=ARRAY, time_unit="sec", scale=1.0):
    """The same image with its lengths in another unit."""
    affine = np.diag([scale / IN_MM[unit]] * 3 + [1]) @ AFFINE
    image = nibabel.Nifti1Image(array, affine)
    image.header.set_xyzt_units(unit, time_unit)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("unit", IN_MM)
def test_lengths_are_millimetres_whatever_the_unit(tmp_path, unit):
    path = save(tmp_path / "scan.nii", unit)
    volume, grid = read_volume(path), read_grid(path)
    assert volume.voxel_ml == pytest.approx(0.009) and volume.spacing_mm == pytest.approx([2, 1.5, 3])
    assert volume.own_affine == pytest.approx(AFFINE) and volume.stored_as == "LPS"
    assert grid.affine == pytest.approx(volume.affine, abs=1e-6)
    assert read_header_timing(path).spacing_mm == pytest.approx([2, 1.5, 3])
    reference = read_volume(save(tmp_path / "mm.nii", "mm"))
    check_same_grid(volume, reference)
    assert voxel_hash(volume) == voxel_hash(reference)


@pytest.mark.parametrize("unit", ["unknown", "mm"])
def test_a_grid_in_millimetres_is_not_touched(tmp_path, unit):
    path = save(tmp_path / "scan.nii", unit)
    assert np.array_equal(read_volume(path).own_affine, nibabel.load(path).affine)


def test_a_code_of_no_unit_is_the_millimetre(tmp_path):
    path = save(tmp_path / "scan.nii", "mm", np.stack([ARRAY, ARRAY], axis=-1))
    image = nibabel.load(path)
    image.header["xyzt_units"] = 5 | 40  # codes that stand for nothing, of length and of time
    nibabel.save(image, tmp_path / "odd.nii")
    timing = read_header_timing(tmp_path / "odd.nii")
    assert timing.spacing_mm == (2, 1.5, 3) and timing.time_step_s is None
    assert read_volume(tmp_path / "odd.nii", num_axes=4).voxel_ml == pytest.approx(0.009)


@pytest.mark.parametrize("unit", IN_MM)
def test_what_is_written_back_lies_where_it_was(tmp_path, unit):
    volume = read_volume(save(tmp_path / "scan.nii", unit))
    write_volume(tmp_path / "back.nii", return_to_grid(volume.array, volume.own_affine), volume.own_affine)
    back = nibabel.load(tmp_path / "back.nii")
    assert back.header.get_xyzt_units()[0] == "mm" and back.affine == pytest.approx(AFFINE, abs=1e-5)
    assert np.array_equal(back.get_fdata(dtype=np.float32), ARRAY)


@pytest.mark.parametrize("unit", ["meter", "micron"])
def test_the_lesion_has_the_same_volume(tmp_path, unit):
    mask = np.zeros(ARRAY.shape, np.float32)
    mask[4:9, 5:11, 2:5] = 1  # 90 voxels of 9 cubic mm
    paths = {"t2": save(tmp_path / "t2.nii", unit), "lesion_mask": save(tmp_path / "mask.nii", unit, mask)}
    row = dict.fromkeys(COLUMNS, "") | {"subject": "s"} | {name: str(path) for name, path in paths.items()}
    in_mm = row | {"t2": str(save(tmp_path / "t2_mm.nii", "mm"))}  # a scan in mm beside a mask in another unit
    slices = [prepare_subject(each, "t2", 16) for each in (row, in_mm)]
    assert [lesion_ml for _, lesion_ml, *_ in slices] == pytest.approx([0.81, 0.81])
    assert np.array_equal(slices[0][0], slices[1][0])


@pytest.mark.parametrize(
    ("unit", "scale"), [("micron", 1e-3), ("meter", 1e3), ("mm", 1e-3), ("unknown", 5e-2), ("mm", 1e2)]
)
def test_a_unit_that_cannot_be_is_refused(tmp_path, unit, scale):
    """Numbers in millimetres beside another unit, or in metres or centimetres beside none."""
    path = save(tmp_path / "scan.nii", unit, scale=scale)
    for read in (read_volume, read_grid, *[read_header_timing] * (unit in ("micron", "meter"))):
        with pytest.raises(InputError, match="edges from .* to 50 mm; found edges of .* mm .the unit in the header"):
            read(path)


def test_the_refusal_names_the_edges_and_asks_for_the_unit(tmp_path):
    path = save(tmp_path / "scan.nii", "mm", scale=1e-3)
    with pytest.raises(InputError, match=r"found edges of 0.002 x 0.0015 x 0.003 mm .* Is the header in metres"):
        read_volume(path)
