"""Wang et al. 2021, SGPNet and its comparators: published results and description."""

from dataclasses import replace

from glioma_idh.papers import Paper, Printed
from glioma_idh.sgp3d.recipe import PUBLISHED, Recipe, default_recipe

SEQUENCES = ("t1", "t1gd", "t2", "flair")
NAMES = {
    ("sgpnet", "both"): "SGPNet",
    ("sgpnet", "segmentation"): "SGPNet, segmentation only",
    ("sgpnet", "idh"): "SGPNet, IDH only",
    ("sgpnet", "random-masks"): "SGPNet, random masks",
    ("unet3d", "segmentation"): "3D U-Net",
    ("densenet3d", "idh"): "Liang et al., 3D DenseNet",
    ("resnet2d", "idh"): "Chang et al., residual CNN",
}


def network_name(settings: dict) -> str:
    """The name of the network in tables (as in Table 1 of the paper if there); missing settings take their defaults."""
    network, targets = settings.get("network", "sgpnet"), settings.get("targets", "both")
    return NAMES[network, targets] + (", k held constant" if settings.get("detach_k") else "")


def start(settings: dict) -> Recipe:
    """The default recipe of the training command for this cohort and network."""
    recipe = default_recipe(settings.get("cohort", ""), settings.get("network", "sgpnet"))
    return replace(recipe, cohort="phantom", network="sgpnet")


PAPER = Paper(
    name="sgp3d",
    citation="Wang, and co-authors. SGPNet: A Three-Dimensional Multitask Residual Framework for Segmentation and IDH "
    "Genotype Prediction of Gliomas. Computational Intelligence and Neuroscience 2021.",
    recipe=Recipe(),
    default=start,
    stated=(
        *("cohort", "shape", "splits", "num_splits", "batch_size", "learning_rate", "idh_learning_rate"),
        *("move_probability", "filters"),
    ),
    sequences=SEQUENCES,
    call=network_name,
    published=PUBLISHED,
    printed=Printed(
        columns=("accuracy", "sensitivity", "specificity", "auc", "ppv", "npv", "dice"),
        curves=("cross_entropy", "dice_loss"),
        boxes=("sensitivity", "specificity", "accuracy", "dice"),
        decimals=3,
    ),
)
