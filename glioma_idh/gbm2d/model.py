"""The four-block slice CNN of Pasquini et al. 2021."""

import keras
from keras import layers


def build_cnn(
    input_shape: tuple[int, int, int] = (64, 64, 1),
    filters: tuple[int, ...] = (16, 32, 64, 64),
    units: tuple[int, ...] = (64, 32),
    num_classes: int = 2,
    normalisation: type[layers.Layer] = layers.BatchNormalization,
) -> keras.Model:
    """The network of Figure 2: blocks of convolution, ReLU, batch normalisation and pooling, then three dense layers.

    Differs from the paper: nothing that it states; it gives neither filters nor units, and asks for few parameters.

    Args:
        input_shape: (height, width, channels), each side divisible by 2 to the number of blocks.
        filters: output channels of each block's 3 x 3 convolution.
        units: widths of the dense layers before the last.
        num_classes: of the softmax; class 1 is IDH-mutant.
        normalisation: layer class; another with the same weights and numbers may be faster in training.

    Returns:
        An uncompiled functional model with layers `block1_conv`, ..., `dense1`, ..., `idh`.
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
