"""Class balancing and rotation of the training set. Random numbers are drawn apart from where they are applied.

Rotation is the paper's only augmentation: no flip, shift, crop, colour or noise, since shape carries information.
"""

import itertools
from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from glioma_idh.quiet_keras import keras


def balanced_indices(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Oversample the smaller class: indices with equally many subjects of both classes, each subject at least once.

    Subjects of the smaller class are repeated as evenly as possible; `rng` draws those that are repeated once more.
    Returns shape (2 * size of the larger class,).
    """
    classes = [np.flatnonzero(labels == label) for label in (0, 1)]
    size = max(len(members) for members in classes)
    return np.concatenate([np.resize(rng.permutation(members), size) for members in classes])


def rotate_slice(image: np.ndarray, angle_deg: float) -> np.ndarray:
    """Rotate about the centre with bilinear interpolation; edge values are repeated outside.

    A positive angle turns the first axis towards the second.
    """
    return ndimage.rotate(image, angle_deg, axes=(1, 0), order=1, mode="nearest", reshape=False)


def rotate_batch(images: np.ndarray, angles_deg: np.ndarray) -> np.ndarray:
    """Rotate each slice by its own angle, as Keras' `RandomRotation` does; equals `rotate_slice` to within 1e-4."""
    sin, cos = np.sin(np.deg2rad(angles_deg)), np.cos(np.deg2rad(angles_deg))
    y, x = (np.array(images.shape[1:3]) - 1) / 2
    zero = np.zeros_like(sin)
    transform = np.stack([cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos, zero, zero], axis=1)
    rotated = keras.ops.image.affine_transform(
        images, transform.astype(np.float32), interpolation="bilinear", fill_mode="nearest", data_format="channels_last"
    )
    return keras.ops.convert_to_numpy(rotated)


def training_batches(
    slices: np.ndarray,
    labels: np.ndarray,
    batch_size: int,
    rotation_deg: tuple[float, float],
    seed: list[int],
    epoch: int,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield batches (slices, one-hot labels) of the balanced, rotated training set without end, from an epoch on.

    Order and angles depend on (seed, epoch) alone, so that a resumed training sees the same batches. The first epoch is
    0. The last batch of an epoch may be smaller. Angles are uniform between the two of `rotation_deg`.
    """
    targets = np.eye(2, dtype=np.float32)[labels]
    for current in itertools.count(epoch):
        rng = np.random.default_rng([*seed, current])
        chosen = rng.permutation(balanced_indices(labels, rng))
        rotated = rotate_batch(slices[chosen], rng.uniform(*rotation_deg, len(chosen)))
        for start in range(0, len(chosen), batch_size):
            stop = start + batch_size
            yield rotated[start:stop], targets[chosen[start:stop]]


class ImageDataGenerator:
    """The Keras generator of the same name, with rotation as the only transformation.

    For a symmetric range of angles and the same seed, batches equal those of
    `tf.keras.preprocessing.image.ImageDataGenerator` in every pixel. That class is deprecated and depends on a part of
    SciPy that will be removed.

    The default is the paper's range, 0 to 90 degrees; Keras' `rotation_range=90` would draw from -90 to 90.

    Args:
        rotation_deg: lowest and highest angle, degrees.
    """

    def __init__(self, rotation_deg: tuple[float, float] = (0.0, 90.0)):
        self.rotation_deg = rotation_deg

    def flow(
        self, x: np.ndarray, y: np.ndarray, batch_size: int = 32, shuffle: bool = True, seed: int | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield batches of rotated slices and their labels (shape (n, ...)) without end.

        The last batch of an epoch may be smaller. With `shuffle` each epoch has a new order. `seed` determines order
        and angles.
        """
        x, y = np.asarray(x, dtype=np.float32), np.asarray(y)
        seed = int(np.random.SeedSequence().generate_state(1)[0] % 2**31) if seed is None else seed
        num_batches = -(-len(x) // batch_size)
        batch = 0
        while True:
            random = np.random.RandomState(seed + batch)
            if batch % num_batches == 0:
                order = random.permutation(len(x)) if shuffle else np.arange(len(x))
            start = batch % num_batches * batch_size
            chosen, rotated = order[start : start + batch_size], []
            for i in chosen:
                rotated.append(rotate_slice(x[i], random.uniform(*self.rotation_deg)))
                random.random(2)  # the Keras class draws two numbers for flips here, even if flips are off
            yield np.stack(rotated), y[chosen]
            batch += 1
