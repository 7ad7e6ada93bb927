"""Figures of one run or of several that stand on pages and in run folders alike."""

import pandas as pd
from matplotlib.figure import Figure

from glioma_idh.papers import TABLE_ALONE, Printed
from glioma_idh.reporting.figures.cases import Case, choose_by_dice, read_case
from glioma_idh.reporting.figures.roc_and_boxes import roc_curves, score_boxes
from glioma_idh.runs.run import Run


def published_of(runs: list[Run]) -> dict[str, dict]:
    """The paper's (mean, sd) of each score, by the run's name; without runs of which it prints none."""
    return {run.name: run.recipe["published"] for run in runs if run.recipe.get("published")}


def printed_of(runs: list[Run]) -> Printed:
    """What the papers print of these runs; of both papers, all of it that both can have."""
    printed = {run.printed for run in runs}
    return printed.pop() if len(printed) == 1 else TABLE_ALONE


def roc_of(runs: list[Run]) -> Figure:
    """ROC curves of every split, a panel a run that has scores."""
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
    """The lesions found best, in the middle and worst, of the masks kept; InputError: an image is not where it was."""
    cohort, tested = run.cohort.set_index("subject", drop=False), dict(iter(run.predictions.groupby("subject")))
    chosen = choose_by_dice(run.predictions)
    return {name: read_case(run.folder, cohort.loc[who], tested[who]) for name, who in chosen.items()}
