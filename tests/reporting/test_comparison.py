"""Several networks on the same folds, against numbers worked out by hand."""

import re

import numpy as np
import pandas as pd
import pytest

from glioma_idh import runs
from glioma_idh.errors import InputError
from glioma_idh.evaluation.comparisons import Comparison, compare_auc
from glioma_idh.files import write_table
from glioma_idh.reporting.comparison import (
    compare_networks,
    comparison_table,
    comparison_text,
    mean_baselines,
    notes,
    order_holds,
    order_text,
    read_networks,
    summarise_networks,
    write_comparison_table,
)
from glioma_idh.reporting.printed import SGPNET

SUBJECTS = [f"s{number:02}" for number in range(20)]
TRUTH = np.arange(20) % 2


def write_run(folder, scores, dice=None, folds=2, truth=TRUTH, grade="LGG"):
    """A finished run of 20 patients, tested in turn in its folds."""
    tested = pd.DataFrame({"subject": SUBJECTS, "repeat": 0, "fold": np.arange(20) // (20 // folds)})
    parts = [tested.assign(fold=fold, part=np.where(tested["fold"] == fold, "test", "train")) for fold in range(folds)]
    write_table(pd.concat(parts), folder / "splits.csv")
    cohort = pd.DataFrame({"subject": SUBJECTS, "patient": SUBJECTS, "cohort": "c", "idh": truth, "grade": grade})
    write_table(cohort.assign(prepared=[f"cache/{name}" for name in SUBJECTS]), folder / "cohort.csv")
    predictions = tested.assign(patient=SUBJECTS, cohort="c", truth=truth, score=scores, dice=dice)
    write_table(predictions, folder / "predictions.csv")
    return folder


RNG = np.random.default_rng(0)
GOOD, BAD = 0.35 + 0.3 * TRUTH + RNG.normal(0, 0.4, (2, 20)), RNG.random((2, 20))


@pytest.fixture
def folders(tmp_path):
    """Two networks for the genotype and one for the lesion, two seeds of each."""
    return {
        "good": [write_run(tmp_path / f"good_{seed}", GOOD[seed], dice=0.9 + 0.002 * np.arange(20)) for seed in (0, 1)],
        "bad": [write_run(tmp_path / f"bad_{seed}", BAD[seed]) for seed in (0, 1)],
        "lesion": [write_run(tmp_path / f"lesion_{seed}", np.nan, dice=0.8 + 0.001 * np.arange(20)) for seed in (0, 1)],
    }


def test_a_patient_s_score_is_the_mean_over_the_seeds(folders):
    networks = read_networks(folders)
    assert sorted(networks["good"]["repeat"].unique()) == [0, 1]
    numbers = summarise_networks(networks, folders, SGPNET)
    higher = np.subtract.outer(GOOD.mean(axis=0)[TRUTH == 1], GOOD.mean(axis=0)[TRUTH == 0]) > 0
    assert numbers["good"]["pooled"]["auc"] == pytest.approx(higher.mean())
    assert len(numbers["good"]["per_split"]) == 4 and numbers["lesion"]["pooled"]["dice"] == pytest.approx(0.8095)
    each = [np.mean(np.subtract.outer(seed[TRUTH == 1], seed[TRUTH == 0]) > 0) for seed in BAD]
    assert numbers["bad"]["by_seed"]["auc"] == pytest.approx(each)


def test_differences_are_the_other_s_less_the_model_s_and_p_is_holm_s(folders, tmp_path):
    folders["worse"] = [write_run(tmp_path / f"worse_{seed}", 1 - GOOD[seed]) for seed in (0, 1)]
    networks = read_networks(folders)
    comparisons = compare_networks(networks, "good")
    assert set(comparisons["auc"]) == {"bad", "worse"} and set(comparisons["dice"]) == {"lesion"}
    assert comparisons["dice"]["lesion"].difference == pytest.approx(-0.1095)
    plain = {name: compare_auc(networks[name], networks["good"]).p for name in ("bad", "worse")}
    (low, smaller), (high, larger) = sorted((p, name) for name, p in plain.items())
    assert comparisons["auc"][smaller].p == pytest.approx(2 * low)
    assert comparisons["auc"][larger].p == pytest.approx(max(high, 2 * low))


def test_the_table_says_all_and_goes_to_three_files(folders, tmp_path):
    networks = read_networks(folders)
    numbers, comparisons = summarise_networks(networks, folders, SGPNET), compare_networks(networks, "good")
    table = comparison_table(numbers, comparisons, "good", {"good": {"auc": (0.949, None)}}, SGPNET, {})
    assert table.loc[("good", "paper"), "AUC"] == "0.949"
    assert [row for row in table.index if row[1] == "always wild-type"] == [("baseline", "always wild-type")]
    row = ("bad", "ours, pooled over 20 patients")
    found = re.fullmatch(r"([-+][.\d]+) \(([-+][.\d]+) to ([-+][.\d]+)\)", table.loc[row, "AUC less good's"])
    expected = comparisons["auc"]["bad"]
    assert [float(part) for part in found.groups()] == pytest.approx(expected[:3], abs=6e-4)
    write_comparison_table(table, tmp_path, "table9", "95 % of it, p < 0.001")
    flat = runs.read_table(tmp_path / "table9.csv")
    assert flat["network"].value_counts()["good"] == 3 and (flat["DSC"] == "0.810").sum() == 1
    latex, markdown = (tmp_path / "table9.tex").read_text(), (tmp_path / "table9.md").read_text()
    assert "95 \\% of it, p $<$ 0.001" in latex and "$\\pm$" in latex and "±" not in latex
    assert "| good " in markdown and "95 % of it" in markdown
    text = comparison_text(table, numbers, {})
    assert "Grade alone: cannot be computed, because" in text and "AUC of each seed: good " in text


def numbers(**pooled):
    return {name: {"pooled": {"auc": seeds[0]}, "by_seed": {"auc": seeds}} for name, seeds in pooled.items()}


@pytest.mark.parametrize(
    ("comparison", "verdict"),
    [
        (Comparison(-0.1, -0.15, -0.05, 0.0001), "p < 0.001; higher in 2 of 3 seeds: above."),
        (
            Comparison(-0.1, -0.25, 0.05, 0.2),
            "(-0.050 to +0.250), p 0.20; higher in 2 of 3 seeds: not told apart.",
        ),
        (Comparison(-0.1, -0.15, -0.05, 0.06), "p 0.06; higher in 2 of 3 seeds: not told apart."),
        (Comparison(0.1, 0.05, 0.15, 0.004), "(-0.150 to -0.050), p 0.004; higher in 2 of 3 seeds: below."),
        (
            Comparison(-0.1, np.nan, np.nan, np.nan, "cannot be computed, because ..."),
            "luck cannot be computed, because ...",
        ),
    ],
)
def test_an_order_is_told_with_its_certainty(comparison, verdict):
    text = order_text(numbers(model=[0.9, 0.8, 0.7], other=[0.8, 0.9, 0.6]), {"other": comparison}, "model")
    assert text.startswith("model against other: AUC 0.900 against 0.800; ") and text.endswith(verdict)


@pytest.mark.parametrize(
    ("highs", "words"),
    [
        ((-0.01, -0.02), "holds here"),
        ((-0.01, 0.02), "is not seen here, in part"),
        ((0.02, 0.02), "is not seen here:"),
        ((-0.01, 0.2), "does not hold here"),
    ],
)
def test_whether_a_paper_s_order_is_seen(highs, words):
    pairs = {str(n): Comparison(high - 0.05, high - 0.1, high, 0.01) for n, high in enumerate(highs)}
    assert words in order_holds(pairs)


def test_a_missing_fold_is_an_error(folders):
    predictions = runs.read_table(folders["bad"][1] / "predictions.csv")
    write_table(predictions[predictions["fold"] == 0], folders["bad"][1] / "predictions.csv")
    with pytest.raises(InputError, match="bad_1: expected a prediction for every test of a run; found none for 10 of"):
        read_networks(folders)


def test_other_folds_are_an_error(folders):
    write_run(folders["bad"][1], BAD[1], folds=4)
    with pytest.raises(InputError, match="bad_1: expected the tests of good_1; found s05 in fold 1 of good_1 alone"):
        read_networks(folders)


@pytest.mark.parametrize(
    ("column", "value", "noun"),
    [("idh", 1, "labels"), ("prepared", "cache/x", "scans"), ("patient", "x", "patients")],
)
def test_other_patients_labels_or_scans_are_errors(folders, column, value, noun):
    cohort = runs.read_table(folders["bad"][0] / "cohort.csv")
    cohort.loc[4, column] = value
    write_table(cohort, folders["bad"][0] / "cohort.csv")
    with pytest.raises(InputError, match=f"expected the {noun} of good_0; found others for 1, such as s04"):
        read_networks(folders)


def test_other_patients_in_another_seed_are_an_error(folders):
    for name in ("splits", "cohort", "predictions"):
        for network in ("good", "bad", "lesion"):
            table = runs.read_table(folders[network][1] / f"{name}.csv").replace({"s07": "t07"})
            write_table(table, folders[network][1] / f"{name}.csv")
    with pytest.raises(InputError, match="good_1: expected the subjects of good_0; found 2 others, such as s07 of"):
        read_networks(folders)


def test_a_network_that_came_to_nothing_in_a_fold_is_an_error(folders):
    predictions = runs.read_table(folders["bad"][1] / "predictions.csv")
    predictions.loc[12, "score"] = np.nan
    write_table(predictions, folders["bad"][1] / "predictions.csv")
    with pytest.raises(InputError, match="bad_1: expected a score of every subject tested; found none for s12"):
        read_networks(folders)


def test_who_learns_from_more_subjects_than_others_is_said_to(folders):
    for folder in folders["good"]:
        cohort = runs.read_table(folder / "cohort.csv")
        more = cohort.head(3).assign(subject=["u1", "u2", "u3"], patient=["u1", "u2", "u3"], idh=np.nan)
        write_table(pd.concat([cohort, more]), folder / "cohort.csv")
    summary = summarise_networks(read_networks(folders), folders, SGPNET)
    assert "Not all learn from the same: good from 3 subjects without a label too." in notes(summary, {})


def test_phantoms_are_marked_in_every_file(folders, tmp_path):
    for of_seeds in folders.values():
        for folder in of_seeds:
            write_table(pd.DataFrame({"subject": SUBJECTS, "score": TRUTH}), folder / "planted.csv")
    networks = read_networks(folders)
    summary, comparisons = summarise_networks(networks, folders, SGPNET), compare_networks(networks, "good")
    table = comparison_table(summary, comparisons, "good", {}, SGPNET, {})
    write_comparison_table(table, tmp_path, "table9", " ".join(notes(summary, {})), synthetic=True)
    for ending in ("csv", "md", "tex"):
        assert "Synthetic phantom cohort: no clinical result" in (tmp_path / f"table9.{ending}").read_text()


def test_answers_without_a_network_are_means_over_the_seeds():
    of_seeds = [{"grade alone": {"auc": 0.8, "ppv": None}}, {"grade alone": {"auc": 0.9, "ppv": 0.5}}]
    assert mean_baselines(of_seeds) == {"grade alone": {"auc": pytest.approx(0.85), "ppv": 0.5}}


def test_the_cache_may_lie_elsewhere(folders):
    cohort = runs.read_table(folders["bad"][0] / "cohort.csv")
    write_table(
        cohort.assign(prepared=cohort["prepared"].str.replace("cache", "/other")), folders["bad"][0] / "cohort.csv"
    )
    assert len(read_networks(folders)) == 3


def test_too_few_patients_for_a_test_are_said_to_be(tmp_path):
    truth = np.array([1] + [0] * 19)
    folders = {
        name: [write_run(tmp_path / name, scores, truth=truth)] for name, scores in (("a", GOOD[0]), ("b", BAD[0]))
    }
    networks = read_networks(folders)
    summary, comparisons = summarise_networks(networks, folders, SGPNET), compare_networks(networks, "a")
    table = comparison_table(summary, comparisons, "a", {}, SGPNET, {})
    cell = table.loc[("b", "ours, pooled over 20 patients"), "AUC less a's"]
    assert cell == "cannot be computed, because a class has fewer than 2 patients"
    assert "cannot be computed, because a class" in order_text(summary, comparisons["auc"], "a")
