"""The lesion: given before found, made again of what changes, and not sought where it is not wanted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from glioma_idh.imaging.resampling import rigid_matrix
from glioma_idh.imaging.volumes import read_volume, write_volume
from glioma_idh.preparation.context import LesionFinder
from glioma_idh.preparation.masks import find_lesion
from glioma_idh.preparation.settings import STRUCTURAL, Settings
from tests.preparation.placed import AFFINE, SHAPE, choice_of, patient_of, place, stages_of, write_noise

MOVED = rigid_matrix((0, 0, 0), (4, 0, 0), (0, 0, 0))


def one_voxel(i: int) -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    mask[i, 5, 4] = 1
    return mask


@pytest.fixture
def patient(tmp_path):
    """Four sequences on one grid, the head moved in the T2; a finder that marks voxel 2 and records its images."""
    placed = place(tmp_path, {role: (AFFINE, MOVED if role == "t2" else np.eye(4)) for role in STRUCTURAL})
    calls = []

    def find(images: dict[str, Path], path: Path) -> None:
        calls.append(images)
        write_volume(path, one_voxel(2), AFFINE)

    (tmp_path / "metrics.json").write_text("{}")
    images = {role: placed.choices[role].files[0] for role in STRUCTURAL}
    return tmp_path, placed, images, LesionFinder(find, (tmp_path / "metrics.json",), "by a rule"), calls


def test_a_given_lesion_comes_before_one_that_is_found(patient):
    folder, placed, images, finder, calls = patient
    write_volume(folder / "drawn.nii", one_voxel(7), AFFINE)
    stages = stages_of(folder)
    found = find_lesion(
        patient_of(placed, Settings(lesion_mask=folder / "drawn.nii"), stages, images=images, finder=finder)
    )
    assert calls == [] and np.array_equal(read_volume(found).array, one_voxel(5))  # drawn on the T2, as by default
    assert stages.record.stages["lesion"].found["how"] == "given, drawn on t2"


def test_a_lesion_that_the_user_names_comes_before_one_in_the_folder(patient):
    folder, placed, images, _, _ = patient
    for name, i in (("drawn", 7), ("lesion", 4)):
        write_volume(folder / f"{name}.nii", one_voxel(i), AFFINE)
    placed = replace(placed, choices=placed.choices | {"lesion_mask": choice_of("lesion", [folder / "lesion.nii"])})
    found = []
    for settings in (Settings(lesion_mask=folder / "drawn.nii"), Settings()):
        made = read_volume(find_lesion(patient_of(placed, settings, stages_of(folder), images=images))).array
        found += np.flatnonzero(made.any(axis=(1, 2))).tolist()
    assert found == [5, 2]  # drawn on the T2, as by default


def test_a_lesion_is_found_in_the_four_images_of_the_result(patient):
    folder, placed, images, finder, calls = patient
    stages = stages_of(folder)
    found = find_lesion(
        patient_of(placed, Settings(), stages, images=images | {"adc": folder / "adc.nii"}, finder=finder)
    )
    assert calls == [images] and np.array_equal(read_volume(found).array, one_voxel(2))
    assert stages.record.remarks == [
        "The lesion was segmented by a rule, not drawn: it is no reference standard for a Dice score."
    ]
    assert stages.record.stages["lesion"].found["volume_ml"] == 0.01  # 12 mm3


@pytest.mark.parametrize("change", ["image", "finder"])
def test_a_lesion_is_found_again_in_other_images_or_by_other_networks(patient, change):
    folder, placed, images, finder, calls = patient
    for _ in range(2):
        find_lesion(patient_of(placed, Settings(), stages_of(folder), images=images, finder=finder))
    assert len(calls) == 1
    write_noise(folder, "t2", seed=9) if change == "image" else (folder / "metrics.json").write_text("[]")
    find_lesion(patient_of(placed, Settings(), stages_of(folder), images=images, finder=finder))
    assert len(calls) == 2


def test_a_lesion_said_to_be_drawn_on_another_series_is_brought_again(patient):
    folder, placed, images, _, _ = patient
    write_volume(folder / "drawn.nii", one_voxel(7), AFFINE)
    rows = []
    for role in ("t2", "flair"):
        settings = Settings(lesion_mask=folder / "drawn.nii", lesion_on=role)
        made = read_volume(find_lesion(patient_of(placed, settings, stages_of(folder), images=images))).array
        rows += np.flatnonzero(made.any(axis=(1, 2))).tolist()
    assert rows == [5, 7]


def test_no_lesion_is_made_where_it_is_left_out_or_there_is_none(patient):
    folder, placed, images, finder, calls = patient
    write_volume(folder / "drawn.nii", one_voxel(7), AFFINE)
    settings = Settings(lesion_mask=folder / "drawn.nii", skip=("lesion",))
    assert find_lesion(patient_of(placed, settings, stages_of(folder), images=images, finder=finder)) is None
    assert find_lesion(patient_of(placed, Settings(), stages_of(folder), images=images)) is None
    assert calls == [] and not (folder / "out" / "lesion_mask.nii.gz").exists()
