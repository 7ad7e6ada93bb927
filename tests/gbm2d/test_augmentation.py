"""Rotation and balance, against Keras' own classes and counts worked out by hand."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from glioma_idh.gbm2d import augmentation
from glioma_idh.gbm2d.augmentation import (
    ImageDataGenerator,
    balanced_indices,
    rotate_batch,
    rotate_slice,
    training_batches,
)

RNG = np.random.default_rng(0)
SLICES = RNG.normal(size=(21, 64, 64, 1)).astype(np.float32)


@pytest.mark.parametrize("shuffle", [True, False])
def test_generator_equals_the_legacy_one_to_the_bit(shuffle):
    labels = np.arange(21)
    legacy = tf.keras.preprocessing.image.ImageDataGenerator(rotation_range=90)
    legacy = legacy.flow(SLICES, labels, batch_size=8, shuffle=shuffle, seed=3)
    ours = ImageDataGenerator((-90, 90)).flow(SLICES, labels, batch_size=8, shuffle=shuffle, seed=3)
    for _ in range(7):  # two epochs of batches of 8, 8, 5, and one more
        (x, y), (expected_x, expected_y) = next(ours), next(legacy)
        assert np.array_equal(y, expected_y) and np.array_equal(x, expected_x)


def test_the_range_of_the_paper_is_0_to_90(monkeypatch):
    angles = []
    monkeypatch.setattr(augmentation, "rotate_slice", lambda image, angle_deg: angles.append(angle_deg) or image)
    next(ImageDataGenerator().flow(np.zeros((1000, 1, 1, 1)), np.zeros(1000), 1000, seed=0))
    assert 0 <= min(angles) < 0.5 and 89.5 < max(angles) <= 90


def test_a_quarter_turn_moves_every_pixel_to_its_place():
    image = np.arange(16, dtype=np.float32).reshape(4, 4, 1)
    assert np.array_equal(rotate_slice(image, 0), image)
    assert rotate_slice(image, 90) == pytest.approx(np.rot90(image), abs=1e-4)
    assert rotate_batch(image[None], np.array([90.0]))[0] == pytest.approx(np.rot90(image), abs=1e-4)


def test_whole_batches_equal_single_slices_and_keras_random_rotation():
    angles_deg = RNG.uniform(-90, 90, len(SLICES))
    single = np.stack([rotate_slice(image, angle) for image, angle in zip(SLICES, angles_deg, strict=True)])
    assert rotate_batch(SLICES, angles_deg) == pytest.approx(single, abs=1e-4)
    layer = keras.layers.RandomRotation((0, 0.25), fill_mode="nearest")
    drawn = layer.get_random_transformation(SLICES)
    expected = np.array(layer.transform_images(SLICES, drawn))
    assert rotate_batch(SLICES, np.array(drawn["angle"])) == pytest.approx(expected, abs=1e-4)


def test_balance_repeats_the_smaller_class_evenly():
    labels = np.array([0] * 10 + [1] * 4)
    counts = np.bincount(balanced_indices(labels, np.random.default_rng(1)), minlength=14)
    assert counts[:10].tolist() == [1] * 10
    assert sorted(counts[10:]) == [2, 2, 3, 3]


def epochs(first, number, labels):
    batches = training_batches(SLICES, labels, 16, (0.0, 90.0), [5, 0], epoch=first)
    return list(itertools.islice(batches, 2 * number))  # 26 balanced slices are 2 batches


def test_an_epoch_is_balanced_and_rotated():
    labels = np.array([0] * 13 + [1] * 8)
    batches = epochs(0, 1, labels)
    assert [len(x) for x, _ in batches] == [16, 10]
    assert sum(y.sum(axis=0) for _, y in batches).tolist() == [13, 13]
    assert not any(np.array_equal(image, SLICES[0]) for image in batches[0][0])


def test_a_resumed_epoch_sees_what_it_would_have_seen():
    labels = np.array([0] * 13 + [1] * 8)
    for (x, y), (resumed_x, resumed_y) in zip(epochs(0, 4, labels)[6:], epochs(3, 1, labels), strict=True):
        assert np.array_equal(x, resumed_x) and np.array_equal(y, resumed_y)
    assert not np.array_equal(epochs(0, 1, labels)[0][0], epochs(1, 1, labels)[0][0])


def test_balance_draws_who_stands_once_more():
    labels = np.array([0] * 10 + [1] * 4)
    twice = {tuple(np.bincount(balanced_indices(labels, np.random.default_rng(n)))[10:]) for n in range(20)}
    assert len(twice) > 3
    few_wild_type = np.bincount(balanced_indices(1 - labels, np.random.default_rng(0)))
    assert few_wild_type[:10].tolist() == [1] * 10 and few_wild_type[10:].sum() == 10


@pytest.mark.parametrize("angle_deg", [30.0, -50.0])
def test_a_slice_that_is_wider_than_high_turns_about_its_centre(angle_deg):
    image = np.arange(35, dtype=np.float32).reshape(5, 7, 1)
    turned = rotate_batch(np.stack([image, image[::-1]]), np.array([angle_deg, 0.0]))
    assert turned[0] == pytest.approx(rotate_slice(image, angle_deg), abs=1e-3)
    assert turned[0][2, 3] == pytest.approx(image[2, 3], abs=1e-3)
    assert np.array_equal(turned[1], image[::-1])


def test_slices_keep_their_labels_and_angles_span_the_range():
    labels = np.array([0] * 13 + [1] * 8)
    plain = SLICES[:, :2, :2] * 0 + np.arange(21, dtype=np.float32)[:, None, None, None]  # a constant stays under turns
    first = next(training_batches(plain, labels, 26, (0.0, 90.0), [1], 0))
    numbers = first[0][:, 0, 0, 0].round().astype(int)
    assert set(numbers) == set(range(21)) and not np.array_equal(numbers, np.sort(numbers))
    assert np.array_equal(first[1], np.eye(2)[labels[numbers]])
    angles_deg = [recorded_angles(seed, labels) for seed in (1, 1, 2)]
    assert np.array_equal(angles_deg[0], angles_deg[1]) and not np.array_equal(angles_deg[0], angles_deg[2])
    assert -30 <= angles_deg[0].min() < -10 and 40 < angles_deg[0].max() <= 60


def recorded_angles(seed, labels):
    kept = []
    with pytest.MonkeyPatch.context() as patch:
        rotate = lambda images, angles_deg: kept.append(angles_deg) or images  # noqa: E731
        patch.setattr("glioma_idh.gbm2d.augmentation.rotate_batch", rotate)
        next(training_batches(SLICES, labels, 16, (-30.0, 60.0), [seed], 0))
    return kept[0]


def test_the_generator_without_a_seed_draws_another_each_time():
    batches = [next(ImageDataGenerator((-90, 90)).flow(SLICES, np.arange(21), 8))[1].tolist() for _ in range(2)]
    assert batches[0] != batches[1]
