"""What scores and logs are called in print."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """What a score is called.

    Attributes:
        heading: of its column.
        name: of its row.
        panel: of its box plot; "" where there is none.
    """

    heading: str
    name: str
    panel: str = ""


SCORES = {
    "accuracy": Score("ACC", "Accuracy", "Test accuracy"),
    "ccel": Score("CCEL", "Test loss (cross-entropy)", "Test loss"),
    "sensitivity": Score("SN", "Sensitivity", "Sensitivity"),
    "specificity": Score("SP", "Specificity", "Specificity"),
    "auc": Score("AUC", "AUC"),
    "ppv": Score("PPV", "Positive predictive value"),
    "npv": Score("NPV", "Negative predictive value"),
    "dice": Score("DSC", "Dice of the lesion", "Dice"),
}
HEADINGS = {score: words.heading for score, words in SCORES.items()}
PANELS = {score: words.panel for score, words in SCORES.items() if words.panel}
ABBREVIATIONS = (
    "ACC accuracy, SN sensitivity, SP specificity, PPV and NPV predictive values, CCEL categorical cross-entropy, DSC "
    "Dice; -: cannot be computed, because nobody is of that kind or called so."
)
ALWAYS = ("always wild-type", "always mutant")
"""What the answer is called that is the same for every patient."""


def trivial_answer(always_wild_type: float) -> str:
    """The one of ALWAYS that is right for more patients, from the accuracy of the first."""
    return ALWAYS[int(always_wild_type < 0.5)]


@dataclass(frozen=True)
class Curve:
    """How a log of the training is drawn.

    Attributes:
        title: of its panel.
        axis: name of its axis.
        score: what the test gives once this has been learnt; a network that has no such score learnt something else.
        share: whether it runs from 0 to 1.
        fitted: whether a exp(-b x) + c is put through the mean test curve, as the slice CNN's paper does.
    """

    title: str
    axis: str
    score: str
    share: bool = False
    fitted: bool = False


CURVES = {
    "loss": Curve("Loss", "Loss (categorical cross-entropy)", "accuracy", fitted=True),
    "accuracy": Curve("Accuracy", "Accuracy", "accuracy", share=True, fitted=True),
    "cross_entropy": Curve("IDH", "Loss (binary cross-entropy)", "accuracy"),
    "dice_loss": Curve("Lesion", "Loss (1 - soft Dice)", "dice", share=True),
}
