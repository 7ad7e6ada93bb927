"""The letters of a DICOM header's texts, whose bytes come through as they are."""

from glioma_idh.imaging.dicom.headers import Header

CODECS = {
    "ISO_IR 101": "iso8859-2",
    "ISO_IR 109": "iso8859-3",
    "ISO_IR 110": "iso8859-4",
    "ISO_IR 126": "iso8859-7",
    "ISO_IR 127": "iso8859-6",
    "ISO_IR 138": "iso8859-8",
    "ISO_IR 144": "iso8859-5",
    "ISO_IR 148": "iso8859-9",
    "ISO_IR 166": "tis-620",
    "ISO_IR 13": "shift_jis",
    "ISO_IR 192": "utf-8",
    "ISO 2022 IR 87": "iso2022_jp_2",
    "ISO 2022 IR 149": "euc_kr",
    "GB18030": "gb18030",
    "GBK": "gbk",
}
"""Python's names of the character sets of DICOM, which takes Latin-1 where it names none of these."""


def text_of(header: Header, name: str) -> str:
    """A text of a header in its letters.

    The character set that the header names is believed. Where it names none of those known, the bytes are UTF-8 if they
    can be, else Latin-1: `prä` must not become `pr` and lose its meaning.
    """
    named = [CODECS[part.strip()] for part in header["SpecificCharacterSet"].split("\\") if part.strip() in CODECS]
    content = header[name].encode("utf-8", "surrogateescape")
    for codec in (*named[-1:], "utf-8"):
        try:
            return content.decode(codec)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")
