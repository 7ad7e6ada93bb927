"""Volumes come back where they were, and every file that cannot be used says why."""

import gzip
import hashlib
from itertools import permutations, product

import nibabel
import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.volumes import (
    Volume,
    check_same_grid,
    read_grid,
    read_volume,
    reorient,
    return_to_grid,
    voxel_hash,
    write_volume,
)

CODES = ["RAS", "LPS", "ASR", "SPL", "IRP", "PIL"]


def oriented(code):
    """A volume whose voxel value is 100 x + 10 y + z of its place in mm, stored with axes in another order."""
    x, y, z = np.meshgrid(np.arange(4), np.arange(5), np.arange(6), indexing="ij")
    turn = nibabel.orientations.ornt_transform(
        nibabel.orientations.axcodes2ornt("RAS"), nibabel.orientations.axcodes2ornt(code)
    )
    image = nibabel.Nifti1Image((100 * x + 10 * y + z).astype(np.float32), np.eye(4)).as_reoriented(turn)
    return image.get_fdata(dtype=np.float32), image.affine


@pytest.mark.parametrize("code", CODES)
def test_axes_run_right_front_top_whatever_the_file_says(code, tmp_path):
    array, affine = oriented(code)
    nibabel.save(nibabel.Nifti1Image(array, affine), tmp_path / "scan.nii.gz")
    volume = read_volume(tmp_path / "scan.nii.gz")
    assert volume.array.shape == (4, 5, 6)
    assert volume.array[3, 1, 2] == 312
    assert np.allclose(volume.affine, np.eye(4))


def test_oblique_grids_keep_every_voxel_in_place():
    angle = np.deg2rad(20)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([-1, 2, 3])
    array = np.arange(24.0).reshape(2, 3, 4)
    turned, new = reorient(array, affine)
    assert turned[1, 2, 3] == array[0, 2, 3]
    assert np.allclose(new @ [1, 2, 3, 1], affine @ [0, 2, 3, 1])


def test_spacing_and_voxel_volume():
    volume = Volume(np.zeros((2, 2, 2)), np.diag([-2.0, 3.0, 4.0, 1.0]))
    assert volume.spacing_mm.tolist() == [2, 3, 4]
    assert volume.voxel_ml == pytest.approx(0.024)
    turned = Volume(volume.array, np.array([[0, -3.0, 0, 5], [2, 0, 0, 6], [0, 0, 4, 7], [0, 0, 0, 1]]))
    assert turned.spacing_mm.tolist() == [2, 3, 4] and turned.voxel_ml == pytest.approx(0.024)


def test_written_volumes_come_back(tmp_path):
    affine = np.diag([1.5, 2.0, 2.5, 1.0])
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    write_volume(tmp_path / "out.nii.gz", array, affine)
    volume = read_volume(tmp_path / "out.nii.gz")
    assert np.array_equal(volume.array, array) and np.allclose(volume.affine, affine)
    assert [path.name for path in tmp_path.iterdir()] == ["out.nii.gz"]


def write(path, array):
    nibabel.save(nibabel.Nifti1Image(array.astype(np.float32), np.eye(4)), path)


def test_files_that_cannot_be_used(tmp_path):
    scan = tmp_path / "scan.nii.gz"
    noise = np.random.default_rng(0).normal(size=(30, 30, 30))
    with pytest.raises(InputError, match=r"scan.nii.gz: expected a NIfTI file; found no file"):
        read_volume(scan)
    write(scan, noise)
    scan.write_bytes(scan.read_bytes()[:5000])
    with pytest.raises(InputError, match="truncated"):
        read_volume(scan)
    scan.write_bytes(gzip.compress(b"not a scan at all" * 50))
    with pytest.raises(InputError, match="expected a readable NIfTI file"):
        read_volume(scan)
    write(scan, np.stack([noise, noise], axis=-1))
    with pytest.raises(InputError, match=r"expected a 3D volume; found shape \(30, 30, 30, 2\)"):
        read_volume(scan)
    noise[0, 0, :3] = np.nan, np.inf, -np.inf
    write(scan, noise)
    with pytest.raises(InputError, match="found 3 NaN or infinite voxels"):
        read_volume(scan)


def test_voxels_that_are_colours_and_a_singular_affine(tmp_path):
    colours = np.zeros((4, 4, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    nibabel.save(nibabel.Nifti1Image(colours, np.eye(4)), tmp_path / "map.nii")
    with pytest.raises(InputError, match="map.nii: expected a readable NIfTI file"):
        read_volume(tmp_path / "map.nii")
    nibabel.save(nibabel.Nifti1Image(np.full((4, 4, 4), 1 + 2j, np.complex64), np.eye(4)), tmp_path / "complex.nii")
    with pytest.raises(InputError, match="complex.nii: expected a readable NIfTI file.*complex numbers"):
        read_volume(tmp_path / "complex.nii")
    image = nibabel.Nifti1Image(np.ones((4, 4, 4)), np.eye(4))
    image.header.set_sform(np.diag([1.0, 1.0, 0.0, 1.0]), code=1)
    nibabel.save(image, tmp_path / "flat.nii")
    raw = bytearray((tmp_path / "flat.nii").read_bytes())
    raw[280:328] = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]], "<f4").tobytes()
    (tmp_path / "flat.nii").write_bytes(raw)
    with pytest.raises(InputError, match="flat.nii: expected a readable NIfTI file"):
        read_volume(tmp_path / "flat.nii")


def test_a_fourth_axis_of_one_is_dropped(tmp_path):
    write(tmp_path / "scan.nii", np.ones((3, 4, 5, 1)))
    assert read_volume(tmp_path / "scan.nii").array.shape == (3, 4, 5)


def test_whole_numbers_stay_as_stored_where_asked_unless_the_header_scales_them(tmp_path):
    image = nibabel.Nifti1Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.eye(4))
    nibabel.save(image, tmp_path / "scan.nii.gz")
    as_stored = read_volume(tmp_path / "scan.nii.gz", dtype=None).array
    assert as_stored.dtype == np.int16 and np.array_equal(as_stored, np.arange(60).reshape(3, 4, 5))
    image.header.set_slope_inter(2, 1)
    nibabel.save(image, tmp_path / "scaled.nii.gz")
    scaled = read_volume(tmp_path / "scaled.nii.gz", dtype=None).array
    assert scaled.dtype == np.float32
    assert np.array_equal(scaled, read_volume(tmp_path / "scaled.nii.gz").array)
    write(tmp_path / "real.nii", np.full((3, 4, 5), 0.5))
    assert read_volume(tmp_path / "real.nii", dtype=None).array.dtype == np.float32


def test_grids_must_agree():
    scan = Volume(np.zeros((10, 10, 10)), np.diag([1.0, 1.0, 1.0, 1.0]), "scan.nii")
    near, far, turned = np.eye(4), np.eye(4), np.eye(4)
    near[0, 3], far[0, 3] = 0.05, 2.0
    turned[:2, :2] = [[np.cos(0.05), -np.sin(0.05)], [np.sin(0.05), np.cos(0.05)]]
    check_same_grid(Volume(scan.array, near, "mask.nii"), scan)
    with pytest.raises(InputError, match=r"mask.nii: expected the same grid; found a grid displaced by up to 2.0 mm"):
        check_same_grid(Volume(scan.array, far, "mask.nii"), scan)
    with pytest.raises(InputError, match="expected the same grid"):
        check_same_grid(Volume(scan.array, turned, "mask.nii"), scan)
    with pytest.raises(InputError, match=r"expected shape \(10, 10, 10\); found shape \(10, 10, 9\)"):
        check_same_grid(Volume(np.zeros((10, 10, 9)), np.eye(4), "mask.nii"), scan)


def test_grids_agree_within_a_tenth_of_the_shortest_edge():
    flat = Volume(np.zeros((10, 20, 4)), np.diag([1.0, 1.0, 5.0, 1.0]), "scan.nii")
    for off_mm, axis in ((0.09, 2), (0.11, 2), (0.11, 0)):
        affine = flat.affine.copy()
        affine[axis, 3] = off_mm
        if off_mm < 0.1:
            check_same_grid(Volume(flat.array, affine), flat)
        else:
            with pytest.raises(InputError, match="found a grid displaced by up to 0.1 mm"):
                check_same_grid(Volume(flat.array, affine), flat)
    with pytest.raises(InputError, match=r"expected shape \(10, 20, 4\); found shape \(20, 10, 4\)"):
        check_same_grid(Volume(np.zeros((20, 10, 4)), flat.affine), flat)


@pytest.mark.parametrize("code", CODES)
def test_a_grid_read_without_voxels_is_that_of_the_volume(code, tmp_path):
    array, affine = oriented(code)
    affine[:3, 3] += 3, -4, 5
    nibabel.save(nibabel.Nifti1Image(np.stack([array, array], axis=-1), affine), tmp_path / "scan.nii")
    grid, volume = read_grid(tmp_path / "scan.nii"), read_volume(tmp_path / "scan.nii", num_axes=4)
    assert grid.array.shape == volume.array.shape[:3] == (4, 5, 6) and not grid.array.any()
    assert np.allclose(grid.affine, volume.affine) and grid.file == str(tmp_path / "scan.nii")


def test_voxels_that_are_not_finite_come_back_when_asked_for(tmp_path):
    array = np.ones((3, 4, 5))
    array[1, 2, 3] = np.nan
    write(tmp_path / "scan.nii", array)
    found = read_volume(tmp_path / "scan.nii", finite=False).array
    assert np.isnan(found[1, 2, 3]) and np.isnan(found).sum() == 1


@pytest.mark.parametrize("code", CODES)
def test_the_axes_of_the_file_are_remembered(code, tmp_path):
    nibabel.save(nibabel.Nifti1Image(*oriented(code)), tmp_path / "scan.nii")
    assert read_volume(tmp_path / "scan.nii").stored_as == code


def test_a_header_without_directions(tmp_path):
    image = nibabel.Nifti1Image(np.ones((3, 4, 5)), None)
    nibabel.save(image, tmp_path / "scan.nii")
    assert read_volume(tmp_path / "scan.nii").stored_as == ""


def test_axes_that_span_no_volume(tmp_path):
    write(tmp_path / "scan.nii", np.ones((3, 4, 5)))
    raw = bytearray((tmp_path / "scan.nii").read_bytes())
    raw[280:328] = np.array([[1, 1, 0, 0], [0, 1e-20, 0, 0], [0, 0, 1, 0]], "<f4").tobytes()
    (tmp_path / "scan.nii").write_bytes(raw)
    with pytest.raises(InputError, match="the axes do not span a volume"):
        read_volume(tmp_path / "scan.nii")


ORDERS = ["".join(code) for axes in permutations(["RL", "AP", "SI"]) for code in product(*axes)]


def stored(array, code):
    """The volume read back from a file whose axes run as the code says."""
    turn = nibabel.orientations.ornt_transform(
        nibabel.orientations.axcodes2ornt("RAS"), nibabel.orientations.axcodes2ornt(code)
    )
    image = nibabel.Nifti1Image(array, np.eye(4)).as_reoriented(turn)
    return Volume(*reorient(np.asarray(image.dataobj), image.affine))


def test_an_image_keeps_its_hash_however_it_is_stored():
    array = np.random.default_rng(0).integers(-50, 500, (4, 5, 6)).astype(np.int16)
    array[0, 0, 0], array[-1, -1, -1] = 7, 9
    hashes = {voxel_hash(stored(array, code)) for code in ORDERS}
    assert len(ORDERS) == 48 and len(hashes) == 1 and len(hashes.pop()) == 16
    same = [array.astype(np.float32), np.pad(array, ((1, 2), (0, 3), (4, 0))), array.astype(float) * -1 * -1]
    assert {voxel_hash(Volume(other, np.diag([2, 2, 2, 1]), "other.nii")) for other in same} == {
        voxel_hash(Volume(array, np.eye(4)))
    }
    negative_zero = np.where(array == array.max(), -0.0, array)
    assert voxel_hash(Volume(negative_zero, np.eye(4))) == voxel_hash(Volume(negative_zero + 0.0, np.eye(4)))


def test_another_image_has_another_hash():
    array = np.arange(1, 25).reshape(2, 3, 4)
    changed = array.copy()
    changed[1, 1, 1] += 1
    others = [array, changed, array[::-1], array.reshape(3, 2, 4), array * 2]
    assert len({voxel_hash(Volume(other, np.eye(4))) for other in others}) == 5
    assert voxel_hash(Volume(np.zeros((2, 3, 4)), np.eye(4))) == ""


@pytest.mark.parametrize("code", CODES)
def test_voxels_return_to_the_grid_of_their_file(code, tmp_path):
    array, affine = oriented(code)
    nibabel.save(nibabel.Nifti1Image(array, affine), tmp_path / "scan.nii.gz")
    volume = read_volume(tmp_path / "scan.nii.gz", order="K")
    assert np.array_equal(volume.own_affine, affine)
    assert np.array_equal(return_to_grid(volume.array, volume.own_affine), array)


def test_the_hash_is_of_shape_and_32_bit_voxels_within_the_box():
    array = np.zeros((4, 5, 6))
    array[1, 2, 3:5] = 0.1, 7
    expected = hashlib.sha256(b"(1, 1, 2)" + np.array([0.1, 7], "<f4").tobytes()).hexdigest()[:16]
    assert voxel_hash(Volume(array, np.eye(4))) == voxel_hash(Volume(array.astype(np.float32), np.eye(4))) == expected


def test_headers_that_disagree_are_no_reason_to_resample_before_a_look():
    there, apart = Volume(np.zeros((4, 5, 6)), np.eye(4), "t1.nii"), np.eye(4)
    apart[0, 3] = 9
    with pytest.raises(InputError) as raised:
        check_same_grid(Volume(np.zeros((4, 5, 6)), apart, "mask.nii"), there)
    assert raised.value.found == "a grid displaced by up to 9.0 mm"
    for words in (
        "Compare the voxel",
        "t1.nii",
        "one header is wrong: copy the correct one",
        "would misplace",
        "resample one",
    ):
        assert words in raised.value.advice
    with pytest.raises(InputError, match="Resample one to the grid of the other"):
        check_same_grid(Volume(np.zeros((4, 5, 7)), np.eye(4)), there)
