"""Shift and flip of the training set ("Data Processing" of the paper): drawn here, applied there."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Augmentation:
    """What is done to a subject, image and mask alike: first the flip, then the shift."""

    flip: tuple[bool, bool, bool] = (False, False, False)  # whether each axis is turned round
    shift: tuple[int, int, int] = (0, 0, 0)  # voxels towards each axis' end; the edge goes on where nothing comes in


def draw_augmentation(
    rng: np.random.Generator, shape: Sequence[int], probability: float = 0.5, shift_fraction: float = 0.1
) -> Augmentation:
    """Draw whether to flip and to shift, then the axes of them.

    Differs from the paper: it says "randomly chosen with a fifty percent chance"; ours are the axes of a flip, each
    with probability 0.5, and the reach of a shift, up to a tenth of each axis.

    `probability` is that of a flip, and of a shift; `shift_fraction` the farthest shift, as a share of each axis.
    """
    flips, shifts = rng.random(2) < probability
    turned = rng.random(3) < 0.5
    reach = np.floor(np.array(shape) * shift_fraction).astype(int)
    steps = rng.integers(-reach, reach, endpoint=True)
    return Augmentation(tuple((flips & turned).tolist()), tuple((shifts * steps).tolist()))


def augment(array: np.ndarray, augmentation: Augmentation, out: np.ndarray | None = None) -> np.ndarray:
    """Apply an augmentation to an image or a mask, shape (i, j, k) or (i, j, k, channel); into `out` if given.

    Differs from the paper: it does not say what a shift leaves behind; ours repeats the edge, as Keras' own shifts do.
    A band of 0, the mean of a standardised scan, would be tissue that nobody has.
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


def training_batches(scans, masks, idh, batch_size: int, seed, epoch: int, probability=0.5, shift_fraction=0.1):
    """Endless batches (scans, {"segmentation": masks, "idh": labels}), each subject moved on its own.

    Order and drawn of an epoch, 0 being the first, depend on (seed, epoch) alone, so a resumed training sees what
    it would have seen. Every batch is full: the last of an epoch takes its epoch's first subjects once more. `scans`
    and `masks` are one array a subject; memory-mapped ones are read when their turn comes.
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
    """Batches in an epoch of `training_batches`."""
    return -(-num_subjects // batch_size)


def random_mask(subject_index: int, shape: tuple[int, int, int], seed: list[int]) -> np.ndarray:
    """Random mask, uint8: each voxel is 1 with probability 0.5, drawn once per subject (third experiment, Table 2)."""
    return np.random.default_rng([*seed, subject_index]).integers(0, 2, shape, dtype=np.uint8)
