"""ADC and rCBV maps: computed on the grid of the acquired series, then resampled to the grid of the results."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.diffusion.adc import make_adc
from glioma_idh.imaging.diffusion.scanner_adc import TISSUE_ADC, histogram_peak, is_tissue, scale_adc
from glioma_idh.imaging.masks import read_mask
from glioma_idh.imaging.perfusion.acquisition import Times
from glioma_idh.imaging.perfusion.blood_volume import normal_white_matter
from glioma_idh.imaging.perfusion.rcbv import Perfusion, make_rcbv
from glioma_idh.imaging.resampling import resample
from glioma_idh.imaging.volumes import Volume, check_same_grid, read_volume, write_volume
from glioma_idh.preparation.alignment import read_diffusion
from glioma_idh.preparation.context import Patient
from glioma_idh.preparation.masks import mask_on_grid, on_series, within
from glioma_idh.preparation.recognition import Series
from glioma_idh.preparation.settings import Settings

SAME_SHELL = 20  # s/mm2; b-values that differ by less count as equal
PLAUSIBLE_ADC = (0.2e-3, 3.5e-3)  # mm2/s, median of the brain
LEAST_KNOWN = 0.1  # least share of a voxel of the result that must have a value in the map
MANY_WITHOUT_FIT = 0.05  # share of the brain without gamma-variate fit that leads to a remark
PERFUSION_MAPS = ("rcbv_uncorrected", "k1", "k2", "peak_height", "percent_signal_recovery")


def series_to_use(choices: dict[str, Series], settings: Settings) -> dict[str, Series]:
    """Return the series to use: for the ADC, the DWI series if it has two b-values, else the scanner's map."""
    unused = {"dsc"} if "rcbv" in settings.skip else set()
    if "adc" in settings.skip:
        unused |= {"dwi", "adc"}
    elif {"dwi", "adc"} <= choices.keys():
        b_values = choices["dwi"].b_values
        unused.add("adc" if b_values and np.ptp(b_values) > SAME_SHELL else "dwi")
    return {role: choice for role, choice in choices.items() if role not in unused}


def make_adc_image(patient: Patient) -> Path | None:
    """Make the ADC map (mm2/s) on the grid of the results, from DWI if available, else from the scanner's map.

    Returns None if there is neither, or the stage is skipped.
    """
    alignment, brain = patient.alignment, patient.brain
    role = next((role for role in ("dwi", "adc") if alignment.has(role)), None)
    if role is None or "adc" in patient.settings.skip:
        return None
    path, choice = patient.folder / "adc.nii.gz", alignment.choices[role]

    def work() -> dict:
        with _naming(choice):
            if role == "dwi":
                adc, found = _adc_of_dwi(patient)
            else:
                adc = read_volume(choice.files[0])
                inside = on_series(patient.brain, "adc", adc, patient.alignment)
                made = scale_adc(adc.array, adc.array > 0 if inside is None else inside, is_called_trace(choice))
                adc, found = replace(adc, array=made.adc), {"method": made.method, "tissue_peak_mm2_s": made.peak_mm2_s}
        _write_map(adc, path, role, patient)
        return found

    inputs = {"series": choice.files, "brain": brain, "acquisition": choice.acquisitions}
    inputs |= {"called trace": is_called_trace(choice)} | alignment.placement(role)
    peak_mm2_s = patient.stages.make("adc", work, inputs, [path])["tissue_peak_mm2_s"]
    if not is_tissue(peak_mm2_s):
        there = f"The ADC of the brain from the {role.upper()} series peaks at {peak_mm2_s * 1000:.2f}e-3 mm2/s;"
        least, most = (f"{limit * 1000:g}" for limit in TISSUE_ADC)
        patient.remarks.append(f"{there} {least} to {most}e-3 mm2/s are expected. Check the b-values.")
    return path


def is_called_trace(choice: Series) -> bool:
    """Return whether the name of a map contains "trace", but not "tracew" (trace-weighted images)."""
    called = {word.lower() for word in {*choice.words, *choice.codes}}
    return "trace" in called and "tracew" not in called


def _adc_of_dwi(patient: Patient) -> tuple[Volume, dict]:
    """Compute the ADC of the DWI series on its own grid, mm2/s; also return the findings for the record."""
    series, b_values, b_vectors = read_diffusion(patient.alignment.choices["dwi"])
    inside = on_series(patient.brain, "dwi", series, patient.alignment)
    made, strongest = make_adc(series.array, b_values, b_vectors, inside), series.array.max(axis=-1)
    tissue = strongest > strongest.mean() if inside is None else inside
    median, (least, most) = float(np.median(made.adc[tissue])), PLAUSIBLE_ADC
    if not least <= median <= most:
        advice, found = "Check that the b-values match the volumes and their order.", f"a median of {median:.2g} mm2/s"
        raise InputError(f"a median ADC of {least:g} to {most:g} mm2/s in the brain", found, advice)
    found = {"method": made.method, "shells": made.shells, "num_not_fitted": made.num_not_fitted}
    found |= {"tissue_peak_mm2_s": histogram_peak(made.adc[tissue])}
    return replace(series, array=made.adc), found


def make_rcbv_image(patient: Patient) -> Path | None:
    """Make rCBV on the grid of the results, and further perfusion maps in `perfusion/`.

    Returns None if there is no DSC series, or the stage is skipped.

    Raises:
        InputError: echo or repetition time, brain mask, bolus or normal white matter are missing.
    """
    alignment, settings, brain, lesion = patient.alignment, patient.settings, patient.brain, patient.lesion
    if not alignment.has("dsc") or "rcbv" in settings.skip:
        return None
    choice = alignment.choices["dsc"]
    files = {"rcbv": patient.folder / "rcbv.nii.gz"}
    files |= {name: patient.folder / "perfusion" / f"{name}.nii.gz" for name in PERFUSION_MAPS}
    if brain is None:
        raise InputError("a brain mask for rCBV", "brain extraction is skipped", "Do not skip brain.", choice.files[0])
    times = _times(choice, settings)

    def work() -> dict:
        still, made, white_ml = _perfusion(patient, times)
        for name, file in files.items():
            _write_map(replace(still, array=getattr(made, name)), file, "dsc", patient)
        if not settings.leakage_correction:
            shutil.copyfile(files["rcbv_uncorrected"], files["rcbv"])
            made = replace(made, method=f"{made.method}; rcbv is the map without leakage correction")
        return {
            "method": made.method,
            "white_matter_ml": round(white_ml, 1),
            "windows": {"baseline": made.baseline, "first pass": made.first_pass},
            "dark_volumes": [int(n) + 1 for n in made.dark_volumes],
            "without_fit": made.without_fit,
            "time_s": made.time_s.tolist(),
            "curves": {name: np.round(curve, 4).tolist() for name, curve in made.curves.items()},
        }

    inputs = {"series": choice.files, "times": times, "brain": brain, "lesion": lesion, "cbv": settings.cbv}
    inputs |= {"white": settings.white_mask, "leakage": settings.leakage_correction} | alignment.placement("dsc")
    inputs |= {
        "anchor": alignment.choices[alignment.anchor].files,
        "ways": settings.white_mask and alignment.transforms,
    }
    found = patient.stages.make("rcbv", work, inputs, files.values())
    if found["dark_volumes"]:
        dark = ", ".join(map(str, found["dark_volumes"]))
        patient.remarks.append(f"Dark or empty volumes of the DSC series were interpolated: {dark}.")
    if found["without_fit"] >= MANY_WITHOUT_FIT:
        where = f"in {found['without_fit']:.0%} of the brain"
        patient.remarks.append(f"No gamma-variate curve could be fitted {where}: try --cbv first-pass.")
    if settings.white_mask is not None and (remark := read_mask(settings.white_mask).remark):
        patient.remarks.append(f"The white matter mask contains {remark}.")
    return files["rcbv"]


def _perfusion(patient: Patient, times: Times) -> tuple[Volume, Perfusion, float]:
    """Return the first volume of the DSC series, its maps, and the volume of normal white matter, ml."""
    alignment, lesion, choice = patient.alignment, patient.lesion, patient.alignment.choices["dsc"]
    with _naming(choice):
        echoes = [read_volume(file, num_axes=4) for file in choice.files]
        still, *others = (replace(echo, array=echo.array[..., 0]) for echo in echoes)
        for other in others:
            check_same_grid(other, still)
        inside = on_series(lesion, "dsc", still, alignment)
        white = _white_matter(still, inside, patient)
        within_brain, arrays = on_series(patient.brain, "dsc", still, alignment), [echo.array for echo in echoes]
        made = make_rcbv(arrays, times, within_brain, white, inside, patient.settings.cbv)
    return still, made, float(white.sum()) * still.voxel_ml


def _times(choice: Series, settings: Settings) -> Times:
    """Return echo and repetition times of the DSC series, from the settings or from its files."""
    echo_times_s = settings.echo_times_s or [acquisition.echo_time_s for acquisition in choice.acquisitions]
    repetition_time_s = settings.repetition_time_s or choice.acquisitions[0].repetition_time_s
    if len(echo_times_s) != len(choice.files):
        found = f"{len(echo_times_s)} echo times for {len(choice.files)} echo{'es' * (len(choice.files) > 1)}"
        raise InputError("one echo time per echo", found, "Give one --echo-times-s per echo.", choice.files[0])
    if None in echo_times_s or repetition_time_s is None:
        missing, flag, found = "repetition", "--repetition-time-s", choice.acquisitions[0].disagreement
        if None in echo_times_s:
            missing, flag, found = "echo", "--echo-times-s", ""
        advice = f"Give {flag}, in seconds, from the scan protocol; it cannot be estimated."
        expected, found = f"the {missing} time of the DSC series", found or "none in sidecar or header"
        raise InputError(expected, found, advice, choice.files[0])
    return Times(list(echo_times_s), repetition_time_s)


def _white_matter(grid: Volume, lesion: np.ndarray | None, patient: Patient) -> np.ndarray:
    """Return normal white matter on the grid of the DSC series: the given mask, or that of the template."""
    alignment, settings = patient.alignment, patient.settings
    if settings.white_mask is not None:
        given, _ = mask_on_grid(settings.white_mask, alignment, alignment.anchor)
        return resample(given, grid, np.linalg.inv(alignment.to_series("dsc")), order="nearest").array != 0
    beside = replace(grid, affine=np.linalg.inv(alignment.matrices["dsc"]) @ grid.affine)  # in the anchor's millimetres
    fit = alignment.fit_template()
    mirrored = None if lesion is None else fit.mirror(replace(beside, array=lesion))
    return normal_white_matter(fit.map("white", beside), grid.affine, lesion, mirrored)


@contextlib.contextmanager
def _naming(choice: Series) -> Iterator[None]:
    """Add the file of the series to errors that name no file."""
    try:
        yield
    except InputError as error:
        raise InputError(error.expected, error.found, error.advice, error.file or choice.files[0]) from error


def _write_map(volume: Volume, path: Path, role: str, patient: Patient) -> None:
    """Resample a map to the grid of the results and write it, 0 outside the brain."""
    alignment = patient.alignment
    known = replace(
        volume, array=(volume.array != 0).astype(np.float32)
    )  # voxels without a value do not enter the interpolation
    image, share = (resample(part, alignment.grid, alignment.to_series(role)).array for part in (volume, known))
    image = np.divide(image, share, out=np.zeros_like(image), where=share > LEAST_KNOWN)
    write_volume(path, within(image, patient.brain), alignment.grid.affine)
