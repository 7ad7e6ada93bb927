"""Shift and flip of the training set (paper: "Data Processing"). Random draws are separate from their application."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Augmentation:
    """An augmentation of one subject: a flip, then a shift, the same for image and mask."""

    flip: tuple[bool, bool, bool] = (False, False, False)  # whether each axis is flipped
    shift: tuple[int, int, int] = (0, 0, 0)  # voxels towards the end of each axis; edge values fill the gap


def draw_augmentation(
    rng: np.random.Generator, shape: Sequence[int], probability: float = 0.5, shift_fraction: float = 0.1
) -> Augmentation:
    """Draw whether to flip and whether to shift, then the axes of the flip and the size of the shift.

    The paper states only that flip and shift are "randomly chosen with a fifty percent chance". Our choice: a flip
    reverses each axis with probability 0.5, and a shift is at most a tenth of each axis.

    Args:
        rng: random generator.
        shape: of the volume, (i, j, k).
        probability: of a flip, and of a shift.
        shift_fraction: largest shift, as a fraction of each axis.
    """
    flips, shifts = rng.random(2) < probability
    turned = rng.random(3) < 0.5
    reach = np.floor(np.array(shape) * shift_fraction).astype(int)
    steps = rng.integers(-reach, reach, endpoint=True)
    return Augmentation(tuple((flips & turned).tolist()), tuple((shifts * steps).tolist()))


def augment(array: np.ndarray, augmentation: Augmentation, out: np.ndarray | None = None) -> np.ndarray:
    """Apply an augmentation to an image or mask of shape (i, j, k) or (i, j, k, channel); into `out` if given.

    The paper does not say how a shift fills the gap. Our choice is to repeat the edge, as Keras does. Filling
    with 0, the mean of a standardised scan, would look like tissue.
    """
    out = np.empty_like(array, order="C") if out is None else out
    array = array[tuple(slice(None, None, -1 if turned else 1) for turned in augmentation.flip)]
    into = tuple(
        slice(max(step, 0), n + min(step, 0)) for step, n in zip(augmentation.shift, array.shape, strict=False)
    )
    come = tuple(
        slice(max(-step, 0), n + min(-step, 0)) for step, n in zip(augmentation.shift, array.shape, strict=False)
    )
    out[into] = array[come]
    for axis, side in enumerate(into):
        planes = np.moveaxis(out, axis, 0)
        planes[: side.start], planes[side.stop :] = planes[side.start], planes[side.stop - 1]
    return out


def training_batches(
    scans: Sequence[np.ndarray],
    masks: Sequence[np.ndarray],
    idh: np.ndarray,
    batch_size: int,
    seed: list[int],
    epoch: int,
    probability: float = 0.5,
    shift_fraction: float = 0.1,
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Yield batches (scans, {"segmentation": masks, "idh": labels}) without end; each subject is augmented separately.

    Order and augmentations depend on (seed, epoch) alone, so that a resumed training sees the same batches. The first
    epoch is 0. All batches are full: the last of an epoch is filled with the first subjects of that epoch. `scans` and
    `masks` have one array per subject, which may be memory-mapped.
    """
    idh, shape = np.asarray(idh, dtype=np.float32), scans[0].shape[:3]
    for current in itertools.count(epoch):
        rng = np.random.default_rng([*seed, current])
        order = rng.permutation(len(scans))
        drawn = [draw_augmentation(rng, shape, probability, shift_fraction) for _ in order]
        for start in range(0, len(order), batch_size):
            chosen = [turn % len(order) for turn in range(start, start + batch_size)]
            subjects = order[chosen]
            images = np.stack([augment(scans[s], drawn[turn]) for turn, s in zip(chosen, subjects, strict=True)])
            lesions = np.stack([augment(masks[s], drawn[turn]) for turn, s in zip(chosen, subjects, strict=True)])
            yield images, {"segmentation": lesions, "idh": idh[subjects]}


def steps_per_epoch(num_subjects: int, batch_size: int) -> int:
    """Return the number of batches per epoch of `training_batches`."""
    return -(-num_subjects // batch_size)


def random_mask(subject_index: int, shape: tuple[int, int, int], seed: list[int]) -> np.ndarray:
    """Random mask, uint8: each voxel is 1 with probability 0.5, drawn once per subject (third experiment, Table 2)."""
    return np.random.default_rng([*seed, subject_index]).integers(0, 2, shape, dtype=np.uint8)
