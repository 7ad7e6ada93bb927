"""Whether the words of a series name or description say that contrast agent was given.

Negations and prepositions are resolved with the word that follows them: `pre` and `post` refer to the contrast agent if
it follows, or nothing; before an operation or an unknown word they refer to that.
"""

from glioma_idh.imaging import series_vocabulary as terms


def contrast_said(words: tuple[str, ...]) -> frozenset[bool]:
    """Return {True} if contrast agent was given, {False} if not, both if ambiguous, none if the words do not say."""
    said, place = set(), 0
    while place < len(words):
        word, step = words[place], 1
        if word in terms.UNDECIDED:
            said |= {True, False}
        elif word == "t1gd":  # together with a T1: one of them registered to the other
            said |= {True, False} if set(terms.SEQUENCES["t1"]) & set(words) else {True}
        elif word in terms.NATIVE:
            said.add(False)
        elif word in terms.PREPOSITIONS:
            what, step = _of_prepositions(words, place)
            said |= what
        elif word in terms.AGENT:
            what, step = _of_agent(words, place)
            said |= what
        place += step
    return frozenset(said)


def _of_prepositions(words: tuple[str, ...], place: int) -> tuple[set[bool], int]:
    """Interpret prepositions from a position on, with the word that follows; return the result and the words used."""
    end, chain = place, []
    while end < len(words) and words[end] in terms.PREPOSITIONS | terms.LINKS | terms.GEOMETRY:
        chain.append(words[end])
        end += 1
    object_ = words[end] if end < len(words) else ""
    before = words[place - 1] if place and len(chain) == 1 and not object_ else ""
    before = "" if place > 1 and words[place - 2] in terms.BEFORE | terms.AFTER else before
    times = {word in terms.AFTER for word in chain if word in terms.BEFORE | terms.AFTER}
    if object_ in terms.EVENT and times:
        return set(), end + 1 - place
    negated = [word for word in chain if word in terms.WITHOUT]
    with_ = [word for word in chain if word in terms.WITH]
    agent = object_ in terms.AGENT and not (object_ == "contrast" and words[end - 1] in terms.NOT_AN_AGENT)
    said = set()
    if times:
        said |= {True, False} if terms.UNKNOWN in (object_, before) or before in terms.EVENT else times
    if negated and (agent or (not object_ and set(negated) & terms.WITHOUT_ALONE)):
        said.add(False)
    if with_ and agent and (not negated or terms.CONJUNCTIONS & set(chain)):
        said.add(True)
    while agent and end < len(words) and words[end] in terms.AGENT | terms.LINKS:
        end += 1
    return said, end - place


def _of_agent(words: tuple[str, ...], place: int) -> tuple[set[bool], int]:
    """Interpret a contrast agent with a preposition after it; return the result and the number of words used."""
    end = place
    while end < len(words) and words[end] in terms.AGENT | terms.GEOMETRY | terms.LINKS:
        end += 1
    word, before, behind = words[place], set(words[:place][-1:]), set(words[place + 1 : place + 2])
    if word in (
        "c",
        "contrast",
        "contraste",
        "contrasto",
        "kontrast",
    ):  # may be part of a name, or mean the contrast of the image
        unknown = set() if word == "contrast" else {terms.UNKNOWN}  # `+C` is read as `contrast`
        if before & (terms.NOT_AN_AGENT | unknown) or behind & (terms.NOT_AN_AGENT_AFTER | unknown):
            return {True, False}, 1
    if words[end : end + 1] and words[end] in terms.BEFORE | terms.AFTER | terms.WITHOUT:
        what, size = _of_prepositions(words, end)
        last = words[end + size - 1 : end + size]
        if words[end] in terms.WITHOUT and size == 1 and end + size == len(words):
            return {False}, end + size - place
        if words[end] in terms.WITHOUT - terms.WITHOUT_ALONE and terms.UNKNOWN in words[end + size : end + size + 1]:
            return {True, False}, end + size - place
        if what and not set(last) & terms.AGENT:
            return what, end + size - place
    return {True}, 1
