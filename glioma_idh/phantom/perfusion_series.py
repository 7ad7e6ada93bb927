"""Simulate a raw perfusion series (DSC) of a phantom subject with known blood volume.

The simulation is based on physics, independent of the model of the leakage correction:
    Arterial plasma: a gamma-variate bolus, a wider second pass and a slow wash-out, similar to Parker et al. 2006, Magn
    Reson Med 56:993.
    Tissue: blood volume x arterial curve, convolved with an exponential residue function of one mean transit time.
    dR2* = relaxivity x concentration in the vessels: Kjolby et al. 2006, Magn Reson Med 56:187.
    Leakage: Tofts et al. 1999, J Magn Reson Imaging 10:223, with Ktrans and ve, in both directions. Leaked contrast
    medium shortens T1 (with the relaxivity of the phantom's other images) and T2* (depending on the cell density:
    Semmineh et al. 2015, Magn Reson Med 74:772).
    Signal: the magnetisation is simulated pulse by pulse, so the first volumes are brighter and T1 saturates.
    T2* of tissue: from its T2 and an additional rate of 8/s, Wansapura et al. 1999, J Magn Reson Imaging 9:531.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter
from scipy.stats import gamma

from glioma_idh.phantom.anatomy import Anatomy
from glioma_idh.phantom.fields import draw_lattice, smooth_field
from glioma_idh.phantom.lesions import PARTS, Lesion
from glioma_idh.phantom.signal import RELAXIVITY, TISSUES, clean_signal, healthy_part

WHITE_BLOOD_VOLUME = 0.022
VESSEL_RELAXIVITY = 87.0  # l / (mmol s), 3 T
INHOMOGENEITY_RATE = 8.0  # 1/s, R2* - R2
BOLUS_AREA = 40.0  # mmol s / l
SECOND_PASS_SHARE, SECOND_PASS_DELAY_S = 0.2, 14.0
WASH_OUT_PLATEAU, WASH_OUT_TIME_S = 0.6, 180.0  # mmol / l, s
FINE_STEP_S = 0.05


@dataclass(frozen=True)
class DscProtocol:
    """The acquisition parameters of the series."""

    echo_times_s: tuple[float, ...] = (0.030,)  # one or two echoes
    repetition_time_s: float = 1.5  # time between volumes
    flip_deg: float = 70.0  # flip angle; larger angles increase the T1 weighting
    num_volumes: int = 60
    arrival_s: float = 24.0  # arrival time of the bolus in the brain
    white_snr: float = 75.0  # signal-to-noise ratio of white matter before the bolus, at the longest echo time


@dataclass(frozen=True)
class Leakage:
    """Leakage of contrast medium in the enhancing rim."""

    ktrans_per_min: float = 0.10  # mean transfer constant; it varies between voxels (log-normal, `spread`)
    extravascular_volume: float = 0.3  # ve, the share of the tissue into which contrast medium can leak
    relaxivity_t2: float = 20.0  # dR2* per concentration in the tissue, l / (mmol s)
    spread: float = 0.4  # standard deviation of ln(Ktrans)
    transit_s: float = 4.0  # mean transit time of the lesion; 4 s in healthy tissue


def arterial_concentration(time_s: np.ndarray) -> np.ndarray:
    """Return the concentration in arterial plasma, mmol/l, at times after the arrival, s."""
    first = gamma.pdf(time_s, 4.0, scale=1.5)
    second = gamma.pdf(time_s - SECOND_PASS_DELAY_S, 4.0, scale=3.0)
    mixed = gamma.cdf(time_s, 4.0, scale=3.0) * np.exp(-np.maximum(time_s, 0) / WASH_OUT_TIME_S)
    return BOLUS_AREA * (first + SECOND_PASS_SHARE * second) + WASH_OUT_PLATEAU * mixed


def vascular_concentration(time_s: np.ndarray, arterial: np.ndarray, transit_s: float) -> np.ndarray:
    """Return the mean concentration in the vessels: the arterial curve convolved with exp(-t / transit) of area 1.

    `time_s` must be evenly spaced.
    """
    keep = np.exp(-(time_s[1] - time_s[0]) / transit_s)
    return lfilter([1 - keep], [1, -keep], arterial)


def leaked_concentration(arterial: np.ndarray, step_s: float, ktrans: np.ndarray, ve: float) -> Iterator[np.ndarray]:
    """Yield the leaked concentration at each volume (Tofts): dC/dt = Ktrans arterial - (Ktrans / ve) C.

    Args:
        arterial: mean arterial concentration between two volumes, mmol/l, shape (t,).
        step_s: time between volumes.
        ktrans: transfer constant per voxel, 1/s, shape (voxel,).
        ve: extravascular volume.

    Yields:
        Concentration in the tissue, mmol/l, shape (voxel,).
    """
    keep = np.exp(-ktrans * np.float32(step_s / ve))
    leaked = np.zeros_like(ktrans)
    for concentration in arterial:
        leaked = leaked * keep + np.float32(ve * concentration) * (1 - keep)
        yield leaked


def make_dsc(
    anatomy: Anatomy,
    lesion: Lesion,
    z: float,
    rng: np.random.Generator,
    protocol: DscProtocol = DscProtocol(),
    leakage: Leakage = Leakage(),
) -> tuple[list[np.ndarray], np.ndarray]:
    """Simulate a perfusion series of a subject.

    Args:
        anatomy: brain of the subject.
        lesion: lesion of the subject.
        z: latent variable of rCBV.
        rng: random number generator.
        protocol: acquisition parameters.
        leakage: leakage parameters.

    Returns:
        One series per echo, shape (i, j, k, t), float32, arbitrary units (white matter about 500), with Rician noise;
        and the true rCBV, shape (i, j, k), float32, normal white matter = 1.
    """
    truth = clean_signal("rcbv", anatomy, lesion, z) * anatomy.brain
    uneven = np.exp(leakage.spread * smooth_field(draw_lattice(rng, 6.0), anatomy.grid) - leakage.spread**2 / 2)
    rim = lesion.shares[PARTS.index("rim")]
    ktrans = (leakage.ktrans_per_min / 60 * rim * uneven)[anatomy.brain].astype(np.float32)
    lesion_share = lesion.shares.sum(axis=0)[anatomy.brain]
    values: tuple = (lambda tissue: tissue.proton_density, lambda tissue: 1 / tissue.t1_s)
    values += (lambda tissue: 1 / tissue.t2_s + INHOMOGENEITY_RATE,)
    tissue = []
    for value in values:  # mean over the tissue shares, (voxel,)
        parts = zip(PARTS, lesion.shares[:, anatomy.brain], strict=True)
        of_lesion = sum(np.float32(value(TISSUES[part])) * share for part, share in parts)
        tissue.append(healthy_part(value, anatomy, lesion, anatomy.brain) + of_lesion)
    proton_density, rate_1, rate_2 = tissue  # rates in 1/s
    rcbv, ve = truth[anatomy.brain], leakage.extravascular_volume
    in_healthy, in_lesion, arterial = sampled_concentrations(protocol, leakage.transit_s)
    leaked = leaked_concentration(arterial, protocol.repetition_time_s, ktrans, ve)
    flip, longitudinal = np.deg2rad(protocol.flip_deg), proton_density
    clean = [np.empty((len(ktrans), protocol.num_volumes), np.float32) for _ in protocol.echo_times_s]
    for n, outside in enumerate(leaked):
        inside = in_healthy[n] + lesion_share * (in_lesion[n] - in_healthy[n])
        shortened = rate_2 + VESSEL_RELAXIVITY * WHITE_BLOOD_VOLUME * rcbv * inside
        shortened += leakage.relaxivity_t2 * outside
        for signal, echo_time_s in zip(clean, protocol.echo_times_s, strict=True):
            signal[:, n] = longitudinal * np.sin(flip) * np.exp(-echo_time_s * shortened)
        decay = np.exp(-protocol.repetition_time_s * (rate_1 + RELAXIVITY * outside))
        longitudinal = proton_density * (1 - decay) + longitudinal * np.cos(flip) * decay
    white = (anatomy.white[anatomy.brain] > 0.9) & (lesion_share < 0.01)  # away from the lesion
    gain = 500 / clean[-1][white, 2].mean()
    series = [np.zeros((*anatomy.brain.shape, echo.shape[1]), np.float32) for echo in clean]
    for image, echo in zip(series, clean, strict=True):
        image[anatomy.brain] = gain * echo
        for plane in image:  # one at a time, to spare memory
            noise = np.float32(500 / protocol.white_snr) * rng.standard_normal((2, *plane.shape), dtype=np.float32)
            plane[...] = np.sqrt((plane + noise[0]) ** 2 + noise[1] ** 2)  # Rician
    return series, truth.astype(np.float32)


def sampled_concentrations(protocol: DscProtocol, lesion_transit_s: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return concentrations, mmol/l, shape (t,): in vessels of healthy tissue and of the lesion, and in plasma.

    The concentration in plasma is the mean since the previous volume.
    """
    steps = round(protocol.repetition_time_s / FINE_STEP_S)
    fine_s = protocol.repetition_time_s / steps * np.arange(-steps + 1, (protocol.num_volumes - 1) * steps + 1)
    arterial = arterial_concentration(fine_s - protocol.arrival_s)
    vessels = [vascular_concentration(fine_s, arterial, transit_s) for transit_s in (4.0, lesion_transit_s)]
    return *(curve[steps - 1 :: steps] for curve in vessels), arterial.reshape(-1, steps).mean(axis=1)
