"""From the files of a finished training to its numbers, tables and figures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glioma_idh import runs
from glioma_idh.errors import InputError
from glioma_idh.files import write_json, write_table
from glioma_idh.imaging.volumes import write_volume
from glioma_idh.papers import SGPNET, SLICE_CNN
from glioma_idh.reporting import results
from glioma_idh.reporting.results import compare_runs, numbers_of, write_external, write_results

PUBLISHED = {"SGPNet": {"auc": (0.949, None), "dice": (0.935, None)}}
FIGURES = {"boxes", "learning_curves"}
LESIONS = {"lesions", "lesion_best", "lesion_median", "lesion_worst"}


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
    write_table(table[["subject", "patient"]].assign(idh=table["truth"], **paths), folder / "cohort.csv")
    write_table(pd.concat(splits), folder / "splits.csv")
    return folder


def drawn(folder):
    return {path.stem for path in (folder / "figures").iterdir()}


def empty_figure(_, folder, name):
    """Drawn, but nothing in its file, which takes most of the time."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.svg").touch()


@pytest.mark.integration
def test_both_tasks_leave_numbers_table_and_figures(tmp_path, capsys):
    folder = make_run(tmp_path / "run")
    metrics = write_results("SGPNet", folder, PUBLISHED, SGPNET)
    assert metrics["sequence"] == "SGPNet" and not metrics["synthetic"]
    assert (
        metrics["mean"]["dice"] == pytest.approx(0.35) and metrics["pooled"]["auc"] == 14.5 / 16
    )  # of all patients one pair the wrong way round, one tie
    assert metrics["within_splits"]["auc"] == 7 / 8 and metrics["within_splits"]["num_pairs"] == 8
    low, high = metrics["within_splits"]["auc_interval"]
    assert low < 7 / 8 < high < 1
    assert drawn(folder) == FIGURES | LESIONS | {"roc"}
    baselines = {"all-ones mask": {"dice": 0.67}}
    assert (
        compare_runs(folder, {"SGPNet": folder}, PUBLISHED, True, SGPNET, baselines)["SGPNet"]["sequence"] == "SGPNet"
    )
    table = pd.read_csv(folder / "table.csv", dtype=str).set_index("Unnamed: 1")
    assert table.loc["paper", "DSC"] == "0.935" and table.loc["all-ones mask", "DSC"] == "0.670"
    text = capsys.readouterr().out
    assert f"0.875 ({low:.3f}-{high:.3f})" in text and "0.906 (" not in text and "all-ones mask" in text


def test_one_task_has_the_figures_of_that_task(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "save_figure", empty_figure)
    folder = make_run(tmp_path / "segmentation", score=np.nan)
    metrics = write_results("SGPNet", folder, PUBLISHED, SGPNET)
    assert metrics["within_splits"] == {} and drawn(folder) == FIGURES | LESIONS
    folder = make_run(tmp_path / "idh", dice=np.nan)
    assert "dice" not in write_results("SGPNet", folder, PUBLISHED, SGPNET)["mean"]
    assert drawn(folder) == FIGURES | {"roc"}


def test_the_auc_within_splits_and_its_interval_by_hand():
    """Fold 0: the mutants win 2 and 1 of 2 wild-types, these lose 1 and 2 of 2 mutants; in fold 1 all win all.

    Around their means 1.5 they are half a pair away; times sqrt(2 / 1), squared and summed 4 x 0.5 = 2, over 8 pairs:
    a standard error of sqrt(2) / 8.
    """
    lower = table_of(repeat=0).assign(score=lambda rows: rows["score"] - 0.1)
    predictions = pd.concat([lower, lower.assign(repeat=1, score=lower["score"] + 0.2)])  # the mean is 0.1 to 0.9
    for table in (table_of(), predictions):  # two tests of the same patients are one of their mean score
        numbers = numbers_of("SGPNet", table, True)
        assert numbers["sequence"] == "SGPNet" and numbers["synthetic"] is True
        found = numbers["within_splits"]
        assert (found["auc"], found["num_pairs"]) == (7 / 8, 8) and numbers["pooled"]["auc"] == 14.5 / 16
        middle, half = np.log(7), 1.959964 * np.sqrt(2) / 8 / (7 / 64)
        assert found["auc_interval"] == pytest.approx(
            [1 / (1 + np.exp(half - middle)), 1 / (1 + np.exp(-half - middle))]
        )
    assert numbers_of("t2", predictions, False)["synthetic"] is False


def table_of(repeat=0):
    """Eight subjects in two folds."""
    columns = {"subject": [f"s{n}" for n in range(8)], "patient": [f"s{n}" for n in range(8)], "repeat": repeat}
    scores = [0.9, 0.6, 0.7, 0.1, 0.8, 0.7, 0.3, 0.2]
    return pd.DataFrame(columns | {"split": np.repeat([0, 1], 4), "truth": [1, 1, 0, 0] * 2, "score": scores})


def test_a_second_cohort_goes_to_its_folder_with_its_own_numbers(tmp_path, monkeypatch, capsys):
    drawn_of = []
    monkeypatch.setattr(results, "draw_scores", lambda *given: drawn_of.append(given))
    cohort = pd.DataFrame({"subject": [f"s{n}" for n in range(8)], "cohort": "egd", "idh": [1, 1, 0, 0] * 2})
    error = InputError("one mask", "none", "Draw one.", subject="s9")
    metrics = write_external("t2", tmp_path / "egd", cohort, table_of(), [error], SLICE_CNN)
    assert metrics["pooled"]["auc"] == 14.5 / 16 and metrics["synthetic"] is False and metrics["sequence"] == "t2"
    assert runs.read_json(tmp_path / "egd" / "metrics.json")["pooled"]["auc"] == 14.5 / 16
    read = {name: runs.read_table(tmp_path / "egd" / f"{name}.csv") for name in ("cohort", "predictions", "exclusions")}
    assert read["cohort"]["subject"].tolist() == cohort["subject"].tolist()
    assert read["predictions"]["score"].tolist() == table_of()["score"].tolist()
    assert read["exclusions"]["subject"].tolist() == ["s9"]
    ((folder, predictions, numbers, published, printed),) = drawn_of
    assert folder == tmp_path / "egd" and published == {} and printed is SLICE_CNN
    assert predictions["t2"].equals(table_of()) and numbers["t2"]["pooled"]["auc"] == 14.5 / 16
    text = capsys.readouterr().out
    assert "External testing on egd: 8 subjects, 4 mutant" in text and "pooled over 8 patients" in text
    assert "AUC within splits" in text
    phantoms = write_external("t2", tmp_path / "egd", cohort.assign(cohort="phantom"), table_of(), [], SLICE_CNN)
    assert phantoms["synthetic"] is True
    assert "no clinical result" in capsys.readouterr().out


def test_on_a_second_cohort_the_auc_within_splits_is_that_of_the_networks_mean_score(tmp_path, monkeypatch):
    """Each of two networks has 3 of the 4 pairs in order, their mean score all but a tie."""
    monkeypatch.setattr(results, "draw_scores", lambda *_: None)
    names = ["a", "b", "c", "d"]
    cohort = pd.DataFrame({"subject": names, "cohort": "egd", "idh": [1, 1, 0, 0]})
    both = [
        pd.DataFrame({"subject": names, "patient": names, "repeat": 0, "split": fold, "truth": [1, 1, 0, 0]}).assign(
            score=scores
        )
        for fold, scores in enumerate([[0.9, 0.3, 0.5, 0.1], [0.5, 0.7, 0.5, 0.6]])
    ]
    metrics = write_external("t2", tmp_path, cohort, pd.concat(both), [], SLICE_CNN)
    # 0.70, 0.50 against 0.50, 0.35; the networks' own AUCs are 3 and 2.5 of 4
    assert [split["auc"] for split in metrics["per_split"]] == [3 / 4, 2.5 / 4]
    assert metrics["within_splits"]["auc"] == 3.5 / 4 and metrics["within_splits"]["num_pairs"] == 4


def test_the_best_possible_of_several_sequences_is_of_their_sum(tmp_path):
    # Alone the latents of t2 order three pairs of four rightly, those of flair two; their sum all but one, a tie.
    names, latents = ["a", "b", "c", "d"], {"t2": [3.0, 1.0, 2.0, 0.0], "flair": [0.0, 3.0, 1.0, 1.0]}
    predictions = pd.DataFrame({"subject": names, "patient": names, "repeat": 0, "split": 0, "truth": [1, 1, 0, 0]})
    tables = {name: predictions.assign(score=0.5) for name in latents}
    folders = {name: tmp_path / name for name in latents}
    assert results._best_possible_together(folders, tables) is None
    for name, values in latents.items():
        write_table(
            pd.DataFrame({"subject": [*names, "never"], "score": [*values, 9.0]}), tmp_path / name / "planted.csv"
        )
    assert results._best_possible_together(folders, tables) == pytest.approx((1.5 + 2) / 4)  # 3, 4 against 3, 1
    (tmp_path / "t2" / "planted.csv").unlink()
    assert results._best_possible_together(folders, tables) is None


def test_several_runs_are_compared_once_and_again_where_one_is_new(tmp_path, monkeypatch, capsys):
    told = []
    monkeypatch.setattr(results, "draw_scores", lambda folder, *given: told.append(("draw", folder, *given)))
    monkeypatch.setattr(results, "write_report", lambda folder: told.append(("report", folder)))
    monkeypatch.setattr(results, "write_comparison", lambda folders, out: told.append(("comparison", folders, out)))
    folders = {name: tmp_path / name for name in ("t2", "flair")}
    for name, folder in folders.items():
        predictions = table_of().assign(score=lambda rows, name=name: rows["score"] if name == "t2" else 0.5)
        write_table(predictions, folder / "predictions.csv")
        write_json(numbers_of(name, predictions, False), folder / "metrics.json")
    found = compare_runs(tmp_path, folders, {"t2": {"auc": (0.9, 0.1)}}, False)  # nothing is there yet
    assert [found[name]["pooled"]["auc"] for name in folders] == [14.5 / 16, 0.5]
    assert [kind for kind, *_ in told] == ["report", "report", "draw", "comparison"]
    assert [folder for _, folder in told[:2]] == list(folders.values())
    _, folder, predictions, metrics, published, printed = told[2]
    assert folder == tmp_path and published == {"t2": {"auc": (0.9, 0.1)}} and printed is SLICE_CNN
    assert [predictions[name]["score"].iloc[0] for name in folders] == [0.9, 0.5] and metrics == found
    assert told[3][1:] == (list(folders.values()), tmp_path / "report.html")
    kept = runs.read_json(tmp_path / "metrics.json")
    assert set(kept["sequences"]) == set(folders) and kept["best_possible_auc_together"] is None
    table = pd.read_csv(tmp_path / "table.csv", dtype=str)
    assert table["sequence"].drop_duplicates().tolist() == ["T2", "FLAIR"]
    assert "pooled over 8 patients" in capsys.readouterr().out
    for file in (tmp_path / "figures" / "boxes.svg", *(folder / "report.html" for folder in folders.values())):
        file.parent.mkdir(exist_ok=True)
        file.touch()
    told.clear()
    compare_runs(tmp_path, folders, {}, False)
    assert told == []
    compare_runs(tmp_path, folders, {}, True)
    assert [kind for kind, *_ in told] == ["report", "report", "draw", "comparison"]


@pytest.mark.parametrize("best", [None, 0.75])
def test_a_run_finished_before_there_was_an_auc_within_splits_gets_one(tmp_path, monkeypatch, best):
    monkeypatch.setattr(results, "write_report", lambda *_: None)
    write_table(table_of(), tmp_path / "predictions.csv")
    older = {"sequence": "t2", "synthetic": best is not None, "pooled": {"auc": 0.1}}
    write_json(older, tmp_path / "metrics.json")
    if best is not None:
        latents = [3.0, 0.0, 2.0, 1.0, 3.0, 3.0, 0.0, 0.0]  # 2 and 4 of 4 pairs in order
        planted = pd.DataFrame({"subject": table_of()["subject"], "score": latents})
        write_table(planted, tmp_path / "planted.csv")
    found = compare_runs(tmp_path, {"t2": tmp_path}, {}, False)["t2"]
    assert found["within_splits"]["auc"] == 7 / 8 and found["pooled"]["auc"] == 14.5 / 16
    assert found["within_splits"].get("best_possible_auc") == best and found["synthetic"] is (best is not None)
    kept = {"sequence": "t2"} | numbers_of("t2", table_of(), False)
    kept["within_splits"] = {"auc": 0.3, "auc_interval": [0.2, 0.4]}  # what is there is not computed again
    write_json(kept, tmp_path / "metrics.json")
    assert compare_runs(tmp_path, {"t2": tmp_path}, {}, False)["t2"]["within_splits"]["auc"] == 0.3


def test_the_figures_are_given_what_they_draw(tmp_path, monkeypatch):
    given = {}
    monkeypatch.setattr(results, "save_figure", lambda figure, folder, name: given.update({f"{name} at": folder}))
    monkeypatch.setattr(results.figures, "roc_curves", lambda tables, **named: given.update(roc=(tables, named)))
    monkeypatch.setattr(results.figures, "score_boxes", lambda scores, **named: given.update(boxes=(scores, named)))
    tables = {"t2": table_of(), "lesion": table_of().assign(score=np.nan, dice=0.5)}
    planted = pd.Series(table_of()["truth"].to_numpy(), index=table_of()["subject"])
    metrics = {name: numbers_of(name, table, name == "t2", planted) for name, table in tables.items()}
    results.draw_scores(tmp_path, tables, metrics, {"t2": {"auc": (0.9, 0.1)}, "lesion": {"dice": (0.8, None)}}, SGPNET)
    assert given["roc at"] == given["boxes at"] == tmp_path / "figures"
    scored, named = given["roc"]
    assert list(scored) == ["t2"] and scored["t2"].equals(table_of())
    assert named == {"best_possible": {"t2": 1.0}, "published": {"t2": (0.9, 0.1)}, "synthetic": True}
    scores, named = given["boxes"]
    assert scores.groupby("sequence").size().to_dict() == {"t2": 2, "lesion": 2}
    assert scores.loc[scores["sequence"] == "t2", "auc"].tolist() == [s["auc"] for s in metrics["t2"]["per_split"]]
    assert named["panels"] == SGPNET.boxes and named["synthetic"] and set(named["published"]) == {"t2", "lesion"}


def test_numbers_and_curves_are_of_all_splits_and_phantoms_know_their_best(tmp_path, monkeypatch):
    drawn_of = {}
    for name in ("draw_scores", "learning_curves"):
        monkeypatch.setattr(results, name, lambda *given, name=name, **named: drawn_of.update({name: (*given, named)}))
    for name in ("save_figure", "_draw_lesions"):
        monkeypatch.setattr(results, name, lambda *_, **__: None)
    folder = make_run(tmp_path / "run")
    latents = np.array([3.0, 0.0, 2.0, 1.0, 3.0, 3.0, 0.0, 0.0])  # of the first split, 2 of 4 pairs in order
    planted = pd.DataFrame({"subject": [f"s{n}" for n in range(8)][::-1], "score": latents[::-1]})
    write_table(planted, folder / "planted.csv")
    metrics = write_results("SGPNet", folder, PUBLISHED, SGPNET)
    assert metrics["synthetic"] is True and metrics["mean"]["best_possible_auc"] == (0.5 + 1) / 2
    assert metrics["within_splits"]["best_possible_auc"] == 6 / 8 and "best_possible_auc" not in metrics["pooled"]
    assert runs.read_json(folder / "metrics.json")["pooled"]["num_patients"] == 8
    assert runs.read_table(folder / "predictions.csv")["subject"].tolist() == [f"s{n}" for n in range(8)]
    history, named = drawn_of["learning_curves"]
    by_split = history.groupby(["repeat", "split"])["epoch"].agg(list).to_dict()
    assert by_split == {(0, 0): [1, 2, 3], (0, 1): [1, 2, 3]}
    assert named["panels"] == ["cross_entropy", "dice_loss"] and named["synthetic"] is True
    where, tables, numbers, published, printed, _ = drawn_of["draw_scores"]
    assert where == folder and published is PUBLISHED and printed is SGPNET and list(tables) == ["SGPNet"]
    assert len(tables["SGPNet"]) == 8 and numbers == {"SGPNet": metrics}
    for number in (0, 1):  # without a Dice, the lesion was not learnt
        part = runs.split_folder(folder, number) / "predictions.csv"
        write_table(runs.read_table(part).assign(dice=np.nan), part)
    write_results("SGPNet", folder, PUBLISHED, SGPNET)
    assert drawn_of["learning_curves"][-1]["panels"] == ["cross_entropy"]
