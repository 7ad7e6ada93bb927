"""Tables of results, ours beside the paper's."""

import pandas as pd

from glioma_idh.papers import SLICE_CNN, Printed
from glioma_idh.reporting.figures.canvas import SYNTHETIC_NOTE, display_name
from glioma_idh.reporting.names import HEADINGS, trivial_answer

WITHIN = "ours, within splits"
WITHIN_NOTE = (
    "AUC within splits: only patients tested by the same network are compared. The pooled AUC also compares scores of "
    "different networks, whose offsets usually lower it."
)
LATEX = str.maketrans(
    {
        **{letter: f"\\{letter}" for letter in "&%$#_{}"},
        **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
        **{"<": "$<$", ">": "$>$", "±": r"$\pm$", "≤": r"$\leq$", "≥": r"$\geq$", "−": "$-$", "×": r"$\times$"},
    }
)


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
        baselines: scores of baselines without a network, by their name; a row each at the end.

    Returns:
        Text cells, indexed by sequence and row; "-" where a number was not to be had.
    """
    rows = {}
    for sequence, summary in metrics.items():
        name = display_name(sequence)
        for row, cells in _rows_of_run(summary, published.get(sequence), printed).items():
            rows[name, row] = cells
    for name, scores in (baselines or {}).items():
        rows["baseline", name] = _cells({key: (value,) for key, value in scores.items()}, None, printed.decimals)
    columns = [HEADINGS[key] for key in printed.columns]
    table = pd.DataFrame(list(rows.values()), columns=columns).astype(object).fillna("")
    table.index = pd.MultiIndex.from_tuples(rows, names=["sequence", ""])
    return table


def _rows_of_run(summary: dict, published: dict | None, printed: Printed) -> dict[str, dict[str, str]]:
    """The rows of a run: cells by heading."""
    mean, pooled, decimals = summary["mean"], summary["pooled"], printed.decimals
    ours = {key: (value, summary["sd"][key]) for key, value in mean.items()}
    rows = {"ours": _cells(ours, printed.columns, decimals)}
    if published is not None:
        rows["paper"] = _cells(published, printed.columns, decimals)
    if "always_wild_type" in mean:
        rows |= _trivial_row(*ours["always_wild_type"], decimals)
    if "best_possible_auc" in mean:
        rows["best possible"] = _cells({"auc": ours["best_possible_auc"]}, None, decimals)
    if summary["within_splits"]:
        rows[WITHIN] = _within_splits(summary["within_splits"], decimals)
    cells = _cells({key: (value,) for key, value in pooled.items()}, printed.columns, decimals)
    rows[f"ours, pooled over {pooled['num_patients']} patients"] = cells
    return rows


def _trivial_row(mean: float, sd: float, decimals: int) -> dict[str, dict[str, str]]:
    """The answer that is the same for all, whichever is right more often, from the accuracy of "wild-type"."""
    answer = trivial_answer(mean)
    is_mutant = answer == "always mutant"
    right = (1 - mean, sd) if is_mutant else (mean, sd)
    scores = {"accuracy": right, "sensitivity": (int(is_mutant),), "specificity": (int(not is_mutant),), "auc": (0.5,)}
    scores |= {"ppv" if is_mutant else "npv": right, "npv" if is_mutant else "ppv": (None,)}
    return {answer: _cells(scores, None, decimals)}


def _within_splits(within: dict, decimals: int) -> dict[str, str]:
    """The cell of the AUC within splits, with its interval."""
    cells = _cells({"auc": (within["auc"],)}, None, decimals)
    if _known(within["auc_interval"]):
        cells["AUC"] += " ({:.{d}f}-{:.{d}f})".format(*within["auc_interval"], d=decimals)
    return cells


def _cells(scores: dict, columns, decimals: int) -> dict[str, str]:
    """Cells of a row by heading, from (mean, sd) or (mean,) of each score; "-" in columns without one."""
    columns = scores if columns is None else columns
    return {HEADINGS[key]: _cell(*scores.get(key, (None,)), decimals=decimals) for key in columns if key in HEADINGS}


def _known(interval) -> bool:
    """Whether there is an interval; JSON makes None of NaN."""
    return interval is not None and interval[0] is not None and interval[0] == interval[0]


def results_text(
    metrics: dict[str, dict],
    published: dict[str, dict],
    printed: Printed = SLICE_CNN,
    baselines: dict[str, dict[str, float]] | None = None,
) -> str:
    """The table of results as lines of text, marked where it is synthetic."""
    notes = ["ours: mean ± standard deviation over the splits; pooled: one mean score per patient."]
    if any("dice" in summary["mean"] for summary in metrics.values()) and "dice" in printed.columns:
        notes.append("Dice of the pooled row: the mean over the subjects.")
    if any("auc" in summary["mean"] for summary in metrics.values()):
        notes += [WITHIN_NOTE, _interval_note(metrics)]
    synthetic = any(summary["synthetic"] for summary in metrics.values())
    lines = [f"{SYNTHETIC_NOTE}."] if synthetic else []
    return "\n".join([*lines, results_table(metrics, published, printed, baselines).to_string(), *notes])


def _interval_note(metrics: dict[str, dict]) -> str:
    """What stands in brackets, or why nothing does."""
    if any(_known(summary["within_splits"].get("auc_interval")) for summary in metrics.values()):
        return "In brackets: 95 % confidence interval of the AUC within splits (sampling of patients)."
    return "No interval of the AUC: too few patients of a class, or classes that do not overlap."


def _cell(mean: float | None, sd: float | None = None, decimals: int = 2) -> str:
    if mean is None or mean != mean:
        return "-"
    return f"{mean:.{decimals}f}" if sd is None or sd != sd else f"{mean:.{decimals}f} ± {sd:.{decimals}f}"


def latex_table(table: pd.DataFrame, caption: str, label: str) -> str:
    """A table of text cells as LaTeX with its caption; it needs the package `booktabs`.

    Args:
        table: its index is not shown.
        caption: plain text.
        label: to refer to it by, `tab:` and this.
    """
    escaped = table.astype(str).map(latex_text).rename(columns=lambda name: latex_text(str(name)))
    return escaped.to_latex(index=False, escape=False, caption=latex_text(caption), label=f"tab:{label}")


def latex_text(text: str) -> str:
    """Plain text as LaTeX prints it."""
    return text.translate(LATEX)
