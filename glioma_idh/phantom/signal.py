"""Compute images from tissues: published tissue values, signal equations, coil sensitivity, noise and texture.

Tissue values at 3 T:
    T1 of white and grey matter 0.832 and 1.331 s: Wansapura et al. 1999, J Magn Reson Imaging 9:531.
    T2 of white and grey matter 0.069 and 0.099 s: Stanisz et al. 2005, Magn Reson Med 54:507.
    Cerebrospinal fluid T1 about 4 s, T2 about 2 s, and the spread of the above: Bojorquez et al. 2017, Magn Reson
    Imaging 35:69. Blood T1 1.6 s, T2 about 0.06 s (mixed arterial and venous): the same review; Stanisz et al. 2005.
    Water content (proton density) 0.70, 0.82 and 1: textbook values, as in Tofts, Quantitative MRI of the Brain, 2003.
    ADC of white and grey matter 0.75 and 0.83e-3 mm2/s, fluid 3e-3 mm2/s: Helenius et al. 2002, AJNR 23:194.
    rCBV of grey to white matter about 2 to 1: Leenders et al. 1990, Brain 113:27; Wenz et al. 1996, AJR 166:187.
    Relaxivity of gadolinium chelates in blood at 3 T about 4 / (mmol/l s): Rohrer et al. 2005, Invest Radiol 40:715.
Lesion values are ranges around those reported for glioblastoma, so wide that the latent variable z can change them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from glioma_idh.phantom.anatomy import Anatomy
from glioma_idh.phantom.fields import Grid, Lattice, draw_lattice, smooth_field
from glioma_idh.phantom.lesions import PARTS, Lesion

RELAXIVITY = 4.0  # l / (mmol s)
GRAIN = {"rcbv": (0.16, 0.05, 2**-8), "adc": (0.05, 0.03, 2**-20)}  # fine and coarse noise, and step size, of the maps


@dataclass(frozen=True)
class Tissue:
    """The properties of a tissue in the signal equations."""

    proton_density: float  # relative to water
    t1_s: float
    t2_s: float
    adc_mm2_s: float
    rcbv: float  # normal white matter = 1
    contrast_mmol_l: float = 0.0  # gadolinium concentration during the contrast-enhanced image


TISSUES = {
    "white": Tissue(0.70, 0.832, 0.069, 0.75e-3, 1.0, 0.005),
    "grey": Tissue(0.82, 1.331, 0.099, 0.83e-3, 2.1, 0.01),
    "fluid": Tissue(1.00, 4.0, 2.0, 3.0e-3, 0.3),
    "vessels": Tissue(0.85, 1.6, 0.06, 1.2e-3, 9.0, 1.2),
    "necrosis": Tissue(0.93, 2.8, 0.22, 1.7e-3, 1.0),
    "rim": Tissue(0.85, 1.75, 0.13, 1.1e-3, 3.0),
    "oedema": Tissue(0.85, 1.75, 0.14, 1.4e-3, 1.5),
}

PLANTED_RANGE = {
    "t1": ("t1_s", {"necrosis": (1.15, 4.0), "rim": (0.95, 2.6), "oedema": (0.95, 2.6)}),
    "t1gd": ("contrast_mmol_l", {"necrosis": (0.15, 0.0), "rim": (0.34, 0.0), "oedema": (0.2, 0.0)}),
    "t2": ("t2_s", {"necrosis": (0.10, 0.36), "rim": (0.08, 0.25), "oedema": (0.08, 0.27)}),
    "flair": ("t1_s", {"necrosis": (1.9, 3.3), "rim": (1.0, 2.5), "oedema": (1.0, 2.6)}),
    "rcbv": ("rcbv", {"necrosis": (3.4, 0.4), "rim": (6.2, 0.6), "oedema": (4.2, 0.5)}),
    "adc": ("adc_mm2_s", {"necrosis": (0.9e-3, 2.4e-3), "rim": (0.65e-3, 1.9e-3), "oedema": (0.75e-3, 2.1e-3)}),
}
"""Per sequence: the property that z determines, and its limits in each part for z to -inf and to +inf.

The directions are those reported for IDH mutation: longer T1 and T2, darker FLAIR despite bright T2 (the T2-FLAIR
mismatch), less enhancement, lower blood volume. For ADC the direction has no meaning: its z is independent of IDH."""

PLANTED_CENTRE, PLANTED_WIDTH = 0.4, 1.8


def planted_tissue(sequence: str, part: str, z: float) -> Tissue:
    """Return the properties of a part of the lesion for the latent z of the sequence; strictly monotone in z."""
    name, ranges = PLANTED_RANGE[sequence]
    low, high = ranges[part]
    share = 1 / (1 + np.exp(-(z - PLANTED_CENTRE) / PLANTED_WIDTH))
    return replace(TISSUES[part], **{name: low + (high - low) * share})


def spin_echo(tissue: Tissue, repetition_time_s: float, echo_time_s: float) -> float:
    """Return the signal of a spin echo: PD (1 - exp(-TR / T1)) exp(-TE / T2)."""
    longitudinal = 1 - np.exp(-repetition_time_s / tissue.t1_s)
    return tissue.proton_density * longitudinal * np.exp(-echo_time_s / tissue.t2_s)


def inversion_recovery(tissue: Tissue, repetition_time_s: float, inversion_time_s: float, echo_time_s: float) -> float:
    """Return the signal of an inversion recovery: PD |1 - 2 exp(-TI / T1) + exp(-TR / T1)| exp(-TE / T2)."""
    longitudinal = 1 - 2 * np.exp(-inversion_time_s / tissue.t1_s) + np.exp(-repetition_time_s / tissue.t1_s)
    return tissue.proton_density * abs(longitudinal) * np.exp(-echo_time_s / tissue.t2_s)


def spoiled_gradient_echo(tissue: Tissue, repetition_time_s: float, flip_deg: float) -> float:
    """Return the signal of a spoiled gradient echo with very short echo time: PD sin(a) (1 - E1) / (1 - cos(a) E1)."""
    decay, flip = np.exp(-repetition_time_s / tissue.t1_s), np.deg2rad(flip_deg)
    return tissue.proton_density * np.sin(flip) * (1 - decay) / (1 - np.cos(flip) * decay)


def enhanced(tissue: Tissue) -> Tissue:
    """Return the tissue with T1 shortened by contrast medium: 1 / T1' = 1 / T1 + r1 C."""
    return replace(tissue, t1_s=1 / (1 / tissue.t1_s + RELAXIVITY * tissue.contrast_mmol_l))


def tissue_signal(sequence: str, tissue: Tissue) -> float:
    """Return the relative signal of a tissue in a sequence; for the maps, rCBV or ADC itself."""
    signals = {
        "t1": lambda: spoiled_gradient_echo(tissue, repetition_time_s=0.018, flip_deg=25),
        "t1gd": lambda: inversion_recovery(enhanced(tissue), 2.3, inversion_time_s=1.0, echo_time_s=0.003),
        "t2": lambda: spin_echo(tissue, repetition_time_s=5.0, echo_time_s=0.095),
        "flair": lambda: inversion_recovery(tissue, 9.0, inversion_time_s=2.4, echo_time_s=0.11),
        "rcbv": lambda: tissue.rcbv,
        "adc": lambda: tissue.adc_mm2_s,
    }
    if sequence not in signals:
        raise ValueError(f"expected one of {', '.join(signals)}; found {sequence!r}")
    return signals[sequence]()


@dataclass(frozen=True)
class SignalDraw:
    """The random numbers of one image."""

    gain: float  # receiver gain
    coil: Lattice  # bias field
    texture: Lattice  # fine variation of the tissue
    patches: Lattice  # coarse variation of the tissue
    noise: np.ndarray  # standard normal, shape (2, i, j, k): real and imaginary part


def draw_signal(rng: np.random.Generator, grid: Grid) -> SignalDraw:
    """Draw the random numbers of one image."""
    return SignalDraw(
        gain=rng.uniform(0.7, 1.4),
        coil=draw_lattice(rng, 60.0),
        texture=draw_lattice(rng, 3.0),
        patches=draw_lattice(rng, 6.0),
        noise=rng.standard_normal((2, *grid.shape), dtype=np.float32),
    )


def clean_signal(sequence: str, anatomy: Anatomy, lesion: Lesion, z: float) -> np.ndarray:
    """Compute the image without coil sensitivity, noise and texture. Shape (i, j, k), float32."""
    image = healthy_part(lambda tissue: tissue_signal(sequence, tissue), anatomy, lesion)
    for part, share in zip(PARTS, lesion.shares, strict=True):
        image += np.float32(tissue_signal(sequence, planted_tissue(sequence, part, z))) * share
    return image


def healthy_part(value: Callable[[Tissue], float], anatomy: Anatomy, lesion: Lesion, where=...) -> np.ndarray:
    """Sum a property of the healthy tissues, weighted by their shares, in the voxels `where`; float32."""
    shares = {name: getattr(anatomy, name)[where] for name in ("white", "grey", "fluid")}
    mixed = sum(np.float32(value(TISSUES[name])) * share for name, share in shares.items())
    mixed += anatomy.vessels[where] * (np.float32(value(TISSUES["vessels"])) - mixed)
    return mixed * (1 - lesion.shares.sum(axis=0)[where])


def make_image(sequence: str, anatomy: Anatomy, lesion: Lesion, z: float, draw: SignalDraw) -> np.ndarray:
    """Make the image of one sequence of one subject, 0 outside the brain, shape (i, j, k).

    `rcbv` (white matter = 1) and `adc` (mm2/s) are float32, rounded to a power of two; the others are int16, scanner
    units.
    """
    image = clean_signal(sequence, anatomy, lesion, z)
    texture, patches = (smooth_field(lattice, anatomy.grid) for lattice in (draw.texture, draw.patches))
    if sequence in GRAIN:
        fine, coarse, step = GRAIN[sequence]
        image = image * np.exp(fine * (texture + 0.5 * draw.noise[0]) + coarse * patches)
        return (np.round(image / step) * step * anatomy.brain).astype(np.float32)
    white = np.float32(tissue_signal(sequence, TISSUES["white"]))
    image = image / white * np.exp(0.02 * smooth_field(draw.coil, anatomy.grid) + 0.015 * texture + 0.01 * patches)
    image = np.sqrt((image + 0.025 * draw.noise[0]) ** 2 + (0.025 * draw.noise[1]) ** 2)  # Rician
    return (np.round(500 * draw.gain * image) * anatomy.brain).astype(np.int16)
