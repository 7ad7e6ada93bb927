"""SGPNet: Wang et al., Comput Intell Neurosci 2021, a 3D network that segments the lesion and names the genotype.

    recipe           every published setting
    preprocessing    four sequences and a lesion mask -> the network's input, and a predicted mask back to the patient
    augmentation     shift and flip, drawn apart from their application
    model            the network of Figure 2
    training_layers  the same network in fewer passes over memory, to train with
    losses           cross-entropy + k * Dice, with the k of the paper
    optimizers       two learning rates, cosine annealing
    comparators      3D U-Net, 3D DenseNet, residual CNN: what Table 1 sets beside it
    plan             the runs that a table needs, and the training of those that are not there
    experiments      Tables 1 and 2 and Figure 4, on the same folds
    occlusion        a trained network's score without the lesion, without the rest, and a map of where it comes from

The pieces below can be used one by one; each is imported when it is first asked for.
"""

import importlib

_HOMES = {
    "JointNetwork": "losses",
    "Job": ".training.job",
    "LAPTOP": "recipe",
    "Movement": "augmentation",
    "Placement": "preprocessing",
    "Recipe": "recipe",
    "SGPNet": "model",
    "backbone_of": "model",
    "build_optimizer": "optimizers",
    "compile_network": "optimizers",
    "densenet3d": "comparators",
    "dice_loss": "losses",
    "draw_movement": "augmentation",
    "joint_loss": "losses",
    "lesion_slices": "comparators",
    "move": "augmentation",
    "place_back": "preprocessing",
    "prepare_subject": "preprocessing",
    "resnet2d": "comparators",
    "unet3d": "comparators",
}
__all__ = sorted(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)


def __dir__():
    return __all__
