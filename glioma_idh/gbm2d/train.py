"""Train and test the slice CNN: python -m glioma_idh.gbm2d.train --sequence rCBV

With no images named it uses the built-in synthetic cohort. A command that was killed goes on where it stopped; a
finished one prints its table again.
"""

from dataclasses import replace
from pathlib import Path

from glioma_idh import runs
from glioma_idh.errors import InputError, ending_plainly
from glioma_idh.files import write_table
from glioma_idh.gbm2d.recipe import PUBLISHED, Recipe
from glioma_idh.job import Job
from glioma_idh.progress import step


def train(recipe: Recipe, job: Job) -> dict[str, dict]:
    """Train and test one network a sequence and split, and leave everything in the run folder.

    Args:
        recipe: what is computed.
        job: where and how.

    Returns:
        The numbers of each sequence, by inside name, as in its `metrics.json`.

    Raises:
        InputError: the input cannot be used; the message says why and what to do.
    """
    from glioma_idh import pipeline
    from glioma_idh.reporting import results
    from glioma_idh.resuming import find_run

    recipe, job = _resolve(recipe, job)
    folders = _run_folders(recipe, job)
    external = None if job.external is None else pipeline.read_external_cohort(recipe, job, recipe.sequence)
    if len(folders) > 1 and (job.run_dir / runs.RECIPE).exists():
        advice = "Name another --run-dir; each sequence gets a folder in it."
        raise InputError("a folder for several runs", "one run of its own", advice, file=job.run_dir)
    identities = {s: pipeline.identity("gbm2d", replace(recipe, sequence=(s,)), job) for s in folders}
    unfinished = {
        sequence: folder
        for sequence, folder in folders.items()
        if not find_run(recipe, replace(job, run_dir=folder), identities[sequence])
    }
    if unfinished:
        _begin_sequences(recipe, job, unfinished, identities)
    tests = {} if external is None else _prepare_external(folders, external, recipe, job)
    if unfinished:
        _train_sequences(recipe, job, unfinished)
    with step("drawing the report", job.quiet):
        metrics = results.compare_runs(job.run_dir, folders, PUBLISHED, new=bool(unfinished))
    for sequence, test in tests.items():
        _score_external(sequence, folders[sequence], job, *test)
    print(f"Everything is in {job.run_dir}")
    return metrics


def _resolve(recipe: Recipe, job: Job) -> tuple[Recipe, Job]:
    """Inside names for what people typed, whole paths, and the default run folder."""
    from glioma_idh import pipeline
    from glioma_idh.cohorts.table import SEQUENCES

    recipe, job = pipeline.with_whole_paths(recipe, job)
    sequences = _sequences(recipe, job)
    recipe = replace(recipe, sequence=sequences)
    pipeline.check_settings(recipe, job)
    if recipe.rotation_deg[0] > recipe.rotation_deg[1]:
        raise InputError("--rotation-deg LOWEST HIGHEST", str(recipe.rotation_deg), "Swap the two.")
    if job.run_dir is None:
        names = recipe.sequence if len(sequences) < len(SEQUENCES) else ["all"]
        job = replace(job, run_dir=pipeline.default_run_dir("gbm2d", names, recipe, job))
    return recipe, job


def _sequences(recipe: Recipe, job: Job) -> tuple[str, ...]:
    """The inside names of the sequences typed, apart or with commas; of `all`, those that the cohort has.

    Raises:
        InputError: one is none of the six, or there is none.
    """
    from glioma_idh import pipeline
    from glioma_idh.cohorts.table import SEQUENCE_NAMES, SEQUENCES, available_sequences, parse_sequence

    typed = [name.strip() for names in recipe.sequence for name in names.split(",") if name.strip()]
    if "all" not in [name.lower() for name in typed]:
        wanted = {name: parse_sequence(name) for name in typed or [""]}
        for name, sequence in wanted.items():
            if name.lower() != sequence:
                print(f"--sequence {name}: {SEQUENCE_NAMES[sequence]} is meant.")
        return tuple(sequence for sequence in SEQUENCES if sequence in wanted.values())
    if recipe.cohort == "phantom":
        return SEQUENCES
    return tuple(available_sequences(pipeline.read_training_cohort(recipe, job, (), quiet=True)))


def _run_folders(recipe: Recipe, job: Job) -> dict[str, Path]:
    """The run folder of each sequence: the named one itself if there is one sequence only."""
    if len(recipe.sequence) == 1:
        return {recipe.sequence[0]: job.run_dir}
    return {sequence: job.run_dir / sequence for sequence in recipe.sequence}


def _begin_sequences(recipe: Recipe, job: Job, folders: dict[str, Path], identities: dict[str, dict]) -> None:
    """Say where and on whom it trains, and prepare the runs that are not."""
    from glioma_idh import training

    gpus = training.find_gpus()
    print(training.device_line(gpus, job.jobs or training.default_jobs(gpus, recipe.num_splits)))
    synthetic = " (built in, synthetic: no clinical result can come of it)" if recipe.cohort == "phantom" else ""
    print(f"Cohort: {recipe.cohort}{synthetic}")
    unprepared = {s: folder for s, folder in folders.items() if not (folder / runs.SPLITS).exists()}
    if unprepared:
        _prepare_sequences(recipe, job, unprepared, identities)


def _train_sequences(recipe: Recipe, job: Job, folders: dict[str, Path]) -> None:
    """Every split of every run that is not trained yet."""
    from glioma_idh import pipeline, training
    from glioma_idh.gbm2d.fit import train_split
    from glioma_idh.reporting import results
    from glioma_idh.reporting.figures.canvas import display_name

    jobs = job.jobs or training.default_jobs(training.find_gpus(), recipe.num_splits)
    for sequence, folder in folders.items():
        recipe_here = replace(recipe, sequence=(sequence,))
        pipeline.train_splits(train_split, recipe_here, folder, jobs, job.quiet, display_name(sequence))
        with step(f"{display_name(sequence)}: drawing results", job.quiet):
            results.write_results(sequence, folder, PUBLISHED)


def _prepare_sequences(recipe: Recipe, job: Job, folders: dict[str, Path], identities: dict[str, dict]) -> None:
    """Begin the runs of sequences that are not prepared; nothing is written before all of them can be."""
    from glioma_idh import pipeline
    from glioma_idh.cohorts.checks.copies import print_shared_brains
    from glioma_idh.cohorts.mask_remarks import print_remarks, print_turned
    from glioma_idh.cohorts.table import require_sequence

    cohort, said, prepared = pipeline.read_training_cohort(recipe, job, recipe.sequence), set(), {}
    for sequence in folders:
        require_sequence(cohort, sequence)
    for sequence in folders:
        prepared[sequence] = _prepare(sequence, recipe, job, cohort)
        table = prepared[sequence][1]
        print_remarks(table.attrs.get("remarks", []), said)
        print_turned(table.attrs.get("turned", {}), len(table))
    print_shared_brains(table)
    for sequence, folder in folders.items():
        runs.begin_run(folder, identities[sequence], PUBLISHED[sequence])
        _write_prepared(folder, *prepared[sequence])


def _prepare_external(folders: dict[str, Path], external, recipe: Recipe, job: Job) -> dict[str, tuple]:
    """What the networks see of the second cohort, before any is trained.

    Returns:
        By sequence who is tested, the slices, and who is set aside.

    Raises:
        InputError: nobody is left to test on, or an image is one of the run's own.
    """
    from glioma_idh import pipeline
    from glioma_idh.cohorts.checks.copies import print_shared_brains, set_copies_aside
    from glioma_idh.cohorts.mask_remarks import print_remarks, print_turned
    from glioma_idh.cohorts.table import check_labels
    from glioma_idh.gbm2d.preprocessing import prepare_cohort

    said, tests = set(), {}
    for sequence, folder in folders.items():
        table, label_errors = check_labels(external)
        settings = {"quiet": job.quiet, "with_skull": recipe.with_skull}
        table, slices, scan_errors = prepare_cohort(table, sequence, recipe.size, **settings)
        print_remarks(table.attrs["remarks"], said)
        print_turned(table.attrs["turned"], len(table))
        table, slices, copy_errors = set_copies_aside(table, slices)
        errors = label_errors + scan_errors + copy_errors
        pipeline.report_exclusions(errors, len(external))
        if table.empty:
            raise InputError("labelled subjects to test on", "none left", "The reasons stand above.")
        pipeline.refuse_copies(folder, table, _measures_of(table))
        tests[sequence] = table, slices, errors
    print_shared_brains(table)
    return tests


def _score_external(sequence: str, folder: Path, job: Job, table, slices, errors: list[InputError]) -> None:
    """The networks of a sequence on the second cohort."""
    from glioma_idh import pipeline
    from glioma_idh.gbm2d.inference import predictions_table
    from glioma_idh.reporting import results
    from glioma_idh.training import load_networks

    predictions = predictions_table(table, slices, load_networks(folder, slices.shape[1:]), folder)
    results.write_external(sequence, folder / runs.EXTERNAL / pipeline.external_name(job), table, predictions, errors)


def _prepare(sequence: str, recipe: Recipe, job: Job, cohort):
    """Who is used, what the network sees of them, the splits, and who is set aside."""
    from glioma_idh import pipeline
    from glioma_idh.cohorts.checks.copies import set_copies_aside
    from glioma_idh.cohorts.table import check_labels
    from glioma_idh.gbm2d.preprocessing import prepare_cohort

    table, label_errors = check_labels(cohort)
    pipeline.require_labelled(table, label_errors, len(cohort))
    settings = {"quiet": job.quiet, "with_skull": recipe.with_skull}
    table, slices, scan_errors = prepare_cohort(table, sequence, recipe.size, **settings)
    table, slices, copy_errors = set_copies_aside(table, slices)
    errors = label_errors + scan_errors + copy_errors
    pipeline.report_exclusions(errors, len(cohort), job.strict)
    return sequence, table, slices, pipeline.make_splits(recipe, table), errors


def _write_prepared(folder: Path, sequence: str, table, slices, splits, errors: list[InputError]) -> None:
    """The tables and arrays of a prepared run; the splits last, as they mark it as prepared."""
    import numpy as np

    from glioma_idh import departures, pipeline
    from glioma_idh.files import written_whole

    pipeline.write_subjects(folder, table, errors, [sequence])
    write_table(_measures_of(table), folder / departures.FILE)
    with written_whole(folder / runs.SLICES) as part, open(part, "wb") as file:
        np.savez(file, slices=slices, subjects=table["subject"].to_numpy(dtype=str))
    write_table(splits, folder / runs.SPLITS)


def _measures_of(table):
    """The measures of a table's subjects, a row each."""
    import pandas as pd

    measures = pd.DataFrame(table.attrs["measures"])
    return measures[measures["subject"].isin(table["subject"])]


def main() -> None:
    """The command line."""
    import tyro

    def command(recipe: Recipe, job: Job) -> tuple[Recipe, Job]:
        return recipe, job

    config = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)
    recipe, job = tyro.cli(command, prog="python -m glioma_idh.gbm2d.train", description=__doc__, config=config)
    with ending_plainly():
        train(recipe, job)


if __name__ == "__main__":
    main()
