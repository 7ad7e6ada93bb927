"""The brain in a head: bias field corrected, skull recognised and taken away."""

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
BIAS_THREADS = 4  # whatever the number of processors: the result depends on it in the last digits
BAND_MM = 18  # how far around the template's brain to look
PRIOR_WIDTH_MM = 3.0  # depth that weighs as much as intensities e times as frequent
INSIDE_MM, OUTSIDE_MM = (1, 10), (2, 14)  # in and around the template's brain, where intensities are learned
NUM_BINS = 64
LARGEST_LOG_RATIO = 2.0
SMOOTHING_MM = 1.0
BRIDGE_MM, FURROW_MM = 3.0, 5.0  # half widths: of bridges to cut, of furrows to fill


def correct_bias(volume: Volume, mask: np.ndarray | None = None) -> Volume:
    """Remove the slow change of brightness that coils leave: N4 (Tustison et al. 2010, IEEE Trans Med Imaging 29:1310).

    The field is found in voxels of 4 mm or so and applied in full resolution; voxels that are 0 or negative do not
    count. The mean within the mask is kept, which is by default the brain of an image without skull, otherwise what
    Otsu's threshold takes for the head. InputError if the image is too small, empty, or z-scored.
    """
    check_head(volume)
    tissue = volume.array != estimate_background(volume.array)
    if classify_intensities(volume.array[tissue], tissue.size * volume.voxel_ml) == "z-scored":
        advice = "Give the image as scanned, or switch the correction of the bias field off."
        raise InputError("raw intensities to correct", "z-scores", advice, file=volume.file)  # no factor fits them
    if mask is not None:
        mask = mask > 0
    elif looks_stripped(volume):
        mask = tissue
    else:
        mask = sitk.GetArrayFromImage(sitk.OtsuThreshold(to_itk(volume), 0, 1, 200)).T > 0
    mask = mask & (volume.array > 0)
    if not mask.any():
        raise InputError("positive voxels within the mask", "none", "Check image and mask.", file=volume.file)
    field = bias_field(to_itk(volume), to_itk(Volume(mask, volume.affine), np.uint8))
    corrected = volume.array / np.exp(sitk.GetArrayViewFromImage(field).T)
    corrected *= volume.array[mask].mean(dtype=float) / corrected[mask].mean(dtype=float)
    return replace(volume, array=corrected.astype(np.float32))


def bias_field(image, mask):
    """Logarithm of the bias field at an image's own resolution; N4's filters take the global number of threads."""
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
    """The brain mask, uint8: the template's brain, its border moved by the image's own intensities.

    A voxel near the border is brain where its depth in the template's brain and the odds of its intensity, brain
    against surroundings, say so together. Narrow bridges to what lies outside are cut, furrows and holes filled. Of an
    image without skull, which needs no fit, what is not background comes back. Any contrast will do, best after
    `correct_bias`; InputError if the template's brain does not lie in the image.
    """
    if looks_stripped(head):
        brain = ndimage.binary_fill_holes(head.array != estimate_background(head.array))
        return Volume(brain.astype(np.uint8), head.affine, head.file)
    template = fit.map("brain", head) > 0.5
    if not template.any():
        advice = "Give a brain mask, or name an extractor."
        raise InputError("the brain in the image", "; ".join(fit.problems) or "nothing", advice, file=head.file)
    margin = np.ceil(BAND_MM / head.spacing_mm).astype(int)
    limits = zip(bounding_box(template), margin, head.array.shape, strict=True)
    box = tuple((max(0, start - edge), min(stop + edge, count)) for (start, stop), edge, count in limits)
    mask = np.zeros(head.array.shape, np.uint8)
    crop(mask, box)[...] = refine(crop(head.array, box), crop(template, box), head.spacing_mm)
    return Volume(mask, head.affine, head.file)


def refine(array: np.ndarray, template: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """The brain by depth and intensity, bool, of the image around the template's brain, shape (i, j, k)."""
    depth_mm = distance_mm(template, spacing_mm) - distance_mm(~template, spacing_mm)
    edges = np.linspace(*np.percentile(array[template], [0.5, 99.5]), NUM_BINS - 1)
    bins = np.digitize(array, edges)
    brain = frequencies(bins[(depth_mm > INSIDE_MM[0]) & (depth_mm < INSIDE_MM[1])])
    around = frequencies(bins[(-depth_mm > OUTSIDE_MM[0]) & (-depth_mm < OUTSIDE_MM[1])])
    odds = np.clip(np.log(brain / around), -LARGEST_LOG_RATIO, LARGEST_LOG_RATIO)[bins]
    odds = ndimage.gaussian_filter(odds, SMOOTHING_MM / spacing_mm)
    return tidy(odds + depth_mm / PRIOR_WIDTH_MM > 0, spacing_mm)


def frequencies(bins: np.ndarray) -> np.ndarray:
    """Smoothed share of each bin, none of them 0."""
    counts = np.bincount(bins, minlength=NUM_BINS) + 1.0
    return ndimage.gaussian_filter1d(counts / counts.sum(), 1.0, mode="nearest")


def tidy(mask: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """The largest part of a mask once bridges are cut, with furrows and holes filled."""
    parts, count = ndimage.label(distance_mm(np.pad(mask, 1), spacing_mm)[1:-1, 1:-1, 1:-1] > BRIDGE_MM)
    if count:
        largest = parts == np.bincount(parts.ravel())[1:].argmax() + 1
        mask = mask & (distance_mm(~largest, spacing_mm) <= BRIDGE_MM + 1)
    edge = [(round(side), round(side)) for side in np.ceil(FURROW_MM / spacing_mm) + 1]
    swollen = distance_mm(~np.pad(mask, edge), spacing_mm) <= FURROW_MM
    closed = distance_mm(swollen, spacing_mm) > FURROW_MM
    return ndimage.binary_fill_holes(mask | crop(closed, [(start, -stop) for start, stop in edge]))


def distance_mm(mask: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """Distance of each true voxel from the nearest false one, mm, float32."""
    return ndimage.distance_transform_edt(mask, sampling=spacing_mm).astype(np.float32)


def extract_brain_with(command: str, head: Volume, work_dir: Path) -> Volume:
    """The brain mask, uint8, that a program makes, by a command such as `mri_synthstrip -i {input} -m {mask}`.

    Run without a shell, it finds the image at `{input}` and leaves the mask at `{mask}`, both `.nii.gz` in the working
    folder. InputError as of `extractor_words`, or if it fails, or leaves no mask, an empty one or one on another grid.
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
        raise InputError("a brain mask", "an empty one", "Look at the extractor's output.", file=mask_path)
    return Volume((mask.array != 0).astype(np.uint8), head.affine, str(mask_path))


def extractor_words(command: str) -> list[str]:
    """The words of an extractor's command; InputError unless it has both placeholders and its program is installed."""
    if "{input}" not in command or "{mask}" not in command:
        advice = "Such as: mri_synthstrip -i {input} -m {mask}"
        raise InputError("a brain extractor's command with {input} and {mask}", command or "nothing", advice)
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InputError("a brain extractor's command", f"{command}: {error}", "Close all quotation marks.") from error
    if shutil.which(words[0]) is None:
        advice = "Install it, or give its whole path."
        raise InputError("a brain extractor that is installed", f"no program {words[0]}", advice)
    return words


def run_extractor(words: list[str]) -> None:
    """Run a program; raise InputError with its last words if it cannot be started or fails."""
    expected, advice = "an extractor that works", "Try the command by hand."
    try:
        how = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "errors": "replace"}
        ended = subprocess.run(words, preexec_fn=parent_death_request(), **how)
    except OSError as error:
        raise InputError(expected, f"{words[0]}: {error.strerror or error}", advice) from error
    if ended.returncode:
        lines = [line.strip() for line in (ended.stdout + "\n" + ended.stderr).splitlines() if line.strip()]
        last = " / ".join(lines[-5:])
        raise InputError(expected, f"{words[0]} ended with {ended.returncode}: {last or 'no output'}", advice)
