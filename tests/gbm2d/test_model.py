"""The network, against counts worked out by hand."""

import sys
from dataclasses import asdict

import keras
import numpy as np
import pytest
import tensorflow as tf

from glioma_idh.gbm2d import build_cnn
from glioma_idh.gbm2d.model import FusedBatchNormalization, compile_network, training_normalisation
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
    scores = np.array(network(np.zeros((3, 64, 64, 1))))
    assert scores.sum(axis=1) == pytest.approx([1, 1, 1], abs=1e-6)


def test_filters_widths_classes_and_names_are_those_asked_for():
    network = build_cnn((16, 8, 3), (2, 5), (7, 4), num_classes=3, normalisation=FusedBatchNormalization)
    assert [layer.name for layer in network.layers] == [
        "slice", "block1_conv", "block1_norm", "block1_pool", "block2_conv", "block2_norm", "block2_pool",
        "flatten", "dense1", "dense2", "idh",
    ]  # fmt: skip
    shapes = [weights.shape for weights in network.get_weights() if weights.ndim > 1]
    assert shapes == [(3, 3, 3, 2), (3, 3, 2, 5), (4 * 2 * 5, 7), (7, 4), (4, 3)]
    for name in ("block1_conv", "dense1", "dense2"):
        assert network.get_layer(name).activation is keras.activations.relu
    assert network.get_layer("idh").activation is keras.activations.softmax
    assert (
        network.get_layer("block1_norm").epsilon == build_cnn((8, 8, 1), (2,)).get_layer("block1_norm").epsilon == 1e-3
    )
    assert type(network.get_layer("block2_norm")) is FusedBatchNormalization is training_normalisation()
    assert type(build_cnn((8, 8, 1), (2,)).get_layer("block1_norm")) is keras.layers.BatchNormalization


def test_one_step_moves_every_weight_and_lowers_the_loss():
    keras.utils.set_random_seed(0)
    network = build_cnn((32, 32, 1))
    network.compile(keras.optimizers.Adam(1e-3), "categorical_crossentropy", run_eagerly=True)
    x = np.random.default_rng(0).normal(size=(8, 32, 32, 1)).astype(np.float32)
    y = np.eye(2, dtype=np.float32)[[0, 1] * 4]
    before = [variable.numpy().copy() for variable in network.trainable_variables]
    first = network.train_on_batch(x, y)
    moved = [not np.array_equal(old, new) for old, new in zip(before, network.trainable_variables, strict=True)]
    assert all(moved)
    for _ in range(5):
        last = network.train_on_batch(x, y)
    assert last < first


def test_saved_network_needs_neither_this_package_nor_unsafe_mode(tmp_path, monkeypatch):
    network = build_cnn((16, 16, 1))
    x = np.random.default_rng(0).normal(size=(4, 16, 16, 1)).astype(np.float32)
    network.save(tmp_path / "model.keras")
    ours = build_cnn((16, 16, 1), normalisation=FusedBatchNormalization)
    ours.save(tmp_path / "ours.keras")
    for name in [name for name in sys.modules if name.split(".")[0] == "glioma_idh"]:
        monkeypatch.setitem(sys.modules, name, None)
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    assert np.array_equal(np.array(again(x)), np.array(network(x)))
    with pytest.raises((TypeError, ImportError)):  # what is trained with would need it
        keras.models.load_model(tmp_path / "ours.keras", safe_mode=True)


def test_recipe_holds_the_paper_s_settings():
    recipe = asdict(Recipe())
    assert (recipe["epochs"], recipe["learning_rate"], recipe["num_splits"]) == (500, 1e-4, 5)
    assert (recipe["size"], recipe["test_fraction"], recipe["min_test_mutants"]) == (64, 0.2, 5)
    assert (recipe["splits"], recipe["rotation_deg"], recipe["batch_size"], recipe["seed"]) == (
        "holdout",
        (0, 90),
        16,
        0,
    )
    assert (recipe["filters"], recipe["units"]) == ((16, 32, 64, 64), (64, 32))
    assert (recipe["sequence"], recipe["cohort"], recipe["all_visits"]) == (("rCBV",), "phantom", False)
    assert Recipe(sequence="T2").sequence == ("T2",) and Recipe().phantom == {}


TABLE_1 = """
       accuracy    ccel        sensitivity specificity auc
t1     0.77 0.11   1.40 0.90   0.36 0.29   0.95 0.07   0.71 0.23
t2     0.67 0.12   2.41 0.77   0.48 0.16   0.75 0.12   0.63 0.07
flair  0.77 0.11   1.98 1.06   0.28 0.27   0.95 0.03   0.74 0.13
t1gd   0.66 0.10   2.55 0.93   0.43 0.24   0.74 0.17   0.62 0.15
rcbv   0.83 0.07   0.64 0.23   0.76 0.08   0.86 0.08   0.86 0.05
adc    0.56 0.11   2.53 0.28   0.14 0.07   0.73 0.16   0.45 0.04
"""


def test_the_paper_s_results_are_those_of_its_table_1():
    names, *rows = [line.split() for line in TABLE_1.strip().splitlines()]
    table = {row[0]: np.array(row[1:], float).reshape(5, 2) for row in rows}
    assert list(PUBLISHED) == list(table)
    for sequence, numbers in PUBLISHED.items():
        assert list(numbers) == names
        assert np.array(list(numbers.values())).tolist() == table[sequence].tolist()


def test_a_network_is_compiled_as_the_recipe_says():
    network = build_cnn((8, 8, 1), (2,), (2,))
    compile_network(network, 0.02, 7)
    assert type(network.optimizer) is keras.optimizers.Adam and network.loss == "categorical_crossentropy"
    assert float(network.optimizer.learning_rate) == pytest.approx(0.02)
    assert (network.steps_per_execution, network.jit_compile) == (7, False)


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
        one, other = (keras.ops.convert_to_numpy(numbers) for numbers in (one, other))
        assert one == pytest.approx(other, abs=2e-5 * float(np.abs(other).max()))
