"""The training steps of the slice CNN that `training.pipeline` calls."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from glioma_idh.cohorts.scans import TURNED, print_found, print_remarks
from glioma_idh.cohorts.table import SEQUENCE_NAMES, SEQUENCES, available_sequences, parse_sequence
from glioma_idh.errors import InputError
from glioma_idh.gbm2d.fit import train_split
from glioma_idh.gbm2d.inference import predictions_table
from glioma_idh.gbm2d.paper import PAPER
from glioma_idh.gbm2d.preprocessing import prepare_cohort
from glioma_idh.gbm2d.recipe import Recipe
from glioma_idh.training.cohort import TrainingCohort
from glioma_idh.training.pipeline import Method, NetworkInput
from glioma_idh.training.predict import load_networks


def resolve(recipe: Recipe, cohort: TrainingCohort) -> Recipe:
    """Return the recipe with internal sequence names. Names may be separated by commas; `all` means all available.

    An InputError names a setting or sequence that cannot be used.
    """
    if recipe.rotation_deg[0] > recipe.rotation_deg[1]:
        raise InputError("--rotation-deg LOWEST HIGHEST", str(recipe.rotation_deg), "Give the lower angle first.")
    typed = [name.strip() for names in recipe.sequence for name in names.split(",") if name.strip()]
    if "all" in [name.lower() for name in typed]:
        available = SEQUENCES if recipe.cohort == "phantom" else available_sequences(cohort.table)
        return replace(recipe, sequence=tuple(available))
    wanted = {name: parse_sequence(name) for name in typed or [""]}
    for name, sequence in wanted.items():
        if name.lower() != sequence:
            print(f"--sequence {name} is read as {SEQUENCE_NAMES[sequence]}.")
    return replace(recipe, sequence=tuple(sequence for sequence in SEQUENCES if sequence in wanted.values()))


def prepare(table: pd.DataFrame, recipe: Recipe, quiet: bool) -> tuple[pd.DataFrame, list[np.ndarray], list]:
    """Make the slices of a cohort."""
    (sequence,) = recipe.sequence
    table, slices, errors = prepare_cohort(table, sequence, recipe.size, quiet=quiet, with_skull=recipe.with_skull)
    return table, [slices], errors


def print_image_remarks(table: pd.DataFrame, reported: set) -> None:
    """Print remarks on masks, and on scans whose axes do not match their headers."""
    print_remarks(table.attrs.get("remarks", []), reported)
    print_found(table.attrs.get("turned", {}), len(table), TURNED)


def measure(table: pd.DataFrame) -> pd.DataFrame:
    """Return the image measures of the subjects in a table, one row each."""
    measures = pd.DataFrame(table.attrs["measures"])
    return measures[measures["subject"].isin(table["subject"])]


def predict(recipe: Recipe, folder: Path, inputs: NetworkInput, quiet: bool) -> pd.DataFrame:
    """Predict other subjects with the networks of a run."""
    (slices,) = inputs.arrays
    return predictions_table(inputs.table, slices, load_networks(folder, slices.shape[1:]), folder)


METHOD = Method(
    paper=PAPER,
    resolve=resolve,
    divide=lambda recipe: [replace(recipe, sequence=(sequence,)) for sequence in recipe.sequence],
    sequences=lambda recipe: recipe.sequence,
    prepare=prepare,
    print_remarks=print_image_remarks,
    measure=measure,
    train_split=train_split,
    predict=predict,
    folder_names=lambda recipe: recipe.sequence if len(recipe.sequence) < len(SEQUENCES) else ["all"],
    several=True,
)
