"""Tables of results, next to those of the paper."""

import pandas as pd

from glioma_idh.papers import Printed
from glioma_idh.reporting.figures.canvas import SYNTHETIC_NOTE, display_name
from glioma_idh.reporting.names import ALWAYS, HEADINGS, SCORES, trivial_answer
from glioma_idh.reporting.tables.cells import estimate_cell, known

WITHIN = "this work, within splits"
WITHIN_NOTE = (
    "AUC within splits: only patients tested by the same network are compared. The pooled AUC also compares scores of "
    "different networks, whose offsets differ; this usually lowers it."
)
SPREAD_NOTE = (
    "This work: mean ± standard deviation over the splits. Pooled: all patients together, one score each (averaged if "
    "tested more than once)."
)
LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
LATEX |= {"<": "$<$", ">": "$>$", "±": r"$\pm$", "≤": r"$\leq$", "≥": r"$\geq$", "−": "$-$", "×": r"$\times$"}
LATEX = str.maketrans(LATEX | {letter: f"\\{letter}" for letter in "&%$#_{}"})


def results_table(
    metrics: dict[str, dict], published: dict[str, dict], printed: Printed, baselines: dict[str, dict] | None = None
) -> pd.DataFrame:
    """Mean and standard deviation over the splits, followed by the paper's results and the best constant prediction.

    `metrics` and `published` are by name of the sequence or network. Each baseline has a row at the end. Rows are
    indexed by sequence and row name; "-" stands for numbers that are not available.
    """
    rows = {}
    for sequence, summary in metrics.items():
        for row, cells in _rows_of_run(summary, published.get(sequence), printed).items():
            rows[display_name(sequence), row] = cells
    for name, scores in (baselines or {}).items():
        rows["baseline", name] = _cells({key: (value,) for key, value in scores.items()}, printed.decimals)
    columns = [HEADINGS[key] for key in printed.columns]
    table = pd.DataFrame(list(rows.values()), columns=columns).astype(object).fillna("")
    table.index = pd.MultiIndex.from_tuples(rows, names=["sequence", ""])
    return table


def _rows_of_run(summary: dict, published: dict | None, printed: Printed) -> dict[str, dict[str, str]]:
    """The rows of a run by name; each holds its cells by column heading."""
    mean, pooled, decimals = summary["mean"], summary["pooled"], printed.decimals
    ours = {key: (value, summary["sd"][key]) for key, value in mean.items()}
    rows = {"this work": _cells(ours, decimals, printed.columns)}
    if published is not None:
        rows["paper"] = _cells(published, decimals, printed.columns)
    if "always_wild_type" in mean:  # the constant prediction with the higher accuracy
        answer, sd = trivial_answer(mean["always_wild_type"]), summary["sd"]["always_wild_type"]
        mutant, right = (answer == ALWAYS[1]), mean["always_wild_type"]
        right = (1 - right if mutant else right, sd)
        scores = {"accuracy": right, "sensitivity": (int(mutant),), "specificity": (int(not mutant),), "auc": (0.5,)}
        scores |= {"ppv" if mutant else "npv": right, "npv" if mutant else "ppv": (None,)}
        rows[answer] = _cells(scores, decimals)
    if "best_possible_auc" in mean:
        rows["best possible"] = _cells({"auc": ours["best_possible_auc"]}, decimals)
    if within := summary["within_splits"]:
        rows[WITHIN] = _cells({"auc": (within["auc"],)}, decimals)
        if _has_interval(within):
            rows[WITHIN]["AUC"] += " ({:.{d}f}-{:.{d}f})".format(*within["auc_interval"], d=decimals)
    cells = _cells({key: (value,) for key, value in pooled.items()}, decimals, printed.columns)
    rows[f"this work, pooled over {pooled['num_patients']} patients"] = cells
    return rows


def _has_interval(within: dict) -> bool:
    return within.get("auc_interval") is not None and known(within["auc_interval"][0])


def _cells(scores: dict, decimals: int, columns=None) -> dict[str, str]:
    """Cells of a row by column heading, from the (mean, sd) or (mean,) of each score; "-" where it is missing."""
    cells = {}
    for key in scores if columns is None else columns:
        mean, sd = (*scores.get(key, (None,)), None)[:2]
        if key in HEADINGS:
            cell = f"{mean:.{decimals}f}" if known(mean) else "-"
            cells[HEADINGS[key]] = f"{cell} ± {sd:.{decimals}f}" if known(mean) and known(sd) else cell
    return cells


def results_text(
    metrics: dict[str, dict], published: dict[str, dict], printed: Printed, baselines: dict[str, dict] | None = None
) -> str:
    """The table of results as lines of text, marked if the cohort is synthetic."""
    lines = [f"{SYNTHETIC_NOTE}."] if any(summary["synthetic"] for summary in metrics.values()) else []
    lines += [results_table(metrics, published, printed, baselines).to_string(), SPREAD_NOTE]
    if any("dice" in summary["mean"] for summary in metrics.values()) and "dice" in printed.columns:
        lines.append("DSC in the pooled row: mean over the subjects.")
    if any("auc" in summary["mean"] for summary in metrics.values()):
        lines.append(WITHIN_NOTE)
        if any(_has_interval(summary["within_splits"]) for summary in metrics.values()):
            lines.append("In parentheses: 95 % confidence interval of the AUC within splits (sampling of patients).")
        else:
            lines.append(
                "No interval of the AUC: a class has too few patients, or the scores of the classes do not overlap."
            )
    return "\n".join(lines)


def paper_sheet(metrics: dict, published: dict, printed: Printed, performance: dict | None = None) -> pd.DataFrame:
    """One row per score that the paper reports: its mean ± sd, and ours over the splits, within splits and pooled.

    With `performance`, the result of `evaluate`, scores are given with their intervals where available. Columns:
    `score, paper`, `this work, mean ± sd over ... splits`, `this work, within splits`, `this work, pooled over ...
    patients`, `always wild-type` or `always mutant` and, for the synthetic cohort, `best possible`.
    """
    performance, num_splits = performance or {}, len(metrics["per_split"])
    made = results_table({"": metrics}, {"": published}, printed).droplevel(0).T
    pooled, auc = f"this work, pooled over {metrics['pooled']['num_patients']} patients", performance.get("auc", {})
    rates = {score: rate for score, rate in performance.get("rates", {}).get("0.5", {}).items() if score in SCORES}
    rates |= {"auc": auc.get("pooled"), "dice": performance.get("segmentation", {}).get("dice")}
    estimates = {pooled: rates, WITHIN: {"auc": auc.get("within_splits")}}
    rows = []
    for score in printed.columns:
        if score not in published and score not in metrics["mean"]:
            continue
        cells = {"score": SCORES[score].name, **made.loc[HEADINGS[score]]}
        for column, of_scores in estimates.items():
            if of_scores.get(score):
                cells[column] = estimate_cell(of_scores[score], printed.decimals)
        rows.append(cells)
    ours = f"this work, mean ± SD over {num_splits} splits" if num_splits > 1 else "this work, one split"
    columns = ["score", "paper", "this work", WITHIN, pooled, *ALWAYS, "best possible"]
    table = pd.DataFrame(rows).replace("", "-")
    return table[[column for column in columns if column in table]].rename(columns={"this work": ours})


def latex_table(table: pd.DataFrame, caption: str, label: str) -> str:
    """A table of text cells, without its index, as LaTeX (`booktabs`) with a caption and the label `tab:...`."""
    escaped = table.astype(str).map(lambda cell: cell.translate(LATEX))
    escaped = escaped.rename(columns=lambda name: str(name).translate(LATEX))
    return escaped.to_latex(index=False, escape=False, caption=caption.translate(LATEX), label=f"tab:{label}")
