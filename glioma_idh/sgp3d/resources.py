"""Estimate memory and time of a training on this machine before it starts."""

import time

import numpy as np
import psutil

from glioma_idh.errors import InputError
from glioma_idh.sgp3d.comparators import STEP_COST
from glioma_idh.sgp3d.recipe import Recipe

BASE_GB = 0.8  # for TensorFlow, network and optimizers
BYTES_PER_VOXEL = {"float32": 1150, "bfloat16": 800}  # peak memory per input voxel and subject in a batch
FLOPS_PER_VOXEL = 0.33e6  # operations of a training step, forward and backward, per input voxel
OVERHEAD = 1.6  # time of a step divided by that of its convolutions
SLOW = 2.0  # warn if a dtype takes this many times as long as float32
SHARE = 0.9  # of the free memory that may be used


def needed_gb(recipe: Recipe, jobs: int) -> float:
    """Estimate the peak memory of `jobs` parallel trainings, GB."""
    voxels = float(np.prod(recipe.shape)) * recipe.batch_size
    return jobs * (BASE_GB + STEP_COST.get(recipe.network, 1.0) * voxels * BYTES_PER_VOXEL[recipe.dtype] / 1e9)


def free_gb() -> float:
    """Return the available memory, GB."""
    return psutil.virtual_memory().available / 1e9


def check_memory(recipe: Recipe, jobs: int) -> None:
    """Raise an InputError if memory is too small for the training; it says which settings need less."""
    needed, free = needed_gb(recipe, jobs), free_gb()
    if needed > SHARE * free:
        fewer = "--jobs 1, " if jobs > 1 else ""
        advice = f"Use {fewer}a smaller --shape, --batch-size 1 or --dtype bfloat16."
        raise InputError(f"about {needed:.1f} GB of memory", f"{free:.1f} GB free", advice)


def measured_gflops(dtype: str) -> float:
    """Measure the speed of this machine for a convolution like those of the network, 1e9 operations per second.

    If bfloat16 is faster than float32, the speed of float32 is returned, because a whole step gains less than a
    convolution. If it is much slower, because the processor does not support it, a warning is printed.
    """
    rate = _gflops("float32")
    if dtype == "float32":
        return rate
    own = _gflops(dtype)
    if rate > SLOW * own:
        print(f"Warning: {dtype} takes {rate / own:.0f} times as long as float32 on this processor. Leave --dtype out.")
    return min(rate, own)


def _gflops(dtype: str) -> float:
    import tensorflow as tf

    side, channels = 24, 32
    x = tf.cast(tf.random.stateless_normal((1, side, side, side, channels), seed=(0, 0)), dtype)
    kernel = tf.cast(tf.random.stateless_normal((3, 3, 3, channels, channels), seed=(0, 1)), dtype)
    times = []
    for _ in range(6):
        start = time.perf_counter()
        tf.nn.conv3d(x, kernel, (1, 1, 1, 1, 1), "SAME").numpy()
        times.append(time.perf_counter() - start)
    return 2 * 27 * channels**2 * side**3 / min(times) / 1e9


def needed_seconds(recipe: Recipe, num_train: int, gflops: float) -> float:
    """Estimate the training time of one split, s; accurate within a factor of two."""
    steps = recipe.epochs * -(-num_train // recipe.batch_size)
    voxels = float(np.prod(recipe.shape)) * recipe.batch_size
    return STEP_COST.get(recipe.network, 1.0) * steps * OVERHEAD * voxels * FLOPS_PER_VOXEL / (gflops * 1e9)
