"""Correction of the bias field, and brain extraction."""

import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from glioma_idh.errors import InputError
from glioma_idh.imaging.heuristics import classify_intensities, estimate_background, looks_stripped
from glioma_idh.imaging.masks import read_mask
from glioma_idh.imaging.registration.template import TemplateFit, check_head
from glioma_idh.imaging.resampling import to_itk
from glioma_idh.imaging.volumes import Volume, bounding_box, check_same_grid, crop, write_volume
from glioma_idh.parallel import parent_death_request

BIAS_VOXEL_MM = 4.5
BIAS_ITERATIONS = (50, 50, 30)
BIAS_THREADS = 4  # fixed, because the last digits of the result depend on it
BAND_MM = 18  # margin around the template's brain in which the border is searched
PRIOR_WIDTH_MM = 3.0  # depth in the template's brain with the same weight as log odds of 1 from the intensities
INSIDE_MM, OUTSIDE_MM = (1, 10), (2, 14)  # in and around the template's brain: where the two histograms are taken
NUM_BINS = 64
LARGEST_LOG_RATIO = 2.0
SMOOTHING_MM = 1.0
BRIDGE_MM, FURROW_MM = 3.0, 5.0  # half widths of the bridges that are cut and of the sulci that are filled


def correct_bias(volume: Volume, mask: np.ndarray | None = None) -> Volume:
    """Correct the bias field with N4 (Tustison et al. 2010, IEEE Trans Med Imaging 29:1310).

    The field is estimated in voxels of about 4 mm, from positive voxels, and applied at full resolution. The mean
    within the mask is preserved.

    Args:
        volume: the image, 3D.
        mask: voxels to estimate the field from, of the image's shape; by default the brain of a skull-stripped image,
            otherwise the head (Otsu's threshold).

    Raises:
        InputError: the image is too small or empty, or holds z-scores.
    """
    check_head(volume)
    tissue = volume.array != estimate_background(volume.array)
    if classify_intensities(volume.array[tissue], tissue.size * volume.voxel_ml) == "z-scored":
        advice = "Use the image as acquired, or switch the bias correction off."
        raise InputError("raw intensities for the bias correction", "z-scores", advice, file=volume.file)
    if mask is not None:
        mask = mask > 0
    elif looks_stripped(volume):
        mask = tissue
    else:
        mask = sitk.GetArrayFromImage(sitk.OtsuThreshold(to_itk(volume), 0, 1, 200)).T > 0
    mask = mask & (volume.array > 0)
    if not mask.any():
        raise InputError("positive voxels within the mask", "none", "Check the image and the mask.", file=volume.file)
    field = bias_field(to_itk(volume), to_itk(Volume(mask, volume.affine), np.uint8))
    corrected = volume.array / np.exp(sitk.GetArrayViewFromImage(field).T)
    corrected *= volume.array[mask].mean(dtype=float) / corrected[mask].mean(dtype=float)
    return replace(volume, array=corrected.astype(np.float32))


def bias_field(image: sitk.Image, mask: sitk.Image) -> sitk.Image:
    """Estimate the logarithm of the bias field, at the image's resolution.

    N4 takes the global number of threads of SimpleITK, which is set for the call and restored.
    """
    sides = zip(image.GetSize(), image.GetSpacing(), strict=True)
    factors = [max(1, min(round(BIAS_VOXEL_MM / edge), count // 4)) for count, edge in sides]
    correction = sitk.N4BiasFieldCorrectionImageFilter()
    correction.SetMaximumNumberOfIterations(BIAS_ITERATIONS)
    num_threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    try:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(BIAS_THREADS)
        correction.Execute(sitk.Shrink(image, factors), sitk.Shrink(mask, factors))
        return correction.GetLogBiasFieldAsImage(image)
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(num_threads)


def extract_brain(head: Volume, fit: TemplateFit | None) -> Volume:
    """Extract the brain: the brain of the fitted template, with its border refined by the image's intensities.

    A voxel near the border belongs to the brain if the sum of its depth in the template's brain and the log odds of its
    intensity (brain against surroundings) is positive. Narrow bridges to other tissue are cut; sulci and holes are
    filled. Of a skull-stripped image the voxels that are not background are returned.

    Args:
        head: the image, of any contrast, preferably after `correct_bias`.
        fit: the template fitted to it; not needed for a skull-stripped image.

    Returns:
        The mask, uint8, 0 and 1.

    Raises:
        InputError: the template's brain lies outside the image.
    """
    if looks_stripped(head):
        brain = ndimage.binary_fill_holes(head.array != estimate_background(head.array))
        return Volume(brain.astype(np.uint8), head.affine, head.file)
    template = fit.map("brain", head) > 0.5
    if not template.any():
        advice = "Give a brain mask, or a command that extracts the brain."
        raise InputError("the brain in the image", "; ".join(fit.problems) or "no brain", advice, file=head.file)
    margin = np.ceil(BAND_MM / head.spacing_mm).astype(int)
    limits = zip(bounding_box(template), margin, head.array.shape, strict=True)
    box = tuple((max(0, start - edge), min(stop + edge, count)) for (start, stop), edge, count in limits)
    mask = np.zeros(head.array.shape, np.uint8)
    crop(mask, box)[...] = refine(crop(head.array, box), crop(template, box), head.spacing_mm)
    return Volume(mask, head.affine, head.file)


def refine(array: np.ndarray, template: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """Return the brain mask, bool, shape (i, j, k), from the depth in the template's brain and the intensities."""
    depth_mm = distance_mm(template, spacing_mm) - distance_mm(~template, spacing_mm)
    edges = np.linspace(*np.percentile(array[template], [0.5, 99.5]), NUM_BINS - 1)
    bins = np.digitize(array, edges)
    brain = frequencies(bins[(depth_mm > INSIDE_MM[0]) & (depth_mm < INSIDE_MM[1])])
    around = frequencies(bins[(-depth_mm > OUTSIDE_MM[0]) & (-depth_mm < OUTSIDE_MM[1])])
    odds = np.clip(np.log(brain / around), -LARGEST_LOG_RATIO, LARGEST_LOG_RATIO)[bins]
    odds = ndimage.gaussian_filter(odds, SMOOTHING_MM / spacing_mm)
    return tidy(odds + depth_mm / PRIOR_WIDTH_MM > 0, spacing_mm)


def frequencies(bins: np.ndarray) -> np.ndarray:
    """Return the smoothed share of each bin; none is 0."""
    counts = np.bincount(bins, minlength=NUM_BINS) + 1.0
    return ndimage.gaussian_filter1d(counts / counts.sum(), 1.0, mode="nearest")


def tidy(mask: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """Return the largest component of a mask after cutting narrow bridges, with sulci and holes filled."""
    parts, count = ndimage.label(distance_mm(np.pad(mask, 1), spacing_mm)[1:-1, 1:-1, 1:-1] > BRIDGE_MM)
    if count:
        largest = parts == np.bincount(parts.ravel())[1:].argmax() + 1
        mask = mask & (distance_mm(~largest, spacing_mm) <= BRIDGE_MM + 1)
    edge = [(round(side), round(side)) for side in np.ceil(FURROW_MM / spacing_mm) + 1]
    swollen = distance_mm(~np.pad(mask, edge), spacing_mm) <= FURROW_MM
    closed = distance_mm(swollen, spacing_mm) > FURROW_MM
    return ndimage.binary_fill_holes(mask | crop(closed, [(start, -stop) for start, stop in edge]))


def distance_mm(mask: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """Return the distance of each true voxel from the nearest false one, mm, float32."""
    return ndimage.distance_transform_edt(mask, sampling=spacing_mm).astype(np.float32)


def extract_brain_with(command: str, head: Volume, work_dir: Path) -> Volume:
    """Extract the brain with another program.

    Args:
        command: such as `mri_synthstrip -i {input} -m {mask}`; it is run without a shell.
        head: the image.
        work_dir: folder of the two files (`.nii.gz`) whose paths replace `{input}` and `{mask}`.

    Returns:
        The mask, uint8, 0 and 1.

    Raises:
        InputError: the command is not usable or fails, or the mask is missing, empty or on another grid.
    """
    words = extractor_words(command)
    work_dir = Path(work_dir).resolve()
    image_path, mask_path = work_dir / "head.nii.gz", work_dir / "extracted_brain.nii.gz"
    write_volume(image_path, head.array, head.affine)
    mask_path.unlink(missing_ok=True)
    run_extractor([word.replace("{input}", str(image_path)).replace("{mask}", str(mask_path)) for word in words])
    mask = read_mask(mask_path)
    check_same_grid(mask, head)
    if not mask.array.any():
        raise InputError("a brain mask", "an empty mask", "Check the output of the brain extractor.", file=mask_path)
    return Volume((mask.array != 0).astype(np.uint8), head.affine, str(mask_path))


def extractor_words(command: str) -> list[str]:
    """Split the command of a brain extractor; InputError if a placeholder or the program is missing."""
    if "{input}" not in command or "{mask}" not in command:
        advice = "For example: mri_synthstrip -i {input} -m {mask}"
        raise InputError("a command of a brain extractor with {input} and {mask}", command or "no text", advice)
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InputError(
            "a command of a brain extractor", f"{command}: {error}", "Close all quotation marks."
        ) from error
    if shutil.which(words[0]) is None:
        advice = "Install it, or give its full path."
        raise InputError("a brain extractor that is installed", f"no program {words[0]}", advice)
    return words


def run_extractor(words: list[str]) -> None:
    """Run a program; InputError with the last lines of its output if it fails or cannot be started."""
    expected, advice = "a brain extractor that runs without error", "Try the command in a terminal."
    try:
        how = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "errors": "replace"}
        ended = subprocess.run(words, preexec_fn=parent_death_request(), **how)
    except OSError as error:
        raise InputError(expected, f"{words[0]}: {error.strerror or error}", advice) from error
    if ended.returncode:
        lines = [line.strip() for line in (ended.stdout + "\n" + ended.stderr).splitlines() if line.strip()]
        last = " / ".join(lines[-5:])
        raise InputError(
            expected, f"{words[0]} ended with exit status {ended.returncode}: {last or 'no output'}", advice
        )
