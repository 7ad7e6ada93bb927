"""Parse the cells of label sheets and cohort tables in their usual spellings. Ambiguous cells are errors.

Each `parse_...` function returns text, "" if the value is not known, and raises ValueError for a cell it cannot read.
"""

import contextlib
import re
import unicodedata

UNKNOWN = {
    *("", "-", "-1", "-1.0", "-1,0", "#n/a", ".", "?", "[discrepancy]", "[not applicable]", "[not available]"),
    *("[not evaluated]", "[unknown]", "indeterminate", "missing", "n/a", "na", "nan", "nec", "none", "nos"),
    *("nos/nec", "not applicable", "not available", "not determined", "not tested", "null", "unk", "unknown"),
}
_STATUS = {
    "0": re.compile(r"0|0[.,]0|(idh[12]?)?(wildtype|wt)"),
    "1": re.compile(r"1|1[.,]0|(idh[12]?)?(mutant|mutated|mut)(\(nos\))?"),
}
_NO_STATUS = {  # ambiguous spellings of a status, and the reason
    re.compile(r"[2-9](?:[.,]0+)?"): "1 and 2 are ambiguous",
    re.compile(r"(?:idh[12]?)?(?:pos|positive?|neg|negative?|\(?[+]+\)?)"): (
        "positive and negative, + and -, may refer to R132H only, and R132H-negative is not always wild-type"
    ),
    re.compile("yes|no|y|n|true|false"): "yes and no are ambiguous",
}
_CHANGE = re.compile(r"IDH[12][ :-]*(?:p\.)?(?P<was>[A-Z]|[A-Z][a-z]{2})(?P<place>\d+)(?P<now>[A-Z]|[A-Z][a-z]{2})")
_CODELETION = {
    "codeleted": re.compile(r"1|1[.,]0|codel(eted|etion)?"),
    "intact": re.compile(r"0|0[.,]0|intact|no[nt]codel(eted)?"),
}
_METHYLATION = {
    "methylated": re.compile(r"methylated|positive|1|1[.,]0"),
    "unmethylated": re.compile(r"unmethylated|negative|0|0[.,]0"),
}
_SEXES = {
    "F": re.compile("f|female|w|woman|weiblich|femme|feminin|femmina|femminile|mujer|femenino"),
    "M": re.compile("m|male|man|maennlich|mannlich|homme|masculin|maschio|maschile|hombre|masculino"),
}
_DAY, _MONTH = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"
_NAME = "(?:Jan|Feb|Mar|Mär|Mrz|Apr|May|Mai|Jun|Jul|Aug|Sep|Oct|Okt|Nov|Dec|Dez)"
_DATE = re.compile(
    rf"\d{{4}}[-/.]{_MONTH}[-/.]{_DAY}|(?:{_DAY}[-/.]{_MONTH}|{_MONTH}[-/.]{_DAY})[-/.]\d{{4}}"
    rf"|(?:{_DAY}[/.]{_MONTH}|{_MONTH}[/.]{_DAY})[/.]\d\d|{_NAME}[- ]\d\d(?:\d\d)?"
)
_DATE_OF_SPREADSHEET = re.compile(
    rf"(?:.*\d[ T])?\d\d?:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[AP]M)?|{_DAY}(?:-|\. ?){_NAME}(?:[- .]+\d\d(?:\d\d)?)?"
)
OLDEST_YEARS = 120
_GRADES = {"HGG": re.compile("hgg"), "LGG": re.compile("lgg")} | {
    number: re.compile(rf"(?:(?:who|cns|grade?|g)[\s_.-]*)*(?:{number}(?:[.,]0+)?|{roman})")
    for number, roman in {"1": "i", "2": "ii", "3": "iii", "4": "iv"}.items()
}


def looks_like_a_number(cell: str) -> bool:
    """Return whether a spreadsheet program has converted an id to a number, such as `12.0` or `1.2E+05`."""
    return bool(re.fullmatch(r"\d+[.,]0+|\d+([.,]\d+)?[eE]\+?\d+", cell))


def is_a_date(cell: str) -> bool:
    """Return whether an id is a date in a form of spreadsheet programs: `2026-03-02 00:00:00`, `02-Mar`, or a time."""
    return bool(_DATE_OF_SPREADSHEET.fullmatch(cell))


def looks_like_a_date(cell: str) -> bool:
    """Return whether an id may be a date: as `is_a_date`, and `2026-03-02`, `02.03.2026`, `3/2/26` or `Mar-02`."""
    return is_a_date(cell) or bool(_DATE.fullmatch(cell))


def without_accents(text: str) -> str:
    """Return the text in lower case, without accents and surrounding spaces."""
    text = unicodedata.normalize("NFKD", text.strip().lower())
    return "".join(letter for letter in text if not unicodedata.combining(letter))


def without_quotes(cell: str) -> str:
    """Remove quotation marks around the whole text, for paths that were copied with them."""
    is_quoted = len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "\"'"
    return cell[1:-1].strip() if is_quoted else cell


def is_unknown(cell: str) -> bool:
    """Return whether a cell is empty or one of the usual spellings of "unknown"."""
    return cell.strip().lower() in UNKNOWN


def _look_up(cell: str, word: str, meanings: dict[str, re.Pattern], expected: str) -> str:
    """Return the meaning whose pattern matches the word, "" for an unknown cell; ValueError if none matches."""
    if is_unknown(cell):
        return ""
    for meaning, words in meanings.items():
        if words.fullmatch(word):
            return meaning
    raise ValueError(expected)


def _squeezed(cell: str) -> str:
    return re.sub(r"[\s_-]+", "", cell.lower())


def parse_idh(cell: str) -> str:
    """Parse an IDH status: `1` for mutant, `0` for wild-type."""
    change, word = _CHANGE.fullmatch(cell.strip()), _squeezed(cell)
    if change and change["was"] != change["now"]:
        return "1"
    why = [f" ({why}: write mutant or wildtype)" for words, why in _NO_STATUS.items() if words.fullmatch(word)]
    expected = f"IDH as 0, 1, wildtype, mutant, a change such as IDH1 p.R132H, or empty{''.join(why)}"
    return _look_up(cell, word, _STATUS, expected)


def status_of(cell: str) -> str:
    """Parse an IDH status as `parse_idh`, but return "" for a cell that cannot be read."""
    with contextlib.suppress(ValueError):
        return parse_idh(cell)
    return ""


def parse_sex(cell: str) -> str:
    """Parse sex as `F` or `M`, from English, German, French, Italian or Spanish words.

    Numbers are ambiguous. So is `H` (hombre, homme), because `M` in the same sheet may then mean mujer.
    """
    word = without_accents(cell)
    why = " (in a sheet with H, M may mean a woman: replace both letters)" if word == "h" else ""
    if word.replace(",", ".").replace(".", "").isdecimal():
        why = " (numbers are ambiguous)"
    return _look_up(cell, word, _SEXES, f"sex as F or M{why}, or empty")


def parse_codeletion(cell: str) -> str:
    """Parse 1p/19q status: `codeleted` or `intact`."""
    return _look_up(cell, _squeezed(cell), _CODELETION, "1p/19q as codeleted or intact, or empty")


def parse_mgmt(cell: str) -> str:
    """Parse MGMT promoter status: `methylated` or `unmethylated`; indeterminate is unknown."""
    return _look_up(cell, cell.lower(), _METHYLATION, "MGMT as methylated or unmethylated, or empty")


def parse_grade(cell: str) -> str:
    """Parse a WHO grade as 1 to 4, from `4`, `4.0`, `IV`, `G4` or `WHO grade 4`; HGG and LGG are kept."""
    return _look_up(cell, cell.strip().lower(), _GRADES, "a grade from 1 to 4 or I to IV, HGG, LGG, or empty")


def parse_age(cell: str) -> str:
    """Parse an age in years: `>89` becomes 89, `90+` becomes 90, and `44,5` becomes 44.5."""
    if is_unknown(cell):
        return ""
    match = re.fullmatch(r"[<>]?(\d{1,3}([.,]\d+)?)\+?", cell)
    years = match[1].replace(",", ".") if match else "inf"
    if float(years) > OLDEST_YEARS:
        raise ValueError(f"an age in years, up to {OLDEST_YEARS}, or empty")
    return years


def parse_divisor(cell: str) -> str:
    """Parse the divisor of ADC images, a number above 0; a decimal comma becomes a point."""
    if is_unknown(cell):
        return ""
    number = cell.replace(",", ".")
    if not re.fullmatch(r"\d+(\.\d*)?([eE][+-]?\d+)?|\.\d+", number) or not 0 < float(number) < float("inf"):
        raise ValueError("the divisor of the ADC image, a number above 0, or empty")
    return number


def parse_text(cell: str) -> str:
    """Parse free text."""
    return "" if is_unknown(cell) else cell


def parse_patient(cell: str) -> str:
    """Parse a patient id; "" means that the subject is the patient.

    Spellings of "unknown" are errors, because they would join all such subjects to one patient.
    """
    if cell and (is_unknown(cell) or looks_like_a_number(cell)):
        raise ValueError("a patient id, or empty if every subject is another patient")
    return cell
