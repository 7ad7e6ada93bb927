"""Masks whose overlap, distances, volumes and parts are known."""

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import binary_erosion
from scipy.spatial.distance import cdist

from glioma_idh.evaluation.segmentation import dice_score, mask_scores, summarise_segmentation


def block(*box, shape=(20, 20, 20)):
    """A mask that is 1 within the box, (start, stop) along each axis."""
    mask = np.zeros(shape, np.uint8)
    mask[tuple(slice(*ends) for ends in box)] = 1
    return mask


def ball(centre, radius, shape=(60, 60, 60)):
    """A mask that is true up to so many voxels from a point."""
    i, j, k = (axis - middle for axis, middle in zip(np.ogrid[tuple(map(slice, shape))], centre, strict=True))
    return i**2 + j**2 + k**2 <= radius**2


def test_dice_by_hand():
    a, b = np.zeros((2, 2, 2)), np.zeros((2, 2, 2))
    assert dice_score(a, b) == 1
    a[0], b[:, 0] = 1, 1
    assert dice_score(a, b) == 0.5


def test_a_block_that_is_shifted_by_a_known_way():
    # Of each surface's 152 voxels of a 6 x 6 x 6 block, the 36 of one face, 24 %, lie 2 voxels of 1.5 mm off.
    reference, predicted = block((4, 10), (4, 10), (4, 10)), block((4, 10), (4, 10), (6, 12))
    scores = mask_scores(predicted, reference, (1, 1, 1.5))
    assert scores["dice"] == pytest.approx(4 / 6) and scores["hd95_mm"] == 3 and scores["volume_error_ml"] == 0
    assert (scores["num_lesions"], scores["num_lesions_found"], scores["num_false_lesions"]) == (1, 1, 0)


def test_distance_of_concentric_balls_is_the_difference_of_their_radii():
    scores = mask_scores(ball((30, 30, 30), 24), ball((30, 30, 30), 18), (0.5, 0.5, 0.5))
    assert scores["hd95_mm"] == pytest.approx(3, abs=0.25)
    assert scores["volume_error_ml"] == pytest.approx(4 / 3 * np.pi * (12**3 - 9**3) / 1000, rel=0.01)


def test_distance_is_the_percentile_of_the_worse_side():
    # One of 21 voxels that are predicted too many lies 100 mm off: beyond the 95th percentile; two of them are not.
    line = block((0, 1), (0, 1), (0, 20), shape=(2, 2, 200))
    one, two = line.copy(), line.copy()
    one[0, 0, 119], two[0, 0, 118:120] = 1, 1
    assert mask_scores(one, line, (1, 1, 1))["hd95_mm"] == 0
    assert mask_scores(two, line, (1, 1, 1))["hd95_mm"] == mask_scores(line, two, (1, 1, 1))["hd95_mm"] > 90


def test_distances_are_those_of_all_pairs():
    random, spacing_mm = np.random.default_rng(0), np.array([1.0, 0.8, 2.5])
    masks = [ball(random.integers(10, 15, 3), radius, (25, 25, 25)) for radius in (5, 8)]
    masks[0] |= ball((20, 20, 4), 3, (25, 25, 25))
    surfaces_mm = [np.argwhere(mask & ~binary_erosion(mask)) * spacing_mm for mask in masks]
    away_mm = cdist(*surfaces_mm)
    expected = max(np.percentile(away_mm.min(axis), 95) for axis in (0, 1))
    assert mask_scores(*masks, spacing_mm)["hd95_mm"] == pytest.approx(expected)


def test_where_the_grid_ends_the_lesion_ends():
    whole = np.ones((6, 6, 6))
    assert mask_scores(whole, block((2, 4), (2, 4), (2, 4), shape=(6, 6, 6)), (1, 1, 1))["hd95_mm"] > 2


def test_empty_masks():
    empty, full = np.zeros((5, 5, 5)), np.ones((5, 5, 5))
    both = mask_scores(empty, empty, (10, 10, 10))
    assert (both["dice"], both["hd95_mm"], both["volume_error_ml"], both["num_lesions"]) == (1, 0, 0, 0)
    for predicted, reference, error_ml, counts in ((full, empty, 125, (0, 0, 1)), (empty, full, -125, (1, 0, 0))):
        one = mask_scores(predicted, reference, (10, 10, 10))
        assert one["dice"] == 0 and np.isnan(one["hd95_mm"]) and one["volume_error_ml"] == error_ml
        assert (one["num_lesions"], one["num_lesions_found"], one["num_false_lesions"]) == counts


def test_lesions_are_counted_from_a_twentieth_of_a_millilitre_on():
    # At 1 mm, 50 voxels. Parts that touch by a corner are one.
    reference = block((0, 2), (0, 5), (0, 5)) | block((2, 4), (5, 10), (5, 10)) | block((10, 12), (0, 5), (0, 5))
    reference |= block((18, 20), (18, 20), (18, 20))  # 8 voxels: too small to be sought
    predicted = block((1, 2), (4, 5), (0, 1)) | block((14, 16), (0, 5), (15, 20)) | block((6, 7), (16, 20), (16, 20))
    scores = mask_scores(predicted, reference, (1, 1, 1))
    assert (scores["num_lesions"], scores["num_lesions_found"], scores["num_false_lesions"]) == (2, 1, 1)
    assert mask_scores(predicted, reference, (1, 1, 0.9))["num_lesions"] == 1  # the part of 50 voxels has 0.045 ml


def test_masks_of_two_shapes_are_no_pair():
    with pytest.raises(ValueError, match=r"masks of one shape.*\(2, 2, 2\) and \(2, 2, 3\)"):
        mask_scores(np.zeros((2, 2, 2)), np.zeros((2, 2, 3)), (1, 1, 1))


def test_a_lesion_in_a_whole_head_is_one_lesion():
    reference, predicted = (ball((i, 50, 35), radius, shape=(120, 120, 78)) for i, radius in ((40, 20), (42, 19)))
    scores = mask_scores(predicted, reference, (2, 2, 2))
    assert (scores["num_lesions"], scores["num_lesions_found"], scores["num_false_lesions"]) == (1, 1, 0)


TABLE = pd.DataFrame(
    {
        "subject": ["a1", "a2", "b", "c", "c"],
        "patient": ["a", "a", "b", "c", "c"],
        "dice": [0.9, 0.7, 0.0, 0.5, 0.7],
        "hd95_mm": [2.0, 4.0, np.nan, 6.0, 8.0],
        "lesion_ml": [10.0, 20.0, 5.0, 30.0, 30.0],
        "predicted_ml": [12.0, 16.0, 0.0, 30.0, 32.0],
        "num_lesions": [1, 1, 2, 3, 3],
        "num_lesions_found": [1, 1, 0, 2, 3],
        "num_false_lesions": [0, 1, 0, 0, 2],
    }
)


def test_summary_by_hand():
    summary = summarise_segmentation(TABLE)
    assert summary["dice"].value == pytest.approx((0.9 + 0.7 + 0 + 0.6) / 4)  # c: mean of its two rows
    assert summary["hd95_mm"].value == pytest.approx((2 + 4 + 7) / 3)
    assert summary["volume_error_ml"].value == pytest.approx((2 - 4 - 5 + 1) / 4)
    assert summary["absolute_volume_error_ml"].value == pytest.approx((2 + 4 + 5 + 1) / 4)
    assert summary["lesions_found"].value == pytest.approx((1 + 1 + 0 + 2.5) / 7)
    assert summary["false_lesions"].value == pytest.approx((0 + 1 + 0 + 1) / 4)
    assert summary["num_subjects"] == 4 and summary["num_without_hd95"] == 1


def test_a_subject_of_three_tests_has_their_mean():
    tests = TABLE[TABLE["subject"] == "b"].assign(dice=0.1, hd95_mm=9.0, predicted_ml=14.0, num_false_lesions=3)
    summary = summarise_segmentation(pd.concat([TABLE[TABLE["subject"] == "b"], tests, tests]))
    assert summary["dice"].value == pytest.approx(0.2 / 3) and summary["hd95_mm"].value == 9
    assert summary["volume_error_ml"].value == pytest.approx((-5 + 9 + 9) / 3)
    assert summary["absolute_volume_error_ml"].value == pytest.approx((5 + 9 + 9) / 3)
    assert summary["false_lesions"].value == 2 and summary["num_subjects"] == 1


def test_patients_are_drawn_with_all_their_scans():
    # Three patients: each of 27 draws of one has a chance of 1 in 27, more than 2.5 %, so that the ends are these.
    dice = summarise_segmentation(TABLE)["dice"]
    assert (dice.low, dice.high) == pytest.approx((0, 0.8))


def test_summary_of_what_is_there():
    assert summarise_segmentation(TABLE[["subject", "patient", "lesion_ml"]]) == {}
    summary = summarise_segmentation(TABLE[["subject", "patient", "dice"]].assign(lesion_ml=3.0))
    assert set(summary) == {"dice", "num_subjects"}
    one = summarise_segmentation(TABLE[TABLE["patient"] == "b"])
    assert one["dice"].reason == "cannot be computed, because there is only one patient"
    assert one["hd95_mm"].reason == "cannot be computed, because one mask of each pair is empty"
    assert one["num_without_hd95"] == 1
