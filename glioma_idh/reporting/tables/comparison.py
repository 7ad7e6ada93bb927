"""Several networks trained on the same splits: one table, paired tests, and whether a paper's order holds."""

from pathlib import Path

import pandas as pd

from glioma_idh import runs
from glioma_idh.errors import InputError
from glioma_idh.evaluation.comparisons import Comparison, compare_all, compare_auc, compare_dice
from glioma_idh.evaluation.metrics import has_values, pooled_scores, summarise, within_splits_scores
from glioma_idh.files import write_table, write_text
from glioma_idh.papers import Printed
from glioma_idh.reporting.figures.canvas import SYNTHETIC_NOTE
from glioma_idh.reporting.names import ALWAYS
from glioma_idh.reporting.tables.cells import format_p
from glioma_idh.reporting.tables.results import WITHIN, WITHIN_NOTE, latex_table, results_table

TESTED = ["subject", "repeat", "split"]
ROWS = {"auc": WITHIN, "dice": "pooled over"}  # what the name of the row of a compared score holds
SURE = 0.05
SCORES = {"auc": ("AUC", compare_auc), "dice": ("DSC", compare_dice)}


def read_networks(folders: dict[str, list[Path]]) -> dict[str, pd.DataFrame]:
    """The predictions of several networks on the same splits of the same patients.

    Args:
        folders: by the network's name, its finished runs, one a seed, in the same order of seeds.

    Returns:
        By name, one predictions table of all seeds; `repeat` counts on from one seed to the next.

    Raises:
        InputError: a run lacks a split, or two that are to be compared differ in patients, scans or splits.
    """
    first = next(iter(folders.values()))
    networks = {}
    for name, of_seeds in folders.items():
        tables, repeats = [], 0
        for folder, model in zip(of_seeds, first, strict=True):
            _check_whole(folder)
            _check_same_patients(folder, first[0])
            _check_same_tests(folder, model)
            table = runs.read_table(folder / "predictions.csv")
            tables.append(table.assign(repeat=table["repeat"] + repeats))
            repeats += table["repeat"].nunique()
        networks[name] = pd.concat(tables, ignore_index=True)
    return networks


def _tests(folder: Path) -> pd.DataFrame:
    """Who is tested where in a run."""
    splits = runs.read_table(folder / "splits.csv")
    return splits.loc[splits["part"] == "test", TESTED].sort_values(TESTED, ignore_index=True)


def _check_whole(folder: Path) -> None:
    """Every test of a run must have its row of predictions.

    Raises:
        InputError: it names a split that is missing.
    """
    wanted = _tests(folder)
    predictions = runs.read_table(folder / "predictions.csv")
    missing = wanted.merge(predictions[TESTED], how="left", indicator=True).query("_merge == 'left_only'")
    if len(missing):
        row = missing.iloc[0]
        found = f"none for {len(missing)} of {len(wanted)}, such as {row['subject']} in split {row['split']}"
        advice = "Delete its metrics.json and run the same command again: what is missing is made anew."
        raise InputError("a prediction for every test of a run", found, advice, file=folder)
    for column in ("score", "dice"):
        known = predictions[column].notna()
        if known.any() and not known.all():
            found = f"none for {predictions.loc[~known, 'subject'].iloc[0]}"
            raise InputError(f"a {column} of every subject tested", found, "Train that run again.", file=folder)


def _check_same_patients(folder: Path, model: Path) -> None:
    """Two runs must have the same labelled subjects, with the same labels and scans; the cache may lie elsewhere.

    Raises:
        InputError: it names a subject in which they differ.
    """
    cohorts = [runs.read_table(run / "cohort.csv").dropna(subset="idh").set_index("subject") for run in (model, folder)]
    advice = "Compare runs of one cohort."
    other = cohorts[0].index.symmetric_difference(cohorts[1].index)
    if len(other):
        where = model if other[0] in cohorts[0].index else folder
        found = f"{len(other)} others, such as {other[0]} of {where.name} alone"
        raise InputError(f"the subjects of {model.name}", found, advice, file=folder)
    for column, noun in {"patient": "patients", "idh": "labels", "prepared": "scans"}.items():
        values = [cohort.loc[cohorts[0].index, column] for cohort in cohorts]
        if column == "prepared":
            values = [paths.map(lambda path: Path(path).name) for paths in values]
        unlike = values[0].index[values[0] != values[1]]
        if len(unlike):
            found = f"others for {len(unlike)}, such as {unlike[0]}"
            raise InputError(f"the {noun} of {model.name}", found, advice, file=folder)


def _check_same_tests(folder: Path, model: Path) -> None:
    """Two runs must test the same subjects in the same splits.

    Raises:
        InputError: it names a subject in which they differ.
    """
    other = _tests(model).merge(_tests(folder), how="outer", indicator=True).query("_merge != 'both'")
    if len(other):
        row, advice = other.iloc[0], "Compare runs of one cohort, one --seed and one --num-splits."
        where = {"left_only": model, "right_only": folder}[row["_merge"]]
        found = f"{row['subject']} in split {row['split']} of {where.name} alone"
        raise InputError(f"the tests of {model.name}", found, advice, file=folder)


def summarise_networks(networks: dict[str, pd.DataFrame], folders: dict[str, list[Path]], printed: Printed) -> dict:
    """The numbers of each network over all its seeds, as in a run's `metrics.json`, and of each seed.

    Args:
        networks: as `read_networks` gives them.
        folders: as it takes them.
        printed: what the paper prints.
    """
    numbers = {}
    for name, predictions in networks.items():
        planted = _planted(folders[name])
        numbers[name] = {"sequence": name, "synthetic": planted is not None, **summarise(predictions, planted)}
        seeds = [_compared_scores(runs.read_table(folder / "predictions.csv")) for folder in folders[name]]
        numbers[name]["by_seed"] = {key: [seed.get(key) for seed in seeds] for key in SCORES}
        numbers[name]["num_unlabelled"] = int(runs.read_table(folders[name][0] / "cohort.csv")["idh"].isna().sum())
    return numbers


def _compared_scores(predictions: pd.DataFrame) -> dict[str, float]:
    """The scores that networks are compared by: AUC within splits, and Dice."""
    within = {"auc": within_splits_scores(predictions)["auc"]} if has_values(predictions, "score") else {}
    return {"dice": pooled_scores(predictions).get("dice")} | within


def _planted(folders: list[Path]) -> pd.Series | None:
    """Of phantoms, the best possible score by subject."""
    tables = [runs.read_table(folder / "planted.csv") for folder in folders if (folder / "planted.csv").exists()]
    return pd.concat(tables).groupby("subject")["score"].first() if tables else None


def mean_baselines(of_seeds: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Scores of answers that need no network, each the mean over the seeds' splits.

    Args:
        of_seeds: of each seed, scores by the answer's name, the same ones in all.
    """
    return {name: pd.DataFrame([seed[name] for seed in of_seeds], dtype=float).mean().to_dict() for name in of_seeds[0]}


def compare_networks(networks: dict[str, pd.DataFrame], model: str) -> dict[str, dict[str, Comparison]]:
    """Each network against one of them, by AUC and by Dice, on the same patients; p after Holm within a score.

    Args:
        networks: as `read_networks` gives them.
        model: name of the one that the others are compared with.

    Returns:
        By score (`auc`, `dice`) and name; a difference is the other's less the model's. Networks that do not have the
        score are left out.
    """
    comparisons = {}
    for score, (_, compare) in SCORES.items():
        column = {"auc": "score"}.get(score, score)
        able = {name: rows for name, rows in networks.items() if has_values(rows, column)}
        pairs = compare_all(able, compare, reference=model)
        comparisons[score] = {name: comparison for (name, _), comparison in pairs.items()}
    return comparisons


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
        numbers: of each network, as `summarise_networks` gives them.
        comparisons: as `compare_networks` gives them.
        model: what they were compared with.
        published: the paper's (mean, sd) of each score, by name.
        printed: what the paper prints.
        baselines: scores of answers that need no network, by their name.

    Returns:
        Text cells, indexed by network and row.
    """
    table = _trivial_last(results_table(numbers, published, printed, baselines))
    for score, pairs in comparisons.items():
        heading = f"{SCORES[score][0]} less {model}'s"
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
        numbers: as `summarise_networks` gives them.
        comparisons: the others against the model, as `compare_networks` gives them.
        model: the one that the paper finds above.
        score: "auc" or "dice".
    """
    heading, lines = SCORES[score][0], []
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
    for score, (heading, _) in SCORES.items():
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
