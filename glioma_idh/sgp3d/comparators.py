"""The networks that SGPNet is compared with in Table 1 of the paper: 3D U-Net, 3D DenseNet, residual CNN.

Their papers published no code. The numbers of channels are our choice, so that a training step takes at most
twice the time of SGPNet's (see `benchmarks/README.md`). All read the same input as SGPNet and have one of its two
outputs. They are trained with one learning rate, that of SGPNet's backbone. The functions return uncompiled
functional models.
"""

from glioma_idh.quiet_keras import keras, layers
from glioma_idh.sgp3d.model import KERAS_LAYERS, LayerFactory, set_policy

GROWTH, DENSE_BLOCKS = 16, (4, 4, 4, 4)  # channels that each layer of `densenet3d` adds; layers per block
GENOTYPE = {"activation": "sigmoid", "dtype": "float32", "name": "idh"}  # the last layer, one probability
MOMENTUM = 0.9  # of batch normalisation; 0.99 is too slow for a training of a few thousand steps


def unet3d(
    input_shape: tuple[int, int, int, int] = (144, 144, 144, 4),
    filters: int = 8,
    dtype: str | None = None,
    factory: LayerFactory = KERAS_LAYERS,
) -> keras.Model:
    """Build the 3D U-Net of Çiçek et al. (MICCAI 2016), which segments the lesion: 1,194,426 parameters.

    From their paper: three max-poolings; two 3 x 3 x 3 convolutions per level, the second of which doubles the channels
    before the pooling; up-convolutions of 2 x 2 x 2; ReLU; softmax. Our choice: 8 filters on the top level, not 32;
    instance normalisation, which equals their batch normalisation for batches of one. Each side of the input must be
    divisible by 8.
    """
    with set_policy(dtype):
        x = inputs = keras.Input(input_shape, name="scans")
        skips = []
        for level in range(1, 4):
            x = _unet_level(x, filters, 2 * filters, f"unet_down{level}", factory)
            skips.append(x)
            x, filters = layers.MaxPooling3D(2, name=f"unet_down{level}_pool")(x), 2 * filters
        x = _unet_level(x, filters, 2 * filters, "unet_bottom", factory)
        for level in range(3, 0, -1):
            x = layers.Conv3DTranspose(2 * filters, 2, 2, name=f"unet_up{level}_up")(x)
            x = layers.Concatenate(name=f"unet_up{level}_concat")([skips.pop(), x])
            x, filters = _unet_level(x, filters, filters, f"unet_up{level}", factory), filters // 2
        outputs = factory.lesion("segmentation")(layers.Conv3D(2, 1, name="unet_labels_conv")(x))
    return keras.Model(inputs, {"segmentation": outputs}, name="unet3d")


def _unet_level(x, first: int, second: int, name: str, factory: LayerFactory):
    for filters, place in ((first, "first"), (second, "second")):
        x = factory.normalise(f"{name}_{place}_norm")(factory.convolve(filters, 3, f"{name}_{place}")(x))
        x = layers.ReLU(name=f"{name}_{place}_relu")(x)
    return x


def densenet3d(input_shape: tuple[int, int, int, int] = (144, 144, 144, 4), dtype: str | None = None) -> keras.Model:
    """Build a 3D DenseNet after Liang et al. (Genes 2018, M3D-DenseNet), which predicts IDH: 549,357 parameters.

    From their paper: a DenseNet of 3D convolutions, sequences as channels, cross-entropy. Our choice: everything else,
    after DenseNet-BC (Huang et al. 2017) with batch normalisation, although batches have two subjects: four blocks of
    four layers, growth 16, bottlenecks of 64, transitions that halve channels and sides; the first convolution has
    stride 2. Their network reads a crop around the lesion; this one reads the same input as SGPNet. Each side of the
    input must be divisible by 16.
    """
    with set_policy(dtype):
        inputs = keras.Input(input_shape, name="scans")
        x = layers.Conv3D(2 * GROWTH, 3, 2, padding="same", use_bias=False, name="densenet_stem_conv")(inputs)
        for block, num_layers in enumerate(DENSE_BLOCKS, start=1):
            if block > 1:
                x = _dense_convolution(x, x.shape[-1] // 2, 1, f"densenet_transition{block}")
                x = layers.AveragePooling3D(2, name=f"densenet_transition{block}_pool")(x)
            for layer in range(1, num_layers + 1):
                name = f"densenet_block{block}_layer{layer}"
                new = _dense_convolution(x, 4 * GROWTH, 1, f"{name}_bottleneck")
                new = _dense_convolution(new, GROWTH, 3, name)
                x = layers.Concatenate(name=f"{name}_concat")([x, new])
        x = _normalise(x, "densenet_last")
        outputs = layers.Dense(1, **GENOTYPE)(layers.GlobalAveragePooling3D(name="densenet_pool")(x))
    return keras.Model(inputs, {"idh": outputs}, name="densenet3d")


def _dense_convolution(x, filters: int, size: int, name: str):
    """Apply normalisation, ReLU and convolution, in the order of DenseNet."""
    return layers.Conv3D(filters, size, padding="same", use_bias=False, name=f"{name}_conv")(_normalise(x, name))


def resnet2d(
    input_shape: tuple[int, int, int] = (144, 144, 4), filters: int = 16, dtype: str | None = None
) -> keras.Model:
    """Build a residual CNN after Chang et al. (Clin Cancer Res 2018), which predicts IDH: 702,849 parameters.

    From their paper: a residual network that reads slices through the lesion. Our choice: one network with four
    sequences as channels, where they combine one network per sequence; 18 layers, two residual blocks on each of four
    levels; axial slices, chosen by the reference mask also for the test set (`preprocessing.lesion_slices`); the mean
    probability over slices. The input has the shape of a slice, (i, j, sequences); the output (slices, 1).
    """
    with set_policy(dtype):
        inputs = keras.Input(input_shape, name="slices")
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name="resnet_stem_conv")(inputs)
        x = _normalise(x, "resnet_stem")
        for level in range(1, 5):
            for block in (1, 2):
                # two 3 x 3 convolutions and a shortcut, which is a 1 x 1 convolution if the shape changes
                f, name, strides = filters * 2 ** (level - 1), f"resnet_level{level}_block{block}", 1
                short = x
                if level > 1 and block == 1:
                    strides = 2
                    short = layers.Conv2D(f, 1, strides, use_bias=False, name=f"{name}_short_conv")(x)
                    short = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_short_norm")(short)
                x = layers.Conv2D(f, 3, strides, padding="same", use_bias=False, name=f"{name}_first_conv")(x)
                x = _normalise(x, f"{name}_first")
                x = layers.Conv2D(f, 3, padding="same", use_bias=False, name=f"{name}_second_conv")(x)
                x = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_second_norm")(x)
                x = layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([x, short]))
        outputs = layers.Dense(1, **GENOTYPE)(layers.GlobalAveragePooling2D(name="resnet_pool")(x))
    return keras.Model(inputs, {"idh": outputs}, name="resnet2d")


def _normalise(x, name: str):
    """Apply batch normalisation and ReLU."""
    x = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


BUILD = {
    "unet3d": lambda shape, recipe, dtype, factory: unet3d(shape, recipe.filters, dtype, factory),
    "densenet3d": lambda shape, recipe, dtype, factory: densenet3d(shape, dtype),
    "resnet2d": lambda shape, recipe, dtype, factory: resnet2d(shape, dtype=dtype),
}
"""Functions that build a network, by `Recipe.network`: (input shape, recipe, dtype policy, factory) -> network."""
STEP_COST = {"unet3d": 1.4, "densenet3d": 1.3, "resnet2d": 0.5}
"""Time of a training step relative to SGPNet (benchmarks/README.md)."""
