"""What words say of a contrast agent, from negations and prepositions to what they stand before.

`pre` and `post` before a contrast agent or nothing speak of the agent; before an operation, of that; before a word that
is not known here, of nobody knows what.
"""

from glioma_idh.imaging.series_vocabulary import (
    AFTER,
    AGENT,
    BEFORE,
    CONJUNCTIONS,
    EVENT,
    GEOMETRY,
    LINKS,
    NATIVE,
    NOT_AN_AGENT,
    NOT_AN_AGENT_AFTER,
    SEQUENCES,
    UNDECIDED,
    UNKNOWN,
    WITH,
    WITHOUT,
    WITHOUT_ALONE,
)


def contrast_said(words: tuple[str, ...]) -> frozenset[bool]:
    """What words say of a contrast agent.

    Returns:
        True where it was given, False where not; both where that is left open or contradicts itself, neither where
        nothing is said, as by `post-op`.
    """
    said, place = set(), 0
    while place < len(words):
        word = words[place]
        step = 1
        if word in UNDECIDED:
            said |= {True, False}
        elif word == "t1gd":
            said |= (
                {True, False} if set(SEQUENCES["t1"]) & set(words) else {True}
            )  # with a T1, it is one registered to the other
        elif word in NATIVE:
            said.add(False)
        elif word in BEFORE | AFTER | WITH | WITHOUT:
            what, step = _of_prepositions(words, place)
            said |= what
        elif word in AGENT:
            what, step = _of_agent(words, place)
            said |= what
        place += step
    return frozenset(said)


def _of_prepositions(words: tuple[str, ...], place: int) -> tuple[set[bool], int]:
    """What prepositions from a place on say, with what they stand before; and how many words that takes."""
    end, chain = place, []
    while end < len(words) and words[end] in BEFORE | AFTER | WITH | WITHOUT | LINKS | GEOMETRY:
        chain.append(words[end])
        end += 1
    object_ = words[end] if end < len(words) else ""
    before = words[place - 1] if place and len(chain) == 1 and not object_ else ""
    before = "" if place > 1 and words[place - 2] in BEFORE | AFTER else before
    times = {word in AFTER for word in chain if word in BEFORE | AFTER}
    if object_ in EVENT and times:
        return set(), end + 1 - place
    negated = [word for word in chain if word in WITHOUT]
    with_ = [word for word in chain if word in WITH]
    agent = object_ in AGENT and not (object_ == "contrast" and words[end - 1] in NOT_AN_AGENT)
    said = set()
    if times:
        said |= {True, False} if UNKNOWN in (object_, before) or before in EVENT else times
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
    if _is_doubtful(words[place], words[:place][-1:], words[place + 1 : place + 2]):
        return {True, False}, 1
    if words[end : end + 1] and words[end] in BEFORE | AFTER | WITHOUT:
        what, size = _of_prepositions(words, end)
        behind = words[end + size - 1 : end + size]
        if words[end] in WITHOUT and size == 1 and end + size == len(words):
            return {False}, end + size - place
        if words[end] in WITHOUT - WITHOUT_ALONE and UNKNOWN in words[end + size : end + size + 1]:
            return {True, False}, end + size - place
        if what and not set(behind) & AGENT:
            return what, end + size - place
    return {True}, 1


def _is_doubtful(word: str, before: tuple[str, ...], behind: tuple[str, ...]) -> bool:
    """Whether a word may say nothing of an agent: the letter of a name, or the contrast of the picture."""
    if word not in ("c", "contrast", "contraste", "contrasto", "kontrast"):
        return False
    unknown = set() if word == "contrast" else {UNKNOWN}  # `+C` is read as contrast
    return bool(set(before) & (NOT_AN_AGENT | unknown) or set(behind) & (NOT_AN_AGENT_AFTER | unknown))
