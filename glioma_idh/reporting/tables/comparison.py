"""Several networks trained on the same splits: one table, paired tests, and whether a paper's order holds."""

from pathlib import Path

import pandas as pd

from glioma_idh.evaluation.comparisons import Comparison
from glioma_idh.files import write_table, write_text
from glioma_idh.papers import Printed
from glioma_idh.reporting.figures.canvas import SYNTHETIC_NOTE
from glioma_idh.reporting.names import ALWAYS
from glioma_idh.reporting.tables.cells import format_p
from glioma_idh.reporting.tables.results import WITHIN, WITHIN_NOTE, latex_table, results_table
from glioma_idh.reporting.text.templates import TEXTS, render_topics

ROWS = {"auc": WITHIN, "dice": "pooled over"}  # what the name of the row of a compared score holds
SURE = 0.05
SCORES = {"auc": "AUC", "dice": "DSC"}  # by which networks are compared, and their headings


def comparison_table(
    numbers: dict[str, dict],
    comparisons: dict[str, dict[str, Comparison]],
    model: str,
    published: dict[str, dict],
    printed: Printed,
    baselines: dict[str, dict[str, float]],
) -> pd.DataFrame:
    """The results table, with each network's difference from one of them, `model`, in its row of pooled scores.

    The numbers are those of `report.numbers_of`, the comparisons by score and name, the other less the model.
    """
    table = results_table(numbers, published, printed, baselines)
    trivial = table.index.get_level_values(1).isin(ALWAYS)  # once, among the baselines, and not below every network
    table = pd.concat([table[~trivial], table[trivial].head(1).rename(index=lambda _: "baseline", level=0)])
    for score, pairs in comparisons.items():
        heading = f"{SCORES[score]} less {model}'s"
        for name, comparison in pairs.items():
            row = next(row for row in table.index if row[0] == name and ROWS[score] in row[1])
            low, high = (f"{end:+.{printed.decimals}f}" for end in (comparison.low, comparison.high))
            cells = [f"{comparison.difference:+.{printed.decimals}f} ({low} to {high})", format_p(comparison.p)]
            table.loc[row, [heading, f"{heading}, p"]] = [comparison.reason, ""] if comparison.reason else cells
    return table.astype(object).fillna("")


def order_text(numbers: dict[str, dict], comparisons: dict[str, Comparison], model: str, score: str = "auc") -> str:
    """Whether one network, which the paper finds above the others, comes out so, and how sure that is; a line each.

    Args are those of `comparison_table`, the comparisons of one score, "auc" or "dice".
    """
    heading, lines = SCORES[score], []
    for name, comparison in comparisons.items():
        row = "within_splits" if score == "auc" else "pooled"
        ours, other = (numbers[network][row][score] for network in (model, name))
        pairs = list(zip(*(numbers[network]["by_seed"][score] for network in (model, name)), strict=True))
        won = sum(one > two for one, two in pairs)
        heads = f"{model} against {name}: {heading} {ours:.3f} against {other:.3f}"
        if comparison.reason:
            lines.append(f"{heads}; whether that is luck {comparison.reason}")
            continue
        interval = f"({-comparison.high:+.3f} to {-comparison.low:+.3f})"  # of the model less the other
        tested = f"difference {-comparison.difference:+.3f} {interval}, p {format_p(comparison.p)}"
        lines.append(f"{heads}; {tested}; higher in {won} of {len(pairs)} seeds: {_verdict(comparison)}.")
    return "\n".join(lines)


def order_holds(comparisons: dict[str, Comparison]) -> str:
    """Whether the order in which a paper finds one network above all others is seen here, in a sentence."""
    if not comparisons:
        return "Whether the paper's order holds here cannot be computed, because there is nothing to compare."
    verdicts = [_verdict(comparison) for comparison in comparisons.values()]
    if all(verdict == "above" for verdict in verdicts):
        return "The paper's order holds here."
    if "below" in verdicts:
        return "The paper's order does not hold here."
    told = ", in part" if "above" in verdicts else ""
    return f"The paper's order is not seen here{told}: these patients do not tell the networks apart."


def _verdict(comparison: Comparison) -> str:
    """Where the model stands to the other: certain if the interval and, after Holm, p say so."""
    if comparison.reason or comparison.p >= SURE:
        return "not told apart"
    return "above" if comparison.high < 0 else "below" if comparison.low > 0 else "not told apart"


def notes(numbers: dict[str, dict], baselines: dict) -> list[str]:
    """What the rows and brackets are, and each seed's scores."""
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
            lines.append(f"{heading} of each seed: {'; '.join(each)}.")
    return lines


def write_comparison_table(table: pd.DataFrame, folder: Path, name: str, caption: str, synthetic: bool = False) -> None:
    """A table of text cells as CSV, Markdown and LaTeX, each marked where it is synthetic."""
    flat = table.reset_index().rename(columns={"sequence": "network"})
    write_table(flat.assign(note=SYNTHETIC_NOTE) if synthetic else flat, folder / f"{name}.csv")
    merged = flat["network"].where(~flat["network"].duplicated(), "")
    write_text(flat.assign(network=merged).to_markdown(index=False) + f"\n\n{caption}\n", folder / f"{name}.md")
    write_text(latex_table(flat.assign(network=merged), caption, name), folder / f"{name}.tex")
