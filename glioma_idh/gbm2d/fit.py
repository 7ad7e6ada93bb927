"""Train one split: from the slices of the run to a trained network and predictions of the test set."""

import time
from pathlib import Path

import numpy as np

from glioma_idh import runs
from glioma_idh.cohorts.table import SEQUENCE_NAMES
from glioma_idh.files import write_table, written_whole
from glioma_idh.gbm2d.augmentation import training_batches
from glioma_idh.gbm2d.model import build_cnn, compile_network, training_normalisation
from glioma_idh.gbm2d.recipe import Recipe
from glioma_idh.training import device
from glioma_idh.training.callbacks import Checkpoint, Progress

CHECKPOINT_EVERY = 25  # epochs; a killed run loses a few seconds at most
CURVE_POINTS = 100  # points of the test curve; testing after every epoch would take a sixth of the time


def train_split(recipe: Recipe, folder: Path, index: int, quiet: bool = True) -> int:
    """Train one split of a run, from its checkpoint if there is one, and predict its test set; returns `index`.

    Writes model, learning curves, predictions and cost into the folder of the split. Does nothing if they are there.
    """
    target = runs.split_folder(folder, index)
    if (target / runs.PREDICTIONS).exists():
        return index
    started = time.monotonic()
    split = runs.read_split(folder, index)
    with np.load(folder / runs.SLICES) as arrays:
        slices = arrays["slices"]
    seed = [recipe.seed, index]
    device.make_reproducible(int(np.random.SeedSequence(seed).generate_state(1)[0]))

    network = build_cnn(slices.shape[1:], recipe.filters, recipe.units, normalisation=training_normalisation())
    sequence = recipe.sequence[0]
    name = f"{SEQUENCE_NAMES.get(sequence, sequence)}, split {index + 1}/{recipe.num_splits}"
    train, test = (split["part"] == "train").to_numpy(), (split["part"] == "test").to_numpy()
    labels = split["idh"].to_numpy()
    parts = (slices[train], labels[train]), (slices[test], labels[test])
    with Progress(name, index, quiet) as bar:
        checkpoint = _fit(network, recipe, *parts, seed, target, [bar])

    plain = build_cnn(slices.shape[1:], recipe.filters, recipe.units)
    plain.set_weights(network.get_weights())
    with written_whole(target / runs.MODEL) as file:
        plain.save(file)
    score = plain.predict_on_batch(slices[test])[:, 1]
    columns = ["subject", "patient", "cohort", "repeat", "split", "idh", "lesion_ml"]
    predictions = split.loc[test, columns].rename(columns={"idh": "truth"})
    predictions.insert(6, "score", score)
    write_table(predictions, target / runs.PREDICTIONS)
    device.write_cost(target, started)
    checkpoint.discard()
    return index


def _fit(network, recipe: Recipe, train, test, seed: list[int], target: Path, callbacks: list):
    """Train from the last checkpoint to the last epoch; returns the checkpoint, to be discarded at the end."""
    (slices, labels), (test_slices, test_labels) = train, test
    steps = -(-2 * int(np.bincount(labels).max()) // recipe.batch_size)  # both classes have the size of the larger
    compile_network(network, recipe.learning_rate, steps)
    checkpoint = Checkpoint(target, steps, CHECKPOINT_EVERY)
    epoch = checkpoint.restore(network)
    if epoch < recipe.epochs:
        network.fit(
            training_batches(slices, labels, recipe.batch_size, recipe.rotation_deg, seed, epoch),
            steps_per_epoch=steps,
            initial_epoch=epoch,
            epochs=recipe.epochs,
            validation_data=(test_slices, np.eye(2, dtype=np.float32)[test_labels]),
            validation_batch_size=len(test_labels),
            validation_freq=max(1, recipe.epochs // CURVE_POINTS),
            callbacks=[*callbacks, checkpoint],
            shuffle=False,
            verbose=0,
        )
    return checkpoint
