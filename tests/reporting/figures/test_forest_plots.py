"""Forest plots whose rows are known."""

import pytest

from glioma_idh.reporting.figures.forest_plots import (
    baselines_forest,
    baselines_forest_alt,
    strata_forest,
    strata_forest_alt,
)
from tests.reporting.figures.test_performance import check_letters, words

ALONE = "cannot be computed, because its variance is 0, as that of classes that do not overlap"
ONE_CLASS = "cannot be computed, because there is but one class"
BEFORE = "before surgery, without imaging"
NO_SEX, NO_AGE = (f"cannot be computed, because the cohort has no {name}" for name in ("sex", "age_years"))


def estimate(value=None, low=None, high=None, reason=""):
    """As it comes back from JSON: None where there is no number."""
    return {"value": value, "low": low, "high": high, "reason": reason}


def stratum(variable, name, n, events, auc=None, low=None, high=None, reason=""):
    row = {"variable": variable, "stratum": name, "n": n, "events": events, "auc": auc}
    return row | {"low": low, "high": high, "reason": reason}


OVERALL = estimate(0.86, 0.79, 0.92)
STRATA = [
    stratum("grade", "HGG", 57, 4, reason="cannot be computed, because the stratum is too small: 4 mutant"),
    stratum("grade", "LGG", 64, 52, 0.7, 0.55, 0.84),
    stratum("sex", "not known", 0, 0, reason=NO_SEX),
    stratum("lesion size", "1 to 2 ml", 121, 56, 1.0, reason=ALONE),
]
WORTH = {
    "auc": {"within_splits": OVERALL, "pooled": estimate(0.77, 0.71, 0.82)},
    "baselines": {
        "majority": {
            "stage": BEFORE,
            "auc": estimate(0.5, reason=ALONE),
            "difference": {"difference": 0.36, "low": 0.29, "high": 0.42, "p": 0.0001, "reason": ""},
        },
        "grade": {
            "stage": "after surgery",
            "auc": estimate(0.87, 0.81, 0.93),
            "difference": {"difference": -0.01, "low": -0.09, "high": 0.06, "p": 0.69, "reason": ""},
        },
        "age": {
            "stage": BEFORE,
            "auc": estimate(reason=NO_AGE),
            "difference": {"difference": None, "low": None, "high": None, "p": None, "reason": NO_AGE},
        },
    },
}


def rows_of(figure):
    """The texts of each row from left to right, rows from above."""
    rows = {}
    for text in figure.axes[0].texts:
        rows.setdefault(text.xy[1], []).append(text.get_text().replace("\n", " "))
    return [rows[y] for y in sorted(rows)]


def lines_of(figure):
    """(x, marker, dashes) of all lines."""
    return [(list(line.get_xdata()), line.get_marker(), line.get_linestyle()) for line in figure.axes[0].get_lines()]


def test_rows_of_strata():
    assert rows_of(strata_forest(STRATA, OVERALL)) == [
        ["", "Patients", "IDH-mutant", "AUC (95 % CI)"],
        ["All patients", "121", "56", "0.86 (0.79 to 0.92)"],
        ["Grade"],
        ["   HGG", "57", "4", "too small for an AUC"],
        ["   LGG", "64", "52", "0.70 (0.55 to 0.84)"],
        ["Sex", "", "", NO_SEX],
        ["Lesion size"],
        ["   1 to 2 ml", "121", "56", "1.00 (no interval)"],
    ]


def test_marks_and_bars_of_strata():
    figure = strata_forest(STRATA, OVERALL, synthetic=True)
    assert lines_of(figure) == [
        ([0.5, 0.5], "None", ":"),
        ([0.86, 0.86], "None", "--"),
        ([0.86], "D", "None"),
        ([0.79, 0.92], "None", "-"),
        ([0.7], "o", "None"),
        ([0.55, 0.84], "None", "-"),
        ([1.0], "o", "None"),
    ]
    heights = [text.xy[1] for text in figure.axes[0].texts if "LGG" in text.get_text()]
    assert [line.get_ydata()[0] for line in figure.axes[0].get_lines() if list(line.get_xdata()) == [0.7]] == heights
    assert f"Too small: fewer than 5 patients of a class. No interval: {ALONE}." in words(figure)
    check_letters(figure, synthetic=True)


def test_strata_in_words():
    assert strata_forest_alt(STRATA, OVERALL) == (
        "Forest plot of the AUC within groups of patients. All patients: 0.86 (0.79 to 0.92). grade LGG: 0.70 (0.55 to "
        f"0.84); lesion size 1 to 2 ml: 1.00 (no interval). Groups too small for an AUC: 1. Sex: {NO_SEX}."
    )


def test_of_many_strata_the_lowest_and_the_highest_are_told():
    sites = [stratum("site", f"{number:02}", 20, 10, 0.6 + number / 100, 0.5, 0.9) for number in range(40)]
    told = "Lowest and highest of 40 groups: site 00: 0.60 (0.50 to 0.90); site 39: 0.99 (0.50 to 0.90)."
    assert strata_forest_alt(sites, OVERALL).endswith(told)
    check_letters(strata_forest(sites, OVERALL))


@pytest.mark.parametrize("name", ["02", "UNIVERSITY HOSPITAL OF A TOWN WITH A VERY LONG NAME, DEPARTMENT 2", "x" * 100])
def test_one_stratum_with_any_name(name):
    for overall in (estimate(reason=ONE_CLASS), estimate(0.0, 0.0, 1.0)):
        check_letters(strata_forest([stratum("site", name, 12345, 1234, 0.0, 0.0, 0.1)], overall))


def test_rows_of_baselines():
    figure = baselines_forest(WORTH, synthetic=True)
    assert rows_of(figure) == [
        ["", "AUC (95 % CI)", "Network minus baseline (95 % CI), p (Holm)"],
        ["Network", "0.86 (0.79 to 0.92)"],
        [f"Majority class {BEFORE}", "0.50 (no interval)", "+0.36 (+0.29 to +0.42), p < 0.001"],
        ["Grade after surgery", "0.87 (0.81 to 0.93)", "-0.01 (-0.09 to +0.06), p = 0.69"],
        [f"Age {BEFORE}", NO_AGE],
    ]
    assert ([0.86, 0.86], "None", "--") in lines_of(figure) and ([0.81, 0.93], "None", "-") in lines_of(figure)
    assert ([0.5], "o", "None") in lines_of(figure) and f"No interval: {ALONE}." in words(figure)
    check_letters(figure, synthetic=True)


def test_baselines_in_words():
    assert baselines_forest_alt(WORTH) == (
        "Forest plot of AUCs. Network: 0.86 (0.79 to 0.92). Majority class: 0.50 (no interval); network minus baseline "
        "+0.36 (+0.29 "
        "to +0.42), p < 0.001. Grade: 0.87 (0.81 to 0.93); network minus baseline -0.01 (-0.09 to +0.06), p = 0.69. "
        f"Age: {NO_AGE}."
    )


def test_baselines_of_one_class_or_with_long_names():
    none = {"difference": 0.1, "low": None, "high": None, "p": None, "reason": ALONE}
    names = ["grade + age + lesion volume + the surgeon's guess", "A" * 60]
    baselines = {name: {"stage": BEFORE, "auc": estimate(0.02, 0.0, 0.2), "difference": none} for name in names}
    network = estimate(reason=ONE_CLASS)
    check_letters(baselines_forest({"auc": {"within_splits": network}, "baselines": baselines}))
    check_letters(baselines_forest({"auc": {"within_splits": network}, "baselines": {}}))


def test_a_stratum_is_too_small_by_its_rarer_class():
    strata = [
        stratum("sex", "F", 10, 5, 0.6, 0.4, 0.8),  # five of each are enough
        stratum("sex", "M", 30, 26, reason="cannot be computed, because the stratum is too small: 4 wild-type"),
    ]
    rows = {row[0].strip(): row[1:] for row in rows_of(strata_forest(strata, OVERALL)) if len(row) > 1}
    assert rows["F"] == ["10", "5", "0.60 (0.40 to 0.80)"] and rows["M"] == ["30", "26", "too small for an AUC"]
    assert rows["All patients"][:2] == ["40", "31"] and "Groups too small for an AUC: 1." in strata_forest_alt(
        strata, OVERALL
    )
