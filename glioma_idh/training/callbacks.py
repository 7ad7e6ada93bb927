"""Keras callbacks of every training: checkpoints, dropout that can be resumed, the progress bar."""

from pathlib import Path

import numpy as np
import pandas as pd

from glioma_idh import runs
from glioma_idh.files import write_table, written_whole
from glioma_idh.progress import leave, progress
from glioma_idh.quiet_keras import keras


class Checkpoint(keras.callbacks.Callback):
    """Saves network, optimiser and learning curves every few epochs, so that an interrupted training can resume.

    Unlike `keras.callbacks.BackupAndRestore` it writes one file and replaces it atomically, so weights and epoch always
    match, also after a kill or on a full disk. The epoch is derived from the optimiser's step count.

    Args:
        folder: of the split.
        steps_per_epoch: optimiser steps per epoch.
        every: number of epochs between two checkpoints.
    """

    def __init__(self, folder, steps_per_epoch: int, every: int = 25):
        super().__init__()
        self.file, self.history_file = Path(folder) / runs.CHECKPOINT, Path(folder) / runs.HISTORY
        self.steps_per_epoch, self.every = steps_per_epoch, every
        self.rows: list[dict] = []

    def restore(self, model: keras.Model) -> int:
        """Load the last checkpoint, if any, into a compiled model; returns the number of epochs done."""
        if not self.file.exists():
            return 0
        model.optimizer.build(model.trainable_variables)
        model.load_weights(self.file)
        epoch = int(model.optimizer.iterations.numpy()) // self.steps_per_epoch
        self.rows = runs.read_table(self.history_file).head(epoch).to_dict("records")
        return epoch

    def on_epoch_end(self, epoch, logs=None):
        row = {name.replace("val_", "test_"): float(value) for name, value in logs.items()}
        self.rows.append({"epoch": epoch + 1, **row})
        if (epoch + 1) % self.every == 0:
            self.save()

    def on_train_end(self, logs=None):
        write_table(pd.DataFrame(self.rows), self.history_file)

    def save(self):
        """Save a checkpoint. The curves come first: after a kill in between, `restore` drops the surplus rows."""
        write_table(pd.DataFrame(self.rows), self.history_file)
        with written_whole(self.file) as part:
            self.model.save_weights(part, overwrite=True)

    def discard(self):
        """Delete the checkpoint, once the trained network is saved."""
        self.file.unlink(missing_ok=True)


class SeedDropout(keras.callbacks.Callback):
    """Sets the random state of every dropout layer from (seed, epoch), so that a resumed training is reproducible.

    A checkpoint restores weights and optimiser, but not random states. `layers` are all layers of the network; those
    without random state are ignored.
    """

    def __init__(self, seed: list[int], layers: list):
        super().__init__()
        self.seed = seed
        self.layers = [layer for layer in layers if getattr(layer, "seed_generator", None) is not None]

    def on_epoch_begin(self, epoch, logs=None):
        """Set two integers per dropout layer, in the order of the layers."""
        states = np.random.SeedSequence([*self.seed, epoch]).generate_state(2 * len(self.layers)).reshape(-1, 2)
        for layer, state in zip(self.layers, states, strict=True):
            layer.seed_generator.state.assign(state)


class Progress(keras.callbacks.Callback):
    """Shows epochs, losses and remaining time: a progress bar at a terminal, otherwise lines of text.

    Args:
        description: text in front of the bar.
        line: of the bar below the cursor, so that bars of parallel trainings do not overlap.
        quiet: show nothing.
        watched: names of the logs to show.
    """

    def __init__(self, description: str, line: int, quiet: bool, watched: tuple[str, ...] = ("loss", "accuracy")):
        super().__init__()
        self.watched = watched
        self.settings = {"what": description, "position": line, "quiet": quiet, "unit": "epoch"}

    def on_train_begin(self, logs=None):
        total = self.params["epochs"]
        self.bar = progress(total=total, dynamic_ncols=True, mininterval=0.5, leave=True, **self.settings)

    def on_epoch_begin(self, epoch, logs=None):
        """Start the bar at the current epoch if the training was resumed."""
        if self.bar.n == 0:
            self.bar.initial = self.bar.n = epoch

    def on_epoch_end(self, epoch, logs=None):
        self.bar.set_postfix({name: f"{logs[name]:.3f}" for name in self.watched}, refresh=False)
        self.bar.update()

    def on_train_end(self, logs=None):
        leave(self.bar)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        """Stop the progress lines, also after an error."""
        if hasattr(self, "bar"):
            leave(self.bar)
