"""The pairs of a mutant and a wild-type that a score puts in the right order."""

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
