"""Tables of results, ours beside the paper's."""

import pandas as pd

from glioma_idh.cohorts.table import SEQUENCE_NAMES
from glioma_idh.reporting.canvas import SYNTHETIC_NOTE

HEADINGS = {
    "accuracy": "ACC",
    "ccel": "CCEL",
    "sensitivity": "SN",
    "specificity": "SP",
    "auc": "AUC",
}


def results_table(metrics: dict[str, dict], published: dict[str, dict]) -> pd.DataFrame:
    """Mean and standard deviation over the splits, the paper's row and the trivial answer's below each.

    Args:
        metrics: by the sequence's name, what `evaluation.metrics.summarise` gives.
        published: by the same name, (mean, sd) of each score; may lack sequences.

    Returns:
        Text cells, indexed by sequence and row.
    """
    rows = {}
    for sequence, summary in metrics.items():
        name, mean, sd = SEQUENCE_NAMES.get(sequence, sequence), summary["mean"], summary["sd"]
        rows[name, "ours"] = {heading: _cell(mean[key], sd[key]) for key, heading in HEADINGS.items()}
        if sequence in published:
            rows[name, "paper"] = {heading: _cell(*published[sequence][key]) for key, heading in HEADINGS.items()}
        trivial = _cell(mean["always_wild_type"], sd["always_wild_type"])
        rows[name, "always wild-type"] = {"ACC": trivial, "SN": _cell(0), "SP": _cell(1), "AUC": _cell(0.5)}
        if "best_possible_auc" in mean:
            rows[name, "best possible"] = {"AUC": _cell(mean["best_possible_auc"], sd["best_possible_auc"])}
        pooled = {heading: _cell(summary["pooled"][key]) for key, heading in HEADINGS.items()}
        rows[name, f"ours, pooled over {summary['pooled']['num_patients']} patients"] = pooled
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(HEADINGS.values())).fillna("")
    table.index = pd.MultiIndex.from_tuples(table.index, names=["sequence", ""])
    return table


def results_text(metrics: dict[str, dict], published: dict[str, dict]) -> str:
    """The table of results as lines of text, marked where it is synthetic."""
    note = "Mean ± standard deviation over the splits; pooled: one score a patient, over every test set."
    synthetic = any(summary["synthetic"] for summary in metrics.values())
    lines = [f"{SYNTHETIC_NOTE}."] if synthetic else []
    return "\n".join([*lines, results_table(metrics, published).to_string(), note])


def _cell(mean: float | None, sd: float | None = None) -> str:
    if mean is None or mean != mean:
        return "-"
    return f"{mean:.2f}" if sd is None or sd != sd else f"{mean:.2f} ± {sd:.2f}"
