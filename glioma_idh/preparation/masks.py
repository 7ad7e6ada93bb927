"""The lesion mask, and the resampling of masks between the series and the grid of the results."""

import contextlib
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.masks import LesionFacts, Mask, measure_lesion, read_mask
from glioma_idh.imaging.resampling import resample
from glioma_idh.imaging.volumes import Volume, check_same_grid, read_grid, write_volume
from glioma_idh.preparation.context import Alignment, Patient
from glioma_idh.preparation.settings import STRUCTURAL
from glioma_idh.preparation.stages import read_record


def find_lesion(patient: Patient) -> Path | None:
    """Make the lesion mask on the grid of the results, from a given mask or by the lesion finder.

    Returns None if there is neither, or the stage is skipped.

    Raises:
        InputError: the mask is empty, implausible or on an unknown grid, or the finder lacks a sequence.
    """
    settings, alignment, finder, brain = patient.settings, patient.alignment, patient.finder, patient.brain
    given = settings.lesion_mask or alignment.file("lesion_mask")
    if "lesion" in settings.skip or (given is None and finder is None):
        return None
    path = patient.folder / "lesion_mask.nii.gz"
    if given is not None:
        inputs = {"given": given, "ways": alignment.transforms, "drawn_on": settings.lesion_on}
        inputs |= {"shape": alignment.grid.array.shape, "affine": alignment.grid.affine}
    else:
        images = {role: patient.images[role] for role in STRUCTURAL if role in patient.images}
        if missing := [role for role in STRUCTURAL if role not in images]:
            advice = "Give --lesion-mask, or see the other errors of this patient for the reason."
            raise InputError("T1, T1Gd, T2 and FLAIR for --lesion-run", f"no {', '.join(missing)}", advice)
        inputs = {"images": images, "finder": finder.inputs}

    def work() -> dict:
        if given is not None:
            mask, roles = mask_on_grid(given, alignment, settings.lesion_on)
            write_volume(path, mask.array, alignment.grid.affine)
            found = {"how": f"given, drawn on {roles[0]}", "roles": roles}
            found |= {"values": mask.remark} if mask.remark else {}
        else:
            finder.find(images, path)
            mask, found = read_mask(path), {"how": finder.name, "roles": ["result"]}
        if not mask.array.any():
            found = "no lesion on the grid of the results"
            raise InputError("a lesion in the mask", found, "Check the mask in a viewer.", given or path)
        inside = np.ones(mask.array.shape, bool) if brain is None else read_mask(brain).array != 0
        facts = measure_lesion(mask.array, inside, mask.voxel_ml)
        facts.require_lesion(given or path)
        measures = {"volume_ml": facts.volume_ml} if brain is None else asdict(facts)
        return found | {name: round(value, 2 if name == "volume_ml" else 4) for name, value in measures.items()}

    found = patient.stages.make("lesion", work, inputs | ({} if brain is None else {"brain": brain}), [path])
    if given is None:
        patient.remarks.append(
            f"The lesion was segmented {found['how']}, not drawn: it is no reference standard for a Dice score."
        )
    if "values" in found:
        patient.remarks.append(f"The lesion mask contains {found['values']}.")
    facts = LesionFacts(found["volume_ml"], found.get("share_outside", 0.0), found.get("share_of_brain", 0.0))
    patient.remarks.extend(facts.remarks().values())
    taken, *others = found["roles"]
    if others:
        text = "The lesion mask is assumed to be drawn on {}, not on {} with the same grid (--lesion-on)."
        patient.remarks.append(text.format(taken, " or ".join(others)))
    return path


def mask_on_grid(path: str | Path, alignment: Alignment, likeliest: str) -> tuple[Mask, list[str]]:
    """Resample a mask to the grid of the results, from the grid of a series, the reference or the results.

    Args:
        path: the mask.
        alignment: grids and transforms.
        likeliest: role of the series that it was drawn on if several have its grid; the head may move between them.

    Returns:
        The mask, 0 and 1, and the roles of all series with its grid; the first is the one assumed.

    Raises:
        InputError: the mask has none of these grids.
    """
    mask = read_mask(path)
    roles = sorted(alignment.matrices, key=lambda role: role != likeliest)
    grids = {role: read_grid(alignment.choices[role].files[0]) for role in roles}
    grids |= {"reference": alignment.reference, "result": alignment.grid}
    fitting = []
    for name, grid in grids.items():
        with contextlib.suppress(InputError):
            check_same_grid(mask, grid)
            fitting.append(name)
    if not fitting:
        advice = "Draw it on one of them, or resample it."
        if any(mask.array.shape == grid.array.shape for grid in grids.values()):
            advice += " If its voxels match an image of the same shape, copy the header of that image instead."
        raise InputError(
            f"a mask on the grid of one of the series {', '.join(roles)}", "another grid", advice, file=path
        )
    matrix = alignment.to_series(fitting[0]) if fitting[0] in roles else np.eye(4)
    drawn_on = [name for name in fitting if name in roles] or fitting[:1]
    binary = replace(mask, array=(mask.array != 0).astype(np.uint8))
    brought = resample(binary, alignment.grid, matrix, order="nearest")
    return Mask(brought.array, brought.affine, brought.file, remark=mask.remark), drawn_on


def mask_on_series(mask: Volume, patient_dir: Path, role: str, series: Volume) -> Volume:
    """Resample a mask, such as a predicted lesion, from the grid of the results to that of a series as acquired.

    Args:
        mask: on the grid of the results.
        patient_dir: the folder of the prepared patient.
        role: of the series: t1, t1gd, t2, flair, dwi, adc (of the scanner) or dsc.
        series: its image as acquired.

    Raises:
        InputError: the folder is not that of a prepared patient, or has no such series.
    """
    transforms = read_record(patient_dir).get("transforms", {})
    if role not in transforms:
        found = f"only {', '.join(transforms)}" if transforms else "no prepare.json with transforms"
        raise InputError(f"the transform of {role}", found, "Choose a series of a prepared patient.", file=patient_dir)
    return resample(mask, series, np.linalg.inv(transforms[role]), order="nearest")


def on_series(mask: Path | None, role: str, series: Volume, alignment: Alignment) -> np.ndarray | None:
    """Resample a mask, if any, from the grid of the results to that of a series; bool, shape (i, j, k)."""
    if mask is None:
        return None
    grid = replace(series, array=series.array[..., 0]) if series.array.ndim == 4 else series
    matrix = np.linalg.inv(alignment.to_series(role))
    return resample(read_mask(mask), grid, matrix, order="nearest").array != 0


def within(image: np.ndarray, brain: Path | None) -> np.ndarray:
    """Return an image as float32, 0 outside the brain."""
    image = image.astype(np.float32)
    return image if brain is None else image * (read_mask(brain).array != 0)
