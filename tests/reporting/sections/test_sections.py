"""Each number of the page comes from its own entry of the numbers, and stands under its own name.

No figure is drawn: what would draw it is replaced by a function that keeps what it is given.
"""

import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from glioma_idh.files import write_json, write_table
from glioma_idh.reporting import pages as pages_module
from glioma_idh.reporting import report
from glioma_idh.reporting.figures import forest_plots, performance
from glioma_idh.reporting.html import Listing, Paragraph, Picture, Sheet, Viewer
from glioma_idh.reporting.sections import (
    accuracy_note,
    box_legend,
    of_run,
    of_scores,
    patients_text,
    say,
    shared_figures,
)
from glioma_idh.reporting.tables.results import WITHIN_NOTE
from glioma_idh.reporting.text.cautions import result_sentence
from glioma_idh.runs import FORMAT
from glioma_idh.runs.foreign_tables import read_predictions
from glioma_idh.runs.run import Run, read_finished_run
from tests.reporting.sections.test_report import NUM_PATIENTS, write_run
from tests.reporting.text.small_run import AFTER, BEFORE, COHORT, EXCLUSIONS, IMAGE, SGPNET, SPLITS, WORTH

NOTE = "Synthetic phantom cohort: no clinical result"
PREDICTIONS = pd.DataFrame(
    {
        "subject": COHORT["subject"],
        "patient": COHORT["patient"],
        "repeat": 0,
        "split": [0, 1, 0, 0, 1],
        "truth": [1, 1, 0, 0, 0],
        "score": [0.9, 0.4, 0.2, 0.1, 0.6],
        "dice": [0.9, 0.5, 0.7, 0.8, 0.6],
    }
)


def estimate(value, low, high, reason=""):
    return {"value": value, "low": low, "high": high, "reason": reason}


def rate(count, total):
    """A share whose interval ends 0.01 below and 0.02 above it."""
    value = count / total
    return estimate(value, value - 0.01, value + 0.02) | {"count": count, "total": total}


def rates(first):
    """Five shares of 100, from so many on; the predictive values at the cohort's prevalence."""
    names = ("sensitivity", "specificity", "accuracy", "ppv", "npv")
    return {name: rate(first + n, 100) for n, name in enumerate(names)} | {
        "confusion": {"tp": first, "fn": 1, "fp": 2, "tn": 3},
        "at_cohort_prevalence": {"ppv": (first + 0.4) / 100, "npv": (first + 60.5) / 100, "reason": ""},
    }


def difference(value, low, high, p, reason=""):
    return {"difference": value, "low": low, "high": high, "p": p, "reason": reason}


def curve(first):
    """Net benefits at 0.1, 0.2, 0.3 and 0.5, each one of a thousand more than the one before, and at others."""
    shown = {0.1: first, 0.2: first + 0.001, 0.30000000000000004: first + 0.002, 0.5: first + 0.003}
    values = {0.05: 9.0, **shown, 0.9: 9.0}
    return [
        {"threshold": threshold, "network": value, "treat_all": value - 0.1, "treat_none": value - 0.2}
        for threshold, value in values.items()
    ]


NUMBERS = WORTH | {  # no number stands in two places
    "prevalence": {"tests": 0.423, "patients": 0.405, "cohort": 0.312},
    "auc": {
        "within_splits": estimate(0.811, 0.712, 0.913),
        "mean_over_splits": estimate(0.834, None, None, "splits of one cohort are not independent"),
        "pooled": estimate(0.821, 0.722, 0.923),
        "pooled_bootstrap": estimate(0.829, 0.733, 0.935),
        "num_pairs": 77,
        "reversed": False,
    },
    "average_precision": estimate(0.631, 0.532, 0.733),
    "brier": estimate(0.141, 0.112, 0.173),
    "log_loss": estimate(0.441, 0.342, 0.543),
    "rates": {"0.5": rates(10), "youden": rates(20), "sensitivity 0.9": rates(30)},
    "calibration": {
        name: {
            "slope": estimate(1.1 + n, 1.0 + n, 1.2 + n),
            "intercept": estimate(0.3 + n, 0.2 + n, 0.4 + n),
            "in_the_large": estimate(0.6 + n, 0.5 + n, 0.7 + n),
            "ece": 0.011 + n,
            "num_clipped": 0,
            "brier": 0.022 + n,
            "log_loss": 0.033 + n,
        }
        for n, name in enumerate(("before", "temperature"))
    }
    | {"platt": {"reason": "cannot be computed, because of one class"}},
    "reliability": {"before": "curve"},
    "decision": curve(0.31),
    "decision_at_cohort_prevalence": curve(0.41),
    "strata": [
        {"variable": "sex", "stratum": "F", "n": 17, "events": 6, "pairs": 23, "auc": 0.66, "low": 0.55, "high": 0.77}
        | {"reason": ""}
    ],
    "baselines": {
        "majority": {"stage": BEFORE, "auc": estimate(0.5, 0.5, 0.5)}
        | {"difference": difference(0.311, 0.212, 0.413, 0.0001)},
        "age": {"stage": BEFORE, "auc": estimate(0.521, 0.422, 0.623)}
        | {"difference": difference(0.291, 0.192, 0.393, 0.002)},
        "lesion volume": {"stage": IMAGE, "auc": estimate(0.871, 0.772, 0.973)}
        | {"difference": difference(-0.061, -0.162, 0.042, 0.3)},
        "grade": {"stage": AFTER, "auc": estimate(0.951, 0.852, 0.983)}
        | {"difference": difference(-0.141, -0.242, -0.042, 0.04)},
    },
    "beats_baselines": {"verdict": "does not beat", "not_beaten": ["lesion volume"], "worse": ["grade"], "reason": ""},
    "segmentation": {
        "dice": estimate(0.791, 0.692, 0.893),
        "hd95_mm": estimate(7.1, 6.2, 8.3),
        "volume_error_ml": estimate(-3.1, -4.2, -2.3),
        "absolute_volume_error_ml": estimate(5.1, 4.2, 6.3),
        "lesions_found": estimate(0.921, 0.822, 0.963),
        "num_subjects": 5,
        "num_without_hd95": 2,
    },
}
METRICS = {
    "synthetic": False,
    "within_splits": {"auc": 0.811, "auc_interval": [0.712, 0.913], "num_pairs": 77},
    "pooled": {"auc": 0.821, "num_patients": 5},
    "mean": {"accuracy": 0.6, "dice": 0.7},
    "sd": {},
    "per_split": [
        {"repeat": 0, "split": fold + 1, "num_test": 3 - fold, "accuracy": 0.111 + fold, "sensitivity": 0.222 + fold}
        | {"specificity": 0.333 + fold, "auc": np.nan, "ppv": 0.444 + fold, "npv": 0.555 + fold, "dice": 0.666 + fold}
        for fold in (0, 1)
    ],
}


NUMBERED = ("metrics", "performance")


PHANTOMS = COHORT.assign(cohort="phantom")


def finished(numbers=NUMBERS, **changes) -> Run:
    """A run whose numbers were made by hand."""
    tables = {"cohort": COHORT, "exclusions": EXCLUSIONS, "splits": SPLITS, "predictions": PREDICTIONS}
    made = {"metrics": METRICS, "performance": numbers} | changes
    run = Run(
        **{"folder": None, "name": "SGPNet", "recipe": SGPNET, **tables}
        | {k: v for k, v in made.items() if k not in NUMBERED}
    )
    for name in NUMBERED:  # in the place of those that it would compute
        vars(run)[name] = made[name]
    return run


@pytest.fixture
def drawn(monkeypatch):
    """What each figure was given, by the name of its function."""
    given = {}

    def keep(module, name):
        def draw(*arguments, **named):
            given[name] = SimpleNamespace(arguments=arguments, **named)
            return name

        monkeypatch.setattr(module, name, draw)

    for name in ("baselines_forest", "strata_forest"):
        keep(forest_plots, name)
    for name in ("precision_recall_curve", "confusion_matrices", "decision_curve_figure"):
        keep(performance, name)
    for name in ("reliability_diagram", "reliability_diagram_alt"):
        keep(performance, name)
    keep(of_scores, "roc_with_bands")
    keep(shared_figures, "score_boxes")
    for name in ("flow_diagram", "best_median_worst", "learning_curves"):
        keep(of_run, name)
    return given


def parts_of(section, kind):
    """Its parts of one kind, by name where they have one."""
    found = [part for part in section.parts if isinstance(part, kind)]
    return {part.name: part for part in found} if kind in (Sheet, Picture) else found


def rows_of(section, name):
    """A table of a section, a dict a row."""
    return parts_of(section, Sheet)[name].table.to_dict("records")


def test_baselines_beside_the_network(drawn):
    run = finished()
    section = of_scores.baselines_section(run)
    assert rows_of(section, "baselines") == [
        dict(zip(("available", "predictor", "AUC within splits (95 % CI)", of_scores.DIFFERENCE), row, strict=True))
        for row in (
            ("with the network", "SGPNet", "0.811 (0.712 to 0.913)", ""),
            (BEFORE, "majority class", "0.500 (0.500 to 0.500)", "+0.311 (+0.212 to +0.413), p < 0.001"),
            (BEFORE, "age", "0.521 (0.422 to 0.623)", "+0.291 (+0.192 to +0.393), p = 0.002"),
            (IMAGE, "lesion volume", "0.871 (0.772 to 0.973)", "-0.061 (-0.162 to +0.042), p = 0.30"),
            (AFTER, "grade", "0.951 (0.852 to 0.983)", "-0.141 (-0.242 to -0.042), p = 0.04"),
        )
    ]
    assert drawn["baselines_forest"].arguments == (NUMBERS,)
    assert parts_of(section, Picture)["baselines"].alt.startswith("Forest plot of AUCs. Network: 0.81 (0.71 to 0.91).")
    assert "made by" not in parts_of(section, Paragraph)[0].text
    made = finished(NUMBERS | {"patients": WORTH["patients"] | {"folds_made": True}})
    assert "The splits were made by this report." in parts_of(of_scores.baselines_section(made), Paragraph)[0].text


def test_scores_that_need_no_threshold_stand_under_their_names(drawn):
    table = parts_of(of_scores.discrimination_section(finished()), Sheet)["scores"].table
    assert dict(table.to_numpy().tolist()) == {
        "AUC within splits": "0.811 (0.712 to 0.913)",
        "AUC, mean over splits": "0.834",
        "AUC, pooled (DeLong)": "0.821 (0.722 to 0.923)",
        "AUC, pooled (bootstrap over patients)": "0.829 (0.733 to 0.935)",
        "Average precision": "0.631 (0.532 to 0.733)",
        "Brier score": "0.141 (0.112 to 0.173)",
        "Log loss": "0.441 (0.342 to 0.543)",
    }


def caption_of_scores(**prevalence):
    """What stands below the scores of a run with these prevalences."""
    run = finished(NUMBERS | {"prevalence": NUMBERS["prevalence"] | prevalence})
    return parts_of(of_scores.discrimination_section(run), Sheet)["scores"].caption


def test_the_prevalence_of_the_patients_and_the_predictive_values_at_the_cohort_s_are_told(drawn):
    caption = caption_of_scores()
    start = (
        "Performance of the scores in 5 patients (2 IDH-mutant). AUC: area under the receiver operating characteristic "
        f"curve. CI: confidence interval. {WITHIN_NOTE} Accuracy, predictive values, net benefit, Brier score, log "
        f"loss "
        "and calibration-in-the-large "
    )
    start += "depend on the prevalence. Of the patients tested, 40.5 % are IDH-mutant"
    at = "At the cohort's prevalence and a threshold of 0.5, PPV is 0.104 and NPV 0.705."
    assert caption == f"{start} (42.3 % in the test sets of the splits), in the cohort 31.2 %. {at}"
    assert caption_of_scores(tests=0.4051) == f"{start}, in the cohort 31.2 %. {at}"
    differ = f"{start} (42.3 % in the test sets of the splits), in the cohort 40.5 %. {at}"
    assert caption_of_scores(cohort=0.405) == differ
    assert caption_of_scores(tests=0.4051, cohort=0.4049) == f"{start}, as in the cohort."


def test_a_predictive_value_that_is_not_available_is_a_dash_with_its_reason(drawn):
    reason = "cannot be computed, because all patients are predicted to be of one class"
    rates_at_half = rates(10) | {"at_cohort_prevalence": {"ppv": None, "npv": 0.71, "reason": reason}}
    run = finished(NUMBERS | {"rates": NUMBERS["rates"] | {"0.5": rates_at_half}})
    caption = parts_of(of_scores.discrimination_section(run), Sheet)["scores"].caption
    assert caption.endswith(f" PPV is - and NPV 0.710. A missing value {reason}.")


def test_rates_stand_under_their_names_and_thresholds(drawn):
    table = pd.DataFrame(rows_of(of_scores.discrimination_section(finished()), "rates")).set_index("threshold")
    firsts = {
        "0.5": 10,
        "set on the other folds (Youden index)": 20,
        "set on the other folds, aiming at 90 % sensitivity": 30,
    }
    assert list(table.index) == list(firsts)
    for threshold, first in firsts.items():
        # sensitivity, specificity, accuracy and the two predictive values, each one of a hundred more
        for n, heading in enumerate(("SN", "SP", "ACC", "PPV", "NPV")):
            count = first + n
            low, high = count / 100 - 0.01, count / 100 + 0.02
            expected = f"{count / 100:.2f} ({low:.2f} to {high:.2f}), {count} of 100"
            assert table.loc[threshold, heading] == expected


def test_the_note_on_accuracy_stands_below_the_tables_that_show_it(drawn, monkeypatch):
    """After the rates and after the comparison with the paper; not after tables without accuracy."""
    parts = of_scores.discrimination_section(finished()).parts
    rates_at = next(place for place, part in enumerate(parts) if isinstance(part, Sheet) and part.name == "rates")
    notes = [place for place, part in enumerate(parts) if isinstance(part, Paragraph) and "improper" in part.text]
    assert notes == [rates_at + 1] and parts[notes[0]].text.startswith("Accuracy, like the F1 score, depends on")
    assert accuracy_note(pd.DataFrame({"score": ["Accuracy"]})) and accuracy_note(pd.DataFrame({"ACC": ["0.5"]}))
    assert accuracy_note(pd.DataFrame({"score": ["AUC", "Sensitivity"], "SN": "0.5"})) == []
    for score, num_parts in (("Accuracy", 2), ("AUC", 1)):
        monkeypatch.setattr(of_run, "paper_sheet", lambda *_, shown=score: pd.DataFrame({"score": [shown]}))
        assert len(of_run.paper_section(finished()).parts) == num_parts


def test_figures_of_discrimination_are_of_this_run_s_patients_and_numbers(drawn):
    pictures = parts_of(of_scores.discrimination_section(finished()), Picture)
    [(name, predictions)] = drawn["roc_with_bands"].arguments[0].items()
    assert name == "SGPNet" and predictions is PREDICTIONS
    assert drawn["precision_recall_curve"].arguments[0] is PREDICTIONS
    assert drawn["precision_recall_curve"].average_precision == NUMBERS["average_precision"]
    assert drawn["confusion_matrices"].arguments == (NUMBERS["rates"],)
    assert pictures["roc"].alt == "ROC curve. Pooled AUC 0.82 (0.72 to 0.92)."
    assert pictures["precision_recall"].alt.startswith("Precision-recall curve. Average precision 0.63 (0.53 to 0.73);")
    figures = {name: picture.figure for name, picture in pictures.items()}
    assert figures == {"roc": "roc_with_bands", "precision_recall": "precision_recall_curve"} | {
        "confusion": "confusion_matrices",
        "boxes": "score_boxes",
    }


def test_legends_count_the_patients_and_explain_what_is_shown(drawn):
    run = finished()
    assert patients_text([run]) == "5 patients tested (2 IDH-mutant)"
    fewer = finished(NUMBERS | {"patients": NUMBERS["patients"] | {"num_tested": 1, "num_mutant": 0}}, name="T1")
    assert patients_text([run, fewer, run]) == (
        "SGPNet and SGPNet: 5 patients tested (2 IDH-mutant); T1: 1 patient tested (0 IDH-mutant)"
    )
    boxes = parts_of(of_scores.discrimination_section(run), Picture)["boxes"].caption
    assert "Triangles" in boxes and "Diamonds" in boxes and boxes.endswith("5 patients tested (2 IDH-mutant).")
    alone = replace(run.printed, boxes=("dice",))
    unpublished = finished(recipe=SGPNET | {"published": {}})
    assert "Triangles" not in box_legend([unpublished], alone) and "Diamonds" not in box_legend([unpublished], alone)
    sections = (of_scores.baselines_section, of_scores.discrimination_section, of_scores.calibration_section)
    for picture in (picture for section in sections for picture in parts_of(section(run), Picture).values()):
        assert re.search(r"\b5\b[^.;]* 2 IDH-mutant|5 patients tested \(2 IDH-mutant\)", picture.caption), picture.name


def test_each_split_has_its_own_numbers(drawn):
    rows = rows_of(of_scores.discrimination_section(finished()), "splits_scores")
    assert rows == [
        {
            "split": f"Split {fold + 1}",
            "test subjects": 3 - fold,
            "ACC": f"{0.111 + fold:.3f}",
            "SN": f"{0.222 + fold:.3f}",
        }
        | {"SP": f"{0.333 + fold:.3f}", "AUC": "-", "PPV": f"{0.444 + fold:.3f}", "NPV": f"{0.555 + fold:.3f}"}
        | {"DSC": f"{0.666 + fold:.3f}"}
        for fold in (0, 1)
    ]
    boxes = drawn["score_boxes"]
    assert boxes.arguments[0]["accuracy"].tolist() == [0.111, 1.111] and boxes.published == {
        "SGPNet": {"auc": [0.949, None]}
    }
    assert boxes.panels == ("sensitivity", "specificity", "accuracy", "dice")


@pytest.mark.parametrize("num_splits, said", [(4, "made 4 stratified splits"), (1, "No splits could be made")])
def test_made_folds_are_said_and_have_no_scores(drawn, num_splits, said):
    people = WORTH["patients"] | {"folds_made": True, "num_splits": num_splits}
    section = of_scores.discrimination_section(finished(NUMBERS | {"patients": people}))
    assert said in parts_of(section, Paragraph)[-1].text and "splits_scores" not in parts_of(section, Sheet)


def test_calibration_before_and_after_each_scaling(drawn):
    section = of_scores.calibration_section(finished())
    columns = ["recalibration", "slope (95 % CI)", "intercept (95 % CI)", "calibration-in-the-large (95 % CI)"]
    columns += ["ECE", "Brier", "log loss"]
    table = parts_of(section, Sheet)["calibration"].table
    assert list(table.columns) == columns
    names = ["none", "temperature scaling"]
    assert table.to_numpy().tolist() == [
        [names[0], "1.10 (1.00 to 1.20)", "0.30 (0.20 to 0.40)", "0.60 (0.50 to 0.70)", "0.011", "0.022", "0.033"],
        [names[1], "2.10 (2.00 to 2.20)", "1.30 (1.20 to 1.40)", "1.60 (1.50 to 1.70)", "1.011", "1.022", "1.033"],
        ["Platt scaling", "cannot be computed, because of one class", "", "", "", "", ""],
    ]
    assert drawn["reliability_diagram"].arguments == (NUMBERS["reliability"], NUMBERS["calibration"])
    assert drawn["decision_curve_figure"].arguments == (NUMBERS["decision"],)
    assert "Network 0.31, All patients treated as IDH-mutant 0.21," in parts_of(section, Picture)["decision"].alt


def test_net_benefit_stands_at_the_prevalence_of_the_patients_and_of_the_cohort(drawn):
    rows = rows_of(of_scores.calibration_section(finished()), "net_benefit")
    firsts = {"patients, 40.5 % IDH-mutant": 0.31, "cohort, 31.2 % IDH-mutant": 0.41}
    assert rows == [
        {"prevalence": place, "threshold": threshold, "network": f"{first + n / 1000:.3f}"}
        | {"treat all as mutant": f"{first - 0.1 + n / 1000:.3f}", "treat none": f"{first - 0.2 + n / 1000:.3f}"}
        for place, first in firsts.items()
        for n, threshold in enumerate(("0.1", "0.2", "0.3", "0.5"))
    ]
    alike = NUMBERS["prevalence"] | {"cohort": NUMBERS["prevalence"]["patients"]}
    once = rows_of(of_scores.calibration_section(finished(NUMBERS | {"prevalence": alike})), "net_benefit")
    assert once == rows[:4]


@pytest.mark.parametrize("key", ["slope", "intercept", "in_the_large"])
def test_intervals_of_calibration_that_are_too_wide_are_not_in_the_table(drawn, key):
    before = NUMBERS["calibration"]["before"] | {key: estimate(2.0, -9.0, 13.0)}
    section = of_scores.calibration_section(finished(NUMBERS | {"calibration": {"before": before}}))
    row = parts_of(section, Sheet)["calibration"].table.iloc[0].tolist()
    assert sum(cell.startswith("2.00 (interval cannot be estimated") for cell in row) == 1


def test_scores_that_the_slope_clips_are_counted(drawn):
    """Of the scores none, not of those after a scaling."""

    def text(num_clipped, after=0):
        calibration = NUMBERS["calibration"] | {
            "before": NUMBERS["calibration"]["before"] | {"num_clipped": num_clipped},
            "temperature": NUMBERS["calibration"]["temperature"] | {"num_clipped": after},
        }
        section = of_scores.calibration_section(finished(NUMBERS | {"calibration": calibration}))
        return parts_of(section, Paragraph)[0].text

    assert text(3, after=4).endswith(
        " 3 of 5 scores are closer than 1e-07 to 0 or 1 and were clipped to that distance; the slope depends on it."
    )
    assert "clip" not in text(0, after=4)
    no_answer = NUMBERS | {"calibration": NUMBERS["calibration"] | {"before": {"reason": "because of X"}}}
    assert "clip" not in parts_of(of_scores.calibration_section(finished(no_answer)), Paragraph)[0].text


def test_strata_with_their_patients_and_mutants(drawn):
    section = of_scores.strata_section(finished())
    assert rows_of(section, "strata") == [
        {"variable": "sex", "group": "F", "patients": 17, "IDH-mutant": 6, "pairs": 23}
        | {"AUC (95 % CI)": "0.66 (0.55 to 0.77)"}
    ]
    assert drawn["strata_forest"].arguments == (NUMBERS["strata"], NUMBERS["auc"]["within_splits"])
    none = finished(NUMBERS | {"strata": {"reason": "cannot be computed, because of X"}})
    assert parts_of(of_scores.strata_section(none), Paragraph)[0].text == (
        "The AUC within groups of patients cannot be computed, because of X."
    )


def test_every_figure_and_page_of_phantoms_is_marked(drawn, monkeypatch):
    for slow in ("characteristics_sheet", "parts_sheet"):
        monkeypatch.setattr(of_run, slow, lambda *_: pd.DataFrame())
    for synthetic in (True, False):
        run = finished(cohort=PHANTOMS if synthetic else COHORT)
        for section in (*of_scores.SECTIONS, of_run.subjects_section):
            assert section(run).parts
        marked = {name: given.synthetic for name, given in drawn.items() if hasattr(given, "synthetic")}
        assert set(marked.values()) == {synthetic}
        assert set(marked) == set(drawn) - {"reliability_diagram_alt"} and len(marked) == 9
        assert result_sentence(run).startswith(NOTE) == synthetic


def test_masks_have_their_words_units_and_signs(monkeypatch, drawn):
    monkeypatch.setattr(
        shared_figures, "read_case", lambda folder, row, rows: (row["subject"], rows["subject"].tolist())
    )
    section = of_run.segmentation_section(finished(cohort=PHANTOMS))
    assert dict(parts_of(section, Sheet)["segmentation"].table.to_numpy().tolist()) == {
        "Dice": "0.79 (0.69 to 0.89)",
        "HD95, mm": "7.10 (6.20 to 8.30)",
        "volume error (predicted minus reference), ml": "-3.10 (-4.20 to -2.30)",
        "absolute volume error, ml": "5.10 (4.20 to 6.30)",
        "proportion of lesions found": "0.92 (0.82 to 0.96)",
    }
    assert "It is not defined if one mask is empty (2 subjects)." in parts_of(section, Paragraph)[0].text
    shown = drawn["best_median_worst"]
    # Dice 0.9 of a1, 0.7 of c1, 0.5 of b1; each with its own rows of both tables
    assert shown.arguments == ({"Best": ("a1", ["a1"]), "Median": ("c1", ["c1"]), "Worst": ("b1", ["b1"])},)
    assert shown.synthetic


def test_masks_of_an_older_run_and_of_none():
    older = {name: value for name, value in NUMBERS["segmentation"].items() if "hd95" not in name}
    assert "HD95 is not available" in say("segmentation", segmentation=older).text
    none = of_run.segmentation_section(finished(NUMBERS | {"segmentation": {}}))
    assert none.parts == []


def test_subjects_are_those_of_the_tables_and_the_interval_that_was_to_be_expected_is_said(drawn):
    section = of_run.subjects_section(finished())
    [counts] = drawn["flow_diagram"].arguments
    assert (counts["found"], counts["used"], counts["mutant"], counts["tested"]) == (8, 5, 2, 5)
    [checks] = parts_of(section, Paragraph)
    assert (
        "No patient is in both the training and the test set of a split (checked in 2 splits of 5 patients)."
        in checks.text
    )
    assert (
        "With 5 patients (40 % IDH-mutant), the expected 95 % confidence interval is about ± 0.42 if the true AUC is "
        "0.8." in checks.text
    )
    assert list(parts_of(section, Sheet)) == ["cohort", "splits", "parts", "exclusions"]
    nobody = of_run.subjects_section(finished(exclusions=EXCLUSIONS.iloc[:0]))
    assert "exclusions" not in parts_of(nobody, Sheet)


def test_learning_curves_are_those_of_each_split_s_own_folder(drawn, tmp_path):
    for index in (0, 1):
        history = pd.DataFrame({"epoch": [1, 2], "cross_entropy": [index + 0.5, index + 0.25]})
        (tmp_path / f"split_{index + 1}").mkdir()
        write_table(history, tmp_path / f"split_{index + 1}" / "history.csv")
    metrics = METRICS | {"mean": {"accuracy": 0.5}}  # nothing was learnt of lesions
    of_run.training_section(finished(folder=tmp_path, metrics=metrics, cohort=PHANTOMS))
    curves = drawn["learning_curves"]
    table = curves.arguments[0]
    assert table[["repeat", "split", "epoch", "cross_entropy"]].to_numpy().tolist() == [
        [0, 0, 1, 0.5],
        [0, 0, 2, 0.25],
        [0, 1, 1, 1.5],
        [0, 1, 2, 1.25],
    ]
    assert curves.panels == ["cross_entropy"] and curves.title == "SGPNet" and curves.synthetic


def test_without_histories_no_curve_is_drawn(drawn, tmp_path):
    section = of_run.training_section(finished(folder=tmp_path))
    assert "Learning curves are not available" in parts_of(section, Paragraph)[0].text and not drawn


def test_the_paper_stands_beside_ours(monkeypatch):
    given = []
    monkeypatch.setattr(of_run, "paper_sheet", lambda *arguments: given.append(arguments) or pd.DataFrame())
    run = finished()
    of_run.paper_section(run)
    assert given == [(METRICS, {"auc": [0.949, None]}, run.printed, NUMBERS)]


def test_the_gallery_and_the_viewer_show_the_cases_that_were_chosen(monkeypatch, tmp_path):
    given = []

    def mistakes(*arguments, **named):
        given.append((*arguments, named["synthetic"]))
        return "figure", "S9 is not shown."

    monkeypatch.setattr(of_run, "mistakes_figure", mistakes)
    monkeypatch.setattr(
        of_run, "viewer_cases", lambda *arguments: given.append(arguments) or ({"a": "case"}, ["gone."])
    )
    run = finished(folder=tmp_path, cohort=PHANTOMS)
    section = of_run.cases_section(run)
    assert [tuple(map(id, arguments[:3])) for arguments in given] == [(id(tmp_path), id(PHANTOMS), id(PREDICTIONS))] * 2
    assert given[0][3] is True
    assert parts_of(section, Picture)["mistakes"].alt.startswith(
        "Most confident wrong predictions, 2 of 2: b1 (IDH-mutant, score 0.40); e1 (IDH-wild-type, score 0.60)."
    )
    assert parts_of(section, Viewer)[0].cases == {"a": "case"}
    assert [part.text for part in parts_of(section, Paragraph)] == ["S9 is not shown.", "gone."]


def test_methods_command_and_environment_are_those_of_the_run():
    section = of_run.methods_section(finished())
    text, _ = parts_of(section, Paragraph)
    assert "(random seed 7)" in text.text and "3 subjects were excluded" in text.text
    [command] = parts_of(section, Listing)
    assert command.text.startswith("python -m glioma_idh.sgp3d.train --cohort brats2020-tcga --shape 32 48 64")
    environment = parts_of(section, Sheet)["environment"].table.set_index("what")["value"]
    assert environment["hash of all settings"] == "0123abcd" and environment["random seed"] == "7"


def test_checklists_are_filled_in_from_this_run():
    tables = parts_of(of_run.checklists_section(finished()), Sheet)
    assert list(tables) == ["claim_2024", "tripod_ai", "metrics"]
    answers = tables["claim_2024"].table.set_index("item")["answer"]
    assert "AUC within splits 0.81 (0.71 to 0.91)" in answers["37"] and "3 subjects were excluded" in answers["35"]
    assert tables["tripod_ai"].caption.startswith("TRIPOD+AI. Collins GS")


AGE = "better than age alone (AUC 0.52; difference +0.29, 95 % CI +0.19 to +0.39, Holm-corrected p = 0.002)"
VOLUME = (
    "no better than lesion volume alone (AUC 0.87; difference -0.06, 95 % CI -0.16 to +0.04, Holm-corrected p = 0.30)"
)
GRADE = "worse than grade alone (AUC 0.95; difference -0.14, 95 % CI -0.24 to -0.04, Holm-corrected p = 0.04)"
TISSUE = "Grade is known only after surgery: SGPNet is"
START = "SGPNet (AUC 0.81) is"
WITHIN = "AUC within splits (only patients tested by the same network are compared):"


def test_the_first_sentence_is_on_age_and_lesion_volume_and_apart_on_grade():
    sentence = result_sentence(finished(folder="run"))
    assert sentence == (
        f"{START} {AGE} and is {VOLUME}. {TISSUE} {GRADE}. {WITHIN} 0.81 (95 % CI 0.71 to 0.91) in 5 "
        "patients (2 IDH-mutant). Each patient was tested by a network that had not seen them. "
        "Mean Dice of the lesion segmentation 0.79 (95 % CI 0.69 to 0.89)."
    )
    assert result_sentence(finished()).endswith(
        f" {GRADE}. {WITHIN} 0.81 (95 % CI 0.71 to 0.91) in 5 patients. Mean Dice of the lesion "
        f"segmentation 0.79 "
        "(95 % CI 0.69 to 0.89)."
    )


UP = "95 % CI +0.10 to +0.30, Holm-corrected p = 0.05"
DOWN = "95 % CI -0.30 to -0.10, Holm-corrected p = 0.05"
BESIDE = [  # difference, how it is put in words
    (difference(0.2, 0.1, 0.3, 0.0499), f"better than {{}} alone (AUC 0.70; difference +0.20, {UP})"),
    (difference(-0.2, -0.3, -0.1, 0.0499), f"worse than {{}} alone (AUC 0.70; difference -0.20, {DOWN})"),
    (difference(0.2, 0.1, 0.3, 0.05), f"not significantly better than {{}} alone (AUC 0.70; difference +0.20, {UP})"),
    (difference(-0.2, -0.3, -0.1, 0.05), f"no better than {{}} alone (AUC 0.70; difference -0.20, {DOWN})"),
]


@pytest.mark.parametrize("beside, words", BESIDE, ids=["better", "worse", "not significantly better", "no better"])
@pytest.mark.parametrize("name", ["age", "lesion volume", "grade"])
def test_the_first_sentence_stands_to_each_baseline_as_its_own_difference_does(name, beside, words):
    baselines = NUMBERS["baselines"] | {name: {"stage": BEFORE, "auc": estimate(0.7, 0.6, 0.8), "difference": beside}}
    told = {"age": AGE, "lesion volume": VOLUME, "grade": GRADE} | {name: words.format(name)}
    assert result_sentence(finished(NUMBERS | {"baselines": baselines})).startswith(
        f"{START} {told['age']} and is {told['lesion volume']}. {TISSUE} {told['grade']}. {WITHIN} 0.81"
    )


def test_the_first_sentence_says_which_baselines_are_not_available_and_why():
    def said(*names):
        missing = {name: f"cannot be computed, because the cohort has no {name}" for name in names}
        none = {
            name: {"auc": estimate(None, None, None, reason), "difference": difference(*[None] * 4, reason)}
            for name, reason in missing.items()
        }
        return result_sentence(finished(NUMBERS | {"baselines": NUMBERS["baselines"] | none}))

    no_age = "The difference in AUC between SGPNet and age cannot be computed, because the cohort has no age."
    no_volume = no_age.replace("age", "lesion volume")
    no_grade = (
        "The difference in AUC between SGPNet and grade, which is known only after surgery, cannot be computed, "
        "because "
        "the cohort has no grade."
    )
    assert said("age").startswith(f"{START} {VOLUME}. {no_age} {TISSUE} {GRADE}. AUC within")
    assert said("lesion volume").startswith(f"{START} {AGE}. {no_volume} {TISSUE} {GRADE}. AUC within")
    assert said("grade").startswith(f"{START} {AGE} and is {VOLUME}. {no_grade} AUC within")
    assert said("age", "lesion volume", "grade").startswith(f"{no_age} {no_volume} {no_grade} AUC within")


def test_scores_that_may_be_reversed_are_said_so_first():
    auc = NUMBERS["auc"] | {"reversed": True}
    warning = "The AUC is clearly below 0.5: scores or labels may be reversed."
    assert result_sentence(finished(NUMBERS | {"auc": auc})).startswith(
        f"{warning} SGPNet (AUC 0.81) is better than age"
    )
    assert "reversed" not in result_sentence(finished())


def test_the_first_sentence_without_an_auc_or_without_scores():
    auc = NUMBERS["auc"] | {"within_splits": estimate(None, None, None, "cannot be computed, because of one class")}
    said = "The AUC of SGPNet cannot be computed, because of one class."
    assert result_sentence(finished(NUMBERS | {"auc": auc})) == said
    lesions = finished(metrics=METRICS | {"pooled": {"dice": 0.79}}, cohort=PHANTOMS)
    assert result_sentence(lesions) == f"{NOTE}. Mean Dice 0.79 (95 % CI 0.69 to 0.89) in 5 subjects."
    assert not lesions.scored


@pytest.fixture
def evaluated(monkeypatch):
    """The tables that were evaluated; the numbers are those made by hand, at once."""
    given = []
    module = "glioma_idh.runs.run"
    monkeypatch.setattr(f"{module}.evaluate", lambda *tables: given.append(tables) or NUMBERS)
    return given


@pytest.fixture
def run(tmp_path, evaluated):
    """A finished run in its folder; every third of the scores is on the wrong side."""
    return write_run(tmp_path / "run", np.linspace(0.05, 0.95, NUM_PATIENTS))


def test_a_finished_run_is_read_with_its_own_numbers(run, evaluated):
    found = read_finished_run(run)
    assert found.name == "T1Gd" and not found.synthetic and found.scored and found.folder == run
    # of scores that rise evenly, every other one mutant, each mutant is above all but its own later wild-types
    assert found.metrics["pooled"]["auc"] == pytest.approx(0.525) and found.performance == NUMBERS
    [(predictions, cohort, splits)] = evaluated
    assert predictions is found.predictions and cohort is found.cohort and splits is found.splits
    # of 4 x 4 pairs of each fold, 4 + 3 + 2 + 1 are in order
    assert found.metrics["within_splits"]["auc"] == pytest.approx(0.625) and found.printed.decimals == 2
    assert "best_possible_auc" not in found.metrics["within_splits"]
    assert found.recipe["published"] == {"auc": [0.62, 0.15]} and found.exclusions.empty


def test_a_run_of_either_paper_has_the_interval_of_its_auc(run):
    """In each fold two patients of a class of 4 are 1.5 pairs from the mean and two 0.5, times sqrt(4 / 3).

    Of 40 patients: 20 x 2.25 x 4 / 3 + 20 x 0.25 x 4 / 3 = 66.67, of 80 pairs; standard error sqrt(66.67) / 80.
    """
    middle, half = np.log(5 / 3), 1.959964 * np.sqrt(200 / 3) / 80 / (15 / 64)
    ends = [1 / (1 + np.exp(half - middle)), 1 / (1 + np.exp(-half - middle))]
    assert read_finished_run(run).metrics["within_splits"]["auc_interval"] == pytest.approx(ends)
    recipe = {"recipe": {"paper": "sgp3d", "cohort": "mine.csv"}, "hash": "12345678", "versions": {}}
    write_json(recipe | {"format": FORMAT}, run / "recipe.json")
    found = read_finished_run(run)
    assert found.metrics["within_splits"]["auc_interval"] == pytest.approx(ends) and found.printed.decimals == 3


def test_phantoms_are_known_by_their_cohort_table_and_the_best_possible_by_what_was_planted(run):
    cohort = pd.read_csv(run / "cohort.csv", dtype=str)
    cohort.assign(cohort="phantom").to_csv(run / "cohort.csv", index=False)
    planted = pd.DataFrame({"subject": cohort["subject"], "score": np.arange(NUM_PATIENTS) % 2})
    write_table(planted, run / "planted.csv")
    found = read_finished_run(run)
    assert found.synthetic and result_sentence(found).startswith(NOTE)
    assert found.metrics["within_splits"]["best_possible_auc"] == 1


def test_a_table_alone_is_named_after_its_file_and_synthetic_where_its_cohort_is(tmp_path, evaluated):
    table = pd.DataFrame({"subject": range(12), "truth": np.arange(12) % 2, "score": np.linspace(0, 1, 12)})
    table.to_csv(tmp_path / "theirs.csv", index=False)
    table.assign(cohort="phantom").to_csv(tmp_path / "phantoms.csv", index=False)
    theirs = read_predictions(tmp_path / "theirs.csv")
    assert theirs.name == "theirs" and not theirs.synthetic and theirs.folder is None and theirs.recipe == {}
    assert theirs.cohort["idh"].tolist() == table["truth"].tolist() and theirs.printed.decimals == 3
    assert theirs.metrics["pooled"]["num_patients"] == 12 and theirs.performance.items() >= NUMBERS.items()
    assert len(evaluated[0]) == 1
    assert read_predictions(tmp_path / "phantoms.csv").synthetic


@pytest.fixture
def pages(monkeypatch):
    """What each page was given; no page is written."""
    given = []
    monkeypatch.setattr(report, "write_page", lambda *a, **named: given.append((*a, named["synthetic"])) or a[0])
    monkeypatch.setattr(pages_module, "cautions", lambda *_: [])
    for sections in (of_scores, of_run):
        monkeypatch.setattr(sections, "SECTIONS", ())
    return given


@pytest.mark.parametrize("place", ["inside", "elsewhere"])
def test_numbers_go_beside_the_page_and_into_the_run_only_where_the_page_is_inside(run, pages, tmp_path, place):
    before = (run / "metrics.json").read_bytes()
    out = run / "page.html" if place == "inside" else tmp_path / "page.html"
    report.write_report(run, out)
    assert ((run / "metrics.json").read_bytes() == before) == (place == "elsewhere")
    kept = json.loads((out.parent / "page_files" / "metrics.json").read_text())
    assert kept["performance"]["auc"]["within_splits"]["value"] == 0.811 and kept["pooled"]["auc"] == pytest.approx(
        0.525
    )
    assert (kept["subjects"]["used"], kept["subjects"]["wild_type"]) == (NUM_PATIENTS, NUM_PATIENTS // 2)
    card = (out.parent / "page_files" / "model_card.md").read_text()
    assert card.startswith("# Model card: T1Gd (glioma_idh.gbm2d)") and "No subject was excluded." in card
    [(path, title, result, _, synthetic)] = pages
    assert (path, title, synthetic) == (
        out,
        "T1Gd on mine",
        False,
    ) and "T1Gd (AUC 0.81) is better than age alone" in result


def test_a_page_of_phantoms_is_told_so(run, pages, tmp_path):
    for name in ("cohort", "predictions"):
        table = pd.read_csv(run / f"{name}.csv", dtype={"subject": str}).assign(cohort="phantom")
        table.to_csv(run / f"{name}.csv", index=False)
    report.write_report(run, tmp_path / "page.html")
    report.write_table_report(run / "predictions.csv", tmp_path / "table.html")
    assert [given[-1] for given in pages] == [True, True]
    assert pages[1][1] == "Predictions in predictions.csv"
