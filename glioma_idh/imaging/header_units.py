"""The units of a NIfTI header: lengths in metres, millimetres or microns, times in seconds or parts of them."""

import nibabel
import numpy as np

from glioma_idh.errors import InputError

SPATIAL_UNITS = {1: ("metres", 1e3), 3: ("microns", 1e-3)}  # NIfTI-1's codes; 2 is mm, and so is what has no code
TIME_UNITS_S = {8: 1.0, 16: 1e-3, 24: 1e-6}
PLAUSIBLE_EDGES_MM = (0.15, 50.0)
"""Of a head's voxels: a header in centimetres has edges of about 0.1."""


def affine_mm(image, path) -> np.ndarray:
    """The affine of a file, 4 x 4, voxel index to millimetres, from the spatial unit of its header.

    Raises:
        InputError: the voxels are smaller or larger than those of any image of a head.
    """
    unit, mm = spatial_unit(image.header)
    affine = image.affine if mm == 1 else np.diag([mm, mm, mm, 1.0]) @ image.affine
    check_edges(np.linalg.norm(affine[:3, :3], axis=0), unit, path)
    return affine


def spatial_unit(header) -> tuple[str, float]:
    """The spatial unit of a NIfTI header that is not the millimetre, by name and in millimetres."""
    code = int(header["xyzt_units"]) & 0b111 if isinstance(header, nibabel.Nifti1Header) else 0
    return SPATIAL_UNITS.get(code, ("millimetres", 1.0))


def check_edges(edges_mm: np.ndarray, unit: str, path) -> None:
    """The unit must fit the numbers beside it: some programs write a wrong one, or none for metres.

    Args:
        edges_mm: of a voxel, shape (3,).
        unit: of the header, in words.
        path: of the file.

    Raises:
        InputError: it does not.
    """
    lowest, highest = PLAUSIBLE_EDGES_MM
    if not lowest <= np.min(edges_mm) <= np.max(edges_mm) <= highest:
        found = f"edges of {' x '.join(f'{edge:.3g}' for edge in edges_mm)} mm, as its unit of length is {unit}"
        advice = (
            "Is the header in metres, centimetres or microns? Correct its numbers, or their unit (xyzt_units; metres "
            "are 1, millimetres 2, microns 3)."
        )
        raise InputError(f"voxels with edges from {lowest:g} to {highest:g} mm", found, advice, file=path)


def time_unit_s(header) -> float | None:
    """The unit of time of a NIfTI header in seconds; None where it names none."""
    return TIME_UNITS_S.get(int(header["xyzt_units"]) & 0b111000)
