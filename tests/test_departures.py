"""Who is unlike the subjects that a run learnt from is named; who is like them is not."""

import numpy as np
import pandas as pd
import pytest

from glioma_idh.departures import Group, Measure, find_departures, log_odds
from glioma_idh.runs import MEASURES as FILE

ALONE = (Measure("ml", "lesion volume of {} ml", np.log), Measure("auc", "contrast of {}", log_odds))
PAIR = Group(("a", "b"), "a and b are unlike those of {n}.")


def write_run(folder, num_subjects=60):
    """Volumes around 50 ml on a logarithmic scale; `a` and `b` correlated at 0.99."""
    draw = np.random.default_rng(4)
    a = draw.normal(0, 1, num_subjects)
    table = {"ml": 50 * np.exp(draw.normal(0, 0.5, num_subjects)), "auc": draw.uniform(0.6, 0.9, num_subjects)}
    table |= {"a": a, "b": 0.99 * a + np.sqrt(1 - 0.99**2) * draw.normal(0, 1, num_subjects)}
    run = pd.DataFrame({"subject": [f"s{number:02}" for number in range(num_subjects)]} | table)
    run.to_csv(folder / FILE, index=False)
    return run


def of_one(folder, **changed):
    row = pd.DataFrame([{"subject": "x", "ml": 50.0, "auc": 0.75, "a": 0.0, "b": 0.0} | changed])
    return find_departures(row, folder / FILE, ALONE, PAIR).get("x", [])


def test_one_measure_beyond_all_and_rare_is_said_with_the_run_s_range(tmp_path):
    run = write_run(tmp_path)
    low, high = run["ml"].min(), run["ml"].max()
    assert of_one(tmp_path) == []
    assert of_one(tmp_path, ml=1246.2) == [
        f"Unusual lesion volume of 1246 ml; range in the training cohort {low:.2g} to {high:.0f} (60 subjects)."
    ]
    assert len(of_one(tmp_path, ml=1.0)) == 1
    assert of_one(tmp_path, ml=1.2 * high) == []  # beyond all, and still no rarity
    assert len(of_one(tmp_path, auc=0.02)) == 1
    assert of_one(tmp_path, ml=float("nan"), auc=float("nan")) == []


def test_a_value_within_those_of_the_run_is_never_called_unlike_them(tmp_path):
    run = write_run(tmp_path)
    run.loc[0, "ml"] = 5000.0
    run.to_csv(tmp_path / FILE, index=False)
    assert of_one(tmp_path, ml=4999.0) == []


def test_measures_that_do_not_go_together_are_said_although_each_alone_is_usual(tmp_path):
    write_run(tmp_path)
    assert of_one(tmp_path, a=1.0, b=1.0) == []
    assert of_one(tmp_path, a=1.0, b=-1.0) == ["a and b are unlike those of 60."]
    assert of_one(tmp_path, a=1.0, b=float("nan")) == []


def test_further_subjects_such_as_the_run_s_are_seldom_named(tmp_path):
    whole = write_run(tmp_path, 2060)
    whole[:60].to_csv(tmp_path / FILE, index=False)
    named = find_departures(whole[60:], tmp_path / FILE, (ALONE[0],), PAIR)
    shares = [sum(any(word in s for s in said) for said in named.values()) / 2000 for word in ("ml", "unlike")]
    assert max(shares) <= 0.004  # 1 of 1,000 is meant; the estimates of 60 subjects vary


def test_of_few_subjects_or_an_older_run_nothing_is_said(tmp_path):
    assert of_one(tmp_path, ml=1e6) == []
    write_run(tmp_path, 7)
    assert of_one(tmp_path, ml=1e6) == []
    write_run(tmp_path, 8)
    assert len(of_one(tmp_path, ml=1e6)) == 1
    for num_subjects, is_said in ((5, False), (6, True)):
        write_run(tmp_path, num_subjects)
        assert bool(of_one(tmp_path, a=9.0, b=-9.0)) == is_said


def test_an_image_of_the_run_itself_is_told_under_any_name(tmp_path):
    run = write_run(tmp_path)
    twin = run.iloc[7].drop("subject").to_dict()
    expected = [
        "All image measures equal those of s07 in the training cohort. "
        "If it is the same image, its score is not a test result."
    ]
    assert of_one(tmp_path, **twin) == expected
    assert of_one(tmp_path, **twin | {"auc": float("nan")}) == expected
    assert of_one(tmp_path, **twin | {"auc": twin["auc"] + 0.001}) == []
    assert of_one(tmp_path, **dict.fromkeys(twin, float("nan"))) == []


@pytest.mark.parametrize(("share", "expected"), [(0.5, 0.0), (0.0, -4.595), (1.0, 4.595), (0.75, 1.0986)])
def test_log_odds(share, expected):
    assert log_odds(np.array(share)) == pytest.approx(expected, abs=1e-3)
