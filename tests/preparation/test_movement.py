"""Series in which the head moves are held still before anything is made of them."""

import re
from dataclasses import replace

import nibabel
import numpy as np
import pytest

from glioma_idh.files import write_text
from glioma_idh.imaging.resampling import resample, rigid_matrix
from glioma_idh.imaging.volumes import Volume, read_volume
from glioma_idh.preparation.movement import LEAST_MM, hold_series_still
from glioma_idh.preparation.series import choose_series, find_series
from glioma_idh.preparation.settings import Settings
from glioma_idh.preparation.stages import Stages
from glioma_idh.runs import read_table

AFFINE, SHAPE = np.diag([3.0, 3, 5, 1]), (48, 56, 20)
B_VALUES = (0, 500, 1000)


@pytest.fixture
def head():
    """A ball with structure in it, which no turn or shift leaves as it is."""
    rng = np.random.default_rng(0)
    places = np.indices(SHAPE).transpose(1, 2, 3, 0) @ AFFINE[:3, :3]
    middle = np.array(SHAPE) @ AFFINE[:3, :3] / 2
    array = sum(
        rng.uniform(-200, 200) * np.exp(-((places - middle - rng.uniform(-40, 40, 3)) ** 2).sum(-1) / 400)
        for _ in range(40)
    )
    return Volume(((600 + array) * (((places - middle) ** 2).sum(-1) < 48**2)).astype(np.float32), AFFINE)


def choices_of(folder, moved_mm, head, together=True):
    """A patient's DWI whose second volume lies elsewhere, as one file or as one each."""
    volumes = [
        resample(head, head, np.linalg.inv(rigid_matrix((0, 0, 0), shift, (70, 80, 50)))).array * np.exp(-b * 8e-4)
        for b, shift in zip(B_VALUES, ((0, 0, 0), (moved_mm, 0, 0), (0, 0, 0)), strict=True)
    ]
    files = {"dwi": (np.stack(volumes, -1), B_VALUES)}
    if not together:
        files = {f"dwi_b{b}": (volume, [b]) for b, volume in zip(B_VALUES, volumes, strict=True)}
    folder.mkdir()
    for name, (array, b_values) in files.items():
        nibabel.save(nibabel.Nifti1Image(array.astype(np.float32), AFFINE), folder / f"{name}.nii.gz")
        write_text(" ".join(map(str, b_values)), folder / f"{name}.bval")
    series, _ = find_series(folder, folder / "native")
    return choose_series(series, {})[0]


def stages_of(tmp_path, tell=lambda line: None) -> Stages:
    stages = Stages(tmp_path / "out", tell=tell)
    stages.note["remarks"] = []
    return stages


@pytest.mark.parametrize("together", [True, False])
def test_a_moving_series_is_held_still_and_said(head, tmp_path, together):
    choices, stages = choices_of(tmp_path / "p", 4.0, head, together), stages_of(tmp_path)
    held, errors = hold_series_still(choices, Settings(), stages)
    assert errors == [] and held["dwi"].files == (tmp_path / "out/still/dwi_1.nii.gz",)
    assert held["dwi"].acquisitions[0].b_values == B_VALUES
    (remark,) = stages.note["remarks"]
    assert re.search(r"DWI series, by up to (3.9|4.[01]) mm \(volume 2 of 3\);.* lies in volume 1\.", remark)
    still = read_volume(held["dwi"].files[0], num_axes=4).array
    inside = (still > 0).all(axis=-1) & (head.array > 0)
    ratio = still[inside][:, 1] / still[inside][:, 0]
    assert np.median(np.abs(ratio / np.exp(-0.4) - 1)) < 0.02
    table = read_table(tmp_path / "out/still/dwi.csv")
    assert table["displacement_mm"].tolist() == pytest.approx([0, 4, 0], abs=0.2)
    assert table.loc[1, "m14"] == pytest.approx(4, abs=0.2)


def test_a_series_that_is_still_is_left_as_it_is(head, tmp_path):
    choices, stages = choices_of(tmp_path / "p", 0.6 * LEAST_MM, head), stages_of(tmp_path)
    held, errors = hold_series_still(choices, Settings(), stages)
    assert held == choices and not errors and not stages.note["remarks"]
    assert [path.name for path in (tmp_path / "out/still").iterdir()] == ["dwi.csv"]


def test_nothing_is_done_where_it_is_switched_off(head, tmp_path):
    choices = choices_of(tmp_path / "p", 4.0, head)
    assert hold_series_still(choices, Settings(skip=("movement",)), stages_of(tmp_path)) == (choices, [])
    assert not (tmp_path / "out").exists()


def test_it_is_done_once(head, tmp_path):
    choices, said = choices_of(tmp_path / "p", 4.0, head), []
    for _ in range(2):
        stages = stages_of(tmp_path, said.append)
        held, _ = hold_series_still(choices, Settings(), stages)
    assert said[1:] == ["movement dwi: as before"]
    assert len(stages.note["remarks"]) == 1 and held["dwi"].files[0].is_file()


def test_a_series_that_cannot_be_read_is_left_out_and_named(head, tmp_path):
    choices = choices_of(tmp_path / "p", 4.0, head)
    series = choices["dwi"].series
    bad = replace(choices["dwi"], series=replace(series, acquisitions=(replace(series.acquisitions[0], b_values=()),)))
    held, errors = hold_series_still({"dwi": bad}, Settings(), stages_of(tmp_path))
    assert held == {} and "b-values" in str(errors[0])
