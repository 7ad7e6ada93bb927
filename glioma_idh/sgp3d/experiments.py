"""The paper's experiments, on the same folds: python -m glioma_idh.sgp3d.experiments table1 | table2 | detach-k

table1: SGPNet, both tasks and segmentation alone, beside 3D U-Net, 3D DenseNet and a residual CNN. table2: what is
learnt beside the genotype, nothing, the lesion or random masks, with the paper's Figure 4. detach-k: the loss with its
weight k held constant. Runs what is not there yet, then writes the table; a command that was killed goes on where it
stopped.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from glioma_idh.record import recorded
from glioma_idh.sgp3d.recipe import Recipe, default_recipe
from glioma_idh.sgp3d.train import named
from glioma_idh.training.job import Job


@dataclass(frozen=True)
class Shared(Recipe):
    """What all runs of a table have in common; see `train --help`."""

    targets: tyro.conf.Suppress[str] = "both"  # type: ignore[assignment]
    network: tyro.conf.Suppress[str] = "sgpnet"  # type: ignore[assignment]
    detach_k: tyro.conf.Suppress[bool] = False
    seed: tyro.conf.Suppress[int] = 0


@dataclass(frozen=True)
class Where(Job):
    """Which table, where and how."""

    table: Annotated[Literal["table1", "table2", "detach-k"], tyro.conf.Positional] = tyro.MISSING
    """Which of the paper's experiments."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Each a whole cross-validation with its own weights, order and, unless --split-seed is given, folds."""
    runs_dir: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("runs")
    """Where runs are looked for and made, by one command at a time; a finished one of the same recipe is used."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Where table and figures go; by default RUNS_DIR/ and a name made of the table and the recipes."""
    dry_run: bool = False
    """Print what would be trained and about how long it would take, and stop."""
    external: tyro.conf.Suppress[None] = None
    external_images: tyro.conf.Suppress[None] = None
    external_labels: tyro.conf.Suppress[None] = None
    run_dir: tyro.conf.Suppress[None] = None


def run_table(shared: Recipe, where: Where) -> Path | None:
    """Train what a table needs and is not there, and write the table (`plan.run_table`)."""
    from glioma_idh.sgp3d import plan

    return plan.run_table(shared, where)


def main() -> None:
    """The command line."""
    start = Shared(**asdict(default_recipe(named("--cohort", "phantom"))))

    def command(where: Where, shared: Shared = start) -> tuple[Recipe, Where]:
        return shared, where

    config = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)
    shared, where = tyro.cli(command, prog="python -m glioma_idh.sgp3d.experiments", description=__doc__, config=config)
    with recorded("glioma_idh.sgp3d.experiments", shared, where):
        run_table(shared, where)


if __name__ == "__main__":
    main()
