"""What both papers' `predict` commands ask of a finished run."""

import sys
from pathlib import Path

import pandas as pd

from glioma_idh import runs
from glioma_idh.cohorts import read_cohort
from glioma_idh.cohorts.table import PATHS, check_subjects, require_files
from glioma_idh.errors import InputError
from glioma_idh.record import reads
from glioma_idh.runs.run import is_synthetic, require_finished


def load_networks(run_dir: Path, input_shape: tuple[int, ...], outputs: tuple[str, ...] = ()) -> list:
    """The network of each split of a finished run.

    Args:
        run_dir: folder of the run.
        input_shape: of one subject, which the networks must take.
        outputs: names that they must have, where it matters.

    Raises:
        InputError: a file is no network, or one for other input or with other outputs.
    """
    from glioma_idh.quiet_keras import keras  # not before: TensorFlow takes seconds to load

    splits = runs.list_splits(runs.read_table(run_dir / runs.SPLITS))
    networks = []
    for file in [runs.split_folder(run_dir, index) / runs.MODEL for index in range(len(splits))]:
        try:
            network = keras.models.load_model(file, compile=False)
        except (OSError, ValueError) as error:
            raise InputError("a network", f"{type(error).__name__}: {error}", "Train it again.", file=file) from error
        wanted, found = (tuple(input_shape), sorted(outputs)), (network.input_shape[1:], sorted(network.output_names))
        if wanted[0] != found[0] or (outputs and wanted[1] != found[1]):
            texts = [f"{shape} with {', '.join(names)}" if outputs else f"{shape}" for shape, names in (wanted, found)]
            advice = "It is another network's file."
            raise InputError(f"a network for {texts[0]}", f"one for {texts[1]}", advice, file=file)
        networks.append(network)
    return networks


def read_finished_run(run_dir: Path, paper: str) -> tuple[dict, bool]:
    """The recipe of a finished run, and whether its patients are phantoms.

    Raises:
        InputError: the folder holds none, one of another paper or version, or one that is not finished.
    """
    settings = runs.read_recipe(run_dir)["recipe"]
    if settings.get("paper") != paper:
        found = f"a run of {settings.get('paper', 'something else')}"
        raise InputError(f"a run of glioma_idh.{paper}.train", found, "Use that pipeline's predict.", file=run_dir)
    require_finished(run_dir)
    reads(run_dir / runs.RECIPE)
    return settings, is_synthetic(runs.read_table(run_dir / runs.COHORT))


def read_subjects(wanted, sequences) -> pd.DataFrame:
    """The cohort table of whom to predict: those of `wanted.cohort` who have any image; labels are not needed.

    Raises:
        InputError: nobody has.
    """
    settings = {"sequences": sequences, "all_visits": wanted.all_visits, "quiet": wanted.quiet}
    cohort, _ = read_cohort(wanted.cohort, wanted.images, wanted.labels, **settings)
    table, errors = check_subjects(cohort)
    for error in errors:
        print(f"set aside: {error}", file=sys.stderr)
    table = table[(table[list(PATHS)] != "").any(axis=1)]
    if table.empty:
        raise InputError("subjects with images", "none", "Check the paths in the cohort table.", file=wanted.cohort)
    require_files(table)
    return table


def warn_of_skull(wanted, recipe: dict) -> None:
    """Say that scans with skull were let in although the run learnt from scans without."""
    if wanted.with_skull and not recipe.get("with_skull"):
        text = "--with-skull: the run learnt from scans that are 0 around the brain; others give other scores."
        print(text, file=sys.stderr)


def warn_of_predictions(table: pd.DataFrame, run_dir: Path, synthetic: bool) -> None:
    """Say what scores are not: test results of the run's own patients, or, from phantoms, anything clinical."""
    known = table["patient"].isin(runs.read_table(run_dir / runs.COHORT)["patient"]).sum()
    if known:
        text = f"{known} of {len(table)} subjects are patients of the run itself: these are not test results."
        print(f"{text} Those are in {run_dir / 'predictions.csv'}", file=sys.stderr)
    if synthetic:
        text = "These networks learnt from the synthetic phantom: their scores mean nothing for a patient."
        print(text, file=sys.stderr)
