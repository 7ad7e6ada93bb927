"""Check that the slices of a DICOM series form complete volumes; b-values of the volumes."""

import re
import struct
from collections import Counter, defaultdict

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.dicom.headers import COPY_AGAIN, Header, numbers_in, values_of

SAME_PLACE_MM = 0.05
SAME_DIRECTION = 0.01
UNEVEN = 0.1  # largest relative excess of a slice distance over the smallest one
MANY_VOLUMES = 20  # least number of volumes of a dynamic series
NUMBERS = ("AcquisitionNumber", "InstanceNumber")  # distinguish the images at one position
ORIENTATION, PLACE = (b"\x20\0\x16\x91", b"\x20\0\x37\0"), (b"\x20\0\x13\x91", b"\x20\0\x32\0")
"""Sequence and tag of a frame, as bytes in a file; private copies of the tag may have other values."""
TELL_MOSAIC = {
    "MOSAIC": ("(0029,1010) or (0019,100a) of a Siemens", (b"\x29\0\x10\x10", b"\x19\0\x0a\x10")),
    "VFRAME": ("(0065,1051) of a UIH", (b"\x65\0\x51\x10",)),
}  # by image type: private tags needed to split a mosaic, in words and as bytes in a file
ITEM = rb"(?:SQ\0\0)?.{4}\xfe\xff\0\xe0.{4}"  # bytes between sequence and tag
B_VALUE = rb"\x18\0\x87\x90(?:FD\x08\0|\x08\0\0\0)(.{8})"  # tag and value (8 bytes) in a little-endian file


def b_values_of(series: list[Header]) -> tuple[float, ...]:
    """Return the b-values of a series, s/mm2, one per volume in file order; only one if all frames share it."""
    if any(header.holds_volume for header in series):
        in_frames = set()
        for header in series:  # stated once, or in each frame
            texts = re.findall(B_VALUE, header.around_pixels[0], re.DOTALL)
            if len(texts) in (1, *header.numbers("NumberOfFrames")):
                in_frames |= {struct.unpack("<d", text)[0] for text in texts}
        return tuple(in_frames) if len(in_frames) == 1 else ()
    by_place = defaultdict(list)
    for header in series:
        by_place[header["ImagePositionPatient"]].append(header.b_value)
    orders = {tuple(values) for values in by_place.values()}
    (order,) = orders if len(orders) == 1 else [()]
    return () if None in order else order


def check_slices(series: list[Header]) -> set[tuple[int, float]]:
    """Check that the slices of a series form complete volumes.

    Returns:
        Number of slices per volume and their distance, mm: usually one such pair, none for mosaics.

    Raises:
        InputError: slices are not parallel or evenly spaced, are missing or duplicate, or their order is unknown.
    """
    uids = [header["SOPInstanceUID"] for header in series if header.holds_volume]
    if len(set(uids)) < len(uids):  # dcm2niix would convert only the first
        advice = "The anonymiser assigned one UID to several. Export again, keeping SOP instance UIDs, or leave it out."
        raise InputError("a SOP instance UID (0008,0018) for each volume", "one UID for several volumes", advice)
    slices = [slice_ for header in series for slice_ in _slices_of(header)]
    if any(len(numbers) != size for turn, place, _ in slices for numbers, size in ((turn, 6), (place, 3))):
        raise InputError("position and orientation of every slice", "slices without them", COPY_AGAIN)
    turns = np.array([turn for turn, _, _ in slices])
    if len(turns) and np.abs(turns - turns[0]).max() > SAME_DIRECTION:
        count = len({tuple(turn.round(1) + 0.0) for turn in turns})
        raise InputError("slices with the same orientation", f"{max(count, 2)} orientations", COPY_AGAIN)
    stacks = defaultdict(list)
    for turn, place, header in slices:
        height_mm = float(np.cross(turn[:3], turn[3:]) @ place)
        stacks[header.numbers("EchoTime"), header["ImageType"]].append((height_mm, header))
    mosaics = [header for header in series if header.is_mosaic]
    _check_times(mosaics)
    _check_numbers(mosaics, (*NUMBERS, "EchoTime", "ImageType"))
    for stack in stacks.values():
        _check_times([header for _, header in stack])
    grids = {_check_stack(np.sort([height_mm for height_mm, _ in stack])) for stack in stacks.values()}
    for stack in stacks.values():  # instance numbers assign images to volumes
        orders = defaultdict(list)
        for height_mm, header in stack:
            if not header.holds_volume:
                orders[round(height_mm / SAME_PLACE_MM)].append(header)
        for headers in orders.values():
            _check_numbers(headers)
        b_values = {tuple(header.b_value for header in headers) for headers in orders.values()}
        if len(b_values) > 1 and not any(None in order for order in b_values):
            advice = "Its instance numbers (0020,0013) mix volumes. Export it again, keeping them, or leave it out."
            raise InputError("the same order of b-values in every slice", f"{len(b_values)} orders", advice)
    return grids


def _slices_of(header: Header) -> list[tuple]:
    """Return orientation, position and header of each slice in a file; empty for a mosaic (only in private tags)."""
    if not header.holds_volume:
        return [(header.numbers("ImageOrientationPatient"), header.numbers("ImagePositionPatient"), header)]
    content, _ = header.around_pixels
    if header.is_mosaic:
        for kind, (tags, spelled) in TELL_MOSAIC.items():
            if kind in header.image_type and not any(tag in content for tag in spelled):
                advice = "The anonymiser removed them. Export again, keeping private tags, or leave it out."
                raise InputError(f"the private tags {tags} mosaic", "none of them", advice)
        return []
    num_frames, told = int(header.numbers("NumberOfFrames")[0]), []
    for sequence, tag in (ORIENTATION, PLACE):  # which `read_header` does not return
        texts = values_of(content, tag, before=re.escape(sequence) + ITEM)
        texts = texts * num_frames if len(texts) == 1 else texts  # once for all frames
        told.append([numbers_in(text) for text in texts] if len(texts) == num_frames else [()] * num_frames)
    return [(turn, place, header) for turn, place in zip(*told, strict=True)]


def _check_stack(heights_mm: np.ndarray) -> tuple[int, float]:
    """Return number and distance, mm, of slices from their sorted positions along the normal; InputError if uneven."""
    starts = np.flatnonzero(np.diff(heights_mm, prepend=-np.inf) > SAME_PLACE_MM)
    counts = np.diff([*starts, len(heights_mm)])
    usual = Counter(counts.tolist()).most_common(1)[0][0]
    if (counts != usual).any():
        fewer, more = (counts < usual).sum(), (counts > usual).sum()
        found = f"{fewer} of {len(counts)} positions with fewer (missing) and {more} with more (duplicate)"
        raise InputError(f"{usual} images at every slice position", found, COPY_AGAIN)
    gaps_mm = np.diff(heights_mm[starts])
    if len(gaps_mm) and gaps_mm.max() > (1 + UNEVEN) * gaps_mm.min():
        num_missing = int((np.round(gaps_mm / gaps_mm.min()) - 1).sum())
        missing = f": {num_missing} missing" if num_missing else ""
        found = f"slices {gaps_mm.min():.3g} mm apart with a gap of {gaps_mm.max():.3g} mm{missing}"
        raise InputError("evenly spaced slices", found, COPY_AGAIN)
    return len(counts), float(gaps_mm.mean()) if len(gaps_mm) else 0.0


def _check_numbers(headers: list[Header], tags: tuple[str, ...] = NUMBERS) -> None:
    """Raise InputError if images at one position share their numbers."""
    if len({tuple(header[tag] for tag in tags) for header in headers}) < len(headers):
        expected = "different instance numbers (0020,0013) of the images of a series"
        advice = "Their order is unknown. Export the series again, keeping instance numbers, or leave it out."
        raise InputError(expected, "images at one position with the same number or none", advice)


def _check_times(stack: list[Header]) -> None:
    """Raise InputError if a time point of a dynamic series is missing between the others."""
    for tag in ("TemporalPositionIdentifier", "AcquisitionNumber"):
        points = {header.numbers(tag) for header in stack} - {()}
        if len(points) < MANY_VOLUMES:
            continue
        num_missing = int(max(points)[0] - min(points)[0]) + 1 - len(points)
        if num_missing > 0:
            found = f"{num_missing} of {len(points) + num_missing} missing"
            raise InputError("a series with all its time points", found, COPY_AGAIN)
