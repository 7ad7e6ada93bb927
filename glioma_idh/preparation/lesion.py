"""The lesion mask on the grid of the result: given, or found by whatever function is handed in."""

from dataclasses import asdict
from pathlib import Path

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.masks import LesionFacts, measure_lesion, read_mask
from glioma_idh.imaging.volumes import write_volume
from glioma_idh.preparation.context import Patient
from glioma_idh.preparation.masks import mask_on_grid
from glioma_idh.preparation.settings import STRUCTURAL


def find_lesion(patient: Patient) -> Path | None:
    """The lesion mask on the grid of the result, or None; a given one comes before one that a network finds.

    Raises:
        InputError: the given one lies on another grid, it is empty, or images that the finder needs are not there.
    """
    settings, alignment, finder, brain = patient.settings, patient.alignment, patient.finder, patient.brain
    given = settings.lesion_mask or alignment.file("lesion_mask")
    if "lesion" in settings.skip or (given is None and finder is None):
        return None
    path = patient.folder / "lesion_mask.nii.gz"
    if given is not None:
        inputs = {"given": given, "ways": alignment.ways, "drawn_on": settings.lesion_on}
        inputs |= {"shape": alignment.grid.array.shape, "affine": alignment.grid.affine}
    else:
        images = {role: patient.images[role] for role in STRUCTURAL if role in patient.images}
        if missing := [role for role in STRUCTURAL if role not in images]:
            advice = "Give --lesion-mask, or find out above why they are missing."
            raise InputError("T1, T1Gd, T2 and FLAIR for --lesion-run", f"no {', '.join(missing)}", advice)
        inputs = {"images": images, "finder": finder.identity}

    def work():
        if given is not None:
            mask, roles = mask_on_grid(given, alignment, settings.lesion_on)
            write_volume(path, mask.array, alignment.grid.affine)
            found = {"how": f"given, drawn on {roles[0]}", "roles": roles}
            found |= {"values": mask.remark} if mask.remark else {}
        else:
            finder.find(images, path)
            mask, found = read_mask(path), {"how": finder.name, "roles": ["result"]}
        if not mask.array.any():
            found = "none on the grid of the result"
            raise InputError("a lesion in the mask", found, "Look at the mask.", given or path)
        within = np.ones(mask.array.shape, bool) if brain is None else read_mask(brain).array != 0
        facts = measure_lesion(mask.array, within, mask.voxel_ml)
        facts.require_lesion(given or path)
        measures = {"volume_ml": facts.volume_ml} if brain is None else asdict(facts)
        return found | {name: round(value, 2 if name == "volume_ml" else 4) for name, value in measures.items()}

    found = patient.stages.make("lesion", work, inputs | ({} if brain is None else {"brain": brain}), [path])
    if given is None:
        patient.remarks.append(f"The lesion was found {found['how']}, not drawn: a Dice against it measures nothing.")
    if "values" in found:
        patient.remarks.append(f"The lesion mask holds {found['values']}.")
    facts = LesionFacts(found["volume_ml"], found.get("share_outside", 0.0), found.get("share_of_brain", 0.0))
    patient.remarks.extend(facts.remarks().values())
    taken, *others = found["roles"]
    if others:
        text = "The lesion is taken as drawn on {}, not on {} of the same grid (--lesion-on)."
        patient.remarks.append(text.format(taken, " or ".join(others)))
    return path
