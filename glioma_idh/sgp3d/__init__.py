"""SGPNet: Wang et al., Comput Intell Neurosci 2021, a 3D network that segments the lesion and names the genotype.

    recipe           every published setting
    preprocessing    four sequences and a lesion mask -> the network's input, and a predicted mask back to the patient
    augmentation     shift and flip, drawn apart from their application
    model            the network of Figure 2
    training_layers  the same network in fewer passes over memory, to train with
    losses           cross-entropy + k * Dice, with the k of the paper
    optimizers       two learning rates, cosine annealing

The pieces below can be used one by one; each is imported when it is first asked for.
"""

import importlib

_HOMES = {
    "JointNetwork": "losses",
    "Job": ".job",
    "LAPTOP": "recipe",
    "Movement": "augmentation",
    "Placement": "preprocessing",
    "Recipe": "recipe",
    "SGPNet": "model",
    "backbone_of": "model",
    "build_optimizer": "optimizers",
    "compile_network": "optimizers",
    "dice_loss": "losses",
    "draw_movement": "augmentation",
    "joint_loss": "losses",
    "move": "augmentation",
    "place_back": "preprocessing",
    "prepare_subject": "preprocessing",
}
__all__ = sorted(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)


def __dir__():
    return __all__
