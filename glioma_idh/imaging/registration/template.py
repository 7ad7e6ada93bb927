"""Fit the ICBM152 template to a head, to locate brain, white and grey matter of a patient.

Source of the maps: Fonov et al. 2011, NeuroImage 54:313, bundled with `nilearn.datasets` (nothing is downloaded).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from glioma_idh.errors import InputError
from glioma_idh.imaging.heuristics import estimate_background, looks_stripped
from glioma_idh.imaging.registration.template_search import coarsen, find_affine
from glioma_idh.imaging.resampling import from_itk, to_itk, to_itk_transform
from glioma_idh.imaging.volumes import Volume

LEAST_SIDE_MM = 50
PLAUSIBLE_SCALE = (0.78, 1.25)
LEAST_OVERLAP = 0.9
LEAST_EXPLAINED = 0.12  # correct fits have at least 0.18 (thick slices with skull); wrongly oriented heads up to 0.09
MARGIN_MM = 8
SHELLS_MM = (2, 5, 8, 11)
SHELL_WIDTH_MM = 2
ITERATIONS = 20
STIFFNESS_VOXELS = 3.0


@dataclass(frozen=True)
class TemplateFit:
    """The template fitted to a patient's head."""

    matrix: np.ndarray  # 4 x 4, from points of the head to points of the template, RAS+ mm
    deformation: sitk.DisplacementFieldTransform  # applied before the matrix; displaces points by some millimetres
    scale: np.ndarray  # lengths in the head divided by those in the template, along the template's axes, shape (3,)
    overlap: float  # share of the template's brain that lies in the image
    explained: float  # share of the image's variance in and around the brain that is explained by the template
    problems: tuple[str, ...]  # why the fit is implausible, in words; empty if it is plausible

    def map(self, name: str, grid: Volume) -> np.ndarray:
        """Resample a map of the template (`brain`, `white`, `grey` or `t1`) to a grid of the head, float32."""
        places = to_itk(Volume(np.broadcast_to(np.float32(0), grid.array.shape[:3]), grid.affine))
        both = sitk.CompositeTransform([to_itk_transform(self.matrix), self.deformation])  # the last is applied first
        return sitk.GetArrayFromImage(sitk.Resample(to_itk(load_template()[name]), places, both, sitk.sitkLinear)).T

    def mirror(self, mask: Volume) -> np.ndarray:
        """Mirror a mask at the midsagittal plane of the template, using the affine part only, on its own grid; bool."""
        flip = np.linalg.inv(self.matrix) @ np.diag([-1.0, 1, 1, 1]) @ self.matrix
        image = to_itk(Volume(mask.array > 0, mask.affine), np.uint8)
        return sitk.GetArrayFromImage(sitk.Resample(image, to_itk_transform(flip), sitk.sitkNearestNeighbor)).T > 0


@cache
def load_template() -> dict[str, Volume]:
    """Load the template, voxels of 1 mm: `t1` (skull-stripped), shares of `brain`, `white` and `grey` matter."""
    from nilearn import datasets

    loaders = {"t1": datasets.load_mni152_template, "brain": datasets.load_mni152_brain_mask}
    loaders |= {"white": datasets.load_mni152_wm_template, "grey": datasets.load_mni152_gm_template}
    images = {name: load(resolution=1) for name, load in loaders.items()}
    return {name: Volume(image.get_fdata(dtype=np.float32), image.affine) for name, image in images.items()}


def fit_template(head: Volume, brain_mask: np.ndarray | None = None) -> TemplateFit:
    """Fit the template to an image of a head with any contrast, with or without skull.

    First an affine transform from several starts by mutual information (Mattes et al. 2003, IEEE Trans Med Imaging
    22:120), then a smooth deformation. An implausible fit is returned with its `problems`.

    Args:
        head: shape (i, j, k).
        brain_mask: of the same shape; not needed for a skull-stripped image.

    Raises:
        InputError: the image is not 3D, is empty or smaller than a head, or the mask is empty or of another shape.
    """
    check_head(head)
    if brain_mask is None and looks_stripped(head):
        brain_mask = head.array != estimate_background(head.array)
    if brain_mask is not None and (brain_mask.shape != head.array.shape or not (brain_mask > 0).any()):
        found = f"shape {brain_mask.shape}, {np.count_nonzero(brain_mask)} voxels"
        raise InputError(
            f"a brain mask of shape {head.array.shape}", found, "Use the mask of this image.", file=head.file
        )
    template = {name: coarsen(to_itk(map_)) for name, map_ in load_template().items()}
    work = simplify(head, brain_mask)
    affine = find_affine(work, template, brain_mask is not None)
    matrix = np.linalg.inv(affine)
    deformation, explained = fit_deformation(work, template, to_itk_transform(matrix))
    return TemplateFit(matrix, deformation, *assess(affine, work, template["brain"], explained))


def check_head(head: Volume) -> None:
    """Raise InputError unless a volume can be an image of a head."""
    if head.array.ndim != 3:
        found = f"shape {head.array.shape}"
        raise InputError("a 3D image of a head", found, "Give one volume, not a slice or a series.", file=head.file)
    sides_mm = head.array.shape * head.spacing_mm
    if sides_mm.min() < LEAST_SIDE_MM or min(head.array.shape) < 4:
        found = " x ".join(f"{side:.0f}" for side in sides_mm) + f" mm in {head.array.shape} voxels"
        advice = "Use an image that shows the whole head."
        raise InputError(
            f"an image of a head, at least {LEAST_SIDE_MM} mm along each axis", found, advice, file=head.file
        )
    if not np.isfinite(head.array).all() or head.array.min() == head.array.max():
        found = "a constant image, or NaN or infinite voxels"
        raise InputError("an image of a head", found, "Export or compute the image again.", file=head.file)


def simplify(head: Volume, brain_mask: np.ndarray | None) -> sitk.Image:
    """Return the image in coarse voxels, with clipped intensities and, with a brain mask, without other tissue."""
    array = np.asarray(head.array, dtype=np.float32)
    low = float(array.min())
    if brain_mask is not None:
        darkest, brightest = np.percentile(array[brain_mask > 0], [0.5, 98])
        low = float(darkest - (brightest - darkest) / 2)  # so that fluid, too, differs from the background
        array = np.where(brain_mask, np.maximum(array, darkest), low)
    image = to_itk(Volume(array, head.affine))
    bright = array[sitk.GetArrayFromImage(sitk.OtsuThreshold(image, 0, 1)).T > 0]
    return coarsen(sitk.Clamp(image, sitk.sitkFloat32, low, float(np.percentile(bright, 98))))


def assess(
    affine: np.ndarray, work: sitk.Image, brain: sitk.Image, explained: float
) -> tuple[np.ndarray, float, float, tuple[str, ...]]:
    """Return scale, overlap, share explained and problems of a fit; `affine` maps the template to the head."""
    scale = np.linalg.norm(affine[:3, :3], axis=0)
    ones = sitk.Cast(work * 0, sitk.sitkFloat32) + 1
    inside = sitk.GetArrayFromImage(sitk.Resample(ones, brain, to_itk_transform(affine), sitk.sitkLinear, 0.0))
    overlap = float(inside[sitk.GetArrayViewFromImage(brain) > 0.5].mean())
    problems = []
    if scale.min() < PLAUSIBLE_SCALE[0] or scale.max() > PLAUSIBLE_SCALE[1]:
        sizes = " x ".join(f"{size:.2f}" for size in scale)
        problems.append(f"the head would have {sizes} times the size of the template (along right, front, top)")
    if overlap < LEAST_OVERLAP:
        problems.append(f"only {overlap:.0%} of the template's brain lies in the image")
    if explained < LEAST_EXPLAINED:
        problems.append(f"the template explains only {explained:.0%} of the image around the brain")
    return scale, overlap, explained, tuple(problems)


def fit_deformation(
    work: sitk.Image, template: dict[str, sitk.Image], transform: sitk.Transform
) -> tuple[sitk.DisplacementFieldTransform, float]:
    """Estimate the deformation from a head to the affinely fitted template.

    A regression of the image on the template's tissues and on shells around its brain predicts the image, whatever its
    contrast. Demons registration with symmetric forces (Vercauteren et al. 2009, NeuroImage 45:S61) deforms the
    prediction to the image; the field is smoothed at each step.

    Args:
        work: image of the head, coarse.
        template: maps by name.
        transform: affine, from the head to the template.

    Returns:
        The deformation, and the share of the image's variance that the template explains before it.
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


def features(
    work: sitk.Image, template: dict[str, sitk.Image], transform: sitk.Transform
) -> tuple[np.ndarray, np.ndarray]:
    """Return the predictors of a voxel's intensity, shape (i, j, k, feature), and the distance from the brain, mm."""
    maps = {name: sitk.Resample(map_, work, transform, sitk.sitkLinear, 0.0) for name, map_ in template.items()}
    brain, t1, white, grey = (sitk.GetArrayFromImage(maps[name]).T for name in ("brain", "t1", "white", "grey"))
    outside_mm = ndimage.distance_transform_edt(brain < 0.5, sampling=work.GetSpacing())
    shells = [np.exp(-0.5 * ((outside_mm - mm) / SHELL_WIDTH_MM) ** 2) * (outside_mm > 0) for mm in SHELLS_MM]
    tissues = [brain, t1 * brain, t1**2 * brain, white, grey, white**2, grey**2, white * grey]
    return np.stack([*tissues, *shells], axis=-1), outside_mm


def predict(image: Volume, columns: np.ndarray, outside_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predict the image from the features by regression; also return the mask that was used for the regression."""
    near = outside_mm < MARGIN_MM
    rows, values = columns[near], image.array[near]
    weight = np.ones_like(values)
    for _ in range(4):  # voxels with large residuals, such as tumour, have less weight (Cauchy)
        factors = np.linalg.lstsq(rows * weight[:, None], values * weight, rcond=None)[0]
        rest = values - rows @ factors
        weight = 1 / np.sqrt(1 + (rest / (3 * np.median(np.abs(rest)) + 1e-6)) ** 2)
    return (columns @ factors).astype(np.float32), near
