"""Several finished runs on one page: six sequences, or the networks of a table, on the same patients where they are."""

import itertools
from collections import defaultdict
from dataclasses import replace

import pandas as pd

from glioma_idh.evaluation.checks import because
from glioma_idh.evaluation.comparisons import Calls, Comparison, compare_auc, compare_calls, holm
from glioma_idh.evaluation.metrics import summarise
from glioma_idh.evaluation.worth import worth
from glioma_idh.reporting.canvas import SYNTHETIC_NOTE
from glioma_idh.reporting.cells import comparison_cell, estimate_cell, format_p, known
from glioma_idh.reporting.figures import roc_curves, score_boxes
from glioma_idh.reporting.page import Listing, Paragraph, Picture, Section, Sheet
from glioma_idh.reporting.report.finished import Finished
from glioma_idh.reporting.tables import results_table
from glioma_idh.reporting.words.methods import methods_text
from glioma_idh.reporting.words.rerun import command_line


def gather(runs: list[Finished]) -> list[Finished]:
    """Runs by name; those of one name, as the seeds of a network, become one with the repeats of all of them."""
    by_name = defaultdict(list)
    for run in runs:
        by_name[run.name].append(run)
    return [_together(same) for same in by_name.values()]


def _together(same: list[Finished]) -> Finished:
    """One run out of several of one network, tested again and again."""
    first = same[0]
    if len(same) == 1:
        return first
    tables, splits, repeats = [], [], 0
    for run in same:
        tables.append(run.predictions.assign(repeat=run.predictions["repeat"] + repeats))
        splits.append(run.splits.assign(repeat=run.splits["repeat"] + repeats))
        repeats += int(run.splits["repeat"].max()) + 1
    predictions, splits = pd.concat(tables, ignore_index=True), pd.concat(splits, ignore_index=True)
    cohort = pd.concat([run.cohort for run in same]).drop_duplicates("subject")
    metrics = {"sequence": first.metrics["sequence"], "synthetic": first.synthetic, **summarise(predictions)}
    numbers = worth(predictions, cohort, splits)
    return replace(first, cohort=cohort, splits=splits, predictions=predictions, metrics=metrics, worth=numbers)


def compared_sentence(runs: list[Finished]) -> str:
    """Which is best, what luck would do, and who beats what is known without an image."""
    start = f"{SYNTHETIC_NOTE}. " if any(run.synthetic for run in runs) else ""
    scored = [run for run in runs if run.scored and known(run.worth["auc"]["delong"]["value"])]
    if not scored:
        return f"{start}None of these runs has an AUC."
    best = max(scored, key=lambda run: run.worth["auc"]["delong"]["value"])
    beating = [run.name for run in scored if run.worth["beats_baselines"]["verdict"] == "beats all"]
    honest = f"Beating every baseline without images: {', '.join(beating) or 'none of them'}."
    highest = f"Highest AUC: {best.name}, {estimate_cell(best.worth['auc']['delong'])}"
    return f"{start}{honest} {highest}, of {len(scored)} compared on {best.worth['patients']['num_tested']} patients."


def compared_sections(runs: list[Finished]) -> list[Section]:
    """The table beside the paper's, the figures, and each pair tested."""
    return [_table_section(runs), _worth_section(runs), _pairs_section(runs), _commands_section(runs)]


def _table_section(runs: list[Finished]) -> Section:
    """The results table with the paper's rows, ROC curves and box plots."""
    metrics = {run.name: run.metrics for run in runs}
    published = {run.name: run.recipe.get("published", {}) for run in runs}
    synthetic, printed = any(run.synthetic for run in runs), runs[0].printed
    table = results_table(metrics, published, printed).reset_index()
    best = {run.name: run.metrics["mean"].get("best_possible_auc") for run in runs}
    best = {name: value for name, value in best.items() if value is not None}
    paper = {name: row["auc"] for name, row in published.items() if "auc" in row}
    parts = [
        Sheet("table", table, "Mean ± standard deviation over the splits; pooled: one score a patient."),
    ]
    scored = {run.name: run.predictions for run in runs if run.scored}
    if scored:
        roc = roc_curves(scored, best_possible=best, published=paper, synthetic=synthetic)
        areas = ", ".join(f"{name} {metrics[name]['mean']['auc']:.2f}" for name in scored)
        parts.append(Picture("roc", roc, "ROC curves of every split and their mean.", f"Mean AUC: {areas}."))
    scores = pd.concat([pd.DataFrame(run.metrics["per_split"]).assign(sequence=run.name) for run in runs])
    boxes = score_boxes(scores, panels=printed.boxes, published=published, synthetic=synthetic)
    parts.append(Picture("boxes", boxes, "Scores over the splits.", "Box plots; the numbers are in the table above."))
    return Section("Beside the paper", parts)


def _worth_section(runs: list[Finished]) -> Section:
    """Each run's interval, calibration and stand to the baselines."""
    rows = []
    for run in runs:
        if not run.scored:
            continue
        numbers = run.worth
        verdict = numbers["beats_baselines"]
        not_beaten = ", ".join(verdict["not_beaten"])
        words = {"beats all": "beats them all", "does not beat": f"does not beat {not_beaten}"}
        before = numbers["calibration"]["before"]
        rows.append(
            {
                "run": run.name,
                "patients": numbers["patients"]["num_tested"],
                "mutant": numbers["patients"]["num_mutant"],
                "AUC (95 %)": estimate_cell(numbers["auc"]["delong"]),
                "calibration slope (95 %)": estimate_cell(before["slope"]) if "slope" in before else before["reason"],
                "baselines without images": words.get(verdict["verdict"], verdict["reason"]),
            }
        )
    caption = "Pooled over patients; slope 1 is calibrated; baselines are learnt and tested on the same splits."
    return Section("What each is worth", [Sheet("worth", pd.DataFrame(rows), caption)] if rows else [])


def _pairs_section(runs: list[Finished]) -> Section:
    """Every pair, by DeLong's and McNemar's paired tests, after Holm."""
    scored = [run for run in runs if run.scored]
    pairs = list(itertools.combinations(scored, 2))
    areas = holm({f"{one.name} less {two.name}": _compare(compare_auc, one, two) for one, two in pairs})
    calls = holm({f"{one.name} less {two.name}": _compare(compare_calls, one, two) for one, two in pairs})
    rows = [
        {"pair": pair, "AUC (95 %)": comparison_cell(area._asdict()), "called right": _calls_cell(calls[pair])}
        for pair, area in areas.items()
    ]
    text = (
        "On the same patients only: AUC by DeLong's paired test, calls from 0.5 on by McNemar's exact test; p after "
        "Holm over all pairs. They are about the patients drawn, not about the training: another seed may change more."
    )
    parts = [Paragraph(text), Sheet("pairs", pd.DataFrame(rows), "Each pair.")]
    return Section("Each against each", parts if rows else [])


def _compare(test, one: Finished, two: Finished) -> Comparison | Calls:
    """A paired test, or why there is none."""
    try:
        return test(one.predictions, two.predictions)
    except ValueError as error:
        return Comparison(*[float("nan")] * 4, because(f"the runs are not paired: {error}"))


def _calls_cell(calls: Comparison | Calls) -> str:
    """`12 by the first alone, 7 by the second, p 0.36`, or the reason."""
    if calls.reason:
        return calls.reason
    return f"{calls.only_ours_right} by the first alone, {calls.only_other_right} by the second, p {format_p(calls.p)}"


def _commands_section(runs: list[Finished]) -> Section:
    """How they were made, told once of those that differ in their sequence alone, and how to make them again."""
    alike = defaultdict(list)
    for run in runs:
        text = methods_text(run.recipe, run.cohort, run.splits, run.worth)
        alike[text.replace(f"one sequence, {run.name}", "one sequence")].append(run.name)
    parts = [Paragraph(f"{', '.join(names)}.\n\n{text}") for text, names in alike.items()]
    commands = "\n\n".join(command_line(run.recipe["recipe"]) for run in runs)
    return Section("Methods, and how to run it again", [*parts, Listing(commands)])
