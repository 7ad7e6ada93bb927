"""The slice the network sees, against answers worked out by hand."""

import nibabel
import numpy as np
import pandas as pd
import pytest

from glioma_idh.cohorts.checks.copies import set_copies_aside
from glioma_idh.cohorts.table import COLUMNS, read_table
from glioma_idh.errors import InputError
from glioma_idh.gbm2d import extract_lesion_slice, normalise_intensity, resample_slice
from glioma_idh.gbm2d.preprocessing import prepare_cohort, prepare_subject, read_subject
from tests.conftest import AFFINE, SHAPE, save


def test_median_of_the_brain_becomes_0_and_its_deviation_1():
    image = np.array([0.0, 2, 4, 6, 100])
    brain = np.array([False, True, True, True, False])
    sd = np.sqrt(8 / 3)  # of 2, 4, 6
    assert normalise_intensity(image, brain) == pytest.approx((image - 4) / sd)


def test_scaling_by_the_tumour_mean_first_changes_nothing():
    rng = np.random.default_rng(0)
    image = rng.gamma(5, 40, (12, 12, 12))
    brain, tumour = image > 50, np.zeros(image.shape, bool)
    tumour[4:8, 4:8, 4:8] = True
    scaled = image / image[tumour].mean()
    assert normalise_intensity(scaled, brain) == pytest.approx(normalise_intensity(image, brain), abs=1e-5)


@pytest.mark.parametrize("brain", [np.ones(3, bool), np.zeros(3, bool)])
def test_constant_image_and_empty_brain_are_errors(brain):
    with pytest.raises(InputError, match="varies within the brain; found (the value 7 everywhere|no brain voxel)"):
        normalise_intensity(np.full(3, 7.0), brain)


@pytest.mark.parametrize("code", ["RAS", "LPS", "ASR", "SPL", "IRP", "PIL"])
def test_widest_axial_slice_and_its_rectangle_in_six_orientations(code):
    image = np.arange(10 * 11 * 12, dtype=np.float32).reshape(10, 11, 12) + 1
    mask = np.zeros(image.shape, np.uint8)
    mask[3:5, 4:7, 5] = 1  # 6 voxels
    mask[2:6, 4:7, 8] = 4  # 12 voxels, the widest
    mask[2, 4, 8] = 0
    mask[1, 1:9, 1:4] = 2  # widest in a coronal or sagittal reading
    turn = nibabel.orientations.ornt_transform(
        nibabel.orientations.axcodes2ornt("RAS"), nibabel.orientations.axcodes2ornt(code)
    )
    stored = nibabel.Nifti1Image(image, np.eye(4)).as_reoriented(turn)
    stored_mask = nibabel.Nifti1Image(mask, np.eye(4)).as_reoriented(turn)
    lesion = extract_lesion_slice(stored.get_fdata(), np.asarray(stored_mask.dataobj), stored.affine)
    expected = image[2:6, 4:7, 8].copy()
    expected[0, 0] = 0
    assert lesion.k == 8 and lesion.box == ((2, 6), (4, 7))
    assert np.array_equal(lesion.pixels, expected)


def test_masks_without_an_extent_are_errors():
    image, mask = np.ones((5, 5, 5)), np.zeros((5, 5, 5))
    with pytest.raises(InputError, match="found an empty mask"):
        extract_lesion_slice(image, mask, np.eye(4))
    mask[1:4, 1:4, 2] = 1
    with pytest.raises(InputError, match="a mask on one axial slice only"):
        extract_lesion_slice(image, mask, np.eye(4))
    mask[...] = 0
    mask[1:4, 2, 2:4] = 1
    with pytest.raises(InputError, match="at least 2 x 2 voxels wide"):
        extract_lesion_slice(image, mask, np.eye(4))


def test_resampling_is_that_of_tensorflow_and_keeps_64_pixels_as_they_are():
    import tensorflow as tf

    pixels = np.random.default_rng(0).normal(size=(37, 90)).astype(np.float32)
    reference = tf.image.resize(pixels[..., None], (64, 64), method="bilinear").numpy()[..., 0]
    assert resample_slice(pixels) == pytest.approx(reference, abs=1e-4)
    assert np.array_equal(resample_slice(pixels[:, :37], 37), pixels[:, :37])
    ramp = resample_slice(np.array([[0.0, 1.0], [0.0, 1.0]]), 4)
    assert ramp[0] == pytest.approx([0, 0.25, 0.75, 1])


def test_a_subject_from_disk(make_cohort):
    row = read_table(make_cohort()).iloc[0]
    pixels, lesion_ml, *_ = prepare_subject(row, "t2")
    assert pixels.shape == (64, 64, 1) and pixels.dtype == np.float32
    assert lesion_ml == pytest.approx((8 * 6 * 2 + 8 * 7) * 12 / 1000)
    assert (pixels < 0).all()  # a dark lesion that fills its rectangle


def test_a_given_brain_mask_is_used(make_cohort, tmp_path, edit_table):
    path = make_cohort()
    brain = np.zeros(SHAPE)
    brain[5:11, 4:12, 2:5] = 1  # most of it part of the lesion itself
    edit_table(path, "s00", "brain_mask", save(tmp_path / "brain.nii.gz", brain))
    table = read_table(path)
    given, *_ = prepare_subject(table.iloc[0], "t2")
    assert abs(np.median(given)) < 0.5  # normalised to the lesion, the lesion lies at 0
    assert np.median(prepare_subject(table.iloc[1], "t2")[0]) < -0.5


def bad_subject(tmp_path, scan=None, mask=None, affine=AFFINE):
    rng = np.random.default_rng(0)
    scan = rng.normal(100, 5, SHAPE) if scan is None else scan
    if mask is None:
        mask = np.zeros(SHAPE)
        mask[3:8, 3:8, 2:5] = 1
    row = dict.fromkeys(COLUMNS, "")
    row |= {"subject": "s1", "t2": save(tmp_path / "t2.nii.gz", scan)}
    row |= {"lesion_mask": save(tmp_path / "mask.nii.gz", mask, affine)}
    return pd.Series(row)


NAN_SCAN = np.full(SHAPE, np.nan)
OTHER_GRID = AFFINE + np.array([[0, 0, 0, 30], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
LINE = np.zeros(SHAPE)
LINE[3:8, 3:8, 2] = 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scan": np.full(SHAPE, 5.0)}, "s1: .*t2.nii.gz: expected an image that varies"),
        ({"scan": NAN_SCAN}, "s1: .*t2.nii.gz: expected finite voxels"),
        ({"mask": np.zeros(SHAPE)}, "s1: .*mask.nii.gz: .*found an empty mask"),
        ({"mask": np.ones(SHAPE)}, "s1: .*mask.nii.gz: expected a lesion mask; found a mask of 100 % of the brain"),
        ({"mask": LINE}, "s1: .*mask.nii.gz: .*one axial slice only"),
        ({"affine": OTHER_GRID}, "s1: .*mask.nii.gz: expected the same grid; found a grid displaced by up to 30.0 mm"),
        ({"mask": np.ones((20, 20, 9))}, r"s1: .*mask.nii.gz: expected shape \(20, 20, 8\)"),
    ],
)
def test_bad_scans_name_subject_and_file(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        prepare_subject(bad_subject(tmp_path, **change), "t2")


def test_missing_scan_names_the_subject(tmp_path):
    with pytest.raises(InputError, match="s1: expected a FLAIR image in column flair; found none"):
        prepare_subject(bad_subject(tmp_path), "flair")


def test_one_bad_subject_does_not_stop_the_others(make_cohort, edit_table):
    path = make_cohort(num_subjects=4, num_mutant=2)
    edit_table(path, "s01", "t2", "nowhere.nii.gz")
    table, slices, errors = prepare_cohort(read_table(path), "t2", jobs=1, quiet=True)
    assert table["subject"].tolist() == ["s00", "s02", "s03"] and len(slices) == 3
    assert [error.subject for error in errors] == ["s01"]


def test_the_median_and_not_the_mean_and_the_deviation_of_all_and_not_of_a_sample():
    image = np.array([1.0, 2, 2, 3, 20])
    normalised = normalise_intensity(image, np.ones(5, bool))
    assert normalised == pytest.approx((image - 2) / np.std(image)) and normalised.dtype == np.float32
    outside = normalise_intensity(np.append(image, -7), np.array([True] * 5 + [False]))
    assert outside[-1] == pytest.approx((-7 - 2) / np.std(image))


def test_a_subject_s_slice_step_by_step(make_cohort):
    row = read_table(make_cohort()).iloc[9]
    scan, mask = (nibabel.load(row[name]).get_fdata() for name in ("t2", "lesion_mask"))
    brain = scan[scan != 0]
    rectangle = np.where(mask, (scan - np.median(brain)) / brain.std(), 0)[5:13, 6:13, 3]
    for size in (8, 64):
        pixels, *_ = prepare_subject(row, "t2", size)
        assert pixels.shape == (size, size, 1)
        assert pixels[..., 0] == pytest.approx(resample_slice(rectangle, size), abs=1e-4)


def test_without_a_brain_mask_the_brain_is_where_the_scan_is_not_0_on_either_side_of_it(tmp_path):
    scan = np.indices(SHAPE)[0] - 4  # from below 0 to above it
    assert np.array_equal(read_subject(bad_subject(tmp_path, scan=scan), "t2")[2], scan != 0)


def test_a_given_brain_mask_must_be_on_the_scan_s_grid(make_cohort, tmp_path):
    row = read_table(make_cohort(num_subjects=2, num_mutant=1)).iloc[0].copy()
    row["brain_mask"] = save(tmp_path / "brain.nii.gz", np.ones(SHAPE), OTHER_GRID)
    with pytest.raises(InputError, match="s00: .*expected the same grid; found a grid displaced by up to 30.0 mm"):
        prepare_subject(row, "t2")
    row["brain_mask"] = save(tmp_path / "brain.nii.gz", 2 * (np.indices(SHAPE)[0] < 7))
    assert np.array_equal(read_subject(row, "t2")[2], np.indices(SHAPE)[0] < 7)


def test_a_cohort_of_which_nobody_can_be_read(make_cohort):
    table = read_table(make_cohort(num_subjects=2, num_mutant=1)).assign(t2="nowhere.nii")
    kept, slices, errors = prepare_cohort(table, "t2", 16, jobs=1, quiet=True)
    assert kept.empty and slices.shape == (0, 16, 16, 1) and len(errors) == 2


def test_slices_volumes_and_rows_of_a_cohort_stay_together(make_cohort, edit_table, tmp_path):
    path = make_cohort(num_subjects=4, num_mutant=2)
    edit_table(path, "s00", "t2", "nowhere.nii.gz")
    small = np.zeros(SHAPE)
    small[5:13, 6:12, 2:4] = 1
    edit_table(path, "s02", "lesion_mask", save(tmp_path / "small.nii.gz", small))
    rows = read_table(path)
    table, slices, errors = prepare_cohort(rows, "t2", 16, jobs=1, quiet=True)
    assert table["subject"].tolist() == ["s01", "s02", "s03"] and table.index.tolist() == [0, 1, 2]
    whole = (8 * 6 * 2 + 8 * 7) * 12 / 1000
    assert table["lesion_ml"].tolist() == pytest.approx([whole, 8 * 6 * 2 * 12 / 1000, whole])
    for subject, pixels in zip(table["subject"], slices, strict=True):
        row = rows.set_index("subject", drop=False).loc[subject]
        assert np.array_equal(pixels, prepare_subject(row, "t2", 16)[0])
    assert errors[0].subject == "s00"


def test_the_smallest_lesion_that_can_be_used():
    image, mask = np.arange(125.0).reshape(5, 5, 5), np.zeros((5, 5, 5))
    mask[1:3, 2:4, 2], mask[1, 2, 3] = 1, 1
    lesion = extract_lesion_slice(image, mask, np.eye(4))
    assert lesion.k == 2 and np.array_equal(lesion.pixels, image[1:3, 2:4, 2])


def test_a_scan_that_the_table_does_not_name_is_told_of_the_table(make_cohort, edit_table):
    path = make_cohort(num_subjects=3, num_mutant=1)
    edit_table(path, "s01", "t2", "")
    _, _, errors = prepare_cohort(read_table(path), "t2", jobs=1, quiet=True)
    assert [(error.subject, error.file, error.found) for error in errors] == [("s01", str(path), "none")]


def grey(scan):
    return np.where(scan == 0, 37, scan)


def test_a_subject_with_a_grey_background_is_set_aside_in_a_cohort(make_cohort, edit_table, tmp_path):
    path = make_cohort(num_subjects=3, num_mutant=1)
    scan = nibabel.load(read_table(path)["t2"][1]).get_fdata()
    edit_table(path, "s01", "t2", save(tmp_path / "grey.nii.gz", grey(scan)))
    table, _, (error,) = prepare_cohort(read_table(path), "t2", 16, jobs=1, quiet=True)
    assert table["subject"].tolist() == ["s00", "s02"] and error.subject == "s01"
    assert error.found == "a background of 37 that is not 0" and "glioma-idh prepare" in error.advice
    table, slices, errors = prepare_cohort(read_table(path), "t2", 16, jobs=1, quiet=True, with_skull=True)
    assert not errors and len(slices) == 3
    brain = np.ones(SHAPE, bool)
    assert np.array_equal(read_subject(table.iloc[1], "t2", with_skull=True)[2], brain)


def test_what_must_be_said_of_masks_comes_with_the_cohort(make_cohort, edit_table, tmp_path):
    path = make_cohort(num_subjects=3, num_mutant=1)
    mask = np.zeros(SHAPE)
    mask[2:18, 2:18, 1:4] = 1  # half of the brain
    mask[5, 5, 4] = 1
    edit_table(path, "s01", "lesion_mask", save(tmp_path / "full.nii.gz", mask))
    outside = np.zeros(SHAPE)
    outside[0:4, 4:9, 2:5] = 0.7
    outside[9, 9, 3] = 0.2
    edit_table(path, "s02", "lesion_mask", save(tmp_path / "outside.nii.gz", outside))
    remarks = prepare_cohort(read_table(path), "t2", 16, jobs=1, quiet=True)[0].attrs["remarks"]
    assert [of.subject for of in remarks] == ["s00", "s01", "s02"]
    assert [of.fills_brain for of in remarks] == [False, True, False]
    assert [of.thresholded for of in remarks] == [(), (), ("lesion mask",)]
    assert [of.sentences for of in remarks[:2]] == [(), ()] and "50 % of the lesion" in remarks[2].sentences[0]


def test_of_nobody_there_is_a_table_without_rows(make_cohort):
    nobody = read_table(make_cohort(num_subjects=1)).iloc[:0]
    table, slices, errors = prepare_cohort(nobody, "t2", 16, jobs=1, quiet=True)
    assert list(table) == [*nobody, "lesion_ml"] and table.empty and slices.shape == (0, 16, 16, 1) and errors == []
    table, slices, errors = set_copies_aside(table, slices)
    assert table.empty and slices.shape == (0, 16, 16, 1) and errors == []
