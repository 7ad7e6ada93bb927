"""Brains, lesions and signals: what a radiologist would check."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt
from scipy.stats import norm

from glioma_idh.phantom.anatomy import atlas_places, draw_anatomy, make_anatomy, sharpen
from glioma_idh.phantom.fields import make_grid
from glioma_idh.phantom.lesions import (
    PARTS,
    SITE_DEPTH_MM,
    VOLUME_LOG_SD,
    VOLUME_MEDIAN_ML,
    VOLUME_RANGE_ML,
    ball_distance,
    cerebrum,
    draw_lesion,
    largest_piece,
    lesion_parts,
    lesion_site,
    make_lesion,
    smallest,
)
from glioma_idh.phantom.recipe import SEQUENCES, PhantomRecipe, draw_truth, random_stream
from glioma_idh.phantom.signal import (
    PLANTED_RANGE,
    TISSUES,
    clean_signal,
    draw_signal,
    make_image,
    planted_tissue,
    tissue_signal,
)

RECIPE = PhantomRecipe(num_subjects=40, num_mutant=12, seed=0, spacing_mm=4.0)
GRID = make_grid(RECIPE.spacing_mm)


def make_body(index):
    """Anatomy, lesion draw and lesion of a subject."""
    anatomy = make_anatomy(draw_anatomy(random_stream(RECIPE, index, "anatomy")), GRID)
    draw = draw_lesion(random_stream(RECIPE, index, "lesion"))
    return anatomy, draw, make_lesion(draw, anatomy)


class Bodies(Sequence):
    """Anatomy, lesion draw and lesion of each subject, made when first asked for."""

    made: ClassVar = {}

    def __len__(self):
        return RECIPE.num_subjects

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[n] for n in range(len(self))[index]]
        if index >= len(self):
            raise IndexError(index)
        if index not in self.made:
            self.made[index] = make_body(index)
        return self.made[index]


@pytest.fixture(scope="module")
def bodies():
    """Anatomy, lesion draw and lesion of each subject."""
    yield Bodies()
    Bodies.made.clear()


def image_of(sequence, bodies, index, z):
    """One image with the subject's own noise."""
    anatomy, _, lesion = bodies[index]
    return make_image(sequence, anatomy, lesion, z, draw_signal(random_stream(RECIPE, index, sequence), GRID))


@pytest.mark.integration
def test_shares_of_the_tissues_sum_to_one_in_the_brain(bodies):
    for anatomy, _, lesion in bodies:
        assert np.allclose(anatomy.white + anatomy.grey + anatomy.fluid, anatomy.brain, atol=1e-5)
        assert lesion.shares.min() >= 0
        assert lesion.shares.sum(axis=0).max() <= 1 + 1e-5


@pytest.mark.integration
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


@pytest.mark.integration
def test_lesions_have_the_volume_that_was_drawn_and_lie_in_the_cerebrum(bodies):
    for anatomy, draw, lesion in bodies:
        volume_ml = lesion.mask.sum() * GRID.voxel_ml
        assert 0.75 * draw.volume_ml < volume_ml < 1.05 * draw.volume_ml
        assert 10 < volume_ml < 125
        assert (lesion.mask & ~cerebrum(anatomy)).sum() <= 0.02 * lesion.mask.sum()  # holes that were filled
        assert lesion.shares[:, lesion.mask].sum(axis=1).min() > 0


def test_parts_are_nested_and_of_the_shares_that_were_drawn(bodies):
    for anatomy, draw, lesion in bodies[:8]:
        whole, core, necrosis = lesion_parts(draw, anatomy)
        assert np.array_equal(whole, lesion.mask)
        assert not (core & ~whole).any() and not (necrosis & ~core).any()
        assert core.sum() == pytest.approx(draw.core_share * whole.sum(), rel=0.1)
        assert necrosis.sum() == pytest.approx(draw.necrotic_share * core.sum(), abs=1)
        inside = [lesion.shares[n][part].mean() for n, part in enumerate((necrosis, core & ~necrosis, whole & ~core))]
        assert min(inside) > 0.5  # each part is mostly what it is called


def test_lesions_are_drawn_from_their_ranges():
    draws = [draw_lesion(np.random.default_rng(seed)) for seed in range(300)]
    volumes = np.array([draw.volume_ml for draw in draws])
    assert (VOLUME_MEDIAN_ML, VOLUME_LOG_SD, VOLUME_RANGE_ML) == (50.0, 0.6, (12.0, 120.0))
    assert volumes.min() >= 12 and volumes.max() <= 120 and volumes.min() < 20 and volumes.max() > 100
    # The log-normal's own median is 50 ml; the range cuts 1 % off below and 7 % above, which leaves 47 ml.
    share = norm.cdf(np.log(np.array([12, 120]) / 50) / 0.6)
    median = 50 * np.exp(0.6 * norm.ppf(share.mean()))
    assert np.median(volumes) == pytest.approx(median, rel=0.12)
    for name, (low, high) in {"core_share": (0.44, 0.56), "necrotic_share": (0.3, 0.4), "site": (0, 1)}.items():
        values = np.array([getattr(draw, name) for draw in draws])
        assert low <= values.min() < low + 0.1 * (high - low) and high - 0.1 * (high - low) < values.max() <= high
    shapes = [draw.shape for draw in draws]
    assert np.abs(np.linalg.det(shapes)) == pytest.approx(1)  # an ellipsoid of the ball's volume
    assert np.linalg.svd(shapes)[1].std() == pytest.approx(0.15, rel=0.2)
    assert len({len(draw.outline.values) for draw in draws}) == 1 and draws[0].outline.length_mm == 13.0


def test_distance_is_1_on_the_ball_of_the_lesion_s_volume():
    draw = replace(draw_lesion(np.random.default_rng(0)), volume_ml=4 / 3 * np.pi * 20**3 / 1000, shape=np.eye(3))
    distance = ball_distance(draw, GRID, np.array([20, 25, 21]))
    assert distance[20, 25, 21] == 0 and distance[25, 25, 21] == pytest.approx(1)  # 5 voxels of 4 mm
    assert distance[20, 30, 21] == distance[20, 25, 16] == pytest.approx(1)
    assert (distance <= 1).sum() * GRID.voxel_ml == pytest.approx(draw.volume_ml, rel=0.05)
    longer = ball_distance(replace(draw, shape=np.diag([0.5, 1, 2])), GRID, np.array([20, 25, 21]))
    assert longer[30, 25, 21] == longer[20, 25, 21 - 2] / 0.8 == pytest.approx(1)


def test_lesions_start_deep_in_white_matter_of_the_cerebrum_off_the_midline(bodies):
    anatomy, draw, _ = bodies[0]
    depth_mm = distance_transform_edt(cerebrum(anatomy)) * GRID.spacing_mm
    sites = [tuple(lesion_site(replace(draw, site=site), anatomy)) for site in np.linspace(0, 0.999, 25)]
    assert len(set(sites)) > 20
    for site in sites:
        x, _, z = anatomy.atlas_mm[(slice(None), *site)]
        assert anatomy.white[site] > 0.6 and abs(x) > 14 and z > -12
        assert depth_mm[site] > SITE_DEPTH_MM / np.sqrt(3)  # so far along the axes, in all


def test_the_cerebrum_is_the_brain_without_cerebellum_and_stem(bodies):
    anatomy = bodies[0][0]
    x, y, z = anatomy.atlas_mm
    inside = cerebrum(anatomy)
    assert not (inside & ~anatomy.brain).any() and 0.8 < inside.sum() / anatomy.brain.sum() < 0.95
    assert not inside[(z < -40) & (y < -50)].any()  # cerebellum
    assert not inside[(np.abs(x) < 10) & (z < -30) & (y < -15)].any()  # stem
    assert inside[anatomy.brain & (z > 15)].all() and inside[anatomy.brain & (y > 0)].all()


def quiet(bodies, sequence, z=0.0, **changes):
    """One image whose random numbers are all 0 but those that are changed, what it is made from, and its brain."""
    anatomy, _, lesion = bodies[0]
    draw = draw_signal(np.random.default_rng(0), GRID)
    still = {name: replace(getattr(draw, name), values=0 * getattr(draw, name).values) for name in FIELDS}
    draw = replace(draw, **{"gain": 1.25, "noise": 0 * draw.noise} | still | changes)
    return make_image(sequence, anatomy, lesion, z, draw), clean_signal(sequence, anatomy, lesion, z), anatomy.brain


FIELDS = ("coil", "texture", "patches")
HIGH = (315 / 151) ** 1.5  # what a lattice of ones becomes


@pytest.mark.parametrize("sequence", ["t1", "t1gd", "t2", "flair"])
def test_without_noise_an_image_is_its_equation_white_matter_500_times_the_gain(bodies, sequence):
    image, clean, brain = quiet(bodies, sequence, 1.0)
    white = tissue_signal(sequence, TISSUES["white"])
    assert image.dtype == np.int16 and np.abs(image[brain] - 625 * clean[brain] / white).max() <= 0.51
    assert np.median(image[brain & (bodies[0][0].white > 0.97)]) == pytest.approx(625, rel=0.06)


@pytest.mark.parametrize(("sequence", "step"), [("rcbv", 2**-8), ("adc", 2**-20)])
def test_without_noise_a_map_is_the_quantity_itself(bodies, sequence, step):
    image, clean, brain = quiet(bodies, sequence, 1.0)
    assert image.dtype == np.float32 and np.abs(image - clean)[brain].max() <= 0.501 * step


@pytest.mark.parametrize(
    ("sequence", "size"),
    [
        ("t2", {"coil": 0.02, "texture": 0.015, "patches": 0.01}),
        ("rcbv", {"coil": 0, "texture": 0.16, "patches": 0.05}),
        ("adc", {"coil": 0, "texture": 0.05, "patches": 0.03}),
    ],
)
def test_unevenness_is_as_strong_as_said(bodies, sequence, size):
    still, _, brain = quiet(bodies, sequence)
    for name, part in size.items():
        drawn = getattr(draw_signal(np.random.default_rng(0), GRID), name)
        image, _, _ = quiet(bodies, sequence, **{name: replace(drawn, values=np.ones_like(drawn.values))})
        ratio = np.median(image[brain].astype(float) / np.maximum(still[brain], 1e-12))
        assert np.log(ratio) == pytest.approx(part * HIGH, abs=0.003), name


def test_noise_is_rician_and_a_40th_of_white_matter(bodies):
    noise = np.random.default_rng(0).standard_normal((2, *GRID.shape), dtype=np.float32)
    image, clean, brain = quiet(bodies, "t2", noise=noise)
    bright = brain & (clean > tissue_signal("t2", TISSUES["white"]))
    still = 625 * clean / tissue_signal("t2", TISSUES["white"])
    assert (image - still)[bright].std() == pytest.approx(625 / 40, rel=0.03)
    assert np.allclose(image[bright], np.hypot(still + 625 / 40 * noise[0], 625 / 40 * noise[1])[bright], atol=0.6)


def test_random_numbers_of_an_image_are_drawn_from_their_ranges():
    gains = [draw_signal(np.random.default_rng(seed), make_grid(6.0)).gain for seed in range(60)]
    assert 0.7 <= min(gains) < 0.78 and 1.32 < max(gains) <= 1.4
    draw = draw_signal(np.random.default_rng(0), make_grid(6.0))
    assert [getattr(draw, name).length_mm for name in FIELDS] == [60.0, 3.0, 6.0]


def test_voxels_of_one_tissue_show_it_and_the_lesion_what_was_planted(bodies):
    anatomy, _, lesion = bodies[3]
    for sequence in SEQUENCES:
        clean = clean_signal(sequence, anatomy, lesion, 1.5)
        clear = (lesion.shares.sum(axis=0) < 1e-3) & (anatomy.vessels < 1e-3)
        for name in ("white", "grey", "fluid"):
            pure = clear & (getattr(anatomy, name) > 0.999)
            assert pure.sum() > 3
            assert clean[pure] == pytest.approx(tissue_signal(sequence, TISSUES[name]), rel=0.08)
        for part, share in zip(PARTS, lesion.shares, strict=True):
            planted = tissue_signal(sequence, planted_tissue(sequence, part, 1.5))
            assert clean[share > 0.98] == pytest.approx(planted, rel=0.05) and (share > 0.98).any()


def test_a_brain_without_a_bend_is_the_atlas_and_an_affine_moves_it():
    draw = draw_anatomy(np.random.default_rng(0))
    flat = tuple(replace(bend, values=0 * bend.values) for bend in draw.bends)
    still = replace(draw, rotation_deg=np.zeros(3), shift_mm=np.zeros(3), scale=np.ones(3), bends=flat)
    axes = np.stack(np.broadcast_arrays(*GRID.axes_mm()))
    assert np.allclose(atlas_places(still, GRID), axes, atol=1e-3)
    moved = atlas_places(replace(still, shift_mm=np.array([1.0, 2, 3]), scale=np.array([1.1, 1, 0.9])), GRID)
    along = [scale * axis + shift for scale, axis, shift in zip((1.1, 1, 0.9), axes, (1, 2, 3), strict=True)]
    assert np.allclose(moved, np.stack(along), atol=1e-3)
    turned = atlas_places(replace(still, rotation_deg=np.array([0, 0, 90.0])), GRID)  # about z: x becomes y
    assert np.allclose(turned, np.stack([-axes[1], axes[0], axes[2]]), atol=1e-3)
    bent = atlas_places(replace(still, bends=draw.bends), GRID) - axes
    assert bent.std() == pytest.approx(2.2, rel=0.25)


def test_bodies_vary_as_much_as_said():
    draws = [draw_anatomy(np.random.default_rng(seed)) for seed in range(80)]
    assert np.std([draw.rotation_deg for draw in draws]) == pytest.approx(3.0, rel=0.15)
    assert np.std([draw.shift_mm for draw in draws]) == pytest.approx(2.0, rel=0.15)
    assert np.std(np.log([draw.scale for draw in draws])) == pytest.approx(0.04, rel=0.15)
    assert {bend.length_mm for bend in draws[0].bends} == {34.0} and draws[0].vessels[0].length_mm == 11.0


def test_sharpening_makes_the_larger_share_larger():
    tissues = np.array([0.8, 0.1, 0.1, 0.5, 0.5, 0.0]).reshape(2, 3).T.reshape(3, 2, 1, 1)
    brain = np.array([True, True]).reshape(2, 1, 1)
    sharp = sharpen(tissues, brain)
    expected = np.array([0.8, 0.1, 0.1]) ** 1.6
    assert sharp[:, 0, 0, 0] == pytest.approx(expected / expected.sum(), rel=1e-3)
    assert sharp[:, 1, 0, 0] == pytest.approx([0.5, 0.5, 0], abs=1e-3)
    assert not sharpen(tissues, ~brain).any()


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
