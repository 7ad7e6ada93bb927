"""Brains, lesions and signals: what a radiologist would check."""

import numpy as np
import pytest

from glioma_idh.phantom.anatomy import draw_anatomy, make_anatomy
from glioma_idh.phantom.fields import make_grid
from glioma_idh.phantom.lesions import cerebrum, draw_lesion, largest_piece, make_lesion, smallest
from glioma_idh.phantom.recipe import SEQUENCES, PhantomRecipe, draw_truth, random_stream
from glioma_idh.phantom.signal import PLANTED_RANGE, draw_signal, make_image, planted_tissue, tissue_signal

RECIPE = PhantomRecipe(num_subjects=40, num_mutant=12, seed=0, spacing_mm=4.0)
GRID = make_grid(RECIPE.spacing_mm)


def make_body(index):
    """Anatomy, lesion draw and lesion of a subject."""
    anatomy = make_anatomy(draw_anatomy(random_stream(RECIPE, index, "anatomy")), GRID)
    draw = draw_lesion(random_stream(RECIPE, index, "lesion"))
    return anatomy, draw, make_lesion(draw, anatomy)


@pytest.fixture(scope="module")
def bodies():
    """Anatomy, lesion draw and lesion of each subject."""
    return [make_body(index) for index in range(RECIPE.num_subjects)]


def image_of(sequence, bodies, index, z):
    """One image with the subject's own noise."""
    anatomy, _, lesion = bodies[index]
    return make_image(sequence, anatomy, lesion, z, draw_signal(random_stream(RECIPE, index, sequence), GRID))


def test_shares_of_the_tissues_sum_to_one_in_the_brain(bodies):
    for anatomy, _, lesion in bodies:
        assert np.allclose(anatomy.white + anatomy.grey + anatomy.fluid, anatomy.brain, atol=1e-5)
        assert lesion.shares.min() >= 0
        assert lesion.shares.sum(axis=0).max() <= 1 + 1e-5


def test_brains_have_the_size_of_brains_and_differ(bodies):
    litres = [anatomy.brain.sum() * GRID.voxel_ml / 1000 for anatomy, _, _ in bodies]
    assert min(litres) > 1.2
    assert max(litres) < 2.6
    assert (bodies[0][0].brain ^ bodies[1][0].brain).sum() > 0.02 * bodies[0][0].brain.sum()


@pytest.mark.parametrize(
    ("sequence", "order"),
    [
        ("t1", ("white", "grey", "fluid")),
        ("t1gd", ("white", "grey", "fluid")),
        ("t2", ("fluid", "grey", "white")),
        ("flair", ("grey", "white", "fluid")),
        ("rcbv", ("grey", "white", "fluid")),
        ("adc", ("fluid", "grey", "white")),
    ],
)
def test_tissues_are_ordered_as_on_real_scans(bodies, sequence, order):
    anatomy, _, lesion = bodies[0]
    image = image_of(sequence, bodies, 0, 0.0)
    clear = anatomy.brain & (lesion.shares.sum(axis=0) < 0.01) & (anatomy.vessels < 0.05)
    levels = [np.median(image[clear & (getattr(anatomy, tissue) > 0.85)]) for tissue in order]
    assert levels[0] > levels[1] > levels[2], levels


def test_maps_are_in_their_units(bodies):
    anatomy, _, lesion = bodies[0]
    clear = (lesion.shares.sum(axis=0) < 0.01) & (anatomy.vessels < 0.05)
    white, fluid = clear & (anatomy.white > 0.95), clear & (anatomy.fluid > 0.95)
    rcbv, adc = image_of("rcbv", bodies, 0, 0.0), image_of("adc", bodies, 0, 0.0)
    assert np.median(rcbv[white]) == pytest.approx(1, abs=0.1)
    assert np.median(adc[white]) == pytest.approx(0.75e-3, abs=0.03e-3)
    assert np.median(adc[fluid]) == pytest.approx(3e-3, abs=0.15e-3)


def test_nothing_is_negative_or_outside_the_brain(bodies):
    for sequence in SEQUENCES:
        image = image_of(sequence, bodies, 1, 0.0)
        assert image.min() == 0
        assert not image[~bodies[1][0].brain].any()


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_the_lesion_moves_one_way_with_its_latent_and_is_never_clipped(bodies, sequence):
    lesion = bodies[2][2]
    means = [image_of(sequence, bodies, 2, z)[lesion.mask].mean() for z in np.arange(-4, 6.1, 1.0)]
    steps = np.diff(means)
    assert (steps > 0).all() or (steps < 0).all(), means


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_each_part_of_the_lesion_moves_the_same_way(sequence):
    directions = set()
    for part in PLANTED_RANGE[sequence][1]:
        signals = [tissue_signal(sequence, planted_tissue(sequence, part, z)) for z in np.linspace(-4, 6, 41)]
        directions |= set(np.sign(np.diff(signals)))
    assert directions in ({1.0}, {-1.0})


def test_lesion_values_stay_plausible():
    for part in ("necrosis", "rim", "oedema"):
        for z in (-4, 0, 5.5):
            assert 0.5 <= planted_tissue("rcbv", part, z).rcbv <= 8
            assert 0.6e-3 <= planted_tissue("adc", part, z).adc_mm2_s <= 2.5e-3


def test_a_wild_type_lesion_enhances_in_a_ring_and_is_hottest_there():
    for sequence in ("t1gd", "rcbv"):
        level = {p: tissue_signal(sequence, planted_tissue(sequence, p, 0.0)) for p in ("necrosis", "rim", "oedema")}
        assert level["rim"] > level["oedema"] > level["necrosis"]


def test_lesions_have_the_volume_that_was_drawn_and_lie_in_the_cerebrum(bodies):
    for anatomy, draw, lesion in bodies:
        volume_ml = lesion.mask.sum() * GRID.voxel_ml
        assert 0.75 * draw.volume_ml < volume_ml < 1.05 * draw.volume_ml
        assert 10 < volume_ml < 125
        assert (lesion.mask & ~cerebrum(anatomy)).sum() <= 0.02 * lesion.mask.sum()  # holes that were filled
        assert lesion.shares[:, lesion.mask].sum(axis=1).min() > 0


def test_smallest_takes_as_many_voxels_as_asked():
    values = np.arange(8.0).reshape(2, 2, 2)
    allowed = values != 1
    assert values[smallest(values, allowed, 3)].tolist() == [0, 2, 3]


def test_largest_piece_of_two_with_its_hole_filled():
    mask = np.zeros((9, 5, 5), bool)
    mask[1:4, 1:4, 1:4] = True
    mask[2, 2, 2] = False
    mask[6:8, 1, 1] = True
    piece = largest_piece(mask)
    assert piece.sum() == 27
    assert not piece[6:].any()


def slice_features(image, brain, mask):
    """Mean and quartiles of the lesion on its widest axial slice, in (image - median) / sd of the brain."""
    k = mask.sum(axis=(0, 1)).argmax()
    inside = image[:, :, k][mask[:, :, k]].astype(float)
    inside = (inside - np.median(image[brain])) / image[brain].std()
    return [1.0, inside.mean(), *np.percentile(inside, [25, 50, 75])]


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_the_latent_can_be_read_from_one_slice(bodies, sequence):
    """Leave-one-out linear regression of z on slice features; blind guesses would score 0."""
    z = draw_truth(RECIPE)[f"z_{sequence}"].to_numpy()
    images = [image_of(sequence, bodies, index, value) for index, value in enumerate(z)]
    features = np.array(
        [slice_features(im, body[0].brain, body[2].mask) for im, body in zip(images, bodies, strict=True)]
    )
    hat = features @ np.linalg.pinv(features)
    errors = (z - hat @ z) / (1 - np.diag(hat))
    assert 1 - (errors**2).sum() / ((z - z.mean()) ** 2).sum() > 0.85
