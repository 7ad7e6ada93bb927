"""Convert an ADC map from a scanner or another program to mm2/s, by comparison with the ADC of brain tissue.

The unit differs between programs and is not in the header. The histogram of brain tissue peaks at 0.7 to 0.9e-3 mm2/s
(Helenius et al. 2002, AJNR 23:194), and at 0.6e-3 for b = 2500 s/mm2. Oedema and fluid have higher values, which change
the median but hardly the peak. A map outside this range may be a trace that was not divided by three, or may have been
converted without the scaling to display units.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from glioma_idh.errors import InputError
from glioma_idh.imaging.diffusion.adc import HIGHEST_ADC

TISSUE_ADC = (0.45e-3, 1.05e-3)  # mm2/s, range of the peak of a brain's histogram
TRACE = 3  # the trace of the diffusion tensor is three times the mean diffusivity
HIGHEST_PEAK = 3.5e-3  # mm2/s; the unit is chosen so that the peak lies between a tenth of this and this
SMOOTHING, STEP = 0.1, 0.002  # histogram of the logarithm: sd of the smoothing, width of a bin


@dataclass(frozen=True)
class ScannerADC:
    """An ADC map, and how its unit was determined."""

    adc: np.ndarray  # mm2/s, shape (i, j, k), float32, from 0 to HIGHEST_ADC
    power: int  # the map was multiplied by 10 to this power
    divided: bool  # whether it was a trace and was divided by three
    peak_mm2_s: float  # peak of the brain's histogram in the converted map

    @property
    def method(self) -> str:
        """How the map was computed, in words."""
        trace, peak = ", a trace, divided by 3" if self.divided else "", f"{self.peak_mm2_s * 1000:.2f}e-3 mm2/s"
        return f"ADC map of the scanner, taken in units of 1e{self.power} mm2/s{trace}; peak of brain tissue {peak}"


def scale_adc(adc: np.ndarray, brain: np.ndarray, called_trace: bool = False) -> ScannerADC:
    """Convert an ADC map of unknown decimal unit (usually 1e-6 mm2/s) to mm2/s.

    The unit is the power of ten for which the histogram of the brain peaks between 0.35e-3 and 3.5e-3 mm2/s. The peak
    must then be that of tissue, or, for a map that is called a trace, three times that; such a map is divided by three.
    The name alone is not sufficient, because some scanners call the ADC of trace-weighted images a trace.

    Args:
        adc: shape (i, j, k).
        brain: mask of the same shape.
        called_trace: whether the name or description of the map contains "trace".

    Raises:
        InputError: the brain is empty, its median is not positive, the unit is implausible, or the peak is not that of
            tissue.
    """
    inside = np.asarray(adc, float)[np.asarray(brain) != 0]
    median = np.median(inside) if inside.size else np.nan
    peak = histogram_peak(inside) if median > 0 and np.isfinite(median) else np.nan
    power = int(np.floor(np.log10(HIGHEST_PEAK / peak) + 1e-9)) if np.isfinite(peak) else None
    if power is None or not -9 <= power <= 6:
        advice = "Check that this is an ADC map and that the brain mask fits, or give the DWI series instead."
        raise InputError("an ADC map with a positive median in the brain", f"a median of {median:g}", advice)
    peak_mm2_s = float(peak * 10.0**power)
    divided = called_trace and is_tissue(peak_mm2_s / TRACE)
    if not divided and not is_tissue(peak_mm2_s):
        lowest, highest = (f"{limit * 1000:g}" for limit in TISSUE_ADC)
        expected = f"an ADC map whose histogram peaks at {lowest} to {highest}e-3 mm2/s in the brain"
        found = f"a peak at {peak_mm2_s * 1000:.2f}e-3 mm2/s (taken in units of 1e{power} mm2/s)"
        advice = "Convert the DICOM files in display units (dcm2niix -p n), check the brain mask, or"
        if is_tissue(peak_mm2_s / TRACE):
            found += ", three times that of tissue, as in a map of the trace"
            how = 'add "trace" to its name, so that it is divided by 3 (in a cohort table: adc_divisor)'
            advice = f"If it is the trace, {how}; otherwise"
        raise InputError(expected, found, f"{advice} give the DWI series to compute the ADC from.")
    divisor = TRACE if divided else 1
    scaled = np.nan_to_num(np.asarray(adc, float)) * 10.0**power / divisor
    return ScannerADC(np.clip(scaled, 0, HIGHEST_ADC).astype(np.float32), power, divided, peak_mm2_s / divisor)


def is_tissue(peak_mm2_s: float) -> bool:
    """Return whether the histogram of a brain can peak at this value."""
    return TISSUE_ADC[0] <= peak_mm2_s <= TISSUE_ADC[1]


def histogram_peak(values: np.ndarray) -> float:
    """Return the peak of the smoothed histogram of the logarithm of positive finite values; NaN if there are none."""
    logs = np.log(values[(values > 0) & np.isfinite(values)])
    if not logs.size:
        return np.nan
    margin = 5 * SMOOTHING
    counts, edges = np.histogram(logs, np.arange(logs.min() - margin, logs.max() + margin + STEP, STEP))
    smooth = ndimage.gaussian_filter1d(counts.astype(float), SMOOTHING / STEP)
    return float(np.exp(edges[np.argmax(smooth)] + STEP / 2))
