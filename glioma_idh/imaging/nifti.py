"""NIfTI files: errors for unreadable files, and the units of the header."""

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
)  # what nibabel and NumPy raise for a file that is not a usable image
GZIP = b"\x1f\x8b"
NUM_BYTES = 1000
OTHER_FORMATS = {
    rb"PK\x03\x04": ("a ZIP archive", "Unpack it."),
    rb"(?i)\s*<(!doctype|html|\?xml)": ("a web page", "Download it again: the server sent a page instead of the file."),
    rb"version https://git-lfs": ("a Git LFS pointer", "Fetch the file itself: git lfs pull."),
    rb"NRRD": ("an NRRD image", "Export it as NIfTI (.nii.gz)."),
    rb"(?s).{128}DICM": ("a DICOM file", "Convert the folder of its series with: glioma-idh prepare FOLDER"),
}  # first bytes of other kinds of files, what the file is, and what to do
SPATIAL_UNITS = {1: ("metres", 1e3), 3: ("microns", 1e-3)}  # codes of NIfTI-1; 2 and unknown codes are mm
TIME_UNITS_S = {8: 1.0, 16: 1e-3, 24: 1e-6}
PLAUSIBLE_EDGES_MM = (0.15, 50.0)  # a header in centimetres has edges of about 0.1


def reading_error(error: Exception, path: str | Path) -> InputError:
    """Return an InputError that explains why nibabel could not read a file (`error` is one of UNREADABLE).

    nibabel relies on the ending of the file name, and gives no useful message if the content is of another kind. The
    first bytes of the file show this.
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
        found = f"a file that is {kind} with gzip although its name {ends} in .gz"
        return InputError(expected, found, f"Rename it to {stem}{ending}.", file=path)
    for beginning, (kind, advice) in OTHER_FORMATS.items():
        if re.match(beginning, start):
            return InputError(expected, kind, advice, file=path)
    advice = "Copy or download it again; it may be truncated or have another format."
    return InputError(expected, f"{type(error).__name__}: {error}", advice, file=path)


def affine_mm(image: nibabel.spatialimages.SpatialImage, path: str | Path) -> np.ndarray:
    """Return the affine in millimetres, from the unit in the header; InputError if the voxel size is implausible."""
    unit, mm = spatial_unit(image.header)
    affine = image.affine if mm == 1 else np.diag([mm, mm, mm, 1.0]) @ image.affine
    check_edges(np.linalg.norm(affine[:3, :3], axis=0), unit, path)
    return affine


def spatial_unit(header: nibabel.spatialimages.SpatialHeader) -> tuple[str, float]:
    """Return the spatial unit of a header: its name and its length in millimetres."""
    code = int(header["xyzt_units"]) & 0b111 if isinstance(header, nibabel.Nifti1Header) else 0
    return SPATIAL_UNITS.get(code, ("millimetres", 1.0))


def check_edges(edges_mm: np.ndarray, unit: str, path: str | Path) -> None:
    """Raise InputError if the edges of a voxel are implausible; some programs write a wrong unit, or none."""
    lowest, highest = PLAUSIBLE_EDGES_MM
    if not lowest <= np.min(edges_mm) <= np.max(edges_mm) <= highest:
        found = f"edges of {' x '.join(f'{edge:.3g}' for edge in edges_mm)} mm (the unit in the header is {unit})"
        units = "xyzt_units: 1 metres, 2 millimetres, 3 microns"
        advice = f"Is the header in metres, centimetres or microns? Correct its voxel size or its unit ({units})."
        raise InputError(f"voxels with edges from {lowest:g} to {highest:g} mm", found, advice, file=path)
