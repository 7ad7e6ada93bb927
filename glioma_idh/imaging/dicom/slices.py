"""Whether the slices of a DICOM series make whole volumes, and what each volume is."""

import re
import struct
from collections import Counter, defaultdict

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.dicom.headers import COPY_AGAIN, Header, numbers_in, values_of

SAME_PLACE_MM = 0.05
SAME_DIRECTION = 0.01
UNEVEN = 0.1  # by what share two neighbouring slices may lie further apart than the closest two
MANY_VOLUMES = 20  # from so many on, a series may be one over time
NUMBERS = ("AcquisitionNumber", "InstanceNumber")  # they tell an image of a place from the others
ORIENTATION, PLACE = (b"\x20\0\x16\x91", b"\x20\0\x37\0"), (b"\x20\0\x13\x91", b"\x20\0\x32\0")
"""Sequence and tag that a frame has them under, as they lie in a file; private copies of the tag may say otherwise."""
TELL_MOSAIC = {
    "MOSAIC": ("(0029,1010) or (0019,100a) of a Siemens", (b"\x29\0\x10\x10", b"\x19\0\x0a\x10")),
    "VFRAME": ("(0065,1051) of a UIH", (b"\x65\0\x51\x10",)),
}  # by image type the private tags that tell how to take a mosaic apart, in words and as they lie in a file
ITEM = rb"(?:SQ\0\0)?.{4}\xfe\xff\0\xe0.{4}"  # what lies between sequence and tag
B_VALUE = rb"\x18\0\x87\x90(?:FD\x08\0|\x08\0\0\0)(.{8})"  # of a little-endian file, the eight bytes of its number


def b_values_of(series: list[Header]) -> tuple[float, ...]:
    """The b-values of a series, s/mm2, one a volume in the order of its files; one alone, where all frames have it."""
    if any(header.holds_volume for header in series):
        in_frames = set()
        for header in series:  # of little-endian files, once for all or in each frame
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
    """The slices of a series must make whole volumes: parallel, evenly spaced, each place as often as the others.

    Returns:
        How many slices a volume has and how far apart they lie, mm; usually one such pair, and none where the headers
        do not tell (mosaics). InputError if slices are missing, doubled, or run another way.
    """
    uids = [header["SOPInstanceUID"] for header in series if header.holds_volume]
    if len(set(uids)) < len(uids):  # of volumes that share one, dcm2niix would take the first
        advice = "The anonymiser gave it to all: export again with SOP instance UIDs kept, or leave it out."
        raise InputError("an image UID (0008,0018) for each volume", "one for several", advice)
    slices = [slice_ for header in series for slice_ in _slices_of(header)]
    if any(len(numbers) != size for turn, place, _ in slices for numbers, size in ((turn, 6), (place, 3))):
        raise InputError("a place and an orientation in every slice", "slices without", COPY_AGAIN)
    turns = np.array([turn for turn, _, _ in slices])
    if len(turns) and np.abs(turns - turns[0]).max() > SAME_DIRECTION:
        count = len({tuple(turn.round(1) + 0.0) for turn in turns})
        raise InputError("slices of one orientation", f"{max(count, 2)} orientations", COPY_AGAIN)
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
    for stack in stacks.values():
        _check_order(stack)
    return grids


def _slices_of(header: Header) -> list[tuple]:
    """Orientation, place and header of each slice in a file; nothing of a mosaic, of which private tags alone tell."""
    if not header.holds_volume:
        return [(header.numbers("ImageOrientationPatient"), header.numbers("ImagePositionPatient"), header)]
    content, _ = header.around_pixels
    if header.is_mosaic:
        for kind, (tags, spelled) in TELL_MOSAIC.items():
            if kind in header.image_type and not any(tag in content for tag in spelled):
                advice = "The anonymiser took them away: export again with private tags kept, or leave it out."
                raise InputError(f"the private tags {tags} mosaic", "none of them", advice)
        return []
    num_frames, told = int(header.numbers("NumberOfFrames")[0]), []
    for sequence, tag in (ORIENTATION, PLACE):  # which the reader of headers leaves out
        texts = values_of(content, tag, before=re.escape(sequence) + ITEM)
        texts = texts * num_frames if len(texts) == 1 else texts  # once for all frames
        told.append([numbers_in(text) for text in texts] if len(texts) == num_frames else [()] * num_frames)
    return [(turn, place, header) for turn, place in zip(*told, strict=True)]


def _check_stack(heights_mm: np.ndarray) -> tuple[int, float]:
    """The number and distance, mm, of slices at sorted places along their normal: even, each as often as another."""
    starts = np.flatnonzero(np.diff(heights_mm, prepend=-np.inf) > SAME_PLACE_MM)
    counts = np.diff([*starts, len(heights_mm)])
    usual = Counter(counts.tolist()).most_common(1)[0][0]
    if (counts != usual).any():
        fewer, more = (counts < usual).sum(), (counts > usual).sum()
        found = f"{fewer} of {len(counts)} slices with fewer (missing) and {more} with more (duplicate)"
        raise InputError(f"every slice as often as the others, {usual} times", found, COPY_AGAIN)
    gaps_mm = np.diff(heights_mm[starts])
    if len(gaps_mm) and gaps_mm.max() > (1 + UNEVEN) * gaps_mm.min():
        num_missing = int((np.round(gaps_mm / gaps_mm.min()) - 1).sum())
        missing = f": {num_missing} missing" if num_missing else ""
        found = f"slices {gaps_mm.min():.3g} mm apart with a gap of {gaps_mm.max():.3g} mm{missing}"
        raise InputError("evenly spaced slices", found, COPY_AGAIN)
    return len(counts), float(gaps_mm.mean()) if len(gaps_mm) else 0.0


def _check_order(stack: list[tuple[float, Header]]) -> None:
    """Instance numbers tell the volume of an image; wrongly where the b-values in their order differ between places."""
    orders = defaultdict(list)
    for height_mm, header in stack:
        if not header.holds_volume:
            orders[round(height_mm / SAME_PLACE_MM)].append(header)
    for headers in orders.values():
        _check_numbers(headers)
    b_values = {tuple(header.b_value for header in headers) for headers in orders.values()}
    if len(b_values) > 1 and not any(None in order for order in b_values):
        advice = "Instance numbers (0020,0013) mix its volumes. Export it again with them kept, or leave it out."
        raise InputError("the same order of b-values in every slice", f"{len(b_values)} orders", advice)


def _check_numbers(headers: list[Header], tags: tuple[str, ...] = NUMBERS) -> None:
    """The images of one place have numbers of their own."""
    if len({tuple(header[tag] for tag in tags) for header in headers}) < len(headers):
        expected = "an instance number (0020,0013) of its own in every image of a series of several volumes"
        advice = "Without it their order is lost. Export the series again with instance numbers kept, or leave it out."
        raise InputError(expected, "images of one place without", advice)


def _check_times(stack: list[Header]) -> None:
    """No time point of a series over time is missing between the others."""
    for tag in ("TemporalPositionIdentifier", "AcquisitionNumber"):
        points = {header.numbers(tag) for header in stack} - {()}
        if len(points) < MANY_VOLUMES:
            continue
        num_missing = int(max(points)[0] - min(points)[0]) + 1 - len(points)
        if num_missing > 0:
            found = f"{num_missing} of {len(points) + num_missing} missing"
            raise InputError("every time point", found, COPY_AGAIN)
