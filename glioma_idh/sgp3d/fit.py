"""Train one split: from cached subjects to a trained network, predictions and masks of the test set."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from glioma_idh import runs
from glioma_idh.files import write_table, written_whole
from glioma_idh.imaging.volumes import write_volume
from glioma_idh.progress import step
from glioma_idh.quiet_keras import keras
from glioma_idh.sgp3d import comparators
from glioma_idh.sgp3d.augmentation import random_mask, steps_per_epoch, training_batches
from glioma_idh.sgp3d.cache import CachedSubject
from glioma_idh.sgp3d.inference import PREDICTION_COLUMNS, input_shape, score_subject
from glioma_idh.sgp3d.losses import JointNetwork
from glioma_idh.sgp3d.model import KERAS_LAYERS, SGPNet, copy_weights
from glioma_idh.sgp3d.optimizers import compile_network
from glioma_idh.sgp3d.preprocessing import NUM_SLICES, lesion_slices
from glioma_idh.sgp3d.recipe import Recipe
from glioma_idh.sgp3d.training_layers import training_factory
from glioma_idh.training import device
from glioma_idh.training.callbacks import Checkpoint, Progress, SeedDropout

CURVE_POINTS = 20  # of the test curve, at most; at least 5 epochs apart, as a test can take a quarter of an epoch
CHECKPOINT_EPOCHS, CHECKPOINT_STEPS = 10, 400  # between checkpoints, at most; saving one takes two or three steps
WATCHED = {"idh": "cross_entropy", "segmentation": "dice_loss"}  # shown with the progress bar
POLICIES = {"float32": None, "bfloat16": "mixed_bfloat16"}


def train_split(recipe: Recipe, folder: Path, index: int, quiet: bool = True, threads: int = 1) -> int:
    """Train one split of a run, from its checkpoint if there is one, and predict its test set; returns `index`.

    Writes model, learning curves, predictions, masks and cost into the folder of the split. Does nothing if they are
    there.
    """
    target = runs.split_folder(folder, index)
    if (target / runs.PREDICTIONS).exists():
        return index
    started = time.monotonic()
    split = runs.read_split(folder, index)
    split["number"] = range(len(split))  # position in the cohort: seed of the random mask
    seed = [recipe.seed, index]
    device.make_reproducible(int(np.random.SeedSequence(seed).generate_state(1)[0]), threads)

    name, watched = f"split {index + 1}/{recipe.num_splits}", tuple(WATCHED[output] for output in recipe.outputs)
    train, test = split[split["part"] == "train"], split[split["part"] == "test"].reset_index(drop=True)
    with Progress(name, index, quiet, watched) as bar:
        trained, checkpoint = _fit(recipe, train, test, seed, target, [bar])

    plain = build_network(recipe)
    copy_weights(trained, plain)
    with written_whole(target / runs.MODEL) as file:
        plain.save(file)
    predictions = []
    with step(f"{name}: predicting the test set", quiet):
        for _, row in test.iterrows():
            numbers, lesion = score_subject(plain, row, recipe.learns)
            predictions.append(numbers)
            if lesion is not None:
                own_affine = CachedSubject(Path(row["prepared"])).placement().own_affine
                write_volume(target / runs.MASKS / f"{row['subject']}.nii.gz", lesion, own_affine)
    table = test.rename(columns={"idh": "truth"}).join(pd.DataFrame(predictions))
    write_table(table.reindex(columns=PREDICTION_COLUMNS), target / runs.PREDICTIONS)
    device.write_cost(target, started)
    checkpoint.discard()
    return index


def build_network(recipe: Recipe, dtype: str | None = None, to_train: bool = False) -> keras.Model:
    """Build the network of a recipe from Keras layers, or with `to_train` from the faster training layers."""
    shape: tuple = input_shape(recipe)
    factory = training_factory(recipe.standardise_features) if to_train else KERAS_LAYERS
    if recipe.network in comparators.BUILD:
        return comparators.BUILD[recipe.network](shape, recipe, dtype, factory)
    return SGPNet(shape, recipe.filters, recipe.dropout, dtype=dtype, factory=factory)


def _fit(recipe: Recipe, train, test, seed: list[int], target: Path, callbacks: list):
    """Train from the last checkpoint to the last epoch; returns the network and the checkpoint."""
    network = build_network(recipe, POLICIES[recipe.dtype], to_train=True)
    batch_size = recipe.batch_size * (NUM_SLICES if recipe.reads_slices else 1)
    joint = JointNetwork(network, recipe.targets, recipe.detach_k, recipe.smoothing_voxels, batch_size)
    steps = steps_per_epoch(len(train), recipe.batch_size)
    idh_learning_rate = recipe.idh_learning_rate if recipe.network == "sgpnet" else None
    compile_network(joint, recipe.epochs * steps, recipe.learning_rate, idh_learning_rate)
    checkpoint = Checkpoint(target, steps, every=checkpoint_epochs(recipe.shape, steps))
    epoch = checkpoint.restore(joint)
    if epoch < recipe.epochs:
        augmentation = recipe.move_probability, recipe.shift_fraction
        batches = training_batches(*_arrays(train, recipe), recipe.batch_size, seed, epoch, *augmentation)
        joint.fit(
            _as_slices(batches) if recipe.reads_slices else batches,
            steps_per_epoch=steps,
            initial_epoch=epoch,
            epochs=recipe.epochs,
            validation_data=_OneByOne(*_arrays(test, recipe), slices=recipe.reads_slices),
            validation_freq=min(recipe.epochs, max(5, recipe.epochs // CURVE_POINTS)),
            callbacks=[*callbacks, SeedDropout(seed, network.layers), checkpoint],
            shuffle=False,
            verbose=0,
        )
    return network, checkpoint


def is_large(shape: tuple[int, int, int]) -> bool:
    """Return whether one training step uses all processors."""
    return int(np.prod(shape)) >= 64**3


def checkpoint_epochs(shape: tuple[int, int, int], steps: int) -> int:
    """Return the number of epochs between checkpoints: 1 for large inputs."""
    return 1 if is_large(shape) else min(CHECKPOINT_EPOCHS, -(-CHECKPOINT_STEPS // steps))


class _OneByOne(keras.utils.PyDataset):
    """The test set for the learning curve, one subject per batch."""

    def __init__(self, scans, masks, idh, slices: bool):
        super().__init__()
        self.scans, self.masks, self.idh, self.slices = scans, masks, np.asarray(idh, np.float32), slices

    def __len__(self):
        return len(self.scans)

    def __getitem__(self, position):
        target = {"segmentation": self.masks[position][None], "idh": self.idh[position : position + 1]}
        batch = np.asarray(self.scans[position])[None], target
        return next(_as_slices([batch])) if self.slices else batch


def _as_slices(batches: Iterable) -> Iterator:
    """Turn batches of subjects into batches of slices through the lesion, each with the label of its subject."""
    for scans, targets in batches:
        pairs = zip(scans, targets["segmentation"], strict=True)
        slices = np.concatenate([lesion_slices(volume, mask) for volume, mask in pairs])
        yield slices, {"idh": np.repeat(targets["idh"], NUM_SLICES)}


def _arrays(subjects: pd.DataFrame, recipe: Recipe) -> tuple[list, list, np.ndarray]:
    """Return scans and masks of subjects, memory-mapped, and their labels. Masks are random with "random-masks"."""
    cached = [CachedSubject(Path(folder)) for folder in subjects["prepared"]]
    masks = [subject.mask() for subject in cached]
    if recipe.targets == "random-masks":
        masks = [random_mask(int(number), recipe.shape, [recipe.seed]) for number in subjects["number"]]
    return [subject.scans() for subject in cached], masks, subjects["idh"].to_numpy(np.float32)
