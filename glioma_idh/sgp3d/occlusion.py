"""Explain the score of one subject: scores after occlusion of a region of the input, and a class activation map.

Occlusion follows Zeiler and Fergus (ECCV 2014), the map Zhou et al. (CVPR 2016). Networks are not trained again.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from glioma_idh.errors import InputError
from glioma_idh.quiet_keras import keras
from glioma_idh.sgp3d.model import TAPS
from glioma_idh.sgp3d.preprocessing import resample, standardise

SCORES = ("score", "score_without_lesion", "score_without_rest")
BACKGROUND_SHARE = 0.001  # of the voxels: a value shared by more than this is background
BRANCHES = (*TAPS, "pointwise")  # of the IDH block, in the order of its features


class Brain(NamedTuple):
    """The network input of a subject and the two regions of its brain; the remaining voxels are background."""

    scans: np.ndarray
    lesion: np.ndarray  # booleans
    rest: np.ndarray  # booleans: brain without lesion


def find_regions(scans: np.ndarray, lesion: np.ndarray) -> Brain:
    """Divide the brain of a subject into lesion and rest.

    The lesion mask is dilated by one voxel, because resampling blends the edge, and this rim alone would reveal much of
    the lesion. Background was 0 before standardisation, so it has one constant value per channel: the combination of
    values that is most frequent. A crop from inside the brain has no background.
    """
    voxels = np.ascontiguousarray(scans).reshape(-1, scans.shape[-1])
    as_one = voxels.view(np.dtype((np.void, voxels.dtype.itemsize * voxels.shape[1]))).ravel()
    _, first, counts = np.unique(as_one, return_index=True, return_counts=True)
    brain = np.ones(scans.shape[:3], bool)
    if counts.max() > BACKGROUND_SHARE * len(voxels):
        brain = (scans != voxels[first[counts.argmax()]]).any(axis=-1)
    lesion = ndimage.binary_dilation(lesion)
    if not (brain & ~lesion).any():
        raise InputError("brain outside the lesion", "none", "Exclude the subject, or use scans with a wider crop.")
    return Brain(np.asarray(scans), brain & lesion, brain & ~lesion)


def replace_region(own: Brain, region: np.ndarray, donor: Brain, random: np.random.Generator) -> np.ndarray:
    """Replace a region by the healthy brain of another patient (the donor), so that its content is removed.

    Each voxel takes all channels of the donor at the same position. If the donor is not healthy there, it takes those
    of a healthy voxel of the donor, drawn at random. To replace the lesion, each channel is scaled to the mean and
    standard deviation of the subject's own healthy brain, which remains. To replace the rest, the donor's values are
    not scaled, because mean and standard deviation of the rest are part of its content. Then the whole image is
    standardised again, as in preprocessing, because its previous mean and standard deviation contain information on the
    region. Background does not change.

    Limits: the lesion's values are z-scores over an image that included the rest. Voxels drawn at random lack the
    smoothness of tissue and may show an outline; in crops around lesions, these are most voxels.

    Alternatives that were not chosen: the mean of healthy brain, or random voxels of the subject itself, show outlines;
    a mirror image needs the midline; extrapolation from the edge keeps information of the lesion's rim; the mean of the
    rest, or its voxels shuffled, shift the scores of all subjects.
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
    """Return mean and standard deviation of each channel; a standard deviation of 0 is returned as 1."""
    mean, sd = values.mean(axis=0, dtype=np.float64), values.std(axis=0, dtype=np.float64)
    return mean, np.where(sd > 0, sd, 1)


def score_occluded(network: keras.Model, own: Brain, donor: Brain, random: np.random.Generator) -> dict[str, float]:
    """Compute SCORES: the probability of an IDH mutation for the original, without the lesion, and without the rest.

    Also returns `lesion_drawn`, the fraction of the lesion's voxels that were replaced by randomly drawn voxels.
    """
    occluded = (replace_region(own, region, donor, random) for region in (own.lesion, own.rest))
    outputs = [network.predict_on_batch(scans[None])["idh"] for scans in (own.scans, *occluded)]
    scores = {name: float(np.ravel(output)[0]) for name, output in zip(SCORES, outputs, strict=True)}
    return scores | {"lesion_drawn": float(np.mean(~donor.rest[own.lesion])) if own.lesion.any() else 0.0}


def activation_map(network: keras.Model, scans: np.ndarray) -> tuple[np.ndarray, float]:
    """Compute the class activation map of SGPNet. Its mean plus the bias of the last layer is the logit of the score.

    The IDH block averages each convolution over all voxels and weights the means. Weighting the convolutions first and
    averaging last gives the same result: the class activation map of Zhou et al. (CVPR 2016). For this network it also
    equals Grad-CAM (Selvaraju et al., ICCV 2017), except that negative values, evidence for wild-type, are kept. Coarse
    maps are resampled to full size by `resample`, which keeps their mean. Receptive fields are much larger than a
    voxel: the map shows where the network finds its features, but other regions may also matter.

    Returns:
        The map, float32, shape (i, j, k), in units of the logit; and the logit.
    """
    taps = [network.get_layer(f"idh_{name}_conv").output for name in BRANCHES]
    features = keras.Model(network.inputs, taps).predict_on_batch(scans[None])
    kernel, bias = (keras.ops.convert_to_numpy(weight) for weight in network.get_layer("idh").weights)
    weights = np.split(kernel[:, 0], np.cumsum([feature.shape[-1] for feature in features])[:-1])
    maps = [resample(feature[0] @ weight, scans.shape[:3]) for feature, weight in zip(features, weights, strict=True)]
    activation = np.asarray(np.sum(maps, axis=0, dtype=np.float32))
    return activation, float(bias[0]) + float(activation.mean(dtype=np.float64))
