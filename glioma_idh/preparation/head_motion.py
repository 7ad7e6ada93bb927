"""Correct head motion within the DWI and DSC series; b-vectors are rotated with the head."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from glioma_idh.errors import InputError
from glioma_idh.files import write_table, write_text
from glioma_idh.imaging.acquisition import beside, read_acquisition
from glioma_idh.imaging.diffusion.gradients import rotate_with_head, to_file, to_scanner
from glioma_idh.imaging.registration.head_motion import correct_head_motion, displacement_mm, estimate_head_motion
from glioma_idh.imaging.volumes import read_volume, write_volume
from glioma_idh.preparation.alignment import read_diffusion
from glioma_idh.preparation.context import Patient
from glioma_idh.preparation.recognition import Series

LEAST_MM = 0.5  # smaller motion is not corrected, because interpolation would do more harm


def correct_series_motion(choices: dict[str, Series], patient: Patient) -> dict[str, Series]:
    """Return the series, with DWI and DSC corrected for head motion where needed, without unreadable ones."""
    held = dict(choices)
    for role in ("dwi", "dsc"):
        if role in choices and "head-motion" not in patient.settings.skip:
            held[role] = patient.attempt(_correct_series, role, choices[role], patient)
    return {role: choice for role, choice in held.items() if choice is not None}


def _correct_series(role: str, choice: Series, patient: Patient) -> Series:
    """Return a series, corrected for head motion if the head moves by LEAST_MM or more."""
    numbers = range(1, 2 if role == "dwi" else len(choice.files) + 1)
    files = tuple(patient.folder / "still" / f"{role}_{n}.nii.gz" for n in numbers)
    inputs = {"series": choice.files, "acquisition": choice.acquisitions}
    work = partial(_write_corrected, role, choice, files)
    found = patient.stages.make(f"head-motion {role}", work, inputs, f"still/{role}*")
    moved_mm = found["displacement_mm"]
    if max(moved_mm) < LEAST_MM:
        return choice
    worst, num_volumes, to = np.argmax(moved_mm) + 1, len(moved_mm), found["reference_volume"] + 1
    acquisitions = choice.acquisitions
    if role == "dwi":  # all in one file
        b_vectors = read_acquisition(files[0]).b_vectors
        acquisitions = (replace(acquisitions[0], b_values=choice.b_values, b_vectors=b_vectors),)
    turned = " The b-vectors were rotated accordingly." if acquisitions[0].b_vectors is not None else ""
    moved = f"The head moves within the {role.upper()} series by up to {max(moved_mm):.1f} mm (volume {worst} of"
    patient.remarks.append(f"{moved} {num_volumes}); all volumes were registered to volume {to}.{turned}")
    return replace(choice, files=files, acquisitions=acquisitions)


def _write_corrected(role: str, choice: Series, files: tuple[Path, ...]) -> dict:
    """Estimate head motion and write it to a table; if it is large enough, write the corrected series and gradients."""
    if role == "dwi":  # all in one, registered to the first volume with the lowest b-value
        series, b_values, b_vectors = read_diffusion(choice)
        parts, reference = [series], int(np.argmin(b_values))
    else:  # echoes, registered to the volume closest to the median over time
        parts = [read_volume(file, num_axes=4) for file in choice.files]
        if len(shapes := {echo.array.shape for echo in parts}) > 1:
            found = " and ".join(map(str, sorted(shapes)))
            raise InputError("echoes of the same shape", found, "Choose them with --series dsc=...", choice.files[0])
        typical = np.median(parts[0].array, axis=-1)
        reference = int(np.argmin([np.abs(one - typical).mean() for one in np.moveaxis(parts[0].array, -1, 0)]))
    centre_mm = (parts[0].affine @ [*(np.array(parts[0].array.shape[:3]) - 1) / 2, 1])[:3]
    matrices = estimate_head_motion(parts[0], reference)
    moved_mm = displacement_mm(matrices, centre_mm)
    for file in files[0].parent.glob(f"{role}*"):
        file.unlink()
    names = [
        f"m{row}{column}" for row in range(1, 4) for column in range(1, 5)
    ]  # elements of the matrix (RAS+ mm), by rows
    table = pd.DataFrame(matrices[:, :3].reshape(-1, 12), columns=names)
    table.insert(0, "displacement_mm", moved_mm)  # relative to the reference volume
    write_table(table.rename_axis("volume").reset_index(), files[0].with_name(f"{role}.csv"))
    if moved_mm.max() >= LEAST_MM:
        for part, file in zip(parts, files, strict=True):
            write_volume(file, correct_head_motion(part, matrices).array, part.affine)
        if role == "dwi":
            write_text(" ".join(f"{b_value:g}" for b_value in b_values) + "\n", beside(files[0], ".bval"))
            if b_vectors is not None:
                turned = rotate_with_head(to_scanner(b_vectors, parts[0].own_affine), matrices)
                rows = (" ".join(f"{x:.9g}" for x in axis) for axis in to_file(turned, parts[0].affine).T)
                write_text("\n".join(rows) + "\n", beside(files[0], ".bvec"))
    return {"displacement_mm": np.round(moved_mm, 2).tolist(), "reference_volume": reference}
