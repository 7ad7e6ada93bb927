"""Two learning rates, each annealed along a cosine ("Implementation details" of the paper)."""

from glioma_idh.quiet_keras import keras

GROUPS = ("backbone", "idh")
IDH_VARIABLES = "idh.*"  # matches whole paths, such as idh_full_conv/kernel; a bare "idh" would match none


def build_optimizer(
    total_steps: int, learning_rate: float = 1e-4, idh_learning_rate: float = 5e-5
) -> keras.optimizers.MultiOptimizer:
    """Adam for backbone and segmentation block, another Adam for the IDH block; both rates fall to 0 along a cosine.

    Args:
        total_steps: after which the rates are 0; epochs times steps an epoch.
        learning_rate: of the first step, backbone and segmentation block.
        idh_learning_rate: of the first step, IDH block, which is known by its layers' names.
    """
    rest, idh = (
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, total_steps), name=f"adam_{group}")
        for group, rate in zip(GROUPS, (learning_rate, idh_learning_rate), strict=True)
    )
    return keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(rest, {IDH_VARIABLES: idh}))


def learning_rates(optimizer: keras.optimizers.MultiOptimizer) -> dict[str, float]:
    """The rate that each group's next step takes, by group: `backbone` (segmentation block included) and `idh`."""
    by_name = {inner.name.removeprefix("adam_"): inner for inner in optimizer.optimizers}
    return {group: float(keras.ops.convert_to_numpy(by_name[group].learning_rate)) for group in GROUPS}


def compile_network(
    joint: keras.Model, total_steps: int, learning_rate: float = 1e-4, idh_learning_rate: float | None = 5e-5
) -> None:
    """Make a `JointNetwork` ready for `fit`; no XLA, which is slower for 3D convolutions on a CPU.

    The optimizer's variables are made here: made within the first step, they would have it traced twice.

    Args:
        joint: network with its loss.
        total_steps, learning_rate: see `build_optimizer`.
        idh_learning_rate: likewise; None for a network with one rate for all.
    """
    if idh_learning_rate is None:
        optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, total_steps))
    else:
        optimizer = build_optimizer(total_steps, learning_rate, idh_learning_rate)
    optimizer.build(joint.trainable_variables)
    joint.compile(optimizer, jit_compile=False)
