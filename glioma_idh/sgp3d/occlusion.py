"""Where a score comes from: a trained network asked again with a region of its input occluded, and its activation map.

Occlusion is that of Zeiler and Fergus (ECCV 2014), the map that of Zhou et al. (CVPR 2016). Nothing is trained again.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from glioma_idh.errors import InputError
from glioma_idh.quiet_keras import keras
from glioma_idh.sgp3d.model import TAPS
from glioma_idh.sgp3d.preprocessing import resample, standardise

SCORES = ("score", "score_without_lesion", "score_without_rest")
BACKGROUND_SHARE = 0.001  # of the voxels: values that more than so many have in common are the background's
BRANCHES = (*TAPS, "pointwise")  # of the IDH block, in the order of its features


class Brain(NamedTuple):
    """A subject as the network reads it, and the two regions of its brain; what is in neither is background."""

    scans: np.ndarray
    lesion: np.ndarray  # booleans
    rest: np.ndarray  # likewise: brain, and no lesion


def find_regions(scans: np.ndarray, lesion: np.ndarray) -> Brain:
    """Part a subject's brain into lesion and rest.

    To the lesion belongs one voxel around its mask, where scans blend when they are resampled: left in place, that rim
    alone tells much of what was inside. The background was 0 in every scan and is one value in each channel since:
    those that most voxels have in common, all channels at once. A crop from inside the brain has none.
    """
    voxels = np.ascontiguousarray(scans).reshape(-1, scans.shape[-1])
    as_one = voxels.view(np.dtype((np.void, voxels.dtype.itemsize * voxels.shape[1]))).ravel()
    _, first, counts = np.unique(as_one, return_index=True, return_counts=True)
    brain = np.ones(scans.shape[:3], bool)
    if counts.max() > BACKGROUND_SHARE * len(voxels):
        brain = (scans != voxels[first[counts.argmax()]]).any(axis=-1)
    lesion = ndimage.binary_dilation(lesion)
    if not (brain & ~lesion).any():
        raise InputError("some brain outside the lesion", "none", "Leave the subject out, or crop its scans wider.")
    return Brain(np.asarray(scans), brain & lesion, brain & ~lesion)


def replace_region(own: Brain, region: np.ndarray, donor: Brain, random: np.random.Generator) -> np.ndarray:
    """Put another patient's healthy brain in the place of a region, so that nothing of its content is left.

    A voxel takes all channels of the donor's at the same place, or, where the donor is not healthy there, of a healthy
    voxel of the donor's drawn at random. In the lesion's place each channel is brought to mean and standard deviation
    of the subject's own healthy brain, which stays; in the place of the rest the donor's values stay as they are, for
    the rest's own mean and standard deviation are part of its content. Then the whole image is standardised again, as
    its preparation did, since its former mean and standard deviation tell what was in the region. The background stays
    as it is. One trace of the rest is left: the lesion's values are z-scores over the image that it was part of. Where
    voxels were drawn, in crops around lesions most of them, they lack the smoothness of tissue and may show an outline.

    Chosen among: the mean of healthy brain and voxels of the subject's own drawn at random, which show every outline;
    the mirror image, which needs the midline; values continued from the edge, in which the lesion's rim tells what was
    inside; and for the rest its mean or its own voxels shuffled, which shift the scores of all subjects.
    """
    healthy, kept = donor.scans[donor.rest], own.scans[own.rest & ~region]
    filling = healthy[random.integers(len(healthy), size=np.count_nonzero(region))]
    filling[donor.rest[region]] = donor.scans[region & donor.rest]
    if len(kept):
        (mean, sd), (donor_mean, donor_sd) = _mean_and_sd(kept), _mean_and_sd(healthy)
        filling = (filling - donor_mean) / donor_sd * sd + mean
    replaced = own.scans.copy()
    replaced[region] = filling
    return np.stack([standardise(channel) for channel in np.moveaxis(replaced, -1, 0)], axis=-1)


def _mean_and_sd(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each channel; a channel that does not vary counts as one that varies by 1."""
    mean, sd = values.mean(axis=0, dtype=np.float64), values.std(axis=0, dtype=np.float64)
    return mean, np.where(sd > 0, sd, 1)


def score_occluded(network: keras.Model, own: Brain, donor: Brain, random: np.random.Generator) -> dict[str, float]:
    """The probability of a mutation as the subject is, without the lesion, and without the rest of the brain: SCORES.

    And `lesion_drawn`, the share of the lesion's voxels drawn.
    """
    occluded = (replace_region(own, region, donor, random) for region in (own.lesion, own.rest))
    outputs = [network.predict_on_batch(scans[None])["idh"] for scans in (own.scans, *occluded)]
    scores = {name: float(np.ravel(output)[0]) for name, output in zip(SCORES, outputs, strict=True)}
    return scores | {"lesion_drawn": float(np.mean(~donor.rest[own.lesion])) if own.lesion.any() else 0.0}


def activation_map(network: keras.Model, scans: np.ndarray) -> tuple[np.ndarray, float]:
    """Where SGPNet's score comes from: the map whose mean, with the last layer's bias, is the logit of the score.

    The IDH block averages each of its convolutions over all voxels and weighs the means; weighing the convolutions and
    averaging last is the same: the class activation map of Zhou et al. (CVPR 2016), and what Grad-CAM (Selvaraju et
    al., ICCV 2017) comes to with such a head, but for its negative parts, which speak for the wild-type and are kept.
    Coarse maps are brought to full size by `resample`, which keeps their mean. Features see far beyond their voxel: the
    map says where the network finds what it reads, not that nothing else matters. It is float32, shape (i, j, k), in
    units of the logit, which stands beside it.
    """
    taps = [network.get_layer(f"idh_{name}_conv").output for name in BRANCHES]
    features = keras.Model(network.inputs, taps).predict_on_batch(scans[None])
    kernel, bias = (keras.ops.convert_to_numpy(weight) for weight in network.get_layer("idh").weights)
    weights = np.split(kernel[:, 0], np.cumsum([feature.shape[-1] for feature in features])[:-1])
    maps = [resample(feature[0] @ weight, scans.shape[:3]) for feature, weight in zip(features, weights, strict=True)]
    activation = np.asarray(np.sum(maps, axis=0, dtype=np.float32))
    return activation, float(bias[0]) + float(activation.mean(dtype=np.float64))
