"""Where everything lies: each series registered to the anchor, and the anchor to the grid of the result."""

import contextlib
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from scipy.linalg import polar

from glioma_idh.errors import InputError
from glioma_idh.imaging.brain import correct_bias, looks_stripped
from glioma_idh.imaging.diffusion.gradients import change_axes
from glioma_idh.imaging.registration.rigid import register_rigid
from glioma_idh.imaging.registration.template import fit_template, load_template
from glioma_idh.imaging.resampling import isotropic_grid, read_transform, write_transform
from glioma_idh.imaging.volumes import Volume, check_same_grid, read_grid, read_volume
from glioma_idh.preparation.context import Alignment, Patient
from glioma_idh.preparation.settings import STRUCTURAL

THICK_MM, FINE_MM = 1.5, 1.0


def still_image(role: str, choice) -> Volume:
    """What is registered of a series: of DSC the median over time of echo 1, of DWI the mean at the lowest b-value."""
    if role not in ("dwi", "dsc"):
        return read_volume(choice.files[0])
    if role == "dsc":
        series = read_volume(choice.files[0], num_axes=4)
        return replace(series, array=np.median(series.array, axis=-1))
    series, b_values, _ = read_diffusion(choice)
    lowest = np.asarray(b_values) <= np.min(b_values) + 20
    return replace(series, array=series.array[..., lowest].mean(axis=-1))


def read_diffusion(choice) -> tuple[Volume, np.ndarray, np.ndarray | None]:
    """The volumes of a DWI series, of one file or a file a b-value; b-values and, where known, b-vectors.

    The b-vectors are along the axes of the first file, as FSL has them; zeros for the volumes of a file without any.
    """
    volumes, b_values, b_vectors = [], [], []
    for file, acquisition in zip(choice.files, choice.acquisitions, strict=True):
        if not acquisition.b_values:
            advice = "Lay the .bval file of the series beside it, under the same name."
            raise InputError("b-values of the DWI series", "no .bval beside it", advice, file=file)
        volume = read_volume(file, num_axes=4 if len(acquisition.b_values) > 1 else 3)
        check_same_grid(read_grid(file), read_grid(choice.files[0]))
        volumes.append(volume if volume.array.ndim == 4 else replace(volume, array=volume.array[..., None]))
        b_values.extend(acquisition.b_values)
        vectors = np.zeros((len(acquisition.b_values), 3)) if acquisition.b_vectors is None else acquisition.b_vectors
        b_vectors.append(change_axes(vectors, volume.own_affine, volumes[0].own_affine))
    series = replace(volumes[0], array=np.concatenate([volume.array for volume in volumes], axis=-1))
    known = any(acquisition.b_vectors is not None for acquisition in choice.acquisitions)
    return series, np.array(b_values, float), np.concatenate(b_vectors) if known else None


def align(choices: dict, patient: Patient) -> Alignment:
    """Find out where every series lies, each registered to the anchor on its own, and on which grid the result will be.

    Series that cannot be registered, or whose registration looks wrong unless flagged ones are to be kept, are left out
    with an error; an InputError is raised where the anchor cannot be brought to the reference.
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


def _register(role: str, choices: dict, patient: Patient, head) -> np.ndarray:
    """The matrix from the anchor's millimetres to those of a series, 4 x 4."""
    anchor = patient.settings.anchor
    if "registration" in patient.settings.skip:
        return np.eye(4)
    path = patient.folder / "transforms" / f"{role}_to_{anchor}.tfm"

    def work():
        found = register_rigid(head(role), head(anchor))
        write_transform(path, found.matrix)
        names = ("rotation_deg", "shift_mm", "overlap", "metric", "gain")
        return {name: round(float(getattr(found, name)), 4) for name in names} | {"problems": list(found.problems)}

    inputs = {"moving": choices[role].files, "reference": choices[anchor].files}
    inputs |= {"b-values": [acquisition.b_values for acquisition in choices[role].acquisitions]}
    problems = patient.stages.make(f"registration {role}", work, inputs, [path])["problems"]
    advice = "Look at qc.png with --keep-flagged, or name another series with --series."
    _check_plausible(problems, f"{role} to {anchor}", advice, choices[role].files[0], patient)
    return read_transform(path)


def _check_plausible(problems: list[str], what: str, advice: str, file: Path, patient: Patient) -> None:
    """A registration that looks wrong is an error, and stops what needs it unless flagged ones are to be kept."""
    if problems:
        error = InputError(f"a plausible registration of {what}", "; ".join(problems), advice, file)
        if not patient.settings.keep_flagged:
            raise error
        patient.errors.append(error)


def _fit_template(head: Volume):
    """The template in the anchor's head, which it must fit."""
    fit = fit_template(head)
    if fit.problems:
        advice = "Is it a whole head, or brain? If so, give --brain-mask (and --white-mask for rCBV), or --skip brain."
        raise InputError("a head that the ICBM152 template fits", "; ".join(fit.problems), advice, head.file)
    return fit


def _head(role: str, choice) -> Volume:
    """A series as it is registered: with a skull, without the bias field, which is no anatomy, if that can be found."""
    volume = still_image(role, choice)
    if role in STRUCTURAL and not looks_stripped(volume):
        with contextlib.suppress(InputError):  # z-scores, or a thin slab
            return correct_bias(volume)
    return volume


def _reference(choices: dict, patient: Patient, head, template) -> tuple[Volume, np.ndarray]:
    """The grid of what everything is registered to, and the way from it to the anchor, 4 x 4."""
    settings, anchor, files = patient.settings, patient.settings.anchor, choices[patient.settings.anchor].files
    atlas = settings.reference == "atlas"
    reference = files[0] if settings.reference == anchor else settings.reference
    reference = load_template()["t1"] if atlas else read_grid(reference)
    reference = Volume(np.zeros(reference.array.shape, np.uint8), reference.affine, reference.file)  # the grid alone
    if settings.reference == anchor:
        return reference, np.eye(4)
    path, registered = patient.folder / "transforms" / f"{anchor}_to_grid.tfm", "registration" not in settings.skip

    def work():
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
    advice = "Choose another --reference, or look at qc.png with --keep-flagged."
    _check_plausible(problems, f"{anchor} to {Path(settings.reference).name}", advice, files[0], patient)
    return reference, read_transform(path)


def rigid_part(matrix: np.ndarray) -> np.ndarray:
    """The rotation and shift nearest to an affine matrix; the template's origin, the anterior commissure, stays."""
    rigid = np.eye(4)
    rigid[:3, :3] = polar(matrix[:3, :3])[0]
    origin = np.linalg.inv(matrix) @ [0, 0, 0, 1]
    rigid[:3, 3] = -rigid[:3, :3] @ origin[:3]
    return rigid
