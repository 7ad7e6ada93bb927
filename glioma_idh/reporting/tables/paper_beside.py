"""Every number that a run's paper prints, beside ours."""

import pandas as pd

from glioma_idh.papers import Printed
from glioma_idh.reporting.names import ALWAYS, HEADINGS
from glioma_idh.reporting.tables.cells import estimate_cell
from glioma_idh.reporting.tables.results import WITHIN, results_table

NAMES = {
    "accuracy": "Accuracy",
    "ccel": "Test loss (cross-entropy)",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "auc": "AUC",
    "ppv": "Positive predictive value",
    "npv": "Negative predictive value",
    "dice": "Dice of the lesion",
}


def paper_sheet(metrics: dict, published: dict, printed: Printed, worth: dict | None = None) -> pd.DataFrame:
    """One row per score: the paper's mean ± sd, ours over the splits, within splits, and pooled over the patients.

    Args:
        metrics: content of `metrics.json`.
        published: the paper's (mean, sd) of each score of this run, sd None where it prints none; may be empty.
        printed: what the paper prints: its scores are the rows, without those that neither has.
        worth: what `evaluation.worth.worth` gives; then every score that has an interval stands with it, else the AUC
            within splits alone.

    Returns:
        Text cells: `score, paper`, `ours, mean ± sd over ... splits`, of scores `ours, within splits`, `ours, pooled
        over ... patients`, `always wild-type` or `always mutant` and, of phantoms, `best possible`.
    """
    made = results_table({"": metrics}, {"": published}, printed).droplevel(0).T
    pooled = f"ours, pooled over {metrics['pooled']['num_patients']} patients"
    estimates = {pooled: _pooled_estimates(worth or {}), WITHIN: _within_splits_estimate(worth or {})}
    rows = []
    for score in printed.columns:
        if score not in published and score not in metrics["mean"]:
            continue
        cells = {"score": NAMES[score], **made.loc[HEADINGS[score]]}
        for column, of_scores in estimates.items():
            if score in of_scores:
                cells[column] = estimate_cell(of_scores[score], printed.decimals)
        rows.append(cells)
    num_splits = len(metrics["per_split"])
    ours = f"ours, mean ± sd over {num_splits} splits" if num_splits > 1 else "ours, one split"
    columns = ["score", "paper", "ours", WITHIN, pooled, *ALWAYS, "best possible"]
    table = pd.DataFrame(rows).replace("", "-")
    return table[[column for column in columns if column in table]].rename(columns={"ours": ours})


def _within_splits_estimate(worth: dict) -> dict[str, dict]:
    """The AUC within splits, by the name `auc`; empty without scores."""
    estimate = worth.get("auc", {}).get("within_splits")
    return {"auc": estimate} if estimate else {}


def _pooled_estimates(worth: dict) -> dict[str, dict]:
    """The pooled scores that have an interval, by name."""
    rates = worth.get("rates", {}).get("0.5", {})
    estimates = {score: rate for score, rate in rates.items() if score in NAMES}
    estimates |= {"auc": worth.get("auc", {}).get("pooled"), "dice": worth.get("segmentation", {}).get("dice")}
    return {score: estimate for score, estimate in estimates.items() if estimate}
