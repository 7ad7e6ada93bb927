"""DICOM files below a folder: their headers, grouped into series."""

import hashlib
import os
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk

from glioma_idh.errors import InputError

TAGS = {
    "SpecificCharacterSet": "0008|0005",
    "ImageType": "0008|0008",
    "SOPClassUID": "0008|0016",
    "SOPInstanceUID": "0008|0018",
    "StudyDate": "0008|0020",
    "Modality": "0008|0060",
    "Manufacturer": "0008|0070",
    "SeriesDescription": "0008|103e",
    "PatientName": "0010|0010",
    "PatientID": "0010|0020",
    "PatientBirthDate": "0010|0030",
    "PatientIdentityRemoved": "0012|0062",
    "ContrastBolusAgent": "0018|0010",
    "AngioFlag": "0018|0025",
    "EchoTime": "0018|0081",
    "ProtocolName": "0018|1030",
    "ContrastBolusVolume": "0018|1041",
    "ContrastBolusIngredient": "0018|1048",
    "DiffusionBValue": "0018|9087",
    "SiemensBValue": "0019|100c",
    "SeriesInstanceUID": "0020|000e",
    "SeriesNumber": "0020|0011",
    "AcquisitionNumber": "0020|0012",
    "InstanceNumber": "0020|0013",
    "ImagePositionPatient": "0020|0032",
    "ImageOrientationPatient": "0020|0037",
    "TemporalPositionIdentifier": "0020|0100",
    "PhotometricInterpretation": "0028|0004",
    "NumberOfFrames": "0028|0008",
    "GeBValue": "0043|1039",
    "PhilipsBValue": "2001|1003",
}
MR_IMAGES = {f"1.2.840.10008.5.1.4.1.1.4{kind}" for kind in ("", ".1", ".4")}
"""Classes of images: of one frame, of many, and of many that were single ones."""
IMAGE_CLASS, NUMBER = b"\x08\0\x16\0", b"\x20\0\x11\0"
PIXELS = b"\xe0\x7f\x10\0"  # tags as they lie in a file
SCATTERED = 4  # from so many series of a single slice on, it is their UIDs that are wrong
COPY_AGAIN = "Export the series again from the archive, whole, or leave it out."


@dataclass(frozen=True)
class LeftOut:
    """Something that was not used, and why; nothing is wrong with it."""

    what: str
    reason: str

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}"


@dataclass(frozen=True)
class Header:
    """The tags of one DICOM file, as text; `header[name]` is empty where a tag is not there."""

    file: Path
    tags: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.tags.get(TAGS[name], "").strip(" \0")

    def numbers(self, name: str) -> tuple[float, ...]:
        """The numbers of a tag; nothing where it holds none."""
        return numbers_in(self[name])

    @property
    def image_type(self) -> set[str]:
        """The words of the image type."""
        return {word.strip().upper() for word in self["ImageType"].split("\\")}

    @property
    def b_value(self) -> float | None:
        """The b-value, s/mm2; newer scanners of GE add 1e9 to it."""
        for name in ("DiffusionBValue", "SiemensBValue", "GeBValue", "PhilipsBValue"):
            if numbers := self.numbers(name):
                return numbers[0] % 100_000
        return None

    @property
    def pixels(self) -> bytes:
        """What follows the last tag of pixels in the file."""
        return self.file.read_bytes().rpartition(PIXELS)[2]

    @property
    def is_mosaic(self) -> bool:
        """Whether the slices of a volume lie side by side in one picture, as Siemens and UIH pack them."""
        return bool(self.image_type & {"MOSAIC", "VFRAME"})

    @property
    def holds_volume(self) -> bool:
        """Whether the one file holds many slices."""
        return self.numbers("NumberOfFrames") > (1,) or self.is_mosaic


def numbers_in(text: str) -> tuple[float, ...]:
    """The numbers of a text, with backslashes between; nothing where it holds none."""
    try:
        return tuple(float(number) for number in text.split("\\")) if text else ()
    except ValueError:
        return ()


def files_below(folder) -> list[Path]:
    """Every file below a folder, links followed once, in order; not the hidden ones."""
    found, seen = [], set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        found += [Path(place, name) for name in sorted(names) if not name.startswith(".")]
    return [file for file in found if file.is_file()]  # no links that lead nowhere


def is_dicom(file) -> bool:
    """Whether a file says that it is DICOM, or begins as one without a preamble does.

    Those begin with a tag of group 2 or 8, and either the two letters of its kind or a length below 65536.
    """
    try:
        with open(file, "rb") as opened:
            start = opened.read(132)
    except OSError:
        return False
    begins = start[:2] in (b"\x08\0", b"\x02\0") and (start[4:6].isalpha() or start[6:8] == b"\0\0")
    return start[128:] == b"DICM" or (begins and len(start) > 100)


def is_dicom_folder(folder) -> bool:
    """Whether there is a DICOM file anywhere below a folder."""
    return any(is_dicom(file) for file in files_below(folder) if file.name != "DICOMDIR")


def read_header(file) -> Header | None:
    """Read the tags of a DICOM file, private ones too; None where it is no image, or broken."""
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.LoadPrivateTagsOn()
    reader.SetFileName(str(file))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        return None
    return Header(Path(file), {tag: reader.GetMetaData(tag) for tag in TAGS.values() if reader.HasMetaDataKey(tag)})


def first_headers(folder) -> dict[Path, Header]:
    """The header of the first DICOM image in each folder below a folder, by that folder."""
    firsts = {}
    for file in files_below(folder):
        if file.parent not in firsts and is_dicom(file) and (header := read_header(file)):
            firsts[file.parent] = header
    return firsts


def values_of(content: bytes, tag: bytes, before: bytes = b"") -> list[str]:
    """What a little-endian file says under a tag, each time that it does, in sequences too.

    Args:
        content: of the file, or its beginning.
        tag: its four bytes.
        before: a pattern of what must lie before it.
    """
    found = re.finditer(before + re.escape(tag) + rb"(?:[A-Z]{2}(..)|(..\0\0))", content, re.DOTALL)
    ends = [(match.end(), int.from_bytes(match[1] or match[2], "little")) for match in found]
    return [content[start : start + size].decode("latin-1").strip(" \0") for start, size in ends]


def series_of_broken(file) -> str:
    """The number of the series of an MR image whose header cannot be read; empty where a file is none."""
    with open(file, "rb") as opened:
        start = opened.read(100_000)
    is_image = MR_IMAGES & set(values_of(start, IMAGE_CLASS)[:1])
    numbers = [text for text in values_of(start, NUMBER) if text.isdecimal()]
    return [*numbers, "of no number"][0] if is_image else ""


def group_series(headers: list[Header]) -> dict[str, list[Header]]:
    """The files of each series, in the order of their numbers.

    Returns:
        For each series its number; a letter follows where two have the same.

    Raises:
        InputError: those of MR belong to several patients or days.
    """
    for tag, what in (("PatientID", "patient"), ("StudyDate", "day")):
        count = len({header[tag] for header in headers if header["Modality"] in ("MR", "")} - {""})
        if count > 1:
            advice = "Give each patient, and each visit, a folder of its own; --many prepares a folder of such folders."
            raise InputError(f"the DICOM files of one {what}", f"those of {count} {what}s", advice)
    groups = sorted(
        _join_scattered(_by_uid(headers)), key=lambda group: (group[0].numbers("SeriesNumber"), str(group[0].file))
    )
    named = {}
    for group in groups:
        number = "".join(f"{value:.0f}" for value in group[0].numbers("SeriesNumber")[:1]) or "0"
        letters = ["", *"bcdefghijklmnopqrstuvwxyz"]
        name = next((number + letter for letter in letters if number + letter not in named), f"{number}z{len(named)}")
        named[name] = sorted(group, key=lambda header: header.numbers("InstanceNumber"))
    return named


def _by_uid(headers: list[Header]) -> list[list[Header]]:
    """The files of each series UID; by number where a series' UID is missing, or where several series share it."""
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


def _join_scattered(groups) -> list[list[Header]]:
    """The files of each series, where some anonymisers give every file a series UID of its own.

    Single slices of one series number and description are one series.
    """
    whole, scattered = [], defaultdict(list)
    for group in groups:
        (first, *others), number = group, group[0]["SeriesNumber"]
        if others or first.holds_volume or not number:
            whole.append(group)
        else:
            scattered[number, first["SeriesDescription"]].append(first)
    for group in scattered.values():
        whole += [group] if len(group) >= SCATTERED else [[header] for header in group]
    return whole


def drop_copies(series: list[Header]) -> list[Header]:
    """The files of a series, each image once.

    Copies have one SOP instance UID. Where an anonymiser has given that UID to images of different places or numbers,
    it says nothing: then copies are those of the same tags and pixels, as are those of files that hold a whole volume,
    whose places the reader of headers leaves out.
    """
    same_uid = defaultdict(list)
    for header in series:
        same_uid[header["SOPInstanceUID"] or str(header.file)].append(header)
    kept = {}
    for uid, headers in same_uid.items():
        places = {_place_and_number(header) for header in headers}
        says_nothing = len(places) > 1 or headers[0].holds_volume
        for header in headers:
            kept.setdefault((uid, *(_content(header) if says_nothing and len(headers) > 1 else ())), header)
    return list(kept.values())


def _content(header: Header) -> tuple:
    """All that tells an image from another but its UIDs."""
    uids = {TAGS["SOPInstanceUID"], TAGS["SeriesInstanceUID"]}
    tags = tuple(text for tag, text in sorted(header.tags.items()) if tag not in uids)
    return *tags, hashlib.sha256(header.pixels).digest()


def _place_and_number(header: Header) -> tuple[str, ...]:
    """What a copy has of its original, whatever else is written anew."""
    names = ("ImagePositionPatient", "InstanceNumber", "AcquisitionNumber", "TemporalPositionIdentifier", "EchoTime")
    return tuple(header[name] for name in names)
