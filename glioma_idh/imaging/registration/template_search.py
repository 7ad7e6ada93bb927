"""The affine map from the template to a head: where to start, and mutual information from coarse to fine.

The template has no skull, so that its brain could be blown up to the scalp of a head. Around it stand shells for
skull, scalp and air; mutual information asks only that they be told apart, not how bright they are.
"""

import itertools

import numpy as np
import SimpleITK as sitk
from scipy import ndimage
from scipy.spatial.transform import Rotation

from glioma_idh.imaging.resampling import from_itk, matrix_of, to_itk, to_itk_transform
from glioma_idh.imaging.volumes import Volume

WORK_MM = 2.5
CENTRE_MM = np.array([0.0, -18.0, 8.0])  # of the template's brain, RAS+
TOP_MM = 88.0  # height of the scalp over the template's origin
UPPER_HEAD_MM = 120
SKULL_MM, SCALP_MM, AIR_MM = 9, 16, 22  # where, outside the brain, skull, scalp and air end
MARGIN_MM = 4
BARE = -0.5  # brightness around the bare brain, which no tissue has
PITCHES_DEG, YAWS_DEG, SHIFTS_MM = (-10, 5, 20), (-15, 0, 15), (-20, 0, 20)
NUM_STARTS = 6


def coarsen(image):
    """An image of SimpleITK, smoothed and read in cubes of WORK_MM over the same extent."""
    spacing = np.array(image.GetSpacing())
    sigmas = [0.4 * WORK_MM if edge < WORK_MM else 0.01 for edge in spacing]
    filter_ = sitk.ResampleImageFilter()
    filter_.SetSize(np.maximum(1, np.round(image.GetSize() * spacing / WORK_MM)).astype(int).tolist())
    filter_.SetOutputSpacing([WORK_MM] * 3)
    filter_.SetOutputOrigin(image.TransformContinuousIndexToPhysicalPoint(((WORK_MM / spacing - 1) / 2).tolist()))
    filter_.SetOutputDirection(image.GetDirection())
    filter_.SetUseNearestNeighborExtrapolator(True)
    return filter_.Execute(sitk.SmoothingRecursiveGaussian(image, sigmas))


def find_affine(work, template: dict, stripped: bool) -> np.ndarray:
    """The affine map, 4 x 4, RAS+ mm, that takes the template's points to a head (`work`, coarse), maybe stripped."""
    bare, bare_mask = draw_template(template, stripped)
    still, mask = (bare, bare_mask) if stripped else draw_template(template, stripped, shells=True)
    *images, coarse_mask = coarsest = shrink(still, 3), shrink(work, 3), sitk.Shrink(mask, [3] * 3)
    starts = start_matrices(work, stripped)  # those of most mutual information, which is negative in the metric
    starts.sort(key=lambda start: make_method(coarse_mask, start, rigid=True)[0].MetricEvaluate(*images))
    found = [optimise(*coarsest, start, rigid=True) for start in starts[:NUM_STARTS]]
    matrix, _ = min(found, key=lambda answer: answer[1])
    matrix, _ = optimise(shrink(still, 2), shrink(work, 2), sitk.Shrink(mask, [2] * 3), matrix)
    matrix, _ = optimise(still, work, mask, matrix)
    return matrix if stripped else optimise(bare, work, bare_mask, matrix)[0]


def draw_template(template: dict, stripped: bool, shells: bool = False) -> tuple:
    """The template's brain, bare or in shells of skull, scalp and air, and the mask to compare it in: with a margin.

    With skull, the margin is left out below the origin, where flesh lies against the brain: no skull, and the face.
    """
    t1, brain, outside_mm, height_mm, affine = template_arrays(template)
    around = [outside_mm < SKULL_MM, outside_mm < SCALP_MM] if shells else []
    drawn = np.select([brain, *around], [t1, -0.2, 1.3][: 1 + len(around)], BARE)
    mask = brain | ((outside_mm < (AIR_MM if shells else MARGIN_MM)) & (stripped | (height_mm > 0)))
    return to_itk(Volume(drawn, affine)), to_itk(Volume(mask, affine), np.uint8)


def template_arrays(template: dict) -> tuple:
    """T1, brain, distance from it and height over the origin (both mm) with a margin for the shells; the affine."""
    edge = [round(AIR_MM / WORK_MM)] * 3
    t1, brain = (from_itk(sitk.ConstantPad(template[name], edge, edge, 0.0)) for name in ("t1", "brain"))
    outside_mm = ndimage.distance_transform_edt(brain.array <= 0.5) * WORK_MM
    height_mm = brain.affine[2, 3] + WORK_MM * np.arange(brain.array.shape[2])
    return t1.array, brain.array > 0.5, outside_mm, height_mm, brain.affine


def start_matrices(work, stripped: bool) -> list[np.ndarray]:
    """Maps from the template to the head to begin with: centre on centre, nodding, turned and shifted."""
    centre, starts = find_centre(work, stripped), []
    for pitch, yaw, shift in itertools.product(PITCHES_DEG, YAWS_DEG, SHIFTS_MM):
        start = np.eye(4)
        start[:3, :3] = Rotation.from_euler("zx", [yaw, pitch], degrees=True).as_matrix()
        start[:3, 3] = centre - start[:3, :3] @ CENTRE_MM + (0, 0, shift)
        starts.append(start)
    return starts


def find_centre(work, stripped: bool) -> np.ndarray:
    """About where the centre of the brain lies, RAS+ mm: below the top of the head, or amid the brain."""
    volume = from_itk(sitk.OtsuThreshold(work, 0, 1))
    filled = ndimage.binary_opening(volume.array > 0)
    places = np.argwhere(filled if filled.any() else volume.array > 0) @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    if stripped:
        return places.mean(axis=0)
    top = np.percentile(places[:, 2], 99.5)
    across, along, _ = np.median(places[places[:, 2] > top - UPPER_HEAD_MM], axis=0)
    return np.array([across, along, top - TOP_MM + CENTRE_MM[2]])


def shrink(image, factor: int):
    """A smoothed image in voxels that are larger by a factor."""
    return sitk.Shrink(sitk.SmoothingRecursiveGaussian(image, 0.5 * factor * WORK_MM), [factor] * 3)


def make_method(mask, start: np.ndarray, rigid: bool) -> tuple:
    """A registration from a starting matrix, and the transform that it will move, about the template's centre."""
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfWorkUnits(1)  # several add up in the order in which they end, and no two runs agree to the bit
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


def optimise(still, work, mask, start: np.ndarray, rigid: bool = False) -> tuple[np.ndarray, float]:
    """The matrix nearby with the best mutual information, and its metric; the start and 0 where the images part."""
    method, transform = make_method(mask, start, rigid)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(0.5 if still.GetSpacing()[0] == WORK_MM else 1.0, 1)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 0.01, 60, relaxationFactor=0.6)  # of 1 mm: it runs off in more
    method.SetOptimizerScalesFromPhysicalShift()
    try:
        method.Execute(still, work)
    except RuntimeError:
        return start, 0.0
    return matrix_of(transform), method.GetMetricValue()
