"""Cohorts small enough to reason about, on disk as a user would have them."""

import os
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest

SHAPE = (20, 20, 8)
AFFINE = np.diag([2.0, 2.0, 3.0, 1.0])


def save(path: Path, array, affine=AFFINE) -> str:
    """Write an array as NIfTI; returns the path as text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.asarray(array, dtype=np.float32), affine), path)
    return str(path)


@pytest.fixture
def make_cohort(tmp_path):
    """A function that writes a cohort of noise brains; a mutant's lesion is dark, a wild-type's bright."""

    def make(num_subjects=24, num_mutant=8, **columns) -> Path:
        rng = np.random.default_rng(0)
        rows = []
        for number in range(num_subjects):
            subject, idh = f"s{number:02}", int(number < num_mutant)
            brain = np.zeros(SHAPE)
            brain[2:18, 2:18, 1:7] = 1
            mask = np.zeros(SHAPE)
            mask[5:13, 6:12, 2:5] = 1
            mask[5:13, 6:13, 3] = 1
            scan = brain * (100 + rng.normal(0, 3, SHAPE)) + mask * (20 - 40 * idh)
            folder = tmp_path / "scans" / subject
            rows.append(
                {
                    "subject": subject,
                    "patient": subject,
                    "idh": idh,
                    "t2": save(folder / "t2.nii.gz", scan),
                    "lesion_mask": save(folder / "mask.nii.gz", mask),
                }
            )
        path = tmp_path / "cohort.csv"
        pd.DataFrame(rows).assign(**columns).to_csv(path, index=False)
        return path

    return make


@pytest.fixture
def edit_table():
    """A function that changes one cell of a cohort CSV."""

    def edit(path: Path, subject: str, column: str, value) -> None:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        table.loc[table["subject"] == subject, column] = str(value)
        table.to_csv(path, index=False)

    return edit


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real scans and labels, where there is one."""
    folder = os.environ.get("GLIOMA_IDH_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("GLIOMA_IDH_DATA names no folder of real data")
    return Path(folder)
