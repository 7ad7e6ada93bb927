"""What a paper is to the package: its results, and how its method is told. The papers' own folders fill it in."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any, get_args, get_type_hints

import tyro

NAMES = ("gbm2d", "sgp3d")
NO_FLAG = get_args(tyro.conf.Suppress[int])[1]  # how a recipe marks a setting without one


@dataclass(frozen=True)
class Printed:
    """What a paper prints of its results."""

    columns: tuple[str, ...]  # of the table, names of scores
    curves: tuple[str, ...]  # panels of the learning curves, names of logs
    boxes: tuple[str, ...]  # panels of the box plots, names of scores
    decimals: int = 2  # of the table


TABLE_ALONE = Printed(  # of a predictions table whose maker is not known
    columns=("accuracy", "sensitivity", "specificity", "auc", "ppv", "npv", "dice"),
    curves=(),
    boxes=("sensitivity", "specificity", "accuracy", "dice"),
    decimals=3,
)


@dataclass(frozen=True)
class Paper:
    """A paper, its method and its results."""

    name: str  # of its package, and in the recipe of a run
    citation: str  # for a list of references
    recipe: Any  # the paper's own settings, a frozen dataclass; what differs from it departs from the paper
    default: Callable[[dict], Any]  # (settings of a run) -> recipe that the training command starts from for such a run
    stated: tuple[str, ...]  # names of the settings that the paper itself prints; the others are ours
    sequences: tuple[str, ...]  # that its networks read together; empty where each network reads one
    call: Callable[[dict], str]  # (settings of a run) -> what its network or sequence is called, by inside name
    published: dict[str, dict[str, tuple]]  # (mean, sd) of each score, by network or sequence; no sd printed is None
    printed: Printed  # what of its results it prints, and how

    @property
    def module(self) -> str:
        """Its package."""
        return f"glioma_idh.{self.name}"

    @property
    def method(self) -> str:
        """The template that tells its method, a block a topic; its path in the package."""
        return f"{self.name}/method.j2"

    def default_flags(self, settings: dict) -> dict:
        """The settings that the training command has flags for, as it starts from them for such a run."""
        hints = get_type_hints(type(self.recipe), include_extras=True)
        return {name: of for name, of in asdict(self.default(settings)).items() if NO_FLAG not in get_args(hints[name])}


def find_paper(settings: dict) -> Paper | None:
    """The paper of a run, by `recipe` of its recipe.json; None where it is of no known one."""
    name = settings.get("paper")
    return import_module(f"glioma_idh.{name}.paper").PAPER if name in NAMES else None
