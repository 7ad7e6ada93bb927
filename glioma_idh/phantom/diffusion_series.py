"""Simulate a diffusion-weighted series of a phantom subject with known ADC.

The signal of each tissue is that of a spin echo, PD exp(-TE / T2) exp(-b g'Dg), with a repetition time so long that T1
has no effect. Tissue values: `signal`. In white matter, diffusion along i is 3.5 times as fast as across, as in fibre
bundles (Pierpaoli et al. 1996, Radiology 201:637); the mean diffusivity is the ADC of the table.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from glioma_idh.phantom.anatomy import Anatomy
from glioma_idh.phantom.fields import draw_lattice, smooth_field
from glioma_idh.phantom.lesions import PARTS, Lesion
from glioma_idh.phantom.signal import TISSUES, Tissue, clean_signal, planted_tissue

B_VALUES = (0, 500, 1000)  # s/mm2, as in Pasquini et al. 2021
ALONG, ACROSS = 21 / 11, 6 / 11  # diffusivity of white matter along and across the fibres, relative to the mean


def make_dwi(
    anatomy: Anatomy,
    lesion: Lesion,
    z: float,
    rng: np.random.Generator,
    b_values: ArrayLike = B_VALUES,
    b_vectors: ArrayLike | None = None,
    white_snr: float = 40,
) -> tuple[np.ndarray, np.ndarray]:
    """Simulate a diffusion-weighted series of a subject, with coil sensitivity and noise.

    In voxels of several tissues, an ADC fitted to the series is weighted towards the tissues with longer T2 and smaller
    ADC, and therefore differs from the true one.

    Args:
        anatomy: brain of the subject.
        lesion: lesion of the subject.
        z: latent variable of ADC.
        rng: random number generator.
        b_values: b-values, s/mm2, shape (n,).
        b_vectors: unit vectors of the gradients, shape (n, 3), 0 for b = 0; None for trace-weighted volumes.
        white_snr: signal of white matter at b = 0, divided by the standard deviation of the noise; inf for no noise.

    Returns:
        The series in scanner units, shape (i, j, k, n), int16; and the true ADC, mm2/s, shape (i, j, k), float32, 0
        outside the brain.
    """
    series = clean_dwi(anatomy, lesion, z, b_values, b_vectors)
    gain = 500 * rng.uniform(0.7, 1.4) / _echo(TISSUES["white"])
    coil = np.exp(0.02 * smooth_field(draw_lattice(rng, 60.0), anatomy.grid))
    series *= np.float32(gain) * coil[..., None]
    sd = np.float32(gain * _echo(TISSUES["white"]) / white_snr)
    noise = sd * rng.standard_normal((2, *series.shape), dtype=np.float32)
    series = np.hypot(series + noise[0], noise[1])  # Rician
    return np.round(series).astype(np.int16), clean_signal("adc", anatomy, lesion, z) * anatomy.brain


def three_directions(b_values: Sequence[float] = B_VALUES) -> tuple[np.ndarray, np.ndarray]:
    """Return a gradient table with each b-value above 0 along i, j and k: b-values, (n,), and unit vectors, (n, 3)."""
    vectors = [np.eye(3) if b > 0 else np.zeros((1, 3)) for b in b_values]
    return np.repeat(np.array(b_values, float), [len(part) for part in vectors]), np.vstack(vectors)


def clean_dwi(
    anatomy: Anatomy, lesion: Lesion, z: float, b_values: ArrayLike = B_VALUES, b_vectors: ArrayLike | None = None
) -> np.ndarray:
    """Simulate the series of `make_dwi` without coil sensitivity and noise; shape (i, j, k, n), float32.

    A signal of 1 is that of water at echo time 0.
    """
    b_values = np.asarray(b_values, float)
    vectors = np.zeros((len(b_values), 3)) if b_vectors is None else np.asarray(b_vectors)
    along = np.where(np.any(vectors, axis=1), np.square(vectors[:, 0]), 1 / 3)
    fibres = ACROSS + (ALONG - ACROSS) * along
    tissues = TISSUES | {part: planted_tissue("adc", part, z) for part in PARTS}
    series = np.zeros((*anatomy.grid.shape, len(b_values)), np.float32)
    for name, share in tissue_shares(anatomy, lesion).items():
        diffusivity = tissues[name].adc_mm2_s * (fibres if name == "white" else 1)
        signals = _echo(tissues[name]) * np.exp(-b_values * diffusivity)
        for n, signal in enumerate(signals):
            series[..., n] += np.float32(signal) * share
    return series


def tissue_shares(anatomy: Anatomy, lesion: Lesion) -> dict[str, np.ndarray]:
    """Return the share of each tissue of TISSUES per voxel; shape (i, j, k) each, sum 1 in the brain."""
    healthy = 1 - lesion.shares.sum(axis=0)
    shares = {name: getattr(anatomy, name) * (healthy * (1 - anatomy.vessels)) for name in ("white", "grey", "fluid")}
    return shares | {"vessels": anatomy.vessels * healthy} | dict(zip(PARTS, lesion.shares, strict=True))


def _echo(tissue: Tissue, echo_time_s: float = 0.08) -> float:
    """Return the signal of an echo-planar spin echo at b = 0: PD exp(-TE / T2)."""
    return tissue.proton_density * np.exp(-echo_time_s / tissue.t2_s)
