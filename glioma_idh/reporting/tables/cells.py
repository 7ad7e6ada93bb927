"""Numbers of `evaluate` as cells of a table: with their interval, or with the reason why there is none."""

import math


def known(value) -> bool:
    """Whether there is a number; JSON makes None of NaN."""
    return value is not None and not math.isnan(value)


def number_cell(value: float | None) -> str:
    """A number without an interval; "-" where there is none, as the AUC of one class."""
    return f"{value:.3f}" if known(value) else "-"


def estimate_cell(estimate: dict, decimals: int = 2, plus: bool = False) -> str:
    """`0.86 (0.79 to 0.92)`; without interval the number and why, or the reason alone.

    Of `evaluation.intervals.Estimate` or a `thresholds.Proportion`; with `plus` numbers above 0 have their sign too.
    """
    if not known(estimate["value"]):
        return estimate["reason"]
    spelled = f"{{:{'+' if plus else ''}.{decimals}f}}".format
    value = spelled(round(estimate["value"], decimals) + 0.0)  # without the minus of one that rounds to 0
    if not known(estimate["low"]):
        return f"{value} (interval {estimate['reason']})" if estimate["reason"] else value
    low, high = (spelled(round(estimate[end], decimals) + 0.0) for end in ("low", "high"))
    return f"{value} ({low} to {high})"


def proportion_cell(proportion: dict) -> str:
    """`0.79 (0.70 to 0.85), 44 of 56`, or the reason."""
    counts = f", {proportion['count']} of {proportion['total']}" if proportion["total"] else ""
    return estimate_cell(proportion) + counts


def comparison_cell(comparison: dict, decimals: int = 2) -> str:
    """`+0.03 (-0.02 to +0.08), p 0.24`, or the reason."""
    estimate = comparison | {"value": comparison["difference"]}
    p = f", p {format_p(comparison['p'])}" if known(comparison["p"]) else ""
    return estimate_cell(estimate, decimals, plus=True) + p


def format_p(p: float) -> str:
    """A p value as journals print it."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.01 else f"{p:.2f}"


def first_few(names: list[str], most: int) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"
