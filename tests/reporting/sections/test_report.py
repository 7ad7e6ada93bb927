"""The whole report, of a run folder made by hand, of several, and of a table alone.

One report, `page`, is written as it is for everybody; the others leave their figures' files empty, and tables that
were evaluated before are not evaluated again.
"""

import copy
import html
import json
import math
import pickle
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glioma_idh.errors import InputError
from glioma_idh.evaluation.metrics import summarise
from glioma_idh.evaluation.performance import evaluate
from glioma_idh.files import write_json, write_table
from glioma_idh.report import report_predictions, report_runs
from glioma_idh.runs import FORMAT
from glioma_idh.runs.foreign_tables import read_predictions

pytestmark = pytest.mark.integration  # what each section says is in test_sections.py

NUM_PATIENTS = 40
RECIPE = {"paper": "gbm2d", "sequence": ["t1gd"], "cohort": "mine.csv", "splits": "kfold", "num_splits": 5, "seed": 0}


def write_run(folder, scores, recipe=RECIPE, sequence="t1gd", prefix="s", bare=False):
    """A finished run of so many patients, every other one mutant, LGG where mutant but for two; five folds.

    A bare one knows nothing of its patients but the genotype, so that there are no baselines to learn.
    """
    subjects = [f"{prefix}{number:02}" for number in range(NUM_PATIENTS)]
    truth = np.arange(NUM_PATIENTS) % 2
    grade = np.where(truth == 1, "LGG", "HGG")
    grade[[1, 2]] = ["HGG", "LGG"]
    cohort = pd.DataFrame({"subject": subjects, "patient": subjects, "cohort": "mine", "idh": truth, "grade": grade})
    cohort = cohort.assign(
        age_years=40 + np.arange(NUM_PATIENTS) % 7, sex="F", site="", lesion_ml=10.0 + np.arange(NUM_PATIENTS) % 3
    )
    numbers = 1 + np.arange(NUM_PATIENTS) // 2 % 5
    parts = [
        pd.DataFrame({"subject": subjects, "repeat": 1, "split": n, "part": np.where(numbers == n, "test", "train")})
        for n in range(1, 6)
    ]
    predictions = cohort[["subject", "patient", "cohort", "lesion_ml"]].assign(
        repeat=1, split=numbers, truth=truth, score=scores
    )
    if bare:
        unknown = ["grade", "age_years", "sex", "site", "lesion_ml"]
        cohort, predictions = (table.drop(columns=unknown, errors="ignore") for table in (cohort, predictions))
    recipe = recipe | {"sequence": [sequence]}
    write_json(
        {"format": FORMAT, "recipe": recipe, "hash": "12345678", "versions": {}} | {"published": {"auc": [0.62, 0.15]}},
        folder / "recipe.json",
    )
    write_table(cohort, folder / "cohort.csv")
    write_table(pd.DataFrame(columns=["subject", "file", "expected", "found", "advice"]), folder / "exclusions.csv")
    write_table(pd.concat(parts), folder / "splits.csv")
    write_table(predictions, folder / "predictions.csv")
    write_json({"sequence": sequence, "synthetic": False, **summarise(predictions)}, folder / "metrics.json")
    return folder


@pytest.fixture(scope="module")
def scores():
    """Scores that tell the classes apart in part."""
    rng = np.random.default_rng(0)
    return np.clip(0.35 + 0.2 * (np.arange(NUM_PATIENTS) % 2) + rng.normal(0, 0.2, NUM_PATIENTS), 0.01, 0.99)


@cache
def _evaluated(*tables: bytes) -> dict:
    return evaluate(*map(pickle.loads, tables))


@pytest.fixture(scope="module", autouse=True)
def _evaluated_once():
    """What was evaluated before is not evaluated again."""
    with pytest.MonkeyPatch.context() as patch:
        evaluated = lambda *tables: copy.deepcopy(_evaluated(*map(pickle.dumps, tables)))  # noqa: E731
        patch.setattr("glioma_idh.runs.run.evaluate", evaluated)
        yield


@pytest.fixture(scope="module")
def page(tmp_path_factory, scores):
    """The report of one run, figures and all."""
    return report_runs([write_run(tmp_path_factory.mktemp("run"), scores)])


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Figures are drawn and their files are empty."""

    def empty(_, folder, name):
        files = [Path(folder, f"{name}.{ending}") for ending in ("png", "svg")]
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        return files

    for module in ("html", "report"):
        monkeypatch.setattr(f"glioma_idh.reporting.{module}.save_figure", empty)


def test_the_first_sentence_says_how_the_network_stands_to_each_baseline(page):
    text = html.unescape(page.read_text())
    # age and volume are the same for mutant and wild-type patients; 19 of 20 of each class have the grade of most of it
    assert " is better than age alone (AUC " in text and " is better than lesion volume alone (AUC " in text
    grade = "T1Gd is no better than grade alone (AUC 0.95; difference "
    assert text.index(grade) < text.index("<h2")


def test_what_must_be_known_stands_before_the_first_sentence_and_in_the_model_card(page):
    text = html.unescape(page.read_text())
    caution = "The training differs from the published one: type of splits k-fold (published: random hold-out)."
    assert text.index("<h1>") < text.index(caution) < text.index(" is better than age")
    assert f"**{caution}**" in (page.parent / "report_files" / "model_card.md").read_text()


def test_three_numbers_by_hand_from_the_predictions_stand_in_metrics_and_page(page):
    table = pd.read_csv(page.parent / "predictions.csv")
    mutant, wild_type = table.loc[table["truth"] == 1, "score"], table.loc[table["truth"] == 0, "score"]
    classes = [[fold.loc[fold["truth"] == idh, "score"] for idh in (1, 0)] for _, fold in table.groupby("split")]
    auc = np.mean([(m > w) + (m == w) / 2 for ones, zeros in classes for m in ones for w in zeros])
    pooled = np.mean([[(m > w) + (m == w) / 2 for w in wild_type] for m in mutant])
    assert abs(auc - pooled) > 0.01
    brier = ((table["score"] - table["truth"]) ** 2).mean()
    found, total = int((mutant >= 0.5).sum()), len(mutant)
    centre, half = (
        found / total + 1.96**2 / (2 * total),
        1.96 * math.sqrt(found / total * (1 - found / total) / total + 1.96**2 / (4 * total**2)),
    )
    wilson = [(centre - half) / (1 + 1.96**2 / total), (centre + half) / (1 + 1.96**2 / total)]
    for file in (page.parent / "metrics.json", page.parent / "report_files" / "metrics.json"):
        numbers = json.loads(file.read_text())
        performance = numbers["performance"]
        assert (numbers["subjects"]["used"], numbers["subjects"]["mutant"]) == (NUM_PATIENTS, NUM_PATIENTS // 2)
        assert performance["auc"]["within_splits"]["value"] == numbers["within_splits"]["auc"] == pytest.approx(auc)
        assert performance["auc"]["pooled"]["value"] == numbers["pooled"]["auc"] == pytest.approx(pooled)
        assert performance["auc"]["num_pairs"] == numbers["within_splits"]["num_pairs"] == 5 * 4 * 4
        assert performance["brier"]["value"] == pytest.approx(brier)
        sensitivity = performance["rates"]["0.5"]["sensitivity"]
        assert (sensitivity["count"], sensitivity["total"]) == (found, total)
        assert [sensitivity["low"], sensitivity["high"]] == pytest.approx(wilson, abs=1e-4)
    for value in (auc, pooled, brier):
        assert f"{value:.3f} (" in page.read_text()


def test_a_run_without_images_says_so_and_has_all_the_rest(page):
    text = page.read_text()
    for title in (
        "Discrimination",
        "Calibration and net benefit",
        "Performance within groups of patients",
        "Methods",
        "Checklists",
    ):
        assert title in text
    assert (page.parent / "report_files" / "figures" / "roc.svg").exists()
    assert (page.parent / "report_files" / "tables" / "baselines.tex").exists()
    assert "Intended use" in (page.parent / "report_files" / "model_card.md").read_text()


def test_runs_side_by_side_and_seeds_of_one_network_together(tmp_path, scores):
    folders = [write_run(tmp_path / "a", scores, bare=True)]
    folders.append(write_run(tmp_path / "b", scores[::-1].copy(), sequence="flair", bare=True))
    again = write_run(tmp_path / "c", np.roll(scores, 2), RECIPE | {"seed": 1}, bare=True)
    page = report_runs([*folders, again], tmp_path / "together.html")
    numbers = json.loads((tmp_path / "together_files" / "metrics.json").read_text())
    assert set(numbers["runs"]) == {"T1Gd", "FLAIR"} and set(numbers["pairs"]["auc"]) == {"T1Gd minus FLAIR"}
    assert numbers["runs"]["T1Gd"]["performance"]["patients"]["num_splits"] == 10
    assert "T1Gd minus FLAIR" in page.read_text()


def test_a_folder_of_runs_stands_for_them(tmp_path, scores):
    for name in ("t1gd", "flair"):
        write_run(tmp_path / name, scores, sequence=name, bare=True)
    page = report_runs([tmp_path])
    assert page == tmp_path / "report.html" and "T1Gd minus FLAIR" in page.read_text()


def test_runs_on_other_patients_are_not_compared_as_if_paired(tmp_path, scores):
    folders = [write_run(tmp_path / "a", scores, bare=True)]
    folders.append(write_run(tmp_path / "b", scores, sequence="flair", prefix="x", bare=True))
    text = report_runs(folders, tmp_path / "together.html").read_text()
    assert "cannot be computed, because the runs are not paired" in text


def test_a_table_of_another_program(tmp_path):
    truth = np.arange(NUM_PATIENTS) % 2
    guessed = np.random.default_rng(1).random(NUM_PATIENTS)
    table = pd.DataFrame({"subject": range(NUM_PATIENTS), "truth": truth, "score": guessed})
    table.assign(grade=np.where(truth == 1, 2, 4)).to_csv(tmp_path / "theirs.csv", index=False)
    text = html.unescape(report_predictions(tmp_path / "theirs.csv").read_text())
    assert "theirs is worse than grade alone (AUC 1.00; difference -0." in text
    assert (
        "The difference in AUC between theirs and age cannot be computed, because the cohort has no age_years." in text
    )
    assert "This report made 5 stratified splits" in text


def test_a_table_of_a_spreadsheet_with_decimal_commas_is_the_same_table(tmp_path, scores):
    truth, fold = np.arange(NUM_PATIENTS) % 2, np.arange(NUM_PATIENTS) % 4 // 2
    table = pd.DataFrame({"subject": range(100, 100 + NUM_PATIENTS), "truth": truth, "score": scores, "split": fold})
    table["age_years"] = 30.5 + np.arange(NUM_PATIENTS)
    table.to_csv(tmp_path / "points.csv", index=False)
    table.to_csv(tmp_path / "commas.csv", index=False, sep=";", decimal=",")
    table.to_csv(tmp_path / "tabs.tsv", index=False, sep="\t", encoding="utf-16")
    points, *others = [read_predictions(tmp_path / name) for name in ("points.csv", "commas.csv", "tabs.tsv")]
    for other in others:
        pd.testing.assert_frame_equal(other.predictions, points.predictions, check_exact=True)
        pd.testing.assert_frame_equal(other.cohort, points.cohort, check_exact=True)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("subject;truth;score\na;1;1.234,5\n", "a number such as 1234.5 .* found '1.234,5' in row 2, column score"),
        ('subject,truth,lesion_ml,score\na,1,"1,234",0.5\n', "a number that is not ambiguous; found '1,234' in row 2"),
        (
            "subject,mutation,score\na,1,0.5\n",
            "expected the columns truth; found columns subject, mutation, score. Needed",
        ),
    ],
)
def test_a_table_of_another_program_that_can_be_read_in_two_ways(tmp_path, text, match):
    (tmp_path / "theirs.csv").write_text(text)
    with pytest.raises(InputError, match=match):
        read_predictions(tmp_path / "theirs.csv")


@pytest.mark.parametrize(
    "change, words",
    [
        ({"score": 1.2}, "a score from 0 to 1"),
        ({"score": None}, "a score from 0 to 1"),
        ({"truth": 2}, "a label .truth. of 0 or 1"),
        ({"subject": "1"}, "each subject once"),
    ],
)
def test_a_wrong_cell_stops_with_the_subject_named(tmp_path, scores, change, words):
    table = pd.DataFrame({"subject": [str(n) for n in range(NUM_PATIENTS)], "truth": 0.0, "score": scores})
    table.loc[::2, "truth"] = 1
    for column, value in change.items():
        table.loc[3, column] = value
    table.to_csv(tmp_path / "theirs.csv", index=False)
    with pytest.raises(InputError, match=words) as caught:
        report_predictions(tmp_path / "theirs.csv")
    assert "theirs.csv" in str(caught.value)


@pytest.mark.parametrize("positives", [0, 1])
def test_too_few_mutants_are_said_in_words(tmp_path, positives):
    table = pd.DataFrame({"subject": range(12), "truth": 0, "score": np.linspace(0.1, 0.9, 12)})
    table.loc[: positives - 1, "truth"] = 1
    table.to_csv(tmp_path / "theirs.csv", index=False)
    text = report_predictions(tmp_path / "theirs.csv").read_text()
    assert "cannot be computed, because" in text and ">nan" not in text.lower()


def test_columns_may_have_the_names_of_cohort_tables_and_the_others_are_listed(tmp_path, capsys):
    file = tmp_path / "theirs.csv"
    rows = [f"p{n},{('mutant', 'wildtype')[n % 2]},0.{n + 1},{40 + n},Rome,x" for n in range(8)]
    file.write_text("Case ID,IDH status,score,Age,Hospital,prob\n" + "\n".join(rows))
    predictions = read_predictions(file).predictions
    assert predictions["truth"].tolist() == [1, 0] * 4 and predictions["subject"].tolist() == [
        f"p{n}" for n in range(8)
    ]
    assert predictions["age_years"].tolist() == list(range(40, 48)) and set(predictions["site"]) == {"Rome"}
    said = "Case ID is read as subject; IDH status is read as truth; Age is read as age_years; Hospital is read as site"
    assert f"{file}: {said}; not read: prob.\n" in capsys.readouterr().err
    file.write_text(file.read_text().replace("Hospital", "caseid"))
    with pytest.raises(InputError, match="Case ID and caseid, which all mean subject"):
        read_predictions(file)
    file.write_text("subject,truth,idh,score\n" + "\n".join(f"p{n},{n % 2},1,0.{n + 1}" for n in range(8)))
    assert read_predictions(file).predictions["truth"].tolist() == [0, 1] * 4
    file.write_text("id,idh,score\na,perhaps,0.5\nb,1,0.5\n")
    with pytest.raises(InputError, match="'perhaps' in row 2, column idh"):
        read_predictions(file)


def test_labels_in_the_place_of_probabilities_are_called_so(tmp_path):
    """Also where the mean over repeats is none."""
    rows = [(f"p{n}", repeat, n % 2, (n + (n == repeat)) % 2) for n in range(12) for repeat in (1, 2)]
    table = pd.DataFrame(rows, columns=["subject", "repeat", "truth", "score"])
    table.to_csv(tmp_path / "labels.csv", index=False)
    text = html.unescape(report_predictions(tmp_path / "labels.csv").read_text())
    assert (
        "All scores are 0 or 1: they are class labels, not probabilities. The AUC therefore is the mean of sensitivity"
        in text
    )
    assert "Calibration is not available: all scores are 0 or 1" in text
    table.assign(score=0.1 + 0.8 * table["score"]).to_csv(tmp_path / "scores.csv", index=False)
    assert "labels, not probabilities" not in report_predictions(tmp_path / "scores.csv").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "subject,truth,score\na,1,0.5\nb,0,0.5\n,,\nb,0,0.4\nb,1,0.4\n",
            "once; found rows 3 and 5 for the same subject, b. Their values of truth are 0 and 1: find out which "
            "is right. Average its scores, or add a column split.",
        ),
        (
            "subject,truth,score\na,1,0.5\na,1.0,0.4\n",
            "once; found rows 2 and 3 for the same subject, a. Average its scores, or add a column split.",
        ),
        (
            "subject,fold,truth,score\na,1,1,0.5\na,2,1,0.5\na,2,1,0.4\n",
            "once per split; found rows 3 and 4 for the same subject, a, fold 2. Remove one, or correct its fold.",
        ),
    ],
)
def test_a_subject_twice_is_told_by_its_rows_and_of_columns_that_are_there(tmp_path, text, message):
    (tmp_path / "theirs.csv").write_text(text)
    with pytest.raises(InputError) as caught:
        read_predictions(tmp_path / "theirs.csv")
    assert str(caught.value) == f"{tmp_path / 'theirs.csv'}: expected each subject {message}"


def test_rows_of_patients_without_a_column_patient_are_told_on_the_page_and_beside_it(tmp_path, capsys):
    rows = [(f"p{n:02}_slice{k}", n % 2, (n * 7 + k) % 10 / 10) for n in range(10) for k in range(3)]
    table = pd.DataFrame(rows, columns=["subject", "truth", "score"])
    told = "The names of the 30 subjects are 10 names with different numbers (p00_slice0 ...). If these are 10 patients"
    table.to_csv(tmp_path / "slices.csv", index=False)
    page = html.unescape(report_predictions(tmp_path / "slices.csv").read_text())
    assert told in page and told in capsys.readouterr().err
    half = table.assign(patient=table["subject"].where(table.index % 30 < 3, ""))  # most of them name none
    half.to_csv(tmp_path / "half.csv", index=False)
    read_predictions(tmp_path / "half.csv")
    assert "The names of the 27 subjects are 9 names with different numbers (p01_slice0 ...)" in capsys.readouterr().err
    table.assign(patient=table["subject"].str[:3]).to_csv(tmp_path / "patients.csv", index=False)
    assert read_predictions(tmp_path / "patients.csv").performance["numbered_names"] is None
    assert capsys.readouterr().err == ""


def test_no_run_no_table(tmp_path):
    with pytest.raises(InputError, match="expected the folder of one run"):
        report_runs([tmp_path])
    with pytest.raises(InputError, match="no such file"):
        report_predictions(tmp_path / "none.csv")
    with pytest.raises(InputError, match="found a folder. Name the file predictions.csv in it"):
        report_predictions(tmp_path)
    (tmp_path / "recipe.json").write_text("{}")
    with pytest.raises(InputError, match="the recipe of a run"):
        report_runs([tmp_path])
    write_json({"format": FORMAT, "recipe": {"paper": "another"}}, tmp_path / "recipe.json")
    (tmp_path / "metrics.json").touch()
    with pytest.raises(InputError, match="a recipe of gbm2d or sgp3d"):
        report_runs([tmp_path])
    (tmp_path / "metrics.json").unlink()
    write_json({"format": FORMAT, "recipe": RECIPE}, tmp_path / "recipe.json")
    with pytest.raises(InputError, match="a finished run"):
        report_runs([tmp_path])


@pytest.mark.parametrize("name", ["predictions", "cohort", "exclusions", "splits"])
def test_a_table_of_a_run_that_is_gone_or_broken_is_named(tmp_path, scores, name):
    run = write_run(tmp_path / "run", scores)
    (run / f"{name}.csv").write_bytes(b"\x89PNG\xff")
    with pytest.raises(InputError, match=f"{name}.csv: expected a CSV"):
        report_runs([run])
    (run / f"{name}.csv").unlink()
    missing = f"{name}.csv: expected a table of a run; found no such file"
    if name == "predictions":
        missing = "expected a run whose splits are all trained; found no predictions.csv"
    with pytest.raises(InputError, match=missing):
        report_runs([run])


def test_numbers_are_those_of_the_predictions_whatever_metrics_says(tmp_path, scores):
    run = write_run(tmp_path / "run", scores)
    wrong = {"pooled": {"auc": 0.1}, "within_splits": {"auc": 0.2}}
    write_json({"sequence": "t1gd"} | wrong, run / "metrics.json")
    report_runs([run])
    after = json.loads((run / "metrics.json").read_text())
    assert after["within_splits"]["auc"] == after["performance"]["auc"]["within_splits"]["value"] > 0.5
    assert after["pooled"]["auc"] == after["performance"]["auc"]["pooled"]["value"] > 0.5


def test_a_run_counts_once_and_phantoms_stand_apart(tmp_path, scores):
    runs_dir = [write_run(tmp_path / name, scores, bare=True) for name in "ab"]
    with pytest.raises(InputError, match="expected runs with different seeds; found the same recipe and seed in a, b"):
        report_runs(runs_dir, tmp_path / "page.html")
    table = pd.read_csv(tmp_path / "b/cohort.csv", dtype=str).assign(cohort="phantom")
    table.to_csv(tmp_path / "b/cohort.csv", index=False)
    with pytest.raises(InputError, match="only runs on real patients, or only runs on the synthetic cohort"):
        report_runs(runs_dir, tmp_path / "page.html")
    again = [runs_dir[0], tmp_path / "b" / ".." / "a"]  # one run, spelt in two ways
    assert report_runs(again, tmp_path / "page.html").read_text().count("T1Gd on") > 0


def test_recipes_of_one_network_are_told_apart_by_their_folders(tmp_path, scores):
    folders = [write_run(tmp_path / "slow", scores, bare=True)]
    folders.append(write_run(tmp_path / "fast", scores, RECIPE | {"epochs": 5}, bare=True))
    assert "T1Gd (slow) minus T1Gd (fast)" in report_runs(folders, tmp_path / "page.html").read_text()


@pytest.mark.parametrize("name", ["theirs.csv", "page", "."])
def test_a_page_takes_no_other_file_s_place(tmp_path, scores, name):
    table = pd.DataFrame({"subject": range(NUM_PATIENTS), "truth": np.arange(NUM_PATIENTS) % 2, "score": scores})
    table.to_csv(tmp_path / "theirs.csv", index=False)
    before = (tmp_path / "theirs.csv").read_bytes()
    with pytest.raises(InputError):
        report_predictions(tmp_path / "theirs.csv", tmp_path / name)
    assert (tmp_path / "theirs.csv").read_bytes() == before and len(list(tmp_path.iterdir())) == 1
