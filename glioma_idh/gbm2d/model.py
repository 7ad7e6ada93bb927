"""The four-block slice CNN of Pasquini et al. 2021."""

from glioma_idh.quiet_keras import keras, layers, ops


def build_cnn(
    input_shape: tuple[int, int, int] = (64, 64, 1),
    filters: tuple[int, ...] = (16, 32, 64, 64),
    units: tuple[int, ...] = (64, 32),
    num_classes: int = 2,
    normalisation: type[layers.Layer] = layers.BatchNormalization,
) -> keras.Model:
    """Build the network of Figure 2: blocks of convolution, ReLU, batch normalisation and pooling, then dense layers.

    The paper states neither filters nor units, only that the network has few parameters; the numbers are our choice.

    Args:
        input_shape: (height, width, channels); height and width divisible by 2 ** number of blocks.
        filters: of the 3 x 3 convolution of each block.
        units: of the dense layers before the last.
        num_classes: units of the last layer (softmax).
        normalisation: layer class after each ReLU; one with the same weights and results may train faster.

    Returns:
        An uncompiled functional model. Its layers are `block1_conv`, ..., `dense1`, ..., `idh`; class 1 is IDH-mutant.
    """
    inputs = x = keras.Input(input_shape, name="slice")
    for block, num_filters in enumerate(filters, start=1):
        x = layers.Conv2D(num_filters, 3, padding="same", activation="relu", name=f"block{block}_conv")(x)
        x = normalisation(name=f"block{block}_norm")(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)

    x = layers.Flatten(name="flatten")(x)
    for index, width in enumerate(units, start=1):
        x = layers.Dense(width, activation="relu", name=f"dense{index}")(x)
    outputs = layers.Dense(num_classes, activation="softmax", name="idh")(x)
    return keras.Model(inputs, outputs, name="gbm_slice_cnn")


def compile_network(network: keras.Model, learning_rate: float, steps_per_epoch: int) -> None:
    """Compile with categorical cross-entropy and Adam.

    One call runs a whole epoch. XLA is off, because it is slower for convolutions on a CPU.
    """
    network.compile(
        keras.optimizers.Adam(learning_rate),
        "categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=steps_per_epoch,
        jit_compile=False,
    )


class FusedBatchNormalization(layers.BatchNormalization):
    """Batch normalisation with TensorFlow's fused kernel; the results equal those of the Keras layer.

    For training only, where it saves a fifth of the time of a step on a CPU. Networks are saved with the Keras layer.
    """

    def call(self, inputs, training=None, mask=None):
        if not training:
            return super().call(inputs, training=False, mask=mask)
        import tensorflow as tf

        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, self.gamma, self.beta, epsilon=self.epsilon, is_training=True
        )
        count = ops.cast(ops.size(inputs) / inputs.shape[-1], variance.dtype)
        variance = variance * (count - 1) / count  # the kernel gives the sample variance, Keras the population variance
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + batch * (1 - self.momentum))
        return outputs


def training_normalisation() -> type[layers.BatchNormalization]:
    """Return the batch normalisation for training: the fused kernel on TensorFlow, else the Keras layer."""
    return FusedBatchNormalization if keras.backend.backend() == "tensorflow" else layers.BatchNormalization
