"""Whether acting on the scores does more good than acting on all patients or on none."""

import numpy as np
import pandas as pd

from glioma_idh.evaluation.checks import check_scores

THRESHOLDS = np.arange(1, 100) / 100


def decision_curve(
    truth: np.ndarray, score: np.ndarray, thresholds: np.ndarray = THRESHOLDS, prevalence: float | None = None
) -> pd.DataFrame:
    """Net benefit of treating as mutant from each probability on (Vickers and Elkin, Medical Decision Making 2006).

    The share of true positives among all patients, less that of false positives times the odds of the threshold: who
    acts from a probability of 0.2 on holds one needless treatment worth a quarter of one missed.

    Args:
        truth: 1 mutant, 0 wild-type, one a patient, shape (n,).
        score: probability of mutation, shape (n,).
        thresholds: probabilities above 0 and below 1, shape (k,).
        prevalence: share of IDH-mutant patients where the score is to be used; None for that of these patients.

    Returns:
        One row a threshold: `threshold, network, treat_all, treat_none`, net benefits in true positives a patient.

    Raises:
        ValueError: bad scores or truths (`checks.check_scores`), or a threshold that is no probability between.
    """
    check_scores(truth, score)
    thresholds = np.asarray(thresholds, dtype=np.float64)
    if not ((thresholds > 0) & (thresholds < 1)).all():
        raise ValueError(f"expected thresholds above 0 and below 1; found {thresholds.min()} to {thresholds.max()}")
    truth, score = np.asarray(truth, dtype=np.float64), np.asarray(score, dtype=np.float64)
    odds, prevalence = thresholds / (1 - thresholds), truth.mean() if prevalence is None else prevalence
    true_positives, false_positives = (  # rates; a class without a patient has weight 0
        1 - np.searchsorted(np.sort(group), thresholds) / max(len(group), 1)
        for group in (score[truth == 1], score[truth == 0])
    )
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "network": prevalence * true_positives - odds * (1 - prevalence) * false_positives,
            "treat_all": prevalence - odds * (1 - prevalence),
            "treat_none": 0.0,
        }
    )
