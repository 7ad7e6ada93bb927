"""How an image was acquired: from the sidecar beside it, and from its own header for what that does not say."""

import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.diffusion.gradients import UNWEIGHTED
from glioma_idh.imaging.volumes import read_header_timing

PLAUSIBLE = {"EchoTime": (0.0001, 1.0), "RepetitionTime": (0.001, 60.0), "InversionTime": (0.001, 10.0)}
PLAUSIBLE |= {"FlipAngle": (0.1, 360.0)}  # the least and the most of each key of a sidecar: seconds, and degrees
LARGEST_B_VALUE = 50_000  # of any scanner, s/mm2
ECHO_TIME = re.compile(r"\bTE=(\d+(?:\.\d+)?(?:e[+-]\d+)?)(?![\d.])")  # in a header's text, ms, as dcm2niix writes it
SAME_TIME = 0.05  # two repetition times are one where they differ by no more than this share


@dataclass(frozen=True)
class Acquisition:
    """How an image was acquired; None, or nothing, where neither sidecar nor header says.

    The repetition time of a series over time is that between its volumes. The b-vectors, shape (n, 3), are in the frame
    of FSL: along the axes of the file; zeros where a volume has none, NaN where the file says so of a weighted one.
    """

    echo_time_s: float | None = None
    repetition_time_s: float | None = None  # none too where sidecar and header disagree on it
    inversion_time_s: float | None = None
    flip_deg: float | None = None
    b_values: tuple[float, ...] = ()  # one a volume, s/mm2
    b_vectors: np.ndarray | None = field(default=None, compare=False)
    disagreement: str = ""  # what sidecar and header say of the repetition time where they disagree, in words


def read_acquisition(path) -> Acquisition:
    """Read how the image of a NIfTI file was acquired. What is not said stays unknown: nothing is guessed.

    Beside it may lie a `.json` sidecar as dcm2niix and BIDS have it (seconds), and `.bval` and `.bvec` as FSL has them.
    InputError if a number is none, or beyond what any scanner does (as milliseconds taken for seconds are), or the
    numbers of b-values, directions and volumes differ.
    """
    sidecar, header = read_sidecar(path), read_header_timing(path)
    echo = ECHO_TIME.search(header.description)
    in_header = {"EchoTime": float(echo[1]) / 1000 if echo else 0.0, "RepetitionTime": header.time_step_s or 0.0}
    said = {key: _number(path, key, sidecar.get(key)) or in_header.get(key, 0.0) for key in PLAUSIBLE}  # 0 says nothing
    for key, (least, most) in PLAUSIBLE.items():
        value, unit = said[key], "degrees" if key == "FlipAngle" else "s"
        if value and not least <= value <= most:
            hint = " It looks like milliseconds: sidecars count in seconds." if unit == "s" and value > most else ""
            advice = f"Mend it in the sidecar, or in the header if there is none.{hint}"
            raise InputError(f"{key} of {least:g} to {most:g} {unit}", f"{value:g} {unit}", advice, file=path)
    step_s, disagreement = header.time_step_s, ""
    if step_s and abs(said["RepetitionTime"] - step_s) > SAME_TIME * step_s:
        disagreement = f"{said['RepetitionTime']:g} s in the sidecar, {step_s:g} s between the volumes in the header"
        said["RepetitionTime"] = 0.0
    times = (said[key] or None for key in PLAUSIBLE)
    return Acquisition(*times, *_read_gradients(path, (*header.shape, 1)[3]), disagreement)


def read_sidecar(path) -> dict:
    """The keys of the `.json` file beside an image, if any; InputError if it is not JSON."""
    file = beside(path, ".json")
    if not file.is_file():
        return {}
    try:
        sidecar = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:  # of JSON, or of its letters
        raise InputError("a JSON sidecar", "a file that is none", "Mend or remove it.", file=file) from error
    if not isinstance(sidecar, dict):
        raise InputError("a JSON sidecar of keys and values", "something else", "Mend or remove it.", file=file)
    return sidecar


def beside(path, ending: str) -> Path:
    """The file of the same name with another ending than `.nii` or `.nii.gz`."""
    return Path(path).with_name(re.sub(r"\.nii(\.gz)?$", "", Path(path).name, flags=re.IGNORECASE) + ending)


def _number(path, key: str, value) -> float:
    """A value of the sidecar as a number; 0 for none."""
    if value is None:
        return 0.0
    try:
        number = math.nan if isinstance(value, bool) or not isinstance(value, int | float) else float(value)
    except OverflowError:  # an integer of 400 digits
        number = math.inf
    if not math.isfinite(number):
        advice = f"Write {key} as one number."
        raise InputError(f"a number for {key}", "something else", advice, file=beside(path, ".json"))
    return number


def _read_gradients(path, num_volumes: int) -> tuple[tuple[float, ...], np.ndarray | None]:
    """The b-values, s/mm2, and the directions, shape (n, 3), of the files beside an image, where there are any."""
    b_values = _numbers_in(beside(path, ".bval"))
    if b_values is None:
        return (), None
    b_values = b_values.ravel()
    if b_values.size != num_volumes or not ((b_values >= 0) & (b_values <= LARGEST_B_VALUE)).all():
        found = f"{b_values.size} of them, from {b_values.min():g} to {b_values.max():g}"
        expected = f"a b-value of 0 to {LARGEST_B_VALUE} s/mm2 for each of {num_volumes} volumes"
        raise InputError(expected, found, "Give the file that belongs to this image.", file=beside(path, ".bval"))
    vectors = _numbers_in(beside(path, ".bvec"))
    if vectors is not None and vectors.shape not in ((3, num_volumes), (num_volumes, 3)):
        expected, found = f"3 x {num_volumes} numbers", " x ".join(str(size) for size in vectors.shape)
        raise InputError(expected, found, "Give the file that belongs to this image.", file=beside(path, ".bvec"))
    if vectors is not None:
        vectors = vectors.T if vectors.shape[0] == 3 else vectors
        vectors[(b_values <= UNWEIGHTED) & ~np.isfinite(vectors).all(axis=1)] = 0
    return tuple(b_values.tolist()), vectors


def _numbers_in(file: Path) -> np.ndarray | None:
    """The numbers of a text file, shape (rows, columns); None where there is no such file."""
    if not file.is_file():
        return None
    try:
        rows = [row.replace(",", " ").split() for row in file.read_text().splitlines()]
        numbers = np.array([row for row in rows if row], dtype=float)
    except ValueError as error:
        raise InputError("rows of numbers", "something else", "Mend or remove it.", file=file) from error
    if numbers.ndim != 2 or not numbers.size:
        raise InputError("rows of numbers", "no numbers", "Mend or remove it.", file=file)
    return numbers
