"""Every published setting of SGPNet."""

from dataclasses import dataclass, fields, replace
from typing import Annotated, Literal

import tyro

from glioma_idh import cohorts
from glioma_idh.errors import InputError

TARGETS = {
    "sgpnet": ("both", "idh", "segmentation", "random-masks"),
    "unet3d": ("segmentation",),
    "densenet3d": ("idh",),
    "resnet2d": ("idh",),
}
"""What each network can learn, its default first."""
LEARNS = {"both": ("idh", "segmentation"), "idh": ("idh",), "random-masks": ("idh",), "segmentation": ("segmentation",)}
METHOD = 1  # raised whenever the same recipe comes to train otherwise; runs that are older than this line have 1
LEVELS = 5  # of the network's contracting path; each after the first halves every side (Figure 2)


@dataclass(frozen=True)
class Recipe:
    """What is computed. Defaults are the paper's (Wang et al. 2021), or marked ours where it is silent."""

    cohort: Annotated[str, tyro.conf.arg(help=cohorts.HELP)] = "brats2020-tcga"
    all_visits: bool = False
    """Use follow-up visits too; otherwise the first visit of each patient only."""
    shape: tuple[int, int, int] = (144, 144, 144)
    """Voxels a side of the network's input, each divisible by 16 (2.2)."""
    targets: Literal["both", "idh", "segmentation", "random-masks"] = "both"
    """What is learnt (3.2, Table 2): lesion and IDH, one alone, or IDH and a random mask, drawn once a subject."""
    network: Literal["sgpnet", "unet3d", "densenet3d", "resnet2d"] = "sgpnet"
    """Which network (2.3), or a rival of Table 1: unet3d learns segmentation; densenet3d and resnet2d learn idh."""
    splits: Literal["kfold", "holdout"] = "kfold"
    """Cross-validation (3), folds stratified by IDH and made on patients (ours), or random hold-outs of 20 %."""
    num_splits: Annotated[int, tyro.conf.arg(aliases=["--folds"])] = 5
    """How many (3: "fivefold cross-validations")."""
    epochs: int = 200
    """Passes over the training set; ours. The learning rates end at 0, and the last epoch's weights are kept."""
    batch_size: int = 2
    """Subjects a step (2.5)."""
    learning_rate: float = 1e-4
    """Of Adam at the first step, for backbone and segmentation block (2.5); cosine annealing."""
    idh_learning_rate: float = 5e-5
    """The same, for SGPNet's IDH block (2.5); a rival has one rate."""
    detach_k: bool = False
    """Hold k constant in the gradient; as equation (9) is written it takes part (ours)."""
    dropout: float = 0.3
    """Share of channels dropped in each level, and of the pooled features (ours)."""
    shift_fraction: float = 0.1
    """Farthest shift, as a share of each axis (ours); the edge is repeated, as was best on 40 of the 121 patients."""
    standardise_features: bool = False
    """While training, standardise the pooled features of the IDH block, for lesions small in the image (ours)."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Of the layers; bfloat16 saves memory, and time where the processor has it; elsewhere it is many times slower."""
    seed: int = 0
    """Of weights, order, shift, flip and dropout, and of the splits unless --split-seed is given."""
    split_seed: Annotated[int | None, tyro.conf.arg(metavar="INT")] = None
    """Of the splits alone, by default --seed: one split seed and several seeds train on the same splits."""
    with_skull: bool = False
    """Take scans that are not skull-stripped: skull and noise then enter crop and standardisation (ours)."""
    phantom_subjects: int = 24
    """Subjects of the phantom, half of them mutant; other cohorts have their own."""
    phantom_spacing_mm: float = 2.0
    """Edge of the phantom's cubic voxels."""
    filters: tyro.conf.Suppress[int] = 8  # of the top level (Figure 2)
    move_probability: tyro.conf.Suppress[float] = 0.5  # of flip and of shift (2.2)
    smoothing_voxels: tyro.conf.Suppress[float] = 1.0  # ours: of the soft Dice
    test_fraction: tyro.conf.Suppress[float] = 0.2  # of hold-outs
    min_test_mutants: tyro.conf.Suppress[int] = 5  # of hold-outs, as in the 2D paper

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs that the network has, in alphabetical order."""
        return tuple(sorted({output for targets in TARGETS[self.network] for output in LEARNS[targets]}))

    @property
    def learns(self) -> tuple[str, ...]:
        """The outputs that mean something once it is trained: `idh`, `segmentation` or both."""
        return LEARNS[self.targets]

    @property
    def reads_slices(self) -> bool:
        """Whether the network reads slices through the lesion, and not the volume."""
        return self.network == "resnet2d"

    @property
    def phantom(self) -> dict[str, float]:
        """How the built-in cohort is made."""
        size = {"num_subjects": self.phantom_subjects, "num_mutant": self.phantom_subjects // 2}
        return size | {"spacing_mm": self.phantom_spacing_mm}


LAPTOP = Recipe("phantom", shape=(32, 32, 32), num_splits=3, epochs=40, learning_rate=1e-3, idh_learning_rate=5e-4)
"""The phantom, in minutes on two processors. `differences` says how it differs from the paper.

The number of epochs was chosen on the very phantom that this recipe is run on, so that its Dice is above 0.75.
"""


def default_recipe(cohort: str, network: str = "sgpnet") -> Recipe:
    """The recipe to start from: the laptop's for the phantom, the paper's for patients; what the network can learn."""
    recipe = LAPTOP if cohort == "phantom" else Recipe(cohort=cohort)
    wanted: dict = {"network": network, "targets": TARGETS[network][0]} if network in TARGETS else {}
    return replace(recipe, **wanted)


def recipe_of_run(content: dict) -> Recipe:
    """The recipe out of a run's `recipe.json`; settings younger than the run are as they are by default."""
    known = {field.name: content[field.name] for field in fields(Recipe) if field.name in content}
    return Recipe(**known | {"shape": tuple(content["shape"])})


def check_targets(recipe: Recipe) -> None:
    """A network must have an output for what it is to learn; else an InputError names the flag."""
    able = TARGETS[recipe.network]
    if recipe.targets not in able:
        expected = f"--targets {' or '.join(able)} with --network {recipe.network}"
        advice = f"Leave --targets out, or name another --network: {recipe.network} cannot learn {recipe.targets}."
        raise InputError(expected, f"--targets {recipe.targets}", advice)


def check_shape(shape: tuple[int, int, int]) -> None:
    """Sides must survive four halvings: an InputError where one is not divisible by 16."""
    step = 2 ** (LEVELS - 1)
    if len(shape) != 3 or any(side < step or side % step for side in shape):
        near = tuple(max(step, round(side / step) * step) for side in shape)
        raise InputError(f"a shape of three sides divisible by {step}", str(shape), f"{near} would do, for example.")


def differences(recipe: Recipe) -> list[str]:
    """How a recipe differs from the paper's, one line a setting; seeds are none."""
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
"""Table 1 and 3.1, averages over five folds; 121 patients, 56 of them mutant. Liang's and Chang's rows are of those
papers' own patients. Sensitivity and specificity as printed imply PPV 0.870 and NPV 0.917 at 56 to 65, not what stands
here."""
