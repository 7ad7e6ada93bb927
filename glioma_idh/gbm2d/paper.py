"""Pasquini et al. 2021, the slice CNN: published results and description."""

from glioma_idh.gbm2d.recipe import PUBLISHED, Recipe
from glioma_idh.papers import Paper, Printed

PAPER = Paper(
    name="gbm2d",
    citation="Pasquini L, and co-authors. Deep Learning Can Differentiate IDH-Mutant from IDH-Wild GBM. Journal of "
    "Personalized Medicine 2021;11(4):290, doi 10.3390/jpm11040290; preprint arXiv 2102.13205.",
    recipe=Recipe(),
    default=lambda settings: Recipe(),
    stated=(
        *("splits", "num_splits", "test_fraction", "min_test_mutants", "epochs", "learning_rate", "rotation_deg"),
        "size",
    ),
    sequences=(),
    call=lambda settings: settings["sequence"][0],
    published=PUBLISHED,
    printed=Printed(
        columns=("accuracy", "ccel", "sensitivity", "specificity", "auc"),
        curves=("loss", "accuracy"),
        boxes=("sensitivity", "specificity", "accuracy", "ccel"),
    ),
)
