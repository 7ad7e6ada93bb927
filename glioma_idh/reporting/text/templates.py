"""Prose out of Jinja templates, in which each block is a topic."""

import jinja2

from glioma_idh.reporting.tables.cells import comparison_cell, estimate_cell, known, proportion_cell
from glioma_idh.reporting.text.words import count, listed

TEXTS = "reporting/text/templates"


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


def render_block(template: str, topic: str, values: dict, environment: jinja2.Environment | None = None) -> str:
    """One block as it stands, line by line; by default a line of statements alone leaves no empty line.

    "" for a block that prints a value that is missing, as a setting of an older run may be.
    """
    found = (environment or BY_LINE).get_template(template)
    try:
        return "".join(found.blocks[topic](found.new_context(values)))
    except jinja2.UndefinedError:
        return ""


def render_topics(template: str, values: dict) -> dict[str, str]:
    """Every block of a template, by its name and in its order, as a text in one line; "" as of `render_block`."""
    topics = ENVIRONMENT.get_template(template).blocks
    return {topic: " ".join(render_block(template, topic, values, ENVIRONMENT).split()) for topic in topics}
