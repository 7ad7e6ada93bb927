"""Every published setting of the slice CNN, and where and how to run it. The command line is these two classes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True)
class Recipe:
    """What is computed. Defaults are the paper's (Pasquini et al. 2021), or marked ours where it is silent."""

    sequence: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME [NAME ...]")] = ("rCBV",)
    """T1, T2, FLAIR, MPRAGE (= T1Gd), rCBV, ADC in any case, several at once, or all; one network each."""
    cohort: str = "phantom"
    """phantom (built in, synthetic); brats2020-tcga, brats2020, brats2021, brats2023, upenn-gbm, ucsf-pdgm, egd, tcga,
    or csv (a folder a subject), with --images; or the path of a cohort CSV."""
    all_visits: bool = False
    """Use follow-up visits too; otherwise the first visit of each patient only."""
    splits: Literal["holdout", "kfold"] = "holdout"
    """Random hold-outs of 20 % with at least 5 mutants in each test set (Image processing), or stratified k-fold."""
    num_splits: int = 5
    """How many (CNN architecture: "five different splitting")."""
    epochs: int = 500
    """Passes over the balanced training set (CNN architecture); the last one's weights are kept."""
    batch_size: int = 16
    """Slices a step; ours."""
    seed: int = 0
    """Of splits, weights, order and rotation."""
    rotation_deg: tuple[float, float] = (0.0, 90.0)
    """Range of the random rotation (Image processing); Keras' own rotation_range=90 would be -90 90."""
    learning_rate: float = 1e-4
    """Of Adam (CNN architecture)."""
    size: tyro.conf.Suppress[int] = 64  # pixels a side after resampling (Image processing)
    test_fraction: tyro.conf.Suppress[float] = 0.2  # test_size=20% (Image processing)
    min_test_mutants: tyro.conf.Suppress[int] = 5  # (Image processing)
    filters: tyro.conf.Suppress[tuple[int, ...]] = (16, 32, 64, 64)  # ours: "few parameters" (CNN architecture)
    units: tyro.conf.Suppress[tuple[int, ...]] = (64, 32)  # ours: dense layers before the two outputs

    def __post_init__(self):
        if isinstance(self.sequence, str):
            object.__setattr__(self, "sequence", (self.sequence,))

    @property
    def phantom(self) -> dict[str, int]:
        """Size of the built-in cohort: its default, the paper's 100 patients, 17 of them mutant."""
        return {}


@dataclass(frozen=True)
class Job:
    """Where and how it is run; changes no result."""

    images: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Folder of scans as downloaded; for a cohort CSV, where its relative paths start."""
    labels: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Label sheet as downloaded, or a CSV with subject and idh; by default what is shipped."""
    external: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """Second cohort to test the finished networks on; it must not share a patient with the first."""
    external_images: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Its folder of scans."""
    external_labels: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Its label sheet."""
    run_dir: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Where results go; by default runs/ and a name made of the recipe. Several sequences get a folder each in it."""
    jobs: Annotated[int | None, tyro.conf.arg(metavar="INT")] = None
    """Splits trained at once, one thread each; by default as many as there are processors, or 1 on a GPU."""
    quiet: bool = False
    """No progress bars, for logs."""
    strict: bool = False
    """Stop at the first subject that cannot be used, instead of setting it aside."""

    def __post_init__(self):
        for name in ("images", "labels", "external_images", "external_labels", "run_dir"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, Path(getattr(self, name)))


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
