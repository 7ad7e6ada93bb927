"""The training steps of SGPNet and its comparators that `training.pipeline` calls."""

from dataclasses import asdict
from pathlib import Path

import pandas as pd

from glioma_idh import runs
from glioma_idh.files import write_json, write_table
from glioma_idh.progress import in_words, step
from glioma_idh.sgp3d import resources
from glioma_idh.sgp3d.baselines import baselines_of_run
from glioma_idh.sgp3d.cache import cache_cohort, measure_cohort, print_mask_remarks, restore_cohort
from glioma_idh.sgp3d.fit import is_large, train_split
from glioma_idh.sgp3d.inference import input_shape, predictions_table
from glioma_idh.sgp3d.paper import PAPER, SEQUENCES
from glioma_idh.sgp3d.recipe import METHOD as VERSION
from glioma_idh.sgp3d.recipe import Recipe, check_shape, check_targets, differences
from glioma_idh.training import device
from glioma_idh.training.cohort import TrainingCohort
from glioma_idh.training.pipeline import Method, NetworkInput
from glioma_idh.training.predict import load_networks

OLD_DEFAULTS = asdict(Recipe()) | {"method": 1}  # values of settings that old run folders do not store
del OLD_DEFAULTS["split_seed"]  # recipe.json never stores it if it equals the seed
del OLD_DEFAULTS["with_skull"]  # recipe.json stores it only if it is on


def resolve(recipe: Recipe, cohort: TrainingCohort) -> Recipe:
    """Return the recipe unchanged; an InputError names the option if shape or targets are invalid."""
    check_shape(recipe.shape)
    check_targets(recipe)
    return recipe


def describe(recipe: Recipe) -> list[str]:
    """Describe how a recipe differs from the paper's; InputError if Keras does not run on TensorFlow."""
    device.require_tensorflow()
    return ["Differs from the paper:", *(f"  {line}" for line in differences(recipe))]


def print_cost(recipe: Recipe, table: pd.DataFrame, gpus: list, jobs: int, threads: int) -> None:
    """Print the estimated memory and, without a GPU, time of the training; InputError if memory is too small."""
    memory = f"about {resources.needed_gb(recipe, jobs):.1f} GB of memory"
    if gpus:
        print(f"Estimate: {memory}")
        return
    resources.check_memory(recipe, jobs)
    device.use_threads(threads)  # before the speed test: with --jobs 1 this process also trains
    num_subjects = int((table[list(SEQUENCES)] != "").all(axis=1).sum())
    num_train = round(num_subjects * (1 - 1 / max(2, recipe.num_splits)))
    rounds = -(-recipe.num_splits // jobs)
    seconds = rounds * resources.needed_seconds(recipe, num_train, resources.measured_gflops(recipe.dtype))
    print(f"Estimate: {memory} of {resources.free_gb():.1f} GB free, about {in_words(seconds)}")


def prepare(table: pd.DataFrame, recipe: Recipe, quiet: bool) -> tuple[pd.DataFrame, list, list]:
    """Preprocess the subjects of a cohort into the cache."""
    table, errors = cache_cohort(table, recipe.shape, quiet=quiet, with_skull=recipe.with_skull)
    return table, [], errors


def restore(recipe: Recipe, folder: Path, quiet: bool) -> None:
    """Preprocess again the subjects of a run that the cache has lost; InputError if an image file has changed."""
    cohort = runs.read_table(folder / runs.COHORT)
    write_table(restore_cohort(cohort, recipe.shape, folder, quiet, recipe.with_skull), folder / runs.COHORT)


def predict(recipe: Recipe, folder: Path, inputs: NetworkInput, quiet: bool) -> pd.DataFrame:
    """Predict other subjects with the networks of a run."""
    networks = load_networks(folder, input_shape(recipe), recipe.outputs)
    with step("predicting the external cohort", quiet):
        return predictions_table(inputs.table, networks, folder, recipe.learns)


def baselines(recipe: Recipe, folder: Path, quiet: bool) -> dict:
    """Return the scores of simple baselines, computed once and kept in the run folder."""
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
    print_remarks=lambda table, reported: print_mask_remarks(table),
    measure=measure_cohort,
    train_split=train_split,
    predict=predict,
    describe=describe,
    is_large=lambda recipe: is_large(recipe.shape),
    print_cost=print_cost,
    takes_unlabelled=lambda recipe: recipe.targets in ("both", "segmentation"),  # they can train segmentation
    restore=restore,
    baselines=baselines,
    key={"method": VERSION},
    old_defaults=OLD_DEFAULTS,
)
