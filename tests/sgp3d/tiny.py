"""The smallest network with SGPNet's two outputs and the names of its blocks, for what holds for any network."""

import keras
from keras import layers


def tiny_network(input_shape=(2, 4, 3, 4), blocks=("segmentation", "idh")) -> keras.Model:
    """A voxel-wise backbone of three channels; weights follow from Keras' seed."""
    inputs = keras.Input(input_shape, name="scans")
    x = layers.Conv3D(3, 1, activation="tanh", name="backbone_full")(inputs)
    outputs = {}
    if "segmentation" in blocks:
        x_segmentation = layers.Conv3D(2, 1, name="segmentation_full_conv")(x)
        outputs["segmentation"] = layers.Softmax(name="segmentation")(x_segmentation)
    if "idh" in blocks:
        features = layers.GlobalAveragePooling3D(name="idh_pool")(layers.Conv3D(2, 1, name="idh_full_conv")(x))
        outputs["idh"] = layers.Dense(1, activation="sigmoid", name="idh")(features)
    return keras.Model(inputs, outputs, name="tiny")
