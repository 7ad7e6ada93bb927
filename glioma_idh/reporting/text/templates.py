"""Prose out of Jinja templates, in which each block is a topic; words, settings and numbers for them."""

from pathlib import Path

import jinja2
import pandas as pd

from glioma_idh.cohorts.table import SEQUENCE_NAMES
from glioma_idh.reporting.tables.cells import comparison_cell, estimate_cell, known, proportion_cell

TEXTS = "reporting/text/templates"


def listed(words) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *first, last = map(str, words)
    return f"{', '.join(first)} and {last}" if first else last


def count(number: int, noun: str) -> str:
    """`1 patient`, `2 patients`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def spelled(name: str, value) -> str:
    """A setting in print: `32 x 32 x 32`, `0 to 90`, `10 %`, `0.0001`, `k-fold`."""
    if name == "splits":
        return {"kfold": "k-fold", "holdout": "random hold-outs"}.get(value, value)
    if name == "cohort":
        return Path(value).name
    if name == "shape":
        return " x ".join(map(str, value))
    if name == "rotation_deg":
        return "{:g} to {:g}".format(*value)
    if name == "sequence":
        return listed(SEQUENCE_NAMES.get(sequence, sequence) for sequence in value)
    if name.endswith("_fraction"):
        return f"{100 * value:g} %"
    if isinstance(value, list):
        return listed(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def filled(cohort: pd.DataFrame, column: str) -> pd.Series:
    """Of each subject whether it has something in a column."""
    return cohort.get(column, pd.Series("", cohort.index)).astype(object).fillna("").astype(str) != ""


def has(cohort: pd.DataFrame, column: str) -> bool:
    """Whether any subject has something in a column."""
    return bool(filled(cohort, column).any())


def entry(performance: dict, name: str):
    """An entry of `performance`; {} where it is missing, or but a reason why it is not available."""
    found = performance.get(name) or {}
    return {} if isinstance(found, dict) and set(found) == {"reason"} else found


def _groups(strata: list[dict]) -> str:
    """The AUC within groups of patients, and how many are too small for one."""
    cells = [
        f"{row['variable']} {row['stratum']} (n = {row['n']}, {row['events']} IDH-mutant) "
        f"{estimate_cell(row | {'value': row['auc']})}"
        for row in strata
        if known(row["auc"])
    ]
    small = len(strata) - len(cells)
    within = [f"AUC within {'; '.join(cells)}."] if cells else []
    return " ".join([*within, f"Too small for one: {count(small, 'group')}."] if small else within)


class _Missing(jinja2.ChainableUndefined):
    """A setting that an older run lacks: it can be asked for, and not be printed."""

    __str__ = jinja2.StrictUndefined.__str__


# Templates of the package, without escapes; a name that is not known ends the block that asks for it.
LOADER = jinja2.PackageLoader("glioma_idh", "")
ENVIRONMENT = jinja2.Environment(loader=LOADER, undefined=_Missing, keep_trailing_newline=True)
ENVIRONMENT.filters |= {
    "comparison": comparison_cell,
    "count": count,
    "estimate": estimate_cell,
    "first_upper": lambda text: text[:1].upper() + text[1:],
    "groups": _groups,
    "known": known,
    "listed": listed,
    "proportion": proportion_cell,
    "said": lambda sentences: " ".join(sentence for sentence in sentences if sentence),
}
BY_LINE = ENVIRONMENT.overlay(trim_blocks=True)


def render(template: str, values: dict) -> str:
    """A whole template, by its path in the package, line by line."""
    return BY_LINE.get_template(template).render(values)


def render_block(template: str, topic: str, values: dict, environment=BY_LINE, of_settings: bool = False) -> str:
    """The block of a topic as it stands, line by line; by default a line of statements alone leaves no empty line.

    With `of_settings` it is "" where it prints a setting that is missing, as in an older run; else that is an error.
    """
    found = environment.get_template(template)
    try:
        return "".join(found.blocks[topic](found.new_context(values)))
    except jinja2.UndefinedError:
        if not of_settings:
            raise
        return ""


def render_topics(template: str, values: dict, of_settings: bool = False) -> dict[str, str]:
    """Every block of a template, by its name and in its order, as a text in one line; else as `render_block`."""
    topics = ENVIRONMENT.get_template(template).blocks
    return {
        topic: " ".join(render_block(template, topic, values, ENVIRONMENT, of_settings).split()) for topic in topics
    }
