"""What a file is that cannot be read as NIfTI, so that the error says what to do about it."""

import re
import zlib
from pathlib import Path

import nibabel
import numpy as np

from glioma_idh.errors import InputError

UNREADABLE = (
    OSError,
    EOFError,
    MemoryError,  # a header that claims a huge image
    OverflowError,
    ValueError,
    TypeError,  # voxels that are colours
    zlib.error,
    np.linalg.LinAlgError,  # an affine that is singular
    nibabel.filebasedimages.ImageFileError,
    nibabel.spatialimages.HeaderDataError,
    nibabel.orientations.OrientationError,
)
"""What nibabel and NumPy raise on a file that is no usable image."""
GZIP = b"\x1f\x8b"
NUM_BYTES = 1000
OTHER_FORMATS = {
    rb"PK\x03\x04": ("a ZIP archive", "Unpack it."),
    rb"(?i)\s*<(!doctype|html|\?xml)": ("a web page", "Download it again: the server sent a page instead of the file."),
    rb"version https://git-lfs": ("a Git LFS pointer", "Fetch the file itself: git lfs pull."),
    rb"NRRD": ("an NRRD image", "Export it as NIfTI (.nii.gz)."),
    rb"(?s).{128}DICM": ("a DICOM file", "Give the folder of its series to python -m glioma_idh.prepare."),
}
"""How files of other kinds begin, what they are, and what to do."""


def reading_error(error: Exception, path) -> InputError:
    """The error of a file that nibabel could not read.

    A name that does not fit the content is told by the first bytes: nibabel goes by the ending alone, and says of such
    a file only that it is no gzip file or of unknown type.

    Args:
        error: what was raised, one of UNREADABLE.
        path: of the file.
    """
    path, expected = Path(path), "a readable NIfTI file"
    start = _first_bytes(path)
    compressed = start.startswith(GZIP)
    named_compressed = path.name.lower().endswith(".gz")
    if compressed != named_compressed and _is_nifti(_uncompressed(start) if compressed else start):
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


def _first_bytes(path: Path) -> bytes:
    """The beginning of a file; nothing where it cannot be opened."""
    try:
        with open(path, "rb") as file:
            return file.read(NUM_BYTES)
    except OSError:
        return b""


def _uncompressed(start: bytes) -> bytes:
    """The beginning of what a gzip file holds, from its own; nothing where it is broken."""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(start)
    except zlib.error:
        return b""


def _is_nifti(start: bytes) -> bool:
    """Whether bytes are the beginning of a NIfTI-1 or NIfTI-2 file of header and voxels."""
    return start[344:348] == b"n+1\0" or start[4:8] == b"n+2\0"
