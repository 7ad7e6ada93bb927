"""Train and test the slice CNN: python -m glioma_idh.gbm2d.train --sequence rCBV

With no images named it uses the built-in synthetic cohort. A command that was killed goes on where it stopped; a
finished one prints its table again.
"""

import os
import sys
from dataclasses import asdict, replace
from pathlib import Path

from glioma_idh.errors import InputError
from glioma_idh.gbm2d.recipe import PUBLISHED, Job, Recipe


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
    from glioma_idh import runs
    from glioma_idh.reporting import results

    recipe, job = _resolve(recipe, job)
    folders = _run_folders(recipe, job)
    external = None if job.external is None else _read_external(recipe, job)
    if len(folders) > 1 and (job.run_dir / "recipe.json").exists():
        advice = "Name another --run-dir; each sequence gets a folder in it."
        raise InputError("a folder for several runs", "one run of its own", advice, file=job.run_dir)
    identities = {sequence: _identity(replace(recipe, sequence=(sequence,)), job) for sequence in folders}
    unfinished = {
        sequence: folder for sequence, folder in folders.items() if not runs.find_run(folder, identities[sequence])
    }
    if unfinished:
        _train_sequences(recipe, job, unfinished, identities)
    metrics = results.compare_runs(job.run_dir, folders, PUBLISHED, new=bool(unfinished))
    if external is not None:
        _score_external(folders, external, recipe, job)
    print(f"Everything is in {job.run_dir}")
    return metrics


def _resolve(recipe: Recipe, job: Job) -> tuple[Recipe, Job]:
    """Inside names for what people typed, whole paths, and the default run folder."""
    from glioma_idh import runs
    from glioma_idh.cohorts import read_cohort
    from glioma_idh.cohorts.table import SEQUENCES, available_sequences, parse_sequence

    if Path(recipe.cohort).suffix.lower() == ".csv":
        recipe = replace(recipe, cohort=str(Path(recipe.cohort).resolve()))
    for name in ("images", "labels"):
        if getattr(job, name) is not None:
            job = replace(job, **{name: getattr(job, name).resolve()})
    if "all" in [name.lower() for name in recipe.sequence]:
        sequences = SEQUENCES
        if recipe.cohort != "phantom":
            cohort, _ = read_cohort(recipe.cohort, job.images, job.labels, all_visits=recipe.all_visits)
            sequences = available_sequences(cohort)
    else:
        wanted = {parse_sequence(name) for name in recipe.sequence}
        sequences = [sequence for sequence in SEQUENCES if sequence in wanted]
    recipe = replace(recipe, sequence=tuple(sequences))
    _check_numbers(recipe, job)
    if job.run_dir is None:
        names = [*(recipe.sequence if len(sequences) < len(SEQUENCES) else ["all"]), Path(recipe.cohort).stem]
        name = "-".join(["gbm2d", *names, runs.recipe_hash(_identity(recipe, job))])
        job = replace(job, run_dir=Path("runs") / name)
    return recipe, job


def _check_numbers(recipe: Recipe, job: Job) -> None:
    """Settings that no run can have."""
    least = {"epochs": 1, "batch_size": 1, "num_splits": 1, "seed": 0}
    for name, lowest in least.items():
        if getattr(recipe, name) < lowest:
            flag = "--" + name.replace("_", "-")
            raise InputError(f"{flag} of at least {lowest}", str(getattr(recipe, name)), "Give another number.")
    if recipe.rotation_deg[0] > recipe.rotation_deg[1]:
        raise InputError("--rotation-deg LOWEST HIGHEST", str(recipe.rotation_deg), "Swap the two.")
    if recipe.cohort == "phantom" and (job.images or job.labels):
        advice = "Add --cohort with the name of the public cohort, csv, or the path of a cohort CSV."
        raise InputError("a cohort of real scans with --images and --labels", "--cohort phantom", advice)
    if job.external is None and (job.external_images or job.external_labels):
        raise InputError("--external with --external-images", "no --external", "Name the second cohort.")
    if job.jobs is not None and job.jobs < 1:
        raise InputError("--jobs of at least 1", str(job.jobs), "Leave it out for as many as there are processors.")


def _identity(recipe: Recipe, job: Job) -> dict:
    """What makes two runs the same run: every setting, and which images and labels they were made from."""
    import hashlib

    from glioma_idh.phantom.recipe import PhantomRecipe

    identity = {"paper": "gbm2d", **asdict(recipe), "images": str(job.images or "")}
    if recipe.cohort == "phantom":
        identity["phantom"] = PhantomRecipe().as_dict()
    for name, sheet in {"cohort": Path(recipe.cohort), "labels": job.labels}.items():
        if sheet is not None and sheet.is_file():
            identity[f"{name}_sha256"] = hashlib.sha256(sheet.read_bytes()).hexdigest()
    return identity


def _run_folders(recipe: Recipe, job: Job) -> dict[str, Path]:
    """The run folder of each sequence: the named one itself if there is one sequence only."""
    if len(recipe.sequence) == 1:
        return {recipe.sequence[0]: job.run_dir}
    return {sequence: job.run_dir / sequence for sequence in recipe.sequence}


def _train_sequences(recipe: Recipe, job: Job, folders: dict[str, Path], identities: dict[str, dict]) -> None:
    """Everything that is not done yet."""
    from glioma_idh import runs, training
    from glioma_idh.reporting import results

    gpus = training.find_gpus()
    jobs = job.jobs or training.default_jobs(gpus, recipe.num_splits)
    print(training.device_line(gpus, jobs))
    synthetic = " (built in, synthetic: no clinical result can come of it)" if recipe.cohort == "phantom" else ""
    print(f"Cohort: {recipe.cohort}{synthetic}")
    unprepared = [folder for folder in folders.values() if not (folder / "splits.csv").exists()]
    cohort = _read_cohort(recipe, job) if unprepared else None
    for sequence, folder in folders.items():
        if folder in unprepared:
            prepared = _prepare(sequence, recipe, job, cohort)
            runs.begin_run(folder, identities[sequence], PUBLISHED[sequence])
            _write_prepared(folder, *prepared)
        _train_splits(recipe, folder, jobs, job.quiet)
        results.write_results(sequence, folder, PUBLISHED)


def _read_cohort(recipe: Recipe, job: Job):
    """The cohort table to train on; says what of the folder is not in it."""
    from glioma_idh.cohorts import read_cohort
    from glioma_idh.cohorts.checks.summary import describe_ignored

    cohort, ignored = read_cohort(
        recipe.cohort,
        job.images,
        job.labels,
        sequences=recipe.sequence,
        all_visits=recipe.all_visits,
        quiet=job.quiet,
    )
    if ignored:
        print(describe_ignored(ignored))
    return cohort


def _read_external(recipe: Recipe, job: Job):
    """The cohort to test on; refused where one of its patients may be trained on."""
    from glioma_idh.cohorts import read_cohort
    from glioma_idh.cohorts.overlap import refuse_overlap
    from glioma_idh.cohorts.table import require_sequence

    external, _ = read_cohort(job.external, job.external_images, job.external_labels, sequences=recipe.sequence)
    training = _read_cohort(recipe, replace(job, quiet=True))
    for sequence in recipe.sequence:
        require_sequence(external, sequence)
        refuse_overlap(training[training[sequence] != ""], external[external[sequence] != ""])
    return external


def _refuse_copies(sequence: str, folder: Path, table, slices) -> None:
    """An image of the run's own cohort is no external test, whatever its name."""
    import numpy as np

    from glioma_idh.gbm2d.preprocessing import find_copies

    with np.load(folder / "slices.npz") as prepared:
        copies, subjects = find_copies(slices, prepared["slices"]), prepared["subjects"]
    if copies:
        shown = "; ".join(f"{subjects[there]} is {table['subject'].iloc[here]}" for here, there in copies[:3])
        found = f"{len(copies)} in both ({shown}{' ...' if len(copies) > 3 else ''})"
        raise InputError(f"no {sequence} image of the training cohort in the external one", found, "Take them out.")


def _score_external(folders: dict[str, Path], external, recipe: Recipe, job: Job) -> None:
    """The networks of each sequence on the second cohort."""
    from glioma_idh.cohorts.table import check_labels
    from glioma_idh.gbm2d.apply import load_networks, predictions_table
    from glioma_idh.gbm2d.preprocessing import prepare_cohort
    from glioma_idh.reporting import results

    for sequence, folder in folders.items():
        table, label_errors = check_labels(external)
        table, slices, scan_errors = prepare_cohort(table, sequence, recipe.size, quiet=job.quiet)
        errors = label_errors + scan_errors
        _report_exclusions(errors, len(external))
        if table.empty:
            raise InputError("labelled subjects to test on", "none left", "The reasons stand above.")
        _refuse_copies(sequence, folder, table, slices)
        predictions = predictions_table(table, slices, load_networks(folder, slices.shape[1:]), folder)
        results.write_external(sequence, folder / "external" / Path(job.external).stem, table, predictions, errors)


def _prepare(sequence: str, recipe: Recipe, job: Job, cohort):
    """Who is used, what the network sees of them, the splits, and who is set aside."""
    from glioma_idh.cohorts.table import UNLABELLED, check_labels, require_sequence
    from glioma_idh.gbm2d.preprocessing import prepare_cohort, set_copies_aside

    require_sequence(cohort, sequence)
    table, label_errors = check_labels(cohort)
    table, slices, scan_errors = prepare_cohort(table, sequence, recipe.size, quiet=job.quiet)
    table, slices, copy_errors = set_copies_aside(table, slices)
    errors = label_errors + scan_errors + copy_errors
    if job.strict:
        for error in errors:
            if error.found != UNLABELLED:  # an unknown status is no mistake
                raise error
    _report_exclusions(errors, len(cohort))
    return sequence, table, slices, _split(recipe, table), errors


def _write_prepared(folder: Path, sequence: str, table, slices, splits, errors: list[InputError]) -> None:
    """The tables and arrays of a prepared run; the splits last, as they mark it as prepared."""
    import numpy as np

    from glioma_idh import runs
    from glioma_idh.cohorts import find_planted_scores
    from glioma_idh.cohorts.table import exclusions_table
    from glioma_idh.files import written_whole

    runs.write_table(exclusions_table(errors), folder / "exclusions.csv")
    planted = find_planted_scores(table, sequence)
    if planted is not None:
        runs.write_table(planted.rename("score").reset_index(), folder / "planted.csv")
    runs.write_table(table, folder / "cohort.csv")
    with written_whole(folder / "slices.npz") as part, open(part, "wb") as file:
        np.savez(file, slices=slices, subjects=table["subject"].to_numpy(dtype=str))
    runs.write_table(splits, folder / "splits.csv")


def _report_exclusions(errors: list[InputError], num_subjects: int) -> None:
    """A line for the first few subjects set aside; all of them will stand in exclusions.csv."""
    if errors:
        print(f"{len(errors)} of {num_subjects} subjects are set aside, all listed in exclusions.csv:")
        print("\n".join(f"  {error}" for error in errors[:5]))


def _split(recipe: Recipe, table):
    """The splits table, as the recipe asks."""
    from glioma_idh.cohorts.splits import holdout_splits, kfold_splits

    if table.empty:
        raise InputError("subjects to train on", "none left", "The reasons stand above.")
    if recipe.splits == "kfold":
        return kfold_splits(table, recipe.num_splits, recipe.seed)
    return holdout_splits(table, recipe.num_splits, recipe.test_fraction, recipe.min_test_mutants, recipe.seed)


def _train_splits(recipe: Recipe, folder: Path, jobs: int, quiet: bool) -> None:
    """Every split, each in a process of its own when several run at once."""
    import warnings

    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    from glioma_idh.gbm2d.fit import train_split

    # A worker that has trained a network has grown; joblib replaces it, as it should, and says so.
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs")
    calls = [delayed(train_split)(recipe, folder, index, quiet, os.getpid()) for index in range(recipe.num_splits)]
    try:
        for done, index in enumerate(Parallel(jobs, return_as="generator_unordered")(calls), start=1):
            if not quiet and not sys.stderr.isatty():
                print(f"split {index + 1} is trained, {done} of {recipe.num_splits}", flush=True)
    except TerminatedWorkerError as error:
        found = "one that the system ended, most often for lack of memory"
        advice = "Run the same command with --jobs 1: it goes on where it stopped."
        raise InputError("every training process to end by itself", found, advice, file=folder) from error
    finally:
        if not quiet and sys.stderr.isatty():
            print("\n" * recipe.num_splits, file=sys.stderr)  # below the bars


def main() -> None:
    """The command line."""
    import tyro

    def command(recipe: Recipe, job: Job) -> tuple[Recipe, Job]:
        return recipe, job

    config = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)
    recipe, job = tyro.cli(command, prog="python -m glioma_idh.gbm2d.train", description=__doc__, config=config)
    try:
        train(recipe, job)
    except InputError as error:
        sys.exit(f"Cannot go on: {error}")


if __name__ == "__main__":
    main()
