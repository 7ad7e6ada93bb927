"""The environment of a run, its differences from the paper, and the command that repeats it."""

import shlex

import pandas as pd

from glioma_idh.papers import find_paper
from glioma_idh.reporting.text.templates import spelled
from glioma_idh.runs import as_read

NOT_RECORDED = "not recorded"
OTHER_FACTS = {"device": "device", "duration": "training time", "memory": "peak memory"}
OF_COMPARATORS = ("shape", "splits", "num_splits")
WORDS = {  # name of a setting in print, where it differs from the name in the code
    "shape": "input size in voxels",
    "splits": "type of splits",
    "num_splits": "number of splits",
    "test_fraction": "proportion of test patients",
    "min_test_mutants": "minimum number of mutants in a test set",
    "idh_learning_rate": "learning rate of the IDH block",
    "move_probability": "probability of flip and shift",
    "size": "input size in pixels",
    "rotation_deg": "rotation in degrees",
}


def environment_table(recipe_file: dict) -> pd.DataFrame:
    """Versions, seeds and hashes of `recipe.json`, and device, time and memory if they were added to it.

    Columns `what` and `value`, as text; `not recorded` where the run lacks the information.
    """
    settings, versions = recipe_file.get("recipe", {}), recipe_file.get("versions", {})
    rows = {f"version of {name}": version for name, version in versions.items()} or {"versions": NOT_RECORDED}
    rows["hash of all settings"] = recipe_file.get("hash", NOT_RECORDED)
    for name, noun in {"cohort": "cohort table", "labels": "label sheet"}.items():
        if f"{name}_sha256" in settings:
            rows[f"SHA-256 of the {noun}"] = settings[f"{name}_sha256"]
    if "phantom" in settings:
        rows["synthetic cohort (phantom)"] = ", ".join(
            f"{key.replace('_', ' ')} {value}" for key, value in settings["phantom"].items()
        )
    rows["random seed"] = str(settings.get("seed", NOT_RECORDED))
    if settings.get("split_seed") is not None:
        rows["random seed of the splits"] = str(settings["split_seed"])
    if (paper := find_paper(settings)) and hasattr(paper.recipe, "dtype"):
        rows["precision"] = settings.get("dtype", NOT_RECORDED)
    rows |= {noun: str(recipe_file.get(key, NOT_RECORDED)) for key, noun in OTHER_FACTS.items()}
    return pd.DataFrame(list(rows.items()), columns=["what", "value"])


def command_line(settings: dict) -> str:
    """The command that repeats a run, with flags for settings that differ from the command's defaults; "" if unknown.

    Settings that an older run lacks take their defaults, as when the run is read. Only the SHA-256 of a label sheet is
    stored, so `LABELS` stands for its path.
    """
    paper = find_paper(settings)
    if paper is None:
        return ""
    words = ["python", "-m", f"{paper.module}.train"]
    if "sequence" in settings:
        words += ["--sequence", *(spelled("sequence", [name]) for name in settings["sequence"])]
    for name, default in as_read(paper.default_flags(settings)).items():
        value = settings.get(name, default)
        if value != default and name != "sequence":
            flag = "--" + name.replace("_", "-")
            words += [flag] if value is True else [flag, *map(str, value if isinstance(value, list) else [value])]
    if settings.get("images"):
        words += ["--images", settings["images"]]
    line = shlex.join(words)
    sheet = settings.get("labels_sha256")
    return f"{line} --labels LABELS  # LABELS: path of the label sheet (SHA-256 {sheet})" if sheet else line


def unlike_published(settings: dict, with_cohort: bool = False) -> list[str]:
    """Settings that differ from the published ones, each with both values: `epochs 5 (published: 500)`.

    For a comparator, only the settings that it shares with the paper's network count. A different cohort counts only
    `with_cohort`.
    """
    paper = find_paper(settings)
    if paper is None:
        return []
    names = paper.stated if settings.get("network", "sgpnet") == "sgpnet" else OF_COMPARATORS
    published = as_read(vars(paper.recipe))
    return [
        f"{WORDS.get(name, name.replace('_', ' '))} {spelled(name, settings[name])} "
        f"(published: {spelled(name, published[name])})"
        for name in names
        if name in settings and settings[name] != published[name] and (with_cohort or name != "cohort")
    ]
