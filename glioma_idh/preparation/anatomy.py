"""Brain extraction, bias correction, and the structural images on the grid of the results."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.brain import correct_bias, extract_brain, extract_brain_with, looks_stripped
from glioma_idh.imaging.heuristics import LITTLE_ENHANCEMENT, enhancement
from glioma_idh.imaging.masks import THRESHOLDED, read_mask
from glioma_idh.imaging.resampling import resample
from glioma_idh.imaging.volumes import Volume, read_volume, write_volume
from glioma_idh.preparation.context import Patient
from glioma_idh.preparation.masks import mask_on_grid, on_series, within
from glioma_idh.preparation.settings import STRUCTURAL

LARGE_ML, LEAST_COVERED = 2500, 0.5  # larger than any brain; least share of the brain that a series must cover


def find_brain(patient: Patient) -> Path | None:
    """Make the brain mask on the grid of the results; None if the stage is skipped.

    The mask is the given one, that of a skull-stripped image, or found by a program or the template.

    Raises:
        InputError: there is no brain, or it is too large.
    """
    alignment, settings = patient.alignment, patient.settings
    if "brain" in settings.skip:
        return None
    path = patient.folder / "brain_mask.nii.gz"
    anchor, given = alignment.choices[alignment.anchor], settings.brain_mask or alignment.file("brain_mask")

    def work() -> dict:
        brain, how = _brain(patient, given)
        file, volume_ml = anchor.files[0], float((brain.array != 0).sum() * alignment.grid.voxel_ml)
        if not brain.array.any():
            raise InputError("a brain in the image", f"no brain ({how})", "Give --brain-mask or --brain-command.", file)
        if volume_ml > LARGE_ML:
            found = f"{volume_ml:.0f} ml ({how})"
            raise InputError(f"a brain of at most {LARGE_ML} ml", found, "Give a correct --brain-mask.", given or file)
        write_volume(path, (brain.array != 0).astype(np.uint8), alignment.grid.affine)
        return {"how": how, "volume_ml": round(volume_ml, 1)}

    inputs = {"anchor": anchor.files, "given": given, "command": settings.brain_command}
    inputs |= {"ways": given and alignment.transforms} | alignment.placement(alignment.anchor)
    found = patient.stages.make("brain", work, inputs, [path])
    if THRESHOLDED in found["how"]:
        patient.remarks.append(f"The brain mask contains {THRESHOLDED}.")
    return path


def _brain(patient: Patient, given: Path | None) -> tuple[Volume, str]:
    """Return the brain mask on the grid of the results, and how it was made."""
    alignment, command = patient.alignment, patient.settings.brain_command
    if given is not None:
        mask, _ = mask_on_grid(given, alignment, alignment.anchor)
        return mask, f"given, {mask.remark}" if mask.remark else "given"
    head = alignment.head()
    if command:
        with TemporaryDirectory(
            dir=patient.folder, prefix="part-"
        ) as folder:  # deleted afterwards, as the image shows a face
            mask, how = extract_brain_with(command, head, Path(folder)), "found by --brain-command"
    elif looks_stripped(head):
        mask, how = extract_brain(head, None), "from the skull-stripped image"
    else:
        mask, how = (
            extract_brain(head, alignment.fit_template()),
            "ICBM152 template, refined by the intensities of the image",
        )
    share = resample(replace(mask, array=mask.array.astype(np.float32)), alignment.grid, alignment.frame)
    return replace(share, array=(share.array >= 0.5).astype(np.uint8)), how


def _make_image(role: str, patient: Patient) -> Path:
    """Make a structural image on the grid of the results: bias-corrected, resampled, 0 outside the brain."""
    alignment, settings, brain = patient.alignment, patient.settings, patient.brain
    path, bias = patient.folder / f"{role}.nii.gz", "bias" not in settings.skip

    def work() -> None:
        volume = read_volume(alignment.choices[role].files[0])
        if bias:  # on the acquired grid, before thick slices are interpolated
            volume = correct_bias(volume, on_series(brain, role, volume, alignment))
        image = resample(volume, alignment.grid, alignment.to_series(role)).array
        covered = np.mean(image != 0 if brain is None else image[read_mask(brain).array != 0] != 0)
        if covered <= (0 if brain is None else LEAST_COVERED):
            found, advice = f"{covered:.0%} of the brain", "Choose another series with --series."
            raise InputError("a series that covers the brain", found, advice, alignment.choices[role].files[0])
        write_volume(path, image if settings.keep_skull else within(image, brain), alignment.grid.affine)

    inputs = {"series": alignment.choices[role].files, "brain": brain, "bias": bias, "keep_skull": settings.keep_skull}
    patient.stages.make(f"image {role}", work, inputs | alignment.placement(role), [path])
    return path


def make_images(patient: Patient) -> dict[str, Path]:
    """Make all available structural images: bias-corrected, resampled, 0 outside the brain. Return files by role."""
    made = {role: patient.attempt(_make_image, role, patient) for role in STRUCTURAL if patient.alignment.has(role)}
    return {role: path for role, path in made.items() if path is not None}


def check_contrast(patient: Patient) -> None:
    """Compare T1 and T1Gd: the same image is an error, little enhancement of the T1Gd a remark."""
    files, brain = patient.images, patient.brain
    if not {"t1", "t1gd"} <= files.keys():
        return

    def work() -> dict:
        t1, t1gd = (read_volume(files[role]).array for role in ("t1", "t1gd"))
        inside = (t1gd != 0) & (t1 != 0) if brain is None else read_mask(brain).array != 0
        same = np.allclose(t1, t1gd, rtol=1e-3)
        return {"same": bool(same), "enhancement": 1.0 if same else round(enhancement(t1gd, t1, inside), 2)}

    inputs = {"t1": files["t1"], "t1gd": files["t1gd"], "brain": brain}
    found = patient.stages.make("image contrast", work, inputs)
    if found["same"]:
        advice = "Choose the series with --series t1=... t1gd=..."
        patient.errors.append(
            InputError("a T1Gd that differs from the T1", "the same image", advice, file=files["t1gd"])
        )
    elif found["enhancement"] < LITTLE_ENHANCEMENT:
        text = (
            "The T1Gd hardly differs from the T1 (enhancement {}; in most patients 2 to 4): was contrast agent given?"
        )
        patient.remarks.append(text.format(found["enhancement"]))
