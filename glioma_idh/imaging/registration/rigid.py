"""Rigid registration of one image to another, and whether its answer is plausible.

Transforms are 4 x 4 matrices, RAS+ mm, that take a point of the reference to the place of the same tissue in the moving
image, as resampling wants it; their inverse takes masks back.

Source of the metric: Mattes et al. 2003, IEEE Trans Med Imaging 22:120; all of it is SimpleITK's.
"""

import contextlib
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

from glioma_idh.errors import InputError
from glioma_idh.imaging.registration.pyramid import Level, centre_of, check_contrast, find_head, make_pyramid
from glioma_idh.imaging.resampling import TO_LPS, matrix_of, rigid_matrix, to_itk_transform
from glioma_idh.imaging.volumes import Volume

NUM_POINTS = 80_000  # number of places at which the metric looks
START_TURN_DEG = 20.0
NUM_STARTS = 3
"""Starts are the headers and the heads' centres, each also turned both ways about each axis; the best are followed."""
MAX_ROTATION_DEG, MAX_SHIFT_MM = 30.0, 50.0  # more than a head moves between the series of one visit
MIN_OVERLAP = 0.7
TRIAL_MM_AND_DEG = 10.0
MIN_GAIN = 1.12
"""How much better the metric must be than with the image displaced by 10 mm or 10 degrees. Right answers reach 1.25
and more, even from a slab of five slices; the heads of two people brought together stay under 1.1."""


@dataclass(frozen=True)
class Registration:
    """Where the tissue of a reference lies in a moving image, beyond what the headers say."""

    matrix: np.ndarray  # 4 x 4, RAS+ mm, from a point of the reference to the same tissue in the moving image
    rotation_deg: float  # angle by which the head is turned
    shift_mm: float  # distance by which the centre of the reference's head lies off
    overlap: float  # share of the smaller head that lies on the other, 0 to 1
    metric: float  # mutual information, nats; larger is better
    gain: float  # the metric relative to the best one with the image displaced
    problems: tuple[str, ...]  # why the answer is not plausible, in plain words; empty when it is


def register_rigid(
    moving: Volume, reference: Volume, reference_mask=None, max_rotation_deg=MAX_ROTATION_DEG, max_shift_mm=MAX_SHIFT_MM
) -> Registration:
    """Find the rigid transform between two images of one head, with skull or without, whole or a slab, of any sequence.

    Mattes mutual information is climbed from coarse to fine. The same images give the same answer to the bit, for any
    number of threads; one core is at work. The reference mask (i, j, k) is where to look, with a margin around what
    counts: by default the head and 8 mm around it. Beyond the largest rotation and shift the answer is reported as not
    plausible; they are infinite for an atlas or another space, to which headers do not lead. InputError if an image is
    not 3D and finite, empty or constant, or the images do not meet.
    """
    for volume in (moving, reference):
        check_contrast(volume)
    levels = make_pyramid(moving, reference, reference_mask)
    matrix = best_start(levels[0])
    for level in levels[1:]:
        matrix = climb(level, matrix)
    return judge(levels[-1], matrix, max_rotation_deg, max_shift_mm)


def best_start(level: Level) -> np.ndarray:
    """The best of the answers that the most promising starts lead to; InputError if none brings the images together."""
    centre = centre_of(level.mask)
    shifts = np.zeros(3), centre_of(find_head(level.moving)) - centre
    turns = np.vstack([np.zeros(3), np.eye(3), -np.eye(3)]) * START_TURN_DEG
    starts = [rigid_matrix(turn, shift, centre) for shift in shifts for turn in turns]
    starts.sort(key=lambda start: overlap_weighted_information(level, start), reverse=True)
    answers = []
    for start in starts[:NUM_STARTS]:
        with contextlib.suppress(InputError):
            answers.append(climb(level, start))
    return (
        max(answers, key=lambda answer: overlap_weighted_information(level, answer))
        if answers
        else climb(level, starts[0])
    )


def overlap_weighted_information(level: Level, matrix: np.ndarray) -> float:
    """Mutual information times the share of the mask that is inside the moving image: a small overlap tells little."""
    field = sitk.Cast(level.moving, sitk.sitkUInt8) * 0 + 1
    inside = sitk.Resample(field, level.fixed, to_itk_transform(matrix), sitk.sitkNearestNeighbor)
    seen = sitk.GetArrayViewFromImage(inside)[sitk.GetArrayViewFromImage(level.mask) > 0]
    return information(level, matrix) * float(seen.mean())


def make_method(level: Level, matrix: np.ndarray, num_points: int = NUM_POINTS):
    """SimpleITK's registration, at a start, with all but the optimiser set.

    The gradients of the metric come from the voxels next to a place: ITK's default, smoothed over the thickest edge of
    a voxel, leads astray by half a degree where slices are thick.
    """
    start = sitk.Euler3DTransform()
    lps = TO_LPS @ matrix @ TO_LPS
    centre = TO_LPS[:3, :3] @ centre_of(level.mask)
    start.SetCenter(centre)
    start.SetMatrix(lps[:3, :3].ravel(), 1e-6)
    start.SetTranslation(lps[:3, :3] @ centre + lps[:3, 3] - centre)
    share = num_points / np.count_nonzero(sitk.GetArrayViewFromImage(level.mask))
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfWorkUnits(1)  # several add up in the order in which they end, and no two runs agree to the bit
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=32)
    method.SetMetricFixedMask(level.mask)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(min(1.0, share), seed=1)
    method.SetMetricUseFixedImageGradientFilter(False)
    method.SetMetricUseMovingImageGradientFilter(False)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetInitialTransform(start, inPlace=True)
    return method


def information(level: Level, matrix: np.ndarray, num_points: int = NUM_POINTS) -> float:
    """Mutual information of two images, nats; 0 where they do not meet."""
    try:
        return -make_method(level, matrix, num_points).MetricEvaluate(level.fixed, level.moving)
    except RuntimeError:
        return 0.0


def climb(level: Level, matrix: np.ndarray, num_points: int = NUM_POINTS) -> np.ndarray:
    """The matrix of the largest mutual information, from a start near it; InputError if the images do not meet."""
    method = make_method(level, matrix, num_points)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 0.001, numberOfIterations=200, relaxationFactor=0.8)
    method.SetOptimizerScalesFromPhysicalShift()
    try:
        return matrix_of(method.Execute(level.fixed, level.moving))
    except RuntimeError as error:
        advice = "Look at the two images in a viewer: do they show the same head?"
        raise InputError("two images that overlap", str(error).splitlines()[-1], advice) from error


def judge(level: Level, matrix: np.ndarray, max_rotation_deg: float, max_shift_mm: float) -> Registration:
    """An answer with what speaks against it."""
    centre = centre_of(level.mask)
    rotation_deg = float(np.rad2deg(Rotation.from_matrix(matrix[:3, :3]).magnitude()))
    shift_mm = float(np.linalg.norm((matrix @ [*centre, 1])[:3] - centre))
    overlap, metric = overlap_of_heads(level, matrix), information(level, matrix)
    gain = metric / max(information_elsewhere(level, matrix), 1e-9)
    far, trial = "more than a head moves between series", f"{TRIAL_MM_AND_DEG:.0f} mm or degrees"
    found = (
        (rotation_deg > max_rotation_deg, f"turned by {rotation_deg:.0f} degrees; {far}"),
        (shift_mm > max_shift_mm, f"{shift_mm:.0f} mm from where the headers place it; {far}"),
        (overlap < MIN_OVERLAP, f"only {overlap:.0%} of the smaller head lies on the other"),
        (gain < MIN_GAIN, f"matches no better than {trial} away; another head, or nothing in common to see"),
    )
    problems = tuple(words for wrong, words in found if wrong)
    return Registration(matrix, rotation_deg, shift_mm, overlap, metric, gain, problems)


def information_elsewhere(level: Level, matrix: np.ndarray, num_points: int = NUM_POINTS) -> float:
    """The best mutual information with the image displaced by 10 mm or 10 degrees from where a matrix places it."""
    centre = centre_of(level.mask)
    trials = [step * sign for step in np.eye(6) * TRIAL_MM_AND_DEG for sign in (-1, 1)]
    places = [matrix @ rigid_matrix(step[:3], step[3:], centre) for step in trials]
    return max(information(level, place, num_points) for place in places)


def overlap_of_heads(level: Level, matrix: np.ndarray) -> float:
    """Share of the smaller of two heads that lies on the other, by volume."""
    fixed, moving = find_head(level.fixed), find_head(level.moving)
    brought = sitk.Resample(moving, fixed, to_itk_transform(matrix), sitk.sitkNearestNeighbor)
    on_both, *volumes = (
        np.count_nonzero(sitk.GetArrayViewFromImage(mask)) * np.prod(mask.GetSpacing())
        for mask in (fixed & brought, fixed, moving)
    )
    return float(min(1, on_both / min(volumes)))
