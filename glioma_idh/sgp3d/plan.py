"""The runs that a table of experiments needs: find finished ones and train the others in parallel."""

import contextlib
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from itertools import chain
from pathlib import Path

from glioma_idh import runs
from glioma_idh.errors import InputError
from glioma_idh.progress import in_words, progress, step
from glioma_idh.record import into
from glioma_idh.reporting.report import finish_run, write_experiment
from glioma_idh.runs.run import Run
from glioma_idh.sgp3d import resources
from glioma_idh.sgp3d.method import METHOD
from glioma_idh.sgp3d.paper import SEQUENCES, network_name
from glioma_idh.sgp3d.recipe import Recipe
from glioma_idh.training import device
from glioma_idh.training.cohort import TrainingCohort
from glioma_idh.training.job import Job
from glioma_idh.training.pipeline import Training, begin_runs, list_trainings, resolve
from glioma_idh.training.settings import with_whole_paths
from glioma_idh.training.splits import run_calls

MODEL: dict = {"network": "sgpnet", "targets": "both"}  # the other networks are compared with this one
TABLES: dict = {
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
CAUTIONS = {
    "table1": "The paper's results of Liang et al. and Chang et al. are on the patients of those papers. The"
    " sensitivity and specificity that the paper prints for SGPNet imply a PPV of 0.870 and an NPV of 0.917. The"
    " residual CNN reads slices that are chosen by the reference mask, also in the test sets.",
    "table2": "In the paper, SGPNet trained on IDH and lesion masks was clearly better than the other two. The numbers"
    " of the paper are not available here.",
    "detach-k": "The paper does not say whether the gradient includes the loss weight k.",
}
POLL_S = 2.0  # between two updates of the progress bar


def run_table(shared: Recipe, where) -> Path | None:
    """Train the missing runs of a table and write the table; returns its folder, or None after a dry run.

    Args:
        shared: settings that all runs have in common.
        where: the command line: which table, and where and how to train.
    """
    shared, where = with_whole_paths(shared, where)
    plan = make_plan(where.table, where.seeds, shared, where, where.runs_dir)
    left = [run for run in plan if not run.finished]
    print(f"{where.table}: {len(plan)} runs, {len(plan) - len(left)} of them finished")
    cohort = TrainingCohort(shared, where, SEQUENCES)
    if where.dry_run:
        print_plan(plan, where, cohort)
        return None
    if left:
        train_missing(left, where, cohort)
    with step(f"writing {where.table}", where.quiet):
        return write_table_of(plan, where)


def write_table_of(plan: list[Training], where) -> Path:
    """Write the table of finished runs, its figures and report; returns their folder."""
    out = where.out or where.runs_dir / f"{where.table}-{runs.recipe_hash({'runs': [run.key for run in plan]})}"
    into(out)
    networks = defaultdict(list)
    for run in plan:
        networks[run.name].append(Run(run.folder))
    model, caution = network_name(MODEL), CAUTIONS[where.table]
    baselines = [METHOD.baselines(Recipe(**MODEL), run.folder, where.quiet) for run in networks[model]]
    write_experiment(out, where.table, networks, model, caution, baselines, with_order=where.table == "table2")
    print(f"Everything is in {out}")
    return out


def make_plan(table: str, seeds: tuple[int, ...], shared: Recipe, job: Job, runs_dir: Path) -> list[Training]:
    """List every run of a table of TABLES, by network and seed. Existing runs are looked for in `runs_dir`."""
    if len(set(seeds)) != len(seeds) or not seeds:
        found = " ".join(map(str, seeds)) or "none"
        raise InputError("different seeds in --seeds", found, "Give each seed once.")
    plan = []
    for network in TABLES[table]:
        for seed in seeds:
            own = Recipe(**asdict(shared) | network | {"seed": seed})
            recipe, resolved, _ = resolve(own, replace(job, run_dir=None), METHOD)
            (training,) = list_trainings(recipe, resolved, METHOD)
            folder = _find_run(runs_dir, training.key) or runs_dir / training.folder.name
            if (folder / runs.RECIPE).exists():
                runs.read_recipe(folder)
            plan.append(training._replace(folder=folder))
    return plan


def _find_run(runs_dir: Path, key: dict) -> Path | None:
    """Find an existing run with this key; finished runs take precedence."""
    alike = []
    for file in sorted(runs_dir.glob(f"*/{runs.RECIPE}")):
        with contextlib.suppress(InputError):  # a run of another version
            if runs.as_read(METHOD.old_defaults) | runs.read_recipe(file.parent)["recipe"] == runs.as_read(key):
                alike.append(file.parent)
    return min(alike, key=lambda folder: not (folder / runs.METRICS).exists(), default=None)


def epochs_done(training: Training) -> int:
    """Count the saved epochs of all splits."""
    left = training.missing()
    histories = [runs.split_folder(training.folder, index) / runs.HISTORY for index in left]
    begun = sum(len(runs.read_table(history)) for history in histories if history.exists())
    return training.recipe.epochs * (training.recipe.num_splits - len(left)) + begun


def print_plan(plan: list[Training], job: Job, cohort: TrainingCohort) -> None:
    """Print the state of each run, and the time and memory that the missing trainings need."""
    for run in plan:
        state = "finished" if run.finished else f"{len(run.missing())} of {run.recipe.num_splits} splits to train"
        print(f"  {run.name}, seed {run.recipe.seed}: {state} ({run.folder})")
    recipe, num_left = plan[0].recipe, sum(len(run.missing()) for run in plan)
    if num_left == 0:
        return
    jobs, threads = device.share_processors(job.jobs, device.find_gpus(), num_left, METHOD.is_large(recipe))
    device.use_threads(threads)
    num_train = round(len(cohort.table) * (1 - 1 / max(2, recipe.num_splits)))
    gflops = resources.measured_gflops(recipe.dtype)
    seconds = sum(len(run.missing()) * resources.needed_seconds(run.recipe, num_train, gflops) for run in plan) / jobs
    memory = max(resources.needed_gb(run.recipe, jobs) for run in plan)
    print(f"{num_left} trainings, {jobs} in parallel: about {in_words(seconds)}, {memory:.1f} GB of memory")


def train_missing(left: list[Training], job: Job, cohort: TrainingCohort) -> None:
    """Begin all unfinished runs, so that errors show early; then train every split of every run."""
    device.require_tensorflow()
    gpus, recipe = device.find_gpus(), left[0].recipe
    num_trainings = sum(len(run.missing()) for run in left)
    jobs, threads = device.share_processors(job.jobs, gpus, num_trainings, METHOD.is_large(recipe))
    print(device.device_line(gpus, jobs, threads))
    if not gpus:
        for run in left:
            resources.check_memory(run.recipe, jobs)
    for run in left:
        if run.begun:
            METHOD.restore(run.recipe, run.folder, job.quiet)
    if new := [run for run in left if not run.begun]:
        begin_runs(new, cohort.checked_table(METHOD.sequences(recipe)), job, METHOD, report_all=False)
    calls = [(run.recipe, run.folder, index, True) for run in left for index in run.missing()]
    trained = run_calls(partial(METHOD.train_split, threads=threads), calls, jobs)
    with _one_bar(left, job.quiet):
        for _ in chain(
            [None], trained
        ):  # first without training: an earlier command may have stopped before writing results
            for run in left:
                if not run.finished and not run.missing():
                    finish_run(run.folder)
                    METHOD.baselines(run.recipe, run.folder, True)
                    if not job.quiet and not sys.stderr.isatty():
                        print(f"{run.name}, seed {run.recipe.seed}: finished", flush=True)


@contextlib.contextmanager
def _one_bar(left: list[Training], quiet: bool) -> Iterator[None]:
    """Show one progress bar over the epochs of all trainings, updated by a thread from the saved learning curves."""
    total, done = sum(run.recipe.epochs * run.recipe.num_splits for run in left), sum(map(epochs_done, left))
    bar = progress(total=total, dynamic_ncols=True, what=left[0].name, unit="epoch", initial=done, quiet=quiet)
    over = threading.Event()

    def move() -> None:
        bar.set_description(next((run.name for run in left if run.missing()), "done"), refresh=False)
        bar.update(sum(map(epochs_done, left)) - bar.n)

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
