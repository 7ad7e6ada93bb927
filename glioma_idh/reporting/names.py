"""What scores and logs are called in print."""

from typing import NamedTuple


class Score(NamedTuple):
    heading: str  # of its column
    name: str  # of its row
    panel: str = ""  # of its box plot; "" where there is none


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
ALWAYS = ("always wild-type", "always mutant")  # what the answer is called that is the same for every patient


def trivial_answer(always_wild_type: float) -> str:
    """The one of ALWAYS that is right for more patients, from the accuracy of the first."""
    return ALWAYS[int(always_wild_type < 0.5)]


class Curve(NamedTuple):
    title: str  # of its panel
    axis: str
    score: str  # what the test gives once this has been learnt; a network without that score learnt something else
    share: bool = False  # whether it runs from 0 to 1
    fitted: bool = False  # whether a exp(-b x) + c is put through the mean test curve, as the slice CNN's paper does


CURVES = {
    "loss": Curve("Loss", "Loss (categorical cross-entropy)", "accuracy", fitted=True),
    "accuracy": Curve("Accuracy", "Accuracy", "accuracy", share=True, fitted=True),
    "cross_entropy": Curve("IDH", "Loss (binary cross-entropy)", "accuracy"),
    "dice_loss": Curve("Lesion", "Loss (1 - soft Dice)", "dice", share=True),
}
