"""Several finished runs on one page: six sequences, or the networks of a table, on the same patients where they are."""

from collections import defaultdict

import pandas as pd

from glioma_idh.reporting.figures.canvas import SYNTHETIC_NOTE
from glioma_idh.reporting.html import Listing, Paragraph, Picture, Section, Sheet
from glioma_idh.reporting.names import ABBREVIATIONS
from glioma_idh.reporting.sections import say
from glioma_idh.reporting.sections.shared_figures import boxes_of, printed_of, published_of, roc_of
from glioma_idh.reporting.tables.cells import comparison_cell, estimate_cell, format_p, known
from glioma_idh.reporting.tables.results import SPREAD_NOTE, WITHIN_NOTE, results_table
from glioma_idh.reporting.text.cautions import cautions
from glioma_idh.reporting.text.facts import methods_text
from glioma_idh.reporting.text.rerun import command_line
from glioma_idh.runs.run import Run


def compared_sentence(runs: list[Run]) -> str:
    """Which runs have a higher AUC than all baselines, and which is highest; without an AUC, by Dice."""
    start = f"{SYNTHETIC_NOTE}. " if any(run.synthetic for run in runs) else ""
    scored = [run for run in runs if run.scored and known(run.performance["auc"]["within_splits"]["value"])]
    if not scored:
        dice = {run.name: run.performance["segmentation"].get("dice") for run in runs}
        means = "; ".join(f"{name} {estimate_cell(mean)}" for name, mean in dice.items() if mean)
        return f"{start}None of these runs has an AUC. Mean Dice: {means or 'none either'}."
    beating = [run.name for run in scored if run.performance["beats_baselines"]["verdict"] == "beats all"]
    honest = f"Higher AUC than every baseline that could be compared: {', '.join(beating) or 'none of them'}."
    best = max(scored, key=lambda run: run.performance["auc"]["within_splits"]["value"])
    highest = f"Highest of {len(scored)} AUCs: {best.name}, {estimate_cell(best.performance['auc']['within_splits'])}"
    return f"{start}{honest} {highest}; differences are tested below."


def compared_cautions(runs: list[Run]) -> list[str]:
    """What must be known before the numbers of several runs, each text once, with the runs that it is of."""
    of_text = defaultdict(list)
    for run in runs:
        for text in cautions(run):
            of_text[text].append(run.name)
    return [text if len(names) == len(runs) else f"{', '.join(names)}: {text}" for text, names in of_text.items()]


def compared_sections(runs: list[Run], tests: dict, reference: str | None = None) -> list[Section]:
    """The table beside the paper's, the figures, each pair tested or each run against a reference, and the commands."""
    return [_table_section(runs), _performance_section(runs), _pairs_section(tests, reference), _commands_section(runs)]


def _table_section(runs: list[Run]) -> Section:
    """The results table with the paper's rows, ROC curves and box plots."""
    metrics = {run.name: run.metrics for run in runs}
    table = results_table(metrics, published_of(runs), printed_of(runs)).reset_index(names=["run", "row"])
    table["run"] = table["run"].where(~table["run"].duplicated(), "")
    parts = [*_seeds_note(runs), Sheet("table", table, f"{SPREAD_NOTE} {WITHIN_NOTE} {ABBREVIATIONS}")]
    areas = ", ".join(f"{run.name} {run.metrics['mean']['auc']:.2f}" for run in runs if run.scored)
    if areas:
        parts.append(Picture("roc", roc_of(runs), "ROC curves of every split and their mean.", f"Mean AUC: {areas}."))
    alt = "Box plots; the numbers are in the table above."
    return Section("Beside the paper", [*parts, Picture("boxes", boxes_of(runs), "Scores over the splits.", alt)])


def _seeds_note(runs: list[Run]) -> list[Paragraph]:
    """Which networks are several, their scores averaged, and the AUC of each seed."""
    lines = []
    for run in runs:
        if run.members:
            areas = [seed.metrics["within_splits"].get("auc", float("nan")) for seed in run.members]
            each = f"; AUC within splits of each {', '.join(f'{area:.3f}' for area in areas)}" if run.scored else ""
            lines.append(f"{run.name}: {len(run.members)} seeds, averaged where their test sets are the same{each}.")
    if lines and len({max(1, len(run.members)) for run in runs}) > 1:
        lines.append("A mean of several networks is compared with fewer: part of a difference may be the averaging.")
    return [Paragraph(" ".join(lines))] if lines else []


def _performance_section(runs: list[Run]) -> Section:
    """Each run's interval, calibration and stand to the baselines."""
    rows = []
    for run in (run for run in runs if run.scored):
        numbers, verdict = run.performance, run.performance["beats_baselines"]
        not_beaten = ", ".join(verdict["not_beaten"])
        worse = f"; lower than {', '.join(verdict['worse'])}" if verdict["worse"] else ""
        words = {"beats all": "higher than all compared", "does not beat": f"not higher than {not_beaten}{worse}"}
        before, patients = numbers["calibration"]["before"], numbers["patients"]
        row = {"run": run.name, "patients": patients["num_tested"], "mutant": patients["num_mutant"]}
        row["AUC (95 %)"] = estimate_cell(numbers["auc"]["within_splits"])
        row["calibration slope (95 %)"] = estimate_cell(before["slope"]) if "slope" in before else before["reason"]
        rows.append(row | {"AUC and baselines": words.get(verdict["verdict"], verdict["reason"])})
    caption = "AUC within splits; slope pooled over patients, 1 is calibrated; baselines on the same splits."
    return Section("What each is worth", [Sheet("performance", pd.DataFrame(rows), caption)] if rows else [])


def _pairs_section(tests: dict, reference: str | None) -> Section:
    """Each pair by DeLong's and McNemar's paired tests, after Holm."""
    rows = []
    for (pair, area), calls in zip(tests["auc"].items(), tests["calls"].values(), strict=True):
        row = {"pair": " less ".join(pair), "difference of AUC (95 %)": comparison_cell(area._asdict())}
        row["called right"] = calls.reason
        if not calls.reason:
            right = f"{calls.only_ours_right} by the first alone, {calls.only_other_right} by the second"
            row["called right"] = f"{right}, p {format_p(calls.p)}"
        rows.append(row)
    parts = [say("pairs", reference=reference), Sheet("pairs", pd.DataFrame(rows), "Each pair.")]
    return Section("Paired comparisons", parts if rows else [])


def _commands_section(runs: list[Run]) -> Section:
    """How they were made, told once of those that differ in their sequence alone, and how to make them again."""
    alike = defaultdict(list)
    for run in runs:
        text = methods_text(run, with_exclusions=False)
        alike[text.replace(f"one sequence, {run.name}", "one sequence")].append(run.name)
    parts = [Paragraph(f"{', '.join(names)}.\n\n{text}") for text, names in alike.items()]
    each = [member for run in runs for member in (run.members or (run,))]
    commands = "\n\n".join(f"# {run.name}\n{command_line(run.settings)}" for run in each)
    return Section("Methods, and how to run it again", [*parts, Listing(commands)])
