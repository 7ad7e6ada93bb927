"""The run folder: what is written, resumed and read back. Beside the files below it has `record`'s run.json."""

import hashlib
import json
from pathlib import Path

import pandas as pd

from glioma_idh.cohorts.table import PATHS, SEQUENCE_NAMES
from glioma_idh.errors import InputError
from glioma_idh.files import write_json, written_whole
from glioma_idh.record import RUN, versions

RECIPE = "recipe.json"  # every number, versions, hashes, the paper's own results
COHORT = "cohort.csv"  # who was used
EXCLUSIONS = "exclusions.csv"  # who was not, and why
MEASURES = "measures.csv"  # of each of them, by which further subjects are compared with them
SLICES = "slices.npz"  # the prepared arrays (2D)
SPLITS = "splits.csv"  # who was trained on and tested where
MODEL = "model.keras"  # in split_1, split_2 ..., as the next five
HISTORY = "history.csv"
PREDICTIONS = "predictions.csv"  # also of the run, one row a subject and split
COST = "cost.json"
CHECKPOINT = "checkpoint.weights.h5"  # while it trains
MASKS = "masks"  # the predicted lesion of each subject tested in the split (3D)
BASELINES = "baselines.json"  # scores of answers that need no network (3D)
PLANTED = "planted.csv"  # of phantoms, the best possible scores
METRICS = "metrics.json"  # the numbers, per split and pooled, and their performance measures
FIGURES = "figures"
REPORT = "report.html"  # all of it on a page; report_files/ its figures, tables and numbers
EXTERNAL = "external"  # results on other cohorts
PREDICT = "predict"  # predictions of other subjects
FORMAT = 2  # of a run folder; before, splits were counted from 0
SHOWN = 4  # of runs, in a message
TEXT_COLUMNS = {"subject", "patient", "cohort", "site", "grade", "sex", "histology", "codeletion_1p19q", "mgmt"}
TEXT_COLUMNS |= {"who2021", "brain_mask", "adc_divisor", "file", "expected", "found", "advice", "remarks"}
TEXT_COLUMNS |= {f"{image}_voxel_hash" for image in PATHS}


def read_table(path) -> pd.DataFrame:
    """Read a table of a run: text columns as text (ids keep their zeros), the others as numbers, empty as NaN.

    It is an InputError where it is not there, or a spreadsheet has saved it with semicolons or tabs.
    """
    if isinstance(path, (str, Path)) and not Path(path).is_file():
        raise InputError("a table of a run", "no such file", "A run must be whole: put it back, or train again.", path)
    table = pd.read_csv(path, dtype=dict.fromkeys(TEXT_COLUMNS, str), keep_default_na=False, na_values=[""])
    if len(table.columns) == 1 and set(table.columns[0]) & {";", "\t"}:
        advice = "A spreadsheet has changed it: put the file back as the program wrote it."
        raise InputError("a table of a run, divided by commas", f"the header {table.columns[0]!r}", advice, path)
    return table.fillna(dict.fromkeys(TEXT_COLUMNS & set(table.columns), ""))


def read_json(path) -> dict:
    """Read JSON of a run; an InputError where it is not there or not JSON."""
    try:
        return json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        advice = "Name the folder that a training command made; of several sequences, the folder of one."
        raise InputError("a run folder with this file", f"{type(error).__name__}", advice, file=path) from error


def read_metrics(folder: Path) -> dict:
    """The content of `metrics.json`; before 0.2.0 its `performance` was called `worth`."""
    numbers = read_json(folder / METRICS)
    if "worth" in numbers:
        numbers["performance"] = numbers.pop("worth")
    return numbers


def read_recipe(folder) -> dict:
    """The content of a run's `recipe.json`; an InputError where there is none, or splits were counted otherwise."""
    file = Path(folder) / RECIPE
    if not file.is_file():
        raise no_run(folder)
    content = read_json(file)
    if not isinstance(content, dict) or not isinstance(content.get("recipe"), dict):
        advice = "Name a folder that a training command made."
        raise InputError("the recipe of a run", "something else", advice, file=file)
    found = content.get("format", 1)
    if found != FORMAT:
        other = "an earlier version" if found == 1 else "another version"
        advice = "Train again, into another --run-dir: folders and columns of its splits are numbered otherwise."
        raise InputError(f"a run in format {FORMAT}", f"format {found}, trained by {other}", advice, file=file)
    return content


def no_run(folder) -> InputError:
    """The error of a path that is no run's folder: what it is, and which runs lie above, in or beside it."""
    folder = Path(folder)
    place = folder.absolute()
    above = next((parent for parent in place.parents if (parent / RECIPE).is_file()), None)

    def runs_in(where: Path) -> list[Path]:  # a run of several sequences has a folder for each
        return sorted(file.parent for pattern in ("*", "*/*") for file in where.glob(f"{pattern}/{RECIPE}"))

    inside = runs_in(place)
    if above is not None:
        found, named = f"{'a folder' if place.is_dir() else 'a path'} within the run {above.name}", [above]
    elif inside:
        found, named = f"a folder that holds {len(inside)} run{'s' if len(inside) > 1 else ''}", inside
    else:
        there = "a folder without one" if place.is_dir() else "a file" if place.exists() else "no such folder"
        found, named = there, runs_in(next(parent for parent in place.parents if parent.is_dir()))
    advice = "Name a folder that a training command made."
    if named:
        more = f" ... ({len(named)} in all)" if len(named) > SHOWN else ""
        advice = f"Name {' or '.join(map(str, named[:SHOWN]))}{more}."
    return InputError("the folder of a run, with its recipe.json", found, advice, file=folder)


def list_runs(folders) -> list[Path]:
    """The folders of runs, each once; one that holds several, stands for them; no run is an error."""
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


def read_costs(folder) -> dict[str, str]:
    """What the trainings of a run took, in words, `device`, `duration` and `memory`; empty of older runs."""
    files = sorted(Path(folder).glob(f"split_*/{COST}"))
    if not files:
        return {}
    costs = pd.DataFrame(map(read_json, files))
    return {
        "device": ", ".join(costs["device"].unique()),
        "duration": f"{costs['seconds'].median() / 60:.1f} min a split (median of {len(costs)}, since its last start)",
        "memory": f"{costs['peak_memory_gb'].max():.1f} GB in one process",
    }


def cohort_name(cohort: str) -> str:
    """What a cohort is called: its name, or of a table its file's; of one called `cohort`, its folder's."""
    path = Path(cohort)
    if not path.suffix:
        return cohort
    return (path.parent.name if path.stem.lower() == "cohort" else "") or path.stem


def recipe_hash(recipe: dict) -> str:
    """Eight characters that stand for every setting of a recipe."""
    return hashlib.sha256(json.dumps(recipe, sort_keys=True, default=str).encode()).hexdigest()[:8]


def find_run(folder, recipe: dict, defaults: dict | None = None) -> bool:
    """Whether a folder, which need not be there, has a run finished already; it can else take the run.

    One that holds a run of another recipe or version, or something else, or cannot be written, is an InputError.
    """
    folder = Path(folder)
    if (folder / RECIPE).exists():
        if differing := differing_settings(folder, recipe, defaults):
            expected = ", ".join(f"{name} {now!r}" for name, (_, now) in differing.items())
            found = ", ".join(f"{name} {former!r}" for name, (former, _) in differing.items())
            raise InputError(expected, found, "This folder holds another run: name another --run-dir.", file=folder)
        return (folder / METRICS).exists()
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if there := [name for name in names if name != RUN and not name.startswith("part-")]:
        found = ", ".join(there[:5])
        raise InputError("an empty or new folder, or a run", found, "Name another --run-dir.", file=folder)
    new = [path for path in (folder, *folder.parents) if not path.is_dir()]
    with written_whole(folder / "part-probe") as probe:
        probe.touch()
    (folder / "part-probe").unlink()
    for path in new:
        path.rmdir()  # they are made again once there is something to put in them
    return False


def differing_settings(folder, recipe: dict, defaults: dict | None = None) -> dict[str, tuple]:
    """The settings in which the run in a folder differs from a recipe: by name the run's value and the recipe's.

    Where there is no run, nothing differs; one of another version is an InputError.
    """
    if not (Path(folder) / RECIPE).exists():
        return {}
    former, recipe = as_read(defaults or {}) | read_recipe(folder)["recipe"], as_read(recipe)
    pairs = {name: (former.get(name), recipe.get(name)) for name in sorted(recipe.keys() | former.keys())}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def begin_run(folder, recipe: dict, published: dict) -> None:
    """Write the recipe of a run, and the paper's own results beside it: from now on the folder is that run's."""
    content = {"format": FORMAT, "recipe": as_read(recipe), "hash": recipe_hash(recipe)}
    write_json(content | {"versions": versions(), "published": published}, Path(folder) / RECIPE)


def as_read(recipe: dict) -> dict:
    """A recipe as it comes back from JSON: paths as text, tuples as lists."""
    return json.loads(json.dumps(recipe, default=str))


def split_folder(folder, index: int) -> Path:
    """The folder of one split, `split_1` for the index 0, in the order of splits.csv."""
    return Path(folder) / f"split_{index + 1}"


def mask_file(folder, index: int, subject: str) -> Path:
    """The predicted mask of a subject that was tested in a split."""
    return split_folder(folder, index) / MASKS / f"{subject}.nii.gz"


def has_masks(folder) -> bool:
    """Whether a run has kept predicted masks, of each split or, in older runs, in one `masks/` for all."""
    return any(path.is_dir() for path in (Path(folder) / MASKS, *Path(folder).glob(f"split_*/{MASKS}")))


def find_masks(folder, subject: str) -> dict[tuple[int, int], Path]:
    """The predicted masks of a subject by the (repeat, split) that tested it; none in older runs."""
    file = Path(folder) / SPLITS
    splits = list_splits(read_table(file)) if file.exists() else []
    masks = {split: mask_file(folder, index, subject) for index, split in enumerate(splits)}
    return {split: mask for split, mask in masks.items() if mask.exists()}


def list_splits(splits: pd.DataFrame) -> list[tuple[int, int]]:
    """The (repeat, split) of each split, in order."""
    return sorted({(int(repeat), int(split)) for repeat, split in zip(splits["repeat"], splits["split"], strict=True)})


def read_split(folder, index: int) -> pd.DataFrame:
    """The cohort table of a run, with the `part` that each subject plays in a split: train, test, or empty for none."""
    splits = read_table(Path(folder) / SPLITS)
    repeat, number = list_splits(splits)[index]
    split = splits[(splits["repeat"] == repeat) & (splits["split"] == number)]
    return read_table(Path(folder) / COHORT).merge(split, on="subject", how="left", validate="one_to_one")
