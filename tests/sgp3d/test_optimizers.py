"""Two groups of variables, each at its own rate, before and after saving."""

import math

import keras
import numpy as np
import pytest

from glioma_idh.sgp3d import JointNetwork, SGPNet, build_optimizer, compile_network
from glioma_idh.sgp3d.optimizers import GROUPS
from glioma_idh.training import callbacks
from tests.sgp3d.tiny import tiny_network

SHAPE = (2, 4, 3, 4)
RNG = np.random.default_rng(0)
SCANS = RNG.normal(size=(2, *SHAPE)).astype(np.float32)
TRUTH = {"segmentation": (SCANS[..., 0] > 0).astype(np.uint8), "idh": np.array([1.0, 0.0], np.float32)}


def learning_rates(optimizer: keras.optimizers.MultiOptimizer) -> dict[str, float]:
    """The rate that each group's next step takes, by group: `backbone` (segmentation block included) and `idh`."""
    by_name = {inner.name.removeprefix("adam_"): inner for inner in optimizer.optimizers}
    return {group: float(keras.ops.convert_to_numpy(by_name[group].learning_rate)) for group in GROUPS}


@pytest.fixture(scope="module")
def sgpnet():
    return SGPNet((16, 16, 16, 4), filters=2)


def small_joint_network(total_steps, **rates):
    keras.utils.set_random_seed(0)
    joint = JointNetwork(tiny_network())
    joint.compile(build_optimizer(total_steps, **rates), run_eagerly=True)  # tracing takes longer than the steps
    return joint


def test_the_groups_hold_the_variables_of_their_blocks(sgpnet):
    optimizer, network = build_optimizer(10), sgpnet
    optimizer.build(network.trainable_variables)
    convolutions = 5 * 3 + 2 + 3 * 3 + 1
    normalisations = 1 + 4 * 3 + 2 + 3 * 3 + 1  # the top level has but one
    rest = 2 * (convolutions + normalisations + 3)
    idh = 2 * (4 + 1)
    counted = {inner.name: (len(inner.variables) - 1) // 2 for inner in optimizer.optimizers}  # two moments each
    assert counted == {"adam_idh": idh, "adam_backbone": rest} == {"adam_idh": 10, "adam_backbone": 110}
    shapes = sorted(tuple(variable.shape) for inner in optimizer.optimizers for variable in inner.variables[1:])
    assert shapes == sorted(tuple(variable.shape) for variable in network.trainable_variables for _ in range(2))


def test_rates_at_the_first_middle_and_last_step():
    total = 8
    optimizer, variables = build_optimizer(total), tiny_network().trainable_variables
    optimizer.build(variables)
    rates = []
    for _ in range(total + 1):
        rates.append(learning_rates(optimizer))
        optimizer.apply([keras.ops.zeros(variable.shape) for variable in variables])
    for step in (0, 4, 7, 8):
        share = (1 + math.cos(math.pi * step / total)) / 2
        assert rates[step] == pytest.approx({"backbone": 1e-4 * share, "idh": 5e-5 * share}, abs=1e-10)
    assert rates[4]["backbone"] == pytest.approx(5e-5) and rates[8]["idh"] == pytest.approx(0, abs=1e-12)


def test_adam_s_first_step_moves_each_weight_by_its_group_s_rate(sgpnet):
    """Whatever the gradient, Adam's first step is the rate long."""
    optimizer, variables = build_optimizer(100, learning_rate=1e-3, idh_learning_rate=1e-4), sgpnet.trainable_variables
    before = {weight.path: weight.numpy() for weight in variables}
    optimizer.build(variables)
    optimizer.apply([keras.ops.ones(weight.shape) for weight in variables])
    steps = {weight.path: before[weight.path] - weight.numpy() for weight in variables}
    for path, step in steps.items():
        assert step == pytest.approx(1e-4 if path.startswith("idh") else 1e-3, rel=1e-2), path
    assert {path.split("_")[0].split("/")[0] for path in steps} == {"backbone", "segmentation", "idh"}


def test_a_training_step_moves_the_blocks_by_their_rates():
    joint = small_joint_network(100, learning_rate=1e-3, idh_learning_rate=1e-4)
    before = {weight.path: weight.numpy() for weight in joint.trainable_variables}
    joint.train_on_batch(SCANS, TRUTH)
    steps = {weight.path: np.abs(weight.numpy() - before[weight.path]).max() for weight in joint.trainable_variables}
    assert steps["idh/kernel"] == pytest.approx(1e-4, rel=1e-2)
    assert steps["idh_full_conv/kernel"] == pytest.approx(1e-4, rel=1e-2)
    assert steps["segmentation_full_conv/kernel"] == pytest.approx(1e-3, rel=1e-2)
    assert steps["backbone_full/kernel"] == pytest.approx(1e-3, rel=1e-2)


def test_both_rates_and_their_moments_survive_saving_and_resuming(tmp_path):
    total = 4
    straight = small_joint_network(total)
    for _ in range(total):
        straight.train_on_batch(SCANS, TRUTH)

    first = small_joint_network(total)
    checkpoint = callbacks.Checkpoint(tmp_path, steps_per_epoch=1)
    checkpoint.set_model(first)
    for step in range(2):
        first.train_on_batch(SCANS, TRUTH)
        checkpoint.rows.append({"epoch": step + 1})
    checkpoint.save()
    halfway = learning_rates(first.optimizer)
    assert halfway == pytest.approx({"backbone": 5e-5, "idh": 2.5e-5})

    second = small_joint_network(total)
    assert callbacks.Checkpoint(tmp_path, steps_per_epoch=1).restore(second) == 2
    assert learning_rates(second.optimizer) == halfway
    for _ in range(2):
        second.train_on_batch(SCANS, TRUTH)
    for one, other in zip(straight.weights, second.weights, strict=True):
        assert np.array_equal(one, other), one.path
    for one, other in zip(straight.optimizer.variables, second.optimizer.variables, strict=True):
        assert np.array_equal(one, other), one.path


def test_a_network_is_made_ready_with_its_optimizer_s_variables_there():
    joint = JointNetwork(tiny_network())
    compile_network(joint, 10, learning_rate=2e-4, idh_learning_rate=1e-4)
    assert joint.optimizer.built and not joint.jit_compile
    assert learning_rates(joint.optimizer) == pytest.approx({"backbone": 2e-4, "idh": 1e-4})


def test_a_network_with_one_rate_for_all_has_one_adam_whose_rate_ends_at_0():
    joint = JointNetwork(tiny_network(blocks=("idh",)), "idh")
    compile_network(joint, 10, learning_rate=2e-4, idh_learning_rate=None)
    rates = [float(joint.optimizer._learning_rate(step)) for step in (0, 5, 10, 11)]
    assert type(joint.optimizer) is keras.optimizers.Adam and joint.optimizer.built
    assert rates == pytest.approx([2e-4, 1e-4, 0, 0], rel=1e-5, abs=1e-12)


def test_without_rates_they_are_the_paper_s():
    joint = JointNetwork(tiny_network())
    compile_network(joint, 10)
    assert learning_rates(joint.optimizer) == pytest.approx({"backbone": 1e-4, "idh": 5e-5})


def test_the_optimizer_comes_back_from_its_settings():
    optimizer = keras.optimizers.deserialize(keras.optimizers.serialize(build_optimizer(10)))
    optimizer.build(tiny_network().trainable_variables)
    assert learning_rates(optimizer) == pytest.approx({"backbone": 1e-4, "idh": 5e-5})
