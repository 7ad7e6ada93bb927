"""Letters that matplotlib's own font lacks, such as those of a Chinese patient id, from a font of the computer's."""

import logging
from functools import cache

import matplotlib
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text


def give_fonts(figure) -> None:
    """Let all words of a figure use the fonts that their letters need; without such a letter nothing changes."""
    texts = figure.findobj(Text)
    families = fonts_for(frozenset("".join(text.get_text() for text in texts)))
    if families:
        logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # it tells of every weight that they lack
        for text in texts:
            text.set_fontfamily([*matplotlib.rcParams["font.family"], *families])


@cache
def fonts_for(letters: frozenset[str]) -> tuple[str, ...]:
    """Names of installed fonts that hold, together, as many as can be of the letters that the usual font lacks.

    The files are looked through, not matplotlib's list, which does not know a font that came after it was made.
    """
    usual = font_manager.findfont(font_manager.FontProperties())
    missing = {ord(letter) for letter in letters if letter.isprintable()} - letters_in(usual)
    families = []
    for file in sorted(font_manager.findSystemFonts()) if missing else ():
        found = missing & letters_in(file)
        if found:
            font_manager.fontManager.addfont(file)
            families.append(font_manager.fontManager.ttflist[-1].name)
            missing -= found
    return tuple(families)


@cache
def letters_in(file: str) -> frozenset[int]:
    """Code points that a font file holds; none where it cannot be used, or holds but a box for every letter."""
    try:
        font = FT2Font(file)
    except (OSError, RuntimeError):
        return frozenset()
    usable = font.scalable and "lastresort" not in font.family_name.lower().replace(" ", "")
    return frozenset(font.get_charmap() if usable else ())
