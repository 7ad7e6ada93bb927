"""A cohort of four sequences, small enough to train on in a test."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import save

GRID, AFFINE = (24, 20, 18), np.diag([-2.0, -2.0, 3.0, 1.0])  # LPS, as BraTS


def write_four(folder: Path, num_subjects: int = 8, num_mutant: int = 4, prefix: str = "s", seed: int = 0) -> Path:
    """Noise brains with a bright lesion in FLAIR and T2, dark in T1 and bright in T1Gd for mutants."""
    rng = np.random.default_rng(seed)
    brain = np.zeros(GRID)
    brain[2:22, 2:18, 1:17] = 1
    rows = []
    for number in range(num_subjects):
        subject, idh = f"{prefix}{number:02}", int(number < num_mutant)
        lesion = np.zeros(GRID)
        i, j, k = rng.integers(4, 9, 3)
        lesion[i : i + 7, j : j + 6, k : k + 5] = 1
        row = {"subject": subject, "patient": subject, "idh": idh}
        for sequence, contrast in {"t1": -80 * idh, "t1gd": 20 + 60 * idh, "t2": 60, "flair": 80}.items():
            scan = brain * (100 + rng.normal(0, 3, GRID)) + contrast * lesion
            row[sequence] = save(folder / "scans" / subject / f"{sequence}.nii.gz", scan, AFFINE)
        row["lesion_mask"] = save(folder / "scans" / subject / "mask.nii.gz", lesion, AFFINE)
        rows.append(row)
    path = folder / "cohort.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


@pytest.fixture
def make_four(tmp_path):
    """A function that writes such a cohort into the test's own folder."""
    return lambda **size: write_four(tmp_path, **size)
