"""File names of a run folder, and functions to write, resume and read it. `record` also writes run.json there."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import pandas as pd

from glioma_idh.cohorts.table import PATHS, SEQUENCE_NAMES
from glioma_idh.errors import InputError
from glioma_idh.files import write_json, written_whole
from glioma_idh.record import RUN, versions

RECIPE = "recipe.json"  # all settings, versions, hashes, the paper's own results
COHORT = "cohort.csv"  # subjects used
EXCLUSIONS = "exclusions.csv"  # excluded subjects, with reasons
MEASURES = "measures.csv"  # image measures of the subjects used, to compare new subjects with
SLICES = "slices.npz"  # preprocessed slices (2D)
SPLITS = "splits.csv"  # training and test set of each split
MODEL = "model.keras"  # in split_1, split_2 ..., as are the next five
HISTORY = "history.csv"  # learning curves
PREDICTIONS = "predictions.csv"  # also in the run folder: one row per subject and split
COST = "cost.json"  # time and memory of the training
CHECKPOINT = "checkpoint.weights.h5"  # only during training
MASKS = "masks"  # predicted lesion masks of the test set (3D)
BASELINES = "baselines.json"  # scores of simple baselines (3D)
PLANTED = "planted.csv"  # best possible scores of synthetic subjects
METRICS = "metrics.json"  # results per split and pooled, and performance measures; written last
FIGURES = "figures"
REPORT = "report.html"  # the report; its figures, tables and numbers are in report_files/
EXTERNAL = "external"  # results on external cohorts
PREDICT = "predict"  # predictions of new subjects
FORMAT = 2  # of the run folder; format 1 counted splits from 0
SHOWN = 4  # runs named in a message
NOT_A_RUN = "Choose a folder made by a training command."
TEXT_COLUMNS = {"subject", "patient", "cohort", "site", "grade", "sex", "histology", "codeletion_1p19q", "mgmt"}
TEXT_COLUMNS |= {"who2021", "brain_mask", "adc_divisor", "file", "expected", "found", "advice", "remarks"}
TEXT_COLUMNS |= {f"{image}_voxel_hash" for image in PATHS}


def read_table(path: str | Path | TextIO) -> pd.DataFrame:
    """Read a table of a run. Text columns stay text, so that ids keep leading zeros; empty numbers are NaN.

    Raises InputError if the file is missing, or was saved by a spreadsheet program with semicolons or tabs.
    """
    if isinstance(path, (str, Path)) and not Path(path).is_file():
        advice = "The run folder is incomplete: restore the file, or train again."
        raise InputError("a table of a run", "no such file", advice, path)
    table = pd.read_csv(path, dtype=dict.fromkeys(TEXT_COLUMNS, str), keep_default_na=False, na_values=[""])
    if len(table.columns) == 1 and set(table.columns[0]) & {";", "\t"}:
        advice = "The file was changed, perhaps by a spreadsheet program: restore the original."
        raise InputError("a table of a run, separated by commas", f"the header {table.columns[0]!r}", advice, path)
    return table.fillna(dict.fromkeys(TEXT_COLUMNS & set(table.columns), ""))


def read_json(path: str | Path) -> dict:
    """Read a JSON file of a run; InputError if it is missing or not JSON."""
    try:
        return json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        if not (Path(path).parent / RECIPE).is_file():
            raise no_run(Path(path).parent) from error
        found = "no such file" if isinstance(error, FileNotFoundError) else f"unreadable content ({error})"
        advice = "The run folder is incomplete: restore the file, or train again."
        raise InputError("a JSON file of a run", found, advice, file=path) from error


def read_metrics(folder: Path) -> dict:
    """Read `metrics.json`. Before version 0.2.0 the key `performance` was called `worth`."""
    numbers = read_json(folder / METRICS)
    if "worth" in numbers:
        numbers["performance"] = numbers.pop("worth")
    return numbers


def read_recipe(folder: str | Path) -> dict:
    """Read `recipe.json`; InputError if it is missing or has another format version."""
    file = Path(folder) / RECIPE
    if not file.is_file():
        raise no_run(folder)
    content = read_json(file)
    if not isinstance(content, dict) or not isinstance(content.get("recipe"), dict):
        raise InputError("the recipe of a run", "other content", NOT_A_RUN, file=file)
    found = content.get("format", 1)
    if found != FORMAT:
        other = "an earlier version" if found == 1 else "another version"
        advice = "Its splits are numbered differently: train again, with another --run-dir."
        raise InputError(f"a run in format {FORMAT}", f"format {found}, trained by {other}", advice, file=file)
    return content


def no_run(folder: str | Path) -> InputError:
    """Make the error for a path that is not a run folder. It names the runs above, in, or beside the path."""
    folder = Path(folder)
    place = folder.absolute()
    above = next((parent for parent in place.parents if (parent / RECIPE).is_file()), None)

    def runs_in(where: Path) -> list[Path]:  # a run of several sequences has a subfolder for each
        return sorted(file.parent for pattern in ("*", "*/*") for file in where.glob(f"{pattern}/{RECIPE}"))

    inside = runs_in(place)
    if above is not None:
        found, named = f"a {'folder' if place.is_dir() else 'path'} inside the run {above.name}", [above]
    elif inside:
        found, named = f"a folder with {len(inside)} run{'s' if len(inside) > 1 else ''} in it", inside
    else:
        there = "a folder without recipe.json" if place.is_dir() else "a file" if place.exists() else "no such folder"
        found, named = there, runs_in(next(parent for parent in place.parents if parent.is_dir()))
    more = f" ... ({len(named)} runs)" if len(named) > SHOWN else ""
    advice = f"Choose {' or '.join(map(str, named[:SHOWN]))}{more}." if named else NOT_A_RUN
    return InputError("the folder of one run", found, advice, file=folder)


def list_runs(folders: Iterable[str | Path]) -> list[Path]:
    """List run folders, each once. A folder of several runs is replaced by these; InputError if there is no run."""
    order, found = list(SEQUENCE_NAMES), {}
    for folder in map(Path, folders):
        inside = sorted(file.parent for file in folder.glob(f"*/{RECIPE}"))
        inside.sort(key=lambda path: order.index(path.name) if path.name in order else len(order))
        runs = [folder] if (folder / RECIPE).exists() else inside
        if not runs:
            raise no_run(folder)
        for run in runs:
            found[run.resolve()] = run
    return list(found.values())


def read_costs(folder: str | Path) -> dict[str, str]:
    """Describe the cost of a run's trainings: texts `device`, `duration` and `memory`; empty for old runs."""
    files = sorted(Path(folder).glob(f"split_*/{COST}"))
    if not files:
        return {}
    costs = pd.DataFrame(map(read_json, files))
    return {
        "device": ", ".join(costs["device"].unique()),
        "duration": f"{costs['seconds'].median() / 60:.1f} min per split (median of {len(costs)}, last start)",
        "memory": f"{costs['peak_memory_gb'].max():.1f} GB per process",
    }


def cohort_name(cohort: str) -> str:
    """Name a cohort: its own name, or the file name of a table, or the folder of a table called `cohort`."""
    path = Path(cohort)
    if not path.suffix:
        return cohort
    return (path.parent.name if path.stem.lower() == "cohort" else "") or path.stem


def recipe_hash(recipe: dict) -> str:
    """Hash a recipe to eight characters."""
    return hashlib.sha256(json.dumps(recipe, sort_keys=True, default=str).encode()).hexdigest()[:8]


def find_run(folder: str | Path, recipe: dict, defaults: dict | None = None) -> bool:
    """Return whether a folder holds the finished run of this recipe. If False, the run can be started or resumed there.

    Raises InputError if the folder holds another run or other files, or cannot be written.
    """
    folder = Path(folder)
    if (folder / RECIPE).exists():
        if differing := differing_settings(folder, recipe, defaults):
            expected = "a run with " + ", ".join(f"{name} {now!r}" for name, (_, now) in differing.items())
            found = "one with " + ", ".join(f"{name} {former!r}" for name, (former, _) in differing.items())
            advice = "The folder holds a run with other settings: choose another --run-dir."
            raise InputError(expected, found, advice, file=folder)
        return (folder / METRICS).exists()
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if there := [name for name in names if name != RUN and not name.startswith("part-")]:
        found = ", ".join(there[:5])
        raise InputError("an empty or new folder, or a run", found, "Choose another --run-dir.", file=folder)
    new = [path for path in (folder, *folder.parents) if not path.is_dir()]
    with written_whole(folder / "part-probe") as probe:
        probe.touch()
    (folder / "part-probe").unlink()
    for path in new:
        path.rmdir()  # made again when the first file is written
    return False


def differing_settings(folder: str | Path, recipe: dict, defaults: dict | None = None) -> dict[str, tuple]:
    """Compare the run in a folder with a recipe: returns (value of the run, value of the recipe) by differing setting.

    Empty if there is no run. Raises InputError if the run has another format version.
    """
    if not (Path(folder) / RECIPE).exists():
        return {}
    former, recipe = as_read(defaults or {}) | read_recipe(folder)["recipe"], as_read(recipe)
    pairs = {name: (former.get(name), recipe.get(name)) for name in sorted(recipe.keys() | former.keys())}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def begin_run(folder: str | Path, recipe: dict, published: dict) -> None:
    """Write `recipe.json` with the paper's published results; from then on the folder belongs to this run."""
    content = {"format": FORMAT, "recipe": as_read(recipe), "hash": recipe_hash(recipe)}
    write_json(content | {"versions": versions(), "published": published}, Path(folder) / RECIPE)


def as_read(recipe: dict) -> dict:
    """Return a recipe as it is read from JSON: paths as text, tuples as lists."""
    return json.loads(json.dumps(recipe, default=str))


def split_folder(folder: str | Path, index: int) -> Path:
    """Return the folder of a split: `split_1` for index 0, in the order of splits.csv."""
    return Path(folder) / f"split_{index + 1}"


def mask_file(folder: str | Path, index: int, subject: str) -> Path:
    """Return the file of the predicted mask of a test subject."""
    return split_folder(folder, index) / MASKS / f"{subject}.nii.gz"


def has_masks(folder: str | Path) -> bool:
    """Return whether a run has predicted masks: one folder per split or, in old runs, a single `masks/`."""
    return any(path.is_dir() for path in (Path(folder) / MASKS, *Path(folder).glob(f"split_*/{MASKS}")))


def find_masks(folder: str | Path, subject: str) -> dict[tuple[int, int], Path]:
    """Return the predicted masks of a subject by (repeat, split) in which it was tested; empty for old runs."""
    file = Path(folder) / SPLITS
    splits = list_splits(read_table(file)) if file.exists() else []
    masks = {split: mask_file(folder, index, subject) for index, split in enumerate(splits)}
    return {split: mask for split, mask in masks.items() if mask.exists()}


def list_splits(splits: pd.DataFrame) -> list[tuple[int, int]]:
    """List the (repeat, split) pairs of all splits, in order."""
    return sorted({(int(repeat), int(split)) for repeat, split in zip(splits["repeat"], splits["split"], strict=True)})


def read_split(folder: str | Path, index: int) -> pd.DataFrame:
    """Read the cohort table of a run with the column `part` of one split: "train", "test", or empty if not in it."""
    splits = read_table(Path(folder) / SPLITS)
    repeat, number = list_splits(splits)[index]
    split = splits[(splits["repeat"] == repeat) & (splits["split"] == number)]
    return read_table(Path(folder) / COHORT).merge(split, on="subject", how="left", validate="one_to_one")
