"""Whether a name tells who the patient is."""

import re
import unicodedata
from itertools import product
from pathlib import Path

from glioma_idh.imaging.dicom.headers import Header, first_headers

NOBODY = {"anonymous", "anonymized", "anonymised", "anonym", "patient", "subject", "unknown", "phantom", "test"}
NOBODY |= {"glioma"}
SPELLINGS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "ß": "ss", "æ": "ae", "ł": "l"})


def identity_in(name: str, folder) -> bool:
    """Whether a name holds that or the birth date of a patient of DICOM files: of one in each folder below a folder.

    A pseudonym does not count: headers that say the identity was removed, names with digits or equal to the id.
    """
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
    for year in (date[:4], date[2:4]):
        for order in ((year, month, day), (day, month, year), (month, day, year)):
            if re.search(rf"(?<!\d){'[-_./ ]?'.join(order)}(?!\d)", name):
                return True
    return False


def named_safely(file: Path, header: Header) -> str:
    """The name of a file; its ending alone where the name could tell of the patient or of a day."""
    told = names_patient(file.stem, header) or re.search(r"\d{4}", file.stem)
    return f"a {file.suffix.lower()} file".replace("a  file", "a file") if told else file.name


def _spelled(text: str) -> set[str]:
    """A text without accents, and with them written out in two letters."""
    text = unicodedata.normalize("NFC", text.casefold())
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ø", "o").replace("ł", "l"))
    return {text, text.translate(SPELLINGS), "".join(letter for letter in plain if not unicodedata.combining(letter))}
