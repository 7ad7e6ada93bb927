"""How far a score may lie off by the luck of who the patients were."""

import numpy as np
from scipy.stats import norm


def auc_interval(truth: np.ndarray, score: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Confidence interval of an AUC by DeLong's variance (DeLong, DeLong and Clarke-Pearson, Biometrics 1988).

    It is about the patients drawn, not about the training: another seed may move the AUC further.

    Args:
        truth: 1 mutant, 0 wild-type, one a patient, shape (n,).
        score: probability of mutation, shape (n,).
        level: how often such an interval holds the AUC of all patients there could be.

    Returns:
        Its ends, cut at 0 and 1. NaN where the method has no answer: fewer than two patients of a class, or classes
        that do not overlap at all, whose variance comes out as 0.
    """
    truth, score = np.asarray(truth), np.asarray(score, dtype=np.float64)
    mutant, wild_type = score[truth == 1], score[truth == 0]
    if min(len(mutant), len(wild_type)) < 2:
        return float("nan"), float("nan")
    higher = np.heaviside(mutant[:, None] - wild_type, 0.5)  # (mutant, wild-type); 0.5 for a tie
    variance = sum(higher.mean(axis).var(ddof=1) / higher.shape[1 - axis] for axis in (0, 1))
    if variance == 0:
        return float("nan"), float("nan")
    half = norm.ppf((1 + level) / 2) * np.sqrt(variance)
    low, high = np.clip([higher.mean() - half, higher.mean() + half], 0, 1)
    return float(low), float(high)
