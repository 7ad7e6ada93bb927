"""The last millimetres between template and head: the template painted in the image's own contrast, then demons.

Whatever the contrast, a regression of the image on the template's tissues and on shells around its brain predicts what
the image would look like if the fit were perfect; demons bend the prediction towards the image.
"""

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from glioma_idh.imaging.resampling import from_itk, to_itk
from glioma_idh.imaging.volumes import Volume

MARGIN_MM = 8
SHELLS_MM = (2, 5, 8, 11)
SHELL_WIDTH_MM = 2
ITERATIONS = 20
STIFFNESS_VOXELS = 3.0


def fit_bend(work, template: dict, transform) -> tuple:
    """Bend the points of a head (image `work`, coarse) so that the template, its maps by name, fits better.

    Method: demons with symmetric forces (Vercauteren et al. 2009, NeuroImage 45:S61), the field smoothed at each step,
    after a transform of SimpleITK from the head to the template.

    Returns:
        A transform from the head to the head, and the share of the image's variance that the template explains before.
    """
    image = from_itk(work)
    predicted, near = predict(image, *features(work, template, transform))
    rest = image.array - predicted
    noise = 1.4826 * np.median(np.abs(rest[near])) + 1e-6
    wanted = predicted + np.where(near, np.clip(rest, -3 * noise, 3 * noise), 0)
    demons = sitk.FastSymmetricForcesDemonsRegistrationFilter()
    demons.SetNumberOfWorkUnits(8)
    demons.SetNumberOfIterations(ITERATIONS)
    demons.SetStandardDeviations(STIFFNESS_VOXELS)
    demons.SetSmoothUpdateField(True)
    demons.SetUpdateFieldStandardDeviations(1.0)
    field = demons.Execute(*(to_itk(Volume(array / noise, image.affine)) for array in (wanted, predicted)))
    explained = 1 - np.sum((wanted - predicted)[near] ** 2) / np.sum((wanted[near] - wanted[near].mean()) ** 2)
    return sitk.DisplacementFieldTransform(sitk.Cast(field, sitk.sitkVectorFloat64)), max(0.0, float(explained))


def features(work, template: dict, transform) -> tuple[np.ndarray, np.ndarray]:
    """What a voxel's brightness may depend on, shape (i, j, k, feature), and its distance from the brain, mm."""
    maps = {name: sitk.Resample(map_, work, transform, sitk.sitkLinear, 0.0) for name, map_ in template.items()}
    brain, t1, white, grey = (sitk.GetArrayFromImage(maps[name]).T for name in ("brain", "t1", "white", "grey"))
    outside_mm = ndimage.distance_transform_edt(brain < 0.5, sampling=work.GetSpacing())
    shells = [np.exp(-0.5 * ((outside_mm - mm) / SHELL_WIDTH_MM) ** 2) * (outside_mm > 0) for mm in SHELLS_MM]
    tissues = [brain, t1 * brain, t1**2 * brain, white, grey, white**2, grey**2, white * grey]
    return np.stack([*tissues, *shells], axis=-1), outside_mm


def predict(image: Volume, columns: np.ndarray, outside_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The image as the features predict it, shape (i, j, k), and the mask of where that was learned.

    Voxels that fit badly, such as tumour, count less (Cauchy weights, repeated four times).
    """
    near = outside_mm < MARGIN_MM
    rows, values = columns[near], image.array[near]
    weight = np.ones_like(values)
    for _ in range(4):
        factors = np.linalg.lstsq(rows * weight[:, None], values * weight, rcond=None)[0]
        rest = values - rows @ factors
        weight = 1 / np.sqrt(1 + (rest / (3 * np.median(np.abs(rest)) + 1e-6)) ** 2)
    return (columns @ factors).astype(np.float32), near
