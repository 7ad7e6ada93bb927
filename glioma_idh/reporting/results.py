"""The results of finished trainings: numbers, tables and figures into their run folders."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from glioma_idh import runs
from glioma_idh.cohorts.table import exclusions_table
from glioma_idh.errors import InputError
from glioma_idh.evaluation.metrics import best_possible_auc, has_values, summarise
from glioma_idh.files import write_json, write_table
from glioma_idh.papers import SLICE_CNN, Printed
from glioma_idh.reporting.figures import pictures
from glioma_idh.reporting.figures import roc_and_boxes as figures
from glioma_idh.reporting.figures.canvas import display_name, save_figure
from glioma_idh.reporting.figures.cases import choose_by_dice, read_case
from glioma_idh.reporting.figures.learning_curves import learning_curves
from glioma_idh.reporting.figures.overlays import best_median_worst, lesion_overlay
from glioma_idh.reporting.names import CURVES
from glioma_idh.reporting.report import write_comparison, write_report
from glioma_idh.reporting.tables.results import results_table, results_text


def write_results(sequence: str, folder: Path, published: dict[str, dict], printed: Printed = SLICE_CNN) -> dict:
    """From the splits' predictions to `predictions.csv`, `metrics.json` and the figures of a run.

    Args:
        sequence: inside name, or that of the network.
        folder: of the run; all its splits are done.
        published: the paper's (mean, sd) of each score, by sequence; sd is None where it prints none.
        printed: what the paper prints.

    Returns:
        The content of `metrics.json`.
    """
    splits = runs.list_splits(runs.read_table(folder / "splits.csv"))
    parts = [runs.split_folder(folder, index) for index in range(len(splits))]
    predictions = pd.concat([runs.read_table(part / "predictions.csv") for part in parts], ignore_index=True)
    write_table(predictions, folder / "predictions.csv")
    planted = _planted(folder)
    metrics = numbers_of(sequence, predictions, planted is not None, planted)

    curves = [runs.read_table(part / "history.csv") for part in parts]
    curves = [curve.assign(repeat=repeat, split=split) for curve, (repeat, split) in zip(curves, splits, strict=True)]
    _draw_training(folder, pd.concat(curves), metrics, printed)
    draw_scores(folder, {sequence: predictions}, {sequence: metrics}, published, printed)
    if runs.has_masks(folder) and has_values(predictions, "dice"):
        _draw_lesions(folder, predictions, metrics["synthetic"])
    write_json(metrics, folder / "metrics.json")  # last: it marks the run as finished
    return metrics


def _planted(folder: Path) -> pd.Series | None:
    """Of a run on phantoms, the best possible score by subject."""
    file = folder / "planted.csv"
    return runs.read_table(file).set_index("subject")["score"] if file.exists() else None


def numbers_of(sequence: str, predictions: pd.DataFrame, synthetic: bool, planted=None) -> dict:
    """The content of `metrics.json`."""
    return {"sequence": sequence, "synthetic": synthetic, **summarise(predictions, planted)}


def write_external(
    sequence: str,
    folder: Path,
    table: pd.DataFrame,
    predictions: pd.DataFrame,
    errors: list[InputError],
    printed: Printed = SLICE_CNN,
) -> dict:
    """What a run's networks are worth on a second cohort: tables, numbers and figures, and the numbers in print.

    Args:
        sequence: inside name.
        folder: to write to.
        table: cohort table of the subjects tested.
        predictions: their predictions table, one row a subject and network.
        errors: one a subject set aside.
        printed: what the paper prints.

    Returns:
        The content of `metrics.json`; a network is a "split" in it.
    """
    metrics = numbers_of(sequence, predictions, bool((table["cohort"] == "phantom").any()))
    write_table(table, folder / "cohort.csv")
    write_table(exclusions_table(errors), folder / "exclusions.csv")
    write_table(predictions, folder / "predictions.csv")
    draw_scores(folder, {sequence: predictions}, {sequence: metrics}, {}, printed)
    write_json(metrics, folder / "metrics.json")
    mutants = int(table["idh"].sum())
    print(f"External testing on {folder.name}: {len(table)} subjects, {mutants} mutant, one row a network")
    print(results_text({sequence: metrics}, {}, printed))
    return metrics


def compare_runs(
    folder: Path,
    folders: dict[str, Path],
    published: dict[str, dict],
    new: bool,
    printed: Printed = SLICE_CNN,
    baselines: dict[str, dict[str, float]] | None = None,
) -> dict[str, dict]:
    """Print and keep the table of one or several finished runs; of several, also their common figures and numbers.

    Args:
        folder: that holds them.
        folders: of each sequence's run, by inside name.
        published: the paper's (mean, sd) of each score, by sequence; sd is None where it prints none.
        new: whether a run has only now been finished; else nothing is written that is there.
        printed: what the paper prints.
        baselines: scores of baselines without a network, by their name.

    Returns:
        The content of each `metrics.json`, by inside name.
    """
    metrics = {sequence: _read_numbers(sequence, path) for sequence, path in folders.items()}
    print(results_text(metrics, published, printed, baselines))
    new = new or not (folder / "figures" / "boxes.svg").exists()
    if new:
        table = results_table(metrics, published, printed, baselines)
        write_table(table.reset_index(), folder / "table.csv")
    for path in folders.values():
        if new or not (path / "report.html").exists():
            print(f"Report: {write_report(path)}")
    if len(folders) == 1:
        return metrics
    predictions = {sequence: runs.read_table(path / "predictions.csv") for sequence, path in folders.items()}
    together = _best_possible_together(folders, predictions)
    if together is not None:
        print(f"Best possible AUC from these sequences together, within splits: {together:.2f}")
    if new:
        write_json({"sequences": metrics, "best_possible_auc_together": together}, folder / "metrics.json")
        draw_scores(folder, predictions, metrics, published, printed)
        print(f"Comparison: {write_comparison(list(folders.values()), folder / 'report.html')}")
    return metrics


def _read_numbers(sequence: str, folder: Path) -> dict:
    """The numbers of a finished run; computed again where it was finished before there was an AUC within splits."""
    kept = runs.read_json(folder / "metrics.json")
    if "within_splits" in kept:
        return kept
    return numbers_of(sequence, runs.read_table(folder / "predictions.csv"), kept["synthetic"], _planted(folder))


def _best_possible_together(folders: dict[str, Path], predictions: dict[str, pd.DataFrame]) -> float | None:
    """Of a synthetic cohort, the AUC of the latents of several sequences in one score; None of any other."""
    if not all((path / "planted.csv").exists() for path in folders.values()):
        return None
    planted = [runs.read_table(path / "planted.csv").set_index("subject")["score"] for path in folders.values()]
    together = sum(planted).dropna()
    tested = pd.concat(predictions.values())
    _, within = best_possible_auc(tested[tested["subject"].isin(together.index)], together)
    return within


def draw_scores(
    folder: Path,
    predictions: dict,
    metrics: dict[str, dict],
    published: dict[str, dict],
    printed: Printed = SLICE_CNN,
) -> None:
    """ROC curves, where there are any, and box plots of one or several sequences, into `figures/`."""
    synthetic = any(numbers["synthetic"] for numbers in metrics.values())
    means = {sequence: numbers["mean"] for sequence, numbers in metrics.items()}
    best = {sequence: mean["best_possible_auc"] for sequence, mean in means.items() if "best_possible_auc" in mean}
    paper = {sequence: row["auc"] for sequence, row in published.items() if "auc" in row}
    scored = {sequence: table for sequence, table in predictions.items() if has_values(table, "score")}
    if scored:
        roc = figures.roc_curves(scored, best_possible=best, published=paper, synthetic=synthetic)
        save_figure(roc, folder / "figures", "roc")

    scores = [pd.DataFrame(numbers["per_split"]).assign(sequence=sequence) for sequence, numbers in metrics.items()]
    boxes = figures.score_boxes(pd.concat(scores), panels=printed.boxes, published=published, synthetic=synthetic)
    save_figure(boxes, folder / "figures", "boxes")


def _draw_training(folder: Path, history: pd.DataFrame, metrics: dict, printed: Printed) -> None:
    """Learning curves of what was learnt, and what the network saw where that is one sheet of slices."""
    sequence, synthetic = metrics["sequence"], metrics["synthetic"]
    learnt = [log for log in printed.curves if CURVES[log].score in metrics["mean"]]
    curves = learning_curves(history, title=display_name(sequence), panels=learnt, synthetic=synthetic)
    save_figure(curves, folder / "figures", "learning_curves")
    if not (folder / "slices.npz").exists():
        return
    cohort = runs.read_table(folder / "cohort.csv")
    with np.load(folder / "slices.npz") as prepared:
        slices = prepared["slices"][..., 0]
    sheet = pictures.slice_sheet(slices, cohort["subject"], cohort["idh"], sequence=sequence, synthetic=synthetic)
    save_figure(sheet, folder / "figures", "slices")


def _draw_lesions(folder: Path, predictions: pd.DataFrame, synthetic: bool) -> None:
    """The lesions found best, in the middle and worst, of the masks that the run has kept: together, and one by one."""
    cohort = runs.read_table(folder / "cohort.csv").set_index("subject", drop=False)
    tested = dict(iter(predictions.groupby("subject")))
    chosen = choose_by_dice(predictions)
    cases = {name: read_case(folder, cohort.loc[subject], tested[subject]) for name, subject in chosen.items()}
    save_figure(best_median_worst(cases, synthetic=synthetic), folder / "figures", "lesions")
    for name, case in cases.items():
        titled = replace(case, title=f"{name} Dice: {case.title}")
        save_figure(lesion_overlay(titled, synthetic=synthetic), folder / "figures", f"lesion_{name.lower()}")
