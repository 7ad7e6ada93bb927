"""Guesses are right on images whose nature is known."""

import numpy as np
import pandas as pd
import pytest

from glioma_idh import cohorts
from glioma_idh.cohorts.checks.images import enhancing_label
from glioma_idh.cohorts.table import COLUMNS, read_table
from glioma_idh.imaging.heuristics import classify_head, classify_intensities, estimate_background
from glioma_idh.phantom import make_phantom


@pytest.mark.parametrize(
    ("labels", "enhancing"),
    [({0, 1, 2, 4}, 4), ({0, 1, 2, 3}, 3), ({0, 1, 2, 3, 4}, 3), ({0, 1, 2}, None), ((), None), (iter([2, 4]), 4)],
)
def test_enhancing_label(labels, enhancing):
    assert enhancing_label(labels) == enhancing


def normal(mean, sd):
    return np.random.default_rng(0).normal(mean, sd, 10_000)


@pytest.mark.parametrize(
    ("tissue", "box_ml", "guess"),
    [
        (normal(0, 1), 8900, "z-scored"),
        (normal(1.5, 0.8), 140, "z-scored"),  # a box around a bright lesion: 3 % negative
        (normal(300, 100), 8900, "raw"),
        (normal(40, 25), 8900, "raw"),  # 5 % negative after resampling
        (normal(8e-4, 1e-4), 140, "raw"),  # ADC in mm2/s
        (normal(0, 50), 8900, "raw"),
        (np.array([]), 8900, "raw"),
    ],
)
def test_intensities(tissue, box_ml, guess):
    assert classify_intensities(tissue, box_ml) == guess


@pytest.mark.parametrize(
    ("tissue_ml", "box_ml", "guess"),
    [
        (1500, 8900, "skull-stripped"),
        (1250, 2200, "skull-stripped"),
        (6000, 6200, "with skull"),
        (3500, 8900, "with skull"),
        (2000, 2000, "cannot tell"),
        (2650, 8900, "cannot tell"),
        (140, 140, "cannot tell"),
        (300, 8900, "cannot tell"),
    ],
)
def test_head(tissue_ml, box_ml, guess):
    assert classify_head(tissue_ml, box_ml) == guess


def test_background():
    array = np.random.default_rng(0).normal(size=(4, 5, 6))
    assert estimate_background(array) == 0
    array[::3, ::4, ::5] = -0.5
    assert estimate_background(array) == -0.5
    assert estimate_background(np.full((1, 1, 3), 2)) == 2


def guesses(table):
    """What was guessed of the sequences of a cohort: (intensities, head), each once; and all it says of its images."""
    scans, _ = cohorts.check(table, jobs=1, quiet=True)
    sequences = scans[~scans["image"].str.endswith("mask")]
    return set(zip(sequences["intensities"], sequences["head"], strict=True)), scans


def table_of(files):
    """A cohort table from {subject: {column: path}}."""
    rows = [dict.fromkeys(COLUMNS, "") | {"subject": name} | columns for name, columns in files.items()]
    return pd.DataFrame(rows).astype(str)


def brats(folder, first="*"):
    """The BraTS subjects in a folder."""
    endings = {"t1": "t1", "t1gd": "t1ce", "t2": "t2", "flair": "flair", "lesion_mask": "seg"}
    places = sorted(folder.glob(f"*/BraTS20_Training_{first}/"))
    return table_of({p.name: {c: p / f"{p.name}_{end}.nii.gz" for c, end in endings.items()} for p in places})


@pytest.mark.integration
def test_the_phantom_is_stripped_and_raw(tmp_path):
    path = make_phantom(tmp_path, num_subjects=2, num_mutant=1, spacing_mm=6.0, jobs=1, quiet=True)
    pairs, scans = guesses(read_table(path))
    assert pairs == {("raw", "skull-stripped")} and (scans["problem"] == "").all()
    assert len(scans) == 16 and scans["enhancing_label"].isna().all()


@pytest.mark.integration
def test_cropped_z_scores(real_data):
    pairs, scans = guesses(brats(real_data / "brats20_mini", "3[0-3]*"))
    assert pairs == {("z-scored", "cannot tell")} and (scans["problem"] == "").all()
    assert set(scans["enhancing_label"].dropna()) == {4} and scans["voxel_hash"].is_unique


@pytest.mark.integration
def test_stripped_brains(real_data):
    pairs, scans = guesses(brats(real_data / "brats20_full"))
    assert pairs == {("raw", "skull-stripped")} and (scans["problem"] == "").all()
    assert set(scans["orientation"]) == {"LPS"} and set(scans["shape"]) == {"240 x 240 x 155"}


def test_a_head_as_it_was_acquired(real_data):
    endings = {"t1": "t1", "t1gd": "t1c", "t2": "t2", "flair": "fla"}
    place, name = real_data / "native_TCGA-FG-6692", "TCGA-FG-6692_native"
    pairs, scans = guesses(table_of({"s": {c: place / f"{name}_{end}.nii.gz" for c, end in endings.items()}}))
    assert pairs == {("raw", "with skull")} and set(scans["spacing_mm"]) == {"0.90 x 0.90 x 5.50"}
    assert (scans.set_index("image")["grid"] == "same").to_dict() == {
        "t1": True,
        "t1gd": True,
        "t2": False,
        "flair": False,
    }
