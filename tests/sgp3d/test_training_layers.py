"""The layers to train with, held against Keras' own: outputs and gradients."""

import keras
import numpy as np
import pytest

import glioma_idh.quiet_keras  # noqa: F401  loads TensorFlow quietly
from glioma_idh.sgp3d import SGPNet
from glioma_idh.sgp3d.losses import cross_entropy, dice_loss, joint_loss, lesion_channel
from glioma_idh.sgp3d.model import KERAS_LAYERS, copy_weights
from glioma_idh.sgp3d.training_layers import RunningStandardisation, training_factory

tf = pytest.importorskip("tensorflow")
RNG = np.random.default_rng(0)
FACTORIES = (training_factory(), KERAS_LAYERS)


def outputs_and_gradients(layer, x):
    """Outputs, and the gradients of the sum of their cubes to the input and each weight, by path."""
    inputs = keras.Input(batch_shape=x.shape)
    network = keras.Model(inputs, layer(inputs))
    for weight in sorted(network.weights, key=lambda weight: weight.path):
        weight.assign(np.random.default_rng(len(weight.path)).normal(0.5, 1, weight.shape))
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = network(x, training=True)
        loss = tf.reduce_sum(tf.cast(y, tf.float32) ** 3)
    gradients = tape.gradient(loss, [x, *network.trainable_variables])
    paths = [weight.path for weight in network.trainable_variables]
    return {"outputs": y, **dict(zip(["x", *paths], gradients, strict=True))}


def before_normalisation(factory, layer):
    """The layer, and the normalisation that it stands before."""
    normalisation = factory.normalise("norm")
    return lambda x: normalisation(layer(x))


def assert_equal(ours, keras_own, tolerance, num_compared=4):
    """Outputs and gradients agree; a bias that ours does not train has a gradient of 0."""
    one, other = outputs_and_gradients(*ours), outputs_and_gradients(*keras_own)
    untrained = other.keys() - one.keys()
    assert all(np.abs(other.pop(path)).max() < 1e-3 and path.endswith("bias") for path in untrained)
    assert one.keys() == other.keys() and len(one) >= num_compared
    for name, expected in other.items():
        expected = np.array(tf.cast(expected, tf.float32))
        found = np.array(tf.cast(one[name], tf.float32))
        assert found == pytest.approx(expected, abs=tolerance * float(np.abs(expected).max())), name


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("channels", [8, 16])
def test_instance_normalisation(batch, channels):
    x = RNG.normal(3, 2, (batch, 4, 6, 2, channels)).astype(np.float32)
    assert_equal((training_factory().normalise("norm"), x), (KERAS_LAYERS.normalise("norm"), x), 2e-5)


@pytest.mark.parametrize("sides", [(4, 4, 4), (2, 4, 6)])
@pytest.mark.parametrize("strides", [1, 2])
def test_a_convolution_and_a_normalisation(sides, strides):
    x = RNG.normal(size=(2, *sides, 6)).astype(np.float32)
    assert_equal(
        *((before_normalisation(factory, factory.convolve(5, 3, "c", strides)), x) for factory in FACTORIES), 2e-5, 4
    )


@pytest.mark.parametrize("sides", [(4, 4, 4), (1, 2, 3)])
def test_up_sampling_a_convolution_and_a_normalisation(sides):
    x = RNG.normal(size=(2, *sides, 6)).astype(np.float32)
    assert_equal(*((before_normalisation(factory, factory.up_convolve(5, "up")), x) for factory in FACTORIES), 2e-5, 4)


def test_a_bias_that_a_normalisation_takes_out_is_kept_but_not_trained():
    network = SGPNet((16, 16, 16, 4), filters=2, factory=training_factory())
    kept = {weight.path for weight in network.non_trainable_weights if weight.path.endswith("bias")}
    assert len(kept) == 27 - 2 == len([weight for weight in network.weights if "_conv/bias" in weight.path]) - 9
    assert not any(path.startswith(("backbone_down1_first", "backbone_down1_second", "seg", "idh")) for path in kept)


@pytest.mark.parametrize("sides", [(4, 4, 4), (1, 2, 5)])
@pytest.mark.parametrize("size", [1, 3])
def test_convolution_and_mean(sides, size):
    x = RNG.normal(size=(2, *sides, 6)).astype(np.float32)
    branches = [factory.convolve_pool({"branch": (5, size)}, "tap") for factory in FACTORIES]
    assert_equal(*((lambda x, branch=branch: branch(x)[0], x) for branch in branches), 1e-5)


def test_the_lesion_s_channel():
    x = RNG.normal(0, 3, (2, 3, 4, 5, 2)).astype(np.float32)
    two_channels = keras.Sequential([KERAS_LAYERS.lesion("lesion"), keras.layers.Lambda(lambda p: p[..., 1:])])
    assert_equal((training_factory().lesion("lesion"), x), (two_channels, x), 1e-5, 2)


def test_features_are_standardised_by_what_has_passed():
    mean, sd = np.array([0.3, -2.0]), np.array([0.01, 5.0])
    layer = RunningStandardisation()
    batches = RNG.normal(mean, sd, (3000, 2, 2)).astype(np.float32)
    assert np.array(layer(batches[0], training=True)) == pytest.approx(batches[0], rel=1e-4)
    step = tf.function(lambda batch: layer(batch, training=True))
    for batch in batches:
        step(tf.constant(batch))
    before = [np.array(weight) for weight in layer.weights]
    fresh = np.array(layer(RNG.normal(mean, sd, (4000, 2)).astype(np.float32)))
    assert fresh.mean(axis=0) == pytest.approx(0, abs=0.05)
    assert fresh.std(axis=0) == pytest.approx(layer.SPREAD, rel=0.2)
    assert all(np.array_equal(a, b) for a, b in zip(before, layer.weights, strict=True))
    assert not layer.trainable_weights


def test_a_standardising_network_is_kept_as_one_without():
    settings = {"input_shape": (16, 16, 16, 4), "filters": 2, "dropout": 0.0}
    fast = SGPNet(**settings, factory=training_factory(standardise_features=True))
    standardisation = fast.get_layer("idh_standardisation")
    for _ in range(20):
        standardisation(RNG.normal(1, 1, (2, 16)).astype(np.float32), training=True)
    plain = SGPNet(**settings)
    copy_weights(fast, plain)
    assert plain.count_params() == fast.count_params() - 2 * 16
    scans = RNG.normal(1, 1, (2, 16, 16, 16, 4)).astype(np.float32)
    before = np.array(fast(scans)["idh"])
    assert np.array(plain(scans)["idh"]) == pytest.approx(before, abs=1e-5)
    again = SGPNet(**settings, factory=training_factory(standardise_features=True))
    copy_weights(plain, again)
    assert np.array(again(scans)["idh"]) == pytest.approx(np.array(plain(scans)["idh"]), abs=1e-5)


def test_the_whole_network_standardises_64_features_while_it_is_trained():
    fast = SGPNet((16, 16, 16, 4), factory=training_factory(standardise_features=True))
    assert fast.count_params() == 2_446_119 + 2 * 64
    layer = fast.get_layer("idh_standardisation")
    assert fast.get_layer("idh_dropout").input is layer.output and layer.input.shape == (None, 64)
    keras.Model(fast.inputs, layer.output)(np.ones((1, 16, 16, 16, 4), np.float32), training=True)
    assert np.array(layer.mean).any()  # statistics take in a batch as it passes through the network


@pytest.mark.integration
@pytest.mark.parametrize("batch", [2, None])
def test_the_whole_network_from_the_same_weights(batch):
    settings = {"input_shape": (32, 16, 48, 4), "filters": 2}
    plain, fast = SGPNet(**settings), SGPNet(**settings, factory=training_factory())
    for weight in plain.weights:
        weight.assign(RNG.normal("gamma" in weight.path, 0.1, weight.shape))
    copy_weights(plain, fast)
    assert {weight.path for weight in plain.weights} == {weight.path for weight in fast.weights}
    scans = RNG.normal(size=(2, 32, 16, 48, 4)).astype(np.float32)
    run = tf.function(fast, input_signature=[tf.TensorSpec((batch, *scans.shape[1:]))])
    outputs, expected = run(scans), plain(scans)
    for name, last in expected.items():
        assert np.array(outputs[name])[..., -1] == pytest.approx(np.array(last)[..., -1], abs=5e-5)


def gradients(network, scans, mask, idh):
    """The joint loss's gradients by path, float64."""
    with tf.GradientTape() as tape:
        outputs = network(scans, training=True)
        dice = dice_loss(mask, lesion_channel(outputs["segmentation"]))
        loss = joint_loss(cross_entropy(idh, outputs["idh"]), dice)
    found = tape.gradient(loss, network.trainable_variables)
    return {
        variable.path: np.array(g, np.float64) for variable, g in zip(network.trainable_variables, found, strict=True)
    }


@pytest.mark.integration
def test_the_joint_loss_s_gradients_are_those_of_keras_own_layers_in_float64():
    shape, rng = (32, 32, 32, 4), np.random.default_rng(1)
    keras.utils.set_random_seed(0)
    settings = {"input_shape": shape, "filters": 4, "dropout": 0.0}
    exact, fast = SGPNet(**settings, dtype="float64"), SGPNet(**settings, factory=training_factory())
    copy_weights(exact, fast)
    scans, idh = rng.normal(size=(2, *shape)).astype(np.float32), np.array([1.0, 0.0])
    mask = (rng.random((2, *shape[:3])) < 0.3).astype(np.uint8)
    expected, found = gradients(exact, scans, mask, idh), gradients(fast, scans, mask, idh)
    norm = np.linalg.norm([np.linalg.norm(gradient) for gradient in expected.values()])
    assert np.linalg.norm([np.linalg.norm(gradient) for gradient in found.values()]) == pytest.approx(norm, rel=2e-4)
    for path, gradient in found.items():  # a voxel near LR's corner makes more of a difference than rounding does
        assert np.linalg.norm(gradient - expected[path]) < 0.02 * np.linalg.norm(expected[path]), path
    untrained = [np.linalg.norm(expected[path]) for path in expected.keys() - found.keys()]
    assert len(untrained) == 25 and max(untrained) < 1e-6 * norm


@pytest.mark.integration
def test_bfloat16_is_as_near_to_float32_as_keras_own():
    exact = SGPNet((16, 16, 32, 4))
    for weight in exact.weights:
        weight.assign(RNG.normal("gamma" in weight.path, 0.1, weight.shape))
    scans = RNG.normal(size=(2, 16, 16, 32, 4)).astype(np.float32)
    expected = np.array(exact(scans)["segmentation"])[..., -1]
    errors = []
    for factory in (KERAS_LAYERS, training_factory()):
        network = SGPNet((16, 16, 32, 4), dtype="mixed_bfloat16", factory=factory)
        copy_weights(exact, network)
        errors.append(np.abs(np.array(network(scans)["segmentation"])[..., -1] - expected).mean())
    assert errors[1] < 1.2 * errors[0] < 0.1
