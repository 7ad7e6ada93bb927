"""Several runs on one page, from numbers that are given: who is compared with whom, and what is said of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from glioma_idh.errors import InputError
from glioma_idh.evaluation.comparisons import Calls, Comparison, compare_auc, compare_calls
from glioma_idh.papers import TABLE_ALONE, find_paper
from glioma_idh.reporting import comparing, pages, report
from glioma_idh.reporting.comparing import gather, reference_name
from glioma_idh.reporting.html import Paragraph, Picture, Sheet
from glioma_idh.reporting.sections import compared, shared_figures
from glioma_idh.reporting.sections.compared import (
    compared_sections,
    compared_sentence,
)
from glioma_idh.reporting.sections.shared_figures import printed_of
from glioma_idh.reporting.tables.cells import comparison_cell, p_equals
from glioma_idh.runs import read_json
from glioma_idh.runs.run import Run

SLICE_CNN, SGPNET = (find_paper({"paper": name}).printed for name in ("gbm2d", "sgp3d"))

N = 40
TRUTH, NAMES = np.arange(N) % 2, [f"s{number:02}" for number in range(N)]
RANDOM = np.random.default_rng(3)
SCORES = {
    name: np.clip(0.3 + shift * TRUTH + RANDOM.normal(0, 0.2, N), 0, 1)
    for name, shift in zip("abc", (0.4, 0.25, 0.1), strict=True)
}


def estimate(value, low=np.nan, high=np.nan, reason=""):
    """What `performance` holds of an estimate."""
    return {"value": value, "low": low, "high": high, "reason": reason}


def paired_tests(runs, reference=None):
    """The tests that a page prints, by score and `one minus two`."""
    tests = comparing.paired_tests(runs, ("auc", "calls"), reference)
    return {score: {" minus ".join(pair): of for pair, of in pairs.items()} for score, pairs in tests.items()}


def pairs_section(runs, reference=None):
    """What a page says of them."""
    return compared._pairs_section(comparing.paired_tests(runs, ("auc", "calls"), reference), reference)


def finished(name, scores, recipe=(), **numbers) -> Run:
    """A run of 40 patients with these scores, and what `performance` would say of it."""
    folds = np.arange(N) // 2 % 4
    table = pd.DataFrame(
        {"subject": NAMES, "patient": NAMES, "repeat": 0, "split": folds, "truth": TRUTH, "score": scores}
    )
    parts = [
        pd.DataFrame({"subject": NAMES, "repeat": 0, "split": fold, "part": np.where(folds == fold, "test", "train")})
        for fold in range(4)
    ]
    cohort = pd.DataFrame({"subject": NAMES, "patient": NAMES, "cohort": "mine", "idh": TRUTH})
    performance = {
        "patients": {"num_tested": N, "num_mutant": N // 2},
        "auc": {"within_splits": estimate(0.8, 0.7, 0.9), "pooled": estimate(0.6, 0.5, 0.7)},
        "calibration": {"before": {"slope": estimate(1.2, 1.1, 1.3), "intercept": estimate(0.5, 0.4, 0.6), "ece": 0.1}},
        "beats_baselines": {"verdict": "beats all", "not_beaten": [], "worse": [], "reason": ""},
        "segmentation": {},
    } | numbers
    settings = {"paper": "gbm2d", "sequence": ["t1gd"], "cohort": "mine.csv", "seed": 0} | dict(recipe)
    tables = name, {"recipe": settings}, cohort, pd.DataFrame(), pd.concat(parts), table
    return with_numbers(Run(Path(f"/runs/{name}"), *tables), performance=performance)


def with_numbers(run, **numbers) -> Run:
    """The run with `metrics` or `performance` in the place of those that it would compute."""
    vars(run).update(numbers)
    return run


def changed(run, **changes) -> Run:
    """The run with other contents and, where they are not of its own making, the numbers that it had."""
    return with_numbers(replace(run, **changes), performance=run.performance)


def phantoms(run) -> Run:
    return changed(run, cohort=run.cohort.assign(cohort="phantom"))


RUNS = [finished(name, scores) for name, scores in SCORES.items()]


def lesions_alone(name="lesion"):
    """A run of segmentation alone."""
    run = finished(name, np.nan, segmentation={"dice": estimate(0.81, 0.75, 0.86)})
    return with_numbers(run, metrics=run.metrics | {"mean": {}, "within_splits": {}, "pooled": {"num_patients": N}})


@pytest.mark.integration
def test_every_pair_is_tested_the_first_less_the_second_and_p_is_holm_s():
    tests = paired_tests([*RUNS, lesions_alone()])
    names = ["a minus b", "a minus c", "b minus c"]
    assert {name: list(of) for name, of in tests.items()} == {"auc": names, "calls": names}
    tables = {run.name: run.predictions for run in RUNS}
    for name, test in (("auc", compare_auc), ("calls", compare_calls)):
        plain = [test(tables[pair[0]], tables[pair[-1]]) for pair in names]
        alone = [one.p for one in plain]
        assert sum(0.001 < p < 0.3 for p in alone) >= 2  # so that it is seen whether they are corrected
        assert [tests[name][pair].p for pair in names] == pytest.approx(multipletests(alone, method="holm")[1])
        assert [tests[name][pair]._replace(p=0.0) for pair in names] == [one._replace(p=0.0) for one in plain]
    assert tests["auc"]["a minus c"].difference > 0.1
    calls = tests["calls"]["a minus c"]
    assert calls.only_ours_right > calls.only_other_right


@pytest.mark.integration
def test_holm_by_hand_moves_a_verdict(monkeypatch):
    """0.02 x 3, 0.03 x 2 and 0.04, each not below the one before."""
    p_of = {("a", "b"): 0.04, ("a", "c"): 0.02, ("b", "c"): 0.03}
    name_of = {id(run.predictions): run.name for run in RUNS}

    def by_hand(kind, *values):
        return lambda one, two: kind(*values, p_of[name_of[id(one)], name_of[id(two)]])

    monkeypatch.setitem(comparing.TESTS, "auc", by_hand(Comparison, 0.1, 0.05, 0.15))
    monkeypatch.setitem(comparing.TESTS, "calls", by_hand(Calls, 20, 12, 3, 5))
    for of in paired_tests(RUNS).values():
        assert {pair: one.p for pair, one in of.items()} == pytest.approx(
            {"a minus b": 0.06, "a minus c": 0.06, "b minus c": 0.06}
        )
    pairs = pairs_section(RUNS)
    assert "p values are (Holm, over all pairs)." in pairs.parts[0].text
    (sheet,) = (part for part in pairs.parts if isinstance(part, Sheet))
    assert sheet.table["pair"].tolist() == ["a minus b", "a minus c", "b minus c"]
    assert (sheet.table["difference in AUC (95 % CI)"] == "+0.10 (+0.05 to +0.15), p = 0.06").all()
    assert (sheet.table["patients predicted correctly"] == "12 only by the first, 3 only by the second, p = 0.06").all()


@pytest.mark.integration
def test_with_a_reference_only_comparisons_with_it_are_made_and_corrected(monkeypatch):
    """0.02 x 2 and 0.03, not below the one before; each minus the reference; those that it has no part in are not."""
    p_of = {("a", "b"): 0.02, ("c", "b"): 0.03}
    name_of = {id(run.predictions): run.name for run in RUNS}

    def by_hand(kind, *values):
        return lambda one, two: kind(*values, p_of[name_of[id(one)], name_of[id(two)]])

    monkeypatch.setitem(comparing.TESTS, "auc", by_hand(Comparison, 0.1, 0.05, 0.15))
    monkeypatch.setitem(comparing.TESTS, "calls", by_hand(Calls, 20, 12, 3, 5))
    runs = [*RUNS, lesions_alone()]
    for of in paired_tests(runs, "b").values():
        assert {pair: one.p for pair, one in of.items()} == pytest.approx({"a minus b": 0.04, "c minus b": 0.04})
    pairs = pairs_section(runs, "b")
    assert "p values are (Holm, over all comparisons with b)." in pairs.parts[0].text
    (sheet,) = (part for part in pairs.parts if isinstance(part, Sheet))
    assert sheet.table["pair"].tolist() == ["a minus b", "c minus b"]
    assert (sheet.table["difference in AUC (95 % CI)"] == "+0.10 (+0.05 to +0.15), p = 0.04").all()


def test_a_reference_is_one_of_the_runs_or_a_seed_of_one():
    seeds = [
        replace(finished("a", SCORES[name], {"seed": seed}), folder=Path(f"/runs/a_{seed}"))
        for seed, name in enumerate("ab")
    ]
    runs = [replace(seeds[0], members=tuple(seeds)), RUNS[1], lesions_alone()]
    assert reference_name(runs, None) is None
    assert [reference_name(runs, Path(f"/runs/{name}")) for name in ("a_0", "a_1", "b")] == ["a", "a", "b"]
    assert reference_name(runs, Path("/runs/a_0/../b")) == "b"
    with pytest.raises(
        InputError, match="/runs/c: expected one of the compared runs as --reference; found another folder"
    ):
        reference_name(runs, Path("/runs/c"))
    with pytest.raises(InputError, match="/runs/lesion: .*found a run without scores of the genotype"):
        reference_name(runs, Path("/runs/lesion"))


@pytest.mark.integration
def test_the_page_and_its_numbers_are_against_the_reference(monkeypatch, tmp_path):
    given = []
    monkeypatch.setattr(report, "read_finished_run", {run.folder: run for run in RUNS}.get)
    monkeypatch.setattr(pages, "compared_sections", lambda runs, tests, reference: given.append(reference) or [])
    monkeypatch.setattr(report, "write_page", lambda out, *_, **__: out)
    for reference, pairs in (
        (Path("/runs/b"), ["a minus b", "c minus b"]),
        (None, ["a minus b", "a minus c", "b minus c"]),
    ):
        report.write_comparison([run.folder for run in RUNS], tmp_path / "page.html", reference)
        kept = read_json(tmp_path / "page_files" / "metrics.json")["pairs"]
        assert {name: list(of) for name, of in kept.items()} == {"auc": pairs, "calls": pairs}
    assert given == ["b", None]


@pytest.fixture
def drawn(monkeypatch):
    """What the figures are given, in place of drawing them."""
    given = {}

    def record(name):
        return lambda what, **named: given.update({name: (what, named)})

    monkeypatch.setattr(shared_figures, "roc_curves", record("roc"))
    monkeypatch.setattr(shared_figures, "score_boxes", record("boxes"))
    return given


def test_table_and_figures_stand_beside_each_run_s_own_paper(drawn):
    runs = [finished(name, SCORES[name]) for name in "ab"]
    published = {"a": {"auc": (0.62, 0.15), "accuracy": (0.7, 0.1)}, "b": {"accuracy": (0.8, None)}}
    runs = [changed(run, recipe=run.recipe | {"published": published[run.name]}) for run in runs]
    best = runs[1].metrics | {"mean": runs[1].metrics["mean"] | {"best_possible_auc": 0.97}}
    best["sd"] = best["sd"] | {"best_possible_auc": 0.01}
    runs = [runs[0], with_numbers(phantoms(runs[1]), metrics=best), lesions_alone()]
    sheet, *_ = (part for part in compared._table_section(runs).parts if isinstance(part, Sheet))
    assert sheet.table["run"].tolist() == ["a", *[""] * 4, "b", *[""] * 5, "lesion", ""]
    within = sheet.table[sheet.table["row"] == "this work, within splits"]
    assert [cell.split(" (")[0] for cell in within["AUC"]] == [
        f"{run.metrics['within_splits']['auc']:.2f}" for run in runs[:2]
    ]
    paper = sheet.table[sheet.table["row"] == "paper"]
    assert paper["AUC"].tolist() == ["0.62 ± 0.15", "-"] and paper["ACC"].tolist() == ["0.70 ± 0.10", "0.80"]
    assert sheet.table.loc[sheet.table["row"] == "best possible", "AUC"].tolist() == ["0.97 ± 0.01"]
    scored, named = drawn["roc"]
    assert {name: table is run.predictions for (name, table), run in zip(scored.items(), runs, strict=False)} == {
        "a": True,
        "b": True,
    }
    assert named == {"best_possible": {"b": 0.97}, "published": {"a": (0.62, 0.15)}, "synthetic": True}
    scores, named = drawn["boxes"]
    assert scores.groupby("sequence").size().to_dict() == {"a": 4, "b": 4, "lesion": 4}
    first = scores.loc[scores["sequence"] == "a", "auc"].tolist()
    assert first == [split["auc"] for split in runs[0].metrics["per_split"]]
    assert named == {"panels": SLICE_CNN.boxes, "published": published, "synthetic": True}


@pytest.mark.integration
def test_the_sheets_hold_each_run_s_own_numbers(drawn):
    verdicts = [
        {"verdict": "beats all", "not_beaten": [], "worse": [], "reason": ""},
        {"verdict": "does not beat", "not_beaten": ["grade", "age"], "worse": ["age"], "reason": ""},
        {"verdict": "cannot be computed", "not_beaten": [], "worse": [], "reason": "no baseline could be compared"},
    ]
    slopes = [{"slope": estimate(1.2, 1.1, 1.3), "intercept": estimate(9.0), "ece": 0.1}, {"reason": "too few"}]
    slopes += [{"slope": estimate(0.4, 0.3, 0.5), "intercept": estimate(9.0), "ece": 0.1}]
    runs = [
        finished(
            *(name, scores),
            auc={"within_splits": estimate(0.9 - place / 10, 0.8 - place / 10, 0.95), "pooled": estimate(0.1)},
            beats_baselines=verdicts[place],
            calibration={"before": slopes[place], "platt": {"reason": "too few"}},
            patients={"num_tested": 40 + place, "num_mutant": 20 + place, "num_wild_type": 7},
        )
        for place, (name, scores) in enumerate(SCORES.items())
    ]
    beside, performance, _, methods = compared_sections(
        [*runs, lesions_alone()], comparing.paired_tests(runs, ("auc", "calls"))
    )
    (sheet,) = performance.parts
    assert sheet.table["run"].tolist() == ["a", "b", "c"]
    assert sheet.table["patients"].tolist() == [40, 41, 42] and sheet.table["IDH-mutant"].tolist() == [20, 21, 22]
    assert sheet.table["AUC within splits (95 % CI)"].tolist() == [f"0.{9 - n}0 (0.{8 - n}0 to 0.95)" for n in range(3)]
    assert sheet.table["calibration slope (95 % CI)"].tolist() == [
        "1.20 (1.10 to 1.30)",
        "too few",
        "0.40 (0.30 to 0.50)",
    ]
    assert sheet.table["AUC compared with baselines"].tolist() == [
        "higher than all baselines that could be compared",
        "not significantly higher than grade, age; significantly lower than age",
        "no baseline could be compared",
    ]
    table, roc, *_ = (part for part in beside.parts if isinstance(part, (Sheet, Picture)))
    first = table.table.set_index("row").loc["this work"]
    assert first["AUC"].iloc[0].startswith(f"{runs[0].metrics['mean']['auc']:.2f} ±")
    areas = ", ".join(f"{run.name} {run.metrics['mean']['auc']:.2f}" for run in runs)
    assert roc.alt == f"ROC curves. Mean AUC over the splits: {areas}."
    *paragraphs, commands = methods.parts
    assert ", ".join(part.text.partition(".\n\n")[0] for part in paragraphs) == "a, b, c, lesion"
    assert [line for line in commands.text.splitlines() if line.startswith("# ")] == ["# a", "# b", "# c", "# lesion"]
    assert commands.text.count("python -m glioma_idh.gbm2d.train") == 4


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        (("beats all", "does not beat"), "Higher AUC than every baseline that could be compared: a."),
        (("does not beat", "cannot be computed"), "No run has a higher AUC than every baseline."),
    ],
)
def test_the_first_sentence(verdicts, words):
    def auc_of(value, low, high):
        return {"within_splits": estimate(value, low, high), "pooled": estimate(1 - value, 0, 1)}

    none = {"not_beaten": [], "worse": [], "reason": ""}
    runs = [
        finished(*(name, SCORES[name]), beats_baselines={"verdict": verdict} | none, auc=auc_of(*auc))
        for name, verdict, auc in zip("ab", verdicts, ((0.7, 0.6, 0.8), (0.8, 0.7, 0.9)), strict=True)
    ]
    sentence = compared_sentence([*runs, lesions_alone()])
    assert sentence == (f"{words} b has the highest AUC: 0.80 (95 % CI 0.70 to 0.90). Pairwise tests are below.")
    assert compared_sentence([lesions_alone("x"), lesions_alone("y")]) == (
        "None of these runs has an AUC. Mean Dice: x 0.81 (0.75 to 0.86); y 0.81 (0.75 to 0.86)."
    )
    assert compared_sentence([phantoms(run) for run in runs]).startswith(
        f"Synthetic phantom cohort: no clinical result. {words}"
    )


def within_folds(tests):
    """The share of pairs inside the folds that are in order, pair by pair, and their number; of (scores, folds)."""
    won = [
        np.subtract.outer(scores[(folds == fold) & (TRUTH == 1)], scores[(folds == fold) & (TRUTH == 0)])
        for scores, folds in tests
        for fold in np.unique(folds)
    ]
    won = np.concatenate([pairs.ravel() for pairs in won])
    return np.mean(np.where(won == 0, 0.5, won > 0)), won.size


@pytest.mark.parametrize("same_folds", [True, False])
def test_seeds_with_equal_folds_are_averaged_and_with_other_folds_are_test_sets_of_their_own(same_folds):
    folds = [np.arange(N) // 2 % 4, np.arange(N) // 2 % 4 if same_folds else np.arange(N) // 10]
    runs = []
    for seed, (scores, of_seed) in enumerate(zip((SCORES["b"], SCORES["c"]), folds, strict=True)):
        run = finished("a", scores, {"seed": seed})
        runs.append(replace(run, predictions=run.predictions.assign(split=of_seed)))
    (together,) = gather(runs)
    averaged, apart = (SCORES["b"] + SCORES["c"]) / 2, list(zip((SCORES["b"], SCORES["c"]), folds, strict=True))
    expected, other = within_folds([(averaged, folds[0])]), within_folds(apart)
    expected, other = (expected, other) if same_folds else (other, expected)
    assert abs(expected[0] - other[0]) > 0.01
    within = together.metrics["within_splits"]
    assert (within["auc"], within["num_pairs"]) == (pytest.approx(expected[0]), expected[1])


@pytest.mark.integration
def test_seeds_of_one_recipe_are_one_run_of_their_mean_scores():
    seeds = [finished("a", scores, {"seed": seed}) for seed, scores in enumerate(SCORES.values())]
    seeds[2].recipe["recipe"]["split_seed"] = 0  # on the splits of another seed
    other = finished("b", SCORES["b"])
    together, alone = gather([seeds[0], other, *seeds[1:]])
    assert together.name == "a" and alone is other and together.members == tuple(seeds)
    assert together.predictions.groupby("repeat").size().to_dict() == {0: N, 1: N, 2: N}
    assert together.splits.groupby("repeat").size().to_dict() == {0: 4 * N, 1: 4 * N, 2: 4 * N}
    mean, folds = np.mean(list(SCORES.values()), axis=0), np.arange(N) // 2 % 4
    expected, num_pairs = within_folds([(mean, folds)])
    within = together.metrics["within_splits"]
    assert (within["auc"], within["num_pairs"]) == (pytest.approx(expected), num_pairs) and num_pairs == 4 * 5 * 5
    assert together.performance["auc"]["within_splits"]["value"] == pytest.approx(expected)
    assert together.metrics["pooled"]["auc"] == pytest.approx(within_folds([(mean, 0 * folds)])[0])
    assert together.performance["patients"]["num_splits"] == 12 and len(together.cohort) == N
    assert len(together.metrics["per_split"]) == 12
    (note,) = (part.text for part in compared._seeds_note([together, alone]) if isinstance(part, Paragraph))
    each = ", ".join(f"{within_folds([(scores, folds)])[0]:.3f}" for scores in SCORES.values())
    assert note == (
        f"a: scores averaged over 3 seeds per patient (AUC within splits per seed: {each}). "
        "Runs with different numbers of seeds are compared: averaging may explain part of a difference."
    )
    assert compared._seeds_note([alone]) == [] and "averaging may" not in compared._seeds_note([together])[0].text


def test_seeds_are_evaluated_together_on_the_tables_of_all(monkeypatch):
    monkeypatch.setattr("glioma_idh.runs.run.evaluate", lambda *tables: {"lengths": [len(table) for table in tables]})
    runs = [finished("a", SCORES[name], {"seed": seed}) for seed, name in enumerate("ab")]
    for run in runs:
        run.metrics["within_splits"]["auc_interval"] = [0.1, 0.2]
    (together,) = gather(runs)
    low, high = together.metrics["within_splits"]["auc_interval"]
    assert 0.2 < low < together.metrics["within_splits"]["auc"] < high
    assert together.performance["lengths"] == [2 * N, N, 2 * 4 * N]  # predictions, cohort, splits


def test_a_run_counts_once_and_phantoms_stand_apart():
    with pytest.raises(InputError, match="expected runs with different seeds; found the same recipe and seed in a, a2"):
        gather([RUNS[0], replace(RUNS[0], folder=Path("/runs/a2"))])
    phantom = phantoms(RUNS[1])
    with pytest.raises(InputError, match="only runs on the synthetic cohort; found both kinds; synthetic: /runs/b"):
        gather([RUNS[0], phantom])


@pytest.mark.integration
def test_recipes_of_one_name_are_told_apart_by_their_folders():
    slow, fast = (
        replace(finished("a", SCORES["a"], {"epochs": epochs}), folder=Path(f"/runs/{folder}"))
        for folder, epochs in (("slow", 500), ("fast", 5))
    )
    runs = gather([slow, fast, RUNS[1]])
    assert [run.name for run in runs] == ["a (slow)", "a (fast)", "b"]
    assert list(paired_tests(runs)["auc"]) == ["a (slow) minus a (fast)", "a (slow) minus b", "a (fast) minus b"]


@pytest.mark.integration
def test_runs_on_other_patients_are_not_compared():
    strangers = RUNS[1].predictions.assign(subject="x" + RUNS[1].predictions["subject"])
    strangers = replace(RUNS[1], predictions=strangers.assign(patient=strangers["subject"]))
    tests = paired_tests([RUNS[0], strangers, RUNS[2]])
    for of in tests.values():
        assert of["a minus b"].reason.startswith(
            "cannot be computed, because the runs are not paired: expected the same"
        )
        assert np.isnan(of["a minus b"].p) and not of["a minus c"].reason
    (sheet,) = (part for part in pairs_section([RUNS[0], strangers]).parts if isinstance(part, Sheet))
    assert sheet.table["difference in AUC (95 % CI)"].tolist() == [tests["auc"]["a minus b"].reason]
    assert sheet.table["patients predicted correctly"].tolist() == [tests["calls"]["a minus b"].reason]


@pytest.mark.integration
def test_a_pair_is_printed_with_its_own_numbers():
    tests = paired_tests(RUNS)
    section = pairs_section(RUNS)
    (sheet,) = (part for part in section.parts if isinstance(part, Sheet))
    for row in sheet.table.to_dict("records"):
        calls = tests["calls"][row["pair"]]
        assert row["difference in AUC (95 % CI)"] == comparison_cell(tests["auc"][row["pair"]]._asdict())
        assert row["patients predicted correctly"] == (
            f"{calls.only_ours_right} only by the first, {calls.only_other_right} only by the second, "
            f"{p_equals(calls.p)}"
        )


def test_a_caution_of_all_runs_is_said_once_and_of_some_with_their_names(monkeypatch):
    said = {"a": ["few", "short"], "b": ["few"], "c": ["few", "short"]}
    texts = iter([said[run.name] for run in RUNS[:3]])
    monkeypatch.setattr(compared, "cautions", lambda *_: next(texts))
    assert compared.compared_cautions(RUNS[:3]) == ["few", "a, c: short"]


def test_both_papers_side_by_side_have_the_columns_of_both():
    of_3d = finished("d", SCORES["b"], {"paper": "sgp3d"})
    assert printed_of(RUNS) is SLICE_CNN and printed_of([of_3d]) is SGPNET
    assert printed_of([RUNS[0], of_3d]) is TABLE_ALONE
