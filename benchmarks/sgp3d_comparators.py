"""Time a training step of each comparator and of SGPNet.

    python benchmarks/sgp3d_comparators.py --shape 64 --dtype float32

The networks take turns in one process; medians are reported. A step has two subjects; for the residual CNN these are
two times sixteen slices.
"""

import argparse
import time

import numpy as np

from glioma_idh.quiet_keras import keras  # noqa: F401  imported first: it loads TensorFlow without log lines
from glioma_idh.sgp3d.fit import POLICIES, build_network
from glioma_idh.sgp3d.losses import JointNetwork
from glioma_idh.sgp3d.optimizers import compile_network
from glioma_idh.sgp3d.preprocessing import NUM_SLICES
from glioma_idh.sgp3d.recipe import TARGETS, Recipe


def training_step(name: str, side: int, dtype: str):
    """Return a training step of a network on noise."""
    recipe = Recipe(network=name, targets=TARGETS[name][0], shape=(side, side, side))
    network = build_network(recipe, POLICIES[dtype], to_train=True)
    batch_size = 2 * NUM_SLICES if name == "resnet2d" else 2
    rng = np.random.default_rng(0)
    scans = rng.normal(size=(batch_size, *network.input_shape[1:])).astype(np.float32)
    target = {"segmentation": scans[..., 0] > 1, "idh": (np.arange(batch_size) % 2).astype(np.float32)}
    joint = JointNetwork(network, recipe.targets, batch_size=batch_size)
    compile_network(joint, total_steps=10_000, idh_learning_rate=5e-5 if name == "sgpnet" else None)
    return lambda: joint.train_on_batch(scans, target)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", type=int, default=64)
    parser.add_argument("--dtype", choices=POLICIES, default="float32")
    parser.add_argument("--turns", type=int, default=9)
    settings = parser.parse_args()
    steps = {name: training_step(name, settings.shape, settings.dtype) for name in TARGETS}
    times = {name: [] for name in steps}
    for turn in range(settings.turns + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if turn:  # the first step includes tracing
                times[name].append(time.perf_counter() - start)
    ours = np.median(times["sgpnet"])
    for name, seconds in times.items():
        print(f"{name}: {np.median(seconds):.3f} s, {np.median(seconds) / ours:.2f} of SGPNet's step")


if __name__ == "__main__":
    main()
