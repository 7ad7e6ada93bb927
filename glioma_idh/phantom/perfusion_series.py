"""A raw perfusion series (DSC) of a phantom subject, whose blood volume is known.

Simulated from the physics, not from the model by which leakage is corrected:
    Arterial plasma: a gamma-variate bolus, a wider second pass and a slow wash-out, much as in Parker et al. 2006, Magn
    Reson Med 56:993.
    Tissue: blood volume x arterial curve, spread by an exponential residue of one mean transit time.
    dR2* = relaxivity x concentration in the vessels: Kjolby et al. 2006, Magn Reson Med 56:187.
    Leakage: Tofts et al. 1999, J Magn Reson Imaging 10:223, with Ktrans and ve, out and back again. What has leaked
    shortens T1 (relaxivity of the phantom's other images) and T2*, the latter as strongly as cells are packed: Semmineh
    et al. 2015, Magn Reson Med 74:772.
    Signal: the magnetisation is followed from pulse to pulse, so the first volumes are brighter and T1 saturates.
    T2* of tissue: its T2 and a rate of 8/s, from Wansapura et al. 1999, J Magn Reson Imaging 9:531.
"""

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
    """How the series is acquired."""

    echo_times_s: tuple[float, ...] = (0.030,)  # one or two
    repetition_time_s: float = 1.5  # from one volume to the next
    flip_deg: float = 70.0  # of the pulse; the larger, the more T1 counts
    num_volumes: int = 60
    arrival_s: float = 24.0  # when the bolus reaches the brain
    white_snr: float = 75.0  # baseline signal over noise in white matter, at the longest echo time


@dataclass(frozen=True)
class Leakage:
    """What the enhancing rim lets through."""

    ktrans_per_min: float = 0.10  # mean transfer constant; each voxel's varies about it by `spread`, log-normal
    extravascular_volume: float = 0.3  # ve, share of the tissue that the contrast medium can fill
    relaxivity_t2: float = 20.0  # dR2* per concentration in the tissue, l / (mmol s)
    spread: float = 0.4  # standard deviation of ln(Ktrans)
    transit_s: float = 4.0  # mean transit time of the lesion; that of healthy tissue is 4 s


def arterial_concentration(time_s: np.ndarray) -> np.ndarray:
    """Concentration in arterial plasma, mmol/l, at times after the arrival, s: gamma-variates and a tail."""
    first = gamma.pdf(time_s, 4.0, scale=1.5)
    second = gamma.pdf(time_s - SECOND_PASS_DELAY_S, 4.0, scale=3.0)
    mixed = gamma.cdf(time_s, 4.0, scale=3.0) * np.exp(-np.maximum(time_s, 0) / WASH_OUT_TIME_S)
    return BOLUS_AREA * (first + SECOND_PASS_SHARE * second) + WASH_OUT_PLATEAU * mixed


def vascular_concentration(time_s: np.ndarray, arterial: np.ndarray, transit_s: float) -> np.ndarray:
    """Mean concentration in the vessels at even times: the arterial curve spread by exp(-t / transit) of area 1."""
    keep = np.exp(-(time_s[1] - time_s[0]) / transit_s)
    return lfilter([1 - keep], [1, -keep], arterial)


def leaked_concentration(arterial: np.ndarray, step_s: float, ktrans: np.ndarray, ve: float):
    """Yield what has leaked at each volume, after Tofts: dC/dt = Ktrans arterial - (Ktrans / ve) C; mmol/l, (voxel,).

    The arterial curve, shape (t,), is the mean in each step between two volumes; ktrans has shape (voxel,), 1/s.
    """
    keep = np.exp(-ktrans * np.float32(step_s / ve))
    leaked = np.zeros_like(ktrans)
    for concentration in arterial:
        leaked = leaked * keep + np.float32(ve * concentration) * (1 - keep)
        yield leaked


def make_dsc(
    anatomy: Anatomy, lesion: Lesion, z: float, rng, protocol: DscProtocol = DscProtocol(), leakage: Leakage = Leakage()
) -> tuple[list[np.ndarray], np.ndarray]:
    """A perfusion series of a subject with a latent z of rCBV, and the blood volume behind it.

    One series (i, j, k, t) an echo, float32, arbitrary units, white matter about 500, Rician noise everywhere; and the
    true rCBV (i, j, k), normal white matter = 1, float32.
    """
    truth = clean_signal("rcbv", anatomy, lesion, z) * anatomy.brain
    uneven = np.exp(leakage.spread * smooth_field(draw_lattice(rng, 6.0), anatomy.grid) - leakage.spread**2 / 2)
    rim = lesion.shares[PARTS.index("rim")]
    ktrans = (leakage.ktrans_per_min / 60 * rim * uneven)[anatomy.brain].astype(np.float32)
    lesion_share = lesion.shares.sum(axis=0)[anatomy.brain]
    values: tuple = (lambda tissue: tissue.proton_density, lambda tissue: 1 / tissue.t1_s)
    values += (lambda tissue: 1 / tissue.t2_s + INHOMOGENEITY_RATE,)
    tissue = []
    for value in values:  # mixed by the tissues' shares, (voxel,)
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
    """Contrast medium (t,), mmol/l: in vessels of healthy tissue and lesion; in plasma, the mean since the last."""
    steps = round(protocol.repetition_time_s / FINE_STEP_S)
    fine_s = protocol.repetition_time_s / steps * np.arange(-steps + 1, (protocol.num_volumes - 1) * steps + 1)
    arterial = arterial_concentration(fine_s - protocol.arrival_s)
    vessels = [vascular_concentration(fine_s, arterial, transit_s) for transit_s in (4.0, lesion_transit_s)]
    return *(curve[steps - 1 :: steps] for curve in vessels), arterial.reshape(-1, steps).mean(axis=1)
