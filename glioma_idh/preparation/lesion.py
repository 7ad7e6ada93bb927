"""The lesion mask on the grid of the result: given, or found by whatever function is handed in."""

from dataclasses import asdict
from pathlib import Path

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.masks import LesionFacts, measure_lesion, read_mask
from glioma_idh.imaging.volumes import Volume, write_volume
from glioma_idh.preparation.context import Patient
from glioma_idh.preparation.masks import mask_on_grid
from glioma_idh.preparation.settings import STRUCTURAL


def find_lesion(patient: Patient) -> Path | None:
    """The lesion mask on the grid of the result; a given one comes before one that a network finds.

    Returns:
        Its file; None where there is neither.

    Raises:
        InputError: the given one lies on another grid, it is empty, or images that the finder needs are not there.
    """
    settings, alignment, finder, brain = patient.settings, patient.alignment, patient.finder, patient.brain
    choices = alignment.choices
    given = settings.lesion_mask or (choices["lesion_mask"].files[0] if "lesion_mask" in choices else None)
    if "lesion" in settings.skip or (given is None and finder is None):
        return None
    path = patient.folder / "lesion_mask.nii.gz"

    def from_given():
        mask, roles = mask_on_grid(given, alignment, settings.lesion_on)
        write_volume(path, mask.array, alignment.grid.affine)
        how = {"how": f"given, drawn on {roles[0]}", "roles": roles} | ({"values": mask.remark} if mask.remark else {})
        return how | _measures(mask, given, brain)

    def from_finder():
        finder.find(images, path)
        return {"how": finder.name, "roles": ["result"]} | _measures(read_mask(path), path, brain)

    grid = {"shape": alignment.grid.array.shape, "affine": alignment.grid.affine}
    if given is not None:
        inputs = {"given": given, "ways": alignment.ways, "drawn_on": settings.lesion_on} | grid
    else:
        images = {role: patient.images[role] for role in STRUCTURAL if role in patient.images}
        if missing := [role for role in STRUCTURAL if role not in images]:
            advice = "Give --lesion-mask, or find out above why they are missing."
            raise InputError("T1, T1Gd, T2 and FLAIR for --lesion-run", f"no {', '.join(missing)}", advice)
        inputs = {"images": images, "finder": finder.identity}
    work = from_finder if given is None else from_given
    found = patient.stages.make("lesion", work, inputs | ({} if brain is None else {"brain": brain}), [path])
    taken, *others = found["roles"]
    if given is None:
        patient.remarks.append(f"The lesion was found {found['how']}, not drawn: a Dice against it measures nothing.")
    if "values" in found:
        patient.remarks.append(f"The lesion mask holds {found['values']}.")
    facts = LesionFacts(found["volume_ml"], found.get("share_outside", 0.0), found.get("share_of_brain", 0.0))
    patient.remarks.extend(facts.remarks().values())
    if others:
        fitting = " or ".join(others)
        remark = f"The lesion is taken as drawn on {taken}, not on {fitting} of the same grid (--lesion-on)."
        patient.remarks.append(remark)
    return path


def _measures(mask: Volume, file: Path, brain: Path | None) -> dict[str, float]:
    """The volume of a lesion, ml, and where there is a brain mask how it lies in the brain, shares from 0 to 1."""
    if not mask.array.any():
        raise InputError("a lesion in the mask", "none on the grid of the result", "Look at the mask.", file)
    within = np.ones(mask.array.shape, bool) if brain is None else read_mask(brain).array != 0
    facts = measure_lesion(mask.array, within, mask.voxel_ml)
    facts.require_lesion(file)
    if brain is None:
        return {"volume_ml": round(facts.volume_ml, 2)}
    return {name: round(value, 2 if name == "volume_ml" else 4) for name, value in asdict(facts).items()}
