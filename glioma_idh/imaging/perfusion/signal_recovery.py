"""Peak height and percent signal recovery, the two other maps that UPENN-GBM carries of each perfusion series.

After Cha et al. 2007, AJNR Am J Neuroradiol 28:1078, and Lupo et al. 2005, AJNR Am J Neuroradiol 26:1446.
"""

import numpy as np

from glioma_idh.imaging.perfusion.relaxation import noise_of

RECOVERY_S = 10.0


def peak_height(change: np.ndarray, first_pass: tuple[int, int]) -> np.ndarray:
    """Greatest change of relaxation during the first pass, not corrected for leakage, shape (voxel,), 1/s."""
    return change[:, slice(*first_pass)].max(axis=1)


def percent_signal_recovery(signal: np.ndarray, baseline: tuple[int, int], first_pass: tuple[int, int], step_s: float):
    """How much of its drop the signal has made up for at the end of the first pass: 100 (S1 - Smin) / (S0 - Smin).

    S0 is the mean of the baseline, Smin the lowest signal of the first pass and S1 the mean of the 10 s that begin with
    its last volume, up to which the signal has recovered. Above 100 where the signal rises over its baseline.

    Args:
        signal: of the longest echo, shape (voxel, t).
        baseline, first_pass: volumes (start, stop).
        step_s: from one volume to the next, s.

    Returns:
        Shape (voxel,), percent, float32; 0 where the drop is less than three times the noise.
    """
    before = signal[:, slice(*baseline)].mean(axis=1)
    lowest = signal[:, slice(*first_pass)].min(axis=1)
    last = first_pass[1] - 1
    after = signal[:, last : last + max(1, round(RECOVERY_S / step_s))].mean(axis=1)
    drop = before - lowest
    seen = drop > 3 * noise_of(signal, baseline)
    return np.where(seen, 100 * (after - lowest) / np.where(seen, drop, 1), 0)
