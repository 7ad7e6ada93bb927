"""Comparison of several networks trained on the same splits: table, paired tests, and the order found in the paper."""

from pathlib import Path

import pandas as pd

from glioma_idh.evaluation.comparisons import Comparison
from glioma_idh.files import write_table, write_text
from glioma_idh.papers import Printed
from glioma_idh.reporting.figures.canvas import SYNTHETIC_NOTE
from glioma_idh.reporting.names import ALWAYS
from glioma_idh.reporting.tables.cells import format_p, p_equals
from glioma_idh.reporting.tables.results import WITHIN, WITHIN_NOTE, latex_table, results_table
from glioma_idh.reporting.text.templates import TEXTS, render_topics

ROWS = {"auc": WITHIN, "dice": "pooled over"}  # part of the name of the row that holds a compared score
SURE = 0.05
SCORES = {"auc": "AUC", "dice": "DSC"}  # scores by which networks are compared, and their headings


def comparison_table(
    numbers: dict[str, dict],
    comparisons: dict[str, dict[str, Comparison]],
    model: str,
    published: dict[str, dict],
    printed: Printed,
    baselines: dict[str, dict[str, float]],
) -> pd.DataFrame:
    """The results table with the difference of each network from the network `model`.

    `numbers` are those of `report.numbers_of`; `comparisons` are by score and name, the other network minus the model.
    """
    table = results_table(numbers, published, printed, baselines)
    trivial = table.index.get_level_values(1).isin(ALWAYS)  # listed once, among the baselines
    table = pd.concat([table[~trivial], table[trivial].head(1).rename(index=lambda _: "baseline", level=0)])
    for score, pairs in comparisons.items():
        heading = f"difference in {SCORES[score]} from {model}"
        for name, comparison in pairs.items():
            row = next(row for row in table.index if row[0] == name and ROWS[score] in row[1])
            low, high = (f"{end:+.{printed.decimals}f}" for end in (comparison.low, comparison.high))
            cells = [f"{comparison.difference:+.{printed.decimals}f} ({low} to {high})", format_p(comparison.p)]
            table.loc[row, [heading, f"{heading}, p"]] = [comparison.reason, ""] if comparison.reason else cells
    return table.astype(object).fillna("")


def order_text(numbers: dict[str, dict], comparisons: dict[str, Comparison], model: str, score: str = "auc") -> str:
    """Compare the network that the paper found best with each other network, one line each.

    Arguments as in `comparison_table`; the comparisons are those of one score, "auc" or "dice".
    """
    heading, lines = SCORES[score], []
    for name, comparison in comparisons.items():
        row = "within_splits" if score == "auc" else "pooled"
        ours, other = (numbers[network][row][score] for network in (model, name))
        pairs = list(zip(*(numbers[network]["by_seed"][score] for network in (model, name)), strict=True))
        won = sum(one > two for one, two in pairs)
        heads = f"{model} versus {name}: {heading} {ours:.3f} versus {other:.3f}"
        if comparison.reason:
            lines.append(f"{heads}; a paired test {comparison.reason}.")
            continue
        interval = f"({-comparison.high:+.3f} to {-comparison.low:+.3f})"  # model minus other
        tested = f"difference {-comparison.difference:+.3f} {interval}, {p_equals(comparison.p)}"
        lines.append(f"{heads}; {tested}; higher in {won} of {len(pairs)} seeds: {_verdict(comparison)}.")
    return "\n".join(lines)


def order_holds(comparisons: dict[str, Comparison]) -> str:
    """Say in one sentence whether the network that the paper found best is also best here."""
    if not comparisons:
        return "The order of the networks in the paper cannot be checked, because there is nothing to compare."
    verdicts = [_verdict(comparison) for comparison in comparisons.values()]
    if all(verdict == "above" for verdict in verdicts):
        return "The order of the networks in the paper is confirmed."
    if "below" in verdicts:
        return "The order of the networks in the paper is not confirmed."
    confirmed = "only partly confirmed" if "above" in verdicts else "neither confirmed nor refuted"
    return f"The order of the networks in the paper is {confirmed}: some differences are not significant."


def _verdict(comparison: Comparison) -> str:
    """Whether the model is above or below the other network; both the interval and p after Holm must say so."""
    if comparison.reason or comparison.p >= SURE:
        return "not significant"
    return "above" if comparison.high < 0 else "below" if comparison.low > 0 else "not significant"


def notes(numbers: dict[str, dict], baselines: dict) -> list[str]:
    """Notes below the table: the meaning of rows and parentheses, and the scores of each seed."""
    unlabelled = {name: summary["num_unlabelled"] for name, summary in numbers.items() if summary["num_unlabelled"]}
    scored = any("auc" in summary["mean"] for summary in numbers.values())
    values = {"synthetic_note": SYNTHETIC_NOTE, "synthetic": any(summary["synthetic"] for summary in numbers.values())}
    values |= {"within_note": WITHIN_NOTE, "no_grade": scored and "grade alone" not in baselines}
    values |= {"unlabelled": unlabelled, "num_networks": len(numbers)}
    lines = [note for note in render_topics(f"{TEXTS}/comparison.j2", values).values() if note]
    for score, heading in SCORES.items():
        scores = {name: summary["by_seed"][score] for name, summary in numbers.items()}
        scores = {name: values for name, values in scores.items() if values[0] is not None and len(values) > 1}
        if scores:
            each = (f"{name} {', '.join(f'{value:.3f}' for value in values)}" for name, values in scores.items())
            lines.append(f"{heading} per seed: {'; '.join(each)}.")
    return lines


def write_comparison_table(table: pd.DataFrame, folder: Path, name: str, caption: str, synthetic: bool = False) -> None:
    """Write a table of text cells as CSV, Markdown and LaTeX, each marked if the cohort is synthetic."""
    flat = table.reset_index().rename(columns={"sequence": "network"})
    write_table(flat.assign(note=SYNTHETIC_NOTE) if synthetic else flat, folder / f"{name}.csv")
    merged = flat["network"].where(~flat["network"].duplicated(), "")
    write_text(flat.assign(network=merged).to_markdown(index=False) + f"\n\n{caption}\n", folder / f"{name}.md")
    write_text(latex_table(flat.assign(network=merged), caption, name), folder / f"{name}.tex")
