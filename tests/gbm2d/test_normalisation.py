"""The fused kernel gives the numbers of Keras' own layer."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from glioma_idh.gbm2d.normalisation import FusedBatchNormalization


def run(layer, x, weights):
    """Outputs, gradients and moving averages of two training steps' worth of calls, and an inference."""
    layer.build(x.shape)
    layer.set_weights(weights)
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = layer(x, training=True)
        loss = tf.reduce_sum(outputs**3)
    gradients = tape.gradient(loss, [x, *layer.trainable_variables])
    return [outputs, *gradients, *layer.non_trainable_variables, layer(x, training=False)]


@pytest.mark.parametrize("shape", [(16, 8, 8, 4), (3, 2, 2, 5)])
def test_outputs_gradients_and_moving_averages(shape):
    rng = np.random.default_rng(0)
    x = tf.constant(rng.normal(3, 2, shape).astype(np.float32))
    weights = [rng.uniform(0.5, 2, shape[-1]).astype(np.float32) for _ in range(4)]
    fused = run(FusedBatchNormalization(), x, weights)
    plain = run(keras.layers.BatchNormalization(), x, weights)
    for one, other in zip(fused, plain, strict=True):
        scale = np.abs(other).max()
        assert np.array(one) == pytest.approx(np.array(other), abs=2e-5 * float(scale))
