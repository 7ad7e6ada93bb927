"""Every published setting of SGPNet."""

from dataclasses import dataclass, fields, replace
from typing import Annotated, Literal

import tyro

from glioma_idh import cohorts
from glioma_idh.command_line import SWITCH, option
from glioma_idh.errors import InputError

TARGETS = {
    "sgpnet": ("both", "idh", "segmentation", "random-masks"),
    "unet3d": ("segmentation",),
    "densenet3d": ("idh",),
    "resnet2d": ("idh",),
}
"""What each network can be trained for, its default first."""
LEARNS = {"both": ("idh", "segmentation"), "idh": ("idh",), "random-masks": ("idh",), "segmentation": ("segmentation",)}
METHOD = 1  # raised when the same recipe comes to train in another way; runs older than this line have 1
LEVELS = 5  # of the contracting path; each level after the first halves the size along every axis (Figure 2)


@dataclass(frozen=True)
class Recipe:
    """Settings that change the results. Defaults are from Wang et al. 2021 (the paper), or our choice."""

    cohort: Annotated[str, tyro.conf.arg(metavar="NAME", help=cohorts.HELP)] = "brats2020-tcga"
    all_visits: Annotated[bool, SWITCH] = False
    """Use follow-up visits too; without this option, only the first visit of each patient is used."""
    shape: tuple[int, int, int] = (144, 144, 144)
    """Size of the network's input in voxels along each axis; each must be divisible by 16 (paper section 2.2)."""
    targets: Literal["both", "idh", "segmentation", "random-masks"] = "both"
    """What is trained (paper Table 2): segmentation and IDH, one of them, or IDH and one random mask per subject."""
    network: Literal["sgpnet", "unet3d", "densenet3d", "resnet2d"] = "sgpnet"
    """sgpnet, or a comparator of paper Table 1: unet3d for the segmentation, densenet3d or resnet2d for IDH."""
    splits: Literal["kfold", "holdout"] = "kfold"
    """kfold: cross-validation on patients (paper section 3), stratified by IDH; holdout: random test sets of 20 %."""
    num_splits: Annotated[int, tyro.conf.arg(aliases=["--folds"])] = 5
    """Number of splits or folds. The paper uses "fivefold cross-validations" (section 3)."""
    epochs: int = 200
    """Passes over the training set (our choice). Learning rates fall to 0; the last epoch's weights are kept."""
    batch_size: int = 2
    """Subjects per training step (paper section 2.5)."""
    learning_rate: float = 1e-4
    """Initial learning rate of Adam for backbone and segmentation (paper section 2.5); cosine annealing to 0."""
    idh_learning_rate: float = 5e-5
    """Initial learning rate of SGPNet's IDH block (paper section 2.5). Comparators use --learning-rate alone."""
    detach_k: Annotated[bool, SWITCH] = False
    """Treat the loss weight k (equation 9) as a constant when differentiating; without it, k is differentiated too."""
    dropout: float = 0.3
    """Fraction of channels dropped at each level, and of the pooled features dropped (our choice)."""
    shift_fraction: float = 0.1
    """Largest random shift, as a fraction of each axis (our choice). The voxels at the edge are repeated."""
    standardise_features: Annotated[bool, SWITCH] = False
    """Standardise the IDH block's pooled features in training (not in the paper). Helps if lesions are small."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Number format of the layers. bfloat16 saves memory, but is very slow on processors without support for it."""
    seed: int = 0
    """Random seed for weights, order, augmentation and dropout; without --split-seed, also for the splits."""
    split_seed: Annotated[int | None, option("INT", "the value of --seed")] = None
    """Random seed for the splits alone. Give it to train with several values of --seed on the same splits."""
    with_skull: Annotated[bool, SWITCH] = False
    """Accept scans that are not skull-stripped; skull and noise then affect cropping and standardisation."""
    phantom_subjects: int = 24
    """Number of subjects of the built-in synthetic cohort (phantom), half of them mutant. Other cohorts ignore it."""
    phantom_spacing_mm: float = 2.0
    """Voxel size of the built-in synthetic cohort (phantom) in mm. Other cohorts ignore it."""
    filters: tyro.conf.Suppress[int] = 8  # of the top level (Figure 2)
    move_probability: tyro.conf.Suppress[float] = 0.5  # of flip and of shift (paper section 2.2)
    smoothing_voxels: tyro.conf.Suppress[float] = 1.0  # our choice: of the soft Dice
    test_fraction: tyro.conf.Suppress[float] = 0.2  # of hold-outs
    min_test_mutants: tyro.conf.Suppress[int] = 5  # of hold-outs, as in the 2D paper

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs that the network has, in alphabetical order."""
        return tuple(sorted({output for targets in TARGETS[self.network] for output in LEARNS[targets]}))

    @property
    def learns(self) -> tuple[str, ...]:
        """The outputs that the network is trained for: `idh`, `segmentation` or both."""
        return LEARNS[self.targets]

    @property
    def reads_slices(self) -> bool:
        """Whether the network reads slices through the lesion instead of the volume."""
        return self.network == "resnet2d"

    @property
    def phantom(self) -> dict[str, float]:
        """How the synthetic cohort is made."""
        size = {"num_subjects": self.phantom_subjects, "num_mutant": self.phantom_subjects // 2}
        return size | {"spacing_mm": self.phantom_spacing_mm}


LAPTOP = Recipe("phantom", shape=(32, 32, 32), num_splits=3, epochs=40, learning_rate=1e-3, idh_learning_rate=5e-4)
"""For the synthetic cohort: trains in minutes on two CPU cores. `differences` lists how it differs from the paper.

The number of epochs was chosen on this same synthetic cohort, so that the Dice score is above 0.75.
"""


def default_recipe(cohort: str, network: str = "sgpnet") -> Recipe:
    """The default recipe: LAPTOP for the synthetic cohort, else the paper's, with targets that suit the network."""
    recipe = LAPTOP if cohort == "phantom" else Recipe(cohort=cohort)
    wanted: dict = {"network": network, "targets": TARGETS[network][0]} if network in TARGETS else {}
    return replace(recipe, **wanted)


def recipe_of_run(content: dict) -> Recipe:
    """The recipe of a run from its `recipe.json`; settings that did not exist then get their defaults."""
    known = {field.name: content[field.name] for field in fields(Recipe) if field.name in content}
    return Recipe(**known | {"shape": tuple(content["shape"])})


def check_targets(recipe: Recipe) -> None:
    """Raise an InputError if the network has no output for the recipe's targets."""
    able = TARGETS[recipe.network]
    if recipe.targets not in able:
        expected = f"--targets {' or '.join(able)} with --network {recipe.network}"
        advice = f"{recipe.network} cannot be trained for {recipe.targets}: leave --targets out or change --network."
        raise InputError(expected, f"--targets {recipe.targets}", advice)


def check_shape(shape: tuple[int, int, int]) -> None:
    """Raise an InputError if a size is not divisible by 16: the network halves each four times."""
    step = 2 ** (LEVELS - 1)
    if len(shape) != 3 or any(side < step or side % step for side in shape):
        near = tuple(max(step, round(side / step) * step) for side in shape)
        raise InputError(f"three sizes divisible by {step} for --shape", str(shape), f"Use {near}, for example.")


def differences(recipe: Recipe) -> list[str]:
    """List how a recipe differs from the paper's, one line per setting; seeds are left out."""
    paper, lines = Recipe(), []
    for field in fields(Recipe):
        ours, published = getattr(recipe, field.name), getattr(paper, field.name)
        if ours != published and field.name not in ("seed", "split_seed", "phantom_subjects", "phantom_spacing_mm"):
            typed = [" ".join(map(str, of)) if isinstance(of, tuple) else str(of) for of in (ours, published)]
            lines.append(f"{field.name.replace('_', ' ')}: {typed[0]} (the paper's: {typed[1]})")
    return lines


_SCORES = ("accuracy", "sensitivity", "specificity", "auc", "ppv", "npv", "dice")
_TABLE_1 = {
    "SGPNet": dict(zip(_SCORES, (0.895, 0.907, 0.883, 0.949, 0.894, 0.908, 0.935), strict=True)),
    "SGPNet, segmentation only": {"dice": 0.937},
    "3D U-Net": {"dice": 0.920},
    "Liang et al., 3D DenseNet": {"accuracy": 0.846, "sensitivity": 0.785, "specificity": 0.880, "auc": 0.857},
    "Chang et al., residual CNN": {"accuracy": 0.857, "auc": 0.940},
}
PUBLISHED = {name: {score: (mean, None) for score, mean in row.items()} for name, row in _TABLE_1.items()}
"""Table 1 and 3.1, averages over five folds; 121 patients, 56 of them mutant. The rows of Liang and Chang are those
papers' results in their own patients. With 56 mutants and 65 wild-types, the printed sensitivity and specificity imply
a PPV of 0.870 and an NPV of 0.917; the values here are as printed."""
