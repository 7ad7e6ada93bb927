"""Confidence intervals of an AUC by formula.

They describe the sampling of patients, not the training: another seed may move the AUC further.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import norm

from glioma_idh.evaluation.auc import SPLIT, auc_within_splits, logit_interval
from glioma_idh.evaluation.checks import because, check_scores


class Estimate(NamedTuple):
    """A number with its confidence interval."""

    value: float  # NaN where it has no answer
    low: float
    high: float
    reason: str = ""  # why the ends of the interval are NaN


def no_estimate(reason: str, value: float = np.nan) -> Estimate:
    """An estimate that says why it has no interval."""
    return Estimate(value, np.nan, np.nan, because(reason))


def auc_interval(truth: np.ndarray, score: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """The interval of `auc_estimate` alone, of scores that are not checked."""
    return split_auc_estimate(_one_split(truth, score), level)[1:3]


def auc_estimate(truth: np.ndarray, score: np.ndarray, level: float = 0.95) -> Estimate:
    """AUC of one test set with an interval by DeLong's variance, symmetric on the logit scale."""
    check_scores(truth, score)
    return split_auc_estimate(_one_split(truth, score), level)


def _one_split(truth: np.ndarray, score: np.ndarray) -> pd.DataFrame:
    """A predictions table of one test set."""
    columns = {"truth": np.asarray(truth), "score": np.asarray(score, dtype=np.float64)}
    return pd.DataFrame({"patient": range(len(truth)), "repeat": 0, "split": 0} | columns)


def split_auc_estimate(predictions: pd.DataFrame, level: float = 0.95) -> Estimate:
    """AUC within splits (`auc.auc_within_splits`) with its confidence interval, or the reason why there is none."""
    auc = auc_within_splits(predictions)
    if np.isnan(auc.value):
        return no_estimate(why_no_pairs(predictions))
    if np.isnan(auc.standard_error):
        return no_estimate("a class has but one patient", auc.value)
    low, high = logit_interval(auc.value, auc.standard_error, level)
    if np.isnan(low):
        alike = predictions.groupby(SPLIT)["score"].nunique().max() == 1
        cause = "all scores of a split are alike" if alike else "its variance is 0: the classes do not overlap"
        return no_estimate(cause, auc.value)
    return Estimate(auc.value, low, high)


def why_no_pairs(predictions: pd.DataFrame) -> str:
    """Why no split has a pair of an IDH-mutant and an IDH-wild-type patient."""
    one_class = predictions.dropna(subset=["truth", "score"])["truth"].nunique() < 2
    return "there is but one class" if one_class else "no split tests both classes"


def expected_auc_half_width(
    num_patients: ArrayLike, prevalence: ArrayLike, auc: ArrayLike = 0.8, level: float = 0.95
) -> np.ndarray:
    """How far the interval of an AUC will reach to each side, before anything is trained ("expect ± 0.13").

    By the standard error of Hanley and McNeil (Radiology 1982), which takes exponential curves of scores. The arguments
    broadcast: patients in the test set, the share of IDH-mutant ones, and the AUC hoped for.
    """
    num_patients, prevalence, auc = (np.asarray(value, dtype=np.float64) for value in (num_patients, prevalence, auc))
    for value, noun in ((prevalence, "prevalence"), (auc, "AUC")):
        if not ((value > 0) & (value < 1)).all():
            raise ValueError(f"expected a {noun} above 0 and below 1; found {value}")
    mutants, wild_types = num_patients * prevalence, num_patients * (1 - prevalence)
    if not (np.minimum(mutants, wild_types) >= 1).all():
        raise ValueError(f"expected a patient of each class; found {num_patients} patients, prevalence {prevalence}")
    two_mutants, two_wild_types = auc / (2 - auc), 2 * auc**2 / (1 + auc)  # the chances that both pairs are won
    pairs = (mutants - 1) * (two_mutants - auc**2) + (wild_types - 1) * (two_wild_types - auc**2)
    return norm.ppf((1 + level) / 2) * np.sqrt((auc * (1 - auc) + pairs) / (mutants * wild_types))
