"""The runs that a table needs: which are there, and the training of the rest, side by side under one bar."""

import contextlib
import sys
import threading
from dataclasses import asdict, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from glioma_idh import runs
from glioma_idh.errors import InputError
from glioma_idh.job import Job
from glioma_idh.progress import in_words, progress
from glioma_idh.sgp3d import train
from glioma_idh.sgp3d.recipe import PUBLISHED, Recipe

MODEL = {"network": "sgpnet", "targets": "both"}  # what the others are compared with
TABLES = {
    "table1": [
        {"network": "densenet3d", "targets": "idh"},
        {"network": "resnet2d", "targets": "idh"},
        {"network": "unet3d", "targets": "segmentation"},
        {"network": "sgpnet", "targets": "segmentation"},
        MODEL,
    ],
    "table2": [{"network": "sgpnet", "targets": "idh"}, MODEL, {"network": "sgpnet", "targets": "random-masks"}],
    "detach-k": [MODEL | {"detach_k": True}, MODEL],
}
POLL_S = 2.0  # between two looks at how far the trainings are


class Run(NamedTuple):
    """A run that a table needs.

    Attributes:
        name: of its network in the table.
        recipe: of the run.
        folder: that holds it, or will.
    """

    name: str
    recipe: Recipe
    folder: Path

    @property
    def finished(self) -> bool:
        """Whether its results are written."""
        return (self.folder / runs.METRICS).exists()

    def missing(self) -> list[int]:
        """Its splits that are not trained yet."""
        splits = [] if self.finished else range(self.recipe.num_splits)
        return [index for index in splits if not (runs.split_folder(self.folder, index) / runs.PREDICTIONS).exists()]

    @property
    def epochs(self) -> int:
        """Of all its splits."""
        return self.recipe.epochs * self.recipe.num_splits

    def epochs_done(self) -> int:
        """Epochs of all splits that a kill would not cost."""
        left = self.missing()
        histories = [runs.split_folder(self.folder, index) / runs.HISTORY for index in left]
        begun = sum(len(runs.read_table(history)) for history in histories if history.exists())
        return self.epochs - self.recipe.epochs * len(left) + begun


def make_plan(table: str, seeds: tuple[int, ...], shared: Recipe, job: Job, runs_dir: Path) -> list[Run]:
    """Every run of a table, network by network and seed by seed.

    Args:
        table: of TABLES.
        seeds: of each network.
        shared: what all runs have in common.
        job: which images and labels.
        runs_dir: where runs are looked for and made.

    Raises:
        InputError: a setting cannot be, or a run that is there is of an earlier version.
    """
    if len(set(seeds)) != len(seeds) or not seeds:
        found = " ".join(map(str, seeds)) or "none"
        raise InputError("different seeds in --seeds", found, "Give each once.")
    common = {name: value for name, value in asdict(shared).items() if name not in ("network", "targets", "detach_k")}
    plan = []
    for network in TABLES[table]:
        for seed in seeds:
            recipe, resolved = train.resolve(Recipe(**common | network | {"seed": seed}), replace(job, run_dir=None))
            folder = _find_run(runs_dir, train.identity(recipe, resolved)) or runs_dir / resolved.run_dir.name
            if (folder / runs.RECIPE).exists():
                runs.read_recipe(folder)
            plan.append(Run(train.shown_as(recipe), recipe, folder))
    return plan


def _find_run(runs_dir: Path, identity: dict) -> Path | None:
    """The folder of a run that is there already, a finished one first."""
    alike = []
    for file in sorted(runs_dir.glob("*/recipe.json")):
        with contextlib.suppress(InputError):  # not a run of this version
            if runs.as_read(train.FORMER) | runs.read_recipe(file.parent)["recipe"] == runs.as_read(identity):
                alike.append(file.parent)
    return min(alike, key=lambda folder: not (folder / runs.METRICS).exists(), default=None)


def print_plan(plan: list[Run], job: Job) -> None:
    """What is there, what would be trained, and about how long that would take."""
    from glioma_idh import pipeline, training
    from glioma_idh.sgp3d import resources

    for run in plan:
        state = "finished" if run.finished else f"{len(run.missing())} of {run.recipe.num_splits} splits to train"
        print(f"  {run.name}, seed {run.recipe.seed}: {state} ({run.folder})")
    recipe, num_left = plan[0].recipe, sum(len(run.missing()) for run in plan)
    if num_left == 0:
        return
    cohort = pipeline.read_training_cohort(recipe, job, train.SEQUENCES, quiet=True)
    jobs, threads = train.share_processors(recipe, job, training.find_gpus(), num_left)
    training.use_threads(threads)
    num_train = round(len(cohort) * (1 - 1 / max(2, recipe.num_splits)))
    gflops = resources.measured_gflops(recipe.dtype)
    seconds = sum(len(run.missing()) * resources.needed_seconds(run.recipe, num_train, gflops) for run in plan) / jobs
    memory = max(resources.needed_gb(run.recipe, jobs) for run in plan)
    print(f"{num_left} trainings, {jobs} at once: about {in_words(seconds)}, {memory:.1f} GB of memory")


def train_missing(left: list[Run], job: Job) -> None:
    """Prepare all runs, so that what is wrong shows first; then train every split of every run.

    Args:
        left: runs that are not finished.
        job: where and how; its folder plays no part.

    Raises:
        InputError: the input cannot be used, or memory will not do.
    """
    from glioma_idh import pipeline, training
    from glioma_idh.sgp3d import resources
    from glioma_idh.sgp3d.fit import train_split

    training.require_tensorflow()
    num_trainings = sum(len(run.missing()) for run in left)
    gpus = training.find_gpus()
    jobs, threads = train.share_processors(left[0].recipe, job, gpus, num_trainings)
    print(training.device_line(gpus, jobs, threads))
    if not gpus:
        for run in left:
            resources.check_memory(run.recipe, jobs)
    _prepare(left, job)
    calls = [(run.recipe, run.folder, index, True) for run in left for index in run.missing()]
    trained = pipeline.side_by_side(partial(train_split, threads=threads), calls, jobs)
    with _one_bar(left, job.quiet):
        for _ in chain([None], trained):  # before the first too: a kill may have come between training and results
            for run in left:
                if not run.finished and not run.missing():
                    _finish(run, job)


def _prepare(left: list[Run], job: Job) -> None:
    """The tables of each run, and its prepared scans."""
    from glioma_idh import pipeline

    cohort = None
    for run in left:
        if (run.folder / runs.SPLITS).exists():
            train.prepare_again(run.recipe, run.folder, job.quiet)
            continue
        if new := cohort is None:
            cohort = pipeline.read_training_cohort(run.recipe, job, train.SEQUENCES)
        train.begin_run(run.recipe, replace(job, run_dir=run.folder), cohort, report=new)


@contextlib.contextmanager
def _one_bar(left: list[Run], quiet: bool):
    """One bar over the epochs of all trainings, read from what they save while a thread looks every few seconds."""
    total, done = sum(run.epochs for run in left), sum(run.epochs_done() for run in left)
    shown = {"what": left[0].name, "unit": "epoch", "initial": done, "quiet": quiet}
    bar = progress(total=total, dynamic_ncols=True, **shown)
    over = threading.Event()

    def move() -> None:
        bar.set_description(next((run.name for run in left if run.missing()), "done"), refresh=False)
        bar.update(sum(run.epochs_done() for run in left) - bar.n)

    def watch() -> None:
        while not over.wait(POLL_S):
            move()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        move()
        bar.close()


def _finish(run: Run, job: Job) -> None:
    """Numbers, figures and baselines of a run whose splits are all trained."""
    from glioma_idh.papers import SGPNET
    from glioma_idh.reporting import results
    from glioma_idh.reporting.report import write_report

    results.write_results(run.name, run.folder, PUBLISHED, SGPNET)
    train.read_baselines(run.recipe, replace(job, run_dir=run.folder, quiet=True))
    write_report(run.folder)
    if not job.quiet and not sys.stderr.isatty():
        print(f"{run.name}, seed {run.recipe.seed}: finished", flush=True)
