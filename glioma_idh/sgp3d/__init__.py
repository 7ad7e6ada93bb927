"""SGPNet: Wang et al., Comput Intell Neurosci 2021. A 3D network that segments the lesion and predicts the genotype.

    recipe           all published settings
    preprocessing    from four sequences to the network's input, and from a predicted mask back to the patient's grid
    augmentation     random shift and flip, drawn separately from their application
    model            the network of Figure 2
    training_layers  the same network with layers that train faster
    losses           cross-entropy + k * (1 - Dice), with the weight k of the paper
    optimizers       two learning rates with cosine annealing
    comparators      the other networks of Table 1: 3D U-Net, 3D DenseNet, residual CNN
    plan             which runs an experiment needs, and their training
    experiments      Tables 1 and 2 and Figure 4, on the same folds
    cache            prepared subjects on disk
    fit              training and test of one split
    inference        the networks of a run on prepared subjects
    measures         measures of a subject's sequences, by which new subjects are compared with those of a run
    prediction       prediction of new subjects with a finished run
    occlusion        the score of a network with the lesion, or everything else, replaced; and a contribution map
    attribution      the same for all test subjects of a run
    method           the steps of this paper within the common training
    train predict occlude  the commands

Arguments that several functions have, which their docstrings do not repeat:

    table, row       a cohort table; one row of it. Cached subjects have a column `prepared`, their folder in the cache
    shape            (i, j, k) of the network's input, in voxels
    scans            the network's input without the batch axis, float32, shape (i, j, k, 4): T1, T1Gd, T2, FLAIR
    mask, lesion     the lesion, 0 or 1, shape (i, j, k)
    idh              1 IDH-mutant, 0 IDH-wild-type, NaN unknown, shape (n,)
    network          a model with the outputs `segmentation` and `idh`, or one of them
    learns           the outputs that a network is trained for
    input_shape      (i, j, k, sequences)
    dtype            a Keras policy such as "mixed_bfloat16"; by default that of Keras
    factory          makes the layers: those of Keras, or those for training (`training_layers.training_factory`)
    seed, rng        random seed, one or several integers; random number generator
    with_skull       accept scans that are not skull-stripped
    jobs, quiet      number of processes (-1: one per processor); print no progress
    wanted           a `Prediction` or an `Occlusion`

A run, subject or file that cannot be used raises an `InputError` that names it.
"""

from typing import TYPE_CHECKING

from glioma_idh.lazy import lazy_names

if TYPE_CHECKING:
    from glioma_idh.sgp3d.attribution import occlude_run as occlude_run
    from glioma_idh.sgp3d.augmentation import Augmentation as Augmentation
    from glioma_idh.sgp3d.augmentation import augment as augment
    from glioma_idh.sgp3d.augmentation import draw_augmentation as draw_augmentation
    from glioma_idh.sgp3d.comparators import densenet3d as densenet3d
    from glioma_idh.sgp3d.comparators import resnet2d as resnet2d
    from glioma_idh.sgp3d.comparators import unet3d as unet3d
    from glioma_idh.sgp3d.experiments import Shared as Shared
    from glioma_idh.sgp3d.experiments import Where as Where
    from glioma_idh.sgp3d.experiments import run_table as run_table
    from glioma_idh.sgp3d.losses import JointNetwork as JointNetwork
    from glioma_idh.sgp3d.losses import dice_loss as dice_loss
    from glioma_idh.sgp3d.losses import dice_weight as dice_weight
    from glioma_idh.sgp3d.losses import joint_loss as joint_loss
    from glioma_idh.sgp3d.model import SGPNet as SGPNet
    from glioma_idh.sgp3d.model import backbone_of as backbone_of
    from glioma_idh.sgp3d.occlude import Occlusion as Occlusion
    from glioma_idh.sgp3d.optimizers import build_optimizer as build_optimizer
    from glioma_idh.sgp3d.optimizers import compile_network as compile_network
    from glioma_idh.sgp3d.predict import Prediction as Prediction
    from glioma_idh.sgp3d.prediction import predict_cohort as predict_cohort
    from glioma_idh.sgp3d.preprocessing import Placement as Placement
    from glioma_idh.sgp3d.preprocessing import lesion_slices as lesion_slices
    from glioma_idh.sgp3d.preprocessing import place_back as place_back
    from glioma_idh.sgp3d.preprocessing import prepare_subject as prepare_subject
    from glioma_idh.sgp3d.recipe import LAPTOP as LAPTOP
    from glioma_idh.sgp3d.recipe import PUBLISHED as PUBLISHED
    from glioma_idh.sgp3d.recipe import Recipe as Recipe
    from glioma_idh.sgp3d.recipe import differences as differences
    from glioma_idh.sgp3d.train import train_run as train_run
    from glioma_idh.training.job import Job as Job

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "attribution": ("occlude_run",),
        "augmentation": ("Augmentation", "augment", "draw_augmentation"),
        "comparators": ("densenet3d", "resnet2d", "unet3d"),
        "experiments": ("Shared", "Where", "run_table"),
        "losses": ("JointNetwork", "dice_loss", "dice_weight", "joint_loss"),
        "model": ("SGPNet", "backbone_of"),
        "occlude": ("Occlusion",),
        "optimizers": ("build_optimizer", "compile_network"),
        "predict": ("Prediction",),
        "prediction": ("predict_cohort",),
        "preprocessing": ("Placement", "lesion_slices", "place_back", "prepare_subject"),
        "recipe": ("LAPTOP", "PUBLISHED", "Recipe", "differences"),
        "train": ("train_run",),
        ".training.job": ("Job",),
    },
)
