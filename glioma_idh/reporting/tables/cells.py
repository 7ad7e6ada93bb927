"""Format the numbers of `evaluate` for table cells and sentences, with a confidence interval or the reason for none."""

import math

WIDEST = 10.0  # half-width of the widest interval of a calibration slope or intercept that is printed
TOO_WIDE = "cannot be estimated, because there are too few patients or their scores are too similar"


def known(value) -> bool:
    """Whether a value is a number (JSON turns NaN into None)."""
    return value is not None and not math.isnan(value)


def number_cell(value: float | None) -> str:
    """A number without an interval; "-" if it is not available, such as the AUC of one class."""
    return f"{value:.3f}" if known(value) else "-"


def estimate_cell(estimate: dict, decimals: int = 2, plus: bool = False) -> str:
    """`0.86 (0.79 to 0.92)`; without an interval, the number and the reason; without a number, the reason alone.

    The estimate is an `evaluation.intervals.Estimate` or a `thresholds.Proportion`, as a dict. With `plus`, positive
    numbers have their sign too.
    """
    if not known(estimate["value"]):
        return estimate["reason"]
    spelled = f"{{:{'+' if plus else ''}.{decimals}f}}".format
    value = spelled(round(estimate["value"], decimals) + 0.0)  # without the minus of one that rounds to 0
    if not known(estimate["low"]):
        return f"{value} (interval {estimate['reason']})" if estimate["reason"] else value
    low, high = (spelled(round(estimate[end], decimals) + 0.0) for end in ("low", "high"))
    return f"{value} ({low} to {high})"


def without_wide_interval(estimate: dict) -> dict:
    """A calibration slope or intercept for print, with TOO_WIDE instead of an interval wider than ± WIDEST."""
    low, high = estimate["low"], estimate["high"]
    if known(low) and (high - low) / 2 > WIDEST:
        return estimate | {"low": None, "high": None, "reason": TOO_WIDE}
    return estimate


def slope_cell(estimate: dict) -> str:
    """A calibration slope or intercept as `estimate_cell`, without an interval that is too wide."""
    return estimate_cell(without_wide_interval(estimate))


def estimate_in_words(estimate: dict) -> str:
    """`0.86 (95 % CI 0.79 to 0.92)`, for a sentence; else as `estimate_cell`."""
    return estimate_cell(estimate).replace(" (", " (95 % CI ", int(known(estimate["low"])))


def proportion_cell(proportion: dict) -> str:
    """`0.79 (0.70 to 0.85), 44 of 56`, or the reason why it is not available."""
    counts = f", {proportion['count']} of {proportion['total']}" if proportion["total"] else ""
    return estimate_cell(proportion) + counts


def comparison_cell(comparison: dict, decimals: int = 2) -> str:
    """`+0.03 (-0.02 to +0.08), p = 0.24`, or the reason why it is not available."""
    estimate = comparison | {"value": comparison["difference"]}
    p = f", {p_equals(comparison['p'])}" if known(comparison["p"]) else ""
    return estimate_cell(estimate, decimals, plus=True) + p


def difference_in_words(comparison: dict) -> str:
    """`+0.03, 95 % CI -0.02 to +0.08, Holm-corrected p = 0.24`, for a sentence; interval and p are available."""
    difference, low, high = (f"{comparison[key]:+.2f}" for key in ("difference", "low", "high"))
    return f"{difference}, 95 % CI {low} to {high}, Holm-corrected {p_equals(comparison['p'])}"


def p_equals(p: float) -> str:
    """`p < 0.001` or `p = 0.24`, for a sentence."""
    return f"p {format_p(p)}" if p < 0.001 else f"p = {format_p(p)}"


def format_p(p: float) -> str:
    """A p value as journals print it: `< 0.001`, `0.004`, `0.24`."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.01 else f"{p:.2f}"


def first_few(names: list[str], most: int) -> str:
    """The first `most` names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"
