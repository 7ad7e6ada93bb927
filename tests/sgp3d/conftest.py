"""A cohort of four sequences, small enough to train on in a test; and what stands in the place of a training."""

import contextlib
import itertools
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
import pandas as pd
import pytest

from tests.conftest import save

GRID, AFFINE = (24, 20, 18), np.diag([-2.0, -2.0, 3.0, 1.0])  # LPS, as BraTS


def write_four(folder: Path, num_subjects: int = 8, num_mutant: int = 4, prefix: str = "s", seed: int = 0) -> Path:
    """Noise brains with a bright lesion in FLAIR and T2, dark in T1 and bright in T1Gd for mutants."""
    rng = np.random.default_rng(seed)
    brain = np.zeros(GRID)
    brain[2:22, 2:18, 1:17] = 1
    rows = []
    for number in range(num_subjects):
        subject, idh = f"{prefix}{number:02}", int(number < num_mutant)
        lesion = np.zeros(GRID)
        i, j, k = rng.integers(4, 9, 3)
        lesion[i : i + 7, j : j + 6, k : k + 5] = 1
        row = {"subject": subject, "patient": subject, "idh": idh}
        for sequence, contrast in {"t1": -80 * idh, "t1gd": 20 + 60 * idh, "t2": 60, "flair": 80}.items():
            scan = brain * (100 + rng.normal(0, 3, GRID)) + contrast * lesion
            row[sequence] = save(folder / "scans" / subject / f"{sequence}.nii.gz", scan, AFFINE)
        row["lesion_mask"] = save(folder / "scans" / subject / "mask.nii.gz", lesion, AFFINE)
        rows.append(row)
    path = folder / "cohort.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


@pytest.fixture
def make_four(tmp_path):
    """A function that writes such a cohort into the test's own folder."""
    return lambda **size: write_four(tmp_path, **size)


@pytest.fixture(scope="session", autouse=True)
def _in_this_process():
    """Subjects are prepared in threads: processes of their own would each load half the library first."""
    with joblib.parallel_config(backend="threading"):
        yield


@contextlib.contextmanager
def untraced():
    """Within, TensorFlow traces nothing: for a few steps of small networks that takes longer than they do."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


class Training(NamedTuple):
    """What a training is given.

    Attributes:
        joint: the `JointNetwork`.
        settings: of `fit`.
        batches: of the first epoch.
        test: the validation data, a subject at a time.
        rates: learning rates before the first step, half-way, and after the last one.
    """

    joint: object
    settings: dict
    batches: list
    test: list
    rates: list


class Stop(Exception):
    """Ends a command where the training would begin."""


class Rehearsal:
    """Stands in the place of `JointNetwork.fit`: keeps what it is given, and takes the callbacks through the epochs.

    In every epoch the network's first weight becomes the epoch's number, counted from 1; the test loss is lowest after
    the second epoch and rises from there.

    Attributes:
        trainings: what each was given.
        stops: raise `Stop` once it is kept.
    """

    def __init__(self, stops: bool = False):
        self.trainings, self.stops = [], stops

    def __call__(self, joint, batches, **settings):
        """`fit`, without its steps."""
        import keras

        first, epochs = settings["initial_epoch"], settings["epochs"]
        test = settings["validation_data"]
        total = epochs * settings["steps_per_epoch"]
        epoch = list(itertools.islice(batches, settings["steps_per_epoch"]))
        rates = [rates_at(joint.optimizer, step) for step in (0, total / 2, total)]
        self.trainings.append(Training(joint, settings, epoch, [test[n] for n in range(len(test))], rates))
        if self.stops:
            raise Stop
        callbacks = keras.callbacks.CallbackList(settings["callbacks"], model=joint, epochs=epochs)
        callbacks.on_train_begin()
        for epoch in range(first, epochs):
            callbacks.on_epoch_begin(epoch)
            weight = joint.network.weights[0]
            weight.assign(np.full(weight.shape, epoch + 1))
            for optimizer in (joint.optimizer, *getattr(joint.optimizer, "optimizers", ())):
                optimizer.iterations.assign((epoch + 1) * settings["steps_per_epoch"])
            logs = dict.fromkeys(["loss", *joint.trackers], 1.0)
            callbacks.on_epoch_end(epoch, logs | {f"val_{name}": 1.0 + abs(epoch - 1) for name in logs})
        callbacks.on_train_end()


def rates_at(optimizer, step: float) -> list[float]:
    """The rates of an optimizer's groups, of the IDH block last, as they are after so many steps."""
    of_groups = getattr(optimizer, "optimizers", [optimizer])
    if len(of_groups) == 2:
        of_groups = sorted(of_groups, key=lambda inner: inner.name != "adam_backbone")
    return [float(inner._learning_rate(step)) for inner in of_groups]


@pytest.fixture
def rehearse(monkeypatch):
    """A function that puts a `Rehearsal` in the place of every training of the test."""

    def put(**settings):
        from glioma_idh.sgp3d import losses

        rehearsal = Rehearsal(**settings)
        monkeypatch.setattr(losses.JointNetwork, "fit", lambda joint, *given, **more: rehearsal(joint, *given, **more))
        return rehearsal

    return put
