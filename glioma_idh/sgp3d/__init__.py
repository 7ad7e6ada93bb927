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
    cache            prepared subjects on disk
    inference        a run's networks on prepared subjects
    measures         of a subject's sequences, by which new subjects are compared with a run's
    prediction       new subjects, with a finished run
    occlusion        a trained network's score without the lesion, without the rest, and a map of where it comes from
    attribution      the same of a whole run
    train predict occlude  the commands

Arguments that functions share, and that their docstrings do not repeat:

    table, row       a cohort table, and a row of it; of stored subjects with `prepared`, the folder in the cache
    shape            of the network's volumes, (i, j, k)
    scans            as the network reads them, float32, shape (i, j, k, 4)
    mask, lesion     the lesion, 0 or 1, shape (i, j, k)
    idh              1 IDH-mutant, 0 IDH-wild-type, NaN unknown, shape (n,)
    network          with the outputs `segmentation` and `idh`, or one of them
    learns           the outputs that a network was trained for
    input_shape      (i, j, k, sequences)
    dtype            policy such as "mixed_bfloat16"; by default Keras' own
    factory          Keras' layers, or the ones to train with (`training_layers.training_factory`)
    seed, rng        integers, the split's own; what draws
    with_skull       take scans that show more than the brain
    jobs, quiet      processes, -1 being one a processor; show no progress
    wanted           the command line: a `Prediction`, an `Occlusion`

A run, subject or file that cannot be used is an `InputError`, which names it.

The pieces below can be used one by one; each is imported when it is first asked for.
"""

from glioma_idh.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "augmentation": ("Augmentation", "draw_augmentation", "augment"),
        "comparators": ("densenet3d", "resnet2d", "unet3d"),
        "losses": ("JointNetwork", "dice_loss", "joint_loss"),
        "model": ("SGPNet", "backbone_of"),
        "optimizers": ("build_optimizer", "compile_network"),
        "preprocessing": ("Placement", "lesion_slices", "place_back", "prepare_subject"),
        "attribution": ("occlude_run",),
        "occlude": ("Occlusion",),
        "predict": ("Prediction",),
        "prediction": ("predict_cohort",),
        "recipe": ("LAPTOP", "Recipe"),
        ".training.job": ("Job",),
    },
)
