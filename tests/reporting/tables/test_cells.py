"""Numbers as they stand in a table's cell."""

import numpy as np
import pytest

from glioma_idh.reporting.tables.cells import comparison_cell, estimate_cell, format_p, known, proportion_cell

WHY = "cannot be computed, because nobody came"


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0009999, "< 0.001"), (0.001, "0.001"), (0.0094, "0.009"), (0.01, "0.01"), (0.046, "0.05"), (1.0, "1.00")],
)
def test_p_as_journals_print_it(p, text):
    assert format_p(p) == text


def test_what_is_known():
    assert known(0.0) and known(-1) and not known(None) and not known(np.nan)


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        ((0.861, 0.786, 0.924, ""), "0.86 (0.79 to 0.92)"),
        ((-0.001, -0.2, 0.1, ""), "0.00 (-0.20 to 0.10)"),
        ((0.86, np.nan, np.nan, WHY), f"0.86 (interval {WHY})"),
        ((0.86, None, None, ""), "0.86"),
        ((np.nan, np.nan, np.nan, WHY), WHY),
        ((None, None, None, WHY), WHY),
    ],
)
def test_an_estimate_with_its_interval_or_the_reason(estimate, text):
    assert estimate_cell(dict(zip(("value", "low", "high", "reason"), estimate, strict=True))) == text


def test_decimals_and_signs():
    estimate = {"value": 0.8614, "low": -0.2, "high": 0.9, "reason": ""}
    assert estimate_cell(estimate, 3) == "0.861 (-0.200 to 0.900)"
    assert estimate_cell(estimate, 1, plus=True) == "+0.9 (-0.2 to +0.9)"


def test_a_proportion_with_its_counts():
    proportion = {"value": 0.7857, "low": 0.701, "high": 0.854, "count": 44, "total": 56, "reason": ""}
    assert proportion_cell(proportion) == "0.79 (0.70 to 0.85), 44 of 56"
    nobody = {"value": np.nan, "low": np.nan, "high": np.nan, "count": 0, "total": 0, "reason": WHY}
    assert proportion_cell(nobody) == WHY


def test_a_difference_with_its_p():
    comparison = {"difference": 0.03, "low": -0.021, "high": 0.08, "p": 0.24, "reason": ""}
    assert comparison_cell(comparison) == "+0.03 (-0.02 to +0.08), p = 0.24"
    assert comparison_cell(comparison | {"p": 0.0001}, 3) == "+0.030 (-0.021 to +0.080), p < 0.001"
    same = {"difference": 0.0, "low": np.nan, "high": np.nan, "p": np.nan, "reason": WHY}
    assert comparison_cell(same) == f"+0.00 (interval {WHY})"
