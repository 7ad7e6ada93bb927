"""A mask is taken on a grid that it lies on, and on no other; what is written of it is 0 and 1."""

from dataclasses import replace

import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging.resampling import rigid_matrix
from glioma_idh.imaging.volumes import Volume, read_volume, write_volume
from glioma_idh.preparation.anatomy import find_brain
from glioma_idh.preparation.maps import _white_matter
from glioma_idh.preparation.masks import find_lesion, mask_on_grid, on_series, within
from glioma_idh.preparation.settings import Settings
from tests.preparation.placed import (
    AFFINE,
    SHAPE,
    choice_of,
    on_grid,
    patient_of,
    place,
    shifted,
    stages_of,
    write_noise,
)

MOVED = rigid_matrix((0, 0, 0), (4, 0, 0), (0, 0, 0))
"""The head lies two voxels to the right."""


def block(at=(5, 6, 4)) -> np.ndarray:
    """A mask of one voxel's neighbourhood, not symmetric."""
    mask = np.zeros(SHAPE, np.uint8)
    i, j, k = at
    mask[i : i + 2, j : j + 3, k] = 1
    return mask


@pytest.fixture
def alignment(tmp_path):
    """T1Gd (the reference), T1 on its grid and T2 on another; the head has moved in T1 and T2."""
    return place(tmp_path, {"t1gd": (AFFINE, np.eye(4)), "t1": (AFFINE, MOVED), "t2": (shifted(2), MOVED)})


def drawn(folder, array=None, affine=AFFINE):
    write_volume(folder / "drawn.nii", block() if array is None else array, affine)
    return folder / "drawn.nii"


@pytest.mark.parametrize("affine", [shifted(0.5), shifted(-2), AFFINE * [[1], [1], [1.02], [1]]])
def test_a_mask_of_the_right_shape_on_another_grid_is_refused(alignment, tmp_path, affine):
    path = drawn(tmp_path, affine=affine)
    for find in (
        lambda: find_brain(patient_of(alignment, Settings(brain_mask=path), stages_of(tmp_path))),
        lambda: find_lesion(patient_of(alignment, Settings(lesion_mask=path), stages_of(tmp_path))),
    ):
        with pytest.raises(InputError, match="drawn.nii: expected a mask on the grid of one of .*; found another grid"):
            find()
    assert not list((tmp_path / "out").glob("*mask.nii.gz"))


@pytest.mark.parametrize(
    ("likeliest", "roles", "first"), [("t1gd", ["t1gd", "t1"], (5, 6, 4)), ("t1", ["t1", "t1gd"], (3, 6, 4))]
)
def test_of_two_series_on_one_grid_the_likelier_says_where_the_head_lay(alignment, tmp_path, likeliest, roles, first):
    mask, found = mask_on_grid(drawn(tmp_path), alignment, likeliest)
    assert found == roles
    assert np.array_equal(mask.array, block(first)) and mask.array.dtype == np.uint8


@pytest.mark.parametrize("lesion_on", ["t1", "t2"])
def test_masks_of_brain_and_white_matter_are_drawn_on_the_anchor_whatever_the_lesion_is_drawn_on(
    alignment, tmp_path, lesion_on
):
    settings = Settings(brain_mask=drawn(tmp_path), white_mask=drawn(tmp_path), lesion_on=lesion_on)
    assert np.array_equal(read_volume(find_brain(patient_of(alignment, settings, stages_of(tmp_path)))).array, block())
    dsc = choice_of("dsc", [write_noise(tmp_path, "dsc", shifted(1))])
    placed = replace(alignment, choices=alignment.choices | {"dsc": dsc})
    placed = replace(placed, matrices=alignment.matrices | {"dsc": np.eye(4)})
    assert np.array_equal(
        _white_matter(alignment.grid, None, patient_of(placed, settings, stages_of(tmp_path))), block() > 0
    )


def test_a_brain_that_the_user_names_comes_before_one_in_the_folder(alignment, tmp_path):
    write_volume(tmp_path / "brain.nii", block((2, 3, 2)), AFFINE)
    choices = alignment.choices | {"brain_mask": choice_of("brain", [tmp_path / "brain.nii"])}
    for settings, at in ((Settings(brain_mask=drawn(tmp_path)), (5, 6, 4)), (Settings(), (2, 3, 2))):
        found = find_brain(patient_of(replace(alignment, choices=choices), settings, stages_of(tmp_path)))
        assert np.array_equal(read_volume(found).array, block(at))


def test_a_lesion_comes_from_the_series_that_it_was_drawn_on(alignment, tmp_path):
    """On the T2's grid, one voxel to the right of the result's, in which the head lies two voxels to the right."""
    path = drawn(tmp_path, affine=shifted(2))
    stages = stages_of(tmp_path)
    made = read_volume(find_lesion(patient_of(alignment, Settings(lesion_mask=path), stages)))
    assert np.array_equal(made.array, block((4, 6, 4))) and np.array_equal(made.affine, AFFINE)
    assert stages.record.stages["lesion"].found == {
        "how": "given, drawn on t2",
        "volume_ml": 0.07,  # 6 voxels of 12 mm3
        "roles": ["t2"],
    }
    assert stages.record.remarks == []


def test_where_the_lesion_could_be_drawn_on_two_it_is_said(alignment, tmp_path):
    stages = stages_of(tmp_path)
    find_lesion(patient_of(alignment, Settings(lesion_mask=drawn(tmp_path), lesion_on="t1"), stages))
    (remark,) = stages.record.remarks
    assert remark == "The lesion mask is assumed to be drawn on t1, not on t1gd with the same grid (--lesion-on)."


@pytest.mark.parametrize(
    ("inside", "outside"), [(3, 0), (1, -1), (0.5, 0.49), (0.9, 0.1)], ids=["label", "negative", "half", "probability"]
)
def test_labels_above_0_and_probabilities_from_a_half_are_inside(alignment, tmp_path, inside, outside):
    path = drawn(tmp_path, np.where(block() > 0, inside, outside).astype(np.float32))
    mask, _ = mask_on_grid(path, alignment, "t1gd")
    assert np.array_equal(mask.array, block())


def test_a_mask_of_the_result_goes_to_a_series_where_the_head_lies_there(alignment, tmp_path):
    path, series = drawn(tmp_path), Volume(np.zeros((*SHAPE, 3), np.float32), AFFINE)
    assert np.array_equal(on_series(path, "t1", series, alignment), block((7, 6, 4)) > 0)
    assert np.array_equal(on_series(path, "t1gd", series, alignment), block() > 0)


def test_outside_of_the_brain_there_is_nothing(tmp_path):
    image = np.arange(np.prod(SHAPE), dtype=np.float64).reshape(SHAPE) + 1
    cut = within(image, drawn(tmp_path, 7 * block()))
    assert np.array_equal(cut, np.where(block() > 0, image, 0)) and cut.dtype == np.float32
    assert np.array_equal(within(image, None), image)


def test_the_brain_is_given_and_its_volume_is_told(alignment, tmp_path):
    stages = stages_of(tmp_path)
    settings = Settings(brain_mask=drawn(tmp_path, np.pad(np.ones((8, 10, 6)), 1) * 4))
    path = find_brain(patient_of(alignment, settings, stages))
    brain = read_volume(path)
    assert np.array_equal(brain.array, np.pad(np.ones((8, 10, 6)), 1)) and np.array_equal(brain.affine, AFFINE)
    assert stages.record.stages["brain"].found == {"how": "given", "volume_ml": 5.8}  # 480 voxels of 12 mm3


def test_a_brain_that_is_none_or_too_large_is_refused(alignment, tmp_path):
    with pytest.raises(InputError, match=r"expected a brain in the image; found no brain \(given\)"):
        find_brain(patient_of(alignment, Settings(brain_mask=drawn(tmp_path, 0 * block())), stages_of(tmp_path)))
    large = np.diag([40.0, 40, 45, 1])
    path = drawn(tmp_path, np.ones(SHAPE), large)
    with pytest.raises(InputError, match="expected a brain of at most 2500 ml; found 69120 ml"):
        find_brain(patient_of(on_grid(alignment, large), Settings(brain_mask=path), stages_of(tmp_path)))


def test_probabilities_and_a_lesion_outside_the_brain_are_remarks_in_a_second_run_too(alignment, tmp_path):
    brain = drawn(tmp_path, (np.indices(SHAPE)[0] > 5).astype(np.uint8))
    brain = brain.rename(tmp_path / "brain.nii")
    settings = Settings(lesion_mask=drawn(tmp_path, 0.1 + 0.8 * block()))
    for _ in range(2):
        stages = stages_of(tmp_path)
        find_lesion(patient_of(alignment, settings, stages, brain))
        first, second = stages.record.remarks[:2]
        assert first == "The lesion mask contains probabilities, thresholded at 0.5."
        assert second.startswith("50 % of the lesion (") and second.endswith("does the mask belong to this scan?")


def test_a_brain_mask_of_probabilities_is_a_remark(alignment, tmp_path):
    stages = stages_of(tmp_path)
    find_brain(patient_of(alignment, Settings(brain_mask=drawn(tmp_path, 0.1 + 0.6 * block())), stages))
    assert stages.record.remarks == ["The brain mask contains probabilities, thresholded at 0.5."]
    assert stages.record.stages["brain"].found["how"] == "given, probabilities, thresholded at 0.5"
