"""What registration looks at, worked out by hand on small images, and when its answer is doubted."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from glioma_idh.errors import InputError
from glioma_idh.imaging.registration import rigid
from glioma_idh.imaging.registration.pyramid import (
    Level,
    average,
    centre_of,
    check_contrast,
    clip_tails,
    find_head,
    head_and_margin,
    make_pyramid,
)
from glioma_idh.imaging.registration.rigid import (
    assess,
    best_start,
    displaced_information,
    make_method,
    mutual_information,
    overlap_of_heads,
    overlap_weighted_information,
    register_rigid,
)
from glioma_idh.imaging.resampling import from_itk, matrix_of, resample, rigid_matrix, to_itk
from glioma_idh.imaging.volumes import Volume

AFFINE = np.array([[2.0, 0, 0, -30], [0, 2, 0, -50], [0, 0, 3, 10], [0, 0, 0, 1]])
SHAPE = (32, 36, 20)


def box(start, stop, shape=SHAPE, affine=AFFINE, value=100.0) -> Volume:
    """A bright box in air."""
    array = np.zeros(shape, np.float32)
    array[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))] = value
    return Volume(array, affine)


@pytest.fixture(scope="module")
def head() -> Volume:
    """A head of smooth noise, which looks alike from no two sides."""
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=SHAPE), 2)
    i, j, k = np.indices(SHAPE)
    inside = ((i - 16) / 12) ** 2 + ((j - 17) / 14) ** 2 + ((k - 9) / 8) ** 2 < 1
    return Volume((inside * (100 + 40 * noise / noise.std())).astype(np.float32), AFFINE)


def level_of(fixed: Volume, moving: Volume, mask=None) -> Level:
    """Two images as they are, and where to look."""
    mask = fixed.array > 0 if mask is None else mask
    return Level(to_itk(fixed), to_itk(moving), to_itk(Volume(mask, fixed.affine), np.uint8))


def test_voxels_are_averaged_along_the_axes_that_are_finer():
    array = np.arange(4 * 6 * 3, dtype=np.float32).reshape(4, 6, 3)
    coarse = from_itk(average(to_itk(Volume(array, np.diag([1.0, 2, 5, 1]))), 4.0))
    assert coarse.array.shape == (1, 3, 3) and coarse.spacing_mm == pytest.approx([4, 4, 5])
    assert coarse.array == pytest.approx(array.reshape(1, 4, 3, 2, 3).mean(axis=(1, 3)))


def test_the_tails_of_what_is_not_0_are_clipped():
    values = np.concatenate([np.zeros(8000), np.linspace(1, 1001, 1001)])
    array = np.resize(values, (9001, 1, 1)).astype(np.float32)
    clipped = from_itk(clip_tails(to_itk(Volume(array, np.eye(4))))).array.ravel()
    assert clipped.min() == 0 and clipped.max() == pytest.approx(996)  # 0.5 % of 1001 above
    assert np.array_equal(clipped[:8995], values[:8995].astype(np.float32))
    scores = from_itk(clip_tails(to_itk(Volume(array - 500.5 * (array != 0), np.eye(4))))).array
    assert (scores.min(), scores.max()) == pytest.approx((-494.5, 495.5))


def test_the_head_is_what_is_not_air_and_the_margin_8_mm():
    image = box((10, 12, 6), (20, 22, 12))
    assert np.array_equal(from_itk(find_head(to_itk(image))).array > 0, image.array > 0)
    wide = from_itk(head_and_margin(to_itk(image))).array > 0
    assert np.flatnonzero(wide.any(axis=(1, 2)))[[0, -1]].tolist() == [6, 23]  # 4 voxels of 2 mm
    assert np.flatnonzero(wide.any(axis=(0, 1)))[[0, -1]].tolist() == [3, 14]  # 3 of 3 mm
    fluid = box((10, 12, 6), (20, 22, 12))
    fluid.array[10:12] = 40  # dark beside the rest, and no air
    assert np.array_equal(from_itk(find_head(to_itk(fluid))).array > 0, fluid.array > 0)


def test_the_centre_of_a_mask_in_mm():
    mask = to_itk(box((4, 10, 6), (7, 12, 7)), np.uint8)  # centre 5, 10.5, 6
    assert centre_of(mask) == pytest.approx([-20, -29, 28])


def test_levels_go_from_coarse_to_fine_and_the_mask_with_them(head):
    levels = make_pyramid(head, head, None)
    assert [level.fixed.GetSpacing() for level in levels] == [
        pytest.approx(edges) for edges in ((8, 8, 6), (4, 4, 3), (2, 2, 3))
    ]
    for level in levels:
        mask, fixed = (from_itk(image).array for image in (level.mask, level.fixed))
        assert mask.shape == fixed.shape and (mask[fixed > 50] == 1).all() and mask.mean() < 0.95
    given = head.array > 0
    given[16:] = False
    mask = from_itk(make_pyramid(head, head, given)[-1].mask).array
    assert np.array_equal(mask > 0, given)


def test_of_the_two_images_the_reference_stays_and_the_other_moves(head):
    other = box((10, 12, 6), (20, 22, 12), value=7.0)
    for level in make_pyramid(other, head, None):
        assert from_itk(level.moving).array.max() < 8 < from_itk(level.fixed).array.max()


def test_an_image_of_next_to_nothing_has_no_contrast():
    array = np.zeros((10, 10, 100), np.float32)
    array[0, 0, :9] = 1
    with pytest.raises(InputError, match="found the value 0 in all but 9 of 10000 voxels"):
        check_contrast(Volume(array, np.eye(4)))
    array[0, 0, :10] = 1
    check_contrast(Volume(array, np.eye(4)))


def test_a_given_mask_is_what_is_above_0(head):
    mask = np.zeros(SHAPE)
    mask[3, 4, 5], mask[6, 7, 8] = 0.2, -1
    assert np.argwhere(from_itk(make_pyramid(head, head, mask)[-1].mask).array).tolist() == [[3, 4, 5]]


def test_registration_starts_from_the_matrix_that_it_is_given(head):
    matrix = rigid_matrix((4, -7, 12), (3, -2, 5), (1, 2, 3))
    start = make_method(level_of(head, head), matrix).GetInitialTransform()
    assert matrix_of(start) == pytest.approx(matrix, abs=1e-5)


def test_places_that_the_metric_looks_at_lie_in_the_mask(head):
    """The other half of the reference is noise: with the mask it does not matter, without it does."""
    half, rng = np.zeros(SHAPE, bool), np.random.default_rng(1)
    half[:16] = True
    spoilt = replace(head, array=np.where(half, head.array, rng.uniform(0, 200, SHAPE)).astype(np.float32))
    masked = mutual_information(level_of(spoilt, head, half), np.eye(4))
    assert masked == pytest.approx(mutual_information(level_of(head, head, half), np.eye(4)))
    assert mutual_information(level_of(spoilt, head, half | True), np.eye(4)) < 0.8 * masked


def test_information_is_greatest_where_the_images_lie_on_each_other(head):
    """By a matrix from a point of the reference to the same tissue in the other image."""
    placed = rigid_matrix((0, 0, 0), (0, 6, 0), (0, 0, 0))
    moved = replace(head, affine=placed @ head.affine)
    level = level_of(head, moved)
    here, there, wrong_way = (
        mutual_information(level, matrix) for matrix in (np.eye(4), placed, np.linalg.inv(placed))
    )
    assert there > 1.3 * here > 1.3 * wrong_way and wrong_way >= 0
    away = rigid_matrix((0, 0, 0), (0, 900, 0), (0, 0, 0))
    assert mutual_information(level, away) == 0


def test_a_start_that_shows_half_of_the_head_promises_half(head):
    half = replace(head, array=head.array[:16].copy())
    level = level_of(head, half, np.ones(SHAPE, bool))
    assert overlap_weighted_information(level, np.eye(4)) == pytest.approx(mutual_information(level, np.eye(4)) / 2)


def test_the_search_starts_from_headers_and_centres_each_also_turned_both_ways(head, monkeypatch):
    """Fourteen starts, of which the three most promising are followed; the most promising answer is taken."""
    shift = (40, 0, 20)
    moved = replace(head, affine=rigid_matrix((0, 0, 0), shift, (0, 0, 0)) @ head.affine)
    level, starts, followed = level_of(head, moved), [], []

    def rate(level, matrix):
        starts.append(matrix)
        return -abs(len(starts) - 9)  # the eighth, ninth and tenth

    def follow(level, start):
        followed.append(start)
        return start

    monkeypatch.setattr(rigid, "overlap_weighted_information", rate)
    monkeypatch.setattr(rigid, "optimise_level", follow)
    best_start(level)
    assert len(starts) == 14 + 3 and len(followed) == 3
    centre = np.append(centre_of(level.mask), 1)
    moves = np.array([(start @ centre - centre)[:3] for start in starts[:14]])
    assert moves[:7] == pytest.approx(0, abs=1e-6)
    assert moves[7:] == pytest.approx(np.tile(shift, (7, 1)), abs=1)
    angles = [np.rad2deg(np.arccos((np.trace(start[:3, :3]) - 1) / 2)) for start in starts[:14]]
    assert angles == pytest.approx([0, *[20] * 6] * 2, abs=1e-4)
    assert len({tuple(start[:3, :3].round(6).ravel()) for start in starts[:7]}) == 7
    assert np.array_equal(followed[0], starts[8])


def test_a_start_that_leads_nowhere_does_not_end_the_search(head, monkeypatch):
    def fail_once(level, start):
        calls.append(start)
        if len(calls) == 1:
            raise InputError("two images that overlap", "none", "Look.")
        return start

    calls = []
    monkeypatch.setattr(rigid, "overlap_weighted_information", lambda level, matrix: 1.0)
    monkeypatch.setattr(rigid, "optimise_level", fail_once)
    assert np.array_equal(best_start(level_of(head, head)), calls[1]) and len(calls) == 3


def test_elsewhere_is_10_mm_or_degrees_away_from_the_answer_to_every_side(head, monkeypatch):
    level, answer = level_of(head, head), rigid_matrix((10, 20, 30), (4, 5, 6), (7, 8, 9))
    places = []
    monkeypatch.setattr(rigid, "mutual_information", lambda level, place, num: places.append(place) or len(places) % 5)
    assert displaced_information(level, answer) == 4  # the best of them
    centre = np.append(centre_of(level.mask), 1)
    away = [np.linalg.inv(answer) @ place for place in places]
    moves = np.array([(step @ centre - centre)[:3] for step in away])
    turns = [np.rad2deg(np.arccos(np.clip((np.trace(step[:3, :3]) - 1) / 2, -1, 1))) for step in away]
    assert np.linalg.norm(moves, axis=1) == pytest.approx([0] * 6 + [10] * 6, abs=1e-6)
    assert turns == pytest.approx([10] * 6 + [0] * 6, abs=1e-5)
    assert len({tuple(step.round(6).ravel()) for step in away}) == 12


def test_overlap_is_the_share_of_the_smaller_head_that_lies_on_the_other():
    small = box((10, 12, 6), (18, 22, 12))
    large = box((10, 12, 6), (26, 32, 18))
    shift = rigid_matrix((0, 0, 0), (8, 0, 0), (0, 0, 0))  # half of the small one's width
    for fixed, moving in ((small, large), (large, small)):
        assert overlap_of_heads(level_of(fixed, moving), np.eye(4)) == pytest.approx(1)
    assert overlap_of_heads(level_of(small, small), shift) == pytest.approx(0.5)
    fine = Volume(np.repeat(small.array, 2, axis=0), small.affine @ np.diag([0.5, 1, 1, 1]))
    fine.affine[0, 3] -= 0.5
    assert overlap_of_heads(level_of(small, fine), shift) == pytest.approx(0.5)  # by volume, not by voxels


def test_what_speaks_against_an_answer(head, monkeypatch):
    level, centre = level_of(head, head), centre_of(to_itk(Volume(head.array > 0, AFFINE), np.uint8))
    values = {"mutual_information": 1.13, "displaced_information": 1.0, "overlap_of_heads": 0.71}
    for name in values:
        monkeypatch.setattr(rigid, name, lambda *_, name=name: values[name])
    at_the_limit = rigid_matrix((0, 0, 29.9), (0, 49.9, 0), centre)
    found = assess(level, at_the_limit, 30.0, 50.0)
    assert found.problems == () and np.array_equal(found.matrix, at_the_limit)
    assert (found.rotation_deg, found.shift_mm) == pytest.approx((29.9, 49.9))
    assert (found.overlap, found.metric, found.gain) == pytest.approx((0.71, 1.13, 1.13))
    values |= {"mutual_information": 1.11, "overlap_of_heads": 0.69}
    beyond = assess(level, rigid_matrix((0, 0, 30.1), (0, 50.1, 0), centre), 30.0, 50.0)
    assert beyond.problems == (
        "a rotation of 30 degrees, more than a head moves between series",
        "a shift of 50 mm relative to the headers, more than a head moves between series",
        "only 69% of the smaller head overlap the other",
        "a match hardly better than 10 mm or degrees away: a different head, or too little in common",
    )


@pytest.mark.integration
def test_a_turn_and_a_shift_of_a_small_head_are_found(head):
    """The same tissue in other intensities, on another grid; the limits are handed on."""
    truth = rigid_matrix((0, 3, -4), (3, -4, 2), centre_of(to_itk(head)))
    grid = Volume(np.zeros((34, 38, 22), np.uint8), AFFINE @ rigid_matrix((0, 0, 0), (-1, -1, -1), (0, 0, 0)))
    moved = resample(head, grid, np.linalg.inv(truth), order="cubic")
    moved = replace(moved, array=np.where(moved.array > 20, 300 - moved.array, 0).astype(np.float32))
    answer = register_rigid(moved, head)
    places = np.c_[np.argwhere(head.array > 0), np.ones(np.count_nonzero(head.array))] @ AFFINE.T
    off_mm = np.linalg.norm(((answer.matrix - truth) @ places.T)[:3], axis=0)
    assert off_mm.mean() < 0.3 and answer.problems == ()
    assert answer.rotation_deg == pytest.approx(5, abs=0.3)
    narrow = register_rigid(moved, head, max_rotation_deg=2, max_shift_mm=1)
    assert [words.partition(" ")[2][:5] for words in narrow.problems] == ["rotat", "shift"]
