"""The sections of a report that only a run's folder can fill: the paper's numbers, subjects, training, methods."""

import pandas as pd

from glioma_idh import runs
from glioma_idh.errors import InputError
from glioma_idh.evaluation.metrics import has_values
from glioma_idh.reporting.figures.flow_diagram import flow_diagram, flow_diagram_alt
from glioma_idh.reporting.figures.learning_curves import learning_curves
from glioma_idh.reporting.figures.overlays import best_median_worst
from glioma_idh.reporting.html import Listing, Paragraph, Picture, Section, Sheet, Viewer
from glioma_idh.reporting.names import ABBREVIATIONS, CURVES
from glioma_idh.reporting.sections import say
from glioma_idh.reporting.sections.gallery import mistakes_figure, mistakes_text, viewer_cases
from glioma_idh.reporting.sections.shared_figures import lesion_cases
from glioma_idh.reporting.tables import subjects
from glioma_idh.reporting.tables.cells import estimate_cell
from glioma_idh.reporting.tables.cohort import characteristics_sheet, parts_sheet
from glioma_idh.reporting.tables.results import paper_sheet
from glioma_idh.reporting.text.facts import CHECKLISTS, checklist_table, methods_text, run_facts
from glioma_idh.reporting.text.rerun import command_line, environment_table
from glioma_idh.runs.run import Run

SEGMENTATION = {
    "dice": "Dice",
    "hd95_mm": "HD95, mm",
    "volume_error_ml": "volume, predicted less reference, ml",
    "absolute_volume_error_ml": "the same without its sign, ml",
}


def paper_section(finished: Run) -> Section:
    """The paper's numbers beside ours."""
    sheet = paper_sheet(finished.metrics, finished.recipe.get("published", {}), finished.printed, finished.performance)
    caption = "The paper's patients are others: its numbers are a landmark, no test."
    return Section("Beside the paper", [Sheet("paper", sheet, f"{caption} {ABBREVIATIONS}")])


def subjects_section(finished: Run) -> Section:
    """Who was found, set aside, used and tested, and how they were divided."""
    cohort, splits = finished.cohort, finished.splits
    counts = subjects.flow_counts(cohort, finished.exclusions, splits, finished.predictions)
    checks = [subjects.patients_check(splits, cohort), subjects.scans_check(cohort)]
    checks.append(f"sha256 of the splits: {subjects.splits_hash(splits)}.")
    figure = flow_diagram(counts, synthetic=finished.synthetic)
    parts = [
        Picture("flow", figure, "Flow of subjects.", flow_diagram_alt(counts)),
        Sheet("cohort", characteristics_sheet(cohort), "Who they are, by IDH status (reference standard)."),
        Sheet("splits", subjects.splits_sheet(splits, cohort), "Training and test parts."),
        say("checks", checks=checks, expected=finished.performance["expected"]),
        Sheet("parts", parts_sheet(cohort, splits), "Who was tested where."),
    ]
    if len(finished.exclusions):
        parts.append(Sheet("exclusions", subjects.exclusions_sheet(finished.exclusions), "Who was set aside, and why."))
    return Section("Subjects and splits", parts)


def segmentation_section(finished: Run) -> Section:
    """Lesions found beside those of the reference; without parts where there are none."""
    numbers = finished.performance["segmentation"]
    if "dice" not in numbers:
        return Section("Segmentation", [])
    rows = [(words, estimate_cell(numbers[key])) for key, words in SEGMENTATION.items() if key in numbers]
    others = {key: of for key, of in numbers.items() if key not in SEGMENTATION and isinstance(of, dict)}
    rows += [(key.replace("_", " "), estimate_cell(of)) for key, of in others.items() if "value" in of]
    table = pd.DataFrame(rows, columns=["score", "mean (95 %)"])
    parts = [say("segmentation", segmentation=numbers), Sheet("segmentation", table, "On the patients' own grids.")]
    try:
        figure = best_median_worst(lesion_cases(finished), synthetic=finished.synthetic)
    except InputError as error:
        return Section("Segmentation", [*parts, Paragraph(f"No picture of lesions: {error}")])
    alt = "Slices of the best, the median and the worst lesion by Dice, reference and predicted outlines."
    return Section("Segmentation", [*parts, Picture("lesions", figure, "Best, median and worst by Dice.", alt)])


def training_section(finished: Run) -> Section:
    """Learning curves."""
    splits, parts = runs.list_splits(finished.splits), []
    for index, (repeat, split) in enumerate(splits):
        history = runs.split_folder(finished.folder, index) / runs.HISTORY
        if history.exists():
            parts.append(runs.read_table(history).assign(repeat=repeat, split=split))
    learnt = [log for log in finished.printed.curves if CURVES[log].score in finished.metrics["mean"]]
    if not (parts and learnt):
        return Section("Training", [Paragraph("No learning curves: there is no history.csv of the splits.")])
    figure = learning_curves(pd.concat(parts), title=finished.name, panels=learnt, synthetic=finished.synthetic)
    alt = f"Training and test loss of {len(parts)} splits by epoch."
    return Section("Training", [Picture("learning_curves", figure, "Learning curves.", alt)])


def cases_section(finished: Run) -> Section:
    """The most confident mistakes, and subjects to look through."""
    parts, folder, cohort, predictions = [], finished.folder, finished.cohort, finished.predictions
    if has_values(predictions, "score"):
        figure, unshown = mistakes_figure(folder, cohort, predictions, synthetic=finished.synthetic)
        if figure:
            parts.append(Picture("mistakes", figure, "The most confident mistakes.", mistakes_text(predictions)))
        parts += [Paragraph(unshown)] if unshown else []
    cases, reasons = viewer_cases(folder, cohort, predictions)
    parts += [Viewer(cases)] if cases else []
    return Section("Cases", [*parts, *([Paragraph(" ".join(reasons))] if reasons else [])])


def methods_section(finished: Run) -> Section:
    """A methods paragraph, the command, and the environment."""
    parts = [Paragraph(methods_text(finished)), Paragraph("To run it again:"), Listing(command_line(finished.settings))]
    environment = Sheet("environment", environment_table(finished.recipe), "Environment, seeds and hashes.")
    return Section("Methods, and how to run it again", [*parts, environment])


def checklists_section(finished: Run) -> Section:
    """What reviewers' checklists ask, filled in where the run knows."""
    facts, parts = run_facts(finished), [say("checklists")]
    for name, checklist in CHECKLISTS.items():
        caption = f"{checklist.title}. {checklist.citation}. Items read in: {checklist.read}."
        parts.append(Sheet(name, checklist_table(name, facts), caption))
    return Section("Checklists", parts)


SECTIONS = (paper_section, subjects_section, segmentation_section, training_section, cases_section, methods_section)
SECTIONS += (checklists_section,)
