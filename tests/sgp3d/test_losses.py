"""The losses, against values worked out by hand and gradients by finite differences."""

import itertools

import keras
import numpy as np
import pytest

import glioma_idh.quiet_keras  # noqa: F401  loads TensorFlow quietly
from glioma_idh.sgp3d import JointNetwork, SGPNet, compile_network, dice_loss, joint_loss
from glioma_idh.sgp3d.losses import cross_entropy, dice_weight, lesion_channel
from glioma_idh.sgp3d.model import copy_weights
from glioma_idh.sgp3d.training_layers import training_factory
from tests.sgp3d.tiny import tiny_network

tf = pytest.importorskip("tensorflow")
RNG = np.random.default_rng(0)
SHAPE, TINY = (16, 16, 16, 4), (2, 4, 3, 4)


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


def test_a_sure_mistake_costs_much_and_no_infinity():
    """Probabilities are kept 1e-7 from 0 and 1."""
    assert float(cross_entropy(np.array([1.0]), tf.constant([0.0]))) == pytest.approx(-np.log(1e-7), rel=1e-3)
    assert float(cross_entropy(np.array([0.0]), tf.constant([1.0]))) == pytest.approx(-np.log(1e-7), rel=0.02)


def test_the_lesion_is_the_last_channel():
    two = RNG.random((1, 2, 2, 2, 2))
    assert np.array_equal(lesion_channel(tf.constant(two)), two[..., 1])
    assert np.array_equal(lesion_channel(tf.constant(two[..., :1])), two[..., 0])


def test_dice_by_hand():
    mask = np.zeros((2, 2, 2, 2))
    mask[0, 0] = 1  # 4 voxels of the first subject, 8 of the second
    mask[1] = 1
    probability = np.concatenate([cube(0.5), cube(0.25)])
    by_hand = [1 - (2 * 4 * 0.5 + 1) / (4 + 8 * 0.5 + 1), 1 - (2 * 8 * 0.25 + 1) / (8 + 8 * 0.25 + 1)]
    assert float(dice_loss(mask, tf.constant(probability))) == pytest.approx(np.mean(by_hand))
    by_hand = [1 - (2 * 4 * 0.5 + 3) / (4 + 8 * 0.5 + 3), 1 - (2 * 8 * 0.25 + 3) / (8 + 8 * 0.25 + 3)]
    assert float(dice_loss(mask, tf.constant(probability), 3.0)) == pytest.approx(np.mean(by_hand))


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


def batch(shape=TINY):
    scans = RNG.normal(size=(2, *shape)).astype(np.float32)
    mask = (RNG.random((2, *shape[:3])) < 0.3).astype(np.uint8)
    return scans, {"segmentation": mask, "idh": np.array([1, np.nan], np.float32)}


@pytest.mark.parametrize("smoothing_voxels", [1.0, 7.0])
@pytest.mark.parametrize("targets", ["both", "idh", "segmentation", "random-masks"])
def test_the_network_s_loss_is_that_of_its_outputs(targets, smoothing_voxels):
    scans, truth = batch()
    joint = JointNetwork(tiny_network(), targets, smoothing_voxels=smoothing_voxels)
    joint.compile("adam", run_eagerly=True)
    logs = joint.test_on_batch(scans, truth, return_dict=True)
    outputs = joint.network(scans)
    entropy = -np.log(float(outputs["idh"][0, 0]))  # the second subject's status is unknown
    lesion, mask = np.array(outputs["segmentation"])[..., 1], truth["segmentation"]
    common, total = (mask * lesion).sum(axis=(1, 2, 3)), (mask + lesion).sum(axis=(1, 2, 3))
    dice = np.mean(1 - (2 * common + smoothing_voxels) / (total + smoothing_voxels))
    k = dice / (entropy + dice)
    expected = {"idh": entropy, "segmentation": dice}.get(targets, entropy + k * dice)
    assert logs["loss"] == pytest.approx(expected, abs=1e-5)
    assert logs["cross_entropy"] == pytest.approx(entropy, abs=1e-5)
    assert logs["dice_loss"] == pytest.approx(dice, abs=1e-5)
    assert logs["k"] == pytest.approx(k, abs=1e-5)


@pytest.mark.parametrize("targets", ["both", "random-masks"])
@pytest.mark.parametrize("detach", [False, True])
def test_the_network_s_loss_holds_k_constant_only_where_asked(targets, detach):
    """The gradient to the genotype's probability p, with L1 = -log p: of L1 + L2^2 / (L1 + L2), or of L1 + k L2."""
    _, truth = batch()
    idh, lesion = tf.constant([[0.6], [0.9]]), tf.constant(RNG.uniform(0.1, 0.9, (2, 2, 4, 3, 1)).astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch([idh, lesion])
        outputs = {"idh": idh, "segmentation": lesion}
        loss = JointNetwork(tiny_network(), targets, detach_k=detach).compute_loss(y=truth, y_pred=outputs)
    of_idh, of_lesion = tape.gradient(loss, [idh, lesion])
    a, b = -np.log(0.6), float(dice_loss(truth["segmentation"], lesion[..., 0]))
    by_entropy, by_dice = 1 - b**2 / (a + b) ** 2, (2 * b * (a + b) - b**2) / (a + b) ** 2
    if detach:
        by_entropy, by_dice = 1, b / (a + b)
    assert np.array(of_idh)[:, 0] == pytest.approx([-by_entropy / 0.6, 0], rel=1e-4)
    with tf.GradientTape() as tape:
        tape.watch(lesion)
        dice = dice_loss(truth["segmentation"], lesion[..., 0])
    assert np.array(of_lesion) == pytest.approx(by_dice * np.array(tape.gradient(dice, lesion)), rel=1e-3, abs=1e-7)


@pytest.mark.parametrize(("targets", "still"), [("idh", "segmentation"), ("segmentation", "idh")])
def test_the_output_that_is_not_learnt_has_a_gradient_of_0(targets, still):
    """An optimizer of two groups wants a gradient for both."""
    scans, truth = batch()
    joint = JointNetwork(tiny_network(), targets)
    with tf.GradientTape() as tape:
        loss = joint.compute_loss(y=truth, y_pred=joint(scans, training=True))
    variables = joint.trainable_variables
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        size = float(tf.reduce_max(tf.abs(gradient)))
        assert size == 0 if variable.path.startswith(still) else size > 1e-6, variable.path


@pytest.mark.parametrize(("blocks", "names"), [(("idh",), ["cross_entropy"]), (("segmentation",), ["dice_loss"])])
def test_a_network_of_one_output_has_its_loss_alone(blocks, names):
    scans, truth = batch()
    joint = JointNetwork(tiny_network(blocks=blocks), blocks[0])
    joint.compile("adam", run_eagerly=True)
    logs = joint.test_on_batch(scans, truth, return_dict=True)
    assert list(joint.trackers) == names and logs["loss"] == pytest.approx(logs[names[0]]) and logs["loss"] > 0


def test_batches_of_a_known_size_reach_the_network_with_it_in_training_alone():
    sizes = []
    joint = JointNetwork(tiny_network(), batch_size=2)
    whole = tf.function(lambda scans, train: sizes.append(joint(scans, training=train)["idh"].shape[0]))
    for train in (True, False):
        whole.get_concrete_function(tf.TensorSpec((None, *TINY)), train)
    assert sizes == [2, None]


@pytest.mark.integration
def test_a_step_with_the_layers_to_train_with_is_the_step_without():
    scans, truth = batch(SHAPE)
    truth["idh"] = np.array([1.0, 0.0], np.float32)
    keras.utils.set_random_seed(0)
    plain = SGPNet(SHAPE, filters=2, dropout=0.0)
    fast = SGPNet(SHAPE, filters=2, dropout=0.0, factory=training_factory())
    copy_weights(plain, fast)
    logs = []
    for network in (plain, fast):
        joint = JointNetwork(network, batch_size=2)
        joint.compile(keras.optimizers.SGD(1e-3), run_eagerly=True)
        logs.append([joint.train_on_batch(scans, truth, return_dict=True) for _ in range(2)][-1])
    assert logs[1] == pytest.approx(logs[0], abs=1e-5)
    copied = SGPNet(SHAPE, filters=2)
    copy_weights(fast, copied)
    assert np.array(copied(scans)["idh"]) == pytest.approx(np.array(fast(scans)["idh"]), abs=1e-5)


@pytest.mark.integration
def test_steps_move_every_weight_and_lower_the_loss():
    """In steps that are not traced: that takes longer than they do."""
    keras.utils.set_random_seed(0)
    joint = JointNetwork(SGPNet((32, 32, 16, 4), filters=2, dropout=0.0), batch_size=2)
    compile_network(joint, 100, 1e-2, 1e-3)
    joint.run_eagerly = True
    scans = RNG.normal(size=(2, 32, 32, 16, 4)).astype(np.float32)
    truth = {"segmentation": (scans[..., 0] > 0.5).astype(np.uint8), "idh": np.array([1.0, 0.0], np.float32)}
    before = [weight.numpy() for weight in joint.trainable_variables]
    losses = [float(joint.train_on_batch(scans, truth, return_dict=True)["loss"]) for _ in range(6)]
    moved = [not np.array_equal(old, new) for old, new in zip(before, joint.trainable_variables, strict=True)]
    assert all(moved) and len(moved) == 120
    assert losses[-1] < 0.8 * losses[0]


def test_a_traced_training_learns_of_batches_and_tests_on_the_last_epoch():
    keras.utils.set_random_seed(0)
    joint = JointNetwork(tiny_network(), batch_size=2)
    compile_network(joint, 40, 0.05, 0.05)
    scans, truth = batch()
    truth["segmentation"] = (scans[..., 0] > 0).astype(np.uint8)
    pairs = ((scans, truth) for _ in itertools.count())
    test = (scans[:1], {name: values[:1] for name, values in truth.items()})
    history = joint.fit(
        pairs, steps_per_epoch=10, epochs=4, validation_data=test, validation_freq=4, verbose=0, shuffle=False
    ).history
    assert history["loss"][-1] < 0.5 * history["loss"][0] and len(history["val_loss"]) == 1
    assert history["val_cross_entropy"][0] == pytest.approx(-np.log(joint(scans)["idh"][0, 0]), rel=1e-3)


def test_unknown_targets_are_errors():
    with pytest.raises(ValueError, match="targets must be one of"):
        JointNetwork(tiny_network(), "grade")


def test_the_joint_network_comes_back_from_disk(tmp_path):
    scans, _ = batch()
    joint = JointNetwork(tiny_network(), "segmentation", detach_k=True, smoothing_voxels=3.0, batch_size=2)
    joint.save(tmp_path / "joint.keras")
    loaded = keras.models.load_model(tmp_path / "joint.keras")
    assert (loaded.targets, loaded.detach_k, loaded.smoothing_voxels, loaded.batch_size) == ("segmentation", True, 3, 2)
    assert np.array_equal(loaded(scans)["idh"], joint(scans)["idh"])
