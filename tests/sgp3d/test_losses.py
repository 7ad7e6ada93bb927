"""The losses, against values worked out by hand and gradients by finite differences."""

import keras
import numpy as np
import pytest

from glioma_idh import training  # noqa: F401  loads TensorFlow quietly
from glioma_idh.sgp3d import JointNetwork, SGPNet, compile_network, dice_loss, joint_loss
from glioma_idh.sgp3d.losses import cross_entropy, dice_weight
from glioma_idh.sgp3d.model import copy_weights
from glioma_idh.sgp3d.training_layers import training_kit

tf = pytest.importorskip("tensorflow")
RNG = np.random.default_rng(0)
SHAPE = (16, 16, 16, 4)


def cube(value, sides=(2, 2, 2)):
    return np.full((1, *sides), value, dtype=np.float64)


def test_cross_entropy_of_two_subjects_by_hand():
    expected = -(np.log(0.8) + np.log(1 - 0.4)) / 2
    assert float(cross_entropy(np.array([1.0, 0.0]), tf.constant([[0.8], [0.4]]))) == pytest.approx(expected)


def test_an_unknown_status_weighs_nothing():
    probability = tf.constant([[0.8], [0.4], [0.99]], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(probability)
        entropy = cross_entropy(np.array([1.0, np.nan, np.nan]), probability)
    assert float(entropy) == pytest.approx(-np.log(0.8))
    assert np.array(tape.gradient(entropy, probability))[:, 0] == pytest.approx([-1 / 0.8, 0, 0])


def test_without_any_known_status_dice_is_the_loss():
    entropy = cross_entropy(np.array([np.nan, np.nan]), tf.constant([0.3, 0.6]))
    assert float(entropy) == 0
    assert float(joint_loss(entropy, tf.constant(0.25))) == pytest.approx(0.25)


def test_dice_by_hand():
    mask = np.zeros((2, 2, 2, 2))
    mask[0, 0] = 1  # 4 voxels of the first subject, 8 of the second
    mask[1] = 1
    probability = np.concatenate([cube(0.5), cube(0.25)])
    by_hand = [1 - (2 * 4 * 0.5 + 1) / (4 + 8 * 0.5 + 1), 1 - (2 * 8 * 0.25 + 1) / (8 + 8 * 0.25 + 1)]
    assert float(dice_loss(mask, tf.constant(probability))) == pytest.approx(np.mean(by_hand))


def test_dice_of_a_perfect_and_of_an_empty_answer():
    mask = RNG.integers(0, 2, (1, 4, 4, 4)).astype(np.uint8)
    assert float(dice_loss(mask, tf.constant(mask, tf.float64))) == 0
    voxels = mask.sum()
    assert float(dice_loss(mask, tf.zeros(mask.shape, tf.float64))) == pytest.approx(1 - 1 / (voxels + 1))


@pytest.mark.parametrize(("value", "expected"), [(0.0, 0.0), (0.125, 1 / 2), (1.0, 8 / 9)])
def test_an_empty_mask_costs_the_voxels_predicted(value, expected):
    assert float(dice_loss(cube(0), tf.constant(cube(value)))) == pytest.approx(expected)


def test_joint_loss_is_equation_9():
    assert float(joint_loss(tf.constant(0.6), tf.constant(0.2))) == pytest.approx(0.6 + 0.2 / 0.8 * 0.2)
    assert float(dice_weight(tf.constant(0.0), tf.constant(0.0))) == 0


@pytest.mark.parametrize("detach", [False, True])
def test_gradient_of_the_weighted_sum_by_hand(detach):
    entropy, dice = tf.constant(0.6, tf.float64), tf.constant(0.2, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch([entropy, dice])
        loss = joint_loss(entropy, dice, detach_k=detach)
    gradient = [float(value) for value in tape.gradient(loss, [entropy, dice])]
    a, b = 0.6, 0.2  # L = a + b^2 / (a + b), or a + k b with k held
    by_hand = [1, b / (a + b)] if detach else [1 - b**2 / (a + b) ** 2, (2 * b * (a + b) - b**2) / (a + b) ** 2]
    assert gradient == pytest.approx(by_hand)


def test_gradient_of_nothing_left_to_learn_is_finite():
    zeros = [tf.constant(0.0, tf.float64), tf.constant(0.0, tf.float64)]
    with tf.GradientTape() as tape:
        tape.watch(zeros)
        loss = joint_loss(*zeros)
    assert np.isfinite([float(value) for value in tape.gradient(loss, zeros)]).all()


def test_gradients_equal_finite_differences_in_float64():
    mask = RNG.integers(0, 2, (3, 3, 2, 2))
    idh = np.array([1.0, np.nan, 0.0])
    start = np.concatenate([RNG.uniform(0.1, 0.9, 36), RNG.uniform(0.1, 0.9, 3)])

    def loss(point):
        lesion, mutation = point[:36], point[36:]
        return joint_loss(cross_entropy(idh, mutation), dice_loss(mask, tf.reshape(lesion, (3, 3, 2, 2))))

    point = tf.constant(start)
    with tf.GradientTape() as tape:
        tape.watch(point)
        value = loss(point)
    assert value.dtype == tf.float64
    step = 1e-6 * np.eye(39)
    differences = [(float(loss(tf.constant(start + e))) - float(loss(tf.constant(start - e)))) / 2e-6 for e in step]
    assert np.array(tape.gradient(value, point)) == pytest.approx(np.array(differences), abs=1e-8)


def batch():
    scans = RNG.normal(size=(2, *SHAPE)).astype(np.float32)
    mask = (RNG.random((2, 16, 16, 16)) < 0.3).astype(np.uint8)
    return scans, {"segmentation": mask, "idh": np.array([1, np.nan], np.float32)}


@pytest.mark.parametrize("targets", ["both", "idh", "segmentation", "random-masks"])
def test_the_network_s_loss_is_that_of_its_outputs(targets):
    scans, truth = batch()
    joint = JointNetwork(SGPNet(SHAPE), targets)
    joint.compile("adam", run_eagerly=True)
    logs = joint.test_on_batch(scans, truth, return_dict=True)
    outputs = joint.network(scans)
    entropy = cross_entropy(truth["idh"], outputs["idh"])
    dice = dice_loss(truth["segmentation"], outputs["segmentation"][..., 1])
    expected = {"idh": entropy, "segmentation": dice}.get(targets, joint_loss(entropy, dice))
    assert logs["loss"] == pytest.approx(float(expected), abs=1e-5)
    assert logs["cross_entropy"] == pytest.approx(float(entropy), abs=1e-5)
    assert logs["dice_loss"] == pytest.approx(float(dice), abs=1e-5)
    assert logs["k"] == pytest.approx(float(dice / (entropy + dice)), abs=1e-5)


def test_a_step_with_the_layers_to_train_with_is_the_step_without():
    scans, truth = batch()
    truth["idh"] = np.array([1.0, 0.0], np.float32)
    keras.utils.set_random_seed(0)
    plain = SGPNet(SHAPE, dropout=0.0)
    fast = SGPNet(SHAPE, dropout=0.0, kit=training_kit())
    copy_weights(plain, fast)
    logs = []
    for network in (plain, fast):
        joint = JointNetwork(network, batch_size=2)
        joint.compile(keras.optimizers.SGD(1e-3), run_eagerly=True)
        logs.append([joint.train_on_batch(scans, truth, return_dict=True) for _ in range(2)][-1])
    assert logs[1] == pytest.approx(logs[0], abs=1e-5)
    copied = SGPNet(SHAPE)
    copy_weights(fast, copied)
    assert np.array(copied(scans)["idh"]) == pytest.approx(np.array(fast(scans)["idh"]), abs=1e-5)


def test_steps_move_every_weight_and_lower_the_loss():
    keras.utils.set_random_seed(0)
    joint = JointNetwork(SGPNet((32, 32, 32, 4), dropout=0.0), batch_size=2)
    compile_network(joint, 100, 1e-3, 1e-3)
    scans = RNG.normal(size=(2, 32, 32, 32, 4)).astype(np.float32)
    truth = {"segmentation": (scans[..., 0] > 0.5).astype(np.uint8), "idh": np.array([1.0, 0.0], np.float32)}
    before = [weight.numpy() for weight in joint.trainable_variables]
    losses = [float(joint.train_on_batch(scans, truth, return_dict=True)["loss"]) for _ in range(6)]
    moved = [not np.array_equal(old, new) for old, new in zip(before, joint.trainable_variables, strict=True)]
    assert all(moved) and len(moved) == 120
    assert losses[-1] < 0.8 * losses[0]


def test_unknown_targets_are_errors():
    with pytest.raises(ValueError, match="targets must be one of"):
        JointNetwork(SGPNet(SHAPE), "grade")


def test_the_joint_network_comes_back_from_disk(tmp_path):
    scans, _ = batch()
    joint = JointNetwork(SGPNet(SHAPE), "segmentation", detach_k=True)
    joint.save(tmp_path / "joint.keras")
    loaded = keras.models.load_model(tmp_path / "joint.keras")
    assert (loaded.targets, loaded.detach_k) == ("segmentation", True)
    assert np.array_equal(loaded(scans)["idh"], joint(scans)["idh"])
