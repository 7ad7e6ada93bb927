"""What one cell of a sheet means, in the many spellings of people and of public sheets; nothing is guessed.

Each `parse_...` gives text, empty where nothing is known. A cell that it cannot read is a ValueError.
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
_NO_STATUS = {  # words that may be meant as a status, and why they tell none
    re.compile(r"[2-9](?:[.,]0+)?"): "1 and 2 do not say which is which",
    re.compile(r"(?:idh[12]?)?(?:pos|positive?|neg|negative?|\(?[+]+\)?)"): (
        "positive and negative, + and -, may be of R132H alone, where negative is not yet wild-type"
    ),
    re.compile("yes|no|y|n|true|false"): "yes and no do not say of what",
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
    """Whether an id was one before a spreadsheet made a number of it: `12.0`, `1.2E+05`, `1,2E+05`."""
    return bool(re.fullmatch(r"\d+[.,]0+|\d+([.,]\d+)?[eE]\+?\d+", cell))


def is_a_date(cell: str) -> bool:
    """Whether an id is a date as nobody but a spreadsheet writes it: `2026-03-02 00:00:00`, `02-Mar`, or a time."""
    return bool(_DATE_OF_SPREADSHEET.fullmatch(cell))


def looks_like_a_date(cell: str) -> bool:
    """Whether an id may be a date that a spreadsheet has made: also `2026-03-02`, `02.03.2026`, `3/2/26`, `Mar-02`."""
    return is_a_date(cell) or bool(_DATE.fullmatch(cell))


def without_accents(text: str) -> str:
    """The text in small letters without accents and without spaces around it."""
    text = unicodedata.normalize("NFKD", text.strip().lower())
    return "".join(letter for letter in text if not unicodedata.combining(letter))


def without_quotes(cell: str) -> str:
    """The text without the quotation marks around the whole of it, as where a path was copied with them."""
    is_quoted = len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "\"'"
    return cell[1:-1].strip() if is_quoted else cell


def is_unknown(cell: str) -> bool:
    """Whether a cell says in one of the usual spellings that something is not known."""
    return cell.strip().lower() in UNKNOWN


def _look_up(cell: str, word: str, meanings: dict[str, re.Pattern], expected: str) -> str:
    """What the word of a cell means."""
    if is_unknown(cell):
        return ""
    for meaning, words in meanings.items():
        if words.fullmatch(word):
            return meaning
    raise ValueError(expected)


def _squeezed(cell: str) -> str:
    return re.sub(r"[\s_-]+", "", cell.lower())


def parse_idh(cell: str) -> str:
    """`1` for mutant, `0` for wild-type."""
    change, word = _CHANGE.fullmatch(cell.strip()), _squeezed(cell)
    if change and change["was"] != change["now"]:
        return "1"
    why = [f" ({why}: write mutant or wildtype)" for words, why in _NO_STATUS.items() if words.fullmatch(word)]
    expected = f"IDH as 0, 1, wildtype, mutant, a change such as IDH1 p.R132H, or empty{''.join(why)}"
    return _look_up(cell, word, _STATUS, expected)


def status_of(cell: str) -> str:
    """As `parse_idh`; empty also where the cell cannot be read."""
    with contextlib.suppress(ValueError):
        return parse_idh(cell)
    return ""


def parse_sex(cell: str) -> str:
    """`F` or `M`, in English, German, French, Italian, Spanish; no number and no `H`, beside which `M` is a woman."""
    word = without_accents(cell)
    why = " (beside H, an M may be a woman: write all of them anew)" if word == "h" else ""
    if word.replace(",", ".").replace(".", "").isdecimal():
        why = " (a number may stand for either)"
    return _look_up(cell, word, _SEXES, f"sex as F or M{why}, or empty")


def parse_codeletion(cell: str) -> str:
    """1p/19q: `codeleted` or `intact`."""
    return _look_up(cell, _squeezed(cell), _CODELETION, "1p/19q as codeleted or intact, or empty")


def parse_mgmt(cell: str) -> str:
    """MGMT promoter: `methylated` or `unmethylated`; indeterminate is unknown."""
    return _look_up(cell, cell.lower(), _METHYLATION, "MGMT as methylated or unmethylated, or empty")


def parse_grade(cell: str) -> str:
    """A WHO grade as 1 to 4, from `4`, `4.0`, `IV`, `G4` or `WHO grade 4`; HGG and LGG as they are; `2-3` is none."""
    return _look_up(cell, cell.strip().lower(), _GRADES, "a grade from 1 to 4 or I to IV, HGG, LGG, or empty")


def parse_age(cell: str) -> str:
    """Years as the sheet has them (`>89` and `90+` become 89 and 90, `44,5` becomes 44.5); months are an error."""
    if is_unknown(cell):
        return ""
    match = re.fullmatch(r"[<>]?(\d{1,3}([.,]\d+)?)\+?", cell)
    years = match[1].replace(",", ".") if match else "inf"
    if float(years) > OLDEST_YEARS:
        raise ValueError(f"an age in years, up to {OLDEST_YEARS}, or empty")
    return years


def parse_divisor(cell: str) -> str:
    """A number above 0 that an image can be divided by, with a decimal point."""
    if is_unknown(cell):
        return ""
    number = cell.replace(",", ".")
    if not re.fullmatch(r"\d+(\.\d*)?([eE][+-]?\d+)?|\.\d+", number) or not 0 < float(number) < float("inf"):
        raise ValueError("a number above 0 that ADC is divided by, or empty")
    return number


def parse_text(cell: str) -> str:
    """A cell of free text."""
    return "" if is_unknown(cell) else cell


def parse_patient(cell: str) -> str:
    """The id of a person, or empty where it is the subject's; unknown would make one person of all that have it."""
    if cell and (is_unknown(cell) or looks_like_a_number(cell)):
        raise ValueError("the id of a person, or empty where every subject is a person of its own")
    return cell
