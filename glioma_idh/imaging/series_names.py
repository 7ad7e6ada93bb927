"""Which sequence or mask a file name or series description names. All commands use this module.

Ambiguous words keep all their meanings: what may be a T1 with or without contrast agent is both, and the user decides.
"""

import re
import unicodedata
from functools import cache

from glioma_idh.imaging import series_vocabulary as terms
from glioma_idh.imaging.series_contrast import contrast_said

T1 = set(terms.SEQUENCES["t1"])
B_VALUE = r"b(0|\d{2,4})"
WITH_OR = r"(w|with|mit|avec|con|com|met)", rf"(w\W?/?\W?o|{'|'.join(sorted(terms.WITHOUT_ALONE))})"
AND = r"\s?(/|&|\+|and|und|et|e|y|en|or|oder|o\.?|ou|of)\s?"
BY_LETTER = (
    r"(?=(c|ce|gd|gado?|km|civ|iv|mdc|inj\w*|contrast\w*|kontrast\w*)\b)"  # after a single letter: `o. KM`, `s/ gado`
)
OTHER_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d", "ı": "i", "_": " "})
OTHER_LETTERS |= str.maketrans({"±": "+-", "−": "-", "–": "-", "—": "-"})
PHRASES = {
    r"\b(sub|ses|run)(-[a-z0-9]+|\s?\d\w*)": "",
    r"\bce-none\b": "without contrast",
    r"\w*apparent\W*diff\w*\W*coef\w*": "adc",
    r"\b(average|mean)\W?d(c|iff\w*)\b": "adc",
    r"\bexpo?(nential)?\W?adc\b": "eadc",
    r"\bmp\W?rage": "mprage ",
    r"\bfl[23]d": "flash ",
    r"\bdark\W?fluid\b|\bda\W?fl\b": "darkfluid",
    r"\bt1\W?(rho|ρ)": "t1rho",
    r"\bb[01]\W?map\w*": "b0map",
    r"\bt2\W?(\*|star\b)": "t2star",
    r"\bt([12])\W?map(ping)?\b": r"t\1map",
    r"\bfield\W?map": "fieldmap ",
    r"\bnative\s(?=t1\s?(c|ce|gd|gad)\b)": "",
    r"\bintra\W?op\w*": "post op",
    r"\bspace-(t[12]w?|flair|adc|orig|individual|mni[a-z0-9]*)\b": "",
    r"\bm\.?\s?d\.?\s?c\b": "mdc",
    rf"\b{WITH_OR[0]}{AND}{WITH_OR[1]}\b|\b{WITH_OR[1]}{AND}{WITH_OR[0]}\b": "either",
    r"\b(m\s?/\s?o|o\s?/\s?m|wwo|([yjos]|yes|ja|oui|si)\s?/\s?(n|no|nein|non))\b": "either",
    r"\bc\s?[+-]\s?\W?\s?c\s?[+-]|\+\s?/?\s?-|\?": "either",
    r"\bw\s+w\W?o\b": "either",
    r"\bwith\s?out\b|\bw\W?o\b": "without",
    r"\bs\s?/\s?c\b": "without contrast",
    r"\bc\s?/\s?c\b|\b(c|gd|gado?|km)\s?\(\s?\+\s?\)|\bc\s?\+": "contrast",
    r"\b(c|gd|gado?|km)\s?\(\s?-\s?\)": "without contrast",
    rf"\b({'|'.join(sorted(terms.AGENT))})\W?(free|frei|not given|nicht gegeben)\b": "without contrast",
    r"\bp\.\s?i\.": "post injection",
    r"\bw\s?/": "with",
    r"\bi\.\s?v\.": "iv",
    r"\bt1w?[+-](?=[\s,;)]|$)": "t1 either",
    r"\+\s?(c|gd|gado?|km|ce|contrast)(?![a-z])": "contrast",
    r"\bc-(?=[\s,;)]|$)|(?<=[\s(])-\s?(c|gd|km)\b": "without contrast",
    r"\b(gd|km)-(?=[\s,;)]|$)|\b(c|gd|km)\s-\s*$": "either",
    r"\bi v (?=km|contrast|kontrast|gad)": "iv ",
    rf"\b[ov]\.?\s?(?=km\b)|\bs(\s?/\s?|s\s){BY_LETTER}": "without",
    rf"\bm\.?\s?(?=km\b)|\bc\s?/\s?{BY_LETTER}": "with",
    rf"\bav\.?\s{BY_LETTER}": "either",
    r"[23]\s?d(?=[\W]|$)|[23]d(?=[a-z])": "",
}  # patterns and the words that replace them, applied in this order


def words_of(text: str) -> tuple[str, ...]:
    """Split a name or description into known words, in their order; unknown words become `?`, numbers are dropped.

    Accents and capitals are removed, and compound words are split: `T1post` becomes `t1 post`. Words in another script
    become `either`, since they may refer to contrast agent.
    """
    text = text.lower().translate(OTHER_LETTERS)
    text = unicodedata.normalize("NFKD", text)
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    for pattern, words in PHRASES.items():
        text = re.sub(pattern, f" {words} ", text)
    found = [part for token in re.findall(r"[a-z0-9]+|[^\W\d_a-z]+", text) for part in _parts(token)]
    return tuple(word for word in found if word)


@cache
def _parts(token: str) -> tuple[str, ...]:
    """Return a token as words: itself if known, its parts if it consists of known words, else `?`."""
    if not token.isascii():
        return ("either",)
    if token in terms.SPELLINGS:
        return tuple(terms.SPELLINGS[token].split())
    if token in terms.KNOWN or re.fullmatch(B_VALUE, token):
        return (token,)
    if re.fullmatch(r"[a-z]?\d+([a-z]|mm|min|sec)?", token) or len(token) == 1:
        return ()
    pieces = _split(token)
    if len(pieces) == 2 and pieces[0] in T1 and pieces[1] in terms.AGENT:
        return ("t1gd",)
    # accepted if a sequence is among the parts or they begin like `preop` and `ohneKM`; `Vorse` and `Corce` are names
    began = pieces[:1] and pieces[0] in terms.START and set(pieces[1:]) <= terms.START | terms.EVENT
    return pieces if began or terms.NAMING.intersection(pieces) else (terms.UNKNOWN,)


def _split(token: str) -> tuple[str, ...]:
    """Split a token into words that are often written as one; empty if that is not possible."""
    for size in range(len(token) - 1, 1, -1):
        first, rest = token[:size], token[size:]
        if first in terms.PIECES:
            others = (rest,) if rest in terms.PIECES else _split(rest)
            if others:
                return (first, *others)
    return ()


def roles_named(words: tuple[str, ...], described: bool) -> frozenset[str] | None:
    """Return the roles that words may name: `t1 t1gd t2 flair rcbv adc dwi dsc lesion_mask brain_mask`.

    Args:
        words: as from `words_of`.
        described: True for a scanner's description, False for a file name. A described T1 may be with or without
            contrast agent unless the words say which. In a file name, `t1` is without, and `mprage` is with contrast
            agent, as in the slice-CNN paper.

    Returns:
        The roles; empty if the words name another kind of image, None if they do not tell.
    """
    there = set(words)
    if not described and there & (terms.MASK | {"brainmask"}):
        if there & terms.LESION:
            return frozenset({"lesion_mask"})
        if there & terms.TISSUE:
            return frozenset()
        if there & terms.BRAIN or (there & terms.STRIPPED and there & terms.PLAIN_MASK):
            return frozenset({"brain_mask"})
        open_ = there & terms.STRIPPED or (there & terms.PLAIN_MASK and there & terms.NAMING)
        return frozenset({"lesion_mask", "brain_mask"} if open_ else {"lesion_mask"})
    named = {role for role, spelled in terms.SEQUENCES.items() if there.intersection(spelled)}
    if _is_another_kind(there, named) or (not described and there & terms.FILES_ALONE):
        return frozenset()
    for role in ("rcbv", "adc", "dsc", "dwi"):
        if role in named or (role == "dwi" and any(re.fullmatch(B_VALUE, word) for word in there)):
            return frozenset({role})
    roles = named - {"t2"} if "flair" in named else named
    # `mpr` with another sequence is a reformat of it
    t1_weighted = there & terms.T1_WEIGHTED - ({"mpr"} if roles else set())
    if named & {"t1", "t1gd"} or t1_weighted:
        said = contrast_said(words)
        if not said and not described:
            spelled = there & (T1 | terms.T1_WEIGHTED)
            near = there & (terms.BEFORE | terms.AFTER | terms.WITH - {"w"})
            alone = {False} if spelled <= T1 else {True} if spelled == {"mprage"} else {True, False}
            said = frozenset({True, False} if near else alone)
        roles = roles - {"t1", "t1gd"} | {"t1gd" if given else "t1" for given in said or (True, False)}
    if not described and there & terms.LESION:
        roles |= {"lesion_mask"}
    return frozenset(roles) or None


def _is_another_kind(there: set[str], named: set[str]) -> bool:
    """Return whether words name an image without a role: a map, another sequence, another part of the body."""
    t1 = named & {"t1", "t1gd"} or there & terms.T1_WEIGHTED
    excused = {"gre", "star", "t2star"} if "dsc" in named else {"gre"} if t1 else set()
    return bool(
        there & terms.NO_ROLE - excused
        or ("dsc" in named and t1)  # a bolus in T1: DCE
        or (there & terms.MAPS and not named & {"adc", "rcbv"} and (named or t1))
        or ("dwi" in named and (there & terms.OF_DIFFUSION or ("diff" in there and t1)))
        or (named == {"t2"} and there & terms.T2_STAR and not t1)
    )
