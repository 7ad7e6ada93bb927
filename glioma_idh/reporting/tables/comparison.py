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
    """The results table, with each network's difference from one of them in its row of pooled scores.

    Args:
        numbers: of each network, as `experiments.numbers_of` gives them.
        comparisons: by score and name, the other less it.
        model: what they were compared with.
        published: the paper's (mean, sd) of each score, by name.
        printed: what the paper prints.
        baselines: scores of answers that need no network, by their name.

    Returns:
        Text cells, indexed by network and row.
    """
    table = _trivial_last(results_table(numbers, published, printed, baselines))
    for score, pairs in comparisons.items():
        heading = f"{SCORES[score]} less {model}'s"
        for name, comparison in pairs.items():
            row = next(row for row in table.index if row[0] == name and ROWS[score] in row[1])
            table.loc[row, [heading, f"{heading}, p"]] = _cells(comparison, printed.decimals)
    return table.astype(object).fillna("")


def _trivial_last(table: pd.DataFrame) -> pd.DataFrame:
    """The answer that is the same for all once, among the baselines, and not below every network."""
    trivial = table.index.get_level_values(1).isin(ALWAYS)
    once = table[trivial].head(1).rename(index=lambda _: "baseline", level=0)
    return pd.concat([table[~trivial], once])


def _cells(comparison: Comparison, decimals: int) -> list[str]:
    """A difference with its interval, and p."""
    if comparison.reason:
        return [comparison.reason, ""]
    ends = f"({comparison.low:+.{decimals}f} to {comparison.high:+.{decimals}f})"
    return [f"{comparison.difference:+.{decimals}f} {ends}", format_p(comparison.p)]


def order_text(numbers: dict[str, dict], comparisons: dict[str, Comparison], model: str, score: str = "auc") -> str:
    """Whether one network comes out above the others, as a paper says, and how sure that is; a line each.

    Args:
        numbers: as `experiments.numbers_of` gives them.
        comparisons: the others against the model, by score and name, the other less it.
        model: the one that the paper finds above.
        score: "auc" or "dice".
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
        low, high = -comparison.high, -comparison.low  # of the model less the other
        verdict = _verdict(comparison)
        numbers_ = f"difference {-comparison.difference:+.3f} ({low:+.3f} to {high:+.3f}), p {format_p(comparison.p)}"
        lines.append(f"{heads}; {numbers_}; higher in {won} of {len(pairs)} seeds: {verdict}.")
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


def comparison_text(table: pd.DataFrame, numbers: dict[str, dict], baselines: dict) -> str:
    """The table and its notes as lines of text."""
    return "\n".join([table.to_string(), *notes(numbers, baselines)])


def notes(numbers: dict[str, dict], baselines: dict) -> list[str]:
    """What the rows and brackets are, and each seed's scores."""
    lines = [f"{SYNTHETIC_NOTE}."] if any(summary["synthetic"] for summary in numbers.values()) else []
    lines += [
        "ours: mean ± standard deviation over all splits of all seeds; pooled: one mean score per patient.",
        WITHIN_NOTE,
        "In brackets: 95 % confidence intervals (sampling of patients): of an AUC and of a difference of AUC within"
        " splits by DeLong's components, of a difference of DSC by bootstrap. p: paired test of DeLong, or Wilcoxon's"
        " of DSC, after Holm.",
    ]
    if any("auc" in summary["mean"] for summary in numbers.values()) and "grade alone" not in baselines:
        lines.append("Grade alone: cannot be computed, because the subjects tested have no grade, or but one.")
    unlabelled = {name: summary["num_unlabelled"] for name, summary in numbers.items() if summary["num_unlabelled"]}
    if 0 < len(unlabelled) < len(numbers):
        each = ", ".join(f"{name} from {count}" for name, count in unlabelled.items())
        lines.append(f"Not all learn from the same: {each} subjects without a label too.")
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
