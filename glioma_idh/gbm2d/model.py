"""The four-block slice CNN of Pasquini et al. 2021."""

from glioma_idh.quiet_keras import keras, layers, ops


def build_cnn(
    input_shape: tuple[int, int, int] = (64, 64, 1),
    filters: tuple[int, ...] = (16, 32, 64, 64),
    units: tuple[int, ...] = (64, 32),
    num_classes: int = 2,
    normalisation: type[layers.Layer] = layers.BatchNormalization,
) -> keras.Model:
    """The network of Figure 2: blocks of convolution, ReLU, batch normalisation and pooling, then three dense layers.

    Differs from the paper: nothing that it states; it gives neither filters nor units, and asks for few parameters.

    The uncompiled functional model has layers `block1_conv`, ..., `dense1`, ..., `idh`; class 1 is IDH-mutant.

    Args:
        input_shape: (height, width, channels), each side divisible by 2 to the number of blocks.
        filters, units: of each block's 3 x 3 convolution, and of the dense layers before the last.
        normalisation: the layer after each ReLU; another one with the same weights and numbers may train faster.
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
    """Categorical cross-entropy and Adam; a whole epoch in one call, no XLA (slower for convolutions on a CPU)."""
    network.compile(
        keras.optimizers.Adam(learning_rate),
        "categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=steps_per_epoch,
        jit_compile=False,
    )


class FusedBatchNormalization(layers.BatchNormalization):
    """Batch normalisation in TensorFlow's one kernel, with the numbers of Keras' own layer, which spells it out.

    For training only, where it saves a fifth of a step on a CPU; networks are saved with Keras' own.
    """

    def call(self, inputs, training=None, mask=None):
        if not training:
            return super().call(inputs, training=False, mask=mask)
        import tensorflow as tf

        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, self.gamma, self.beta, epsilon=self.epsilon, is_training=True
        )
        count = ops.cast(ops.size(inputs) / inputs.shape[-1], variance.dtype)
        variance = variance * (count - 1) / count  # the kernel's is that of a sample, Keras keeps that of the batch
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + batch * (1 - self.momentum))
        return outputs


def training_normalisation() -> type[layers.BatchNormalization]:
    """The batch normalisation to train with: the fused kernel on TensorFlow, else Keras' own."""
    return FusedBatchNormalization if keras.backend.backend() == "tensorflow" else layers.BatchNormalization
