"""The pairs of a mutant and a wild-type that a score puts in the right order, and the variance of their share."""

import numpy as np
from scipy.stats import rankdata


def pairs_won(truth: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many pairs with the other class the score puts in the right order, patient by patient; a tie counts half.

    These are DeLong's structural components, each times the size of the other class: whole or half numbers, so that
    equal ones are equal to the last bit. By mid-ranks, never pair by pair (Sun and Xu, IEEE Signal Processing Letters
    2014).

    Args:
        truth: 1 mutant, 0 wild-type, one a patient, shape (n,).
        score: probability of mutation, shape (n,).

    Returns:
        Of each mutant, the wild-types below, shape (mutants,); of each wild-type, the mutants above,
        shape (wild-types,); both in the order of the patients.
    """
    truth, score = np.asarray(truth), np.asarray(score, dtype=np.float64)
    mutant, wild_type = score[truth == 1], score[truth == 0]
    ranks = rankdata(np.concatenate([mutant, wild_type]))
    below = ranks[: len(mutant)] - rankdata(mutant)
    not_above = ranks[len(mutant) :] - rankdata(wild_type)
    return below, len(mutant) - not_above


def delong_variance(of_mutants: np.ndarray, of_wild_types: np.ndarray) -> float:
    """DeLong's variance of an AUC from its `pairs_won`, or of a difference of AUCs from the differences of theirs.

    Args:
        of_mutants: shape (mutants,), at least two.
        of_wild_types: shape (wild-types,), at least two.
    """
    mutants, wild_types = len(of_mutants), len(of_wild_types)
    by_mutants = of_mutants.var(ddof=1) / (mutants * wild_types**2)
    by_wild_types = of_wild_types.var(ddof=1) / (wild_types * mutants**2)
    return float(by_mutants + by_wild_types)
