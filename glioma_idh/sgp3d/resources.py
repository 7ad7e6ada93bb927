"""What a training will cost on this machine, before it starts: memory and time."""

import time

import numpy as np
import psutil

from glioma_idh.errors import InputError
from glioma_idh.sgp3d.comparators import STEP_COST
from glioma_idh.sgp3d.recipe import Recipe

BASE_GB = 0.8  # TensorFlow, the network and its optimisers
BYTES_A_VOXEL = {"float32": 1150, "bfloat16": 800}  # of the input, per subject in a batch, at the peak of a step
FLOPS_A_VOXEL = 0.33e6  # multiplications and additions of a step, forwards and backwards, per voxel of the input
OVERHEAD = 1.6  # a step beside its convolutions
SLOW = 2.0  # times float32's time, from where on a type is advised against
SHARE = 0.9  # of the free memory that may be taken


def needed_gb(recipe: Recipe, jobs: int) -> float:
    """Peak of memory of so many trainings at once, GB."""
    voxels = float(np.prod(recipe.shape)) * recipe.batch_size
    return jobs * (BASE_GB + STEP_COST.get(recipe.network, 1.0) * voxels * BYTES_A_VOXEL[recipe.dtype] / 1e9)


def free_gb() -> float:
    """Memory that can be had now, GB."""
    return psutil.virtual_memory().available / 1e9


def check_memory(recipe: Recipe, jobs: int) -> None:
    """Stop before a training that this machine's memory cannot hold; the InputError says what would do."""
    needed, free = needed_gb(recipe, jobs), free_gb()
    if needed > SHARE * free:
        fewer = "--jobs 1, " if jobs > 1 else ""
        advice = f"Use {fewer}a smaller --shape, --batch-size 1 or --dtype bfloat16."
        raise InputError(f"about {needed:.1f} GB of memory", f"{free:.1f} GB free", advice)


def measured_gflops(dtype: str) -> float:
    """How fast this machine is at a convolution like those of the network, 1e9 operations a second.

    Where bfloat16 is quicker, the rate is float32's: a step gains less than a convolution does. Where it is far slower,
    as the processor does not have it, a line says so.
    """
    rate = _gflops("float32")
    if dtype == "float32":
        return rate
    own = _gflops(dtype)
    if rate > SLOW * own:
        print(f"Note: this processor takes {rate / own:.0f} times as long in {dtype} as in float32. Leave --dtype out.")
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
    """Time of one split's training, s; a guess within a factor of two."""
    steps = recipe.epochs * -(-num_train // recipe.batch_size)
    voxels = float(np.prod(recipe.shape)) * recipe.batch_size
    return STEP_COST.get(recipe.network, 1.0) * steps * OVERHEAD * voxels * FLOPS_A_VOXEL / (gflops * 1e9)
