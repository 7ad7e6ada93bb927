"""A diffusion-weighted series of a phantom subject, with the ADC that should come of it.

Each tissue's signal is that of a spin echo, PD exp(-TE / T2) exp(-b g'Dg), at a repetition time too long for T1 to
matter. Tissue values: `signal`. White matter conducts along i three and a half times as well as across, as its bundles
do (Pierpaoli et al. 1996, Radiology 201:637), with the ADC of the table as its mean.
"""

import numpy as np

from glioma_idh.phantom.anatomy import Anatomy
from glioma_idh.phantom.fields import draw_lattice, smooth_field
from glioma_idh.phantom.lesions import PARTS, Lesion
from glioma_idh.phantom.signal import TISSUES, Tissue, clean_signal, planted_tissue

B_VALUES = (0, 500, 1000)  # s/mm2: those of Pasquini et al. 2021
ALONG, ACROSS = 21 / 11, 6 / 11  # white matter's diffusivity along and across its fibres, in parts of its mean


def make_dwi(
    anatomy: Anatomy, lesion: Lesion, z: float, rng, b_values=B_VALUES, b_vectors=None, white_snr: float = 40
) -> tuple[np.ndarray, np.ndarray]:
    """The series as a scanner gives it of a subject with a latent z of ADC, air and all; and the truth.

    Of b-values (n,), s/mm2, and unit vectors (n, 3), 0 for none; None makes every volume trace-weighted. `white_snr` is
    the signal of white matter at b = 0 over the noise's standard deviation, infinite for no noise.

    Returns the series in scanner units, (i, j, k, n), int16; and the ADC, mm2/s, (i, j, k), float32, 0 outside the
    brain. Where a voxel holds several tissues, an ADC fitted to the series leans towards longer T2 and smaller ADC.
    """
    series = clean_dwi(anatomy, lesion, z, b_values, b_vectors)
    gain = 500 * rng.uniform(0.7, 1.4) / _echo(TISSUES["white"])
    coil = np.exp(0.02 * smooth_field(draw_lattice(rng, 60.0), anatomy.grid))
    series *= np.float32(gain) * coil[..., None]
    sd = np.float32(gain * _echo(TISSUES["white"]) / white_snr)
    noise = sd * rng.standard_normal((2, *series.shape), dtype=np.float32)
    series = np.hypot(series + noise[0], noise[1])  # Rician
    return np.round(series).astype(np.int16), clean_signal("adc", anatomy, lesion, z) * anatomy.brain


def three_directions(b_values=B_VALUES) -> tuple[np.ndarray, np.ndarray]:
    """The gradient table with each b-value above 0 along i, j and k in turn: (n,), s/mm2; and unit vectors, (n, 3)."""
    vectors = [np.eye(3) if b > 0 else np.zeros((1, 3)) for b in b_values]
    return np.repeat(np.array(b_values, float), [len(part) for part in vectors]), np.vstack(vectors)


def clean_dwi(anatomy: Anatomy, lesion: Lesion, z: float, b_values=B_VALUES, b_vectors=None) -> np.ndarray:
    """The series of `make_dwi` without coil and noise, water at echo time 0 = 1; shape (i, j, k, n), float32."""
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
    """How much of each voxel is which tissue, by the names of TISSUES; each (i, j, k), sum 1 in the brain."""
    healthy = 1 - lesion.shares.sum(axis=0)
    shares = {name: getattr(anatomy, name) * (healthy * (1 - anatomy.vessels)) for name in ("white", "grey", "fluid")}
    return shares | {"vessels": anatomy.vessels * healthy} | dict(zip(PARTS, lesion.shares, strict=True))


def _echo(tissue: Tissue, echo_time_s: float = 0.08) -> float:
    """Signal of an echo-planar spin echo at b = 0: PD exp(-TE / T2)."""
    return tissue.proton_density * np.exp(-echo_time_s / tissue.t2_s)
