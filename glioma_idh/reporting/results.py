"""The results of finished trainings: numbers, tables and figures into their run folders."""

from pathlib import Path

import numpy as np
import pandas as pd

from glioma_idh import runs
from glioma_idh.cohorts.table import exclusions_table
from glioma_idh.errors import InputError
from glioma_idh.evaluation.metrics import best_possible_auc, summarise
from glioma_idh.reporting import figures, pictures
from glioma_idh.reporting.canvas import display_name, save_figure
from glioma_idh.reporting.tables import results_table, results_text


def write_results(sequence: str, folder: Path, published: dict[str, dict]) -> dict:
    """From the splits' predictions to `predictions.csv`, `metrics.json` and the figures of a run.

    Args:
        sequence: inside name.
        folder: of the run; all its splits are done.
        published: the paper's (mean, sd) of each score, by sequence.

    Returns:
        The content of `metrics.json`.
    """
    splits = runs.list_splits(runs.read_table(folder / "splits.csv"))
    parts = [runs.split_folder(folder, index) for index in range(len(splits))]
    predictions = pd.concat([runs.read_table(part / "predictions.csv") for part in parts], ignore_index=True)
    runs.write_table(predictions, folder / "predictions.csv")
    planted = None
    if (folder / "planted.csv").exists():
        planted = runs.read_table(folder / "planted.csv").set_index("subject")["score"]
    metrics = {"sequence": sequence, "synthetic": planted is not None, **summarise(predictions, planted)}

    curves = [runs.read_table(part / "history.csv") for part in parts]
    curves = [curve.assign(repeat=repeat, fold=fold) for curve, (repeat, fold) in zip(curves, splits, strict=True)]
    _draw_training(sequence, folder, pd.concat(curves), metrics["synthetic"])
    draw_scores(folder, {sequence: predictions}, {sequence: metrics}, published)
    runs.write_json(metrics, folder / "metrics.json")  # last: it marks the run as finished
    return metrics


def write_external(
    sequence: str, folder: Path, table: pd.DataFrame, predictions: pd.DataFrame, errors: list[InputError]
) -> dict:
    """What a run's networks are worth on a second cohort: tables, numbers and figures, and the numbers in print.

    Args:
        sequence: inside name.
        folder: to write to.
        table: cohort table of the subjects tested.
        predictions: their predictions table, one row a subject and network.
        errors: one a subject set aside.

    Returns:
        The content of `metrics.json`; a network is a "split" in it.
    """
    metrics = {"sequence": sequence, "synthetic": bool((table["cohort"] == "phantom").any()), **summarise(predictions)}
    runs.write_table(table, folder / "cohort.csv")
    runs.write_table(exclusions_table(errors), folder / "exclusions.csv")
    runs.write_table(predictions, folder / "predictions.csv")
    draw_scores(folder, {sequence: predictions}, {sequence: metrics}, {})
    runs.write_json(metrics, folder / "metrics.json")
    mutants = int(table["idh"].sum())
    print(f"External testing on {folder.name}: {len(table)} subjects, {mutants} mutant, one row a network")
    print(results_text({sequence: metrics}, {}))
    return metrics


def compare_runs(folder: Path, folders: dict[str, Path], published: dict[str, dict], new: bool) -> dict[str, dict]:
    """Print and keep the table of one or several finished runs; of several, also their common figures and numbers.

    Args:
        folder: that holds them.
        folders: of each sequence's run, by inside name.
        published: the paper's (mean, sd) of each score, by sequence.
        new: whether a run has only now been finished; else nothing is written that is there.

    Returns:
        The content of each `metrics.json`, by inside name.
    """
    metrics = {sequence: runs.read_json(path / "metrics.json") for sequence, path in folders.items()}
    print(results_text(metrics, published))
    new = new or not (folder / "figures" / "boxes.svg").exists()
    if new:
        runs.write_table(results_table(metrics, published).reset_index(), folder / "table.csv")
    if len(folders) == 1:
        return metrics
    predictions = {sequence: runs.read_table(path / "predictions.csv") for sequence, path in folders.items()}
    together = _best_possible_together(folders, predictions)
    if together is not None:
        print(f"Best possible AUC from these sequences together, pooled over the patients tested: {together:.2f}")
    if new:
        runs.write_json({"sequences": metrics, "best_possible_auc_together": together}, folder / "metrics.json")
        draw_scores(folder, predictions, metrics, published)
    return metrics


def _best_possible_together(folders: dict[str, Path], predictions: dict[str, pd.DataFrame]) -> float | None:
    """Of a synthetic cohort, the AUC of the latents of several sequences in one score; None of any other."""
    if not all((path / "planted.csv").exists() for path in folders.values()):
        return None
    planted = [runs.read_table(path / "planted.csv").set_index("subject")["score"] for path in folders.values()]
    together = sum(planted).dropna()
    tested = pd.concat(predictions.values())
    _, pooled = best_possible_auc(tested[tested["subject"].isin(together.index)], together)
    return pooled


def draw_scores(folder: Path, predictions: dict, metrics: dict[str, dict], published: dict[str, dict]) -> None:
    """ROC curves and box plots of one or several sequences, into `figures/`."""
    synthetic = any(numbers["synthetic"] for numbers in metrics.values())
    means = {sequence: numbers["mean"] for sequence, numbers in metrics.items()}
    best = {sequence: mean["best_possible_auc"] for sequence, mean in means.items() if "best_possible_auc" in mean}
    paper = {sequence: published[sequence]["auc"] for sequence in predictions if sequence in published}
    roc = figures.roc_curves(predictions, best_possible=best, published=paper, synthetic=synthetic)
    save_figure(roc, folder / "figures", "roc")

    scores = [pd.DataFrame(numbers["per_split"]).assign(sequence=sequence) for sequence, numbers in metrics.items()]
    boxes = figures.score_boxes(pd.concat(scores), published=published, synthetic=synthetic)
    save_figure(boxes, folder / "figures", "boxes")


def _draw_training(sequence: str, folder: Path, history: pd.DataFrame, synthetic: bool) -> None:
    """Learning curves, and what the network saw."""
    name = display_name(sequence)
    curves = figures.learning_curves(history, title=name, synthetic=synthetic)
    save_figure(curves, folder / "figures", "learning_curves")
    cohort = runs.read_table(folder / "cohort.csv")
    with np.load(folder / "slices.npz") as prepared:
        slices = prepared["slices"][..., 0]
    sheet = pictures.slice_sheet(slices, cohort["subject"], cohort["idh"], sequence=sequence, synthetic=synthetic)
    save_figure(sheet, folder / "figures", "slices")
