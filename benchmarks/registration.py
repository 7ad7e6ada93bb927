"""Measure accuracy and time of the registration for every pair of sequences: python benchmarks/registration.py

Each image is rotated by 5 degrees, moved by 7 mm and its slices made three times as thick. It is then registered to
every sequence of the same head. Images are a phantom at 2 mm and, if GLIOMA_IDH_DATA names a folder of real data, two
real heads at 1 mm. The real sequences were registered by others, with an unknown error. The accuracy is therefore
measured as the difference from the registration of the image that was not displaced. The table gives the error of the
rotation, of the shift of the brain's centre, and the largest displacement anywhere in the brain; `as stored` is the
latter relative to the known transform itself.
"""

import os
import tempfile
import time
from pathlib import Path

import numpy as np

from glioma_idh.imaging.registration.rigid import register_rigid
from glioma_idh.imaging.resampling import resample, rigid_matrix
from glioma_idh.imaging.volumes import Volume, read_volume
from glioma_idh.phantom import SEQUENCES, make_phantom

ROTATION_DEG, SHIFT_MM, THICKER = (3, 0, 4), (2, -6, 3), 3  # 5 degrees and 7 mm in all


def phantom_head() -> dict[str, Volume]:
    """Return the six sequences of a phantom subject."""
    with tempfile.TemporaryDirectory() as folder:
        subject = make_phantom(folder, num_subjects=1, num_mutant=0, jobs=1, quiet=True).parent / "phantom-001"
        return {name: read_volume(subject / f"{name}.nii.gz") for name in SEQUENCES}


def real_head(number: int) -> dict[str, Volume]:
    """Return the four full-size sequences of a patient of BraTS 2020."""
    stem = f"BraTS20_Training_{number}"
    folder = Path(os.environ["GLIOMA_IDH_DATA"], "brats20_full", "MICCAI_BraTS2020_TrainingData", stem)
    files = {"t1": "t1", "t1gd": "t1ce", "t2": "t2", "flair": "flair"}
    return {name: read_volume(folder / f"{stem}_{end}.nii.gz") for name, end in files.items()}


def displaced(volume: Volume, matrix: np.ndarray) -> Volume:
    """Return the image displaced by a matrix, with slices three times as thick."""
    moved = resample(volume, volume, np.linalg.inv(matrix), order="cubic")
    depth = moved.array.shape[2] // THICKER * THICKER
    slices = moved.array[:, :, :depth].reshape(*moved.array.shape[:2], -1, THICKER).mean(axis=3)
    step = np.diag([1.0, 1, THICKER, 1])
    step[2, 3] = (THICKER - 1) / 2
    return Volume(slices, moved.affine @ step)


def errors(found: np.ndarray, truth: np.ndarray, brain_mm: np.ndarray) -> tuple[float, float, float]:
    """Return the errors of the rotation (degrees), of the centre (mm), and the largest at a point of the brain (mm)."""
    off = np.linalg.inv(truth) @ found
    angle = np.rad2deg(np.arccos(np.clip((np.trace(off[:3, :3]) - 1) / 2, -1, 1)))
    centre = np.linalg.norm((off @ brain_mm.mean(axis=0) - brain_mm.mean(axis=0))[:3])
    return angle, centre, np.linalg.norm((brain_mm @ off.T - brain_mm)[:, :3], axis=1).max()


def compare(name: str, head: dict[str, Volume]) -> np.ndarray:
    """Print a row for each pair of sequences, and return the rows."""
    any_image = next(iter(head.values()))
    places = np.argwhere(any_image.array > 0)[::50]
    brain_mm = np.c_[places, np.ones(len(places))] @ any_image.affine.T
    truth = rigid_matrix(ROTATION_DEG, SHIFT_MM, brain_mm.mean(axis=0)[:3])
    rows = []
    for moving, image in head.items():
        moved = displaced(image, truth)
        for reference in head:
            stored = register_rigid(image, head[reference]).matrix
            start = time.perf_counter()
            answer = register_rigid(moved, head[reference])
            seconds = time.perf_counter() - start
            off = errors(answer.matrix, truth @ stored, brain_mm)
            rows.append((*off, errors(answer.matrix, truth, brain_mm)[2], answer.gain, seconds))
            print_row(f"{name}: {moving} to {reference}", rows[-1], *answer.problems)
    return np.array(rows)


def print_row(title: str, row, *problems: str) -> None:
    """Print one line of the table."""
    print(f"{title:28s}" + "".join(f"{value:10.2f}" for value in row), *problems, flush=True)


def main() -> None:
    heads = {"phantom": phantom_head}
    if os.environ.get("GLIOMA_IDH_DATA"):
        heads |= {f"real {number}": lambda number=number: real_head(number) for number in (295, 320)}
    columns = ("rot. deg", "centre mm", "worst mm", "as stored", "gain", "seconds")
    print(" " * 28 + "".join(f"{column:>10s}" for column in columns))
    for name, read in heads.items():
        rows = compare(name, read())
        print_row(f"{name}: median", np.median(rows, axis=0))
        print_row(f"{name}: largest", rows.max(axis=0))


if __name__ == "__main__":
    main()
