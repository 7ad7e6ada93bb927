"""What words say of a contrast agent, from negations and prepositions to what they stand before.

`pre` and `post` before a contrast agent or nothing speak of the agent; before an operation or unknown word, of that.
"""

from glioma_idh.imaging import series_vocabulary as terms


def contrast_said(words: tuple[str, ...]) -> frozenset[bool]:
    """What is said of a contrast agent: True given, False not; both where open, neither where nothing is said."""
    said, place = set(), 0
    while place < len(words):
        word, step = words[place], 1
        if word in terms.UNDECIDED:
            said |= {True, False}
        elif word == "t1gd":  # with a T1, it is one registered to the other
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
    """What prepositions from a place on say, with what they stand before; and how many words that takes."""
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
    """What a contrast agent says, with a preposition behind it; and how many words that takes."""
    end = place
    while end < len(words) and words[end] in terms.AGENT | terms.GEOMETRY | terms.LINKS:
        end += 1
    word, before, behind = words[place], set(words[:place][-1:]), set(words[place + 1 : place + 2])
    if word in ("c", "contrast", "contraste", "contrasto", "kontrast"):  # of a name, or of the picture
        unknown = set() if word == "contrast" else {terms.UNKNOWN}  # `+C` is read as contrast
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
