"""Which DICOM series are no sequence that was acquired as a volume of MR, and why."""

import re

from glioma_idh.imaging.dicom.headers import Header

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
LONE_SLICE = "a single slice"
LOCALIZERS = {"loc", "localizer", "localiser", "scout", "survey", "pilot", "aahscout", "aahead", "3plane", "threeplane"}
CANNOT_USE = {
    "LOCALIZER": "a localizer",
    "MIP": "a projection",
    "MNIP": "a projection",
    "PROJECTION IMAGE": "a projection",
    "SUB": "a subtraction",
    "SUBTRACT": "a subtraction",
    "SUBTRACTION": "a subtraction",
    "SCREEN SAVE": "a screenshot",
    "SCREENSHOT": "a screenshot",
    "FA": "a derived map",
    "COLFA": "a derived map",
    "TENSOR": "a derived map",
    "TTP": "a derived map",
    "PBP": "a derived map",
    "RELCBV": "a derived map",
    "RELCBF": "a derived map",
    "RELMTT": "a derived map",
    "P": "a phase image",
    "PHASE": "a phase image",
    "PHASE MAP": "a phase image",
}
"""Image types that are no sequence as it was acquired."""


def why_not_used(series: list[Header]) -> str:
    """Why a series is none that was acquired as a volume of MR; empty where it is."""
    return _why_no_sequence(series[0]) or (LONE_SLICE if is_lone_slice(series) else "")


def is_lone_slice(series: list[Header]) -> bool:
    """Whether a series is one slice, of a kind that is acquired as a volume."""
    return len(series) == 1 and not series[0].holds_volume and not _why_no_sequence(series[0])


def is_no_sequence(number: str, headers: list[Header]) -> bool:
    """Whether there are headers of a series number, and all say that theirs is no sequence."""
    same = [header for header in headers if header["SeriesNumber"] == number]
    return bool(same) and all(map(_why_no_sequence, same))


def _why_no_sequence(header: Header) -> str:
    """Why the series of a header is no sequence, by what the header says; empty where it may be one."""
    if header["SOPClassUID"].startswith(SECONDARY_CAPTURE):
        return "a screenshot (secondary capture)"
    if header["Modality"] not in ("MR", ""):
        return "not MR"
    if header["PhotometricInterpretation"][:10] not in ("MONOCHROME", ""):
        return "a colour picture"
    if header["AngioFlag"] == "Y":
        return "an angiogram"
    reason = next((CANNOT_USE[word] for word in sorted(header.image_type & set(CANNOT_USE))), "")
    if reason or set(re.findall("[a-z0-9]+", header["SeriesDescription"].lower())) & LOCALIZERS:
        return reason or "a localizer"
    return ""
