"""What the voxels suggest about an image where nothing says it. Guesses, and called so; nothing is changed by them."""

from collections.abc import Iterable

from glioma_idh.imaging.heuristics import guess_background, guess_head, guess_intensities

__all__ = ["enhancing_label", "guess_background", "guess_head", "guess_intensities"]


def enhancing_label(labels: Iterable[int]) -> int | None:
    """Which label is the enhancing tumour, by BraTS: 4 up to 2021, 3 from 2023 on.

    Where there are both, 3 is the enhancing tumour and 4 the resection cavity (2024, after treatment). BraTS before
    2017 used both, too, with 4 enhancing; its masks are read wrongly here.

    Args:
        labels: all that occur in a cohort's masks; one mask alone may lack the one that tells.

    Returns:
        3 or 4; None where neither occurs.
    """
    found = set(labels)
    return next((label for label in (3, 4) if label in found), None)
