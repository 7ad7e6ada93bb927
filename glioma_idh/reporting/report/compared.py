"""Several finished runs on one page: six sequences, or the networks of a table, on the same patients where they are."""

import itertools
from collections import defaultdict
from dataclasses import replace

import pandas as pd

from glioma_idh import runs as runs_of
from glioma_idh.errors import InputError
from glioma_idh.evaluation.checks import because
from glioma_idh.evaluation.comparisons import Calls, Comparison, compare_auc, compare_calls, holm
from glioma_idh.evaluation.metrics import summarise
from glioma_idh.evaluation.worth import worth
from glioma_idh.reporting.canvas import SYNTHETIC_NOTE
from glioma_idh.reporting.cells import comparison_cell, estimate_cell, format_p, known
from glioma_idh.reporting.figures import roc_curves, score_boxes
from glioma_idh.reporting.page import Listing, Paragraph, Picture, Section, Sheet
from glioma_idh.reporting.printed import ABBREVIATIONS, TABLE_ALONE, Printed
from glioma_idh.reporting.report.finished import Finished
from glioma_idh.reporting.tables import results_table
from glioma_idh.reporting.words.methods import methods_text
from glioma_idh.reporting.words.rerun import command_line


def gather(runs: list[Finished]) -> list[Finished]:
    """Runs in their order, the seeds of one recipe as one; runs of one name and several recipes by their folders too.

    Raises:
        InputError: phantoms and patients stand side by side, or a run twice.
    """
    if len({run.synthetic for run in runs}) > 1:
        found = f"phantoms in {next(run.folder for run in runs if run.synthetic)}"
        raise InputError("runs of patients alone, or of phantoms alone", found, "Make a page of each kind.")
    by_recipe = defaultdict(list)
    for run in runs:
        by_recipe[run.name, runs_of.recipe_hash(run.recipe["recipe"] | {"seed": None})].append(run)
    names = [name for name, _ in by_recipe]
    together = [_together(same) for same in by_recipe.values()]
    return [
        replace(run, name=f"{run.name} ({run.folder.name})") if names.count(run.name) > 1 else run for run in together
    ]


def _together(same: list[Finished]) -> Finished:
    """One run out of the seeds of one recipe: tested again and again, a patient's score the mean of all networks."""
    first, seeds = same[0], [run.recipe["recipe"].get("seed") for run in same]
    if len(same) == 1:
        return first
    if len(set(seeds)) < len(seeds):
        found = ", ".join(run.folder.name for run in same)
        raise InputError("each run once", f"one recipe and seed in {found}", "Name one of them.")
    tables, splits, repeats = [], [], 0
    for run in same:
        tables.append(run.predictions.assign(repeat=run.predictions["repeat"] + repeats))
        splits.append(run.splits.assign(repeat=run.splits["repeat"] + repeats))
        repeats += int(run.splits["repeat"].max()) + 1
    predictions, splits = pd.concat(tables, ignore_index=True), pd.concat(splits, ignore_index=True)
    cohort = pd.concat([run.cohort for run in same]).drop_duplicates("subject")
    numbers = worth(predictions, cohort, splits)
    metrics = {"sequence": first.metrics["sequence"], "synthetic": first.synthetic, **summarise(predictions)}
    if "auc_interval" in first.metrics["pooled"]:
        metrics["pooled"]["auc_interval"] = [numbers["auc"]["delong"][end] for end in ("low", "high")]
    changed = {"cohort": cohort, "splits": splits, "predictions": predictions, "metrics": metrics, "worth": numbers}
    return replace(first, **changed, members=tuple(same))


def compared_sentence(runs: list[Finished]) -> str:
    """Who beats what is known without a network, and which is highest; without an AUC, by Dice."""
    start = f"{SYNTHETIC_NOTE}. " if any(run.synthetic for run in runs) else ""
    scored = [run for run in runs if run.scored and known(run.worth["auc"]["delong"]["value"])]
    if not scored:
        dice = [f"{run.name} {estimate_cell(run.worth['segmentation']['dice'])}" for run in runs if _has_dice(run)]
        return f"{start}None of these runs has an AUC. Mean Dice: {'; '.join(dice) or 'none either'}."
    beating = [run.name for run in scored if run.worth["beats_baselines"]["verdict"] == "beats all"]
    honest = f"Beating all that could be compared without a network: {', '.join(beating) or 'none of them'}."
    best = max(scored, key=lambda run: run.worth["auc"]["delong"]["value"])
    highest = f"Highest of {len(scored)} AUCs: {best.name}, {estimate_cell(best.worth['auc']['delong'])}"
    return f"{start}{honest} {highest}; whether that is luck is tested below, pair by pair."


def _has_dice(run: Finished) -> bool:
    """Whether lesions were measured."""
    return "dice" in run.worth["segmentation"]


def compared_sections(runs: list[Finished]) -> list[Section]:
    """The table beside the paper's, the figures, and each pair tested."""
    return [_table_section(runs), _worth_section(runs), _pairs_section(runs), _commands_section(runs)]


def _table_section(runs: list[Finished]) -> Section:
    """The results table with the paper's rows, ROC curves and box plots."""
    metrics = {run.name: run.metrics for run in runs}
    published = {run.name: run.recipe["published"] for run in runs if run.recipe.get("published")}
    synthetic, printed = any(run.synthetic for run in runs), _printed(runs)
    table = results_table(metrics, published, printed).reset_index(names=["run", "row"])
    table["run"] = table["run"].where(~table["run"].duplicated(), "")
    best = {run.name: run.metrics["mean"].get("best_possible_auc") for run in runs}
    best = {name: value for name, value in best.items() if value is not None}
    paper = {name: row["auc"] for name, row in published.items() if "auc" in row}
    parts = [
        *_seeds_note(runs),
        Sheet("table", table, f"Mean ± standard deviation over the splits; pooled: a score a patient. {ABBREVIATIONS}"),
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


def _printed(runs: list[Finished]) -> Printed:
    """What the papers print of these runs; of both papers, all of it that both can have."""
    printed = {run.printed for run in runs}
    return printed.pop() if len(printed) == 1 else TABLE_ALONE


def _seeds_note(runs: list[Finished]) -> list[Paragraph]:
    """Which networks are several, their scores averaged, and the AUC of each seed."""
    lines = []
    for run in runs:
        if run.members:
            areas = [seed.metrics["pooled"].get("auc", float("nan")) for seed in run.members]
            each = f"; AUC of each {', '.join(f'{area:.3f}' for area in areas)}" if run.scored else ""
            lines.append(f"{run.name}: {len(run.members)} seeds, pooled numbers are of their mean score{each}.")
    if lines and len({max(1, len(run.members)) for run in runs}) > 1:
        lines.append("A mean of several networks is compared with fewer: part of a difference may be the averaging.")
    return [Paragraph(" ".join(lines))] if lines else []


def _worth_section(runs: list[Finished]) -> Section:
    """Each run's interval, calibration and stand to the baselines."""
    rows = []
    for run in runs:
        if not run.scored:
            continue
        numbers = run.worth
        verdict = numbers["beats_baselines"]
        not_beaten = ", ".join(verdict["not_beaten"])
        worse = f"; worse than {', '.join(verdict['worse'])}" if verdict["worse"] else ""
        words = {"beats all": "beats all compared", "does not beat": f"does not beat {not_beaten}{worse}"}
        before = numbers["calibration"]["before"]
        rows.append(
            {
                "run": run.name,
                "patients": numbers["patients"]["num_tested"],
                "mutant": numbers["patients"]["num_mutant"],
                "AUC (95 %)": estimate_cell(numbers["auc"]["delong"]),
                "calibration slope (95 %)": estimate_cell(before["slope"]) if "slope" in before else before["reason"],
                "baselines without a network": words.get(verdict["verdict"], verdict["reason"]),
            }
        )
    caption = "Pooled over patients; slope 1 is calibrated; baselines are learnt and tested on the same splits."
    return Section("What each is worth", [Sheet("worth", pd.DataFrame(rows), caption)] if rows else [])


def paired_tests(runs: list[Finished]) -> dict[str, dict[str, Comparison | Calls]]:
    """Every pair that has scores, by "one less two": `auc` by DeLong's and `calls` by McNemar's test, p after Holm."""
    pairs = list(itertools.combinations([run for run in runs if run.scored], 2))
    tests = {"auc": compare_auc, "calls": compare_calls}
    return {
        name: holm({f"{one.name} less {two.name}": _compare(test, one, two) for one, two in pairs})
        for name, test in tests.items()
    }


def _pairs_section(runs: list[Finished]) -> Section:
    """Every pair, by DeLong's and McNemar's paired tests, after Holm."""
    areas, calls = paired_tests(runs).values()
    rows = [
        {
            "pair": pair,
            "difference of AUC (95 %)": comparison_cell(area._asdict()),
            "called right": _calls_cell(calls[pair]),
        }
        for pair, area in areas.items()
    ]
    text = (
        "On the same patients only: AUC by DeLong's paired test, calls from 0.5 on by McNemar's exact test; p after "
        "Holm over all pairs, intervals of one pair at a time. They are about the patients drawn, not about the "
        "training: another seed may change more."
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
    each = [member for run in runs for member in (run.members or (run,))]
    commands = "\n\n".join(f"# {run.name}\n{command_line(run.recipe['recipe'])}" for run in each)
    return Section("Methods, and how to run it again", [*parts, Listing(commands)])
