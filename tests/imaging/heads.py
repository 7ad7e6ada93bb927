"""A head of few voxels, alike from left to right alone."""

import numpy as np

SHAPE, SPACING_MM = (60, 72, 54), (3.0, 3.0, 3.0)


def head(seed: int = 0) -> np.ndarray:
    """A brain of noise 140 mm wide, 174 mm long and 132 mm high, brighter to the front and darker to the top; around it
    0."""
    i, j, k = (np.arange(edge) + 0.5 - edge / 2 for edge in SHAPE)
    i, j, k = i[:, None, None], j[None, :, None], k[None, None, :]
    inside = (i / 23.3) ** 2 + (j / 29) ** 2 + (k / 22) ** 2 < 1
    noise = np.random.default_rng(seed).normal(0, 10, SHAPE)
    return np.where(inside, 300 + 6 * j - 5 * k + noise, 0).astype(np.float32)
