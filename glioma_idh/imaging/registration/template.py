"""The ICBM152 template fitted to a head: where its brain, white and grey matter lie in a patient.

Source of the maps: Fonov et al. 2011, NeuroImage 54:313, through `nilearn.datasets` (bundled; nothing is downloaded).
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
LEAST_EXPLAINED = 0.12  # right fits reach 0.18 and more in thick slices with skull; a head upside down 0.02, lying 0.09
MARGIN_MM = 8
SHELLS_MM = (2, 5, 8, 11)
SHELL_WIDTH_MM = 2
ITERATIONS = 20
STIFFNESS_VOXELS = 3.0


@dataclass(frozen=True)
class TemplateFit:
    """The template in a patient's head."""

    matrix: np.ndarray  # 4 x 4, takes a point of the head to its place in the template, RAS+ mm
    bend: object  # transform of SimpleITK, applied before the matrix: moves a point of the head by some millimetres
    scale: np.ndarray  # lengths in the head over those in the template, along the template's axes, shape (3,)
    overlap: float  # share of the template's brain that lies in the image
    explained: float  # share of the image's variance, in and around the brain, that the template accounts for
    problems: tuple[str, ...]  # what makes the fit implausible, in words; empty where nothing does

    def map(self, name: str, grid: Volume) -> np.ndarray:
        """A map of the template (shares `brain`, `white`, `grey`; or `t1`) on a grid (i, j, k) of the head, float32."""
        places = to_itk(Volume(np.broadcast_to(np.float32(0), grid.array.shape[:3]), grid.affine))
        both = sitk.CompositeTransform([to_itk_transform(self.matrix), self.bend])  # the last is applied first
        return sitk.GetArrayFromImage(sitk.Resample(to_itk(load_template()[name]), places, both, sitk.sitkLinear)).T

    def mirror(self, mask: Volume) -> np.ndarray:
        """A mask mirrored at the template's midsagittal plane, by the affine part alone, on its own grid; bool."""
        flip = np.linalg.inv(self.matrix) @ np.diag([-1.0, 1, 1, 1]) @ self.matrix
        image = to_itk(Volume(mask.array > 0, mask.affine), np.uint8)
        return sitk.GetArrayFromImage(sitk.Resample(image, to_itk_transform(flip), sitk.sitkNearestNeighbor)).T > 0


@cache
def load_template() -> dict[str, Volume]:
    """The template, voxels of 1 mm: `t1` (without skull), and shares of `brain`, `white` and `grey` matter."""
    from nilearn import datasets

    loaders = {"t1": datasets.load_mni152_template, "brain": datasets.load_mni152_brain_mask}
    loaders |= {"white": datasets.load_mni152_wm_template, "grey": datasets.load_mni152_gm_template}
    images = {name: load(resolution=1) for name, load in loaders.items()}
    return {name: Volume(image.get_fdata(dtype=np.float32), image.affine) for name, image in images.items()}


def fit_template(head: Volume, brain_mask: np.ndarray | None = None) -> TemplateFit:
    """Fit the template to a patient's image, shape (i, j, k), of any contrast, with skull or without.

    First affine, from several starts, by mutual information (Mattes et al. 2003, IEEE Trans Med Imaging 22:120); then
    a gentle bend. A poor fit comes back with its `problems`. An image without skull needs no brain mask. InputError if
    the image is not 3D, empty or thinner than a head, or the mask is empty or of another shape.
    """
    check_head(head)
    if brain_mask is None and looks_stripped(head):
        brain_mask = head.array != estimate_background(head.array)
    if brain_mask is not None and (brain_mask.shape != head.array.shape or not (brain_mask > 0).any()):
        found = f"shape {brain_mask.shape}, {np.count_nonzero(brain_mask)} voxels"
        raise InputError(f"a brain mask of shape {head.array.shape}", found, "Give that of this image.", file=head.file)
    template = {name: coarsen(to_itk(map_)) for name, map_ in load_template().items()}
    work = simplify(head, brain_mask)
    affine = find_affine(work, template, brain_mask is not None)
    matrix = np.linalg.inv(affine)
    bend, explained = fit_bend(work, template, to_itk_transform(matrix))
    return TemplateFit(matrix, bend, *judge(affine, work, template["brain"], explained))


def check_head(head: Volume) -> None:
    """Raise InputError unless a volume can be an image of a head."""
    if head.array.ndim != 3:
        found = f"shape {head.array.shape}"
        raise InputError("a 3D image of a head", found, "Give one volume, not a slice or a series.", file=head.file)
    sides_mm = head.array.shape * head.spacing_mm
    if sides_mm.min() < LEAST_SIDE_MM or min(head.array.shape) < 4:
        found = " x ".join(f"{side:.0f}" for side in sides_mm) + f" mm in {head.array.shape} voxels"
        advice = "Give the whole series, or a brain mask of another image."
        raise InputError(f"an image of a head, at least {LEAST_SIDE_MM} mm each way", found, advice, file=head.file)
    if not np.isfinite(head.array).all() or head.array.min() == head.array.max():
        found = "voxels that are NaN or infinite, or all alike"
        raise InputError("an image of a head", found, "Make the image again.", file=head.file)


def simplify(head: Volume, brain_mask: np.ndarray | None):
    """The image in coarse voxels, without its brightest spots and, where a brain mask is given, without the rest."""
    array = np.asarray(head.array, dtype=np.float32)
    low = float(array.min())
    if brain_mask is not None:
        darkest, brightest = np.percentile(array[brain_mask > 0], [0.5, 98])
        low = float(darkest - (brightest - darkest) / 2)  # fluid, too, differs from what lies around the brain
        array = np.where(brain_mask, np.maximum(array, darkest), low)
    image = to_itk(Volume(array, head.affine))
    bright = array[sitk.GetArrayFromImage(sitk.OtsuThreshold(image, 0, 1)).T > 0]
    return coarsen(sitk.Clamp(image, sitk.sitkFloat32, low, float(np.percentile(bright, 98))))


def judge(affine: np.ndarray, work, brain, explained: float) -> tuple:
    """Scale, overlap and share explained of a fit (affine from template to head), and what is wrong with them."""
    scale = np.linalg.norm(affine[:3, :3], axis=0)
    ones = sitk.Cast(work * 0, sitk.sitkFloat32) + 1
    inside = sitk.GetArrayFromImage(sitk.Resample(ones, brain, to_itk_transform(affine), sitk.sitkLinear, 0.0))
    overlap = float(inside[sitk.GetArrayViewFromImage(brain) > 0.5].mean())
    problems = []
    if scale.min() < PLAUSIBLE_SCALE[0] or scale.max() > PLAUSIBLE_SCALE[1]:
        sizes = " x ".join(f"{size:.2f}" for size in scale)
        problems.append(f"the head would be {sizes} times the template (right, front, top)")
    if overlap < LEAST_OVERLAP:
        problems.append(f"only {overlap:.0%} of the template's brain lies in the image")
    if explained < LEAST_EXPLAINED:
        problems.append(f"the template explains only {explained:.0%} of the image around the brain")
    return scale, overlap, explained, tuple(problems)


def fit_bend(work, template: dict, transform) -> tuple:
    """Bend the points of a head (image `work`, coarse) so that the template, its maps by name, fits better.

    Whatever the contrast, a regression of the image on the template's tissues and on shells around its brain predicts
    what the image would look like if the fit (a transform from the head to the template) were perfect. Demons with
    symmetric forces (Vercauteren et al. 2009, NeuroImage 45:S61) bend the prediction towards the image, the field
    smoothed at each step. Also returned is the share of the image's variance that the template explains before.
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
    """The image as the features predict it, and the mask of where that was learned."""
    near = outside_mm < MARGIN_MM
    rows, values = columns[near], image.array[near]
    weight = np.ones_like(values)
    for _ in range(4):  # voxels that fit badly, such as tumour, count less (Cauchy weights)
        factors = np.linalg.lstsq(rows * weight[:, None], values * weight, rcond=None)[0]
        rest = values - rows @ factors
        weight = 1 / np.sqrt(1 + (rest / (3 * np.median(np.abs(rest)) + 1e-6)) ** 2)
    return (columns @ factors).astype(np.float32), near
