"""Train and test the 2D slice CNN (Pasquini et al. 2021), one network per sequence and split.

Example: python -m glioma_idh.gbm2d.train --sequence rCBV

Without --cohort, the built-in synthetic cohort ("phantom") is used. An interrupted run continues where it stopped when
the same command is given again; a finished run prints its results.
"""

from typing import TYPE_CHECKING, Annotated

from glioma_idh.command_line import INPUT_OUTPUT, TRAINING, parse
from glioma_idh.errors import InputError
from glioma_idh.gbm2d.recipe import Recipe
from glioma_idh.record import recorded
from glioma_idh.training.job import Job

if TYPE_CHECKING:
    from glioma_idh.runs.run import Run


def train_run(recipe: Recipe = Recipe(), job: Job = Job()) -> "Run":  # noqa: B008
    """Train and test the networks of one sequence, one network per split, and return the finished run.

    Raises:
        InputError: if something cannot be used, or if the recipe names several sequences.
    """
    from glioma_idh.gbm2d.method import METHOD
    from glioma_idh.training.pipeline import resolve

    recipe, job, _ = resolve(recipe, job, METHOD)
    if len(recipe.sequence) > 1:
        raise InputError("a recipe of one sequence", ", ".join(recipe.sequence), "Call train_runs for several.")
    (run,) = train_runs(recipe, job).values()
    return run


def train_runs(recipe: Recipe = Recipe(), job: Job = Job()) -> dict[str, "Run"]:  # noqa: B008
    """Train and test one network per sequence and split, and return each sequence's finished run by its name."""
    from glioma_idh.gbm2d.method import METHOD
    from glioma_idh.runs.run import read_finished_run
    from glioma_idh.training import pipeline

    return {name: read_finished_run(folder) for name, folder in pipeline.train(recipe, job, METHOD).items()}


def options(recipe: Annotated[Recipe, TRAINING], job: Annotated[Job, INPUT_OUTPUT]) -> tuple[Recipe, Job]:
    """Return what the command line asks for."""
    return recipe, job


OPTIONS = options


def main() -> None:
    """Run the command."""
    recipe, job = parse(OPTIONS, "glioma_idh.gbm2d.train", __doc__)
    with recorded("glioma_idh.gbm2d.train", recipe, job):
        from glioma_idh.gbm2d.method import METHOD
        from glioma_idh.training import pipeline

        pipeline.train(recipe, job, METHOD)


if __name__ == "__main__":
    main()
