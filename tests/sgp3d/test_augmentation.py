"""Shift and flip, followed by one marked voxel."""

import itertools

import numpy as np
import pytest

from glioma_idh.sgp3d import Augmentation, augment, draw_augmentation
from glioma_idh.sgp3d.augmentation import random_mask, steps_per_epoch, training_batches

SHAPE = (10, 20, 30)


def marked(i, j, k):
    image, mask = np.zeros((*SHAPE, 4), np.float32), np.zeros(SHAPE, np.uint8)
    image[i, j, k] = [1, 2, 3, 4]
    mask[i, j, k] = 1
    return image, mask


@pytest.mark.parametrize(
    ("movement", "place"),
    [
        (Augmentation(), (2, 5, 7)),
        (Augmentation(flip=(True, False, False)), (7, 5, 7)),
        (Augmentation(flip=(False, True, True)), (2, 14, 22)),
        (Augmentation(shift=(1, -2, 3)), (3, 3, 10)),
        (Augmentation(flip=(True, False, True), shift=(1, -2, 3)), (8, 3, 25)),
    ],
)
def test_image_and_mask_go_to_the_same_place(movement, place):
    image, mask = (augment(array, movement) for array in marked(2, 5, 7))
    assert image[place].tolist() == [1, 2, 3, 4] and mask[place] == 1
    assert image.sum() == 10 and mask.sum() == 1


@pytest.mark.parametrize("shift", [(3, 0, -5), (-4, 2, 1), (0, 0, 0)])
def test_what_is_shifted_out_is_gone_and_the_edge_goes_on_where_nothing_comes_in(shift):
    image = np.random.default_rng(0).random((*SHAPE, 2))
    pad = [(max(step, 0), max(-step, 0)) for step in shift] + [(0, 0)]
    kept = tuple(slice(max(-step, 0), n - max(step, 0)) for step, n in zip(shift, SHAPE, strict=True))
    expected = np.pad(image[kept], pad, mode="edge")
    assert np.array_equal(augment(image, Augmentation(shift=shift)), expected)
    assert np.array_equal(augment(image[..., 0], Augmentation(shift=shift)), expected[..., 0])


def test_out_is_filled_and_the_original_kept():
    image, _ = marked(2, 5, 7)
    out = np.full_like(image, 9)
    assert augment(image, Augmentation((True, False, False), (0, 1, 0)), out) is out
    assert out[7, 6, 7, 0] == 1 and out.sum() == 10 and image[2, 5, 7, 0] == 1


def test_tosses_and_reach_are_the_paper_s_and_ours():
    rng = np.random.default_rng(0)
    drawn = [draw_augmentation(rng, SHAPE) for _ in range(4000)]
    flips, shifts = np.array([movement.flip for movement in drawn]), np.array([movement.shift for movement in drawn])
    assert flips.mean(axis=0) == pytest.approx([0.25] * 3, abs=0.03)  # half of half
    assert flips.any(axis=1).mean() == pytest.approx(0.5 * 7 / 8, abs=0.03)
    moved = shifts.any(axis=1)
    assert moved.mean() == pytest.approx(0.5 * (1 - 1 / (3 * 5 * 7)), abs=0.03)
    assert shifts.min(axis=0).tolist() == [-1, -2, -3] and shifts.max(axis=0).tolist() == [1, 2, 3]
    assert np.corrcoef(moved, flips.any(axis=1))[0, 1] == pytest.approx(0, abs=0.05)


def test_the_same_seed_draws_the_same_and_no_probability_nothing():
    one, other = (draw_augmentation(np.random.default_rng(3), SHAPE) for _ in range(2))
    assert one == other
    assert draw_augmentation(np.random.default_rng(3), SHAPE, probability=0) == Augmentation()


def cohort(number):
    """Noise masks; of each scan channel 0 tells the subject, channel 2 is the mask, the others are noise."""
    rng = np.random.default_rng(0)
    masks = [rng.integers(0, 2, (16, 16, 16)).astype(np.uint8) for _ in range(number)]
    scans = [rng.normal(size=(16, 16, 16, 4)).astype(np.float32) for _ in range(number)]
    for subject, (scan, mask) in enumerate(zip(scans, masks, strict=True)):
        scan[..., 0], scan[..., 2] = subject, mask
    return scans, masks, np.arange(number) % 2


def test_batches_are_full_hold_everyone_and_keep_image_mask_and_label_together():
    scans, masks, idh = cohort(5)
    batches = list(itertools.islice(training_batches(scans, masks, idh, 2, [0, 1], 0), steps_per_epoch(5, 2)))
    subjects = [int(image[..., 0].max()) for images, _ in batches for image in images]
    assert len(subjects) == 6 and sorted(set(subjects)) == [0, 1, 2, 3, 4] and subjects[-1] == subjects[0]
    moved = [
        not np.array_equal(image[..., 2], masks[int(image[0, 0, 0, 0])]) for images, _ in batches for image in images
    ]
    assert any(moved)
    for images, truth in batches:
        assert images.shape == (2, 16, 16, 16, 4) and truth["segmentation"].dtype == np.uint8
        assert np.array_equal(images[..., 2], truth["segmentation"])
        assert truth["idh"].tolist() == [image[0, 0, 0, 0] % 2 for image in images]


def test_batches_are_moved_as_often_and_as_far_as_asked():
    scans, masks, idh = cohort(8)

    def moved(probability, shift_fraction):
        images, _ = next(training_batches(scans, masks, idh, 8, [0], 0, probability, shift_fraction))
        return [(image, scans[int(image[0, 0, 0, 0])]) for image in images]

    assert all(np.array_equal(image, scan) for image, scan in moved(0, 0.5))
    flips = [axes for count in range(4) for axes in itertools.combinations((0, 1, 2), count)]
    used = [next(axes for axes in flips if np.array_equal(image, np.flip(scan, axes))) for image, scan in moved(1, 0)]
    assert len(set(used)) >= 3  # each subject its own, of eight
    repeated = [(image[:-1] == image[1:]).all(axis=(1, 2, 3)).sum() for image, _ in moved(1, 0.5)]
    assert 2 <= max(repeated) <= 8  # edges that go on: farther than a tenth, half the side at most


def test_order_and_movements_follow_from_seed_and_epoch():
    scans, masks, idh = cohort(6)
    batches = {
        (*seed, epoch): next(training_batches(scans, masks, idh, 6, list(seed), epoch))[0]
        for seed, epoch in (((0, 1), 0), ((0, 1), 1), ((0, 2), 0), ((1, 1), 0))
    }
    orders = {key: tuple(images[:, 0, 0, 0, 0]) for key, images in batches.items()}
    assert len(set(orders.values())) == 4
    assert all(sorted(order) == [0, 1, 2, 3, 4, 5] for order in orders.values())


@pytest.mark.parametrize(("subjects", "batch_size", "steps"), [(5, 2, 3), (4, 2, 2), (1, 2, 1), (7, 1, 7)])
def test_the_last_batch_of_an_epoch_counts_whole(subjects, batch_size, steps):
    assert steps_per_epoch(subjects, batch_size) == steps


def test_a_shift_reaches_no_farther_than_its_share_of_an_axis():
    rng = np.random.default_rng(0)
    shifts = np.array([draw_augmentation(rng, (19, 29, 9), 1.0).shift for _ in range(300)])
    assert np.abs(shifts).max(axis=0).tolist() == [1, 2, 0]  # of 1.9, 2.9 and 0.9 voxels
    shifts = np.array([draw_augmentation(rng, (20, 10, 40), 1.0, 0.25).shift for _ in range(600)])
    assert shifts.min(axis=0).tolist() == [-5, -2, -10] and shifts.max(axis=0).tolist() == [5, 2, 10]


def test_an_epoch_is_the_same_whether_training_was_resumed_or_not():
    scans, masks, idh = cohort(5)
    straight = itertools.islice(training_batches(scans, masks, idh, 2, [0, 1], 0), 3, 6)
    resumed = itertools.islice(training_batches(scans, masks, idh, 2, [0, 1], 1), 3)
    for (one, _), (other, _) in zip(straight, resumed, strict=True):
        assert np.array_equal(one, other)


def test_random_masks_are_a_coin_a_voxel_and_the_same_each_time():
    mask = random_mask(4, (32, 32, 32), [0])
    assert mask.mean() == pytest.approx(0.5, abs=0.01) and set(np.unique(mask)) == {0, 1}
    assert np.array_equal(mask, random_mask(4, (32, 32, 32), [0]))
    for other in (random_mask(5, (32, 32, 32), [0]), random_mask(4, (32, 32, 32), [1])):
        assert (mask != other).mean() == pytest.approx(0.5, abs=0.01)
