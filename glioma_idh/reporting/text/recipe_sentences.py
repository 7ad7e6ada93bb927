"""What a run's settings say of its method, in sentences of a methods section; what they do not say is left out."""

import contextlib
from pathlib import Path

from glioma_idh.reporting.figures.canvas import display_name

PUBLISHED_SETTINGS = {  # what the papers themselves print; other settings are the software's own
    "gbm2d": {
        "splits": "holdout",
        "num_splits": 5,
        "test_fraction": 0.2,
        "min_test_mutants": 5,
        "epochs": 500,
        "learning_rate": 1e-4,
        "rotation_deg": [0.0, 90.0],
        "size": 64,
    },
    "sgp3d": {
        "cohort": "brats2020-tcga",
        "shape": [144, 144, 144],
        "splits": "kfold",
        "num_splits": 5,
        "batch_size": 2,
        "learning_rate": 1e-4,
        "idh_learning_rate": 5e-5,
        "move_probability": 0.5,
        "filters": 8,
    },
}
OF_RIVALS = ("shape", "splits", "num_splits")
WORDS = {  # of a setting in print, where its name will not do
    "shape": "input in voxels",
    "splits": "kind of splits",
    "num_splits": "number of splits",
    "test_fraction": "share of a test part",
    "min_test_mutants": "fewest mutants of a test part",
    "idh_learning_rate": "learning rate of the IDH block",
    "move_probability": "probability of flip and shift",
    "size": "pixels a side",
}
SPLITS = {
    "kfold": "Patients were divided at random into {num_splits} folds, stratified by IDH status (seed {split_seed}). "
    "Each fold was tested once, by a network trained on the others.",
    "holdout": "Random hold-outs of {test_fraction} of the patients were drawn, {num_splits} in all (seed "
    "{split_seed}), each again until its test part held at least {min_test_mutants} IDH-mutant patients; they were not "
    "stratified.",
}
OF_BOTH = {
    "selection": "The weights of the last epoch were kept: there was no validation set and no early stopping, and the "
    "software chose nothing on the test sets.",
    "seeds": "Initial weights were drawn at random, none was pretrained. Splits, weights, order and augmentation "
    "followed from the seed {seed}.",
}
OWN_SPLITS = (
    "Initial weights were drawn at random, none was pretrained. Weights, order and augmentation followed from the seed "
    "{seed}, the splits from the seed {split_seed}."
)
SLICE_CNN = {
    "images": "The network read one sequence, {sequence}. Scan and lesion mask had to lie on one grid; the software "
    "registered nothing. The median of the brain was subtracted from the intensities, which were divided by the "
    "standard deviation of the brain and set to 0 outside the lesion mask.",
    "part": "The axial slice in which the lesion mask was widest was cut to the bounding rectangle of the mask and "
    "stretched to {size} x {size} pixels (bilinear); this was automatic, but it needs a lesion mask.",
    "network": "A convolutional network after Pasquini et al. (2021) was trained, with {num_blocks} blocks (3 x 3 "
    "convolutions of {filters} filters, ReLU, batch normalisation, 2 x 2 max-pooling), dense layers of {units} units "
    "and a softmax over two classes.",
    "output": "The output is the probability of an IDH mutation.",
    "loss": "The loss was the categorical cross-entropy.",
    "optimiser": "Adam was used with a learning rate of {learning_rate}, in batches of {batch_size} slices, for "
    "{epochs} epochs.",
    "balance": "In each training set the smaller class was repeated up to the size of the larger.",
    "augmentation": "In every epoch each training slice was rotated anew by an angle drawn evenly from {rotation_deg} "
    "degrees; there was no other augmentation.",
}
FOUR_SEQUENCES = {
    "images": "The network read four sequences, T1, T1Gd, T2 and FLAIR, which had to lie on one grid with the lesion "
    "mask; the software registered nothing. All labels of the mask were merged into one.",
    "part": "The sequences were cropped to the smallest box that held every voxel other than 0 of any of them and "
    "stretched to {shape} voxels (trilinear, the mask by the nearest voxel), automatically; each was given mean 0 and "
    "standard deviation 1 over all its voxels, background included.",
    "balance": "The classes were not balanced.",
}
NETWORKS = {
    "sgpnet": "SGPNet (Wang et al., 2021), a residual U-shaped 3D network with {filters} channels on its first level, "
    "was trained; it has two output blocks, one for the lesion and one for the genotype.",
    "unet3d": "A 3D U-Net after Çiçek et al. (2016), with {filters} filters at its top, was trained for the lesion.",
    "densenet3d": "A 3D DenseNet after Liang et al. (2018) was trained for the genotype.",
    "resnet2d": "A residual network after Chang et al. (2018) was trained for the genotype; it read axial slices "
    "through the lesion that the reference mask shows, in tests too, and their probabilities were averaged.",
}
JOINT = (
    "The loss was L1 + k L2 with k = L2 / (L1 + L2), L1 being the binary cross-entropy of the genotype and L2 one less "
    "the soft Dice of the lesion, smoothed by {smoothing_voxels} voxel."
)
LOSSES = {
    "both": JOINT,
    "idh": "The loss was the binary cross-entropy of the genotype alone.",
    "segmentation": "The loss was one less the soft Dice of the lesion alone, smoothed by {smoothing_voxels} voxel.",
    "random-masks": f"{JOINT} In the place of the lesion masks stood random ones, drawn once a subject.",
}
RATES = {
    True: "Adam was used with learning rates that fell to 0 along a cosine, from {learning_rate} for backbone and "
    "segmentation block and from {idh_learning_rate} for the IDH block.",
    False: "Adam was used with a learning rate that fell from {learning_rate} to 0 along a cosine.",
}
PRECISIONS = {
    "float32": "Training was in float32.",
    "bfloat16": "Training was in mixed precision: bfloat16, weights being kept in float32.",
}


def listed(words) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *first, last = map(str, words)
    return f"{', '.join(first)} and {last}" if first else last


def recipe_sentences(settings: dict) -> dict[str, str]:
    """The method of a run by topic.

    Args:
        settings: `recipe` of a run's recipe.json; settings that an older run lacks may be missing.

    Returns:
        Sentences in the past tense by topic: `images, part, network, output, loss, optimiser, selection, balance,
        augmentation, regularisation, precision, differences, splits, seeds`; "" or missing where the settings do not
        say.
    """
    if settings.get("paper") not in PUBLISHED_SETTINGS:
        return {}
    of_paper = _slice_cnn(settings) if settings["paper"] == "gbm2d" else _sgpnet(settings)
    of_both = {topic: _say(settings, text) for topic, text in OF_BOTH.items()}
    if settings.get("split_seed") is not None:
        of_both["seeds"] = _say(settings, OWN_SPLITS)
    elif "seed" in settings:
        settings = settings | {"split_seed": settings["seed"]}
    of_both["splits"] = _say(settings, SPLITS.get(settings.get("splits"), ""))
    return of_paper | of_both | {"differences": _differences(settings)}


def _say(settings: dict, *sentences: str) -> str:
    """The sentences whose settings are all there, in one text."""
    words, said = {name: spelled(name, value) for name, value in settings.items()}, []
    for sentence in sentences:
        with contextlib.suppress(KeyError):
            said.append(sentence.format_map(words))
    return " ".join(said)


def spelled(name: str, value) -> str:
    """A setting in print: `32 x 32 x 32`, `0 to 90`, `10 %`, `0.0001`, `k-fold`."""
    if name == "splits":
        return {"kfold": "k-fold", "holdout": "random hold-outs"}.get(value, value)
    if name == "cohort":
        return Path(value).name
    if name == "shape":
        return " x ".join(map(str, value))
    if name == "rotation_deg":
        return "{:g} to {:g}".format(*value)
    if name == "sequence":
        return listed(map(display_name, value))
    if name.endswith("_fraction"):
        return f"{100 * value:g} %"
    if isinstance(value, list):
        return listed(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _slice_cnn(settings: dict) -> dict[str, str]:
    """The 2D method."""
    blocks = {"num_blocks": len(settings["filters"])} if "filters" in settings else {}
    return {topic: _say(settings | blocks, text) for topic, text in SLICE_CNN.items()}


def _sgpnet(settings: dict) -> dict[str, str]:
    """The 3D method, and its rivals."""
    network, targets = settings.get("network", "sgpnet"), settings.get("targets", "")
    return {topic: _say(settings, text) for topic, text in FOUR_SEQUENCES.items()} | {
        "network": _say(settings, NETWORKS.get(network, "")),
        "output": _output(network, targets),
        "loss": _say(settings, LOSSES.get(targets, ""), *_held(settings)),
        "optimiser": _say(
            settings, RATES[network == "sgpnet"], "Batches were of {batch_size} subjects, for {epochs} epochs."
        ),
        "augmentation": _movements(settings),
        "regularisation": _regularisation(settings, network),
        "precision": PRECISIONS.get(settings.get("dtype"), ""),
    }


def _output(network: str, targets: str) -> str:
    """What comes out of a 3D network."""
    genotype = "The output is the probability of an IDH mutation."
    lesion = "A voxel is lesion where its probability, brought back to the patient's own grid, is above 0.5."
    if targets == "segmentation" or network == "unet3d":
        return f"The output is the probability of lesion of each voxel. {lesion}"
    return f"{genotype} {lesion}" if targets == "both" else genotype


def _held(settings: dict) -> list[str]:
    """How k stood in the gradient of the joint loss."""
    if settings.get("targets") not in ("both", "random-masks") or "detach_k" not in settings:
        return []
    return ["In the gradient k was held constant." if settings["detach_k"] else "The gradient went through k too."]


def _movements(settings: dict) -> str:
    """Flip and shift of the training subjects."""
    flip = "Each training subject was flipped with a probability of {move_probability}, each axis with probability 0.5"
    shift = ", and shifted with a probability of {move_probability} by up to {shift_fraction} of each axis"
    if "shift_fraction" not in settings:
        return ""
    return _say(settings, f"{flip}{shift if settings['shift_fraction'] else ''}; there was no other augmentation.")


def _regularisation(settings: dict, network: str) -> str:
    """Dropout, and the standardised features, of SGPNet."""
    if network != "sgpnet" or "dropout" not in settings:
        return ""
    dropout = "In training a share of {dropout} of the channels of each contracting level, and of the pooled features, "
    sentences = [f"{dropout}was dropped at random." if settings["dropout"] else "There was no dropout."]
    if settings.get("standardise_features"):
        sentences.append("The pooled features were standardised by running statistics while training.")
    return _say(settings, *sentences)


def unlike_published(settings: dict) -> list[str]:
    """Settings of the training and of its test that are not those printed in the paper, with both values.

    Args:
        settings: `recipe` of a run's recipe.json. Its cohort is no setting; of a rival's, those count that it shares.
    """
    published = PUBLISHED_SETTINGS.get(settings.get("paper"), {})
    names = published if settings.get("network", "sgpnet") == "sgpnet" else OF_RIVALS
    return _unlike(settings, {name: published[name] for name in names if name != "cohort"})


def _unlike(settings: dict, published: dict) -> list[str]:
    """Each setting that differs: `epochs 5 (published: 500)`."""
    return [
        f"{WORDS.get(name, name.replace('_', ' '))} {spelled(name, settings[name])} (published: {spelled(name, value)})"
        for name, value in published.items()
        if name in settings and settings[name] != value
    ]


def _differences(settings: dict) -> str:
    """Settings that are not those printed in the paper."""
    published = PUBLISHED_SETTINGS[settings["paper"]]
    if settings.get("network", "sgpnet") != "sgpnet":
        return ""
    unlike = _unlike(settings, published)
    rest = "Settings that the paper does not print are the software's own."
    if not unlike:
        return f"The settings that the paper prints were used. {rest}" if published.keys() <= settings.keys() else rest
    return f"These settings were not the published ones: {'; '.join(unlike)}. {rest}"
