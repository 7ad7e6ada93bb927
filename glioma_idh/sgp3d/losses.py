"""The loss of both tasks, equations (6) to (9): L = L1 + k * L2 with k = L2 / (L1 + L2).

L1 is the cross-entropy of the genotype, L2 = 1 - Dice of the lesion. Everything is `keras.ops`, in the dtype it is
given.
"""

from typing import Any

from glioma_idh.quiet_keras import keras, ops
from glioma_idh.sgp3d.recipe import LEARNS

SMOOTHING_VOXELS = 1.0


def cross_entropy(idh, probability):
    """L1: binary cross-entropy, averaged over the subjects of known status, 0 without any; shapes (n,) or (n, 1)."""
    idh, probability = ops.reshape(idh, (-1,)), ops.reshape(probability, (-1,))
    idh = ops.cast(idh, probability.dtype)
    known = ops.logical_not(ops.isnan(idh))
    mutant = ops.where(known, idh, ops.zeros_like(idh))
    edge = keras.config.epsilon()
    probability = ops.clip(probability, edge, 1 - edge)
    entropy = -mutant * ops.log(probability) - (1 - mutant) * ops.log(1 - probability)
    known = ops.cast(known, probability.dtype)
    return ops.sum(known * entropy) / ops.maximum(ops.sum(known), ops.ones_like(entropy[0]))


def dice_loss(mask: Any, probability: Any, smoothing_voxels: float = SMOOTHING_VOXELS) -> Any:
    """L2: 1 - soft Dice of the lesion, each subject's, averaged; mask, of any dtype, and probability (n, i, j, k).

    Dice is (2 sum(m p) + s) / (sum(m) + sum(p) + s). For an empty mask the loss is therefore P / (P + s), where P
    voxels are predicted: 0 where none is, near 1 where many are.

    Differs from the paper: the smoothing s, which it does not have, is one voxel.
    """
    axes = (1, 2, 3)
    mask = ops.cast(mask, probability.dtype)
    common = ops.sum(mask * probability, axis=axes)
    total = ops.sum(mask, axis=axes) + ops.sum(probability, axis=axes)
    return ops.mean(1 - (2 * common + smoothing_voxels) / (total + smoothing_voxels))


def lesion_channel(segmentation):
    """The lesion's probability, shape (n, i, j, k), out of one channel (networks to train) or two (networks kept)."""
    alone = segmentation.shape[-1] == 1  # taking a channel out of one is slow in the gradient
    return ops.squeeze(segmentation, axis=-1) if alone else segmentation[..., -1]


def dice_weight(entropy: Any, dice: Any, detach: bool = False) -> Any:
    """k = L2 / (L1 + L2), equation (9), of two scalars, 0 where both are; with `detach` a constant in the gradient."""
    total = entropy + dice
    k = dice / ops.where(total > 0, total, ops.ones_like(total))
    return ops.stop_gradient(k) if detach else k


def joint_loss(entropy: Any, dice: Any, detach_k: bool = False) -> Any:
    """L = L1 + k * L2, equation (8), from two scalars."""
    return entropy + dice_weight(entropy, dice, detach_k) * dice


@keras.saving.register_keras_serializable(package="glioma_idh")
class JointNetwork(keras.Model):
    """SGPNet, or a comparator that has one of its outputs, with its loss, to be trained; the network inside is kept.

    A loss that is given to `compile` sees one output at a time, but k needs both.

    Args:
        targets: "both" for L, "idh" for L1 alone, "segmentation" for L2 alone, "random-masks" for L of random masks.
        detach_k, smoothing_voxels: see `dice_weight` and `dice_loss`.
        batch_size: subjects in every batch, where it is known: layers to train with are faster for it.
    """

    def __init__(
        self, network, targets="both", detach_k=False, smoothing_voxels=SMOOTHING_VOXELS, batch_size=None, **settings
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
        """Of a batch; `y` is {"segmentation": mask of 0 and 1, shape (n, i, j, k), "idh": 0, 1 or NaN, shape (n,)}."""
        cross = dice = 0.0
        if "idh" in y_pred:
            cross = cross_entropy(y["idh"], y_pred["idh"])
        if "segmentation" in y_pred:
            dice = dice_loss(y["segmentation"], lesion_channel(y_pred["segmentation"]), self.smoothing_voxels)
        watched = {"cross_entropy": cross, "dice_loss": dice, "k": dice_weight(cross, dice)}
        for name, tracker in self.trackers.items():
            tracker.update_state(watched[name])
        if self.targets == "idh":
            return cross + 0 * dice  # an optimizer wants a gradient for the other's group
        if self.targets == "segmentation":
            return dice + 0 * cross
        return joint_loss(cross, dice, self.detach_k)

    def get_config(self):
        own = {name: getattr(self, name) for name in ("targets", "detach_k", "smoothing_voxels", "batch_size")}
        return {**super().get_config(), "network": keras.saving.serialize_keras_object(self.network), **own}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config.pop("network")), **config)
