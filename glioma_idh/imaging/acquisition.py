"""Acquisition parameters of an image: from its JSON sidecar, and where that lacks them from the NIfTI header."""

import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from glioma_idh.errors import InputError
from glioma_idh.imaging.diffusion.gradients import UNWEIGHTED
from glioma_idh.imaging.volumes import read_header_timing

PLAUSIBLE = {"EchoTime": (0.0001, 1.0), "RepetitionTime": (0.001, 60.0), "InversionTime": (0.001, 10.0)}
PLAUSIBLE |= {"FlipAngle": (0.1, 360.0)}  # lowest and highest value of each key of a sidecar, s and degrees
LARGEST_B_VALUE = 50_000  # s/mm2, beyond any scanner
ECHO_TIME = re.compile(
    r"\bTE=(\d+(?:\.\d+)?(?:e[+-]\d+)?)(?![\d.])"
)  # ms, in the description field of a header, as dcm2niix writes it
SAME_TIME = 0.05  # largest relative difference of two repetition times that count as equal


@dataclass(frozen=True)
class Acquisition:
    """Acquisition parameters of an image; None or empty if neither the sidecar nor the header states them.

    The repetition time of a dynamic series is the time between its volumes. The b-vectors, shape (n, 3), follow FSL:
    they are given along the axes of the file. A volume without a b-vector has zeros; a diffusion-weighted volume whose
    b-vector is NaN in the file keeps NaN.
    """

    echo_time_s: float | None = None
    repetition_time_s: float | None = None  # also None if sidecar and header disagree
    inversion_time_s: float | None = None
    flip_deg: float | None = None
    b_values: tuple[float, ...] = ()  # one per volume, s/mm2
    b_vectors: np.ndarray | None = field(default=None, compare=False)
    disagreement: str = ""  # the two repetition times, in words, if sidecar and header disagree


def read_acquisition(path: str | Path) -> Acquisition:
    """Read the acquisition parameters of a NIfTI file. What is not stated stays unknown; nothing is estimated.

    Files of the same name are read if they exist: a `.json` sidecar as dcm2niix and BIDS write it (times in seconds),
    and `.bval` and `.bvec` in FSL's format.

    Raises:
        InputError: a value is not a number or outside the plausible range (such as milliseconds in place of seconds),
            or the numbers of b-values, directions and volumes differ.
    """
    sidecar, header = read_sidecar(path), read_header_timing(path)
    echo = ECHO_TIME.search(header.description)
    in_header = {"EchoTime": float(echo[1]) / 1000 if echo else 0.0, "RepetitionTime": header.time_step_s or 0.0}
    said = {key: _number(path, key, sidecar.get(key)) or in_header.get(key, 0.0) for key in PLAUSIBLE}  # 0 is unknown
    for key, (least, most) in PLAUSIBLE.items():
        value, unit = said[key], "degrees" if key == "FlipAngle" else "s"
        if value and not least <= value <= most:
            hint = " It looks like milliseconds; sidecars use seconds." if unit == "s" and value > most else ""
            advice = f"Correct it in the sidecar, or in the header if there is no sidecar.{hint}"
            raise InputError(f"{key} between {least:g} and {most:g} {unit}", f"{value:g} {unit}", advice, file=path)
    step_s, disagreement = header.time_step_s, ""
    if step_s and abs(said["RepetitionTime"] - step_s) > SAME_TIME * step_s:
        disagreement = f"{said['RepetitionTime']:g} s in the sidecar, {step_s:g} s between the volumes in the header"
        said["RepetitionTime"] = 0.0
    times = (said[key] or None for key in PLAUSIBLE)
    return Acquisition(*times, *_read_gradients(path, (*header.shape, 1)[3]), disagreement)


def read_sidecar(path: str | Path) -> dict:
    """Read the JSON sidecar of an image; an empty dictionary if there is none. InputError if it is not valid JSON."""
    file = beside(path, ".json")
    if not file.is_file():
        return {}
    try:
        sidecar = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:  # invalid JSON or encoding
        raise InputError(
            "a JSON sidecar", "a file that is not valid JSON", "Correct or remove it.", file=file
        ) from error
    if not isinstance(sidecar, dict):
        raise InputError("a JSON sidecar of keys and values", "other JSON content", "Correct or remove it.", file=file)
    return sidecar


def beside(path: str | Path, ending: str) -> Path:
    """Return the path with `.nii` or `.nii.gz` replaced by another ending."""
    return Path(path).with_name(re.sub(r"\.nii(\.gz)?$", "", Path(path).name, flags=re.IGNORECASE) + ending)


def _number(path: str | Path, key: str, value: Any) -> float:
    """Return a value of the sidecar as a number; 0 if it is missing."""
    if value is None:
        return 0.0
    try:
        number = math.nan if isinstance(value, bool) or not isinstance(value, int | float) else float(value)
    except OverflowError:  # an integer of 400 digits
        number = math.inf
    if not math.isfinite(number):
        advice = f"Write {key} as one number."
        raise InputError(f"a number for {key}", "another kind of value", advice, file=beside(path, ".json"))
    return number


def _read_gradients(path: str | Path, num_volumes: int) -> tuple[tuple[float, ...], np.ndarray | None]:
    """Read the b-values, s/mm2, and b-vectors, shape (n, 3), of an image from its `.bval` and `.bvec` files, if any."""
    b_values = _numbers_in(beside(path, ".bval"))
    if b_values is None:
        return (), None
    b_values = b_values.ravel()
    if b_values.size != num_volumes or not ((b_values >= 0) & (b_values <= LARGEST_B_VALUE)).all():
        found = f"{b_values.size} b-values from {b_values.min():g} to {b_values.max():g}"
        expected = f"{num_volumes} b-values (one per volume) from 0 to {LARGEST_B_VALUE} s/mm2"
        raise InputError(expected, found, "Use the .bval file of this image.", file=beside(path, ".bval"))
    vectors = _numbers_in(beside(path, ".bvec"))
    if vectors is not None and vectors.shape not in ((3, num_volumes), (num_volumes, 3)):
        expected, found = f"3 x {num_volumes} numbers", " x ".join(str(size) for size in vectors.shape)
        raise InputError(expected, found, "Use the .bvec file of this image.", file=beside(path, ".bvec"))
    if vectors is not None:
        vectors = vectors.T if vectors.shape[0] == 3 else vectors
        vectors[(b_values <= UNWEIGHTED) & ~np.isfinite(vectors).all(axis=1)] = 0
    return tuple(b_values.tolist()), vectors


def _numbers_in(file: Path) -> np.ndarray | None:
    """Read the numbers of a text file, shape (rows, columns); None if the file does not exist."""
    if not file.is_file():
        return None
    try:
        rows = [row.replace(",", " ").split() for row in file.read_text().splitlines()]
        numbers = np.array([row for row in rows if row], dtype=float)
    except ValueError as error:
        raise InputError(
            "rows of numbers of equal length", "other text", "Correct or remove the file.", file=file
        ) from error
    if numbers.ndim != 2 or not numbers.size:
        raise InputError("rows of numbers", "no numbers", "Correct or remove the file.", file=file)
    return numbers
