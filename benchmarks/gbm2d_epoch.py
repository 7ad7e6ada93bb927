"""Time an epoch of the slice CNN, its bare training steps, and the same epoch in PyTorch, on one thread in one process.

    pip install ".[bench]" && python benchmarks/gbm2d_epoch.py

The training set is the paper's: 68 wild-type and 12 mutant subjects, balanced to 136 slices of 64 x 64, and 20 test
slices. The implementations take turns, so that a slower machine affects all of them; medians are reported.
"""

import argparse
import itertools
import time

import numpy as np
import torch
from torch import nn

from glioma_idh.training import callbacks, device  # imported first: it determines how TensorFlow is loaded

import keras  # isort: skip

from glioma_idh.gbm2d.augmentation import balanced_indices, training_batches
from glioma_idh.gbm2d.fit import CURVE_POINTS
from glioma_idh.gbm2d.model import build_cnn, compile_network, training_normalisation
from glioma_idh.gbm2d.recipe import Recipe

RECIPE = Recipe()
LABELS = np.repeat([0, 1], [68, 12])
NUM_BALANCED = 136
STEPS = -(-NUM_BALANCED // RECIPE.batch_size)
EPOCHS_A_TURN = 10


def make_slices(number: int) -> np.ndarray:
    """Return noise with the shape of the input; the speed does not depend on the content."""
    return np.random.default_rng(0).normal(size=(number, RECIPE.size, RECIPE.size, 1)).astype(np.float32)


def keras_network() -> keras.Model:
    """Return the network, compiled as in training."""
    network = build_cnn(filters=RECIPE.filters, units=RECIPE.units, normalisation=training_normalisation())
    compile_network(network, RECIPE.learning_rate, STEPS)
    return network


def bare_steps():
    """Return the steps of an epoch on slices in memory: no rotation, no test set, no checkpoint."""
    network = keras_network()
    chosen = balanced_indices(LABELS, np.random.default_rng(0))
    slices, targets = make_slices(80)[chosen], np.eye(2, dtype=np.float32)[LABELS[chosen]]

    def batches():
        while True:
            for start in range(0, NUM_BALANCED, RECIPE.batch_size):
                yield slices[start : start + RECIPE.batch_size], targets[start : start + RECIPE.batch_size]

    return lambda: network.fit(batches(), steps_per_epoch=STEPS, epochs=EPOCHS_A_TURN, shuffle=False, verbose=0)


def whole_epochs(folder):
    """Return complete epochs, with rotation, the test curve, learning curves and checkpoints."""
    network = keras_network()
    checkpoint = callbacks.Checkpoint(folder, STEPS)
    slices, test = make_slices(80), (make_slices(20), np.eye(2, dtype=np.float32)[[0, 1] * 10])

    first_epochs = itertools.count(0, EPOCHS_A_TURN)

    def turn():
        first = next(first_epochs)
        network.fit(
            training_batches(slices, LABELS, RECIPE.batch_size, RECIPE.rotation_deg, [0, 0], first),
            steps_per_epoch=STEPS,
            initial_epoch=first,
            epochs=first + EPOCHS_A_TURN,
            validation_data=test,
            validation_batch_size=20,
            validation_freq=RECIPE.epochs // CURVE_POINTS,
            callbacks=[checkpoint],
            shuffle=False,
            verbose=0,
        )

    return turn


def torch_network() -> nn.Module:
    """Return the same layers in PyTorch, in its faster memory format."""
    layers, channels = [], 1
    for filters in RECIPE.filters:
        layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(filters), nn.MaxPool2d(2)]
        channels = filters
    layers += [
        nn.Flatten(),
        nn.Linear(1024, 64),
        nn.ReLU(),
        nn.Linear(64, 32),
        nn.ReLU(),
        nn.Linear(32, 2),
    ]
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


def torch_epochs(compiled: bool):
    """Return the same epochs in PyTorch: balanced, rotated as a whole batch, with the test set."""
    network = torch_network()
    forward = torch.compile(network, dynamic=False) if compiled else network
    optimizer = torch.optim.Adam(network.parameters(), lr=RECIPE.learning_rate)
    slices = torch.from_numpy(make_slices(80)).permute(0, 3, 1, 2)
    test, test_labels = torch.from_numpy(make_slices(20)).permute(0, 3, 1, 2), torch.tensor([0, 1] * 10)
    labels, rng = torch.from_numpy(LABELS), np.random.default_rng(0)

    def epoch(number):
        network.train()
        chosen = torch.from_numpy(rng.permutation(balanced_indices(LABELS, rng)))
        angles = torch.from_numpy(np.deg2rad(rng.uniform(*RECIPE.rotation_deg, NUM_BALANCED)).astype(np.float32))
        rows = torch.stack([angles.cos(), -angles.sin(), 0 * angles, angles.sin(), angles.cos(), 0 * angles], dim=1)
        grid = nn.functional.affine_grid(rows.view(-1, 2, 3), (NUM_BALANCED, 1, 64, 64), align_corners=False)
        rotated = nn.functional.grid_sample(slices[chosen], grid, padding_mode="border", align_corners=False)
        rotated = rotated.contiguous(memory_format=torch.channels_last)
        for start in range(0, NUM_BALANCED, RECIPE.batch_size):
            part = slice(start, start + RECIPE.batch_size)
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(forward(rotated[part]), labels[chosen[part]])
            loss.backward()
            optimizer.step()
        if number % (RECIPE.epochs // CURVE_POINTS) == 0:
            network.eval()
            with torch.no_grad():
                nn.functional.cross_entropy(network(test), test_labels)

    return lambda: [epoch(number) for number in range(EPOCHS_A_TURN)]


def main() -> None:
    """Run all implementations in turns, and print the medians."""
    import tempfile

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=12)
    turns = parser.parse_args().turns
    device.make_reproducible(0)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        implementations = {
            "bare steps": bare_steps(),
            "whole epoch": whole_epochs(folder),
            "PyTorch, eager, channels last": torch_epochs(compiled=False),
            "PyTorch, torch.compile": torch_epochs(compiled=True),
        }
        seconds = {name: [] for name in implementations}
        for turn in range(turns + 1):
            for name, run in implementations.items():
                start = time.perf_counter()
                run()
                if turn > 0:  # the first turn traces and compiles
                    seconds[name].append((time.perf_counter() - start) / EPOCHS_A_TURN)
    ours = np.array(seconds["whole epoch"])
    print(f"{'':32} {'s per epoch':>11}  whole epoch / this, median of {turns} turns")
    for name, values in seconds.items():
        print(f"{name:32} {np.median(values):11.3f}  {np.median(ours / values):.2f}")


if __name__ == "__main__":
    main()
