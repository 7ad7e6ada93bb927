"""A training from settings to results, the same for both papers. `train` lists the steps in order."""

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
from glioma_idh.training.job import Job
from glioma_idh.training.settings import check_settings, default_run_dir, external_name, run_key, with_whole_paths
from glioma_idh.training.splits import make_splits, train_splits


@dataclass(frozen=True)
class Method:
    """The steps of a training that differ between the papers, as functions. `table` is a cohort table."""

    paper: Paper
    resolve: Callable  # (recipe, cohort) -> recipe with internal sequence names. InputError: an invalid setting
    divide: Callable  # (recipe) -> list of recipes, one for each run of the command
    sequences: Callable  # (recipe) -> internal names of the sequences that every subject must have
    prepare: Callable  # (table, recipe, quiet) -> table of usable subjects, arrays to keep in the run, errors of others
    print_remarks: Callable  # (table, reported) -> None; prints remarks on the images not yet in the set `reported`
    measure: Callable  # (table) -> image measures, one row per subject
    train_split: Callable  # (recipe, folder, index, quiet[, threads]) -> index
    predict: Callable  # (recipe, folder, NetworkInput, quiet) -> predictions table of other subjects
    folder_names: Callable = lambda recipe: []  # parts of the name of the default run folder
    describe: Callable = lambda recipe: []  # (recipe) -> lines to print first. InputError: cannot be trained here
    is_large: Callable = lambda recipe: False  # whether one training uses all processors
    print_cost: Callable = lambda *_: None  # (recipe, table, gpus, jobs, threads). InputError: not enough memory
    takes_unlabelled: Callable = lambda recipe: False  # whether subjects without IDH status are used for training
    restore: Callable = lambda *_: None  # (recipe, folder, quiet); rebuilds cached files that a run has lost
    baselines: Callable = lambda *_: None  # (recipe, folder, quiet) -> scores of simple baselines
    several: bool = False  # whether one command may train several runs, which printed lines then name
    key: dict = field(default_factory=dict)  # added to the run key, beside the settings
    old_defaults: dict = field(default_factory=dict)  # values of settings that old run folders do not store


class Training(NamedTuple):
    """One run of a training command, finished or not."""

    name: str  # of the network, or internal name of the sequence
    recipe: Any
    folder: Path  # the run folder, which need not exist yet
    key: dict  # the run key

    @property
    def finished(self) -> bool:
        """Whether the results are written."""
        return (self.folder / runs.METRICS).exists()

    @property
    def begun(self) -> bool:
        """Whether the subjects and splits are written."""
        return (self.folder / runs.SPLITS).exists()

    def missing(self) -> list[int]:
        """Return the indices of the splits that are not trained yet."""
        splits = [] if self.finished else range(self.recipe.num_splits)
        return [index for index in splits if not (runs.split_folder(self.folder, index) / runs.PREDICTIONS).exists()]


class NetworkInput(NamedTuple):
    """The subjects of a cohort, preprocessed for a network."""

    table: pd.DataFrame  # cohort table of the subjects used
    arrays: tuple[np.ndarray, ...]  # kept in the run folder, one row per subject
    errors: list[InputError]  # one per excluded subject


def train(recipe: Any, job: Job, method: Method) -> dict[str, Path]:
    """Train and test one network per run and split, and write all results into the run folders.

    The steps: check settings and cohorts, preprocess and split, train every split, write results and report, test on
    the external cohort. Steps that are already done are skipped.

    Returns:
        The folder of each run, by the name of its sequence or network.
    """
    recipe, job, cohort = resolve(recipe, job, method)
    trainings = list_trainings(recipe, job, method)
    external = None if job.external is None else read_external_cohort(cohort, method.sequences(recipe))
    if len(trainings) > 1 and (job.run_dir / runs.RECIPE).exists():
        expected, found = "a folder for several runs", "the folder of a single run"
        advice = "Choose another --run-dir; a subfolder is made in it for each sequence."
        raise InputError(expected, found, advice, file=job.run_dir)
    for training in trainings:
        refuse_changed_labels(training.folder, training.key, cohort, method.old_defaults)
    unfinished = [each for each in trainings if not runs.find_run(each.folder, each.key, method.old_defaults)]
    for folder in {job.run_dir, *(training.folder for training in trainings)}:
        record.into(folder, will_write=bool(unfinished))
    jobs, threads = begin(unfinished, recipe, job, method, cohort) if unfinished else (1, 1)
    tests = [] if external is None else prepare_external(trainings, external, job, method)
    finished = train_runs(unfinished, job, method, jobs, threads)
    folders = {training.name: training.folder for training in trainings}
    baselines = method.baselines(recipe, job.run_dir, job.quiet)
    with step("drawing the report", job.quiet):
        compare_runs(job.run_dir, folders, finished, baselines)
    for training, inputs in zip(trainings, tests, strict=False):
        predictions = method.predict(training.recipe, training.folder, inputs, job.quiet)
        write_external(training.folder, external_name(job), inputs.table, predictions, inputs.errors)
    print(f"Everything is in {job.run_dir}")
    return folders


def resolve(recipe: Any, job: Job, method: Method) -> tuple[Any, Job, TrainingCohort]:
    """Check the settings; return recipe and job with internal names and absolute paths, and the training cohort."""
    recipe, job = with_whole_paths(recipe, job)
    check_settings(recipe, job)
    cohort = TrainingCohort(recipe, job)
    recipe = method.resolve(recipe, cohort)
    cohort.sequences = method.sequences(recipe)
    if job.run_dir is None:
        job = replace(job, run_dir=default_run_dir(method.paper.name, method.folder_names(recipe), recipe, job))
    return recipe, job, cohort


def list_trainings(recipe: Any, job: Job, method: Method) -> list[Training]:
    """List the runs of a command. If there are several, each has a subfolder of `job.run_dir`."""
    recipes, trainings = method.divide(recipe), []
    for own in recipes:
        name = method.paper.call(asdict(own))
        folder = job.run_dir if len(recipes) == 1 else job.run_dir / name
        trainings.append(Training(name, own, folder, run_key(method.paper.name, own, job) | method.key))
    return trainings


def begin(trainings: list[Training], recipe: Any, job: Job, method: Method, cohort: TrainingCohort) -> tuple[int, int]:
    """Print device, cohort and settings, and begin the runs that are not begun yet; returns `jobs` and `threads`."""
    lines, gpus = method.describe(recipe), device.find_gpus()
    jobs, threads = device.share_processors(job.jobs, gpus, recipe.num_splits, method.is_large(recipe))
    print(device.device_line(gpus, jobs, threads))
    note = " (the built-in synthetic cohort: results have no clinical meaning)" if recipe.cohort == "phantom" else ""
    print("\n".join([f"Cohort: {recipe.cohort}{note}", *lines]))
    for training in trainings:
        if training.begun:
            method.restore(training.recipe, training.folder, job.quiet)
    if new := [training for training in trainings if not training.begun]:
        table = cohort.checked_table(method.sequences(recipe))
        method.print_cost(recipe, table, gpus, jobs, threads)
        begin_runs(new, table, job, method)
    return jobs, threads


def begin_runs(
    trainings: list[Training], cohort: pd.DataFrame, job: Job, method: Method, report_all: bool = True
) -> None:
    """Preprocess and split the cohort for every run, then write all run folders.

    Nothing is written unless the cohort can be used for all runs. Excluded subjects are reported for every run, or,
    without `report_all`, for the first only.
    """
    for training in trainings:
        for sequence in method.sequences(training.recipe):
            require_sequence(cohort, sequence)
    reported, begun = set(), []
    for training in trainings:
        table, errors = check_labels(cohort)
        require_labelled(table, errors, len(cohort))
        if method.takes_unlabelled(training.recipe):
            table, errors = keep_unlabelled(cohort, table, errors)
        inputs = prepare(table, errors, training.recipe, job, method)
        report = report_all or not begun
        if report or job.strict:
            report_exclusions(inputs.errors, len(cohort), job.strict)
        begun.append((training, inputs, make_splits(training.recipe, inputs.table)))
        if report:
            method.print_remarks(inputs.table, reported)
    print_shared_images(inputs.table)
    for training, inputs, splits in begun:
        published = method.paper.published.get(training.name, {})
        runs.begin_run(training.folder, training.key, published)
        write_subjects(training.folder, inputs.table, inputs.errors, method.sequences(training.recipe))
        write_table(method.measure(inputs.table), training.folder / runs.MEASURES)
        for slices in inputs.arrays:
            with written_whole(training.folder / runs.SLICES) as part, open(part, "wb") as file:
                np.savez(file, slices=slices, subjects=inputs.table["subject"].to_numpy(dtype=str))
        write_table(splits, training.folder / runs.SPLITS)  # last: it marks the run as begun


def train_runs(trainings: list[Training], job: Job, method: Method, jobs: int, threads: int) -> dict[str, Run]:
    """Train all splits that are not trained yet and write the results of each run; returns the runs by name."""
    finished = {}
    train_split = partial(method.train_split, threads=threads) if threads > 1 else method.train_split
    for training in trainings:
        label = f"{display_name(training.name)}: " if method.several else ""
        train_splits(train_split, training.recipe, training.folder, jobs, job.quiet, label)
        with step(f"{label}writing results", job.quiet):
            finished[training.name] = finish_run(training.folder)
    return finished


def prepare(table: pd.DataFrame, errors: list[InputError], recipe: Any, job: Job, method: Method) -> NetworkInput:
    """Preprocess the subjects of a table. If two subjects have the same scan, the second is excluded.

    Both are excluded if their IDH labels contradict each other.
    """
    table, arrays, scan_errors = method.prepare(table, recipe, job.quiet)
    table, *arrays, copy_errors = set_copies_aside(table, *arrays)
    return NetworkInput(table, tuple(arrays), errors + scan_errors + copy_errors)


def prepare_external(trainings: list[Training], external: pd.DataFrame, job: Job, method: Method) -> list[NetworkInput]:
    """Preprocess the external cohort for each run, before any training, so that errors show early.

    An InputError where no subject is left, or where an image is also in the training cohort.
    """
    reported, tests = set(), []
    for training in trainings:
        inputs = prepare(*check_labels(external), training.recipe, job, method)
        method.print_remarks(inputs.table, reported)
        report_exclusions(inputs.errors, len(external))
        if inputs.table.empty:
            raise InputError("labelled subjects in the external cohort", "none left", "The reasons are listed above.")
        refuse_copies(training.folder, inputs.table, method.measure(inputs.table))
        tests.append(inputs)
    print_shared_images(inputs.table)
    return tests
