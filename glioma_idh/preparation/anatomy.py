"""Brain, bias and the structural images on the grid of the result."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.masks import THRESHOLDED, read_mask
from glioma_idh.imaging.volumes import Volume, read_volume, write_volume
from glioma_idh.preparation.alignment import Alignment
from glioma_idh.preparation.masks import mask_on_grid, on_series, within
from glioma_idh.preparation.settings import STRUCTURAL, Settings
from glioma_idh.preparation.stages import Stages

LARGE_ML = 2500
"""More than any brain with its fluid."""
LEAST_COVERED = 0.5


def find_brain(alignment: Alignment, settings: Settings, stages: Stages) -> Path | None:
    """The brain mask on the grid of the result: given, of a stripped image, by another program, or by the template.

    Args:
        alignment: where everything lies.
        settings: what is given.
        stages: of the patient.

    Returns:
        Its file; None where no brain is wanted.

    Raises:
        InputError: the given one cannot be used, or none is found.
    """
    if "brain" in settings.skip:
        return None
    path = stages.folder / "brain_mask.nii.gz"
    choices, anchor = alignment.choices, alignment.choices[alignment.anchor]
    given = settings.brain_mask or (choices["brain_mask"].files[0] if "brain_mask" in choices else None)

    def work():
        brain, how = _brain(alignment, settings, stages, given)
        if not brain.array.any():
            advice = "Give --brain-mask or --brain-command."
            raise InputError("a brain in the image", f"none ({how})", advice, anchor.files[0])
        volume_ml = float((brain.array != 0).sum() * alignment.grid.voxel_ml)
        if volume_ml > LARGE_ML:
            found = f"{volume_ml:.0f} ml ({how})"
            raise InputError(f"a brain of at most {LARGE_ML} ml", found, "Give --brain-mask.", given or anchor.files[0])
        write_volume(path, (brain.array != 0).astype(np.uint8), alignment.grid.affine)
        return {"how": how, "volume_ml": round(volume_ml, 1)}

    inputs = {"anchor": anchor.files, "given": given, "command": settings.brain_command}
    inputs |= {"ways": given and alignment.ways}
    found = stages.make("brain", work, inputs | alignment.placement(alignment.anchor), [path])
    if THRESHOLDED in found["how"]:
        stages.note["remarks"].append(f"The brain mask holds {THRESHOLDED}.")
    return path


def _brain(alignment: Alignment, settings: Settings, stages: Stages, given) -> tuple[Volume, str]:
    """The brain mask on the grid of the result, and how it was had."""
    from glioma_idh.imaging import brain
    from glioma_idh.imaging.resampling import resample

    if given is not None:
        mask, _ = mask_on_grid(given, alignment, alignment.anchor)
        return mask, f"given, {mask.remark}" if mask.remark else "given"
    head = alignment.head()
    if settings.brain_command:
        with TemporaryDirectory(dir=stages.folder, prefix="part-") as folder:  # the head shows a face
            mask, how = brain.extract_brain_with(settings.brain_command, head, Path(folder)), "by --brain-command"
    elif brain.looks_stripped(head):
        mask, how = brain.extract_brain(head, None), "the image is skull-stripped already"
    else:
        mask, how = brain.extract_brain(head, alignment.fit_template()), "ICBM152 template, refined by the image"
    share = resample(replace(mask, array=mask.array.astype(np.float32)), alignment.grid, alignment.frame)
    return replace(share, array=(share.array >= 0.5).astype(np.uint8)), how


def make_image(role: str, alignment: Alignment, settings: Settings, stages: Stages, brain) -> Path:
    """A structural image on the grid of the result: bias corrected, resampled, and 0 outside the brain.

    The bias field is found on the grid on which the image was acquired, so that thick slices are not blurred first.
    """
    from glioma_idh.imaging.brain import correct_bias
    from glioma_idh.imaging.resampling import resample

    path, bias = stages.folder / f"{role}.nii.gz", "bias" not in settings.skip

    def work():
        volume = read_volume(alignment.choices[role].files[0])
        if bias:
            volume = correct_bias(volume, None if brain is None else on_series(brain, role, volume, alignment))
        image = resample(volume, alignment.grid, alignment.to_series(role)).array
        covered = np.mean(image != 0 if brain is None else image[read_mask(brain).array != 0] != 0)
        if covered <= (0 if brain is None else LEAST_COVERED):
            found, advice = f"{covered:.0%} of it", "Name another series with --series."
            raise InputError("a series that covers the brain", found, advice, alignment.choices[role].files[0])
        write_volume(path, image if settings.keep_skull else within(image, brain), alignment.grid.affine)

    inputs = {"series": alignment.choices[role].files, "brain": brain, "bias": bias, "keep_skull": settings.keep_skull}
    stages.make(f"image {role}", work, inputs | alignment.placement(role), [path])
    return path


def make_images(alignment: Alignment, settings: Settings, stages: Stages, brain) -> tuple[dict, list]:
    """All structural images that can be made: files by role, and an error for each that cannot."""
    files, errors = {}, []
    for role in STRUCTURAL:
        if alignment.has(role):
            try:
                files[role] = make_image(role, alignment, settings, stages, brain)
            except InputError as error:
                errors.append(error)
    return files, errors


def check_contrast(files: dict, brain: Path | None, stages: Stages) -> tuple[list[InputError], list[str]]:
    """Whether the T1Gd shows more than the T1.

    Returns:
        An error where the two are one image; a remark where the T1Gd shows little more.
    """
    from glioma_idh.imaging.enhancement import LITTLE_ENHANCEMENT, enhancement

    if not {"t1", "t1gd"} <= files.keys():
        return [], []

    def work():
        t1, t1gd = (read_volume(files[role]).array for role in ("t1", "t1gd"))
        inside = (t1gd != 0) & (t1 != 0) if brain is None else read_mask(brain).array != 0
        same = np.allclose(t1, t1gd, rtol=1e-3)
        return {"same": bool(same), "enhancement": 1.0 if same else round(enhancement(t1gd, t1, inside), 2)}

    inputs = {"t1": files["t1"], "t1gd": files["t1gd"], "brain": brain}
    found = stages.make("image contrast", work, inputs)
    if found["same"]:
        advice = "Say which series they are: --series t1=... t1gd=..."
        return [InputError("a T1Gd beside the T1", "the same image twice", advice, file=files["t1gd"])], []
    if found["enhancement"] < LITTLE_ENHANCEMENT:
        text = "The T1Gd shows little more than the T1 (enhancement {}, 2 to 4 in most patients): was contrast given?"
        return [], [text.format(found["enhancement"])]
    return [], []
