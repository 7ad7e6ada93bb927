"""The same network on the backends of Keras: the same loss and the same gradients from the same weights and scans.

A backend is chosen before Keras is loaded, so each runs this file in a process of its own. In float64: for some
weights the sums of float32 round to another norm than float64's by more than 1e-4 (1.6e-4 on JAX, seed 0).
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import glioma_idh.quiet_keras  # noqa: F401  loads TensorFlow quietly
from glioma_idh.errors import InputError
from glioma_idh.sgp3d import LAPTOP, JointNetwork, SGPNet
from glioma_idh.sgp3d.model import KERAS_LAYERS, copy_weights
from glioma_idh.sgp3d.train import train_run
from glioma_idh.sgp3d.training_layers import training_factory
from glioma_idh.training.job import Job

SHAPE = (32, 32, 32, 4)
FACTORIES = ("keras", "training")
SEEDS = (0, 1)  # of weights and batch


def gradients_by_factory(folder: Path) -> None:
    """Write loss and gradient of either factory's network, on the backend of this process."""
    keras.config.set_floatx("float64")
    saved = keras.models.load_model(folder / "model.keras")
    with np.load(folder / "batch.npz") as batch:
        targets = dict(batch)
    scans = targets.pop("scans")
    for name, factory in zip(FACTORIES, (KERAS_LAYERS, training_factory()), strict=True):
        network = SGPNet(SHAPE, dropout=0.0, factory=factory, dtype="float64")
        copy_weights(saved, network)
        loss, gradient = loss_and_gradient(network, scans, targets)
        np.savez(folder / f"{keras.backend.backend()}_{name}.npz", loss=loss, gradient=gradient)


def loss_and_gradient(network, scans, targets):
    """The joint loss, and its gradient to all trainable weights: what a step of rate 1 takes from them."""
    joint = JointNetwork(network, batch_size=len(scans))
    joint.compile(keras.optimizers.SGD(1.0), jit_compile=False)
    before = trainable(network)
    loss = joint.train_on_batch(scans, targets, return_dict=True)["loss"]
    return float(loss), before - trainable(network)


def trainable(network):
    """All trainable weights in one vector, float64."""
    weights = [keras.ops.convert_to_numpy(weight).ravel() for weight in network.trainable_weights]
    return np.concatenate(weights).astype(np.float64)


@pytest.fixture(scope="session", params=["jax", "torch"])
def backend(request):
    """One that is installed: asked first, as what it is compared with takes a while."""
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f'{request.param} is not installed: pip install ".[backends]"')
    return request.param


@pytest.fixture(scope="module", params=SEEDS)
def folder(request, tmp_path_factory):
    """A network whose biases, shifts and scales differ too, and a batch; TensorFlow's loss and gradients."""
    folder, rng = tmp_path_factory.mktemp("backends"), np.random.default_rng(request.param)
    network = SGPNet(SHAPE)
    for weight in network.weights:
        spread = np.sqrt(2 / np.prod(weight.shape[:-1])) if len(weight.shape) > 1 else 0.1
        weight.assign(rng.normal("gamma" in weight.path, spread, weight.shape))
    network.save(folder / "model.keras")
    mask = (rng.random((2, *SHAPE[:3])) < 0.3).astype(np.uint8)
    scans = rng.normal(size=(2, *SHAPE)).astype(np.float32)
    np.savez(folder / "batch.npz", scans=scans, segmentation=mask, idh=np.array([1, 0], np.float32))
    run_on("tensorflow", folder)
    return folder


def run_on(backend: str, folder: Path) -> None:
    """This file on a backend, without a GPU, whose convolutions are rounded more coarsely."""
    settings = {"KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu", "JAX_ENABLE_X64": "1"}
    command = [sys.executable, "-m", "tests.sgp3d.test_backends", str(folder)]
    done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_loss_and_gradients_are_those_of_tensorflow(backend, folder):
    run_on(backend, folder)
    for factory in FACTORIES:
        found, expected = np.load(folder / f"{backend}_{factory}.npz"), np.load(folder / f"tensorflow_{factory}.npz")
        assert float(found["loss"]) == pytest.approx(float(expected["loss"]), rel=1e-4)
        norm = np.linalg.norm(expected["gradient"])
        assert np.linalg.norm(found["gradient"]) == pytest.approx(norm, rel=1e-4)
        # JAX normalises as precisely as float32: a voxel may come to lie on the other side of the corner of LR
        assert np.linalg.norm(found["gradient"] - expected["gradient"]) < 1e-3 * norm


def test_training_on_another_backend_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(InputError, match=r"^expected KERAS_BACKEND=tensorflow; found jax\. "):
        train_run(LAPTOP, Job(run_dir=tmp_path / "run"))
    assert not (tmp_path / "run").exists()


if __name__ == "__main__":
    gradients_by_factory(Path(sys.argv[1]))
