"""Sections of a report: results from scores alone, contents of a run folder, comparison of several runs."""

from glioma_idh.reporting.html import Paragraph
from glioma_idh.reporting.tables.cells import number_cell
from glioma_idh.reporting.text.templates import ENVIRONMENT, TEXTS, render_block

WORDS = ENVIRONMENT.overlay()
WORDS.filters = ENVIRONMENT.filters | {"three": number_cell, "percent": lambda share: f"{100 * share:.1f} %"}


def say(topic: str, **values) -> Paragraph:
    """A paragraph of `text/templates/sections.j2`, from the values that its block names."""
    return Paragraph(" ".join(render_block(f"{TEXTS}/sections.j2", topic, values, WORDS).split()))
