"""Time epochs of SGPNet as in training, and the same steps on batches that are in memory.

    python benchmarks/sgp3d_epoch.py --shape 32

A whole epoch includes reading the subjects from their files, augmentation and stacking, the steps, the test set, and
checkpoints as often as with the settings for a laptop (16 training subjects, 8 test subjects). The bare steps are run
before each epoch, so that a slower machine affects both. One thread on one processor, as for parallel trainings.
"""

import argparse
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from glioma_idh.training import device  # imported first: it loads TensorFlow without log lines

import keras  # isort: skip

from glioma_idh.sgp3d import fit
from glioma_idh.sgp3d.augmentation import training_batches
from glioma_idh.sgp3d.losses import JointNetwork
from glioma_idh.sgp3d.optimizers import compile_network
from glioma_idh.sgp3d.recipe import LAPTOP

NUM_TRAIN, NUM_TEST = 16, 8
WARM_EPOCHS = 5  # not counted: they include all tracing, up to the first test
STEPS = NUM_TRAIN // LAPTOP.batch_size


def write_prepared(folder: Path, shape, number: int) -> pd.DataFrame:
    """Write cached subjects that contain noise; the speed does not depend on the content."""
    rng, rows = np.random.default_rng(0), []
    for n in range(number):
        (folder / str(n)).mkdir(parents=True)
        np.save(folder / str(n) / "scans.npy", rng.normal(size=(*shape, 4)).astype(np.float32))
        np.save(folder / str(n) / "mask.npy", (rng.random(shape) < 0.3).astype(np.uint8))
        rows.append({"number": n, "idh": n % 2, "prepared": str(folder / str(n))})
    return pd.DataFrame(rows)


def epoch_of_batches(recipe, train: pd.DataFrame) -> list:
    """Return the batches of an epoch, read from the files."""
    batches = training_batches(*fit._arrays(train, recipe), recipe.batch_size, [0, 0], 0)
    return [next(batches) for _ in range(STEPS)]


def bare_steps(recipe, batches: list):
    """Return the steps of an epoch on batches in memory."""
    network = fit.build_network(recipe, fit.POLICIES[recipe.dtype], to_train=True)
    joint = JointNetwork(network, batch_size=recipe.batch_size)
    compile_network(joint, recipe.epochs * STEPS)
    return lambda: [joint.train_on_batch(scans, targets) for scans, targets in batches]


class TakeTurns(keras.callbacks.Callback):
    """Time every epoch from its start to the next one's, and before each epoch the tasks it is compared with."""

    def __init__(self, others: dict, turns: int):
        super().__init__()
        self.others, self.turns = others, turns
        self.seconds = {name: [] for name in ("whole epoch", *others)}
        self.begin = None

    def on_epoch_begin(self, epoch, logs=None):
        """Run the other tasks after the previous epoch has ended."""
        self._close()
        for name, run in self.others.items():
            begin = time.perf_counter()
            run()
            self.seconds[name].append(time.perf_counter() - begin)
        self.begin = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        """Stop after the last turn."""
        self.model.stop_training = epoch + 1 == WARM_EPOCHS + self.turns

    def on_train_end(self, logs=None):
        """End the last epoch."""
        self._close()

    def _close(self):
        if self.begin is not None:
            self.seconds["whole epoch"].append(time.perf_counter() - self.begin)


def main() -> None:
    """Run all tasks in turns, and print medians and means; only the mean includes the cost of tests and checkpoints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", type=int, default=32, help="voxels per axis")
    parser.add_argument("--turns", type=int, default=10)
    wanted = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    device.make_reproducible(0)
    recipe = replace(LAPTOP, shape=(wanted.shape,) * 3)
    with tempfile.TemporaryDirectory() as folder:
        table = write_prepared(Path(folder, "prepared"), recipe.shape, NUM_TRAIN + NUM_TEST)
        train, test = table[:NUM_TRAIN], table[NUM_TRAIN:]
        steps = bare_steps(recipe, epoch_of_batches(recipe, train))
        others = {"bare steps": steps, "its batches alone": lambda: epoch_of_batches(recipe, train)}
        turns = TakeTurns(others, wanted.turns)
        fit._fit(recipe, train, test, [0, 0], Path(folder), [turns])
    ours = np.array(turns.seconds["whole epoch"][WARM_EPOCHS:])
    print(f"{wanted.shape}^3, {NUM_TRAIN} subjects, batches of {recipe.batch_size}, one thread, {wanted.turns} turns")
    print(f"{'':20} {'median, s':>9} {'mean, s':>9}  whole epoch / this, median and of means")
    for name, seconds in turns.seconds.items():
        values = np.array(seconds[WARM_EPOCHS:])
        ratios = f"{np.median(ours / values):.2f}  {ours.sum() / np.sum(values):.2f}"
        print(f"{name:20} {np.median(values):9.3f} {np.mean(values):9.3f}  {ratios}")


if __name__ == "__main__":
    main()
