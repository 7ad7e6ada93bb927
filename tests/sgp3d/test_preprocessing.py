"""The network's input and the way back, against answers worked out by hand."""

import itertools

import nibabel
import numpy as np
import pandas as pd
import pytest

from glioma_idh import cohorts
from glioma_idh.cohorts.table import COLUMNS
from glioma_idh.errors import InputError
from glioma_idh.imaging.volumes import Volume, bounding_box
from glioma_idh.sgp3d import place_back, prepare_subject
from glioma_idh.sgp3d.inference import reference_lesion
from glioma_idh.sgp3d.preprocessing import Placement, joint_foreground, resample, resample_labels, standardise
from tests.conftest import save

SHAPE = (32, 16, 48)
GRID = (38, 24, 53)
BOX = ((4, 36), (3, 19), (2, 50))  # of the brain, as large as the network's input
AFFINE = np.array([[1.1, 0.1, 0, -20], [-0.1, 0.9, 0.05, -30], [0, -0.05, 1.2, 10], [0, 0, 0, 1]])
CODES = ["".join(code) for axes in itertools.permutations(["RL", "AP", "SI"]) for code in itertools.product(*axes)]


def brain_and_lesion():
    """Noise in the box, with a lesion that has no symmetry, on a RAS+ grid."""
    rng = np.random.default_rng(0)
    scan, lesion = np.zeros(GRID, np.float32), np.zeros(GRID, np.uint8)
    scan[tuple(slice(*side) for side in BOX)] = rng.normal(100, 5, SHAPE)
    lesion[8:20, 5:10, 30:45] = 1
    lesion[20:24, 5:7, 30:33] = 4
    return scan, lesion


def row_of(tmp_path, scans, lesion=None, affine=AFFINE, lesion_affine=None):
    """A subject on disk; one array for all sequences, or one a sequence."""
    row = dict.fromkeys(COLUMNS, "") | {"subject": "s1"}
    scans = scans if isinstance(scans, dict) else dict.fromkeys(("t1", "t1gd", "t2", "flair"), scans)
    for sequence, scan in scans.items():
        row[sequence] = save(tmp_path / f"{sequence}.nii.gz", scan, affine)
    if lesion is not None:
        lesion_affine = affine if lesion_affine is None else lesion_affine
        row["lesion_mask"] = save(tmp_path / "mask.nii.gz", lesion, lesion_affine)
    return pd.Series(row)


def turned(array, code):
    """The same voxels stored in another orientation."""
    ornt = nibabel.orientations.axcodes2ornt
    turn = nibabel.orientations.ornt_transform(ornt("RAS"), ornt(code))
    image = nibabel.Nifti1Image(array, AFFINE).as_reoriented(turn)
    return np.asarray(image.dataobj), image.affine


def test_there_are_48_orientations():
    assert len(set(CODES)) == 48


@pytest.mark.parametrize("code", CODES)
def test_a_lesion_comes_back_to_its_place(code, tmp_path):
    scan, lesion = brain_and_lesion()
    stored, affine = turned(scan, code)
    stored_lesion, _ = turned(lesion, code)
    subject = prepare_subject(row_of(tmp_path, stored, stored_lesion, affine), SHAPE)
    assert np.array_equal(subject.mask, lesion[tuple(slice(*side) for side in BOX)] != 0)  # seen alike in all of them
    assert np.allclose(subject.placement.own_affine, affine, atol=1e-5)
    assert np.array_equal(place_back(subject.mask, subject.placement), stored_lesion != 0)


@pytest.mark.parametrize(("shape", "half_a_voxel"), [((16, 16, 16), 1.5), ((64, 48, 80), 0.5)])
def test_a_lesion_comes_back_through_another_shape(shape, half_a_voxel, tmp_path):
    scan, lesion = brain_and_lesion()
    stored, affine = turned(scan, "PIR")
    stored_lesion, _ = turned((lesion != 0).astype(np.uint8), "PIR")
    subject = prepare_subject(row_of(tmp_path, stored, stored_lesion, affine), shape)
    back = place_back(subject.mask.astype(np.float32), subject.placement)
    assert back.shape == stored.shape and back.dtype == np.uint8
    assert 2 * (back * stored_lesion).sum() / (back.sum() + stored_lesion.sum()) > 0.85
    centres = [np.argwhere(array).mean(axis=0) for array in (back, stored_lesion)]
    assert centres[0] == pytest.approx(centres[1], abs=half_a_voxel)


def test_the_box_holds_what_any_sequence_shows():
    arrays = np.zeros((2, 9, 9, 9), np.float32)
    arrays[0, 2, 3, 4] = 5
    arrays[1, 6, 3, 7] = -1  # scans that are normalised already are negative in places
    volumes = [Volume(array, np.eye(4)) for array in arrays]
    assert bounding_box(joint_foreground(volumes)) == ((2, 7), (3, 4), (4, 8))


def test_a_ramp_stays_a_ramp():
    ramp = resample(np.arange(4.0).reshape(1, 4, 1), (1, 8, 1))[0, :, 0]
    assert ramp == pytest.approx([0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3])
    i, j, k = np.meshgrid(np.arange(10), np.arange(12), np.arange(14), indexing="ij")
    half = resample((i + 10 * j + 100 * k).astype(np.float32), (5, 6, 7))
    assert half[2, 3, 1] == pytest.approx(4.5 + 65 + 250, abs=1e-3)


@pytest.mark.parametrize("shape", [(8, 3, 9), (5, 6, 7), (1, 20, 4)])
def test_resampling_is_that_of_pytorch(shape):
    torch = pytest.importorskip("torch")
    array = np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32)
    batch = torch.from_numpy(array)[None, None]
    expected = torch.nn.functional.interpolate(batch, shape, mode="trilinear", align_corners=False)[0, 0].numpy()
    assert resample(array, shape) == pytest.approx(expected, abs=1e-5)
    labels = torch.nn.functional.interpolate(batch, shape, mode="nearest-exact")[0, 0].numpy()
    assert np.array_equal(resample_labels(array, shape), labels)


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
def test_resampling_does_not_depend_on_the_order_in_memory(axes):
    array = np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32)
    other = array.transpose(axes).copy().transpose(np.argsort(axes))[::-1][::-1]
    assert resample(other, (8, 3, 9)) == pytest.approx(resample(array, (8, 3, 9)), abs=1e-5)
    assert resample(other, (5, 6, 7)) == pytest.approx(array, abs=1e-6)


def test_labels_take_the_nearest_centre():
    assert resample_labels(np.arange(3).reshape(3, 1, 1), (6, 1, 1)).ravel().tolist() == [0, 0, 1, 1, 2, 2]
    assert resample_labels(np.arange(6).reshape(6, 1, 1), (2, 1, 1)).ravel().tolist() == [1, 4]


def test_channels_have_mean_0_and_deviation_1_and_come_in_order(tmp_path):
    scan, lesion = brain_and_lesion()
    sequences = ("t1", "t1gd", "t2", "flair")
    scans = {sequence: scan * (number + 1) for number, sequence in enumerate(sequences)}
    for number, sequence in enumerate(sequences):
        scans[sequence][4 + number, 3, 2] = 1e5  # a mark, one place further on in each
    subject = prepare_subject(row_of(tmp_path, scans, lesion), SHAPE)
    assert subject.scans.shape == (*SHAPE, 4) and subject.scans.dtype == np.float32
    assert subject.scans.mean(axis=(0, 1, 2), dtype=np.float64) == pytest.approx(0, abs=1e-5)
    assert subject.scans.std(axis=(0, 1, 2), dtype=np.float64) == pytest.approx(1, abs=1e-5)
    assert subject.scans[:4, 0, 0].argmax(axis=0).tolist() == [0, 1, 2, 3]
    assert subject.mask.dtype == np.uint8 and subject.mask.max() == 1
    voxel_ml = abs(np.linalg.det(AFFINE[:3, :3])) / 1000
    assert subject.lesion_ml == pytest.approx((12 * 5 * 15 + 4 * 2 * 3) * voxel_ml)


def test_channels_are_standardised_after_they_are_stretched(tmp_path):
    """To a quarter of the voxels: noise that was standardised before would have lost most of its deviation."""
    scan, lesion = brain_and_lesion()
    subject = prepare_subject(row_of(tmp_path, scan, lesion), (16, 16, 32))
    assert subject.scans.mean(axis=(0, 1, 2), dtype=np.float64) == pytest.approx(0, abs=1e-5)
    assert subject.scans.std(axis=(0, 1, 2), dtype=np.float64) == pytest.approx(1, abs=1e-5)
    cropped = scan[tuple(slice(*side) for side in BOX)]
    expected = resample(cropped, (16, 16, 32))
    expected = (expected - expected.mean(dtype=float)) / expected.std(dtype=float)
    assert subject.scans[..., 2] == pytest.approx(expected, abs=1e-4)


def test_the_mask_plays_no_part_in_the_crop(tmp_path):
    scan, lesion = brain_and_lesion()
    lesion[0, 0, 0] = 1
    subject = prepare_subject(row_of(tmp_path, scan, lesion), SHAPE)
    assert subject.placement.box == BOX and subject.placement.grid_shape == GRID
    assert subject.lesion_ml == pytest.approx((12 * 5 * 15 + 4 * 2 * 3 + 1) * abs(np.linalg.det(AFFINE[:3, :3])) / 1000)


def test_a_voxel_is_lesion_if_its_probability_exceeds_one_half():
    probability = np.array([0.0, 0.3, 0.49, 0.5, 0.51, 1.0], np.float32).reshape(6, 1, 1)
    back = place_back(probability, Placement(((1, 7), (0, 1), (2, 3)), (8, 1, 4), np.eye(4)))
    assert back.dtype == np.uint8 and back[:, 0, 2].tolist() == [0, 0, 0, 0, 0, 1, 1, 0] and back.sum() == 2


def test_an_image_is_standardised_by_all_its_voxels():
    assert standardise(np.array([0.0, 0, 3, 5], np.float32)) == pytest.approx(np.array([-2, -2, 1, 3]) / 4.5**0.5)


def test_without_a_mask_scans_are_prepared_all_the_same(tmp_path):
    scan, lesion = brain_and_lesion()
    with_mask = prepare_subject(row_of(tmp_path, scan, lesion), SHAPE)
    without = prepare_subject(row_of(tmp_path, scan), SHAPE, with_mask=False)
    assert without.mask is None and np.isnan(without.lesion_ml)
    assert np.array_equal(without.scans, with_mask.scans)


def test_a_constant_image_cannot_be_standardised():
    with pytest.raises(InputError, match="varies; found the value 7 everywhere"):
        standardise(np.full((2, 2, 2), 7.0, np.float32))


SCAN, LESION = brain_and_lesion()
OFF = AFFINE + np.array([[0, 0, 0, 30], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
NAN = SCAN.copy()
NAN[5, 5, 5] = np.nan


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scans": np.zeros(GRID)}, "s1: .*t1.nii.gz: expected an image with non-zero voxels; found only 0"),
        ({"scans": np.full(GRID, 3.0)}, "s1: .*t1.nii.gz: expected an image that varies"),
        ({"scans": NAN}, "s1: .*t1.nii.gz: expected finite voxels"),
        ({"scans": np.stack([SCAN, SCAN], axis=-1)}, "s1: .*t1.nii.gz: expected a 3D volume"),
        ({"scans": {"t1": SCAN, "t1gd": SCAN, "t2": SCAN}}, "s1: expected a FLAIR image in column flair; found none"),
        ({"scans": {"t1": SCAN, "t1gd": SCAN[:-1]}}, r"s1: .*t1gd.nii.gz: expected shape \(38, 24, 53\)"),
        ({"lesion": None}, "s1: expected a lesion mask in column lesion_mask; found none. Segment the lesion"),
        ({"lesion": LESION * 0 + 1}, "s1: .*mask.nii.gz: expected a lesion mask; found a mask of 100 % of the brain"),
        ({"lesion": LESION * 0}, "s1: .*mask.nii.gz: expected a lesion; found an empty mask"),
        ({"lesion": LESION * 2}, r"s1: .*mask.nii.gz: expected a mask with the labels 0, 1, 2, 3, 4; found 8"),
        ({"lesion": LESION * 0.5}, "s1: .*mask.nii.gz: .*; found 0.5"),
        ({"lesion": LESION * -1.0}, "s1: .*mask.nii.gz: .*; found -4, -1"),
        ({"lesion_affine": OFF}, "s1: .*mask.nii.gz: expected the same grid; found a grid displaced by up to 30.0 mm"),
    ],
)
def test_bad_subjects_are_named_with_the_file(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        prepare_subject(row_of(tmp_path, **({"scans": SCAN, "lesion": LESION} | change)), SHAPE)


@pytest.mark.parametrize("sequence", ["t1", "t1gd", "t2", "flair"])
def test_no_sequence_may_have_a_grey_background_unless_it_is_meant(tmp_path, sequence):
    scans = dict.fromkeys(("t1", "t1gd", "t2", "flair"), SCAN) | {sequence: np.where(SCAN == 0, 37, SCAN)}
    row = row_of(tmp_path, scans, LESION)
    with pytest.raises(InputError, match=f"s1: .*{sequence}.nii.gz: .*a background of 37 .*--with-skull"):
        prepare_subject(row, SHAPE)
    assert prepare_subject(row, SHAPE, with_skull=True).placement.box == tuple((0, side) for side in GRID)


@pytest.mark.parametrize(
    "change",
    [lambda m: 255 * m, lambda m: m - 1e-7, lambda m: 0.1 + 0.8 * m],
    ids=["0 and 255", "shifted", "probabilities"],
)
def test_a_mask_means_the_same_however_it_is_stored(tmp_path, change):
    right = prepare_subject(row_of(tmp_path, SCAN, LESION), SHAPE)
    mask = change((LESION != 0).astype(np.float32))
    other = prepare_subject(row_of(tmp_path, SCAN, mask), SHAPE)
    assert np.array_equal(other.mask, right.mask) and other.lesion_ml == right.lesion_ml
    assert right.remarks.thresholded == () and bool(other.remarks.thresholded) == (mask.min() > 0)
    placement = other.placement
    assert np.array_equal(reference_lesion(row_of(tmp_path, SCAN, mask), placement), LESION != 0)


@pytest.mark.parametrize("position", [0, 1])
def test_a_real_patient_at_full_size(real_data, position):
    table, _ = cohorts.read("brats2020-tcga", real_data / "brats20_full")
    row = table[table["t1"] != ""].iloc[position]
    subject = prepare_subject(row, (144, 144, 144))
    assert subject.scans.shape == (144, 144, 144, 4) and subject.placement.grid_shape == (240, 240, 155)
    stored = nibabel.load(row["lesion_mask"])
    back, truth = place_back(subject.mask, subject.placement), np.asarray(stored.dataobj) != 0
    assert back.shape == truth.shape and np.allclose(subject.placement.own_affine, stored.affine)
    assert 2 * (back * truth).sum() / (back.sum() + truth.sum()) > 0.95
