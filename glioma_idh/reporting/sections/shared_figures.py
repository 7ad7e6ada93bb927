"""Figures of one or several runs that are used both on pages and in run folders."""

import pandas as pd
from matplotlib.figure import Figure

from glioma_idh.papers import TABLE_ALONE, Printed
from glioma_idh.reporting.figures.cases import Case, choose_by_dice, read_case
from glioma_idh.reporting.figures.roc_and_boxes import roc_curves, score_boxes
from glioma_idh.runs.run import Run


def published_of(runs: list[Run]) -> dict[str, dict]:
    """The paper's (mean, sd) of each score, by run name; runs without published scores are left out."""
    return {run.name: run.recipe["published"] for run in runs if run.recipe.get("published")}


def printed_of(runs: list[Run]) -> Printed:
    """Which scores the paper of these runs reports; for runs of both papers, those of a predictions table."""
    printed = {run.printed for run in runs}
    return printed.pop() if len(printed) == 1 else TABLE_ALONE


def roc_of(runs: list[Run]) -> Figure:
    """ROC curves of every split, with one panel per run that has scores."""
    best = {run.name: run.metrics["mean"].get("best_possible_auc") for run in runs}
    return roc_curves(
        {run.name: run.predictions for run in runs if run.scored},
        best_possible={name: value for name, value in best.items() if value is not None},
        published={name: row["auc"] for name, row in published_of(runs).items() if "auc" in row},
        synthetic=any(run.synthetic for run in runs),
    )


def boxes_of(runs: list[Run]) -> Figure:
    """Box plots of the scores over the splits."""
    scores = pd.concat([pd.DataFrame(run.metrics["per_split"]).assign(sequence=run.name) for run in runs])
    synthetic = any(run.synthetic for run in runs)
    return score_boxes(scores, panels=printed_of(runs).boxes, published=published_of(runs), synthetic=synthetic)


def lesion_cases(run: Run) -> dict[str, Case]:
    """The cases with the best, median and worst Dice among the stored masks; InputError: an image is missing."""
    cohort, tested = run.cohort.set_index("subject", drop=False), dict(iter(run.predictions.groupby("subject")))
    chosen = choose_by_dice(run.predictions)
    return {name: read_case(run.folder, cohort.loc[who], tested[who]) for name, who in chosen.items()}
