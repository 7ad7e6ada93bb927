"""SGPNet of Wang et al. 2021, Figure 2: a residual U-shaped backbone with two output blocks."""

import contextlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from glioma_idh.errors import InputError
from glioma_idh.quiet_keras import keras, layers
from glioma_idh.sgp3d.recipe import LEVELS, check_shape

SLOPE = 0.1  # of LeakyReLU, equation (1)
TAPS = {
    "quarter": 4,
    "half": 2,
    "full": 1,
}  # feature maps that the output blocks read; side of the input divided by theirs
BLOCKS = ("segmentation", "idh")
STANDARDISATION = "idh_standardisation"  # layer of some training networks, on the pooled features


class LayerFactory(NamedTuple):
    """Functions that make the layers that have a faster version for training, with equal weights and results."""

    normalise: Callable  # (name) -> instance normalisation
    convolve: Callable  # (filters, kernel size, name, strides) -> convolution followed by a normalisation
    up_convolve: Callable  # (filters, name) -> nearest-neighbour up-sampling by 2, then a 3 x 3 x 3 convolution
    convolve_pool: Callable  # ({name: (filters, kernel size)}, tap) -> convolutions, each averaged over all voxels
    lesion: Callable  # (name) -> two channels to probabilities; the last is that of lesion
    standardise: Callable  # (name) -> layer between the pooled features and the last layer


def _convolution(filters: int, kernel_size: int, name: str, strides: int = 1) -> layers.Conv3D:
    return layers.Conv3D(filters, kernel_size, strides, padding="same", name=f"{name}_conv")


def _keras_up_convolve(filters: int, name: str):
    upsampling, convolution = layers.UpSampling3D(2, name=f"{name}_up"), _convolution(filters, 3, name)
    return lambda x: convolution(upsampling(x))


def _keras_convolve_pool(branches: dict, tap: str):
    convolutions = {name: _convolution(filters, size, name) for name, (filters, size) in branches.items()}
    pools = [layers.GlobalAveragePooling3D(name=f"{name}_pool") for name in branches]
    return lambda x: [pool(convolution(x)) for pool, convolution in zip(pools, convolutions.values(), strict=True)]


KERAS_LAYERS = LayerFactory(
    lambda name: layers.GroupNormalization(groups=-1, name=name),
    _convolution,
    _keras_up_convolve,
    _keras_convolve_pool,
    lambda name: layers.Softmax(name=name, dtype="float32"),
    lambda name: lambda features: features,
)


def SGPNet(
    input_shape: tuple[int, int, int, int] = (144, 144, 144, 4),
    filters: int = 8,
    dropout: float = 0.3,
    blocks: tuple[str, ...] = BLOCKS,
    dtype: str | None = None,
    factory: LayerFactory = KERAS_LAYERS,
) -> keras.Model:
    """Build the network of Figure 2: 2,446,119 parameters with the paper's four sequences and eight filters.

    Our choices, where the paper states nothing: dropout of whole channels between the second convolution and its
    normalisation, at the rate of Isensee et al. 2017, whose network the backbone follows; up-sampling doubles all three
    axes; the segmentation ends in a softmax; `Conv(16, 8, 1, 1)` of the IDH block is a fourth branch on the
    full-resolution feature map; the genotype is one probability.

    Args:
        input_shape: (i, j, k, sequences); i, j and k divisible by 16.
        filters: channels of the first level; each further level doubles them.
        dropout: fraction of channels dropped in each level, and of the pooled features.
        blocks: output blocks; without any, the outputs are the feature maps of the backbone that these blocks read.
        dtype: Keras dtype policy, such as "mixed_bfloat16". The IDH block keeps the precision of the weights;
            probabilities are float32.
        factory: Keras layers, or faster layers for training (`training_layers.training_factory`).

    Returns:
        An uncompiled functional model with the outputs `segmentation`, shape (n, i, j, k, 2), whose channel 1 is the
        lesion probability, and `idh`, shape (n, 1), the probability of an IDH mutation. Layer names start with
        `backbone_`, `segmentation` or `idh`.
    """
    check_shape(input_shape[:3])
    if set(blocks) - set(BLOCKS):
        raise InputError(f"output blocks from {BLOCKS}", str(tuple(blocks)), "Remove the others.")
    with set_policy(dtype):
        inputs = keras.Input(input_shape, name="scans")
        taps = _backbone(inputs, filters, dropout, factory)
        outputs = {}
        if "segmentation" in blocks:
            # two channels per feature map, up-sampled and added from the coarsest to the finest
            x = _convolution(2, 1, "segmentation_quarter")(taps["quarter"])
            for tap in ("half", "full"):
                x = layers.UpSampling3D(2, name=f"segmentation_{tap}_up")(x)
                own = _convolution(2, 1, f"segmentation_{tap}")(taps[tap])
                x = layers.Add(name=f"segmentation_{tap}_add")([x, own])
            outputs["segmentation"] = factory.lesion("segmentation")(x)
        if "idh" in blocks:
            # the pooled features differ between patients by less than the precision of bfloat16
            with set_policy(keras.config.dtype_policy().variable_dtype):
                pooled = []  # four convolutions, each averaged over all voxels: 32 + 16 + 8 + 8 features
                for tap, factor in TAPS.items():
                    branches = {f"idh_{tap}": (filters * factor, 3)}
                    branches |= {"idh_pointwise": (filters, 1)} if tap == "full" else {}
                    pooled += factory.convolve_pool(branches, tap)(taps[tap])
                x = factory.standardise(STANDARDISATION)(layers.Concatenate(name="idh_concat")(pooled))
                x = layers.Dropout(dropout, name="idh_dropout")(x)
                outputs["idh"] = layers.Dense(1, activation="sigmoid", name="idh", dtype="float32")(x)
    return keras.Model(inputs, outputs or taps, name="sgpnet")


def backbone_of(network: keras.Model) -> keras.Model:
    """Return the backbone of a network with its weights; outputs are the feature maps `quarter`, `half`, `full`."""
    taps = {name: network.get_layer(f"backbone_{name}").output for name in TAPS}
    return keras.Model(network.inputs[0], taps, name="sgpnet_backbone")


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Copy the weights between two networks with equal layer names that differ in factory or dtype.

    If the source standardises its pooled features, this is merged into the weights of the last layer.
    """
    weights = {weight.path: weight for weight in source.weights}
    if any(layer.name == STANDARDISATION for layer in source.layers):
        last = ("idh/kernel", "idh/bias")
        folded = source.get_layer(STANDARDISATION).folded(*(weights[path] for path in last))
        weights |= zip(last, folded, strict=True)
    for weight in target.weights:
        if not weight.path.startswith(STANDARDISATION):
            weight.assign(weights[weight.path])


@contextlib.contextmanager
def set_policy(dtype: str | None) -> Iterator[None]:
    """Set the dtype policy of Keras within a `with` block."""
    former = keras.config.dtype_policy()
    if dtype is not None:
        keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(former)


def _backbone(x: keras.KerasTensor, filters: int, dropout: float, factory: LayerFactory) -> dict:
    """Build contracting path, bottom and expansive path. Numbers in comments are for sides of 144 and 8 filters."""
    skips = []
    for level in range(1, LEVELS + 1):  # 144, 8 -> 72, 16 -> 36, 32 -> 18, 64 -> 9, 128
        # three convolutions; the output of the first is added to that of the last; the top level has only the last IN
        f, name, top = filters * 2 ** (level - 1), f"backbone_down{level}", level == 1
        convolve, norm = (_convolution, None) if top else (factory.convolve, factory)
        first = convolve(f, 3, f"{name}_first", 1 if top else 2)(x)
        x = convolve(f, 3, f"{name}_second")(_activate(first, f"{name}_first", norm))
        x = _activate(layers.SpatialDropout3D(dropout, name=f"{name}_dropout")(x), f"{name}_second", norm)
        x = layers.Add(name=f"{name}_add")([first, factory.convolve(f, 3, f"{name}_third")(x)])
        x = _activate(x, f"{name}_third", factory)
        skips.append(x)

    f = filters * 2 ** (LEVELS - 2)
    x = _activate(factory.up_convolve(f, "backbone_bottom1")(skips.pop()), "backbone_bottom1", factory)  # 18, 64
    x = _activate(factory.convolve(f, 1, "backbone_bottom2")(x), "backbone_bottom2", factory)

    taps: dict[str, keras.KerasTensor] = {}
    for level in range(LEVELS - 1, 1, -1):  # 64, 32, 16
        f, name = filters * 2 ** (level - 1), f"backbone_up{level}"
        x = layers.Concatenate(name=f"{name}_concat")([x, skips.pop()])
        tap = {3: "quarter", 2: "half"}.get(level)
        x = _activate(factory.convolve(2 * f, 3, f"{name}_first")(x), f"{name}_first", factory, tap)
        taps |= {tap: x} if tap else {}
        x = _activate(factory.convolve(f, 1, f"{name}_second")(x), f"{name}_second", factory)
        x = _activate(factory.up_convolve(f // 2, f"{name}_third")(x), f"{name}_third", factory)

    x = layers.Concatenate(name="backbone_up1_concat")([x, skips.pop()])  # 144, 8 + 8
    x = factory.convolve(2 * filters, 3, "backbone_up1_first")(x)
    return taps | {"full": _activate(x, "backbone_up1_first", factory, "full")}


def _activate(x, name: str, factory: LayerFactory | None, tap: str | None = None):
    """Apply leaky ReLU, after instance normalisation if there is a factory; `tap` names a feature map."""
    x = factory.normalise(f"{name}_norm")(x) if factory else x
    return layers.LeakyReLU(SLOPE, name=f"backbone_{tap}" if tap else f"{name}_relu")(x)
