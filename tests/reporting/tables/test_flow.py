"""Everybody found is used or excluded for a reason, and everybody used is tested, never tested or unlabelled."""

import numpy as np
import pandas as pd
import pytest

from glioma_idh.cohorts.table import EXCLUSION_COLUMNS, UNLABELLED
from glioma_idh.errors import InputError
from glioma_idh.reporting.tables.subjects import exclusions_sheet, flow_counts, reasons

COHORT = pd.DataFrame({"subject": list("abcdef"), "idh": [1, 0, 0, 1, 0, np.nan]})
SPLITS = pd.DataFrame({"subject": list("abcdef"), "repeat": 0, "split": 0, "part": ["test"] * 3 + ["train"] * 3})
PREDICTIONS = pd.DataFrame({"subject": list("abcab"), "repeat": [0, 0, 0, 1, 1]})
EXCLUSIONS = pd.DataFrame(
    [
        ("g", "x", "a scan in column t1", "none", "Add it."),
        ("h", "x", "IDH status", UNLABELLED, "Predict it."),
        ("i", "x", "a scan in column t1", "none", "Add it."),
        ("i", "x", "a lesion", "an empty mask", "Check the mask."),
        ("j", "x", "scans of its own", "the files of a", "Correct it."),
        ("k", "x", "scans of its own", "the files of b", "Correct it."),
        ("l", "x", "a lesion", "an empty mask", "Check the mask."),
        ("m", "x", "a NIfTI file", "no file", "Check the path."),
    ],
    columns=EXCLUSION_COLUMNS,
)
NOBODY = EXCLUSIONS[:0]


def test_counts_by_hand():
    counts = flow_counts(COHORT, EXCLUSIONS, SPLITS, PREDICTIONS)
    excluded = counts.pop("excluded")
    assert excluded == {
        "no scan in column t1": 2,
        "expected scans of its own": 2,
        "IDH status unknown": 1,
        "expected a lesion; found an empty mask": 1,
        "no NIfTI file": 1,
    }
    assert list(excluded.values()) == [2, 2, 1, 1, 1]
    assert counts == {
        "found": 13,
        "used": 6,
        "mutant": 2,
        "wild_type": 3,
        "unlabelled": 1,
        "tested": 3,
        "never_tested": 2,
    }


def test_nobody_set_aside_and_no_splits():
    counts = flow_counts(COHORT, NOBODY, None, PREDICTIONS)
    assert counts["found"] == counts["used"] == 6 and counts["excluded"] == {}
    assert list(exclusions_sheet(NOBODY).columns) == ["reason", "number", "subjects", "what to do"]
    assert exclusions_sheet(NOBODY).empty and reasons(NOBODY).empty


def test_a_test_without_a_prediction_is_an_error():
    with pytest.raises(InputError, match="a prediction for every tested subject; found none for c"):
        flow_counts(COHORT, NOBODY, SPLITS, PREDICTIONS[PREDICTIONS["subject"] != "c"])


def test_the_sheet_names_the_first_subjects_of_each_reason_the_most_frequent_first():
    sheet = exclusions_sheet(EXCLUSIONS)
    assert sheet["number"].tolist() == ["2", "2", "1", "1", "1"]
    row = sheet.set_index("reason").loc["no scan in column t1"]
    assert row.tolist() == ["2", "g, i", "Add it."]
    many = pd.DataFrame({"subject": [f"s{n:02}" for n in range(15)], "expected": "a mask", "found": "none"})
    sheet = exclusions_sheet(many.assign(advice="Draw one."))
    assert sheet["subjects"].tolist() == ["s00, s01, s02, s03, s04, s05, s06, s07, s08, s09, s10, s11 and 3 more"]
