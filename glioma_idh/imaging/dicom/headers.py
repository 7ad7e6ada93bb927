"""DICOM files in a folder, their headers, and detection of the patient's name or birth date in a text."""

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
"""Python codecs of the DICOM character sets; other sets are read as UTF-8 or Latin-1."""
PIXELS = b"\xe0\x7f\x10\0"  # the tag (7fe0,0010) as bytes in a file
COPY_AGAIN = "Export the complete series from the archive again, or leave it out."
NOBODY = {"anonymous", "anonymized", "anonymised", "anonym", "patient", "subject", "unknown", "phantom", "test"}
NOBODY |= {"glioma"}
SPELLINGS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "ß": "ss", "æ": "ae", "ł": "l"})


@dataclass(frozen=True)
class LeftOut:
    """An input that was not used although it is not defective, and the reason."""

    what: str
    reason: str

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}"


@dataclass(frozen=True)
class Header:
    """The tags of one DICOM file, as text; `header[name]` is "" if the tag is missing."""

    file: Path
    tags: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.tags.get(TAGS[name], "").strip(" \0")

    def numbers(self, name: str) -> tuple[float, ...]:
        """Return the numbers of a tag; empty if it has none."""
        return numbers_in(self[name])

    def text(self, name: str) -> str:
        """Decode the text of a tag.

        The character set of the header is used if it is known; otherwise UTF-8 if the bytes are valid, else Latin-1.
        Umlauts must survive: `prä` (before contrast) must not become `pr`.
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
        """The values of the image type."""
        return {word.strip().upper() for word in self["ImageType"].split("\\")}

    @property
    def b_value(self) -> float | None:
        """The b-value, s/mm2, or None; 1e9, which newer GE scanners add, is removed."""
        for name in ("DiffusionBValue", "SiemensBValue", "GeBValue", "PhilipsBValue"):
            if numbers := self.numbers(name):
                return numbers[0] % 100_000
        return None

    @property
    def around_pixels(self) -> tuple[bytes, bytes]:
        """The bytes of the file before and after its last pixel data tag."""
        before, _, after = self.file.read_bytes().rpartition(PIXELS)
        return before, after

    @property
    def is_mosaic(self) -> bool:
        """True if the slices of a volume are tiles of one picture, as Siemens and UIH store them."""
        return bool(self.image_type & {"MOSAIC", "VFRAME"})

    @property
    def holds_volume(self) -> bool:
        """True if the file contains several slices."""
        return self.numbers("NumberOfFrames") > (1,) or self.is_mosaic


def numbers_in(text: str) -> tuple[float, ...]:
    """Return the numbers of a text, separated by backslashes; empty if it is not of that form."""
    try:
        return tuple(float(number) for number in text.split("\\")) if text else ()
    except ValueError:
        return ()


def files_below(folder: str | Path) -> list[Path]:
    """List all files in a folder and its subfolders, sorted, without hidden ones; links are followed once."""
    found, seen = [], set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        found += [Path(place, name) for name in sorted(names) if not name.startswith(".")]
    return [file for file in found if file.is_file()]  # without broken links


def is_dicom(file: str | Path) -> bool:
    """Return whether a file is DICOM: with the preamble, or beginning with a tag of group 2 or 8."""
    try:
        with open(file, "rb") as opened:
            start = opened.read(132)
    except OSError:
        return False
    # the tag is followed by two letters (value representation) or a length below 65536
    begins = start[:2] in (b"\x08\0", b"\x02\0") and (start[4:6].isalpha() or start[6:8] == b"\0\0")
    return start[128:] == b"DICM" or (begins and len(start) > 100)


def is_dicom_folder(folder: str | Path) -> bool:
    """Return whether a folder or its subfolders contain a DICOM file."""
    return any(is_dicom(file) for file in files_below(folder) if file.name != "DICOMDIR")


def read_header(file: str | Path) -> Header | None:
    """Read the tags of a DICOM file, including private ones; None if it is not an image or is corrupt."""
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.LoadPrivateTagsOn()
    reader.SetFileName(str(file))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        return None
    return Header(Path(file), {tag: reader.GetMetaData(tag) for tag in TAGS.values() if reader.HasMetaDataKey(tag)})


def read_folder(folder: str | Path) -> tuple[list[Header], list[Path], list[Path]]:
    """Read a folder: headers of DICOM images, DICOM files that are not images or corrupt, and all other files."""
    files = [file for file in files_below(folder) if file.name != "DICOMDIR"]
    read = {file: read_header(file) for file in files if is_dicom(file)}
    broken = [file for file, header in read.items() if not header]
    return [header for header in read.values() if header], broken, [file for file in files if file not in read]


def first_headers(folder: str | Path) -> dict[Path, Header]:
    """Read the header of the first DICOM image in a folder and in each of its subfolders, by folder."""
    firsts = {}
    for file in files_below(folder):
        if file.parent not in firsts and is_dicom(file) and (header := read_header(file)):
            firsts[file.parent] = header
    return firsts


def values_of(content: bytes, tag: bytes, before: bytes = b"") -> list[str]:
    """Find all values of a tag (four bytes) in a little-endian file that follow the pattern `before`, as text."""
    found = re.finditer(before + re.escape(tag) + rb"(?:[A-Z]{2}(..)|(..\0\0))", content, re.DOTALL)
    ends = [(match.end(), int.from_bytes(match[1] or match[2], "little")) for match in found]
    return [content[start : start + size].decode("latin-1").strip(" \0") for start, size in ends]


def contains_patient_identity(name: str, folder: str | Path) -> bool:
    """Return whether a text contains the name or birth date of a patient of the DICOM files in a folder.

    Pseudonyms do not count.
    """
    return any(names_patient(name, header) for header in first_headers(folder).values())


def names_patient(name: str, header: Header) -> bool:
    """Return whether a text contains the patient's name, in any spelling, or birth date from a header."""
    if header["PatientIdentityRemoved"].upper() == "YES":
        return False
    whole = header.text("PatientName")
    is_pseudonym = whole.strip("^ ").casefold() == header["PatientID"].casefold()
    scripts = [] if is_pseudonym else [script.split("^")[:3] for script in whole.split("=")]  # family, given, middle
    names = [part.casefold() for script in scripts for part in script if not re.search(r"\d", part)]
    parts = {part for words in names for part in re.split(r"[\W_]+", words)} - NOBODY - {""}
    for spelled_name, spelled in product(_spelled(name), set().union(*map(_spelled, parts))):
        anywhere = len(spelled) > 3 or any(
            ord(letter) > 0x2E80 for letter in spelled
        )  # long, or in Chinese, Japanese or Korean script
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
    """Return spellings of a text: as it is, with umlauts as two letters, and without accents."""
    text = unicodedata.normalize("NFC", text.casefold())
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ø", "o").replace("ł", "l"))
    return {text, text.translate(SPELLINGS), "".join(letter for letter in plain if not unicodedata.combining(letter))}
