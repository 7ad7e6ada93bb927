"""How the slice CNN is trained: what `training.pipeline` asks of a paper."""

from dataclasses import replace

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
from glioma_idh.training.pipeline import Method
from glioma_idh.training.predict import load_networks


def resolve(recipe: Recipe, cohort: TrainingCohort) -> Recipe:
    """The recipe with the inside names of the sequences typed, apart or with commas; of `all`, of those there are."""
    if recipe.rotation_deg[0] > recipe.rotation_deg[1]:
        raise InputError("--rotation-deg LOWEST HIGHEST", str(recipe.rotation_deg), "Swap the two.")
    typed = [name.strip() for names in recipe.sequence for name in names.split(",") if name.strip()]
    if "all" in [name.lower() for name in typed]:
        there = SEQUENCES if recipe.cohort == "phantom" else available_sequences(cohort.table)
        return replace(recipe, sequence=tuple(there))
    wanted = {name: parse_sequence(name) for name in typed or [""]}
    for name, sequence in wanted.items():
        if name.lower() != sequence:
            print(f"--sequence {name}: {SEQUENCE_NAMES[sequence]} is meant.")
    return replace(recipe, sequence=tuple(sequence for sequence in SEQUENCES if sequence in wanted.values()))


def prepare(table: pd.DataFrame, recipe: Recipe, quiet: bool):
    """The slices of a cohort's subjects."""
    (sequence,) = recipe.sequence
    table, slices, errors = prepare_cohort(table, sequence, recipe.size, quiet=quiet, with_skull=recipe.with_skull)
    return table, [slices], errors


def remark(table: pd.DataFrame, said: set) -> None:
    """Say what must be said of masks, and of scans with other axes than their headers say."""
    print_remarks(table.attrs.get("remarks", []), said)
    print_found(table.attrs.get("turned", {}), len(table), TURNED)


def measure(table: pd.DataFrame) -> pd.DataFrame:
    """The measures of a table's subjects, a row each."""
    measures = pd.DataFrame(table.attrs["measures"])
    return measures[measures["subject"].isin(table["subject"])]


def predict(recipe: Recipe, folder, prepared, quiet: bool) -> pd.DataFrame:
    """The networks of a run on the slices of other subjects."""
    (slices,) = prepared.arrays
    return predictions_table(prepared.table, slices, load_networks(folder, slices.shape[1:]), folder)


METHOD = Method(
    paper=PAPER,
    resolve=resolve,
    divide=lambda recipe: [replace(recipe, sequence=(sequence,)) for sequence in recipe.sequence],
    sequences=lambda recipe: recipe.sequence,
    prepare=prepare,
    remark=remark,
    measure=measure,
    train_split=train_split,
    predict=predict,
    names=lambda recipe: recipe.sequence if len(recipe.sequence) < len(SEQUENCES) else ["all"],
    several=True,
)
