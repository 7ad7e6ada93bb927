"""Diffusion-weighted volumes without a direction, in a series that has directions: at b = 0, or of the trace.

Some scanners write the volumes at b = 0 with the b-value of the series and a direction of zero; others append the
trace. The table cannot tell them apart, and one taken for the other makes the ADC too low. The signal can: that of the
trace is the geometric mean of the directions, that of b = 0 is a factor of exp(b ADC) above it.
"""

import numpy as np
import SimpleITK as sitk

from glioma_idh.errors import InputError
from glioma_idh.imaging.diffusion.gradients import SHELL_WIDTH, UNWEIGHTED, group_shells, share_of_each
from glioma_idh.imaging.registration.pyramid import find_head
from glioma_idh.imaging.resampling import to_itk
from glioma_idh.imaging.volumes import Volume

MARGIN = 0.25  # share of the way from trace to b = 0 by which the signal may be off the one it is taken for
EXPECTED_ADC = 0.8e-3  # mm2/s, of brain tissue, where no volume is known to be at b = 0
FAINT = 0.5  # what is below this share of the median of the head, in the volumes with a direction, is no tissue
AS_TRACE, AS_UNWEIGHTED = (-0.15, 0.15), (0.5, 2.5)  # the same shares with EXPECTED_ADC, which oedema and fluid exceed


def settle_undirected(series, b_values: np.ndarray, directions: np.ndarray, brain) -> tuple[np.ndarray, str]:
    """The b-values (n,), s/mm2, 0 for volumes at b = 0 by their signal although they say otherwise; and that in words.

    What is in question is a volume above b = UNWEIGHTED without a direction (unit vectors, (n, 3), 0 for none) where
    others have one. In a series without any direction every volume is trace-weighted, and nothing is in question.
    Where the brain, a mask, is None, what is not air counts. InputError if a signal is neither of b = 0 nor the trace.
    """
    weighted = b_values > UNWEIGHTED
    directed = weighted & directions.any(axis=1)
    doubtful = np.flatnonzero(weighted & ~directed)
    if not len(doubtful) or not directed.any():
        return b_values, ""
    series = np.asarray(series)
    mean = series[..., directed].mean(axis=-1, dtype=np.float32)
    head = brain if brain is not None else sitk.GetArrayFromImage(find_head(to_itk(Volume(mean, np.eye(4))))).T > 0
    least = FAINT * np.median(mean[head]) if head.any() else 0
    signal = series[(mean > least) & (True if brain is None else brain)].astype(np.float32)
    signal = signal[(signal > 0).all(axis=1)]
    if not len(signal):
        advice = "Check the brain mask, and look for empty volumes."
        raise InputError("tissue with a signal in every diffusion-weighted volume", "none", advice)
    logarithm = np.log(signal)
    taken = [_is_unweighted(n, logarithm, b_values, directions) for n in doubtful]
    settled = b_values.copy()
    settled[doubtful[taken]] = 0
    kinds = {"b = 0": doubtful[taken], "trace-weighted": doubtful[~np.array(taken)]}
    return settled, "; ".join(_in_words(b_values[those], kind) for kind, those in kinds.items() if len(those))


def _is_unweighted(n: int, logarithm: np.ndarray, b_values: np.ndarray, directions: np.ndarray) -> bool:
    """Whether a volume is at b = 0 (or else of the trace); InputError if its signal does not tell."""
    unweighted = b_values <= UNWEIGHTED
    directed = np.flatnonzero(~unweighted & directions.any(axis=1))
    shells = group_shells(b_values[directed])
    # the trace is that of the directions of the same shell, else that of the nearest one, whose decay is scaled
    nearest = min(shells, key=lambda b: abs(b - b_values[n]))
    members, in_shell = directed[shells[nearest]], abs(nearest - b_values[n]) <= SHELL_WIDTH
    trace = logarithm[:, members] @ share_of_each(directions[members]).astype(np.float32)
    way, as_trace, as_unweighted = EXPECTED_ADC * b_values[n], AS_TRACE, AS_UNWEIGHTED
    if unweighted.any():
        at_zero = logarithm[:, unweighted].mean(axis=1)
        trace = trace if in_shell else at_zero + (trace - at_zero) * np.float32(b_values[n] / nearest)
        way, as_trace, as_unweighted = np.median(at_zero - trace), (-MARGIN, MARGIN), (1 - MARGIN, 1 + MARGIN)
    is_comparable = (in_shell or unweighted.any()) and way > 0
    share = float(np.median(logarithm[:, n] - trace) / way) if is_comparable else np.nan
    if as_trace[0] <= share <= as_trace[1]:
        return False
    if as_unweighted[0] <= share <= as_unweighted[1]:
        return True
    how = f"{share:.0%} of the way from the trace to b = 0" if is_comparable else "comparable with no other"
    found = f"volume {n} (from 0), called b = {b_values[n]:.0f} without a direction, whose signal is {how}"
    advice = "Correct its b-value (0 where it is at b = 0) or its b-vector, or take the volume out of the series."
    raise InputError("diffusion-weighted volumes with a direction, or at b = 0, or of the trace", found, advice)


def _in_words(b_values: np.ndarray, kind: str) -> str:
    """How many volumes of which b-values were taken for what."""
    number, one = len(b_values), len(b_values) == 1
    volumes, verb, whose = ("1 volume", "was", "its") if one else (f"{number} volumes", "were", "their")
    shells = ", ".join(f"{b:.0f}" for b in group_shells(b_values))
    return f"{volumes} called b = {shells} without a direction {verb} taken as {kind} by {whose} signal"
