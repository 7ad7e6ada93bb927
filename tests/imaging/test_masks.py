"""What the values of a mask mean, and how a lesion lies in the brain: by hand."""

import nibabel
import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.masks import THRESHOLDED, LesionFacts, mask_hash, measure_lesion, parse_labels, read_mask
from glioma_idh.imaging.volumes import read_volume


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0, 1, 2, 4], [0, 1, 2, 4]),
        ([0, 3, 3, 0], [0, 3, 3, 0]),
        ([-1e-7, 1 - 9e-4, 2 + 9e-4, 4], [0, 1, 2, 4]),  # slope and intercept round
        ([0, 255, 255, 0], [0, 255, 255, 0]),
        ([0, 1000, 1000, 0], [0, 1, 1, 0]),
        ([0, 1 / 255, 1 / 255, 0], [0, 1, 1, 0]),
        ([0, 0.3, 0.3, 0], [0, 1, 1, 0]),
        ([-1, 4, 4, -1], [0, 4, 4, 0]),  # the lower of two is the background
        ([1, 1, 1, 1], [1, 1, 1, 1]),
        ([0, 0, 0, 0], [0, 0, 0, 0]),
    ],
)
def test_integers_within_a_thousandth_and_one_value_beside_0_are_labels(values, labels):
    found, remark = parse_labels(np.array(values, np.float32))
    assert found.tolist() == labels and found.dtype == np.uint8 and remark == ""
    if all(float(value).is_integer() for value in values):
        assert parse_labels(np.array(values, np.int16))[0].tolist() == labels


def test_fractions_from_0_to_1_are_probabilities_inside_from_a_half_on():
    labels, remark = parse_labels(np.array([0, 0.2, 0.49, 0.5, 0.7, 1]))
    assert labels.tolist() == [0, 0, 0, 1, 1, 1] and labels.dtype == np.uint8 and remark == THRESHOLDED
    assert "0.5" in THRESHOLDED


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([0, 1, 5], "5"),
        ([0, 0.5, 2], "0.5"),
        ([0, 1, 1.002], "1.002"),
        ([0, -1, -4], "-4, -1"),
        ([0, -1], "-1"),
        ([0, -0.2, 0.7], "-0.2, 0.7"),
        ([0, *range(100, 108)], "100, 101, 102, 103, 104 and 3 more up to 107"),
    ],
)
def test_anything_else_is_refused_with_the_values(values, found):
    with pytest.raises(InputError, match="expected a mask with the labels") as raised:
        parse_labels(np.array(values, np.float64), "mask.nii.gz")
    assert raised.value.found == found and raised.value.file == "mask.nii.gz"


@pytest.mark.parametrize("order", ["C", "K"])
def test_a_file_with_slope_and_intercept_holds_the_labels_that_it_stands_for(tmp_path, order):
    labels = np.zeros((4, 5, 6))
    labels[1:3, 1:4, 2:5], labels[1, 1, 2] = 1, 4
    image = nibabel.Nifti1Image(labels, np.diag([-1.0, 1, 1, 1]))
    image.set_data_dtype(np.int16)  # nibabel finds slope and intercept; the background comes back as -1e-7 or so
    nibabel.save(image, tmp_path / "mask.nii.gz")
    mask = read_mask(tmp_path / "mask.nii.gz", order)
    assert np.array_equal(mask.array, labels[::-1]) and mask.array.dtype == np.uint8 and mask.remark == ""


def test_a_lesion_is_measured_in_the_brain():
    lesion, brain = np.zeros((4, 5, 10)), np.zeros((4, 5, 10), bool)
    brain[:, :, :5], lesion[0, 0], lesion[1, 0] = True, 1, 4  # 20 voxels of lesion, 10 of them in the brain of 100
    facts = measure_lesion(lesion, brain, 2.0)
    assert (facts.volume_ml, facts.share_outside, facts.share_of_brain) == (40, 0.5, 0.1)


@pytest.mark.parametrize(
    ("num_inside", "num_outside", "words"),
    [(99, 1, []), (98, 2, ["2 % of the"]), (401, 0, ["of 401 ml"]), (400, 0, []), (400, 100, ["500", "20 %"])],
)
def test_more_than_400_ml_and_a_hundredth_outside_the_brain_are_said(num_inside, num_outside, words):
    brain, lesion = np.repeat([True, False], 1000), np.zeros(2000)
    lesion[:num_inside] = lesion[1000 : 1000 + num_outside] = 1
    remarks = measure_lesion(lesion, brain, 1.0).remarks().values()
    assert len(remarks) == len(words) and all(word in remark for word, remark in zip(words, remarks, strict=True))


@pytest.mark.parametrize(
    ("volume_ml", "share_outside", "share_of_brain", "found"),
    [
        (140, 0, 0.96, ""),  # a crop around a lesion
        (140, 0, 0.995, "a mask of 100 % of the brain (140 ml)"),
        (400, 0, 0.95, ""),
        (401, 0, 0.91, "a mask of 91 % of the brain (401 ml)"),
        (401, 0, 0.89, ""),
        (801, 0, 0.4, "a mask of 40 % of the brain (801 ml)"),  # of a head with its skull
        (9, 0.5, 0.1, ""),
        (9, 0.51, 0.1, "a mask of which 51 % lie outside the brain"),
    ],
)
def test_masks_that_can_be_of_no_lesion(volume_ml, share_outside, share_of_brain, found):
    assert LesionFacts(volume_ml, share_outside, share_of_brain).why_no_lesion() == found


@pytest.mark.parametrize("folder", ["brats20_mini", "brats20_full"])
def test_every_real_mask_can_be_of_a_lesion(real_data, folder):
    for file in sorted(real_data.glob(f"{folder}/*/*/*_seg.nii*"))[::4]:
        scan = next(file.parent.glob("*_flair.nii*"))
        mask = read_mask(file)
        assert measure_lesion(mask.array, read_volume(scan).array != 0, mask.voxel_ml).why_no_lesion() == "", file


def test_a_mask_is_known_by_the_voxels_that_it_marks():
    mask = np.zeros((4, 5, 6), np.uint8)
    mask[1:3, 2:4, 2] = 1
    assert mask_hash(mask) == mask_hash(4 * mask) == mask_hash(np.asfortranarray(mask)) == mask_hash(mask * 0.5)
    others = [np.roll(mask, 1, axis) for axis in range(3)] + [mask.reshape(5, 4, 6), mask[:, :, :5]]
    assert len({mask_hash(other) for other in (mask, *others)}) == 6 and len(mask_hash(mask)) == 16
    assert mask_hash(0 * mask) == ""


@pytest.mark.parametrize(("num_lesion", "fills"), [(50, False), (51, True)])
def test_more_than_half_of_the_brain_is_full(num_lesion, fills):
    lesion = np.arange(200) < num_lesion
    assert measure_lesion(lesion, np.arange(200) < 100, 1.0).fills_brain == fills


@pytest.mark.parametrize("name", ["right", "shifted", "probability"])
def test_real_masks_mean_the_same_however_they_are_stored(real_data, name):
    folder = real_data.parent / "cases" / "masks"
    mask = read_mask(folder / f"mask_{name}.nii.gz")
    volume_ml = np.count_nonzero(mask.array) * mask.voxel_ml
    assert volume_ml == pytest.approx(74.4, abs=0.05) or (name == "probability" and mask.remark == THRESHOLDED)
    assert bool(mask.remark) == (name == "probability")


def test_probabilities_below_a_half_alone_are_no_empty_mask():
    told = "m.nii: expected a mask that marks voxels; found probabilities of at most 0.3, below the threshold of 0.5"
    with pytest.raises(InputError, match=told):
        parse_labels(np.array([0, 0.1, 0.3]), "m.nii")
    assert parse_labels(np.array([0, 0.1, 0.5]))[0].tolist() == [0, 0, 1]
