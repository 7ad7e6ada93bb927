"""Affine registration of the template to a head: start positions, and mutual information from coarse to fine.

The template has no skull; its brain might therefore be expanded to the scalp of a head. To prevent this, shells for
skull, scalp and air are added around it. Mutual information needs different values for them, but not realistic ones.
"""

import itertools

import numpy as np
import SimpleITK as sitk
from scipy import ndimage
from scipy.spatial.transform import Rotation

from glioma_idh.imaging.resampling import from_itk, matrix_of, to_itk, to_itk_transform
from glioma_idh.imaging.volumes import Volume

WORK_MM = 2.5
CENTRE_MM = np.array([0.0, -18.0, 8.0])  # centre of the template's brain, RAS+
TOP_MM = 88.0  # height of the scalp above the template's origin
UPPER_HEAD_MM = 120
SKULL_MM, SCALP_MM, AIR_MM = 9, 16, 22  # outer limits of skull, scalp and air, as distances from the brain
MARGIN_MM = 4
BARE = -0.5  # intensity around the skull-stripped brain, unlike any tissue
PITCHES_DEG, YAWS_DEG, SHIFTS_MM = (-10, 5, 20), (-15, 0, 15), (-20, 0, 20)
NUM_STARTS = 6


def coarsen(image: sitk.Image) -> sitk.Image:
    """Smooth an image and resample it to cubes of WORK_MM over the same extent."""
    spacing = np.array(image.GetSpacing())
    sigmas = [0.4 * WORK_MM if edge < WORK_MM else 0.01 for edge in spacing]
    filter_ = sitk.ResampleImageFilter()
    filter_.SetSize(np.maximum(1, np.round(image.GetSize() * spacing / WORK_MM)).astype(int).tolist())
    filter_.SetOutputSpacing([WORK_MM] * 3)
    filter_.SetOutputOrigin(image.TransformContinuousIndexToPhysicalPoint(((WORK_MM / spacing - 1) / 2).tolist()))
    filter_.SetOutputDirection(image.GetDirection())
    filter_.SetUseNearestNeighborExtrapolator(True)
    return filter_.Execute(sitk.SmoothingRecursiveGaussian(image, sigmas))


def find_affine(work: sitk.Image, template: dict[str, sitk.Image], stripped: bool) -> np.ndarray:
    """Return the affine matrix, 4 x 4, RAS+ mm, from the template to a head (`work`, coarse), skull-stripped or not."""
    bare, bare_mask = draw_template(template, stripped)
    still, mask = (bare, bare_mask) if stripped else draw_template(template, stripped, shells=True)
    *images, coarse_mask = coarsest = shrink(still, 3), shrink(work, 3), sitk.Shrink(mask, [3] * 3)
    starts = start_matrices(work, stripped)  # sorted by the metric, which is the negative mutual information
    starts.sort(key=lambda start: make_method(coarse_mask, start, rigid=True)[0].MetricEvaluate(*images))
    found = [optimise(*coarsest, start, rigid=True) for start in starts[:NUM_STARTS]]
    matrix, _ = min(found, key=lambda answer: answer[1])
    matrix, _ = optimise(shrink(still, 2), shrink(work, 2), sitk.Shrink(mask, [2] * 3), matrix)
    matrix, _ = optimise(still, work, mask, matrix)
    return matrix if stripped else optimise(bare, work, bare_mask, matrix)[0]


def draw_template(
    template: dict[str, sitk.Image], stripped: bool, shells: bool = False
) -> tuple[sitk.Image, sitk.Image]:
    """Return the template's brain, with or without shells of skull, scalp and air, and the mask for the metric.

    The mask includes a margin, except below the origin of images with skull, where soft tissue adjoins the brain.
    """
    t1, brain, outside_mm, height_mm, affine = template_arrays(template)
    around = [outside_mm < SKULL_MM, outside_mm < SCALP_MM] if shells else []
    drawn = np.select([brain, *around], [t1, -0.2, 1.3][: 1 + len(around)], BARE)
    mask = brain | ((outside_mm < (AIR_MM if shells else MARGIN_MM)) & (stripped | (height_mm > 0)))
    return to_itk(Volume(drawn, affine)), to_itk(Volume(mask, affine), np.uint8)


def template_arrays(
    template: dict[str, sitk.Image],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return T1, brain, distance from the brain (mm), height above the origin (mm), and affine, padded for shells."""
    edge = [round(AIR_MM / WORK_MM)] * 3
    t1, brain = (from_itk(sitk.ConstantPad(template[name], edge, edge, 0.0)) for name in ("t1", "brain"))
    outside_mm = ndimage.distance_transform_edt(brain.array <= 0.5) * WORK_MM
    height_mm = brain.affine[2, 3] + WORK_MM * np.arange(brain.array.shape[2])
    return t1.array, brain.array > 0.5, outside_mm, height_mm, brain.affine


def start_matrices(work: sitk.Image, stripped: bool) -> list[np.ndarray]:
    """Return start matrices from the template to the head: aligned centres with several pitches, yaws and shifts."""
    centre, starts = find_centre(work, stripped), []
    for pitch, yaw, shift in itertools.product(PITCHES_DEG, YAWS_DEG, SHIFTS_MM):
        start = np.eye(4)
        start[:3, :3] = Rotation.from_euler("zx", [yaw, pitch], degrees=True).as_matrix()
        start[:3, 3] = centre - start[:3, :3] @ CENTRE_MM + (0, 0, shift)
        starts.append(start)
    return starts


def find_centre(work: sitk.Image, stripped: bool) -> np.ndarray:
    """Estimate the centre of the brain, RAS+ mm: from the top of the head, or of the skull-stripped brain itself."""
    volume = from_itk(sitk.OtsuThreshold(work, 0, 1))
    filled = ndimage.binary_opening(volume.array > 0)
    places = np.argwhere(filled if filled.any() else volume.array > 0) @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    if stripped:
        return places.mean(axis=0)
    top = np.percentile(places[:, 2], 99.5)
    across, along, _ = np.median(places[places[:, 2] > top - UPPER_HEAD_MM], axis=0)
    return np.array([across, along, top - TOP_MM + CENTRE_MM[2]])


def shrink(image: sitk.Image, factor: int) -> sitk.Image:
    """Smooth an image and reduce its resolution by a factor."""
    return sitk.Shrink(sitk.SmoothingRecursiveGaussian(image, 0.5 * factor * WORK_MM), [factor] * 3)


def make_method(
    mask: sitk.Image, start: np.ndarray, rigid: bool
) -> tuple[sitk.ImageRegistrationMethod, sitk.Transform]:
    """Configure a registration from a start matrix; also return the transform that it will optimise."""
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfWorkUnits(
        1
    )  # with several, the order of summation varies, and results are not reproducible to the last bit
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricFixedMask(mask)
    method.SetInterpolator(sitk.sitkLinear)
    begin = to_itk_transform(start)
    transform = sitk.Euler3DTransform() if rigid else sitk.AffineTransform(3)
    centre = CENTRE_MM * (-1, -1, 1)
    transform.SetCenter(centre)
    transform.SetMatrix(begin.GetMatrix())
    transform.SetTranslation(np.array(begin.TransformPoint(centre)) - centre)
    method.SetInitialTransform(transform, inPlace=True)
    return method, transform


def optimise(
    still: sitk.Image, work: sitk.Image, mask: sitk.Image, start: np.ndarray, rigid: bool = False
) -> tuple[np.ndarray, float]:
    """Maximise the mutual information from a start matrix; return the matrix and its metric.

    If the images do not overlap, the start and 0 are returned.
    """
    method, transform = make_method(mask, start, rigid)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(0.5 if still.GetSpacing()[0] == WORK_MM else 1.0, 1)
    method.SetOptimizerAsRegularStepGradientDescent(
        1.0, 0.01, 60, relaxationFactor=0.6
    )  # steps of 1 mm; larger ones diverge
    method.SetOptimizerScalesFromPhysicalShift()
    try:
        method.Execute(still, work)
    except RuntimeError:
        return start, 0.0
    return matrix_of(transform), method.GetMetricValue()
