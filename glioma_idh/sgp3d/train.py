"""Train and test SGPNet: python -m glioma_idh.sgp3d.train

With no cohort named it uses the built-in synthetic one and settings for a laptop; with one, the paper's. A command that
was killed goes on where it stopped; a finished one prints its table again.
"""

import sys
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from glioma_idh import runs
from glioma_idh.errors import InputError, ending_plainly
from glioma_idh.files import write_json, write_table
from glioma_idh.job import Job
from glioma_idh.progress import in_words, step
from glioma_idh.sgp3d.recipe import METHOD, PUBLISHED, Recipe, check_shape, check_targets, default_recipe, differences

NAMES = {
    ("sgpnet", "both"): "SGPNet",
    ("sgpnet", "segmentation"): "SGPNet, segmentation only",
    ("sgpnet", "idh"): "SGPNet, IDH only",
    ("sgpnet", "random-masks"): "SGPNet, random masks",
    ("unet3d", "segmentation"): "3D U-Net",
    ("densenet3d", "idh"): "Liang et al., 3D DenseNet",
    ("resnet2d", "idh"): "Chang et al., residual CNN",
}
SEQUENCES = ("t1", "t1gd", "t2", "flair")
FORMER = asdict(Recipe()) | {"method": 1}  # what settings were in runs that are older than they
del FORMER["split_seed"]  # it stands in no recipe.json where it is the seed
del FORMER["with_skull"]  # it stands in a recipe.json only where it is on


def train(recipe: Recipe, job: Job) -> dict:
    """Train and test one network a split, and leave everything in the run folder.

    Args:
        recipe: what is computed.
        job: where and how.

    Returns:
        The numbers, as in `metrics.json`.

    Raises:
        InputError: the input cannot be used; the message says why and what to do.
    """
    from glioma_idh import pipeline
    from glioma_idh.papers import SGPNET
    from glioma_idh.reporting import results
    from glioma_idh.resuming import find_run

    recipe, job = resolve(recipe, job)
    external = None if job.external is None else pipeline.read_external_cohort(recipe, job, SEQUENCES)
    finished = find_run(recipe, job, identity(recipe, job), FORMER)
    shared = None if finished else _begin(recipe, job)
    test = None if external is None else _prepare_external(external, recipe, job)
    if not finished:
        _train(recipe, job, *shared)
    name = shown_as(recipe)
    baselines = read_baselines(recipe, job)
    with step("drawing the report", job.quiet):
        metrics = results.compare_runs(job.run_dir, {name: job.run_dir}, PUBLISHED, not finished, SGPNET, baselines)
    if test is not None:
        _score_external(recipe, job, *test)
    print(f"Everything is in {job.run_dir}")
    return metrics[name]


def identity(recipe: Recipe, job: Job) -> dict:
    """What makes two runs the same run."""
    from glioma_idh import pipeline

    return pipeline.identity("sgp3d", recipe, job) | {"method": METHOD}


def resolve(recipe: Recipe, job: Job) -> tuple[Recipe, Job]:
    """Whole paths, settings that can be, and the default run folder."""
    from glioma_idh import pipeline

    recipe, job = pipeline.with_whole_paths(recipe, job)
    pipeline.check_settings(recipe, job)
    check_shape(recipe.shape)
    check_targets(recipe)
    if job.run_dir is None:
        job = replace(job, run_dir=pipeline.default_run_dir("sgp3d", [], recipe, job))
    return recipe, job


def shown_as(recipe: Recipe) -> str:
    """The name of the network in tables: Table 1's, where it has one."""
    return NAMES[recipe.network, recipe.targets] + (", k held constant" if recipe.detach_k else "")


def _begin(recipe: Recipe, job: Job) -> tuple[int, int]:
    """Say where, on whom and how it trains, and prepare the scans.

    Returns:
        How many trainings at once, and the threads of each.
    """
    from glioma_idh import pipeline, training

    training.require_tensorflow()
    gpus = training.find_gpus()
    jobs, threads = share_processors(recipe, job, gpus)
    print(training.device_line(gpus, jobs, threads))
    synthetic = " (built in, synthetic: no clinical result can come of it)" if recipe.cohort == "phantom" else ""
    print(f"Cohort: {recipe.cohort}{synthetic}")
    print("\n".join(["Differs from the paper:", *(f"  {line}" for line in differences(recipe))]))
    folder = job.run_dir
    if not (folder / runs.SPLITS).exists():
        cohort = pipeline.read_training_cohort(recipe, job, SEQUENCES)
        _print_cost(recipe, int((cohort[list(SEQUENCES)] != "").all(axis=1).sum()), gpus, jobs, threads)
        begin_run(recipe, job, cohort)
    else:
        prepare_again(recipe, folder, job.quiet)
    return jobs, threads


def _train(recipe: Recipe, job: Job, jobs: int, threads: int) -> None:
    """Every split that is not trained yet."""
    from glioma_idh import pipeline
    from glioma_idh.papers import SGPNET
    from glioma_idh.reporting import results
    from glioma_idh.sgp3d.fit import train_split

    pipeline.train_splits(partial(train_split, threads=threads), recipe, job.run_dir, jobs, job.quiet)
    with step("drawing results", job.quiet):
        results.write_results(shown_as(recipe), job.run_dir, PUBLISHED, SGPNET)


def read_baselines(recipe: Recipe, job: Job) -> dict:
    """Scores of answers that need no network; kept in the run folder, and made where they are not there yet."""
    file = job.run_dir / runs.BASELINES
    if not file.exists():
        from glioma_idh.sgp3d.baselines import baselines_of_run

        write_json(baselines_of_run(job.run_dir, recipe.targets, job.quiet), file)
    return runs.read_json(file)


def share_processors(recipe: Recipe, job: Job, gpus: list, num_trainings: int | None = None) -> tuple[int, int]:
    """How many trainings at once, by default of one run, and the threads of each."""
    from joblib import cpu_count

    from glioma_idh import training
    from glioma_idh.sgp3d.fit import is_large

    jobs = job.jobs or (
        1 if is_large(recipe.shape) else training.default_jobs(gpus, num_trainings or recipe.num_splits)
    )
    return jobs, 1 if not is_large(recipe.shape) else max(1, cpu_count() // jobs)


def _print_cost(recipe: Recipe, num_subjects: int, gpus: list, jobs: int, threads: int) -> None:
    """Memory and time that the training will take here; stops where memory will not do."""
    from glioma_idh import training
    from glioma_idh.sgp3d import resources

    memory = f"about {resources.needed_gb(recipe, jobs):.1f} GB of memory"
    if gpus:
        print(f"Estimate: {memory}")
        return
    resources.check_memory(recipe, jobs)
    training.use_threads(threads)  # before the speed is measured: with --jobs 1 this process trains as well
    num_train = round(num_subjects * (1 - 1 / max(2, recipe.num_splits)))
    rounds = -(-recipe.num_splits // jobs)
    seconds = rounds * resources.needed_seconds(recipe, num_train, resources.measured_gflops(recipe.dtype))
    print(f"Estimate: {memory} of {resources.free_gb():.1f} GB free, about {in_words(seconds)}")


def begin_run(recipe: Recipe, job: Job, cohort, report: bool = True) -> None:
    """Prepare a cohort and write a new run's tables: its recipe, who is used, who is not and why, the splits.

    Args:
        recipe: of the run.
        job: where; its folder is the run's.
        cohort: table.
        report: print who is set aside.
    """
    from glioma_idh import departures, pipeline
    from glioma_idh.sgp3d.cache import measure_cohort

    table, splits, errors = _prepare(recipe, job, cohort, report)
    runs.begin_run(job.run_dir, identity(recipe, job), PUBLISHED.get(shown_as(recipe), {}))
    pipeline.write_subjects(job.run_dir, table, errors, list(SEQUENCES))
    write_table(measure_cohort(table), job.run_dir / departures.FILE)
    write_table(splits, job.run_dir / runs.SPLITS)  # last: it marks the run as prepared


def _prepare(recipe: Recipe, job: Job, cohort, report: bool):
    """Who is used, the splits, and who is set aside."""
    from glioma_idh import pipeline
    from glioma_idh.cohorts.checks.copies import set_copies_aside
    from glioma_idh.cohorts.table import check_labels, keep_unlabelled, require_sequence
    from glioma_idh.sgp3d.cache import print_mask_remarks, store_cohort

    for sequence in SEQUENCES:
        require_sequence(cohort, sequence)
    table, errors = check_labels(cohort)
    pipeline.require_labelled(table, errors, len(cohort))
    if recipe.targets in ("both", "segmentation"):  # who has no label can still teach segmentation
        table, errors = keep_unlabelled(cohort, table, errors)
    table, scan_errors = store_cohort(table, recipe.shape, quiet=job.quiet, with_skull=recipe.with_skull)
    table, copy_errors = set_copies_aside(table)
    errors = errors + scan_errors + copy_errors
    if report or job.strict:
        pipeline.report_exclusions(errors, len(cohort), job.strict)
    if report:
        print_mask_remarks(table)
    return table, pipeline.make_splits(recipe, table), errors


def prepare_again(recipe: Recipe, folder: Path, quiet: bool) -> None:
    """Make again what the cache has lost of a run that has begun.

    Raises:
        InputError: a file has changed since.
    """
    from glioma_idh.sgp3d.cache import restore_cohort

    former = runs.read_table(folder / runs.COHORT)
    table = restore_cohort(former, recipe.shape, folder, quiet, recipe.with_skull)
    write_table(table, folder / runs.COHORT)


def _prepare_external(external, recipe: Recipe, job: Job):
    """Who of the second cohort is tested, and who is set aside, before any network is trained.

    Raises:
        InputError: nobody is left to test on, or a scan is one of the run's own.
    """
    from glioma_idh import pipeline
    from glioma_idh.cohorts.checks.copies import set_copies_aside
    from glioma_idh.cohorts.table import check_labels
    from glioma_idh.sgp3d.cache import measure_cohort, print_mask_remarks, store_cohort

    table, label_errors = check_labels(external)
    table, scan_errors = store_cohort(table, recipe.shape, quiet=job.quiet, with_skull=recipe.with_skull)
    print_mask_remarks(table)
    table, copy_errors = set_copies_aside(table)
    errors = label_errors + scan_errors + copy_errors
    pipeline.report_exclusions(errors, len(external))
    if table.empty:
        raise InputError("labelled subjects to test on", "none left", "The reasons stand above.")
    pipeline.refuse_copies(job.run_dir, table, measure_cohort(table))
    return table, errors


def _score_external(recipe: Recipe, job: Job, table, errors: list[InputError]) -> None:
    """The networks on the second cohort."""
    from glioma_idh import pipeline
    from glioma_idh.papers import SGPNET
    from glioma_idh.reporting import results
    from glioma_idh.sgp3d.inference import input_shape, predictions_table
    from glioma_idh.training import load_networks

    networks = load_networks(job.run_dir, input_shape(recipe), recipe.outputs)
    with step("predicting the second cohort", job.quiet):
        predictions = predictions_table(table, networks, job.run_dir, recipe.learns)
    folder = job.run_dir / runs.EXTERNAL / pipeline.external_name(job)
    results.write_external(shown_as(recipe), folder, table, predictions, errors, SGPNET)


def main() -> None:
    """The command line."""
    import tyro

    default = default_recipe(named("--cohort", "phantom"), named("--network", "sgpnet"))

    def command(recipe: Recipe = default, job: Job = Job()) -> tuple[Recipe, Job]:  # noqa: B008
        return recipe, job

    config = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)
    recipe, job = tyro.cli(command, prog="python -m glioma_idh.sgp3d.train", description=__doc__, config=config)
    with ending_plainly():
        train(recipe, job)


def named(flag: str, default: str) -> str:
    """What stands behind a flag on the command line, where the other settings' defaults follow from it."""
    for argument, following in zip(sys.argv[1:], [*sys.argv[2:], ""], strict=True):
        if argument == flag and following:
            return following
        if argument.startswith(f"{flag}="):
            return argument.removeprefix(f"{flag}=")
    return default


if __name__ == "__main__":
    main()
