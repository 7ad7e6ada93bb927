"""Contrast medium shows as bright voxels that the T1 does not have."""

import nibabel
import numpy as np
import pytest

from glioma_idh.imaging.heuristics import LITTLE_ENHANCEMENT, enhancement


def head(rng, enhancing: int):
    """A T1, and a T1Gd of another gain in which the first few voxels are brighter; 10,000 voxels."""
    tissue = rng.normal(100, 15, 10_000)
    t1, t1gd = tissue + rng.normal(0, 3, tissue.size), 2 * tissue + rng.normal(0, 6, tissue.size)
    t1gd[:enhancing] += 100
    return t1gd.reshape(100, 10, 10), t1.reshape(100, 10, 10), np.ones((100, 10, 10), bool)


def test_without_contrast_both_are_alike():
    assert enhancement(*head(np.random.default_rng(0), 0)) == pytest.approx(1, abs=0.1)


def test_one_percent_of_bright_voxels_shows():
    t1gd, t1, brain = head(np.random.default_rng(0), 100)
    assert enhancement(t1gd, t1, brain) > 3
    assert enhancement(t1, t1gd, brain) < 0.33


@pytest.mark.integration
def test_most_patients_enhance(real_data):
    ratios = []
    for folder in sorted((real_data / "brats20_mini" / "MICCAI_BraTS2020_TrainingData").glob("BraTS20_*_*/")):
        t1gd, t1 = (nibabel.load(folder / f"{folder.name}_{name}.nii.gz").get_fdata() for name in ("t1ce", "t1"))
        ratios.append(enhancement(t1gd, t1, (t1gd != 0) & (t1 != 0)))
    assert np.mean(np.array(ratios) < LITTLE_ENHANCEMENT) == pytest.approx(5 / 121, abs=0.001)
