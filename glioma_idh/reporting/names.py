"""Printed names of scores and training logs."""

from typing import NamedTuple

import pandas as pd


class Score(NamedTuple):
    heading: str  # of a table column
    name: str  # of a table row
    panel: str = ""  # title of its box plot; "" if it has none


SCORES = {
    "accuracy": Score("ACC", "Accuracy", "Test accuracy"),
    "ccel": Score("CCEL", "Test loss (cross-entropy)", "Test loss"),
    "sensitivity": Score("SN", "Sensitivity", "Sensitivity"),
    "specificity": Score("SP", "Specificity", "Specificity"),
    "auc": Score("AUC", "AUC"),
    "ppv": Score("PPV", "Positive predictive value"),
    "npv": Score("NPV", "Negative predictive value"),
    "dice": Score("DSC", "Dice coefficient of the lesion", "Dice coefficient"),
}
HEADINGS = {score: words.heading for score, words in SCORES.items()}
PANELS = {score: words.panel for score, words in SCORES.items() if words.panel}
ABBREVIATIONS = {  # of column headings
    "ACC": "accuracy",
    "AUC": "area under the receiver operating characteristic curve",
    "CCEL": "categorical cross-entropy",
    "DSC": "Dice similarity coefficient",
    "NPV": "negative predictive value",
    "PPV": "positive predictive value",
    "SN": "sensitivity",
    "SP": "specificity",
}
AUC_NOTE = "AUC: area under the receiver operating characteristic curve. CI: confidence interval."
ALWAYS = ("always wild-type", "always mutant")  # names of the constant predictions


def baseline_name(name: str) -> str:
    """The printed name of a baseline of `evaluation.baselines`."""
    return "majority class" if name == "majority" else name


def abbreviations(table: pd.DataFrame) -> str:
    """Explain the abbreviations among the column headings of a table, and the dash."""
    return "; ".join(
        [*(f"{short}: {long}" for short, long in ABBREVIATIONS.items() if short in table), "-: not available."]
    )


def trivial_answer(always_wild_type: float) -> str:
    """The constant prediction with the higher accuracy, given the accuracy of `always wild-type`."""
    return ALWAYS[int(always_wild_type < 0.5)]


class Curve(NamedTuple):
    title: str  # of its panel
    axis: str
    score: str  # test score that a network trained with this loss has; without that score, the curve is not drawn
    share: bool = False  # whether its range is 0 to 1
    fitted: bool = False  # whether a exp(-b x) + c is fitted to the mean test curve, as in the slice CNN's paper


CURVES = {
    "loss": Curve("Loss", "Loss (categorical cross-entropy)", "accuracy", fitted=True),
    "accuracy": Curve("Accuracy", "Accuracy", "accuracy", share=True, fitted=True),
    "cross_entropy": Curve("IDH", "Loss (binary cross-entropy)", "accuracy"),
    "dice_loss": Curve("Lesion", "Loss (1 - soft Dice)", "dice", share=True),
}
