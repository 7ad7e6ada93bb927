"""Thumbnails show the right slice, the right way round, with square pixels."""

import numpy as np
import pytest

from glioma_idh.cohorts.checks.tiles import Slice, cut_slice, lesion_point, make_thumbnails, shrink, stretch_greys
from glioma_idh.imaging.volumes import Volume

AFFINE = np.diag([2.0, 2.0, 5.0, 1.0])


def volume(array, affine=AFFINE):
    return Volume(np.asarray(array, np.float32), np.array(affine, float))


def test_the_slice_is_where_the_lesion_is_widest():
    mask, scan = np.zeros((10, 12, 8)), np.zeros((10, 12, 8))
    mask[3:6, 4:7, 2:6] = 1
    mask[2:7, 4:7, 5] = 1
    scan[:] = np.arange(8)
    point = lesion_point(volume(mask))
    assert point.tolist() == [8, 10, 25]
    cut = cut_slice(volume(scan), scan != -1, point, volume(mask))
    assert (cut.pixels == 5).all() and np.array_equal(cut.lesion, mask[..., 5] != 0) and cut.spacing_mm == (2, 2)
    lower = AFFINE.copy()
    lower[2, 3] = -10
    other = cut_slice(volume(scan, lower), scan != -1, point, None)
    assert (other.pixels == 7).all() and other.lesion is None


@pytest.mark.parametrize("point", [None, np.array([0, 0, 500.0]), np.array([0, 0, np.nan])])
def test_without_a_lesion_it_is_the_middle_of_the_tissue(point):
    scan = np.zeros((4, 4, 20))
    scan[1:3, 1:3, 4:11] = np.arange(4, 11)
    assert cut_slice(volume(scan), scan != 0, point, None).pixels.max() == 7
    assert cut_slice(volume(scan), np.zeros(scan.shape, bool), point, None).pixels.max() == 10


def test_greys_run_over_the_tissue_alone():
    pixels = np.zeros((2, 300))
    pixels[0] = np.arange(-100, 200)
    greys = stretch_greys(pixels, pixels != 0)
    assert (greys[1] == 0).all() and greys[0, 0] == 0 and greys[0, -1] == 1
    low, high = np.percentile(pixels[0][pixels[0] != 0], (1, 99.5))
    assert greys[0, 150] == pytest.approx((50 - low) / (high - low), abs=1e-6)
    assert (stretch_greys(np.full((3, 3), 4.0), np.ones((3, 3), bool)) == 0).all()
    assert (stretch_greys(np.ones((3, 3)), np.zeros((3, 3), bool)) == 0).all()


@pytest.mark.parametrize(
    ("shape", "spacing_mm", "expected"),
    [
        ((240, 240), (1, 1), (64, 64)),
        ((32, 16), (2, 2), (64, 32)),
        ((256, 26), (1, 5), (64, 32)),
        ((1, 9), (1, 9), (1, 64)),
    ],
)
def test_pixels_become_square(shape, spacing_mm, expected):
    image = shrink(np.ones(shape), spacing_mm)
    assert image.shape == expected and image == pytest.approx(np.ones(expected))


def test_thumbnails_keep_place_and_side():
    pixels = np.zeros((128, 128))
    pixels[:64] = 1
    pixels[64:] = 2
    lesion = np.zeros((128, 128), bool)
    lesion[96:112, 16:32] = True
    thumbnail = make_thumbnails({"t1": Slice(pixels, pixels != 0, lesion, (1, 1))})["t1"]
    assert thumbnail.grey.shape == (64, 64) and thumbnail.grey.dtype == np.uint8
    assert (thumbnail.grey[:30] == 0).all() and (thumbnail.grey[34:] == 255).all()
    i, j = np.nonzero(thumbnail.lesion > 0.5)
    assert (i.min(), i.max(), j.min(), j.max()) == (48, 55, 8, 15)


def test_sequences_of_a_subject_are_cut_alike():
    one, two, lesion = np.zeros((40, 40)), np.zeros((40, 40)), np.zeros((40, 40), bool)
    one[10:20, 5:15] = np.arange(10)[:, None] + 1
    two[15:26, 5:15] = 1
    lesion[26:30, 5:7] = True
    slices = {"t1": Slice(one, one != 0, None, (1, 1)), "t2": Slice(two, two != 0, lesion, (1, 1))}
    slices["flair"] = Slice(np.ones((8, 8)), np.ones((8, 8), bool), None, (1, 1))
    thumbnails = make_thumbnails(slices)
    assert thumbnails["t1"].grey.shape == thumbnails["t2"].grey.shape == (64, 32)  # 20 by 10 mm
    assert thumbnails["flair"].grey.shape == (64, 64)
    assert thumbnails["t2"].lesion[-12:, :3].min() > 0.5 and (thumbnails["t1"].grey[34:] == 0).all()
