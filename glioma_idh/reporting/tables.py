"""Tables of results, ours beside the paper's."""

import pandas as pd

from glioma_idh.reporting.canvas import SYNTHETIC_NOTE, display_name
from glioma_idh.reporting.printed import HEADINGS, SLICE_CNN, Printed


def results_table(
    metrics: dict[str, dict],
    published: dict[str, dict],
    printed: Printed = SLICE_CNN,
    baselines: dict[str, dict[str, float]] | None = None,
) -> pd.DataFrame:
    """Mean and standard deviation over the splits, the paper's row and the trivial answer's below each.

    Args:
        metrics: by the sequence's or the network's name, what `evaluation.metrics.summarise` gives.
        published: by the same name, (mean, sd) of each score, sd None where the paper prints none; may lack names.
        printed: what the paper prints.
        baselines: scores of answers that need no network, by their name; a row each at the end.

    Returns:
        Text cells, indexed by sequence and row; "-" where a number was not to be had.
    """
    rows = {}
    for sequence, summary in metrics.items():
        name = display_name(sequence)
        for row, cells in _rows_of_run(summary, published.get(sequence), printed).items():
            rows[name, row] = cells
    for name, scores in (baselines or {}).items():
        rows["baseline", name] = {HEADINGS[key]: _cell(value) for key, value in scores.items() if key in HEADINGS}
    columns = [HEADINGS[key] for key in printed.columns]
    table = pd.DataFrame(list(rows.values()), columns=columns).fillna("")
    table.index = pd.MultiIndex.from_tuples(rows, names=["sequence", ""])
    return table


def _rows_of_run(summary: dict, published: dict | None, printed: Printed) -> dict[str, dict[str, str]]:
    """The rows of a run: cells by heading."""
    mean, sd, pooled = summary["mean"], summary["sd"], summary["pooled"]
    rows = {"ours": {HEADINGS[key]: _cell(mean.get(key), sd.get(key)) for key in printed.columns}}
    if published is not None:
        rows["paper"] = {HEADINGS[key]: _cell(*published.get(key, (None,))) for key in printed.columns}
    if "always_wild_type" in mean:
        trivial = _cell(mean["always_wild_type"], sd["always_wild_type"])
        cells = {"ACC": trivial, "SN": _cell(0), "SP": _cell(1), "AUC": _cell(0.5), "PPV": _cell(None), "NPV": trivial}
        rows["always wild-type"] = cells
    if "best_possible_auc" in mean:
        rows["best possible"] = {"AUC": _cell(mean["best_possible_auc"], sd["best_possible_auc"])}
    cells = {HEADINGS[key]: _cell(pooled.get(key)) for key in printed.columns}
    low, high = pooled.get("auc_interval", (None, None))
    if low is not None and low == low:
        cells["AUC"] += f" ({low:.2f}-{high:.2f})"
    rows[f"ours, pooled over {pooled['num_patients']} patients"] = cells
    return rows


def results_text(
    metrics: dict[str, dict],
    published: dict[str, dict],
    printed: Printed = SLICE_CNN,
    baselines: dict[str, dict[str, float]] | None = None,
) -> str:
    """The table of results as lines of text, marked where it is synthetic."""
    notes = ["Mean ± standard deviation over the splits; pooled: one score a patient, over every test set."]
    if any("dice" in summary["mean"] for summary in metrics.values()) and "dice" in printed.columns:
        notes.append("Dice of the pooled row: the mean over the subjects.")
    if printed.auc_interval and any("auc" in summary["mean"] for summary in metrics.values()):
        notes.append(_interval_note(metrics))
    synthetic = any(summary["synthetic"] for summary in metrics.values())
    lines = [f"{SYNTHETIC_NOTE}."] if synthetic else []
    return "\n".join([*lines, results_table(metrics, published, printed, baselines).to_string(), *notes])


def _interval_note(metrics: dict[str, dict]) -> str:
    """What stands in brackets, or why nothing does."""
    intervals = [summary["pooled"].get("auc_interval", (None, None)) for summary in metrics.values()]
    if any(low is not None and low == low for low, _ in intervals):
        return "In brackets: 95 % interval of the AUC (DeLong), the luck of who the patients were."
    return "No interval of the AUC: too few patients of a class, or classes that do not overlap."


def _cell(mean: float | None, sd: float | None = None) -> str:
    if mean is None or mean != mean:
        return "-"
    return f"{mean:.2f}" if sd is None or sd != sd else f"{mean:.2f} ± {sd:.2f}"
