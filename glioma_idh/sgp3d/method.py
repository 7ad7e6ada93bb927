"""How SGPNet and its comparators are trained: what `training.pipeline` asks of a paper."""

from dataclasses import asdict
from pathlib import Path

import pandas as pd

from glioma_idh import runs
from glioma_idh.files import write_json, write_table
from glioma_idh.progress import in_words, step
from glioma_idh.sgp3d import resources
from glioma_idh.sgp3d.baselines import baselines_of_run
from glioma_idh.sgp3d.cache import measure_cohort, print_mask_remarks, restore_cohort, store_cohort
from glioma_idh.sgp3d.fit import is_large, train_split
from glioma_idh.sgp3d.inference import input_shape, predictions_table
from glioma_idh.sgp3d.paper import PAPER, SEQUENCES
from glioma_idh.sgp3d.recipe import METHOD as VERSION
from glioma_idh.sgp3d.recipe import Recipe, check_shape, check_targets, differences
from glioma_idh.training import device
from glioma_idh.training.pipeline import Method
from glioma_idh.training.predict import load_networks

FORMER = asdict(Recipe()) | {"method": 1}  # what settings were in runs that are older than they
del FORMER["split_seed"]  # it stands in no recipe.json where it is the seed
del FORMER["with_skull"]  # it stands in a recipe.json only where it is on


def resolve(recipe: Recipe, cohort) -> Recipe:
    """The recipe as it is, where its shape and targets can be; else an InputError names the flag."""
    check_shape(recipe.shape)
    check_targets(recipe)
    return recipe


def introduce(recipe: Recipe) -> list[str]:
    """How a recipe differs from the paper's; TensorFlow alone trains it."""
    device.require_tensorflow()
    return ["Differs from the paper:", *(f"  {line}" for line in differences(recipe))]


def print_cost(recipe: Recipe, table: pd.DataFrame, gpus: list, jobs: int, threads: int) -> None:
    """Print memory and, without a GPU, time that the training will take here; an InputError if memory will not do."""
    memory = f"about {resources.needed_gb(recipe, jobs):.1f} GB of memory"
    if gpus:
        print(f"Estimate: {memory}")
        return
    resources.check_memory(recipe, jobs)
    device.use_threads(threads)  # before the speed is measured: with --jobs 1 this process trains as well
    num_subjects = int((table[list(SEQUENCES)] != "").all(axis=1).sum())
    num_train = round(num_subjects * (1 - 1 / max(2, recipe.num_splits)))
    rounds = -(-recipe.num_splits // jobs)
    seconds = rounds * resources.needed_seconds(recipe, num_train, resources.measured_gflops(recipe.dtype))
    print(f"Estimate: {memory} of {resources.free_gb():.1f} GB free, about {in_words(seconds)}")


def prepare(table: pd.DataFrame, recipe: Recipe, quiet: bool):
    """The cohort's subjects in the cache."""
    table, errors = store_cohort(table, recipe.shape, quiet=quiet, with_skull=recipe.with_skull)
    return table, [], errors


def restore(recipe: Recipe, folder: Path, quiet: bool) -> None:
    """Make again what the cache has lost of a run that has begun; an InputError where a file has changed since."""
    former = runs.read_table(folder / runs.COHORT)
    write_table(restore_cohort(former, recipe.shape, folder, quiet, recipe.with_skull), folder / runs.COHORT)


def predict(recipe: Recipe, folder: Path, prepared, quiet: bool) -> pd.DataFrame:
    """The networks of a run on other subjects."""
    networks = load_networks(folder, input_shape(recipe), recipe.outputs)
    with step("predicting the second cohort", quiet):
        return predictions_table(prepared.table, networks, folder, recipe.learns)


def baselines(recipe: Recipe, folder: Path, quiet: bool) -> dict:
    """Scores of baselines without a network; kept in the run folder, and made where they are not there yet."""
    file = folder / runs.BASELINES
    if not file.exists():
        write_json(baselines_of_run(folder, recipe.targets, quiet), file)
    return runs.read_json(file)


METHOD = Method(
    paper=PAPER,
    resolve=resolve,
    divide=lambda recipe: [recipe],
    sequences=lambda recipe: SEQUENCES,
    prepare=prepare,
    remark=lambda table, said: print_mask_remarks(table),
    measure=measure_cohort,
    train_split=train_split,
    predict=predict,
    introduce=introduce,
    is_large=lambda recipe: is_large(recipe.shape),
    print_cost=print_cost,
    takes_unlabelled=lambda recipe: recipe.targets in ("both", "segmentation"),  # who can still teach segmentation
    restore=restore,
    baselines=baselines,
    key={"method": VERSION},
    former=FORMER,
)
