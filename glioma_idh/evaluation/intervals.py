"""Compute analytical confidence intervals of an AUC.

They describe the sampling of patients, not the variation between trainings: another seed may change the AUC by more.
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

    value: float  # NaN if not available
    low: float
    high: float
    reason: str = ""  # why the limits of the interval are NaN


def no_estimate(reason: str, value: float = np.nan) -> Estimate:
    """Return an estimate without an interval, with the reason."""
    return Estimate(value, np.nan, np.nan, because(reason))


def auc_interval(truth: ArrayLike, score: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Return only the interval of `auc_estimate`, without checking the scores."""
    return split_auc_estimate(_one_split(truth, score), level)[1:3]


def auc_estimate(truth: ArrayLike, score: ArrayLike, level: float = 0.95) -> Estimate:
    """Compute the AUC of one test set with an interval by DeLong's variance, symmetric on the logit scale."""
    check_scores(truth, score)
    return split_auc_estimate(_one_split(truth, score), level)


def _one_split(truth: ArrayLike, score: ArrayLike) -> pd.DataFrame:
    """Make a predictions table of one test set."""
    columns = {"truth": np.asarray(truth), "score": np.asarray(score, dtype=np.float64)}
    return pd.DataFrame({"patient": range(np.size(truth)), "repeat": 0, "split": 0} | columns)


def split_auc_estimate(predictions: pd.DataFrame, level: float = 0.95) -> Estimate:
    """Compute the AUC within splits (`auc.auc_within_splits`) with its confidence interval, or the reason for none."""
    auc = auc_within_splits(predictions)
    if np.isnan(auc.value):
        return no_estimate(why_no_pairs(predictions))
    if np.isnan(auc.standard_error):
        return no_estimate("a class has only one patient", auc.value)
    low, high = logit_interval(auc.value, auc.standard_error, level)
    if np.isnan(low):
        alike = predictions.groupby(SPLIT)["score"].nunique().max() == 1
        cause = "all scores of a split are equal" if alike else "its variance is 0: the classes do not overlap"
        return no_estimate(cause, auc.value)
    return Estimate(auc.value, low, high)


def why_no_pairs(predictions: pd.DataFrame) -> str:
    """Return why no split has a pair of an IDH-mutant and an IDH-wild-type patient."""
    one_class = predictions.dropna(subset=["truth", "score"])["truth"].nunique() < 2
    return "there is only one class" if one_class else "no split tests both classes"


def expected_auc_half_width(
    num_patients: ArrayLike, prevalence: ArrayLike, auc: ArrayLike = 0.8, level: float = 0.95
) -> np.ndarray:
    """Compute the expected half width of the confidence interval of an AUC, before training ("± 0.13").

    Uses the standard error of Hanley and McNeil (Radiology 1982), which assumes exponential score distributions.

    Args:
        num_patients: number of patients in the test set; the first three arguments broadcast.
        prevalence: share of IDH-mutant patients.
        auc: expected AUC.
        level: confidence level.
    """
    num_patients, prevalence, auc = (np.asarray(value, dtype=np.float64) for value in (num_patients, prevalence, auc))
    for value, noun in ((prevalence, "prevalence"), (auc, "AUC")):
        if not ((value > 0) & (value < 1)).all():
            raise ValueError(f"expected a {noun} above 0 and below 1; found {value}")
    mutants, wild_types = num_patients * prevalence, num_patients * (1 - prevalence)
    if not (np.minimum(mutants, wild_types) >= 1).all():
        raise ValueError(f"expected a patient of each class; found {num_patients} patients, prevalence {prevalence}")
    # Probabilities that two mutants both score higher than a wild-type, and that a mutant scores higher than two.
    two_mutants, two_wild_types = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    pairs = (mutants - 1) * (two_mutants - auc**2) + (wild_types - 1) * (two_wild_types - auc**2)
    return norm.ppf((1 + level) / 2) * np.sqrt((auc * (1 - auc) + pairs) / (mutants * wild_types))
