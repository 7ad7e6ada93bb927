"""The parts of the brain's extraction and of the bias correction, on small shapes drawn by hand."""

import numpy as np
import pytest

from glioma_idh.errors import InputError
from glioma_idh.imaging import brain
from glioma_idh.imaging.brain import correct_bias, distance_mm, extract_brain, frequencies, refine, tidy
from glioma_idh.imaging.volumes import Volume

SPACING_MM = np.array([2.0, 2, 4])
SHAPE = (50, 50, 26)


def places_mm(shape=SHAPE, spacing_mm=SPACING_MM) -> np.ndarray:
    """Where each voxel lies from the middle, shape (3, i, j, k)."""
    middle = (np.array(shape) - 1) / 2
    return (np.indices(shape) - middle[:, None, None, None]) * np.reshape(spacing_mm, (3, 1, 1, 1))


def ball(radius_mm, centre_mm=(0, 0, 0)) -> np.ndarray:
    return np.square(places_mm() - np.reshape(centre_mm, (3, 1, 1, 1))).sum(axis=0) < radius_mm**2


def dice(first, second) -> float:
    return 2 * (first & second).sum() / (first.sum() + second.sum())


def test_distances_are_in_mm_along_every_axis():
    mask = np.ones((7, 7, 7), bool)
    mask[3, 3, 3] = False
    found = distance_mm(mask, np.array([1.0, 2, 5]))
    assert [found[5, 3, 3], found[3, 5, 3], found[3, 3, 5], found[3, 3, 3]] == [2, 4, 10, 0]


def test_frequencies_are_shares_and_none_is_0():
    found = frequencies(np.array([20] * 90 + [40] * 10))
    assert found.sum() == pytest.approx(1, abs=1e-6) and found.shape == (64,)
    middle = 1 / np.sqrt(2 * np.pi)  # of a Gaussian of one bin
    assert found[20] == pytest.approx((1 + 90 * middle) / 164, rel=0.01)
    assert found[40] == pytest.approx((1 + 10 * middle) / 164, rel=0.01)
    assert found[55] == pytest.approx(1 / 164, rel=0.01)


def test_bridges_are_cut_furrows_and_holes_filled_and_the_largest_part_is_left():
    brain_ball = ball(36)
    eye, bridge = ball(8, (46, 0, 0)), np.zeros(SHAPE, bool)
    bridge[24:46, 24:26, 13] = True
    hole, furrow = ball(9), np.zeros(SHAPE, bool)
    furrow[24:26, 30:, :] = True  # 4 mm wide
    found = tidy((brain_ball & ~hole & ~furrow) | eye | bridge, SPACING_MM)
    assert not found[46:].any()  # neither eye nor most of its bridge
    assert found[hole].all()
    assert (found & brain_ball).sum() > 0.97 * brain_ball.sum() and (found & furrow & ball(32)).sum() > 0
    assert (found & furrow & ball(32)).sum() > 0.9 * (furrow & ball(32)).sum()
    wide = np.zeros(SHAPE, bool)
    wide[20:30, 30:, :] = True  # 20 mm is no furrow
    assert not tidy(brain_ball & ~wide, SPACING_MM)[24:26, 36, 13].any()


def head_of(truth: np.ndarray, seed=0) -> np.ndarray:
    """Brain of 100, surroundings of 40, both under noise that lets them overlap little."""
    noise = np.random.default_rng(seed).normal(0, 8, truth.shape)
    return np.where(truth, 100, 40) + noise


def test_the_border_goes_to_where_the_intensities_change():
    """The template lies 4 mm off; after the refinement the brain is where the image shows it."""
    truth, template = ball(34), ball(34, (4, 0, 0))
    found = refine(head_of(truth), template, SPACING_MM)
    assert dice(template, truth) < 0.93 < 0.975 < dice(found, truth)
    offset_mm = places_mm()[0][found].mean()
    assert abs(offset_mm) < 0.5
    dark = refine(-head_of(truth), template, SPACING_MM)  # in any contrast
    assert dice(dark, truth) > 0.975


def test_where_intensities_say_nothing_the_template_stays():
    template = ball(30)
    noise = np.random.default_rng(0).normal(100, 10, SHAPE)
    assert dice(refine(noise, template, SPACING_MM), template) > 0.96


def test_what_is_as_bright_as_brain_but_far_from_it_is_none():
    """Depth counts: of brightness alone, a third of the neck 16 mm under the template's brain would be brain."""
    truth = ball(30)
    neck = ball(14, (0, 0, -46))
    found = refine(head_of(truth | neck), truth, SPACING_MM)
    assert not (found & ball(14, (0, 0, -46)) & ~ball(34)).any() and dice(found, truth) > 0.95


def test_of_a_brain_that_fills_less_than_half_of_the_box_the_rest_is_not_the_largest_part():
    small = ball(16)
    assert dice(tidy(small, SPACING_MM), small) > 0.95 and small.mean() < 0.1


def test_brightness_of_brain_outweighs_six_millimetres_of_depth_and_no_more():
    """The largest odds are e to 2, and 3 mm count as much as e: a bright rod ends 6 mm outside."""
    template = ball(30)
    i, j, k = places_mm()
    rod = (i > 0) & (np.hypot(j, k) < 9)
    found = refine(head_of(template | (ball(44) & rod)), template, SPACING_MM)
    assert 2 < i[found & (np.hypot(j, k) < 4)].max() - 30 < 8.5


def test_the_brain_may_reach_18_mm_beyond_the_templates(monkeypatch):
    seen = []
    monkeypatch.setattr(brain, "refine", lambda array, template, spacing: seen.append(array.shape) or template)
    mask = np.zeros(SHAPE, bool)
    mask[20:30, 22:28, 10:14] = True
    extract_brain(Volume(head_of(mask).astype(np.float32), np.diag([*SPACING_MM, 1])), Fit(mask))
    assert seen == [(10 + 18, 6 + 18, 4 + 10)]  # 9 voxels of 2 mm on either side, 5 of 4 mm


class Fit:
    """A template's fit that knows where the brain lies: half of it in a voxel at its border."""

    problems = ("it lies outside",)

    def __init__(self, mask):
        self.mask = mask

    def map(self, name, grid):
        assert name == "brain"
        return np.where(self.mask, 0.51, 0.49)


def test_the_brain_lies_in_the_head_where_it_was_found():
    """Off the middle, so that a shifted box would show."""
    truth = ball(26, (14, -10, 6))
    affine = np.diag([*SPACING_MM, 1])
    found = extract_brain(Volume(head_of(truth).astype(np.float32), affine), Fit(ball(26, (12, -10, 6))))
    assert dice(found.array > 0, truth) > 0.96 and np.array_equal(found.affine, affine)
    assert found.array.dtype == np.uint8 and found.array.max() == 1
    with pytest.raises(InputError, match="expected the brain in the image; found it lies outside"):
        extract_brain(Volume(head_of(truth).astype(np.float32), affine), Fit(truth & False))


def test_of_a_stripped_image_all_that_is_not_background_is_brain_with_its_holes():
    shape, affine = (60, 70, 60), np.diag([3.0, 3, 3, 1])
    i, j, k = places_mm(shape, (3, 3, 3))
    truth = (i / 68) ** 2 + (j / 84) ** 2 + (k / 66) ** 2 < 1  # 1579 ml
    array = np.where(truth, 100.0, 0)
    array[25:35, 30:40, 28:32] = 0  # fluid
    found = extract_brain(Volume(array.astype(np.float32), affine), None)
    assert np.array_equal(found.array > 0, truth)


@pytest.fixture(scope="module")
def biased():
    """A brain in noise, half of it brighter by a smooth field; its mask, and the field's logarithm."""
    mask = ball(40)
    log_field = 0.35 * np.tanh(places_mm()[0] / 30) + 0.2 * places_mm()[1] / 50
    texture = np.random.default_rng(0).uniform(0.95, 1.05, SHAPE)
    array = np.where(mask, 500 * texture * np.exp(log_field), 0).astype(np.float32)
    return array, mask, log_field


def volume_of(array) -> Volume:
    own = np.diag([-1.0, -1, 1, 1])
    return Volume(array, np.diag([*SPACING_MM, 1]), "t1.nii", "LPS", own)


def test_the_bias_field_is_divided_out_and_the_mean_in_the_mask_kept(biased, monkeypatch):
    monkeypatch.setattr(brain, "BIAS_ITERATIONS", (15, 10))
    array, mask, log_field = biased
    made = correct_bias(volume_of(array), mask)
    found = np.log(array[mask] / made.array[mask])
    assert np.corrcoef(found, log_field[mask])[0, 1] > 0.95
    assert np.std(made.array[mask]) < 0.4 * np.std(array[mask])
    assert made.array[mask].mean() == pytest.approx(array[mask].mean(), rel=1e-4)
    assert not made.array[~mask].any() and made.array.dtype == np.float32
    assert (made.file, made.stored_as) == ("t1.nii", "LPS") and np.array_equal(made.own_affine, np.diag([-1, -1, 1, 1]))


@pytest.fixture
def looked_at(monkeypatch):
    """In place of N4: a recorder of the mask, which finds a field of ln 2 in the front half of the image."""
    import SimpleITK as sitk

    masks = []

    def record(image, mask):
        masks.append(sitk.GetArrayFromImage(mask).T > 0)
        field = np.zeros(image.GetSize()[::-1])
        field[:, image.GetSize()[1] // 2 :] = np.log(2)
        found = sitk.GetImageFromArray(field)
        found.CopyInformation(image)
        return found

    monkeypatch.setattr(brain, "bias_field", record)
    return masks


def test_the_field_is_sought_in_the_mask_and_never_in_voxels_that_are_not_positive(biased, looked_at):
    array, mask, _ = biased
    array = array + np.where(ball(45) & ~mask, 300, 0).astype(np.float32)
    array[20:24, 20:24, 10] = -5
    for given, expected in ((mask, mask), (ball(20), ball(20)), (mask * 7, mask)):
        made = correct_bias(volume_of(array), given)
        assert np.array_equal(looked_at[-1], expected & (array > 0))
        assert made.array[looked_at[-1]].mean() == pytest.approx(array[looked_at[-1]].mean(), rel=1e-5)
        front = made.array[:, 25:] / np.where(array[:, 25:], array[:, 25:], 1)
        back = made.array[:, :25] / np.where(array[:, :25], array[:, :25], 1)
        assert back.max() / front.max() == pytest.approx(2, rel=1e-5)


def test_without_a_mask_the_field_is_sought_in_the_head_or_in_all_of_a_brain(biased, looked_at, monkeypatch):
    array, mask, _ = biased
    noisy = array + np.random.default_rng(1).uniform(1, 20, SHAPE).astype(np.float32)
    correct_bias(volume_of(noisy))
    assert dice(looked_at[-1], mask) > 0.99
    monkeypatch.setattr(brain, "looks_stripped", lambda volume: True)
    correct_bias(volume_of(array))
    assert np.array_equal(looked_at[-1], array > 0)
