"""Settings of a run: which can be, what makes two runs the same run, and where a run lies."""

import hashlib
from dataclasses import asdict, replace
from pathlib import Path

from glioma_idh import runs
from glioma_idh.cohorts.sheets import ENDINGS
from glioma_idh.errors import InputError
from glioma_idh.phantom.recipe import PhantomRecipe

LEAST = {"epochs": 1, "batch_size": 1, "num_splits": 1, "seed": 0, "split_seed": 0}


def with_whole_paths(recipe, job):
    """The same recipe and job, whatever folder they were typed in."""
    if Path(recipe.cohort).suffix.lower() in ENDINGS:
        recipe = replace(recipe, cohort=str(Path(recipe.cohort).resolve()))
    paths = {name: getattr(job, name) for name in ("images", "labels", "external_images", "external_labels")}
    return recipe, replace(job, **{name: path.resolve() for name, path in paths.items() if path is not None})


def check_settings(recipe, job) -> None:
    """Refuse settings that no run can have, with an InputError that names the flag."""
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


def run_key(paper: str, recipe, job) -> dict:
    """What makes two runs the same run: every setting, and which images and labels they were made from."""
    settings = asdict(recipe)
    if recipe.split_seed in (None, recipe.seed):
        del settings["split_seed"]  # the same splits as those of older runs, which lack the setting
    if not recipe.with_skull:
        del settings["with_skull"]  # as in older runs, which lack the setting
    key = {"paper": paper, **settings, "images": str(job.images or "")}
    if recipe.cohort == "phantom":
        key["phantom"] = PhantomRecipe(**recipe.phantom).as_dict()
    for name, sheet in {"cohort": Path(recipe.cohort), "labels": job.labels}.items():
        if sheet is not None and sheet.is_file():
            key[f"{name}_sha256"] = hashlib.sha256(sheet.read_bytes()).hexdigest()
    return key


def default_run_dir(paper: str, names, recipe, job) -> Path:
    """`runs/` and a name made of what is run."""
    name = [paper, *names, runs.cohort_name(recipe.cohort), runs.recipe_hash(run_key(paper, recipe, job))]
    return Path("runs") / "-".join(name)


def external_name(job) -> str:
    """The folder of a second cohort's results: its name, or of a CSV also that of its folder."""
    path = Path(job.external)
    return "-".join([path.absolute().parent.name, path.stem]) if path.suffix else job.external
