"""Sections that compare several finished runs, such as six sequences or the networks of a table."""

import re
from collections import defaultdict

import pandas as pd

from glioma_idh.reporting.figures.canvas import SYNTHETIC_NOTE
from glioma_idh.reporting.html import Listing, Paragraph, Picture, Section, Sheet
from glioma_idh.reporting.names import abbreviations
from glioma_idh.reporting.sections import accuracy_note, box_legend, legend, patients_text, say
from glioma_idh.reporting.sections.shared_figures import boxes_of, printed_of, published_of, roc_of
from glioma_idh.reporting.tables.cells import (
    comparison_cell,
    estimate_cell,
    estimate_in_words,
    known,
    p_equals,
    slope_cell,
)
from glioma_idh.reporting.tables.results import SPREAD_NOTE, WITHIN_NOTE, results_table
from glioma_idh.reporting.text.cautions import cautions
from glioma_idh.reporting.text.facts import methods_text
from glioma_idh.reporting.text.rerun import command_line
from glioma_idh.runs.run import Run


def compared_sentence(runs: list[Run]) -> str:
    """Say which runs have a higher AUC than all baselines and which AUC is highest; without AUCs, give the Dice."""
    start = f"{SYNTHETIC_NOTE}. " if any(run.synthetic for run in runs) else ""
    scored = [run for run in runs if run.scored and known(run.performance["auc"]["within_splits"]["value"])]
    if not scored:
        dice = {run.name: run.performance["segmentation"].get("dice") for run in runs}
        means = "; ".join(f"{name} {estimate_cell(mean)}" for name, mean in dice.items() if mean)
        return f"{start}None of these runs has an AUC. Mean Dice: {means or 'not available'}."
    beating = [run.name for run in scored if run.performance["beats_baselines"]["verdict"] == "beats all"]
    honest = "No run has a higher AUC than every baseline."
    if beating:
        honest = f"Higher AUC than every baseline that could be compared: {', '.join(beating)}."
    best = max(scored, key=lambda run: run.performance["auc"]["within_splits"]["value"])
    highest = f"{best.name} has the highest AUC: {estimate_in_words(best.performance['auc']['within_splits'])}"
    return f"{start}{honest} {highest}. Pairwise tests are below."


def compared_cautions(runs: list[Run]) -> list[str]:
    """The cautions of several runs, each text once, preceded by the names of the runs if it does not apply to all."""
    of_text = defaultdict(list)
    for run in runs:
        for text in cautions(run):
            of_text[text].append(run.name)
    return [text if len(names) == len(runs) else f"{', '.join(names)}: {text}" for text, names in of_text.items()]


def compared_sections(runs: list[Run], tests: dict, reference: str | None = None) -> list[Section]:
    """Results next to the paper, performance, paired tests (all pairs or against a reference), methods and commands."""
    return [_table_section(runs), _performance_section(runs), _pairs_section(tests, reference), _commands_section(runs)]


def _table_section(runs: list[Run]) -> Section:
    """The results table with the paper's rows, ROC curves and box plots."""
    metrics = {run.name: run.metrics for run in runs}
    table = results_table(metrics, published_of(runs), printed_of(runs)).reset_index(names=["run", "row"])
    table["run"] = table["run"].where(~table["run"].duplicated(), "")
    caption = f"Results of each run and of the paper. {SPREAD_NOTE} {WITHIN_NOTE} {abbreviations(table)}"
    parts = [*_seeds_note(runs), Sheet("table", table, caption), *accuracy_note(table)]
    areas = ", ".join(f"{run.name} {run.metrics['mean']['auc']:.2f}" for run in runs if run.scored)
    if areas:
        alt = f"ROC curves. Mean AUC over the splits: {areas}."
        parts.append(Picture("roc", roc_of(runs), legend("rocs", tested=patients_text(runs)), alt))
    alt = "Box plots of the scores over the splits; the numbers are in the table above."
    parts.append(Picture("boxes", boxes_of(runs), box_legend(runs, printed_of(runs)), alt))
    return Section("Comparison with the paper", parts)


def _seeds_note(runs: list[Run]) -> list[Paragraph]:
    """Say which runs combine several seeds, and give the AUC of each seed."""
    lines = []
    for run in runs:
        if run.members:
            areas = [seed.metrics["within_splits"].get("auc", float("nan")) for seed in run.members]
            each = f" (AUC within splits per seed: {', '.join(f'{area:.3f}' for area in areas)})" if run.scored else ""
            lines.append(f"{run.name}: scores averaged over {len(run.members)} seeds per patient{each}.")
    if lines and len({max(1, len(run.members)) for run in runs}) > 1:
        lines.append("Runs with different numbers of seeds are compared: averaging may explain part of a difference.")
    return [Paragraph(" ".join(lines))] if lines else []


def _performance_section(runs: list[Run]) -> Section:
    """AUC with its interval, calibration, and comparison with the baselines for each run."""
    rows = []
    for run in (run for run in runs if run.scored):
        numbers, verdict = run.performance, run.performance["beats_baselines"]
        not_beaten = ", ".join(verdict["not_beaten"])
        worse = f"; significantly lower than {', '.join(verdict['worse'])}" if verdict["worse"] else ""
        words = {"beats all": "higher than all baselines that could be compared"}
        words["does not beat"] = f"not significantly higher than {not_beaten}{worse}"
        before, patients = numbers["calibration"]["before"], numbers["patients"]
        row = {"run": run.name, "patients": patients["num_tested"], "IDH-mutant": patients["num_mutant"]}
        row["AUC within splits (95 % CI)"] = estimate_cell(numbers["auc"]["within_splits"])
        row["calibration slope (95 % CI)"] = slope_cell(before["slope"]) if "slope" in before else before["reason"]
        rows.append(row | {"AUC compared with baselines": words.get(verdict["verdict"], verdict["reason"])})
    caption = (
        "Performance of each network. AUC: area under the receiver operating characteristic curve, comparing only "
        "patients tested by the same network. Calibration slope: all patients together; 1 is ideal. Baselines (age, "
        "sex, lesion volume, grade and their combinations) were fitted on the same splits."
    )
    return Section("Performance of each network", [Sheet("performance", pd.DataFrame(rows), caption)] if rows else [])


def _pairs_section(tests: dict, reference: str | None) -> Section:
    """DeLong's and McNemar's paired tests of each pair, with Holm correction."""
    rows = []
    for (pair, area), calls in zip(tests["auc"].items(), tests["calls"].values(), strict=True):
        row = {"pair": " minus ".join(pair), "difference in AUC (95 % CI)": comparison_cell(area._asdict())}
        row["patients predicted correctly"] = calls.reason
        if not calls.reason:
            right = f"{calls.only_ours_right} only by the first, {calls.only_other_right} only by the second"
            row["patients predicted correctly"] = f"{right}, {p_equals(calls.p)}"
        rows.append(row)
    caption = (
        "Paired comparisons of the runs. AUC: area under the receiver operating characteristic curve, within splits."
    )
    parts = [say("pairs", reference=reference), Sheet("pairs", pd.DataFrame(rows), caption)]
    return Section("Paired comparisons", parts if rows else [])


def _commands_section(runs: list[Run]) -> Section:
    """Methods of the runs, once for runs that differ only in their sequence, and the commands that repeat them."""
    alike = defaultdict(list)
    for run in runs:
        text = methods_text(run, with_exclusions=False)
        alike[re.sub(r"one sequence, [^.]*\.", "one sequence.", text)].append(run.name)
    parts = [Paragraph(f"{', '.join(names)}.\n\n{text}") for text, names in alike.items()]
    each = [member for run in runs for member in (run.members or (run,))]
    commands = "\n\n".join(f"# {run.name}\n{command_line(run.settings)}" for run in each)
    return Section("Methods and commands", [*parts, Listing(commands)])
