"""AUC within splits: only patients tested by the same network are compared with each other."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import norm

from glioma_idh.evaluation.delong import pairs_won

SPLIT = ["repeat", "fold"]


class SplitAuc(NamedTuple):
    """AUC within splits, and what its variance is made of.

    Attributes:
        value: pairs won over pairs, summed over the splits; NaN where no split tests both classes.
        num_pairs: of an IDH-mutant and an IDH-wild-type patient tested in the same split.
        deviations: one number per patient who is in a pair, indexed by patient; their squares add up to the variance.
            Those of two networks on the same splits may be subtracted: the squares then add up to the variance of the
            difference.
        num_mutant: distinct IDH-mutant patients in these pairs.
        num_wild_type: distinct IDH-wild-type patients in these pairs.
    """

    value: float
    num_pairs: int
    deviations: pd.Series
    num_mutant: int
    num_wild_type: int

    @property
    def standard_error(self) -> float:
        """Square root of the variance; NaN with fewer than two patients of a class."""
        enough = min(self.num_mutant, self.num_wild_type) >= 2
        return float(np.sqrt((self.deviations**2).sum())) if enough else float("nan")


def auc_within_splits(predictions: pd.DataFrame) -> SplitAuc:
    """AUC of pairs of patients who were tested by the same network.

    Scores of different networks differ by an offset that says nothing about the patients, so that an AUC of all scores
    pooled is lower than that of the networks. The variance is DeLong's (DeLong, DeLong and Clarke-Pearson, Biometrics
    1988) for one split. For several, the structural components of each split are centred on that split's AUC, scaled
    by sqrt(m / (m - 1)) for the m patients of their class, and summed over the tests of a patient. A class of which a
    split tests one patient has no spread of its own: its component is centred on the AUC of all splits.

    Splits that test the same patients, as those of several seeds on equal folds or of all networks of a run on an
    external cohort, are one test set of the mean score.

    Args:
        predictions: columns `patient, repeat, fold, truth, score`, in any order of the rows. Rows without a truth or a
            score are left out; several scans of a patient in one split count as one test with their mean score.
    """
    splits = [test_set for test_set in _test_sets(predictions) if test_set["truth"].nunique() == 2]
    if not splits:
        return SplitAuc(float("nan"), 0, pd.Series(dtype=np.float64), 0, 0)
    won = [pairs_won(split["truth"], split["score"]) for split in splits]
    num_pairs = sum(len(of_mutants) * len(of_wild_types) for of_mutants, of_wild_types in won)
    value = sum(of_mutants.sum() for of_mutants, _ in won) / num_pairs
    deviations = pd.concat([_deviations(split, *of_split, value) for split, of_split in zip(splits, won, strict=True)])
    truths = pd.concat(splits).groupby("patient")["truth"].max()
    classes = int((truths == 1).sum()), int((truths == 0).sum())
    return SplitAuc(float(value), num_pairs, deviations.groupby(level=0).sum() / num_pairs, *classes)


def _test_sets(predictions: pd.DataFrame) -> list[pd.DataFrame]:
    """`patient, truth, score` of each test set: the mean over scans, and over splits of the same patients."""
    tests = predictions.dropna(subset=["truth", "score"]).groupby([*SPLIT, "patient"])
    tests = tests.agg(truth=("truth", "max"), score=("score", "mean")).reset_index()
    splits = defaultdict(list)
    for _, split in tests.groupby(SPLIT):
        splits[tuple(split["patient"])].append(split)
    of_patients = (pd.concat(same).groupby("patient", as_index=False) for same in splits.values())
    return [patients.agg(truth=("truth", "max"), score=("score", "mean")) for patients in of_patients]


def _deviations(split: pd.DataFrame, of_mutants: np.ndarray, of_wild_types: np.ndarray, auc: float) -> pd.Series:
    """DeLong's components of one split, in pairs, centred and scaled; indexed by patient."""
    mutant = (split["truth"] == 1).to_numpy()
    deviations = np.empty(len(split))
    for of_class, won, others in ((mutant, of_mutants, len(of_wild_types)), (~mutant, of_wild_types, len(of_mutants))):
        num = len(won)
        one = num == 1
        deviations[of_class] = won - others * auc if one else (won - won.mean()) * np.sqrt(num / (num - 1))
    return pd.Series(deviations, split["patient"].to_numpy())


def logit_interval(auc: float, standard_error: float, level: float = 0.95) -> tuple[float, float]:
    """Confidence interval of an AUC, symmetric on the logit scale.

    Near 0 and 1 the sampling distribution of an AUC is skewed. In 17 IDH-mutant and 83 IDH-wild-type patients at an AUC
    of 0.86, intervals that are symmetric on the AUC's own scale hold the true value in 90 % of samples, these in 93 to
    94 % (`tests/evaluation/test_coverage.py`).

    Args:
        auc: above 0 and below 1, or there is no interval.
        standard_error: of the AUC, above 0.
        level: how often such an interval holds the AUC of the population.

    Returns:
        Lower and upper end; NaN where there is none.
    """
    if not (0 < auc < 1 and standard_error > 0):
        return float("nan"), float("nan")
    half = norm.ppf((1 + level) / 2) * standard_error / (auc * (1 - auc))
    return float(expit(logit(auc) - half)), float(expit(logit(auc) + half))
