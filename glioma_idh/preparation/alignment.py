"""Registration of all series to the anchor series, and of the anchor to the grid of the results."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from scipy.linalg import polar

from glioma_idh.errors import InputError
from glioma_idh.imaging.brain import correct_bias, looks_stripped
from glioma_idh.imaging.diffusion.gradients import change_axes
from glioma_idh.imaging.registration.rigid import register_rigid
from glioma_idh.imaging.registration.template import TemplateFit, fit_template, load_template
from glioma_idh.imaging.resampling import isotropic_grid, read_transform, write_transform
from glioma_idh.imaging.volumes import Volume, check_same_grid, read_grid, read_volume
from glioma_idh.preparation.context import Alignment, Patient
from glioma_idh.preparation.recognition import Series
from glioma_idh.preparation.settings import STRUCTURAL

THICK_MM, FINE_MM = 1.5, 1.0  # voxels with a longer edge are replaced by such cubes


def registration_image(role: str, choice: Series) -> Volume:
    """Return the 3D image that represents a series in the registration.

    For DSC it is the median over time of the first echo, for DWI the mean at the lowest b-value.
    """
    if role not in ("dwi", "dsc"):
        return read_volume(choice.files[0])
    if role == "dsc":
        series = read_volume(choice.files[0], num_axes=4)
        return replace(series, array=np.median(series.array, axis=-1))
    series, b_values, _ = read_diffusion(choice)
    lowest = np.asarray(b_values) <= np.min(b_values) + 20
    return replace(series, array=series.array[..., lowest].mean(axis=-1))


def read_diffusion(choice: Series) -> tuple[Volume, np.ndarray, np.ndarray | None]:
    """Read a DWI series, stored in one file or one file per b-value.

    Returns:
        The volumes, the b-values, and the b-vectors along the axes of the first file in FSL's convention: zeros for a
        file without b-vectors, None if no file has any.

    Raises:
        InputError: a file has no b-values, or the files have different grids.
    """
    volumes, b_values, b_vectors = [], [], []
    for file, acquisition in zip(choice.files, choice.acquisitions, strict=True):
        if not acquisition.b_values:
            advice = "Put the .bval file of the series into the same folder, with the same name."
            raise InputError("b-values of the DWI series", "no .bval file", advice, file=file)
        volume = read_volume(file, num_axes=4 if len(acquisition.b_values) > 1 else 3)
        check_same_grid(read_grid(file), read_grid(choice.files[0]))
        volumes.append(volume if volume.array.ndim == 4 else replace(volume, array=volume.array[..., None]))
        b_values.extend(acquisition.b_values)
        vectors = np.zeros((len(acquisition.b_values), 3)) if acquisition.b_vectors is None else acquisition.b_vectors
        b_vectors.append(change_axes(vectors, volume.own_affine, volumes[0].own_affine))
    series = replace(volumes[0], array=np.concatenate([volume.array for volume in volumes], axis=-1))
    known = any(acquisition.b_vectors is not None for acquisition in choice.acquisitions)
    return series, np.array(b_values, float), np.concatenate(b_vectors) if known else None


def align(choices: dict[str, Series], patient: Patient) -> Alignment:
    """Register every series to the anchor, and determine the grid of the results.

    Series that cannot be registered are left out, and so are series whose registration is implausible, unless
    `keep_flagged` is set; the errors are added to the patient.

    Args:
        choices: series by role, including the anchor.
        patient: settings, stages and errors.

    Raises:
        InputError: the anchor cannot be registered to the reference.
    """
    settings, anchor = patient.settings, patient.settings.anchor
    head = cache(lambda role: _head(role, choices[role]))
    template = cache(lambda: _fit_template(head(anchor)))
    matrices = {anchor: np.eye(4)}
    for role in choices:
        if role != anchor and role in (*STRUCTURAL, "adc", "dwi", "dsc"):
            matrix = patient.attempt(_register, role, choices, patient, head)
            matrices |= {} if matrix is None else {role: matrix}
    reference, frame = _reference(choices, patient, head, template)
    spacing_mm = settings.spacing_mm or (FINE_MM if reference.spacing_mm.max() > THICK_MM else None)
    grid = reference if spacing_mm is None else isotropic_grid(reference, spacing_mm)
    return Alignment(choices, anchor, matrices, lambda: head(anchor), template, grid, reference, frame)


def _register(role: str, choices: dict[str, Series], patient: Patient, head: Callable[[str], Volume]) -> np.ndarray:
    """Register a series; return the matrix from the anchor's millimetres to those of the series, 4 x 4."""
    anchor = patient.settings.anchor
    if "registration" in patient.settings.skip:
        return np.eye(4)
    path = patient.folder / "transforms" / f"{role}_to_{anchor}.tfm"

    def work() -> dict:
        found = register_rigid(head(role), head(anchor))
        write_transform(path, found.matrix)
        names = ("rotation_deg", "shift_mm", "overlap", "metric", "gain")
        return {name: round(float(getattr(found, name)), 4) for name in names} | {"problems": list(found.problems)}

    inputs = {"moving": choices[role].files, "reference": choices[anchor].files}
    inputs |= {"b-values": [acquisition.b_values for acquisition in choices[role].acquisitions]}
    problems = patient.stages.make(f"registration {role}", work, inputs, [path])["problems"]
    advice = "Check it in qc.png with --keep-flagged, or choose another series with --series."
    _check_plausible(problems, f"{role} to {anchor}", advice, choices[role].files[0], patient)
    return read_transform(path)


def _check_plausible(problems: list[str], what: str, advice: str, file: Path, patient: Patient) -> None:
    """Raise InputError for an implausible registration; with `keep_flagged` only add it to the patient's errors."""
    if problems:
        error = InputError(f"a plausible registration of {what}", "; ".join(problems), advice, file)
        if not patient.settings.keep_flagged:
            raise error
        patient.errors.append(error)


def _fit_template(head: Volume) -> TemplateFit:
    """Fit the template to the anchor; InputError if the fit is implausible."""
    fit = fit_template(head)
    if fit.problems:
        advice = (
            "If the image shows a whole head or brain, give --brain-mask (for rCBV also --white-mask) or --skip brain."
        )
        raise InputError("a head that the ICBM152 template fits", "; ".join(fit.problems), advice, head.file)
    return fit


def _head(role: str, choice: Series) -> Volume:
    """Return the image of a series for registration, bias-corrected if it shows the skull and this is possible."""
    volume = registration_image(role, choice)
    if role in STRUCTURAL and not looks_stripped(volume):
        with contextlib.suppress(InputError):  # z-scores, or a thin slab
            return correct_bias(volume)
    return volume


def _reference(
    choices: dict[str, Series],
    patient: Patient,
    head: Callable[[str], Volume],
    template: Callable[[], TemplateFit],
) -> tuple[Volume, np.ndarray]:
    """Return the grid of the reference, and the matrix (4 x 4) from its millimetres to those of the anchor."""
    settings, anchor, files = patient.settings, patient.settings.anchor, choices[patient.settings.anchor].files
    atlas = settings.reference == "atlas"
    reference = files[0] if settings.reference == anchor else settings.reference
    reference = load_template()["t1"] if atlas else read_grid(reference)
    reference = Volume(
        np.zeros(reference.array.shape, np.uint8), reference.affine, reference.file
    )  # only the grid is needed
    if settings.reference == anchor:
        return reference, np.eye(4)
    path, registered = patient.folder / "transforms" / f"{anchor}_to_grid.tfm", "registration" not in settings.skip

    def work() -> dict:
        matrix, problems = np.eye(4), ()
        if atlas:
            matrix = np.linalg.inv(rigid_part(template().matrix))
        elif registered:
            found = register_rigid(head(anchor), read_volume(settings.reference), max_shift_mm=np.inf)
            matrix, problems = found.matrix, found.problems
        write_transform(path, matrix)
        return {"problems": list(problems)}

    inputs = {"anchor": files, "to": "atlas" if atlas else Path(settings.reference), "registered": registered}
    problems = patient.stages.make("registration grid", work, inputs, [path])["problems"]
    advice = "Choose another --reference, or check it in qc.png with --keep-flagged."
    _check_plausible(problems, f"{anchor} to {Path(settings.reference).name}", advice, files[0], patient)
    return reference, read_transform(path)


def rigid_part(matrix: np.ndarray) -> np.ndarray:
    """Return the rigid transform nearest to an affine matrix; it keeps the template's origin (anterior commissure)."""
    rigid = np.eye(4)
    rigid[:3, :3] = polar(matrix[:3, :3])[0]
    origin = np.linalg.inv(matrix) @ [0, 0, 0, 1]
    rigid[:3, 3] = -rigid[:3, :3] @ origin[:3]
    return rigid
