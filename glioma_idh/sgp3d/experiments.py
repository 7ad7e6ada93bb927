"""Reproduce the experiments of the SGPNet paper, with all networks on the same folds.

Example: python -m glioma_idh.sgp3d.experiments table1 --cohort brats2020-tcga --images DIR

table1 compares SGPNet, trained for both tasks and for segmentation alone, with the comparator networks 3D U-Net, 3D
DenseNet and a residual CNN. table2 trains SGPNet for IDH alone, for IDH and segmentation, and for IDH and random masks,
and draws Figure 4 of the paper. detach-k compares the loss with its weight k held constant in the gradient. An
interrupted run continues where it stopped when the same command is given again; a finished run prints its results.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from glioma_idh.command_line import INPUT_OUTPUT, SWITCH, TRAINING, option, parse
from glioma_idh.record import recorded
from glioma_idh.sgp3d.recipe import Recipe, default_recipe
from glioma_idh.sgp3d.train import named
from glioma_idh.training.job import Job


@dataclass(frozen=True)
class Shared(Recipe):
    """Settings of all runs of the table."""

    targets: tyro.conf.Suppress[str] = "both"  # type: ignore[assignment]
    network: tyro.conf.Suppress[str] = "sgpnet"  # type: ignore[assignment]
    detach_k: tyro.conf.Suppress[bool] = False
    seed: tyro.conf.Suppress[int] = 0


@dataclass(frozen=True)
class Where(Job):
    """Where the data are and how the work is done."""

    table: Annotated[Literal["table1", "table2", "detach-k"], tyro.conf.Positional] = tyro.MISSING
    """table1, table2: reproduce this table of the paper; detach-k: train with and without --detach-k."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Random seeds. Each is one whole cross-validation, with its own folds unless --split-seed is given."""
    runs_dir: Annotated[Path, option("DIR")] = Path("runs")
    """Folder of the runs; finished runs with the same settings are used again. One command at a time may use it."""
    out: Annotated[Path | None, option("DIR", "a folder in RUNS_DIR named after the table and its settings")] = None
    """Folder for the table and its figures."""
    dry_run: Annotated[bool, SWITCH] = False
    """Only print what would be trained, and about how long it would take."""
    external: tyro.conf.Suppress[None] = None
    external_images: tyro.conf.Suppress[None] = None
    external_labels: tyro.conf.Suppress[None] = None
    run_dir: tyro.conf.Suppress[None] = None


def run_table(shared: Recipe, where: Where) -> Path | None:
    """Train the runs that a table still needs, and write the table (`plan.run_table`)."""
    from glioma_idh.sgp3d import plan

    return plan.run_table(shared, where)


def options_of(cohort: str = "phantom") -> Callable:
    """The options of the command; the defaults of the settings depend on the cohort."""
    default = Shared(**asdict(default_recipe(cohort)))

    def options(
        where: Annotated[Where, INPUT_OUTPUT], shared: Annotated[Shared, TRAINING] = default
    ) -> tuple[Recipe, Where]:
        return shared, where

    return options


OPTIONS = options_of()


def main() -> None:
    """Run the command."""
    shared, where = parse(options_of(named("--cohort", "phantom")), "glioma_idh.sgp3d.experiments", __doc__)
    with recorded("glioma_idh.sgp3d.experiments", shared, where):
        run_table(shared, where)


if __name__ == "__main__":
    main()
