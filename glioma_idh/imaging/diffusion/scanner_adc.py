"""An ADC map as a scanner or another program gives it: its unit, held against what tissue has.

The unit differs and no header tells it. What does not differ is brain tissue: its histogram peaks at 0.7 to 0.9e-3
mm2/s (Helenius et al. 2002, AJNR 23:194), at 0.6e-3 where b is 2500 s/mm2; oedema and fluid lie above and widen the
histogram, which moves the median but hardly the peak. A trace that was not divided by three, and values that were
scaled for the comparison of signals instead of for display, lie beside that.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from glioma_idh.errors import InputError
from glioma_idh.imaging.diffusion.adc import HIGHEST_ADC

TISSUE_ADC = (0.45e-3, 1.05e-3)  # mm2/s, in which the histogram of a brain peaks
TRACE = 3  # the trace of the diffusion tensor is three times the mean diffusivity
HIGHEST_PEAK = 3.5e-3  # mm2/s. The unit is the power of ten that brings the peak from a tenth of it up to it
SMOOTHING, STEP = 0.1, 0.002  # of the histogram of the logarithm: sd of the smoothing, width of a bin


@dataclass(frozen=True)
class ScannerADC:
    """An ADC map, and how its unit was told."""

    adc: np.ndarray  # mm2/s, shape (i, j, k), float32, from 0 to HIGHEST_ADC
    power: int  # the power of ten that it was multiplied with
    divided: bool  # whether it was a trace, and was divided by three
    peak_mm2_s: float  # where the histogram of the brain peaks, of the map as it came out

    @property
    def method(self) -> str:
        """How the map came about, in words."""
        trace, peak = ", a trace, divided by 3" if self.divided else "", f"{self.peak_mm2_s * 1000:.2f}e-3 mm2/s"
        return f"the scanner's map, in 1e{self.power} mm2/s{trace}: brain tissue then peaks at {peak}"


def scale_adc(adc: np.ndarray, brain: np.ndarray, called_trace: bool = False) -> ScannerADC:
    """An ADC map from a scanner, in any decimal unit of area by time (1e-6 mm2/s as a rule), in mm2/s.

    The unit is the power of ten that brings the peak of the brain's histogram above 0.35e-3 and up to 3.5e-3 mm2/s.
    There it must be that of tissue, or three times that in a map that is called a trace, by its name or description,
    which is divided by three. The name alone does not: scanners call the ADC of trace-weighted images so. InputError
    if the brain is empty or its median not positive, nobody uses such a unit, or the peak is not that of tissue.
    """
    inside = np.asarray(adc, float)[np.asarray(brain) != 0]
    median = np.median(inside) if inside.size else np.nan
    peak = histogram_peak(inside) if median > 0 and np.isfinite(median) else np.nan
    power = int(np.floor(np.log10(HIGHEST_PEAK / peak) + 1e-9)) if np.isfinite(peak) else None
    if power is None or not -9 <= power <= 6:
        advice = "Is this the ADC, and the mask in its place? The ADC can also be made from the b-values themselves."
        raise InputError("an ADC map with a positive median in the brain", f"a median of {median:g}", advice)
    peak_mm2_s = float(peak * 10.0**power)
    divided = called_trace and is_tissue(peak_mm2_s / TRACE)
    if not divided and not is_tissue(peak_mm2_s):
        lowest, highest = (f"{limit * 1000:g}" for limit in TISSUE_ADC)
        expected = f"an ADC map whose brain peaks at {lowest} to {highest}e-3 mm2/s"
        found = f"a peak at {peak_mm2_s * 1000:.2f}e-3 mm2/s, taken in 1e{power} mm2/s"
        advice = "Convert the DICOM files in display units (dcm2niix -p n), check the brain mask, or"
        if is_tissue(peak_mm2_s / TRACE):
            found += ", three times that of tissue, as of the trace of the tensor"
            how = "put the word trace into its name, and it is divided by 3 (in a cohort table: adc_divisor)"
            advice = f"If it is the trace, {how}; otherwise"
        raise InputError(expected, found, f"{advice} give the DWI series, of which the ADC is then made.")
    divisor = TRACE if divided else 1
    scaled = np.nan_to_num(np.asarray(adc, float)) * 10.0**power / divisor
    return ScannerADC(np.clip(scaled, 0, HIGHEST_ADC).astype(np.float32), power, divided, peak_mm2_s / divisor)


def is_tissue(peak_mm2_s: float) -> bool:
    """Whether the histogram of a brain can peak there."""
    return TISSUE_ADC[0] <= peak_mm2_s <= TISSUE_ADC[1]


def histogram_peak(values: np.ndarray) -> float:
    """Where the histogram of the logarithm of values, positive and finite, peaks, smoothed by a tenth; NaN of none."""
    logs = np.log(values[(values > 0) & np.isfinite(values)])
    if not logs.size:
        return np.nan
    margin = 5 * SMOOTHING
    counts, edges = np.histogram(logs, np.arange(logs.min() - margin, logs.max() + margin + STEP, STEP))
    smooth = ndimage.gaussian_filter1d(counts.astype(float), SMOOTHING / STEP)
    return float(np.exp(edges[np.argmax(smooth)] + STEP / 2))
