"""Balance and rotation: the training set only. Random numbers are drawn here and applied here, apart.

Rotation is the paper's only augmentation: no flip, shift, crop, colour or noise, since shape carries signal.
"""

import itertools

import numpy as np
from scipy import ndimage

from glioma_idh.quiet_keras import keras


def balanced_indices(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Indices in which both classes stand equally often, each at least once: shape (2 * size of the larger class,).

    The smaller one's subjects are repeated as evenly as can be; `rng` draws who stands once more than others.
    """
    classes = [np.flatnonzero(labels == label) for label in (0, 1)]
    size = max(len(members) for members in classes)
    return np.concatenate([np.resize(rng.permutation(members), size) for members in classes])


def rotate_slice(image: np.ndarray, angle_deg: float) -> np.ndarray:
    """Rotate about the centre, bilinear, edges continued; a positive angle turns the first axis towards the second."""
    return ndimage.rotate(image, angle_deg, axes=(1, 0), order=1, mode="nearest", reshape=False)


def rotate_batch(images: np.ndarray, angles_deg: np.ndarray) -> np.ndarray:
    """As `rotate_slice`, to 1e-4, of many slices, each by its own angle: what Keras' `RandomRotation` does inside."""
    sin, cos = np.sin(np.deg2rad(angles_deg)), np.cos(np.deg2rad(angles_deg))
    y, x = (np.array(images.shape[1:3]) - 1) / 2
    zero = np.zeros_like(sin)
    transform = np.stack([cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos, zero, zero], axis=1)
    rotated = keras.ops.image.affine_transform(
        images, transform.astype(np.float32), interpolation="bilinear", fill_mode="nearest", data_format="channels_last"
    )
    return keras.ops.convert_to_numpy(rotated)


def training_batches(slices, labels, batch_size: int, rotation_deg: tuple[float, float], seed: list[int], epoch: int):
    """Endless batches (slices, one-hot labels) of the balanced training set, at angles between lowest and highest.

    Order and angles of an epoch, 0 being the first, depend on (seed, epoch) alone, so a resumed training sees what it
    would have seen. The last batch of an epoch may be smaller.
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
    """Keras' generator of that name with rotation as the only transformation.

    Batches, and every pixel in them, equal those of `tf.keras.preprocessing.image.ImageDataGenerator` for the same
    seed where the range of angles, lowest and highest, is symmetric. That class is deprecated and leans on a part of
    SciPy that goes away.

    Differs from the paper: nothing; Keras' `rotation_range=90` draws from -90 to 90, the paper's range is 0 to 90.
    """

    def __init__(self, rotation_deg: tuple[float, float] = (0.0, 90.0)):
        self.rotation_deg = rotation_deg

    def flow(self, x, y, batch_size: int = 32, shuffle: bool = True, seed: int | None = None):
        """Endless batches of rotated slices and their labels, of any shape (n, ...).

        The last of an epoch may be smaller; with `shuffle` each epoch has a new order. `seed` is of order and angles.
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
                random.random(2)  # the legacy class tosses for two flips here, wanted or not
            yield np.stack(rotated), y[chosen]
            batch += 1
