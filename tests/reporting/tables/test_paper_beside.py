"""Every number of the paper stands beside ours."""

import json

import numpy as np
import pandas as pd

from glioma_idh.evaluation.metrics import summarise
from glioma_idh.papers import find_paper
from glioma_idh.reporting.tables.results import paper_sheet

SLICE_CNN, SGPNET = (find_paper({"paper": name}).printed for name in ("gbm2d", "sgp3d"))

PREDICTIONS = pd.DataFrame(
    {
        "subject": list("abcd"),
        "patient": list("abcd"),
        "repeat": [0, 0, 1, 1],
        "split": 0,
        "truth": [1, 0, 1, 0],
        "score": [0.9, 0.2, 0.4, 0.45],
        "dice": [0.9, 0.8, 0.5, 0.4],
    }
)
OURS, WITHIN, POOLED = (
    "this work, mean ± SD over 2 splits",
    "this work, within splits",
    "this work, pooled over 4 patients",
)


def sheet(*arguments, **keywords):
    return paper_sheet(*arguments, **keywords).set_index("score")


def test_the_paper_s_mean_and_sd_beside_ours():
    published = {"accuracy": (0.83, 0.07), "ccel": (0.64, 0.23), "auc": (0.86, 0.05)}
    metrics = summarise(PREDICTIONS, pd.Series([3.0, 2.0, 1.0, 0.0], index=list("abcd")))
    table = sheet(metrics, published, SLICE_CNN)
    assert list(table.columns) == ["paper", OURS, WITHIN, POOLED, "always wild-type", "best possible"]
    assert table.loc["Accuracy"].tolist() == ["0.83 ± 0.07", "0.75 ± 0.35", "-", "0.75", "0.50 ± 0.00", "-"]
    within = "0.50 (0.02-0.98)"  # one of two pairs in order, by hand in test_tables.py
    assert table.loc["AUC"].tolist() == ["0.86 ± 0.05", "0.50 ± 0.71", within, "0.75", "0.50", "1.00 ± 0.00"]
    assert table.loc["Sensitivity", "paper"] == "-"
    assert table.index.tolist() == ["Accuracy", "Test loss (cross-entropy)", "Sensitivity", "Specificity", "AUC"]


def test_intervals_stand_where_they_are_known():
    metrics = json.loads(json.dumps(summarise(PREDICTIONS)))
    metrics["within_splits"] = {"auc": 0.625, "auc_interval": [0.2, 1.0]}
    published = {"accuracy": [0.895, None], "auc": [0.949, None], "dice": [0.935, None]}
    table = sheet(metrics, published, SGPNET)
    assert table.loc["AUC"].tolist() == ["0.949", "0.500 ± 0.707", "0.625 (0.200-1.000)", "0.750", "0.500"]
    assert table.loc["Dice coefficient of the lesion", ["paper", POOLED]].tolist() == ["0.935", "0.650"]
    nothing = {"value": 0.625, "low": None, "high": None, "reason": "cannot be computed, because of few"}
    performance = {
        "auc": {"within_splits": nothing, "pooled": {"value": 0.75, "low": 0.211, "high": 0.974, "reason": ""}},
        "rates": {
            "0.5": {"accuracy": {"value": 0.75, "low": 0.301, "high": 0.954, "reason": ""}, "confusion": {"tp": 1}}
        },
        "segmentation": {"dice": {"value": 0.65, "low": 0.45, "high": 0.85, "reason": ""}},
    }
    told = sheet(metrics, published, SGPNET, performance)
    pooled = told[POOLED]
    assert told[WITHIN].to_dict() == dict.fromkeys(pooled.index, "-") | {
        "AUC": "0.625 (interval cannot be computed, because of few)"
    }
    assert (
        pooled["Accuracy"] == "0.750 (0.301 to 0.954)"
        and pooled["Dice coefficient of the lesion"] == "0.650 (0.450 to 0.850)"
    )
    assert pooled["AUC"] == "0.750 (0.211 to 0.974)" and pooled["Sensitivity"] == "0.500"


def test_a_score_that_neither_has_is_left_out():
    table = sheet(summarise(PREDICTIONS.drop(columns="dice")), {}, SGPNET)
    assert "Dice coefficient of the lesion" not in table.index and (table["paper"] == "-").all()
    missing = sheet(summarise(PREDICTIONS.drop(columns="dice")), {"dice": (0.935, None)}, SGPNET)
    assert missing.loc["Dice coefficient of the lesion"].tolist() == ["0.935", "-", "-", "-", "-"]
    alone = {name: {"reason": "cannot be computed, because the table holds no score"} for name in ("auc", "rates")}
    masks = sheet(summarise(PREDICTIONS.assign(score=np.nan)), {}, SGPNET, alone)
    assert masks.index.tolist() == ["Dice coefficient of the lesion"] and masks[POOLED].tolist() == ["0.650"]


def test_one_split_has_no_sd():
    table = sheet(summarise(PREDICTIONS.assign(repeat=0)), {}, SLICE_CNN)
    assert table.loc["Accuracy", "this work, one split"] == "0.75"
