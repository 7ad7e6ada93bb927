"""From the files of a finished training to its numbers, tables, figures and page."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glioma_idh import runs
from glioma_idh.errors import InputError
from glioma_idh.evaluation.metrics import summarise
from glioma_idh.files import write_json, write_table
from glioma_idh.imaging.volumes import write_volume
from glioma_idh.papers import find_paper
from glioma_idh.reporting import report
from glioma_idh.reporting.report import compare_runs, finish_run, write_external, write_report
from glioma_idh.reporting.sections import of_run, shared_figures
from glioma_idh.runs.run import Run, read_finished_run

PUBLISHED = {"auc": [0.949, None], "dice": [0.935, None]}
FIGURES = {"boxes", "learning_curves"}
LESIONS = {"lesions", "lesion_best", "lesion_median", "lesion_worst"}


def begin(folder, published=PUBLISHED, **recipe):
    """The recipe of a run; of SGPNet where no other paper is named."""
    settings = {"paper": "sgp3d", "cohort": "mine.csv"} | recipe
    kept = {"recipe": settings, "hash": "12345678", "versions": {}, "published": published}
    write_json(kept | {"format": runs.FORMAT}, folder / "recipe.json")


def make_run(folder, **columns):
    """What two splits of a joint training of 8 subjects leave behind; every mask is the reference."""
    subjects, fold = [f"s{n}" for n in range(8)], np.repeat([0, 1], 4)
    table = pd.DataFrame({"subject": subjects, "patient": subjects, "cohort": "x", "repeat": 0, "split": fold})
    table = table.assign(truth=[1, 1, 0, 0] * 2, score=[0.9, 0.6, 0.7, 0.1, 0.8, 0.7, 0.3, 0.2])
    table = table.assign(**{"dice": np.arange(8) / 10, "lesion_ml": 64e-3, "predicted_ml": 32e-3} | columns)
    splits = [table[["subject", "repeat"]].assign(split=n, part=np.where(fold == n, "test", "train")) for n in (0, 1)]
    curves = {name: [0.9, 0.5, 0.3] for name in ("loss", "cross_entropy", "dice_loss", "k")}
    curves |= {"test_cross_entropy": [np.nan, 0.6, 0.7], "test_dice_loss": [np.nan, 0.6, 0.4]}
    for n in (0, 1):
        part = runs.split_folder(folder, n)
        write_table(table[table["split"] == n], part / "predictions.csv")
        write_table(pd.DataFrame({"epoch": [1, 2, 3], **curves}), part / "history.csv")
    image, lesion = np.arange(512.0).reshape(8, 8, 8), np.zeros((8, 8, 8), np.uint8)
    lesion[2:6, 2:6, 2:6] = 1
    paths = {"flair": str(folder / "scans" / "flair.nii.gz"), "lesion_mask": str(folder / "scans" / "seg.nii.gz")}
    files = {runs.mask_file(folder, index, subject): lesion for index, subject in zip(fold, subjects, strict=True)}
    for file, voxels in {paths["flair"]: image, paths["lesion_mask"]: lesion, **files}.items():
        write_volume(Path(file), voxels, np.eye(4))
    write_table(table[["subject", "patient", "cohort"]].assign(idh=table["truth"], **paths), folder / "cohort.csv")
    write_table(pd.DataFrame(columns=["subject", "file", "expected", "found", "advice"]), folder / "exclusions.csv")
    write_table(pd.concat(splits), folder / "splits.csv")
    begin(folder)
    return folder


def drawn(folder):
    return {path.stem for path in (folder / "figures").iterdir()}


@pytest.fixture
def undrawn(monkeypatch):
    """What stands on pages and in figures, which are not drawn: that takes most of the time."""

    def save_figure(figure, folder, name):
        folder.mkdir(parents=True, exist_ok=True)
        for ending in ("png", "svg"):
            (folder / f"{name}.{ending}").write_text("drawn")
        return folder / f"{name}.png", folder / f"{name}.svg"

    for module in ("report", "html"):
        monkeypatch.setattr(f"glioma_idh.reporting.{module}.save_figure", save_figure)


@pytest.fixture
def unpublished(monkeypatch):
    """The pages that were asked for; none is made."""
    pages = []
    monkeypatch.setattr(report, "publish", lambda page, *_: pages.append(page) or {})
    return pages


@pytest.mark.integration
def test_both_tasks_leave_numbers_table_and_figures(tmp_path, capsys):
    folder = make_run(tmp_path / "run")
    run = finish_run(folder)
    metrics = run.metrics
    assert metrics["sequence"] == "SGPNet" and not metrics["synthetic"]
    assert (
        metrics["mean"]["dice"] == pytest.approx(0.35) and metrics["pooled"]["auc"] == 14.5 / 16
    )  # of all patients one pair the wrong way round, one tie
    assert metrics["within_splits"]["auc"] == 7 / 8 and metrics["within_splits"]["num_pairs"] == 8
    low, high = metrics["within_splits"]["auc_interval"]
    assert low < 7 / 8 < high < 1
    assert drawn(folder) == FIGURES | LESIONS | {"roc"}
    kept = runs.read_json(folder / "metrics.json")
    assert kept["performance"]["auc"]["within_splits"]["value"] == 7 / 8 and kept["subjects"]["tested"] == 8
    assert kept == runs.read_json(folder / "report_files" / "metrics.json")
    for name in ("boxes", "learning_curves", "lesions"):  # one drawing, at both places
        both = [(place / f"{name}.svg").read_bytes() for place in (folder / "figures", folder / "report_files/figures")]
        assert both[0] == both[1]
    baselines = {"all-ones mask": {"dice": 0.67}}
    assert compare_runs(folder, {"SGPNet": folder}, {"SGPNet": run}, baselines)["SGPNet"]["sequence"] == "SGPNet"
    table = pd.read_csv(folder / "table.csv", dtype=str).set_index("Unnamed: 1")
    assert table.loc["paper", "DSC"] == "0.935" and table.loc["all-ones mask", "DSC"] == "0.670"
    text = capsys.readouterr().out
    assert f"0.875 ({low:.3f}-{high:.3f})" in text and "0.906 (" not in text and "all-ones mask" in text


def test_one_task_has_the_figures_of_that_task(tmp_path, undrawn):
    folder = make_run(tmp_path / "segmentation", score=np.nan)
    assert finish_run(folder).metrics["within_splits"] == {} and drawn(folder) == FIGURES | LESIONS
    folder = make_run(tmp_path / "idh", dice=np.nan)
    assert "dice" not in finish_run(folder).metrics["mean"]
    assert drawn(folder) == FIGURES | {"roc"}


def test_the_report_of_a_finished_run_makes_the_same_again_and_one_elsewhere_leaves_the_run_alone(tmp_path, undrawn):
    folder = make_run(tmp_path / "run")
    finish_run(folder)

    def contents():
        return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}

    before = contents()
    for name in ("figures/boxes.svg", "figures/roc.svg", "metrics.json", "report_files/tables/scores.csv"):
        (folder / name).write_text("{}")
    write_report(folder)
    assert contents() == before
    for name in ("figures/boxes.svg", "figures/roc.svg", "metrics.json"):
        (folder / name).write_text("{}")
    write_report(folder, tmp_path / "elsewhere" / "page.html")
    assert {path.name for path, content in contents().items() if content != before[path]} == {
        "boxes.svg",
        "roc.svg",
        "metrics.json",
    }


def test_a_run_is_finished_only_once_all_of_it_is_there(tmp_path, monkeypatch):
    def stop(*_):
        raise InputError("space", "a full disk", "Free some.")

    folder = make_run(tmp_path / "run")
    monkeypatch.setattr(report, "publish", stop)
    with pytest.raises(InputError, match="a full disk"):
        finish_run(folder)
    assert (folder / "predictions.csv").exists() and not (folder / "metrics.json").exists()


def test_where_scans_are_gone_the_page_says_so_and_the_other_figures_are_there(tmp_path, undrawn):
    folder = make_run(tmp_path / "run")
    (folder / "scans" / "flair.nii.gz").unlink()
    finish_run(folder)
    assert (
        drawn(folder) == FIGURES | {"roc"}
        and "Images of the lesions are not available" in (folder / "report.html").read_text()
    )


def numbers_of(table, cohort="x", planted=None):
    """What is computed of a predictions table."""
    people = pd.DataFrame({"cohort": [cohort]})
    return Run(None, "t2", {}, people, people, people, table, planted=planted).metrics


def test_the_auc_within_splits_and_its_interval_by_hand():
    """Fold 0: the mutants win 2 and 1 of 2 wild-types, these lose 1 and 2 of 2 mutants; in fold 1 all win all.

    Around their means 1.5 they are half a pair away; times sqrt(2 / 1), squared and summed 4 x 0.5 = 2, over 8 pairs:
    a standard error of sqrt(2) / 8.
    """
    lower = table_of(repeat=0).assign(score=lambda rows: rows["score"] - 0.1)
    predictions = pd.concat([lower, lower.assign(repeat=1, score=lower["score"] + 0.2)])  # the mean is 0.1 to 0.9
    for table in (table_of(), predictions):  # two tests of the same patients are one of their mean score
        numbers = numbers_of(table, "phantom")
        assert numbers["sequence"] == "t2" and numbers["synthetic"] is True
        found = numbers["within_splits"]
        assert (found["auc"], found["num_pairs"]) == (7 / 8, 8) and numbers["pooled"]["auc"] == 14.5 / 16
        middle, half = np.log(7), 1.959964 * np.sqrt(2) / 8 / (7 / 64)
        assert found["auc_interval"] == pytest.approx(
            [1 / (1 + np.exp(half - middle)), 1 / (1 + np.exp(-half - middle))]
        )
    assert numbers_of(predictions)["synthetic"] is False


def table_of(repeat=0):
    """Eight subjects in two folds."""
    columns = {"subject": [f"s{n}" for n in range(8)], "patient": [f"s{n}" for n in range(8)], "repeat": repeat}
    scores = [0.9, 0.6, 0.7, 0.1, 0.8, 0.7, 0.3, 0.2]
    return pd.DataFrame(columns | {"split": np.repeat([0, 1], 4), "truth": [1, 1, 0, 0] * 2, "score": scores})


def write_finished(folder, table=None, sequence="t2", published=(), cohort="x"):
    """A finished run of one sequence with this predictions table."""
    table = table_of() if table is None else table
    begin(folder, dict(published), paper="gbm2d", sequence=[sequence])
    people = table[["subject", "patient"]].drop_duplicates().assign(cohort=cohort, idh=[1, 1, 0, 0] * 2)
    part_of = [np.where(table["split"] == n, "test", "train") for n in (0, 1)]
    parts = pd.concat([table[["subject", "repeat"]].assign(split=n, part=part) for n, part in enumerate(part_of)])
    tables = {"cohort": people, "exclusions": people[:0], "splits": parts, "predictions": table}
    for name, content in tables.items():
        write_table(content, folder / f"{name}.csv")
    write_json({"sequence": sequence, "synthetic": cohort == "phantom", **summarise(table)}, folder / "metrics.json")
    return folder


@pytest.fixture
def figures_of(monkeypatch):
    """What the two figures of scores were given, and where they were saved."""
    given = {}
    monkeypatch.setattr(report, "save_figure", lambda figure, folder, name: given.update({f"{name} at": folder}))
    monkeypatch.setattr(shared_figures, "roc_curves", lambda tables, **named: given.update(roc=(tables, named)))
    monkeypatch.setattr(shared_figures, "score_boxes", lambda scores, **named: given.update(boxes=(scores, named)))
    return given


def test_a_second_cohort_goes_to_its_folder_with_its_own_numbers(tmp_path, figures_of, capsys):
    run = write_finished(tmp_path / "run", table_of().assign(score=0.5), published={"auc": [0.9, 0.1]})
    write_table(pd.DataFrame({"subject": [f"s{n}" for n in range(8)], "score": 1.0}), run / "planted.csv")
    cohort = pd.DataFrame({"subject": [f"s{n}" for n in range(8)], "cohort": "egd", "idh": [1, 1, 0, 0] * 2})
    error = InputError("one mask", "none", "Draw one.", subject="s9")
    metrics = write_external(run, "egd", cohort, table_of(), [error])
    folder = run / "external" / "egd"
    assert metrics["pooled"]["auc"] == 14.5 / 16 and metrics["synthetic"] is False and metrics["sequence"] == "t2"
    assert "best_possible_auc" not in metrics["mean"]
    assert runs.read_json(folder / "metrics.json")["pooled"]["auc"] == 14.5 / 16
    read = {name: runs.read_table(folder / f"{name}.csv") for name in ("cohort", "predictions", "exclusions")}
    assert read["cohort"]["subject"].tolist() == cohort["subject"].tolist()
    assert read["predictions"]["score"].tolist() == table_of()["score"].tolist()
    assert read["exclusions"]["subject"].tolist() == ["s9"]
    assert figures_of["roc at"] == figures_of["boxes at"] == folder / "figures"
    scored, named = figures_of["roc"]
    assert list(scored) == ["T2"] and scored["T2"].equals(table_of()) and named["published"] == {}
    scores, named = figures_of["boxes"]
    assert scores["auc"].tolist() == [split["auc"] for split in metrics["per_split"]] and named["published"] == {}
    text = capsys.readouterr().out
    assert "External testing on egd: 8 subjects, 4 IDH-mutant" in text and "pooled over 8 patients" in text
    assert "AUC within splits" in text and "paper" not in text
    phantoms = write_external(run, "egd", cohort.assign(cohort="phantom"), table_of(), [])
    assert phantoms["synthetic"] is True
    assert "no clinical result" in capsys.readouterr().out


def test_on_a_second_cohort_the_auc_within_splits_is_that_of_the_networks_mean_score(tmp_path, figures_of):
    """Each of two networks has 3 of the 4 pairs in order, their mean score all but a tie."""
    names = ["a", "b", "c", "d"]
    cohort = pd.DataFrame({"subject": names, "cohort": "egd", "idh": [1, 1, 0, 0]})
    both = [
        pd.DataFrame({"subject": names, "patient": names, "repeat": 0, "split": fold, "truth": [1, 1, 0, 0]}).assign(
            score=scores
        )
        for fold, scores in enumerate([[0.9, 0.3, 0.5, 0.1], [0.5, 0.7, 0.5, 0.6]])
    ]
    metrics = write_external(write_finished(tmp_path), "egd", cohort, pd.concat(both), [])
    # 0.70, 0.50 against 0.50, 0.35; the networks' own AUCs are 3 and 2.5 of 4
    assert [split["auc"] for split in metrics["per_split"]] == [3 / 4, 2.5 / 4]
    assert metrics["within_splits"]["auc"] == 3.5 / 4 and metrics["within_splits"]["num_pairs"] == 4


def test_the_best_possible_of_several_sequences_is_of_their_sum():
    # Alone the latents of t2 order three pairs of four rightly, those of flair two; their sum all but one, a tie.
    names, latents = ["a", "b", "c", "d"], {"t2": [3.0, 1.0, 2.0, 0.0], "flair": [0.0, 3.0, 1.0, 1.0]}
    predictions = pd.DataFrame({"subject": names, "patient": names, "repeat": 0, "split": 0, "truth": [1, 1, 0, 0]})

    def together(**planted):
        tables = [predictions[["subject"]]] * 3 + [predictions.assign(score=0.5)]
        planted = {name: pd.Series([*values, 9.0], [*names, "never"]) for name, values in planted.items()}
        return report._best_possible_together(
            {name: Run(None, name, {}, *tables, planted=planted.get(name)) for name in latents}
        )

    assert together() is None
    assert together(**latents) == pytest.approx((1.5 + 2) / 4)  # 3, 4 against 3, 1
    assert together(flair=latents["flair"]) is None


def test_several_runs_are_compared_once_and_again_where_one_is_new(tmp_path, unpublished, capsys):
    folders = {}
    for name, score in (("t2", table_of()["score"]), ("flair", 0.5)):
        published = {"auc": [0.9, 0.1]} if name == "t2" else {}
        folders[name] = write_finished(tmp_path / name, table_of().assign(score=score), name, published)
    pages = [*(folder / "report.html" for folder in folders.values()), tmp_path / "report.html"]
    found = compare_runs(tmp_path, folders, {})  # nothing is there yet
    assert [found[name]["pooled"]["auc"] for name in folders] == [14.5 / 16, 0.5]
    assert unpublished == pages
    kept = runs.read_json(tmp_path / "metrics.json")
    assert set(kept["sequences"]) == set(folders) and kept["best_possible_auc_together"] is None
    table = pd.read_csv(tmp_path / "table.csv", dtype=str)
    assert table["sequence"].drop_duplicates().tolist() == ["T2", "FLAIR"]
    assert table.set_index("Unnamed: 1").loc["paper", "AUC"] == "0.90 ± 0.10"  # of T2 alone
    text = capsys.readouterr().out
    assert "pooled over 8 patients" in text and f"Report: {pages[0]}\nReport: {pages[1]}\n" in text
    for file in (tmp_path / "figures" / "boxes.svg", *pages[:2]):
        file.parent.mkdir(exist_ok=True)
        file.touch()
    unpublished.clear()
    compare_runs(tmp_path, folders, {})
    assert unpublished == [] and "Report:" not in capsys.readouterr().out
    compare_runs(tmp_path, folders, {"t2": read_finished_run(folders["t2"])})
    assert unpublished == pages[2:]  # what each run has written of itself stays
    assert f"Report: {pages[0]}\nReport: {pages[1]}\n" in capsys.readouterr().out


def test_the_figures_of_several_runs_are_those_of_their_page(tmp_path, undrawn):
    folders = {name: write_finished(tmp_path / name, sequence=name) for name in ("t2", "flair")}
    for folder in folders.values():
        (folder / "report.html").touch()
    compare_runs(tmp_path, folders, {"t2": read_finished_run(folders["t2"])})
    assert drawn(tmp_path) == {"roc", "boxes"}


@pytest.mark.parametrize("best", [None, 0.75])
def test_a_run_finished_before_there_was_an_auc_within_splits_gets_one(tmp_path, unpublished, best):
    folder = write_finished(tmp_path, cohort="x" if best is None else "phantom")
    write_json({"sequence": "t2", "synthetic": best is not None, "pooled": {"auc": 0.1}}, folder / "metrics.json")
    if best is not None:
        latents = [3.0, 0.0, 2.0, 1.0, 3.0, 3.0, 0.0, 0.0]  # 2 and 4 of 4 pairs in order
        planted = pd.DataFrame({"subject": table_of()["subject"], "score": latents})
        write_table(planted, tmp_path / "planted.csv")
    (tmp_path / "report.html").touch()
    found = compare_runs(tmp_path, {"t2": tmp_path}, {})["t2"]
    assert found["within_splits"]["auc"] == 7 / 8 and found["pooled"]["auc"] == 14.5 / 16
    assert found["within_splits"].get("best_possible_auc") == best and found["synthetic"] is (best is not None)
    kept = numbers_of(table_of())
    kept["within_splits"] = {"auc": 0.3, "auc_interval": [0.2, 0.4]}  # what is there is not computed again
    write_json(kept, tmp_path / "metrics.json")
    assert compare_runs(tmp_path, {"t2": tmp_path}, {})["t2"]["within_splits"]["auc"] == 0.3


def test_the_figures_are_given_what_they_draw(figures_of):
    tables = {"t2": table_of(), "lesion": table_of().assign(score=np.nan, dice=0.5)}
    planted = pd.Series(table_of()["truth"].to_numpy(), index=table_of()["subject"])
    phantoms = pd.DataFrame({"cohort": ["phantom"]})
    published = {"t2": {"auc": (0.9, 0.1)}, "lesion": {"dice": (0.8, None)}}
    given = [
        Run(None, name, {"recipe": {"paper": "sgp3d"}, "published": published[name]}, *[phantoms] * 3, table, planted)
        for name, table in tables.items()
    ]
    shared_figures.roc_of(given), shared_figures.boxes_of(given)
    scored, named = figures_of["roc"]
    assert list(scored) == ["t2"] and scored["t2"].equals(table_of())
    assert named == {"best_possible": {"t2": 1.0}, "published": {"t2": (0.9, 0.1)}, "synthetic": True}
    scores, named = figures_of["boxes"]
    assert scores.groupby("sequence").size().to_dict() == {"t2": 2, "lesion": 2}
    first = scores.loc[scores["sequence"] == "t2", "auc"].tolist()
    assert first == [split["auc"] for split in given[0].metrics["per_split"]]
    assert named["panels"] == given[0].printed.boxes == find_paper({"paper": "sgp3d"}).printed.boxes
    assert named["synthetic"] and set(named["published"]) == {"t2", "lesion"}


def test_numbers_and_curves_are_of_all_splits_and_phantoms_know_their_best(tmp_path, monkeypatch, unpublished):
    curves = []
    monkeypatch.setattr(of_run, "learning_curves", lambda history, **named: curves.append((history, named)))
    folder = make_run(tmp_path / "run")
    latents = np.array([3.0, 0.0, 2.0, 1.0, 3.0, 3.0, 0.0, 0.0])  # of the first split, 2 of 4 pairs in order
    planted = pd.DataFrame({"subject": [f"s{n}" for n in range(8)][::-1], "score": latents[::-1]})
    write_table(planted, folder / "planted.csv")
    write_table(runs.read_table(folder / "cohort.csv").assign(cohort="phantom"), folder / "cohort.csv")
    run = finish_run(folder)
    metrics = run.metrics
    assert metrics["synthetic"] is True and metrics["mean"]["best_possible_auc"] == (0.5 + 1) / 2
    assert metrics["within_splits"]["best_possible_auc"] == 6 / 8 and "best_possible_auc" not in metrics["pooled"]
    assert runs.read_json(folder / "metrics.json")["pooled"]["num_patients"] == 8
    assert runs.read_table(folder / "predictions.csv")["subject"].tolist() == [f"s{n}" for n in range(8)]
    of_run.training_section(run)
    ((history, named),) = curves
    by_split = history.groupby(["repeat", "split"])["epoch"].agg(list).to_dict()
    assert by_split == {(0, 0): [1, 2, 3], (0, 1): [1, 2, 3]}
    assert named["panels"] == ["cross_entropy", "dice_loss"] and named["synthetic"] is True
    assert len(run.predictions) == 8 and read_finished_run(folder).metrics == metrics
    for number in (0, 1):  # without a Dice, the lesion was not learnt
        part = runs.split_folder(folder, number) / "predictions.csv"
        write_table(runs.read_table(part).assign(dice=np.nan), part)
    of_run.training_section(finish_run(folder))
    assert curves[-1][1]["panels"] == ["cross_entropy"]
