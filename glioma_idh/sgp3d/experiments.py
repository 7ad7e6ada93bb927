"""The paper's experiments, on the same folds: python -m glioma_idh.sgp3d.experiments table1 | table2 | detach-k

table1: SGPNet, both tasks and segmentation alone, beside 3D U-Net, 3D DenseNet and a residual CNN. table2: what is
learnt beside the genotype, nothing, the lesion or random masks, with the paper's Figure 4. detach-k: the loss with its
weight k held constant. Runs what is not there yet, then writes the table; a command that was killed goes on where it
stopped.
"""

from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from glioma_idh.files import write_json, write_table
from glioma_idh.progress import step
from glioma_idh.record import into, recorded
from glioma_idh.sgp3d.recipe import PUBLISHED, Recipe, default_recipe
from glioma_idh.sgp3d.train import named
from glioma_idh.training.job import Job

CAUTIONS = {
    "table1": "The paper's rows of Liang et al. and Chang et al. are of those papers' own patients; SGPNet's SN and SP"
    " as printed imply PPV 0.870 and NPV 0.917. The residual CNN reads slices that the reference mask chooses, in tests"
    " too.",
    "table2": "The paper finds SGPNet, which learns the masks too, well ahead of the other two; its numbers we lack.",
    "detach-k": "The paper does not say whether k takes part in the gradient.",
}


@dataclass(frozen=True)
class Shared(Recipe):
    """What all runs of a table have in common; see `train --help`."""

    targets: tyro.conf.Suppress[str] = "both"
    network: tyro.conf.Suppress[str] = "sgpnet"
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
    """Train what a table needs and is not there, and write the table.

    Args:
        shared: what all its runs have in common.
        where: which table, where and how.

    Returns:
        The folder of the table; None after a dry run.

    Raises:
        InputError: the input cannot be used, or the runs cannot be compared; it says why and what to do.
    """
    from glioma_idh.sgp3d.plan import make_plan, print_plan, train_missing
    from glioma_idh.training.cohort import TrainingCohort
    from glioma_idh.training.settings import with_whole_paths

    shared, where = with_whole_paths(shared, where)
    plan = make_plan(where.table, where.seeds, shared, where, where.runs_dir)
    left = [run for run in plan if not run.finished]
    print(f"{where.table}: {len(plan)} runs, {len(plan) - len(left)} of them finished")
    cohort = TrainingCohort(shared, where, ("t1", "t1gd", "t2", "flair"))
    if where.dry_run:
        print_plan(plan, where, cohort)
        return None
    if left:
        train_missing(left, where, cohort)
    with step(f"drawing {where.table}", where.quiet):
        return _write(plan, where)


def _write(plan, where: Where) -> Path:
    """The table of finished runs, and its figures."""
    import pandas as pd

    from glioma_idh import runs
    from glioma_idh.papers import SGPNET
    from glioma_idh.reporting.figures.canvas import save_figure
    from glioma_idh.reporting.figures.roc_bands import roc_with_bands
    from glioma_idh.reporting.report import write_comparison
    from glioma_idh.reporting.tables import comparison
    from glioma_idh.sgp3d.method import METHOD
    from glioma_idh.sgp3d.paper import network_name
    from glioma_idh.sgp3d.plan import MODEL

    folders = defaultdict(list)
    for run in plan:
        folders[run.name].append(run.folder)
    model = network_name(MODEL)
    networks = comparison.read_networks(folders)
    numbers = comparison.summarise_networks(networks, folders, SGPNET)
    comparisons = comparison.compare_networks(networks, model)
    of_seeds = [METHOD.baselines(Recipe(**MODEL), folder, where.quiet) for folder in folders[model]]
    baselines = comparison.mean_baselines(of_seeds)
    table = comparison.comparison_table(numbers, comparisons, model, PUBLISHED, SGPNET, baselines)
    identities = {"runs": [run.key for run in plan]}
    out = where.out or where.runs_dir / f"{where.table}-{runs.recipe_hash(identities)}"
    into(out)
    synthetic = numbers[model]["synthetic"]

    order = [comparison.order_text(numbers, pairs, model, score) for score, pairs in comparisons.items() if pairs]
    if where.table == "table2":
        order.append(comparison.order_holds(comparisons["auc"]))
    caption = " ".join([*comparison.notes(numbers, baselines), CAUTIONS[where.table], *order])
    comparison.write_comparison_table(table, out, where.table, caption, synthetic)
    by_network = [predictions.assign(network=name) for name, predictions in networks.items()]
    write_table(pd.concat(by_network), out / runs.PREDICTIONS)
    scored = {name: predictions for name, predictions in networks.items() if "auc" in numbers[name]["pooled"]}
    points = {name: (1 - row["specificity"], row["sensitivity"]) for name, row in baselines.items() if "auc" in row}
    paper = {name: row["auc"][0] for name, row in PUBLISHED.items() if "auc" in row}
    roc = roc_with_bands(scored, marks=points, published=paper, synthetic=synthetic)
    save_figure(roc, out / runs.FIGURES, "roc")
    compared = {score: {name: pair._asdict() for name, pair in pairs.items()} for score, pairs in comparisons.items()}
    write_json({"numbers": numbers, "comparisons": compared, "order": order}, out / runs.METRICS)
    write_comparison([run.folder for run in plan], out / runs.REPORT, reference=folders[model][0])
    print(comparison.comparison_text(table, numbers, baselines))
    print("\n".join([CAUTIONS[where.table], *order, f"Everything is in {out}"]))
    return out


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
