"""Train and test SGPNet or a comparator network (Wang et al. 2021), one network per split.

Example: python -m glioma_idh.sgp3d.train --cohort brats2020-tcga --images DIR

Without --cohort, the built-in synthetic cohort ("phantom") is used, with settings for a laptop; with --cohort, the
defaults are those of the paper. An interrupted run continues where it stopped when the same command is given again; a
finished run prints its results.
"""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from glioma_idh.command_line import INPUT_OUTPUT, TRAINING, parse
from glioma_idh.record import recorded
from glioma_idh.sgp3d.recipe import LAPTOP, Recipe, default_recipe
from glioma_idh.training.job import Job

if TYPE_CHECKING:
    from glioma_idh.runs.run import Run


def train_run(recipe: Recipe = LAPTOP, job: Job = Job()) -> "Run":  # noqa: B008
    """Train and test one network per split, and return the finished run; by default on the synthetic cohort."""
    from glioma_idh.runs.run import read_finished_run
    from glioma_idh.sgp3d.method import METHOD
    from glioma_idh.training import pipeline

    (folder,) = pipeline.train(recipe, job, METHOD).values()
    return read_finished_run(folder)


def options_of(cohort: str = "phantom", network: str = "sgpnet") -> Callable:
    """The options of the command; the defaults of the recipe depend on the cohort and the network."""
    default = default_recipe(cohort, network)

    def options(
        recipe: Annotated[Recipe, TRAINING] = default,
        job: Annotated[Job, INPUT_OUTPUT] = Job(),  # noqa: B008
    ) -> tuple[Recipe, Job]:
        return recipe, job

    return options


OPTIONS = options_of()


def main() -> None:
    """Run the command."""
    options = options_of(named("--cohort", "phantom"), named("--network", "sgpnet"))
    recipe, job = parse(options, "glioma_idh.sgp3d.train", __doc__)
    with recorded("glioma_idh.sgp3d.train", recipe, job):
        from glioma_idh.sgp3d.method import METHOD
        from glioma_idh.training import pipeline

        pipeline.train(recipe, job, METHOD)


def named(flag: str, default: str) -> str:
    """The value of an option on the command line, before the line is parsed: other defaults depend on it."""
    for argument, following in zip(sys.argv[1:], [*sys.argv[2:], ""], strict=True):
        if argument == flag and following:
            return following
        if argument.startswith(f"{flag}="):
            return argument.removeprefix(f"{flag}=")
    return default


if __name__ == "__main__":
    main()
