"""Two learning rates, each annealed along a cosine ("Implementation details" of the paper)."""

from glioma_idh.quiet_keras import keras

GROUPS = ("backbone", "idh")
IDH_VARIABLES = "idh.*"  # matches whole paths, such as idh_full_conv/kernel; a bare "idh" would match none


def build_optimizer(
    total_steps: int, learning_rate: float = 1e-4, idh_learning_rate: float = 5e-5
) -> keras.optimizers.MultiOptimizer:
    """Adam for backbone and segmentation block, another for the IDH block, which is known by its layers' names.

    Rates are those of the first step; both fall to 0 along a cosine of `total_steps`, epochs times steps an epoch.
    """
    rest, idh = (
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, total_steps), name=f"adam_{group}")
        for group, rate in zip(GROUPS, (learning_rate, idh_learning_rate), strict=True)
    )
    return keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(rest, {IDH_VARIABLES: idh}))


def compile_network(
    joint: keras.Model, total_steps: int, learning_rate: float = 1e-4, idh_learning_rate: float | None = 5e-5
) -> None:
    """Make a `JointNetwork` ready for `fit`; no XLA, which is slower for 3D convolutions on a CPU.

    The optimizer's variables are made here: made within the first step, they would have it traced twice. An
    `idh_learning_rate` of None is for a network with one rate for all.
    """
    if idh_learning_rate is None:
        optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, total_steps))
    else:
        optimizer = build_optimizer(total_steps, learning_rate, idh_learning_rate)
    optimizer.build(joint.trainable_variables)
    joint.compile(optimizer, jit_compile=False)
