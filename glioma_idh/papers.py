"""Description of a paper: its settings, published results and method template. Each paper's folder provides one."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any, get_args, get_type_hints

import tyro

NAMES = ("gbm2d", "sgp3d")
NO_FLAG = get_args(tyro.conf.Suppress[int])[1]  # marks a setting without a command-line flag


@dataclass(frozen=True)
class Printed:
    """Which results a paper reports, and how."""

    columns: tuple[str, ...]  # of the results table, names of scores
    curves: tuple[str, ...]  # panels of the learning curves, names of logs
    boxes: tuple[str, ...]  # panels of the box plots, names of scores
    decimals: int = 2  # in the results table


TABLE_ALONE = Printed(  # for a predictions table without a run
    columns=("accuracy", "sensitivity", "specificity", "auc", "ppv", "npv", "dice"),
    curves=(),
    boxes=("sensitivity", "specificity", "accuracy", "dice"),
    decimals=3,
)


@dataclass(frozen=True)
class Paper:
    """A paper with its method and results."""

    name: str  # of its package; also in the recipe of a run
    citation: str  # for the list of references
    recipe: Any  # the published settings, a frozen dataclass
    default: Callable[[dict], Any]  # (settings of a run) -> default recipe of the training command for such a run
    stated: tuple[str, ...]  # settings stated in the paper; the others are our choice
    sequences: tuple[str, ...]  # input sequences of a network; empty if each network has a single one
    call: Callable[[dict], str]  # (settings of a run) -> name of its network or sequence (internal name)
    published: dict[str, dict[str, tuple]]  # (mean, sd) of each score, by network or sequence; sd None if not published
    printed: Printed  # which results it reports, and how

    @property
    def module(self) -> str:
        """Its package."""
        return f"glioma_idh.{self.name}"

    @property
    def method(self) -> str:
        """Path of the template of its method in the package; one block per topic."""
        return f"{self.name}/method.j2"

    def default_flags(self, settings: dict) -> dict:
        """Default values, for such a run, of the settings that have a command-line flag."""
        hints = get_type_hints(type(self.recipe), include_extras=True)
        return {name: of for name, of in asdict(self.default(settings)).items() if NO_FLAG not in get_args(hints[name])}


def find_paper(settings: dict) -> Paper | None:
    """The paper of a run, from `recipe` in its recipe.json; None if unknown."""
    name = settings.get("paper")
    return import_module(f"glioma_idh.{name}.paper").PAPER if name in NAMES else None
