"""Sections that need a run folder: comparison with the paper, subjects, segmentation, training, cases, methods."""

import pandas as pd

from glioma_idh import runs
from glioma_idh.errors import InputError
from glioma_idh.evaluation.metrics import has_values
from glioma_idh.reporting.figures.flow_diagram import flow_diagram, flow_diagram_alt
from glioma_idh.reporting.figures.learning_curves import learning_curves
from glioma_idh.reporting.figures.overlays import best_median_worst
from glioma_idh.reporting.html import Listing, Paragraph, Picture, Section, Sheet, Viewer
from glioma_idh.reporting.names import CURVES
from glioma_idh.reporting.sections import accuracy_note, legend, say
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
    "volume_error_ml": "volume error (predicted minus reference), ml",
    "absolute_volume_error_ml": "absolute volume error, ml",
    "lesions_found": "proportion of lesions found",
    "false_lesions": "false lesions per subject",
}


def paper_section(finished: Run) -> Section:
    """The results of the paper next to ours."""
    sheet = paper_sheet(finished.metrics, finished.recipe.get("published", {}), finished.printed, finished.performance)
    caption = (
        "Results of the original publication and of this work. The publication used other patients, so its results are "
        "a reference point and not a test. In parentheses: 95 % confidence intervals. SD: standard deviation."
    )
    parts = [Sheet("paper", sheet, caption), *accuracy_note(sheet)]
    return Section("Comparison with the paper", parts)


def subjects_section(finished: Run) -> Section:
    """Subjects found, excluded, used and tested, their characteristics, and their division into splits."""
    cohort, splits = finished.cohort, finished.splits
    counts = subjects.flow_counts(cohort, finished.exclusions, splits, finished.predictions)
    checks = [subjects.patients_check(splits, cohort), subjects.scans_check(cohort)]
    checks.append(f"SHA-256 of the splits (first 12 characters): {subjects.splits_hash(splits)}.")
    figure = flow_diagram(counts, synthetic=finished.synthetic)
    parts = [
        Picture("flow", figure, legend("flow"), flow_diagram_alt(counts)),
        Sheet(
            "cohort",
            characteristics_sheet(cohort),
            "Characteristics of the patients by IDH status (reference standard). SD: standard deviation.",
        ),
        Sheet("splits", subjects.splits_sheet(splits, cohort), "Size of the training and test sets."),
        say("checks", checks=checks, expected=finished.performance["expected"]),
        Sheet(
            "parts",
            parts_sheet(cohort, splits),
            "Characteristics of the patients in each test set. SD: standard deviation.",
        ),
    ]
    if len(finished.exclusions):
        table, caption = subjects.exclusions_sheet(finished.exclusions), "Excluded subjects, by reason."
        parts.append(Sheet("exclusions", table, caption))
    return Section("Subjects and splits", parts)


def segmentation_section(finished: Run) -> Section:
    """Segmented lesions compared with the reference; an empty section if there are none."""
    numbers = finished.performance["segmentation"]
    if "dice" not in numbers:
        return Section("Segmentation", [])
    rows = [(words, estimate_cell(numbers[key])) for key, words in SEGMENTATION.items() if key in numbers]
    others = {key: of for key, of in numbers.items() if key not in SEGMENTATION and isinstance(of, dict)}
    rows += [(key.replace("_", " "), estimate_cell(of)) for key, of in others.items() if "value" in of]
    table = pd.DataFrame(rows, columns=["measure", "mean (95 % CI)"])
    caption = "Segmentation of the lesions, evaluated on the patients' own voxel grids. CI: confidence interval."
    parts = [say("segmentation", segmentation=numbers), Sheet("segmentation", table, caption)]
    try:
        figure = best_median_worst(lesion_cases(finished), synthetic=finished.synthetic)
    except InputError as error:
        return Section("Segmentation", [*parts, Paragraph(f"Images of the lesions are not available: {error}")])
    alt = "Slices through the lesions with the best, median and worst Dice, with reference and predicted outlines."
    return Section("Segmentation", [*parts, Picture("lesions", figure, legend("lesions", segmentation=numbers), alt)])


def training_section(finished: Run) -> Section:
    """Learning curves."""
    splits, parts = runs.list_splits(finished.splits), []
    for index, (repeat, split) in enumerate(splits):
        history = runs.split_folder(finished.folder, index) / runs.HISTORY
        if history.exists():
            parts.append(runs.read_table(history).assign(repeat=repeat, split=split))
    learnt = [log for log in finished.printed.curves if CURVES[log].score in finished.metrics["mean"]]
    if not (parts and learnt):
        return Section("Training", [Paragraph("Learning curves are not available: the run folder has no history.csv.")])
    figure = learning_curves(pd.concat(parts), title=finished.name, panels=learnt, synthetic=finished.synthetic)
    alt = f"Training and test curves of {len(parts)} splits by epoch."
    return Section(
        "Training", [Picture("learning_curves", figure, legend("learning_curves", num_splits=len(parts)), alt)]
    )


def cases_section(finished: Run) -> Section:
    """The most confident wrong predictions, and a viewer of single subjects."""
    parts, folder, cohort, predictions = [], finished.folder, finished.cohort, finished.predictions
    if has_values(predictions, "score"):
        figure, unshown = mistakes_figure(folder, cohort, predictions, synthetic=finished.synthetic)
        if figure:
            parts.append(
                Picture("mistakes", figure, legend("mistakes", **finished.performance), mistakes_text(predictions))
            )
        parts += [Paragraph(unshown)] if unshown else []
    cases, reasons = viewer_cases(folder, cohort, predictions)
    parts += [Viewer(cases)] if cases else []
    return Section("Single cases", [*parts, *([Paragraph(" ".join(reasons))] if reasons else [])])


def methods_section(finished: Run) -> Section:
    """The methods section, the command that repeats the run, and the environment."""
    parts = [
        Paragraph(methods_text(finished)),
        Paragraph("Command that repeats the run:"),
        Listing(command_line(finished.settings)),
    ]
    environment = Sheet(
        "environment", environment_table(finished.recipe), "Software versions, random seeds and hashes of the run."
    )
    return Section("Methods and command", [*parts, environment])


def checklists_section(finished: Run) -> Section:
    """Reporting checklists, filled in as far as the run allows."""
    facts, parts = run_facts(finished), [say("checklists")]
    for name, checklist in CHECKLISTS.items():
        caption = f"{checklist.title}. {checklist.citation}. Source of the items: {checklist.read}."
        parts.append(Sheet(name, checklist_table(name, facts), caption))
    return Section("Checklists", parts)


SECTIONS = (paper_section, subjects_section, segmentation_section, training_section, cases_section, methods_section)
SECTIONS += (checklists_section,)
