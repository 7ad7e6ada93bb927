"""Sections of a report: on scores, on a run folder, and on several runs."""

import pandas as pd

from glioma_idh.papers import Printed
from glioma_idh.reporting.html import Paragraph
from glioma_idh.reporting.names import HEADINGS, SCORES
from glioma_idh.reporting.tables.cells import number_cell
from glioma_idh.reporting.text.templates import ENVIRONMENT, TEXTS, count, listed, render_block
from glioma_idh.runs.run import Run

WORDS = ENVIRONMENT.overlay()
WORDS.filters = ENVIRONMENT.filters | {"three": number_cell, "percent": lambda share: f"{100 * share:.1f} %"}


def say(topic: str, **values) -> Paragraph:
    """Render a paragraph of `text/templates/sections.j2` from the values that its block uses."""
    return Paragraph(_render("sections", topic, values))


def legend(topic: str, **values) -> str:
    """Render a legend of `text/templates/legends.j2` from the values that its block uses."""
    return _render("legends", topic, values)


def _render(template: str, topic: str, values: dict) -> str:
    """Render a block of a template in one line."""
    return " ".join(render_block(f"{TEXTS}/{template}.j2", topic, values, WORDS).split())


def box_legend(runs: list[Run], printed: Printed) -> str:
    """The legend of box plots of several runs: only what they show is explained."""
    shown = {"accuracy": "accuracy" in printed.boxes, "published": any(run.recipe.get("published") for run in runs)}
    return legend("boxes", tested=patients_text(runs), **shown)


def patients_text(runs: list[Run]) -> str:
    """`100 patients tested (17 IDH-mutant)`, by run if the runs differ."""
    texts = {}
    for run in runs:
        patients = run.performance["patients"]
        tested = f"{count(patients['num_tested'], 'patient')} tested ({patients['num_mutant']} IDH-mutant)"
        texts.setdefault(tested, []).append(run.name)
    return "; ".join(tested if len(texts) == 1 else f"{listed(names)}: {tested}" for tested, names in texts.items())


def accuracy_note(table: pd.DataFrame) -> list[Paragraph]:
    """The note that accuracy is an improper score, for below a table that shows it; empty for other tables."""
    shown = {*table.columns, *table.get("score", [])}
    return [say("improper")] if shown & {HEADINGS["accuracy"], SCORES["accuracy"].name} else []
