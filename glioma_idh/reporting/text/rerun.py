"""What a run was made with, and the one command that makes it again."""

import shlex

import pandas as pd

from glioma_idh.reporting.text.recipe_sentences import spelled

NOT_RECORDED = "not recorded"
MODULES = {"gbm2d": "glioma_idh.gbm2d.train", "sgp3d": "glioma_idh.sgp3d.train"}
DEFAULTS = {  # of what a command has a flag for; a test holds them to the commands' own
    "gbm2d": {
        "cohort": "phantom",
        "all_visits": False,
        "splits": "holdout",
        "num_splits": 5,
        "epochs": 500,
        "batch_size": 16,
        "seed": 0,
        "rotation_deg": [0.0, 90.0],
        "learning_rate": 1e-4,
        "split_seed": None,
        "with_skull": False,
    },
    "sgp3d": {
        "cohort": "phantom",
        "all_visits": False,
        "shape": [144, 144, 144],
        "targets": "both",
        "network": "sgpnet",
        "splits": "kfold",
        "num_splits": 5,
        "epochs": 200,
        "batch_size": 2,
        "learning_rate": 1e-4,
        "idh_learning_rate": 5e-5,
        "detach_k": False,
        "dropout": 0.3,
        "shift_fraction": 0.1,
        "standardise_features": False,
        "dtype": "float32",
        "seed": 0,
        "split_seed": None,
        "with_skull": False,
        "phantom_subjects": 24,
        "phantom_spacing_mm": 2.0,
    },
}
LAPTOP = {"shape": [32, 32, 32], "num_splits": 3, "epochs": 40, "learning_rate": 1e-3, "idh_learning_rate": 5e-4}
TARGETS = {"unet3d": "segmentation", "densenet3d": "idh", "resnet2d": "idh"}
OTHER_FACTS = {
    "device": "device",
    "duration": "time of training",
    "memory": "most memory used",
}


def environment_table(recipe_file: dict) -> pd.DataFrame:
    """Versions, seed, hashes, and device, time and memory where they are known.

    Args:
        recipe_file: content of a run's `recipe.json`; `device`, `duration` and `memory`, as text, are shown where
            somebody has added them.

    Returns:
        Text in the columns `what` and `value`; `not recorded` where the run does not say.
    """
    settings, versions = recipe_file.get("recipe", {}), recipe_file.get("versions", {})
    rows = {f"version of {name}": version for name, version in versions.items()} or {"versions": NOT_RECORDED}
    rows["hash of all settings"] = recipe_file.get("hash", NOT_RECORDED)
    for name, noun in {"cohort": "cohort table", "labels": "label sheet"}.items():
        if f"{name}_sha256" in settings:
            rows[f"SHA-256 of the {noun}"] = settings[f"{name}_sha256"]
    if "phantom" in settings:
        rows["phantom"] = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in settings["phantom"].items())
    rows["seed"] = str(settings.get("seed", NOT_RECORDED))
    if settings.get("split_seed") is not None:
        rows["seed of the splits"] = str(settings["split_seed"])
    if settings.get("paper") == "sgp3d":
        rows["precision"] = settings.get("dtype", NOT_RECORDED)
    rows |= {noun: str(recipe_file.get(key, NOT_RECORDED)) for key, noun in OTHER_FACTS.items()}
    return pd.DataFrame(list(rows.items()), columns=["what", "value"])


def command_line(recipe: dict) -> str:
    """The command that makes a run again; flags for what differs from the command's defaults.

    Settings that an older run lacks are the defaults, as they are when the run is read. A label sheet is known by its
    SHA-256 alone: `LABELS` stands for it.

    Args:
        recipe: content of a run's `recipe.json`, or `recipe` in it.

    Returns:
        One line for a shell; "" for a run of no known command.
    """
    settings = recipe.get("recipe", recipe)
    paper = settings.get("paper")
    if paper not in MODULES:
        return ""
    words = ["python", "-m", MODULES[paper]]
    if "sequence" in settings:
        words += ["--sequence", *(spelled("sequence", [name]) for name in settings["sequence"])]
    for name, default in _defaults(settings).items():
        words += _flag(name, settings.get(name, default), default)
    if settings.get("images"):
        words += ["--images", settings["images"]]
    line = shlex.join(words)
    sheet = settings.get("labels_sha256")
    return f"{line} --labels LABELS  # LABELS: the sheet with SHA-256 {sheet}" if sheet else line


def _defaults(settings: dict) -> dict:
    """A command's defaults, which depend on cohort and network in 3D."""
    defaults = DEFAULTS[settings["paper"]]
    if settings["paper"] == "sgp3d":
        defaults = defaults | (LAPTOP if settings.get("cohort") == "phantom" else {})
        defaults = defaults | {"targets": TARGETS.get(settings.get("network"), defaults["targets"])}
    return defaults


def _flag(name: str, value, default) -> list[str]:
    """The words of one flag; none where the setting is the default."""
    if value == default:
        return []
    flag = "--" + name.replace("_", "-")
    if value is True:
        return [flag]
    return [flag, *map(str, value if isinstance(value, list) else [value])]
