"""Content of the report of one run, of several runs, and of a predictions table."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from glioma_idh import runs as files
from glioma_idh.errors import InputError
from glioma_idh.evaluation.metrics import has_values
from glioma_idh.reporting.comparing import paired_tests
from glioma_idh.reporting.figures.overlays import lesion_overlay
from glioma_idh.reporting.figures.pictures import slice_sheet
from glioma_idh.reporting.html import Section
from glioma_idh.reporting.sections import of_run, of_scores, say
from glioma_idh.reporting.sections.compared import compared_cautions, compared_sections, compared_sentence
from glioma_idh.reporting.sections.shared_figures import boxes_of, lesion_cases, roc_of
from glioma_idh.reporting.tables.subjects import flow_counts
from glioma_idh.reporting.text.cautions import cautions, result_sentence
from glioma_idh.reporting.text.model_card import model_card
from glioma_idh.runs.run import Run


class Content(NamedTuple):
    """Everything that a report contains."""

    title: str
    result: str  # the main result in a few sentences
    cautions: list[str]  # warnings that stand before the first number
    synthetic: bool  # whether the cohort is synthetic
    sections: list[Section]
    numbers: dict  # for `metrics.json` next to the page
    card: str = ""  # the model card, if there is a model
    kept: tuple[str, ...] = ()  # names of the figures that are also copied to `figures/` of the run folder
    further: Callable[[], dict[str, Figure]] = dict  # draws further figures for the run folder, by name


def run_content(run: Run) -> Content:
    """Content of the report of a finished run."""
    sections = [section(run) for section in (*(of_scores.SECTIONS if run.scored else ()), *of_run.SECTIONS)]
    subjects = flow_counts(run.cohort, run.exclusions, run.splits, run.predictions)
    return Content(
        f"{run.name} on {files.cohort_name(run.settings['cohort'])}",
        result_sentence(run),
        cautions(run),
        run.synthetic,
        [section for section in sections if section.parts],
        run.metrics | {"performance": run.performance, "subjects": subjects},
        card=model_card(run),
        kept=("boxes", "learning_curves", "lesions"),
        further=partial(_further_figures, run),
    )


def table_content(run: Run) -> Content:
    """Content of the report of a predictions table without a run."""
    title = f"Predictions in {run.given.attrs['file'].name}"
    sections = [section(run) for section in (of_scores.SECTIONS if run.scored else ())]
    sections.append(Section("Not available in this report", [say("table_alone", **run.performance)]))
    numbers = run.metrics | {"performance": run.performance}
    return Content(title, result_sentence(run), cautions(run), run.synthetic, sections, numbers)


def comparison_content(runs: list[Run], reference: str | None, tests: dict | None = None) -> Content:
    """Content of the comparison of several runs (from `comparing.gather`); paired `tests` are computed if not given."""
    tests, scores = tests or paired_tests(runs, ("auc", "calls"), reference), ("auc", "calls")
    pairs = {name: {" minus ".join(pair): test._asdict() for pair, test in tests[name].items()} for name in scores}
    numbers = {"runs": {run.name: run.metrics | {"performance": run.performance} for run in runs}, "pairs": pairs}
    sections, synthetic = compared_sections(runs, tests, reference), any(run.synthetic for run in runs)
    result, warnings = compared_sentence(runs), compared_cautions(runs)
    return Content("Comparison of runs", result, warnings, synthetic, sections, numbers, kept=("roc", "boxes"))


def _further_figures(run: Run) -> dict[str, Figure]:
    """Figures for the run folder that its page does not show: ROC curves by split, all slices, single lesions."""
    figures = {"roc": roc_of([run])} if run.scored else {"boxes": boxes_of([run])}
    if (run.folder / files.SLICES).exists():
        with np.load(run.folder / files.SLICES) as prepared:
            slices = prepared["slices"][..., 0]
        subjects, labels = run.cohort["subject"], run.cohort["idh"]
        figures["slices"] = slice_sheet(slices, subjects, labels, sequence=run.name, synthetic=run.synthetic)
    if files.has_masks(run.folder) and has_values(run.predictions, "dice"):
        with contextlib.suppress(InputError):  # the page names the missing files
            for name, case in lesion_cases(run).items():
                titled = replace(case, title=f"{name} Dice: {case.title}")
                figures[f"lesion_{name.lower()}"] = lesion_overlay(titled, synthetic=run.synthetic)
    return figures
