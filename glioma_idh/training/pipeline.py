"""A training, from settings to results: what both papers do alike, in the order of a method section."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from glioma_idh import record, runs
from glioma_idh.cohorts.checks.copies import print_shared_images, set_copies_aside
from glioma_idh.cohorts.table import check_labels, keep_unlabelled, require_sequence
from glioma_idh.errors import InputError
from glioma_idh.files import write_table, written_whole
from glioma_idh.papers import Paper
from glioma_idh.progress import step
from glioma_idh.reporting.figures.canvas import display_name
from glioma_idh.reporting.report import compare_runs, finish_run, write_external
from glioma_idh.runs.run import Run
from glioma_idh.training import device
from glioma_idh.training.cohort import (
    TrainingCohort,
    read_external_cohort,
    refuse_changed_labels,
    refuse_copies,
    report_exclusions,
    require_labelled,
    write_subjects,
)
from glioma_idh.training.settings import check_settings, default_run_dir, external_name, run_key, with_whole_paths
from glioma_idh.training.splits import make_splits, train_splits


@dataclass(frozen=True)
class Method:
    """What a paper's training does in its own way, mostly functions of its recipe; a table is a cohort table."""

    paper: Paper
    resolve: Callable  # (recipe, cohort to train on) -> recipe with inside names. InputError: a setting cannot be
    divide: Callable  # (recipe) -> the recipe of each run that the command trains
    sequences: Callable  # (recipe) -> those that a subject must have
    prepare: Callable  # (table, recipe, quiet) -> table of the usable, arrays that the run keeps, errors of the others
    remark: Callable  # (table, said) -> None; prints what must be said of prepared images, once: the set `said` grows
    measure: Callable  # (table) -> measures of prepared images, a row a subject
    train_split: Callable  # (recipe, folder, index, quiet), and `threads` where they are several -> index
    predict: Callable  # (recipe, folder, `Prepared`, quiet) -> predictions of a run's networks for other subjects
    names: Callable = lambda recipe: []  # what stands in the name of the default run folder
    introduce: Callable = lambda recipe: []  # lines to print first. InputError: it cannot be trained here
    is_large: Callable = lambda recipe: False  # whether one training keeps every processor busy
    print_cost: Callable = lambda *_: None  # (recipe, table, gpus, jobs, threads). InputError: memory will not do
    takes_unlabelled: Callable = lambda recipe: False  # whether subjects without a label are trained on too
    restore: Callable = lambda *_: None  # (recipe, folder, quiet); makes again what a run that has begun has lost
    baselines: Callable = lambda *_: None  # (recipe, folder, quiet) -> scores of baselines without a network
    several: bool = False  # whether a command may train several runs, which its messages tell apart
    key: dict = field(default_factory=dict)  # what makes two runs the same run, beside the settings
    former: dict = field(default_factory=dict)  # what settings were in runs that are older than they


class Training(NamedTuple):
    """A run that a command trains, or has trained."""

    name: str  # of its network, or inside name of its sequence
    recipe: Any
    folder: Path  # that holds it, or will
    key: dict

    @property
    def finished(self) -> bool:
        return (self.folder / runs.METRICS).exists()

    @property
    def prepared(self) -> bool:
        """Whether its subjects and splits are written."""
        return (self.folder / runs.SPLITS).exists()

    def missing(self) -> list[int]:
        """Its splits that are not trained yet."""
        splits = [] if self.finished else range(self.recipe.num_splits)
        return [index for index in splits if not (runs.split_folder(self.folder, index) / runs.PREDICTIONS).exists()]


class Prepared(NamedTuple):
    """Subjects ready for a network."""

    table: pd.DataFrame  # cohort table of those used
    arrays: tuple[np.ndarray, ...]  # that the run folder keeps, a row a subject
    errors: list[InputError]  # one a subject set aside


def train(recipe, job, method: Method) -> dict[str, Path]:
    """Train and test one network per run and split, and write everything into the run folders.

    Returns the folder of each run, by the name of its sequence or network.
    """
    recipe, job, cohort = resolve(recipe, job, method)
    trainings = list_trainings(recipe, job, method)
    external = None if job.external is None else read_external_cohort(cohort, method.sequences(recipe))
    if len(trainings) > 1 and (job.run_dir / runs.RECIPE).exists():
        advice = "Name another --run-dir; each sequence gets a folder in it."
        raise InputError("a folder for several runs", "one run of its own", advice, file=job.run_dir)
    for training in trainings:
        refuse_changed_labels(training.folder, training.key, cohort, method.former)
    unfinished = [each for each in trainings if not runs.find_run(each.folder, each.key, method.former)]
    for folder in {job.run_dir, *(training.folder for training in trainings)}:
        record.into(folder, will_write=bool(unfinished))
    jobs, threads = begin(unfinished, recipe, job, method, cohort) if unfinished else (1, 1)
    tests = [] if external is None else prepare_external(trainings, external, job, method)
    finished = train_runs(unfinished, job, method, jobs, threads)
    folders = {training.name: training.folder for training in trainings}
    baselines = method.baselines(recipe, job.run_dir, job.quiet)
    with step("drawing the report", job.quiet):
        compare_runs(job.run_dir, folders, finished, baselines)
    for training, prepared in zip(trainings, tests, strict=False):
        predictions = method.predict(training.recipe, training.folder, prepared, job.quiet)
        write_external(training.folder, external_name(job), prepared.table, predictions, prepared.errors)
    print(f"Everything is in {job.run_dir}")
    return folders


def resolve(recipe, job, method: Method):
    """Settings that can be, with inside names and whole paths, the run folder, and the cohort to train on."""
    recipe, job = with_whole_paths(recipe, job)
    check_settings(recipe, job)
    cohort = TrainingCohort(recipe, job)
    recipe = method.resolve(recipe, cohort)
    cohort.sequences = method.sequences(recipe)
    if job.run_dir is None:
        job = replace(job, run_dir=default_run_dir(method.paper.name, method.names(recipe), recipe, job))
    return recipe, job, cohort


def list_trainings(recipe, job, method: Method) -> list[Training]:
    """The runs of a command; of several each has a folder within the command's."""
    recipes, trainings = method.divide(recipe), []
    for own in recipes:
        name = method.paper.call(asdict(own))
        folder = job.run_dir if len(recipes) == 1 else job.run_dir / name
        trainings.append(Training(name, own, folder, run_key(method.paper.name, own, job) | method.key))
    return trainings


def begin(trainings: list[Training], recipe, job, method: Method, cohort: TrainingCohort) -> tuple[int, int]:
    """Say where, on whom and how it trains, and prepare what is not prepared; returns `jobs` and `threads`."""
    lines, gpus = method.introduce(recipe), device.find_gpus()
    jobs, threads = device.share_processors(job.jobs, gpus, recipe.num_splits, method.is_large(recipe))
    print(device.device_line(gpus, jobs, threads))
    synthetic = " (built in, synthetic: no clinical result can come of it)" if recipe.cohort == "phantom" else ""
    print("\n".join([f"Cohort: {recipe.cohort}{synthetic}", *lines]))
    for training in trainings:
        if training.prepared:
            method.restore(training.recipe, training.folder, job.quiet)
    if unprepared := [training for training in trainings if not training.prepared]:
        table = cohort.introduce(method.sequences(recipe))
        method.print_cost(recipe, table, gpus, jobs, threads)
        begin_runs(unprepared, table, job, method)
    return jobs, threads


def begin_runs(trainings: list[Training], cohort: pd.DataFrame, job, method: Method, report_all: bool = True) -> None:
    """Prepare a cohort for every run, then write all of them; says who is set aside, of each or else of the first."""
    for training in trainings:
        for sequence in method.sequences(training.recipe):
            require_sequence(cohort, sequence)
    said, begun = set(), []
    for training in trainings:
        table, errors = check_labels(cohort)
        require_labelled(table, errors, len(cohort))
        if method.takes_unlabelled(training.recipe):
            table, errors = keep_unlabelled(cohort, table, errors)
        prepared = prepare(table, errors, training.recipe, job, method)
        report = report_all or not begun
        if report or job.strict:
            report_exclusions(prepared.errors, len(cohort), job.strict)
        begun.append((training, prepared, make_splits(training.recipe, prepared.table)))
        if report:
            method.remark(prepared.table, said)
    print_shared_images(prepared.table)
    for training, prepared, splits in begun:
        published = method.paper.published.get(training.name, {})
        runs.begin_run(training.folder, training.key, published)
        write_subjects(training.folder, prepared.table, prepared.errors, method.sequences(training.recipe))
        write_table(method.measure(prepared.table), training.folder / runs.MEASURES)
        for slices in prepared.arrays:
            with written_whole(training.folder / runs.SLICES) as part, open(part, "wb") as file:
                np.savez(file, slices=slices, subjects=prepared.table["subject"].to_numpy(dtype=str))
        write_table(splits, training.folder / runs.SPLITS)  # last: it marks the run as prepared


def train_runs(trainings: list[Training], job, method: Method, jobs: int, threads: int) -> dict[str, Run]:
    """Train every split of every run that is not trained yet, and write the results of each run, by its name."""
    finished = {}
    train_split = partial(method.train_split, threads=threads) if threads > 1 else method.train_split
    for training in trainings:
        label = f"{display_name(training.name)}: " if method.several else ""
        train_splits(train_split, training.recipe, training.folder, jobs, job.quiet, label)
        with step(f"{label}drawing results", job.quiet):
            finished[training.name] = finish_run(training.folder)
    return finished


def prepare(table: pd.DataFrame, errors: list[InputError], recipe, job, method: Method) -> Prepared:
    """What the networks see of labelled subjects; the second of two with the same scan is set aside."""
    table, arrays, scan_errors = method.prepare(table, recipe, job.quiet)
    table, *arrays, copy_errors = set_copies_aside(table, *arrays)
    return Prepared(table, tuple(arrays), errors + scan_errors + copy_errors)


def prepare_external(trainings: list[Training], external: pd.DataFrame, job, method: Method) -> list[Prepared]:
    """What the networks of each run see of the second cohort, before any is trained; none of the run's own images."""
    said, tests = set(), []
    for training in trainings:
        prepared = prepare(*check_labels(external), training.recipe, job, method)
        method.remark(prepared.table, said)
        report_exclusions(prepared.errors, len(external))
        if prepared.table.empty:
            raise InputError("labelled subjects to test on", "none left", "The reasons stand above.")
        refuse_copies(training.folder, prepared.table, method.measure(prepared.table))
        tests.append(prepared)
    print_shared_images(prepared.table)
    return tests
