"""The network, against counts worked out by hand."""

import subprocess
import sys
from dataclasses import asdict

import keras
import numpy as np
import pytest
import tensorflow as tf

from glioma_idh.gbm2d import build_cnn
from glioma_idh.gbm2d.model import FusedBatchNormalization
from glioma_idh.gbm2d.recipe import PUBLISHED, Recipe


def test_keras_is_the_one_inside_tensorflow():
    assert tf.keras.Model is keras.Model


def test_parameters_counted_by_hand():
    convolutions = (9 * 1 + 1) * 16 + (9 * 16 + 1) * 32 + (9 * 32 + 1) * 64 + (9 * 64 + 1) * 64
    normalisations = 4 * (16 + 32 + 64 + 64)
    dense = (4 * 4 * 64 + 1) * 64 + (64 + 1) * 32 + (32 + 1) * 2
    assert build_cnn().count_params() == convolutions + normalisations + dense == 128_674


def test_four_blocks_in_the_paper_s_order_and_a_softmax():
    network = build_cnn()
    kinds = [type(layer).__name__ for layer in network.layers[1:13]]
    assert kinds == ["Conv2D", "BatchNormalization", "MaxPooling2D"] * 4
    assert network.get_layer("block4_pool").output.shape == (None, 4, 4, 64)
    assert network.get_layer("block1_conv").activation is keras.activations.relu
    scores = network.predict(np.zeros((3, 64, 64, 1)), verbose=0)
    assert scores.sum(axis=1) == pytest.approx([1, 1, 1], abs=1e-6)


def test_one_step_moves_every_weight_and_lowers_the_loss():
    keras.utils.set_random_seed(0)
    network = build_cnn()
    network.compile(keras.optimizers.Adam(1e-3), "categorical_crossentropy")
    x = np.random.default_rng(0).normal(size=(8, 64, 64, 1)).astype(np.float32)
    y = np.eye(2, dtype=np.float32)[[0, 1] * 4]
    before = [variable.numpy().copy() for variable in network.trainable_variables]
    first = network.train_on_batch(x, y)
    moved = [not np.array_equal(old, new) for old, new in zip(before, network.trainable_variables, strict=True)]
    assert all(moved)
    for _ in range(5):
        last = network.train_on_batch(x, y)
    assert last < first


def test_saved_network_needs_neither_this_package_nor_unsafe_mode(tmp_path):
    network = build_cnn()
    x = np.random.default_rng(0).normal(size=(4, 64, 64, 1)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    network.save(tmp_path / "model.keras")
    program = (
        "import sys; sys.modules['glioma_idh'] = None\n"
        "import keras, numpy as np\n"
        "network = keras.models.load_model('model.keras', safe_mode=True)\n"
        "np.save('y.npy', network.predict_on_batch(np.load('x.npy')))\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True)
    assert np.array_equal(np.load(tmp_path / "y.npy"), network.predict_on_batch(x))


def test_recipe_holds_the_paper_s_settings():
    recipe = asdict(Recipe())
    assert (recipe["epochs"], recipe["learning_rate"], recipe["num_splits"]) == (500, 1e-4, 5)
    assert (recipe["size"], recipe["test_fraction"], recipe["min_test_mutants"]) == (64, 0.2, 5)
    assert PUBLISHED["rcbv"] == {
        "accuracy": (0.83, 0.07),
        "ccel": (0.64, 0.23),
        "sensitivity": (0.76, 0.08),
        "specificity": (0.86, 0.08),
        "auc": (0.86, 0.05),
    }


def normalised(layer, x, weights):
    """Outputs, gradients and moving averages of a training step, and the outputs at inference."""
    layer.build(x.shape)
    layer.set_weights(weights)
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = layer(x, training=True)
        loss = tf.reduce_sum(outputs**3)
    gradients = tape.gradient(loss, [x, *layer.trainable_variables])
    return [outputs, *gradients, *layer.non_trainable_variables, layer(x, training=False)]


@pytest.mark.parametrize("shape", [(16, 8, 8, 4), (3, 2, 2, 5)])
def test_the_fused_kernel_gives_the_numbers_of_keras_own_layer(shape):
    rng = np.random.default_rng(0)
    x = tf.constant(rng.normal(3, 2, shape).astype(np.float32))
    weights = [rng.uniform(0.5, 2, shape[-1]).astype(np.float32) for _ in range(4)]
    fused = normalised(FusedBatchNormalization(), x, weights)
    plain = normalised(keras.layers.BatchNormalization(), x, weights)
    for one, other in zip(fused, plain, strict=True):
        scale = np.abs(other).max()
        assert np.array(one) == pytest.approx(np.array(other), abs=2e-5 * float(scale))
