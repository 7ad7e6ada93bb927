"""Group DICOM files into series, remove copies, and recognise series that are not acquired MR volumes."""

import hashlib
import re
from collections import defaultdict
from pathlib import Path

from glioma_idh.errors import InputError
from glioma_idh.imaging.dicom.headers import TAGS, Header, values_of

SCATTERED = 4  # so many single-slice series indicate that the anonymiser changed the series UIDs
COPIED = ("ImagePositionPatient", "InstanceNumber", "AcquisitionNumber", "TemporalPositionIdentifier", "EchoTime")
"""Tags that a copy shares with its original, even if others were rewritten."""
UIDS = {TAGS["SOPInstanceUID"], TAGS["SeriesInstanceUID"]}
MR_IMAGES = {f"1.2.840.10008.5.1.4.1.1.4{kind}" for kind in ("", ".1", ".4")}
"""SOP classes of MR images: single-frame, enhanced (multi-frame), and legacy converted enhanced."""
IMAGE_CLASS, NUMBER = b"\x08\0\x16\0", b"\x20\0\x11\0"  # tags as bytes in a file
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
LONE_SLICE = "a single slice"
LOCALIZERS = {"loc", "localizer", "localiser", "scout", "survey", "pilot", "aahscout", "aahead", "3plane", "threeplane"}
NO_SEQUENCES = {
    "a localizer": ("LOCALIZER",),
    "a projection": ("MIP", "MNIP", "PROJECTION IMAGE"),
    "a subtraction": ("SUB", "SUBTRACT", "SUBTRACTION"),
    "a screenshot": ("SCREEN SAVE", "SCREENSHOT"),
    "a derived map": ("FA", "COLFA", "TENSOR", "TTP", "PBP", "RELCBV", "RELCBF", "RELMTT"),
    "a phase image": ("P", "PHASE", "PHASE MAP"),
}  # values of the image type that are not acquired sequences
CANNOT_USE = {word: reason for reason, words in NO_SEQUENCES.items() for word in words}


def group_series(headers: list[Header]) -> dict[str, list[Header]]:
    """Group files by series number, with a letter if two series share it; InputError for several patients or days."""
    for tag, what in (("PatientID", "patient"), ("StudyDate", "day")):
        count = len({header[tag] for header in headers if header["Modality"] in ("MR", "")} - {""})
        if count > 1:
            advice = "Sort them into one folder per patient or visit; --many prepares a folder of such folders."
            raise InputError(f"DICOM files of one {what}", f"files of {count} {what}s", advice)
    whole, scattered = [], defaultdict(list)
    for group in _by_uid(headers):  # single slices with different UIDs form a series if number and description agree
        (first, *others), number = group, group[0]["SeriesNumber"]
        if others or first.holds_volume or not number:
            whole.append(group)
        else:
            scattered[number, first["SeriesDescription"]].append(first)
    for group in scattered.values():
        whole += [group] if len(group) >= SCATTERED else [[header] for header in group]
    named = {}
    for group in sorted(whole, key=lambda group: (group[0].numbers("SeriesNumber"), str(group[0].file))):
        number = "".join(f"{value:.0f}" for value in group[0].numbers("SeriesNumber")[:1]) or "0"
        letters = ["", *"bcdefghijklmnopqrstuvwxyz"]
        name = next((number + letter for letter in letters if number + letter not in named), f"{number}z{len(named)}")
        named[name] = sorted(group, key=lambda header: header.numbers("InstanceNumber"))
    return named


def _by_uid(headers: list[Header]) -> list[list[Header]]:
    """Group files by series UID, or by series number if the UID is missing or shared by several series."""
    uids = defaultdict(set)
    for header in headers:
        uids[header["SeriesNumber"]] |= {header["SeriesInstanceUID"]} - {""}
    groups = defaultdict(list)
    for header in headers:
        number = header["SeriesNumber"]
        of_number = next(iter(uids[number])) if len(uids[number]) == 1 else number
        groups[header["SeriesInstanceUID"] or of_number].append(header)
    found = []
    for group in groups.values():
        by_number = defaultdict(list)
        for header in group:
            by_number[header["SeriesNumber"]].append(header)
        shared = all(len(part) > 1 or part[0].holds_volume for part in by_number.values())
        found += by_number.values() if shared else [group]
    return found


def drop_copies(series: list[Header]) -> list[Header]:
    """Return the files of a series without copies.

    Copies share the SOP instance UID. If an anonymiser assigned one UID to images of different positions or numbers,
    copies are files with the same tags and pixels. The same applies to files with a whole volume, whose positions are
    not in `Header`.
    """
    same_uid = defaultdict(list)
    for header in series:
        same_uid[header["SOPInstanceUID"] or str(header.file)].append(header)
    kept = {}
    for uid, headers in same_uid.items():
        places = {tuple(header[name] for name in COPIED) for header in headers}
        says_nothing = len(places) > 1 or headers[0].holds_volume
        for header in headers:
            content = ()
            if says_nothing and len(headers) > 1:
                tags = (text for tag, text in sorted(header.tags.items()) if tag not in UIDS)
                content = *tags, hashlib.sha256(header.around_pixels[1]).digest()
            kept.setdefault((uid, *content), header)
    return list(kept.values())


def why_unused(header: Header) -> str:
    """Return why a series is not an acquired MR sequence, from its header; "" if it may be one."""
    found = (
        (header["SOPClassUID"].startswith(SECONDARY_CAPTURE), "a screenshot (secondary capture)"),
        (header["Modality"] not in ("MR", ""), "not MR"),
        (header["PhotometricInterpretation"][:10] not in ("MONOCHROME", ""), "a colour picture"),
        (header["AngioFlag"] == "Y", "an angiogram"),
        *((True, CANNOT_USE[word]) for word in sorted(header.image_type & set(CANNOT_USE))),
        (set(re.findall("[a-z0-9]+", header["SeriesDescription"].lower())) & LOCALIZERS, "a localizer"),
    )
    return next((reason for is_so, reason in found if is_so), "")


def broken_series(file: str | Path) -> str:
    """Return the series number of an MR image whose header cannot be read; "" if the file is not an MR image."""
    with open(file, "rb") as opened:
        start = opened.read(100_000)
    is_image = MR_IMAGES & set(values_of(start, IMAGE_CLASS)[:1])
    numbers = [text for text in values_of(start, NUMBER) if text.isdecimal()]
    return [*numbers, "without number"][0] if is_image else ""
