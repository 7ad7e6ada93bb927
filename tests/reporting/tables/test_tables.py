"""The table of results."""

import numpy as np
import pandas as pd
import pytest

from glioma_idh.evaluation.metrics import summarise
from glioma_idh.gbm2d.recipe import PUBLISHED
from glioma_idh.papers import TABLE_ALONE, Printed, find_paper
from glioma_idh.reporting.names import CURVES, PANELS
from glioma_idh.reporting.tables.results import WITHIN_NOTE, latex_table, results_table, results_text

SLICE_CNN, SGPNET = (find_paper({"paper": name}).printed for name in ("gbm2d", "sgp3d"))

PREDICTIONS = pd.DataFrame(
    {
        "subject": list("abcd"),
        "patient": list("abcd"),
        "repeat": [0, 0, 1, 1],
        "split": 0,
        "truth": [1, 0, 1, 0],
        "score": [0.9, 0.2, 0.4, 0.45],
    }
)


def test_where_mutants_are_the_majority_the_trivial_answer_is_always_mutant():
    more = pd.DataFrame({"subject": list("abcd"), "patient": list("abcd"), "repeat": 0, "split": 0})
    more = more.assign(truth=[1, 1, 1, 0], score=[0.9, 0.8, 0.4, 0.1])
    table = results_table({"rcbv": summarise(more)}, {}, SGPNET)
    row = table.loc[("rCBV", "always mutant"), ["ACC", "SN", "SP", "AUC", "PPV", "NPV"]]
    assert row.tolist()[1:4] == ["1.000", "0.000", "0.500"] and row["ACC"].startswith("0.750")
    assert row["PPV"] == row["ACC"] and row["NPV"] == "-"
    assert ("rCBV", "always wild-type") not in table.index


def test_ours_stands_beside_the_paper_the_trivial_answer_and_the_best_possible():
    metrics = {"rcbv": summarise(PREDICTIONS, pd.Series([3.0, 2.0, 1.0, 0.0], index=list("abcd")))}
    table = results_table(metrics, PUBLISHED, SLICE_CNN)
    assert table.loc[("rCBV", "this work"), "AUC"] == "0.50 ± 0.71"
    assert table.loc[("rCBV", "paper"), "AUC"] == "0.86 ± 0.05"
    assert table.loc[("rCBV", "paper"), "CCEL"] == "0.64 ± 0.23"
    assert table.loc[("rCBV", "always wild-type")].tolist() == ["0.50 ± 0.00", "", "0.00", "1.00", "0.50"]
    assert table.loc[("rCBV", "best possible"), "AUC"] == "1.00 ± 0.00"
    # of the two pairs inside a split one is in order; of the four pairs of all patients three. Each of four patients is
    # half a pair away from the mean: the standard error is sqrt(4 (1/2)^2) / 2 = 1/2, on the logit scale 2.
    assert table.loc[("rCBV", "this work, within splits")].tolist() == ["", "", "", "", "0.50 (0.02-0.98)"]
    assert table.loc[("rCBV", "this work, pooled over 4 patients"), "AUC"] == "0.75"


def test_synthetic_results_say_so():
    metrics = {"rcbv": {"synthetic": True, **summarise(PREDICTIONS)}}
    assert results_text(metrics, PUBLISHED, SLICE_CNN).startswith("Synthetic phantom cohort: no clinical result.")
    metrics["rcbv"]["synthetic"] = False
    assert "ynthetic" not in results_text(metrics, PUBLISHED, SLICE_CNN)


SEGMENTED = PREDICTIONS.assign(dice=[0.9, 0.8, 0.5, 0.4])
AVERAGES = {"SGPNet": {"accuracy": (0.895, None), "auc": (0.949, None), "ppv": (0.894, None), "dice": (0.935, None)}}
BASELINES = {"all-ones mask": {"dice": 0.67}, "tumour grade alone": {"auc": 0.872, "accuracy": 0.868}}


def test_the_slice_cnn_s_columns_stay_as_they_are():
    table = results_table({"rcbv": summarise(SEGMENTED)}, PUBLISHED, SLICE_CNN)
    assert list(table.columns) == ["ACC", "CCEL", "SN", "SP", "AUC"]


@pytest.mark.parametrize("nothing", [[None, None], [np.nan, np.nan]])
def test_the_auc_within_splits_stands_with_its_interval_or_without(nothing):
    metrics = summarise(SEGMENTED)
    metrics["within_splits"] = {"auc": 0.625, "auc_interval": [0.241, 0.893], "num_pairs": 2}
    row = results_table({"SGPNet": metrics}, {}, SGPNET).loc[("SGPNet", "this work, within splits")]
    assert row["AUC"] == "0.625 (0.241-0.893)" and set(row.drop("AUC")) == {""}
    metrics["within_splits"] = {"auc": 0.625, "auc_interval": nothing, "num_pairs": 2}
    assert results_table({"SGPNet": metrics}, {}, SGPNET).loc[("SGPNet", "this work, within splits"), "AUC"] == "0.625"
    metrics["within_splits"] = {"auc": nothing[0], "auc_interval": nothing, "num_pairs": 0}
    assert results_table({"SGPNet": metrics}, {}, SGPNET).loc[("SGPNet", "this work, within splits"), "AUC"] == "-"


def test_sgpnet_has_its_columns_averages_without_sd_and_baselines():
    metrics = summarise(SEGMENTED)
    table = results_table({"SGPNet": metrics}, AVERAGES, SGPNET, BASELINES)
    assert list(table.columns) == ["ACC", "SN", "SP", "AUC", "PPV", "NPV", "DSC"]
    assert table.loc[("SGPNet", "this work"), "DSC"] == "0.650 ± 0.283"
    assert table.loc[("SGPNet", "paper")].tolist() == ["0.895", "-", "-", "0.949", "0.894", "-", "0.935"]
    trivial = ["0.500 ± 0.000", "0.000", "1.000", "0.500", "-", "0.500 ± 0.000", ""]
    assert table.loc[("SGPNet", "always wild-type")].tolist() == trivial
    pooled = table.loc[("SGPNet", "this work, pooled over 4 patients")]
    assert pooled["AUC"] == "0.750" and pooled["DSC"] == "0.650"
    assert table.loc[("baseline", "all-ones mask")].tolist() == [""] * 6 + ["0.670"]
    assert table.loc[("baseline", "tumour grade alone")].tolist() == ["0.868", "", "", "0.872", "", "", ""]
    assert [row for _, row in table.index][-2:] == list(BASELINES)


def test_the_text_says_what_stands_in_brackets_or_why_nothing_does():
    metrics = {"SGPNet": {"synthetic": False, **summarise(SEGMENTED)}}
    metrics["SGPNet"]["within_splits"]["auc_interval"] = [0.2, 1.0]
    bracket = "In parentheses: 95 % confidence interval of the AUC within splits (sampling of patients)."
    assert results_text(metrics, {}, SGPNET).endswith(f"{WITHIN_NOTE}\n{bracket}")
    assert results_text(metrics, {}, SLICE_CNN).endswith(f"{WITHIN_NOTE}\n{bracket}")
    for nothing in ([None, None], [np.nan, np.nan]):
        metrics["SGPNet"]["within_splits"]["auc_interval"] = nothing
        text = results_text(metrics, {}, SGPNET, BASELINES)
        assert "No interval of the AUC" in text and "(" not in text.splitlines()[4] and "tumour grade alone" in text


def test_segmentation_alone_has_no_trivial_answer_and_empty_scores():
    metrics = {"SGPNet": {"synthetic": False, **summarise(SEGMENTED.assign(score=np.nan))}}
    table = results_table(metrics, {}, SGPNET)
    assert table.loc[("SGPNet", "this work")].tolist() == ["-"] * 6 + ["0.650 ± 0.283"]
    text = results_text(metrics, {}, SGPNET)
    assert len(table) == 2 and "interval" not in text and "within splits" not in text


def test_latex_prints_every_sign_as_it_is():
    table = pd.DataFrame({"a_b": ["0.91 ± 0.02", "< 5 %"], "c": ["{x} & \\y", "n ≥ 2"]})
    text = latex_table(table, "50 % of #1", "scores")
    assert "a\\_b & c \\\\" in text and "0.91 $\\pm$ 0.02 & \\{x\\} \\& \\textbackslash{}y" in text
    assert "$<$ 5 \\% & n $\\geq$ 2" in text
    assert "\\caption{50 \\% of \\#1}" in text and "\\label{tab:scores}" in text


def test_each_score_stands_under_its_own_heading():
    keys = ("accuracy", "ccel", "sensitivity", "specificity", "auc", "ppv", "npv", "dice")
    mean = {key: (number + 1) / 10 for number, key in enumerate(keys)}
    numbers = {"mean": mean, "sd": {key: value + 0.01 for key, value in mean.items()}, "synthetic": False}
    numbers["pooled"] = {key: value + 0.05 for key, value in mean.items()} | {"num_patients": 9}
    numbers["within_splits"] = {"auc": 0.57, "auc_interval": [0.41, 0.68]}
    everything = Printed(columns=keys, curves=(), boxes=())
    table = results_table(
        {"network": numbers}, {"network": {key: (value, 0.5) for key, value in mean.items()}}, everything
    )
    assert list(table) == ["ACC", "CCEL", "SN", "SP", "AUC", "PPV", "NPV", "DSC"]
    assert table.loc[("network", "this work")].tolist() == [f"0.{n}0 ± 0.{n}1" for n in range(1, 9)]
    assert table.loc[("network", "paper")].tolist() == [f"0.{n}0 ± 0.50" for n in range(1, 9)]
    assert table.loc[("network", "this work, pooled over 9 patients")].tolist() == [f"0.{n}5" for n in range(1, 9)]
    assert table.loc[("network", "this work, within splits"), "AUC"] == "0.57 (0.41-0.68)"


def test_the_papers_columns_are_as_they_print_them():
    assert SLICE_CNN.columns == ("accuracy", "ccel", "sensitivity", "specificity", "auc") and SLICE_CNN.decimals == 2
    assert SGPNET.columns == ("accuracy", "sensitivity", "specificity", "auc", "ppv", "npv", "dice")
    assert SGPNET.decimals == 3
    assert [PANELS[score] for score in SLICE_CNN.boxes] == ["Sensitivity", "Specificity", "Test accuracy", "Test loss"]
    assert SGPNET.boxes == ("sensitivity", "specificity", "accuracy", "dice") == TABLE_ALONE.boxes
    assert TABLE_ALONE.columns == SGPNET.columns and TABLE_ALONE.decimals == 3
    # A panel of learning curves stands where the test gave the score that was learnt.
    assert {log: curve.score for log, curve in CURVES.items()} == {
        "loss": "accuracy",
        "accuracy": "accuracy",
        "cross_entropy": "accuracy",
        "dice_loss": "dice",
    }
    assert [log for log, curve in CURVES.items() if curve.fitted] == ["loss", "accuracy"] == list(SLICE_CNN.curves)
    assert [log for log, curve in CURVES.items() if curve.share] == ["accuracy", "dice_loss"]
