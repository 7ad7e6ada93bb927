"""Reports: of one finished run, of several side by side, of a predictions table alone."""

from pathlib import Path

from glioma_idh.files import write_json, write_text
from glioma_idh.reporting.html import write_page
from glioma_idh.reporting.sections import of_run, of_scores
from glioma_idh.reporting.sections.compared import (
    compared_cautions,
    compared_sections,
    compared_sentence,
    gather,
    paired_tests,
    reference_name,
)
from glioma_idh.reporting.tables.flow import flow_counts
from glioma_idh.reporting.text.cautions import cautions
from glioma_idh.reporting.text.model_card import model_card
from glioma_idh.reporting.text.result_sentence import result_sentence
from glioma_idh.runs import cohort_name
from glioma_idh.runs.foreign_tables import read_predictions
from glioma_idh.runs.run import Run, read_finished_run


def write_report(folder: Path, out: Path | None = None) -> Path:
    """Everything about one finished run, on one page.

    Args:
        folder: of the run.
        out: the page; by default `report.html` in the folder, whose `metrics.json` then gets every number too.

    Returns:
        The page.

    Raises:
        InputError: the folder holds no finished run, or one whose tables cannot be used.
    """
    finished = read_finished_run(folder)
    out = out or folder / "report.html"
    sections = [*_of_scores(finished), *_of_run(finished)]
    notes = {"cautions": cautions(finished), "synthetic": finished.synthetic}
    page = write_page(out, _title(finished), result_sentence(finished), sections, **notes)
    subjects = flow_counts(finished.cohort, finished.exclusions, finished.splits, finished.predictions)
    numbers = finished.metrics | {"worth": finished.worth, "subjects": subjects}
    write_json(numbers, files_folder(page) / "metrics.json")
    write_text(model_card(finished), files_folder(page) / "model_card.md")
    if out.parent.resolve() == folder.resolve():
        write_json(numbers, folder / "metrics.json")
    return page


def write_table_report(file: Path, out: Path | None = None) -> Path:
    """Everything about a predictions table that needs neither images nor a run.

    Args:
        file: CSV with `subject, truth, score`, and more where there is more.
        out: the page; by default `report.html` beside the file.

    Returns:
        The page.

    Raises:
        InputError: the table cannot be used.
    """
    finished = read_predictions(file)
    out = out or file.parent / "report.html"
    sections = [*_of_scores(finished), of_run.table_section(finished)]
    title = f"Predictions of {file.name}"
    notes = {"cautions": cautions(finished), "synthetic": finished.synthetic}
    page = write_page(out, title, result_sentence(finished), sections, **notes)
    write_json(finished.metrics | {"worth": finished.worth}, files_folder(page) / "metrics.json")
    return page


def write_comparison(folders: list[Path], out: Path | None = None, reference: Path | None = None) -> Path:
    """Several finished runs side by side.

    Args:
        folders: of the runs; runs of one network that differ in their seed count as one network.
        out: the page; by default `report.html` in the folder that holds the first run.
        reference: the run that all others are compared with; None for every pair.

    Returns:
        The page.

    Raises:
        InputError: a folder holds no finished run, or one whose tables cannot be used.
    """
    finished = gather([read_finished_run(folder) for folder in folders])
    out = out or folders[0].resolve().parent / "report.html"
    against = reference_name(finished, reference)
    notes = {"cautions": compared_cautions(finished), "synthetic": any(run.synthetic for run in finished)}
    sections = compared_sections(finished, against)
    page = write_page(out, "Runs side by side", compared_sentence(finished), sections, **notes)
    tests = paired_tests(finished, against).items()
    numbers = {
        "runs": {run.name: run.metrics | {"worth": run.worth} for run in finished},
        "pairs": {name: {pair: test._asdict() for pair, test in of.items()} for name, of in tests},
    }
    write_json(numbers, files_folder(page) / "metrics.json")
    return page


def files_folder(page: Path) -> Path:
    """The folder of a page's figures, tables and numbers."""
    return page.with_name(f"{page.stem}_files")


def _title(finished: Run) -> str:
    """Network or sequence, and cohort."""
    return f"{finished.name} on {cohort_name(finished.recipe['recipe']['cohort'])}"


def _of_scores(finished: Run) -> list:
    """What the scores are worth; of a network for segmentation alone, nothing."""
    if not finished.scored:
        return []
    return [
        of_scores.baselines_section(finished),
        of_scores.discrimination_section(finished),
        of_scores.calibration_section(finished),
        of_scores.strata_section(finished),
    ]


def _of_run(finished: Run) -> list:
    """What only a run's folder knows."""
    sections = [
        of_run.paper_section(finished),
        of_run.subjects_section(finished),
        of_run.segmentation_section(finished),
        of_run.training_section(finished),
        of_run.cases_section(finished),
        of_run.methods_section(finished),
        of_run.checklists_section(finished),
    ]
    return [section for section in sections if section.parts]
