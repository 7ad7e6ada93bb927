"""What both papers' doors do alike, from the command line to trained splits and back; what differs stands in them.

`recipe` and `job` are the dataclasses of either paper's `recipe.py`.
"""

import hashlib
import sys
from collections import defaultdict
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd

from glioma_idh import departures, runs
from glioma_idh.cohorts import find_planted_scores, read_cohort
from glioma_idh.cohorts.checks.copies import images_in_both
from glioma_idh.cohorts.checks.names import print_remarks_on_names
from glioma_idh.cohorts.checks.summary import describe_ignored
from glioma_idh.cohorts.overlap import nameless, refuse_overlap
from glioma_idh.cohorts.sheets import ENDINGS
from glioma_idh.cohorts.splits import holdout_splits, kfold_splits
from glioma_idh.cohorts.table import (
    PATHS,
    UNLABELLED,
    check_labels,
    check_subjects,
    exclusions_table,
    require_files,
    require_sequence,
)
from glioma_idh.errors import InputError
from glioma_idh.files import write_table
from glioma_idh.phantom.recipe import PhantomRecipe

LEAST = {"epochs": 1, "batch_size": 1, "num_splits": 1, "seed": 0, "split_seed": 0}


def with_whole_paths(recipe, job):
    """The same recipe and job, whatever folder they were typed in."""
    if Path(recipe.cohort).suffix.lower() in ENDINGS:
        recipe = replace(recipe, cohort=str(Path(recipe.cohort).resolve()))
    paths = {name: getattr(job, name) for name in ("images", "labels", "external_images", "external_labels")}
    return recipe, replace(job, **{name: path.resolve() for name, path in paths.items() if path is not None})


def check_settings(recipe, job) -> None:
    """Refuse settings that no run can have.

    Raises:
        InputError: it names the flag.
    """
    for name, lowest in LEAST.items():
        value = getattr(recipe, name)
        if value is not None and value < lowest:
            flag = "--" + name.replace("_", "-")
            raise InputError(f"{flag} of at least {lowest}", str(value), "Give another number.")
    if recipe.cohort == "phantom" and (job.images or job.labels):
        advice = "Add --cohort with the name of the public cohort, folders, or the path of a table (.csv or .xlsx)."
        raise InputError("a cohort of real scans with --images and --labels", "--cohort phantom", advice)
    if job.external is None and (job.external_images or job.external_labels):
        raise InputError("--external with --external-images", "no --external", "Name the second cohort.")
    if job.jobs is not None and job.jobs < 1:
        raise InputError("--jobs of at least 1", str(job.jobs), "Leave it out for the default.")


def identity(paper: str, recipe, job) -> dict:
    """What makes two runs the same run: every setting, and which images and labels they were made from."""
    settings = asdict(recipe)
    if recipe.split_seed in (None, recipe.seed):
        del settings["split_seed"]  # the same splits as those of older runs, which lack the setting
    if not recipe.with_skull:
        del settings["with_skull"]  # as in older runs, which lack the setting
    identity = {"paper": paper, **settings, "images": str(job.images or "")}
    if recipe.cohort == "phantom":
        identity["phantom"] = PhantomRecipe(**recipe.phantom).as_dict()
    for name, sheet in {"cohort": Path(recipe.cohort), "labels": job.labels}.items():
        if sheet is not None and sheet.is_file():
            identity[f"{name}_sha256"] = hashlib.sha256(sheet.read_bytes()).hexdigest()
    return identity


def default_run_dir(paper: str, names, recipe, job) -> Path:
    """`runs/` and a name made of what is run."""
    name = [paper, *names, runs.cohort_name(recipe.cohort), runs.recipe_hash(identity(paper, recipe, job))]
    return Path("runs") / "-".join(name)


def read_training_cohort(recipe, job, sequences, quiet: bool = False):
    """The cohort table to train on; says what of the folder is not in it."""
    settings = {"sequences": sequences, "all_visits": recipe.all_visits, "phantom": recipe.phantom}
    cohort, ignored = read_cohort(recipe.cohort, job.images, job.labels, **settings, quiet=quiet or job.quiet)
    if not quiet:
        require_files(cohort)
    if ignored and not quiet:
        print(describe_ignored(ignored))
    if not quiet:
        print_remarks_on_names(cohort, sequences)
    return cohort


def read_external_cohort(recipe, job, sequences):
    """The cohort to test on.

    Raises:
        InputError: it lacks a sequence, or one of its patients may be trained on.
    """
    external, _ = read_cohort(job.external, job.external_images, job.external_labels, sequences=sequences)
    require_files(external, "--external-images")
    print_remarks_on_names(external, sequences)
    if check_labels(external)[0].empty:
        found = f"none among {len(external)}"
        raise InputError("labelled subjects to test on", found, "Name a sheet with --external-labels.")
    training = read_training_cohort(recipe, job, sequences, quiet=True)
    for sequence in sequences:
        require_sequence(external, sequence)
        refuse_overlap(training[training[sequence] != ""], external[external[sequence] != ""])
    if unknown := nameless(training) + nameless(external):
        print(f"{unknown} subjects are known by their BraTS id alone: whether they are in both cannot be told.")
    return external


def refuse_copies(run_dir: Path, table: pd.DataFrame, measured: pd.DataFrame) -> None:
    """An image of a run's own cohort is no external test, whatever its name, also where its file was written anew.

    Args:
        run_dir: of the run.
        table: the external cohort's, as `set_copies_aside` takes it.
        measured: its measures, as `departures.find_copies` takes them: they also tell a scan in another scale.

    Raises:
        InputError: one stands in both.
    """
    both = {here: f"{there} is {here}" for here, there in departures.find_copies(measured, run_dir).items()}
    both |= images_in_both(runs.read_table(run_dir / runs.COHORT), table)
    if both:
        found = f"{len(both)} in both ({'; '.join(list(both.values())[:3])}{' ...' if len(both) > 3 else ''})"
        raise InputError("no image of the training cohort in the external one", found, "Take them out.")


def external_name(job) -> str:
    """The folder of a second cohort's results: its name, or of a CSV also that of its folder."""
    path = Path(job.external)
    return "-".join([path.absolute().parent.name, path.stem]) if path.suffix else job.external


def report_exclusions(
    errors: list[InputError],
    num_subjects: int,
    strict: bool = False,
    listed: str = ", all listed in exclusions.csv",
) -> None:
    """A line for each reason to set subjects aside; `listed` says where all of them will stand.

    Raises:
        InputError: the first of them, if strict; an unknown status is no mistake.
    """
    mistakes = [error for error in errors if error.found != UNLABELLED]
    if strict and mistakes:
        raise mistakes[0]
    if errors:
        print(f"{len(errors)} of {num_subjects} subjects are set aside{listed}:")
        alike = defaultdict(list)
        for error in errors:
            alike[error.expected, error.found].append(error)
        for first, *others in list(alike.values())[:5]:
            print(f"  {first}" + (f" ({len(others)} more like this)" if others else ""))


def require_labelled(table, errors: list[InputError], num_subjects: int) -> None:
    """Somebody must have an IDH status, or no network can learn it; said before any scan is read.

    Args:
        table: rows with a label, as `check_labels` gives them, and those of `keep_unlabelled`.
        errors: one a subject set aside.
        num_subjects: of the cohort.

    Raises:
        InputError: nobody has; the reasons are printed.
    """
    if table["idh"].notna().any():
        return
    report_exclusions(errors, num_subjects, listed="")
    advice = "The reasons stand above."
    if len(table) or any(error.found == UNLABELLED for error in errors):
        advice += " Labels are a column idh of --cohort, or a sheet of subject and idh in --labels."
    raise InputError("labelled subjects to train on", "none left", advice)


def write_subjects(folder: Path, table: pd.DataFrame, errors: list[InputError], sequences: list[str]) -> None:
    """Who is used, who is not and why, and of phantoms the best possible scores, into the run folder."""
    write_table(exclusions_table(errors), folder / runs.EXCLUSIONS)
    planted = find_planted_scores(table, sequences)
    if planted is not None:
        write_table(planted.rename("score").reset_index(), folder / runs.PLANTED)
    write_table(table, folder / runs.COHORT)


def make_splits(recipe, table):
    """The splits table, as the recipe asks."""
    require_labelled(table, [], len(table))  # those who were may have been set aside since
    labelled = table[table["idh"].notna()].astype({"idh": int})
    seed = recipe.seed if recipe.split_seed is None else recipe.split_seed
    if recipe.splits == "kfold":
        splits = kfold_splits(labelled, recipe.num_splits, seed)
    else:
        settings = recipe.num_splits, recipe.test_fraction, recipe.min_test_mutants, seed
        splits = holdout_splits(labelled, *settings)
    return _with_unlabelled(splits, table)


def _with_unlabelled(splits, table):
    """Subjects without a label train in every split where no visit of the patient is tested, and are never tested."""
    unlabelled = table[table["idh"].isna()]
    patients, rows = table.set_index("subject")["patient"], [splits]
    for (repeat, number), split in splits.groupby(["repeat", "split"]):
        tested = patients[split["subject"][split["part"] == "test"]]
        free = unlabelled["subject"][~unlabelled["patient"].isin(tested)]
        rows.append(pd.DataFrame({"subject": free, "repeat": repeat, "split": number, "part": "train"}))
    return pd.concat(rows, ignore_index=True) if len(unlabelled) else splits


def train_splits(train_split, recipe, folder: Path, jobs: int, quiet: bool, name: str = "") -> None:
    """Every split, each in a process of its own when several run at once.

    Args:
        train_split: (recipe, folder, index, quiet) -> index; it returns at once what is done.
        recipe: of the run.
        folder: of the run.
        jobs: how many at once.
        quiet: show no progress.
        name: of what is trained, where a command trains several.
    """
    what = f"{name}: split" if name else "split"
    calls = [(recipe, folder, index, quiet) for index in range(recipe.num_splits)]
    try:
        for done, index in enumerate(side_by_side(train_split, calls, jobs), start=1):
            if not quiet and not sys.stderr.isatty():
                print(f"{what} {index + 1} is trained, {done} of {recipe.num_splits}", flush=True)
    finally:
        if not quiet and sys.stderr.isatty():
            print("\n" * recipe.num_splits, file=sys.stderr)  # below the bars


def side_by_side(train, calls: list[tuple], jobs: int):
    """Results of trainings in the order in which they end, so many at once, each in a process of its own.

    Args:
        train: function of what stands in a call.
        calls: its arguments.
        jobs: how many at once.

    Raises:
        InputError: the system ended a process.
    """
    from joblib import delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    from glioma_idh.parallel import run_parallel

    try:
        yield from run_parallel((delayed(train)(*call) for call in calls), jobs, ordered=False)
    except TerminatedWorkerError as error:
        found = "one that the system ended, most often for lack of memory"
        advice = "Run the same command with --jobs 1: it goes on where it stopped."
        raise InputError("every training process to end by itself", found, advice) from error


def read_finished_run(run_dir: Path, paper: str) -> tuple[dict, bool]:
    """The recipe of a finished run, and whether its patients are phantoms.

    Raises:
        InputError: the folder holds none, one of another paper or version, or one that is not finished.
    """
    recipe = runs.read_recipe(run_dir)["recipe"]
    if recipe.get("paper") != paper:
        found = f"a run of {recipe.get('paper', 'something else')}"
        raise InputError(f"a run of glioma_idh.{paper}.train", found, "Use that pipeline's predict.", file=run_dir)
    if not (run_dir / runs.METRICS).exists():
        advice = "Let the training end first: the same command goes on where it stopped."
        raise InputError("a finished run", "no metrics.json", advice, file=run_dir)
    return recipe, runs.read_json(run_dir / runs.METRICS)["synthetic"]


def read_subjects(wanted, sequences) -> pd.DataFrame:
    """The cohort table of whom to predict: those of `wanted.cohort` who have any image; labels are not needed.

    Raises:
        InputError: nobody has.
    """
    settings = {"sequences": sequences, "all_visits": wanted.all_visits, "quiet": wanted.quiet}
    cohort, _ = read_cohort(wanted.cohort, wanted.images, wanted.labels, **settings)
    table, errors = check_subjects(cohort)
    for error in errors:
        print(f"set aside: {error}", file=sys.stderr)
    table = table[(table[list(PATHS)] != "").any(axis=1)]
    if table.empty:
        raise InputError("subjects with images", "none", "Check the paths in the cohort table.", file=wanted.cohort)
    require_files(table)
    return table


def warn_of_skull(wanted, recipe: dict) -> None:
    """Say that scans with skull were let in although the run learnt from scans without."""
    if wanted.with_skull and not recipe.get("with_skull"):
        text = "--with-skull: the run learnt from scans that are 0 around the brain; others give other scores."
        print(text, file=sys.stderr)


def warn_of_predictions(table: pd.DataFrame, run_dir: Path, synthetic: bool) -> None:
    """Say what scores are not: test results of the run's own patients, or, from phantoms, anything clinical."""
    known = table["patient"].isin(runs.read_table(run_dir / runs.COHORT)["patient"]).sum()
    if known:
        text = f"{known} of {len(table)} subjects are patients of the run itself: these are not test results."
        print(f"{text} Those are in {run_dir / 'predictions.csv'}", file=sys.stderr)
    if synthetic:
        text = "These networks learnt from the synthetic phantom: their scores mean nothing for a patient."
        print(text, file=sys.stderr)
