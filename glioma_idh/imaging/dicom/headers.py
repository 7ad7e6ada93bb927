"""DICOM files below a folder, their headers, and whether a name tells who the patient is."""

import os
import re
import unicodedata
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import SimpleITK as sitk

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
LATIN = {101: 2, 109: 3, 110: 4, 126: 7, 127: 6, 138: 8, 144: 5, 148: 9}
CODECS = {f"ISO_IR {code}": f"iso8859-{part}" for code, part in LATIN.items()}
CODECS |= {"ISO_IR 166": "tis-620", "ISO_IR 13": "shift_jis", "ISO_IR 192": "utf-8", "GB18030": "gb18030", "GBK": "gbk"}
CODECS |= {"ISO 2022 IR 87": "iso2022_jp_2", "ISO 2022 IR 149": "euc_kr"}
"""Python's names of the character sets of DICOM, which takes Latin-1 where it names none of these."""
PIXELS = b"\xe0\x7f\x10\0"  # the tag as it lies in a file
COPY_AGAIN = "Export the series again from the archive, whole, or leave it out."
NOBODY = {"anonymous", "anonymized", "anonymised", "anonym", "patient", "subject", "unknown", "phantom", "test"}
NOBODY |= {"glioma"}
SPELLINGS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "ß": "ss", "æ": "ae", "ł": "l"})


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

    def text(self, name: str) -> str:
        """A text in its letters, whose bytes come through as they are.

        The character set that the header names is believed. Where it names none of those known, the bytes are UTF-8 if
        they can be, else Latin-1: `prä` must not become `pr` and lose its meaning.
        """
        sets = [part.strip() for part in self["SpecificCharacterSet"].split("\\")]
        content = self[name].encode("utf-8", "surrogateescape")
        for codec in (*[CODECS[named] for named in sets if named in CODECS][-1:], "utf-8"):
            try:
                return content.decode(codec)
            except UnicodeDecodeError:
                continue
        return content.decode("latin-1")

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
    def around_pixels(self) -> tuple[bytes, bytes]:
        """What the file holds before and after its last tag of pixels."""
        before, _, after = self.file.read_bytes().rpartition(PIXELS)
        return before, after

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
    """Whether a file says that it is DICOM, or begins as one without a preamble does: with a tag of group 2 or 8."""
    try:
        with open(file, "rb") as opened:
            start = opened.read(132)
    except OSError:
        return False
    # behind the tag come the two letters of its kind, or a length below 65536
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


def read_folder(folder) -> tuple[list[Header], list[Path], list[Path]]:
    """The headers of the DICOM images below a folder; the DICOM files that are none, or broken; and the other files."""
    files = [file for file in files_below(folder) if file.name != "DICOMDIR"]
    read = {file: read_header(file) for file in files if is_dicom(file)}
    broken = [file for file, header in read.items() if not header]
    return [header for header in read.values() if header], broken, [file for file in files if file not in read]


def first_headers(folder) -> dict[Path, Header]:
    """The header of the first DICOM image in each folder below a folder, by that folder."""
    firsts = {}
    for file in files_below(folder):
        if file.parent not in firsts and is_dicom(file) and (header := read_header(file)):
            firsts[file.parent] = header
    return firsts


def values_of(content: bytes, tag: bytes, before: bytes = b"") -> list[str]:
    """All that a little-endian file says under a tag (four bytes), in sequences too, behind the pattern `before`."""
    found = re.finditer(before + re.escape(tag) + rb"(?:[A-Z]{2}(..)|(..\0\0))", content, re.DOTALL)
    ends = [(match.end(), int.from_bytes(match[1] or match[2], "little")) for match in found]
    return [content[start : start + size].decode("latin-1").strip(" \0") for start, size in ends]


def identity_in(name: str, folder) -> bool:
    """Whether a name holds that, or the birth date, of a patient of DICOM files below a folder; no pseudonym counts."""
    return any(names_patient(name, header) for header in first_headers(folder).values())


def names_patient(name: str, header: Header) -> bool:
    """Whether a name holds that of the patient of a header, however it is spelled, or the birth date."""
    if header["PatientIdentityRemoved"].upper() == "YES":
        return False
    whole = header.text("PatientName")
    is_pseudonym = whole.strip("^ ").casefold() == header["PatientID"].casefold()
    scripts = [] if is_pseudonym else [script.split("^")[:3] for script in whole.split("=")]  # family, given, middle
    names = [part.casefold() for script in scripts for part in script if not re.search(r"\d", part)]
    parts = {part for words in names for part in re.split(r"[\W_]+", words)} - NOBODY - {""}
    for spelled_name, spelled in product(_spelled(name), set().union(*map(_spelled, parts))):
        anywhere = len(spelled) > 3 or any(ord(letter) > 0x2E80 for letter in spelled)  # long, or written in signs
        is_word = len(spelled) > 1 and spelled in re.split(r"[\W_\d]+", spelled_name)
        if is_word or (anywhere and spelled in spelled_name):
            return True
    date = header["PatientBirthDate"]
    if not re.fullmatch(r"\d{8}", date):
        return False
    month, day = f"0?{int(date[4:6])}", f"0?{int(date[6:])}"
    years = (date[:4], date[2:4])
    orders = [order for year in years for order in ((year, month, day), (day, month, year), (month, day, year))]
    return any(re.search(rf"(?<!\d){'[-_./ ]?'.join(order)}(?!\d)", name) for order in orders)


def _spelled(text: str) -> set[str]:
    """A text without accents, and with them written out in two letters."""
    text = unicodedata.normalize("NFC", text.casefold())
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ø", "o").replace("ł", "l"))
    return {text, text.translate(SPELLINGS), "".join(letter for letter in plain if not unicodedata.combining(letter))}
