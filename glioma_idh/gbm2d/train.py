"""Train and test the slice CNN: python -m glioma_idh.gbm2d.train --sequence rCBV

With no images named it uses the built-in synthetic cohort. A command that was killed goes on where it stopped; a
finished one prints its table again.
"""

import tyro

from glioma_idh.gbm2d.recipe import Recipe
from glioma_idh.record import recorded
from glioma_idh.training.job import Job


def train(recipe: Recipe, job: Job) -> dict[str, dict]:
    """Train and test one network a sequence and split; returns, by inside name, each sequence's `metrics.json`."""
    from glioma_idh.gbm2d.method import METHOD
    from glioma_idh.training import pipeline

    return pipeline.train(recipe, job, METHOD)


def main() -> None:
    """The command line."""

    def command(recipe: Recipe, job: Job) -> tuple[Recipe, Job]:
        return recipe, job

    config = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)
    recipe, job = tyro.cli(command, prog="python -m glioma_idh.gbm2d.train", description=__doc__, config=config)
    with recorded("glioma_idh.gbm2d.train", recipe, job):
        train(recipe, job)


if __name__ == "__main__":
    main()
