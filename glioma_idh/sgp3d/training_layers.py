"""SGPNet in fewer passes over memory: to train with, as a network is saved with Keras' own layers.

Each layer has the weights of the Keras layers whose place it takes and, up to rounding, the network has their numbers
and gradients. A bias that a normalisation takes out again has a gradient of 0: it is neither added nor trained.
"""

import numpy as np

from glioma_idh.quiet_keras import keras, layers, ops
from glioma_idh.sgp3d.model import KERAS_LAYERS, LayerFactory


class InstanceNormalization(layers.GroupNormalization):
    """Instance normalisation in TensorFlow's one kernel for batch normalisation, a subject at a time.

    Keras' own layer spells it out in a dozen passes. Where the number of subjects in a batch is not known beforehand,
    or in float64, it is Keras' own that runs.
    """

    def call(self, inputs):
        if inputs.shape[0] is None or inputs.dtype == "float64":
            return super().call(inputs)
        import tensorflow as tf

        if inputs.shape[-1] % 16:  # the kernel is slow in bfloat16 for fewer channels
            inputs = ops.cast(inputs, "float32")
        weights = {"scale": self.gamma, "offset": self.beta, "mean": [], "variance": []}
        normalised = [  # over i, j, k: to the kernel, i counts the images of a batch
            tf.raw_ops.FusedBatchNormV3(x=subject, **weights, epsilon=self.epsilon, is_training=True).y
            for subject in tf.unstack(inputs)
        ]
        return ops.cast(tf.stack(normalised), self.compute_dtype)


class UnbiasedConvolution(layers.Conv3D):
    """A convolution whose bias is kept as it is and not added; for use before a normalisation alone."""

    def build(self, input_shape):
        super().build(input_shape)
        self.bias.trainable = False

    def call(self, inputs):
        return ops.conv(inputs, ops.cast(self.kernel, self.compute_dtype), self.strides, self.padding)


class UpConvolution(UnbiasedConvolution):
    """Nearest-neighbour up-sampling by 2 and a 3 x 3 x 3 convolution, as one transposed convolution.

    Eight voxels in a cube are equal after up-sampling, so most of the convolution's products are the same ones: a
    transposed convolution with the kernel's sums, 4 x 4 x 4 at stride 2, makes 8 products for each 27.
    """

    SUMS = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], dtype=np.float32)  # of taps, an axis

    def call(self, inputs):
        sums = ops.cast(self.SUMS, self.kernel.dtype)
        kernel = ops.einsum("ax,by,cz,xyzio->abcoi", sums, sums, sums, self.kernel)
        return ops.conv_transpose(inputs, ops.cast(kernel, self.compute_dtype), strides=2, padding="same")

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *(2 * side for side in input_shape[1:-1]), self.filters)


class TapMeans(layers.Layer):
    """The mean, over all voxels, of what each tap of a 3 x 3 x 3 kernel meets; outside the input is 0.

    Convolution and mean are linear, so the mean of a convolution is one product with these means, and the convolution
    need not be done voxel by voxel.
    """

    def call(self, inputs):
        """Shape (n, i, j, k, channel) -> (n, 3, 3, 3, channel)."""
        x = inputs
        for axis in (1, 2, 3):  # replaced by the three taps along it
            side, before, after = x.shape[axis], x.shape[1:axis], x.shape[axis + 1 :]
            met = np.ones((3, side)) / side
            met[0, -1] = met[2, 0] = 0  # the first tap never meets the last voxel, nor the last tap the first
            x = ops.reshape(x, (-1, *before, side, int(np.prod(after))))
            x = ops.matmul(ops.cast(met, x.dtype), x)
            x = ops.reshape(x, (-1, *before, 3, *after))
        return x


def _convolve_means(branches: dict, tap: str):
    """Convolutions of a tap, and their means over all voxels, by way of `TapMeans`."""

    def pooled(x):
        means = TapMeans(name=f"idh_{tap}_means")(x)
        middle = {3: means, 1: layers.Cropping3D(1, name=f"idh_{tap}_middle")(means)}
        outputs = []
        for name, (filters, size) in branches.items():
            product = layers.Conv3D(filters, size, name=f"{name}_conv")(middle[size])
            outputs.append(layers.Flatten(name=f"{name}_flat")(product))
        return outputs

    return pooled


class LesionProbability(layers.Layer):
    """The lesion's channel of a softmax over two: the sigmoid of their difference."""

    def call(self, inputs):
        """Shape (n, i, j, k, 2) -> (n, i, j, k, 1)."""
        return ops.sigmoid(ops.matmul(inputs, ops.cast([[-1], [1]], inputs.dtype)))


class RunningStandardisation(layers.Layer):
    """Features minus their running mean, over their running standard deviation, times `SPREAD`.

    Where a lesion is a hundredth of the image, the pooled features of the IDH block differ between subjects by
    thousandths, around means of tenths: the last layer's gradient is then nearly the same for every subject. Batch
    normalisation would take the mean from the batch, here of two. No gradient goes through the statistics.
    """

    MOMENTUM = 0.9  # longer, and the mean lags behind what training makes of the features
    SPREAD = 0.1  # the larger, the more the genotype moves the backbone, and the sooner subjects are known by heart

    def build(self, input_shape):
        """Mean 0 and standard deviation `SPREAD`: at first the features pass as they are."""
        self.mean, self.variance = (
            self.add_weight(input_shape[-1:], keras.initializers.Constant(value), trainable=False, name=name)
            for name, value in (("mean", 0.0), ("variance", self.SPREAD**2))
        )

    def call(self, inputs, training=None):
        """Shape (n, feature); statistics take in the batch after it has passed."""
        outputs = (inputs - self.mean) * self._factor()
        if training:
            batch = ops.stop_gradient(inputs)
            squares = ops.mean(ops.square(batch - self.mean), axis=0)
            for statistic, new in ((self.variance, squares), (self.mean, ops.mean(batch, axis=0))):
                statistic.assign(self.MOMENTUM * statistic + (1 - self.MOMENTUM) * new)
        return outputs

    def _factor(self):
        return self.SPREAD / ops.sqrt(self.variance + keras.config.epsilon())

    def folded(self, kernel, bias):
        """Kernel, shape (feature, 1), and bias of a dense layer that does without this one before it."""
        factor = self._factor()
        return kernel * factor[:, None], bias - ops.matmul(self.mean * factor, kernel)


def training_factory(standardise_features: bool = False) -> LayerFactory:
    """The layers to train with: on TensorFlow instance normalisation too, on other backends Keras' own.

    On request the IDH block standardises its pooled features.
    """
    on_tensorflow = keras.backend.backend() == "tensorflow"
    normalisation = InstanceNormalization if on_tensorflow else layers.GroupNormalization
    return LayerFactory(
        lambda name: normalisation(groups=-1, name=name),
        lambda filters, size, name, strides=1: UnbiasedConvolution(filters, size, strides, "same", name=f"{name}_conv"),
        lambda filters, name: UpConvolution(filters, 3, padding="same", name=f"{name}_conv"),
        _convolve_means,
        lambda name: LesionProbability(name=name, dtype="float32"),
        (lambda name: RunningStandardisation(name=name)) if standardise_features else KERAS_LAYERS.standardise,
    )
