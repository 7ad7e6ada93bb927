"""What the page of a run says, that of several runs, and that of a predictions table alone."""

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


class Told(NamedTuple):
    title: str
    result: str  # what it all comes to, in a sentence
    cautions: list[str]  # what must be known before the first number
    synthetic: bool  # whether it is about phantoms
    sections: list[Section]
    numbers: dict  # for `metrics.json` beside the page
    card: str = ""  # the model card, where there is a model
    kept: tuple[str, ...] = ()  # names of the page's figures that a run folder keeps in `figures/` too
    further: Callable[[], dict[str, Figure]] = dict  # makes what it keeps besides, by name


def tell_run(run: Run) -> Told:
    """Everything about a finished run."""
    sections = [section(run) for section in (*(of_scores.SECTIONS if run.scored else ()), *of_run.SECTIONS)]
    subjects = flow_counts(run.cohort, run.exclusions, run.splits, run.predictions)
    return Told(
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


def tell_table(run: Run) -> Told:
    """Everything about a predictions table alone."""
    title, result, known_before = f"Predictions of {run.given.attrs['file'].name}", result_sentence(run), cautions(run)
    sections = [section(run) for section in (of_scores.SECTIONS if run.scored else ())]
    sections.append(Section("What this report does not know", [say("table_alone", **run.performance)]))
    return Told(title, result, known_before, run.synthetic, sections, run.metrics | {"performance": run.performance})


def tell_comparison(runs: list[Run], reference: str | None, tests: dict | None = None) -> Told:
    """Several runs, as `comparing.gather` gives them, side by side; the paired `tests` are made if not there yet."""
    tests, scores = tests or paired_tests(runs, ("auc", "calls"), reference), ("auc", "calls")
    pairs = {name: {" less ".join(pair): test._asdict() for pair, test in tests[name].items()} for name in scores}
    numbers = {"runs": {run.name: run.metrics | {"performance": run.performance} for run in runs}, "pairs": pairs}
    sections, synthetic = compared_sections(runs, tests, reference), any(run.synthetic for run in runs)
    result, known_before = compared_sentence(runs), compared_cautions(runs)
    return Told("Runs side by side", result, known_before, synthetic, sections, numbers, kept=("roc", "boxes"))


def _further_figures(run: Run) -> dict[str, Figure]:
    """Figures of a run folder that its page does not show: ROC curves by split, all slices, lesions one by one."""
    figures = {"roc": roc_of([run])} if run.scored else {"boxes": boxes_of([run])}
    if (run.folder / files.SLICES).exists():
        with np.load(run.folder / files.SLICES) as prepared:
            slices = prepared["slices"][..., 0]
        subjects, labels = run.cohort["subject"], run.cohort["idh"]
        figures["slices"] = slice_sheet(slices, subjects, labels, sequence=run.name, synthetic=run.synthetic)
    if files.has_masks(run.folder) and has_values(run.predictions, "dice"):
        with contextlib.suppress(InputError):  # the page says what is gone
            for name, case in lesion_cases(run).items():
                titled = replace(case, title=f"{name} Dice: {case.title}")
                figures[f"lesion_{name.lower()}"] = lesion_overlay(titled, synthetic=run.synthetic)
    return figures
