"""What one cell of a sheet means, in the many spellings of people and of public sheets; nothing is guessed."""

import re

UNKNOWN = frozenset(
    {
        "",
        "-",
        "-1",
        "-1.0",
        "-1,0",
        "#n/a",
        ".",
        "?",
        "[discrepancy]",
        "[not applicable]",
        "[not available]",
        "[not evaluated]",
        "[unknown]",
        "indeterminate",
        "missing",
        "n/a",
        "na",
        "nan",
        "nec",
        "none",
        "nos",
        "nos/nec",
        "not applicable",
        "not available",
        "not determined",
        "not tested",
        "null",
        "unk",
        "unknown",
    }
)
_WILD_TYPE = re.compile(r"0|0[.,]0|(idh[12]?)?(wildtype|wt)")
_MUTANT = re.compile(r"1|1[.,]0|(idh[12]?)?(mutant|mutated|mut)(\(nos\))?")
_CHANGE = re.compile(r"IDH[12][ :-]*(?:p\.)?(?P<was>[A-Z]|[A-Z][a-z]{2})(?P<place>\d+)(?P<now>[A-Z]|[A-Z][a-z]{2})")
_CODELETED = re.compile(r"1|1[.,]0|codel(eted|etion)?")
_INTACT = re.compile(r"0|0[.,]0|intact|no[nt]codel(eted)?")
_AGE = re.compile(r"[<>]?(\d{1,3}([.,]\d+)?)\+?")
MANGLED_ID = r"\d+[.,]0+|\d+([.,]\d+)?[eE]\+?\d+"
_WHOLE_GRADE = re.compile(r"(\d+)[.,]0")
_METHYLATED = ("methylated", "positive", "1", "1.0", "1,0")
_UNMETHYLATED = ("unmethylated", "negative", "0", "0.0", "0,0")


def looks_like_a_number(cell: str) -> bool:
    """Whether an id was one before a spreadsheet made a number of it: `12.0`, `1.2E+05`, `1,2E+05`."""
    return bool(re.fullmatch(MANGLED_ID, cell))


def is_unknown(cell: str) -> bool:
    """Whether a cell says in one of the usual spellings that something is not known."""
    return cell.strip().lower() in UNKNOWN


def parse_idh(cell: str) -> str:
    """`1` for mutant, `0` for wild-type, empty for unknown, from the spellings of the public sheets.

    Raises:
        ValueError: it is none of them; nothing is guessed.
    """
    word = re.sub(r"[\s_-]+", "", cell.lower())
    if is_unknown(cell):
        return ""
    if _WILD_TYPE.fullmatch(word):
        return "0"
    change = _CHANGE.fullmatch(cell.strip())
    if _MUTANT.fullmatch(word) or (change and change["was"] != change["now"]):
        return "1"
    raise ValueError("IDH as 0, 1, wildtype, mutant, a change such as IDH1 p.R132H, or empty")


def parse_sex(cell: str) -> str:
    """`F`, `M` or empty.

    Raises:
        ValueError: neither, nor unknown.
    """
    if is_unknown(cell):
        return ""
    if cell.lower() in ("f", "female", "w", "m", "male"):
        return "M" if cell.lower() in ("m", "male") else "F"
    raise ValueError("sex as F or M, or empty")


def parse_codeletion(cell: str) -> str:
    """1p/19q: `codeleted`, `intact`, or empty for unknown.

    Raises:
        ValueError: none of them.
    """
    word = re.sub(r"[\s_-]+", "", cell.lower())
    if is_unknown(cell):
        return ""
    if _CODELETED.fullmatch(word) or _INTACT.fullmatch(word):
        return "codeleted" if _CODELETED.fullmatch(word) else "intact"
    raise ValueError("1p/19q as codeleted or intact, or empty")


def parse_mgmt(cell: str) -> str:
    """MGMT promoter: `methylated`, `unmethylated`, or empty for unknown or indeterminate.

    Raises:
        ValueError: none of them.
    """
    if is_unknown(cell):
        return ""
    if cell.lower() in (*_METHYLATED, *_UNMETHYLATED):
        return "methylated" if cell.lower() in _METHYLATED else "unmethylated"
    raise ValueError("MGMT as methylated or unmethylated, or empty")


def parse_grade(cell: str) -> str:
    """A grade as it stands, `4.0` and `4,0` as 4, unknown as empty."""
    return "" if is_unknown(cell) else _WHOLE_GRADE.sub(r"\1", cell)


def parse_age(cell: str) -> str:
    """Years as text, as the sheet has them (`>89` and `90+` become 89 and 90, `44,5` becomes 44.5), or empty.

    Raises:
        ValueError: neither a number nor unknown.
    """
    if is_unknown(cell):
        return ""
    match = _AGE.fullmatch(cell)
    if not match:
        raise ValueError("an age in years, or empty")
    return match[1].replace(",", ".")
