"""The table of results."""

import pandas as pd

from glioma_idh.evaluation.metrics import summarise
from glioma_idh.gbm2d.recipe import PUBLISHED
from glioma_idh.reporting.tables import results_table, results_text

PREDICTIONS = pd.DataFrame(
    {
        "subject": list("abcd"),
        "patient": list("abcd"),
        "repeat": [0, 0, 1, 1],
        "fold": 0,
        "truth": [1, 0, 1, 0],
        "score": [0.9, 0.2, 0.4, 0.45],
    }
)


def test_ours_stands_beside_the_paper_the_trivial_answer_and_the_best_possible():
    metrics = {"rcbv": summarise(PREDICTIONS, pd.Series([3.0, 2.0, 1.0, 0.0], index=list("abcd")))}
    table = results_table(metrics, PUBLISHED)
    assert table.loc[("rCBV", "ours"), "AUC"] == "0.50 ± 0.71"
    assert table.loc[("rCBV", "paper"), "AUC"] == "0.86 ± 0.05"
    assert table.loc[("rCBV", "paper"), "CCEL"] == "0.64 ± 0.23"
    assert table.loc[("rCBV", "always wild-type")].tolist() == ["0.50 ± 0.00", "", "0.00", "1.00", "0.50"]
    assert table.loc[("rCBV", "best possible"), "AUC"] == "1.00 ± 0.00"
    assert table.loc[("rCBV", "ours, pooled over 4 patients"), "AUC"] == "0.75"


def test_synthetic_results_say_so():
    metrics = {"rcbv": {"synthetic": True, **summarise(PREDICTIONS)}}
    assert results_text(metrics, PUBLISHED).startswith("Synthetic phantom cohort: no clinical result.")
    metrics["rcbv"]["synthetic"] = False
    assert "ynthetic" not in results_text(metrics, PUBLISHED)
