"""Several networks on the same folds, against numbers worked out by hand."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from glioma_idh import runs
from glioma_idh.errors import InputError
from glioma_idh.evaluation.comparisons import Comparison, compare_auc
from glioma_idh.files import write_json, write_table
from glioma_idh.papers import find_paper
from glioma_idh.reporting import comparing
from glioma_idh.reporting.comparing import check_same_splits, together_as_one
from glioma_idh.reporting.report import mean_baselines, numbers_of
from glioma_idh.reporting.tables.cells import format_p
from glioma_idh.reporting.tables.comparison import (
    SCORES,
    comparison_table,
    notes,
    order_holds,
    order_text,
    write_comparison_table,
)
from glioma_idh.runs.run import Run

SGPNET = find_paper({"paper": "sgp3d"}).printed

SUBJECTS = [f"s{number:02}" for number in range(20)]
TRUTH = np.arange(20) % 2


def read_networks(folders):
    """The networks in these folders, of each the seeds as one run."""
    networks = {name: [Run(folder) for folder in of_seeds] for name, of_seeds in folders.items()}
    check_same_splits(networks)
    return {name: replace(together_as_one(of_seeds), name=name) for name, of_seeds in networks.items()}


def summarise_networks(networks):
    return {name: numbers_of(run) for name, run in networks.items()}


def compare_networks(networks, model):
    """As in the table: by score and name, the other less the model."""
    tests = comparing.paired_tests(networks.values(), SCORES, model)
    return {score: {name: pair for (name, _), pair in pairs.items()} for score, pairs in tests.items()}


def write_run(folder, scores, dice=None, folds=2, truth=TRUTH, grade="LGG"):
    """A finished run of 20 patients, tested in turn in its folds; its name ends in its seed."""
    seed = folder.name.rpartition("_")[2]
    write_json({"format": runs.FORMAT, "recipe": {"paper": "sgp3d", "seed": seed}}, folder / "recipe.json")
    write_table(pd.DataFrame(columns=["subject", "expected", "found"]), folder / "exclusions.csv")
    tested = pd.DataFrame({"subject": SUBJECTS, "repeat": 1, "split": 1 + np.arange(20) // (20 // folds)})
    numbers = range(1, folds + 1)
    parts = [tested.assign(split=n, part=np.where(tested["split"] == n, "test", "train")) for n in numbers]
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


def within_two_folds(scores):
    """The share of the 50 pairs inside the folds, 5 mutant and 5 wild-type patients each, that are in order."""
    halves = ((scores[part], TRUTH[part]) for part in (slice(0, 10), slice(10, 20)))
    won = [np.subtract.outer(half[truth == 1], half[truth == 0]) > 0 for half, truth in halves]
    return np.sum(won) / 50


def test_a_patient_s_score_is_the_mean_over_the_seeds(folders):
    networks = read_networks(folders)
    assert sorted(networks["good"].predictions["repeat"].unique()) == [1, 2]
    numbers = summarise_networks(networks)
    mean = GOOD.mean(axis=0)
    higher = np.subtract.outer(mean[TRUTH == 1], mean[TRUTH == 0]) > 0
    assert numbers["good"]["pooled"]["auc"] == pytest.approx(higher.mean())
    assert numbers["good"]["within_splits"]["auc"] == within_two_folds(mean) != pytest.approx(higher.mean(), abs=0.01)
    assert numbers["good"]["within_splits"]["num_pairs"] == 50 and numbers["lesion"]["within_splits"] == {}
    assert len(numbers["good"]["per_split"]) == 4 and numbers["lesion"]["pooled"]["dice"] == pytest.approx(0.8095)
    assert numbers["bad"]["by_seed"]["auc"] == pytest.approx([within_two_folds(seed) for seed in BAD])
    assert numbers["bad"]["by_seed"]["dice"] == [None, None] and numbers["bad"]["num_unlabelled"] == 0
    assert numbers["lesion"]["by_seed"]["dice"] == pytest.approx([0.8095] * 2)
    lines = notes(numbers, {"grade alone": {"auc": 0.5}})
    assert f"good {', '.join(f'{value:.3f}' for value in numbers['good']['by_seed']['auc'])}; bad" in lines[-2]
    assert lines[-1] == "DSC per seed: good 0.919, 0.919; lesion 0.810, 0.810."
    assert not any("Grade alone" in line for line in lines)


def test_seeds_of_several_repeats_count_on(tmp_path):
    run = write_run(tmp_path / "run", GOOD[0])
    for name in ("predictions", "splits"):
        table = runs.read_table(run / f"{name}.csv")
        write_table(pd.concat([table, table.assign(repeat=2)]), run / f"{name}.csv")
    seeds = [replace(Run(run), recipe={"recipe": {"seed": seed}}) for seed in range(3)]
    table = together_as_one(seeds).predictions
    assert sorted(table["repeat"].unique()) == [1, 2, 3, 4, 5, 6] and (table.groupby("repeat").size() == 20).all()


def test_a_network_of_one_seed_is_no_list_of_seeds(tmp_path):
    networks = {"one": [write_run(tmp_path / "one", GOOD[0], dice=0.5)]}
    summary = summarise_networks(read_networks(networks))
    assert not any("of each seed" in line for line in notes(summary, {}))


@pytest.mark.integration
def test_differences_are_the_other_s_less_the_model_s_and_p_is_holm_s(folders, tmp_path):
    folders["worse"] = [write_run(tmp_path / f"worse_{seed}", np.roll(BAD[seed], 2)) for seed in (0, 1)]
    networks = read_networks(folders)
    comparisons = compare_networks(networks, "good")
    assert set(comparisons["auc"]) == {"bad", "worse"} and set(comparisons["dice"]) == {"lesion"}
    assert comparisons["dice"]["lesion"].difference == pytest.approx(-0.1095)
    plain = {name: compare_auc(networks[name].predictions, networks["good"].predictions).p for name in ("bad", "worse")}
    (low, smaller), (high, larger) = sorted((p, name) for name, p in plain.items())
    assert 0.005 < low < high < 2 * high < 0.05  # so that twice of one is seen
    assert comparisons["auc"][smaller].p == pytest.approx(2 * low)
    assert comparisons["auc"][larger].p == pytest.approx(max(high, 2 * low))


def network(name, **scores):
    """A network of one test."""
    table = pd.DataFrame({"name": [name], **scores})
    return Run(None, name, {}, table, table, table, table)


def test_p_is_holm_s_within_a_score_and_a_verdict_that_hangs_on_it_falls(monkeypatch):
    """By hand: AUC 0.02 x 3, 0.03 x 2 and 0.04, each not below the one before; Dice 0.04 x 2 and 0.3."""
    p_of = {"auc": {"a": 0.04, "b": 0.02, "c": 0.03}, "dice": {"a": 0.3, "b": 0.04}}

    def told(score):
        def compare(other, model):
            assert model["name"].iloc[0] == "model"
            return Comparison(-0.1, -0.15, -0.05, p_of[score][other["name"].iloc[0]])

        return compare

    for score in SCORES:
        monkeypatch.setitem(comparing.TESTS, score, told(score))
    networks = {name: network(name, score=0.5, dice=0.5 if name != "c" else np.nan) for name in ("model", *"abc")}
    found = compare_networks(networks, "model")
    corrected = {score: {name: pair.p for name, pair in pairs.items()} for score, pairs in found.items()}
    assert corrected["auc"] == pytest.approx({"a": 0.06, "b": 0.06, "c": 0.06})
    assert corrected["dice"] == pytest.approx({"a": 0.3, "b": 0.08})
    assert all(pair[:3] == (-0.1, -0.15, -0.05) for pairs in found.values() for pair in pairs.values())
    assert "is neither confirmed nor refuted:" in order_holds(found["auc"])
    plain = {name: pair._replace(p=p_of["auc"][name]) for name, pair in found["auc"].items()}
    assert order_holds(plain) == "The order of the networks in the paper is confirmed."


def test_without_the_model_s_score_nothing_is_compared():
    networks = {"model": network("model", score=np.nan, dice=np.nan), "other": network("other", score=0.5, dice=np.nan)}
    assert compare_networks(networks, "model") == {"auc": {}, "dice": {}}


@pytest.mark.integration
def test_the_table_says_all_and_goes_to_three_files(folders, tmp_path):
    networks = read_networks(folders)
    numbers, comparisons = summarise_networks(networks), compare_networks(networks, "good")
    table = comparison_table(numbers, comparisons, "good", {"good": {"auc": (0.949, None)}}, SGPNET, {})
    assert table.loc[("good", "paper"), "AUC"] == "0.949"
    assert [row for row in table.index if row[1] == "always wild-type"] == [("baseline", "always wild-type")]
    row = ("bad", "this work, within splits")
    found = re.fullmatch(
        r"([-+][.\d]+) \(([-+][.\d]+) to ([-+][.\d]+)\)", table.loc[row, "difference in AUC from good"]
    )
    expected = comparisons["auc"]["bad"]
    assert [float(part) for part in found.groups()] == pytest.approx(expected[:3], abs=6e-4)
    write_comparison_table(table, tmp_path, "table9", "95 % of it, p < 0.001")
    flat = runs.read_table(tmp_path / "table9.csv")
    assert flat["network"].value_counts()["good"] == 4 and (flat["DSC"] == "0.810").sum() == 1
    latex, markdown = (tmp_path / "table9.tex").read_text(), (tmp_path / "table9.md").read_text()
    assert "95 \\% of it, p $<$ 0.001" in latex and "$\\pm$" in latex and "±" not in latex
    assert "| good " in markdown and "95 % of it" in markdown
    difference = comparisons["dice"]["lesion"]
    cells = table.loc[("lesion", "this work, pooled over 20 patients")]
    assert cells["difference in DSC from good"] == f"-0.110 ({difference.low:+.3f} to {difference.high:+.3f})"
    assert (
        cells["difference in DSC from good, p"] == format_p(difference.p) and cells["difference in AUC from good"] == ""
    )
    assert (
        table.loc[row, "difference in AUC from good, p"] == format_p(expected.p)
        and table.loc[row, "difference in DSC from good"] == ""
    )
    assert (
        table.loc[
            ("bad", "this work, pooled over 20 patients"),
            ["difference in AUC from good", "difference in AUC from good, p"],
        ]
        == ""
    ).all()
    assert (table.loc["good", ["difference in AUC from good", "difference in DSC from good"]] == "").all(axis=None)
    text = "\n".join(notes(numbers, {}))
    assert "Grade alone: not available, because" in text and "AUC per seed: good " in text


def numbers(**within):
    return {
        name: {"within_splits": {"auc": seeds[0]}, "pooled": {"auc": 0.123}, "by_seed": {"auc": seeds}}
        for name, seeds in within.items()
    }


@pytest.mark.parametrize(
    ("comparison", "verdict"),
    [
        (Comparison(-0.1, -0.15, -0.05, 0.0001), "p < 0.001; higher in 2 of 3 seeds: above."),
        (
            Comparison(-0.1, -0.25, 0.05, 0.2),
            "(-0.050 to +0.250), p = 0.20; higher in 2 of 3 seeds: not significant.",
        ),
        (Comparison(-0.1, -0.15, -0.05, 0.06), "p = 0.06; higher in 2 of 3 seeds: not significant."),
        (Comparison(0.1, 0.05, 0.15, 0.004), "(-0.150 to -0.050), p = 0.004; higher in 2 of 3 seeds: below."),
        (
            Comparison(-0.1, np.nan, np.nan, np.nan, "cannot be computed, because ..."),
            "a paired test cannot be computed, because ....",
        ),
    ],
)
def test_an_order_is_told_with_its_certainty(comparison, verdict):
    text = order_text(numbers(model=[0.9, 0.8, 0.7], other=[0.8, 0.9, 0.6]), {"other": comparison}, "model")
    assert text.startswith("model versus other: AUC 0.900 versus 0.800; ") and text.endswith(verdict)


@pytest.mark.parametrize(
    ("highs", "words"),
    [
        ((-0.01, -0.02), "is confirmed"),
        ((-0.01, 0.02), "is only partly confirmed"),
        ((0.02, 0.02), "is neither confirmed nor refuted:"),
        ((-0.01, 0.2), "is not confirmed"),
    ],
)
def test_whether_a_paper_s_order_is_seen(highs, words):
    pairs = {str(n): Comparison(high - 0.05, high - 0.1, high, 0.01) for n, high in enumerate(highs)}
    assert words in order_holds(pairs)


def test_an_order_of_nothing_does_not_hold():
    assert order_holds({}) == (
        "The order of the networks in the paper cannot be checked, because there is nothing to compare."
    )


@pytest.mark.parametrize(
    ("comparison", "holds"),
    [
        (Comparison(-0.1, -0.15, -0.05, 0.0499), "is confirmed."),
        (Comparison(-0.1, -0.15, -0.05, 0.05), "is neither confirmed nor refuted:"),
        (Comparison(-0.1, -0.15, 0.0, 0.01), "is neither confirmed nor refuted:"),
        (Comparison(0.1, 0.0, 0.15, 0.01), "is neither confirmed nor refuted:"),
        (Comparison(0.1, 0.01, 0.15, 0.0499), "is not confirmed."),
        (Comparison(-0.1, -0.15, -0.05, 0.01, "cannot be computed, because"), "is neither confirmed nor refuted:"),
    ],
)
def test_an_order_is_certain_below_one_in_twenty_and_off_zero(comparison, holds):
    assert holds in order_holds({"other": comparison})


def test_an_order_of_dice_is_told_of_dice():
    summaries = {
        name: {
            "pooled": {"auc": 0.5, "dice": dice},
            "within_splits": {"auc": 0.4},
            "by_seed": {"auc": [0.5] * 3, "dice": [dice, 0.7, dice]},
        }
        for name, dice in (("model", 0.8), ("other", 0.6))
    }
    text = order_text(summaries, {"other": Comparison(-0.2, -0.3, -0.1, 0.002)}, "model", "dice")
    assert text == (
        "model versus other: DSC 0.800 versus 0.600; difference +0.200 (+0.100 to +0.300), p = 0.002; higher in 2 "
        "of 3 "
        "seeds: above."
    )


def test_a_missing_split_is_an_error(folders):
    predictions = runs.read_table(folders["bad"][1] / "predictions.csv")
    write_table(predictions[predictions["split"] == 1], folders["bad"][1] / "predictions.csv")
    with pytest.raises(InputError, match="bad_1: expected a prediction for every tested subject; found none for 10 of"):
        read_networks(folders)


def test_other_splits_are_an_error(folders):
    write_run(folders["bad"][1], BAD[1], folds=4)
    with pytest.raises(
        InputError, match="bad_1: expected the same test sets as in good_1; found s05 tested in split 1 of"
    ):
        read_networks(folders)


@pytest.mark.parametrize(
    ("column", "value", "noun"),
    [("idh", 1, "labels"), ("prepared", "cache/x", "scans"), ("patient", "x", "patients")],
)
def test_other_patients_labels_or_scans_are_errors(folders, column, value, noun):
    cohort = runs.read_table(folders["bad"][0] / "cohort.csv")
    cohort.loc[4, column] = value
    write_table(cohort, folders["bad"][0] / "cohort.csv")
    with pytest.raises(InputError, match=f"expected the same {noun} as in good_0; found different ones for 1, .* s04"):
        read_networks(folders)


def test_other_patients_in_another_seed_are_an_error(folders):
    for name in ("splits", "cohort", "predictions"):
        for network in ("good", "bad", "lesion"):
            table = runs.read_table(folders[network][1] / f"{name}.csv").replace({"s07": "t07"})
            write_table(table, folders[network][1] / f"{name}.csv")
    with pytest.raises(
        InputError, match="good_1: expected the same subjects as in good_0; found 2 different ones, .* s07"
    ):
        read_networks(folders)


def test_a_network_that_came_to_nothing_in_a_fold_is_an_error(folders):
    predictions = runs.read_table(folders["bad"][1] / "predictions.csv")
    predictions.loc[12, "score"] = np.nan
    write_table(predictions, folders["bad"][1] / "predictions.csv")
    with pytest.raises(InputError, match="bad_1: expected a score for every tested subject; found none for s12"):
        read_networks(folders)


def test_who_learns_from_more_subjects_than_others_is_said_to(folders):
    for folder in folders["good"]:
        cohort = runs.read_table(folder / "cohort.csv")
        more = cohort.head(3).assign(subject=["u1", "u2", "u3"], patient=["u1", "u2", "u3"], idh=np.nan)
        write_table(pd.concat([cohort, more]), folder / "cohort.csv")
    summary = summarise_networks(read_networks(folders))
    said = (
        "The networks were not trained on the same subjects. Subjects without an IDH label were also used by good (3)."
    )
    assert said in notes(summary, {})


@pytest.mark.integration
def test_phantoms_are_marked_in_every_file(folders, tmp_path):
    for of_seeds in folders.values():
        for folder in of_seeds:
            write_table(pd.DataFrame({"subject": SUBJECTS, "score": TRUTH}), folder / "planted.csv")
            write_table(runs.read_table(folder / "cohort.csv").assign(cohort="phantom"), folder / "cohort.csv")
    networks = read_networks(folders)
    summary, comparisons = summarise_networks(networks), compare_networks(networks, "good")
    table = comparison_table(summary, comparisons, "good", {}, SGPNET, {})
    write_comparison_table(table, tmp_path, "table9", " ".join(notes(summary, {})), synthetic=True)
    assert table.loc[("bad", "best possible"), "AUC"] == "1.000 ± 0.000"
    for ending in ("csv", "md", "tex"):
        assert "Synthetic phantom cohort: no clinical result" in (tmp_path / f"table9.{ending}").read_text()


def test_answers_without_a_network_are_means_over_the_seeds():
    of_seeds = [{"grade alone": {"auc": 0.8, "ppv": None}}, {"grade alone": {"auc": 0.9, "ppv": 0.5}}]
    assert mean_baselines(of_seeds) == {"grade alone": {"auc": pytest.approx(0.85), "ppv": 0.5}}
    of_seeds += [{"grade alone": {"auc": 0.1, "ppv": None}, "all ones": {"dice": 0.1}}]
    assert mean_baselines(of_seeds)["grade alone"]["auc"] == pytest.approx(0.6)  # in the middle 0.8


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
    summary, comparisons = summarise_networks(networks), compare_networks(networks, "a")
    table = comparison_table(summary, comparisons, "a", {}, SGPNET, {})
    cell = table.loc[("b", "this work, within splits"), "difference in AUC from a"]
    assert cell == "cannot be computed, because a class has fewer than 2 patients"
    assert "cannot be computed, because a class" in order_text(summary, comparisons["auc"], "a")
