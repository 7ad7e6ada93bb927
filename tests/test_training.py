"""A checkpoint holds what belongs together, and a full disk leaves the former one."""

import errno
import os
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest

from glioma_idh import runs, training
from glioma_idh.errors import InputError

X, Y = np.arange(8.0, dtype=np.float32).reshape(8, 1), np.ones((8, 1), np.float32)
STEPS = 2


def network():
    """The smallest network with an optimiser that has a state."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.1), "mse", metrics=["accuracy"])
    return model


def fit(model, checkpoint, epochs, first=0):
    batches = ((X[i % 2 * 4 : i % 2 * 4 + 4], Y[:4]) for i in range(1000))
    options = {"validation_data": (X, Y), "validation_freq": 3, "shuffle": False, "verbose": 0}
    model.fit(batches, steps_per_epoch=STEPS, initial_epoch=first, epochs=epochs, callbacks=[checkpoint], **options)


def test_a_resumed_training_ends_with_the_same_weights_and_curves(tmp_path):
    whole = network()
    fit(whole, training.Checkpoint(tmp_path / "whole", STEPS, every=4), epochs=10)

    killed = network()
    fit(killed, training.Checkpoint(tmp_path / "killed", STEPS, every=4), epochs=6)  # saved after 4; 2 epochs are lost
    resumed = network()
    checkpoint = training.Checkpoint(tmp_path / "killed", STEPS, every=4)
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
    assert training.Checkpoint(tmp_path, STEPS).restore(network()) == 0


def test_a_full_disk_leaves_the_former_checkpoint_whole(tmp_path, monkeypatch):
    model, checkpoint = network(), training.Checkpoint(tmp_path, STEPS, every=2)
    fit(model, checkpoint, epochs=2)
    before = checkpoint.file.read_bytes()

    def half(path, overwrite):
        path.write_bytes(before[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(model, "save_weights", half)
    with pytest.raises(InputError, match=r"checkpoint.weights.h5: .*No space left on device"):
        fit(model, checkpoint, epochs=4, first=2)
    assert checkpoint.file.read_bytes() == before
    assert training.Checkpoint(tmp_path, STEPS).restore(network()) == 2


def test_a_worker_ends_with_its_parent(tmp_path):
    worker = textwrap.dedent(
        """
        import os, sys, time
        from glioma_idh.training import StopWithParent
        stop = StopWithParent(int(sys.argv[1]))
        open("ready", "w").close()
        for epoch in range(600):
            stop.on_epoch_end(epoch)
            time.sleep(0.05)
        open("never", "w").close()
        """
    )
    parent = (
        "import os, subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1], str(os.getpid())]).wait()"
    )
    process = subprocess.Popen([sys.executable, "-c", parent, worker], cwd=tmp_path, stdout=subprocess.PIPE)
    while not (tmp_path / "ready").exists():
        assert process.poll() is None
    process.kill()
    assert process.stdout.read() == b""  # ends once the worker, which shares it, has ended
    assert not (tmp_path / "never").exists()


def test_dropout_depends_on_seed_and_epoch_alone():
    def dropped(seed, epoch, calls_before=0):
        layer = keras.layers.Dropout(0.5)
        ones = np.ones((1, 200), np.float32)
        for _ in range(calls_before):
            layer(ones, training=True)
        training.SeedDropout(seed, [keras.layers.ReLU(), layer]).on_epoch_begin(epoch)
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
