"""Settings of a run: which are valid, which make two runs the same run, and the default folder of a run."""

import hashlib
from dataclasses import asdict, replace
from pathlib import Path

from glioma_idh import runs
from glioma_idh.cohorts.sheets import ENDINGS
from glioma_idh.errors import InputError
from glioma_idh.phantom.recipe import PhantomRecipe

LEAST = {"epochs": 1, "batch_size": 1, "num_splits": 1, "seed": 0, "split_seed": 0}


def with_whole_paths(recipe, job):
    """Return recipe and job with absolute paths."""
    if Path(recipe.cohort).suffix.lower() in ENDINGS:
        recipe = replace(recipe, cohort=str(Path(recipe.cohort).resolve()))
    paths = {name: getattr(job, name) for name in ("images", "labels", "external_images", "external_labels")}
    return recipe, replace(job, **{name: path.resolve() for name, path in paths.items() if path is not None})


def check_settings(recipe, job) -> None:
    """Raise an InputError that names the option if a setting is not valid."""
    for name, lowest in LEAST.items():
        value = getattr(recipe, name)
        if value is not None and value < lowest:
            flag = "--" + name.replace("_", "-")
            raise InputError(f"{flag} of at least {lowest}", str(value), "Give a larger number.")
    if recipe.cohort == "phantom" and (job.images or job.labels):
        advice = "Add --cohort: the name of a public cohort, folders, or the path of a table (.csv or .xlsx)."
        raise InputError("the cohort that --images and --labels belong to", "--cohort phantom", advice)
    if job.external is None and (job.external_images or job.external_labels):
        raise InputError("--external with --external-images", "no --external", "Name the cohort in --external.")
    if job.jobs is not None and job.jobs < 1:
        raise InputError("--jobs of at least 1", str(job.jobs), "Leave it out for the default.")


def run_key(paper: str, recipe, job) -> dict:
    """Return what makes two runs the same run: every setting, and the images and labels that they use."""
    settings = asdict(recipe)
    if recipe.split_seed in (None, recipe.seed):
        del settings["split_seed"]  # the same splits as in older runs, which do not have this setting
    if not recipe.with_skull:
        del settings["with_skull"]  # as in older runs, which do not have this setting
    key = {"paper": paper, **settings, "images": str(job.images or "")}
    if recipe.cohort == "phantom":
        key["phantom"] = PhantomRecipe(**recipe.phantom).as_dict()
    for name, sheet in {"cohort": Path(recipe.cohort), "labels": job.labels}.items():
        if sheet is not None and sheet.is_file():
            key[f"{name}_sha256"] = hashlib.sha256(sheet.read_bytes()).hexdigest()
    return key


def default_run_dir(paper: str, names, recipe, job) -> Path:
    """Return the default run folder: in `runs/`, named after the paper, the cohort and a hash of the settings."""
    name = [paper, *names, runs.cohort_name(recipe.cohort), runs.recipe_hash(run_key(paper, recipe, job))]
    return Path("runs") / "-".join(name)


def external_name(job) -> str:
    """Return the folder name for the results of a second cohort: its name, or the folder and file name of a table."""
    path = Path(job.external)
    return "-".join([path.absolute().parent.name, path.stem]) if path.suffix else job.external
