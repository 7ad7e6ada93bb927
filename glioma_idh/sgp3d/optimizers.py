"""Two learning rates with cosine annealing (paper: "Implementation details")."""

from glioma_idh.quiet_keras import keras

GROUPS = ("backbone", "idh")
IDH_VARIABLES = "idh.*"  # matches whole paths, such as idh_full_conv/kernel; a bare "idh" would match none


def build_optimizer(
    total_steps: int, learning_rate: float = 1e-4, idh_learning_rate: float = 5e-5
) -> keras.optimizers.MultiOptimizer:
    """Build two Adam optimizers: one for backbone and segmentation block, one for the IDH block (by layer names).

    The learning rates are those of the first step; both fall to 0 along a cosine over `total_steps` (number of epochs
    times steps per epoch).
    """
    rest, idh = (
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, total_steps), name=f"adam_{group}")
        for group, rate in zip(GROUPS, (learning_rate, idh_learning_rate), strict=True)
    )
    return keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(rest, {IDH_VARIABLES: idh}))


def compile_network(
    joint: keras.Model, total_steps: int, learning_rate: float = 1e-4, idh_learning_rate: float | None = 5e-5
) -> None:
    """Compile a `JointNetwork`. With an `idh_learning_rate` of None, all weights share one learning rate.

    XLA is off, because it is slower for 3D convolutions on a CPU. The optimizer is built here, because building it in
    the first step would trace that step twice.
    """
    if idh_learning_rate is None:
        optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, total_steps))
    else:
        optimizer = build_optimizer(total_steps, learning_rate, idh_learning_rate)
    optimizer.build(joint.trainable_variables)
    joint.compile(optimizer, jit_compile=False)
