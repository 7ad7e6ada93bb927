"""The paper's experiments, on the same folds: python -m glioma_idh.sgp3d.experiments table1 | table2 | detach-k

table1: SGPNet, both tasks and segmentation alone, beside 3D U-Net, 3D DenseNet and a residual CNN. table2: what is
learnt beside the genotype, nothing, the lesion or random masks, with the paper's Figure 4. detach-k: the loss with its
weight k held constant. Runs what is not there yet, then writes the table; a command that was killed goes on where it
stopped.
"""

import contextlib
import sys
import threading
from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import tyro

from glioma_idh.errors import InputError
from glioma_idh.job import Job
from glioma_idh.sgp3d import train
from glioma_idh.sgp3d.recipe import PUBLISHED, Recipe, default_recipe

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
CAUTIONS = {
    "table1": "The paper's rows of Liang et al. and Chang et al. are of those papers' own patients.",
    "table2": "The paper finds SGPNet, which learns the masks too, well ahead of the other two; its numbers we lack.",
    "detach-k": "The paper does not say whether k takes part in the gradient.",
}
POLL_S = 2.0  # between two looks at how far the trainings are


@dataclass(frozen=True)
class Shared(Recipe):
    """What all runs of a table have in common; see `train --help`."""

    targets: tyro.conf.Suppress[str] = "both"
    network: tyro.conf.Suppress[str] = "sgpnet"
    detach_k: tyro.conf.Suppress[bool] = False
    seed: tyro.conf.Suppress[int] = 0


@dataclass(frozen=True)
class Where(Job):
    """Which table, where and how."""

    table: Annotated[Literal["table1", "table2", "detach-k"], tyro.conf.Positional] = tyro.MISSING
    """Which of the paper's experiments."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Each a whole cross-validation: its own folds, weights and order, the same for every network."""
    runs_dir: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("runs")
    """Where runs are looked for and made; a finished run of the same recipe is used, whatever its folder's name."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Where table and figures go; by default RUNS_DIR/ and a name made of the table and the recipes."""
    dry_run: bool = False
    """Print what would be trained and about how long it would take, and stop."""
    external: tyro.conf.Suppress[None] = None
    external_images: tyro.conf.Suppress[None] = None
    external_labels: tyro.conf.Suppress[None] = None
    run_dir: tyro.conf.Suppress[None] = None


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
        return (self.folder / "metrics.json").exists()

    def split_folder(self, index: int) -> Path:
        """Of a split, counted from 0."""
        return self.folder / f"split_{index}"

    def missing(self) -> list[int]:
        """Its splits that are not trained yet."""
        splits = [] if self.finished else range(self.recipe.num_splits)
        return [index for index in splits if not (self.split_folder(index) / "predictions.csv").exists()]

    @property
    def epochs(self) -> int:
        """Of all its splits."""
        return self.recipe.epochs * self.recipe.num_splits

    def epochs_done(self) -> int:
        """Epochs of all splits that a kill would not cost."""
        from glioma_idh.runs import read_table

        left = self.missing()
        histories = [self.split_folder(index) / "history.csv" for index in left]
        begun = sum(len(read_table(history)) for history in histories if history.exists())
        return self.epochs - self.recipe.epochs * len(left) + begun


def run_table(shared: Recipe, where: Where) -> Path | None:
    """Train what a table needs and is not there, and write the table.

    Args:
        shared: what all its runs have in common.
        where: which table, where and how.

    Returns:
        The folder of the table; None after a dry run.

    Raises:
        InputError: the input cannot be used, or the runs cannot be compared; it says why and what to do.
    """
    from glioma_idh import pipeline

    shared, where = pipeline.with_whole_paths(shared, where)
    plan = make_plan(shared, where)
    left = [run for run in plan if not run.finished]
    print(f"{where.table}: {len(plan)} runs, {len(plan) - len(left)} of them finished")
    if where.dry_run:
        _print_plan(plan, where)
        return None
    if left:
        _train_missing(left, where)
    return _write(plan, where)


def make_plan(shared: Recipe, where: Where) -> list[Run]:
    """Every run of a table, network by network and seed by seed.

    Raises:
        InputError: a setting cannot be.
    """
    from glioma_idh import pipeline

    if len(set(where.seeds)) != len(where.seeds) or not where.seeds:
        found = " ".join(map(str, where.seeds)) or "none"
        raise InputError("different seeds in --seeds", found, "Give each once.")
    common = {name: value for name, value in asdict(shared).items() if name not in ("network", "targets", "detach_k")}
    plan = []
    for network in TABLES[where.table]:
        for seed in where.seeds:
            recipe, job = train.resolve(Recipe(**common | network | {"seed": seed}), replace(where, run_dir=None))
            identity = pipeline.identity("sgp3d", recipe, job)
            folder = _find_finished(where.runs_dir, identity) or where.runs_dir / job.run_dir.name
            plan.append(Run(train.shown_as(recipe), recipe, folder))
    return plan


def _find_finished(runs_dir: Path, identity: dict) -> Path | None:
    """The folder of a finished run; a setting that is younger than the run was as it is by default."""
    from glioma_idh import runs

    for file in sorted(runs_dir.glob("*/recipe.json")):
        former = runs.as_read(asdict(Recipe())) | runs.read_json(file).get("recipe", {})
        if former == runs.as_read(identity) and (file.parent / "metrics.json").exists():
            return file.parent
    return None


def _print_plan(plan: list[Run], where: Where) -> None:
    """What is there, what would be trained, and about how long that would take."""
    from glioma_idh import pipeline, training
    from glioma_idh.sgp3d import resources

    for run in plan:
        state = "finished" if run.finished else f"{len(run.missing())} of {run.recipe.num_splits} splits to train"
        print(f"  {run.name}, seed {run.recipe.seed}: {state} ({run.folder})")
    recipe, num_left = plan[0].recipe, sum(len(run.missing()) for run in plan)
    if num_left == 0:
        return
    cohort = pipeline.read_training_cohort(recipe, where, train.SEQUENCES, quiet=True)
    jobs, threads = train.share_processors(recipe, where, training.find_gpus(), num_left)
    num_train = round(len(cohort) * (1 - 1 / max(2, recipe.num_splits)))
    gflops = resources.measured_gflops(threads)
    seconds = sum(len(run.missing()) * resources.needed_seconds(run.recipe, num_train, gflops) for run in plan) / jobs
    memory = max(resources.needed_gb(run.recipe, jobs) for run in plan)
    print(f"{num_left} trainings, {jobs} at once: about {resources.in_words(seconds)}, {memory:.1f} GB of memory")


def _train_missing(left: list[Run], where: Where) -> None:
    """Prepare all runs, so that what is wrong shows first; then train every split of every run."""
    from glioma_idh import training
    from glioma_idh.sgp3d import resources

    training.require_tensorflow()
    num_trainings = sum(len(run.missing()) for run in left)
    jobs, threads = train.share_processors(left[0].recipe, where, training.find_gpus(), num_trainings)
    print(training.device_line(training.find_gpus(), jobs, threads))
    for run in left:
        resources.check_memory(run.recipe, jobs)
    _prepare(left, where)
    for run in _trained(left, jobs, threads, where.quiet):
        _finish(run, where)


def _prepare(left: list[Run], where: Where) -> None:
    """The tables of each run, and its prepared scans."""
    from glioma_idh import pipeline

    cohort = None
    for run in left:
        if (run.folder / "splits.csv").exists():
            train.prepare_again(run.recipe, run.folder, where.quiet)
            continue
        if new := cohort is None:
            cohort = pipeline.read_training_cohort(run.recipe, where, train.SEQUENCES)
        train.begin_run(run.recipe, replace(where, run_dir=run.folder), cohort, report=new)


def _trained(left: list[Run], jobs: int, threads: int, quiet: bool):
    """Train the splits of all runs, side by side; yields each run once its last one is trained."""
    import os
    from functools import partial

    from glioma_idh.pipeline import side_by_side
    from glioma_idh.sgp3d.fit import train_split

    by_folder = {run.folder: run for run in left}
    calls = [(run.recipe, run.folder, index, True, os.getpid()) for run in left for index in run.missing()]
    waiting = {run.folder: len(run.missing()) for run in left}
    yield from (run for run in left if not waiting[run.folder])
    with _one_bar(left, quiet):
        for folder in side_by_side(partial(_train_split, threads=threads, train=train_split), calls, jobs):
            waiting[folder] -= 1
            if not waiting[folder]:
                yield by_folder[folder]


def _train_split(recipe, folder: Path, index: int, quiet: bool, parent: int, threads: int, train) -> Path:
    """One split of one run; returns the run's folder, by which it is known again."""
    train(recipe, folder, index, quiet, parent, threads=threads)
    return folder


@contextlib.contextmanager
def _one_bar(left: list[Run], quiet: bool):
    """One bar over the epochs of all trainings, read from what they save while a thread looks every few seconds."""
    from tqdm import tqdm

    total, done = sum(run.epochs for run in left), sum(run.epochs_done() for run in left)
    bar = tqdm(total=total, initial=done, unit="epoch", dynamic_ncols=True, disable=quiet or None)
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


def _finish(run: Run, where: Where) -> None:
    """Numbers, figures and baselines of a run whose splits are all trained."""
    from glioma_idh.reporting import results
    from glioma_idh.reporting.printed import SGPNET

    results.write_results(run.name, run.folder, PUBLISHED, SGPNET)
    train.read_baselines(run.recipe, replace(where, run_dir=run.folder, quiet=True))
    if not where.quiet and not sys.stderr.isatty():
        print(f"{run.name}, seed {run.recipe.seed}: finished", flush=True)


def _write(plan: list[Run], where: Where) -> Path:
    """The table of finished runs, and its figures."""
    import pandas as pd

    from glioma_idh import runs
    from glioma_idh.reporting import comparison
    from glioma_idh.reporting.canvas import save_figure
    from glioma_idh.reporting.printed import SGPNET
    from glioma_idh.reporting.roc_bands import roc_with_bands

    folders = defaultdict(list)
    for run in plan:
        folders[run.name].append(run.folder)
    model = train.shown_as(Recipe(**MODEL))
    networks = comparison.read_networks(folders)
    numbers = comparison.summarise_networks(networks, folders, SGPNET)
    comparisons = comparison.compare_networks(networks, model)
    baselines = train.read_baselines(Recipe(**MODEL), replace(where, run_dir=folders[model][0]))
    table = comparison.comparison_table(numbers, comparisons, model, PUBLISHED, SGPNET, baselines)
    recipes = {"recipes": [asdict(run.recipe) for run in plan], "images": str(where.images)}
    out = where.out or where.runs_dir / f"{where.table}-{runs.recipe_hash(recipes)}"

    caption = " ".join([*comparison.notes(numbers, baselines), CAUTIONS[where.table]])
    comparison.write_table(table, out, where.table, caption)
    by_network = [predictions.assign(network=name) for name, predictions in networks.items()]
    runs.write_table(pd.concat(by_network), out / "predictions.csv")
    scored = {name: predictions for name, predictions in networks.items() if "auc" in numbers[name]["pooled"]}
    points = {name: (1 - row["specificity"], row["sensitivity"]) for name, row in baselines.items() if "auc" in row}
    roc = roc_with_bands(scored, marks=points, synthetic=numbers[model]["synthetic"])
    save_figure(roc, out / "figures", "roc")
    order = [comparison.order_text(numbers, pairs, model, score) for score, pairs in comparisons.items() if pairs]
    runs.write_json({"numbers": numbers, "comparisons": comparisons, "order": order}, out / "metrics.json")
    print(comparison.comparison_text(table, numbers, baselines))
    print("\n".join([CAUTIONS[where.table], *order, f"Everything is in {out}"]))
    return out


def main() -> None:
    """The command line."""
    cohort = train.named("--cohort", "phantom")
    start = asdict(default_recipe(cohort)) | {"shape": default_recipe(cohort).shape}

    def command(where: Where, shared: Shared = Shared(**start)) -> tuple[Recipe, Where]:
        return shared, where

    config = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)
    shared, where = tyro.cli(command, prog="python -m glioma_idh.sgp3d.experiments", description=__doc__, config=config)
    try:
        run_table(shared, where)
    except InputError as error:
        sys.exit(f"Cannot go on: {error}")


if __name__ == "__main__":
    main()
