"""Train and test SGPNet: python -m glioma_idh.sgp3d.train

With no cohort named it uses the built-in synthetic one and settings for a laptop; with one, the paper's. A command that
was killed goes on where it stopped; a finished one prints its table again.
"""

import sys
from typing import TYPE_CHECKING

import tyro

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


def main() -> None:
    """The command line."""
    default = default_recipe(named("--cohort", "phantom"), named("--network", "sgpnet"))

    def command(recipe: Recipe = default, job: Job = Job()) -> tuple[Recipe, Job]:  # noqa: B008
        return recipe, job

    config = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)
    recipe, job = tyro.cli(command, prog="python -m glioma_idh.sgp3d.train", description=__doc__, config=config)
    with recorded("glioma_idh.sgp3d.train", recipe, job):
        from glioma_idh.sgp3d.method import METHOD
        from glioma_idh.training import pipeline

        pipeline.train(recipe, job, METHOD)


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
