"""The loss of both tasks, equations (6) to (9): L = L1 + k * L2 with k = L2 / (L1 + L2).

L1 is the cross-entropy of the IDH genotype, L2 = 1 - Dice of the lesion. All functions use `keras.ops` and keep the
dtype of their input.
"""

from typing import Any

from glioma_idh.quiet_keras import keras, ops
from glioma_idh.sgp3d.recipe import LEARNS

SMOOTHING_VOXELS = 1.0
Tensor = Any  # of any backend of Keras


def cross_entropy(idh: Tensor, probability: Tensor) -> Tensor:
    """Compute L1: binary cross-entropy, averaged over subjects with known IDH status; 0 if there are none.

    Shapes (n,) or (n, 1); an unknown status is NaN.
    """
    idh, probability = ops.reshape(idh, (-1,)), ops.reshape(probability, (-1,))
    idh = ops.cast(idh, probability.dtype)
    known = ops.logical_not(ops.isnan(idh))
    mutant = ops.where(known, idh, ops.zeros_like(idh))
    edge = keras.config.epsilon()
    probability = ops.clip(probability, edge, 1 - edge)
    entropy = -mutant * ops.log(probability) - (1 - mutant) * ops.log(1 - probability)
    known = ops.cast(known, probability.dtype)
    return ops.sum(known * entropy) / ops.maximum(ops.sum(known), ops.ones_like(entropy[0]))


def dice_loss(mask: Tensor, probability: Tensor, smoothing_voxels: float = SMOOTHING_VOXELS) -> Tensor:
    """Compute L2: 1 - soft Dice of the lesion per subject, averaged. Both inputs have shape (n, i, j, k).

    Dice is (2 sum(m p) + s) / (sum(m) + sum(p) + s). For an empty mask the loss is therefore P / (P + s), if P voxels
    are predicted: 0 if none is, near 1 if many are.

    Differs from the paper: the smoothing s of one voxel, which the paper does not have.
    """
    axes = (1, 2, 3)
    mask = ops.cast(mask, probability.dtype)
    common = ops.sum(mask * probability, axis=axes)
    total = ops.sum(mask, axis=axes) + ops.sum(probability, axis=axes)
    return ops.mean(1 - (2 * common + smoothing_voxels) / (total + smoothing_voxels))


def lesion_channel(segmentation: Tensor) -> Tensor:
    """Return the lesion probability, shape (n, i, j, k), of one channel (during training) or two (saved networks)."""
    alone = segmentation.shape[-1] == 1  # taking a channel out of one is slow in the gradient
    return ops.squeeze(segmentation, axis=-1) if alone else segmentation[..., -1]


def dice_weight(entropy: Tensor, dice: Tensor, detach: bool = False) -> Tensor:
    """Compute k = L2 / (L1 + L2), equation (9); 0 if both are 0. With `detach`, k is a constant in the gradient."""
    total = entropy + dice
    k = dice / ops.where(total > 0, total, ops.ones_like(total))
    return ops.stop_gradient(k) if detach else k


def joint_loss(entropy: Tensor, dice: Tensor, detach_k: bool = False) -> Tensor:
    """Compute L = L1 + k * L2, equation (8)."""
    return entropy + dice_weight(entropy, dice, detach_k) * dice


@keras.saving.register_keras_serializable(package="glioma_idh")
class JointNetwork(keras.Model):
    """SGPNet, or a comparator with one of its outputs, together with the joint loss, for training.

    Keras passes one output at a time to a loss given to `compile`, but the weight k depends on both outputs. After
    training, only the inner network is saved.

    Args:
        network: the network to train.
        targets: "both" for L, "idh" for L1 alone, "segmentation" for L2 alone, "random-masks" for L with random masks.
        detach_k: see `dice_weight`.
        smoothing_voxels: see `dice_loss`.
        batch_size: number of subjects in every batch, if constant; the training layers are then faster.
    """

    def __init__(
        self,
        network: keras.Model,
        targets: str = "both",
        detach_k: bool = False,
        smoothing_voxels: float = SMOOTHING_VOXELS,
        batch_size: int | None = None,
        **settings,
    ):
        super().__init__(**settings)
        if targets not in LEARNS:
            raise ValueError(f"targets must be one of {tuple(LEARNS)}, not {targets!r}.")
        self.network, self.targets, self.batch_size = network, targets, batch_size
        self.detach_k, self.smoothing_voxels = detach_k, smoothing_voxels
        watched = {"cross_entropy": {"idh"}, "dice_loss": {"segmentation"}, "k": {"idh", "segmentation"}}
        names = [name for name, outputs in watched.items() if outputs <= set(network.output_names)]
        self.trackers = {name: keras.metrics.Mean(name=name) for name in names}
        self.built = True

    def call(self, scans, training=None):
        if training and self.batch_size:
            scans = ops.reshape(scans, (self.batch_size, *self.network.input_shape[1:]))
        return self.network(scans, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Compute the loss of a batch.

        `y` has "segmentation", the mask of 0 and 1, shape (n, i, j, k), and "idh": 0, 1 or NaN, shape (n,).
        """
        cross = dice = 0.0
        if "idh" in y_pred:
            cross = cross_entropy(y["idh"], y_pred["idh"])
        if "segmentation" in y_pred:
            dice = dice_loss(y["segmentation"], lesion_channel(y_pred["segmentation"]), self.smoothing_voxels)
        watched = {"cross_entropy": cross, "dice_loss": dice, "k": dice_weight(cross, dice)}
        for name, tracker in self.trackers.items():
            tracker.update_state(watched[name])
        if self.targets == "idh":
            return cross + 0 * dice  # the other optimizer needs a gradient too
        if self.targets == "segmentation":
            return dice + 0 * cross
        return joint_loss(cross, dice, self.detach_k)

    def get_config(self):
        own = {name: getattr(self, name) for name in ("targets", "detach_k", "smoothing_voxels", "batch_size")}
        return {**super().get_config(), "network": keras.saving.serialize_keras_object(self.network), **own}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config.pop("network")), **config)
