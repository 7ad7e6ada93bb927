"""Faster layers for training SGPNet, with fewer passes over memory. Saved networks have Keras layers only.

Each layer has the same weights as the Keras layers that it replaces; results and gradients are equal up to rounding.
The bias before a normalisation has no effect, so it is neither added nor trained.
"""

import numpy as np

from glioma_idh.quiet_keras import keras, layers, ops
from glioma_idh.sgp3d.model import KERAS_LAYERS, LayerFactory


class InstanceNormalization(layers.GroupNormalization):
    """Instance normalisation with TensorFlow's fused kernel for batch normalisation, one subject at a time.

    The Keras layer takes a dozen passes over memory. It is still used in float64, or if the batch size is not fixed.
    """

    def call(self, inputs):
        if inputs.shape[0] is None or inputs.dtype == "float64":
            return super().call(inputs)
        import tensorflow as tf

        if inputs.shape[-1] % 16:  # the kernel is slow in bfloat16 for fewer channels
            inputs = ops.cast(inputs, "float32")
        weights = {"scale": self.gamma, "offset": self.beta, "mean": [], "variance": []}
        normalised = [  # over i, j, k; the kernel takes the axis i as its batch axis
            tf.raw_ops.FusedBatchNormV3(x=subject, **weights, epsilon=self.epsilon, is_training=True).y
            for subject in tf.unstack(inputs)
        ]
        return ops.cast(tf.stack(normalised), self.compute_dtype)


class UnbiasedConvolution(layers.Conv3D):
    """A convolution without its bias; only for use before a normalisation, which would remove the bias anyway."""

    def build(self, input_shape):
        super().build(input_shape)
        self.bias.trainable = False

    def call(self, inputs):
        return ops.conv(inputs, ops.cast(self.kernel, self.compute_dtype), self.strides, self.padding)


class UpConvolution(UnbiasedConvolution):
    """Nearest-neighbour up-sampling by 2 and a 3 x 3 x 3 convolution, as one transposed convolution.

    After up-sampling, each 2 x 2 x 2 cube has equal voxels, so many products of the convolution are the same. A
    transposed convolution of 4 x 4 x 4 at stride 2, with sums of the kernel, needs 8 products instead of 27.
    """

    SUMS = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], dtype=np.float32)  # of kernel elements, along an axis

    def call(self, inputs):
        sums = ops.cast(self.SUMS, self.kernel.dtype)
        kernel = ops.einsum("ax,by,cz,xyzio->abcoi", sums, sums, sums, self.kernel)
        return ops.conv_transpose(inputs, ops.cast(kernel, self.compute_dtype), strides=2, padding="same")

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *(2 * side for side in input_shape[1:-1]), self.filters)


class TapMeans(layers.Layer):
    """The mean input of each element of a 3 x 3 x 3 kernel over all its positions, with zero padding.

    Convolution and mean are linear, so the mean of a convolution is the product of the kernel with these means. The
    convolution itself need not be computed.
    """

    def call(self, inputs):
        """Map shape (n, i, j, k, channel) to (n, 3, 3, 3, channel)."""
        x = inputs
        for axis in (1, 2, 3):  # the axis is replaced by the three kernel elements along it
            side, before, after = x.shape[axis], x.shape[1:axis], x.shape[axis + 1 :]
            met = np.ones((3, side)) / side
            met[0, -1] = met[2, 0] = (
                0  # the first kernel element never meets the last voxel, nor the last element the first voxel
            )
            x = ops.reshape(x, (-1, *before, side, int(np.prod(after))))
            x = ops.matmul(ops.cast(met, x.dtype), x)
            x = ops.reshape(x, (-1, *before, 3, *after))
        return x


def _convolve_means(branches: dict, tap: str):
    """Compute the means of the convolutions of a feature map over all voxels, with `TapMeans`."""

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
    """The lesion channel of a softmax over two channels, computed as the sigmoid of their difference."""

    def call(self, inputs):
        """Map shape (n, i, j, k, 2) to (n, i, j, k, 1)."""
        return ops.sigmoid(ops.matmul(inputs, ops.cast([[-1], [1]], inputs.dtype)))


class RunningStandardisation(layers.Layer):
    """Standardise features by their running mean and running standard deviation, scaled to `SPREAD`.

    If a lesion is 1 % of the image, the pooled features of the IDH block have means of about 0.1 but differ between
    subjects by about 0.001 only. The gradient of the last layer is then nearly the same for all subjects. Batch
    normalisation would use the statistics of the batch, here of two subjects. The statistics have no gradient.
    """

    MOMENTUM = 0.9  # with a larger value, the mean lags behind the changing features
    SPREAD = 0.1  # a larger value increases the effect of IDH on the backbone, and overfitting

    def build(self, input_shape):
        """Start with mean 0 and standard deviation `SPREAD`, which leaves the features unchanged."""
        self.mean, self.variance = (
            self.add_weight(input_shape[-1:], keras.initializers.Constant(value), trainable=False, name=name)
            for name, value in (("mean", 0.0), ("variance", self.SPREAD**2))
        )

    def call(self, inputs, training=None):
        """Standardise features of shape (n, feature); in training, then update the statistics."""
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
        """Merge this layer into the following dense layer: returns its new kernel, shape (feature, 1), and bias."""
        factor = self._factor()
        return kernel * factor[:, None], bias - ops.matmul(self.mean * factor, kernel)


def training_factory(standardise_features: bool = False) -> LayerFactory:
    """Return the faster layers for training. The faster instance normalisation needs TensorFlow.

    With `standardise_features`, the IDH block standardises its pooled features.
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
