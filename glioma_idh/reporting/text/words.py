"""Words and settings in print, and entries of `evaluation.worth.worth` as far as they are there."""

from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.table import SEQUENCE_NAMES


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


def entry(worth: dict, name: str):
    """An entry of `worth`; {} where it is missing, or but a reason why it is not available."""
    found = worth.get(name) or {}
    return {} if isinstance(found, dict) and set(found) == {"reason"} else found
