"""Write reports: of one run, of several runs, of a table of a paper, or of a predictions table.

A report is written to the page `out` (default `report.html`), whose path is returned. InputError: a folder holds no
finished run, or one of its tables cannot be used.
"""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from glioma_idh import runs as files
from glioma_idh.cohorts.table import exclusions_table
from glioma_idh.errors import InputError
from glioma_idh.evaluation.metrics import best_possible_auc
from glioma_idh.files import write_json, write_table, write_text, written_whole
from glioma_idh.reporting.comparing import check_same_splits, gather, paired_tests, reference_name, together_as_one
from glioma_idh.reporting.figures.canvas import save_figure
from glioma_idh.reporting.figures.roc_and_boxes import roc_with_bands
from glioma_idh.reporting.html import files_folder, write_page
from glioma_idh.reporting.pages import Content, comparison_content, run_content, table_content
from glioma_idh.reporting.sections.shared_figures import boxes_of, printed_of, roc_of
from glioma_idh.reporting.tables import comparison as tables
from glioma_idh.reporting.tables.results import results_table, results_text
from glioma_idh.runs.foreign_tables import read_predictions
from glioma_idh.runs.run import Run, read_finished_run

CARD, TABLE = "model_card.md", "table.csv"


def finish_run(folder: Path) -> Run:
    """Finish a run whose splits are all trained: write predictions, figures, report and, last, `metrics.json`."""
    splits = files.list_splits(files.read_table(folder / files.SPLITS))
    parts = [files.split_folder(folder, index) / files.PREDICTIONS for index in range(len(splits))]
    write_table(pd.concat([files.read_table(part) for part in parts], ignore_index=True), folder / files.PREDICTIONS)
    run = Run(folder)
    _write_run(run, folder / files.REPORT)
    return run


def write_report(folder: Path, out: Path | None = None) -> Path:
    """Write the report of a finished run; if it is in the run folder, also renew the figures and numbers there."""
    run, page = read_finished_run(folder), out or folder / files.REPORT
    if page.parent.resolve() == folder.resolve():
        _write_run(run, page)
    else:
        publish(page, partial(run_content, run))
    return page


def _write_run(run: Run, page: Path) -> None:
    """Write the report and figures into the run folder and, last, `metrics.json`, which marks the run as finished."""
    numbers = publish(page, partial(run_content, run), run.folder / files.FIGURES)
    write_json(run.metrics | numbers, run.folder / files.METRICS)


def write_table_report(file: Path, out: Path | None = None) -> Path:
    """Write the report of a predictions table (CSV with at least `subject, truth, score`), by default next to it."""
    run, page = read_predictions(file), out or file.parent / files.REPORT
    publish(page, partial(table_content, run))
    return page


def write_comparison(folders: list[Path], out: Path | None = None, reference: Path | None = None) -> Path:
    """Write a comparison of several finished runs, by default into the parent folder of the first.

    Seeds of one network are combined. All runs are compared with `reference` (the folder of one of them), or all pairs.
    """
    runs = gather([read_finished_run(folder) for folder in folders])
    page = out or folders[0].resolve().parent / files.REPORT
    publish(page, partial(comparison_content, runs, reference_name(runs, reference)))
    return page


def publish(page: Path, make_content: Callable[[], Content], figures: Path | None = None) -> dict:
    """Write a page and, next to it, its figures, tables and numbers; return the numbers.

    `make_content` returns the content of the page; `figures` is the folder for the figures that a run folder keeps.
    """
    content, beside = make_content(), files_folder(page)
    marked = {"cautions": content.cautions, "synthetic": content.synthetic}
    write_page(page, content.title, content.result, content.sections, **marked)
    write_json(content.numbers, beside / files.METRICS)
    if content.card:
        write_text(content.card, beside / CARD)
    if figures is not None:
        for drawn in (
            beside / files.FIGURES / f"{name}{ending}" for name in content.kept for ending in (".png", ".svg")
        ):
            if drawn.exists():
                with written_whole(figures / drawn.name) as part:
                    shutil.copyfile(drawn, part)
        for name, figure in content.further().items():
            save_figure(figure, figures, name)
    return content.numbers


def compare_runs(
    folder: Path, folders: dict[str, Path], new: dict[str, Run], baselines: dict[str, dict[str, float]] | None = None
) -> dict[str, dict]:
    """Print and store the results table of one or several finished runs; for several, also common figures and numbers.

    Args:
        folder: parent folder of the runs.
        folders: run folder of each sequence, by its internal name.
        new: runs that were finished just now, by the same names; if empty, existing files are not rewritten.
        baselines: scores of baselines without a network, by name.

    Returns:
        The scores of each run's `metrics.json`, by the same names.
    """
    runs = {name: new.get(name) or read_finished_run(path) for name, path in folders.items()}
    metrics = {}
    for name, run in runs.items():
        kept = files.read_metrics(run.folder)
        if "within_splits" not in kept:  # written by an older version
            kept = run.metrics
        metrics[name] = {key: of for key, of in kept.items() if key not in ("performance", "subjects")}
    published = {name: run.recipe["published"] for name, run in runs.items() if run.recipe.get("published")}
    rows = metrics, published, printed_of(list(runs.values())), baselines
    print(results_text(*rows))
    changed = bool(new) or not (folder / files.FIGURES / "boxes.svg").exists()
    if changed:
        write_table(results_table(*rows).reset_index(), folder / TABLE)
    for path in folders.values():
        page = path / files.REPORT
        if changed or not page.exists():
            print(f"Report: {page if page.exists() else write_report(path)}")
    if len(runs) == 1:
        return metrics
    best = _best_possible_together(runs)
    if best is not None:
        print(f"Best possible AUC from these sequences together, within splits: {best:.2f}")
    if changed:
        write_json({"sequences": metrics, "best_possible_auc_together": best}, folder / files.METRICS)
        page = folder / files.REPORT
        publish(page, partial(comparison_content, gather(list(runs.values())), None), folder / files.FIGURES)
        print(f"Comparison: {page}")
    return metrics


def _best_possible_together(runs: dict[str, Run]) -> float | None:
    """Best possible AUC of several sequences together, for the synthetic cohort; None for any other cohort."""
    if any(run.planted is None for run in runs.values()):
        return None
    together = sum(run.planted for run in runs.values()).dropna()
    tested = pd.concat(run.predictions for run in runs.values())
    return best_possible_auc(tested[tested["subject"].isin(together.index)], together)[1]


def write_external(
    run_dir: Path, name: str, table: pd.DataFrame, predictions: pd.DataFrame, errors: list[InputError]
) -> dict:
    """Write and print the performance of a run's networks on a second cohort; return the content of `metrics.json`.

    Everything is written to `external/NAME` in the run folder. The predictions have one row per subject and network
    (column `split`); `errors` has one entry per excluded subject.
    """
    trained, folder = read_finished_run(run_dir), run_dir / files.EXTERNAL / name
    of_cohort = {"cohort": table, "exclusions": exclusions_table(errors), "predictions": predictions}
    run = replace(trained, **of_cohort, recipe=trained.recipe | {"published": {}}, planted=None, folder=folder)
    for content, file in zip(of_cohort.values(), (files.COHORT, files.EXCLUSIONS, files.PREDICTIONS), strict=True):
        write_table(content, folder / file)
    if run.scored:
        save_figure(roc_of([run]), folder / files.FIGURES, "roc")
    save_figure(boxes_of([run]), folder / files.FIGURES, "boxes")
    write_json(run.metrics, folder / files.METRICS)
    print(f"External testing on {name}: {len(table)} subjects, {int(table['idh'].sum())} IDH-mutant")
    print(results_text({run.metrics["sequence"]: run.metrics}, {}, run.printed))
    return run.metrics


def write_experiment(
    out: Path,
    table: str,
    networks: dict[str, list[Run]],
    reference: str,
    caution: str,
    baselines: list[dict[str, dict[str, float]]],
    with_order: bool,
) -> None:
    """Write the table, ROC curves, report, predictions and numbers of several networks, and print the table.

    Args:
        out: output folder.
        table: file name of the table without ending, for example `table1`.
        networks: finished runs by network name, one run per seed, with the seeds in the same order.
        reference: name of the network with which the others are compared.
        caution: a note on the paper's own rows.
        baselines: for each seed, the scores of the same baselines without a network, by name.
        with_order: whether the paper found the reference better than all others, so that this order is checked.
    """
    check_same_splits(networks)
    runs = [replace(together_as_one(of_seeds), name=name) for name, of_seeds in networks.items()]
    numbers = {run.name: numbers_of(run) for run in runs}
    tests = paired_tests(runs, ("auc", "calls", "dice"), reference)
    compared = {score: {name: pair for (name, _), pair in tests[score].items()} for score in tables.SCORES}
    answers = mean_baselines(baselines)
    paper, synthetic = networks[reference][0].paper, networks[reference][0].synthetic

    made = tables.comparison_table(numbers, compared, reference, paper.published, paper.printed, answers)
    order = [tables.order_text(numbers, pairs, reference, score) for score, pairs in compared.items() if pairs]
    if with_order:
        order.append(tables.order_holds(compared["auc"]))
    remarks = tables.notes(numbers, answers)
    tables.write_comparison_table(made, out, table, " ".join([*remarks, caution, *order]), synthetic)
    write_table(pd.concat([run.predictions.assign(network=run.name) for run in runs]), out / files.PREDICTIONS)
    scored = {run.name: run.predictions for run in runs if run.scored}
    points = {name: (1 - row["specificity"], row["sensitivity"]) for name, row in answers.items() if "auc" in row}
    published = {name: row["auc"][0] for name, row in paper.published.items() if "auc" in row}
    roc = roc_with_bands(scored, marks=points, published=published, synthetic=synthetic)
    save_figure(roc, out / files.FIGURES, "roc")
    publish(out / files.REPORT, partial(comparison_content, runs, reference, tests))
    differences = {score: {name: pair._asdict() for name, pair in pairs.items()} for score, pairs in compared.items()}
    write_json({"numbers": numbers, "comparisons": differences, "order": order}, out / files.METRICS)
    print("\n".join([made.to_string(), *remarks, caution, *order]))


def numbers_of(run: Run) -> dict:
    """Scores of a network over all seeds and per seed, and the number of unlabelled subjects used for training."""
    seeds = run.members or (run,)
    planted = [seed.planted for seed in seeds if seed.planted is not None]
    whole = replace(run, planted=pd.concat(planted).groupby(level=0).first()) if planted else run
    of_seeds = {"auc": [seed.metrics["within_splits"].get("auc") for seed in seeds]}
    of_seeds["dice"] = [seed.metrics["pooled"].get("dice") for seed in seeds]
    unlabelled = int(seeds[0].cohort["idh"].isna().sum())
    return whole.metrics | {"sequence": run.name, "by_seed": of_seeds, "num_unlabelled": unlabelled}


def mean_baselines(of_seeds: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Mean scores of the baselines without a network over the seeds."""
    return {name: pd.DataFrame([seed[name] for seed in of_seeds], dtype=float).mean().to_dict() for name in of_seeds[0]}
