"""Every published setting of the slice CNN."""

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from glioma_idh import cohorts
from glioma_idh.command_line import SWITCH, option


@dataclass(frozen=True)
class Recipe:
    """Settings that change the results. Defaults are from Pasquini et al. 2021 (the paper), or our choice."""

    sequence: Annotated[tuple[str, ...], option("NAME [NAME ...]")] = ("rCBV",)
    """T1, T2, FLAIR, T1Gd (or MPRAGE, T1CE), rCBV, ADC, or all. One network is trained per sequence."""
    cohort: Annotated[str, tyro.conf.arg(metavar="NAME", help=cohorts.HELP)] = "phantom"
    all_visits: Annotated[bool, SWITCH] = False
    """Use follow-up visits too; without this option, only the first visit of each patient is used."""
    splits: Literal["holdout", "kfold"] = "holdout"
    """holdout: random test sets of 20 % with 5 mutants or more, as in paper section Image processing; kfold: k-fold."""
    num_splits: Annotated[int, tyro.conf.arg(aliases=["--folds"])] = 5
    """Number of splits. The paper uses "five different splitting" (section CNN architecture)."""
    epochs: int = 500
    """Passes over the balanced training set (paper section CNN architecture). The last epoch's weights are kept."""
    batch_size: int = 16
    """Slices per training step (our choice)."""
    seed: int = 0
    """Random seed for weights, order of slices and rotation; without --split-seed, also for the splits."""
    rotation_deg: tuple[float, float] = (0.0, 90.0)
    """Range of the random rotation in degrees (paper section Image processing). Keras' rotation_range=90: -90 90."""
    learning_rate: float = 1e-4
    """Learning rate of the Adam optimizer (paper section CNN architecture)."""
    split_seed: Annotated[int | None, option("INT", "the value of --seed")] = None
    """Random seed for the splits alone. Give it to train with several values of --seed on the same splits."""
    with_skull: Annotated[bool, SWITCH] = False
    """Accept scans that are not skull-stripped and have no brain mask: every voxel that is not 0 counts as brain."""
    size: tyro.conf.Suppress[int] = 64  # pixels per side after resampling (paper section Image processing)
    test_fraction: tyro.conf.Suppress[float] = 0.2  # test_size=20% (paper section Image processing)
    min_test_mutants: tyro.conf.Suppress[int] = 5  # paper section Image processing
    filters: tyro.conf.Suppress[tuple[int, ...]] = (16, 32, 64, 64)  # our choice: "few parameters" (CNN architecture)
    units: tyro.conf.Suppress[tuple[int, ...]] = (64, 32)  # our choice: dense layers before the two outputs

    def __post_init__(self):
        if isinstance(self.sequence, str):
            object.__setattr__(self, "sequence", (self.sequence,))

    @property
    def phantom(self) -> dict[str, int]:
        """Size of the synthetic cohort: empty for its default, which is the paper's 100 patients, 17 of them mutant."""
        return {}


# Table 1, mean and standard deviation over five splits. T1's loss is printed "1.4± 09", read as 0.9.
_SCORES = ("accuracy", "ccel", "sensitivity", "specificity", "auc")
_TABLE_1 = {
    "t1": ((0.77, 0.11), (1.40, 0.90), (0.36, 0.29), (0.95, 0.07), (0.71, 0.23)),
    "t2": ((0.67, 0.12), (2.41, 0.77), (0.48, 0.16), (0.75, 0.12), (0.63, 0.07)),
    "flair": ((0.77, 0.11), (1.98, 1.06), (0.28, 0.27), (0.95, 0.03), (0.74, 0.13)),
    "t1gd": ((0.66, 0.10), (2.55, 0.93), (0.43, 0.24), (0.74, 0.17), (0.62, 0.15)),
    "rcbv": ((0.83, 0.07), (0.64, 0.23), (0.76, 0.08), (0.86, 0.08), (0.86, 0.05)),
    "adc": ((0.56, 0.11), (2.53, 0.28), (0.14, 0.07), (0.73, 0.16), (0.45, 0.04)),
}
PUBLISHED = {sequence: dict(zip(_SCORES, row, strict=True)) for sequence, row in _TABLE_1.items()}
