"""Head motion within a series: what is planted is found and taken out; a bolus or noise is not taken for it."""

import numpy as np
import pytest

from glioma_idh.imaging.perfusion.acquisition import Times
from glioma_idh.imaging.perfusion.rcbv import make_rcbv
from glioma_idh.imaging.registration.head_motion import correct_head_motion, displacement_mm, estimate_head_motion
from glioma_idh.imaging.resampling import resample, rigid_matrix
from glioma_idh.imaging.volumes import Volume
from glioma_idh.phantom.anatomy import draw_anatomy, make_anatomy
from glioma_idh.phantom.fields import make_grid
from glioma_idh.phantom.lesions import draw_lesion, make_lesion
from glioma_idh.phantom.perfusion_series import make_dsc
from glioma_idh.phantom.raw import SPACING_MM, acquire
from glioma_idh.phantom.recipe import PhantomRecipe, random_stream

pytestmark = pytest.mark.integration

RECIPE = PhantomRecipe(num_subjects=6, num_mutant=2, seed=0, spacing_mm=3.0)
CENTRE_MM = (0, -17, 12)
BEFORE, PEAK, AFTER = 10, 20, 40
"""Volumes of the series: at rest, in the bolus, and when it has gone."""


@pytest.fixture(scope="module")
def head():
    """A phantom's perfusion series on a grid of 4 mm, three volumes of it."""
    grid = make_grid(4.0)
    anatomy = make_anatomy(draw_anatomy(random_stream(RECIPE, 0, "anatomy")), grid)
    lesion = make_lesion(draw_lesion(random_stream(RECIPE, 0, "lesion")), anatomy)
    (series,), _ = make_dsc(anatomy, lesion, 0.0, np.random.default_rng(0))
    return Volume(series[..., [BEFORE, PEAK, AFTER]], grid.affine)


def scanned(head: Volume, placed) -> Volume:
    """The head in thick slices, in another place at each volume."""
    volumes = [
        acquire(Volume(head.array[..., n], head.affine), SPACING_MM["dsc"], matrix) for n, matrix in enumerate(placed)
    ]
    return Volume(np.stack([volume.array for volume in volumes], axis=-1), volumes[0].affine)


def left_mm(found, placed) -> np.ndarray:
    """The remaining head motion, mm."""
    return displacement_mm(np.linalg.inv(placed) @ found, CENTRE_MM)


def test_what_moves_is_found_through_the_bolus(head):
    placed = np.array(
        [
            np.eye(4),
            rigid_matrix((2, -1, 1.5), (0.5, 1.5, 1), CENTRE_MM),
            rigid_matrix((0, 0, -3), (2, 0, 0), CENTRE_MM),
        ]
    )
    series = scanned(head, placed)
    found = estimate_head_motion(series, reference=0)
    assert displacement_mm(placed, CENTRE_MM)[1:] == pytest.approx([3.03, 3.32], abs=0.01)  # by hand
    assert left_mm(found, placed).max() < 0.3
    again = estimate_head_motion(Volume(series.array[..., :2], series.affine), reference=0)
    assert np.array_equal(found[:2], again)


def test_a_bolus_alone_is_no_movement(head):
    found = estimate_head_motion(scanned(head, [np.eye(4)] * 3), reference=0)
    assert displacement_mm(found, CENTRE_MM).max() < 0.2


def test_noise_and_nothing_lie_where_the_volume_before_did(head):
    placed = np.array([np.eye(4)] + [rigid_matrix((0, 0, 2), (1, 0, 0), CENTRE_MM)] * 2)
    series = scanned(head, placed)
    rng = np.random.default_rng(0)
    noise = np.abs(rng.normal(0, 5, (*series.array.shape[:3], 1)))
    spoilt = np.concatenate([series.array[..., :2], noise, 0 * noise], axis=-1)
    found = estimate_head_motion(Volume(spoilt, series.affine), reference=0)
    assert np.array_equal(found[2], found[1]) and np.array_equal(found[3], found[1])
    assert displacement_mm(found, CENTRE_MM)[1] > 1


def test_displacement_of_a_shift_and_of_a_turn_about_the_centre():
    shift = rigid_matrix((0, 0, 0), (3, 0, 4), CENTRE_MM)
    turn = rigid_matrix((0, 0, 1), (0, 0, 0), CENTRE_MM)
    rng = np.random.default_rng(0)
    ball = rng.uniform(-80, 80, (400_000, 3))
    ball = ball[np.linalg.norm(ball, axis=1) < 80] + CENTRE_MM
    by_points = np.sqrt(np.mean(np.sum((ball @ (turn[:3, :3] - np.eye(3)).T + turn[:3, 3]) ** 2, axis=1)))
    assert displacement_mm(np.array([shift, turn]), CENTRE_MM) == pytest.approx([5, by_points], rel=0.01)


def test_a_series_held_still_is_that_of_a_head_at_rest(head):
    placed = np.array([np.eye(4)] * 2 + [rigid_matrix((0, 0, 4), (3, 2, 0), CENTRE_MM)])
    rest, moving = scanned(head, [np.eye(4)] * 3), scanned(head, placed)
    still = correct_head_motion(moving, placed)
    brain = rest.array[..., 0] > 200
    reached = still.array.any(axis=-1)
    assert reached.mean() > 0.9
    assert np.allclose(still.array[reached][:, 0], moving.array[reached][:, 0], atol=1e-3)
    off = [np.abs(series.array - rest.array)[brain][:, 2].mean() for series in (moving, still)]
    assert off[1] < 0.3 * off[0]


def test_where_any_volume_does_not_reach_there_is_nothing(head):
    series = scanned(head, [np.eye(4)] * 3)
    up = rigid_matrix((0, 0, 0), series.affine[:3, 2] * 2, CENTRE_MM)  # by two slices
    still = correct_head_motion(series, np.array([np.eye(4), np.linalg.inv(up), up])).array
    assert not still[:, :, :2].any() and not still[:, :, -2:].any()
    assert still[:, :, 2:-2].any(axis=(0, 1)).all()


@pytest.mark.slow
def test_rcbv_of_a_head_that_moves_in_the_bolus_is_nearly_that_of_a_head_at_rest():
    """A turn of 2.7 degrees and a shift of 1.9 mm as the bolus ends: what comes back of the blood volume."""
    grid = make_grid(RECIPE.spacing_mm)
    anatomy = make_anatomy(draw_anatomy(random_stream(RECIPE, 0, "anatomy")), grid)
    lesion = make_lesion(draw_lesion(random_stream(RECIPE, 0, "lesion")), anatomy)
    (series,), truth = make_dsc(anatomy, lesion, 1.0, np.random.default_rng(0))
    head, num_volumes = Volume(series, grid.affine), series.shape[3]
    jump = rigid_matrix((2, -1, 1.5), (0.5, 1.5, 1), CENTRE_MM)
    placed = np.array([np.eye(4)] * 35 + [jump] * (num_volumes - 35))
    rest, moving = scanned(head, [np.eye(4)] * num_volumes), scanned(head, placed)
    still = correct_head_motion(moving, estimate_head_motion(moving, reference=10))
    brain, tumour, known = (
        resample(Volume(part.astype(np.float32), grid.affine), still).array
        for part in (anatomy.brain, lesion.mask, truth)
    )
    inside, white = brain > 0.5, (np.abs(known - 1) < 0.1) & (brain > 0.99) & (tumour == 0)
    alike = []
    for volume in (rest, moving, still):
        rcbv = make_rcbv([volume.array], Times([0.03], 1.5), inside, white, tumour > 0.5).rcbv
        seen = inside & (rcbv != 0)
        alike.append(np.corrcoef(rcbv[seen], known[seen])[0, 1])
    at_rest, moved, corrected = alike
    assert moved < at_rest - 0.1
    assert corrected > at_rest - 0.05
