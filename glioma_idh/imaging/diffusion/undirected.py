"""Classify diffusion-weighted volumes without a direction as b = 0 or trace-weighted, from their signal.

In series with directions, some scanners write volumes at b = 0 with the b-value of the series and a zero direction;
others append trace-weighted images. The gradient table cannot distinguish them, and a confusion makes the ADC too low.
The signal can distinguish them: a trace-weighted signal is the geometric mean over the directions, and a signal at
b = 0 is exp(b ADC) times higher.
"""

import numpy as np
import SimpleITK as sitk

from glioma_idh.errors import InputError
from glioma_idh.imaging.diffusion.gradients import SHELL_WIDTH, UNWEIGHTED, group_shells, share_of_each
from glioma_idh.imaging.registration.pyramid import find_head
from glioma_idh.imaging.resampling import to_itk
from glioma_idh.imaging.volumes import Volume

MARGIN = 0.25  # tolerance of the log signal, as a share of the difference between trace and b = 0
EXPECTED_ADC = 0.8e-3  # mm2/s, of brain tissue; used if no volume is known to be at b = 0
FAINT = 0.5  # voxels below this share of the median signal of the head are not tissue
AS_TRACE, AS_UNWEIGHTED = (
    (-0.15, 0.15),
    (0.5, 2.5),
)  # tolerances if EXPECTED_ADC is used; the ADC of oedema and fluid is higher


def classify_undirected(
    series: np.ndarray, b_values: np.ndarray, directions: np.ndarray, brain: np.ndarray | None
) -> tuple[np.ndarray, str]:
    """Set the b-value of volumes without a direction to 0 if their signal is that of b = 0.

    Only volumes above b = UNWEIGHTED without a direction are examined, and only if other volumes have one. In a series
    without directions, all volumes are trace-weighted.

    Args:
        series: shape (i, j, k, n).
        b_values: shape (n,), s/mm2.
        directions: unit vectors, shape (n, 3); 0 for none.
        brain: mask, shape (i, j, k); None for all voxels that are not air.

    Returns:
        The b-values, and a sentence on the volumes that were classified ("" if none).

    Raises:
        InputError: the signal of a volume fits neither b = 0 nor the trace.
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
        advice = "Check the brain mask, and whether there are empty volumes."
        raise InputError("tissue with a signal in every diffusion-weighted volume", "none", advice)
    logarithm = np.log(signal)
    taken = [_is_unweighted(n, logarithm, b_values, directions) for n in doubtful]
    settled = b_values.copy()
    settled[doubtful[taken]] = 0
    kinds = {"b = 0": doubtful[taken], "trace-weighted": doubtful[~np.array(taken)]}
    return settled, "; ".join(_in_words(b_values[those], kind) for kind, those in kinds.items() if len(those))


def _is_unweighted(n: int, logarithm: np.ndarray, b_values: np.ndarray, directions: np.ndarray) -> bool:
    """Return True if a volume is at b = 0, False if it is trace-weighted; InputError if its signal fits neither."""
    unweighted = b_values <= UNWEIGHTED
    directed = np.flatnonzero(~unweighted & directions.any(axis=1))
    shells = group_shells(b_values[directed])
    # the trace of the same shell, or else that of the nearest shell with its decay scaled to this b-value
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
    how = f"lies {share:.0%} of the way from the trace to b = 0" if is_comparable else "cannot be compared with others"
    found = f"volume {n} (counted from 0) with b = {b_values[n]:.0f} and no direction, whose signal {how}"
    advice = "Correct its b-value (0 if it is at b = 0) or its b-vector, or remove the volume from the series."
    raise InputError("volumes with a direction, at b = 0, or trace-weighted", found, advice)


def _in_words(b_values: np.ndarray, kind: str) -> str:
    """Describe which volumes were classified as what."""
    number, one = len(b_values), len(b_values) == 1
    volumes, verb, whose = ("1 volume", "was", "its") if one else (f"{number} volumes", "were", "their")
    shells = ", ".join(f"{b:.0f}" for b in group_shells(b_values))
    return f"{volumes} with b = {shells} and no direction {verb} classified as {kind} from {whose} signal"
