"""Rigid registration of one image to another, with a plausibility check.

Transforms are 4 x 4 matrices, in RAS+ mm, that map a point of the reference to the same tissue in the moving image, as
needed for resampling; the inverse maps masks back.

The metric is Mattes mutual information (Mattes et al. 2003, IEEE Trans Med Imaging 22:120), as in SimpleITK.
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

NUM_POINTS = 80_000  # sampled by the metric
START_TURN_DEG = 20.0
NUM_STARTS = 3
"""The search starts from the headers and from the centres of the heads, each also rotated by +-20 degrees about each
axis; only the best starts are optimised."""
MAX_ROTATION_DEG, MAX_SHIFT_MM = 30.0, 50.0  # more than a head moves between the series of a visit
MIN_OVERLAP = 0.7
TRIAL_MM_AND_DEG = 10.0
MIN_GAIN = 1.12
"""Least ratio of the metric to that of the image displaced by 10 mm or 10 degrees. Correct registrations reach 1.25 and
more, even for a slab of five slices; images of two different heads stay below 1.1."""


@dataclass(frozen=True)
class Registration:
    """The result of a rigid registration, relative to the headers."""

    matrix: np.ndarray  # 4 x 4, RAS+ mm, from a point of the reference to the same tissue in the moving image
    rotation_deg: float  # rotation of the head
    shift_mm: float  # displacement of the centre of the reference's head
    overlap: float  # share of the smaller head that overlaps the other, 0 to 1
    metric: float  # mutual information, nats; larger is better
    gain: float  # ratio of the metric to the best one with the image displaced
    problems: tuple[str, ...]  # why the result is implausible, in words; empty if it is plausible


def register_rigid(
    moving: Volume,
    reference: Volume,
    reference_mask: np.ndarray | None = None,
    max_rotation_deg: float = MAX_ROTATION_DEG,
    max_shift_mm: float = MAX_SHIFT_MM,
) -> Registration:
    """Register two images of one head rigidly: any sequences, with or without skull, whole heads or slabs.

    Mattes mutual information is maximised from coarse to fine. The result is reproducible to the last bit with any
    number of threads; one core is used.

    Args:
        moving: the image to register, 3D.
        reference: the image to register it to, 3D.
        reference_mask: where the metric is evaluated, on the grid of the reference, including a margin around the
            tissue; by default the head and 8 mm around it.
        max_rotation_deg, max_shift_mm: limits of a plausible result; infinite for a reference in another space, such as
            an atlas.

    Raises:
        InputError: an image is not 3D, not finite or nearly constant, or the images do not overlap.
    """
    for volume in (moving, reference):
        check_contrast(volume)
    levels = make_pyramid(moving, reference, reference_mask)
    matrix = best_start(levels[0])
    for level in levels[1:]:
        matrix = optimise_level(level, matrix)
    return assess(levels[-1], matrix, max_rotation_deg, max_shift_mm)


def best_start(level: Level) -> np.ndarray:
    """Return the best result of several starts; InputError if the images overlap for none of them."""
    centre = centre_of(level.mask)
    shifts = np.zeros(3), centre_of(find_head(level.moving)) - centre
    turns = np.vstack([np.zeros(3), np.eye(3), -np.eye(3)]) * START_TURN_DEG
    starts = [rigid_matrix(turn, shift, centre) for shift in shifts for turn in turns]
    starts.sort(key=lambda start: overlap_weighted_information(level, start), reverse=True)
    answers = []
    for start in starts[:NUM_STARTS]:
        with contextlib.suppress(InputError):
            answers.append(optimise_level(level, start))
    return (
        max(answers, key=lambda answer: overlap_weighted_information(level, answer))
        if answers
        else optimise_level(level, starts[0])
    )


def overlap_weighted_information(level: Level, matrix: np.ndarray) -> float:
    """Return the mutual information, weighted by the share of the mask that is inside the moving image."""
    field = sitk.Cast(level.moving, sitk.sitkUInt8) * 0 + 1
    inside = sitk.Resample(field, level.fixed, to_itk_transform(matrix), sitk.sitkNearestNeighbor)
    seen = sitk.GetArrayViewFromImage(inside)[sitk.GetArrayViewFromImage(level.mask) > 0]
    return mutual_information(level, matrix) * float(seen.mean())


def make_method(level: Level, matrix: np.ndarray, num_points: int = NUM_POINTS) -> sitk.ImageRegistrationMethod:
    """Configure the registration of SimpleITK with a start matrix, except for the optimiser.

    The gradient is computed from neighbouring voxels. ITK's default, which smooths over the largest edge of a voxel,
    causes errors of half a degree with thick slices.
    """
    start = sitk.Euler3DTransform()
    lps = TO_LPS @ matrix @ TO_LPS
    centre = TO_LPS[:3, :3] @ centre_of(level.mask)
    start.SetCenter(centre)
    start.SetMatrix(lps[:3, :3].ravel(), 1e-6)
    start.SetTranslation(lps[:3, :3] @ centre + lps[:3, 3] - centre)
    share = num_points / np.count_nonzero(sitk.GetArrayViewFromImage(level.mask))
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfWorkUnits(
        1
    )  # with several, the order of summation varies, and results are not reproducible to the last bit
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=32)
    method.SetMetricFixedMask(level.mask)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(min(1.0, share), seed=1)
    method.SetMetricUseFixedImageGradientFilter(False)
    method.SetMetricUseMovingImageGradientFilter(False)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetInitialTransform(start, inPlace=True)
    return method


def mutual_information(level: Level, matrix: np.ndarray, num_points: int = NUM_POINTS) -> float:
    """Return the mutual information of two images, nats; 0 if they do not overlap."""
    try:
        return -make_method(level, matrix, num_points).MetricEvaluate(level.fixed, level.moving)
    except RuntimeError:
        return 0.0


def optimise_level(level: Level, matrix: np.ndarray, num_points: int = NUM_POINTS) -> np.ndarray:
    """Maximise the mutual information from a start matrix; InputError if the images do not overlap."""
    method = make_method(level, matrix, num_points)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 0.001, numberOfIterations=200, relaxationFactor=0.8)
    method.SetOptimizerScalesFromPhysicalShift()
    try:
        return matrix_of(method.Execute(level.fixed, level.moving))
    except RuntimeError as error:
        advice = "Check in a viewer that the two images show the same head."
        raise InputError("two images that overlap", str(error).splitlines()[-1], advice) from error


def assess(level: Level, matrix: np.ndarray, max_rotation_deg: float, max_shift_mm: float) -> Registration:
    """Return a registration with its measures and problems."""
    centre = centre_of(level.mask)
    rotation_deg = float(np.rad2deg(Rotation.from_matrix(matrix[:3, :3]).magnitude()))
    shift_mm = float(np.linalg.norm((matrix @ [*centre, 1])[:3] - centre))
    overlap, metric = overlap_of_heads(level, matrix), mutual_information(level, matrix)
    gain = metric / max(displaced_information(level, matrix), 1e-9)
    far, trial = "more than a head moves between series", f"{TRIAL_MM_AND_DEG:.0f} mm or degrees"
    found = (
        (rotation_deg > max_rotation_deg, f"a rotation of {rotation_deg:.0f} degrees, {far}"),
        (shift_mm > max_shift_mm, f"a shift of {shift_mm:.0f} mm relative to the headers, {far}"),
        (overlap < MIN_OVERLAP, f"only {overlap:.0%} of the smaller head overlap the other"),
        (gain < MIN_GAIN, f"a match hardly better than {trial} away: a different head, or too little in common"),
    )
    problems = tuple(words for wrong, words in found if wrong)
    return Registration(matrix, rotation_deg, shift_mm, overlap, metric, gain, problems)


def displaced_information(level: Level, matrix: np.ndarray, num_points: int = NUM_POINTS) -> float:
    """Return the best mutual information with the image displaced by 10 mm or 10 degrees."""
    centre = centre_of(level.mask)
    trials = [step * sign for step in np.eye(6) * TRIAL_MM_AND_DEG for sign in (-1, 1)]
    places = [matrix @ rigid_matrix(step[:3], step[3:], centre) for step in trials]
    return max(mutual_information(level, place, num_points) for place in places)


def overlap_of_heads(level: Level, matrix: np.ndarray) -> float:
    """Return the share of the smaller head that overlaps the other, by volume."""
    fixed, moving = find_head(level.fixed), find_head(level.moving)
    brought = sitk.Resample(moving, fixed, to_itk_transform(matrix), sitk.sitkNearestNeighbor)
    on_both, *volumes = (
        np.count_nonzero(sitk.GetArrayViewFromImage(mask)) * np.prod(mask.GetSpacing())
        for mask in (fixed & brought, fixed, moving)
    )
    return float(min(1, on_both / min(volumes)))
