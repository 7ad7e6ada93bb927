"""NIfTI on disk: what a file is that cannot be read, and the units of a header."""

import contextlib
import re
import zlib
from pathlib import Path

import nibabel
import numpy as np

from glioma_idh.errors import InputError

UNREADABLE = (
    *(OSError, EOFError, OverflowError, ValueError, zlib.error),
    *(MemoryError, TypeError, np.linalg.LinAlgError),  # a header of a huge image, colours, a singular affine
    *(nibabel.filebasedimages.ImageFileError, nibabel.spatialimages.HeaderDataError),
    nibabel.orientations.OrientationError,
)  # what nibabel and NumPy raise on a file that is no usable image
GZIP = b"\x1f\x8b"
NUM_BYTES = 1000
OTHER_FORMATS = {
    rb"PK\x03\x04": ("a ZIP archive", "Unpack it."),
    rb"(?i)\s*<(!doctype|html|\?xml)": ("a web page", "Download it again: the server sent a page instead of the file."),
    rb"version https://git-lfs": ("a Git LFS pointer", "Fetch the file itself: git lfs pull."),
    rb"NRRD": ("an NRRD image", "Export it as NIfTI (.nii.gz)."),
    rb"(?s).{128}DICM": ("a DICOM file", "Give the folder of its series to python -m glioma_idh.prepare."),
}  # how files of other kinds begin, what they are, and what to do
SPATIAL_UNITS = {1: ("metres", 1e3), 3: ("microns", 1e-3)}  # NIfTI-1's codes; 2 is mm, and so is what has no code
TIME_UNITS_S = {8: 1.0, 16: 1e-3, 24: 1e-6}
PLAUSIBLE_EDGES_MM = (0.15, 50.0)  # of a head's voxels: a header in centimetres has edges of about 0.1


def reading_error(error: Exception, path) -> InputError:
    """The error of a file of which nibabel raised one of UNREADABLE.

    A name that does not fit the content is told by the first bytes: nibabel goes by the ending alone, and says of such
    a file only that it is no gzip file or of unknown type.
    """
    path, expected, start = Path(path), "a readable NIfTI file", b""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        start = file.read(NUM_BYTES)
    compressed, named_compressed = start.startswith(GZIP), path.name.lower().endswith(".gz")
    content = b"" if compressed else start
    if compressed:
        with contextlib.suppress(zlib.error):
            content = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(start)
    is_nifti = content[344:348] == b"n+1\0" or content[4:8] == b"n+2\0"  # of header and voxels
    if compressed != named_compressed and is_nifti:
        stem = re.sub(r"(\.nii)?(\.gz)?$", "", path.name, flags=re.IGNORECASE)
        ending = ".nii.gz" if compressed else ".nii"
        kind, ends = ("compressed", "does not end") if compressed else ("not compressed", "ends")
        found = f"one that is {kind} with gzip, though its name {ends} in .gz"
        return InputError(expected, found, f"Rename it to {stem}{ending}.", file=path)
    for beginning, (kind, advice) in OTHER_FORMATS.items():
        if re.match(beginning, start):
            return InputError(expected, kind, advice, file=path)
    advice = "Copy or download it again; it may be truncated or of another format."
    return InputError(expected, f"{type(error).__name__}: {error}", advice, file=path)


def affine_mm(image, path) -> np.ndarray:
    """The affine of a file in millimetres, by the unit of its header; InputError if no head has such voxels."""
    unit, mm = spatial_unit(image.header)
    affine = image.affine if mm == 1 else np.diag([mm, mm, mm, 1.0]) @ image.affine
    check_edges(np.linalg.norm(affine[:3, :3], axis=0), unit, path)
    return affine


def spatial_unit(header) -> tuple[str, float]:
    """The spatial unit of a NIfTI header that is not the millimetre, by name and in millimetres."""
    code = int(header["xyzt_units"]) & 0b111 if isinstance(header, nibabel.Nifti1Header) else 0
    return SPATIAL_UNITS.get(code, ("millimetres", 1.0))


def check_edges(edges_mm: np.ndarray, unit: str, path) -> None:
    """Raise InputError unless a header's unit fits the edges of a voxel: some programs write a wrong one, or none."""
    lowest, highest = PLAUSIBLE_EDGES_MM
    if not lowest <= np.min(edges_mm) <= np.max(edges_mm) <= highest:
        found = f"edges of {' x '.join(f'{edge:.3g}' for edge in edges_mm)} mm, as its unit of length is {unit}"
        units = "xyzt_units; metres are 1, millimetres 2, microns 3"
        advice = f"Is the header in metres, centimetres or microns? Correct its numbers, or their unit ({units})."
        raise InputError(f"voxels with edges from {lowest:g} to {highest:g} mm", found, advice, file=path)
