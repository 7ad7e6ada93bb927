"""Structural images and the brain: what is corrected where, what is cut off, and what is made again of what."""

from dataclasses import replace

import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.resampling import rigid_matrix
from glioma_idh.imaging.volumes import Volume, read_volume, write_volume
from glioma_idh.preparation import anatomy
from glioma_idh.preparation.anatomy import check_contrast, find_brain, make_images
from glioma_idh.preparation.settings import Settings
from tests.preparation.placed import AFFINE, SHAPE, patient_of, place, stages_of, write_noise

MOVED = rigid_matrix((0, 0, 0), (4, 0, 0), (0, 0, 0))
"""The head lies two voxels to the right."""


def block() -> np.ndarray:
    """A brain that is not symmetric, and that the moved head keeps in view."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[1:7, 2:8, 1:5] = 1
    return mask


@pytest.fixture
def alignment(tmp_path):
    """T1Gd and T1, between which the head has moved; the brain's mask lies in `brain.nii`."""
    write_volume(tmp_path / "brain.nii", block(), AFFINE)
    return place(tmp_path, {"t1gd": (AFFINE, np.eye(4)), "t1": (AFFINE, MOVED)})


@pytest.fixture
def corrected(monkeypatch):
    """In place of the bias correction: a recorder of image and mask, which doubles the image."""
    calls = []

    def record(volume, mask=None):
        calls.append((volume, mask))
        return replace(volume, array=2 * volume.array)

    monkeypatch.setattr(anatomy, "correct_bias", record)
    return calls


def images_of(*of) -> tuple[dict, list]:
    """The images of a patient, and what is wrong."""
    patient = patient_of(*of)
    return make_images(patient), patient.errors


def voxels(path) -> np.ndarray:
    return read_volume(path).array


def test_an_image_is_corrected_on_its_own_grid_in_its_own_brain_and_cut_out(alignment, corrected, tmp_path):
    files, errors = images_of(alignment, Settings(), stages_of(tmp_path), tmp_path / "brain.nii")
    assert errors == [] and list(files) == ["t1", "t1gd"]
    (t1, mask), (t1gd, own_mask) = corrected
    assert t1.file.endswith("t1.nii") and t1gd.file.endswith("t1gd.nii")
    assert np.array_equal(own_mask, block() > 0)
    assert np.array_equal(mask[2:], block()[:-2] > 0) and not mask[:2].any()  # where the head lies in the T1
    moved = np.zeros(SHAPE)
    moved[:-2] = voxels(tmp_path / "t1.nii")[2:]
    assert voxels(files["t1"]) == pytest.approx(2 * moved * block())
    assert voxels(files["t1gd"]) == pytest.approx(2 * voxels(tmp_path / "t1gd.nii") * block())


def test_skull_and_bias_stay_where_that_is_wanted(alignment, corrected, tmp_path):
    settings = Settings(keep_skull=True, skip=("bias",))
    files, _ = images_of(alignment, settings, stages_of(tmp_path), tmp_path / "brain.nii")
    assert corrected == [] and voxels(files["t1gd"]) == pytest.approx(voxels(tmp_path / "t1gd.nii"))


@pytest.mark.parametrize(("rows", "is_made"), [(3, False), (4, True)])
def test_an_image_must_cover_more_than_half_of_the_brain(alignment, tmp_path, rows, is_made):
    array = voxels(tmp_path / "t1gd.nii")
    array[1 + rows :] = 0  # of the six rows of the brain
    array[8:] = 50  # around it does not count
    write_volume(tmp_path / "t1gd.nii", array, AFFINE)
    settings = Settings(skip=("bias",))
    files, errors = images_of(alignment, settings, stages_of(tmp_path), tmp_path / "brain.nii")
    assert ("t1gd" in files) == is_made and "t1" in files
    assert is_made or (errors[0].found == "50% of the brain" and errors[0].file.endswith("t1gd.nii"))


@pytest.mark.parametrize("change", ["series", "brain", "bias", "keep_skull", "place"])
def test_an_image_is_made_again_of_whatever_changes(alignment, corrected, tmp_path, change):
    settings = Settings()
    for _ in range(2):
        make_images(patient_of(alignment, settings, stages_of(tmp_path), tmp_path / "brain.nii"))
    assert len(corrected) == 2
    stages = stages_of(tmp_path)
    if change == "series":
        write_noise(tmp_path, "t1", seed=9)
    elif change == "brain":
        write_volume(tmp_path / "brain.nii", block()[::-1], AFFINE)
    elif change == "place":
        alignment = replace(alignment, matrices=alignment.matrices | {"t1": np.eye(4)})
    else:
        settings = Settings(skip=("bias",)) if change == "bias" else Settings(keep_skull=True)
    former = dict(stages.former)
    make_images(patient_of(alignment, settings, stages, tmp_path / "brain.nii"))
    made = {stage for stage, record in stages.record.stages.items() if record.key != former[stage].key}
    assert made == ({"image t1"} if change in ("series", "place") else {"image t1", "image t1gd"})


def test_a_found_brain_is_brought_to_the_grid_of_the_result(alignment, tmp_path, monkeypatch):
    """The anchor's head lies two voxels to the right of the grid; voxels that are brain to a half count."""
    head = Volume(np.ones(SHAPE, np.float32), AFFINE)
    found = Volume(np.pad(block(), [(2, 0), (0, 0), (0, 0)])[:-2], AFFINE)
    monkeypatch.setattr(anatomy, "looks_stripped", lambda volume: volume is not head)
    monkeypatch.setattr(anatomy, "extract_brain", lambda volume, fit: found if fit == "fit" else None)
    placed = replace(alignment, frame=MOVED, head=lambda: head, fit_template=lambda: "fit")
    stages = stages_of(tmp_path)
    assert np.array_equal(voxels(find_brain(patient_of(placed, Settings(), stages))), block())
    assert stages.record.stages["brain"].found["how"] == "ICBM152 template, refined by the intensities of the image"
    half = replace(placed, frame=rigid_matrix((0, 0, 0), (5, 0, 0), (0, 0, 0)))  # half a voxel further
    assert np.flatnonzero(voxels(find_brain(patient_of(half, Settings(), stages))).any(axis=(1, 2))).size in (5, 6, 7)
    less = replace(placed, frame=rigid_matrix((0, 0, 0), (4.8, 0, 0), (0, 0, 0)))  # to 0.6 and 0.4
    assert np.array_equal(voxels(find_brain(patient_of(less, Settings(), stages))), block())


def test_another_program_finds_the_brain_where_one_is_named(alignment, tmp_path, monkeypatch):
    calls = []

    def extract(command, head, folder):
        calls.append((command, head, folder.parent))
        return Volume(block(), AFFINE)

    monkeypatch.setattr(anatomy, "extract_brain_with", extract)
    placed = replace(alignment, head=lambda: "head", fit_template=lambda: pytest.fail("the template was fitted"))
    stages = stages_of(tmp_path)
    stages.folder.mkdir()
    for command in ("one {input} {mask}", "one {input} {mask}", "two {input} {mask}"):
        found = find_brain(patient_of(placed, Settings(brain_command=command), stages))
        stages = stages_of(tmp_path)
    assert np.array_equal(voxels(found), block()) and not list(stages.folder.glob("part-*"))
    assert calls == [(f"{name} {{input}} {{mask}}", "head", stages.folder) for name in ("one", "two")]


def test_no_brain_is_sought_where_none_is_wanted(alignment, tmp_path):
    assert find_brain(patient_of(alignment, Settings(skip=("brain",)), stages_of(tmp_path))) is None


def contrast_of(folder, t1gd, t1):
    files = {}
    for role, array in (("t1gd", t1gd), ("t1", t1)):
        write_volume(folder / f"{role}.nii.gz", array.astype(np.float32), AFFINE)
        files[role] = folder / f"{role}.nii.gz"
    patient = patient_of(None, Settings(), stages_of(folder), images=files)
    check_contrast(patient)
    return patient.errors, patient.remarks


def test_whether_contrast_was_given_is_said_by_the_t1gd(tmp_path):
    """Five in a hundred voxels are brighter in the T1Gd, or none, or the two are swapped, or one image."""
    rng = np.random.default_rng(0)
    tissue = rng.normal(100, 15, SHAPE)
    t1, plain = tissue + rng.normal(0, 3, SHAPE), tissue + rng.normal(0, 3, SHAPE)
    enhanced = plain + 100 * (rng.uniform(size=SHAPE) < 0.05)
    assert contrast_of(tmp_path, enhanced, t1) == ([], [])
    for t1gd, other in ((plain, t1), (t1, enhanced)):
        errors, (remark,) = contrast_of(tmp_path, t1gd, other)
        assert errors == [] and "hardly differs from the T1" in remark
    (error,), remarks = contrast_of(tmp_path, t1, t1)
    assert isinstance(error, InputError) and error.found == "the same image" and remarks == []
