"""From the files of a finished training to its numbers, tables and figures."""

import numpy as np
import pandas as pd
import pytest

from glioma_idh import runs
from glioma_idh.files import write_table
from glioma_idh.imaging.volumes import write_volume
from glioma_idh.reporting.printed import SGPNET
from glioma_idh.reporting.results import compare_runs, write_results

PUBLISHED = {"SGPNet": {"auc": (0.949, None), "dice": (0.935, None)}}
FIGURES = {"boxes", "learning_curves"}
LESIONS = {"lesions", "lesion_best", "lesion_median", "lesion_worst"}


def make_run(folder, **columns):
    """What two splits of a joint training of 8 subjects leave behind; every mask is the reference."""
    subjects, fold = [f"s{n}" for n in range(8)], np.repeat([0, 1], 4)
    table = pd.DataFrame({"subject": subjects, "patient": subjects, "cohort": "x", "repeat": 0, "fold": fold})
    table = table.assign(truth=[1, 1, 0, 0] * 2, score=[0.9, 0.6, 0.7, 0.1, 0.8, 0.7, 0.3, 0.2])
    table = table.assign(**{"dice": np.arange(8) / 10, "lesion_ml": 64e-3, "predicted_ml": 32e-3} | columns)
    splits = [table[["subject", "repeat"]].assign(fold=n, part=np.where(fold == n, "test", "train")) for n in (0, 1)]
    curves = {name: [0.9, 0.5, 0.3] for name in ("loss", "cross_entropy", "dice_loss", "k")}
    curves |= {"test_cross_entropy": [np.nan, 0.6, 0.7], "test_dice_loss": [np.nan, 0.6, 0.4]}
    for n in (0, 1):
        part = runs.split_folder(folder, n)
        write_table(table[table["fold"] == n], part / "predictions.csv")
        write_table(pd.DataFrame({"epoch": [1, 2, 3], **curves}), part / "history.csv")
    image, lesion = np.arange(512.0).reshape(8, 8, 8), np.zeros((8, 8, 8), np.uint8)
    lesion[2:6, 2:6, 2:6] = 1
    for name, voxels in {"flair": image, "seg": lesion, **dict.fromkeys(subjects, lesion)}.items():
        write_volume(folder / "masks" / f"{name}.nii.gz", voxels, np.eye(4))
    paths = {"flair": str(folder / "masks" / "flair.nii.gz"), "lesion_mask": str(folder / "masks" / "seg.nii.gz")}
    write_table(table[["subject", "patient"]].assign(idh=table["truth"], **paths), folder / "cohort.csv")
    write_table(pd.concat(splits), folder / "splits.csv")
    return folder


def drawn(folder):
    return {path.stem for path in (folder / "figures").iterdir()}


def test_both_tasks_leave_numbers_table_and_figures(tmp_path, capsys):
    folder = make_run(tmp_path / "run")
    metrics = write_results("SGPNet", folder, PUBLISHED, SGPNET)
    assert metrics["sequence"] == "SGPNet" and not metrics["synthetic"]
    assert (
        metrics["mean"]["dice"] == pytest.approx(0.35) and metrics["pooled"]["auc"] == 14.5 / 16
    )  # one pair the wrong way round, one tie
    low, high = metrics["pooled"]["auc_interval"]
    assert low < 14.5 / 16 and high == 1
    assert drawn(folder) == FIGURES | LESIONS | {"roc"}
    baselines = {"all-ones mask": {"dice": 0.67}}
    assert (
        compare_runs(folder, {"SGPNet": folder}, PUBLISHED, True, SGPNET, baselines)["SGPNet"]["sequence"] == "SGPNet"
    )
    table = pd.read_csv(folder / "table.csv", dtype=str).set_index("Unnamed: 1")
    assert table.loc["paper", "DSC"] == "0.935" and table.loc["all-ones mask", "DSC"] == "0.670"
    text = capsys.readouterr().out
    assert f"0.906 ({low:.3f}-1.000)" in text and "all-ones mask" in text


def test_one_task_has_the_figures_of_that_task(tmp_path):
    folder = make_run(tmp_path / "segmentation", score=np.nan)
    metrics = write_results("SGPNet", folder, PUBLISHED, SGPNET)
    assert "auc_interval" not in metrics["pooled"] and drawn(folder) == FIGURES | LESIONS
    folder = make_run(tmp_path / "idh", dice=np.nan)
    assert "dice" not in write_results("SGPNet", folder, PUBLISHED, SGPNET)["mean"]
    assert drawn(folder) == FIGURES | {"roc"}
