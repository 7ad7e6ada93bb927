"""What every training shares: the device, the checkpoint that survives a kill, the progress bar."""

import contextlib
import platform
import sys
import time
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import psutil

from glioma_idh import runs
from glioma_idh.errors import InputError
from glioma_idh.files import write_json, write_table, written_whole
from glioma_idh.progress import leave, progress
from glioma_idh.quiet_keras import keras


def require_tensorflow() -> None:
    """Refuse to train on another backend of Keras: a run's estimate and its resuming are TensorFlow's.

    Raises:
        InputError: it names the backend.
    """
    backend = keras.backend.backend()
    if backend != "tensorflow":
        advice = "Set it for this command; networks and losses alone run on every backend of Keras."
        raise InputError("KERAS_BACKEND=tensorflow", backend, advice)


def find_gpus() -> list:
    """The GPUs that TensorFlow can use, set to take memory as they need it; empty on other backends."""
    if keras.backend.backend() != "tensorflow":
        return []
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    with contextlib.suppress(RuntimeError):  # a notebook has used it already
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
    return gpus


def default_jobs(gpus: list, num_trainings: int) -> int:
    """How many trainings run at once: as many as there are processors, one after the other on a GPU."""
    return 1 if gpus else min(joblib.cpu_count(), num_trainings)


def device_line(gpus: list, jobs: int, threads: int = 1) -> str:
    """One line that names the device a run uses."""
    if gpus:
        return f"Device: {device_name(gpus)}; {jobs} at once"
    each = "one thread" if threads == 1 else f"{threads} threads"
    return f"Device: CPU with {joblib.cpu_count()} processors; {jobs} at once, {each} each"


def device_name(gpus: list) -> str:
    """The names of GPUs."""
    import tensorflow as tf

    return ", ".join(tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus)


def write_cost(folder: Path, started: float, gpus: list) -> None:
    """What the training of a split took, into `cost.json`: seconds and most memory of this process, and the device.

    Args:
        folder: of the split.
        started: `time.monotonic()` when it began, or went on after a kill.
        gpus: that it used.
    """
    process = psutil.Process().memory_info()
    peak = getattr(process, "peak_wset", None) or _peak_bytes()
    device = device_name(gpus) if gpus else f"CPU, {platform.machine()}"
    cost = {"seconds": round(time.monotonic() - started, 1), "peak_memory_gb": round(peak / 1e9, 2), "device": device}
    write_json(cost, folder / runs.COST)


def _peak_bytes() -> int:
    """The most memory that this process has held; Linux counts in kilobytes, macOS in bytes."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def make_reproducible(seed: int, threads: int = 1) -> None:
    """The same numbers from the same seed on the same machine, with as many threads or on the same kind of GPU.

    With one thread they do not depend on the number of processors either.
    """
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    gpus = find_gpus()
    if gpus or threads > 1:
        tf.config.experimental.enable_op_determinism()
    if not gpus:
        use_threads(threads)


def use_threads(threads: int) -> None:
    """Let TensorFlow compute with so many threads in this process; before its first computation, or it warns."""
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError:
        text = "TensorFlow is at work in this process already: the last digits may differ from those of a new one."
        warnings.warn(text, stacklevel=3)


class Checkpoint(keras.callbacks.Callback):
    """Saves network, optimiser and learning curves every few epochs, so that a killed training can go on.

    Unlike `keras.callbacks.BackupAndRestore` it is one file that takes the place of the former one at once: a kill or a
    full disk between two writes cannot leave weights and epoch that do not belong together. The epoch is the
    optimiser's own count of steps.

    Args:
        folder: of the split; holds `checkpoint.weights.h5` and `history.csv`.
        steps_per_epoch: optimiser steps in an epoch.
        every: epochs between two saves.
    """

    def __init__(self, folder, steps_per_epoch: int, every: int = 25):
        super().__init__()
        self.file = Path(folder) / runs.CHECKPOINT
        self.history_file = Path(folder) / runs.HISTORY
        self.steps_per_epoch = steps_per_epoch
        self.every = every
        self.rows = []

    def restore(self, model: keras.Model) -> int:
        """Load the last saved state into a compiled model.

        Returns:
            The number of epochs it has behind it; 0 where nothing was saved.
        """
        if not self.file.exists():
            return 0
        model.optimizer.build(model.trainable_variables)
        model.load_weights(self.file)
        epoch = int(model.optimizer.iterations.numpy()) // self.steps_per_epoch
        self.rows = runs.read_table(self.history_file).head(epoch).to_dict("records")
        return epoch

    def on_epoch_end(self, epoch, logs=None):
        """Keep the epoch's row; save when it is time."""
        row = {name.replace("val_", "test_"): float(value) for name, value in logs.items()}
        self.rows.append({"epoch": epoch + 1, **row})
        if (epoch + 1) % self.every == 0:
            self.save()

    def on_train_end(self, logs=None):
        """Save the learning curves."""
        write_table(pd.DataFrame(self.rows), self.history_file)

    def save(self):
        """Learning curves first: a kill in between leaves rows too many, which `restore` cuts."""
        write_table(pd.DataFrame(self.rows), self.history_file)
        with written_whole(self.file) as part:
            self.model.save_weights(part, overwrite=True)

    def discard(self):
        """The training is over and its network saved."""
        self.file.unlink(missing_ok=True)


class SeedDropout(keras.callbacks.Callback):
    """Sets the random state of every dropout layer from (seed, epoch), so that a resumed training drops the same.

    Weights and optimisers come back with a checkpoint, random states do not.

    Args:
        seed: integers.
        layers: of the network; those that draw nothing are passed over.
    """

    def __init__(self, seed: list[int], layers: list):
        super().__init__()
        self.seed = seed
        self.layers = [layer for layer in layers if getattr(layer, "seed_generator", None) is not None]

    def on_epoch_begin(self, epoch, logs=None):
        """Two numbers for each layer that draws, in the order of the layers."""
        states = np.random.SeedSequence([*self.seed, epoch]).generate_state(2 * len(self.layers)).reshape(-1, 2)
        for layer, state in zip(self.layers, states, strict=True):
            layer.seed_generator.state.assign(state)


class Progress(keras.callbacks.Callback):
    """One bar a training, at a terminal, or lines elsewhere: epochs, what is watched, time left.

    Args:
        description: in front of the bar.
        line: of the bar, counted from the cursor's; bars of trainings side by side stand below one another.
        quiet: no bar and no lines.
        watched: names of the logs to show.
    """

    def __init__(self, description: str, line: int, quiet: bool, watched: tuple[str, ...] = ("loss", "accuracy")):
        super().__init__()
        self.watched = watched
        self.settings = {"what": description, "position": line, "quiet": quiet, "unit": "epoch"}

    def on_train_begin(self, logs=None):
        """Open the bar."""
        total = self.params["epochs"]
        self.bar = progress(total=total, dynamic_ncols=True, mininterval=0.5, leave=True, **self.settings)

    def on_epoch_begin(self, epoch, logs=None):
        """A resumed training starts part of the way."""
        if self.bar.n == 0:
            self.bar.initial = self.bar.n = epoch

    def on_epoch_end(self, epoch, logs=None):
        """Move it."""
        self.bar.set_postfix({name: f"{logs[name]:.3f}" for name in self.watched}, refresh=False)
        self.bar.update()

    def on_train_end(self, logs=None):
        """Leave it as it stands."""
        leave(self.bar)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        """A training that has failed writes no further lines."""
        if hasattr(self, "bar"):
            leave(self.bar)


def load_networks(run_dir: Path, input_shape: tuple[int, ...], outputs: tuple[str, ...] = ()) -> list[keras.Model]:
    """The network of each split of a finished run.

    Args:
        run_dir: folder of the run.
        input_shape: of one subject, which the networks must take.
        outputs: names that they must have, where it matters.

    Raises:
        InputError: a file is no network, or one for other input or with other outputs.
    """
    splits = runs.list_splits(runs.read_table(run_dir / runs.SPLITS))
    networks = []
    for file in [runs.split_folder(run_dir, index) / runs.MODEL for index in range(len(splits))]:
        try:
            network = keras.models.load_model(file, compile=False)
        except (OSError, ValueError) as error:
            raise InputError("a network", f"{type(error).__name__}: {error}", "Train it again.", file=file) from error
        wanted, found = (tuple(input_shape), sorted(outputs)), (network.input_shape[1:], sorted(network.output_names))
        if wanted[0] != found[0] or (outputs and wanted[1] != found[1]):
            texts = [f"{shape} with {', '.join(names)}" if outputs else f"{shape}" for shape, names in (wanted, found)]
            advice = "It is another network's file."
            raise InputError(f"a network for {texts[0]}", f"one for {texts[1]}", advice, file=file)
        networks.append(network)
    return networks
