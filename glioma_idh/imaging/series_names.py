"""What a file's name or a scanner's description says of a series: the one reader of words for all commands.

Nothing is guessed. What may be a T1 with or without contrast agent is both, and is left to the user.
"""

import re
import unicodedata
from functools import cache

from glioma_idh.imaging.series_vocabulary import (
    AFTER,
    AGENT,
    BEFORE,
    BRAIN,
    CONJUNCTIONS,
    EVENT,
    GEOMETRY,
    KNOWN,
    LESION,
    LINKS,
    MASK,
    NATIVE,
    NO_ROLE,
    NOT_AN_AGENT,
    PIECES,
    SEQUENCES,
    T1_WEIGHTED,
    UNDECIDED,
    WITH,
    WITHOUT,
    WITHOUT_ALONE,
)

UNKNOWN = "?"
"""Stands for a word that is not known here, which may be a patient's name."""
T1 = set(SEQUENCES["t1"])
B_VALUE = r"b(0|\d{2,4})"
BOTH = r"\b(w|with|mit|avec|con|com|met)\s?(/|&|\+|and|und|et|e|y|en|or|oder|ou|of)\s?(w\W?/?\W?o|wo|{})\b"
PHRASES = tuple(
    (re.compile(pattern), f" {words} ")
    for pattern, words in (
        (r"\b(sub|ses|run)(-[a-z0-9]+|\s?\d\w*)", ""),
        (r"\bce-none\b", "without contrast"),
        (r"\w*apparent\W*diff\w*\W*coef\w*", "adc"),
        (r"\b(average|mean)\W?d(c|iff\w*)\b", "adc"),
        (r"\bexpo?(nential)?\W?adc\b", "eadc"),
        (r"\bmp\W?rage", "mprage "),
        (r"\bdark\W?fluid\b", "darkfluid"),
        (r"\bt2\W?(\*|star\b)", "t2star"),
        (r"\bt([12])\W?map(ping)?\b", r"t\1map"),
        (r"\bfield\W?map", "fieldmap "),
        (r"\bnative\s(?=t1\s?(c|ce|gd|gad)\b)", ""),
        (r"\bintra\W?op\w*", "post op"),
        (BOTH.format("|".join(sorted(WITHOUT_ALONE))), "either"),
        (r"\bwwo\b|\+\s?/?\s?-|\?", "either"),
        (r"\bw\s?/\s?o\b|\bw\.\s?o\.?", "without"),
        (r"\bw\s?/", "with"),
        (r"\bi\.\s?v\.", "iv"),
        (r"\bt1w?\+(?=[\s,;)]|$)", "t1 either"),
        (r"\+\s?(c|gd|gado?|km|ce|contrast)(?![a-z])", "contrast"),
        (r"\bc-(?=[\s,;)]|$)|(?<=[\s(])-\s?(c|gd|km)\b", "without contrast"),
        (r"\b(gd|km)-(?=[\s,;)]|$)|\b(c|gd|km)\s-\s*$", "either"),
        (r"[23]\s?d(?=[\W]|$)|[23]d(?=[a-z])", ""),
    )
)
"""Spellings of more than letters and digits, and the words that they stand for; in this order."""


def words_of(text: str) -> tuple[str, ...]:
    """The words of a name or description, in their order; those that are not known here as `?`, numbers left out.

    Letters lose accents and capitals; words that are written as one are parted: `T1post` is `t1 post`.
    """
    text = text.lower().replace("_", " ").replace("ß", "ss").replace("±", "+-")
    text = unicodedata.normalize("NFKD", text)
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    for pattern, words in PHRASES:
        text = pattern.sub(words, text)
    found = [part for token in re.findall("[a-z0-9]+", text) for part in _parts(token)]
    return tuple(word for word in found if word)


def _parts(token: str) -> tuple[str, ...]:
    """A token as words: itself where it is known, its parts where it is made of known ones, else `?`."""
    if token in SPELLINGS:
        return SPELLINGS[token]
    if token in KNOWN or re.fullmatch(B_VALUE, token):
        return (token,)
    if re.fullmatch(r"[a-z]?\d+[a-z]?", token) or len(token) == 1:
        return ()
    pieces = _pieces(token)
    if len(pieces) == 2 and pieces[0] in T1 and pieces[1] in AGENT:
        return ("t1gd",)
    return pieces or (UNKNOWN,)


SPELLINGS = {
    "t1n": ("t1", "native"),
    "t1c": ("t1gd",),
    "t1wc": ("t1gd",),
    "t2f": ("flair",),
    "st1": ("t1",),
    "st1w": ("t1",),
    "st2": ("t2",),
    "st2w": ("t2",),
}
"""Short names of data sets and makers."""


@cache
def _pieces(token: str) -> tuple[str, ...]:
    """A token as several words that are often written as one; nothing where it is not made of them alone."""
    for size in range(len(token) - 1, 1, -1):
        first, rest = token[:size], token[size:]
        if first in PIECES:
            others = (rest,) if rest in PIECES else _pieces(rest)
            if others:
                return (first, *others)
    return ()


def contrast_said(words: tuple[str, ...]) -> frozenset[bool]:
    """What words say of a contrast agent.

    Returns:
        True where it was given, False where not; both where that is left open or contradicts itself, neither where
        nothing is said.
    """
    said, place = set(), 0
    while place < len(words):
        word = words[place]
        step = 1
        if word in UNDECIDED:
            said |= {True, False}
        elif word == "t1gd":
            said |= {True, False} if T1 & set(words) else {True}  # with a T1, it is one registered to the other
        elif word in NATIVE:
            said.add(False)
        elif word in BEFORE | AFTER | WITH | WITHOUT:
            what, step = _of_prepositions(words, place)
            said |= what
        elif word in AGENT:
            what, step = _of_agent(words, place)
            said |= what
        place += step
    near = any(word in BEFORE | AFTER for word in words)
    return frozenset(said or ({True, False} if near else ()))


def _of_prepositions(words: tuple[str, ...], place: int) -> tuple[set[bool], int]:
    """What prepositions from a place on say, with what they stand before; and how many words that takes."""
    end, chain = place, []
    while end < len(words) and words[end] in BEFORE | AFTER | WITH | WITHOUT | LINKS | GEOMETRY:
        chain.append(words[end])
        end += 1
    object_ = words[end] if end < len(words) else ""
    times = {word in AFTER for word in chain if word in BEFORE | AFTER}
    if object_ in EVENT and times:
        return set(), end + 1 - place
    negated = [word for word in chain if word in WITHOUT]
    with_ = [word for word in chain if word in WITH]
    agent = object_ in AGENT and not (object_ == "contrast" and words[end - 1] in NOT_AN_AGENT)
    said = set()
    if times:
        said |= {True, False} if object_ == UNKNOWN else times
    if negated and (agent or (not object_ and set(negated) & WITHOUT_ALONE)):
        said.add(False)
    if with_ and agent and (not negated or CONJUNCTIONS & set(chain)):
        said.add(True)
    while agent and end < len(words) and words[end] in AGENT | LINKS:
        end += 1
    return said, end - place


def _of_agent(words: tuple[str, ...], place: int) -> tuple[set[bool], int]:
    """What a contrast agent says, with a preposition behind it; and how many words that takes."""
    end = place
    while end < len(words) and words[end] in AGENT | GEOMETRY | LINKS:
        end += 1
    if words[place] == "contrast" and place and words[place - 1] in NOT_AN_AGENT:
        return {True, False}, 1
    if words[end : end + 1] and words[end] in BEFORE | AFTER | WITHOUT:
        what, size = _of_prepositions(words, end)
        behind = words[end + size - 1 : end + size]
        closed = end + size == len(words)
        if words[end] in WITHOUT and closed and size == 1:
            return {False}, end + size - place
        if what and not set(behind) & AGENT:
            return what, end + size - place
    return {True}, 1


def roles_named(words: tuple[str, ...], described: bool) -> frozenset[str] | None:
    """The roles that words name.

    A scanner's T1 is one with or without contrast agent unless its words say which. The name of a file is taken at its
    word: `t1` is without, and MPRAGE is the slice-CNN paper's, with.

    Args:
        words: as `words_of` gives them.
        described: they are a scanner's, not a file's name.

    Returns:
        Of `t1 t1gd t2 flair rcbv adc dwi dsc lesion_mask brain_mask` those that it may be; empty where the words
        name another kind of image, None where they do not tell.
    """
    there = set(words)
    if not described and there & (MASK | {"brainmask"}):
        return frozenset({"brain_mask" if there & BRAIN and not there & LESION else "lesion_mask"})
    named = {role for role, spelled in SEQUENCES.items() if there.intersection(spelled)}
    excused = {"gre", "star", "t2star"} if "dsc" in named else {"gre"} if there & T1 | there & T1_WEIGHTED else set()
    if there & NO_ROLE - excused:
        return frozenset()
    for role in ("rcbv", "adc", "dsc", "dwi"):
        if role in named or (role == "dwi" and any(re.fullmatch(B_VALUE, word) for word in there)):
            return frozenset({role})
    roles = named - {"t2"} if "flair" in named else named
    if named & {"t1", "t1gd"} or there & T1_WEIGHTED:
        roles = roles - {"t1", "t1gd"} | _t1_roles(words, described)
    if not described and there & LESION:
        roles |= {"lesion_mask"}
    return frozenset(roles) or None


def _t1_roles(words: tuple[str, ...], described: bool) -> set[str]:
    """`t1`, `t1gd` or both, of words that name a T1."""
    said = contrast_said(words)
    if not said and not described:
        named = set(words) & (T1 | T1_WEIGHTED)
        said = {False} if named <= T1 else {True} if named == {"mprage"} else {True, False}
    return {"t1gd" if given else "t1" for given in said or (True, False)}
