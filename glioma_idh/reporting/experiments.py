"""A table of a paper: several networks trained on the same splits, compared with one of them."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from glioma_idh import runs as files
from glioma_idh.files import write_json, write_table
from glioma_idh.reporting import report
from glioma_idh.reporting.comparing import check_same_splits, paired_tests, together_as_one
from glioma_idh.reporting.figures.canvas import save_figure
from glioma_idh.reporting.figures.roc_and_boxes import roc_with_bands
from glioma_idh.reporting.pages import tell_comparison
from glioma_idh.reporting.tables import comparison
from glioma_idh.reporting.tables.comparison import SCORES
from glioma_idh.runs.run import Run


def write_experiment(
    out: Path,
    table: str,
    networks: dict[str, list[Run]],
    reference: str,
    caution: str,
    baselines: list[dict[str, dict[str, float]]],
    with_order: bool,
) -> None:
    """Table, ROC curves, page, predictions and numbers of several networks; the table is printed too.

    Args:
        out: folder.
        table: its file name without ending, `table1`.
        networks: by the network's name, its finished runs, one a seed, in the same order of seeds.
        reference: name of the network that the others are compared with.
        caution: what must be known of the paper's own rows.
        baselines: of each seed, scores of answers that need no network, by the answer's name, the same ones in all.
        with_order: whether the paper finds the reference above all others, and is to be held against that.
    """
    check_same_splits(networks)
    runs = [replace(together_as_one(of_seeds), name=name) for name, of_seeds in networks.items()]
    numbers = {run.name: numbers_of(run) for run in runs}
    tests = paired_tests(runs, ("auc", "calls", "dice"), reference)
    compared = {score: {name: pair for (name, _), pair in tests[score].items()} for score in SCORES}
    answers = mean_baselines(baselines)
    paper, synthetic = networks[reference][0].paper, networks[reference][0].synthetic

    made = comparison.comparison_table(numbers, compared, reference, paper.published, paper.printed, answers)
    order = [comparison.order_text(numbers, pairs, reference, score) for score, pairs in compared.items() if pairs]
    if with_order:
        order.append(comparison.order_holds(compared["auc"]))
    remarks = comparison.notes(numbers, answers)
    comparison.write_comparison_table(made, out, table, " ".join([*remarks, caution, *order]), synthetic)
    write_table(pd.concat([run.predictions.assign(network=run.name) for run in runs]), out / files.PREDICTIONS)
    scored = {run.name: run.predictions for run in runs if run.scored}
    points = {name: (1 - row["specificity"], row["sensitivity"]) for name, row in answers.items() if "auc" in row}
    published = {name: row["auc"][0] for name, row in paper.published.items() if "auc" in row}
    roc = roc_with_bands(scored, marks=points, published=published, synthetic=synthetic)
    save_figure(roc, out / files.FIGURES, "roc")
    report.publish(out / files.REPORT, partial(tell_comparison, runs, reference, tests))
    differences = {score: {name: pair._asdict() for name, pair in pairs.items()} for score, pairs in compared.items()}
    write_json({"numbers": numbers, "comparisons": differences, "order": order}, out / files.METRICS)
    print("\n".join([made.to_string(), *remarks, caution, *order]))


def numbers_of(run: Run) -> dict:
    """The scores of a network over all its seeds and of each, and how many subjects without a label it learnt from."""
    seeds = run.members or (run,)
    planted = [seed.planted for seed in seeds if seed.planted is not None]
    whole = replace(run, planted=pd.concat(planted).groupby(level=0).first()) if planted else run
    of_seeds = {"auc": [seed.metrics["within_splits"].get("auc") for seed in seeds]}
    of_seeds["dice"] = [seed.metrics["pooled"].get("dice") for seed in seeds]
    unlabelled = int(seeds[0].cohort["idh"].isna().sum())
    return whole.metrics | {"sequence": run.name, "by_seed": of_seeds, "num_unlabelled": unlabelled}


def mean_baselines(of_seeds: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Scores of answers that need no network, each the mean over the seeds' splits."""
    return {name: pd.DataFrame([seed[name] for seed in of_seeds], dtype=float).mean().to_dict() for name in of_seeds[0]}
