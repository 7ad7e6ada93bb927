"""Render text from Jinja templates, in which each block is a topic; formatting of words, settings and numbers."""

from pathlib import Path

import jinja2
import numpy as np
import pandas as pd

from glioma_idh.cohorts.table import SEQUENCE_NAMES
from glioma_idh.reporting.names import baseline_name
from glioma_idh.reporting.tables.cells import (
    comparison_cell,
    difference_in_words,
    estimate_cell,
    estimate_in_words,
    known,
    proportion_cell,
)

TEXTS = "reporting/text/templates"


def listed(words) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *first, last = map(str, words)
    return f"{', '.join(first)} and {last}" if first else last


def count(number: int, noun: str) -> str:
    """`1 patient`, `2 patients`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def spelled(name: str, value) -> str:
    """Format a setting for print: `32 x 32 x 32`, `0 to 90`, `10 %`, `0.00005`, `k-fold`."""
    if name == "splits":
        return {"kfold": "k-fold", "holdout": "random hold-out"}.get(value, value)
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
    return np.format_float_positional(float(f"{value:g}"), trim="-") if isinstance(value, float) else str(value)


def filled(cohort: pd.DataFrame, column: str) -> pd.Series:
    """Whether each subject has a non-empty value in a column."""
    return cohort.get(column, pd.Series("", cohort.index)).astype(object).fillna("").astype(str) != ""


def has(cohort: pd.DataFrame, column: str) -> bool:
    """Whether any subject has a non-empty value in a column."""
    return bool(filled(cohort, column).any())


def entry(performance: dict, name: str):
    """An entry of `performance`; {} if it is missing or consists only of the reason why it is not available."""
    found = performance.get(name) or {}
    return {} if isinstance(found, dict) and set(found) == {"reason"} else found


def _groups(strata: list[dict]) -> str:
    """The AUC within each group of patients, and the number of groups too small for one."""
    cells = [
        f"{row['variable']} {row['stratum']} (n = {row['n']}, {row['events']} IDH-mutant) "
        f"{estimate_cell(row | {'value': row['auc']})}"
        for row in strata
        if known(row["auc"])
    ]
    small = len(strata) - len(cells)
    within = [f"AUC (95 % CI) within {'; '.join(cells)}."] if cells else []
    return " ".join([*within, f"Groups too small for an AUC: {small}."] if small else within)


class _Missing(jinja2.ChainableUndefined):
    """A setting that an older run lacks: a template may test it, but printing it is an error."""

    __str__ = jinja2.StrictUndefined.__str__


# Templates of the package, without escaping; printing an unknown name is an error.
LOADER = jinja2.PackageLoader("glioma_idh", "")
ENVIRONMENT = jinja2.Environment(loader=LOADER, undefined=_Missing, keep_trailing_newline=True)
ENVIRONMENT.filters |= {
    "comparison": comparison_cell,
    "count": count,
    "difference_in_words": difference_in_words,
    "estimate": estimate_cell,
    "estimate_in_words": estimate_in_words,
    "first_upper": lambda text: text[:1].upper() + text[1:],
    "groups": _groups,
    "known": known,
    "listed": listed,
    "proportion": proportion_cell,
    "baseline": baseline_name,
    "said": lambda sentences: " ".join(sentence for sentence in sentences if sentence),
}
BY_LINE = ENVIRONMENT.overlay(trim_blocks=True)


def render(template: str, values: dict) -> str:
    """Render a whole template, given by its path in the package, and keep its lines."""
    return BY_LINE.get_template(template).render(values)


def render_block(template: str, topic: str, values: dict, environment=BY_LINE, of_settings: bool = False) -> str:
    """Render one block of a template and keep its lines; by default, lines with statements only leave no empty line.

    A missing name is an error (jinja2.UndefinedError). If `of_settings`, the block describes the settings of a run; it
    is then "" instead, because runs of older versions lack some settings.
    """
    found = environment.get_template(template)
    try:
        return "".join(found.blocks[topic](found.new_context(values)))
    except jinja2.UndefinedError:
        if not of_settings:
            raise
        return ""


def render_topics(template: str, values: dict, of_settings: bool = False) -> dict[str, str]:
    """Render every block of a template on one line each, by name and in order; otherwise as `render_block`."""
    topics = ENVIRONMENT.get_template(template).blocks
    return {
        topic: " ".join(render_block(template, topic, values, ENVIRONMENT, of_settings).split()) for topic in topics
    }
