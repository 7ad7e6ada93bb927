"""A checkpoint holds what belongs together, and a full disk leaves the former one."""

import errno
import os
import subprocess
import sys
import warnings
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest

from glioma_idh import runs
from glioma_idh.errors import InputError
from glioma_idh.files import write_table
from glioma_idh.training import callbacks, device
from glioma_idh.training import predict as common

X, Y = np.arange(8.0, dtype=np.float32).reshape(8, 1), np.ones((8, 1), np.float32)
STEPS = 2


def network():
    """The smallest network with an optimiser that has a state."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.1), "mse", metrics=["accuracy"], run_eagerly=True)
    return model


def fit(model, checkpoint, epochs, first=0):
    batches = ((X[i % 2 * 4 : i % 2 * 4 + 4], Y[:4]) for i in range(1000))
    options = {"validation_data": (X, Y), "validation_freq": 3, "shuffle": False, "verbose": 0}
    model.fit(batches, steps_per_epoch=STEPS, initial_epoch=first, epochs=epochs, callbacks=[checkpoint], **options)


@pytest.mark.integration
def test_a_resumed_training_ends_with_the_same_weights_and_curves(tmp_path):
    whole = network()
    fit(whole, callbacks.Checkpoint(tmp_path / "whole", STEPS, every=4), epochs=10)

    killed = network()
    fit(killed, callbacks.Checkpoint(tmp_path / "killed", STEPS, every=4), epochs=6)  # saved after 4; 2 epochs are lost
    resumed = network()
    checkpoint = callbacks.Checkpoint(tmp_path / "killed", STEPS, every=4)
    assert checkpoint.restore(resumed) == 4
    assert [row["epoch"] for row in checkpoint.rows] == [1, 2, 3, 4]
    fit(resumed, checkpoint, epochs=10, first=4)

    for one, other in zip(whole.variables, resumed.variables, strict=True):
        assert np.array_equal(one, other)
    curves = [(tmp_path / name / "history.csv").read_bytes() for name in ("whole", "killed")]
    assert curves[0] == curves[1]
    history = runs.read_table(tmp_path / "whole/history.csv")
    assert history["epoch"].tolist() == list(range(1, 11))
    assert history["test_loss"].notna().tolist() == [epoch % 3 == 0 for epoch in range(1, 11)]


def test_without_a_checkpoint_a_training_starts_at_the_beginning(tmp_path):
    assert callbacks.Checkpoint(tmp_path, STEPS).restore(network()) == 0


def test_a_full_disk_leaves_the_former_checkpoint_whole(tmp_path, monkeypatch):
    model, checkpoint = network(), callbacks.Checkpoint(tmp_path, STEPS, every=2)
    fit(model, checkpoint, epochs=2)
    before = checkpoint.file.read_bytes()

    def half(path, overwrite):
        path.write_bytes(before[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(model, "save_weights", half)
    with pytest.raises(InputError, match=r"checkpoint.weights.h5: .*No space left on device"):
        fit(model, checkpoint, epochs=4, first=2)
    assert checkpoint.file.read_bytes() == before
    assert callbacks.Checkpoint(tmp_path, STEPS).restore(network()) == 2


def test_dropout_depends_on_seed_and_epoch_alone():
    def dropped(seed, epoch, calls_before=0):
        layer = keras.layers.Dropout(0.5)
        ones = np.ones((1, 200), np.float32)
        for _ in range(calls_before):
            layer(ones, training=True)
        callbacks.SeedDropout(seed, [keras.layers.ReLU(), layer]).on_epoch_begin(epoch)
        return np.array(layer(ones, training=True))

    first = dropped([0, 1], 3)
    assert np.array_equal(first, dropped([0, 1], 3, calls_before=2)) and 0 < (first == 0).mean() < 1
    assert not np.array_equal(first, dropped([0, 1], 4)) and not np.array_equal(first, dropped([0, 2], 3))


@pytest.mark.parametrize(("own", "taken"), [("", "1"), ("0", "0")])
def test_onednn_is_on_by_default_on_every_processor(own, taken):
    """Without it a training step takes many times as long where there is no AVX-512."""
    environment = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    environment |= {"TF_ENABLE_ONEDNN_OPTS": own} if own else {}
    code = "import os, glioma_idh; print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == taken


@pytest.mark.parametrize(("gpus", "trainings", "jobs"), [([], 5, 3), ([], 2, 2), (["GPU"], 5, 1)])
def test_trainings_at_once_by_default(monkeypatch, gpus, trainings, jobs):
    monkeypatch.setattr("joblib.cpu_count", lambda: 3)
    assert device.default_jobs(gpus, trainings) == jobs


def test_the_device_is_named(monkeypatch):
    monkeypatch.setattr("joblib.cpu_count", lambda: 3)
    assert device.device_line([], 2) == "Device: CPU with 3 cores; 2 trainings in parallel, 1 thread each"
    assert device.device_line([], 1, 4) == "Device: CPU with 3 cores; 1 training at a time, 4 threads each"
    monkeypatch.setattr(device, "device_name", lambda gpus: f"{len(gpus)} H200")
    assert device.device_line(["a"], 1) == "Device: 1 H200; 1 training at a time"


def test_the_cost_of_a_training_is_in_seconds_and_gigabytes(monkeypatch, tmp_path):
    import resource

    monkeypatch.setattr(device.time, "monotonic", lambda: 1090.04)
    kilobytes = 2_500_000 if sys.platform != "darwin" else 2_560_000_000
    monkeypatch.setattr(resource, "getrusage", lambda _: SimpleNamespace(ru_maxrss=kilobytes))
    monkeypatch.setattr(device, "find_gpus", list)
    device.write_cost(tmp_path, 1000.0)
    cost = runs.read_json(tmp_path / "cost.json")
    assert (cost["seconds"], cost["peak_memory_gb"]) == (90.0, 2.56) and cost["device"].startswith("CPU, ")


def test_a_seed_is_the_same_numbers_again():
    def drawn(seed):
        keras.utils.set_random_seed(99)
        with warnings.catch_warnings(action="ignore"):
            device.make_reproducible(seed)
        return np.array(keras.random.uniform((2,))).tolist()

    assert drawn(1) == drawn(1) and drawn(1) != drawn(2)


def test_a_checkpoint_is_saved_at_every_multiple_and_at_no_other_epoch(tmp_path, monkeypatch):
    checkpoint, saved = callbacks.Checkpoint(tmp_path, STEPS, every=3), []
    monkeypatch.setattr(checkpoint, "save", lambda: saved.append(len(checkpoint.rows)))
    for epoch in range(7):
        checkpoint.on_epoch_end(epoch, {"loss": 10.0 - epoch, "val_loss": 20.0})
    assert saved == [3, 6]
    assert checkpoint.rows[2] == {"epoch": 3, "loss": 8.0, "test_loss": 20.0}


def test_a_bar_counts_on_from_where_a_training_resumes(monkeypatch):
    shown = []

    class Bar(SimpleNamespace):
        def set_postfix(self, logs, refresh):
            shown.append(logs)

        def update(self):
            self.n += 1

    monkeypatch.setattr(callbacks, "progress", lambda **settings: Bar(n=0, **settings))
    progress = callbacks.Progress("split 2/5", 1, quiet=True)
    progress.set_params({"epochs": 9})
    progress.on_train_begin()
    assert (progress.bar.total, progress.bar.what, progress.bar.position, progress.bar.quiet) == (
        9,
        "split 2/5",
        1,
        True,
    )
    progress.on_epoch_begin(4)
    progress.on_epoch_end(4, {"loss": 0.5, "accuracy": 0.75, "val_loss": 3.0})
    progress.on_epoch_begin(5)
    progress.on_epoch_end(5, {"loss": 0.25, "accuracy": 1.0})
    assert progress.bar.n == 6 and progress.bar.initial == 4
    assert shown == [{"loss": "0.500", "accuracy": "0.750"}, {"loss": "0.250", "accuracy": "1.000"}]


def test_networks_are_loaded_in_the_order_of_the_splits_and_must_have_the_outputs(tmp_path):
    table = pd.DataFrame({"subject": "s", "repeat": [1, 0, 0], "split": [0, 1, 0], "part": "test"})
    write_table(table, tmp_path / "splits.csv")
    for index in range(3):
        inputs = keras.Input((1,))
        layer = keras.layers.Dense(1, name="idh")
        model = keras.Model(inputs, {"idh": layer(inputs)})
        layer.set_weights([np.full((1, 1), index), np.zeros(1)])
        (tmp_path / f"split_{index + 1}").mkdir()
        model.save(tmp_path / f"split_{index + 1}/model.keras")
    networks = common.load_networks(tmp_path, (1,), ("idh",))
    assert [float(network(np.ones((1, 1)))["idh"][0, 0]) for network in networks] == [0, 1, 2]
    with pytest.raises(
        InputError, match=r"split_1/model.keras: expected a network for input \(1,\) with dice, idh; found one"
    ):
        common.load_networks(tmp_path, (1,), ("idh", "dice"))
    with pytest.raises(InputError, match=r"expected a network for input \(2,\); found one for \(1,\)"):
        common.load_networks(tmp_path, (2,))


def test_another_backend_is_refused(monkeypatch):
    device.require_tensorflow()
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(InputError, match="expected KERAS_BACKEND=tensorflow; found jax"):
        device.require_tensorflow()
    assert device.find_gpus() == []


@pytest.mark.parametrize(("gpus", "threads", "set_to", "determinism"), [([], 1, 1, 0), ([], 6, 6, 1), (["G"], 1, 0, 1)])
def test_threads_and_determinism_that_a_seed_needs(monkeypatch, gpus, threads, set_to, determinism):
    import tensorflow as tf

    given = {"determinism": 0, "intra": 0, "inter": 0}
    monkeypatch.setattr(device, "find_gpus", lambda: gpus)
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: given.update(determinism=1))
    for kind in ("intra", "inter"):
        name = f"set_{kind}_op_parallelism_threads"
        monkeypatch.setattr(tf.config.threading, name, lambda number, kind=kind: given.update({kind: number}))
    device.make_reproducible(0, threads)
    assert given == {"determinism": determinism, "intra": set_to, "inter": set_to}


def test_gpus_take_memory_as_they_need_it_and_are_named(monkeypatch):
    import tensorflow as tf

    growth = {}
    gpus = [SimpleNamespace(name=f"/gpu:{n}") for n in range(2)]
    details = {"/gpu:0": {"device_name": "H200"}, "/gpu:1": {}}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus if kind == "GPU" else [])
    monkeypatch.setattr(
        tf.config.experimental, "set_memory_growth", lambda gpu, grows: growth.update({gpu.name: grows})
    )
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details[gpu.name])
    assert device.find_gpus() == gpus and growth == {"/gpu:0": True, "/gpu:1": True}
    assert device.device_name(gpus) == "H200, /gpu:1"
